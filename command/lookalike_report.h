/* lookalike_report.h - what the event log says of lookalikes, summed up for each registrable domain. */
#ifndef COMMAND_LOOKALIKE_REPORT_H
#define COMMAND_LOOKALIKE_REPORT_H

#include <stdio.h>

#include "command/lookalike_scan.h"

/* Read the event log at PATH from SINCE_MS on, ask LOOKALIKE again about each host that an event of reason lookalike names, and
 * print a line for each registrable domain, those with the most clients first: how many events were refused and how many would have
 * been, hosts, clients, first and last time, and the worst finding.  A host that nothing would be found in by now is "no longer
 * found".  Where one domain embeds two targets, or has three such hosts, the domain that all of them come from is named: a wave.
 * -1 with errno when the log cannot be read. */
int lookalike_report(const struct scan *scan, const char *path, int64_t since_ms);

#endif
