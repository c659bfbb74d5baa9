/* Any bytes as a MANIFEST, once as they are and once with the right sum put behind them.  What is accepted names plain files
 * only, each kind once, and written out it reads back the same. */
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
	if (m->generation == 0 || m->created <= 0 || m->n > MANIFEST_SEGMENTS)
		abort();
	for (size_t i = 0; i < m->n; i++) {
		check_name(m->segments[i].name);
		if (manifest_find(m, m->segments[i].kind) != &m->segments[i])
			abort();
	}
}

static void
check_round_trip(const struct manifest *m)
{
	struct manifest again;
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	if (manifest_format(m, &text) == -1 || manifest_parse("again", buf_slice(&text), &again, NULL) == -1)
		abort();
	if (again.generation != m->generation || again.created != m->created || again.n != m->n)
		abort();
	for (size_t i = 0; i < m->n; i++) {
		const struct manifest_segment *a = &m->segments[i], *b = &again.segments[i];

		if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || a->len != b->len ||
		    memcmp(a->sha256, b->sha256, SEGMENT_SHA256) != 0)
			abort();
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
		check_round_trip(&m);
	}
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
