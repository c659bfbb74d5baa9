#include "judge/judge.h"

#include "base/clock.h"

/* UNCHECKED: what could not be checked, and why; NULL for a reason that was found by checking. */
static const struct { const char *name, *unchecked; } reasons[] = {
	[REASON_NONE] = { "none", NULL },
	[REASON_HOST] = { "host", NULL },
	[REASON_URL] = { "url", NULL },
	[REASON_PATH] = { "path", NULL },
	[REASON_ADDRESS] = { "address", NULL },
	[REASON_LOOKALIKE] = { "lookalike", NULL },
	[REASON_FILE] = { "file", NULL },
	[REASON_FILE_NAME] = { "file-name", NULL },
	[REASON_FILE_AGAIN] = { "file-again", NULL },
	[REASON_PARTIAL] = { "partial", NULL },
	[REASON_NO_RULES] = { "no-rules", "no rule set could be loaded" },
	[REASON_ODD_HOST] = { "odd-host", "the host is none that can be judged by what it looks like" },
	[REASON_BAD_URL] = { "bad-url", "the URL could not be understood" },
	[REASON_DAMAGED] = { "damaged", "a part of the rule set is damaged" },
	[REASON_UNSCANNABLE] = { "unscannable", "it could not be looked into" },
	[REASON_LIMIT] = { "limit", "a path rule's regular expression took too long for this URL" },
	[REASON_NO_MEMORY] = { "no-memory", "there was not enough memory" },
};

_Static_assert(sizeof(reasons) / sizeof(*reasons) == REASONS, "every reason has a row");

const char *
reason_name(enum reason r)
{
	return reasons[r].name;
}

const struct rule *
why_rule(const struct why *why)
{
	if (why->has_rule)
		return &why->rule;
	return why->would_block && why->would_reason != REASON_LOOKALIKE ? &why->would : NULL;
}

enum reason
why_reason(const struct why *why)
{
	return why->reason != REASON_NONE ? why->reason : why->would_reason;
}

bool
reason_unchecked(enum reason r)
{
	return reasons[r].unchecked != NULL;
}

/* What FORMAT says of RULE, as UTF-8. */
static void
add_formatted(int format(const struct rule *rule, struct buf *out), const struct rule *rule, struct buf *out)
{
	size_t begin = out->len;

	if (format(rule, out) == -1)
		out->failed = true;
	buf_make_utf8(out, begin);
}

static void
add_rule(const struct rule *rule, struct buf *out)
{
	buf_add_strs(out, rule_action_name(rule->action), " ", rule_kind_name(rule->kind), " ", NULL);
	add_formatted(rule_value_format, rule, out);
	buf_add_str(out, " (rule ");
	add_formatted(rule_id_format, rule, out);
	buf_add_str(out, ", revision ");
	buf_add_number(out, rule->rev);
	buf_add_str(out, ", level ");
	buf_add_number(out, rule->level);
	buf_add_char(out, ')');
}

static void
add_result(const struct generation *g, const struct rule *rule, enum step_result result, struct buf *out)
{
	char date[CLOCK_TEXT];

	switch (result) {
	case STEP_DECIDES:
		buf_add_str(out, ": this decides");
		break;
	case STEP_EXPIRED:
		clock_format_s(rule->expires, date);
		buf_addf(out, ": expired %s", date);
		break;
	case STEP_BELOW_THRESHOLD:
		buf_addf(out, ": below the threshold of %d", (int)generation_site(g)->threshold);
		break;
	case STEP_EXCEPTED:
		buf_add_str(out, ": an exception holds");
		break;
	case STEP_OVERRULED:
		buf_add_str(out, ": overruled");
		break;
	case STEP_PLAIN:
		break;
	}
}

static void
add_lookalike(const struct lookalike_finding *f, enum step_result result, struct buf *out)
{
	buf_addf(out, "lookalike %s, %s: ", lookalike_class_name(f->class), lookalike_level_name(f->level));
	lookalike_format(f, out);
	if (result == STEP_DECIDES)
		buf_add_str(out, ": this decides");
}

static void
add_step_text(const struct generation *g, const struct why *why, const struct step *step, struct buf *out)
{
	struct rule rule;

	switch (step->kind) {
	case STEP_NO_RULE:
		buf_add_str(out, "no rule for this host or URL");
		return;
	case STEP_NO_FILE:
		buf_add_str(out, "no rule for this size and digest");
		return;
	case STEP_LOOKALIKE:
		add_lookalike(&why->lookalike, step->result, out);
		return;
	case STEP_UNSCANNABLE:
		buf_addf(out, "could not be looked into (%s): %s", unscannable_name(step->unscannable),
		    unscannable_text(step->unscannable));
		return;
	case STEP_UNCHECKED:
		buf_addf(out, "could not be checked: %s", reasons[step->reason].unchecked);
		return;
	case STEP_RULE:
	case STEP_FILE:
		break;
	}
	/* The one that decides was read by the judge: reading it again is dear when a million rows are packed. */
	if (step->result == STEP_DECIDES && why->has_rule)
		rule = why->rule;
	else if (g == NULL || generation_rule(g, step->layer, step->ref, NULL, &rule) == -1)
		return;
	rule.name = (struct slice){ 0 };
	rule.kind = step->rule_kind;
	rule.key = step->key;
	add_rule(&rule, out);
	add_result(g, &rule, step->result, out);
}

int
why_format_steps(const struct generation *g, const struct why *why, struct buf *out)
{
	for (size_t i = 0; i < why->n_steps; i++) {
		if (i > 0)
			buf_add_char(out, '\n');
		add_step_text(g, why, &why->steps[i], out);
	}
	if (why->steps_lost > 0)
		buf_addf(out, "\nand %zu more that are not shown", why->steps_lost);
	return out->failed ? -1 : 0;
}

static void
add_quoted_host(struct slice host, struct buf *out)
{
	if (host.len == 0)
		buf_add_str(out, "this site");
	else
		buf_add_utf8(out, host);
}

static void
add_file_name(const struct rule *rule, struct buf *out)
{
	if (rule->name.len > 0)
		buf_add_utf8(out, rule->name);
	else
		add_formatted(rule_value_format, rule, out);
}

int
why_format_sentence(const struct why *why, struct slice host, struct buf *out)
{
	enum reason reason = why_reason(why);
	const struct rule *rule = why_rule(why);

	switch (reason) {
	case REASON_HOST:
	case REASON_URL:
	case REASON_PATH:
	case REASON_ADDRESS:
		add_quoted_host(host, out);
		buf_add_strs(out, " is listed as harmful: ", rule_kind_name(rule->kind), " ", NULL);
		add_formatted(rule_value_format, rule, out);
		break;
	case REASON_LOOKALIKE:
		add_quoted_host(host, out);
		buf_add_char(out, ' ');
		lookalike_format(&why->lookalike, out);
		break;
	case REASON_FILE:
		buf_add_str(out, "this file is listed as harmful: ");
		add_file_name(rule, out);
		break;
	case REASON_FILE_NAME:
		buf_add_str(out, rule->key.size == HASHDB_SIZE_ANY ? "a file of this name is listed as harmful: " :
		    "a file of this name and size is listed as harmful: ");
		add_file_name(rule, out);
		break;
	case REASON_FILE_AGAIN:
		buf_add_str(out, "this address gave a file that is listed as harmful: ");
		add_file_name(rule, out);
		break;
	case REASON_PARTIAL:
		buf_add_str(out, "a part of a file cannot be checked, and this one may be of a harmful file;"
		    " only the whole can be");
		break;
	case REASON_UNSCANNABLE:
		buf_addf(out, "this file could not be looked into: %s", unscannable_text(why->steps[0].unscannable));
		break;
	case REASON_ODD_HOST:
		buf_addf(out, "could not be checked: %s; %s", reasons[reason].unchecked, why->lookalike.fault);
		break;
	case REASON_NO_RULES:
	case REASON_BAD_URL:
	case REASON_DAMAGED:
	case REASON_LIMIT:
	case REASON_NO_MEMORY:
		buf_addf(out, "could not be checked: %s", reasons[reason].unchecked);
		break;
	case REASON_NONE:
	case REASONS:
		buf_add_str(out, "nothing speaks against it");
		break;
	}
	return out->failed ? -1 : 0;
}
