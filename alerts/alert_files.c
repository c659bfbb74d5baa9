#include "alerts/alert_part.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS_MAX = 256, KEY_MAX = 1000 };

/* "winner.exe" was said to be in "winner.zip". */
struct member {
	struct slice	 name, container;
};

struct files {
	struct alert		*a;
	const struct alert_text	*t;
	const struct fact	*v;
	size_t			 n;
	size_t			 size;		/* index + 1 of the size that waits for its digest; 0 */
	struct slice		 name, container;
	struct member		 members[MEMBERS_MAX];
	size_t			 n_members;
	size_t			 run_end;	/* facts before it have been decided on by digest_first() */
	bool			 run_digest_first;
	struct alert_set	 seen;
};

static bool
is_digest(const struct fact *f)
{
	return f->kind == FACT_DIGEST || f->kind == FACT_BAD;
}

/* The digests of one file that begin at I: different algorithms, nothing between them.  The index behind them. */
static size_t
group_end(const struct files *f, size_t i)
{
	unsigned mask = 0;
	size_t from = i;

	for (; i < f->n && is_digest(&f->v[i]); i++) {
		unsigned bit = f->v[i].kind == FACT_BAD ? DIGEST_BIT(DIGEST_ALGS) : DIGEST_BIT(f->v[i].digest.alg);

		if ((mask & bit) != 0 || f->v[i].paragraph != f->v[from].paragraph)
			break;
		mask |= bit;
	}
	return i;
}

/* The digests at I stand without a size before them.  Is the size behind them theirs ("MD5 ... size ..."), or that
 * of the next digest?  What stands on one line belongs together; else in a run that ends with a size every size
 * belongs to what is left of it. */
static bool
digest_first(struct files *f, size_t i)
{
	size_t behind = group_end(f, i), next = behind + 1;
	uint32_t paragraph = f->v[i].paragraph, line;
	bool has_next;

	if (behind >= f->n || f->v[behind].kind != FACT_SIZE || f->v[behind].paragraph != paragraph)
		return false;
	line = f->v[behind].line;
	has_next = next < f->n && is_digest(&f->v[next]) && f->v[next].paragraph == paragraph;
	if (f->v[behind - 1].line == line && !(has_next && f->v[next].line == line))
		return true;
	if (has_next && f->v[next].line == line && f->v[behind - 1].line != line)
		return false;
	if (i < f->run_end)
		return f->run_digest_first;
	for (f->run_digest_first = true; behind < f->n && f->v[behind].paragraph == paragraph; ) {
		if (f->v[behind].kind != FACT_SIZE)
			break;
		f->run_digest_first = true;
		if (++behind < f->n && is_digest(&f->v[behind]) && f->v[behind].paragraph == paragraph) {
			behind = group_end(f, behind);
			f->run_digest_first = false;
		}
	}
	f->run_end = behind;
	return f->run_digest_first;
}

static struct slice
container_of_member(const struct files *f, struct slice name)
{
	for (size_t i = 0; i < f->n_members; i++)
		if (slice_ieq(f->members[i].name, name))
			return f->members[i].container;
	return slice_make(NULL, 0);
}

static void
remember_member(struct files *f, struct slice name, struct slice container)
{
	if (container.len > 0 && f->n_members < MEMBERS_MAX && container_of_member(f, name).len == 0)
		f->members[f->n_members++] = (struct member){ name, container };
}

/* File I of the facts, once: with SIZE (0 when not said). */
static int
file_add(struct files *f, const struct fact *digest, struct slice name, struct slice container, uint64_t size)
{
	struct alert_file item = { .size = size, .has_digest = digest != NULL };
	char key[KEY_MAX], hex[DIGEST_MAX_HEX + 1] = "";
	enum alert_seen seen;

	if (f->a->n_files == ALERT_ITEMS_MAX)
		return 0;
	if (digest != NULL) {
		item.digest = digest->digest;
		digest_format(&digest->digest, hex);
	}
	snprintf(key, sizeof(key), "%s %llu %.*s / %.*s", hex, (unsigned long long)size, SLICE_ARGS(name),
	    SLICE_ARGS(container));
	if ((seen = alert_set_add(&f->seen, key)) != ALERT_SEEN_NEW)
		return seen == ALERT_SEEN_BEFORE ? 0 : -1;
	item.name = name.len > 0 ? alert_dup(name) : NULL;
	item.container = container.len > 0 ? alert_dup(container) : NULL;
	if ((name.len > 0 && item.name == NULL) || (container.len > 0 && item.container == NULL)) {
		free(item.name);
		free(item.container);
		return -1;
	}
	return alert_add_file(f->a, &item);
}

/* The size that waits gets no digest: a name has to do. */
static int
drop_size(struct files *f)
{
	const struct fact *s = f->size > 0 ? &f->v[f->size - 1] : NULL;

	if (s == NULL)
		return 0;
	f->size = 0;
	if (f->name.len > 0)
		return file_add(f, NULL, f->name, f->container, s->size);
	alert_finding(f->t, DIAG_WARNING, s->at, "%llu bytes: a size without a digest or a name makes no rule",
	    (unsigned long long)s->size);
	return 0;
}

static int
take_name(struct files *f, const struct fact *name)
{
	if (name->is_container)
		return 0;
	remember_member(f, name->name, name->container);
	/* "a file of 90,112 bytes named patch.exe" is one sentence; otherwise a new name begins a new file. */
	if (!slice_ieq(name->name, f->name) && f->size > 0 && f->v[f->size - 1].sentence != name->sentence &&
	    drop_size(f) == -1)
		return -1;
	f->name = name->name;
	f->container = name->container.len > 0 ? name->container : container_of_member(f, name->name);
	return 0;
}

/* The digests from I: one file each algorithm.  The index behind what was used, in *NEXT. */
static int
take_digests(struct files *f, size_t i, size_t *next)
{
	size_t end = group_end(f, i);
	struct slice name = f->name, container = f->container;
	uint64_t size = f->size > 0 ? f->v[f->size - 1].size : 0;
	bool good = false;

	*next = end;
	if (f->size == 0 && digest_first(f, i))
		size = f->v[(*next)++].size;
	f->size = 0;
	/* md5sum(1) writes the name behind. */
	if (f->v[i].first && end < f->n && f->v[end].kind == FACT_NAME && f->v[end].line == f->v[i].line) {
		name = f->v[end].name;
		container = f->v[end].container;
	}
	for (; i < end; i++)
		if (f->v[i].kind == FACT_DIGEST) {
			if (file_add(f, &f->v[i], name, container, size) == -1)
				return -1;
			good = true;
		}
	return !good && name.len > 0 && size > 0 ? file_add(f, NULL, name, container, size) : 0;
}

static int
join(struct files *f)
{
	for (size_t i = 0; i < f->n; ) {
		const struct fact *fact = &f->v[i];

		if (is_digest(fact)) {
			if (take_digests(f, i, &i) == -1)
				return -1;
			continue;
		}
		if (fact->kind == FACT_NAME ? take_name(f, fact) == -1 : drop_size(f) == -1)
			return -1;
		if (fact->kind == FACT_SIZE)
			f->size = i + 1;
		i++;
	}
	return drop_size(f);
}

int
alert_files(struct alert *a, const struct alert_text *t, const struct fact *facts, size_t n)
{
	struct files f = { .a = a, .t = t, .v = facts, .n = n };
	int result = join(&f);

	if (a->n_files == ALERT_ITEMS_MAX)
		alert_finding(t, DIAG_WARNING, t->clean.len, "files over %d are left out", ALERT_ITEMS_MAX);
	alert_set_fini(&f.seen);
	return result;
}
