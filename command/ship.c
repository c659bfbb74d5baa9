/* The event log to a receiver of syslog, each event once at least: what the receiver has is forgotten only then (eventstore.h), so
 * that an end of this process, of the receiver or of the machine makes some come twice and none be lost. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/verb.h"
#include "eventstore/eventstore.h"
#include "eventstore/syslog_link.h"
#include "eventstore/syslog_message.h"

enum {
	FLAG_ONCE, FLAG_NEW, FLAG_POSITION, FLAG_FACILITY, FLAG_SEVERITY, FLAG_MAX_SIZE, FLAG_BOM, FLAG_SD_ID, FLAG_CA,
	FLAG_CERT, FLAG_KEY, FLAG_EVENTS, FLAGS
};
enum {
	LINE_BYTES = 2 << 20,		/* of one event, and of its message */
	SIZE_USUAL = 8192,		/* what receivers take when nobody sets them: rsyslog's maxMessageSize */
	SIZE_MAX_MESSAGE = 2 << 20,
	BATCH_EVENTS = 5000, BATCH_BYTES = 4 << 20,	/* what may come twice */
	IDLE_MS = 500, WAIT_FIRST_MS = 1000, WAIT_LAST_MS = 60 * 1000,
	S_MS = 1000,
};

struct ship {
	const struct call	*c;
	struct eventstore	*s;
	struct syslog_link	*link;
	struct syslog_style	 style;
	char			 host[SYSLOG_HOST_MAX + 1];
	const char		*target;
	bool			 once;
	struct diag		 diag;
	size_t			 warnings;	/* that were said */
	uint64_t		 n, gone, shortened, resent;
	uint64_t		 gone_said;
	bool			 trusts, cut;	/* that was said */
	/* the batch */
	size_t			 events, bytes;
	int64_t			 last;		/* its key */
	bool			 broken;	/* by the link; else by the store */
};

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* ---- a batch ---- */

/* Send MESSAGE; one that no datagram can hold goes without its JSON. */
static int
send_message(struct ship *p, const struct event_row *row, struct slice json, struct buf *message)
{
	struct syslog_style small = p->style;
	int r = syslog_send(p->link, buf_slice(message));

	if (r != 1)
		return r;
	small.max = SYSLOG_SIZE_MIN;
	buf_reset(message);
	p->shortened += syslog_message(&small, row, json, message) == 1;
	return syslog_send(p->link, buf_slice(message)) == 0 ? 0 : -1;
}

static int
ship_line(struct ship *p, const struct event_row *row, struct slice json)
{
	struct buf message;
	int r;

	buf_init(&message, 2 * LINE_BYTES);
	if ((r = syslog_message(&p->style, row, json, &message)) != -1) {
		p->shortened += r == 1;
		r = send_message(p, row, json, &message);
	}
	p->bytes += message.len;
	p->broken = r == -1;
	buf_fini(&message);
	return r;
}

/* 0: the next; 1: the batch is full; -1: an error. */
static int
visit(void *arg, const struct event_row *row)
{
	struct ship *p = arg;
	struct buf line;
	int r;

	buf_init(&line, LINE_BYTES);
	r = eventstore_line(p->s, row, &line, &p->diag);
	p->gone += r == 1;
	if (r == 0)
		r = ship_line(p, row, buf_slice(&line));
	else if (r == 1)
		r = 0;
	buf_fini(&line);
	if (r == -1)
		return -1;
	p->last = row->key;
	return ++p->events >= BATCH_EVENTS || p->bytes >= BATCH_BYTES || stopped ? 1 : 0;
}

/* One batch: 1 when there may be more, 0 when that was all, -1 when it is to be sent again. */
static int
ship_batch(struct ship *p)
{
	struct event_query all = { 0 };
	int r;

	p->events = p->bytes = 0;
	p->broken = false;
	r = eventstore_search(p->s, &all, visit, p, &p->diag);
	if (r != -1 && syslog_confirm(p->link) == -1) {
		p->broken = true;
		r = -1;
	}
	if (r == -1) {
		p->resent += p->events;
		return -1;
	}
	if ((r == 1 ? eventstore_forget_to(p->s, p->last, &p->diag) : eventstore_forget(p->s, &p->diag)) == -1)
		return -1;
	p->n += p->events;
	return r;
}

/* ---- all of it ---- */

/* What is wrong with the log is said when it changes. */
static void
say_findings(struct ship *p)
{
	if (p->diag.n_errors > 0 || p->diag.n_warnings != p->warnings)
		diag_print(&p->diag, stderr);
	p->warnings = p->diag.n_warnings;
	if (p->gone != p->gone_said)
		call_fail(p->c, "deleted from the log before they could be shipped: %ju more", (uintmax_t)(p->gone - p->gone_said));
	p->gone_said = p->gone;
	diag_fini(&p->diag);
	p->diag = (struct diag){ 0 };
	if (syslog_trusts_system(p->link) && !p->trusts)
		call_fail(p->c, "%s does not close a connection whose other half is closed: from here on it is not known whether it "
		    "has read what was sent, only that its system has taken it", p->target);
	p->trusts = syslog_trusts_system(p->link);
	if (syslog_may_be_cut(p->link) && !p->cut)
		call_fail(p->c, "%s closes without the end that TLS has (close_notify): whoever is on the way could close as well, and what was "
		    "sent be lost", p->target);
	p->cut = syslog_may_be_cut(p->link);
}

/* Read what came since and ship it.  How many events, -1 when something is wrong. */
static int64_t
ship_round(struct ship *p)
{
	uint64_t before = p->n;
	int r = eventstore_update(p->s, &p->diag) == -1 ? -1 : 1;

	while (r == 1)
		r = stopped ? 0 : ship_batch(p);
	return r == -1 ? -1 : (int64_t)(p->n - before);
}

/* Try until it works. */
static void
wait_for_receiver(struct ship *p)
{
	int64_t wait = WAIT_FIRST_MS, began = clock_ms();
	int r;

	call_fail(p->c, "%s: %s; trying until it works", p->target, syslog_link_error(p->link));
	do {
		if (!stopped)
			clock_pause(wait);
		wait = 2 * wait < WAIT_LAST_MS ? 2 * wait : WAIT_LAST_MS;
		r = stopped ? -1 : ship_batch(p);
	} while (!stopped && r == -1 && p->broken);
	if (r != -1)
		call_fail(p->c, "%s: it works again, after %jd s", p->target, (intmax_t)((clock_ms() - began) / S_MS));
}

static int
ship_all(struct ship *p)
{
	int64_t n;

	while (!stopped) {
		n = ship_round(p);
		say_findings(p);
		if (n == -1 && stopped)
			break;
		if (n == -1 && !p->broken)
			return EXIT_TROUBLE;
		if (n == -1 && p->once)
			return call_fail(p->c, "%s: %s", p->target, syslog_link_error(p->link));
		if (n == -1)
			wait_for_receiver(p);
		else if (n == 0 && p->once)
			break;
		else if (n == 0 && !stopped)
			clock_pause(IDLE_MS);
	}
	return EXIT_FINE;
}

/* ---- beginning ---- */

static int
take_one(void *arg, const struct event_row *row)
{
	(void)row;
	*(bool *)arg = true;
	return 1;
}

/* Begin with what comes from now on: what there is is passed over.  -1 after saying what is wrong. */
static int
pass_over(struct ship *p)
{
	struct event_query all = { 0 };
	bool some = true;
	int r = 0;

	while (r != -1 && some) {
		some = false;
		r = eventstore_update(p->s, &p->diag);
		if (r != -1)
			r = eventstore_search(p->s, &all, take_one, &some, &p->diag);
		if (r != -1)
			r = eventstore_forget(p->s, &p->diag);
	}
	say_findings(p);
	return r == -1 ? -1 : 0;
}

/* Root goes on as the owner of the folder that is written to, now that the keys for TLS are read. */
static int
leave_root(const struct ship *p, const char *position)
{
	const char *slash = position == NULL ? NULL : strrchr(position, '/');
	char *folder;
	int r = -1;

	if (position == NULL)
		return call_become_owner(p->c);
	folder = slash == NULL ? strdup(".") : slash == position ? strdup("/") : strndup(position, (size_t)(slash - position));
	if (folder != NULL)
		r = call_become_owner_of(p->c, folder);
	free(folder);
	return r;
}

static int
open_store(struct ship *p, const char *const *values)
{
	bool needs_state = values[FLAG_EVENTS] == NULL || values[FLAG_POSITION] == NULL;
	char log[STATE_PATH], position[STATE_PATH];
	bool anew = false;

	if ((needs_state && call_need_state(p->c) == -1) || leave_root(p, needs_state ? NULL : values[FLAG_POSITION]) == -1)
		return -1;
	if (call_path(p->c, STATE_EVENTS, log) == -1 || call_path(p->c, STATE_SHIP, position) == -1)
		return -1;
	p->s = eventstore_follow_in(values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : log,
	    values[FLAG_POSITION] != NULL ? values[FLAG_POSITION] : position, &anew, &p->diag);
	say_findings(p);
	if (p->s == NULL)
		return -1;
	return anew && values[FLAG_NEW] != NULL ? pass_over(p) : 0;
}

/* A name that a header may have. */
static void
name_host(struct ship *p)
{
	if (gethostname(p->host, sizeof(p->host) - 1) == -1 || !syslog_is_host(p->host))
		memcpy(p->host, "-", sizeof("-"));
	p->style.host = p->host;
}

static int
read_style(struct ship *p, const char *const *values)
{
	uint64_t max = SIZE_USUAL;

	p->style = (struct syslog_style){ .facility = syslog_facility("local0"), .severity = SYSLOG_SEVERITY_BY_ACTION,
		.bom = values[FLAG_BOM] != NULL, .sd_id = values[FLAG_SD_ID] != NULL ? values[FLAG_SD_ID] : "firebreak@32473" };
	name_host(p);
	if (values[FLAG_FACILITY] != NULL && (p->style.facility = syslog_facility(values[FLAG_FACILITY])) == -1)
		return call_misused(p->c, "a facility is a word as local0, daemon or authpriv"), -1;
	if (values[FLAG_SEVERITY] != NULL && (p->style.severity = syslog_severity(values[FLAG_SEVERITY])) == -1)
		return call_misused(p->c, "a severity is emerg, alert, crit, err, warning, notice, info or debug"), -1;
	if (values[FLAG_MAX_SIZE] != NULL &&
	    (slice_u64(slice_str(values[FLAG_MAX_SIZE]), &max) == -1 || max < SYSLOG_SIZE_MIN || max > SIZE_MAX_MESSAGE))
		return call_misused(p->c, "--max-size takes a number of bytes from 2048 to 2097152"), -1;
	if (!syslog_is_sd_id(p->style.sd_id))
		return call_misused(p->c, "--sd-id takes NAME@NUMBER, 32 characters at most"), -1;
	if ((values[FLAG_CERT] == NULL) != (values[FLAG_KEY] == NULL))
		return call_misused(p->c, "--cert and --key belong together"), -1;
	p->style.max = (size_t)max;
	return 0;
}

static void
catch_signals(void)
{
	struct sigaction on_stop = { .sa_handler = stop }, ignored = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &on_stop, NULL);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGPIPE, &ignored, NULL);
}

/* What became of it, where a person may see it. */
static void
say_end(const struct ship *p)
{
	fprintf(stderr, "firebreak ship: %ju event%s shipped, %ju of them without their JSON, %ju sent more than once, %ju not in the "
	    "log any more\n", (uintmax_t)p->n, p->n == 1 ? "" : "s", (uintmax_t)p->shortened, (uintmax_t)p->resent, (uintmax_t)p->gone);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "once", "new", "position=", "facility=", "severity=", "max-size=", "bom", "sd-id=",
		"ca=", "cert=", "key=", "events=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct ship p = { .c = c };
	struct syslog_tls_files tls;
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 1)
		return call_misused(c, "to which receiver? such as unix:/dev/log, udp:HOST, tcp:HOST:PORT or tls:HOST");
	if (read_style(&p, values) == -1)
		return EXIT_TROUBLE;
	p.target = c->argv[0];
	p.once = values[FLAG_ONCE] != NULL;
	tls = (struct syslog_tls_files){ values[FLAG_CA], values[FLAG_CERT], values[FLAG_KEY] };
	p.link = syslog_link_new(p.target, &tls, &p.diag);
	if (p.link == NULL) {
		diag_print(&p.diag, stderr);
		diag_fini(&p.diag);
		return EXIT_TROUBLE;
	}
	catch_signals();
	if (open_store(&p, values) == 0) {
		status = ship_all(&p);
		say_end(&p);
	}
	eventstore_close(p.s);
	syslog_link_free(p.link);
	diag_fini(&p.diag);
	return status;
}

const struct verb verb_ship = {
	.name = "ship",
	.run = run,
	.operands = "[flags] unix:PATH|udp:HOST[:PORT]|tcp:HOST:PORT|tls:HOST[:PORT]",
	.summary = "Hand the event log on to a receiver of syslog, nothing lost.",
	.help =
	    "  --once           ship what there is, then end; else go on as events come\n"
	    "  --new            the first time: begin with what comes, not with all that there is\n"
	    "  --position FILE  what was shipped; else ship.position in the state folder\n"
	    "  --facility WORD  else local0\n"
	    "  --severity WORD  else warning for what was refused or failed open, and notice\n"
	    "  --max-size N     bytes of a message; else 8192. What is longer goes without its JSON\n"
	    "  --bom            mark the JSON as UTF-8 (RFC 5424 6.4)\n"
	    "  --sd-id ID       of the structured data; else firebreak@32473\n"
	    "  --ca FILE        whom to believe over TLS; else whom the system believes\n"
	    "  --cert FILE      who we are over TLS, with --key FILE\n"
	    "  --key FILE       the key of --cert\n"
	    "  --events FILE    the event log; else events.jsonl in the state folder\n",
};
