/* sandbox.h - gives up everything but reading one file and talking over one socket.
 *
 * After sandbox_enter() the process reads the spool with pread(2), sends and receives on its socket, waits, and asks for memory
 * that is not executable.  Opening anything fails with EACCES; every other system call ends it.  Nothing brings it back. */
#ifndef INSPECT_HELPER_SANDBOX_H
#define INSPECT_HELPER_SANDBOX_H

#include <stdint.h>

/* Close all descriptors but those below KEEP. */
void sandbox_close_from(int keep);

/* Bound memory, time and files, and filter the system calls: from SOCKET only messages, from SPOOL only pread(2).  CPU_MS, rounded
 * up, is the processor time that is left then.  -1 with errno when any of it is refused: do no work then. */
int sandbox_enter(int socket, int spool, uint64_t cpu_ms);

#endif
