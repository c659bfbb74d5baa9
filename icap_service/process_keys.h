/* process_keys.h - the keys of pseudonyms in one process: read when they are first asked for, again when the file is another one.
 *
 * Any thread may call everything but _new and _free. */
#ifndef ICAP_SERVICE_PROCESS_KEYS_H
#define ICAP_SERVICE_PROCESS_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct process_keys;
struct pseudonyms;

/* Those of the folder STATE, which outlives the result.  NULL without memory, with which all others do nothing. */
struct process_keys *process_keys_new(const char *state);
void process_keys_free(struct process_keys *k);

/* The keys, or NULL.  NEEDED: the first one is made where there is none, and what is wrong is said.  A file that cannot be used is
 * looked at once a second; in between it costs no lock.  Borrowed until process_keys_free(). */
const struct pseudonyms *process_keys_get(struct process_keys *k, bool needed, int64_t now_ms);

/* There is a file, or it cannot be seen whether there is. */
bool process_keys_are_there(struct process_keys *k);

/* Once a second: take up a file that has changed.  One that is no good, or gone, is said; what was read before stays. */
void process_keys_refresh(struct process_keys *k);

#endif
