/* model.h - a truthful origin: one representation, ranges of it, and what of it each byte of an answer is.  RFC 9110 13, 14.
 * One thread. */
#ifndef T_PROPERTY_MODEL_H
#define T_PROPERTY_MODEL_H

#include "t/replay/icap.h"

enum framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE, FRAMINGS };
const char *framing_name(enum framing f);

struct representation {
	struct slice	 body;
	const char	*type;		/* Content-Type; NULL: none */
	const char	*encoding;	/* Content-Encoding; "": none */
	const char	*etag;		/* with its quotes; "": none */
	enum framing	 framing;
};

/* LEN bytes of an answer from AT on are those of the representation from FROM on. */
struct segment {
	size_t at, from, len;
};

enum { MODEL_RANGES = 4 };

struct answer {
	struct message	m;		/* a head, and the body without reads */
	int		status;		/* 200, 206, 416 */
	struct segment	segments[MODEL_RANGES];
	size_t		n_segments;
};

/* Answer the request whose head is REQUEST.  The caller's: answer_fini(). */
void model_answer(const struct representation *r, struct slice request, struct answer *out);
void answer_fini(struct answer *a);

#endif
