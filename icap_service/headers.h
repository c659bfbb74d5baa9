/* headers.h - c-icap's lists of HTTP header lines: reading and removing a field by its name, which is asked for in small letters
 * and may be written otherwise. */
#ifndef ICAP_SERVICE_HEADERS_H
#define ICAP_SERVICE_HEADERS_H

#include <c_icap/c-icap.h>
#include <c_icap/header.h>
#include <c_icap/request.h>

#include "base/buf.h"

/* How many fields NAME there are in HEADERS (NULL is fine); the value of the last, trimmed, into *VALUE, which may be NULL.  It is
 * borrowed from HEADERS until they change. */
size_t header_find(const ci_headers_list_t *headers, struct slice name, struct slice *value);

/* Append the values of all fields NAME to OUT as one list (RFC 9110 5.3).  -1 when they do not fit. */
int header_join(const ci_headers_list_t *headers, struct slice name, struct buf *out);

/* Take every field NAME out of the HTTP request.  How many there were. */
size_t header_remove(ci_request_t *req, struct slice name);

#endif
