/* Canonical URLs and hosts: one row per spelling, then the expressions that rules are looked up by. */
#include "base/buf.h"
#include "base/file.h"
#include "t/tap.h"
#include "url_rules/url.h"

static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

static const struct url_row {
	const char	*name, *raw, *canonical;	/* CANONICAL NULL: refused with ERROR */
	enum url_error	 error;
} urls[] = {
	{ "a plain URL", "http://www.example.com/a/b.html?x=1", "http://www.example.com/a/b.html?x=1", URL_OK },
	{ "no path", "http://example.com", "http://example.com/", URL_OK },
	{ "no scheme", "example.com/a", "http://example.com/a", URL_OK },
	{ "no scheme but a port", "example.com:8080/a", "http://example.com/a", URL_OK },
	{ "a scheme without slashes", "https:example.com/a", "https://example.com/a", URL_OK },
	{ "a scheme with one slash", "http:/example.com/a", "http://example.com/a", URL_OK },
	{ "a scheme with three slashes", "http:///example.com/a", "http://example.com/a", URL_OK },
	{ "backslashes for slashes", "http:\\\\example.com\\a\\b", "http://example.com/a/b", URL_OK },
	{ "upper case in scheme and host", "HTTP://EXAMPLE.com/A", "http://example.com/A", URL_OK },
	{ "user and password", "http://u:p@example.com/", "http://example.com/", URL_OK },
	{ "two at signs", "http://a@b@example.com/", "http://example.com/", URL_OK },
	{ "an at sign in the path", "http://example.com/x@y.com", "http://example.com/x@y.com", URL_OK },
	{ "an at sign in the query", "http://example.com?@y.com", "http://example.com/?@y.com", URL_OK },
	{ "a host that looks like user and port", "http://good.com:80@evil.com/", "http://evil.com/", URL_OK },
	{ "a backslash ends the host", "http://evil.com\\@good.com/", "http://evil.com/@good.com/", URL_OK },
	{ "a port", "http://example.com:8080/", "http://example.com/", URL_OK },
	{ "an empty port", "http://example.com:/", "http://example.com/", URL_OK },
	{ "a port with zeros", "http://example.com:0080/", "http://example.com/", URL_OK },
	{ "a port too large", "http://example.com:65536/", NULL, URL_BAD_PORT },
	{ "a port of letters", "http://example.com:http/", NULL, URL_BAD_PORT },
	{ "a fragment", "http://example.com/a#b?c", "http://example.com/a", URL_OK },
	{ "a fragment after the host", "http://example.com#a", "http://example.com/", URL_OK },
	{ "blanks around", " \thttp://example.com/ \r\n", "http://example.com/", URL_OK },
	{ "tab and newline inside", "http://exa\tmple.com/a\r\nb", "http://example.com/ab", URL_OK },
	{ "a blank in the path", "http://example.com/a b", "http://example.com/a%20b", URL_OK },
	{ "percent-encoded letters", "http://example.com/%61%62", "http://example.com/ab", URL_OK },
	{ "encoded four times", "http://example.com/%25252561", "http://example.com/a", URL_OK },
	{ "an escape inside an escape", "http://example.com/%%361", "http://example.com/a", URL_OK },
	{ "an escape made of two", "http://example.com/%36%31%4%31", "http://example.com/61A", URL_OK },
	{ "a lone percent sign", "http://example.com/a%zz%", "http://example.com/a%25zz%25", URL_OK },
	{ "an encoded question mark begins no query", "http://example.com/a%3fb", "http://example.com/a%3Fb",
	    URL_OK },
	{ "an encoded question mark in a query", "http://example.com/?a%3fb", "http://example.com/?a?b", URL_OK },
	{ "an encoded number sign", "http://example.com/a%23b", "http://example.com/a%23b", URL_OK },
	{ "an encoded NUL", "http://example.com/a%00b", "http://example.com/a%00b", URL_OK },
	{ "bytes beyond ASCII", "http://example.com/\xc3\xa9", "http://example.com/%C3%A9", URL_OK },
	{ "overlong UTF-8 is no slash", "http://example.com/a%c0%af..", "http://example.com/a%C0%AF..", URL_OK },
	{ "a dot segment", "http://example.com/a/./b", "http://example.com/a/b", URL_OK },
	{ "two dots", "http://example.com/a/../b", "http://example.com/b", URL_OK },
	{ "encoded dots", "http://example.com/a/%2e%2E/b", "http://example.com/b", URL_OK },
	{ "more dots than folders", "http://example.com/../../b", "http://example.com/b", URL_OK },
	{ "two dots at the end", "http://example.com/a/b/..", "http://example.com/a/", URL_OK },
	{ "one dot at the end", "http://example.com/a/.", "http://example.com/a/", URL_OK },
	{ "three dots are a name", "http://example.com/a/...", "http://example.com/a/...", URL_OK },
	{ "double slashes", "http://example.com//a///b//", "http://example.com/a/b/", URL_OK },
	{ "an encoded slash", "http://example.com/a%2Fb", "http://example.com/a/b", URL_OK },
	{ "slashes in a query stay", "http://example.com/a?b//c/../d", "http://example.com/a?b//c/../d", URL_OK },
	{ "an empty query", "http://example.com/a?", "http://example.com/a?", URL_OK },
	{ "a URL in the path", "http://example.com/http://b.com/", "http://example.com/http:/b.com/", URL_OK },
	{ "another scheme", "Gopher://Example.com/a", "gopher://example.com/a", URL_OK },
	{ "nothing", "", NULL, URL_NO_HOST },
	{ "only a scheme", "http://", NULL, URL_NO_HOST },
	{ "only a path", "/a/b", NULL, URL_NO_HOST },
	{ "only dots", "http://.../", NULL, URL_NO_HOST },
	{ "only a user", "http://user@/", NULL, URL_NO_HOST },
};

static const struct host_row {
	const char	*name, *raw, *canonical;
	enum host_kind	 kind;
} hosts[] = {
	{ "a name", "www.example.com", "www.example.com", HOST_NAME },
	{ "dots at both ends", ".example.com...", "example.com", HOST_NAME },
	{ "two dots inside", "a..example.com", "a.example.com", HOST_NAME },
	{ "an underscore", "_dmarc.example.com", "_dmarc.example.com", HOST_NAME },
	{ "percent-encoded letters", "ex%61mple%2ecom", "example.com", HOST_NAME },
	{ "encoded twice, upper case", "ex%2541mple.com", "example.com", HOST_NAME },
	{ "an encoded slash stays encoded", "a%2fb.example.com", "a%2fb.example.com", HOST_NAME },
	{ "a byte no name has, the rest counts", "a^b.example.com", "a%5eb.example.com", HOST_NAME },
	{ "an encoded NUL", "a%00b.example.com", "a%00b.example.com", HOST_NAME },
	{ "a control byte", "\x01" "a.example.com", "%01a.example.com", HOST_NAME },
	{ "UTF-8", "b\xc3\xbc" "cher.example", "xn--bcher-kva.example", HOST_NAME },
	{ "UTF-8 in upper case", "B\xc3\x9c" "CHER.example", "xn--bcher-kva.example", HOST_NAME },
	{ "percent-encoded UTF-8", "b%C3%BCcher.example", "xn--bcher-kva.example", HOST_NAME },
	{ "decomposed UTF-8", "bu\xcc\x88" "cher.example", "xn--bcher-kva.example", HOST_NAME },
	{ "sharp s is not ss", "fa\xc3\x9f.example", "xn--fa-hia.example", HOST_NAME },
	{ "an A-label in upper case", "XN--BCHER-KVA.example", "xn--bcher-kva.example", HOST_NAME },
	{ "an ideographic full stop", "ex\xe3\x80\x82" "com", "ex.com", HOST_NAME },
	{ "full-width letters", "\xef\xbd\x85x.com", "ex.com", HOST_NAME },
	{ "a full-width escape", "\xef\xbc\x85" "41.com", "a.com", HOST_NAME },
	{ "a soft hyphen vanishes", "ex\xc2\xad" "ample.com", "example.com", HOST_NAME },
	{ "a heart: a symbol has an A-label, too", "\xe2\x99\xa5.example", "xn--g6h.example", HOST_NAME },
	{ "an emoji of Unicode 14", "\xf0\x9f\xab\xa0.example", "xn--129h.example", HOST_NAME },
	{ "a heart beside a sharp s, which must not be ss", "\xc3\x9f\xe2\x99\xa5.example", "%c3%9f%e2%99%a5.example", HOST_NAME },
	{ "a byte that a joined accent makes harmless", "<\xcc\xb8.example", "xn--gdh.example", HOST_NAME },
	{ "a character that is a slash when mapped", "good.example\xef\xbc\x8f.b.example", "good.example%2f.b.example", HOST_NAME },
	{ "no UTF-8: the other labels count", "\xff.b\xc3\xbc" "cher.example", "%ff.xn--bcher-kva.example", HOST_NAME },
	{ "IPv4", "192.0.2.66", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 with a dot at the end", "192.0.2.66.", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 in hexadecimal", "0xC0000242", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 as one number", "3221226050", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 in octal", "0300.0.02.0102", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 of two parts", "127.1", "127.0.0.1", HOST_IPV4 },
	{ "IPv4 of three parts", "192.0.578", "192.0.2.66", HOST_IPV4 },
	{ "IPv4, a bare 0x is 0", "0x.0x0.0.1", "0.0.0.1", HOST_IPV4 },
	{ "IPv4 in full-width digits", "\xef\xbc\x91" "27.0.0.1", "127.0.0.1", HOST_IPV4 },
	{ "IPv4, percent-encoded", "%31%32%37.0.0.1", "127.0.0.1", HOST_IPV4 },
	{ "five numbers are a name", "1.2.3.4.5", "1.2.3.4.5", HOST_NAME },
	{ "a number too large is a name", "256.1.2.3", "256.1.2.3", HOST_NAME },
	{ "a last number too large is a name", "1.2.65536", "1.2.65536", HOST_NAME },
	{ "no octal number is a name", "08.0.0.1", "08.0.0.1", HOST_NAME },
	{ "more than 32 bits is a name", "4294967296", "4294967296", HOST_NAME },
	{ "IPv6", "[2001:DB8:0:0::66]", "[2001:db8::66]", HOST_IPV6 },
	{ "IPv6 with a zone", "[fe80::1%25eth0]", "[fe80::1]", HOST_IPV6 },
	{ "IPv6 without brackets, as Squid may write it", "fe80::1%25eth0", "[fe80::1]", HOST_IPV6 },
	{ "IPv4 mapped into IPv6", "[::ffff:192.0.2.66]", "192.0.2.66", HOST_IPV4 },
	{ "IPv4 translated to IPv6", "[64:ff9b::c000:242]", "192.0.2.66", HOST_IPV4 },
	{ "IPv6 with a dotted end", "[::192.0.2.66]", "[::c000:242]", HOST_IPV6 },
	{ "IPv6, loopback", "[0:0:0:0:0:0:0:1]", "[::1]", HOST_IPV6 },
	{ "IPv6 without its end", "[::1", NULL, HOST_NAME },
	{ "no IPv6", "[example.com]", NULL, HOST_NAME },
	{ "nothing in brackets", "[]", NULL, HOST_NAME },
};

/* Targets that Squid 5.7 sends on as they are, and the one name that it looks up. */
static const struct request_row {
	const char	*name, *target, *canonical;
	bool		 connect;
} requests[] = {
	{ "request: a backslash is a byte of the name", "http://good.example\\.evil.example/x",
	    "http://good.example%5c.evil.example/x", false },
	{ "request: a backslash and a port", "http://good.example\\.evil.example:8080/x", "http://good.example%5c.evil.example/x",
	    false },
	{ "request: a backslash in the path is a slash", "http://example.com/a\\b", "http://example.com/a/b", false },
	{ "request: a slash ends the host", "http://evil.example/.good.example/", "http://evil.example/.good.example/", false },
	{ "request: a question mark ends the host", "http://evil.example?.good.example", "http://evil.example/?.good.example",
	    false },
	{ "CONNECT: a slash is a byte of the name", "good.example/.evil.example:443", "https://good.example%2f.evil.example/",
	    true },
	{ "CONNECT: a question mark, too", "good.example?.evil.example:443", "https://good.example%3f.evil.example/", true },
	{ "CONNECT: a number sign, too", "good.example#.evil.example:443", "https://good.example%23.evil.example/", true },
	{ "CONNECT: a backslash, too", "good.example\\.evil.example:443", "https://good.example%5c.evil.example/", true },
	{ "CONNECT: a slash and a user", "good.example/a@evil.example:443", "https://evil.example/", true },
};

static void
check_request(const struct request_row *row)
{
	struct slice target = guard_copy(slice_str(row->target));
	struct url u;

	if (ok((row->connect ? url_parse_authority : url_parse_request)(&u, target) == URL_OK, "%s, is parsed", row->name)) {
		is_slice(u.text, slice_str(row->canonical), row->name);
		url_fini(&u);
	}
}

/* Parse S; what is canonical must be canonical already when parsed again. */
static void
check_url(const struct url_row *row)
{
	struct url u, again;
	enum url_error e = url_parse(&u, guard_copy(slice_str(row->raw)));

	if (row->canonical == NULL) {
		is_str(url_strerror(e), url_strerror(row->error), row->name);
		return;
	}
	if (!ok(e == URL_OK, "%s is parsed", row->name))
		return;
	is_slice(u.text, slice_str(row->canonical), row->name);
	if (ok(url_parse(&again, u.text) == URL_OK, "%s, again", row->name)) {
		is_slice(again.text, u.text, row->name);
		url_fini(&again);
	}
	url_fini(&u);
}

static void
check_host(const struct host_row *row)
{
	char out[HOST_MAX + 1], again[HOST_MAX + 1];
	enum host_kind kind;
	size_t len, len_again;
	enum url_error e = host_canonical(guard_copy(slice_str(row->raw)), out, &len, &kind);

	if (row->canonical == NULL) {
		ok(e == URL_BAD_HOST, "%s is refused", row->name);
		return;
	}
	if (!ok(e == URL_OK, "host: %s is parsed", row->name))
		return;
	is_slice(slice_make(out, len), slice_str(row->canonical), row->name);
	is_int(kind, row->kind, row->name);
	ok(host_canonical(slice_make(out, len), again, &len_again, NULL) == URL_OK && len == len_again &&
	    memcmp(out, again, len) == 0, "host: %s, again", row->name);
}

static void
check_parts(void)
{
	struct url u;

	ok(url_parse(&u, SLICE("HTTP://User:pw@WWW.Example.COM.:8080/a/../%62//c?x=1#f")) == URL_OK, "a URL with everything");
	is_slice(u.scheme, SLICE("http"), "scheme");
	is_slice(u.host, SLICE("www.example.com"), "host");
	is_slice(u.path, SLICE("/b/c"), "path");
	is_slice(u.query, SLICE("?x=1"), "query");
	is_slice(u.path_query, SLICE("/b/c?x=1"), "path and query");
	is_int(u.port, 8080, "port");
	url_fini(&u);
	ok(url_parse(&u, SLICE("https://[::1]:444/x")) == URL_OK && u.port == 444 && u.kind == HOST_IPV6,
	    "a port after an IPv6 address");
	url_fini(&u);
	ok(url_parse(&u, SLICE("wss://example.com")) == URL_OK && u.port == 443, "a scheme's own port");
	url_fini(&u);
	ok(url_parse_authority(&u, SLICE("user@EXAMPLE.com.:8443")) == URL_OK && u.port == 8443, "CONNECT with a user");
	is_slice(u.text, SLICE("https://example.com/"), "CONNECT, the text");
	url_fini(&u);
	ok(url_parse_authority(&u, SLICE("[2001:db8::1]:443")) == URL_OK, "CONNECT to IPv6");
	is_slice(u.host, SLICE("[2001:db8::1]"), "CONNECT to IPv6, the host");
	url_fini(&u);
	ok(url_parse_authority(&u, SLICE(":443")) == URL_NO_HOST, "CONNECT to nothing");
	ok(url_parse_origin(&u, SLICE("http"), SLICE("Example.com:81"), SLICE("//evil/p?q")) == URL_OK, "origin-form");
	is_slice(u.text, SLICE("http://example.com/evil/p?q"), "two slashes begin no host in origin-form");
	url_fini(&u);
	ok(url_parse_origin(&u, SLICE("http"), SLICE("example.com"), SLICE("*")) == URL_OK, "asterisk-form");
	is_slice(u.text, SLICE("http://example.com/*"), "asterisk-form, the text");
	url_fini(&u);
	ok(url_parse_origin(&u, SLICE("http"), SLICE(""), SLICE("/")) == URL_NO_HOST, "origin-form without Host");
}

static void
check_sizes(void)
{
	struct buf b;
	struct url u;

	buf_init(&b, 1 << 20);
	buf_add_str(&b, "http://example.com/");
	while (b.len < URL_RAW_MAX)
		buf_add_char(&b, '\x80');
	ok(url_parse(&u, buf_slice(&b)) == URL_OK, "the longest URL");
	is_int((long long)u.text.len, 19 + 3 * (URL_RAW_MAX - 19), "all of it escaped");
	url_fini(&u);
	buf_add_char(&b, 'x');
	ok(url_parse(&u, buf_slice(&b)) == URL_TOO_LONG, "one byte more");
	buf_reset(&b);
	buf_add_str(&b, "http://example.com/%");
	while (b.len < URL_RAW_MAX - 2)
		buf_add_str(&b, "25");
	buf_add_str(&b, "41");
	ok(url_parse(&u, slice_head(buf_slice(&b), URL_RAW_MAX)) == URL_OK, "encoded 30,000 times");
	is_slice(u.path, SLICE("/A"), "is decoded 30,000 times");
	url_fini(&u);
	buf_reset(&b);
	while (b.len < HOST_MAX)
		buf_add_char(&b, 'a');
	ok(url_parse(&u, buf_slice(&b)) == URL_OK && u.host.len == HOST_MAX, "the longest host");
	url_fini(&u);
	buf_add_char(&b, 'a');
	ok(url_parse(&u, buf_slice(&b)) == URL_BAD_HOST, "one byte more in the host");
	buf_reset(&b);
	for (int i = 0; i < 60; i++)
		buf_add_str(&b, "\xe3\x8d\xbf.");
	buf_add_str(&b, "Evil.Example");
	ok(url_parse(&u, buf_slice(&b)) == URL_OK && slice_ends(u.host, SLICE("%e3%8d%bf.evil.example")),
	    "a host of 252 bytes that mapping makes too long stays as it is");
	url_fini(&u);
	for (int i = 0; i < 3 * HOST_MAX; i++)
		buf_add_char(&b, '.');
	ok(url_parse(&u, buf_slice(&b)) == URL_OK && slice_ends(u.host, SLICE("%e3%8d%bf.evil.example")),
	    "the same with many dots");
	url_fini(&u);
	buf_fini(&b);
}

static void
check_prefixes(void)
{
	static const char *const expected[] = { "/a/b/?x=1&y=2", "/a/b/?x=1", "/a/b/", "/a/b", "/a/", "/a", "/" };
	struct slice s = SLICE("/a/b/?x=1&y=2"), empty = SLICE("");

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		is_slice(s, slice_str(expected[i]), "a prefix");
		ok(path_prefix(&s) == (i + 1 < sizeof(expected) / sizeof(*expected)), "and on from %s", expected[i]);
	}
	ok(!path_prefix(&empty), "nothing has no prefix");
	s = SLICE("/a&b/c");
	path_prefix(&s);
	is_slice(s, SLICE("/a&b/"), "an ampersand in a path is no border");
}

static void
check_domains(void)
{
	struct slice host = SLICE("a.b.c"), address = SLICE("192.0.2.1");

	ok(host_parent(&host, HOST_NAME), "a.b.c has a parent");
	is_slice(host, SLICE("b.c"), "which is b.c");
	ok(host_parent(&host, HOST_NAME) && !host_parent(&host, HOST_NAME), "c has none");
	ok(!host_parent(&address, HOST_IPV4), "an address has none");
	ok(host_under(SLICE("a.b"), SLICE("b")) && host_under(SLICE("b"), SLICE("b")), "under");
	ok(!host_under(SLICE("ab"), SLICE("b")) && !host_under(SLICE("b"), SLICE("a.b")) &&
	    !host_under(SLICE("b"), SLICE("")), "not under");
}

/* One line of the published vectors: input, tab, canonical; escapes as buf_add_unescaped() reads them. */
static void
check_vector(struct slice line)
{
	struct slice input, canonical;
	struct buf raw;
	struct url u;

	buf_init(&raw, URL_RAW_MAX);
	slice_cut(line, '\t', &input, &canonical);
	if (ok(buf_add_unescaped(&raw, input) == 0 && url_parse(&u, buf_slice(&raw)) == URL_OK, "vector %.*s",
	    SLICE_ARGS(input))) {
		is_slice(u.text, canonical, "is canonical");
		url_fini(&u);
	}
	buf_fini(&raw);
}

/* Safe Browsing's vectors are not ours to ship. */
static void
check_vectors(void)
{
	const char *shared = getenv("FIREBREAK_SHARED");
	char *path = NULL;
	struct slice rest, line;
	struct buf text;

	buf_init(&text, 1 << 20);
	if (shared == NULL || (path = file_join(shared, "data/gsb_v4_vectors.tsv")) == NULL || file_read(path, &text) == -1)
		skip("the published vectors", "FIREBREAK_SHARED does not have them");
	for (rest = buf_slice(&text); rest.len > 0;)
		if (slice_cut(rest, '\n', &line, &rest), line.len > 0 && line.p[0] != '#')
			check_vector(line);
	buf_fini(&text);
	free(path);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
		check_url(&urls[i]);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		check_host(&hosts[i]);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		check_request(&requests[i]);
	check_parts();
	check_sizes();
	check_prefixes();
	check_domains();
	check_vectors();
	return tap_done();
}
