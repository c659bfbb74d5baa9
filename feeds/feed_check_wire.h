/* feed_check_wire.h - what feed_check.c and its helper say to each other over a SOCK_SEQPACKET pair.
 *
 *	parent                                      helper
 *	struct check_order, the settings      ->
 *	                                      <-    CHECK_BYTES and up to CHECK_PIECE bytes of the list, any number
 *	                                      <-    CHECK_DONE: what it is
 *
 * Both ends are one build on one machine, so that the structs travel as they are.  The parent believes nothing that comes back. */
#ifndef FEEDS_FEED_CHECK_WIRE_H
#define FEEDS_FEED_CHECK_WIRE_H

#include "feeds/feed_check.h"
#include "feeds/misp_manifest.h"

/* The helper's descriptors. */
enum { CHECK_SOCKET = 3, CHECK_RAW = 4, CHECK_FDS = 5 };

enum { CHECK_PIECE = 32 * 1024, CHECK_SETTINGS = 64 * 1024 };

/* A packet ends behind the settings' last byte. */
struct check_order {
	uint64_t	unpacked, lines, cpu_ms;
	uint32_t	gzip;
	uint32_t	line, col;		/* of the settings */
	uint32_t	what;			/* enum feed_check_what */
	char		uuid[MISP_UUID + 1];
	uint32_t	settings_len;
	char		settings[CHECK_SETTINGS];
};

enum check_type { CHECK_BYTES = 1, CHECK_DONE };

struct check_bytes {
	uint32_t	type;
	char		p[CHECK_PIECE];
};

struct check_done {
	uint32_t		type;
	uint32_t		is_list;
	struct feed_counts	counts;
	char			why[FEED_WHY];
};

#endif
