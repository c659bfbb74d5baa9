/* feed_settings.h - what sources.conf says of one feed.
 *
 *	abuse-urls  action=block level=3 expires=2d separator=, url=url filter=url_status:online
 *
 * Keys: action level expires format apex ports separator host url md5 sha1 sha256 digest size name filter
 * confidence, and those of feed_origin.h. */
#ifndef FEEDS_FEED_SETTINGS_H
#define FEEDS_FEED_SETTINGS_H

#include "feeds/feed.h"
#include "feeds/feed_origin.h"

struct feed_settings {
	struct feed_options	 options;	/* points into what follows */
	bool			 has_format, has_life;
	enum feed_format	 format;
	uint8_t			 level;
	int64_t			 life;		/* seconds, 0 = ever; when HAS_LIFE */
	struct feed_filter	 filters[FEED_FILTERS_MAX];
	struct buf		 texts;		/* NUL-terminated */
	struct feed_origin	 origin;
};

/* Read TEXT, which stands in line LINE of CONF from column COL on, behind the feed's name.  -1 with errors at CONF:LINE:COL in
 * DIAG.  feed_settings_fini() is due in either case; OUT may not be moved. */
int feed_settings_read(struct feed_settings *out, const char *conf, unsigned line, unsigned col, struct slice text,
    struct diag *diag);
void feed_settings_fini(struct feed_settings *s);

#endif
