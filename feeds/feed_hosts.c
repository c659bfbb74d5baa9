#include "feeds/feed_part.h"

#include "base/count.h"

/* ---- lists of hosts ---- */

/* "192.0.2.0/24", "192.0.2.1-192.0.2.9": nothing but what addresses have, and one of the marks of a range. */
static bool
is_range(struct slice s)
{
	bool range = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '/' || s.p[i] == '-')
			range = i > 0;
		else if (s.p[i] != '.' && s.p[i] != ':' && ascii_hex(s.p[i]) < 0)
			return false;
	}
	return range && ((slice_find(s, '.') < s.len && ascii_is_digit(s.p[0])) || slice_find(s, ':') < s.len) &&
	    (slice_find(s, '/') < s.len || ascii_is_digit(s.p[s.len - 1]));
}

/* Without the ":8080" behind a name, an IPv4 address or a bracket. */
static struct slice
without_port(struct slice s)
{
	size_t end = s.len;

	while (end > 0 && ascii_is_digit(s.p[end - 1]))
		end--;
	if (end == s.len || end == 0 || s.p[end - 1] != ':')
		return s;
	if (s.p[0] != '[' && slice_find(s, ':') < end - 1)
		return s;
	if (s.p[0] == '[' && (end < 2 || s.p[end - 2] != ']'))
		return s;
	return slice_head(s, end - 1);
}

int
feed_host(struct feed *f, struct cell value, struct slice name)
{
	struct slice bare = slice_skip(value.text, slice_starts(value.text, SLICE("*.")) ? 2 : 0);

	if (f->options.ports)
		value.text = without_port(value.text);
	if (slice_find(bare, '*') < bare.len)
		return feed_skip(f);
	if (is_range(value.text))
		return feed_address(f, value);
	if (feed_parse(f, RULE_HOST, value) == -1)
		return 0;
	if (f->options.apex && f->match.scope == SCOPE_BELOW)
		f->match.scope = SCOPE_DOMAIN;
	return feed_emit(f, RULE_HOST, value.col, name);
}

int
feed_name(struct feed *f, struct cell value, struct slice name)
{
	if (feed_parse(f, RULE_HOST, value) == -1)
		return 0;
	if (f->match.scope != SCOPE_EXACT)
		return feed_bad(f, value.col, "a pattern where a host should be");
	return feed_emit(f, RULE_HOST, value.col, name);
}

int
feed_ip(struct feed *f, struct cell value)
{
	if (is_range(value.text))
		return feed_address(f, value);
	if (feed_parse(f, RULE_HOST, value) == -1)
		return 0;
	if (f->match.scope != SCOPE_EXACT || f->match.host_kind == HOST_NAME)
		return feed_bad(f, value.col, "no address");
	return feed_emit(f, RULE_HOST, value.col, SLICE(""));
}

int
feed_with_port(struct feed *f, struct cell value)
{
	struct slice host = without_port(value.text);

	if (host.len == value.text.len)
		return feed_bad(f, value.col, "no port behind the host");
	/* The rule would cover all ports. */
	if (!f->options.ports)
		return feed_skip(f);
	return feed_name(f, (struct cell){ host, value.col }, SLICE(""));
}

int
feed_read_hosts(struct feed *f, struct slice line)
{
	line = feed_strip(line);
	return line.len == 0 ? 0 : feed_host(f, feed_cell(f, line), SLICE(""));
}

/* ---- hosts(5) ---- */

/* The next word of *REST, which is empty at the end. */
static struct slice
next_word(struct slice *rest)
{
	size_t n = 0;

	while (rest->len > 0 && ascii_is_space(rest->p[0]))
		*rest = slice_skip(*rest, 1);
	while (n < rest->len && !ascii_is_space(rest->p[n]))
		n++;
	*rest = slice_skip(*rest, n);
	return slice_make(rest->p - n, n);
}

enum target { TARGET_NONE, TARGET_NOWHERE, TARGET_ELSEWHERE };

/* Where a line sends its names: to no address at all, to this machine or none, or to a real one. */
static enum target
target_of(struct slice word)
{
	char host[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;

	if (slice_eq(word, SLICE("0.0.0.0")) || slice_eq(word, SLICE("127.0.0.1")))
		return TARGET_NOWHERE;
	if (host_canonical(word, host, &len, &kind) != URL_OK || kind == HOST_NAME)
		return TARGET_NONE;
	word = slice_make(host, len);
	if (slice_eq(word, SLICE("0.0.0.0")) || (kind == HOST_IPV4 && slice_starts(word, SLICE("127."))) ||
	    slice_eq(word, SLICE("[::]")) || slice_eq(word, SLICE("[::1]")))
		return TARGET_NOWHERE;
	return TARGET_ELSEWHERE;
}

/* What every hosts file says about its own machine. */
static bool
is_own_name(struct slice name)
{
	static const char *const own[] = { "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4",
		"localhost6", "localhost6.localdomain6", "local", "broadcasthost", "0.0.0.0" };

	return slice_istarts(name, SLICE("ip6-")) || feed_is_one_of(name, own, COUNT(own));
}

static int
read_hosts_name(struct feed *f, struct slice name)
{
	if (is_own_name(name))
		return feed_skip(f);
	if (feed_parse(f, RULE_HOST, feed_cell(f, name)) == -1)
		return 0;
	if (f->match.scope != SCOPE_EXACT)
		return feed_bad(f, feed_col(f, name.p), "a hosts file has whole names only");
	if (f->match.host_kind != HOST_NAME)
		return feed_skip(f);
	return feed_emit(f, RULE_HOST, feed_col(f, name.p), SLICE(""));
}

int
feed_read_hosts_file(struct feed *f, struct slice line)
{
	struct slice rest = slice_head(line, slice_find(line, '#')), word = next_word(&rest);
	enum target target;
	int r = 0;

	if (word.len == 0)
		return 0;
	if ((target = target_of(word)) == TARGET_NONE)
		return feed_bad(f, feed_col(f, word.p), "expected ADDRESS NAME ...");
	if (target == TARGET_ELSEWHERE)
		return feed_skip(f);
	rest = slice_trim(rest);
	if (rest.len == 0)
		return feed_bad(f, feed_col(f, word.p), "an address without a name");
	while (r == 0 && rest.len > 0)
		r = read_hosts_name(f, next_word(&rest));
	return r;
}

/* ---- squidGuard ---- */

/* A line of a list that may be one of changes: what it lists, f->removed being set, or empty. */
static struct slice
guard_value(struct feed *f, struct slice line)
{
	struct slice value = feed_strip(line);

	f->removed = false;
	if (value.len == 0 || !f->options.diff)
		return value;
	if (value.p[0] != '+' && value.p[0] != '-') {
		feed_bad(f, feed_col(f, value.p), "expected + or -");
		return slice_head(value, 0);
	}
	f->removed = value.p[0] == '-';
	return slice_trim(slice_skip(value, 1));
}

int
feed_read_guard_domains(struct feed *f, struct slice line)
{
	struct slice value = guard_value(f, line);

	if (value.len > 1 && value.p[0] == '.')
		value = slice_skip(value, 1);
	if (value.len == 0)
		return 0;
	if (slice_find(value, '*') < value.len)
		return feed_skip(f);
	if (is_range(value))
		return feed_address(f, feed_cell(f, value));
	if (feed_parse(f, RULE_HOST, feed_cell(f, value)) == -1)
		return 0;
	if (f->match.scope != SCOPE_EXACT)
		return feed_bad(f, feed_col(f, value.p), "begins with two dots");
	f->match.scope = f->match.host_kind == HOST_NAME ? SCOPE_DOMAIN : SCOPE_EXACT;
	return feed_emit(f, RULE_HOST, feed_col(f, value.p), SLICE(""));
}

/* ---- lists of URLs ---- */

static const char *const proxied[] = { "http", "https", "ftp" };

/* Bytes of "scheme://" that S begins with; 0 when it has none. */
static size_t
scheme_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && (ascii_is_alpha(s.p[n]) || (n > 0 && (ascii_is_digit(s.p[n]) || strchr("+-.", s.p[n]) != NULL))))
		n++;
	return n > 0 && slice_starts(slice_skip(s, n), SLICE("://")) ? n + 3 : 0;
}

/* Where in S, which has no scheme, the host ends. */
static size_t
authority_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] != '/' && s.p[n] != '?' && s.p[n] != '#' && s.p[n] != '\\')
		n++;
	return n;
}

/* f->match is the URL.  One without a path means the host's first page, which every address on it begins with. */
static int
parse_url(struct feed *f, struct cell url, size_t host_end)
{
	char next = host_end < url.text.len ? url.text.p[host_end] : '#';

	if (next != '#')
		return feed_parse(f, RULE_URL, url);
	buf_reset(&f->text);
	buf_add_slice(&f->text, slice_head(url.text, host_end));
	if (buf_add_char(&f->text, '/') == -1) {
		feed_bad(f, url.col, "too long");
		return -1;
	}
	return feed_parse(f, RULE_URL, (struct cell){ buf_slice(&f->text), url.col });
}

/* The host's name is a scheme's and a port follows: rule_match_parse() would take "ws:80" for the address 80. */
static bool
is_like_scheme(struct slice authority)
{
	static const char *const schemes[] = { "http", "https", "ftp", "ws", "wss" };
	struct slice word;

	return slice_cut(authority, ':', &word, NULL) && feed_is_one_of(word, schemes, COUNT(schemes));
}

/* The AUTHORITY of a URL that begins in column COL is one: -1 and it was counted, when not.  What rules(5) would read as a
 * pattern, a URL does not have. */
static int
check_authority(struct feed *f, struct slice authority, unsigned col)
{
	if (slice_find(authority, '*') < authority.len)
		feed_skip(f);
	else if (authority.len == 0)
		feed_bad(f, col, "no host");
	else if (authority.p[0] == '.')
		feed_bad(f, col, "the host begins with a dot");
	else if (is_like_scheme(authority))
		feed_bad(f, col, "a scheme where the host should be");
	else
		return 0;
	return -1;
}

/* A URL without a scheme begins with a host: "mailto:a@b" and "magnet:" are none. */
static int
check_bare(struct feed *f, struct slice authority, unsigned col)
{
	if (slice_find(authority, '@') < authority.len || slice_ends(authority, SLICE(":"))) {
		feed_bad(f, col, "no URL of a web server");
		return -1;
	}
	return check_authority(f, authority, col);
}

int
feed_url(struct feed *f, struct cell url, struct slice name)
{
	size_t scheme = scheme_len(url.text), end = scheme + authority_len(slice_skip(url.text, scheme));
	struct slice authority = slice_skip(slice_head(url.text, end), scheme);
	unsigned col = url.col + (unsigned)scheme;

	if (scheme > 0 && slice_istarts(url.text, SLICE("hxx")))
		return feed_bad(f, url.col, "the URL is defanged");
	if (scheme > 0 && !feed_is_one_of(slice_head(url.text, scheme - 3), proxied, COUNT(proxied)))
		return feed_skip(f);
	if ((scheme > 0 ? check_authority(f, authority, col) : check_bare(f, authority, col)) == -1 ||
	    parse_url(f, url, end) == -1)
		return 0;
	return feed_emit(f, RULE_URL, url.col, name);
}

int
feed_read_urls(struct feed *f, struct slice line)
{
	line = feed_strip(line);
	return line.len == 0 ? 0 : feed_url(f, feed_cell(f, line), SLICE(""));
}

/* Make f->match the same with "www." or without; false when there is no such host. */
static bool
toggle_www(struct rule_match *m)
{
	const size_t len = sizeof("www.") - 1;
	struct slice host = slice_make(m->host, m->host_len), rest = slice_skip(host, len);
	char canonical[HOST_MAX + 1];
	enum host_kind kind;
	size_t n;

	if (m->host_kind != HOST_NAME)
		return false;
	if (!slice_starts(host, SLICE("www."))) {
		if (host.len + len > HOST_MAX)
			return false;
		memmove(m->host + len, m->host, host.len + 1);
		memcpy(m->host, "www.", len);
		m->host_len += len;
		return true;
	}
	/* "www.192.0.2.1" is a name, "192.0.2.1" is not; and "www.example" is no other way to say "example". */
	if (slice_find(rest, '.') == rest.len || host_canonical(rest, canonical, &n, &kind) != URL_OK || kind != HOST_NAME ||
	    !slice_eq(slice_make(canonical, n), rest))
		return false;
	memmove(m->host, m->host + len, rest.len + 1);
	m->host_len -= len;
	return true;
}

/* Give the visitor f->match with its host both ways. */
static int
emit_both(struct feed *f, unsigned col)
{
	int r = feed_give(f, &f->match, RULE_URL, (struct cell){ SLICE(""), col }, SLICE(""));

	if (r == 0 && toggle_www(&f->match))
		return feed_emit(f, RULE_URL, col, SLICE(""));
	rule_match_fini(&f->match);
	return r;
}

int
feed_read_guard_urls(struct feed *f, struct slice line)
{
	struct slice value = guard_value(f, line);
	size_t end = authority_len(value);
	unsigned col = feed_col(f, value.p);

	if (value.len == 0)
		return 0;
	if (scheme_len(value) > 0)
		return feed_bad(f, col, "squidGuard's URLs have no scheme");
	if (check_bare(f, slice_head(value, end), col) == -1 || parse_url(f, (struct cell){ value, col }, end) == -1)
		return 0;
	return emit_both(f, col);
}
