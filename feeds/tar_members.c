#include "feeds/tar_members.h"

/* POSIX.1-1988 (ustar), the fields that count. */
enum { SIZE_AT = 124, SIZE_LEN = 12, TYPE_AT = 156, OCTAL = 8 };

#define SIZE_LIMIT	(UINT64_C(1) << 33)	/* what twelve octal digits can say is more */

void
tar_members_init(struct tar_members *t, const struct tar_visitor *visitor, void *arg)
{
	*t = (struct tar_members){ .visitor = visitor, .arg = arg };
}

static int
refuse(struct tar_members *t, const char *why)
{
	t->why = why;
	return -1;
}

/* The size in the field at P: an octal number with blanks before and a blank or NUL behind. */
static bool
read_size(const char *p, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	while (i < SIZE_LEN && p[i] == ' ')
		i++;
	if (i == SIZE_LEN || p[i] < '0' || p[i] > '7')
		return false;
	for (; i < SIZE_LEN && p[i] >= '0' && p[i] <= '7'; i++)
		*out = *out * OCTAL + (uint64_t)(p[i] - '0');
	return (i == SIZE_LEN || p[i] == ' ' || p[i] == '\0') && *out <= SIZE_LIMIT;
}

static bool
is_empty(const char head[TAR_BLOCK])
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (head[i] != '\0')
			return false;
	return true;
}

static int
end_entry(struct tar_members *t)
{
	return t->wanted ? t->visitor->end(t->arg) : 0;
}

/* The head of an entry is complete. */
static int
read_head(struct tar_members *t)
{
	char type = t->head[TYPE_AT];
	bool weak;

	t->have = 0;
	if (is_empty(t->head)) {
		t->done = true;
		return 0;
	}
	if (!tar_sum_holds(t->head, &weak) || weak)
		return refuse(t, "the head of an entry has another sum");
	if (!read_size(t->head + SIZE_AT, &t->left))
		return refuse(t, "the length of an entry is none");
	if (++t->n > TAR_MEMBERS_MAX)
		return refuse(t, "too many entries");
	t->padding = (TAR_BLOCK - t->left % TAR_BLOCK) % TAR_BLOCK;
	t->is_file = type == '0' || type == '\0' || type == '7';
	t->wanted = t->is_file && t->visitor->begin(t->arg, slice_make(t->head, strnlen(t->head, TAR_NAME_MAX)));
	return t->left == 0 ? end_entry(t) : 0;
}

/* Take what of S belongs to the entry. */
static int
take_bytes(struct tar_members *t, struct slice *s)
{
	struct slice bytes = slice_take(s, t->left < s->len ? (size_t)t->left : s->len);
	int r = 0;

	t->left -= bytes.len;
	if (t->wanted)
		r = t->visitor->bytes(t->arg, bytes);
	return r == 0 && t->left == 0 ? end_entry(t) : r;
}

int
tar_members_put(struct tar_members *t, struct slice s)
{
	int r = 0;

	if (t->why != NULL)
		return -1;
	while (r == 0 && s.len > 0 && !t->done) {
		if (t->left > 0)
			r = take_bytes(t, &s);
		else if (t->padding > 0)
			t->padding -= slice_take(&s, t->padding < s.len ? (size_t)t->padding : s.len).len;
		else {
			struct slice part = slice_take(&s, TAR_BLOCK - t->have);

			memcpy(t->head + t->have, part.p, part.len);
			t->have += part.len;
			r = t->have == TAR_BLOCK ? read_head(t) : 0;
		}
	}
	return r;
}

int
tar_members_end(struct tar_members *t)
{
	if (t->why != NULL)
		return -1;
	/* The last padding and the empty blocks are missing in what some programs write. */
	if (t->left > 0 || t->have > 0)
		return refuse(t, "ends within an entry");
	return 0;
}
