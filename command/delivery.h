/* delivery.h - what status and metrics say of signed generations: those that are offered from here, or followed. */
#ifndef COMMAND_DELIVERY_H
#define COMMAND_DELIVERY_H

#include <jansson.h>

#include "command/call.h"
#include "delivery/follow.h"
#include "delivery/signed.h"

struct delivery {
	bool			follows, offers;
	struct follow		follow;		/* when it FOLLOWS */
	struct signed_head	offer;		/* when it OFFERS: what SIGNED.minisig says */
	uint64_t		live;		/* the generation that is live; 0 = none */
	int64_t			now;		/* seconds */
};

/* Look at C's state folder, in which generation LIVE is live.  What is damaged goes to DIAG. */
void delivery_look(const struct call *c, uint64_t live, int64_t now, struct delivery *out, struct diag *diag);

/* Somebody has to do something: expired, not heard of for a day, rolled back here; or not what is offered. */
bool delivery_is_wrong(const struct delivery *d);

/* Print it as rows of "firebreak status"; nothing when the folder neither follows nor offers. */
void delivery_print(const struct delivery *d);

/* The same as an object, or null.  The caller's. */
json_t *delivery_json(const struct delivery *d);

#endif
