#include "setup/origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"

enum { HEAD_MAX = 64 * 1024, READ_SIZE = 4096, PATIENCE_S = 5, LOOK_MS = 50, BACKLOG = 16, REPLY_HEAD = 1024 };

struct origin {
	const struct origin_body	*bodies;
	size_t				 n;
	int				 fd;
	unsigned			 port;
	pthread_t			 thread;
	atomic_bool			 end;
};

/* Read a request's head.  False when none comes. */
static bool
read_head(int fd, struct buf *head)
{
	char piece[READ_SIZE];
	ssize_t n;

	while (slice_search(buf_slice(head), SLICE("\r\n\r\n")) == head->len) {
		if ((n = read(fd, piece, sizeof(piece))) <= 0 || buf_add(head, piece, (size_t)n) == -1)
			return false;
	}
	return true;
}

/* The bytes that "Range: bytes=A-B" of HEAD asks for, of LEN; false when it asks for no such part. */
static bool
wanted_range(struct slice head, size_t len, size_t *from, size_t *to)
{
	static const struct slice name = { "\r\nRange: bytes=", sizeof("\r\nRange: bytes=") - 1 };
	struct slice rest = slice_skip(head, slice_isearch(head, name)), a, b;
	uint64_t first, last;

	rest = slice_skip(rest, name.len);
	rest = slice_head(rest, slice_find(rest, '\r'));
	if (!slice_cut(rest, '-', &a, &b) || slice_u64(a, &first) == -1 || slice_u64(b, &last) == -1 || first > last || last >= len)
		return false;
	*from = first;
	*to = last + 1;
	return true;
}

static const struct origin_body *
body_for(const struct origin *o, struct slice head)
{
	struct slice path;

	slice_cut(slice_head(head, slice_find(head, '\r')), ' ', NULL, &path);
	slice_cut(path, ' ', &path, NULL);
	for (size_t i = 0; i < o->n; i++)
		if (slice_eq(path, slice_str(o->bodies[i].path)))
			return &o->bodies[i];
	return NULL;
}

static void
answer(int fd, const struct origin_body *b, struct slice head)
{
	struct slice bytes = b == NULL ? SLICE("not found\n") : b->bytes;
	size_t from = 0, to = bytes.len;
	struct buf reply;

	buf_init(&reply, REPLY_HEAD);
	if (b == NULL)
		buf_add_str(&reply, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n");
	else if (wanted_range(head, bytes.len, &from, &to))
		buf_addf(&reply, "HTTP/1.1 206 Partial Content\r\nContent-Type: %s\r\nContent-Range: bytes %zu-%zu/%zu\r\n", b->type, from,
		    to - 1,
		    bytes.len);
	else
		buf_addf(&reply, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nAccept-Ranges: bytes\r\n", b->type);
	if (b != NULL && b->coding != NULL)
		buf_addf(&reply, "Content-Encoding: %s\r\n", b->coding);
	buf_addf(&reply, "Content-Length: %zu\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", to - from);
	if (file_write_all(fd, buf_slice(&reply)) == 0 && !slice_starts(head, SLICE("HEAD ")))
		file_write_all(fd, slice_head(slice_skip(bytes, from), to - from));
	buf_fini(&reply);
}

static void
serve(const struct origin *o, int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	char rest[READ_SIZE];
	struct buf head;

	buf_init(&head, HEAD_MAX);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 && read_head(fd, &head)) {
		answer(fd, body_for(o, buf_slice(&head)), buf_slice(&head));
		/* Until the other end has closed, so that no byte of ours is lost in a reset. */
		shutdown(fd, SHUT_WR);
		while (read(fd, rest, sizeof(rest)) > 0)
			;
	}
	buf_fini(&head);
	close(fd);
}

static void *
work(void *arg)
{
	struct origin *o = arg;
	struct pollfd p = { .fd = o->fd, .events = POLLIN };

	while (!atomic_load(&o->end))
		if (poll(&p, 1, LOOK_MS) == 1) {
			int fd = accept4(o->fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd != -1)
				serve(o, fd);
		}
	return NULL;
}

struct origin *
origin_start(const struct origin_body *bodies, size_t n)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	struct origin *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->bodies = bodies;
	o->n = n;
	if ((o->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1 && bind(o->fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(o->fd, BACKLOG) == 0 && getsockname(o->fd, (struct sockaddr *)&a, &len) == 0) {
		o->port = ntohs(a.sin_port);
		if ((errno = pthread_create(&o->thread, NULL, work, o)) == 0)
			return o;
	}
	if (o->fd != -1)
		close(o->fd);
	free(o);
	return NULL;
}

void
origin_stop(struct origin *o)
{
	if (o == NULL)
		return;
	atomic_store(&o->end, true);
	pthread_join(o->thread, NULL);
	close(o->fd);
	free(o);
}

unsigned
origin_port(const struct origin *o)
{
	return o->port;
}
