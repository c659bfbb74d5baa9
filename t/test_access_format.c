/* Lines of access logs, in Squid's own formats and in those that a site has made up. */
#include "eventstore/access_format.h"
#include "t/tap.h"

#define NATIVE	""
#define TIME_MS	INT64_C(1795418424332)
#define TIME_S	INT64_C(1795418424000)
#define U	ACCESS_UNKNOWN

static const struct row {
	const char	*name, *format, *line;
	int		 kind;		/* -1: it is no line of that format */
	const char	*url, *client, *user, *method;
	int64_t		 time_ms, size, head_size;
} rows[] = {
	{ "native", NATIVE,
	    "1795418424.332     45 192.0.2.7 TCP_MISS/200 1234 GET http://a.example/x?y=1 alice HIER_DIRECT/192.0.2.9 text/html",
	    ACCESS_URL, "http://a.example/x?y=1", "192.0.2.7", "alice", "GET", TIME_MS, 1234, U },
	{ "native, a slow one", NATIVE, "1795418424.332 1234567 2001:db8::7 TCP_MISS/200 1234 GET http://a.example/ - HIER_NONE/- -",
	    ACCESS_URL, "http://a.example/", "2001:db8::7", "", "GET", TIME_MS, 1234, U },
	{ "CONNECT", NATIVE, "1795418424.332     45 192.0.2.7 TCP_TUNNEL/200 1234 CONNECT a.example:443 - HIER_DIRECT/192.0.2.9 -",
	    ACCESS_CONNECT, "a.example:443", "192.0.2.7", "", "CONNECT", TIME_MS, 1234, U },
	{ "an error", NATIVE, "1795418424.332      0 192.0.2.7 NONE_NONE/400 3900 - error:invalid-request - HIER_NONE/- text/html",
	    ACCESS_ERROR, "error:invalid-request", "192.0.2.7", "", "", TIME_MS, 3900, U },
	{ "nothing was sent", NATIVE,
	    "1795418424.332      0 192.0.2.7 NONE_NONE/000 0 - error:transaction-end-before-headers - HIER_NONE/- -",
	    ACCESS_ERROR, "error:transaction-end-before-headers", "192.0.2.7", "", "", TIME_MS, 0, U },
	{ "a user of two words", NATIVE, "1795418424.332 45 192.0.2.7 TCP_MISS/200 1 GET http://a.example/ CORP%5cal%20b HIER_NONE/- -",
	    ACCESS_URL, "http://a.example/", "192.0.2.7", "CORP\\al b", "GET", TIME_MS, 1, U },
	{ "CR at its end", NATIVE, "1795418424.332 45 192.0.2.7 TCP_MISS/200 1 GET http://a.example/ - HIER_NONE/- -\r",
	    ACCESS_URL, "http://a.example/", "192.0.2.7", "", "GET", TIME_MS, 1, U },
	{ "common", NATIVE,
	    "192.0.2.7 - alice [23/Nov/2026:07:20:24 +0000] \"GET http://a.example/ HTTP/1.1\" 200 1234 TCP_MISS:HIER_DIRECT",
	    ACCESS_URL, "http://a.example/", "192.0.2.7", "alice", "GET", TIME_S, 1234, U },
	{ "combined", NATIVE,
	    "192.0.2.7 - - [23/Nov/2026:08:50:24 +0130] \"CONNECT a.example:443 HTTP/1.1\" 200 1234 \"-\" \"x\" TCP_MISS:A",
	    ACCESS_CONNECT, "a.example:443", "192.0.2.7", "", "CONNECT", TIME_S, 1234, U },
	{ "combined, by its name", "combined",
	    "192.0.2.7 - - [22/Nov/2026:23:20:24 -0800] \"GET http://a.example/ HTTP/1.1\" 200 9 \"-\" \"x\" A:B",
	    ACCESS_URL, "http://a.example/", "192.0.2.7", "", "GET", TIME_S, 9, U },
	{ "common does not quote", NATIVE,
	    "192.0.2.7 - - [23/Nov/2026:07:20:24 +0000] \"GET http://a.example/\\\"x\" HTTP/1.1\" 200 1234 A:B",
	    ACCESS_URL, "http://a.example/\\\"x\"", "192.0.2.7", "", "GET", TIME_S, 1234, U },
	{ "common, nothing was sent", NATIVE,
	    "192.0.2.7 - - [23/Nov/2026:07:20:24 +0000] \"- error:transaction-end-before-headers NONE/0.0\" 0 0 NONE_NONE:HIER_NONE",
	    ACCESS_ERROR, "error:transaction-end-before-headers", "192.0.2.7", "", "", TIME_S, 0, U },
	{ "universal time, plain", "%tg %ru", "23/Nov/2026:07:20:24 http://a.example/",
	    ACCESS_URL, "http://a.example/", "", "", "", TIME_S, U, U },
	{ "a URL that says it is another field", "\"%ru\" %<st", "\"http://a.example/\\\" 7 \\\\\" 1234",
	    ACCESS_URL, "http://a.example/\" 7 \\", "", "", "", U, 1234, U },
	{ "a made up one", "%>a|%ru|%<st|%<sh|%ts", "192.0.2.7|http://a.example/|5000|300|1795418424", ACCESS_URL, "http://a.example/",
	    "192.0.2.7", "", "", TIME_S, 5000, 300 },
	{ "with the directive", "logformat mine %ts.%03tu %ru", "1795418424.332 http://a.example/", ACCESS_URL, "http://a.example/",
	    "", "", "",
	    TIME_MS, U, U },
	{ "in quotes", "\"%ru\" \"%{User-Agent}>h\" %>a", "\"http://a.example/\" \"x \\\"y\\\" z\" 192.0.2.7", ACCESS_URL,
	    "http://a.example/",
	    "192.0.2.7", "", "", U, U, U },
	{ "quotes of a code", "%\"un %ru", "al\\\"ice http://a.example/", ACCESS_URL, "http://a.example/", "", "al\"ice", "", U, U, U },
	{ "of a shell", "%/un %/{X}>h %ru", "\"al \\\"ice\" \"- x\" http://a.example/", ACCESS_URL, "http://a.example/", "",
	    "al \"ice", "", U, U, U },
	{ "of a shell, without", "%/un %ru", "alice http://a.example/", ACCESS_URL, "http://a.example/", "", "alice", "", U, U, U },
	{ "of a URL", "%#un %ru", "al%20ice http://a.example/%41", ACCESS_URL, "http://a.example/%41", "", "al ice", "", U, U, U },
	{ "raw", "%'un %ru", "al%20ice http://a.example/", ACCESS_URL, "http://a.example/", "", "al%20ice", "", U, U, U },
	{ "widths", "%12>a %-10un|%ru", "   192.0.2.7 alice     |http://a.example/", ACCESS_URL, "http://a.example/", "192.0.2.7",
	    "alice", "", U, U, U },
	{ "a width on the left", "%-12>a %ru", "192.0.2.7    http://a.example/", ACCESS_URL, "http://a.example/", "192.0.2.7", "", "",
	    U, U, U },
	{ "at most so wide", "%.5un %ru", "alice http://a.example/", ACCESS_URL, "http://a.example/", "", "alice", "", U, U, U },
	{ "zeros", "%010ts %ru", "1795418424 http://a.example/", ACCESS_URL, "http://a.example/", "", "", "", TIME_S, U, U },
	{ "codes that nobody knows", "%ssl::>cert_subject %zzz::<x{y} %ru", "CN=x 77 http://a.example/", ACCESS_URL,
	    "http://a.example/", "", "",
	    "", U, U, U },
	{ "codes side by side that are not read", "%Ss%Sh %ru", "TCP_MISSHIER_DIRECT http://a.example/", ACCESS_URL,
	    "http://a.example/", "", "",
	    "", U, U, U },
	{ "letters behind a code", "u=%rux a=%>a;", "u=http://a.example/x a=192.0.2.7;", ACCESS_URL, "http://a.example/", "192.0.2.7",
	    "", "",
	    U, U, U },
	{ "a percent sign", "%%%ru%%", "%http://a.example/%", ACCESS_URL, "http://a.example/", "", "", "", U, U, U },
	{ "a time of the site's", "%{%Y-%m-%dT%H:%M:%S%z}tl %ru", "2026-11-23T08:20:24+0100 http://a.example/", ACCESS_URL,
	    "http://a.example/",
	    "", "", "", TIME_S, U, U },
	{ "one with blanks in it", "%{%d %b %Y %H:%M:%S}tg %ru", "23 Nov 2026 07:20:24 http://a.example/", ACCESS_URL, "http://a.example/",
	    "", "", "", TIME_S, U, U },
	{ "local time, plain", "%tl %ru", "23/Nov/2026:07:20:24 +0000 http://a.example/", ACCESS_URL, "http://a.example/", "", "",
	    "", TIME_S, U, U },
	{ "like JSON", "{\"c\":\"%>a\",\"u\":\"%ru\",\"b\":%<st}", "{\"c\":\"192.0.2.7\",\"u\":\"http://a.example/\",\"b\":12}",
	    ACCESS_URL,
	    "http://a.example/", "192.0.2.7", "", "", U, 12, U },
	{ "a host only", "%>a %>rd", "192.0.2.7 a.example", ACCESS_HOST, "a.example", "192.0.2.7", "", "", U, U, U },
	{ "a host beside a URL", "%>rd %ru", "b.example http://a.example/", ACCESS_URL, "http://a.example/", "", "", "", U, U, U },
	{ "no day", NATIVE, "192.0.2.7 - - [31/Feb/2026:07:20:24 +0000] \"GET http://a.example/ HTTP/1.1\" 200 1 A:B", -1, "", "", "",
	    "", U, U, U },
	{ "no line of a log", NATIVE, "www.example.com", -1, "", "", "", "", U, U, U },
	{ "an empty line", NATIVE, "", -1, "", "", "", "", U, U, U },
	{ "cut short", NATIVE, "1795418424.332     45 192.0.2.7 TCP_MISS/200", -1, "", "", "", "", U, U, U },
	{ "another format's", "%>a|%ru|%<st", "1795418424.332 45 192.0.2.7 TCP_MISS/200 1 GET http://a.example/ - A/- -", -1, "", "",
	    "", "", U, U, U },
	{ "a number that is none", "%<st %ru", "12x http://a.example/", ACCESS_URL, "http://a.example/", "", "", "", U, U, U },
	{ "a number that is too large", "%<st %ru", "99999999999999999999 http://a.example/", ACCESS_URL, "http://a.example/", "", "",
	    "", U, U, U },
};

/* A line of blanks is looked at once, not once for each of them. */
static void
try_blanks(void)
{
	enum { BLANKS = 4 << 20 };
	struct access_format *f = access_format_new(SLICE("%>a x|%un y|%ru"), NULL);
	char *line = malloc(BLANKS);
	struct access_entry e;
	struct buf scratch;

	buf_init(&scratch, 1 << 16);
	if (f == NULL || line == NULL)
		abort();
	memset(line, ' ', BLANKS);
	ok(!access_format_read(f, slice_make(line, BLANKS), &scratch, &e), "a line of blanks");
	memcpy(line + BLANKS - 20, "x|al y|http://a.test", 20);
	ok(access_format_read(f, slice_make(line, BLANKS), &scratch, &e) && slice_eq(e.url, SLICE("http://a.test")) &&
	    slice_eq(e.user, SLICE("al")), "and one with something at its end");
	buf_fini(&scratch);
	access_format_free(f);
	free(line);
}

/* A format that is refused, and the column. */
static const struct { const char *format; unsigned col; } bad[] = {
	{ "%>a %rm", 1 }, { "%ru%>a", 4 }, { "%>a%Ss %ru", 4 }, { "%{X>h %ru", 2 }, { "%ru %", 6 }, { "%ru %\"", 7 },
	{ "%9999999999un %ru", 2 }, { "%{%c}tl %ru", 1 }, { "logformat x", 1 }, { "%ru %{%Y", 6 }, { "%ru % x", 6 },
};

static void
try_row(const struct row *row)
{
	struct diag diag = { 0 };
	struct access_format *f = access_format_new(guard_copy(slice_str(row->format)), &diag);
	struct access_entry e;
	struct buf scratch;

	buf_init(&scratch, 1 << 16);
	if (f == NULL) {
		ok(false, "%s: %s", row->name, diag_first_error(&diag));
	} else if (!access_format_read(f, guard_copy(slice_str(row->line)), &scratch, &e)) {
		ok(row->kind == -1, "%s", row->name);
	} else if (!ok((int)e.kind == row->kind && slice_eq(e.url, slice_str(row->url)) && slice_eq(e.client, slice_str(row->client)) &&
	    slice_eq(e.user, slice_str(row->user)) && slice_eq(e.method, slice_str(row->method)) && e.time_ms == row->time_ms &&
	    e.size == row->size && e.head_size == row->head_size, "%s", row->name)) {
		printf("# %d url=%.*s client=%.*s user=%.*s method=%.*s time=%jd size=%jd head=%jd\n", (int)e.kind, SLICE_ARGS(e.url),
		    SLICE_ARGS(e.client), SLICE_ARGS(e.user), SLICE_ARGS(e.method), (intmax_t)e.time_ms, (intmax_t)e.size,
		    (intmax_t)e.head_size);
	}
	buf_fini(&scratch);
	access_format_free(f);
	diag_fini(&diag);
}

static void
try_bad(const char *format, unsigned col)
{
	struct diag diag = { 0 };
	struct access_format *f = access_format_new(guard_copy(slice_str(format)), &diag);

	if (!ok(f == NULL && diag.n_errors == 1 && diag.v[0].col == col, "refused: %s", format))
		printf("# column %u: %s\n", diag.n > 0 ? diag.v[0].col : 0, diag_first_error(&diag));
	access_format_free(f);
	diag_fini(&diag);
}

/* What an entry's URL is, as a host. */
static void
try_url(enum access_kind kind, const char *url, const char *host)
{
	struct access_entry e = { .kind = kind, .url = slice_str(url) };
	struct url u;

	if (access_entry_url(&e, &u) != URL_OK) {
		ok(*host == '\0', "no host: %s", url);
		return;
	}
	is_slice(u.host, slice_str(host), url);
	url_fini(&u);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		try_row(&rows[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		try_bad(bad[i].format, bad[i].col);
	try_blanks();
	try_url(ACCESS_URL, "http://WWW.a.example:80/", "www.a.example");
	try_url(ACCESS_CONNECT, "a.example:443", "a.example");
	try_url(ACCESS_CONNECT, "[2001:db8::7]:443", "[2001:db8::7]");
	try_url(ACCESS_HOST, "a.example", "a.example");
	try_url(ACCESS_ERROR, "error:invalid-request", "");
	return tap_done();
}
