/* The public suffix list: our own table against a small list, and against libpsl over every rule of
 * Debian's list. */
#include <idn2.h>

#include "base/file.h"
#include "t/tap.h"
#include "url_rules/psl.h"

#ifdef HAVE_LIBPSL
#include <libpsl.h>
#endif

static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

static const char small_list[] =
	"// A comment, and an empty line\n"
	"\n"
	"// ===BEGIN ICANN DOMAINS===\n"
	"com\r\n"
	"uk   // what follows a blank does not count\n"
	"co.uk\n"
	"*.ck\n"
	"!www.ck\n"
	"jp\n"
	"*.kawasaki.jp\n"
	"!city.kawasaki.jp\n"
	"secure\n"
	"\xe5\x85\xac\xe5\x8f\xb8.cn\n"
	"cn\n"
	"COM.Upper\n"
	"// ===END ICANN DOMAINS===\n"
	"// ===BEGIN PRIVATE DOMAINS===\n"
	"blogspot.com\n"
	"*.compute.example.com\n"
	"!own.compute.example.com\n"
	"alone\n"
	"co.uk\n"
	"// ===END PRIVATE DOMAINS===\n";

static const struct row {
	const char	*name, *host, *icann, *any, *registrable;
	bool		 listed, private_rule, is_suffix;
} rows[] = {
	{ "a top-level domain", "com", "com", "com", "", true, false, true },
	{ "one label more", "example.com", "com", "com", "example.com", true, false, false },
	{ "many labels more", "d.c.b.example.com", "com", "com", "example.com", true, false,
	    false },
	{ "the longest rule decides", "a.example.co.uk", "co.uk", "co.uk", "example.co.uk", true,
	    false, false },
	{ "the shorter rule of two", "example.uk", "uk", "uk", "example.uk", true, false, false },
	{ "a rule is whole labels", "xco.uk", "uk", "uk", "xco.uk", true, false, false },
	{ "a wildcard's own name", "ck", "ck", "ck", "", true, false, true },
	{ "what the wildcard stands for", "gov.ck", "gov.ck", "gov.ck", "", true, false, true },
	{ "below a wildcard", "a.b.gov.ck", "gov.ck", "gov.ck", "b.gov.ck", true, false, false },
	{ "an exception", "www.ck", "ck", "ck", "www.ck", true, false, false },
	{ "below an exception", "a.www.ck", "ck", "ck", "www.ck", true, false, false },
	{ "a deeper wildcard", "a.b.kawasaki.jp", "b.kawasaki.jp", "b.kawasaki.jp",
	    "a.b.kawasaki.jp", true, false, false },
	{ "a deeper exception", "a.city.kawasaki.jp", "kawasaki.jp", "kawasaki.jp",
	    "city.kawasaki.jp", true, false, false },
	{ ".secure is a real one", "upd01.secure", "secure", "secure", "upd01.secure", true, false,
	    false },
	{ "the victim left of .secure", "betterbricks.com.secure", "secure", "secure", "com.secure",
	    true, false, false },
	{ "nobody's top level", "a.b.invalid", "invalid", "invalid", "b.invalid", false, false,
	    false },
	{ "nobody's top level alone", "localhost", "localhost", "localhost", "", false, false,
	    false },
	{ "a UTF-8 rule, asked by A-labels", "x.xn--55qx5d.cn", "xn--55qx5d.cn", "xn--55qx5d.cn",
	    "x.xn--55qx5d.cn", true, false, false },
	{ "capitals in the list", "a.com.upper", "com.upper", "com.upper", "a.com.upper", true,
	    false, false },
	{ "a private rule", "me.blogspot.com", "com", "blogspot.com", "me.blogspot.com", true, true,
	    false },
	{ "a private suffix itself", "blogspot.com", "com", "blogspot.com", "", true, true, true },
	{ "a private wildcard", "a.b.compute.example.com", "com", "b.compute.example.com",
	    "a.b.compute.example.com", true, true, false },
	{ "a private exception", "a.own.compute.example.com", "com", "compute.example.com",
	    "own.compute.example.com", true, true, false },
	{ "the private part alone knows it", "a.alone", "alone", "alone", "a.alone", true, true,
	    false },
	{ "in both parts: ICANN's", "a.co.uk", "co.uk", "co.uk", "a.co.uk", true, false, false },
	{ "an IPv4 address", "192.0.2.7", "192.0.2.7", "192.0.2.7", "", false, false, false },
	{ "an IPv6 address", "[2001:db8::7]", "[2001:db8::7]", "[2001:db8::7]", "", false, false,
	    false },
	{ "nothing", "", "", "", "", false, false, false },
	{ "only a dot", ".", "", "", "", false, false, false },
	{ "an empty label before the suffix", ".com", "com", "com", "", true, false, false },
	{ "an empty label at the end", "com.", "", "", "com.", false, false, false },
};

/* LIST written to a file and read; findings go to DIAG. */
static struct public_suffixes *
load_text(struct slice list, struct diag *diag)
{
	char *dir = temp_dir(), *path = file_join(dir, "list.dat");
	struct public_suffixes *result;

	if (path == NULL || file_write(path, list, 0600) == -1)
		abort();
	result = public_suffixes_load(path, diag);
	unlink(path);
	rmdir(dir);
	free(path);
	free(dir);
	return result;
}

static bool
row_holds(const struct public_suffixes *list, const struct row *r)
{
	struct slice host = guard_copy(slice_str(r->host));
	struct suffix_answer a = public_suffix(list, host);

	return slice_eq(a.icann, slice_str(r->icann)) && slice_eq(a.any, slice_str(r->any)) &&
	    slice_eq(registrable_domain(list, host), slice_str(r->registrable)) &&
	    a.listed == r->listed && a.private_rule == r->private_rule &&
	    is_public_suffix(list, host) == r->is_suffix;
}

static void
test_small(void)
{
	struct diag diag = { 0 };
	struct public_suffixes *list = load_text(SLICE(small_list), &diag);

	if (!ok(list != NULL && diag.n == 0, "the small list is read without a finding"))
		return;
	is_int((long long)public_suffixes_count(list), 17, "each written rule counts");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!ok(row_holds(list, &rows[i]), "%s: %s", rows[i].name, rows[i].host)) {
			struct suffix_answer a = public_suffix(list, slice_str(rows[i].host));
			struct slice domain = registrable_domain(list, slice_str(rows[i].host));

			printf("# icann %.*s any %.*s registrable %.*s listed %d private %d\n",
			    SLICE_ARGS(a.icann), SLICE_ARGS(a.any), SLICE_ARGS(domain), a.listed,
			    a.private_rule);
		}
	public_suffixes_free(list);
	diag_fini(&diag);
}

static const struct { const char *name, *text; size_t len, n, warnings; } lists[] = {
	{ "an empty list", "", 0, 0, 0 },
	{ "only comments", "// com\n", 7, 0, 0 },
	{ "no newline at the end", "com", 3, 1, 0 },
	{ "an empty label", "com\na..b\n.x\ny.\n", 15, 1, 3 },
	{ "a star that is no label", "com\na*.b\n*\n*.\n!\n", 16, 1, 4 },
	{ "a star within", "com\na.*.b\n", 10, 1, 1 },
	{ "a NUL in a name", "com\nne\0t\n", 9, 1, 1 },
	{ "a NUL in a UTF-8 name", "com\n\xc3\xa4\0b\n", 9, 1, 1 },
	{ "bytes that are not UTF-8", "com\n\xff\xfe\n", 7, 1, 1 },
};

static void
test_lists(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct diag diag = { 0 };
		struct public_suffixes *list =
		    load_text(slice_make(lists[i].text, lists[i].len), &diag);
		size_t n = list == NULL ? 0 : public_suffixes_count(list);

		ok(n == lists[i].n && diag.n_warnings == lists[i].warnings &&
			(diag.n_errors > 0) == (n == 0),
		    "%s: %zu rules, %zu warnings", lists[i].name, n, diag.n_warnings);
		public_suffixes_free(list);
		diag_fini(&diag);
	}
}

static void
test_no_file(void)
{
	struct diag diag = { 0 };

	ok(public_suffixes_load("/nonexistent/list.dat", &diag) == NULL && diag.n_errors == 1,
	    "a list that cannot be read is an error");
	diag_fini(&diag);
	public_suffixes_free(NULL);
}

static void
test_debian(const struct public_suffixes *list)
{
	ok(public_suffixes_count(list) > 8000, "Debian's list has its thousands of rules");
	ok(public_suffix(list, SLICE("a.secure")).listed, ".secure is on Debian's list");
	is_slice(registrable_domain(list, SLICE("updates.betterbricks.com.secure.upd01.net")),
	    SLICE("upd01.net"), "the attacker's domain right of .secure");
	is_slice(registrable_domain(list, SLICE("www.example.co.uk")), SLICE("example.co.uk"),
	    "a second-level suffix");
	ok(is_public_suffix(list, SLICE("github.io")), "a private suffix of Debian's list");
}

#ifdef HAVE_LIBPSL
enum { RULES_MIN = 8000, NAME_MAX_LEN = 512 };

struct oracle {
	const struct public_suffixes	*list;
	const psl_ctx_t			*psl;
	size_t				 asked, wrong;
	char				 first[NAME_MAX_LEN];
};

/* libpsl's public suffix of HOST by the rules of TYPE, where "*" is one. */
static const char *
oracle_suffix(const psl_ctx_t *psl, const char *host, int type)
{
	const char *dot;

	while (!psl_is_public_suffix2(psl, host, type) && (dot = strchr(host, '.')) != NULL)
		host = dot + 1;
	return host;
}

static bool
agrees(const struct oracle *o, const char *host)
{
	struct slice s = slice_str(host);
	struct suffix_answer a = public_suffix(o->list, s);
	const char *registrable = psl_registrable_domain(o->psl, host);

	return slice_eq(a.any, slice_str(oracle_suffix(o->psl, host, PSL_TYPE_ANY))) &&
	    slice_eq(a.icann, slice_str(oracle_suffix(o->psl, host, PSL_TYPE_ICANN))) &&
	    slice_eq(registrable_domain(o->list, s), slice_str(registrable)) &&
	    is_public_suffix(o->list, s) ==
	    (psl_is_public_suffix2(o->psl, host, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0);
}

static void
ask(struct oracle *o, const char *host)
{
	o->asked++;
	if (agrees(o, host))
		return;
	if (o->wrong++ == 0)
		snprintf(o->first, sizeof(o->first), "%s", host);
}

/* What is asked for a rule's name: before and after it, and how many of its labels are left out. */
static const struct shape { const char *name, *before, *after; int drop; } shapes[] = {
	{ "the name itself", "", "", 0 },
	{ "one label more", "a.", "", 0 },
	{ "two labels more", "b.a.", "", 0 },
	{ "five labels more", "e.d.c.b.a.", "", 0 },
	{ "www", "www.", "", 0 },
	{ "a label that ends in the name", "x", "", 0 },
	{ "the name under .com", "a.", ".com", 0 },
	{ "the name under .secure", "a.", ".secure", 0 },
	{ "the name under nobody's top level", "a.", ".invalid", 0 },
	{ "com below the name", "com.", "", 0 },
	{ "a top level that goes on", "a.", "x", 0 },
	{ "without the first label", "", "", 1 },
	{ "another first label", "q.", "", 1 },
	{ "two other labels", "r.q.", "", 1 },
};

static void
ask_shape(struct oracle *o, const struct shape *shape, const char *name)
{
	char host[NAME_MAX_LEN];

	if (shape->drop > 0) {
		if ((name = strchr(name, '.')) == NULL)
			return;
		name++;
	}
	snprintf(host, sizeof(host), "%s%s%s", shape->before, name, shape->after);
	ask(o, host);
}

/* The name of the rule that LINE is, as A-labels that the caller frees; NULL when it is none. */
static char *
name_of_line(struct slice line)
{
	char *utf8, *ascii = NULL, *copy;

	line = slice_trim(line);
	if (line.len == 0 || slice_starts(line, SLICE("//")))
		return NULL;
	line = slice_skip(line,
	    slice_starts(line, SLICE("*."))	 ? 2
		: slice_starts(line, SLICE("!")) ? 1
						 : 0);
	line = slice_head(line, slice_find(line, ' '));
	utf8 = slice_dup(line);
	if (utf8 == NULL || idn2_to_ascii_8z(utf8, &ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
		abort();
	copy = slice_dup(slice_str(ascii));
	idn2_free(ascii);
	free(utf8);
	return copy;
}

static void
test_shape(struct oracle o, const struct shape *shape, struct slice text)
{
	struct slice line;

	while (text.len > 0) {
		char *name;

		slice_cut(text, '\n', &line, &text);
		if ((name = name_of_line(line)) != NULL)
			ask_shape(&o, shape, name);
		free(name);
	}
	ok(o.asked > RULES_MIN / 2 && o.wrong == 0, "as libpsl has it: %s (%zu asked, %zu differ)",
	    shape->name, o.asked, o.wrong);
	if (o.wrong > 0)
		printf("# first: %s\n", o.first);
}

static void
test_oracle(const struct public_suffixes *list)
{
	psl_ctx_t *psl = psl_load_file(PUBLIC_SUFFIX_FILE);
	struct oracle o = { .list = list, .psl = psl };
	struct buf text;

	buf_init(&text, 16 << 20);
	if (ok(psl != NULL && file_read(PUBLIC_SUFFIX_FILE, &text) == 0,
		"libpsl reads the list too"))
		for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
			test_shape(o, &shapes[i], buf_slice(&text));
	buf_fini(&text);
	psl_free(psl);
}
#else
static void
test_oracle(const struct public_suffixes *list)
{
	(void)list;
	skip("as libpsl has it", "built without libpsl");
}
#endif

int
main(void)
{
	struct diag diag = { 0 };
	struct public_suffixes *list;

	test_small();
	test_lists();
	test_no_file();
	if (access(PUBLIC_SUFFIX_FILE, R_OK) == -1)
		skip("Debian's list", PUBLIC_SUFFIX_FILE " is missing");
	else if (ok((list = public_suffixes_load(PUBLIC_SUFFIX_FILE, &diag)) != NULL && diag.n == 0,
	    "Debian's list is read without a finding")) {
		test_debian(list);
		test_oracle(list);
		public_suffixes_free(list);
	}
	diag_print(&diag, stdout);
	diag_fini(&diag);
	return tap_done();
}
