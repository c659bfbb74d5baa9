/* The MANIFEST: what is written is read, every kind of damage is refused by line and reason, and no part of one passes for
 * the whole. */
#include <openssl/evp.h>

#include "ruleset/manifest.h"
#include "t/tap.h"

enum { CREATED = 1795530600, SHA_HEX = 64 };	/* 2026-11-24T14:30:00Z */

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define SHA_A	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define SHA_B	"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define HEAD	"firebreak-manifest 1\n"
#define NUMBER	"generation 17\n"
#define DATE	"created 2026-11-24T14:30:00Z\n"
#define RULES	"segment rules rules-17.seg 4096 " SHA_A "\n"
#define HOSTS	"segment hosts hosts-17.seg 8192 " SHA_B "\n"
#define DIGESTS	"segment digests digests-17.seg 18446744073709551615 " SHA_A "\n"
#define SITE	"segment site site-17.seg 0 " SHA_B "\n"
#define GOOD	HEAD NUMBER DATE RULES HOSTS DIGESTS SITE

#define N21	"x234567890123456789-1"
#define N63	N21 N21 N21

/* ABOVE and the line "end" that belongs below it; lies right before an unreadable page. */
static struct slice
sealed(struct slice above)
{
	uint8_t sum[SEGMENT_SHA256];
	struct slice copy;
	struct buf text;

	buf_init(&text, 4 * MANIFEST_MAX);
	if (EVP_Digest(above.p, above.len, sum, NULL, EVP_sha256(), NULL) != 1)
		abort();
	buf_add_slice(&text, above);
	buf_add_str(&text, "end ");
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_addf(&text, "%02x", sum[i]);
	buf_add_char(&text, '\n');
	copy = guard_copy(buf_slice(&text));
	buf_fini(&text);
	return copy;
}

/* "line N: TEXT" of the one error that TEXT has as "MANIFEST"; "" when it is accepted or when there is more to say. */
static const char *
fault_of(struct slice text)
{
	static char fault[300];
	struct diag diag = { 0 };
	struct manifest m;
	int r = manifest_parse("a/MANIFEST", text, &m, &diag);

	fault[0] = '\0';
	if (r == -1 && diag.n == 1 && diag.n_errors == 1 && diag.v[0].file != NULL && strcmp(diag.v[0].file, "a/MANIFEST") == 0)
		snprintf(fault, sizeof(fault), "line %u: %s", diag.v[0].line, diag.v[0].text);
	else if (r == -1 || diag.n > 0)
		snprintf(fault, sizeof(fault), "result %d with %zu findings, %zu of them errors", r, diag.n, diag.n_errors);
	diag_fini(&diag);
	return fault;
}

static bool
is_segment(const struct manifest_segment *s, enum segment_kind kind, const char *name, uint64_t len, uint8_t first)
{
	return s != NULL && s->kind == kind && strcmp(s->name, name) == 0 && s->len == len && s->sha256[0] == first;
}

static void
test_good(void)
{
	struct diag diag = { 0 };
	struct manifest m;

	ok(manifest_parse("x", sealed(SLICE(GOOD)), &m, &diag) == 0, "a good one: %s", diag_first_error(&diag));
	is_int((long long)diag.n, 0, "no findings");
	is_int((long long)m.generation, 17, "its generation");
	is_int(m.created, CREATED, "its date");
	is_int((long long)m.n, 4, "its segments");
	ok(is_segment(&m.segments[0], SEGMENT_RULES, "rules-17.seg", 4096, 0x9f), "in their order");
	ok(m.segments[0].sha256[SEGMENT_SHA256 - 1] == 0x08, "a sum to its last byte");
	ok(is_segment(manifest_find(&m, SEGMENT_RULES), SEGMENT_RULES, "rules-17.seg", 4096, 0x9f), "found: rules");
	ok(is_segment(manifest_find(&m, SEGMENT_HOSTS), SEGMENT_HOSTS, "hosts-17.seg", 8192, 0x60), "found: hosts");
	ok(is_segment(manifest_find(&m, SEGMENT_DIGESTS), SEGMENT_DIGESTS, "digests-17.seg", UINT64_MAX, 0x9f),
	    "found: digests");
	ok(is_segment(manifest_find(&m, SEGMENT_SITE), SEGMENT_SITE, "site-17.seg", 0, 0x60), "found: site");
	ok(manifest_parse("x", sealed(SLICE(HEAD NUMBER DATE RULES)), &m, &diag) == 0 && m.n == 1, "a smaller one");
	ok(manifest_find(&m, SEGMENT_HOSTS) == NULL, "what it does not name is not found");
	ok(manifest_parse("x", sealed(SLICE(HEAD NUMBER DATE)), &m, NULL) == 0 && m.n == 0, "one that names nothing");
	ok(manifest_find(&m, SEGMENT_RULES) == NULL, "nothing is found in it");
}

static void
test_kinds(void)
{
	is_str(segment_kind_name(SEGMENT_RULES), "rules", "rules");
	is_str(segment_kind_name(SEGMENT_HOSTS), "hosts", "hosts");
	is_str(segment_kind_name(SEGMENT_DIGESTS), "digests", "digests");
	is_str(segment_kind_name(SEGMENT_SITE), "site", "site");
	is_str(segment_kind_name((enum segment_kind)99), "unknown", "no kind at all");
}

/* ---- damage ---- */

struct fault_row {
	const char	*idea;
	struct slice	 above;		/* what stands above the line "end", whose sum is right */
	const char	*fault;
};

static const struct fault_row faults[] = {
	{ "a newer version", SLICE("firebreak-manifest 2\n" NUMBER DATE), "line 1: is of another version; this firebreak reads" },
	{ "a longer version", SLICE("firebreak-manifest 10\n" NUMBER DATE), "line 1: is of another version" },
	{ "no version", SLICE("firebreak-manifest \n" NUMBER DATE), "line 1: is of another version" },
	{ "no version and no blank", SLICE("firebreak-manifest\n" NUMBER DATE), "line 1: is no MANIFEST" },
	{ "another file", SLICE("block host a.example\n"), "line 1: is no MANIFEST" },
	{ "a blank in front", SLICE(" " GOOD), "line 1: is no MANIFEST" },
	{ "an empty line in front", SLICE("\n" GOOD), "line 1: is no MANIFEST" },
	{ "the first line twice", SLICE(HEAD HEAD NUMBER DATE), "line 2: an unknown line: written by a newer firebreak?" },
	{ "no generation", SLICE(HEAD DATE RULES), "line 4: the generation or the date of creation is missing" },
	{ "no date", SLICE(HEAD NUMBER RULES), "line 4: the generation or the date of creation is missing" },
	{ "nothing but the version", SLICE(HEAD), "line 2: the generation or the date of creation is missing" },
	{ "generation 0", SLICE(HEAD "generation 0\n" DATE), "line 2: the generation is no number from 1" },
	{ "generation below 0", SLICE(HEAD "generation -1\n" DATE), "line 2: the generation is no number from 1" },
	{ "a word for a generation", SLICE(HEAD "generation next\n" DATE), "line 2: the generation is no number from 1" },
	{ "two numbers", SLICE(HEAD "generation 1 2\n" DATE), "line 2: the generation is no number from 1" },
	{ "no number", SLICE(HEAD "generation\n" DATE), "line 2: the generation is no number from 1" },
	{ "two blanks", SLICE(HEAD "generation  17\n" DATE), "line 2: the generation is no number from 1" },
	{ "beyond 64 bits", SLICE(HEAD "generation 18446744073709551616\n" DATE), "line 2: the generation is no number from 1" },
	{ "the generation twice", SLICE(HEAD NUMBER DATE NUMBER), "line 4: the second generation" },
	{ "another generation", SLICE(HEAD NUMBER "generation 18\n" DATE), "line 3: the second generation" },
	{ "no date after its word", SLICE(HEAD NUMBER "created \n"), "line 3: the date of creation is not one" },
	{ "no such day", SLICE(HEAD NUMBER "created 2026-02-29T00:00:00Z\n"), "line 3: the date of creation is not one" },
	{ "the dawn of time", SLICE(HEAD NUMBER "created 1970-01-01T00:00:00Z\n"), "line 3: the date of creation is not one" },
	{ "a leap second after the last date", SLICE(HEAD NUMBER "created 9999-12-31T23:59:60Z\n"),
	    "line 3: the date of creation is not one" },
	{ "the last date, further west", SLICE(HEAD NUMBER "created 9999-12-31T23:59:59-00:01\n"),
	    "line 3: the date of creation is not one" },
	{ "the date twice", SLICE(HEAD NUMBER DATE DATE), "line 4: the second date of creation" },
	{ "an unknown line", SLICE(HEAD NUMBER DATE "author x\n"), "line 4: an unknown line: written by a newer firebreak?" },
	{ "an empty line", SLICE(HEAD NUMBER "\n" DATE), "line 3: an unknown line" },
	{ "a word in capitals", SLICE(HEAD NUMBER DATE "Segment rules r 1 " SHA_A "\n"), "line 4: an unknown line" },
	{ "a blank before a word", SLICE(HEAD " " NUMBER DATE), "line 2: an unknown line" },
	{ "a tab for the blank", SLICE(HEAD "generation\t17\n" DATE), "line 2: an unknown line" },
	{ "end without a sum", SLICE(HEAD NUMBER DATE "end\n"), "line 4: an unknown line" },
	{ "CR LF everywhere", SLICE("firebreak-manifest 1\r\n" "generation 17\r\n"), "line 1: is of another version" },
	{ "CR LF after a number", SLICE(HEAD "generation 17\r\n" DATE), "line 2: the generation is no number from 1" },
	{ "CR LF after a date", SLICE(HEAD NUMBER "created 2026-11-24T14:30:00Z\r\n"), "line 3: the date of creation is not one" },
	{ "CR LF after a sum", SLICE(HEAD NUMBER DATE "segment rules r.seg 1 " SHA_A "\r\n"), "line 4: the segment's SHA-256 is not" },
	{ "NUL after the version", SLICE("firebreak-manifest 1\0\n" NUMBER DATE), "line 1: is of another version" },
	{ "NUL after a number", SLICE(HEAD "generation 17\0\n" DATE), "line 2: the generation is no number from 1" },
	{ "NUL within a date", SLICE(HEAD NUMBER "created 2026-11-24\0T14:30Z\n"), "line 3: the date of creation is not one" },
	{ "NUL for a line", SLICE(HEAD NUMBER "\0\n" DATE), "line 3: an unknown line" },
	{ "NUL in a name", SLICE(HEAD NUMBER DATE "segment rules r\0.seg 1 " SHA_A "\n"), "line 4: the segment's name is no plain" },
	{ "UTF-16", SLICE("\xff\xfe" "f\0i\0r\0e\0\n\0"), "line 1: is no MANIFEST" },
};

/* What stands behind "segment ". */
static const struct fault_row segment_faults[] = {
	{ "unknown kind", SLICE("urls u.seg 1 " SHA_A), "unknown kind of segment: written by a newer firebreak?" },
	{ "kind in capitals", SLICE("Rules r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "no kind", SLICE(" r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "a kind's beginning", SLICE("rule r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "the word that unknown kinds have", SLICE("unknown r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "nothing", SLICE(""), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "the kind alone", SLICE("rules"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "no length, no sum", SLICE("rules r.seg"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "no sum", SLICE("rules r.seg 1"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "an empty name", SLICE("rules  1 " SHA_A), "the segment's name is no plain file name" },
	{ "a folder above", SLICE("rules ../r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "an absolute name", SLICE("rules /etc/passwd 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a folder below", SLICE("rules a/r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "the folder itself", SLICE("rules . 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a hidden file", SLICE("rules .r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a backslash", SLICE("rules a\\r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a colon", SLICE("rules c:r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a high byte", SLICE("rules r\xc3\xa9.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a name of 64", SLICE("rules " N63 "x 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a length in letters", SLICE("rules r.seg many " SHA_A), "the segment's length is no number" },
	{ "a length below 0", SLICE("rules r.seg -1 " SHA_A), "the segment's length is no number" },
	{ "a length in hexadecimal", SLICE("rules r.seg 0x10 " SHA_A), "the segment's length is no number" },
	{ "no length", SLICE("rules r.seg  " SHA_A), "the segment's length is no number" },
	{ "a length beyond 64 bits", SLICE("rules r.seg 18446744073709551616 " SHA_A), "the segment's length is no number" },
	{ "an empty sum", SLICE("rules r.seg 1 "), "the segment's SHA-256 is not one" },
	{ "the sum of an MD5", SLICE("rules r.seg 1 d41d8cd98f00b204e9800998ecf8427e"), "the segment's SHA-256 is not one" },
	{ "a digit too many", SLICE("rules r.seg 1 " SHA_A "0"), "the segment's SHA-256 is not one" },
	{ "a word too many", SLICE("rules r.seg 1 " SHA_A " x"), "the segment's SHA-256 is not one" },
	{ "a blank behind", SLICE("rules r.seg 1 " SHA_A " "), "the segment's SHA-256 is not one" },
	{ "no digit", SLICE("rules r.seg 1 g" "f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
	    "the segment's SHA-256 is not one" },
	{ "a kind again", SLICE("hosts other.seg 1 " SHA_A), "the second segment of its kind" },
};

static void
is_fault(struct slice text, const char *fault, const char *idea)
{
	const char *got = fault_of(text);

	if (!ok(strncmp(got, fault, strlen(fault)) == 0, "refused: %s", idea))
		printf("#      got: %s\n# expected: %s\n", got, fault);
}

static void
test_faults(void)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		is_fault(sealed(faults[i].above), faults[i].fault, faults[i].idea);
}

static void
test_segment_faults(void)
{
	char above[1000], fault[200];

	for (size_t i = 0; i < COUNT(segment_faults); i++) {
		const struct fault_row *row = &segment_faults[i];
		int n = snprintf(above, sizeof(above), HEAD NUMBER HOSTS DATE "segment %.*s\n", SLICE_ARGS(row->above));

		snprintf(fault, sizeof(fault), "line 5: %s", row->fault);
		is_fault(sealed(slice_make(above, (size_t)n)), fault, row->idea);
	}
}

/* More segments than a struct manifest holds: there are fewer kinds, so that one of them stands twice before. */
static void
test_many(void)
{
	static const char *const kinds[] = { "rules", "hosts", "digests", "site" };
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	buf_add_str(&text, HEAD NUMBER DATE);
	for (unsigned i = 0; i < MANIFEST_SEGMENTS + 1; i++)
		buf_addf(&text, "segment %s %u.seg 1 " SHA_A "\n", kinds[i % COUNT(kinds)], i);
	is_fault(sealed(buf_slice(&text)), "line 8: the second segment of its kind", "too many segments");
	buf_fini(&text);
}

/* Around the end, where SEALED() would hide what is wrong. */
static void
test_end(void)
{
	struct slice good = sealed(SLICE(GOOD));
	struct buf text;

	buf_init(&text, 4 * MANIFEST_MAX);
	is_fault(SLICE(""), "line 1: is no MANIFEST", "empty");
	is_fault((struct slice){ 0 }, "line 1: is no MANIFEST", "nothing at all");
	is_fault(SLICE("\n"), "line 1: is no MANIFEST", "an empty line");
	is_fault(guard_copy(SLICE(GOOD)), "line 8: is cut short: the line \"end\" is missing", "no end");
	is_fault(guard_copy(SLICE(HEAD "end " SHA_A "\n")), "line 2: damaged: the sum of the lines above is another",
	    "the sum of something else");
	is_fault(guard_copy(SLICE(GOOD "end " SHA_A "0\n")), "line 8: the sum is no SHA-256", "a sum that is too long");
	is_fault(guard_copy(SLICE(GOOD "end \n")), "line 8: the sum is no SHA-256", "no sum");
	is_fault(guard_copy(SLICE(GOOD "end " SHA_A "\r\n")), "line 8: the sum is no SHA-256", "CR LF at the end alone");
	buf_add_slice(&text, good);
	buf_add_char(&text, '\n');
	is_fault(guard_copy(buf_slice(&text)), "line 8: there is more after the end", "an empty line behind the end");
	text.p[text.len - 1] = '\0';
	is_fault(guard_copy(buf_slice(&text)), "line 8: there is more after the end", "NUL behind the end");
	buf_add_slice(&text, good);
	is_fault(guard_copy(buf_slice(&text)), "line 8: there is more after the end", "two of them");
	buf_reset(&text);
	buf_add_str(&text, GOOD HOSTS);
	buf_add_slice(&text, slice_skip(good, strlen(GOOD)));
	is_fault(guard_copy(buf_slice(&text)), "line 8: the second segment of its kind", "a line put before the end");
	buf_fini(&text);
}

static void
test_length(void)
{
	struct manifest m;
	struct buf text;

	buf_init(&text, 2 * MANIFEST_MAX);
	buf_add_str(&text, HEAD);
	while (text.len <= MANIFEST_MAX)
		buf_add_char(&text, 'x');
	is_fault(buf_slice(&text), "line 1: is longer than a MANIFEST can be", "a byte too long");
	is_fault(slice_head(buf_slice(&text), MANIFEST_MAX), "line 2: is cut short", "as long as it may be, but none");
	ok(manifest_parse("x", buf_slice(&text), &m, NULL) == -1, "without a diag it is refused too");
	buf_fini(&text);
}

/* ---- no part, and no bit ---- */

static unsigned
newlines(struct slice text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n';
	return n;
}

/* Cut behind every byte: one error each, in the line that the cut is in. */
static void
test_cuts(void)
{
	struct slice good = sealed(SLICE(GOOD));
	unsigned wrong = 0;

	for (size_t len = 0; len < good.len; len++) {
		struct slice part = guard_copy(slice_head(good, len));
		const char *reason = newlines(part) == 0 ? "is no MANIFEST" : "is cut short: the line \"end\" is missing";
		char fault[100];

		snprintf(fault, sizeof(fault), "line %u: %s", newlines(part) + 1, reason);
		if (strcmp(fault_of(part), fault) != 0 && wrong++ == 0)
			printf("# cut to %zu bytes: %s\n", len, fault_of(part));
	}
	is_int(wrong, 0, "cut to any length it is refused, with one error in the right line");
	is_str(fault_of(good), "", "the whole is accepted");
}

/* Every bit turned.  The digits of the last sum may be of either case: that says the same. */
static void
test_bits(void)
{
	struct slice good = sealed(SLICE(GOOD));
	size_t sum_at = good.len - 1 - SHA_HEX, accepted = 0, letters = 0;
	char *copy = (char *)(uintptr_t)guard_copy(good).p;

	for (size_t i = sum_at; i < good.len; i++)
		letters += ascii_is_alpha(good.p[i]);
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		const char *fault;

		copy[bit / 8] ^= (char)(1 << bit % 8);
		fault = fault_of(slice_make(copy, good.len));
		if (strncmp(fault, "line ", strlen("line ")) != 0) {
			accepted++;
			ok(fault[0] == '\0' && bit / 8 >= sum_at && 1 << bit % 8 == 0x20, "bit %zu: the case of a digit", bit);
		}
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
	is_int((long long)accepted, (long long)letters, "any other bit turned is refused, with one error");
}

/* ---- writing ---- */

static const struct manifest written[] = {
	{ .generation = 1, .created = 1 },
	{ .generation = UINT64_MAX, .created = INT64_C(253402300799) },
	{ .generation = 17, .created = CREATED, .n = 4, .segments = {
		{ SEGMENT_SITE, "a", 0, { 0 } },
		{ SEGMENT_HOSTS, N63, UINT64_MAX, { 0xff, [SEGMENT_SHA256 - 1] = 0x0f } },
		{ SEGMENT_RULES, "A-z_0.9", 1, { [5] = 1 } },
		{ SEGMENT_DIGESTS, "-", 1, { [5] = 2 } },
	} },
};

static bool
is_same(const struct manifest *a, const struct manifest *b)
{
	if (a->generation != b->generation || a->created != b->created || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->segments[i].kind != b->segments[i].kind || strcmp(a->segments[i].name, b->segments[i].name) != 0 ||
		    a->segments[i].len != b->segments[i].len ||
		    memcmp(a->segments[i].sha256, b->segments[i].sha256, SEGMENT_SHA256) != 0)
			return false;
	return true;
}

static void
test_round_trips(void)
{
	struct diag diag = { 0 };
	struct manifest again;
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	for (size_t i = 0; i < COUNT(written); i++) {
		buf_reset(&text);
		ok(manifest_format(&written[i], &text) == 0, "manifest %zu: written", i);
		ok(manifest_parse("x", guard_copy(buf_slice(&text)), &again, &diag) == 0 && diag.n == 0, "manifest %zu: read: %s", i,
		    diag_first_error(&diag));
		ok(is_same(&written[i], &again), "manifest %zu: the same", i);
	}
	buf_fini(&text);
	diag_fini(&diag);
}

/* To the byte what the contract shows, so that another version of us reads it. */
static void
test_format(void)
{
	struct slice good = sealed(SLICE(GOOD));
	struct manifest m;
	struct buf text;

	buf_init(&text, good.len + 1);
	if (manifest_parse("x", good, &m, NULL) == -1)
		abort();
	buf_add_char(&text, 'x');
	ok(manifest_format(&m, &text) == 0, "appended to what is there");
	is_slice(slice_skip(buf_slice(&text), 1), good, "and the sum is of the MANIFEST alone");
	buf_fini(&text);
	for (size_t max = 0; max < good.len; max += 31) {
		buf_init(&text, max);
		ok(manifest_format(&m, &text) == -1, "no room in %zu bytes", max);
		buf_fini(&text);
	}
}

int
main(void)
{
	test_good();
	test_kinds();
	test_faults();
	test_segment_faults();
	test_many();
	test_end();
	test_length();
	test_cuts();
	test_bits();
	test_round_trips();
	test_format();
	return tap_done();
}
