/* property - what must hold for every body, coding, archive, framing, preview, read and request: tried with random ones.  TAP.
 *
 *	property [--seed S] [--cases N] [--case N [--verbose]] [--break WORD]
 *
 * An origin serves one representation truthfully, under RangePolicy auto or strip, nothing over a limit.  Then
 *	1. no listed file comes out whole of all that up to five requests were given, however tolerant a client is (unpack.h);
 *	2. what matches no rule arrives byte for byte;
 *	3. a broken transfer is one event "killed", a page one "blocked", anything else none (passed_unchecked is counted apart).
 * REQMOD is asked too, and the origin answers what it made of the request.
 *
 * FIREBREAK_SEED and FIREBREAK_CASES are defaults of the options.  FIREBREAK_PROPERTY says what is tried, of "identity codings
 * archives ranges".  FIREBREAK_HELPER is the program that looks into archives.  With --break, or by itself in short, the service
 * is set up so that it cannot do its job: a test that still passes is none. */
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/publish.h"
#include "ruleset/site.h"
#include "runtime/runtime.h"
#include "runtime/state.h"
#include "t/property/trial.h"
#include "t/property/unpack.h"
#include "t/replay/fake_server.h"
#include "t/tap.h"

enum { MS = 1000, FILE_MODE = 0644, LOG_MAX = 64 * 1024 * 1024, WHY_MAX = 1024 * 1024, CONF_MAX = 8192, RULES_MAX = 1024 * 1024,
	DEFAULT_CASES = 400, BROKEN_WORLDS = 12, STATUS_OK = 200, STATUS_NO_CONTENT = 204, STATUS_FORBIDDEN = 403,
	STATUS_PARTIAL_CONTENT = 206, TAIL_ASK = 70000, READS_MAX = 32, PAGE_4K = 4096, EXPLAIN_LINES = 12, EXPLAINED_MAX = 8, EXIT_USAGE = 2 };
#define DEFAULT_SEED	UINT64_C(19190)
#define DEFAULT_DIMENSIONS	"identity codings archives ranges"

/* How the service is kept from its job. */
enum broken { BROKEN_NOT, BROKEN_OFF, BROKEN_UNLISTED, BROKEN_TWINS, BROKEN_SILENT, BROKENS };
static const char *const broken_names[BROKENS] = { "nothing", "off", "unlisted", "twins", "silent" };
static const char *const broken_words[BROKENS] = {
	"", "the mode off", "no rule for the files", "a rule for what must pass", "an event log that keeps nothing"
};

struct options {
	uint64_t	 seed, cases, only;
	bool		 has_only, verbose;
	enum broken	 broken;
	unsigned	 dimensions;
};

/* A service with the rules of a world. */
struct run {
	const struct options	*o;
	char			*state;
	struct runtime		*runtime;
	struct fake_server	*fake;
	size_t			 log_at, violations_at, server_log_at;
	struct buf		 why;		/* a line for each difference */
	uint64_t		 exchanges, killed, blocked, unchecked, would_block;
};

static unsigned explained;
static uint64_t total_exchanges, total_killed, total_blocked, total_unchecked, total_would_block, total_cases;

/* What one exchange wrote. */
struct counts {
	unsigned killed, blocked, unchecked, would_block, other;
	bool	 partial;	/* a page because it is a part of something */
};

/* What one request came to. */
enum fate { FATE_WHOLE, FATE_KILLED, FATE_PAGE, FATE_ERROR };

/* What the client has by now. */
struct client {
	const struct trial	*t;
	char			*have;		/* a flag for each byte of the representation */
	struct counts		 sum;
	bool			 whole;		/* a plain answer arrived whole */
};

/* ---- the service ---- */

static void
write_state(struct run *r, const char *name, struct slice text)
{
	char path[STATE_PATH];

	if (state_path(r->state, name, path) == -1 || file_write(path, text, FILE_MODE) == -1)
		buf_addf(&r->why, "%s cannot be written\n", name);
}

static void
add_diag(struct run *r, struct diag *diag)
{
	char line[STATE_PATH];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		buf_addf(&r->why, "%s\n", line);
	}
	diag_fini(diag);
}

static void
publish_rules(struct run *r)
{
	struct publish_options o = { .state = r->state, .now = clock_ms() / MS };
	struct publish_report report;
	struct diag diag = { 0 };

	if (publish(&o, &report, &diag) == -1)
		add_diag(r, &diag);
	else
		runtime_set_generation(r->runtime, report.generation);
	diag_fini(&diag);
}

/* The program that looks into archives, if there is one. */
static const char *
helper(void)
{
	static char path[STATE_PATH];
	const char *given = getenv("FIREBREAK_HELPER"), *top = getenv("top_builddir");

	if (given != NULL)
		return given;
	snprintf(path, sizeof(path), "%s/firebreak-inspect-helper", top != NULL ? top : ".");
	return access(path, X_OK) == 0 ? path : NULL;
}

static void
start_service(struct run *r, const struct world *w)
{
	struct diag diag = { 0 };
	struct buf conf;

	buf_init(&conf, CONF_MAX);
	buf_add_str(&conf, w->conf);
	if (helper() != NULL)
		buf_addf(&conf, "Helper %s\n", helper());
	if (r->o->broken == BROKEN_SILENT)
		buf_add_str(&conf, "EventLog /dev/null\n");
	r->fake = fake_server_start(r->state, buf_slice(&conf), &diag);
	buf_fini(&conf);
	add_diag(r, &diag);
}

/* A service with the rules of the N TRIALS. */
static void
run_begin(struct run *r, const struct options *o, const struct world *w, const struct trial *trials, size_t n)
{
	struct diag diag = { 0 };
	struct buf rules;

	*r = (struct run){ .o = o, .state = temp_dir() };
	buf_init(&r->why, WHY_MAX);
	buf_init(&rules, RULES_MAX);
	buf_add_str(&rules, "block file 77777:md5:0123456789abcdef0123456789abcdef\n");
	for (size_t i = 0; i < n; i++) {
		if (o->broken != BROKEN_UNLISTED)
			buf_add_slice(&rules, buf_slice(&trials[i].rules));
		if (o->broken == BROKEN_TWINS && trials[i].expect == EXPECT_PASS)
			buf_add_slice(&rules, buf_slice(&trials[i].twins));
	}
	if (state_make(r->state) == -1)
		buf_add_str(&r->why, "the state folder cannot be made\n");
	else if ((r->runtime = runtime_open(r->state, &diag)) != NULL) {
		write_state(r, STATE_SOURCES "/local.rules", buf_slice(&rules));
		write_state(r, STATE_SITE, slice_str(w->site));
		publish_rules(r);
		if (o->broken == BROKEN_OFF)
			runtime_set_mode(r->runtime, MODE_OFF, 0);
		start_service(r, w);
	}
	add_diag(r, &diag);
	buf_fini(&rules);
}

static void
run_end(struct run *r)
{
	total_exchanges += r->exchanges;
	total_killed += r->killed;
	total_blocked += r->blocked;
	total_unchecked += r->unchecked;
	total_would_block += r->would_block;
	fake_server_stop(r->fake);
	runtime_close(r->runtime);
	remove_tree(r->state);
	free(r->state);
	buf_fini(&r->why);
}

/* ---- events ---- */

static void
count_event(struct counts *c, struct slice line)
{
	static const char *const names[] = { "blocked", "killed", "would_block", "passed_unchecked" };
	unsigned *const numbers[] = { &c->blocked, &c->killed, &c->would_block, &c->unchecked };
	char text[TRIAL_NAME];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "\"action\":\"%s\"", names[i]);
		if (slice_search(line, slice_str(text)) < line.len) {
			++*numbers[i];
			break;
		}
	}
	if (i == sizeof(names) / sizeof(names[0]))
		c->other++;
	if (slice_search(line, SLICE("\"reason\":\"partial\"")) < line.len)
		c->partial = true;
}

/* What the event log has got since it was last looked at. */
static struct counts
new_events(struct run *r)
{
	struct counts c = { 0 };
	char path[STATE_PATH];
	struct slice text, line;
	struct buf all;

	buf_init(&all, LOG_MAX);
	if (state_path(r->state, STATE_EVENTS, path) == 0 && file_read(path, &all) == 0) {
		text = slice_skip(buf_slice(&all), r->log_at);
		r->log_at = all.len;
		while (head_line(&text, &line)) {
			count_event(&c, line);
			if (r->o->verbose)
				printf("# %.*s\n", SLICE_ARGS(line));
		}
	}
	buf_fini(&all);
	r->killed += c.killed;
	r->blocked += c.blocked;
	r->unchecked += c.unchecked;
	r->would_block += c.would_block;
	return c;
}

/* ---- one request ---- */

/* How much of the front the client has. */
static size_t
front(const struct client *c)
{
	size_t n = 0, len = trial_body(c->t).len;

	while (n < len && c->have[n])
		n++;
	return n;
}

static void
add_range(const struct client *c, enum ask ask, struct buf *out)
{
	size_t len = trial_body(c->t).len, have = front(c);

	switch (ask) {
	case ASK_RESUME:
	case ASK_RESUME_IF:
		if (have == len)
			have = 0;
		buf_addf(out, "Range: bytes=%zu-\r\n", have);
		if (ask == ASK_RESUME_IF && c->t->etag[0] == '"')
			buf_addf(out, "If-Range: %s\r\n", c->t->etag);
		break;
	case ASK_TAIL:
		buf_addf(out, "Range: bytes=-%zu\r\n", have > 0 && have < len ? len - have : (size_t)TAIL_ASK);
		break;
	case ASK_MULTI:
		buf_addf(out, "Range: bytes=0-%zu, %zu-\r\n", len / 3, len / 3 + 1 < len ? len / 3 + 1 : 0);
		break;
	case ASK_HALF:
		buf_addf(out, "Range: bytes=0-%zu\r\n", len / 2);
		break;
	case ASK_REST:
		buf_addf(out, "Range: bytes=%zu-\r\n", len / 2 + 1 < len ? len / 2 + 1 : 0);
		break;
	default:
		break;
	}
}

static void
make_request(const struct client *c, enum ask ask, struct message *m)
{
	message_init(m);
	buf_addf(&m->head, "GET http://%s/%s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n", c->t->host, c->t->file,
	    c->t->host);
	add_range(c, ask, &m->head);
	buf_add_str(&m->head, "\r\n");
	m->ended = true;
}

/* The body of M in the reads that T wants. */
static void
cut_reads(const struct trial *t, struct message *m, size_t *read_size)
{
	struct rng rng = rng_of(t->number, m->body.len);
	struct buf all = m->body;

	*read_size = t->way.reads == READS_ONE ? 1 : t->way.reads == READS_WHOLE ? PAGE_4K : 0;
	buf_init(&m->body, MESSAGE_MAX);
	for (int i = 0; i < READS_MAX && m->body.len < all.len && *read_size == 0; i++) {
		size_t n = rng_between(&rng, 1, PAGE_4K), left = all.len - m->body.len;

		buf_add(&m->body, all.p + m->body.len, n < left ? n : left);
		message_add_read(m);
	}
	if (m->body.len < all.len)
		buf_add(&m->body, all.p + m->body.len, all.len - m->body.len);
	message_add_read(m);
	buf_fini(&all);
}

/* REQMOD: REQUEST becomes what the service makes of it.  False when it got a page. */
static bool
adapt_request(struct run *r, const struct trial *t, struct message *request)
{
	struct icap_call call = { .request = request, .preview = t->way.preview == NO_PREVIEW ? NO_PREVIEW : 0,
		.allow204 = t->way.allow204 };
	struct icap_reply reply;
	bool goes_on = true;

	icap_reply_init(&reply);
	fake_server_call(r->fake, &call, &reply);
	if (reply.status == STATUS_OK && slice_starts(buf_slice(&reply.head), SLICE("HTTP/")))
		goes_on = false;
	else if (reply.status == STATUS_OK) {
		buf_reset(&request->head);
		buf_add_slice(&request->head, buf_slice(&reply.head));
	} else if (reply.status != STATUS_NO_CONTENT)
		buf_addf(&r->why, "REQMOD: status %d\n", reply.status);
	icap_reply_fini(&reply);
	return goes_on;
}

/* The client has the first LEN bytes of the answer's body. */
static void
take(struct client *c, const struct answer *a, size_t len)
{
	for (size_t i = 0; i < a->n_segments; i++) {
		const struct segment *s = &a->segments[i];
		size_t n = len > s->at ? len - s->at : 0;

		memset(c->have + s->from, 1, n < s->len ? n : s->len);
	}
}

static enum fate
judge_reply(struct run *r, struct client *c, const struct answer *a, const struct icap_reply *reply)
{
	struct slice body = buf_slice(&a->m.body), got = buf_slice(&reply->body);

	if (reply->status == STATUS_NO_CONTENT) {
		take(c, a, body.len);
		return FATE_WHOLE;
	}
	if (reply->status != STATUS_OK) {
		buf_addf(&r->why, "RESPMOD: status %d\n", reply->status);
		return FATE_ERROR;
	}
	if (head_status(buf_slice(&reply->head)) == STATUS_FORBIDDEN)
		return FATE_PAGE;
	take(c, a, got.len);
	if (!slice_eq(got, slice_head(body, got.len))) {
		buf_add_str(&r->why, "bytes arrive that the origin did not send\n");
		return FATE_ERROR;
	}
	if (reply->complete && got.len != body.len) {
		buf_addf(&r->why, "%zu of %zu bytes arrive, and that looks complete\n", got.len, body.len);
		return FATE_ERROR;
	}
	return reply->complete ? FATE_WHOLE : FATE_KILLED;
}

/* The third property. */
static void
check_events(struct run *r, const struct client *c, enum fate fate, const struct counts *n)
{
	unsigned killed = fate == FATE_KILLED, blocked = fate == FATE_PAGE;

	if (n->killed != killed || n->blocked != blocked || n->other > 0)
		buf_addf(&r->why, "a %s answer has %u killed, %u blocked, %u other events\n",
		    fate == FATE_KILLED ? "broken" : fate == FATE_PAGE ? "refused" : "passed", n->killed, n->blocked, n->other);
	if (n->would_block > (c->t->expect == EXPECT_LOW ? c->t->n_targets : 0))
		buf_addf(&r->why, "%u would_block events\n", n->would_block);
	if (n->unchecked > 1 || (n->unchecked > 0 && c->t->clean))
		buf_addf(&r->why, "%u passed_unchecked events for a %s body\n", n->unchecked, c->t->clean ? "clean" : "strange");
}

/* The second property: what may be stopped, and why. */
static void
check_fate(struct run *r, const struct world *w, const struct client *c, const struct answer *a, enum fate fate,
    const struct counts *n)
{
	bool may_stop = c->t->expect == EXPECT_STOP || (w->block_unscannable && !c->t->clean);

	if (fate == FATE_WHOLE || fate == FATE_ERROR || may_stop)
		return;
	if (fate == FATE_PAGE && a->status == STATUS_PARTIAL_CONTENT && n->partial)
		return;
	buf_addf(&r->why, "it is %s, and no rule lists it\n", fate == FATE_KILLED ? "killed" : "refused");
}

static enum fate
ask_once(struct run *r, const struct world *w, struct client *c, enum ask ask)
{
	const struct trial *t = c->t;
	const struct representation rep = { .body = trial_body(t), .type = t->type, .encoding = t->encoding, .etag = t->etag,
		.framing = t->way.framing };
	struct icap_call call = { .respmod = true, .preview = t->way.preview, .allow204 = t->way.allow204 };
	enum fate fate = FATE_PAGE;
	struct message request;
	struct icap_reply reply;
	struct answer a = { 0 };
	struct counts n;

	make_request(c, ask, &request);
	icap_reply_init(&reply);
	if (adapt_request(r, t, &request)) {
		model_answer(&rep, buf_slice(&request.head), &a);
		cut_reads(t, &a.m, &call.read_size);
		call.request = &request;
		call.response = &a.m;
		fake_server_call(r->fake, &call, &reply);
		fate = judge_reply(r, c, &a, &reply);
	}
	r->exchanges++;
	n = new_events(r);
	c->sum.would_block += n.would_block;
	c->whole = c->whole || (fate == FATE_WHOLE && a.status == STATUS_OK);
	check_events(r, c, fate, &n);
	check_fate(r, w, c, &a, fate, &n);
	if (r->o->verbose)
		printf("# %s: status %d, %zu bytes: %s, %zu delivered; events: %u killed, %u blocked, %u passed_unchecked, %u would_block\n",
		    ask_name(ask), a.status, a.m.body.len,
		    fate == FATE_WHOLE ? "whole" : fate == FATE_KILLED ? "killed" : fate == FATE_PAGE ? "page" : "error", reply.body.len,
		    n.killed, n.blocked, n.unchecked, n.would_block);
	icap_reply_fini(&reply);
	answer_fini(&a);
	message_fini(&request);
	return fate;
}

/* ---- the first property ---- */

static bool
is_target(void *arg, struct slice thing)
{
	const struct trial *t = arg;

	for (size_t i = 0; i < t->n_targets; i++)
		if (slice_eq(thing, t->targets[i]))
			return true;
	return false;
}

/* A target comes out of the bytes FROM to TO of the representation. */
static bool
comes_out(const struct trial *t, size_t from, size_t to)
{
	struct slice body = trial_body(t), part = slice_head(slice_skip(body, from), to - from);
	void *arg = (void *)(uintptr_t)t;

	if (from > 0 && t->n_codings > 0)
		return false;
	return is_target(arg, part) || unpack(part, t->codings, t->n_codings, from > 0, is_target, arg);
}

static void
check_delivered(struct run *r, const struct client *c)
{
	size_t len = trial_body(c->t).len, from, to;

	if (!comes_out(c->t, 0, len))
		buf_add_str(&r->why, "the oracle is blind: the file does not even come out of all of it\n");
	for (from = 0; from < len; from = to) {
		while (from < len && !c->have[from])
			from++;
		for (to = from; to < len && c->have[to]; to++)
			;
		if (to > from && comes_out(c->t, from, to))
			buf_addf(&r->why, "the listed file comes out of the bytes %zu to %zu of %zu\n", from, to, len);
	}
}

/* ---- one trial ---- */

/* What the service wrote into its log, or did against c-icap's rules. */
static void
check_server(struct run *r)
{
	struct slice said = slice_skip(fake_server_violations(r->fake), r->violations_at);
	struct slice log = slice_skip(fake_server_log(r->fake), r->server_log_at);

	r->violations_at += said.len;
	r->server_log_at += log.len;
	buf_add_slice(&r->why, said);
	buf_add_slice(&r->why, log);
}

/* Under auto a part may be refused; whoever asks again for it gets it. */
static bool
asks_again(const struct client *c, enum fate fate)
{
	return fate == FATE_PAGE && c->t->expect != EXPECT_STOP && c->t->clean &&
	    option_find(site_options, site_options_n, SLICE("range_policy")) != NULL;
}

static void
run_trial(struct run *r, const struct world *w, const struct trial *t)
{
	struct client c = { .t = t, .have = calloc(1, trial_body(t).len + 1) };

	if (c.have == NULL)
		abort();
	for (size_t i = 0; i < t->way.n_asks; i++) {
		enum fate fate = ask_once(r, w, &c, t->way.asks[i]);

		if (asks_again(&c, fate) && ask_once(r, w, &c, t->way.asks[i]) == FATE_PAGE)
			buf_add_str(&r->why, "a refused part is refused again\n");
	}
	if (t->expect == EXPECT_STOP)
		check_delivered(r, &c);
	if (t->expect == EXPECT_LOW && c.whole && c.sum.would_block == 0)
		buf_add_str(&r->why, "nothing says that it would have been blocked\n");
	check_server(r);
	free(c.have);
}

static void
describe(const struct trial *t, struct buf *out)
{
	const struct way *way = &t->way;

	buf_addf(out, "%s; %s, ", t->text, framing_name(way->framing));
	if (way->preview == NO_PREVIEW)
		buf_add_str(out, "no preview");
	else
		buf_addf(out, "preview %d", way->preview);
	buf_addf(out, ", 204 %s, %s reads,", way->allow204 ? "yes" : "no",
	    way->reads == READS_ONE ? "1-byte" : way->reads == READS_WHOLE ? "4096-byte" : "random");
	for (size_t i = 0; i < way->n_asks; i++)
		buf_addf(out, " %s", ask_name(way->asks[i]));
}

/* T alone fails, with a service of its own, of which WHY (may be NULL) gets to know. */
static bool
fails_alone(const struct options *o, const struct world *w, const struct trial *trials, size_t n, const struct trial *t,
    struct buf *why)
{
	struct options quiet = *o;
	struct run r;
	bool failed;

	quiet.verbose = false;
	run_begin(&r, &quiet, w, trials, n);
	if (r.fake != NULL)
		run_trial(&r, w, t);
	failed = r.why.len > 0;
	if (why != NULL)
		buf_add_slice(why, buf_slice(&r.why));
	run_end(&r);
	return failed;
}

/* Make the way simpler, step by step, as long as it still fails. */
static void
shrink(const struct options *o, const struct world *w, const struct trial *trials, size_t n, struct trial *t)
{
	for (size_t i = 0; i < t->way.n_asks && t->way.n_asks > 1;) {
		struct way before = t->way;

		memmove(&t->way.asks[i], &t->way.asks[i + 1], (t->way.n_asks - i - 1) * sizeof(t->way.asks[0]));
		t->way.n_asks--;
		if (!fails_alone(o, w, trials, n, t, NULL)) {
			t->way = before;
			i++;
		}
	}
	for (int step = 0; step < 4; step++) {
		struct way before = t->way;

		if (step == 0)
			t->way.reads = READS_WHOLE;
		else if (step == 1)
			t->way.preview = PAGE_4K;
		else if (step == 2)
			t->way.allow204 = false;
		else
			t->way.framing = FRAMING_LENGTH;
		if (!fails_alone(o, w, trials, n, t, NULL))
			t->way = before;
	}
}

/* All that is needed to see it again. */
static void
explain(const struct options *o, const struct world *w, const struct world *shown, const struct trial *trials, size_t n,
    struct trial *t, const struct buf *first)
{
	struct buf text;
	struct slice lines, line;

	buf_init(&text, WHY_MAX);
	describe(t, &text);
	printf("# case %" PRIu64 ": %s\n", t->number, text.p);
	printf("# again: t/property/property --seed %" PRIu64 " --case %" PRIu64 " --verbose\n", o->seed, t->number);
	printf("# %s", shown->conf);
	printf("# %s", shown->site);
	buf_reset(&text);
	if (explained++ >= EXPLAINED_MAX)
		buf_add_slice(&text, buf_slice(first));
	else if (fails_alone(o, w, trials, n, t, NULL)) {
		shrink(o, w, trials, n, t);
		describe(t, &text);
		printf("# simplest: %s\n", text.p);
		buf_reset(&text);
		fails_alone(o, w, trials, n, t, &text);
	} else {
		printf("# by itself it does not fail: something before it in its world matters\n");
		buf_add_slice(&text, buf_slice(first));
	}
	lines = buf_slice(&text);
	for (int i = 0; i < EXPLAIN_LINES && head_line(&lines, &line); i++)
		printf("#   %.*s\n", SLICE_ARGS(line));
	buf_fini(&text);
}

/* ---- worlds ---- */

static bool
is_wanted(const struct options *o, uint64_t number)
{
	return o->has_only ? number == o->only : number < o->cases;
}

/* A newline in CONF would end the comment that shows it. */
static void
flatten(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n' && p[1] != '\0')
			*p = ' ';
}

/* How many trials of world NUMBER fail; what they are is said unless QUIET. */
static unsigned
run_world(const struct options *o, uint64_t number, bool quiet)
{
	static struct trial trials[TRIALS_A_WORLD];
	struct world w;
	struct run r;
	unsigned failed = 0;

	world_make(&w, o->seed, number, o->dimensions);
	for (size_t i = 0; i < TRIALS_A_WORLD; i++)
		trial_make(&trials[i], &w, o->seed, number * TRIALS_A_WORLD + i);
	run_begin(&r, o, &w, trials, TRIALS_A_WORLD);
	for (size_t i = 0; i < TRIALS_A_WORLD && r.fake != NULL; i++) {
		if (!is_wanted(o, trials[i].number))
			continue;
		if (o->verbose)
			printf("# %" PRIu64 ": %s\n", trials[i].number, trials[i].text);
		run_trial(&r, &w, &trials[i]);
		total_cases += !quiet;
		if (r.why.len > 0) {
			struct world shown = w;

			failed++;
			flatten(shown.conf);
			if (!quiet) {
				struct buf why = r.why;

				/* A second service would take the place of this one. */
				buf_init(&r.why, WHY_MAX);
				run_end(&r);
				flatten(shown.site);
				explain(o, &w, &shown, trials, TRIALS_A_WORLD, &trials[i], &why);
				buf_fini(&why);
				run_begin(&r, o, &w, trials, TRIALS_A_WORLD);
			} else
				buf_reset(&r.why);
		}
	}
	if (r.fake == NULL) {
		failed++;
		printf("# world %" PRIu64 ": no service: %s", number, r.why.len > 0 ? r.why.p : "?\n");
	}
	run_end(&r);
	for (size_t i = 0; i < TRIALS_A_WORLD; i++)
		trial_fini(&trials[i]);
	return failed;
}

static void
run_worlds(const struct options *o)
{
	uint64_t first = o->has_only ? o->only / TRIALS_A_WORLD : 0;
	uint64_t end = o->has_only ? first + 1 : (o->cases + TRIALS_A_WORLD - 1) / TRIALS_A_WORLD;

	for (uint64_t i = first; i < end; i++) {
		unsigned failed = run_world(o, i, false);

		ok(failed == 0, "cases %" PRIu64 " to %" PRIu64 " of seed %" PRIu64, i * TRIALS_A_WORLD,
		    (i + 1) * TRIALS_A_WORLD - 1, o->seed);
	}
}

/* The test of the test. */
static void
run_broken(const struct options *o)
{
	for (enum broken b = BROKEN_OFF; b < BROKENS; b++) {
		struct options broken = *o;
		unsigned failed = 0;

		broken.broken = b;
		broken.cases = UINT64_MAX;
		for (uint64_t i = 0; i < BROKEN_WORLDS && failed == 0; i++)
			failed = run_world(&broken, i, true);
		ok(failed > 0, "with %s it fails", broken_words[b]);
	}
}

/* ---- the command line ---- */

static int
read_number(const char *text, uint64_t *out)
{
	return text != NULL ? slice_u64(slice_str(text), out) : -1;
}

static int
read_dimensions(const char *text, unsigned *out)
{
	static const struct { const char *word; unsigned bit; } table[] = {
		{ "identity", 0 }, { "codings", DIMENSION_CODINGS }, { "archives", DIMENSION_ARCHIVES }, { "ranges", DIMENSION_RANGES },
	};
	struct slice rest = slice_str(text), word;

	for (*out = 0; (rest = slice_trim(rest)).len > 0;) {
		size_t i;

		slice_cut(rest, ' ', &word, &rest);
		for (i = 0; i < sizeof(table) / sizeof(table[0]) && !slice_eq(word, slice_str(table[i].word)); i++)
			;
		if (i == sizeof(table) / sizeof(table[0]))
			return -1;
		*out |= table[i].bit;
	}
	return 0;
}

static int
read_broken(const char *text, enum broken *out)
{
	for (enum broken b = BROKEN_OFF; text != NULL && b < BROKENS; b++)
		if (strcmp(text, broken_names[b]) == 0) {
			*out = b;
			return 0;
		}
	return -1;
}

static int
read_environment(struct options *o)
{
	const char *seed = getenv("FIREBREAK_SEED"), *cases = getenv("FIREBREAK_CASES"), *what = getenv("FIREBREAK_PROPERTY");

	*o = (struct options){ .seed = DEFAULT_SEED, .cases = DEFAULT_CASES };
	if ((seed != NULL && read_number(seed, &o->seed) == -1) || (cases != NULL && read_number(cases, &o->cases) == -1))
		return -1;
	return read_dimensions(what != NULL ? what : DEFAULT_DIMENSIONS, &o->dimensions);
}

static int
read_options(struct options *o, int argc, char **argv)
{
	if (read_environment(o) == -1)
		return -1;
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (strcmp(argv[i], "--verbose") == 0) {
			o->verbose = true;
			continue;
		}
		o->has_only = o->has_only || strcmp(argv[i], "--case") == 0;
		if (!(strcmp(argv[i], "--seed") == 0 && read_number(value, &o->seed) == 0) &&
		    !(strcmp(argv[i], "--cases") == 0 && read_number(value, &o->cases) == 0) &&
		    !(strcmp(argv[i], "--case") == 0 && read_number(value, &o->only) == 0) &&
		    !(strcmp(argv[i], "--break") == 0 && read_broken(value, &o->broken) == 0))
			return -1;
		i++;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o;

	if (read_options(&o, argc, argv) == -1) {
		fputs("usage: property [--seed S] [--cases N] [--case N [--verbose]] [--break off|unlisted|twins|silent]\n"
		    "FIREBREAK_PROPERTY: any of identity codings archives ranges\n", stderr);
		return EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	run_worlds(&o);
	printf("# %" PRIu64 " cases, %" PRIu64 " requests: %" PRIu64 " killed, %" PRIu64 " pages, %" PRIu64 " would_block, %" PRIu64
	    " passed_unchecked\n", total_cases, total_exchanges, total_killed, total_blocked, total_would_block, total_unchecked);
	if (!o.has_only && o.broken == BROKEN_NOT)
		run_broken(&o);
	return tap_done();
}
