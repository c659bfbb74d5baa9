/* tls.h - the certificate and the key of a server, looked at before anybody relies on them. */
#ifndef CONSOLE_TLS_H
#define CONSOLE_TLS_H

#include "base/buf.h"
#include "base/diag.h"

enum { TLS_FILE_MAX = 256 << 10 };

struct tls {
	struct buf	cert, key;	/* PEM */
};

/* Read CERT (a chain, the server's own first) and KEY, which must be its owner's alone.  -1 with errors in DIAG: not there, no PEM,
 * an encrypted key, one that is not the certificate's, a certificate that has expired (at NOW, seconds) or is not yet
 * valid.  That it ends within two weeks is a warning.  tls_fini() is due in either case. */
int tls_load(struct tls *t, const char *cert, const char *key, int64_t now, struct diag *diag);
void tls_fini(struct tls *t);

#endif
