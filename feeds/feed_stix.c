/* STIX 2: a bundle's indicators.  {"type":"bundle","objects":[{"type":"indicator","pattern":"[...]",...},...]} */
#include "feeds/feed_part.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/siphash.h"
#include "feeds/stix_pattern.h"
#include "hashdb/hashdb.h"

enum { SLOTS_FIRST = 1024, SLOTS_MAX = 1 << 23, MICROS = 1000000, MOMENT_MAX = 40 };

/* The newest version of an object; HASH is of its id; 0: the slot is free. */
struct version {
	uint64_t	hash;
	int64_t		modified;	/* microseconds */
};

struct stix_state {
	struct stix_pattern	*pattern;
	struct version		*versions;	/* of the indicators that were previewed: open addressing */
	size_t			 n, n_slots;
};

/* ---- moments ---- */

/* The microseconds of TEXT, whose fraction may have any number of digits. */
static int
parse_moment(struct slice text, int64_t *micros)
{
	size_t dot = slice_find(text, '.'), end = dot + 1;
	char plain[MOMENT_MAX];
	int64_t fraction = 0, unit = MICROS, seconds;
	struct buf whole;

	buf_init_in(&whole, plain, sizeof(plain), sizeof(plain) - 1);
	for (; end < text.len && ascii_is_digit(text.p[end]); end++) {
		unit /= 10;
		fraction += unit * (text.p[end] - '0');
	}
	buf_add_slice(&whole, slice_head(text, dot));
	buf_add_slice(&whole, slice_skip(text, end));
	if (whole.failed || clock_parse(buf_slice(&whole), &seconds) == -1)
		return -1;
	*micros = seconds * MICROS + fraction;
	return 0;
}

/* The moment that KEY of O says, in microseconds: 1, 0 when it says none, -1 when it is none. */
static int
moment_of(const json_t *o, const char *key, int64_t *micros)
{
	char room[JSON_NUMBER];
	struct slice text = json_text(o, key, room);

	return text.len == 0 ? 0 : parse_moment(text, micros) == -1 ? -1 : 1;
}

/* ---- versions: of one id the one that was modified last counts ---- */

static uint64_t
id_hash(const json_t *o)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak stix";
	char room[JSON_NUMBER];
	uint64_t hash = siphash(key, json_text(o, "id", room));

	return hash + (hash == 0);
}

static struct version *
slot_of(struct version *slots, size_t n, uint64_t hash)
{
	size_t i = hash & (n - 1);

	while (slots[i].hash != 0 && slots[i].hash != hash)
		i = (i + 1) & (n - 1);
	return &slots[i];
}

/* Make room for one more; false when there shall be none. */
static bool
grow(struct stix_state *s)
{
	size_t n = s->n_slots == 0 ? SLOTS_FIRST : 2 * s->n_slots;
	struct version *slots;

	if (2 * s->n < s->n_slots)
		return true;
	if (n > SLOTS_MAX || (slots = calloc(n, sizeof(*slots))) == NULL)
		return false;
	for (size_t i = 0; i < s->n_slots; i++)
		if (s->versions[i].hash != 0)
			*slot_of(slots, n, s->versions[i].hash) = s->versions[i];
	free(s->versions);
	s->versions = slots;
	s->n_slots = n;
	return true;
}

/* Objects without an id are no versions of each other. */
static bool
has_id(const json_t *o)
{
	char room[JSON_NUMBER];

	return json_text(o, "id", room).len > 0;
}

static void
note_version(struct stix_state *s, const json_t *o)
{
	struct version *v;
	int64_t modified;

	if (!has_id(o) || moment_of(o, "modified", &modified) != 1 || !grow(s))
		return;
	v = slot_of(s->versions, s->n_slots, id_hash(o));
	s->n += v->hash == 0;
	if (v->hash == 0 || v->modified < modified)
		*v = (struct version){ id_hash(o), modified };
}

static bool
is_outdated(struct stix_state *s, const json_t *o)
{
	int64_t modified;

	return s->n > 0 && has_id(o) && moment_of(o, "modified", &modified) == 1 &&
	    slot_of(s->versions, s->n_slots, id_hash(o))->modified > modified;
}

/* ---- an indicator ---- */

/* KEY of O is a list in which WORD stands. */
static bool
lists(const json_t *o, const char *key, const char *word)
{
	const json_t *list = json_object_get(o, key), *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (json_is_string(one) && slice_ieq(slice_str(json_string_value(one)), slice_str(word)))
			return true;
	return false;
}

/* The pattern is of a language that is read, what it finds is bad, and nothing newer says otherwise. */
static bool
is_wanted(struct feed *f, const json_t *o)
{
	char room[JSON_NUMBER];
	struct slice type = json_text(o, "pattern_type", room);

	if (json_is_true(json_object_get(o, "revoked")) || (type.len > 0 && !slice_eq(type, SLICE("stix"))))
		return false;
	if (lists(o, "indicator_types", "benign") || lists(o, "labels", "benign"))
		return false;
	return feed_is_sure(f, json_text(o, "confidence", room)) && !is_outdated(f->state, o);
}

/* The indicator is in force: 0; else 1 and it was counted. */
static int
check_dates(struct feed *f, const json_t *o)
{
	int64_t from = 0, until = 0, now = f->options.now * MICROS;
	int has_from = moment_of(o, "valid_from", &from), has_until = moment_of(o, "valid_until", &until);

	if (has_from == -1 || has_until == -1) {
		feed_bad(f, f->at.col, "%s is no moment", has_from == -1 ? "valid_from" : "valid_until");
		return 1;
	}
	if (now != 0 && ((has_from == 1 && from > now) || (has_until == 1 && until <= now))) {
		feed_skip(f);
		return 1;
	}
	f->expires = has_until == 1 ? until / MICROS : 0;
	return 0;
}

static int
give_file(struct feed *f, const struct stix_alternative *a)
{
	uint64_t size = HASHDB_SIZE_ANY;

	if (a->size.len > 0 && feed_size(f, (struct cell){ a->size, f->at.col }, &size) != 0)
		return 0;
	for (int i = DIGEST_ALGS - 1; i >= 0; i--) {
		f->shown = a->hex[i];
		if (a->hex[i].len > 0)
			return feed_digest_as(f, (enum digest_alg)i, (struct cell){ a->hex[i], f->at.col }, size, a->name);
	}
	return 0;
}

/* All below HOST. */
static int
give_below(struct feed *f, struct cell host)
{
	buf_reset(&f->text);
	buf_add_strs(&f->text, "*.", NULL);
	buf_add_slice(&f->text, host.text);
	if (f->text.failed)
		return feed_bad(f, host.col, "the host is too long");
	if (feed_parse(f, RULE_HOST, (struct cell){ buf_slice(&f->text), host.col }) == -1)
		return 0;
	return feed_emit(f, RULE_HOST, host.col, SLICE(""));
}

static int
give_alternative(void *feed, const struct stix_alternative *a)
{
	struct feed *f = feed;
	struct cell value = { a->value, f->at.col };

	f->shown = a->value;
	switch (a->kind) {
	case STIX_HOST:
		return feed_name(f, value, SLICE(""));
	case STIX_BELOW:
		return give_below(f, value);
	case STIX_URL:
		return feed_url(f, value, SLICE(""));
	case STIX_ADDRESS:
		return feed_ip(f, value);
	case STIX_FILE:
		return give_file(f, a);
	}
	return 0;
}

static int
read_indicator(struct feed *f, const json_t *o)
{
	struct stix_state *s = f->state;
	char room[JSON_NUMBER];
	struct slice pattern = json_text(o, "pattern", room);
	struct stix_answer answer;
	int r;

	if (!is_wanted(f, o))
		return feed_skip(f);
	if (check_dates(f, o) != 0)
		return 0;
	f->note = json_text(o, "name", room);
	r = stix_pattern_read(s->pattern, pattern, give_alternative, f, &answer);
	f->shown = slice_skip(pattern, answer.at);
	if (r == 0 && answer.why != NULL)
		return feed_bad(f, f->at.col, "%s in the pattern", answer.why);
	for (unsigned i = 0; i < answer.unsaid; i++)
		feed_skip(f);
	return r;
}

/* ---- a bundle ---- */

/* A list of objects, in a bundle or bare. */
static enum json_way
ask(void *feed, const struct json_pieces *p, char first)
{
	(void)feed;
	if (p->n == 0)
		return JSON_ENTER;
	if (p->n == 1 && !p->levels[0].is_array)
		return first == '[' && json_pieces_at(p, 0, "objects") ? JSON_ENTER : JSON_SKIP;
	return first == '{' ? JSON_TAKE : JSON_SKIP;
}

static int
take(void *feed, const struct json_pieces *p, json_t *o, unsigned line, unsigned col)
{
	struct feed *f = feed;
	char room[JSON_NUMBER];
	bool is_indicator = slice_eq(json_text(o, "type", room), SLICE("indicator"));

	(void)p;
	if (f->previewing) {
		if (is_indicator)
			note_version(f->state, o);
		return 0;
	}
	feed_piece(f, line, col);
	return is_indicator ? read_indicator(f, o) : feed_skip(f);
}

static int
begin(struct feed *f)
{
	static const struct json_reader reader = { ask, take, feed_json_bad };
	struct stix_state *s = f->state;

	if (s == NULL && (s = f->state = calloc(1, sizeof(*s))) == NULL)
		return -1;
	if (s->pattern == NULL && (s->pattern = stix_pattern_new()) == NULL)
		return -1;
	feed_json_begin(f, &reader);
	return 0;
}

static void
fini(struct feed *f)
{
	struct stix_state *s = f->state;

	feed_json_fini(f);
	if (s == NULL)
		return;
	stix_pattern_free(s->pattern);
	free(s->versions);
	free(s);
}

const struct feed_stream feed_stix = { begin, feed_json_put, feed_json_end, fini, true };
