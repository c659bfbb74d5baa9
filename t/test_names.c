/* File names: which of them a response brings, what a pattern means, against a plain search; the table of them, also of damaged
 * bytes. */
#include <time.h>

#include "base/file.h"
#include "base/segment_format.h"
#include "t/tap.h"
#include "url_rules/name_table.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- names ---- */

struct name_row {
	const char *idea, *path, *disposition, *names;		/* NAMES with a '|' between them */
};

#define X50	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X100	X50 X50
#define X1000	X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

static const struct name_row names[] = {
	{ "a path", "/mail/id=x@y.example-patch121.exe", NULL, "id=x@y.example-patch121.exe" },
	{ "escapes in a path", "/a/Setup%20%282%29.EXE", NULL, "setup (2).exe" },
	{ "an escaped folder", "/a/b%2fc%5cd.exe", NULL, "d.exe" },
	{ "a folder", "/a/b/", NULL, "" },
	{ "the root", "/", NULL, "" },
	{ "a quoted name", NULL, "attachment; filename=\"Patch 121.exe\"", "patch 121.exe" },
	{ "a plain one", NULL, "attachment; filename=patch121.exe", "patch121.exe" },
	{ "a plain one with blanks, as clients take it", NULL, "attachment; filename=my patch.exe ; size=3", "my patch.exe" },
	{ "escapes within quotes", NULL, "attachment; filename=\"a\\\"b\\\\c.exe\"", "c.exe" },
	{ "a folder that is no escape to curl and wget", NULL, "attachment; filename=\"a\\b.exe\"", "ab.exe|b.exe" },
	{ "a \\ before a quote that is none to them", NULL, "a; filename=\"a\\\"; filename=\"b.exe\"", "a\"; filename=|b.exe" },
	{ "quotes of curl", NULL, "attachment; filename='a b.exe'; x='", "'a b.exe'|a b.exe" },
	{ "a ; in them", NULL, "attachment; filename='a;b.exe'", "'a|a;b.exe" },
	{ "what curl finds within quotes", NULL, "attachment; x=\"; filename=a.exe; \"", "a.exe" },
	{ "what curl passes over", NULL, "attachment; -\"filename=a.exe", "a.exe" },
	{ "folders that are long, within quotes", NULL, "attachment; filename=\"" X1000 "/" X1000 "/a%20b.exe\"",
	    "a%20b.exe|a b.exe" },
	{ "the same in ISO-8859-1", NULL, "a; filename*=iso-8859-1''" X1000 "%2f%e4.exe", "\xc3\xa4.exe" },
	{ "a name behind four", "/a", "a; filename*=x''b; filename*=x''c; filename*=x''d; filename*=UTF-8''e.exe", "a|b|c|d|e.exe" },
	{ "a ; within quotes", NULL, "attachment; filename=\"a;b.exe\"; x=y", "a;b.exe" },
	{ "an open quote", NULL, "attachment; filename=\"a.exe", "a.exe" },
	{ "RFC 8187", NULL, "attachment; filename*=UTF-8''%e2%82%ac%20rates.exe", "\xe2\x82\xac rates.exe" },
	{ "with a language", NULL, "attachment; filename*=utf-8'en'a%20b.exe", "a b.exe" },
	{ "in ISO-8859-1", NULL, "attachment; filename*=iso-8859-1''%a3%20rates.exe", "\xc2\xa3 rates.exe" },
	{ "without its charset", NULL, "attachment; filename*=a%20b.exe", "a b.exe" },
	{ "both, the plain one decoded too", NULL, "attachment; filename=\"a%20b.exe\"; filename*=UTF-8''c.exe",
	    "a%20b.exe|a b.exe|c.exe" },
	{ "capitals", NULL, "ATTACHMENT;FILENAME=A.EXE", "a.exe" },
	{ "no blanks, no type", NULL, "filename=a.exe", "a.exe" },
	{ "blanks round =", NULL, "attachment ; filename = \"a.exe\"", "a.exe" },
	{ "another parameter", NULL, "attachment; filenames=a.exe; xfilename=b.exe; name=c.exe", "" },
	{ "folders of both kinds", NULL, "attachment; filename=\"C:\\\\temp\\\\a.exe\"", "a.exe" },
	{ "what Windows drops", NULL, "attachment; filename=\" a.exe . .\"", "a.exe" },
	{ "nothing", NULL, "attachment; filename=\"\"; filename*=; filename", "" },
	{ "only separators", NULL, ";;;=;\"\";=", "" },
	{ "the same twice", "/A.exe", "attachment; filename=a.EXE", "a.exe" },
	{ "too many", NULL, "a;filename=1;filename=2;filename=3;filename=4;filename=5;filename=6;filename=7;filename=8;filename=9",
	    "1|2|3|4|5|6|7|8" },
};

static void
test_names(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct file_names found = { 0 };
		struct buf text;

		buf_init(&text, 4096);
		if (names[i].path != NULL)
			file_names_add_path(&found, slice_str(names[i].path));
		if (names[i].disposition != NULL)
			file_names_add_disposition(&found, slice_str(names[i].disposition));
		for (size_t k = 0; k < found.n; k++) {
			if (k > 0)
				buf_add_char(&text, '|');
			buf_add_slice(&text, file_name_at(&found, k));
		}
		buf_add_char(&text, '\0');
		is_str(text.p, names[i].names, names[i].idea);
		buf_fini(&text);
	}
}

static void
test_long_names(void)
{
	struct file_names found = { 0 };
	char text[2000];

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 4, ".exe", 4);
	file_names_add(&found, slice_make(text, sizeof(text)));
	ok(found.n == 1 && file_name_at(&found, 0).len == FILE_NAME_MAX && slice_ends(file_name_at(&found, 0), SLICE("x.exe")),
	    "of a long name the last bytes");
	found.n = 0;
	file_names_add_path(&found, slice_make(text, sizeof(text)));
	ok(found.n == 1 && slice_ends(file_name_at(&found, 0), SLICE("x.exe")), "of a long path, too");
}

/* ---- patterns ---- */

struct form_row {
	const char *idea, *text, *canonical;	/* NULL: refused, with PART of the reason at byte AT */
	size_t at;
	const char *part;
};

static const struct form_row forms[] = {
	{ "a template of an alert", "FAX_id{DIGIT[30]}.exe", "FAX_id{DIGIT[30]}.exe", 0, NULL },
	{ "a class in small letters", "patch{digit[3]}.exe", "patch{DIGIT[3]}.exe", 0, NULL },
	{ "one of a class", "a{HEX[1]}{ALPHA[1-1]}{ANY[1]}", "a{HEX}{ALPHA}?", 0, NULL },
	{ "a range", "a{ALNUM[2-13]}.scr", "a{ALNUM[2-13]}.scr", 0, NULL },
	{ "none or more", "a{ANY[0-255]}b", "a*b", 0, NULL },
	{ "stars side by side", "a**b*", "a*b*", 0, NULL },
	{ "escapes", "a%20b%7B%2a%25.exe", "a%20b%7B%2A%25.exe", 0, NULL },
	{ "blanks", "my patch.exe", "my%20patch.exe", 0, NULL },
	{ "UTF-8, and what is none", "\xce\xb1%ce%b1%ff.exe", "\xce\xb1\xce\xb1%FF.exe", 0, NULL },
	{ "control characters of C0 and C1", "a\x1b%0A\x7f\xc2\x9b\xc2\x9f\xc2\xa0.exe", "a%1B%0A%7F%C2%9B%C2%9F\xc2\xa0.exe", 0, NULL },
	{ "nothing", "", NULL, 0, "no file name" },
	{ "an open class", "a{DIGIT[3]", NULL, 1, "not closed" },
	{ "an open count", "a{DIGIT[3}.exe", NULL, 1, "expected a number" },
	{ "no count", "a{DIGIT[]}.exe", NULL, 1, "expected a number" },
	{ "none of a class", "a{DIGIT[0]}.exe", NULL, 1, "expected a number" },
	{ "more than most", "a{DIGIT[3-2]}.exe", NULL, 1, "expected a number" },
	{ "a count that is too high", "a{DIGIT[256]}.exe", NULL, 1, "expected a number" },
	{ "another class", "a{WORD}.exe", NULL, 1, "expected {DIGIT}" },
	{ "a closing brace", "a}.exe", NULL, 1, "without {" },
	{ "half an escape", "a%2", NULL, 1, "two hexadecimal digits" },
	{ "a folder", "a/b.exe", NULL, 1, "no / and no" },
	{ "an escaped folder", "a%5Cb.exe", NULL, 1, "no / and no" },
	{ "a dot at the end", "a.exe.", NULL, 5, "dot or a blank" },
	{ "too long for a name", "{ANY[255]}a", NULL, 10, "255 bytes" },
};

static void
test_forms(void)
{
	for (size_t i = 0; i < COUNT(forms); i++) {
		const struct form_row *row = &forms[i];
		char why[NAME_PATTERN_WHY] = "", text[NAME_PATTERN_MAX];
		struct name_pattern p, again;
		size_t at = 0, len = 0;
		int r = name_pattern_parse(slice_str(row->text), &p, why, &at);

		if (row->canonical == NULL) {
			ok(r == -1 && at == row->at && strstr(why, row->part) != NULL, "%s: refused at %zu: %s", row->idea, at, why);
			continue;
		}
		ok(r == 0 && name_pattern_format(&p, text, &len) == 0 && slice_eq(slice_make(text, len), slice_str(row->canonical)),
		    "%s: %.*s", row->idea, (int)len, text);
		ok(name_pattern_parse(slice_make(text, len), &again, why, &at) == 0 && again.n == p.n && again.min == p.min &&
		    again.max == p.max && memcmp(again.items, p.items, p.n * sizeof(*p.items)) == 0, "%s: the same again", row->idea);
	}
}

static bool
holds(const char *pattern, const char *name)
{
	struct file_names one = { 0 };
	struct asked_name asked;
	char why[NAME_PATTERN_WHY];
	struct name_pattern p;
	size_t at;

	if (name_pattern_parse(slice_str(pattern), &p, why, &at) == -1)
		abort();
	file_names_add(&one, slice_str(name));
	name_ask(&asked, file_name_at(&one, 0));
	return name_pattern_fits(p.items, p.n, &asked);
}

static void
test_meaning(void)
{
	static const struct { const char *pattern, *yes, *no; } rows[] = {
		{ "patch{DIGIT[3]}.exe", "Patch121.EXE", "patch12.exe" },
		{ "patch{DIGIT[3]}.exe", "patch000.exe", "patch1234.exe" },
		{ "patch{DIGIT[3]}.exe", "patch999.exe", "patch12a.exe" },
		{ "FAX_id{DIGIT[30]}.exe", "fax_id012345678901234567890123456789.exe", "fax_id01234567890123456789012345678.exe" },
		{ "a{DIGIT[1-3]}b", "a1b", "ab" },
		{ "a{DIGIT[1-3]}b", "a123b", "a1234b" },
		{ "a{ALPHA[2]}?", "axy-", "ax1y" },
		{ "{HEX[4]}.exe", "0aFf.exe", "0aFg.exe" },
		{ "{ALNUM[2-4]}{DIGIT[2]}.scr", "ab12.scr", "a12.scr" },
		{ "*-patch*.exe", "id=x@y-patch121.exe", "id=x@y-patch121.exe.txt" },
		{ "*.exe*", ".exe", ".ex" },
		{ "a*b*c", "abc", "acb" },
		{ "a*b*c", "aXbYbZc", "aXbYbZ" },
		{ "caf%C3%A9.exe", "caf\xc3\xa9.exe", "cafe.exe" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		ok(holds(rows[i].pattern, rows[i].yes), "%s fits %s", rows[i].pattern, rows[i].yes);
		ok(!holds(rows[i].pattern, rows[i].no), "%s does not fit %s", rows[i].pattern, rows[i].no);
	}
}

/* What fits by definition: ITEMS from here on take all of NAME, tried in every way. */
static bool
fits_plainly(const struct name_item *items, size_t n, struct slice name)
{
	if (n == 0)
		return name.len == 0;
	for (size_t len = 0; len <= items->max && len <= name.len; len++) {
		if (len > 0) {
			char c = name.p[len - 1];
			bool digit = c >= '0' && c <= '9', alpha = c >= 'a' && c <= 'z';

			if (!(items->class == NAME_ANY || (items->class == NAME_BYTE && (char)items->byte == c) ||
			    (items->class == NAME_DIGIT && digit) || (items->class == NAME_ALPHA && alpha) ||
			    (items->class == NAME_ALNUM && (digit || alpha)) || (items->class == NAME_HEX && (digit || (c >= 'a' && c <= 'f')))))
				return false;
		}
		if (len >= items->min && fits_plainly(items + 1, n - 1, slice_skip(name, len)))
			return true;
	}
	return false;
}

/* Patterns of up to MOST of PIECES and names of up to LONGEST of LETTERS, TRIES times. */
static void
check_against_plain(const char *const *pieces, size_t n_pieces, size_t most, const char *letters, size_t longest, int tries)
{
	uint64_t state = 4711;
	size_t agree = 0, fit = 0, tried = 0;

	for (int i = 0; i < tries; i++) {
		char text[256] = "", name[FILE_NAME_MAX], why[NAME_PATTERN_WHY];
		size_t n = 1 + next_number(&state) % most, len = next_number(&state) % (longest + 1), at;
		struct asked_name asked;
		struct name_pattern p;
		bool plain, ours;

		for (size_t k = 0; k < n; k++)
			strcat(text, pieces[next_number(&state) % n_pieces]);
		for (size_t k = 0; k < len; k++)
			name[k] = letters[next_number(&state) % strlen(letters)];
		if (name_pattern_parse(slice_str(text), &p, why, &at) == -1)
			continue;
		name_ask(&asked, slice_make(name, len));
		plain = fits_plainly(p.items, p.n, slice_make(name, len));
		ours = name_pattern_fits(p.items, p.n, &asked);
		if (plain != ours)
			printf("# %s, \"%.*s\": %d and not %d\n", text, (int)len, name, ours, plain);
		tried++;
		agree += plain == ours;
		fit += plain;
	}
	ok(agree == tried && fit > tried / 20 && fit < tried, "%zu of %zu patterns agree with a plain search, %zu fit", agree, tried, fit);
}

static void
test_against_plain(void)
{
	static const char *const pieces[] = { "a", "b", "1", ".", "*", "?", "{DIGIT}", "{DIGIT[2]}", "{ALPHA[0-2]}", "{ALNUM[1-3]}",
		"{HEX[2-4]}", "{ANY[2-5]}" };
	static const char *const longer[] = { "a", "*", "*1", "{ANY[64]}", "{ANY[0-128]}", "{ALPHA[1-255]}", "{ALNUM[63-65]}",
		"{ALNUM[0-200]}", "{HEX[127-129]}" };

	check_against_plain(pieces, COUNT(pieces), 6, "ab1.gz", 11, 200000);
	check_against_plain(longer, COUNT(longer), 3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab1", FILE_NAME_MAX,
	    2000);
}

static void
test_literal(void)
{
	static const struct { const char *text; size_t literal; } rows[] = {
		{ "*.exe", 0 }, { "patch*.exe", 5 }, { "a{DIGIT[3]}b.c.exe", 4 }, { "noend", 5 }, { "{DIGIT[9]}.exe", 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char why[NAME_PATTERN_WHY];
		struct name_pattern p;
		size_t at;

		ok(name_pattern_parse(slice_str(rows[i].text), &p, why, &at) == 0 && name_pattern_literal(&p) == rows[i].literal,
		    "%s has %zu bytes of its own", rows[i].text, rows[i].literal);
	}
}

/* ---- the table ---- */

static const struct name_match listed[] = {
	{ 7, 0, NAME_SIZE_ANY, { "patch{DIGIT[3]}.exe", 19 } },
	{ 3, 0, 90112, { "patch*.exe", 10 } },
	{ 4, 0, 90112, { "fax.exe", 7 } },
	{ 5, 0, 5, { "patch121.exe", 12 } },
};

/* Write LISTED to PATH, from the one FIRST on; its bytes go to *OUT. */
static bool
write_table(const char *path, size_t first, struct buf *out)
{
	struct text_rows_builder *b = text_rows_builder_new();
	uint8_t sha256[SEGMENT_SHA256];
	struct diag diag = { 0 };
	uint64_t len;
	bool good;

	for (size_t i = 0; i <= COUNT(listed); i++)
		name_table_add(b, &listed[(first + i) % COUNT(listed)]);
	good = text_rows_builder_count(b) == COUNT(listed) + 1 && name_table_check(b, path, &diag) == 0 &&
	    text_rows_builder_write(b, SEGMENT_NAMES, path, &len, sha256, &diag) == 0 && file_read(path, out) == 0;
	text_rows_builder_free(b);
	diag_fini(&diag);
	return good;
}

static void
check_table(const struct name_table *t)
{
	static const struct { const char *name; uint64_t size; size_t n; uint32_t refs[3]; bool known; } rows[] = {
		{ "patch121.exe", 90112, 2, { 7, 3 }, true }, { "patch121.exe", 5, 2, { 7, 5 }, true }, { "patch12.exe", 90112, 1, { 3 }, true },
		{ "fax.exe", 90112, 1, { 4 }, true }, { "fax.exe", 5, 0, { 0 }, true }, { "patch12.exe", 90113, 0, { 0 }, true },
		{ "other.exe", 90112, 0, { 0 }, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct file_names one = { 0 };
		struct name_match m[3] = { { .ref = 0 } };

		file_names_add(&one, SLICE("something.else"));
		file_names_add(&one, slice_str(rows[i].name));
		ok(name_table_match(t, &one, rows[i].size, m, 3) == rows[i].n && m[0].ref == rows[i].refs[0] && m[1].ref == rows[i].refs[1] &&
		    name_table_match(t, &one, rows[i].size, m, 0) == rows[i].n && name_table_knows(t, &one) == rows[i].known,
		    "%s of %llu bytes", rows[i].name, (unsigned long long)rows[i].size);
	}
	ok(name_table_has_size(t, 77) && name_table_max_size(t) == UINT64_MAX, "a rule for any size is one for each");
}

/* Byte AT of the segment BYTES stands in a section. */
static bool
is_in_section(struct slice bytes, size_t at)
{
	struct segment_header h;
	struct segment_entry e;

	memcpy(&h, bytes.p, sizeof(h));
	for (size_t i = 0; i < h.n; i++) {
		memcpy(&e, bytes.p + sizeof(h) + i * sizeof(e), sizeof(e));
		if (at >= e.offset && at - e.offset < e.length)
			return true;
	}
	return false;
}

static void
test_table(void)
{
	char *folder = temp_dir(), path[4096];
	struct buf a, b;
	struct diag diag = { 0 };
	struct segment *s;
	struct name_table *t;
	size_t lost = 0, opened = 0;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	snprintf(path, sizeof(path), "%s/names.seg", folder);
	ok(write_table(path, 0, &a) && write_table(path, 2, &b) && slice_eq(buf_slice(&a), buf_slice(&b)),
	    "the same rules in another order give the same file");
	s = segment_open(path, SEGMENT_NAMES, NULL, &diag);
	t = s == NULL ? NULL : name_table_open(s, &diag);
	segment_close(s);
	if (ok(t != NULL && name_table_count(t) == COUNT(listed) && name_table_lost(t) == 0, "it opens, and needs the segment no more"))
		check_table(t);
	name_table_close(t);
	/* a flipped bit behind the header loses a rule, or is not met; what fills up sections means nothing */
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		if (!is_in_section(buf_slice(&b), bit / 8))
			continue;
		b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
		s = segment_open_bytes("flipped", b.p, b.len, SEGMENT_NAMES, NULL);
		t = s == NULL ? NULL : name_table_open(s, NULL);
		opened += t != NULL;
		lost += t != NULL && name_table_lost(t) > 0 && name_table_count(t) + name_table_lost(t) == COUNT(listed);
		name_table_close(t);
		segment_close(s);
		b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
	}
	ok(opened > 500 && opened - lost < 64, "of %zu flipped bits that open, %zu lose rules", opened, lost);
	buf_fini(&a);
	buf_fini(&b);
	diag_fini(&diag);
	free(folder);
}

/* A sender chooses the names, and an alert the patterns. */
static void
test_cost(void)
{
	char *folder = temp_dir(), path[4096], text[NAME_PATTERN_MAX], stars[241];
	struct text_rows_builder *b = text_rows_builder_new();
	struct file_names asked = { .n = FILE_NAMES_MAX };
	uint8_t sha256[SEGMENT_SHA256];
	struct name_table *t;
	struct segment *s;
	uint64_t len;
	clock_t began;
	size_t n;

	for (size_t i = 0; i < sizeof(stars) - 1; i++)
		stars[i] = i % 2 == 0 ? '*' : 'a';
	stars[sizeof(stars) - 1] = '\0';
	for (size_t i = 0; i < NAMES_MAX; i++) {
		snprintf(text, sizeof(text), "%s%zu*", stars, i);
		name_table_add(b, &(struct name_match){ .pattern = slice_str(text) });
	}
	for (size_t i = 0; i < asked.n; i++) {
		asked.v[i].len = FILE_NAME_MAX;
		memset(asked.v[i].text, 'a', FILE_NAME_MAX);
	}
	snprintf(path, sizeof(path), "%s/names.seg", folder);
	text_rows_builder_write(b, SEGMENT_NAMES, path, &len, sha256, NULL);
	s = segment_open(path, SEGMENT_NAMES, NULL, NULL);
	t = name_table_open(s, NULL);
	segment_close(s);
	began = clock();
	n = name_table_match(t, &asked, 1, NULL, 0);
	is_int((long long)n, 0, "patterns made to be slow come to an end");
	printf("# %d of them: %ld ms\n", NAMES_MAX, (long)((clock() - began) * 1000 / CLOCKS_PER_SEC));
	name_table_close(t);
	text_rows_builder_free(b);
	free(folder);
}

static void
test_refusals(void)
{
	static const char *const bad[] = { "a{digit}.exe", "a b.exe", "a/b", "" };

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct name_match m = { .pattern = slice_str(bad[i]) };
		struct text_rows_builder *b = text_rows_builder_new();
		struct diag diag = { 0 };

		ok(name_table_add(b, &m) == 0 && name_table_check(b, "x", &diag) == -1 && diag.n_errors == 1, "\"%s\" is not canonical", bad[i]);
		diag_fini(&diag);
		text_rows_builder_free(b);
	}
	for (size_t n = NAMES_MAX; n <= NAMES_MAX + 1; n++) {
		struct text_rows_builder *b = text_rows_builder_new();
		struct diag diag = { 0 };

		for (size_t i = 0; i < n; i++)
			name_table_add(b, &(struct name_match){ .size = i + 1, .pattern = SLICE("a.exe") });
		ok((name_table_check(b, "x", &diag) == 0) == (n == NAMES_MAX), "%zu names", n);
		diag_fini(&diag);
		text_rows_builder_free(b);
	}
}

int
main(void)
{
	test_names();
	test_long_names();
	test_forms();
	test_meaning();
	test_against_plain();
	test_literal();
	test_table();
	test_cost();
	test_refusals();
	return tap_done();
}
