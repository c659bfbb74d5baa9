/* Path patterns: their canonical form, what holds, which literal a pattern has; the table of them against a plain search, from
 * several threads, and in files that were damaged.  The plain search asks PCRE2 itself. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/file.h"
#include "t/tap.h"
#include "url_rules/path_patterns.h"
#include "url_rules/pattern_format.h"

enum { MATCHES_MAX = PATTERNS_MAX };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char *folder;

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- canonical form ---- */

/* CANONICAL is NULL for a pattern that is refused, with PART of the reason at byte AT. */
struct form_row {
	const char	*idea, *text;
	bool		 everywhere;
	const char	*canonical;
	size_t		 at;
	const char	*part;
};

static const struct form_row forms[] = {
	{ "a glob", "/mail/id=*-patch*.exe", true, "/mail/id=*-patch*.exe", 0, NULL },
	{ "no star", "/setup.exe", true, "/setup.exe", 0, NULL },
	{ "stars side by side", "/a**b/***", false, "/a*b/*", 0, NULL },
	{ "an escaped letter", "/%7euser/*", true, "/~user/*", 0, NULL },
	{ "an escape in lower case", "/caf%c3%a9*", true, "/caf%C3%A9*", 0, NULL },
	{ "a byte that has to be escaped", "/caf\xc3\xa9 x*", true, "/caf%C3%A9%20x*", 0, NULL },
	{ "escaped twice", "/%2541bcd*", true, "/Abcd*", 0, NULL },
	{ "a percent sign", "/100%25*", true, "/100%25*", 0, NULL },
	{ "an escaped ? in a path", "/what%3f*", true, "/what%3F*", 0, NULL },
	{ "an escaped ? in a query", "/what?x=%3f*", true, "/what?x=?*", 0, NULL },
	{ "a query", "/*?id=1234", true, "/*?id=1234", 0, NULL },
	{ "slashes in a query", "/go?u=http://*", true, "/go?u=http://*", 0, NULL },
	{ "slashes behind a star, which may be in a query", "/go*http://x", true, "/go*http://x", 0, NULL },
	{ "dots behind a star", "/a*/../b*", true, "/a*/../b*", 0, NULL },
	{ "dots before a star", "/abc/..*", true, "/abc/..*", 0, NULL },
	{ "dots in a name", "/a..b/.c/d", true, "/a..b/.c/d", 0, NULL },
	{ "an empty segment", "/a//b*", true, NULL, 3, "empty segment" },
	{ "an empty segment first", "//b*", true, NULL, 1, "empty segment" },
	{ "an escaped slash", "/a/%2fb*", true, NULL, 3, "empty segment" },
	{ "a dot", "/a/./b*", true, NULL, 3, "empty segment, \".\"" },
	{ "two dots at the end", "/abcd/..", true, NULL, 6, "empty segment" },
	{ "two dots before a query", "/abcd/..?x", true, NULL, 6, "empty segment" },
	{ "a backslash", "/a\\b*", true, NULL, 2, "has / for" },
	{ "a backslash in a query", "/a?b=c\\d*", true, "/a?b=c\\d*", 0, NULL },
	{ "a fragment", "/abcd#x", true, NULL, 5, "no request has a fragment" },
	{ "an escaped #", "/abcd%23x", true, "/abcd%23x", 0, NULL },
	{ "a lone percent sign", "/abcd%*", true, NULL, 5, "a % stands before two" },
	{ "a percent sign at the end", "/abcd%4", true, NULL, 5, "a % stands before two" },
	{ "an escaped star", "/abcd%2a", true, NULL, 5, "* cannot be escaped" },
	{ "a star, escaped twice", "/abcd?x=%252A", true, NULL, 8, "* cannot be escaped" },
	{ "nothing", "", true, NULL, 0, "a pattern begins with /" },
	{ "no slash", "abcd*", true, NULL, 0, "a pattern begins with /" },
	{ "only a star", "*", true, NULL, 0, "a pattern begins with /" },
	{ "all of a host", "/*", false, "/*", 0, NULL },
	{ "everything", "/*", true, NULL, 0, "4 bytes side by side" },
	{ "three bytes", "/ab*.gz*", true, NULL, 0, "4 bytes side by side" },
	{ "four bytes", "/*.exe", true, "/*.exe", 0, NULL },
	{ "a regular expression", "~-patch[0-9]+\\.exe$", true, "~-patch[0-9]+\\.exe$", 0, NULL },
	{ "one without a literal, for a host", "~^/[a-z]+$", false, "~^/[a-z]+$", 0, NULL },
	{ "one without a literal", "~^/[a-z]+$", true, NULL, 0, "4 plain characters" },
	{ "alternatives", "~/abcd|/efgh", true, NULL, 0, "4 plain characters" },
	{ "alternatives in a group", "~/abcd(x|y)", true, "~/abcd(x|y)", 0, NULL },
	{ "a literal in a group only", "~(abcd)", true, NULL, 0, "4 plain characters" },
	{ "an empty one", "~", true, NULL, 0, "nothing behind the ~" },
	{ "a parenthesis that is not closed", "~abcd(x", true, NULL, 7, "missing closing parenthesis" },
	{ "a class that is not closed", "~abcd[x", true, NULL, 7, "missing terminating ]" },
	{ "nothing to repeat", "~abcd(|*x)", true, NULL, 7, "quantifier does not follow" },
	{ "an unknown escape", "~abcd\\y", true, NULL, 6, "unrecognized character follows" },
	{ "UTF mode", "~(*UTF)abcd", false, NULL, 7, "using UTF is disabled" },
	{ "single bytes out of UTF", "~abcd\\C", true, NULL, 7, "\\C is disabled" },
};

static void
test_forms(void)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct form_row *row = &forms[i];
		char out[PATTERN_MAX], again[PATTERN_MAX], why[PATTERN_WHY] = "";
		size_t len = 0, len_again = 0, at = 0;
		int r = pattern_canonical(guard_copy(slice_str(row->text)), row->everywhere, out, &len, why, &at);

		if (row->canonical == NULL) {
			if (!ok(r == -1 && at == row->at && strstr(why, row->part) != NULL, "refused: %s", row->idea))
				printf("# got %d, %zu %s\n", r, at, why);
			continue;
		}
		if (!ok(r == 0, "taken: %s: %s", row->idea, why))
			continue;
		is_slice(slice_make(out, len), slice_str(row->canonical), row->idea);
		ok(pattern_canonical(slice_make(out, len), row->everywhere, again, &len_again, why, &at) == 0 &&
		    slice_eq(slice_make(out, len), slice_make(again, len_again)), "canonical stays so: %s", row->idea);
	}
}

static void
test_lengths(void)
{
	static char text[4 * PATTERN_MAX], out[PATTERN_MAX];
	char why[PATTERN_WHY];
	size_t len, at;

	memset(text, 'a', sizeof(text));
	text[0] = '/';
	ok(pattern_canonical(slice_make(text, PATTERN_MAX), true, out, &len, why, &at) == 0 && len == PATTERN_MAX, "the longest glob");
	ok(pattern_canonical(slice_make(text, PATTERN_MAX + 1), true, out, &len, why, &at) == -1, "one byte more");
	ok(pattern_canonical(slice_make(text, sizeof(text)), true, out, &len, why, &at) == -1, "many more");
	text[PATTERN_MAX - 1] = ' ';
	ok(pattern_canonical(slice_make(text, PATTERN_MAX), true, out, &len, why, &at) == -1, "too long once escaped");
	text[0] = '~';
	ok(pattern_canonical(slice_make(text, PATTERN_MAX), true, out, &len, why, &at) == 0 && len == PATTERN_MAX,
	    "the longest regular expression");
	ok(pattern_canonical(slice_make(text, PATTERN_MAX + 1), true, out, &len, why, &at) == -1, "one byte more");
	text[7] = '\0';
	ok(pattern_canonical(slice_make(text, PATTERN_MAX), true, out, &len, why, &at) == -1 && at == 7, "a NUL");
}

/* ---- globs ---- */

static const struct { const char *glob, *path; bool holds; } globs[] = {
	{ "/a", "/a", true }, { "/a", "/ab", false }, { "/a", "/", false }, { "/a*", "/a", true }, { "/a*", "/abc?d", true },
	{ "/a*", "/b", false }, { "/*.exe", "/x.exe", true }, { "/*.exe", "/x.exe?y", false }, { "/*.exe*", "/x.exe?y", true },
	{ "/*.exe", "/.exe", true }, { "/*.exe", "/.ex", false }, { "/a*a", "/a", false }, { "/a*a", "/aa", true },
	{ "/*ab*ab", "/ab", false }, { "/*ab*ab", "/abab", true }, { "/*ab*ab*", "/xabxabx", true }, { "/*?x=*", "/a/b?x=1", true },
	{ "/*?x=*", "/a/b&x=1", false }, { "/*x*y*z", "/xyz", true }, { "/*x*y*z", "/xzy", false }, { "/*", "/", true },
	{ "/mail/id=*-patch*.exe", "/mail/id=joe@betterbricks.com-patch121.exe", true },
	{ "/mail/id=*-patch*.exe", "/mail/id=joe@betterbricks.com-Patch121.exe", false },
	{ "/*aaab", "/aaaaaaaaaaaaaab", true }, { "/a.c", "/abc", false }, { "/[ab]", "/a", false },
};

/* The meaning of a glob, as one would say it. */
static bool
slow_glob(struct slice glob, struct slice s)
{
	if (glob.len == 0)
		return s.len == 0;
	if (glob.p[0] == '*')
		return slow_glob(slice_skip(glob, 1), s) || (s.len > 0 && slow_glob(glob, slice_skip(s, 1)));
	return s.len > 0 && s.p[0] == glob.p[0] && slow_glob(slice_skip(glob, 1), slice_skip(s, 1));
}

static void
random_text(uint64_t *state, const char *alphabet, size_t max, char *out)
{
	size_t n = next_number(state) % max;

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[next_number(state) % strlen(alphabet)];
	out[n] = '\0';
}

static void
test_globs(void)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	size_t wrong = 0, held = 0;

	for (size_t i = 0; i < COUNT(globs); i++)
		ok(glob_match(guard_copy(slice_str(globs[i].glob)), guard_copy(slice_str(globs[i].path))) == globs[i].holds, "%s: %s %s",
		    globs[i].holds ? "holds" : "does not hold", globs[i].glob, globs[i].path);
	for (size_t i = 0; i < 200000; i++) {
		char glob[12], path[16];
		bool holds;

		random_text(&state, "ab*", sizeof(glob), glob);
		random_text(&state, "ab", sizeof(path), path);
		holds = slow_glob(slice_str(glob), slice_str(path));
		held += holds;
		wrong += holds != glob_match(slice_str(glob), slice_str(path));
	}
	ok(wrong == 0 && held > 10000, "random globs: %zu hold, %zu are wrong", held, wrong);
}

/* ---- regular expressions ---- */

static const struct { const char *text, *literal; } literals[] = {
	{ "~-patch[0-9]+\\.exe$", "-patch" }, { "~^/wp-content/(uploads|cache)/.*\\.php$", "/wp-content/" },
	{ "~(?i)Setup\\.EXE", "Setup.EXE" }, { "~abc?d", "ab" }, { "~abc*d", "ab" }, { "~abc+d", "abc" }, { "~abc{0}de", "ab" },
	{ "~abc{2,}?de", "ab" }, { "~abc++de", "abc" }, { "~abcd|x", "" }, { "~abcd(?i)x", "" }, { "~abcd(?x) # (\n", "" },
	{ "~a\\Qbcd", "" }, { "~abcd\\x41", "" }, { "~abcd\\x{41}", "" }, { "~abcd\\1(x)", "" }, { "~\\d\\dabcd\\b", "abcd" },
	{ "~[]abcd]efgh", "efgh" }, { "~[^]abcd]efgh", "efgh" }, { "~[\\]abcd]efgh", "efgh" }, { "~[[:alpha:]]efgh", "" },
	{ "~(a(b[)]c)\\))efgh", "efgh" }, { "~(?=abcd)efg", "efg" }, { "~(?!abcd)efg", "efg" }, { "~(?#ab)cd)efg", "" },
	{ "~(*COMMIT)abcd", "" }, { "~abcd(*ACCEPT)efghi", "" }, { "~(ab\\c)cd)efgh", "" }, { "~(ab\\x29cd)efgh", "efgh" },
	{ "~[\\x5d\\]]+efgh", "efgh" }, { "~a{x", "" }, { "~\\Aabcd\\z", "abcd" }, { "/abc*defgh*ij", "defgh" }, { "/*", "/" },
	{ "~(?i:abcd)efgh", "" }, { "~(?:abcd)efgh", "efgh" }, { "~(?<n>ab)\\k<n>efgh", "" }, { "~abc(d)?efgh", "efgh" },
};

static void
test_literals(void)
{
	for (size_t i = 0; i < COUNT(literals); i++) {
		char out[PATTERN_MAX];

		is_slice(slice_make(out, pattern_literal(guard_copy(slice_str(literals[i].text)), out)), slice_str(literals[i].literal),
		    literals[i].text);
	}
}

/* What PCRE2 itself says, without our limits. */
static bool
plain_regex(struct slice text, struct slice path)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	PCRE2_SIZE at;
	int error, found;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.p + 1, text.len - 1, PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);

	if (code == NULL || data == NULL)
		abort();
	found = pcre2_match(code, (PCRE2_SPTR)path.p, path.len, 0, 0, data, NULL);
	pcre2_code_free(code);
	pcre2_match_data_free(data);
	return found >= 0;
}

/* Random expressions: whatever holds has the literal, and holds for PCRE2 too. */
static void
test_random_regexes(void)
{
	static const char *const parts[] = { "a", "b", "a", "b", "ab", "c", ".", "a?", "b*", "c+", "a{2}", "(ab)?", "(a|b)", "[ab]", "[^a]",
		"\\w", "\\.", "^", "$", "(?:b|ca)*", "(?=b)", "(?!ab)", "(?<=a)", "[]b]", "[\\]a]", "a{0,1}", "b+?", "\\x61", "(b\\)|a)", "|" };
	uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
	size_t compiled = 0, held = 0, wrong = 0, lied = 0, with_literal = 0;

	for (size_t i = 0; i < 20000; i++) {
		char text[128] = "~", literal[PATTERN_MAX], why[PATTERN_WHY];
		size_t n = next_number(&state) % 7 + 1, len = 1, at;
		struct regex *r;

		if (next_number(&state) % 8 == 0)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "(?i)");
		for (size_t j = 0; j < n; j++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", parts[next_number(&state) % COUNT(parts)]);
		if ((r = regex_compile(slice_make(text, len), why, &at)) == NULL)
			continue;
		compiled++;
		n = pattern_literal(slice_make(text, len), literal);
		with_literal += n > 0;
		for (size_t j = 0; j < 8; j++) {
			char path[16];
			bool holds;

			random_text(&state, j % 2 ? "abc" : "abcAB.)]", sizeof(path), path);
			holds = plain_regex(slice_make(text, len), slice_str(path));
			held += holds;
			wrong += regex_match(r, slice_str(path)) != (holds ? REGEX_YES : REGEX_NO);
			lied += holds && n > 0 && slice_isearch(slice_str(path), slice_make(literal, n)) == strlen(path);
		}
		regex_free(r);
	}
	ok(compiled > 10000 && held > 10000 && with_literal > 5000 && wrong == 0, "%zu random expressions, %zu answers yes, %zu wrong",
	    compiled, held, wrong);
	ok(lied == 0, "%zu have a literal, which is missing in %zu paths that match", with_literal, lied);
}

/* Expressions that would take for ever, and long paths. */
static void
test_limits(void)
{
	static const struct { const char *text; size_t len; enum regex_result result; } rows[] = {
		{ "~^/(a+)+$", 100, REGEX_UNCHECKED }, { "~(a|aa)+$", 60, REGEX_UNCHECKED },
		{ "~a.*a.*a.*[bc]", 4000, REGEX_UNCHECKED }, { "~/(?:a|b)*!", 8000, REGEX_YES },
		{ "~/a+!$", 100000, REGEX_YES }, { "~^/.*!", 100000, REGEX_YES }, { "~/a*b*!", 100000, REGEX_YES },
		{ "~zz", 100000, REGEX_NO },
		{ "~a.*!", 2000, REGEX_YES }, { "~^b", 100000, REGEX_NO }, { "~((a)(?1)?)!", 1000, REGEX_YES },
	};
	static char path[100002];

	for (size_t i = 0; i < COUNT(rows); i++) {
		char why[PATTERN_WHY] = "";
		size_t at;
		struct regex *r = regex_compile(slice_str(rows[i].text), why, &at);
		struct timespec from, to;
		enum regex_result result;

		memset(path, 'a', sizeof(path));
		path[0] = '/';
		path[rows[i].len] = '!';
		clock_gettime(CLOCK_MONOTONIC, &from);
		result = r != NULL ? regex_match(r, slice_make(path, rows[i].len + 1)) : REGEX_NO;
		clock_gettime(CLOCK_MONOTONIC, &to);
		ok(r != NULL && result == rows[i].result, "%s on %zu bytes: %d %s", rows[i].text, rows[i].len, result, why);
		printf("# %.1f ms\n", (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
		regex_free(r);
	}
	regex_free(NULL);
}

/* ---- tables ---- */

struct rule {
	enum host_scope	 scope;
	const char	*host, *pattern;
	uint32_t	 ref;
};

static const struct rule rules[] = {
	{ SCOPE_EXACT, "", "/mail/id=*-patch*.exe", 1 },
	{ SCOPE_EXACT, "", "~-patch[0-9]+\\.exe$", 2 },
	{ SCOPE_BELOW, "example.com", "/wp-content/*.exe", 3 },
	{ SCOPE_DOMAIN, "example.com", "/wp-content/*", 4 },
	{ SCOPE_EXACT, "example.com", "/*", 5 },
	{ SCOPE_EXACT, "www.example.com", "~^/[a-z]+$", 6 },
	{ SCOPE_EXACT, "192.0.2.7", "/*", 7 },
	{ SCOPE_DOMAIN, "2.7", "/*", 8 },
	{ SCOPE_EXACT, "[2001:db8::7]", "/x*", 9 },
	{ SCOPE_EXACT, "", "/*.EXE", 10 },
	{ SCOPE_EXACT, "", "~(?i)setup\\.exe$", 11 },
	{ SCOPE_EXACT, "", "/mail/id=*-patch*.exe", 12 },
	{ SCOPE_EXACT, "", "/mail/id=*-patch*.exe", 1 },
	{ SCOPE_EXACT, "", "/*patch*.exe", 13 },
	{ SCOPE_EXACT, "limits.example", "~^/(a+)+$", 14 },
	{ SCOPE_DOMAIN, "example", "/y*", 15 },
};
enum { RULES = COUNT(rules), REPEATED = 1 };

#define LIMITS "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"

static const struct row { const char *idea, *host, *path, *refs; bool unchecked; } rows[] = {
	{ "nothing", "a.example.org", "/index.html", "", false },
	{ "longest patterns first", "a.example.net", "/mail/id=x@y-patch121.exe", "1 12 2 13", false },
	{ "letters count", "a.example.net", "/mail/id=x@y-Patch121.exe", "", false },
	{ "a regular expression may hold for a part", "a.example.net", "/x/-patch1.exe", "2 13", false },
	{ "a glob must hold for all", "a.example.net", "/mail/id=x@y-patch121.exe?z", "", false },
	{ "capitals", "a.example.net", "/x.EXE", "10", false },
	{ "an expression without case", "a.example.net", "/x/SetUp.eXe", "11", false },
	{ "the same, and capitals", "a.example.net", "/SETUP.EXE", "11 10", false },
	{ "below, and the domain", "www.example.com", "/wp-content/a.exe", "3 4", false },
	{ "the host itself", "example.com", "/wp-content/a.exe", "4 5", false },
	{ "further below", "a.b.example.com", "/wp-content/a.exe", "3 4", false },
	{ "a host that ends like it", "myexample.com", "/wp-content/a.exe", "", false },
	{ "longer hosts first, those for all last", "www.example.com", "/wp-content/-patch1.exe", "3 4 2 13", false },
	{ "an expression of one host", "www.example.com", "/abc", "6", false },
	{ "not of another", "www2.example.com", "/abc", "", false },
	{ "an address", "192.0.2.7", "/a", "7", false },
	{ "an IPv6 address", "[2001:db8::7]", "/xy", "9", false },
	{ "the limit", "limits.example", LIMITS, "", true },
	{ "not there", "other.example", LIMITS, "", false },
	{ "a top-level domain", "a.b.c.example", "/yz", "15", false },
	{ "the shortest path", "example.com", "/", "5", false },
	{ "no path", "a.example.net", "", "", false },
	{ "no host", "", "/x.EXE", "10", false },
};

static char *
new_path(void)
{
	static unsigned n;
	char *path = NULL;

	if (asprintf(&path, "%s/%u.seg", folder, n++) == -1)
		abort();
	return path;
}

static void
add(struct pattern_builder *b, const struct rule *rule)
{
	struct pattern_match m = { .ref = rule->ref, .scope = rule->scope, .host = slice_str(rule->host),
		.pattern = slice_str(rule->pattern) };

	if (pattern_builder_add(b, &m) == -1)
		abort();
}

/* The bytes of the segment that B writes; the caller frees them. */
static struct slice
image_of(struct pattern_builder *b)
{
	uint8_t sum[SEGMENT_SHA256];
	char *path = new_path();
	struct diag diag = { 0 };
	struct buf image;
	uint64_t len;

	buf_init(&image, SIZE_MAX / 2);
	if (b == NULL || pattern_builder_write(b, path, &len, sum, &diag) == -1 || file_read(path, &image) == -1 || image.len != len) {
		diag_print(&diag, stdout);
		abort();
	}
	unlink(path);
	free(path);
	pattern_builder_free(b);
	return buf_slice(&image);
}

static struct slice
rules_image(size_t n, bool backwards)
{
	struct pattern_builder *b = pattern_builder_new();

	for (size_t i = 0; i < n; i++)
		add(b, &rules[backwards ? n - 1 - i : i]);
	return image_of(b);
}

/* A table over IMAGE; NULL when it is refused.  It keeps nothing of the segment. */
static struct path_patterns *
table_of(struct slice image, struct diag *diag)
{
	struct segment *segment = segment_open_bytes("test", image.p, image.len, SEGMENT_PATTERNS, diag);
	struct path_patterns *t = segment == NULL ? NULL : path_patterns_open(segment, diag);

	segment_close(segment);
	return t;
}

static size_t
ask(const struct path_patterns *t, const char *host, const char *path, struct pattern_match *out, size_t max, bool *unchecked)
{
	struct url url = { .host = slice_str(host), .path_query = slice_str(path) };

	url.kind = host[0] == '[' ? HOST_IPV6 : host[0] != '\0' && ascii_is_digit(host[strlen(host) - 1]) ? HOST_IPV4 : HOST_NAME;
	return path_patterns_match(t, &url, out, max, unchecked);
}

static void
test_rows(const struct path_patterns *t)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct pattern_match m[MATCHES_MAX];
		bool unchecked = false;
		struct buf refs;
		size_t n;

		buf_init(&refs, 4096);
		buf_add_str(&refs, "");
		n = ask(t, rows[i].host, rows[i].path, m, MATCHES_MAX, &unchecked);
		for (size_t j = 0; j < n; j++)
			buf_addf(&refs, "%s%u", j > 0 ? " " : "", m[j].ref);
		is_slice(buf_slice(&refs), slice_str(rows[i].refs), rows[i].idea);
		ok(unchecked == rows[i].unchecked, "%s: %s", rows[i].idea, rows[i].unchecked ? "could not check" : "was checked");
		buf_fini(&refs);
	}
}

static bool
is_wanted(const void *arg, uint32_t ref)
{
	return ref == *(const uint32_t *)arg;
}

/* Who does not count is not asked, so that it cannot be unchecked either. */
static void
test_some(const struct path_patterns *t)
{
	struct url mail = { .kind = HOST_NAME, .host = SLICE("a.example.net"), .path_query = SLICE("/mail/id=x@y-patch121.exe") };
	struct url limits = { .kind = HOST_NAME, .host = SLICE("limits.example"), .path_query = SLICE(LIMITS) };
	struct pattern_match m[MATCHES_MAX];
	const uint32_t two = 2, limit = 14;
	bool unchecked = false;

	ok(path_patterns_match_some(t, &mail, is_wanted, &two, m, MATCHES_MAX, &unchecked) == 1 && m[0].ref == 2, "one of four counts");
	ok(path_patterns_match_some(t, &limits, is_wanted, &two, m, MATCHES_MAX, &unchecked) == 0 && !unchecked,
	    "an expression that does not count reaches no limit");
	ok(path_patterns_match_some(t, &limits, is_wanted, &limit, m, MATCHES_MAX, &unchecked) == 0 && unchecked, "one that counts does");
}

/* M is the rule of RULES that it says it is. */
static bool
is_rule(const struct pattern_match *m)
{
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].ref == m->ref)
			return rules[i].scope == m->scope && slice_eq(m->host, slice_str(rules[i].host)) &&
			    slice_eq(m->pattern, slice_str(rules[i].pattern));
	return false;
}

static void
test_iterating(const struct path_patterns *t)
{
	struct pattern_match m[3] = { { .ref = 0 } }, last = m[0];
	bool known = true, ordered = true, unchecked = false;
	size_t n = path_patterns_count(t);

	is_int((long long)n, RULES - REPEATED, "rules stored");
	is_int((long long)path_patterns_lost(t), 0, "none lost");
	for (size_t i = 0; i < n; i++) {
		known = known && path_patterns_at(t, i, m) == 0 && is_rule(m);
		ordered = ordered && (i == 0 || pattern_cmp(&last, m) < 0);
		last = m[0];
	}
	ok(known && ordered && path_patterns_at(t, n, m) == -1, "all of them, in order, and no more");
	m[2].ref = 99;
	ok(ask(t, "a.example.net", "/mail/id=x@y-patch121.exe", m, 2, &unchecked) == 4 && m[1].ref == 12 && m[2].ref == 99,
	    "counts past what is stored");
	ok(ask(t, "a.example.net", "/mail/id=x@y-patch121.exe", NULL, 0, &unchecked) == 4, "asked only how many");
}

/* ---- the compiler ---- */

static void
test_order(struct slice image)
{
	struct slice other = rules_image(RULES, true);

	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free((char *)(uintptr_t)other.p);
	other = rules_image(RULES - 1, false);
	ok(!slice_eq(image, other), "other rules, another file");
	free((char *)(uintptr_t)other.p);
}

static void
test_refused(void)
{
	static char long_host[HOST_MAX + 1], long_pattern[PATTERN_MAX + 1];
	const struct pattern_match bad[] = {
		{ .host = slice_make(long_host, sizeof(long_host)), .pattern = SLICE("/abcd") },
		{ .pattern = slice_make(long_pattern, sizeof(long_pattern)) }, { .pattern = SLICE("") },
		{ .pattern = SLICE("/abcd"), .scope = SCOPE_BELOW }, { .host = SLICE("a"), .pattern = SLICE("/"), .scope = 3 },
	};
	static const char *const uncanonical[] = { "/%41bcd", "/a**bcde", "abcd", "/*", "~ab(", "~[ab]", "~" };
	struct pattern_builder *b = pattern_builder_new();
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;

	for (size_t i = 0; i < COUNT(bad); i++) {
		errno = 0;
		ok(pattern_builder_add(b, &bad[i]) == -1 && errno == ERANGE, "impossible rule %zu", i);
	}
	for (uint32_t i = 0; i < COUNT(uncanonical); i++)
		add(b, &(struct rule){ SCOPE_EXACT, "", uncanonical[i], i });
	ok(pattern_builder_write(b, "/nonexistent/x", &len, sum, &diag) == -1 && diag.n_errors == COUNT(uncanonical),
	    "patterns that are not canonical: %zu errors", diag.n_errors);
	diag_fini(&diag);
	pattern_builder_free(b);
	b = pattern_builder_new();
	ok(pattern_builder_write(b, "/nonexistent/x", &len, sum, &diag) == -1 && diag.n_errors == 1, "a folder that is not there");
	diag_fini(&diag);
	pattern_builder_free(b);
	pattern_builder_free(NULL);
	path_patterns_close(NULL);
}

/* Whether N patterns made with FORMAT, of a number, can be written; at most one error. */
static bool
fits(const char *before, const char *after, size_t n)
{
	struct pattern_builder *b = pattern_builder_new();
	uint8_t sum[SEGMENT_SHA256];
	char *path = new_path();
	struct diag diag = { 0 };
	uint64_t len;
	int r;

	for (uint32_t i = 0; i < n; i++) {
		char pattern[64];

		snprintf(pattern, sizeof(pattern), "%s%u%s", before, i, after);
		add(b, &(struct rule){ SCOPE_EXACT, "", pattern, i });
	}
	r = pattern_builder_write(b, path, &len, sum, &diag);
	unlink(path);
	free(path);
	pattern_builder_free(b);
	if (r == -1 && diag.n_errors != 1)
		abort();
	diag_fini(&diag);
	return r == 0;
}

static void
test_numbers(void)
{
	ok(fits("/evil-", "*.exe", PATTERNS_MAX), "as many patterns as there may be");
	ok(!fits("/evil-", "*.exe", PATTERNS_MAX + 1), "one more");
	ok(fits("~evil-", ".*\\.exe", PATTERN_REGEXES_MAX), "as many regular expressions as there may be");
	ok(!fits("~evil-", ".*\\.exe", PATTERN_REGEXES_MAX + 1), "one more");
}

static void
test_empty(void)
{
	struct slice image = image_of(pattern_builder_new());
	struct path_patterns *t = table_of(image, NULL);
	struct pattern_match m[1];
	bool unchecked = false;

	ok(t != NULL && ask(t, "example.com", "/x.exe", m, 1, &unchecked) == 0 && !unchecked && path_patterns_count(t) == 0 &&
	    path_patterns_at(t, 0, m) == -1, "a table without a rule");
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
}

/* ---- against a plain search through all rules ---- */

enum { RANDOM_RULES = 900, RANDOM_QUESTIONS = 20000, TEXT_ROOM = 48 };

static void
random_host(uint64_t *state, char out[static TEXT_ROOM])
{
	static const char *const labels[] = { "a", "b", "ab", "secure", "com" };
	size_t n = next_number(state) % 4 + 1;

	*out = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(out);

		snprintf(out + len, TEXT_ROOM - len, "%s%s", i > 0 ? "." : "", labels[next_number(state) % COUNT(labels)]);
	}
}

/* Words, with BETWEEN now and then. */
static void
random_path(uint64_t *state, const char *between, char out[static TEXT_ROOM])
{
	static const char *const words[] = { "mail", "/id", "patch", ".exe", "?x=1", "/", "Patch", "abcd", "12", "-" };
	size_t n = next_number(state) % 5 + 1;

	snprintf(out, TEXT_ROOM, "/");
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(out);

		snprintf(out + len, TEXT_ROOM - len, "%s%s", words[next_number(state) % COUNT(words)],
		    next_number(state) % 2 ? between : "");
	}
}

struct random_rule {
	struct pattern_match	match;
	char			host[TEXT_ROOM], pattern[TEXT_ROOM];
};

static void
make_random(uint64_t *state, uint32_t i, struct random_rule *r)
{
	static const char *const regexes[] = { "~patch[0-9]+", "~/id.*\\.exe$", "~(?i)PATCH\\.exe", "~mail/?id", "~(a|b)cdpatch",
		"~^/mail(?=patch)" };
	char canonical[PATTERN_MAX], why[PATTERN_WHY];
	bool hosted = next_number(state) % 2 == 0;
	size_t len, at;

	*r = (struct random_rule){ .match.ref = i };
	if (hosted) {
		random_host(state, r->host);
		if (next_number(state) % 4 == 0)
			snprintf(r->host, sizeof(r->host), "%u.com", i);
		r->match.scope = (enum host_scope)(next_number(state) % 3);
		r->match.host = slice_str(r->host);
	}
	do {
		if (i < PATTERN_REGEXES_MAX)
			snprintf(r->pattern, sizeof(r->pattern), "%s", regexes[next_number(state) % COUNT(regexes)]);
		else
			random_path(state, "*", r->pattern);
		r->match.pattern = slice_str(r->pattern);
	} while (pattern_canonical(r->match.pattern, !hosted, canonical, &len, why, &at) == -1 ||
	    !slice_eq(r->match.pattern, slice_make(canonical, len)));
}

static bool
rule_applies(const struct pattern_match *rule, struct slice host, struct slice path)
{
	bool self = slice_eq(host, rule->host);

	if (rule->host.len > 0 && (!host_under(host, rule->host) || (rule->scope == SCOPE_EXACT && !self) ||
	    (rule->scope == SCOPE_BELOW && self)))
		return false;
	return pattern_is_regex(rule->pattern) ? plain_regex(rule->pattern, path) : slow_glob(rule->pattern, path);
}

static bool
answer_holds(const struct path_patterns *t, const struct random_rule *all, const char *host, const char *path, size_t *found)
{
	static struct pattern_match m[RANDOM_RULES];
	bool expected[RANDOM_RULES], unchecked = false;
	size_t n = ask(t, host, path, m, RANDOM_RULES, &unchecked), n_expected = 0;

	for (size_t i = 0; i < RANDOM_RULES; i++) {
		expected[i] = rule_applies(&all[i].match, slice_str(host), slice_str(path));
		n_expected += expected[i];
	}
	*found += n;
	if (n != n_expected || unchecked)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!expected[m[i].ref] || pattern_cmp(&m[i], &all[m[i].ref].match) != 0 || (i > 0 && pattern_cmp(&m[i - 1], &m[i]) >= 0))
			return false;
		expected[m[i].ref] = false;	/* each once */
	}
	return true;
}

static void
test_random(void)
{
	static struct random_rule all[RANDOM_RULES];
	struct pattern_builder *b = pattern_builder_new();
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	struct path_patterns *t;
	size_t wrong = 0, found = 0;
	struct slice image;

	for (uint32_t i = 0; i < RANDOM_RULES; i++) {
		make_random(&state, i, &all[i]);
		if (pattern_builder_add(b, &all[i].match) == -1)
			abort();
	}
	image = image_of(b);
	t = table_of(image, NULL);
	for (size_t i = 0; i < RANDOM_QUESTIONS; i++) {
		char host[TEXT_ROOM], path[TEXT_ROOM];

		random_host(&state, host);
		random_path(&state, "", path);
		wrong += !answer_holds(t, all, host, path, &found);
	}
	ok(wrong == 0 && found > RANDOM_QUESTIONS, "%d questions to %d rules, %zu matches: %zu answers differ from a plain search",
	    RANDOM_QUESTIONS, RANDOM_RULES, found, wrong);
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 300 };

static void *
ask_rows(void *arg)
{
	const struct path_patterns *t = arg;
	size_t wrong = 0;

	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			struct pattern_match m[16];
			size_t n, expected = 0;
			bool unchecked = false;

			if (rows[i].unchecked && round > 1)
				continue;
			n = ask(t, rows[i].host, rows[i].path, m, COUNT(m), &unchecked);
			for (const char *p = rows[i].refs; *p != '\0'; p++)
				expected += *p == ' ' || p == rows[i].refs;
			wrong += n != expected || unchecked != rows[i].unchecked;
		}
	return (void *)(uintptr_t)wrong;
}

static void
test_threads(struct path_patterns *t)
{
	pthread_t threads[THREADS];
	uintptr_t wrong = 0;
	void *result;

	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, ask_rows, t) != 0)
			abort();
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		wrong += (uintptr_t)result;
	}
	ok(wrong == 0, "several threads ask one table: %zu answers are wrong", (size_t)wrong);
}

/* ---- damage ---- */

/* Ask every row; false when an answer is not one of the rules. */
static bool
only_rules(const struct path_patterns *t, size_t *found)
{
	static struct pattern_match m[MATCHES_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool unchecked = false;
		size_t n;

		if (rows[i].unchecked)
			continue;	/* costs too much for each bit */
		n = ask(t, rows[i].host, rows[i].path, m, MATCHES_MAX, &unchecked);
		if (n > MATCHES_MAX || unchecked)
			return false;
		for (size_t j = 0; j < n; j++)
			if (!is_rule(&m[j]))
				return false;
		*found += n;
	}
	return true;
}

static void
test_bits(struct slice image)
{
	size_t whole = 0, invented = 0, refused = 0, lost = 0, told = 0;
	char *p = (char *)(uintptr_t)image.p;
	struct path_patterns *t = table_of(image, NULL);

	ok(only_rules(t, &whole) && whole > 20, "the undamaged file knows its rules");
	path_patterns_close(t);
	for (size_t bit = 0; bit < 8 * image.len; bit++) {
		struct diag diag = { 0 };
		size_t found = 0;

		p[bit / 8] ^= (char)(1 << bit % 8);
		if ((t = table_of(image, &diag)) == NULL) {
			refused += diag.n_errors == 1;
		} else {
			invented += !only_rules(t, &found) || found > whole || path_patterns_count(t) + path_patterns_lost(t) != RULES - REPEATED;
			lost += path_patterns_lost(t) > 0;
			told += path_patterns_lost(t) > 0 && diag.n_warnings == path_patterns_lost(t);
		}
		path_patterns_close(t);
		diag_fini(&diag);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(invented == 0, "no flipped bit makes a rule: %zu do", invented);
	ok(refused > 0 && lost > 0 && told == lost, "some are refused, others lose rules and say so: %zu, %zu", refused, lost);
}

/* ---- cost ---- */

static double
measure(const struct path_patterns *t, const char *host, const char *path)
{
	enum { TIMES = 200000 };
	struct timespec from, to;
	struct pattern_match m[1];
	bool unchecked = false;
	size_t n = 0;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < TIMES; i++)
		n += ask(t, host, path, m, 1, &unchecked);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (n % TIMES != 0)
		abort();
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / TIMES;
}

/* A literal of one letter, and a long path of that letter: the filter must not compare all of one at every byte of the other. */
static void
test_periodic(void)
{
	static char pattern[PATTERN_MAX], path[65536];
	struct pattern_builder *b = pattern_builder_new();
	struct url url = { .host = SLICE("a.example"), .path_query = slice_make(path, sizeof(path)) };
	struct pattern_match rule = { .ref = 1, .pattern = slice_make(pattern, sizeof(pattern)) }, m;
	struct path_patterns *t;
	struct slice image;
	bool unchecked = false;

	memset(pattern, 'a', sizeof(pattern));
	memset(path, 'a', sizeof(path));
	memcpy(pattern, "/*", 2);
	path[0] = '/';
	if (pattern_builder_add(b, &rule) == -1)
		abort();
	image = image_of(b);
	t = table_of(image, NULL);
	ok(path_patterns_match(t, &url, &m, 1, &unchecked) == 1, "a long literal in a long path of one letter");
	url.path_query.len = 500;
	ok(path_patterns_match(t, &url, &m, 1, &unchecked) == 0, "longer than the path");
	pattern[500] = path[1000] = 'B';
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
	b = pattern_builder_new();
	if (pattern_builder_add(b, &rule) == -1)
		abort();
	image = image_of(b);
	t = table_of(image, NULL);
	url.path_query.len = sizeof(path);
	ok(path_patterns_match(t, &url, &m, 1, &unchecked) == 0, "one that ends in another");
	path[sizeof(path) - (PATTERN_MAX - 500)] = 'B';
	ok(path_patterns_match(t, &url, &m, 1, &unchecked) == 1, "and one that does not");
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
}

/* Figures only: what is fast on one machine is slow on another. */
static void
test_cost(void)
{
	static const char *const words[] = { "update", "invoice", "patch", "document", "scan", "report", "photo", "order" };
	struct pattern_builder *b = pattern_builder_new(), *hosted = pattern_builder_new();
	struct path_patterns *t;
	struct slice image;

	for (uint32_t i = 0; i < PATTERNS_MAX; i++) {
		char pattern[64], host[64];

		snprintf(pattern, sizeof(pattern), "/*/%s-%03x*.exe", words[i % COUNT(words)], i);
		add(b, &(struct rule){ SCOPE_EXACT, "", pattern, i });
		snprintf(host, sizeof(host), "site%u.example", i);
		add(hosted, &(struct rule){ SCOPE_BELOW, host, "/wp-content/*.exe", i });
	}
	image = image_of(b);
	t = table_of(image, NULL);
	printf("# %d patterns for all hosts, a path of 60 bytes that none matches: %.0f ns\n", PATTERNS_MAX,
	    measure(t, "www.example.com", "/articles/2026/11/24/why-proxies-inspect.html?page=2&from=ma"));
	printf("# the same with a word that all of an eighth have: %.0f ns\n",
	    measure(t, "www.example.com", "/articles/2026/11/24/report-on-what-is-in-a-body.html?page=2"));
	printf("# one that matches: %.0f ns\n",
	    measure(t, "www.example.com", "/articles/2026/11/24/update-0c8-for-all-of-you-at-once.00.exe"));
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
	image = image_of(hosted);
	t = table_of(image, NULL);
	printf("# %d patterns of as many hosts, another host: %.0f ns\n", PATTERNS_MAX,
	    measure(t, "www.some.example.com", "/wp-content/2026/11/24/why-proxies-inspect.html?page=2&from="));
	ok(path_patterns_count(t) == PATTERNS_MAX, "the figures are of whole tables");
	path_patterns_close(t);
	free((char *)(uintptr_t)image.p);
}

int
main(void)
{
	struct path_patterns *t;
	struct slice image;

	folder = temp_dir();
	test_forms();
	test_lengths();
	test_globs();
	test_literals();
	test_random_regexes();
	test_limits();
	image = rules_image(RULES, false);
	t = table_of(image, NULL);
	test_rows(t);
	test_some(t);
	test_iterating(t);
	test_threads(t);
	path_patterns_close(t);
	test_order(image);
	test_refused();
	test_numbers();
	test_empty();
	test_random();
	test_bits(image);
	test_periodic();
	test_cost();
	free((char *)(uintptr_t)image.p);
	free(folder);
	return tap_done();
}
