/* lookalike_table.h - the mapped tables of a lookalike segment, for the files of lookalike_*.c.  Not for others. */
#ifndef URL_RULES_LOOKALIKE_TABLE_H
#define URL_RULES_LOOKALIKE_TABLE_H

#include "url_rules/lookalike_format.h"

/* A section of equal entries. */
struct lookalike_array {
	const char	*p;
	uint32_t	 n;
};

struct lookalike {
	struct lookalike_info	info;
	struct slice		text;
	struct lookalike_array	names, targets, embeds, words, glyphs;
	struct lookalike_array	index[LOOKALIKE_INDEXES];
	const uint8_t		*first, *edits;
	uint64_t		powers[LOOKALIKE_HOST_MAX + 1];	/* of LOOKALIKE_BASE */
};

/* A host taken apart. */
struct lookalike_host {
	struct slice	text;
	size_t		n;				/* tokens */
	size_t		n_bytes;			/* of FOLDED */
	bool		encoded;			/* some label may be an A-label */
	uint64_t	inner;				/* a bit for each token that stands in one, but not first */
	uint8_t		begin[LOOKALIKE_TOKENS_MAX];	/* of a token in TEXT */
	uint8_t		end[LOOKALIKE_TOKENS_MAX];
	uint8_t		at[LOOKALIKE_TOKENS_MAX];	/* and in FOLDED */
	char		folded[LOOKALIKE_HOST_MAX + 1];	/* as lookalike_tokens() has it */
	uint64_t	sums[LOOKALIKE_HOST_MAX + 2];	/* sums[i]: over the first I bytes of FOLDED */
};

/* The next entry of INDEX that may be of MIXED: its number; UINT32_MAX when there is no more.  *AT is 0 at first. */
uint32_t lookalike_next(const struct lookalike *l, enum lookalike_index index, uint64_t mixed, uint32_t *at);

/* Entry I of the arrays; false when there is none, or its text is out of bounds. */
bool lookalike_name_at(const struct lookalike *l, uint32_t i, struct lookalike_name *out, struct slice *text);
bool lookalike_target_at(const struct lookalike *l, uint32_t i, struct lookalike_target *out, struct slice *text);

/* What WORD, whose sum is SUM, means: WORD_*; 0. */
unsigned lookalike_word(const struct lookalike *l, struct slice word, uint64_t sum);

/* The sum over the bytes FROM to TO of a host's FOLDED, or of any other array of sums. */
static inline uint64_t
lookalike_part(const struct lookalike *l, const uint64_t *sums, size_t from, size_t to)
{
	return sums[to] - sums[from] * l->powers[to - from];
}

/* S begins with the prefix of A-labels (RFC 5890 2.3.2.5).  In place: hosts have many labels. */
enum { A_LABEL_PREFIX = sizeof("xn--") - 1 };
static inline bool
lookalike_is_encoded(struct slice s)
{
	return s.len >= A_LABEL_PREFIX && memcmp(s.p, "xn--", A_LABEL_PREFIX) == 0;
}

/* Take HOST, of at most LOOKALIKE_HOST_MAX bytes, apart.  False when it has more than LOOKALIKE_TOKENS_MAX tokens. */
bool lookalike_split(struct slice host, struct lookalike_host *out);

/* What is known of the names above a host. */
struct lookalike_above {
	struct lookalike_suffix	suffix;
	unsigned		flags;		/* NAME_* of all of them */
	struct slice		by[16];		/* for each flag the longest name that has it; borrowed from the table */
	uint32_t		embeds;		/* number of the longest name with NAME_EMBEDS */
};

/* One pass over the labels of H. */
void lookalike_look_above(const struct lookalike *l, const struct lookalike_host *h, struct lookalike_above *out);

/* Hosts under name NAME (a number) may embed TARGET (a number). */
bool lookalike_may_embed(const struct lookalike *l, uint32_t name, uint32_t target);

/* HOST with every A-label (RFC 3492, RFC 5890) as it looks in ASCII, by GLYPHS, into OUT; its length, 0 when no label is one, or
 * none looks like ASCII as a whole.  *CODE is a code point that is not what it looks like, *LOOKS that. */
size_t lookalike_skeleton(const struct lookalike_array *glyphs, struct slice host, char out[static LOOKALIKE_HOST_MAX],
    uint32_t *code, char *looks);

/* One label of an IDN, without "xn--", as code points into OUT; how many, 0 when it is no Punycode. */
size_t lookalike_punycode(struct slice label, uint32_t out[static LOOKALIKE_LABEL_MAX]);

#endif
