#include "ruleset/variant.h"

#include "base/clock.h"

enum { DATE_LEN = sizeof("2009-10-28") - 1 };

static const struct slice published = { ", published ", sizeof(", published ") - 1 };

int
file_variant_format(const struct file_variant *v, struct buf *out)
{
	buf_addf(out, "variant %llu of %llu of ", (unsigned long long)v->k, (unsigned long long)v->n);
	buf_add_slice(out, v->title);
	if (v->published.len > 0) {
		buf_add_slice(out, published);
		buf_add_slice(out, v->published);
	}
	return out->failed ? -1 : 0;
}

/* The number that REST begins with, and " of " behind it. */
static bool
take_number(struct slice *rest, uint64_t *n)
{
	size_t digits = slice_search(*rest, SLICE(" of "));

	if (digits == rest->len || slice_u64(slice_head(*rest, digits), n) == -1)
		return false;
	*rest = slice_skip(*rest, digits + strlen(" of "));
	return true;
}

bool
file_variant_parse(struct slice note, struct file_variant *out)
{
	struct slice rest = note, date;
	int64_t day;
	size_t end;

	*out = (struct file_variant){ 0 };
	if (!slice_starts(rest, SLICE("variant ")))
		return false;
	rest = slice_skip(rest, strlen("variant "));
	if (!take_number(&rest, &out->k) || !take_number(&rest, &out->n))
		return false;
	out->title = rest;
	end = rest.len < published.len + DATE_LEN ? 0 : rest.len - published.len - DATE_LEN;
	date = slice_skip(rest, end + published.len);
	if (slice_starts(slice_skip(rest, end), published) && clock_parse(date, &day) == 0) {
		out->title = slice_head(rest, end);
		out->published = date;
	}
	return out->k > 0 && out->k <= out->n;
}
