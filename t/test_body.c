/* The hold-back: what may go, for every way of feeding and draining. */
#include "icap_service/body.h"
#include "t/tap.h"

enum { SMALL = 48, TAIL = 64, TOTAL = 200000, LARGE = 150000 };

static char
byte_at(uint64_t i)
{
	return (char)(i * 2654435761u >> 13);
}

/* Feed TOTAL bytes in pieces of IN and drain in pieces of OUT; the invariant after each step, the bytes at the end. */
static void
stream(size_t small, size_t tail, size_t in, size_t out)
{
	struct body *b = body_new(small, tail, 0, 0);
	char piece[5000], got[5000];
	uint64_t fed = 0, drained = 0;
	bool held = true, same = true;
	size_t n;

	while (drained < TOTAL) {
		size_t want = fed + in > TOTAL ? TOTAL - fed : in;

		for (size_t i = 0; i < want; i++)
			piece[i] = byte_at(fed + i);
		fed += body_put(b, slice_make(piece, want));
		body_judged(b, fed);
		if (fed > small)
			body_hold_tail(b);
		if (fed == TOTAL)
			body_release(b);
		n = body_get(b, got, out);
		for (size_t i = 0; i < n; i++)
			same = same && got[i] == byte_at(drained + i);
		drained += n;
		if (fed < TOTAL && drained > 0)
			held = held && body_seen(b) - body_sent(b) >= tail;
		if (fed <= small)
			held = held && drained == 0;
	}
	ok(same, "tail %zu, in pieces of %zu and %zu: the same bytes", tail, in, out);
	ok(held, "tail %zu, in pieces of %zu and %zu: the tail was always held", tail, in, out);
	ok(body_empty(b) && body_seen(b) == TOTAL && body_sent(b) == TOTAL, "tail %zu, in pieces of %zu and %zu: all of it", tail, in, out);
	body_free(b);
}

int
main(void)
{
	static const size_t pieces[] = { 1, 7, 4096, 5000 };
	struct body *b;
	char out[256];

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		for (size_t j = 0; j < sizeof(pieces) / sizeof(*pieces); j++)
			stream(SMALL, TAIL, pieces[i], pieces[j]);
	/* The ring grows while it is full, and while its content goes round its end. */
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		stream(LARGE, TAIL, pieces[i], 5000);
		stream(SMALL, LARGE, pieces[i], 4096);
		stream(20000, LARGE, pieces[i], 7);
	}

	b = body_new(SMALL, TAIL, 0, 0);
	body_put(b, SLICE("0123456789"));
	is_int((long long)body_get(b, out, sizeof(out)), 0, "held: nothing goes");
	body_hold_tail(b);
	is_int((long long)body_get(b, out, sizeof(out)), 0, "on the tail: shorter than the tail, nothing goes");
	body_release(b);
	is_int((long long)body_get(b, out, 4), 4, "free: as much as is asked for");
	body_hold_tail(b);
	is_int((long long)body_get(b, out, sizeof(out)), 6, "what was freed is not held again");
	ok(body_empty(b), "then it is empty");
	body_free(b);

	b = body_new(SMALL, TAIL, 0, 70000);
	{
		static char big[70000];

		is_int((long long)body_put(b, slice_make(big, sizeof(big))), sizeof(big), "room for a whole preview");
	}
	body_drop(b);
	ok(body_empty(b) && body_get(b, out, sizeof(out)) == 0, "dropped: nothing is left to go");
	body_free(b);
	body_free(NULL);
	return tap_done();
}
