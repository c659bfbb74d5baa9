/* lures.h - the sample mails of an alert as rules of SpamAssassin, which rspamd reads as well.
 *
 *	header __FB_19190_1_S Subject =~ /^\s*Mail\s+server\s+upgrade\s*$/i
 *	body __FB_19190_1_B1 /The\s+new\s+server\s+will\s+be/i
 *	meta FB_19190_1 (__FB_19190_1_S && __FB_19190_1_B1)
 *
 * A mail has the rule when it has the sample's subject and the longest of its phrases, word for word.  Phrases end where something
 * stands that differs from mail to mail: a word with a digit, an address, a link.  A sample without a subject has the rule by its
 * phrases alone; one without phrases is left out: what only a subject says is said by too many.  Every byte that means something
 * in a rule is escaped. */
#ifndef EXPORTS_LURES_H
#define EXPORTS_LURES_H

#include "alerts/alert.h"

/* Append the rules of ALERT's lures to OUT, and count: *N those written, *LEFT those left out.  -1 when OUT is full, or without
 * memory. */
int lures_format(const struct alert *alert, struct buf *out, size_t *n, size_t *left);

#endif
