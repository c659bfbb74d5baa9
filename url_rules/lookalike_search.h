/* lookalike_search.h - one question about a host while it is answered, for the files of lookalike_*.c.  Not for others. */
#ifndef URL_RULES_LOOKALIKE_SEARCH_H
#define URL_RULES_LOOKALIKE_SEARCH_H

#include "url_rules/lookalike_table.h"

/*	updates.betterbricks.com.secure.upd01.net
 *	                                ^     ^
 *	                                owner suffix		offsets in HOST's text
 */
struct lookalike_search {
	const struct lookalike		*l;
	const struct lookalike_levels	*levels;
	const struct lookalike_host	*host;
	struct lookalike_above		 above;
	size_t				 owner, suffix;	/* where the registrable domain begins, and its public suffix */
	struct slice			 label;		/* the registrable domain's first label */
	size_t				 label_first, label_last;	/* and its tokens */
	bool				 proxy_known;	/* the next four are */
	bool				 academic;	/* only some may register under its suffix */
	bool				 proxy;		/* the host is a library's proxy by its words, under an academic suffix */
	bool				 proxy_sure;	/* and under any */
	struct slice			 proxy_word;
	bool				 lures_known;
	uint64_t			 lures;		/* a bit for each token that is a word that lures use */
	bool				 skeleton;	/* HOST is not what was asked, but what it looks like */
	struct lookalike_search		*plain;		/* for SKELETON: the question about what was asked */
	uint64_t			 decoded;	/* for SKELETON: a bit for each token that was an A-label */
	struct slice			 asked;		/* what was asked, and whose it is */
	struct slice			 registrable;
	uint32_t			 code;		/* for SKELETON: see struct lookalike_finding */
	char				 looks_like;
	struct lookalike_finding	*out;		/* the most severe so far */
	size_t				 out_len;	/* of its target */
	bool				 out_whole;	/* the whole domain was found, not its name alone */
};

/* Something that was found. */
struct lookalike_hit {
	enum lookalike_class	class;
	uint32_t		target;		/* its number */
	size_t			begin, end;	/* of the part that looks like it */
	struct slice		word;
	enum lookalike_level	cap;		/* the most that may be done about it, and why */
	enum lookalike_excuse	excuse;
};

/* Some target of L may begin with the two or more tokens that have the mixed hash MIXED, or be them. */
static inline bool
lookalike_may_begin(const struct lookalike *l, uint64_t mixed)
{
	uint32_t bit = lookalike_bit(mixed, FIRST_BITS);

	return l->first[bit / 8] >> bit % 8 & 1;
}

/* How many tokens a target of L has at most, as far as they are looked for. */
static inline size_t
lookalike_window(const struct lookalike *l)
{
	return l->info.max_tokens < LOOKALIKE_WINDOW_MAX ? l->info.max_tokens : LOOKALIKE_WINDOW_MAX;
}

/* Keep HIT, if it is the most severe one so far. */
void lookalike_consider(struct lookalike_search *s, const struct lookalike_hit *hit);

/* The registrable domain's label alone: E7 to E11. */
void lookalike_find_label(struct lookalike_search *s);

/* Where token T ends in the folded host. */
static inline size_t
lookalike_token_end(const struct lookalike_host *h, size_t t)
{
	return h->at[t] + (size_t)(h->end[t] - h->begin[t]);
}

/* Token T is a word that lures use, with or without digits behind it. */
bool lookalike_is_lure(const struct lookalike *l, const struct lookalike_host *h, size_t t);

/* The bytes of HOST from BEGIN to END. */
static inline struct slice
lookalike_bytes(const struct lookalike_host *h, size_t begin, size_t end)
{
	return slice_make(h->text.p + begin, end - begin);
}

/* The first target whose label is S, of which SUM is the sum of its tokens; UINT32_MAX. */
uint32_t lookalike_by_label(const struct lookalike *l, struct slice s, uint64_t sum, struct lookalike_target *out,
    struct slice *text);

/* The label of TARGET, whose text is TEXT. */
static inline struct slice
lookalike_label_of(const struct lookalike_target *target, struct slice text)
{
	return slice_make(text.p + target->label_at, target->label_len);
}

#endif
