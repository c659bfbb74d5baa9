#include "url_rules/path_pattern.h"

#include <stdio.h>

#include "url_rules/byte_class.h"
#include "url_rules/percent.h"

enum { RAW_MAX = 3 * PATTERN_MAX };

/* A refusal: the reason, and the byte of the pattern where it shows. */
static int
refuse(char *why, size_t *at, size_t where, const char *text)
{
	snprintf(why, PATTERN_WHY, "%s", text);
	*at = where;
	return -1;
}

/* ---- canonical form ---- */

static size_t
count_stars(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '*';
	return n;
}

/* What is a mistake however it is decoded. */
static int
check_bytes(struct slice glob, char *why, size_t *at)
{
	size_t hash = slice_find(glob, '#');

	if (glob.len > RAW_MAX)
		return refuse(why, at, PATTERN_MAX, "is longer than 1024 bytes");
	if (hash < glob.len)
		return refuse(why, at, hash, "no request has a fragment; the byte itself is %23");
	for (size_t i = 0; i < glob.len; i++)
		if (glob.p[i] == '%' && (i + 2 >= glob.len || ascii_hex(glob.p[i + 1]) < 0 || ascii_hex(glob.p[i + 2]) < 0))
			return refuse(why, at, i, "a % stands before two hexadecimal digits; the byte itself is %25");
	return 0;
}

/* Where the segment ends that begins at FROM. */
static size_t
segment_end(struct slice s, size_t from)
{
	return from + slice_find(slice_skip(s, from), '/');
}

/* HEAD is what stands before the first *, which COMES or not: no canonical path begins so when a segment is empty or dots. */
static int
check_segments(struct slice head, bool star_comes, char *why, size_t *at)
{
	size_t backslash = slice_find(head, '\\'), end;

	if (backslash < head.len)
		return refuse(why, at, backslash, "a canonical path has / for \\");
	for (size_t from = 1; from < head.len; from = end + 1) {
		struct slice segment;

		end = segment_end(head, from);
		segment = slice_make(head.p + from, end - from);
		if (end == head.len && star_comes)
			break;
		if (segment.len == 0 || slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE("..")))
			return refuse(why, at, from, "no canonical path has an empty segment, \".\" or \"..\"");
	}
	return 0;
}

/* Where the canonical text goes. */
struct writer {
	char	*p;
	size_t	 len;
	bool	 full;
};

static void
put(struct writer *w, char c)
{
	if (w->len == PATTERN_MAX)
		w->full = true;
	else
		w->p[w->len++] = c;
}

/* The decoded part S, as path or query. */
static void
put_part(struct writer *w, struct slice s, bool query)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '*' && w->len > 0 && w->p[w->len - 1] == '*')
			continue;
		if (!byte_is(s.p[i], BYTE_ESCAPED) || (query && c == '?')) {
			put(w, s.p[i]);
			continue;
		}
		put(w, '%');
		put(w, hex[c >> 4]);
		put(w, hex[c & 15]);
	}
}

/* Decode PART into ROOM.  An escaped * would become a wildcard. */
static int
decode(struct slice part, char room[static RAW_MAX], struct slice *out, char *why, size_t *at)
{
	memcpy(room, part.p, part.len);
	*out = slice_make(room, percent_decode(room, part.len));
	if (count_stars(*out) != count_stars(part))
		return refuse(why, at, slice_find(part, '%'), "* cannot be escaped; it stands for itself too");
	return 0;
}

static int
glob_canonical(struct slice glob, struct writer *w, char *why, size_t *at)
{
	size_t mark = slice_find(glob, '?'), star;
	struct slice path = slice_head(glob, mark), query = slice_skip(glob, mark), decoded;
	char room[RAW_MAX];

	if (check_bytes(glob, why, at) == -1 || decode(path, room, &decoded, why, at) == -1)
		return -1;
	star = slice_find(decoded, '*');
	if (check_segments(slice_head(decoded, star), star < decoded.len, why, at) == -1)
		return -1;
	put_part(w, decoded, false);
	if (query.len > 0) {
		if (decode(query, room, &decoded, why, at) == -1) {
			*at += mark;
			return -1;
		}
		put_part(w, decoded, true);
	}
	return w->full ? refuse(why, at, glob.len < PATTERN_MAX ? glob.len : PATTERN_MAX, "is longer than 1024 bytes") : 0;
}

static int
regex_canonical(struct slice text, struct writer *w, char *why, size_t *at)
{
	size_t nul = slice_find(text, '\0');
	struct regex *r;

	if (nul < text.len)
		return refuse(why, at, nul, "has a NUL byte");
	if ((r = regex_compile(text, why, at)) == NULL)
		return -1;
	regex_free(r);
	memcpy(w->p, text.p, text.len);
	w->len = text.len;
	return 0;
}

int
pattern_canonical(struct slice text, bool everywhere, char out[static PATTERN_MAX], size_t *len,
    char why[static PATTERN_WHY], size_t *at)
{
	struct writer w = { .p = out };
	bool regex = pattern_is_regex(text);
	char literal[PATTERN_MAX];

	if (!regex && (text.len == 0 || text.p[0] != '/'))
		return refuse(why, at, 0, "a pattern begins with / or, as a regular expression, with ~");
	if ((regex ? regex_canonical(text, &w, why, at) : glob_canonical(text, &w, why, at)) == -1)
		return -1;
	*len = w.len;
	if (everywhere && pattern_literal(slice_make(out, w.len), literal) < PATTERN_LITERAL_MIN)
		return refuse(why, at, 0, regex ?
		    "for all hosts it needs 4 plain characters side by side, outside of groups and alternatives" :
		    "for all hosts it needs 4 bytes side by side without *");
	return 0;
}

/* ---- asking ---- */

bool
pattern_is_regex(struct slice text)
{
	return text.len > 0 && text.p[0] == '~';
}

bool
glob_match(struct slice glob, struct slice s)
{
	struct slice piece;

	if (!slice_cut(glob, '*', &piece, &glob))
		return slice_eq(piece, s);
	if (!slice_starts(s, piece))
		return false;
	s = slice_skip(s, piece.len);
	while (slice_cut(glob, '*', &piece, &glob)) {
		const char *found = piece.len == 0 ? s.p : memmem(s.p, s.len, piece.p, piece.len);

		if (found == NULL)
			return false;
		s = slice_skip(s, (size_t)(found - s.p) + piece.len);
	}
	return slice_ends(s, piece);
}
