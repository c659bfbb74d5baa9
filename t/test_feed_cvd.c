/* ClamAV's containers: which members are read, and what of one that is damaged. */
#include "t/feed_rows.h"

#include <zlib.h>

#include "base/buf.h"
#include "inspect/digester.h"

enum { HEAD_LEN = 512, BLOCK = 512, OUT_MAX = 64 << 20, TYPE_AT = 156, SUM_AT = 148 };

/* ---- containers ---- */

/* The head of a file NAME as sigtool(1) writes it: no mode, no owner, and the size without zeros before. */
static void
put_head(struct buf *tar, const char *name, size_t len, char type)
{
	char head[BLOCK] = "";
	unsigned sum = 0;

	snprintf(head, 100, "%s", name);
	snprintf(head + 124, 12, "%zo", len);
	head[TYPE_AT] = type;
	memset(head + SUM_AT, ' ', 8);
	for (size_t i = 0; i < sizeof(head); i++)
		sum += (unsigned char)head[i];
	snprintf(head + SUM_AT, 8, "%06o", sum);
	buf_add(tar, head, sizeof(head));
}

static void
put_file(struct buf *tar, const char *name, struct slice text)
{
	static const char zeros[BLOCK];

	put_head(tar, name, text.len, '\0');
	buf_add_slice(tar, text);
	buf_add(tar, zeros, (BLOCK - text.len % BLOCK) % BLOCK);
}

static void
put_end(struct buf *tar)
{
	static const char zeros[2 * BLOCK];

	buf_add(tar, zeros, sizeof(zeros));
}

static void
gzip(struct slice text, struct buf *out)
{
	z_stream z = { 0 };

	buf_reserve(out, text.len + text.len / 1000 + 1000);
	deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)(uintptr_t)text.p;
	z.avail_in = (uInt)text.len;
	z.next_out = (Bytef *)out->p + out->len;
	z.avail_out = (uInt)(out->cap - out->len - 1);
	deflate(&z, Z_FINISH);
	out->len += z.total_out;
	deflateEnd(&z);
}

/* The container that TAR makes; MD5 NULL: the right one. */
static void
make(struct slice tar, bool gz, const char *md5, struct buf *out)
{
	char head[HEAD_LEN + 1], hex[DIGEST_MAX_HEX + 1];
	struct digest sums[DIGEST_ALGS];
	struct buf tail;
	int n;

	buf_init(&tail, OUT_MAX);
	if (gz)
		gzip(tar, &tail);
	else
		buf_add_slice(&tail, tar);
	digests_of(buf_slice(&tail), DIGEST_BIT(DIGEST_MD5), sums);
	digest_format(&sums[0], hex);
	n = snprintf(head, sizeof(head), "ClamAV-VDB:16 Mar 2016 23-17 +0000:57:4218790:60:%s:X:tester:1458170226", md5 != NULL ? md5 : hex);
	memset(head + n, ' ', HEAD_LEN - (size_t)n);
	buf_reset(out);
	buf_add(out, head, HEAD_LEN);
	buf_add_slice(out, buf_slice(&tail));
	buf_fini(&tail);
}

/* ---- what becomes of them ---- */

static const struct way ways[] = { { ", after a preview", true, 0 }, { ", by bytes", true, 1 }, { ", by elevens", true, 11 } };

static void
expect(struct slice text, const struct feed_options *options, const struct row *row)
{
	for (size_t i = 0; i < COUNT(ways); i++)
		if (i == 0 || text.len < ROOM)
			test_row_by(FEED_CVD, options, row, text, &ways[i]);
}

#define TWO	"block file 17:md5:" MD5 " [Evil.One]\nblock file *:sha256:" SHA256 " [Evil.Two]\n"

static void
put_two(struct buf *tar)
{
	put_file(tar, "daily.hdb", SLICE("# x\r\n" MD5 ":17:Evil.One\r\n"));
	put_file(tar, "daily.hsb", SLICE(SHA256 ":*:Evil.Two:73"));
}

static void
test_members(struct buf *tar, struct buf *out)
{
	const struct feed_options names = { .names_only = true };
	const struct row all = { "the members that are read", "", TWO "block file 18:md5:" MD5 " [PUA.x]\nblock file 19:sha1:" SHA1
	    " [PUA.y]\nallow file 20:md5:" MD5 " [Good]\nallow file 21:sha1:" SHA1 " [Better]\nallow file [Evil.One]\n", 5, 0, NULL };
	const struct row only = { "the names alone", "", "allow file [Evil.One]\n", 11, 0, NULL };

	buf_reset(tar);
	put_file(tar, "COPYING", SLICE("All rights\n"));
	put_two(tar);
	put_file(tar, "daily.hdu", SLICE(MD5 ":18:PUA.x\n"));
	put_file(tar, "daily.hsu", SLICE(SHA1 ":19:PUA.y\n"));
	put_file(tar, "daily.mdb", SLICE("17:" MD5 ":Evil.Section\n"));
	put_file(tar, "daily.imp", SLICE(MD5 ":17:Evil.Imports\n"));
	put_file(tar, "daily.ndb", SLICE("Evil.Body:0:*:00\n"));
	put_file(tar, "daily.fp", SLICE(MD5 ":20:Good\n"));
	put_file(tar, "daily.sfp", SLICE(SHA1 ":21:Better\n"));
	put_file(tar, "daily.ign2", SLICE("Evil.One\n"));
	put_head(tar, "link.hdb", 0, '2');
	put_file(tar, "../daily\033.hdb", SLICE(MD5 ":22:Evil.Name\n"));
	put_end(tar);
	make(buf_slice(tar), true, NULL, out);
	expect(buf_slice(out), NULL, &all);
	expect(buf_slice(out), &names, &only);
}

static void
test_forms(struct buf *tar, struct buf *out)
{
	static const struct row good[] = { { "in gzip", "", TWO, 0, 0, NULL }, { "a .cld that is not compressed", "", TWO, 0, 0, NULL },
		{ "a .cld that is", "", TWO, 0, 0, NULL } };

	buf_reset(tar);
	put_two(tar);
	put_end(tar);
	make(buf_slice(tar), true, NULL, out);
	expect(buf_slice(out), NULL, &good[0]);
	make(buf_slice(tar), false, "X", out);
	expect(buf_slice(out), NULL, &good[1]);
	make(buf_slice(tar), true, "X", out);
	expect(buf_slice(out), NULL, &good[2]);
	make(slice_head(buf_slice(tar), tar->len - 2 * BLOCK), false, "X", out);
	expect(buf_slice(out), NULL, &(struct row){ "without the empty blocks", "", TWO, 0, 0, NULL });
}

static void
test_damage(struct buf *tar, struct buf *out)
{
	struct slice all;

	buf_reset(tar);
	put_two(tar);
	put_end(tar);
	make(buf_slice(tar), true, "00112233445566778899aabbccddeeff", out);
	expect(buf_slice(out), NULL, &(struct row){ "another MD5", "", "", 0, 1, "0:0 the container is damaged: its MD5 is not what its head says" });
	make(buf_slice(tar), true, "X", out);
	all = buf_slice(out);
	expect(slice_head(all, all.len - 8), NULL, &(struct row){ "a gzip that is cut off", "", TWO, 0, 1, "0:0 the container's gzip ends before" });
	expect(slice_head(all, 513), NULL, &(struct row){ "cut off in its head", "", "", 0, 1, "0:0 the container ends in its head" });
	expect(slice_skip(all, 1), NULL, &(struct row){ "no head", "", "", 0, 1, "0:0 the file is no container of ClamAV" });
	expect(SLICE(""), NULL, &(struct row){ "nothing", "", "", 0, 1, "0:0 the container ends in its head" });
	out->p[out->len - 5] ^= 1;
	expect(all, NULL, &(struct row){ "a gzip with another sum", "", TWO, 0, 1, "0:0 the container's gzip is damaged" });
	make(slice_head(buf_slice(tar), 3 * BLOCK + 7), false, "X", out);
	expect(buf_slice(out), NULL, &(struct row){ "cut off in a member", "", "block file 17:md5:" MD5 " [Evil.One]\n", 0, 1,
	    "0:0 ends within an entry: nothing behind this is read, the 1 entries before it count" });
	tar->p[2 * BLOCK] ^= 1;
	make(buf_slice(tar), false, "X", out);
	expect(buf_slice(out), NULL, &(struct row){ "a head with another sum", "", "block file 17:md5:" MD5 " [Evil.One]\n", 0, 1, "0:0 the head of an" });
	make(SLICE("PK\003\004"), false, "X", out);
	expect(buf_slice(out), NULL, &(struct row){ "no tar", "", "", 0, 1, "0:0 ends within an entry" });
}

static int
count(void *arg, const struct feed_entry *e)
{
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static bool
is_cut(struct slice text)
{
	struct feed_counts n;
	struct feed *f = feed_new(FEED_CVD, NULL, NULL, count, &(unsigned){ 0 }, NULL);
	bool good = feed_text(f, text) == 0 && feed_end(f, &n) == 0;

	feed_free(f);
	return good && n.cut;
}

/* Who asks without a diag learns that there would have been more. */
static void
test_cut(struct buf *tar, struct buf *out)
{
	buf_reset(tar);
	put_file(tar, "daily.hdb", SLICE("no signature\n"));
	put_two(tar);
	make(buf_slice(tar), true, "X", out);
	ok(!is_cut(buf_slice(out)), "a line that is no good cuts nothing");
	ok(is_cut(slice_head(buf_slice(out), out->len - 8)), "a gzip that is cut off does");
	ok(is_cut(slice_head(buf_slice(out), 9)) && is_cut(SLICE("")), "and so does a head");
}

/* A line that is wrong is named with its member. */
static void
test_places(struct buf *tar, struct buf *out)
{
	struct diag diag = { 0 };
	struct feed_counts n;
	struct buf got;
	struct feed *f;

	buf_reset(tar);
	put_file(tar, "daily.hdb", SLICE("# x\n" MD5 ":0:Evil.One\n"));
	put_file(tar, "main.hsb", SLICE("\n\n x\n"));
	make(buf_slice(tar), false, "X", out);
	buf_init(&got, ROOM);
	f = feed_new(FEED_CVD, NULL, "d.cvd", show_entry, &got, &diag);
	ok(feed_text(f, buf_slice(out)) == 0 && feed_end(f, &n) == 0 && n.bad == 2 && n.entries == 0 && n.lines == 5, "two lines are bad");
	ok(diag.n == 2 && strcmp(diag.v[0].file, "d.cvd(daily.hdb)") == 0 && diag.v[0].line == 2 && diag.v[0].col == 34, "one in its place");
	ok(diag.n == 2 && strcmp(diag.v[1].file, "d.cvd(main.hsb)") == 0 && diag.v[1].line == 3 && diag.v[1].col == 2, "the other in its");
	feed_free(f);
	buf_fini(&got);
	diag_fini(&diag);
}

/* What is long is not held. */
static void
test_bounds(struct buf *tar, struct buf *out)
{
	enum { LONG = 48 << 20 };
	char *zeros = calloc(1, LONG);
	struct feed_counts n;
	unsigned seen = 0;
	struct feed *f;

	buf_reset(tar);
	put_file(tar, "daily.hdb", slice_make(zeros, LONG));
	put_two(tar);
	make(buf_slice(tar), true, NULL, out);
	ok(out->len < LONG / 100, "a container of zeros is short");
	f = feed_new(FEED_CVD, NULL, "x", count, &seen, NULL);
	ok(feed_text(f, buf_slice(out)) == 0 && feed_end(f, &n) == 0 && n.bad == 1 && seen == 2, "a line of 48 MiB is bad, and costs itself");
	feed_free(f);
	buf_reset(tar);
	for (int i = 0; i < 5000; i++)
		put_file(tar, "a", SLICE(""));
	make(buf_slice(tar), true, NULL, out);
	test_row_by(FEED_CVD, NULL, &(struct row){ "five thousand members", "", "", 4096, 1, "0:0 too many entries" }, buf_slice(out), &ways[0]);
	free(zeros);
}

static int
stop(void *arg, const struct feed_entry *e)
{
	(void)e;
	return ++*(unsigned *)arg == 1 ? 42 : 0;
}

static void
test_stop(struct buf *tar, struct buf *out)
{
	unsigned seen = 0;
	struct feed *f = feed_new(FEED_CVD, NULL, "x", stop, &seen, NULL);

	buf_reset(tar);
	put_two(tar);
	make(buf_slice(tar), true, NULL, out);
	ok(feed_text(f, buf_slice(out)) == 42 && feed_text(f, buf_slice(out)) == 42 && feed_end(f, NULL) == 42 && seen == 1, "the visitor stops it");
	feed_free(f);
}

int
main(void)
{
	struct buf tar, out;

	buf_init(&tar, OUT_MAX);
	buf_init(&out, OUT_MAX);
	test_members(&tar, &out);
	test_forms(&tar, &out);
	test_damage(&tar, &out);
	test_cut(&tar, &out);
	test_places(&tar, &out);
	test_bounds(&tar, &out);
	test_stop(&tar, &out);
	buf_fini(&tar);
	buf_fini(&out);
	return tap_done();
}
