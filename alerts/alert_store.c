#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/alert_store.h"
#include "alerts/alert_version.h"
#include "base/clock.h"
#include "base/file.h"
#include "ruleset/generation.h"
#include "ruleset/overview.h"
#include "ruleset/site_file.h"

/* As import and the publisher have them; a withdrawn source is longer than it was. */
enum { RECORD_MAX = 8 * ALERT_TEXT_MAX, SOURCE_MAX = 128 << 20, VALUE_MAX = 1 << 20 };

/* ---- rules ---- */

static void
rule_fini(struct alerts_rule *rule)
{
	free(rule->what);
	free(rule->id);
	free(rule->line);
}

void
alerts_rules_fini(struct alerts_rules *r)
{
	for (size_t i = 0; i < r->n; i++)
		rule_fini(&r->v[i]);
	free(r->v);
	*r = (struct alerts_rules){ 0 };
}

static int
by_what(const void *a, const void *b)
{
	const struct alerts_rule *x = a, *y = b;
	int order = strcmp(x->what, y->what);

	return order != 0 ? order : strcmp(x->id, y->id);
}

void
alerts_rules_sort(struct alerts_rules *r)
{
	if (r->n > 0)
		qsort(r->v, r->n, sizeof(*r->v), by_what);
}

const struct alerts_rule *
alerts_rules_find(const struct alerts_rules *r, const struct alerts_rule *rule)
{
	return r->n == 0 ? NULL : bsearch(rule, r->v, r->n, sizeof(*r->v), by_what);
}

void
alerts_rules_compare(const struct alerts_rules *from, const struct alerts_rules *to, alerts_compare_visit *visit, void *arg)
{
	size_t i = 0, k = 0;

	while (i < from->n || k < to->n) {
		int order = i == from->n ? 1 : k == to->n ? -1 : by_what(&from->v[i], &to->v[k]);

		if (order < 0)
			visit(arg, &from->v[i], NULL);
		else if (order > 0)
			visit(arg, NULL, &to->v[k]);
		else if (strcmp(from->v[i].line, to->v[k].line) != 0)
			visit(arg, &from->v[i], &to->v[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

/* A string that is taken out of BUF, which is then empty; NULL when it had failed. */
static char *
take(struct buf *b)
{
	char *text = b->failed ? NULL : slice_dup(buf_slice(b));

	buf_reset(b);
	return text;
}

/* Add RULE, which matches VALUE.  -1 without memory. */
static int
add_rule(struct alerts_rules *r, const struct rule *rule, struct slice value)
{
	struct alerts_rule item = { .kind = rule->kind, .level = rule->level, .rev = rule->rev, .expires = rule->expires };
	struct rule shown = *rule;
	struct buf text;

	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
		struct alerts_rule *v = realloc(r->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		r->v = v;
		r->cap = cap;
	}
	buf_init(&text, SIZE_MAX / 2);
	buf_addf(&text, "%s %s ", rule_action_name(rule->action), rule_kind_name(rule->kind));
	buf_add_slice(&text, value);
	item.what = take(&text);
	rule_id_format(rule, &text);
	item.id = take(&text);
	shown.value = value;
	source_format_exact(&shown, &text);
	item.line = take(&text);
	buf_fini(&text);
	if (item.what == NULL || item.id == NULL || item.line == NULL) {
		rule_fini(&item);
		return -1;
	}
	r->v[r->n++] = item;
	return 0;
}

/* Rules while they are read from a source or from a generation. */
struct reading {
	struct alerts_rules	*rules;
	struct slice		 source;	/* of a generation's rules: which */
	int64_t			 now;		/* what expired by then is left out */
	struct buf		 value;
	bool			 no_memory;
};

static int
keep(struct reading *r, const struct rule *rule)
{
	if (r->now != 0 && rule->expires != 0 && rule->expires <= r->now) {
		r->rules->n_expired++;
		return 0;
	}
	r->no_memory = r->value.failed || add_rule(r->rules, rule, buf_slice(&r->value)) == -1;
	return r->no_memory ? 1 : 0;
}

static int
visit_line(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct reading *r = arg;

	(void)line;
	buf_reset(&r->value);
	rule_match_format(rule->kind, match, &r->value);
	return keep(r, rule);
}

static int
visit_live(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct reading *r = arg;

	(void)layer;
	(void)ref;
	if (!slice_eq(rule->source, r->source))
		return 0;
	buf_reset(&r->value);
	rule_value_format(rule, &r->value);
	return keep(r, rule);
}

int
alerts_rules_read(struct alerts_rules *rules, const char *file, const char *name, struct slice text,
    const struct source_defaults *defaults, int64_t now, struct diag *diag)
{
	struct reading r = { .rules = rules, .now = now };
	size_t before = diag->n_errors;

	buf_init(&r.value, VALUE_MAX);
	source_parse(file, slice_str(name), text, defaults, visit_line, &r, diag);
	buf_fini(&r.value);
	if (r.no_memory)
		diag_error(diag, "there is no memory for the rules of %s", name);
	return diag->n_errors > before ? -1 : 0;
}

/* ---- the state folder ---- */

/* Its mistakes are for publish to tell; good lines count all the same. */
static void
read_site(struct alerts *a)
{
	struct diag unwanted = { 0 };
	struct site site = { 0 };

	site_load(a->state, &site, &unwanted);
	diag_fini(&unwanted);
	a->defaults = (struct source_defaults){ .now = a->now, .host_life = site.host_life, .file_life = site.file_life };
	option_fini(site_options, site_options_n, &site);
}

/* "STATE/what" into OUT.  -1 with an error in A's diag. */
static int
path_of(struct alerts *a, const char *what, char out[static STATE_PATH])
{
	if (state_path(a->state, what, out) == 0)
		return 0;
	diag_error(&a->diag, "%s/%s: %s", a->state, what, strerror(errno));
	return -1;
}

int
alerts_init(struct alerts *a, const char *state)
{
	char manifest[STATE_PATH], sources[STATE_PATH], settings[STATE_PATH];
	struct diag unwanted = { 0 };

	*a = (struct alerts){ .state = state, .now = clock_ms() / 1000 };
	if (path_of(a, STATE_MANIFEST, manifest) == -1 || path_of(a, STATE_SOURCES, sources) == -1 ||
	    path_of(a, STATE_SETTINGS, settings) == -1)
		return -1;
	read_site(a);
	if (manifest_load(manifest, &a->live, &a->diag) == -1 && errno != ENOENT) {
		if (a->diag.n_errors == 0)
			diag_add(&a->diag, DIAG_ERROR, manifest, 0, 0, "%s", strerror(errno));
		return -1;
	}
	diag_fini(&a->diag);
	/* What is wrong with these publish and held tell. */
	source_list_read(sources, settings, NULL, (struct slice){ 0 }, a->now, &a->sources, &unwanted);
	held_load(HELD_RULES, state, &a->held, &unwanted);
	held_load(HELD_DECISIONS, state, &a->decisions, &unwanted);
	diag_fini(&unwanted);
	return 0;
}

void
alerts_fini(struct alerts *a)
{
	manifest_fini(&a->live);
	source_list_free(&a->sources);
	held_fini(&a->held);
	held_fini(&a->decisions);
	diag_fini(&a->diag);
}

/* ---- which there are ---- */

struct ids {
	char	**v;
	size_t	  n;
};

/* Add what stands between HEAD and TAIL in NAME, when that is an id. */
static int
add_id(struct ids *ids, struct slice name, struct slice head, struct slice tail)
{
	char **v;

	if (name.len < head.len + tail.len || !slice_starts(name, head) || !slice_ends(name, tail))
		return 0;
	name = slice_skip(slice_head(name, name.len - tail.len), head.len);
	if (!alert_id_ok(name))
		return 0;
	if ((v = realloc(ids->v, (ids->n + 1) * sizeof(*v))) == NULL)
		return -1;
	ids->v = v;
	if ((v[ids->n] = slice_dup(name)) == NULL)
		return -1;
	ids->n++;
	return 0;
}

static int
read_folder(struct alerts *a, struct ids *ids, const char *what, struct slice head, struct slice tail)
{
	char path[STATE_PATH];
	struct dirent *e;
	DIR *dir;
	int r = 0;

	if (path_of(a, what, path) == -1)
		return -1;
	if ((dir = opendir(path)) == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return diag_error(&a->diag, "%s: %s", path, strerror(errno)), -1;
	while (r == 0 && (errno = 0, e = readdir(dir)) != NULL)
		r = add_id(ids, slice_str(e->d_name), head, tail);
	if (r == -1 || errno != 0)
		r = (diag_error(&a->diag, "%s: %s", path, strerror(r == -1 ? ENOMEM : errno)), -1);
	closedir(dir);
	return r;
}

/* "9" before "10". */
static int
by_number(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int
alerts_ids(struct alerts *a, char ***out, size_t *n)
{
	struct ids ids = { 0 };
	size_t kept = 0;
	int r;

	r = read_folder(a, &ids, STATE_ALERTS, SLICE(""), SLICE(".json"));
	if (r == 0)
		r = read_folder(a, &ids, STATE_SOURCES, SLICE("alert-"), SLICE(".rules"));
	if (ids.n > 0)
		qsort(ids.v, ids.n, sizeof(*ids.v), by_number);
	for (size_t i = 0; i < ids.n; i++)
		if (kept > 0 && strcmp(ids.v[kept - 1], ids.v[i]) == 0)
			free(ids.v[i]);
		else
			ids.v[kept++] = ids.v[i];
	*out = ids.v;
	*n = kept;
	return r;
}

/* ---- one ---- */

/* The paths of what alert ID consists of.  -1 after saying that it is no id. */
static int
make_paths(struct alerts *a, const char *id, struct alerts_item *item)
{
	char what[STATE_PATH];

	if (!alert_id_ok(slice_str(id))) {
		diag_error(&a->diag, "\"%.*s\" is no alert's id; \"firebreak alerts list\" shows them", ALERT_ID_MAX, id);
		return -1;
	}
	snprintf(item->id, sizeof(item->id), "%s", id);
	snprintf(item->name, sizeof(item->name), "alert-%s", id);
	snprintf(what, sizeof(what), STATE_ALERTS "/%s.json", id);
	if (path_of(a, what, item->record_path) == -1)
		return -1;
	snprintf(what, sizeof(what), STATE_ALERTS "/%s.withdrawn", id);
	if (path_of(a, what, item->history_path) == -1)
		return -1;
	snprintf(what, sizeof(what), STATE_ALERTS "/%s.versions", id);
	if (path_of(a, what, item->versions_path) == -1)
		return -1;
	snprintf(what, sizeof(what), STATE_SOURCES "/%s.rules", item->name);
	return path_of(a, what, item->source_path);
}

/* Append the file to OUT; whether it is there.  What else hinders is an error. */
static bool
read_file(struct alerts *a, struct alerts_item *item, const char *path, struct buf *out)
{
	if (file_read(path, out) == 0)
		return true;
	if (errno == ENOENT)
		return false;
	diag_add(&a->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	item->unreadable = true;
	return true;
}

static void
read_record(struct alerts *a, struct alerts_item *item)
{
	struct buf text;

	buf_init(&text, RECORD_MAX);
	item->has_record = read_file(a, item, item->record_path, &text);
	if (item->has_record && !item->unreadable) {
		item->alert = alert_from_json(item->record_path, buf_slice(&text), &a->diag);
		item->unreadable = item->alert == NULL;
	}
	if (item->alert != NULL && strcmp(item->alert->id, item->id) != 0) {
		diag_add(&a->diag, DIAG_ERROR, item->record_path, 0, 0, "is the record of alert %s, not of %s; import the alert again",
		    item->alert->id, item->id);
		item->unreadable = true;
	}
	buf_fini(&text);
}

static const struct source_file *
find_file(const struct alerts *a, const struct alerts_item *item)
{
	for (size_t i = 0; i < a->sources.n; i++)
		if (slice_eq(a->sources.files[i].name, slice_str(item->name)))
			return &a->sources.files[i];
	return NULL;
}

static void
read_source(struct alerts *a, struct alerts_item *item)
{
	const struct source_file *file = find_file(a, item);
	struct source_defaults defaults = a->defaults;

	buf_init(&item->text, SOURCE_MAX);
	item->has_source = read_file(a, item, item->source_path, &item->text);
	if (file != NULL)
		defaults.now = file->written;
	if (alerts_rules_read(&item->rules, item->source_path, item->name, buf_slice(&item->text), &defaults, a->now, &a->diag) == -1)
		item->unreadable = true;
	alerts_rules_sort(&item->rules);
	item->withdrawn = item->rules.n + item->rules.n_expired == 0 && alert_withdrawal_read(buf_slice(&item->text), &item->withdrawal);
}

/* The source is not the one that was published.  Where people decided about its rules the stamp is made of that, too, and tells
 * nothing here. */
static bool
was_changed(const struct alerts *a, const struct alerts_item *item, const struct manifest_source *live)
{
	const struct source_file *file = find_file(a, item);

	for (size_t i = 0; i < a->decisions.n; i++)
		if (slice_eq(a->decisions.v[i].source, slice_str(item->name)))
			return false;
	return file != NULL && live->stamp != 0 && live->stamp != file->stamp;
}

static enum alerts_state
state_of(const struct alerts *a, const struct alerts_item *item)
{
	const struct manifest_source *live = a->live.generation == 0 ? NULL : manifest_source(&a->live, slice_str(item->name));

	if (item->withdrawn)
		return item->n_live > 0 ? ALERTS_STILL : ALERTS_WITHDRAWN;
	if (!item->has_source)
		return ALERTS_REMOVED;
	if (live != NULL && was_changed(a, item, live))
		return ALERTS_CHANGED;
	if (item->rules.n == 0)
		return ALERTS_ENDED;
	if (live == NULL)
		return ALERTS_IMPORTED;
	return live->rules >= item->rules.n ? ALERTS_LIVE : ALERTS_PARTLY;
}

int
alerts_load(struct alerts *a, const char *id, struct alerts_item *item)
{
	const struct manifest_source *live;

	*item = (struct alerts_item){ .n_live = 0 };
	if (make_paths(a, id, item) == -1)
		return -1;
	read_record(a, item);
	read_source(a, item);
	live = a->live.generation == 0 ? NULL : manifest_source(&a->live, slice_str(item->name));
	if (!item->has_record && !item->has_source && live == NULL) {
		diag_error(&a->diag, "there is no alert %s in %s; \"firebreak alerts list\" shows those there are", id, a->state);
		return -1;
	}
	item->n_live = live == NULL ? 0 : live->rules;
	for (size_t i = 0; i < a->held.n; i++)
		item->n_held += slice_eq(a->held.v[i].source, slice_str(item->name));
	item->state = state_of(a, item);
	return 0;
}

void
alerts_item_fini(struct alerts_item *item)
{
	alert_free(item->alert);
	buf_fini(&item->text);
	alerts_rules_fini(&item->rules);
}

const char *
alerts_state_name(enum alerts_state state)
{
	static const char *const names[] = { [ALERTS_IMPORTED] = "imported", [ALERTS_LIVE] = "live", [ALERTS_PARTLY] = "partly_live",
		[ALERTS_CHANGED] = "changed", [ALERTS_ENDED] = "ended", [ALERTS_REMOVED] = "removed", [ALERTS_WITHDRAWN] = "withdrawn",
		[ALERTS_STILL] = "withdrawn_but_live" };

	return names[state];
}

int
alerts_live_rules(struct alerts *a, const struct alerts_item *item, struct alerts_rules *out)
{
	struct reading r = { .rules = out, .source = slice_str(item->name), .now = a->now };
	struct generation *g;
	bool damaged = false;

	if (item->n_live == 0)
		return 0;
	if ((g = overview_generation(a->state, false, &a->diag)) == NULL)
		return -1;
	buf_init(&r.value, VALUE_MAX);
	generation_each(g, visit_live, &r, &damaged);
	buf_fini(&r.value);
	generation_close(g);
	alerts_rules_sort(out);
	if (r.no_memory)
		diag_error(&a->diag, "there is no memory for the live rules of %s", item->name);
	if (damaged)
		diag_error(&a->diag, "the live generation is damaged; \"firebreak publish --full\" makes it anew");
	return r.no_memory || damaged ? -1 : 0;
}

json_t *
alerts_history(struct alerts *a, const struct alerts_item *item)
{
	return alert_versions_load(item->history_path, &a->diag);
}

json_t *
alerts_versions(struct alerts *a, const struct alerts_item *item)
{
	return alert_versions_load(item->versions_path, &a->diag);
}
