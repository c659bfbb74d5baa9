#include <arpa/inet.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "console/html.h"
#include "console/part.h"

#define COOKIE_FLAGS	"; Path=/; HttpOnly; SameSite=Strict"
#define LOGIN_COOKIE	"firebreak_login"

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
write_form(struct console *c, const struct request *rq, struct answer *a, struct slice wanted, const char *wrong)
{
	struct slice cookie = cookie_get(rq->cookies, LOGIN_COOKIE);
	char fresh[SESSION_TOKEN + 1] = "", token[SESSION_TOKEN + 1], id[INCIDENT_LEN + 1];
	struct buf *out = &a->body;

	if (!is_token(cookie)) {
		if (session_token(fresh) == -1) {
			answer_message(rq, a, STATUS_TROUBLE, "Trouble", SLICE("There are no random numbers."));
			return;
		}
		cookie = slice_str(fresh);
		snprintf(a->cookie, sizeof(a->cookie), LOGIN_COOKIE "=%s" COOKIE_FLAGS, fresh);
	}
	make_form_token(c, cookie, token);
	html_begin(out, "Log in", "/login", NULL);
	if (wrong != NULL)
		buf_add_strs(out, "<p class=\"say bad\" role=\"alert\">", wrong, "</p>\n", NULL);
	buf_add_str(out, "<form method=\"post\" action=\"/login\">");
	html_token(out, token);
	if (incident_parse(wanted, id) == INCIDENT_OK)
		buf_add_strs(out, "<input type=\"hidden\" name=\"id\" value=\"", id, "\">", NULL);
	buf_add_str(out, "\n<div class=\"field\"><label for=\"name\">Name</label><input id=\"name\" name=\"name\" maxlength=\"64\" "
	    "autocomplete=\"username\" autocapitalize=\"none\" required autofocus></div>\n"
	    "<div class=\"field\"><label for=\"password\">Password</label><input id=\"password\" name=\"password\" type=\"password\" "
	    "maxlength=\"256\" autocomplete=\"current-password\" required></div>\n<button>Log in</button></form>\n");
	html_end(out);
}

void
page_login(struct console *c, const struct request *rq, struct answer *a)
{
	if (rq->session != NULL)
		answer_go(a, "/");
	else
		write_form(c, rq, a, form_get(&rq->query, "id"), NULL);
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
		answer_message(rq, a, STATUS_TROUBLE, "Trouble", SLICE("There are no random numbers."));
		return;
	}
	if (incident_parse(form_get(&rq->fields, "id"), id) == INCIDENT_OK)
		answer_go(a, "/incident?id=%s", id);
	else
		answer_go(a, "/");
	snprintf(a->cookie, sizeof(a->cookie), SESSION_COOKIE "=%s" COOKIE_FLAGS, s->token);
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
	} else {
		a->status = STATUS_FORBIDDEN;
		write_form(c, rq, a, form_get(&rq->fields, "id"), "Name or password is wrong.");
	}
	users_free(users);
	diag_print(&diag, stderr);
	diag_fini(&diag);
}

void
page_log_in(struct console *c, const struct request *rq, struct answer *a)
{
	struct slice name = form_get(&rq->fields, "name"), cookie = cookie_get(rq->cookies, LOGIN_COOKIE);
	char token[SESSION_TOKEN + 1], text[sizeof("Too many tries. Please wait 9223372036854775807 seconds.")];
	struct tries t;
	int64_t wait;

	make_form_token(c, cookie, token);
	if (!is_token(cookie) || !session_token_eq(form_get(&rq->fields, "token"), slice_str(token))) {
		a->status = STATUS_FORBIDDEN;
		write_form(c, rq, a, form_get(&rq->fields, "id"), "This form was too old, or your browser keeps no cookies. Please try again.");
		return;
	}
	make_keys(rq, name, &t);
	if ((wait = take_try(c, rq, &t)) == 0) {
		check(c, rq, name, &t, a);
		return;
	}
	say(rq, name, "too many tries");
	a->status = STATUS_TOO_MANY;
	snprintf(text, sizeof(text), "Too many tries. Please wait %lld seconds.", (long long)(wait / MS_PER_S + 1));
	write_form(c, rq, a, form_get(&rq->fields, "id"), text);
}

void
page_log_out(struct console *c, const struct request *rq, struct answer *a)
{
	say(rq, slice_str(rq->session->user.name), "logged out");
	sessions_end(c->sessions, rq->session);
	answer_go(a, "/login");
	snprintf(a->cookie, sizeof(a->cookie), SESSION_COOKIE "=; Max-Age=0" COOKIE_FLAGS);
}
