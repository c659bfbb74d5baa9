/* Patterns of STIX: which alternatives a rule can say, how many it cannot, and where a pattern is none. */
#include "feeds/stix_pattern.h"
#include "base/buf.h"
#include "t/tap.h"

enum { ROOM = 1 << 16 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int
show(void *arg, const struct stix_alternative *a)
{
	static const char *const kinds[] = { [STIX_HOST] = "host", [STIX_BELOW] = "below", [STIX_URL] = "url", [STIX_ADDRESS] = "address", [STIX_FILE] = "file" };
	struct buf *out = arg;

	buf_addf(out, "%s", kinds[a->kind]);
	if (a->kind != STIX_FILE)
		buf_addf(out, " %.*s", SLICE_ARGS(a->value));
	for (int i = 0; i < DIGEST_ALGS; i++)
		if (a->hex[i].len > 0)
			buf_addf(out, " %s:%.*s", digest_alg_name((enum digest_alg)i), SLICE_ARGS(a->hex[i]));
	if (a->size.len > 0)
		buf_addf(out, " size:%.*s", SLICE_ARGS(a->size));
	if (a->name.len > 0)
		buf_addf(out, " name:%.*s", SLICE_ARGS(a->name));
	buf_addf(out, ";");
	return 0;
}

static const struct { const char *idea, *text, *said; unsigned unsaid; } good[] = {
	{ "a host", "[domain-name:value='a.example']", "host a.example;", 0 },
	{ "blanks", " [ domain-name:value\t=\n'a.example' ] ", "host a.example;", 0 },
	{ "two equals signs", "[domain-name:value == 'a.example']", "host a.example;", 0 },
	{ "a URL", "[url:value = 'http://a.example/x?a=[1]&b=(2)']", "url http://a.example/x?a=[1]&b=(2);", 0 },
	{ "addresses", "[ipv4-addr:value = '198.51.100.1/32' OR ipv6-addr:value = '2001:db8::1']",
	    "address 198.51.100.1/32;address 2001:db8::1;", 0 },
	{ "escapes", "[url:value = 'a\\'b\\\\c']", "url a'b\\c;", 0 },
	{ "digests in all spellings", "[file:hashes.MD5 = '1'] ", "file md5:1;", 0 },
	{ "quoted", "[file:hashes.'MD5' = '1']", "file md5:1;", 0 },
	{ "double quotes", "[file:hashes.\"SHA-1\" = '1']", "file sha1:1;", 0 },
	{ "lower case", "[file:hashes.md5 = '1']", "file md5:1;", 0 },
	{ "SHA1", "[file:hashes.SHA1 = '1']", "file sha1:1;", 0 },
	{ "SHA256 of STIX 2.0", "[file:hashes.SHA256 = '1']", "file sha256:1;", 0 },
	{ "with a dash", "[file:hashes.'SHA-256' = '1']", "file sha256:1;", 0 },
	{ "without quotes and with a dash", "[file:hashes.SHA-256 = '1']", "file sha256:1;", 0 },
	{ "with an underscore", "[file:hashes.sha_256 = '1']", "file sha256:1;", 0 },
	{ "a file with all", "[file:hashes.'MD5' = 'a' AND file:hashes.'SHA-1' = 'b' AND file:hashes.'SHA-256' = 'c' AND file:size = 35 AND "
	    "file:name = 'oui']", "file md5:a sha1:b sha256:c size:35 name:oui;", 0 },
	{ "a size that is a string", "[file:size = '35' AND file:hashes.MD5 = 'a']", "file md5:a size:35;", 0 },
	{ "other digests say nothing more", "[file:hashes.MD5 = 'a' AND file:hashes.'SHA-512' = 'b' AND file:hashes.SSDEEP = '3:c']",
	    "file md5:a;", 0 },
	{ "other digests alone", "[file:hashes.'SHA-512' = 'b']", "", 1 },
	{ "an import table's is none of a file", "[file:extensions.'windows-pebinary-ext'.imphash = 'a']", "", 1 },
	{ "nor one of a section's", "[file:extensions.'windows-pebinary-ext'.sections[0].hashes.MD5 = 'a']", "", 1 },
	{ "nor one of what is in it", "[artifact:hashes.MD5 = 'a']", "", 1 },
	{ "a size alone", "[file:size = 35]", "", 1 },
	{ "a name alone", "[file:name = 'x.exe']", "", 1 },
	{ "a size and a name", "[file:name = 'x.exe' AND file:size = 35]", "", 1 },
	{ "a conjunct that would widen", "[domain-name:value = 'a' AND file:size = 1024]", "", 1 },
	{ "in the other order", "[file:hashes.MD5 = 'a' AND domain-name:value = 'a']", "", 1 },
	{ "two hosts at once", "[domain-name:value = 'a' AND domain-name:value = 'b']", "", 1 },
	{ "a host and its address", "[domain-name:value = 'a' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']", "", 1 },
	{ "a port", "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]", "", 1 },
	{ "a folder beside a digest", "[file:hashes.MD5 = 'a' AND file:parent_directory_ref.path = 'C:\\\\']", "", 1 },
	{ "one thing with two values", "[file:hashes.MD5 = 'a' AND file:hashes.MD5 = 'b']", "", 1 },
	{ "one thing with one value twice", "[file:hashes.MD5 = 'a' AND file:hashes.MD5 = 'A']", "file md5:A;", 0 },
	{ "IN", "[domain-name:value IN ('a', 'b','c')]", "host a;host b;host c;", 0 },
	{ "IN with a size", "[file:hashes.MD5 IN ('a', 'b') AND file:size = 7]", "file md5:a size:7;file md5:b size:7;", 0 },
	{ "OR", "[domain-name:value = 'a' OR url:value = 'b' OR file:hashes.MD5 = 'c']", "host a;url b;file md5:c;", 0 },
	{ "an OR of which one cannot be said", "[domain-name:value = 'a' OR file:name = 'b']", "host a;", 1 },
	{ "AND binds closer", "[domain-name:value = 'x' OR file:hashes.MD5 = 'a' AND file:size = 1]", "host x;file md5:a size:1;", 0 },
	{ "parentheses", "[(file:hashes.MD5 = 'a' OR file:hashes.MD5 = 'b') AND (file:size = 1 OR file:size = 2)]",
	    "file md5:a size:1;file md5:a size:2;file md5:b size:1;file md5:b size:2;", 0 },
	{ "parentheses in parentheses", "[((file:hashes.MD5 = 'a') AND ((file:size = 1)))]", "file md5:a size:1;", 0 },
	{ "parentheses and more OR", "[(domain-name:value = 'a' OR domain-name:value = 'b') OR domain-name:value = 'c']",
	    "host a;host b;host c;", 0 },
	{ "an AND within an OR within an AND", "[file:size = 1 AND (file:hashes.MD5 = 'a' AND file:name = 'n' OR file:hashes.SHA1 = 'b')]",
	    "file md5:a size:1 name:n;file sha1:b size:1;", 0 },
	{ "NOT", "[domain-name:value NOT = 'a']", "", 1 },
	{ "NOT IN", "[domain-name:value NOT IN ('a', 'b')]", "", 1 },
	{ "unequal", "[domain-name:value != 'a']", "", 1 },
	{ "unequal in another way", "[domain-name:value <> 'a']", "", 1 },
	{ "greater", "[file:hashes.MD5 = 'a' AND file:size > 7]", "", 1 },
	{ "not less", "[file:hashes.MD5 = 'a' AND file:size >= 7]", "", 1 },
	{ "all below a host", "[domain-name:value LIKE '%.a.example']", "below a.example;", 0 },
	{ "a host and all below it", "[domain-name:value = 'a.example' OR domain-name:value LIKE '%.a.example']", "host a.example;below a.example;", 0 },
	{ "a host that ends so", "[domain-name:value LIKE '%a.example']", "", 1 },
	{ "one of a name's characters", "[domain-name:value LIKE '%.a_b.example']", "", 1 },
	{ "in the midst of a name", "[domain-name:value LIKE '%.a%.example']", "", 1 },
	{ "LIKE of nothing that stands for others", "[domain-name:value LIKE 'a.example']", "", 1 },
	{ "LIKE of nothing", "[domain-name:value LIKE '']", "", 1 },
	{ "LIKE of a number", "[domain-name:value LIKE 7]", "", 1 },
	{ "NOT LIKE", "[domain-name:value NOT LIKE '%.a.example']", "", 1 },
	{ "below two hosts at once", "[domain-name:value LIKE '%.a.example' AND domain-name:value LIKE '%.example']", "", 1 },
	{ "below a host, with its address", "[domain-name:value LIKE '%.a.example' AND ipv4-addr:value = '192.0.2.1']", "", 1 },
	{ "LIKE of a URL", "[url:value LIKE '%.example']", "", 1 },
	{ "MATCHES", "[url:value MATCHES '^http://']", "", 1 },
	{ "ISSUBSET", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "", 1 },
	{ "EXISTS", "[EXISTS file:hashes.MD5]", "", 1 },
	{ "EXISTS beside what could be said", "[file:hashes.MD5 = 'a' AND EXISTS file:name]", "", 1 },
	{ "a number for a name", "[domain-name:value = 7]", "", 1 },
	{ "a size that is none", "[file:hashes.MD5 = 'a' AND file:size = 'x']", "", 1 },
	{ "a negative size", "[file:hashes.MD5 = 'a' AND file:size = -7]", "", 1 },
	{ "a broken size", "[file:hashes.MD5 = 'a' AND file:size = 7.5]", "", 1 },
	{ "bytes", "[file:hashes.MD5 = h'00' AND domain-name:value = b'AA==']", "", 1 },
	{ "true, and a moment", "[x-y:z = true AND x-y:w = t'2026-01-01T00:00:00Z']", "", 1 },
	{ "two brackets", "[domain-name:value = 'a'] AND [domain-name:value = 'b']", "", 1 },
	{ "one after the other", "[domain-name:value = 'a'] FOLLOWEDBY [domain-name:value = 'b']", "", 1 },
	{ "how often", "[domain-name:value = 'a'] REPEATS 5 TIMES WITHIN 60 SECONDS", "", 1 },
	{ "from when", "[domain-name:value = 'a'] START t'2026-01-01T00:00:00Z' STOP t'2027-01-01T00:00:00Z'", "", 1 },
	{ "a parenthesis around brackets", "([domain-name:value = 'a'] OR [domain-name:value = 'b'])", "", 1 },
	{ "a long path", "[file:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 'a']", "", 1 },
	{ "a path that begins as one", "[file:hashes.MD5.x = 'a' OR file:hashes.MD5[0] = 'a' OR domain-name:values = 'a']", "", 3 },
	{ "an empty digest", "[file:hashes.MD5 = '']", "", 1 },
	{ "words in strings", "[url:value = 'a] AND [b OR (']", "url a] AND [b OR (;", 0 },
	{ "beyond what is looked at together", "[file:hashes.MD5='a' AND file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND "
	    "file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND "
	    "file:name='1' AND file:name='1' AND file:name='1' AND file:name='1' AND file:size=1]", "", 1 },
};

static const struct { const char *text, *why; size_t at; } bad[] = {
	{ "", "expected a bracket", 0 }, { "  ", "expected a bracket", 2 }, { "domain-name:value = 'a'", "expected a bracket", 0 },
	{ "[]", "expected an object's property", 1 }, { "[file]", "expected an object's property", 5 },
	{ "[file:]", "expected a property", 6 }, { "[file:size]", "expected a comparison", 10 },
	{ "[file:size ~ 1]", "expected a comparison", 11 }, { "[file:size =]", "expected a value", 12 },
	{ "[file:size = x]", "expected a value", 13 }, { "[file:size = 1", "expected AND, OR or a bracket", 14 },
	{ "[file:size = 1 XOR file:size = 2]", "expected AND, OR or a bracket", 15 },
	{ "[file:name = 'a]", "a string that does not end", 16 }, { "[file:name = 'a\\", "a string that does not end", 16 },
	{ "[file:name = a']", "expected a value", 13 }, { "[(file:size = 1]", "expected AND, OR or a parenthesis", 15 },
	{ "[file:size IN 1]", "expected a parenthesis", 14 }, { "[file:size IN (1]", "expected a comma", 16 },
	{ "[file:size IN ()]", "expected a value", 15 }, { "[file:size = 1] x", "text behind the bracket", 16 },
	{ "[file:size = 1]]", "text behind the bracket", 15 }, { "[file:hashes['MD5 = 'a']", "expected a comparison", 0 },
	{ "[file:hashes[", "a bracket that is not closed", 12 }, { "[file:hashes..MD5 = 'a']", "expected a property", 13 },
	{ "[file:size = 1 and file:size = 2]", "expected AND, OR or a bracket", 15 }, { "[NOT file:size = 1]", "expected an object's", 4 },
};

static void
test_good(struct stix_pattern *p)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct stix_answer answer;
		struct buf got;

		buf_init(&got, ROOM);
		buf_add(&got, "", 0);
		stix_pattern_read(p, guard_copy(slice_str(good[i].text)), show, &got, &answer);
		if (!ok(answer.why == NULL && strcmp(got.p, good[i].said) == 0 && answer.unsaid == good[i].unsaid, "%s", good[i].idea))
			printf("# %s, %u unsaid, %s at %zu\n", got.p, answer.unsaid, answer.why != NULL ? answer.why : "", answer.at);
		buf_fini(&got);
	}
}

static void
test_bad(struct stix_pattern *p)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stix_answer answer;
		struct buf got;

		buf_init(&got, ROOM);
		stix_pattern_read(p, guard_copy(slice_str(bad[i].text)), show, &got, &answer);
		if (!ok(got.len == 0 && answer.why != NULL && strstr(answer.why, bad[i].why) != NULL &&
		    (answer.at == bad[i].at || bad[i].at == 0), "no pattern: %s", bad[i].text))
			printf("# %s at %zu\n", answer.why != NULL ? answer.why : "no reason", answer.at);
		buf_fini(&got);
	}
}

static int
stop(void *arg, const struct stix_alternative *a)
{
	(void)a;
	return ++*(unsigned *)arg == 3 ? 42 : 0;
}

/* "[" HEAD, N times ONE with JOIN between, TAIL "]". */
static struct slice
repeat(struct buf *b, const char *head, const char *one, const char *join, unsigned n, const char *tail)
{
	buf_reset(b);
	buf_add_strs(b, "[", head, NULL);
	for (unsigned i = 0; i < n; i++)
		buf_add_strs(b, i > 0 ? join : "", one, NULL);
	buf_add_strs(b, tail, "]", NULL);
	return buf_slice(b);
}

static int
count(void *arg, const struct stix_alternative *a)
{
	(void)a;
	++*(unsigned *)arg;
	return 0;
}

/* Whatever the pattern is, it ends soon. */
static void
test_bounds(struct stix_pattern *p)
{
	struct stix_answer answer;
	struct buf b;
	unsigned n = 0;

	buf_init(&b, 1 << 20);
	ok(stix_pattern_read(p, SLICE("[domain-name:value IN ('a','b','c','d')]"), stop, &n, &answer) == 42 && n == 3, "the visitor stops it");
	n = 0;
	stix_pattern_read(p, repeat(&b, "url:value IN (", "'a'", ",", 10000, ")"), count, &n, &answer);
	ok(n == 10000 && answer.why == NULL && answer.unsaid == 0, "a long list of values");
	n = 0;
	stix_pattern_read(p, repeat(&b, "", "url:value='a'", " OR ", 1300, ""), count, &n, &answer);
	ok(n == 1300 && answer.why == NULL, "a long OR");
	n = 0;
	stix_pattern_read(p, repeat(&b, "", "(file:hashes.MD5='a' OR file:hashes.MD5='b' OR file:size=1 OR file:size=1)", " AND ", 16, ""), count, &n,
	    &answer);
	ok(answer.why == NULL && answer.unsaid > 0, "four to the sixteenth alternatives are too many");
	stix_pattern_read(p, repeat(&b, "", "(", "", 40, ""), count, &n, &answer);
	ok(answer.why != NULL && strcmp(answer.why, "too many parentheses") == 0, "forty parentheses");
	stix_pattern_read(p, repeat(&b, "", "a:b=1", " OR ", 5000, ""), count, &n, &answer);
	ok(answer.why != NULL && strcmp(answer.why, "too many comparisons") == 0, "five thousand comparisons");
	stix_pattern_read(p, repeat(&b, "", "x", "", STIX_PATTERN_MAX, ""), count, &n, &answer);
	ok(answer.why != NULL && strcmp(answer.why, "the pattern is too long") == 0, "a long pattern");
	stix_pattern_read(p, repeat(&b, "a:b IN (", "1", ",", 20000, ")"), count, &n, &answer);
	ok(answer.why != NULL && strcmp(answer.why, "too many values") == 0, "twenty thousand values");
	buf_fini(&b);
}

/* ---- random patterns, beside what they mean ---- */

enum { ATOMS = 7, WORLDS = 64, PATTERNS = 3000, DEPTH = 4 };

/* A file, a host, and something that no rule knows; each of two values, by a bit. */
enum atom { ATOM_MD5, ATOM_SHA256, ATOM_SIZE, ATOM_NAME, ATOM_HOST, ATOM_URL, ATOM_OTHER };

static const char *const atoms[ATOMS] = { "file:hashes.MD5", "file:hashes.'SHA-256'", "file:size", "file:name", "domain-name:value",
	"url:value", "file:mtime" };

static uint64_t random_state = 88172645463325252ULL;

static unsigned
below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % n);
}

/* A comparison into OUT, and in which of the worlds it holds: bit W of the result is world W, whose bit A is atom A's value. */
static uint64_t
make_atom(struct buf *out)
{
	unsigned a = below(ATOMS), value = below(2), form = below(6);
	uint64_t holds = 0;

	for (unsigned w = 0; w < WORLDS; w++)
		/* Seven atoms and 64 worlds: the last one is what the first and the fourth are not both. */
		if ((a == ATOM_OTHER ? (w & 1) ^ (w >> 3 & 1) : w >> a & 1) == value)
			holds |= UINT64_C(1) << w;
	if (form == 0) {
		buf_addf(out, "%s IN ('0', '1')", atoms[a]);
		return UINT64_MAX;
	}
	if (form == 1) {
		buf_addf(out, "%s NOT = '%u'", atoms[a], value);
		return ~holds;
	}
	if (form == 2) {
		buf_addf(out, "%s != '%u'", atoms[a], value);
		return ~holds;
	}
	buf_addf(out, "%s = '%u'", atoms[a], value);
	return holds;
}

static uint64_t
make_pattern(struct buf *out, unsigned depth)
{
	unsigned n = 1 + below(3);
	bool all = below(2) == 0;
	uint64_t holds = all ? UINT64_MAX : 0;

	if (depth == 0 || below(3) == 0)
		return make_atom(out);
	buf_add_char(out, '(');
	for (unsigned i = 0; i < n; i++) {
		uint64_t one;

		buf_add_str(out, i == 0 ? "" : all ? " AND " : " OR ");
		one = make_pattern(out, depth - 1);
		holds = all ? holds & one : holds | one;
	}
	buf_add_char(out, ')');
	return holds;
}

/* The worlds in which A, whose values are digits, says that something is there. */
static int
note_worlds(void *arg, const struct stix_alternative *a)
{
	const struct slice said[ATOMS] = { [ATOM_MD5] = a->hex[DIGEST_MD5], [ATOM_SHA256] = a->hex[DIGEST_SHA256], [ATOM_SIZE] = a->size,
		[ATOM_NAME] = a->name, [ATOM_HOST] = a->kind == STIX_HOST ? a->value : SLICE(""),
		[ATOM_URL] = a->kind == STIX_URL ? a->value : SLICE("") };
	uint64_t *holds = arg;

	for (unsigned w = 0; w < WORLDS; w++) {
		bool fits = true;

		for (unsigned i = 0; i < ATOMS; i++)
			fits = fits && (said[i].len == 0 || (unsigned)(said[i].p[0] - '0') == (w >> i & 1));
		if (fits)
			*holds |= UINT64_C(1) << w;
	}
	return 0;
}

/* No alternative holds where the pattern does not; and when all can be said, one holds wherever the pattern does. */
static void
test_meaning(struct stix_pattern *p)
{
	unsigned wider = 0, narrower = 0, none = 0, said = 0;
	struct buf text;

	buf_init(&text, STIX_PATTERN_MAX);
	for (unsigned i = 0; i < PATTERNS; i++) {
		struct stix_answer answer;
		uint64_t meant, found = 0;

		buf_reset(&text);
		buf_add_char(&text, '[');
		meant = make_pattern(&text, DEPTH);
		buf_add_char(&text, ']');
		stix_pattern_read(p, buf_slice(&text), note_worlds, &found, &answer);
		none += answer.why != NULL;
		said += answer.unsaid == 0 && found != 0;
		wider += (found & ~meant) != 0;
		narrower += answer.unsaid == 0 && found != meant;
	}
	ok(none == 0, "%u random patterns are patterns", PATTERNS);
	ok(wider == 0, "none is made wider (%u are)", wider);
	ok(narrower == 0 && said > PATTERNS / 50, "and what can be said whole (%u) is not made narrower (%u are)", said, narrower);
	buf_fini(&text);
}

int
main(void)
{
	struct stix_pattern *p = stix_pattern_new();

	test_good(p);
	test_bad(p);
	test_bounds(p);
	test_meaning(p);
	stix_pattern_free(p);
	stix_pattern_free(NULL);
	return tap_done();
}
