#include "command/delivery.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "command/show.h"
#include "delivery/sign.h"

enum { OFFER_WARN_S = 24 * 3600 };

void
delivery_look(const struct call *c, uint64_t live, int64_t now, struct delivery *out, struct diag *diag)
{
	*out = (struct delivery){ .live = live, .now = now };
	out->follows = follow_load(c->state, &out->follow, diag) == 0;
	out->offers = !out->follows && sign_look(c->state, &out->offer) == 0;
}

static bool
is_rolled_back(const struct delivery *d)
{
	return d->live > d->follow.local;
}

bool
delivery_is_wrong(const struct delivery *d)
{
	if (d->follows)
		return follow_is_expired(&d->follow, d->now) || follow_is_stale(&d->follow, d->now) || d->live != d->follow.local;
	return d->offers && (d->offer.generation != d->live || d->offer.expires - d->now < OFFER_WARN_S);
}

static void
print_follow(const struct delivery *d)
{
	const struct follow *f = &d->follow;
	char date[CLOCK_TEXT], age[CLOCK_SPAN];

	printf("Follows     ");
	show_text(stdout, slice_str(f->url));
	clock_format_span(d->now - f->checked, age);
	printf("\n            generation %" PRIu64 " of epoch %" PRIu64 "; last good pull %s ago%s\n", f->generation, f->epoch, age,
	    follow_is_stale(f, d->now) ? ": *** NOT HEARD OF FOR MORE THAN A DAY ***" : "");
	clock_format_s(f->expires, date);
	printf("            %s %s%s\n", follow_is_expired(f, d->now) ? "*** EXPIRED" : "expires", date,
	    follow_is_expired(f, d->now) ? ": it stays live, and nothing newer has come ***" : "");
	for (size_t i = 0; i < f->n_keys; i++) {
		char key[MINISIGN_KEY_TEXT];

		minisign_public_format(&f->keys[i], key);
		printf("            %s %s\n", i == 0 ? "signed by" : "next key ", key);
	}
	if (is_rolled_back(d))
		puts("            *** ROLLED BACK HERE: \"firebreak pull --forward\" takes up the origin's again ***");
	else if (d->live != f->local)
		puts("            *** A PULL WAS BROKEN OFF: the next one ends it ***");
	if (f->failed != 0) {
		clock_format_span(d->now - f->failed, age);
		printf("            the last try failed %s ago: ", age);
		show_text(stdout, slice_str(f->why));
		putchar('\n');
	}
}

static void
print_offer(const struct delivery *d)
{
	char date[CLOCK_TEXT];

	clock_format_s(d->offer.expires, date);
	printf("Signed      generation %" PRIu64 " of epoch %" PRIu64 ", expires %s%s%s\n", d->offer.generation, d->offer.epoch, date,
	    d->offer.generation != d->live ? "; *** NOT the live one: publish again ***" : "",
	    d->offer.expires - d->now < OFFER_WARN_S ? "; *** SOON, OR SINCE: publish to renew it ***" : "");
}

void
delivery_print(const struct delivery *d)
{
	if (d->follows)
		print_follow(d);
	else if (d->offers)
		print_offer(d);
}

static void
add_keys(json_t *j, const struct follow *f)
{
	json_t *keys = json_array();
	char key[MINISIGN_KEY_TEXT];

	for (size_t i = 0; i < f->n_keys; i++) {
		minisign_public_format(&f->keys[i], key);
		json_array_append_new(keys, json_string(key));
	}
	json_object_set_new(j, "keys", keys);
}

static json_t *
json_follow(const struct delivery *d)
{
	const struct follow *f = &d->follow;
	json_t *j = json_object();

	json_object_set_new(j, "url", show_json_text(slice_str(f->url)));
	show_json_number(j, "generation", f->generation);
	show_json_number(j, "epoch", f->epoch);
	show_json_number(j, "local", f->local);
	show_json_date(j, "created", f->created);
	show_json_date(j, "expires", f->expires);
	show_json_date(j, "checked", f->checked);
	json_object_set_new(j, "checked_age_s", json_integer(d->now - f->checked));
	json_object_set_new(j, "expired", json_boolean(follow_is_expired(f, d->now)));
	json_object_set_new(j, "stale", json_boolean(follow_is_stale(f, d->now)));
	json_object_set_new(j, "rolled_back", json_boolean(is_rolled_back(d)));
	add_keys(j, f);
	if (f->failed != 0) {
		show_json_date(j, "failed", f->failed);
		json_object_set_new(j, "failed_why", show_json_text(slice_str(f->why)));
	}
	return j;
}

json_t *
delivery_json(const struct delivery *d)
{
	json_t *j;

	if (d->follows)
		return json_follow(d);
	if (!d->offers)
		return json_null();
	j = json_object();
	show_json_number(j, "generation", d->offer.generation);
	show_json_number(j, "epoch", d->offer.epoch);
	show_json_date(j, "expires", d->offer.expires);
	json_object_set_new(j, "is_live", json_boolean(d->offer.generation == d->live));
	return j;
}
