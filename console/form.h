/* form.h - what a browser sends: fields of a query or of a form (application/x-www-form-urlencoded), and cookies.
 *
 * Values hold any bytes that a stranger chose.  Pure; nothing here makes a path of anything. */
#ifndef CONSOLE_FORM_H
#define CONSOLE_FORM_H

#include "base/buf.h"

enum { FORM_FIELDS = 16, FORM_MAX = 16 << 10 };

struct form {
	struct buf	text;				/* names and values, decoded */
	struct { struct slice name, value; } v[FORM_FIELDS];
	size_t		n;
};

/* Take ENCODED apart.  -1: a bad escape, a name twice, too many fields or bytes.  form_fini() is due in either case. */
int form_parse(struct form *f, struct slice encoded);
void form_fini(struct form *f);

/* The value of NAME, borrowed from F; empty when there is none. */
struct slice form_get(const struct form *f, const char *name);

/* The value of cookie NAME in HEADER, the Cookie header; empty when there is none. */
struct slice cookie_get(struct slice header, const char *name);

/* Append TEXT as a field's value in a query. */
void form_add_value(struct buf *out, struct slice text);

#endif
