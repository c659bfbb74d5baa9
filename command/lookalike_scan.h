/* lookalike_scan.h - hosts from a file, standard input or a Squid access log, judged on all processors. */
#ifndef COMMAND_LOOKALIKE_SCAN_H
#define COMMAND_LOOKALIKE_SCAN_H

#include "eventstore/access_format.h"
#include "url_rules/lookalike.h"

enum scan_form { SCAN_TEXT, SCAN_TSV, SCAN_JSON };

struct scan {
	const struct lookalike	*lookalike;
	struct lookalike_levels	 levels;
	const struct access_format *format;	/* of lines that are a log's */
	enum scan_form		 form;
	bool			 all;		/* what passes is printed, too */
};

struct scan_counts {
	uint64_t hosts;				/* judged */
	uint64_t actions[LOOKALIKE_BLOCK + 1];	/* by enum lookalike_level; OFF is what passes */
	uint64_t without;			/* lines of a log that name no host */
};

/* Read FD (plain or a file of gzip) to its end, judge what its lines name and print the findings, in the order of the lines, on
 * standard output.  A line is a host, with or without a port, a URL, or a line of an access log in FORMAT; an empty one and one
 * that begins with '#' are passed over.  -1 with errno when something could not be read, written or kept; COUNTS is what was
 * done. */
int scan_fd(const struct scan *scan, int fd, struct scan_counts *counts);

#endif
