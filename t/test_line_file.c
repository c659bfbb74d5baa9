/* Lines of a file against a plain split of its bytes, whatever the file and the pieces it comes in. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/line_file.h"
#include "t/tap.h"

enum { READ_AT_ONCE = 1 << 18, STOPPED = 7 };	/* the first as line_file.c has it: borders are tried around it */

static char *path;

/* What a visitor saw: each line's length, then its bytes. */
struct seen {
	struct buf	text;
	size_t		n, stop_at;	/* the line that ends the reading; 0 for none */
};

static int
visit(void *arg, struct slice line)
{
	struct seen *seen = arg;

	buf_addf(&seen->text, "%zu:", line.len);
	buf_add_slice(&seen->text, line);
	return ++seen->n == seen->stop_at ? STOPPED : 0;
}

/* The same by looking at all bytes at once. */
static void
plain_split(struct slice content, size_t max, struct seen *seen)
{
	struct slice line;

	while (content.len > 0) {
		slice_cut(content, '\n', &line, &content);
		visit(seen, slice_head(line, max + 1));
	}
}

static int
read_with(struct slice content, size_t max, struct seen *seen)
{
	int fd, r;

	if (file_write(path, content, 0644) == -1 || (fd = open(path, O_RDONLY)) == -1)
		abort();
	r = line_file_read(fd, max, visit, seen);
	close(fd);
	return r;
}

static struct seen
nothing_seen(void)
{
	struct seen seen = { .n = 0 };

	buf_init(&seen.text, SIZE_MAX / 2);
	buf_add_str(&seen.text, "");
	return seen;
}

static bool
is_split(struct slice content, size_t max)
{
	struct seen got = nothing_seen(), expected = nothing_seen();
	bool same;

	plain_split(content, max, &expected);
	same = read_with(content, max, &got) == 0 && got.n == expected.n && slice_eq(buf_slice(&got.text), buf_slice(&expected.text));
	buf_fini(&got.text);
	buf_fini(&expected.text);
	return same;
}

static const struct {
	const char	*name;
	struct slice	 content;
	size_t		 max;
	const char	*seen;
} rows[] = {
	{ "an empty file", SLICE(""), 10, "" },
	{ "one line", SLICE("one\n"), 10, "3:one" },
	{ "no newline at the end", SLICE("one\ntwo"), 10, "3:one3:two" },
	{ "one byte", SLICE("x"), 10, "1:x" },
	{ "an empty line", SLICE("\n"), 10, "0:" },
	{ "empty lines", SLICE("\n\na\n\n"), 10, "0:0:1:a0:" },
	{ "a carriage return is a byte", SLICE("a\r\n"), 10, "2:a\r" },
	{ "a line of the maximum", SLICE("12345\n1\n"), 5, "5:123451:1" },
	{ "a line of the maximum at the end", SLICE("1\n12345"), 5, "1:15:12345" },
	{ "a byte more comes whole", SLICE("123456\n1\n"), 5, "6:1234561:1" },
	{ "more is passed over", SLICE("1234567890\n1\n"), 5, "6:1234561:1" },
	{ "too long, and no newline", SLICE("1\n1234567890"), 5, "1:16:123456" },
	{ "two that are too long", SLICE("1234567\nabcdefg\n\n"), 5, "6:1234566:abcdef0:" },
	{ "no byte may be", SLICE("ab\n\nc"), 0, "1:a0:1:c" },
};

static void
test_rows(void)
{
	struct seen seen = nothing_seen();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seen s = nothing_seen();

		is_int(read_with(rows[i].content, rows[i].max, &s), 0, rows[i].name);
		is_slice(buf_slice(&s.text), slice_str(rows[i].seen), rows[i].name);
		buf_fini(&s.text);
	}
	read_with(SLICE("a\0b\n\0\n"), 10, &seen);
	is_slice(buf_slice(&seen.text), SLICE("3:a\0b1:\0"), "NUL bytes are bytes");
	buf_fini(&seen.text);
}

static void
test_stops(void)
{
	struct seen first = nothing_seen(), last = nothing_seen(), too_long = nothing_seen();

	first.stop_at = 1;
	is_int(read_with(SLICE("a\nb\nc\n"), 10, &first), STOPPED, "a visitor that stops is the result");
	is_int((long long)first.n, 1, "and sees no more");
	last.stop_at = 2;
	is_int(read_with(SLICE("a\nb"), 10, &last), STOPPED, "at the last line, without newline");
	too_long.stop_at = 1;
	is_int(read_with(SLICE("1234567890\nb"), 5, &too_long), STOPPED, "at one that is too long");
	is_int((long long)too_long.n, 1, "once");
	buf_fini(&first.text);
	buf_fini(&last.text);
	buf_fini(&too_long.text);
}

static void
test_errors(void)
{
	struct seen seen = nothing_seen();
	int fd = open("/", O_RDONLY);

	errno = 0;
	ok(line_file_read(-1, 10, visit, &seen) == -1 && errno == EBADF, "no file");
	errno = 0;
	ok(line_file_read(fd, 10, visit, &seen) == -1 && errno == EISDIR, "a folder");
	is_int((long long)seen.n, 0, "no line of either");
	close(fd);
	buf_fini(&seen.text);
}

/* A newline at each place around the end of a read, with what may be kept around it too. */
static void
test_borders(void)
{
	static const size_t maxima[] = { 10, READ_AT_ONCE - 1, READ_AT_ONCE, READ_AT_ONCE + 1, 3 * READ_AT_ONCE };
	size_t len = 3 * READ_AT_ONCE + 5;
	char *content = malloc(len);
	unsigned wrong = 0, tried = 0;

	for (size_t m = 0; m < sizeof(maxima) / sizeof(*maxima); m++)
		for (size_t at = READ_AT_ONCE - 2; at <= READ_AT_ONCE + 2; at++) {
			memset(content, 'x', len);
			content[at] = '\n';
			wrong += !is_split(slice_make(content, len), maxima[m]);
			content[2 * READ_AT_ONCE - 1] = content[2 * READ_AT_ONCE] = '\n';
			wrong += !is_split(slice_make(content, len), maxima[m]);
			wrong += !is_split(slice_make(content, at), maxima[m]);
			wrong += !is_split(slice_make(content, at + 1), maxima[m]);
			tried += 4;
		}
	ok(wrong == 0, "%u files around the end of a read: %u are split otherwise", tried, wrong);
	free(content);
}

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
test_random(void)
{
	enum { FILES = 60, LONGEST = 3 * READ_AT_ONCE };
	char *content = malloc(LONGEST);
	uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
	unsigned wrong = 0;

	for (unsigned i = 0; i < FILES; i++) {
		size_t len = next_number(&state) % (i % 2 == 0 ? 1000 : LONGEST), line = next_number(&state) % 200 + 1;

		for (size_t k = 0; k < len; k++)
			content[k] = next_number(&state) % line == 0 ? '\n' : (char)next_number(&state);
		wrong += !is_split(slice_make(content, len), next_number(&state) % 300);
	}
	ok(wrong == 0, "%d random files: %u are split otherwise", FILES, wrong);
	free(content);
}

/* Byte by byte through a pipe. */
static void
test_pieces(void)
{
	static const char content[] = "first\n\n1234567890123\nlast";
	struct seen seen = nothing_seen();
	int fds[2], status = -1;
	pid_t child;

	if (pipe(fds) == -1)
		abort();
	fflush(stdout);
	if ((child = fork()) == 0) {
		for (size_t i = 0; i < sizeof(content) - 1; i++) {
			if (write(fds[1], content + i, 1) != 1)
				_exit(1);
			usleep(1000);
		}
		_exit(0);
	}
	close(fds[1]);
	is_int(line_file_read(fds[0], 8, visit, &seen), 0, "from a pipe");
	waitpid(child, &status, 0);
	is_int(status, 0, "which gave single bytes");
	is_slice(buf_slice(&seen.text), SLICE("5:first0:9:1234567894:last"), "the same lines");
	close(fds[0]);
	buf_fini(&seen.text);
}

int
main(void)
{
	char *dir = temp_dir();

	path = file_join(dir, "lines");
	test_rows();
	test_stops();
	test_errors();
	test_borders();
	test_random();
	test_pieces();
	free(path);
	free(dir);
	return tap_done();
}
