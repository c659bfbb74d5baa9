#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"

/* What answering costs comes out of a budget of each user, so that nobody keeps the one thread for himself: at once he may have
 * BUDGET_MS / BUDGET_RATE, and in the long run one part in BUDGET_RATE of the time. */
enum { LANGUAGE_LIFE_S = 365 * 24 * 3600, BUDGET_MS = 5000, BUDGET_RATE = 2 };

/* Every page there is. */
static const struct route {
	const char	*path;
	page		*get, *post;		/* NULL: not by that method */
	bool		 open;			/* to those who are not logged in */
	enum role	 role;			/* that it takes */
} routes[] = {
	{ "/", page_search, NULL, false, ROLE_READ },
	{ "/incident", page_incident, NULL, false, ROLE_READ },
	{ "/except", NULL, page_except, false, ROLE_DECIDE },
	{ "/reveal", NULL, page_reveal, false, ROLE_REVEAL },
	{ "/reveals", page_reveals, page_decide, false, ROLE_REVEAL },
	{ "/today", page_today, NULL, false, ROLE_READ },
	{ "/alerts", page_alerts, NULL, false, ROLE_READ },
	{ "/alert", page_alert, NULL, false, ROLE_READ },
	{ "/sources", page_sources, NULL, false, ROLE_READ },
	{ "/proxies", page_proxies, NULL, false, ROLE_READ },
	{ "/login", page_login, page_log_in, true, ROLE_READ },
	{ "/logout", NULL, page_log_out, false, ROLE_READ },
	{ "/metrics", page_metrics, NULL, true, ROLE_READ },
};

void
answer_fini(struct answer *a)
{
	buf_fini(&a->body);
}

/* ---- what went wrong ---- */

static void
begin_message(const struct request *rq, struct answer *a, unsigned status, enum word_id title)
{
	buf_reset(&a->body);
	a->status = status;
	a->type = "text/html; charset=utf-8";
	html_begin(&a->body, rq, rq->words->text[title], "/");
	buf_add_str(&a->body, "<p>");
}

static void
end_message(const struct request *rq, struct answer *a)
{
	buf_add_strs(&a->body, "</p>\n<p><a href=\"", rq->session != NULL ? "/" : "/login", "\">", NULL);
	html_word(&a->body, rq, rq->session != NULL ? W_TO_SEARCH : W_TO_LOGIN);
	buf_add_str(&a->body, "</a></p>\n");
	html_end(&a->body, rq, rq->session != NULL ? "/" : "/login");
}

void
answer_message(const struct request *rq, struct answer *a, unsigned status, enum word_id title, enum word_id text)
{
	begin_message(rq, a, status, title);
	html_word(&a->body, rq, text);
	end_message(rq, a);
}

void
answer_trouble(const struct request *rq, struct answer *a, enum word_id title, const struct diag *diag)
{
	begin_message(rq, a, STATUS_TROUBLE, title);
	html_english(&a->body, rq, slice_str(diag_first_error(diag)), HTML_LONG);
	end_message(rq, a);
}

void
answer_go(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	buf_reset(&a->body);
	va_start(ap, fmt);
	vsnprintf(a->location, sizeof(a->location), fmt, ap);
	va_end(ap);
	a->status = STATUS_SEE_OTHER;
}

struct eventstore *
console_store(struct console *c, const struct request *rq, struct answer *a, bool *partial)
{
	struct diag diag = { 0 };
	int r = -1;

	if (c->store == NULL)
		c->store = eventstore_open(c->o->events, &diag);
	if (c->store != NULL)
		r = eventstore_update(c->store, &diag);
	*partial = r == 1;
	if (r == -1) {
		answer_trouble(rq, a, W_LOG_UNREADABLE, &diag);
		eventstore_close(c->store);
		c->store = NULL;
	}
	diag_fini(&diag);
	return c->store;
}

/* ---- cookies ---- */

const char *
cookie_name(const struct console *c, enum cookie cookie)
{
	static const char *const names[][2] = {
		[COOKIE_SESSION] = { "firebreak_session", "__Host-firebreak_session" },
		[COOKIE_LOGIN] = { "firebreak_login", "__Host-firebreak_login" },
		[COOKIE_LANGUAGE] = { "firebreak_language", "__Host-firebreak_language" },
	};

	return names[cookie][c->is_secure];
}

void
cookie_set(const struct console *c, char out[static COOKIE_MAX], enum cookie cookie, const char *value, int life_s)
{
	char life[sizeof("; Max-Age=") + DIGITS_MAX] = "";

	if (life_s != 0)
		snprintf(life, sizeof(life), "; Max-Age=%d", life_s < 0 ? 0 : life_s);
	snprintf(out, COOKIE_MAX, "%s=%s%s; Path=/; HttpOnly; SameSite=Strict%s", cookie_name(c, cookie), value, life,
	    c->is_secure ? "; Secure" : "");
}

/* ---- who may do what ---- */

bool
request_may(const struct request *rq, enum role role)
{
	return (rq->session->user.roles & ROLE_BIT(role)) != 0;
}

/* USER is still whom his session was for: as the file has him, or as the server that is trusted says. */
static bool
is_still(const struct console *c, const struct request *rq, const struct user *user)
{
	struct diag diag = { 0 };
	struct users *users;
	const struct user *now = NULL;
	bool same;

	if (rq->has_proxied || *user->hash == '\0')
		return rq->has_proxied && user_eq(&rq->proxied, user);
	if ((users = users_load(c->o->users, &diag)) != NULL)
		now = users_find(users, slice_str(user->name));
	same = now != NULL && user_eq(now, user);
	users_free(users);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return same;
}

/* The session of the cookie.  Whom a server that is trusted names gets one without more ado. */
static const struct session *
find_session(struct console *c, const struct request *rq, struct answer *a)
{
	struct slice token = cookie_get(rq->cookies, cookie_name(c, COOKIE_SESSION));
	const struct session *s = token.len > 0 ? sessions_find(c->sessions, token, rq->tick_ms) : NULL;

	if (s != NULL && !is_still(c, rq, &s->user)) {
		sessions_end(c->sessions, s);
		s = NULL;
	}
	if (s == NULL && rq->has_proxied && (s = sessions_begin(c->sessions, &rq->proxied, rq->tick_ms)) != NULL) {
		fprintf(stderr, "firebreak console: %s from %s: logged in by the server before this one\n", s->user.name, rq->client);
		cookie_set(c, a->cookie, COOKIE_SESSION, s->token, 0);
	}
	return s;
}

/* Browsers say where a request comes from; those that do not are told apart by the token alone. */
static bool
is_from_elsewhere(const struct request *rq)
{
	return rq->fetch_site.len > 0 && !slice_eq(rq->fetch_site, SLICE("same-origin")) && !slice_eq(rq->fetch_site, SLICE("none"));
}

/* Whoever is logged in has not ROUTE's role, and why that matters. */
static bool
lacks_role(const struct request *rq, const struct route *route, enum word_id *why)
{
	*why = route->role == ROLE_REVEAL ? W_MAY_NOT_REVEAL : W_MAY_NOT;
	return !request_may(rq, route->role);
}

/* A post of somebody who is logged in: whether it is refused, and why. */
static bool
is_refused(const struct request *rq, const struct route *route, enum word_id *why)
{
	*why = W_NOT_YOURS;
	if (is_from_elsewhere(rq) || !session_token_eq(form_get(&rq->fields, "token"), slice_str(rq->session->csrf)))
		return true;
	return lacks_role(rq, route, why);
}

static void
answer_post(struct console *c, const struct request *rq, const struct route *route, struct answer *a)
{
	enum word_id why = W_FROM_ELSEWHERE;
	bool refused;

	if (route->open)
		refused = is_from_elsewhere(rq);
	else if (rq->session == NULL) {
		answer_go(a, "/login");
		return;
	} else
		refused = is_refused(rq, route, &why);
	if (refused)
		answer_message(rq, a, STATUS_FORBIDDEN, W_REFUSED, why);
	else
		route->post(c, rq, a);
}

/* To the login, and from there back to the incident whose link was followed. */
static void
go_to_login(const struct request *rq, struct answer *a)
{
	char id[INCIDENT_LEN + 1];

	if (slice_eq(rq->path, SLICE("/incident")) && incident_parse(form_get(&rq->query, "id"), id) == INCIDENT_OK)
		answer_go(a, "/login?id=%s", id);
	else
		answer_go(a, "/login");
}

static void
answer_route(struct console *c, const struct request *rq, const struct route *route, struct answer *a)
{
	enum word_id why;

	if (rq->is_post ? route->post == NULL : !rq->is_get || route->get == NULL)
		answer_message(rq, a, STATUS_METHOD, W_NOT_LIKE_THIS, W_NO_METHOD);
	else if (rq->is_post)
		answer_post(c, rq, route, a);
	else if (!route->open && rq->session == NULL)
		go_to_login(rq, a);
	else if (!route->open && lacks_role(rq, route, &why))
		answer_message(rq, a, STATUS_FORBIDDEN, W_REFUSED, why);
	else
		route->get(c, rq, a);
}

/* Who follows a link to another language keeps it; a link on somebody else's page shows it once. */
static void
choose_language(const struct console *c, struct request *rq, struct answer *a)
{
	const struct words *wanted = words_find(form_get(&rq->query, "lang"));
	char tag[sizeof("xx")];

	if (wanted == NULL)
		return;
	rq->words = wanted;
	snprintf(tag, sizeof(tag), "%.*s", SLICE_ARGS(wanted->tag));
	if (!is_from_elsewhere(rq))
		cookie_set(c, a->language, COOKIE_LANGUAGE, tag, LANGUAGE_LIFE_S);
}

/* Answer by ROUTE, as long as the user's budget lasts: the others wait as long as it takes, whatever the processor does meanwhile.
 * What he decides is never put off. */
static void
answer_in_budget(struct console *c, const struct request *rq, const struct route *route, struct answer *a)
{
	char key[sizeof("b:") + USER_NAME_MAX];
	int64_t begun = clock_boot_ms();

	if (rq->session == NULL || rq->is_post) {
		answer_route(c, rq, route, a);
		return;
	}
	snprintf(key, sizeof(key), "b:%s", rq->session->user.name);
	if (limits_take(c->limits, slice_str(key), BUDGET_MS, 1, rq->tick_ms) > 0) {
		answer_message(rq, a, STATUS_TOO_MANY, W_TROUBLE, W_TOO_FAST);
		return;
	}
	answer_route(c, rq, route, a);
	limits_charge(c->limits, slice_str(key), BUDGET_RATE * (clock_boot_ms() - begun), rq->tick_ms);
}

void
console_answer(struct console *c, struct request *rq, struct answer *a)
{
	*a = (struct answer){ .status = STATUS_OK, .type = "text/html; charset=utf-8" };
	buf_init(&a->body, ANSWER_MAX);
	if (slice_eq(rq->path, SLICE("/style.css"))) {
		a->type = "text/css; charset=utf-8";
		buf_add_str(&a->body, html_style);
		return;
	}
	choose_language(c, rq, a);
	if (rq->bad_proxied) {
		answer_message(rq, a, STATUS_FORBIDDEN, W_REFUSED, W_BAD_PROXY_LOGIN);
		return;
	}
	/* What is scraped is nobody's visit. */
	if (!slice_eq(rq->path, SLICE("/metrics")))
		rq->session = find_session(c, rq, a);
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (slice_eq(rq->path, slice_str(routes[i].path))) {
			answer_in_budget(c, rq, &routes[i], a);
			if (a->body.failed)
				answer_message(rq, a, STATUS_TROUBLE, W_TOO_LONG, W_PAGE_TOO_LONG);
			return;
		}
	answer_message(rq, a, STATUS_NOT_FOUND, W_NOT_THERE, W_NO_PAGE);
}
