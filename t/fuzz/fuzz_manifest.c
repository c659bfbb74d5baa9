/* Any bytes as a MANIFEST, once as they are and once with the right sum put behind them.  What is accepted names plain files
 * only, each kind once a layer, sources in order and in layers that are there, each once and in their order, and written out it
 * reads back the same. */
#include <stdlib.h>

#include <openssl/evp.h>

#include "ruleset/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL || strlen(name) >= MANIFEST_NAME)
		abort();
}

static void
check_segments(const struct manifest *m)
{
	if (m->generation == 0 || m->created <= 0 || m->site.kind != SEGMENT_SITE || m->n_layers > MANIFEST_LAYERS)
		abort();
	check_name(m->site.name);
	for (size_t i = 0; i < m->n_layers; i++) {
		const struct manifest_layer *l = &m->layers[i];

		if (l->number == 0 || l->n > MANIFEST_SEGMENTS || manifest_layer(m, l->number) != l)
			abort();
		for (size_t k = 0; k < l->n; k++) {
			check_name(l->segments[k].name);
			if (l->segments[k].kind == SEGMENT_SITE || manifest_find(l, l->segments[k].kind) != &l->segments[k])
				abort();
		}
	}
}

/* A source is in layers that are there, in their order, each once. */
static void
check_layers(const struct manifest *m, const struct manifest_source *s)
{
	const struct manifest_layer *last = NULL;

	if (manifest_source_layers(s) > MANIFEST_LAYERS)
		abort();
	for (size_t i = 0; i < manifest_source_layers(s); i++) {
		const struct manifest_layer *layer = manifest_layer(m, manifest_source_layer(s, i));

		if (layer == NULL || (last != NULL && layer <= last) || !manifest_source_is_in(s, layer->number))
			abort();
		last = layer;
	}
	if (s->host_end < 0 || s->file_end < 0 || (!s->has_ends && (s->host_end != 0 || s->file_end != 0 || s->decided != 0)))
		abort();
}

static void
check_sources(const struct manifest *m)
{
	if (m->n_sources > MANIFEST_SOURCES)
		abort();
	for (size_t i = 0; i < m->n_sources; i++) {
		struct slice name = slice_str(m->sources[i].name);

		if (name.len == 0 || name.len > MANIFEST_NAME || name.p[0] == '.' || memchr(name.p, '/', name.len) != NULL)
			abort();
		if (manifest_source(m, name) != &m->sources[i])
			abort();
		check_layers(m, &m->sources[i]);
	}
}

static bool
is_same_segment(const struct manifest_segment *a, const struct manifest_segment *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 && a->len == b->len &&
	    memcmp(a->sha256, b->sha256, SEGMENT_SHA256) == 0;
}

static void
check_same(const struct manifest *a, const struct manifest *b)
{
	if (a->generation != b->generation || a->created != b->created || a->context != b->context ||
	    a->rolled_back != b->rolled_back || a->n_layers != b->n_layers || a->n_sources != b->n_sources ||
	    !is_same_segment(&a->site, &b->site) || !is_same_segment(&a->lookalike, &b->lookalike))
		abort();
	for (size_t i = 0; i < a->n_layers; i++) {
		if (a->layers[i].number != b->layers[i].number || a->layers[i].n != b->layers[i].n)
			abort();
		for (size_t k = 0; k < a->layers[i].n; k++)
			if (!is_same_segment(&a->layers[i].segments[k], &b->layers[i].segments[k]))
				abort();
	}
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct manifest_source *x = &a->sources[i], *y = &b->sources[i];

		if (strcmp(x->name, y->name) != 0 || x->layer != y->layer || x->rules != y->rules || x->stamp != y->stamp ||
		    x->n_older != y->n_older || memcmp(x->older, y->older, x->n_older * sizeof(*x->older)) != 0 ||
		    x->has_ends != y->has_ends || x->host_end != y->host_end || x->file_end != y->file_end || x->decided != y->decided)
			abort();
	}
}

/* Written out it may be longer than it was, and than a MANIFEST can be: a date has shorter forms, and the context may be
 * missing. */
static void
check_round_trip(const struct manifest *m)
{
	struct manifest again;
	struct buf text;

	buf_init(&text, 2 * MANIFEST_MAX);
	if (manifest_format(m, &text) == -1)
		abort();
	if (text.len <= MANIFEST_MAX) {
		if (manifest_parse("again", buf_slice(&text), &again, NULL) == -1)
			abort();
		check_same(m, &again);
		manifest_fini(&again);
	}
	buf_fini(&text);
}

static void
check(struct slice text)
{
	struct diag diag = { 0 };
	struct manifest m;
	int result = manifest_parse("input", text, &m, &diag);

	if (diag.n_errors != (result == -1 ? 1 : 0))
		abort();
	if (result == 0) {
		check_segments(&m);
		check_sources(&m);
		check_round_trip(&m);
	}
	manifest_fini(&m);
	diag_fini(&diag);
}

/* TEXT up to its line "end", with the sum that belongs there. */
static void
check_with_sum(struct slice text)
{
	size_t end = slice_search(text, SLICE("\nend "));
	uint8_t sum[SEGMENT_SHA256];
	struct buf whole;

	buf_init(&whole, 2 * MANIFEST_MAX);
	buf_add_slice(&whole, slice_head(text, end < text.len ? end : text.len));
	buf_add_char(&whole, '\n');
	if (!whole.failed && EVP_Digest(whole.p, whole.len, sum, NULL, EVP_sha256(), NULL) == 1) {
		buf_add_str(&whole, "end ");
		for (size_t i = 0; i < sizeof(sum); i++)
			buf_addf(&whole, "%02x", sum[i]);
		buf_add_char(&whole, '\n');
		check(buf_slice(&whole));
	}
	buf_fini(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);

	check(text);
	check_with_sum(text);
	return 0;
}
