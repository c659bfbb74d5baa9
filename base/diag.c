#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/buf.h"

enum { TEXT_MAX = 4096 };

void
diag_init(struct diag *d)
{
	*d = (struct diag){ 0 };
}

void
diag_fini(struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].file);
		free(d->v[i].text);
	}
	free(d->v);
	diag_init(d);
}

static int
grow(struct diag *d)
{
	size_t cap = d->cap > 0 ? d->cap * 2 : 8;
	struct diag_entry *v;

	if (d->n >= DIAG_MAX)
		return -1;
	if (d->n < d->cap)
		return 0;
	if ((v = realloc(d->v, cap * sizeof(*v))) == NULL)
		return -1;
	d->v = v;
	d->cap = cap;
	return 0;
}

static char *
escaped_copy(const char *raw)
{
	struct buf b;

	buf_init(&b, 4 * TEXT_MAX);
	buf_add_utf8(&b, slice_str(raw));
	buf_add(&b, "", 0);
	return b.p;
}

void
diag_add(struct diag *d, enum diag_level level, const char *file, unsigned line, unsigned col,
    const char *fmt, ...)
{
	char raw[TEXT_MAX];
	struct diag_entry e = { .level = level, .line = line, .col = col };
	va_list ap;

	if (d == NULL)
		return;
	d->n_errors += level == DIAG_ERROR;
	d->n_warnings += level == DIAG_WARNING;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (grow(d) == -1 || (e.text = escaped_copy(raw)) == NULL) {
		d->lost++;
		return;
	}
	if (file != NULL)
		e.file = escaped_copy(file);
	d->v[d->n++] = e;
}

void
diag_append(struct diag *to, struct diag *from)
{
	size_t n = 0;

	while (to != NULL && n < from->n && grow(to) == 0) {
		to->v[to->n++] = from->v[n];
		from->v[n++] = (struct diag_entry){ .file = NULL };
	}
	if (to != NULL) {
		to->n_errors += from->n_errors;
		to->n_warnings += from->n_warnings;
		to->lost += from->lost + from->n - n;
	}
	diag_fini(from);
}

const char *
diag_level_name(enum diag_level level)
{
	static const char *const words[] = { "error", "warning", "note" };

	return words[level];
}

void
diag_format(const struct diag_entry *e, char *out, size_t size)
{
	if (e->file == NULL)
		snprintf(out, size, "%s: %s", diag_level_name(e->level), e->text);
	else if (e->line == 0)
		snprintf(out, size, "%s: %s: %s", e->file, diag_level_name(e->level), e->text);
	else if (e->col == 0)
		snprintf(out, size, "%s:%u: %s: %s", e->file, e->line, diag_level_name(e->level), e->text);
	else
		snprintf(out, size, "%s:%u:%u: %s: %s", e->file, e->line, e->col,
		    diag_level_name(e->level), e->text);
}

void
diag_print(const struct diag *d, FILE *f)
{
	char line[5 * TEXT_MAX];

	for (size_t i = 0; i < d->n; i++) {
		diag_format(&d->v[i], line, sizeof(line));
		fprintf(f, "%s\n", line);
	}
	if (d->lost > 0)
		fprintf(f, "note: %zu more findings are not shown\n", d->lost);
}

const char *
diag_first_error(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].level == DIAG_ERROR)
			return d->v[i].text;
	return "no error";
}
