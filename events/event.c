#include "events/event.h"

#include <assert.h>

#include <jansson.h>

#include "base/clock.h"

enum field {
#define FIELD(word, path, help)	FIELD_##word,
#include "events/events.def"
#undef FIELD
	FIELDS
};

enum { KEY_MAX = 64, STORE_MAX = DIGEST_MAX_HEX + 1 };

_Static_assert((int)STORE_MAX >= (int)CLOCK_TEXT, "a time fits where a digest does");

const struct event_field event_fields[] = {
#define FIELD(word, path, help)	{ #word, path, help },
#include "events/events.def"
#undef FIELD
};
const size_t event_fields_n = FIELDS;

static const struct {
	const char	*name;
	bool		 denied;
} actions[EVENT_ACTIONS] = {
	[EVENT_BLOCKED] = { "blocked", true },
	[EVENT_KILLED] = { "killed", true },
	[EVENT_MARKED] = { "marked", true },
	[EVENT_WOULD_BLOCK] = { "would_block", false },
	[EVENT_PASSED_UNCHECKED] = { "passed_unchecked", false },
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
	case FIELD_kind: return SLICE("alert");
	case FIELD_dataset: return SLICE("firebreak");
	case FIELD_message: return slice_str(e->message);
	case FIELD_rule: return e->rule_id;
	case FIELD_source: return e->rule_ruleset;
	case FIELD_client: return e->client_ip;
	case FIELD_user: return e->user;
	case FIELD_method: return e->method;
	case FIELD_url: return e->url;
	case FIELD_host: return e->host;
	case FIELD_name: return e->file_name;
	case FIELD_md5: return digest_text(e->digests[DIGEST_MD5], store);
	case FIELD_sha1: return digest_text(e->digests[DIGEST_SHA1], store);
	case FIELD_sha256: return digest_text(e->digests[DIGEST_SHA256], store);
	case FIELD_alert: return e->alert;
	case FIELD_vendor: return SLICE("Firebreak");
	case FIELD_product: return SLICE("firebreak");
	case FIELD_observer: return SLICE("proxy");
	case FIELD_ecs: return SLICE("8.11");
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
	case FIELD_category: return SLICE("network");
	case FIELD_type: return actions[e->action].denied ? SLICE("denied") : SLICE("allowed");
	case FIELD_steps: return e->steps;
	default: return slice_make(NULL, 0);
	}
}

/* TEXT as a JSON string, whatever its bytes are.  NULL when it is longer than MAX or there is no
 * memory. */
static json_t *
json_text(struct slice text, size_t max)
{
	json_t *j = NULL;
	struct buf b;

	buf_init(&b, max);
	if (buf_add_utf8(&b, text) == 0)
		j = json_stringn(b.p, b.len);
	buf_fini(&b);
	return j;
}

static json_t *
json_lines(struct slice lines, size_t max)
{
	json_t *list = json_array();
	struct slice line;

	while (lines.len > 0) {
		slice_cut(lines, '\n', &line, &lines);
		if (line.len > 0 && json_array_append_new(list, json_text(line, max)) == -1) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Set VALUE, which is taken, at the dotted PATH in ROOT.  -1 without memory. */
static int
set_at(json_t *root, const char *path, json_t *value)
{
	char key[KEY_MAX];
	const char *dot;

	while ((dot = strchr(path, '.')) != NULL) {
		size_t len = (size_t)(dot - path);
		json_t *inner;

		assert(len < sizeof(key));	/* events.def is ours */
		memcpy(key, path, len);
		key[len] = '\0';
		if ((inner = json_object_get(root, key)) == NULL) {
			inner = json_object();
			if (json_object_set_new(root, key, inner) == -1) {
				json_decref(value);
				return -1;
			}
		}
		root = inner;
		path = dot + 1;
	}
	return json_object_set_new(root, path, value);
}

/* Set field F in ROOT when E has it.  -1 when it does not fit MAX or there is no memory. */
static int
add_field(const struct event *e, enum field f, size_t max, json_t *root)
{
	const char *path = event_fields[f].path;
	char store[STORE_MAX];
	struct slice text = text_of(e, f, store), lines = list_of(e, f);
	int64_t number = number_of(e, f);

	if (text.len > 0)
		return set_at(root, path, json_text(text, max));
	if (lines.len > 0)
		return set_at(root, path, json_lines(lines, max));
	if (number >= 0)
		return set_at(root, path, json_integer(number));
	return 0;
}

static int
add_output(const char *p, size_t len, void *out)
{
	return buf_add(out, p, len);
}

int
event_format(const struct event *e, struct buf *out)
{
	json_t *root = json_object();
	size_t before = out->len;
	int r = root == NULL ? -1 : 0;

	for (int f = 0; r == 0 && f < FIELDS; f++)
		r = add_field(e, (enum field)f, out->max, root);
	if (r == 0 && json_dump_callback(root, add_output, out, JSON_COMPACT) == -1)
		r = -1;
	json_decref(root);
	if (r == 0 && buf_add_char(out, '\n') == 0)
		return 0;
	/* Nobody may take the beginning of a line for a line. */
	out->len = before;
	if (out->p != NULL)
		out->p[before] = '\0';
	out->failed = true;
	return -1;
}
