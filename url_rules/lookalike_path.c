#include "url_rules/lookalike_search.h"

enum { PATH_LOOKED_AT = 2048, EXTENSION_MAX = 8 };

static bool
is_host_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '_';
}

/* The site's own target whose text stands in H, with its boundaries; empty when none does. */
static struct slice
own_target_in(const struct lookalike *l, const struct lookalike_host *h)
{
	size_t most = lookalike_window(l);

	for (size_t i = 0; i + 1 < h->n; i++)
		for (size_t k = i + 1; k < h->n && k - i < most; k++) {
			uint64_t mixed = lookalike_mix(lookalike_part(l, h->sums, h->at[i], lookalike_token_end(h, k)));
			struct lookalike_target target;
			struct slice text;
			uint32_t at = 0, number;

			if (!lookalike_may_begin(l, mixed))
				break;
			while ((number = lookalike_next(l, INDEX_WHOLE, mixed, &at)) != UINT32_MAX)
				if (lookalike_target_at(l, number, &target, &text) && (target.flags & TARGET_OWN) &&
				    slice_eq(text, lookalike_bytes(h, h->begin[i], h->end[k])))
					return text;
		}
	return (struct slice){ 0 };
}

/* The run of bytes that a host may have from FROM on, in small letters and with hyphens for '_' into OUT, as far as there is room;
 * where it ends. */
static size_t
take_run(struct slice text, size_t from, char out[static LOOKALIKE_HOST_MAX], size_t *len)
{
	size_t i = from;

	for (*len = 0; i < text.len && is_host_byte(text.p[i]); i++)
		if (*len < LOOKALIKE_HOST_MAX)
			out[(*len)++] = text.p[i] == '_' ? '-' : ascii_lower(text.p[i]);
	return i;
}

/* What stands right before AT ends a mail address's first half: '@', as it is or percent-encoded. */
static bool
is_address_at(struct slice text, size_t at)
{
	return at > 1 && (text.p[at - 1] == '@' || (at > 3 && slice_eq(slice_make(text.p + at - 3, 3), SLICE("%40"))));
}

/* The path in PATH_QUERY ends in an extension that programs have. */
static bool
is_program(const struct lookalike *l, struct slice path_query)
{
	struct slice path = slice_head(path_query, slice_find(path_query, '?'));
	char extension[EXTENSION_MAX];
	size_t len = 0, at = path.len;

	while (at > 0 && path.len - at < EXTENSION_MAX && path.p[at - 1] != '.')
		at--;
	if (at == 0 || path.p[at - 1] != '.')
		return false;
	for (; at < path.len; at++)
		extension[len++] = ascii_lower(path.p[at]);
	return (lookalike_word(l, slice_make(extension, len), lookalike_sum_of(slice_make(extension, len))) & WORD_PROGRAM) != 0;
}

bool
lookalike_trace(const struct lookalike *l, struct slice path_query, struct lookalike_finding *f)
{
	struct slice text = slice_head(path_query, PATH_LOOKED_AT), own;
	char run[LOOKALIKE_HOST_MAX];
	struct lookalike_host h;
	size_t len;

	for (size_t i = 0, from; i < text.len; i++) {
		if (!is_host_byte(text.p[i]))
			continue;
		/* "40" behind a percent sign is a '@'. */
		if (i > 0 && text.p[i - 1] == '%' && slice_starts(slice_skip(text, i), SLICE("40"))) {
			i++;
			continue;
		}
		from = i;
		i = take_run(text, from, run, &len);
		if (!lookalike_split(slice_make(run, len), &h) || (own = own_target_in(l, &h)).len == 0)
			continue;
		f->path_target = own;
		f->path_kind = is_address_at(text, from) && slice_starts(slice_make(run, len), own) ? PATH_ADDRESS : PATH_DOMAIN;
		return true;
	}
	if (!is_program(l, path_query))
		return false;
	f->path_kind = PATH_PROGRAM;
	return true;
}
