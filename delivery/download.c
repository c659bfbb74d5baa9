#include "delivery/download.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

enum { STATUS_OK = 200, STATUS_NOT_MODIFIED = 304, STATUS_TOO_MANY = 429, STATUS_UNAVAILABLE = 503, FIELDS_MAX = 3 };

/* One list on its way. */
struct job {
	const struct feed_origin	*origin;
	struct transfer			*transfer;
	const char			*secrets[FEED_HEADER_LINES];
	size_t				 n_secrets;
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

/* ---- the list ---- */

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

	job->out->retry_after_s = a->status == STATUS_TOO_MANY || a->status == STATUS_UNAVAILABLE ? a->retry_after_s : 0;
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
	if (job->error != 0)
		return say(job, strerror(job->error));
	feed_state_text(job->out->why, sizeof(job->out->why), slice_str(a->why));
	return -1;
}

/* Ask for URL as the list. */
static int
get_list(struct job *job, const struct feed_state *have)
{
	const struct feed_origin *o = job->origin;
	char match[FEED_VALIDATOR + 32], since[FEED_VALIDATOR + 32];
	const char *fields[FIELDS_MAX] = { *o->key == '\0' ? "Accept-Encoding: gzip" : "Accept-Encoding: identity" };
	struct transfer_request rq = { .url = o->origin, .max = (uint64_t)o->max, .timeout_s = o->timeout, .fields = fields, .n_fields = 1,
		.secrets = job->secrets, .n_secrets = job->n_secrets, .refuse = refuse_redirect, .refuse_arg = job, .sink = write_bytes,
		.arg = job };
	struct transfer_answer a;

	if (have != NULL && have->etag[0] != '\0') {
		snprintf(match, sizeof(match), "If-None-Match: %s", have->etag);
		fields[rq.n_fields++] = match;
	}
	if (have != NULL && have->modified[0] != '\0') {
		snprintf(since, sizeof(since), "If-Modified-Since: %s", have->modified);
		fields[rq.n_fields++] = since;
	}
	if (transfer_get(job->transfer, &rq, &a) == -1) {
		job->out->bytes = a.bytes;
		return say_failed(job, &a);
	}
	job->out->bytes = a.bytes;
	return read_answer(job, &a, rq.n_fields > 1);
}

static int
get_file(struct job *job)
{
	char *path = transfer_path_of(job->origin->origin);
	struct transfer_answer a;
	int r;

	if (path == NULL)
		return say(job, "is no URL of a file");
	r = transfer_file(path, (uint64_t)job->origin->max, write_bytes, job, &a);
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
	struct transfer_request rq = { .url = url, .max = MINISIGN_MAX, .timeout_s = job->origin->timeout, .secrets = job->secrets,
		.n_secrets = job->n_secrets, .refuse = refuse_redirect, .refuse_arg = job, .sink = add_bytes,
		.arg = out };
	int r;

	if (signature_url(job->origin->origin, url) == -1)
		return say(job, "its signature's URL is too long");
	if (job->transfer == NULL) {
		path = transfer_path_of(url);
		r = path == NULL ? -1 : transfer_file(path, rq.max, add_bytes, out, &a);
		free(path);
	} else
		r = transfer_get(job->transfer, &rq, &a);
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

static int
run(struct job *job, const struct feed_state *have)
{
	bool is_file = slice_istarts(slice_str(job->origin->origin), SLICE("file:"));
	const struct feed_origin *o = job->origin;
	struct transfer_options how = { .ca = *o->ca != '\0' ? o->ca : NULL, .env_proxy = strcmp(o->proxy, "env") == 0 };
	const char *why;

	if ((why = transfer_url_trouble(o->origin)) != NULL)
		return say(job, why);
	how.proxy = *o->proxy != '\0' && !how.env_proxy ? o->proxy : NULL;
	if (!is_file && (job->transfer = transfer_open(&how)) == NULL)
		return say(job, strerror(ENOMEM));
	if ((is_file ? get_file(job) : get_list(job, have)) == -1)
		return -1;
	return *o->key != '\0' && !job->out->not_modified ? check_signature(job) : 0;
}

int
download(const struct feed_origin *origin, const struct feed_state *have, int fd, struct download_answer *out)
{
	struct job job = { .origin = origin, .fd = fd, .out = out };
	char why[OPTION_WHY], whole[OPTION_WHY + 64];
	struct buf secrets;
	int r = 0, n = 0;

	*out = (struct download_answer){ .bytes = 0 };
	buf_init(&secrets, FEED_HEADER_MAX);
	if (*origin->header != '\0' && (n = feed_origin_headers(origin->header, &secrets, job.secrets, why)) == -1) {
		snprintf(whole, sizeof(whole), "the file of header= %s", why);
		r = say(&job, whole);
	}
	job.n_secrets = n > 0 ? (size_t)n : 0;
	if (r == 0)
		r = run(&job, have);
	transfer_close(job.transfer);
	if (secrets.p != NULL)
		explicit_bzero(secrets.p, secrets.cap);
	buf_fini(&secrets);
	return r;
}
