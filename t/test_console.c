/* The console's parts: what is shown of hostile text, forms, sessions, limits, users. */
#include "t/tap.h"

#include <crypt.h>
#include <sys/stat.h>

#include "base/file.h"
#include "console/form.h"
#include "console/html.h"
#include "console/limit.h"
#include "console/session.h"
#include "console/slots.h"
#include "console/words.h"

enum { MINUTE_MS = 60 * 1000 };

static void
test_text(void)
{
	static const struct { const char *name; struct slice in; const char *out; } rows[] = {
		{ "plain", { "a b", 3 }, "a b" },
		{ "markup", { "<b>&\"'", 6 }, "&lt;b&gt;&amp;&quot;&#39;" },
		{ "a NUL", { "a\0b", 3 }, "a\\x00b" },
		{ "an escape sequence", { "\33[31m", 5 }, "\\x1b[31m" },
		{ "a line end", { "a\r\nb", 4 }, "a\\x0d\\x0ab" },
		{ "C1", { "\xc2\x9b", 2 }, "\\xc2\\x9b" },
		{ "right to left", { "\xe2\x80\xae", 3 }, "\\xe2\\x80\\xae" },
		{ "no UTF-8", { "\xff<", 2 }, "\\xff&lt;" },
		{ "overlong", { "\xc0\xbc", 2 }, "\\xc0\\xbc" },
		{ "a half sequence", { "\xe2\x82", 2 }, "\\xe2\\x82" },
		{ "UTF-8", { "\xc3\xa4", 2 }, "\xc3\xa4" },
	};
	struct buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_init(&b, 4096);
		html_text(&b, rows[i].in, HTML_SHORT);
		is_slice(buf_slice(&b), slice_str(rows[i].out), rows[i].name);
		buf_fini(&b);
	}
	buf_init(&b, 4096);
	html_text(&b, SLICE("<<<<<<"), 2);
	is_slice(buf_slice(&b), SLICE("&lt;&lt;\xe2\x80\xa6 (+4 B)"), "what is long is counted");
	buf_fini(&b);
	buf_init(&b, 4096);
	html_search_link(&b, "user", SLICE("\"><i>&as=x#%"));
	is_slice(buf_slice(&b), SLICE("<a href=\"/?q=%22%3E%3Ci%3E%26as%3Dx%23%25&amp;as=user\">&quot;&gt;&lt;i&gt;&amp;as=x#%</a>"),
	    "a link cannot be left");
	buf_fini(&b);
}

static void
test_name(void)
{
	static const struct { const char *name; const char *in, *out; } rows[] = {
		{ "a name", "a-rather-long-name-of-somebody-or-other", "a-rather-long-name-of-somebody-or-other" },
		{ "a pseudonym", "client-fbyrugnw-fo7fdaj7pkrfn2nagdui4csz7jmk75ms7uxyxweyit5fj2xrscca", "client-fbyrugnw-fo7fdaj7pkrfn2\xe2\x80\xa6" },
		{ "markup", "<b>", "&lt;b&gt;" },
	};
	struct buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_init(&b, 4096);
		html_name(&b, slice_str(rows[i].in));
		is_slice(buf_slice(&b), slice_str(rows[i].out), rows[i].name);
		buf_fini(&b);
	}
}

static void
test_form(void)
{
	static const struct { const char *name, *in, *a; int r; } rows[] = {
		{ "nothing", "", "", 0 }, { "one", "a=1", "1", 0 }, { "a plus is a blank", "a=1+2", "1 2", 0 },
		{ "an escape", "a=%3c%3E", "<>", 0 }, { "a name is escaped, too", "%61=1", "1", 0 }, { "no value", "a", "", 0 },
		{ "the second", "b=2&&a=1", "1", 0 }, { "a = in it", "a=1=2", "1=2", 0 },
		{ "a bad digit", "a=%3g", "", -1 }, { "a short escape", "a=%3", "", -1 }, { "twice", "a=1&a=2", "", -1 },
		{ "twice, hidden", "a=1&%61=2", "", -1 },
		{ "too many", "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", "", -1 },
	};
	struct form f;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		is_int(form_parse(&f, slice_str(rows[i].in)), rows[i].r, rows[i].name);
		if (rows[i].r == 0)
			is_slice(form_get(&f, "a"), slice_str(rows[i].a), rows[i].name);
		form_fini(&f);
	}
	is_slice(cookie_get(SLICE("x=1; a=2;a=3"), "a"), SLICE("2"), "a cookie");
	is_slice(cookie_get(SLICE("xa=1"), "a"), slice_make(NULL, 0), "no cookie of another name");
}

static void
test_sessions(void)
{
	struct sessions *s = sessions_new();
	struct user ann = { .name = "ann", .hash = "$6$a" }, other = { .name = "bob" };
	char first[SESSION_TOKEN + 1], token[SESSION_TOKEN + 1];
	const struct session *x = sessions_begin(s, &ann, 0);

	memcpy(first, x->token, sizeof(first));
	ok(strcmp(x->token, x->csrf) != 0, "a token in the cookie, another in the forms");
	ok(sessions_find(s, slice_str(first), 1) == x, "it is found");
	ok(sessions_find(s, SLICE(""), 1) == NULL, "nothing is no session, though places are free");
	ok(sessions_find(s, slice_head(slice_str(first), 63), 1) == NULL, "nor is a part of a token");
	ok(sessions_find(s, slice_str(first), SESSION_IDLE_MS) != NULL, "used again in time");
	ok(sessions_find(s, slice_str(first), 2 * SESSION_IDLE_MS) == NULL, "an idle one ends");
	ok(sessions_find(s, slice_str(first), 1) == NULL, "and stays ended");
	x = sessions_begin(s, &ann, 0);
	memcpy(first, x->token, sizeof(first));
	for (int64_t at = 0; at < SESSION_LIFE_MS; at += SESSION_IDLE_MS / 2)
		ok(sessions_find(s, slice_str(first), at) != NULL, "used at %lld min", (long long)(at / MINUTE_MS));
	ok(sessions_find(s, slice_str(first), SESSION_LIFE_MS) == NULL, "ends all the same");
	memcpy(first, sessions_begin(s, &ann, 0)->token, sizeof(first));
	for (int i = 1; i < SESSIONS_EACH; i++)
		memcpy(token, sessions_begin(s, &ann, i)->token, sizeof(token));
	ok(sessions_find(s, slice_str(first), 10) != NULL, "as many as one may have");
	sessions_begin(s, &ann, 11);
	ok(sessions_find(s, slice_str(first), 12) == NULL, "one more ends the oldest");
	ok((x = sessions_find(s, slice_str(token), 12)) != NULL, "and no other");
	sessions_end(s, x);
	ok(sessions_find(s, slice_str(token), 13) == NULL, "one that is ended is not found");
	for (int i = 0; i < 2 * SESSIONS_MAX; i++) {
		snprintf(other.name, sizeof(other.name), "user%d", i);
		ok(sessions_begin(s, &other, 20 + i) != NULL || i < 0, "session %d", i);
	}
	sessions_free(s);
}

static void
test_limits(void)
{
	struct limits *l = limits_new();
	char key[32];

	for (int i = 0; i < 5; i++)
		is_int(limits_take(l, SLICE("a"), 5, MINUTE_MS, 1000), 0, "a try");
	is_int(limits_take(l, SLICE("a"), 5, MINUTE_MS, 1000), MINUTE_MS, "the sixth waits");
	is_int(limits_take(l, SLICE("b"), 5, MINUTE_MS, 1000), 0, "another does not");
	is_int(limits_take(l, SLICE("a"), 5, MINUTE_MS, 1000 + MINUTE_MS), 0, "later it may");
	ok(limits_take(l, SLICE("a"), 5, MINUTE_MS, 1000 + MINUTE_MS) > 0, "once");
	limits_forgive(l, SLICE("a"), MINUTE_MS);
	is_int(limits_take(l, SLICE("a"), 5, MINUTE_MS, 1000 + MINUTE_MS), 0, "a good one does not count");
	is_int(limits_take(l, SLICE("c"), 100, 1, 1000), 0, "a budget");
	limits_charge(l, SLICE("c"), 98, 1000);
	is_int(limits_take(l, SLICE("c"), 100, 1, 1000), 0, "lasts as long as it lasts");
	is_int(limits_take(l, SLICE("c"), 100, 1, 1000), 1, "and no longer");
	for (int i = 0; i < 3 * LIMITS_MAX; i++) {
		snprintf(key, sizeof(key), "%d", i);
		limits_take(l, slice_str(key), 5, MINUTE_MS, 2000 + MINUTE_MS);
	}
	ok(limits_take(l, SLICE("a"), 5, MINUTE_MS, 2000 + MINUTE_MS) > 0, "a full table forgets who tried once, not who tried often");
	limits_free(l);
}

/* TEXT as a file of users, with MODE: how many there are, -1 when it is refused. */
static int
count_users(const char *path, const char *text, mode_t mode)
{
	struct diag diag = { 0 };
	struct users *u;
	int n;

	file_write(path, slice_str(text), mode);
	u = users_load(path, &diag);
	n = u == NULL ? -1 : (int)u->n;
	users_free(u);
	diag_fini(&diag);
	return n;
}

/* A hash that some other program made by SETTING is taken. */
static bool
is_taken(const char *path, const char *setting)
{
	struct crypt_data data = { 0 };
	struct diag diag = { 0 };
	struct buf line;
	struct users *u;
	bool good;

	buf_init(&line, 512);
	buf_add_strs(&line, "ann:read:", crypt_r("correct horse", setting, &data), "\n", NULL);
	file_write(path, buf_slice(&line), 0600);
	u = users_load(path, &diag);
	good = u != NULL && users_check(u, SLICE("ann"), SLICE("correct horse")) != NULL &&
	    users_check(u, SLICE("ann"), SLICE("correct horsf")) == NULL;
	users_free(u);
	buf_fini(&line);
	diag_fini(&diag);
	return good;
}

static void
test_users(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "users");
	struct diag diag = { 0 };
	struct users *u;

	is_int(count_users(path, "# x\n\nann:read:$6$x$y\nbob:decide:$y$j9T$x$y\n", 0600), 2, "two users");
	is_int(count_users(path, "ann:read:$6$x$y\n", 0640), -1, "a file that others read");
	is_int(count_users(path, "ann:read:$1$x$y\n", 0600), -1, "a hash that is too old");
	is_int(count_users(path, "ann:read:secret\n", 0600), -1, "no hash");
	is_int(count_users(path, "ann:root:$6$x$y\n", 0600), -1, "no role");
	is_int(count_users(path, "ann:decide,reveal:$6$x$y\n", 0600), 1, "two roles");
	is_int(count_users(path, "ann:decide,decide:$6$x$y\n", 0600), -1, "one role twice");
	is_int(count_users(path, "an\33n:read:$6$x$y\n", 0600), -1, "no name");
	is_int(count_users(path, "ann:read:$6$x$y\nann:decide:$6$x$y\n", 0600), -1, "one twice");
	is_int(count_users(path, "ann\n", 0600), -1, "no line");
	ok(is_taken(path, "$2b$04$abcdefghijklmnopqrstuu"), "bcrypt is taken");
	ok(is_taken(path, "$6$saltsalt$"), "SHA-512 is taken");
	ok(is_taken(path, "$y$j75$saltsalt"), "yescrypt is taken");
	unlink(path);
	is_int(users_put(path, SLICE("ann"), ROLE_BIT(ROLE_READ), SLICE("correct horse"), &diag), 0, "a user is added");
	is_int(users_put(path, SLICE("bob"), ROLE_BIT(ROLE_DECIDE), SLICE("battery staple"), &diag), 0, "and another");
	is_int(users_put(path, SLICE("ann"), ROLE_BIT(ROLE_DECIDE), SLICE("correct horse 2"), &diag), 0, "and changed");
	is_int(users_put(path, SLICE("x:y"), ROLE_BIT(ROLE_READ), SLICE("correct horse"), &diag), -1, "a name with a colon");
	is_int(users_put(path, SLICE("ann"), ROLE_BIT(ROLE_READ), SLICE("short"), &diag), -1, "a short password");
	u = users_load(path, &diag);
	ok(u != NULL && u->n == 2, "both are there");
	if (u != NULL) {
		ok(users_check(u, SLICE("ann"), SLICE("correct horse 2")) == users_find(u, SLICE("ann")), "the password");
		ok(users_check(u, SLICE("ann"), SLICE("correct horse")) == NULL, "not the one before");
		ok(users_check(u, SLICE("ann"), SLICE("battery staple")) == NULL, "nor that of another");
		ok(users_check(u, SLICE("joe"), SLICE("correct horse 2")) == NULL, "nor of nobody");
		ok(users_check(u, SLICE("ann"), SLICE("correct horse 2\0x")) == NULL, "nor with a NUL in it");
		ok(users_check(u, SLICE("ann"), slice_make(NULL, 0)) == NULL, "nor none");
	}
	users_free(u);
	diag_fini(&diag);
	free(path);
	free(dir);
}

/* ---- languages ---- */

/* The facts that TEXT has a place for, a bit each; 0 with *BAD for a brace that is none. */
static unsigned
facts_of(const char *text, bool *bad)
{
	unsigned facts = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '{' && p[1] >= '1' && p[1] < '1' + WORDS_FACTS && p[2] == '}') {
			facts |= 1u << (p[1] - '0');
			p += 2;
		} else if (*p == '{' || *p == '}' || *p == '<' || *p == '>' || *p == '&' || *p == '"')
			*bad = true;
	}
	return facts;
}

static void
test_words(void)
{
	for (size_t i = 0; i < WORDS_LANGUAGES; i++) {
		const struct words *w = &words_languages[i];
		size_t wrong = 0, same = 0;

		for (int id = 0; id < WORDS; id++) {
			const char *text = w->text[id], *english = words_languages[0].text[id];
			bool bad = text == NULL || *text == '\0';

			if (!bad && facts_of(text, &bad) != facts_of(english, &bad))
				bad = true;
			for (struct slice rest = slice_str(text); rest.len > 0; rest = slice_skip(rest, utf8_sequence(rest)))
				if (utf8_sequence(rest) == 0 || utf8_misleads(rest, utf8_sequence(rest))) {
					bad = true;
					break;
				}
			if (bad)
				printf("# %s %d: %s\n", w->name, id, text);
			wrong += bad;
			same += text != NULL && strcmp(text, english) == 0;
		}
		ok(wrong == 0, "%s: every text is there, with a place for each fact, and is no markup", w->name);
		ok(i == 0 || same < WORDS / 8, "%s: it is another language (%zu texts are as in English)", w->name, same);
	}
}

static void
test_choice(void)
{
	static const struct { const char *name, *cookie, *accept, *tag; } rows[] = {
		{ "nothing is said", "", "", "en" }, { "Accept-Language", "", "de-AT,de;q=0.9,en;q=0.8", "de" },
		{ "the best weight", "", "en;q=0.5, el;q=0.9", "el" }, { "none of ours", "", "ja", "en" },
		{ "the cookie is stronger", "fr", "de", "fr" }, { "a cookie of none", "xx", "es", "es" },
		{ "a cookie that is not ours", "../../etc", "es", "es" },
	};
	static const struct { const char *tag; uint64_t n; const char *out; } numbers[] = {
		{ "en", 0, "0" }, { "en", 999, "999" }, { "en", 1234567, "1,234,567" }, { "de", 1234, "1.234" },
		{ "fr", 12345, "12\xe2\x80\xaf" "345" }, { "es", 1234, "1234" }, { "es", 12345, "12\xe2\x80\xaf" "345" },
		{ "en", UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	char out[WORDS_NUMBER], span[WORDS_SPAN];
	struct buf b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_slice(words_choose(slice_str(rows[i].cookie), slice_str(rows[i].accept))->tag, slice_str(rows[i].tag), rows[i].name);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		is_slice(slice_str(words_number(words_find(slice_str(numbers[i].tag)), numbers[i].n, out)), slice_str(numbers[i].out),
		    numbers[i].out);
	is_slice(slice_str(words_span(words_find(SLICE("de")), 3 * 86400, span)), SLICE("3 Tage"), "a span");
	is_slice(slice_str(words_span(words_find(SLICE("en")), -5, span)), SLICE("0 s"), "none is below nothing");
	buf_init(&b, 4096);
	words_say(&b, words_find(SLICE("en")), W_OF, "<b>", "{1}", NULL);
	is_slice(buf_slice(&b), SLICE("<b> of {1}"), "facts are not looked into");
	buf_fini(&b);
}

/* ---- colours ---- */

/* The channel C, 0 to 255, as WCAG 2.2 wants it for relative luminance. */
static double
linear(unsigned c)
{
	double v = c / 255.0, r = 1;

	if (v <= 0.04045)
		return v / 12.92;
	/* ((v + 0.055) / 1.055) ^ 2.4 by 12/5: the fifth root is found by halving. */
	v = (v + 0.055) / 1.055;
	for (double low = 0, high = 1; high - low > 1e-12; r = (low + high) / 2)
		if (r * r * r * r * r > v)
			high = r;
		else
			low = r;
	return r * r * r * r * r * r * r * r * r * r * r * r;
}

static double
luminance(unsigned long rgb)
{
	return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) + 0.0722 * linear(rgb & 255);
}

/* The colour NAME in CSS, of three digits or six. */
static unsigned long
colour(const char *css, const char *name)
{
	char key[32];
	const char *p;
	char *end;
	unsigned long v;

	snprintf(key, sizeof(key), "--%s:#", name);
	if ((p = strstr(css, key)) == NULL)
		return 0;
	v = strtoul(p + strlen(key), &end, 16);
	if (end - (p + strlen(key)) == 3)
		v = (v & 0xf00) * 0x1100 | (v & 0xf0) * 0x110 | (v & 0xf) * 0x11;
	return v;
}

static double
contrast(const char *css, const char *a, const char *b)
{
	double x = luminance(colour(css, a)), y = luminance(colour(css, b));

	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* WCAG 2.2, 1.4.3 and 1.4.11: text 4.5:1, what is drawn and the focus 3:1. */
static void
test_contrast(void)
{
	static const struct { const char *ink, *ground; double least; } pairs[] = {
		{ "ink", "ground", 4.5 }, { "ink", "soft", 4.5 }, { "link", "ground", 4.5 }, { "link", "soft", 4.5 },
		{ "bad", "badtint", 4.5 }, { "mid", "midtint", 4.5 }, { "good", "goodtint", 4.5 }, { "line", "ground", 3 },
		{ "line", "soft", 3 }, { "bar", "ground", 3 }, { "bar2", "ground", 3 }, { "bad", "soft", 3 },
	};
	const char *dark = strstr(html_style, "prefers-color-scheme:dark");

	ok(dark != NULL, "there are dark colours");
	ok(contrast(":--a:#000;--b:#fff", "a", "b") > 20.99, "black on white is 21:1");
	ok(contrast(":--a:#777777;--b:#fff", "a", "b") < 4.5 && contrast(":--a:#767676;--b:#fff", "a", "b") >= 4.5, "#767676 is the limit");
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof(pairs) / sizeof(*pairs); k++) {
			double got = contrast(i == 0 ? html_style : dark, pairs[k].ink, pairs[k].ground);

			ok(got >= pairs[k].least, "%s: %s on %s is %.2f:1", i == 0 ? "light" : "dark", pairs[k].ink, pairs[k].ground, got);
		}
}

/* ---- connections ---- */

static void
net(uint8_t out[static SLOT_NET], unsigned n)
{
	memset(out, 0, SLOT_NET);
	memcpy(out, &n, sizeof(n));
}

static void
test_slots(void)
{
	struct slots *s = calloc(1, sizeof(*s));
	uint8_t a[SLOT_NET], b[SLOT_NET];
	struct slot *slot;
	int cut, cuts = 0;

	net(a, 1);
	net(b, 2);
	is_int(slots_init(s), 0, "a table");
	for (int i = 0; i < SLOTS_EACH; i++) {
		slots_take(s, 1000 + i, a, false, i, &cut);
		cuts += cut != -1;
	}
	is_int(cuts, 0, "as many as one may have");
	slot = slots_take(s, 2000, a, false, 100, &cut);
	ok(slot != NULL && cut == 1000, "one more ends his own oldest");
	slot = slots_take(s, 3000, b, false, 101, &cut);
	ok(slot != NULL && cut == -1, "another has nothing to do with it");
	slots_leave(s, slots_find(s, 1000));
	ok(slots_find(s, 1000) == NULL, "what ended leaves");
	is_int((long)s->n, SLOTS_EACH + 1, "and was not counted twice");
	for (unsigned i = 0; i < 10000; i++) {
		net(a, 10 + i % 3000);
		slot = slots_take(s, (int)(10000 + i), a, false, 200 + i, &cut);
		if (cut != -1)
			slots_leave(s, slots_find(s, cut));
	}
	ok(s->n <= SLOTS_MAX, "ten thousand from three thousand: %zu at once", s->n);
	ok(slots_take(s, 4000, b, false, 20000, &cut) != NULL && cut != 4000 && cut != -1, "a newcomer still comes in");
	slots_leave(s, slots_find(s, cut));
	for (int i = 0; i < SLOTS_ENDING; i++) {
		slots_take(s, 5000 + i, b, true, 20001, &cut);
		ok(cut == -1 || cut < 5000 || cut >= 10000, "behind a server that is trusted none ends another of it");
	}
	ok(slots_take(s, 6000, b, false, 20002, &cut) == NULL, "when too many are ending it is refused");
	while ((cut = slots_expire(s, 20002 + SLOTS_LIFE_MS + 1)) != -1)
		slots_leave(s, slots_find(s, cut));
	is_int((long)s->n, 0, "all are too old in the end");
	free(s);
}

int
main(void)
{
	test_words();
	test_choice();
	test_contrast();
	test_slots();
	test_text();
	test_name();
	test_form();
	test_sessions();
	test_limits();
	test_users();
	return tap_done();
}
