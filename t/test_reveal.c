/* Reveals: with a reason, on the record, and by option only when somebody else agrees; also when several ask at once. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <jansson.h>

#include "base/file.h"
#include "eventstore/reveal.h"
#include "runtime/pseudonym_keys.h"
#include "t/tap.h"

enum { NOW_S = 1800000000, LIFE_S = 3600 };

static char *state, *events;
static struct pseudonyms *keys;
static char ann[PSEUDONYM_TEXT], client[PSEUDONYM_TEXT];

struct seen {
	struct buf	names, trail;
	bool		deaf;		/* the trail cannot be written */
};

static int
trail(void *arg, struct slice line)
{
	struct seen *s = arg;

	if (s->deaf)
		return -1;
	buf_add_slice(&s->trail, line);
	return buf_add_char(&s->trail, '\n');
}

static void
show(void *arg, struct slice token, enum pseudonym_opened result, enum pseudonym_kind kind, struct slice name)
{
	struct seen *s = arg;

	(void)token, (void)kind;
	buf_add_slice(&s->names, result == PSEUDONYM_OPENED ? name : SLICE("?"));
	buf_add_char(&s->names, ' ');
}

static void
seen_init(struct seen *s)
{
	s->deaf = false;
	buf_init(&s->names, 4096);
	buf_init(&s->trail, 65536);
	buf_add_str(&s->names, "");
	buf_add_str(&s->trail, "");
}

static void
seen_fini(struct seen *s)
{
	buf_fini(&s->names);
	buf_fini(&s->trail);
}

static struct reveal
by(const char *who, bool second, int64_t s, struct seen *seen)
{
	return (struct reveal){ .state = state, .log = events, .now_ms = (NOW_S + s) * INT64_C(1000), .by = who, .second = second,
		.life_s = LIFE_S, .keys = keys, .audit = trail, .arg = seen };
}

static struct reveal_subject
subject(void)
{
	return (struct reveal_subject){ .about = SLICE("1M83ME10C4HM007J"), .tokens = { slice_str(ann), slice_str(client) }, .n = 2 };
}

/* The member KEY of the last event's PART. */
static const char *
last(const char *part, const char *key)
{
	static char out[4096];
	struct slice rest, line = { 0 };
	const char *value;
	struct buf text;
	json_t *j;

	buf_init(&text, 1 << 20);
	*out = '\0';
	if (file_read(events, &text) == 0 && text.len > 0) {
		for (rest = slice_head(buf_slice(&text), text.len - 1); rest.len > 0;)
			slice_cut(rest, '\n', &line, &rest);
		j = json_loadb(line.p, line.len, 0, NULL);
		value = json_string_value(json_object_get(json_object_get(j, part), key));
		snprintf(out, sizeof(out), "%s", value != NULL ? value : "");
		json_decref(j);
	}
	buf_fini(&text);
	return out;
}

static enum reveal_result
ask(const struct reveal *r, const struct reveal_subject *s, const char *reason, struct seen *seen, char id[static INCIDENT_LEN + 1])
{
	struct diag diag = { 0 };
	enum reveal_result result = reveal_ask(r, s, slice_str(reason), show, seen, id, &diag);

	ok((result == REVEAL_REFUSED || result == REVEAL_TROUBLE) == (diag.n_errors > 0), "what is refused is explained, and nothing else");
	ok(result == REVEAL_SHOWN || seen->names.len == 0, "nothing is shown unless it is");
	diag_fini(&diag);
	return result;
}

static enum reveal_result
decide(const struct reveal *r, const char *id, bool approve)
{
	struct diag diag = { 0 };
	enum reveal_result result = reveal_decide(r, id, approve, SLICE("fine"), &diag);

	diag_fini(&diag);
	return result;
}

static void
test_alone(void)
{
	char id[INCIDENT_LEN + 1] = "";
	struct reveal_subject s = subject(), forged = subject();
	struct seen seen;
	struct reveal r;

	seen_init(&seen);
	r = by("uid=1", false, 0, &seen);
	is_int(ask(&r, &s, "ticket 1\n\"x\"", &seen, id), REVEAL_SHOWN, "with a reason it is shown");
	is_str(seen.names.p, "ann 192.0.2.7 ", "to the name");
	is_str(last("event", "action"), "revealed", "and is an event");
	is_str(last("event", "id"), id, "of that number");
	is_str(last("firebreak", "by"), "uid=1", "by whom");
	is_str(last("firebreak", "note"), "ticket 1\\x0a\"x\"", "and why, on one line");
	is_str(last("firebreak", "about"), "1M83ME10C4HM007J", "about what");
	is_str(last("user", "hash"), ann, "of whom");
	is_str(last("client", "address"), client, "and where");
	ok(strstr(seen.trail.p, "was shown event=") != NULL && strstr(seen.trail.p, "ann") == NULL, "the trail has it without the name");
	is_int((long long)slice_find(slice_str(seen.trail.p), '\n'), (long long)seen.trail.len - 1, "on one line");

	seen_fini(&seen);
	seen_init(&seen);
	is_int(ask(&r, &s, " \t", &seen, id), REVEAL_REFUSED, "without a reason it is not");
	is_str(last("event", "action"), "reveal_refused", "which is an event, too");
	forged.tokens[0].p = client, forged.tokens[0].len = strlen(client) - 1;
	forged.n = 1;
	is_int(ask(&r, &forged, "x", &seen, id), REVEAL_REFUSED, "a damaged token is not");
	r.keys = NULL;
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_REFUSED, "nor is any without a key");
	r = by("uid=1", false, 0, &seen);
	seen.deaf = true;
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_TROUBLE, "what cannot be written down is not shown");
	seen.deaf = false;
	r.log = "/nowhere/events.jsonl";
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_TROUBLE, "nor what cannot be an event");
	seen_fini(&seen);
}

static void
test_second(void)
{
	char id[INCIDENT_LEN + 1] = "", other[INCIDENT_LEN + 1] = "";
	struct reveal_subject s = subject(), one = subject();
	struct reveal r, colleague, console, late;
	struct seen seen;

	seen_init(&seen);
	r = by("uid=1", true, 0, &seen);
	colleague = by("uid=2", true, 10, &seen);
	console = by("console=eve", true, 10, &seen);
	is_int(ask(&r, &s, "ticket 2", &seen, id), REVEAL_WAITS, "it waits for somebody else");
	is_str(last("event", "action"), "reveal_requested", "which is an event");
	is_str(last("event", "id"), id, "whose number is the request's");
	is_int(ask(&r, &s, "ticket 2", &seen, other), REVEAL_WAITS, "asked again it still waits");
	is_str(other, id, "as the same request");
	is_int(decide(&r, id, true), REVEAL_REFUSED, "nobody approves his own");
	is_str(last("event", "action"), "reveal_refused", "who tries is on record");
	is_int(decide(&console, id, true), REVEAL_REFUSED, "nor does somebody who came another way, and may be the same");
	is_int(decide(&colleague, "1M83ME10C4HM007J", true), REVEAL_REFUSED, "what nobody asked for is not approved");
	is_int(decide(&colleague, id, true), REVEAL_DONE, "another person does");
	is_str(last("event", "action"), "reveal_approved", "on record");
	is_int(decide(&colleague, id, true), REVEAL_REFUSED, "once");
	is_int(ask(&colleague, &s, "me too", &seen, other), REVEAL_WAITS, "it is not approved for the colleague");
	one.n = 1;
	one.tokens[0] = s.tokens[1];
	is_int(ask(&r, &one, "another log", &seen, other), REVEAL_WAITS, "nor for other pseudonyms under the same number");
	is_int(ask(&r, &s, "ticket 2", &seen, other), REVEAL_SHOWN, "but for him who asked");
	is_str(seen.names.p, "ann 192.0.2.7 ", "he is told");
	seen_fini(&seen);
	seen_init(&seen);
	is_int(ask(&r, &s, "again", &seen, id), REVEAL_WAITS, "once: the next time is another request");
	is_int(decide(&colleague, id, false), REVEAL_DONE, "which may be denied");
	is_str(last("event", "action"), "reveal_denied", "on record");
	is_int(ask(&r, &s, "again", &seen, id), REVEAL_WAITS, "and asked for anew");
	late = by("uid=2", true, LIFE_S, &seen);
	is_int(decide(&late, id, true), REVEAL_REFUSED, "too late is too late");
	is_int(ask(&r, &s, "again", &seen, id), REVEAL_WAITS, "a request");
	decide(&colleague, id, true);
	late = by("uid=1", true, LIFE_S + 11, &seen);
	is_int(ask(&late, &s, "late", &seen, id), REVEAL_WAITS, "an approval ends as well");
	seen_fini(&seen);
}

/* One approval shows once, however many ask at the same moment. */
static void
test_race(void)
{
	enum { ASKERS = 12 };
	char id[INCIDENT_LEN + 1] = "";
	struct reveal_subject s = subject();
	struct reveal r, colleague;
	struct seen seen;
	int shown = 0, approved = 0, status;

	seen_init(&seen);
	r = by("uid=7", true, 2 * LIFE_S, &seen);
	is_int(ask(&r, &s, "race", &seen, id), REVEAL_WAITS, "a request");
	for (int i = 0; i < ASKERS; i++)
		if (tap_fork() == 0) {
			char who[32];

			snprintf(who, sizeof(who), "uid=%d", 100 + i);
			colleague = by(who, true, 2 * LIFE_S, &seen);
			_exit(reveal_decide(&colleague, id, true, SLICE(""), NULL) == REVEAL_DONE);
		}
	for (int i = 0; i < ASKERS; i++)
		approved += wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1;
	is_int(approved, 1, "one of many approves");
	for (int i = 0; i < ASKERS; i++)
		if (tap_fork() == 0)
			_exit(reveal_ask(&r, &s, SLICE("race"), show, &seen, id, NULL) == REVEAL_SHOWN);
	for (int i = 0; i < ASKERS; i++)
		shown += wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1;
	is_int(shown, 1, "one of many is shown it");
	seen_fini(&seen);
}

static void
count(void *arg, const struct reveal_request *q)
{
	*(int *)arg += q->id[0] != '\0' && q->reason[0] != '\0';
}

/* Who cannot read the keys cannot put an approval in. */
static void
test_file(void)
{
	char id[INCIDENT_LEN + 1], path[512];
	struct reveal_subject s = subject();
	struct diag diag = { 0 };
	struct seen seen;
	struct reveal r;
	struct stat st;
	int n = 0;

	seen_init(&seen);
	r = by("uid=7", true, 2 * LIFE_S, &seen);
	snprintf(path, sizeof(path), "%s/private/reveals", state);
	ok(reveal_list(&r, count, &n, &diag) == 0 && n > 0, "%d requests are listed", n);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "the file is for nobody else");
	chmod(path, 0620);
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_TROUBLE, "one that others may write is not believed");
	chmod(path, 0600);
	file_write(path, SLICE("[{"), 0600);
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_TROUBLE, "nor one that is damaged");
	file_write(path, SLICE("[1, {\"id\": 7}, {\"by\": \"uid=7\", \"ends\": 99999999999999}, null]"), 0600);
	is_int(ask(&r, &s, "x", &seen, id), REVEAL_WAITS, "what is no request in it is none");
	ok(reveal_list(&r, count, &n, &diag) == 0, "and can be listed");
	diag_fini(&diag);
	seen_fini(&seen);
}

int
main(void)
{
	struct diag diag = { 0 };
	bool made;

	state = temp_dir();
	events = file_join(state, "events.jsonl");
	keys = pseudonym_keys_need(state, NOW_S, &made, &diag);
	pseudonym_make(keys, PSEUDONYM_USER, SLICE("ann"), ann);
	pseudonym_make(keys, PSEUDONYM_CLIENT, SLICE("192.0.2.7"), client);
	test_alone();
	test_second();
	test_race();
	test_file();
	pseudonyms_free(keys);
	diag_fini(&diag);
	free(events);
	free(state);
	return tap_done();
}
