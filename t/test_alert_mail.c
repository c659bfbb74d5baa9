/* Alerts that come by mail: which text is in them, and what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "alerts/alert_mail.h"
#include "t/tap.h"

enum { ROOM = 1 << 20 };

#define HEAD	"From: a@b.test\r\nDate: Fri, 27 Nov 2026 08:00:00 +0000\r\n"

static const struct {
	const char *idea, *mail, *text, *wrong;
} rows[] = {
	{ "a plain mail", HEAD "\r\nhxxp://evil.test/\r\n", "hxxp://evil.test/\r\n", NULL },
	{ "with newlines alone", "From: a@b.test\nDate: x\n\ntext\n", "text\n", NULL },
	{ "behind an mbox's line", "From a Fri Nov 27\n" HEAD "\r\ntext", "text", NULL },
	{ "quoted-printable", HEAD "Content-Transfer-Encoding: Quoted-Printable\r\n\r\nhttp://a.test/x=3Dy=\r\nz =20\r\n=E2=82=AC=ZZ=\r\n",
	    "http://a.test/x=yz  \n\xe2\x82\xac=ZZ", NULL },
	{ "base64", HEAD "Content-Transfer-Encoding: base64\r\n\r\naHR0cDovL2V2\r\naWwudGVzdC8=\r\n", "http://evil.test/", NULL },
	{ "latin-1", HEAD "Content-Type: text/plain; charset=\"iso-8859-1\"\r\n\r\ncaf\xe9", "caf\xc3\xa9", NULL },
	{ "a byte that the set has not", HEAD "Content-Type: text/plain; charset=windows-1253\r\n\r\na\xd2" "b", "a?b", NULL },
	{ "another set", HEAD "Content-Type: text/plain; charset=x-none\r\n\r\ncaf\xe9", "caf\xe9", NULL },
	{ "the text of two parts", HEAD "Content-Type: multipart/alternative;\r\n\tboundary=b1\r\n\r\nPreamble.\r\n--b1\r\n"
	    "Content-Type: text/html\r\n\r\n<p>no\r\n--b1\r\nContent-Type: text/plain\r\n\r\nyes\r\n--b1--\r\nepilogue", "yes\r\n", NULL },
	{ "a part without a head", HEAD "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n--b 1\r\n\r\nyes\r\n--b 1--\r\n", "yes\r\n",
	    NULL },
	{ "an empty text first", HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\n\r\nyes\r\n--b--\r\n", "yes\r\n",
	    NULL },
	{ "a part within a part", HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/related; boundary=i\r\n"
	    "\r\n--i\r\nContent-Type: image/png\r\n\r\nx\r\n--i\r\n\r\nyes\r\n--i--\r\n--o--\r\n", "yes\r\n", NULL },
	{ "a mail that was forwarded", HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
	    "From: c@d.test\r\nSubject: x\r\n\r\nyes\r\n--o--\r\n", "yes\r\n", NULL },
	{ "no end of the parts", HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nyes", "yes", NULL },
	{ "a boundary that another begins with", HEAD "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\n--oo\r\nyes\r\n--o--\r\n",
	    "--oo\r\nyes\r\n", NULL },
	{ "only HTML", HEAD "Content-Type: text/html\r\n\r\n<p>x", NULL, "no text" },
	{ "nothing", HEAD "\r\n", NULL, "no text" },
	{ "no boundary", HEAD "Content-Type: multipart/mixed\r\n\r\nx", NULL, "no boundary" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf out;
		const char *wrong;

		buf_init(&out, ROOM);
		ok(alert_is_mail(slice_str(rows[i].mail)), "%s: is a mail", rows[i].idea);
		wrong = alert_mail_text(slice_str(rows[i].mail), &out);
		if (rows[i].wrong != NULL)
			ok(wrong != NULL && strstr(wrong, rows[i].wrong) != NULL, "%s: %s", rows[i].idea, rows[i].wrong);
		else
			ok(wrong == NULL, "%s: is read", rows[i].idea);
		if (rows[i].text != NULL)
			is_str(out.p == NULL ? "" : out.p, rows[i].text, rows[i].idea);
		buf_fini(&out);
	}
}

static void
test_others(void)
{
	static const char *const texts[] = {
		"", "From: x\n", "Threat Type: IntelliShield: Malicious Code Alert\nFrom: x\nDate: y\n\n",
		"http://evil.test/\nFrom: a\nDate: b\n", "{\"id\": \"1\"}", "Subject: x\nDate: y\n\ntext",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ok(!alert_is_mail(slice_str(texts[i])), "no mail: %zu", i);
}

/* A mail whose parts have parts, and so on; and one of very many. */
static void
test_bounds(void)
{
	struct buf mail, out;

	buf_init(&mail, ROOM);
	buf_init(&out, ROOM);
	buf_add_str(&mail, HEAD);
	for (int i = 0; i < 20; i++)
		buf_addf(&mail, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	ok(alert_mail_text(buf_slice(&mail), &out) != NULL, "parts in parts are bounded");
	buf_reset(&mail);
	buf_add_str(&mail, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		buf_add_str(&mail, "--b\r\nContent-Type: image/png\r\n\r\n\r\n");
	ok(alert_mail_text(buf_slice(&mail), &out) != NULL, "their number is bounded");
	buf_fini(&out);
	buf_init(&out, 10);
	buf_reset(&mail);
	buf_add_str(&mail, HEAD "\r\nmore than ten bytes");
	ok(alert_mail_text(buf_slice(&mail), &out) != NULL, "a text that is too long is refused, not cut");
	buf_fini(&mail);
	buf_fini(&out);
}

/* Every beginning of every mail, right before an unreadable page: one byte too far ends the program. */
static void
test_cuts(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct slice mail = slice_str(rows[i].mail);
		size_t texts = 0;

		for (size_t len = 0; len <= mail.len; len++) {
			struct slice copy = guard_copy(slice_head(mail, len));
			struct buf out;

			buf_init(&out, ROOM);
			alert_is_mail(copy);
			texts += alert_mail_text(copy, &out) == NULL;
			buf_fini(&out);
		}
		ok(texts > 0 || rows[i].wrong != NULL, "%s: each beginning of it is read", rows[i].idea);
	}
}

int
main(void)
{
	test_rows();
	test_others();
	test_bounds();
	test_cuts();
	return tap_done();
}
