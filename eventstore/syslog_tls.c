#include "eventstore/syslog_tls.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls_client {
	SSL_CTX	*ctx;
};

struct tls_session {
	SSL	*ssl;
};

/* What OpenSSL says last, or the system. */
static const char *
reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e == 0 ? NULL : ERR_reason_error_string(e);

	return text != NULL ? text : errno == EAGAIN ? "no answer" : errno != 0 ? strerror(errno) : "the other side has closed";
}

static int
use_files(SSL_CTX *ctx, const struct syslog_tls_files *f, const char **which)
{
	*which = f->ca != NULL ? f->ca : "the system's certificates";
	if ((f->ca != NULL ? SSL_CTX_load_verify_locations(ctx, f->ca, NULL) : SSL_CTX_set_default_verify_paths(ctx)) != 1)
		return -1;
	*which = f->cert;
	if (f->cert != NULL && SSL_CTX_use_certificate_chain_file(ctx, f->cert) != 1)
		return -1;
	*which = f->key;
	if (f->key != NULL && (SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1))
		return -1;
	return 0;
}

struct tls_client *
tls_client_new(const struct syslog_tls_files *files, struct diag *diag)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	const char *which = NULL;

	ERR_clear_error();
	errno = 0;
	if (c != NULL && (c->ctx = SSL_CTX_new(TLS_client_method())) != NULL &&
	    SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) == 1 && use_files(c->ctx, files, &which) == 0) {
		SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
		return c;
	}
	diag_add(diag, DIAG_ERROR, which, 0, 0, "%s", reason());
	tls_client_free(c);
	return NULL;
}

void
tls_client_free(struct tls_client *c)
{
	if (c != NULL)
		SSL_CTX_free(c->ctx);
	free(c);
}

/* Whom we want to speak to. */
static int
expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1 ? 0 : -1;
}

struct tls_session *
tls_session_new(struct tls_client *c, int fd, const char *host, char *why, size_t size)
{
	struct tls_session *s = calloc(1, sizeof(*s));
	long verified = X509_V_OK;

	ERR_clear_error();
	errno = 0;
	if (s != NULL && (s->ssl = SSL_new(c->ctx)) != NULL && SSL_set_fd(s->ssl, fd) == 1 && expect_host(s->ssl, host) == 0 &&
	    SSL_connect(s->ssl) == 1)
		return s;
	if (s != NULL && s->ssl != NULL)
		verified = SSL_get_verify_result(s->ssl);
	snprintf(why, size, "TLS: %s", verified != X509_V_OK ? X509_verify_cert_error_string(verified) : reason());
	tls_session_free(s);
	return NULL;
}

void
tls_session_free(struct tls_session *s)
{
	if (s != NULL)
		SSL_free(s->ssl);
	free(s);
}

int
tls_session_write(struct tls_session *s, struct slice bytes, char *why, size_t size)
{
	size_t n;

	ERR_clear_error();
	errno = 0;
	/* Without SSL_MODE_ENABLE_PARTIAL_WRITE all or nothing is written. */
	if (SSL_write_ex(s->ssl, bytes.p, bytes.len, &n) == 1)
		return 0;
	snprintf(why, size, "TLS: %s", reason());
	return -1;
}

void
tls_session_end(struct tls_session *s)
{
	SSL_shutdown(s->ssl);
}

/* An end without close_notify is an error to OpenSSL, and to us one that anybody on the way can make (RFC 5246 7.2.1). */
int
tls_session_skip(struct tls_session *s, bool *clean)
{
	char ignored[4096];
	size_t n;
	int error;

	ERR_clear_error();
	errno = 0;
	if (SSL_read_ex(s->ssl, ignored, sizeof(ignored), &n) == 1)
		return 1;
	switch (error = SSL_get_error(s->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 1;
	case SSL_ERROR_ZERO_RETURN:
		*clean = true;
		return 0;
	default:
		if (error == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return 0;
		if (errno == 0)
			errno = EPROTO;
		return -1;
	}
}
