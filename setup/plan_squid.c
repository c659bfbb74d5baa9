#include <stdio.h>
#include <stdlib.h>

#include "setup/plan_part.h"

static const char *const own_names[POINTS] = { [POINT_REQMOD] = "firebreak_req", [POINT_RESPMOD] = "firebreak_resp" };

/* ---- where our file stands ---- */

static struct slice
folder_of(struct slice path)
{
	size_t n = path.len;

	while (n > 0 && path.p[n - 1] != '/')
		n--;
	return slice_head(path, n);
}

/* How many of the directives are read before our file's. */
static size_t
position(const struct planning *p)
{
	const struct conf *conf = p->squid->conf;
	struct slice own = slice_str(p->options->squid.path), folder = folder_of(own);
	size_t at;

	if (p->squid->include == NULL)
		return conf->n;
	/* The folder's files come in the order of their names, each with what it includes itself. */
	for (at = (size_t)(p->squid->include - conf->v) + 1; at < conf->n && conf->v[at].file != 0; at++) {
		struct slice path = slice_str(conf->files[conf->v[at].file].path);

		if (slice_eq(folder_of(path), folder) && slice_cmp(path, own) > 0)
			break;
	}
	return at;
}

static bool
is_behind(const struct planning *p, const struct directive *d, size_t ours)
{
	return (size_t)(d - p->squid->conf->v) >= ours;
}

/* ---- single values ---- */

enum when { ALWAYS, KEEP, CURE };

static const struct setting {
	const char	*name, *old_name, *value;
	enum when	 when;
	const char	*why;
} settings[] = {
#define SETTING(name, old_name, value, when, why)	{ name, old_name, value, when, why },
#include "setup/settings.def"
#undef SETTING
};

static bool
is_setting(const struct directive *d, const struct setting *s)
{
	return slice_eq(d->words[0], slice_str(s->name)) || (s->old_name != NULL && slice_eq(d->words[0], slice_str(s->old_name)));
}

/* D's value is S's, word by word. */
static bool
agrees(const struct directive *d, const struct setting *s)
{
	struct slice rest = slice_str(s->value), word;

	for (size_t i = 1; rest.len > 0; i++) {
		slice_cut(rest, ' ', &word, &rest);
		if (!slice_eq(conf_word(d, i), word))
			return false;
	}
	return true;
}

/* Take a line that says otherwise, and would have the last word, away. */
static void
cure(struct planning *p, const struct directive *d, const struct setting *s)
{
	const struct conf *conf = p->squid->conf;

	if (d->conditional) {
		plan_say(p->diag, DIAG_ERROR, conf, d, "%s must be \"%s\", and this line stands within an \"if\": change it by hand. %s",
		    s->name, s->value, s->why);
		return;
	}
	plan_say(p->notes, DIAG_NOTE, conf, d, "is taken out: %s has to be \"%s\". %s", s->name, s->value, s->why);
	lines_replace(&p->edits, conf, d, "");
}

/* What the others' lines say of S; true when ours is wanted all the same. */
static bool
look_at(struct planning *p, const struct setting *s, size_t ours)
{
	const struct conf *conf = p->squid->conf;
	const struct directive *last = NULL;

	for (size_t i = 0; i < conf->n; i++) {
		const struct directive *d = &conf->v[i];

		if (!is_setting(d, s))
			continue;
		last = d;
		if (s->when == KEEP || agrees(d, s))
			continue;
		if (s->when == CURE || is_behind(p, d, ours))
			cure(p, d, s);
		else
			plan_say(p->notes, DIAG_NOTE, conf, d, "counts no more: our file says \"%s %s\" after it. %s", s->name, s->value,
			    s->why);
	}
	if (s->when == KEEP && last != NULL)
		plan_say(p->notes, DIAG_NOTE, conf, last, "stays; setup would have said \"%s %s\". %s", s->name, s->value, s->why);
	return s->when == ALWAYS || (s->when == KEEP && last == NULL);
}

static void
add_settings(struct planning *p, size_t ours)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (look_at(p, &settings[i], ours))
			buf_addf(&p->squid_text, "\n# %s\n%s %s\n", settings[i].why, settings[i].name, settings[i].value);
}

/* ---- services of others ---- */

/* The members of a group of POINT: ours, and those of others, words FROM to TO of D. */
static void
add_members(struct buf *out, enum point point, const struct directive *d, size_t from, size_t to)
{
	if (point == POINT_REQMOD)
		buf_add_strs(out, " ", own_names[point], NULL);
	for (size_t i = from; i < to; i++) {
		buf_add_char(out, ' ');
		buf_add_slice(out, d->words[i]);
	}
	if (point == POINT_RESPMOD)
		buf_add_strs(out, " ", own_names[point], NULL);
	buf_add_char(out, '\n');
}

/* Their chain gets a member. */
static void
join_chain(struct planning *p, const struct squid_group *g, enum point point)
{
	const char *where = point == POINT_REQMOD ? "first" : "last";
	struct buf line;

	if (g->at->conditional) {
		plan_say(p->diag, DIAG_ERROR, p->squid->conf, g->at, "the chain %.*s stands within an \"if\": put %s %s by hand",
		    SLICE_ARGS(g->name), own_names[point], where);
		return;
	}
	buf_init(&line, PLAN_TEXT_MAX);
	buf_addf(&line, "adaptation_service_chain %.*s", SLICE_ARGS(g->name));
	add_members(&line, point, g->at, 2, g->kind == GROUP_SET ? 3 : g->at->n_words);
	plan_say(p->notes, DIAG_NOTE, p->squid->conf, g->at, "%s is asked %s%s", own_names[point], where,
	    g->kind == GROUP_SET ? ", and of the set its first service only" : " in this chain");
	lines_replace(&p->edits, p->squid->conf, g->at, line.p == NULL ? "" : line.p);
	buf_fini(&line);
}

static void
join_set(struct planning *p, const struct squid_group *g, enum point point)
{
	if (p->options->drop_failover)
		join_chain(p, g, point);
	else
		plan_say(p->diag, DIAG_ERROR, p->squid->conf, g->at, "Squid can put no service beside a set.  --drop-failover makes a "
		    "chain of Firebreak and the set's first service, without the others");
}

/* The group or service that A's lines are about goes on to be asked, after ours. */
static void
join(struct planning *p, const struct squid_access *a, size_t ours)
{
	const struct squid_group *g = squid_group(p->squid, a->name);
	enum point point;

	if (!squid_point(p->squid, a->name, &point)) {
		plan_say(p->notes, DIAG_WARNING, p->squid->conf, a->at, "there is no service \"%.*s\": Squid passes over this line",
		    SLICE_ARGS(a->name));
		return;
	}
	if (g != NULL && g->kind == GROUP_SET) {
		join_set(p, g, point);
	} else if (g != NULL) {
		join_chain(p, g, point);
	} else {
		buf_addf(&p->squid_text, "\n# %.*s was here before: it is asked %s Firebreak, for what its own adaptation_access lines say.\n"
		    "adaptation_service_chain %.*s", SLICE_ARGS(a->name), point == POINT_REQMOD ? "after" : "before", SLICE_ARGS(a->name));
		add_members(&p->squid_text, point, a->at, 1, 2);
	}
	/* Behind its own lines this one would turn what they say of everything else round. */
	if (is_behind(p, a->at, ours))
		buf_addf(&p->squid_text, "# Never matches; only keeps its place before %s, since its own lines come later.\n"
		    "adaptation_access %.*s deny !all\n", own_names[point], SLICE_ARGS(a->name));
}

/* Others' lines that do nothing now would begin to. */
static void
refuse_sleepers(struct planning *p)
{
	for (size_t i = 0; !p->squid->icap_on && i < p->squid->n_access; i++)
		plan_say(p->diag, DIAG_ERROR, p->squid->conf, p->squid->access[i].at, "icap_enable is off, and on for Firebreak it would "
		    "turn \"%.*s\" on as well: take these lines out, or set \"icap_enable on\" first, if they are meant",
		    SLICE_ARGS(p->squid->access[i].name));
}

static void
refuse_own(struct planning *p)
{
	for (size_t i = 0; i < p->squid->n_services; i++)
		if (slice_eq(squid_uri_service(p->squid->services[i].uri), SLICE(PLAN_SERVICE)))
			plan_say(p->diag, DIAG_ERROR, p->squid->conf, p->squid->services[i].at, "Firebreak was added by hand: take its "
			    "lines out to have setup do it, or leave all as it is");
}

/* ---- our file ---- */

static void
add_services(struct planning *p)
{
	struct buf *t = &p->squid_text;

	buf_add_strs(t, "# What is asked, and where.  bypass=off: what fails is an error, never something that was not looked at.  "
	    "Failing open\n"
	    "# is decided by the service (FailMode in site.conf), and is logged.  on-overload=wait: with all connections busy a request\n"
	    "# waits for one; \"bypass\" would let it through unseen, \"force\" would wait in c-icap's queue, where nobody sees it.\n",
	    NULL);
	buf_addf(t, "# max-conn: of all workers together; c-icap has a thread for each, see its " PLAN_DROPIN ".\n");
	for (enum point i = 0; i < POINTS; i++)
		buf_addf(t, "icap_service %s %s_precache icap://%s/" PLAN_SERVICE " bypass=off on-overload=wait max-conn=%d\n", own_names[i],
		    i == POINT_REQMOD ? "reqmod" : "respmod", p->icap, PLAN_CONNECTIONS);
}

static void
add_access(struct planning *p, size_t ours)
{
	struct buf *t = &p->squid_text;

	for (size_t i = 0; i < p->squid->n_access; i++)
		join(p, &p->squid->access[i], ours);
	buf_addf(t, "\n# Every request.\nadaptation_access %s allow all\n", own_names[POINT_REQMOD]);
	buf_add_strs(t, "\n# Every answer but live streams, of which Squid would collect the whole preview first: request and answer "
	    "must both say\n"
	    "# that they are one, and the request was judged.\n"
	    "acl firebreak_stream_q req_header Accept ^text/event-stream\n"
	    "acl firebreak_stream_r rep_mime_type ^text/event-stream\n", NULL);
	buf_addf(t, "adaptation_access %s deny firebreak_stream_q firebreak_stream_r\nadaptation_access %s allow all\n",
	    own_names[POINT_RESPMOD], own_names[POINT_RESPMOD]);
}

/* ---- what goes through without us ---- */

/* The folder of the access log that D says; empty when that is no file. */
static struct slice
log_folder(const struct directive *d)
{
	struct slice path = conf_word(d, 1);

	if (slice_starts(path, SLICE("stdio:")) || slice_starts(path, SLICE("daemon:")))
		path = slice_skip(path, slice_find(path, ':') + 1);
	return slice_starts(path, SLICE("/")) ? folder_of(path) : (struct slice){ 0 };
}

/* Where what was not asked about is logged; empty when the site wants no logs in files.  *OTHERS: it has lines of its own. */
static struct slice
unfiltered_folder(const struct planning *p, bool *others)
{
	const struct conf *conf = p->squid->conf;
	struct slice found = { 0 };

	*others = false;
	for (size_t i = 0; i < conf->n; i++)
		if (slice_eq(conf->v[i].words[0], SLICE("access_log"))) {
			*others = true;
			if (found.len == 0)
				found = log_folder(&conf->v[i]);
		}
	return *others ? found : slice_str(p->squid->build.logs);
}

static void
add_unfiltered(struct planning *p)
{
	bool others;
	struct slice folder = unfiltered_folder(p, &others);

	while (folder.len > 1 && folder.p[folder.len - 1] == '/')
		folder.len--;
	if (folder.len == 0) {
		diag_add(p->notes, DIAG_NOTE, NULL, 0, 0, "no access log is a file here: what Squid lets through without asking is not logged");
		return;
	}
	buf_add_strs(&p->squid_text, "\n# What Squid let through without asking: firebreak status counts it, and there should be none.\n"
	    "acl firebreak_asked adaptation_service ", own_names[POINT_REQMOD], "\naccess_log stdio:", NULL);
	buf_add_slice(&p->squid_text, folder);
	buf_add_str(&p->squid_text, "/firebreak-unfiltered.log logformat=squid on-error=drop !firebreak_asked\n");
	if (!others)
		buf_addf(&p->squid_text, "# Squid's own default, which it takes only while there is no access_log line at all.\n"
		    "access_log daemon:%.*s/access.log squid\n", SLICE_ARGS(folder));
	if (!slice_eq(folder, SLICE("/var/log/squid")))
		diag_add(p->notes, DIAG_NOTE, NULL, 0, 0, "site.conf needs \"UnfilteredLog %.*s/firebreak-unfiltered.log\", for status to "
		    "count what "
		    "Squid lets through without asking", SLICE_ARGS(folder));
}

static void
add_rest(struct planning *p)
{
	buf_add_strs(&p->squid_text, "\n# Clients that ask \"Expect: 100-continue\" before an upload wait a second for it otherwise.\n"
	    "force_request_body_continuation allow all\n"
	    "\n# Nothing here about ranges (range_offset_limit): the service asks for the whole where a part could not be judged, and\n"
	    "# only there (RangePolicy in site.conf).\n", NULL);
}

static void
note_build(struct planning *p)
{
	const struct squid_build *b = &p->squid->build;
	bool bump = false;

	for (size_t i = 0; i < p->squid->n_ports; i++)
		bump |= p->squid->ports[i].ssl_bump;
	if (b->major != 0 && !b->icap)
		diag_error(p->diag, "this Squid was built without ICAP (--disable-icap-client)");
	diag_add(p->notes, DIAG_NOTE, NULL, 0, 0, "%s", bump ? "an http_port has ssl-bump: what Squid decrypts is judged whole" :
	    b->openssl ? "no http_port has ssl-bump: of https:// only the host is judged, and a browser shows a refused CONNECT without "
	    "our page" :
	    "this Squid cannot decrypt: of https:// only the host is judged, and a browser shows a refused CONNECT without our page");
}

void
plan_squid(struct planning *p)
{
	size_t ours = position(p);

	note_build(p);
	refuse_own(p);
	refuse_sleepers(p);
	buf_add_strs(&p->squid_text, "# Firebreak in Squid.  Made by \"firebreak setup\", which makes it anew when it is run again; "
	    "\"firebreak undo\" takes it\n"
	    "# away.  Lines of your own do not belong here.\n\n", NULL);
	add_services(p);
	add_access(p, ours);
	add_settings(p, ours);
	add_rest(p);
	add_unfiltered(p);
	if (p->squid->include == NULL) {
		char *line = NULL;

		if (asprintf(&line, "include %s\n", plan_path(p, p->options->squid.path)) == -1)
			p->edits.failed = true;
		else
			lines_append(&p->edits, p->squid->conf, 0, line);
		free(line);
	}
}
