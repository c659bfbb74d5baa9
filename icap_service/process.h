/* process.h - what one process of the service holds: the shared runtime, the event log, and the
 * current generation.
 *
 * A generation is counted: a transaction takes it when it begins and gives it back when it ends, so
 * that each request is judged by one rule set however many are published meanwhile; the last user
 * unmaps an old one.  A new generation that cannot be opened changes nothing and is said once.
 * process_start() runs once per process image, before threads; everything else may be called by all
 * threads. */
#ifndef ICAP_SERVICE_PROCESS_H
#define ICAP_SERVICE_PROCESS_H

#include "events/event.h"
#include "icap_service/options.h"
#include "inspect/inspector.h"
#include "ruleset/generation.h"
#include "runtime/runtime.h"

struct process;
struct pseudonyms;
struct policy;	/* a counted generation */

/* Open runtime, log and the current generation as OPTIONS say.  The result is never NULL for lack
 * of a generation or of the runtime file: then it says so in the server log and requests meet the
 * fail mode.  NULL only without memory. */
struct process *process_start(const struct service_options *options);
void process_stop(struct process *p);

/* After fork(): this process takes a slot of its own; before it ends it gives the slot back. */
void process_join(struct process *p);
void process_leave(struct process *p);

/* Once a second: take up what was published, report the heartbeat. */
void process_tick(struct process *p);

/* The current generation for one transaction, taken up first if a new one was published; NULL when
 * there is none.  Give back with policy_put(). */
struct policy *process_policy(struct process *p);
void policy_put(struct policy *p);
const struct generation *policy_generation(const struct policy *p);	/* NULL for NULL */

struct runtime *process_runtime(const struct process *p);		/* NULL when it could not be mapped */
const struct service_options *process_options(const struct process *p);
const struct site *process_site(const struct process *p);	/* the defaults of policy.def: what counts without a generation */

/* What inspection needs of this machine.  Borrowed from P. */
const struct inspect_means *process_means(const struct process *p);

/* This process's id, as its worker slot has it. */
pid_t process_pid(const struct process *p);

/* The number that this process's answers name; 0 = none. */
uint64_t process_generation(struct process *p);

/* A new incident number. */
void process_incident(struct process *p, int64_t now_ms, char out[static INCIDENT_LEN + 1]);

/* Count N of C; fine without a runtime. */
void process_count(struct process *p, enum counter c, uint64_t n);

/* What OF says took NS; fine without a runtime. */
void process_time(struct process *p, enum latency_of of, int64_t ns);

/* Write LINE (with its newline) to the event log, or to the other one, of mail addresses, and count it when it is late or lost. */
void process_event(struct process *p, struct slice line);
void process_target(struct process *p, struct slice line);

/* WHAT is to be said in the server log: true the first time in this process. */
enum process_said { SAID_SPOOL_FULL, SAID_SPOOL_BROKEN, SAID_STALL, SAID_LONG_EVENT, SAID_ODD_ARGUMENT, SAID_N };
bool process_says_first(struct process *p, enum process_said what);

/* The keys of pseudonyms, NULL when there are none that can be used, which is said now and then when they are NEEDED; the first
 * one is made then.  Borrowed until process_stop(). */
const struct pseudonyms *process_pseudonyms(struct process *p, bool needed, int64_t now_ms);

/* There is, or may be, a key: what a process without a generation goes by. */
bool process_has_pseudonyms(struct process *p);

/* Mode in force now. */
enum mode process_mode(struct process *p, int64_t now_ms);

#endif
