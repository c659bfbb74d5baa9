/* lookalike_format.h - the layout of a lookalike segment, for the reader and the compiler.
 *
 *	section INFO         one struct lookalike_info
 *	section TEXT         the bytes of all names, side by side
 *	section NAMES        struct lookalike_name each: public suffixes, and names whose hosts are judged in a special way
 *	section TARGETS      struct lookalike_target each: what somebody may imitate
 *	section EMBEDS       struct lookalike_embed each, by name: "hosts under NAME may embed TARGET"
 *	section WORDS        struct lookalike_word each: words that mean something beside a target
 *	section GLYPHS       struct lookalike_glyph each, by code point: what looks like ASCII letters
 *	section FIRST        a bit for each hash of a target's first two, three ... tokens, to all of them
 *	section EDITS        a bit for each hash in INDEX_TYPO: most that is asked there is not
 *	section INDEX + i    u32 each, open addressing: 0, or the number of an entry + 1 in the low bits and a fingerprint above
 *
 * All hashes are of a name's folded form, its tokens with one '.' between them, so that one array of sums over a host gives the
 * hash of any part of it (struct lookalike_sums).  A hit is only believed when the bytes are the same.  The reader checks all
 * offsets and numbers when they are used; that no bit flipped is known by the segment's SHA-256, which is checked whenever it is
 * opened. */
#ifndef URL_RULES_LOOKALIKE_FORMAT_H
#define URL_RULES_LOOKALIKE_FORMAT_H

#include "base/slice.h"
#include "url_rules/lookalike.h"

enum {
	LOOKALIKE_INFO = 1, LOOKALIKE_TEXT, LOOKALIKE_NAMES, LOOKALIKE_TARGETS, LOOKALIKE_EMBEDS, LOOKALIKE_WORDS,
	LOOKALIKE_GLYPHS, LOOKALIKE_FIRST, LOOKALIKE_EDITS, LOOKALIKE_INDEX,
};

/* The tables that are looked up by hash. */
enum lookalike_index {
	INDEX_NAMES,		/* a name -> NAMES */
	INDEX_WHOLE,		/* a target's tokens -> TARGETS */
	INDEX_JOINED,		/* a target without its dots and hyphens -> TARGETS */
	INDEX_LABEL,		/* the label that its owner chose -> TARGETS */
	INDEX_FOLDED,		/* that label as lookalike_fold() has it -> TARGETS */
	INDEX_TYPO,		/* that label without one of its characters -> TARGETS */
	INDEX_WORDS,		/* a word -> WORDS */
	LOOKALIKE_INDEXES,
};

enum { SLOT_BITS = 20, SLOT_ENTRY = (1 << SLOT_BITS) - 1, LOOKALIKE_ENTRIES_MAX = SLOT_ENTRY - 1 };
enum { FIRST_BITS = 1 << 18, EDIT_BITS = 1 << 19, LOOKALIKE_WINDOW_MAX = 16 };

struct lookalike_info {
	uint64_t	stamp;		/* of what it was made of */
	uint32_t	n_own;		/* targets that are ours, and those of others */
	uint32_t	n_brands;
	uint32_t	max_tokens;	/* of a target, at most LOOKALIKE_WINDOW_MAX */
	uint32_t	leads;		/* some word is a WORD_LEAD */
};

/* What the public suffix list says of a name: three bits for ICANN's part, and three for the private one. */
enum { SUFFIX_NAME = 1, SUFFIX_WILDCARD = 2, SUFFIX_EXCEPTION = 4, SUFFIX_BITS = 3, SUFFIX_MASK = 7 };

/* What a name means for hosts under it. */
enum {
	NAME_OWN = 1 << 0,	/* ours */
	NAME_PARTNER = 1 << 1,
	NAME_FAMILY = 1 << 2,	/* a brand's own */
	NAME_INFRA = 1 << 3,	/* names of others' domains are made here for machines: caches, translators */
	NAME_PROXY = 1 << 4,	/* library proxies: every host is somebody else's name */
	NAME_SHARED = 1 << 5,	/* strangers have hosts side by side */
	NAME_BUCKET = 1 << 6,	/* the same, and they are named after domains by custom */
	NAME_POPULAR = 1 << 7,	/* everybody knows it */
	NAME_HOSTING = 1 << 8,	/* strangers' hosting that we use: may embed what is ours */
	NAME_EMBEDS = 1 << 9,	/* EMBEDS says what else it may embed */
};

struct lookalike_name {
	uint32_t	at;
	uint8_t		len;
	uint8_t		suffix;
	uint16_t	flags;
};

enum {
	TARGET_OWN = 1 << 0,
	TARGET_PARTNER = 1 << 1,
	TARGET_BRAND = 1 << 2,
	TARGET_WORD = 1 << 3,	/* its label is a common word */
	TARGET_LEADING = 1 << 4,	/* its label stands for it alone: a brand's first, and all of ours */
};

struct lookalike_target {
	uint32_t	at;
	uint32_t	shown;		/* the target that is meant: itself, but for what stands for an IDN as it looks */
	uint8_t		len;
	uint8_t		label_at, label_len;
	uint8_t		flags;
};

struct lookalike_embed {
	uint32_t	name;
	uint32_t	target;		/* LOOKALIKE_ANY: whatever it is */
};

#define LOOKALIKE_ANY	UINT32_MAX

enum {
	WORD_KEY = 1 << 0,	/* login, secure: what lures add to a brand */
	WORD_PROGRAM = 1 << 9,	/* exe: what a file that is run ends in */
	WORD_KEY_WEAK = 1 << 8,	/* store, card: the same, but companies do, too */
	WORD_PROXY = 1 << 1,	/* vpn, library: what library proxies are called where only universities are */
	WORD_PROXY_SURE = 1 << 7,	/* ezproxy: what nothing else is called */
	WORD_ACADEMIC = 1 << 2,	/* edu, gov: only some may register under such a suffix */
	WORD_ACADEMIC_BELOW = 1 << 10,	/* ac, go: the same, but not as a top level */
	WORD_DEFACTO = 1 << 3,	/* com, co: under a country's top level it is a suffix, listed or not */
	WORD_LEAD = 1 << 4,	/* com: no honest label begins with it and a hyphen */
	WORD_LEAD_WEAK = 1 << 5,	/* net: few do */
	WORD_SERVICE = 1 << 6,	/* www, mail: a host that anybody has */
};

struct lookalike_word {
	uint32_t	at;
	uint8_t		len;
	uint8_t		zero;
	uint16_t	flags;
};

enum { GLYPH_TEXT = 4 };

struct lookalike_glyph {
	uint32_t	code;
	char		text[GLYPH_TEXT];	/* what it looks like; filled up with NULs */
};

#define LOOKALIKE_BASE	UINT64_C(0x9e6c63d0876a9a47)

/* The hash of one more byte behind what H is the sum of. */
static inline uint64_t
lookalike_sum(uint64_t h, char c)
{
	return h * LOOKALIKE_BASE + (unsigned char)c + 1;
}

/* Spread the sum H, whose low bits are those of the last bytes. */
static inline uint64_t
lookalike_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

/* The slot of N that a mixed hash begins to look at, and what it leaves there. */
static inline uint32_t
lookalike_slot(uint64_t mixed, uint32_t n)
{
	return (uint32_t)((mixed >> 32) * n >> 32);
}

static inline uint32_t
lookalike_fingerprint(uint64_t mixed)
{
	return (uint32_t)mixed & ~(uint32_t)SLOT_ENTRY;
}

/* The bit of N that stands for a mixed hash: not what chooses its slot. */
static inline uint32_t
lookalike_bit(uint64_t mixed, uint32_t n)
{
	return (uint32_t)mixed % n;
}

/* The sum over all of S. */
static inline uint64_t
lookalike_sum_of(struct slice s)
{
	uint64_t h = 0;

	for (size_t i = 0; i < s.len; i++)
		h = lookalike_sum(h, s.p[i]);
	return h;
}

/* NAME as its tokens, what stands between '.' and '-', with one '.' between them; as many bytes as NAME has at most. */
static inline size_t
lookalike_tokens(struct slice name, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] != '.' && name.p[i] != '-')
			out[n++] = name.p[i];
		else if (n > 0 && out[n - 1] != '.')
			out[n++] = '.';
	}
	return n > 0 && out[n - 1] == '.' ? n - 1 : n;
}

/* S with one character for what ASCII has alike: rn and nn for m, vv for w, cl for d, i and 1 for l, 0 for o, 5 for s; as many
 * bytes as S has at most. */
size_t lookalike_fold(struct slice s, char *out);

#endif
