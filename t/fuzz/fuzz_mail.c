/* Any bytes as a mail: its text is found or refused, whatever it is; what is found is no longer than the mail may make it, and the
 * same each time. */
#include <stdlib.h>

#include "alerts/alert_mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1 << 20, UTF8_MAX = 3 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice mail = slice_make((const char *)data, size);
	struct buf first, second;
	const char *wrong, *again;

	buf_init(&first, ROOM);
	buf_init(&second, ROOM);
	alert_is_mail(mail);
	wrong = alert_mail_text(mail, &first);
	again = alert_mail_text(mail, &second);
	/* A byte becomes three at most, and each line of quoted-printable gets an end. */
	if (wrong != again || !slice_eq(buf_slice(&first), buf_slice(&second)) || first.len > UTF8_MAX * (size + 1))
		abort();
	buf_fini(&first);
	buf_fini(&second);
	return 0;
}
