#include "delivery/download.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"

enum { STATUS_OK = 200, STATUS_NOT_MODIFIED = 304, STATUS_TOO_MANY = 429, STATUS_UNAVAILABLE = 503, FIELDS_MAX = 3, MS = 1000 };

struct download {
	const struct feed_origin	*origin;
	struct transfer			*transfer;	/* NULL for file: */
	struct buf			 header;	/* the file of header= */
	const char			*secrets[FEED_HEADER_LINES];
	size_t				 n_secrets;
};

/* One file on its way. */
struct job {
	struct download			*d;
	const struct feed_origin	*origin;
	const struct download_request	*rq;
	char				 url[TRANSFER_URL];
	int				 fd;
	int				 error;		/* of writing; 0 */
	struct download_answer		*out;
};

static int
say(struct job *job, const char *why)
{
	snprintf(job->out->why, sizeof(job->out->why), "%s", why);
	return -1;
}

/* The seconds that the next step may take, rounded up; -1 when there are none. */
static int64_t
time_left(struct job *job)
{
	int64_t left = job->rq->end_ms - clock_boot_ms();

	if (job->rq->end_ms == 0)
		return job->origin->timeout;
	return left > 0 ? (left + MS - 1) / MS : say(job, "took too long");
}

/* ---- redirects ---- */

static bool
is_safe(const char *scheme)
{
	return strcmp(scheme, "https") == 0;
}

/* From https: to https:, from http: to either; to the same host, or one that is listed. */
static const char *
refuse_redirect(void *arg, const char *from, const char *to)
{
	struct job *job = arg;
	char *scheme = transfer_scheme_of(to), *host = transfer_host_of(to), *before = transfer_scheme_of(from),
	    *own = transfer_host_of(job->origin->origin);
	const char *why = NULL;

	if (transfer_url_trouble(to) != NULL || scheme == NULL || before == NULL || strcmp(scheme, "file") == 0)
		why = "the origin sends us to what is no https: or http: URL";
	else if (is_safe(before) && !is_safe(scheme))
		why = "the origin sends us from https: to http:";
	else if (host == NULL || own == NULL ||
	    (!slice_ieq(slice_str(host), slice_str(own)) && !feed_origin_redirects_to(job->origin, slice_str(host))))
		why = "the origin sends us to another host, which redirects= does not name";
	free(scheme);
	free(host);
	free(before);
	free(own);
	return why;
}

/* ---- the file ---- */

static int
write_bytes(void *arg, const void *bytes, size_t len)
{
	struct job *job = arg;

	if (file_write_all(job->fd, slice_make(bytes, len)) == 0)
		return 0;
	job->error = errno;
	return -1;
}

/* The one coding that was asked for, or none. */
static int
read_encoding(struct job *job, const char *encoding)
{
	char what[FEED_WHY];

	job->out->gzip = slice_ieq(slice_str(encoding), SLICE("gzip")) || slice_ieq(slice_str(encoding), SLICE("x-gzip"));
	if (*encoding == '\0' || slice_ieq(slice_str(encoding), SLICE("identity")) || (job->out->gzip && *job->origin->key == '\0'))
		return 0;
	snprintf(what, sizeof(what), "the origin sends it coded, as nobody asked for: Content-Encoding %s", encoding);
	feed_state_text(job->out->why, sizeof(job->out->why), slice_str(what));
	return -1;
}

static int
read_answer(struct job *job, const struct transfer_answer *a, bool asked)
{
	char what[64];

	job->out->hopeless = a->status == STATUS_TOO_MANY || a->status == STATUS_UNAVAILABLE;
	job->out->retry_after_s = job->out->hopeless ? a->retry_after_s : 0;
	if (a->status == STATUS_NOT_MODIFIED && asked) {
		job->out->not_modified = true;
		return 0;
	}
	if (a->status == STATUS_NOT_MODIFIED)
		return say(job, "the origin says that nothing has changed, and nothing is here");
	if (a->status != STATUS_OK) {
		snprintf(what, sizeof(what), "the origin answered with status %ld", a->status);
		return say(job, what);
	}
	feed_state_text(job->out->etag, sizeof(job->out->etag), slice_str(a->etag));
	feed_state_text(job->out->modified, sizeof(job->out->modified), slice_str(a->modified));
	return read_encoding(job, a->encoding);
}

static int
say_failed(struct job *job, const struct transfer_answer *a)
{
	job->out->too_long = a->too_long;
	job->out->hopeless = job->error != 0;
	if (job->error != 0)
		return say(job, strerror(job->error));
	feed_state_text(job->out->why, sizeof(job->out->why), slice_str(a->why));
	return -1;
}

/* Ask for the file by http: or https:. */
static int
get_file(struct job *job)
{
	const struct feed_state *have = job->rq->have;
	char match[FEED_VALIDATOR + 32], since[FEED_VALIDATOR + 32];
	const char *fields[FIELDS_MAX] = { *job->origin->key == '\0' ? "Accept-Encoding: gzip" : "Accept-Encoding: identity" };
	struct transfer_request rq = { .url = job->url, .max = job->rq->max, .timeout_s = time_left(job), .fields = fields, .n_fields = 1,
		.secrets = job->d->secrets, .n_secrets = job->d->n_secrets, .refuse = refuse_redirect, .refuse_arg = job,
		.sink = write_bytes, .arg = job };
	struct transfer_answer a;
	int r;

	if (rq.timeout_s == -1)
		return -1;
	if (have != NULL && have->etag[0] != '\0') {
		snprintf(match, sizeof(match), "If-None-Match: %s", have->etag);
		fields[rq.n_fields++] = match;
	}
	if (have != NULL && have->modified[0] != '\0') {
		snprintf(since, sizeof(since), "If-Modified-Since: %s", have->modified);
		fields[rq.n_fields++] = since;
	}
	r = transfer_get(job->d->transfer, &rq, &a);
	job->out->bytes = a.bytes;
	return r == -1 ? say_failed(job, &a) : read_answer(job, &a, rq.n_fields > 1);
}

/* Copy the file of this machine. */
static int
copy_file(struct job *job)
{
	char *path = transfer_path_of(job->url);
	struct transfer_answer a;
	int r;

	if (path == NULL)
		return say(job, "is no URL of a file");
	r = transfer_file(path, job->rq->max, write_bytes, job, &a);
	job->out->bytes = a.bytes;
	free(path);
	return r == 0 ? 0 : say_failed(job, &a);
}

/* ---- the signature ---- */

static int
add_bytes(void *arg, const void *bytes, size_t len)
{
	return buf_add(arg, bytes, len);
}

/* URL with ".minisig" behind its path. */
static int
signature_url(const char *url, char out[static TRANSFER_URL])
{
	size_t path = strcspn(url, "?");
	int n = snprintf(out, TRANSFER_URL, "%.*s.minisig%s", (int)path, url, url + path);

	return n < 0 || n >= TRANSFER_URL ? -1 : 0;
}

static int
get_signature(struct job *job, struct buf *out)
{
	char url[TRANSFER_URL], *path = NULL, what[FEED_WHY];
	struct transfer_answer a = { .status = 0 };
	struct transfer_request rq = { .url = url, .max = MINISIGN_MAX, .timeout_s = time_left(job), .secrets = job->d->secrets,
		.n_secrets = job->d->n_secrets, .refuse = refuse_redirect, .refuse_arg = job, .sink = add_bytes,
		.arg = out };
	int r;

	if (rq.timeout_s == -1)
		return -1;
	if (signature_url(job->url, url) == -1)
		return say(job, "its signature's URL is too long");
	if (job->d->transfer == NULL) {
		path = transfer_path_of(url);
		r = path == NULL ? -1 : transfer_file(path, rq.max, add_bytes, out, &a);
		free(path);
	} else
		r = transfer_get(job->d->transfer, &rq, &a);
	if (r == 0 && a.status == STATUS_OK)
		return 0;
	if (r == 0)
		snprintf(a.why, sizeof(a.why), "the origin answered with status %ld", a.status);
	snprintf(what, sizeof(what), "its signature (.minisig): %.300s", a.why);
	feed_state_text(job->out->why, sizeof(job->out->why), slice_str(what));
	return -1;
}

static int
verify_bytes(struct job *job, struct slice text, struct slice data)
{
	struct minisign_public keys[FEED_KEYS];
	size_t n = feed_origin_keys(job->origin, keys);
	struct minisign_signature signature;

	if (minisign_signature_parse(text, &signature) == -1)
		return say(job, "its signature (.minisig) is none");
	for (size_t i = 0; i < n; i++)
		if (minisign_verify(&keys[i], &signature, data))
			return 0;
	return say(job, "is not signed by the key that key= names");
}

/* What was written is what one of the keys signed. */
static int
verify(struct job *job, struct slice text)
{
	struct stat st;
	char *p;
	int r;

	if (fstat(job->fd, &st) == -1)
		return say(job, strerror(errno));
	if (st.st_size == 0)
		return verify_bytes(job, text, SLICE(""));
	if ((p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, job->fd, 0)) == MAP_FAILED)
		return say(job, strerror(errno));
	r = verify_bytes(job, text, slice_make(p, (size_t)st.st_size));
	munmap(p, (size_t)st.st_size);
	return r;
}

static int
check_signature(struct job *job)
{
	struct buf text;
	int r;

	buf_init(&text, MINISIGN_MAX);
	r = get_signature(job, &text);
	if (r == 0)
		r = verify(job, buf_slice(&text));
	buf_fini(&text);
	return r;
}

/* ---- for all ---- */

/* The URL of what RQ asks for. */
static int
set_url(struct job *job)
{
	const char *origin = job->origin->origin, *query = origin + strcspn(origin, "?#");
	size_t folder = (size_t)(query - origin);
	int n;

	while (job->rq->name != NULL && folder > 0 && origin[folder - 1] != '/')
		folder--;
	n = job->rq->name == NULL ? snprintf(job->url, sizeof(job->url), "%s", origin) : snprintf(job->url, sizeof(job->url), "%.*s%s%s",
	    (int)folder, origin, job->rq->name, query);
	return n < 0 || n >= (int)sizeof(job->url) ? say(job, "its URL is too long") : 0;
}

int
download_get(struct download *d, const struct download_request *rq, int fd, struct download_answer *out)
{
	struct job job = { .d = d, .origin = d->origin, .rq = rq, .fd = fd, .out = out };

	*out = (struct download_answer){ .bytes = 0 };
	if (set_url(&job) == -1 || (d->transfer == NULL ? copy_file(&job) : get_file(&job)) == -1)
		return -1;
	return rq->is_signed && *d->origin->key != '\0' && !out->not_modified ? check_signature(&job) : 0;
}

/* The lines of header=.  -1 with WHY. */
static int
read_header(struct download *d, char why[static FEED_WHY])
{
	char what[OPTION_WHY];
	int n = *d->origin->header == '\0' ? 0 : feed_origin_headers(d->origin->header, &d->header, d->secrets, what);

	if (n == -1)
		snprintf(why, FEED_WHY, "the file of header= %.300s", what);
	else
		d->n_secrets = (size_t)n;
	return n == -1 ? -1 : 0;
}

static int
open_transfer(struct download *d, char why[static FEED_WHY])
{
	const struct feed_origin *o = d->origin;
	struct transfer_options how = { .ca = *o->ca != '\0' ? o->ca : NULL, .env_proxy = strcmp(o->proxy, "env") == 0 };
	const char *trouble = transfer_asked_trouble(o->origin);

	how.proxy = *o->proxy != '\0' && !how.env_proxy ? o->proxy : NULL;
	if (trouble == NULL && !slice_istarts(slice_str(o->origin), SLICE("file:")) && (d->transfer = transfer_open(&how)) == NULL)
		trouble = strerror(ENOMEM);
	if (trouble != NULL)
		snprintf(why, FEED_WHY, "%s", trouble);
	return trouble == NULL ? 0 : -1;
}

struct download *
download_open(const struct feed_origin *origin, char why[static FEED_WHY])
{
	struct download *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		snprintf(why, FEED_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	d->origin = origin;
	buf_init(&d->header, FEED_HEADER_MAX);
	if (read_header(d, why) == 0 && open_transfer(d, why) == 0)
		return d;
	download_close(d);
	return NULL;
}

void
download_close(struct download *d)
{
	if (d == NULL)
		return;
	transfer_close(d->transfer);
	if (d->header.p != NULL)
		explicit_bzero(d->header.p, d->header.cap);
	buf_fini(&d->header);
	free(d);
}
