/* export_part.h - what the formats share.  For exports/ only.
 *
 * A row while it is sorted: | key | 0xff or NUL | rest |.  Of rows with one key the first is written.
 *
 *	files		key = what is written; rest = what else is
 *	names		key = the host's labels from the right, each followed by 0x01, all bits turned over, so that what lies below a
 *			host comes right before it: whether an allow is among that, is known then.  What survives is sorted once more,
 *			the right way round: a domain then comes right before what lies below it. */
#ifndef EXPORTS_EXPORT_PART_H
#define EXPORTS_EXPORT_PART_H

#include "base/sorter.h"
#include "exports/export.h"

struct export {
	const struct generation		*g;
	const struct export_options	*o;
	struct export_counts		*counts;
	struct sorter			*sorter;
	struct buf			 row;		/* that is put together */
	struct buf			 id;		/* of the rule */
	export_put			*put;
	void				*arg;
	struct buf			 text;		/* that was not put yet */
	uint64_t			 sid;
	bool				 wanted;	/* the rule at hand is of a source that is exported */
	int				 error;		/* errno of a sorter_add() */
};

/* How one kind of format works. */
struct export_form {
	/* Whether RULE, which is high enough and has not expired, acts and can be said; its rows into E's sorter.  A rule that is not
	 * wanted may still say what others leave open; what it answers is not counted. */
	enum export_left (*take)(struct export *e, const struct rule *rule);
	/* All of E's sorter, which is sorted, into E's text. */
	int		 (*write)(struct export *e);
};
extern const struct export_form export_form_names, export_form_files;

/* Add E's row to its sorter. */
void export_add_row(struct export *e);

/* Give TEXT away when there is enough of it, or ALL.  -1 with errno, ENOMEM when it has failed. */
int export_flush(struct buf *text, export_put *put, void *arg, bool all);

/* What the comments of the head say, each line behind MARK. */
int export_head(struct export *e, const char *mark);

/* RULE, or another of its action, is what decides of a request to "http://HOSTPATH", or with BELOW to any host below HOST. */
bool export_decides(const struct export *e, const struct rule *rule, struct slice host, struct slice path, bool below);

/* The same of a file with its digest. */
bool export_file_decides(const struct export *e, const struct rule *rule);

/* HOST is made of letters, digits, '-' and '_' in labels of up to 63, 240 at most: it can stand in every format as it is. */
bool export_host_is_plain(struct slice host);

/* Append TEXT to OUT with whatever is no letter, digit or one of "._-/" as '_'. */
void export_add_plain(struct buf *out, struct slice text);

/* ---- names: of hosts, and of what a STIX bundle has beside them ---- */

enum { END_TURNED = 0xff, LABEL_END = 0x01 };

/* What a row means of its host; the letters are their order. */
enum { BELOW = 'B', DOMAIN = 'D', EXACT = 'E' };
/* A mark says that a part of what it is for is decided otherwise, and comes before the rows of its host. */
enum { MARK = '0', ROW = '1' };

/* What survives of E's sorter, in KEPT, sorted: | key | NUL | scope | action | rest |. */
int export_keep_names(struct export *e, struct sorter *kept);

/* As export_form has it. */
int export_write_names(struct export *e);

/* ---- STIX ---- */

/* Append RULE, of a generation that was made at CREATED, as an indicator.  Its UUID is in OUT.  -1 without memory. */
int export_stix_indicator(const struct rule *rule, int64_t created, struct buf *json, char out[static EXPORT_UUID]);

/* How a bundle begins, up to its first indicator. */
int export_stix_head(struct export *e);

#endif
