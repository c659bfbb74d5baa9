#include "command/update.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/manifest.h"

enum { FLAG_DRY_RUN, FLAG_FORCE, FLAG_JSON, FLAG_ONLY, FLAGS };
enum { MS = 1000, MODE_LOCK = 0660 };

static const char *
outcome_name(enum update_outcome outcome)
{
	static const char *const names[] = { "not due", "unchanged", "new", "failed", "refused", "held" };

	return names[outcome];
}

/* Somebody should look. */
static bool
is_bad(const struct update_source *s)
{
	return s->result.outcome >= UPDATE_FAILED && s->wanted;
}

static size_t
count(const struct update *u, enum update_outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += u->v[i].wanted ? u->v[i].result.outcome == outcome : outcome == UPDATE_NOT_DUE;
	return n;
}

/* ---- what is said ---- */

/* What is wrong with the list of S, or with some of it. */
static void
print_trouble(const struct update *u, const struct update_source *s)
{
	if (!is_bad(s) && (!s->wanted || s->result.why[0] == '\0'))
		return;
	fprintf(stderr, "%s:%u:%u: %s: %s: ", u->list.conf, s->feed->line, s->feed->col, is_bad(s) && s->result.outcome != UPDATE_HELD ?
	    "error" : "warning", s->feed->name);
	show_text(stderr, slice_str(s->result.why));
	fputc('\n', stderr);
}

/* On a terminal each source that has something to say; what is wrong everywhere. */
static void
print_sources(const struct update *u)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct update_source *s = &u->v[i];
		const struct feed_counts *n = &s->result.counts;

		if (s->wanted && s->result.outcome == UPDATE_NEW && isatty(STDOUT_FILENO))
			printf("%s: new, %" PRIu64 " entries in %" PRIu64 " lines; %" PRIu64 " skipped, %" PRIu64 " bad; %" PRIu64 " KB came in\n",
			    s->feed->name, n->entries, n->lines, n->skipped, n->bad, s->result.bytes / 1024);
		print_trouble(u, s);
	}
}

/* Of those that were not asked for, how many fail: whoever reads one line should not take it for peace. */
static size_t
count_failing(const struct update *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += !u->v[i].wanted && u->v[i].feed->state.failures > 0;
	return n;
}

static void
print_counts(const struct update *u)
{
	size_t failing = count_failing(u);

	printf("%zu source%s:", u->n, show_s(u->n));
	for (enum update_outcome o = UPDATE_NOT_DUE; o <= UPDATE_HELD; o++) {
		if (count(u, o) == 0)
			continue;
		printf(" %zu %s", count(u, o), o == UPDATE_NOT_DUE && u->only != NULL ? "not asked for" : outcome_name(o));
		if (o == UPDATE_NOT_DUE && failing > 0)
			printf(" (%zu failing: \"firebreak status\")", failing);
		putchar(',');
	}
}

static void
print_summary(const struct update *u, int status)
{
	const struct publish_report *p = &u->report;

	if (status != EXIT_TROUBLE && u->n + u->alerts.n_imported + u->alerts.n_refused + u->alerts.n_left == 0) {
		printf("nothing to do: no line of %s has an origin, and no alert waits; see firebreak-update(1)\n", u->list.conf);
		return;
	}
	print_counts(u);
	if (u->alerts.n_imported > 0)
		printf(" %zu alert%s %s,", u->alerts.n_imported, show_s(u->alerts.n_imported), u->dry_run ? "to import" : "imported");
	if (u->alerts.n_refused > 0)
		printf(" %zu alert%s refused,", u->alerts.n_refused, show_s(u->alerts.n_refused));
	if (u->alerts.n_left > 0)
		printf(" %zu alert%s left for the next run,", u->alerts.n_left, show_s(u->alerts.n_left));
	if (u->dry_run)
		puts(" nothing written");
	else if (p->generation != 0)
		printf(" generation %" PRIu64 ", %" PRIu64 " rule%s; live in %zu of %zu worker%s\n", p->generation, p->rules, show_s(p->rules),
		    u->confirmation.n_workers - u->confirmation.n_waiting, u->confirmation.n_workers, show_s(u->confirmation.n_workers));
	else
		puts(status == EXIT_TROUBLE ? " nothing could be published" : " nothing to publish");
}

static json_t *
json_source(const struct update_source *s)
{
	const struct update_result *r = &s->result;
	json_t *j = json_object();

	json_object_set_new(j, "name", json_string(s->feed->name));
	json_object_set_new(j, "outcome", json_string(s->wanted ? outcome_name(r->outcome) : outcome_name(UPDATE_NOT_DUE)));
	show_json_number(j, "bytes", r->bytes);
	if (r->counts.lines > 0) {
		show_json_number(j, "lines", r->counts.lines);
		show_json_number(j, "entries", r->counts.entries);
		show_json_number(j, "skipped", r->counts.skipped);
		show_json_number(j, "bad", r->counts.bad);
	}
	if (r->why[0] != '\0')
		json_object_set_new(j, "why", show_json_text(slice_str(r->why)));
	show_json_date(j, "next", s->feed->state.next);
	return j;
}

static int
print_json(const struct update *u)
{
	json_t *j = json_object(), *sources = json_array();

	for (size_t i = 0; i < u->n; i++)
		json_array_append_new(sources, json_source(&u->v[i]));
	json_object_set_new(j, "sources", sources);
	json_object_set_new(j, "dry_run", json_boolean(u->dry_run));
	show_json_number(j, "alerts_imported", u->alerts.n_imported);
	show_json_number(j, "alerts_refused", u->alerts.n_refused);
	show_json_number(j, "alerts_left", u->alerts.n_left);
	if (u->report.generation != 0) {
		show_json_number(j, "generation", u->report.generation);
		show_json_number(j, "rules", u->report.rules);
		show_json_number(j, "held", u->report.held);
		show_json_number(j, "refused", u->report.refused);
		live_add_confirmation(j, &u->confirmation);
	} else
		json_object_set_new(j, "generation", json_null());
	json_object_set_new(j, "findings", show_json_findings(u->diag));
	return show_json(j, true);
}

/* What an alert has lost, and where it went, is for who wrote it. */
static bool
is_of_alert(const struct diag_entry *e)
{
	return e->file != NULL && strstr(e->file, STATE_INCOMING "/") != NULL;
}

/* A warning about sources.conf, or about no file, is for the site. */
static bool
is_of_site(const struct update *u, const struct diag_entry *e)
{
	return e->level == DIAG_WARNING && (e->file == NULL || strcmp(e->file, u->list.conf) == 0);
}

/* Warnings about single lines of lists are many, and nobody here can mend them: "firebreak publish --full --dry-run" has them. */
static void
print_findings(const struct update *u)
{
	const struct diag *diag = u->diag;
	char line[STATE_PATH + 1024];

	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == DIAG_ERROR || is_of_alert(&diag->v[i]) || is_of_site(u, &diag->v[i])) {
			diag_format(&diag->v[i], line, sizeof(line));
			fprintf(stderr, "%s\n", line);
		}
}

static int
report(const struct update *u, bool json, int status)
{
	bool bad = u->alerts.n_refused + u->alerts.n_left + u->diag->n_errors > 0, asked = false;

	print_findings(u);
	print_sources(u);
	for (size_t i = 0; i < u->n; i++)
		bad = bad || is_bad(&u->v[i]), asked = asked || u->v[i].wanted;
	if (json)
		bad = print_json(u) == -1 || bad;
	else if (status != EXIT_TROUBLE || asked)
		print_summary(u, status);
	return status != EXIT_FINE ? status : bad ? EXIT_FOUND : EXIT_FINE;
}

/* ---- doing it ---- */

/* Nothing is published where another's rules are followed, or after a rollback, until somebody says that he goes on. */
static int
may_publish(const struct call *c)
{
	char path[STATE_PATH];
	struct manifest m;
	bool rolled_back;

	if (call_path(c, STATE_FOLLOW, path) == -1)
		return -1;
	if (access(path, F_OK) == 0) {
		call_fail(c, "this state folder follows an origin, and publishes nothing: update there, and \"firebreak pull\" here");
		return -1;
	}
	if (call_path(c, STATE_MANIFEST, path) == -1)
		return -1;
	rolled_back = manifest_load(path, &m, NULL) == 0 && m.rolled_back != 0;
	manifest_fini(&m);
	if (!rolled_back)
		return 0;
	call_fail(c, "what is live is a rollback: \"firebreak publish --forward\" goes on");
	return -1;
}

/* The lock of whoever updates: a descriptor; -1 after saying what is wrong. */
static int
lock_updates(const struct call *c)
{
	char path[STATE_PATH];
	int fd;

	if (state_make(c->state) == -1)
		return call_fail(c, "%s: %s", c->state, strerror(errno)), -1;
	if (call_path(c, STATE_UPDATE "/.lock", path) == -1)
		return -1;
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE_LOCK)) == -1)
		return call_fail(c, "%s: %s", path, strerror(errno)), -1;
	fchmod(fd, MODE_LOCK);		/* whatever the umask: the next run may be another's of the group; fails for another's file */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	call_fail(c, "%s: %s", path, errno == EWOULDBLOCK ? "another update is under way" : strerror(errno));
	close(fd);
	return -1;
}

/* What a killed run left on its way. */
static void
clean(const struct call *c)
{
	char dir[STATE_PATH];

	if (state_path(c->state, STATE_UPDATE, dir) == 0)
		file_clean(dir);
}

static void
drop_staged(const struct update *u)
{
	for (size_t i = 0; i < u->n; i++)
		unlink(u->v[i].staged);
}

/* Alerts do not wait for lists, which may take minutes: they are published first.  As update_publish(). */
static int
take_alerts(struct update *u)
{
	incoming_import(u->call, u->now, u->dry_run, &u->alerts, u->diag);
	return u->alerts.n_imported == 0 || u->dry_run ? EXIT_FINE : update_publish(u);
}

static int
perform(struct update *u)
{
	int alerts = EXIT_FINE, lists;

	if (update_list(u) == -1)
		return EXIT_TROUBLE;
	drop_staged(u);
	if (u->only == NULL)
		alerts = take_alerts(u);
	update_fetch(u);
	if (u->dry_run) {
		drop_staged(u);
		return EXIT_FINE;
	}
	/* What failed with the alerts may be over by now. */
	lists = update_live(u, alerts == EXIT_TROUBLE);
	if (lists != EXIT_TROUBLE || alerts != EXIT_TROUBLE)
		incoming_done(u->call, u->now, &u->alerts, u->diag);
	return lists != EXIT_TROUBLE && alerts != EXIT_FINE ? EXIT_FOUND : lists;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "dry-run", "force", "json", "only=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct diag diag = { 0 };
	struct update u = { .call = c, .now = clock_ms() / MS, .diag = &diag };
	int lock, status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operand is expected");
	u.force = values[FLAG_FORCE] != NULL;
	u.only = values[FLAG_ONLY];
	u.dry_run = values[FLAG_DRY_RUN] != NULL;
	if (call_need_state(c) == -1 || call_become_owner(c) == -1 || may_publish(c) == -1 || (lock = lock_updates(c)) == -1)
		return EXIT_TROUBLE;
	clean(c);
	status = report(&u, values[FLAG_JSON] != NULL, perform(&u));
	close(lock);
	incoming_fini(&u.alerts);
	update_free(&u);
	diag_fini(&diag);
	return status;
}

const struct verb verb_update = {
	.name = "update",
	.run = run,
	.operands = "[--dry-run] [--force] [--json] [--only NAME,...]",
	.summary = "Fetch the lists that sources.conf has an origin for, import alerts that wait, and publish.",
	.help =
	    "  --dry-run       fetch and look at what comes; change no list, rule or alert\n"
	    "  --force         also those that are not due\n"
	    "  --json          print an object\n"
	    "  --only NAME,... these sources, due or not\n",
};
