#include "t/property/model.h"

#include <inttypes.h>

enum { OK_STATUS = 200, PARTIAL_STATUS = 206, NOT_SATISFIABLE = 416 };
#define BOUNDARY	"firebreak-part-7f3a9c"
#define DATE		"Thu, 26 Nov 2026 08:00:00 GMT"

const char *
framing_name(enum framing f)
{
	static const char *const names[FRAMINGS] = { "length", "chunked", "close" };

	return names[f];
}

/* One range of SPEC ("0-99", "100-", "-5") of SIZE bytes.  1 when it lies outside, -1 when it is none. */
static int
read_range(struct slice spec, size_t size, size_t *from, size_t *to)
{
	struct slice first, last;
	uint64_t a, b = UINT64_MAX;

	if (!slice_cut(slice_trim(spec), '-', &first, &last))
		return -1;
	if (first.len == 0) {
		if (slice_u64(last, &b) == -1)
			return -1;
		*from = b < size ? size - (size_t)b : 0;
		*to = size;
		return b > 0 && size > 0 ? 0 : 1;
	}
	if (slice_u64(first, &a) == -1 || (last.len > 0 && slice_u64(last, &b) == -1) || b < a)
		return -1;
	*from = (size_t)(a < size ? a : size);
	*to = b < size ? (size_t)b + 1 : size;
	return a < size ? 0 : 1;
}

/* What REQUEST asks for into OUT; its status. */
static int
read_ranges(const struct representation *r, struct slice request, struct answer *out)
{
	struct slice value, condition, one;
	bool outside = false;

	if (!head_value(request, SLICE("Range"), &value) || !slice_istarts(value, SLICE("bytes=")))
		return OK_STATUS;
	if (head_value(request, SLICE("If-Range"), &condition) && !slice_eq(condition, slice_str(r->etag)) &&
	    !slice_eq(condition, SLICE(DATE)))
		return OK_STATUS;
	for (value = slice_skip(value, sizeof("bytes=") - 1); value.len > 0;) {
		size_t from, to;
		int status;

		slice_cut(value, ',', &one, &value);
		if ((status = read_range(one, r->body.len, &from, &to)) == -1 || out->n_segments == MODEL_RANGES) {
			out->n_segments = 0;
			return OK_STATUS;
		}
		if (status == 0)
			out->segments[out->n_segments++] = (struct segment){ 0, from, to - from };
		outside = true;
	}
	return out->n_segments > 0 ? PARTIAL_STATUS : outside ? NOT_SATISFIABLE : OK_STATUS;
}

static void
add_segment(const struct representation *r, struct answer *out, struct segment *s)
{
	s->at = out->m.body.len;
	buf_add(&out->m.body, r->body.p + s->from, s->len);
}

static void
add_body(const struct representation *r, struct answer *out)
{
	if (out->status == OK_STATUS)
		out->segments[out->n_segments++] = (struct segment){ 0, 0, r->body.len };
	if (out->n_segments == 1)
		add_segment(r, out, &out->segments[0]);
	for (size_t i = 0; i < out->n_segments && out->n_segments > 1; i++) {
		struct segment *s = &out->segments[i];

		buf_addf(&out->m.body, "--" BOUNDARY "\r\nContent-Type: %s\r\nContent-Range: bytes %zu-%zu/%zu\r\n\r\n",
		    r->type != NULL ? r->type : "application/octet-stream", s->from, s->from + s->len - 1, r->body.len);
		add_segment(r, out, s);
		buf_add_str(&out->m.body, "\r\n");
	}
	if (out->n_segments > 1)
		buf_add_str(&out->m.body, "--" BOUNDARY "--\r\n");
}

static void
add_head(const struct representation *r, struct answer *out)
{
	struct buf *head = &out->m.head;
	const struct segment *s = &out->segments[0];

	buf_addf(head, "HTTP/1.1 %d %s\r\nDate: " DATE "\r\nLast-Modified: " DATE "\r\nAccept-Ranges: bytes\r\n", out->status,
	    out->status == OK_STATUS ? "OK" : out->status == PARTIAL_STATUS ? "Partial Content" : "Range Not Satisfiable");
	if (out->n_segments > 1)
		buf_add_str(head, "Content-Type: multipart/byteranges; boundary=" BOUNDARY "\r\n");
	else if (r->type != NULL)
		buf_addf(head, "Content-Type: %s\r\n", r->type);
	if (out->status == PARTIAL_STATUS && out->n_segments == 1)
		buf_addf(head, "Content-Range: bytes %zu-%zu/%zu\r\n", s->from, s->from + s->len - 1, r->body.len);
	if (out->status == NOT_SATISFIABLE)
		buf_addf(head, "Content-Range: bytes */%zu\r\n", r->body.len);
	if (r->encoding[0] != '\0')
		buf_addf(head, "Content-Encoding: %s\r\n", r->encoding);
	if (r->etag[0] != '\0')
		buf_addf(head, "ETag: %s\r\n", r->etag);
	if (r->framing == FRAMING_LENGTH)
		buf_addf(head, "Content-Length: %zu\r\n", out->m.body.len);
	if (r->framing == FRAMING_CHUNKED)
		buf_add_str(head, "Transfer-Encoding: chunked\r\n");
	buf_addf(head, "Connection: %s\r\n\r\n", r->framing == FRAMING_CLOSE ? "close" : "keep-alive");
}

void
model_answer(const struct representation *r, struct slice request, struct answer *out)
{
	*out = (struct answer){ 0 };
	message_init(&out->m);
	out->status = read_ranges(r, request, out);
	add_body(r, out);
	add_head(r, out);
	out->m.ended = true;
	out->m.has_body = true;
}

void
answer_fini(struct answer *a)
{
	message_fini(&a->m);
}
