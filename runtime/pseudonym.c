#include "runtime/pseudonym.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"

enum { TAG = 16, ADDRESS = 16, PLAIN_MIN = 32, SEALED_MAX = TAG + PSEUDONYM_PLAIN_MAX, BITS = 5, PAD = 0x80, LINE_WORDS = 4 };

#define DOMAIN	"firebreak pseudonym 1 "

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

struct key {
	char		id[PSEUDONYM_ID + 1];
	unsigned char	secret[PSEUDONYM_KEY];
	int64_t		made;
};

struct pseudonyms {
	EVP_CIPHER	*siv;
	struct key	 keys[PSEUDONYM_KEYS_MAX];
	size_t		 n;
};

static const struct { const char *name, *unavailable; } kinds[PSEUDONYM_KINDS] = {
	[PSEUDONYM_USER] = { "user", "user-unavailable" },
	[PSEUDONYM_CLIENT] = { "client", "client-unavailable" },
	[PSEUDONYM_MAIL] = { "mail", "mail-unavailable" },
};

const char *
pseudonym_kind_name(enum pseudonym_kind kind)
{
	return kinds[kind].name;
}

const char *
pseudonym_unavailable(enum pseudonym_kind kind)
{
	return kinds[kind].unavailable;
}

/* ---- base 32 ---- */

static size_t
base32_len(size_t bytes)
{
	return (8 * bytes + BITS - 1) / BITS;
}

static void
base32_write(const unsigned char *p, size_t len, char *out)
{
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | p[i]) & 0xfff;
		for (bits += 8; bits >= BITS; bits -= BITS)
			*out++ = alphabet[held >> (bits - BITS) & 31];
	}
	if (bits > 0)
		*out++ = alphabet[held << (BITS - bits) & 31];
	*out = '\0';
}

static int
base32_value(char c)
{
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z' ? c - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* The bytes of TEXT, which is exactly those: no bit is left over.  How many, or 0. */
static size_t
base32_read(struct slice text, unsigned char *out, size_t max)
{
	unsigned held = 0, bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int v = base32_value(text.p[i]);

		if (v < 0)
			return 0;
		held = (held << BITS | (unsigned)v) & 0xfff;
		if ((bits += BITS) < 8)
			continue;
		if (n == max)
			return 0;
		bits -= 8;
		out[n++] = (unsigned char)(held >> bits);
	}
	return bits < BITS && (held & ((1u << bits) - 1)) == 0 ? n : 0;
}

/* ---- keys ---- */

/* The id says which key it is, and finds a damaged line. */
static void
make_id(const unsigned char secret[static PSEUDONYM_KEY], char id[static PSEUDONYM_ID + 1])
{
	unsigned char text[sizeof(DOMAIN) - 1 + PSEUDONYM_KEY], sum[EVP_MAX_MD_SIZE] = { 0 };

	memcpy(text, DOMAIN, sizeof(DOMAIN) - 1);
	memcpy(text + sizeof(DOMAIN) - 1, secret, PSEUDONYM_KEY);
	EVP_Digest(text, sizeof(text), sum, NULL, EVP_sha256(), NULL);
	OPENSSL_cleanse(text, sizeof(text));
	base32_write(sum, (size_t)PSEUDONYM_ID * BITS / 8, id);
}

static bool
read_hex(struct slice hex, unsigned char out[static PSEUDONYM_KEY])
{
	if (hex.len != (size_t)2 * PSEUDONYM_KEY)
		return false;
	for (size_t i = 0; i < PSEUDONYM_KEY; i++) {
		int high = ascii_hex(hex.p[2 * i]), low = ascii_hex(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static const struct key *
key_of(const struct pseudonyms *p, struct slice id)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_ieq(id, slice_str(p->keys[i].id)))
			return &p->keys[i];
	return NULL;
}

/* What is wrong with LINE, or NULL after taking it. */
static const char *
take_line(struct pseudonyms *p, struct slice line)
{
	struct slice words[LINE_WORDS] = { 0 }, rest = line;
	struct key *k = &p->keys[p->n];
	char id[PSEUDONYM_ID + 1];
	size_t n = 0;

	for (; rest.len > 0 && n < LINE_WORDS; n++)
		slice_cut(rest, ' ', &words[n], &rest);
	if (n != LINE_WORDS || rest.len > 0 || !slice_eq(words[0], SLICE("key")))
		return "expected \"key ID HEX MOMENT\"";
	if (p->n == PSEUDONYM_KEYS_MAX)
		return "more keys than 16: take out the oldest ones, whose tokens nobody needs to open";
	if (!read_hex(words[2], k->secret) || clock_parse(words[3], &k->made) == -1)
		return "the key or its moment is damaged";
	make_id(k->secret, id);
	if (!slice_eq(words[1], slice_str(id)))
		return "the key does not have this id: it is damaged";
	if (key_of(p, words[1]) != NULL)
		return "a key stands there twice";
	memcpy(k->id, id, sizeof(id));
	p->n++;
	return NULL;
}

static int
read_keys(struct pseudonyms *p, struct slice text, const char *file, struct diag *diag)
{
	struct slice line;
	const char *wrong;

	for (unsigned n = 1; text.len > 0; n++) {
		slice_cut(text, '\n', &line, &text);
		if (line.len == 0 || *line.p == '#' || (wrong = take_line(p, line)) == NULL)
			continue;
		diag_add(diag, DIAG_ERROR, file, n, 0, "%s", wrong);
		return -1;
	}
	if (p->n > 0)
		return 0;
	diag_add(diag, DIAG_ERROR, file, 0, 0, "there is no key in it");
	return -1;
}

struct pseudonyms *
pseudonyms_read(struct slice text, const char *file, struct diag *diag)
{
	struct pseudonyms *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->siv = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL)) == NULL)
		diag_add(diag, DIAG_ERROR, file, 0, 0, "%s", p == NULL ? "out of memory" : "the library has no AES-256-SIV");
	else if (read_keys(p, text, file, diag) == 0)
		return p;
	pseudonyms_free(p);
	return NULL;
}

void
pseudonyms_free(struct pseudonyms *p)
{
	if (p == NULL)
		return;
	EVP_CIPHER_free(p->siv);
	OPENSSL_cleanse(p, sizeof(*p));
	free(p);
}

size_t
pseudonyms_n(const struct pseudonyms *p)
{
	return p->n;
}

const char *
pseudonyms_id(const struct pseudonyms *p, size_t i)
{
	return p->keys[i].id;
}

int64_t
pseudonyms_made(const struct pseudonyms *p, size_t i)
{
	return p->keys[i].made;
}

int
pseudonyms_new_line(int64_t now, struct buf *out)
{
	unsigned char secret[PSEUDONYM_KEY];
	char id[PSEUDONYM_ID + 1], when[CLOCK_TEXT];

	if (RAND_priv_bytes(secret, sizeof(secret)) != 1)
		return -1;
	make_id(secret, id);
	clock_format_s(now, when);
	buf_addf(out, "key %s ", id);
	for (size_t i = 0; i < sizeof(secret); i++)
		buf_addf(out, "%02x", secret[i]);
	buf_addf(out, " %s\n", when);
	OPENSSL_cleanse(secret, sizeof(secret));
	return out->failed ? -1 : 0;
}

/* ---- what is sealed ---- */

/* An address as 16 bytes, whichever of its spellings NAME is. */
static bool
take_address(struct slice name, unsigned char out[static ADDRESS])
{
	static const unsigned char mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char text[INET6_ADDRSTRLEN];

	if (name.len >= sizeof(text) || memchr(name.p, '\0', name.len) != NULL)
		return false;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	memcpy(out, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out + sizeof(mapped)) == 1;
}

static int
show_address(const unsigned char p[static ADDRESS], struct buf *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a;

	memcpy(&a, p, sizeof(a));
	if (IN6_IS_ADDR_V4MAPPED(&a))
		inet_ntop(AF_INET, p + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, p, text, sizeof(text));
	return buf_add_str(out, text);
}

/* NAME as it is sealed into OUT: how many bytes. */
static size_t
make_plain(enum pseudonym_kind kind, struct slice name, unsigned char out[static PSEUDONYM_PLAIN_MAX])
{
	size_t len = PLAIN_MIN;

	if (kind == PSEUDONYM_CLIENT && name.len > 0 && take_address(name, out))
		return ADDRESS;
	name = slice_head(name, PSEUDONYM_NAME_MAX);
	while (len < name.len + 1)
		len *= 2;
	memset(out, 0, len);
	if (name.len > 0)
		memcpy(out, name.p, name.len);
	out[name.len] = PAD;
	return len;
}

static int
show_plain(const unsigned char *p, size_t len, struct buf *out)
{
	if (len == ADDRESS)
		return show_address(p, out);
	while (len > 0 && p[len - 1] == 0)
		len--;
	return len > 0 && p[len - 1] == PAD ? buf_add(out, p, len - 1) : -1;
}

static bool
is_plain_len(enum pseudonym_kind kind, size_t len)
{
	if (len == ADDRESS)
		return kind == PSEUDONYM_CLIENT;
	return len >= PLAIN_MIN && len <= PSEUDONYM_PLAIN_MAX && (len & (len - 1)) == 0;
}

/* The context of K, with what the token is for; NULL without memory. */
static EVP_CIPHER_CTX *
begin(const struct pseudonyms *p, const struct key *k, enum pseudonym_kind kind, const unsigned char *tag)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	char aad[64];
	int len = snprintf(aad, sizeof(aad), DOMAIN "%s %s", kinds[kind].name, k->id), n;

	if (c != NULL && EVP_CipherInit_ex2(c, p->siv, k->secret, NULL, tag == NULL, NULL) == 1 &&
	    (tag == NULL || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)tag) == 1) &&
	    EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)aad, len) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

/* The tag and LEN bytes of PLAIN into OUT. */
static bool
seal(const struct pseudonyms *p, const struct key *k, enum pseudonym_kind kind, const unsigned char *plain, size_t len,
    unsigned char out[static SEALED_MAX])
{
	EVP_CIPHER_CTX *c = begin(p, k, kind, NULL);
	int n;
	bool good = c != NULL && EVP_CipherUpdate(c, out + TAG, &n, plain, (int)len) == 1 && EVP_CipherFinal_ex(c, out + TAG, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, out) == 1;

	EVP_CIPHER_CTX_free(c);
	return good;
}

static enum pseudonym_opened
unseal(const struct pseudonyms *p, const struct key *k, enum pseudonym_kind kind, const unsigned char *sealed, size_t len,
    unsigned char out[static PSEUDONYM_PLAIN_MAX])
{
	EVP_CIPHER_CTX *c = begin(p, k, kind, sealed);
	int n;
	enum pseudonym_opened result = c == NULL ? PSEUDONYM_NO_MEMORY : EVP_CipherUpdate(c, out, &n, sealed + TAG, (int)len) == 1 &&
	    EVP_CipherFinal_ex(c, out, &n) == 1 ? PSEUDONYM_OPENED : PSEUDONYM_FORGED;

	EVP_CIPHER_CTX_free(c);
	return result;
}

/* ---- tokens ---- */

int
pseudonym_make_by(const struct pseudonyms *p, size_t i, enum pseudonym_kind kind, struct slice name,
    char out[static PSEUDONYM_TEXT])
{
	unsigned char plain[PSEUDONYM_PLAIN_MAX], sealed[SEALED_MAX];
	size_t len = make_plain(kind, name, plain);
	int head;

	if (!seal(p, &p->keys[i], kind, plain, len, sealed))
		return -1;
	head = snprintf(out, PSEUDONYM_TEXT, "%s-%s-", kinds[kind].name, p->keys[i].id);
	base32_write(sealed, TAG + len, out + head);
	return head + (int)base32_len(TAG + len);
}

int
pseudonym_make(const struct pseudonyms *p, enum pseudonym_kind kind, struct slice name, char out[static PSEUDONYM_TEXT])
{
	return pseudonym_make_by(p, p->n - 1, kind, name, out);
}

struct token {
	enum pseudonym_kind	kind;
	struct slice		id;
	unsigned char		sealed[SEALED_MAX];
	size_t			len;		/* without the tag */
};

static bool
take_kind(struct slice text, enum pseudonym_kind *kind)
{
	for (int i = 0; i < PSEUDONYM_KINDS; i++)
		if (slice_ieq(text, slice_str(kinds[i].name))) {
			*kind = (enum pseudonym_kind)i;
			return true;
		}
	return false;
}

static bool
take_token(struct slice text, struct token *t)
{
	struct slice kind, rest, body;
	size_t n;

	if (text.len >= PSEUDONYM_TEXT || !slice_cut(text, '-', &kind, &rest) || !take_kind(kind, &t->kind) ||
	    !slice_cut(rest, '-', &t->id, &body) || t->id.len != PSEUDONYM_ID)
		return false;
	for (size_t i = 0; i < PSEUDONYM_ID; i++)
		if (base32_value(t->id.p[i]) < 0)
			return false;
	n = base32_read(body, t->sealed, sizeof(t->sealed));
	t->len = n > TAG ? n - TAG : 0;
	return is_plain_len(t->kind, t->len);
}

bool
pseudonym_is_token(struct slice text, enum pseudonym_kind *kind)
{
	struct token t;

	for (int i = 0; i < PSEUDONYM_KINDS; i++)
		if (slice_ieq(text, slice_str(kinds[i].unavailable))) {
			*kind = (enum pseudonym_kind)i;
			return true;
		}
	if (!take_token(text, &t))
		return false;
	*kind = t.kind;
	return true;
}

enum pseudonym_opened
pseudonym_open(const struct pseudonyms *p, struct slice text, enum pseudonym_kind *kind, struct buf *out)
{
	unsigned char plain[PSEUDONYM_PLAIN_MAX];
	const struct key *k;
	struct token t;
	enum pseudonym_opened result;

	if (!take_token(text, &t))
		return PSEUDONYM_NO_TOKEN;
	if ((k = key_of(p, t.id)) == NULL)
		return PSEUDONYM_NO_KEY;
	*kind = t.kind;
	result = unseal(p, k, t.kind, t.sealed, t.len, plain);
	if (result == PSEUDONYM_OPENED && show_plain(plain, t.len, out) == -1)
		result = out->failed ? PSEUDONYM_NO_MEMORY : PSEUDONYM_FORGED;
	return result;
}

const char *
pseudonym_opened_text(enum pseudonym_opened result)
{
	switch (result) {
	case PSEUDONYM_OPENED: return "opened";
	case PSEUDONYM_NO_TOKEN: return "that is no pseudonym";
	case PSEUDONYM_NO_KEY: return "the key that made it is not there any more";
	case PSEUDONYM_FORGED: return "nobody with the key made it: it is damaged or forged";
	case PSEUDONYM_NO_MEMORY: return "out of memory";
	}
	return "";
}

bool
pseudonym_is(const struct pseudonyms *p, struct slice token, enum pseudonym_kind kind, struct slice name)
{
	char made[PSEUDONYM_TEXT];
	struct token t;
	const struct key *k;
	int len;

	if (p == NULL || name.len == 0 || !take_token(token, &t) || t.kind != kind || (k = key_of(p, t.id)) == NULL)
		return false;
	len = pseudonym_make_by(p, (size_t)(k - p->keys), kind, name, made);
	return len > 0 && slice_ieq(token, slice_make(made, (size_t)len));
}
