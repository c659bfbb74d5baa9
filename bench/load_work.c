#include "bench/load_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <zlib.h>

enum { GZIP_BITS = MAX_WBITS + 16, GZIP_LEVEL = 6, SIZE_STEP = 1024 };
enum { HEAD_MAX = 1 << 18, POOL = 1 << 22, STRIDE = 4099 };
#define STORE_MAX	((size_t)1 << 32)
#define SEED		UINT64_C(0x9e3779b97f4a7c15)

/* A pool that ends with its own beginning, so that a piece is always in one stretch. */
static char *
pool_new(void)
{
	char *pool = malloc(POOL + BODY_PIECE);
	uint64_t x = SEED;

	for (size_t i = 0; pool != NULL && i < POOL; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(pool + i, &x, sizeof(x));
	}
	if (pool != NULL)
		memcpy(pool + POOL, pool, BODY_PIECE);
	return pool;
}

/* PLAIN as gzip, with a comment of N bytes and its NUL in the head if N > 0, into OUT. */
static int
gzip_into(struct slice plain, size_t n, struct buf *out)
{
	char comment[SIZE_STEP] = "";
	gz_header head = { .comment = n > 0 ? (Bytef *)comment : NULL };
	size_t max = plain.len + 65536;
	z_stream z = { .next_in = (Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.len };
	int r = -1;

	memset(comment, 'x', n > 0 ? n - 1 : 0);
	buf_reset(out);
	if (buf_reserve(out, max) == 0 &&
	    deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK) {
		z.next_out = (Bytef *)out->p;
		z.avail_out = (uInt)max;
		r = deflateSetHeader(&z, &head) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -1;
		out->len = max - z.avail_out;
		deflateEnd(&z);
	}
	return r;
}

/* BODY bytes of what looks like a page, or of what is of no type but compresses alike, as gzip, of a length that is nobody's in the
 * lists. */
static int
make_coded(struct load_work *w)
{
	static const char words[][8] = { "<p>", "the ", "and ", "proxy ", "</p>\n", "lets ", "through" };
	size_t len = (size_t)w->options.body;
	struct buf plain;
	int r = -1;

	buf_init(&plain, len + 1);
	buf_init(&w->coded, len + 131072);
	buf_add_str(&plain, w->options.coded == LOAD_CODED_TEXT ? "<!DOCTYPE html>\n" : "\1\2\3\4\5\6\7");
	for (size_t i = 0; plain.len < len; i++)
		buf_add_slice(&plain, slice_head(slice_str(words[(uint8_t)w->pool[i % POOL] % 7]), len - plain.len));
	if (!plain.failed && gzip_into(buf_slice(&plain), 0, &w->coded) == 0)
		r = w->coded.len % SIZE_STEP == 0 ? 0 : gzip_into(buf_slice(&plain), SIZE_STEP - w->coded.len % SIZE_STEP, &w->coded);
	w->options.body = w->coded.len;
	buf_fini(&plain);
	return r;
}

static const struct slice image_start = { "GIF89a", 6 };

struct slice
load_work_body(const struct load_work *w, uint64_t number, uint64_t at, size_t max)
{
	uint64_t left = w->options.body - at;
	uint64_t from = (w->options.same_body ? at : number * STRIDE + at) % POOL;

	max = max < BODY_PIECE ? max : BODY_PIECE;
	if (w->options.coded != LOAD_PLAIN)
		return slice_head(slice_skip(buf_slice(&w->coded), (size_t)at), max);
	if (w->options.image && at < image_start.len) {
		struct slice start = slice_skip(slice_head(image_start, w->options.body), at);

		return slice_head(start, max);
	}
	return slice_make(w->pool + from, left < max ? (size_t)left : max);
}

static int
parse_verdict(struct slice word, enum load_verdict *out)
{
	static const char *const words[] = { [LOAD_PASS] = "pass", [LOAD_BLOCK] = "block", [LOAD_KILL] = "kill" };

	for (int i = LOAD_PASS; i <= LOAD_KILL; i++)
		if (slice_eq(word, slice_str(words[i]))) {
			*out = (enum load_verdict)i;
			return 0;
		}
	return -1;
}

/* What a browser sends by way of Squid. */
static void
add_request_head(struct buf *out, struct slice url)
{
	struct slice host;

	slice_cut(slice_skip(url, slice_search(url, SLICE("://")) + 3), '/', &host, NULL);
	buf_addf(out, "GET %.*s HTTP/1.1\r\nHost: %.*s\r\n", SLICE_ARGS(url), SLICE_ARGS(host));
	buf_add_str(out, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
	    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
	    "Accept-Encoding: gzip, deflate\r\nVia: 1.1 proxy (squid/5.7)\r\nCache-Control: max-age=259200\r\n\r\n");
}

static void
add_response_head(struct buf *out, const struct load_options *o)
{
	buf_add_str(out, "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\n"
	    "Last-Modified: Thu, 26 Nov 2026 11:00:00 GMT\r\n");
	buf_addf(out, "Content-Type: %s\r\n%s", o->image ? "image/gif" : o->coded == LOAD_CODED_TEXT ? "text/html" :
	    "application/octet-stream", o->coded != LOAD_PLAIN ? "Content-Encoding: gzip\r\n" : "");
	if (!o->chunked)
		buf_addf(out, "Content-Length: %" PRIu64 "\r\n", o->body);
	buf_add_str(out, "\r\n");
}

static void
add_icap_head(struct buf *out, const struct load_options *o, size_t request, size_t response, enum load_verdict expect)
{
	buf_addf(out, "%s icap://%s:%u/%s ICAP/1.0\r\nHost: %s:%u\r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\n",
	    o->respmod ? "RESPMOD" : "REQMOD", o->host, o->port, o->service, o->host, o->port);
	if (o->respmod)
		buf_addf(out, "Encapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n", request, request + response);
	else
		buf_addf(out, "Encapsulated: req-hdr=0, null-body=%zu\r\n", request);
	if (o->preview != LOAD_PREVIEW_NONE)
		buf_addf(out, "Preview: %d\r\n", o->respmod ? o->preview : 0);
	if (o->allow204 || o->allow206)
		buf_addf(out, "Allow: %s%s%s\r\n", o->allow204 ? "204" : "", o->allow204 && o->allow206 ? ", " : "",
		    o->allow206 ? "206" : "");
	/* Only bench/floor looks at it: a floor has no list to find the verdict in. */
	if (expect == LOAD_BLOCK)
		buf_add_str(out, "X-Bench-Block: 1\r\n");
	buf_add_str(out, "X-Client-IP: 192.0.2.7\r\n\r\n");
}

static int
add_request(struct load_work *w, struct slice url, enum load_verdict expect)
{
	struct load_request *r = &w->requests[w->n++];
	struct buf request, response;
	size_t at = w->store.len;

	buf_init(&request, HEAD_MAX);
	buf_init(&response, HEAD_MAX);
	add_request_head(&request, url);
	if (w->options.respmod)
		add_response_head(&response, &w->options);
	add_icap_head(&w->store, &w->options, request.len, response.len, expect);
	buf_add_slice(&w->store, buf_slice(&request));
	buf_add_slice(&w->store, buf_slice(&response));
	/* An offset for now: the store still moves. */
	*r = (struct load_request){ .bytes = slice_make(NULL, w->store.len - at), .expect = expect };
	at = request.failed || response.failed || w->store.failed;
	buf_fini(&request);
	buf_fini(&response);
	return at ? -1 : 0;
}

static int
add_requests(struct load_work *w, struct slice urls, char why[static 200])
{
	struct slice line, url, word;
	enum load_verdict expect;

	for (size_t number = 1; urls.len > 0; number++) {
		slice_cut(urls, '\n', &line, &urls);
		if (!slice_cut(line, '\t', &url, &word) || parse_verdict(word, &expect) == -1 ||
		    slice_search(url, SLICE("://")) == url.len) {
			snprintf(why, 200, "line %zu: expected a URL, a tab, and pass, block or kill", number);
			return -1;
		}
		if (add_request(w, url, expect) == -1) {
			snprintf(why, 200, "line %zu: too long, or out of memory", number);
			return -1;
		}
	}
	return 0;
}

int
load_work_init(struct load_work *w, const struct load_options *options, struct slice urls, char why[static 200])
{
	size_t lines = 1, at = 0;

	for (size_t i = 0; i < urls.len; i++)
		lines += urls.p[i] == '\n';
	*w = (struct load_work){ .options = *options, .pool = pool_new(),
		.requests = calloc(lines, sizeof(*w->requests)) };
	buf_init(&w->store, STORE_MAX);
	if (w->pool == NULL || w->requests == NULL) {
		snprintf(why, 200, "out of memory");
		return -1;
	}
	if (options->coded != LOAD_PLAIN && make_coded(w) == -1) {
		snprintf(why, 200, "the body could not be made");
		return -1;
	}
	if (add_requests(w, urls, why) == -1)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		w->requests[i].bytes.p = w->store.p + at;
		at += w->requests[i].bytes.len;
	}
	snprintf(why, 200, "there is no URL");
	return w->n == 0 ? -1 : 0;
}

void
load_work_fini(struct load_work *w)
{
	buf_fini(&w->coded);
	free(w->requests);
	free(w->pool);
	buf_fini(&w->store);
}
