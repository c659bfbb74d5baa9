/* ranges.h - requests for parts of files, and the parts that come back: from HTTP's fields to what judge/range.h asks for. */
#ifndef ICAP_SERVICE_RANGES_H
#define ICAP_SERVICE_RANGES_H

#include "icap_service/txn.h"

/* REQMOD: make a GET for a part one for the whole where the site's policy says so: Range and If-Range go.  True when they did. */
bool ranges_strip(struct txn *t, ci_request_t *req);

/* RESPMOD: read what a 206 is a part of into T's head; nothing for another status.  Of a multipart/byteranges body that stands in
 * PREVIEW, or it is unknown.  REQ's heads are as they came. */
void ranges_read(struct txn *t, ci_request_t *req, struct slice preview);

#endif
