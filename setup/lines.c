#include "setup/lines.h"

#include <stdlib.h>

#include "setup/array.h"
#include "setup/marks.h"

static void
add(struct line_edits *e, struct line_edit edit, const char *text)
{
	struct line_edit *place = array_add(&e->v, &e->n, sizeof(*place));

	if (place == NULL || (edit.text = strdup(text)) == NULL)
		e->failed = true;
	if (place != NULL)
		*place = edit;
}

void
lines_replace(struct line_edits *e, const struct conf *conf, const struct directive *d, const char *text)
{
	add(e, (struct line_edit){ .conf = conf, .file = d->file, .line = d->line, .n_old = d->n_lines }, text);
}

void
lines_append(struct line_edits *e, const struct conf *conf, size_t file, const char *text)
{
	add(e, (struct line_edit){ .conf = conf, .file = file, .line = LINES_END }, text);
}

static int
by_line(const void *a, const void *b)
{
	const struct line_edit *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

/* Take N lines off *REST. */
static struct slice
take_lines(struct slice *rest, unsigned n)
{
	size_t len = 0;

	for (; n > 0 && len < rest->len; n--)
		len += slice_find(slice_skip(*rest, len), '\n') + 1;
	return slice_take(rest, len);
}

int
lines_apply(struct line_edits *e, const struct conf *conf, size_t file, struct buf *out)
{
	struct slice rest = buf_slice(&conf->files[file].text);
	unsigned at = 1;

	if (e->n > 0)
		qsort(e->v, e->n, sizeof(e->v[0]), by_line);
	for (size_t i = 0; i < e->n; i++) {
		const struct line_edit *edit = &e->v[i];

		if (edit->conf != conf || edit->file != file || edit->line < at)
			continue;
		buf_add_slice(out, take_lines(&rest, edit->line - at));
		marks_add(out, take_lines(&rest, edit->n_old), slice_str(edit->text));
		at = edit->line + edit->n_old;
	}
	buf_add_slice(out, rest);
	return e->failed || out->failed ? -1 : 0;
}

void
lines_fini(struct line_edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].text);
	free(e->v);
	*e = (struct line_edits){ .v = NULL };
}
