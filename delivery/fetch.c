#include "delivery/fetch.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "config.h"

enum { URL_MAX = 4096, REDIRECTS = 5, CONNECT_S = 10, READ_STEP = 64 * 1024, STATUS_OK = 200 };

struct fetch {
	struct fetch_options	 options;
	char			*base;		/* ends in a slash */
	char			*folder;	/* of file:; NULL */
	CURL			*curl;		/* NULL for file: */
	uint64_t		 bytes;
	char			 why[CURL_ERROR_SIZE];
};

/* One file on its way. */
struct transfer {
	struct fetch	*f;
	uint64_t	 max, n;
	fetch_sink	*sink;
	void		*arg;
	bool		 too_long, refused;
};

static bool
is_wanted(const struct transfer *t)
{
	long status = 0;

	return t->f->curl == NULL || (curl_easy_getinfo(t->f->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == STATUS_OK);
}

/* ---- the URL ---- */

/* A part of U that the caller frees by curl_free(); NULL when it has none. */
static char *
part_of(CURLU *u, CURLUPart part, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(u, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool
has_part(CURLU *u, CURLUPart part)
{
	char *text = part_of(u, part, 0);
	bool there = text != NULL;

	curl_free(text);
	return there;
}

static const char *
url_trouble(CURLU *u, const char *url)
{
	char *scheme;
	bool known;

	if (strlen(url) > URL_MAX / 2 || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
		return "is no URL";
	scheme = part_of(u, CURLUPART_SCHEME, 0);
	known = scheme != NULL && (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0 || strcmp(scheme, "file") == 0);
	curl_free(scheme);
	if (!known)
		return "is no https:, http: or file: URL";
	if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
		return "has a user in it, which everybody would be shown";
	return has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT) ? "has a query or a fragment: it must be a folder" : NULL;
}

/* The folder as text that ends in a slash, and as a path when it is of this machine. */
static int
read_url(struct fetch *f, CURLU *u)
{
	char *scheme = part_of(u, CURLUPART_SCHEME, 0), *whole = part_of(u, CURLUPART_URL, 0);
	int r = -1;

	if (scheme != NULL && whole != NULL &&
	    asprintf(&f->base, "%s%s", whole, slice_ends(slice_str(whole), SLICE("/")) ? "" : "/") != -1)
		r = 0;
	else
		f->base = NULL;
	if (r == 0 && strcmp(scheme, "file") == 0) {
		char *path = part_of(u, CURLUPART_PATH, CURLU_URLDECODE);

		f->folder = path == NULL ? NULL : strdup(path);
		curl_free(path);
		r = f->folder == NULL ? -1 : 0;
	}
	curl_free(scheme);
	curl_free(whole);
	return r;
}

/* ---- one transfer ---- */

static size_t
take_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	n *= size;
	t->f->bytes += n;
	if (n > t->max - t->n) {
		t->too_long = true;
		return n + 1;		/* any other number ends it */
	}
	t->n += n;
	/* The text beside a redirect is nobody's file. */
	if (!is_wanted(t))
		return n;
	t->refused = t->sink(t->arg, p, n) != 0;
	return t->refused ? n + 1 : n;
}

static int
say(const struct fetch *f, const char *name, struct diag *diag, const char *what)
{
	char url[URL_MAX];

	snprintf(url, sizeof(url), "%s%s", f->base, name);
	diag_add(diag, DIAG_ERROR, url, 0, 0, "%s", what);
	return -1;
}

static int
say_too_long(const struct transfer *t, const char *name, struct diag *diag)
{
	char what[128];

	snprintf(what, sizeof(what), "is longer than the %" PRIu64 " bytes that it may have", t->max);
	return say(t->f, name, diag, what);
}

static int
set_options(const struct fetch *f)
{
	const struct fetch_options *o = &f->options;
	CURL *c = f->curl;
	bool good = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "firebreak/" PACKAGE_VERSION) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)(o->timeout_s < CONNECT_S ? o->timeout_s : CONNECT_S)) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->why) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK;

	if (good && !o->env_proxy)
		good = curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
	if (good && o->ca != NULL)
		good = curl_easy_setopt(c, CURLOPT_CAINFO, o->ca) == CURLE_OK && curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return good ? 0 : -1;
}

/* Scheme, host and port of both are the same. */
static bool
is_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	CURLU *u = curl_url(), *v = curl_url();
	bool same = u != NULL && v != NULL && curl_url_set(u, CURLUPART_URL, a, 0) == CURLUE_OK &&
	    curl_url_set(v, CURLUPART_URL, b, 0) == CURLUE_OK;

	for (size_t i = 0; same && i < sizeof(parts) / sizeof(*parts); i++) {
		char *x = part_of(u, parts[i], CURLU_DEFAULT_PORT), *y = part_of(v, parts[i], CURLU_DEFAULT_PORT);

		same = x != NULL && y != NULL && slice_ieq(slice_str(x), slice_str(y));
		curl_free(x);
		curl_free(y);
	}
	curl_url_cleanup(u);
	curl_url_cleanup(v);
	return same;
}

/* Perform one request of URL.  The status; -1 when there is none, with T and the handle's text saying why. */
static long
request(struct transfer *t, const char *url, CURLcode *code)
{
	CURL *c = t->f->curl;
	long status = 0;

	t->f->why[0] = '\0';
	if (curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK || curl_easy_setopt(c, CURLOPT_WRITEDATA, t) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)(t->f->options.timeout_s + (int64_t)(t->max / FETCH_RATE))) != CURLE_OK)
		return *code = CURLE_OUT_OF_MEMORY, -1;
	*code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return *code == CURLE_OK ? status : -1;
}

static int
say_failed(const struct transfer *t, const char *name, CURLcode code, struct diag *diag)
{
	if (t->too_long || code == CURLE_FILESIZE_EXCEEDED)
		return say_too_long(t, name, diag);
	if (t->refused)
		return -1;
	return say(t->f, name, diag, t->f->why[0] != '\0' ? t->f->why : curl_easy_strerror(code));
}

static int
get_by_curl(struct transfer *t, const char *name, struct diag *diag)
{
	char url[URL_MAX], what[64];

	snprintf(url, sizeof(url), "%s%s", t->f->base, name);
	for (int i = 0; i <= REDIRECTS; i++) {
		CURLcode code;
		const char *to = NULL;
		long status;

		t->n = 0;
		if ((status = request(t, url, &code)) == -1)
			return say_failed(t, name, code, diag);
		if (status == STATUS_OK)
			return 0;
		curl_easy_getinfo(t->f->curl, CURLINFO_REDIRECT_URL, &to);
		if (to == NULL) {
			snprintf(what, sizeof(what), "the origin answered with status %ld", status);
			return say(t->f, name, diag, what);
		}
		if (strlen(to) >= sizeof(url) || !is_same_origin(url, to))
			return say(t->f, name, diag, "the origin sends us elsewhere; only its own scheme, host and port are followed");
		memcpy(url, to, strlen(to) + 1);
	}
	return say(t->f, name, diag, "the origin sends us on and on");
}

/* ---- files of this machine ---- */

static int
read_file(struct transfer *t, int fd, const char *name, struct diag *diag)
{
	char bytes[READ_STEP];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return say(t->f, name, diag, strerror(errno));
		if (take_bytes(bytes, 1, (size_t)n, t) != (size_t)n)
			return t->too_long ? say_too_long(t, name, diag) : -1;
	}
	return 0;
}

/* What is no regular file may keep us forever. */
static int
get_from_folder(struct transfer *t, const char *name, struct diag *diag)
{
	char path[URL_MAX];
	struct stat st;
	int fd, r;

	if (snprintf(path, sizeof(path), "%s/%s", t->f->folder, name) >= (int)sizeof(path))
		return say(t->f, name, diag, strerror(ENAMETOOLONG));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) == -1)
		return say(t->f, name, diag, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		r = say(t->f, name, diag, "is no regular file");
	else
		r = read_file(t, fd, name, diag);
	close(fd);
	return r;
}

/* ---- for all ---- */

int
fetch_get(struct fetch *f, const char *name, uint64_t max, fetch_sink *sink, void *arg, struct diag *diag)
{
	struct transfer t = { .f = f, .max = max, .sink = sink, .arg = arg };

	return f->folder != NULL ? get_from_folder(&t, name, diag) : get_by_curl(&t, name, diag);
}

uint64_t
fetch_bytes(const struct fetch *f)
{
	return f->bytes;
}

struct fetch *
fetch_open(const struct fetch_options *options, struct diag *diag)
{
	struct fetch *f = calloc(1, sizeof(*f));
	const char *why = NULL;
	CURLU *u = NULL;

	if (f == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(f);
		diag_error(diag, "out of memory");
		return NULL;
	}
	f->options = *options;
	if ((u = curl_url()) == NULL)
		why = strerror(ENOMEM);
	else if ((why = url_trouble(u, options->url)) == NULL && (read_url(f, u) == -1 ||
	    (f->folder == NULL && ((f->curl = curl_easy_init()) == NULL || set_options(f) == -1))))
		why = strerror(ENOMEM);
	curl_url_cleanup(u);
	if (why == NULL)
		return f;
	diag_add(diag, DIAG_ERROR, options->url, 0, 0, "%s", why);
	fetch_close(f);
	return NULL;
}

void
fetch_close(struct fetch *f)
{
	if (f == NULL)
		return;
	curl_easy_cleanup(f->curl);
	free(f->base);
	free(f->folder);
	free(f);
	curl_global_cleanup();
}
