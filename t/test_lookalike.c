/* Hosts that look like protected domains: classes and levels by tables, what stands for what by its text, suffixes against libpsl,
 * waves of lures by rule, Punycode against libidn2. */
#include <errno.h>
#include <idn2.h>

#ifdef HAVE_LIBPSL
#include <libpsl.h>
#endif

#include "base/file.h"
#include "ruleset/lookalike_source.h"
#include "ruleset/site.h"
#include "t/property/rng.h"
#include "t/tap.h"
#include "url_rules/lookalike_table.h"
#include "url_rules/url.h"

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

enum { SENTENCE_MAX = 4096, HOSTS_AT_RANDOM = 1000000, WAVES = 10000, TEXT_ROOM = 1 << 20 };

static char *folder;
static struct lookalike_levels levels;

static const char list[] =
    "com\nnet\norg\nedu\ngov\ninfo\nlive\nblog\nsecure\nde\nuk\nco.uk\ncn\ncom.cn\nau\nedu.au\nvic.edu.au\njp\n"
    "eg\nedu.eg\nkr\nor.kr\n"
    "// ===BEGIN PRIVATE DOMAINS===\npages.test\nhosted.com\n// ===END PRIVATE DOMAINS===\ntest\n";

static const char site[] =
    "own betterbricks.com mail.betterbricks.net xn--mller-bank-9db.de mit.edu nature.org livedoor.blog vic.edu\n"
    "partner bricksupplier.co.uk\n"
    "brand paypal.com paypal.me\n"
    "brand microsoft.com\n"
    "brand target.com\n"
    "brand usps.com\n"
    "whole illinois.gov\n"
    "family paypal.com paypalobjects.com\n"
    "infra edge.test mail.protection.microsoft.com\n"
    "proxy oclc.org\n"
    "shared pages.test hosted.com\n"
    "bucket bucket.test\n"
    "popular everybody.com\n"
    "hosting previews.hosted.com\n"
    "embed .errors.test betterbricks.com\n"
    "embed .audits.test *\n"
    "academic edu gov\n"
    "proxy-name ezproxy\nproxy-word vpn\n"
    "defacto com co gov\n"
    "lead com gov\nlead-weak net\n"
    "service www shop\nprogram exe\n"
    "key login secure\nkey-weak card\n"
    "common target nature patch\n"
    "glyph a U+0430\nglyph e U+0435\nglyph u U+00FC\nglyph l U+04CF\nglyph o U+043E\n";

static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

/* ---- making a table ---- */

static char *
write_file(const char *name, struct slice text)
{
	char *path = file_join(folder, name);

	if (path == NULL || file_write(path, text, 0600) == -1)
		abort();
	return path;
}

static struct public_suffixes *
small_list(void)
{
	char *path = write_file("list.dat", SLICE(list));
	struct public_suffixes *suffixes = public_suffixes_load(path, NULL);

	if (suffixes == NULL)
		abort();
	free(path);
	return suffixes;
}

/* The table that B makes, whose segment goes to *SEGMENT. */
static struct lookalike *
open_built(struct lookalike_builder *b, const char *name, struct segment **segment)
{
	char *path = file_join(folder, name);
	uint8_t sha256[SEGMENT_SHA256];
	struct diag diag = { 0 };
	struct lookalike *l = NULL;
	uint64_t len;

	if (path != NULL && lookalike_builder_write(b, 17, path, &len, sha256, &diag) == 0 &&
	    (*segment = segment_open(path, SEGMENT_LOOKALIKE, sha256, &diag)) != NULL)
		l = lookalike_open(*segment, &diag);
	diag_print(&diag, stdout);
	diag_fini(&diag);
	free(path);
	return l;
}

/* The table of TEXT, in which a plain line is PLAIN. */
static struct lookalike *
make(const struct public_suffixes *suffixes, const char *plain, struct slice text, const char *name, struct segment **segment)
{
	struct lookalike_builder *b = lookalike_builder_new();
	char *path = write_file("site.txt", text);
	struct diag diag = { 0 };
	struct lookalike *l = NULL;

	if (b != NULL && lookalike_builder_suffixes(b, suffixes) == 0 && lookalike_source_read(b, suffixes, plain, path, &diag) == 0)
		l = open_built(b, name, segment);
	diag_print(&diag, stdout);
	diag_fini(&diag);
	lookalike_builder_free(b);
	free(path);
	if (l == NULL)
		abort();
	return l;
}

/* ---- classes ---- */

#define A20	"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."

static const struct {
	const char		*idea, *host;
	enum lookalike_class	 class;
	enum lookalike_level	 level;
	const char		*target, *sentence;
} rows[] = {
	{ "the founding host", "updates.betterbricks.com.secure.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "nothing left of it", "betterbricks.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "a hyphen behind it", "betterbricks.com-patch.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under com-patch.net" },
	{ "the same, further left", "betterbricks.com-patch.upd01.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "a hyphen before it", "secure-betterbricks.com.upd01.net", LOOKALIKE_E3, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "hyphens for its dots", "betterbricks-com.upd01.net", LOOKALIKE_E4, LOOKALIKE_BLOCK, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks-com\", but is registered under upd01.net" },
	{ "and in the registered name", "www.betterbricks-com-patch.net", LOOKALIKE_E4, LOOKALIKE_BLOCK, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks-com\", but is registered under betterbricks-com-patch.net" },
	{ "two hyphens", "betterbricks--com.upd01.net", LOOKALIKE_E4, LOOKALIKE_BLOCK, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks--com\", but is registered under upd01.net" },
	{ "a mail domain of three labels", "mail.betterbricks.net.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "mail.betterbricks.net",
	    "embeds mail.betterbricks.net, but is registered under upd01.net" },
	{ "a partner", "bricksupplier.co.uk.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "bricksupplier.co.uk",
	    "embeds bricksupplier.co.uk, but is registered under upd01.net" },
	{ "an IDN as A-labels", "xn--mller-bank-9db.de.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "xn--mller-bank-9db.de",
	    "embeds xn--mller-bank-9db.de, but is registered under upd01.net" },
	{ "an underscore behind it", "betterbricks.com_login.upd01.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "one at the end of the label", "betterbricks.com_.upd01.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "one before it", "a.secure_betterbricks.com.upd01.net", LOOKALIKE_E3, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "underscores for its dots", "betterbricks_com.upd01.net", LOOKALIKE_E4, LOOKALIKE_BLOCK, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks_com\", but is registered under upd01.net" },
	{ "one in front of a machine's", "_a.betterbricks.com.edge.test", LOOKALIKE_NONE, LOOKALIKE_OFF, "",
	    "it is under edge.test, where machines make names of others' domains" },
	{ "one in front of ours", "_dmarc.betterbricks.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "one far from anything", "a_b.betterbricks.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "a byte that no name has, elsewhere", "betterbricks.com.a!b.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "one beside it", "betterbricks.com!.upd01.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "an escaped one", "secure%c3betterbricks.com.upd01.net", LOOKALIKE_E3, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "one in ours", "a!b.betterbricks.com", LOOKALIKE_UNJUDGED, LOOKALIKE_LOG, "", NULL },
	{ "one in nobody's", "a!b.upd01.net", LOOKALIKE_UNJUDGED, LOOKALIKE_LOG, "",
	    "cannot be judged: it has a character that no name has" },
	{ "an A-label of ASCII alone", "xn--betterbricks-.com.upd01.net", LOOKALIKE_IDN, LOOKALIKE_BLOCK, "betterbricks.com",
	    "is encoded, and reads like betterbricks.com, but is registered under upd01.net" },
	{ "one of our own in the middle of an A-label", "xn--a-betterbricks-abc.com.upd01.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "without its dots", "betterbrickscom.upd01.net", LOOKALIKE_E5, LOOKALIKE_LOG, "betterbricks.com",
	    "spells betterbricks.com as \"betterbrickscom\", but is registered under upd01.net (of the site's own only the "
	    "whole domain is evidence)" },
	{ "a brand without its dots", "paypalcom.upd01.net", LOOKALIKE_E5, LOOKALIKE_WARN, "paypal.com",
	    "spells paypal.com as \"paypalcom\", but is registered under upd01.net" },
	{ "a brand's name alone", "paypal.upd01.net", LOOKALIKE_E6, LOOKALIKE_WARN, "paypal.com",
	    "uses the name \"paypal\" in front of upd01.net; it is not under paypal.com" },
	{ "the same, deeper, and a lure's word", "paypal.a.login.upd01.net", LOOKALIKE_E6, LOOKALIKE_WARN, "paypal.com",
	    "uses the name \"paypal\" in front of upd01.net; it is not under paypal.com" },
	{ "the same without", "paypal.a.upd01.net", LOOKALIKE_E6, LOOKALIKE_LOG, "paypal.com",
	    "uses the name \"paypal\" in front of upd01.net; it is not under paypal.com (no word that lures use stands beside it)" },
	{ "our name alone", "betterbricks.upd01.net", LOOKALIKE_E6, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "a brand and a word", "paypal-login.net", LOOKALIKE_E7, LOOKALIKE_WARN, "paypal.com",
	    "combines \"paypal\" with \"login\"; registered as paypal-login.net, not paypal.com" },
	{ "a word with digits", "login24-paypal.net", LOOKALIKE_E7, LOOKALIKE_WARN, "paypal.com", NULL },
	{ "a brand and any word", "paypal-bricks.net", LOOKALIKE_E7, LOOKALIKE_LOG, "paypal.com", NULL },
	{ "the same without a hyphen", "paypallogin.net", LOOKALIKE_E8, LOOKALIKE_WARN, "paypal.com",
	    "combines \"paypal\" with \"login\"; registered as paypallogin.net, not paypal.com" },
	{ "the word first", "loginpaypal.net", LOOKALIKE_E8, LOOKALIKE_WARN, "paypal.com", NULL },
	{ "a word that companies have", "paypalcard.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "any word", "paypalbricks.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "another suffix", "betterbricks.org", LOOKALIKE_E9, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "embedded under another suffix", "www.betterbricks.com.betterbricks.org", LOOKALIKE_E1, LOOKALIKE_LOG, "betterbricks.com",
	    NULL },
	{ "another suffix of two labels", "betterbricks.com.cn", LOOKALIKE_E9, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "one that only custom knows", "betterbricks.com.jp", LOOKALIKE_E9, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "one letter less", "betterbriks.com", LOOKALIKE_E10, LOOKALIKE_LOG, "betterbricks.com",
	    "is named one letter away from betterbricks.com, but is registered as betterbriks.com" },
	{ "one letter more", "betterbrickss.com", LOOKALIKE_E10, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "another letter", "betterbrucks.com", LOOKALIKE_E10, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "two that changed places", "betterbircks.com", LOOKALIKE_E10, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "another first letter", "petterbricks.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a hyphen more", "better-bricks.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a digit more", "betterbricks2.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "two letters less", "betterbrks.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "rn for m", "rnicrosoft.com", LOOKALIKE_E11, LOOKALIKE_WARN, "microsoft.com",
	    "has a name that looks like that of microsoft.com, but is registered as rnicrosoft.com" },
	{ "1 for i and 0 for o", "m1cr0soft.net", LOOKALIKE_E11, LOOKALIKE_WARN, "microsoft.com", NULL },
	{ "it ends the host", "login-betterbricks.com", LOOKALIKE_TAIL, LOOKALIKE_LOG, "betterbricks.com",
	    "ends in betterbricks.com, but is registered as login-betterbricks.com" },
	{ "its suffix falls into a longer one", "web-paypal.com.cn", LOOKALIKE_TAILX, LOOKALIKE_WARN, "paypal.com",
	    "embeds paypal.com, but is registered under web-paypal.com.cn" },
	{ "no target at all", "txdmv.gov-nrel.info", LOOKALIKE_G, LOOKALIKE_BLOCK, "",
	    "begins like \"txdmv.gov\", but the registered name is gov-nrel.info" },
	{ "www before gov-", "www.gov-nrel.info", LOOKALIKE_G, LOOKALIKE_BLOCK, "", NULL },
	{ "www before com-", "www.com-magazine.de", LOOKALIKE_G, LOOKALIKE_LOG, "", NULL },
	{ "net-", "anything.net-pay.info", LOOKALIKE_G, LOOKALIKE_WARN, "", NULL },
	{ "com- with nothing before it", "com-magazine.de", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a target before com-", "usps.com-parcel.info", LOOKALIKE_E2, LOOKALIKE_BLOCK, "usps.com", NULL },
	{ "a letter of another script", "xn--bttrbricks-ksic.com", LOOKALIKE_IDN, LOOKALIKE_WARN, "betterbricks.com", NULL },
	{ "embedded with one", "xn--btterbricks-okj.com.upd01.net", LOOKALIKE_IDN, LOOKALIKE_BLOCK, "betterbricks.com",
	    "contains U+0435, which looks like \"e\", and reads like betterbricks.com, but is registered under upd01.net" },
	{ "an IDN of ours without its marks", "muller-bank.de.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "xn--mller-bank-9db.de", NULL },
	{ "an IDN of ours with hyphens", "xn--mller-bank-de-wob.upd01.net", LOOKALIKE_IDN, LOOKALIKE_BLOCK, "xn--mller-bank-9db.de",
	    NULL },
	{ "under a library's proxy", "xn--btterbricks-okj.com.vpn.some.edu", LOOKALIKE_IDN, LOOKALIKE_LOG, "betterbricks.com",
	    "contains U+0435, which looks like \"e\", and reads like betterbricks.com, but is registered under some.edu (it is a "
	    "library's proxy by vpn)" },
	{ "a script that looks like nothing", "xn--fiqs8s.upd01.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "ours", "www.betterbricks.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "",
	    "it is under betterbricks.com, which is the site's own" },
	{ "ours, with another of ours in it", "betterbricks.com.mit.edu", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a partner's", "betterbricks.com.bricksupplier.co.uk", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a brand's other domain", "paypal.com.paypalobjects.com", LOOKALIKE_NONE, LOOKALIKE_OFF, "",
	    "it is under paypalobjects.com, which is the brand's own" },
	{ "machines", "www.betterbricks.com.edge.test", LOOKALIKE_NONE, LOOKALIKE_OFF, "",
	    "it is under edge.test, where machines make names of others' domains" },
	{ "a name that machines make, embedded", "x.mail.protection.microsoft.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_LOG, "microsoft.com",
	    NULL },
	{ "the same beside a lure's word", "login.mail.protection.microsoft.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_LOG, "microsoft.com",
	    NULL },
	{ "a library's proxy", "www-betterbricks-com.x.oclc.org", LOOKALIKE_E4, LOOKALIKE_LOG, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks-com\", but is registered under oclc.org (it is a library's proxy by oclc.org)" },
	{ "one by its words", "betterbricks.com.vpn.some.edu", LOOKALIKE_E1, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "words that everybody may have", "betterbricks.com.vpn.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "a word of libraries, for what is no library's", "betterbricks.com.ezproxy.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK,
	    "betterbricks.com", NULL },
	{ "and for what is", "web.mit.edu.ezproxy.hospital.or.kr", LOOKALIKE_E1, LOOKALIKE_LOG, "mit.edu", NULL },
	{ "strangers side by side", "betterbricks-com.pages.test", LOOKALIKE_E4, LOOKALIKE_WARN, "betterbricks.com", NULL },
	{ "a stranger there", "betterbricks.com.evil.pages.test", LOOKALIKE_E1, LOOKALIKE_WARN, "betterbricks.com", NULL },
	{ "our hosting", "betterbricks-com.previews.hosted.com", LOOKALIKE_E4, LOOKALIKE_OFF, "betterbricks.com",
	    "spells betterbricks.com as \"betterbricks-com\", but is registered under previews.hosted.com (allowed: it is under "
	    "previews.hosted.com, hosting that the site uses)" },
	{ "an academic suffix", "betterbricks.com.some.edu", LOOKALIKE_E1, LOOKALIKE_LOG, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under some.edu (only some may register under its suffix)" },
	{ "what only looks like one", "betterbricks.com.vpn.x.gov.jp", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "amid other words", "cms-betterbricks-com-2026.upd01.net", LOOKALIKE_E4, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "behind a word", "cms-betterbricks-com.upd01.net", LOOKALIKE_E4, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "another label in another script", "xn--mller-kva.betterbricks.org", LOOKALIKE_E9, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "a bucket", "betterbricks.com.bucket.test", LOOKALIKE_E1, LOOKALIKE_WARN, "betterbricks.com", NULL },
	{ "what everybody knows", "betterbricks.com.everybody.com", LOOKALIKE_E1, LOOKALIKE_WARN, "betterbricks.com", NULL },
	{ "an exception", "betterbricks.com.errors.test", LOOKALIKE_E1, LOOKALIKE_OFF, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under errors.test (allowed: the site allows it under errors.test)" },
	{ "an exception for another", "paypal.com.errors.test", LOOKALIKE_E1, LOOKALIKE_BLOCK, "paypal.com", NULL },
	{ "an exception for all", "paypal.com.audits.test", LOOKALIKE_E1, LOOKALIKE_OFF, "paypal.com", NULL },
	{ "a brand that is a word", "secure-target.com.upd01.net", LOOKALIKE_E3, LOOKALIKE_WARN, "target.com", NULL },
	{ "its name alone", "target.upd01.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a short name by chance", "some-mit-edu.upd01.net", LOOKALIKE_E4, LOOKALIKE_LOG, "mit.edu", NULL },
	{ "a short name on purpose", "mit-edu.upd01.net", LOOKALIKE_E4, LOOKALIKE_WARN, "mit.edu", NULL },
	{ "whose name is anybody's", "illinois.upd01.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "and whose whole is not", "illinois.gov.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "illinois.gov", NULL },
	{ "its suffix is the owner's label", "a-livedoor.blog.jp", LOOKALIKE_E3, LOOKALIKE_LOG, "livedoor.blog", NULL },
	{ "a suffix that reads like a target", "school.vic.edu.au", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "a public suffix", "com.cn", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "part of a label", "notbetterbricks.com.upd01.net", LOOKALIKE_NONE, LOOKALIKE_OFF, "", NULL },
	{ "another end", "betterbricks.company.upd01.net", LOOKALIKE_E6, LOOKALIKE_LOG, "betterbricks.com", NULL },
	{ "two targets: ours", "paypal.com.betterbricks.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "an empty label", "betterbricks.com..upd01.net", LOOKALIKE_UNJUDGED, LOOKALIKE_LOG, "",
	    "cannot be judged: it has an empty label" },
	{ "a byte that no name has", "betterbricks.com%.upd01.net", LOOKALIKE_E2, LOOKALIKE_BLOCK, "betterbricks.com",
	    "embeds betterbricks.com, but is registered under upd01.net" },
	{ "an underscore", "_x.betterbricks.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "too many parts",
	    A20 A20 A20 "a.a.a.upd01.net", LOOKALIKE_UNJUDGED, LOOKALIKE_LOG, "", "cannot be judged: it has more than 64 parts" },
	{ "as many as there may be",
	    A20 A20 A20 "betterbricks.com.upd01.net", LOOKALIKE_E1, LOOKALIKE_BLOCK, "betterbricks.com", NULL },
	{ "a label of 64", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.net", LOOKALIKE_UNJUDGED, LOOKALIKE_LOG, "",
	    "cannot be judged: it has a label of more than 63 characters" },
};

static bool
is_expected(const struct lookalike *l, size_t i)
{
	struct lookalike_finding f;
	struct buf sentence;
	bool found = lookalike_find(l, guard_copy(slice_str(rows[i].host)), &levels, &f), good;

	buf_init(&sentence, SENTENCE_MAX);
	lookalike_format(&f, &sentence);
	good = f.class == rows[i].class && f.level == rows[i].level && found == (f.level > LOOKALIKE_OFF) &&
	    slice_eq(f.target, slice_str(rows[i].target)) &&
	    (f.class == LOOKALIKE_NONE || f.class == LOOKALIKE_UNJUDGED ||
	    slice_eq(f.registrable, lookalike_registrable(l, slice_str(rows[i].host)))) &&
	    (rows[i].sentence == NULL || slice_eq(buf_slice(&sentence), slice_str(rows[i].sentence)));
	if (!good)
		printf("# %s %s %.*s: %.*s\n", lookalike_class_name(f.class), lookalike_level_name(f.level), SLICE_ARGS(f.target),
		    SLICE_ARGS(buf_slice(&sentence)));
	buf_fini(&sentence);
	return good;
}

static void
test_classes(const struct lookalike *l)
{
	struct lookalike_levels off = { .own_names = 0 };
	struct lookalike_finding f;
	char host[LOOKALIKE_HOST_MAX + 1];

	for (size_t i = 0; i < COUNT(rows); i++)
		ok(is_expected(l, i), "%s: %s", rows[i].idea, rows[i].host);
	ok(!lookalike_find(l, SLICE("betterbricks.com.upd01.net"), &off, &f), "classes that are off find nothing");
	levels.own_names = LOOKALIKE_BLOCK;
	ok(lookalike_find(l, SLICE("betterbricks-login.net"), &levels, &f) && f.level == LOOKALIKE_WARN,
	    "our own name is warned of where the site wants it");
	levels.own_names = LOOKALIKE_LOG;
	memset(host, 'a', sizeof(host));
	for (size_t i = 60; i < sizeof(host); i += 60)
		host[i] = '.';
	ok(lookalike_find(l, slice_make(host, sizeof(host)), &levels, &f) && f.class == LOOKALIKE_UNJUDGED, "254 bytes are too many");
	if (!ok(!lookalike_find(l, slice_make(host, sizeof(host) - 1), &levels, &f), "253 are not"))
		printf("# %s\n", f.fault);
	ok(slice_eq(lookalike_registrable(l, SLICE("www.shop.com.zz")), SLICE("shop.com.zz")), "everybody may register under com.zz");
	ok(lookalike_registrable(l, SLICE("com")).len == 0, "com is nobody's");
	ok(lookalike_own(l) == 8 && lookalike_brands(l) == 6 && lookalike_stamp(l) == 17, "what it says of itself");
}

/* ---- what a rule for a whole domain would touch ---- */

static const struct { const char *idea, *domain, *name; enum lookalike_excuse why; } touched[] = {
	{ "nobody's", "upd01.net", NULL, EXCUSE_NONE },
	{ "a domain that only ends so", "notbetterbricks.com", NULL, EXCUSE_NONE },
	{ "ours", "betterbricks.com", "betterbricks.com", EXCUSE_OWN },
	{ "below ours", "a.betterbricks.com", "betterbricks.com", EXCUSE_OWN },
	{ "above ours", "betterbricks.net", "mail.betterbricks.net", EXCUSE_OWN },
	{ "above a partner's", "bricksupplier.co.uk", "bricksupplier.co.uk", EXCUSE_PARTNER },
	{ "a brand's", "paypal.me", "paypal.me", EXCUSE_FAMILY },
	{ "a brand's other", "paypalobjects.com", "paypalobjects.com", EXCUSE_FAMILY },
	{ "machines", "a.edge.test", "edge.test", EXCUSE_INFRA },
	{ "above what the site excepts", "errors.test", "errors.test", EXCUSE_EMBEDS },
	{ "our hosting", "previews.hosted.com", NULL, EXCUSE_HOSTING },
	{ "shared hosting", "hosted.com", NULL, EXCUSE_SHARED },
	{ "a stranger there", "evil.pages.test", "pages.test", EXCUSE_SHARED },
	{ "a bucket", "bucket.test", "bucket.test", EXCUSE_BUCKET },
	{ "what everybody knows", "everybody.com", "everybody.com", EXCUSE_POPULAR },
	{ "a library's proxy", "x.oclc.org", "oclc.org", EXCUSE_PROXY },
	{ "a public suffix", "co.uk", NULL, EXCUSE_NONE },
};

static void
test_touched(const struct lookalike *l)
{
	for (size_t i = 0; i < COUNT(touched); i++) {
		enum lookalike_excuse why = EXCUSE_NONE;
		struct slice name = { 0 };
		bool found = lookalike_touches(l, guard_copy(slice_str(touched[i].domain)), &name, &why);
		/* Of several names any may be told. */
		bool any = i > 1 && touched[i].name == NULL;

		if (!ok(any ? found : found == (touched[i].name != NULL) && (!found || (why == touched[i].why &&
		    slice_eq(name, slice_str(touched[i].name)))), "touches: %s", touched[i].idea))
			printf("# %.*s %d\n", SLICE_ARGS(name), (int)why);
	}
}

/* ---- paths ---- */

static const struct { const char *idea, *path; enum lookalike_path kind; const char *target; } paths[] = {
	{ "the founding path", "/mail/id=jane@betterbricks.com-patch121.exe", PATH_ADDRESS, "betterbricks.com" },
	{ "percent-encoded", "/a?to=jane%40BetterBricks.com&x=1", PATH_ADDRESS, "betterbricks.com" },
	{ "a mail domain", "/jane@mail.betterbricks.net", PATH_ADDRESS, "mail.betterbricks.net" },
	{ "a domain without an address", "/?next=http://www.betterbricks.com/", PATH_DOMAIN, "betterbricks.com" },
	{ "behind an underscore", "/patch_betterbricks.com_121", PATH_DOMAIN, "betterbricks.com" },
	{ "a host that embeds it", "/jane@x.betterbricks.com", PATH_DOMAIN, "betterbricks.com" },
	{ "part of a label", "/jane@notbetterbricks.com", PATH_NOTHING, "" },
	{ "a brand", "/jane@paypal.com", PATH_NOTHING, "" },
	{ "a program", "/a/Setup.EXE?x=1", PATH_PROGRAM, "" },
	{ "in the query alone", "/a?x=1.exe", PATH_NOTHING, "" },
	{ "an extension without a name", "/exe", PATH_NOTHING, "" },
	{ "nothing", "/", PATH_NOTHING, "" },
	{ "less", "", PATH_NOTHING, "" },
};

static void
test_paths(const struct lookalike *l)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct lookalike_finding f = { .class = LOOKALIKE_E6 };
		bool found = lookalike_trace(l, guard_copy(slice_str(paths[i].path)), &f);

		ok(found == (paths[i].kind != PATH_NOTHING) && f.path_kind == paths[i].kind &&
		    slice_eq(f.path_target, slice_str(paths[i].target)), "path: %s", paths[i].idea);
	}
}

/* ---- text ---- */

static const struct { const char *idea, *text, *found; } bad_lines[] = {
	{ "an unknown word", "own a.com\nonw b.com\n", "2:1: error: \"onw\" is no word that a line begins with" },
	{ "no domain", "own a.com b/c\n", "1:11: error: \"b/c\" is no domain" },
	{ "an address", "own 192.0.2.7\n", "1:5: error: \"192.0.2.7\" is no domain" },
	{ "a single label", "brand paypal\n", "1:7: error: \"paypal\" is a single label: a domain is expected" },
	{ "a character that no domain has", "infra a!b.com\n", "1:7: error: \"a!b.com\" has a character that no domain has" },
	{ "a public suffix", "own co.uk\n",
	    "1:5: warning: \"co.uk\" is a public suffix, under which anybody may register: it is left out" },
	{ "nothing behind the word", "  own  # a.com\n", "1:3: error: \"own\" has nothing behind it" },
	{ "an exception for nothing", "embed a.com\n", "1:7: error: \"a.com\" may embed what? a domain or * is expected behind it" },
	{ "a word that is none", "key log-in\n", "1:5: error: \"log-in\" is no word of a-z and 0-9" },
	{ "a code point that is none", "glyph a 0430\n", "1:9: error: \"0430\" is no code point beyond ASCII, such as U+0430" },
	{ "a glyph that is too long", "glyph abcde U+0430\n", "1:7: error: \"abcde\" is longer than a glyph may look" },
};

static void
test_text(const struct public_suffixes *suffixes)
{
	for (size_t i = 0; i < COUNT(bad_lines); i++) {
		struct lookalike_builder *b = lookalike_builder_new();
		char *path = write_file("bad.txt", slice_str(bad_lines[i].text)), said[SENTENCE_MAX] = "";
		struct diag diag = { 0 };

		lookalike_source_read(b, suffixes, NULL, path, &diag);
		if (diag.n > 0)
			diag_format(&diag.v[0], said, sizeof(said));
		is_slice(slice_skip(slice_str(said), strlen(path) + 1), slice_str(bad_lines[i].found), bad_lines[i].idea);
		diag_fini(&diag);
		lookalike_builder_free(b);
		free(path);
	}
}

/* The same lines in another order make the same file. */
static void
test_order(const struct public_suffixes *suffixes)
{
	struct buf turned, bytes[2];
	struct segment *segment[2] = { NULL, NULL };
	struct slice rest = SLICE(site);
	static const char *const names[] = { "a.seg", "b.seg" };

	buf_init(&turned, TEXT_ROOM);
	for (size_t end = rest.len - 1; end > 0;) {
		size_t begin = end;

		while (begin > 0 && rest.p[begin - 1] != '\n')
			begin--;
		buf_add(&turned, rest.p + begin, end - begin);
		buf_add_char(&turned, '\n');
		end = begin > 0 ? begin - 1 : 0;
	}
	for (int i = 0; i < 2; i++) {
		char *path = file_join(folder, names[i]);

		lookalike_close(make(suffixes, NULL, i == 0 ? rest : buf_slice(&turned), names[i], &segment[i]));
		segment_close(segment[i]);
		buf_init(&bytes[i], TEXT_ROOM);
		if (file_read(path, &bytes[i]) == -1)
			abort();
		free(path);
	}
	ok(slice_eq(buf_slice(&bytes[0]), buf_slice(&bytes[1])), "the order of lines does not count");
	buf_fini(&bytes[0]);
	buf_fini(&bytes[1]);
	buf_fini(&turned);
}

/* ---- suffixes ---- */

struct suffix_test {
	const struct lookalike		*l;
	const struct public_suffixes	*suffixes;
#ifdef HAVE_LIBPSL
	psl_ctx_t			*psl;
#endif
	uint64_t			 asked, wrong;
	char				 first[LOOKALIKE_HOST_MAX + 1];
	struct buf			 names;		/* all rules' names, lines of them */
};

#ifdef HAVE_LIBPSL
/* libpsl's public suffix of HOST by the rules of TYPE, where "*" is one. */
static size_t
oracle_suffix(const psl_ctx_t *psl, const char *host, int type)
{
	const char *dot;

	while (!psl_is_public_suffix2(psl, host, type) && (dot = strchr(host, '.')) != NULL)
		host = dot + 1;
	return strlen(host);
}
#endif

static void
ask_suffix(struct suffix_test *t, const char *host)
{
	struct slice s = slice_str(host);
	struct suffix_answer expected = public_suffix(t->suffixes, s);
	struct lookalike_suffix got = lookalike_suffix(t->l, s);
	bool good = got.icann == expected.icann.len && got.any == expected.any.len && got.listed == expected.listed;

#ifdef HAVE_LIBPSL
	good = good && got.icann == oracle_suffix(t->psl, host, PSL_TYPE_ICANN) && got.any == oracle_suffix(t->psl, host, PSL_TYPE_ANY);
#endif
	t->asked++;
	if (!good && t->wrong++ == 0)
		snprintf(t->first, sizeof(t->first), "%s", host);
}

static int
ask_rule(void *arg, struct slice name, unsigned rules)
{
	static const char *const before[] = { "", "a.", "b.a.", "x", "e.d.c.b.a.", "www.", "q-", "-." };
	static const char *const after[] = { "", ".com", "x" };
	struct suffix_test *t = arg;
	char host[LOOKALIKE_HOST_MAX + 1];

	(void)rules;
	if (name.len + 20 > sizeof(host))
		return 0;
	buf_add_slice(&t->names, name);
	buf_add_char(&t->names, '\n');
	for (size_t i = 0; i + 1 < COUNT(before); i++)
		for (size_t k = 0; k < COUNT(after); k++) {
			snprintf(host, sizeof(host), "%s%.*s%s", before[i], SLICE_ARGS(name), after[k]);
			ask_suffix(t, host);
		}
	return 0;
}

/* Hosts of labels of the rules themselves, so that they are met in every order. */
static void
ask_at_random(struct suffix_test *t)
{
	struct rng rng = rng_of(6, 1);
	struct slice all = buf_slice(&t->names);
	char host[LOOKALIKE_HOST_MAX + 1];

	for (int n = 0; n < HOSTS_AT_RANDOM; n++) {
		size_t len = 0, labels = 1 + rng_next(&rng) % 4;

		for (size_t i = 0; i < labels; i++) {
			size_t from = rng_next(&rng) % (all.len - 1), to;

			while (from > 0 && all.p[from - 1] != '\n' && (i > 0 || all.p[from - 1] != '.'))
				from--;
			for (to = from; all.p[to] != '\n'; to++)
				;
			if (len + (to - from) + 1 >= sizeof(host))
				break;
			memmove(host + (to - from) + (len > 0), host, len);
			memcpy(host, all.p + from, to - from);
			if (len > 0)
				host[to - from] = '.';
			len += to - from + (len > 0);
		}
		host[len] = '\0';
		if (len > 0)
			ask_suffix(t, host);
	}
}

static void
test_suffixes(void)
{
	struct diag diag = { 0 };
	struct suffix_test t = { .suffixes = public_suffixes_load(PUBLIC_SUFFIX_FILE, &diag) };
	struct segment *segment = NULL;

	diag_fini(&diag);
	if (t.suffixes == NULL) {
		skip("suffixes as psl.c has them", PUBLIC_SUFFIX_FILE " is missing");
		return;
	}
	buf_init(&t.names, TEXT_ROOM);
	t.l = make(t.suffixes, NULL, SLICE("own betterbricks.com\n"), "suffixes.seg", &segment);
#ifdef HAVE_LIBPSL
	t.psl = psl_load_file(PUBLIC_SUFFIX_FILE);
#endif
	public_suffixes_each(t.suffixes, ask_rule, &t);
	ok(t.asked > 100000 && t.wrong == 0, "suffixes of every rule (%llu asked)", (unsigned long long)t.asked);
	t.asked = 0;
	ask_at_random(&t);
	ok(t.asked == HOSTS_AT_RANDOM && t.wrong == 0, "suffixes of %llu hosts at random", (unsigned long long)t.asked);
	if (t.wrong > 0)
		printf("# %llu wrong, first: %s\n", (unsigned long long)t.wrong, t.first);
#ifdef HAVE_LIBPSL
	psl_free(t.psl);
#else
	skip("suffixes as libpsl has them", "built without libpsl");
#endif
	buf_fini(&t.names);
	lookalike_close((struct lookalike *)t.l);
	segment_close(segment);
	public_suffixes_free((struct public_suffixes *)t.suffixes);
}

/* ---- waves ---- */

static const char *const campaign[] = { "update", "secure", "mail", "portal", "patch", "support", "verify", "download", "vpn",
	"sso", "helpdesk", "payroll", "office", "invoice", "www" };
static const char *const tops[] = { "net", "com", "org", "info", "live", "de", "co.uk", "com.cn", "jp" };

static void
add_syllables(struct rng *rng, struct buf *out, size_t n)
{
	static const char consonants[] = "bdfgklmnprstvz", vowels[] = "aeiou";

	for (size_t i = 0; i < n; i++) {
		buf_add_char(out, consonants[rng_next(rng) % (sizeof(consonants) - 1)]);
		buf_add_char(out, vowels[rng_next(rng) % (sizeof(vowels) - 1)]);
	}
}

/* A host of shape SHAPE around OWN, in some of the spellings that a browser takes for the same. */
static void
make_wave(struct rng *rng, struct slice own, unsigned shape, struct buf *out)
{
	const char *word = campaign[rng_next(rng) % COUNT(campaign)], *more = campaign[rng_next(rng) % COUNT(campaign)];
	unsigned spelling = (unsigned)rng_next(rng) % 4;
	size_t at;

	buf_reset(out);
	if (shape == 0 || shape == 3)
		buf_add_strs(out, word, shape == 0 ? "." : "-", NULL);
	at = out->len;
	buf_add_slice(out, own);
	for (size_t i = at; shape == 4 && i < out->len; i++)
		out->p[i] = out->p[i] == '.' ? '-' : out->p[i];
	if (shape == 2)
		buf_add_strs(out, "-", word, NULL);
	buf_add_char(out, '.');
	if (shape == 0)
		buf_add_strs(out, more, ".", NULL);
	add_syllables(rng, out, 4);
	buf_add_strs(out, "x.", tops[rng_next(rng) % COUNT(tops)], NULL);
	for (size_t i = 0; spelling == 1 && i < out->len; i += 2)
		if (out->p[i] >= 'a' && out->p[i] <= 'z')
			out->p[i] = (char)(out->p[i] - 'a' + 'A');
	if (spelling == 2)
		buf_add_char(out, '.');
	if (spelling == 3)
		buf_add_str(out, ":8443");
}

static void
test_waves(const struct public_suffixes *suffixes)
{
	static const char *const names[] = { "E1", "E1 alone", "E2", "E3", "E4" };
	struct rng rng = rng_of(6, 2);
	struct buf own, host;
	struct segment *segment = NULL;
	struct lookalike *l;
	size_t found[COUNT(names)] = { 0 }, tried[COUNT(names)] = { 0 };

	buf_init(&own, TEXT_ROOM);
	buf_init(&host, TEXT_ROOM);
	for (int i = 0; i < 2000; i++) {
		add_syllables(&rng, &own, 3 + rng_next(&rng) % 4);
		if (rng_next(&rng) % 4 == 0) {
			buf_add_char(&own, '-');
			add_syllables(&rng, &own, 3);
		}
		buf_add_strs(&own, ".", tops[rng_next(&rng) % COUNT(tops)], "\n", NULL);
	}
	l = make(suffixes, "own", buf_slice(&own), "wave.seg", &segment);
	for (unsigned n = 0; n < WAVES; n++) {
		size_t from = rng_next(&rng) % own.len, to = from;
		struct lookalike_finding f = { .level = LOOKALIKE_OFF };
		unsigned shape = n % COUNT(names);
		struct slice target;
		struct url u;

		while (from > 0 && own.p[from - 1] != '\n')
			from--;
		while (own.p[to] != '\n')
			to++;
		target = slice_make(own.p + from, to - from);
		make_wave(&rng, target, shape, &host);
		tried[shape]++;
		if (url_parse_authority(&u, buf_slice(&host)) != URL_OK)
			continue;
		lookalike_find(l, u.host, &levels, &f);
		if (f.level == LOOKALIKE_BLOCK && slice_eq(f.target, target))
			found[shape]++;
		else
			printf("# %s: %s\n", names[shape], host.p);
		url_fini(&u);
	}
	for (size_t i = 0; i < COUNT(names); i++)
		ok(found[i] == tried[i] && tried[i] == WAVES / COUNT(names), "waves of %s: all of %zu are refused", names[i], tried[i]);
	buf_fini(&own);
	buf_fini(&host);
	lookalike_close(l);
	segment_close(segment);
}

/* ---- Punycode ---- */

static void
test_punycode(void)
{
	struct rng rng = rng_of(6, 3);
	size_t tried = 0, good = 0;

	for (int n = 0; n < 20000; n++) {
		uint32_t label[13], back[LOOKALIKE_LABEL_MAX];
		size_t len = 1 + rng_next(&rng) % 12, decoded;
		char *ascii = NULL;
		bool same;

		for (size_t i = 0; i < len; i++) {
			uint64_t r = rng_next(&rng);

			label[i] = r % 3 == 0 ? 'a' + r / 3 % 26 : r % 3 == 1 ? 0x430 + r / 3 % 32 : 0x4e00 + r / 3 % 1000;
		}
		label[len] = 0;
		if (idn2_to_ascii_4z(label, &ascii, IDN2_NONTRANSITIONAL) == IDN2_OK && strncmp(ascii, "xn--", 4) == 0) {
			tried++;
			decoded = lookalike_punycode(slice_skip(slice_str(ascii), 4), back);
			same = decoded == len;
			for (size_t i = 0; same && i < len; i++)
				same = back[i] == label[i];
			good += same;
			if (!same)
				printf("# %s\n", ascii);
		}
		idn2_free(ascii);
	}
	ok(tried > 10000 && good == tried, "Punycode of libidn2 is read back (%zu)", tried);
}

int
main(void)
{
	struct public_suffixes *suffixes;
	struct segment *segment = NULL;
	struct lookalike *l;
	struct site options;

	folder = temp_dir();
	if (option_defaults(site_options, site_options_n, &options) == -1)
		abort();
	site_lookalike_levels(&options, &levels);
	suffixes = small_list();
	l = make(suffixes, NULL, SLICE(site), "site.seg", &segment);
	test_classes(l);
	test_touched(l);
	test_paths(l);
	lookalike_close(l);
	segment_close(segment);
	test_text(suffixes);
	test_order(suffixes);
	test_waves(suffixes);
	test_suffixes();
	test_punycode();
	public_suffixes_free(suffixes);
	option_fini(site_options, site_options_n, &options);
	free(folder);
	return tap_done();
}
