#include "command/export_verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alert_store.h"
#include "command/show.h"
#include "command/verb.h"
#include "exports/lures.h"

enum { TEXT_MAX = 64 << 20 };

struct lures {
	struct output	*out;
	struct buf	 text;
	size_t		 n, left, alerts;
};

static bool
is_live(enum alerts_state state)
{
	return state == ALERTS_LIVE || state == ALERTS_PARTLY || state == ALERTS_CHANGED;
}

/* One alert; what is wrong with it is in A's diag. */
static int
add_alert(struct alerts *a, const char *id, struct lures *l)
{
	struct alerts_item item;
	int r = 0;

	if (alerts_load(a, id, &item) == 0 && is_live(item.state) && item.alert != NULL && item.alert->n_lures > 0) {
		l->alerts++;
		r = lures_format(item.alert, &l->text, &l->n, &l->left);
		if (r == -1)
			errno = ENOMEM;
	}
	alerts_item_fini(&item);
	if (r == 0)
		r = output_put(l->out, buf_slice(&l->text));
	buf_reset(&l->text);
	return r;
}

static int
add_all(struct alerts *a, struct lures *l)
{
	char **ids = NULL;
	size_t n = 0;
	int r = alerts_ids(a, &ids, &n);
	bool listed = r == 0;

	buf_addf(&l->text, "# Firebreak: lures of the alerts that are live in generation %" PRIu64 "\n\n", a->live.generation);
	if (r == 0)
		r = output_put(l->out, buf_slice(&l->text));
	buf_reset(&l->text);
	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = add_alert(a, ids[i], l);
		free(ids[i]);
	}
	free(ids);
	if (r == -1 && listed)
		diag_error(&a->diag, "%s", strerror(errno));
	return r;
}

int
export_lures(const struct call *c, struct output *out)
{
	struct lures l = { .out = out };
	struct alerts a;
	int status = EXIT_TROUBLE;

	buf_init(&l.text, TEXT_MAX);
	if (alerts_init(&a, c->state) == 0) {
		if (add_all(&a, &l) == 0)
			status = a.diag.n_errors > 0 ? EXIT_FOUND : EXIT_FINE;
	}
	diag_print(&a.diag, stderr);
	if (status != EXIT_TROUBLE)
		fprintf(stderr, "firebreak %s: %zu sample%s of %zu live alert%s\n", c->verb->name, l.n, show_s(l.n), l.alerts, show_s(l.alerts));
	if (status != EXIT_TROUBLE && l.left > 0)
		fprintf(stderr, "left out: %zu without a phrase that tells them\n", l.left);
	alerts_fini(&a);
	buf_fini(&l.text);
	return status;
}
