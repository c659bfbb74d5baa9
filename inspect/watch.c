#include "inspect/watch.h"

#define SIGNATURE(lit)	{ lit, sizeof(lit) - 1 }

static const struct slice signatures[] = {
	SIGNATURE("PK\3\4"), SIGNATURE("7z\xbc\xaf\x27\x1c"), SIGNATURE("Rar!\x1a\x07"), SIGNATURE("MSCF"),
};

enum { N_SIGNATURES = sizeof(signatures) / sizeof(*signatures) };

/* Sixteen bytes at once, in the compiler's own vectors: this is done for every byte of a program that is downloaded. */
enum { LANES = 16, STRIDE = 4 * LANES };
typedef uint8_t bytes16 __attribute__((vector_size(LANES)));
typedef uint64_t words2 __attribute__((vector_size(LANES)));

#define ALL(c)	((bytes16){ c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c })

/* In which of the sixteen places from P on the first two bytes of a signature stand. */
static inline bytes16
places(const char *p)
{
	bytes16 first, second;

	memcpy(&first, p, LANES);
	memcpy(&second, p + 1, LANES);
	return (bytes16)(((first == ALL('P')) & (second == ALL('K'))) | ((first == ALL('7')) & (second == ALL('z'))) |
	    ((first == ALL('R')) & (second == ALL('a'))) | ((first == ALL('M')) & (second == ALL('S'))));
}

/* A signature may begin in the STRIDE bytes from P on; one byte more is read. */
static bool
may_begin(const char *p)
{
	bytes16 hit = places(p) | places(p + LANES) | places(p + 2 * LANES) | places(p + 3 * LANES);
	words2 any;

	memcpy(&any, &hit, LANES);
	return (any[0] | any[1]) != 0;
}

static bool
is_signature(struct slice s)
{
	for (size_t i = 0; i < N_SIGNATURES; i++)
		if (s.p[0] == signatures[i].p[0] && slice_starts(s, signatures[i]))
			return true;
	return false;
}

/* Where the first signature in S begins; its length when there is none. */
static size_t
find_first(struct slice s)
{
	size_t at = 0;

	while (at < s.len) {
		if (s.len - at > STRIDE && !may_begin(s.p + at)) {
			at += STRIDE;
			continue;
		}
		for (size_t end = at + STRIDE; at < end && at < s.len; at++)
			if (is_signature(slice_skip(s, at)))
				return at;
	}
	return s.len;
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
