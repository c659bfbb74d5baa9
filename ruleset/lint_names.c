#include "ruleset/lint_names.h"

#include <stdlib.h>

#include "base/buf.h"

enum { FIRST_ENTRIES = 64, FIRST_SLOTS = 4 * FIRST_ENTRIES, NAMES_ROOM = 256 << 20 };

/* FNV-1a, taken from a name's last byte to its first: on the way the hash of each domain above it comes off.  Nobody
 * gains by collisions: lists and protect rules are the site's own. */
#define HASH_START	UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME	UINT64_C(0x100000001b3)

struct entry {
	uint32_t	at, hash;
	uint16_t	len;
	uint8_t		host, below;		/* bits of the lists that mean the name itself; what is below it */
	uint8_t		above;			/* bits of the lists that have a name below this one */
	uint32_t	under[LINT_LISTS];	/* the first of them */
};

struct lint_names {
	struct buf	 text;
	struct entry	*entries;
	size_t		 n, cap;
	uint32_t	*slots;			/* open addressing, a power of two, load <= 1/2: 0, or an entry's index + 1 */
	size_t		 n_slots;
};

static uint64_t
hash_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)c) * HASH_PRIME;
}

static uint32_t
hash_fold(uint64_t h)
{
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t
hash_of(struct slice name)
{
	uint64_t h = HASH_START;

	for (size_t i = name.len; i > 0; i--)
		h = hash_byte(h, name.p[i - 1]);
	return hash_fold(h);
}

static struct slice
entry_name(const struct lint_names *names, const struct entry *e)
{
	return slice_make(names->text.p + e->at, e->len);
}

/* The slot that NAME stands in, or would. */
static size_t
slot_of(const struct lint_names *names, struct slice name, uint32_t hash)
{
	size_t i = hash & (names->n_slots - 1);

	while (names->slots[i] != 0) {
		const struct entry *e = &names->entries[names->slots[i] - 1];

		if (e->hash == hash && slice_eq(entry_name(names, e), name))
			break;
		i = (i + 1) & (names->n_slots - 1);
	}
	return i;
}

static int
grow(struct lint_names *names)
{
	size_t cap = 2 * names->cap, n_slots = 2 * names->n_slots;
	struct entry *entries = realloc(names->entries, cap * sizeof(*entries));
	uint32_t *slots;

	if (entries == NULL)
		return -1;
	names->entries = entries;
	names->cap = cap;
	if ((slots = calloc(n_slots, sizeof(*slots))) == NULL)
		return -1;
	free(names->slots);
	names->slots = slots;
	names->n_slots = n_slots;
	for (size_t i = 0; i < names->n; i++)
		slots[slot_of(names, entry_name(names, &entries[i]), entries[i].hash)] = (uint32_t)i + 1;
	return 0;
}

/* NAME's entry, made where it is missing; its index, or -1 without memory. */
static ssize_t
entry_for(struct lint_names *names, struct slice name)
{
	uint32_t hash = hash_of(name);
	size_t slot = slot_of(names, name, hash);

	if (names->slots[slot] != 0)
		return (ssize_t)names->slots[slot] - 1;
	if (names->n == names->cap) {
		if (grow(names) == -1)
			return -1;
		slot = slot_of(names, name, hash);
	}
	names->entries[names->n] = (struct entry){ .at = (uint32_t)names->text.len, .hash = hash, .len = (uint16_t)name.len };
	if (buf_add_slice(&names->text, name) == -1)
		return -1;
	names->slots[slot] = (uint32_t)++names->n;
	return (ssize_t)names->n - 1;
}

/* Canonical hosts whose last label is a number are IPv4 addresses. */
static bool
is_address(struct slice host)
{
	size_t at = host.len;

	while (at > 0 && host.p[at - 1] != '.')
		at--;
	return slice_starts(host, SLICE("[")) || (at < host.len && ascii_is_digit(host.p[at]) &&
	    slice_u64(slice_skip(host, at), &(uint64_t){ 0 }) == 0);
}

struct lint_names *
lint_names_new(void)
{
	struct lint_names *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return NULL;
	buf_init(&names->text, NAMES_ROOM);
	names->cap = FIRST_ENTRIES;
	names->n_slots = FIRST_SLOTS;
	names->entries = malloc(names->cap * sizeof(*names->entries));
	names->slots = calloc(names->n_slots, sizeof(*names->slots));
	if (names->entries != NULL && names->slots != NULL)
		return names;
	lint_names_free(names);
	return NULL;
}

void
lint_names_free(struct lint_names *names)
{
	if (names == NULL)
		return;
	buf_fini(&names->text);
	free(names->entries);
	free(names->slots);
	free(names);
}

int
lint_names_add(struct lint_names *names, enum lint_list list, enum host_scope scope, struct slice host)
{
	enum host_kind kind = is_address(host) ? HOST_IPV4 : HOST_NAME;
	ssize_t listed = entry_for(names, host);
	uint8_t bit = (uint8_t)(1u << list);

	if (listed == -1)
		return -1;
	if (scope != SCOPE_BELOW)
		names->entries[listed].host |= bit;
	if (scope != SCOPE_EXACT)
		names->entries[listed].below |= bit;
	while (host_parent(&host, kind)) {
		ssize_t parent = entry_for(names, host);

		if (parent == -1)
			return -1;
		if (names->entries[parent].above & bit)
			break;				/* and so have all that are above it */
		names->entries[parent].above |= bit;
		names->entries[parent].under[list] = (uint32_t)listed;
	}
	return 0;
}

/* The lists of E, an entry at HOST itself. */
static unsigned
touched_at(const struct lint_names *names, const struct entry *e, enum host_scope scope, struct slice *out)
{
	unsigned here = scope == SCOPE_EXACT ? e->host : e->host | e->below;
	unsigned under = scope == SCOPE_EXACT ? 0 : e->above & ~here;

	for (unsigned list = 0; list < LINT_LISTS; list++) {
		if (here >> list & 1)
			out[list] = entry_name(names, e);
		if ((under >> list & 1) && out[list].len == 0)
			out[list] = entry_name(names, &names->entries[e->under[list]]);
	}
	return here | under;
}

unsigned
lint_names_touched(const struct lint_names *names, enum host_scope scope, struct slice host,
    struct slice out[static LINT_LISTS])
{
	uint64_t h = HASH_START;
	unsigned touched = 0;

	memset(out, 0, LINT_LISTS * sizeof(*out));
	for (size_t i = host.len; i > 0; i--) {
		const struct entry *e;
		uint32_t index;

		h = hash_byte(h, host.p[i - 1]);
		if (i > 1 && host.p[i - 2] != '.')
			continue;
		if ((index = names->slots[slot_of(names, slice_skip(host, i - 1), hash_fold(h))]) == 0)
			continue;
		e = &names->entries[index - 1];
		touched |= i == 1 ? touched_at(names, e, scope, out) : e->below;
		for (unsigned list = 0; i > 1 && list < LINT_LISTS; list++)
			if (e->below >> list & 1)
				out[list] = entry_name(names, e);
	}
	return touched;
}
