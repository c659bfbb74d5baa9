#include "icap_service/headers.h"

#include <c_icap/simple_api.h>

#include <stdlib.h>

/* LINE is a field of that NAME; its parts into *HEAD, as it is written, and *VALUE. */
static bool
is_field(const char *line, struct slice name, struct slice *head, struct slice *value)
{
	/* Most lines are another field: their length is not worth the time. */
	if (ascii_lower(*line) != ascii_lower(*name.p) && !ascii_is_space(*line))
		return false;
	return slice_cut(slice_str(line), ':', head, value) && slice_ieq(slice_trim(*head), name);
}

size_t
header_find(const ci_headers_list_t *headers, struct slice name, struct slice *value)
{
	struct slice head, found;
	size_t n = 0;

	for (int i = 1; headers != NULL && i < headers->used; i++) {
		if (!is_field(headers->headers[i], name, &head, &found))
			continue;
		if (value != NULL)
			*value = slice_trim(found);
		n++;
	}
	return n;
}

int
header_join(const ci_headers_list_t *headers, struct slice name, struct buf *out)
{
	struct slice head, value;

	for (int i = 1; headers != NULL && i < headers->used; i++) {
		if (!is_field(headers->headers[i], name, &head, &value))
			continue;
		if (out->len > 0)
			buf_add_str(out, ", ");
		buf_add_slice(out, slice_trim(value));
	}
	return out->failed ? -1 : 0;
}

/* The name of the first field NAME, as it is written, the caller's; NULL when there is none. */
static char *
find_written(const ci_headers_list_t *headers, struct slice name)
{
	struct slice head, value;

	for (int i = 1; headers != NULL && i < headers->used; i++)
		if (is_field(headers->headers[i], name, &head, &value))
			return slice_dup(head);
	return NULL;
}

size_t
header_remove(ci_request_t *req, struct slice name)
{
	size_t n = 0;
	int removed = 1;
	char *written;

	while (removed && (written = find_written(ci_http_request_headers(req), name)) != NULL) {
		removed = ci_http_request_remove_header(req, written);
		n += removed != 0;
		free(written);
	}
	return n;
}
