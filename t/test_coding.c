/* Content codings undone: each, stacked, in pieces of any size; tricks with what follows; limits; damage. */
#include "t/encode.h"
#include "t/tap.h"

enum { SIZE = 200000, OUT_MAX = 64 << 20 };

static const struct inspect_limits wide = { .bytes = UINT64_MAX, .ratio = UINT64_MAX };

/* Bytes that compress a little. */
static struct slice
sample(size_t len)
{
	static char bytes[SIZE];
	uint32_t x = 1;

	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 28 == 0 ? 'a' + (int)(x >> 8 & 15) : 'a' + (int)(i / 7 % 16));
	}
	return slice_make(bytes, len);
}

struct out {
	struct buf	 bytes;
	size_t		 ends[64];	/* how much had come out at each end */
	size_t		 n_ends;
	size_t		 enough;	/* stop once so much came out; 0 = never */
};

static bool
take(void *arg, struct slice bytes, enum decoded what)
{
	struct out *o = arg;

	if (what == DECODED_RESTART)
		buf_reset(&o->bytes);
	buf_add_slice(&o->bytes, bytes);
	if ((what == DECODED_END || what == DECODED_FIRST) && o->n_ends < 64)
		o->ends[o->n_ends++] = o->bytes.len;
	return o->enough == 0 || o->bytes.len < o->enough;
}

/* S where nothing lies behind it, as guard_copy() has it, but in the same place each time. */
static struct slice
at_edge(struct slice s)
{
	static struct slice room;

	if (room.p == NULL)
		room = guard_copy(sample(SIZE));
	memcpy((char *)(uintptr_t)room.p + room.len - s.len, s.p, s.len);
	return slice_skip(room, room.len - s.len);
}

/* Decode IN as "Content-Encoding: CODINGS" in pieces of PIECE bytes into O. */
static struct decoder *
decode(const char *codings, struct slice in, size_t piece, const struct inspect_limits *limits, struct out *o)
{
	struct codings c = { 0 };
	struct decoder *d;

	buf_init(&o->bytes, OUT_MAX);
	o->n_ends = 0;
	codings_add(&c, slice_str(codings));
	if ((d = decoder_new(&c, limits, take, o)) == NULL)
		abort();
	while (in.len > 0) {
		decoder_push(d, at_edge(slice_head(in, piece)));
		in = slice_skip(in, piece);
	}
	return d;
}

static void
test_lists(void)
{
	static const struct { const char *value; size_t n; enum coding first, last; enum unscannable fault; } lists[] = {
		{ "gzip", 1, CODING_GZIP, CODING_GZIP, UNSCANNABLE_NO },
		{ " X-GZip ", 1, CODING_GZIP, CODING_GZIP, UNSCANNABLE_NO },
		{ "deflate, br", 2, CODING_DEFLATE, CODING_BR, UNSCANNABLE_NO },
		{ "identity", 0, 0, 0, UNSCANNABLE_NO },
		{ "", 0, 0, 0, UNSCANNABLE_NO },
		{ " ,, identity ,zstd,", 1, CODING_ZSTD, CODING_ZSTD, UNSCANNABLE_NO },
		{ "gzip,gzip,gzip,gzip", 4, CODING_GZIP, CODING_GZIP, UNSCANNABLE_NO },
		{ "gzip,gzip,gzip,gzip,br", 4, CODING_GZIP, CODING_GZIP, UNSCANNABLE_CODINGS },
		{ "dcb", 0, 0, 0, UNSCANNABLE_CODING },
		{ "gzip;q=1", 0, 0, 0, UNSCANNABLE_CODING },
		{ "gzip br", 0, 0, 0, UNSCANNABLE_CODING },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct codings c = { 0 };

		codings_add(&c, guard_copy(slice_str(lists[i].value)));
		ok(c.n == lists[i].n && c.fault == lists[i].fault, "list \"%s\"", lists[i].value);
		ok(c.n == 0 || (c.list[0] == lists[i].first && c.list[c.n - 1] == lists[i].last), "its codings");
	}
}

static void
test_round(const char *codings, struct slice coded, struct slice plain, const char *name)
{
	static const size_t pieces[] = { 1, 7, 4096, SIZE };
	struct out o = { 0 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct decoder *d = decode(codings, coded, pieces[i], &wide, &o);

		ok(slice_eq(buf_slice(&o.bytes), plain), "%s in pieces of %zu: the same bytes", name, pieces[i]);
		ok(decoder_fault(d) == UNSCANNABLE_NO, "%s in pieces of %zu: no fault", name, pieces[i]);
		ok(o.n_ends > 0 && o.ends[o.n_ends - 1] == plain.len, "%s in pieces of %zu: its end is said", name, pieces[i]);
		decoder_free(d);
		buf_fini(&o.bytes);
	}
}

static void
test_codings(void)
{
	static const char *const names[] = { "gzip", "deflate", "br", "zstd" };
	struct buf once, twice;

	for (int i = CODING_GZIP; i <= CODING_ZSTD; i++) {
		buf_init(&once, OUT_MAX);
		encode((enum coding)i, sample(50000), &once);
		test_round(names[i], buf_slice(&once), sample(50000), names[i]);
		for (int k = CODING_GZIP; k <= CODING_ZSTD; k++) {
			char list[64];

			buf_init(&twice, OUT_MAX);
			encode((enum coding)k, buf_slice(&once), &twice);
			snprintf(list, sizeof(list), "%s, %s", names[i], names[k]);
			test_round(list, buf_slice(&twice), sample(50000), list);
			buf_fini(&twice);
		}
		buf_fini(&once);
	}
	buf_init(&once, OUT_MAX);
	encode_raw_deflate(sample(50000), &once);
	test_round("deflate", buf_slice(&once), sample(50000), "bare deflate");
	buf_fini(&once);
}

/* Bare deflate whose first two bytes are a zlib head: a stored block, its padding bits and its length chosen so. */
static void
test_raw_like_zlib(void)
{
	struct buf b;

	buf_init(&b, OUT_MAX);
	buf_add(&b, "\x78\x9c\x00\x63\xff", 5);		/* not final, stored; 156 bytes */
	buf_add_slice(&b, sample(156));
	buf_add(&b, "\x01\x00\x00\xff\xff", 5);
	test_round("deflate", buf_slice(&b), sample(156), "bare deflate that looks like zlib");
	buf_fini(&b);
}

/* And whose beginning makes sense as zlib for a while: 78 01, then as zlib a fixed block of literals. */
static void
test_raw_decodes_as_zlib(void)
{
	struct out o = { 0 };
	struct decoder *d;
	struct buf b;

	buf_init(&b, OUT_MAX);
	/* Stored, 0x4b01 bytes: as zlib it is the head 78 01, then literals in the fixed code, then what makes no sense in it. */
	buf_add(&b, "\x78\x01\x4b\xfe\xb4", 5);
	for (uint32_t i = 0, x = 1; i < 0x4b01; i++, x = x * 1664525 + 1013904223)
		buf_add_char(&b, (char)(x >> 24));
	buf_add(&b, "\x01\x00\x00\xff\xff", 5);
	d = decode("deflate", buf_slice(&b), 100, &wide, &o);
	ok(slice_eq(buf_slice(&o.bytes), slice_head(slice_skip(buf_slice(&b), 5), 0x4b01)) && decoder_fault(d) == UNSCANNABLE_NO &&
	    o.n_ends == 2, "bare deflate that decodes as zlib for a while begins anew (%zu bytes)", o.bytes.len);
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_fini(&b);
}

/* What comes behind the first stream. */
static void
test_behind(void)
{
	struct out o = { 0 };
	struct decoder *d;
	struct buf b;

	buf_init(&b, OUT_MAX);
	encode(CODING_GZIP, sample(1000), &b);
	for (int i = 0; i < 20; i++)
		encode_empty(CODING_GZIP, &b);
	d = decode("gzip", buf_slice(&b), 4096, &wide, &o);
	ok(o.bytes.len == 1000 && o.n_ends == 21 && o.ends[0] == 1000, "empty members: each end is said");
	decoder_free(d);
	buf_fini(&o.bytes);
	encode(CODING_GZIP, sample(500), &b);
	d = decode("gzip", buf_slice(&b), 1, &wide, &o);
	ok(o.bytes.len == 1500 && o.ends[0] == 1000, "a second member goes on");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_add_str(&b, "garbage");
	d = decode("gzip", buf_slice(&b), 7, &wide, &o);
	ok(o.bytes.len == 1500 && decoder_done(d) && decoder_fault(d) == UNSCANNABLE_NO, "garbage behind is nothing to us");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_reset(&b);
	encode_zstd_skipped(9, &b);
	encode(CODING_ZSTD, sample(1000), &b);
	encode_zstd_skipped(70000, &b);
	encode_empty(CODING_ZSTD, &b);
	encode(CODING_ZSTD, sample(10), &b);
	buf_add_str(&b, "garbage");
	d = decode("zstd", buf_slice(&b), 4096, &wide, &o);
	ok(o.bytes.len == 1010 && o.ends[1] == 1000 && decoder_fault(d) == UNSCANNABLE_NO, "zstd: frames, skipped frames, garbage");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_fini(&b);
}

static void
test_lenient(void)
{
	struct out o = { 0 };
	struct decoder *d;
	struct buf b;

	buf_init(&b, OUT_MAX);
	encode(CODING_GZIP, sample(1000), &b);
	memset(b.p + b.len - 8, 'x', 8);
	d = decode("gzip", buf_slice(&b), 4096, &wide, &o);
	ok(o.bytes.len == 1000 && o.n_ends == 1 && decoder_fault(d) == UNSCANNABLE_NO, "a wrong sum and length are not looked at");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_reset(&b);
	encode_gzip_padded(sample(1000), 20000, &b);
	d = decode("gzip", slice_head(buf_slice(&b), b.len - 90000), 4096, &wide, &o);
	ok(o.bytes.len == 1000 && o.n_ends == 0, "empty blocks: all is out long before the end");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_reset(&b);
	encode(CODING_GZIP, sample(100000), &b);
	d = decode("gzip", slice_head(buf_slice(&b), b.len / 2), 100, &wide, &o);
	ok(o.bytes.len > 10000 && o.n_ends == 0 && decoder_fault(d) == UNSCANNABLE_NO, "broken off: what there is, no fault");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_reset(&b);
	encode_gzip_padded(sample(1000), 2, &b);
	/* The second empty block says two lengths. */
	memcpy(b.p + slice_search(buf_slice(&b), SLICE("\0\0\0\xff\xff\0\0\0\xff\xff")) + 6, "abcd", 4);
	d = decode("gzip", buf_slice(&b), 100, &wide, &o);
	ok(o.bytes.len == 1000 && o.n_ends == 1 && decoder_fault(d) == UNSCANNABLE_DAMAGED && decoder_done(d),
	    "damaged: what there is (%zu), and that it ends (%zu, %s)", o.bytes.len, o.n_ends, unscannable_name(decoder_fault(d)));
	decoder_free(d);
	buf_fini(&o.bytes);
	d = decode("gzip", SLICE("no gzip at all"), 3, &wide, &o);
	ok(o.bytes.len == 0 && decoder_fault(d) == UNSCANNABLE_DAMAGED, "nothing of it is gzip");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_fini(&b);
}

static void
test_limits(void)
{
	static char zeros[1 << 20];
	struct inspect_limits few = { .bytes = 100000, .ratio = UINT64_MAX }, thin = { .bytes = UINT64_MAX, .ratio = 100 };
	struct out o = { .enough = 5000 };
	struct decoder *d;
	struct buf b;

	buf_init(&b, OUT_MAX);
	for (int i = 0; i < 20; i++)
		encode(CODING_GZIP, slice_make(zeros, sizeof(zeros)), &b);
	d = decode("gzip", buf_slice(&b), 4096, &wide, &o);
	ok(o.bytes.len >= 5000 && o.bytes.len < 50000 && decoder_done(d) && decoder_fault(d) == UNSCANNABLE_NO, "stopped by its reader");
	decoder_free(d);
	buf_fini(&o.bytes);
	o.enough = 0;
	d = decode("gzip", buf_slice(&b), 4096, &few, &o);
	ok(o.bytes.len < 150000 && decoder_done(d) && decoder_fault(d) == UNSCANNABLE_BYTES, "too many bytes");
	decoder_free(d);
	buf_fini(&o.bytes);
	d = decode("gzip", buf_slice(&b), 4096, &thin, &o);
	ok(o.bytes.len > RATIO_FREE - 100000 && o.bytes.len <= RATIO_FREE + 100000 && decoder_fault(d) == UNSCANNABLE_RATIO, "too much for its size");
	decoder_free(d);
	buf_fini(&o.bytes);
	buf_fini(&b);
}

static void
test_start(void)
{
	struct codings gzip = { .n = 1, .list = { CODING_GZIP } }, none = { 0 };
	char out[100];
	struct buf b;

	buf_init(&b, OUT_MAX);
	encode(CODING_GZIP, sample(1000), &b);
	is_slice(decode_start(&gzip, buf_slice(&b), out, sizeof(out)), sample(100), "the start, cut");
	is_slice(decode_start(&gzip, slice_head(buf_slice(&b), 5), out, sizeof(out)), slice_head(buf_slice(&b), 5), "nothing came out");
	is_slice(decode_start(&none, SLICE("plain"), out, sizeof(out)), SLICE("plain"), "without codings");
	buf_fini(&b);
}

int
main(void)
{
	test_lists();
	test_codings();
	test_raw_like_zlib();
	test_raw_decodes_as_zlib();
	test_behind();
	test_lenient();
	test_limits();
	test_start();
	return tap_done();
}
