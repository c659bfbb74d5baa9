/* Any bytes as a source file.  Every rule that is accepted is within its bounds, and written out as a line it reads back as
 * the same rule; its value's canonical form means the same too. */
#include <stdlib.h>

#include "ruleset/source.h"
#include "t/fuzz/same_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_BYTES = 65536, TEXT_MAX = 1 << 20 };

static const struct slice source_name = { "fuzz", 4 };
static const struct source_defaults for_ever = { .now = 1795000000 };

static void
check_same_text(struct slice a, struct slice b)
{
	if (!slice_eq(a, b))
		abort();
}

/* ARG is the rule as it was before it was written. */
static int
visit_again(void *arg, const struct rule *b, const struct rule_match *match, unsigned line)
{
	const struct rule *a = arg;

	(void)match;
	if (line != 1 || a->action != b->action || a->kind != b->kind || a->level != b->level || a->rev != b->rev ||
	    a->files != b->files || a->published != b->published || a->expires != b->expires)
		abort();
	if (slice_find(a->id, ':') != source_name.len)
		abort();
	check_same_text(a->id, b->id);
	check_same_text(a->value, b->value);
	check_same_text(a->alert, b->alert);
	check_same_text(a->name, b->name);
	check_same_text(a->container, b->container);
	check_same_text(a->note, b->note);
	return 1;
}

static void
check_round_trip(const struct rule *rule)
{
	struct rule copy = *rule;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (source_format(rule, &text) == -1)
		abort();
	if (text.len <= LINE_MAX_BYTES && source_parse("again", source_name, buf_slice(&text), &for_ever, visit_again,
	    &copy, NULL) != 1)
		abort();
	buf_fini(&text);
}

static int
visit(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)arg;
	if (line == 0 || rule->level > RULE_LEVEL_MAX || rule->rev == 0 || !rule->local ||
	    !slice_eq(rule->source, source_name))
		abort();
	check_round_trip(rule);
	if (!match_reads_back(rule->kind, match))
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct diag diag = { 0 };
	int result = source_parse("input", source_name, text, &for_ever, visit, NULL, &diag);

	if (result != (diag.n_errors > 0 ? -1 : 0))
		abort();
	for (size_t i = 0; i < diag.n; i++)
		if (diag.v[i].line == 0)
			abort();
	diag_fini(&diag);
	return 0;
}
