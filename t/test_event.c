/* Events: the line, that nothing from the wire can forge one, the log through every mishap, and finding one again. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "events/event.h"
#include "events/late_lines.h"
#include "t/tap.h"

enum { LINE = 1 << 18, MS0 = 24332 };
static const int64_t base_ms = INT64_C(1795418400000);
static struct digest digests[DIGEST_ALGS];

/* An event with everything. */
static struct event
full(void)
{
	struct event e;

	event_init(&e);
	e.time_ms = base_ms + MS0;
	incident_make(e.time_ms, 0x1234, 7, e.id);
	e.action = EVENT_KILLED;
	e.reason = "file";
	e.provider = "respmod";
	e.message = "a listed file";
	e.rule_id = SLICE("alert-19190:file-1");
	e.rule_ruleset = SLICE("alert-19190");
	e.rule_version = 4;
	e.level = 4;
	e.alert = SLICE("19190");
	e.client_ip = SLICE("192.0.2.7");
	e.user = SLICE("user1");
	e.client_token = SLICE("client-x");
	e.user_token = SLICE("user-x");
	e.by = SLICE("uid=1");
	e.about = SLICE("somebody");
	e.note = SLICE("because");
	e.method = SLICE("GET");
	e.url = SLICE("http://files.example.net/patch.exe");
	e.host = SLICE("files.example.net");
	e.status = 200;
	e.file_size = 90112;
	e.file_name = SLICE("patch.exe");
	e.file_path = SLICE("files/patch.exe");
	e.found = "member";
	for (int i = 0; i < DIGEST_ALGS; i++) {
		digests[i] = (struct digest){ .alg = (enum digest_alg)i, .b = { 0xab, 0xcd } };
		e.digests[i] = &digests[i];
	}
	e.delivered = 24576;
	e.mode = "observe";
	e.generation = 17;
	e.worker = 4711;
	e.steps = SLICE("one\ntwo\n");
	return e;
}

static const char full_line[] =
    "{\"@timestamp\":\"2026-11-23T07:20:24.332Z\",\"event\":{\"id\":\"1M83ME10C4HM007J\",\"action\":\"killed\","
    "\"reason\":\"file\",\"provider\":\"respmod\",\"kind\":\"alert\",\"category\":[\"network\"],\"type\":[\"denied\"],"
    "\"dataset\":\"firebreak\"},\"message\":\"a listed file\",\"rule\":{\"id\":\"alert-19190:file-1\",\"version\":4,"
    "\"ruleset\":\"alert-19190\"},\"client\":{\"ip\":\"192.0.2.7\",\"address\":\"client-x\"},"
    "\"user\":{\"name\":\"user1\",\"hash\":\"user-x\"},"
    "\"http\":{\"request\":{\"method\":\"GET\"},\"response\":{\"status_code\":200}},"
    "\"url\":{\"original\":\"http://files.example.net/patch.exe\",\"domain\":\"files.example.net\"},"
    "\"file\":{\"size\":90112,\"name\":\"patch.exe\",\"path\":\"files/patch.exe\",\"hash\":{\"md5\":\"abcd0000000000000000000000000000\","
    "\"sha1\":\"abcd000000000000000000000000000000000000\","
    "\"sha256\":\"abcd000000000000000000000000000000000000000000000000000000000000\"}},"
    "\"firebreak\":{\"level\":4,\"alert\":\"19190\",\"found\":\"member\",\"delivered\":24576,\"mode\":\"observe\",\"generation\":17,\"worker\":4711,"
    "\"by\":\"uid=1\",\"about\":\"somebody\",\"note\":\"because\",\"steps\":[\"one\",\"two\"]},\"observer\":{\"vendor\":\"Firebreak\",\"product\":\"firebreak\",\"type\":\"proxy\"},"
    "\"ecs\":{\"version\":\"8.11\"}}\n";

static const char bare_line[] =
    "{\"@timestamp\":\"1970-01-01T00:00:00.000Z\",\"event\":{\"action\":\"blocked\",\"kind\":\"alert\","
    "\"category\":[\"network\"],\"type\":[\"denied\"],\"dataset\":\"firebreak\"},"
    "\"observer\":{\"vendor\":\"Firebreak\",\"product\":\"firebreak\",\"type\":\"proxy\"},\"ecs\":{\"version\":\"8.11\"}}\n";

/* How many values that are no object are in J. */
static size_t
count_leaves(json_t *j)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	if (!json_is_object(j))
		return 1;
	json_object_foreach(j, key, value)
		n += count_leaves(value);
	return n;
}

static json_t *
at_path(json_t *j, const char *path)
{
	char key[64];

	for (; j != NULL && *path != '\0'; path += *path == '.') {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		j = json_object_get(j, key);
		path += len;
	}
	return j;
}

/* Every key of a full event is in events.def, and every row of events.def is in a full event. */
static void
test_fields(void)
{
	struct event e = full();
	struct buf line;
	json_t *j;

	buf_init(&line, LINE);
	event_format(&e, &line);
	j = json_loadb(line.p, line.len, 0, NULL);
	for (size_t i = 0; i < event_fields_n; i++) {
		bool again = false;

		ok(at_path(j, event_fields[i].path) != NULL, "%s is written", event_fields[i].path);
		for (size_t k = 0; k < i; k++)
			again = again || strcmp(event_fields[i].word, event_fields[k].word) == 0 ||
			    strcmp(event_fields[i].path, event_fields[k].path) == 0;
		ok(!again && *event_fields[i].help != '\0', "%s is there once, with help", event_fields[i].word);
	}
	is_int((long long)count_leaves(j), (long long)event_fields_n, "and nothing else is written");
	json_decref(j);
	buf_fini(&line);
}

static void
test_lines(void)
{
	struct event e = full();
	struct buf line;

	buf_init(&line, LINE);
	is_int(event_format(&e, &line), 0, "an event with everything");
	is_slice(buf_slice(&line), SLICE(full_line), "its line, keys in order");
	event_init(&e);
	is_int(event_format(&e, &line), 0, "an event with nothing, appended");
	is_slice(slice_skip(buf_slice(&line), sizeof(full_line) - 1), SLICE(bare_line), "what is not set is left out");
	buf_reset(&line);
	e.file_size = e.delivered = e.level = 0;
	event_format(&e, &line);
	ok(slice_search(buf_slice(&line), SLICE("\"file\":{\"size\":0}")) < line.len &&
	    slice_search(buf_slice(&line), SLICE("\"firebreak\":{\"level\":0,\"delivered\":0}")) < line.len,
	    "zero bytes and level 0 are something");
	buf_fini(&line);
}

static void
test_actions(void)
{
	static const struct { const char *name, *type; } expected[EVENT_ACTIONS] = {
		{ "blocked", "denied" }, { "killed", "denied" }, { "marked", "denied" }, { "would_block", "allowed" },
		{ "passed_unchecked", "allowed" }, { "warned", "denied" }, { "continued", "allowed" },
		{ "reveal_requested", "denied" }, { "reveal_approved", "allowed" }, { "reveal_denied", "denied" },
		{ "reveal_refused", "denied" }, { "revealed", "allowed" }, { "removed", "allowed" },
	};

	for (int a = 0; a < EVENT_ACTIONS; a++) {
		struct event e = full();
		struct buf line;
		json_t *j;

		buf_init(&line, LINE);
		e.action = (enum event_action)a;
		event_format(&e, &line);
		j = json_loadb(line.p, line.len, 0, NULL);
		is_str(event_action_name(e.action), expected[a].name, "action");
		is_str(json_string_value(at_path(j, "event.action")), expected[a].name, "action in the line");
		is_str(json_string_value(json_array_get(at_path(j, "event.type"), 0)), expected[a].type, "its type");
		json_decref(j);
		buf_fini(&line);
	}
}

static const struct {
	const char	*name;
	struct slice	 text;
	const char	*read;		/* what a JSON reader gets */
} wires[] = {
	{ "a line end", SLICE("a\r\n{\"event\":{}}\n"), "a\\x0d\\x0a{\"event\":{}}\\x0a" },
	{ "quotes", SLICE("\",\"event\":{\"id\":\"1M83ME10C4HM007J\"},\"x\":\""),
	    "\",\"event\":{\"id\":\"1M83ME10C4HM007J\"},\"x\":\"" },
	{ "a backslash at the end", SLICE("a\\"), "a\\" },
	{ "a NUL", SLICE("a\0b"), "a\\x00b" },
	{ "no UTF-8", SLICE("\xff\xfe\xc0\xaf\xed\xa0\x80"), "\\xff\\xfe\\xc0\\xaf\\xed\\xa0\\x80" },
	{ "UTF-8", SLICE("b\xc3\xbc" "cher"), "b\xc3\xbc" "cher" },
	{ "a terminal's escape", SLICE("\033]0;x\007\177"), "\\x1b]0;x\\x07\\x7f" },
	{ "line separators of Unicode", SLICE("a\xe2\x80\xa8" "b"), "a\xe2\x80\xa8" "b" },
	{ "cut UTF-8 at the end", SLICE("a\xe2\x82"), "a\\xe2\\x82" },
};

/* Every text from the wire, with every nasty content. */
static void
test_wire(void)
{
	for (size_t i = 0; i < sizeof(wires) / sizeof(*wires); i++) {
		struct event e = full();
		struct slice text = guard_copy(wires[i].text);
		static const char *const paths[] = { "url.original", "url.domain", "user.name", "client.ip", "firebreak.note", "firebreak.about",
			"http.request.method", "file.name", "rule.id", "rule.ruleset", "firebreak.alert" };
		struct buf line;
		json_t *j;

		buf_init(&line, LINE);
		e.url = e.host = e.user = e.client_ip = e.method = e.file_name = text;
		e.rule_id = e.rule_ruleset = e.alert = e.note = e.about = text;
		is_int(event_format(&e, &line), 0, wires[i].name);
		ok(slice_find(buf_slice(&line), '\n') == line.len - 1, "%s: one line", wires[i].name);
		j = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL);
		is_int((long long)count_leaves(j), (long long)event_fields_n, "no key more or less");
		for (size_t k = 0; k < sizeof(paths) / sizeof(*paths); k++)
			is_str(json_string_value(at_path(j, paths[k])), wires[i].read, paths[k]);
		is_str(json_string_value(at_path(j, "event.id")), e.id, "its own id");
		json_decref(j);
		buf_fini(&line);
	}
}

/* TEXT, byte by byte, as a reader of JSON gets it: what is not UTF-8, and controls, as \xHH. */
static void
add_read(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		size_t n = utf8_sequence(text);

		if (n > 0 && !utf8_is_control(text, n))
			buf_add(out, text.p, n);
		for (size_t i = 0; i < (n > 0 ? n : 1) && (n == 0 || utf8_is_control(text, n)); i++)
			buf_addf(out, "\\x%02x", (unsigned char)text.p[i]);
		text = slice_skip(text, n > 0 ? n : 1);
	}
}

/* Bytes by chance, of which the most are such as are taken by many at once. */
static struct slice
random_text(char *space, size_t max)
{
	static const char *const odd[] = { "\"", "\\", "<", "'", "&", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x94\xa5", "\xc2\x85",
		"\x7f", "\n", "\xff" };
	size_t len = 0, want = (size_t)random() % max;

	while (len < want) {
		long kind = random() % 16;
		const char *one = odd[random() % (long)(sizeof(odd) / sizeof(*odd))];

		if (kind == 0)
			space[len++] = (char)random();
		else if (kind == 1 && strlen(one) <= want - len)
			len += (size_t)(stpcpy(space + len, one) - (space + len));
		else
			space[len++] = (char)('a' + random() % 26);
	}
	return slice_make(space, len);
}

/* What is written is read back as the very bytes, or as what stands for them. */
static void
test_any_bytes(void)
{
	enum { TEXTS = 20000, LONG = 120 };
	char space[LONG + 1];
	struct buf line, expected;
	size_t wrong = 0;

	srandom(1);
	buf_init(&line, LINE);
	buf_init(&expected, LINE);
	for (int i = 0; i < TEXTS; i++) {
		struct slice text = random_text(space, LONG);
		struct event e;
		json_t *j;

		event_init(&e);
		buf_reset(&line);
		buf_reset(&expected);
		e.url = text;
		event_format(&e, &line);
		add_read(&expected, text);
		j = json_loadb(line.p, line.len - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		wrong += !slice_eq(slice_str(json_string_value(at_path(j, "url.original"))), buf_slice(&expected));
		json_decref(j);
	}
	is_int((long long)wrong, 0, "texts of any bytes come back");
	buf_fini(&line);
	buf_fini(&expected);
}

static void
test_too_long(void)
{
	struct event e = full();
	size_t lens[] = { 0, 10, sizeof(full_line) - 2, sizeof(full_line) - 1 };
	struct buf line;

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		int expected = lens[i] == sizeof(full_line) - 1 ? 0 : -1;

		buf_init(&line, lens[i] + 3);
		buf_add_str(&line, "abc");
		ok(event_format(&e, &line) == expected, "into %zu bytes", lens[i]);
		ok(expected == 0 ? line.len == sizeof(full_line) + 2 : slice_eq(buf_slice(&line), SLICE("abc")),
		    "and nothing of it, unless all");
		buf_fini(&line);
	}
	buf_init(&line, 100000);
	e.url = slice_make(calloc(1, 30000), 30000);
	is_int(event_format(&e, &line), -1, "30,000 NULs become four bytes each");
	buf_fini(&line);
	free((char *)(uintptr_t)e.url.p);
}

/* ---- the log ---- */

static char *dir, *path;

static void
is_log(const char *expected, const char *name)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	file_read(path, &b);
	is_slice(buf_slice(&b), slice_str(expected), name);
	buf_fini(&b);
}

static void
test_log(void)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);
	char *moved = file_join(dir, "moved"), *pathless = file_join(dir, "no/such/log");
	char *folder = file_join(dir, "no/such");
	mode_t before = umask(077);
	struct stat st;

	ok(stat(path, &st) == -1, "not opened before the first event");
	is_int(event_log_write(log, SLICE("one\n")), 0, "an event");
	umask(before);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640, "makes the log, 0640 whatever the umask");
	is_int(event_log_write(log, SLICE("two\n")), 0, "another");
	is_log("one\ntwo\n", "both");
	ok(rename(path, moved) == 0 && event_log_write(log, SLICE("three\n")) == 0, "moved away");
	is_log("three\n", "a new log");
	ok(truncate(path, 0) == 0 && event_log_write(log, SLICE("four\n")) == 0, "emptied in place");
	is_log("four\n", "goes on at its start");
	ok(unlink(path) == 0 && event_log_write(log, SLICE("five\n")) == 0, "removed");
	is_log("five\n", "a new log again");
	ok(file_write(path, SLICE("left by anoth"), 0640) == 0 && event_log_write(log, SLICE("six\n")) == 0,
	    "replaced by one that ends within a line");
	is_log("left by anoth\nsix\n", "a newline first");
	event_log_free(log);
	event_log_free(NULL);
	log = event_log_new(path, EVENT_LOG_MODE);
	ok(truncate(path, 3) == 0 && event_log_write(log, SLICE("seven\n")) == 0, "broken while it was closed");
	is_log("lef\nseven\n", "a newline first");
	ok(truncate(path, 2) == 0 && event_log_write(log, SLICE("eight\n")) == 0, "broken while it was open");
	is_log("le\neight\n", "a newline first");
	event_log_free(log);
	log = event_log_new(pathless, EVENT_LOG_MODE);
	errno = 0;
	ok(event_log_write(log, SLICE("x\n")) == -1 && errno == ENOENT, "no folder: lost, and why");
	file_mkdirs(folder, 0755);
	is_int(event_log_write(log, SLICE("x\n")), 0, "works as soon as there is a folder");
	free(folder);
	event_log_free(log);
	free(moved);
	free(pathless);
}

/* Two that write one log and share what is known of its end, as processes do: whatever happens between their lines is seen. */
static void
test_shared_end(void)
{
	struct event_log *a = event_log_new(path, EVENT_LOG_MODE), *b = event_log_new(path, EVENT_LOG_MODE);
	char *moved = file_join(dir, "shared-moved");
	_Atomic uint64_t end = 4711;		/* left by whom nobody knows */

	event_log_share_end(a, &end);
	event_log_share_end(b, &end);
	file_write(path, SLICE("broken"), 0640);
	ok(event_log_write(a, SLICE("one\n")) == 0 && event_log_write(b, SLICE("two\n")) == 0 &&
	    event_log_write(a, SLICE("three\n")) == 0, "in turns");
	is_log("broken\none\ntwo\nthree\n", "a newline where one was missing");
	ok(truncate(path, 14) == 0 && event_log_write(b, SLICE("four\n")) == 0 && event_log_write(a, SLICE("five\n")) == 0, "cut by somebody");
	is_log("broken\none\ntwo\nfour\nfive\n", "is seen by the other one");
	ok(rename(path, moved) == 0 && file_write(path, SLICE("as long, but broken, too."), 0640) == 0, "another file of this length");
	ok(event_log_write(a, SLICE("six\n")) == 0 && event_log_write(b, SLICE("seven\n")) == 0, "is taken up");
	is_log("as long, but broken, too.\nsix\nseven\n", "and looked at");
	event_log_free(a);
	event_log_free(b);
	free(moved);
}

/* Stands for libc's: another process writes HALF before the line does, and is killed in the midst of it.  Each thread has its own,
 * as some tests write from several. */
static _Thread_local struct slice half;

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	struct slice now = half;

	half = SLICE("");
	if (now.len > 0 && write(fd, now.p, now.len) != (ssize_t)now.len)
		abort();
	return syscall(SYS_writev, fd, v, n);
}

/* Between the look at the log's end and the line somebody else writes: half a line swallows no event, a whole one is no matter. */
static void
test_swallowed(void)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);

	unlink(path);
	half = SLICE("{\"a");
	is_int(event_log_write(log, SLICE("{one}\n")), 0, "behind half a line, in a new log");
	is_log("{\"a{one}\n\n{one}\n", "it stands there once more");
	half = SLICE("{\"b");
	is_int(event_log_write(log, SLICE("{two}\n")), 0, "behind half a line, where one's own was the last");
	is_log("{\"a{one}\n\n{one}\n{\"b{two}\n\n{two}\n", "once more");
	half = SLICE("{c}\n");
	is_int(event_log_write(log, SLICE("{three}\n")), 0, "behind a whole one");
	is_log("{\"a{one}\n\n{one}\n{\"b{two}\n\n{two}\n{c}\n{three}\n", "just once");
	half = SLICE("{c}\n{\"d");
	is_int(event_log_write(log, SLICE("{four}\n")), 0, "behind both");
	is_log("{\"a{one}\n\n{one}\n{\"b{two}\n\n{two}\n{c}\n{three}\n{c}\n{\"d{four}\n\n{four}\n", "once more");
	event_log_free(log);
}

/* A disk that is full in the middle of a line: the line is lost, the next one is whole. */
static void
test_full_disk(void)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);
	struct rlimit old, tight;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	file_write(path, SLICE("0123456789\n"), 0640);
	tight = (struct rlimit){ .rlim_cur = 15, .rlim_max = old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &tight);
	errno = 0;
	ok(event_log_write(log, SLICE("abcdefgh\n")) == -1 && errno == ENOSPC, "half a line is a lost event");
	errno = 0;
	ok(event_log_write(log, SLICE("ijkl\n")) == -1 && errno != 0, "so is the next");
	setrlimit(RLIMIT_FSIZE, &old);
	is_log("0123456789\nabcd", "what is there then");
	is_int(event_log_write(log, SLICE("mnop\n")), 0, "with room again");
	is_log("0123456789\nabcd\nmnop\n", "the next line is whole");
	event_log_free(log);
	if (access("/dev/full", W_OK) == 0) {
		log = event_log_new("/dev/full", EVENT_LOG_MODE);
		errno = 0;
		ok(event_log_write(log, SLICE("x\n")) == -1 && errno == ENOSPC, "a full device");
		event_log_free(log);
	} else
		ok(true, "a full device # SKIP no /dev/full");
}

/* What the log does not take is kept, in order and within bounds, and written when it can be. */
static void
test_late(void)
{
	char *folder = file_join(dir, "later"), *later = file_join(dir, "later/log"), *kept_path = path;
	struct event_log *log = event_log_new(later, EVENT_LOG_MODE);
	struct late_lines *l = late_lines_new(log, 12);

	path = later;
	errno = 0;
	ok(late_lines_write(l, SLICE("one\n")) == LATE_KEPT && errno == ENOENT, "no folder: kept, and why");
	is_int(late_lines_write(l, SLICE("two\n")), LATE_KEPT, "the next one as well");
	is_int(late_lines_write(l, SLICE("too long\n")), LATE_LOST, "what does not fit is lost");
	is_int(late_lines_write(l, SLICE("6\n")), LATE_KEPT, "and a short one still fits");
	is_int((int64_t)late_lines_try(l), 3, "three are waiting");
	file_mkdirs(folder, 0755);
	clock_pause(2 * 1000 / LATE_TRIES);
	is_int((int64_t)late_lines_try(l), 0, "none, as soon as there is a folder");
	is_log("one\ntwo\n6\n", "all of them, in order");
	is_int(late_lines_write(l, SLICE("four\n")), LATE_WRITTEN, "and things are as before");
	ok(unlink(later) == 0 && rmdir(folder) == 0 && late_lines_write(l, SLICE("five\n")) == LATE_KEPT, "it fails again");
	file_mkdirs(folder, 0755);
	clock_pause(2 * 1000 / LATE_TRIES);
	is_int(late_lines_write(l, SLICE("six\n")), LATE_WRITTEN, "the next line takes the kept one along");
	is_log("five\nsix\n", "before itself");
	ok(unlink(later) == 0 && rmdir(folder) == 0 && late_lines_write(l, SLICE("seven\n")) == LATE_KEPT, "and again");
	is_int((int64_t)late_lines_free(l), 1, "at the end it says what is lost");
	is_int((int64_t)late_lines_free(NULL), 0, "of nothing nothing");
	event_log_free(log);
	path = kept_path;
	free(folder);
	free(later);
}

static void
test_odd_logs(void)
{
	char *fifo = file_join(dir, "fifo");
	struct event_log *log = event_log_new(dir, EVENT_LOG_MODE);

	errno = 0;
	ok(event_log_write(log, SLICE("x\n")) == -1 && errno == EISDIR, "a folder");
	event_log_free(log);
	log = event_log_new(fifo, EVENT_LOG_MODE);
	ok(mkfifo(fifo, 0600) == 0 && event_log_write(log, SLICE("x\n")) == 0, "a fifo, which nobody reads, does not wait");
	event_log_free(log);
	free(fifo);
}

enum { THREADS = 4, PROCESSES = 3, EACH = 300, WIDE = 3000 };

static void *
write_many(void *log)
{
	char line[WIDE];

	memset(line, 'a' + getpid() % 26, sizeof(line));
	line[WIDE - 1] = '\n';
	for (int i = 0; i < EACH; i++)
		if (event_log_write(log, slice_make(line, sizeof(line))) == -1)
			return log;
	return NULL;
}

/* The log has all lines of write_many(), each of one letter. */
static void
count_lines(void)
{
	size_t lines = 0, bad = 0, cap = 0;
	FILE *f = fopen(path, "r");
	char *line = NULL;
	ssize_t n;

	while ((n = getline(&line, &cap, f)) > 0)
		if (n == WIDE && strspn(line, (char[]){ line[0], '\0' }) == WIDE - 1)
			lines++;
		else
			bad += n != 1;
	fclose(f);
	free(line);
	is_int((long long)lines, PROCESSES * THREADS * EACH, "every line is there");
	is_int((long long)bad, 0, "and whole");
}

/* Threads of several processes, who share a log that was opened before they were. */
static void
test_many_writers(void)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);
	int status, failed = 0;

	unlink(path);
	event_log_write(log, SLICE("\n"));
	fflush(stdout);
	for (int p = 0; p < PROCESSES; p++)
		if (fork() == 0) {
			pthread_t threads[THREADS];
			void *result;

			for (int i = 0; i < THREADS; i++)
				pthread_create(&threads[i], NULL, write_many, log);
			for (int i = 0; i < THREADS; i++) {
				pthread_join(threads[i], &result);
				failed |= result != NULL;
			}
			_exit(failed);
		}
	for (int p = 0; p < PROCESSES; p++)
		failed |= wait(&status) == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	is_int(failed, 0, "every write went well");
	count_lines();
	event_log_free(log);
}

/* ---- finding ---- */

enum { EVENTS = 6000, MANY = 4000 };

static void
line_of(int64_t ms, unsigned counter, char id[static INCIDENT_LEN + 1], struct buf *out)
{
	struct event e = full();

	e.time_ms = ms;
	incident_make(ms, 1, counter, e.id);
	memcpy(id, e.id, sizeof(e.id));
	event_format(&e, out);
}

static void
is_found(const char *id, struct slice expected, const char *name)
{
	struct buf out;
	int r;

	buf_init(&out, LINE);
	buf_add_str(&out, "> ");
	r = event_find(path, id, &out);
	if (expected.p == NULL)
		is_int(r, 1, name);
	else {
		is_int(r, 0, name);
		is_slice(slice_skip(buf_slice(&out), 2), slice_head(expected, expected.len - 1), name);
	}
	buf_fini(&out);
}

/* Find each of some of the N lines of FILE, which the ids IDS belong to; all lines are of one length. */
static void
find_some(struct buf *file, char ids[][INCIDENT_LEN + 1], const size_t *starts, int n, const char *name)
{
	bool good = true;

	file_write(path, buf_slice(file), 0640);
	for (int i = 0; i < n; i += i < 5 || i > n - 6 ? 1 : n / 50) {
		struct buf out;
		struct slice expected = slice_make(file->p + starts[i], starts[i + 1] - starts[i] - 1);

		buf_init(&out, LINE);
		if (event_find(path, ids[i], &out) != 0 || !slice_eq(buf_slice(&out), expected)) {
			good = false;
			printf("# line %d of %d\n", i, n);
		}
		buf_fini(&out);
	}
	ok(good, "%s", name);
}

static char ids[EVENTS + MANY][INCIDENT_LEN + 1];
static size_t starts[EVENTS + MANY + 1];

static void
test_find_orders(void)
{
	struct buf file;
	char id[INCIDENT_LEN + 1];

	buf_init(&file, 64 << 20);
	for (int i = 0; i < EVENTS; i++) {
		starts[i] = file.len;
		line_of(base_ms + i * 1000, (unsigned)i, ids[i], &file);
	}
	starts[EVENTS] = file.len;
	find_some(&file, ids, starts, EVENTS, "sorted");
	incident_make(base_ms + 500, 1, 1, id);
	is_found(id, slice_make(NULL, 0), "a time between two lines");
	incident_make(base_ms - 1, 1, 1, id);
	is_found(id, slice_make(NULL, 0), "before all");
	incident_make(base_ms + INT64_C(1000000000), 1, 1, id);
	is_found(id, slice_make(NULL, 0), "after all");
	incident_make(base_ms + 5000, 2, 5, id);
	is_found(id, slice_make(NULL, 0), "the time of a line, another node");

	buf_reset(&file);
	for (int i = 0; i < EVENTS; i++) {
		starts[i] = file.len;
		line_of(base_ms + (i ^ 3) * 10, (unsigned)i, ids[i], &file);
	}
	find_some(&file, ids, starts, EVENTS, "a little out of order");

	buf_reset(&file);
	for (int i = 0; i < MANY; i++) {
		starts[i] = file.len;
		line_of(base_ms, (unsigned)i, ids[i], &file);
	}
	starts[MANY] = file.len;
	find_some(&file, ids, starts, MANY, "all in one millisecond");

	buf_reset(&file);
	for (int i = 0; i < EVENTS; i++) {
		starts[i] = file.len;
		line_of(base_ms + (i * 2654435761u) % EVENTS, (unsigned)i, ids[i], &file);
	}
	starts[EVENTS] = file.len;
	find_some(&file, ids, starts, EVENTS, "in no order at all");

	buf_reset(&file);
	for (int i = 0; i < EVENTS; i++) {
		starts[i] = file.len;
		line_of(base_ms + (i < EVENTS / 2 ? i : i - 100000) * 1000, (unsigned)i, ids[i], &file);
	}
	starts[EVENTS] = file.len;
	find_some(&file, ids, starts, EVENTS, "a clock that was set back");
	buf_fini(&file);
}

/* Damage between the lines, longer than any window. */
static void
test_find_damage(void)
{
	enum { HOLE = 3 << 20, AROUND = 1500 };
	struct buf file;

	buf_init(&file, 64 << 20);
	for (int i = 0; i < 2 * AROUND; i++) {
		if (i == AROUND) {
			size_t from = file.len;

			buf_reserve(&file, HOLE);
			memset(file.p + from, 0, HOLE);
			file.len += HOLE;
			buf_add_str(&file, "\nnot json\n\n\n{\"event\":{\"id\":\"\n{}\n");
		}
		if (i == AROUND + 5)
			buf_add_str(&file, "{\"@timestamp\":\"x\",\"event\":{\"id\":\"1M83\xff\n");
		starts[i] = file.len;
		line_of(base_ms + i * 1000, (unsigned)i, ids[i], &file);
		starts[i + 1] = file.len;
		if (i % 10 == 0)
			buf_add_str(&file, "garbage\n");
	}
	file_write(path, buf_slice(&file), 0640);
	for (int i = AROUND - 3; i < AROUND + 8; i++) {
		struct slice rest = slice_skip(buf_slice(&file), starts[i]);

		is_found(ids[i], slice_head(rest, slice_find(rest, '\n') + 1), "around a hole of 3 MiB");
	}
	is_found(ids[0], slice_head(buf_slice(&file), slice_find(buf_slice(&file), '\n') + 1), "the first line");
	buf_fini(&file);
}

static void
test_find_ends(void)
{
	char id[INCIDENT_LEN + 1], other[INCIDENT_LEN + 1];
	struct buf line, two, tight;

	buf_init(&line, LINE);
	buf_init(&two, LINE);
	line_of(base_ms, 1, id, &line);
	unlink(path);
	errno = 0;
	ok(event_find(path, id, &two) == -1 && errno == ENOENT, "no log");
	file_write(path, SLICE(""), 0640);
	is_found(id, slice_make(NULL, 0), "an empty log");
	file_write(path, SLICE("\n"), 0640);
	is_found(id, slice_make(NULL, 0), "an empty line");
	file_write(path, buf_slice(&line), 0640);
	is_found(id, buf_slice(&line), "the only line");
	buf_init(&tight, line.len - 2);
	errno = 0;
	ok(event_find(path, id, &tight) == -1 && errno == EFBIG, "a line that does not fit");
	buf_fini(&tight);
	file_write(path, slice_head(buf_slice(&line), line.len - 1), 0640);
	is_found(id, slice_make(NULL, 0), "a last line without its newline is not whole");
	buf_add_slice(&two, slice_head(buf_slice(&line), line.len / 2));
	buf_add_char(&two, '\n');
	buf_add_slice(&two, buf_slice(&line));
	file_write(path, buf_slice(&two), 0640);
	is_found(id, buf_slice(&line), "a broken line with the same id is passed over");
	line_of(base_ms + 1, 2, other, &two);
	is_found(other, slice_make(NULL, 0), "what is not in the file");
	buf_fini(&line);
	buf_fini(&two);
}

/* A URL that looks like the beginning of an event. */
static void
test_find_forged(void)
{
	char id[INCIDENT_LEN + 1], forged[INCIDENT_LEN + 1];
	struct event e = full();
	char url[200];
	struct buf line;

	buf_init(&line, LINE);
	incident_make(base_ms, 9, 9, forged);
	memcpy(id, e.id, sizeof(id));
	snprintf(url, sizeof(url), "http://x/\n{\"@timestamp\":\"x\",\"event\":{\"id\":\"%s\"}}\n", forged);
	e.url = slice_str(url);
	event_format(&e, &line);
	file_write(path, buf_slice(&line), 0640);
	is_found(forged, slice_make(NULL, 0), "an id in a URL is not found");
	is_found(id, buf_slice(&line), "the line's own is");
	buf_fini(&line);
}

int
main(void)
{
	dir = temp_dir();
	path = file_join(dir, "events.jsonl");
	test_lines();
	test_fields();
	test_actions();
	test_wire();
	test_any_bytes();
	test_too_long();
	test_log();
	test_shared_end();
	test_swallowed();
	test_full_disk();
	test_late();
	test_odd_logs();
	test_many_writers();
	test_find_orders();
	test_find_damage();
	test_find_ends();
	test_find_forged();
	free(path);
	free(dir);
	return tap_done();
}
