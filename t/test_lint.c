/* What must never be published: rules over a public suffix, over the site's own or a protected domain, and the digest of the
 * empty file; and that nothing else is refused. */
#include "base/file.h"
#include "ruleset/lint.h"
#include "t/tap.h"

enum { LINE = 42, WHY_MAX = 200 };

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

static const char own_domains[] = "bank.co.uk  WWW.Intranet.Example. 192.0.2.7 b\xc3\xbc" "ro.example [2001:DB8:0::7]";
static const struct slice protected[] = { SLICE("partner.net"), SLICE("mail.friend.org"), SLICE("198.51.100.1") };

static struct lint lint;

/* ---- rules ---- */

/* A block rule and what is found: parts of the findings' texts, in their order. */
struct lint_row {
	const char	*idea;
	enum rule_kind	 kind;
	const char	*value;
	const char	*found[3];
};

#define SUFFIX(x)	"the rule covers the public suffix " x ", under which strangers have their domains"
#define OWN(x)		"the rule covers the site's own domain " x "; remove one of them"
#define PROTECTED(x)	"the rule covers the protected domain " x "; remove one of them"
#define EMPTY		"the digest is that of the empty file"

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
	{ "what an own domain lies in", RULE_HOST, "*.example", { OWN("www.intranet.example"), OWN("xn--bro-hoa.example") } },
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
	/* files */
	{ "no bytes, MD5", RULE_FILE, "*:md5:" EMPTY_MD5, { EMPTY } },
	{ "no bytes, SHA-1", RULE_FILE, "*:sha1:" EMPTY_SHA1, { EMPTY } },
	{ "no bytes, SHA-256", RULE_FILE, "*:sha256:" EMPTY_SHA256, { EMPTY } },
	{ "no bytes and a size", RULE_FILE, "90112:md5:" EMPTY_MD5, { EMPTY } },
	{ "no bytes, in capitals", RULE_FILE, "*:MD5:D41D8CD98F00B204E9800998ECF8427E", { EMPTY } },
	{ "a last digit that is another", RULE_FILE, "*:md5:d41d8cd98f00b204e9800998ecf8427f", { NULL } },
	{ "a first digit that is another", RULE_FILE, "*:sha1:ca39a3ee5e6b4b0d3255bfef95601890afd80709", { NULL } },
	{ "a last digit of SHA-256", RULE_FILE, "*:sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b854",
	    { NULL } },
	{ "the digits of another algorithm", RULE_FILE, "*:sha1:" EMPTY_MD5 "00000000", { NULL } },
	{ "no digits but zeros", RULE_FILE, "*:md5:00000000000000000000000000000000", { NULL } },
};

/* What ASKED finds about ACTION on the value of ROW goes to DIAG. */
static int
ask(const struct lint *asked, enum rule_action action, const struct lint_row *row, struct diag *diag)
{
	struct rule rule = { .action = action, .kind = row->kind, .value = slice_str(row->value) };
	struct rule_match match;
	char why[WHY_MAX];
	size_t at;
	int r;

	if (rule_match_parse(row->kind, rule.value, &match, why, &at) == -1) {
		printf("# %s: %s\n", row->value, why);
		abort();
	}
	r = lint_rule(asked, &rule, &match, "a/x.rules", LINE, diag);
	rule_match_fini(&match);
	return r;
}

/* Finding I of DIAG is an error in our line that begins with TEXT. */
static bool
is_finding(const struct diag *diag, size_t i, const char *text)
{
	const struct diag_entry *e = &diag->v[i];

	return i < diag->n && e->level == DIAG_ERROR && e->line == LINE && e->file != NULL && strcmp(e->file, "a/x.rules") == 0 &&
	    strncmp(e->text, text, strlen(text)) == 0;
}

static void
test_row(const struct lint_row *row)
{
	struct diag diag = { 0 };
	int r = ask(&lint, RULE_BLOCK, row, &diag);
	bool good = true;
	size_t n = 0;

	while (n < COUNT(row->found) && row->found[n] != NULL) {
		good = good && is_finding(&diag, n, row->found[n]);
		n++;
	}
	if (!ok(good && diag.n == n && r == (n > 0 ? -1 : 0), "%s: %s", row->idea, n > 0 ? "refused" : "fine"))
		diag_print(&diag, stdout);
	diag_fini(&diag);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		test_row(&rows[i]);
}

/* The same values, allowed or protected: nobody is cut off by that. */
static void
test_actions(void)
{
	struct diag diag = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		ok(ask(&lint, RULE_ALLOW, &rows[i], &diag) == 0 && diag.n == 0, "%s: may be allowed", rows[i].idea);
		if (rows[i].kind == RULE_HOST)
			ok(ask(&lint, RULE_PROTECT, &rows[i], &diag) == 0 && diag.n == 0, "%s: may be protected", rows[i].idea);
	}
	diag_fini(&diag);
}

/* How many findings ASKED has about a block of host VALUE. */
static long long
findings(const struct lint *asked, const char *value)
{
	struct lint_row row = { .kind = RULE_HOST, .value = value };
	struct diag diag = { 0 };
	long long n;
	int r = ask(asked, RULE_BLOCK, &row, &diag);

	n = r == (diag.n > 0 ? -1 : 0) ? (long long)diag.n : -1;
	diag_fini(&diag);
	return n;
}

/* What a site leaves out is not asked for; the rest is. */
static void
test_parts(void)
{
	struct lint nothing = { 0 }, no_list = lint, no_own = lint, no_protected = lint;

	no_list.suffixes = NULL;
	no_own.own_domains = (struct slice){ 0 };
	no_protected.n_protected = 0;
	is_int(findings(&lint, "*.co.uk"), 2, "all of it: the suffix and the own domain");
	is_int(findings(&no_list, "*.co.uk"), 1, "without a list: the own domain");
	is_int(findings(&no_list, ".net"), 1, "without a list: the protected domain");
	is_int(findings(&no_own, "*.co.uk"), 1, "without own domains: the suffix");
	is_int(findings(&no_own, "partner.net"), 1, "without own domains: a protected one");
	is_int(findings(&no_protected, "partner.net"), 0, "without protected domains: nothing");
	is_int(findings(&no_protected, "bank.co.uk"), 1, "without protected domains: an own one");
	is_int(findings(&nothing, ".com"), 0, "with none of it: nothing");
	ok(ask(&lint, RULE_BLOCK, &(struct lint_row){ .kind = RULE_HOST, .value = ".com" }, NULL) == -1,
	    "without a diag it is refused too");
}

/* Findings add up: one rule's do not hide another's. */
static void
test_findings_add_up(void)
{
	struct lint_row suffix = { .kind = RULE_HOST, .value = ".com" }, fine = { .kind = RULE_HOST, .value = ".a.com" };
	struct diag diag = { 0 };

	ask(&lint, RULE_BLOCK, &suffix, &diag);
	is_int(ask(&lint, RULE_BLOCK, &fine, &diag), 0, "a good rule after a bad one is good");
	is_int((long long)diag.n_errors, 1, "the bad one's finding stays");
	diag_fini(&diag);
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
	{ "no domain", SCOPE_DOMAIN, "a.example", "", false },
};

static void
test_covers(void)
{
	for (size_t i = 0; i < COUNT(covers); i++) {
		struct slice host = guard_copy(slice_str(covers[i].host)), domain = guard_copy(slice_str(covers[i].domain));

		ok(lint_covers(covers[i].scope, host, domain) == covers[i].covers, "%s: %s", covers[i].idea,
		    covers[i].covers ? "covered" : "not covered");
	}
}

/* ---- all of it ---- */

/* The list is read through a file, as publish does it. */
static struct public_suffixes *
load_suffixes(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "suffixes.dat");
	struct public_suffixes *list;

	if (path == NULL || file_write(path, slice_str(suffix_list), 0644) == -1)
		abort();
	list = public_suffixes_load(path, NULL);
	ok(list != NULL && unlink(path) == 0 && rmdir(dir) == 0, "the list of suffixes is read");
	free(path);
	free(dir);
	return list;
}

int
main(void)
{
	struct public_suffixes *list = load_suffixes();

	if (list == NULL)
		return tap_done();
	lint = (struct lint){ list, guard_copy(slice_str(own_domains)), protected, COUNT(protected) };
	test_rows();
	test_actions();
	test_parts();
	test_findings_add_up();
	test_covers();
	public_suffixes_free(list);
	return tap_done();
}
