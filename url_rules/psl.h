/* psl.h - the Public Suffix List (publicsuffix.org/list): where a registrable domain begins.
 *
 * An own table over the list's text, read once and then immutable; threads may share it.  Names are canonical
 * hosts (url.h): lower-case A-labels without a trailing dot.  Used where rules are made (import, publish), never
 * for a request.  libpsl is the oracle of the tests. */
#ifndef URL_RULES_PSL_H
#define URL_RULES_PSL_H

#include "base/diag.h"
#include "base/slice.h"

struct public_suffixes;

/* Debian's package "publicsuffix" keeps it here. */
#define PUBLIC_SUFFIX_FILE	"/usr/share/publicsuffix/public_suffix_list.dat"

/* Read PATH, ICANN and private parts.  NULL with an error in DIAG when it cannot be read or holds no rules; a
 * bad line is a warning and is skipped.  The caller owns the result: public_suffixes_free(). */
struct public_suffixes *public_suffixes_load(const char *path, struct diag *diag);

/* NULL is fine. */
void public_suffixes_free(struct public_suffixes *list);

struct suffix_answer {
	struct slice	icann;		/* public suffix by the ICANN part (the implicit rule "*" included) */
	struct slice	any;		/* by both parts; at least as long as ICANN */
	bool		listed;		/* a written rule of either part decided, not the implicit "*" */
	bool		private_rule;	/* the private part decided ANY */
};

/* What the list says of HOST, in one pass.  The slices point into HOST.  Of "*.x" follows that x is a public suffix
 * too, as libpsl has it.  An address is its own suffix, not listed.  No allocation; cost grows with HOST's labels. */
struct suffix_answer public_suffix(const struct public_suffixes *list, struct slice host);

/* HOST's registrable domain (public suffix and one label, by both parts): points into HOST; empty when HOST is
 * itself a public suffix. */
struct slice registrable_domain(const struct public_suffixes *list, struct slice host);

/* HOST is itself a public suffix by a written rule of either part. */
bool is_public_suffix(const struct public_suffixes *list, struct slice host);

/* Show each name that is written about to VISIT, in order, until it answers other than 0, which is then the result.  RULES has
 * three bits for ICANN's part and, above them, three for the private one: 1 the name itself, 2 "*.NAME", 4 "!NAME".  NAME is
 * borrowed. */
typedef int public_suffix_visit(void *arg, struct slice name, unsigned rules);
int public_suffixes_each(const struct public_suffixes *list, public_suffix_visit *visit, void *arg);

/* Rules read. */
size_t public_suffixes_count(const struct public_suffixes *list);

#endif
