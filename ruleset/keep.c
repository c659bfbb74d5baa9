#include "ruleset/keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define SEGMENT_END	".seg"
#define MANIFEST_FILE	"MANIFEST"
#define SIGNED_FILE	"SIGNED."	/* what delivery/sign.c signs of a generation */
#define BUSY_FILE	"compact.lock"	/* the number that was taken last without the lock */
#define NUMBER_MAX	(UINT64_MAX / 2)	/* more is no number of ours: somebody made the file by hand */
#define KEEP_ROOM	(UINT64_C(256) << 20)

enum { PATH_MAX_BYTES = 4096 + MANIFEST_NAME, MODE_FILE = 0640, MODE_LOCK = 0660,
	NAMES_MAX = MANIFEST_LAYERS * MANIFEST_SEGMENTS + 2 };

/* The number in "rules-17.seg", or in half of one that was being written, "rules-17.seg.x7Kq2b"; 0 when NAME is none of ours. */
static uint64_t
segment_number(struct slice name)
{
	struct slice kind, rest, number;
	size_t end = slice_search(name, SLICE(SEGMENT_END));
	uint64_t n;

	if (end == name.len || !slice_cut(slice_head(name, end), '-', &kind, &number) || slice_u64(number, &n) == -1)
		return 0;
	rest = slice_skip(name, end + strlen(SEGMENT_END));
	if (rest.len > 0 && rest.p[0] != '.')
		return 0;
	for (enum segment_kind k = SEGMENT_HOSTS; k <= SEGMENT_LOOKALIKE; k++)
		if (slice_eq(kind, slice_str(segment_kind_name(k))))
			return n;
	return 0;
}

/* The number in "MANIFEST.17"; 0. */
static uint64_t
kept_number(struct slice name)
{
	uint64_t n;

	return slice_starts(name, SLICE(MANIFEST_FILE ".")) && slice_u64(slice_skip(name, strlen(MANIFEST_FILE ".")), &n) == 0 ? n : 0;
}

/* The number that somebody took last who did not hold the lock; 0. */
static uint64_t
busy_number(const char *dir)
{
	char path[PATH_MAX_BYTES];
	uint64_t number = 0;
	struct buf text;

	snprintf(path, sizeof(path), "%s/" BUSY_FILE, dir);
	buf_init(&text, DIGITS_MAX);
	if (file_read(path, &text) == 0)
		slice_u64(buf_slice(&text), &number);
	buf_fini(&text);
	return number;
}

uint64_t
keep_highest(const char *path, uint64_t highest)
{
	uint64_t taken = busy_number(path);
	DIR *dir = opendir(path);
	struct dirent *e;

	highest = taken > highest && taken < NUMBER_MAX ? taken : highest;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		uint64_t segment = segment_number(slice_str(e->d_name)), kept = kept_number(slice_str(e->d_name));

		highest = segment > highest && segment < NUMBER_MAX ? segment : highest;
		highest = kept > highest && kept < NUMBER_MAX ? kept : highest;
	}
	if (dir != NULL)
		closedir(dir);
	return highest;
}

static void
kept_path(const char *dir, uint64_t number, char out[static PATH_MAX_BYTES])
{
	snprintf(out, PATH_MAX_BYTES, "%s/" MANIFEST_FILE ".%" PRIu64, dir, number);
}

int
keep_manifest(const char *dir, uint64_t number)
{
	char from[PATH_MAX_BYTES], to[PATH_MAX_BYTES];
	struct buf text;
	int r;

	snprintf(from, sizeof(from), "%s/" MANIFEST_FILE, dir);
	kept_path(dir, number, to);
	if (link(from, to) == 0 || errno == EEXIST)
		return 0;
	/* Not every file system has links. */
	buf_init(&text, MANIFEST_MAX);
	r = file_read(from, &text) == -1 ? -1 : file_write(to, buf_slice(&text), MODE_FILE);
	buf_fini(&text);
	return r;
}

static int
newest_first(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x > y ? -1 : x < y;
}

int
keep_list(const char *path, uint64_t **out)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	uint64_t *list = NULL, *grown;
	int n = 0;

	*out = NULL;
	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL) {
		uint64_t number = kept_number(slice_str(e->d_name));

		if (number == 0)
			continue;
		if ((grown = realloc(list, ((size_t)n + 1) * sizeof(*list))) == NULL) {
			free(list);
			closedir(dir);
			return -1;
		}
		list = grown;
		list[n++] = number;
	}
	closedir(dir);
	if (n > 0)
		qsort(list, (size_t)n, sizeof(*list), newest_first);
	*out = list;
	return n;
}

/* ---- cleaning ---- */

/* Names of segments that stay, each once. */
struct names {
	char	(*names)[MANIFEST_NAME];
	size_t	 n;
};

static bool
is_named(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

/* Add S; its bytes when it is new. */
static uint64_t
add_name(struct names *names, const struct manifest_segment *s)
{
	if (is_named(names, s->name))
		return 0;
	memcpy(names->names[names->n++], s->name, MANIFEST_NAME);
	return s->len;
}

/* Add what the manifest at PATH names, and to *BYTES how much more that is, unless it would come to more than ROOM.  0; -1 with
 * errno: of manifest_load(), or ENOSPC. */
static int
add_named(struct names *names, const char *path, uint64_t room, uint64_t *bytes)
{
	char (*grown)[MANIFEST_NAME] = realloc(names->names, (names->n + NAMES_MAX) * sizeof(*grown));
	size_t before = names->n;
	uint64_t more = 0;
	struct manifest m;
	int error = 0;

	if (grown == NULL)
		return -1;
	names->names = grown;
	if (manifest_load(path, &m, NULL) == -1)
		error = errno;
	else {
		more += add_name(names, &m.site);
		if (m.lookalike.len != 0)
			more += add_name(names, &m.lookalike);
		for (size_t i = 0; i < m.n_layers; i++)
			for (size_t k = 0; k < m.layers[i].n; k++)
				more += add_name(names, &m.layers[i].segments[k]);
	}
	manifest_fini(&m);
	if (error == 0 && more > room - *bytes) {
		names->n = before;
		error = ENOSPC;
	}
	if (error != 0)
		return errno = error, -1;
	*bytes += more;
	return 0;
}

static void
remove_unnamed(const char *path, const struct names *names)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (segment_number(slice_str(e->d_name)) != 0 && !is_named(names, e->d_name))
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

/* Remove the signed texts of generations that are not kept. */
static void
remove_signed(const char *path)
{
	char kept[PATH_MAX_BYTES];
	DIR *dir = opendir(path);
	struct dirent *e;
	uint64_t n;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (!slice_starts(slice_str(e->d_name), SLICE(SIGNED_FILE)) ||
		    slice_u64(slice_skip(slice_str(e->d_name), strlen(SIGNED_FILE)), &n) == -1)
			continue;
		kept_path(path, n, kept);
		if (access(kept, F_OK) == -1 && errno == ENOENT)
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

int
keep_busy(const char *dir, uint64_t number)
{
	char path[PATH_MAX_BYTES], text[DIGITS_MAX];
	size_t len = decimal(number, text);
	int fd, saved;

	snprintf(path, sizeof(path), "%s/" BUSY_FILE, dir);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE_LOCK)) == -1)
		return -1;
	fchmod(fd, MODE_LOCK);		/* as in state_lock(): others of the group publish, too */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && (number == 0 ||
	    (ftruncate(fd, 0) == 0 && file_write_all(fd, slice_make(text, len)) == 0)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Name what the newest KEPT of the N generations of LIST need, as far as there is ROOM, and remove the manifests of the others.
 * False when one cannot be told. */
static bool
keep_newest(const char *dir, const uint64_t *list, int n, size_t kept, uint64_t room, struct names *names)
{
	char path[PATH_MAX_BYTES];
	uint64_t bytes = 0;
	bool known = true, full = false;

	for (int i = 0; i < n; i++) {
		kept_path(dir, list[i], path);
		if (!full && (size_t)i < kept && add_named(names, path, room, &bytes) == 0)
			continue;
		/* One that is damaged cannot be gone back to; an error of the system may pass. */
		if (full || (size_t)i >= kept || errno == ENOSPC || errno == EBADMSG)
			unlink(path);
		else
			known = false;
		full = full || errno == ENOSPC;
	}
	return known;
}

void
keep_clean(const char *dir, size_t kept)
{
	struct names names = { 0 };
	char path[PATH_MAX_BYTES];
	uint64_t *list, live = 0;
	int n = keep_list(dir, &list), busy;

	snprintf(path, sizeof(path), "%s/" MANIFEST_FILE, dir);
	if (n >= 0 && add_named(&names, path, UINT64_MAX, &live) == 0 &&
	    keep_newest(dir, list, n, kept, live > KEEP_ROOM ? live : KEEP_ROOM, &names) && (busy = keep_busy(dir, 0)) != -1) {
		remove_unnamed(dir, &names);
		close(busy);
	}
	remove_signed(dir);
	free(names.names);
	free(list);
}
