/* session.h - who is logged in: a table in memory, which a restart empties.
 *
 *	token	256 random bits, in the browser's cookie
 *	csrf	256 others, in every form: who only makes a browser send its cookie does not know them
 *
 * A session ends when nothing was asked for a while, and after a time in any case.  Moments are milliseconds of any clock that
 * never goes back.  The table is bounded: who logs in once more than SESSIONS_EACH ends his own oldest one, and the longest unused
 * goes when it is full.  One thread. */
#ifndef CONSOLE_SESSION_H
#define CONSOLE_SESSION_H

#include "base/slice.h"
#include "console/users.h"

enum { SESSION_BYTES = 32, SESSION_TOKEN = 2 * SESSION_BYTES, SESSIONS_MAX = 256, SESSIONS_EACH = 8 };
enum { SESSION_IDLE_MS = 30 * 60 * 1000, SESSION_LIFE_MS = 10 * 3600 * 1000 };

struct session {
	char	token[SESSION_TOKEN + 1];	/* empty: free */
	char	csrf[SESSION_TOKEN + 1];
	struct user user;			/* as the file, or the proxy, had him: who changed since is not logged in any more */
	int64_t	begun_ms, seen_ms;
};

struct sessions;

/* An empty table; NULL without memory. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

/* Begin a session of USER at NOW_MS with a token of its own, whatever cookie he came with.  Borrowed until the next call that
 * begins one.  NULL when the system has no random numbers. */
const struct session *sessions_begin(struct sessions *s, const struct user *user, int64_t now_ms);

/* The session of TOKEN, which is used now; NULL when there is none, or it has ended.  Takes the same time for every token. */
const struct session *sessions_find(struct sessions *s, struct slice token, int64_t now_ms);

/* End SESSION, which sessions_find() or sessions_begin() gave. */
void sessions_end(struct sessions *s, const struct session *session);

/* 256 random bits in hexadecimal into OUT; -1 with errno. */
int session_token(char out[static SESSION_TOKEN + 1]);

/* A and B are the same token; both have the right length.  Takes the same time wherever they differ. */
bool session_token_eq(struct slice a, struct slice b);

#endif
