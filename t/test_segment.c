/* The container: what is written is read, whole or piece by piece, and every kind of damage is refused by name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/segment_writer.h"
#include "t/tap.h"

enum { HEADER = 40, ENTRY = 24, MAX_SECTIONS = 64, IMAGE_MAX = 4096 };
enum { AT_VERSION = 7, AT_ORDER = 8, AT_KIND = 12, AT_LENGTH = 16, AT_N = 24, AT_CRC = 32 };

static const struct segment_part parts[] = {
	{ 1, SLICE("first section") }, { 7, SLICE("") }, { 3, SLICE("12345678") }, { 4, SLICE("z") },
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };
static char *folder, *path;

static void
put32(char *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static void
put64(char *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* The checksum again, after something was changed on purpose. */
static void
reseal(char *image)
{
	uint32_t n;

	memcpy(&n, image + AT_N, sizeof(n));
	put32(image + AT_CRC, 0);
	put32(image + AT_CRC, segment_crc(image, HEADER + n * ENTRY));
}

static void
test_crc(void)
{
	static const char zeros[32];
	char ones[32];

	memset(ones, 0xff, sizeof(ones));
	/* RFC 3720 B.4 */
	is_int(segment_crc(zeros, sizeof(zeros)), 0x8a9136aa, "CRC-32C of 32 zeros");
	is_int(segment_crc(ones, sizeof(ones)), 0x62a8ab43, "CRC-32C of 32 ones");
	is_int(segment_crc("123456789", 9), 0xe3069283, "CRC-32C of the check string");
	is_int(segment_crc(NULL, 0), 0, "CRC-32C of nothing");
}

static void
is_content(const struct segment *s, const char *name)
{
	for (size_t i = 0; i < PARTS; i++) {
		struct slice got = segment_section(s, parts[i].id);

		is_slice(got, parts[i].bytes, name);
		ok((uintptr_t)got.p % 8 == 0, "%s: section %u is aligned", name, parts[i].id);
	}
	is_int((long long)segment_section(s, 2).len, 0, "a section that is not there");
}

static void
test_round(void)
{
	uint8_t sum[SEGMENT_SHA256], again[SEGMENT_SHA256], wrong[SEGMENT_SHA256] = { 0 };
	struct diag diag = { 0 };
	struct segment *s;
	uint64_t len;
	struct stat st;

	is_int(segment_write(path, SEGMENT_HOSTS, parts, PARTS, &len, sum, &diag), 0, "written");
	ok(stat(path, &st) == 0 && (uint64_t)st.st_size == len, "its length");
	is_int(st.st_mode & 07777, 0640, "its mode");
	ok(segment_sha256(path, again) == 0 && memcmp(sum, again, sizeof(sum)) == 0, "its SHA-256");
	s = segment_open(path, SEGMENT_HOSTS, sum, &diag);
	if (ok(s != NULL, "opened with its SHA-256")) {
		is_content(s, "from the file");
		is_int((long long)segment_size(s), (long long)len, "its size");
	}
	segment_close(s);
	segment_close(NULL);
	ok(segment_open(path, SEGMENT_HOSTS, wrong, &diag) == NULL, "another SHA-256 is refused");
	ok(strstr(diag_first_error(&diag), "SHA-256") != NULL, "and the reason is said");
	is_str(diag.n > 0 ? diag.v[0].file : "", path, "with the file's name");
	diag_fini(&diag);
	is_int(segment_write(path, SEGMENT_HOSTS, parts, PARTS, &len, again, &diag), 0, "written again");
	ok(memcmp(sum, again, sizeof(sum)) == 0, "identical parts, identical file");
	is_int((long long)diag.n, 0, "no findings");
}

static void
test_files(void)
{
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;
	char *missing = file_join(path, "below-a-file"), *empty;

	ok(segment_open("/nonexistent/x.seg", SEGMENT_HOSTS, NULL, &diag) == NULL &&
	    strcmp(diag_first_error(&diag), strerror(ENOENT)) == 0, "a missing file");
	diag_fini(&diag);
	ok(asprintf(&empty, "%s.empty", path) > 0 && file_write(empty, SLICE(""), 0644) == 0, "an empty file");
	ok(segment_open(empty, SEGMENT_HOSTS, NULL, &diag) == NULL &&
	    strcmp(diag_first_error(&diag), "truncated: empty") == 0, "is refused: %s", diag_first_error(&diag));
	diag_fini(&diag);
	ok(segment_open("/", SEGMENT_HOSTS, NULL, &diag) == NULL, "a folder");
	diag_fini(&diag);
	is_int(segment_write(missing, SEGMENT_HOSTS, parts, PARTS, &len, sum, &diag), -1, "no folder to write in");
	is_str(diag_first_error(&diag), strerror(ENOTDIR), "and why");
	diag_fini(&diag);
	errno = 0;
	ok(segment_sha256(missing, sum) == -1 && errno == ENOTDIR, "the SHA-256 of no file");
	free(missing);
	free(empty);
}

static void
test_many(void)
{
	struct segment_part many[MAX_SECTIONS + 1];
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	struct segment *s;
	uint64_t len;

	for (uint32_t i = 0; i <= MAX_SECTIONS; i++)
		many[i] = (struct segment_part){ i + 1, SLICE("x") };
	is_int(segment_write(path, SEGMENT_SITE, many, MAX_SECTIONS, &len, sum, &diag), 0, "64 sections");
	s = segment_open(path, SEGMENT_SITE, sum, &diag);
	is_slice(s == NULL ? SLICE("") : segment_section(s, MAX_SECTIONS), SLICE("x"), "the last of 64");
	segment_close(s);
	is_int(segment_write(path, SEGMENT_SITE, many, MAX_SECTIONS + 1, &len, sum, &diag), -1, "65 sections");
	diag_fini(&diag);
	is_int(segment_write(path, SEGMENT_SITE, NULL, 0, &len, sum, &diag), 0, "no section");
	s = segment_open(path, SEGMENT_SITE, sum, &diag);
	ok(s != NULL && segment_section(s, 1).len == 0, "no section is fine");
	segment_close(s);
	is_int((long long)diag.n, 0, "no findings");
}

static const struct {
	const char	*name;
	size_t		 at;
	size_t		 width;		/* 1, 4 or 8 bytes are changed */
	uint64_t	 value;
	bool		 seal;		/* the checksum is put right again */
	const char	*reason;
} damages[] = {
	{ "foreign file", 0, 1, 'x', true, "not a Firebreak segment" },
	{ "other byte order", AT_ORDER, 4, 0x04030201, false, "byte order" },
	{ "no byte order", AT_ORDER, 4, 0, true, "byte-order word" },
	{ "past version", AT_VERSION, 1, '1', true, "another version" },
	{ "future version", AT_VERSION, 1, '4', true, "another version" },
	{ "other kind", AT_KIND, 4, SEGMENT_DIGESTS, true, "another kind" },
	{ "longer header", AT_LENGTH, 8, UINT64_MAX, true, "truncated" },
	{ "shorter header", AT_LENGTH, 8, 48, true, "longer than" },
	{ "no such number of sections", AT_N, 4, 0xffffffff, false, "number of sections" },
	{ "one section too many", AT_N, 4, 65, false, "number of sections" },
	{ "checksum", AT_CRC, 4, 0, false, "checksum" },
	{ "a bit in an entry", HEADER, 1, 0x41, false, "checksum" },
	{ "a section in the header", HEADER + 8, 8, 0, true, "bounds" },
	{ "a section out of line", HEADER + 8, 8, 137, true, "bounds" },
	{ "a section past the end", HEADER + 8, 8, UINT64_MAX - 7, true, "bounds" },
	{ "a section that is too long", HEADER + 16, 8, 1 << 20, true, "bounds" },
	{ "a length that wraps", HEADER + 16, 8, UINT64_MAX, true, "bounds" },
	{ "sections that overlap", HEADER + 16, 8, 65, true, "bounds" },
};

static void
test_damage(struct slice good)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct diag diag = { 0 };
		struct slice copy = guard_copy(good);
		char *image = (char *)(uintptr_t)copy.p;

		if (damages[i].width == 1)
			image[damages[i].at] = (char)damages[i].value;
		else if (damages[i].width == 4)
			put32(image + damages[i].at, (uint32_t)damages[i].value);
		else
			put64(image + damages[i].at, damages[i].value);
		if (damages[i].seal)
			reseal(image);
		ok(segment_open_bytes("x.seg", image, copy.len, SEGMENT_HOSTS, &diag) == NULL,
		    "%s is refused", damages[i].name);
		ok(strstr(diag_first_error(&diag), damages[i].reason) != NULL, "%s: %s", damages[i].name,
		    diag_first_error(&diag));
		is_str(diag.n == 1 ? diag.v[0].file : "", "x.seg", "one finding, with the name");
		diag_fini(&diag);
	}
}

/* Whether the first LEN bytes of GOOD open, with bit BIT turned when it is not negative. */
static bool
opens(struct slice good, size_t len, long bit)
{
	char *image = malloc(len > 0 ? len : 1);	/* aligned, and no byte longer */
	struct diag diag = { 0 };
	struct segment *s;
	bool is_open;

	memcpy(image, good.p, len);
	if (bit >= 0)
		image[bit / 8] ^= (char)(1 << bit % 8);
	s = segment_open_bytes("x", image, len, SEGMENT_HOSTS, &diag);
	is_open = s != NULL;
	segment_close(s);
	free(image);
	diag_fini(&diag);
	return is_open;
}

/* Cut to every length, and every bit of header and entries turned. */
static void
test_cuts(struct slice good)
{
	unsigned opened = 0;

	for (size_t len = 0; len < good.len; len++)
		opened += opens(good, len, -1);
	is_int(opened, 0, "no part of a segment opens");
	for (long bit = 0; bit < 8 * (HEADER + PARTS * ENTRY); bit++)
		opened += opens(good, good.len, bit);
	is_int(opened, 0, "no bit of header and entries may be another");
	ok(opens(good, good.len, -1), "the whole opens");
}

/* ---- piece by piece ---- */

enum { MIB = 1 << 20, LARGE = 5 * MIB + 3 };

/* The files in the folder. */
static unsigned
files(void)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n - 2;	/* "." and ".." */
}

/* Write PARTS in pieces of PIECE bytes: the result of finishing. */
static int
write_pieces(const struct segment_part *v, size_t n, size_t piece, uint64_t *len, uint8_t *sum)
{
	struct segment_writer *w = segment_writer_new(path, SEGMENT_HOSTS, (uint32_t)n, NULL);
	bool counted = w != NULL && segment_writer_section_len(w) == 0;

	for (size_t i = 0; w != NULL && i < n; i++) {
		struct slice rest = v[i].bytes;

		segment_writer_begin(w, v[i].id);
		counted = counted && segment_writer_section_len(w) == 0;
		for (; rest.len > 0; rest = slice_skip(rest, piece))
			segment_writer_add(w, rest.p, slice_head(rest, piece).len);
		segment_writer_add(w, NULL, 0);
		counted = counted && segment_writer_section_len(w) == v[i].bytes.len;
	}
	ok(counted, "%zu sections in pieces of %zu: their lengths while they are written", n, piece);
	return w == NULL ? -1 : segment_writer_finish(w, len, sum);
}

/* However the bytes come, around what is written at once too, the file is the same. */
static void
test_pieces(void)
{
	static const size_t pieces[] = { 4096, 65537, MIB - 1, MIB, MIB + 1, 2 * MIB, LARGE };
	char *large = malloc(LARGE);
	struct segment_part v[] = { { 2, { large, LARGE } }, { 9, { large, MIB } }, { 1, SLICE("small") }, { 5, { large, MIB + 1 } } };
	uint8_t sum[SEGMENT_SHA256], other[SEGMENT_SHA256];
	struct segment *s;
	uint64_t len, other_len;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 2654435761u >> 13);
	is_int(segment_write(path, SEGMENT_HOSTS, v, 4, &len, sum, NULL), 0, "in one piece each");
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		ok(write_pieces(v, 4, pieces[i], &other_len, other) == 0 && other_len == len && memcmp(other, sum, sizeof(sum)) == 0,
		    "pieces of %zu bytes make the same file", pieces[i]);
	if ((s = segment_open(path, SEGMENT_HOSTS, sum, NULL)) != NULL)
		for (size_t i = 0; i < 4; i++)
			ok(slice_eq(segment_section(s, v[i].id), v[i].bytes), "section %u as it was given", v[i].id);
	segment_close(s);
	is_int(write_pieces(parts, PARTS, 1, &other_len, other), 0, "single bytes");
	is_int(segment_write(path, SEGMENT_HOSTS, parts, PARTS, &len, sum, NULL), 0, "and at once");
	ok(other_len == len && memcmp(other, sum, sizeof(sum)) == 0, "are the same file");
	is_int(files(), 1, "nothing is left beside it");
	free(large);
}

/* Fewer sections than were asked for are fine, more are not. */
static void
test_number(void)
{
	struct diag diag = { 0 };
	struct segment_writer *w = segment_writer_new(path, SEGMENT_SITE, 5, &diag);
	uint8_t sum[SEGMENT_SHA256];
	struct segment *s;
	uint64_t len;

	segment_writer_begin(w, 3);
	segment_writer_add(w, "abc", 3);
	is_int(segment_writer_finish(w, &len, sum), 0, "one of five");
	s = segment_open(path, SEGMENT_SITE, sum, &diag);
	is_slice(s == NULL ? SLICE("") : segment_section(s, 3), SLICE("abc"), "is there");
	segment_close(s);
	w = segment_writer_new(path, SEGMENT_SITE, 1, &diag);
	segment_writer_begin(w, 1);
	segment_writer_add(w, "new", 3);
	segment_writer_begin(w, 2);
	segment_writer_add(w, "more", 4);
	is_int(segment_writer_finish(w, &len, sum), -1, "two of one");
	is_str(diag_first_error(&diag), strerror(E2BIG), "and why");
	is_int((long long)diag.n, 1, "one finding");
	s = segment_open(path, SEGMENT_SITE, NULL, NULL);
	is_slice(s == NULL ? SLICE("") : segment_section(s, 3), SLICE("abc"), "the file before is as it was");
	segment_close(s);
	is_int(files(), 1, "and nothing lies beside it");
	diag_fini(&diag);
}

static void
test_abort(void)
{
	struct segment_writer *w = segment_writer_new(path, SEGMENT_HOSTS, 2, NULL);
	struct stat before, after;

	ok(stat(path, &before) == 0 && files() == 2, "it grows beside its place");
	segment_writer_begin(w, 1);
	segment_writer_add(w, "x", 1);
	segment_writer_abort(w);
	segment_writer_abort(NULL);
	ok(files() == 1 && stat(path, &after) == 0 && before.st_ino == after.st_ino && before.st_size == after.st_size,
	    "given up, it leaves nothing");
}

/* The place is taken by a folder, and a disk that is full (no file may grow further). */
static void
test_refused(void)
{
	static char bytes[MIB];
	struct rlimit limit, unlimited;
	struct diag diag = { 0 };
	struct segment_writer *w;
	uint8_t sum[SEGMENT_SHA256];
	uint64_t len;

	ok(unlink(path) == 0 && mkdir(path, 0755) == 0, "a folder where the file should be");
	is_int(segment_write(path, SEGMENT_HOSTS, parts, PARTS, &len, sum, &diag), -1, "is not replaced");
	is_str(diag_first_error(&diag), strerror(EISDIR), "and why");
	diag_fini(&diag);
	ok(rmdir(path) == 0 && files() == 0, "nothing is left");
	fflush(stdout);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &unlimited);
	limit = unlimited;
	limit.rlim_cur = 4 * MIB;
	setrlimit(RLIMIT_FSIZE, &limit);
	w = segment_writer_new(path, SEGMENT_HOSTS, 1, &diag);
	segment_writer_begin(w, 1);
	for (unsigned i = 0; i < 8; i++)
		segment_writer_add(w, bytes, sizeof(bytes));
	is_int(segment_writer_finish(w, &len, sum), -1, "no room");
	setrlimit(RLIMIT_FSIZE, &unlimited);
	is_str(diag_first_error(&diag), strerror(EFBIG), "the first reason is told");
	is_int((long long)diag.n, 1, "once, at the end");
	is_int(files(), 0, "and nothing is left");
	diag_fini(&diag);
}

int
main(void)
{
	struct diag diag = { 0 };
	struct segment *s;
	struct buf image;

	folder = temp_dir();
	path = file_join(folder, "test.seg");
	test_crc();
	test_round();
	buf_init(&image, IMAGE_MAX);
	ok(file_read(path, &image) == 0, "read back");
	while (image.len % 8 != 0)		/* so that a copy that ends at a page is aligned */
		buf_add_char(&image, '\0');
	put64(image.p + AT_LENGTH, image.len);
	reseal(image.p);
	s = segment_open_bytes("bytes", guard_copy(buf_slice(&image)).p, image.len, SEGMENT_HOSTS, &diag);
	if (ok(s != NULL, "from bytes: %s", diag_first_error(&diag)))
		is_content(s, "from bytes");
	segment_close(s);
	test_damage(buf_slice(&image));
	test_cuts(buf_slice(&image));
	buf_fini(&image);
	test_pieces();
	test_number();
	test_abort();
	test_refused();
	test_many();
	test_files();
	free(path);
	free(folder);
	return tap_done();
}
