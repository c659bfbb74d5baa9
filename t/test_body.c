/* The hold-back: what may go, for every way of feeding and draining, from memory and from disk. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "icap_service/body.h"
#include "t/tap.h"

enum { SMALL = 48, TAIL = 64, TOTAL = 200000, LARGE = 150000, SLACK = 16 * 1024, PIECE = 8192, EVERY = 5000 };

static char
byte_at(uint64_t i)
{
	return (char)(i * 2654435761u >> 13);
}

/* Feed TOTAL bytes in pieces of IN and drain in pieces of OUT; the invariant after each step, the bytes at the end. */
static void
stream(size_t small, size_t tail, size_t in, size_t out)
{
	struct body *b = body_new(small, tail, 0, 0);
	char piece[5000], got[5000];
	uint64_t fed = 0, drained = 0;
	bool held = true, same = true;
	size_t n;

	while (drained < TOTAL) {
		size_t want = fed + in > TOTAL ? TOTAL - fed : in;

		for (size_t i = 0; i < want; i++)
			piece[i] = byte_at(fed + i);
		fed += body_put(b, slice_make(piece, want));
		body_judged(b, fed);
		if (fed > small)
			body_hold_tail(b);
		if (fed == TOTAL)
			body_release(b);
		n = body_get(b, got, out);
		for (size_t i = 0; i < n; i++)
			same = same && got[i] == byte_at(drained + i);
		drained += n;
		if (fed < TOTAL && drained > 0)
			held = held && body_seen(b) - body_sent(b) >= tail;
		if (fed <= small)
			held = held && drained == 0;
	}
	ok(same, "tail %zu, in pieces of %zu and %zu: the same bytes", tail, in, out);
	ok(held, "tail %zu, in pieces of %zu and %zu: the tail was always held", tail, in, out);
	ok(body_empty(b) && body_seen(b) == TOTAL && body_sent(b) == TOTAL, "tail %zu, in pieces of %zu and %zu: all of it", tail, in, out);
	body_free(b);
}

/* ---- held whole, on disk ---- */

static char *folder;

static uint64_t
rnd(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

/* Put the next bytes, at most LEN of them, of the pattern. */
static size_t
put(struct body *b, size_t len)
{
	static char piece[PIECE];

	for (size_t i = 0; i < len; i++)
		piece[i] = byte_at(body_seen(b) + i);
	return body_put(b, slice_make(piece, len));
}

/* Get at most LEN bytes; false when they are not those of the pattern. */
static bool
get(struct body *b, size_t len, size_t *n)
{
	char out[PIECE];
	uint64_t at = body_sent(b);

	*n = body_get(b, out, len);
	for (size_t i = 0; i < *n; i++)
		if (out[i] != byte_at(at + i))
			return false;
	return body_sent(b) == at + *n;
}

/* What a run of drive() came to. */
struct seen {
	bool		same;		/* only bytes of the pattern, in order */
	bool		held;		/* the invariant, at each step */
	bool		moves;		/* it never came to stand */
	uint64_t	out, file;	/* bytes handed out, and the longest that the file was */
};

static uint64_t
file_size(const struct body *b)
{
	struct stat st;

	return body_spool_fd(b) == -1 || fstat(body_spool_fd(b), &st) == -1 ? 0 : (uint64_t)st.st_size;
}

/* Feed SIZE bytes to a body that is held up to WHOLE, in random pieces, judged up to LAG before what was seen, and drain it in random
 * pieces; TICKS: with a trickle whose span passes at each step. */
static struct seen
drive(struct body *b, uint64_t size, uint64_t whole, size_t lag, bool ticks, uint64_t seed)
{
	struct seen s = { true, true, true, 0, 0 };
	unsigned still = 0;
	size_t n, taken;
	int64_t now = 0;

	while (s.moves && s.same && !(body_seen(b) == size && body_empty(b))) {
		uint64_t want = 1 + rnd(&seed) % PIECE, before = body_sent(b), left = size - body_seen(b);

		taken = put(b, (size_t)(want < left ? want : left));
		body_judged(b, body_seen(b) > lag ? body_seen(b) - lag : 0);
		if (body_seen(b) > whole)
			body_hold_tail(b);
		if (body_seen(b) == size)
			body_release(b);
		if (ticks)
			body_tick(b, now += EVERY);
		if (rnd(&seed) % 8 != 0 || body_seen(b) == size)
			s.same = get(b, (size_t)(1 + rnd(&seed) % PIECE), &n);
		else
			n = 0;
		s.out += n;
		if (file_size(b) > s.file)
			s.file = file_size(b);
		if (body_phase(b) != BODY_FREE && body_sent(b) > 0)
			s.held = s.held && body_seen(b) - body_sent(b) >= TAIL + lag;
		if (body_phase(b) == BODY_HELD)
			s.held = s.held && body_sent(b) <= (ticks ? body_seen(b) / BODY_TRICKLE_PART : 0);
		still = taken == 0 && body_sent(b) == before ? still + 1 : 0;
		s.moves = still < 100;
	}
	return s;
}

static void
spooled(uint64_t size, uint64_t whole, size_t lag, bool ticks, uint64_t seed)
{
	struct body *b = body_new(SMALL, TAIL, lag, 0);
	struct seen s;

	body_spool(b, whole, folder);
	if (ticks)
		body_trickle(b, 0, EVERY);
	s = drive(b, size, whole, lag, ticks, seed);
	ok(s.same && s.out == size && body_spool_error(b) == 0, "%llu of %llu, lag %zu%s: the same bytes", (unsigned long long)size,
	    (unsigned long long)whole, lag, ticks ? ", trickling" : "");
	ok(s.held, "... held as they should be");
	ok(s.moves, "... and never stuck");
	ok(s.file <= whole + SLACK && (s.file > 0) == (size > BODY_IN_MEMORY && whole > BODY_IN_MEMORY), "... the file is as long as it may be");
	ok(size == 0 || body_spool_fd(b) == -1, "... and gone as soon as it is out");
	body_free(b);
}

static void
nothing_left_in_folder(void)
{
	ok(rmdir(folder) == 0 && mkdir(folder, 0700) == 0, "nothing with a name was left in the folder");
}

/* ---- disks that fail ---- */

/* In a child, where files may have LIMIT bytes: the exit status is what was wrong. */
static int
with_limit(rlim_t limit, uint64_t size)
{
	struct rlimit rl = { limit, limit };
	struct body *b = body_new(SMALL, TAIL, 100, 0);
	struct seen s;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &rl);
	body_spool(b, 1 << 30, folder);
	s = drive(b, size, 1 << 30, 100, false, limit + 1);
	if (!s.same || s.out != size)
		return 1;
	if (!s.held)
		return 2;
	if (!s.moves)
		return 3;
	if (body_spool_error(b) != EFBIG)
		return 4;
	return s.file > limit ? 5 : 0;
}

static void
full_disk(rlim_t limit, uint64_t size)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	if ((child = fork()) == 0)
		_exit(with_limit(limit, size));
	waitpid(child, &status, 0);
	is_int(status, 0, "a disk that takes no more loses nothing, and the tail is held");
}

static void
no_folder(void)
{
	struct body *b = body_new(SMALL, TAIL, 0, 0);
	struct seen s;

	body_spool(b, 1 << 30, "/nonexistent/folder");
	s = drive(b, 3 * BODY_IN_MEMORY, 1 << 30, 0, false, 7);
	ok(s.same && s.held && s.moves && s.out == 3 * BODY_IN_MEMORY, "no folder for files: as if it had grown too long");
	is_int(body_spool_error(b), ENOENT, "... and the reason is known");
	body_free(b);
}

/* The file loses its end behind the body's back. */
static void
lost_file(uint64_t left)
{
	struct body *b = body_new(SMALL, TAIL, 0, 0);
	bool same = true;
	size_t n = 1;

	body_spool(b, 1 << 30, folder);
	while (body_seen(b) < 4 * BODY_IN_MEMORY)
		put(b, PIECE);
	if (ftruncate(body_spool_fd(b), (off_t)left) == -1)
		abort();
	body_release(b);
	while (n > 0 && same)
		same = get(b, PIECE, &n);
	ok(same && body_sent(b) <= left, "a file that lost its end: no wrong byte");
	ok(body_broken(b) && !body_empty(b), "... and the body is broken");
	ok(get(b, PIECE, &n) && n == 0, "... for good");
	body_free(b);
}

/* ---- the trickle ---- */

static void
trickle(void)
{
	struct body *b = body_new(SMALL, TAIL, 0, 0);
	size_t n;

	body_spool(b, 1 << 20, folder);
	ok(!body_trickles(b) && !body_tick(b, INT64_MAX / 2), "no trickle unless it is asked for");
	body_trickle(b, 1000, EVERY);
	ok(body_trickles(b), "then there is one");
	for (int i = 0; i < 4; i++)
		put(b, 100);
	body_judged(b, 400);
	ok(!body_tick(b, 1000 + EVERY - 1), "nothing before its time");
	ok(get(b, PIECE, &n) && n == 0, "... not a byte either");
	ok(body_tick(b, 1000 + EVERY), "the headers when it has come");
	ok(get(b, PIECE, &n) && n == 0, "... before any byte");
	ok(body_tick(b, 1000 + EVERY + 1) && get(b, PIECE, &n) && n == 0, "... and for a while alone");
	ok(body_tick(b, 1000 + 2 * EVERY) && get(b, PIECE, &n) && n == 1, "then one byte");
	ok(body_tick(b, 1000 + 100 * EVERY) && get(b, PIECE, &n) && n == 1, "one byte also after a long silence");
	ok(body_tick(b, 1001 + 100 * EVERY) && get(b, PIECE, &n) && n == 0, "... which is not made up for");
	for (int i = 101; i < 200; i++)
		body_tick(b, 1000 + i * EVERY);
	ok(get(b, PIECE, &n) && n == 2, "never more than a hundredth: 4 bytes of 400");
	body_judged(b, 400);
	body_free(b);

	/* A tail that is nearly all: what is not judged counts as tail, too. */
	b = body_new(SMALL, TAIL, 0, 0);
	body_spool(b, 1 << 20, folder);
	body_trickle(b, 0, EVERY);
	put(b, 1000);
	body_judged(b, TAIL + 3);
	for (int i = 1; i < 100; i++)
		body_tick(b, i * EVERY);
	ok(get(b, PIECE, &n) && n == 3, "the tail is held");
	ok(body_phase(b) == BODY_HELD, "and it is still held whole, but for that");
	body_hold_tail(b);
	ok(get(b, PIECE, &n) && n == 0, "on the tail that stays so");
	body_release(b);
	ok(get(b, PIECE, &n) && n == 997 && body_empty(b), "free, the rest goes");
	body_free(b);
}

static void
on_disk(void)
{
	folder = temp_dir();
	for (uint64_t seed = 1; seed < 4; seed++) {
		spooled(0, 1000000, 0, false, seed);
		spooled(BODY_IN_MEMORY, 1000000, 0, false, seed);
		spooled(1000000, 1000000, 0, false, seed);
		spooled(1500000, 1000000, 0, false, seed);
		spooled(3000000, 1000000, 5000, false, seed);
		spooled(3000000, 1000000, 5000, true, seed);
		spooled(900000, 1000000, 0, true, seed);
		spooled(300000, 200000, 0, false, seed);
		spooled(300000, 100, 0, true, seed);
	}
	nothing_left_in_folder();
	full_disk(0, 2000000);
	full_disk(1, 2000000);
	full_disk(100000, 1000000);
	full_disk(BODY_IN_MEMORY, 2000000);
	full_disk(BODY_IN_MEMORY + 1, 600000);
	full_disk(1000000, 3000000);
	no_folder();
	lost_file(0);
	lost_file(1);
	lost_file(BODY_IN_MEMORY + 12345);
	trickle();
	nothing_left_in_folder();
	free(folder);
}

int
main(void)
{
	static const size_t pieces[] = { 1, 7, 4096, 5000 };
	struct body *b;
	char out[256];

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		for (size_t j = 0; j < sizeof(pieces) / sizeof(*pieces); j++)
			stream(SMALL, TAIL, pieces[i], pieces[j]);
	/* The ring grows while it is full, and while its content goes round its end. */
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		stream(LARGE, TAIL, pieces[i], 5000);
		stream(SMALL, LARGE, pieces[i], 4096);
		stream(20000, LARGE, pieces[i], 7);
	}

	b = body_new(SMALL, TAIL, 0, 0);
	body_put(b, SLICE("0123456789"));
	is_int((long long)body_get(b, out, sizeof(out)), 0, "held: nothing goes");
	body_hold_tail(b);
	is_int((long long)body_get(b, out, sizeof(out)), 0, "on the tail: shorter than the tail, nothing goes");
	body_release(b);
	is_int((long long)body_get(b, out, 4), 4, "free: as much as is asked for");
	body_hold_tail(b);
	is_int((long long)body_get(b, out, sizeof(out)), 6, "what was freed is not held again");
	ok(body_empty(b), "then it is empty");
	body_free(b);

	b = body_new(SMALL, TAIL, 0, 70000);
	{
		static char big[70000];

		is_int((long long)body_put(b, slice_make(big, sizeof(big))), sizeof(big), "room for a whole preview");
	}
	body_drop(b);
	ok(body_empty(b) && body_get(b, out, sizeof(out)) == 0, "dropped: nothing is left to go");
	body_free(b);
	body_free(NULL);
	on_disk();
	return tap_done();
}
