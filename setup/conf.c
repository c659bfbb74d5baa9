#include "setup/conf.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "setup/array.h"
#include "setup/marks.h"

/* One reading: the files that are open are those on the way to the deepest. */
struct reading {
	struct conf	*conf;
	enum conf_whose	 whose;
	const char	*root;
	char		*folder;	/* of the main file */
	unsigned	 depth;
	unsigned	 conditions;	/* how many "if" are open */
	size_t		 by;		/* the main file's directive that we are below */
	struct diag	*diag;
};

static int read_one(struct reading *r, const char *path);

struct slice
conf_word(const struct directive *d, size_t i)
{
	return i < d->n_words ? d->words[i] : (struct slice){ 0 };
}

const struct directive *
conf_last(const struct conf *conf, const char *name)
{
	for (size_t i = conf->n; i > 0; i--)
		if (slice_eq(conf->v[i - 1].words[0], slice_str(name)))
			return &conf->v[i - 1];
	return NULL;
}

void
conf_place(const struct conf *conf, const struct directive *d, char out[static CONF_PLACE])
{
	snprintf(out, CONF_PLACE, "%s:%u", conf->files[d->file].path, d->line);
}

/* ---- words ---- */

/* The word that TEXT, which does not begin with a blank, begins with; what follows goes to *REST.  A quoted one loses its quotes.
 * */
static struct slice
cut_word(struct slice text, struct slice *rest)
{
	char quote = text.p[0] == '"' || text.p[0] == '\'' ? text.p[0] : '\0';
	size_t n = 0;

	if (quote != '\0') {
		for (n = 1; n < text.len && text.p[n] != quote; n++)
			if (text.p[n] == '\\' && n + 1 < text.len)
				n++;
		*rest = slice_skip(text, n + 1);
		return slice_head(slice_skip(text, 1), (n < text.len ? n : text.len) - 1);
	}
	while (n < text.len && !ascii_is_space(text.p[n]))
		n++;
	*rest = slice_skip(text, n);
	return slice_head(text, n);
}

static int
split(struct directive *d)
{
	struct slice rest = slice_trim(slice_str(d->text)), *word;

	while (rest.len > 0 && rest.p[0] != '#') {
		if ((word = array_add(&d->words, &d->n_words, sizeof(*word))) == NULL)
			return -1;
		*word = cut_word(rest, &rest);
		rest = slice_trim(rest);
	}
	return 0;
}

static int
out_of_memory(struct reading *r)
{
	diag_error(r->diag, "%s", strerror(ENOMEM));
	return -1;
}

/* ---- includes ---- */

static bool
is_include(const struct reading *r, const struct directive *d)
{
	return slice_eq(d->words[0], r->conf->dialect == CONF_SQUID ? SLICE("include") : SLICE("Include"));
}

/* What WORD names, as it is opened.  The caller's; NULL without memory. */
static char *
included_path(const struct reading *r, struct slice word)
{
	char *path = NULL;
	int n;

	if (slice_starts(word, SLICE("/")))
		n = asprintf(&path, "%s%.*s", r->root, SLICE_ARGS(word));
	else
		n = asprintf(&path, "%s/%.*s", r->folder, SLICE_ARGS(word));
	return n == -1 ? NULL : path;
}

/* Read all that PATTERN names, in order.  A pattern that fits nothing is left to the daemon to judge, but a plain name is not: it
 * could not be copied for a trial. */
static int
read_pattern(struct reading *r, const struct directive *d, struct slice pattern)
{
	char *path = included_path(r, pattern), place[CONF_PLACE];
	bool plain = slice_find(pattern, '*') == pattern.len && slice_find(pattern, '?') == pattern.len &&
	    slice_find(pattern, '[') == pattern.len;
	glob_t found = { 0 };
	int result = 0;

	conf_place(r->conf, d, place);
	if (path == NULL)
		return out_of_memory(r);
	if (plain) {
		if (access(path, R_OK) == 0) {
			result = read_one(r, path);
		} else {
			diag_error(r->diag, "%s: includes %s: %s", place, path, strerror(errno));
			result = -1;
		}
	} else if (glob(path, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && result == 0; i++)
			result = read_one(r, found.gl_pathv[i]);
	}
	globfree(&found);
	free(path);
	return result;
}

static int
follow(struct reading *r, size_t at)
{
	struct conf *conf = r->conf;
	size_t n_words = conf->v[at].n_words, by = r->by;
	int result = 0;

	if (conf->v[at].file == 0)
		r->by = at;
	/* The array moves while it grows: words are looked up anew each time. */
	for (size_t i = 1; i < n_words && result == 0; i++) {
		struct directive d = conf->v[at];

		result = read_pattern(r, &d, conf_word(&d, i));
	}
	r->by = by;
	return result;
}

/* ---- lines ---- */

static void
note_condition(struct reading *r, const struct directive *d)
{
	if (r->conf->dialect != CONF_SQUID)
		return;
	if (slice_eq(d->words[0], SLICE("if")))
		r->conditions++;
	else if (slice_eq(d->words[0], SLICE("endif")) && r->conditions > 0)
		r->conditions--;
}

/* TEXT, taken over, is the directive of file FILE that begins at LINE. */
static int
add_directive(struct reading *r, size_t file, unsigned line, unsigned n_lines, char *text)
{
	struct conf *conf = r->conf;
	struct directive d = { .file = file, .line = line, .n_lines = n_lines, .text = text, .conditional = r->conditions > 0 }, *place;

	if (split(&d) == -1 || (d.n_words > 0 && (place = array_add(&conf->v, &conf->n, sizeof(*place))) == NULL)) {
		free(d.words);
		free(text);
		return out_of_memory(r);
	}
	if (d.n_words == 0) {
		free(text);
		return 0;
	}
	*place = d;
	note_condition(r, &d);
	return is_include(r, &d) ? follow(r, conf->n - 1) : 0;
}

/* S, which the caller reads on as one line, goes on in the next one. */
static bool
continues(struct slice s)
{
	return s.len > 0 && s.p[s.len - 1] == '\\';
}

static int
read_lines(struct reading *r, size_t file)
{
	struct slice rest = buf_slice(&r->conf->files[file].text), line;
	unsigned number = 0, first;
	struct buf joined;
	char *text;
	int result = 0;

	buf_init(&joined, CONF_FILE_MAX);
	while (rest.len > 0 && result == 0) {
		buf_reset(&joined);
		first = ++number;
		for (;;) {
			slice_cut(rest, '\n', &line, &rest);
			if (slice_ends(line, SLICE("\r")))
				line = slice_head(line, line.len - 1);
			if (!continues(line) || rest.len == 0)
				break;
			buf_add_slice(&joined, slice_head(line, line.len - 1));
			number++;
		}
		buf_add_slice(&joined, line);
		text = slice_dup(buf_slice(&joined));
		result = text == NULL || joined.failed ? out_of_memory(r) : add_directive(r, file, first, number - first + 1, text);
	}
	buf_fini(&joined);
	return result;
}

/* Take the file PATH in, without what setup wrote.  -1 with an error in DIAG. */
static int
take_file(struct reading *r, const char *path)
{
	struct conf *conf = r->conf;
	struct conf_file *file;

	if (conf->n_files == CONF_FILES_MAX || (file = array_add(&conf->files, &conf->n_files, sizeof(*file))) == NULL) {
		diag_error(r->diag, "%s: over %d files", path, CONF_FILES_MAX);
		return -1;
	}
	buf_init(&file->now, CONF_FILE_MAX);
	buf_init(&file->text, CONF_FILE_MAX);
	file->included_by = r->by;
	if ((file->path = realpath(path, NULL)) == NULL || file_read(file->path, &file->now) == -1) {
		diag_error(r->diag, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (memchr(file->now.p == NULL ? "" : file->now.p, '\0', file->now.len) != NULL) {
		diag_error(r->diag, "%s: is no text", path);
		return -1;
	}
	if (r->whose == CONF_ALL)
		buf_add_slice(&file->text, buf_slice(&file->now));
	else
		marks_remove(buf_slice(&file->now), &file->text);
	return file->text.failed ? out_of_memory(r) : 0;
}

static int
read_one(struct reading *r, const char *path)
{
	int result;

	if (r->depth == CONF_DEPTH_MAX) {
		diag_error(r->diag, "%s: files include each other over %d deep", path, CONF_DEPTH_MAX);
		return -1;
	}
	r->depth++;
	result = take_file(r, path) == -1 ? -1 : read_lines(r, r->conf->n_files - 1);
	r->depth--;
	return result;
}

int
conf_read(struct conf *conf, enum conf_dialect dialect, enum conf_whose whose, const char *path, const char *root,
    struct diag *diag)
{
	struct reading r = { .conf = conf, .whose = whose, .root = root, .by = CONF_TOP, .diag = diag };
	const char *slash = strrchr(path, '/');
	int result;

	*conf = (struct conf){ .dialect = dialect };
	if ((r.folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path))) == NULL)
		return out_of_memory(&r);
	result = read_one(&r, path);
	free(r.folder);
	return result;
}

void
conf_fini(struct conf *conf)
{
	for (size_t i = 0; i < conf->n_files; i++) {
		free(conf->files[i].path);
		buf_fini(&conf->files[i].now);
		buf_fini(&conf->files[i].text);
	}
	for (size_t i = 0; i < conf->n; i++) {
		free(conf->v[i].text);
		free(conf->v[i].words);
	}
	free(conf->files);
	free(conf->v);
	*conf = (struct conf){ .files = NULL };
}
