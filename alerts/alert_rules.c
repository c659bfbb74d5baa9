#include "alerts/alert_part.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/alert_withdrawal.h"
#include "base/clock.h"
#include "ruleset/lint.h"
#include "ruleset/source.h"
#include "ruleset/variant.h"
#include "url_rules/name_pattern.h"

/* In the head comment, which tells the next import what it replaces. */
#define HEAD_VERSION	", version "

enum { ID_TEXT = 32, TITLE_SHOWN = 500, NOTE_TITLE = 120, SHOWN_MAX = 200, NAMED_MAX = 100 };

/* A rule that an earlier version of the alert made, or this one. */
struct known {
	char		*key;		/* "host *.secure.upd01.net" */
	char		*id;
	unsigned	 level, rev;
	int64_t		 published;	/* seconds */
	bool		 written;	/* it stands in the new file */
};

struct maker {
	const struct alert		*a;
	const struct alert_rule_options	*o;
	struct buf			*out;
	struct diag			*diag;
	struct buf			 previous;	/* the earlier source, as it was before it was withdrawn */
	char				*source;	/* "alert-19190" */
	void				*tree;		/* of struct known, by key */
	struct lint			*lint;
	struct slice			*victims;	/* sorted from the end: a domain's names stand together */
	size_t				 n_victims;
	unsigned			 numbers[RULE_FILE + 1];	/* the last id of each kind */
	size_t				 n, n_named;	/* rules; of these, file rules by name */
	bool				 later;		/* than the version that PREVIOUS was made of */
	bool				 failed;	/* no memory */
};

/* The caller's; NULL without memory. */
static char * __attribute__((format(printf, 2, 3)))
format(struct maker *m, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	m->failed |= n == -1;
	return n == -1 ? NULL : text;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct known *)a)->key, ((const struct known *)b)->key);
}

static void
known_free(void *item)
{
	struct known *k = item;

	free(k->key);
	free(k->id);
	free(k);
}

/* KIND and VALUE as the key that finds them again. */
static char *
make_key(struct maker *m, enum rule_kind kind, struct slice value)
{
	return format(m, "%s %.*s", rule_kind_name(kind), SLICE_ARGS(value));
}

/* Put a rule into the tree.  NULL without memory; KEY is taken over. */
static struct known *
known_add(struct maker *m, char *key, struct slice id, const struct known *values)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k == NULL || key == NULL)
		goto fail;
	*k = *values;
	k->key = key;
	k->id = slice_dup(id);
	if (k->id == NULL || tsearch(k, &m->tree, by_key) == NULL)
		goto fail;
	return k;
fail:
	free(key);
	if (k != NULL)
		free(k->id);
	free(k);
	m->failed = true;
	return NULL;
}

/* Ids are "alert-19190:host-3" or "host-3": remember the highest number of each kind, so that no id is used anew. */
static void
count_id(struct maker *m, struct slice id)
{
	size_t colon = slice_find(id, ':');
	uint64_t number;

	if (colon < id.len)
		id = slice_skip(id, colon + 1);
	for (enum rule_kind kind = RULE_HOST; kind <= RULE_FILE; kind++) {
		struct slice word = slice_str(rule_kind_name(kind));

		if (slice_starts(id, word) && id.len > word.len && id.p[word.len] == '-' &&
		    slice_u64(slice_skip(id, word.len + 1), &number) == 0 && number < INT32_MAX &&
		    number > m->numbers[kind])
			m->numbers[kind] = (unsigned)number;
	}
}

static int
visit_previous(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct maker *m = arg;
	struct known sample = { .key = make_key(m, rule->kind, rule->value), .level = rule->level, .rev = rule->rev,
		.published = rule->published };

	(void)match;
	(void)line;
	count_id(m, rule->id);
	if (sample.key == NULL || tfind(&sample, &m->tree, by_key) != NULL) {
		free(sample.key);
		return 0;
	}
	known_add(m, sample.key, rule->id, &sample);
	return 0;
}

/* The version that PREVIOUS was made of, by its head comment; 0 when somebody has taken that out. */
static uint64_t
previous_version(const struct maker *m)
{
	struct slice line, rest = buf_slice(&m->previous);
	uint64_t version;

	slice_cut(rest, '\n', &line, NULL);
	rest = slice_skip(line, slice_search(line, SLICE(HEAD_VERSION)));
	rest = slice_skip(rest, sizeof(HEAD_VERSION) - 1);
	slice_cut(rest, ':', &rest, NULL);
	return slice_u64(slice_trim(rest), &version) == 0 ? version : 0;
}

static void
read_previous(struct maker *m)
{
	struct source_defaults defaults = { .now = m->o->now };
	struct diag findings;

	buf_init(&m->previous, m->o->previous.len + 1);
	if (alert_withdrawal_undo(m->o->previous, &m->previous) == -1)
		m->failed = true;
	if (m->previous.len == 0)
		return;
	m->later = previous_version(m) < m->a->version;
	diag_init(&findings);
	source_parse("the earlier rules", slice_str(m->source), buf_slice(&m->previous), &defaults, visit_previous, m,
	    &findings);
	if (findings.n_errors > 0)
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "%zu lines of the alert's earlier rules cannot be read; "
		    "their rules are made anew: %s", findings.n_errors, diag_first_error(&findings));
	diag_fini(&findings);
}

/* VALUE as the canonical text of a rule of KIND, into OUT. */
static int
canonical_value(struct maker *m, enum rule_kind kind, struct slice value, struct buf *out)
{
	struct rule_match match;
	char why[RULE_WHY];
	size_t at;

	if (rule_match_parse(kind, value, &match, why, &at) == -1) {
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "no rule for %s %.*s: %s", rule_kind_name(kind),
		    SLICE_ARGS(slice_head(value, SHOWN_MAX)), why);
		return -1;
	}
	if (rule_match_format(kind, &match, out) == -1)
		m->failed = true;
	rule_match_fini(&match);
	return m->failed ? -1 : 0;
}

/* K is said again: by a later version, which gives it a new life, or at another level. */
static void
renew(const struct maker *m, struct known *k, unsigned level)
{
	if (m->later)
		k->published = m->o->now;
	if ((m->later || k->level != level) && k->rev < INT32_MAX)
		k->rev = m->later && k->rev < m->o->rev ? m->o->rev : k->rev + 1;
	k->level = level;
}

/* The rule of that key, with the id and revision that it has from now on; NULL when it stands in the file already. */
static struct known *
number_rule(struct maker *m, enum rule_kind kind, struct slice value, unsigned level)
{
	struct known sample = { .key = make_key(m, kind, value), .level = level, .rev = m->o->rev,
		.published = m->o->now };
	struct known **found, *k;
	char id[ID_TEXT];

	found = sample.key != NULL ? tfind(&sample, &m->tree, by_key) : NULL;
	if (found != NULL) {
		free(sample.key);
		k = *found;
		if (k->written)
			return NULL;
		renew(m, k, level);
	} else {
		snprintf(id, sizeof(id), "%s-%u", rule_kind_name(kind), ++m->numbers[kind]);
		if ((k = known_add(m, sample.key, slice_str(id), &sample)) == NULL)
			return NULL;
	}
	k->written = true;
	return k;
}

/* What publishing would refuse, to know it now. */
struct publishing {
	const struct lint	*lint;
	struct diag		*findings;
};

static int
visit_line(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct publishing *p = arg;
	struct lint_finding v[LINT_CLASSES];
	size_t n;

	if (lint_rule(p->lint, rule, match, v, &n) < LINT_REFUSE)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (v[i].action == LINT_REFUSE)
			lint_finding_report(&v[i], DIAG_ERROR, NULL, line, p->findings);
	return -1;
}

/* Append RULE as a line, if it is one that the source's reader and lint take: a single bad line would have the whole
 * alert refused when it is published. */
static void
add_line(struct maker *m, const struct rule *rule)
{
	struct source_defaults defaults = { .now = m->o->now };
	struct diag findings;
	struct publishing publishing = { .lint = m->lint, .findings = &findings };
	struct buf line;

	buf_init(&line, m->out->max);
	diag_init(&findings);
	if (source_format(rule, &line) == -1)
		m->failed = true;
	else if (source_parse("rule", rule->source, buf_slice(&line), &defaults, visit_line, &publishing, &findings) == -1)
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "no rule for %s %.*s: %s", rule_kind_name(rule->kind),
		    SLICE_ARGS(slice_head(rule->value, SHOWN_MAX)), diag_first_error(&findings));
	else if (buf_add_slice(m->out, buf_slice(&line)) == -1)
		m->failed = true;
	else
		m->n++;
	diag_fini(&findings);
	buf_fini(&line);
}

/* Write RULE, of which kind, value and words for people are set, unless it is there.  One that is UNSURE has a level less. */
static void
write_rule(struct maker *m, struct rule *rule, bool unsure)
{
	unsigned level = (unsigned)m->o->level - (unsure && m->o->level > 0);
	struct slice written = rule->value;
	const struct known *k;
	struct buf value, id;

	buf_init(&value, UINT16_MAX * 4);
	buf_init(&id, UINT16_MAX);
	if (canonical_value(m, rule->kind, written, &value) == -1 ||
	    (k = number_rule(m, rule->kind, buf_slice(&value), level)) == NULL)
		goto fail;
	if (strchr(k->id, ':') == NULL)
		buf_addf(&id, "%s:", m->source);
	buf_add_str(&id, k->id);
	rule->action = RULE_BLOCK;
	rule->level = (uint8_t)level;
	rule->rev = k->rev;
	rule->published = k->published;
	rule->id = buf_slice(&id);
	rule->source = slice_str(m->source);
	rule->alert = slice_str(m->a->id);
	rule->value = buf_slice(&value);
	add_line(m, rule);
fail:
	buf_fini(&value);
	buf_fini(&id);
}

/* ---- hosts and URLs ---- */

/* Compares from the last byte on. */
static int
by_end(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	for (size_t i = 1; i <= x->len && i <= y->len; i++)
		if (x->p[x->len - i] != y->p[y->len - i])
			return (unsigned char)x->p[x->len - i] < (unsigned char)y->p[y->len - i] ? -1 : 1;
	return x->len < y->len ? -1 : x->len > y->len;
}

static void
collect_victims(struct maker *m)
{
	if ((m->victims = calloc(m->a->n_urls + 1, sizeof(*m->victims))) == NULL) {
		m->failed = true;
		return;
	}
	for (size_t i = 0; i < m->a->n_urls; i++)
		if (m->a->urls[i].victim != NULL)
			m->victims[m->n_victims++] = slice_str(m->a->urls[i].victim);
	qsort(m->victims, m->n_victims, sizeof(*m->victims), by_end);
}

/* The first victim that does not sort before KEY; N_VICTIMS when none. */
static size_t
victim_search(const struct maker *m, struct slice key)
{
	size_t low = 0, high = m->n_victims;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_end(&m->victims[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A rule of SCOPE for HOST would cover some URL's victim, or what lies below one (as lint has it for protected domains,
 * without asking each: an alert may name thousands). */
static bool
is_victims(const struct maker *m, enum host_scope scope, struct slice host)
{
	struct slice domain = host;
	char dotted[HOST_MAX + 2];
	size_t i;

	do {
		i = victim_search(m, domain);
		if (i < m->n_victims && slice_eq(m->victims[i], domain))
			return true;
	} while (host_parent(&domain, HOST_NAME));
	if (scope == SCOPE_EXACT || host.len > HOST_MAX)
		return false;
	dotted[0] = '.';
	memcpy(dotted + 1, host.p, host.len);
	domain = slice_make(dotted, host.len + 1);
	i = victim_search(m, domain);
	return i < m->n_victims && slice_ends(m->victims[i], domain);
}

/* What everything below may be blocked for URL: right of the victim.  Empty when it must not. */
static struct slice
wildcard_of(struct maker *m, const struct alert_url *url)
{
	struct slice host = slice_str(url->host), right;

	if (url->victim == NULL)
		return slice_make(NULL, 0);
	right = alert_right_of(host, slice_str(url->victim));
	if (right.len == 0 || m->o->list == NULL)
		return slice_make(NULL, 0);
	if (registrable_domain(m->o->list, right).len == 0) {
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0,
		    "*.%.*s, right of the victim in %s, is a public suffix and not used", SLICE_ARGS(right), url->host);
		return slice_make(NULL, 0);
	}
	if (is_victims(m, SCOPE_BELOW, right)) {
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0,
		    "*.%.*s, right of the victim in %s, would cover a victim's own domain and is not used",
		    SLICE_ARGS(right), url->host);
		return slice_make(NULL, 0);
	}
	return right;
}

/* A rule for HOST itself is no rule for a public suffix or a victim's own host; says so when it is. */
static bool
host_allowed(struct maker *m, const struct url *url)
{
	const char *why = NULL;

	if (url->kind == HOST_NAME && slice_find(url->host, '.') == url->host.len)
		why = "it is no full host name";
	else if (url->kind == HOST_NAME && m->o->list != NULL && registrable_domain(m->o->list, url->host).len == 0)
		why = "it is a public suffix";
	else if (is_victims(m, SCOPE_EXACT, url->host))
		why = "it belongs to a victim";
	if (why != NULL)
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "no rule for the host %.*s: %s",
		    SLICE_ARGS(url->host), why);
	return why == NULL;
}

/* Nothing but "/", or "/?" and separators, which a rule does not keep. */
static bool
is_root(struct slice path_query)
{
	struct slice query = slice_skip(path_query, 1);

	for (size_t i = 0; i < query.len; i++)
		if (query.p[i] != '?' && (query.p[i] != '&' || i == 0))
			return false;
	return true;
}

/* A rule for what URL says and nothing wider. */
static void
narrow_rule(struct maker *m, const struct url *url)
{
	bool root = is_root(url->path_query);
	struct rule rule = { .kind = root ? RULE_HOST : RULE_URL, .value = url->host };
	struct buf value;

	buf_init(&value, UINT16_MAX * 4);
	if (!root) {
		buf_add_slice(&value, url->host);
		buf_add_slice(&value, url->path_query);
		rule.value = buf_slice(&value);
	}
	if (value.failed)
		m->failed = true;
	else if (!root || host_allowed(m, url))
		write_rule(m, &rule, false);
	buf_fini(&value);
}

/* Take ITEM's URL apart; -1 and a warning when there can be no rule for it.  Read as a rule, the host "*.com" would be
 * all below it. */
static int
parse_url(struct maker *m, const struct alert_url *item, struct url *url)
{
	const char *why = NULL;

	if (url_parse(url, slice_str(item->url)) != URL_OK)
		why = "it is no URL";
	else if (slice_find(url->host, '*') < url->host.len)
		why = "its host is a pattern; write the rule by hand";
	if (why == NULL)
		return 0;
	diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "no rule for %.*s: %s",
	    SLICE_ARGS(slice_head(slice_str(item->url), SHOWN_MAX)), why);
	url_fini(url);
	return -1;
}

static void
url_rule(struct maker *m, const struct alert_url *item)
{
	char *note = NULL, *wide = NULL;
	struct slice right;
	struct url url;

	if (parse_url(m, item, &url) == -1)
		return;
	right = wildcard_of(m, item);
	if (item->victim != NULL)
		note = format(m, "embeds %s", item->victim);
	if (right.len > 0) {
		if ((wide = format(m, "*.%.*s", SLICE_ARGS(right))) != NULL)
			write_rule(m, &(struct rule){ .kind = RULE_HOST, .value = slice_str(wide),
			    .note = slice_str(note) }, false);
	} else if (item->victim != NULL && host_allowed(m, &url)) {
		write_rule(m, &(struct rule){ .kind = RULE_HOST, .value = url.host, .note = slice_str(note) },
		    false);
	} else if (item->victim == NULL) {
		narrow_rule(m, &url);
	}
	free(note);
	free(wide);
	url_fini(&url);
}

/* ---- files ---- */

/* "zip" of "winner.zip". */
static struct slice
container_kind(const char *container)
{
	struct slice s = slice_str(container);
	size_t i = s.len;

	while (i > 0 && s.p[i - 1] != '.')
		i--;
	return slice_skip(s, i);
}

/* Append what F is matched by: its digest, or else its name and its size.  NULL, or why it is matched by neither. */
static const char *
file_value(struct maker *m, const struct alert_file *f, struct buf *out)
{
	char hex[DIGEST_MAX_HEX + 1], why[NAME_PATTERN_WHY];
	struct name_pattern p;
	size_t at;

	if (f->size > 0)
		buf_add_number(out, f->size);
	else
		buf_add_char(out, '*');
	if (f->has_digest) {
		digest_format(&f->digest, hex);
		buf_add_strs(out, ":", digest_alg_name(f->digest.alg), ":", hex, NULL);
		return NULL;
	}
	if (f->size == 0)
		return "it has no digest and no size";
	if (name_pattern_parse(slice_str(f->name), &p, why, &at) == -1 || name_pattern_literal(&p) < NAME_LITERAL_MIN)
		return "it has no digest, and its name says too little";
	/* All sources together may have NAMES_MAX: one alert must not stop the publish of the others. */
	if (++m->n_named > NAMED_MAX)
		return "it has no digest, and only 100 files of an alert can go by their names";
	buf_add_strs(out, ":name:", f->name, NULL);
	return NULL;
}

/* The first bytes of TITLE, whole characters, as a note has them. */
static struct slice
short_title(struct slice title)
{
	size_t at = 0, n;

	while (at < title.len && (n = utf8_sequence(slice_skip(title, at))) > 0 && at + n <= NOTE_TITLE)
		at += n;
	return slice_head(title, at);
}

/* What the block page says of F, the file number K of the alert. */
static void
file_note(const struct maker *m, size_t k, struct buf *out)
{
	int64_t date = m->a->last_published != 0 ? m->a->last_published : m->a->first_published;
	struct file_variant v = { .k = k, .n = m->a->n_files, .title = short_title(slice_str(m->a->title)) };
	char when[CLOCK_TEXT];

	if (v.title.len == 0)
		return;
	clock_format_s(date, when);
	if (date != 0)
		v.published = slice_make(when, slice_find(slice_str(when), 'T'));
	file_variant_format(&v, out);
}

static void
file_rule(struct maker *m, const struct alert_file *f)
{
	struct rule rule = { .kind = RULE_FILE, .name = slice_str(f->name) };
	struct slice kind = container_kind(f->container);
	char container[ID_TEXT];
	struct buf value, note;
	const char *why;

	buf_init(&value, UINT16_MAX);
	buf_init(&note, UINT16_MAX);
	if ((why = file_value(m, f, &value)) != NULL) {
		diag_add(m->diag, DIAG_WARNING, NULL, 0, 0, "no rule for %s: %s", f->name != NULL ? f->name : "a file", why);
		buf_fini(&value);
		return;
	}
	rule.value = buf_slice(&value);
	/* Others may call a file so, too. */
	if (kind.len > 0 && kind.len < sizeof(container)) {
		for (size_t i = 0; i < kind.len; i++)
			container[i] = ascii_lower(kind.p[i]);
		rule.container = slice_make(container, kind.len);
	}
	file_note(m, (size_t)(f - m->a->files) + 1, &note);
	rule.note = buf_slice(&note);
	write_rule(m, &rule, !f->has_digest);
	buf_fini(&value);
	buf_fini(&note);
}

static void
head_comment(struct maker *m)
{
	buf_addf(m->out, "# Alert %s" HEAD_VERSION "%u", m->a->id, m->a->version);
	if (m->a->title != NULL) {
		buf_add_str(m->out, ": ");
		buf_add_utf8(m->out, slice_head(slice_str(m->a->title), TITLE_SHOWN));
	}
	buf_add_str(m->out, "\n# Made by firebreak import; importing a later version replaces this file.\n");
}

size_t
alert_rules(const struct alert *a, const struct alert_rule_options *options, struct buf *out, struct diag *diag)
{
	struct maker m = { .a = a, .o = options, .out = out, .diag = diag };
	struct lint_options lint = { .suffixes = options->list };

	if (options->list == NULL && a->n_urls > 0)
		diag_add(diag, DIAG_WARNING, NULL, 0, 0,
		    "there is no public suffix list: no rule is widened to a wildcard");
	if ((m.lint = lint_new(&lint, NULL)) == NULL || (m.source = format(&m, "alert-%s", a->id)) == NULL) {
		lint_free(m.lint);
		diag_error(diag, "there is no memory for the alert's rules");
		return 0;
	}
	read_previous(&m);
	collect_victims(&m);
	head_comment(&m);
	for (size_t i = 0; i < a->n_urls && !m.failed; i++)
		url_rule(&m, &a->urls[i]);
	for (size_t i = 0; i < a->n_files; i++)
		file_rule(&m, &a->files[i]);
	if (m.failed || out->failed)
		diag_error(diag, "there is no memory for the alert's rules");
	tdestroy(m.tree, known_free);
	buf_fini(&m.previous);
	lint_free(m.lint);
	free(m.victims);
	free(m.source);
	return m.n;
}
