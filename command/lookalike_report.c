#include "command/lookalike_report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/line_file.h"
#include "command/show.h"
#include "events/event.h"

enum { LINE_MAX_BYTES = 1 << 20, ENTRIES_MAX = 4000000, TEXT_MAX = 1 << 30, SENTENCE_MAX = 4096, WAVE_HOSTS = 3 };

#define SECOND_MS	1000

/* One event; its texts are in the report's buffer. */
struct entry {
	uint32_t	at;			/* of host, registrable domain (the end of the host) and client, side by side */
	uint16_t	host_len, registrable_len, client_len;
	bool		refused;
	int64_t		time_ms;
};

struct report {
	const struct scan	*scan;
	int64_t			 since_ms;
	struct buf		 text;
	struct entry		*v;
	size_t			 n, cap, lost;
};

/* What is said of one registrable domain. */
struct summary {
	struct slice	registrable;
	size_t		refused, would, hosts, clients;
	int64_t		first_ms, last_ms;
	struct slice	host;			/* of the worst finding */
	struct lookalike_finding worst;
	size_t		wave_hosts;		/* that embed a whole domain, with nothing that speaks for them */
	struct slice	wave, target;		/* the longest domain above all of them; what the first one embeds */
	bool		other_targets;		/* and others something else */
};

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
add_entry(struct report *r, struct entry e, struct slice host, struct slice client)
{
	if (r->n == ENTRIES_MAX || r->text.len + host.len + client.len > TEXT_MAX) {
		r->lost++;
		return 0;
	}
	if (r->n == r->cap) {
		size_t cap = r->cap > 0 ? 2 * r->cap : 1024;
		struct entry *v = realloc(r->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		r->v = v;
		r->cap = cap;
	}
	e.at = (uint32_t)r->text.len;
	e.host_len = (uint16_t)host.len;
	e.client_len = (uint16_t)client.len;
	if (buf_add_slice(&r->text, host) == -1 || buf_add_slice(&r->text, client) == -1)
		return -1;
	r->v[r->n++] = e;
	return 0;
}

static int
read_event(struct report *r, const json_t *event)
{
	struct slice host = text_of(event, "url", "domain"), client = text_of(event, "client", "ip");
	struct slice action = text_of(event, "event", "action");
	struct entry e = { .time_ms = time_of(text_of(event, "@timestamp", NULL)) };
	struct lookalike_suffix suffix;
	size_t at;

	if (!slice_eq(text_of(event, "event", "reason"), SLICE("lookalike")) || host.len == 0 || host.len > LOOKALIKE_HOST_MAX ||
	    client.len > UINT16_MAX || e.time_ms < r->since_ms)
		return 0;
	suffix = lookalike_suffix(r->scan->lookalike, host);
	at = host.len - suffix.any;
	for (at -= at > 0; at > 0 && host.p[at - 1] != '.'; at--)
		;
	e.registrable_len = (uint16_t)(host.len - at);
	e.refused = !slice_eq(action, slice_str(event_action_name(EVENT_WOULD_BLOCK)));
	return add_entry(r, e, host, client);
}

static int
read_line(void *arg, struct slice line)
{
	json_t *event;
	int r;

	if (line.len > LINE_MAX_BYTES || slice_search(line, SLICE("\"lookalike\"")) == line.len)
		return 0;
	if ((event = json_loadb(line.p, line.len, 0, NULL)) == NULL)
		return 0;
	r = read_event(arg, event);
	json_decref(event);
	return r;
}

/* ---- summing up ---- */

static struct slice
host_of(const struct report *r, const struct entry *e)
{
	return slice_make(r->text.p + e->at, e->host_len);
}

static struct slice
registrable_of(const struct report *r, const struct entry *e)
{
	return slice_make(r->text.p + e->at + e->host_len - e->registrable_len, e->registrable_len);
}

static struct slice
client_of(const struct report *r, const struct entry *e)
{
	return slice_make(r->text.p + e->at + e->host_len, e->client_len);
}

static int
by_host(const void *a, const void *b, void *report)
{
	int r = slice_cmp(registrable_of(report, a), registrable_of(report, b));

	return r != 0 ? r : slice_cmp(host_of(report, a), host_of(report, b));
}

static int
by_client(const void *a, const void *b, void *report)
{
	return slice_cmp(client_of(report, a), client_of(report, b));
}

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

/* Whoever embeds two protected domains, or has many such hosts, has a wave: what it comes from is all of it. */
static void
add_wave(struct summary *s, struct slice host, const struct lookalike_finding *f)
{
	struct slice above = host;

	if (f->class > LOOKALIKE_E4 || f->class == LOOKALIKE_NONE || f->level < LOOKALIKE_LOG || f->excuse != EXCUSE_NONE)
		return;
	/* What stands right of the target is the attacker's own choice of names, and his alone. */
	above = slice_skip(host, (size_t)(f->spelled.p - host.p) + f->spelled.len);
	above = slice_skip(above, slice_find(above, '.') + 1);
	if (above.len < s->registrable.len)
		above = s->registrable;
	s->other_targets |= s->wave_hosts > 0 && !slice_eq(s->target, f->target);
	s->target = f->target;
	s->wave = s->wave_hosts++ == 0 ? above : common_domain(s->wave, above);
}

static bool
is_wave(const struct summary *s)
{
	return s->wave_hosts >= WAVE_HOSTS || s->other_targets;
}

/* N entries from V on, of one registrable domain. */
static struct summary
sum_up(struct report *r, struct entry *v, size_t n)
{
	struct summary s = { .registrable = registrable_of(r, v), .first_ms = v->time_ms, .last_ms = v->time_ms };

	for (size_t i = 0; i < n; i++) {
		struct lookalike_finding f;

		s.refused += v[i].refused;
		s.would += !v[i].refused;
		s.first_ms = v[i].time_ms < s.first_ms ? v[i].time_ms : s.first_ms;
		s.last_ms = v[i].time_ms > s.last_ms ? v[i].time_ms : s.last_ms;
		if (i > 0 && slice_eq(host_of(r, &v[i]), host_of(r, &v[i - 1])))
			continue;
		s.hosts++;
		lookalike_find(r->scan->lookalike, host_of(r, &v[i]), &r->scan->levels, &f);
		add_wave(&s, host_of(r, &v[i]), &f);
		if (i == 0 || f.level > s.worst.level) {
			s.worst = f;
			s.host = host_of(r, &v[i]);
		}
	}
	qsort_r(v, n, sizeof(*v), by_client, r);
	for (size_t i = 0; i < n; i++)
		s.clients += i == 0 || !slice_eq(client_of(r, &v[i]), client_of(r, &v[i - 1]));
	return s;
}

static int
most_clients_first(const void *a, const void *b)
{
	const struct summary *x = a, *y = b;

	if (x->clients != y->clients)
		return x->clients > y->clients ? -1 : 1;
	return slice_cmp(x->registrable, y->registrable);
}

/* ---- printing ---- */

static void
add_sentence(const struct summary *s, struct buf *out)
{
	if (s->worst.level == LOOKALIKE_OFF)
		buf_add_str(out, "no longer found");
	else
		lookalike_format(&s->worst, out);
}

static int
print_json(const struct summary *s, const char *first, const char *last, struct slice sentence)
{
	json_t *j = json_object();

	json_object_set_new(j, "registrable", show_json_text(s->registrable));
	show_json_number(j, "refused", s->refused);
	show_json_number(j, "would_refuse", s->would);
	show_json_number(j, "hosts", s->hosts);
	show_json_number(j, "clients", s->clients);
	json_object_set_new(j, "first", json_string(first));
	json_object_set_new(j, "last", json_string(last));
	json_object_set_new(j, "class", json_string(lookalike_class_name(s->worst.class)));
	json_object_set_new(j, "target", show_json_text(s->worst.target));
	json_object_set_new(j, "host", show_json_text(s->host));
	json_object_set_new(j, "message", show_json_text(sentence));
	if (is_wave(s))
		json_object_set_new(j, "wave", show_json_text(s->wave));
	return show_json(j, false);
}

static int
print_summary(const struct report *r, const struct summary *s)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	struct buf sentence;
	int result = 0;

	buf_init(&sentence, SENTENCE_MAX);
	add_sentence(s, &sentence);
	clock_format_s(s->first_ms / SECOND_MS, first);
	clock_format_s(s->last_ms / SECOND_MS, last);
	if (r->scan->form == SCAN_JSON) {
		result = print_json(s, first, last, buf_slice(&sentence));
	} else if (r->scan->form == SCAN_TSV) {
		show_text(stdout, s->registrable);
		printf("\t%zu\t%zu\t%zu\t%zu\t%s\t%s\t%s\t", s->refused, s->would, s->hosts, s->clients, first, last,
		    lookalike_class_name(s->worst.class));
		show_text(stdout, s->worst.target.len > 0 ? s->worst.target : SLICE("-"));
		putchar('\t');
		show_text(stdout, s->host);
		putchar('\t');
		show_text(stdout, buf_slice(&sentence));
		putchar('\t');
		show_text(stdout, is_wave(s) ? s->wave : SLICE("-"));
		putchar('\n');
	} else {
		show_text(stdout, s->registrable);
		printf(": %zu refused, %zu would have been; %zu host%s, %zu client%s, %s to %s\n  ", s->refused, s->would, s->hosts,
		    show_s(s->hosts), s->clients, show_s(s->clients), first, last);
		show_text(stdout, s->host);
		putchar(' ');
		show_text(stdout, buf_slice(&sentence));
		putchar('\n');
		if (is_wave(s)) {
			printf("  a wave; all of it: firebreak block .");
			show_text(stdout, s->wave);
			putchar('\n');
		}
	}
	buf_fini(&sentence);
	return result;
}

/* Sum up and print all of R.  -1 without memory. */
static int
print_all(struct report *r)
{
	struct summary *all = calloc(r->n + 1, sizeof(*all));
	size_t n = 0;
	int result = all == NULL ? -1 : 0;

	if (r->n > 0)
		qsort_r(r->v, r->n, sizeof(*r->v), by_host, r);
	for (size_t i = 0, k; all != NULL && i < r->n; i = k) {
		for (k = i + 1; k < r->n && slice_eq(registrable_of(r, &r->v[k]), registrable_of(r, &r->v[i])); k++)
			;
		all[n++] = sum_up(r, &r->v[i], k - i);
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), most_clients_first);
	for (size_t i = 0; result == 0 && i < n; i++)
		result = print_summary(r, &all[i]);
	free(all);
	return result;
}

int
lookalike_report(const struct scan *scan, const char *path, int64_t since_ms)
{
	struct report r = { .scan = scan, .since_ms = since_ms };
	int fd = open(path, O_RDONLY | O_CLOEXEC), result, error;

	if (fd == -1)
		return -1;
	buf_init(&r.text, TEXT_MAX);
	result = line_file_read(fd, LINE_MAX_BYTES, read_line, &r);
	if (result == 0)
		result = print_all(&r);
	error = errno;
	if (r.lost > 0)
		fprintf(stderr, "firebreak lookalike: note: %zu events more than fit are left out\n", r.lost);
	close(fd);
	buf_fini(&r.text);
	free(r.v);
	errno = error;
	return result;
}
