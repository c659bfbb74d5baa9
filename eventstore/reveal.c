#include "eventstore/reveal.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "base/file.h"
#include "ruleset/overview.h"
#include "runtime/private_folder.h"

enum { MS = 1000, MESSAGE_MAX = 4096 };

#define REQUESTS_NAME	"reveals"

int
reveal_take_site(struct reveal *r, struct diag *diag)
{
	struct generation *g = overview_generation(r->state, false, diag);

	if (g == NULL)
		return -1;
	r->second = generation_site(g)->reveal_second;
	r->life_s = generation_site(g)->reveal_life;
	generation_close(g);
	return 0;
}

/* ---- the requests ---- */

/* The file, with its folder's lock. */
struct requests {
	int	 dir;
	json_t	*all;		/* an array of objects */
};

static const char *
text_of(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text != NULL ? text : "";
}

static int64_t
number_of(const json_t *request, const char *key)
{
	return json_integer_value(json_object_get(request, key));
}

/* Forget those whose time is over. */
static void
forget_old(json_t *all, int64_t now_ms)
{
	for (size_t i = json_array_size(all); i-- > 0;)
		if (number_of(json_array_get(all, i), "ends") <= now_ms)
			json_array_remove(all, i);
}

static json_t *
read_requests(int dir)
{
	int fd = private_file(dir, REQUESTS_NAME);
	json_error_t error;
	json_t *all;

	if (fd == -1)
		return errno == ENOENT ? json_array() : NULL;
	all = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	close(fd);
	errno = EBADMSG;
	if (json_is_array(all))
		return all;
	json_decref(all);
	return NULL;
}

static void
requests_close(struct requests *q)
{
	json_decref(q->all);
	if (q->dir != -1)
		close(q->dir);
}

/* Open them and wait for the lock.  -1 with an error in DIAG; requests_close() is due in either case. */
static int
requests_open(const struct reveal *r, struct requests *q, struct diag *diag)
{
	*q = (struct requests){ .dir = private_open(r->state, false) };
	if (q->dir == -1 || file_lock(q->dir) == -1 || (q->all = read_requests(q->dir)) == NULL) {
		diag_error(diag, STATE_PRIVATE "/" REQUESTS_NAME ": %s",
		    errno == EPERM ? "others may write it: it is not believed" : strerror(errno));
		return -1;
	}
	return 0;
}

static int
requests_save(struct requests *q, struct diag *diag)
{
	char *text = json_dumps(q->all, JSON_INDENT(1));
	int r = text == NULL ? -1 : private_write(q->dir, REQUESTS_NAME, slice_str(text));

	if (r == -1)
		diag_error(diag, STATE_PRIVATE "/" REQUESTS_NAME ": %s", strerror(errno));
	free(text);
	return r;
}

/* The request with this id; its place in *AT. */
static json_t *
request_by_id(const struct requests *q, const char *id, size_t *at)
{
	for (*at = 0; *at < json_array_size(q->all); ++*at)
		if (strcmp(text_of(json_array_get(q->all, *at), "id"), id) == 0)
			return json_array_get(q->all, *at);
	return NULL;
}

/* REQUEST is about what S is about: another log may have other pseudonyms under the same number. */
static bool
is_about(const json_t *one, const struct reveal_subject *s)
{
	const json_t *tokens = json_object_get(one, "tokens");

	if (!slice_ieq(slice_str(text_of(one, "about")), s->about) || json_array_size(tokens) != s->n)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (!slice_ieq(slice_str(json_string_value(json_array_get(tokens, i))), s->tokens[i]))
			return false;
	return true;
}

/* The one that BY made about S. */
static json_t *
request_of(const struct requests *q, const char *by, const struct reveal_subject *s, size_t *at)
{
	for (*at = 0; *at < json_array_size(q->all); ++*at) {
		json_t *one = json_array_get(q->all, *at);

		if (strcmp(text_of(one, "by"), by) == 0 && is_about(one, s))
			return one;
	}
	return NULL;
}

/* ---- the record ---- */

/* What is to be written down. */
struct entry {
	enum event_action	 action;
	const char		*word;		/* of the trail */
	struct slice		 about, reason;
	const struct reveal_subject *subject;	/* NULL: not known */
	const char		*more;		/* goes on after the word in the message */
};

static void
add_subject(struct deed *d, const struct reveal_subject *s)
{
	enum pseudonym_kind kind;

	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (!pseudonym_is_token(s->tokens[i], &kind))
			continue;
		else if (kind == PSEUDONYM_CLIENT)
			d->client_token = s->tokens[i];
		else
			d->user_token = s->tokens[i];
}

/* Write E as an event and a line of the trail.  -1 with an error in DIAG: it is not to be done then. */
static int
record(const struct reveal *r, const struct entry *e, char id[static INCIDENT_LEN + 1], struct diag *diag)
{
	struct deed d = { .action = e->action, .reason = "reveal", .by = slice_str(r->by), .about = e->about, .note = e->reason };
	struct buf message, line;
	int result = -1;

	buf_init(&message, MESSAGE_MAX);
	buf_init(&line, 4 * MESSAGE_MAX);
	buf_addf(&message, "%s %s a pseudonym%s", r->by, e->word, e->more);
	d.message = message.p;
	add_subject(&d, e->subject);
	if (message.failed || deed_write(r->log, r->now_ms, &d, id) == -1)
		diag_error(diag, "nothing is shown, for it could not be recorded in the event log: %s", strerror(errno));
	else {
		buf_addf(&line, "%s event=%s about=", e->word, id);
		buf_add_utf8(&line, e->about);
		buf_add_str(&line, " reason=");
		buf_add_utf8(&line, e->reason);
		if (!line.failed && r->audit(r->arg, buf_slice(&line)) == 0)
			result = 0;
		else
			diag_error(diag, "nothing is shown, for it could not be written down who asked");
	}
	buf_fini(&message);
	buf_fini(&line);
	return result;
}

/* Say and record that it is refused because of WHY. */
static enum reveal_result
refuse(const struct reveal *r, struct slice about, struct slice reason, const struct reveal_subject *s, const char *why,
    struct diag *diag)
{
	char id[INCIDENT_LEN + 1], more[MESSAGE_MAX / 2];
	struct entry e = { .action = EVENT_REVEAL_REFUSED, .word = "was not shown", .about = about, .reason = reason, .subject = s,
		.more = more };

	snprintf(more, sizeof(more), ": %s", why);
	diag_error(diag, "refused: %s", why);
	return record(r, &e, id, diag) == -1 ? REVEAL_TROUBLE : REVEAL_REFUSED;
}

/* ---- asking ---- */

struct opened {
	enum pseudonym_opened	result;
	enum pseudonym_kind	kind;
	struct buf		name;
};

/* Open what can be: how many were. */
static size_t
open_all(const struct reveal *r, const struct reveal_subject *s, struct opened o[static REVEAL_TOKENS])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n && i < REVEAL_TOKENS; i++) {
		buf_init(&o[i].name, PSEUDONYM_PLAIN_MAX);
		o[i].kind = PSEUDONYM_USER;
		o[i].result = r->keys == NULL ? PSEUDONYM_NO_KEY : pseudonym_open(r->keys, s->tokens[i], &o[i].kind, &o[i].name);
		n += o[i].result == PSEUDONYM_OPENED;
	}
	return n;
}

static void
close_all(const struct reveal_subject *s, struct opened o[static REVEAL_TOKENS])
{
	for (size_t i = 0; i < s->n && i < REVEAL_TOKENS; i++) {
		if (o[i].name.p != NULL)
			explicit_bzero(o[i].name.p, o[i].name.cap);
		buf_fini(&o[i].name);
	}
}

/* Ask for somebody's approval. */
static enum reveal_result
request(const struct reveal *r, struct requests *q, const struct reveal_subject *s, struct slice reason,
    char id[static INCIDENT_LEN + 1], struct diag *diag)
{
	const struct entry e = { .action = EVENT_REVEAL_REQUESTED, .word = "asks to be shown", .about = s->about, .reason = reason,
		.subject = s, .more = "" };
	json_t *tokens = json_array(), *one;

	if (json_array_size(q->all) >= REVEAL_REQUESTS_MAX)
		return json_decref(tokens), refuse(r, s->about, reason, s, "too many requests wait", diag);
	if (record(r, &e, id, diag) == -1)
		return json_decref(tokens), REVEAL_TROUBLE;
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(tokens, json_stringn(s->tokens[i].p, s->tokens[i].len));
	one = json_pack("{s:s, s:s%, s:s, s:s%, s:I, s:I, s:o}", "id", id, "about", s->about.p, s->about.len, "by", r->by, "reason",
	    reason.p, reason.len, "made", (json_int_t)r->now_ms, "ends", (json_int_t)(r->now_ms + r->life_s * MS), "tokens", tokens);
	if (one == NULL || json_array_append_new(q->all, one) == -1) {
		diag_error(diag, "the request could not be kept: its reason is no valid text, or there is no memory");
		return REVEAL_TROUBLE;
	}
	return requests_save(q, diag) == -1 ? REVEAL_TROUBLE : REVEAL_WAITS;
}

/* An approval for R->by about S: it is used up.  SHOWN: go on. */
static enum reveal_result
use_approval(const struct reveal *r, struct requests *q, const struct reveal_subject *s, struct slice reason,
    char id[static INCIDENT_LEN + 1], struct diag *diag)
{
	size_t at;
	json_t *one;

	forget_old(q->all, r->now_ms);
	if ((one = request_of(q, r->by, s, &at)) == NULL)
		return request(r, q, s, reason, id, diag);
	if (json_object_get(one, "approved_by") == NULL) {
		snprintf(id, INCIDENT_LEN + 1, "%s", text_of(one, "id"));
		return REVEAL_WAITS;
	}
	json_array_remove(q->all, at);
	return requests_save(q, diag) == -1 ? REVEAL_TROUBLE : REVEAL_SHOWN;
}

static enum reveal_result
agreed(const struct reveal *r, const struct reveal_subject *s, struct slice reason, char id[static INCIDENT_LEN + 1],
    struct diag *diag)
{
	enum reveal_result result = REVEAL_TROUBLE;
	struct requests q;

	if (!r->second)
		return REVEAL_SHOWN;
	if (requests_open(r, &q, diag) == 0)
		result = use_approval(r, &q, s, reason, id, diag);
	requests_close(&q);
	return result;
}

enum reveal_result
reveal_ask(const struct reveal *r, const struct reveal_subject *s, struct slice reason, reveal_show *show, void *arg,
    char id[static INCIDENT_LEN + 1], struct diag *diag)
{
	const struct entry e = { .action = EVENT_REVEALED, .word = "was shown", .about = s->about, .reason = reason, .subject = s,
		.more = "" };
	struct opened o[REVEAL_TOKENS];
	enum reveal_result result;

	reason = slice_trim(reason);
	if (reason.len == 0 || reason.len > REVEAL_REASON_MAX)
		return refuse(r, s->about, (struct slice){ 0 }, s, reason.len == 0 ? "a reason is needed" : "the reason is too long", diag);
	if (s->n == 0)
		return refuse(r, s->about, reason, s, "there is no pseudonym in it", diag);
	if (open_all(r, s, o) == 0)
		result = refuse(r, s->about, reason, s, pseudonym_opened_text(o[0].result), diag);
	else if ((result = agreed(r, s, reason, id, diag)) == REVEAL_SHOWN && record(r, &e, id, diag) == -1)
		result = REVEAL_TROUBLE;
	for (size_t i = 0; result == REVEAL_SHOWN && i < s->n && i < REVEAL_TOKENS; i++)
		show(arg, s->tokens[i], o[i].result, o[i].kind, buf_slice(&o[i].name));
	close_all(s, o);
	return result;
}

/* ---- deciding ---- */

/* "uid" of "uid=1000". */
static struct slice
way_in(const char *by)
{
	struct slice way;

	slice_cut(slice_str(by), '=', &way, NULL);
	return way;
}

/* Why R->by cannot decide about REQUEST, or NULL. */
static const char *
obstacle(const struct reveal *r, const json_t *one, bool approve)
{
	const char *by = text_of(one, "by");

	if (one == NULL)
		return "there is no such request, or its time is over";
	if (!approve)
		return NULL;			/* to take one's own back is fine */
	if (strcmp(by, r->by) == 0)
		return "nobody approves his own request";
	if (!slice_eq(way_in(by), way_in(r->by)))
		return "the request was made another way, so that it is not known whether you are somebody else";
	return json_object_get(one, "approved_by") != NULL ? "it is approved already" : NULL;
}

static void
take_subject(const json_t *one, struct reveal_subject *s)
{
	const json_t *tokens = json_object_get(one, "tokens");

	*s = (struct reveal_subject){ .about = slice_str(text_of(one, "about")) };
	for (size_t i = 0; i < json_array_size(tokens) && s->n < REVEAL_TOKENS; i++)
		s->tokens[s->n++] = slice_str(json_string_value(json_array_get(tokens, i)));
}

static enum reveal_result
decide(const struct reveal *r, struct requests *q, const char *id, bool approve, struct slice reason, struct diag *diag)
{
	struct entry e = { .action = approve ? EVENT_REVEAL_APPROVED : EVENT_REVEAL_DENIED, .about = slice_str(id), .reason = reason,
		.word = approve ? "approved that somebody is shown" : "denied that somebody is shown" };
	char event[INCIDENT_LEN + 1], more[MESSAGE_MAX / 2];
	struct reveal_subject s;
	const char *why;
	json_t *one;
	size_t at;

	forget_old(q->all, r->now_ms);
	one = request_by_id(q, id, &at);
	if ((why = obstacle(r, one, approve)) != NULL)
		return refuse(r, slice_str(id), reason, NULL, why, diag);
	take_subject(one, &s);
	snprintf(more, sizeof(more), ", as %s asked", text_of(one, "by"));
	e.subject = &s;
	e.more = more;
	if (record(r, &e, event, diag) == -1)
		return REVEAL_TROUBLE;
	if (!approve)
		json_array_remove(q->all, at);
	else if (json_object_set_new(one, "approved_by", json_string(r->by)) == -1 ||
	    json_object_set_new(one, "ends", json_integer(r->now_ms + r->life_s * MS)) == -1) {
		diag_error(diag, "out of memory");
		return REVEAL_TROUBLE;
	}
	return requests_save(q, diag) == -1 ? REVEAL_TROUBLE : REVEAL_DONE;
}

enum reveal_result
reveal_decide(const struct reveal *r, const char *id, bool approve, struct slice reason, struct diag *diag)
{
	enum reveal_result result = REVEAL_TROUBLE;
	struct requests q;

	if (reason.len > REVEAL_REASON_MAX)
		diag_error(diag, "the reason is too long");
	else {
		if (requests_open(r, &q, diag) == 0)
			result = decide(r, &q, id, approve, slice_trim(reason), diag);
		requests_close(&q);
	}
	return result;
}

int
reveal_list(const struct reveal *r, reveal_visit *visit, void *arg, struct diag *diag)
{
	struct requests q;
	int result = requests_open(r, &q, diag);

	if (result == 0)
		forget_old(q.all, r->now_ms);
	for (size_t i = 0; result == 0 && i < json_array_size(q.all); i++) {
		const json_t *one = json_array_get(q.all, i);
		struct reveal_subject s;
		struct reveal_request request = { .id = text_of(one, "id"), .about = text_of(one, "about"), .by = text_of(one, "by"),
			.reason = text_of(one, "reason"), .approved_by = json_string_value(json_object_get(one, "approved_by")),
			.made_ms = number_of(one, "made"), .ends_ms = number_of(one, "ends"), .tokens = s.tokens };

		take_subject(one, &s);
		request.n = s.n;
		visit(arg, &request);
	}
	requests_close(&q);
	return result;
}
