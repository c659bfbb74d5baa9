#include "url_rules/address_table.h"

#include <stdlib.h>

#include "url_rules/address_format.h"

struct address_table {
	struct address_info	 info;
	struct slice		 entries;
	uint32_t		 n;
};

static const char *
sections_fault(const struct segment *segment, struct address_table *t)
{
	struct slice info = segment_section(segment, ADDRESSES_INFO);
	const uint32_t *starts = t->info.starts;

	if (info.len != sizeof(t->info))
		return "damaged: size of the address table's head";
	memcpy(&t->info, info.p, sizeof(t->info));
	t->entries = segment_section(segment, ADDRESSES_ENTRIES);
	t->n = starts[ADDRESS_GROUPS];
	if (t->entries.len != t->n * (uint64_t)sizeof(struct address_entry))
		return "damaged: number of networks";
	for (unsigned g = 0; g < ADDRESS_GROUPS; g++)
		if (starts[g] > starts[g + 1])
			return "damaged: index of the prefix lengths";
	return NULL;
}

struct address_table *
address_table_open(const struct segment *segment, struct diag *diag)
{
	struct address_table *t = calloc(1, sizeof(*t));
	const char *fault = t == NULL ? "out of memory" : sections_fault(segment, t);

	if (fault == NULL)
		return t;
	diag_error(diag, "address rules: %s", fault);
	free(t);
	return NULL;
}

void
address_table_close(struct address_table *t)
{
	free(t);
}

size_t
address_table_rules(const struct address_table *t)
{
	return t->n;
}

/* How the address of entry I stands to ADDRESS. */
static int
compare_address(const struct address_table *t, uint32_t i, const uint8_t *address)
{
	return memcmp(t->entries.p + i * sizeof(struct address_entry) + offsetof(struct address_entry, address), address,
	    NETWORK_ADDRESS);
}

/* Entry I as a rule; -1 when it does not hold together. */
static int
rule_at(const struct address_table *t, uint32_t i, struct address_match *out)
{
	struct address_entry e;
	bool v4;

	memcpy(&e, t->entries.p + i * sizeof(e), sizeof(e));
	v4 = e.group <= NETWORK_BITS4;
	if (address_sum(t->info.key, &e) != e.sum || e.group >= ADDRESS_GROUPS)
		return -1;
	*out = (struct address_match){ .ref = e.ref, .network = {
		.kind = v4 ? HOST_IPV4 : HOST_IPV6, .bits = (uint8_t)(v4 ? e.group : e.group - NETWORK_BITS4 - 1) } };
	memcpy(out->network.address, e.address, sizeof(e.address));
	return 0;
}

int
address_table_at(const struct address_table *t, size_t i, struct address_match *out)
{
	return i < t->n ? rule_at(t, (uint32_t)i, out) : -1;
}

/* The first entry from LOW to below HIGH whose address is not before ADDRESS. */
static uint32_t
lower_bound(const struct address_table *t, uint32_t low, uint32_t high, const uint8_t *address)
{
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (compare_address(t, mid, address) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
address_table_find(const struct address_table *t, const struct network *network, size_t *first, bool *damaged)
{
	unsigned group = address_group(network);
	uint32_t end = t->info.starts[group + 1], i = lower_bound(t, t->info.starts[group], end, network->address);
	struct address_match m;

	for (*first = i; i < end && compare_address(t, i, network->address) == 0; i++)
		if (rule_at(t, i, &m) == -1 || network_cmp(&m.network, network) != 0)
			*damaged = true;
	return i - *first;
}

size_t
address_table_match(const struct address_table *t, const struct url *url, struct address_match *out, size_t max, bool *damaged)
{
	struct network whole;
	size_t n = 0;

	if (t->n == 0 || network_of_host(url->host, url->kind, &whole) == -1)
		return 0;
	for (unsigned bits = whole.bits + 1U; bits-- > 0;) {
		struct network wanted = network_prefix(&whole, bits);
		unsigned group = address_group(&wanted);
		uint32_t end = t->info.starts[group + 1];
		struct address_match m;

		for (uint32_t i = lower_bound(t, t->info.starts[group], end, wanted.address);
		    i < end && compare_address(t, i, wanted.address) == 0; i++) {
			if (rule_at(t, i, &m) == -1 || network_cmp(&m.network, &wanted) != 0)
				*damaged = true;
			else if (n++ < max)
				out[n - 1] = m;
		}
	}
	return n;
}
