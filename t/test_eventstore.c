/* The store of events: through rotation, compression, copies, damage and deletion nothing is lost, doubled or forged. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <zlib.h>

#include "base/file.h"
#include "events/event.h"
#include "eventstore/eventstore.h"
#include "t/tap.h"

enum { LINE = 1 << 18 };
static const int64_t base_ms = INT64_C(1795418400000);
static char *dir, *path;

/* ---- making logs ---- */

/* Event I of a log: a second after the one before. */
static void
line_of(int i, struct buf *out)
{
	char host[64], user[64], url[200], client[64], rule[64];
	struct digest d = { .alg = DIGEST_MD5, .b = { (uint8_t)i, (uint8_t)(i >> 8) } };
	struct event e;

	event_init(&e);
	e.time_ms = base_ms + i * INT64_C(1000);
	incident_make(e.time_ms, 1, (unsigned)i, e.id);
	e.action = i % 5 == 0 ? EVENT_KILLED : EVENT_BLOCKED;
	e.reason = "host";
	snprintf(host, sizeof(host), "h%d.example.net", i % 3);
	snprintf(user, sizeof(user), "User%d", i % 4);
	snprintf(client, sizeof(client), "192.0.2.%d", i % 7);
	snprintf(url, sizeof(url), "http://%s/path_%d%%x", host, i);
	snprintf(rule, sizeof(rule), "local:%d", i % 2);
	e.host = slice_str(host);
	e.user = slice_str(user);
	e.client_ip = slice_str(client);
	e.url = slice_str(url);
	e.rule_id = slice_str(rule);
	e.rule_ruleset = SLICE("local");
	e.alert = SLICE("19190");
	e.digests[DIGEST_MD5] = &d;
	event_format(&e, out);
}

/* The file NAME gets events FROM to TO, without the latter, or more of them. */
static void
write_events(const char *name, int from, int to, bool append)
{
	char *file = file_join(dir, name);
	int fd = open(file, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0640);
	struct buf b;

	buf_init(&b, 256 << 20);
	for (int i = from; i < to; i++)
		line_of(i, &b);
	ok(fd != -1 && file_write_all(fd, buf_slice(&b)) == 0, "%s has %d to %d", name, from, to);
	close(fd);
	buf_fini(&b);
	free(file);
}

static void
append_text(const char *name, struct slice text)
{
	char *file = file_join(dir, name);
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0640);

	file_write_all(fd, text);
	close(fd);
	free(file);
}

static void
move(const char *from, const char *to)
{
	char *a = file_join(dir, from), *b = file_join(dir, to);

	rename(a, b);
	free(a);
	free(b);
}

static void
compress_file(const char *name)
{
	char *from = file_join(dir, name), *to;
	struct buf b;
	gzFile gz;

	buf_init(&b, 256 << 20);
	file_read(from, &b);
	if (asprintf(&to, "%s.gz", from) == -1)
		abort();
	gz = gzopen(to, "wb");
	gzwrite(gz, b.p, (unsigned)b.len);
	gzclose(gz);
	unlink(from);
	free(from);
	free(to);
	buf_fini(&b);
}

static void
copy_file(const char *from, const char *to, size_t cut)
{
	char *a = file_join(dir, from), *b = file_join(dir, to);
	struct buf text;

	buf_init(&text, 256 << 20);
	file_read(a, &text);
	text.len -= cut;
	file_write(b, buf_slice(&text), 0640);
	buf_fini(&text);
	free(a);
	free(b);
}

/* The index beside the log; the caller's, NULL when there is none. */
static char *
find_index(void)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char *found = NULL;

	while (found == NULL && (entry = readdir(d)) != NULL)
		if (slice_starts(slice_str(entry->d_name), SLICE("log.index.")) &&
		    !slice_ends(slice_str(entry->d_name), SLICE("-journal")))
			found = file_join(dir, entry->d_name);
	closedir(d);
	return found;
}

static void
remove_index(void)
{
	char *index = find_index();

	if (index != NULL)
		unlink(index);
	free(index);
}

static void
fresh(void)
{
	remove_tree(dir);
	mkdir(dir, 0755);
}

/* ---- asking ---- */

struct found {
	struct eventstore *s;
	size_t	 n, lines, wrong;
	int64_t	 last_ms;
	int	 first, last;		/* numbers of events */
};

static int
number_of(const struct event_row *row)
{
	return (int)((row->ms - base_ms) / 1000);
}

static int
visit(void *arg, const struct event_row *row)
{
	struct found *f = arg;
	int i = number_of(row);

	f->wrong += row->ms < f->last_ms;
	f->first = f->n == 0 ? i : f->first;
	f->last = i;
	f->last_ms = row->ms;
	f->n++;
	return 0;
}

/* The same, and the line is what was written. */
static int
visit_line(void *arg, const struct event_row *row)
{
	struct found *f = arg;
	struct buf line, expected;

	buf_init(&line, LINE);
	buf_init(&expected, LINE);
	line_of(number_of(row), &expected);
	f->lines += eventstore_line(f->s, row, &line, NULL) == 0 &&
	    slice_eq(buf_slice(&line), slice_head(buf_slice(&expected), expected.len - 1));
	buf_fini(&line);
	buf_fini(&expected);
	return visit(arg, row);
}

static struct found
search(struct eventstore *s, const struct event_query *q, bool lines)
{
	struct found f = { .s = s };

	if (eventstore_search(s, q, lines ? visit_line : visit, &f, NULL) != 0)
		f.wrong++;
	return f;
}

/* A new process' view: events FROM to TO are there once, and nothing else; SAID (may be NULL) is among the findings. */
static void
is_all(int from, int to, const char *said, const char *name)
{
	struct event_query all = { 0 };
	struct diag diag = { 0 };
	struct eventstore *s = eventstore_open(path, &diag);
	int r = s == NULL ? -1 : eventstore_update(s, &diag);
	struct found f = { .wrong = 1 };
	bool heard = said == NULL && diag.n == 0;

	if (r != -1)
		f = search(s, &all, to - from < 3000);
	for (size_t i = 0; i < diag.n; i++)
		heard |= said != NULL && strstr(diag.v[i].text, said) != NULL;
	if (r == -1)
		diag_print(&diag, stdout);
	if (!ok(r != -1 && f.n == (size_t)(to - from) && f.wrong == 0, "%s: all, once, in order", name) ||
	    !ok(f.n == 0 || (f.first == from && f.last == to - 1), "%s: from the first to the last", name) ||
	    !ok(to - from >= 3000 || f.lines == f.n, "%s: and their lines", name))
		printf("# r %d, %zu found, %zu lines, %d to %d, wrong %zu\n", r, f.n, f.lines, f.first, f.last, f.wrong);
	if (!ok(heard, "%s: says %s", name, said == NULL ? "nothing" : said))
		diag_print(&diag, stdout);
	eventstore_close(s);
	diag_fini(&diag);
}

/* ---- rotation ---- */

static void
test_rotation(void)
{
	struct stat st;
	char *index;

	is_all(0, 0, NULL, "no log");
	write_events("log", 0, 100, false);
	is_all(0, 100, NULL, "a log");
	index = find_index();
	ok(index != NULL && stat(index, &st) == 0 && (st.st_mode & 07777) == 0660, "the index is the group's, whatever the umask");
	write_events("log", 100, 150, true);
	free(index);
	is_all(0, 150, NULL, "it grew");
	move("log", "log.1");
	is_all(0, 150, NULL, "moved away");
	write_events("log.1", 150, 160, true);
	write_events("log", 160, 200, false);
	is_all(0, 200, NULL, "a late line in the old one, and a new one");
	move("log.1", "log.2");
	move("log", "log.1");
	write_events("log", 200, 300, false);
	compress_file("log.2");
	is_all(0, 300, NULL, "moved twice and compressed");
	compress_file("log.1");
	move("log.2.gz", "log.3.gz");
	move("log.1.gz", "log.2.gz");
	is_all(0, 300, NULL, "compressed unseen, and moved");
	remove_index();
	is_all(0, 300, NULL, "without its index");
	move("log.3.gz", "gone");
	is_all(160, 300, NULL, "the oldest is deleted");
	move("gone", "log-20261123.gz");
	is_all(0, 300, NULL, "and back under another name");
}

static void
test_copytruncate(void)
{
	char *log = file_join(dir, "log");

	fresh();
	write_events("log", 0, 100, false);
	is_all(0, 100, NULL, "before a copy");
	copy_file("log", "log.1", 0);
	is_all(0, 100, NULL, "beside its copy");
	write_events("log", 100, 120, true);
	is_all(0, 120, NULL, "longer than its copy");
	copy_file("log", "log.1", 0);
	truncate(log, 0);
	is_all(0, 120, NULL, "emptied");
	write_events("log", 120, 300, true);
	is_all(0, 300, NULL, "and filled again, longer than it was");
	copy_file("log", "log.1.gz", 0);
	is_all(0, 300, NULL, "a file named .gz that is none, which its plain one hides");
	copy_file("log", "log.9", 57);
	is_all(0, 300, "its last line has no end", "a copy that was cut");
	free(log);
}

/* A file's events were known as another's copy, which is then deleted. */
static void
test_copy_remains(void)
{
	char *one = file_join(dir, "log.1");

	fresh();
	write_events("log.1", 0, 50, false);
	write_events("log.2", 0, 50, false);
	write_events("log", 50, 60, false);
	is_all(0, 60, NULL, "two files of one content");
	unlink(one);
	is_all(0, 60, NULL, "one of them deleted");
	write_events("log.3", 10, 70, false);
	is_all(0, 70, NULL, "one that has some of them");
	free(one);
}

/* Same name, same beginning, another content. */
static void
test_replaced(void)
{
	fresh();
	write_events("log.1", 0, 50, false);
	write_events("log", 50, 60, false);
	is_all(0, 60, NULL, "before");
	write_events("log.1", 0, 10, false);
	write_events("log.1", 20, 50, true);
	write_events("log.2", 10, 20, false);
	is_all(0, 60, NULL, "a file that was written anew");
	compress_file("log.1");
	is_all(0, 60, NULL, "compressed");
	write_events("log.1", 0, 5, false);
	write_events("log.1", 30, 50, true);
	write_events("log.4", 5, 10, false);
	write_events("log.5", 20, 30, false);
	compress_file("log.1");
	is_all(0, 60, NULL, "and replaced by another that begins like it");
}

/* ---- what cannot be read ---- */

static void
test_damage(void)
{
	static const struct slice bad[] = {
		SLICE("no json\n"), SLICE("{}\n"), SLICE("{\"event\":{\"id\":\"1M83ME10C4HM007J\"\n"),
		SLICE("{\"event\":{\"id\":\"1M83ME10C4HM007X\"}}\n"), SLICE("[1]\n"), SLICE("\0\0\0\n"), SLICE("\xff\xfe\n"),
		SLICE("{\"event\":{\"id\":\"1M83ME10C4HM007J\",\"id\":\"1M83ME10C4HM007J\"}}\n"), SLICE("\"event\":{\"id\":\"\n"),
	};
	struct buf line;

	fresh();
	write_events("log", 0, 10, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		append_text("log", bad[i]);
	append_text("log", SLICE("\n\n"));
	write_events("log", 10, 20, true);
	is_all(0, 20, "9 lines are no events", "nine lines that are none");
	is_all(0, 20, "9 lines are no events", "which is said again");
	buf_init(&line, 4 << 20);
	for (int i = 0; i < 3 << 20; i++)
		buf_add_char(&line, 'x');
	append_text("log", buf_slice(&line));
	is_all(0, 20, "9 lines are no events", "three megabytes of a line");
	append_text("log", SLICE("\n"));
	write_events("log", 20, 30, true);
	is_all(0, 30, "10 lines are no events or too long", "a line that is too long");
	buf_reset(&line);
	line_of(30, &line);
	append_text("log", slice_head(buf_slice(&line), 100));
	is_all(0, 30, "10 lines", "a writer in the middle of a line");
	append_text("log", slice_skip(buf_slice(&line), 100));
	is_all(0, 31, "10 lines", "and at its end");
	buf_fini(&line);
}

static void
test_unreadable(void)
{
	char *cut = file_join(dir, "log.2.gz");

	fresh();
	write_events("log.2", 0, 2000, false);
	compress_file("log.2");
	write_events("log", 2000, 2010, false);
	is_all(0, 2010, NULL, "before");
	write_events("log.1", 2010, 2020, false);
	move("log.1", "log.1.xz");
	is_all(0, 2010, "only gzip", "another compression");
	truncate(cut, 3);
	is_all(2000, 2010, "only gzip", "a compressed file of which nothing is left");
	free(cut);
}

/* Nothing that a URL has can make or hide an event, or break the index. */
static void
test_wire(void)
{
	static const char *const nasty[] = {
		"http://x/'; DROP TABLE event; --", "http://x/\n{\"event\":{\"id\":\"1M83ME10C4HM007J\"}}\n", "http://x/%_\\*?[",
		"http://x/\xff\xfe\x01", "http://x/\xe2\x80\xae", "http://x/\"\\",
	};
	struct event_query all = { 0 }, one = { 0 };
	struct eventstore *s;
	struct event e;
	struct buf b;

	fresh();
	buf_init(&b, 8 << 20);
	for (size_t i = 0; i < sizeof(nasty) / sizeof(*nasty); i++) {
		event_init(&e);
		e.time_ms = base_ms + (int64_t)i * 1000;
		incident_make(e.time_ms, 1, 1, e.id);
		e.url = e.user = e.host = e.rule_id = slice_str(nasty[i]);
		event_format(&e, &b);
	}
	event_init(&e);
	e.time_ms = base_ms + 100000;
	incident_make(e.time_ms, 1, 1, e.id);
	e.url = slice_make(memset(malloc(65536), 'u', 65536), 65536);
	event_format(&e, &b);
	append_text("log", buf_slice(&b));
	s = eventstore_open(path, NULL);
	is_int(eventstore_update(s, NULL), 0, "hostile text");
	is_int((long long)search(s, &all, false).n, sizeof(nasty) / sizeof(*nasty) + 1, "as many events as were written");
	one.url = e.url;
	is_int((long long)search(s, &one, false).n, 1, "a URL of 64 KB is found by all of it");
	one.url = SLICE("'; DROP");
	is_int((long long)search(s, &one, false).n, 1, "a quote is text");
	one.url = SLICE("%_\\");
	is_int((long long)search(s, &one, false).n, 1, "so are the signs of a pattern");
	eventstore_close(s);
	free((char *)(uintptr_t)e.url.p);
	buf_fini(&b);
}

/* ---- searching ---- */

static const struct {
	const char		*name;
	struct event_query	 q;
	int			 n, first, last;
} queries[] = {
	{ "all", { .id = { 0 } }, 840, 0, 839 },
	{ "a client", { .words[EVENT_WORD_CLIENT] = SLICE("192.0.2.3") }, 120, 3, 836 },
	{ "clients", { .words[EVENT_WORD_CLIENT] = SLICE("192.0.*") }, 840, 0, 839 },
	{ "a user, in any case", { .words[EVENT_WORD_USER] = SLICE("uSER1") }, 210, 1, 837 },
	{ "a host", { .words[EVENT_WORD_HOST] = SLICE("h2.example.net") }, 280, 2, 839 },
	{ "a host and all below", { .words[EVENT_WORD_HOST] = SLICE(".example.net") }, 840, 0, 839 },
	{ "a host that is not there", { .words[EVENT_WORD_HOST] = SLICE("example.net") }, 0, 0, 0 },
	{ "a part of a name is none", { .words[EVENT_WORD_HOST] = SLICE(".ample.net") }, 0, 0, 0 },
	{ "a rule", { .words[EVENT_WORD_RULE] = SLICE("local:1") }, 420, 1, 839 },
	{ "a source", { .words[EVENT_WORD_SOURCE] = SLICE("local") }, 840, 0, 839 },
	{ "an alert", { .words[EVENT_WORD_ALERT] = SLICE("19190") }, 840, 0, 839 },
	{ "an action", { .words[EVENT_WORD_ACTION] = SLICE("killed") }, 168, 0, 835 },
	{ "a reason", { .words[EVENT_WORD_REASON] = SLICE("file") }, 0, 0, 0 },
	{ "all of two", { .words[EVENT_WORD_ACTION] = SLICE("killed"), .words[EVENT_WORD_RULE] = SLICE("local:1") }, 84, 5, 835 },
	{ "a URL", { .url = SLICE("H0.EXAMPLE.NET/path_42%X") }, 1, 42, 42 },
	{ "a part of one", { .url = SLICE("path_83") }, 11, 83, 839 },
	{ "an underscore is one", { .url = SLICE("path-83") }, 0, 0, 0 },
	{ "a digest", { .digest = SLICE("070100000000000000000000000000AA") }, 0, 0, 0 },
	{ "a digest, any case", { .digest = SLICE("07010000000000000000000000000000") }, 1, 263, 263 },
	{ "what is none", { .digest = SLICE("0701") }, 0, 0, 0 },
	{ "from a time on", { .from_ms = INT64_C(1795418400000) + 800000 }, 40, 800, 839 },
	{ "up to one, which is not in it", { .to_ms = INT64_C(1795418400000) + 10000 }, 10, 0, 9 },
	{ "the newest", { .newest = 5 }, 5, 835, 839 },
	{ "the newest of some", { .newest = 2, .words[EVENT_WORD_HOST] = SLICE("h0.example.net") }, 2, 834, 837 },
	{ "any word: a client", { .any = SLICE("192.0.2.3") }, 120, 3, 836 },
	{ "any word: a user", { .any = SLICE("user3") }, 210, 3, 839 },
	{ "any word: a source", { .any = SLICE("local") }, 840, 0, 839 },
	{ "any word: none", { .any = SLICE("nothing") }, 0, 0, 0 },
	{ "no number", { .id = SLICE("nothing") }, 0, 0, 0 },
};

static void
test_queries(void)
{
	struct event_query q = { 0 };
	char id[INCIDENT_LEN + 1];
	struct eventstore *s;

	fresh();
	write_events("log.1", 0, 400, false);
	write_events("log", 400, 840, false);
	s = eventstore_open(path, NULL);
	eventstore_update(s, NULL);
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		struct found f = search(s, &queries[i].q, false);

		if (!ok(f.n == (size_t)queries[i].n && f.first == queries[i].first && f.last == queries[i].last && f.wrong == 0, "%s",
		    queries[i].name))
			printf("# %zu, %d to %d\n", f.n, f.first, f.last);
	}
	incident_make(base_ms + 500 * 1000, 1, 500, id);
	q.id = slice_str(id);
	is_int(search(s, &q, true).first, 500, "an incident");
	incident_make(base_ms + 500 * 1000, 1, 501, id);
	is_int((long long)search(s, &q, true).n, 0, "another one of that moment");
	eventstore_close(s);
}

struct counted {
	size_t	 n;
	uint64_t sum, most, clients;
	char	 first[64];
};

static int
count(void *arg, const struct event_count *c)
{
	struct counted *all = arg;

	if (all->n++ == 0)
		snprintf(all->first, sizeof(all->first), "%.*s", SLICE_ARGS(c->word));
	all->sum += c->n;
	all->most = c->n > all->most ? c->n : all->most;
	all->clients = c->clients;
	return 0;
}

static void
test_counts(void)
{
	static const struct { int by; const char *name, *first; size_t n; uint64_t most; } rows[] = {
		{ EVENT_WORD_RULE, "rules", "local:0", 2, 420 }, { EVENT_WORD_HOST, "hosts", "h0.example.net", 3, 280 },
		{ EVENT_WORD_CLIENT, "clients", "192.0.2.0", 7, 120 }, { EVENT_WORD_SOURCE, "sources", "local", 1, 840 },
		{ EVENT_WORD_ACTION, "actions", "blocked", 2, 672 }, { EVENT_BY_HOUR, "hours", "", 1, 840 },
	};
	struct eventstore *s = eventstore_open(path, NULL);
	struct event_query all = { 0 };

	eventstore_update(s, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct counted c = { 0 };

		is_int(eventstore_count(s, &all, rows[i].by, count, &c, NULL), 0, rows[i].name);
		ok(c.n == rows[i].n && c.sum == 840 && c.most == rows[i].most, "%s: %zu, %ju in all", rows[i].name, c.n, (uintmax_t)c.sum);
		is_str(c.first, rows[i].first, "the first of them");
	}
	eventstore_close(s);
}

/* ---- many at once ---- */

enum { READERS = 4, ROUNDS = 20, EACH = 200, KILLS = 8, KILL_EVENTS = 20000, KILL_STEP_NS = 7000000 };

/* Ask again and again: never fewer than before, never one twice. */
static int
ask_often(void)
{
	struct event_query all = { 0 };
	size_t before = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct eventstore *s = eventstore_open(path, NULL);
		struct found f = { .wrong = 1 };

		if (s != NULL && eventstore_update(s, NULL) == 0)
			f = search(s, &all, false);
		eventstore_close(s);
		if (f.wrong > 0 || f.n < before || (f.n > 0 && (size_t)(f.last + 1 - f.first) != f.n))
			return 1;
		before = f.n;
		if (i == ROUNDS / 2)
			remove_index();
	}
	return 0;
}

static void
test_many(void)
{
	int status, failed = 0;

	fresh();
	write_events("log", 0, EACH, false);
	fflush(stdout);
	for (int p = 0; p < READERS; p++)
		if (fork() == 0)
			_exit(ask_often());
	for (int i = 1; i < ROUNDS; i++) {
		char from[32], to[32];

		for (int k = i; k > 1; k--) {
			snprintf(from, sizeof(from), "log.%d.gz", k - 1);
			snprintf(to, sizeof(to), "log.%d.gz", k);
			move(from, to);
		}
		move("log", "log.1");
		write_events("log", i * EACH, (i + 1) * EACH, false);
		compress_file("log.1");
	}
	for (int p = 0; p < READERS; p++)
		failed |= wait(&status) == -1 || status != 0;
	is_int(failed, 0, "readers beside rotation, and beside an index that is removed");
	is_all(0, ROUNDS * EACH, NULL, "after it");
}

/* A reader that is killed, at one moment after the other, leaves an index from which the next one goes on. */
static void
test_killed(void)
{
	fresh();
	write_events("log", 0, KILL_EVENTS, false);
	fflush(stdout);
	for (int i = 0; i < KILLS; i++) {
		const struct timespec t = { .tv_nsec = (i + 1) * (long)KILL_STEP_NS };
		pid_t pid = fork();

		if (pid == 0) {
			eventstore_update(eventstore_open(path, NULL), NULL);
			_exit(0);
		}
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	is_all(0, KILL_EVENTS, NULL, "after readers that were killed");
}

/* What is deleted from the log can be read out of the index no more. */
static void
test_forgotten(void)
{
	char *index, *old = file_join(dir, "log.1");
	struct eventstore *s;
	struct buf b;

	fresh();
	write_events("log.1", 0, 500, false);
	append_text("log.1", SLICE("{\"event\":{\"id\":\"1M83ME10C4HM007J\"},\"user\":{\"name\":\"somebody-who-left\"},"
	    "\"url\":{\"original\":\"http://secret-place/\"}}\n"));
	write_events("log", 500, 600, false);
	s = eventstore_open(path, NULL);
	ok(s != NULL && eventstore_update(s, NULL) == 0, "with a name in the older file");
	eventstore_close(s);
	unlink(old);
	is_all(500, 600, NULL, "without that file");
	index = find_index();
	buf_init(&b, 64 << 20);
	ok(file_read(index, &b) == 0 && slice_search(buf_slice(&b), SLICE("User1")) < b.len, "the index has the names that are there");
	ok(slice_search(buf_slice(&b), SLICE("somebody-who-left")) == b.len, "and no name that is not");
	ok(slice_search(buf_slice(&b), SLICE("secret-place")) == b.len, "nor a URL");
	buf_fini(&b);
	free(index);
	free(old);
}

/* ---- without leave to write, and damaged ---- */

static void
test_no_leave(void)
{
	struct event_query all = { 0 };
	struct diag diag = { 0 };
	struct eventstore *s;
	char *index;

	fresh();
	write_events("log", 0, 50, false);
	is_all(0, 50, NULL, "with an index");
	index = find_index();
	write_events("log", 50, 80, true);
	chmod(path, 0);
	chmod(dir, 0555);
	if (geteuid() == 0 && (setgroups(0, NULL) == -1 || setegid(65534) == -1 || seteuid(65534) == -1)) {
		ok(true, "without leave to write # SKIP seteuid");
		return;
	}
	chmod(index, 0444);
	s = eventstore_open(path, &diag);
	is_int(s == NULL ? -2 : eventstore_update(s, &diag), 1, "a log that one may not read is said");
	eventstore_close(s);
	seteuid(getuid());
	chmod(path, 0644);
	chmod(index, 0644);
	free(index);
	if (geteuid() == 0 && seteuid(65534) == -1)
		ok(false, "seteuid");
	diag_fini(&diag);
	s = eventstore_open(path, &diag);
	ok(s != NULL && eventstore_update(s, &diag) == 0, "without leave to write");
	is_int((long long)search(s, &all, true).lines, 80, "all that is there");
	ok(diag.n == 1 && diag.v[0].level == DIAG_NOTE && strstr(diag.v[0].text, "cannot be kept") != NULL, "and it says so");
	eventstore_close(s);
	seteuid(getuid());
	setegid(getgid());
	chmod(dir, 0755);
	diag_fini(&diag);
	is_all(0, 80, NULL, "afterwards");
}

static void
append_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0660);

	file_write_all(fd, slice_str(text));
	close(fd);
}

static void
test_damaged_index(void)
{
	char *index, *journal = NULL;
	struct buf b;

	fresh();
	write_events("log", 0, 2000, false);
	append_text("log.index.0", SLICE("this is no database, and quite long enough to be one if it were, as its head would have a hundred "
	    "bytes, which this has"));
	is_all(0, 2000, "made anew", "no database");
	append_text("log.index.1-journal", SLICE("of one that is gone"));
	index = find_index();
	if (asprintf(&journal, "%s-journal", index) != -1)
		append_file(journal, "of no meaning");
	is_all(0, 2000, NULL, "journals of no meaning");
	buf_init(&b, 64 << 20);
	file_read(index, &b);
	for (size_t at = 8192; at < b.len; at += 4096)
		memset(b.p + at, 0x5a, b.len - at < 2048 ? b.len - at : 2048);
	file_write(index, buf_slice(&b), 0660);
	buf_fini(&b);
	write_events("log", 2000, 2010, true);
	is_all(0, 2010, "made anew", "pages of nonsense");
	unlink(index);
	append_file(index, "");
	is_all(0, 2010, NULL, "an empty file");
	free(index);
	free(journal);
}

/* ---- following ---- */

static void
is_new(struct eventstore *f, int from, int to, const char *name)
{
	struct event_query all = { 0 };
	struct found got = { .wrong = 1 };

	if (eventstore_update(f, NULL) == 0)
		got = search(f, &all, true);
	if (!ok(got.n == (size_t)(to - from) && got.lines == got.n && got.wrong == 0 && (got.n == 0 || (got.first == from &&
	    got.last == to - 1)), "followed: %s", name))
		printf("# %zu, %d to %d, %zu lines\n", got.n, got.first, got.last, got.lines);
	eventstore_forget(f, NULL);
}

static void
test_follow(void)
{
	struct eventstore *s, *f;
	char *log = file_join(dir, "log");

	fresh();
	write_events("log.1", 0, 20, false);
	compress_file("log.1");
	write_events("log", 20, 40, false);
	s = eventstore_open(path, NULL);
	eventstore_update(s, NULL);
	write_events("log", 40, 50, true);
	f = eventstore_follow(s, NULL);
	eventstore_close(s);
	is_new(f, 40, 50, "what came between");
	is_new(f, 0, 0, "nothing");
	write_events("log", 50, 60, true);
	move("log.1.gz", "log.2.gz");
	move("log", "log.1");
	write_events("log", 60, 70, false);
	is_new(f, 50, 70, "rotation");
	compress_file("log.1");
	write_events("log", 70, 80, true);
	is_new(f, 70, 80, "compression");
	copy_file("log", "log.0", 0);
	is_new(f, 0, 0, "a copy");
	truncate(log, 0);
	write_events("log", 80, 90, true);
	is_new(f, 80, 90, "and the log emptied");
	eventstore_close(f);
	free(log);
}

/* ---- handing events on ---- */

enum { KEPT_ALL = 45000 };

struct handed {
	unsigned char	 seen[KEPT_ALL];
	size_t		 n, bytes, most, wrong;
	struct eventstore *s;
	int64_t		 last;
};

static int
hand_on(void *arg, const struct event_row *row)
{
	struct handed *h = arg;
	struct buf line;
	int i = number_of(row);

	buf_init(&line, LINE);
	if (i < 0 || i >= KEPT_ALL || eventstore_line(h->s, row, &line, NULL) != 0)
		h->wrong++;
	else
		h->seen[i]++;
	h->bytes += line.len;
	h->n++;
	h->last = row->key;
	buf_fini(&line);
	return h->n == h->most;
}

/* Visit at most MOST after an update. */
static void
hand(struct handed *h, struct eventstore *s, size_t most)
{
	struct event_query all = { 0 };

	h->s = s;
	h->n = h->bytes = 0;
	h->most = most;
	if (eventstore_update(s, NULL) == -1 || eventstore_search(s, &all, hand_on, h, NULL) == -1)
		h->wrong++;
}

static struct eventstore *
open_kept(const char *notes, bool new)
{
	bool anew;
	struct eventstore *s = eventstore_follow_in(path, notes, &anew, NULL);

	ok(s != NULL && anew == new, "opened%s", new ? ", for the first time" : " again");
	return s;
}

static void
is_refused(const char *notes, const char *expected)
{
	struct diag diag = { 0 };
	bool anew;

	ok(eventstore_follow_in(path, notes, &anew, &diag) == NULL && diag.n_errors == 1, "refused: %s", expected);
	ok(diag.n_errors == 1 && strstr(diag_first_error(&diag), expected) != NULL, "%s", diag_first_error(&diag));
	diag_fini(&diag);
}

/* Each event is visited until it is forgotten, whatever ends in between, and what one update reads has a bound. */
static void
test_kept(void)
{
	static struct handed h;
	char *notes = file_join(dir, "notes");
	struct eventstore *s;
	size_t never = 0, twice = 0;

	fresh();
	write_events("log.2", 0, 20000, false);
	compress_file("log.2");
	write_events("log.1", 20000, 40000, false);
	write_events("log", 40000, 40010, false);
	s = open_kept(notes, true);
	is_refused(notes, "another process has it");
	hand(&h, s, SIZE_MAX);
	ok(h.n > 0 && h.n < 40010 && h.bytes < EVENTSTORE_STEP + LINE, "an update reads no more than its step: %zu events", h.n);
	eventstore_close(s);
	memset(h.seen, 0, sizeof(h.seen));
	s = open_kept(notes, false);
	hand(&h, s, 100);
	is_int(eventstore_forget_to(s, h.last, NULL), 0, "a hundred are forgotten");
	eventstore_close(s);
	move("log.2.gz", "log.3.gz");
	move("log.1", "log.2");
	move("log", "log.1");
	write_events("log", 40010, KEPT_ALL, false);
	s = open_kept(notes, false);
	do {
		hand(&h, s, SIZE_MAX);
		eventstore_forget(s, NULL);
	} while (h.n > 0);
	is_int((long long)h.wrong, 0, "every line is as it was written");
	for (int i = 0; i < KEPT_ALL; i++) {
		never += h.seen[i] == 0;
		twice += h.seen[i] > 1;
	}
	is_int((long long)never, 0, "none is lost");
	is_int((long long)twice, 0, "none comes again that was forgotten");
	eventstore_close(s);
	file_write(notes, SLICE("no database, but long enough to be looked at as if it were one"), 0600);
	is_refused(notes, "");
	free(notes);
}

int
main(void)
{
	char *top = temp_dir();

	dir = file_join(top, "d");
	path = file_join(dir, "log");
	chmod(top, 0755);
	fresh();
	test_rotation();
	test_copytruncate();
	test_copy_remains();
	test_replaced();
	test_damage();
	test_unreadable();
	test_wire();
	test_queries();
	test_counts();
	test_many();
	test_killed();
	test_forgotten();
	test_no_leave();
	test_damaged_index();
	test_follow();
	test_kept();
	free(path);
	free(dir);
	free(top);
	return tap_done();
}
