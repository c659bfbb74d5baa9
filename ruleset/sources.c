#include "ruleset/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/line_file.h"
#include "base/siphash.h"
#include "ruleset/source_line.h"

#define RULES_END	".rules"

/* Files up to SMALL are known by their content: within one tick of the clock they can change twice. */
enum { SMALL = 1 << 20, CONF_MAX = 1 << 20 };

static const uint8_t stamp_key[SIPHASH_KEY] = "firebreak stamp";

/* ---- stamps ---- */

/* Mix what tells one state of the file at PATH from another into *STAMP.  -1 with errno. */
static int
add_stamp(const char *path, const struct stat *st, uint64_t *stamp)
{
	struct { int64_t size, seconds, nanoseconds, change_s, change_ns; uint64_t inode, content, before; } what = {
		.size = st->st_size, .seconds = st->st_mtim.tv_sec, .before = *stamp,
	};
	struct buf text;
	int r = 0;

	if (st->st_size <= SMALL) {
		buf_init(&text, 2 * SMALL);
		if ((r = file_read(path, &text)) == 0)
			what.content = siphash(stamp_key, buf_slice(&text));
		buf_fini(&text);
	} else {
		what.nanoseconds = st->st_mtim.tv_nsec;
		what.change_s = st->st_ctim.tv_sec;
		what.change_ns = st->st_ctim.tv_nsec;
		what.inode = st->st_ino;
	}
	*stamp = siphash(stamp_key, slice_make((const char *)&what, sizeof(what)));
	return r;
}

static int look_at(const char *path, struct source_file *out);

/* Look at every file of the folder at PATH. */
static int
look_into(const char *path, struct source_file *out)
{
	struct dirent **members;
	int n = scandir(path, &members, file_is_visible, alphasort), r = 0;

	if (n == -1)
		return -1;
	for (int i = 0; i < n; i++) {
		char *member = file_join(path, members[i]->d_name);
		struct stat st;

		if (member == NULL || stat(member, &st) == -1)
			r = -1;
		else if (S_ISREG(st.st_mode)) {
			out->stamp ^= siphash(stamp_key, slice_str(members[i]->d_name));
			if (look_at(member, out) == -1)
				r = -1;
		}
		free(member);
		free(members[i]);
	}
	free(members);
	return r;
}

/* Add what is at PATH to OUT's stamp, size and date.  A fifo would be waited for, with the lock held; a device may have no end:
 * EINVAL. */
static int
look_at(const char *path, struct source_file *out)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return look_into(path, out);
	if (!S_ISREG(st.st_mode))
		return errno = EINVAL, -1;
	out->size += (uint64_t)st.st_size;
	out->written = st.st_mtim.tv_sec > out->written ? st.st_mtim.tv_sec : out->written;
	return add_stamp(path, &st, &out->stamp);
}

/* What FILE is now, into the stamp of OUT and the others; its name and settings are those of FILE. */
static int
look_again(const struct source_file *file, struct source_file *out)
{
	*out = *file;
	out->size = 0;
	out->written = 0;
	out->stamp = siphash(stamp_key, file->settings);
	if (look_at(file->path, out) == -1)
		return -1;
	out->stamp += out->stamp == 0;
	return 0;
}

/* ---- settings ---- */

/* While sources are listed. */
struct listing {
	const char			*dir;
	const struct source_formats	*formats;
	struct slice			 only;		/* the one name that is wanted, or empty */
	int64_t				 now;
	struct source_list		*out;
	struct diag			*diag;
};

static int
no_memory(struct listing *l)
{
	diag_error(l->diag, "out of memory");
	return -1;
}

static int
read_conf(struct listing *l, const char *conf)
{
	if ((l->out->conf_path = strdup(conf)) == NULL)
		return no_memory(l);
	if (file_read(conf, &l->out->conf) == 0 || errno == ENOENT)
		return 0;
	diag_add(l->diag, DIAG_ERROR, conf, 0, 0, "%s", strerror(errno));
	return -1;
}

/* Find the line of sources.conf, "NAME key=value ...", that is about F.  -1 when there are two. */
static int
find_settings(struct listing *l, struct source_file *f)
{
	struct slice rest = buf_slice(&l->out->conf), whole, line;

	for (unsigned number = 1; rest.len > 0; number++) {
		size_t end = 0;

		slice_cut(rest, '\n', &whole, &rest);
		line = slice_trim(whole);
		while (end < line.len && !ascii_is_space(line.p[end]))
			end++;
		if (!slice_eq(slice_head(line, end), f->name))
			continue;
		if (f->settings_line != 0) {
			diag_add(l->diag, DIAG_ERROR, l->out->conf_path, number, 0, "%.*s stands here twice", SLICE_ARGS(f->name));
			return -1;
		}
		f->settings = slice_trim(slice_skip(line, end));
		f->settings_line = number;
		f->settings_col = (unsigned)(f->settings.p - whole.p) + 1;
	}
	if (!f->is_rules || f->settings_line == 0)
		return 0;
	diag_add(l->diag, DIAG_ERROR, l->out->conf_path, f->settings_line, 0, "%.*s is a file of rules, which say all of it themselves",
	    SLICE_ARGS(f->name));
	return -1;
}

/* ---- listing ---- */

/* FILE without its extension. */
static size_t
name_len(struct slice file)
{
	size_t n = file.len;

	while (n > 1 && file.p[n - 1] != '.')
		n--;
	return n > 1 ? n - 1 : file.len;
}

/* The file that was taken in last is none. */
static int
pass_over(struct listing *l)
{
	free(l->out->files[--l->out->n].path);
	return 0;
}

/* Take the file or folder NAME in, unless nobody knows what it is. */
static int
list_file(struct listing *l, const char *name)
{
	struct source_file *f = &l->out->files[l->out->n];
	struct slice s = slice_str(name);
	struct stat st;
	bool is_folder;

	*f = (struct source_file){ .path = file_join(l->dir, name) };
	if (f->path == NULL)
		return no_memory(l);
	l->out->n++;
	is_folder = stat(f->path, &st) == 0 && S_ISDIR(st.st_mode);
	f->is_rules = slice_ends(s, SLICE(RULES_END)) && s.len > strlen(RULES_END);
	f->name = slice_make(f->path + strlen(l->dir) + 1, is_folder && !f->is_rules ? s.len : name_len(s));
	if (l->only.len > 0 && !slice_eq(f->name, l->only))
		return pass_over(l);
	if (find_settings(l, f) == -1)
		return -1;
	if (f->is_rules && is_folder) {
		diag_add(l->diag, DIAG_ERROR, f->path, 0, 0, "not a file");
		return -1;
	}
	if (f->is_rules || (l->formats != NULL && (l->formats->knows(f->path, is_folder) ||
	    slice_search(f->settings, SLICE("format=")) < f->settings.len))) {
		if (f->is_rules || source_name_ok(f->name))
			return 0;
		diag_add(l->diag, DIAG_ERROR, f->path, 0, 0, "the source's name must be up to 64 letters, digits, '-', '_' and '.'");
		return -1;
	}
	diag_add(l->diag, DIAG_WARNING, f->path, 0, 0, "is passed over: its name tells no format; feeds(5) has the names");
	return pass_over(l);
}

static int
compare_files(const void *a, const void *b)
{
	const struct source_file *x = a, *y = b;
	int c = slice_cmp(x->name, y->name);

	return c != 0 ? c : strcmp(x->path, y->path);
}

static int
list_files(struct listing *l)
{
	struct dirent **names;
	int n = scandir(l->dir, &names, file_is_visible, alphasort), result = 0;

	if (n == -1 && errno == ENOENT)
		return 0;
	if (n == -1) {
		diag_add(l->diag, DIAG_ERROR, l->dir, 0, 0, "%s", strerror(errno));
		return -1;
	}
	if ((l->out->files = calloc((size_t)n + 1, sizeof(*l->out->files))) == NULL)
		result = no_memory(l);
	for (int i = 0; i < n; i++) {
		if (l->out->files != NULL && list_file(l, names[i]->d_name) == -1)
			result = -1;
		free(names[i]);
	}
	free(names);
	if (l->out->n > 1)
		qsort(l->out->files, l->out->n, sizeof(*l->out->files), compare_files);
	for (size_t i = 1; i < l->out->n; i++)
		if (slice_eq(l->out->files[i].name, l->out->files[i - 1].name)) {
			diag_add(l->diag, DIAG_ERROR, l->out->files[i].path, 0, 0, "is the source %.*s, and so is %s: rename one",
			    SLICE_ARGS(l->out->files[i].name), l->out->files[i - 1].path);
			result = -1;
		}
	return result;
}

/* A line of sources.conf about a source that is not there does nothing: a slip of the pen, mostly.  Those that are fetched come. */
static void
warn_of_absent(struct listing *l)
{
	struct slice rest = buf_slice(&l->out->conf), line;

	for (unsigned number = 1; rest.len > 0; number++) {
		size_t end = 0, i = 0;

		slice_cut(rest, '\n', &line, &rest);
		line = slice_trim(line);
		while (end < line.len && !ascii_is_space(line.p[end]))
			end++;
		while (i < l->out->n && !slice_eq(l->out->files[i].name, slice_head(line, end)))
			i++;
		if (line.len > 0 && line.p[0] != '#' && i == l->out->n && slice_search(line, SLICE("origin=")) == line.len)
			diag_add(l->diag, DIAG_WARNING, l->out->conf_path, number, 0, "there is no source %.*s", SLICE_ARGS(slice_head(line, end)));
	}
}

int
source_list_read(const char *dir, const char *conf, const struct source_formats *formats, struct slice only, int64_t now,
    struct source_list *out, struct diag *diag)
{
	struct listing l = { dir, formats, only, now, out, diag };
	int result;

	*out = (struct source_list){ 0 };
	buf_init(&out->conf, CONF_MAX);
	result = read_conf(&l, conf) == -1 ? -1 : list_files(&l);
	if (result == 0 && only.len == 0)
		warn_of_absent(&l);
	for (size_t i = 0; i < out->n; i++) {
		struct source_file seen;

		if (look_again(&out->files[i], &seen) == -1) {
			diag_add(diag, DIAG_ERROR, out->files[i].path, 0, 0, "%s", errno == EINVAL ? "not a file" : strerror(errno));
			result = -1;
		}
		out->files[i] = seen;
		if (seen.written > now)
			out->files[i].written = now;
	}
	return result;
}

void
source_list_free(struct source_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->files[i].path);
	free(list->files);
	free(list->conf_path);
	buf_fini(&list->conf);
	*list = (struct source_list){ 0 };
}

/* ---- reading ---- */

struct reading {
	struct source_reader	*reader;
	struct slice		 word;		/* that a line must begin with, or empty */
};

static int
read_line(void *arg, struct slice line)
{
	struct reading *r = arg;

	if (r->word.len > 0 && !slice_starts(slice_trim(line), r->word))
		return 0;
	return source_reader_line(r->reader, line);
}

static int
read_rules(const struct source_file *file, struct slice word, const struct source_defaults *defaults, source_visit *visit,
    void *arg, struct diag *diag)
{
	struct reading r = { source_reader_new(file->path, file->name, defaults, visit, arg, diag), word };
	int fd = open(file->path, O_RDONLY | O_CLOEXEC), result = -1, end;

	if (r.reader == NULL)
		diag_add(diag, DIAG_ERROR, file->path, 0, 0, "out of memory");
	else if (fd == -1 || (result = line_file_read(fd, SOURCE_LINE_MAX, read_line, &r)) == -1)
		diag_add(diag, DIAG_ERROR, file->path, 0, 0, "%s", strerror(errno));
	if (fd != -1)
		close(fd);
	if (r.reader != NULL) {
		end = source_reader_end(r.reader);
		result = result != 0 ? result : end;
	}
	return result;
}

int
source_file_read(const struct source_list *list, const struct source_file *file, const struct source_formats *formats,
    struct slice word, const struct source_defaults *defaults, source_visit *visit, void *arg, struct diag *diag)
{
	struct source_file now;
	int result = 0;

	if (file->is_rules)
		result = read_rules(file, word, defaults, visit, arg, diag);
	else if (word.len == 0)
		result = formats->read(file, list->conf_path, defaults, visit, arg, diag);
	if (result == 0 && (look_again(file, &now) == -1 || now.stamp != file->stamp)) {
		diag_add(diag, DIAG_ERROR, file->path, 0, 0, "was changed while it was read: publish again");
		result = -1;
	}
	return result;
}
