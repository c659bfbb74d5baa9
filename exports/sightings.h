/* sightings.h - what was met, as MISP's core format has it (draft-dulaunoy-misp-core-format): an event with an attribute for each
 * thing, and a sighting of it for each time.  Who met it is nowhere in it.
 *
 * The same sightings in any order give the same bytes.  They are sorted outside of memory (base/sorter.h), so that it does not
 * matter how many there are.  One thread. */
#ifndef EXPORTS_SIGHTINGS_H
#define EXPORTS_SIGHTINGS_H

#include "events/incident.h"
#include "exports/export.h"

enum sighting_kind { SIGHTING_HOST, SIGHTING_ADDRESS, SIGHTING_MD5, SIGHTING_SHA1, SIGHTING_SHA256, SIGHTING_KINDS };

struct sightings;

/* None yet; rows are put aside in the folder TMP.  NULL without memory.  The caller's: sightings_free(). */
struct sightings *sightings_new(const char *tmp);
void sightings_free(struct sightings *s);

/* VALUE, whatever its bytes but NUL, was met at MS (milliseconds), in the incident ID.  -1 with errno. */
int sightings_add(struct sightings *s, enum sighting_kind kind, struct slice value, int64_t ms,
    const char id[static INCIDENT_LEN + 1]);

/* Put all of them, once.  -1 with errno: of PUT, of the sorter, or ENOMEM. */
int sightings_write(struct sightings *s, export_put *put, void *arg);

/* How many there are; and of how many things those are that were written. */
uint64_t sightings_count(const struct sightings *s);
uint64_t sightings_things(const struct sightings *s);

#endif
