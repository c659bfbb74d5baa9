/* What the processes share: its words and tables, many users at once, and files that are damaged or foreign. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/runtime.h"
#include "runtime/state.h"
#include "t/tap.h"

static const int64_t now_ms = INT64_C(1795418424332);
static char *dir;

/* A state folder of its own. */
static char *
new_state(const char *name)
{
	char *state = file_join(dir, name);

	if (state_make(state) == -1)
		abort();
	return state;
}

static struct runtime *
open_good(const char *state)
{
	struct diag diag = { 0 };
	struct runtime *r = runtime_open(state, &diag);

	if (r == NULL)
		diag_print(&diag, stdout);
	diag_fini(&diag);
	if (r == NULL)
		abort();
	return r;
}

static void
shared_path(const char *state, char out[static STATE_PATH])
{
	if (state_path(state, STATE_SHARED, out) == -1)
		abort();
}

/* ---- the folder ---- */

static void
test_state(void)
{
	static const char *const inside[] = { STATE_SOURCES, STATE_ALERTS, STATE_RULES, STATE_RUNTIME, STATE_LOG };
	mode_t before = umask(077);
	char *state = file_join(dir, "new/state"), path[STATE_PATH], *wide = malloc(2 * STATE_PATH);
	struct stat st;
	int lock, again = -1;

	is_int(state_make(state), 0, "a state folder");
	is_int(state_make(state), 0, "that is there");
	lock = state_lock(state);
	umask(before);
	ok(lock != -1 && fstat(lock, &st) == 0 && (st.st_mode & 07777) == 0660, "its lock, for the whole group");
	ok(state_path(state, STATE_LOCK, path) == 0 && (again = open(path, O_RDWR)) != -1 &&
	    flock(again, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK, "nobody else has it meanwhile");
	close(lock);
	ok(flock(again, LOCK_EX | LOCK_NB) == 0, "and somebody else afterwards");
	close(again);
	errno = 0;
	ok(state_lock("/dev/null") == -1 && errno == ENOTDIR, "no lock without a folder");
	ok(stat(state, &st) == 0 && (st.st_mode & 07777) == 0755, "its mode");
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++) {
		ok(state_path(state, inside[i], path) == 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
		    (st.st_mode & 07777) == 02775, "%s in it", inside[i]);
	}
	memset(wide, 'x', 2 * STATE_PATH);
	wide[STATE_PATH - 3] = '\0';
	ok(state_path(wide, "x", path) == 0 && strlen(path) == STATE_PATH - 1, "the longest path");
	errno = 0;
	ok(state_path(wide, "xy", path) == -1 && errno == ENAMETOOLONG, "a byte more");
	ok(state_make(wide) == -1, "no folder of such a name");
	ok(state_make("/dev/null/x") == -1 && errno == ENOTDIR, "no folder there");
	free(wide);
	free(state);
}

/* ---- single words ---- */

static void
test_mode(struct runtime *a, struct runtime *b)
{
	static const char *const names[] = { "enforce", "observe", "off" };
	int64_t until = 1;
	enum mode m;

	ok(runtime_mode(a, now_ms, &until) == MODE_ENFORCE && until == 0, "enforce to begin with");
	for (int i = MODE_ENFORCE; i <= MODE_OFF; i++) {
		is_str(mode_name((enum mode)i), names[i], "its name");
		ok(mode_parse(guard_copy(slice_str(names[i])), &m) == 0 && m == (enum mode)i, "and back");
		runtime_set_mode(a, (enum mode)i, 0);
		ok(runtime_mode(b, INT64_MAX, &until) == (enum mode)i && until == 0, "%s without end", names[i]);
	}
	ok(mode_parse(SLICE("OBSERVE"), &m) == 0 && m == MODE_OBSERVE, "any case");
	ok(mode_parse(SLICE(""), &m) == -1 && mode_parse(SLICE("on"), &m) == -1, "no such mode");
	runtime_set_mode(a, MODE_OFF, now_ms + 1000);
	ok(runtime_mode(b, now_ms, &until) == MODE_OFF && until == now_ms + 1000, "off for a second");
	ok(runtime_mode(b, now_ms + 999, NULL) == MODE_OFF, "until its end");
	ok(runtime_mode(b, now_ms + 1000, &until) == MODE_ENFORCE && until == 0, "and back by itself");
	runtime_set_mode(a, MODE_OFF, INT64_MAX);
	ok(runtime_mode(b, now_ms, NULL) == MODE_OFF, "for ever");
	runtime_set_mode(a, MODE_OBSERVE, INT64_MIN);
	ok(runtime_mode(b, now_ms, &until) == MODE_OBSERVE && until == 0, "an end before all time is none");
	runtime_set_mode(a, MODE_ENFORCE, 0);
}

static void
test_words(struct runtime *a, struct runtime *b)
{
	unsigned first, second;

	is_int((long long)runtime_generation(a), 0, "no generation to begin with");
	runtime_set_generation(a, UINT64_MAX);
	ok(runtime_generation(b) == UINT64_MAX, "seen by the other");
	runtime_set_generation(b, 7);
	is_int((long long)runtime_generation(a), 7, "and back");
	for (int i = 0; i < COUNTERS; i++) {
		ok(*counter_name((enum counter)i) != '\0' && *counter_help((enum counter)i) != '\0', "counter %s",
		    counter_name((enum counter)i));
		runtime_count(a, (enum counter)i, (uint64_t)i);
		runtime_count(b, (enum counter)i, 100);
		is_int((long long)runtime_counter(a, (enum counter)i), i + 100, "counts");
	}
	is_str(counter_name(COUNTER_events_lost), "events_lost", "the last one");
	first = runtime_next_incident(a);
	second = runtime_next_incident(b);
	ok(first < 1 << 15 && second == ((first + 1) & 0x7fff), "incident counter: 15 bits, one for all");
	for (int i = 0; i < 1 << 15; i++)
		first = runtime_next_incident(a);
	is_int(first, second, "it wraps");
	ok(runtime_key(a, guard_copy(SLICE("http://x/"))) == runtime_key(b, SLICE("http://x/")), "one key for all");
	ok(runtime_key(a, SLICE("http://x/")) != runtime_key(a, SLICE("http://x/y")), "another URL, another key");
	ok(runtime_key(a, slice_make(NULL, 0)) == runtime_key(b, SLICE("")), "no URL");
}

static void
test_random(void)
{
	char *one = new_state("random1"), *two = new_state("random2");
	struct runtime *a = open_good(one), *b = open_good(two);

	ok(runtime_key(a, SLICE("x")) != runtime_key(b, SLICE("x")), "each file has its own key");
	ok(runtime_next_incident(a) != runtime_next_incident(b) || runtime_next_incident(a) != runtime_next_incident(b) ||
	    runtime_key(a, SLICE("y")) != runtime_key(b, SLICE("y")), "and its own beginning");
	runtime_close(a);
	runtime_close(b);
	runtime_close(NULL);
	free(one);
	free(two);
}

/* ---- workers ---- */

/* A child that lives until it is killed. */
static pid_t
child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void
bury(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_workers(struct runtime *r)
{
	struct worker w[4] = { { .pid = 0 } };
	pid_t one = child(), two = child();
	int a = runtime_worker_join(r, one, 1000), b = runtime_worker_join(r, two, 2000);

	ok(a >= 0 && b >= 0 && a != b, "two workers, two slots");
	is_int(runtime_worker_join(r, one, 1500), a, "who joins again gets the same");
	runtime_worker_report(r, b, 17, 2500);
	runtime_worker_report(r, -1, 18, 2500);
	runtime_worker_report(r, RUNTIME_WORKERS, 18, 2500);
	is_int((long long)runtime_workers(r, w, 4), 2, "both are there");
	ok(w[0].pid == one && w[0].generation == 0 && w[0].started_ms == 1500 && w[0].heartbeat_ms == 1500, "the first");
	ok(w[1].pid == two && w[1].generation == 17 && w[1].started_ms == 2000 && w[1].heartbeat_ms == 2500, "the second");
	is_int((long long)runtime_workers(r, w, 0), 2, "counted without room");
	runtime_worker_leave(r, b, one);
	is_int((long long)runtime_workers(r, w, 4), 2, "nobody leaves for another");
	runtime_worker_leave(r, -1, one);
	runtime_worker_leave(r, RUNTIME_WORKERS, one);
	bury(one);
	is_int((long long)runtime_workers(r, w, 4), 1, "a dead one is not there");
	is_int(runtime_worker_join(r, getpid(), 3000), a, "its slot is used again");
	is_int((long long)runtime_workers(r, w, 4), 2, "two again");
	ok(w[0].pid == getpid() && w[0].generation == 0 && w[0].started_ms == 3000, "with nothing left of the dead");
	runtime_worker_leave(r, a, getpid());
	runtime_worker_leave(r, b, two);
	is_int((long long)runtime_workers(r, w, 4), 0, "all have left");
	bury(two);
	is_int(runtime_worker_join(r, 0, 1), -1, "no process 0");
	is_int(runtime_worker_join(r, -5, 1), -1, "no process below");
	is_int(runtime_worker_join(r, 1 << 30, 1), -1, "no process that high");
}

/* More processes than slots, all joining at once: each slot has one owner, and the rest is told. */
static void
test_full_table(struct runtime *r)
{
	enum { MORE = RUNTIME_WORKERS + 20 };
	pid_t pids[MORE];
	bool taken[RUNTIME_WORKERS] = { false };
	int fds[2], refused = 0, doubles = 0, slot;
	struct worker *w = calloc(RUNTIME_WORKERS, sizeof(*w));

	if (pipe(fds) == -1)
		abort();
	for (int i = 0; i < MORE; i++)
		if ((pids[i] = fork()) == 0) {
			slot = runtime_worker_join(r, getpid(), now_ms);
			if (write(fds[1], &slot, sizeof(slot)) != sizeof(slot))
				_exit(1);
			for (;;)
				pause();
		}
	for (int i = 0; i < MORE; i++) {
		if (read(fds[0], &slot, sizeof(slot)) != sizeof(slot) || slot >= RUNTIME_WORKERS)
			abort();
		refused += slot == -1;
		doubles += slot >= 0 && taken[slot];
		if (slot >= 0)
			taken[slot] = true;
	}
	is_int(refused, MORE - RUNTIME_WORKERS, "who finds no slot is told");
	is_int(doubles, 0, "no slot has two owners");
	is_int((long long)runtime_workers(r, w, RUNTIME_WORKERS), RUNTIME_WORKERS, "all others are there");
	for (int i = 0; i < MORE; i++)
		bury(pids[i]);
	is_int((long long)runtime_workers(r, w, RUNTIME_WORKERS), 0, "until they die");
	slot = runtime_worker_join(r, getpid(), now_ms);
	is_int(slot, 0, "then slots are free again");
	runtime_worker_leave(r, slot, getpid());
	close(fds[0]);
	close(fds[1]);
	free(w);
}

/* ---- tables ---- */

/* A kill of KEY, by its URL, with LENGTH and what it was. */
static void
remember(struct runtime *r, uint64_t key, uint64_t length, const struct digest *digest, int64_t at_ms)
{
	struct kill kill = { .by = KILL_BY_URL, .length = length, .size = length, .digest = *digest, .time_ms = at_ms };

	runtime_remember_kill(r, key, &kill);
}

static bool
recall(const struct runtime *r, uint64_t key, uint64_t length, int64_t at_ms, struct digest *digest)
{
	struct kill kill = { .by = KILL_BY_URL, .length = length };

	if (!runtime_recall_kill(r, key, at_ms, &kill))
		return false;
	*digest = kill.digest;
	return kill.by == KILL_BY_URL && kill.length == length && kill.size == length;
}

static void
test_kills(struct runtime *a, struct runtime *b)
{
	struct digest md5, sha256, got;

	digest_parse(DIGEST_MD5, SLICE("9abc553703f4e4fedb3ed975502a2c7a"), &md5);
	digest_parse(DIGEST_SHA256, SLICE("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), &sha256);
	ok(!recall(a, 0, 0, now_ms, &got), "nothing is remembered to begin with");
	remember(a, 5, 90112, &md5, now_ms);
	ok(recall(b, 5, 90112, now_ms, &got) && digest_eq(&got, &md5), "remembered by all");
	ok(!recall(b, 5, 90113, now_ms, &got), "another length is another file");
	ok(!recall(b, 6, 90112, now_ms, &got), "another URL");
	ok(!recall(b, 5 + KILL_SLOTS, 90112, now_ms, &got), "another URL of the same set");
	ok(recall(b, 5, 90112, now_ms + KILL_TTL_MS, &got), "for a day");
	ok(!recall(b, 5, 90112, now_ms + KILL_TTL_MS + 1, &got), "and not longer");
	remember(b, 5, 100352, &sha256, now_ms + 1);
	ok(recall(a, 5, 90112, now_ms, &got) && digest_eq(&got, &md5) && recall(a, 5, 100352, now_ms, &got) &&
	    digest_eq(&got, &sha256), "two lengths of one URL");
	remember(b, 5, 90112, &sha256, now_ms + 2);
	ok(recall(a, 5, 90112, now_ms, &got) && digest_eq(&got, &sha256), "the last digest counts");
	for (uint64_t i = 0; i < 3; i++)	/* with the two above: one too many for the set */
		remember(a, 5 + (i + 1) * KILL_SLOTS, 1, &md5, now_ms + 10 + (int64_t)i);
	ok(!recall(a, 5, 100352, now_ms, &got), "the oldest has gone");
	ok(recall(a, 5, 90112, now_ms, &got) && recall(a, 5 + KILL_SLOTS, 1, now_ms, &got) &&
	    recall(a, 5 + 3 * KILL_SLOTS, 1, now_ms, &got), "the others have not");
}

/* What is remembered of a kill beside its key: by what, which length was sent, what was listed. */
static void
test_kill_kinds(struct runtime *a, struct runtime *b)
{
	struct kill kill = { .by = KILL_BY_ETAG, .length = 5000, .size = 90112, .digest = { .alg = DIGEST_SHA1, .b = { 1, 2 } },
		.time_ms = now_ms }, got;
	struct digest digest;

	runtime_remember_kill(a, 77, &kill);
	got = (struct kill){ .by = KILL_BY_ETAG, .length = 5000 };
	ok(runtime_recall_kill(b, 77, now_ms, &got) && got.size == 90112 && got.length == 5000 && got.time_ms == now_ms &&
	    digest_eq(&got.digest, &kill.digest), "the listed size beside the length as sent");
	ok(got.n_more == 0, "one digest, when one was taken");
	kill.n_more = 2;
	kill.more[0] = (struct digest){ .alg = DIGEST_SHA256, .b = { [31] = 3 } };
	kill.more[1] = (struct digest){ .alg = DIGEST_MD5, .b = { [15] = 4 } };
	runtime_remember_kill(a, 79, &kill);
	got = (struct kill){ .by = KILL_BY_ETAG, .length = 5000 };
	ok(runtime_recall_kill(b, 79, now_ms, &got) && got.n_more == 2 && digest_eq(&got.digest, &kill.digest) &&
	    digest_eq(&got.more[0], &kill.more[1]) && digest_eq(&got.more[1], &kill.more[0]), "three, when three were");
	is_int((long long)runtime_forget_kills(a, &kill.more[0]), 1, "and it is forgotten by any");
	got = (struct kill){ .by = KILL_BY_ETAG, .length = 90112 };
	ok(!runtime_recall_kill(b, 77, now_ms, &got), "the listed size is not the length that must be met");
	got = (struct kill){ .by = KILL_BY_URL, .length = 5000 };
	ok(!runtime_recall_kill(b, 77, now_ms, &got), "what is known by its ETag is not asked for by URL");
	got = (struct kill){ .by = KILL_BY_ETAG, .length = KILL_LENGTH_UNKNOWN };
	ok(!runtime_recall_kill(b, 77, now_ms, &got), "an unknown length is not a known one");

	remember(a, 78, KILL_LENGTH_UNKNOWN, &kill.digest, now_ms);
	ok(recall(b, 78, KILL_LENGTH_UNKNOWN, now_ms + KILL_TTL_UNSIZED_MS, &digest), "a kill of no known length, for an hour");
	ok(!recall(b, 78, KILL_LENGTH_UNKNOWN, now_ms + KILL_TTL_UNSIZED_MS + 1, &digest), "and not longer");
	ok(!recall(b, 78, 5000, now_ms, &digest) && !recall(b, 78, 0, now_ms, &digest), "and never for one that is known");
}

static size_t
count_kills(const struct runtime *r, int64_t at_ms, const struct digest *digest)
{
	struct kill *all = calloc(KILL_SLOTS, sizeof(*all));
	size_t n = runtime_kills(r, at_ms, all, KILL_SLOTS), found = 0;

	for (size_t i = 0; i < n; i++)
		found += digest_eq(&all[i].digest, digest);
	free(all);
	return found;
}

static void
test_forgetting(void)
{
	char *state = new_state("forget");
	struct runtime *r = open_good(state), *other = open_good(state);
	struct digest one = { .alg = DIGEST_MD5, .b = { 1 } }, two = { .alg = DIGEST_MD5, .b = { 2 } }, got;
	uint8_t secret[RUNTIME_SECRET], other_secret[RUNTIME_SECRET];
	const int64_t day_ms = 24 * 3600 * 1000;
	struct kill few[2];

	is_int((long long)runtime_kills(r, now_ms, few, 2), 0, "nothing to list");
	for (uint64_t key = 0; key < 10; key++)
		remember(r, key, 100, key < 7 ? &one : &two, now_ms);
	ok(count_kills(other, now_ms, &one) == 7 && count_kills(other, now_ms, &two) == 3, "each kill is listed");
	is_int((long long)runtime_kills(r, now_ms, few, 2), 10, "how many there are, although two were wanted");
	is_int((long long)runtime_kills(r, now_ms + KILL_TTL_MS + 1, few, 2), 0, "none of yesterday");
	is_int((long long)runtime_forget_kills(other, &(struct digest){ .alg = DIGEST_SHA1, .b = { 1 } }), 0,
	    "another digest takes none away");
	is_int((long long)runtime_forget_kills(other, &one), 7, "those of one digest are forgotten");
	ok(count_kills(r, now_ms, &one) == 0 && !recall(r, 0, 100, now_ms, &got), "by all");
	ok(count_kills(r, now_ms, &two) == 3 && recall(r, 9, 100, now_ms, &got), "and no others");
	remember(r, 0, 100, &one, now_ms + 1);
	ok(recall(other, 0, 100, now_ms + 1, &got), "the next kill is remembered again");

	ok(!runtime_wants_whole(r, 5, now_ms), "a part is enough to begin with");
	runtime_want_whole(r, 5, now_ms);
	ok(runtime_wants_whole(other, 5, now_ms + WHOLE_TTL_MS) && !runtime_wants_whole(other, 5, now_ms + WHOLE_TTL_MS + 1),
	    "the whole is wanted, for a day");
	ok(!runtime_wants_whole(other, 5 + WHOLE_SLOTS, now_ms), "of that URL");
	ok(!runtime_is_granted(r, 9, now_ms), "nobody may go on to begin with");
	runtime_grant(r, 9, now_ms, now_ms + 100);
	ok(runtime_is_granted(other, 9, now_ms) && runtime_is_granted(other, 9, now_ms + 99) && !runtime_is_granted(other, 9, now_ms + 100) &&
	    !runtime_is_granted(other, 9, now_ms - 1), "who was warned may, for a time");
	ok(!runtime_is_granted(other, 9 + GRANT_SLOTS, now_ms), "and nobody else");
	for (int day = 0; day < 7; day++)
		for (uint64_t client = 0; client < 5; client++) {
			runtime_visit(r, 77, client * 7, now_ms + day * day_ms);
			runtime_visit(r, 78, client % 2, now_ms + day * day_ms);
			runtime_visit(r, 79, client, now_ms);
		}
	ok(!runtime_is_known(other, 77, now_ms + 6 * day_ms) && runtime_is_known(other, 77, now_ms + 7 * day_ms), "known after a week, by five");
	ok(!runtime_is_known(other, 78, now_ms + 8 * day_ms), "two clients are too few");
	ok(!runtime_is_known(other, 79, now_ms + 8 * day_ms), "one day is, too");
	ok(!runtime_is_known(other, 77, now_ms + 64 * day_ms) && !runtime_is_known(other, 80, now_ms), "and what was long ago");
	runtime_visit(r, 77, 1, now_ms + 200 * day_ms);
	ok(!runtime_is_known(other, 77, now_ms + 201 * day_ms), "which begins anew");
	runtime_secret(r, secret);
	runtime_secret(other, other_secret);
	ok(memcmp(secret, other_secret, sizeof(secret)) == 0 && memcmp(secret, (uint8_t[RUNTIME_SECRET]){ 0 }, sizeof(secret)) != 0,
	    "all sign alike");
	is_int((long long)runtime_forget_kills(r, NULL), 4, "all are forgotten");
	ok(runtime_kills(r, now_ms, few, 2) == 0 && !runtime_wants_whole(other, 5, now_ms), "with all that the whole was wanted of");
	runtime_close(r);
	runtime_close(other);
	free(state);
}

static bool
journal_has(const struct runtime *r, uint64_t key, uint64_t size, uint64_t generation)
{
	struct journal_entry known[JOURNAL_LENGTHS];
	size_t n = runtime_journal_get(r, key, known);

	for (size_t i = 0; i < n; i++)
		if (known[i].size == size)
			return known[i].generation == generation;
	return false;
}

static void
test_journal(struct runtime *a, struct runtime *b)
{
	const uint64_t next = JOURNAL_SLOTS;	/* keys so far apart are of one set */
	struct journal_entry known[JOURNAL_LENGTHS];
	uint64_t kept = 0;

	is_int((long long)runtime_journal_get(a, 0, known), 0, "an empty journal");
	runtime_journal_put(a, 9, 90112, 3, now_ms);
	ok(journal_has(b, 9, 90112, 3), "seen by all");
	is_int((long long)runtime_journal_get(b, 9 + next, known), 0, "another URL of the same set");
	runtime_journal_put(b, 9, 90112, 4, now_ms + 1);
	ok(journal_has(a, 9, 90112, 4) && runtime_journal_get(a, 9, known) == 1, "renewed");
	runtime_journal_put(b, 9, JOURNAL_SIZE_UNKNOWN, 2, now_ms + 10);
	ok(journal_has(a, 9, 90112, 4) && journal_has(a, 9, JOURNAL_SIZE_UNKNOWN, 2), "two lengths of one URL");
	for (uint64_t i = 1; i <= 2; i++)
		runtime_journal_put(a, 9 + i * next, i, i, now_ms + 10 - (int64_t)i);
	ok(journal_has(a, 9, JOURNAL_SIZE_UNKNOWN, 2) && journal_has(a, 9, 90112, 4) && journal_has(a, 9 + next, 1, 1) &&
	    journal_has(a, 9 + 2 * next, 2, 2), "four of one set");
	runtime_journal_put(a, 9, JOURNAL_SIZE_UNKNOWN, 5, now_ms + 20);
	runtime_journal_put(a, 9 + 4 * next, 4, 4, now_ms + 20);
	ok(!journal_has(a, 9, 90112, 4), "the fifth replaces the oldest");
	ok(journal_has(a, 9, JOURNAL_SIZE_UNKNOWN, 5) && journal_has(a, 9 + next, 1, 1) &&
	    journal_has(a, 9 + 2 * next, 2, 2) && journal_has(a, 9 + 4 * next, 4, 4), "and no other");
	for (uint64_t i = 0; i < JOURNAL_SLOTS; i++)
		runtime_journal_put(a, i * UINT64_C(0x9e3779b97f4a7c15), i, 1, now_ms + (int64_t)i);
	for (uint64_t i = 0; i < JOURNAL_SLOTS; i++)
		kept += journal_has(b, i * UINT64_C(0x9e3779b97f4a7c15), i, 1);
	ok(kept > JOURNAL_SLOTS / 10 * 7 && kept <= JOURNAL_SLOTS, "as many as it has slots: %llu are kept",
	    (unsigned long long)kept);
}

/* ---- many at once ---- */

enum { KEYS = 16, ROUNDS = 20000, THREADS = 4 };

/* A value that tells whether its parts belong together. */
static void *
write_pairs(void *runtime)
{
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		struct digest d = { .alg = DIGEST_SHA256 };

		memset(d.b, (int)(i & 0xff), sizeof(d.b));
		runtime_journal_put(runtime, (i % KEYS) * JOURNAL_SLOTS, i, ~i, (int64_t)i);
		remember(runtime, (i % KEYS) * KILL_SLOTS, i & 0xff, &d, (int64_t)i);
		runtime_count(runtime, COUNTER_requests, 1);
	}
	return NULL;
}

/* How many of what is read does not belong together. */
static void *
read_pairs(void *runtime)
{
	uintptr_t torn = 0;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		struct journal_entry known[JOURNAL_LENGTHS];
		size_t n = runtime_journal_get(runtime, (i % KEYS) * JOURNAL_SLOTS, known);
		struct digest d;

		for (size_t k = 0; k < n; k++)
			torn += known[k].size != ~known[k].generation || known[k].size % KEYS != i % KEYS;
		if (recall(runtime, (i % KEYS) * KILL_SLOTS, i & 0xff, 0, &d))
			for (size_t k = 0; k < sizeof(d.b); k++)
				torn += d.b[k] != (i & 0xff);
	}
	return (void *)torn;
}

/* Threads of two processes, each with a mapping of its own, on few slots; one more process is killed again and again in the
 * middle of its writing. */
static void
test_torn(void)
{
	char *state = new_state("torn");	/* of its own: what another test left would pass for torn */
	struct runtime *r = open_good(state), *other = open_good(state);
	pthread_t threads[2 * THREADS];
	uint64_t before = runtime_counter(r, COUNTER_requests);
	uintptr_t torn = 0;
	void *result;
	pid_t pid = fork();

	if (pid == 0) {
		write_pairs(r);
		_exit(0);
	}
	for (int i = 0; i < 2 * THREADS; i++)
		pthread_create(&threads[i], NULL, i % 2 == 0 ? write_pairs : read_pairs, i % 4 < 2 ? r : other);
	for (int i = 0; i < 2 * THREADS; i++) {
		pthread_join(threads[i], &result);
		torn += (uintptr_t)result;
	}
	waitpid(pid, NULL, 0);
	is_int((long long)torn, 0, "no reader saw parts of two writes");
	is_int((long long)(runtime_counter(r, COUNTER_requests) - before), (THREADS + 1) * ROUNDS, "no count was lost");
	for (int i = 0; i < 20; i++) {
		if ((pid = fork()) == 0)
			for (;;)
				write_pairs(r);
		usleep(1000);
		bury(pid);
		torn += (uintptr_t)read_pairs(other);
	}
	is_int((long long)torn, 0, "nor of a write whose writer was killed");
	runtime_journal_put(r, 0, 1, 2, INT64_MAX);
	ok(journal_has(other, 0, 1, 2), "and nobody blocks the next writer");
	runtime_close(r);
	runtime_close(other);
	free(state);
}

/* Processes that all make the file at once agree on it. */
static void
test_creation(void)
{
	enum { PROCESSES = 16 };
	char *state = new_state("race"), path[STATE_PATH];
	int fds[2], different = 0;
	uint64_t key, first = 0;
	struct stat st;
	mode_t before = umask(077);

	if (pipe(fds) == -1)
		abort();
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			struct runtime *r = open_good(state);

			key = runtime_key(r, SLICE("x"));
			runtime_count(r, COUNTER_blocked, 1);
			_exit(write(fds[1], &key, sizeof(key)) != sizeof(key));
		}
	umask(before);
	for (int i = 0; i < PROCESSES; i++) {
		if (read(fds[0], &key, sizeof(key)) != sizeof(key))
			abort();
		first = i == 0 ? key : first;
		different += key != first;
		wait(NULL);
	}
	is_int(different, 0, "all have the same key");
	struct runtime *r = open_good(state);
	is_int((long long)runtime_counter(r, COUNTER_blocked), PROCESSES, "and the same counters");
	runtime_close(r);
	shared_path(state, path);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0660, "its mode, whatever the umask");
	ok((off_t)st.st_blocks * 512 >= st.st_size, "no holes that a full disk could refuse later");
	close(fds[0]);
	close(fds[1]);
	free(state);
}

/* ---- latencies ---- */

/* The bound that a span is counted under, to the nanosecond. */
static void
test_bounds(struct runtime *a, struct runtime *b)
{
	struct latency *l = runtime_latency(a, LATENCY_body);
	struct latency_counts counts;
	uint64_t sum = 0;

	for (size_t i = 0; i < LATENCY_BOUNDS; i++) {
		ok(latency_bound_ns(i) > (i == 0 ? 0 : latency_bound_ns(i - 1)), "bound %zu is above the one before", i);
		latency_add(l, latency_bound_ns(i));
		latency_add(l, latency_bound_ns(i) + 1);
		sum += 2 * (uint64_t)latency_bound_ns(i) + 1;
	}
	latency_add(l, -5);
	latency_add(l, INT64_MAX / 2);
	latency_read(runtime_latency(b, LATENCY_body), &counts);
	for (size_t i = 0; i < LATENCY_BOUNDS; i++)
		is_int((long long)counts.upto[i], 2 + 2 * (long long)i, "a span of a bound is counted under it, a nanosecond more is not");
	is_int((long long)counts.upto[LATENCY_BOUNDS], 2 * LATENCY_BOUNDS + 2, "all");
	is_int((long long)(counts.sum_ns - sum), INT64_MAX / 2, "together; what a clock made negative is nothing");
	latency_read(runtime_latency(b, LATENCY_helper), &counts);
	is_int((long long)counts.upto[LATENCY_BOUNDS], 0, "others have not changed");
	for (int i = 0; i < LATENCIES; i++)
		ok(*latency_name((enum latency_of)i) != '\0', "stage %s", latency_name((enum latency_of)i));
}

static void *
add_many(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		latency_add(arg, i % 100000);
	return NULL;
}

/* While others add, what is read never goes back and never counts other than its buckets; at the end nothing is lost. */
static void
test_latencies(void)
{
	char *state = new_state("latencies");
	struct runtime *a = open_good(state), *b = open_good(state);
	struct latency_counts counts, before = { .sum_ns = 0 };
	pthread_t threads[THREADS];
	bool back = false;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, add_many, runtime_latency(i % 2 == 0 ? a : b, LATENCY_reqmod));
	for (int i = 0; i < ROUNDS; i++, before = counts) {
		latency_read(runtime_latency(b, LATENCY_reqmod), &counts);
		for (size_t k = 0; k < LATENCY_BUCKETS; k++)
			back |= counts.upto[k] < before.upto[k] || (k > 0 && counts.upto[k] < counts.upto[k - 1]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	latency_read(runtime_latency(a, LATENCY_reqmod), &counts);
	ok(!back, "counts are cumulative and never go back");
	is_int((long long)counts.upto[LATENCY_BOUNDS], (long long)THREADS * ROUNDS, "no span was lost");
	test_bounds(a, b);
	runtime_close(a);
	runtime_close(b);
	free(state);
}

/* ---- files that are not ours, or not whole ---- */

static void
is_refused(const char *state, const char *expected, const char *name)
{
	struct diag diag = { 0 };
	struct runtime *r = runtime_open(state, &diag);

	ok(r == NULL && diag.n_errors == 1, "%s is refused", name);
	ok(strstr(diag_first_error(&diag), expected) != NULL, "%s: %s", name, diag_first_error(&diag));
	diag_fini(&diag);
	runtime_close(r);
}

static void
test_refused(void)
{
	static const struct { const char *name; long at; char byte; const char *expected; } rows[] = {
		{ "another magic", 0, 'x', "another version" }, { "another version", 8, 2, "another version" },
		{ "another size inside", 16, 1, "another version" },
	};
	char *state = new_state("refused"), path[STATE_PATH], *no = file_join(dir, "no-such-state");
	struct buf image, copy;

	shared_path(state, path);
	runtime_close(open_good(state));
	buf_init(&image, 64 << 20);
	buf_init(&copy, 64 << 20);
	file_read(path, &image);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_reset(&copy);
		buf_add_slice(&copy, buf_slice(&image));
		copy.p[rows[i].at] ^= rows[i].byte;
		file_write(path, buf_slice(&copy), 0660);
		is_refused(state, rows[i].expected, rows[i].name);
	}
	file_write(path, slice_head(buf_slice(&image), image.len / 2), 0660);
	is_refused(state, "remove it while no worker runs", "half a file");
	buf_add_char(&image, '\0');
	file_write(path, buf_slice(&image), 0660);
	is_refused(state, "size", "a longer file");
	file_write(path, SLICE("hello"), 0660);
	is_refused(state, "another version", "some text");
	unlink(path);
	mkdir(path, 0755);
	is_refused(state, strerror(EISDIR), "a folder");
	rmdir(path);
	ok(mkfifo(path, 0600) == 0, "a fifo");
	is_refused(state, "not a file", "a fifo");
	is_refused(no, strerror(ENOENT), "no state folder");
	buf_fini(&image);
	buf_fini(&copy);
	free(state);
	free(no);
}

/* Whoever made the file died before its end: the next one finishes it. */
static void
test_unfinished(void)
{
	static const struct { const char *name; off_t len; } rows[] = {
		{ "empty", 0 }, { "3 zeros", 3 }, { "a page of zeros", 4096 }, { "a million zeros", 1000000 },
	};
	char *state = new_state("unfinished"), path[STATE_PATH];

	shared_path(state, path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct runtime *r;

		ok(file_write(path, SLICE(""), 0600) == 0 && truncate(path, rows[i].len) == 0, "%s", rows[i].name);
		r = open_good(state);
		runtime_set_generation(r, 5);
		runtime_journal_put(r, 1, 2, 3, now_ms);
		ok(journal_has(r, 1, 2, 3), "%s: works", rows[i].name);
		runtime_close(r);
		r = open_good(state);
		ok(runtime_generation(r) == 5 && journal_has(r, 1, 2, 3), "%s: and stays", rows[i].name);
		runtime_close(r);
	}
	free(state);
	state = file_join(dir, "unfinished/log");	/* a folder without STATE/runtime in it */
	runtime_close(open_good(state));
	ok(true, "the folder below is made when it is missing");
	free(state);
}

/* Any bytes behind the header: nothing crashes, nothing is invented, and all of it can be used again. */
static void
test_damaged(void)
{
	char *state = new_state("damaged"), path[STATE_PATH];
	struct worker *w = calloc(RUNTIME_WORKERS, sizeof(*w));
	static const int fills[] = { 0xff, 0x01, 0x80, -1 };
	const size_t header = 24;
	struct buf image;

	shared_path(state, path);
	for (size_t f = 0; f < sizeof(fills) / sizeof(*fills); f++) {
		uint64_t invented = 0, x = 88172645463325252u;
		struct journal_entry known[JOURNAL_LENGTHS];
		struct digest d;
		struct runtime *r;

		runtime_close(open_good(state));
		buf_init(&image, 64 << 20);
		file_read(path, &image);
		for (size_t i = header; i < image.len; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			image.p[i] = (char)(fills[f] >= 0 ? fills[f] : (int)(x >> 56));
		}
		file_write(path, buf_slice(&image), 0660);
		r = open_good(state);
		for (uint64_t key = 0; key < JOURNAL_SLOTS; key++) {
			invented += runtime_journal_get(r, key, known);
			invented += runtime_journal_get(r, key | UINT64_MAX << 20, known);
			invented += recall(r, key, key, now_ms, &d) + runtime_wants_whole(r, key, now_ms) + runtime_is_granted(r, key, now_ms) +
			    runtime_is_known(r, key, now_ms);
		}
		invented += runtime_kills(r, now_ms, NULL, 0) + runtime_forget_kills(r, NULL);
		is_int((long long)invented, 0, "nothing is made of noise");
		ok(runtime_mode(r, now_ms, NULL) <= MODE_OFF, "some mode");
		ok(runtime_workers(r, w, RUNTIME_WORKERS) <= RUNTIME_WORKERS, "no more workers than slots");
		ok(runtime_next_incident(r) < 1 << 15, "an incident number");
		runtime_journal_put(r, 7, 8, 9, now_ms);
		d = (struct digest){ .alg = DIGEST_SHA1 };
		remember(r, 7, 8, &d, now_ms);
		ok(journal_has(r, 7, 8, 9) && recall(r, 7, 8, now_ms, &d), "and it is used again");
		runtime_close(r);
		buf_fini(&image);
		unlink(path);
	}
	free(w);
	free(state);
}

int
main(void)
{
	struct runtime *a, *b;
	char *state;

	setvbuf(stdout, NULL, _IOLBF, 0);	/* children must not print what we have not */
	dir = temp_dir();
	state = new_state("state");
	a = open_good(state);
	b = open_good(state);
	test_state();
	test_mode(a, b);
	test_words(a, b);
	test_random();
	test_workers(a);
	test_full_table(a);
	test_kills(a, b);
	test_kill_kinds(a, b);
	test_forgetting();
	test_journal(a, b);
	runtime_close(a);
	runtime_close(b);
	test_torn();
	test_creation();
	test_latencies();
	test_refused();
	test_unfinished();
	test_damaged();
	free(state);
	free(dir);
	return tap_done();
}
