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
#include <zlib.h>

#include "base/clock.h"
#include "base/file.h"

#define READ_MOST	(UINT64_C(8) << 30)	/* bytes of one database, unpacked */

enum { HEAD = 512, BLOCK = 512, CHUNK = 1 << 16, LINE_MOST = 4096,
	NAME_IN_TAR = 100, SIZE_AT = 124, SIZE_LEN = 12, KNOWN_MAX = 64 << 20 };

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

/* ---- signatures ---- */

struct lookup {
	struct clamav_file	*v;
	size_t			 n;
	char			 line[LINE_MOST];
	size_t			 len;		/* of what of a line has come; over LINE_MOST: it is passed over */
};

static int
read_digest(struct slice hex, struct digest *out)
{
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if (hex.len == 2 * digest_len(alg))
			return digest_parse(alg, hex, out);
	return -1;
}

/* "HASH:SIZE:NAME[:LEVEL...]" */
static void
take_line(struct lookup *l, struct slice line)
{
	struct clamav_file key = { .size = 0 }, *found;
	struct slice hex, size, name;
	uint64_t bytes = 0;

	slice_cut(line, ':', &hex, &line);
	slice_cut(line, ':', &size, &line);
	slice_cut(line, ':', &name, NULL);
	if (read_digest(hex, &key.digest) == -1 || (found = bsearch(&key, l->v, l->n, sizeof(key), cmp_digest)) == NULL || found->listed)
		return;
	if (!slice_eq(size, SLICE("*")) && (slice_u64(size, &bytes) == -1 || (found->size != 0 && found->size != bytes)))
		return;
	found->listed = true;
	snprintf(found->name, sizeof(found->name), "%.*s", SLICE_ARGS(slice_trim(name)));
	for (char *p = found->name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
}

static void
take_bytes(struct lookup *l, struct slice bytes)
{
	struct slice piece;
	bool ended;

	while (bytes.len > 0) {
		ended = slice_cut(bytes, '\n', &piece, &bytes);
		if (l->len + piece.len <= sizeof(l->line))
			memcpy(l->line + l->len, piece.p, piece.len);
		l->len = l->len + piece.len > sizeof(l->line) ? sizeof(l->line) + 1 : l->len + piece.len;
		if (!ended)
			continue;
		if (l->len <= sizeof(l->line))
			take_line(l, slice_make(l->line, l->len));
		l->len = 0;
	}
}

/* ---- databases ---- */

static bool
ends_in(struct slice name, const char *const *endings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ends(name, slice_str(endings[i])))
			return true;
	return false;
}

static bool
has_files(struct slice name)
{
	static const char *const endings[] = { ".hdb", ".hdu", ".hsb", ".hsu" };

	return ends_in(name, endings, sizeof(endings) / sizeof(*endings));
}

static bool
is_container(struct slice name)
{
	static const char *const endings[] = { ".cvd", ".cld", ".cud" };

	return ends_in(name, endings, sizeof(endings) / sizeof(*endings));
}

/* Read LEN bytes of GZ, or to its end where LEN is UINT64_MAX; signatures, when WANTED.  -1 when it ends too soon or is damaged. */
static int
read_part(gzFile gz, uint64_t len, bool wanted, struct lookup *l)
{
	char chunk[CHUNK];
	int n = 0;

	l->len = 0;
	for (uint64_t left = len < READ_MOST ? len : READ_MOST; left > 0; left -= (uint64_t)n) {
		n = gzread(gz, chunk, left < sizeof(chunk) ? (unsigned)left : sizeof(chunk));
		if (n <= 0)
			break;
		if (wanted)
			take_bytes(l, slice_make(chunk, (size_t)n));
	}
	/* The last line may lack its end. */
	if (wanted)
		take_bytes(l, SLICE("\n"));
	return n < 0 || (n == 0 && len != UINT64_MAX && len != 0) ? -1 : 0;
}

static int
read_octal(const char *field, size_t len, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		*out = *out << 3 | (uint64_t)(field[i] - '0');
	return i > 0 && *out < READ_MOST ? 0 : -1;
}

/* A tar, up to its end. */
static int
read_tar(gzFile gz, struct lookup *l)
{
	char head[BLOCK];
	uint64_t size;
	int n;

	while ((n = gzread(gz, head, sizeof(head))) == (int)sizeof(head) && head[0] != '\0') {
		struct slice name = slice_make(head, strnlen(head, NAME_IN_TAR));

		if (read_octal(head + SIZE_AT, SIZE_LEN, &size) == -1 || read_part(gz, size, has_files(name), l) == -1 ||
		    read_part(gz, (BLOCK - size % BLOCK) % BLOCK, false, l) == -1)
			return -1;
	}
	return n == 0 || (n == (int)sizeof(head) && head[0] == '\0') ? 0 : -1;
}

static int
read_database(int dir, const char *name, struct lookup *l)
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r;
	bool container = is_container(slice_str(name));
	struct stat st;
	gzFile gz;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || (container && lseek(fd, HEAD, SEEK_SET) == -1) ||
	    (gz = gzdopen(fd, "rb")) == NULL) {
		close(fd);
		return -1;
	}
	r = container ? read_tar(gz, l) : read_part(gz, UINT64_MAX, true, l);
	gzclose(gz);
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
		struct slice name = slice_str(entry->d_name);

		if (name.p[0] == '.' || (!has_files(name) && !is_container(name)))
			continue;
		if (read_database(dirfd(d), entry->d_name, &l) == -1)
			diag_add(diag, DIAG_WARNING, dir, 0, 0, "%s cannot be read, or not wholly", entry->d_name);
		else
			read++;
	}
	closedir(d);
	return read;
}

/* ---- what is remembered ---- */

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

/* The lines of TEXT into V, those of other files into OTHERS. */
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

int
clamav_remember(const struct call *c, struct clamav_file *v, size_t n, bool asked, int64_t now)
{
	char path[STATE_PATH];
	struct buf text, next;
	int r = 0;

	buf_init(&text, KNOWN_MAX);
	buf_init(&next, KNOWN_MAX);
	if (call_path(c, STATE_LOG "/" CLAMAV_KNOWN, path) == -1)
		r = -1;
	else if (file_read(path, &text) == -1 && errno != ENOENT) {
		call_fail(c, "%s: %s", path, strerror(errno));
		r = -1;
	}
	take_remembered(buf_slice(&text), v, n, &next);
	for (size_t i = 0; asked && i < n; i++) {
		update(&v[i], now);
		add_line(&next, &v[i]);
	}
	if (r == 0 && asked && n > 0 && (state_make(c->state) == -1 || next.failed || file_write(path, buf_slice(&next), 0660) == -1)) {
		call_fail(c, "%s: %s; when ClamAV first knew a file is not remembered", path, strerror(next.failed ? ENOMEM : errno));
		r = -1;
	}
	buf_fini(&text);
	buf_fini(&next);
	return r;
}
