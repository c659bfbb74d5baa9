#include "icap_service/fields.h"

#include "inspect/multipart.h"

/* ---- validators ---- */

bool
etag_is_strong(struct slice value)
{
	value = slice_trim(value);
	if (value.len <= 2 || value.len > ETAG_MAX || value.p[0] != '"' || value.p[value.len - 1] != '"')
		return false;
	for (size_t i = 1; i < value.len - 1; i++)
		if ((unsigned char)value.p[i] <= ' ' || value.p[i] == '"' || value.p[i] == 0x7f)
			return false;
	return true;
}

/* ---- ranges ---- */

/* Take HEAD and the blanks behind it from the front of S, ignoring case. */
static bool
take(struct slice *s, struct slice head)
{
	if (!slice_istarts(*s, head))
		return false;
	*s = slice_trim(slice_skip(*s, head.len));
	return true;
}

static bool
parse_length(struct slice text, int64_t *out)
{
	uint64_t n;

	if (slice_u64(slice_trim(text), &n) == -1 || n > INT64_MAX)
		return false;
	*out = (int64_t)n;
	return true;
}

bool
content_range_parse(struct slice value, struct content_range *out)
{
	struct slice range, first, last, complete;

	value = slice_trim(value);
	if (!take(&value, SLICE("bytes")) || !slice_cut(value, '/', &range, &complete) || !slice_cut(range, '-', &first, &last) ||
	    !parse_length(first, &out->first) || !parse_length(last, &out->last) || out->first > out->last)
		return false;
	out->complete = FIELD_UNKNOWN;
	if (slice_eq(slice_trim(complete), SLICE("*")))
		return true;
	return parse_length(complete, &out->complete) && out->last < out->complete;
}

bool
range_is_all(struct slice value)
{
	value = slice_trim(value);
	return take(&value, SLICE("bytes")) && take(&value, SLICE("=")) && take(&value, SLICE("0")) && slice_eq(value, SLICE("-"));
}

bool
byteranges_boundary(struct slice content_type, struct slice *boundary)
{
	struct slice type;

	slice_cut(content_type, ';', &type, NULL);
	if (!slice_ieq(slice_trim(type), SLICE("multipart/byteranges")))
		return false;
	*boundary = weighted_parameter(content_type, SLICE("boundary"));
	if (boundary->len >= 2 && boundary->p[0] == '"' && boundary->p[boundary->len - 1] == '"')
		*boundary = slice_make(boundary->p + 1, boundary->len - 2);
	if (boundary->len > BOUNDARY_MAX || slice_find(*boundary, '"') < boundary->len)
		*boundary = (struct slice){ 0 };
	return true;
}

/* What stands behind the next "--boundary" on a line of its own in *BODY, into *BODY; false when there is none. */
static bool
next_part(struct slice boundary, struct slice *body)
{
	struct slice line;

	while (slice_cut(*body, '\n', &line, body)) {
		line = slice_trim(line);
		if (slice_starts(line, SLICE("--")) && slice_eq(slice_skip(line, 2), boundary))
			return true;
	}
	return false;
}

enum byterange_head { PART_HEAD_GOOD, PART_HEAD_BAD, PART_HEAD_CUT };

/* The complete length in the head of a part that *BODY begins with; *BODY moves behind it. */
static enum byterange_head
read_part_head(struct slice *body, int64_t *complete)
{
	struct content_range range = { .complete = FIELD_UNKNOWN };
	struct slice line, name, value;
	size_t n = 0;
	bool good = false;

	while (slice_cut(*body, '\n', &line, body)) {
		if (slice_trim(line).len == 0) {
			*complete = range.complete;
			return n == 1 && good && range.complete != FIELD_UNKNOWN ? PART_HEAD_GOOD : PART_HEAD_BAD;
		}
		if (!slice_cut(line, ':', &name, &value) || !slice_ieq(slice_trim(name), SLICE("Content-Range")))
			continue;
		good = content_range_parse(value, &range);
		n++;
	}
	return PART_HEAD_CUT;
}

int64_t
byteranges_complete(struct slice boundary, struct slice body)
{
	int64_t complete = FIELD_UNKNOWN, other;
	enum byterange_head head;

	while (boundary.len > 0 && next_part(boundary, &body)) {
		head = read_part_head(&body, &other);
		if (head == PART_HEAD_CUT)
			break;
		if (head == PART_HEAD_BAD || (complete != FIELD_UNKNOWN && other != complete))
			return FIELD_UNKNOWN;
		complete = other;
	}
	return complete;
}

/* ---- types and codings ---- */

bool
type_is_media(struct slice content_type)
{
	content_type = slice_trim(content_type);
	return slice_istarts(content_type, SLICE("video/")) || slice_istarts(content_type, SLICE("audio/"));
}

/* The best weight in VALUE of what IS says is meant, and of all else. */
struct weights {
	int	meant, other;
};

/* Weigh the next element of *VALUE; false when there is none. */
static bool
weigh_next(struct slice *value, bool (*is)(struct slice name), struct weights *w)
{
	struct weighted e;
	int *best;

	if (!weighted_next(value, &e))
		return false;
	best = is(e.name) ? &w->meant : &w->other;
	if (e.weight > *best)
		*best = e.weight;
	return true;
}

/* Something of VALUE is meant, and nothing is wanted more. */
static bool
prefers(struct slice value, bool (*is)(struct slice name))
{
	struct weights w = { 0, 0 };

	/* Nothing can be wanted more than what is wanted without reserve. */
	while (w.meant < WEIGHT_ONE && weigh_next(&value, is, &w))
		;
	return w.meant > 0 && w.meant >= w.other;
}

bool
accept_prefers_media(struct slice value)
{
	struct weights w = { 0, 0 };

	while (weigh_next(&value, type_is_media, &w))
		;
	return w.meant > w.other;
}

static bool
type_is_page(struct slice name)
{
	return slice_ieq(name, SLICE("text/html")) || slice_ieq(name, SLICE("application/xhtml+xml"));
}

bool
accept_prefers_html(struct slice value)
{
	return prefers(value, type_is_page);
}

static bool
type_is_json(struct slice name)
{
	return slice_ieq(name, SLICE("application/json")) || slice_ieq(name, SLICE("application/problem+json"));
}

bool
accept_prefers_json(struct slice value)
{
	return prefers(value, type_is_json);
}

static bool
type_is_image(struct slice name)
{
	return slice_istarts(name, SLICE("image/"));
}

bool
accept_prefers_image(struct slice value)
{
	return prefers(value, type_is_image);
}

static bool
type_is_style(struct slice name)
{
	return slice_ieq(name, SLICE("text/css"));
}

bool
accept_prefers_style(struct slice value)
{
	return prefers(value, type_is_style);
}

/* What is undone in a response is what may be asked for: inspect/coding.c has the one list. */
static bool
can_undo(struct slice coding)
{
	struct codings c = { 0 };

	codings_add(&c, coding);
	return coding.len > 0 && c.fault == UNSCANNABLE_NO;
}

int
accept_encoding_narrow(struct slice value, struct buf *out)
{
	size_t before = out->len, n_wanted = 0, n_dropped = 0;
	struct slice rest = value;
	struct weighted e;

	while (weighted_next(&rest, &e))
		n_dropped += e.weight > 0 && !can_undo(e.name);
	if (n_dropped == 0)
		return 0;
	for (rest = value; weighted_next(&rest, &e);) {
		if (e.weight > 0 && !can_undo(e.name))
			continue;
		if (out->len > before)
			buf_add_str(out, ", ");
		buf_add_slice(out, e.text);
		n_wanted += e.weight > 0;
	}
	/* A field that is missing would allow any coding, and one that only forbids says nothing of identity. */
	if (n_wanted == 0 && !out->failed) {
		out->len = before;
		buf_add_str(out, "identity");
	}
	return out->failed ? -1 : 1;
}
