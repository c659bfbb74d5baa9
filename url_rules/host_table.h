/* host_table.h - the host and path rules one request is judged by, in a mapped segment.
 *
 *	      hash of a canonical host
 *	               |  high half                     low byte
 *	   index   [ begin ][ begin ][ begin ] ...         |
 *	               |                                   v
 *	   bucket      +--> 3 | fp fp fp | record | record | record |     the hosts of about one cache line of fingerprints
 *	                                              |
 *	                           host, references of its rules, where its paths are
 *
 * A host that is not listed costs the index and the fingerprints: two lines of memory.  Every hit is verified against the stored
 * host and the bucket's sum, so that a collision or a flipped bit can never block.  A table is immutable; any number of threads
 * may ask it without a lock.  Rules are known by their reference only: a u32 that the generation's rows (ruleset/) explain.
 * Nothing here knows levels, dates or actions. */
#ifndef URL_RULES_HOST_TABLE_H
#define URL_RULES_HOST_TABLE_H

#include "base/diag.h"
#include "base/segment.h"
#include "url_rules/url.h"

enum host_scope {
	SCOPE_EXACT,		/* x: the host itself */
	SCOPE_DOMAIN,		/* .x: the host and everything below */
	SCOPE_BELOW,		/* *.x: everything below, not the host */
};

/* One rule that applies to a request, with what made it apply. */
struct host_match {
	uint32_t	 ref;
	uint16_t	 layer;		/* which of the tables that were asked has it */
	enum host_scope	 scope;
	struct slice	 host;		/* of the rule; points into the asked host */
	struct slice	 path;		/* of the rule; points into the asked path; empty for a host rule */
};

struct host_table;

/* Take over SEGMENT (kind SEGMENT_HOSTS) for reading; SEGMENT must outlive the table.  Checks the sections' sizes and
 * alignment, not every record: those are checked when used.  NULL with an error in DIAG. */
struct host_table *host_table_open(const struct segment *segment, struct diag *diag);

void host_table_close(struct host_table *t);

/* Every rule of the N TABLES (at most HOST_TABLES_MAX; NULL ones are skipped) that applies to URL, most specific first: path rules
 * by longest host, then longest path; then the exact host; then domains, longest first.  (A path rule of any host stands before
 * every host rule.)  At most MAX are stored in OUT; the result is how many apply, which may be more.  *DAMAGED is set when a
 * record did not hold together: it was skipped.  No allocation; cost grows with labels, tables and, where a host has path rules,
 * with the path's prefixes, never with the number of rules. */
enum { HOST_TABLES_MAX = 16 };
size_t host_table_match(const struct host_table *const *tables, size_t n, const struct url *url, struct host_match *out,
    size_t max, bool *damaged);

/* Every rule of T with exactly this SCOPE, HOST and PATH (empty: a host rule), in the order of references; at most MAX are stored
 * in OUT, and the result is how many there are.  *DAMAGED is set when a record did not hold together. */
struct host_place {
	uint32_t	ref;
	uint64_t	place;		/* the rule's own number in T, less than host_table_places(T) */
};
size_t host_table_find(const struct host_table *t, enum host_scope scope, struct slice host, struct slice path,
    struct host_place *out, size_t max, bool *damaged);

/* Who asks for many hosts asks memory ahead, some hosts before host_table_find(): first for what tells where a host would be, whose
 * hash is the result; a while later for that place, which is the result then. */
uint64_t host_table_ahead(const struct host_table *t, struct slice host);
uint64_t host_table_ahead_more(const struct host_table *t, uint64_t hash);

/* For who marks rules by a bit: most numbers below it are no rule's. */
uint64_t host_table_places(const struct host_table *t);

/* Hosts stored, and rules of both kinds. */
size_t host_table_hosts(const struct host_table *t);
size_t host_table_rules(const struct host_table *t);

/* Show every rule of T that holds together to VISIT, in the order of the file, until it answers other than 0, which is then the
 * result.  HOST and PATH (empty for a host rule) are borrowed from T.  *DAMAGED is set when something was skipped. */
typedef int host_visit(void *arg, enum host_scope scope, struct slice host, struct slice path, const struct host_place *at);
int host_table_each(const struct host_table *t, host_visit *visit, void *arg, bool *damaged);

/* ---- the compiler ---- */

struct host_builder;

/* An empty builder that holds about MEMORY bytes and puts what is more into DIR (base/sorter.h).  NULL without memory.  The
 * caller's: host_builder_free(). */
struct host_builder *host_builder_new(size_t memory, const char *dir);
void host_builder_free(struct host_builder *b);

/* Add a rule: HOST canonical, PATH a canonical path_query or empty.  Both are copied.  -1 with errno: ERANGE when HOST is empty or
 * longer than HOST_MAX, or PATH longer than a canonical one can be, EINVAL when one has a NUL, else that of sorter_add(). */
enum { HOST_RULES_PER_KEY = 1024 };
int host_builder_add(struct host_builder *b, enum host_scope scope, struct slice host, struct slice path,
    uint32_t ref);

/* Rules added. */
uint64_t host_builder_count(const struct host_builder *b);

/* Write the segment to PATH.  The result depends on what was added, not on the order; a rule added twice is written
 * once.  Once a builder.  -1 with an error in DIAG.  Of more than HOST_RULES_PER_KEY rules for one host, path and scope those with
 * the lowest references are taken, with a warning. */
int host_builder_write(struct host_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
