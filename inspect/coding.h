/* coding.h - undoing Content-Encoding (RFC 9110 8.4.1), and the transfer codings of parts, as a stream, as the clients do it: in
 * bounded memory, and no stricter than they are.
 *
 *	as sent --gzip--> --br--> decoded		"Content-Encoding: br, gzip": the last one named is undone first
 *
 * "gzip" may be zlib, as some clients let it.  What a check sum at the end of gzip says is ignored, as browsers ignore it, and so
 * is what follows the end of a stream when it is no further one.  "deflate" is zlib (RFC 1950) or bare deflate (RFC 1951): clients
 * try both, so do we.  zstd windows beyond 8 MiB (RFC 9659) and dictionaries are refused.  A decoder belongs to one thread. */
#ifndef INSPECT_CODING_H
#define INSPECT_CODING_H

#include "inspect/finding.h"

/* The last two are no content codings but transfer codings (RFC 2045 6) of a part: codings_add() knows them not. */
enum coding { CODING_GZIP, CODING_DEFLATE, CODING_BR, CODING_ZSTD, CODING_BASE64, CODING_QUOTED };

enum { CODINGS_MAX = 4 };

/* What Content-Encoding said. */
struct codings {
	size_t		 n;
	enum coding	 list[CODINGS_MAX];	/* in the order applied, as written */
	enum unscannable fault;			/* UNSCANNABLE_CODING or _CODINGS: the list is of no use */
};

/* Add the codings in the header's value VALUE; "identity" and empty items are none.  Pure. */
void codings_add(struct codings *c, struct slice value);

/* Add the transfer coding of a part, as its Content-Transfer-Encoding says: base64 or quoted-printable; 7bit, 8bit and binary are
 * none.  Pure. */
void codings_add_transfer(struct codings *c, struct slice value);

struct decoder;

enum decoded {
	DECODED_MORE,		/* BYTES came out */
	DECODED_END,		/* BYTES, which may be empty, and a coded stream ended behind them */
	DECODED_FIRST,		/* the same, and it was the first of its coding: some clients take what came out for all */
	DECODED_RESTART,	/* all that came out was wrong (zlib that was bare deflate): it begins anew */
};

/* What comes out.  False stops the decoder for good. */
typedef bool decoder_sink(void *arg, struct slice bytes, enum decoded what);

/* A decoder for CODINGS, which has at least one and no fault.  NULL without memory.  The caller's: decoder_free(). */
struct decoder *decoder_new(const struct codings *c, const struct inspect_limits *limits, decoder_sink *sink, void *arg);
void decoder_free(struct decoder *d);

/* Decode the next bytes; SINK is called as often as it takes.  The answer is what of them is no part of the outermost coding: it
 * follows its end, or made no sense. */
struct slice decoder_push(struct decoder *d, struct slice bytes);

/* Nothing more will come out: the streams are at their ends with something else behind them, damaged, stopped, or a limit was
 * reached. */
bool decoder_done(const struct decoder *d);

/* Why not all of it came out: UNSCANNABLE_NO, _DAMAGED, _RATIO, _BYTES.  A stream that merely breaks off is none of these. */
enum unscannable decoder_fault(const struct decoder *d);

/* What SENT, the beginning of a body, begins with once CODINGS are undone: in OUT, at most MAX bytes; SENT itself when there
 * are no codings or nothing comes out.  For a look at the type. */
struct slice decode_start(const struct codings *c, struct slice sent, char *out, size_t max);

#endif
