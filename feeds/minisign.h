/* minisign.h - Ed25519 keys and detached signatures as minisign writes them, by OpenSSL alone.
 *
 *	public key:  untrusted comment: ANY			secret key: the same with
 *		     base64("Ed" id[8] key[32])			base64("Ed" kdf[2] "B2" salt[32] ops[8] mem[8] ^(id seed key sum))
 *
 *	signature:   untrusted comment: ANY
 *		     base64("ED" id[8] signature[64])		over the BLAKE2b-512 of the data; "Ed": over the data (legacy)
 *		     trusted comment: WHAT
 *		     base64(global[64])				over signature and WHAT
 *
 * Source: minisign's own page of the format; Ed25519 is RFC 8032, BLAKE2b RFC 7693, scrypt RFC 7914.  Every text is hostile: what
 * is not exactly one of these is refused with errno EBADMSG.  A signature is made prehashed ("ED") always.  Pure but for
 * minisign_secret_make(); any number of threads. */
#ifndef FEEDS_MINISIGN_H
#define FEEDS_MINISIGN_H

#include "base/buf.h"

enum {
	MINISIGN_ID = 8, MINISIGN_KEY = 32, MINISIGN_SIGNATURE = 64,
	MINISIGN_KEY_TEXT = 57,		/* a public key in base64, with the NUL */
	MINISIGN_ID_TEXT = 17,		/* an id as minisign shows it, with the NUL */
	MINISIGN_COMMENT = 1024,	/* bytes of a comment */
	MINISIGN_MAX = 4096,		/* bytes of any of these files */
};

struct minisign_public {
	uint8_t	id[MINISIGN_ID];
	uint8_t	key[MINISIGN_KEY];
};

struct minisign_secret {
	struct minisign_public	public;
	uint8_t			seed[MINISIGN_KEY];
};

struct minisign_signature {
	bool		prehashed;
	uint8_t		id[MINISIGN_ID];		/* of the key that claims it */
	uint8_t		signature[MINISIGN_SIGNATURE];
	uint8_t		global[MINISIGN_SIGNATURE];
	struct slice	trusted;			/* the trusted comment; borrowed from the text */
};

/* The public key that TEXT is: the two lines of a file, or the line of base64 alone.  -1 with EBADMSG. */
int minisign_public_parse(struct slice text, struct minisign_public *out);

/* KEY as its line of base64, and its id, into OUT. */
void minisign_public_format(const struct minisign_public *key, char out[static MINISIGN_KEY_TEXT]);
void minisign_id_format(const uint8_t id[static MINISIGN_ID], char out[static MINISIGN_ID_TEXT]);

/* Same key.  Two keys of one id are not the same. */
bool minisign_public_eq(const struct minisign_public *a, const struct minisign_public *b);

/* The secret key that the file TEXT is.  One that is locked is opened with PASSWORD, which costs up to a gigabyte and some seconds
 * (scrypt, as the file asks; more than MINISIGN_SCRYPT_MAX bytes is refused).  -1 with EBADMSG; ENOKEY when PASSWORD is empty and
 * one is needed; EKEYREJECTED when it is wrong; ENOMEM.  The seed is the caller's to wipe: minisign_secret_wipe(). */
#define MINISIGN_SCRYPT_MAX	(UINT64_C(1100) << 20)
int minisign_secret_parse(struct slice text, struct slice password, struct minisign_secret *out);

/* A new key pair.  -1 with EIO when there is no randomness. */
int minisign_secret_make(struct minisign_secret *out);

/* Append KEY as the file, not locked, that "minisign -G -W" would write, or its public key's file. */
int minisign_secret_format(const struct minisign_secret *key, struct buf *out);
int minisign_public_file(const struct minisign_public *key, struct buf *out);

/* Overwrite the seed. */
void minisign_secret_wipe(struct minisign_secret *key);

/* Take the signature file TEXT apart; nothing is verified.  -1 with EBADMSG. */
int minisign_signature_parse(struct slice text, struct minisign_signature *out);

/* KEY made the signature's trusted comment (and with it the signature).  Says nothing of any data. */
bool minisign_verify_comment(const struct minisign_public *key, const struct minisign_signature *s);

/* KEY signed DATA, and the comment. */
bool minisign_verify(const struct minisign_public *key, const struct minisign_signature *s, struct slice data);

/* Append the signature of DATA with the trusted comment TRUSTED, a line of up to MINISIGN_COMMENT printable bytes.  -1 with EINVAL
 * for another comment, EIO when OpenSSL fails, ENOMEM. */
int minisign_sign(const struct minisign_secret *key, struct slice data, struct slice trusted, struct buf *out);

#endif
