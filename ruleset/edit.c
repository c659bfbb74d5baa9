#include "ruleset/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/source.h"

enum { MODE_SOURCE = 0664, ACCESS_BITS = 0777 };
#define SOURCE_TEXT_MAX	((size_t)256 << 20)	/* what a person edits */

int
edit_open(struct edit *e, const char *sources, struct slice name, struct diag *diag)
{
	char *real;
	struct stat st;

	*e = (struct edit){ .name = name, .mode = MODE_SOURCE };
	buf_init(&e->before, SOURCE_TEXT_MAX);
	buf_init(&e->after, 2 * SOURCE_TEXT_MAX);
	if (asprintf(&e->path, "%s/%.*s.rules", sources, SLICE_ARGS(name)) == -1) {
		e->path = NULL;
		diag_error(diag, "out of memory");
		return -1;
	}
	/* Of a link the file is replaced, not the link. */
	if ((real = realpath(e->path, NULL)) != NULL) {
		free(e->path);
		e->path = real;
		if (stat(real, &st) == 0)
			e->mode = st.st_mode & ACCESS_BITS;
	}
	if (file_read(e->path, &e->before) == -1) {
		e->is_new = errno == ENOENT;
		if (!e->is_new) {
			diag_add(diag, DIAG_ERROR, e->path, 0, 0, "%s", strerror(errno));
			return -1;
		}
	}
	buf_add_slice(&e->after, buf_slice(&e->before));
	if (e->after.len > 0 && e->after.p[e->after.len - 1] != '\n')
		buf_add_char(&e->after, '\n');
	return 0;
}

void
edit_fini(struct edit *e)
{
	buf_fini(&e->before);
	buf_fini(&e->after);
	free(e->path);
}

/* A removal while the text is read. */
struct removal {
	enum rule_action action;
	enum rule_kind	 kind;
	struct slice	 value, id;
	struct buf	 canonical;
	unsigned	*lines;		/* that go */
	size_t		 n;
	uint32_t	 rev;
	bool		 failed;
};

static int
visit(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct removal *r = arg;
	unsigned *grown;
	bool same_value;

	buf_reset(&r->canonical);
	same_value = rule->kind == r->kind && r->value.len > 0 && rule_match_format(rule->kind, match, &r->canonical) == 0 &&
	    slice_eq(buf_slice(&r->canonical), r->value);
	if (rule->action != r->action || !(same_value || (r->id.len > 0 && slice_eq(rule->id, r->id))))
		return 0;
	if (same_value && rule->rev > r->rev)
		r->rev = rule->rev;
	if ((grown = realloc(r->lines, (r->n + 1) * sizeof(*grown))) == NULL) {
		r->failed = true;
		return 1;
	}
	r->lines = grown;
	grown[r->n++] = line;
	return 0;
}

/* Write the text anew with R's lines as comments. */
static void
comment_out(struct edit *e, const struct removal *r, int64_t now)
{
	struct slice rest = buf_slice(&e->after), line;
	struct buf text;
	char date[CLOCK_TEXT];
	size_t next = 0;

	clock_format_s(now, date);
	buf_init(&text, 2 * SOURCE_TEXT_MAX);
	for (unsigned number = 1; rest.len > 0; number++) {
		slice_cut(rest, '\n', &line, &rest);
		if (next < r->n && r->lines[next] == number) {
			buf_add_strs(&text, "# removed ", date, ": ", NULL);
			next++;
		}
		buf_add_slice(&text, line);
		buf_add_char(&text, '\n');
	}
	buf_fini(&e->after);
	e->after = text;
}

size_t
edit_remove(struct edit *e, enum rule_action action, enum rule_kind kind, struct slice value, struct slice id, int64_t now,
    uint32_t *rev)
{
	struct removal r = { .action = action, .kind = kind, .value = value, .id = id };
	struct source_defaults defaults = { .now = now };

	buf_init(&r.canonical, SIZE_MAX / 2);
	source_parse(e->path, e->name, buf_slice(&e->after), &defaults, visit, &r, NULL);
	if (r.failed)
		e->after.failed = true;
	else if (r.n > 0)
		comment_out(e, &r, now);
	*rev = r.rev;
	buf_fini(&r.canonical);
	free(r.lines);
	return r.n;
}

int
edit_add(struct edit *e, const struct rule *rule)
{
	return source_format(rule, &e->after);
}

static int
write_text(const struct edit *e, const struct buf *text, struct diag *diag)
{
	if (!text->failed && file_write(e->path, buf_slice(text), e->mode) == 0)
		return 0;
	diag_add(diag, DIAG_ERROR, e->path, 0, 0, "%s", text->failed ? "out of memory" : strerror(errno));
	return -1;
}

int
edit_write(const struct edit *e, struct diag *diag)
{
	return write_text(e, &e->after, diag);
}

int
edit_undo(const struct edit *e, struct diag *diag)
{
	if (!e->is_new)
		return write_text(e, &e->before, diag);
	if (unlink(e->path) == 0)
		return 0;
	diag_add(diag, DIAG_ERROR, e->path, 0, 0, "%s", strerror(errno));
	return -1;
}
