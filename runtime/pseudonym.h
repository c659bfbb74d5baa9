/* pseudonym.h - names of people as keyed tokens: the same name is the same token, and who has the key can turn it back.
 *
 *	user-k7q2vbhc-4x...	'user', 'client' or 'mail'; the key's id; the rest in base 32 (RFC 4648, lower case, unpadded)
 *
 * The rest is AES-256-SIV (RFC 5297) of the name: deterministic, and a token that nobody made with the key does not open.  What
 * kind of name it is, and the key's id, are associated data, so that the token of a client is none of a user.
 *
 *	an address	16 bytes (IPv4 mapped into IPv6), so that all addresses have one length
 *	anything else	the name, 0x80, zeros up to 32, 64, 128, 256, 512 or 1,024 bytes: of a length only that much can be seen
 *
 * A ring of keys never changes; any number of threads may use it at once.  Nothing here reads a file, logs, or shows a key. */
#ifndef RUNTIME_PSEUDONYM_H
#define RUNTIME_PSEUDONYM_H

#include "base/buf.h"
#include "base/diag.h"

enum pseudonym_kind { PSEUDONYM_USER, PSEUDONYM_CLIENT, PSEUDONYM_MAIL, PSEUDONYM_KINDS };
const char *pseudonym_kind_name(enum pseudonym_kind kind);	/* "user", "client", "mail" */

enum {
	PSEUDONYM_KEY = 64,		/* bytes of a key: two halves of 256 bits */
	PSEUDONYM_ID = 8,		/* characters of its id */
	PSEUDONYM_KEYS_MAX = 16,	/* of a ring */
	PSEUDONYM_NAME_MAX = 1000,	/* a longer name is cut there */
	PSEUDONYM_PLAIN_MAX = 1024,
	PSEUDONYM_TEXT = 1700,		/* of a token, with its NUL */
};

struct pseudonyms;

/* Keys from TEXT, lines of "key ID HEX MOMENT" and comments; the last one is what tokens are made with.  FILE is for DIAG, which
 * never gets a key.  NULL with an error in DIAG: one bad line refuses all.  The caller's: pseudonyms_free(). */
struct pseudonyms *pseudonyms_read(struct slice text, const char *file, struct diag *diag);
void pseudonyms_free(struct pseudonyms *p);

size_t pseudonyms_n(const struct pseudonyms *p);
const char *pseudonyms_id(const struct pseudonyms *p, size_t i);	/* of key I, the oldest first */
int64_t pseudonyms_made(const struct pseudonyms *p, size_t i);		/* when, seconds */

/* A line for a new random key, made at NOW (seconds), appended to OUT.  -1 without randomness. */
int pseudonyms_new_line(int64_t now, struct buf *out);

/* The token of NAME by key I into OUT: its length; -1 when the library refuses.  An address of a client has one token however it
 * is written. */
int pseudonym_make_by(const struct pseudonyms *p, size_t i, enum pseudonym_kind kind, struct slice name,
    char out[static PSEUDONYM_TEXT]);

/* The same by the newest key. */
int pseudonym_make(const struct pseudonyms *p, enum pseudonym_kind kind, struct slice name, char out[static PSEUDONYM_TEXT]);

/* TEXT has the form of a token, or is what stands for one where there was no key.  Says nothing about whether it opens. */
bool pseudonym_is_token(struct slice text, enum pseudonym_kind *kind);

/* Append the name that token TEXT was made of to OUT. */
enum pseudonym_opened { PSEUDONYM_OPENED, PSEUDONYM_NO_TOKEN, PSEUDONYM_NO_KEY, PSEUDONYM_FORGED, PSEUDONYM_NO_MEMORY };
enum pseudonym_opened pseudonym_open(const struct pseudonyms *p, struct slice text, enum pseudonym_kind *kind, struct buf *out);
const char *pseudonym_opened_text(enum pseudonym_opened result);

/* TOKEN is that of NAME.  P may be NULL: it is not. */
bool pseudonym_is(const struct pseudonyms *p, struct slice token, enum pseudonym_kind kind, struct slice name);

/* What is written where there is no key: "user-unavailable". */
const char *pseudonym_unavailable(enum pseudonym_kind kind);

#endif
