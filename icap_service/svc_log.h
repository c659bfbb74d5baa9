/* svc_log.h - the one way into c-icap's server log: four levels, one line, wire text only when
 * escaped by the caller. */
#ifndef ICAP_SERVICE_SVC_LOG_H
#define ICAP_SERVICE_SVC_LOG_H

#include "base/diag.h"

/* The numbers are c-icap's DebugLevels: 1 is always shown. */
enum svc_level { SVC_ERROR = 1, SVC_WARNING = 1, SVC_INFO = 2, SVC_DEBUG = 5 };

/* "firebreak: error: text" as one line. */
void svc_log(enum svc_level level, const char *word, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Every finding of D, errors and warnings at level 1. */
void svc_log_diag(const struct diag *d);

#endif
