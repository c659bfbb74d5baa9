/* MISP: attributes, and objects, which have some. */
#include "feeds/feed_misp_part.h"

#include "base/count.h"
#include "hashdb/hashdb.h"

/* ---- attributes ---- */

enum what { WHAT_DIGEST, WHAT_NAMED_DIGEST, WHAT_HOST, WHAT_HOST_IP, WHAT_URL, WHAT_IP, WHAT_PORT, WHAT_SIZE, WHAT_FILE_NAME };

/* All other types are for others; many look like digests of files, and are those of parts or likenesses: imphash, ssdeep. */
static const struct type {
	const char	*name;
	enum what	 what;
	enum digest_alg	 alg;	/* of a digest */
} types[] = {
	{ "md5", WHAT_DIGEST, DIGEST_MD5 }, { "sha1", WHAT_DIGEST, DIGEST_SHA1 }, { "sha256", WHAT_DIGEST, DIGEST_SHA256 },
	{ "filename|md5", WHAT_NAMED_DIGEST, DIGEST_MD5 }, { "filename|sha1", WHAT_NAMED_DIGEST, DIGEST_SHA1 },
	{ "filename|sha256", WHAT_NAMED_DIGEST, DIGEST_SHA256 }, { "malware-sample", WHAT_NAMED_DIGEST, DIGEST_MD5 },
	{ .name = "domain", .what = WHAT_HOST }, { .name = "hostname", .what = WHAT_HOST },
	{ .name = "domain|ip", .what = WHAT_HOST_IP }, { .name = "url", .what = WHAT_URL }, { .name = "ip-dst", .what = WHAT_IP },
	{ .name = "ip-dst|port", .what = WHAT_PORT }, { .name = "hostname|port", .what = WHAT_PORT },
	{ .name = "size-in-bytes", .what = WHAT_SIZE }, { .name = "filename", .what = WHAT_FILE_NAME },
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
is_digest(const struct type *type)
{
	return type->what == WHAT_DIGEST || type->what == WHAT_NAMED_DIGEST;
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
	struct slice comment = slice_head(slice_trim(json_text(o, "comment", room)), MISP_INFO_MAX);

	buf_reset(&s->note);
	buf_add_slice(&s->note, buf_slice(&s->info));
	if (s->note.len > 0 && comment.len > 0)
		buf_add_str(&s->note, ": ");
	buf_add_slice(&s->note, comment);
	f->note = s->note.failed ? SLICE("") : buf_slice(&s->note);
}

int
feed_misp_attribute(struct feed *f, const json_t *a)
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
	else if (is_digest(type))
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

		if (r != 0 || type == NULL || !is_digest(type) || type->alg != alg || !is_wanted(a) || !is_its_own(a, type))
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
int
feed_misp_object(struct feed *f, const json_t *o)
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
