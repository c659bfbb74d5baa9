/* alert_mail.h - the text of an alert that came by mail: RFC 5322, and of MIME (RFC 2045, 2046) what a text needs.
 *
 *	head, body			text/plain, or no type at all
 *	multipart/ANY			its parts, one after the other; ALERT_MAIL_DEPTH within each other
 *	message/rfc822			the mail in it: what was forwarded as an attachment
 *
 * Of all parts the first text/plain that is more than blanks counts.  quoted-printable and base64 are undone, and the character
 * sets of Europe that come before UTF-8 (ISO-8859-1, -2, -7, -15, Windows-1252, -1253); bytes of others stay.  Nothing of the head
 * is believed or kept.  Hostile, bounded; pure. */
#ifndef ALERTS_ALERT_MAIL_H
#define ALERTS_ALERT_MAIL_H

#include "base/buf.h"

enum { ALERT_MAIL_DEPTH = 8, ALERT_MAIL_PARTS = 200, ALERT_MAIL_HEAD = 256 * 1024 };

/* TEXT is a mail: it begins with a head that has From: and one more field that only mails have.  No alert as published does. */
bool alert_is_mail(struct slice text);

/* Append the text of MAIL to OUT.  NULL, or what is wrong, and OUT may have a part of it then: there is no text/plain in it, it is
 * damaged, too deep, or longer than OUT may be. */
const char *alert_mail_text(struct slice mail, struct buf *out);

#endif
