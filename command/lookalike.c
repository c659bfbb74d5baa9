#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/lookalike_report.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/generation.h"
#include "ruleset/lint.h"
#include "ruleset/lookalike_source.h"

enum { FLAG_ALL, FLAG_BRANDS, FLAG_DAYS, FLAG_EVENTS, FLAG_JSON, FLAG_LISTS, FLAG_OWN, FLAG_SUFFIXES, FLAG_TSV, FLAGS };
enum { MS = 1000, DAYS_MAX = 36500 };

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
	char *pattern = file_join(tmp, "firebreak-XXXXXX"), *path = NULL;
	uint8_t sha256[SEGMENT_SHA256];
	uint64_t len;

	if (pattern == NULL || mkdtemp(pattern) == NULL) {
		diag_add(diag, DIAG_ERROR, tmp, 0, 0, "%s", strerror(errno));
	} else if ((path = file_join(pattern, "lookalike.seg")) != NULL &&
	    lookalike_builder_write(b, 0, path, &len, sha256, diag) == 0) {
		if ((t->segment = segment_open(path, SEGMENT_LOOKALIKE, NULL, diag)) != NULL)
			t->lookalike = t->made = lookalike_open(t->segment, diag);
		unlink(path);
	}
	if (pattern != NULL)
		rmdir(pattern);
	free(path);
	free(pattern);
	return t->lookalike == NULL ? -1 : 0;
}

/* Fill B from the files of VALUES. */
static int
read_files(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *const *values, struct diag *diag)
{
	const char *lists = values[FLAG_LISTS] != NULL ? values[FLAG_LISTS] : getenv("FIREBREAK_LISTS");
	int r = 0;

	if (lookalike_builder_suffixes(b, suffixes) == -1 ||
	    lookalike_source_shipped(b, suffixes, lists != NULL ? lists : LINT_FOLDER, false, diag) == -1)
		r = -1;
	if (values[FLAG_OWN] != NULL && lookalike_source_read(b, suffixes, "own", values[FLAG_OWN], diag) == -1)
		r = -1;
	if (values[FLAG_BRANDS] != NULL && lookalike_source_read(b, suffixes, "brand", values[FLAG_BRANDS], diag) == -1)
		r = -1;
	return r;
}

/* Tables of the files of VALUES alone. */
static int
make_tables(struct tables *t, const char *const *values, struct diag *diag)
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
		if (suffixes != NULL && read_files(b, suffixes, values, diag) == 0)
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
	if ((t->g = call_generation(c, false, diag)) == NULL)
		return -1;
	site_lookalike_levels(generation_site(t->g), &t->levels);
	if ((t->lookalike = generation_lookalike(t->g)) != NULL)
		return 0;
	diag_error(diag, "the live generation has no lookalikes: publish anew, or give --own or --brands");
	return -1;
}

static int
scan_file(const struct call *c, const struct scan *scan, const char *file)
{
	int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC), status = EXIT_FINE;
	struct scan_counts n;

	if (fd == -1 || scan_fd(scan, fd, &n) == -1)
		status = call_fail(c, "%s: %s", file, strerror(errno));
	if (fd != -1 && fd != STDIN_FILENO)
		close(fd);
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

/* The event log of VALUES, or the state's. */
static int
report(const struct call *c, const struct scan *scan, const char *const *values)
{
	char path[STATE_PATH];
	uint64_t days = 0;

	if (values[FLAG_DAYS] != NULL && (slice_u64(slice_str(values[FLAG_DAYS]), &days) == -1 || days == 0 || days > DAYS_MAX))
		return call_misused(c, "--days takes a number of days");
	if (values[FLAG_EVENTS] == NULL && call_path(c, STATE_EVENTS, path) == -1)
		return EXIT_TROUBLE;
	if (lookalike_report(scan, values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : path,
	    days == 0 ? 0 : clock_ms() - (int64_t)days * CLOCK_DAY_S * MS) == 0)
		return EXIT_FINE;
	return call_fail(c, "%s: %s", values[FLAG_EVENTS] != NULL ? values[FLAG_EVENTS] : path, strerror(errno));
}

/* What is wrong with what was asked for; NULL. */
static const char *
misuse(const struct call *c, const char *const *values)
{
	bool scans = c->argc > 0 && strcmp(c->argv[0], "scan") == 0, reports = c->argc == 1 && strcmp(c->argv[0], "report") == 0;
	bool files = values[FLAG_OWN] != NULL || values[FLAG_BRANDS] != NULL;

	if ((!scans && !reports) || c->argc > 2)
		return "scan [FILE|-], or report";
	if (values[FLAG_TSV] != NULL && values[FLAG_JSON] != NULL)
		return "--tsv or --json, not both";
	if (!files && (values[FLAG_LISTS] != NULL || values[FLAG_SUFFIXES] != NULL))
		return "--lists and --suffixes go with --own or --brands";
	if (scans && (values[FLAG_DAYS] != NULL || values[FLAG_EVENTS] != NULL))
		return "--days and --events go with report";
	return reports && (files || values[FLAG_ALL] != NULL) ? "report asks the live generation, about what was found" : NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "all", "brands=", "days=", "events=", "json", "lists=", "own=", "suffixes=", "tsv" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct tables t = { .g = NULL };
	struct diag diag = { 0 };
	struct scan scan;
	int status = EXIT_TROUBLE;
	const char *wrong;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((wrong = misuse(c, values)) != NULL)
		return call_misused(c, wrong);
	if ((values[FLAG_OWN] != NULL || values[FLAG_BRANDS] != NULL ? make_tables(&t, values, &diag) : open_tables(c, &t, &diag)) == 0) {
		scan = (struct scan){ .lookalike = t.lookalike, .levels = t.levels, .all = values[FLAG_ALL] != NULL,
			.form = values[FLAG_TSV] != NULL ? SCAN_TSV : values[FLAG_JSON] != NULL ? SCAN_JSON : SCAN_TEXT };
		diag_print(&diag, stderr);
		diag_fini(&diag);
		status = strcmp(c->argv[0], "report") == 0 ? report(c, &scan, values) :
		    scan_file(c, &scan, c->argc == 2 ? c->argv[1] : "-");
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
	    "report [--days N] [--events FILE] [--tsv|--json]",
	.summary = "Judge hosts of a list or an access log: which look like a protected domain?",
	.help =
	    "  scan            judge hosts, one a line, URLs or lines of a Squid access log; - is standard input\n"
	    "  report          what the event log says of lookalikes, for each registrable domain\n"
	    "  --own FILE      the site's own domains, one a line or as in lookalike(5); with it or\n"
	    "  --brands FILE   brands, one a line with their other domains, only these files are used and\n"
	    "                  no published generation\n"
	    "  --all           print what passes, too\n"
	    "  --tsv           host, action, class, target, registrable domain, sentence, with tabs between\n"
	    "  --json          the same as one object a line\n"
	    "  --days N        events of the last N days; else all\n"
	    "  --events FILE   the event log; else the state folder's\n"
	    "  --lists DIR     where the lists that come with firebreak are; else " LINT_FOLDER "\n"
	    "  --suffixes FILE the public suffix list; else " PUBLIC_SUFFIX_FILE "\n",
};
