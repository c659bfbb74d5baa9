#include "feeds/feed_list.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/source.h"

enum { CONF_MAX = 1 << 20 };

/* While sources.conf is read. */
struct reader {
	const char		*state;
	struct feed_list	*out;
	struct diag		*diag;
};

static int
no_memory(struct reader *r)
{
	diag_error(r->diag, "out of memory");
	return -1;
}

static int
set_path(struct reader *r, struct feed_item *f)
{
	char file[STATE_PATH];
	struct stat st;

	snprintf(file, sizeof(file), STATE_SOURCES "/%s" FEED_FILE_END, f->name);
	if (state_path(r->state, file, f->path) == -1) {
		diag_add(r->diag, DIAG_ERROR, r->state, 0, 0, "%s", strerror(errno));
		return -1;
	}
	f->written = stat(f->path, &st) == 0 ? st.st_mtim.tv_sec : 0;
	return 0;
}

static int
set_name(struct reader *r, struct feed_item *f, struct slice name)
{
	const char *wrong = NULL;

	if (!source_name_ok(name) || name.p[0] == '.')
		wrong = "the source's name must be up to 64 letters, digits, '-', '_' and '.', and not begin with a dot";
	else if (feed_list_find(r->out, name) != NULL)
		wrong = "a source stands here twice";
	if (wrong != NULL)
		diag_add(r->diag, DIAG_ERROR, r->out->conf, f->line, 1, "%s: \"%.*s\"", wrong, SLICE_ARGS(slice_head(name, 100)));
	else
		snprintf(f->name, sizeof(f->name), "%.*s", SLICE_ARGS(name));
	return wrong == NULL ? 0 : -1;
}

static void
free_item(struct feed_item *f)
{
	feed_settings_fini(&f->read);
	free(f);
}

/* Take WHOLE, line NUMBER, in when it has an origin.  -1 with errors. */
static int
read_line(struct reader *r, struct slice whole, unsigned number)
{
	struct slice line = slice_trim(whole);
	struct feed_item *f;
	size_t end = 0;
	int result;

	while (end < line.len && !ascii_is_space(line.p[end]))
		end++;
	if (line.len == 0 || line.p[0] == '#')
		return 0;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return no_memory(r);
	f->settings = slice_trim(slice_skip(line, end));
	f->line = number;
	f->col = (unsigned)(f->settings.p - whole.p) + 1;
	result = feed_settings_read(&f->read, r->out->conf, number, f->col, f->settings, r->diag);
	if (result == 0 && *f->read.origin.origin != '\0' && (result = set_name(r, f, slice_head(line, end))) == 0 &&
	    (result = set_path(r, f)) == 0) {
		feed_state_load(r->state, f->name, &f->state);
		r->out->v[r->out->n++] = f;
		return 0;
	}
	free_item(f);
	return result;
}

static int
read_lines(struct reader *r)
{
	struct slice rest = buf_slice(&r->out->text), line;
	size_t lines = 1;
	int result = 0;

	for (size_t i = 0; i < rest.len; i++)
		lines += rest.p[i] == '\n';
	if ((r->out->v = calloc(lines, sizeof(*r->out->v))) == NULL)
		return no_memory(r);
	for (unsigned number = 1; rest.len > 0; number++) {
		slice_cut(rest, '\n', &line, &rest);
		if (read_line(r, line, number) == -1)
			result = -1;
	}
	return result;
}

int
feed_list_read(const char *state, struct feed_list *out, struct diag *diag)
{
	struct reader r = { state, out, diag };

	*out = (struct feed_list){ .v = NULL };
	buf_init(&out->text, CONF_MAX);
	if (state_path(state, STATE_SETTINGS, out->conf) == 0 && (file_read(out->conf, &out->text) == 0 || errno == ENOENT))
		return read_lines(&r);
	diag_add(diag, DIAG_ERROR, out->conf, 0, 0, "%s", strerror(errno));
	return -1;
}

void
feed_list_free(struct feed_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free_item(list->v[i]);
	free(list->v);
	buf_fini(&list->text);
	list->v = NULL;
	list->n = 0;
}

const struct feed_item *
feed_list_find(const struct feed_list *list, struct slice name)
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_eq(slice_str(list->v[i]->name), name))
			return list->v[i];
	return NULL;
}

int64_t
feed_item_ends(const struct feed_item *f)
{
	return f->written == 0 || !f->read.has_life || f->read.life == 0 ? 0 : f->written + f->read.life;
}
