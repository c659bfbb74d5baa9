/* fake_loop.h - the request loop of c-icap 0.5.10: preview, body, end of data, the rest of the answer. */
#ifndef T_REPLAY_FAKE_LOOP_H
#define T_REPLAY_FAKE_LOOP_H

#include <c_icap/c-icap.h>
#include <c_icap/request.h>
#include <c_icap/service.h>

#include "t/replay/icap.h"

/* Serve REQ, whose heads are read and whose data the service has made, with the body of CALL.  What the client would get goes to
 * REPLY, a line for each broken rule to VIOLATIONS. */
void fake_loop(const ci_service_module_t *module, ci_request_t *req, const struct icap_call *call,
    struct icap_reply *reply, struct buf *violations);

#endif
