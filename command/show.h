/* show.h - what the verbs print: text from elsewhere made harmless, JSON, progress.
 *
 * URLs, file names and user names were chosen by strangers: nothing of theirs reaches a terminal as a
 * control. */
#ifndef COMMAND_SHOW_H
#define COMMAND_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/slice.h"

struct buf;
struct rule;

/* Print TEXT on one line: UTF-8 as it is, but controls (C0, C1, DEL), what changes the direction of
 * writing, and bytes that are not UTF-8 as \xHH. */
void show_text(FILE *f, struct slice text);

/* The same with newlines and tabs kept. */
void show_lines(FILE *f, struct slice text);

/* "label      text" with TEXT made harmless; nothing when TEXT is empty. */
void show_row(const char *label, struct slice text);

/* The ending of the word that N counts: "s", or nothing for one. */
const char *show_s(uint64_t n);

/* TEXT as a JSON string, whatever its bytes.  NULL without memory. */
json_t *show_json_text(struct slice text);

/* What FORMAT says of RULE (rule_id_format, rule_value_format), made harmless. */
void show_rule_text(FILE *f, int format(const struct rule *rule, struct buf *out), const struct rule *rule);

/* RULE as a JSON object; what is not set is left out. */
json_t *show_json_rule(const struct rule *rule);

/* All findings as a JSON array. */
json_t *show_json_findings(const struct diag *diag);

/* KEY of the object J becomes the number N. */
void show_json_number(json_t *j, const char *key, uint64_t n);

/* KEY of the object J becomes the moment SECONDS, as clock_format_s() has it; 0 is none, and nothing is set. */
void show_json_date(json_t *j, const char *key, int64_t seconds);

/* Print J on standard output, indented or on one line, and release it.  -1 after saying that it could
 * not be done. */
int show_json(json_t *j, bool indented);

/* Replace the line of progress on standard error, when that is a terminal, and take it away. */
void show_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void show_progress_end(void);

#endif
