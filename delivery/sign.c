#include "delivery/sign.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/state.h"

enum { MODE_FILE = 0640, MODE_SECRET = 0600, MODE_PUBLIC = 0644, MODE_OTHERS = 037, CONF_MAX = 64 * 1024, PASSWORD_MAX = 1024,
	NAME_ROOM = STATE_PATH + MANIFEST_NAME };

const struct option sign_options[] = {
#define OPTION(...)	OPTION_ROW(struct sign_settings, __VA_ARGS__)
#include "delivery/sign.def"
#undef OPTION
};
const size_t sign_options_n = sizeof(sign_options) / sizeof(*sign_options);

static int
fail(struct diag *diag, const char *path, const char *what)
{
	diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", what);
	return -1;
}

/* ---- keys ---- */

static const char *
key_trouble(int error)
{
	switch (error) {
	case EBADMSG:
		return "is no key of minisign";
	case ENOKEY:
		return "is locked with a password, and there is no terminal to ask for it";
	case EKEYREJECTED:
		return "the password is another";
	default:
		return strerror(error);
	}
}

/* TEXT of PATH as a secret key, asking when it is locked. */
static int
parse_secret(const char *path, struct slice text, sign_ask *ask, struct minisign_secret *out, struct diag *diag)
{
	char password[PASSWORD_MAX] = "";
	int r = minisign_secret_parse(text, slice_make(NULL, 0), out);

	if (r == -1 && errno == ENOKEY) {
		if (ask != NULL && ask(path, password, sizeof(password)) == 0)
			r = minisign_secret_parse(text, slice_str(password), out);
		else
			errno = ENOKEY;
	}
	OPENSSL_cleanse(password, sizeof(password));
	return r == 0 ? 0 : fail(diag, path, key_trouble(errno));
}

/* What is secret and others may read is secret no more. */
int
sign_read_secret(const char *path, sign_ask *ask, struct minisign_secret *out, struct diag *diag)
{
	char space[MINISIGN_MAX + 1];
	struct stat st;
	struct buf text;
	int r = -1;

	buf_init_in(&text, space, sizeof(space), MINISIGN_MAX);
	if (stat(path, &st) == -1 || file_read(path, &text) == -1)
		fail(diag, path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & MODE_OTHERS) != 0)
		fail(diag, path, "is a secret key that others may read or write: chmod 600, or 640 for a group that publishes, and think of "
		    "a new one");
	else
		r = parse_secret(path, buf_slice(&text), ask, out, diag);
	OPENSSL_cleanse(space, sizeof(space));
	buf_fini(&text);
	return r;
}

int
sign_read_public(const char *path, sign_ask *ask, struct minisign_public *out, struct diag *diag)
{
	char space[MINISIGN_MAX + 1];
	struct minisign_secret secret;
	struct buf text;
	int r = -1;

	buf_init_in(&text, space, sizeof(space), MINISIGN_MAX);
	if (file_read(path, &text) == -1)
		fail(diag, path, strerror(errno));
	else if ((r = minisign_public_parse(buf_slice(&text), out)) == -1 &&
	    (r = parse_secret(path, buf_slice(&text), ask, &secret, diag)) == 0) {
		*out = secret.public;
		minisign_secret_wipe(&secret);
	}
	OPENSSL_cleanse(space, sizeof(space));
	buf_fini(&text);
	return r;
}

/* A new file with TEXT; one that is there is never replaced. */
static int
write_new(const char *path, struct slice text, mode_t mode, struct diag *diag)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), r;

	if (fd == -1)
		return fail(diag, path, errno == EEXIST ? "is there already; a key is never replaced" : strerror(errno));
	r = fchmod(fd, mode) == -1 || file_write_all(fd, text) == -1 || fsync(fd) == -1 ? -1 : 0;
	if (r == -1) {
		fail(diag, path, strerror(errno));
		unlink(path);
	}
	close(fd);
	return r;
}

int
sign_make_key(const char *path, struct minisign_public *out, struct diag *diag)
{
	char first[MINISIGN_MAX], second[MINISIGN_MAX], *public = NULL;
	struct minisign_secret key;
	struct buf a, b;
	int r = -1;

	buf_init_in(&a, first, sizeof(first), sizeof(first) - 1);
	buf_init_in(&b, second, sizeof(second), sizeof(second) - 1);
	if (asprintf(&public, "%s.pub", path) == -1 || minisign_secret_make(&key) == -1) {
		free(public);
		return fail(diag, path, strerror(errno));
	}
	*out = key.public;
	minisign_secret_format(&key, &a);
	minisign_public_file(&key.public, &b);
	if (write_new(path, buf_slice(&a), MODE_SECRET, diag) == 0 &&
	    (r = write_new(public, buf_slice(&b), MODE_PUBLIC, diag)) == -1)
		unlink(path);
	minisign_secret_wipe(&key);
	OPENSSL_cleanse(first, sizeof(first));
	free(public);
	return r;
}

/* ---- the signer ---- */

static int
read_settings(struct signer *s, const char *path, struct diag *diag)
{
	struct buf text;
	int r = 0;

	if (option_defaults(sign_options, sign_options_n, &s->settings) == -1)
		return fail(diag, path, strerror(ENOMEM));
	buf_init(&text, CONF_MAX);
	if (file_read(path, &text) == 0)
		r = option_parse(sign_options, sign_options_n, &s->settings, path, buf_slice(&text), diag);
	else if (errno != ENOENT)
		r = fail(diag, path, strerror(errno));
	buf_fini(&text);
	if (r == 0 && s->settings.next_key[0] != '\0') {
		if (minisign_public_parse(slice_str(s->settings.next_key), &s->next) == -1)
			return fail(diag, path, "NextKey is no public key");
		s->has_next = true;
	}
	return r;
}

int
signer_open(struct signer *s, const char *state, const char *key, sign_ask *ask, struct diag *diag)
{
	char path[STATE_PATH];

	*s = (struct signer){ 0 };
	if (state_path(state, STATE_SIGN, path) == -1)
		return fail(diag, state, strerror(errno));
	if (read_settings(s, path, diag) == -1)
		return -1;
	if (key == NULL && s->settings.key[0] != '\0')
		key = s->settings.key;
	if (key == NULL)
		return 0;
	s->on = sign_read_secret(key, ask, &s->key, diag) == 0;
	return s->on ? 0 : -1;
}

int
signer_open_with(struct signer *s, const char *state, const struct minisign_secret *key, struct diag *diag)
{
	char path[STATE_PATH];

	*s = (struct signer){ .key = *key, .on = true };
	if (state_path(state, STATE_SIGN, path) == -1)
		return fail(diag, state, strerror(errno));
	return read_settings(s, path, diag);
}

void
signer_fini(struct signer *s)
{
	minisign_secret_wipe(&s->key);
	option_fini(sign_options, sign_options_n, &s->settings);
}

/* ---- signing ---- */

static void
path_of(const char *rules, const char *name, char out[static NAME_ROOM])
{
	snprintf(out, NAME_ROOM, "%s/%s", rules, name);
}

/* The entry of RULES into TEXT, and taken apart. */
static int
read_entry(const char *rules, struct buf *text, struct minisign_signature *signature, struct signed_head *head)
{
	char path[NAME_ROOM];

	path_of(rules, SIGNED_ENTRY, path);
	if (file_read(path, text) == -1 || minisign_signature_parse(buf_slice(text), signature) == -1)
		return -1;
	return signed_comment_parse(signature->trusted, head);
}

int
sign_look(const char *state, struct signed_head *out)
{
	char rules[STATE_PATH], space[MINISIGN_MAX + 1];
	struct minisign_signature signature;
	struct buf text;
	int r = -1;

	buf_init_in(&text, space, sizeof(space), MINISIGN_MAX);
	if (state_path(state, STATE_RULES, rules) == 0)
		r = read_entry(rules, &text, &signature, out);
	buf_fini(&text);
	return r;
}

/* Somebody who published at the same time has signed what is live now. */
static bool
is_signed(const struct signer *s, const char *rules, uint64_t generation, struct signed_head *out)
{
	char space[MINISIGN_MAX + 1];
	struct minisign_signature signature;
	struct buf text;
	bool same;

	buf_init_in(&text, space, sizeof(space), MINISIGN_MAX);
	same = read_entry(rules, &text, &signature, out) == 0 && out->generation == generation &&
	    out->epoch == (uint64_t)s->settings.epoch && minisign_verify_comment(&s->key.public, &signature);
	buf_fini(&text);
	return same;
}

static int
write_signed(const struct signer *s, const char *rules, const struct signed_text *t, struct diag *diag)
{
	char path[NAME_ROOM], name[MANIFEST_NAME], comment_space[MINISIGN_COMMENT];
	struct buf text, comment, signature;
	int r = -1;

	buf_init(&text, SIGNED_MAX);
	buf_init(&signature, MINISIGN_MAX);
	buf_init_in(&comment, comment_space, sizeof(comment_space), sizeof(comment_space) - 1);
	signed_name(t->head.generation, name);
	path_of(rules, name, path);
	if (signed_format(t, &text) == 0 && signed_comment_format(&t->head, &comment) == 0 &&
	    minisign_sign(&s->key, buf_slice(&text), buf_slice(&comment), &signature) == 0 &&
	    (r = file_write(path, buf_slice(&text), MODE_FILE)) == 0) {
		path_of(rules, SIGNED_ENTRY, path);
		r = file_write(path, buf_slice(&signature), MODE_FILE);
	}
	if (r == -1)
		fail(diag, path, strerror(errno));
	buf_fini(&text);
	buf_fini(&comment);
	buf_fini(&signature);
	return r;
}

static int
sign_live(const struct signer *s, const char *rules, int64_t now, struct signed_head *out, struct diag *diag)
{
	char path[NAME_ROOM];
	struct signed_text t = { .created = now, .has_next = s->has_next, .next = s->next };
	struct manifest m = { 0 };
	struct buf text;
	int r = -1;

	buf_init(&text, MANIFEST_MAX);
	path_of(rules, "MANIFEST", path);
	if (file_read(path, &text) == -1)
		fail(diag, path, strerror(errno));
	else if (manifest_parse(path, buf_slice(&text), &m, diag) == 0) {
		signed_list(&m, buf_slice(&text), &t);
		t.head = (struct signed_head){ .generation = m.generation, .epoch = (uint64_t)s->settings.epoch,
			.expires = now + s->settings.lifetime };
		path_of(rules, t.files[0].name, path);
		if (is_signed(s, rules, m.generation, out))
			r = 0;
		else if (access(path, R_OK) == -1)
			fail(diag, path, "is not kept, and would have to be offered with the others");
		else if ((r = write_signed(s, rules, &t, diag)) == 0)
			*out = t.head;
	}
	manifest_fini(&m);
	buf_fini(&text);
	return r;
}

int
signer_sign(const struct signer *s, const char *state, bool locked, int64_t now, struct signed_head *out, struct diag *diag)
{
	char rules[STATE_PATH];
	int lock = -1, r;

	if (state_path(state, STATE_RULES, rules) == -1 || (!locked && (lock = state_lock(state)) == -1))
		return fail(diag, state, strerror(errno));
	r = sign_live(s, rules, now, out, diag);
	if (lock != -1)
		close(lock);
	return r;
}
