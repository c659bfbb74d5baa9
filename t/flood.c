/* A client that does no good: "flood PORT N NETS MODE", connections from NETS addresses of 127.1.0.0/16 to 127.0.0.1:PORT.
 *
 *	idle	says nothing
 *	drip	a request, one byte a second
 *	deaf	the whole request, which is in standard input, and never reads what comes
 *
 * It opens N connections, as many as it can at once, and opens a new one whenever one is ended, for SECONDS.  Then it says how many it
 * had open at the most and how many were ended. */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 20000, REQUEST_MAX = 4096, EVENTS = 512, BATCH = 512, SPARE = 64, NET_MAX = 60000 };

struct flood {
	int		 port, nets, epoll;
	enum { IDLE, DRIP, DEAF } mode;
	char		 request[REQUEST_MAX];
	size_t		 len;
	int		*fds;			/* -1: to be opened */
	size_t		*sent;
	int		 n, open, most;
	long		 opened, ended;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
open_one(struct flood *f, int i)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + (unsigned)(i % f->nets)) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)f->port) };
	struct epoll_event e = { .events = EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = (uint32_t)i };
	const int small = 4096;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1 ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1 && errno != EINPROGRESS) ||
	    epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) == -1) {
		close(fd);
		return -1;
	}
	f->fds[i] = fd;
	f->sent[i] = 0;
	f->opened++;
	if (++f->open > f->most)
		f->most = f->open;
	return 0;
}

static void
end_one(struct flood *f, int i)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(f->fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(f->fds[i]);
	f->fds[i] = -1;
	f->open--;
	f->ended++;
}

static void
send_some(struct flood *f, int i, size_t max)
{
	size_t left = f->len - f->sent[i];
	ssize_t n = send(f->fds[i], f->request + f->sent[i], left < max ? left : max, MSG_NOSIGNAL);

	if (n > 0)
		f->sent[i] += (size_t)n;
}

static void
meet(struct flood *f, const struct epoll_event *e)
{
	int i = (int)e->data.u32;

	if (f->fds[i] == -1)
		return;
	if ((e->events & (EPOLLHUP | EPOLLERR)) != 0 || ((e->events & EPOLLRDHUP) != 0 && f->mode != DEAF))
		end_one(f, i);
	else if (f->mode == DEAF)
		send_some(f, i, f->len);
}

static void
run(struct flood *f, int64_t until_ms)
{
	struct epoll_event events[EVENTS];
	int64_t drip_ms = now_ms();

	for (int next = 0; now_ms() < until_ms;) {
		for (int k = 0; k < BATCH; k++, next = (next + 1) % f->n)
			if (f->fds[next] == -1 && open_one(f, next) == -1)
				break;
		for (int n = epoll_wait(f->epoll, events, EVENTS, 10); n-- > 0;)
			meet(f, &events[n]);
		if (f->mode == DRIP && now_ms() >= drip_ms) {
			drip_ms += 1000;
			for (int i = 0; i < f->n; i++)
				if (f->fds[i] != -1)
					send_some(f, i, 1);
		}
	}
}

int
main(int argc, char **argv)
{
	struct flood f = { .port = argc == 6 ? atoi(argv[1]) : 0 };
	struct rlimit l;

	if (argc != 6 || (f.n = atoi(argv[2])) < 1 || f.n > CONNECTIONS_MAX || (f.nets = atoi(argv[3])) < 1 || f.nets > NET_MAX) {
		fprintf(stderr, "usage: flood PORT N NETS idle|drip|deaf SECONDS\n");
		return 2;
	}
	f.mode = strcmp(argv[4], "deaf") == 0 ? DEAF : strcmp(argv[4], "drip") == 0 ? DRIP : IDLE;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
		if (l.rlim_cur < (rlim_t)f.n + SPARE) {
			fprintf(stderr, "flood: %d files may be open, which is too few\n", (int)l.rlim_cur);
			return 77;
		}
	}
	f.len = f.mode == IDLE ? 0 : fread(f.request, 1, sizeof(f.request), stdin);
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	f.fds = malloc((size_t)f.n * sizeof(*f.fds));
	f.sent = calloc((size_t)f.n, sizeof(*f.sent));
	if (f.epoll == -1 || f.fds == NULL || f.sent == NULL)
		return 2;
	memset(f.fds, 0xff, (size_t)f.n * sizeof(*f.fds));
	run(&f, now_ms() + 1000 * (int64_t)atoi(argv[5]));
	printf("most %d opened %ld ended %ld\n", f.most, f.opened, f.ended);
	free(f.fds);
	free(f.sent);
	return 0;
}
