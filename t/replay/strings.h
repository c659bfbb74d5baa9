/* strings.h - the strings of a .case line: "text" and N * "text", one after another. */
#ifndef T_REPLAY_STRINGS_H
#define T_REPLAY_STRINGS_H

#include "base/buf.h"

/* Append what the quoted string at the start of *TEXT means to OUT, and move *TEXT behind it.  -1 when it is none. */
int string_take(struct slice *text, struct buf *out);

/* Append the whole list TEXT to OUT.  -1 with a word about the mistake in *WHY. */
int strings_add(struct slice text, struct buf *out, const char **why);

#endif
