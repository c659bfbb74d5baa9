/* Digests against published vectors, in pieces, and where OpenSSL's default context forbids MD5. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "inspect/digester.h"
#include "t/tap.h"

enum { ALL = DIGEST_BIT(DIGEST_MD5) | DIGEST_BIT(DIGEST_SHA1) | DIGEST_BIT(DIGEST_SHA256), LONG = 1000000 };

static const struct {
	const char	*name;
	struct slice	 bytes;
	const char	*hex[DIGEST_ALGS];
} rows[] = {
	{ "nothing", SLICE(""), { "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" } },
	{ "RFC 1321, FIPS 180: abc", SLICE("abc"), { "900150983cd24fb0d6963f7d28e17f72",
	    "a9993e364706816aba3e25717850c26c9cd0d89d",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" } },
	{ "FIPS 180: two blocks", SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	    { "8215ef0796a20bcaaae116d3876c664a", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" } },
};

static void
is_digest(const struct digest *d, enum digest_alg alg, const char *hex, const char *name)
{
	char got[DIGEST_MAX_HEX + 1];

	is_int(d->alg, alg, name);
	digest_format(d, got);
	is_str(got, hex, name);
}

static void
test_vectors(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct digest out[DIGEST_ALGS];

		is_int((long long)digests_of(guard_copy(rows[i].bytes), ALL, out), DIGEST_ALGS, rows[i].name);
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			is_digest(&out[alg], (enum digest_alg)alg, rows[i].hex[alg], rows[i].name);
	}
}

/* A million "a" in pieces of PIECE: FIPS 180. */
static void
test_pieces(size_t piece)
{
	static const char *const hex[DIGEST_ALGS] = { "7707d6ae4e027c70eea2a935c2296f21",
		"34aa973cd4c4daa4f61eeb2bdbad27316534016f",
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" };
	struct digester *d = digester_new(ALL);
	struct digest out[DIGEST_ALGS];
	char *text = malloc(piece);

	memset(text, 'a', piece);
	for (size_t left = LONG; left > 0; ) {
		size_t n = left < piece ? left : piece;

		digester_update(d, slice_make(text, n));
		digester_update(d, slice_make(NULL, 0));
		left -= n;
		if (left == 0) {
			is_int((long long)digester_peek(d, out), DIGEST_ALGS, "three digests, and it goes on");
			for (int alg = 0; alg < DIGEST_ALGS; alg++)
				is_digest(&out[alg], (enum digest_alg)alg, hex[alg], "a million letters so far");
		}
	}
	is_int((long long)digester_final(d, out), DIGEST_ALGS, "three digests");
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		is_digest(&out[alg], (enum digest_alg)alg, hex[alg], "a million letters");
	digester_free(d);
	free(text);
}

static void
test_masks(void)
{
	struct digest out[DIGEST_ALGS];

	for (unsigned mask = 0; mask <= ALL; mask++) {
		size_t n = digests_of(SLICE("abc"), mask, out), at = 0;
		bool good = n == (size_t)__builtin_popcount(mask);

		for (int alg = 0; good && alg < DIGEST_ALGS; alg++)
			if ((mask & DIGEST_BIT(alg)) != 0)
				good = out[at++].alg == (enum digest_alg)alg;
		ok(good, "mask %u: exactly these, in order", mask);
	}
	ok(digester_new(1u << DIGEST_ALGS) == NULL, "an algorithm that does not exist");
	ok(digester_new(~0u) == NULL, "all bits");
	is_int((long long)digests_of(SLICE("abc"), ~0u, out), 0, "no digests for all bits");
	digester_free(NULL);
}

static void
test_files(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "file"), *fifo = file_join(dir, "fifo");
	struct digest d;
	int fd;

	ok(file_write(path, SLICE("abc"), 0600) == 0 && digest_of_file(path, DIGEST_SHA256, &d) == 0, "a file");
	is_digest(&d, DIGEST_SHA256, rows[1].hex[DIGEST_SHA256], "abc");
	ok(digest_of_file(path, DIGEST_MD5, &d) == 0, "another algorithm");
	is_digest(&d, DIGEST_MD5, rows[1].hex[DIGEST_MD5], "abc");
	fd = open(path, O_RDONLY);
	ok(lseek(fd, 2, SEEK_SET) == 2 && digest_of_fd(fd, DIGEST_SHA1, &d) == 0 && lseek(fd, 0, SEEK_CUR) == 2, "all of it, wherever it stands");
	is_digest(&d, DIGEST_SHA1, rows[1].hex[DIGEST_SHA1], "abc");
	close(fd);
	ok(truncate(path, 0) == 0 && digest_of_file(path, DIGEST_SHA256, &d) == 0, "an empty one");
	is_digest(&d, DIGEST_SHA256, rows[0].hex[DIGEST_SHA256], "nothing");
	ok(digest_of_file(dir, DIGEST_SHA256, &d) == -1 && errno == EISDIR, "a folder");
	ok(mkfifo(fifo, 0600) == 0 && digest_of_file(fifo, DIGEST_SHA256, &d) == -1 && errno == ESPIPE, "a fifo");
	ok(unlink(path) == 0 && digest_of_file(path, DIGEST_SHA256, &d) == -1 && errno == ENOENT, "none");
	ok(digest_of_fd(-1, DIGEST_SHA256, &d) == -1 && errno == EBADF, "no descriptor");
	free(dir);
	free(path);
	free(fifo);
}

int
main(void)
{
	/* What FIPS mode does to everybody else in the process. */
	EVP_set_default_properties(NULL, "fips=yes");
	ok(EVP_MD_fetch(NULL, "MD5", NULL) == NULL, "the process itself has no MD5");
	test_vectors();
	test_masks();
	test_pieces(1);
	test_pieces(4096);
	test_pieces(LONG);
	test_files();
	return tap_done();
}
