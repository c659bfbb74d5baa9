/* Alerts: the texts of t/alerts in all the wordings that were seen, what becomes of them, versions,
    the record's
 * JSON, and text that was made to hurt. */
#include "alerts/alert.h"
#include "base/clock.h"
#include "base/file.h"
#include "ruleset/source.h"
#include "t/tap.h"

enum { PATH_LEN = 4096, RULES_MAX = 64 << 20, HOSTILE = 1 << 20 };

#define NOW	INT64_C(1795536000)	/* 2026-11-24T16:00:00Z */

/* What import would give. */
struct result {
	struct alert	*alert;
	struct diag	 diag;
	struct buf	 rules;		/* the source file */
	struct buf	 brief;		/* "host x\n" and the like, what the tables say */
	size_t		 n;
};

static struct public_suffixes *suffixes;

static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

static struct public_suffixes *
load_suffixes(const char *path)
{
	struct diag diag = { 0 };
	struct public_suffixes *list = public_suffixes_load(path, &diag);

	diag_fini(&diag);
	return list;
}

/* NAME in the source tree. */
static const char *
source_file(const char *name, char path[static PATH_LEN])
{
	const char *top = getenv("top_srcdir");

	snprintf(path, PATH_LEN, "%s/%s", top != NULL ? top : ".", name);
	return path;
}

static struct buf
read_source_file(const char *name)
{
	char path[PATH_LEN];
	struct buf text;

	buf_init(&text, ALERT_TEXT_MAX);
	if (file_read(source_file(name, path), &text) == -1)
		printf("# %s cannot be read\n", path);
	return text;
}

static int
add_brief(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct buf *out = arg;

	(void)match;
	(void)line;
	buf_addf(out, "%s %.*s", rule_kind_name(rule->kind), SLICE_ARGS(rule->value));
	if (rule->name.len > 0)
		buf_addf(out, " %.*s", SLICE_ARGS(rule->name));
	if (rule->container.len > 0)
		buf_addf(out, " in %.*s", SLICE_ARGS(rule->container));
	buf_add_char(out, '\n');
	return 0;
}

/* The rules of R->ALERT, after those of PREVIOUS. */
static void
make_rules(struct result *r, const struct public_suffixes *list, int level, int64_t now, struct slice previous)
{
	struct alert_rule_options options = { .level = level, .rev = r->alert->version, .now = now,
	    .previous = previous,
		.list = list };
	struct source_defaults defaults = { .now = now };

	r->n = alert_rules(r->alert, &options, &r->rules, &r->diag);
	if (source_parse("rules", SLICE("alert-x"), buf_slice(&r->rules), &defaults, add_brief, &r->brief,
	    &r->diag) != 0)
		buf_add_str(&r->brief, "(not readable)");
	if (r->brief.len == 0)
		buf_add_str(&r->brief, "");
}

static void
import_text(struct result *r, const struct public_suffixes *list, struct slice text)
{
	*r = (struct result){ 0 };
	buf_init(&r->rules, RULES_MAX);
	buf_init(&r->brief, RULES_MAX);
	r->alert = alert_parse("text", text, list, &r->diag);
	if (r->alert != NULL)
		make_rules(r, list, 4, NOW, slice_make(NULL, 0));
}

static void
result_fini(struct result *r)
{
	alert_free(r->alert);
	diag_fini(&r->diag);
	buf_fini(&r->rules);
	buf_fini(&r->brief);
}

/* Some finding of LEVEL says TEXT. */
static bool
says(const struct diag *diag, enum diag_level level, const char *text)
{
	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == level && strstr(diag->v[i].text, text) != NULL)
			return true;
	return false;
}

static void
show_findings(const struct diag *diag)
{
	char line[1000];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		printf("# %s\n", line);
	}
}

static bool
same(const char *got, const char *expected, const char *name, const char *what)
{
	char full[200];

	snprintf(full, sizeof(full), "%s: %s", name, what);
	return is_str(got != NULL ? got : "", expected != NULL ? expected : "", full);
}

static bool
same_int(long long got, long long expected, const char *name, const char *what)
{
	char full[200];

	snprintf(full, sizeof(full), "%s: %s", name, what);
	return is_int(got, expected, full);
}

/* ---- whole alerts ---- */

#define RULES_19190 \
	"host *.secure.upd01.net\n" \
	"host *.secure.mailserver-upd.com\n" \
	"file 90112:md5:9abc553703f4e4fedb3ed975502a2c7a patch.exe\n" \
	"file 100352:md5:0ee4f395dd071f169e95e34454bbf446 patch.exe\n" \
	"file 105984:md5:c007f25d28eaf7d344591df0f24d461e patch.exe\n"

static const struct fixture {
	const char	*file, *id;
	unsigned	 version;
	const char	*first, *last, *severity, *rule_ids, *rules, *subject;
	size_t		 warnings;
	const char	*warning;
} fixtures[] = {
	{ "etc/alert-19190.txt", "19190", 4, "2009-10-12T15:12:00Z", "2009-10-28T18:39:00Z", "Harrassment",
	    "RuleID2499",
	    RULES_19190, "Attention- Mail Server Upgrade", 0, NULL },
	{ "t/alerts/zip-member.txt", "19368", 1, "2009-11-04T14:20:00Z", NULL, "Mild Damage", "RuleID2352",
	    "file 19456:md5:e1addba631fcdecbd5176c4d63c9775d winner.exe in zip\n", "You are our winner", 0,
	    NULL },
	{ "t/alerts/three-zips.txt", "19306", 2, "2009-10-29T14:00:00Z", "2009-10-30T20:05:00Z", "Mild Damage",
	    "RuleID2520 RuleID2530",
	    "file 28610:md5:fc9eaa5e85e9843ddb184c7197fc5e40 info.exe in zip\n"
	    "file 51200:md5:3b9c3d653c3e5cb40c93e9599ee507de inv.exe in zip\n", NULL, 0, NULL },
	{ "t/alerts/no-name.txt", "25707", 1, "2012-04-23T19:06:00Z", NULL, NULL, "RuleID4088",
	    "file 61440:md5:37c7b4752644df7a210c6f425e8f7944\n", NULL, 0, NULL },
	{ "t/alerts/good-host.txt", "26169", 1, "2013-06-14T15:33:00Z", "2013-06-14T15:33:00Z", "Mild Damage",
	    "RuleID4256",
	    "url aol.com/news/20130614/saic/negative_report.zip\n"
	    "file 134825:md5:95c71e849aa18d6c7e9d424da4b0bb95 Negative_Report.....exe in zip\n", NULL, 0,
	    NULL },
	{ "t/alerts/name-template.txt", NULL, 1, NULL, NULL, NULL, "RuleID5591KVR",
	    "file 97792:md5:5aa0bd3bd921eb70660ae3a4b59e470d FAX_id{DIGIT[30]}.exe\n", NULL, 0, NULL },
	{ "t/alerts/bad-digest.txt", "31830", 7, "2013-11-26T15:33:00Z", "2014-01-03T08:01:00Z", NULL,
	    "RuleID7942 RuleID4626KVR",
	    "file 13824:name:photo.exe photo.exe\n"
	    "file 931498:md5:78caabfbea651c65cdbe68971b52d02e photo.scr\n"
	    "file 164864:md5:733a17e77fb09c817c8fc80507183675 photo.exe\n", NULL, 1,
	    "\"3B699A22A8A3706C9521E63F9F598B\" has 30 digits" },
	{ "t/alerts/broken-lines.txt", "5451", 1, NULL, NULL, NULL, "RuleID5451",
	    "host statements.example.org\n"
	    "url statements.example.org/get.php?id=7\n"
	    "file 164864:md5:733a17e77fb09c817c8fc80507183675 HSBC_statement.exe\n", NULL, 0, NULL },
	{ "t/alerts/lookalike.txt", "18000", 1, NULL, NULL, NULL, "",
	    "host *.illihfl.com\n"
	    "host *.llik1i.net\n"
	    "host *.secure.example.ru\n"
	    "url eu.news.example.com/story?id=5\n"
	    "url login.example.org.co.uk/x\n", NULL, 0, NULL },
	{ "t/alerts/victims.txt", "victims-1", 3, NULL, NULL, NULL, "",
	    "host ann.bank.com.co.uk\n"
	    "url joe.example.info/get/joe@example.info.exe\n", NULL, 7,
	    "no rule for the host example.com: it belongs to a victim" },
	{ "t/alerts/web-page.txt", "20001", 2, "2010-01-05T08:00:00Z", NULL, NULL, "",
	    "url cards.example.net/card.exe\n"
	    "file 40960:md5:00112233445566778899aabbccddeeff card.exe\n"
	    "file *:sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f card.exe\n", NULL,
	    0, NULL },
	{ "t/alerts/nothing.txt", "20002", 1, NULL, NULL, NULL, "", "", NULL, 0, NULL },
};

static void
check_date(int64_t got, const char *expected, const char *name, const char *what)
{
	int64_t seconds = 0;

	if (expected != NULL && clock_parse(slice_str(expected), &seconds) == -1)
		abort();
	same_int(got, seconds, name, what);
}

static void
check_fixture(const struct fixture *x, struct slice text, const struct public_suffixes *list)
{
	char rule_ids[200] = "";
	struct result r;

	import_text(&r, list, guard_copy(text));
	if (!ok(r.alert != NULL, "%s: is read", x->file))
		return;
	if (x->id != NULL)
		same(r.alert->id, x->id, x->file, "id");
	else
		ok(strncmp(r.alert->id, "text-", 5) == 0 && strlen(r.alert->id) == 13, "%s: id of its text",
		    x->file);
	same_int(r.alert->version, x->version, x->file, "version");
	check_date(r.alert->first_published, x->first, x->file, "first published");
	check_date(r.alert->last_published, x->last, x->file, "last published");
	same(r.alert->severity, x->severity, x->file, "severity");
	for (size_t i = 0; i < r.alert->n_rule_ids; i++)
		snprintf(rule_ids + strlen(rule_ids), sizeof(rule_ids) - strlen(rule_ids), "%s%s",
		    i > 0 ? " " : "",
		    r.alert->rule_ids[i]);
	same(rule_ids, x->rule_ids, x->file, "rule ids");
	same(r.alert->n_lures > 0 ? r.alert->lures[0].subject : NULL, x->subject, x->file, "subject");
	same(r.brief.p, x->rules, x->file, "rules");
	if (!same_int((long long)r.diag.n_warnings, (long long)x->warnings, x->file, "warnings"))
		show_findings(&r.diag);
	ok(r.diag.n_errors == 0, "%s: no error", x->file);
	if (x->warning != NULL)
		ok(says(&r.diag, DIAG_WARNING, x->warning), "%s: warns", x->file);
	result_fini(&r);
}

static void
test_fixtures(void)
{
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		struct buf text = read_source_file(fixtures[i].file);

		check_fixture(&fixtures[i], buf_slice(&text), suffixes);
		buf_fini(&text);
	}
}

static void
check_real(struct slice text, const struct public_suffixes *list, const char *name)
{
	struct fixture x = fixtures[0];
	struct result r;

	x.file = name;
	check_fixture(&x, text, list);
	import_text(&r, list, text);
	if (r.alert != NULL) {
		same(r.alert->title,
		    "Threat Outbreak Alert: Fake Mail Server Upgrade E-mail Messages on October 27, 2009", name,
		    "title");
		same(r.alert->urgency, "Possible Use", name, "urgency");
		same(r.alert->credibility, "Confirmed", name, "credibility");
		same_int((long long)r.alert->n_urls, 2, name, "two URLs, one of them said twice");
		same_int((long long)r.alert->n_lures, 3, name, "three sample mails");
		same_int((long long)r.diag.n, 0, name, "nothing to remark");
	}
	result_fini(&r);
}

/* The alert as its publisher wrote it, where there is a copy; and both with Debian's list, where .secure is a
 * suffix. */
static void
test_real(void)
{
	const char *shared = getenv("FIREBREAK_SHARED");
	struct public_suffixes *debian = load_suffixes(PUBLIC_SUFFIX_FILE);
	struct buf own = read_source_file("etc/alert-19190.txt"), text;
	char path[PATH_LEN];

	buf_init(&text, ALERT_TEXT_MAX);
	if (debian != NULL)
		check_real(buf_slice(&own), debian, "19190's facts and Debian's list");
	else
		skip("19190's facts and Debian's list", "the package publicsuffix is not there");
	snprintf(path, sizeof(path), "%s/alerts/intellishield-19190.txt", shared != NULL ? shared : "");
	if (shared == NULL)
		skip("19190 as published", "FIREBREAK_SHARED is not set");
	else if (file_read(path, &text) == -1)
		skip("19190 as published", "it is not in FIREBREAK_SHARED");
	else
		check_real(buf_slice(&text), debian != NULL ? debian : suffixes, "19190 as published");
	buf_fini(&text);
	buf_fini(&own);
	public_suffixes_free(debian);
}

/* ---- wordings, a row per idea ---- */

#define HEX	"00112233445566778899AABBCCDDEEFF"
#define LOW	"00112233445566778899aabbccddeeff"
#define HEX2	"FFEEDDCCBBAA99887766554433221100"
#define LOW2	"ffeeddccbbaa99887766554433221100"

static const struct row {
	const char	*name, *text, *rules, *warning;		/* NULL: there must be none */
} rows[] = {
	/* files */
	{ "file size of", "The a.exe file has a file size of 1,234 bytes. The MD5 checksum is: 0x" HEX,
	    "file 1234:md5:" LOW " a.exe\n", NULL },
	{ "size of, hash", "a.exe has a size of 1234 bytes and an MD5 hash of " HEX ".",
	    "file 1234:md5:" LOW " a.exe\n", NULL },
	{ "millions", "The b.exe file has a size of 1,234,567 bytes. MD5: " LOW,
	    "file 1234567:md5:" LOW " b.exe\n", NULL },
	{ "commas astray", "The b.exe file has a size of 12,34 bytes. MD5: " LOW, "file *:md5:" LOW " b.exe\n",
	    "the size \"12,34\" cannot be used" },
	{ "a size that rounds", "The b.exe file, 88 KB. MD5: " LOW, "file *:md5:" LOW " b.exe\n",
	    "is not exact to the byte" },
	{ "a size of 2^64", "The b.exe file has a size of 18446744073709551616 bytes. MD5: " LOW,
	    "file *:md5:" LOW " b.exe\n",
	    "cannot be used" },
	{ "a size of none", "The b.exe file has a size of 0 bytes. MD5: " LOW, "file *:md5:" LOW " b.exe\n",
	    "cannot be used" },
	{ "0X", "MD5: 0X" HEX, "file *:md5:" LOW "\n", NULL },
	{ "a full stop behind", "MD5 checksum 0x" HEX ".", "file *:md5:" LOW "\n", NULL },
	{ "in brackets and quotes", "MD5 (\"" HEX "\").", "file *:md5:" LOW "\n", NULL },
	{ "the digest first", "MD5: " HEX "\nSize: 500 bytes\n\nMD5: " HEX2 "\nSize: 600 bytes\n",
	    "file 500:md5:" LOW "\nfile 600:md5:" LOW2 "\n", NULL },
	{ "md5sum's lines", LOW "  one.exe\n" LOW2 "  two.exe\n",
	    "file *:md5:" LOW " one.exe\nfile *:md5:" LOW2 " two.exe\n",
	    NULL },
	{ "two sizes",
	    "a.exe has a size of 10 bytes, MD5 " HEX ". Another has a size of 20 bytes, MD5 " HEX2 ".",
	    "file 10:md5:" LOW " a.exe\nfile 20:md5:" LOW2 " a.exe\n", NULL },
	{ "31 digits", "The c.exe file has a size of 10 bytes. MD5: 0112233445566778899AABBCCDDEEFF", "",
	    "has 31 digits" },
	{ "33 digits", "MD5: 000112233445566778899AABBCCDDEEFF", "", "has 33 digits" },
	{ "no hexadecimal", "MD5: 0G112233445566778899AABBCCDDEEFF", "", "is not hexadecimal" },
	{ "a bad digest takes its size away",
	    "The c.exe file has a size of 10 bytes. MD5: 0112233445566778899AABBCCDDEEFF\n\nMD5: " HEX,
	    "file *:md5:" LOW " c.exe\n", "has 31 digits" },
	{ "twice the same", "a.exe, 10 bytes, MD5 " HEX "\na.exe, 10 bytes, MD5 " LOW "\n",
	    "file 10:md5:" LOW " a.exe\n", NULL },
	{ "a size alone", "It has a size of 10 bytes.", "", "a size without a digest or a name" },
	{ "a size and a short name", "The a.exe file has a size of 10 bytes.", "", "its name says too little" },
	{ "a size and a name", "The patcher.exe file has a size of 10 bytes.", "file 10:name:patcher.exe patcher.exe\n", NULL },
	{ "a size and a template", "File: FAX_id{DIGIT[30]}.exe\nSize: 97,792 bytes\n",
	    "file 97792:name:FAX_id{DIGIT[30]}.exe FAX_id{DIGIT[30]}.exe\n", NULL },
	{ "SHA-1", "SHA-1: 000102030405060708090a0b0c0d0e0f10111213",
	    "file *:sha1:000102030405060708090a0b0c0d0e0f10111213\n", NULL },
	{ "MD5 that is a SHA-1", "MD5: 000102030405060708090a0b0c0d0e0f10111213", "", "an MD5 has 32" },
	{ "a word of the text", "The id of the case is 00112233445566778899aabb.", "", NULL },
	{ "member of an archive", "The x.exe file in y.zip has a size of 10 bytes. MD5: " HEX,
	    "file 10:md5:" LOW " x.exe in zip\n", NULL },
	{ "the archive first",
	    "The archive y.rar contains x.exe. The x.exe file has a size of 10 bytes. MD5: " HEX,
	    "file 10:md5:" LOW " x.exe in rar\n", NULL },
	{ "the archive itself", "The y.zip file has a size of 10 bytes. MD5: " HEX,
	    "file 10:md5:" LOW " y.zip\n", NULL },
	{ "a template", "FAX_id{DIGIT[30]}.exe, 10 bytes, MD5 " HEX,
	    "file 10:md5:" LOW " FAX_id{DIGIT[30]}.exe\n", NULL },
	{ "the empty file", "a.exe, MD5 d41d8cd98f00b204e9800998ecf8427e", "", "that of the empty file" },
	{ "a name that is no name", "\"; rm.exe, 10 bytes, MD5 " HEX, "file 10:md5:" LOW " rm.exe\n", NULL },

	/* URLs */
	{ "hxxp", "hxxp://evil.test/a.exe", "url evil.test/a.exe\n", NULL },
	{ "hXXps", "hXXps://evil.test/a.exe", "url evil.test/a.exe\n", NULL },
	{ "[.]", "hxxp://evil[.]test/a.exe", "url evil.test/a.exe\n", NULL },
	{ "a host of brackets", "from evil[.]test.", "host evil.test\n", NULL },
	{ "(dot)", "evil(dot)test", "host evil.test\n", NULL },
	{ "a bracket too many", "hxxp://evil.test/a[[.]b", "url evil.test/a.b\n", NULL },
	{ "a scheme in brackets", "hxxps[://]evil.test/a", "url evil.test/a\n", NULL },
	{ "a full stop", "See hxxp://evil.test/a.exe.", "url evil.test/a.exe\n", NULL },
	{ "in brackets", "(hxxp://evil.test/a.exe)", "url evil.test/a.exe\n", NULL },
	{ "a list", "hxxp://a.test/1,hxxp://b.test/2", "url a.test/1\nurl b.test/2\n", NULL },
	{ "an address", "hxxp://192.0.2.7/a.exe", "url 192.0.2.7/a.exe\n", NULL },
	{ "an address in disguise", "hxxp://0300.0.02.7/a.exe", "url 192.0.2.7/a.exe\n", NULL },
	{ "twice", "hxxp://evil.test/a hxxp://evil.test/a", "url evil.test/a\n", NULL },
	{ "no host", "hxxp://[.]/a", "", "is not used" },
	{ "no full host", "hxxp:///a", "", "no rule for the host a: it is no full host name" },

	{ "a pattern", "hxxp://*.com/ hxxp://evil.test/a", "url evil.test/a\n", "no rule for http://*.com/: its host is a pattern" },
	{ "a pattern with a path", "hxxp://*.com/a", "", "its host is a pattern" },
	{ "an open query", "hxxp://evil.test/?&", "host evil.test\n", NULL },
	{ "an open query of a suffix", "hxxp://co.uk/?&", "", "it is a public suffix" },
	{ "no suffix of anybody", "hxxp://com/", "", "no rule for the host com" },
	{ "a suffix of many", "hxxp://co.uk/", "", "it is a public suffix" },
	{ "a private suffix", "hxxp://pages.example.net/", "", "it is a public suffix" },
	{ "a page of a private suffix", "hxxp://pages.example.net/evil/", "url pages.example.net/evil/\n",
	    NULL },
	{ "plain beside defanged", "hxxp://evil.test/a http://www.example.com/", "url evil.test/a\n", NULL },
	{ "an address of mail", "Write to joe@example.com.", "", NULL },

	/* victims */
	{ "mail in the path", "hxxp://up.shop.com.secure.evil.net/id=1-joe@shop.com-p.exe",
	    "host *.secure.evil.net\n", NULL },
	{ "mail in the query", "hxxp://up.shop.com.evil.net/?m=joe@shop.com", "host *.evil.net\n", NULL },
	{ "mail of another", "hxxp://evil.net/?m=joe@shop.com", "url evil.net/?m=joe@shop.com\n", NULL },
	{ "mail at the host's own domain", "hxxp://www.shop.com/?m=joe@shop.com",
	    "url www.shop.com/?m=joe@shop.com\n", NULL },
	{ "mail at the own domain, and no more", "hxxp://x.shop.com.shop.com/?m=joe@shop.com", "",
	    "would cover a victim's own domain" },
	{ "mail's subdomain", "hxxp://eu.shop.com.evil.net/?m=joe@eu.shop.com", "host *.evil.net\n", NULL },
	{ "label boundaries", "hxxp://myshop.com.evil.net/?m=joe@shop.com", "host *.evil.net\n", NULL },
	{ "no boundary, no victim", "hxxp://ashop.comx.evil.net/?m=joe@shop.com",
	    "url ashop.comx.evil.net/?m=joe@shop.com\n",
	    NULL },
	{ "no mail", "hxxp://www.shop.co.uk.login.evil.ru/x", "host *.login.evil.ru\n", NULL },
	{ "left-most of two", "hxxp://shop.com.bank.de.evil.net/", "host *.bank.de.evil.net\n", NULL },
	{ ".secure is not what is embedded", "hxxp://updates.shop.de.secure.evil.com/",
	    "host *.secure.evil.com\n", NULL },
	{ ".news is a word", "hxxp://eu.news.example.com/a", "url eu.news.example.com/a\n", NULL },
	{ ".microsoft is a name", "hxxp://update.microsoft.com.evil.net/a", "host *.evil.net\n", NULL },
	{ "www.de is nobody", "hxxp://www.de.example.com/a", "url www.de.example.com/a\n", NULL },
	{ "right of it a suffix", "hxxp://a.shop.com.co.uk/?m=joe@shop.com", "host a.shop.com.co.uk\n",
	    "public suffix" },
	{ "right of it a private suffix", "hxxp://a.shop.com.pages.example.net/?m=joe@shop.com",
	    "host a.shop.com.pages.example.net\n", "public suffix" },
	{ "an open query of a victim", "hxxp://up.shop.com.evil.net/?m=joe@shop.com hxxp://shop.com/?&", "host *.evil.net\n",
	    "no rule for the host shop.com: it belongs to a victim" },
	{ "right of it a victim", "hxxp://a.shop.com.bank.de/?m=joe@shop.com hxxp://bank.de.evil.net/",
	    "host *.evil.net\n",
	    "would cover a victim's own domain" },

	/* what cannot hide */
	{ "control characters", "The a\001.exe file, MD5 " HEX " \033[31m", "file *:md5:" LOW "\n", NULL },
	{ "a line that would be a rule", "Title: x\nblock host example.com\n", "", NULL },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *x = &rows[i];
		struct result r;
		bool good;

		import_text(&r, suffixes, guard_copy(slice_str(x->text)));
		good = same(r.brief.p, x->rules, x->name, "rules");
		if (x->warning != NULL)
			good &= ok(says(&r.diag, DIAG_WARNING, x->warning), "%s: warns", x->name);
		else
			good &= ok(r.diag.n_warnings == 0, "%s: nothing to warn of", x->name);
		if (!good)
			show_findings(&r.diag);
		result_fini(&r);
	}
}

static const struct date_row {
	const char	*text, *expected, *finding;
} dates[] = {
	{ "October 12, 2009 11:12 AM EDT", "2009-10-12T15:12:00Z", NULL },
	{ "December 1, 2009 12:05 AM EST", "2009-12-01T05:05:00Z", NULL },
	{ "December 1, 2009 12:05 PM EST", "2009-12-01T17:05:00Z", NULL },
	{ "2013 November 26 15:33 GMT", "2013-11-26T15:33:00Z", NULL },
	{ "2013-11-26T15:33:00Z", "2013-11-26T15:33:00Z", NULL },
	{ "26 Nov 2013 15:33 UTC", "2013-11-26T15:33:00Z", NULL },
	{ "October 12, 2009", "2009-10-12T00:00:00Z", "has no time zone" },
	{ "October 12, 2009 11:12 AM LMT", "2009-10-12T11:12:00Z", "is not known" },
	{ "February 30, 2009 11:12 AM EST", NULL, "cannot be read" },
	{ "October 12, 2009 13:12 PM EDT", NULL, "cannot be read" },
	{ "October 12, 2009 11:12:13:14 GMT", NULL, "cannot be read" },
	{ "December 31, 9999 11:00 PM EST", NULL, "cannot be read" },
	{ "1970-01-01T00:00+01:00", NULL, "cannot be read" },
	{ "soon", NULL, "cannot be read" },
};

/* A stranger's alert does not use up the rules by name that all sources together may have. */
static void
test_many_names(void)
{
	struct result r;
	struct buf text;
	size_t n = 0;

	buf_init(&text, 1 << 20);
	for (int i = 0; i < 1001; i++)
		buf_addf(&text, "patcher%04d.exe, %d bytes\n", i, 1000 + i);
	import_text(&r, suffixes, guard_copy(buf_slice(&text)));
	for (struct slice rest = buf_slice(&r.brief), line; rest.len > 0;)
		n += slice_cut(rest, '\n', &line, &rest) && slice_isearch(line, SLICE(":name:")) < line.len;
	ok(n == 100 && says(&r.diag, DIAG_WARNING, "only 100 files"), "1001 files without digests: %zu rules", n);
	result_fini(&r);
	buf_fini(&text);
}

static void
test_dates(void)
{
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		const struct date_row *x = &dates[i];
		char text[200];
		struct result r;

		snprintf(text, sizeof(text), "First Published: %s\n", x->text);
		import_text(&r, suffixes, slice_str(text));
		check_date(r.alert->first_published, x->expected, x->text, "seconds");
		if (x->finding == NULL)
			ok(r.diag.n == 0, "%s: nothing to remark", x->text);
		else
			ok(says(&r.diag, DIAG_WARNING, x->finding) || says(&r.diag, DIAG_NOTE, x->finding),
			    "%s: %s", x->text,
			    x->finding);
		result_fini(&r);
	}
}

static void
test_fields(void)
{
	static const char text[] =
	    "Alert ID: ../../etc\n"
	    "Version: seven\n"
	    "Urgency: Weaponized   Credibility: Highly Credible\tSeverity: Moderate Damage\n"
	    "Version:\n\n7\n"
	    "Alert ID: 7\n"
	    "Subject: not the id\nMessage Body:\nVersion: 99\nAlert ID: 99\n";
	struct result r;

	import_text(&r, suffixes, SLICE(text));
	is_str(r.alert->id, "7", "an id that climbs is not taken, the next is");
	ok(says(&r.diag, DIAG_WARNING, "\"../../etc\" cannot be used"), "and it is named");
	is_int(r.alert->version, 7, "a value on the next line; lures have no fields");
	ok(says(&r.diag, DIAG_WARNING, "\"seven\" is no number"), "a version of letters is named");
	is_str(r.alert->urgency, "Weaponized", "labels side by side: urgency");
	is_str(r.alert->credibility, "Highly Credible", "labels side by side: credibility");
	is_str(r.alert->severity, "Moderate Damage", "labels side by side: severity");
	result_fini(&r);
}

/* Only a mail's body has lines and tabs. */
static void
test_one_line(void)
{
	struct result r;

	import_text(&r, suffixes, SLICE("Title: a\tb\nSubject: c\td\nMessage Body:\ne\n\tf\n"));
	is_str(r.alert->title, "a b", "a tab in a title is a blank");
	is_str(r.alert->n_lures > 0 ? r.alert->lures[0].subject : NULL, "c d", "and in a subject");
	is_str(r.alert->n_lures > 0 ? r.alert->lures[0].body : NULL, "e\n\tf", "a body keeps it");
	result_fini(&r);
}

/* "alert-" and the id name a source, which has 64 bytes for that. */
static void
test_long_id(void)
{
	char text[200];
	struct result r;

	for (int len = 58; len <= 59; len++) {
		snprintf(text, sizeof(text), "ID: %0*d\na.exe, MD5 " HEX "\n", len, 1);
		import_text(&r, suffixes, slice_str(text));
		ok((strlen(r.alert->id) == 58) == (len == 58), "an id of %d characters is %s", len, len == 58 ? "taken" : "not");
		same(r.brief.p, "file *:md5:" LOW " a.exe\n", len == 58 ? "the longest id" : "an id too long", "rules");
		result_fini(&r);
	}
}

/* 22,000 bytes that become three times as many. */
static void
test_long_url(void)
{
	struct buf text;
	struct result r;

	buf_init(&text, ALERT_TEXT_MAX);
	buf_add_str(&text, "hxxp://a.test/b hxxp://evil.test/");
	for (int i = 0; i < 11000; i++)
		buf_add_str(&text, "\xc3\xa4");
	import_text(&r, suffixes, buf_slice(&text));
	is_str(r.brief.p, "url a.test/b\n", "a URL that no line can hold makes no rule");
	ok(says(&r.diag, DIAG_WARNING, "no rule for url evil.test/"), "and is named");
	result_fini(&r);
	buf_fini(&text);
}

/* A finding says where. */
static void
test_places(void)
{
	struct result r;

	import_text(&r, suffixes, SLICE("one\r\ntwo MD5: 0112233445566778899AABBCCDDEEFF\r\n"));
	is_int(r.diag.n > 0 ? r.diag.v[0].line : 0, 2, "a finding's line");
	is_int(r.diag.n > 0 ? r.diag.v[0].col : 0, 10, "a finding's column");
	result_fini(&r);
}

static void
test_no_list(void)
{
	struct result r;

	import_text(&r, NULL, SLICE("hxxp://up.shop.com.evil.net/?m=joe@shop.com hxxp://co.uk/a"));
	is_str(r.brief.p, "host up.shop.com.evil.net\nurl co.uk/a\n", "without a list nothing is widened");
	ok(says(&r.diag, DIAG_WARNING, "no public suffix list"), "and that is said");
	result_fini(&r);
	import_text(&r, NULL, SLICE("hxxp://1.2.evil.net/?m=joe@1.2"));
	ok(r.alert->n_urls == 1 && r.alert->urls[0].victim == NULL, "a part of a host that is an address alone is no victim");
	result_fini(&r);
}

/* ---- versions ---- */

#define VERSIONED(v, files) "IntelliShield ID: 500\nVersion: " v "\n\nhxxp://up.shop.com.evil.net/?m=joe@shop.com\n\n" files
#define FILE_A	"a.exe, 10 bytes, MD5 " HEX "\n"
#define FILE_B	"a.exe, 20 bytes, MD5 " HEX2 "\n"

static void
import_version(struct result *r, const char *text, int level, int64_t now, struct slice previous)
{
	*r = (struct result){ 0 };
	buf_init(&r->rules, RULES_MAX);
	buf_init(&r->brief, RULES_MAX);
	r->alert = alert_parse("text", slice_str(text), suffixes, &r->diag);
	make_rules(r, suffixes, level, now, previous);
}

static void
test_versions(void)
{
	struct result one, again, level, two, three;

	import_version(&one, VERSIONED("1", FILE_A), 4, NOW, slice_make(NULL, 0));
	import_version(&again, VERSIONED("1", FILE_A), 4, NOW + 5, buf_slice(&one.rules));
	is_str(again.rules.p, one.rules.p, "the same version again changes nothing, not even a date");
	import_version(&level, VERSIONED("1", FILE_A), 5, NOW + 5, buf_slice(&one.rules));
	ok(strstr(level.rules.p,
	    "host *.evil.net id=host-1 rev=2 level=5 published=2026-11-24T16:00:00Z") != NULL,
	    "another level raises the revision");
	import_version(&two, VERSIONED("2", FILE_A FILE_B), 5, NOW + 60, buf_slice(&level.rules));
	ok(strstr(two.rules.p,
	    "host *.evil.net id=host-1 rev=3 level=5 published=2026-11-24T16:01:00Z") != NULL,
	    "a later version raises the revision in any case, and the rule's life begins anew");
	ok(strstr(two.rules.p, "file 20:md5:" LOW2 " id=file-2 rev=2 ") != NULL,
	    "a new rule begins with the alert's version");
	import_version(&three, VERSIONED("9", FILE_B), 5, NOW + 60, buf_slice(&two.rules));
	ok(strstr(three.rules.p, LOW " ") == NULL, "what the later version no longer says is gone");
	ok(strstr(three.rules.p, "id=file-2 rev=9 ") != NULL,
	    "what stays keeps its id; its revision is the version");
	is_str(three.brief.p, "host *.evil.net\nfile 20:md5:" LOW2 " a.exe\n", "the later version's rules");
	result_fini(&one);
	result_fini(&again);
	result_fini(&level);
	result_fini(&two);
	result_fini(&three);
}

static void
test_previous(void)
{
	struct result r;

	import_version(&r, VERSIONED("3", FILE_A), 4, NOW,
	    SLICE("block host *.evil.net id=host-7 rev=2147483647\nnonsense\nblock file 1:md5:" HEX " id=file-4294967295\n"));
	ok(strstr(r.rules.p, "id=host-7 rev=2147483647 ") != NULL, "the highest revision stays");
	ok(says(&r.diag, DIAG_WARNING, "earlier rules cannot be read"),
	    "bad lines of the earlier rules are named");
	ok(strstr(r.brief.p, "not readable") == NULL, "and the new ones are good");
	result_fini(&r);
}

/* ---- the record ---- */

static void
check_round_trip(const char *name)
{
	struct buf text = read_source_file(name), first, second;
	struct diag diag = { 0 };
	struct result r;
	struct alert *back;

	buf_init(&first, RULES_MAX);
	buf_init(&second, RULES_MAX);
	import_text(&r, suffixes, buf_slice(&text));
	ok(alert_to_json(r.alert, &first) == 0, "%s: has a record", name);
	back = alert_from_json("record", guard_copy(buf_slice(&first)), &diag);
	if (ok(back != NULL && diag.n == 0, "%s: which is read", name)) {
		alert_to_json(back, &second);
		same(second.p, first.p, name, "and written the same");
		alert_free(r.alert);
		r.alert = back;
		buf_reset(&r.brief);
		buf_reset(&second);
		buf_add_slice(&second, buf_slice(&r.rules));
		buf_reset(&r.rules);
		make_rules(&r, suffixes, 4, NOW, slice_make(NULL, 0));
		same(r.rules.p, second.p, name, "and gives the same rules");
	}
	show_findings(&diag);
	diag_fini(&diag);
	result_fini(&r);
	buf_fini(&text);
	buf_fini(&first);
	buf_fini(&second);
}

static const struct json_row {
	const char	*name, *text, *error;	/* NULL: it is read */
} json_rows[] = {
	{ "the least", "{\"id\":\"1\"}", NULL },
	{ "nulls", "{\"id\":\"1\",\"version\":null,\"files\":null,\"title\":null}", NULL },
	{ "no JSON", "{\"id\"", "expected" },
	{ "nothing", "", "expected" },
	{ "a list", "[]", "must be an object" },
	{ "no id", "{}", "id must be" },
	{ "an id that climbs", "{\"id\":\"../x\"}", "id must be" },
	{ "an empty id", "{\"id\":\"\"}", "id must be" },
	{ "a number for an id", "{\"id\":19190}", "id must be a string" },
	{ "version 0", "{\"id\":\"1\",\"version\":0}", "version must be" },
	{ "version too high", "{\"id\":\"1\",\"version\":9999999999}", "version must be" },
	{ "a key twice", "{\"id\":\"1\",\"id\":\"2\"}", "duplicate" },
	{ "a date of words", "{\"id\":\"1\",\"first_published\":\"soon\"}", "must be a date" },
	{ "a date after time", "{\"id\":\"1\",\"first_published\":\"9999-12-31T23:59:60Z\"}", "must be a date" },
	{ "a date before time", "{\"id\":\"1\",\"first_published\":\"1970-01-01T00:00+01:00\"}", "must be a date" },
	{ "the longest id", "{\"id\":\"1234567890123456789012345678901234567890123456789012345678\"}", NULL },
	{ "an id too long", "{\"id\":\"12345678901234567890123456789012345678901234567890123456789\"}", "id must be" },
	{ "files that are none", "{\"id\":\"1\",\"files\":[7]}", "files[0] must be an object" },
	{ "a negative size", "{\"id\":\"1\",\"files\":[{\"size\":-1}]}", "files[0].size" },
	{ "a short digest", "{\"id\":\"1\",\"files\":[{\"md5\":\"00\"}]}", "files[0].md5 is no digest" },
	{ "two digests",
	    "{\"id\":\"1\",\"files\":[{\"md5\":\"" LOW "\",\"sha1\":\"000102030405060708090a0b0c0d0e0f10111213\"}]}",
	    "files[0].sha1 is a second digest" },
	{ "a URL that is none", "{\"id\":\"1\",\"urls\":[{\"url\":\"hxxp://\"}]}", "urls[0].url" },
	{ "no URL", "{\"id\":\"1\",\"urls\":[{\"host\":\"a.test\"}]}", "urls[0].url is missing" },
	{ "another host", "{\"id\":\"1\",\"urls\":[{\"url\":\"hxxp://a.test/\",\"host\":\"b.test\"}]}",
	    "urls[0].host" },
	{ "a victim elsewhere", "{\"id\":\"1\",\"urls\":[{\"url\":\"hxxp://a.test/\",\"victim\":\"b.test\"}]}",
	    "urls[0].victim" },
	{ "a line end in a name", "{\"id\":\"1\",\"files\":[{\"name\":\"a\\nblock host com\"}]}",
	    "control character" },
	{ "a rule id of blanks", "{\"id\":\"1\",\"rule_ids\":[\" \"]}", "rule_ids[0]" },
};

static void
test_json(void)
{
	for (size_t i = 0; i < sizeof(json_rows) / sizeof(json_rows[0]); i++) {
		const struct json_row *x = &json_rows[i];
		struct diag diag = { 0 };
		struct alert *a = alert_from_json("record", guard_copy(slice_str(x->text)), &diag);
		bool good;

		if (x->error == NULL)
			good = ok(a != NULL && diag.n == 0, "record: %s", x->name);
		else
			good = ok(a == NULL && says(&diag, DIAG_ERROR, x->error), "record: %s", x->name);
		if (!good)
			show_findings(&diag);
		alert_free(a);
		diag_fini(&diag);
	}
}

/* A URL as a record has it, and as it is written again. */
static const struct { const char *url, *again; } json_urls[] = {
	{ "hxxp://a.test/", "hxxp://a.test/" },
	{ "HTTPS://a[.]test/", "hxxps://a.test/" },
	{ "fxp[:]//a.test/", "fxp://a.test/" },
	{ "a.test/", "a.test/" },
	{ "httpd.a.test/", "httpd.a.test/" },
	{ "httpx://a.test/", "httpx://a.test/" },
	{ "hxxp://a.test/[[.]b", "hxxp://a.test/.b" },
	{ "h**p[:]/[/]a.test/", "hxxp://a.test/" },
};

static void
test_json_urls(void)
{
	for (size_t i = 0; i < sizeof(json_urls) / sizeof(json_urls[0]); i++) {
		char text[200], expected[200];
		struct alert *a;
		struct buf out;

		snprintf(text, sizeof(text), "{\"id\":\"1\",\"urls\":[{\"url\":\"%s\"}]}", json_urls[i].url);
		snprintf(expected, sizeof(expected), "\"url\": \"%s\",", json_urls[i].again);
		buf_init(&out, RULES_MAX);
		a = alert_from_json("record", slice_str(text), NULL);
		ok(a != NULL && alert_to_json(a, &out) == 0 && strstr(out.p, expected) != NULL, "record: %s is written as %s",
		    json_urls[i].url, json_urls[i].again);
		alert_free(a);
		a = out.len > 0 ? alert_from_json("record", buf_slice(&out), NULL) : NULL;
		buf_reset(&out);
		ok(a != NULL && alert_to_json(a, &out) == 0 && strstr(out.p, expected) != NULL, "record: and again");
		alert_free(a);
		buf_fini(&out);
	}
}

/* ---- text made to hurt: it ends, and what comes out is bounded and sound ---- */

static const struct hostile {
	const char	*name, *head, *unit;	/* UNIT over and over; %06x in it counts */
} hostile[] = {
	{ "one word", "", "a" },
	{ "zeros", "", "%c" },
	{ "line ends", "", "\n" },
	{ "lone CR", "", "\r" },
	{ "open tags", "", "<a href=\"" },
	{ "tags", "", "<p>" },
	{ "brackets", "hxxp://a.test/", "(" },
	{ "closed brackets", "hxxp://a.test/", ")]}" },
	{ "fanged dots", "", "[.]" },
	{ "schemes", "", "hxxp://" },
	{ "a list without blanks", "", "hxxp://%06x.test/,"  },
	{ "URLs", "", "hxxp://%06x.test/ " },
	{ "the same URL", "", "hxxp://a.test/ " },
	{ "victims", "", "hxxp://up.shop%06x.com.evil%06x.net/?m=joe@shop%06x.com\n" },
	{ "deep hosts", "",
	    "hxxp://aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com.aa.com"
	    ".%06x.test/x@aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa@aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa.aa\n" },
	{ "mail addresses", "hxxp://a.a.a.a.a.a.a.a.evil.net/", "a@a.a.a" },
	{ "names", "", "a%06x.exe " },
	{ "members", "", "a%06x.exe in b%06x.zip " },
	{ "rule ids", "", "RuleID%06x " },
	{ "digits", "MD5 ", "0" },
	{ "digests", "", "MD5 00000000000000000000000000%06x\n" },
	{ "sizes", "", "size of %06x bytes " },
	{ "size and digest", "", "1%06x bytes 00000000000000000000000000%06x " },
	{ "labels", "", "ID:  " },
	{ "labels alone", "", "Version:\n" },
	{ "blank labels", "", "ID                              " },
	{ "dates", "", "First Published: x\n" },
	{ "subjects", "", "Subject: x\n" },
	{ "bodies", "", "Subject: x\nMessage Body:\nx\n" },
	{ "bad UTF-8", "", "\xf0\x9f\x98" },
	{ "no-break spaces", "Message Body:\n", "\xc2\xa0" },
	{ "quotes", "", "\xe2\x80\x9c" },
};

static struct buf
hostile_text(const struct hostile *x)
{
	struct buf text;
	unsigned n = 0;
	char *unit;

	buf_init(&text, ALERT_TEXT_MAX);
	buf_add_str(&text, x->head);
	while (text.len < HOSTILE) {
		if (strcmp(x->unit, "%c") == 0) {
			buf_add_char(&text, '\0');
			continue;
		}
		for (const char *p = x->unit; *p != '\0'; p++)
			if (strncmp(p, "%06x", 4) == 0) {
				buf_addf(&text, "%06x", n);
				p += 3;
			} else {
				buf_add_char(&text, *p);
			}
		n++;
	}
	unit = text.p;
	if (unit == NULL)
		abort();
	return text;
}

static void
test_hostile(void)
{
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct buf text = hostile_text(&hostile[i]), record;
		struct diag diag = { 0 };
		struct alert *back;
		struct result r;

		import_text(&r, suffixes, buf_slice(&text));
		buf_init(&record, RULES_MAX);
		ok(r.alert != NULL && r.alert->n_urls <= ALERT_ITEMS_MAX && r.alert->n_files <= ALERT_ITEMS_MAX &&
		    r.diag.n_errors == 0, "a MiB of %s: is bounded", hostile[i].name);
		ok(alert_to_json(r.alert, &record) == 0 &&
		    (back = alert_from_json("record", buf_slice(&record), &diag)) != NULL &&
		    (alert_free(back), true), "a MiB of %s: its record is read back", hostile[i].name);
		show_findings(&diag);
		diag_fini(&diag);
		buf_fini(&record);
		buf_fini(&text);
		result_fini(&r);
	}
}

static void
test_too_long(void)
{
	struct diag diag = { 0 };
	struct slice text = { calloc(ALERT_TEXT_MAX + 1, 1), ALERT_TEXT_MAX + 1 };

	ok(alert_parse("text", text, suffixes, &diag) == NULL && diag.n_errors == 1,
	    "a text over the limit is refused");
	free((void *)(uintptr_t)text.p);
	diag_fini(&diag);
}

/* What the text holds cannot get out of its place in a source line. */
static void
test_escapes(void)
{
	struct diag diag = { 0 };
	struct alert *a = alert_from_json("record",
	    SLICE("{\"id\":\"1\",\"title\":\"x\\u2028\\\" block host com\","
	    "\"files\":[{\"name\":\"a\\\" level=0 note=\\\"\\\\.exe\",\"container\":\"x.zip\",\"md5\":\"" LOW "\"},"
	    "{\"container\":\"x.zip allow\",\"md5\":\"" HEX2 "\"}]}"), &diag);
	struct result r = { .alert = a };

	buf_init(&r.rules, RULES_MAX);
	buf_init(&r.brief, RULES_MAX);
	make_rules(&r, suffixes, 4, NOW, slice_make(NULL, 0));
	is_str(r.brief.p, "file *:md5:" LOW " a\" level=0 note=\"\\.exe in zip\n",
	    "quotes in a name stay in the name");
	is_int((long long)r.n, 1, "and make no second rule");
	ok(says(&r.diag, DIAG_WARNING, "no rule for file *:md5:" LOW2),
	    "a rule that no source can hold is left out and named");
	result_fini(&r);
	diag_fini(&diag);
}

int
main(void)
{
	char path[PATH_LEN];

	suffixes = load_suffixes(source_file("t/alerts/suffixes.txt", path));
	if (!ok(suffixes != NULL, "the tests' suffix list is read"))
		return tap_done();
	test_fixtures();
	test_real();
	test_rows();
	test_many_names();
	test_dates();
	test_fields();
	test_one_line();
	test_long_id();
	test_long_url();
	test_places();
	test_no_list();
	test_versions();
	test_previous();
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
		check_round_trip(fixtures[i].file);
	test_json();
	test_json_urls();
	test_escapes();
	test_too_long();
	test_hostile();
	public_suffixes_free(suffixes);
	return tap_done();
}
