/* process_log.h - one log of a process: what it does not take is kept for a while, and the server log is told once when that begins
 * and when it ends. */
#ifndef ICAP_SERVICE_PROCESS_LOG_H
#define ICAP_SERVICE_PROCESS_LOG_H

#include "events/late_lines.h"

/* What a process keeps of one log. */
enum { PROCESS_LOG_KEPT = 4 << 20 };

struct process_log;

/* The log at PATH, which is made with MODE when the first line comes; NAME is for messages and must be a constant.  NULL without
 * memory. */
struct process_log *process_log_new(const char *name, const char *path, mode_t mode);

/* The log's end is kept in *END: event_log_share_end(). */
void process_log_share_end(struct process_log *l, _Atomic uint64_t *end);

/* A last try, and free it: how many lines are lost.  NULL is fine. */
uint64_t process_log_free(struct process_log *l);

/* Write LINE (with its newline).  Any thread. */
enum late process_log_write(struct process_log *l, struct slice line);

/* Now and then: write what was kept. */
void process_log_tick(struct process_log *l);

#endif
