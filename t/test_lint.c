/* What must hardly ever be published: that each of it is found, by whichever option says what follows, and that nothing else is. */
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "ruleset/lint.h"
#include "ruleset/lint_trivial.h"
#include "t/tap.h"

enum { LINE = 42, ROOM = 1 << 16, MANY = 3000 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define EMPTY_MD5	"d41d8cd98f00b204e9800998ecf8427e"
#define EMPTY_SHA1	"da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define EMPTY_SHA256	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char suffix_list[] =
	"// ===BEGIN ICANN DOMAINS===\n"
	"com\n"
	"net\n"
	"uk\n"
	"co.uk\n"
	"*.ck\n"
	"!www.ck\n"
	"\xe5\x85\xac\xe5\x8f\xb8.cn\n"
	"// ===END ICANN DOMAINS===\n"
	"// ===BEGIN PRIVATE DOMAINS===\n"
	"blogspot.com\n"
	"// ===END PRIVATE DOMAINS===\n";

static const char top_sites[] =
	"# a comment\n\n"
	"big.test\t# another\n"
	"  .huge.test \r\n"
	"*.cdn.test\n"
	"9.9.9.9";

static const char shared_hosts[] =
	"docs.huge.test\n"
	"pages.org\n";

static const char base_site[] =
	"OwnDomains bank.co.uk  WWW.Intranet.Example. 192.0.2.7 b\xc3\xbc" "ro.example [2001:DB8:0::7]\n"
	"LintAddress ignore\n";

static const struct slice protected[] = { SLICE("partner.net"), SLICE("mail.friend.org"), SLICE("198.51.100.1") };

static char *dir;		/* our folder: the lists */
static struct public_suffixes *suffixes;
static struct lint *lint;	/* with all of the above */

static const char *
path_in(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	if (file_write(path_in(name), slice_str(text), 0644) == -1)
		abort();
}

/* OPTIONS with the site that TEXT makes. */
static struct lint *
new_lint(const char *text, struct lint_options options, struct diag *diag)
{
	struct diag bad = { 0 };
	struct site site;
	struct lint *made;

	if (option_defaults(site_options, site_options_n, &site) == -1 ||
	    option_parse(site_options, site_options_n, &site, "site.conf", slice_str(text), &bad) == -1)
		abort();
	options.site = &site;
	made = lint_new(&options, diag);
	option_fini(site_options, site_options_n, &site);
	return made;
}

/* All there is to ask, with the site that TEXT makes. */
static struct lint *
full_lint(const char *text)
{
	struct lint_options options = { .suffixes = suffixes, .protected = protected, .n_protected = COUNT(protected), .lists = dir };

	return new_lint(text, options, NULL);
}

/* ---- rules ---- */

/* A block rule and what is found: parts of the findings' texts, in their order. */
struct lint_row {
	const char	*idea;
	enum rule_kind	 kind;
	const char	*value;
	const char	*found[3];
};

#define SUFFIX(x)	"the rule covers the public suffix " x ", under which strangers have their domains"
#define OWN(x)		"the rule covers the site's own domain " x "; remove the rule, or the domain from OwnDomains"
#define PROTECTED(x)	"the rule covers the protected domain " x "; remove this rule or the protect rule"
#define TOP(x)		"the rule covers " x ", which everybody uses; write a url rule"
#define SHARED(x)	"the rule covers " x ", where strangers have their pages side by side; write a url rule"
#define TRIVIAL(x)	"the digest is that of " x ", which is everywhere and harmless; remove the rule"

static const struct lint_row rows[] = {
	{ "a domain of strangers", RULE_HOST, ".upd01.com", { NULL } },
	{ "below a domain of strangers", RULE_HOST, "*.secure.upd01.com", { NULL } },
	{ "a host of strangers", RULE_HOST, "www.upd01.com", { NULL } },
	{ "a page of strangers", RULE_URL, ".upd01.com/x", { NULL } },
	{ "all pages of strangers", RULE_URL, ".upd01.com/", { NULL } },
	/* public suffixes */
	{ "a top-level domain and all below", RULE_HOST, ".com", { SUFFIX("com") } },
	{ "all below a top-level domain", RULE_HOST, "*.com", { SUFFIX("com") } },
	{ "a host whose name is a suffix", RULE_HOST, "com", { NULL } },
	{ "a suffix in capitals", RULE_HOST, "*.COM.", { SUFFIX("com") } },
	{ "a private suffix", RULE_HOST, ".blogspot.com", { SUFFIX("blogspot.com") } },
	{ "a domain under a private suffix", RULE_HOST, ".evil.blogspot.com", { NULL } },
	{ "a wildcard's suffix", RULE_HOST, "*.gov.ck", { SUFFIX("gov.ck") } },
	{ "the wildcard's own name", RULE_HOST, ".ck", { SUFFIX("ck") } },
	{ "the exception to it", RULE_HOST, ".www.ck", { NULL } },
	{ "a suffix in Chinese", RULE_HOST, ".\xe5\x85\xac\xe5\x8f\xb8.cn", { SUFFIX("xn--55qx5d.cn") } },
	{ "a top level that is not listed", RULE_HOST, ".invalid", { NULL } },
	{ "whole labels only", RULE_HOST, ".oco.uk", { NULL } },
	{ "all pages under a suffix", RULE_URL, ".com/", { SUFFIX("com") } },
	{ "a page under a suffix", RULE_URL, "*.com/x.exe", { SUFFIX("com") } },
	{ "a page of a host that is a suffix", RULE_URL, "blogspot.com/x", { NULL } },
	/* own domains */
	{ "an own domain", RULE_HOST, "bank.co.uk", { OWN("bank.co.uk") } },
	{ "an own domain and below", RULE_HOST, ".bank.co.uk", { OWN("bank.co.uk") } },
	{ "below an own domain", RULE_HOST, "*.bank.co.uk", { OWN("bank.co.uk") } },
	{ "a host of an own domain", RULE_HOST, "www.bank.co.uk", { OWN("bank.co.uk") } },
	{ "below a host of an own domain", RULE_HOST, "*.a.www.bank.co.uk", { OWN("bank.co.uk") } },
	{ "an own domain in capitals, with a port", RULE_URL, "BANK.co.uk:80/", { OWN("bank.co.uk") } },
	{ "what an own domain lies in", RULE_HOST, "*.example", { OWN("www.intranet.example") } },
	{ "a domain that an own one lies in", RULE_HOST, ".intranet.example", { OWN("www.intranet.example") } },
	{ "that domain's host alone", RULE_HOST, "intranet.example", { NULL } },
	{ "an own domain with an umlaut", RULE_HOST, "x.B\xc3\x9cRO.example", { OWN("xn--bro-hoa.example") } },
	{ "its A-label", RULE_HOST, ".xn--bro-hoa.example", { OWN("xn--bro-hoa.example") } },
	{ "a name that ends alike", RULE_HOST, ".mybank.co.uk", { NULL } },
	{ "an own domain to the left", RULE_HOST, ".bank.co.uk.upd01.com", { NULL } },
	{ "a suffix with an own domain", RULE_HOST, "*.co.uk", { SUFFIX("co.uk"), OWN("bank.co.uk") } },
	{ "an own address", RULE_HOST, "192.0.2.7", { OWN("192.0.2.7") } },
	{ "an own address as one number", RULE_HOST, "3221225991", { OWN("192.0.2.7") } },
	{ "an own address, mapped", RULE_HOST, "[::ffff:192.0.2.7]", { OWN("192.0.2.7") } },
	{ "an address beside it", RULE_HOST, "192.0.2.70", { NULL } },
	{ "an own IPv6 address", RULE_HOST, "[2001:0db8::7]", { OWN("[2001:db8::7]") } },
	{ "an IPv6 address beside it", RULE_HOST, "[2001:db8::70]", { NULL } },
	/* URLs */
	{ "a page of an own domain", RULE_URL, "bank.co.uk/x", { NULL } },
	{ "a page below an own domain", RULE_URL, ".bank.co.uk/~user/", { NULL } },
	{ "a query of an own front page", RULE_URL, "bank.co.uk/?x", { NULL } },
	{ "all pages of an own host", RULE_URL, "www.bank.co.uk/", { OWN("bank.co.uk") } },
	{ "all pages, in other words", RULE_URL, "http://.bank.co.uk//a/../?", { OWN("bank.co.uk") } },
	{ "all pages of an own address", RULE_URL, "192.0.2.7/", { OWN("192.0.2.7") } },
	{ "a page of an own address", RULE_URL, "192.0.2.7/x", { NULL } },
	{ "a page of a protected domain", RULE_URL, "partner.net/x", { NULL } },
	{ "all pages of a protected domain", RULE_URL, ".partner.net/", { PROTECTED("partner.net") } },
	/* protected domains */
	{ "a protected domain", RULE_HOST, "partner.net", { PROTECTED("partner.net") } },
	{ "a host of a protected domain", RULE_HOST, "x.partner.net", { PROTECTED("partner.net") } },
	{ "what a protected host lies in", RULE_HOST, ".friend.org", { PROTECTED("mail.friend.org") } },
	{ "below what a protected host lies in", RULE_HOST, "*.friend.org", { PROTECTED("mail.friend.org") } },
	{ "the host it lies in alone", RULE_HOST, "friend.org", { NULL } },
	{ "a neighbour of a protected host", RULE_HOST, ".www.friend.org", { NULL } },
	{ "a protected address", RULE_HOST, "198.51.100.1", { PROTECTED("198.51.100.1") } },
	{ "a suffix with a protected domain", RULE_HOST, ".net", { SUFFIX("net"), PROTECTED("partner.net") } },
	/* sites that everybody uses: big.test itself, .huge.test and all below, *.cdn.test below only */
	{ "a top site", RULE_HOST, "big.test", { TOP("big.test") } },
	{ "a top site and below", RULE_HOST, ".big.test", { TOP("big.test") } },
	{ "below a top site, which is meant", RULE_HOST, "*.big.test", { TOP("big.test") } },
	{ "a host of it, listed without a dot", RULE_HOST, "x.big.test", { NULL } },
	{ "a host of it, and below", RULE_HOST, ".x.big.test", { NULL } },
	{ "a host of one listed with a dot", RULE_HOST, "x.huge.test", { TOP("huge.test") } },
	{ "far below one listed with a dot", RULE_HOST, "a.b.x.huge.test", { TOP("huge.test") } },
	{ "listed with a dot, itself", RULE_HOST, "huge.test", { TOP("huge.test") } },
	{ "listed below only, itself", RULE_HOST, "cdn.test", { NULL } },
	{ "listed below only, all of it", RULE_HOST, ".cdn.test", { TOP("cdn.test") } },
	{ "listed below only, below", RULE_HOST, "a.cdn.test", { TOP("cdn.test") } },
	{ "what top sites lie in", RULE_HOST, ".test", { TOP("big.test"), SHARED("docs.huge.test") } },
	{ "a name that ends like a top site", RULE_HOST, ".xbig.test", { NULL } },
	{ "a page of a top site", RULE_URL, "big.test/x", { NULL } },
	{ "all pages of a top site", RULE_URL, "big.test/", { TOP("big.test") } },
	{ "a top address", RULE_HOST, "9.9.9.9", { TOP("9.9.9.9") } },
	{ "its neighbour", RULE_HOST, "9.9.9.8", { NULL } },
	/* hosts that strangers share */
	{ "a shared host", RULE_HOST, "docs.huge.test", { TOP("huge.test"), SHARED("docs.huge.test") } },
	{ "a page of a shared host", RULE_URL, "docs.huge.test/d/1", { NULL } },
	{ "all pages of a shared host", RULE_URL, "docs.huge.test/", { TOP("huge.test"), SHARED("docs.huge.test") } },
	{ "one customer's host", RULE_HOST, "evil.pages.org", { NULL } },
	{ "all customers' hosts", RULE_HOST, "*.pages.org", { SHARED("pages.org") } },
	{ "a shared host of a suffix", RULE_HOST, ".org", { PROTECTED("mail.friend.org"), SHARED("pages.org") } },
	/* files */
	{ "no bytes, MD5", RULE_FILE, "*:md5:" EMPTY_MD5, { TRIVIAL("the empty file") } },
	{ "no bytes, SHA-1", RULE_FILE, "*:sha1:" EMPTY_SHA1, { TRIVIAL("the empty file") } },
	{ "no bytes, SHA-256", RULE_FILE, "*:sha256:" EMPTY_SHA256, { TRIVIAL("the empty file") } },
	{ "no bytes and a size", RULE_FILE, "90112:md5:" EMPTY_MD5, { TRIVIAL("the empty file") } },
	{ "no bytes, in capitals", RULE_FILE, "*:MD5:D41D8CD98F00B204E9800998ECF8427E", { TRIVIAL("the empty file") } },
	{ "a last digit that is another", RULE_FILE, "*:md5:d41d8cd98f00b204e9800998ecf8427f", { NULL } },
	{ "a first digit that is another", RULE_FILE, "*:sha1:ca39a3ee5e6b4b0d3255bfef95601890afd80709", { NULL } },
	{ "a last digit of SHA-256", RULE_FILE, "*:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b854",
	    { NULL } },
	{ "the digits of another algorithm", RULE_FILE, "*:sha1:" EMPTY_MD5 "00000000", { NULL } },
	{ "a newline", RULE_FILE, "*:md5:68b329da9893e34099c7d8ad5cb9c940", { TRIVIAL("a single newline") } },
	{ "no digits but zeros", RULE_FILE, "*:md5:00000000000000000000000000000000", { NULL } },
};

/* What ASKED finds about ACTION on the value of ROW. */
static enum lint_action
ask(const struct lint *asked, enum rule_action action, const struct lint_row *row, struct lint_finding *out, size_t *n,
    struct rule_match *match)
{
	struct rule rule = { .action = action, .kind = row->kind, .value = slice_str(row->value) };
	char why[RULE_WHY];
	size_t at;

	if (rule_match_parse(row->kind, rule.value, match, why, &at) == -1) {
		printf("# %s: %s\n", row->value, why);
		abort();
	}
	return lint_rule(asked, &rule, match, out, n);
}

static bool
says(const struct lint_finding *f, const char *text)
{
	struct buf b;
	bool good;

	buf_init(&b, ROOM);
	good = lint_finding_format(f, &b) == 0 && slice_starts(buf_slice(&b), slice_str(text));
	if (!good)
		printf("# found: %s\n", b.len > 0 ? b.p : "nothing");
	buf_fini(&b);
	return good;
}

static void
test_row(const struct lint *asked, const struct lint_row *row)
{
	struct lint_finding found[LINT_CLASSES];
	struct rule_match match;
	size_t n, expected = 0;
	enum lint_action heaviest = ask(asked, RULE_BLOCK, row, found, &n, &match), seen = LINT_IGNORE;
	bool good = true;

	while (expected < COUNT(row->found) && row->found[expected] != NULL) {
		good = good && expected < n && says(&found[expected], row->found[expected]);
		expected++;
	}
	for (size_t i = 0; i < n; i++)
		seen = found[i].action > seen ? found[i].action : seen;
	ok(good && n == expected && seen == heaviest, "%s: %s", row->idea, expected > 0 ? "found" : "fine");
	rule_match_fini(&match);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		test_row(lint, &rows[i]);
}

/* The same values, allowed or protected: nobody is cut off by that. */
static void
test_rule_actions(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		for (enum rule_action a = RULE_ALLOW; a <= RULE_PROTECT; a++) {
			struct lint_finding found[LINT_CLASSES];
			struct rule_match match;
			size_t n;

			ok(ask(lint, a, &rows[i], found, &n, &match) == LINT_IGNORE && n == 0, "%s: may be another action (%s)", rows[i].idea,
			    rule_action_name(a));
			rule_match_fini(&match);
		}
}

/* How many findings ASKED has about a block of host VALUE. */
static long long
findings(const struct lint *asked, const char *value)
{
	struct lint_row row = { .kind = RULE_HOST, .value = value };
	struct lint_finding found[LINT_CLASSES];
	struct rule_match match;
	size_t n;

	ask(asked, RULE_BLOCK, &row, found, &n, &match);
	rule_match_fini(&match);
	return (long long)n;
}

/* What a site leaves out is not asked for; the rest is. */
static void
test_parts(void)
{
	struct lint_options options = { .protected = protected, .n_protected = COUNT(protected), .lists = dir };
	struct lint *no_suffixes = new_lint(base_site, options, NULL);
	struct lint *nothing = new_lint("", (struct lint_options){ 0 }, NULL), *no_site;

	options = (struct lint_options){ .suffixes = suffixes };
	no_site = lint_new(&options, NULL);
	is_int(findings(lint, "*.co.uk"), 2, "all of it: the suffix and the own domain");
	is_int(findings(no_suffixes, "*.co.uk"), 1, "without suffixes: the own domain");
	is_int(findings(no_suffixes, ".net"), 1, "without suffixes: the protected domain");
	is_int(findings(no_suffixes, "big.test"), 1, "without suffixes: the top site");
	is_int(findings(nothing, ".com"), 0, "with none of it: nothing");
	is_int(findings(nothing, "big.test"), 0, "and no list is read");
	is_int(findings(nothing, "10.0.0.1"), 1, "but addresses need no list");
	is_int(findings(no_site, "*.co.uk"), 1, "without a site: the defaults");
	is_int(findings(no_site, "partner.net"), 0, "and no more than was given");
	lint_free(no_suffixes);
	lint_free(nothing);
	lint_free(no_site);
	lint_free(NULL);
}

/* ---- options ---- */

/* A rule that only CLASS has something to say about, and what follows by default. */
static const struct class_row {
	enum lint_class	 class;
	enum rule_kind	 kind;
	const char	*value, *option;
	enum lint_action dflt;
} class_rows[] = {
	{ LINT_PUBLIC_SUFFIX, RULE_HOST, ".com", "LintPublicSuffix", LINT_REFUSE },
	{ LINT_OWN_DOMAIN, RULE_HOST, "bank.co.uk", "LintOwnDomain", LINT_REFUSE },
	{ LINT_PROTECTED, RULE_HOST, "partner.net", "LintProtected", LINT_REFUSE },
	{ LINT_ADDRESS, RULE_HOST, "10.0.0.1", "LintAddress", LINT_WARN },
	{ LINT_TOP_SITE, RULE_HOST, "big.test", "LintTopSite", LINT_HOLD },
	{ LINT_TRIVIAL_DIGEST, RULE_FILE, "*:md5:" EMPTY_MD5, "LintTrivialDigest", LINT_REFUSE },
	{ LINT_COMMON_NAME, RULE_FILE, "*:name:SETUP*.exe", "LintCommonName", LINT_HOLD },
	{ LINT_SHARED_HOST, RULE_HOST, "*.pages.org", "LintSharedHost", LINT_WARN },
};

static const char *const action_words[] = { "ignore", "warn", "hold", "refuse" };

static void
test_class(const struct class_row *row, const char *word, enum lint_action expected)
{
	struct lint_row asked = { .kind = row->kind, .value = row->value };
	struct lint_finding found[LINT_CLASSES];
	struct rule_match match;
	struct lint *made;
	char text[200];
	size_t n;

	snprintf(text, sizeof(text), "OwnDomains bank.co.uk\n%s%s %s\n", word == NULL ? "#" : "", row->option, word == NULL ? "" : word);
	made = full_lint(text);
	ok(ask(made, RULE_BLOCK, &asked, found, &n, &match) == expected, "%s %s: obeyed", row->option, word == NULL ? "left out" : word);
	ok(expected == LINT_IGNORE ? n == 0 : n == 1 && found[0].class == row->class && found[0].action == expected,
	    "in the finding, too");
	rule_match_fini(&match);
	lint_free(made);
}

static void
test_options(void)
{
	for (size_t i = 0; i < COUNT(class_rows); i++) {
		test_class(&class_rows[i], NULL, class_rows[i].dflt);
		for (enum lint_action a = LINT_IGNORE; a <= LINT_REFUSE; a++)
			test_class(&class_rows[i], action_words[a], a);
	}
}

/* A class has the name of its option. */
static void
test_class_names(void)
{
	char name[OPTION_NAME];

	for (enum lint_class c = 0; c < LINT_WAVE; c++) {
		snprintf(name, sizeof(name), "lint_%s", lint_class_name(c));
		ok(option_find(site_options, site_options_n, slice_str(name)) != NULL, "%s is an option", name);
	}
}

/* ---- proposals ---- */

static enum lint_action
ask_wave(const struct lint *asked, enum rule_action action, const char *value, const char *source,
    struct lint_finding found[static LINT_CLASSES], size_t *n)
{
	struct rule rule = { .action = action, .kind = RULE_HOST, .source = slice_str(source), .note = SLICE("embeds a.test") };
	struct rule_match match;
	char why[RULE_WHY];
	enum lint_action heaviest;
	size_t at;

	if (rule_match_parse(RULE_HOST, slice_str(value), &match, why, &at) == -1)
		abort();
	heaviest = lint_rule(asked, &rule, &match, found, n);
	rule_match_fini(&match);
	return heaviest;
}

/* What nobody wrote is held, and refused where a person would be warned. */
static void
test_waves(void)
{
	struct lint_finding found[LINT_CLASSES];
	struct lint *made = full_lint("OwnDomains bank.co.uk\n");
	size_t n;

	ok(ask_wave(made, RULE_BLOCK, "*.evil.test", LINT_WAVES, found, &n) == LINT_HOLD && n == 1 && found[0].class == LINT_WAVE &&
	    says(&found[0], "a wave of lookalikes: embeds a.test; nobody wrote this rule"), "a proposal is held");
	ok(ask_wave(made, RULE_BLOCK, "*.evil.test", "local", found, &n) == LINT_IGNORE && n == 0, "the same of a person is not");
	ok(ask_wave(made, RULE_ALLOW, "*.evil.test", LINT_WAVES, found, &n) == LINT_IGNORE && n == 0, "nor is what lets pass");
	ok(ask_wave(made, RULE_BLOCK, ".big.test", "local", found, &n) == LINT_HOLD && n == 1, "what is held of a person");
	ok(ask_wave(made, RULE_BLOCK, ".big.test", LINT_WAVES, found, &n) == LINT_REFUSE && n == 2, "is refused of a proposal");
	ok(ask_wave(made, RULE_BLOCK, ".printer.local", "local", found, &n) == LINT_WARN, "and what is warned of");
	ok(ask_wave(made, RULE_BLOCK, ".printer.local", LINT_WAVES, found, &n) == LINT_REFUSE, "is, too");
	lint_free(made);
}

/* ---- addresses ---- */

#define PRIVATE		"a private address (RFC 1918)"
#define PAPER		"an address of documentation (RFC 5737)"
#define WITHIN		"a name within a machine or network (RFC 6761)"

/* The first and the last of each range, and their neighbours; WHAT is NULL when there is nothing to say. */
static const struct { enum rule_kind kind; const char *value, *what; } address_rows[] = {
	{ RULE_HOST, "0.0.0.0", "an address of \"this network\" (RFC 791)" },
	{ RULE_HOST, "0.255.255.255", "an address of \"this network\" (RFC 791)" },
	{ RULE_HOST, "1.0.0.0", NULL },
	{ RULE_HOST, "9.255.255.255", NULL },
	{ RULE_HOST, "10.0.0.0", PRIVATE }, { RULE_HOST, "10.255.255.255", PRIVATE }, { RULE_HOST, "11.0.0.0", NULL },
	{ RULE_HOST, "100.63.255.255", NULL },
	{ RULE_HOST, "100.64.0.0", "an address behind a carrier's NAT (RFC 6598)" },
	{ RULE_HOST, "100.127.255.255", "an address behind a carrier's NAT (RFC 6598)" },
	{ RULE_HOST, "100.128.0.0", NULL },
	{ RULE_HOST, "126.255.255.255", NULL }, { RULE_HOST, "127.0.0.1", "a loopback address (RFC 1122)" },
	{ RULE_HOST, "0x7f.1", "a loopback address (RFC 1122)" }, { RULE_HOST, "2130706433", "a loopback address (RFC 1122)" },
	{ RULE_HOST, "[::ffff:127.0.0.1]", "a loopback address (RFC 1122)" }, { RULE_HOST, "128.0.0.0", NULL },
	{ RULE_HOST, "169.253.255.255", NULL }, { RULE_HOST, "169.254.169.254", "a link-local address (RFC 3927)" },
	{ RULE_HOST, "172.15.255.255", NULL }, { RULE_HOST, "172.16.0.0", PRIVATE }, { RULE_HOST, "172.31.255.255", PRIVATE },
	{ RULE_HOST, "172.32.0.0", NULL },
	{ RULE_HOST, "192.0.0.8", "an address of IETF protocols (RFC 6890)" }, { RULE_HOST, "192.0.1.0", NULL },
	{ RULE_HOST, "192.0.2.7", PAPER }, { RULE_HOST, "192.0.3.0", NULL },
	{ RULE_HOST, "192.31.196.1", "an address of AS112, which answers for private ones (RFC 7535)" },
	{ RULE_HOST, "192.52.193.1", "an address of multicast tunnels (RFC 7450)" },
	{ RULE_HOST, "192.88.99.1", "an address of 6to4 relays (RFC 7526)" },
	{ RULE_HOST, "192.167.255.255", NULL }, { RULE_HOST, "192.168.0.0", PRIVATE }, { RULE_HOST, "192.168.255.255", PRIVATE },
	{ RULE_HOST, "192.169.0.0", NULL },
	{ RULE_HOST, "192.175.48.1", "an address of AS112, which answers for private ones (RFC 7534)" },
	{ RULE_HOST, "198.17.255.255", NULL }, { RULE_HOST, "198.18.0.0", "an address of benchmarks (RFC 2544)" },
	{ RULE_HOST, "198.19.255.255", "an address of benchmarks (RFC 2544)" }, { RULE_HOST, "198.20.0.0", NULL },
	{ RULE_HOST, "198.51.100.255", PAPER }, { RULE_HOST, "203.0.113.0", PAPER }, { RULE_HOST, "203.0.114.0", NULL },
	{ RULE_HOST, "223.255.255.255", NULL }, { RULE_HOST, "224.0.0.1", "a multicast address (RFC 5771)" },
	{ RULE_HOST, "239.255.255.255", "a multicast address (RFC 5771)" }, { RULE_HOST, "240.0.0.0", "a reserved address (RFC 1112)" },
	{ RULE_HOST, "255.255.255.254", "a reserved address (RFC 1112)" },
	{ RULE_HOST, "255.255.255.255", "the broadcast address (RFC 919)" },
	{ RULE_HOST, "[::]", "the unspecified address (RFC 4291)" }, { RULE_HOST, "[::1]", "the loopback address (RFC 4291)" },
	{ RULE_HOST, "[::2]", NULL },
	{ RULE_HOST, "[64:ff9b::10.0.0.1]", PRIVATE }, { RULE_HOST, "[64:ff9b:1::1]", "an address of a local translator (RFC 8215)" },
	{ RULE_HOST, "[64:ff9b:2::1]", NULL },
	{ RULE_HOST, "[100::1]", "an address of the discard prefix (RFC 6666)" },
	{ RULE_HOST, "[100:0:0:1::1]", "an address of the dummy prefix (RFC 9780)" }, { RULE_HOST, "[100:0:0:2::1]", NULL },
	{ RULE_HOST, "[2001::1]", "an address of a Teredo tunnel (RFC 4380)" },
	{ RULE_HOST, "[2001:2::1]", "an address of benchmarks (RFC 5180)" },
	{ RULE_HOST, "[2001:1ff::1]", "an address of IETF protocols (RFC 2928)" }, { RULE_HOST, "[2001:200::1]", NULL },
	{ RULE_HOST, "[2001:db8:ffff::1]", "an address of documentation (RFC 3849)" }, { RULE_HOST, "[2001:db9::1]", NULL },
	{ RULE_HOST, "[2002:c000:0201::1]", "an address of a 6to4 tunnel (RFC 3056)" }, { RULE_HOST, "[2003::1]", NULL },
	{ RULE_HOST, "[2620:4f:8000::1]", "an address of AS112, which answers for private ones (RFC 7534)" },
	{ RULE_HOST, "[3fff:fff::1]", "an address of documentation (RFC 9637)" }, { RULE_HOST, "[3fff:1000::1]", NULL },
	{ RULE_HOST, "[5f00::1]", "an address of segment routing (RFC 9602)" },
	{ RULE_HOST, "[fbff::1]", NULL }, { RULE_HOST, "[fc00::1]", "a private address (RFC 4193)" },
	{ RULE_HOST, "[fdff::1]", "a private address (RFC 4193)" }, { RULE_HOST, "[fe00::1]", NULL },
	{ RULE_HOST, "[fe80::1]", "a link-local address (RFC 4291)" }, { RULE_HOST, "[febf::1]", "a link-local address (RFC 4291)" },
	{ RULE_HOST, "[fec0::1]", "a site-local address (RFC 3879)" }, { RULE_HOST, "[ff02::1]", "a multicast address (RFC 4291)" },
	{ RULE_URL, "192.168.1.1/x.exe", PRIVATE }, { RULE_URL, "http://[fe80::1]:8080/x", "a link-local address (RFC 4291)" },
	{ RULE_HOST, "localhost", WITHIN }, { RULE_HOST, "www.localhost", WITHIN }, { RULE_HOST, "printer.local", WITHIN },
	{ RULE_HOST, "localhost.localdomain", WITHIN }, { RULE_HOST, "broadcasthost", WITHIN }, { RULE_HOST, ".arpa", WITHIN },
	{ RULE_HOST, "router.home.arpa", WITHIN }, { RULE_URL, "localhost/x", WITHIN },
	{ RULE_HOST, "1.in-addr.arpa", NULL }, { RULE_HOST, "localhost.evil.com", NULL }, { RULE_HOST, "10.0.0.1.evil.com", NULL },
};

static void
test_addresses(void)
{
	struct lint *made = new_lint("", (struct lint_options){ 0 }, NULL);

	for (size_t i = 0; i < COUNT(address_rows); i++) {
		struct lint_row row = { .kind = address_rows[i].kind, .value = address_rows[i].value };
		struct lint_finding found[LINT_CLASSES];
		struct rule_match match;
		size_t n;

		ask(made, RULE_BLOCK, &row, found, &n, &match);
		if (address_rows[i].what == NULL)
			ok(n == 0, "%s: an address like others", row.value);
		else if (!ok(n == 1 && found[0].class == LINT_ADDRESS && strcmp(found[0].what, address_rows[i].what) == 0, "%s: %s", row.value,
		    address_rows[i].what))
			printf("# got %s\n", n == 1 ? found[0].what : "nothing");
		rule_match_fini(&match);
	}
	lint_free(made);
}

/* ---- files that are everywhere ---- */

/* The bytes of each of trivial_files, in their order; NULL for zeros. */
static const struct { const char *what, *bytes; size_t size; } contents[] = {
	{ "the empty file", "", 0 },
	{ "a single newline", "\012", 1 },
	{ "a single CR and LF", "\015\012", 2 },
	{ "a single space", " ", 1 },
	{ "a single zero byte", "\000", 1 },
	{ "the digit 0", "0", 1 },
	{ "the digit 1", "1", 1 },
	{ "the word OK", "OK", 2 },
	{ "the word ok", "ok", 2 },
	{ "the word true", "true", 4 },
	{ "the word false", "false", 5 },
	{ "the word null", "null", 4 },
	{ "an empty JSON object", "{}", 2 },
	{ "an empty JSON array", "[]", 2 },
	{ "a byte order mark", "\357\273\277", 3 },
	{ "Go's page for what is not found", "404 page not found\012", 19 },
	{ "512 zero bytes", NULL, 512 },
	{ "1024 zero bytes", NULL, 1024 },
	{ "4096 zero bytes", NULL, 4096 },
	{ "an empty tar archive", NULL, 10240 },
	{ "65536 zero bytes", NULL, 65536 },
	{ "1048576 zero bytes", NULL, 1048576 },
	{ "an empty zip archive", "PK\005\006\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000", 22 },
	{ "gzip of no bytes", "\037\213\010\000\000\000\000\000\000\003\003\000\000\000\000\000\000\000\000\000", 20 },
	{ "a blank GIF of 35 bytes", "GIF89a\001\000\001\000\200\000\000\377\377\377\000\000\000,\000\000\000\000\001\000\001\000\000\002"
	    "\002D\001\000;", 35 },
	{ "a blank GIF of 42 bytes", "GIF89a\001\000\001\000\200\000\000\000\000\000\377\377\377!\371\004\001\000\000\000\000,\000\000\000"
	    "\000\001\000\001\000\000\002\001D\000;", 42 },
	{ "a blank GIF of 43 bytes", "GIF89a\001\000\001\000\200\000\000\000\000\000\000\000\000!\371\004\001\000\000\000\000,\000\000\000"
	    "\000\001\000\001\000\000\002\002D\001\000;", 43 },
	{ "nginx's blank GIF", "GIF89a\001\000\001\000\200\001\000\000\000\000\377\377\377!\371\004\001\000\000\001\000,\000\000\000"
	    "\000\001\000\001\000\000\002\002L\001\000;", 43 },
	{ "a blank PNG of 67 bytes", "\211PNG\015\012\032\012\000\000\000\015IHDR\000\000\000\001\000\000\000\001\010\006\000\000\000\037"
	    "\025\304\211\000\000\000\012IDATx\234c\000\001\000\000\005\000\001\015\012-\264\000\000\000\000IEND"
	    "\256B`\202", 67 },
	{ "a blank PNG of 68 bytes", "\211PNG\015\012\032\012\000\000\000\015IHDR\000\000\000\001\000\000\000\001\010\006\000\000\000\037"
	    "\025\304\211\000\000\000\013IDATx\332cd`\000\000\000\006\000\0020\201\320/\000\000\000\000IEND\256B`"
	    "\202", 68 },
};

static const EVP_MD *
method(enum digest_alg alg)
{
	return alg == DIGEST_MD5 ? EVP_md5() : alg == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

/* One file and algorithm: what the table has is what its bytes hash to. */
static void
test_trivial(size_t i, enum digest_alg alg, const char *bytes)
{
	struct digest d = { .alg = alg };
	const struct trivial_file *f = &trivial_files[i];

	if (EVP_Digest(bytes, contents[i].size, d.b, NULL, method(alg), NULL) != 1)
		abort();
	ok(memcmp(d.b, f->digests[alg], digest_len(alg)) == 0 && trivial_find(&d) == f, "%s: its %s", f->what, digest_alg_name(alg));
}

static void
test_trivial_files(void)
{
	is_int((long long)trivial_files_n, COUNT(contents), "every file that is everywhere has its bytes here");
	for (size_t i = 0; i < COUNT(contents) && i < trivial_files_n; i++) {
		char *zeros = calloc(contents[i].size + 1, 1);

		ok(strcmp(trivial_files[i].what, contents[i].what) == 0 && trivial_files[i].size == contents[i].size, "%s: its size",
		    contents[i].what);
		for (enum digest_alg alg = 0; zeros != NULL && alg < DIGEST_ALGS; alg++)
			test_trivial(i, alg, contents[i].bytes != NULL ? contents[i].bytes : zeros);
		free(zeros);
	}
}

/* ---- covering ---- */

static const struct {
	const char	*idea;
	enum host_scope	 scope;
	const char	*host, *domain;
	bool		 covers;
} covers[] = {
	{ "exact, the domain", SCOPE_EXACT, "a.example", "a.example", true },
	{ "exact, a host of it", SCOPE_EXACT, "www.a.example", "a.example", true },
	{ "exact, what it lies in", SCOPE_EXACT, "example", "a.example", false },
	{ "exact, a neighbour", SCOPE_EXACT, "b.example", "a.example", false },
	{ "domain, the domain", SCOPE_DOMAIN, "a.example", "a.example", true },
	{ "domain, a host of it", SCOPE_DOMAIN, "www.a.example", "a.example", true },
	{ "domain, what it lies in", SCOPE_DOMAIN, "example", "a.example", true },
	{ "domain, far above", SCOPE_DOMAIN, "example", "d.c.b.a.example", true },
	{ "domain, a neighbour", SCOPE_DOMAIN, "b.example", "a.example", false },
	{ "below, the domain", SCOPE_BELOW, "a.example", "a.example", true },
	{ "below, a host of it", SCOPE_BELOW, "www.a.example", "a.example", true },
	{ "below, what it lies in", SCOPE_BELOW, "example", "a.example", true },
	{ "below, a neighbour", SCOPE_BELOW, "b.example", "a.example", false },
	{ "a name that ends alike", SCOPE_DOMAIN, "ba.example", "a.example", false },
	{ "a domain that ends alike", SCOPE_DOMAIN, "a.example", "ba.example", false },
	{ "half a label above", SCOPE_BELOW, "ample", "a.example", false },
	{ "to the left", SCOPE_DOMAIN, "a.example.b.test", "a.example", false },
	{ "to the left of the domain", SCOPE_DOMAIN, "a.example", "a.example.b.test", false },
	{ "an address", SCOPE_EXACT, "192.0.2.7", "192.0.2.7", true },
	{ "another address", SCOPE_EXACT, "192.0.2.77", "192.0.2.7", false },
	{ "an address in brackets", SCOPE_EXACT, "[2001:db8::7]", "[2001:db8::7]", true },
};

static void
test_covers(void)
{
	for (size_t i = 0; i < COUNT(covers); i++) {
		struct slice domain = guard_copy(slice_str(covers[i].domain));
		struct lint *made = new_lint("LintAddress ignore", (struct lint_options){ .protected = &domain, .n_protected = 1 }, NULL);
		char value[100];

		snprintf(value, sizeof(value), "%s%s", covers[i].scope == SCOPE_EXACT ? "" : covers[i].scope == SCOPE_DOMAIN ? "." : "*.",
		    covers[i].host);
		is_int(findings(made, value), covers[i].covers, covers[i].idea);
		lint_free(made);
	}
}

/* Against asking each of many domains by itself. */
static void
test_many(void)
{
	static char names[MANY][40];
	static struct slice slices[MANY];
	struct lint *made;
	size_t wrong = 0;

	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "h%zu.d%zu.example", i, i % 97);
		slices[i] = slice_str(names[i]);
	}
	made = new_lint("", (struct lint_options){ .protected = slices, .n_protected = MANY }, NULL);
	for (size_t i = 0; i < 2 * MANY; i++) {
		char value[40];

		snprintf(value, sizeof(value), "x.h%zu.d%zu.example", i, i % 97);
		wrong += findings(made, value) != (i < MANY);
		wrong += findings(made, value + 2) != (i < MANY);
		snprintf(value, sizeof(value), ".d%zu.example", i);
		wrong += findings(made, value) != (i < 97);
		wrong += findings(made, value + 1) != 0;
	}
	is_int((long long)wrong, 0, "each of many domains is found, and no other");
	lint_free(made);
}

/* ---- lists ---- */

static void
test_lists(void)
{
	struct lint_options options = { .lists = path_in("nowhere") };
	struct diag diag = { 0 };
	struct lint *made = new_lint("", options, &diag);
	char text[5000];

	ok(made != NULL && diag.n_warnings == 2 && diag.n == 2, "lists that are not there: a warning each");
	ok(diag.n == 2 && strstr(diag.v[0].text, "whether a rule covers a site that everybody uses is NOT checked") != NULL &&
	    strstr(diag.v[0].text, "TopSites") != NULL && strstr(diag.v[1].text, "SharedHosts") != NULL, "which say what to do");
	lint_free(made);
	diag_fini(&diag);
	made = new_lint("LintTopSite ignore\nLintSharedHost ignore\n", options, &diag);
	ok(made != NULL && diag.n == 0, "what is ignored needs no list");
	lint_free(made);
	put("mine.txt", "ours.test\nnot a host/\n\n*.more.test\n");
	snprintf(text, sizeof(text), "TopSites %s\nLintSharedHost ignore\n", path_in("mine.txt"));
	made = new_lint(text, (struct lint_options){ .lists = dir }, &diag);
	ok(diag.n == 1 && diag.n_warnings == 1 && diag.v[0].line == 2 && strcmp(diag.v[0].file, path_in("mine.txt")) == 0,
	    "a bad line of a list is a warning with its place");
	ok(findings(made, "ours.test") == 1 && findings(made, "a.more.test") == 1, "the site's own list is read");
	is_int(findings(made, "big.test"), 0, "in place of the other");
	lint_free(made);
	diag_fini(&diag);
	ok(new_lint("TopSites top.txt\n", (struct lint_options){ 0 }, &diag) == NULL && diag.n_errors == 1, "a relative path is an error");
	diag_fini(&diag);
}

/* The lists of the source: good lines only, and the hosts that they are for. */
static void
test_shipped(void)
{
	const char *top = getenv("top_srcdir");
	char *folder = file_join(top != NULL ? top : ".", "etc");
	struct diag diag = { 0 };
	struct lint *made = new_lint("", (struct lint_options){ .lists = folder }, &diag);

	if (!ok(made != NULL && diag.n == 0, "the lists that are installed have good lines only"))
		diag_print(&diag, stdout);
	is_int(findings(made, ".google.com"), 2, "a top site with shared hosts below");
	is_int(findings(made, "download.windowsupdate.com"), 1, "a host of updates");
	is_int(findings(made, "raw.githubusercontent.com"), 1, "a shared host");
	is_int(findings(made, "customer.pages.dev"), 0, "one customer's host");
	is_int(findings(made, "*.pages.dev"), 1, "all customers' hosts");
	is_int(findings(made, "secure.upd01.net"), 0, "an outbreak's host");
	lint_free(made);
	diag_fini(&diag);
	free(folder);
}

/* ---- lists that shrank or grew ---- */

static void
test_growth(void)
{
	static const struct { const char *idea; size_t before, now; int class; } growths[] = {
		{ "half", 1000, 500, LINT_SHRANK }, { "a rule more than half", 1000, 501, -1 }, { "nothing left", 100, 0, LINT_SHRANK },
		{ "a small list's half", 99, 1, -1 }, { "the same", 1000, 1000, -1 }, { "tenfold", 1000, 10000, LINT_GREW },
		{ "a rule less than tenfold", 1000, 9999, -1 }, { "a small list's tenfold", 9, 99, -1 },
		{ "from few to many", 1, 100, LINT_GREW },
		{ "a new list", 0, 1000000, -1 }, { "no list at all", 0, 0, -1 }, { "as large as can be", SIZE_MAX, SIZE_MAX, -1 },
		{ "to that", 2, SIZE_MAX, LINT_GREW }, { "from that", SIZE_MAX, SIZE_MAX / 2, LINT_SHRANK },
	};
	struct lint *ignoring = new_lint("LintShrank ignore\nLintGrew refuse\n", (struct lint_options){ 0 }, NULL);
	struct lint_finding f;

	for (size_t i = 0; i < COUNT(growths); i++) {
		enum lint_action a = lint_growth(lint, growths[i].before, growths[i].now, &f);

		ok(growths[i].class == -1 ? a == LINT_IGNORE : a == LINT_HOLD && (int)f.class == growths[i].class &&
		    f.before == growths[i].before && f.now == growths[i].now, "%s", growths[i].idea);
	}
	ok(lint_growth(lint, 1000, 10, &f) == LINT_HOLD && says(&f, "the list has 10 rules and had 1000"), "it is said");
	ok(lint_growth(ignoring, 1000, 10, &f) == LINT_IGNORE && lint_growth(ignoring, 1000, 10000, &f) == LINT_REFUSE, "by its options");
	lint_free(ignoring);
}

/* ---- all of it ---- */

int
main(void)
{
	dir = temp_dir();
	put("suffixes.dat", suffix_list);
	put(LINT_TOP_SITES, top_sites);
	put(LINT_SHARED_HOSTS, shared_hosts);
	suffixes = public_suffixes_load(path_in("suffixes.dat"), NULL);
	lint = full_lint(base_site);
	if (!ok(suffixes != NULL && lint != NULL, "the lists are read"))
		return tap_done();
	test_rows();
	test_rule_actions();
	test_parts();
	test_waves();
	test_options();
	test_class_names();
	test_addresses();
	test_trivial_files();
	test_covers();
	test_many();
	test_lists();
	test_shipped();
	test_growth();
	lint_free(lint);
	public_suffixes_free(suffixes);
	free(dir);
	return tap_done();
}
