#include "console/users.h"

#include <sys/stat.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_MAX = 256 << 10, FILE_MODE = 0600, FILE_OTHERS = 077 };

static const char *const role_names[ROLES] = { [ROLE_READ] = "read", [ROLE_DECIDE] = "decide", [ROLE_REVEAL] = "reveal" };

static int
role_parse(struct slice text, enum role *role)
{
	for (int i = 0; i < ROLES; i++)
		if (slice_eq(text, slice_str(role_names[i]))) {
			*role = (enum role)i;
			return 0;
		}
	return -1;
}

int
roles_parse(struct slice text, unsigned *roles)
{
	unsigned found = 0;
	struct slice one;
	enum role role;

	do {
		slice_cut(text, ',', &one, &text);
		if (role_parse(slice_trim(one), &role) == -1 || (found & ROLE_BIT(role)) != 0)
			return -1;
		found |= ROLE_BIT(role);
	} while (text.len > 0);
	*roles = found | ROLE_BIT(ROLE_READ);
	return 0;
}

const char *
roles_format(unsigned roles, char out[static ROLES_TEXT])
{
	struct buf text;

	buf_init_in(&text, out, ROLES_TEXT, ROLES_TEXT - 1);
	for (enum role role = ROLE_DECIDE; role < ROLES; role++)
		if ((roles & ROLE_BIT(role)) != 0)
			buf_add_strs(&text, text.len > 0 ? "," : "", role_names[role], NULL);
	if (text.len == 0)
		buf_add_str(&text, role_names[ROLE_READ]);
	return out;
}

bool
user_eq(const struct user *a, const struct user *b)
{
	return strcmp(a->name, b->name) == 0 && a->roles == b->roles && strcmp(a->hash, b->hash) == 0;
}

bool
user_name_ok(struct slice name)
{
	if (name.len == 0 || name.len > USER_NAME_MAX || !(ascii_is_alpha(*name.p) || ascii_is_digit(*name.p)))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
		    (name.p[i] == '\0' || strchr("._-@", name.p[i]) == NULL))
			return false;
	return true;
}

static bool
hash_ok(struct slice hash)
{
	static const char *const kinds[] = { "$y$", "$2b$", "$6$" };

	if (hash.len == 0 || hash.len > USER_HASH_MAX)
		return false;
	for (size_t i = 0; i < hash.len; i++)
		if (hash.p[i] <= ' ' || hash.p[i] > '~' || hash.p[i] == ':')
			return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (slice_starts(hash, slice_str(kinds[i])))
			return true;
	return false;
}

/* ---- the file ---- */

/* What is wrong with LINE as a user, who goes to OUT; NULL: nothing. */
static const char *
read_user(struct slice line, struct user *out)
{
	struct slice name, role, hash;

	if (!slice_cut(line, ':', &name, &line) || !slice_cut(line, ':', &role, &hash))
		return "a line is name:role:hash";
	if (!user_name_ok(name))
		return "a name has letters, digits, and \"._-@\" behind the first";
	if (roles_parse(role, &out->roles) == -1)
		return "a role is read, decide, reveal, or the last two with a comma between";
	if (!hash_ok(hash))
		return "a hash is one of crypt(3): $y$, $2b$ or $6$";
	memcpy(out->name, name.p, name.len);
	memcpy(out->hash, hash.p, hash.len);
	out->name[name.len] = out->hash[hash.len] = '\0';
	return NULL;
}

static void
add_line(struct users *u, struct slice line, const char *path, unsigned n, struct diag *diag)
{
	struct user user;
	const char *wrong = u->n == USERS_MAX ? "too many users" : read_user(line, &user);

	if (wrong == NULL && users_find(u, slice_str(user.name)) != NULL)
		wrong = "this name is there twice";
	if (wrong != NULL)
		diag_add(diag, DIAG_ERROR, path, n, 1, "%s", wrong);
	else
		u->v[u->n++] = user;
}

int
private_file_read(const char *path, struct buf *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = -1;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || (st.st_mode & FILE_OTHERS) != 0))
		errno = EPERM;
	else if (st.st_size > (off_t)(out->max - out->len))
		errno = EFBIG;
	else if (buf_reserve(out, out->max - out->len) == 0)
		while ((n = read(fd, out->p + out->len, out->max - out->len)) > 0)
			out->len += (size_t)n;
	if (n == 0)
		out->p[out->len] = '\0';
	close(fd);
	return n == 0 ? 0 : -1;
}

const char *
private_file_error(int error)
{
	return error == EPERM ? "it must be a file of its owner alone (chmod 600)" : strerror(error);
}

struct users *
users_load(const char *path, struct diag *diag)
{
	struct users *u = calloc(1, sizeof(*u));
	size_t errors = diag->n_errors;
	struct slice line, rest;
	unsigned n = 0;
	struct buf text;

	buf_init(&text, FILE_MAX);
	if (u == NULL || private_file_read(path, &text) == -1)
		diag_error(diag, "%s: %s", path, private_file_error(errno));
	for (rest = buf_slice(&text); u != NULL && rest.len > 0;) {
		slice_cut(rest, '\n', &line, &rest);
		line = slice_trim(line);
		n++;
		if (line.len > 0 && *line.p != '#')
			add_line(u, line, path, n, diag);
	}
	if (text.cap > 0)
		OPENSSL_cleanse(text.p, text.cap);
	buf_fini(&text);
	if (diag->n_errors == errors)
		return u;
	users_free(u);
	return NULL;
}

void
users_free(struct users *u)
{
	free(u);
}

const struct user *
users_find(const struct users *u, struct slice name)
{
	for (size_t i = 0; i < u->n; i++)
		if (slice_eq(slice_str(u->v[i].name), name))
			return &u->v[i];
	return NULL;
}

/* ---- passwords ---- */

/* The hash of PASSWORD by SETTING into OUT.  -1 when it cannot be made. */
static int
make_hash(struct slice password, const char *setting, char out[static USER_HASH_MAX + 1])
{
	struct crypt_data *data;
	char text[PASSWORD_MAX + 1];
	const char *hash;
	int r = -1;

	if (password.len > PASSWORD_MAX || memchr(password.p, '\0', password.len) != NULL || (data = calloc(1, sizeof(*data))) == NULL)
		return -1;
	memcpy(text, password.p, password.len);
	text[password.len] = '\0';
	hash = crypt_r(text, setting, data);
	if (hash != NULL && *hash == '$' && strlen(hash) <= USER_HASH_MAX) {
		memcpy(out, hash, strlen(hash) + 1);
		r = 0;
	}
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return r;
}

const struct user *
users_check(const struct users *u, struct slice name, struct slice password)
{
	const struct user *user = users_find(u, name), *like = user != NULL ? user : u->n > 0 ? &u->v[0] : NULL;
	char hash[USER_HASH_MAX + 1];

	if (like == NULL || password.len == 0 || make_hash(password, like->hash, hash) == -1 || strlen(hash) != strlen(like->hash) ||
	    CRYPTO_memcmp(hash, like->hash, strlen(hash)) != 0)
		return NULL;
	return user;
}

/* The file's text with the line of USER in it, in the place of the one that he has had. */
static void
put_line(struct slice before, const struct user *user, struct buf *out)
{
	struct slice line, name;
	char roles[ROLES_TEXT];
	bool done = false;

	roles_format(user->roles, roles);
	while (before.len > 0) {
		slice_cut(before, '\n', &line, &before);
		if (slice_cut(slice_trim(line), ':', &name, NULL) && slice_eq(name, slice_str(user->name))) {
			if (!done)
				buf_add_strs(out, user->name, ":", roles, ":", user->hash, "\n", NULL);
			done = true;
			continue;
		}
		buf_add_slice(out, line);
		buf_add_char(out, '\n');
	}
	if (!done)
		buf_add_strs(out, user->name, ":", roles, ":", user->hash, "\n", NULL);
}

int
users_put(const char *path, struct slice name, unsigned roles, struct slice password, struct diag *diag)
{
	struct buf before, after;
	struct user user = { .roles = roles };
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	int r = -1;

	buf_init(&before, FILE_MAX);
	buf_init(&after, FILE_MAX);
	if (!user_name_ok(name))
		diag_error(diag, "a name has letters, digits, and \"._-@\" behind the first, %d at most", USER_NAME_MAX);
	else if (password.len < PASSWORD_MIN || password.len > PASSWORD_MAX)
		diag_error(diag, "a password has %d bytes at least and %d at most", PASSWORD_MIN, PASSWORD_MAX);
	else if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) == NULL || make_hash(password, setting, user.hash) == -1)
		diag_error(diag, "the password cannot be hashed");
	else if (private_file_read(path, &before) == -1 && errno != ENOENT)
		diag_error(diag, "%s: %s", path, private_file_error(errno));
	else {
		memcpy(user.name, name.p, name.len);
		put_line(buf_slice(&before), &user, &after);
		if (after.failed || file_write(path, buf_slice(&after), FILE_MODE) == -1)
			diag_error(diag, "%s: %s", path, after.failed ? "too long" : strerror(errno));
		else
			r = 0;
	}
	buf_fini(&before);
	buf_fini(&after);
	return r;
}
