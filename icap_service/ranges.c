#include "icap_service/ranges.h"

#include <c_icap/simple_api.h>

#include "icap_service/fields.h"
#include "icap_service/headers.h"
#include "runtime/runtime.h"

_Static_assert((int)FIELD_UNKNOWN == (int)LENGTH_UNKNOWN, "one unknown length");

/* A player's request.  A script chooses Accept, but not what a browser itself says that the answer is for (Fetch Metadata,
 * Sec-Fetch-Dest), which so goes first. */
static bool
asks_for_media(const ci_headers_list_t *request)
{
	struct slice value;
	size_t n = header_find(request, SLICE("sec-fetch-dest"), &value);

	if (n > 0)
		return n == 1 && (slice_ieq(value, SLICE("video")) || slice_ieq(value, SLICE("audio")));
	return header_find(request, SLICE("accept"), &value) == 1 && accept_prefers_media(value);
}

/* The host as RangeHosts may name it. */
static struct slice
host_name(const struct txn *t)
{
	return t->x.has_url && t->x.url.kind == HOST_NAME ? t->x.url.host : (struct slice){ 0 };
}

bool
ranges_strip(struct txn *t, ci_request_t *req)
{
	ci_headers_list_t *headers = ci_http_request_headers(req);
	struct range_request q = { .host = host_name(t) };
	struct slice range;
	size_t n = t->x.is_get ? header_find(headers, SLICE("range"), &range) : 0;

	if (n == 0)
		return false;
	q.all = n == 1 && range_is_all(range);
	q.media = asks_for_media(headers);
	q.wanted_whole = process_runtime(t->process) != NULL &&
	    runtime_wants_whole(process_runtime(t->process), t->key, t->now_ms);
	if (!judge_range_strip(t->generation, &q) || header_remove(req, SLICE("range")) == 0)
		return false;
	header_remove(req, SLICE("if-range"));
	process_count(t->process, COUNTER_ranges_stripped, 1);
	return true;
}

/* Which bytes of how many, in the head or in each part's own. */
static void
read_range(struct body_head *head, const ci_headers_list_t *response, struct slice preview)
{
	struct content_range r;
	struct slice range, type = { 0 }, boundary;
	size_t n = header_find(response, SLICE("content-range"), &range);

	header_find(response, SLICE("content-type"), &type);
	if (byteranges_boundary(type, &boundary))
		head->complete_length = n == 0 ? byteranges_complete(boundary, preview) : LENGTH_UNKNOWN;
	else if (n == 1 && content_range_parse(range, &r)) {
		head->part.first = r.first;
		head->part.last = r.last;
		head->complete_length = r.complete;
	}
}

/* "identity" has no place in Content-Encoding, but does no harm there. */
static bool
is_coded(const ci_headers_list_t *response)
{
	struct slice coding;
	size_t n = header_find(response, SLICE("content-encoding"), &coding);

	return n > 1 || (n == 1 && coding.len > 0 && !slice_ieq(coding, SLICE("identity")));
}

void
ranges_read(struct txn *t, ci_request_t *req, struct slice preview)
{
	ci_headers_list_t *request = ci_http_request_headers(req), *response = ci_http_response_headers(req);
	struct body_head *head = &t->x.head;
	struct slice type = { 0 };

	if (head->status != STATUS_PARTIAL)
		return;
	head->part = (struct part){ .first = LENGTH_UNKNOWN, .last = LENGTH_UNKNOWN, .host = host_name(t) };
	head->part.unasked = t->x.has_request && header_find(request, SLICE("range"), NULL) == 0;
	head->part.coded = is_coded(response);
	head->part.media = header_find(response, SLICE("content-type"), &type) == 1 && type_is_media(type) && asks_for_media(request);
	read_range(head, response, preview);
}
