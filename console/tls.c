#include "console/tls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "console/users.h"

enum { SOON_S = 14 * CLOCK_DAY_S };

/* Nobody is asked for a password on the terminal of a server. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static X509 *
read_cert(const char *path, const struct buf *text, struct diag *diag)
{
	BIO *bio = BIO_new_mem_buf(text->p, (int)text->len);
	X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);

	if (cert == NULL)
		diag_error(diag, "%s: there is no certificate in it (PEM, -----BEGIN CERTIFICATE-----)", path);
	BIO_free(bio);
	return cert;
}

static EVP_PKEY *
read_key(const char *path, const struct buf *text, struct diag *diag)
{
	BIO *bio = BIO_new_mem_buf(text->p, (int)text->len);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);

	if (key == NULL)
		diag_error(diag, "%s: there is no private key in it that can be read (PEM, without a password)", path);
	BIO_free(bio);
	return key;
}

static void
check_time(const char *path, const X509 *cert, int64_t now, struct diag *diag)
{
	time_t at = (time_t)now, soon = (time_t)(now + SOON_S);

	if (X509_cmp_time(X509_get0_notBefore(cert), &at) > 0)
		diag_error(diag, "%s: the certificate is not valid yet", path);
	else if (X509_cmp_time(X509_get0_notAfter(cert), &at) < 0)
		diag_error(diag, "%s: the certificate has expired", path);
	else if (X509_cmp_time(X509_get0_notAfter(cert), &soon) < 0)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "the certificate ends within two weeks");
}

static void
check(const struct tls *t, const char *cert_path, const char *key_path, int64_t now, struct diag *diag)
{
	X509 *cert = read_cert(cert_path, &t->cert, diag);
	EVP_PKEY *key = read_key(key_path, &t->key, diag);

	if (cert != NULL && key != NULL && X509_check_private_key(cert, key) != 1)
		diag_error(diag, "%s: the key is not that of the certificate in %s", key_path, cert_path);
	if (cert != NULL)
		check_time(cert_path, cert, now, diag);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

int
tls_load(struct tls *t, const char *cert, const char *key, int64_t now, struct diag *diag)
{
	size_t errors = diag->n_errors;

	buf_init(&t->cert, TLS_FILE_MAX);
	buf_init(&t->key, TLS_FILE_MAX);
	if (file_read(cert, &t->cert) == -1)
		diag_error(diag, "%s: %s", cert, strerror(errno));
	if (private_file_read(key, &t->key) == -1)
		diag_error(diag, "%s: %s", key, private_file_error(errno));
	if (diag->n_errors == errors && (memchr(t->cert.p, '\0', t->cert.len) != NULL || memchr(t->key.p, '\0', t->key.len) != NULL))
		diag_error(diag, "%s, %s: a NUL is in no PEM file", cert, key);
	if (diag->n_errors == errors)
		check(t, cert, key, now, diag);
	return diag->n_errors > errors ? -1 : 0;
}

void
tls_fini(struct tls *t)
{
	if (t->key.cap > 0)
		OPENSSL_cleanse(t->key.p, t->key.cap);
	buf_fini(&t->cert);
	buf_fini(&t->key);
}
