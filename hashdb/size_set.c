#include "hashdb/size_set.h"

#include "base/bytes.h"
#include "hashdb/size_set_format.h"

static uint64_t
pages_of(struct slice set)
{
	return bytes_u64(set.p);
}

const char *
size_set_fault(struct slice set)
{
	if (set.len < sizeof(uint64_t))
		return "damaged: length of the sizes";
	if (pages_of(set) > (set.len - sizeof(uint64_t)) / sizeof(struct size_page))
		return "damaged: number of pages of sizes";
	return NULL;
}

static bool
find_page(struct slice set, uint64_t page, struct size_page *out)
{
	uint64_t low = 0, high = pages_of(set);

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		memcpy(out, set.p + sizeof(uint64_t) + mid * sizeof(*out), sizeof(*out));
		if (out->page == page)
			return true;
		if (out->page < page)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool
list_has(const char *list, uint32_t n, uint16_t low_half)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint16_t at;

		memcpy(&at, list + mid * sizeof(at), sizeof(at));
		if (at == low_half)
			return true;
		if (at < low_half)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool
size_set_has(struct slice set, uint64_t size)
{
	uint16_t low_half = (uint16_t)size;
	struct size_page page;
	struct slice bytes;

	if (!find_page(set, size >> SIZE_PAGE_BITS, &page))
		return false;
	bytes = slice_skip(set, page.at);
	if (page.n > SIZE_LIST_MAX)
		return bytes.len >= SIZE_PAGE_BYTES && ((uint8_t)bytes.p[low_half >> 3] >> (low_half & 7) & 1) != 0;
	return bytes.len >= page.n * sizeof(uint16_t) && list_has(bytes.p, page.n, low_half);
}
