
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/audit.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"

enum { FLAG_FOR, FLAG_REASON, FLAGS };
enum { REASON_MAX = 1000, AUDIT_MAX = 8192 };

struct change {
	enum mode	 mode;
	int64_t		 now_ms, until_ms;	/* 0 = no end */
	const char	*reason;
};

static void
print_mode(enum mode mode, int64_t until_ms)
{
	char date[CLOCK_TEXT];

	printf("%s", mode_name(mode));
	if (until_ms != 0) {
		clock_format_s(until_ms / 1000, date);
		printf(" until %s", date);
	}
	putchar('\n');
}

/* One line, whatever the reason's bytes: who reads the log can trust its lines. */
static void
format_audit(const struct change *ch, struct buf *out)
{
	char date[CLOCK_TEXT];

	audit_begin(out, ch->now_ms);
	buf_addf(out, " mode=%s until=", mode_name(ch->mode));
	if (ch->until_ms != 0)
		clock_format_s(ch->until_ms / 1000, date);
	buf_addf(out, "%s reason=", ch->until_ms != 0 ? date : "-");
	buf_add_utf8(out, slice_str(ch->reason));
}

/* The panic switch works also when the disk is full: an audit that cannot be written is said, not
 * waited for. */
static int
apply(const struct call *c, struct runtime *r, const struct change *ch)
{
	struct buf line;
	int written;

	runtime_set_mode(r, ch->mode, ch->until_ms);
	print_mode(ch->mode, ch->until_ms);
	buf_init(&line, AUDIT_MAX);
	format_audit(ch, &line);
	written = audit_write(c, "mode.log", &line, "the mode is set");
	buf_fini(&line);
	return written == 0 ? EXIT_FINE : EXIT_FOUND;
}

static int
set_mode(const struct call *c, const struct change *ch)
{
	struct diag diag = { 0 };
	struct runtime *r;
	int status;

	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	if (state_make(c->state) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno));
	r = runtime_open(c->state, &diag);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (r == NULL)
		return EXIT_TROUBLE;
	status = apply(c, r, ch);
	runtime_close(r);
	return status;
}

static int
get_mode(const struct call *c)
{
	struct diag diag = { 0 };
	struct runtime *r = overview_runtime(c->state, &diag);
	int64_t until_ms = 0;
	int status = diag.n_errors > 0 ? EXIT_TROUBLE : EXIT_FINE;

	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (status != EXIT_FINE)
		return status;
	if (r == NULL)
		print_mode(MODE_ENFORCE, 0);	/* what a new file begins with */
	else {
		enum mode mode = runtime_mode(r, clock_ms(), &until_ms);

		print_mode(mode, until_ms);
	}
	runtime_close(r);
	return EXIT_FINE;
}

/* What the command line asks for into CH; NULL, or what is wrong with it. */
static const char *
read_change(const struct call *c, const char *const *values, struct change *ch)
{
	int64_t span;

	if (c->argc > 1 || mode_parse(slice_str(c->argv[0]), &ch->mode) == -1)
		return "the mode is enforce, observe or off";
	if (values[FLAG_REASON] == NULL || slice_trim(slice_str(values[FLAG_REASON])).len == 0)
		return "a change of the mode needs --reason TEXT";
	if (strlen(values[FLAG_REASON]) > REASON_MAX)
		return "the reason is too long";
	ch->reason = values[FLAG_REASON];
	ch->now_ms = clock_ms();
	ch->until_ms = 0;
	if (values[FLAG_FOR] == NULL)
		return NULL;
	if (ch->mode == MODE_ENFORCE)
		return "enforce has no end, so no --for";
	if (clock_parse_span(slice_str(values[FLAG_FOR]), &span) == -1 || span == 0)
		return "--for takes a time such as 30m or 1h";
	ch->until_ms = ch->now_ms + span * 1000;
	return NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "for=", "reason=" };
	const char *values[FLAGS], *wrong;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct change ch;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc == 0 && values[FLAG_FOR] == NULL && values[FLAG_REASON] == NULL)
		return call_need_state(c) == -1 ? EXIT_TROUBLE : get_mode(c);
	if (c->argc == 0)
		return call_misused(c, "which mode?");
	if ((wrong = read_change(c, values, &ch)) != NULL)
		return call_misused(c, wrong);
	return set_mode(c, &ch);
}

const struct verb verb_mode = {
	.name = "mode",
	.run = run,
	.operands = "[enforce|observe|off [--for TIME] --reason TEXT]",
	.summary = "Show or set the mode: the panic switch.",
	.help =
	    "  enforce       rules act\n"
	    "  observe       rules are judged and logged as would_block; nothing is refused\n"
	    "  off           nothing is judged\n"
	    "  --for TIME    back to enforce by itself after 30m, 1h, 2d ...\n"
	    "  --reason TEXT why; written to log/mode.log with the time and the user id\n",
};
