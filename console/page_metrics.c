#include <arpa/inet.h>

#include <openssl/crypto.h>
#include <stdio.h>

#include "console/part.h"

/* Guesses at the token; a right one does not count. */
enum { TRIES = 20, INTERVAL_MS = 15 * 1000 };

static bool
is_loopback(const char *client)
{
	return strncmp(client, "127.", strlen("127.")) == 0 || strcmp(client, "::1") == 0;
}

/* The request is for this machine by that name: a page of somebody else's, whose name was made to lead here, has its own. */
static bool
is_for_loopback(struct slice host)
{
	struct slice name = host;
	char text[INET6_ADDRSTRLEN];
	struct in_addr four;

	if (host.len > 0 && *host.p == '[')
		return slice_eq(host, SLICE("[::1]")) || slice_starts(host, SLICE("[::1]:"));
	slice_cut(host, ':', &name, NULL);
	if (slice_ieq(name, SLICE("localhost")))
		return true;
	snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(slice_head(name, sizeof(text) - 1)));
	return inet_pton(AF_INET, text, &four) == 1 && is_loopback(text);
}

static bool
has_token(const struct console *c, const struct request *rq)
{
	struct slice scheme, token, wanted = slice_str(c->metrics_token);

	return slice_cut(rq->authorization, ' ', &scheme, &token) && slice_ieq(scheme, SLICE("Bearer")) &&
	    (token = slice_trim(token)).len == wanted.len && CRYPTO_memcmp(token.p, wanted.p, wanted.len) == 0;
}

/* 0, or the status that refuses. */
static unsigned
check(struct console *c, const struct request *rq)
{
	char key[sizeof("m:") + INET6_ADDRSTRLEN];

	if (*c->metrics_token == '\0')
		return rq->is_direct && is_loopback(rq->client) && is_for_loopback(rq->host) ? 0 : STATUS_FORBIDDEN;
	snprintf(key, sizeof(key), "m:%s", rq->client);
	if (limits_take(c->limits, slice_str(key), TRIES, INTERVAL_MS, rq->tick_ms) > 0)
		return STATUS_TOO_MANY;
	if (!has_token(c, rq))
		return STATUS_UNAUTHORIZED;
	limits_forgive(c->limits, slice_str(key), INTERVAL_MS);
	return 0;
}

void
page_metrics(struct console *c, const struct request *rq, struct answer *a)
{
	unsigned refused;

	if (c->o->metrics_rule == NULL) {
		answer_message(rq, a, STATUS_NOT_FOUND, W_NOT_THERE, W_NO_PAGE);
		return;
	}
	a->type = "text/plain; version=0.0.4; charset=utf-8";
	if ((refused = check(c, rq)) == 0 && c->o->metrics(c->o->arg, &a->body) == -1) {
		buf_reset(&a->body);
		refused = STATUS_TROUBLE;
	}
	if (refused != 0) {
		a->status = refused;
		buf_add_str(&a->body, refused == STATUS_TROUBLE ? "the metrics cannot be made\n" : "refused\n");
	}
}
