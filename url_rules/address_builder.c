#include "url_rules/address_table.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "url_rules/address_format.h"

struct address_builder {
	struct address_match	*rows;
	size_t			 n, cap;
};

struct address_builder *
address_builder_new(void)
{
	return calloc(1, sizeof(struct address_builder));
}

void
address_builder_free(struct address_builder *b)
{
	if (b == NULL)
		return;
	free(b->rows);
	free(b);
}

static bool
is_network(const struct network *n)
{
	struct network prefix;

	if (n->kind == HOST_NAME || n->bits > (n->kind == HOST_IPV4 ? NETWORK_BITS4 : NETWORK_BITS6))
		return false;
	prefix = network_prefix(n, n->bits);
	return memcmp(prefix.address, n->address, sizeof(n->address)) == 0;
}

int
address_builder_add(struct address_builder *b, const struct network *network, uint32_t ref)
{
	if (!is_network(network))
		return errno = EINVAL, -1;
	if (b->n == b->cap) {
		size_t cap = b->cap > 0 ? b->cap * 2 : 64;
		struct address_match *rows = realloc(b->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return -1;
		b->rows = rows;
		b->cap = cap;
	}
	b->rows[b->n++] = (struct address_match){ .ref = ref, .network = *network };
	return 0;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct address_match *x = a, *y = b;
	int c = network_cmp(&x->network, &y->network);

	return c != 0 ? c : x->ref < y->ref ? -1 : x->ref > y->ref;
}

/* Drop repetitions, and what is too many for one network, with a warning for each. */
static void
sort_rows(struct address_builder *b, const char *path, struct diag *diag)
{
	char text[NETWORK_TEXT];
	size_t n = 0, run = 0;

	if (b->n > 0)
		qsort(b->rows, b->n, sizeof(*b->rows), compare_rows);
	for (size_t i = 0; i < b->n; i++) {
		if (n > 0 && compare_rows(&b->rows[n - 1], &b->rows[i]) == 0)
			continue;
		run = n > 0 && network_cmp(&b->rows[n - 1].network, &b->rows[i].network) == 0 ? run + 1 : 1;
		if (run == ADDRESS_RULES_PER_KEY + 1) {
			network_format(&b->rows[i].network, text);
			diag_add(diag, DIAG_WARNING, path, 0, 0, "more than %d rules for \"%s\": the others are left out",
			    ADDRESS_RULES_PER_KEY, text);
		}
		if (run <= ADDRESS_RULES_PER_KEY)
			b->rows[n++] = b->rows[i];
	}
	b->n = n;
}

static struct address_entry *
make_entries(const struct address_builder *b, struct address_info *info)
{
	struct address_entry *entries = calloc(b->n + 1, sizeof(*entries));
	uint8_t content[EVP_MAX_MD_SIZE];

	if (entries == NULL)
		return NULL;
	for (size_t i = 0; i < b->n; i++) {
		unsigned group = address_group(&b->rows[i].network);

		entries[i].ref = b->rows[i].ref;
		entries[i].group = (uint8_t)group;
		memcpy(entries[i].address, b->rows[i].network.address, sizeof(entries[i].address));
		info->starts[group + 1]++;
	}
	for (unsigned g = 0; g < ADDRESS_GROUPS; g++)
		info->starts[g + 1] += info->starts[g];
	if (EVP_Digest(entries, b->n * sizeof(*entries), content, NULL, EVP_sha256(), NULL) != 1) {
		free(entries);
		return NULL;
	}
	memcpy(info->key, content, sizeof(info->key));
	for (size_t i = 0; i < b->n; i++)
		entries[i].sum = address_sum(info->key, &entries[i]);
	return entries;
}

size_t
address_builder_count(const struct address_builder *b)
{
	return b->n;
}

int
address_builder_write(struct address_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct address_info info = { .starts = { 0 } };
	struct address_entry *entries = NULL;
	int r = -1;

	sort_rows(b, path, diag);
	if (b->n > UINT32_MAX || (entries = make_entries(b, &info)) == NULL) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	} else {
		struct segment_part parts[] = {
			{ ADDRESSES_INFO, slice_make((const char *)&info, sizeof(info)) },
			{ ADDRESSES_ENTRIES, slice_make((const char *)entries, b->n * sizeof(*entries)) },
		};

		r = segment_write(path, SEGMENT_ADDRESSES, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
	}
	free(entries);
	return r;
}
