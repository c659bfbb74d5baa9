/* Any bytes as a pattern of STIX: what is said of it is within bounds, the same twice, and nothing when it is no pattern. */
#include <stdlib.h>

#include "feeds/stix_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	unsigned	n;
	size_t		bytes;
};

static int
visit(void *arg, const struct stix_alternative *a)
{
	struct seen *seen = arg;
	bool has_digest = false;

	seen->n++;
	seen->bytes += a->value.len + a->name.len + a->size.len;
	for (int i = 0; i < DIGEST_ALGS; i++) {
		has_digest = has_digest || a->hex[i].len > 0;
		seen->bytes += a->hex[i].len;
	}
	/* A file is one by a digest only, and nothing else has any. */
	if ((a->kind == STIX_FILE) != has_digest || (a->kind != STIX_FILE && a->size.len + a->name.len > 0))
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct stix_pattern *p = stix_pattern_new();
	struct stix_answer first, again;
	struct seen one = { 0, 0 }, two = { 0, 0 };

	if (p == NULL || stix_pattern_read(p, text, visit, &one, &first) != 0 || stix_pattern_read(p, text, visit, &two, &again) != 0)
		abort();
	if (one.n != two.n || one.bytes != two.bytes || first.why != again.why || first.unsaid != again.unsaid || first.at != again.at)
		abort();
	if (first.at > size || one.n + first.unsaid > STIX_ALTERNATIVES_MAX + 1 || (first.why != NULL && one.n + first.unsaid > 0))
		abort();
	if (first.why == NULL && one.n + first.unsaid == 0)
		abort();
	stix_pattern_free(p);
	return 0;
}
