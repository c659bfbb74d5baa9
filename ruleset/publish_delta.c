/* Feeds that are read against what they were.
 *
 *	spread		what the layers have of the source (spread.h)
 *	change		what its list says otherwise, as it is read (struct feed_change)
 *	delta		the source in the new layer, when that has the change alone */
#include <errno.h>
#include <stdlib.h>

#include "ruleset/publish_part.h"

/* A source of fewer rules is as quickly written as a whole, and one of which more than a DELTA_SHARE-th changed nearly so. */
enum { DELTA_LEAST = 1000, DELTA_SHARE = 4 };
#define CHANGES_MEMORY	((size_t)16 << 20)

void
publish_free_change(struct feed_change *c)
{
	if (c == NULL)
		return;
	spread_free(c->spread);
	sorter_free(c->changes);
	buf_fini(&c->bytes);
	for (size_t i = 0; i < RULES_QUEUED; i++)
		buf_fini(&c->queue[i].texts);
	free(c);
}

bool
publish_is_feed(const struct publish_source *s)
{
	return s->file != NULL && !s->file->is_rules;
}

/* ---- what a row says ---- */

struct rule
publish_row(struct publisher *p, const struct rule *rule)
{
	bool is_file = rule->kind == RULE_FILE;
	struct feed_end *end = is_file ? &p->ends.files : &p->ends.hosts;
	struct rule row = *rule;

	row.as_list = false;
	if (!rule->as_list)
		return row;
	if (!end->known)
		*end = (struct feed_end){ true, rule->expires };
	if (rule->expires == end->at)
		row.expires = is_file ? RULE_ENDS_FILES : RULE_ENDS_HOSTS;
	return row;
}

/* ---- reading ---- */

/* What C's source says is to be held against what it said. */
static struct feed_change *
new_change(struct publisher *p, const struct publish_source *s)
{
	struct feed_change *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	buf_init(&c->bytes, SORTER_RECORD_MAX);
	for (size_t i = 0; i < RULES_QUEUED; i++)
		buf_init(&c->queue[i].texts, SORTER_RECORD_MAX);
	if ((c->spread = spread_new(p->layers, p->before.n_layers, s->before, &p->marks)) != NULL &&
	    (c->changes = sorter_new(CHANGES_MEMORY, p->rules_dir)) != NULL)
		return c;
	publish_free_change(c);
	return NULL;
}

/* S is read against what it was.  What a person or an alert wrote is known by its line, and is small. */
static bool
may_be_delta(const struct publisher *p, const struct publish_source *s)
{
	return s->changed && s->before != NULL && publish_is_feed(s) && s->before->has_ends && s->before->rules >= DELTA_LEAST &&
	    !p->options->full && !p->distrust;
}

/* RULE is new, or with SAYS false something of its value is gone.  What is not by value is in every newest layer, and is no change
 * that counts by itself. */
static int
add_change(struct feed_change *c, const struct rule *rule, bool says, bool by_value)
{
	if (spread_change(rule, says, &c->bytes) == -1 || sorter_add(c->changes, buf_slice(&c->bytes)) == -1)
		return -1;
	c->n += by_value;
	return 0;
}

/* What of a row is as before. */
enum { ROW_CHANGED = 0, ROW_STAYS = 1, ROW_LEFT_OUT = 2 };

/* One of these, or -1.  A row that is as before is not linted again, unless what is asked is not what was asked before: it may not
 * stay then. */
static int
keep_row(struct publisher *p, const struct rule *row, const struct rule_match *match, unsigned line)
{
	struct feed_change *c = p->change;
	int kept = spread_keep(c->spread, row, true);

	if (kept != 1)
		return kept == 0 ? ROW_CHANGED : -1;
	if (p->lints_all && !gate_admit(p->gate, row, match, p->current->file->path, line, p->diag))
		return spread_keep(c->spread, row, false) == -1 ? -1 : ROW_LEFT_OUT;
	return ROW_STAYS;
}

static int
refuse_list(struct publisher *p, const struct publish_source *s)
{
	diag_add(p->diag, DIAG_ERROR, s->file->path, 0, 0, "%s", strerror(errno));
	return -1;
}

/* Look for the rule that is next in the queue. */
static int
take_queued(struct publisher *p, const struct queued_rule *q)
{
	bool by_value = layer_is_by_value(q->row.kind, &q->row.key);
	struct feed_change *c = p->change;
	int is = by_value ? keep_row(p, &q->row, &q->match, q->line) : ROW_CHANGED;

	if (is == -1 || is == ROW_LEFT_OUT)
		return is == -1 ? -1 : 0;
	if (is == ROW_CHANGED) {
		if (!gate_admit(p->gate, &q->rule, &q->match, p->current->file->path, q->line, p->diag))
			return 0;
		c->few += by_value ? 0 : spread_few_of(&q->row);
		if (add_change(c, &q->row, true, by_value) == -1)
			return -1;
	}
	compiler_count(c->counts, &q->rule, &q->match);
	return 0;
}

static int
empty_queue(struct publisher *p)
{
	struct feed_change *c = p->change;
	size_t n = c->n_queued;

	c->n_queued = 0;
	for (size_t i = 0; i < n; i++)
		spread_ahead_more(c->spread, &c->queue[i].row, c->queue[i].hash);
	for (size_t i = 0; i < n; i++)
		if (take_queued(p, &c->queue[i]) == -1)
			return -1;
	return 0;
}

/* Let TEXT be a copy in TEXTS, which has room for it. */
static void
own_text(struct buf *texts, struct slice *text)
{
	size_t at = texts->len;

	buf_add_slice(texts, *text);
	*text = slice_make(texts->p + at, text->len);
}

/* RULE and MATCH into Q, with all texts. */
static int
copy_rule(struct queued_rule *q, const struct rule *rule, const struct rule_match *match)
{
	struct rule *own = &q->rule;
	struct slice *const texts[] = { &own->label, &own->alert, &own->name, &own->container, &own->note };
	size_t len = match->path == NULL ? 0 : strlen(match->path) + 1, at;

	*own = *rule;
	own->id = own->value = (struct slice){ 0 };
	q->match = *match;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		len += texts[i]->len;
	buf_reset(&q->texts);
	if (len == 0)
		return 0;
	if (buf_reserve(&q->texts, len) == -1)
		return errno = ENOMEM, -1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		own_text(&q->texts, texts[i]);
	at = q->texts.len;
	if (match->path != NULL) {
		buf_add(&q->texts, match->path, strlen(match->path) + 1);
		q->match.path = q->texts.p + at;
	}
	return 0;
}

int
publish_visit_change(struct publisher *p, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct feed_change *c = p->change;
	struct queued_rule *q = &c->queue[c->n_queued];

	if (copy_rule(q, rule, match) == -1)
		return -1;
	q->line = line;
	q->row = publish_row(p, &q->rule);
	q->row.key = rule_match_key(&q->match);
	q->hash = spread_ahead(c->spread, &q->row);
	return ++c->n_queued < RULES_QUEUED ? 0 : empty_queue(p);
}

static int
visit_gone(void *arg, enum rule_kind kind, const struct rule_key *key)
{
	struct rule rule = { .kind = kind, .key = *key };

	return add_change(arg, &rule, false, true);
}

static int
read_changes(struct publisher *p, struct publish_source *s)
{
	struct feed_change *c = publish_is_as_rehearsed(p, s) ? new_change(p, s) : NULL;
	size_t errors = p->diag->n_errors;
	bool all = p->lints_all;
	int r;

	/* It is read as a whole then. */
	if (c == NULL)
		return p->diag->n_errors > errors ? -1 : 0;
	s->change = c;
	p->lints_all = all || s->decided != s->before->decided || (p->options->budget != NULL && p->options->budget->n > 0);
	p->change = c;
	r = publish_compile_source(p, s);
	if (r == 0 && empty_queue(p) == -1)
		r = refuse_list(p, s);
	p->change = NULL;
	p->lints_all = all;
	return r;
}

/* All lists were read: what is no more in them. */
static int
find_gone(struct publisher *p)
{
	struct spread **spreads = calloc(p->n_sources + 1, sizeof(*spreads));
	void **changes = calloc(p->n_sources + 1, sizeof(*changes));
	size_t n = 0;
	int r = spreads == NULL || changes == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < p->n_sources; i++)
		if (p->sources[i].change != NULL) {
			changes[n] = p->sources[i].change;
			spreads[n++] = p->sources[i].change->spread;
		}
	if (n > 0)
		r = spread_each_gone(spreads, changes, n, p->layers, p->before.n_layers, visit_gone);
	if (r == -1)
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "%s", strerror(errno));
	free(spreads);
	free(changes);
	return r;
}

/* What the new layer will have of S. */
static int
finish_change(struct publisher *p, struct publish_source *s)
{
	struct feed_change *c = s->change;
	uint64_t counts[ROW_COUNTS], rules = row_counts_rules(c->counts);

	if (sorter_sort(c->changes) == -1)
		return refuse_list(p, s);
	spread_counts(c->spread, counts);
	c->whole = spread_is_damaged(c->spread) || rules < DELTA_LEAST || c->n > rules / DELTA_SHARE;
	c->writes = c->whole || c->n > 0 || c->few != spread_few(c->spread) || memcmp(counts, c->counts, sizeof(counts)) != 0;
	if (!p->options->shrinks && !gate_admit_list(p->gate, s->name, s->file->path, s->file->stamp, (size_t)s->before->rules,
	    (size_t)rules, p->diag))
		s->kept = true;
	return 0;
}

int
publish_read_changes(struct publisher *p)
{
	size_t errors = p->diag->n_errors;
	int result = 0;

	for (size_t i = 0; i < p->n_sources; i++)
		if (may_be_delta(p, &p->sources[i]) && read_changes(p, &p->sources[i]) == -1)
			result = -1;
	if (result == 0)
		result = find_gone(p);
	for (size_t i = 0; result == 0 && i < p->n_sources; i++)
		if (p->sources[i].change != NULL)
			result = finish_change(p, &p->sources[i]);
	return p->diag->n_errors > errors ? -1 : result;
}

/* ---- writing ---- */

int
publish_write_spread(struct publisher *p, struct spread *s, size_t first, struct sorter *changes,
    const uint64_t counts[static ROW_COUNTS])
{
	if (spread_write(s, p->compiler, first, changes, counts) == 0)
		return 0;
	diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "%s", errno == EBADMSG ?
	    "a layer is damaged: \"firebreak publish --full\" makes all of them anew" : strerror(errno));
	return -1;
}

int
publish_merge_source(struct publisher *p, const struct manifest_source *named, size_t first)
{
	struct spread *s = spread_new(p->layers, p->before.n_layers, named, NULL);
	uint64_t counts[ROW_COUNTS];
	int r;

	if (s == NULL) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "the layers of source %s do not fit each other: \"firebreak publish --full\" "
		    "makes them anew", named->name);
		return -1;
	}
	spread_counts(s, counts);
	r = publish_write_spread(p, s, first, NULL, counts);
	spread_free(s);
	return r;
}
