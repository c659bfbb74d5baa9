/* Keys and signatures that Debian's minisign 0.11 made, and every byte of them changed; ours made and read back.  The keys are of
 * this test alone. */
#include "feeds/minisign.h"

#include <errno.h>

#include "t/tap.h"

#define PUBLIC_LINE	"RWRYhKusbWe5l2BapQelSafXHvvCOui6FXP/P7APWUJTdeavwBdjivzJ"
#define PUBLIC_FILE	"untrusted comment: minisign public key 97B9676DACAB8458\n" PUBLIC_LINE "\n"
#define SECRET_FILE	"untrusted comment: minisign encrypted secret key\n" \
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWISrrG1nuZe0WEBQPDJuR788ezaFflcCUzLYcgdqEnoY73d4DqIM" \
	"+2BapQelSafXHvvCOui6FXP/P7APWUJTdeavwBdjivzJAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
/* The same key, locked with "open sesame" as cheaply as the format can say. */
#define LOCKED_FILE	"untrusted comment: minisign encrypted secret key\n" \
	"RWRTY0IyAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AgAAAAAAAAAAAAAEAAAAAKne1cP1e71HWrY/CYml0QAdwWpsH8nJrRkOiIy7zCa54jugxsyzZ" \
	"Bdr49mtayR5UtTXOKx8Q12mxJFpC3JecPrPyz5kIOV8GSjy888CZJuPkXUQToF847F73mwLkAatagjueuVbzjuo=\n"
#define HASHED	"untrusted comment: signature from minisign secret key\n" \
	"RURYhKusbWe5l9KC2Mpo5cHq66cuMsbNwq8WcDeTuVVrWq6HuF9Buv7iY0tuMLvOKsEip8AtvwXr1kYMPh2MvhbwpmT2z9N11QE=\n" \
	"trusted comment: new one\n" \
	"LvBl5L8uAfpPCJqslOpUxMwEzPWCb2hj4EK0j7NmpWuTPnftHCJZO62NLO5pbZSAblUF6/UXVJ5Fo1eBtfB3Bw==\n"
#define LEGACY	"untrusted comment: signature from minisign secret key\n" \
	"RWRYhKusbWe5lwib1Tttm5zJRfPL0bfirO1Fhje326VXXjqZLaeOUgPX8ahkwyaWcUiUzzgvIVaNfZ/GXAvB8/zVY5SwP+GEgwI=\n" \
	"trusted comment: old one\n" \
	"GXEJD6tv+3H0NDCA4fTjkdt8huLSeueT6vx7pVOA+92GNNlxjtrXzQNYOT7V/X4BKOOlFCJjArCC5ikAhK8TBw==\n"

static const struct slice data = { "hello\n", 6 };

/* FILE is a signature of WHAT by KEY. */
static bool
verifies(struct slice file, const struct minisign_public *key, struct slice what)
{
	struct minisign_signature s;

	return minisign_signature_parse(guard_copy(file), &s) == 0 && minisign_verify(key, &s, guard_copy(what));
}

static void
test_public(void)
{
	static const char *const bad[] = {
		"", "\n", "RW", PUBLIC_LINE "=", PUBLIC_LINE "\n\n", PUBLIC_FILE "x", "x" PUBLIC_LINE, " " PUBLIC_LINE,
		"untrusted comment: x\n", "untrusted comment: x\nuntrusted comment: y\n" PUBLIC_LINE, "comment\n" PUBLIC_LINE,
		"RWRYhKusbWe5l2BapQelSafXHvvCOui6FXP/P7APWUJTdeavwBdjivz=", SECRET_FILE, HASHED,
		"XXRYhKusbWe5l2BapQelSafXHvvCOui6FXP/P7APWUJTdeavwBdjivzJ",
	};
	struct minisign_public key, other;
	char text[MINISIGN_KEY_TEXT], id[MINISIGN_ID_TEXT];
	struct buf file;

	ok(minisign_public_parse(guard_copy(SLICE(PUBLIC_FILE)), &key) == 0, "a public key's file");
	minisign_public_format(&key, text);
	is_str(text, PUBLIC_LINE, "is written as it was");
	minisign_id_format(key.id, id);
	is_str(id, "97B9676DACAB8458", "its id is as minisign shows it");
	ok(minisign_public_parse(SLICE(PUBLIC_LINE), &other) == 0 && minisign_public_eq(&key, &other), "the line alone is the same key");
	ok(minisign_public_parse(SLICE("untrusted comment: \r\n" PUBLIC_LINE "\r\n"), &other) == 0, "lines may end in CR LF");
	buf_init(&file, MINISIGN_MAX);
	minisign_public_file(&key, &file);
	is_slice(buf_slice(&file), SLICE(PUBLIC_FILE), "its file is minisign's");
	buf_fini(&file);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(minisign_public_parse(guard_copy(slice_str(bad[i])), &other) == -1 && errno == EBADMSG, "no public key: %zu", i);
}

static void
test_secret(void)
{
	struct minisign_public key;
	struct minisign_secret s, again;
	char flipped[] = SECRET_FILE;
	struct buf file;

	minisign_public_parse(SLICE(PUBLIC_LINE), &key);
	ok(minisign_secret_parse(guard_copy(SLICE(SECRET_FILE)), SLICE(""), &s) == 0 && minisign_public_eq(&s.public, &key),
	    "a secret key of minisign -G -W");
	ok(minisign_secret_parse(SLICE(LOCKED_FILE), SLICE("open sesame"), &again) == 0 && memcmp(&s, &again, sizeof(s)) == 0,
	    "the same behind a password");
	ok(minisign_secret_parse(SLICE(LOCKED_FILE), SLICE("open sesam"), &again) == -1 && errno == EKEYREJECTED, "another password");
	ok(minisign_secret_parse(SLICE(LOCKED_FILE), SLICE(""), &again) == -1 && errno == ENOKEY, "no password");
	ok(minisign_secret_parse(SLICE(PUBLIC_FILE), SLICE(""), &again) == -1 && errno == EBADMSG, "a public key is no secret one");
	flipped[sizeof("untrusted comment: minisign encrypted secret key\n") + 100] ^= 1;
	ok(minisign_secret_parse(SLICE(flipped), SLICE(""), &again) == -1 && errno == EBADMSG, "a seed that is not the public key's");
	ok(minisign_secret_make(&s) == 0 && minisign_secret_make(&again) == 0 && !minisign_public_eq(&s.public, &again.public),
	    "two new keys differ");
	buf_init(&file, MINISIGN_MAX);
	ok(minisign_secret_format(&s, &file) == 0 && minisign_secret_parse(buf_slice(&file), SLICE(""), &again) == 0 &&
	    memcmp(&s, &again, sizeof(s)) == 0, "one is read back from its file");
	buf_fini(&file);
}

/* A file that asks for a terabyte of memory, or for no end of work. */
static void
test_cost(void)
{
	static const char *const head = "untrusted comment: x\n";
	char text[sizeof(LOCKED_FILE)];
	struct minisign_secret s;
	const char *start = strchr(LOCKED_FILE, '\n') + 1;
	size_t at = strlen(head) + 4 * (38 / 3);

	snprintf(text, sizeof(text), "%s%s", head, start);
	memset(text + at + 4, '/', 8);
	ok(minisign_secret_parse(slice_str(text), SLICE("open sesame"), &s) == -1 && errno == EBADMSG, "a cost without end is refused");
}

static void
test_verify(void)
{
	struct minisign_public key, other;
	struct minisign_secret s;
	struct minisign_signature sig;

	minisign_public_parse(SLICE(PUBLIC_LINE), &key);
	ok(verifies(SLICE(HASHED), &key, data), "a signature of minisign");
	ok(verifies(SLICE(LEGACY), &key, data), "one of minisign -l");
	ok(!verifies(SLICE(HASHED), &key, SLICE("hello")), "other data");
	ok(!verifies(SLICE(LEGACY), &key, SLICE("hellO\n")), "other data, the old way");
	ok(!verifies(SLICE(HASHED), &key, SLICE("")), "no data");
	minisign_secret_make(&s);
	other = s.public;
	ok(!verifies(SLICE(HASHED), &other, data), "another key");
	memcpy(other.id, key.id, sizeof(other.id));
	ok(!verifies(SLICE(HASHED), &other, data), "another key of the same id");
	ok(minisign_signature_parse(SLICE(HASHED), &sig) == 0 && minisign_verify_comment(&key, &sig), "the comment alone is verified");
	is_slice(sig.trusted, SLICE("new one"), "and is");
	sig.trusted = SLICE("new One");
	ok(!minisign_verify_comment(&key, &sig) && !minisign_verify(&key, &sig, data), "another comment is not");
}

/* Each byte but those of the untrusted comment matters. */
static void
test_flips(const char *file)
{
	struct minisign_public key;
	size_t len = strlen(file), from = (size_t)(strchr(file, '\n') - file), accepted = 0;

	minisign_public_parse(SLICE(PUBLIC_LINE), &key);
	for (size_t i = from; i < len - 1; i++)
		for (int bit = 0; bit < 8; bit++) {
			char *copy = slice_dup(slice_str(file));

			copy[i] = (char)(copy[i] ^ 1 << bit);
			if (verifies(slice_make(copy, len), &key, data))
				printf("# byte %zu bit %d\n", i, bit), accepted++;
			free(copy);
		}
	for (size_t i = 0; i < len - 1; i++)
		accepted += verifies(slice_make(file, i), &key, data);
	is_int((long long)accepted, 0, "no flipped bit and no shorter file is accepted");
}

static void
test_sign(void)
{
	struct minisign_secret s;
	struct buf out;
	char large[MINISIGN_COMMENT + 2];

	memset(large, 'x', sizeof(large));
	minisign_secret_make(&s);
	buf_init(&out, MINISIGN_MAX);
	ok(minisign_sign(&s, data, SLICE("what it is"), &out) == 0 && verifies(buf_slice(&out), &s.public, data), "ours is verified");
	ok(!verifies(buf_slice(&out), &s.public, SLICE("hello")), "and of other data it is not");
	buf_reset(&out);
	ok(minisign_sign(&s, slice_make(NULL, 0), SLICE(""), &out) == 0 && verifies(buf_slice(&out), &s.public, SLICE("")),
	    "of nothing, with an empty comment");
	ok(minisign_sign(&s, data, SLICE("two\nlines"), &out) == -1 && errno == EINVAL, "a comment of two lines");
	ok(minisign_sign(&s, data, slice_make(large, MINISIGN_COMMENT + 1), &out) == -1 && errno == EINVAL, "a comment without end");
	buf_reset(&out);
	ok(minisign_sign(&s, data, slice_make(large, MINISIGN_COMMENT), &out) == 0 && verifies(buf_slice(&out), &s.public, data),
	    "the longest comment");
	buf_fini(&out);
}

static void
test_no_signature(void)
{
	static const char *const bad[] = {
		"", "untrusted comment: x", PUBLIC_FILE, HASHED "x", HASHED "\n", HASHED HASHED, "\n" HASHED,
		"untrusted comment: x\nRURYhKusbWe5l9KC\ntrusted comment: new one\nLvBl5L8u\n",
	};
	struct minisign_signature s;
	struct buf large;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(minisign_signature_parse(guard_copy(slice_str(bad[i])), &s) == -1 && errno == EBADMSG, "no signature: %zu", i);
	buf_init(&large, 2 * MINISIGN_MAX);
	while (large.len <= MINISIGN_MAX)
		buf_add_str(&large, HASHED);
	ok(minisign_signature_parse(buf_slice(&large), &s) == -1, "one that is too long");
	buf_fini(&large);
}

int
main(void)
{
	test_public();
	test_secret();
	test_cost();
	test_verify();
	test_flips(HASHED);
	test_flips(LEGACY);
	test_sign();
	test_no_signature();
	return tap_done();
}
