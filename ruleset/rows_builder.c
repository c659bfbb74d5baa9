#include <errno.h>
#include <stdlib.h>

#include "base/segment_writer.h"
#include "base/siphash.h"
#include "ruleset/rows.h"
#include "ruleset/rows_format.h"

enum { SLOTS_FIRST = 1024, SHARED_ROWS = 8 };

/* Things that are stored once: open addressing over their numbers, plus 1; 0 is an empty slot. */
struct once {
	uint32_t	*slots;
	size_t		 n_slots, n;
};

/* A row that says nothing of its own: neither line, label nor name. */
struct shared {
	uint32_t	head, ref;
};

struct rows_builder {
	struct segment_writer	*writer;
	const char		*path;		/* the caller's words for messages: copied */
	struct diag		*diag;
	struct buf		 heads, blocks, texts, text_refs;	/* TEXT_REFS: struct text_ref by number */
	struct once		 known_heads, known_texts;
	struct row_source_entry	*sources;
	size_t			 n_sources;
	uint32_t		 n;
	struct buf		 block;		/* the open one */
	uint32_t		 head, line;	/* of the row before, in the block */
	char			 name[RULE_NAME_MAX];
	size_t			 name_len;
	struct shared		 shared[SHARED_ROWS];
	size_t			 n_shared;	/* of the source of now */
};

struct rows_builder *
rows_builder_new(const char *path, struct diag *diag)
{
	struct rows_builder *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
		return NULL;
	}
	b->diag = diag;
	buf_init(&b->heads, UINT32_MAX);
	buf_init(&b->blocks, SIZE_MAX / 2);
	buf_init(&b->texts, UINT32_MAX);
	buf_init(&b->text_refs, SIZE_MAX / 2);
	buf_init(&b->block, SIZE_MAX / 2);
	if ((b->path = strdup(path)) == NULL)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	else if ((b->writer = segment_writer_new(path, SEGMENT_RULES, ROWS_TEXTS, diag)) != NULL) {
		segment_writer_begin(b->writer, ROWS_ROWS);
		return b;
	}
	rows_builder_free(b);
	return NULL;
}

void
rows_builder_free(struct rows_builder *b)
{
	if (b == NULL)
		return;
	segment_writer_abort(b->writer);
	buf_fini(&b->heads);
	buf_fini(&b->blocks);
	buf_fini(&b->texts);
	buf_fini(&b->text_refs);
	buf_fini(&b->block);
	free(b->known_heads.slots);
	free(b->known_texts.slots);
	free(b->sources);
	free((char *)(uintptr_t)b->path);
	free(b);
}

/* ---- what is stored once ---- */

typedef struct slice once_get(const struct rows_builder *b, uint32_t number);

/* The slot that holds KEY's number, or the empty one where it belongs.  The table lives for one publish: a fixed key is enough,
 * for a feed that aims at it slows only itself. */
static uint32_t *
once_slot(const struct rows_builder *b, uint32_t *slots, size_t n, once_get *get, struct slice key)
{
	static const uint8_t hash_key[SIPHASH_KEY];
	size_t i = siphash(hash_key, key) & (n - 1);

	while (slots[i] != 0 && !slice_eq(get(b, slots[i] - 1), key))
		i = (i + 1) & (n - 1);
	return &slots[i];
}

/* Room for one more in O. */
static int
once_grow(const struct rows_builder *b, struct once *o, once_get *get)
{
	size_t n = o->n_slots == 0 ? SLOTS_FIRST : 2 * o->n_slots;
	uint32_t *slots;

	if (2 * o->n < o->n_slots)
		return 0;
	if ((slots = calloc(n, sizeof(*slots))) == NULL)
		return -1;
	for (size_t i = 0; i < o->n_slots; i++)
		if (o->slots[i] != 0)
			*once_slot(b, slots, n, get, get(b, o->slots[i] - 1)) = o->slots[i];
	free(o->slots);
	o->slots = slots;
	o->n_slots = n;
	return 0;
}

static struct slice
text_number(const struct rows_builder *b, uint32_t i)
{
	struct text_ref ref;

	memcpy(&ref, b->text_refs.p + (size_t)i * sizeof(ref), sizeof(ref));
	return slice_make(b->texts.p + ref.at, ref.len);
}

static int
add_text(struct rows_builder *b, struct slice text, struct text_ref *out)
{
	uint32_t *slot;

	*out = (struct text_ref){ 0 };
	if (text.len == 0)
		return 0;
	if (once_grow(b, &b->known_texts, text_number) == -1)
		return -1;
	slot = once_slot(b, b->known_texts.slots, b->known_texts.n_slots, text_number, text);
	if (*slot == 0) {
		*out = (struct text_ref){ (uint32_t)b->texts.len, (uint32_t)text.len };
		if (buf_add_slice(&b->texts, text) == -1 || buf_add(&b->text_refs, out, sizeof(*out)) == -1)
			return -1;
		*slot = (uint32_t)++b->known_texts.n;
	}
	memcpy(out, b->text_refs.p + (*slot - (size_t)1) * sizeof(*out), sizeof(*out));
	return 0;
}

static struct slice
head_number(const struct rows_builder *b, uint32_t i)
{
	return slice_make(b->heads.p + (size_t)i * sizeof(struct row_head), sizeof(struct row_head));
}

/* The number of RULE's head. */
static int
add_head(struct rows_builder *b, const struct rule *rule, uint32_t *out)
{
	struct row_head h = {
		.action = (uint8_t)rule->action, .level = rule->level, .rev = rule->rev,
		.flags = (uint8_t)((rule->local ? HEAD_LOCAL : 0) | (rule->files ? HEAD_FILES : 0) | (rule->removed ? HEAD_REMOVED : 0)),
		.published = rule->published, .expires = rule->expires,
	};
	struct slice bytes = slice_make((const char *)&h, sizeof(h));
	uint32_t *slot;

	if (add_text(b, rule->alert, &h.alert) == -1 || add_text(b, rule->container, &h.container) == -1 ||
	    add_text(b, rule->note, &h.note) == -1 || once_grow(b, &b->known_heads, head_number) == -1)
		return -1;
	h.sum = row_sum_of(&h, sizeof(h), rule->alert, rule->container, rule->note);
	/* Mostly it is that of the row before. */
	if (b->n > 0 && slice_eq(head_number(b, b->head), bytes)) {
		*out = b->head;
		return 0;
	}
	slot = once_slot(b, b->known_heads.slots, b->known_heads.n_slots, head_number, bytes);
	if (*slot == 0) {
		if (buf_add_slice(&b->heads, bytes) == -1)
			return -1;
		*slot = (uint32_t)++b->known_heads.n;
	}
	*out = *slot - 1;
	return 0;
}

/* ---- sources ---- */

int
rows_builder_source(struct rows_builder *b, struct slice name)
{
	struct row_source_entry *s = realloc(b->sources, (b->n_sources + 1) * sizeof(*s));

	if (s == NULL)
		return -1;
	b->sources = s;
	s[b->n_sources] = (struct row_source_entry){ .first = b->n };
	if (add_text(b, name, &s[b->n_sources].name) == -1)
		return errno = ENOMEM, -1;
	b->n_sources++;
	b->n_shared = 0;
	return 0;
}

void
rows_builder_count(struct rows_builder *b, enum row_count kind, uint64_t n)
{
	b->sources[b->n_sources - 1].counts[kind] += n;
}

size_t
rows_builder_sources(const struct rows_builder *b)
{
	return b->n_sources;
}

struct row_source
rows_builder_get_source(const struct rows_builder *b, size_t i)
{
	const struct row_source_entry *e = &b->sources[i];
	struct row_source s = { .name = slice_make(b->texts.p + e->name.at, e->name.len), .first = e->first, .n = e->n,
		.delta = e->flags == SOURCE_DELTA };

	memcpy(s.counts, e->counts, sizeof(s.counts));
	return s;
}

uint32_t
rows_builder_rows(const struct rows_builder *b)
{
	return b->n;
}

/* ---- rows ---- */

static void
add_varint(struct buf *out, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_char(out, (char)(v | 0x80));
	buf_add_char(out, (char)v);
}

static int
end_block(struct rows_builder *b)
{
	struct row_block block = { (uint32_t)segment_writer_section_len(b->writer), sum32(buf_slice(&b->block)) };

	if (b->block.len == 0)
		return 0;
	if (segment_writer_section_len(b->writer) + b->block.len > UINT32_MAX)
		return errno = EFBIG, -1;
	segment_writer_add(b->writer, b->block.p, b->block.len);
	buf_reset(&b->block);
	return buf_add(&b->blocks, &block, sizeof(block));
}

static size_t
shared_len(const struct rows_builder *b, struct slice name)
{
	size_t n = 0;

	while (n < name.len && n < b->name_len && name.p[n] == b->name[n])
		n++;
	return n;
}

static void
add_name(struct rows_builder *b, struct slice name)
{
	size_t shared = shared_len(b, name);

	add_varint(&b->block, (uint32_t)shared);
	add_varint(&b->block, (uint32_t)(name.len - shared));
	buf_add_slice(&b->block, slice_skip(name, shared));
	memcpy(b->name, name.p, name.len);
	b->name_len = name.len;
}

static void
add_row(struct rows_builder *b, const struct rule *rule, uint32_t head)
{
	bool first = b->n % ROWS_PER_BLOCK == 0, has_head = first || head != b->head;
	uint32_t before = first ? 0 : b->line, step = rule->line - before;
	unsigned line = rule->line == 0 ? 0 : step == 1 ? ROW_NEXT_LINE : ROW_LINE;

	if (first)
		b->name_len = 0;
	buf_add_char(&b->block, (char)((has_head ? ROW_HEAD : 0) | line | (rule->label.len > 0 ? ROW_LABEL : 0) |
	    (rule->name.len > 0 ? ROW_NAME : 0)));
	if (has_head)
		add_varint(&b->block, head);
	if (line == ROW_LINE)
		add_varint(&b->block, step << 1 ^ (0 - (step >> 31)));
	if (rule->label.len > 0) {
		buf_add_char(&b->block, (char)rule->label.len);
		buf_add_slice(&b->block, rule->label);
	}
	if (rule->name.len > 0)
		add_name(b, rule->name);
	b->head = head;
	b->line = rule->line == 0 ? before : rule->line;
}

static bool
is_anonymous(const struct rule *rule)
{
	return rule->line == 0 && rule->label.len == 0 && rule->name.len == 0;
}

/* The rows of a feed that say the same are one. */
static bool
find_shared(const struct rows_builder *b, const struct rule *rule, uint32_t head, uint32_t *ref)
{
	for (size_t i = 0; is_anonymous(rule) && i < b->n_shared; i++)
		if (b->shared[i].head == head) {
			*ref = b->shared[i].ref;
			return true;
		}
	return false;
}

static int
add(struct rows_builder *b, const struct rule *rule, bool share, uint32_t *ref)
{
	uint32_t head;

	if (rule->label.len > UINT8_MAX || rule->name.len > RULE_NAME_MAX)
		return errno = EFBIG, -1;
	if (add_head(b, rule, &head) == -1)
		return errno = ENOMEM, -1;
	if (share && find_shared(b, rule, head, ref))
		return 0;
	if (b->n == UINT32_MAX)
		return errno = EFBIG, -1;
	if (b->n % ROWS_PER_BLOCK == 0 && end_block(b) == -1)
		return -1;
	add_row(b, rule, head);
	if (b->block.failed)
		return errno = ENOMEM, -1;
	*ref = b->n++;
	b->sources[b->n_sources - 1].n++;
	if (is_anonymous(rule) && b->n_shared < SHARED_ROWS)
		b->shared[b->n_shared++] = (struct shared){ head, *ref };
	return 0;
}

int
rows_builder_add(struct rows_builder *b, const struct rule *rule, uint32_t *ref)
{
	return add(b, rule, true, ref);
}

int
rows_builder_copy(struct rows_builder *b, const struct rule *rule, uint32_t *ref)
{
	return add(b, rule, false, ref);
}

int
rows_builder_delta(struct rows_builder *b, uint32_t *removed)
{
	struct rule rule = { .removed = true };

	b->sources[b->n_sources - 1].flags = SOURCE_DELTA;
	return add(b, &rule, false, removed);
}

void
rows_builder_like(struct rows_builder *b, const struct row_source *s)
{
	b->sources[b->n_sources - 1].flags = s->delta ? SOURCE_DELTA : 0;
}

int
rows_builder_write(struct rows_builder *b, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256])
{
	static const struct slice none;
	struct segment_writer *w = b->writer;

	if (end_block(b) == -1) {
		diag_add(b->diag, DIAG_ERROR, b->path, 0, 0, "%s", strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < b->n_sources; i++) {
		struct row_source_entry *e = &b->sources[i];

		e->sum = row_sum_of(e, sizeof(*e), slice_make(b->texts.p + e->name.at, e->name.len), none, none);
	}
	segment_writer_begin(w, ROWS_BLOCKS);
	segment_writer_add(w, b->blocks.p, b->blocks.len);
	segment_writer_begin(w, ROWS_HEADS);
	segment_writer_add(w, b->heads.p, b->heads.len);
	segment_writer_begin(w, ROWS_TEXTS);
	segment_writer_add(w, b->texts.p, b->texts.len);
	segment_writer_begin(w, ROWS_SOURCES);
	segment_writer_add(w, b->sources, b->n_sources * sizeof(*b->sources));
	b->writer = NULL;
	return segment_writer_finish(w, len, sha256);
}
