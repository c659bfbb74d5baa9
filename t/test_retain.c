/* Retention: what is old goes, line by line, and nothing that is younger, whatever is done to the files meanwhile. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "events/event.h"
#include "eventstore/eventstore.h"
#include "eventstore/retain.h"
#include "t/tap.h"

enum { DAY_S = 86400, FILE_MAX = 64 << 20 };

static int64_t now_ms;
static char *dir, *path;

static void
line_at(struct buf *out, int64_t age_s, unsigned n)
{
	struct event e;
	int64_t ms = now_ms - age_s * 1000 + n % 1000;

	event_init(&e);
	e.time_ms = ms;
	incident_make(ms, 1, n, e.id);
	e.reason = "host";
	e.provider = "reqmod";
	e.host = SLICE("a.example");
	event_format(&e, out);
}

static char *
name_of(const char *name)
{
	return file_join(dir, name);
}

static void
put(const char *name, struct slice text, bool packed)
{
	char *to = name_of(name);

	if (packed) {
		gzFile f = gzopen(to, "wb");

		gzwrite(f, text.p, (unsigned)text.len);
		gzclose(f);
	} else
		file_write(to, text, 0640);
	free(to);
}

/* A log NAME with a line of each of AGES (days, ends with -1). */
static void
put_days(const char *name, const int *ages, bool packed)
{
	struct buf text;

	buf_init(&text, FILE_MAX);
	for (unsigned i = 0; ages[i] >= 0; i++)
		line_at(&text, (int64_t)ages[i] * DAY_S + 60, i);
	put(name, buf_slice(&text), packed);
	buf_fini(&text);
}

static bool
exists(const char *name)
{
	char *p = name_of(name);
	bool there = access(p, F_OK) == 0;

	free(p);
	return there;
}

static void
ignore(void *arg, const struct retain_file *file)
{
	(void)arg, (void)file;
}

static struct retain_sum
run(int64_t age_days, int64_t size, int64_t least_days, bool dry)
{
	struct retain_limits l = { .now_ms = now_ms, .age_s = age_days * DAY_S, .size = size, .least_s = least_days * DAY_S, .settle_ms = 1,
		.dry = dry };
	struct retain_sum sum;
	struct diag diag = { 0 };

	if (!ok(retain_log(path, &l, ignore, NULL, &sum, &diag) == 0, "it runs"))
		diag_print(&diag, stdout);
	ok(sum.partly == (diag.n_warnings > 0), "what stays as it is is told");
	diag_fini(&diag);
	return sum;
}

/* How many events the index finds, and that it has read the log as it is. */
static int
count_one(void *arg, const struct event_row *row)
{
	(void)row;
	++*(int *)arg;
	return 0;
}

static int
indexed(void)
{
	struct event_query q = { .newest = 0 };
	struct diag diag = { 0 };
	struct eventstore *s = eventstore_open(path, &diag);
	int n = 0;

	ok(s != NULL && eventstore_update(s, &diag) == 0 && eventstore_search(s, &q, count_one, &n, &diag) == 0, "the index is right");
	eventstore_close(s);
	diag_fini(&diag);
	return n;
}

static void
begin(void)
{
	if (dir != NULL)
		remove_tree(dir);
	free(dir);
	free(path);
	dir = temp_dir();
	path = name_of("events.jsonl");
}

static int
leftovers(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, ".firebreak.retain.", 18) == 0;
	closedir(d);
	return n;
}

static void
test_age(void)
{
	struct retain_sum sum;
	char *p;
	struct stat st, before;

	begin();
	put_days("events.jsonl", (int[]){ 9, 1, 0, -1 }, false);
	put_days("events.jsonl.1", (int[]){ 12, 11, 5, 8, -1 }, false);
	put_days("events.jsonl.2.gz", (int[]){ 20, 13, 7, 6, -1 }, true);
	put_days("events.jsonl-20200101.gz", (int[]){ 30, 29, -1 }, true);
	put_days("other.jsonl.1", (int[]){ 99, -1 }, false);
	p = name_of("events.jsonl.1");
	chmod(p, 0604);
	stat(p, &before);
	is_int(indexed(), 13, "all are found");
	sum = run(10, 0, 0, true);
	is_int(sum.removed, 6, "a dry run says what would go");
	is_int(indexed(), 13, "and changes nothing");
	sum = run(10, 0, 0, false);
	is_int(sum.removed, 6, "the same goes");
	is_int(indexed(), 7, "the rest stays and is found");
	ok(!exists("events.jsonl-20200101.gz") && exists("other.jsonl.1"), "a file of which nothing stays goes; one of another name stays");
	ok(stat(p, &st) == 0 && (st.st_mode & 0777) == 0604 && st.st_mtim.tv_sec == before.st_mtim.tv_sec, "mode and time stay");
	free(p);
	ok(exists("events.jsonl"), "the log has nothing that old, and is not touched");
	sum = run(10, 0, 0, false);
	is_int(sum.removed, 0, "a second time there is nothing");
	sum = run(8, 0, 0, false);
	ok(!exists("events.jsonl"), "with something old in it the log is moved aside");
	is_int(indexed(), 5, "and what is young is found there");
	sum = run(1, 0, 0, false);
	is_int(indexed(), 1, "today's stays");
	is_int(leftovers(), 0, "nothing is left beside");
	begin();
	sum = run(1, 0, 0, false);
	is_int(sum.files, 0, "no log is no log");
}

static void
test_odd_files(void)
{
	struct retain_sum sum;
	struct buf text;

	begin();
	buf_init(&text, FILE_MAX);
	buf_add_str(&text, "garbage before any moment\n");
	line_at(&text, 20 * DAY_S, 1);
	buf_add_str(&text, "garbage of that day\n{\"@timestamp\":\"x\"}\n");
	line_at(&text, 2 * DAY_S, 2);
	buf_add_str(&text, "garbage of a younger day\nand a torn end");
	put("events.jsonl.1", buf_slice(&text), false);
	sum = run(10, 0, 0, false);
	is_int(sum.removed, 3, "damage is as old as what stands before it, or as its file");
	is_int(indexed(), 1, "what is young is found");
	put("events.jsonl.2.gz", SLICE("\x1f\x8b\x08 no gzip"), false);
	put("events.jsonl.3.xz", SLICE("xz"), false);
	sum = run(10, 0, 0, false);
	ok(sum.partly && exists("events.jsonl.2.gz") && exists("events.jsonl.3.xz"), "what cannot be read stays, and is told");
	buf_fini(&text);
	buf_init(&text, FILE_MAX);
	line_at(&text, 20 * DAY_S, 1);
	line_at(&text, 2 * DAY_S, 1);
	for (int i = 0; i < 2 << 20; i++)
		buf_add_char(&text, 'x');
	buf_add_char(&text, '\n');
	put("events.jsonl.4", buf_slice(&text), false);
	sum = run(10, 0, 0, false);
	ok(sum.partly, "a line that is too long and not old keeps its file as it is");
	is_int(leftovers(), 0, "nothing is left beside");
	buf_fini(&text);
}

static void
test_size(void)
{
	struct retain_sum sum;
	struct buf text;

	begin();
	for (int day = 1; day <= 9; day++) {
		char name[64];

		buf_init(&text, FILE_MAX);
		for (unsigned i = 0; i < 100; i++)
			line_at(&text, (int64_t)day * DAY_S + 600 * (100 - i), i);
		snprintf(name, sizeof(name), "events.jsonl.%d", day);
		put(name, buf_slice(&text), false);
		buf_fini(&text);
	}
	sum = run(0, INT64_MAX, 0, false);
	is_int(sum.removed, 0, "with room for all nothing goes");
	sum = run(0, sum.bytes * 2 / 5, 0, true);
	ok(sum.removed > 530 && sum.removed < 560, "with two fifths of the room three fifths would go");
	sum = run(0, sum.bytes * 2 / 5, 0, false);
	ok(!exists("events.jsonl.9") && exists("events.jsonl.1") && sum.bytes_after <= sum.bytes * 2 / 5 && !sum.too_large,
	    "the oldest goes, and there is room");
	ok(exists("events.jsonl.4") && indexed() > 340, "the file between keeps its younger part");
	sum = run(0, 1, 3, false);
	ok(sum.too_large && exists("events.jsonl.1") && exists("events.jsonl.2") && !exists("events.jsonl.4"),
	    "what is younger than the least stays, however little room there is");
	sum = run(2, 0, 0, false);
	ok(exists("events.jsonl.1"), "both ends meet");
}

/* ---- what comes late ---- */

static struct late {
	int		fd;		/* -1: nothing comes */
	bool		full;		/* and then the disk is */
	struct slice	line;
} late = { .fd = -1 };

static void
limit_files(bool full)
{
	struct rlimit l;

	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = full ? 0 : l.rlim_max;
	setrlimit(RLIMIT_FSIZE, &l);
}

/* The library's, and a worker that had the file open and writes a line into it right then. */
int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	int r = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);

	if (r == 0 && late.fd != -1) {
		r = file_write_all(late.fd, late.line);
		close(late.fd);
		late.fd = -1;
		if (late.full)
			limit_files(true);
	}
	return r;
}

/* Take the old from a rotated file of AGES, which gets a line meanwhile. */
static struct retain_sum
run_late(const int *ages, bool full)
{
	struct retain_sum sum;
	struct buf text;
	char *p;

	begin();
	put_days("events.jsonl.1", ages, false);
	buf_init(&text, FILE_MAX);
	line_at(&text, 5, 77);
	p = name_of("events.jsonl.1");
	late = (struct late){ .fd = open(p, O_WRONLY | O_APPEND | O_CLOEXEC), .full = full, .line = buf_slice(&text) };
	sum = run(10, 0, 0, false);
	limit_files(false);
	is_int(late.fd, -1, "a line came late");
	buf_fini(&text);
	free(p);
	return sum;
}

static void
test_late(void)
{
	static const int mixed[] = { 20, 19, 3, -1 }, old[] = { 20, 19, -1 };
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	struct retain_sum sum;

	run_late(mixed, false);
	ok(exists("events.jsonl") && indexed() == 2, "what is written late goes to the log");
	run_late(old, false);
	ok(exists("events.jsonl") && !exists("events.jsonl.1") && indexed() == 1, "also when the file goes");
	sum = run_late(mixed, true);
	ok(sum.partly && sum.removed == 0 && leftovers() == 0, "on a full disk the file stays as it is");
	is_int(indexed(), 4, "with what was written late");
	sum = run_late(old, true);
	ok(sum.partly && sum.removed == 0 && leftovers() == 0, "also one of which nothing would stay");
	is_int(indexed(), 3, "with what was written late");
	run(10, 0, 0, false);
	is_int(indexed(), 1, "the next run takes the old lines, and nothing else");
	signal(SIGXFSZ, before);
}

/* Writers, and one who rotates as logrotate does, while old lines are taken out again and again: none of the young is lost. */
static void
test_meanwhile(void)
{
	enum { WRITERS = 4, EACH = 600, OLD = 500 };
	struct buf text;
	int status, n;
	bool moved = false;

	begin();
	buf_init(&text, FILE_MAX);
	for (unsigned i = 0; i < OLD; i++)
		line_at(&text, 20 * DAY_S, i);
	put("events.jsonl", buf_slice(&text), false);
	buf_fini(&text);
	for (int w = 0; w < WRITERS; w++)
		if (tap_fork() == 0) {
			struct event_log *log = event_log_new(path, 0640);

			for (unsigned i = 0; i < EACH; i++) {
				const struct timespec pause = { .tv_nsec = 500000 };

				buf_init(&text, FILE_MAX);
				line_at(&text, i % 7 == 0 ? 30 * DAY_S : 60, (unsigned)w * EACH + i);
				if (event_log_write(log, buf_slice(&text)) == -1)
					_exit(1);
				buf_fini(&text);
				nanosleep(&pause, NULL);
			}
			event_log_free(log);
			_exit(0);
		}
	for (int i = 0; i < 40; i++) {
		char *one = name_of("events.jsonl.1"), *two = name_of("events.jsonl.2"), *three = name_of("events.jsonl.3");
		struct retain_limits l = { .now_ms = now_ms + i * 1000, .age_s = 10 * DAY_S, .settle_ms = 1 };
		struct retain_sum sum;
		struct diag diag = { 0 };

		if (tap_fork() == 0) {
			if (access(three, F_OK) == -1 && rename(two, three) == -1)
				_exit(0);
			if (access(two, F_OK) == -1)
				rename(one, two);
			if (access(one, F_OK) == -1)
				rename(path, one);
			_exit(0);
		}
		n = retain_log(path, &l, ignore, NULL, &sum, &diag);
		moved |= diag.n_warnings > 0;
		diag_fini(&diag);
		free(one);
		free(two);
		free(three);
	}
	for (n = 0; wait(&status) > 0;)
		n += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	is_int(n, 0, "all writers are through");
	now_ms += 1000 * 1000;
	run(10, 0, 0, false);
	is_int(indexed(), WRITERS * EACH - WRITERS * ((EACH + 6) / 7), "every young event is there, and no old one");
	printf("# a file %s moved while it was read\n", moved ? "was" : "was not");
}

int
main(void)
{
	now_ms = clock_ms();
	test_age();
	test_odd_files();
	test_size();
	test_late();
	test_meanwhile();
	free(dir);
	free(path);
	return tap_done();
}
