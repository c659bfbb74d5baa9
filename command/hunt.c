#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "command/access_logs.h"
#include "command/events.h"
#include "command/purge.h"
#include "command/show.h"
#include "command/verb.h"
#include "judge/judge.h"
#include "ruleset/overview.h"

enum { FLAG_DAYS, FLAG_FORMAT, FLAG_JSON, FLAG_LOG, FLAG_PURGE, FLAG_SINCE, FLAGS };
enum { MS = 1000, DAYS_MAX = 36500, HITS_MAX = 256 << 20, SIZES_MAX = 1 << 20, URLS_MAX = 100000, URLS_TEXT = 256 << 20 };

/* How long the head of a response may be that a log counts with the body: where it does not say. */
enum { HEAD_LEAST = 19, HEAD_MOST = 4096 };

/* A URL that is to be purged: where it stands in the text. */
struct met_url {
	uint64_t	hash;
	size_t		at, len;
};

struct hunt {
	const struct call	*call;
	const char		*what;		/* a rule's id or a source; NULL: what came after OLD */
	struct generation	*g, *old;	/* OLD: NULL with WHAT */
	bool			 json;
	const char		**paths;
	struct access_logs	 logs;
	int64_t			 now;
	struct pseudonyms	*pseudonyms;	/* for exceptions; NULL */
	struct listed_size {
		uint64_t	 size;
		char		*rule;
	}			*sizes;		/* of file rules that are hunted, sorted */
	size_t			 n_sizes, lost_sizes;
	bool			 names;		/* some of them go by a name */
	const char		*squid;		/* NULL: nothing is purged */
	uint8_t			 key[SIPHASH_KEY];
	struct met_url		*urls;		/* an open table */
	size_t			 n_urls, lost_urls, hidden_urls;
	struct buf		 text;		/* of URLs, one behind the other */
	uint64_t		 requests, events;
	bool			 failed;	/* something could not be printed */
};

/* ---- which rules ---- */

/* RULE, with its key, is one that is hunted, as far as its name tells. */
static bool
is_meant(const struct hunt *h, const struct rule *rule)
{
	char space[RULE_NAME_MAX];
	struct buf id;
	bool meant;

	if (rule->action != RULE_BLOCK)
		return false;
	/* A selftest asks for its canaries every few minutes: they are hunted only by name. */
	if (h->what == NULL && rule_is_canary(rule))
		return false;
	if (h->what == NULL || slice_eq(rule->source, slice_str(h->what)))
		return true;
	buf_init_in(&id, space, sizeof(space), URL_RAW_MAX * 2);
	rule_id_format(rule, &id);
	meant = slice_eq(buf_slice(&id), slice_str(h->what));
	buf_fini(&id);
	return meant;
}

static int
add_size(struct hunt *h, const struct rule *rule)
{
	struct listed_size *v;
	struct buf id;

	if (h->n_sizes == SIZES_MAX) {
		h->lost_sizes++;
		return 0;
	}
	if ((h->n_sizes & (h->n_sizes - 1)) == 0) {
		if ((v = realloc(h->sizes, (h->n_sizes == 0 ? 1 : 2 * h->n_sizes) * sizeof(*v))) == NULL)
			return -1;
		h->sizes = v;
	}
	buf_init(&id, URL_RAW_MAX * 2);
	rule_id_format(rule, &id);
	h->sizes[h->n_sizes] = (struct listed_size){ .size = rule->key.size, .rule = slice_dup(buf_slice(&id)) };
	buf_fini(&id);
	return h->sizes[h->n_sizes++].rule == NULL ? -1 : 0;
}

/* A file rule is known in a log by its size, or by a name. */
static int
visit_rule(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct hunt *h = arg;

	(void)layer;
	(void)ref;
	if (rule->kind != RULE_FILE || !is_meant(h, rule))
		return 0;
	if (rule->key.digest == NULL) {
		h->names = true;
		return 0;
	}
	if (rule->key.size == HASHDB_SIZE_ANY || (h->old != NULL && generation_has_size(h->old, rule->key.size)))
		return 0;
	return add_size(h, rule);
}

static int
by_size(const void *a, const void *b)
{
	const struct listed_size *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size ? 1 : strcmp(x->rule, y->rule);
}

/* The first that is not smaller. */
static size_t
find_size(const struct hunt *h, uint64_t size)
{
	size_t from = 0, to = h->n_sizes;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (h->sizes[middle].size < size)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* ---- looking, in threads ---- */

struct member {
	struct access_member	 access;
	const struct hunt	*h;
	struct buf		 hits;
};

/* How an entry met a rule. */
enum met { MET_RULE, MET_NAME, MET_SIZE, MET_SIZE_ONLY };

static const char *
met_name(enum met met)
{
	static const char *const names[] = { "request", "name", "size", "size only" };

	return names[met];
}

struct hit {
	enum met	met;
	uint32_t	rule, client, user, url;	/* lengths */
	int64_t		time_ms, size;
	bool		connects;
};

static void
add_hit(struct member *m, enum met met, struct slice rule, const struct access_entry *e)
{
	struct hit hit = { .met = met, .rule = (uint32_t)rule.len, .client = (uint32_t)e->client.len, .user = (uint32_t)e->user.len,
		.url = (uint32_t)e->url.len, .time_ms = e->time_ms, .size = e->size, .connects = e->kind != ACCESS_URL };

	if (hit.size != ACCESS_UNKNOWN && e->head_size != ACCESS_UNKNOWN)
		hit.size = e->size > e->head_size ? e->size - e->head_size : 0;
	buf_add(&m->hits, &hit, sizeof(hit));
	buf_add_slice(&m->hits, rule);
	buf_add_slice(&m->hits, e->client);
	buf_add_slice(&m->hits, e->user);
	buf_add_slice(&m->hits, e->url);
}

/* The id of the rule behind STEP of G, if that is one to be asked about: into OUT. */
static bool
step_rule(const struct generation *g, const struct step *step, char name[static RULE_NAME_MAX], struct rule *rule)
{
	if (step->kind != STEP_RULE || step->result == STEP_EXPIRED || generation_rule(g, step->layer, step->ref, name, rule) == -1)
		return false;
	rule->kind = step->rule_kind;
	rule->key = step->key;
	return true;
}

/* The old generation had a rule that matches what RULE does and is called the same. */
static bool
was_there(const struct hunt *h, const struct question *q, struct slice id)
{
	struct why why;
	bool there = false;

	judge_request(h->old, (int)generation_site(h->old)->fail_mode, q, &why);
	for (size_t i = 0; !there && i < why.n_steps; i++) {
		char name[RULE_NAME_MAX], space[RULE_NAME_MAX];
		struct rule rule;
		struct buf other;

		if (!step_rule(h->old, &why.steps[i], name, &rule))
			continue;
		buf_init_in(&other, space, sizeof(space), URL_RAW_MAX * 2);
		rule_id_format(&rule, &other);
		there = slice_eq(buf_slice(&other), id);
		buf_fini(&other);
	}
	return there;
}

/* Rules for requests: all that match, whether they decided or something else did. */
static void
look_at_request(struct member *m, const struct access_entry *e, const struct url *url)
{
	struct asker asker = { .client = e->client, .user = e->user, .host = url->host, .pseudonyms = m->h->pseudonyms };
	struct question q = { .url = url, .now = m->h->now, .asker = &asker };
	struct why why;

	judge_request(m->h->g, (int)generation_site(m->h->g)->fail_mode, &q, &why);
	for (size_t i = 0; i < why.n_steps; i++) {
		char name[RULE_NAME_MAX], space[RULE_NAME_MAX];
		struct rule rule;
		struct buf id;

		if (!step_rule(m->h->g, &why.steps[i], name, &rule) || !is_meant(m->h, &rule))
			continue;
		buf_init_in(&id, space, sizeof(space), URL_RAW_MAX * 2);
		rule_id_format(&rule, &id);
		if (m->h->old == NULL || !was_there(m->h, &q, buf_slice(&id)))
			add_hit(m, MET_RULE, buf_slice(&id), e);
		buf_fini(&id);
	}
}

/* MATCH is among the N of before. */
static bool
is_among(const struct name_match *match, const struct name_match *before, size_t n)
{
	for (size_t i = 0; i < n && i < STEPS_MAX; i++)
		if (match->size == before[i].size && slice_eq(match->pattern, before[i].pattern))
			return true;
	return false;
}

/* File rules by name. */
static void
look_at_name(struct member *m, const struct access_entry *e, const struct url *url)
{
	struct file_names names = { 0 };
	struct name_match match[STEPS_MAX], before[STEPS_MAX];
	uint64_t size = e->size != ACCESS_UNKNOWN && e->head_size != ACCESS_UNKNOWN && e->size >= e->head_size ?
	    (uint64_t)(e->size - e->head_size) : HASHDB_SIZE_ANY;
	size_t n, n_before = 0;

	if (e->kind != ACCESS_URL)
		return;
	file_names_add_path(&names, url->path_query);
	n = generation_match_names(m->h->g, &names, size, match, STEPS_MAX);
	if (n > 0 && m->h->old != NULL)
		n_before = generation_match_names(m->h->old, &names, size, before, STEPS_MAX);
	for (size_t i = 0; i < n && i < STEPS_MAX; i++) {
		char name[RULE_NAME_MAX], space[RULE_NAME_MAX];
		struct rule rule;
		struct buf id;

		if (is_among(&match[i], before, n_before) ||
		    generation_rule(m->h->g, match[i].layer, match[i].ref, name, &rule) == -1)
			continue;
		rule.kind = RULE_FILE;
		rule.key = (struct rule_key){ .path = match[i].pattern, .size = match[i].size };
		buf_init_in(&id, space, sizeof(space), URL_RAW_MAX * 2);
		rule_id_format(&rule, &id);
		if (is_meant(m->h, &rule))
			add_hit(m, MET_NAME, buf_slice(&id), e);
		buf_fini(&id);
	}
}

/* File rules by size: exactly where the log has that of the head as well, else wherever a head may account for the rest. */
static void
look_at_size(struct member *m, const struct access_entry *e)
{
	const struct hunt *h = m->h;
	bool exact = e->head_size != ACCESS_UNKNOWN;
	uint64_t from, to;

	if (e->kind != ACCESS_URL || e->size <= HEAD_LEAST || (e->status.len > 0 && !slice_eq(e->status, SLICE("200"))) ||
	    (exact && e->head_size > e->size))
		return;
	from = exact ? (uint64_t)(e->size - e->head_size) : e->size > HEAD_MOST ? (uint64_t)e->size - HEAD_MOST : 1;
	to = exact ? from : (uint64_t)e->size - HEAD_LEAST;
	for (size_t i = find_size(h, from); i < h->n_sizes && h->sizes[i].size <= to; i++)
		add_hit(m, exact ? MET_SIZE : MET_SIZE_ONLY, slice_str(h->sizes[i].rule), e);
}

static void
look(void *member, const struct access_entry *e, const struct url *url)
{
	struct member *m = member;

	look_at_request(m, e, url);
	if (m->h->names)
		look_at_name(m, e, url);
	if (m->h->n_sizes > 0)
		look_at_size(m, e);
}

/* ---- telling, in order ---- */

static void
print_json(struct hunt *h, const struct hit *hit, const char *date, struct slice rule, struct slice client, struct slice user,
    const char *url)
{
	json_t *j = json_object();

	if (date[0] != '-')
		json_object_set_new(j, "time", json_string(date));
	json_object_set_new(j, "rule", show_json_text(rule));
	json_object_set_new(j, "by", json_string(met_name(hit->met)));
	json_object_set_new(j, "client", show_json_text(client));
	if (user.len > 0)
		json_object_set_new(j, "user", show_json_text(user));
	json_object_set_new(j, "url", show_json_text(slice_str(url)));
	if (hit->size != ACCESS_UNKNOWN)
		json_object_set_new(j, "size", json_integer(hit->size));
	h->failed |= show_json(j, false) == -1;
}

static void
print_text(const struct hit *hit, const char *date, struct slice rule, struct slice client, struct slice user, const char *url)
{
	printf("%s  ", date);
	show_text(stdout, client.len > 0 ? client : SLICE("-"));
	fputs("  ", stdout);
	show_text(stdout, user.len > 0 ? user : SLICE("-"));
	fputs("  ", stdout);
	show_text(stdout, rule);
	printf("  %s  ", met_name(hit->met));
	if (hit->size != ACCESS_UNKNOWN)
		printf("%" PRId64 "  ", hit->size);
	else
		fputs("-  ", stdout);
	show_text(stdout, slice_str(url));
	putchar('\n');
}

/* Keep URL for later, once. */
static int
keep_url(struct hunt *h, struct slice url)
{
	enum { TABLE = 1 << 18 };
	uint64_t hash = siphash(h->key, url);
	size_t at = hash & (TABLE - 1);

	if (h->urls == NULL && (h->urls = calloc(TABLE, sizeof(*h->urls))) == NULL)
		return ENOMEM;
	if (!purge_possible(url)) {
		h->hidden_urls++;
		return 0;
	}
	for (; h->urls[at].len > 0; at = (at + 1) & (TABLE - 1))
		if (h->urls[at].hash == hash && slice_eq(slice_make(h->text.p + h->urls[at].at, h->urls[at].len), url))
			return 0;
	if (h->n_urls == URLS_MAX || h->text.len + url.len > URLS_TEXT) {
		h->lost_urls++;
		return 0;
	}
	h->urls[at] = (struct met_url){ .hash = hash, .at = h->text.len, .len = url.len };
	if (buf_add_slice(&h->text, url) == -1)
		return ENOMEM;
	buf_add_char(&h->text, '\n');
	h->n_urls++;
	return 0;
}

/* The hit that REST begins with. */
static int
tell_hit(struct hunt *h, struct slice *rest)
{
	const struct site *site = generation_site(h->g);
	struct slice rule, client, user, url;
	char date[CLOCK_TEXT] = "-", *shown;
	struct hit hit;

	memcpy(&hit, slice_take(rest, sizeof(hit)).p, sizeof(hit));
	rule = slice_take(rest, hit.rule);
	client = slice_take(rest, hit.client);
	user = slice_take(rest, hit.user);
	url = slice_take(rest, hit.url);
	if (hit.time_ms != ACCESS_UNKNOWN)
		clock_format_ms(hit.time_ms, date);
	if ((shown = access_url_shown(url, site->log_query, site->log_mail)) == NULL)
		return ENOMEM;
	h->requests++;
	if (h->json)
		print_json(h, &hit, date, rule, client, user, shown);
	else
		print_text(&hit, date, rule, client, user, shown);
	free(shown);
	return h->squid != NULL && !hit.connects ? keep_url(h, url) : 0;
}

static int
tell_piece(void *arg, void *member)
{
	struct member *m = member;
	struct slice rest = buf_slice(&m->hits);
	int r = m->hits.failed ? ENOMEM : 0;

	while (r == 0 && rest.len > 0)
		r = tell_hit(arg, &rest);
	buf_reset(&m->hits);
	return r;
}

/* ---- the logs, the events ---- */

static int
hunt_logs(struct hunt *h, struct diag *diag)
{
	size_t n = log_crew_size();
	struct member *crew = calloc(n, sizeof(*crew));
	void *members[LOG_CREW_MEMBERS];
	bool damaged = false;
	int r;

	if (crew == NULL || generation_each(h->g, visit_rule, h, &damaged) == -1) {
		diag_error(diag, "out of memory");
		free(crew);
		return -1;
	}
	if (h->n_sizes > 0)
		qsort(h->sizes, h->n_sizes, sizeof(*h->sizes), by_size);
	if (h->lost_sizes > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu more file rules are not looked for by their size", h->lost_sizes);
	for (size_t i = 0; i < n; i++) {
		crew[i].h = h;
		buf_init(&crew[i].hits, HITS_MAX);
		members[i] = &crew[i];
	}
	h->logs.entry = look;
	h->logs.piece = tell_piece;
	h->logs.arg = h;
	r = access_logs_read(&h->logs, members, n, diag);
	access_logs_note(&h->logs, diag);
	for (size_t i = 0; i < n; i++)
		buf_fini(&crew[i].hits);
	free(crew);
	return r;
}

static int
tell_event(void *arg, const struct event_row *row)
{
	struct hunt *h = arg;
	char date[CLOCK_TEXT];
	json_t *j;

	h->events++;
	if (!h->json) {
		events_print_row(row, EVENTS_TABLE);
		return 0;
	}
	clock_format_ms(row->ms, date);
	j = json_object();
	json_object_set_new(j, "time", json_string(date));
	json_object_set_new(j, "rule", show_json_text(row->words[EVENT_WORD_RULE]));
	json_object_set_new(j, "by", json_string("event"));
	json_object_set_new(j, "incident", json_string(row->id));
	json_object_set_new(j, "action", show_json_text(row->words[EVENT_WORD_ACTION]));
	json_object_set_new(j, "client", show_json_text(row->words[EVENT_WORD_CLIENT]));
	if (row->words[EVENT_WORD_USER].len > 0)
		json_object_set_new(j, "user", show_json_text(row->words[EVENT_WORD_USER]));
	json_object_set_new(j, "url", show_json_text(row->url));
	h->failed |= show_json(j, false) == -1;
	return 0;
}

/* What the event log has of the rule, and then of the source. */
static int
hunt_events(struct hunt *h, struct diag *diag)
{
	static const enum event_word words[] = { EVENT_WORD_RULE, EVENT_WORD_SOURCE };
	char path[STATE_PATH];
	struct eventstore *store;
	bool partial;
	int r = 0;

	if (h->what == NULL || call_path(h->call, STATE_EVENTS, path) == -1 || access(path, F_OK) == -1)
		return 0;
	if ((store = events_open(h->call, NULL, &partial)) == NULL)
		return -1;
	for (size_t i = 0; r == 0 && i < sizeof(words) / sizeof(*words); i++) {
		struct event_query q = { .from_ms = h->logs.since_ms, .exact = true };

		q.words[words[i]] = slice_str(h->what);
		r = eventstore_search(store, &q, tell_event, h, diag);
	}
	eventstore_close(store);
	return r == 0 && !partial ? 0 : -1;
}

/* ---- purging ---- */

static const char *
purge_words(int status)
{
	return status == PURGE_PURGED ? "purged" : status == PURGE_ABSENT ? "was not cached" : "refused: squid.conf has to allow PURGE";
}

static void
tell_purge(struct hunt *h, struct slice url, int status, const char *words)
{
	const struct site *site = generation_site(h->g);
	char *shown = access_url_shown(url, site->log_query, site->log_mail);
	json_t *j;

	if (shown == NULL)
		return;
	if (h->json) {
		j = json_object();
		json_object_set_new(j, "purge", show_json_text(slice_str(shown)));
		json_object_set_new(j, "status", status == -1 ? json_null() : json_integer(status));
		json_object_set_new(j, "result", json_string(words));
		h->failed |= show_json(j, false) == -1;
	} else {
		printf("%s  ", words);
		show_text(stdout, slice_str(shown));
		putchar('\n');
	}
	free(shown);
}

static int
purge_all(struct hunt *h, struct diag *diag)
{
	struct slice rest = buf_slice(&h->text), url;
	const char *why;
	struct purge p;
	int result = 0;

	if (purge_open(&p, h->squid, &why) == -1) {
		diag_error(diag, "--purge %s: %s", h->squid, why);
		return -1;
	}
	for (size_t n = 1; rest.len > 0; n++) {
		int status;

		slice_cut(rest, '\n', &url, &rest);
		show_progress("purging %zu of %zu", n, h->n_urls);
		status = purge_url(&p, url);
		why = status == -1 ? errno == EAGAIN ? "no answer in time" : strerror(errno) : purge_words(status);
		show_progress_end();
		tell_purge(h, url, status, why);
		result = status != PURGE_PURGED && status != PURGE_ABSENT ? -1 : result;
	}
	purge_close(&p);
	if (h->lost_urls > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "more than %d URLs: the others were not purged", URLS_MAX);
	if (h->hidden_urls > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0, "%zu request%s cannot be purged, as the log does not have the whole URL: Squid leaves "
		    "queries out unless \"strip_query_terms off\" says otherwise", h->hidden_urls, show_s(h->hidden_urls));
	return h->lost_urls > 0 || h->hidden_urls > 0 ? -1 : result;
}

/* ---- the verb ---- */

static int
open_generations(struct hunt *h, const char *since, struct diag *diag)
{
	char rules[STATE_PATH];
	uint64_t number;

	if ((h->g = overview_generation(h->call->state, false, diag)) == NULL)
		return -1;
	h->now = judge_now(h->g, clock_ms() / MS);
	h->pseudonyms = call_pseudonyms(h->call);
	if (since == NULL)
		return 0;
	if (slice_u64(slice_str(since), &number) == -1 || call_path(h->call, STATE_RULES, rules) == -1) {
		diag_error(diag, "--since takes the number of a generation");
		return -1;
	}
	if ((h->old = generation_open_kept(rules, number, false, diag)) != NULL)
		return 0;
	diag_error(diag, "generation %" PRIu64 " is not kept: \"firebreak rules list\" shows those that are", number);
	return -1;
}

static int
hunt(struct hunt *h, const char *since, struct diag *diag)
{
	int r;

	if (open_generations(h, since, diag) == -1)
		return EXIT_TROUBLE;
	r = hunt_events(h, diag) | (h->logs.n > 0 ? hunt_logs(h, diag) : 0);
	if (h->squid != NULL)
		r |= purge_all(h, diag);
	if (!h->json && h->requests + h->events == 0)
		puts("nobody has met it");
	return r != 0 || h->failed ? EXIT_TROUBLE : h->requests + h->events > 0 ? EXIT_FOUND : EXIT_FINE;
}

/* Operands are what is hunted, unless --since says it, and more logs.  EXIT_FINE, or another status after saying what is wrong. */
static int
take_operands(struct hunt *h, const struct call *c, const char *const *values)
{
	int first = values[FLAG_SINCE] == NULL;
	uint64_t days = 0;

	if (first && c->argc == 0)
		return call_misused(c, "which rule or source? or --since GENERATION");
	if (values[FLAG_DAYS] != NULL && (slice_u64(slice_str(values[FLAG_DAYS]), &days) == -1 || days == 0 || days > DAYS_MAX))
		return call_misused(c, "--days takes a number of days");
	if (days > 0 && !access_format_has_time(h->logs.format))
		return call_misused(c, "--days: the format has no time");
	if (values[FLAG_LOG] == NULL && (values[FLAG_PURGE] != NULL || !first || c->argc > first))
		return call_misused(c, "--log FILE: which access log?");
	if ((h->paths = calloc((size_t)c->argc + 1, sizeof(*h->paths))) == NULL)
		return call_fail(c, "%s", strerror(errno));
	h->what = first ? c->argv[0] : NULL;
	h->logs.since_ms = days == 0 ? 0 : clock_ms() - (int64_t)days * CLOCK_DAY_S * MS;
	if (values[FLAG_LOG] != NULL)
		h->paths[h->logs.n++] = values[FLAG_LOG];
	for (int i = first; i < c->argc; i++)
		h->paths[h->logs.n++] = c->argv[i];
	h->logs.paths = h->paths;
	return EXIT_FINE;
}

static void
hunt_fini(struct hunt *h)
{
	for (size_t i = 0; i < h->n_sizes; i++)
		free(h->sizes[i].rule);
	free(h->sizes);
	free(h->urls);
	free(h->paths);
	buf_fini(&h->text);
	generation_close(h->g);
	generation_close(h->old);
	pseudonyms_free(h->pseudonyms);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "days=", "format=", "json", "log=", "purge=", "since=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct hunt h = { .call = c, .json = false };
	struct access_format *format;
	struct diag diag = { 0 };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	h.json = values[FLAG_JSON] != NULL;
	h.squid = values[FLAG_PURGE];
	buf_init(&h.text, 2 * (size_t)URLS_TEXT);
	if (getrandom(h.key, sizeof(h.key), 0) == -1)
		return call_fail(c, "%s", strerror(errno));
	h.logs.format = format = access_format_new(slice_str(values[FLAG_FORMAT]), &diag);
	if (format != NULL && take_operands(&h, c, values) == EXIT_FINE)
		status = hunt(&h, values[FLAG_SINCE], &diag);
	fflush(stdout);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	hunt_fini(&h);
	access_format_free(format);
	return status;
}

const struct verb verb_hunt = {
	.name = "hunt",
	.run = run,
	.operands = "RULE|SOURCE|--since GENERATION [--log FILE [FILE ...]] [--format LOGFORMAT] [--days N] [--purge SQUID:PORT] [--json]",
	.summary = "Who has met this rule already, by the access logs and the event log?",
	.help =
	    "  RULE, SOURCE    a rule by its id, or all of a source\n"
	    "  --since GENERATION  the rules that the live generation has and this one had not\n"
	    "  --log FILE      access logs of Squid, plain or of gzip; - is standard input\n"
	    "  --format LOGFORMAT  what they are written in, as squid.conf has it; else Squid's own, common and combined\n"
	    "  --days N        of the last N days only\n"
	    "  --purge SQUID:PORT  remove what was met from this Squid's cache\n"
	    "  --json          one object a line\n",
};
