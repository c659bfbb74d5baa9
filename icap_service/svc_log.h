/* svc_log.h - the one way into c-icap's server log: one line each, wire text only when escaped by the caller.
 * Any thread. */
#ifndef ICAP_SERVICE_SVC_LOG_H
#define ICAP_SERVICE_SVC_LOG_H

#include "base/diag.h"

enum svc_level { SVC_ERROR, SVC_WARNING, SVC_INFO };

/* "firebreak: error: text" as one line; errors and warnings are always shown, SVC_INFO from DebugLevel 2 on. */
void svc_log(enum svc_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Every finding of D, always shown. */
void svc_log_diag(const struct diag *d);

#endif
