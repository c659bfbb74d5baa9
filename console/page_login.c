#include <arpa/inet.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "console/html.h"
#include "console/part.h"

/* A good one does not count.  Hashes are slow: all tries together are bounded as well. */
enum { TRIES_NAME = 5, TRIES_ADDRESS = 20, TRIES_ALL = 100, NAME_MS = 60 * 1000, ADDRESS_MS = 15 * 1000, ALL_MS = 1000,
	MS_PER_S = 1000 };

/* What the form's token is for the cookie COOKIE: who can plant a cookie in a browser does not know this. */
static void
make_form_token(const struct console *c, struct slice cookie, char out[static SESSION_TOKEN + 1])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	HMAC(EVP_sha256(), c->secret, sizeof(c->secret), (const uint8_t *)cookie.p, cookie.len, sum, &len);
	for (size_t i = 0; i < SESSION_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static bool
is_token(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (ascii_hex(text.p[i]) < 0)
			return false;
	return text.len == SESSION_TOKEN;
}

static void
write_form(struct console *c, const struct request *rq, struct answer *a, struct slice wanted, struct slice wrong)
{
	struct slice cookie = cookie_get(rq->cookies, cookie_name(c, COOKIE_LOGIN));
	char fresh[SESSION_TOKEN + 1] = "", token[SESSION_TOKEN + 1], id[INCIDENT_LEN + 1];
	struct buf *out = &a->body;

	if (!is_token(cookie)) {
		if (session_token(fresh) == -1) {
			answer_message(rq, a, STATUS_TROUBLE, W_TROUBLE, W_NO_RANDOM);
			return;
		}
		cookie = slice_str(fresh);
		cookie_set(c, a->cookie, COOKIE_LOGIN, fresh, 0);
	}
	make_form_token(c, cookie, token);
	html_begin(out, rq, rq->words->text[W_LOG_IN], "/login");
	if (wrong.len > 0) {
		buf_add_str(out, "<p class=\"say bad\" role=\"alert\">");
		buf_add_slice(out, wrong);
		buf_add_str(out, "</p>\n");
	}
	buf_add_str(out, "<form method=\"post\" action=\"/login\">");
	html_token(out, token);
	if (incident_parse(wanted, id) == INCIDENT_OK)
		buf_add_strs(out, "<input type=\"hidden\" name=\"id\" value=\"", id, "\">", NULL);
	buf_add_strs(out, "\n<div class=\"field\"><label for=\"name\">", rq->words->text[W_NAME], "</label>"
	    "<input id=\"name\" name=\"name\" maxlength=\"64\" "
	    "autocomplete=\"username\" autocapitalize=\"none\" required autofocus></div>\n"
	    "<div class=\"field\"><label for=\"password\">", rq->words->text[W_PASSWORD], "</label>"
	    "<input id=\"password\" name=\"password\" type=\"password\" maxlength=\"256\" "
	    "autocomplete=\"current-password\" required></div>\n<button>",
	    rq->words->text[W_LOG_IN], "</button></form>\n", NULL);
	html_end(out, rq, "/login");
}

/* The form again, with what was wrong. */
static void
refuse(struct console *c, const struct request *rq, struct answer *a, unsigned status, enum word_id wrong)
{
	a->status = status;
	write_form(c, rq, a, form_get(&rq->fields, "id"), slice_str(rq->words->text[wrong]));
}

void
page_login(struct console *c, const struct request *rq, struct answer *a)
{
	if (rq->session != NULL)
		answer_go(a, "/");
	else
		write_form(c, rq, a, form_get(&rq->query, "id"), SLICE(""));
}

/* ---- limits ---- */

/* Whom a try counts for: a name as it was typed, an address (of IPv6 the network that one customer has), and all. */
struct tries {
	char	name[USER_NAME_MAX + 3], address[INET6_ADDRSTRLEN + 3];
};

static void
make_keys(const struct request *rq, struct slice name, struct tries *t)
{
	enum { HOST_BYTES = 8 };
	char address[INET6_ADDRSTRLEN];
	struct in6_addr six;

	snprintf(address, sizeof(address), "%s", rq->client);
	if (inet_pton(AF_INET6, rq->client, &six) == 1) {
		memset(six.s6_addr + sizeof(six) - HOST_BYTES, 0, HOST_BYTES);
		inet_ntop(AF_INET6, &six, address, sizeof(address));
	}
	snprintf(t->name, sizeof(t->name), "n:%.*s", SLICE_ARGS(slice_head(name, USER_NAME_MAX)));
	snprintf(t->address, sizeof(t->address), "a:%s", address);
}

/* 0, or the milliseconds to wait. */
static int64_t
take_try(struct console *c, const struct request *rq, const struct tries *t)
{
	int64_t wait = limits_take(c->limits, slice_str(t->address), TRIES_ADDRESS, ADDRESS_MS, rq->tick_ms);

	if (wait == 0)
		wait = limits_take(c->limits, slice_str(t->name), TRIES_NAME, NAME_MS, rq->tick_ms);
	if (wait == 0)
		wait = limits_take(c->limits, SLICE("all"), TRIES_ALL, ALL_MS, rq->tick_ms);
	return wait;
}

static void
forgive(struct console *c, const struct tries *t)
{
	limits_forgive(c->limits, slice_str(t->address), ADDRESS_MS);
	limits_forgive(c->limits, slice_str(t->name), NAME_MS);
	limits_forgive(c->limits, SLICE("all"), ALL_MS);
}

/* ---- logging in ---- */

/* What a log of the system is told; a name that is none is not repeated. */
static void
say(const struct request *rq, struct slice name, const char *what)
{
	fprintf(stderr, "firebreak console: %.*s from %s: %s\n", SLICE_ARGS(user_name_ok(name) ? name : SLICE("?")), rq->client, what);
}

/* The session begins with a token of its own: what the browser came with is nothing. */
static void
begin(struct console *c, const struct request *rq, const struct user *user, struct answer *a)
{
	const struct session *s = sessions_begin(c->sessions, user, rq->tick_ms);
	char id[INCIDENT_LEN + 1];

	if (s == NULL) {
		answer_message(rq, a, STATUS_TROUBLE, W_TROUBLE, W_NO_RANDOM);
		return;
	}
	if (incident_parse(form_get(&rq->fields, "id"), id) == INCIDENT_OK)
		answer_go(a, "/incident?id=%s", id);
	else
		answer_go(a, "/");
	cookie_set(c, a->cookie, COOKIE_SESSION, s->token, 0);
}

static void
check(struct console *c, const struct request *rq, struct slice name, const struct tries *t, struct answer *a)
{
	struct diag diag = { 0 };
	struct users *users = users_load(c->o->users, &diag);
	const struct user *user = users != NULL ? users_check(users, name, form_get(&rq->fields, "password")) : NULL;

	say(rq, name, user != NULL ? "logged in" : "refused");
	if (user != NULL) {
		forgive(c, t);
		begin(c, rq, user, a);
	} else
		refuse(c, rq, a, STATUS_FORBIDDEN, W_LOGIN_WRONG);
	users_free(users);
	diag_print(&diag, stderr);
	diag_fini(&diag);
}

static void
tell_to_wait(struct console *c, const struct request *rq, int64_t wait_ms, struct answer *a)
{
	char seconds[WORDS_NUMBER];
	struct buf text;

	buf_init(&text, HTML_LONG);
	words_say(&text, rq->words, W_LOGIN_WAIT, words_number(rq->words, (uint64_t)wait_ms / MS_PER_S + 1, seconds), NULL);
	a->status = STATUS_TOO_MANY;
	write_form(c, rq, a, form_get(&rq->fields, "id"), buf_slice(&text));
	buf_fini(&text);
}

void
page_log_in(struct console *c, const struct request *rq, struct answer *a)
{
	struct slice name = form_get(&rq->fields, "name"), cookie = cookie_get(rq->cookies, cookie_name(c, COOKIE_LOGIN));
	char token[SESSION_TOKEN + 1];
	struct tries t;
	int64_t wait;

	make_form_token(c, cookie, token);
	if (!is_token(cookie) || !session_token_eq(form_get(&rq->fields, "token"), slice_str(token))) {
		refuse(c, rq, a, STATUS_FORBIDDEN, W_LOGIN_OLD);
		return;
	}
	make_keys(rq, name, &t);
	if ((wait = take_try(c, rq, &t)) == 0) {
		check(c, rq, name, &t, a);
		return;
	}
	say(rq, name, "too many tries");
	tell_to_wait(c, rq, wait, a);
}

void
page_log_out(struct console *c, const struct request *rq, struct answer *a)
{
	say(rq, slice_str(rq->session->user.name), "logged out");
	sessions_end(c->sessions, rq->session);
	answer_go(a, "/login");
	cookie_set(c, a->cookie, COOKIE_SESSION, "", -1);
}
