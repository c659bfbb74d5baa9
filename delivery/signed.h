/* signed.h - what the signature of a generation is over: one small text that covers every file of it.
 *
 *	rules/SIGNED.minisig	trusted comment: firebreak-rules epoch=1 generation=17 expires=2026-12-04T14:30:00Z file=SIGNED.17
 *	   |			the one file that is ever replaced, by rename
 *	   v
 *	rules/SIGNED.17		firebreak-signed 1
 *	   |			product firebreak-rules
 *	   |			generation 17
 *	   |			epoch 1
 *	   |			created 2026-11-27T14:30:00Z
 *	   |			expires 2026-12-04T14:30:00Z
 *	   |			next-key RWQ...				only while the key is being changed
 *	   |			file MANIFEST.17 812 9f86d081...
 *	   v			file site-17.seg 4096 60303ae2...	what that MANIFEST names, in its order, and nothing else
 *	rules/MANIFEST.17, rules/site-17.seg, ...
 *
 * Whoever has the first file can tell by the key alone whether he wants the second, and knows its name: no reader ever meets a
 * signature of another generation's text, however long he takes.  Texts are hostile until they are verified, and parsed as if they
 * were after that, too.  Pure. */
#ifndef DELIVERY_SIGNED_H
#define DELIVERY_SIGNED_H

#include "base/diag.h"
#include "feeds/minisign.h"
#include "ruleset/manifest.h"

#define SIGNED_PRODUCT		"firebreak-rules"
#define SIGNED_ENTRY		"SIGNED.minisig"

enum { SIGNED_FILES = 3 + MANIFEST_LAYERS * MANIFEST_SEGMENTS, SIGNED_MAX = 64 * 1024 };

/* The highest generation and epoch: what is more is nobody's honest number. */
#define SIGNED_NUMBER_MAX	(UINT64_C(1) << 62)

struct signed_file {
	char	 name[MANIFEST_NAME];
	uint64_t len;
	uint8_t	 sha256[SEGMENT_SHA256];
};

/* What the trusted comment says, which is known before the text. */
struct signed_head {
	uint64_t generation, epoch;
	int64_t	 expires;		/* seconds */
};

struct signed_text {
	struct signed_head	head;
	int64_t			created;
	bool			has_next;
	struct minisign_public	next;		/* the key that will sign after this one */
	size_t			n;
	struct signed_file	files[SIGNED_FILES];	/* the MANIFEST's own is the first */
};

/* "SIGNED.17" and "MANIFEST.17" into OUT. */
void signed_name(uint64_t generation, char out[static MANIFEST_NAME]);
void signed_manifest_name(uint64_t generation, char out[static MANIFEST_NAME]);

/* List the files of M, whose text is MANIFEST, in OUT. */
void signed_list(const struct manifest *m, struct slice manifest, struct signed_text *out);

/* M, whose text is MANIFEST, is what T lists: no file more or less, each with the size and the SHA-256 that T says. */
bool signed_covers(const struct signed_text *t, const struct manifest *m, struct slice manifest);

/* Append the text, and the trusted comment. */
int signed_format(const struct signed_text *t, struct buf *out);
int signed_comment_format(const struct signed_head *head, struct buf *out);

/* Read a trusted comment.  -1 with EBADMSG: it is not exactly what signed_comment_format() writes. */
int signed_comment_parse(struct slice comment, struct signed_head *out);

/* Read TEXT, the content of FILE, of generation HEAD.  -1 with "file:line" errors in DIAG: another version or product, a line that
 * is missing, repeated or unknown, a name that is no plain file name, too many files, another head. */
int signed_parse(const char *file, struct slice text, const struct signed_head *head, struct signed_text *out, struct diag *diag);

#endif
