/* The first time that rows of names are gone through: what lies below a host comes right before it, and what a part of it is marked
 * for cannot be said of all of it. */
#include "exports/export_part.h"

#include <errno.h>

/* The last hosts with a mark, and the one before. */
struct marks {
	struct buf	last, before;	/* turned keys */
	bool		any, any_before;
	bool		exact;		/* what is marked of LAST is the host alone */
};

static void
note_mark(struct marks *m, struct slice key, int scope)
{
	if (m->any && slice_eq(buf_slice(&m->last), key)) {
		m->exact = m->exact && scope == EXACT;
		return;
	}
	buf_reset(&m->before);
	buf_add_slice(&m->before, buf_slice(&m->last));
	m->any_before = m->any;
	buf_reset(&m->last);
	buf_add_slice(&m->last, key);
	m->any = true;
	m->exact = scope == EXACT;
}

/* A part of what a row of KEY and SCOPE says is marked. */
static bool
is_marked(const struct marks *m, struct slice key, int scope)
{
	struct slice last = buf_slice(&m->last), before = buf_slice(&m->before);
	bool here = m->any && slice_eq(last, key);

	if (scope == EXACT)
		return here;
	if (here && (scope == DOMAIN || !m->exact))
		return true;
	return here ? m->any_before && slice_starts(before, key) : m->any && slice_starts(last, key);
}

static int
keep(struct export *e, struct sorter *kept, struct marks *m, struct slice record)
{
	struct slice key, rest;

	slice_cut(record, (char)END_TURNED, &key, &rest);
	if (rest.len < 3)
		return 0;
	if (rest.p[0] == MARK) {
		note_mark(m, key, rest.p[1]);
		return m->last.failed || m->before.failed ? (errno = ENOMEM, -1) : 0;
	}
	/* An allow within an allow, or a block within a block, takes nothing away. */
	if (rest.p[2] != (e->o->allow ? 'b' : 'a') && is_marked(m, key, rest.p[1])) {
		e->counts->left[EXPORT_WIDER]++;
		return 0;
	}
	buf_reset(&e->row);
	buf_add_slice(&e->row, key);
	for (size_t i = 0; i < e->row.len; i++)
		e->row.p[i] = (char)~(unsigned char)e->row.p[i];
	buf_add_char(&e->row, '\0');
	buf_add_slice(&e->row, slice_skip(rest, 1));
	return e->row.failed ? (errno = ENOMEM, -1) : sorter_add(kept, buf_slice(&e->row));
}

int
export_keep_names(struct export *e, struct sorter *kept)
{
	struct marks m = { .any = false };
	struct slice record;
	int r;

	buf_init(&m.last, HOST_MAX * 2);
	buf_init(&m.before, HOST_MAX * 2);
	while ((r = sorter_next(e->sorter, &record)) == 1)
		if ((r = keep(e, kept, &m, record)) != 0)
			break;
	buf_fini(&m.last);
	buf_fini(&m.before);
	return r != 0 ? -1 : sorter_sort(kept);
}
