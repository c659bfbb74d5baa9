/* feed_source.h - feeds as sources of rules: a file in one of the formats of feeds(5), or a folder of such files.
 *
 *	sources/malware.hdb      one file
 *	sources/ut1-phishing/    domains, urls, domains.diff ...: squidGuard's layout
 *	sources/clamav/          main.hdb, daily.hsb, local.fp, local.ign2 ...
 *
 * In a folder, what a ".diff" takes out and what a ".ign2" names does not count. */
#ifndef FEEDS_FEED_SOURCE_H
#define FEEDS_FEED_SOURCE_H

#include "ruleset/sources.h"

/* For publish_options. */
extern const struct source_formats feed_sources;

#endif
