#include "ruleset/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/generation.h"
#include "ruleset/keep.h"
#include "ruleset/publish_part.h"
#include "templates/page_set.h"

enum { MODE_FILE = 0640 };

int
publish_no_memory(struct publisher *p)
{
	diag_error(p->diag, "out of memory");
	return -1;
}

/* ---- begin and end ---- */

/* Publishers wait for each other. */
static int
take_lock(struct publisher *p)
{
	char path[STATE_PATH];
	int error;

	if (p->options->dry_run || p->options->locked)
		return 0;
	if ((p->lock = state_lock(p->options->state)) != -1)
		return 0;
	error = errno;
	diag_add(p->diag, DIAG_ERROR, state_path(p->options->state, STATE_LOCK, path) == 0 ? path :
	    p->options->state, 0, 0, "%s", strerror(error));
	return -1;
}

/* What an origin has signed is what is live in a follower, and nothing else; going back to what it was is its own affair. */
static int
refuse_follower(const struct publisher *p)
{
	char path[STATE_PATH];

	if (state_path(p->options->state, STATE_FOLLOW, path) == -1 || access(path, F_OK) == -1)
		return 0;
	diag_add(p->diag, DIAG_ERROR, path, 0, 0, "this state folder follows an origin: publish there, and \"firebreak pull\" here; "
	    "or \"firebreak pull --leave\", and it is for publishing again");
	return -1;
}

static int
read_before(struct publisher *p)
{
	char path[STATE_PATH];
	int error;

	if (state_path(p->options->state, STATE_MANIFEST, path) == -1) {
		diag_error(p->diag, "%s: the path is too long", p->options->state);
		return -1;
	}
	if (manifest_load(path, &p->before, NULL) == 0)
		return 0;
	error = errno;
	manifest_fini(&p->before);
	if (error == EBADMSG || error == EFBIG)
		diag_add(p->diag, DIAG_WARNING, path, 0, 0, "is damaged and will be replaced: every source is read");
	else if (error != ENOENT) {
		diag_add(p->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(error));
		return -1;
	}
	return 0;
}

/* Number and date of a generation must be such that its MANIFEST can be read: else what is live would be lost. */
static int
take_number(struct publisher *p)
{
	p->report->generation = keep_highest(p->rules_dir, p->before.generation) + 1;
	if (p->report->generation == 0) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "no number is left for a generation");
		return -1;
	}
	if (p->options->now <= 0 || p->options->now > CLOCK_LAST_S) {
		diag_error(p->diag, "the clock is not set: it says %" PRId64 " seconds since 1970", p->options->now);
		return -1;
	}
	return 0;
}

static int
begin(struct publisher *p, bool may_follow)
{
	*p->report = (struct publish_report){ .created = p->options->now };
	p->lock = -1;
	buf_init(&p->pages, PAGE_SET_MAX);
	if (state_path(p->options->state, STATE_RULES, p->rules_dir) == -1) {
		diag_error(p->diag, "%s: the path is too long", p->options->state);
		return -1;
	}
	if (take_lock(p) == -1 || (!may_follow && refuse_follower(p) == -1))
		return -1;
	return read_before(p) == 0 ? take_number(p) : -1;
}

static void
end(struct publisher *p)
{
	if (p->lock != -1)
		close(p->lock);
	option_fini(site_options, site_options_n, &p->site);
	public_suffixes_free(p->suffixes);
	gate_close(p->gate);
	source_list_free(&p->list);
	for (size_t i = 0; i < p->n_sources; i++)
		publish_free_change(p->sources[i].change);
	spread_marks_fini(&p->marks);
	free(p->sources);
	free(p->domains);
	buf_fini(&p->protected);
	buf_fini(&p->pages);
	compiler_free(p->compiler);
	for (size_t i = 0; i < MANIFEST_LAYERS; i++)
		layer_put(p->layers[i]);
	manifest_fini(&p->before);
}

/* ---- writing ---- */

static int
write_site(struct publisher *p, struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];

	m->site.kind = SEGMENT_SITE;
	snprintf(m->site.name, sizeof(m->site.name), "site-%" PRIu64 ".seg", m->generation);
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, m->site.name);
	return site_write(&p->site, buf_slice(&p->protected), buf_slice(&p->pages), path, &m->site.len, m->site.sha256, p->diag);
}

/* PATH is M already: only the flush of its folder failed. */
static bool
is_in_place(const char *path, const struct manifest *m)
{
	struct manifest there;
	bool same = manifest_load(path, &there, NULL) == 0 && there.generation == m->generation;

	manifest_fini(&there);
	return same;
}

static int
write_manifest(struct publisher *p, const struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];
	struct buf text;
	int result = 0;

	buf_init(&text, MANIFEST_MAX);
	snprintf(path, sizeof(path), "%s/MANIFEST", p->rules_dir);
	if (manifest_format(m, &text) == -1) {
		result = publish_no_memory(p);
	} else if (file_write(path, buf_slice(&text), MODE_FILE) == -1) {
		const char *why = strerror(errno);

		result = is_in_place(path, m) ? 0 : -1;
		diag_add(p->diag, result == 0 ? DIAG_WARNING : DIAG_ERROR, path, 0, 0, "%s%s", why,
		    result == 0 ? "; it is in place, but may not survive a power cut: publish again" : "");
	}
	buf_fini(&text);
	return result;
}

/* Whoever writes in these folders holds the lock: what is half there was left by somebody who was killed. */
static void
clean_state(const struct publisher *p)
{
	static const char *const inside[] = { STATE_RULES, STATE_SOURCES, STATE_ALERTS };
	char path[STATE_PATH];

	file_clean(p->options->state);
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		if (state_path(p->options->state, inside[i], path) == 0)
			file_clean(path);
}

/* Make M live, keep it, and remove what neither it nor a kept one needs. */
static int
commit(struct publisher *p, const struct manifest *m, int64_t keep)
{
	/* Whoever made that one live may have been killed before it was kept. */
	if (p->before.generation != 0)
		keep_manifest(p->rules_dir, p->before.generation);
	if (write_manifest(p, m) == -1)
		return -1;
	if (keep_manifest(p->rules_dir, m->generation) == -1)
		diag_add(p->diag, DIAG_WARNING, p->rules_dir, 0, 0, "generation %" PRIu64 " cannot be kept for a rollback: %s",
		    m->generation, strerror(errno));
	keep_clean(p->rules_dir, (size_t)keep);
	clean_state(p);
	return 0;
}

/* Remove what a failed publish wrote, and nothing else: the MANIFEST that names the others may only be mislaid. */
static void
remove_own(const struct publisher *p, const struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];

	for (size_t i = 0; i < p->new_layer.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", p->rules_dir, p->new_layer.segments[i].name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, m->site.name);
	if (m->site.len > 0)
		unlink(path);
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, m->lookalike.name);
	if (p->made_lookalike)
		unlink(path);
}

static void
finish_gate(struct publisher *p)
{
	struct gate_counts counts = gate_counted(p->gate);

	gate_finish(p->gate, p->diag);
	p->report->held = counts.held;
	p->report->denied = counts.denied;
	p->report->approved = counts.approved;
	p->report->refused = counts.refused;
}

static int
write_generation(struct publisher *p)
{
	struct manifest m = { .generation = p->report->generation, .created = p->options->now, .context = p->context,
		.rolled_back = p->options->only != NULL ? p->before.rolled_back : 0 };
	int r = -1;

	/* A source that the new generation has is not read again: what is held of it is listed before, or never. */
	if (publish_name_layers(p, &m) == 0 && publish_lookalikes(p, &m) == 0 && write_site(p, &m) == 0 &&
	    gate_write_held(p->gate, p->diag) == 0)
		r = commit(p, &m, p->site.keep_generations);
	if (r == -1)
		remove_own(p, &m);
	manifest_fini(&m);
	return r;
}

/* After a rollback the sources say what was taken back. */
static int
refuse_rolled_back(struct publisher *p)
{
	if (p->before.rolled_back == 0 || p->options->forward || p->options->only != NULL || p->options->dry_run)
		return 0;
	diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "generation %" PRIu64 " is a rollback to %" PRIu64 ": mend the sources, then "
	    "\"firebreak publish --forward\" publishes them", p->before.generation, p->before.rolled_back);
	return -1;
}

int
publish(const struct publish_options *options, struct publish_report *report, struct diag *diag)
{
	struct publisher p = { .options = options, .report = report, .diag = diag };
	int result = -1;

	if (begin(&p, false) == 0 && refuse_rolled_back(&p) == 0) {
		publish_open_layers(&p, false);
		if (publish_read_all(&p) == 0 && publish_pages(&p) == 0 && publish_make_layer(&p) == 0) {
			finish_gate(&p);
			result = options->dry_run ? publish_lookalikes(&p, NULL) : write_generation(&p);
		}
	}
	end(&p);
	return result;
}

/* ---- going back ---- */

/* The kept generation NUMBER into OUT, which is to be freed; an empty one when it is not kept. */
static void
load_kept(const struct publisher *p, uint64_t number, struct manifest *out)
{
	char path[STATE_PATH + MANIFEST_NAME];

	snprintf(path, sizeof(path), "%s/MANIFEST.%" PRIu64, p->rules_dir, number);
	if (manifest_load(path, out, NULL) == -1)
		manifest_fini(out);
}

/* Which generation the kept one NUMBER goes back to; 0. */
static uint64_t
rolled_back_to(const struct publisher *p, uint64_t number)
{
	struct manifest m;
	uint64_t to;

	load_kept(p, number, &m);
	to = m.rolled_back;
	manifest_fini(&m);
	return to;
}

/* A is in the layers of B, from the oldest on, and perhaps in later ones. */
static bool
begins_like(const struct manifest_source *a, const struct manifest_source *b)
{
	size_t n = manifest_source_layers(b);
	bool like = manifest_source_layers(a) >= n;

	for (size_t i = 0; like && i < n; i++)
		like = manifest_source_layer(a, i) == manifest_source_layer(b, i);
	return like;
}

/* A and B have the same rules. */
static bool
same_rules(const struct manifest *a, const struct manifest *b)
{
	bool same = a->n_sources == b->n_sources;

	for (size_t i = 0; same && i < a->n_sources; i++) {
		const struct manifest_source *x = &a->sources[i], *y = &b->sources[i];

		same = strcmp(x->name, y->name) == 0 && x->stamp == y->stamp && begins_like(x, y) && begins_like(y, x);
	}
	return same;
}

/* Where the live generation stands among the others: what is a rollback and nothing else stands where it goes back to, which may be
 * one, too. */
static uint64_t
place_of_live(const struct publisher *p, uint64_t *rolled_back)
{
	uint64_t place = p->before.generation;
	bool further = true;

	for (*rolled_back = p->before.rolled_back; further && *rolled_back != 0 && *rolled_back < place;) {
		struct manifest m;

		load_kept(p, *rolled_back, &m);
		further = m.generation == *rolled_back && same_rules(&m, &p->before);
		if (further) {
			place = m.generation;
			*rolled_back = m.rolled_back;
		}
		manifest_fini(&m);
	}
	return place;
}

/* The kept generation before the live one.  What a rollback took back is none of them. */
static uint64_t
one_before(const struct publisher *p)
{
	uint64_t *list, number = 0, rolled_back, place = place_of_live(p, &rolled_back);
	int n = keep_list(p->rules_dir, &list);

	for (int i = 0; i < n && number == 0; i++)
		if (list[i] < place && (rolled_back == 0 || list[i] < rolled_back || rolled_back_to(p, list[i]) == rolled_back))
			number = list[i];
	free(list);
	return number;
}

static void
count_generation(struct publish_report *r, const struct generation *g)
{
	uint64_t n[ROW_COUNTS];

	generation_counts(g, n);
	publish_fill_counts(r, n);
	r->sources = generation_manifest(g)->n_sources;
	r->layers = generation_manifest(g)->n_layers;
}

/* Publish what G is once more. */
static int
republish(struct publisher *p, const struct generation *g)
{
	struct manifest m;
	int r;

	if (manifest_copy(generation_manifest(g), &m) == -1)
		return publish_no_memory(p);
	m.rolled_back = m.generation;
	m.generation = p->report->generation;
	m.created = p->options->now;
	count_generation(p->report, g);
	r = commit(p, &m, generation_site(g)->keep_generations);
	manifest_fini(&m);
	return r;
}

int
publish_rollback(const struct publish_options *options, uint64_t number, struct publish_report *report, struct diag *diag)
{
	struct publisher p = { .options = options, .report = report, .diag = diag };
	struct generation *g = NULL;
	int result = -1;

	if (begin(&p, true) == 0) {
		number = number == 0 ? one_before(&p) : number;
		if (number == 0)
			diag_add(diag, DIAG_ERROR, p.rules_dir, 0, 0, "no generation before %" PRIu64 " is kept", p.before.generation);
		else if ((g = generation_open_kept(p.rules_dir, number, true, diag)) == NULL)
			diag_add(diag, DIAG_ERROR, p.rules_dir, 0, 0, "generation %" PRIu64 " is not kept, or not whole: "
			    "\"firebreak rules list\" shows those that are", number);
		else
			result = options->dry_run ? 0 : republish(&p, g);
	}
	generation_close(g);
	end(&p);
	return result;
}

/* ---- making one layer of many ---- */

/* Copy the live sources of M that are OWNER's, by name. */
static int
copy_sources(struct publisher *p, const struct manifest *m, enum source_owner owner)
{
	for (size_t i = 0; i < m->n_sources; i++) {
		const struct manifest_source *s = &m->sources[i];
		struct slice name = slice_str(s->name);

		for (size_t j = 0; j < m->n_layers; j++) {
			if (m->layers[j].number != s->layer || publish_owner_of(p->layers[j], name) != owner)
				continue;
			if ((s->n_older > 0 ? publish_merge_source(p, s, 0) : publish_copy_source(p, p->layers[j], name)) == -1)
				return -1;
		}
	}
	return 0;
}

/* SOURCE, which begins with the layers of OLD, is in LAYER instead of these. */
static void
move_source(struct manifest_source *source, const struct manifest_source *old, uint64_t layer)
{
	uint64_t layers[MANIFEST_LAYERS];
	size_t n = 0;

	layers[n++] = layer;
	for (size_t i = manifest_source_layers(old); i < manifest_source_layers(source); i++)
		layers[n++] = manifest_source_layer(source, i);
	manifest_source_set(source, layers, n);
}

static bool
is_used(const struct manifest *m, uint64_t layer)
{
	for (size_t i = 0; i < m->n_sources; i++)
		if (manifest_source_is_in(&m->sources[i], layer))
			return true;
	return false;
}

/* M, with those of its sources that are still in the layers of BEFORE in the new layer instead.  That stands before all layers:
 * what changed in a source meanwhile stands behind it. */
static int
replace_layers(struct publisher *p, const struct manifest *before, struct manifest *m)
{
	struct manifest_layer kept[MANIFEST_LAYERS];
	size_t n = 1;

	for (size_t i = 0; i < m->n_sources; i++) {
		const struct manifest_source *old = manifest_source(before, slice_str(m->sources[i].name));

		if (old != NULL && begins_like(&m->sources[i], old))
			move_source(&m->sources[i], old, p->new_layer.number);
	}
	for (size_t i = 0; i < m->n_layers; i++)
		n += is_used(m, m->layers[i].number);
	if (n > MANIFEST_LAYERS) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "too much was published meanwhile: try again");
		return -1;
	}
	n = 1;
	for (size_t i = 0; i < m->n_layers; i++)
		if (is_used(m, m->layers[i].number))
			kept[n++] = m->layers[i];
	kept[0] = p->new_layer;
	memcpy(m->layers, kept, n * sizeof(*kept));
	m->n_layers = n;
	return 0;
}

/* Build the one layer.  The lock that was held while its number was taken is not. */
static int
build_compact(struct publisher *p)
{
	publish_open_layers(p, true);
	for (size_t i = 0; i < p->before.n_layers; i++)
		if (p->layers[i] == NULL) {
			diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "layer %" PRIu64 " is damaged or missing: run "
			    "\"firebreak publish\"", p->before.layers[i].number);
			return -1;
		}
	p->compiler = compiler_new(p->rules_dir, p->report->generation, COMPILER_MEMORY, p->diag);
	if (p->compiler == NULL)
		return -1;
	if (p->lock != -1)
		close(p->lock);
	p->lock = -1;
	for (enum source_owner owner = OWNER_SITE; owner < OWNERS; owner++)
		if (copy_sources(p, &p->before, owner) == -1)
			return -1;
	return compiler_write(p->compiler, &p->new_layer);
}

/* Put the layer in the place of those that it was made of, as they are now.  Under the lock nobody else removes segments, and
 * *BUSY, which is closed, would keep us from it. */
static int
commit_compact(struct publisher *p, int *busy)
{
	struct manifest before = p->before, m = { 0 };
	struct generation *g;
	int r = -1;

	p->before = (struct manifest){ 0 };
	if (take_lock(p) == 0) {
		close(*busy);
		*busy = -1;
	}
	if (p->lock != -1 && refuse_follower(p) == 0 && read_before(p) == 0 && take_number(p) == 0 && manifest_copy(&p->before, &m) == 0 &&
	    replace_layers(p, &before, &m) == 0) {
		m.generation = p->report->generation;
		m.created = p->options->now > m.created ? p->options->now : m.created;
		if ((g = generation_open(p->rules_dir, false, NULL, p->diag)) != NULL) {
			count_generation(p->report, g);
			p->report->layers = m.n_layers;
			r = commit(p, &m, generation_site(g)->keep_generations);
		}
		generation_close(g);
	}
	m.site.len = 0;		/* it is not ours to remove */
	if (r == -1)
		remove_own(p, &m);
	manifest_fini(&m);
	manifest_fini(&before);
	return r;
}

int
publish_compact(const struct publish_options *options, struct publish_report *report, struct diag *diag)
{
	struct publisher p = { .options = options, .report = report, .diag = diag };
	int busy = -1, result = -1;

	if (begin(&p, false) == 0) {
		if (p.before.generation == 0)
			diag_add(diag, DIAG_ERROR, p.rules_dir, 0, 0, "nothing was published yet");
		else if ((busy = keep_busy(p.rules_dir, report->generation)) == -1)
			diag_add(diag, DIAG_ERROR, p.rules_dir, 0, 0, "layers are being made one already: %s", strerror(errno));
		else if (build_compact(&p) == 0)
			result = commit_compact(&p, &busy);
	}
	if (busy != -1)
		close(busy);
	end(&p);
	return result;
}
