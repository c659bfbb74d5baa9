#include "console/session.h"

#include <sys/random.h>

#include <openssl/crypto.h>
#include <stdlib.h>

struct sessions {
	struct session	v[SESSIONS_MAX];
};

struct sessions *
sessions_new(void)
{
	return calloc(1, sizeof(struct sessions));
}

void
sessions_free(struct sessions *s)
{
	if (s != NULL)
		OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

int
session_token(char out[static SESSION_TOKEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[SESSION_BYTES];

	if (getentropy(bytes, sizeof(bytes)) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = hex[bytes[i] >> 4];
		out[2 * i + 1] = hex[bytes[i] & 15];
	}
	out[SESSION_TOKEN] = '\0';
	return 0;
}

bool
session_token_eq(struct slice a, struct slice b)
{
	return a.len == SESSION_TOKEN && b.len == SESSION_TOKEN && CRYPTO_memcmp(a.p, b.p, SESSION_TOKEN) == 0;
}

static void
clear(struct session *session)
{
	OPENSSL_cleanse(session, sizeof(*session));
}

static bool
is_over(const struct session *session, int64_t now_ms)
{
	return now_ms - session->seen_ms >= SESSION_IDLE_MS || now_ms - session->begun_ms >= SESSION_LIFE_MS;
}

/* Where a session of USER goes: in his oldest one's place when he has enough, else in a free one, else in that which was not used
 * for the longest time. */
static struct session *
choose_place(struct sessions *s, const struct user *user)
{
	struct session *own = NULL, *place = &s->v[0];
	size_t n = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *at = &s->v[i];

		if (*at->token != '\0' && strcmp(at->user.name, user->name) == 0) {
			n++;
			if (own == NULL || at->begun_ms < own->begun_ms)
				own = at;
		}
		if (*place->token != '\0' && (*at->token == '\0' || at->seen_ms < place->seen_ms))
			place = at;
	}
	return n >= SESSIONS_EACH ? own : place;
}

const struct session *
sessions_begin(struct sessions *s, const struct user *user, int64_t now_ms)
{
	struct session *place, fresh = { .user = *user, .begun_ms = now_ms, .seen_ms = now_ms };

	if (session_token(fresh.token) == -1 || session_token(fresh.csrf) == -1)
		return NULL;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (*s->v[i].token != '\0' && is_over(&s->v[i], now_ms))
			clear(&s->v[i]);
	place = choose_place(s, user);
	*place = fresh;
	return place;
}

const struct session *
sessions_find(struct sessions *s, struct slice token, int64_t now_ms)
{
	struct session *found = NULL;

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (*s->v[i].token != '\0' && session_token_eq(slice_make(s->v[i].token, SESSION_TOKEN), token))
			found = &s->v[i];
	if (found != NULL && is_over(found, now_ms)) {
		clear(found);
		found = NULL;
	}
	if (found != NULL)
		found->seen_ms = now_ms;
	return found;
}

void
sessions_end(struct sessions *s, const struct session *session)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (&s->v[i] == session)
			clear(&s->v[i]);
}
