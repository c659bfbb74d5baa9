/* MISP: events in the core format's JSON.
 *
 *	{"Event": {"info": "...", "Attribute": [{...}], "Object": [{"name": "file", "Attribute": [{...}]}]}}
 *	{"response": [{"Event": ...}]}, [{"Event": ...}] or {"response": {"Attribute": [...]}}: as the API answers */
#include "feeds/feed_misp_part.h"

#include <stdlib.h>

enum { INFOS_MAX = 16 << 20, NOTE_MAX = 2 * MISP_INFO_MAX };

/* What an event is called, where that stands behind what it has. */
struct info {
	uint64_t	event;		/* its number in the file, from 1 */
	size_t		at, len;	/* in TEXTS */
};

static void
begin_event(struct misp_state *s)
{
	struct info info;

	s->events++;
	buf_reset(&s->info);
	while (s->next + sizeof(info) <= s->infos.len) {
		memcpy(&info, s->infos.p + s->next, sizeof(info));
		if (info.event > s->events)
			return;
		if (info.event == s->events)
			buf_add(&s->info, s->texts.p + info.at, info.len);
		s->next += sizeof(info);
	}
}

static void
note_info(struct feed *f, const json_t *j)
{
	struct misp_state *s = f->state;
	struct slice text = slice_head(slice_trim(slice_str(json_string_value(j))), MISP_INFO_MAX);
	struct info info = { s->events, s->texts.len, text.len };

	if (!f->previewing) {
		buf_reset(&s->info);
		buf_add_slice(&s->info, text);
	} else if (buf_add_slice(&s->texts, text) == 0)
		buf_add(&s->infos, &info, sizeof(info));
}

/* The key of the container that is N levels above the innermost; "" when there is none. */
static const char *
key_above(const struct json_pieces *p, size_t n)
{
	return n < p->n ? p->levels[p->n - 1 - n].key : "";
}

static bool
is(const char *key, const char *name)
{
	return strcmp(key, name) == 0;
}

/* A value under KEY of an object. */
static enum json_way
ask_member(struct feed *f, const struct json_pieces *p, const char *key, char first)
{
	if (first == '{' && is(key, "Event"))
		begin_event(f->state);
	if (is(key, "Event") || is(key, "response"))
		return JSON_ENTER;
	if (first == '[' && (is(key, "Attribute") || is(key, "Object")))
		return f->previewing ? JSON_SKIP : JSON_ENTER;
	return first == '"' && is(key, "info") && is(key_above(p, 1), "Event") ? JSON_TAKE : JSON_SKIP;
}

static enum json_way
ask(void *feed, const struct json_pieces *p, char first)
{
	const char *holder;

	if (p->n == 0)
		return JSON_ENTER;
	if (!p->levels[p->n - 1].is_array)
		return ask_member(feed, p, key_above(p, 0), first);
	holder = key_above(p, 1);
	if (first != '{')
		return JSON_SKIP;
	return is(holder, "Attribute") || is(holder, "Object") ? JSON_TAKE : JSON_ENTER;
}

static int
take(void *feed, const struct json_pieces *p, json_t *j, unsigned line, unsigned col)
{
	struct feed *f = feed;

	if (json_is_string(j)) {
		note_info(f, j);
		return 0;
	}
	feed_piece(f, line, col);
	return is(key_above(p, 1), "Object") ? feed_misp_object(f, j) : feed_misp_attribute(f, j);
}

static int
begin(struct feed *f)
{
	static const struct json_reader reader = { ask, take, feed_json_bad };
	struct misp_state *s = f->state;

	if (s == NULL) {
		if ((s = f->state = calloc(1, sizeof(*s))) == NULL)
			return -1;
		buf_init(&s->infos, INFOS_MAX);
		buf_init(&s->texts, INFOS_MAX);
		buf_init(&s->info, MISP_INFO_MAX);
		buf_init(&s->note, NOTE_MAX + sizeof(": "));
	}
	s->events = 0;
	s->next = 0;
	buf_reset(&s->info);
	feed_json_begin(f, &reader);
	return 0;
}

static void
fini(struct feed *f)
{
	struct misp_state *s = f->state;

	feed_json_fini(f);
	if (s == NULL)
		return;
	buf_fini(&s->infos);
	buf_fini(&s->texts);
	buf_fini(&s->info);
	buf_fini(&s->note);
	free(s);
}

const struct feed_stream feed_misp = { begin, feed_json_put, feed_json_end, fini, true };
