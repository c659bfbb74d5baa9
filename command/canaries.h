/* canaries.h - the rules of a proof go live, and away again. */
#ifndef COMMAND_CANARIES_H
#define COMMAND_CANARIES_H

#include "base/slice.h"
#include "command/call.h"
#include "runtime/runtime.h"

/* Write TEXT as SOURCE in C's state folder, and publish it; as the folder's owner, when root asks.  -1 after saying
 * what is wrong. */
int canaries_publish(const struct call *c, const char *source, struct slice text);

/* Take it away; fine when it is not there. */
int canaries_remove(const struct call *c, const char *source);

/* The mode, which decides whether they block; MODE_ENFORCE when it is not known.  The state folder is another user's: root looks at
 * it as that user. */
enum mode canaries_mode(const struct call *c);

#endif
