/* event.h - the record of one decision, and the log that it is written to: one ECS 8 JSON object a line.
 *
 * A struct event borrows everything; it lives for one call.  Text from the wire may hold any bytes: the writer makes it valid
 * UTF-8 and escapes it, so that no request can forge a line or a key.  Fields are listed once, in events.def; what is not set
 * is left out. */
#ifndef EVENTS_EVENT_H
#define EVENTS_EVENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/digest.h"
#include "events/incident.h"

enum event_action {
	EVENT_BLOCKED, EVENT_KILLED, EVENT_MARKED, EVENT_WOULD_BLOCK, EVENT_PASSED_UNCHECKED, EVENT_WARNED, EVENT_CONTINUED,
	/* What people did about the log: */
	EVENT_REVEAL_REQUESTED, EVENT_REVEAL_APPROVED, EVENT_REVEAL_DENIED, EVENT_REVEAL_REFUSED, EVENT_REVEALED, EVENT_REMOVED,
	EVENT_ACTIONS
};
/* "blocked", "killed", "marked", "would_block", "passed_unchecked", "warned", "continued"; "reveal_requested", "reveal_approved",
 * "reveal_denied", "reveal_refused", "revealed", "removed". */
const char *event_action_name(enum event_action a);

enum { EVENT_DIGESTS = DIGEST_ALGS, EVENT_NUMBER_UNSET = -1 };

struct event {
	int64_t		 time_ms;
	char		 id[INCIDENT_LEN + 1];
	enum event_action action;
	const char	*reason;		/* judge's word: "host", "url", "file", ... */
	const char	*provider;		/* "reqmod" or "respmod" */
	const char	*message;		/* one plain sentence, or NULL */
	struct slice	 rule_id, rule_ruleset;	/* id and source */
	uint32_t	 rule_version;		/* 0 = no rule */
	int		 level;			/* -1 = no rule */
	struct slice	 alert;
	struct slice	 client_ip, user, method, url, host;
	struct slice	 client_token, user_token;	/* pseudonyms, in place of CLIENT_IP and USER */
	int		 status;		/* of the response; 0 = none */
	int64_t		 file_size;		/* -1 = not known */
	struct slice	 file_name, file_path;
	const char	*found;			/* "decoded", "member"; NULL: the body itself */
	const struct digest *digests[EVENT_DIGESTS];	/* NULL = not computed */
	int64_t		 delivered;		/* body bytes that had been let go; -1 = not meant */
	const char	*mode;			/* "observe" when that let it through; NULL */
	uint64_t	 generation;
	int		 worker;		/* pid */
	struct slice	 by, about, note;	/* of what people did: who, to what, why */
	struct slice	 steps;			/* lines, '\n' between them: how it came about */
};

/* Everything unset. */
void event_init(struct event *e);

/* Append E as one JSON line with its newline.  -1 when it does not fit OUT. */
int event_format(const struct event *e, struct buf *out);

/* ---- the log ---- */

struct event_log;

/* A log at PATH, opened for appending at the first event, made with MODE where it is missing.  NULL without memory. */
enum { EVENT_LOG_MODE = 0640, TARGETS_LOG_MODE = 0600 };
struct event_log *event_log_new(const char *path, mode_t mode);
void event_log_free(struct event_log *log);

/* Keep what LOG knows of the file's end in *END, which all that write the file should share and nobody else may change: the line of
 * another process is then known to be whole, as one's own is, without a look at it.  0 is nothing known.  Before the first line. */
void event_log_share_end(struct event_log *log, _Atomic uint64_t *end);

/* Write LINE (with its newline) by one append.  The file is reopened when it was moved away (rotation); a log that does not end
 * in a newline gets one first; and should another process be killed in the midst of its line just then, so that LINE stands behind
 * half of that, it is written once more.  0, or -1 with errno: the event is lost, the caller counts it and goes on.  Threads may
 * call it at once. */
int event_log_write(struct event_log *log, struct slice line);

/* ---- reading, for the command and tests ---- */

/* Append the line of incident ID in the log at PATH to OUT, without its newline.  0 found, 1 not there, -1 with errno (EFBIG
 * when the line does not fit OUT).  Ids are sorted by time but for a few, so that the file is halved until a window is
 * left; only when ID is not near it, all of the file is read.  Lines that are not whole are passed over.  Memory is bounded,
 * whatever the file holds. */
int event_find(const char *path, const char id[static INCIDENT_LEN + 1], struct buf *out);

/* One row of events.def: the short word of t/cases' "!" lines and the JSON path it means. */
struct event_field {
	const char *word;	/* "client" */
	const char *path;	/* "client.ip" */
	const char *help;
};
extern const struct event_field event_fields[];
extern const size_t event_fields_n;

#endif
