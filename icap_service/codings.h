/* codings.h - content codings that a request allows: only those that can be undone here, so that the answer can be judged. */
#ifndef ICAP_SERVICE_CODINGS_H
#define ICAP_SERVICE_CODINGS_H

#include "icap_service/txn.h"

/* REQMOD: narrow Accept-Encoding when it allows a coding that nobody here can undo; what announces shared dictionaries goes with
 * it.  A request that allows nothing such, or has no Accept-Encoding, stays as it is.  True when it was changed. */
bool codings_narrow(struct txn *t, ci_request_t *req);

#endif
