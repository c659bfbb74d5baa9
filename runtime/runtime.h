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
#include "runtime/latency.h"

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

/* ---- latencies ---- */
enum latency_of {
#define LATENCY(name)	LATENCY_##name,
#include "runtime/latencies.def"
#undef LATENCY
	LATENCIES
};
const char *latency_name(enum latency_of of);	/* "reqmod" */

/* Where the times of OF are counted: latency_add(), latency_read().  Borrowed from R. */
struct latency *runtime_latency(const struct runtime *r, enum latency_of of);

/* For whoever writes the event log: event_log_share_end().  Borrowed from R. */
_Atomic uint64_t *runtime_log_end(const struct runtime *r);

/* The next number for incident ids: 15 bits, wrapping, starting at random. */
unsigned runtime_next_incident(struct runtime *r);

/* ---- kill memory: what a URL, or a representation of a site, was when it was killed ---- */
enum {
	KILL_SLOTS = 4096,
	KILL_TTL_MS = 24 * 3600 * 1000,
	KILL_TTL_UNSIZED_MS = 3600 * 1000,	/* of a kill whose length is unknown: no length limits what it is recalled for */
};
#define KILL_LENGTH_UNKNOWN	UINT64_MAX

/* What a kill is remembered by; each has keys of its own. */
enum kill_by {
	KILL_BY_URL,		/* the URL as Squid wrote it */
	KILL_BY_ETAG,		/* host, port and strong ETag: whatever the path and the query */
	KILL_BYS
};
const char *kill_by_name(enum kill_by by);	/* "url", "etag" */

/* SIZE and DIGEST are those of the listed thing and are judged anew; LENGTH is that of the whole response as it was sent, and a
 * response must have the same.  They differ when the listed thing was content-coded or a member of an archive. */
struct kill {
	enum kill_by	by;
	uint64_t	length;		/* or KILL_LENGTH_UNKNOWN */
	uint64_t	size;
	uint64_t	named;		/* what tells the rule, when it goes by a name; else 0 */
	struct digest	digest;		/* that the rule went by, or the first there is */
	size_t		n_more;
	struct digest	more[DIGEST_ALGS - 1];	/* the other ones of the same thing: an allow may go by any */
	int64_t		time_ms;	/* when */
};

/* KEY is runtime_key() of what KILL->by says. */
void runtime_remember_kill(struct runtime *r, uint64_t key, const struct kill *kill);

/* The last kill of KEY, as KILL->by and KILL->length say, into KILL.  False when none is remembered, or it was longer ago than
 * KILL_TTL_MS (KILL_TTL_UNSIZED_MS when the length is unknown).  An unknown length is no wildcard: it is its own. */
bool runtime_recall_kill(const struct runtime *r, uint64_t key, int64_t now_ms, struct kill *kill);

/* Every kill that is remembered at NOW_MS, at most MAX, into OUT in no order; how many there are.  Cost: the whole table. */
size_t runtime_kills(const struct runtime *r, int64_t now_ms, struct kill *out, size_t max);

/* Forget the kills of what has DIGEST, with NULL all of them and all of runtime_want_whole(); how many kills that were.  One that
 * is written meanwhile may stay or be lost. */
size_t runtime_forget_kills(struct runtime *r, const struct digest *digest);

/* ---- the URLs of which a part is not enough ---- */
enum { WHOLE_SLOTS = 4096, WHOLE_TTL_MS = 24 * 3600 * 1000 };

/* The next one who asks for a part of KEY is to be given the whole: something of it was killed or refused. */
void runtime_want_whole(struct runtime *r, uint64_t key, int64_t now_ms);
bool runtime_wants_whole(const struct runtime *r, uint64_t key, int64_t now_ms);

/* ---- who may go on to where, after a warning ---- */
enum { GRANT_SLOTS = 4096, RUNTIME_SECRET = 32 };

/* KEY, which is runtime_key() of client and host, may go on until UNTIL_MS. */
void runtime_grant(struct runtime *r, uint64_t key, int64_t now_ms, int64_t until_ms);
bool runtime_is_granted(const struct runtime *r, uint64_t key, int64_t now_ms);

/* ---- which sites people here go to, day by day ---- */
enum { VISIT_SLOTS = 1 << 14, VISIT_DAYS_KNOWN = 7, VISIT_CLIENTS_KNOWN = 5 };

/* CLIENT (a hash) went to KEY, runtime_key() of a registrable domain.  Costs a read when that is known already. */
void runtime_visit(struct runtime *r, uint64_t key, uint64_t client, int64_t now_ms);

/* Before today, KEY was gone to on VISIT_DAYS_KNOWN of the last 63 days, and by VISIT_CLIENTS_KNOWN clients: counted in a bitmap
 * of 64 (linear counting: Whang, Vander-Zanden and Taylor, 1990), which may miss some and never counts one twice. */
bool runtime_is_known(const struct runtime *r, uint64_t key, int64_t now_ms);

/* Bytes that nobody outside knows, random at creation: what the service signs with. */
void runtime_secret(const struct runtime *r, uint8_t out[static RUNTIME_SECRET]);

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

/* A keyed hash (SipHash-2-4, key random at creation) of TEXT, a URL as Squid wrote it or what else is remembered by: nobody outside
 * can make two collide. */
uint64_t runtime_key(const struct runtime *r, struct slice text);

#endif
