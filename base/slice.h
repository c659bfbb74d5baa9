/* slice.h - a piece of somebody else's bytes: pointer and length, never assumed NUL-terminated.
 *
 * A slice owns nothing.  It is valid as long as the bytes it points into; whoever hands one out says how
 * long that is.  Text from the wire, from feeds and from mapped files travels as slices.  All functions
 * are pure, thread-safe and cost at most the length of what they are given. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char	*p;	/* may be NULL when len is 0 */
	size_t		 len;	/* bytes */
};

/* A slice of a string literal, without its NUL. */
#define SLICE(lit)	((struct slice){ (lit), sizeof(lit) - 1 })

/* For printf's "%.*s".  LEN is cut at INT_MAX. */
#define SLICE_ARGS(s)	(int)((s).len > INT32_MAX ? INT32_MAX : (s).len), (s).p != NULL ? (s).p : ""

/* The bytes from P, LEN of them. */
static inline struct slice
slice_make(const char *p, size_t len)
{
	return (struct slice){ p, len };
}

/* The bytes of the NUL-terminated S; S may be NULL, which gives the empty slice. */
static inline struct slice
slice_str(const char *s)
{
	return (struct slice){ s, s == NULL ? 0 : strlen(s) };
}

/* S without its first N bytes; empty when it has fewer. */
static inline struct slice
slice_skip(struct slice s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return s.p == NULL ? s : (struct slice){ s.p + n, s.len - n };
}

/* The first N bytes of S; all of it when it has fewer. */
static inline struct slice
slice_head(struct slice s, size_t n)
{
	return (struct slice){ s.p, n < s.len ? n : s.len };
}

/* Take the first LEN bytes off *REST, all of it when it has fewer: what was taken. */
static inline struct slice
slice_take(struct slice *rest, size_t len)
{
	struct slice s = slice_head(*rest, len);

	*rest = slice_skip(*rest, s.len);
	return s;
}

/* Same bytes. */
static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || a.p == b.p || memcmp(a.p, b.p, a.len) == 0);
}

/* Same bytes when ASCII letters are compared without case.  Never looks at the locale. */
bool slice_ieq(struct slice a, struct slice b);

/* Like memcmp over the shorter, then the shorter first: an order for sorting. */
int slice_cmp(struct slice a, struct slice b);

/* S begins with HEAD / ends with TAIL.  The _i form ignores ASCII case. */
static inline bool
slice_starts(struct slice s, struct slice head)
{
	return s.len >= head.len && slice_eq(slice_head(s, head.len), head);
}
static inline bool
slice_ends(struct slice s, struct slice tail)
{
	return s.len >= tail.len && slice_eq(slice_skip(s, s.len - tail.len), tail);
}
bool slice_istarts(struct slice s, struct slice head);

/* Where C first stands in S; S.len when nowhere. */
static inline size_t
slice_find(struct slice s, char c)
{
	const char *at = s.len == 0 ? NULL : (const char *)memchr(s.p, c, s.len);

	return at == NULL ? s.len : (size_t)(at - s.p);
}

/* Where NEEDLE first stands in S; S.len when nowhere.  The _i form ignores ASCII case. */
size_t slice_search(struct slice s, struct slice needle);
size_t slice_isearch(struct slice s, struct slice needle);

/* Split S at the first C: HEAD gets what is left of it, TAIL what is right of it.  False when C is not
 * there: HEAD is then S and TAIL empty.  HEAD and TAIL may be NULL or the address of S's own copy. */
static inline bool
slice_cut(struct slice s, char c, struct slice *head, struct slice *tail)
{
	size_t at = slice_find(s, c);

	if (head != NULL)
		*head = slice_head(s, at);
	if (tail != NULL)
		*tail = slice_skip(s, at + 1);
	return at < s.len;
}

/* How many bytes S begins with that are the same in every form that text is written in: printable ASCII but for & < > " ' and the
 * backslash. */
size_t slice_plain(struct slice s);

/* The decimal number that is the whole of S: digits only, no sign, no blanks.  -1 when it is not one or
 * does not fit; *OUT is then untouched. */
int slice_u64(struct slice s, uint64_t *out);

/* A NUL-terminated copy that the caller frees; NULL without memory.  A NUL inside S ends the copy early
 * for whoever reads it as a string. */
char *slice_dup(struct slice s);

/* ASCII only, whatever the locale. */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool
ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* S without spaces, tabs, CR and LF at either end. */
static inline struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && ascii_is_space(s.p[0]))
		s = (struct slice){ s.p + 1, s.len - 1 };
	while (s.len > 0 && ascii_is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* 0 to 15, or -1 when C is no hexadecimal digit. */
static inline int
ascii_hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
