/* Eight writers at once, while the log is rotated, compressed, searched and followed: no event is lost, doubled, torn or
 * forged.  FIREBREAK_EVENTS says how many each writes. */
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include <zlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "events/event.h"
#include "eventstore/eventstore.h"
#include "t/tap.h"

enum {
	WRITERS = 8, EACH = 400, EACH_MAX = 1 << 24, LINE = 1 << 19, TURNS_MAX = 200, URL_LONG = 65536, LONG_EVERY = 97,
	PAUSE_NS = 2000000, WRITER_PAUSE_NS = 200000,
};

static char *dir, *path;
static uint64_t each = EACH;
static volatile int *done;		/* shared: writers that are through */

static void
pause_ns(long ns)
{
	struct timespec t = { .tv_nsec = ns };

	nanosleep(&t, NULL);
}

/* What W's event I was at MS: its texts are what a client could send to forge others, some of them long. */
static void
format(int w, uint64_t i, int64_t ms, struct buf *out)
{
	static const char *const nasty[] = {
		"\n{\"@timestamp\":\"x\",\"event\":{\"id\":\"1M83ME10C4HM007J\",\"action\":\"blocked\"}}\n", "\",\"x\":\"", "\\", "\xff\xfe\xc3",
		"\033[2J\007", "\r\n\r\n", "'; DROP TABLE event; --", "\xe2\x80\xae" "b\xc3\xbc" "cher",
	};
	static char url[URL_LONG + 1];
	char user[64];
	struct event e;

	event_init(&e);
	e.time_ms = ms;
	incident_make(ms, (unsigned)w, (unsigned)(i & 0x7fff), e.id);
	e.reason = "host";
	snprintf(user, sizeof(user), "w%d-%ju", w, (uintmax_t)i);
	e.user = slice_str(user);
	snprintf(url, sizeof(url), "http://h%d.example/%s", w, nasty[i % (sizeof(nasty) / sizeof(*nasty))]);
	if (i % LONG_EVERY == 0)
		memset(url, 'a' + w, URL_LONG);
	e.url = slice_str(url);
	url[URL_LONG] = '\0';
	event_format(&e, out);
	if (i % LONG_EVERY == 0)
		memset(url, 0, sizeof(url));
}

static int
write_all(int w)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);
	struct buf line;
	int failed = 0;

	buf_init(&line, LINE);
	for (uint64_t i = 0; i < each; i++) {
		buf_reset(&line);
		format(w, i, clock_ms(), &line);
		failed |= event_log_write(log, buf_slice(&line)) == -1;
		if (each <= EACH)
			pause_ns(WRITER_PAUSE_NS);
	}
	event_log_free(log);
	buf_fini(&line);
	__sync_fetch_and_add(done, 1);
	return failed;
}

/* ---- rotation, as logrotate does it with delaycompress ---- */

static void
name_of(char out[static 64], int turn, bool gz)
{
	snprintf(out, 64, turn == 0 ? "log" : gz ? "log.%d.gz" : "log.%d", turn);
}

static void
compress_turn(int turn)
{
	char name[64], block[65536], *from, *to;
	gzFile gz;
	ssize_t n;
	int fd;

	name_of(name, turn, false);
	from = file_join(dir, name);
	name_of(name, turn, true);
	to = file_join(dir, name);
	if ((fd = open(from, O_RDONLY)) != -1) {
		gz = gzopen(to, "wb1");
		while ((n = read(fd, block, sizeof(block))) > 0)
			gzwrite(gz, block, (unsigned)n);
		gzclose(gz);
		close(fd);
		unlink(from);
	}
	free(from);
	free(to);
}

static void
move_turn(int turn, bool gz)
{
	char name[64], *from, *to;

	name_of(name, turn, gz);
	from = file_join(dir, name);
	name_of(name, turn + 1, gz);
	to = file_join(dir, name);
	rename(from, to);
	free(from);
	free(to);
}

static void
rotate(int turns)
{
	compress_turn(1);
	for (int turn = turns; turn > 0; turn--)
		move_turn(turn, true);
	move_turn(0, false);
}

/* ---- searching meanwhile ---- */

struct tally {
	uint64_t	 n, doubled, forged;
	unsigned char	*seen;		/* a bit an event */
	struct eventstore *s;
	bool		 lines;
};

/* The writer and the number of ROW; -1 when nobody wrote it. */
static int
who(const struct event_row *row, uint64_t *i)
{
	struct slice head, tail = row->words[EVENT_WORD_USER];
	uint64_t w;

	if (!slice_cut(tail, '-', &head, &tail) || head.len < 2 || *head.p != 'w' || slice_u64(slice_skip(head, 1), &w) == -1 ||
	    w >= WRITERS || slice_u64(tail, i) == -1 || *i >= each)
		return -1;
	return (int)w;
}

/* The line of ROW is what was written, to the last byte. */
static bool
is_line(struct tally *t, const struct event_row *row, int w, uint64_t i)
{
	struct buf line, expected;
	bool same;

	buf_init(&line, LINE);
	buf_init(&expected, LINE);
	format(w, i, row->ms, &expected);
	same = eventstore_line(t->s, row, &line, NULL) == 0 && slice_eq(buf_slice(&line), slice_head(buf_slice(&expected), expected.len - 1));
	buf_fini(&line);
	buf_fini(&expected);
	return same;
}

static int
visit(void *arg, const struct event_row *row)
{
	struct tally *t = arg;
	uint64_t i = 0, bit;
	int w = who(row, &i);

	t->n++;
	if (w == -1 || (t->lines && !is_line(t, row, w, i))) {
		t->forged++;
		return 0;
	}
	bit = (uint64_t)w * each + i;
	t->doubled += (t->seen[bit / 8] >> bit % 8 & 1) != 0;
	t->seen[bit / 8] |= (unsigned char)(1 << bit % 8);
	return 0;
}

static struct tally
tally_of(struct eventstore *s, bool lines)
{
	struct tally t = { .s = s, .lines = lines, .seen = calloc(1, WRITERS * each / 8 + 1) };
	struct event_query all = { 0 };

	if (eventstore_search(s, &all, visit, &t, NULL) != 0)
		t.forged++;
	return t;
}

/* Search as a new process would: what was there once stays. */
static int
search_on(void)
{
	uint64_t before = 0;
	int bad = 0;

	for (bool last = false; !last;) {
		struct eventstore *s;
		struct tally t;

		last = *done == WRITERS;
		s = eventstore_open(path, NULL);
		if (s == NULL || eventstore_update(s, NULL) != 0)
			return 1;
		t = tally_of(s, false);
		bad |= t.doubled > 0 || t.forged > 0 || t.n < before;
		before = t.n;
		free(t.seen);
		eventstore_close(s);
		pause_ns(PAUSE_NS);
	}
	return bad;
}

static int
follow_on(void)
{
	struct tally t = { .seen = calloc(1, WRITERS * each / 8 + 1), .lines = true };
	struct eventstore *s = eventstore_open(path, NULL), *f;
	struct event_query all = { 0 };
	int bad = 0;

	/* Before the first event: it will see all. */
	if (s == NULL || eventstore_update(s, NULL) != 0 || (f = eventstore_follow(s, NULL)) == NULL)
		return 1;
	eventstore_close(s);
	*done = 0;
	t.s = f;
	for (bool last = false; !last;) {
		last = *done == WRITERS;
		bad |= eventstore_update(f, NULL) != 0 || eventstore_search(f, &all, visit, &t, NULL) != 0 || eventstore_forget(f, NULL) != 0;
		pause_ns(PAUSE_NS);
	}
	eventstore_close(f);
	free(t.seen);
	return bad || t.n != WRITERS * each || t.doubled > 0 || t.forged > 0;
}

static pid_t
start(int (*what)(void))
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(what());
	return pid;
}

static bool
ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void
is_complete(const char *name)
{
	struct eventstore *s = eventstore_open(path, NULL);
	struct diag diag = { 0 };
	struct tally t = { 0 };
	int r = eventstore_update(s, &diag);

	t = tally_of(s, true);
	is_int(r, 0, name);
	is_int((long long)diag.n, 0, "nothing that is no event");
	diag_print(&diag, stdout);
	diag_fini(&diag);
	is_int((long long)t.n, (long long)(WRITERS * each), "as many as were written: none is lost");
	is_int((long long)t.doubled, 0, "none is doubled");
	is_int((long long)t.forged, 0, "none is torn or forged");
	free(t.seen);
	eventstore_close(s);
}

static void
remove_index(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while ((entry = readdir(d)) != NULL)
		if (slice_starts(slice_str(entry->d_name), SLICE("log.index.")))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

int
main(void)
{
	const char *long_form = getenv("FIREBREAK_EVENTS");
	pid_t writers[WRITERS], searchers[2], follower;
	int turns = 0, good = 0;

	if (long_form != NULL && (slice_u64(slice_str(long_form), &each) == -1 || each == 0 || each > EACH_MAX))
		each = EACH;
	dir = temp_dir();
	path = file_join(dir, "log");
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*done = -1;
	follower = start(follow_on);
	while (*done == -1)
		pause_ns(PAUSE_NS);
	for (int w = 0; w < WRITERS; w++)
		if ((writers[w] = fork()) == 0)
			_exit(write_all(w));
	for (int i = 0; i < 2; i++)
		searchers[i] = start(search_on);
	for (; *done < WRITERS; turns += turns < TURNS_MAX) {
		if (turns < TURNS_MAX)
			rotate(turns);
		for (int i = 0; i < 10 && *done < WRITERS; i++)
			pause_ns(each > EACH ? 50 * PAUSE_NS : PAUSE_NS);
	}
	for (int w = 0; w < WRITERS; w++)
		good += ended_well(writers[w]);
	is_int(good, WRITERS, "every write went well");
	ok(turns >= 2, "rotated while they wrote");
	ok(ended_well(searchers[0]) && ended_well(searchers[1]), "searched meanwhile: never fewer than before, none doubled or forged");
	ok(ended_well(follower), "followed meanwhile: each event once");
	is_complete("by the index that they made");
	remove_index();
	is_complete("by a new one");
	free(path);
	free(dir);
	return tap_done();
}
