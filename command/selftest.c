#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/audit.h"
#include "command/canaries.h"
#include "command/selftest_result.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"
#include "setup/journal.h"
#include "setup/proof.h"
#include "setup/site.h"

#define TRAIL	"selftest.log"

enum { FLAG_JSON, FLAG_LIMIT, FLAG_NAGIOS, FLAG_PROXY, FLAG_RULES, FLAG_SQUID, FLAG_SQUID_CONF, FLAG_WITHOUT, FLAGS };
enum { LIMIT_MS = 2000, LIMIT_MAX_MS = 60 * 1000, PLAIN_TRIES = 3, LIVE_MS = 10 * 1000, MS = 1000 };
enum { SOURCE_MAX = 64 * 1024, TEXT_MAX = 16 * 1024 };

/* What Nagios and its like take for an exit status. */
enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

struct selftest {
	const struct call	*call;
	const char *const	*values;
	char			 proxy[SQUID_PROXY];
	unsigned		 workers;	/* of Squid */
	struct proof		*proof;
	uint64_t		 limit_ms;
	unsigned		 n_blocked;	/* as they should be */
	bool			 slow;		/* a plain request was */
	unsigned		 n_bad;		/* what else is not as it should be */
	double			 plain_s;
	struct buf		 bad;		/* the words of what is not good */
	struct buf		 told;		/* a line for each, with what to do */
	json_t			*rows;
	struct selftest_result	 before;
};

/* ---- what comes before ---- */

/* It cannot be said whether anything is blocked. */
static int
fail(struct selftest *s, struct diag *diag, const char *why)
{
	bool quiet = s->values[FLAG_NAGIOS] != NULL;

	if (quiet)
		printf("FIREBREAK UNKNOWN - selftest: %s\n", diag != NULL && diag->n_errors > 0 ? diag_first_error(diag) : why);
	else {
		if (diag != NULL)
			diag_print(diag, stderr);
		call_fail(s->call, "%s", why);
	}
	return quiet ? NAGIOS_UNKNOWN : EXIT_TROUBLE;
}

/* Where to ask: what the command line says, else what squid.conf says, which setup may have noted.  -1 with errors in DIAG. */
static int
find_proxy(struct selftest *s, struct diag *diag)
{
	struct journal j;
	struct diag none = { 0 };
	struct setup_site site;
	struct setup_site_options o;
	int r = -1;

	s->workers = 1;
	if (s->values[FLAG_PROXY] != NULL) {
		snprintf(s->proxy, sizeof(s->proxy), "%s", s->values[FLAG_PROXY]);
		return 0;
	}
	/* Whoever may not read it finds the daemons where they usually are. */
	journal_open(&j, s->call->state, false, &none);
	o = (struct setup_site_options){ .all = true, .squid = s->values[FLAG_SQUID] != NULL ? s->values[FLAG_SQUID] : j.daemons.squid,
		.squid_conf = s->values[FLAG_SQUID_CONF] != NULL ? s->values[FLAG_SQUID_CONF] : j.daemons.squid_conf,
		.cicap = j.daemons.cicap, .cicap_conf = j.daemons.cicap_conf };
	if (setup_site_find(&site, &o, diag) == 0) {
		s->workers = site.squid_facts.workers;
		if (squid_proxy_address(&site.squid_facts, s->proxy))
			r = 0;
		else
			diag_error(diag, "%s: no http_port is for clients that know of the proxy: name one with --proxy HOST:PORT", site.squid_conf);
	}
	setup_site_fini(&site);
	journal_close(&j);
	diag_fini(&none);
	return r;
}

/* Leave out what --without names.  -1 after saying what it could name. */
static int
leave_out(struct selftest *s)
{
	struct slice rest = s->values[FLAG_WITHOUT] == NULL ? SLICE("") : slice_str(s->values[FLAG_WITHOUT]), word;
	const char *known;

	while (rest.len > 0) {
		slice_cut(rest, ',', &word, &rest);
		if (proof_leave_out(s->proof, word) == 0)
			continue;
		call_fail(s->call, "--without: there is no kind of this name; there are:");
		for (size_t i = 0; (known = proof_word(i)) != NULL; i++)
			fprintf(stderr, "  %s\n", known);
		return -1;
	}
	return 0;
}

/* ---- the rules ---- */

enum rules { RULES_LIVE, RULES_MISSING, RULES_OTHERS };

/* What is in the file of the source: our text, none or that of an older version, or somebody else's. */
static enum rules
look_at_file(const struct selftest *s, const char *path)
{
	enum rules r = RULES_MISSING;
	struct buf text;

	buf_init(&text, SOURCE_MAX);
	if (file_read(path, &text) == 0) {
		if (slice_eq(buf_slice(&text), proof_rules(s->proof)))
			r = RULES_LIVE;
		else if (!slice_starts(buf_slice(&text), SLICE(PROOF_CANARIES_HEAD)))
			r = RULES_OTHERS;
	} else if (errno != ENOENT)
		r = RULES_OTHERS;
	buf_fini(&text);
	return r;
}

/* The live generation G has the source, whatever of its rules. */
static bool
has_source(const struct generation *g)
{
	const struct manifest *m = generation_manifest(g);

	for (size_t i = 0; i < m->n_sources; i++)
		if (strcmp(m->sources[i].name, RULE_CANARIES) == 0)
			return true;
	return false;
}

/* The rules are live, or are published now: once, and after an upgrade that changed them.  *FRESH: they were.  NULL, or why
 * not. */
static const char *
have_rules(struct selftest *s, const struct generation *g, bool *fresh)
{
	char path[STATE_PATH], follow[STATE_PATH];
	bool live = has_source(g), follows;
	enum rules file;

	*fresh = false;
	if (call_path(s->call, STATE_SOURCES "/" RULE_CANARIES ".rules", path) == -1 || call_path(s->call, STATE_FOLLOW, follow) == -1)
		return "the state folder's name is too long";
	follows = access(follow, F_OK) == 0;
	if (follows)
		return live ? NULL : "this state folder follows an origin, which has no canaries: there, put what \"firebreak selftest "
		    "--rules\" prints into sources/" RULE_CANARIES ".rules, and publish";
	/* Nobody's rollback is ended by a timer. */
	if (generation_manifest(g)->rolled_back != 0)
		return live ? NULL : "the live rules are a rollback to a generation without canaries";
	file = look_at_file(s, path);
	if (file == RULES_OTHERS)
		return "the source \"" RULE_CANARIES "\" is somebody's, or cannot be read: it has to have another name";
	if (file == RULES_LIVE && live)
		return NULL;
	*fresh = true;
	return canaries_publish(s->call, RULE_CANARIES, proof_rules(s->proof)) == 0 ? NULL : "the canaries could not be published";
}

/* ---- asking ---- */

static void
add_bad(struct selftest *s, const char *word)
{
	if (s->bad.len > 0)
		buf_add_str(&s->bad, ", ");
	buf_add_str(&s->bad, word);
}

/* The fastest of a few counts: the machine may have been busy for a moment. */
static void
take_plain(struct selftest *s, const struct proof_row *row)
{
	struct proof_row again = *row;

	s->plain_s = row->seconds;
	for (int i = 1; i < PLAIN_TRIES && again.good && s->plain_s * MS > (double)s->limit_ms; i++) {
		proof_ask_plain(s->proof, &again);
		if (again.good && again.seconds < s->plain_s)
			s->plain_s = again.seconds;
	}
	s->slow = row->good && s->plain_s * MS > (double)s->limit_ms;
}

static void
take_row(void *arg, const struct proof_row *row)
{
	struct selftest *s = arg;
	json_t *j = json_object();

	json_object_set_new(j, "kind", json_string(row->word));
	json_object_set_new(j, "good", json_boolean(row->good));
	json_object_set_new(j, "seconds", json_real(row->seconds));
	json_object_set_new(j, "said", show_json_text(slice_str(row->said)));
	if (row->advice != NULL)
		json_object_set_new(j, "advice", json_string(row->advice));
	json_array_append_new(s->rows, j);
	if (!row->blocks)
		take_plain(s, row);
	if (row->good) {
		s->n_blocked += row->blocks;
		return;
	}
	s->n_bad++;
	add_bad(s, row->word);
	buf_addf(&s->told, "  %-8s %s\n", row->word, row->said);
	if (row->advice != NULL)
		buf_addf(&s->told, "  %-8s -> %s\n", "", row->advice);
}

static void
add_alarm(struct selftest *s, const char *word, const char *what)
{
	s->n_bad++;
	add_bad(s, word);
	buf_addf(&s->told, "  %s\n", what);
}

/* NULL when it is known how things are, good or bad; else why not. */
static const char *
ask(struct selftest *s, struct diag *diag)
{
	const char *why = NULL;
	struct overview o;
	bool fresh = false;

	overview_init(&o, s->call->state, false, clock_ms(), diag);
	if (o.g == NULL)
		add_alarm(s, "no-rules", "no generation is live: \"firebreak publish\"");
	else if (o.mode != MODE_ENFORCE)
		add_alarm(s, "mode", o.mode == MODE_OFF ? "the mode is off: nothing is judged" : "the mode is observe: nothing is blocked");
	else if ((why = have_rules(s, o.g, &fresh)) == NULL)
		proof_run(s->proof, s->workers, fresh ? LIVE_MS : 0, take_row, s);
	overview_fini(&o);
	if (s->slow)
		add_bad(s, "slow");
	return why;
}

/* ---- telling ---- */

/* Remember it, and of a change a line in STATE/log: whoever reads that later sees since when. */
static void
remember(struct selftest *s)
{
	const struct selftest_result *before = &s->before;
	int64_t now_ms = clock_ms();
	struct selftest_result r = { .known = true, .good = s->n_bad == 0 && !s->slow, .time = now_ms / MS, .good_time = before->good_time,
		.plain_s = s->plain_s };
	struct buf line;

	snprintf(r.bad, sizeof(r.bad), "%s", s->bad.len == 0 ? "" : s->bad.p);
	if (r.good)
		r.good_time = r.time;
	if (selftest_result_write(s->call->state, &r) == -1)
		call_fail(s->call, "%s/" STATE_SELFTEST ": %s", s->call->state, strerror(errno));
	if (before->known ? before->good == r.good && strcmp(before->bad, r.bad) == 0 : r.good)
		return;
	buf_init(&line, TEXT_MAX);
	audit_begin(&line, now_ms);
	buf_addf(&line, " selftest %s%s", r.good ? "good" : "FAILED: ", r.bad);
	audit_write(s->call, TRAIL, &line, "the selftest was made");
	buf_fini(&line);
}

static int
tell_nagios(const struct selftest *s)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL" };
	int status = s->n_bad > 0 ? NAGIOS_CRITICAL : s->slow ? NAGIOS_WARNING : NAGIOS_OK;

	printf("FIREBREAK %s - selftest: %s%s | blocked=%u bad=%u plain=%.3fs;%.3f\n", words[status],
	    s->bad.len > 0 ? "not as it should be: " : "all is blocked that has to be", s->bad.len > 0 ? s->bad.p : "", s->n_blocked,
	    s->n_bad, s->plain_s, (double)s->limit_ms / MS);
	return status;
}

static void
tell_words(const struct selftest *s)
{
	char age[CLOCK_SPAN];

	if (s->bad.len == 0) {
		printf("good: %u kinds are blocked, and a plain request took %.0f ms\n", s->n_blocked, s->plain_s * MS);
		return;
	}
	clock_format_span(clock_ms() / MS - s->before.good_time, age);
	printf("ALARM: not as it should be: %s (%s%s)\n", s->bad.p, s->before.good_time == 0 ? "never good before" : "last good ago: ",
	    s->before.good_time == 0 ? "" : age);
	show_lines(stdout, buf_slice(&s->told));
	if (s->slow)
		printf("  slow     a plain request took %.0f ms, and no more than %" PRIu64 " are allowed\n", s->plain_s * MS, s->limit_ms);
}

static int
tell_json(const struct selftest *s)
{
	json_t *j = json_object();

	json_object_set_new(j, "good", json_boolean(s->bad.len == 0));
	json_object_set_new(j, "proxy", show_json_text(slice_str(s->proxy)));
	json_object_set_new(j, "bad", show_json_text(buf_slice(&s->bad)));
	json_object_set_new(j, "slow", json_boolean(s->slow));
	json_object_set_new(j, "plain_seconds", json_real(s->plain_s));
	show_json_number(j, "limit_ms", s->limit_ms);
	json_object_set(j, "kinds", s->rows);
	return show_json(j, true);
}

static int
tell(const struct selftest *s)
{
	if (s->values[FLAG_NAGIOS] != NULL)
		return tell_nagios(s);
	if (s->values[FLAG_JSON] == NULL)
		tell_words(s);
	else if (tell_json(s) == -1)
		return EXIT_TROUBLE;
	return s->bad.len > 0 ? EXIT_FOUND : EXIT_FINE;
}

/* ---- in order ---- */

static int
make(struct selftest *s)
{
	struct diag diag = { 0 };
	const char *why;
	int status;

	if (find_proxy(s, &diag) == -1)
		why = "it is not known where to ask";
	else if (call_become_owner(s->call) == -1 || state_make(s->call->state) == -1)
		why = "the state folder cannot be written to";
	else if ((s->proof = proof_new(s->proxy, PROOF_OF_SELFTEST)) == NULL)
		why = "it could not be prepared";
	else if (leave_out(s) == -1)
		why = "nothing was asked for";
	else {
		selftest_result_read(s->call->state, &s->before);
		why = ask(s, &diag);
	}
	if (why != NULL)
		status = fail(s, &diag, why);
	else {
		if (s->values[FLAG_NAGIOS] == NULL)
			diag_print(&diag, stderr);
		remember(s);
		status = tell(s);
	}
	diag_fini(&diag);
	return status;
}

static int
print_rules(const struct call *c)
{
	struct proof *p = proof_new("127.0.0.1:1", PROOF_OF_SELFTEST);

	if (p == NULL)
		return call_fail(c, "%s", strerror(errno));
	fwrite(proof_rules(p).p, 1, proof_rules(p).len, stdout);
	proof_free(p);
	return EXIT_FINE;
}

static int
run_selftest(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "limit=", "nagios", "proxy=", "rules", "squid=", "squid-conf=", "without=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct selftest s = { .call = c, .values = values, .limit_ms = LIMIT_MS };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 0)
		return call_misused(c, "no operand");
	if (values[FLAG_JSON] != NULL && values[FLAG_NAGIOS] != NULL)
		return call_misused(c, "--json or --nagios");
	if (values[FLAG_LIMIT] != NULL && (slice_u64(slice_str(values[FLAG_LIMIT]), &s.limit_ms) == -1 || s.limit_ms > LIMIT_MAX_MS))
		return call_misused(c, "--limit is a number of milliseconds, up to 60000");
	if (values[FLAG_RULES] != NULL)
		return print_rules(c);
	if (call_need_state(c) == -1)
		return values[FLAG_NAGIOS] != NULL ? NAGIOS_UNKNOWN : EXIT_TROUBLE;
	signal(SIGPIPE, SIG_IGN);
	buf_init(&s.bad, SELFTEST_WORDS);
	buf_init(&s.told, TEXT_MAX);
	s.rows = json_array();
	status = make(&s);
	json_decref(s.rows);
	buf_fini(&s.bad);
	buf_fini(&s.told);
	proof_free(s.proof);
	return status;
}

const struct verb verb_selftest = {
	.name = "selftest",
	.run = run_selftest,
	.operands = "[--proxy HOST:PORT] [--limit MS] [--without KIND,...] [--json | --nagios]\n"
	    "       [--squid FILE] [--squid-conf FILE]\n"
	    "       firebreak selftest --rules",
	.summary = "Ask the proxy for what has to be blocked, and say what is not.",
	.help =
	    "  --proxy HOST:PORT   where to ask; else what http_port says\n"
	    "  --limit MS          how long a plain request may take (2000)\n"
	    "  --without KIND,...  kinds that this site does not block: host, url, path, held, cut, md5,\n"
	    "                      name, gzip, zip, range, connect\n"
	    "  --json              print an object\n"
	    "  --nagios            print one line, and answer 0, 1, 2 or 3 as monitors want it\n"
	    "  --squid FILE, --squid-conf FILE\n"
	    "                      the program and its configuration, where they are not found\n"
	    "  --rules             print the rules, for an origin that others follow, and ask for nothing\n",
};
