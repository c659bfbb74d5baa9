#include "icap_service/codings.h"

#include <c_icap/simple_api.h>

#include "icap_service/fields.h"
#include "icap_service/headers.h"

enum { VALUE_USUAL = 512, VALUE_MAX = 8192 };

/* "Accept-Encoding: " and the narrowed value into LINE; false when the value is fine as it is.  One that is too long for a look is
 * no value that a browser sends. */
static bool
narrow(const ci_headers_list_t *headers, struct buf *line)
{
	char space[VALUE_USUAL];
	struct buf value;
	int narrowed;

	buf_init_in(&value, space, sizeof(space), VALUE_MAX);
	buf_add_str(line, "Accept-Encoding: ");
	narrowed = header_join(headers, SLICE("accept-encoding"), &value) == -1 ? -1 :
	    accept_encoding_narrow(buf_slice(&value), line);
	buf_fini(&value);
	if (narrowed == -1) {
		buf_reset(line);
		buf_add_str(line, "Accept-Encoding: identity");
	}
	return narrowed != 0 && !line->failed;
}

bool
codings_narrow(struct txn *t, ci_request_t *req)
{
	ci_headers_list_t *headers = ci_http_request_headers(req);
	char space[VALUE_USUAL];
	struct buf line;
	bool changed = false;

	if (t->generation == NULL || !judge_has_file_rules(t->generation) ||
	    header_find(headers, SLICE("accept-encoding"), NULL) == 0)
		return false;
	buf_init_in(&line, space, sizeof(space), VALUE_MAX);
	if (narrow(headers, &line)) {
		header_remove(req, SLICE("accept-encoding"));
		header_remove(req, SLICE("available-dictionary"));
		header_remove(req, SLICE("dictionary-id"));
		ci_http_request_add_header(req, line.p);
		process_count(t->process, COUNTER_codings_narrowed, 1);
		changed = true;
	}
	buf_fini(&line);
	return changed;
}
