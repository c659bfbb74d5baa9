/* firebreak-inspect-helper - unpacks one body for a worker, in a sandbox (inspect/archive_wire.h).
 *
 * Started by inspect/archive.c with a socket and a spool, and of no use to anybody else.  It opens no file and writes none.  Exit
 * status: 0 when it said that it is done, 1 otherwise. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inspect/archive_wire.h"
#include "inspect/digester.h"
#include "inspect/helper/sandbox.h"
#include "inspect/helper/walk.h"

struct helper {
	bool		started;	/* the first order was received */
	uint64_t	available;
};

/* The worker is gone or does not make sense: there is nobody to tell.  No handlers: what they do may not be allowed. */
static _Noreturn void
give_up(void)
{
	_exit(1);
}

static void
receive(struct wire_order *order)
{
	ssize_t n;

	do
		n = recv(WIRE_SOCKET, order, sizeof(*order), 0);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(*order))
		give_up();
}

static void
tell(const struct wire_report *report)
{
	ssize_t n;

	do
		n = send(WIRE_SOCKET, report, sizeof(*report), MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(*report))
		give_up();
}

static ssize_t
read_spool(void *arg, uint64_t at, char *buf, size_t size)
{
	ssize_t n;

	(void)arg;
	do
		n = pread(WIRE_SPOOL, buf, size, (off_t)at);
	while (n == -1 && errno == EINTR);
	return n;
}

static uint64_t
wait_for_more(void *arg, uint64_t have, bool *ended)
{
	struct helper *h = arg;
	struct wire_order order;

	/* The first order comes by itself. */
	if (h->started)
		tell(&(struct wire_report){ .type = REPORT_NEED, .offset = have });
	receive(&order);
	if ((order.type != ORDER_MORE && order.type != ORDER_ENDED) || order.available < h->available)
		give_up();
	h->started = true;
	h->available = order.available;
	*ended = order.type == ORDER_ENDED;
	return order.available;
}

static bool
tell_finding(void *arg, const struct finding *f)
{
	struct wire_report report = { .type = REPORT_FINDING, .size = f->size, .depth = f->depth, .name_len = (uint32_t)f->name.len };

	(void)arg;
	for (size_t i = 0; i < f->n; i++)
		memcpy(report.digests[f->digests[i].alg], f->digests[i].b, digest_len(f->digests[i].alg));
	if (f->name.len > 0)
		memcpy(report.name, f->name.p, f->name.len);
	tell(&report);
	return true;
}

static void
tell_reason(void *arg, enum unscannable reason)
{
	(void)arg;
	tell(&(struct wire_report){ .type = REPORT_UNSCANNABLE, .reason = reason });
}

/* Whatever a library makes when it is first used is made before it cannot be any more. */
static bool
warm_up(unsigned algs)
{
	struct digest out[DIGEST_ALGS];

	return digests_of(SLICE("x"), algs | DIGEST_BIT(DIGEST_MD5), out) > 0;
}

int
main(void)
{
	struct helper h = { 0 };
	struct walk_io io = { read_spool, wait_for_more, tell_finding, tell_reason, &h };
	struct wire_order order;
	struct walk_wish wish;

	/* Whoever root started that had gone on as another user has root's real user id; what an archive takes over must not. */
	if (getuid() != geteuid() && setresuid(geteuid(), geteuid(), geteuid()) == -1)
		give_up();
	sandbox_close_from(WIRE_FDS);
	/* In the "C" locale libarchive has no text for a name that is not ASCII.  Without this locale names are as they were. */
	setlocale(LC_CTYPE, "C.UTF-8");
	receive(&order);
	if (order.type != ORDER_WISH || order.algs >> DIGEST_ALGS != 0 || !warm_up(order.algs))
		give_up();
	if (sandbox_enter(WIRE_SOCKET, WIRE_SPOOL, order.limits.time_ms) == -1)
		give_up();
	wish = (struct walk_wish){ order.algs, order.until, order.limits };
	walk_body(&wish, &io);
	tell(&(struct wire_report){ .type = REPORT_DONE });
	_exit(0);
}
