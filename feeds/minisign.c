#include "feeds/minisign.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#define UNTRUSTED	"untrusted comment: "
#define TRUSTED		"trusted comment: "

enum {
	ALG = 2, HASH = 64, SALT = 32, SUM = 32,
	PUBLIC_BYTES = ALG + MINISIGN_ID + MINISIGN_KEY,
	SIGNATURE_BYTES = ALG + MINISIGN_ID + MINISIGN_SIGNATURE,
	LOCKED = MINISIGN_ID + 2 * MINISIGN_KEY + SUM,
	SECRET_BYTES = 3 * ALG + SALT + 2 * sizeof(uint64_t) + LOCKED,
	AT_SALT = 3 * ALG, AT_OPS = AT_SALT + SALT, AT_MEM = AT_OPS + 8, AT_LOCKED = AT_MEM + 8,
};

static int
refuse(void)
{
	return errno = EBADMSG, -1;
}

/* ---- text ---- */

#define BASE64_LEN(n)	(((n) + 2) / 3 * 4)
enum { BASE64_MAX = BASE64_LEN(SECRET_BYTES) + 1 };

/* LINE is the one base64 of LEN bytes, into OUT. */
static int
decode(struct slice line, uint8_t *out, size_t len)
{
	uint8_t bytes[BASE64_MAX];
	char again[BASE64_MAX];
	int n;

	if (line.len != (size_t)BASE64_LEN(len))
		return refuse();
	n = EVP_DecodeBlock(bytes, (const uint8_t *)line.p, (int)line.len);
	if (n < (int)len)
		return refuse();
	/* Blanks, other ends and bits that do not count: whatever is not how these bytes are written. */
	EVP_EncodeBlock((uint8_t *)again, bytes, (int)len);
	if (memcmp(again, line.p, line.len) != 0)
		return refuse();
	memcpy(out, bytes, len);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(again, sizeof(again));
	return 0;
}

/* The next line of *REST, without its end; CR LF ends one, too. */
static bool
next_line(struct slice *rest, struct slice *line)
{
	if (rest->len == 0)
		return false;
	slice_cut(*rest, '\n', line, rest);
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* The comment in LINE that begins with HEAD: bounded, and no control is in it but the tabs that minisign itself writes. */
static bool
comment_of(struct slice line, struct slice head, struct slice *out)
{
	if (!slice_starts(line, head) || line.len - head.len > MINISIGN_COMMENT)
		return false;
	*out = slice_skip(line, head.len);
	for (size_t i = 0; i < out->len; i++)
		if (((unsigned char)out->p[i] < ' ' && out->p[i] != '\t') || out->p[i] == '\x7f')
			return false;
	return true;
}

/* The one line of base64 in a key's file TEXT. */
static int
key_line(struct slice text, struct slice *line)
{
	struct slice comment;

	if (text.len > MINISIGN_MAX || !next_line(&text, line))
		return refuse();
	if (comment_of(*line, SLICE(UNTRUSTED), &comment) && !next_line(&text, line))
		return refuse();
	return text.len == 0 ? 0 : refuse();
}

/* ---- public keys ---- */

int
minisign_public_parse(struct slice text, struct minisign_public *out)
{
	uint8_t bytes[PUBLIC_BYTES];
	struct slice line;

	if (key_line(text, &line) == -1 || decode(line, bytes, sizeof(bytes)) == -1 || memcmp(bytes, "Ed", ALG) != 0)
		return refuse();
	memcpy(out->id, bytes + ALG, MINISIGN_ID);
	memcpy(out->key, bytes + ALG + MINISIGN_ID, MINISIGN_KEY);
	return 0;
}

void
minisign_public_format(const struct minisign_public *key, char out[static MINISIGN_KEY_TEXT])
{
	uint8_t bytes[PUBLIC_BYTES];

	memcpy(bytes, "Ed", ALG);
	memcpy(bytes + ALG, key->id, MINISIGN_ID);
	memcpy(bytes + ALG + MINISIGN_ID, key->key, MINISIGN_KEY);
	EVP_EncodeBlock((uint8_t *)out, bytes, sizeof(bytes));
}

void
minisign_id_format(const uint8_t id[static MINISIGN_ID], char out[static MINISIGN_ID_TEXT])
{
	static const char digits[] = "0123456789ABCDEF";

	/* A number of 64 bits, the lowest byte first. */
	for (size_t i = 0; i < MINISIGN_ID; i++) {
		out[2 * i] = digits[id[MINISIGN_ID - 1 - i] >> 4];
		out[2 * i + 1] = digits[id[MINISIGN_ID - 1 - i] & 15];
	}
	out[MINISIGN_ID_TEXT - 1] = '\0';
}

bool
minisign_public_eq(const struct minisign_public *a, const struct minisign_public *b)
{
	return memcmp(a->id, b->id, MINISIGN_ID) == 0 && memcmp(a->key, b->key, MINISIGN_KEY) == 0;
}

int
minisign_public_file(const struct minisign_public *key, struct buf *out)
{
	char text[MINISIGN_KEY_TEXT], id[MINISIGN_ID_TEXT];

	minisign_public_format(key, text);
	minisign_id_format(key->id, id);
	return buf_addf(out, UNTRUSTED "minisign public key %s\n%s\n", id, text);
}

/* ---- secret keys ---- */

/* SEED is that of the key. */
static bool
derive(const uint8_t seed[static MINISIGN_KEY], uint8_t key[static MINISIGN_KEY])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, MINISIGN_KEY);
	size_t len = MINISIGN_KEY;
	bool good = pair != NULL && EVP_PKEY_get_raw_public_key(pair, key, &len) == 1 && len == MINISIGN_KEY;

	EVP_PKEY_free(pair);
	return good;
}

static uint64_t
little_endian(const uint8_t *p)
{
	uint64_t n = 0;

	for (int i = 7; i >= 0; i--)
		n = n << 8 | p[i];
	return n;
}

/* N and p of scrypt for the limits in the file, r being 8, as libsodium's crypto_pwhash_scryptsalsa208sha256() chooses them. */
static void
choose_costs(uint64_t ops, uint64_t mem, uint64_t *n, uint64_t *p)
{
	enum { R = 8, BLOCK = 128, OPS_MIN = 32768 };
	uint64_t most, both;

	if (ops < OPS_MIN)
		ops = OPS_MIN;
	most = ops < mem / 32 ? ops / (R * 4) : mem / (R * BLOCK);
	for (*n = 2; *n <= most / 2 && *n < UINT64_C(1) << 62; *n *= 2)
		;
	both = ops / 4 / *n;
	if (both > 0x3fffffff)
		both = 0x3fffffff;
	*p = ops < mem / 32 ? 1 : both / R;
}

/* Open LOCKED, in place. */
static int
unlock(const uint8_t *file, struct slice password, uint8_t locked[static LOCKED])
{
	enum { R = 8, BLOCK = 128, COST_P = 64 };
	uint8_t stream[LOCKED];
	uint64_t n, p, ops = little_endian(file + AT_OPS), mem = little_endian(file + AT_MEM);

	choose_costs(ops, mem, &n, &p);
	/* The file says how much it costs: bounded, for somebody else may have made it. */
	if (n > MINISIGN_SCRYPT_MAX / (R * BLOCK) || p == 0 || p > COST_P)
		return refuse();
	if (password.len == 0)
		return errno = ENOKEY, -1;
	if (EVP_PBE_scrypt(password.p, password.len, file + AT_SALT, SALT, n, R, p, MINISIGN_SCRYPT_MAX, stream, sizeof(stream)) != 1)
		return errno = ENOMEM, -1;
	for (size_t i = 0; i < LOCKED; i++)
		locked[i] ^= stream[i];
	OPENSSL_cleanse(stream, sizeof(stream));
	return 0;
}

/* BYTES as a key.  What is locked with another password has a public key that is not the seed's: that says more than the sum in the
 * file, which OpenSSL cannot make (BLAKE2b of 32 bytes) and which minisign leaves empty in a key without password. */
static int
take_secret(const uint8_t bytes[static SECRET_BYTES], struct slice password, struct minisign_secret *out)
{
	uint8_t plain[LOCKED], key[MINISIGN_KEY];
	bool is_locked = memcmp(bytes + ALG, "Sc", ALG) == 0, good;

	if (memcmp(bytes, "Ed", ALG) != 0 || memcmp(bytes + 2 * (size_t)ALG, "B2", ALG) != 0 ||
	    (!is_locked && memcmp(bytes + ALG, "\0\0", ALG) != 0))
		return refuse();
	memcpy(plain, bytes + AT_LOCKED, LOCKED);
	if (is_locked && unlock(bytes, password, plain) == -1)
		return -1;
	memcpy(out->public.id, plain, MINISIGN_ID);
	memcpy(out->seed, plain + MINISIGN_ID, MINISIGN_KEY);
	memcpy(out->public.key, plain + MINISIGN_ID + MINISIGN_KEY, MINISIGN_KEY);
	OPENSSL_cleanse(plain, sizeof(plain));
	good = derive(out->seed, key) && memcmp(key, out->public.key, MINISIGN_KEY) == 0;
	if (!good)
		minisign_secret_wipe(out);
	return good ? 0 : (errno = is_locked ? EKEYREJECTED : EBADMSG, -1);
}

int
minisign_secret_parse(struct slice text, struct slice password, struct minisign_secret *out)
{
	uint8_t bytes[SECRET_BYTES];
	struct slice line;
	int r = -1;

	if (key_line(text, &line) == 0 && decode(line, bytes, sizeof(bytes)) == 0)
		r = take_secret(bytes, password, out);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return r;
}

int
minisign_secret_make(struct minisign_secret *out)
{
	if (RAND_priv_bytes(out->seed, sizeof(out->seed)) != 1 || RAND_bytes(out->public.id, sizeof(out->public.id)) != 1 ||
	    !derive(out->seed, out->public.key))
		return errno = EIO, -1;
	return 0;
}

int
minisign_secret_format(const struct minisign_secret *key, struct buf *out)
{
	uint8_t bytes[SECRET_BYTES] = { 'E', 'd', 0, 0, 'B', '2' };
	char text[BASE64_MAX];
	int r;

	memcpy(bytes + AT_LOCKED, key->public.id, MINISIGN_ID);
	memcpy(bytes + AT_LOCKED + MINISIGN_ID, key->seed, MINISIGN_KEY);
	memcpy(bytes + AT_LOCKED + MINISIGN_ID + MINISIGN_KEY, key->public.key, MINISIGN_KEY);
	EVP_EncodeBlock((uint8_t *)text, bytes, sizeof(bytes));
	/* minisign knows the kind of key by what is in it, not by this line. */
	r = buf_addf(out, UNTRUSTED "minisign secret key, not locked\n%s\n", text);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(text, sizeof(text));
	return r;
}

void
minisign_secret_wipe(struct minisign_secret *key)
{
	OPENSSL_cleanse(key->seed, sizeof(key->seed));
}

/* ---- signatures ---- */

int
minisign_signature_parse(struct slice text, struct minisign_signature *out)
{
	uint8_t bytes[SIGNATURE_BYTES];
	struct slice line, comment;

	if (text.len > MINISIGN_MAX || !next_line(&text, &line) || !comment_of(line, SLICE(UNTRUSTED), &comment) ||
	    !next_line(&text, &line) || decode(line, bytes, sizeof(bytes)) == -1)
		return refuse();
	out->prehashed = memcmp(bytes, "ED", ALG) == 0;
	if (!out->prehashed && memcmp(bytes, "Ed", ALG) != 0)
		return refuse();
	memcpy(out->id, bytes + ALG, MINISIGN_ID);
	memcpy(out->signature, bytes + ALG + MINISIGN_ID, MINISIGN_SIGNATURE);
	if (!next_line(&text, &line) || !comment_of(line, SLICE(TRUSTED), &out->trusted) || !next_line(&text, &line) ||
	    decode(line, out->global, sizeof(out->global)) == -1 || text.len != 0)
		return refuse();
	return 0;
}

static bool
verify(const uint8_t key[static MINISIGN_KEY], const uint8_t signature[static MINISIGN_SIGNATURE], const void *data, size_t len)
{
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, MINISIGN_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = public != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
	    EVP_DigestVerify(ctx, signature, MINISIGN_SIGNATURE, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	return good;
}

/* What the global signature is over: SIGNATURE and the comment, into OUT; its length. */
enum { GLOBAL_MAX = MINISIGN_SIGNATURE + MINISIGN_COMMENT };

static size_t
global_text(const uint8_t signature[static MINISIGN_SIGNATURE], struct slice trusted, uint8_t out[static GLOBAL_MAX])
{
	memcpy(out, signature, MINISIGN_SIGNATURE);
	if (trusted.len > 0)
		memcpy(out + MINISIGN_SIGNATURE, trusted.p, trusted.len);
	return MINISIGN_SIGNATURE + trusted.len;
}

bool
minisign_verify_comment(const struct minisign_public *key, const struct minisign_signature *s)
{
	uint8_t text[GLOBAL_MAX];

	return memcmp(key->id, s->id, MINISIGN_ID) == 0 && s->trusted.len <= MINISIGN_COMMENT &&
	    verify(key->key, s->global, text, global_text(s->signature, s->trusted, text));
}

bool
minisign_verify(const struct minisign_public *key, const struct minisign_signature *s, struct slice data)
{
	uint8_t hash[HASH];

	if (!minisign_verify_comment(key, s))
		return false;
	if (!s->prehashed)
		return verify(key->key, s->signature, data.p, data.len);
	return EVP_Digest(data.p, data.len, hash, NULL, EVP_blake2b512(), NULL) == 1 &&
	    verify(key->key, s->signature, hash, sizeof(hash));
}

static bool
sign(const struct minisign_secret *key, const void *data, size_t len, uint8_t out[static MINISIGN_SIGNATURE])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, MINISIGN_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = MINISIGN_SIGNATURE;
	bool good = pair != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair) == 1 &&
	    EVP_DigestSign(ctx, out, &n, data, len) == 1 && n == MINISIGN_SIGNATURE;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pair);
	return good;
}

int
minisign_sign(const struct minisign_secret *key, struct slice data, struct slice trusted, struct buf *out)
{
	uint8_t hash[HASH], bytes[SIGNATURE_BYTES], global[MINISIGN_SIGNATURE], text[GLOBAL_MAX];
	uint8_t *signature = bytes + ALG + MINISIGN_ID;
	char first[BASE64_MAX], second[BASE64_MAX], id[MINISIGN_ID_TEXT];
	struct slice same;

	if (!comment_of(trusted, SLICE(""), &same))
		return errno = EINVAL, -1;
	memcpy(bytes, "ED", ALG);
	memcpy(bytes + ALG, key->public.id, MINISIGN_ID);
	if (EVP_Digest(data.p, data.len, hash, NULL, EVP_blake2b512(), NULL) != 1 || !sign(key, hash, sizeof(hash), signature) ||
	    !sign(key, text, global_text(signature, trusted, text), global))
		return errno = EIO, -1;
	EVP_EncodeBlock((uint8_t *)first, bytes, sizeof(bytes));
	EVP_EncodeBlock((uint8_t *)second, global, sizeof(global));
	minisign_id_format(key->public.id, id);
	if (buf_addf(out, UNTRUSTED "signature of key %s\n%s\n" TRUSTED "%.*s\n%s\n", id, first, SLICE_ARGS(trusted), second) == -1)
		return errno = ENOMEM, -1;
	return 0;
}
