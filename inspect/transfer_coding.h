/* transfer_coding.h - undoing base64 and quoted-printable (RFC 2045 6.7, 6.8) as a stream, in no memory but its own state.
 *
 * For the parts of a multipart body, whose Content-Transfer-Encoding only old clients set.  What is no base64 or quoted-printable
 * is damage, as receivers then differ in what they make of it.  Pure. */
#ifndef INSPECT_TRANSFER_CODING_H
#define INSPECT_TRANSFER_CODING_H

#include "base/slice.h"

enum { QUOTED_BLANKS_MAX = 256 };

/* Zeroed at the beginning. */
struct transfer {
	unsigned	bits;				/* base64: of the characters so far of four */
	unsigned	n_chars;
	char		blanks[QUOTED_BLANKS_MAX];	/* quoted-printable: they are none when the line ends behind them */
	size_t		n_blanks;
	char		escape[2];			/* what came behind "=" */
	size_t		n_escape;
	bool		in_escape, blank_in_escape;
};

enum transfer_step { TRANSFER_MORE, TRANSFER_END, TRANSFER_BAD };

/* The most that one byte can bring out: so much room is needed at least. */
enum { TRANSFER_ROOM = QUOTED_BLANKS_MAX + 1 };

/* Decode from *IN, which is moved on, into OUT until it has no room for one more byte of input; *N gets how many came out.
 * TRANSFER_END: base64 has ended with its padding, in front of what is left of *IN.  A byte comes out as soon as it is known, so
 * that padding may be missing.  MAX is TRANSFER_ROOM at least. */
enum transfer_step base64_step(struct transfer *t, struct slice *in, char *out, size_t max, size_t *n);
enum transfer_step quoted_step(struct transfer *t, struct slice *in, char *out, size_t max, size_t *n);

#endif
