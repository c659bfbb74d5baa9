/* sign.h - the origin's side: signs the generation that is live, beside its MANIFEST, for any web server to serve rules/ as it is.
 *
 * The order is SIGNED.17, then SIGNED.minisig by rename.  Who is killed between the publish and that leaves a generation that is
 * live here and offered to nobody: the next publish signs its own.  One thread at a time. */
#ifndef DELIVERY_SIGN_H
#define DELIVERY_SIGN_H

#include "base/diag.h"
#include "base/option.h"
#include "delivery/signed.h"

struct sign_settings {
#define OPTION OPTION_MEMBER
#include "delivery/sign.def"
#undef OPTION
};
extern const struct option sign_options[];
extern const size_t sign_options_n;

struct signer {
	bool			on;		/* there is a key: generations are signed */
	struct minisign_secret	key;
	struct sign_settings	settings;
	bool			has_next;
	struct minisign_public	next;
};

/* Ask somebody for the password of the key FILE, into OUT of SIZE bytes.  -1 when nobody can be asked. */
typedef int sign_ask(const char *file, char *out, size_t size);

/* Read the secret key in the file PATH.  ASK is called for a locked one.  -1 with errors in DIAG; minisign_secret_wipe() is due
 * otherwise. */
int sign_read_secret(const char *path, sign_ask *ask, struct minisign_secret *out, struct diag *diag);

/* Read STATE/sign.conf, and the key: KEY when it is not NULL, else the one that is named there; none of both, and S->on is false.
 * ASK is called for a locked one.  -1 with errors in DIAG.  signer_fini() is due in either case. */
int signer_open(struct signer *s, const char *state, const char *key, sign_ask *ask, struct diag *diag);

/* The same with the KEY that the caller has read, by sign_read_secret() perhaps. */
int signer_open_with(struct signer *s, const char *state, const struct minisign_secret *key, struct diag *diag);
void signer_fini(struct signer *s);

/* Sign what is live in STATE, unless it is signed already by the same key.  LOCKED: the caller has the publishers' lock.  The
 * result is as it was signed, into OUT.  -1 with errors in DIAG: it is live all the same. */
int signer_sign(const struct signer *s, const char *state, bool locked, int64_t now, struct signed_head *out, struct diag *diag);

/* What STATE/rules/SIGNED.minisig says, which is not verified.  -1 with errno; ENOENT when nothing was ever signed. */
int sign_look(const char *state, struct signed_head *out);

/* Make a key pair in the files PATH (0600) and PATH.pub (0644), which must not be there.  -1 with errors in DIAG. */
int sign_make_key(const char *path, struct minisign_public *out, struct diag *diag);

/* Read the key file PATH, secret (ASK may be called) or public.  -1 with errors in DIAG. */
int sign_read_public(const char *path, sign_ask *ask, struct minisign_public *out, struct diag *diag);

#endif
