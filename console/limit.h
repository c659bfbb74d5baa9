/* limit.h - how often somebody may try: a bounded table of what was tried lately.
 *
 * Each key may try BURST times at once, and once more for each INTERVAL_MS that goes by (the generic cell rate algorithm: one
 * moment a key, which each try moves on).  When the table is full, the key that is nearest to being forgotten makes room.  Keys are
 * kept as keyed hashes, so that nobody can choose two that are one.  Moments are milliseconds of a clock that never goes back.  One
 * thread. */
#ifndef CONSOLE_LIMIT_H
#define CONSOLE_LIMIT_H

#include "base/slice.h"

enum { LIMITS_MAX = 2048 };

struct limits;

/* An empty table; NULL without memory or random numbers. */
struct limits *limits_new(void);
void limits_free(struct limits *l);

/* KEY tries at NOW_MS.  0: it may, and it counts.  Else the milliseconds that it has to wait, and this try does not count. */
int64_t limits_take(struct limits *l, struct slice key, unsigned burst, int64_t interval_ms, int64_t now_ms);

/* What KEY did cost COST_MS more than a try. */
void limits_charge(struct limits *l, struct slice key, int64_t cost_ms, int64_t now_ms);

/* KEY's last try was a good one, which does not count. */
void limits_forgive(struct limits *l, struct slice key, int64_t interval_ms);

#endif
