#include "command/clamav.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "feeds/feed_file.h"
#include "hashdb/hashdb.h"

enum { KNOWN_MAX = 64 << 20, MODE_KNOWN = 0660 };

/* ---- what is asked for ---- */

static int
cmp_digest(const void *a, const void *b)
{
	const struct clamav_file *x = a, *y = b;

	if (x->digest.alg != y->digest.alg)
		return x->digest.alg < y->digest.alg ? -1 : 1;
	return memcmp(x->digest.b, y->digest.b, sizeof(x->digest.b));
}

size_t
clamav_sort(struct clamav_file *v, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(v, n, sizeof(*v), cmp_digest);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || cmp_digest(&v[kept - 1], &v[i]) != 0)
			v[kept++] = v[i];
	return kept;
}

/* ---- databases ---- */

struct lookup {
	struct clamav_file	*v;
	size_t			 n;
};

/* A signature, or what else a container says. */
static int
take_entry(void *lookup, const struct feed_entry *e)
{
	struct lookup *l = lookup;
	struct clamav_file key = { .size = 0 }, *found;

	if (e->match == NULL || e->action != RULE_BLOCK)
		return 0;
	key.digest = e->match->digest;
	if ((found = bsearch(&key, l->v, l->n, sizeof(key), cmp_digest)) == NULL || found->listed)
		return 0;
	if (e->match->size != HASHDB_SIZE_ANY && found->size != 0 && found->size != e->match->size)
		return 0;
	found->listed = true;
	snprintf(found->name, sizeof(found->name), "%.*s", SLICE_ARGS(e->name));
	for (char *p = found->name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
	return 0;
}

/* NAME is that of a database that lists files. */
static bool
is_database(const char *name, enum feed_format *format)
{
	bool diff;

	return name[0] != '.' && feed_format_of_file(slice_str(name), format, &diff) == 0 &&
	    (*format == FEED_HDB || *format == FEED_HSB || *format == FEED_CVD);
}

/* A line that is no signature is ClamAV's business; a container that is cut is not: there would have been more. */
static int
read_open_database(int fd, enum feed_format format, struct lookup *l)
{
	struct feed *feed = feed_new(format, NULL, NULL, take_entry, l, NULL);
	struct feed_counts counts = { .cut = true };
	int r = -1;

	if (feed != NULL && feed_file_read(feed, fd) == 0)
		r = feed_end(feed, &counts);
	feed_free(feed);
	return r != 0 || counts.cut ? -1 : 0;
}

static int
read_database(int dir, const char *name, enum feed_format format, struct lookup *l)
{
	/* A fifo would be waited for. */
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r = -1;
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		r = read_open_database(fd, format, l);
	close(fd);
	return r;
}

int
clamav_look_up(const char *dir, struct clamav_file *v, size_t n, struct diag *diag)
{
	struct lookup l = { .v = v, .n = n };
	struct dirent *entry;
	DIR *d = opendir(dir);
	int read = 0;

	if (d == NULL) {
		diag_error(diag, "%s: %s", dir, strerror(errno));
		return -1;
	}
	while ((entry = readdir(d)) != NULL) {
		enum feed_format format;

		if (!is_database(entry->d_name, &format))
			continue;
		if (read_database(dirfd(d), entry->d_name, format, &l) == -1)
			diag_add(diag, DIAG_WARNING, dir, 0, 0, "%s cannot be read, or not wholly", entry->d_name);
		else
			read++;
	}
	closedir(d);
	return read;
}

/* ---- what is remembered ---- */

static int
read_digest(struct slice hex, struct digest *out)
{
	enum digest_alg alg;

	return digest_alg_of_hex(hex.len, &alg) == -1 ? -1 : digest_parse(alg, hex, out);
}

/* A line of the file into OUT.  -1 when it is none. */
static int
parse(struct slice line, struct clamav_file *out)
{
	static const struct slice name = SLICE("name=");
	const struct { struct slice key; int64_t *at; } dates[] = { { SLICE("checked="), &out->checked },
		{ SLICE("unknown="), &out->unknown }, { SLICE("known="), &out->known },
		{ SLICE("gone="), &out->gone } };
	struct slice word, alg;

	*out = (struct clamav_file){ .size = 0 };
	slice_cut(line, ' ', &word, &line);
	if (!slice_cut(word, ':', &alg, &word) || read_digest(word, &out->digest) == -1)
		return -1;
	while (line.len > 0) {
		slice_cut(line, ' ', &word, &line);
		for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
			if (slice_starts(word, dates[i].key))
				clock_parse(slice_skip(word, dates[i].key.len), dates[i].at);
		if (slice_starts(word, SLICE("size=")))
			slice_u64(slice_skip(word, sizeof("size=") - 1), &out->size);
		if (slice_starts(word, name))
			snprintf(out->name, sizeof(out->name), "%.*s", SLICE_ARGS(slice_skip(word, name.len)));
	}
	return 0;
}

static void
add_line(struct buf *out, const struct clamav_file *f)
{
	const struct { const char *key; int64_t at; } dates[] = { { "checked", f->checked }, { "unknown", f->unknown },
		{ "known", f->known }, { "gone", f->gone } };
	char hex[DIGEST_MAX_HEX + 1], date[CLOCK_TEXT];

	digest_format(&f->digest, hex);
	buf_addf(out, "%s:%s", digest_alg_name(f->digest.alg), hex);
	if (f->size != 0)
		buf_addf(out, " size=%" PRIu64, f->size);
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
		if (dates[i].at != 0) {
			clock_format_s(dates[i].at, date);
			buf_addf(out, " %s=%s", dates[i].key, date);
		}
	if (*f->name != '\0')
		buf_add_strs(out, " name=", f->name, NULL);
	buf_add_char(out, '\n');
}

/* What was just looked up, into what is remembered of F. */
static void
update(struct clamav_file *f, int64_t now)
{
	if (f->checked == 0)
		f->checked = now;
	if (f->listed) {
		f->known = f->known == 0 ? now : f->known;
		f->gone = 0;
	} else if (f->known == 0)
		f->unknown = now;
	else if (f->gone == 0)
		f->gone = now;
}

/* The lines of TEXT into V, those of other files into OTHERS, which may be NULL. */
static void
take_remembered(struct slice text, struct clamav_file *v, size_t n, struct buf *others)
{
	struct clamav_file old, *f;
	struct slice line;

	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		if (parse(line, &old) == -1)
			continue;
		if ((f = n == 0 ? NULL : bsearch(&old, v, n, sizeof(old), cmp_digest)) == NULL) {
			if (others != NULL)
				add_line(others, &old);
			continue;
		}
		f->checked = old.checked;
		f->unknown = old.unknown;
		f->known = old.known;
		f->gone = old.gone;
		if (*f->name == '\0')
			snprintf(f->name, sizeof(f->name), "%s", old.name);
	}
}

/* The file, at PATH, into TEXT.  -1 after saying why not; there may be none. */
static int
read_known(const struct call *c, char path[static STATE_PATH], struct buf *text)
{
	if (call_path(c, STATE_LOG "/" CLAMAV_KNOWN, path) == -1)
		return -1;
	if (file_read(path, text) == 0 || errno == ENOENT)
		return 0;
	call_fail(c, "%s: %s", path, strerror(errno));
	return -1;
}

int
clamav_recall(const struct call *c, struct clamav_file *v, size_t n)
{
	char path[STATE_PATH];
	struct buf text;
	int r;

	buf_init(&text, KNOWN_MAX);
	r = read_known(c, path, &text);
	take_remembered(buf_slice(&text), v, n, NULL);
	buf_fini(&text);
	return r;
}

/* The lock of whoever edits; -1 after saying that nothing can be remembered. */
static int
lock_known(const struct call *c)
{
	int lock = state_make(c->state) == -1 ? -1 : state_lock(c->state);

	if (lock == -1)
		call_fail(c, "%s: %s; when ClamAV first knew a file is not remembered", c->state, strerror(errno));
	return lock;
}

int
clamav_remember(const struct call *c, struct clamav_file *v, size_t n, int64_t now)
{
	int lock = lock_known(c), r;
	char path[STATE_PATH];
	struct buf text, next;

	buf_init(&text, KNOWN_MAX);
	buf_init(&next, KNOWN_MAX);
	r = read_known(c, path, &text);
	take_remembered(buf_slice(&text), v, n, &next);
	for (size_t i = 0; i < n; i++) {
		update(&v[i], now);
		add_line(&next, &v[i]);
	}
	if (lock == -1)
		r = -1;
	else if (r == 0 && n > 0 && (next.failed || file_write(path, buf_slice(&next), MODE_KNOWN) == -1)) {
		call_fail(c, "%s: %s; when ClamAV first knew a file is not remembered", path, strerror(next.failed ? ENOMEM : errno));
		r = -1;
	}
	if (lock != -1)
		close(lock);
	buf_fini(&text);
	buf_fini(&next);
	return r;
}
