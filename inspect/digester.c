#include "inspect/digester.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/provider.h>

enum { READ_AT_ONCE = 64 * 1024 };

struct digester {
	EVP_MD_CTX	*contexts[DIGEST_ALGS];	/* NULL = not asked for */
	bool		 failed;		/* OpenSSL refused: there is no digest then */
};

/* Written once, under once_control, before anybody reads it. */
static EVP_MD *methods[DIGEST_ALGS];
static pthread_once_t once_control = PTHREAD_ONCE_INIT;

static void
fetch_methods(void)
{
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

	if (library == NULL)
		return;
	if (OSSL_PROVIDER_load(library, "default") == NULL) {
		OSSL_LIB_CTX_free(library);
		return;
	}
	/* The methods keep their library for as long as the process lives. */
	for (int i = 0; i < DIGEST_ALGS; i++)
		methods[i] = EVP_MD_fetch(library, digest_alg_name((enum digest_alg)i), NULL);
}

static EVP_MD_CTX *
context_new(const EVP_MD *method)
{
	EVP_MD_CTX *context = method == NULL ? NULL : EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, method, NULL) == 1)
		return context;
	EVP_MD_CTX_free(context);
	return NULL;
}

struct digester *
digester_new(unsigned mask)
{
	struct digester *d;

	pthread_once(&once_control, fetch_methods);
	if (mask >> DIGEST_ALGS != 0 || (d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	for (int i = 0; i < DIGEST_ALGS; i++) {
		if ((mask & DIGEST_BIT(i)) == 0)
			continue;
		if ((d->contexts[i] = context_new(methods[i])) == NULL) {
			digester_free(d);
			return NULL;
		}
	}
	return d;
}

void
digester_free(struct digester *d)
{
	if (d == NULL)
		return;
	for (int i = 0; i < DIGEST_ALGS; i++)
		EVP_MD_CTX_free(d->contexts[i]);
	free(d);
}

void
digester_update(struct digester *d, struct slice bytes)
{
	for (int i = 0; bytes.len > 0 && i < DIGEST_ALGS; i++)
		if (d->contexts[i] != NULL &&
		    EVP_DigestUpdate(d->contexts[i], bytes.p, bytes.len) != 1)
			d->failed = true;
}

size_t
digester_peek(const struct digester *d, struct digest out[static DIGEST_ALGS])
{
	size_t n = 0;

	for (int i = 0; !d->failed && i < DIGEST_ALGS; i++) {
		EVP_MD_CTX *copy;
		bool good;

		if (d->contexts[i] == NULL)
			continue;
		out[n] = (struct digest){ .alg = (enum digest_alg)i };
		good = (copy = EVP_MD_CTX_new()) != NULL && EVP_MD_CTX_copy_ex(copy, d->contexts[i]) == 1 &&
		    EVP_DigestFinal_ex(copy, out[n].b, NULL) == 1;
		EVP_MD_CTX_free(copy);
		if (!good)
			return 0;
		n++;
	}
	return n;
}

size_t
digester_final(struct digester *d, struct digest out[static DIGEST_ALGS])
{
	size_t n = 0;

	for (int i = 0; !d->failed && i < DIGEST_ALGS; i++) {
		if (d->contexts[i] == NULL)
			continue;
		out[n] = (struct digest){ .alg = (enum digest_alg)i };
		if (EVP_DigestFinal_ex(d->contexts[i], out[n].b, NULL) != 1)
			return 0;
		n++;
	}
	return n;
}

size_t
digests_of(struct slice bytes, unsigned mask, struct digest out[static DIGEST_ALGS])
{
	struct digester *d = digester_new(mask);
	size_t n = 0;

	if (d != NULL) {
		digester_update(d, bytes);
		n = digester_final(d, out);
	}
	digester_free(d);
	return n;
}

/* Show all of FD to D.  -1 with errno. */
static int
hash_file(struct digester *d, int fd)
{
	char bytes[READ_AT_ONCE];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), at)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		digester_update(d, slice_make(bytes, (size_t)n));
		at += n;
	}
	return 0;
}

int
digest_of_fd(int fd, enum digest_alg alg, struct digest *out)
{
	struct digester *d = digester_new(DIGEST_BIT(alg));
	struct digest found[DIGEST_ALGS];
	int r = -1, saved = ENOMEM;

	if (d != NULL && (r = hash_file(d, fd)) == -1)
		saved = errno;
	if (r == 0 && digester_final(d, found) == 1)
		*out = found[0];
	else if (r == 0) {
		r = -1;
		saved = ENOTSUP;
	}
	digester_free(d);
	if (r == -1)
		errno = saved;
	return r;
}

int
digest_of_file(const char *path, enum digest_alg alg, struct digest *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r, saved;

	if (fd == -1)
		return -1;
	r = digest_of_fd(fd, alg, out);
	saved = errno;
	close(fd);
	errno = saved;
	return r;
}
