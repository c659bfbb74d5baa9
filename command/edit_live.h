/* edit_live.h - a changed source becomes live, or is as it was. */
#ifndef COMMAND_EDIT_LIVE_H
#define COMMAND_EDIT_LIVE_H

#include "command/live.h"
#include "ruleset/edit.h"

/* How what was published is shown: in words, as an object, or not at all, with what is wrong going to DIAG. */
enum edit_show { EDIT_TEXT, EDIT_JSON, EDIT_SILENT };

/* Write what was made of E, whose caller holds the publishers' lock, publish that source, and put the old text back when that is
 * refused.  What live_run() answers, or EXIT_TROUBLE with errors in DIAG. */
int edit_live(const struct call *c, const struct edit *e, enum edit_show show, struct diag *diag);

/* The same by RQ, of which the source and the lock are set here. */
int edit_live_as(const struct call *c, const struct edit *e, struct live_request rq, struct diag *diag);

/* A label for ACTION at NOW that the text of E does not have yet, into OUT: the action's letter and the time. */
enum { EDIT_LABEL_MAX = 40 };
void edit_label(const struct edit *e, enum rule_action action, int64_t now, char out[static EDIT_LABEL_MAX]);

#endif
