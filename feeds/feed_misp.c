/* MISP: events in the core format's JSON.
 *
 *	{"Event": {"info": "...", "Attribute": [{...}], "Object": [{"name": "file", "Attribute": [{...}]}]}}
 *	{"response": [{"Event": ...}]}, [{"Event": ...}] or {"response": {"Attribute": [...]}}: as the API answers */
#include "feeds/feed_part.h"

#include <stdlib.h>

#include "hashdb/hashdb.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum { INFO_MAX = 200, INFOS_MAX = 16 << 20, NOTE_MAX = 2 * INFO_MAX };

/* What an event is called, where that stands behind what it has. */
struct info {
	uint64_t	event;		/* the how manieth of the file, from 1 */
	size_t		at, len;	/* in TEXTS */
};

struct misp_state {
	uint64_t	events;
	struct buf	infos, texts;	/* struct info, in order; of a preview */
	size_t		next;		/* of INFOS */
	struct buf	info;		/* of the event that is read */
	struct buf	note;
};

/* ---- what stands in an attribute ---- */

enum what { WHAT_DIGEST, WHAT_NAMED_DIGEST, WHAT_HOST, WHAT_HOST_IP, WHAT_URL, WHAT_IP, WHAT_PORT, WHAT_SIZE, WHAT_FILE_NAME };

/* All other types are for others; many look like digests of files, and are those of parts or likenesses: imphash, ssdeep. */
static const struct type {
	const char	*name;
	enum what	 what;
	enum digest_alg	 alg;
} types[] = {
	{ "md5", WHAT_DIGEST, DIGEST_MD5 }, { "sha1", WHAT_DIGEST, DIGEST_SHA1 }, { "sha256", WHAT_DIGEST, DIGEST_SHA256 },
	{ "filename|md5", WHAT_NAMED_DIGEST, DIGEST_MD5 }, { "filename|sha1", WHAT_NAMED_DIGEST, DIGEST_SHA1 },
	{ "filename|sha256", WHAT_NAMED_DIGEST, DIGEST_SHA256 }, { "malware-sample", WHAT_NAMED_DIGEST, DIGEST_MD5 },
	{ "domain", WHAT_HOST, DIGEST_MD5 }, { "hostname", WHAT_HOST, DIGEST_MD5 }, { "domain|ip", WHAT_HOST_IP, DIGEST_MD5 },
	{ "url", WHAT_URL, DIGEST_MD5 }, { "ip-dst", WHAT_IP, DIGEST_MD5 }, { "ip-dst|port", WHAT_PORT, DIGEST_MD5 },
	{ "hostname|port", WHAT_PORT, DIGEST_MD5 }, { "size-in-bytes", WHAT_SIZE, DIGEST_MD5 },
	{ "filename", WHAT_FILE_NAME, DIGEST_MD5 },
};

static const struct type *
type_of(const json_t *a)
{
	char room[JSON_NUMBER];
	struct slice name = json_text(a, "type", room);

	for (size_t i = 0; i < COUNT(types); i++)
		if (slice_eq(name, slice_str(types[i].name)))
			return &types[i];
	return NULL;
}

static bool
is_deleted(const json_t *o)
{
	return json_is_set(o, "deleted");
}

/* An analyst says that it is something to look for. */
static bool
is_wanted(const json_t *a)
{
	return json_is_set(a, "to_ids") && !is_deleted(a);
}

/* "NAME|REST" at its last bar: a file's name may have others. */
static struct slice
behind_bar(struct slice value, struct slice *name)
{
	size_t n = value.len;

	while (n > 0 && value.p[n - 1] != '|')
		n--;
	*name = slice_head(value, n > 0 ? n - 1 : 0);
	return slice_skip(value, n);
}

/* "a.example|192.0.2.7": the name is what is looked for, and the address where it was; others may be there, too. */
static int
give_host_of_pair(struct feed *f, struct slice value)
{
	struct slice host;

	if (!slice_cut(value, '|', &host, NULL))
		return feed_bad(f, f->at.col, "no bar between the two values");
	return feed_name(f, (struct cell){ host, f->at.col }, SLICE(""));
}

/* "192.0.2.7|443", which older versions write with a colon. */
static int
give_with_port(struct feed *f, struct slice value)
{
	struct slice host, port;
	uint64_t ignored;

	if (!slice_cut(value, '|', &host, &port))
		return feed_with_port(f, (struct cell){ value, f->at.col });
	if (slice_u64(port, &ignored) == -1)
		return feed_bad(f, f->at.col, "the port is no number");
	if (!f->options.ports)
		return feed_skip(f);
	return feed_name(f, (struct cell){ host, f->at.col }, SLICE(""));
}

/* VALUE of TYPE, by itself. */
static int
give_value(struct feed *f, const struct type *type, struct slice value)
{
	struct cell cell = { value, f->at.col };
	struct slice name = SLICE("");

	f->shown = value;
	switch (type->what) {
	case WHAT_NAMED_DIGEST:
		cell.text = behind_bar(value, &name);
		return feed_digest_as(f, type->alg, cell, HASHDB_SIZE_ANY, name);
	case WHAT_DIGEST:
		return feed_digest_as(f, type->alg, cell, HASHDB_SIZE_ANY, name);
	case WHAT_HOST:
		return feed_name(f, cell, name);
	case WHAT_HOST_IP:
		return give_host_of_pair(f, value);
	case WHAT_URL:
		return feed_url(f, cell, name);
	case WHAT_IP:
		return feed_ip(f, cell);
	case WHAT_PORT:
		return give_with_port(f, value);
	default:
		return feed_skip(f);
	}
}

/* What people are told of the entry: the event, and what was said of this one. */
static void
set_note(struct feed *f, const json_t *o)
{
	struct misp_state *s = f->state;
	char room[JSON_NUMBER];
	struct slice comment = slice_head(slice_trim(json_text(o, "comment", room)), INFO_MAX);

	buf_reset(&s->note);
	buf_add_slice(&s->note, buf_slice(&s->info));
	if (s->note.len > 0 && comment.len > 0)
		buf_add_str(&s->note, ": ");
	buf_add_slice(&s->note, comment);
	f->note = s->note.failed ? SLICE("") : buf_slice(&s->note);
}

static int
read_attribute(struct feed *f, const json_t *a)
{
	const struct type *type = type_of(a);
	char room[JSON_NUMBER];

	if (type == NULL || !is_wanted(a))
		return feed_skip(f);
	set_note(f, a);
	return give_value(f, type, slice_trim(json_text(a, "value", room)));
}

/* ---- objects ---- */

/* A file object while it is read. */
struct file {
	unsigned	 n[DIGEST_ALGS];	/* digests that are wanted */
	uint64_t	 size;
	bool		 has_size, sizes_differ, is_good;
	char		 room[JSON_NUMBER];
	struct slice	 name;
};

/* The attribute is what its object's template calls so: "md5" of the file, and not of something in it. */
static bool
is_its_own(const json_t *a, const struct type *type)
{
	char room[JSON_NUMBER];
	struct slice relation = json_text(a, "object_relation", room);

	return relation.len == 0 || slice_eq(relation, slice_str(type->name));
}

static void
note_size(struct file *file, const json_t *a)
{
	char room[JSON_NUMBER];
	uint64_t size;

	if (slice_u64(slice_trim(json_text(a, "value", room)), &size) == -1 || size == 0 || size > HASHDB_SIZE_MAX)
		return;
	file->sizes_differ = file->sizes_differ || (file->has_size && file->size != size);
	file->has_size = true;
	file->size = size;
}

/* What A says of the file. */
static void
look_at(struct file *file, const json_t *a)
{
	const struct type *type = type_of(a);
	char room[JSON_NUMBER], other[JSON_NUMBER];
	struct slice state = json_text(a, "value", room);

	if (is_deleted(a))
		return;
	if (slice_eq(json_text(a, "object_relation", other), SLICE("state")))
		file->is_good = file->is_good || slice_ieq(state, SLICE("Harmless")) || slice_ieq(state, SLICE("Trusted"));
	if (type == NULL || !is_its_own(a, type))
		return;
	if (type->what == WHAT_SIZE)
		note_size(file, a);
	else if (type->what == WHAT_FILE_NAME && file->name.len == 0)
		file->name = json_text(a, "value", file->room);
	else if (type->what <= WHAT_NAMED_DIGEST)
		file->n[type->alg] += is_wanted(a);
}

/* Every digest of ALG in LIST, for FILE. */
static int
give_digests(struct feed *f, const struct file *file, const json_t *list, enum digest_alg alg)
{
	/* Of several files nobody knows which one has that size. */
	uint64_t size = file->n[alg] == 1 && file->has_size && !file->sizes_differ ? file->size : HASHDB_SIZE_ANY;
	const json_t *a;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, a) {
		const struct type *type = type_of(a);
		char room[JSON_NUMBER];
		struct slice hex = slice_trim(json_text(a, "value", room)), name = SLICE("");

		if (r != 0 || type == NULL || type->what > WHAT_NAMED_DIGEST || type->alg != alg || !is_wanted(a) || !is_its_own(a, type))
			continue;
		f->shown = hex;
		if (type->what == WHAT_NAMED_DIGEST)
			hex = behind_bar(hex, &name);
		r = feed_digest_as(f, type->alg, (struct cell){ hex, f->at.col }, size, name.len > 0 ? name : file->name);
	}
	return r;
}

/* One file: its longest digest, with its size. */
static int
read_file(struct feed *f, const json_t *list)
{
	struct file file = { .size = 0 };
	const json_t *a;
	size_t i;

	json_array_foreach(list, i, a)
		look_at(&file, a);
	for (int alg = DIGEST_ALGS - 1; alg >= 0 && !file.is_good; alg--)
		if (file.n[alg] > 0)
			return give_digests(f, &file, list, (enum digest_alg)alg);
	return feed_skip(f);
}

/* LIST has a port, so that an address in it means that port alone. */
static bool
has_port(const json_t *list)
{
	const json_t *a;
	char room[JSON_NUMBER];
	size_t i;

	json_array_foreach(list, i, a)
		if (!is_deleted(a) && slice_eq(json_text(a, "type", room), SLICE("port")))
			return true;
	return false;
}

/* The attributes of LIST that are WHAT, each by itself. */
static int
give_each(struct feed *f, const json_t *list, enum what what)
{
	uint64_t before = f->counts.entries + f->counts.bad;
	const json_t *a;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, a) {
		const struct type *type = type_of(a);
		char room[JSON_NUMBER];

		if (r == 0 && type != NULL && type->what == what && is_wanted(a)) {
			set_note(f, a);
			r = give_value(f, type, slice_trim(json_text(a, "value", room)));
		}
	}
	return f->counts.entries + f->counts.bad == before ? feed_skip(f) : r;
}

/* Of other objects it is not known what their attributes are of: the digests of a section are none of a file, and the name server
 * of a domain is not bad. */
static int
read_object(struct feed *f, const json_t *o)
{
	const json_t *list = json_object_get(o, "Attribute");
	char room[JSON_NUMBER];
	struct slice name = json_text(o, "name", room);

	if (is_deleted(o))
		return feed_skip(f);
	set_note(f, o);
	if (slice_eq(name, SLICE("file")))
		return read_file(f, list);
	if (slice_eq(name, SLICE("url")))
		return give_each(f, list, WHAT_URL);
	if (slice_eq(name, SLICE("domain-ip")))
		return has_port(list) && !f->options.ports ? feed_skip(f) : give_each(f, list, WHAT_HOST);
	if (slice_eq(name, SLICE("ip-port")))
		return has_port(list) && !f->options.ports ? feed_skip(f) : give_each(f, list, WHAT_IP);
	return feed_skip(f);
}

/* ---- events ---- */

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
	struct slice text = slice_head(slice_trim(slice_str(json_string_value(j))), INFO_MAX);
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
	return is(key_above(p, 1), "Object") ? read_object(f, j) : read_attribute(f, j);
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
		buf_init(&s->info, INFO_MAX);
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
