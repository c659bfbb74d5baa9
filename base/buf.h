/* buf.h - a growing buffer that is born with a maximum.
 *
 * What does not fit is refused, never cut: the failure is remembered, later additions do nothing, and the
 * caller asks once, at the end.  Growth doubles.  A buffer belongs to one thread at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
	char	*p;		/* NUL-terminated as soon as anything was added */
	size_t	 len;		/* bytes, without the NUL */
	size_t	 cap;
	size_t	 max;		/* LEN never exceeds this */
	bool	 failed;	/* something did not fit, or there was no memory */
	bool	 lent;		/* P is the space that the caller lent */
};

/* The decimal digits of N into OUT, without a NUL; how many. */
enum { DIGITS_MAX = sizeof("18446744073709551615") - 1 };
size_t decimal(uint64_t n, char out[static DIGITS_MAX]);

/* An empty buffer that will hold at most MAX bytes.  Allocates nothing. */
static inline void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max < SIZE_MAX ? max : SIZE_MAX - 1 };	/* and the NUL */
}

/* The same, and SPACE of SIZE bytes, at least 1, is used first: nothing is allocated while it is enough.  SPACE must outlive B. */
static inline void
buf_init_in(struct buf *b, char *space, size_t size, size_t max)
{
	buf_init(b, max);
	b->p = space;
	b->cap = size <= b->max ? size : b->max + 1;
	b->lent = true;
	space[0] = '\0';
}

/* Free what it holds; it is then as after buf_init() with the same maximum.  A zeroed struct is fine. */
void buf_free(char *p);			/* what B holds, unless it is lent */
static inline void
buf_fini(struct buf *b)
{
	if (!b->lent)
		buf_free(b->p);
	buf_init(b, b->max);
}

/* Forget the content and the failure, keep the memory. */
static inline void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

/* Make room for LEN more bytes without adding any.  -1 (and FAILED set) when they would not fit. */
int buf_grow(struct buf *b, size_t len);	/* the same, when there is no room yet */
static inline int
buf_reserve(struct buf *b, size_t len)
{
	return !b->failed && len < b->cap - b->len ? 0 : buf_grow(b, len);
}

/* Append.  0, or -1 when it did not fit or the buffer had failed before. */
static inline int
buf_add(struct buf *b, const void *p, size_t len)
{
	if (buf_reserve(b, len) == -1)
		return -1;
	if (len > 0)
		memcpy(b->p + b->len, p, len);
	b->len += len;
	b->p[b->len] = '\0';
	return 0;
}
static inline int
buf_add_slice(struct buf *b, struct slice s)
{
	return buf_add(b, s.p, s.len);
}
static inline int
buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}
static inline int
buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}
int buf_add_number(struct buf *b, int64_t number);	/* decimal */
int buf_add_strs(struct buf *b, ...) __attribute__((sentinel));	/* strings, then NULL */
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append S as HTML text: & < > " ' become references, control characters but tab and newline U+FFFD, and
 * bytes that are not UTF-8 too.  Safe inside an element and inside a quoted attribute. */
int buf_add_html(struct buf *b, struct slice s);

/* Append S so that one line of printable ASCII shows it: bytes outside 0x20-0x7e, and the backslash,
 * become \t \r \n \\ or \xHH.  buf_add_unescaped() is its inverse; it answers -1 for a bad escape. */
int buf_add_escaped(struct buf *b, struct slice s);
int buf_add_unescaped(struct buf *b, struct slice s);

/* Append S with every byte that is not UTF-8 shown as \xHH, and those of C0 and C1 controls and DEL too, so that
 * what results is valid UTF-8 for JSON whatever came in from the wire, and says nothing to a terminal. */
int buf_add_utf8(struct buf *b, struct slice s);

/* The same of what B holds behind its first BEGIN bytes, in its place.  Costs a look when that is plain. */
int buf_make_utf8(struct buf *b, size_t begin);

/* What it holds; valid until the next change. */
static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->p, b->len };
}

/* S, whose first sequence has N bytes (utf8_sequence()), begins with what a terminal obeys: C0, DEL, or C1 (U+0080 to U+009F). */
bool utf8_is_control(struct slice s, size_t n);

/* The same, or what changes the direction of writing: no person may be shown it as it is. */
bool utf8_misleads(struct slice s, size_t n);

/* The length in bytes of the well-formed UTF-8 sequence (RFC 3629) that S begins with; 0 when none. */
size_t utf8_sequence(struct slice s);

#endif
