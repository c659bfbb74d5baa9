#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/edit_live.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/edit.h"
#include "ruleset/gate.h"
#include "ruleset/held.h"
#include "ruleset/source.h"

enum { FLAG_FOR, FLAG_JSON, FLAG_LEVEL, FLAG_NAME, FLAG_NOTE, FLAG_REMOVE, FLAG_SOURCE, FLAGS };
enum { VALUE_TEXT_MAX = 1 << 20, MISTYPED_MIN = 24 };

#define SOURCE_DEFAULT	"local"

/* One line that is to come or to go. */
struct change {
	const struct call	*call;
	enum rule_action	 action;
	bool			 remove, never;
	struct slice		 asked;
	struct slice		 source;
	struct rule		 rule;
	struct rule_match	 match;
	struct buf		 value;		/* canonical; empty when ASKED is no value, but may be an id */
	char			 label[EDIT_LABEL_MAX];
	struct edit		 edit;
	struct diag		 diag;
};

/* ---- what is meant ---- */

static bool
is_hex(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_hex(s.p[i]) == -1)
			return false;
	return s.len > 0;
}

/* The algorithm whose digests are as long as HEX. */
static bool
alg_of(struct slice hex, enum digest_alg *out)
{
	for (enum digest_alg alg = 0; is_hex(hex) && alg < DIGEST_ALGS; alg++)
		if (hex.len == 2 * digest_len(alg)) {
			*out = alg;
			return true;
		}
	return false;
}

/* "HEX", "HEX:SIZE" and either behind "ALG:", or "SIZE:ALG:HEX", as a file rule's value. */
static bool
file_value(struct slice asked, struct buf *out)
{
	struct slice first, rest, second, hex = asked, size = { 0 };
	enum digest_alg alg;
	bool named = slice_cut(asked, ':', &first, &rest) && digest_alg_parse(first, &alg) == 0;

	buf_reset(out);
	if (!named && slice_cut(rest, ':', &second, &rest) && (digest_alg_parse(second, &alg) == 0 ||
	    slice_eq(second, SLICE("name"))))
		return buf_add_slice(out, asked) == 0;
	if (named)
		hex = rest;
	slice_cut(hex, ':', &hex, &size);
	if (slice_istarts(hex, SLICE("0x")))
		hex = slice_skip(hex, strlen("0x"));
	if (!named && !alg_of(hex, &alg))
		return false;
	buf_add_slice(out, size.len > 0 ? size : SLICE("*"));
	buf_add_strs(out, ":", digest_alg_name(alg), ":", NULL);
	return buf_add_slice(out, hex) == 0;
}

/* Take ASKED as a value of KIND.  -1 with WHY. */
static int
take_as(struct change *ch, enum rule_kind kind, struct slice asked, char why[static RULE_WHY])
{
	size_t at;

	if (rule_match_parse(kind, asked, &ch->match, why, &at) == -1)
		return -1;
	/* All of a site is its host: that also holds for CONNECT. */
	if (kind == RULE_URL && strcmp(ch->match.path, "/") == 0) {
		rule_match_fini(&ch->match);
		kind = RULE_HOST;
	}
	ch->rule.kind = kind;
	buf_reset(&ch->value);
	return rule_match_format(kind, &ch->match, &ch->value);
}

/* ASKED is a scheme and a host, and nothing behind them. */
static bool
lacks_path(struct slice asked)
{
	struct slice rest = slice_skip(asked, slice_search(asked, SLICE("://")));

	return rest.len > 0 && slice_find(slice_skip(rest, strlen("://")), '/') == rest.len - strlen("://") &&
	    slice_find(rest, '?') == rest.len;
}

/* "ADDRESS/BITS"; what else stands behind an address is a path. */
static bool
is_network(struct slice asked)
{
	struct slice address, bits;
	struct network network;
	uint64_t n;

	return slice_cut(asked, '/', &address, &bits) && slice_u64(bits, &n) == 0 && network_parse(address, &network) == NETWORK_OK;
}

static int
read_value(struct change *ch)
{
	char why[RULE_WHY];
	struct slice asked = ch->asked;
	struct buf file;
	int r;

	/* No host has such a name: a digit more or less is not to become one. */
	if (asked.len >= MISTYPED_MIN && is_hex(asked) && !alg_of(asked, &(enum digest_alg){ 0 })) {
		diag_error(&ch->diag, "%.*s: has %zu digits, and a digest 32, 40 or 64", SLICE_ARGS(slice_head(asked, 200)), asked.len);
		return -1;
	}
	buf_init(&file, VALUE_TEXT_MAX);
	if (lacks_path(asked)) {
		buf_add_slice(&file, asked);
		buf_add_char(&file, '/');
		r = take_as(ch, RULE_URL, buf_slice(&file), why);
	} else if (file_value(asked, &file)) {
		r = take_as(ch, RULE_FILE, buf_slice(&file), why);
	} else if (is_network(asked)) {
		r = take_as(ch, RULE_ADDRESS, asked, why);
	} else {
		r = take_as(ch, slice_find(asked, '/') < asked.len ? RULE_URL : RULE_HOST, asked, why);
	}
	buf_fini(&file);
	if (r == -1)
		diag_error(&ch->diag, "%.*s: %s", SLICE_ARGS(slice_head(asked, 200)), why);
	return r;
}

/* ---- the line ---- */

/* Put the line into the text, in the place of one that says the same. */
static void
add_line(struct change *ch, int64_t now)
{
	struct rule *rule = &ch->rule;
	uint32_t rev = 0;

	edit_remove(&ch->edit, ch->action, rule->kind, buf_slice(&ch->value), (struct slice){ 0 }, now, &rev);
	edit_label(&ch->edit, ch->action, now, ch->label);
	rule->action = ch->action;
	rule->rev = rev + 1;
	rule->published = now;
	rule->source = ch->source;
	rule->label = slice_str(ch->label);
	rule->value = buf_slice(&ch->value);
	if (ch->never)
		source_format_exact(rule, &ch->edit.after);
	else
		edit_add(&ch->edit, rule);
}

static int
remove_line(struct change *ch, int64_t now)
{
	uint32_t rev;

	if (edit_remove(&ch->edit, ch->action, ch->rule.kind, buf_slice(&ch->value), ch->asked, now, &rev) > 0)
		return 0;
	diag_error(&ch->diag, "no line of %.*s says \"%s %.*s\"; \"firebreak check %.*s\" shows what decides, and \"firebreak allow\" "
	    "overrules it", SLICE_ARGS(ch->source), rule_action_name(ch->action), SLICE_ARGS(slice_head(ch->asked, 200)),
	    SLICE_ARGS(slice_head(ch->asked, 200)));
	return -1;
}

static void
say_done(const struct change *ch)
{
	FILE *f = stdout;
	char date[CLOCK_TEXT];

	fprintf(f, "%s", ch->remove ? "removed " : "");
	if (ch->value.len > 0)
		fprintf(f, "%s %s ", rule_action_name(ch->action), rule_kind_name(ch->rule.kind));
	show_text(f, ch->value.len > 0 ? buf_slice(&ch->value) : ch->asked);
	if (!ch->remove)
		fprintf(f, " (rule %.*s:%s)", SLICE_ARGS(ch->source), ch->label);
	if (ch->rule.expires != 0) {
		clock_format_s(ch->rule.expires, date);
		fprintf(f, " until %s", date);
	}
	fputc('\n', f);
}

/* Lint may hold the rule: it is then in the source, and not live. */
static int
look_for_held(struct change *ch)
{
	struct held_list held = { 0 };
	struct diag diag = { 0 };
	struct buf words;
	int status = EXIT_FINE;

	buf_init(&words, VALUE_TEXT_MAX);
	gate_words(ch->action, ch->rule.kind, buf_slice(&ch->value), &words);
	held_load(HELD_RULES, ch->call->state, &held, &diag);
	for (size_t i = 0; i < held.n; i++)
		if (slice_eq(held.v[i].source, ch->source) && slice_eq(held.v[i].rule, buf_slice(&words))) {
			fprintf(stderr, "firebreak %s: NOT live, it is held: %.*s; \"firebreak approve %.*s\" if it is meant\n",
			    ch->call->verb->name, SLICE_ARGS(held.v[i].text), SLICE_ARGS(held.v[i].id));
			status = EXIT_FOUND;
		}
	held_fini(&held);
	diag_fini(&diag);
	buf_fini(&words);
	return status;
}

static int
perform(struct change *ch, bool json)
{
	int64_t now = clock_ms() / 1000;
	int lock, status = EXIT_TROUBLE;
	char sources[STATE_PATH];

	if (call_path(ch->call, STATE_SOURCES, sources) == -1)
		return EXIT_TROUBLE;
	if (state_make(ch->call->state) == -1 || (lock = state_lock(ch->call->state)) == -1)
		return call_fail(ch->call, "%s: %s", ch->call->state, strerror(errno));
	if (edit_open(&ch->edit, sources, ch->source, &ch->diag) == 0) {
		if (!ch->remove)
			add_line(ch, now);
		if (!ch->remove || remove_line(ch, now) == 0)
			status = edit_live(ch->call, &ch->edit, json ? EDIT_JSON : EDIT_TEXT, &ch->diag);
		if (status != EXIT_TROUBLE && !json)
			say_done(ch);
		if (status == EXIT_FINE && !ch->remove)
			status = look_for_held(ch);
	}
	close(lock);
	return status;
}

/* ---- the command line ---- */

/* NULL, or what is wrong with the flags. */
static const char *
read_flags(struct change *ch, const char *const *values)
{
	uint64_t level = RULE_LEVEL_DEFAULT;
	int64_t span;

	if (values[FLAG_LEVEL] != NULL && (slice_u64(slice_str(values[FLAG_LEVEL]), &level) == -1 || level > RULE_LEVEL_MAX))
		return "--level takes a number from 0 to 5";
	ch->rule.level = (uint8_t)level;
	ch->rule.note = slice_str(values[FLAG_NOTE]);
	ch->rule.name = slice_str(values[FLAG_NAME]);
	ch->source = slice_str(values[FLAG_SOURCE] != NULL ? values[FLAG_SOURCE] : SOURCE_DEFAULT);
	ch->remove = ch->remove || values[FLAG_REMOVE] != NULL;
	if (slice_find(ch->source, '/') < ch->source.len || ch->source.len == 0 || ch->source.p[0] == '.')
		return "--source takes the name of a source";
	if (values[FLAG_FOR] == NULL)
		return NULL;
	if ((ch->never = strcmp(values[FLAG_FOR], "never") == 0))
		return NULL;
	if (clock_parse_span(slice_str(values[FLAG_FOR]), &span) == -1 || span == 0)
		return "--for takes a time such as 12h or 7d, or never";
	ch->rule.expires = clock_ms() / 1000 + span;
	return NULL;
}

static int
run_change(struct call *c, enum rule_action action, bool remove)
{
	static const char *const flags[FLAGS] = { "for=", "json", "level=", "name=", "note=", "remove", "source=" };
	const char *values[FLAGS], *wrong;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct change ch = { .call = c, .action = action, .remove = remove };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 1)
		return call_misused(c, "one HOST, URL or DIGEST[:SIZE]");
	if ((wrong = read_flags(&ch, values)) != NULL)
		return call_misused(c, wrong);
	ch.asked = slice_str(c->argv[0]);
	buf_init(&ch.value, VALUE_TEXT_MAX);
	/* What is to go may also be named by its id, which is no value. */
	if (read_value(&ch) == 0 || ch.remove) {
		if (ch.remove)
			diag_fini(&ch.diag);
		status = perform(&ch, values[FLAG_JSON] != NULL);
	}
	diag_print(&ch.diag, stderr);
	rule_match_fini(&ch.match);
	edit_fini(&ch.edit);
	buf_fini(&ch.value);
	diag_fini(&ch.diag);
	return status;
}

static int
run_block(struct call *c)
{
	return run_change(c, RULE_BLOCK, false);
}

static int
run_unblock(struct call *c)
{
	return run_change(c, RULE_BLOCK, true);
}

static int
run_allow(struct call *c)
{
	return run_change(c, RULE_ALLOW, false);
}

#define OPERANDS	"[--for TIME] [--level N] [--name NAME] [--note TEXT] [--source NAME] [--remove] [--json] HOST|URL|DIGEST[:SIZE]"

#define HELP \
	"  HOST          \"x\" itself, \".x\" and everything below, \"*.x\" everything below\n" \
	"  ADDRESS/BITS  requests to a bare address in that network\n" \
	"  URL           that address and what it begins; all of a site is its host\n" \
	"  DIGEST[:SIZE] an MD5, SHA-1 or SHA-256, better with the file's size in bytes\n" \
	"  SIZE:name:PATTERN   a file by its size and name, as in rules(5)\n" \
	"  --for TIME    until 12h, 7d ... from now, or never; else the site's default\n" \
	"  --level N     how sure, 0 to 5; else 4\n" \
	"  --name NAME   the file's name, for people\n" \
	"  --note TEXT   why, for whoever reads the source\n" \
	"  --source NAME the source that gets the line; else " SOURCE_DEFAULT "\n" \
	"  --remove      take the line out again\n" \
	"  --json        print an object\n"

const struct verb verb_block = {
	.name = "block",
	.run = run_block,
	.operands = OPERANDS,
	.summary = "Refuse a host, a URL or a file, from now on.",
	.help = HELP,
};

const struct verb verb_allow = {
	.name = "allow",
	.run = run_allow,
	.operands = OPERANDS,
	.summary = "Let a host, a URL or a file pass, whatever a list says.",
	.help = HELP,
};

const struct verb verb_unblock = {
	.name = "unblock",
	.run = run_unblock,
	.operands = "[--source NAME] [--json] HOST|URL|DIGEST[:SIZE]|ID",
	.summary = "Take back what block said.",
	.help =
	    "  ID            of the rule, such as " SOURCE_DEFAULT ":b20261126-180423\n"
	    "  --source NAME the source that has the line; else " SOURCE_DEFAULT "\n"
	    "  --json        print an object\n",
};
