#include "ruleset/site_file.h"

#include <errno.h>

#include "base/file.h"
#include "runtime/state.h"
#include "templates/page_markup.h"

enum { SITE_MAX = 1 << 20 };

/* The last line of TEXT that sets the option NAME; 0. */
static unsigned
line_of(struct slice text, const char *name)
{
	const struct option *row = option_find(site_options, site_options_n, slice_str(name));
	unsigned found = 0;
	struct slice line;

	for (unsigned n = 1; text.len > 0; n++) {
		size_t end = 0;

		slice_cut(text, '\n', &line, &text);
		line = slice_trim(line);
		while (end < line.len && !ascii_is_space(line.p[end]) && line.p[end] != '=')
			end++;
		if (end > 0 && option_find(site_options, site_options_n, slice_head(line, end)) == row)
			found = n;
	}
	return found;
}

/* The option says what pages can have in a link. */
static int
check_mistake_link(const struct site *site, const char *path, struct slice text, struct diag *diag)
{
	const char *fault = *site->mistake_link == '\0' ? NULL : page_mistake_fault(slice_str(site->mistake_link));

	if (fault == NULL)
		return 0;
	diag_add(diag, DIAG_ERROR, path, line_of(text, "mistake_link"), 1, "MistakeLink: %s", fault);
	return -1;
}

int
site_load(const char *state, struct site *out, struct diag *diag)
{
	char path[STATE_PATH];
	struct buf text;
	int r = 0;

	if (option_defaults(site_options, site_options_n, out) == -1) {
		diag_error(diag, "out of memory");
		return -1;
	}
	if (state_path(state, STATE_SITE, path) == -1) {
		diag_error(diag, "%s/" STATE_SITE ": %s", state, strerror(errno));
		return -1;
	}
	buf_init(&text, SITE_MAX);
	if (file_read(path, &text) == 0)
		r = option_parse(site_options, site_options_n, out, path, buf_slice(&text), diag);
	else if (errno != ENOENT) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
		r = -1;
	}
	if (check_mistake_link(out, path, buf_slice(&text), diag) == -1)
		r = -1;
	buf_fini(&text);
	return r;
}
