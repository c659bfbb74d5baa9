/* layer.h - the mapped segments of one layer of a generation, shared by the generations that have it. */
#ifndef RULESET_LAYER_H
#define RULESET_LAYER_H

#include "hashdb/hashdb.h"
#include "ruleset/exceptions.h"
#include "ruleset/manifest.h"
#include "ruleset/rows.h"
#include "url_rules/address_table.h"
#include "url_rules/host_table.h"
#include "url_rules/lookalike.h"
#include "url_rules/name_table.h"
#include "url_rules/path_patterns.h"

struct layer {
	unsigned		 users;		/* counted: layer_get(), layer_put() */
	struct manifest_layer	 named;
	struct segment		*segments[MANIFEST_SEGMENTS];
	struct rows		*rows;
	struct host_table	*hosts;		/* NULL: none */
	struct hashdb		*digests;	/* NULL: none */
	struct address_table	*addresses;	/* NULL: none */
	struct path_patterns	*patterns;	/* NULL: none */
	struct name_table	*names;		/* NULL: none */
	struct exceptions	*exceptions;	/* NULL: none */
};

/* Map the segments of RULES_DIR that NAMED names.  VERIFY checks every SHA-256; otherwise those up to GENERATION_VERIFY bytes, and
 * all when the layer is a delta of some source.
 * NULL with an error in DIAG.  The caller is its first user. */
struct layer *layer_open(const char *rules_dir, const struct manifest_layer *named, bool verify, struct diag *diag);

/* One more user, and one less: the last one unmaps it.  Any thread. */
struct layer *layer_get(struct layer *layer);
void layer_put(struct layer *layer);

/* What hosts may imitate, mapped, and shared by generations in the same way.  Its SHA-256 is checked whatever its size: a
 * flipped bit may make no finding. */
struct lookalike_layer {
	unsigned		 users;
	struct manifest_segment	 named;
	struct segment		*segment;
	struct lookalike	*table;
};

/* The same of result and of the last user as for layers. */
struct lookalike_layer *lookalike_layer_open(const char *rules_dir, const struct manifest_segment *named, struct diag *diag);
struct lookalike_layer *lookalike_layer_get(struct lookalike_layer *layer);
void lookalike_layer_put(struct lookalike_layer *layer);

/* It is what NAMED names. */
bool layer_is(const struct layer *layer, const struct manifest_layer *named);

/* Map one segment of RULES_DIR as M says; the same of VERIFY. */
struct segment *layer_open_segment(const char *rules_dir, const struct manifest_segment *m, bool verify, struct diag *diag);

/* FAULT, which is freed, is an error of M's content: into DIAG under the file's name. */
void layer_refuse_content(const char *rules_dir, const struct manifest_segment *m, struct diag *fault, struct diag *diag);

#endif
