#include "command/export_verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command/show.h"
#include "command/verb.h"
#include "exports/export.h"
#include "ruleset/overview.h"

enum { FLAG_ALLOW, FLAG_APEX, FLAG_LEVEL, FLAG_OUTPUT, FLAG_SID, FLAG_SINCE, FLAG_SOURCE, FLAGS };
enum { SOURCES_MAX = 256, SID_FIRST = 1000000, MS = 1000 };

/* What a call is about. */
struct wish {
	struct export_options	 options;
	bool			 lures, sightings;	/* else rules */
	int64_t			 since_ms;
	char			*names;			/* what OPTIONS.sources points into */
	const char		*sources[SOURCES_MAX];
};

/* ---- rules ---- */

static void
say_counts(const struct call *c, const struct export_counts *counts)
{
	fprintf(stderr, "firebreak %s: %" PRIu64 " row%s\n", c->verb->name, counts->rows, show_s(counts->rows));
	for (enum export_left why = EXPORT_ACTION; why < EXPORT_LEFTS; why++)
		if (counts->left[why] > 0)
			fprintf(stderr, "left out: %" PRIu64 " %s\n", counts->left[why], export_left_words(why));
}

static bool
has_source(const struct generation *g, const char *name)
{
	const struct manifest *m = generation_manifest(g);

	for (size_t i = 0; i < m->n_sources; i++)
		if (strcmp(m->sources[i].name, name) == 0)
			return true;
	return false;
}

static int
export_generation(const struct call *c, const struct generation *g, const struct wish *w, struct output *out)
{
	struct export_counts counts;

	for (size_t i = 0; i < w->options.n_sources; i++)
		if (!has_source(g, w->options.sources[i]))
			return call_fail(c, "no source of the live generation is named %s: \"firebreak rules list\"", w->options.sources[i]);
	if (export_rules(g, &w->options, output_put, out, &counts) == -1)
		return call_fail(c, "%s", strerror(errno));
	say_counts(c, &counts);
	if (counts.damaged)
		call_fail(c, "generation %" PRIu64 " is damaged: what could not be read is left out; \"firebreak publish --full\" makes it anew",
		    generation_number(g));
	return counts.damaged ? EXIT_FOUND : EXIT_FINE;
}

static int
export_live(const struct call *c, const struct wish *w, struct output *out)
{
	struct diag diag = { 0 };
	struct generation *g = overview_generation(c->state, false, &diag);
	int status = g == NULL ? EXIT_TROUBLE : export_generation(c, g, w, out);

	diag_print(&diag, stderr);
	diag_fini(&diag);
	generation_close(g);
	return status;
}

/* ---- the command line ---- */

/* "a,b" into W. */
static int
read_sources(struct wish *w, const char *text)
{
	char *name, *rest;

	if (text == NULL)
		return 0;
	if ((w->names = rest = strdup(text)) == NULL)
		return -1;
	while ((name = strsep(&rest, ",")) != NULL) {
		if (w->options.n_sources == SOURCES_MAX || *name == '\0')
			return -1;
		w->sources[w->options.n_sources++] = name;
	}
	w->options.sources = w->sources;
	return 0;
}

/* What the command line asks for; NULL, or what is wrong with it. */
static const char *
read_wish(const struct call *c, const char *const *values, struct wish *w)
{
	uint64_t level = 0, sid = SID_FIRST;
	int64_t span = 0;
	bool rules;

	if (c->argc != 1)
		return "one FORMAT is expected, such as rpz";
	w->lures = strcmp(c->argv[0], "spamassassin") == 0;
	w->sightings = strcmp(c->argv[0], "sightings") == 0;
	rules = !w->lures && !w->sightings;
	if (rules && export_format_parse(slice_str(c->argv[0]), &w->options.format) == -1)
		return "there is no such FORMAT";
	if (!rules && (values[FLAG_LEVEL] != NULL || values[FLAG_SOURCE] != NULL))
		return "--level and --source are for rules";
	if (values[FLAG_ALLOW] != NULL && (!rules || w->options.format != EXPORT_DSTDOMAIN))
		return "--allow is for dstdomain; the others have a format of their own, or none";
	if (values[FLAG_APEX] != NULL && (!rules || w->options.format != EXPORT_HOSTS))
		return "--apex is for hosts";
	if (values[FLAG_SID] != NULL && (!rules || w->options.format != EXPORT_SURICATA ||
	    slice_u64(slice_str(values[FLAG_SID]), &sid) == -1 || sid == 0 || sid > UINT32_MAX))
		return "--sid takes the number of the first rule, of suricata";
	if (values[FLAG_SINCE] != NULL && (!w->sightings || clock_parse_span(slice_str(values[FLAG_SINCE]), &span) == -1 || span == 0))
		return "--since takes a time such as 12h or 7d, of sightings";
	if (values[FLAG_LEVEL] != NULL && (slice_u64(slice_str(values[FLAG_LEVEL]), &level) == -1 || level > RULE_LEVEL_MAX))
		return "--level takes a number from 0 to 5";
	w->options.allow = values[FLAG_ALLOW] != NULL;
	w->options.apex = values[FLAG_APEX] != NULL;
	w->options.level = values[FLAG_LEVEL] == NULL ? -1 : (int)level;
	w->options.sid = sid;
	w->since_ms = span == 0 ? 0 : clock_ms() - span * MS;
	return read_sources(w, values[FLAG_SOURCE]) == -1 ? "--source takes names, with commas between them" : NULL;
}

struct job {
	const struct wish	*wish;
	struct output		*out;
};

static int
write_all(const struct call *c, void *arg)
{
	const struct job *job = arg;
	const struct wish *w = job->wish;

	return w->lures ? export_lures(c, job->out) : w->sightings ? export_sightings(c, w->since_ms, job->out) :
	    export_live(c, w, job->out);
}

/* The file is who calls's, and what it is made of the state folder's owner's. */
static int
perform(const struct call *c, const struct wish *w, const char *path)
{
	struct output out;
	struct job job = { w, &out };
	int status;

	if (call_need_state(c) == -1 || output_begin(&out, c, path) == -1)
		return EXIT_TROUBLE;
	status = call_as_owner(c, write_all, &job);
	return output_end(&out, c, status != EXIT_TROUBLE) == -1 ? EXIT_TROUBLE : status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "allow", "apex", "level=", "output=", "sid=", "since=", "source=" };
	const char *values[FLAGS], *wrong, *tmp = getenv("TMPDIR");
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct wish w = { .options = { .now = clock_ms() / MS, .tmp = tmp != NULL ? tmp : "/tmp" } };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((wrong = read_wish(c, values, &w)) != NULL)
		status = call_misused(c, wrong);
	else
		status = perform(c, &w, values[FLAG_OUTPUT]);
	free(w.names);
	return status;
}

const struct verb verb_export = {
	.name = "export",
	.run = run,
	.operands = "FORMAT [--source NAME,...] [--level N] [--output FILE] [--apex] [--allow] [--sid N] [--since SPAN]",
	.summary = "Write the live rules, lures or sightings as other programs read them.",
	.help =
	    "  hdb, hsb, fp, sfp              ClamAV: files that are blocked, by MD5, by SHA-1 and SHA-256; that are allowed\n"
	    "  rpz, hosts, dstdomain          hosts: a response policy zone, hosts(5), Squid's acl\n"
	    "  suricata                       hosts: rules for TLS and HTTP\n"
	    "  filemd5, filesha1, filesha256  files: Suricata's lists\n"
	    "  stix                           hosts and files: a STIX 2.1 bundle\n"
	    "  spamassassin                   the lure mails of live alerts, also for rspamd\n"
	    "  sightings                      what was met, as an event of MISP in JSON\n"
	    "  --source NAME,...  rules of these sources alone\n"
	    "  --level N          rules from this level on; else from the site's threshold\n"
	    "  --output FILE      write FILE, when all is there; else standard output\n"
	    "  --apex             hosts: of a host and all below it the host\n"
	    "  --allow            dstdomain: what is allowed\n"
	    "  --sid N            suricata: the first rule's number; else 1000000\n"
	    "  --since SPAN       sightings: of the last 12h, 7d ...\n",
};
