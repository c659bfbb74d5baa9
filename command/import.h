/* import.h - an alert becomes rules: what "firebreak import" does, for others. */
#ifndef COMMAND_IMPORT_H
#define COMMAND_IMPORT_H

#include "base/diag.h"
#include "command/call.h"

/* Import TEXT, an alert as published, a mail with it, or a record, that findings name FILE.  A publish with its rules is
 * tried first, in a folder of its own.  Nothing is printed; DIAG gets all findings.  DRY_RUN: nothing is written.  0; 1 when
 * it was refused for what it is; -1 when it could not be done for another reason, and may be tried again. */
int import_text(const struct call *c, const char *file, struct slice text, bool dry_run, struct diag *diag);

#endif
