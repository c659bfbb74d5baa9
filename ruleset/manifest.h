/* manifest.h - the MANIFEST: which segments make up the current generation.  It is the truth; everything else is a hint.
 *
 *	firebreak-manifest 3
 *	generation 17
 *	created 2026-11-24T14:30:00Z
 *	context 60303ae22b998861			what lint and compiling depend on beside the sources
 *	rolled-back 15					only after a rollback
 *	segment site site-17.seg 4096 9f86d081...
 *	segment lookalike lookalike-9.seg 4096 7d38...	what hosts may imitate, as the generation that made it left it; may be missing
 *	layer 12					the base: its segments follow
 *	segment rules rules-12.seg 4096 9f86d081...
 *	segment hosts hosts-12.seg 8192 60303ae2...
 *	layer 17
 *	segment rules rules-17.seg 512 fd61a03a...
 *	source feed-a 12,17 937166 6e340b9cffb37a98 2026-12-24T14:30:00Z never 0000000000000000
 *	source local 17 4 31ebdfce8b77ac49		which layers have its rules, how many, and what was read
 *	end 3b5d5c3712955042212316173ccf37be...		SHA-256 of everything above this line
 *
 * The rules of a source are in the layers that its line names, and what another layer still has of it does not count.  So a source
 * is replaced by a new layer and a changed line, and dropped by a line less; no other file is touched.  The first of several layers
 * has all of the source, as it was then, and each later one what changed: what that says of a value, a rule or that there is none
 * any more, counts instead of what the earlier ones say.  Layers stand from the oldest to the newest, here and in a source's line.
 * A feed's line goes on: when its rules end, those for files apart, and a hash of what people had decided about its rules.
 *
 * Version 2 had no source in several layers, and no ends: it is read, and written as version 3.  Written last, by rename; read
 * whole. */
#ifndef RULESET_MANIFEST_H
#define RULESET_MANIFEST_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/segment.h"

enum { MANIFEST_LAYERS = 16, MANIFEST_SEGMENTS = 7, MANIFEST_NAME = 64, MANIFEST_SOURCES = 4096, MANIFEST_MAX = 2 << 20 };

struct manifest_segment {
	enum segment_kind kind;
	char		 name[MANIFEST_NAME];	/* a file name: letters, digits, '-', '_' and '.', not starting with '.' */
	uint64_t	 len;
	uint8_t		 sha256[SEGMENT_SHA256];
};

struct manifest_layer {
	uint64_t	 number;		/* of the generation that made it */
	size_t		 n;
	struct manifest_segment segments[MANIFEST_SEGMENTS];
};

struct manifest_source {
	char		 name[MANIFEST_NAME + 1];	/* as the MANIFEST_NAME of a file, of up to MANIFEST_NAME bytes */
	uint64_t	 layer, rules;		/* LAYER: the newest that has something of it */
	uint64_t	 stamp;			/* of the file as it was read; 0 = to be read again */
	size_t		 n_older;
	uint64_t	 older[MANIFEST_LAYERS - 1];	/* the other layers, from the oldest on, that has all of it as it was then */
	bool		 has_ends;		/* of a feed: what follows is known */
	int64_t		 host_end, file_end;	/* seconds: when the rules end whose rows say so (rule.h); 0 = never */
	uint64_t	 decided;		/* a hash of what was decided about its rules */
};

struct manifest {
	uint64_t		 generation;	/* from 1 */
	int64_t			 created;	/* seconds */
	uint64_t		 context;
	uint64_t		 rolled_back;	/* the generation whose rules these are again; 0 = none */
	struct manifest_segment	 site;		/* its length is 0 while there is none */
	struct manifest_segment	 lookalike;	/* the same */
	size_t			 n_layers, n_sources;
	struct manifest_layer	 layers[MANIFEST_LAYERS];
	struct manifest_source	*sources;	/* sorted by name; the manifest's own */
};

/* Free what M holds; a zeroed struct is fine. */
void manifest_fini(struct manifest *m);

/* A copy that the caller frees by manifest_fini().  -1 without memory. */
int manifest_copy(const struct manifest *from, struct manifest *to);

/* Read TEXT, the content of FILE.  -1 with "file:line" errors in DIAG: wrong version, missing or repeated lines, a name
 * that is no plain file name, a source in a layer that is none, a wrong sum.  OUT is to be freed in either case. */
int manifest_parse(const char *file, struct slice text, struct manifest *out, struct diag *diag);

/* The same for the file at PATH, whole.  errno is ENOENT when there is none, EBADMSG when the text is refused, else what the
 * system says. */
int manifest_load(const char *path, struct manifest *out, struct diag *diag);

/* Append the text that manifest_parse() reads. */
int manifest_format(const struct manifest *m, struct buf *out);

/* NAME is the name of a file that a MANIFEST may name: plain, and nothing that leaves a folder. */
bool manifest_is_name(struct slice name);

/* The segment of KIND in LAYER; NULL when there is none. */
const struct manifest_segment *manifest_find(const struct manifest_layer *layer, enum segment_kind kind);

/* The layer NUMBER, and the source NAME; NULL when there is none. */
const struct manifest_layer *manifest_layer(const struct manifest *m, uint64_t number);
struct manifest_source *manifest_source(const struct manifest *m, struct slice name);

/* Layers that S is in, and the number of one, from the oldest, 0, on; whether one of them is LAYER. */
size_t manifest_source_layers(const struct manifest_source *s);
uint64_t manifest_source_layer(const struct manifest_source *s, size_t i);
bool manifest_source_is_in(const struct manifest_source *s, uint64_t layer);

/* Let S be in the N LAYERS, from the oldest on; N is at least 1 and at most MANIFEST_LAYERS. */
void manifest_source_set(struct manifest_source *s, const uint64_t *layers, size_t n);

/* Add a source, whose name comes after those that are there.  -1 without memory or room (errno E2BIG). */
int manifest_add_source(struct manifest *m, const struct manifest_source *source);

/* "rules", "hosts", "digests", "site", "addresses", "patterns", "names", "exceptions", "lookalike". */
const char *segment_kind_name(enum segment_kind kind);

#endif
