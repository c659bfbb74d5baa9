#include "eventstore/deed.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024, NODE_TEXT = 300, COUNTER_MASK = 0x7fff };

/* A number that no worker of this host gives: they have another node. */
static void
make_id(int64_t now_ms, char id[static INCIDENT_LEN + 1])
{
	char node[NODE_TEXT] = "the command of ";
	uint16_t counter = 0;

	gethostname(node + strlen(node), sizeof(node) - strlen(node) - 1);
	RAND_bytes((unsigned char *)&counter, sizeof(counter));
	incident_make(now_ms, incident_node(slice_str(node)), counter & COUNTER_MASK, id);
}

static int
append(const char *path, struct slice line)
{
	struct event_log *log = event_log_new(path, EVENT_LOG_MODE);
	int r = log == NULL ? -1 : event_log_write(log, line), saved = errno;

	event_log_free(log);
	errno = saved;
	return r;
}

int
deed_write(const char *path, int64_t now_ms, const struct deed *d, char id[static INCIDENT_LEN + 1])
{
	struct event e;
	struct buf line;
	int r = -1;

	event_init(&e);
	make_id(now_ms, id);
	e.time_ms = now_ms;
	memcpy(e.id, id, INCIDENT_LEN + 1);
	e.action = d->action;
	e.reason = d->reason;
	e.provider = "command";
	e.message = d->message;
	e.by = d->by;
	e.about = d->about;
	e.note = d->note;
	e.user_token = d->user_token;
	e.client_token = d->client_token;
	e.worker = (int)getpid();
	buf_init(&line, LINE_MAX_BYTES);
	if (event_format(&e, &line) == -1)
		errno = EMSGSIZE;
	else
		r = append(path, buf_slice(&line));
	buf_fini(&line);
	return r;
}
