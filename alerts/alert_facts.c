#include "alerts/alert_part.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	FACTS_MAX = 8 * ALERT_ITEMS_MAX,
	NAME_MAX_LEN = 255,
	SHOWN_MAX = 100,
	RULE_IDS_MAX = 100,
	RULE_NUMBER_MAX = 32,
	DIGEST_SHORTEST = 20,	/* digits from which on a word after "MD5" was meant as a digest */
	PLAIN_SHORTEST = 24,	/* the same without any such word, when it begins with 0x */
	SHA512_HEX = 128,
	SIZE_REACH = 3,		/* words between "size" and a number without a unit */
};

enum relation { RELATION_NONE, RELATION_IN, RELATION_CONTAINS };

/* What the last word about digests announced. */
enum announced { ANNOUNCED_NONE, ANNOUNCED_ANY, ANNOUNCED_MD5, ANNOUNCED_SHA1, ANNOUNCED_SHA256, ANNOUNCED_OTHER };

static const struct { struct slice word; enum announced what; } digest_words[] = {
	{ SLICE("md5"), ANNOUNCED_MD5 }, { SLICE("md5sum"), ANNOUNCED_MD5 }, { SLICE("md-5"), ANNOUNCED_MD5 },
	{ SLICE("sha1"), ANNOUNCED_SHA1 }, { SLICE("sha-1"), ANNOUNCED_SHA1 }, { SLICE("sha256"), ANNOUNCED_SHA256 },
	{ SLICE("sha-256"), ANNOUNCED_SHA256 }, { SLICE("sha2-256"), ANNOUNCED_SHA256 },
	{ SLICE("sha512"), ANNOUNCED_OTHER }, { SLICE("sha-512"), ANNOUNCED_OTHER },
	{ SLICE("imphash"), ANNOUNCED_OTHER },
	{ SLICE("ssdeep"), ANNOUNCED_OTHER }, { SLICE("checksum"), ANNOUNCED_ANY }, { SLICE("hash"), ANNOUNCED_ANY },
};

static const struct { struct slice word; bool exact; } units[] = {
	{ SLICE("bytes"), true }, { SLICE("byte"), true }, { SLICE("octets"), true }, { SLICE("kb"), false },
	{ SLICE("kib"), false }, { SLICE("kbytes"), false }, { SLICE("kilobytes"), false }, { SLICE("mb"), false },
	{ SLICE("mib"), false }, { SLICE("megabytes"), false },
};

struct alert_facts {
	const struct alert_text	*t;
	struct fact		*v;
	size_t			 n, lost;
	uint32_t		 sentence, paragraph, line;
	size_t			 line_words;	/* words so far on this line */
	bool			 in_blank;	/* the line before was blank */
	struct slice		 number;	/* the last word, when it was a number */
	size_t			 number_at;
	uint32_t		 number_line;
	bool			 number_sized;	/* and "size of" stood before it */
	enum announced		 announced;
	uint32_t		 announced_in;	/* sentence */
	enum relation		 relation;	/* the last word that relates files, since the last file */
	size_t			 last_name;	/* index + 1 of the last FACT_NAME of this sentence; 0 when none */
	struct slice		 holder;	/* the archive that "contains" what else this sentence names */
	size_t			 since_size;	/* words since "size"; SIZE_MAX before there was any */
	bool			 size_joint;	/* the last word was "size", "of", "is" or a unit */
	bool			 after_rule;	/* the last word was "Rule" */
	bool			 rule_word;	/* the last words were "Rule ID" */
};

struct alert_facts *
alert_facts_new(const struct alert_text *t)
{
	struct alert_facts *f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->t = t;
		f->since_size = SIZE_MAX;
	}
	return f;
}

void
alert_facts_free(struct alert_facts *f)
{
	if (f == NULL)
		return;
	free(f->v);
	free(f);
}

const struct fact *
alert_facts_list(const struct alert_facts *f, size_t *n)
{
	*n = f->n;
	if (f->lost > 0)
		alert_finding(f->t, DIAG_WARNING, f->t->clean.len,
		    "%zu file names, sizes and digests over %d are left out", f->lost, FACTS_MAX);
	return f->v;
}

/* A new fact of KIND at AT, to be filled in; NULL without memory, or (LOST counted) over the limit. */
static struct fact *
fact_add(struct alert_facts *f, enum fact_kind kind, size_t at)
{
	struct fact *v;

	if (f->n == FACTS_MAX) {
		f->lost++;
		return NULL;
	}
	if ((v = alert_grow(f->v, f->n, sizeof(*v))) == NULL)
		return NULL;
	f->v = v;
	v[f->n] = (struct fact){ .kind = kind, .at = at, .sentence = f->sentence, .paragraph = f->paragraph,
		.line = f->line, .first = f->line_words == 0 };
	return &v[f->n++];
}

/* What to answer when fact_add() gave nothing: only missing memory is an error. */
static int
fact_lost(const struct alert_facts *f)
{
	return f->n == FACTS_MAX ? 0 : -1;
}

/* "90,112": its value.  -1 when the commas are not where thousands are, or it does not fit. */
static int
parse_size(struct slice s, uint64_t *size)
{
	size_t group = slice_find(s, ',');
	char digits[sizeof("18446744073709551615")];
	size_t n = 0;

	if (group < s.len && (group == 0 || group > 3))
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		bool comma = i >= group && (i - group) % 4 == 0;

		if (comma != (s.p[i] == ','))
			return -1;
		if (comma)
			continue;
		if (n == sizeof(digits) - 1)
			return -1;
		digits[n++] = s.p[i];
	}
	if (group < s.len && (s.len - group) % 4 != 0)
		return -1;
	return slice_u64(slice_make(digits, n), size) == -1 || *size > INT64_MAX ? -1 : 0;
}

static int
add_size(struct alert_facts *f, struct slice number, size_t at)
{
	struct fact *fact;
	uint64_t size;

	f->since_size = SIZE_MAX;
	f->number.len = 0;
	if (parse_size(number, &size) == -1 || size == 0) {
		alert_finding(f->t, DIAG_WARNING, at, "the size \"%.*s\" cannot be used",
		    SLICE_ARGS(slice_head(number, SHOWN_MAX)));
		return 0;
	}
	if ((fact = fact_add(f, FACT_SIZE, at)) == NULL)
		return fact_lost(f);
	fact->size = size;
	fact->line = f->number_line;
	return 0;
}

/* 1 when WORD is a unit of bytes, 0 when it is one that rounds, -1 when it is none. */
static int
unit_of(struct slice word)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_ieq(word, units[i].word))
			return units[i].exact;
	return -1;
}

/* The number before WORD is complete: a size when WORD is its unit, or when "size of" stood before it. */
static int
end_number(struct alert_facts *f, struct slice word)
{
	struct slice number = f->number;
	int exact = unit_of(word);

	if (number.len == 0)
		return 0;
	f->number.len = 0;
	if (exact == 0) {
		alert_finding(f->t, DIAG_WARNING, f->number_at,
		    "the size \"%.*s %.*s\" is not exact to the byte and not used",
		    SLICE_ARGS(slice_head(number, SHOWN_MAX)), SLICE_ARGS(word));
		f->since_size = SIZE_MAX;
		return 0;
	}
	return exact == 1 || f->number_sized ? add_size(f, number, f->number_at) : 0;
}

static void
take_number(struct alert_facts *f, struct slice word, size_t at)
{
	f->number = word;
	f->number_at = at;
	f->number_line = f->line;
	f->number_sized = f->size_joint && f->since_size <= SIZE_REACH;
}

static int
sentence_end(struct alert_facts *f)
{
	if (end_number(f, slice_make(NULL, 0)) == -1)
		return -1;
	f->sentence++;
	f->relation = RELATION_NONE;
	f->last_name = 0;
	f->holder.len = 0;
	f->since_size = SIZE_MAX;
	f->size_joint = false;
	return 0;
}

int
alert_facts_line(struct alert_facts *f, uint32_t line, bool blank)
{
	f->line = line;
	f->line_words = 0;
	if (!blank || f->in_blank) {
		f->in_blank = blank;
		return 0;
	}
	f->in_blank = true;
	f->paragraph++;
	return sentence_end(f);
}

static bool
all_chars(struct slice s, bool (*good)(char))
{
	for (size_t i = 0; i < s.len; i++)
		if (!good(s.p[i]))
			return false;
	return s.len > 0;
}

static bool
has_digit(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_digit(s.p[i]))
			return true;
	return false;
}

static bool
is_number_char(char c)
{
	return ascii_is_digit(c) || c == ',';
}

static bool
is_hex_char(char c)
{
	return ascii_hex(c) != -1;
}

static bool
is_alnum_char(char c)
{
	return ascii_is_digit(c) || ascii_is_alpha(c);
}

static bool
is_name_char(char c)
{
	return is_alnum_char(c) || (c != '\0' && strchr("._-{}[]()+%$~!#&'", c) != NULL) || (unsigned char)c >= 0x80;
}

/* What digest LEN digits can be under what was announced in this sentence; -1 when none. */
static int
digest_kind(enum announced announced, size_t len, enum digest_alg *alg)
{
	static const enum announced names[] = { ANNOUNCED_MD5, ANNOUNCED_SHA1, ANNOUNCED_SHA256 };

	for (int a = DIGEST_MD5; a < DIGEST_ALGS; a++)
		if (len == 2 * digest_len((enum digest_alg)a)) {
			*alg = (enum digest_alg)a;
			return announced <= ANNOUNCED_ANY || announced == names[a] ? 0 : -1;
		}
	return -1;
}

/* Say why HEX, which was meant as a digest, is none. */
static void
bad_digest(const struct alert_facts *f, enum announced announced, struct slice hex, size_t at)
{
	static const char *const expected[] = {
		[ANNOUNCED_NONE] = "an MD5 has 32, a SHA-1 40 and a SHA-256 64",
		[ANNOUNCED_ANY] = "an MD5 has 32, a SHA-1 40 and a SHA-256 64",
		[ANNOUNCED_MD5] = "an MD5 has 32", [ANNOUNCED_SHA1] = "a SHA-1 has 40",
		[ANNOUNCED_SHA256] = "a SHA-256 has 64",
	};
	struct slice shown = slice_head(hex, SHA512_HEX);

	if (announced == ANNOUNCED_OTHER)
		alert_finding(f->t, DIAG_WARNING, at,
		    "\"%.*s\" is not used: only MD5, SHA-1 and SHA-256 are digests of files here", SLICE_ARGS(shown));
	else if (!all_chars(hex, is_hex_char))
		alert_finding(f->t, DIAG_WARNING, at, "the digest \"%.*s\" is not hexadecimal and not used",
		    SLICE_ARGS(shown));
	else
		alert_finding(f->t, DIAG_WARNING, at, "the digest \"%.*s\" has %zu digits and is not used: %s",
		    SLICE_ARGS(shown), hex.len, expected[announced]);
}

/* What is announced here: by name in this sentence; from the one before only that there is a digest. */
static enum announced
announced_now(const struct alert_facts *f)
{
	if (f->announced == ANNOUNCED_NONE || f->sentence - f->announced_in > 1)
		return ANNOUNCED_NONE;
	return f->announced_in == f->sentence ? f->announced : ANNOUNCED_ANY;
}

/* WORD may be a digest.  *TAKEN tells. */
static int
take_digest(struct alert_facts *f, struct slice word, size_t at, bool *taken)
{
	enum announced announced = announced_now(f);
	bool prefixed = slice_istarts(word, SLICE("0x"));
	struct slice hex = slice_skip(word, prefixed ? 2 : slice_istarts(word, SLICE("x")) ? 1 : 0);
	struct fact *fact;
	enum digest_alg alg;
	bool good;

	*taken = false;
	if (hex.len < DIGEST_SHORTEST || !all_chars(hex, is_alnum_char))
		return 0;
	good = all_chars(hex, is_hex_char) && digest_kind(announced, hex.len, &alg) == 0;
	/* Long words that nothing announces are ids of something else. */
	if (!good && !(prefixed && hex.len >= PLAIN_SHORTEST) && (announced == ANNOUNCED_NONE || !has_digit(hex)))
		return 0;
	*taken = true;
	if (!good)
		bad_digest(f, announced, hex, at);
	if ((fact = fact_add(f, good ? FACT_DIGEST : FACT_BAD, at)) == NULL)
		return fact_lost(f);
	return good ? digest_parse(alg, hex, &fact->digest) : 0;
}

/* "RuleID2499", "RuleID5591KVR", "Rule ID 2499". */
static int
take_rule_id(struct alert_facts *f, struct alert *a, struct slice word)
{
	struct slice number = slice_istarts(word, SLICE("RuleID")) ? slice_skip(word, sizeof("RuleID") - 1) : word;
	char id[sizeof("RuleID") + RULE_NUMBER_MAX], *copy;
	size_t n = 0;

	while (n < number.len && is_alnum_char(number.p[n]))
		n++;
	if (n == 0 || n > RULE_NUMBER_MAX || !ascii_is_digit(number.p[0]) || (number.len == word.len && !f->rule_word))
		return 0;
	snprintf(id, sizeof(id), "RuleID%.*s", (int)n, number.p);
	for (size_t i = 0; i < a->n_rule_ids; i++)
		if (strcmp(a->rule_ids[i], id) == 0)
			return 0;
	if (a->n_rule_ids == RULE_IDS_MAX)
		return 0;
	if ((copy = slice_dup(slice_str(id))) == NULL)
		return -1;
	return alert_add_rule_id(a, copy);
}

static bool
is_name(struct slice word)
{
	size_t dot = word.len;

	if (word.len > NAME_MAX_LEN || !alert_is_extension(word) || !all_chars(word, is_name_char))
		return false;
	while (dot > 0 && word.p[dot - 1] != '.')
		dot--;
	return dot > 1;
}

/* A bare "zip" or ".zip": what kind of archive a file is in. */
static bool
is_archive_word(struct slice word)
{
	char dotted[8] = ".";

	if (word.len > 0 && word.p[0] == '.')
		word = slice_skip(word, 1);
	if (word.len < 2 || word.len >= sizeof(dotted) - 1)
		return false;
	memcpy(dotted + 1, word.p, word.len);
	return alert_is_archive(slice_make(dotted, word.len + 1));
}

/* "zip" of the word or file name S. */
static struct slice
without_dot(struct slice word)
{
	return word.len > 0 && word.p[0] == '.' ? slice_skip(word, 1) : word;
}

static int
take_name(struct alert_facts *f, struct slice name, size_t at)
{
	enum relation relation = f->relation;
	size_t before = f->last_name;
	struct fact *n = fact_add(f, FACT_NAME, at), *other;

	if (n == NULL)
		return fact_lost(f);
	n->name = name;
	n->after_in = relation == RELATION_IN;
	f->last_name = f->n;
	f->relation = RELATION_NONE;
	other = before > 0 ? &f->v[before - 1] : NULL;
	if (alert_is_archive(name)) {
		if (other == NULL || !n->after_in || alert_is_archive(other->name))
			return 0;
		other->container = name;	/* "winner.exe in winner.zip" */
		n->is_container = true;
		return 0;
	}
	/* "winner.zip containing winner.exe"; "in winner.zip, the file winner.exe" */
	if (other != NULL && alert_is_archive(other->name) && !other->is_container &&
	    (relation == RELATION_CONTAINS || other->after_in)) {
		other->is_container = true;
		f->holder = other->name;
	}
	n->container = f->holder;
	return 0;
}

/* Words that say nothing by themselves, but how the next fact is meant. */
static void
take_hint(struct alert_facts *f, struct slice word)
{
	struct fact *other = f->last_name > 0 ? &f->v[f->last_name - 1] : NULL;

	for (size_t i = 0; i < sizeof(digest_words) / sizeof(digest_words[0]); i++)
		/* "MD5 hash" stays an MD5. */
		if (slice_ieq(word, digest_words[i].word) && (digest_words[i].what != ANNOUNCED_ANY ||
		    f->announced == ANNOUNCED_NONE || f->announced_in != f->sentence)) {
			f->announced = digest_words[i].what;
			f->announced_in = f->sentence;
		}
	if (slice_ieq(word, SLICE("in")) || slice_ieq(word, SLICE("inside")) || slice_ieq(word, SLICE("within")))
		f->relation = RELATION_IN;
	else if (slice_istarts(word, SLICE("contain")) || slice_istarts(word, SLICE("holding")))
		f->relation = RELATION_CONTAINS;
	else if (is_archive_word(word) && f->relation == RELATION_IN && other != NULL && other->container.len == 0 &&
	    !alert_is_archive(other->name))
		other->container = without_dot(word);
	f->size_joint = slice_ieq(word, SLICE("size")) || slice_ieq(word, SLICE("of")) ||
	    slice_ieq(word, SLICE("is")) || unit_of(word) != -1;
	if (slice_ieq(word, SLICE("size")))
		f->since_size = 0;
	else if (f->since_size < SIZE_REACH + 1)
		f->since_size++;
	f->rule_word = slice_ieq(word, SLICE("RuleID")) || slice_ieq(word, SLICE("RuleIDs")) ||
	    (f->rule_word && slice_ieq(word, SLICE("and"))) ||
	    (f->after_rule && (slice_ieq(word, SLICE("ID")) || slice_ieq(word, SLICE("IDs"))));
	f->after_rule = slice_ieq(word, SLICE("Rule"));
}

/* "90112bytes" as the number and its unit. */
static struct slice
leading_number(struct slice word)
{
	size_t n = 0;

	while (n < word.len && is_number_char(word.p[n]))
		n++;
	return n > 0 && n < word.len && unit_of(slice_skip(word, n)) != -1 ? slice_head(word, n) : slice_make(NULL, 0);
}

static int
take_word(struct alert_facts *f, struct alert *a, struct slice word, size_t at)
{
	struct slice number = leading_number(word);
	bool taken;

	if (end_number(f, word) == -1 || take_rule_id(f, a, word) == -1 || take_digest(f, word, at, &taken) == -1)
		return -1;
	if (taken)
		return 0;
	if (number.len > 0) {
		take_number(f, number, at);
		return end_number(f, slice_skip(word, number.len));
	}
	if (all_chars(word, is_number_char)) {
		take_number(f, word, at);
		return 0;
	}
	if (is_name(word))
		return take_name(f, word, at);
	take_hint(f, word);
	return 0;
}

/* A mark between two words of one token; a comma is one unless digits stand on both sides. */
static bool
splits(struct slice token, size_t i)
{
	if (token.p[i] == ',')
		return i == 0 || i + 1 == token.len || !ascii_is_digit(token.p[i - 1]) ||
		    !ascii_is_digit(token.p[i + 1]);
	return token.p[i] != '\0' && strchr(":=|;/\\", token.p[i]) != NULL;
}

static bool
ends_sentence(struct slice token)
{
	while (token.len > 0 && strchr(")]}'*", token.p[token.len - 1]) != NULL)
		token.len--;
	return token.len > 0 && strchr(".!?", token.p[token.len - 1]) != NULL;
}

int
alert_facts_take(struct alert_facts *f, struct alert *a, struct slice token, size_t at)
{
	size_t from = 0;

	for (size_t i = 0; i <= token.len; i++) {
		struct slice word;

		if (i < token.len && !splits(token, i))
			continue;
		word = alert_trim_punctuation(slice_make(token.p + from, i - from));
		if (word.len > 0) {
			if (take_word(f, a, word, at + (size_t)(word.p - token.p)) == -1)
				return -1;
			f->line_words++;
		}
		from = i + 1;
	}
	return ends_sentence(token) ? sentence_end(f) : 0;
}
