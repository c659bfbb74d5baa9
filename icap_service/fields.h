/* fields.h - values of HTTP header fields, as far as the service needs them: validators, ranges, codings.
 *
 * Values are bytes from strangers.  What is malformed is told from what is absent only where that matters; a
 * doubtful value is never read as the harmless one.  Pure; all cost is linear in the value. */
#ifndef ICAP_SERVICE_FIELDS_H
#define ICAP_SERVICE_FIELDS_H

#include "base/buf.h"
#include "base/weighted.h"

/* An ETag that says "these very bytes" (RFC 9110 8.8.3): in quotes, at most ETAG_MAX bytes with them, not weak, not empty. */
enum { ETAG_MAX = 256 };
bool etag_is_strong(struct slice value);

/* Content-Range "bytes 0-99/1000" (RFC 9110 14.4); COMPLETE is FIELD_UNKNOWN for "*". */
enum { FIELD_UNKNOWN = -1 };
struct content_range {
	int64_t first, last, complete;
};

/* False when VALUE is none, or speaks of bytes that the whole has not. */
bool content_range_parse(struct slice value, struct content_range *out);

/* A Range that asks for all of it, "bytes=0-". */
bool range_is_all(struct slice value);

/* The boundary in a Content-Type "multipart/byteranges; boundary=x" (RFC 9110 14.6): points into VALUE, and is empty when there is
 * none or a bad one.  False when it is another type. */
bool byteranges_boundary(struct slice content_type, struct slice *boundary);

/* The complete length that every part in BODY, the beginning of a multipart/byteranges body, agrees on.  FIELD_UNKNOWN when they do
 * not, when a part does not say it, or when not even the head of the first part lies within BODY. */
int64_t byteranges_complete(struct slice boundary, struct slice body);

/* A Content-Type of audio or video. */
bool type_is_media(struct slice content_type);

/* An Accept that would rather have audio or video than anything else (RFC 9110 12.5.1). */
bool accept_prefers_media(struct slice value);

/* An Accept that takes a page as gladly as anything else, as a browser sends it for what it shows. */
bool accept_prefers_html(struct slice value);

/* The same for data (JSON), an image, a style sheet. */
bool accept_prefers_json(struct slice value);
bool accept_prefers_image(struct slice value);
bool accept_prefers_style(struct slice value);

/* Leave out of the Accept-Encoding VALUE (RFC 9110 12.5.3) what nobody here can undo, "*" with it; the others keep their order
 * and weights.  1: OUT, to which it was appended, has the value to send, "identity" when nothing is left.  0: VALUE is fine as it
 * is, and OUT untouched.  -1 without memory. */
int accept_encoding_narrow(struct slice value, struct buf *out);

#endif
