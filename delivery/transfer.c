#include "delivery/transfer.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/slice.h"
#include "config.h"

enum { REDIRECTS = 5, CONNECT_MS = 10000, READ_STEP = 64 * 1024, STATUS_OK = 200, STATUS_REDIRECT = 300, STATUS_NOT_MODIFIED = 304,
	STATUS_ERROR = 400, MS = 1000, STALLED_RATE = 100, STALLED_S = 30 };

struct transfer {
	struct transfer_options	 options;
	CURL			*curl;
	char			 why[CURL_ERROR_SIZE];
};

/* One file on its way. */
struct way {
	struct transfer		*t;	/* NULL for a file of this machine */
	struct transfer_answer	*out;
	uint64_t		 max, n;
	transfer_sink		*sink;
	void			*arg;
	bool			 unwanted;	/* the body of a status that nobody reads */
};

/* ---- URLs ---- */

/* A part of URL; NULL when it has none. */
static char *
part_of(const char *url, CURLUPart part, unsigned flags)
{
	CURLU *u = curl_url();
	char *text = NULL, *copy = NULL;

	if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(u, part, &text, flags) == CURLUE_OK)
		copy = strdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return copy;
}

static bool
has_part(const char *url, CURLUPart part)
{
	char *text = part_of(url, part, 0);
	bool there = text != NULL;

	free(text);
	return there;
}

const char *
transfer_url_trouble(const char *url)
{
	char *scheme = transfer_scheme_of(url);
	bool known = scheme != NULL &&
	    (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0 || strcmp(scheme, "file") == 0);
	const char *why = scheme == NULL ? "is no URL" : !known ? "is no https:, http: or file: URL" : NULL;

	free(scheme);
	if (why == NULL && (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD)))
		why = "has a user in it, which everybody would be shown";
	return why;
}

const char *
transfer_asked_trouble(const char *url)
{
	_Static_assert(TRANSFER_URL_ASKED == 2048, "the message below says so");
	return strlen(url) > TRANSFER_URL_ASKED ? "is longer than 2048 bytes" : transfer_url_trouble(url);
}

char *
transfer_path_of(const char *url)
{
	return part_of(url, CURLUPART_PATH, CURLU_URLDECODE);
}

char *
transfer_host_of(const char *url)
{
	return part_of(url, CURLUPART_HOST, 0);
}

char *
transfer_scheme_of(const char *url)
{
	return part_of(url, CURLUPART_SCHEME, 0);
}

bool
transfer_same_origin(const char *a, const char *b)
{
	static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
	bool same = true;

	for (size_t i = 0; same && i < sizeof(parts) / sizeof(*parts); i++) {
		char *x = part_of(a, parts[i], CURLU_DEFAULT_PORT), *y = part_of(b, parts[i], CURLU_DEFAULT_PORT);

		same = x != NULL && y != NULL && slice_ieq(slice_str(x), slice_str(y));
		free(x);
		free(y);
	}
	return same;
}

/* ---- one request ---- */

static long
status_of(const struct way *w)
{
	long status = 0;

	curl_easy_getinfo(w->t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t
take_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct way *w = arg;
	long status = w->t == NULL ? STATUS_OK : status_of(w);

	n *= size;
	w->out->bytes += n;
	if (n > w->max - w->n) {
		w->out->too_long = true;
		return n + 1;		/* any other number ends it */
	}
	w->n += n;
	if (status == STATUS_OK) {
		w->out->refused = w->sink(w->arg, p, n) != 0;
		return w->out->refused ? n + 1 : n;
	}
	/* The text beside a redirect is nobody's file, but where it goes is known at its end. */
	w->unwanted = status < STATUS_REDIRECT || status >= STATUS_ERROR;
	return w->unwanted ? n + 1 : n;
}

static int
set_options(const struct transfer *t)
{
	const struct transfer_options *o = &t->options;
	CURL *c = t->curl;
	bool good = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_USERAGENT, "firebreak/" PACKAGE_VERSION) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALLED_RATE) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->why) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK;

	if (good && (o->proxy != NULL || !o->env_proxy))
		good = curl_easy_setopt(c, CURLOPT_PROXY, o->proxy != NULL ? o->proxy : "") == CURLE_OK;
	if (good && o->ca != NULL)
		good = curl_easy_setopt(c, CURLOPT_CAINFO, o->ca) == CURLE_OK && curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return good ? 0 : -1;
}

static int
add_fields(struct curl_slist **list, const char *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct curl_slist *more = curl_slist_append(*list, fields[i]);

		if (more == NULL)
			return -1;
		*list = more;
	}
	return 0;
}

/* Perform one request of URL with LIST, which may take MS milliseconds. */
static CURLcode
perform(struct way *w, const char *url, struct curl_slist *list, int64_t ms)
{
	CURL *c = w->t->curl;

	w->t->why[0] = '\0';
	w->n = 0;
	if (curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK || curl_easy_setopt(c, CURLOPT_WRITEDATA, w) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)w->max) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(ms < CONNECT_MS ? ms : CONNECT_MS)) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)ms) != CURLE_OK)
		return CURLE_OUT_OF_MEMORY;
	return curl_easy_perform(c);
}

static void
read_field(CURL *c, const char *name, char out[static TRANSFER_FIELD])
{
	struct curl_header *h;

	out[0] = '\0';
	if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && strlen(h->value) < TRANSFER_FIELD)
		memcpy(out, h->value, strlen(h->value) + 1);
}

static void
read_head(struct way *w)
{
	struct transfer_answer *out = w->out;
	curl_off_t retry = 0;

	out->status = status_of(w);
	read_field(w->t->curl, "ETag", out->etag);
	read_field(w->t->curl, "Last-Modified", out->modified);
	read_field(w->t->curl, "Content-Encoding", out->encoding);
	curl_easy_getinfo(w->t->curl, CURLINFO_RETRY_AFTER, &retry);
	out->retry_after_s = retry > 0 ? retry : 0;
}

static int
say(struct transfer_answer *out, const char *why)
{
	snprintf(out->why, sizeof(out->why), "%s", why);
	return -1;
}

static int
say_too_long(const struct way *w)
{
	snprintf(w->out->why, sizeof(w->out->why), "is longer than the %" PRIu64 " bytes that it may have", w->max);
	return -1;
}

static int
say_failed(const struct way *w, CURLcode code)
{
	if (w->out->too_long || code == CURLE_FILESIZE_EXCEEDED) {
		w->out->too_long = true;
		return say_too_long(w);
	}
	return say(w->out, w->t->why[0] != '\0' ? w->t->why : curl_easy_strerror(code));
}

/* Where the last answer sends us, copied over URL.  0 when nowhere, 1 when there; -1. */
static int
follow(struct way *w, const struct transfer_request *rq, char url[static TRANSFER_URL])
{
	const char *to = NULL, *why;

	curl_easy_getinfo(w->t->curl, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL || w->out->status == STATUS_NOT_MODIFIED)
		return 0;
	if (strlen(to) >= TRANSFER_URL)
		return say(w->out, "the origin sends us to a URL that is too long");
	if ((why = rq->refuse(rq->refuse_arg, url, to)) != NULL)
		return say(w->out, why);
	memcpy(url, to, strlen(to) + 1);
	return 1;
}

/* Ask for URL, and go where it sends us. */
static int
get(struct way *w, const struct transfer_request *rq, char url[static TRANSFER_URL])
{
	int64_t end = clock_boot_ms() + rq->timeout_s * MS, left;
	struct curl_slist *list = NULL;
	CURLcode code;
	int r = 1;

	for (int i = 0; i <= REDIRECTS && r == 1; i++) {
		bool own = transfer_same_origin(rq->url, url);

		if ((left = end - clock_boot_ms()) <= 0)
			return say(w->out, "took too long");
		if (add_fields(&list, rq->fields, rq->n_fields) == -1 || (own && add_fields(&list, rq->secrets, rq->n_secrets) == -1))
			code = CURLE_OUT_OF_MEMORY;
		else
			code = perform(w, url, list, left);
		curl_easy_setopt(w->t->curl, CURLOPT_HTTPHEADER, NULL);
		curl_slist_free_all(list);
		list = NULL;
		read_head(w);
		if (code != CURLE_OK && !w->unwanted)
			return say_failed(w, code);
		r = w->unwanted ? 0 : follow(w, rq, url);
	}
	return r == 1 ? say(w->out, "the origin sends us on and on") : r;
}

int
transfer_get(struct transfer *t, const struct transfer_request *rq, struct transfer_answer *out)
{
	struct way w = { .t = t, .out = out, .max = rq->max, .sink = rq->sink, .arg = rq->arg };
	char url[TRANSFER_URL];

	*out = (struct transfer_answer){ .status = 0 };
	if (strlen(rq->url) >= sizeof(url))
		return say(out, "is no URL");
	memcpy(url, rq->url, strlen(rq->url) + 1);
	return get(&w, rq, url);
}

/* ---- files of this machine ---- */

static int
read_file(struct way *w, int fd)
{
	char bytes[READ_STEP];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return say(w->out, strerror(errno));
		if (take_bytes(bytes, 1, (size_t)n, w) != (size_t)n)
			return w->out->too_long ? say_too_long(w) : say(w->out, "was not taken");
	}
	return 0;
}

/* What is no regular file may keep us forever. */
int
transfer_file(const char *path, uint64_t max, transfer_sink *sink, void *arg, struct transfer_answer *out)
{
	struct way w = { .out = out, .max = max, .sink = sink, .arg = arg };
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;

	*out = (struct transfer_answer){ .status = STATUS_OK };
	if (fd == -1)
		return say(out, strerror(errno));
	r = fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ? say(out, "is no regular file") : read_file(&w, fd);
	close(fd);
	return r;
}

/* ---- for all ---- */

struct transfer *
transfer_open(const struct transfer_options *options)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(t);
		return NULL;
	}
	t->options = *options;
	if ((t->curl = curl_easy_init()) != NULL && set_options(t) == 0)
		return t;
	transfer_close(t);
	return NULL;
}

void
transfer_close(struct transfer *t)
{
	if (t == NULL)
		return;
	curl_easy_cleanup(t->curl);
	free(t);
	curl_global_cleanup();
}
