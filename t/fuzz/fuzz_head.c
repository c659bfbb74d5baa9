/* Fuzz: request and response heads as they come from the wire, through the module's own reading of them.
 * The input is lines; those before an empty line are the ICAP headers, then the request head, then the response head.  It is also
 * the value of each header field that has a reader of its own. */
#include <c_icap/c-icap.h>
#include <c_icap/header.h>
#include <c_icap/mem.h>
#include <c_icap/request.h>
#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "icap_service/exchange.h"
#include "icap_service/fields.h"

enum { PARTS = 3, MAX_LINES = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int mem_init(void);

static ci_headers_list_t *
take_head(struct slice *text)
{
	ci_headers_list_t *headers = ci_headers_create();
	struct slice line;

	for (int n = 0; text->len > 0 && n < MAX_LINES; n++) {
		char *copy;

		slice_cut(*text, '\n', &line, text);
		if (line.len == 0)
			break;
		copy = slice_dup(line);
		ci_headers_add(headers, copy);
		free(copy);
	}
	return headers;
}

/* c-icap makes an entity with a head of its own. */
static ci_encaps_entity_t *
make_entity(int type, ci_headers_list_t *head)
{
	ci_encaps_entity_t *entity = mk_encaps_entity(type, 0);

	ci_headers_destroy(entity->entity);
	entity->entity = head;
	return entity;
}

static void
read_as(ci_request_t *req, int type)
{
	struct file_names names = { 0 };
	struct exchange x = { 0 };

	req->type = type;
	exchange_read(&x, req);
	if (type == ICAP_REQMOD)
		exchange_read_upload(&x, req);
	exchange_read_names(&x, req, &names);
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i].len == 0 || slice_find(file_name_at(&names, i), '/') < names.v[i].len)
			abort();
	if (x.has_url && (x.url.host.len == 0 || x.url.path.len == 0 || x.url.path.p[0] != '/'))
		abort();
	if (x.shown.len > SHOWN_MAX || exchange_file_name(&x).len > x.url.path.len + 1)
		abort();
	exchange_fini(&x);
}

/* TEXT as the value of each field that is looked at. */
static void
read_fields(struct slice text)
{
	struct content_range r;
	struct slice boundary, first, rest;
	struct buf narrowed, again;

	if (content_range_parse(text, &r) && (r.first < 0 || r.last < r.first || (r.complete != FIELD_UNKNOWN && r.complete <= r.last)))
		abort();
	if (etag_is_strong(text) && slice_trim(text).len > ETAG_MAX)
		abort();
	if (range_is_all(text) && slice_find(text, '-') == text.len)
		abort();
	if (accept_prefers_media(text) && slice_find(text, '/') == text.len)
		abort();
	slice_cut(text, '\n', &first, &rest);
	if (byteranges_boundary(first, &boundary) && byteranges_complete(boundary, rest) < FIELD_UNKNOWN)
		abort();
	buf_init(&narrowed, 2 * text.len + sizeof("identity"));
	buf_init(&again, 2 * text.len + sizeof("identity"));
	/* Once narrowed it is fine. */
	if (accept_encoding_narrow(text, &narrowed) == 1 &&
	    (narrowed.len == 0 || accept_encoding_narrow(buf_slice(&narrowed), &again) != 0))
		abort();
	buf_fini(&narrowed);
	buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct slice text = slice_make((const char *)data, size);
	ci_request_t *req = calloc(1, sizeof(*req));
	ci_headers_list_t *heads[PARTS];

	read_fields(text);
	if (!ready)
		mem_init();
	ready = true;
	for (int i = 0; i < PARTS; i++)
		heads[i] = take_head(&text);
	req->request_header = heads[0];
	req->entities[0] = make_entity(ICAP_REQ_HDR, heads[1]);
	req->entities[1] = make_entity(ICAP_RES_HDR, heads[2]);
	req->hasbody = 1;
	read_as(req, ICAP_REQMOD);
	read_as(req, ICAP_RESPMOD);
	destroy_encaps_entity(req->entities[0]);
	destroy_encaps_entity(req->entities[1]);
	ci_headers_destroy(heads[0]);
	free(req);
	return 0;
}
