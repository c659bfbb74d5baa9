#include "eventstore/lookup.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(EAI_NONAME < 0 && EAI_AGAIN < 0, "LOOKUP_LATE is no error of getaddrinfo()");

struct lookup {
	char		*host, *port;
	struct addrinfo	 wanted;
	int		 done_fd;	/* can be read when there is an answer */
	atomic_int	 owners;	/* who waits, and the thread */
	atomic_bool	 done;		/* what follows is written */
	int		 error, saved;
	struct addrinfo	*all;
};

static void
leave(struct lookup *l)
{
	if (atomic_fetch_sub(&l->owners, 1) != 1)
		return;
	if (l->all != NULL)
		freeaddrinfo(l->all);
	if (l->done_fd != -1)
		close(l->done_fd);
	free(l->host);
	free(l->port);
	free(l);
}

static void *
ask(void *arg)
{
	const uint64_t one = 1;
	struct lookup *l = arg;

	l->error = getaddrinfo(l->host, l->port, &l->wanted, &l->all);
	l->saved = errno;
	if (l->error != 0)
		l->all = NULL;
	atomic_store(&l->done, true);
	while (write(l->done_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
	leave(l);
	return NULL;
}

/* Signals are for those who wait. */
static int
start(struct lookup *l)
{
	pthread_attr_t detached;
	pthread_t thread;
	sigset_t all, before;
	int error;

	if ((error = pthread_attr_init(&detached)) != 0)
		return error;
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	atomic_store(&l->owners, 2);
	error = pthread_create(&thread, &detached, ask, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	return error;
}

struct lookup *
lookup_new(const char *host, const char *port, bool datagrams)
{
	struct lookup *l = calloc(1, sizeof(*l));
	int error = ENOMEM;

	if (l == NULL)
		return NULL;
	l->wanted = (struct addrinfo){ .ai_socktype = datagrams ? SOCK_DGRAM : SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	l->host = strdup(host);
	l->port = strdup(port);
	l->done_fd = eventfd(0, EFD_CLOEXEC);
	if (l->done_fd == -1)
		error = errno;
	else if (l->host != NULL && l->port != NULL && (error = start(l)) == 0)
		return l;
	atomic_store(&l->owners, 1);
	leave(l);
	errno = error;
	return NULL;
}

int
lookup_wait(struct lookup *l, int ms, struct addrinfo **out)
{
	struct pollfd pfd = { .fd = l->done_fd, .events = POLLIN };

	if (!atomic_load(&l->done) && poll(&pfd, 1, ms) != 1)
		return LOOKUP_LATE;
	if (!atomic_load(&l->done))
		return LOOKUP_LATE;
	*out = l->all;
	l->all = NULL;
	errno = l->saved;
	return l->error;
}

void
lookup_free(struct lookup *l)
{
	if (l != NULL)
		leave(l);
}
