#include <errno.h>
#include <stdlib.h>

#include "base/segment_writer.h"
#include "url_rules/lookalike_table.h"
#include "url_rules/psl.h"

enum { TEXT_ROOM = 256 << 20, TYPO_LABEL_MIN = 6, TYPO_LABEL_MAX = 33, JOINED_LEN_MIN = 8 };

/* Five slots for three entries: short runs, and little memory. */
enum { SLOTS_FOR = 5, ENTRIES_OF = 3 };

/* What one thing that was added is, whichever array it is in. */
struct item {
	uint32_t	at;		/* its text */
	uint32_t	embed_at;	/* of an embed: the text of what is embedded */
	uint8_t		len, embed_len;
	uint8_t		suffix;
	uint16_t	flags;
	uint32_t	code;		/* of a glyph */
};

struct items {
	struct item	*v;
	size_t		 n, cap;
};

struct lookalike_builder {
	struct buf	 text;
	struct items	 names, targets, embeds, words, glyphs;
	const struct public_suffixes *list;
};

struct lookalike_builder *
lookalike_builder_new(void)
{
	struct lookalike_builder *b = calloc(1, sizeof(*b));

	if (b != NULL)
		buf_init(&b->text, TEXT_ROOM);
	return b;
}

void
lookalike_builder_free(struct lookalike_builder *b)
{
	if (b == NULL)
		return;
	buf_fini(&b->text);
	free(b->names.v);
	free(b->targets.v);
	free(b->embeds.v);
	free(b->words.v);
	free(b->glyphs.v);
	free(b);
}

static struct slice
item_text(const struct lookalike_builder *b, const struct item *i)
{
	return slice_make(b->text.p + i->at, i->len);
}

static struct slice
embed_text(const struct lookalike_builder *b, const struct item *i)
{
	return slice_make(b->text.p + i->embed_at, i->embed_len);
}

/* A new item with TEXT; NULL with errno. */
static struct item *
add_item(struct lookalike_builder *b, struct items *to, struct slice text)
{
	struct item i = { .at = (uint32_t)b->text.len, .len = (uint8_t)text.len };

	if (text.len == 0 || text.len > LOOKALIKE_HOST_MAX)
		return errno = ERANGE, NULL;
	if (to->n == LOOKALIKE_ENTRIES_MAX)
		return errno = ENOSPC, NULL;
	if (to->n == to->cap) {
		size_t cap = to->cap > 0 ? 2 * to->cap : 1024;
		struct item *v = realloc(to->v, cap * sizeof(*v));

		if (v == NULL)
			return NULL;
		to->v = v;
		to->cap = cap;
	}
	if (buf_add_slice(&b->text, text) == -1)
		return errno = ENOMEM, NULL;
	to->v[to->n] = i;
	return &to->v[to->n++];
}

static int
add_suffix(void *arg, struct slice name, unsigned rules)
{
	struct lookalike_builder *b = arg;
	struct item *i;

	if (name.len > LOOKALIKE_HOST_MAX)
		return 0;
	if ((i = add_item(b, &b->names, name)) == NULL)
		return -1;
	i->suffix = (uint8_t)rules;
	return 0;
}

int
lookalike_builder_suffixes(struct lookalike_builder *b, const struct public_suffixes *list)
{
	b->list = list;
	return public_suffixes_each(list, add_suffix, b);
}

int
lookalike_builder_name(struct lookalike_builder *b, struct slice name, unsigned flags)
{
	struct item *i = add_item(b, &b->names, name);

	if (i == NULL)
		return -1;
	i->flags = (uint16_t)flags;
	return 0;
}

int
lookalike_builder_target(struct lookalike_builder *b, struct slice domain, unsigned flags)
{
	struct item *i = add_item(b, &b->targets, domain);

	if (i == NULL)
		return -1;
	i->flags = (uint16_t)flags;
	return lookalike_builder_name(b, domain, flags & TARGET_OWN ? NAME_OWN : flags & TARGET_PARTNER ? NAME_PARTNER : NAME_FAMILY);
}

int
lookalike_builder_embed(struct lookalike_builder *b, struct slice name, struct slice domain)
{
	struct item *i = add_item(b, &b->embeds, name);

	if (i == NULL || domain.len > LOOKALIKE_HOST_MAX)
		return -1;
	i->embed_at = (uint32_t)b->text.len;
	i->embed_len = (uint8_t)domain.len;
	if (buf_add_slice(&b->text, domain) == -1)
		return errno = ENOMEM, -1;
	return lookalike_builder_name(b, name, NAME_EMBEDS);
}

int
lookalike_builder_word(struct lookalike_builder *b, struct slice word, unsigned flags)
{
	struct item *i = add_item(b, &b->words, word);

	if (i == NULL)
		return -1;
	i->flags = (uint16_t)flags;
	return 0;
}

int
lookalike_builder_glyph(struct lookalike_builder *b, uint32_t code, struct slice looks)
{
	struct item *i;

	if (looks.len > GLYPH_TEXT)
		return errno = ERANGE, -1;
	if ((i = add_item(b, &b->glyphs, looks)) == NULL)
		return -1;
	i->code = code;
	return 0;
}

bool
lookalike_builder_useful(const struct lookalike_builder *b)
{
	return b->targets.n > 0;
}

/* ---- putting in order ---- */

static int
by_text(const void *a, const void *b, void *builder)
{
	int r = slice_cmp(item_text(builder, a), item_text(builder, b));

	return r != 0 ? r : slice_cmp(embed_text(builder, a), embed_text(builder, b));
}

static int
by_code(const void *a, const void *b, void *builder)
{
	const struct item *x = a, *y = b;

	return x->code != y->code ? (x->code < y->code ? -1 : 1) : by_text(a, b, builder);
}

/* Let what is the same stand once, with all that is said of it. */
static void
merge(struct lookalike_builder *b, struct items *items, int order(const void *, const void *, void *))
{
	size_t n = 0;

	if (items->n == 0)
		return;
	qsort_r(items->v, items->n, sizeof(*items->v), order, b);
	for (size_t i = 0; i < items->n; i++) {
		struct item *last = n > 0 ? &items->v[n - 1] : NULL;

		if (last != NULL && order(last, &items->v[i], b) == 0) {
			last->flags |= items->v[i].flags;
			last->suffix |= items->v[i].suffix;
		} else {
			items->v[n++] = items->v[i];
		}
	}
	items->n = n;
}

/* The item of TEXT among sorted ITEMS; NULL. */
static struct item *
find_item(struct lookalike_builder *b, const struct items *items, struct slice text)
{
	size_t low = 0, high = items->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = slice_cmp(item_text(b, &items->v[mid]), text);

		if (r == 0)
			return &items->v[mid];
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- the image ---- */

struct image {
	struct lookalike_builder *b;
	struct lookalike_info	 info;
	struct buf		 text, names, targets, embeds, words, glyphs, first, edits;
	struct buf		 keys[LOOKALIKE_INDEXES];	/* struct key each */
	size_t			 n_targets;
};

/* An entry of an index, and the mixed hash that it is found by. */
struct key {
	uint64_t	mixed;
	uint32_t	entry;
};

static void
set_bit(struct buf *bits, uint32_t bit)
{
	bits->p[bit / 8] = (char)(bits->p[bit / 8] | 1 << bit % 8);
}

static void
add_key(struct image *m, enum lookalike_index index, struct slice text, size_t entry)
{
	struct key key = { .mixed = lookalike_mix(lookalike_sum_of(text)), .entry = (uint32_t)entry };

	if (index == INDEX_TYPO)
		set_bit(&m->edits, lookalike_bit(key.mixed, EDIT_BITS));
	buf_add(&m->keys[index], &key, sizeof(key));
}

/* The same with the tokens of TEXT. */
static void
add_tokens_key(struct image *m, enum lookalike_index index, struct slice text, size_t entry)
{
	char tokens[LOOKALIKE_HOST_MAX + 1];

	add_key(m, index, slice_make(tokens, lookalike_tokens(text, tokens)), entry);
}

static uint32_t
add_text(struct image *m, struct slice text)
{
	uint32_t at = (uint32_t)m->text.len;

	buf_add_slice(&m->text, text);
	return at;
}

static void
add_names(struct image *m)
{
	const struct items *names = &m->b->names;

	for (size_t i = 0; i < names->n; i++) {
		struct slice text = item_text(m->b, &names->v[i]);
		struct lookalike_name name = { .at = add_text(m, text), .len = (uint8_t)text.len, .suffix = names->v[i].suffix,
			.flags = names->v[i].flags };

		buf_add(&m->names, &name, sizeof(name));
		add_tokens_key(m, INDEX_NAMES, text, i);
	}
}

static void
add_words(struct image *m)
{
	const struct items *words = &m->b->words;

	for (size_t i = 0, n = 0; i < words->n; i++) {
		struct slice text = item_text(m->b, &words->v[i]);
		struct lookalike_word word = { .len = (uint8_t)text.len, .flags = words->v[i].flags };

		if (word.flags == 0)
			continue;
		word.at = add_text(m, text);
		m->info.leads |= (word.flags & (WORD_LEAD | WORD_LEAD_WEAK)) != 0;
		buf_add(&m->words, &word, sizeof(word));
		add_key(m, INDEX_WORDS, text, n++);
	}
}

static void
add_glyphs(struct image *m)
{
	const struct items *glyphs = &m->b->glyphs;

	for (size_t i = 0; i < glyphs->n; i++) {
		struct lookalike_glyph glyph = { .code = glyphs->v[i].code };

		if (i > 0 && glyphs->v[i - 1].code == glyph.code)
			continue;
		memcpy(glyph.text, item_text(m->b, &glyphs->v[i]).p, glyphs->v[i].len);
		buf_add(&m->glyphs, &glyph, sizeof(glyph));
	}
}

/* Where the label that TEXT's owner chose is; empty when TEXT is a public suffix. */
static struct slice
own_label(const struct image *m, struct slice text)
{
	struct slice domain = m->b->list == NULL ? text : registrable_domain(m->b->list, text);

	/* Who owns a private suffix has it as a domain all the same. */
	if (domain.len == 0 && public_suffix(m->b->list, text).icann.len < text.len)
		domain = text;
	return slice_head(domain, slice_find(domain, '.'));
}

static void
add_typo_keys(struct image *m, struct slice label, size_t entry)
{
	char without[LOOKALIKE_LABEL_MAX];

	if (label.len < TYPO_LABEL_MIN || label.len > TYPO_LABEL_MAX)
		return;
	for (size_t i = 0; i < label.len; i++) {
		memcpy(without, label.p, i);
		memcpy(without + i, label.p + i + 1, label.len - i - 1);
		/* Of two equal neighbours either gives the same. */
		if (i == 0 || label.p[i] != label.p[i - 1])
			add_tokens_key(m, INDEX_TYPO, slice_make(without, label.len - 1), entry);
	}
}

static void
add_label_keys(struct image *m, struct slice label, size_t entry)
{
	char text[LOOKALIKE_HOST_MAX + 1];

	if (label.len > LOOKALIKE_LABEL_MAX)
		return;
	add_tokens_key(m, INDEX_LABEL, label, entry);
	add_typo_keys(m, label, entry);
	add_key(m, INDEX_FOLDED, slice_make(text, lookalike_fold(label, text)), entry);
}

static void
add_whole_keys(struct image *m, struct slice text, size_t entry)
{
	char tokens[LOOKALIKE_HOST_MAX + 1];
	size_t len = lookalike_tokens(text, tokens), n = 1, joined = 0;

	add_key(m, INDEX_WHOLE, slice_make(tokens, len), entry);
	for (size_t i = slice_find(slice_make(tokens, len), '.') + 1; i <= len; i++)
		if (i == len || tokens[i] == '.')
			set_bit(&m->first, lookalike_bit(lookalike_mix(lookalike_sum_of(slice_make(tokens, i))), FIRST_BITS));
	for (size_t i = 0; i < len; i++) {
		n += tokens[i] == '.';
		if (tokens[i] != '.')
			tokens[joined++] = tokens[i];
	}
	m->info.max_tokens = n > m->info.max_tokens ? (uint32_t)n : m->info.max_tokens;
	if (joined >= JOINED_LEN_MIN)
		add_key(m, INDEX_JOINED, slice_make(tokens, joined), entry);
}

/* TEXT as a target that stands for SHOWN, or for itself.  Its number. */
static size_t
add_target(struct image *m, struct slice text, unsigned flags, size_t shown)
{
	struct slice label = own_label(m, text);
	struct item *common = find_item(m->b, &m->b->words, label);
	size_t entry = m->n_targets++;
	struct lookalike_target t = { .at = add_text(m, text), .shown = (uint32_t)(shown == SIZE_MAX ? entry : shown),
		.len = (uint8_t)text.len, .label_at = (uint8_t)(label.p - text.p), .label_len = (uint8_t)label.len,
		.flags = (uint8_t)(flags | (common != NULL ? TARGET_WORD : 0)) };

	buf_add(&m->targets, &t, sizeof(t));
	if (m->text.failed || m->targets.failed)
		return entry;
	add_whole_keys(m, text, entry);
	if (flags & TARGET_LEADING)
		add_label_keys(m, label, entry);
	return entry;
}

/* Both the target and what it looks like when it is an IDN; all of ours first, that a label which others have too is ours. */
static void
add_targets(struct image *m, unsigned with)
{
	const struct items *targets = &m->b->targets;
	struct lookalike_array glyphs = { m->glyphs.p, (uint32_t)(m->glyphs.len / sizeof(struct lookalike_glyph)) };
	unsigned ours = TARGET_OWN | TARGET_PARTNER;

	for (size_t i = 0; i < targets->n; i++) {
		struct slice text = item_text(m->b, &targets->v[i]);
		char skeleton[LOOKALIKE_HOST_MAX], looks;
		uint32_t code;
		size_t len, entry;

		if ((with == 0) == ((targets->v[i].flags & ours) != 0) || own_label(m, text).len == 0 ||
		    m->n_targets + 1 >= LOOKALIKE_ENTRIES_MAX)
			continue;
		entry = add_target(m, text, targets->v[i].flags, SIZE_MAX);
		targets->v[i].code = (uint32_t)entry;
		*(with == 0 ? &m->info.n_brands : &m->info.n_own) += 1;
		if ((len = lookalike_skeleton(&glyphs, text, skeleton, &code, &looks)) > 0)
			add_target(m, slice_make(skeleton, len), targets->v[i].flags, entry);
	}
}

static void
add_embeds(struct image *m)
{
	const struct items *embeds = &m->b->embeds;

	for (size_t i = 0; i < embeds->n; i++) {
		struct item *name = find_item(m->b, &m->b->names, item_text(m->b, &embeds->v[i]));
		struct item *target = find_item(m->b, &m->b->targets, embed_text(m->b, &embeds->v[i]));
		struct lookalike_embed e = { .target = LOOKALIKE_ANY };

		if (name == NULL || (target == NULL && embeds->v[i].embed_len > 0))
			continue;
		e.name = (uint32_t)(name - m->b->names.v);
		if (target != NULL)
			e.target = target->code;
		buf_add(&m->embeds, &e, sizeof(e));
	}
}

static int
compare_embeds(const void *a, const void *b)
{
	const struct lookalike_embed *x = a, *y = b;

	return x->name != y->name ? (x->name < y->name ? -1 : 1) : x->target < y->target ? -1 : x->target > y->target;
}

/* ---- writing ---- */

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return x->mixed != y->mixed ? (x->mixed < y->mixed ? -1 : 1) : x->entry < y->entry ? -1 : x->entry > y->entry;
}

static struct slice
label_of_entry(const struct image *m, uint32_t entry)
{
	struct lookalike_target t;

	memcpy(&t, m->targets.p + entry * sizeof(t), sizeof(t));
	return slice_make(m->text.p + t.at + t.label_at, t.label_len);
}

/* Sort KEYS; of targets with one label only the first is found by it, however many there are.  How many stay. */
static size_t
sort_keys(const struct image *m, struct buf *keys, bool by_label)
{
	size_t n = keys->len / sizeof(struct key), kept = 0;
	struct key *v = (struct key *)(void *)keys->p;

	if (n > 0)
		qsort(v, n, sizeof(*v), compare_keys);
	for (size_t i = 0; i < n; i++)
		if (!by_label || kept == 0 || v[kept - 1].mixed != v[i].mixed ||
		    !slice_eq(label_of_entry(m, v[kept - 1].entry), label_of_entry(m, v[i].entry)))
			v[kept++] = v[i];
	return kept;
}

/* The slots of KEYS, of index INDEX, into OUT. */
static void
fill_slots(const struct image *m, enum lookalike_index index, struct buf *keys, struct buf *out)
{
	size_t n, n_slots;
	uint32_t *slots;

	if (keys->failed)
		return;
	n = sort_keys(m, keys, index == INDEX_LABEL || index == INDEX_FOLDED || index == INDEX_TYPO);
	n_slots = n * SLOTS_FOR / ENTRIES_OF + 2;
	if (buf_reserve(out, n_slots * sizeof(*slots)) == -1)
		return;
	slots = (uint32_t *)(void *)out->p;
	memset(slots, 0, n_slots * sizeof(*slots));
	for (size_t i = 0; i < n; i++) {
		struct key key;
		uint32_t at;

		memcpy(&key, keys->p + i * sizeof(key), sizeof(key));
		for (at = lookalike_slot(key.mixed, (uint32_t)n_slots); slots[at] != 0; at = at + 1 < n_slots ? at + 1 : 0)
			;
		slots[at] = lookalike_fingerprint(key.mixed) | (key.entry + 1);
	}
	out->len = n_slots * sizeof(*slots);
}

static void
add_section(struct segment_writer *w, uint32_t id, const struct buf *bytes)
{
	segment_writer_begin(w, id);
	segment_writer_add(w, bytes->p, bytes->len);
}

static int
write_image(struct image *m, const char *path, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	const struct { uint32_t id; const struct buf *bytes; } sections[] = { { LOOKALIKE_TEXT, &m->text }, { LOOKALIKE_NAMES, &m->names },
		{ LOOKALIKE_TARGETS, &m->targets }, { LOOKALIKE_EMBEDS, &m->embeds }, { LOOKALIKE_WORDS, &m->words },
		{ LOOKALIKE_GLYPHS, &m->glyphs }, { LOOKALIKE_FIRST, &m->first }, { LOOKALIKE_EDITS, &m->edits } };
	struct segment_writer *w = segment_writer_new(path, SEGMENT_LOOKALIKE, LOOKALIKE_INDEX + LOOKALIKE_INDEXES, diag);
	bool failed = false;

	if (w == NULL)
		return -1;
	segment_writer_begin(w, LOOKALIKE_INFO);
	segment_writer_add(w, &m->info, sizeof(m->info));
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		failed |= sections[i].bytes->failed;
		add_section(w, sections[i].id, sections[i].bytes);
	}
	for (uint32_t i = 0; i < LOOKALIKE_INDEXES; i++) {
		struct buf slots;

		buf_init(&slots, TEXT_ROOM);
		fill_slots(m, (enum lookalike_index)i, &m->keys[i], &slots);
		failed |= m->keys[i].failed || slots.failed;
		add_section(w, LOOKALIKE_INDEX + i, &slots);
		buf_fini(&slots);
	}
	if (!failed)
		return segment_writer_finish(w, len, sha256);
	diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	segment_writer_abort(w);
	return -1;
}

static int
add_zeros(struct buf *out, size_t len)
{
	if (buf_reserve(out, len) == -1)
		return -1;
	memset(out->p, 0, len);
	out->len = len;
	return 0;
}

static void
fill_image(struct image *m)
{
	if (add_zeros(&m->first, FIRST_BITS / 8) == -1 || add_zeros(&m->edits, EDIT_BITS / 8) == -1)
		return;
	add_names(m);
	add_words(m);
	add_glyphs(m);
	add_targets(m, TARGET_OWN | TARGET_PARTNER);
	add_targets(m, 0);
	add_embeds(m);
	if (m->embeds.len > 0)
		qsort(m->embeds.p, m->embeds.len / sizeof(struct lookalike_embed), sizeof(struct lookalike_embed), compare_embeds);
}

int
lookalike_builder_write(struct lookalike_builder *b, uint64_t stamp, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct image m = { .b = b, .info = { .stamp = stamp } };
	struct buf *bufs[] = { &m.text, &m.names, &m.targets, &m.embeds, &m.words, &m.glyphs, &m.first, &m.edits };
	int r;

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_init(bufs[i], TEXT_ROOM);
	for (size_t i = 0; i < LOOKALIKE_INDEXES; i++)
		buf_init(&m.keys[i], TEXT_ROOM);
	merge(b, &b->names, by_text);
	merge(b, &b->targets, by_text);
	merge(b, &b->embeds, by_text);
	merge(b, &b->words, by_text);
	merge(b, &b->glyphs, by_code);
	fill_image(&m);
	r = write_image(&m, path, len, sha256, diag);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_fini(bufs[i]);
	for (size_t i = 0; i < LOOKALIKE_INDEXES; i++)
		buf_fini(&m.keys[i]);
	return r;
}
