/* publish_part.h - what the files of the publisher share: one publish while it runs.  Not for others. */
#ifndef RULESET_PUBLISH_PART_H
#define RULESET_PUBLISH_PART_H

#include "ruleset/compile.h"
#include "ruleset/gate.h"
#include "ruleset/publish.h"
#include "ruleset/site.h"
#include "ruleset/sources.h"
#include "runtime/state.h"

/* Whose a source is.  Where room is limited the rules of the site's own come first, and those of feeds last: nobody crowds out
 * others. */
enum source_owner { OWNER_SITE, OWNER_ALERT, OWNER_FEED, OWNERS };

/* A source of this publish: a file, a source of the generation before, or both. */
struct publish_source {
	struct slice			 name;
	const struct source_file	*file;		/* NULL: it is not there any more, or not looked at */
	const struct manifest_source	*before;	/* NULL: it is new */
	enum source_owner		 owner;
	uint64_t			 stamp;		/* of the file and of what was decided about its rules */
	bool				 changed;	/* it is read from its file */
	bool				 dropped;
	bool				 kept;		/* it was read, and what it says is held as a whole: it stays as before */
};

struct publisher {
	const struct publish_options	*options;
	struct publish_report		*report;
	struct diag			*diag;
	char				 rules_dir[STATE_PATH];
	int				 lock;		/* -1: none, or the caller's */
	struct manifest			 before;	/* its generation is 0 when there is none */
	bool				 distrust;	/* what BEFORE says of sources is not enough: all are read */
	struct layer			*layers[MANIFEST_LAYERS];	/* of BEFORE; NULL when it could not be opened */
	struct site			 site;
	struct buf			 pages;		/* templates/page_set.h */
	struct public_suffixes		*suffixes;
	struct source_list		 list;
	struct publish_source		*sources;	/* by name */
	size_t				 n_sources;
	struct buf			 protected;	/* lines "SOURCE HOST", by source */
	struct slice			*domains;	/* the hosts in it */
	size_t				 n_domains;
	struct gate			*gate;
	uint64_t			 context;
	struct compiler			*compiler;	/* NULL for a dry run, and while nothing is new */
	bool				 made_lookalike;	/* the MANIFEST's segment of lookalikes is this publish's own */
	struct manifest_layer		 new_layer;	/* its number is 0 while there is none */
	bool				 folded[MANIFEST_LAYERS];	/* which of BEFORE's layers go into it */
	uint64_t			 counts[ROW_COUNTS];		/* of what was read in a dry run */
	const struct publish_source	*current;	/* while it is read */
};

/* "out of memory" into P's diag; -1. */
int publish_no_memory(struct publisher *p);

/* publish_read.c: site, suffixes, which sources there are and changed, what they protect.  -1 with errors. */
int publish_read_all(struct publisher *p);

/* Read, lint and compile the changed source S, into the compiler's current source.  -1 with errors. */
int publish_compile_source(struct publisher *p, const struct publish_source *s);

/* publish_layers.c: open the layers of BEFORE; those that cannot be are NULL, and said.  VERIFY looks at every
 * byte. */
void publish_open_layers(struct publisher *p, bool verify);

/* Decide which layers are folded in, compile, and write the new layer if there is anything new.  -1 with errors. */
int publish_make_layer(struct publisher *p);

/* Whose source NAME of LAYER is, as its first rule tells. */
enum source_owner publish_owner_of(const struct layer *layer, struct slice name);

/* Copy source NAME, which LAYER has, into the compiler.  -1 with an error. */
int publish_copy_source(struct publisher *p, const struct layer *layer, struct slice name);

/* What M is, once the new layer is written: layers and sources.  -1 without memory. */
int publish_name_layers(struct publisher *p, struct manifest *m);

/* publish_pages.c: read the site's pages, or keep BEFORE's when only one source is looked at.  -1 with errors. */
int publish_pages(struct publisher *p);

/* publish_lookalike.c: read what hosts may imitate, and name its segment in M (NULL: a dry run), BEFORE's when it is still
 * that.  -1 with errors. */
int publish_lookalikes(struct publisher *p, struct manifest *m);

/* What N counts, into R. */
void publish_fill_counts(struct publish_report *r, const uint64_t n[static ROW_COUNTS]);

#endif
