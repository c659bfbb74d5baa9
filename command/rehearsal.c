#include "command/rehearsal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "command/har.h"
#include "inspect/digester.h"
#include "ruleset/gate.h"

enum { TEXT_MAX = 4096, WORDS_MAX = 4 * URL_RAW_MAX, HITS_MAX = 256 << 20, SEEN_FIRST = 4096, INDEX_SIZE = 1 << 18 };

/* What is seen at most fills three quarters of the table. */
enum { SEEN_MOST = REHEARSAL_DISTINCT / 3 * 4 };

_Static_assert((SEEN_MOST & (SEEN_MOST - 1)) == 0, "the table doubles up to this");
_Static_assert((int)INDEX_SIZE > 2 * (int)REHEARSAL_ROWS, "the index is never full");

/* Which rows there are, and which clients and domains each has: keyed hashes, which strangers cannot make collide. */
struct rehearsal_tables {
	uint8_t		 key[SIPHASH_KEY];
	uint32_t	 index[INDEX_SIZE];	/* a row's number and one, or 0 */
	uint64_t	*seen;			/* 0: free */
	size_t		 n_seen, cap_seen;
};

const char *
rehearsal_outcome_name(enum outcome o)
{
	static const char *const names[] = { "pass", "log", "warn", "block" };

	return names[o];
}

/* ---- judging, in threads ---- */

struct member {
	struct access_member	 access;
	const struct rehearsal	*r;
	const struct body_facts	*facts;		/* of the body that came, or NULL */
	struct buf		 hits;		/* of a piece: struct hit, and its texts */
};

/* A request that would be treated otherwise. */
struct hit {
	enum outcome	outcome;
	uint32_t	rule, source, words, client, domain, url;	/* lengths */
	int64_t		time_ms;
};

static enum outcome
outcome_of(const struct why *why)
{
	if (why->verdict == VERDICT_BLOCK)
		return OUTCOME_BLOCK;
	return why->warns ? OUTCOME_WARN : why->would_block ? OUTCOME_LOG : OUTCOME_PASS;
}

/* What WHY calls what decided, and whose it is. */
static struct slice
name_of(const struct why *why, struct buf *out, struct slice *source)
{
	const struct rule *rule = why_rule(why);

	if (rule != NULL) {
		*source = rule->source;
		rule_id_format(rule, out);
	} else if (why_reason(why) == REASON_LOOKALIKE) {
		*source = SLICE("lookalike");
		buf_add_strs(out, "lookalike:", lookalike_class_name(why->lookalike.class), NULL);
	} else {
		*source = SLICE("firebreak");
		buf_add_str(out, reason_name(why_reason(why)));
	}
	return buf_slice(out);
}

/* What STATE/held calls RULE. */
static void
words_of(const struct rule *rule, struct buf *out)
{
	char space[RULE_NAME_MAX];
	struct buf value;

	buf_init_in(&value, space, sizeof(space), WORDS_MAX);
	if (rule_value_format(rule, &value) == 0)
		gate_words(rule->action, rule->kind, buf_slice(&value), out);
	buf_fini(&value);
}

static void
add_hit(struct member *m, enum outcome outcome, const struct why *why, const struct access_entry *e, const struct url *url)
{
	char space[RULE_NAME_MAX], more[RULE_NAME_MAX];
	struct slice rule, source, client = slice_head(e->client, TEXT_MAX), domain = url->host;
	struct slice shown = slice_head(e->url, TEXT_MAX);
	struct buf name, words;
	struct hit hit;

	buf_init_in(&name, space, sizeof(space), WORDS_MAX);
	rule = name_of(why, &name, &source);
	buf_init_in(&words, more, sizeof(more), WORDS_MAX);
	if (why_rule(why) != NULL)
		words_of(why_rule(why), &words);
	if (url->kind == HOST_NAME && m->r->suffixes != NULL) {
		domain = registrable_domain(m->r->suffixes, url->host);
		domain = domain.len > 0 ? domain : url->host;
	}
	hit = (struct hit){ .outcome = outcome, .rule = (uint32_t)rule.len, .source = (uint32_t)source.len,
		.words = (uint32_t)words.len, .client = (uint32_t)client.len, .domain = (uint32_t)domain.len,
		.url = (uint32_t)shown.len, .time_ms = e->time_ms };
	buf_add(&m->hits, &hit, sizeof(hit));
	buf_add_slice(&m->hits, rule);
	buf_add_slice(&m->hits, source);
	buf_add_slice(&m->hits, buf_slice(&words));
	buf_add_slice(&m->hits, client);
	buf_add_slice(&m->hits, domain);
	buf_add_slice(&m->hits, shown);
	buf_fini(&name);
	buf_fini(&words);
}

/* A request and, when it got through, its answer. */
struct judgement {
	struct why	 request, body;
	const struct why *why;		/* the one that counts */
	enum outcome	 outcome;
};

static void
judge_by(const struct generation *g, const struct question *q, const struct body_facts *facts, struct judgement *j)
{
	j->why = &j->request;
	j->outcome = OUTCOME_PASS;
	if (g == NULL) {
		why_init(&j->request);
		return;
	}
	judge_request(g, (int)generation_site(g)->fail_mode, q, &j->request);
	j->outcome = outcome_of(&j->request);
	if (facts == NULL || j->outcome == OUTCOME_BLOCK || j->request.files_exempt)
		return;
	judge_body(g, facts, q->now, &j->body);
	if (outcome_of(&j->body) > j->outcome) {
		j->why = &j->body;
		j->outcome = outcome_of(&j->body);
	}
}

static void
judge_entry(void *member, const struct access_entry *e, const struct url *url)
{
	struct member *m = member;
	struct asker asker = { .client = e->client, .user = e->user, .host = url->host, .pseudonyms = m->r->pseudonyms };
	struct question q = { .url = url, .now = m->r->now, .asker = &asker };
	struct judgement live, candidate;

	judge_by(m->r->candidate, &q, m->facts, &candidate);
	judge_by(m->r->live, &q, m->facts, &live);
	if (candidate.outcome != live.outcome)
		add_hit(m, candidate.outcome, candidate.outcome > live.outcome ? candidate.why : live.why, e, url);
}

/* ---- summing up, in order ---- */

static uint64_t
hash(const struct rehearsal *r, char what, uint64_t number, struct slice a, struct slice b)
{
	char space[TEXT_MAX];
	struct buf text;
	uint64_t h;

	buf_init_in(&text, space, sizeof(space), 4 * TEXT_MAX);
	buf_add_char(&text, what);
	buf_add(&text, &number, sizeof(number));
	buf_add_slice(&text, a);
	buf_add_char(&text, '\0');
	buf_add_slice(&text, b);
	h = siphash(r->tables->key, buf_slice(&text));
	buf_fini(&text);
	return h + (h == 0);
}

static int
grow_seen(struct rehearsal_tables *t)
{
	size_t cap = t->cap_seen == 0 ? SEEN_FIRST : 2 * t->cap_seen;
	uint64_t *v = calloc(cap, sizeof(*v));

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < t->cap_seen; i++)
		if (t->seen[i] != 0) {
			size_t at = t->seen[i] & (cap - 1);

			while (v[at] != 0)
				at = (at + 1) & (cap - 1);
			v[at] = t->seen[i];
		}
	free(t->seen);
	t->seen = v;
	t->cap_seen = cap;
	return 0;
}

/* H was not seen before, and is now.  When there is no room left it is not, and *FULL is set. */
static bool
is_new(struct rehearsal_tables *t, uint64_t h, bool *full)
{
	size_t at = t->cap_seen == 0 ? 0 : h & (t->cap_seen - 1);

	for (; t->cap_seen > 0 && t->seen[at] != 0; at = (at + 1) & (t->cap_seen - 1))
		if (t->seen[at] == h)
			return false;
	if (t->n_seen == REHEARSAL_DISTINCT || (4 * (t->n_seen + 1) > 3 * t->cap_seen && grow_seen(t) == -1)) {
		*full = true;
		return false;
	}
	for (at = h & (t->cap_seen - 1); t->seen[at] != 0; at = (at + 1) & (t->cap_seen - 1))
		;
	t->seen[at] = h;
	t->n_seen++;
	return true;
}

static struct rehearsal_row *
new_row(struct rehearsal *r, struct slice rule, struct slice source, struct slice words, enum outcome outcome)
{
	struct rehearsal_row *row, *v;

	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 64 : 2 * r->cap;

		if (r->n == REHEARSAL_ROWS || (v = realloc(r->rows, cap * sizeof(*v))) == NULL)
			return NULL;
		r->rows = v;
		r->cap = cap;
	}
	row = &r->rows[r->n];
	*row = (struct rehearsal_row){ .is_source = rule.len == 0, .outcome = outcome, .rule = slice_dup(rule),
		.source = slice_dup(source), .words = slice_dup(words), .first_ms = ACCESS_UNKNOWN, .last_ms = ACCESS_UNKNOWN };
	if (row->rule == NULL || row->source == NULL || row->words == NULL) {
		free(row->rule);
		free(row->source);
		free(row->words);
		return NULL;
	}
	r->n++;
	return row;
}

/* The row of RULE (empty: of all of SOURCE) that would lead to OUTCOME; NULL when there is no room for another. */
static struct rehearsal_row *
row_of(struct rehearsal *r, struct slice rule, struct slice source, struct slice words, enum outcome outcome)
{
	size_t at = hash(r, 'r', (uint64_t)outcome, rule, source) & (INDEX_SIZE - 1);
	struct rehearsal_row *row;

	for (; r->tables->index[at] != 0; at = (at + 1) & (INDEX_SIZE - 1)) {
		row = &r->rows[r->tables->index[at] - 1];
		if (row->outcome == outcome && slice_eq(slice_str(row->rule), rule) && slice_eq(slice_str(row->source), source))
			return row;
	}
	if ((row = new_row(r, rule, source, words, outcome)) != NULL)
		r->tables->index[at] = (uint32_t)r->n;
	return row;
}

static void
add_sample(const struct rehearsal *r, struct rehearsal_row *row, struct slice url)
{
	char *shown;
	size_t i = 0;

	while (i < REHEARSAL_SAMPLES && row->samples[i] != NULL)
		i++;
	if (i == REHEARSAL_SAMPLES || (shown = access_url_shown(url, r->show_query, r->show_mail)) == NULL)
		return;
	for (size_t k = 0; k < i; k++)
		if (strcmp(row->samples[k], shown) == 0) {
			free(shown);
			return;
		}
	row->samples[i] = shown;
}

static void
count_hit(struct rehearsal *r, struct rehearsal_row *row, const struct hit *hit, struct slice client, struct slice domain)
{
	uint64_t number = (uint64_t)(row - r->rows);

	row->requests++;
	row->clients += client.len > 0 && is_new(r->tables, hash(r, 'c', number, client, (struct slice){ 0 }), &row->at_least);
	row->domains += is_new(r->tables, hash(r, 'd', number, domain, (struct slice){ 0 }), &row->at_least);
	if (hit->time_ms == ACCESS_UNKNOWN)
		return;
	row->first_ms = row->first_ms == ACCESS_UNKNOWN || hit->time_ms < row->first_ms ? hit->time_ms : row->first_ms;
	row->last_ms = hit->time_ms > row->last_ms ? hit->time_ms : row->last_ms;
}

/* The hit that REST begins with. */
static void
sum_hit(struct rehearsal *r, struct slice *rest)
{
	struct slice rule, source, words, client, domain, url, none = { 0 };
	struct rehearsal_row *row;
	struct hit hit;

	memcpy(&hit, slice_take(rest, sizeof(hit)).p, sizeof(hit));
	rule = slice_take(rest, hit.rule);
	source = slice_take(rest, hit.source);
	words = slice_take(rest, hit.words);
	client = slice_take(rest, hit.client);
	domain = slice_take(rest, hit.domain);
	url = slice_take(rest, hit.url);
	if ((row = row_of(r, rule, source, words, hit.outcome)) != NULL) {
		count_hit(r, row, &hit, client, domain);
		add_sample(r, row, url);
	} else {
		r->lost++;
	}
	if (hit.outcome == OUTCOME_BLOCK && (row = row_of(r, none, source, none, hit.outcome)) != NULL)
		count_hit(r, row, &hit, client, domain);
}

static int
sum_piece(void *arg, void *member)
{
	struct rehearsal *r = arg;
	struct member *m = member;
	struct slice rest = buf_slice(&m->hits);

	if (m->hits.failed)
		return ENOMEM;
	while (rest.len > 0)
		sum_hit(r, &rest);
	buf_reset(&m->hits);
	return 0;
}

/* ---- captures ---- */

struct capture {
	struct rehearsal	*r;
	struct access_logs	*logs;
	struct member		*m;
	int			 error;
};

/* Digests that a rule of either generation may go by; events name one in any case. */
static unsigned
algs_of(const struct rehearsal *r)
{
	unsigned algs = generation_algs(r->candidate) | (r->live == NULL ? 0 : generation_algs(r->live));

	return algs != 0 ? algs : DIGEST_BIT(DIGEST_MD5);
}

static void
count_entry(struct access_counts *n, int64_t time_ms)
{
	n->entries++;
	if (time_ms == ACCESS_UNKNOWN)
		return;
	n->first_ms = n->first_ms == ACCESS_UNKNOWN || time_ms < n->first_ms ? time_ms : n->first_ms;
	n->last_ms = time_ms > n->last_ms ? time_ms : n->last_ms;
}

static void
judge_exchange(void *arg, const struct har_exchange *x)
{
	struct capture *c = arg;
	struct access_entry e = { .kind = ACCESS_URL, .url = x->url, .method = x->method, .time_ms = x->time_ms, .size = ACCESS_UNKNOWN,
		.head_size = ACCESS_UNKNOWN };
	struct file_names names = { .n = 0 };
	struct body_facts facts = { .size = x->body.len, .names = &names };
	struct url url;

	c->logs->counts.lines++;
	if (x->time_ms != ACCESS_UNKNOWN && x->time_ms < c->logs->since_ms) {
		c->logs->counts.old++;
		return;
	}
	if (access_entry_url(&e, &url) != URL_OK) {
		c->logs->counts.without++;
		return;
	}
	count_entry(&c->logs->counts, x->time_ms);
	c->r->bodies += x->has_body;
	c->r->no_bodies += x->answered && !x->has_body;
	if (x->has_body) {
		facts.n = digests_of(x->body, algs_of(c->r), facts.digests);
		file_names_add_disposition(&names, x->disposition);
		file_names_add_path(&names, url.path);
	}
	c->m->facts = x->has_body ? &facts : NULL;
	judge_entry(c->m, &e, &url);
	c->m->facts = NULL;
	if (c->error == 0)
		c->error = sum_piece(c->r, c->m);
	url_fini(&url);
}

static int
read_captures(struct rehearsal *r, struct access_logs *logs, struct member *m, struct diag *diag)
{
	struct capture c = { .r = r, .logs = logs, .m = m };
	uint64_t bad;
	int result = 0;

	for (size_t i = 0; i < r->n_captures; i++) {
		if (har_read(r->captures[i], judge_exchange, &c, &bad, diag) == -1)
			result = -1;
		else
			logs->counts.unread += bad;
		logs->counts.lines += bad;
	}
	if (c.error != 0)
		diag_error(diag, "%s", strerror(c.error));
	return c.error != 0 ? -1 : result;
}

/* ---- all of it ---- */

static int
by_weight(const void *a, const void *b)
{
	const struct rehearsal_row *x = a, *y = b;

	if (x->is_source != y->is_source)
		return x->is_source ? -1 : 1;
	if (x->outcome != y->outcome)
		return x->outcome > y->outcome ? -1 : 1;
	if (x->requests != y->requests)
		return x->requests > y->requests ? -1 : 1;
	return strcmp(x->rule, y->rule) != 0 ? strcmp(x->rule, y->rule) : strcmp(x->source, y->source);
}

int
rehearsal_run(struct rehearsal *r, struct access_logs *logs, struct diag *diag)
{
	size_t n = log_crew_size();
	struct member *crew = calloc(n, sizeof(*crew));
	void *members[LOG_CREW_MEMBERS];
	int result = -1;

	r->tables = calloc(1, sizeof(*r->tables));
	if (crew == NULL || r->tables == NULL || getrandom(r->tables->key, sizeof(r->tables->key), 0) == -1) {
		diag_error(diag, "%s", strerror(errno));
	} else {
		for (size_t i = 0; i < n; i++) {
			crew[i].r = r;
			buf_init(&crew[i].hits, HITS_MAX);
			members[i] = &crew[i];
		}
		logs->entry = judge_entry;
		logs->piece = sum_piece;
		logs->arg = r;
		result = access_logs_read(logs, members, n, diag);
		if (read_captures(r, logs, &crew[0], diag) == -1)
			result = -1;
		for (size_t i = 0; i < n; i++)
			buf_fini(&crew[i].hits);
	}
	free(crew);
	if (r->n > 0)
		qsort(r->rows, r->n, sizeof(*r->rows), by_weight);
	return result;
}

void
rehearsal_fini(struct rehearsal *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->rows[i].rule);
		free(r->rows[i].source);
		free(r->rows[i].words);
		for (size_t k = 0; k < REHEARSAL_SAMPLES; k++)
			free(r->rows[i].samples[k]);
	}
	free(r->rows);
	if (r->tables != NULL)
		free(r->tables->seen);
	free(r->tables);
	r->rows = NULL;
	r->tables = NULL;
	r->n = r->cap = 0;
}
