/* The files of a log: which names rotation gives, and any place of a text that was compressed. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/file.h"
#include "eventstore/log_folder.h"
#include "eventstore/log_lines.h"
#include "t/tap.h"

static const struct { const char *name; bool is; } names[] = {
	{ "events.jsonl", true }, { "events.jsonl.1", true }, { "events.jsonl.12", true }, { "events.jsonl.2.gz", true },
	{ "events.jsonl.gz", true }, { "events.jsonl-20261123", true }, { "events.jsonl-20261123.gz", true },
	{ "events.jsonl-2026-11-23_10.gz", true }, { "events-20261123.jsonl", true }, { "events-20261123.jsonl.gz", true },
	{ "events.1.jsonl", true }, { "events.jsonl.3.xz", true }, { "events.jsonl-1700000000.zst", true },
	{ "events.jsonl.index", false }, { "events.jsonl.index-journal", false }, { "events.jsonl.", false },
	{ "events.jsonl.1.tmp", false }, { "events.jsonl2", false }, { "events", false }, { "events.json", false },
	{ "xevents.jsonl", false }, { ".events.jsonl.1", false }, { "events.jsonl~", false }, { "events.jsonl.1.gz.gz", false },
	{ "events2.jsonl", false }, { "eventsjsonl", false }, { "", false },
};

static void
test_names(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		ok(log_folder_is_sibling(SLICE("events.jsonl"), slice_str(names[i].name)) == names[i].is, "\"%s\" is %s", names[i].name,
		    names[i].is ? "of the log" : "not of the log");
	ok(log_folder_is_sibling(SLICE("events"), SLICE("events.1.gz")), "a log without an ending");
	ok(!log_folder_is_sibling(SLICE(".jsonl"), SLICE("1.jsonl")), "a log that is an ending only");
}

static char *dir;

static void
put(const char *name, const char *text)
{
	char *path = file_join(dir, name);

	file_write(path, slice_str(text), 0640);
	free(path);
}

static void
test_folder(void)
{
	char *path = file_join(dir, "e.log"), *sub = file_join(dir, "e.log.7");
	struct log_folder f;

	ok(log_folder_open(&f, path) == 0 && f.n == 0, "no log yet");
	log_folder_close(&f);
	put("e.log", "a\n");
	put("e.log.1", "b\n");
	put("e.log.1.gz", "half");
	put("e.log.2.gz", "c\n");
	put("e.log.3.xz", "d\n");
	put("other", "e\n");
	mkdir(sub, 0755);
	is_int(log_folder_open(&f, path), 0, "a log");
	is_int((long long)f.n, 4, "its files");
	is_str(f.n > 0 ? f.v[0].name : "", "e.log", "the log itself");
	ok(f.n > 0 && f.v[0].current && f.v[0].fd != -1, "is open, and the current one");
	is_str(f.n > 1 ? f.v[1].name : "", "e.log.1", "the plain file, not its half-made copy");
	is_str(f.n > 2 ? f.v[2].name : "", "e.log.2.gz", "a compressed one");
	ok(f.n > 3 && f.v[3].fd == -1 && f.v[3].error == ENOTSUP, "another compression is told");
	log_folder_close(&f);
	free(path);
	free(sub);
	path = file_join(dir, "no/such/e.log");
	errno = 0;
	ok(log_folder_open(&f, path) == -1 && errno == ENOENT, "no folder");
	free(path);
}

/* ---- any place of a compressed text ---- */

enum { LINES = 60000, POINTS_MAX = 64 };

static struct log_point points[POINTS_MAX];
static size_t n_points;

static void
found(void *arg, const struct log_point *p)
{
	(void)arg;
	if (n_points == POINTS_MAX)
		return;
	points[n_points] = *p;
	points[n_points++].window = slice_make(slice_dup(p->window), p->window.len);
}

/* A text of lines that compress well, and such that do not, into members of MEMBER lines each. */
static void
make_text(const char *path, struct buf *text, int member)
{
	gzFile gz = gzopen(path, "wb6");
	uint32_t x = 1;

	for (int i = 0; i < LINES; i++) {
		size_t from = text->len;

		buf_addf(text, "line %d of a text that is much the same in every line ", i);
		for (int k = 0; k < 8; k++)
			buf_addf(text, "%08x", x = x * 1664525 + 1013904223);
		buf_add_char(text, '\n');
		gzwrite(gz, text->p + from, (unsigned)(text->len - from));
		if (member > 0 && i % member == member - 1) {
			gzclose(gz);
			gz = gzopen(path, "ab6");
		}
	}
	gzclose(gz);
}

static void
is_text(struct log_bytes *b, const struct buf *text, const char *name)
{
	static char out[300000];
	size_t at = (size_t)b->out, want = text->len - at < sizeof(out) ? text->len - at : sizeof(out), len = 0;
	ssize_t n;

	while (len < want && (n = log_bytes_read(b, out + len, want - len)) > 0)
		len += (size_t)n;
	ok(len == want && memcmp(out, text->p + at, len) == 0, "%s", name);
}

static void
test_points(int member)
{
	char *path = file_join(dir, "p.gz");
	struct log_bytes *b = malloc(sizeof(*b));
	struct log_lines l;
	struct slice line;
	struct buf text;
	int64_t at, n = 0;
	int fd;

	buf_init(&text, 64 << 20);
	make_text(path, &text, member);
	fd = open(path, O_RDONLY);
	n_points = 0;
	ok(log_bytes_open(b, fd, found, NULL) == 0 && b->gz, "compressed, %d lines a member", member);
	log_lines_init(&l, b);
	while (log_lines_next(&l, &line, &at) == LOG_LINE)
		n += slice_eq(line, slice_make(text.p + at, line.len)) && text.p[at + (int64_t)line.len] == '\n';
	is_int(n, LINES, "all lines, and where they are");
	is_int(log_lines_torn(&l), 0, "and nothing after them");
	is_int(l.at, (long long)text.len, "to the end");
	log_lines_fini(&l);
	ok(n_points >= text.len / LOG_POINT_SPAN / 2, "%zu points in %zu MiB", n_points, text.len >> 20);
	for (size_t i = 0; i < n_points; i++) {
		is_int(log_bytes_at_point(b, &points[i]), 0, "at a point");
		is_text(b, &text, "the text from there on, into the next member");
		free((char *)(uintptr_t)points[i].window.p);
	}
	log_bytes_close(b);
	ok(ftruncate(open(path, O_RDWR), 5000) == 0 && log_bytes_open(b, fd, NULL, NULL) == 0, "cut short");
	log_lines_init(&l, b);
	for (n = 0; log_lines_next(&l, &line, &at) == LOG_LINE; n++)
		;
	ok(n > 0 && errno == EBADMSG, "some lines, and that it is damaged");
	log_lines_fini(&l);
	log_bytes_close(b);
	close(fd);
	free(b);
	free(path);
	buf_fini(&text);
}

/* ---- lines ---- */

static void
test_lines(void)
{
	char *path = file_join(dir, "l");
	struct log_bytes *b = malloc(sizeof(*b));
	struct log_lines l;
	struct slice line;
	struct buf text;
	int64_t at;
	int fd;

	buf_init(&text, 8 << 20);
	buf_add_str(&text, "a\n\n");
	for (int i = 0; i <= LOG_LINE_MAX; i++)
		buf_add_char(&text, 'x');
	buf_add_char(&text, '\n');
	for (int i = 0; i < LOG_LINE_MAX; i++)
		buf_add_char(&text, 'y');
	buf_add_str(&text, "\nend");
	file_write(path, buf_slice(&text), 0640);
	fd = open(path, O_RDONLY);
	ok(log_bytes_open(b, fd, NULL, NULL) == 0 && !b->gz, "a plain file");
	log_lines_init(&l, b);
	ok(log_lines_next(&l, &line, &at) == LOG_LINE && line.len == 1 && at == 0, "a line");
	ok(log_lines_next(&l, &line, &at) == LOG_LINE && line.len == 0 && at == 2, "an empty one");
	ok(log_lines_next(&l, &line, &at) == LOG_LINE_TOO_LONG && at == 3, "one byte too long");
	ok(log_lines_next(&l, &line, &at) == LOG_LINE && line.len == LOG_LINE_MAX && *line.p == 'y' && at == 5 + LOG_LINE_MAX,
	    "as long as may be");
	ok(log_lines_next(&l, &line, &at) == LOG_LINE_END && log_lines_torn(&l) == 3, "an end that is no line");
	log_lines_fini(&l);
	close(fd);
	free(b);
	free(path);
	buf_fini(&text);
}

int
main(void)
{
	dir = temp_dir();
	test_names();
	test_folder();
	test_points(0);
	test_points(LINES / 7);
	test_lines();
	free(dir);
	return tap_done();
}
