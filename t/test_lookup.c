/* The bound on how long a name may take: getaddrinfo() is this file's own, which answers when it is told to. */
#include "eventstore/lookup.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "t/tap.h"

enum { SOON_MS = 20, LONG_MS = 60 * 1000 };

static sem_t go, gone;

/* "slow" waits until it may go; "none" is nobody's; "broken" is an error of the system; anything else has an address. */
int
getaddrinfo(const char *host, const char *port, const struct addrinfo *wanted, struct addrinfo **out)
{
	struct addrinfo *a;

	(void)port;
	if (strcmp(host, "slow") == 0) {
		while (sem_wait(&go) == -1)
			;
		sem_post(&gone);
	}
	if (strcmp(host, "none") == 0)
		return EAI_NONAME;
	if (strcmp(host, "broken") == 0)
		return errno = EMFILE, EAI_SYSTEM;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		abort();
	a->ai_socktype = wanted->ai_socktype;
	*out = a;
	return 0;
}

void
freeaddrinfo(struct addrinfo *a)
{
	free(a);
}

static void
test_answers(void)
{
	struct addrinfo *a = NULL;
	struct lookup *l = lookup_new("quick", "514", true);

	ok(lookup_wait(l, LONG_MS, &a) == 0 && a != NULL && a->ai_socktype == SOCK_DGRAM, "an address comes");
	freeaddrinfo(a);
	lookup_free(l);
	l = lookup_new("none", "514", false);
	ok(lookup_wait(l, LONG_MS, &a) == EAI_NONAME, "a name that nobody has");
	lookup_free(l);
	l = lookup_new("broken", "514", false);
	ok(lookup_wait(l, LONG_MS, &a) == EAI_SYSTEM && errno == EMFILE, "an error of the system, and which");
	lookup_free(l);
	lookup_free(NULL);
}

static void
test_late(void)
{
	struct addrinfo *a = NULL;
	struct lookup *l = lookup_new("slow", "514", false);

	ok(lookup_wait(l, SOON_MS, &a) == LOOKUP_LATE, "one that hangs is not waited for");
	ok(lookup_wait(l, 0, &a) == LOOKUP_LATE, "nor the second time");
	sem_post(&go);
	ok(lookup_wait(l, LONG_MS, &a) == 0 && a != NULL && a->ai_socktype == SOCK_STREAM, "when it comes it can still be had");
	freeaddrinfo(a);
	lookup_free(l);
	sem_wait(&gone);
	l = lookup_new("slow", "514", false);
	ok(lookup_wait(l, SOON_MS, &a) == LOOKUP_LATE, "another one");
	lookup_free(l);
	sem_post(&go);
	sem_wait(&gone);
	ok(true, "one that nobody waits for any more ends by itself");
}

int
main(void)
{
	sem_init(&go, 0, 0);
	sem_init(&gone, 0, 0);
	test_answers();
	test_late();
	return tap_done();
}
