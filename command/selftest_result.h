/* selftest_result.h - how the last "firebreak selftest" ended: for status, metrics and the doctor.
 *
 * An object in STATE/runtime/selftest, replaced as a whole: "time", "good", and what goes with them. */
#ifndef COMMAND_SELFTEST_RESULT_H
#define COMMAND_SELFTEST_RESULT_H

#include <jansson.h>

#include "command/call.h"

/* SELFTEST_OLD_S: what asks every few minutes has not asked for so long. */
enum { SELFTEST_WORDS = 200, SELFTEST_OLD_S = 3600 };

struct selftest_result {
	bool	known;			/* there was one, and it can be read */
	bool	good;
	int64_t	time, good_time;	/* seconds: of the last one, and of the last good one; 0 = none */
	double	plain_s;		/* how long a plain request took; 0: none was made */
	char	bad[SELFTEST_WORDS];	/* "held, cut" */
};

/* Read it.  What is not there, or is damaged, is not known. */
void selftest_result_read(const char *state, struct selftest_result *out);

/* Write it.  -1 with errno. */
int selftest_result_write(const char *state, const struct selftest_result *r);

/* Forget it: nobody is to be told that no more are made. */
void selftest_result_forget(const char *state);

/* Whoever set up a selftest has to look: the last one was not good, or none was made for long. */
bool selftest_result_is_wrong(const struct selftest_result *r, int64_t now);

/* "Selftest    good, 3 min ago", or what is wrong, loudly; nothing when none was made. */
void selftest_result_print(const struct selftest_result *r, int64_t now);

/* As an object. */
json_t *selftest_result_json(const struct selftest_result *r);

#endif
