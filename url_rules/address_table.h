/* address_table.h - the address rules that a request to a bare address is judged by, in a mapped segment.
 *
 *	GET http://192.0.2.7/x	-->  192.0.2.7/32?  192.0.2.0/24?  192.0.0.0/16?  ... one bisection for each
 *				     prefix length that some rule has, longest first
 *
 * A table is immutable; any number of threads may ask it without a lock.  Rules are known by their reference only: a u32
 * that the rows of the layer (ruleset/rows.h) explain.  Every hit is verified by its sum, so that damage may lose a
 * rule and never makes one. */
#ifndef URL_RULES_ADDRESS_TABLE_H
#define URL_RULES_ADDRESS_TABLE_H

#include "base/diag.h"
#include "base/segment.h"
#include "url_rules/network.h"

/* One rule that applies to a request. */
struct address_match {
	uint32_t	 ref;
	uint16_t	 layer;		/* for who asks several tables */
	struct network	 network;	/* of the rule */
};

struct address_table;

/* Take over SEGMENT (kind SEGMENT_ADDRESSES) for reading; SEGMENT must outlive the table.  Checks sizes and the index of the
 * groups, not every entry: those are checked when used.  NULL with an error in DIAG. */
struct address_table *address_table_open(const struct segment *segment, struct diag *diag);

/* Free T; NULL is fine. */
void address_table_close(struct address_table *t);

/* Every rule whose network the host of URL lies in, longest prefix first; none when the host is a name.  At most MAX are
 * stored in OUT; the result is how many apply, which may be more.  *DAMAGED is set when an entry did not hold together:
 * it was skipped.  No allocation; cost is a bisection for each prefix length that occurs. */
size_t address_table_match(const struct address_table *t, const struct url *url, struct address_match *out, size_t max,
    bool *damaged);

/* Every rule for exactly NETWORK: the number of the first of them, for address_table_at(), into *FIRST; how many there are.
 * *DAMAGED is set when one did not hold together; it is among them. */
size_t address_table_find(const struct address_table *t, const struct network *network, size_t *first, bool *damaged);

/* Rules stored. */
size_t address_table_rules(const struct address_table *t);

/* Rule I of them, in the order of network_cmp() and then of references: for merging tables.  -1 when I is too high or the
 * entry is damaged. */
int address_table_at(const struct address_table *t, size_t i, struct address_match *out);

/* ---- the compiler ---- */

struct address_builder;

enum { ADDRESS_RULES_PER_KEY = 1024 };

/* An empty builder; NULL without memory.  The caller's: address_builder_free(), for which NULL is fine. */
struct address_builder *address_builder_new(void);
void address_builder_free(struct address_builder *b);

/* Add a rule.  -1 without memory (ENOMEM), or when NETWORK is none: of another kind, too long, or with bits beyond its
 * prefix (EINVAL). */
int address_builder_add(struct address_builder *b, const struct network *network, uint32_t ref);

/* Rules added. */
size_t address_builder_count(const struct address_builder *b);

/* Write the segment to PATH.  The result depends on what was added, not on the order; a rule added twice is written once.  -1
 * with an error in DIAG.  Of more than ADDRESS_RULES_PER_KEY rules for one network those with the lowest references are taken,
 * with a warning. */
int address_builder_write(struct address_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
