#include "command/edit_live.h"

#include <stdio.h>
#include <time.h>

#include "command/live.h"
#include "command/verb.h"

void
edit_label(const struct edit *e, enum rule_action action, int64_t now, char out[static EDIT_LABEL_MAX])
{
	char stamp[EDIT_LABEL_MAX / 2];
	time_t t = (time_t)now;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	snprintf(out, EDIT_LABEL_MAX, "%c%s", *rule_action_name(action), stamp);
	for (int i = 2; slice_search(buf_slice(&e->after), slice_str(out)) < e->after.len; i++)
		snprintf(out, EDIT_LABEL_MAX, "%c%s-%d", *rule_action_name(action), stamp, i);
}

int
edit_live(const struct call *c, const struct edit *e, enum edit_show show, struct diag *diag)
{
	struct live_request rq = live_request(c);

	rq.json = show == EDIT_JSON;
	rq.quiet = show == EDIT_SILENT;
	rq.diag = show == EDIT_SILENT ? diag : NULL;
	return edit_live_as(c, e, rq, diag);
}

int
edit_live_as(const struct call *c, const struct edit *e, struct live_request rq, struct diag *diag)
{
	int status;

	if (edit_write(e, diag) == -1) {
		/* It may be in place all the same, and only its folder not flushed. */
		edit_undo(e, NULL);
		return EXIT_TROUBLE;
	}
	rq.options.only = e->name.p;
	rq.options.locked = true;
	if ((status = live_run(c, &rq)) == EXIT_TROUBLE && edit_undo(e, diag) == 0)
		diag_add(diag, DIAG_NOTE, e->path, 0, 0, "is as it was");
	return status;
}
