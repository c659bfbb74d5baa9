/* event_facts.h - what a line of the event log says that one can search by.
 *
 * A line is an event when it is one JSON object without a key twice, and has a valid incident number.  Pure; one thread a
 * struct. */
#ifndef EVENTSTORE_EVENT_FACTS_H
#define EVENTSTORE_EVENT_FACTS_H

#include <jansson.h>

#include "base/buf.h"
#include "base/digest.h"
#include "events/incident.h"

/* The columns that hold words, which many events share. */
enum event_word {
	EVENT_WORD_ACTION, EVENT_WORD_REASON, EVENT_WORD_CLIENT, EVENT_WORD_USER, EVENT_WORD_HOST, EVENT_WORD_RULE,
	EVENT_WORD_SOURCE, EVENT_WORD_ALERT, EVENT_WORDS
};
/* "action", "reason", "client", ...: the word of events.def. */
const char *event_word_name(enum event_word w);

struct event_facts {
	json_t		*json;			/* owns all texts below */
	char		 id[INCIDENT_LEN + 1];
	int64_t		 ms;			/* of the incident number */
	struct slice	 words[EVENT_WORDS];	/* empty: not said */
	struct slice	 url;
	struct digest	 digests[DIGEST_ALGS];
	bool		 has_digest[DIGEST_ALGS];
};

/* Read LINE.  0: *F is the caller's, event_facts_fini().  -1: it is no event, nothing is to be freed. */
int event_facts_read(struct slice line, struct event_facts *f);
void event_facts_fini(struct event_facts *f);

/* The value at the dotted PATH in EVENT, NULL when it is not there. */
const json_t *event_at(const json_t *event, const char *path);

/* What a user's name or a client's address in clear becomes as a word, when it has the form of a pseudonym. */
#define EVENT_LIKE_TOKEN	"(a name like a pseudonym)"

/* The text at PATH in EVENT, borrowed from it, empty when there is none; numbers are written into STORE.  For client.ip and
 * user.name their pseudonym, when that stands in their place. */
enum { EVENT_NUMBER = 32 };
struct slice event_text(const json_t *event, const char *path, char store[static EVENT_NUMBER]);

/* What event_text() answers for PATH is a pseudonym that the service wrote. */
bool event_is_pseudonym(const json_t *event, const char *path);

/* What an event's action means for the user, in plain words, whatever ACTION says; UPLOAD: the body was the request's. */
const char *event_action_words(struct slice action, bool upload);

#endif
