/* The file, all numbers in this machine's byte order:
 *
 *	header | generation, mode, incident | counters | latencies | workers | kill memory | wanted whole | grants | visits | journal
 *
 * The tables are 4-way sets of sealed slots: words that are followed by a keyed hash over them.
 * Nobody locks a slot and nobody waits.  A slot that a writer was killed in, that two writers mixed,
 * or that is being written has a seal that does not fit, and is empty to every reader; a writer
 * uses it when it is the oldest of its set.  A damaged file can so lose hints, but it cannot make any: the only numbers used
 * as an index are computed here, never read. */
#include "runtime/runtime.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/siphash.h"
#include "runtime/state.h"

enum {
	LAYOUT = 6,		/* rises with every change of struct shared */
	FILE_MODE = 0660,
	FOLDER_MODE = 02775,
	COUNTER_ROOM = 64,	/* counters may be added without a new layout */
	LATENCY_ROOM = 8,	/* and so may these */
	WAYS = 4,
	INCIDENT_BITS = 15,
	MODE_BITS = 2,
	CACHE_LINE = 64,
	DAY_MS = 24 * 3600 * 1000,
	FUTURE_MS = 24 * 3600 * 1000,	/* transactions and clocks differ, but not by a day */
	PID_BITS = 24,		/* Linux stops at 22 */
	STAT_MAX = 1024,
	STAT_BIRTH = 22 - 2,	/* starttime in /proc/PID/stat, counted from behind the name */
};

#define OTHER_VERSION	"of another version or size, or damaged; remove it while no worker runs"
#define MAGIC	UINT64_C(0x314e55524b524246)	/* "FBRKRUN1" on a little-endian machine */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "slots in shared memory need atomics without locks");
_Static_assert((int)JOURNAL_LENGTHS == (int)WAYS, "a set has room for what is known of one URL");
_Static_assert((int)COUNTERS <= (int)COUNTER_ROOM, "raise COUNTER_ROOM and LAYOUT");
_Static_assert((int)LATENCIES <= (int)LATENCY_ROOM, "raise LATENCY_ROOM and LAYOUT");

enum {
	KILL_KEY, KILL_TIME, KILL_LENGTH, KILL_BY, KILL_SIZE, KILL_NAMED, KILL_ALG, KILL_ALGS, KILL_BYTES,
	KILL_SEAL = KILL_BYTES + DIGEST_ALGS * (DIGEST_MAX_LEN / sizeof(uint64_t)), KILL_WORDS
};
enum { JOURNAL_KEY, JOURNAL_TIME, JOURNAL_SIZE, JOURNAL_GENERATION, JOURNAL_SEAL, JOURNAL_WORDS };
enum { WHOLE_KEY, WHOLE_TIME, WHOLE_SEAL, WHOLE_WORDS };
enum { VISIT_KEY, VISIT_TIME, VISIT_DAYS, VISIT_CLIENTS, VISIT_SEAL, VISIT_WORDS };
enum { GRANT_KEY, GRANT_TIME, GRANT_UNTIL, GRANT_SEAL, GRANT_WORDS };
enum { SLOT_KEY, SLOT_TIME, SLOT_MAX = KILL_WORDS };	/* what all kinds have in the same place */

struct worker_slot {
	_Atomic uint64_t owner;		/* birth << PID_BITS | pid; 0 = free */
	_Atomic uint64_t generation;
	_Atomic int64_t	 heartbeat_ms;
	_Atomic int64_t	 started_ms;
};

struct shared {
	_Atomic uint64_t	magic;		/* stored last */
	uint64_t		layout;
	uint64_t		size;
	uint8_t			key[SIPHASH_KEY], secret[RUNTIME_SECRET];
	_Atomic uint64_t	generation;
	_Atomic uint64_t	mode;		/* until_ms << MODE_BITS | mode: both change at once */
	_Atomic uint64_t	incident;
	_Atomic uint64_t	counters[COUNTER_ROOM];
	_Atomic uint64_t	log_end;	/* where there was a gap: no new layout */
	_Alignas(CACHE_LINE) struct latency latencies[LATENCY_ROOM];
	struct worker_slot	workers[RUNTIME_WORKERS];
	_Atomic uint64_t	kills[KILL_SLOTS][KILL_WORDS];
	_Atomic uint64_t	whole[WHOLE_SLOTS][WHOLE_WORDS];
	_Atomic uint64_t	grants[GRANT_SLOTS][GRANT_WORDS];
	_Atomic uint64_t	visits[VISIT_SLOTS][VISIT_WORDS];
	_Atomic uint64_t	journal[JOURNAL_SLOTS][JOURNAL_WORDS];
};

struct runtime {
	struct shared	*map;
	uint8_t		 key[SIPHASH_KEY];	/* a copy: one process never changes its mind */
};

/* ---- opening ---- */

/* Fill a file that is new, or whose creator did not come to the end.  Called with the file locked. */
static int
create(int fd, struct shared *map)
{
	uint64_t incident;

	/* This fails for a file that another user left empty; its mode is then as that user wants it. */
	fchmod(fd, FILE_MODE);
	if (getrandom(map->key, sizeof(map->key), 0) != (ssize_t)sizeof(map->key) ||
	    getrandom(map->secret, sizeof(map->secret), 0) != (ssize_t)sizeof(map->secret) ||
	    getrandom(&incident, sizeof(incident), 0) != (ssize_t)sizeof(incident))
		return -1;
	map->layout = LAYOUT;
	map->size = sizeof(*map);
	atomic_store(&map->incident, incident);
	atomic_store(&map->magic, MAGIC);
	return 0;
}

static int
fault(struct diag *diag, const char *path, const char *text)
{
	diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", text);
	return -1;
}

/* Bring the file to its size.  Blocks are taken now: a hole that cannot be filled later, on a full
 * disk, would kill the worker that writes to it. */
static int
prepare_size(int fd, const char *path, struct diag *diag)
{
	uint64_t magic = 0;
	struct stat st;
	int error;

	if (fstat(fd, &st) == -1)
		return fault(diag, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault(diag, path, "not a file");
	if (st.st_size == (off_t)sizeof(struct shared))
		return 0;
	if (pread(fd, &magic, sizeof(magic), 0) == -1)
		return fault(diag, path, strerror(errno));
	if (magic != 0 || st.st_size > (off_t)sizeof(struct shared))
		return fault(diag, path, OTHER_VERSION);
	if ((error = posix_fallocate(fd, 0, (off_t)sizeof(struct shared))) != 0)
		return fault(diag, path, strerror(error));
	return 0;
}

static struct shared *
map_shared(int fd, const char *path, struct diag *diag)
{
	struct shared *map;

	if (prepare_size(fd, path, diag) == -1)
		return NULL;
	map = mmap(NULL, sizeof(*map), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fault(diag, path, strerror(errno));
		return NULL;
	}
	if (atomic_load(&map->magic) == 0 && create(fd, map) == -1)
		fault(diag, path, strerror(errno));
	else if (atomic_load(&map->magic) != MAGIC || map->layout != LAYOUT ||
	    map->size != sizeof(*map))
		fault(diag, path, OTHER_VERSION);
	else
		return map;
	munmap(map, sizeof(*map));
	return NULL;
}

/* The file, open and locked against others who open it.  The folder is made when only it is
 * missing. */
static int
open_locked(const char *state, const char *path)
{
	char folder[STATE_PATH];
	int fd;

	if (state_path(state, STATE_RUNTIME, folder) == -1)
		return -1;
	if (mkdir(folder, FOLDER_MODE) == 0 && chmod(folder, FOLDER_MODE) == -1)
		return -1;
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE)) == -1)
		return -1;
	if (file_lock(fd) == 0)
		return fd;
	close(fd);
	return -1;
}

struct runtime *
runtime_open(const char *state, struct diag *diag)
{
	struct runtime *r;
	char path[STATE_PATH];
	int fd;

	if (state_path(state, STATE_SHARED, path) == -1) {
		diag_error(diag, "%s: %s", state, strerror(errno));
		return NULL;
	}
	if ((fd = open_locked(state, path)) == -1) {
		fault(diag, path, strerror(errno));
		return NULL;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		fault(diag, path, "out of memory");
	else if ((r->map = map_shared(fd, path, diag)) == NULL) {
		free(r);
		r = NULL;
	} else
		memcpy(r->key, r->map->key, sizeof(r->key));
	flock(fd, LOCK_UN);		/* the mapping would keep it beyond close() */
	close(fd);
	return r;
}

void
runtime_close(struct runtime *r)
{
	if (r == NULL)
		return;
	munmap(r->map, sizeof(*r->map));
	free(r);
}

/* ---- single words ---- */

uint64_t
runtime_generation(const struct runtime *r)
{
	return atomic_load(&r->map->generation);
}

void
runtime_set_generation(struct runtime *r, uint64_t generation)
{
	atomic_store(&r->map->generation, generation);
}

static const char *const mode_names[] = {
	[MODE_ENFORCE] = "enforce", [MODE_OBSERVE] = "observe", [MODE_OFF] = "off",
};

const char *
mode_name(enum mode m)
{
	return mode_names[m];
}

int
mode_parse(struct slice word, enum mode *m)
{
	for (int i = MODE_ENFORCE; i <= MODE_OFF; i++)
		if (slice_ieq(word, slice_str(mode_names[i]))) {
			*m = (enum mode)i;
			return 0;
		}
	return -1;
}

enum mode
runtime_mode(const struct runtime *r, int64_t now_ms, int64_t *until_ms)
{
	uint64_t word = atomic_load(&r->map->mode);
	uint64_t mode = word & ((1 << MODE_BITS) - 1);
	int64_t until = (int64_t)(word >> MODE_BITS);

	if (mode > MODE_OFF || (until != 0 && until <= now_ms))
		mode = MODE_ENFORCE, until = 0;
	if (until_ms != NULL)
		*until_ms = until;
	return (enum mode)mode;
}

void
runtime_set_mode(struct runtime *r, enum mode m, int64_t until_ms)
{
	const int64_t longest = INT64_MAX >> MODE_BITS;
	uint64_t until = (uint64_t)(until_ms < 0 ? 0 : until_ms > longest ? longest : until_ms);

	atomic_store(&r->map->mode, until << MODE_BITS | (uint64_t)m);
}

static const struct { const char *name, *help; } counter_rows[COUNTERS] = {
#define COUNTER(name, help)	{ #name, help },
#include "runtime/counters.def"
#undef COUNTER
};

const char *
counter_name(enum counter c)
{
	return counter_rows[c].name;
}

const char *
counter_help(enum counter c)
{
	return counter_rows[c].help;
}

void
runtime_count(struct runtime *r, enum counter c, uint64_t n)
{
	atomic_fetch_add_explicit(&r->map->counters[c], n, memory_order_relaxed);
}

uint64_t
runtime_counter(const struct runtime *r, enum counter c)
{
	return atomic_load_explicit(&r->map->counters[c], memory_order_relaxed);
}

static const char *const latency_names[LATENCIES] = {
#define LATENCY(name)	#name,
#include "runtime/latencies.def"
#undef LATENCY
};

const char *
latency_name(enum latency_of of)
{
	return latency_names[of];
}

struct latency *
runtime_latency(const struct runtime *r, enum latency_of of)
{
	return &r->map->latencies[of];
}

_Atomic uint64_t *
runtime_log_end(const struct runtime *r)
{
	return &r->map->log_end;
}

unsigned
runtime_next_incident(struct runtime *r)
{
	return (unsigned)(atomic_fetch_add(&r->map->incident, 1) & ((1 << INCIDENT_BITS) - 1));
}

uint64_t
runtime_key(const struct runtime *r, struct slice text)
{
	return siphash(r->key, text);
}

/* ---- workers ---- */

/* When process PID began, in ticks since the machine started; 0 when that cannot be known.  Tells a
 * worker from another process that has its number after a restart of the machine. */
static uint64_t
birth_of(pid_t pid)
{
	char path[64], text[STAT_MAX];
	struct slice rest, field = { 0 };
	uint64_t birth;
	const char *name_end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	/* The name may hold blanks and brackets; nothing behind it does. */
	if (n <= 0 || (name_end = memrchr(text, ')', (size_t)n)) == NULL)
		return 0;
	rest = slice_skip(slice_make(name_end, (size_t)(text + n - name_end)), sizeof(") ") - 1);
	for (int i = 0; i < STAT_BIRTH; i++)
		slice_cut(rest, ' ', &field, &rest);
	return slice_u64(field, &birth) == 0 ? birth : 0;
}

static uint64_t
owner_word(pid_t pid)
{
	return birth_of(pid) << PID_BITS | (uint64_t)pid;
}

static pid_t
owner_pid(uint64_t owner)
{
	return (pid_t)(owner & ((1 << PID_BITS) - 1));
}

static bool
is_alive(uint64_t owner)
{
	uint64_t birth = owner >> PID_BITS, now;
	pid_t pid = owner_pid(owner);

	if (pid == 0 || (kill(pid, 0) == -1 && errno == ESRCH))
		return false;
	now = birth == 0 ? 0 : birth_of(pid) << PID_BITS >> PID_BITS;
	return birth == 0 || now == 0 || now == birth;
}

int
runtime_worker_join(struct runtime *r, pid_t pid, int64_t now_ms)
{
	uint64_t owner;

	if (pid <= 0 || pid >> PID_BITS != 0)
		return -1;
	owner = owner_word(pid);
	for (int i = 0; i < RUNTIME_WORKERS; i++) {
		struct worker_slot *w = &r->map->workers[i];
		uint64_t before = atomic_load(&w->owner);

		if (before != owner && is_alive(before))
			continue;
		if (!atomic_compare_exchange_strong(&w->owner, &before, owner))
			continue;
		atomic_store(&w->generation, 0);
		atomic_store(&w->heartbeat_ms, now_ms);
		atomic_store(&w->started_ms, now_ms);
		return i;
	}
	return -1;
}

void
runtime_worker_leave(struct runtime *r, int slot, pid_t pid)
{
	uint64_t owner;

	if (slot < 0 || slot >= RUNTIME_WORKERS)
		return;
	owner = atomic_load(&r->map->workers[slot].owner);
	if (owner_pid(owner) == pid)
		atomic_compare_exchange_strong(&r->map->workers[slot].owner, &owner, 0);
}

void
runtime_worker_report(struct runtime *r, int slot, uint64_t generation, int64_t now_ms)
{
	if (slot < 0 || slot >= RUNTIME_WORKERS)
		return;
	atomic_store(&r->map->workers[slot].generation, generation);
	atomic_store(&r->map->workers[slot].heartbeat_ms, now_ms);
}

size_t
runtime_workers(const struct runtime *r, struct worker *out, size_t max)
{
	size_t n = 0;

	for (int i = 0; i < RUNTIME_WORKERS; i++) {
		struct worker_slot *w = &r->map->workers[i];
		uint64_t owner = atomic_load(&w->owner);

		if (!is_alive(owner))
			continue;
		if (n < max)
			out[n] = (struct worker){
				.pid = owner_pid(owner),
				.generation = atomic_load(&w->generation),
				.heartbeat_ms = atomic_load(&w->heartbeat_ms),
				.started_ms = atomic_load(&w->started_ms),
			};
		n++;
	}
	return n;
}

/* ---- sealed slots ---- */

/* One of the tables. */
struct table {
	_Atomic uint64_t *at;
	size_t		  slots;	/* a power of two */
	size_t		  words;	/* of a slot; the last is the seal */
};

static struct table
kill_table(const struct runtime *r)
{
	return (struct table){ &r->map->kills[0][0], KILL_SLOTS, KILL_WORDS };
}

static struct table
whole_table(const struct runtime *r)
{
	return (struct table){ &r->map->whole[0][0], WHOLE_SLOTS, WHOLE_WORDS };
}

static struct table
journal_table(const struct runtime *r)
{
	return (struct table){ &r->map->journal[0][0], JOURNAL_SLOTS, JOURNAL_WORDS };
}

/* Way I of the set that KEY belongs to. */
static _Atomic uint64_t *
slot_of(const struct table *t, uint64_t key, size_t i)
{
	return t->at + ((key & (t->slots / WAYS - 1)) * WAYS + i) * t->words;
}

static uint64_t
seal(const struct runtime *r, const uint64_t *words, size_t n)
{
	return siphash(r->key, slice_make((const char *)words, n * sizeof(*words)));
}

/* Most slots are somebody else's: their seals are not worth the time. */
static bool
has_key(_Atomic uint64_t *at, uint64_t key)
{
	return atomic_load_explicit(&at[SLOT_KEY], memory_order_relaxed) == key;
}

/* The slot AT into WORDS; false when it is empty. */
static bool
slot_read(const struct runtime *r, const struct table *t, _Atomic uint64_t *at,
    uint64_t words[static SLOT_MAX])
{
	for (size_t i = 0; i < t->words; i++)
		words[i] = atomic_load_explicit(&at[i], memory_order_relaxed);
	return words[t->words - 1] == seal(r, words, t->words - 1);
}

static void
slot_write(const struct runtime *r, const struct table *t, _Atomic uint64_t *at,
    uint64_t words[static SLOT_MAX])
{
	words[t->words - 1] = seal(r, words, t->words - 1);
	for (size_t i = 0; i < t->words; i++)
		atomic_store_explicit(&at[i], words[i], memory_order_relaxed);
}

/* Two slots speak of the same thing when their first N_SAME words agree, but for the time. */
static bool
same_thing(const uint64_t *a, const uint64_t *b, size_t n_same)
{
	for (size_t i = 0; i < n_same; i++)
		if (i != SLOT_TIME && a[i] != b[i])
			return false;
	return true;
}

/* Store WORDS in their set: over the same thing, else in an empty slot, else over the oldest. */
static void
set_put(const struct runtime *r, const struct table *t, uint64_t words[static SLOT_MAX],
    size_t n_same)
{
	_Atomic uint64_t *best = NULL;
	int64_t oldest = INT64_MAX, now = (int64_t)words[SLOT_TIME];
	int64_t future = now > INT64_MAX - FUTURE_MS ? INT64_MAX : now + FUTURE_MS;

	for (size_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *at = slot_of(t, words[SLOT_KEY], i);
		uint64_t there[SLOT_MAX];
		int64_t age = (int64_t)atomic_load_explicit(&at[SLOT_TIME], memory_order_relaxed);

		if (has_key(at, words[SLOT_KEY]) && slot_read(r, t, at, there) && same_thing(there, words, n_same)) {
			best = at;
			break;
		}
		/* Whoever says that he comes from far in the future was never written whole. */
		age = age > future ? INT64_MIN : age;
		if (best == NULL || age < oldest) {
			best = at;
			oldest = age;
		}
	}
	slot_write(r, t, best, words);
}

/* The newest slot that is the same thing as WORDS, into WORDS.  Two writers at once may have left
 * two. */
static bool
set_get(const struct runtime *r, const struct table *t, uint64_t words[static SLOT_MAX],
    size_t n_same)
{
	uint64_t wanted[SLOT_MAX], there[SLOT_MAX];
	bool found = false;

	memcpy(wanted, words, sizeof(wanted));
	for (size_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *at = slot_of(t, wanted[SLOT_KEY], i);

		if (!has_key(at, wanted[SLOT_KEY]) || !slot_read(r, t, at, there) || !same_thing(there, wanted, n_same))
			continue;
		if (!found || (int64_t)there[SLOT_TIME] > (int64_t)words[SLOT_TIME])
			memcpy(words, there, t->words * sizeof(*there));
		found = true;
	}
	return found;
}

/* ---- kills ---- */

const char *
kill_by_name(enum kill_by by)
{
	static const char *const names[KILL_BYS] = { [KILL_BY_URL] = "url", [KILL_BY_ETAG] = "etag" };

	return names[by];
}

/* Each algorithm has its place, and its bit in the slot. */
static void
kill_put_digest(uint64_t words[static SLOT_MAX], const struct digest *d)
{
	words[KILL_ALGS] |= DIGEST_BIT(d->alg);
	memcpy(&words[KILL_BYTES + d->alg * (DIGEST_MAX_LEN / sizeof(*words))], d->b, digest_len(d->alg));
}

static void
kill_get_digest(const uint64_t words[static SLOT_MAX], enum digest_alg alg, struct digest *out)
{
	*out = (struct digest){ .alg = alg };
	memcpy(out->b, &words[KILL_BYTES + alg * (DIGEST_MAX_LEN / sizeof(*words))], digest_len(alg));
}

void
runtime_remember_kill(struct runtime *r, uint64_t key, const struct kill *kill)
{
	uint64_t words[SLOT_MAX] = { [KILL_KEY] = key, [KILL_TIME] = (uint64_t)kill->time_ms, [KILL_LENGTH] = kill->length,
		[KILL_BY] = kill->by, [KILL_SIZE] = kill->size, [KILL_NAMED] = kill->named, [KILL_ALG] = kill->digest.alg };
	struct table t = kill_table(r);

	kill_put_digest(words, &kill->digest);
	for (size_t i = 0; i < kill->n_more; i++)
		kill_put_digest(words, &kill->more[i]);
	set_put(r, &t, words, KILL_BY + 1);
}

/* WORDS, which a seal vouches for, as a kill; false when it is too old to count, or no kill of ours. */
static bool
kill_read(const uint64_t words[static SLOT_MAX], int64_t now_ms, struct kill *kill)
{
	int64_t ttl = words[KILL_LENGTH] == KILL_LENGTH_UNKNOWN ? KILL_TTL_UNSIZED_MS : KILL_TTL_MS;

	if (words[KILL_ALG] >= DIGEST_ALGS || words[KILL_BY] >= KILL_BYS || (int64_t)words[KILL_TIME] < now_ms - ttl)
		return false;
	*kill = (struct kill){ .by = (enum kill_by)words[KILL_BY], .length = words[KILL_LENGTH], .size = words[KILL_SIZE],
		.named = words[KILL_NAMED], .time_ms = (int64_t)words[KILL_TIME] };
	kill_get_digest(words, (enum digest_alg)words[KILL_ALG], &kill->digest);
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if (alg != kill->digest.alg && (words[KILL_ALGS] & DIGEST_BIT(alg)) != 0)
			kill_get_digest(words, alg, &kill->more[kill->n_more++]);
	return true;
}

bool
runtime_recall_kill(const struct runtime *r, uint64_t key, int64_t now_ms, struct kill *kill)
{
	uint64_t words[SLOT_MAX] = { [KILL_KEY] = key, [KILL_LENGTH] = kill->length, [KILL_BY] = kill->by };
	struct table t = kill_table(r);

	return set_get(r, &t, words, KILL_BY + 1) && kill_read(words, now_ms, kill);
}

size_t
runtime_kills(const struct runtime *r, int64_t now_ms, struct kill *out, size_t max)
{
	struct table t = kill_table(r);
	uint64_t words[SLOT_MAX];
	struct kill kill;
	size_t n = 0;

	for (size_t i = 0; i < t.slots; i++) {
		if (!slot_read(r, &t, t.at + i * t.words, words) || !kill_read(words, now_ms, &kill))
			continue;
		if (n < max)
			out[n] = kill;
		n++;
	}
	return n;
}

/* An empty slot is one of zeros, which no seal fits. */
static void
slot_clear(const struct table *t, _Atomic uint64_t *at)
{
	for (size_t i = 0; i < t->words; i++)
		atomic_store_explicit(&at[i], 0, memory_order_relaxed);
}

static bool
kill_is_of(const struct kill *kill, const struct digest *digest)
{
	bool is = digest_eq(&kill->digest, digest);

	for (size_t i = 0; i < kill->n_more; i++)
		is = is || digest_eq(&kill->more[i], digest);
	return is;
}

size_t
runtime_forget_kills(struct runtime *r, const struct digest *digest)
{
	struct table t = kill_table(r), whole = whole_table(r);
	uint64_t words[SLOT_MAX];
	struct kill kill;
	size_t n = 0;

	for (size_t i = 0; i < t.slots; i++) {
		_Atomic uint64_t *at = t.at + i * t.words;

		if (!slot_read(r, &t, at, words) || !kill_read(words, 0, &kill) ||
		    (digest != NULL && !kill_is_of(&kill, digest)))
			continue;
		slot_clear(&t, at);
		n++;
	}
	for (size_t i = 0; digest == NULL && i < whole.slots; i++)
		slot_clear(&whole, whole.at + i * whole.words);
	return n;
}

void
runtime_want_whole(struct runtime *r, uint64_t key, int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [WHOLE_KEY] = key, [WHOLE_TIME] = (uint64_t)now_ms };
	struct table t = whole_table(r);

	set_put(r, &t, words, WHOLE_KEY + 1);
}

bool
runtime_wants_whole(const struct runtime *r, uint64_t key, int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [WHOLE_KEY] = key };
	struct table t = whole_table(r);

	return set_get(r, &t, words, WHOLE_KEY + 1) && (int64_t)words[WHOLE_TIME] >= now_ms - WHOLE_TTL_MS;
}

/* ---- grants ---- */

static struct table
grant_table(const struct runtime *r)
{
	return (struct table){ &r->map->grants[0][0], GRANT_SLOTS, GRANT_WORDS };
}

void
runtime_grant(struct runtime *r, uint64_t key, int64_t now_ms, int64_t until_ms)
{
	uint64_t words[SLOT_MAX] = { [GRANT_KEY] = key, [GRANT_TIME] = (uint64_t)now_ms, [GRANT_UNTIL] = (uint64_t)until_ms };
	struct table t = grant_table(r);

	set_put(r, &t, words, GRANT_KEY + 1);
}

bool
runtime_is_granted(const struct runtime *r, uint64_t key, int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [GRANT_KEY] = key };
	struct table t = grant_table(r);

	return set_get(r, &t, words, GRANT_KEY + 1) && (int64_t)words[GRANT_TIME] <= now_ms && now_ms < (int64_t)words[GRANT_UNTIL];
}

/* ---- visits ---- */

static struct table
visit_table(const struct runtime *r)
{
	return (struct table){ &r->map->visits[0][0], VISIT_SLOTS, VISIT_WORDS };
}

/* DAYS, of which bit 0 is the day of THEN, as they are to be read on the day of NOW. */
static uint64_t
days_at(uint64_t days, int64_t then_ms, int64_t now_ms)
{
	int64_t gone = now_ms / DAY_MS - then_ms / DAY_MS;

	return gone <= 0 ? days : gone >= 64 ? 0 : days << gone;
}

void
runtime_visit(struct runtime *r, uint64_t key, uint64_t client, int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [VISIT_KEY] = key }, days = 0, clients = UINT64_C(1) << (client & 63);
	struct table t = visit_table(r);

	if (set_get(r, &t, words, VISIT_KEY + 1)) {
		days = days_at(words[VISIT_DAYS], (int64_t)words[VISIT_TIME], now_ms);
		if ((days & 1) != 0 && (words[VISIT_CLIENTS] & clients) != 0)
			return;
		/* Who was not here for so long begins anew. */
		clients |= days == 0 ? 0 : words[VISIT_CLIENTS];
	}
	words[VISIT_TIME] = (uint64_t)now_ms;
	words[VISIT_DAYS] = days | 1;
	words[VISIT_CLIENTS] = clients;
	set_put(r, &t, words, VISIT_KEY + 1);
}

bool
runtime_is_known(const struct runtime *r, uint64_t key, int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [VISIT_KEY] = key };
	struct table t = visit_table(r);

	if (!set_get(r, &t, words, VISIT_KEY + 1))
		return false;
	return __builtin_popcountll(days_at(words[VISIT_DAYS], (int64_t)words[VISIT_TIME], now_ms) >> 1) >= VISIT_DAYS_KNOWN &&
	    __builtin_popcountll(words[VISIT_CLIENTS]) >= VISIT_CLIENTS_KNOWN;
}

void
runtime_secret(const struct runtime *r, uint8_t out[static RUNTIME_SECRET])
{
	memcpy(out, r->map->secret, RUNTIME_SECRET);
}

/* ---- journal ---- */

void
runtime_expect(const struct runtime *r, uint64_t key)
{
	struct table t = journal_table(r);
	const char *set = (const char *)(uintptr_t)slot_of(&t, key, 0);

	for (size_t at = 0; at < WAYS * t.words * sizeof(uint64_t); at += CACHE_LINE)
		__builtin_prefetch(set + at);
}

void
runtime_journal_put(struct runtime *r, uint64_t key, uint64_t size, uint64_t generation,
    int64_t now_ms)
{
	uint64_t words[SLOT_MAX] = { [JOURNAL_KEY] = key, [JOURNAL_TIME] = (uint64_t)now_ms,
		[JOURNAL_SIZE] = size, [JOURNAL_GENERATION] = generation };
	struct table t = journal_table(r);

	set_put(r, &t, words, JOURNAL_SIZE + 1);
}

size_t
runtime_journal_get(const struct runtime *r, uint64_t key,
    struct journal_entry out[static JOURNAL_LENGTHS])
{
	struct table t = journal_table(r);
	uint64_t words[SLOT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < WAYS; i++)
		if (has_key(slot_of(&t, key, i), key) && slot_read(r, &t, slot_of(&t, key, i), words) &&
		    words[JOURNAL_KEY] == key)
			out[n++] = (struct journal_entry){ .size = words[JOURNAL_SIZE],
				.generation = words[JOURNAL_GENERATION] };
	return n;
}
