/* moment.h - moments as people say them: "2h", "yesterday", "2026-11-23", "2026-11-23T10:00Z".  Always UTC.  Pure. */
#ifndef EVENTSTORE_MOMENT_H
#define EVENTSTORE_MOMENT_H

#include "base/slice.h"

/* The moment that TEXT says, in milliseconds, when it is NOW_MS.  A span ("45s", "30m", "2h", "7d", "2w") is that long ago; a day
 * is its beginning, or with END that of the next one, so that "until yesterday" has all of yesterday.  -1 when it is none. */
int moment_parse(struct slice text, int64_t now_ms, bool end, int64_t *ms);

#endif
