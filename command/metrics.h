/* metrics.h - what is counted, and the state, in Prometheus's text format: for the verb and for the console. */
#ifndef COMMAND_METRICS_H
#define COMMAND_METRICS_H

#include "base/buf.h"
#include "command/call.h"

/* Append everything about C's state folder to OUT; QUICK: without what the event log has to be asked for.  -1 after saying
 * on standard error what is wrong. */
int metrics_collect(const struct call *c, bool quick, struct buf *out);

#endif
