/* Multipart bodies: what the parts are however the bytes come, and how far a body may go before a part of it was judged. */
#include "base/buf.h"
#include "inspect/digester.h"
#include "inspect/inspector.h"
#include "t/tap.h"

enum { TEXT_MAX = 32 << 20, MANY = 10000, SIZE = 5000 };

/* Everything that came out, as text: "[name|codings|bytes]". */
struct out {
	struct buf	 text;
	size_t		 parts, pieces;
	size_t		 stop_at;	/* part; 0: never */
};

static bool
begin_part(void *arg, const struct part_head *head)
{
	struct out *o = arg;

	buf_add_char(&o->text, '[');
	buf_add_slice(&o->text, head->name);
	buf_add_char(&o->text, '|');
	for (size_t i = 0; i < head->codings.n; i++)
		buf_add_str(&o->text, head->codings.list[i] == CODING_BASE64 ? "b" : "q");
	buf_add_str(&o->text, head->codings.fault != UNSCANNABLE_NO ? "!" : "");
	buf_add_str(&o->text, head->boundary.len > 0 ? "m" : "");
	buf_add_char(&o->text, '|');
	return ++o->parts != o->stop_at;
}

static bool
take_bytes(void *arg, struct slice bytes)
{
	struct out *o = arg;

	o->pieces += bytes.len == 0 ? 1000000 : 1;
	buf_add_slice(&o->text, bytes);
	return true;
}

static bool
end_part(void *arg)
{
	struct out *o = arg;

	buf_add_char(&o->text, ']');
	return true;
}

static const struct multipart_sink sink = { begin_part, take_bytes, end_part };

static struct multipart_boundary
boundary_of(const char *text)
{
	struct multipart_boundary b = { .len = strlen(text) };

	memcpy(b.text, text, b.len);
	return b;
}

/* BODY in pieces of STEP; what came out, in O. */
static enum unscannable
take_apart(struct slice body, size_t step, struct out *o)
{
	struct multipart_boundary b = boundary_of("XyZ");
	struct multipart *m;
	enum unscannable fault;

	buf_reset(&o->text);
	o->parts = o->pieces = 0;
	m = multipart_new(&b, &sink, o);
	while (body.len > 0) {
		/* A copy, so that a sanitizer sees who reads beyond it. */
		struct slice piece = slice_head(body, step);
		char *copy = malloc(piece.len);

		memcpy(copy, piece.p, piece.len);
		multipart_push(m, slice_make(copy, piece.len));
		free(copy);
		body = slice_skip(body, step);
	}
	multipart_end(m);
	fault = multipart_fault(m);
	multipart_free(m);
	return fault;
}

#define NO	UNSCANNABLE_NO
#define BAD	UNSCANNABLE_DAMAGED
#define FILE_A	"Content-Disposition: form-data; name=\"f\"; filename=\"a.exe\"\r\n"

#define BLANKS	"                                                                                                    "

static const struct { const char *idea, *body, *parts; enum unscannable fault; } rows[] = {
	{ "nothing", "", "", NO },
	{ "no part", "--XyZ--\r\n", "", NO },
	{ "one part", "--XyZ\r\n" FILE_A "\r\nbytes\r\n--XyZ--\r\n", "[a.exe||bytes]", NO },
	{ "two parts", "--XyZ\r\nContent-Disposition: form-data; name=x\r\n\r\n1\r\n--XyZ\r\n" FILE_A "\r\n2\r\n--XyZ--", "[x||1][a.exe||2]", NO },
	{ "a preamble and an epilogue", "before\r\n--XyZ\r\n\r\nin\r\n--XyZ--\r\nbehind", "[||in]", NO },
	{ "a preamble that looks like it", "x--XyZ\r\n--XyY\r\n--XyZ\r\n\r\nin\r\n--XyZ--", "[||in]", NO },
	{ "a line end in front of all", "\r\n--XyZ\r\n\r\nin\r\n--XyZ--", "[||in]", NO },
	{ "bare LF", "--XyZ\n\nin\n\n--XyZ\n\nmore\n--XyZ--\n", "[||in\n][||more]", NO },
	{ "LF where CRLF was before", "--XyZ\r\n\r\nin\n--XyZ--\r\n", "[||in]", BAD },
	{ "CRLF where LF was before", "--XyZ\n\nin\r\n--XyZ--\r\n", "[||in]", BAD },
	{ "an empty part", "--XyZ\r\n\r\n\r\n--XyZ--", "[||]", NO },
	{ "a part without bytes", "--XyZ\r\n" FILE_A "\r\n--XyZ--", "[a.exe||]", NO },
	{ "a part without an empty line", "--XyZ\r\n" FILE_A "--XyZ\r\n\r\n1\r\n--XyZ--", "[||1]", NO },
	{ "nothing between boundaries", "--XyZ\r\n--XyZ\r\n\r\n1\r\n--XyZ--", "[||1]", NO },
	{ "line ends in a part", "--XyZ\r\n\r\n\r\n\r\n\n\r\r\n\r\n--XyZ--", "[||\r\n\r\n\n\r\r\n]", NO },
	{ "text that begins like a boundary", "--XyZ\r\n\r\n\r\n-\r\n--\r\n--X\r\n--Xy \r\n-- XyZ\n--xyz\r--XyZ--XyZ\r\n--XyZ--",
	    "[||\r\n-\r\n--\r\n--X\r\n--Xy \r\n-- XyZ\n--xyz\r--XyZ--XyZ]", NO },
	{ "CR CR LF", "--XyZ\r\n\r\na\r\r\n--XyZ--", "[||a\r]", NO },
	{ "blanks behind boundaries", "--XyZ \t\r\n\r\n1\r\n--XyZ  \r\n\r\n2\r\n--XyZ-- ", "[||1][||2]", NO },
	{ "something behind a boundary", "--XyZ\r\n\r\n1\r\n--XyZ1\r\n\r\n2\r\n--XyZ--", "[||1][||2]", BAD },
	{ "one dash behind a boundary", "--XyZ-\r\n\r\n1\r\n--XyZ--", "[||1]", BAD },
	{ "parts behind the last one", "--XyZ--\r\n--XyZ\r\n\r\n1\r\n--XyZ--", "[||1]", NO },
	{ "no end", "--XyZ\r\n\r\nbytes", "[||bytes]", BAD },
	{ "an end that breaks off", "--XyZ\r\n\r\nbytes\r\n--Xy", "[||bytes]", BAD },
	{ "a boundary without its line", "--XyZ\r\n\r\nbytes\r\n--XyZ", "[||bytes]", BAD },
	{ "a head that breaks off", "--XyZ\r\nContent-Dis", "", BAD },
	{ "no boundary at all", "somebody=else", "", BAD },
	{ "base64", "--XyZ\r\nContent-Transfer-Encoding: BASE64\r\n\r\nQUJD\r\n--XyZ--", "[|b|QUJD]", NO },
	{ "a head's line of blanks alone", "--XyZ\r\nA: b\r\n \r\n\r\nx\r\n--XyZ--", "[||x]", BAD },
	{ "a folded line of many blanks", "--XyZ\r\nA: b\r\n" BLANKS "c\r\n\r\nx\r\n--XyZ--", "[||x]", NO },
	{ "quoted-printable, folded", "--XyZ\r\nContent-Transfer-Encoding:\r\n quoted-printable\r\n\r\na=3D\r\n--XyZ--", "[|q|a=3D]", NO },
	{ "binary", "--XyZ\r\nContent-Transfer-Encoding: binary\r\n\r\n1\r\n--XyZ--", "[||1]", NO },
	{ "another coding", "--XyZ\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n1\r\n--XyZ--", "[|!|1]", NO },
	{ "two codings", "--XyZ\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n1\r\n--XyZ--", "[|b!|1]", NO },
	{ "parts in a part", "--XyZ\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\n1\r\n--in--\r\n--XyZ--",
	    "[|m|--in\r\n\r\n1\r\n--in--]", NO },
	{ "a name with a semicolon and quotes", "--XyZ\r\nContent-Disposition: form-data; filename=\"a;\\\"b\\\".exe\"; name=\"x\"\r\n\r\n\r\n--XyZ--",
	    "[a;\"b\".exe||]", NO },
	{ "a name with backslashes", "--XyZ\r\nContent-Disposition: form-data; filename=\"C:\\dir\\a.exe\"\r\n\r\n\r\n--XyZ--", "[C:\\dir\\a.exe||]", NO },
	{ "an extended name comes first", "--XyZ\r\nContent-Disposition: form-data; filename=\"b\"; filename*=UTF-8''a%20b%zz%4\r\n\r\n\r\n--XyZ--",
	    "[a b%zz%4||]", NO },
	{ "a name that does not end", "--XyZ\r\nContent-Disposition: form-data; filename=\"a\r\n\r\n\r\n--XyZ--", "[a||]", NO },
};

static void
test_rows(struct out *o)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice body = slice_str(rows[i].body);
		size_t good = 0;

		for (size_t step = 1; step <= body.len + 1; step++)
			good += take_apart(body, step, o) == rows[i].fault && slice_eq(buf_slice(&o->text), slice_str(rows[i].parts));
		if (!ok(good == body.len + 1, "%s: in pieces of every size", rows[i].idea))
			printf("# got: %.*s fault %d\n", SLICE_ARGS(buf_slice(&o->text)), take_apart(body, body.len + 1, o));
	}
}

static void
test_boundaries(void)
{
	static const struct { const char *type, *boundary; enum unscannable fault; } types[] = {
		{ "", "", NO }, { "text/plain; boundary=x", "", NO }, { "multipart/form-data; boundary=x", "x", NO },
		{ "Multipart/Form-Data ; charset=utf-8; BOUNDARY = \"a b\"", "a b", NO },
		{ "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW", NO },
		{ "multipart/form-data; x=\"a;b\"; boundary=yes", "yes", NO },
		{ "multipart/form-data; x=\";boundary=no\"; boundary=yes", "", BAD }, { "multipart/form-data; xboundary=a; boundary=b", "", BAD }, { "multipart/related;boundary=x;", "x", NO },
		{ "multipart/form-data", "", BAD }, { "multipart/form-data; boundary=", "", BAD },
		{ "multipart/form-data; boundary=\"\"", "", BAD }, { "multipart/form-data; boundary=\"x", "", BAD },
		{ "multipart/form-data; boundary=x; boundary=y", "", BAD }, { "multipart/form-data; boundary=x,y", "", BAD },
		{ "multipart/form-data; boundary=\"x \"", "", BAD }, { "multipart/form-data; boundary=x y", "", BAD },
		{ "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
		    "0123456789012345678901234567890123456789012345678901234567890123456789", NO },
		{ "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890", "", BAD },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct multipart_boundary b = multipart_boundary(slice_str(types[i].type));

		ok(b.fault == types[i].fault && slice_eq(slice_make(b.text, b.len), slice_str(types[i].boundary)), "boundary of: %s", types[i].type);
	}
}

static void
test_many(struct out *o)
{
	struct buf body;

	buf_init(&body, TEXT_MAX);
	for (int i = 0; i < MANY; i++)
		buf_add_str(&body, "--XyZ\r\n" FILE_A "\r\nx\r\n");
	buf_add_str(&body, "--XyZ--\r\n");
	ok(take_apart(buf_slice(&body), 4096, o) == NO && o->parts == MANY, "%d parts", MANY);
	o->stop_at = 3;
	take_apart(buf_slice(&body), 4096, o);
	ok(o->parts == 3, "nothing more comes once it was stopped");
	o->stop_at = 0;
	buf_reset(&body);
	buf_add_str(&body, "--XyZ\r\n" FILE_A);
	for (int i = 0; i < MANY; i++)
		buf_add_str(&body, "X-Header: x\r\n");
	buf_add_str(&body, "\r\nbytes\r\n--XyZ\r\n\r\n2\r\n--XyZ--\r\n");
	ok(take_apart(buf_slice(&body), 4096, o) == BAD, "a huge head is damage");
	is_slice(buf_slice(&o->text), SLICE("[a.exe||bytes][||2]"), "a huge head: its part is there all the same");
	buf_reset(&body);
	buf_add_str(&body, "--XyZ\r\n\r\n");
	for (int i = 0; i < MANY; i++)
		buf_add_str(&body, "\r\n--Xy\n\r");
	buf_add_str(&body, "\r\n--XyZ--");
	ok(take_apart(buf_slice(&body), 65536, o) == NO && o->pieces < 4, "line ends alone do not cut a part into pieces: %zu", o->pieces);
	buf_fini(&body);
}

/* ---- in the inspector ---- */

struct list {
	struct digest	 digest;
	unsigned	 matched, tentative, others, n;
	char		 name[64];
	unsigned	 depth;
};

static bool
may_be_listed(void *arg, uint64_t size)
{
	(void)arg;
	return size == SIZE;
}

static bool
found(void *arg, const struct finding *f)
{
	struct list *l = arg;
	bool matches = f->kind == FINDING_MEMBER && f->n == 1 && f->size == SIZE && digest_eq(&f->digests[0], &l->digest);

	l->n += f->kind == FINDING_MEMBER;
	if (!matches) {
		l->others++;
		return true;
	}
	l->tentative += f->tentative;
	l->matched += !f->tentative;
	l->depth = f->depth;
	snprintf(l->name, sizeof(l->name), "%.*s", SLICE_ARGS(f->name));
	return false;
}

static struct slice
noise(void)
{
	static char bytes[SIZE];
	uint32_t x = 7;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
	return slice_make(bytes, SIZE);
}

static void
add_base64(struct buf *b, struct slice s, bool padding)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t v = (uint32_t)(uint8_t)s.p[i] << 16 | (i + 1 < s.len ? (uint32_t)(uint8_t)s.p[i + 1] << 8 : 0) |
		    (i + 2 < s.len ? (uint8_t)s.p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			if (i + k <= s.len)
				buf_add_char(b, letters[v >> (18 - 6 * k) & 63]);
			else if (padding)
				buf_add_char(b, '=');
		if (i % 57 == 54)
			buf_add_str(b, "\r\n");
	}
}

static void
add_quoted(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		buf_addf(b, "=%02X", (uint8_t)s.p[i]);
		if (i % 20 == 19)
			buf_add_str(b, "= \r\n");
	}
}

static struct inspector *
begin_wish(struct list *l, struct codings codings, uint64_t members, const char *boundary)
{
	struct inspect_wish wish = { .member_algs = DIGEST_BIT(DIGEST_MD5), .member_until = UINT64_MAX,
		.codings = codings, .boundary = boundary_of(boundary), .may_be_listed = may_be_listed,
		.limits = { .bytes = UINT64_MAX, .ratio = 1000, .members = members, .depth = 1, .time_ms = 1000 } };
	struct inspect_means means = { .helper = "/nonexistent", .spool_dir = "/nonexistent" };
	struct digest digests[DIGEST_ALGS];
	struct inspector *i;

	*l = (struct list){ .depth = 0 };
	digests_of(noise(), DIGEST_BIT(DIGEST_MD5), digests);
	l->digest = digests[0];
	if ((i = inspector_new(&wish, &means, found, l)) == NULL)
		abort();
	return i;
}

static struct inspector *
begin(struct list *l, uint64_t members, const char *boundary)
{
	return begin_wish(l, (struct codings){ 0 }, members, boundary);
}

static struct inspector *
begin_coded(struct list *l, enum coding coding, uint64_t members, const char *boundary)
{
	return begin_wish(l, (struct codings){ .n = 1, .list = { coding } }, members, boundary);
}

/* Push BODY in pieces of STEP until it is stopped for.  No byte of it from WHOLE on may be judged before. */
static bool
push(struct inspector *i, struct slice body, size_t step, uint64_t whole)
{
	uint64_t before = 0;

	while (body.len > 0 && !inspector_stopped(i)) {
		inspector_update(i, slice_head(body, step), true);
		if (inspector_judged(i) > whole || inspector_judged(i) < before)
			return false;
		before = inspector_judged(i);
		body = slice_skip(body, step);
	}
	return true;
}

/* The file as one part of three; WHOLE: where its last byte ends. */
static uint64_t
make_form(struct buf *b, const char *coding, void (*add)(struct buf *b, struct slice s), const char *blanks)
{
	uint64_t whole;

	buf_init(b, TEXT_MAX);
	buf_add_strs(b, "--XyZ\r\nContent-Disposition: form-data; name=text\r\n\r\nHello\r\n--XyZ\r\n" FILE_A "Content-Transfer-Encoding: ",
	    coding, "\r\n\r\n", NULL);
	add(b, noise());
	whole = b->len;
	buf_add_strs(b, blanks, "\r\n--XyZ\r\n\r\n", NULL);
	add(b, slice_head(noise(), 100));
	buf_add_str(b, "\r\n--XyZ--\r\n");
	return whole;
}

static void
add_plain(struct buf *b, struct slice s)
{
	buf_add_slice(b, s);
}

static void
add_padded(struct buf *b, struct slice s)
{
	add_base64(b, s, true);
}

static void
add_unpadded(struct buf *b, struct slice s)
{
	add_base64(b, s, false);
}

static void
test_form(const char *idea, const char *coding, void (*add)(struct buf *b, struct slice s), const char *blanks,
    enum unscannable fault)
{
	static const size_t steps[] = { 1, 2, 3, 7, 64, 511, 512, 513, 4096, 1 << 20 };
	struct buf b;
	uint64_t whole = make_form(&b, coding, add, blanks);
	size_t good = 0;

	for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
		struct list l;
		struct inspector *i = begin(&l, 100, "XyZ");

		good += push(i, buf_slice(&b), steps[k], whole) && inspector_stopped(i) && l.matched == 1 && l.depth == 1 &&
		    strcmp(l.name, "a.exe") == 0 && inspector_unscannable(i) == fault;
		inspector_free(i);
	}
	ok(good == sizeof(steps) / sizeof(*steps), "%s: found in time and by name, in pieces of any size", idea);
	buf_fini(&b);
}

static void
test_breaks_off(void)
{
	struct list l;
	struct buf b;
	uint64_t whole = make_form(&b, "binary", add_plain, "");
	struct inspector *i = begin(&l, 100, "XyZ");

	push(i, slice_head(buf_slice(&b), whole + 4), 100, UINT64_MAX);
	ok(!inspector_stopped(i) && inspector_judged(i) == whole, "a boundary that has begun is not judged");
	inspector_end(i);
	ok(inspector_stopped(i) && l.matched == 1, "a part without its end is found at the end");
	inspector_free(i);
	buf_fini(&b);
}

/* A coded form: the offsets are those of the bytes as sent, and line ends at the end of every update do not hold it up for ever. */
static void
test_coded(void)
{
	struct list l;
	struct buf b, coded, padded;
	struct inspector *i;
	uint64_t whole = make_form(&b, "binary", add_plain, ""), end, judged;
	bool in_time;

	buf_init(&coded, TEXT_MAX);
	add_base64(&coded, buf_slice(&b), false);
	/* 57 bytes a line of 78. */
	end = whole / 57 * 78 + (whole % 57 * 4 + 2) / 3;
	i = begin_coded(&l, CODING_BASE64, 100, "XyZ");
	buf_init(&padded, TEXT_MAX);
	buf_add_slice(&padded, slice_head(buf_slice(&coded), end));
	for (int k = 0; k < MANY; k++)
		buf_add_str(&padded, "\r\n");
	buf_add_slice(&padded, slice_skip(buf_slice(&coded), end));
	in_time = push(i, buf_slice(&padded), 3, end);
	ok(in_time && inspector_stopped(i) && l.matched == 1 && l.tentative > 0, "a coded form, padded: found in time, judged up to %llu of %llu",
	    (unsigned long long)inspector_judged(i), (unsigned long long)end);
	inspector_free(i);
	buf_fini(&padded);
	i = begin_coded(&l, CODING_BASE64, 100, "XyZ");
	in_time = push(i, buf_slice(&coded), 3, end);
	ok(in_time && inspector_stopped(i) && l.matched == 1, "a coded form: found in time, judged up to %llu of %llu",
	    (unsigned long long)inspector_judged(i), (unsigned long long)end);
	inspector_free(i);
	buf_reset(&b);
	buf_reset(&coded);
	buf_add_str(&b, "--XyZ\r\n\r\n");
	for (int k = 0; k < MANY; k++)
		buf_add_str(&b, "x\r\n");
	add_base64(&coded, buf_slice(&b), false);
	i = begin_coded(&l, CODING_BASE64, 100, "XyZ");
	for (struct slice rest = buf_slice(&coded); rest.len > 0; rest = slice_skip(rest, 4))
		inspector_update(i, slice_head(rest, 4), true);
	judged = inspector_judged(i);
	ok(judged + 100 > coded.len && judged <= coded.len, "a coded form of line ends: judged up to %llu of %zu", (unsigned long long)judged, coded.len);
	inspector_free(i);
	buf_fini(&coded);
	buf_fini(&b);
}

static void
test_limits(void)
{
	struct list l;
	struct buf b;
	struct inspector *i = begin(&l, 5, "XyZ");

	buf_init(&b, TEXT_MAX);
	for (int k = 0; k < 6; k++)
		buf_add_str(&b, "--XyZ\r\n\r\nx\r\n");
	push(i, buf_slice(&b), 64, UINT64_MAX);
	ok(l.n == 5 && inspector_unscannable(i) == UNSCANNABLE_MEMBERS && inspector_done(i) && inspector_judged(i) == b.len,
	    "more parts than the limit");
	inspector_free(i);
	buf_reset(&b);
	buf_add_str(&b, "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n" FILE_A "\r\n--b\r\n" FILE_A "\r\n");
	buf_add_slice(&b, noise());
	buf_add_str(&b, "\r\n--b--\r\n--a--\r\n");
	i = begin(&l, 5, "a");
	ok(push(i, buf_slice(&b), 10, b.len - 16) && l.matched == 1 && l.depth == 2 && strcmp(l.name, "a.exe/a.exe") == 0,
	    "a part of a part: depth %u, %s", l.depth, l.name);
	inspector_free(i);
	buf_reset(&b);
	buf_add_str(&b, "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
	    "--c\r\n\r\nx\r\n--c--\r\n--b--\r\n--a--\r\n");
	i = begin(&l, 50, "a");
	push(i, buf_slice(&b), 4096, UINT64_MAX);
	inspector_end(i);
	ok(inspector_unscannable(i) == UNSCANNABLE_DEPTH, "parts within parts beyond the limit");
	inspector_free(i);
	buf_reset(&b);
	buf_add_str(&b, "--a\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD*\r\n--a--\r\n");
	i = begin(&l, 50, "a");
	push(i, buf_slice(&b), 4096, UINT64_MAX);
	inspector_end(i);
	ok(inspector_unscannable(i) == UNSCANNABLE_DAMAGED, "what is no base64 is damage");
	inspector_free(i);
	buf_fini(&b);
}

int
main(void)
{
	struct out o = { .parts = 0 };

	buf_init(&o.text, TEXT_MAX);
	test_boundaries();
	test_rows(&o);
	test_many(&o);
	test_form("as it is", "binary", add_plain, "", NO);
	test_form("base64", "base64", add_padded, "", NO);
	test_form("base64 without padding, and blanks behind it", "base64", add_unpadded, "\r\n \r\n\r\n \r\n\r\n\r\n\t\r\n\r\n", NO);
	test_form("quoted-printable", "quoted-printable", add_quoted, "", NO);
	test_form("a coding that is said and not done", "base64", add_plain, "", BAD);
	test_breaks_off();
	test_coded();
	test_limits();
	buf_fini(&o.text);
	return tap_done();
}
