/* lines.h - lines that are put into files, or put in the place of others, before it is known what else comes there. */
#ifndef SETUP_LINES_H
#define SETUP_LINES_H

#include "setup/conf.h"

/* In a file of CONF: N_OLD lines from LINE on become a marked block with TEXT; LINE is one more than the file has for its end. */
struct line_edit {
	const struct conf	*conf;
	size_t			 file;
	unsigned		 line, n_old;
	char			*text;
};

struct line_edits {
	struct line_edit	*v;
	size_t			 n;
	bool			 failed;	/* no memory */
};

enum { LINES_END = 0x7fffffff };

/* The directive D becomes TEXT, of whole lines or empty. */
void lines_replace(struct line_edits *e, const struct conf *conf, const struct directive *d, const char *text);

/* TEXT is put at the end of file FILE. */
void lines_append(struct line_edits *e, const struct conf *conf, size_t file, const char *text);

/* The text of file FILE with its edits into OUT.  -1 without memory. */
int lines_apply(struct line_edits *e, const struct conf *conf, size_t file, struct buf *out);

/* Free them. */
void lines_fini(struct line_edits *e);

#endif
