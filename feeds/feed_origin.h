/* feed_origin.h - where a feed comes from, as its line in sources.conf says: what "firebreak update" fetches, and within which
 * limits.
 *
 *	mal  origin=https://feeds.example/mal.txt format=hosts every=1h expires=3d header=/etc/firebreak/mal.header
 *
 * Keys: origin every key header redirects ca proxy max unpacked lines timeout budget (feed_origin.def).  A header file is read by
 * its own function, as late as can be; nothing of it is ever in a message. */
#ifndef FEEDS_FEED_ORIGIN_H
#define FEEDS_FEED_ORIGIN_H

#include "base/option.h"
#include "feeds/minisign.h"

struct feed_origin {
#define OPTION OPTION_MEMBER
#include "feeds/feed_origin.def"
#undef OPTION
};

enum { FEED_KEYS = 2, FEED_HEADER_LINES = 16, FEED_HEADER_MAX = 8192 };

/* A feed that nobody fetches.  -1 without memory. */
int feed_origin_init(struct feed_origin *o);
void feed_origin_fini(struct feed_origin *o);

/* KEY is one of the keys above: its row; NULL. */
const struct option *feed_origin_find(struct slice key);

/* Set ROW from VALUE.  -1 with WHY when it is none. */
int feed_origin_set(struct feed_origin *o, const struct option *row, struct slice value, char why[static OPTION_WHY]);

/* The keys of O go together; LIFE is how long its rules last (0 = ever or not said).  NULL, or what is wrong. */
const char *feed_origin_trouble(const struct feed_origin *o, int64_t life);

/* The keys that O pins into KEYS; how many. */
size_t feed_origin_keys(const struct feed_origin *o, struct minisign_public keys[static FEED_KEYS]);

/* O allows a redirect to HOST, a host without a port. */
bool feed_origin_redirects_to(const struct feed_origin *o, struct slice host);

/* URL as it may be shown: without what stands behind '?', which may be a secret. */
struct slice feed_origin_shown(const char *url);

/* The lines of the header file PATH, each NUL-terminated in TEXT, which the caller wipes and frees: how many, their beginnings in
 * LINES.  -1 with WHY when it cannot be read, others may read it, or it is no list of header fields. */
int feed_origin_headers(const char *path, struct buf *text, const char *lines[static FEED_HEADER_LINES],
    char why[static OPTION_WHY]);

#endif
