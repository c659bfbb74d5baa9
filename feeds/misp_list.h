/* misp_list.h - the events of a MISP feed that was fetched, as one list: one file, so that it is replaced as a whole or not at all.
 *
 *	[
 *	{"fetched":"UUID TIMESTAMP SHA256 LENGTH LINES ENTRIES SKIPPED BAD"},	what the manifest said of it, and what is in it
 *	{"Event":{...}},							LENGTH bytes, as they came
 *	...
 *	]
 *
 * It is JSON that the reader of the format misp reads, and passes over what was "fetched".  From those lines the next update knows
 * what it need not ask for again.  Nothing here is believed by anybody who has not compared the list's digest before. */
#ifndef FEEDS_MISP_LIST_H
#define FEEDS_MISP_LIST_H

#include "feeds/feed.h"
#include "feeds/misp_manifest.h"

struct misp_kept {
	struct misp_event	event;		/* of the manifest that it came by */
	off_t			at;		/* of its file, in the list */
	uint64_t		len;
	struct feed_counts	counts;		/* its lines, entries, skipped and bad */
};

struct misp_list {
	struct misp_kept	*v;		/* in the order of their names */
	size_t			 n;
};

/* Read which events the list FD has.  One that is no such list has none.  -1 with errno: it cannot be read.  misp_list_free() is
 * due in either case. */
int misp_list_read(int fd, struct misp_list *out);
void misp_list_free(struct misp_list *list);

/* The one of that UUID; NULL. */
const struct misp_kept *misp_list_find(const struct misp_list *list, const char *uuid);

/* A list that is written, in the order of the events' names. */
struct misp_list_out {
	int		fd;
	size_t		n;
	uint64_t	bytes;
};

/* Append KEPT, whose file stands in FROM.  -1 with errno. */
int misp_list_add(struct misp_list_out *out, const struct misp_kept *kept, int from);

/* The end of it, due also when it has none.  -1 with errno. */
int misp_list_end(struct misp_list_out *out);

#endif
