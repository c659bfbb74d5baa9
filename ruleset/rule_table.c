#include <errno.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "ruleset/generation.h"
#include "ruleset/rule_format.h"

enum { SLOTS_FIRST = 1024 };

/* A text that is stored already; a LEN of 0 is an empty slot, for empty texts are not stored. */
struct slot {
	struct text_ref	text;
};

struct rule_table_builder {
	struct buf	 records, texts;
	struct slot	*slots;
	size_t		 n_slots, n_used;
	uint32_t	 n;
};

struct rule_table_builder *
rule_table_new(void)
{
	struct rule_table_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	buf_init(&b->records, SIZE_MAX / 2);
	buf_init(&b->texts, UINT32_MAX);
	b->n_slots = SLOTS_FIRST;
	if ((b->slots = calloc(b->n_slots, sizeof(*b->slots))) == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void
rule_table_free(struct rule_table_builder *b)
{
	if (b == NULL)
		return;
	buf_fini(&b->records);
	buf_fini(&b->texts);
	free(b->slots);
	free(b);
}

static struct slice
stored_text(const struct rule_table_builder *b, struct text_ref t)
{
	return slice_make(b->texts.p + t.at, t.len);
}

/* The slot that holds TEXT, or the empty one where it belongs.  The table lives for one publish: a fixed key is
 * enough, for a feed that aims at it slows only itself. */
static struct slot *
find_slot(const struct rule_table_builder *b, struct slot *slots, size_t n, struct slice text)
{
	static const uint8_t key[SIPHASH_KEY];
	size_t i = siphash(key, text) & (n - 1);

	while (slots[i].text.len != 0 && !slice_eq(stored_text(b, slots[i].text), text))
		i = (i + 1) & (n - 1);
	return &slots[i];
}

static int
grow(struct rule_table_builder *b)
{
	size_t n = b->n_slots * 2;
	struct slot *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return -1;
	for (size_t i = 0; i < b->n_slots; i++)
		if (b->slots[i].text.len != 0)
			*find_slot(b, slots, n, stored_text(b, b->slots[i].text)) = b->slots[i];
	free(b->slots);
	b->slots = slots;
	b->n_slots = n;
	return 0;
}

static int
add_text(struct rule_table_builder *b, struct slice text, struct text_ref *out)
{
	struct slot *slot;

	*out = (struct text_ref){ 0 };
	if (text.len == 0)
		return 0;
	if (b->n_used * 2 >= b->n_slots && grow(b) == -1)
		return -1;
	slot = find_slot(b, b->slots, b->n_slots, text);
	if (slot->text.len == 0) {
		struct text_ref new = { (uint32_t)b->texts.len, (uint32_t)text.len };

		if (buf_add_slice(&b->texts, text) == -1)
			return -1;
		slot->text = new;
		b->n_used++;
	}
	*out = slot->text;
	return 0;
}

int
rule_table_add(struct rule_table_builder *b, const struct rule *rule, uint32_t *ref)
{
	struct rule copy = *rule;
	struct rule_record r = {
		.action = (uint8_t)rule->action, .kind = (uint8_t)rule->kind, .level = rule->level, .rev = rule->rev,
		.flags = (uint8_t)((rule->local ? RULE_FLAG_LOCAL : 0) | (rule->files ? RULE_FLAG_FILES : 0)),
		.published = rule->published, .expires = rule->expires,
	};

	if (b->n == UINT32_MAX)
		return -1;
	for (int t = 0; t < RULE_TEXTS; t++)
		if (add_text(b, *rule_text(&copy, (enum rule_text)t), &r.texts[t]) == -1)
			return -1;
	r.sum = rule_record_sum(&r, rule);
	if (buf_add(&b->records, &r, sizeof(r)) == -1)
		return -1;
	*ref = b->n++;
	return 0;
}

int
rule_table_write(struct rule_table_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct segment_part parts[] = {
		{ RULES_RECORDS, buf_slice(&b->records) }, { RULES_TEXTS, buf_slice(&b->texts) },
	};

	return segment_write(path, SEGMENT_RULES, parts, sizeof(parts) / sizeof(*parts), len, sha256, diag);
}
