/* Whether what was sent over TLS has arrived: a receiver that says its end, one that does not, and somebody on the way who cuts. */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "eventstore/syslog_link.h"
#include "t/tap.h"

enum { DAY_S = 24 * 3600, VERSION_3 = 2, BOUND_S = 60, TARGET = 64 };

/* How each connection in turn is ended by the receiver, or in its name; 's' says the end, 'c' only closes; the last goes on. */
struct receiver {
	SSL_CTX		*ctx;
	int		 fd;
	const char	*ends;
};

static EVP_PKEY *key;
static X509 *cert;

static void
make_cert(void)
{
	X509_NAME *name;
	X509_EXTENSION *alt = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");

	key = EVP_EC_gen("P-256");
	cert = X509_new();
	X509_set_version(cert, VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S);
	X509_set_pubkey(cert, key);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"receiver.test", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_add_ext(cert, alt, -1);
	X509_EXTENSION_free(alt);
	ok(X509_sign(cert, key, EVP_sha256()) > 0, "a certificate");
}

static void
serve_one(const struct receiver *r, int fd, char how)
{
	SSL *ssl = SSL_new(r->ctx);
	char ignored[4096];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		while (SSL_read(ssl, ignored, sizeof(ignored)) > 0)
			;
	if (how == 's')
		SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

/* Begin it: what it is reached by goes to TARGET. */
static pid_t
receive(struct receiver *r, const char *ends, char target[static TARGET])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	pid_t pid;

	r->ends = ends;
	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(r->fd, (struct sockaddr *)&a, len) == -1 || listen(r->fd, 8) == -1 ||
	    getsockname(r->fd, (struct sockaddr *)&a, &len) == -1 || (pid = tap_fork()) == -1)
		abort();
	if (pid == 0) {
		for (alarm(BOUND_S);; r->ends += r->ends[1] != '\0') {
			int fd = accept(r->fd, NULL, NULL);

			serve_one(r, fd, *r->ends);
		}
	}
	close(r->fd);
	snprintf(target, TARGET, "tls:127.0.0.1:%u", ntohs(a.sin_port));
	return pid;
}

static int
send_one(struct syslog_link *l)
{
	return syslog_send(l, SLICE("<13>1 - - - - - - x")) == 0 ? syslog_confirm(l) : -1;
}

static void
test(struct receiver *r, const char *ca, const char *ends, const int *expected, bool may_be_cut, const char *name)
{
	const struct syslog_tls_files files = { .ca = ca };
	struct diag diag = { 0 };
	char target[TARGET];
	pid_t pid = receive(r, ends, target);
	struct syslog_link *l = syslog_link_new(target, &files, &diag);

	ok(l != NULL, "%s", name);
	for (size_t i = 0; l != NULL && ends[i] != '\0'; i++)
		is_int(send_one(l), expected[i], name);
	is_int(l != NULL && syslog_may_be_cut(l), may_be_cut, "that it might be somebody else is known");
	syslog_link_free(l);
	diag_fini(&diag);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int
main(void)
{
	struct receiver r = { .ctx = SSL_CTX_new(TLS_server_method()) };
	char ca[] = "/tmp/firebreak-ca-XXXXXX";
	int fd = mkstemp(ca);
	FILE *f = fdopen(fd, "w");

	signal(SIGPIPE, SIG_IGN);
	make_cert();
	PEM_write_X509(f, cert);
	fclose(f);
	SSL_CTX_use_certificate(r.ctx, cert);
	SSL_CTX_use_PrivateKey(r.ctx, key);
	test(&r, ca, "ss", (const int[]){ 0, 0 }, false, "a receiver that says its end");
	test(&r, ca, "cc", (const int[]){ 0, 0 }, true, "one that only closes");
	test(&r, ca, "scs", (const int[]){ 0, -1, 0 }, false, "a connection that is cut on the way has confirmed nothing");
	unlink(ca);
	SSL_CTX_free(r.ctx);
	X509_free(cert);
	EVP_PKEY_free(key);
	return tap_done();
}
