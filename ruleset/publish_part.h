/* publish_part.h - what the files of the publisher share: one publish while it runs.  Not for others. */
#ifndef RULESET_PUBLISH_PART_H
#define RULESET_PUBLISH_PART_H

#include "ruleset/compile.h"
#include "ruleset/gate.h"
#include "ruleset/publish.h"
#include "ruleset/site.h"
#include "ruleset/sources.h"
#include "ruleset/spread.h"
#include "runtime/state.h"

/* Whose a source is.  Where room is limited the rules of the site's own come first, and those of feeds last: nobody crowds out
 * others. */
enum source_owner { OWNER_SITE, OWNER_ALERT, OWNER_FEED, OWNERS };

/* A rule of a list, on its way to be looked for among those that are there. */
struct queued_rule {
	struct rule		 rule, row;	/* as the list says it, and as a row is to */
	struct rule_match	 match;
	uint64_t		 hash;		/* spread_ahead() */
	unsigned		 line;
	struct buf		 texts;		/* all that the three borrow */
};

enum { RULES_QUEUED = 16 };

/* What changed in a feed since the generation before. */
struct feed_change {
	struct queued_rule queue[RULES_QUEUED];
	size_t		 n_queued;
	struct spread	*spread;		/* what its layers have */
	struct sorter	*changes;		/* spread_change() */
	struct buf	 bytes;			/* one of them, while it is made */
	uint64_t	 n;			/* of them that are by value */
	uint64_t	 few;			/* spread_few() */
	uint64_t	 counts[ROW_COUNTS];	/* what the list has now */
	bool		 whole;			/* it is not worth a delta */
	bool		 writes;		/* there is something to be written */
};

/* When the rules of a feed end that have no date of their own. */
struct feed_end {
	bool		 known;
	int64_t		 at;
};

struct feed_ends {
	struct feed_end	 hosts, files;
};

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
	uint64_t			 decided;	/* a hash of what was decided about its rules; 0 = nothing */
	struct feed_ends		 ends;		/* of a feed that was read */
	struct feed_change		*change;	/* of a feed that was read against what it was; NULL */
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
	struct spread_marks		 marks;		/* what of them stays */
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
	struct feed_ends		 ends;		/* of it */
	struct feed_change		*change;	/* of it; NULL: it is read as a whole */
	bool				 lints_all;	/* what was asked of rules before is not what is asked now */
};

/* "out of memory" into P's diag; -1. */
int publish_no_memory(struct publisher *p);

/* publish_read.c: site, suffixes, which sources there are and changed, what they protect.  -1 with errors. */
int publish_read_all(struct publisher *p);

/* Read, lint and compile the changed source S, into the compiler's current source.  -1 with errors. */
int publish_compile_source(struct publisher *p, struct publish_source *s);

/* publish_delta.c: read the changed feeds that are large enough against what their layers have.  -1 with errors. */
int publish_read_changes(struct publisher *p);

/* A rule of the feed that is read so.  -1 with errno. */
int publish_visit_change(struct publisher *p, const struct rule *rule, const struct rule_match *match, unsigned line);

/* RULE, of the source that is read, as its row is to say it: of most feeds, that it ends as the source does. */
struct rule publish_row(struct publisher *p, const struct rule *rule);

/* S is a file in a format of others. */
bool publish_is_feed(const struct publish_source *s);

/* Write what S is with its layers from FIRST on folded in, as spread_write() does; the source NAMED, of which nothing changed.
 * -1 with an error. */
int publish_write_spread(struct publisher *p, struct spread *s, size_t first, struct sorter *changes,
    const uint64_t counts[static ROW_COUNTS]);
int publish_merge_source(struct publisher *p, const struct manifest_source *named, size_t first);

/* NULL is fine. */
void publish_free_change(struct feed_change *c);

/* publish_layers.c: S is what was rehearsed, when it was; else an error says so. */
bool publish_is_as_rehearsed(const struct publisher *p, const struct publish_source *s);

/* Open the layers of BEFORE; those that cannot be are NULL, and said.  VERIFY looks at every
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
