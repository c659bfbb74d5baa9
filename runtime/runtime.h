/* runtime.h - one mapped file that all workers and the command share: small facts that change by the second.
 *
 * Created once at a fixed size, never truncated, renamed or replaced while anything runs.  It holds hints only: the MANIFEST
 * is the truth, and losing this file loses no rule and no event.  Everything is a slot of atomics without locks, so that a worker
 * that is killed in the middle blocks nobody; a reader that meets a slot being written sees it as empty.
 *
 * All functions may be called by any number of threads and processes at once. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <sys/types.h>

#include "base/diag.h"
#include "base/digest.h"

struct runtime;

/* Map STATE/runtime/shared, creating it (0660) when it is missing.  NULL with an error in DIAG: not writable, of another
 * version or size (removing it while nothing runs is the cure, and the message says so).  The caller's: runtime_close(). */
struct runtime *runtime_open(const char *state, struct diag *diag);
void runtime_close(struct runtime *r);

/* ---- the generation word: compared by every request ---- */
uint64_t runtime_generation(const struct runtime *r);
void runtime_set_generation(struct runtime *r, uint64_t generation);

/* ---- mode: the panic switch ---- */
enum mode { MODE_ENFORCE, MODE_OBSERVE, MODE_OFF };
const char *mode_name(enum mode m);
int mode_parse(struct slice word, enum mode *m);

/* The mode in force at NOW_MS: what was set, or enforce once its end is past.  UNTIL_MS (may be NULL) is 0 for "no end". */
enum mode runtime_mode(const struct runtime *r, int64_t now_ms, int64_t *until_ms);
void runtime_set_mode(struct runtime *r, enum mode m, int64_t until_ms);

/* ---- workers ---- */
enum { RUNTIME_WORKERS = 256 };

struct worker {
	pid_t	 pid;
	uint64_t generation;	/* what it judges by; 0 = none */
	int64_t	 heartbeat_ms;
	int64_t	 started_ms;
};

/* A slot for this process; its index, or -1 when all are taken by living processes.  Slots of dead ones are reused. */
int runtime_worker_join(struct runtime *r, pid_t pid, int64_t now_ms);
void runtime_worker_leave(struct runtime *r, int slot, pid_t pid);

/* SLOT uses GENERATION and was alive at NOW_MS.  A slot of -1 is fine. */
void runtime_worker_report(struct runtime *r, int slot, uint64_t generation, int64_t now_ms);

/* The workers whose process exists; at most MAX are stored; how many there are. */
size_t runtime_workers(const struct runtime *r, struct worker *out, size_t max);

/* ---- counters ---- */
enum counter {
#define COUNTER(name, help)	COUNTER_##name,
#include "runtime/counters.def"
#undef COUNTER
	COUNTERS
};
const char *counter_name(enum counter c);	/* "requests" */
const char *counter_help(enum counter c);
void runtime_count(struct runtime *r, enum counter c, uint64_t n);
uint64_t runtime_counter(const struct runtime *r, enum counter c);

/* The next number for incident ids: 15 bits, wrapping, starting at random. */
unsigned runtime_next_incident(struct runtime *r);

/* ---- kill memory: what a URL was when it was killed ---- */
enum { KILL_SLOTS = 4096, KILL_TTL_MS = 24 * 3600 * 1000 };

/* KEY is runtime_key() of the URL. */
void runtime_remember_kill(struct runtime *r, uint64_t key, uint64_t size, const struct digest *digest,
    int64_t now_ms);

/* A kill of KEY with that SIZE, not older than KILL_TTL_MS: its digest, to be judged anew by the rules of now. */
bool runtime_recall_kill(const struct runtime *r, uint64_t key, uint64_t size, int64_t now_ms, struct digest *digest);

/* ---- journal: what was let through, so that a cached copy can be met again after a new rule ---- */
enum { JOURNAL_SLOTS = 1 << 17, JOURNAL_LENGTHS = 4 };
#define JOURNAL_SIZE_UNKNOWN	UINT64_MAX

/* One length that a URL had when it was let through, and the generation that last had no objection to it. */
struct journal_entry {
	uint64_t size, generation;
};

/* One URL may have several copies in a cache (Vary), and an answer that is not kept does not replace the one that is: so
 * another SIZE of KEY is another entry. */
void runtime_journal_put(struct runtime *r, uint64_t key, uint64_t size, uint64_t generation, int64_t now_ms);

/* What is known of KEY, into OUT in no order; how many.  Two writers at once may have left one length twice. */
size_t runtime_journal_get(const struct runtime *r, uint64_t key, struct journal_entry out[static JOURNAL_LENGTHS]);

/* What is remembered of KEY will soon be asked for or stored: a hint to the processor. */
void runtime_expect(const struct runtime *r, uint64_t key);

/* A keyed hash (SipHash-2-4, key random at creation) of a URL as Squid wrote it: nobody outside can make two collide. */
uint64_t runtime_key(const struct runtime *r, struct slice url);

#endif
