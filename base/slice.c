#include "base/slice.h"

#include <stdlib.h>

bool
slice_ieq(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
slice_istarts(struct slice s, struct slice head)
{
	return s.len >= head.len && slice_ieq(slice_head(s, head.len), head);
}

size_t
slice_search(struct slice s, struct slice needle)
{
	for (size_t i = 0; needle.len <= s.len && i <= s.len - needle.len; i++)
		if (slice_starts(slice_skip(s, i), needle))
			return i;
	return s.len;
}

size_t
slice_isearch(struct slice s, struct slice needle)
{
	for (size_t i = 0; needle.len <= s.len && i <= s.len - needle.len; i++)
		if (slice_istarts(slice_skip(s, i), needle))
			return i;
	return s.len;
}

/* What slice_plain() counts. */
static const bool plain[UINT8_MAX + 1] = { [' ' ... '"' - 1] = true, ['"' + 1 ... '&' - 1] = true, ['\'' + 1 ... '<' - 1] = true,
	['='] = true, ['>' + 1 ... '\\' - 1] = true, ['\\' + 1 ... '~'] = true };

size_t
slice_plain(struct slice s)
{
	const uint8_t *u = (const uint8_t *)s.p;
	size_t n = 0;

	/* Nearly all text is plain: four at a time. */
	while (s.len - n >= 4 && (plain[u[n]] & plain[u[n + 1]] & plain[u[n + 2]] & plain[u[n + 3]]) != 0)
		n += 4;
	while (n < s.len && plain[u[n]])
		n++;
	return n;
}

int
slice_u64(struct slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.p[i]))
			return -1;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return -1;
	}
	*out = v;
	return 0;
}

char *
slice_dup(struct slice s)
{
	char *copy = malloc(s.len + 1);

	if (copy == NULL)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}
