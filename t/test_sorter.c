/* The external sort against qsort() and a plain "unique", in memory and spilled; its limits, and a disk that is full. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/sorter.h"
#include "t/tap.h"

enum { SMALL = 20000, LARGE = 120000, NOT_SPILLED = 256 << 20 };

static char *folder;

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int
compare(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Sort RECORDS and drop those said twice: how many are left. */
static size_t
plain_sort(struct slice *records, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(records, n, sizeof(*records), compare);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !slice_eq(records[kept - 1], records[i]))
			records[kept++] = records[i];
	return kept;
}

/* What S gives is EXPECTED, N of them. */
static bool
gives(struct sorter *s, const struct slice *expected, size_t n)
{
	struct slice got;
	size_t i = 0;
	int r;

	while ((r = sorter_next(s, &got)) == 1) {
		if (i >= n || !slice_eq(got, expected[i]))
			return false;
		i++;
	}
	return r == 0 && i == n && sorter_next(s, &got) == 0;
}

static struct sorter *
sorter_with(const struct slice *records, size_t n, size_t memory)
{
	struct sorter *s = sorter_new(memory, folder);

	for (size_t i = 0; i < n; i++)
		if (s == NULL || sorter_add(s, records[i]) == -1)
			abort();
	return s;
}

static unsigned
names_in(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n - 2;	/* "." and ".." */
}

/* N records of fewer than MAX bytes, some of them equal, some that begin like others, with zeros and bytes over 127: BYTES holds
 * them. */
static size_t
random_records(struct slice *records, size_t n, size_t max, char *bytes, uint64_t seed)
{
	static const char alphabet[] = { 0, 0, 1, 'a', 'b', 0x7f, (char)0x80, (char)0xff };
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = next_number(&seed) % max;
		char *p = bytes + used;

		/* Every fourth begins like the one before it. */
		for (size_t k = 0; k < len; k++)
			p[k] = alphabet[next_number(&seed) % sizeof(alphabet)];
		if (i % 4 == 3) {
			size_t same = records[i - 1].len < len ? records[i - 1].len : len;

			memcpy(p, records[i - 1].p, same);
		}
		if (i % 16 == 5) {		/* one said before */
			records[i] = records[i / 2];
			continue;
		}
		records[i] = slice_make(p, len);
		used += len;
	}
	return used;
}

static void
test_random(size_t n, size_t max, bool spilled, const char *name)
{
	struct slice *records = calloc(n, sizeof(*records));
	char *bytes = malloc(n * max);
	size_t used, kept;
	struct sorter *s, *whole;

	if (records == NULL || bytes == NULL)
		abort();
	used = random_records(records, n, max, bytes, UINT64_C(0x9e3779b97f4a7c15) + n);
	s = sorter_with(records, n, SORTER_MEMORY_MIN);
	whole = sorter_with(records, n, NOT_SPILLED);
	ok(spilled == (used > 3 * SORTER_MEMORY_MIN), "%s: %zu bytes", name, used);
	ok(sorter_count(s) == n && sorter_count(whole) == n, "%s: counts what was added", name);
	is_int(names_in(folder), 0, "what is put aside has no name");
	kept = plain_sort(records, n);
	ok(kept < n, "%s: some are equal", name);
	ok(sorter_sort(s) == 0 && gives(s, records, kept), "%s: %zu records in order, each once", name, kept);
	ok(sorter_sort(whole) == 0 && gives(whole, records, kept), "%s: so does one with memory for all", name);
	sorter_free(s);
	sorter_free(whole);
	free(records);
	free(bytes);
}

static const struct {
	const char	*name;
	struct slice	 records[6];
	size_t		 n;
} few[] = {
	{ "no record", { { 0 } }, 0 },
	{ "one record", { SLICE("x") }, 1 },
	{ "an empty record", { { NULL, 0 } }, 1 },
	{ "an empty record twice", { { NULL, 0 }, SLICE("") }, 2 },
	{ "one record three times", { SLICE("abc"), SLICE("abc"), SLICE("abc") }, 3 },
	{ "the shorter first", { SLICE("ab"), SLICE("a"), SLICE(""), SLICE("abc") }, 4 },
	{ "zeros at the end are bytes", { SLICE("a\0\0"), SLICE("a"), SLICE("a\0"), SLICE("a\0b") }, 4 },
	{ "zeros past the eighth byte", { SLICE("abcdefgh\0"), SLICE("abcdefgh"), SLICE("abcdefg\0"), SLICE("abcdefg") }, 4 },
	{ "bytes are unsigned", { SLICE("\xff"), SLICE("\x7f"), SLICE("\x80"), SLICE("12345678\xff"), SLICE("12345678\x01") }, 5 },
};

static void
test_few(void)
{
	for (size_t i = 0; i < sizeof(few) / sizeof(*few); i++) {
		struct slice records[6];
		struct sorter *s;
		size_t kept;

		memcpy(records, few[i].records, sizeof(records));
		s = sorter_with(records, few[i].n, 0);
		kept = plain_sort(records, few[i].n);
		ok(sorter_sort(s) == 0 && gives(s, records, kept), "%s", few[i].name);
		sorter_free(s);
	}
	sorter_free(NULL);
}

/* A record is read right up to its end and copied. */
static void
test_copies(void)
{
	struct sorter *s = sorter_new(0, folder);
	char mine[] = "mine";
	struct slice out;

	ok(sorter_add(s, guard_copy(SLICE("guarded!"))) == 0 && sorter_add(s, guard_copy(SLICE("g"))) == 0, "not a byte too far");
	sorter_add(s, slice_str(mine));
	memset(mine, 'x', sizeof(mine) - 1);
	sorter_sort(s);
	ok(sorter_next(s, &out) == 1 && slice_eq(out, SLICE("g")) && sorter_next(s, &out) == 1 &&
	    slice_eq(out, SLICE("guarded!")) && sorter_next(s, &out) == 1 && slice_eq(out, SLICE("mine")), "and a copy of each");
	sorter_free(s);
}

/* Records of the maximum length: three fill the memory, and none fits into a read buffer. */
static void
test_longest(void)
{
	enum { N = 10 };
	struct slice records[N + 2];
	char *bytes = malloc((size_t)N * SORTER_RECORD_MAX + 1);
	struct sorter *s = sorter_new(0, folder);
	size_t kept, n = 0;

	memset(bytes, 'r', (size_t)N * SORTER_RECORD_MAX + 1);
	for (size_t i = 0; i < N; i++) {
		char *p = bytes + i * SORTER_RECORD_MAX;

		p[SORTER_RECORD_MAX - 1] = (char)('a' + (N - i) / 2);	/* two of each */
		records[n++] = slice_make(p, SORTER_RECORD_MAX);
	}
	records[n++] = slice_make(bytes, SORTER_RECORD_MAX - 1);
	records[n++] = SLICE("r");
	for (size_t i = 0; i < n; i++)
		if (sorter_add(s, records[i]) == -1)
			abort();
	errno = 0;
	ok(sorter_add(s, slice_make(bytes, SORTER_RECORD_MAX + 1)) == -1 && errno == E2BIG, "a record too long");
	errno = 0;
	ok(sorter_add(s, slice_make(bytes, SIZE_MAX)) == -1 && errno == E2BIG, "a record of all there is");
	ok(sorter_count(s) == n, "neither counts");
	kept = plain_sort(records, n);
	ok(kept == N / 2 + 3 && sorter_sort(s) == 0 && gives(s, records, kept), "the longest records: %zu of %zu", kept, n);
	sorter_free(s);
	free(bytes);
}

/* Add records until one is refused, or LIMIT are in: how many. */
static size_t
fill(struct sorter *s, size_t limit)
{
	char record[1000];

	memset(record, 'x', sizeof(record));
	for (size_t i = 0; i < limit; i++) {
		int n = snprintf(record, sizeof(record), "%zu", i * 7919 % 100003);

		record[n] = 'x';
		if (sorter_add(s, slice_make(record, sizeof(record))) == -1)
			return i;
	}
	return limit;
}

static void
test_no_folder(void)
{
	char *file = file_join(folder, "file"), *missing = file_join(folder, "missing");
	struct sorter *s = sorter_new(0, missing);
	struct slice out;
	size_t n;

	file_write(file, SLICE("x"), 0644);
	errno = 0;
	n = fill(s, 100000);
	ok(n > 3000 && n < 5000 && errno == ENOENT, "a folder that is not there, asked when memory is full: %zu", n);
	sorter_free(s);
	s = sorter_new(0, missing);
	ok(s != NULL && sorter_add(s, SLICE("x")) == 0 && sorter_sort(s) == 0 && sorter_next(s, &out) == 1, "and not before");
	sorter_free(s);
	s = sorter_new(0, file);
	errno = 0;
	ok(fill(s, 100000) == n && errno == ENOTDIR, "a file is no folder");
	sorter_free(s);
	errno = 0;
	ok(sorter_file(missing) == NULL && errno == ENOENT, "no file in no folder");
	unlink(file);
	free(file);
	free(missing);
}

/* No file may grow past LEN bytes: as near as a test comes to a disk that is full. */
static void
limit_files(rlim_t len)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = len;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/* What was refused can be tried again: nothing of the half-written run stays. */
static void
test_full(void)
{
	enum { RECORDS = 20000 };
	struct sorter *s = sorter_new(0, folder), *whole = sorter_new(NOT_SPILLED, folder);
	struct slice a, b;
	size_t n, same = 0;
	char record[1000];
	int more;

	fflush(stdout);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(6 << 20);
	errno = 0;
	n = fill(s, RECORDS);
	ok(n > 6000 && n < RECORDS && errno == EFBIG, "the second run finds no room: %zu", n);
	memset(record, 'y', sizeof(record));
	errno = 0;
	ok(sorter_add(s, slice_make(record, sizeof(record))) == -1 && errno == EFBIG, "nor when it is tried again");
	limit_files(RLIM_INFINITY);
	ok(fill(s, RECORDS) == RECORDS && fill(whole, RECORDS) == RECORDS, "then there is room");
	ok(sorter_sort(s) == 0 && sorter_sort(whole) == 0, "sorted");
	while ((more = sorter_next(s, &a)) == 1 && sorter_next(whole, &b) == 1)
		same += slice_eq(a, b);
	ok(more == 0 && sorter_next(whole, &b) == 0 && same == RECORDS, "and nothing is lost, doubled or torn: %zu", same);
	sorter_free(s);
	sorter_free(whole);
}

/* The next descriptor that will be given out. */
static int
next_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

/* A run that lost its end is an error, not an end: of the runs' begins when they are opened, of the rest when it is read. */
static void
test_torn(off_t len, bool opens, const char *name)
{
	struct sorter *s = sorter_new(0, folder);
	int fd = next_fd(), r = 1;
	struct slice out;
	size_t n = 0;

	fill(s, 10000);
	if (ftruncate(fd, len) == -1)
		abort();
	errno = 0;
	ok((sorter_sort(s) == 0) == opens && (opens || errno == EIO), "%s: opened", name);
	errno = 0;
	while (opens && (r = sorter_next(s, &out)) == 1)
		n++;
	ok(!opens || (r == -1 && errno == EIO && n > 0 && n < 10000), "%s: %zu records until it is told", name, n);
	sorter_free(s);
}

static void
test_file(void)
{
	FILE *f = sorter_file(folder);
	char back[8] = "";

	ok(f != NULL && names_in(folder) == 0, "a file without a name");
	if (f == NULL)
		return;
	ok(fputs("aside", f) >= 0 && fseek(f, 0, SEEK_SET) == 0 && fread(back, 1, sizeof(back), f) == 5, "written and read");
	is_str(back, "aside", "what was written");
	fclose(f);
}

int
main(void)
{
	folder = temp_dir();
	test_few();
	test_copies();
	test_random(SMALL, 40, false, "short records in memory");
	test_random(LARGE, 300, true, "many records spilled");
	test_random(300, 200000, true, "long records spilled");
	test_longest();
	test_no_folder();
	test_full();
	test_torn(1 << 20, false, "a second run that is gone");
	test_torn(7 << 20, true, "a second run that is cut");
	test_file();
	is_int(names_in(folder), 0, "nothing is left behind");
	free(folder);
	return tap_done();
}
