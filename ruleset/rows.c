#include "ruleset/rows.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "ruleset/rows_format.h"

struct rows {
	struct slice		 heads, blocks, rows, texts;
	struct row_source	*sources;
	size_t			 n_sources;
	uint32_t		 n, n_heads;
};

/* ---- opening ---- */

/* The text that REF names; false when it lies outside. */
static bool
text_at(const struct rows *r, struct text_ref ref, struct slice *out)
{
	*out = slice_make("", 0);
	if (ref.len == 0)
		return true;
	if (ref.at > r->texts.len || ref.len > r->texts.len - ref.at)
		return false;
	*out = slice_make(r->texts.p + ref.at, ref.len);
	return true;
}

/* Take the sources of SECTION, whose rows must follow each other. */
static const char *
read_sources(struct rows *r, struct slice section)
{
	static const struct slice none;
	uint64_t next = 0;

	r->n_sources = section.len / sizeof(struct row_source_entry);
	if ((r->sources = calloc(r->n_sources + 1, sizeof(*r->sources))) == NULL)
		return "out of memory";
	for (size_t i = 0; i < r->n_sources; i++) {
		struct row_source *s = &r->sources[i];
		struct row_source_entry e;

		memcpy(&e, section.p + i * sizeof(e), sizeof(e));
		if (!text_at(r, e.name, &s->name) || row_sum_of(&e, sizeof(e), s->name, none, none) != e.sum || e.first != next)
			return "damaged: a source";
		if ((e.flags & ~(uint32_t)SOURCE_DELTA) != 0 || (e.flags == SOURCE_DELTA && e.n == 0))
			return "damaged: a source";
		s->first = e.first;
		s->n = e.n;
		s->delta = e.flags == SOURCE_DELTA;
		memcpy(s->counts, e.counts, sizeof(s->counts));
		next += e.n;
	}
	if (next > UINT32_MAX)
		return "damaged: number of rules";
	r->n = (uint32_t)next;
	return NULL;
}

static const char *
sections_fault(const struct segment *segment, struct rows *r)
{
	struct slice sources = segment_section(segment, ROWS_SOURCES);
	const char *fault;

	r->heads = segment_section(segment, ROWS_HEADS);
	r->blocks = segment_section(segment, ROWS_BLOCKS);
	r->rows = segment_section(segment, ROWS_ROWS);
	r->texts = segment_section(segment, ROWS_TEXTS);
	if (sources.len % sizeof(struct row_source_entry) != 0 || r->heads.len % sizeof(struct row_head) != 0 ||
	    r->heads.len / sizeof(struct row_head) > UINT32_MAX)
		return "damaged: length of the rules";
	r->n_heads = (uint32_t)(r->heads.len / sizeof(struct row_head));
	if ((fault = read_sources(r, sources)) != NULL)
		return fault;
	if (r->blocks.len != ((uint64_t)r->n + ROWS_PER_BLOCK - 1) / ROWS_PER_BLOCK * sizeof(struct row_block))
		return "damaged: number of rules";
	return NULL;
}

struct rows *
rows_open(const struct segment *segment, struct diag *diag)
{
	struct rows *r = calloc(1, sizeof(*r));
	const char *fault = r == NULL ? "out of memory" : sections_fault(segment, r);

	if (fault == NULL)
		return r;
	diag_error(diag, "%s", fault);
	rows_close(r);
	return NULL;
}

void
rows_close(struct rows *r)
{
	if (r == NULL)
		return;
	free(r->sources);
	free(r);
}

/* ---- asking ---- */

uint32_t
rows_count(const struct rows *r)
{
	return r->n;
}

size_t
rows_sources(const struct rows *r)
{
	return r->n_sources;
}

struct row_source
rows_source(const struct rows *r, size_t i)
{
	return r->sources[i];
}

const struct row_source *
rows_source_at(const struct rows *r, size_t i)
{
	return &r->sources[i];
}

size_t
rows_find(const struct rows *r, struct slice name)
{
	size_t i = 0;

	while (i < r->n_sources && !slice_eq(r->sources[i].name, name))
		i++;
	return i;
}

uint64_t
row_counts_rules(const uint64_t counts[static ROW_COUNTS])
{
	uint64_t n = counts[COUNT_NAMES] + counts[COUNT_EXCEPTIONS];

	for (enum row_count k = 0; k < COUNT_SIZELESS; k++)
		n += counts[k];
	return n;
}

uint64_t
row_source_rules(const struct row_source *s)
{
	return row_counts_rules(s->counts);
}

size_t
rows_source_of(const struct rows *r, uint32_t ref)
{
	size_t low = 0, high = r->n_sources;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->sources[mid].first + (uint64_t)r->sources[mid].n <= ref)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The bytes of block I, which has a sum; false when they do not hold together. */
static bool
block_bytes(const struct rows *r, uint32_t i, struct slice *out)
{
	struct row_block block, next = { .at = (uint32_t)r->rows.len };

	memcpy(&block, r->blocks.p + (size_t)i * sizeof(block), sizeof(block));
	if ((i + UINT64_C(1)) * sizeof(next) < r->blocks.len)
		memcpy(&next, r->blocks.p + (i + (size_t)1) * sizeof(next), sizeof(next));
	if (block.at > next.at || next.at > r->rows.len)
		return false;
	*out = slice_make(r->rows.p + block.at, next.at - block.at);
	return sum32(*out) == block.sum;
}

static bool
take_varint(struct slice *at, uint32_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35 && at->len > 0; shift += 7) {
		uint8_t byte = (uint8_t)at->p[0];

		*at = slice_skip(*at, 1);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0) {
			*out = (uint32_t)v;
			return v <= UINT32_MAX;
		}
	}
	return false;
}

static bool
take_bytes(struct slice *at, size_t len, struct slice *out)
{
	if (len > at->len)
		return false;
	*out = slice_head(*at, len);
	*at = slice_skip(*at, len);
	return true;
}

/* A row while its block is walked. */
struct cursor {
	struct slice	 at;
	uint32_t	 head, line, own_line;	/* OWN_LINE: 0 when the row has none */
	struct slice	 label;
	size_t		 name_len;
	bool		 has_name;
	char		*name;			/* of RULE_NAME_MAX bytes, or NULL */
};

static bool
take_line(struct cursor *c, unsigned flags)
{
	uint32_t zigzag = 0;

	if (flags & ROW_LINE && !take_varint(&c->at, &zigzag))
		return false;
	c->line += flags & ROW_NEXT_LINE ? 1 : (zigzag >> 1) ^ (0 - (zigzag & 1));
	c->own_line = flags & (ROW_LINE | ROW_NEXT_LINE) ? c->line : 0;
	return true;
}

static bool
take_label(struct cursor *c, unsigned flags)
{
	struct slice len;

	c->label = slice_make("", 0);
	return !(flags & ROW_LABEL) || (take_bytes(&c->at, 1, &len) && take_bytes(&c->at, (uint8_t)len.p[0], &c->label));
}

static bool
take_name(struct cursor *c, unsigned flags)
{
	uint32_t shared, rest;
	struct slice bytes;

	c->has_name = (flags & ROW_NAME) != 0;
	if (!c->has_name)
		return true;
	if (!take_varint(&c->at, &shared) || !take_varint(&c->at, &rest) || !take_bytes(&c->at, rest, &bytes) ||
	    shared > c->name_len || (uint64_t)shared + rest > RULE_NAME_MAX)
		return false;
	if (c->name != NULL && rest > 0)
		memcpy(c->name + shared, bytes.p, rest);
	c->name_len = shared + rest;
	return true;
}

static bool
take_row(struct cursor *c)
{
	struct slice flags;

	if (!take_bytes(&c->at, 1, &flags) || (flags.p[0] & ~ROW_FLAGS) != 0)
		return false;
	if (flags.p[0] & ROW_HEAD && !take_varint(&c->at, &c->head))
		return false;
	return take_line(c, (uint8_t)flags.p[0]) && take_label(c, (uint8_t)flags.p[0]) && take_name(c, (uint8_t)flags.p[0]);
}

/* What head I says into OUT. */
static bool
read_head(const struct rows *r, uint32_t i, struct rule *out)
{
	struct row_head h;

	if (i >= r->n_heads)
		return false;
	memcpy(&h, r->heads.p + (size_t)i * sizeof(h), sizeof(h));
	if (h.action > RULE_EXCEPT || h.level > RULE_LEVEL_MAX)
		return false;
	out->action = (enum rule_action)h.action;
	out->level = h.level;
	out->local = (h.flags & HEAD_LOCAL) != 0;
	out->files = (h.flags & HEAD_FILES) != 0;
	out->removed = (h.flags & HEAD_REMOVED) != 0;
	out->rev = h.rev;
	out->published = h.published;
	out->expires = h.expires;
	return text_at(r, h.alert, &out->alert) && text_at(r, h.container, &out->container) && text_at(r, h.note, &out->note) &&
	    row_sum_of(&h, sizeof(h), out->alert, out->container, out->note) == h.sum;
}

int
rows_get(const struct rows *r, uint32_t ref, char name[RULE_NAME_MAX], struct rule *out)
{
	struct cursor c = { .name = name, .head = UINT32_MAX };

	*out = (struct rule){ 0 };
	if (ref >= r->n || !block_bytes(r, ref / ROWS_PER_BLOCK, &c.at))
		return -1;
	for (uint32_t i = 0; i <= ref % ROWS_PER_BLOCK; i++)
		if (!take_row(&c))
			return -1;
	if (!read_head(r, c.head, out))
		return -1;
	out->source = r->sources[rows_source_of(r, ref)].name;
	out->label = c.label;
	out->line = c.own_line;
	out->is_named = c.has_name;
	if (c.has_name && name != NULL)
		out->name = slice_make(name, c.name_len);
	return 0;
}
