#include "eventstore/store_part.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

/* ---- records ---- */

/* The numbers of R in the order of the statements' columns. */
static void
numbers_of(struct store_record *r, int64_t *out[static STORE_RECORD_NUMBERS])
{
	int64_t *const all[STORE_RECORD_NUMBERS] = { &r->n, &r->dev, &r->ino, &r->size, &r->mtime, &r->gz, &r->head, &r->offset, &r->tail,
		&r->tail_len, &r->torn, &r->lines, &r->damaged, &r->too_long, &r->doubled, &r->broken, &r->whole, &r->low };

	memcpy(out, all, sizeof(all));
}

static int
add_record(struct store_records *r, const struct store_record *one)
{
	struct store_record *v = realloc(r->v, (r->n + 1) * sizeof(*v));

	if (v == NULL)
		return -1;
	r->v = v;
	r->v[r->n++] = *one;
	return 0;
}

int
store_records_load(struct eventstore *s, struct store_records *r)
{
	sqlite3_stmt *q = store_bind(s, STORE_SQL_FILES, "");
	int step;

	*r = (struct store_records){ 0 };
	while ((step = sqlite3_step(q)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(q, 0);
		struct store_record one = { .name = strdup(name == NULL ? "" : name) };
		int64_t *numbers[STORE_RECORD_NUMBERS];

		numbers_of(&one, numbers);
		for (int i = 0; i < STORE_RECORD_NUMBERS; i++)
			*numbers[i] = sqlite3_column_int64(q, i + 1);
		one.high = sqlite3_column_int64(q, STORE_RECORD_NUMBERS + 1);
		if (one.name == NULL || add_record(r, &one) == -1) {
			free(one.name);
			step = SQLITE_NOMEM;
			break;
		}
	}
	sqlite3_reset(q);
	return step == SQLITE_DONE ? 0 : -1;
}

void
store_records_free(struct store_records *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].name);
	free(r->v);
	*r = (struct store_records){ 0 };
}

int
store_record_save(struct eventstore *s, struct store_record *r)
{
	sqlite3_stmt *q = store_bind(s, STORE_SQL_FILE_SAVE, "t", slice_str(r->name));
	int64_t *numbers[STORE_RECORD_NUMBERS];
	int step;

	numbers_of(r, numbers);
	for (int i = 0; i < STORE_RECORD_NUMBERS; i++)
		sqlite3_bind_int64(q, i + 2, *numbers[i]);
	sqlite3_bind_int64(q, STORE_RECORD_NUMBERS + 2, r->high);
	step = sqlite3_step(q);
	sqlite3_reset(q);
	if (step != SQLITE_DONE)
		return -1;
	if (r->n == 0)
		r->n = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int
store_drop(struct eventstore *s, struct store_record *r)
{
	if (r->lines > 0 && store_run(s, STORE_SQL_EVENTS_DROP, "iii", r->low, r->high, r->n) == -1)
		return -1;
	r->lines = r->damaged = r->too_long = r->doubled = r->torn = r->offset = r->tail_len = r->whole = r->broken = 0;
	r->low = INT64_MAX;
	r->high = 0;
	return store_run(s, STORE_SQL_POINTS_DROP, "i", r->n);
}

int
store_drop_doubled(struct eventstore *s, struct store_records *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].doubled > 0 && store_drop(s, &r->v[i]) == -1)
			return -1;
	return 0;
}

/* ---- which file is which ---- */

static int64_t
mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

static bool
is_inode(const struct store_record *r, const struct log_file *f)
{
	return r->dev == (int64_t)f->st.st_dev && r->ino == (int64_t)f->st.st_ino;
}

static bool
is_unchanged(const struct store_record *r, const struct log_file *f)
{
	return is_inode(r, f) && r->size == (int64_t)f->st.st_size && r->mtime == mtime_of(&f->st);
}

/* The sum of F's text up to its first newline, or of STORE_HEAD_MAX bytes.  1; 0 when there is no such beginning yet; -1 when it
 * cannot be read. */
static int
head_of(struct log_file *f, int64_t *sum)
{
	struct log_bytes *b = malloc(sizeof(*b));
	char text[STORE_HEAD_MAX];
	size_t len = 0;
	ssize_t n = -1;
	const char *end;

	if (b != NULL && log_bytes_open(b, f->fd, NULL, NULL) == 0) {
		while (len < sizeof(text) && (n = log_bytes_read(b, text + len, sizeof(text) - len)) > 0)
			len += (size_t)n;
		log_bytes_close(b);
	}
	free(b);
	end = memchr(text, '\n', len);
	if (end == NULL && len < sizeof(text))
		return n == -1 ? -1 : 0;
	*sum = store_sum(slice_make(text, end != NULL ? (size_t)(end - text) : len));
	return 1;
}

/* What was read last of R stands in the plain file F as well. */
static bool
has_tail(const struct store_record *r, const struct log_file *f)
{
	char text[STORE_TAIL_MAX + 1];
	size_t len = (size_t)r->tail_len + 1;

	if (r->offset == 0)
		return true;
	if (r->tail_len < 0 || r->tail_len > STORE_TAIL_MAX || r->offset > (int64_t)f->st.st_size ||
	    pread(f->fd, text, len, (off_t)(r->offset - (int64_t)len)) != (ssize_t)len)
		return false;
	return text[len - 1] == '\n' && store_sum(slice_make(text, len - 1)) == r->tail;
}

static bool
is_gzip(const struct log_file *f)
{
	unsigned char magic[2];

	return pread(f->fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
}

struct candidate {
	struct log_file	*file;
	int64_t		 head;
	int		 has_head;	/* as head_of() says */
	bool		 gz, taken;
};

/* F may be what R was read of.  A compressed file is looked at closer when it is read. */
static bool
fits(const struct store_record *r, const struct candidate *c, bool by_inode)
{
	if (by_inode && !is_inode(r, c->file))
		return false;
	if (c->has_head != 1)
		return by_inode && c->has_head == -1;
	return c->head == r->head && (c->gz ? !r->gz || is_unchanged(r, c->file) || !by_inode : !r->gz && has_tail(r, c->file));
}

static void
take(struct store_record *r, struct candidate *c)
{
	c->taken = true;
	r->file = c->file;
}

static void
take_all(struct store_records *r, struct candidate *v, size_t n, bool by_inode)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < n && r->v[i].file == NULL; k++)
			if (!v[k].taken && fits(&r->v[i], &v[k], by_inode))
				take(&r->v[i], &v[k]);
}

/* The name may be new, and a file that became compressed has to be looked through once. */
static int
renew(struct eventstore *s, struct store_record *r, const struct candidate *c)
{
	char *name;

	if (strcmp(r->name, c->file->name) == 0 && r->gz == c->gz && (!c->gz || is_unchanged(r, c->file)))
		return 0;
	if ((name = strdup(c->file->name)) == NULL)
		return -1;
	free(r->name);
	r->name = name;
	if (c->gz && !is_unchanged(r, c->file)) {
		r->whole = r->broken = 0;
		if (store_run(s, STORE_SQL_POINTS_DROP, "i", r->n) == -1)
			return -1;
	}
	r->gz = c->gz;
	return store_record_save(s, r);
}

/* Begin a record for C. */
static int
begin(struct eventstore *s, struct store_records *r, struct candidate *c)
{
	struct store_record one = { .name = strdup(c->file->name), .head = c->head, .gz = c->gz, .low = INT64_MAX, .file = c->file };

	if (one.name == NULL || store_record_save(s, &one) == -1 || add_record(r, &one) == -1) {
		free(one.name);
		return -1;
	}
	return 0;
}

/* A follower waits until it is clear which of two files with one beginning is the copy. */
static bool
is_copy(const struct store_records *r, const struct candidate *c)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].file != NULL && r->v[i].head == c->head)
			return true;
	return false;
}

/* Take the records of files that are gone out of R, their events and words out of the index.  What had been left out as
 * doubled may be the only one now: it is read again. */
static int
drop_gone(struct eventstore *s, struct store_records *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].file != NULL) {
			r->v[kept++] = r->v[i];
			continue;
		}
		if (store_drop(s, &r->v[i]) == -1 || store_run(s, STORE_SQL_FILE_DROP, "i", r->v[i].n) == -1)
			return -1;
		free(r->v[i].name);
		r->v[i].name = NULL;
	}
	if (kept == r->n)
		return 0;
	r->n = kept;
	if (store_drop_doubled(s, r) == -1)
		return -1;
	return s->follows ? 0 : store_run(s, STORE_SQL_WORDS_DROP, "");
}

static int
match(struct eventstore *s, struct store_records *r, struct candidate *v, size_t n)
{
	take_all(r, v, n, true);
	take_all(r, v, n, false);
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < n; k++)
			if (v[k].file == r->v[i].file && v[k].has_head == 1 && renew(s, &r->v[i], &v[k]) == -1)
				return -1;
	for (size_t k = 0; k < n; k++)
		if (!v[k].taken && v[k].has_head == 1 && !(s->follows && is_copy(r, &v[k])) && begin(s, r, &v[k]) == -1)
			return -1;
	return drop_gone(s, r);
}

/* What is known of the compressed file F, when it is as it was: its head need not be unpacked again. */
static const struct store_record *
known_gzip(const struct store_records *r, const struct log_file *f)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].gz && is_unchanged(&r->v[i], f))
			return &r->v[i];
	return NULL;
}

static struct candidate
look_at(const struct store_records *r, struct log_file *f)
{
	struct candidate c = { .file = f, .has_head = -1 };
	const struct store_record *known = f->fd == -1 ? NULL : known_gzip(r, f);

	if (f->fd == -1)
		return c;
	if (known != NULL)
		return (struct candidate){ .file = f, .gz = true, .head = known->head, .has_head = 1 };
	c.gz = is_gzip(f);
	c.has_head = head_of(f, &c.head);
	if (c.has_head == -1 && f->error == 0)
		f->error = errno == 0 ? EIO : errno;
	return c;
}

int
store_match(struct eventstore *s, struct log_folder *folder, struct store_records *r)
{
	struct candidate *v = calloc(folder->n + 1, sizeof(*v));
	int result;

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < folder->n; i++)
		v[i] = look_at(r, &folder->v[i]);
	result = match(s, r, v, folder->n);
	free(v);
	return result;
}
