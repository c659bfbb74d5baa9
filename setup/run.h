/* run.h - runs programs: bounded in time, with what they say kept; and daemons that go on without us.
 *
 * Nothing is given to a shell. */
#ifndef SETUP_RUN_H
#define SETUP_RUN_H

#include <sys/types.h>

#include "base/buf.h"

enum { RUN_SAID_MAX = 1 << 20, RUN_TIMED_OUT = -2, RUN_FAILED = -1 };

/* Run ARGV, ending in NULL, for at most TIMEOUT_MS; what it prints on both outputs goes to SAID, as much as fits.  Its exit
 * status, 128 and more for a signal; RUN_TIMED_OUT after it was killed with its process group; RUN_FAILED with errno. */
int run(const char *const *argv, int64_t timeout_ms, struct buf *said);

/* Start ARGV in a session of its own, in FOLDER, with the environment ENVIRONMENT (NULL: ours); its outputs go to LOG, NULL for
 * nowhere. The process, which is a child of ours, or -1 with errno. */
pid_t run_start(const char *program, char *const *argv, char *const *environment, const char *folder, const char *log);

/* Wait at most TIMEOUT_MS until PID, a child or not, is gone.  False when it is still there. */
bool run_gone(pid_t pid, int64_t timeout_ms);

/* End PID: TERM, and KILL when it is still there after TIMEOUT_MS; its children, of the same program, with it. */
void run_end(pid_t pid, int64_t timeout_ms);

#endif
