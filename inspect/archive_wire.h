/* archive_wire.h - what worker and helper say to each other over a SOCK_SEQPACKET pair: fixed structs, one a packet.
 *
 *	worker                                     helper
 *	ORDER_WISH     what is wanted        ->
 *	ORDER_MORE N   there are N bytes     ->    works as far as it can
 *	                                     <-    REPORT_FINDING, REPORT_UNSCANNABLE, any number
 *	                                     <-    REPORT_NEED N: all that is complete below N has been reported
 *	ORDER_ENDED N  N are all             ->
 *	                                     <-    REPORT_DONE: nothing more will be found; also before the end
 *
 * A helper for archive_look_now() hears of the wish and of the end alone, with what is there by then.
 *
 * They take turns: the worker sends an order only when the helper waits for one.  Both ends are one build on one machine, so that
 * the structs travel as they are.  The worker believes nothing that comes back (archive.c). */
#ifndef INSPECT_ARCHIVE_WIRE_H
#define INSPECT_ARCHIVE_WIRE_H

#include "inspect/finding.h"

/* The helper's descriptors. */
enum { WIRE_SOCKET = 3, WIRE_SPOOL = 4, WIRE_FDS = 5 };

/* What the helper has used is given back to the disk when the spool is too long, but not the last bytes before its need: a reader
 * that wanted a whole block to see an end in it leaves that to the next one. */
enum { WIRE_KEPT = 4096 };

enum wire_order_type { ORDER_WISH = 1, ORDER_MORE, ORDER_ENDED };

struct wire_order {
	uint32_t		type;
	uint32_t		algs;		/* of a wish, as what follows but AVAILABLE */
	uint64_t		until;
	struct inspect_limits	limits;
	uint64_t		available;	/* bytes in the spool */
};

enum wire_report_type { REPORT_FINDING = 1, REPORT_NEED, REPORT_UNSCANNABLE, REPORT_DONE };

struct wire_report {
	uint32_t	type;
	uint32_t	reason;				/* of REPORT_UNSCANNABLE: enum unscannable */
	uint64_t	offset;				/* of REPORT_NEED */
	uint64_t	size;				/* the rest is of REPORT_FINDING */
	uint32_t	depth;
	uint32_t	name_len;
	uint8_t		digests[DIGEST_ALGS][DIGEST_MAX_LEN];	/* by algorithm; those of the wish count */
	char		name[FINDING_NAME_MAX];
};

#endif
