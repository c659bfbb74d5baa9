/* slots.h - who has a connection, so that whoever opens many takes nothing from anybody else.
 *
 * A network (an address, of IPv6 its /64) has SLOTS_EACH connections at most: one more ends its own oldest.  All together have
 * SLOTS_MAX: one more ends the oldest of the network that has the most.  So newcomers always come in, and who asks at once is
 * answered before it is his turn.  A connection also ends when it is older than SLOTS_LIFE_MS, whatever is going on in it.  One
 * thread. */
#ifndef CONSOLE_SLOTS_H
#define CONSOLE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"

enum { SLOTS_MAX = 1024, SLOTS_EACH = 64, SLOTS_ENDING = 128, SLOTS_LIFE_MS = 20 * 1000, SLOT_NET = 16, SLOT_BUCKETS = 256 };

struct slot {
	int	fd;			/* -1: free */
	int64_t	since_ms;
	uint8_t	net[SLOT_NET];
	uint8_t	bucket;			/* of NET */
	bool	is_shared;		/* a server that is trusted: many people behind one address */
	bool	is_ending;		/* it was shut down, and counts no more */
};

struct slots {
	struct slot	v[SLOTS_MAX + SLOTS_ENDING];
	size_t		n;			/* that count */
	uint16_t	buckets[SLOT_BUCKETS];	/* of networks, which are chosen by strangers: by a keyed hash */
	uint8_t		key[SIPHASH_KEY];
};

/* An empty table; -1 without random numbers. */
int slots_init(struct slots *s);

/* A connection FD from NET is there since NOW_MS.  Its slot, until slots_leave(); NULL when too many are ending just now.  *CUT
 * gets the descriptor of the connection that has to be shut down for it, or -1. */
struct slot *slots_take(struct slots *s, int fd, const uint8_t net[static SLOT_NET], bool is_shared, int64_t now_ms, int *cut);

/* The slot of FD, NULL when it has none. */
struct slot *slots_find(struct slots *s, int fd);
void slots_leave(struct slots *s, struct slot *slot);

/* One that is too old at NOW_MS, and is ending from now on: its descriptor, to be shut down; -1: there is none. */
int slots_expire(struct slots *s, int64_t now_ms);

#endif
