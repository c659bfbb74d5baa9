/* history.h - which registrable domains people here go to: what looks like ours, and has long been used, is judged lower.
 *
 * Remembered in runtime/shared by a keyed hash of the domain, and of clients a bit in 64: nobody can read out of it who went
 * where. */
#ifndef ICAP_SERVICE_HISTORY_H
#define ICAP_SERVICE_HISTORY_H

#include "icap_service/txn.h"

/* T's request passes plainly: one in HISTORY_SAMPLE is noted, which is enough to see who is there for days. */
enum { HISTORY_SAMPLE = 8 };
void history_note(struct txn *t);

/* For struct question: ARG is the struct txn. */
bool history_is_known(void *arg, struct slice registrable);

#endif
