/* lookalike.h - hosts that look like ours, told from the host alone.
 *
 *	updates.betterbricks.com.secure.upd01.net
 *	        '--- target ---'        '-------' registrable domain: whose host it is
 *
 * A target is a domain that somebody may imitate: the site's own, its partners', or a brand.  The classes of likeness (target
 * embedding, combosquatting, typosquatting, homographs: UTS 39) are listed below, and in lookalike(5) with examples.  Every hit of
 * a hash is compared with the bytes: a collision finds nothing.  What is looked up is data in a segment that publish makes (kind
 * SEGMENT_LOOKALIKE); nothing about any domain is in this code.
 *
 * Public suffixes (publicsuffix.org/list) are in the same table: one pass over a host's labels gives ICANN's answer, the private
 * one, and what else is known of the names above the host.
 *
 * A table is immutable; any number of threads may ask it without a lock.  Asking allocates nothing.  Its cost grows with the host's
 * tokens, of which there may be LOOKALIKE_TOKENS_MAX, not with the number of targets. */
#ifndef URL_RULES_LOOKALIKE_H
#define URL_RULES_LOOKALIKE_H

#include "base/buf.h"
#include "base/segment.h"

enum lookalike_class {
	LOOKALIKE_NONE,
	LOOKALIKE_E1,		/* whole labels, others after them: betterbricks.com.evil.net */
	LOOKALIKE_E2,		/* a hyphen after it: betterbricks.com-patch.net */
	LOOKALIKE_E3,		/* a hyphen before it: secure-betterbricks.com.evil.net */
	LOOKALIKE_E4,		/* its dots as hyphens: betterbricks-com.evil.net */
	LOOKALIKE_E5,		/* without its dots: betterbrickscom.evil.net */
	LOOKALIKE_E6,		/* its name as a label: betterbricks.evil.net */
	LOOKALIKE_E7,		/* its name and a word, with a hyphen: betterbricks-login.net */
	LOOKALIKE_E8,		/* the same without: betterbrickslogin.net */
	LOOKALIKE_E9,		/* under another suffix: betterbricks.net */
	LOOKALIKE_E10,		/* one letter away: betterbriks.com */
	LOOKALIKE_E11,		/* ASCII that looks alike: betterbrlcks.com */
	LOOKALIKE_TAIL,		/* a hyphen before it, and it ends the host: login-betterbricks.com */
	LOOKALIKE_TAILX,	/* the same, and its suffix falls into a longer one: web-betterbricks.com.cn */
	LOOKALIKE_G,		/* like no target, but as a domain followed by a hyphen: anything.gov-pay.net */
	LOOKALIKE_IDN,		/* letters of other scripts that look alike (UTS 39) */
	LOOKALIKE_UNJUDGED,	/* too long, too many tokens, or no name: nobody can say */
	LOOKALIKE_CLASSES,
};

/* What is done about a finding; the order is that of severity. */
enum lookalike_level { LOOKALIKE_OFF, LOOKALIKE_LOG, LOOKALIKE_WARN, LOOKALIKE_BLOCK };

/* Why something was judged more gently, or not at all. */
enum lookalike_excuse {
	EXCUSE_NONE,
	EXCUSE_OWN,		/* the host is ours, a partner's or the brand's */
	EXCUSE_PARTNER,
	EXCUSE_FAMILY,
	EXCUSE_INFRA,		/* machines make such names there */
	EXCUSE_EMBEDS,		/* the site says that it may */
	EXCUSE_HOSTING,		/* hosting that the site uses */
	EXCUSE_PROXY,		/* a library's proxy */
	EXCUSE_SAME_NAME,	/* the same name under another suffix */
	EXCUSE_BUCKET,		/* buckets are named after domains */
	EXCUSE_SHARED,		/* strangers' hosts side by side: it may be the owner himself */
	EXCUSE_KNOWN,		/* people here have gone to the registrable domain for days */
	EXCUSE_POPULAR,		/* the registrable domain is one that everybody knows */
	EXCUSE_WORD,		/* the target's name is a common word, or too short to be one's own */
	EXCUSE_MIDDLE,		/* it stands amid other words of its label */
	EXCUSE_MACHINE,		/* what it embeds is a machine's name itself */
	EXCUSE_ACADEMIC,	/* only some may register under its suffix */
	EXCUSE_PLAIN,		/* no word that lures use beside the name */
	EXCUSE_WEAK,		/* of our own names only the whole domain is evidence */
};

/* What in the path speaks for a lure, when the host does. */
enum lookalike_path {
	PATH_NOTHING,
	PATH_ADDRESS,		/* a mail address of the site's own */
	PATH_DOMAIN,		/* its domain */
	PATH_PROGRAM,		/* a file that is run */
};

enum { LOOKALIKE_HOST_MAX = 253, LOOKALIKE_TOKENS_MAX = 64, LOOKALIKE_LABEL_MAX = 63 };

struct lookalike_levels {
	uint8_t	level[LOOKALIKE_CLASSES];	/* enum lookalike_level: the most that a class may do */
	uint8_t	own_names;			/* the most of E5 to E11 and TAILX when the target is the site's own or a partner's */
};

struct lookalike_finding {
	enum lookalike_class	 class;
	enum lookalike_level	 level;
	enum lookalike_excuse	 excuse;	/* for a level lower than the class has, or for none */
	bool			 own;		/* the target is the site's own */
	struct slice		 target;	/* borrowed from the table; empty for G and UNJUDGED */
	struct slice		 name;		/* of the target: the label that its owner chose */
	struct slice		 registrable;	/* whose host it is: points into the host, or is the whole of it */
	struct slice		 spelled;	/* the part of the host that looks like it; points into it */
	struct slice		 word;		/* what stands beside the name; points into the host */
	struct slice		 excused_by;	/* the name that EXCUSE is about; borrowed from the table or the host */
	uint32_t		 code;		/* of IDN: a code point that is not what it looks like; 0: an A-label of ASCII alone */
	char			 looks_like;	/* and what that is */
	enum lookalike_path	 path_kind;	/* what lookalike_trace() found beside it */
	struct slice		 path_target;	/* the site's own domain there; borrowed from the table */
	const char		*fault;		/* of UNJUDGED: what is wrong with the host; static */
};

struct lookalike;

/* Take over SEGMENT (kind SEGMENT_LOOKALIKE) for reading; SEGMENT must outlive the result.  Checks the sections' sizes, not every
 * entry: those are checked when used.  NULL with an error in DIAG.  The caller's: lookalike_close(). */
struct lookalike *lookalike_open(const struct segment *segment, struct diag *diag);

/* NULL is fine. */
void lookalike_close(struct lookalike *l);

/* What it was made of, as the compiler was told. */
uint64_t lookalike_stamp(const struct lookalike *l);

/* How many targets are the site's own or its partners', and how many others'. */
size_t lookalike_own(const struct lookalike *l);
size_t lookalike_brands(const struct lookalike *l);

/* Judge HOST, canonical (host_canonical()) and no address; '_' counts as a hyphen, and so does what no name has, when what is found
 * then is worse.  True when OUT has a finding whose level is LOOKALIKE_LOG or more: the most severe one; of equals the site's own
 * targets first.  False when there is none; OUT then says in EXCUSE and EXCUSED_BY why, when something would have been found, and
 * CLASS what.  Pure; below a microsecond for usual hosts. */
bool lookalike_find(const struct lookalike *l, struct slice host, const struct lookalike_levels *levels,
    struct lookalike_finding *out);

/* Look in the beginning of PATH_QUERY, of a URL whose host F is about, for the site's own domains, mail addresses under them, and
 * the end of a program's name.  True when there is one, and F says so; alone it means nothing.  Pure. */
bool lookalike_trace(const struct lookalike *l, struct slice path_query, struct lookalike_finding *f);

/* One plain sentence about a finding, without subject: "embeds betterbricks.com, but is registered under upd01.net".  -1 when OUT
 * had no room. */
int lookalike_format(const struct lookalike_finding *f, struct buf *out);

/* "E1", "TAILX", "IDN"; "none". */
const char *lookalike_class_name(enum lookalike_class class);

/* "off", "log", "warn", "block". */
const char *lookalike_level_name(enum lookalike_level level);

/* What the public suffix list says of HOST: the lengths of ICANN's suffix and of the one by both parts (see struct suffix_answer in
 * psl.h), and whether a written rule of either decided. */
struct lookalike_suffix {
	size_t	icann, any;
	bool	listed;
};

/* One pass over the labels of HOST, canonical and no address, of at most LOOKALIKE_HOST_MAX bytes. */
struct lookalike_suffix lookalike_suffix(const struct lookalike *l, struct slice host);

/* Whose HOST is, canonical and no address: the part of it that lookalike_find() gives as its registrable domain.  Empty when it
 * cannot be told. */
struct slice lookalike_registrable(const struct lookalike *l, struct slice host);

/* A name that something is known of (the site's own, a partner's, a brand's, machines', shared hosting, what everybody knows), or a
 * public suffix, that DOMAIN is, lies in, or has below it: who refuses all of DOMAIN would refuse hosts that are not the
 * attacker's.  True with *NAME, borrowed from the table, and *WHY, the excuse that its hosts have; EXCUSE_NONE for a public suffix.
 * Looks at every name of the table. */
bool lookalike_touches(const struct lookalike *l, struct slice domain, struct slice *name, enum lookalike_excuse *why);

/* ---- the compiler ---- */

struct public_suffixes;
struct lookalike_builder;

/* An empty builder; NULL without memory.  The caller's: lookalike_builder_free(), which takes NULL. */
struct lookalike_builder *lookalike_builder_new(void);
void lookalike_builder_free(struct lookalike_builder *b);

/* Something was added that hosts may look like. */
bool lookalike_builder_useful(const struct lookalike_builder *b);

/* Add all of LIST, which must live as long as the builder. */
int lookalike_builder_suffixes(struct lookalike_builder *b, const struct public_suffixes *list);

/* Hosts under NAME, canonical, are FLAGS (NAME_* of lookalike_format.h).  This and the others: -1 with errno, ENOSPC when there
 * are too many, ERANGE when it is too long. */
int lookalike_builder_name(struct lookalike_builder *b, struct slice name, unsigned flags);

/* DOMAIN, canonical, may be imitated; FLAGS are TARGET_*.  Hosts under it are what the flags say: ours, a partner's, a brand's. */
int lookalike_builder_target(struct lookalike_builder *b, struct slice domain, unsigned flags);

/* Hosts under NAME may embed the target DOMAIN; anything when it is empty. */
int lookalike_builder_embed(struct lookalike_builder *b, struct slice name, struct slice domain);

/* WORD has FLAGS (WORD_*); with 0 it is a common word: a target named so is no brand's alone. */
int lookalike_builder_word(struct lookalike_builder *b, struct slice word, unsigned flags);

/* CODE looks like LOOKS, up to GLYPH_TEXT characters of a-z, 0-9. */
int lookalike_builder_glyph(struct lookalike_builder *b, uint32_t code, struct slice looks);

/* Write the segment to PATH with STAMP.  The result does not depend on the order of adding.  -1 with an error in DIAG. */
int lookalike_builder_write(struct lookalike_builder *b, uint64_t stamp, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag);

#endif
