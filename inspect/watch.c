#include "inspect/watch.h"

#define SIGNATURE(lit)	{ lit, sizeof(lit) - 1 }

static const struct slice signatures[] = {
	SIGNATURE("PK\3\4"), SIGNATURE("7z\xbc\xaf\x27\x1c"), SIGNATURE("Rar!\x1a\x07"), SIGNATURE("MSCF"),
};

enum { N_SIGNATURES = sizeof(signatures) / sizeof(*signatures) };

/* Where the first signature in S begins; its length when there is none. */
static size_t
find_first(struct slice s)
{
	size_t first = s.len;

	for (size_t i = 0; i < N_SIGNATURES && s.len > 0; i++) {
		/* Only what lies before the best so far, and enough to end there. */
		struct slice where = slice_head(s, first + signatures[i].len - 1);
		const char *at = memmem(where.p, where.len, signatures[i].p, signatures[i].len);

		if (at != NULL)
			first = (size_t)(at - s.p);
	}
	return first;
}

/* Keep the end of what W has and BYTES. */
static void
keep_end(struct watch *w, struct slice bytes)
{
	size_t from_bytes = bytes.len < WATCH_KEPT ? bytes.len : WATCH_KEPT;
	size_t old = w->n < WATCH_KEPT - from_bytes ? w->n : WATCH_KEPT - from_bytes;

	memmove(w->kept, w->kept + w->n - old, old);
	if (from_bytes > 0)
		memcpy(w->kept + old, bytes.p + bytes.len - from_bytes, from_bytes);
	w->n = old + from_bytes;
}

bool
watch_push(struct watch *w, struct slice bytes, struct slice *kept, struct slice *rest)
{
	char joint[2 * WATCH_KEPT];
	size_t n = bytes.len < WATCH_KEPT ? bytes.len : WATCH_KEPT, at;

	memcpy(joint, w->kept, w->n);
	if (n > 0)
		memcpy(joint + w->n, bytes.p, n);
	at = find_first(slice_make(joint, w->n + n));
	if (at < w->n) {
		*kept = slice_make(w->kept + at, w->n - at);
		*rest = bytes;
		return true;
	}
	at = find_first(bytes);
	if (at < bytes.len) {
		*kept = (struct slice){ 0 };
		*rest = slice_skip(bytes, at);
		return true;
	}
	keep_end(w, bytes);
	return false;
}
