/* Pseudonyms: what a token is, who can open it, and that nobody without the key can make one. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "runtime/pseudonym_keys.h"
#include "t/tap.h"

static struct pseudonyms *
ring(int keys)
{
	struct diag diag = { 0 };
	struct pseudonyms *p;
	struct buf text;

	buf_init(&text, 1 << 16);
	for (int i = 0; i < keys; i++)
		pseudonyms_new_line(1800000000 + i, &text);
	p = pseudonyms_read(buf_slice(&text), "keys", &diag);
	buf_fini(&text);
	diag_fini(&diag);
	return p;
}

static const char *
token_of(const struct pseudonyms *p, enum pseudonym_kind kind, struct slice name)
{
	static char out[8][PSEUDONYM_TEXT];
	static int at;

	at = (at + 1) % 8;
	return pseudonym_make(p, kind, name, out[at]) > 0 ? out[at] : "";
}

static void
test_round_trip(const struct pseudonyms *p)
{
	static const struct { const char *idea; enum pseudonym_kind kind; struct slice name; const char *back; } rows[] = {
		{ "a user", PSEUDONYM_USER, { "ann", 3 }, "ann" },
		{ "one of 31 bytes", PSEUDONYM_USER, { "1234567890123456789012345678901", 31 }, "1234567890123456789012345678901" },
		{ "one of 32 bytes", PSEUDONYM_USER, { "12345678901234567890123456789012", 32 }, "12345678901234567890123456789012" },
		{ "a domain's", PSEUDONYM_USER, { "DOMAIN\\B\xc3\xb6""b", 11 }, "DOMAIN\\B\xc3\xb6""b" },
		{ "an address as a user", PSEUDONYM_USER, { "192.0.2.7", 9 }, "192.0.2.7" },
		{ "an address", PSEUDONYM_CLIENT, { "192.0.2.7", 9 }, "192.0.2.7" },
		{ "one of IPv6", PSEUDONYM_CLIENT, { "2001:DB8:0::7", 13 }, "2001:db8::7" },
		{ "one of IPv4 within", PSEUDONYM_CLIENT, { "::ffff:192.0.2.7", 16 }, "192.0.2.7" },
		{ "what is no address", PSEUDONYM_CLIENT, { "fe80::1%eth0", 12 }, "fe80::1%eth0" },
		{ "a mail address", PSEUDONYM_MAIL, { "joe@a.example", 13 }, "joe@a.example" },
		{ "bytes", PSEUDONYM_USER, { "\x80\x80\x01", 3 }, "\x80\x80\x01" },
		{ "nothing", PSEUDONYM_USER, { "", 0 }, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *token = token_of(p, rows[i].kind, rows[i].name);
		enum pseudonym_kind kind = PSEUDONYM_KINDS;
		struct buf out;

		buf_init(&out, 4096);
		buf_add_str(&out, "");
		is_int(pseudonym_open(p, slice_str(token), &kind, &out), PSEUDONYM_OPENED, rows[i].idea);
		is_slice(buf_slice(&out), slice_str(rows[i].back), rows[i].idea);
		ok(kind == rows[i].kind && pseudonym_is_token(slice_str(token), &kind) && kind == rows[i].kind, "%s: its kind", rows[i].idea);
		is_str(token_of(p, rows[i].kind, rows[i].name), token, "the same name is the same token");
		ok(i == 11 || pseudonym_is(p, slice_str(token), rows[i].kind, rows[i].name), "%s: it is that name's", rows[i].idea);
		/* A short one may stand in a token by chance. */
		ok(rows[i].name.len < 8 || strstr(token, rows[i].back) == NULL, "the name does not show");
		buf_fini(&out);
	}
}

/* What somebody without a key can see is a kind, a key's id, and a length: of few sizes. */
static void
test_lengths(const struct pseudonyms *p)
{
	static char name[PSEUDONYM_NAME_MAX + 100];
	size_t sizes = 0, last = 0;

	memset(name, 'x', sizeof(name));
	for (size_t n = 1; n <= sizeof(name); n++) {
		size_t len = strlen(token_of(p, PSEUDONYM_USER, slice_make(name, n)));

		sizes += len != last;
		last = len;
		if (n == 31)
			is_int((long long)sizes, 1, "all names up to 31 bytes have tokens of one length");
	}
	is_int((long long)sizes, 6, "six lengths in all");
	ok(last < PSEUDONYM_TEXT, "the longest fits");
	is_int((long long)strlen(token_of(p, PSEUDONYM_CLIENT, SLICE("10.0.0.1"))),
	    (long long)strlen(token_of(p, PSEUDONYM_CLIENT, SLICE("2001:db8:1111:2222:3333:4444:5555:6666"))), "one length for all addresses");
	is_str(token_of(p, PSEUDONYM_USER, slice_make(name, sizeof(name))), token_of(p, PSEUDONYM_USER, slice_make(name, PSEUDONYM_NAME_MAX)),
	    "what is longer is cut");
}

static enum pseudonym_opened
try(const struct pseudonyms *p, const char *text)
{
	enum pseudonym_kind kind;
	struct buf out;
	enum pseudonym_opened r;

	buf_init(&out, 4096);
	r = pseudonym_open(p, slice_str(text), &kind, &out);
	if (r != PSEUDONYM_OPENED)
		ok(out.len == 0, "what does not open shows nothing");
	buf_fini(&out);
	return r;
}

static void
test_forged(const struct pseudonyms *p)
{
	const char *token = token_of(p, PSEUDONYM_CLIENT, SLICE("192.0.2.7"));
	struct pseudonyms *other = ring(1);
	char text[PSEUDONYM_TEXT + 8];
	size_t opened = 0, len = strlen(token);
	enum pseudonym_kind kind;

	for (size_t i = 0; i < len; i++)
		for (const char *c = "a7z-2"; *c != '\0'; c++) {
			strcpy(text, token);
			text[i] = *c;
			opened += *c != token[i] && try(p, text) == PSEUDONYM_OPENED;
		}
	is_int((long long)opened, 0, "no other character anywhere opens");
	for (size_t i = 0; i < len; i++) {
		memcpy(text, token, i);
		text[i] = '\0';
		opened += try(p, text) == PSEUDONYM_OPENED;
	}
	snprintf(text, sizeof(text), "%sa", token);
	is_int((long long)opened + (try(p, text) == PSEUDONYM_OPENED), 0, "nor one that is shorter or longer");
	is_int(try(other, token), PSEUDONYM_NO_KEY, "another key says that it is not the one");
	snprintf(text, sizeof(text), "client-%s-%s", pseudonyms_id(other, 0), token + sizeof("client-12345678"));
	is_int(try(other, text), PSEUDONYM_FORGED, "and does not open what is said to be its own");
	snprintf(text, sizeof(text), "user%s", token + 6);
	ok(try(p, text) != PSEUDONYM_OPENED, "a client's token is none of a user");
	token = token_of(p, PSEUDONYM_USER, SLICE("joe@a.example"));
	snprintf(text, sizeof(text), "mail%s", token + 4);
	is_int(try(p, text), PSEUDONYM_FORGED, "nor a user's one of mail");
	ok(!pseudonym_is(p, slice_str(token), PSEUDONYM_USER, slice_str(token)), "who calls himself as a token is not who it is of");
	ok(!pseudonym_is(NULL, slice_str(token), PSEUDONYM_USER, SLICE("joe@a.example")), "nobody is anybody without keys");
	for (char *c = strcpy(text, token); *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
	is_int(try(p, text), PSEUDONYM_OPENED, "it may be typed in capitals");
	ok(pseudonym_is_token(SLICE("user-unavailable"), &kind) && kind == PSEUDONYM_USER && try(p, "user-unavailable") == PSEUDONYM_NO_TOKEN,
	    "what stands there without a key is a token that never opens");
	ok(!pseudonym_is_token(SLICE("user-x"), &kind) && !pseudonym_is_token(SLICE(""), &kind) && !pseudonym_is_token(SLICE("user"), &kind),
	    "others are none");
	pseudonyms_free(other);
}

static void
test_rotation(void)
{
	struct diag diag = { 0 };
	struct pseudonyms *one, *two;
	char old[PSEUDONYM_TEXT], new[PSEUDONYM_TEXT];
	struct buf text;

	buf_init(&text, 1 << 16);
	pseudonyms_new_line(1, &text);
	one = pseudonyms_read(buf_slice(&text), "keys", &diag);
	pseudonym_make(one, PSEUDONYM_USER, SLICE("ann"), old);
	pseudonyms_new_line(2, &text);
	two = pseudonyms_read(buf_slice(&text), "keys", &diag);
	pseudonym_make(two, PSEUDONYM_USER, SLICE("ann"), new);
	ok(strcmp(old, new) != 0 && strncmp(new + 5, pseudonyms_id(two, 1), PSEUDONYM_ID) == 0, "the newest key makes tokens");
	is_int(try(two, old), PSEUDONYM_OPENED, "the old one still opens its own");
	ok(pseudonym_is(two, slice_str(old), PSEUDONYM_USER, SLICE("ann")), "and still says who it is");
	is_int(try(one, new), PSEUDONYM_NO_KEY, "who has only the old one does not open the new");
	pseudonyms_free(one);
	pseudonyms_free(two);
	buf_reserve(&text, text.len);		/* what is appended must not move */
	buf_add_slice(&text, buf_slice(&text));
	ok(pseudonyms_read(buf_slice(&text), "keys", &diag) == NULL, "a key twice is refused");
	ok(pseudonyms_read(slice_head(buf_slice(&text), 100), "keys", &diag) == NULL, "half a line is refused");
	text.p[20] = text.p[20] == 'a' ? 'b' : 'a';
	diag_fini(&diag);
	ok(pseudonyms_read(buf_slice(&text), "keys", &diag) == NULL && strstr(diag_first_error(&diag), "damaged") != NULL,
	    "a damaged key is refused");
	ok(slice_search(slice_str(diag_first_error(&diag)), slice_make(text.p + 13, 16)) == strlen(diag_first_error(&diag)), "and not shown");
	ok(pseudonyms_read(SLICE("# none\n"), "keys", &diag) == NULL && ring(17) == NULL, "no key, and too many, are refused");
	diag_fini(&diag);
	buf_fini(&text);
}

/* ---- the file ---- */

static void
test_file(const char *state)
{
	struct diag diag = { 0 };
	char folder[256], file[256], moved[256];
	bool absent, made;
	struct pseudonyms *p;
	struct stat st;
	struct buf text;

	snprintf(folder, sizeof(folder), "%s/private", state);
	snprintf(file, sizeof(file), "%s/" STATE_KEYS, state);
	snprintf(moved, sizeof(moved), "%s/moved", state);
	ok(pseudonym_keys_load(state, &absent, &diag) == NULL && absent, "no key yet");
	p = pseudonym_keys_need(state, 1800000000, &made, &diag);
	ok(p != NULL && made, "the first one is made");
	pseudonyms_free(p);
	ok(stat(file, &st) == 0 && (st.st_mode & 07777) == 0600 && stat(folder, &st) == 0 && (st.st_mode & 07777) == 0700, "for nobody else");
	p = pseudonym_keys_need(state, 1800000001, &made, &diag);
	ok(p != NULL && !made && pseudonyms_n(p) == 1 && pseudonyms_made(p, 0) == 1800000000, "and only once");
	pseudonyms_free(p);
	is_int(pseudonym_keys_add(state, 1800000002, &diag), 0, "another one");
	p = pseudonym_keys_load(state, &absent, &diag);
	ok(p != NULL && pseudonyms_n(p) == 2, "stands beside it");
	pseudonyms_free(p);

	chmod(file, 0640);
	ok(pseudonym_keys_load(state, &absent, &diag) == NULL && !absent, "a file that others may read is not believed");
	ok(pseudonym_keys_need(state, 1, &made, &diag) == NULL && !made, "nor replaced");
	chmod(file, 0600);
	chmod(folder, 0750);
	ok(pseudonym_keys_load(state, &absent, &diag) == NULL && !absent, "nor a folder");
	chmod(folder, 0700);
	ok(rename(file, moved) == 0 && symlink(moved, file) == 0 && pseudonym_keys_load(state, &absent, &diag) == NULL && !absent,
	    "nor a link");
	unlink(file);
	ok(link(moved, file) == 0 && pseudonym_keys_load(state, &absent, &diag) == NULL && !absent, "nor a second name");
	unlink(file);
	rename(moved, file);
	chmod(file, 0);
	ok(geteuid() == 0 || (pseudonym_keys_load(state, &absent, &diag) == NULL && !absent), "what cannot be read is not absent");
	chmod(file, 0600);
	buf_init(&text, 1 << 16);
	ok(file_read(file, &text) == 0 && file_write(file, slice_head(buf_slice(&text), text.len - 10), 0600) == 0 &&
	    pseudonym_keys_need(state, 1, &made, &diag) == NULL, "a damaged one is not replaced either");
	for (size_t i = 0; i < diag.n; i++)
		ok(slice_search(slice_str(diag.v[i].text), slice_make(text.p + text.len - 100, 32)) == strlen(diag.v[i].text),
		    "no key is in what is said");
	buf_fini(&text);
	diag_fini(&diag);
}

/* Workers that start together make one key. */
static void
test_race(const char *dir)
{
	enum { WORKERS = 16 };
	char state[256];
	int made = 0, status;
	struct diag diag = { 0 };
	bool absent;
	struct pseudonyms *p;

	snprintf(state, sizeof(state), "%s/race", dir);
	mkdir(state, 0755);
	for (int i = 0; i < WORKERS; i++)
		if (tap_fork() == 0) {
			bool mine = false;

			_exit(pseudonym_keys_need(state, i + 1, &mine, &diag) == NULL ? 2 : mine);
		}
	for (int i = 0; i < WORKERS; i++) {
		wait(&status);
		ok(WIFEXITED(status) && WEXITSTATUS(status) < 2, "a worker has a key");
		made += WEXITSTATUS(status);
	}
	is_int(made, 1, "one of them made it");
	p = pseudonym_keys_load(state, &absent, &diag);
	ok(p != NULL && pseudonyms_n(p) == 1, "there is one");
	pseudonyms_free(p);
	diag_fini(&diag);
}

int
main(void)
{
	struct pseudonyms *p = ring(1);
	char *dir = temp_dir();

	ok(p != NULL, "a key");
	test_round_trip(p);
	test_lengths(p);
	test_forged(p);
	pseudonyms_free(p);
	test_rotation();
	test_file(dir);
	test_race(dir);
	free(dir);
	return tap_done();
}
