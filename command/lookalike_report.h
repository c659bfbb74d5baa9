/* lookalike_report.h - what the event log says of lookalikes, summed up for each registrable domain. */
#ifndef COMMAND_LOOKALIKE_REPORT_H
#define COMMAND_LOOKALIKE_REPORT_H

#include <stdio.h>

#include "base/diag.h"
#include "command/lookalike_scan.h"

/* Read the event log at PATH and what rotation made of it from SINCE_MS on, ask the table again about each host that an event of
 * reason lookalike names, and print a line for each registrable domain, those with the most clients first: how many events were
 * refused and how many would have been, hosts, clients, first and last time, and the worst finding.  A host that nothing would be
 * found in by now is "no longer found".  Of a wave (lookalike_log.h) the domain that all of it comes from is named.  0; 1 when a
 * file could not be read to its end, which is a warning in DIAG; -1 with an error there, or when printing failed, which was
 * said. */
int lookalike_report(const struct scan *scan, const char *path, int64_t since_ms, struct diag *diag);

#endif
