#include "command/purge.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

enum { REQUEST_MAX = 512 * 1024, ANSWER_MAX = 64, STATUS_AT = sizeof("HTTP/1.1 ") - 1, STATUS_LEN = 3 };

int
purge_open(struct purge *p, const char *squid, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(squid, ':');
	struct slice host = slice_make(squid, colon == NULL ? 0 : (size_t)(colon - squid));
	char *name;
	int r;

	*p = (struct purge){ 0 };
	*why = "HOST:PORT is expected";
	if (host.len > 1 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = slice_make(host.p + 1, host.len - 2);
	if (host.len == 0 || colon[1] == '\0' || (name = slice_dup(host)) == NULL)
		return -1;
	r = getaddrinfo(name, colon + 1, &hints, &p->addresses);
	free(name);
	if (r != 0)
		*why = gai_strerror(r);
	return r == 0 ? 0 : -1;
}

void
purge_close(struct purge *p)
{
	if (p->addresses != NULL)
		freeaddrinfo(p->addresses);
	p->addresses = NULL;
}

bool
purge_possible(struct slice url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.p[i] <= ' ' || url.p[i] >= 0x7f)
			return false;
	return (slice_istarts(url, SLICE("http://")) || slice_istarts(url, SLICE("https://"))) && url.p[url.len - 1] != '?' &&
	    url.len < REQUEST_MAX / 4;
}

static int
connect_to(const struct purge *p)
{
	const struct timeval wait = { .tv_sec = PURGE_TIMEOUT_S };

	for (const struct addrinfo *a = p->addresses; a != NULL; a = a->ai_next) {
		int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol), error;

		if (fd == -1)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
			return fd;
		error = errno;
		close(fd);
		errno = error;
	}
	return -1;
}

/* The status of the answer that FD gives. */
static int
read_status(int fd)
{
	char answer[ANSWER_MAX];
	size_t len = 0;
	uint64_t status;

	while (len < STATUS_AT + STATUS_LEN) {
		ssize_t n = recv(fd, answer + len, sizeof(answer) - len, 0);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? (errno = EPROTO, -1) : -1;
		len += (size_t)n;
	}
	if (!slice_starts(slice_make(answer, len), SLICE("HTTP/1.")) ||
	    slice_u64(slice_make(answer + STATUS_AT, STATUS_LEN), &status) == -1)
		return errno = EPROTO, -1;
	return (int)status;
}

/* The authority in URL, without who asks. */
static struct slice
authority_of(struct slice url)
{
	struct slice rest = slice_skip(url, slice_search(url, SLICE("://")) + 3), authority = rest;
	size_t end = 0;

	while (end < rest.len && strchr("/?#", rest.p[end]) == NULL)
		end++;
	authority = slice_head(rest, end);
	while (slice_find(authority, '@') < authority.len)
		authority = slice_skip(authority, slice_find(authority, '@') + 1);
	return authority;
}

int
purge_url(const struct purge *p, struct slice url)
{
	int fd = connect_to(p), status = -1, error;
	struct buf request;

	if (fd == -1)
		return -1;
	buf_init(&request, REQUEST_MAX);
	buf_add_str(&request, "PURGE ");
	buf_add_slice(&request, url);
	buf_add_str(&request, " HTTP/1.1\r\nHost: ");
	buf_add_slice(&request, authority_of(url));
	buf_add_str(&request, "\r\nUser-Agent: firebreak\r\nConnection: close\r\n\r\n");
	errno = ENOMEM;
	if (!request.failed && file_write_all(fd, buf_slice(&request)) == 0)
		status = read_status(fd);
	error = errno;
	buf_fini(&request);
	close(fd);
	errno = error;
	return status;
}
