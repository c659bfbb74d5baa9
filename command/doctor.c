#include <sys/stat.h>
#include <sys/statvfs.h>

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/delivery.h"
#include "command/selftest_result.h"
#include "command/show.h"
#include "command/verb.h"
#include "feeds/feed_list.h"
#include "ruleset/overview.h"
#include "setup/doctor.h"
#include "setup/icap_ask.h"
#include "setup/journal.h"
#include "setup/site.h"
#include "url_rules/psl.h"

enum { FLAG_CICAP, FLAG_CICAP_CONF, FLAG_FILES, FLAG_JSON, FLAG_NAGIOS, FLAG_ROOT, FLAG_SQUID, FLAG_SQUID_CONF, FLAG_SQUID_NAME,
    FLAGS };
#define NS_PER_S	INT64_C(1000000000)

enum { ASK_MS = 5000, WHERE_MAX = 300, LINE_MAX_LEN = 1024, SOURCES_TEXT = 1 << 20 };

/* What Nagios and its like take for an exit status. */
enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

struct doctor {
	const struct call *call;
	const char *const *values;
	struct setup_site	 site;
	struct patient	 patient;
	json_t		*list;		/* NULL: no JSON */
	bool		 quiet;		/* only count */
	size_t		 n[SEVERITY_CRITICAL + 1];
	struct buf	 ids;		/* of what is no note, for one line */
	struct buf	 ended, stale, failing;	/* names of sources */
	struct diag	 diag;
};

/* ---- looking ---- */

/* Where the two daemons are: what the command line says, else what setup noted, else where they usually are. */
static int
find_site(struct doctor *d, const struct journal *j)
{
	const struct daemons *known = &j->daemons;
	const char *const *v = d->values;
	bool ask = v[FLAG_ROOT] == NULL;
	const struct setup_site_options o = { .root = v[FLAG_ROOT], .all = true,
		.squid = v[FLAG_SQUID] != NULL || !ask ? v[FLAG_SQUID] : known->squid,
		.squid_conf = v[FLAG_SQUID_CONF] != NULL || !ask ? v[FLAG_SQUID_CONF] : known->squid_conf,
		.squid_name = v[FLAG_SQUID_NAME] != NULL || !ask ? v[FLAG_SQUID_NAME] : known->squid_name,
		.cicap = v[FLAG_CICAP] != NULL || !ask ? v[FLAG_CICAP] : known->cicap,
		.cicap_conf = v[FLAG_CICAP_CONF] != NULL || !ask ? v[FLAG_CICAP_CONF] : known->cicap_conf };

	return setup_site_find(&d->site, &o, &d->diag);
}

static void
look_at_daemons(struct doctor *d)
{
	struct daemons told = { .squid = d->site.squid, .squid_conf = d->site.squid_conf, .squid_name = d->site.squid_name };
	const struct cicap_facts *f = &d->site.cicap_facts;
	const struct squid_port *port = squid_proxy_port(&d->site.squid_facts);
	struct slice any = SLICE("127.0.0.1");
	char where[WHERE_MAX], line[ICAP_STATUS];
	struct patient *p = &d->patient;
	struct diag said = { 0 };

	p->squid_parses = daemons_check_squid(&told, &said) == 0;
	diag_fini(&said);
	p->squid_runs = port == NULL || icap_is_listening(port->port);
	snprintf(where, sizeof(where), "%.*s:%u", SLICE_ARGS(f->host.len == 0 ? any : f->host), f->port);
	p->icap_status = icap_ask(where, "firebreak", ASK_MS, line);
	p->module_there = d->site.module != NULL || (f->firebreak != NULL && slice_starts(conf_word(f->firebreak, 2), SLICE("/")));
}

/* When PATH was made, in nanoseconds; 0 when that is not known. */
static int64_t
born(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME) != 0 ?
	    st.stx_btime.tv_sec * NS_PER_S + st.stx_btime.tv_nsec : 0;
}

/* A cache on disk was made before the state folder was: what "squid -z" makes is there longer. */
static void
look_at_cache(struct doctor *d)
{
	static const char *const made[] = { "00", "rock" };
	const struct conf *conf = d->site.squid_facts.conf;
	int64_t state = born(d->call->state), cache;

	for (size_t i = 0; i < conf->n; i++)
		for (size_t k = 0; k < sizeof(made) / sizeof(made[0]) && slice_eq(conf->v[i].words[0], SLICE("cache_dir")); k++) {
			char path[STATE_PATH];

			snprintf(path, sizeof(path), "%.*s/%s", SLICE_ARGS(conf_word(&conf->v[i], 2)), made[k]);
			cache = born(path);
			d->patient.cache_is_older |= cache != 0 && state != 0 && cache < state;
		}
}

/* ---- of the state folder, as its owner ---- */

static void
add_name(struct buf *names, const char *name)
{
	buf_add_strs(names, names->len > 0 ? ", " : "", name, NULL);
}

/* What fetches and what does not: each source is in one of these lists. */
static void
look_at_sources(struct doctor *d, int64_t now)
{
	struct diag said = { 0 };
	struct feed_list list;

	feed_list_read(d->call->state, &list, &said);
	for (size_t i = 0; i < list.n; i++) {
		const struct feed_item *f = list.v[i];
		int64_t ends = feed_item_ends(f);

		if (ends != 0 && ends <= now)
			add_name(&d->ended, f->name);
		else if (feed_state_is_stale(&f->state, now, f->read.origin.every))
			add_name(&d->stale, f->name);
		else if (f->state.failures > 0)
			add_name(&d->failing, f->name);
	}
	d->patient.ended = d->ended.p;
	d->patient.stale = d->stale.p;
	d->patient.failing = d->failing.p;
	feed_list_free(&list);
	diag_fini(&said);
}

/* Where the service writes events. */
static void
look_at_log(struct doctor *d)
{
	const struct directive *at = conf_last(d->site.cicap_facts.conf, "firebreak.EventLog");
	char *named = at == NULL ? NULL : slice_dup(conf_word(at, 1)), usual[STATE_PATH];
	struct stat st;

	if (named != NULL && *named != '\0')
		d->patient.log_is_link = lstat(named, &st) == 0 && S_ISLNK(st.st_mode);
	else if (state_path(d->call->state, STATE_EVENTS, usual) == 0)
		d->patient.log_is_link = lstat(usual, &st) == 0 && S_ISLNK(st.st_mode);
	free(named);
}

static void
look_at_generation(struct doctor *d, const struct overview *o)
{
	struct patient *p = &d->patient;
	struct delivery delivery;
	struct diag said = { 0 };

	p->has_rules = o->g != NULL;
	p->enforces = o->mode == MODE_ENFORCE;
	p->n_workers = o->n_workers;
	p->n_behind = o->n_behind;
	p->clock_behind_s = o->g == NULL ? 0 : generation_created(o->g) - clock_ms() / 1000;
	delivery_look(d->call, o->g == NULL ? 0 : generation_number(o->g), clock_ms() / 1000, &delivery, &said);
	p->pull_is_wrong = delivery_is_wrong(&delivery);
	diag_fini(&said);
}

static void
look_at_state(struct doctor *d)
{
	struct patient *p = &d->patient;
	char *user = slice_dup(d->site.cicap_facts.user);
	const struct passwd *pw = user == NULL || *user == '\0' ? NULL : getpwnam(user);
	struct diag said = { 0 };
	struct selftest_result selftest;
	struct overview o;
	struct statvfs fs;
	struct stat st;

	p->state_there = stat(d->call->state, &st) == 0 && S_ISDIR(st.st_mode);
	p->state_fits = pw == NULL || st.st_uid == pw->pw_uid;
	free(user);
	/* Last of all that is looked at: what is in the folder may be links that others put there. */
	if (p->state_there && call_become_owner(d->call) == -1)
		return;
	p->disk_free = statvfs(d->call->state, &fs) == 0 && fs.f_blocks > 0 ? (double)fs.f_bavail / (double)fs.f_blocks : 1;
	overview_init(&o, d->call->state, false, clock_ms(), &said);
	look_at_generation(d, &o);
	look_at_sources(d, clock_ms() / 1000);
	look_at_log(d);
	overview_fini(&o);
	diag_fini(&said);
	selftest_result_read(d->call->state, &selftest);
	p->selftest_bad = selftest.known && !selftest.good;
	p->selftest_old = selftest.known && clock_ms() / 1000 - selftest.time > SELFTEST_OLD_S;
	p->suffixes_age_s = stat(PUBLIC_SUFFIX_FILE, &st) == 0 ? clock_ms() / 1000 - st.st_mtime : -1;
}

/* ---- telling ---- */

/* What to do, to be pasted: with the state folder's name in place of STATE. */
static char *
advice(const struct doctor *d, const struct finding *f)
{
	static const char word[] = "STATE";
	const char *at = strstr(f->advice, word);
	char *out;

	if (at == NULL)
		return strdup(f->advice);
	return asprintf(&out, "%.*s%s%s", (int)(at - f->advice), f->advice, d->call->state, at + sizeof(word) - 1) == -1 ? NULL : out;
}

static void
tell_json(struct doctor *d, const struct finding *f)
{
	json_t *j = json_object();
	char *what = advice(d, f);

	json_object_set_new(j, "id", json_string(f->id));
	json_object_set_new(j, "severity", json_string(severity_name(f->severity)));
	json_object_set_new(j, "text", json_string(f->text));
	if (f->names != NULL)
		json_object_set_new(j, "names", show_json_text(slice_str(f->names)));
	json_object_set_new(j, "advice", show_json_text(slice_str(what != NULL ? what : f->advice)));
	free(what);
	if (f->conf != NULL) {
		json_object_set_new(j, "file", show_json_text(slice_str(f->conf->files[f->at->file].path)));
		show_json_number(j, "line", f->at->line);
	}
	json_array_append_new(d->list, j);
}

static void
tell_words(const struct doctor *d, const struct finding *f)
{
	char place[CONF_PLACE], *what = advice(d, f);

	printf("%s: ", severity_name(f->severity));
	if (f->conf != NULL) {
		conf_place(f->conf, f->at, place);
		show_text(stdout, slice_str(place));
		fputs(": ", stdout);
	}
	printf("%s", f->text);
	if (f->names != NULL) {
		fputs(": ", stdout);
		show_text(stdout, slice_str(f->names));
	}
	printf(" [%s]\n    -> ", f->id);
	show_text(stdout, slice_str(what != NULL ? what : f->advice));
	putchar('\n');
	free(what);
}

static void
take(void *arg, const struct finding *f)
{
	struct doctor *d = arg;

	d->n[f->severity]++;
	if (f->severity != SEVERITY_NOTE) {
		if (d->ids.len > 0)
			buf_add_str(&d->ids, ", ");
		buf_add_str(&d->ids, f->id);
	}
	if (d->list != NULL)
		tell_json(d, f);
	else if (!d->quiet)
		tell_words(d, f);
}

/* One line, and the exit status that goes with it. */
static int
tell_nagios(const struct doctor *d)
{
	size_t critical = d->n[SEVERITY_CRITICAL], warnings = d->n[SEVERITY_WARNING];
	int status = critical > 0 ? NAGIOS_CRITICAL : warnings > 0 ? NAGIOS_WARNING : NAGIOS_OK;
	static const char *const words[] = { "OK", "WARNING", "CRITICAL" };

	printf("FIREBREAK %s - %s | critical=%zu warnings=%zu notes=%zu workers=%zu\n", words[status],
	    d->ids.len > 0 ? d->ids.p : "nothing is wrong", critical, warnings, d->n[SEVERITY_NOTE], d->patient.n_workers);
	return status;
}

static int
tell_all(struct doctor *d)
{
	size_t wrong = d->n[SEVERITY_CRITICAL] + d->n[SEVERITY_WARNING];
	json_t *j;

	if (d->quiet)
		return tell_nagios(d);
	if (d->list != NULL) {
		j = json_object();
		json_object_set(j, "findings", d->list);
		if (show_json(j, true) == -1)
			return EXIT_TROUBLE;
	} else if (wrong == 0) {
		puts(d->n[SEVERITY_NOTE] > 0 ? "nothing else is wrong" : "nothing is wrong");
	}
	return wrong > 0 ? EXIT_FOUND : EXIT_FINE;
}

static int
examine(struct doctor *d)
{
	struct journal j;
	struct diag none = { 0 };
	int status = d->quiet ? NAGIOS_UNKNOWN : EXIT_TROUBLE;

	/* Whoever may not read it finds the daemons where they usually are. */
	journal_open(&j, d->call->state, false, &none);
	d->patient.setup_interrupted = j.phase == JOURNAL_CHANGING;
	if (find_site(d, &j) == 0) {
		d->patient.squid = &d->site.squid_facts;
		d->patient.cicap = &d->site.cicap_facts;
		d->patient.examined = d->values[FLAG_FILES] == NULL && d->values[FLAG_ROOT] == NULL;
		if (d->patient.examined) {
			look_at_daemons(d);
			look_at_cache(d);
			look_at_state(d);
		}
		doctor_examine(&d->patient, take, d);
		status = tell_all(d);
	} else if (d->quiet) {
		printf("FIREBREAK UNKNOWN - %s\n", diag_first_error(&d->diag));
	} else {
		diag_print(&d->diag, stderr);
		call_fail(d->call, "nothing could be examined");
	}
	diag_fini(&none);
	journal_close(&j);
	return status;
}

static int
run_doctor(struct call *c)
{
	static const char *const flags[FLAGS] = { "c-icap=", "c-icap-conf=", "files", "json", "nagios", "root=", "squid=", "squid-conf=",
		"squid-name=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct doctor d = { .call = c, .values = values };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 0)
		return call_misused(c, "no operand");
	if (values[FLAG_JSON] != NULL && values[FLAG_NAGIOS] != NULL)
		return call_misused(c, "--json or --nagios");
	d.quiet = values[FLAG_NAGIOS] != NULL;
	d.list = values[FLAG_JSON] != NULL ? json_array() : NULL;
	buf_init(&d.ids, LINE_MAX_LEN);
	buf_init(&d.ended, SOURCES_TEXT);
	buf_init(&d.stale, SOURCES_TEXT);
	buf_init(&d.failing, SOURCES_TEXT);
	status = examine(&d);
	json_decref(d.list);
	buf_fini(&d.ids);
	buf_fini(&d.ended);
	buf_fini(&d.stale);
	buf_fini(&d.failing);
	diag_fini(&d.diag);
	setup_site_fini(&d.site);
	return status;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.run = run_doctor,
	.operands = "[--files] [--json | --nagios] [--squid FILE] [--squid-conf FILE] [--squid-name NAME]\n"
	    "       [--c-icap FILE] [--c-icap-conf FILE] [--root DIR]",
	.summary = "Look for what lets things through in silence, or stops users.",
	.help =
	    "  --files             look at the configurations only, and not at what runs\n"
	    "  --json              print an object\n"
	    "  --nagios            print one line, and answer 0, 1, 2 or 3 as monitors want it\n"
	    "  --squid FILE, --squid-conf FILE, --squid-name NAME, --c-icap FILE, --c-icap-conf FILE\n"
	    "                      as firebreak setup takes them; else what that has noted, else where they usually are\n"
	    "  --root DIR          look below DIR instead of /, at the configurations only\n",
};
