#include "url_rules/lookalike_table.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "url_rules/url.h"

/* ---- opening ---- */

static const struct { uint32_t id, size; size_t offset; } arrays[] = {
	{ LOOKALIKE_NAMES, sizeof(struct lookalike_name), offsetof(struct lookalike, names) },
	{ LOOKALIKE_TARGETS, sizeof(struct lookalike_target), offsetof(struct lookalike, targets) },
	{ LOOKALIKE_EMBEDS, sizeof(struct lookalike_embed), offsetof(struct lookalike, embeds) },
	{ LOOKALIKE_WORDS, sizeof(struct lookalike_word), offsetof(struct lookalike, words) },
	{ LOOKALIKE_GLYPHS, sizeof(struct lookalike_glyph), offsetof(struct lookalike, glyphs) },
};

/* Section ID, of entries of SIZE bytes. */
static bool
open_array(const struct segment *segment, uint32_t id, size_t size, struct lookalike_array *out)
{
	struct slice s = segment_section(segment, id);

	*out = (struct lookalike_array){ s.p, (uint32_t)(s.len / size) };
	return s.len % size == 0 && s.len / size <= UINT32_MAX;
}

static const char *
sections_fault(const struct segment *segment, struct lookalike *l)
{
	struct slice info = segment_section(segment, LOOKALIKE_INFO), first = segment_section(segment, LOOKALIKE_FIRST);
	struct slice edits = segment_section(segment, LOOKALIKE_EDITS);

	if (info.len != sizeof(l->info))
		return "damaged: size of the lookalikes' head";
	memcpy(&l->info, info.p, sizeof(l->info));
	if (first.len != FIRST_BITS / 8 || edits.len != EDIT_BITS / 8)
		return "damaged: size of the lookalikes' bits";
	l->first = (const uint8_t *)first.p;
	l->edits = (const uint8_t *)edits.p;
	l->text = segment_section(segment, LOOKALIKE_TEXT);
	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++)
		if (!open_array(segment, arrays[i].id, arrays[i].size, (struct lookalike_array *)((char *)l + arrays[i].offset)))
			return "damaged: size of a lookalikes' section";
	for (uint32_t i = 0; i < LOOKALIKE_INDEXES; i++)
		if (!open_array(segment, LOOKALIKE_INDEX + i, sizeof(uint32_t), &l->index[i]))
			return "damaged: size of a lookalikes' index";
	return NULL;
}

struct lookalike *
lookalike_open(const struct segment *segment, struct diag *diag)
{
	struct lookalike *l = calloc(1, sizeof(*l));
	const char *fault = l == NULL ? "out of memory" : sections_fault(segment, l);

	if (fault != NULL) {
		diag_error(diag, "%s", fault);
		free(l);
		return NULL;
	}
	l->powers[0] = 1;
	for (size_t i = 1; i <= LOOKALIKE_HOST_MAX; i++)
		l->powers[i] = l->powers[i - 1] * LOOKALIKE_BASE;
	return l;
}

void
lookalike_close(struct lookalike *l)
{
	free(l);
}

uint64_t
lookalike_stamp(const struct lookalike *l)
{
	return l->info.stamp;
}

size_t
lookalike_own(const struct lookalike *l)
{
	return l->info.n_own;
}

size_t
lookalike_brands(const struct lookalike *l)
{
	return l->info.n_brands;
}

/* ---- entries ---- */

uint32_t
lookalike_next(const struct lookalike *l, enum lookalike_index index, uint64_t mixed, uint32_t *at)
{
	const struct lookalike_array *a = &l->index[index];
	uint32_t fingerprint = lookalike_fingerprint(mixed), slot;

	while (*at < a->n) {
		uint32_t i = lookalike_slot(mixed, a->n) + (*at)++;

		slot = bytes_u32(a->p + (size_t)(i < a->n ? i : i - a->n) * sizeof(slot));
		if (slot == 0)
			break;
		if ((slot & ~(uint32_t)SLOT_ENTRY) == fingerprint)
			return (slot & SLOT_ENTRY) - 1;
	}
	return UINT32_MAX;
}

/* LEN bytes at AT of the text; false when they are out of bounds. */
static bool
text_at(const struct lookalike *l, uint32_t at, size_t len, struct slice *out)
{
	if (at > l->text.len || len > l->text.len - at)
		return false;
	*out = slice_make(l->text.p + at, len);
	return true;
}

bool
lookalike_name_at(const struct lookalike *l, uint32_t i, struct lookalike_name *out, struct slice *text)
{
	if (i >= l->names.n)
		return false;
	memcpy(out, l->names.p + (size_t)i * sizeof(*out), sizeof(*out));
	return text_at(l, out->at, out->len, text);
}

bool
lookalike_target_at(const struct lookalike *l, uint32_t i, struct lookalike_target *out, struct slice *text)
{
	if (i >= l->targets.n)
		return false;
	memcpy(out, l->targets.p + (size_t)i * sizeof(*out), sizeof(*out));
	return (size_t)out->label_at + out->label_len <= out->len && text_at(l, out->at, out->len, text);
}

unsigned
lookalike_word(const struct lookalike *l, struct slice word, uint64_t sum)
{
	uint64_t mixed = lookalike_mix(sum);
	uint32_t at = 0, i;

	while ((i = lookalike_next(l, INDEX_WORDS, mixed, &at)) < l->words.n) {
		struct lookalike_word w;
		struct slice text;

		memcpy(&w, l->words.p + (size_t)i * sizeof(w), sizeof(w));
		if (text_at(l, w.at, w.len, &text) && slice_eq(text, word))
			return w.flags;
	}
	return 0;
}

/* NAME and TARGET stand in the embeds. */
static bool
has_embed(const struct lookalike *l, uint32_t name, uint32_t target)
{
	uint32_t low = 0, high = l->embeds.n;
	struct lookalike_embed e;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		memcpy(&e, l->embeds.p + (size_t)mid * sizeof(e), sizeof(e));
		if (e.name == name && e.target == target)
			return true;
		if (e.name < name || (e.name == name && e.target < target))
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool
lookalike_may_embed(const struct lookalike *l, uint32_t name, uint32_t target)
{
	return has_embed(l, name, target) || has_embed(l, name, LOOKALIKE_ANY);
}

/* ---- hosts ---- */

bool
lookalike_split(struct slice host, struct lookalike_host *out)
{
	size_t n = 0;
	bool inside = false, encoded = false;

	out->text = host;
	out->n = 0;
	out->encoded = false;
	out->inner = 0;
	out->sums[0] = 0;
	for (size_t i = 0; i < host.len; i++) {
		bool separates = host.p[i] == '.' || host.p[i] == '-';

		if (separates) {
			if (inside)
				out->end[out->n - 1] = (uint8_t)i;
			inside = false;
			encoded &= host.p[i] != '.';
			continue;
		}
		if (!inside) {
			if (out->n == LOOKALIKE_TOKENS_MAX)
				return false;
			if (out->n > 0) {
				out->folded[n] = '.';
				out->sums[n + 1] = lookalike_sum(out->sums[n], '.');
				n++;
			}
			out->inner |= (uint64_t)encoded << out->n;
			encoded |= (i == 0 || host.p[i - 1] == '.') && lookalike_is_encoded(slice_skip(host, i));
			out->encoded |= encoded;
			out->begin[out->n] = (uint8_t)i;
			out->at[out->n++] = (uint8_t)n;
			inside = true;
		}
		out->folded[n] = host.p[i];
		out->sums[n + 1] = lookalike_sum(out->sums[n], host.p[i]);
		n++;
	}
	if (inside)
		out->end[out->n - 1] = (uint8_t)host.len;
	out->n_bytes = n;
	return true;
}

/* The suffix that FLAGS, three bits about TEXT, give: its length; 0.  LONGER is the length with one more label, or 0. */
static size_t
suffix_by(unsigned flags, struct slice text, size_t longer)
{
	if (flags & SUFFIX_EXCEPTION)
		return text.len - slice_find(text, '.') - 1;
	if ((flags & SUFFIX_WILDCARD) && longer > 0)
		return longer;
	return flags != 0 ? text.len : 0;
}

/* Add what is known of TEXT, entry I. */
static void
add_above(struct lookalike_above *out, uint32_t i, const struct lookalike_name *name, struct slice text)
{
	if (name->flags == 0)
		return;
	out->flags |= name->flags;
	for (unsigned bit = 0; bit < sizeof(out->by) / sizeof(*out->by); bit++)
		if (name->flags >> bit & 1)
			out->by[bit] = text;
	if (name->flags & NAME_EMBEDS)
		out->embeds = i;
}

/* The entry of the name that begins at token T of H. */
static uint32_t
find_name(const struct lookalike *l, const struct lookalike_host *h, size_t t, struct lookalike_name *name, struct slice *text)
{
	uint64_t mixed = lookalike_mix(lookalike_part(l, h->sums, h->at[t], h->n_bytes));
	struct slice asked = slice_skip(h->text, h->begin[t]);
	uint32_t at = 0, i;

	while ((i = lookalike_next(l, INDEX_NAMES, mixed, &at)) != UINT32_MAX)
		if (lookalike_name_at(l, i, name, text) && slice_eq(*text, asked))
			return i;
	return UINT32_MAX;
}

static enum lookalike_excuse
excuse_by(unsigned flags)
{
	static const struct { unsigned flag; enum lookalike_excuse excuse; } excuses[] = {
		{ NAME_OWN, EXCUSE_OWN }, { NAME_PARTNER, EXCUSE_PARTNER }, { NAME_FAMILY, EXCUSE_FAMILY }, { NAME_INFRA, EXCUSE_INFRA },
		{ NAME_HOSTING, EXCUSE_HOSTING }, { NAME_EMBEDS, EXCUSE_EMBEDS }, { NAME_POPULAR, EXCUSE_POPULAR },
		{ NAME_BUCKET, EXCUSE_BUCKET }, { NAME_SHARED, EXCUSE_SHARED }, { NAME_PROXY, EXCUSE_PROXY },
	};

	for (size_t i = 0; i < sizeof(excuses) / sizeof(*excuses); i++)
		if (flags & excuses[i].flag)
			return excuses[i].excuse;
	return EXCUSE_NONE;
}

bool
lookalike_touches(const struct lookalike *l, struct slice domain, struct slice *name, enum lookalike_excuse *why)
{
	for (uint32_t i = 0; i < l->names.n; i++) {
		struct lookalike_name entry;

		if (!lookalike_name_at(l, i, &entry, name))
			continue;
		*why = excuse_by(entry.flags);
		if ((*why != EXCUSE_NONE && host_under(domain, *name)) ||
		    ((*why != EXCUSE_NONE || entry.suffix != 0) && host_under(*name, domain)))
			return true;
	}
	return false;
}

static size_t
last_label_len(struct slice host)
{
	size_t n = 0;

	while (n < host.len && host.p[host.len - 1 - n] != '.')
		n++;
	return n;
}

void
lookalike_look_above(const struct lookalike *l, const struct lookalike_host *h, struct lookalike_above *out)
{
	size_t icann = 0, private = 0, plain = last_label_len(h->text);

	out->flags = 0;
	out->embeds = UINT32_MAX;
	/* From the shortest name to the longest: what comes later counts. */
	for (size_t t = h->n; t-- > 0;) {
		size_t longer = 0, by;
		struct lookalike_name name;
		struct slice text;
		uint32_t i;

		if (h->begin[t] > 0 && h->text.p[h->begin[t] - 1] != '.')
			continue;
		if ((i = find_name(l, h, t, &name, &text)) == UINT32_MAX)
			continue;
		add_above(out, i, &name, text);
		if (name.suffix == 0)
			continue;
		if (h->begin[t] > 1) {
			longer = text.len + 1 + last_label_len(slice_head(h->text, h->begin[t] - 1));
			longer = longer == text.len + 1 ? 0 : longer;
		}
		if ((by = suffix_by(name.suffix & SUFFIX_MASK, text, longer)) > 0)
			icann = by;
		if ((by = suffix_by(name.suffix >> SUFFIX_BITS, text, longer)) > 0)
			private = by;
	}
	out->suffix.listed = icann > 0 || private > 0;
	out->suffix.icann = icann > 0 ? icann : plain;
	out->suffix.any = private > out->suffix.icann ? private : out->suffix.icann;
}

struct lookalike_suffix
lookalike_suffix(const struct lookalike *l, struct slice host)
{
	struct lookalike_above above;
	struct lookalike_host h;

	if (host.len > LOOKALIKE_HOST_MAX || !lookalike_split(host, &h)) {
		size_t len = last_label_len(host);

		return (struct lookalike_suffix){ .icann = len, .any = len };
	}
	lookalike_look_above(l, &h, &above);
	return above.suffix;
}
