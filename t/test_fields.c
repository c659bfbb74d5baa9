/* Header values: what a validator, a range or a coding is, and what only looks like one. */
#include "icap_service/fields.h"
#include "t/tap.h"

/* TEXT right before memory that may not be read. */
static struct slice
guard(const char *text)
{
	return guard_copy(slice_str(text));
}

static void
test_etags(void)
{
	static const struct { const char *idea, *value; bool strong; } rows[] = {
		{ "a strong one", "\"v1\"", true },
		{ "with blanks around it", " \"v1\"\t", true },
		{ "what looks weak within the quotes", "\"W/v1\"", true },
		{ "bytes beyond ASCII", "\"\xc3\xa4\"", true },
		{ "a weak one", "W/\"v1\"", false },
		{ "a weak one in small letters", "w/\"v1\"", false },
		{ "no quotes", "v1", false },
		{ "one quote", "\"", false },
		{ "an open quote", "\"v1", false },
		{ "a quote within", "\"v\"1\"", false },
		{ "two in one", "\"v1\", \"v2\"", false },
		{ "empty quotes say nothing", "\"\"", false },
		{ "a blank within", "\"v 1\"", false },
		{ "nothing", "", false },
	};
	char text[ETAG_MAX + 2];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(etag_is_strong(guard(rows[i].value)) == rows[i].strong, "ETag, %s", rows[i].idea);
	memset(text, 'x', sizeof(text));
	text[0] = text[ETAG_MAX - 1] = '"';
	ok(etag_is_strong(slice_make(text, ETAG_MAX)), "ETag, as long as it may be");
	text[ETAG_MAX - 1] = 'x', text[ETAG_MAX] = '"';
	ok(!etag_is_strong(slice_make(text, ETAG_MAX + 1)), "ETag, too long");
}

static void
test_content_ranges(void)
{
	static const struct { const char *idea, *value; bool good; struct content_range r; } rows[] = {
		{ "a part", "bytes 0-99/1000", true, { 0, 99, 1000 } },
		{ "the whole", " BYTES  0 - 999 / 1000 ", true, { 0, 999, 1000 } },
		{ "one byte", "bytes 999-999/1000", true, { 999, 999, 1000 } },
		{ "of unknown length", "bytes 0-99/*", true, { 0, 99, FIELD_UNKNOWN } },
		{ "beyond the whole", "bytes 0-1000/1000", false, { 0 } },
		{ "backwards", "bytes 9-8/1000", false, { 0 } },
		{ "not satisfied", "bytes */1000", false, { 0 } },
		{ "no start", "bytes -99/1000", false, { 0 } },
		{ "no end", "bytes 0-/1000", false, { 0 } },
		{ "no length", "bytes 0-99", false, { 0 } },
		{ "an empty length", "bytes 0-99/", false, { 0 } },
		{ "two lengths", "bytes 0-99/1000/2000", false, { 0 } },
		{ "another unit", "rows 0-99/1000", false, { 0 } },
		{ "a sign", "bytes 0-99/+1000", false, { 0 } },
		{ "too large", "bytes 0-99/9223372036854775808", false, { 0 } },
		{ "nothing", "", false, { 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct content_range r = { 0 };
		bool good = content_range_parse(guard(rows[i].value), &r);

		ok(good == rows[i].good && (!good || (r.first == rows[i].r.first && r.last == rows[i].r.last &&
		    r.complete == rows[i].r.complete)), "Content-Range, %s", rows[i].idea);
	}
}

static void
test_whole_ranges(void)
{
	static const struct { const char *value; bool all; } rows[] = {
		{ "bytes=0-", true }, { " Bytes = 0 - ", true }, { "bytes=0-0", false }, { "bytes=1-", false }, { "bytes=-1", false },
		{ "bytes=00-", false }, { "bytes=0-,5-", false }, { "bytes=0", false }, { "0-", false }, { "bytes=", false },
		{ "rows=0-", false }, { "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(range_is_all(guard(rows[i].value)) == rows[i].all, "Range \"%s\"", rows[i].value);
}

#define HEAD(range)	"--x\r\nContent-Type: a/b\r\nContent-Range: bytes " range "\r\n\r\n"

static void
test_byteranges(void)
{
	static const struct { const char *idea, *type, *body; int64_t complete; } rows[] = {
		{ "one part", "multipart/byteranges; boundary=x", HEAD("0-9/1000") "0123456789\r\n--x--\r\n", 1000 },
		{ "two that agree", "multipart/byteranges;boundary=\"x\"", HEAD("0-1/1000") "01\r\n" HEAD("5-6/1000") "56", 1000 },
		{ "two that do not", "multipart/byteranges; boundary=x", HEAD("0-1/1000") "01\r\n" HEAD("5-6/1001") "56", -1 },
		{ "the second unknown", "multipart/byteranges; boundary=x", HEAD("0-1/1000") "01\r\n" HEAD("5-6/*") "56", -1 },
		{ "the second cut", "Multipart/ByteRanges; Boundary=x", HEAD("0-1/1000") "01\r\n--x\r\nContent-Ra", 1000 },
		{ "the first cut", "multipart/byteranges; boundary=x", "--x\r\nContent-Range: bytes 0-1/1000\r\n", -1 },
		{ "text before it", "multipart/byteranges; boundary=x", "hello\r\n\r\n" HEAD("0-1/1000") "01", 1000 },
		{ "bare line feeds", "multipart/byteranges; boundary=x", "--x\nContent-Range: bytes 0-1/1000\n\n01", 1000 },
		{ "no range in it", "multipart/byteranges; boundary=x", "--x\r\nContent-Type: a/b\r\n\r\n01", -1 },
		{ "two ranges in it", "multipart/byteranges; boundary=x",
		    "--x\r\nContent-Range: bytes 0-1/1000\r\nContent-Range: bytes 0-1/1000\r\n\r\n01", -1 },
		{ "another boundary", "multipart/byteranges; boundary=y", HEAD("0-1/1000") "01", -1 },
		{ "a longer boundary", "multipart/byteranges; boundary=x", "--xy\r\nContent-Range: bytes 0-1/1000\r\n\r\n", -1 },
		{ "no boundary", "multipart/byteranges", HEAD("0-1/1000") "01", -1 },
		{ "two boundaries", "multipart/byteranges; boundary=x; boundary=y", HEAD("0-1/1000") "01", -1 },
		{ "the end alone", "multipart/byteranges; boundary=x", "--x--\r\nContent-Range: bytes 0-1/1000\r\n\r\n", -1 },
		{ "nothing", "multipart/byteranges; boundary=x", "", -1 },
	};
	struct slice boundary;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool is = byteranges_boundary(slice_str(rows[i].type), &boundary);

		ok(is && byteranges_complete(boundary, guard(rows[i].body)) == rows[i].complete, "byteranges, %s", rows[i].idea);
	}
	ok(!byteranges_boundary(SLICE("multipart/mixed; boundary=x"), &boundary), "byteranges, another type");
	ok(!byteranges_boundary(SLICE(""), &boundary), "byteranges, no type");
}

static void
test_media(void)
{
	static const struct { const char *idea, *value; bool media, page; } rows[] = {
		{ "a player", "video/webm,video/ogg,video/*;q=0.9,application/ogg;q=0.7,audio/*;q=0.6,*/*;q=0.5", true, false },
		{ "sound", "audio/mpeg;q=0.5, */*;q=0.49", true, false },
		{ "anything", "*/*", false, false },
		{ "as gladly as anything", "video/mp4, */*", false, false },
		{ "less gladly", "text/html, video/mp4;q=0.9", false, true },
		{ "not at all", "video/mp4;q=0", false, false },
		{ "a page", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false, true },
		{ "what cannot be read is wanted", "video/mp4;q=0.9, text/html;q=x", false, true },
		{ "a name that begins alike", "videos/mp4", false, false },
		{ "a picture", "image/avif,image/webp,*/*;q=0.8", false, false },
		{ "a page, but less gladly", "application/json, text/html;q=0.5", false, false },
		{ "nothing", "", false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ok(accept_prefers_media(guard(rows[i].value)) == rows[i].media, "Accept, %s", rows[i].idea);
		ok(accept_prefers_html(guard(rows[i].value)) == rows[i].page, "for a page, Accept, %s", rows[i].idea);
	}
	ok(type_is_media(SLICE(" Video/mp4")) && type_is_media(SLICE("audio/ogg; x=y")), "media types");
	ok(!type_is_media(SLICE("application/video")) && !type_is_media(SLICE("video")) && !type_is_media(SLICE("")), "others");
}

static void
test_codings(void)
{
	/* NULL: fine as it is. */
	static const struct { const char *value, *narrowed; } rows[] = {
		{ "gzip, deflate, br, zstd", NULL },
		{ "gzip;q=1.0, identity; q=0.5, x-gzip, GZIP", NULL },
		{ "identity", NULL }, { "", NULL }, { " , ,", NULL },
		{ "gzip, dcb;q=0", NULL }, { "gzip, *;q=0", NULL }, { "gzip, *;q=0.000", NULL },
		{ "gzip, deflate, br, zstd, dcb, dcz", "gzip, deflate, br, zstd" },
		{ "dcb,gzip;q=0.8 , br", "gzip;q=0.8, br" },
		{ "gzip, *", "gzip" }, { "*", "identity" }, { "*;q=0.001", "identity" }, { "*;q=0.1, gzip;q=0", "identity" },
		{ "compress, x-compress, exi, pack200-gzip", "identity" },
		{ "gzip, unknown", "gzip" }, { "gzip2", "identity" }, { "gzi", "identity" },
		{ "br, dcb, *;q=0", "br, *;q=0" }, { "dcb, *;q=0", "identity" },
		{ "gzip, dcb;q=", "gzip" }, { "gzip, dcb;q=00", "gzip" }, { "gzip, dcb;q=0.0000", "gzip" },
		{ "gzip, dcb;q=0;q=0", "gzip" }, { "gzip, \"dcb\"", "gzip" }, { "gzip, ;q=0.5", "gzip" },
	};
	struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int r;

		buf_reset(&out);
		r = accept_encoding_narrow(guard(rows[i].value), &out);
		ok(r == (rows[i].narrowed != NULL) && slice_eq(buf_slice(&out), slice_str(rows[i].narrowed)),
		    "Accept-Encoding \"%s\" (%d, \"%.*s\")", rows[i].value, r, SLICE_ARGS(buf_slice(&out)));
	}
	buf_reset(&out);
	buf_add_str(&out, "Accept-Encoding: ");
	ok(accept_encoding_narrow(SLICE("gzip, *"), &out) == 1 && slice_eq(buf_slice(&out), SLICE("Accept-Encoding: gzip")),
	    "behind what was there");
	buf_fini(&out);
	buf_init(&out, 3);
	ok(accept_encoding_narrow(SLICE("gzip, *"), &out) == -1, "no room");
	buf_fini(&out);
}

int
main(void)
{
	test_etags();
	test_content_ranges();
	test_whole_ranges();
	test_byteranges();
	test_media();
	test_codings();
	return tap_done();
}
