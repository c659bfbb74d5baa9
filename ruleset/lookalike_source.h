/* lookalike_source.h - what may be imitated, by whom it may be named, and what else lookalikes are judged by: text, as lookalike(5)
 * has it, read into a builder (url_rules/lookalike.h).
 *
 *	own betterbricks.com			ours; each is a mail domain too
 *	brand paypal.com paypal.me		the first is what its name stands for
 *	embed .sentry.io betterbricks.com	hosts there may embed it
 *
 * The same format serves the site's own file (STATE/lookalike.conf) and the data that comes with firebreak. */
#ifndef RULESET_LOOKALIKE_SOURCE_H
#define RULESET_LOOKALIKE_SOURCE_H

#include "url_rules/lookalike.h"
#include "url_rules/psl.h"

/* The files of the data that comes with firebreak, in the folder of the lists (LINT_FOLDER). */
#define LOOKALIKE_CLASSES_FILE	"lookalike-classes.txt"
#define LOOKALIKE_BRANDS_FILE	"lookalike-brands.txt"
#define LOOKALIKE_WORDS_FILE	"lookalike-words.txt"
#define LOOKALIKE_GLYPHS_FILE	"lookalike-glyphs.txt"

/* Read the file at PATH into B.  A line that begins with no word of the format is what PLAIN says, "own" for example; NULL: an
 * error.  A domain that is itself one of ICANN's suffixes by SUFFIXES (NULL: nobody knows) protects nothing: a warning.
 * -1 with "file:line:col" errors in DIAG; what is good is in B all the same.  errno is ENOENT when there is no such file. */
int lookalike_source_read(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *plain, const char *path,
    struct diag *diag);

/* The same of TEXT, the content of FILE. */
int lookalike_source_text(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *plain, const char *file,
    struct slice text, struct diag *diag);

/* Add DOMAINS, which the site named elsewhere, words with one blank between them, as its own. */
int lookalike_source_own(struct lookalike_builder *b, const struct public_suffixes *suffixes, struct slice domains);

/* Read what comes with firebreak from the folder LISTS: classes, words and glyphs, with BRANDS brands and leads, too.  A file that
 * is missing is a note.  -1 with errors. */
int lookalike_source_shipped(struct lookalike_builder *b, const struct public_suffixes *suffixes, const char *lists, bool brands,
    struct diag *diag);

#endif
