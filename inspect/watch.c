#include "inspect/watch.h"

#define SIGNATURE(lit)	{ lit, sizeof(lit) - 1 }

static const struct slice signatures[] = {
	SIGNATURE("PK\3\4"), SIGNATURE("7z\xbc\xaf\x27\x1c"), SIGNATURE("Rar!\x1a\x07"), SIGNATURE("MSCF"),
};

enum { N_SIGNATURES = sizeof(signatures) / sizeof(*signatures) };

enum { WINDOW = 4 };	/* bytes of the shortest signature */

/* Which of a signature's first four bytes a byte can be, the last place if several; 0: none.  So the next signature that it can be
 * part of ends WINDOW less that further on (Horspool, for several words at once: Navarro and Raffinot, Flexible Pattern Matching
 * in Strings, 3.3.1). */
#define PLACE(c)	[(uint8_t)(c)]
static const uint8_t places[256] = {
	PLACE('P') = 1, PLACE('7') = 1, PLACE('R') = 1, PLACE('M') = 1,
	PLACE('K') = 2, PLACE('z') = 2, PLACE('a') = 2, PLACE('S') = 2,
	PLACE('\3') = 3, PLACE('\xbc') = 3, PLACE('r') = 3, PLACE('C') = 3,
	PLACE('\4') = 4, PLACE('\xaf') = 4, PLACE('!') = 4, PLACE('F') = 4,
};

static bool
is_signature(struct slice s)
{
	for (size_t i = 0; i < N_SIGNATURES; i++)
		if (slice_starts(s, signatures[i]))
			return true;
	return false;
}

/* Where the first signature in S begins; its length when there is none. */
static size_t
find_first(struct slice s)
{
	const char *last, *end;

	if (s.len < WINDOW)
		return s.len;
	last = s.p + (WINDOW - 1);
	end = s.p + s.len;
	while (last < end) {
		size_t jump = WINDOW - places[(uint8_t)*last];

		if (jump == 0) {
			size_t at = (size_t)(last - s.p) - (WINDOW - 1);

			if (is_signature(slice_skip(s, at)))
				return at;
			jump = 1;
		}
		last += jump;
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
