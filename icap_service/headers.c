#include "icap_service/headers.h"

#include <c_icap/simple_api.h>

#include <stdlib.h>
#include <strings.h>

/* What stands behind the name in LINE when that is NAME; NULL when it is another. */
static const char *
behind_name(const char *line, struct slice name)
{
	while (*line == ' ' || *line == '\t')
		line++;
	return strncasecmp(line, name.p, name.len) == 0 ? line + name.len : NULL;
}

/* The colon in LINE, which is a field of that NAME, else NULL.  Most lines are told by their first letter. */
static inline const char *
find_colon(const char *line, struct slice name)
{
	const char *p;

	if ((*line | 0x20) != *name.p && *line > ' ')
		return NULL;
	p = behind_name(line, name);
	while (p != NULL && (*p == ' ' || *p == '\t'))
		p++;
	return p != NULL && *p == ':' ? p : NULL;
}

size_t
header_find(const ci_headers_list_t *headers, struct slice name, struct slice *value)
{
	const char *colon;
	size_t n = 0;

	for (int i = 1; headers != NULL && i < headers->used; i++) {
		if ((colon = find_colon(headers->headers[i], name)) == NULL)
			continue;
		if (value != NULL)
			*value = slice_trim(slice_str(colon + 1));
		n++;
	}
	return n;
}

int
header_join(const ci_headers_list_t *headers, struct slice name, struct buf *out)
{
	const char *colon;

	for (int i = 1; headers != NULL && i < headers->used; i++) {
		if ((colon = find_colon(headers->headers[i], name)) == NULL)
			continue;
		if (out->len > 0)
			buf_add_str(out, ", ");
		buf_add_slice(out, slice_trim(slice_str(colon + 1)));
	}
	return out->failed ? -1 : 0;
}

/* The name of the first field NAME, as it is written, the caller's; NULL when there is none. */
static char *
find_written(const ci_headers_list_t *headers, struct slice name)
{
	const char *colon;

	for (int i = 1; headers != NULL && i < headers->used; i++)
		if ((colon = find_colon(headers->headers[i], name)) != NULL)
			return slice_dup(slice_make(headers->headers[i], (size_t)(colon - headers->headers[i])));
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
