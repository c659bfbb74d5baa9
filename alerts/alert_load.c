#include <stdio.h>

#include "alerts/alert.h"
#include "base/file.h"
#include "runtime/state.h"

struct alert *
alert_load(const char *state, struct slice id)
{
	char what[sizeof(STATE_ALERTS) + ALERT_ID_MAX + sizeof("/.json")], path[STATE_PATH];
	struct alert *alert = NULL;
	struct buf text;

	/* What the log says is nobody's path. */
	if (!alert_id_ok(id))
		return NULL;
	snprintf(what, sizeof(what), STATE_ALERTS "/%.*s.json", SLICE_ARGS(id));
	if (state_path(state, what, path) == -1)
		return NULL;
	buf_init(&text, ALERT_TEXT_MAX);
	if (file_read(path, &text) == 0)
		alert = alert_from_json(path, buf_slice(&text), NULL);
	buf_fini(&text);
	return alert;
}
