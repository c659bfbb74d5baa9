#include <stdarg.h>
#include <stdio.h>

#include "console/html.h"
#include "console/part.h"
#include "runtime/state.h"


/* Every page there is. */
static const struct route {
	const char	*path;
	page		*get, *post;		/* NULL: not by that method */
	bool		 open;			/* to those who are not logged in */
	enum role	 role;			/* that posting takes */
} routes[] = {
	{ "/", page_search, NULL, false, ROLE_READ },
	{ "/incident", page_incident, NULL, false, ROLE_READ },
	{ "/except", NULL, page_except, false, ROLE_DECIDE },
	{ "/today", page_today, NULL, false, ROLE_READ },
	{ "/sources", page_sources, NULL, false, ROLE_READ },
	{ "/login", page_login, page_log_in, true, ROLE_READ },
	{ "/logout", NULL, page_log_out, false, ROLE_READ },
};

void
answer_fini(struct answer *a)
{
	buf_fini(&a->body);
}

void
answer_message(const struct request *rq, struct answer *a, unsigned status, const char *title, struct slice text)
{
	buf_reset(&a->body);
	a->status = status;
	html_begin(&a->body, title, "", rq->session);
	buf_add_str(&a->body, "<p>");
	html_text(&a->body, text, HTML_LONG);
	buf_add_strs(&a->body, "</p>\n<p><a href=\"", rq->session != NULL ? "/\">To the search" : "/login\">To the login", "</a></p>\n",
	    NULL);
	html_end(&a->body);
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
		answer_message(rq, a, STATUS_TROUBLE, "The event log cannot be read", slice_str(diag_first_error(&diag)));
		eventstore_close(c->store);
		c->store = NULL;
	}
	diag_fini(&diag);
	return c->store;
}

/* ---- who may do what ---- */

/* The session of the cookie, if its user is still in the file as he was when he logged in.  When that cannot be read, nobody is. */
static const struct session *
find_session(struct console *c, const struct request *rq)
{
	const struct session *s = sessions_find(c->sessions, cookie_get(rq->cookies, SESSION_COOKIE), rq->tick_ms);
	const struct user *user = NULL;
	struct diag diag = { 0 };
	struct users *users;

	if (s == NULL)
		return NULL;
	if ((users = users_load(c->o->users, &diag)) != NULL)
		user = users_find(users, slice_str(s->user.name));
	if (user == NULL || !user_eq(user, &s->user)) {
		sessions_end(c->sessions, s);
		s = NULL;
	}
	users_free(users);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return s;
}

/* Browsers say where a request comes from; those that do not are told apart by the token alone. */
static bool
is_from_elsewhere(const struct request *rq)
{
	return rq->fetch_site.len > 0 && !slice_eq(rq->fetch_site, SLICE("same-origin")) && !slice_eq(rq->fetch_site, SLICE("none"));
}

/* A post of somebody who is logged in: NULL, or why it is refused. */
static const char *
refuse_post(const struct request *rq, const struct route *route)
{
	if (is_from_elsewhere(rq) || !session_token_eq(form_get(&rq->fields, "token"), slice_str(rq->session->csrf)))
		return "This form is not one of yours, or it is from before you logged in.  Nothing was done.  Please load the page again.";
	return rq->session->user.role < route->role ? "Your role may look, but not decide.  Nothing was done." : NULL;
}

static void
answer_post(struct console *c, const struct request *rq, const struct route *route, struct answer *a)
{
	const char *refused = NULL;

	if (route->open)
		refused = is_from_elsewhere(rq) ? "This form is from elsewhere.  Nothing was done." : NULL;
	else if (rq->session == NULL) {
		answer_go(a, "/login");
		return;
	} else
		refused = refuse_post(rq, route);
	if (refused != NULL)
		answer_message(rq, a, STATUS_FORBIDDEN, "Refused", slice_str(refused));
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
	if (rq->is_post ? route->post == NULL : !rq->is_get || route->get == NULL)
		answer_message(rq, a, STATUS_METHOD, "Not like this", SLICE("This page does not take that method."));
	else if (rq->is_post)
		answer_post(c, rq, route, a);
	else if (!route->open && rq->session == NULL)
		go_to_login(rq, a);
	else
		route->get(c, rq, a);
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
	rq->session = find_session(c, rq);
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (slice_eq(rq->path, slice_str(routes[i].path))) {
			answer_route(c, rq, &routes[i], a);
			if (a->body.failed)
				answer_message(rq, a, STATUS_TROUBLE, "Too long", SLICE("There is too much to be shown on one page."));
			return;
		}
	answer_message(rq, a, STATUS_NOT_FOUND, "Not there", SLICE("There is no such page."));
}
