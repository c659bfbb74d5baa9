#include "feeds/misp_manifest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "feeds/json_pieces.h"
#include "inspect/digester.h"

enum { READ_AT_ONCE = 1 << 16, BAD_SHOWN = 30 };

struct misp_manifest {
	const char	*path;
	struct diag	*diag;			/* while it is read */
	size_t		 n_bad;
	bool		 is_cut;		/* something that it has was not read */
	struct buf	 events;		/* struct misp_event; sorted when it is read */
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
	return s.len == MISP_UUID;
}

static void
set_uuid(struct misp_event *e, struct slice uuid)
{
	assert(uuid.len == MISP_UUID);
	for (size_t i = 0; i < MISP_UUID; i++)
		e->uuid[i] = ascii_lower(uuid.p[i]);
	e->uuid[MISP_UUID] = '\0';
}

/* False when TEXT is no number of seconds. */
static bool
set_timestamp(struct misp_event *e, struct slice text)
{
	uint64_t number;

	if (text.len > MISP_TIMESTAMP || slice_u64(text, &number) == -1)
		return false;
	memcpy(e->timestamp, text.p, text.len);
	e->timestamp[text.len] = '\0';
	return true;
}

/* ---- its text ---- */

static void
bad(void *arg, unsigned line, unsigned col, const char *what)
{
	struct misp_manifest *m = arg;

	m->is_cut = m->is_cut || json_pieces_broken(&m->json);
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
	char room[JSON_NUMBER], other[JSON_NUMBER];
	struct slice uuid = slice_str(p->levels[0].key), sum = json_text(piece, "integrity:sha256", room),
	    timestamp = json_text(piece, "timestamp", other);
	struct misp_event e = { .has_sum = sum.len > 0 };

	if (!misp_is_uuid(uuid))
		bad(m, line, col, "the key is no UUID");
	else if (e.has_sum && digest_parse(DIGEST_SHA256, sum, &e.sum) == -1)
		bad(m, line, col, "integrity:sha256 is no SHA-256");
	else if (timestamp.len > 0 && !set_timestamp(&e, timestamp))
		bad(m, line, col, "timestamp is no number");
	else if (m->events.len == m->events.max) {
		m->is_cut = true;
		bad(m, line, col, "too many events");
	} else {
		set_uuid(&e, uuid);
		return buf_add(&m->events, &e, sizeof(e));
	}
	return 0;
}

struct misp_manifest *
misp_manifest_new(const char *path, size_t max, struct diag *diag)
{
	static const struct json_reader reader = { ask, take, bad };
	struct misp_manifest *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	*m = (struct misp_manifest){ .path = path, .diag = diag };
	buf_init(&m->events, max * sizeof(struct misp_event));
	json_pieces_init(&m->json, &reader, m);
	return m;
}

int
misp_manifest_put(struct misp_manifest *m, struct slice bytes)
{
	if (json_pieces_put(&m->json, bytes) == 0)
		return 0;
	errno = ENOMEM;			/* take() stops for nothing else */
	return -1;
}

static struct misp_event *
events_of(const struct misp_manifest *m)
{
	return (struct misp_event *)(void *)m->events.p;
}

static size_t
count(const struct misp_manifest *m)
{
	return m->events.len / sizeof(struct misp_event);
}

int
misp_event_compare(const void *a, const void *b)
{
	return memcmp(((const struct misp_event *)a)->uuid, ((const struct misp_event *)b)->uuid, MISP_UUID);
}

/* By the UUID, the later one first, and of two of one time one with a SHA-256: an order of all, wherever they stand. */
static int
compare_versions(const void *a, const void *b)
{
	const struct misp_event *x = a, *y = b;
	size_t m = strlen(x->timestamp), n = strlen(y->timestamp);
	int r = misp_event_compare(a, b);

	if (r == 0)
		r = m != n ? (m < n) - (m > n) : strcmp(y->timestamp, x->timestamp);
	if (r == 0)
		r = y->has_sum - x->has_sum;
	return r != 0 || !x->has_sum ? r : memcmp(y->sum.b, x->sum.b, sizeof(x->sum.b));
}

bool
misp_manifest_end(struct misp_manifest *m)
{
	struct misp_event *v = events_of(m);
	size_t n = 0;

	json_pieces_end(&m->json);
	json_pieces_fini(&m->json);
	if (count(m) > 0)
		qsort(v, count(m), sizeof(*v), compare_versions);
	for (size_t i = 0; i < count(m); i++)
		if (n > 0 && misp_event_compare(&v[n - 1], &v[i]) == 0)
			m->n_bad++;
		else
			v[n++] = v[i];
	m->events.len = n * sizeof(*v);
	return !m->is_cut;
}

const struct misp_event *
misp_manifest_events(const struct misp_manifest *m, size_t *n)
{
	*n = count(m);
	return events_of(m);
}

size_t
misp_manifest_bad(const struct misp_manifest *m)
{
	return m->n_bad;
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

/* ---- as a file ---- */

/* Show all of FD to M.  -1 with errno. */
static int
read_all(int fd, struct misp_manifest *m)
{
	char bytes[READ_AT_ONCE];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		r = n == -1 ? -1 : misp_manifest_put(m, slice_make(bytes, (size_t)n));
	}
	return r;
}

struct misp_manifest *
misp_manifest_read(const char *path, struct diag *diag)
{
	struct misp_manifest *m = misp_manifest_new(path, MISP_EVENTS_MAX, diag);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (m == NULL || fd == -1 || read_all(fd, m) == -1) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(m == NULL ? ENOMEM : errno));
		misp_manifest_free(m);
		m = NULL;
	} else
		misp_manifest_end(m);
	if (fd != -1)
		close(fd);
	return m;
}

/* ---- what it vouches for ---- */

bool
misp_manifest_vouches(struct misp_manifest *m, struct slice uuid, const char *path, struct diag *diag)
{
	struct misp_event key = { .seen = false }, *e;
	struct digest sum;

	set_uuid(&key, uuid);
	e = count(m) == 0 ? NULL : bsearch(&key, m->events.p, count(m), sizeof(key), misp_event_compare);
	if (e == NULL) {
		diag_add(diag, DIAG_WARNING, path, 0, 0, "is not read: the manifest does not name this event");
		return false;
	}
	e->seen = true;
	if (!e->has_sum)
		return true;
	if (digest_of_file(path, DIGEST_SHA256, &sum) == -1)
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
		n += !events_of(m)[i].seen;
	return n;
}

/* ---- an event as words ---- */

void
misp_event_format(const struct misp_event *e, char out[static MISP_EVENT_TEXT])
{
	char sum[DIGEST_MAX_HEX + 1] = "-";

	if (e->has_sum)
		digest_format(&e->sum, sum);
	snprintf(out, MISP_EVENT_TEXT, "%s %s %s", e->uuid, e->timestamp[0] != '\0' ? e->timestamp : "-", sum);
}

int
misp_event_parse(struct slice text, struct misp_event *out)
{
	struct slice uuid, timestamp, sum;

	*out = (struct misp_event){ .seen = false };
	if (!slice_cut(text, ' ', &uuid, &text) || !slice_cut(text, ' ', &timestamp, &sum) || !misp_is_uuid(uuid) ||
	    (!slice_eq(timestamp, SLICE("-")) && !set_timestamp(out, timestamp)))
		return -1;
	set_uuid(out, uuid);
	out->has_sum = !slice_eq(sum, SLICE("-"));
	return out->has_sum ? digest_parse(DIGEST_SHA256, sum, &out->sum) : 0;
}
