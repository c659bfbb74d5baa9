#include "command/lookalike_log.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "command/caller.h"
#include "events/event.h"
#include "eventstore/log_folder.h"
#include "eventstore/log_lines.h"

enum { ENTRIES_MAX = 4000000, TEXT_MAX = 1 << 30 };

#define SECOND_MS	1000
#define DAY_MS		((int64_t)CLOCK_DAY_S * SECOND_MS)

/* ---- reading ---- */

static struct slice
text_of(const json_t *event, const char *object, const char *key)
{
	const json_t *j = json_object_get(event, object);

	j = key == NULL ? j : json_object_get(j, key);
	return json_is_string(j) ? slice_make(json_string_value(j), json_string_length(j)) : (struct slice){ 0 };
}

/* Milliseconds of "2026-11-23T07:20:24.332Z"; 0 when it is none. */
static int64_t
time_of(struct slice text)
{
	int64_t seconds;

	return clock_parse(text, &seconds) == 0 ? seconds * SECOND_MS : 0;
}

static int
add_event(struct lookalike_log *log, struct lookalike_event e, struct slice host, struct slice client)
{
	if (log->n == ENTRIES_MAX || log->text.len + host.len + client.len > TEXT_MAX) {
		log->lost++;
		return 0;
	}
	if (log->n == log->cap) {
		size_t cap = log->cap > 0 ? 2 * log->cap : 1024;
		struct lookalike_event *v = realloc(log->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		log->v = v;
		log->cap = cap;
	}
	e.at = (uint32_t)log->text.len;
	e.host_len = (uint16_t)host.len;
	e.client_len = (uint16_t)client.len;
	if (buf_add_slice(&log->text, host) == -1 || buf_add_slice(&log->text, client) == -1)
		return -1;
	log->v[log->n++] = e;
	return 0;
}

static int
read_event(struct lookalike_log *log, const json_t *event)
{
	struct slice host = text_of(event, "url", "domain"), ip = text_of(event, "client", "ip");
	struct slice client = ip.len > 0 ? ip : text_of(event, "client", "address");
	struct slice action = text_of(event, "event", "action");
	struct lookalike_event e = { .time_ms = time_of(text_of(event, "@timestamp", NULL)) };
	struct lookalike_finding f;

	if (!slice_eq(text_of(event, "event", "reason"), SLICE("lookalike")) || host.len == 0 || host.len > LOOKALIKE_HOST_MAX ||
	    client.len > UINT16_MAX || e.time_ms < log->since_ms)
		return 0;
	lookalike_find(log->lookalike, host, &log->levels, &f);
	e.registrable_len = (uint16_t)f.registrable.len;
	e.refused = !slice_eq(action, slice_str(event_action_name(EVENT_WOULD_BLOCK)));
	return add_event(log, e, host, client);
}

static int
read_line(struct lookalike_log *log, struct slice line)
{
	json_t *event;
	int r;

	if (slice_search(line, SLICE("\"lookalike\"")) == line.len)
		return 0;
	if ((event = json_loadb(line.p, line.len, 0, NULL)) == NULL)
		return 0;
	r = read_event(log, event);
	json_decref(event);
	return r;
}

/* All lines that BYTES has.  -1 with errno. */
static int
read_lines(struct lookalike_log *log, struct log_bytes *bytes)
{
	struct log_lines lines;
	struct slice line;
	enum log_line got;
	int64_t at;
	int r = 0;

	log_lines_init(&lines, bytes);
	while (r == 0 && ((got = log_lines_next(&lines, &line, &at)) == LOG_LINE || got == LOG_LINE_TOO_LONG))
		r = read_line(log, line);
	if (r == 0 && got == LOG_LINE_FAILED)
		r = -1;
	log_lines_fini(&lines);
	return r;
}

/* -1 with an error in DIAG. */
static int
read_file(struct lookalike_log *log, const struct log_file *file, struct diag *diag)
{
	struct log_bytes *bytes = malloc(sizeof(*bytes));
	int error = file->error;

	if (bytes == NULL) {
		diag_error(diag, "out of memory");
		return -1;
	}
	if (error == 0 && log_bytes_open(bytes, file->fd, NULL, NULL) == -1)
		error = errno;
	else if (error == 0) {
		error = read_lines(log, bytes) == -1 ? errno : 0;
		log_bytes_close(bytes);
	}
	free(bytes);
	if (error == ENOMEM) {
		diag_error(diag, "out of memory");
		return -1;
	}
	if (error != 0) {
		log->unread++;
		diag_add(diag, DIAG_WARNING, file->name, 0, 0, "not read to its end: %s", error == ENOTSUP ?
		    "of a compression that cannot be read here" : strerror(error));
	}
	return 0;
}

int
lookalike_log_read(struct lookalike_log *log, const char *path, struct diag *diag)
{
	struct log_folder folder;
	struct caller was;
	int r = 0, opened;

	buf_init(&log->text, TEXT_MAX);
	caller_begin_beside(&was, path);
	opened = log_folder_open(&folder, path);
	caller_end(&was);
	if (opened == -1) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
		return -1;
	}
	if (folder.n == 0) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(ENOENT));
		r = -1;
	}
	/* What was written to last before that moment has nothing that came after it. */
	for (size_t i = 0; r == 0 && i < folder.n; i++)
		if ((int64_t)folder.v[i].st.st_mtime * SECOND_MS >= log->since_ms - SECOND_MS)
			r = read_file(log, &folder.v[i], diag);
	log_folder_close(&folder);
	return r;
}

void
lookalike_log_fini(struct lookalike_log *log)
{
	buf_fini(&log->text);
	free(log->v);
	log->v = NULL;
	log->n = log->cap = 0;
}

/* ---- order ---- */

static struct slice
host_of(const struct lookalike_log *log, const struct lookalike_event *e)
{
	return slice_make(log->text.p + e->at, e->host_len);
}

static struct slice
registrable_of(const struct lookalike_log *log, const struct lookalike_event *e)
{
	return slice_make(log->text.p + e->at + e->host_len - e->registrable_len, e->registrable_len);
}

static struct slice
client_of(const struct lookalike_log *log, const struct lookalike_event *e)
{
	return slice_make(log->text.p + e->at + e->host_len, e->client_len);
}

static int
by_host(const void *a, const void *b, void *log)
{
	int r = slice_cmp(registrable_of(log, a), registrable_of(log, b));

	return r != 0 ? r : slice_cmp(host_of(log, a), host_of(log, b));
}

static int
by_client(const void *a, const void *b, void *log)
{
	return slice_cmp(client_of(log, a), client_of(log, b));
}

static int
by_time(const void *a, const void *b)
{
	const struct lookalike_event *x = a, *y = b;

	return x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms;
}

static int
by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int
most_clients_first(const void *a, const void *b)
{
	const struct lookalike_summary *x = a, *y = b;

	if (x->clients != y->clients)
		return x->clients > y->clients ? -1 : 1;
	return slice_cmp(x->registrable, y->registrable);
}

/* ---- waves ---- */

/* The longest domain that A and B are under, or are: the end of A. */
static struct slice
common_domain(struct slice a, struct slice b)
{
	size_t n = 0, whole = 0;

	while (n < a.len && n < b.len && a.p[a.len - 1 - n] == b.p[b.len - 1 - n]) {
		n++;
		if ((n == a.len || a.p[a.len - 1 - n] == '.') && (n == b.len || b.p[b.len - 1 - n] == '.'))
			whole = n;
	}
	return slice_skip(a, a.len - whole);
}

/* Room for what is looked at within one registrable domain. */
struct work {
	struct lookalike_log	*log;
	struct slice		*targets;	/* of a wave's hosts */
	uint32_t		*met;		/* how often each of them was met within a day */
};

/* A host with finding F counts for a wave. */
static bool
is_of_wave(const struct lookalike_finding *f)
{
	return f->class != LOOKALIKE_NONE && f->class <= LOOKALIKE_E4 && f->level >= LOOKALIKE_LOG && f->excuse == EXCUSE_NONE;
}

static void
add_to_wave(struct work *w, struct lookalike_summary *s, struct slice host, const struct lookalike_finding *f)
{
	struct lookalike_wave *wave = &s->wave;
	/* What stands right of the target is the attacker's own choice of names, and his alone. */
	struct slice above = slice_skip(host, (size_t)(f->spelled.p - host.p) + f->spelled.len);

	above = slice_skip(above, slice_find(above, '.') + 1);
	if (above.len < s->registrable.len)
		above = s->registrable;
	wave->domain = wave->hosts == 0 ? above : common_domain(wave->domain, above);
	wave->refused = (wave->hosts == 0 || wave->refused) && f->level == LOOKALIKE_BLOCK;
	w->targets[wave->hosts++] = f->target;
}

/* How many targets WAVE has, and which one most of its hosts embed. */
static void
count_targets(struct work *w, struct lookalike_wave *wave)
{
	size_t most = 0;

	if (wave->hosts > 0)
		qsort(w->targets, wave->hosts, sizeof(*w->targets), by_text);
	for (size_t i = 0, k; i < wave->hosts; i = k) {
		for (k = i + 1; k < wave->hosts && slice_eq(w->targets[k], w->targets[i]); k++)
			;
		wave->targets++;
		if (k - i > most) {
			most = k - i;
			wave->target = w->targets[i];
		}
	}
}

/* LOOKALIKE_WAVE_HOSTS hosts of a wave were met within some day.  Sorts V. */
static bool
is_busy_day(struct work *w, struct lookalike_event *v, size_t n, size_t hosts)
{
	size_t from = 0, now = 0, most = 0;

	memset(w->met, 0, hosts * sizeof(*w->met));
	qsort(v, n, sizeof(*v), by_time);
	for (size_t i = 0; i < n; i++) {
		if (v[i].host_no == LOOKALIKE_NO_HOST)
			continue;
		for (; v[from].time_ms < v[i].time_ms - DAY_MS; from++)
			now -= v[from].host_no != LOOKALIKE_NO_HOST && --w->met[v[from].host_no] == 0;
		now += w->met[v[i].host_no]++ == 0;
		most = now > most ? now : most;
	}
	return most >= LOOKALIKE_WAVE_HOSTS;
}

/* ---- summing up ---- */

/* Look at each host of the N events from V on once; they are in order of hosts. */
static void
look_at_hosts(struct work *w, struct lookalike_event *v, size_t n, struct lookalike_summary *s)
{
	for (size_t i = 0; i < n; i++) {
		struct slice host = host_of(w->log, &v[i]);
		struct lookalike_finding f;

		v[i].host_no = LOOKALIKE_NO_HOST;
		if (i > 0 && slice_eq(host, host_of(w->log, &v[i - 1]))) {
			v[i].host_no = v[i - 1].host_no;
			continue;
		}
		s->hosts++;
		lookalike_find(w->log->lookalike, host, &w->log->levels, &f);
		if (is_of_wave(&f)) {
			v[i].host_no = (uint32_t)s->wave.hosts;
			add_to_wave(w, s, host, &f);
		}
		if (i == 0 || f.level > s->worst.level) {
			s->worst = f;
			s->host = host;
		}
	}
	for (size_t i = 0; i < n; i++)
		s->wave.itself |= v[i].host_no != LOOKALIKE_NO_HOST && slice_eq(host_of(w->log, &v[i]), s->wave.domain);
}

/* N events from V on, of one registrable domain. */
static struct lookalike_summary
sum_up(struct work *w, struct lookalike_event *v, size_t n)
{
	struct lookalike_summary s = { .registrable = registrable_of(w->log, v), .first_ms = v->time_ms, .last_ms = v->time_ms };

	for (size_t i = 0; i < n; i++) {
		s.refused += v[i].refused;
		s.would += !v[i].refused;
		s.first_ms = v[i].time_ms < s.first_ms ? v[i].time_ms : s.first_ms;
		s.last_ms = v[i].time_ms > s.last_ms ? v[i].time_ms : s.last_ms;
	}
	look_at_hosts(w, v, n, &s);
	count_targets(w, &s.wave);
	s.wave.found = s.wave.targets > 1 || (s.wave.hosts >= LOOKALIKE_WAVE_HOSTS && is_busy_day(w, v, n, s.wave.hosts));
	qsort_r(v, n, sizeof(*v), by_client, w->log);
	for (size_t i = 0; i < n; i++)
		s.clients += i == 0 || !slice_eq(client_of(w->log, &v[i]), client_of(w->log, &v[i - 1]));
	return s;
}

int
lookalike_log_sum(struct lookalike_log *log, struct lookalike_summary **out, size_t *n)
{
	struct work w = { .log = log, .targets = calloc(log->n + 1, sizeof(*w.targets)), .met = calloc(log->n + 1, sizeof(*w.met)) };
	struct lookalike_summary *all = calloc(log->n + 1, sizeof(*all));
	int result = -1;

	*n = 0;
	if (all != NULL && w.targets != NULL && w.met != NULL) {
		if (log->n > 0)
			qsort_r(log->v, log->n, sizeof(*log->v), by_host, log);
		for (size_t i = 0, k; i < log->n; i = k) {
			for (k = i + 1; k < log->n && slice_eq(registrable_of(log, &log->v[k]), registrable_of(log, &log->v[i])); k++)
				;
			all[(*n)++] = sum_up(&w, &log->v[i], k - i);
		}
		if (*n > 0)
			qsort(all, *n, sizeof(*all), most_clients_first);
		result = 0;
	}
	free(w.targets);
	free(w.met);
	if (result == -1) {
		free(all);
		all = NULL;
		errno = ENOMEM;
	}
	*out = all;
	return result;
}
