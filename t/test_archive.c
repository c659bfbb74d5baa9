/* Archives in transfer: made by libarchive's writer, fed in random pieces through the real helper; and helpers that misbehave. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/file.h"
#include "inspect/archive.h"
#include "inspect/digester.h"
#include "t/tap.h"

enum { FOUND_MAX = 4096, BODY_MAX = 64 << 20, LISTED = 90112, ALGS = DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA256) };

static char *dir, *helper, *bad;
static unsigned seed = 1;

/* Bytes that were made, until they are forgotten. */
static char *made[8192];
static size_t n_made;

static char *
keep(void *p)
{
	if (p == NULL || n_made == sizeof(made) / sizeof(*made))
		abort();
	return made[n_made++] = p;
}

/* All that was made since there were N. */
static void
forget(size_t n)
{
	while (n_made > n)
		free(made[--n_made]);
}

/* A sequence that is the same everywhere. */
static unsigned
next_random(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % below;
}

/* LEN bytes of which half can be compressed. */
static struct slice
make_file(size_t len)
{
	char *p = keep(malloc(len + 1));

	for (size_t i = 0; i < len; i++)
		p[i] = (i / 512) % 2 == 0 ? (char)next_random(256) : (char)('a' + i % 7);
	return slice_make(p, len);
}

/* ---- one body ---- */

struct hit {
	uint64_t	size, put;	/* bytes of the body that had been put when it was found */
	unsigned	depth;
	struct digest	digests[DIGEST_ALGS];
	size_t		n;
	char		name[FINDING_NAME_MAX + 1];
};

struct run {
	struct archive_wish	 wish;
	size_t			 piece_max;	/* 0: of all sizes */
	size_t			 stop_after;	/* findings; 0: never */
	uint64_t		 put, size;
	struct hit		 hits[FOUND_MAX];
	size_t			 n;
	bool			 done;
	enum unscannable	 reason;
	int64_t			 waited_ns;
};

static struct run run;

static void show_run(void);

/* A test point about the run. */
static void
judge(bool good, const char *name)
{
	if (!ok(good, "%s", name))
		show_run();
}

static bool
take(void *arg, const struct finding *f)
{
	struct run *r = arg;
	struct hit *h = &r->hits[r->n < FOUND_MAX ? r->n : FOUND_MAX - 1];

	*h = (struct hit){ .size = f->size, .put = r->put, .depth = f->depth, .n = f->n };
	memcpy(h->digests, f->digests, f->n * sizeof(*f->digests));
	if (f->name.len > 0)
		memcpy(h->name, f->name.p, f->name.len);
	r->n++;
	return r->stop_after == 0 || r->n < r->stop_after;
}

static void
run_reset(void)
{
	memset(&run, 0, sizeof(run));
	run.wish = (struct archive_wish){ helper, dir, ALGS, UINT64_MAX, { 8, 10000, 1000, UINT64_C(1) << 30, 60000, 32 << 20 } };
}

static void
run_body(struct slice body)
{
	struct archive *a = archive_new(&run.wish, take, &run, NULL);
	bool sane = true;

	run.size = body.len;
	while (run.put < body.len) {
		size_t max = run.piece_max > 0 ? run.piece_max : next_random(3) > 0 ? 3000 : 70000;
		struct slice piece = slice_head(slice_skip(body, run.put), next_random((unsigned)max) + 1);

		archive_put(a, piece);
		run.put += piece.len;
		if (next_random(4) > 0) {
			archive_step(a);
			sane &= archive_judged(a) == run.put;
		}
	}
	archive_end(a);
	run.done = archive_done(a);
	run.reason = archive_unscannable(a);
	run.waited_ns = archive_waited_ns(a);
	if (!sane || !run.done)
		ok(false, "a step judges all that was put, and the end is the end");
	archive_close(a);
}

/* FILE was found at DEPTH (0: at any); NULL when not. */
static const struct hit *
find_hit(struct slice file, unsigned depth)
{
	struct digest d[DIGEST_ALGS];
	size_t n = digests_of(file, ALGS, d);

	for (size_t i = 0; i < run.n && i < FOUND_MAX; i++) {
		const struct hit *h = &run.hits[i];

		if (h->size == file.len && h->n == n && digest_eq(&h->digests[0], &d[0]) && digest_eq(&h->digests[1], &d[1]) &&
		    (depth == 0 || h->depth == depth))
			return h;
	}
	return NULL;
}

static void
show_run(void)
{
	printf("# reason %s, %zu found\n", unscannable_name(run.reason), run.n);
	for (size_t i = 0; i < run.n && i < 10; i++)
		printf("#   %u %llu %s\n", run.hits[i].depth, (unsigned long long)run.hits[i].size, run.hits[i].name);
}

/* FILE is found in BODY at DEPTH, and the reason is REASON. */
static void
expect(struct slice body, struct slice file, unsigned depth, enum unscannable reason, const char *name)
{
	run_body(body);
	if (!ok(find_hit(file, depth) != NULL && run.reason == reason, "%s", name))
		show_run();
}

/* ---- making archives ---- */

struct maker {
	int	(*format)(struct archive *);
	int	(*filter)(struct archive *);
	const char *options;
};

struct file {
	const char	*name;
	struct slice	 bytes;
};

static struct slice
make(struct maker m, const struct file *files, size_t n)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	char *p = malloc(BODY_MAX);
	size_t used = 0;

	if (m.format(a) != ARCHIVE_OK || (m.filter != NULL && m.filter(a) != ARCHIVE_OK) ||
	    (m.options != NULL && archive_write_set_options(a, m.options) != ARCHIVE_OK) ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_memory(a, p, BODY_MAX, &used) != ARCHIVE_OK)
		abort();
	for (size_t i = 0; i < n; i++) {
		archive_entry_clear(entry);
		archive_entry_set_pathname_utf8(entry, files[i].name);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (la_int64_t)files[i].bytes.len);
		if (archive_write_header(a, entry) != ARCHIVE_OK ||
		    archive_write_data(a, files[i].bytes.p, files[i].bytes.len) != (la_ssize_t)files[i].bytes.len)
			abort();
	}
	archive_entry_free(entry);
	if (archive_write_close(a) != ARCHIVE_OK)
		abort();
	archive_write_free(a);
	return slice_make(keep(realloc(p, used)), used);
}

static struct slice
make_one(struct maker m, struct slice bytes)
{
	return make(m, &(struct file){ "member.exe", bytes }, 1);
}

static struct slice
join(struct slice a, struct slice b)
{
	char *p = keep(malloc(a.len + b.len + 1));

	memcpy(p, a.p, a.len);
	memcpy(p + a.len, b.p, b.len);
	return slice_make(p, a.len + b.len);
}

/* At least LEN bytes of it. */
static struct slice
repeat(struct slice s, size_t len)
{
	char *p = keep(malloc(len + s.len));
	size_t n = 0;

	for (; n < len; n += s.len)
		memcpy(p + n, s.p, s.len);
	return slice_make(p, n);
}

static const struct maker zip = { archive_write_set_format_zip, NULL, NULL };
static const struct maker zip_stored = { archive_write_set_format_zip, NULL, "zip:compression=store" };
static const struct maker tar = { archive_write_set_format_pax_restricted, NULL, NULL };
static const struct maker tar_gz = { archive_write_set_format_ustar, archive_write_add_filter_gzip, NULL };
static const struct maker gz = { archive_write_set_format_raw, archive_write_add_filter_gzip, NULL };
static const struct maker bz2 = { archive_write_set_format_raw, archive_write_add_filter_bzip2, NULL };
static const struct maker xz = { archive_write_set_format_raw, archive_write_add_filter_xz, NULL };
static const struct maker zst = { archive_write_set_format_raw, archive_write_add_filter_zstd, NULL };
static const struct maker sevenzip = { archive_write_set_format_7zip, NULL, NULL };
static const struct maker iso = { archive_write_set_format_iso9660, NULL, NULL };

/* A zip entry with a local header as its writer likes, and its directory entry. */
struct zip_entry {
	const char	*name;
	struct slice	 bytes;			/* stored */
	bool		 deflate, stored_blocks, descriptor, encrypted, utf8;
	uint32_t	 lie_crc, lie_packed, lie_size;	/* added to what the local header says */
	uint64_t	 at;
	uint32_t	 packed;
};

static struct slice
deflate_raw(struct slice bytes, int level)
{
	z_stream z = { 0 };
	size_t max = bytes.len + bytes.len / 100 + 100;
	char *p = malloc(max);

	if (deflateInit2(&z, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_in = (Bytef *)(uintptr_t)bytes.p;
	z.avail_in = (uInt)bytes.len;
	z.next_out = (Bytef *)p;
	z.avail_out = (uInt)max;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	deflateEnd(&z);
	return slice_make(p, z.total_out);
}

static void
put_number(struct buf *b, uint64_t v, size_t n)
{
	char p[8];

	bytes_put(p, v, n);
	buf_add(b, p, n);
}

/* What local header and directory have in common, from the version on. */
static void
zip_fields(struct buf *b, const struct zip_entry *e, uint32_t crc, uint32_t packed, uint32_t size)
{
	put_number(b, 20, 2);
	put_number(b, (e->descriptor ? 8 : 0) | (e->encrypted ? 1 : 0) | (e->utf8 ? 1 << 11 : 0), 2);
	put_number(b, e->deflate ? 8 : 0, 2);
	put_number(b, 0, 4);
	put_number(b, crc, 4);
	put_number(b, packed, 4);
	put_number(b, size, 4);
	put_number(b, strlen(e->name), 2);
	put_number(b, 0, 2);
}

static void
zip_local(struct buf *b, struct zip_entry *e, uint64_t from)
{
	struct slice data = e->deflate ? deflate_raw(e->bytes, e->stored_blocks ? 0 : 6) : e->bytes;
	uint32_t crc = (uint32_t)crc32(0, (const Bytef *)e->bytes.p, (uInt)e->bytes.len);

	e->at = b->len - from;
	e->packed = (uint32_t)data.len;
	buf_add_str(b, "PK\x03\x04");
	if (e->descriptor)
		zip_fields(b, e, 0, 0, 0);
	else
		zip_fields(b, e, crc + e->lie_crc, e->packed + e->lie_packed, (uint32_t)e->bytes.len + e->lie_size);
	buf_add_str(b, e->name);
	buf_add_slice(b, data);
	if (e->descriptor) {
		buf_add_str(b, "PK\x07\x08");
		put_number(b, crc, 4);
		put_number(b, e->packed, 4);
		put_number(b, e->bytes.len, 4);
	}
	if (e->deflate)
		free((char *)(uintptr_t)data.p);
}

static void
zip_central(struct buf *b, const struct zip_entry *e)
{
	buf_add_str(b, "PK\x01\x02");
	put_number(b, 20, 2);
	zip_fields(b, e, (uint32_t)crc32(0, (const Bytef *)e->bytes.p, (uInt)e->bytes.len), e->packed, (uint32_t)e->bytes.len);
	put_number(b, 0, 2);
	put_number(b, 0, 2);
	put_number(b, 0, 2);
	put_number(b, 0, 4);
	put_number(b, e->at, 4);
	buf_add_str(b, e->name);
}

/* PREFIX, then a zip of N entries. */
static struct slice
make_zip(struct slice prefix, struct zip_entry *entries, size_t n)
{
	struct buf b;
	size_t at, end;

	buf_init(&b, BODY_MAX);
	buf_add_slice(&b, prefix);
	for (size_t i = 0; i < n; i++)
		zip_local(&b, &entries[i], prefix.len);
	at = b.len;
	for (size_t i = 0; i < n; i++)
		zip_central(&b, &entries[i]);
	end = b.len;
	buf_add_str(&b, "PK\x05\x06");
	put_number(&b, 0, 4);
	put_number(&b, n, 2);
	put_number(&b, n, 2);
	put_number(&b, end - at, 4);
	put_number(&b, at - prefix.len, 4);
	put_number(&b, 0, 2);
	keep(b.p);
	return buf_slice(&b);
}

/* ---- formats ---- */

static const struct { const char *name; struct maker m; unsigned depth; } formats[] = {
	{ "zip, deflate, descriptors", { archive_write_set_format_zip, NULL, NULL }, 1 },
	{ "zip, stored", { archive_write_set_format_zip, NULL, "zip:compression=store" }, 1 },
	{ "zip64", { archive_write_set_format_zip, NULL, "zip:zip64" }, 1 },
	{ "7z", { archive_write_set_format_7zip, NULL, NULL }, 1 },
	{ "7z, stored", { archive_write_set_format_7zip, NULL, "7zip:compression=store" }, 1 },
	{ "7z, bzip2", { archive_write_set_format_7zip, NULL, "7zip:compression=bzip2" }, 1 },
	{ "tar, pax", { archive_write_set_format_pax, NULL, NULL }, 1 },
	{ "tar, ustar", { archive_write_set_format_ustar, NULL, NULL }, 1 },
	{ "tar, gnu", { archive_write_set_format_gnutar, NULL, NULL }, 1 },
	{ "tar, v7", { archive_write_set_format_v7tar, NULL, NULL }, 1 },
	{ "tar.gz", { archive_write_set_format_ustar, archive_write_add_filter_gzip, NULL }, 2 },
	{ "tar.bz2", { archive_write_set_format_ustar, archive_write_add_filter_bzip2, NULL }, 2 },
	{ "tar.xz", { archive_write_set_format_ustar, archive_write_add_filter_xz, NULL }, 2 },
	{ "tar.lzma", { archive_write_set_format_ustar, archive_write_add_filter_lzma, NULL }, 2 },
	{ "tar.zst", { archive_write_set_format_ustar, archive_write_add_filter_zstd, NULL }, 2 },
	{ "tar.lz", { archive_write_set_format_ustar, archive_write_add_filter_lzip, NULL }, 2 },
	{ "tar.lz4", { archive_write_set_format_ustar, archive_write_add_filter_lz4, NULL }, 2 },
	{ "tar.Z", { archive_write_set_format_ustar, archive_write_add_filter_compress, NULL }, 2 },
	{ "cpio, newc", { archive_write_set_format_cpio_newc, NULL, NULL }, 1 },
	{ "cpio, odc", { archive_write_set_format_cpio, NULL, NULL }, 1 },
	{ "ar", { archive_write_set_format_ar_svr4, NULL, NULL }, 1 },
	{ "iso", { archive_write_set_format_iso9660, NULL, NULL }, 1 },
	{ "xar", { archive_write_set_format_xar, NULL, NULL }, 1 },
	{ "gz", { archive_write_set_format_raw, archive_write_add_filter_gzip, NULL }, 1 },
	{ "bz2", { archive_write_set_format_raw, archive_write_add_filter_bzip2, NULL }, 1 },
	{ "xz", { archive_write_set_format_raw, archive_write_add_filter_xz, NULL }, 1 },
	{ "zst", { archive_write_set_format_raw, archive_write_add_filter_zstd, NULL }, 1 },
};

static void
test_formats(struct slice listed, struct slice other)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct file files[] = { { "patch.exe", listed }, { "readme.txt", other } };
		size_t before = n_made;
		bool raw = formats[i].m.format == archive_write_set_format_raw;
		struct slice body = make(formats[i].m, files, raw ? 1 : 2);
		const struct hit *h;

		run_reset();
		expect(body, listed, formats[i].depth, UNSCANNABLE_NO, formats[i].name);
		ok(raw || find_hit(other, formats[i].depth) != NULL, "%s: the other one", formats[i].name);
		h = find_hit(listed, 0);
		if (!raw)
			is_str(h == NULL ? "" : h->name, "patch.exe", "its name");
		/* Byte by byte, and as a part of something else. */
		run_reset();
		run.piece_max = 40;
		expect(body, listed, formats[i].depth, UNSCANNABLE_NO, "in small pieces");
		run_reset();
		expect(make_one(tar_gz, body), listed, formats[i].depth + 2, UNSCANNABLE_NO, "in a tar.gz");
		run_reset();
		expect(make_one(zip, body), listed, formats[i].depth + 1, UNSCANNABLE_NO, "in a zip");
		run_reset();
		expect(make_one(sevenzip, body), listed, formats[i].depth + 1, UNSCANNABLE_NO, "in a 7z");
		forget(before);
	}
}

/* The finding of a first member comes while the rest is still to come. */
static void
test_in_step(struct slice listed, struct slice other)
{
	static const struct { const char *name; const struct maker *m; } rows[] = {
		{ "zip", &zip }, { "stored zip", &zip_stored }, { "tar", &tar }, { "tar.gz", &tar_gz },
	};
	struct slice large = make_file(4 << 20);

	(void)other;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct file files[] = { { "first", listed }, { "second", large } };
		struct slice body = make(*rows[i].m, files, 2);
		const struct hit *h;

		run_reset();
		run_body(body);
		h = find_hit(listed, 0);
		ok(h != NULL && h->put < listed.len + 512 * 1024 && run.reason == UNSCANNABLE_NO,
		    "%s: the first member is found in step", rows[i].name);
		ok(find_hit(large, 0) != NULL, "%s: and the second", rows[i].name);
	}
}

static void
test_members_of_codings(struct slice listed, struct slice other)
{
	static const struct { const char *name; const struct maker *m; } rows[] = {
		{ "gz", &gz }, { "bz2", &bz2 }, { "xz", &xz }, { "zst", &zst },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice one = make_one(*rows[i].m, listed), none = make_one(*rows[i].m, SLICE("")), padded;
		const struct hit *h;

		padded = join(one, repeat(none, 70 * 1024));
		run_reset();
		run_body(padded);
		h = find_hit(listed, 1);
		ok(h != NULL && h->put < one.len + 200 * 1024 && run.reason == UNSCANNABLE_NO && run.n == 1,
		    "%s and 70 KB of empty members", rows[i].name);
		run_reset();
		run.piece_max = 2000;
		run_body(padded);
		h = find_hit(listed, 1);
		ok(h != NULL && h->put < one.len + 2 * 2000 + 4 * 2000, "%s: found when its member ends", rows[i].name);
		run_reset();
		expect(join(one, make_one(*rows[i].m, other)), listed, 1, UNSCANNABLE_NO, "two members: the first");
		ok(find_hit(join(listed, other), 1) != NULL, "%s: and both together", rows[i].name);
		run_reset();
		expect(join(one, SLICE("\xff\xfe trailing garbage")), listed, 1, UNSCANNABLE_NO, "trailing garbage");
		run_reset();
		/* The last block of zstd gives nothing until all of it is there. */
		if (rows[i].m != &zst)
			expect(slice_head(one, one.len - 3), listed, 1, UNSCANNABLE_DAMAGED, "without its last bytes");
		run_reset();
		expect(join(one, make_one(zip, other)), other, 1, UNSCANNABLE_NO, "a zip behind it");
	}
}

/* BYTES as a gzip whose member goes on for LEN bytes of blocks of nothing, and ends with MORE. */
static struct slice
make_padded(struct slice bytes, size_t len, struct slice more)
{
	static const char start[10] = { 0x1f, (char)0x8b, 8 }, nothing[] = { 0, 0, 0, (char)0xff, (char)0xff };
	struct slice all = join(bytes, more);
	size_t max = all.len + len + 70000;
	char *p = keep(malloc(max));
	z_stream z = { .next_in = (Bytef *)(uintptr_t)all.p, .avail_in = (uInt)bytes.len, .next_out = (Bytef *)p + sizeof(start),
		.avail_out = (uInt)max };
	uint64_t n;

	memcpy(p, start, sizeof(start));
	if (deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FULL_FLUSH) != Z_OK)
		abort();
	for (; len > sizeof(nothing); len -= sizeof(nothing)) {
		memcpy(z.next_out, nothing, sizeof(nothing));
		z.next_out += sizeof(nothing);
	}
	z.avail_in = (uInt)more.len;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	n = (uint64_t)((char *)z.next_out - p);
	deflateEnd(&z);
	bytes_put(p + n, crc32(0, (const Bytef *)all.p, (uInt)all.len), 4);
	bytes_put(p + n + 4, all.len, 4);
	return slice_make(p, n + 8);
}

/* Where a member seems to have ended, for all that a client needs. */
static void
test_padded_members(struct slice listed, struct slice other)
{
	struct slice body = make_padded(listed, 70000, SLICE("")), small = slice_head(other, 8);
	const struct hit *h;

	run_reset();
	run.piece_max = 4000;
	expect(body, listed, 1, UNSCANNABLE_NO, "a gzip that is padded inside");
	h = find_hit(listed, 1);
	judge(h != NULL && h->put < body.len - 70000 + 20000 && run.n == 1, "found where the padding begins");
	run_reset();
	expect(make_padded(listed, 20000, other), listed, 1, UNSCANNABLE_NO, "and goes on");
	judge(find_hit(join(listed, other), 1) != NULL && run.n == 2, "both");
	run_reset();
	run.piece_max = 1;
	expect(make_padded(small, 2000, SLICE("x")), join(small, SLICE("x")), 1, UNSCANNABLE_NO, "not where little comes");
	judge(run.n == 1, "once");
}

/* lz4's reader does not say where a frame ends. */
static void
test_lz4(struct slice listed, struct slice other)
{
	static const struct maker lz4 = { archive_write_set_format_raw, archive_write_add_filter_lz4, NULL };
	struct slice one = make_one(lz4, listed);
	const struct hit *h;

	(void)other;
	run_reset();
	run.piece_max = 5000;
	run_body(join(one, repeat(SLICE("\x50\x2a\x4d\x18\4\0\0\0none"), 200 * 1024)));
	h = find_hit(listed, 1);
	judge(h != NULL && h->put < one.len + 65536 && run.reason == UNSCANNABLE_NO, "lz4 and frames of nothing");
}

/* What those who read gzip do not look at. */
static void
test_gzip_headers(struct slice listed, struct slice other)
{
	static const char sum[] = "\x1f\x8b\x08\x02\0\0\0\0\0\x03xx", reserved[] = "\x1f\x8b\x08\xe0\0\0\0\0\0\x03",
	    both[] = "\x1f\x8b\x08\xaa\0\0\0\0\0\x03name\0xx";
	const struct slice heads[] = { { sum, sizeof(sum) - 1 }, { reserved, sizeof(reserved) - 1 }, { both, sizeof(both) - 1 } };
	struct slice data = slice_skip(make_one(gz, listed), 10);

	for (size_t i = 0; i < 3; i++)
		for (int small = 0; small < 2; small++) {
			run_reset();
			run.piece_max = small ? 2 : 0;
			expect(join(heads[i], data), listed, 1, UNSCANNABLE_NO, "a gzip header that is not looked at closely");
			run_reset();
			expect(join(make_one(gz, other), join(heads[i], data)), join(other, listed), 1, UNSCANNABLE_NO, "of a later member");
		}
}

static void
test_wrong_sums(struct slice listed, struct slice other)
{
	struct slice body = make_one(gz, listed);

	(void)other;
	((char *)(uintptr_t)body.p)[body.len - 6] ^= 1;
	run_reset();
	expect(body, listed, 1, UNSCANNABLE_DAMAGED, "a gzip with a wrong sum");
	body = make_one(xz, listed);
	((char *)(uintptr_t)body.p)[body.len - 9] ^= 1;
	run_reset();
	expect(body, listed, 1, UNSCANNABLE_DAMAGED, "an xz with a wrong footer");
	body = make_one(bz2, listed);
	((char *)(uintptr_t)body.p)[body.len - 3] ^= 1;
	run_reset();
	expect(body, listed, 1, UNSCANNABLE_DAMAGED, "a bzip2 with a wrong sum");
}

static void
test_zips(struct slice listed, struct slice other)
{
	struct zip_entry good[] = { { .name = "a", .bytes = listed, .deflate = true }, { .name = "b", .bytes = other } };
	struct zip_entry e[2];
	struct slice inner;

	run_reset();
	expect(make_zip(SLICE(""), good, 2), listed, 1, UNSCANNABLE_NO, "a plain zip");
	judge(run.n == 2, "each member once");
	run_reset();
	expect(make_zip(other, good, 2), listed, 1, UNSCANNABLE_NO, "a zip behind something else");
	run_reset();
	expect(join(make_zip(SLICE(""), good, 2), make_file(3000)), listed, 1, UNSCANNABLE_NO, "junk behind a zip");
	run_reset();
	expect(join(make_zip(SLICE(""), good, 2), make_file(100000)), listed, 1, UNSCANNABLE_NO, "much junk behind a zip");

	for (int deflated = 0; deflated < 2; deflated++) {
		memcpy(e, good, sizeof(e));
		e[0].deflate = deflated;
		e[0].descriptor = true;
		run_reset();
		expect(make_zip(SLICE(""), e, 2), listed, 1, UNSCANNABLE_NO, "sizes behind the data");
		judge(run.n == 2 && find_hit(other, 1) != NULL, "and the other, each once");
		memcpy(e, good, sizeof(e));
		e[0].deflate = deflated;
		e[0].lie_crc = 1;
		run_reset();
		expect(make_zip(SLICE(""), e, 2), listed, 1, UNSCANNABLE_NO, "a local header with a wrong sum");
		e[0].lie_crc = 0;
		e[0].lie_size = 7;
		run_reset();
		run_body(make_zip(SLICE(""), e, 2));
		judge(find_hit(listed, 1) != NULL && find_hit(other, 1) != NULL, "a local header with a wrong size");
		e[0].lie_size = 0;
		e[0].lie_packed = (uint32_t)-5000;
		run_reset();
		run_body(make_zip(SLICE(""), e, 2));
		judge(find_hit(listed, 1) != NULL && find_hit(other, 1) != NULL, "a local header with a shorter packed size");
		e[0].lie_packed = 5000;
		run_reset();
		run_body(make_zip(SLICE(""), e, 2));
		judge(find_hit(listed, 1) != NULL && find_hit(other, 1) != NULL, "a local header with a longer packed size");
	}
	memcpy(e, good, sizeof(e));
	e[1].bytes = listed;
	for (int deflated = 0; deflated < 2; deflated++) {
		struct slice body;

		e[1].deflate = deflated;
		e[1].descriptor = true;
		body = make_zip(SLICE(""), e, 2);
		run_reset();
		expect(slice_head(body, slice_search(body, SLICE("PK\x01\x02"))), listed, 1, UNSCANNABLE_DAMAGED, "without a directory");
		judge(strcmp(run.hits[run.n - 1].name, "b") == 0, "the last entry");
	}
	memcpy(e, good, sizeof(e));
	inner = make_zip(SLICE(""), &(struct zip_entry){ .name = "c", .bytes = make_file(90000) }, 1);
	e[0].bytes = join(slice_head(inner, 80000), join(SLICE("a head"), slice_skip(inner, 80000)));
	e[0].deflate = false;
	run_reset();
	expect(make_zip(SLICE(""), e, 2), other, 1, UNSCANNABLE_DAMAGED, "a damaged zip in a zip");
	e[0].deflate = true;
	e[0].bytes = inner;
	e[0].stored_blocks = true;
	e[0].descriptor = true;
	run_reset();
	expect(make_zip(SLICE(""), e, 2), other, 1, UNSCANNABLE_NO, "one that is cut into blocks");
	/* What only the directory says is found when that has passed, whatever follows. */
	memcpy(e, good, sizeof(e));
	e[0].bytes = other;
	e[1].bytes = listed;
	e[1].lie_packed = e[1].lie_size = (uint32_t)-5000;
	for (int nested = 0; nested < 2; nested++) {
		struct slice body = make_zip(other, e, 2), padded = join(body, make_file(2 << 20));
		const struct hit *h;

		run_reset();
		run_body(nested ? make_one(zip_stored, padded) : padded);
		h = find_hit(listed, 0);
		judge(h != NULL && h->put < body.len + 200000, "a longer file than its local header says, and much behind it");
	}
	e[1].lie_packed = e[1].lie_size = 0;
	run_reset();
	run_body(join(make_zip(SLICE(""), e, 2), repeat(make_zip(SLICE(""), e, 2), 5 << 20)));
	judge(find_hit(listed, 1) != NULL && run.reason == UNSCANNABLE_NO, "many zips in one");
	memcpy(e, good, sizeof(e));
	e[0].encrypted = true;
	run_reset();
	expect(make_zip(SLICE(""), e, 2), other, 1, UNSCANNABLE_ENCRYPTED, "an encrypted entry, and one that is not");
	e[0].descriptor = true;
	run_reset();
	expect(make_zip(SLICE(""), e, 2), other, 1, UNSCANNABLE_ENCRYPTED, "the same with sizes behind the data");
}

static void
test_prefixes(struct slice listed, struct slice other)
{
	static const char seven_decoy[] = "7z\xbc\xaf\x27\x1c\0\4 it is not";
	struct slice decoys = SLICE("PK\x03\x04"), pk = SLICE("PK\x03\x04\x14\0\0\0\x08\0");
	struct zip_entry e[] = { { .name = "a", .bytes = listed, .deflate = true } };
	struct slice odd;

	decoys = join(decoys, SLICE("MSCF Rar!\x1a\x07\x00 Rar!\x1a\x07\x01\x00"));
	decoys = join(decoys, slice_make(seven_decoy, sizeof(seven_decoy)));
	for (int i = 0; i < 5; i++)
		decoys = join(join(decoys, pk), make_file(300));
	run_reset();
	run_body(make_zip(join(other, decoys), e, 1));
	if (!ok(find_hit(listed, 1) != NULL, "a zip behind decoys"))
		show_run();
	run_reset();
	run_body(make_one(tar_gz, make_zip(join(other, decoys), e, 1)));
	ok(find_hit(listed, 3) != NULL, "the same in a tar.gz");
	/* A local header of a version that nobody will ever need shows only to who reads the directory. */
	odd = make_zip(other, e, 1);
	((char *)(uintptr_t)odd.p)[other.len + 4] = (char)200;
	run_reset();
	expect(odd, listed, 1, UNSCANNABLE_NO, "a local header that makes no sense");
	run_reset();
	expect(make_one(tar, odd), listed, 2, UNSCANNABLE_NO, "the same in a tar");
	run_reset();
	run.wish.limits.spool = 1000;
	run_body(odd);
	judge(run.reason == UNSCANNABLE_SPOOL, "and when it cannot be read again");
	run_reset();
	run.wish.limits.depth = 1;
	run_body(make_one(tar, odd));
	judge(run.reason == UNSCANNABLE_DEPTH, "and when it is too deep");
	run_reset();
	expect(join(other, make_one(sevenzip, listed)), listed, 1, UNSCANNABLE_NO, "a 7z behind something else");
	run_reset();
	run_body(join(join(other, decoys), make_one(sevenzip, listed)));
	ok(find_hit(listed, 1) != NULL, "a 7z behind decoys");
	run_reset();
	expect(make_one(zip, join(other, make_one(sevenzip, listed))), listed, 2, UNSCANNABLE_NO, "the first in a zip");
	run_reset();
	run_body(other);
	judge(run.n == 0 && run.reason == UNSCANNABLE_NO && run.done, "no archive at all");
	run_reset();
	run_body(join(SLICE("MZ this program unpacks PK\x03\x04 PK\x01\x02 PK\x05\x06 Rar!\x1a\x07\x00 and MSCF"), other));
	judge(run.n == 0 && run.reason == UNSCANNABLE_NO, "a program with signatures as constants");
	run_reset();
	run_body(SLICE(""));
	judge(run.n == 0 && run.reason == UNSCANNABLE_NO && run.done, "nothing");
	run_reset();
	run_body(SLICE("P"));
	judge(run.n == 0 && run.reason == UNSCANNABLE_NO && run.done, "one byte");
}

static struct slice make_cab(struct slice bytes);

/* A 7z is whole where its start header says, whatever follows. */
static void
test_sevenzips(struct slice listed, struct slice other)
{
	struct slice one = make_one(sevenzip, listed), junk = make_file(2 << 20), start, blocks;
	const struct hit *h;

	run_reset();
	expect(join(one, junk), listed, 1, UNSCANNABLE_NO, "junk behind a 7z");
	h = find_hit(listed, 1);
	judge(h != NULL && h->put < one.len + 70000 && run.n == 1, "found in step");
	run_reset();
	expect(join(join(other, one), junk), listed, 1, UNSCANNABLE_NO, "and with something before it");
	h = find_hit(listed, 1);
	judge(h != NULL && h->put < other.len + one.len + 70000, "found in step");
	run_reset();
	expect(make_one(zip_stored, join(one, junk)), listed, 2, UNSCANNABLE_NO, "in a zip");
	h = find_hit(listed, 2);
	judge(h != NULL && h->put < one.len + 200000, "found in step");
	run_reset();
	expect(join(one, make_one(sevenzip, other)), listed, 1, UNSCANNABLE_NO, "two of them");
	judge(find_hit(other, 1) != NULL && run.n == 2, "each of them once");
	run_reset();
	expect(join(one, make_one(zip, other)), other, 1, UNSCANNABLE_NO, "a zip behind it");
	run_reset();
	run.wish.limits.spool = 1 << 20;
	expect(join(one, junk), listed, 1, UNSCANNABLE_NO, "not when the spool was given back");
	run_reset();
	run_body(slice_head(one, one.len - 1));
	judge(run.reason == UNSCANNABLE_DAMAGED, "a byte less");
	start = slice_head(one, 32);
	/* In stored blocks of deflate, with something between them. */
	blocks = make((struct maker){ archive_write_set_format_7zip, NULL, "7zip:compression=deflate,7zip:compression-level=0" },
	    (struct file[]){ { "a.zip", make(zip, (struct file[]){ { "a", listed }, { "b", junk }, { "c", other } }, 3) },
	    { "b.7z", make_one(sevenzip, junk) }, { "c", make_cab(junk) } }, 3);
	run_reset();
	expect(blocks, listed, 2, UNSCANNABLE_NO, "archives in pieces within a 7z");
	run_reset();
	expect(join(other, blocks), listed, 2, UNSCANNABLE_NO, "behind something else");
	run_reset();
	expect(make_one(zip_stored, join(blocks, other)), listed, 3, UNSCANNABLE_NO, "in a zip, and something behind");
	run_reset();
	run_body(slice_head(blocks, blocks.len - 1));
	judge(run.reason == UNSCANNABLE_DAMAGED, "when the 7z lacks a byte");
	run_reset();
	expect(join(start, make_one(zip, other)), other, 1, UNSCANNABLE_DAMAGED, "a start header alone, and a zip");
	for (int nested = 0; nested < 2; nested++) {
		char *p = keep(malloc(one.len));

		memcpy(p, one.p, one.len);
		p[8]++;
		run_reset();
		expect(nested ? make_one(zip, slice_make(p, one.len)) : slice_make(p, one.len), listed, 0, UNSCANNABLE_NO,
		    "a start header whose sum is wrong");
		memset(p + 8, 0, 24);
		run_reset();
		run_body(nested ? make_one(zip, slice_make(p, one.len)) : slice_make(p, one.len));
		judge(run.reason == UNSCANNABLE_DAMAGED, "one of zeros");
	}
	run_reset();
	run_body(make(sevenzip, NULL, 0));
	judge(run.reason == UNSCANNABLE_NO && run.n == 0, "an empty one");
}

/* What is behind the end of a tar, and in the middle of one. */
/* A block of a tar that is a header, whose sum is still missing. */
static char *
tar_head(const char *name, char type, size_t size)
{
	char *p = keep(calloc(1, 512));

	memcpy(p, name, strlen(name));
	snprintf(p + 100, 8, "0000644");
	snprintf(p + 108, 8, "0000000");
	snprintf(p + 116, 8, "0000000");
	snprintf(p + 124, 12, "%011zo", size);
	snprintf(p + 136, 12, "00000000000");
	p[156] = type;
	memcpy(p + 257, "ustar\0" "00", 8);
	return p;
}

enum { SUM_PLAIN, SUM_NUL, SUM_TAB, SUM_BINARY, SUM_SIGNED, SUM_BASE64, SUM_FORMS };

static struct slice
tar_sealed(char *p, int form)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned sum = 0;

	memset(p + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += form == SUM_SIGNED ? (unsigned)(signed char)p[i] : (unsigned char)p[i];
	if (form == SUM_BINARY) {
		memset(p + 148, 0, 8);
		p[148] = '\x80';
		p[154] = (char)(sum >> 8);
		p[155] = (char)sum;
	} else if (form == SUM_BASE64) {
		memcpy(p + 148, "+AAAA", 5);
		for (size_t i = 0; i < 3; i++)
			p[153 + i] = digits[sum >> (12 - 6 * i) & 63];
	} else
		snprintf(p + 148 + (form == SUM_NUL || form == SUM_TAB), 7, "%06o", sum);
	if (form == SUM_NUL || form == SUM_TAB)
		p[148] = form == SUM_TAB ? '\t' : '\0';
	return slice_make(p, 512);
}

/* BYTES up to the next block. */
static struct slice
tar_padded(struct slice bytes)
{
	static const char zeros[512];

	return join(bytes, slice_make(zeros, (512 - bytes.len % 512) % 512));
}

static struct slice
tar_entry(char *head, struct slice bytes)
{
	return join(tar_sealed(head, SUM_PLAIN), tar_padded(bytes));
}

/* BODY with the version in its first local header as VERSION. */
static struct slice
with_version(struct slice body, int version)
{
	char *p = keep(malloc(body.len));

	memcpy(p, body.p, body.len);
	p[slice_search(body, SLICE("PK\x03\x04")) + 4] = (char)version;
	return slice_make(p, body.len);
}

/* A zip with a local header that makes no sense, and two directories: that of a decoy and its own.  END says which is meant. */
enum { END_SIZE, END_OFFSET, END_NEITHER, END_ZIP64, END_CASES };

static struct slice
two_directories(struct slice listed, struct slice other, int end)
{
	struct zip_entry e[] = { { .name = "a", .bytes = other }, { .name = "b", .bytes = listed, .deflate = true } };
	size_t first, second, end64, from = 7;
	struct buf b;

	buf_init(&b, BODY_MAX);
	buf_add_str(&b, "\x01\x02\x03MSCF");
	zip_local(&b, &e[0], from);
	zip_local(&b, &e[1], from);
	memcpy(b.p + from + e[1].at + 4, "\xc8\0\x80", 4);
	first = b.len;
	if (end == END_NEITHER)
		e[1].at += 1000;
	zip_central(&b, &e[1]);
	second = b.len;
	if (end != END_NEITHER)
		zip_central(&b, &e[0]);
	end64 = b.len;
	if (end == END_ZIP64) {
		buf_add_str(&b, "PK\x06\x06");
		put_number(&b, 44, 8);
		put_number(&b, 45, 2);
		put_number(&b, 45, 2);
		put_number(&b, 0, 8);
		put_number(&b, 1, 8);
		put_number(&b, 1, 8);
		put_number(&b, end64 - second, 8);
		put_number(&b, second - from, 8);
		buf_add_str(&b, "PK\x06\x07");
		put_number(&b, 0, 4);
		put_number(&b, end64, 8);
		put_number(&b, 1, 4);
	}
	buf_add_str(&b, "PK\x05\x06");
	put_number(&b, 0, 4);
	put_number(&b, 1, 2);
	put_number(&b, 1, 2);
	put_number(&b, end == END_SIZE ? end64 - first : end == END_NEITHER ? 1 : end64 - second, 4);
	put_number(&b, first - from + (end == END_NEITHER ? 1000 : 0), 4);
	put_number(&b, 0, 2);
	keep(b.p);
	return buf_slice(&b);
}

/* A zip whose directory's own end record has a comment, in which N others end at the same place. */
static struct slice
many_ends(struct slice listed, struct slice other, int n)
{
	struct zip_entry e[] = { { .name = "a", .bytes = other }, { .name = "b", .bytes = listed, .deflate = true } };
	size_t own, decoy;
	struct buf b;

	buf_init(&b, BODY_MAX);
	zip_local(&b, &e[0], 0);
	zip_local(&b, &e[1], 0);
	memcpy(b.p + e[1].at + 4, "\xc8\0\x80", 4);
	decoy = b.len;
	zip_central(&b, &e[0]);
	own = b.len;
	zip_central(&b, &e[1]);
	for (int i = 0; i <= n; i++) {
		size_t at = i == 0 ? own : decoy;

		buf_add_str(&b, "PK\x05\x06");
		put_number(&b, 0, 4);
		put_number(&b, 1, 2);
		put_number(&b, 1, 2);
		put_number(&b, i == 0 ? b.len - 12 - own : own - decoy, 4);
		put_number(&b, at, 4);
		put_number(&b, (size_t)(n - i) * 22, 2);
	}
	keep(b.p);
	return buf_slice(&b);
}

/* Local headers of which some say that they make no sense. */
static void
test_odd_zips(struct slice listed, struct slice other)
{
	struct zip_entry e = { .name = "a", .bytes = listed, .deflate = true };
	struct slice body;

	for (int version = 64; version < 256; version += 63) {
		body = with_version(make_zip(other, &e, 1), version);
		run_reset();
		expect(body, listed, 1, UNSCANNABLE_NO, "a version of the future");
		run_reset();
		expect(slice_head(body, slice_search(body, SLICE("PK\x01\x02"))), listed, 1, UNSCANNABLE_DAMAGED, "without a directory");
	}
	for (int end = 0; end < END_CASES; end++) {
		run_reset();
		run_body(two_directories(listed, other, end));
		judge(find_hit(listed, 1) != NULL, "a directory where only some look");
	}
	for (int n = 20; n <= 60; n += 40) {
		run_reset();
		run_body(many_ends(listed, other, n));
		judge(n > 32 ? run.reason == UNSCANNABLE_DAMAGED : find_hit(listed, 1) != NULL, "end records in a comment");
	}
	body = make_zip(SLICE(""), &e, 1);
	((char *)(uintptr_t)body.p)[slice_search(body, SLICE("PK\x01\x02")) + 10] = 0;
	memset((char *)(uintptr_t)body.p + 4, 200, 1);
	((char *)(uintptr_t)body.p)[6] = (char)0x80;
	run_reset();
	run_body(body);
	judge(find_hit(listed, 1) != NULL, "another method in the directory");
}

/* What only some who read tars believe. */
static void
test_odd_tars(struct slice listed, struct slice other)
{
	static const char zeros[1024];
	struct slice end = slice_make(zeros, sizeof(zeros)), file = tar_padded(listed), inner;
	char *p;

	for (int form = SUM_PLAIN; form < SUM_FORMS; form++) {
		struct slice head = tar_sealed(tar_head(form == SUM_SIGNED ? "\xe4\xe4" : "a", '0', listed.len), form), body;

		inner = join(join(head, file), end);
		body = join(tar_entry(tar_head("b", '0', other.len), other), inner);
		run_reset();
		expect(inner, listed, 1, UNSCANNABLE_NO, "a tar whose sum is written in some way");
		run_reset();
		expect(body, listed, 1, UNSCANNABLE_NO, "a later entry of one");
		run_reset();
		expect(join(tar_entry(tar_head("b", '0', inner.len), inner), end), listed, 2, UNSCANNABLE_NO, "one in another");
		judge(find_hit(inner, 1) != NULL, "as it is");
	}
	inner = tar_entry(tar_head("x", '0', listed.len), listed);
	run_reset();
	expect(join(join(tar_entry(tar_head("", 'L', 6), SLICE("a.exe\0")), inner), end), listed, 1, UNSCANNABLE_NO, "a long name first");
	run_reset();
	expect(join(join(tar_entry(tar_head("", 'x', 14), SLICE("14 path=a.exe\n")), inner), end), listed, 1, UNSCANNABLE_NO,
	    "an extended header first");
	p = tar_head("a", '0', listed.len);
	memcpy(p + 148, "7777777", 8);
	run_reset();
	expect(join(join(slice_make(p, 512), file), join(inner, end)), listed, 1, UNSCANNABLE_DAMAGED, "a wrong sum first");
}

/* The size in an extended header, which not all read in one way. */
static void
test_tar_sizes(struct slice listed, struct slice other)
{
	static const char zeros[1024];
	static const struct { char type; const char *records; bool doubtful; } cases[] = {
		{ 'x', "14 size=90112\n", false }, { 'x', "14 path=a.exe\n14 size=90112\n", false }, { 'g', "14 path=a.exe\n", false },
		{ 'x', "14 size=90113\n", true }, { 'x', "14 size=+9011\n", true }, { 'x', "15 size= 90112\n", true },
		{ 'x', "15 size=90112 \n", true }, { 'x', "18 size=90112junk\n", true }, { 'x', "9 size=\n", true },
		{ 'x', "35 size=00000000000000000000090112\n", true }, { 'g', "14 size=90112\n", true }, { 'x', "15  size=90112\n", true },
		{ 'x', "13 size=90112\n", true }, { 'x', "12 size=10000\n14 size=90112\n", true }, { 'x', "99 size=90112\n", true },
		{ 'x', "14 size=10000\n14 size=90112\n", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice records = slice_str(cases[i].records);
		struct slice body = join(tar_entry(tar_head("x", cases[i].type, records.len), records),
		    join(tar_entry(tar_head("a", '0', listed.len), listed), join(tar_entry(tar_head("b", '0', other.len), other),
		    slice_make(zeros, sizeof(zeros)))));
		char name[64];

		snprintf(name, sizeof(name), "%c: %.*s", cases[i].type, (int)records.len - 1, cases[i].records);
		run_reset();
		run_body(body);
		judge(run.reason == (cases[i].doubtful ? UNSCANNABLE_DAMAGED : UNSCANNABLE_NO) &&
		    (cases[i].doubtful || (find_hit(listed, 1) != NULL && find_hit(other, 1) != NULL)), name);
	}
}

/* Files with a hole at their end, which is not in the tar. */
static void
test_sparse_tars(struct slice listed, struct slice other)
{
	static const char zeros[4096];
	struct slice end = slice_make(zeros, 1024), whole = join(slice_head(listed, 30000), slice_make(zeros, sizeof(zeros))), map;
	char *p, text[128];

	for (int entries = 1; entries <= 2; entries++) {
		p = tar_head("a", 'S', 30000);
		memcpy(p + 257, "ustar  ", 8);
		snprintf(p + 386, 12, "%011o", 0);
		snprintf(p + 398, 12, "%011o", 30000);
		if (entries == 2) {
			snprintf(p + 410, 12, "%011zo", whole.len);
			snprintf(p + 422, 12, "%011o", 0);
		}
		snprintf(p + 483, 12, "%011zo", whole.len);
		run_reset();
		expect(join(tar_entry(p, slice_head(listed, 30000)), join(tar_entry(tar_head("b", '0', other.len), other), end)), whole, 1,
		    UNSCANNABLE_NO, "a file with a hole at its end");
		judge(find_hit(other, 1) != NULL && run.n == 2, "and another");
	}
	snprintf(text, sizeof(text), "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n29 GNU.sparse.realsize=%zu\n", whole.len);
	map = tar_padded(SLICE("1\n0\n30000\n"));
	run_reset();
	expect(join(tar_entry(tar_head("x", 'x', strlen(text)), slice_str(text)),
	    join(tar_entry(tar_head("a", '0', 512 + 30000), join(map, slice_head(listed, 30000))), end)), whole, 1, UNSCANNABLE_NO,
	    "the same with an extended header");
	run_reset();
	run_body(join(tar_entry(tar_head("a", 'S', 30000), slice_head(listed, 30000)), end));
	judge(run.reason == UNSCANNABLE_DAMAGED, "holes where not all look for them");
	p = tar_head("a", 'S', 0);
	memcpy(p + 257, "ustar  ", 8);
	snprintf(p + 386, 12, "%011o", 1 << 30);
	snprintf(p + 398, 12, "%011o", 0);
	snprintf(p + 483, 12, "%011o", 1 << 30);
	run_reset();
	run_body(join(tar_entry(p, SLICE("")), end));
	judge(run.reason == UNSCANNABLE_RATIO, "a large hole alone");
}

/* Programs that read zips have the signature in them, and behind it what their machine does. */
static void
test_constants(struct slice listed, struct slice other)
{
	static const struct slice constants[] = {
		{ "PK\3\4\xe8\x66\x21\0\0\x48\x85\xed\x0f\x84\xd5\0\0\0\x85\xc0\x0f\x85\xcd\0\0\0\x48\x89\xdf\xe8", 30 },
		{ "PK\3\4\1\0\x10\0PK\5\6\0\0\0\0PK\6\6\x2c\0\0\0\x2d\0\0\0\0\0\0", 32 },
		{ "PK\3\4\x74\x0f\x4c\x8b\x44\x24\x58\xb8\1\0\0\0\xe9\xdb\0\0\0\x48\x83\xf9\x08\x0f\x82\x19\4\0", 30 },
	};

	(void)listed, (void)other;
	for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++) {
		run_reset();
		run_body(join(join(make_file(5000), constants[i]), make_file(50000)));
		judge(run.reason == UNSCANNABLE_NO && run.n == 0, "a program that knows zips");
	}
}

static void
test_tars(struct slice listed, struct slice other)
{
	struct slice one = make_one(tar, other), two = make_one(tar, listed), large = make_file(6 << 20), junk = make_file(100 * 512);
	struct file files[] = { { "a", other }, { "b", junk }, { "c", listed } };
	struct slice body;
	static const char *const names[] = { "my-lib-1/a.exe", "go-pkg-2/x", "ab-lh5-1/x", "070701x", "BZh9", "ID3x", "GIF89a", "MSCF" };
	char *p;

	/* A tar begins with the name of its first file, which can look like anything. */
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct file named = { names[i], listed };

		run_reset();
		expect(make(tar, &named, 1), listed, 1, UNSCANNABLE_NO, names[i]);
		run_reset();
		expect(make_one(gz, make(tar, &named, 1)), listed, 2, UNSCANNABLE_NO, names[i]);
	}
	run_reset();
	expect(join(two, make_file(70000)), listed, 1, UNSCANNABLE_NO, "junk behind a tar");
	run_reset();
	expect(make_one(zip, join(two, make_file(70000))), listed, 2, UNSCANNABLE_NO, "the same in a zip");
	run_reset();
	expect(join(make_one(tar, large), make_file(70000)), large, 1, UNSCANNABLE_NO, "junk behind a long one");
	run_reset();
	expect(make_one(zip, join(make_one(tar, large), two)), listed, 2, UNSCANNABLE_NO, "another behind a long one, in a zip");
	for (int more = 1; more <= 2000; more *= 40) {
		run_reset();
		run.wish.limits.spool = 1 << 20;
		run.piece_max = (size_t)more * 100;
		expect(join(make_one(tar, large), two), listed, 1, UNSCANNABLE_NO, "and when the spool was given back");
	}
	run_reset();
	expect(join(one, two), listed, 1, UNSCANNABLE_NO, "two tars");
	judge(find_hit(other, 1) != NULL && run.n == 2, "each of them once");
	run_reset();
	expect(join(join(one, junk), two), listed, 1, UNSCANNABLE_NO, "two tars, and junk between");
	run_reset();
	expect(join(join(one, make_file(700)), make_one(zip, listed)), listed, 1, UNSCANNABLE_NO, "a zip behind a tar");
	run_reset();
	run_body(join(two, repeat(junk, 1 << 20)));
	judge(find_hit(listed, 1) != NULL && find_hit(listed, 1)->put < two.len + 150000, "found in step");
	body = make(tar, files, 3);
	p = keep(malloc(body.len));
	memcpy(p, body.p, body.len);
	p[512 + (other.len + 511) / 512 * 512 + 30] ^= 1;
	run_reset();
	expect(slice_make(p, body.len), listed, 1, UNSCANNABLE_DAMAGED, "a header in the middle is damaged");
	/* Bytes whose signed sum is 0, and which have no digit where it should be. */
	p = keep(calloc(1, 512));
	memset(p, '\xe0', 8);
	p[148] = '\xff';
	run_reset();
	run_body(slice_make(p, 512));
	judge(run.reason == UNSCANNABLE_NO && run.n == 0, "a sum that is none");
	run_reset();
	run.wish.limits.depth = 1;
	run_body(make_one(tar_gz, listed));
	judge(run.reason == UNSCANNABLE_DEPTH && find_hit(listed, 0) == NULL, "a tar that is too deep");
}

/* Archives in places that a reader of something else skips, and that a reader of archives finds. */
static void
test_hidden(struct slice listed, struct slice other)
{
	struct zip_entry e[] = { { .name = "a", .bytes = slice_head(listed, 5000) } };
	struct slice hidden = make_zip(SLICE(""), e, 1), plain = make_one(gz, other), header;
	char extra[12] = { 0 };

	/* In the extra field of a gzip, whose content is something else. */
	memcpy(extra, plain.p, 10);
	extra[3] |= 4;
	bytes_put(extra + 10, hidden.len, 2);
	header = join(join(slice_make(extra, sizeof(extra)), hidden), slice_skip(plain, 10));
	run_reset();
	expect(header, other, 1, UNSCANNABLE_NO, "a gzip with an extra field");
	judge(find_hit(e[0].bytes, 1) != NULL, "and the zip in that");
	run_reset();
	run_body(make_one(tar, header));
	judge(find_hit(e[0].bytes, 2) != NULL, "the same in a tar");
	/* Behind what only begins like a gzip, or like an .lzma. */
	run_reset();
	run_body(join(slice_head(plain, 100), hidden));
	judge(find_hit(slice_head(listed, 5000), 1) != NULL, "a zip behind half a gzip");
	run_reset();
	run_body(join(SLICE("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), hidden));
	judge(find_hit(slice_head(listed, 5000), 1) != NULL, "a zip behind the beginning of an .lzma");
	run_reset();
	run_body(make_one(tar_gz, join(SLICE("\x1f\x9d\x90"), hidden)));
	judge(find_hit(slice_head(listed, 5000), 3) != NULL, "a zip behind the beginning of a .Z, in a tar.gz");
}

/* A cabinet ([MS-CAB] 2) that is not compressed: header, one folder, one file, its data in blocks. */
static struct slice
make_cab(struct slice bytes)
{
	enum { BLOCK = 32768, HEADER = 36, FOLDER = 8, FILE_LEN = 16 + sizeof("patch.exe"), DATA = 8 };
	size_t blocks = (bytes.len + BLOCK - 1) / BLOCK, total = HEADER + FOLDER + FILE_LEN + blocks * DATA + bytes.len;
	struct buf b;

	buf_init(&b, BODY_MAX);
	buf_add_str(&b, "MSCF");
	put_number(&b, 0, 4);
	put_number(&b, total, 4);
	put_number(&b, 0, 4);
	put_number(&b, HEADER + FOLDER, 4);
	put_number(&b, 0, 4);
	put_number(&b, 0x0103, 2);
	put_number(&b, 1, 2);
	put_number(&b, 1, 2);
	put_number(&b, 0, 2 + 2 + 2);
	put_number(&b, HEADER + FOLDER + FILE_LEN, 4);
	put_number(&b, blocks, 2);
	put_number(&b, 0, 2);
	put_number(&b, bytes.len, 4);
	put_number(&b, 0, 4 + 2);
	put_number(&b, 0x5a21, 2);
	put_number(&b, 0, 2);
	put_number(&b, 0x20, 2);
	buf_add(&b, "patch.exe", sizeof("patch.exe"));
	for (; bytes.len > 0; bytes = slice_skip(bytes, BLOCK)) {
		struct slice block = slice_head(bytes, BLOCK);

		put_number(&b, 0, 4);
		put_number(&b, block.len, 2);
		put_number(&b, block.len, 2);
		buf_add_slice(&b, block);
	}
	keep(b.p);
	return buf_slice(&b);
}

static void
test_cabinets(struct slice listed, struct slice other)
{
	struct slice cab = make_cab(listed);

	run_reset();
	expect(cab, listed, 1, UNSCANNABLE_NO, "a cabinet");
	run_reset();
	expect(join(other, cab), listed, 1, UNSCANNABLE_NO, "a cabinet behind something else");
	run_reset();
	expect(make_one(zip, join(other, cab)), listed, 2, UNSCANNABLE_NO, "and in a zip");
	run_reset();
	expect(join(cab, repeat(other, 100000)), listed, 1, UNSCANNABLE_NO, "a cabinet with much behind it");
	ok(find_hit(listed, 1)->put < cab.len + 150000, "found in step");
}

/* A block of RAR 4: two bytes of its sum, then HEADER, which begins with its type. */
static void
rar4_block(struct buf *b, struct slice header)
{
	put_number(b, crc32(0, (const Bytef *)header.p, (uInt)header.len) & 0xffff, 2);
	buf_add_slice(b, header);
}

/* A RAR 4 archive of one stored file. */
static struct slice
make_rar4(struct slice bytes)
{
	struct buf b, h;

	buf_init(&b, BODY_MAX);
	buf_init(&h, 1000);
	buf_add(&b, "Rar!\x1a\x07\0", 7);
	rar4_block(&b, SLICE("\x73\0\0\x0d\0\0\0\0\0\0\0"));
	buf_add(&h, "\x74\x00\x80", 3);
	put_number(&h, 32 + strlen("patch.exe"), 2);
	put_number(&h, bytes.len, 4);
	put_number(&h, bytes.len, 4);
	buf_add_char(&h, 3);
	put_number(&h, crc32(0, (const Bytef *)bytes.p, (uInt)bytes.len), 4);
	put_number(&h, 0x5a210000, 4);
	buf_add(&h, "\x14\x30", 2);
	put_number(&h, strlen("patch.exe"), 2);
	put_number(&h, 0x81a4, 4);
	buf_add_str(&h, "patch.exe");
	rar4_block(&b, buf_slice(&h));
	buf_add_slice(&b, bytes);
	rar4_block(&b, SLICE("\x7b\0\x40\x07\0"));
	buf_fini(&h);
	keep(b.p);
	return buf_slice(&b);
}

static void
put_vint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_char(b, (char)(v | 0x80));
	buf_add_char(b, (char)v);
}

static void
rar5_block(struct buf *b, struct slice header)
{
	struct buf h;

	buf_init(&h, 1000);
	put_vint(&h, header.len);
	buf_add_slice(&h, header);
	put_number(b, crc32(0, (const Bytef *)h.p, (uInt)h.len), 4);
	buf_add_slice(b, buf_slice(&h));
	buf_fini(&h);
}

/* A RAR 5 archive of one stored file. */
static struct slice
make_rar5(struct slice bytes)
{
	struct buf b, h;

	buf_init(&b, BODY_MAX);
	buf_init(&h, 1000);
	buf_add(&b, "Rar!\x1a\x07\1\0", 8);
	rar5_block(&b, SLICE("\1\0\0"));
	buf_add(&h, "\2\2", 2);
	put_vint(&h, bytes.len);
	buf_add_char(&h, 4);
	put_vint(&h, bytes.len);
	put_vint(&h, 0x81a4);
	put_number(&h, crc32(0, (const Bytef *)bytes.p, (uInt)bytes.len), 4);
	buf_add(&h, "\0\1", 2);
	put_vint(&h, strlen("patch.exe"));
	buf_add_str(&h, "patch.exe");
	rar5_block(&b, buf_slice(&h));
	buf_add_slice(&b, bytes);
	rar5_block(&b, SLICE("\5\0\0"));
	buf_fini(&h);
	keep(b.p);
	return buf_slice(&b);
}

static void
test_rars(struct slice listed, struct slice other)
{
	const struct slice rars[] = { make_rar4(listed), make_rar5(listed) };

	for (size_t i = 0; i < 2; i++) {
		struct slice rar = rars[i], broken = join(rar, SLICE(""));

		run_reset();
		expect(rar, listed, 1, UNSCANNABLE_NO, i == 0 ? "RAR 4" : "RAR 5");
		run_reset();
		run.piece_max = 50;
		expect(rar, listed, 1, UNSCANNABLE_NO, "in small pieces");
		run_reset();
		expect(join(other, rar), listed, 1, UNSCANNABLE_NO, "behind something else");
		run_reset();
		expect(make_one(zip, join(other, rar)), listed, 2, UNSCANNABLE_NO, "and in a zip");
		run_reset();
		run_body(join(rar, repeat(other, 100000)));
		judge(find_hit(listed, 1) != NULL && find_hit(listed, 1)->put < rar.len + 150000, "found in step");
		((char *)(uintptr_t)broken.p)[broken.len - 100] ^= 1;
		run_reset();
		run_body(broken);
		judge(run.n == 1 && run.hits[0].size == listed.len && find_hit(listed, 1) == NULL, "with a wrong sum: what came out");
	}
}

/* ---- many at once ---- */

enum { THREADS = 4, ROUNDS = 10 };

static struct slice shared_body;

static bool
count(void *arg, const struct finding *f)
{
	*(int *)arg += f->size == LISTED;
	return true;
}

/* Bodies that are looked into, and some that are left before they end. */
static void *
many_bodies(void *arg)
{
	struct archive_wish wish = { helper, dir, ALGS, UINT64_MAX, { 8, 10000, 1000, UINT64_C(1) << 30, 60000, 32 << 20 } };
	intptr_t bad_ones = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int n = 0;
		struct archive *a = archive_new(&wish, count, &n, NULL);

		archive_put(a, slice_head(shared_body, 10000));
		archive_step(a);
		if (i % 3 != 0) {
			archive_put(a, slice_skip(shared_body, 10000));
			archive_end(a);
			bad_ones += n != 1 || archive_unscannable(a) != UNSCANNABLE_NO;
		}
		archive_close(a);
	}
	(void)arg;
	return (void *)bad_ones;
}

static void
test_threads(struct slice listed, struct slice other)
{
	pthread_t threads[THREADS];
	intptr_t bad_ones = 0;

	(void)other;
	shared_body = make_one(zip, listed);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, many_bodies, NULL) != 0)
			abort();
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		bad_ones += (intptr_t)result;
	}
	is_int(bad_ones, 0, "many at once");
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "all of them are reaped");
}

static void
test_nesting(struct slice listed, struct slice other)
{
	struct slice body = make_one(zip, make_one(tar_gz, make_one(zip, listed)));

	(void)other;
	run_reset();
	expect(body, listed, 4, UNSCANNABLE_NO, "a zip in a tar.gz in a zip");
	run_reset();
	expect(make_one(iso, make_one(sevenzip, make_one(xz, listed))), listed, 3, UNSCANNABLE_NO, "an xz in a 7z in an iso");
	run_reset();
	run.wish.limits.depth = 3;
	run_body(body);
	judge(run.reason == UNSCANNABLE_DEPTH && find_hit(listed, 0) == NULL && run.n > 0, "one level less than it has");
	run_reset();
	run.wish.limits.depth = 0;
	run_body(body);
	judge(run.reason == UNSCANNABLE_DEPTH && run.n == 0, "no level at all");
	for (int i = 0; i < 40; i++)
		body = make_one(zip_stored, body);
	run_reset();
	run.wish.limits.depth = 100;
	run_body(body);
	judge(run.reason == UNSCANNABLE_DEPTH, "very deep");
}

/* ---- limits ---- */

/* SIZE zeros as a gzip, made in pieces. */
static struct slice
make_zeros(uint64_t size)
{
	enum { PIECE = 1 << 20 };
	static char zeros[PIECE];
	z_stream z = { 0 };
	size_t max = (size_t)(size / 900) + 10000;
	char *p = malloc(max);

	if (deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_out = (Bytef *)p;
	z.avail_out = (uInt)max;
	for (uint64_t at = 0; at < size; at += PIECE) {
		z.next_in = (Bytef *)zeros;
		z.avail_in = PIECE;
		if (deflate(&z, at + PIECE >= size ? Z_FINISH : Z_NO_FLUSH) < 0)
			abort();
	}
	deflateEnd(&z);
	keep(p);
	return slice_make(p, z.total_out);
}

static struct slice
make_many(size_t n)
{
	struct zip_entry *e = calloc(n, sizeof(*e));
	struct slice body;

	for (size_t i = 0; i < n; i++)
		e[i] = (struct zip_entry){ .name = "x", .bytes = SLICE("12345") };
	body = make_zip(SLICE(""), e, n);
	free(e);
	return body;
}

static void
test_limits(struct slice listed, struct slice other)
{
	struct file files[] = { { "a", other }, { "b", listed }, { "c", other } };
	struct slice body = make(zip, files, 3), zeros = make_zeros(UINT64_C(256) << 20);

	run_reset();
	run.wish.limits.members = 1;
	run_body(body);
	judge(run.reason == UNSCANNABLE_MEMBERS && run.n == 1 && find_hit(other, 1) != NULL, "members");
	run_reset();
	run.wish.limits.members = 3;
	expect(body, listed, 1, UNSCANNABLE_NO, "just as many members");
	run_reset();
	run.wish.limits.bytes = other.len + listed.len - 1;
	run_body(body);
	judge(run.reason == UNSCANNABLE_BYTES && run.n == 1, "bytes");
	run_reset();
	run.wish.limits.bytes = 2 * other.len + listed.len;
	expect(body, listed, 1, UNSCANNABLE_NO, "just as many bytes");
	run_reset();
	run.wish.limits.ratio = 100;
	run_body(zeros);
	judge(run.reason == UNSCANNABLE_RATIO && run.n == 0, "zeros: ratio");
	run_reset();
	run.wish.limits.ratio = 100000;
	run.wish.limits.bytes = 100 << 20;
	run_body(zeros);
	judge(run.reason == UNSCANNABLE_BYTES && run.n == 0, "zeros: bytes");
	run_reset();
	run.wish.limits.ratio = 100;
	run_body(make_one(zip, make_one(zip, zeros)));
	judge(run.reason == UNSCANNABLE_RATIO, "the same in two zips");
	run_reset();
	run.wish.until = listed.len - 1;
	run_body(body);
	judge(run.reason == UNSCANNABLE_NO && find_hit(listed, 0) == NULL && find_hit(other, 0) != NULL, "what is longer matches nothing");
	run_reset();
	run_body(make_many(100000));
	judge(run.reason == UNSCANNABLE_MEMBERS, "a hundred thousand members");
	run_reset();
	run.wish.limits.time_ms = 1;
	run.wish.limits.ratio = 100000;
	run_body(zeros);
	judge(run.reason == UNSCANNABLE_TIME && run.waited_ns >= 1000000, "time, which was waited");
	run_reset();
	run.wish.algs = 0;
	run_body(body);
	judge(run.reason == UNSCANNABLE_NO && run.n == 0, "no digests: the walk alone");
	run_reset();
	run.stop_after = 1;
	run_body(body);
	judge(run.n == 1 && run.done && run.reason == UNSCANNABLE_NO, "enough after the first");
}

static void
test_spool(struct slice listed, struct slice other)
{
	struct slice large = make_file(5 << 20);
	struct file files[] = { { "a", listed }, { "b", large }, { "c", listed } };
	static const struct { const char *name; const struct maker *m; enum unscannable reason; } rows[] = {
		{ "tar", &tar, UNSCANNABLE_NO }, { "tar.gz", &tar_gz, UNSCANNABLE_NO }, { "zip", &zip, UNSCANNABLE_SPOOL },
		{ "7z", &sevenzip, UNSCANNABLE_SPOOL },
	};

	(void)other;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		run_reset();
		run.wish.limits.spool = 1 << 20;
		run_body(make(*rows[i].m, files, 3));
		if (!ok(run.reason == rows[i].reason, "%s longer than the spool", rows[i].name))
			show_run();
		if (rows[i].m != &sevenzip)
			ok(find_hit(listed, 0) != NULL && find_hit(large, 0) != NULL, "%s: what was found in step", rows[i].name);
	}
	run_reset();
	run.wish.limits.spool = 0;
	expect(make(tar_gz, files, 3), listed, 2, UNSCANNABLE_NO, "no spool at all");
	run_reset();
	run.wish.limits.spool = 1 << 20;
	run_body(large);
	judge(run.reason == UNSCANNABLE_NO && run.n == 0, "something long that is no archive");
}

/* A file system that is full, as far as a child sees. */
static void
test_full_disk(struct slice listed, struct slice other)
{
	struct slice body = make_one(tar, listed);
	int status;

	(void)other;
	fflush(stdout);
	if (fork() == 0) {
		struct rlimit limit = { 20000, 20000 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		run_reset();
		run_body(body);
		_exit(run.reason == UNSCANNABLE_SPOOL && run.done ? 0 : 1);
	}
	wait(&status);
	is_int(status, 0, "a full disk");
	run_reset();
	run.wish.spool_dir = "/nonexistent";
	run_body(body);
	judge(run.reason == UNSCANNABLE_SPOOL && run.done && run.n == 0, "no folder for spools");
}

/* ---- names ---- */

static void
test_names(struct slice listed, struct slice other)
{
	static char very_long[5000];
	const char *names[] = { "../../etc/passwd", "/absolute", "a\nb\x1b[31m", "\xff\xfe\x80", very_long, "..\\..\\x", "" };

	(void)other;
	memset(very_long, 'n', sizeof(very_long) - 1);
	memcpy(very_long + sizeof(very_long) - 9, "last.exe", 8);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct zip_entry e = { .name = names[i], .bytes = listed };
		const struct hit *h;

		run_reset();
		expect(make_zip(SLICE(""), &e, 1), listed, 1, UNSCANNABLE_NO, "a name");
		h = find_hit(listed, 1);
		if (names[i] == very_long)
			ok(h != NULL && strlen(h->name) == FINDING_NAME_MAX && slice_ends(slice_str(h->name), SLICE("last.exe")),
			    "the end of a long one");
		else
			is_str(h == NULL ? "none" : h->name, strchr(names[i], '\\') != NULL ? "../../x" : names[i], "as it is");
	}
}

/* Names that are not ASCII, in formats that have them as UTF-16 or say that they are UTF-8. */
static void
test_international_names(struct slice listed, struct slice other)
{
	static const struct { const char *idea; struct maker m; } rows[] = {
		{ "zip", { NULL, NULL, NULL } },
		{ "7z", { archive_write_set_format_7zip, NULL, NULL } },
		{ "pax", { archive_write_set_format_pax, NULL, NULL } },
	};
	static const char name[] = "invoice_\xc3\xbc\xce\xb1.scr";

	(void)other;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct zip_entry e = { .name = name, .bytes = listed, .utf8 = true };
		const struct hit *h;

		run_reset();
		expect(rows[i].m.format == NULL ? make_zip(SLICE(""), &e, 1) : make(rows[i].m, &(struct file){ name, listed }, 1), listed, 1,
		    UNSCANNABLE_NO, rows[i].idea);
		h = find_hit(listed, 1);
		is_str(h == NULL ? "none" : h->name, name, rows[i].idea);
	}
}

/* ---- helpers that misbehave ---- */

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
test_bad_helpers(struct slice listed, struct slice other)
{
	static const struct { const char *how; enum unscannable reason; size_t n; } rows[] = {
		{ "clean", UNSCANNABLE_CODING, 0 }, { "dies", UNSCANNABLE_HELPER, 0 }, { "killed", UNSCANNABLE_HELPER, 0 },
		{ "hangs", UNSCANNABLE_TIME, 0 }, { "floods", UNSCANNABLE_HELPER, 10 }, { "chatters", UNSCANNABLE_DAMAGED, 0 },
		{ "short", UNSCANNABLE_HELPER, 0 }, { "empty", UNSCANNABLE_HELPER, 0 }, { "long", UNSCANNABLE_HELPER, 0 },
		{ "type", UNSCANNABLE_HELPER, 0 }, { "depth0", UNSCANNABLE_HELPER, 0 }, { "depth", UNSCANNABLE_HELPER, 0 },
		{ "size", UNSCANNABLE_HELPER, 0 }, { "name", UNSCANNABLE_HELPER, 0 }, { "reason", UNSCANNABLE_HELPER, 0 },
		{ "reason0", UNSCANNABLE_HELPER, 0 }, { "ahead", UNSCANNABLE_HELPER, 0 }, { "behind", UNSCANNABLE_HELPER, 0 },
	};
	int inherited = open("/dev/null", O_RDONLY);
	sigset_t all, before;

	(void)other;
	sigfillset(&all);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *path = NULL;
		double began = seconds();

		if (asprintf(&path, "%s/bad-%s", dir, rows[i].how) == -1 || symlink(bad, path) == -1)
			abort();
		run_reset();
		run.wish.helper = path;
		run.wish.limits.members = 10;
		run.wish.limits.time_ms = strcmp(rows[i].how, "hangs") == 0 ? 200 : 20000;
		sigprocmask(SIG_BLOCK, &all, &before);
		signal(SIGPIPE, SIG_IGN);
		run_body(listed);
		signal(SIGPIPE, SIG_DFL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		if (!ok(run.reason == rows[i].reason && run.done && run.n == rows[i].n && seconds() - began < 10,
		    "a helper: %s", rows[i].how))
			show_run();
		free(path);
	}
	close(inherited);
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "all of them are reaped");
	run_reset();
	run.wish.helper = "/nonexistent/helper";
	run_body(listed);
	judge(run.reason == UNSCANNABLE_HELPER && run.done, "no helper");
}

/* ---- a look before the end ---- */

/* Put what BODY has from *AT on up to TO, and look. */
static void
put_and_look(struct archive *a, struct slice body, uint64_t *at, uint64_t to)
{
	archive_put(a, slice_head(slice_skip(body, *at), to - *at));
	*at = run.put = to;
	archive_look_now(a);
}

static void
test_look_now(struct slice listed, struct slice other)
{
	struct file files[] = { { "a", other }, { "b", listed } };
	struct slice archives[] = { make(sevenzip, files, 2), make(zip, files, 2), make(tar_gz, files, 2) };

	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++) {
		struct slice whole = archives[i], body = join(whole, make_file(100000));
		struct archive *a;
		uint64_t at = 0;
		size_t n;

		run_reset();
		/* A look's findings do not count for the next. */
		run.wish.limits.members = 8;
		a = archive_new(&run.wish, take, &run, NULL);
		archive_look_now(a);
		put_and_look(a, body, &at, 50);
		put_and_look(a, body, &at, whole.len / 2);
		archive_step(a);
		run.reason = archive_unscannable(a);
		judge(find_hit(listed, 0) == NULL && run.reason == UNSCANNABLE_NO && !archive_done(a), "looks at a part of it");
		put_and_look(a, body, &at, whole.len);
		judge(find_hit(listed, 0) != NULL && find_hit(other, 0) != NULL && archive_unscannable(a) == UNSCANNABLE_NO,
		    "a look finds what is whole");
		n = run.n;
		archive_look_now(a);
		judge(run.n == n, "no second one for the same bytes");
		for (int more = 0; more < 4; more++) {
			put_and_look(a, body, &at, at + 10000);
			archive_step(a);
		}
		ok(archive_judged(a) == at && !archive_done(a), "it goes on");
		run.n = 0;
		archive_put(a, slice_skip(body, at));
		archive_end(a);
		run.reason = archive_unscannable(a);
		judge(archive_done(a) && run.reason == UNSCANNABLE_NO, "and ends");
		archive_look_now(a);
		archive_close(a);
	}
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "all of them are reaped");
}

static void
test_look_limits(struct slice listed, struct slice other)
{
	struct slice whole = make_one(sevenzip, listed), body = join(whole, make_file(4 << 20));
	struct archive *a;
	uint64_t at = 0;

	(void)other;
	run_reset();
	run.stop_after = 1;
	a = archive_new(&run.wish, take, &run, NULL);
	put_and_look(a, body, &at, whole.len);
	judge(run.n == 1 && archive_done(a) && archive_unscannable(a) == UNSCANNABLE_NO, "enough after a look");
	archive_put(a, slice_skip(body, at));
	archive_end(a);
	judge(run.n == 1, "and no more of it");
	archive_close(a);

	run_reset();
	a = archive_new(&run.wish, take, &run, NULL);
	at = 0;
	for (int looks = 0; looks < 16; looks++)
		put_and_look(a, body, &at, at + 100);
	ok(archive_unscannable(a) == UNSCANNABLE_NO, "sixteen looks");
	put_and_look(a, body, &at, at + 100);
	ok(archive_unscannable(a) == UNSCANNABLE_MEMBERS && !archive_done(a), "and one more");
	archive_put(a, slice_skip(whole, at));
	archive_end(a);
	judge(find_hit(listed, 0) != NULL && archive_unscannable(a) == UNSCANNABLE_MEMBERS, "the end is looked at all the same");
	archive_close(a);

	run_reset();
	run.wish.limits.spool = 1 << 20;
	a = archive_new(&run.wish, take, &run, NULL);
	at = 0;
	archive_put(a, slice_head(body, 3 << 20));
	archive_step(a);
	at = 3 << 20;
	run.n = 0;
	put_and_look(a, body, &at, body.len);
	run.reason = archive_unscannable(a);
	judge(run.n == 0 && run.reason == UNSCANNABLE_NO && !archive_done(a), "a spool that was given back: no look");
	archive_end(a);
	ok(archive_unscannable(a) != UNSCANNABLE_HELPER && archive_done(a), "and an end");
	archive_close(a);
}

/* What a helper says in a look is believed no more than elsewhere; a reason alone is none yet. */
static void
test_bad_looks(struct slice listed, struct slice other)
{
	static const struct { const char *how; enum unscannable reason; size_t n; } rows[] = {
		{ "clean", UNSCANNABLE_NO, 0 }, { "dies", UNSCANNABLE_HELPER, 0 }, { "killed", UNSCANNABLE_HELPER, 0 },
		{ "hangs", UNSCANNABLE_TIME, 0 }, { "floods", UNSCANNABLE_HELPER, 10 }, { "chatters", UNSCANNABLE_HELPER, 0 },
		{ "short", UNSCANNABLE_HELPER, 0 }, { "type", UNSCANNABLE_HELPER, 0 }, { "depth", UNSCANNABLE_HELPER, 0 },
		{ "size", UNSCANNABLE_HELPER, 0 }, { "reason", UNSCANNABLE_HELPER, 0 }, { "ahead", UNSCANNABLE_HELPER, 0 },
	};

	(void)other;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *path = NULL;
		struct archive *a;
		uint64_t at = 0;

		if (asprintf(&path, "%s/look-%s", dir, rows[i].how) == -1 || symlink(bad, path) == -1)
			abort();
		run_reset();
		run.wish.helper = path;
		run.wish.limits.members = 10;
		run.wish.limits.time_ms = strcmp(rows[i].how, "hangs") == 0 ? 200 : 20000;
		a = archive_new(&run.wish, take, &run, NULL);
		free(path);
		put_and_look(a, listed, &at, listed.len);
		run.reason = archive_unscannable(a);
		if (!ok(run.reason == rows[i].reason && archive_done(a) == (run.reason != UNSCANNABLE_NO) && run.n == rows[i].n,
		    "a helper in a look: %s", rows[i].how))
			show_run();
		archive_close(a);
	}
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "all of them are reaped");
}

/* The worker's signals are as c-icap likes; none of that is the helper's or ours. */
static void
test_signals(struct slice listed, struct slice other)
{
	struct slice body = make_one(zip, listed);

	(void)other;
	signal(SIGCHLD, SIG_IGN);
	run_reset();
	expect(body, listed, 1, UNSCANNABLE_NO, "SIGCHLD is ignored");
	signal(SIGCHLD, SIG_DFL);
}

/* Killed from outside between two steps. */
static void
test_killed(struct slice listed, struct slice other)
{
	struct slice body = make_one(zip, listed);
	struct archive *a;

	(void)other;
	run_reset();
	a = archive_new(&run.wish, take, &run, NULL);
	archive_put(a, slice_head(body, 1000));
	archive_step(a);
	ok(archive_judged(a) == 1000 && !archive_done(a), "half of it");
	archive_close(a);
	ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "ended before its time, and reaped");
	archive_close(NULL);
}

static void
find_programs(void)
{
	const char *top = getenv("top_builddir");
	char *here = realpath(".", NULL);

	helper = file_join(top != NULL ? top : ".", "firebreak-inspect-helper");
	bad = file_join(top != NULL && top[0] == '/' ? top : here, "t/helper_bad");
	if (access(helper, X_OK) == -1 || access(bad, X_OK) == -1) {
		printf("Bail out! %s or t/helper_bad is missing\n", helper);
		exit(1);
	}
	free(here);
}

static void (*const tests[])(struct slice listed, struct slice other) = {
	test_formats, test_in_step, test_members_of_codings, test_padded_members, test_lz4, test_gzip_headers, test_wrong_sums, test_zips, test_prefixes, test_sevenzips, test_tars,
	test_constants, test_odd_zips, test_odd_tars, test_sparse_tars, test_tar_sizes,
	test_hidden, test_cabinets, test_rars, test_nesting, test_limits, test_spool, test_full_disk, test_names, test_international_names, test_bad_helpers, test_look_now,
	test_look_limits, test_bad_looks, test_signals, test_killed, test_threads,
};

int
main(void)
{
	struct slice listed = make_file(LISTED), other = make_file(40000);

	dir = temp_dir();
	setlocale(LC_CTYPE, "C.UTF-8");	/* for what libarchive writes; the helper has its own */
	find_programs();
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		size_t before = n_made;

		tests[i](listed, other);
		forget(before);
	}
	forget(0);
	free(dir);
	free(helper);
	free(bad);
	return tap_done();
}
