#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "delivery/pull_part.h"

enum { MODE_FILE = 0640, SEGMENTS_MAX = SIGNED_FILES, READ_STEP = 64 * 1024 };

/* The segments of M, in the order of the signed text. */
static size_t
segments_of(struct manifest *m, struct manifest_segment *out[static SEGMENTS_MAX])
{
	size_t n = 0;

	out[n++] = &m->site;
	if (m->lookalike.len > 0)
		out[n++] = &m->lookalike;
	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < m->layers[i].n; k++)
			out[n++] = &m->layers[i].segments[k];
	return n;
}

static void
path_of(const struct puller *p, const char *name, char out[static PULL_PATH])
{
	snprintf(out, PULL_PATH, "%s/%s", p->rules_dir, name);
}

/* ---- what is there ---- */

static bool
is_same(const struct manifest_segment *a, const struct manifest_segment *b)
{
	return a->kind == b->kind && a->len == b->len && memcmp(a->sha256, b->sha256, SEGMENT_SHA256) == 0;
}

/* A name under which a generation that is kept here has the very bytes of S; NULL. */
static const char *
known_name(struct puller *p, const struct manifest_segment *s)
{
	struct manifest_segment *list[SEGMENTS_MAX];

	for (size_t i = 0; i < p->n_known; i++)
		for (size_t n = segments_of(&p->known[i], list); n > 0; n--)
			if (is_same(list[n - 1], s))
				return list[n - 1]->name;
	return NULL;
}

static bool
has_size(const struct puller *p, const char *name, uint64_t len)
{
	char path[PULL_PATH];
	struct stat st;

	path_of(p, name, path);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == len;
}

static bool
hash_file(int fd, EVP_MD_CTX *ctx)
{
	char bytes[READ_STEP];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || EVP_DigestUpdate(ctx, bytes, (size_t)n) != 1)
			return false;
	}
	return true;
}

/* The file NAME has the bytes of S: all of it is read. */
static bool
has_bytes(const struct puller *p, const char *name, const struct manifest_segment *s)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[SEGMENT_SHA256];
	char path[PULL_PATH];
	bool same = false;
	int fd;

	path_of(p, name, path);
	if (ctx != NULL && has_size(p, name, s->len) && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) != -1) {
		same = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && hash_file(fd, ctx) &&
		    EVP_DigestFinal_ex(ctx, sum, NULL) == 1 && memcmp(sum, s->sha256, sizeof(sum)) == 0;
		close(fd);
	}
	EVP_MD_CTX_free(ctx);
	return same;
}

/* A name of KIND that no file has: names come again in another epoch, and what lies here may be mapped. */
static int
free_name(const struct puller *p, struct manifest_segment *s)
{
	char path[PULL_PATH];
	struct stat st;

	for (uint64_t n = p->report->local;; n++) {
		snprintf(s->name, sizeof(s->name), "%s-%" PRIu64 ".seg", segment_kind_name(s->kind), n);
		path_of(p, s->name, path);
		if (lstat(path, &st) == -1)
			return errno == ENOENT ? 0 : -1;
	}
}

/* The file KNOWN gets the name that S has at the origin, too, so that the MANIFESTs are the same; else S gets its. */
static void
share_name(const struct puller *p, const char *known, struct manifest_segment *s)
{
	char from[PULL_PATH], to[PULL_PATH];

	path_of(p, known, from);
	path_of(p, s->name, to);
	if (strcmp(known, s->name) != 0 && (p->options->dry_run || link(from, to) == -1))
		memmove(s->name, known, strlen(known) + 1);
}

/* Find S here, or the name that it will have.  True when it is here. */
static bool
find_here(struct puller *p, struct manifest_segment *s)
{
	const char *known = known_name(p, s);
	char path[PULL_PATH];
	struct stat st;

	if (known != NULL && (p->options->full ? has_bytes(p, known, s) : has_size(p, known, s->len))) {
		share_name(p, known, s);
		return true;
	}
	/* What is damaged there is replaced under the same name: whoever names it means these bytes. */
	if (known != NULL) {
		memmove(s->name, known, strlen(known) + 1);
		return false;
	}
	if (has_bytes(p, s->name, s))
		return true;
	path_of(p, s->name, path);
	if (lstat(path, &st) == 0)
		free_name(p, s);
	return false;
}

/* ---- what is fetched ---- */

struct arrival {
	struct puller	*p;
	const char	*name;
	int		 fd;
	EVP_MD_CTX	*ctx;
	uint64_t	 len;
};

static int
take_bytes(void *arg, const void *bytes, size_t len)
{
	struct arrival *a = arg;

	if (file_write_all(a->fd, slice_make(bytes, len)) == -1)
		return pull_fail(a->p, a->name, strerror(errno));
	a->len += len;
	return EVP_DigestUpdate(a->ctx, bytes, len) == 1 ? 0 : pull_fail(a->p, a->name, strerror(ENOMEM));
}

/* What came in is S, whose name at the origin is FROM. */
static int
check_arrival(struct arrival *a, const char *from, const struct manifest_segment *s)
{
	uint8_t sum[SEGMENT_SHA256];

	if (a->len != s->len)
		return pull_refuse(a->p, from, "is cut short: %" PRIu64 " of %" PRIu64 " bytes", a->len, s->len);
	if (EVP_DigestFinal_ex(a->ctx, sum, NULL) != 1 || memcmp(sum, s->sha256, sizeof(sum)) != 0)
		return pull_refuse(a->p, from, "is not what was signed: its SHA-256 is another");
	return 0;
}

/* Fetch FROM as S: beside its place, under the name of what file_clean() removes. */
static int
fetch_segment(struct puller *p, const char *from, const struct manifest_segment *s)
{
	char path[PULL_PATH], tmp[PULL_PATH + 32];
	struct arrival a = { .p = p, .name = s->name, .fd = -1, .ctx = EVP_MD_CTX_new() };
	int r = -1;

	path_of(p, s->name, path);
	snprintf(tmp, sizeof(tmp), "%s/.firebreak.%s.XXXXXX", p->rules_dir, s->name);
	if (a.ctx == NULL || EVP_DigestInit_ex(a.ctx, EVP_sha256(), NULL) != 1 || (a.fd = mkostemp(tmp, O_CLOEXEC)) == -1)
		pull_fail(p, path, strerror(a.ctx == NULL ? ENOMEM : errno));
	else if (fetch_get(p->fetch, from, s->len, take_bytes, &a, p->diag) == 0 && check_arrival(&a, from, s) == 0)
		r = fchmod(a.fd, MODE_FILE) == -1 || fsync(a.fd) == -1 || rename(tmp, path) == -1 ? pull_fail(p, path, strerror(errno)) : 0;
	if (a.fd != -1) {
		close(a.fd);
		if (r == -1)
			unlink(tmp);
	}
	EVP_MD_CTX_free(a.ctx);
	return r;
}

/* What is missing fits on the disk; it may still be full before all is here. */
static int
check_room(struct puller *p)
{
	struct statvfs st;

	if (p->options->dry_run || statvfs(p->rules_dir, &st) == -1 || p->report->bytes_missing / st.f_frsize < st.f_bavail)
		return 0;
	return pull_fail(p, p->rules_dir, strerror(ENOSPC));
}

int
pull_segments(struct puller *p, struct manifest *m)
{
	struct manifest_segment *list[SEGMENTS_MAX];
	bool here[SEGMENTS_MAX];
	size_t n = segments_of(m, list);

	p->report->n_files = n;
	p->report->bytes = p->report->bytes_missing = p->report->n_fetched = 0;
	for (size_t i = 0; i < n; i++) {
		here[i] = find_here(p, list[i]);
		p->report->bytes += list[i]->len;
		p->report->bytes_missing += here[i] ? 0 : list[i]->len;
		p->report->n_fetched += here[i] ? 0 : 1;
	}
	if (check_room(p) == -1)
		return -1;
	for (size_t i = 0; i < n && !p->options->dry_run; i++) {
		const char *from = p->offer.files[i + 1].name;

		if (here[i])
			continue;
		if (p->options->progress != NULL)
			p->options->progress(from, list[i]->len);
		if (fetch_segment(p, from, list[i]) == -1)
			return -1;
	}
	return 0;
}
