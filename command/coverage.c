#include "command/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/access_logs.h"
#include "command/show.h"

enum { MS = 1000, WHOLE = 1000 };

/* ---- what Squid let through ---- */

struct unfiltered {
	struct access_member	 member;
	uint64_t		 n;
	int64_t			 last_ms;
};

/* What Squid refused itself, and what was no request, went nowhere. */
static bool
went_out(const struct access_entry *e)
{
	return e->kind != ACCESS_ERROR && !slice_starts(e->result, SLICE("TCP_DENIED")) &&
	    !slice_starts(e->result, SLICE("NONE"));
}

static void
note_entry(void *arg, const struct access_entry *e, const struct url *url)
{
	struct unfiltered *u = arg;

	(void)url;
	if (!went_out(e))
		return;
	u->n++;
	if (e->time_ms > u->last_ms)
		u->last_ms = e->time_ms;
}

static int
take_piece(void *arg, void *member)
{
	struct coverage *out = arg;
	struct unfiltered *u = member;

	out->unfiltered += u->n;
	out->last_ms = u->last_ms > out->last_ms ? u->last_ms : out->last_ms;
	u->n = 0;
	return 0;
}

static void
read_log(int64_t now_ms, struct coverage *out, struct diag *diag)
{
	size_t n = log_crew_size();
	struct unfiltered *all = calloc(n, sizeof(*all));
	void *members[LOG_CREW_MEMBERS];
	struct access_format *format = access_format_new(SLICE("squid"), diag);
	struct access_logs logs = { .format = format, .paths = &out->log, .n = 1, .of_site = true, .entry = note_entry,
		.piece = take_piece, .arg = out,
		.since_ms = now_ms - INT64_C(1) * COVERAGE_DAYS * CLOCK_DAY_S * MS };
	struct diag wrong = { 0 };

	for (size_t i = 0; all != NULL && i < n; i++)
		members[i] = &all[i];
	out->unreadable = all == NULL || format == NULL || access_logs_read(&logs, members, n, &wrong) == -1;
	if (out->unreadable)
		diag_add(diag, DIAG_WARNING, out->log, 0, 0, "cannot be read: what Squid let through is not known; who asks has to be in Squid's "
		    "group, or root");
	diag_fini(&wrong);
	access_format_free(format);
	free(all);
}

void
coverage_look(const struct runtime *runtime, const struct site *site, int64_t now_ms, struct coverage *out, struct diag *diag)
{
	uint64_t seen;

	*out = (struct coverage){ 0 };
	if (runtime != NULL) {
		out->requests = runtime_counter(runtime, COUNTER_requests);
		out->tunnels = runtime_counter(runtime, COUNTER_tunnels);
		out->answered = runtime_counter(runtime, COUNTER_answered);
		out->exempt = runtime_counter(runtime, COUNTER_exempt);
		out->responses = runtime_counter(runtime, COUNTER_responses);
		out->left_out = runtime_counter(runtime, COUNTER_bodies_left_out);
		out->unscannable = runtime_counter(runtime, COUNTER_bodies_unscannable);
		out->unchecked = runtime_counter(runtime, COUNTER_passed_unchecked);
	}
	seen = out->tunnels + out->answered + out->responses;
	out->cached = out->requests > seen ? out->requests - seen : 0;
	if (site == NULL || *site->unfiltered_log == '\0' || (access(site->unfiltered_log, F_OK) == -1 && errno == ENOENT))
		return;
	out->log = site->unfiltered_log;
	read_log(now_ms, out, diag);
}

unsigned
coverage_permille(const struct coverage *c)
{
	uint64_t unseen = c->tunnels + c->exempt + c->cached + c->left_out + c->unscannable, all = c->requests;

	if (all == 0)
		return WHOLE;
	return unseen >= all ? 0 : (unsigned)((all - unseen) * WHOLE / all);
}

/* ---- showing it ---- */

static void
print_part(const char *name, uint64_t n, uint64_t all, const char *help)
{
	printf("  %-18s %12" PRIu64 "  %5.1f %%  %s\n", name, n, all == 0 ? 0.0 : 100.0 * (double)n / (double)all, help);
}

static void
print_unfiltered(const struct coverage *c, int64_t now_ms)
{
	char age[CLOCK_SPAN];

	if (c->log == NULL) {
		puts("  unfiltered         not known: Squid writes no UnfilteredLog (srv_firebreak(8) has the lines)");
		return;
	}
	if (c->unreadable) {
		puts("  unfiltered         not known: UnfilteredLog cannot be read");
		return;
	}
	if (c->unfiltered == 0) {
		puts("  unfiltered         none in the last day");
		return;
	}
	clock_format_span((now_ms - c->last_ms) / MS, age);
	printf("  unfiltered         *** %" PRIu64 " request%s in the last day WENT THROUGH UNASKED, the last %s ago: %s ***\n",
	    c->unfiltered, show_s(c->unfiltered), age, c->log);
}

void
coverage_print(const struct coverage *c, int64_t now_ms)
{
	unsigned permille = coverage_permille(c);

	if (c->requests == 0) {
		puts("Coverage    no request yet");
		print_unfiltered(c, now_ms);
		return;
	}
	printf("Coverage    %u.%u %% of %" PRIu64 " request%s, with all that they brought\n", permille / 10, permille % 10, c->requests,
	    show_s(c->requests));
	print_part("tunnels", c->tunnels, c->requests, "CONNECT: only the host was seen");
	print_part("cached", c->cached, c->requests, "no response came here: out of Squid's cache, or an error of Squid's");
	print_part("exempt", c->exempt, c->requests, "mode off, or an allow with files=yes");
	print_part("left out", c->left_out, c->requests, "bodies of a type that HashTypes leaves out");
	print_part("unscannable", c->unscannable, c->requests, "bodies that could not be looked into");
	print_unfiltered(c, now_ms);
}

json_t *
coverage_json(const struct coverage *c)
{
	json_t *j = json_object();

	json_object_set_new(j, "permille", json_integer(coverage_permille(c)));
	show_json_number(j, "requests", c->requests);
	show_json_number(j, "tunnels", c->tunnels);
	show_json_number(j, "answered", c->answered);
	show_json_number(j, "exempt", c->exempt);
	show_json_number(j, "cached", c->cached);
	show_json_number(j, "responses", c->responses);
	show_json_number(j, "left_out", c->left_out);
	show_json_number(j, "unscannable", c->unscannable);
	show_json_number(j, "unchecked", c->unchecked);
	json_object_set_new(j, "unfiltered", c->log == NULL || c->unreadable ? json_null() : json_integer((json_int_t)c->unfiltered));
	return j;
}
