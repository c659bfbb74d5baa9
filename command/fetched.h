/* fetched.h - what status says of the feeds that "firebreak update" fetches: how old the last good list of each is, and why. */
#ifndef COMMAND_FETCHED_H
#define COMMAND_FETCHED_H

#include <jansson.h>

#include "feeds/feed_list.h"

/* A feed's origin has said nothing good for too long: the last good list is in force, and is stale. */
bool fetched_is_wrong(const struct feed_list *list, int64_t now);

/* Print LIST as rows of "firebreak status"; nothing when nothing is fetched. */
void fetched_print(const struct feed_list *list, int64_t now);

/* The same as an array.  The caller's. */
json_t *fetched_json(const struct feed_list *list, int64_t now);

#endif
