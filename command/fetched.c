#include "command/fetched.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "command/show.h"

static bool
is_stale(const struct feed_item *f, int64_t now)
{
	return feed_state_is_stale(&f->state, now, f->read.origin.every);
}

bool
fetched_is_wrong(const struct feed_list *list, int64_t now)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_stale(list->v[i], now))
			return true;
	return false;
}

static void
print_end(const struct feed_item *f, int64_t now)
{
	int64_t ends = feed_item_ends(f);
	char span[CLOCK_SPAN];

	if (ends == 0)
		return;
	clock_format_span(ends > now ? ends - now : now - ends, span);
	if (ends <= now)
		printf("; *** ITS RULES ENDED %s AGO ***", span);
	else if (is_stale(f, now))
		printf("; its rules end in %s", span);
}

static void
print_item(const struct feed_item *f, int64_t now)
{
	char span[CLOCK_SPAN];

	if (f->state.good == 0)
		printf("%s: *** NEVER FETCHED ***", f->name);
	else {
		clock_format_span(now - f->state.good, span);
		printf(is_stale(f, now) ? "%s: *** STALE: last good %s ago ***" : "%s: good %s ago", f->name, span);
	}
	print_end(f, now);
	if (f->state.failures > 0) {
		clock_format_span(now - f->state.tried, span);
		printf("; failed %" PRIu64 " time%s, last %s ago", f->state.failures, show_s(f->state.failures), span);
		if (f->state.next > now) {
			clock_format_span(f->state.next - now, span);
			printf(", next try in %s", span);
		}
		fputs(": ", stdout);
		show_text(stdout, slice_str(f->state.why));
	}
	putchar('\n');
}

void
fetched_print(const struct feed_list *list, int64_t now)
{
	for (size_t i = 0; i < list->n; i++) {
		fputs(i == 0 ? "Fetched     " : "            ", stdout);
		print_item(list->v[i], now);
	}
}

static json_t *
json_item(const struct feed_item *f, int64_t now)
{
	json_t *j = json_object();

	json_object_set_new(j, "name", json_string(f->name));
	json_object_set_new(j, "origin", show_json_text(feed_origin_shown(f->read.origin.origin)));
	json_object_set_new(j, "stale", json_boolean(is_stale(f, now)));
	show_json_date(j, "good", f->state.good);
	if (f->state.good != 0)
		json_object_set_new(j, "good_age_s", json_integer(now - f->state.good));
	show_json_date(j, "tried", f->state.tried);
	show_json_date(j, "next", f->state.next);
	show_json_date(j, "ends", feed_item_ends(f));
	show_json_number(j, "failures", f->state.failures);
	if (f->state.why[0] != '\0')
		json_object_set_new(j, "why", show_json_text(slice_str(f->state.why)));
	return j;
}

json_t *
fetched_json(const struct feed_list *list, int64_t now)
{
	json_t *j = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(j, json_item(list->v[i], now));
	return j;
}
