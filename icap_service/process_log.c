#include "icap_service/process_log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "icap_service/svc_log.h"

struct process_log {
	const char		*name;
	struct event_log	*log;
	struct late_lines	*late;
	_Atomic bool		 fails, loses;		/* and that was said */
};

struct process_log *
process_log_new(const char *name, const char *path, mode_t mode)
{
	struct process_log *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->name = name;
	if ((l->log = event_log_new(path, mode)) != NULL && (l->late = late_lines_new(l->log, PROCESS_LOG_KEPT)) != NULL)
		return l;
	process_log_free(l);
	return NULL;
}

void
process_log_share_end(struct process_log *l, _Atomic uint64_t *end)
{
	event_log_share_end(l->log, end);
}

uint64_t
process_log_free(struct process_log *l)
{
	uint64_t lost;

	if (l == NULL)
		return 0;
	lost = late_lines_free(l->late);
	if (lost > 0)
		svc_log(SVC_ERROR, "the %s cannot be written: %llu lines are lost", l->name, (unsigned long long)lost);
	event_log_free(l->log);
	free(l);
	return lost;
}

static void
say_works(struct process_log *l)
{
	if (!atomic_load(&l->fails) || !atomic_exchange(&l->fails, false))
		return;
	atomic_store(&l->loses, false);
	svc_log(SVC_WARNING, "the %s can be written again, and what was kept is written", l->name);
}

enum late
process_log_write(struct process_log *l, struct slice line)
{
	enum late result = late_lines_write(l->late, line);
	const char *why;

	if (result == LATE_WRITTEN) {
		say_works(l);
		return result;
	}
	why = strerror(errno);
	if (!atomic_exchange(&l->fails, true))
		svc_log(SVC_ERROR, "the %s cannot be written (%s): up to %d MB are kept until it can be; decisions go on", l->name, why,
		    PROCESS_LOG_KEPT >> 20);
	if (result == LATE_LOST && !atomic_exchange(&l->loses, true))
		svc_log(SVC_ERROR, "the %s cannot be written (%s), and no more can be kept: events are lost and counted; decisions go on",
		    l->name, why);
	return result;
}

void
process_log_tick(struct process_log *l)
{
	if (l != NULL && atomic_load(&l->fails) && late_lines_try(l->late) == 0)
		say_works(l);
}
