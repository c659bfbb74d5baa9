#include "base/slice.h"

#include <stdlib.h>

bool
slice_ieq(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
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
slice_starts(struct slice s, struct slice head)
{
	return s.len >= head.len && slice_eq(slice_head(s, head.len), head);
}

bool
slice_istarts(struct slice s, struct slice head)
{
	return s.len >= head.len && slice_ieq(slice_head(s, head.len), head);
}

bool
slice_ends(struct slice s, struct slice tail)
{
	return s.len >= tail.len && slice_eq(slice_skip(s, s.len - tail.len), tail);
}

size_t
slice_find(struct slice s, char c)
{
	const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);

	return at == NULL ? s.len : (size_t)(at - s.p);
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

bool
slice_cut(struct slice s, char c, struct slice *head, struct slice *tail)
{
	size_t at = slice_find(s, c);

	if (head != NULL)
		*head = slice_head(s, at);
	if (tail != NULL)
		*tail = slice_skip(s, at + 1);
	return at < s.len;
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && ascii_is_space(s.p[0]))
		s = slice_skip(s, 1);
	while (s.len > 0 && ascii_is_space(s.p[s.len - 1]))
		s.len--;
	return s;
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
