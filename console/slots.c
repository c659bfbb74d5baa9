#include "console/slots.h"

#include <string.h>
#include <sys/random.h>

enum { ALL = SLOTS_MAX + SLOTS_ENDING };

int
slots_init(struct slots *s)
{
	*s = (struct slots){ 0 };
	for (size_t i = 0; i < ALL; i++)
		s->v[i].fd = -1;
	return getentropy(s->key, sizeof(s->key));
}

static void
end(struct slots *s, struct slot *slot)
{
	slot->is_ending = true;
	s->n--;
	s->buckets[slot->bucket]--;
}

static bool
counts(const struct slot *slot)
{
	return slot->fd != -1 && !slot->is_ending;
}

/* The oldest of NET, when it has as many as it may. */
static struct slot *
oldest_of(struct slots *s, const uint8_t net[static SLOT_NET])
{
	struct slot *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ALL; i++) {
		struct slot *slot = &s->v[i];

		if (!counts(slot) || memcmp(slot->net, net, SLOT_NET) != 0)
			continue;
		n++;
		if (oldest == NULL || slot->since_ms < oldest->since_ms)
			oldest = slot;
	}
	return n >= SLOTS_EACH ? oldest : NULL;
}

/* The oldest of those that have the most.  Behind a server that is trusted each is somebody else: those count as one. */
static struct slot *
greediest(struct slots *s)
{
	struct slot *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < ALL; i++) {
		struct slot *slot = &s->v[i];
		unsigned has = !counts(slot) ? 0 : slot->is_shared ? 1 : s->buckets[slot->bucket];

		if (has > most || (has > 0 && has == most && slot->since_ms < found->since_ms)) {
			found = slot;
			most = has;
		}
	}
	return found;
}

struct slot *
slots_take(struct slots *s, int fd, const uint8_t net[static SLOT_NET], bool is_shared, int64_t now_ms, int *cut)
{
	struct slot *victim = is_shared ? NULL : oldest_of(s, net), *place = slots_find(s, -1);

	*cut = -1;
	if (place == NULL)
		return NULL;
	if (victim == NULL && s->n >= SLOTS_MAX)
		victim = greediest(s);
	if (victim != NULL) {
		*cut = victim->fd;
		end(s, victim);
	}
	*place = (struct slot){ .fd = fd, .since_ms = now_ms, .is_shared = is_shared,
		.bucket = siphash(s->key, slice_make((const char *)net, SLOT_NET)) % SLOT_BUCKETS };
	memcpy(place->net, net, SLOT_NET);
	s->n++;
	s->buckets[place->bucket]++;
	return place;
}

struct slot *
slots_find(struct slots *s, int fd)
{
	for (size_t i = 0; i < ALL; i++)
		if (s->v[i].fd == fd)
			return &s->v[i];
	return NULL;
}

void
slots_leave(struct slots *s, struct slot *slot)
{
	if (counts(slot))
		end(s, slot);
	slot->fd = -1;
	slot->is_ending = false;
}

int
slots_expire(struct slots *s, int64_t now_ms)
{
	for (size_t i = 0; i < ALL; i++)
		if (counts(&s->v[i]) && now_ms - s->v[i].since_ms > SLOTS_LIFE_MS) {
			end(s, &s->v[i]);
			return s->v[i].fd;
		}
	return -1;
}
