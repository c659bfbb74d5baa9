#include "events/event.h"

#include "base/clock.h"
#include "events/json_line.h"

enum field {
#define FIELD(word, object, key, help)	FIELD_##word,
#define FIXED(word, object, key, help, json)	FIELD_##word,
#include "events/events.def"
#undef FIELD
#undef FIXED
	FIELDS
};

enum { STORE_MAX = DIGEST_MAX_HEX + 1 };

_Static_assert((int)STORE_MAX >= (int)CLOCK_TEXT, "a time fits where a digest does");

const struct event_field event_fields[] = {
#define FIELD(word, object, key, help)	{ #word, object key, help },
#define FIXED(word, object, key, help, json)	FIELD(word, object, key, help)
#include "events/events.def"
#undef FIELD
#undef FIXED
};
const size_t event_fields_n = FIELDS;

/* Where a field stands, and what is always written there; empty when it depends. */
static const struct { struct json_path at; struct slice fixed; } fields[FIELDS] = {
#define FIELD(word, object, key, help)	{ { SLICE(object), SLICE(key) }, SLICE("") },
#define FIXED(word, object, key, help, json)	{ { SLICE(object), SLICE(key) }, SLICE(json) },
#include "events/events.def"
#undef FIELD
#undef FIXED
};

static const struct {
	const char	*name;
	bool		 denied;
} actions[EVENT_ACTIONS] = {
	[EVENT_BLOCKED] = { "blocked", true },
	[EVENT_KILLED] = { "killed", true },
	[EVENT_MARKED] = { "marked", true },
	[EVENT_WOULD_BLOCK] = { "would_block", false },
	[EVENT_PASSED_UNCHECKED] = { "passed_unchecked", false },
	[EVENT_WARNED] = { "warned", true },
	[EVENT_CONTINUED] = { "continued", false },
	[EVENT_REVEAL_REQUESTED] = { "reveal_requested", true },
	[EVENT_REVEAL_APPROVED] = { "reveal_approved", false },
	[EVENT_REVEAL_DENIED] = { "reveal_denied", true },
	[EVENT_REVEAL_REFUSED] = { "reveal_refused", true },
	[EVENT_REVEALED] = { "revealed", false },
	[EVENT_REMOVED] = { "removed", false },
};

const char *
event_action_name(enum event_action a)
{
	return actions[a].name;
}

void
event_init(struct event *e)
{
	*e = (struct event){ .level = EVENT_NUMBER_UNSET, .file_size = EVENT_NUMBER_UNSET,
		.delivered = EVENT_NUMBER_UNSET };
}

static struct slice
digest_text(const struct digest *d, char store[static STORE_MAX])
{
	if (d == NULL)
		return slice_make(NULL, 0);
	digest_format(d, store);
	return slice_str(store);
}

static struct slice
time_text(int64_t ms, char store[static STORE_MAX])
{
	clock_format_ms(ms, store);
	return slice_str(store);
}

/* The text of field F; empty when it is not set or no text. */
static struct slice
text_of(const struct event *e, enum field f, char store[static STORE_MAX])
{
	switch (f) {
	case FIELD_time: return time_text(e->time_ms, store);
	case FIELD_id: return slice_str(e->id);
	case FIELD_action: return slice_str(event_action_name(e->action));
	case FIELD_reason: return slice_str(e->reason);
	case FIELD_provider: return slice_str(e->provider);
	case FIELD_message: return slice_str(e->message);
	case FIELD_rule: return e->rule_id;
	case FIELD_source: return e->rule_ruleset;
	case FIELD_client: return e->client_ip;
	case FIELD_user: return e->user;
	case FIELD_client_token: return e->client_token;
	case FIELD_user_token: return e->user_token;
	case FIELD_method: return e->method;
	case FIELD_url: return e->url;
	case FIELD_host: return e->host;
	case FIELD_name: return e->file_name;
	case FIELD_path: return e->file_path;
	case FIELD_found: return slice_str(e->found);
	case FIELD_md5: return digest_text(e->digests[DIGEST_MD5], store);
	case FIELD_sha1: return digest_text(e->digests[DIGEST_SHA1], store);
	case FIELD_sha256: return digest_text(e->digests[DIGEST_SHA256], store);
	case FIELD_alert: return e->alert;
	case FIELD_by: return e->by;
	case FIELD_about: return e->about;
	case FIELD_note: return e->note;
	case FIELD_mode: return slice_str(e->mode);
	default: return slice_make(NULL, 0);
	}
}

/* Zero means "none" where no zero can be meant. */
static int64_t
number_unless_zero(uint64_t n)
{
	return n == 0 || n > INT64_MAX ? EVENT_NUMBER_UNSET : (int64_t)n;
}

/* The number of field F; below zero when it is not set or no number. */
static int64_t
number_of(const struct event *e, enum field f)
{
	switch (f) {
	case FIELD_rev: return number_unless_zero(e->rule_version);
	case FIELD_status: return e->status > 0 ? e->status : EVENT_NUMBER_UNSET;
	case FIELD_size: return e->file_size;
	case FIELD_level: return e->level;
	case FIELD_delivered: return e->delivered;
	case FIELD_generation: return number_unless_zero(e->generation);
	case FIELD_worker: return e->worker > 0 ? e->worker : EVENT_NUMBER_UNSET;
	default: return EVENT_NUMBER_UNSET;
	}
}

/* The lines of field F, which is a list; empty when it is not set or no list. */
static struct slice
list_of(const struct event *e, enum field f)
{
	switch (f) {
	case FIELD_type: return actions[e->action].denied ? SLICE("denied") : SLICE("allowed");
	case FIELD_steps: return e->steps;
	default: return slice_make(NULL, 0);
	}
}

/* Add field F when E has it. */
static void
add_field(const struct event *e, enum field f, struct json_line *j)
{
	char store[STORE_MAX];
	struct slice text = text_of(e, f, store), lines;
	int64_t number;

	if (text.len > 0)
		json_line_text_at(j, fields[f].at, text);
	else if ((number = number_of(e, f)) >= 0)
		json_line_number_at(j, fields[f].at, number);
	else if ((lines = list_of(e, f)).len > 0)
		json_line_list_at(j, fields[f].at, lines);
}

int
event_format(const struct event *e, struct buf *out)
{
	size_t before = out->len;
	struct json_line j;

	json_line_begin(&j, out);
	for (int f = 0; f < FIELDS; f++)
		if (fields[f].fixed.len > 0)
			json_line_json_at(&j, fields[f].at, fields[f].fixed);
		else
			add_field(e, (enum field)f, &j);
	if (json_line_end(&j) == 0)
		return 0;
	/* Nobody may take the beginning of a line for a line. */
	out->len = before;
	if (out->p != NULL)
		out->p[before] = '\0';
	return -1;
}
