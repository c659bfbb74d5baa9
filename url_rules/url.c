#include "url_rules/url.h"

#include <stdlib.h>

#include "url_rules/byte_class.h"
#include "url_rules/percent.h"

enum { PORT_MAX = 65535 };

/* A URL taken apart, before anything is made canonical.  Slices of the input. */
struct parts {
	struct slice	scheme, host, port, path, query;
};

static const struct { struct slice name; uint16_t port; } schemes[] = {
	{ { "http", 4 }, 80 }, { { "https", 5 }, 443 }, { { "ftp", 3 }, 21 },
	{ { "ws", 2 }, 80 }, { { "wss", 3 }, 443 },
};

/* Index of the special scheme NAME; -1 when it is another. */
static int
special_scheme(struct slice name)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (slice_ieq(name, schemes[i].name))
			return (int)i;
	return -1;
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* ---- taking apart ---- */

/* What ends the host: in a link, as browsers read it, and in a request of Squid, to which a backslash is a byte of the name
 * that it looks up ("good.example\\.evil.example" is under evil.example). */
enum host_ends { LINK_ENDS = BYTE_ENDS_LINK, REQUEST_ENDS = BYTE_ENDS_REQUEST };

/* RFC 3986 3.1, and only where what follows cannot be a port: "//", or a scheme that browsers know. */
static bool
cut_scheme(struct slice *s, struct slice *scheme)
{
	size_t n = 0;
	struct slice rest;

	while (n < s->len && (ascii_is_alpha(s->p[n]) || (n > 0 && (ascii_is_digit(s->p[n]) ||
	    s->p[n] == '+' || s->p[n] == '-' || s->p[n] == '.'))))
		n++;
	if (n == 0 || n == s->len || s->p[n] != ':')
		return false;
	rest = slice_skip(*s, n + 1);
	if (special_scheme(slice_head(*s, n)) == -1 &&
	    !(rest.len >= 2 && is_slash(rest.p[0]) && is_slash(rest.p[1])))
		return false;
	*scheme = slice_head(*s, n);
	*s = rest;
	return true;
}

/* Drop user and password: what stands left of the last '@'. */
static struct slice
without_userinfo(struct slice authority)
{
	const char *at = authority.len == 0 ? NULL : memrchr(authority.p, '@', authority.len);

	return at == NULL ? authority : slice_skip(authority, (size_t)(at - authority.p) + 1);
}

/* "host", "host:port", "[v6]:port"; the address that Squid writes without brackets has no port. */
static void
split_port(struct slice authority, struct parts *out)
{
	size_t end = authority.len, colon;

	out->host = authority;
	out->port = (struct slice){ 0 };
	if (authority.len > 0 && authority.p[0] == '[')
		end = slice_find(authority, ']') + 1;
	else if ((colon = slice_find(authority, ':')) < authority.len &&
	    slice_find(slice_skip(authority, colon + 1), ':') == authority.len - colon - 1)
		end = colon;
	if (end >= authority.len || authority.p[end] != ':')
		return;
	out->host = slice_head(authority, end);
	out->port = slice_skip(authority, end + 1);
}

static void
split_path(struct slice target, struct parts *out)
{
	slice_cut(target, '#', &target, NULL);
	out->path = slice_head(target, slice_find(target, '?'));
	out->query = slice_skip(target, out->path.len);
}

static void
split_url(struct slice s, enum host_ends host_ends, struct parts *out)
{
	size_t slashes = 0, end;
	bool has_scheme = cut_scheme(&s, &out->scheme);

	while (slashes < s.len && is_slash(s.p[slashes]))
		slashes++;
	if (has_scheme || slashes >= 2)
		s = slice_skip(s, slashes);
	end = find_byte(s, host_ends);
	split_port(without_userinfo(slice_head(s, end)), out);
	split_path(slice_skip(s, end), out);
}

static enum url_error
parse_port(const struct parts *parts, uint16_t *port)
{
	int special = special_scheme(parts->scheme);
	uint64_t n;

	*port = special == -1 ? 0 : schemes[special].port;
	if (parts->port.len == 0)
		return URL_OK;
	if (slice_u64(parts->port, &n) == -1 || n > PORT_MAX)
		return URL_BAD_PORT;
	*port = (uint16_t)n;
	return URL_OK;
}

/* ---- writing ---- */

enum { ESCAPE = 3, ROOM_USUAL = 768 };		/* bytes: of "%HH"; that malloc() has at hand */

/* Room that S may need once decoded and escaped anew: a decoded escape is never longer than it was. */
static size_t
room_for(struct slice s)
{
	size_t n = s.len;

	for (size_t i = 0; i < s.len; i++)
		n += byte_is(s.p[i], BYTE_ESCAPED) ? ESCAPE - 1 : 0;
	return n;
}

/* Decode S into TO; its length. */
static size_t
decode(char *to, struct slice s)
{
	if (s.len > 0)
		memcpy(to, s.p, s.len);
	return percent_decode(to, s.len);
}

/* Resolve "." and ".." and empty segments of the LEN decoded bytes at P, in place; P begins with a slash, so that
 * what is written never runs ahead of what is read. */
static size_t
tidy_path(char *p, size_t len)
{
	size_t n = 0, i = 0;

	while (i < len) {
		size_t start, size;

		while (i < len && is_slash(p[i]))
			i++;
		for (start = i; i < len && !is_slash(p[i]); i++)
			;
		size = i - start;
		if (size == 0 || (size == 1 && p[start] == '.'))
			continue;
		if (size == 2 && p[start] == '.' && p[start + 1] == '.') {
			while (n > 0 && p[--n] != '/')
				;
			continue;
		}
		p[n++] = '/';
		memmove(p + n, p + start, size);
		n += size;
	}
	return n;
}

/* The decoded path ends in a folder: a slash, or a segment of dots. */
static bool
ends_in_folder(const char *p, size_t len)
{
	size_t start = len;

	while (start > 0 && !is_slash(p[start - 1]))
		start--;
	return len == start || (len - start == 1 && p[start] == '.') ||
	    (len - start == 2 && p[start] == '.' && p[start + 1] == '.');
}

/* Where the text of a URL is put together; there is room for all of it. */
struct writer {
	char	*p;
	size_t	 len;
};

static struct slice
write_bytes(struct writer *w, struct slice s)
{
	char *at = w->p + w->len;

	if (s.len > 0)
		memcpy(at, s.p, s.len);
	w->len += s.len;
	return slice_make(at, s.len);
}

/* Write the N decoded bytes at P, which do not overlap W, with escapes in upper case.  A decoded '?' in a path stays escaped, since
 * it would begin a query. */
static void
write_escaped(struct writer *w, const char *p, size_t n, bool query)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (!byte_is(p[i], BYTE_ESCAPED) || (query && c == '?')) {
			w->p[w->len++] = (char)c;
			continue;
		}
		w->p[w->len++] = '%';
		w->p[w->len++] = hex[c >> 4];
		w->p[w->len++] = hex[c & 15];
	}
}

/* RAW is canonical as it stands, as most paths are: nothing to decode or escape, no empty segment, none of dots. */
static bool
is_tidy(struct slice raw)
{
	if (raw.len == 0 || raw.p[0] != '/')
		return false;
	for (size_t i = 0; i < raw.len; i++) {
		if (!byte_is(raw.p[i], BYTE_ESCAPED | BYTE_SLASH))
			continue;
		if (raw.p[i] != '/' || (i + 1 < raw.len && (raw.p[i + 1] == '/' || raw.p[i + 1] == '.')))
			return false;
	}
	return true;
}

static struct slice
write_path(struct writer *w, struct slice raw, char *scratch)
{
	size_t start = w->len, n;
	bool folder;

	if (is_tidy(raw))
		return write_bytes(w, raw);
	n = 1 + decode(scratch + 1, raw);
	scratch[0] = '/';
	folder = ends_in_folder(scratch, n);
	n = tidy_path(scratch, n);
	write_escaped(w, scratch, n, false);
	if (folder || n == 0)
		w->p[w->len++] = '/';
	return slice_make(w->p + start, w->len - start);
}

static struct slice
write_query(struct writer *w, struct slice raw, char *scratch)
{
	size_t start = w->len;

	if (find_byte(slice_skip(raw, 1), BYTE_ESCAPED) == raw.len - (raw.len > 0))
		return write_bytes(w, raw);
	write_escaped(w, scratch, decode(scratch, raw), true);
	return slice_make(w->p + start, w->len - start);
}

/* Room for the text, and behind it for decoding path or query. */
static char *
make_room(const struct parts *parts, size_t host_len, size_t *text_room)
{
	size_t scratch = 1 + (parts->path.len > parts->query.len ? parts->path.len : parts->query.len);
	size_t before = parts->scheme.len + 3 + host_len;

	/* Of a usual one it need not be counted which bytes will be escaped. */
	*text_room = before + ESCAPE * parts->path.len + 1 + ESCAPE * parts->query.len;
	if (*text_room > ROOM_USUAL)
		*text_room = before + room_for(parts->path) + 1 + room_for(parts->query);
	return malloc(*text_room + scratch);
}

static enum url_error
build(struct url *u, const struct parts *parts)
{
	char host[HOST_MAX + 1], *scratch;
	struct writer w = { 0 };
	size_t host_len, text_room;
	enum url_error e;

	*u = (struct url){ .store = NULL };
	if ((e = parse_port(parts, &u->port)) != URL_OK ||
	    (e = host_canonical(parts->host, host, &host_len, &u->kind)) != URL_OK)
		return e;
	if ((w.p = u->store = make_room(parts, host_len, &text_room)) == NULL)
		return URL_NO_MEMORY;
	scratch = w.p + text_room;
	u->scheme = write_bytes(&w, parts->scheme);
	for (size_t i = 0; i < u->scheme.len; i++)
		w.p[i] = ascii_lower(w.p[i]);
	write_bytes(&w, SLICE("://"));
	u->host = write_bytes(&w, slice_make(host, host_len));
	u->path = write_path(&w, parts->path, scratch);
	u->query = write_query(&w, parts->query, scratch);
	u->path_query = slice_make(u->path.p, u->path.len + u->query.len);
	u->text = slice_make(w.p, w.len);
	return URL_OK;
}

/* ---- the ways in ---- */

/* S has a byte that vanishes (BYTE_VANISHES): asked of whole URLs, nearly none of which has one. */
static bool
vanishes_in(struct slice s)
{
	return slice_find(s, '\t') < s.len || slice_find(s, '\r') < s.len || slice_find(s, '\n') < s.len;
}

/* RAW without C0 and blanks at its ends; tabs, CR and LF inside vanish, as browsers have it.  Points into RAW, or into *COPY
 * (to be freed) when something had to go. */
static enum url_error
strip(struct slice raw, struct slice *out, char **copy)
{
	size_t n = 0;

	*copy = NULL;
	while (raw.len > 0 && (unsigned char)raw.p[0] <= ' ')
		raw = slice_skip(raw, 1);
	while (raw.len > 0 && (unsigned char)raw.p[raw.len - 1] <= ' ')
		raw.len--;
	if (raw.len > URL_RAW_MAX)
		return URL_TOO_LONG;
	*out = raw;
	if (!vanishes_in(raw))
		return URL_OK;
	if ((*copy = malloc(raw.len)) == NULL)
		return URL_NO_MEMORY;
	for (size_t i = 0; i < raw.len; i++)
		if (!byte_is(raw.p[i], BYTE_VANISHES))
			(*copy)[n++] = raw.p[i];
	*out = slice_make(*copy, n);
	return URL_OK;
}

static enum url_error
parse_absolute(struct url *u, struct slice raw, enum host_ends host_ends)
{
	struct parts parts = { .scheme = SLICE("http") };
	struct slice s;
	enum url_error e;
	char *copy;

	u->store = NULL;
	if ((e = strip(raw, &s, &copy)) != URL_OK)
		return e;
	split_url(s, host_ends, &parts);
	e = build(u, &parts);
	free(copy);
	return e;
}

enum url_error
url_parse(struct url *u, struct slice raw)
{
	return parse_absolute(u, raw, LINK_ENDS);
}

enum url_error
url_parse_request(struct url *u, struct slice target)
{
	return parse_absolute(u, target, REQUEST_ENDS);
}

enum url_error
url_parse_authority(struct url *u, struct slice raw)
{
	struct parts parts = { .scheme = SLICE("https") };
	struct slice s;
	enum url_error e;
	char *copy;

	u->store = NULL;
	if ((e = strip(raw, &s, &copy)) != URL_OK)
		return e;
	split_port(without_userinfo(s), &parts);
	e = build(u, &parts);
	free(copy);
	return e;
}

enum url_error
url_parse_origin(struct url *u, struct slice scheme, struct slice host, struct slice target)
{
	struct parts parts = { .scheme = scheme };
	struct slice authority, path;
	enum url_error e;
	char *host_copy, *path_copy = NULL;

	u->store = NULL;
	if ((e = strip(host, &authority, &host_copy)) == URL_OK && (e = strip(target, &path, &path_copy)) == URL_OK) {
		split_port(without_userinfo(slice_head(authority, find_byte(authority, REQUEST_ENDS))), &parts);
		split_path(path, &parts);
		e = build(u, &parts);
	}
	free(host_copy);
	free(path_copy);
	return e;
}

void
url_fini(struct url *u)
{
	free(u->store);
	u->store = NULL;
}

const char *
url_strerror(enum url_error e)
{
	switch (e) {
	case URL_OK:
		return "no error";
	case URL_TOO_LONG:
		return "the URL is longer than 65,536 bytes";
	case URL_NO_HOST:
		return "the URL has no host";
	case URL_BAD_HOST:
		return "the URL's host is no name and no address";
	case URL_BAD_PORT:
		return "the URL's port is no number up to 65535";
	case URL_NO_MEMORY:
		return "no memory";
	}
	return "unknown error";
}

bool
path_prefix(struct slice *prefix)
{
	size_t n = prefix->len, query = slice_find(*prefix, '?');

	if (n <= 1)
		return false;
	if (query < n) {
		do
			n--;
		while (prefix->p[n] != '&' && prefix->p[n] != '?');
	} else if (prefix->p[n - 1] == '/') {
		n--;
	} else {
		while (n > 0 && prefix->p[n - 1] != '/')
			n--;
	}
	prefix->len = n;
	return n > 0;
}
