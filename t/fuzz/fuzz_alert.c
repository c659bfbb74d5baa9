/* Any bytes as an alert's text, and as the JSON of a record.  A text always becomes a record, and what is found in it has a
 * place in it.  A record written and read back is the same; its rules are good lines that cover no public suffix and no
 * victim; made again after themselves they are the same lines. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerts/alert.h"
#include "ruleset/lint.h"
#include "ruleset/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 64 << 20, LEVEL = 4, SOURCE_NAME = 80 };

#define NOW	INT64_C(1795536000)	/* 2026-11-24T16:00:00Z */
#define LATER	(NOW + 86400)

static const char suffix_text[] = "// ===BEGIN ICANN DOMAINS===\ncom\nnet\norg\nde\nuk\nco.uk\n*.ck\n!www.ck\ntest\nsecure\n"
    "// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\npages.example.net\n// ===END PRIVATE DOMAINS===\n";

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* The list above, by way of a file, as it is always read. */
static const struct public_suffixes *
suffixes(void)
{
	static struct public_suffixes *list;
	char path[] = "/tmp/firebreak-suffixes-XXXXXX";
	int fd;

	if (list != NULL)
		return list;
	require((fd = mkstemp(path)) != -1);
	require(write(fd, suffix_text, strlen(suffix_text)) == (ssize_t)strlen(suffix_text));
	list = public_suffixes_load(path, NULL);
	unlink(path);
	close(fd);
	require(list != NULL);
	return list;
}

/* ---- rules ---- */

/* What every rule of an alert is held against. */
struct judge {
	struct lint	*lint;
	struct slice	*victims;
	size_t		 n;		/* rules so far */
};

static void
judge_init(struct judge *j, const struct alert *a)
{
	struct lint_options options = { .suffixes = suffixes() };

	*j = (struct judge){ .victims = calloc(a->n_urls + 1, sizeof(*j->victims)) };
	require(j->victims != NULL);
	for (size_t i = 0; i < a->n_urls; i++)
		if (a->urls[i].victim != NULL)
			j->victims[options.n_protected++] = slice_str(a->urls[i].victim);
	options.protected = j->victims;
	require((j->lint = lint_new(&options, NULL)) != NULL);
}

/* Lint lets a site block a public suffix itself; an alert is never meant so. */
static void
check_host(const struct rule *rule, const struct rule_match *match)
{
	struct slice host = slice_make(match->host, match->host_len);

	if (rule->kind == RULE_FILE || match->host_kind != HOST_NAME)
		return;
	require(rule->kind == RULE_HOST || (match->scope == SCOPE_EXACT && strcmp(match->path, "/") != 0));
	require(rule->kind == RULE_URL || registrable_domain(suffixes(), host).len > 0);
}

static int
visit(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct lint_finding findings[LINT_CLASSES];
	struct judge *j = arg;
	struct buf canonical;
	size_t n;

	(void)line;
	j->n++;
	/* A name without a digest is a level less. */
	require(rule->level == (rule->kind == RULE_FILE && match->path != NULL ? LEVEL - 1 : LEVEL));
	require(rule->action == RULE_BLOCK && rule->published == NOW && rule->expires == 0);
	require(lint_rule(j->lint, rule, match, findings, &n) < LINT_REFUSE);
	check_host(rule, match);
	buf_init(&canonical, ROOM);
	require(rule_match_format(rule->kind, match, &canonical) == 0 && slice_eq(buf_slice(&canonical), rule->value));
	buf_fini(&canonical);
	return 0;
}

/* The rules of A into OUT, made at NOW after those of PREVIOUS; how many. */
static size_t
make_rules(const struct alert *a, int64_t now, struct slice previous, struct buf *out)
{
	struct alert_rule_options options = { .level = LEVEL, .rev = a->version, .now = now, .previous = previous,
		.list = suffixes() };
	struct diag diag = { 0 };
	size_t n = alert_rules(a, &options, out, &diag);

	require(diag.n_errors == 0);
	diag_fini(&diag);
	return n;
}

static void
check_rules(const struct alert *a)
{
	struct source_defaults defaults = { .now = NOW };
	char source[SOURCE_NAME];
	struct buf first, again;
	struct judge j;
	size_t n;

	buf_init(&first, ROOM);
	buf_init(&again, ROOM);
	n = make_rules(a, NOW, slice_make(NULL, 0), &first);
	judge_init(&j, a);
	snprintf(source, sizeof(source), "alert-%s", a->id);
	require(source_parse("rules", slice_str(source), buf_slice(&first), &defaults, visit, &j, NULL) == 0 && j.n == n);
	require(make_rules(a, LATER, buf_slice(&first), &again) == n);
	require(slice_eq(buf_slice(&first), buf_slice(&again)));
	free(j.victims);
	lint_free(j.lint);
	buf_fini(&first);
	buf_fini(&again);
}

/* ---- records ---- */

static void
check_round_trip(const struct alert *a)
{
	struct buf first, again;
	struct diag diag = { 0 };
	struct alert *back;

	buf_init(&first, ROOM);
	buf_init(&again, ROOM);
	require(alert_to_json(a, &first) == 0);
	require((back = alert_from_json("record", buf_slice(&first), &diag)) != NULL && diag.n == 0);
	require(alert_to_json(back, &again) == 0 && slice_eq(buf_slice(&first), buf_slice(&again)));
	alert_free(back);
	buf_fini(&first);
	buf_fini(&again);
}

/* The finding E stands in TEXT, or right behind one of its lines. */
static void
check_place(const struct diag_entry *e, struct slice text)
{
	struct slice line;

	require(e->file != NULL && e->line > 0 && e->col > 0);
	for (unsigned i = 1; i < e->line; i++)
		require(slice_cut(text, '\n', NULL, &text));
	slice_cut(text, '\n', &line, NULL);
	require(e->col <= line.len + 1);
}

static void
check_as_text(struct slice text)
{
	struct diag diag = { 0 };
	struct alert *a = alert_parse("input", text, suffixes(), &diag);

	require((a != NULL) == (text.len <= ALERT_TEXT_MAX) && diag.n_errors == (a == NULL ? 1 : 0));
	if (a != NULL) {
		for (size_t i = 0; i < diag.n; i++)
			check_place(&diag.v[i], text);
		check_round_trip(a);
		check_rules(a);
	}
	alert_free(a);
	diag_fini(&diag);
}

static void
check_as_json(struct slice text)
{
	struct diag diag = { 0 };
	struct alert *a = alert_from_json("input", text, &diag);

	require((a != NULL) == (diag.n_errors == 0));
	if (a != NULL) {
		check_round_trip(a);
		check_rules(a);
	}
	alert_free(a);
	diag_fini(&diag);
}

/* Victims are then those of mail addresses alone. */
static void
check_without_list(struct slice text)
{
	struct alert *a = alert_parse("input", text, NULL, NULL);

	if (a != NULL)
		check_round_trip(a);
	alert_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);

	check_as_text(text);
	check_without_list(text);
	check_as_json(text);
	return 0;
}
