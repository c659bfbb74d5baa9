#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scratch.h"
#include "command/caller.h"
#include "command/lookalike_report.h"
#include "command/lookalike_waves.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"
#include "ruleset/lint.h"
#include "ruleset/lookalike_source.h"

enum {
	FLAG_ALL, FLAG_APPLY, FLAG_BRANDS, FLAG_DAYS, FLAG_DRY_RUN, FLAG_EVENTS, FLAG_HOLD, FLAG_JSON, FLAG_LISTS, FLAG_NEW, FLAG_OWN,
	FLAG_SUFFIXES, FLAG_TSV, FLAGS
};
enum { MS = 1000, DAYS_MAX = 36500, WAVES_DAYS = 7 };

/* The tables that hosts are judged by: of the live generation, or made of files for this call. */
struct tables {
	struct generation	*g;
	struct segment		*segment;
	struct lookalike	*made;
	const struct lookalike	*lookalike;
	struct lookalike_levels	 levels;
};

static void
close_tables(struct tables *t)
{
	lookalike_close(t->made);
	segment_close(t->segment);
	generation_close(t->g);
}

/* Write B to a file that is gone at once, and open it. */
static int
make_segment(struct lookalike_builder *b, struct tables *t, struct diag *diag)
{
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir;
	struct scratch scratch;
	char *path = NULL;
	uint8_t sha256[SEGMENT_SHA256];
	uint64_t len;

	if (scratch_make(&scratch, tmp, "lookalike") == -1) {
		diag_add(diag, DIAG_ERROR, tmp, 0, 0, "%s", strerror(errno));
	} else if ((path = file_join(scratch.path, "lookalike.seg")) != NULL &&
	    lookalike_builder_write(b, 0, path, &len, sha256, diag) == 0) {
		if ((t->segment = segment_open(path, SEGMENT_LOOKALIKE, NULL, diag)) != NULL)
			t->lookalike = t->made = lookalike_open(t->segment, diag);
	}
	scratch_remove(&scratch);
	free(path);
	return t->lookalike == NULL ? -1 : 0;
}

/* Fill B from the files of VALUES. */
static int
read_files(const struct call *c, struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *const *values,
    struct diag *diag)
{
	const char *lists = values[FLAG_LISTS] != NULL ? values[FLAG_LISTS] : c->lists;
	struct caller was;
	int r = 0;

	caller_begin(&was);
	if (lookalike_builder_suffixes(b, suffixes) == -1 ||
	    lookalike_source_shipped(b, suffixes, lists, false, diag) == -1)
		r = -1;
	if (values[FLAG_OWN] != NULL && lookalike_source_read(b, suffixes, "own", values[FLAG_OWN], diag) == -1)
		r = -1;
	if (values[FLAG_BRANDS] != NULL && lookalike_source_read(b, suffixes, "brand", values[FLAG_BRANDS], diag) == -1)
		r = -1;
	caller_end(&was);
	return r;
}

/* Tables of the files of VALUES alone. */
static int
make_tables(const struct call *c, struct tables *t, const char *const *values, struct diag *diag)
{
	const char *path = values[FLAG_SUFFIXES] != NULL ? values[FLAG_SUFFIXES] : PUBLIC_SUFFIX_FILE;
	struct public_suffixes *suffixes = public_suffixes_load(path, diag);
	struct lookalike_builder *b = lookalike_builder_new();
	struct site site;
	int r = -1;

	if (b == NULL || option_defaults(site_options, site_options_n, &site) == -1) {
		diag_error(diag, "out of memory");
	} else {
		site_lookalike_levels(&site, &t->levels);
		option_fini(site_options, site_options_n, &site);
		if (suffixes != NULL && read_files(c, b, suffixes, values, diag) == 0)
			r = make_segment(b, t, diag);
	}
	lookalike_builder_free(b);
	public_suffixes_free(suffixes);
	return r;
}

/* What a published generation has. */
static int
open_tables(const struct call *c, struct tables *t, struct diag *diag)
{
	if ((t->g = overview_generation(c->state, false, diag)) == NULL)
		return -1;
	site_lookalike_levels(generation_site(t->g), &t->levels);
	if ((t->lookalike = generation_lookalike(t->g)) != NULL)
		return 0;
	diag_error(diag, "the live generation has no lookalikes: publish anew, or give --own or --brands");
	return -1;
}

static int
scan_file(const struct call *c, struct scan *scan, const char *file, struct diag *diag)
{
	struct access_format *format = access_format_new((struct slice){ 0 }, diag);
	int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : caller_open(file, O_RDONLY | O_CLOEXEC), status = EXIT_FINE;
	struct scan_counts n;

	scan->format = format;
	if (format == NULL)
		status = EXIT_TROUBLE;
	else if (fd == -1 || scan_fd(scan, fd, &n) == -1)
		status = call_fail(c, "%s: %s", file, strerror(errno));
	if (fd != -1 && fd != STDIN_FILENO)
		close(fd);
	access_format_free(format);
	if (status != EXIT_FINE)
		return status;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%" PRIu64 " hosts: %" PRIu64 " block, %" PRIu64 " warn, %" PRIu64 " log, %" PRIu64 " pass\n", n.hosts,
		    n.actions[LOOKALIKE_BLOCK], n.actions[LOOKALIKE_WARN], n.actions[LOOKALIKE_LOG], n.actions[LOOKALIKE_OFF]);
	if (n.without > 0)
		fprintf(stderr, "firebreak lookalike: note: %" PRIu64 " line%s of the log name%s no host\n", n.without, show_s(n.without),
		    n.without == 1 ? "s" : "");
	return n.actions[LOOKALIKE_BLOCK] + n.actions[LOOKALIKE_WARN] > 0 ? EXIT_FOUND : EXIT_FINE;
}

/* The event log of VALUES, or the state's, into *PATH, and from when on, DAYS when nobody says.  EXIT_FINE, or another status after
 * saying what is wrong. */
static int
log_of(const struct call *c, const char *const *values, uint64_t days, char store[static STATE_PATH], const char **path,
    int64_t *since_ms)
{
	if (values[FLAG_DAYS] != NULL && (slice_u64(slice_str(values[FLAG_DAYS]), &days) == -1 || days == 0 || days > DAYS_MAX))
		return call_misused(c, "--days takes a number of days");
	*since_ms = days == 0 ? 0 : clock_ms() - (int64_t)days * CLOCK_DAY_S * MS;
	*path = values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : store;
	return values[FLAG_EVENTS] == NULL && call_path(c, STATE_EVENTS, store) == -1 ? EXIT_TROUBLE : EXIT_FINE;
}

static int
report(const struct call *c, const struct scan *scan, const char *const *values, struct diag *diag)
{
	char store[STATE_PATH];
	const char *path;
	int64_t since_ms;
	int status = log_of(c, values, 0, store, &path, &since_ms);

	if (status == EXIT_FINE && lookalike_report(scan, path, since_ms, diag) != 0)
		status = EXIT_TROUBLE;
	return status;
}

static int
waves(const struct call *c, const struct generation *g, const char *const *values, struct diag *diag)
{
	struct waves_request rq = { .g = g, .mode = (enum waves_mode)generation_site(g)->lookalike_waves,
		.dry_run = values[FLAG_DRY_RUN] != NULL, .fresh = values[FLAG_NEW] != NULL, .json = values[FLAG_JSON] != NULL };
	char store[STATE_PATH];
	int status = log_of(c, values, WAVES_DAYS, store, &rq.events, &rq.since_ms);

	if (status != EXIT_FINE)
		return status;
	if (values[FLAG_APPLY] != NULL || values[FLAG_HOLD] != NULL)
		rq.mode = values[FLAG_APPLY] != NULL ? WAVES_APPLY : WAVES_HOLD;
	if (rq.mode != WAVES_OFF)
		return lookalike_waves(c, &rq, diag);
	diag_add(diag, DIAG_NOTE, NULL, 0, 0, "LookalikeWaves is off: nothing is done without --hold or --apply");
	return EXIT_FINE;
}

/* Flags that are there and go with another form than FORM. */
static const char *
stray_flag(const char *form, const char *const *values)
{
	static const struct { int flag; const char *forms, *why; } allowed[] = {
		{ FLAG_DAYS, "report waves", "--days goes with report and waves" },
		{ FLAG_EVENTS, "report waves", "--events goes with report and waves" },
		{ FLAG_APPLY, "waves", "--apply goes with waves" }, { FLAG_HOLD, "waves", "--hold goes with waves" },
		{ FLAG_DRY_RUN, "waves", "--dry-run goes with waves" }, { FLAG_NEW, "waves", "--new goes with waves" },
		{ FLAG_TSV, "scan report", "--tsv goes with scan and report" }, { FLAG_ALL, "scan", "--all goes with scan" },
		{ FLAG_OWN, "scan", "the others ask the live generation: --own goes with scan" },
		{ FLAG_BRANDS, "scan", "the others ask the live generation: --brands goes with scan" },
	};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (values[allowed[i].flag] != NULL && strstr(allowed[i].forms, form) == NULL)
			return allowed[i].why;
	return NULL;
}

/* What is wrong with what was asked for; NULL. */
static const char *
misuse(const struct call *c, const char *const *values)
{
	const char *form = c->argc > 0 ? c->argv[0] : "";
	bool scans = strcmp(form, "scan") == 0;

	if ((!scans && strcmp(form, "report") != 0 && strcmp(form, "waves") != 0) || c->argc > (scans ? 2 : 1))
		return "scan [FILE|-], report, or waves";
	if (values[FLAG_TSV] != NULL && values[FLAG_JSON] != NULL)
		return "--tsv or --json, not both";
	if (values[FLAG_APPLY] != NULL && values[FLAG_HOLD] != NULL)
		return "--apply or --hold, not both";
	if (values[FLAG_OWN] == NULL && values[FLAG_BRANDS] == NULL && (values[FLAG_LISTS] != NULL || values[FLAG_SUFFIXES] != NULL))
		return "--lists and --suffixes go with --own or --brands";
	return stray_flag(form, values);
}

static int
perform(const struct call *c, const struct tables *t, const char *const *values, struct diag *diag)
{
	struct scan scan = { .lookalike = t->lookalike, .levels = t->levels, .all = values[FLAG_ALL] != NULL,
		.form = values[FLAG_TSV] != NULL ? SCAN_TSV : values[FLAG_JSON] != NULL ? SCAN_JSON : SCAN_TEXT };

	if (strcmp(c->argv[0], "report") == 0)
		return report(c, &scan, values, diag);
	if (strcmp(c->argv[0], "waves") == 0)
		return waves(c, t->g, values, diag);
	return scan_file(c, &scan, c->argc == 2 ? c->argv[1] : "-", diag);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "all", "apply", "brands=", "days=", "dry-run", "events=", "hold", "json", "lists=",
		"new", "own=", "suffixes=", "tsv" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct tables t = { .g = NULL };
	struct diag diag = { 0 };
	int status = EXIT_TROUBLE;
	const char *wrong;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((wrong = misuse(c, values)) != NULL)
		return call_misused(c, wrong);
	if ((values[FLAG_OWN] != NULL || values[FLAG_BRANDS] != NULL ? make_tables(c, &t, values, &diag) :
	    open_tables(c, &t, &diag)) == 0) {
		diag_print(&diag, stderr);
		diag_fini(&diag);
		status = perform(c, &t, values, &diag);
	}
	diag_print(&diag, stderr);
	diag_fini(&diag);
	close_tables(&t);
	return status;
}

const struct verb verb_lookalike = {
	.name = "lookalike",
	.run = run,
	.operands = "scan [--own FILE] [--brands FILE] [--all] [--tsv|--json] [--lists DIR] [--suffixes FILE] [FILE|-] | "
	    "report [--days N] [--events FILE] [--tsv|--json] | "
	    "waves [--hold|--apply] [--days N] [--events FILE] [--dry-run] [--new] [--json]",
	.summary = "Judge hosts of a list or an access log: which look like a protected domain?",
	.help =
	    "  scan            judge hosts, one a line, URLs or lines of a Squid access log; - is standard input\n"
	    "  report          what the event log says of lookalikes, for each registrable domain\n"
	    "  waves           propose a rule for each domain that many lookalikes come from: firebreak held has them\n"
	    "  --own FILE      the site's own domains, one a line or as in lookalike(5); with it or\n"
	    "  --brands FILE   brands, one a line with their other domains, only these files are used and\n"
	    "                  no published generation\n"
	    "  --all           print what passes, too\n"
	    "  --tsv           host, action, class, target, registrable domain, sentence, with tabs between\n"
	    "  --json          the same as one object a line\n"
	    "  --days N        events of the last N days; else all, for waves 7\n"
	    "  --events FILE   the event log; else the state folder's\n"
	    "  --hold, --apply propose, or make live; else what LookalikeWaves says\n"
	    "  --dry-run       write nothing\n"
	    "  --new           print only what is new\n"
	    "  --lists DIR     where the lists that come with firebreak are; else " LINT_FOLDER "\n"
	    "  --suffixes FILE the public suffix list; else " PUBLIC_SUFFIX_FILE "\n",
};
