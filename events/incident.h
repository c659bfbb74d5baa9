/* incident.h - the number on the block page: 16 characters of Crockford's base 32, sorted by time.
 *
 *	1M83ME10C HM4 00J 7	9 characters: milliseconds since 1970 (45 bits)
 *	ms        node cnt check	3: node (15 bits)   3: counter (15 bits)   1: check
 *
 * check: c = 0; for each value v of the 15 before: c = x * (c xor v) in GF(32) modulo x^5 + x^2 + 1.  It finds every single
 * wrong character and every swap of two neighbours.  Stored without hyphens, shown in groups of four. */
#ifndef EVENTS_INCIDENT_H
#define EVENTS_INCIDENT_H

#include "base/slice.h"

enum { INCIDENT_LEN = 16, INCIDENT_SHOWN = 19 };

/* The number for NOW_MS, NODE and COUNTER (15 bits of each count). */
void incident_make(int64_t now_ms, unsigned node, unsigned counter, char out[static INCIDENT_LEN + 1]);

enum incident_error { INCIDENT_OK, INCIDENT_LENGTH, INCIDENT_CHARACTER, INCIDENT_CHECK };

/* Read a number as a person types it: any case, hyphens and blanks anywhere, I and L for 1, O for 0.  INCIDENT_CHECK means
 * "mistyped", which is not "unknown". */
enum incident_error incident_parse(struct slice typed, char out[static INCIDENT_LEN + 1]);

/* "1M83-ME10-C4HM-007J". */
void incident_show(const char id[static INCIDENT_LEN + 1], char out[static INCIDENT_SHOWN + 1]);

/* When it was made, milliseconds. */
int64_t incident_ms(const char id[static INCIDENT_LEN + 1]);

/* 15 bits from a host name (or any text): the node part when none is configured. */
unsigned incident_node(struct slice text);

#endif
