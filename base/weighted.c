#include "base/weighted.h"

enum { WEIGHT_DIGITS = 3 };

struct slice
weighted_parameter(struct slice value, struct slice name)
{
	struct slice part, key, text, found = { 0 };
	size_t n = 0;

	for (slice_cut(value, ';', NULL, &value); value.len > 0;) {
		slice_cut(value, ';', &part, &value);
		if (!slice_cut(part, '=', &key, &text) || !slice_ieq(slice_trim(key), name))
			continue;
		found = slice_trim(text);
		n++;
	}
	return n == 1 ? found : (struct slice){ 0 };
}

/* A weight of RFC 9110 12.4.2 in thousandths. */
static int
parse_weight(struct slice text)
{
	int weight = 0, unit = WEIGHT_ONE;

	if (text.len == 0 || text.len > 2 + WEIGHT_DIGITS || text.p[0] != '0' || (text.len > 1 && text.p[1] != '.'))
		return WEIGHT_ONE;
	for (size_t i = 2; i < text.len; i++) {
		if (!ascii_is_digit(text.p[i]))
			return WEIGHT_ONE;
		unit /= 10;
		weight += (text.p[i] - '0') * unit;
	}
	return weight;
}

bool
weighted_next(struct slice *list, struct weighted *e)
{
	struct slice weight;

	while (list->len > 0) {
		slice_cut(*list, ',', &e->text, list);
		e->text = slice_trim(e->text);
		if (e->text.len == 0)
			continue;
		e->weight = WEIGHT_ONE;
		if (slice_cut(e->text, ';', &e->name, NULL) && (weight = weighted_parameter(e->text, SLICE("q"))).len > 0)
			e->weight = parse_weight(weight);
		e->name = slice_trim(e->name);
		return true;
	}
	return false;
}

/* RANGE is TAG, or a language of it: "de" and "de-AT" for "de". */
static bool
is_language(struct slice range, struct slice tag)
{
	return slice_istarts(range, tag) && (range.len == tag.len || range.p[tag.len] == '-');
}

size_t
accept_language_pick(struct slice value, const struct slice *tags, size_t n)
{
	size_t best = 0;
	struct weighted e;
	int weight = 0;

	while (weight < WEIGHT_ONE && weighted_next(&value, &e))
		for (size_t i = 0; i < n; i++)
			if (e.weight > weight && is_language(e.name, tags[i])) {
				best = i;
				weight = e.weight;
			}
	return best;
}
