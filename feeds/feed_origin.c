#include "feeds/feed_origin.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

enum { NOT_ITS_OWN = S_IRWXG | S_IRWXO };

static const struct option options[] = {
#define OPTION(...) OPTION_ROW(struct feed_origin, __VA_ARGS__)
#include "feeds/feed_origin.def"
#undef OPTION
};
static const size_t n_options = sizeof(options) / sizeof(*options);

int
feed_origin_init(struct feed_origin *o)
{
	return option_defaults(options, n_options, o);
}

void
feed_origin_fini(struct feed_origin *o)
{
	option_fini(options, n_options, o);
}

/* ---- values ---- */

/* Only blanks, controls and what is not ASCII can never stand in a URL; the rest curl knows better. */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)(s.p[i] - '!') > '~' - '!')
			return false;
	return s.len > 0;
}

/* What stands between "//" and the path. */
static struct slice
authority_of(struct slice url)
{
	size_t at = slice_search(url, SLICE("://")), end = 0;
	struct slice rest = slice_skip(url, at + strlen("://"));

	while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?' && rest.p[end] != '#')
		end++;
	return slice_head(rest, end);
}

static const char *
url_trouble(struct slice url)
{
	bool is_file = slice_istarts(url, SLICE("file:///"));

	if (!is_printable(url))
		return "a URL has printable ASCII alone";
	if (!is_file && !slice_istarts(url, SLICE("https://")) && !slice_istarts(url, SLICE("http://")))
		return "expected a URL that begins with https://, http:// or file:///";
	if (!is_file && authority_of(url).len == 0)
		return "the URL has no host";
	if (slice_find(authority_of(url), '@') < authority_of(url).len)
		return "the URL has a user in it, which everybody would be shown: use header=";
	return NULL;
}

static const char *
proxy_trouble(struct slice proxy)
{
	static const char what[] = "expected env, or the URL of a proxy that begins with http:// or https://";

	if (slice_eq(proxy, SLICE("env")))
		return NULL;
	if (!is_printable(proxy) || (!slice_istarts(proxy, SLICE("https://")) && !slice_istarts(proxy, SLICE("http://"))))
		return what;
	return slice_find(authority_of(proxy), '@') < authority_of(proxy).len ? "the URL of the proxy has a user in it, which everybody "
	    "would be shown" : NULL;
}

static const char *
redirects_trouble(struct slice hosts)
{
	struct slice host;

	while (hosts.len > 0) {
		slice_cut(hosts, ',', &host, &hosts);
		if (!is_printable(host) || slice_find(host, '/') < host.len || slice_find(host, ':') < host.len)
			return "redirects= takes hosts, with commas between them";
	}
	return NULL;
}

static int
read_keys(struct slice text, struct minisign_public keys[static FEED_KEYS], size_t *n)
{
	struct slice key;

	*n = 0;
	while (text.len > 0) {
		slice_cut(text, ',', &key, &text);
		if (*n == FEED_KEYS || minisign_public_parse(key, &keys[(*n)++]) == -1)
			return -1;
	}
	return 0;
}

static const char *
key_trouble(struct slice text)
{
	struct minisign_public keys[FEED_KEYS];
	size_t n;

	return read_keys(text, keys, &n) == 0 ? NULL : "expected one public key of minisign, or two with a comma between them";
}

static const char *
path_trouble(struct slice path)
{
	return slice_starts(path, SLICE("/")) ? NULL : "expected the absolute path of a file";
}

const struct option *
feed_origin_find(struct slice key)
{
	return option_find(options, n_options, key);
}

int
feed_origin_set(struct feed_origin *o, const struct option *row, struct slice value, char why[static OPTION_WHY])
{
	static const struct { const char *name; const char *(*trouble)(struct slice value); } checks[] = {
		{ "origin", url_trouble }, { "proxy", proxy_trouble }, { "redirects", redirects_trouble }, { "key", key_trouble },
		{ "header", path_trouble }, { "ca", path_trouble },
	};
	const char *wrong = NULL;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (strcmp(row->name, checks[i].name) == 0)
			wrong = checks[i].trouble(value);
	if (wrong == NULL)
		return option_set(row, o, value, why);
	snprintf(why, OPTION_WHY, "%s", wrong);
	return -1;
}

/* A secret that goes to this machine alone is heard by nobody. */
static bool
is_loopback(struct slice url)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
	struct slice host = authority_of(url);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct slice name = slice_str(names[i]);

		if (slice_istarts(host, name) && (host.len == name.len || host.p[name.len] == ':'))
			return true;
	}
	return false;
}

const char *
feed_origin_trouble(const struct feed_origin *o, int64_t life)
{
	struct slice url = slice_str(o->origin);

	if (url.len == 0)
		return *o->key != '\0' || *o->header != '\0' || *o->redirects != '\0' || *o->proxy != '\0' || *o->ca != '\0' ?
		    "key=, header=, redirects=, ca= and proxy= go with origin=" : NULL;
	if (*o->header != '\0' && !slice_istarts(url, SLICE("https://")) && !is_loopback(url))
		return "header= is a secret, and goes with https: alone";
	if (*o->header != '\0' && *o->proxy != '\0' && !slice_istarts(url, SLICE("https://")))
		return "header= is a secret, which a proxy would be told without https:";
	if (life != 0 && life < 2 * o->every)
		return "expires= must be at least twice every=, or the rules end before the next run";
	return NULL;
}

size_t
feed_origin_keys(const struct feed_origin *o, struct minisign_public keys[static FEED_KEYS])
{
	size_t n;

	return read_keys(slice_str(o->key), keys, &n) == 0 ? n : 0;
}

bool
feed_origin_redirects_to(const struct feed_origin *o, struct slice host)
{
	struct slice rest = slice_str(o->redirects), one;

	while (rest.len > 0) {
		slice_cut(rest, ',', &one, &rest);
		if (slice_ieq(one, host))
			return true;
	}
	return false;
}

struct slice
feed_origin_shown(const char *url)
{
	struct slice s = slice_str(url);

	return slice_head(s, slice_find(s, '?'));
}

/* ---- the header file ---- */

/* "Name: value", RFC 9110 5.1 and 5.5: a value that has a control would begin another field. */
static bool
is_field(struct slice line)
{
	static const char token[] = "!#$%&'*+-.^_`|~";
	size_t colon = slice_find(line, ':');

	if (colon == 0 || colon == line.len)
		return false;
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if (i < colon ? !(ascii_is_alpha(line.p[i]) || ascii_is_digit(line.p[i]) || strchr(token, line.p[i]) != NULL) :
		    (c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Cut TEXT into its lines: how many; -1 when one is no field. */
static int
cut_lines(struct buf *text, const char *lines[static FEED_HEADER_LINES])
{
	int n = 0;

	for (size_t at = 0; at < text->len;) {
		size_t len = slice_find(slice_skip(buf_slice(text), at), '\n');
		struct slice line = slice_trim(slice_make(text->p + at, len));

		if (line.len > 0 && line.p[0] != '#') {
			if (n == FEED_HEADER_LINES || !is_field(line))
				return -1;
			lines[n++] = line.p;
			text->p[(size_t)(line.p - text->p) + line.len] = '\0';
		}
		at += len + 1;
	}
	return n;
}

static int
read_private(int fd, struct buf *text, char why[static OPTION_WHY])
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return snprintf(why, OPTION_WHY, "is no regular file"), -1;
	if (st.st_mode & NOT_ITS_OWN)
		return snprintf(why, OPTION_WHY, "others may read it: chmod 600"), -1;
	if (file_read_fd(fd, text) == -1)
		return snprintf(why, OPTION_WHY, "%s", errno == EFBIG ? "is too long" : strerror(errno)), -1;
	return 0;
}

int
feed_origin_headers(const char *path, struct buf *text, const char *lines[static FEED_HEADER_LINES],
    char why[static OPTION_WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), n = -1;

	if (fd == -1) {
		snprintf(why, OPTION_WHY, "%s", strerror(errno));
		return -1;
	}
	if (read_private(fd, text, why) == 0 && (n = cut_lines(text, lines)) == -1)
		snprintf(why, OPTION_WHY, "expected up to %d lines \"Name: value\"", FEED_HEADER_LINES);
	close(fd);
	return n;
}
