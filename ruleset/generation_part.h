/* generation_part.h - what a generation is made of, for those who open it, ask it, and go through it.  For ruleset/generation*.c
 * only. */
#ifndef RULESET_GENERATION_PART_H
#define RULESET_GENERATION_PART_H

#include "ruleset/generation.h"
#include "ruleset/layer.h"

/* A source of a layer as this generation sees it. */
struct seen_source {
	const struct manifest_source *named;	/* NULL: it is dropped, or in other layers */
	bool		 counts;
	bool		 is_older;		/* newer layers have something of it, too */
	uint32_t	 removed;		/* the row of values that are gone; UINT32_MAX: none are */
};

/* A layer as this generation sees it. */
struct view {
	struct layer	*layer;
	struct seen_source *sources;	/* of the layer, and one for rows of none */
	bool		 all;		/* every row counts, and no other layer has anything of its source */
};

struct generation {
	struct manifest		 manifest;
	struct view		 views[MANIFEST_LAYERS];
	const struct host_table	*hosts[MANIFEST_LAYERS];	/* of the views */
	struct site		 site;
	struct page_set		*pages;		/* NULL: none of the site's own */
	struct lookalike_layer	*lookalike;	/* NULL: none */
	uint64_t		 n[ROW_COUNTS];
	uint64_t		 n_rules;
	size_t			 n_placed;	/* sources that count, once a layer */
	unsigned		 algs, sizeless;
	bool			 split;		/* some source is in several layers */
};

/* How the source of row REF of view LAYER is seen. */
static inline const struct seen_source *
generation_source_of(const struct generation *g, unsigned layer, uint32_t ref)
{
	const struct view *v = &g->views[layer];

	return &v->sources[rows_source_of(v->layer->rows, ref)];
}

#endif
