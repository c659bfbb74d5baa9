#include "feeds/misp_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "feeds/json_pieces.h"
#include "inspect/digester.h"

enum { UUID_LEN = 36, READ_AT_ONCE = 1 << 16, BAD_SHOWN = 30 };

struct event {
	char		uuid[UUID_LEN];		/* in lower case */
	bool		seen, has_sum;
	struct digest	sum;
};

struct misp_manifest {
	const char	*path;
	struct diag	*diag;			/* while it is read */
	unsigned	 n_bad;
	struct buf	 events;		/* struct event; sorted when it is read */
	struct json_pieces json;
};

bool
misp_is_uuid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-' : ascii_hex(s.p[i]) < 0)
			return false;
	}
	return s.len == UUID_LEN;
}

static void
set_uuid(struct event *e, struct slice uuid)
{
	for (size_t i = 0; i < UUID_LEN; i++)
		e->uuid[i] = ascii_lower(uuid.p[i]);
}

static void
bad(void *arg, unsigned line, unsigned col, const char *what)
{
	struct misp_manifest *m = arg;

	if (m->n_bad++ < BAD_SHOWN || json_pieces_broken(&m->json))
		diag_add(m->diag, DIAG_WARNING, m->path, line, col, "%s", what);
}

static enum json_way
ask(void *arg, const struct json_pieces *p, char first)
{
	(void)arg;
	return p->n == 0 ? JSON_ENTER : first == '{' ? JSON_TAKE : JSON_SKIP;
}

static int
take(void *arg, const struct json_pieces *p, json_t *piece, unsigned line, unsigned col)
{
	struct misp_manifest *m = arg;
	char room[JSON_NUMBER];
	struct slice uuid = slice_str(p->levels[0].key), sum = json_text(piece, "integrity:sha256", room);
	struct event e = { .has_sum = sum.len > 0 };

	if (!misp_is_uuid(uuid))
		bad(m, line, col, "the key is no UUID");
	else if (e.has_sum && digest_parse(DIGEST_SHA256, sum, &e.sum) == -1)
		bad(m, line, col, "integrity:sha256 is no SHA-256");
	else if (m->events.len == m->events.max)
		bad(m, line, col, "too many events");
	else {
		set_uuid(&e, uuid);
		return buf_add(&m->events, &e, sizeof(e));
	}
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct event *)a)->uuid, ((const struct event *)b)->uuid, UUID_LEN);
}

/* Show all of FD to VISIT, in portions.  0; what VISIT answered; -1 with errno. */
static int
read_all(int fd, int (*visit)(void *arg, struct slice bytes), void *arg)
{
	char bytes[READ_AT_ONCE];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		r = n == -1 ? -1 : visit(arg, slice_make(bytes, (size_t)n));
	}
	return r;
}

static int
put(void *arg, struct slice bytes)
{
	struct misp_manifest *m = arg;

	errno = ENOMEM;
	return json_pieces_put(&m->json, bytes);
}

static size_t
count(const struct misp_manifest *m)
{
	return m->events.len / sizeof(struct event);
}

struct misp_manifest *
misp_manifest_read(const char *path, struct diag *diag)
{
	static const struct json_reader reader = { ask, take, bad };
	struct misp_manifest *m = calloc(1, sizeof(*m));
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (m != NULL) {
		*m = (struct misp_manifest){ .path = path, .diag = diag };
		buf_init(&m->events, MISP_EVENTS_MAX * sizeof(struct event));
		json_pieces_init(&m->json, &reader, m);
	}
	if (m == NULL || fd == -1 || read_all(fd, put, m) != 0) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(m == NULL ? ENOMEM : errno));
		misp_manifest_free(m);
		m = NULL;
	} else {
		json_pieces_end(&m->json);
		json_pieces_fini(&m->json);
		if (m->events.len > 0)
			qsort(m->events.p, count(m), sizeof(struct event), compare);
	}
	if (fd != -1)
		close(fd);
	return m;
}

void
misp_manifest_free(struct misp_manifest *m)
{
	if (m == NULL)
		return;
	json_pieces_fini(&m->json);
	buf_fini(&m->events);
	free(m);
}

static int
hash(void *arg, struct slice bytes)
{
	digester_update(arg, bytes);
	return 0;
}

/* The SHA-256 of the file PATH.  -1 with errno. */
static int
sum_of(const char *path, struct digest *out)
{
	struct digester *d = digester_new(DIGEST_BIT(DIGEST_SHA256));
	struct digest found[DIGEST_ALGS];
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = -1;

	if (d == NULL)
		errno = ENOMEM;
	else if (fd != -1 && (r = read_all(fd, hash, d)) == 0) {
		if (digester_final(d, found) == 1)
			*out = found[0];
		else {
			errno = ENOTSUP;
			r = -1;
		}
	}
	digester_free(d);
	if (fd != -1)
		close(fd);
	return r;
}

bool
misp_manifest_vouches(struct misp_manifest *m, struct slice uuid, const char *path, struct diag *diag)
{
	struct event key = { .seen = false }, *e;
	struct digest sum;

	set_uuid(&key, uuid);
	e = count(m) == 0 ? NULL : bsearch(&key, m->events.p, count(m), sizeof(key), compare);
	if (e == NULL) {
		diag_add(diag, DIAG_WARNING, path, 0, 0, "is not read: the manifest does not name this event");
		return false;
	}
	e->seen = true;
	if (!e->has_sum)
		return true;
	if (sum_of(path, &sum) == -1)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "is not read: %s", strerror(errno));
	else if (!digest_eq(&sum, &e->sum))
		diag_add(diag, DIAG_WARNING, path, 0, 0, "is not read: its SHA-256 is not what the manifest says");
	else
		return true;
	return false;
}

size_t
misp_manifest_unseen(const struct misp_manifest *m)
{
	size_t n = 0;

	for (size_t i = 0; i < count(m); i++)
		n += !((const struct event *)(const void *)m->events.p)[i].seen;
	return n;
}
