#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ruleset/publish_part.h"

/* Layers are kept few, and each at least FOLD_RATIO times as large as the one that comes after it, so that a rule is copied a
 * logarithmic number of times in its life; one up to FOLD_ALWAYS costs nothing to speak of and is folded at once. */
enum { LAYERS_WANTED = 8, FOLD_RATIO = 2, BYTES_A_RULE = 32 };
#define FOLD_ALWAYS	(UINT64_C(1) << 20)
#define FOLD_MOST	(UINT64_C(64) << 20)	/* what one publish copies, as long as there are few layers */

/* What BEFORE says of its sources fits the layers that could be opened. */
static bool
is_coherent(const struct publisher *p)
{
	for (size_t i = 0; i < p->before.n_sources; i++) {
		const struct manifest_source *s = &p->before.sources[i];

		for (size_t k = 0; k < p->before.n_layers; k++) {
			const struct layer *l = manifest_source_is_in(s, p->before.layers[k].number) ? p->layers[k] : NULL;
			size_t at = l == NULL ? 0 : rows_find(l->rows, slice_str(s->name));

			if (l != NULL && (at == rows_sources(l->rows) ||
			    rows_source(l->rows, at).delta != (manifest_source_layer(s, 0) != l->named.number)))
				return false;
		}
	}
	return true;
}

void
publish_open_layers(struct publisher *p, bool verify)
{
	for (size_t i = 0; i < p->before.n_layers; i++)
		if ((p->layers[i] = layer_open(p->rules_dir, &p->before.layers[i], verify, NULL)) == NULL)
			diag_add(p->diag, DIAG_WARNING, p->rules_dir, 0, 0, "layer %" PRIu64 " is damaged or missing: its sources are "
			    "read again", p->before.layers[i].number);
	p->distrust = !is_coherent(p);
	if (p->distrust)
		diag_add(p->diag, DIAG_WARNING, p->rules_dir, 0, 0, "the MANIFEST does not fit its layers: every source is read");
}

static uint64_t
layer_bytes(const struct manifest_layer *l)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < l->n; i++)
		bytes += l->segments[i].len;
	return bytes;
}

/* S is in layer I and stays there, unless that is folded into the new one. */
static bool
is_in(const struct publisher *p, const struct publish_source *s, size_t i)
{
	bool stays = !s->changed || (s->change != NULL && !s->change->whole && !s->kept);

	return stays && !s->dropped && s->before != NULL && manifest_source_is_in(s->before, p->before.layers[i].number);
}

/* Something of layer I is still wanted. */
static bool
is_alive(const struct publisher *p, size_t i)
{
	for (size_t k = 0; k < p->n_sources; k++)
		if (is_in(p, &p->sources[k], i))
			return true;
	return false;
}

/* Layer I has a source that stays there, as what it would become is held. */
static bool
keeps_held(const struct publisher *p, size_t i)
{
	for (size_t k = 0; k < p->n_sources; k++)
		if (p->sources[k].kept && manifest_source_is_in(p->sources[k].before, p->before.layers[i].number))
			return true;
	return false;
}

/* Some source of layer I is also in a later one that is not folded: what is folded must not come to stand behind that. */
static bool
is_followed(const struct publisher *p, size_t i)
{
	for (size_t k = 0; k < p->n_sources; k++)
		for (size_t later = i + 1; later < p->before.n_layers; later++)
			if (!p->folded[later] && is_in(p, &p->sources[k], i) && is_in(p, &p->sources[k], later))
				return true;
	return false;
}

/* The layers that S is in from the oldest to the newest, of BEFORE, into OUT; how many. */
static size_t
list_layers(const struct publisher *p, const struct publish_source *s, size_t out[static MANIFEST_LAYERS])
{
	size_t n = 0;

	for (size_t i = 0; i < p->before.n_layers; i++)
		if (is_in(p, s, i))
			out[n++] = i;
	return n;
}

/* How many of the N LAYERS of a source stay: the others are folded, and are the last ones. */
static size_t
count_staying(const struct publisher *p, const size_t *layers, size_t n)
{
	size_t stay = 0;

	while (stay < n && !p->folded[layers[stay]])
		stay++;
	return stay;
}

/* What the new layer's own sources come to, about. */
static uint64_t
bytes_read(const struct publisher *p)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < p->n_sources; i++) {
		const struct publish_source *s = &p->sources[i];

		if (s->change != NULL && !s->change->whole)
			bytes += s->kept ? 0 : s->change->n * BYTES_A_RULE;
		else if (s->changed)
			bytes += s->file->size;
	}
	return bytes;
}

/* S is written into the new layer whatever is folded. */
static bool
is_written(const struct publish_source *s)
{
	return s->changed && (s->change == NULL || (s->change->writes && !s->kept));
}

static bool
has_any(const struct publisher *p, bool (*is)(const struct publish_source *s))
{
	for (size_t i = 0; i < p->n_sources; i++)
		if (is(&p->sources[i]))
			return true;
	return false;
}

static bool
is_changed(const struct publish_source *s)
{
	return s->changed;
}

/* Which layers the new one takes in: from the newest on while they are not much larger than it, and the smallest ones while there
 * would be too many. */
static void
choose_folded(struct publisher *p)
{
	uint64_t size = bytes_read(p);
	size_t left = 0;

	for (size_t i = 0; i < p->before.n_layers; i++)
		left += is_alive(p, i);
	for (size_t i = p->before.n_layers; i-- > 0;) {
		uint64_t here = layer_bytes(&p->before.layers[i]);
		bool small = here <= FOLD_ALWAYS || (here <= FOLD_RATIO * size && size + here <= FOLD_MOST);

		if (!is_alive(p, i) || (!small && left < LAYERS_WANTED) || is_followed(p, i))
			continue;
		p->folded[i] = true;
		size += here;
		left--;
	}
}

bool
publish_is_as_rehearsed(const struct publisher *p, const struct publish_source *s)
{
	const struct manifest *m = p->options->rehearsed;
	const struct manifest_source *then = m == NULL ? NULL : manifest_source(m, s->name);

	if (m == NULL || (then != NULL && then->stamp == s->stamp))
		return true;
	diag_add(p->diag, DIAG_ERROR, s->file->path, 0, 0, "changed after the access logs were asked about it: publish again");
	return false;
}

/* The newest layer that had something of S; NULL when it could not be opened, or S is new. */
static const struct layer *
newest_of(const struct publisher *p, const struct publish_source *s)
{
	for (size_t i = 0; s->before != NULL && i < p->before.n_layers; i++)
		if (p->before.layers[i].number == s->before->layer)
			return p->layers[i];
	return NULL;
}

/* Read S as a whole, and ask whether it is still the list that it was. */
static int
compile_changed(struct publisher *p, struct publish_source *s)
{
	size_t errors = p->diag->n_errors;
	uint64_t before = row_counts_rules(p->counts), rules, counts[ROW_COUNTS];
	bool was_there = newest_of(p, s) != NULL;
	int r = 0;

	if (!publish_is_as_rehearsed(p, s))
		return -1;
	memcpy(counts, p->counts, sizeof(counts));
	if (p->compiler != NULL)
		r = publish_is_feed(s) ? compiler_feed(p->compiler, s->name, false) : compiler_source(p->compiler, s->name);
	if (r == -1 || publish_compile_source(p, s) == -1)
		return -1;
	rules = p->compiler != NULL ? compiler_rules(p->compiler) : row_counts_rules(p->counts) - before;
	/* What was there before must be there to stay. */
	if (was_there && !p->options->shrinks && !gate_admit_list(p->gate, s->name, s->file->path, s->file->stamp,
	    (size_t)s->before->rules, (size_t)rules, p->diag)) {
		s->kept = true;
		memcpy(p->counts, counts, sizeof(counts));
	}
	return p->diag->n_errors > errors ? -1 : 0;
}

/* Write what changed in S, which was read, if anything did, or if a layer of it is folded. */
static int
compile_change(struct publisher *p, struct publish_source *s)
{
	size_t layers[MANIFEST_LAYERS], n = list_layers(p, s, layers), stay = count_staying(p, layers, n);

	if (p->compiler == NULL || s->kept || (!s->change->writes && stay == n))
		return 0;
	return publish_write_spread(p, s->change->spread, stay, s->change->changes, s->change->counts);
}

/* S is as it was: what of it is folded is copied. */
static int
copy_folded(struct publisher *p, const struct publish_source *s)
{
	size_t layers[MANIFEST_LAYERS], n = list_layers(p, s, layers), stay = count_staying(p, layers, n);

	if (p->compiler == NULL || stay == n)
		return 0;
	return stay + 1 == n ? publish_copy_source(p, p->layers[layers[stay]], s->name) : publish_merge_source(p, s->before, stay);
}

enum source_owner
publish_owner_of(const struct layer *layer, struct slice name)
{
	size_t i = rows_find(layer->rows, name);
	struct rule rule;

	if (slice_starts(name, SLICE("alert-")))
		return OWNER_ALERT;
	return i < rows_sources(layer->rows) && rows_get(layer->rows, rows_source(layer->rows, i).first, NULL, &rule) == 0 &&
	    rule.local ? OWNER_SITE : OWNER_FEED;
}

int
publish_copy_source(struct publisher *p, const struct layer *layer, struct slice name)
{
	size_t i = rows_find(layer->rows, name);

	if (i < rows_sources(layer->rows))
		return compiler_copy(p->compiler, layer, i);
	diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "layer %" PRIu64 " has no source %.*s: \"firebreak publish --full\" "
	    "makes it anew", layer->named.number, SLICE_ARGS(name));
	return -1;
}

/* Compile S, if it is new or its layer is folded. */
static int
compile_source(struct publisher *p, struct publish_source *s)
{
	if (s->changed)
		return s->change != NULL ? compile_change(p, s) : compile_changed(p, s);
	if (!s->dropped && gate_keep(p->gate, s->name, p->diag) == -1)
		return -1;
	return copy_folded(p, s);
}

/* Compile the sources that are new and those of the folded layers, by owner and name; all of them, so that every error is told. */
static int
compile_sources(struct publisher *p)
{
	int result = 0;

	for (enum source_owner owner = OWNER_SITE; owner < OWNERS; owner++)
		for (size_t i = 0; i < p->n_sources; i++)
			if (p->sources[i].owner == owner && compile_source(p, &p->sources[i]) == -1)
				result = -1;
	return result;
}

/* Of a source that is not read, or not even looked at, its layer tells whose it is. */
static void
name_owners(struct publisher *p)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		struct publish_source *s = &p->sources[i];
		const struct layer *layer = s->changed || s->dropped ? NULL : newest_of(p, s);

		if (layer != NULL)
			s->owner = publish_owner_of(layer, s->name);
	}
}

/* A source of a layer that could not be opened is read again. */
static void
reread_lost(struct publisher *p)
{
	for (size_t i = 0; i < p->n_sources; i++)
		for (size_t k = 0; k < p->before.n_layers; k++)
			if (p->layers[k] == NULL && p->sources[i].file != NULL && is_in(p, &p->sources[i], k))
				p->sources[i].changed = true;
}

/* A layer that could not be opened may not be kept. */
static int
refuse_lost(struct publisher *p)
{
	for (size_t i = 0; i < p->before.n_layers; i++)
		if (p->layers[i] == NULL && is_alive(p, i)) {
			diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "layer %" PRIu64 " is damaged or missing: run \"firebreak publish\"",
			    p->before.layers[i].number);
			return -1;
		}
	return 0;
}

/* ---- counting ---- */

static void
add_counts(uint64_t out[static ROW_COUNTS], const struct row_source *s)
{
	for (int k = 0; k < ROW_COUNTS; k++)
		out[k] += s->counts[k];
}

void
publish_fill_counts(struct publish_report *r, const uint64_t n[static ROW_COUNTS])
{
	r->hosts = n[COUNT_HOSTS];
	r->urls = n[COUNT_URLS];
	r->paths = n[COUNT_PATTERNS];
	r->addresses = n[COUNT_ADDRESSES];
	r->protects = n[COUNT_PROTECTS];
	r->exceptions = n[COUNT_EXCEPTIONS];
	r->files = n[COUNT_NAMES];
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		r->files += n[COUNT_FILES + alg];
		r->sizeless += n[COUNT_SIZELESS + alg];
	}
	r->rules = r->hosts + r->urls + r->paths + r->addresses + r->protects + r->files + r->exceptions;
}

/* What S has, as its newest layer says. */
static void
count_kept(const struct publisher *p, const struct publish_source *s, uint64_t out[static ROW_COUNTS])
{
	const struct layer *layer = s->dropped ? NULL : newest_of(p, s);
	const struct rows *rows = layer == NULL ? NULL : layer->rows;

	for (size_t i = 0; rows != NULL && i < rows_sources(rows); i++) {
		struct row_source there = rows_source(rows, i);

		if (slice_eq(there.name, s->name))
			add_counts(out, &there);
	}
}

static void
count_all(struct publisher *p)
{
	struct publish_report *r = p->report;

	for (size_t i = 0; i < p->n_sources; i++) {
		const struct publish_source *s = &p->sources[i];

		r->sources += !s->dropped;
		r->changed += s->changed;
		if (!s->changed || s->kept)
			count_kept(p, s, p->counts);
		for (int k = 0; s->change != NULL && !s->kept && k < ROW_COUNTS; k++)
			p->counts[k] += s->change->counts[k];
	}
	for (size_t i = 0; p->compiler != NULL && i < compiler_sources(p->compiler); i++) {
		struct row_source s = compiler_get_source(p->compiler, i);

		for (size_t k = 0; k < p->n_sources; k++)
			if (p->sources[k].changed && !p->sources[k].kept && p->sources[k].change == NULL && slice_eq(p->sources[k].name, s.name))
				add_counts(p->counts, &s);
	}
	publish_fill_counts(r, p->counts);
}

/* ---- the layer ---- */

/* Every request pays for patterns, every response for names, and a reader takes no more exceptions: they are few in all. */
static int
check_patterns(struct publisher *p)
{
	uint64_t regexes = p->counts[COUNT_REGEXES], all = p->counts[COUNT_PATTERNS];

	if (p->counts[COUNT_NAMES] > NAMES_MAX) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "%" PRIu64 " file rules go by a name: at most %d are possible in all sources "
		    "together", p->counts[COUNT_NAMES], NAMES_MAX);
		return -1;
	}
	if (p->counts[COUNT_EXCEPTIONS] > EXCEPTIONS_MAX) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "%" PRIu64 " exceptions: at most %d are possible in all sources together; "
		    "those that have expired may go", p->counts[COUNT_EXCEPTIONS], EXCEPTIONS_MAX);
		return -1;
	}
	if (all <= PATTERNS_MAX && regexes <= PATTERN_REGEXES_MAX)
		return 0;
	diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "%" PRIu64 " path rules, %" PRIu64 " of them regular expressions: at most %d "
	    "and %d are possible in all sources together", all, regexes, PATTERNS_MAX, PATTERN_REGEXES_MAX);
	return -1;
}

/* Nothing is read: what was held still is, but for the sources that went. */
static int
keep_held(struct publisher *p)
{
	for (size_t i = 0; i < p->n_sources; i++)
		if (!p->sources[i].dropped && gate_keep(p->gate, p->sources[i].name, p->diag) == -1)
			return -1;
	count_all(p);
	return 0;
}

int
publish_make_layer(struct publisher *p)
{
	bool writes;
	int result = 0;

	reread_lost(p);
	if (refuse_lost(p) == -1)
		return -1;
	if (!has_any(p, is_changed))
		return keep_held(p);
	name_owners(p);
	if (publish_read_changes(p) == -1)
		result = -1;
	writes = has_any(p, is_written);
	if (writes)
		choose_folded(p);
	if (writes && result == 0 && !p->options->dry_run &&
	    (p->compiler = compiler_new(p->rules_dir, p->report->generation, COMPILER_MEMORY, p->diag)) == NULL)
		return -1;
	if (compile_sources(p) == -1 || result == -1)
		return -1;
	count_all(p);
	if (check_patterns(p) == -1)
		return -1;
	p->report->layers = writes;
	for (size_t i = 0; i < p->before.n_layers; i++)
		p->report->layers += (is_alive(p, i) && !p->folded[i]) || keeps_held(p, i);
	return p->compiler == NULL ? 0 : compiler_write(p->compiler, &p->new_layer);
}

/* Source I of the compiler may be S. */
static void
count_named(const struct publisher *p, size_t i, const struct publish_source *s, struct manifest_source *named)
{
	struct row_source there = compiler_get_source(p->compiler, i);

	if (slice_eq(there.name, s->name))
		named->rules = row_source_rules(&there);
}

/* Let NAMED be in those of the layers of S that stay, and in the new one if it has something of it. */
static void
name_source_layers(const struct publisher *p, const struct publish_source *s, struct manifest_source *named)
{
	size_t layers[MANIFEST_LAYERS], n = list_layers(p, s, layers), stay = count_staying(p, layers, n);
	uint64_t numbers[MANIFEST_LAYERS + 1];

	for (size_t i = 0; i < stay; i++)
		numbers[i] = p->before.layers[layers[i]].number;
	if (stay < n || is_written(s))
		numbers[stay++] = p->new_layer.number;
	manifest_source_set(named, numbers, stay);
}

/* What NAMED, of the feed S that was read, says beside. */
static void
name_ends(const struct publish_source *s, struct manifest_source *named)
{
	named->has_ends = publish_is_feed(s);
	if (!named->has_ends)
		return;
	named->host_end = s->ends.hosts.known ? s->ends.hosts.at : 0;
	named->file_end = s->ends.files.known ? s->ends.files.at : 0;
	named->decided = s->decided;
}

static struct manifest_source
name_changed(const struct publisher *p, const struct publish_source *s)
{
	struct manifest_source named = { .stamp = s->stamp };

	memcpy(named.name, s->name.p, s->name.len);
	if (s->change != NULL)
		named.rules = row_counts_rules(s->change->counts);
	for (size_t i = 0; s->change == NULL && i < compiler_sources(p->compiler); i++)
		count_named(p, i, s, &named);
	name_source_layers(p, s, &named);
	name_ends(s, &named);
	return named;
}

static int
name_source(struct publisher *p, const struct publish_source *s, struct manifest *m)
{
	struct manifest_source named;

	if (s->dropped)
		return 0;
	if (s->kept) {
		named = *s->before;
		named.stamp = s->stamp;
	} else if (s->changed) {
		named = name_changed(p, s);
	} else {
		named = *s->before;
		name_source_layers(p, s, &named);
	}
	if (manifest_add_source(m, &named) == 0)
		return 0;
	if (errno != E2BIG)
		return publish_no_memory(p);
	diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "more than %d sources: join some", MANIFEST_SOURCES);
	return -1;
}

int
publish_name_layers(struct publisher *p, struct manifest *m)
{
	for (size_t i = 0; i < p->before.n_layers; i++)
		if ((is_alive(p, i) && !p->folded[i]) || keeps_held(p, i))
			m->layers[m->n_layers++] = p->before.layers[i];
	if (p->new_layer.number != 0 && m->n_layers == MANIFEST_LAYERS) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "too many layers have lists that are held: \"firebreak held\" shows them");
		return -1;
	}
	if (p->new_layer.number != 0)
		m->layers[m->n_layers++] = p->new_layer;
	for (size_t i = 0; i < p->n_sources; i++)
		if (name_source(p, &p->sources[i], m) == -1)
			return -1;
	p->report->layers = m->n_layers;
	return 0;
}
