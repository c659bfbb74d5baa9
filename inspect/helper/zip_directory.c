/* A zip as those see it who begin at its end: end record, directory, local headers (APPNOTE.TXT 4.3).
 *
 * Of each entry a zip of its own is made, whose local header says what the directory says, and read from front to back: what a
 * local header lies about makes no difference then. */
#include <stdlib.h>

#include "base/bytes.h"
#include "inspect/helper/walk_part.h"

enum {
	END = 22, END_COMMENT_MAX = UINT16_MAX,
	LOCATOR = 20,			/* of zip64: right before the end record */
	END64 = 56,
	CENTRAL = 46, LOCAL = 30,
	ENDS_MAX = 16,			/* end records that may be meant, the others being in a comment */
	EXTRA_ZIP64 = 1, EXTRA64 = 20,
	SEARCHES_MAX = 16,
	PLACES_MAX = 6,			/* of the directory of one end record */
	FLAG_ENCRYPTED = 1, FLAG_SIZES_BEHIND = 8,
	VERSION_WRITTEN = 45,
};

struct central {
	uint64_t	packed, size, at;
	uint32_t	crc;
	uint16_t	method, flags;
	struct slice	name;
};

/* Where a directory is, and what is added to the offsets in it, modulo 2^64. */
struct place {
	uint64_t	at, base;
};

struct directory {
	struct walk	*w;
	struct source	*s;
	struct look	*look;
	unsigned	 depth;
	uint64_t	 limit;		/* entries are in front of this */
	struct place	 places[PLACES_MAX];
	size_t		 n_places;
	uint64_t	 base;		/* of the one that is read */
	unsigned	 searches;	/* that may still be made, for one that is at none of them */
	uint64_t	 n;
	bool		 partly;
	char		 text[2 * (UINT16_MAX + 1)];	/* name and extra field of the entry at hand */
};

/* LEN bytes at AT into P, all of them. */
static bool
read_at(struct source *s, uint64_t at, char *p, size_t len)
{
	return at <= s->pulled && len <= s->pulled - at && source_read_all(s, at, p, len) == (ssize_t)len;
}

static bool
has_magic(struct source *s, uint64_t at, const char magic[static 4])
{
	char got[4];

	return read_at(s, at, got, sizeof(got)) && memcmp(got, magic, sizeof(got)) == 0;
}

/* Sizes and offset that do not fit are in the extra field, in this order, those that are needed. */
static void
read_extra(struct central *c, struct slice extra)
{
	uint64_t *const wide[] = { &c->size, &c->packed, &c->at };

	while (extra.len >= 4) {
		uint64_t id = bytes_get(extra.p, 2), len = bytes_get(extra.p + 2, 2);
		struct slice field = slice_head(slice_skip(extra, 4), (size_t)len);

		for (size_t i = 0; id == EXTRA_ZIP64 && i < sizeof(wide) / sizeof(*wide); i++)
			if (*wide[i] == UINT32_MAX && field.len >= 8) {
				*wide[i] = bytes_get(field.p, 8);
				field = slice_skip(field, 8);
			}
		extra = slice_skip(extra, 4 + (size_t)len);
	}
}

/* The entry at *AT of the directory, which is moved behind it.  False: there is none. */
static bool
read_central(struct directory *d, uint64_t *at, struct central *c)
{
	char p[CENTRAL];
	size_t name_len, extra_len;

	if (!read_at(d->s, *at, p, sizeof(p)) || memcmp(p, "PK\x01\x02", 4) != 0)
		return false;
	name_len = bytes_get(p + 28, 2);
	extra_len = bytes_get(p + 30, 2);
	if (!read_at(d->s, *at + CENTRAL, d->text, name_len + extra_len))
		return false;
	*c = (struct central){ .flags = (uint16_t)bytes_get(p + 8, 2), .method = (uint16_t)bytes_get(p + 10, 2),
		.crc = (uint32_t)bytes_get(p + 16, 4), .packed = bytes_get(p + 20, 4), .size = bytes_get(p + 24, 4),
		.at = bytes_get(p + 42, 4), .name = slice_make(d->text, name_len) };
	read_extra(c, slice_make(d->text + name_len, extra_len));
	c->at += d->base;
	*at += CENTRAL + name_len + extra_len + bytes_get(p + 32, 2);
	return true;
}

static int
compare_offsets(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* It was read from front to back, by a local header P that says the same. */
static bool
was_read(const struct look *look, const struct central *c, const char *p)
{
	return (bytes_get(p + 6, 2) & FLAG_SIZES_BEHIND) == 0 && bytes_get(p + 8, 2) == c->method &&
	    bytes_get(p + 18, 4) == c->packed && bytes_get(p + 22, 4) == c->size && c->size != UINT32_MAX &&
	    look->n_entries > 0 && bsearch(&c->at, look->entries, look->n_entries, sizeof(*look->entries), compare_offsets) != NULL;
}

/* A local header with what the directory says. */
static size_t
make_header(const struct central *c, char *out)
{
	char *p = out + LOCAL;

	memset(out, 0, LOCAL);
	memcpy(out, "PK\x03\x04", 4);
	bytes_put(out + 4, VERSION_WRITTEN, 2);
	bytes_put(out + 6, c->flags & ~(unsigned)FLAG_SIZES_BEHIND, 2);
	bytes_put(out + 8, c->method, 2);
	bytes_put(out + 14, c->crc, 4);
	bytes_put(out + 18, UINT32_MAX, 4);
	bytes_put(out + 22, UINT32_MAX, 4);
	bytes_put(out + 26, c->name.len, 2);
	bytes_put(out + 28, EXTRA64, 2);
	if (c->name.len > 0)
		memcpy(p, c->name.p, c->name.len);
	p += c->name.len;
	bytes_put(p, EXTRA_ZIP64, 2);
	bytes_put(p + 2, EXTRA64 - 4, 2);
	bytes_put(p + 4, c->size, 8);
	bytes_put(p + 12, c->packed, 8);
	return (size_t)(p + EXTRA64 - out);
}

/* Read an entry that may be another than what stands in front of it. */
static void
read_again(struct directory *d, const struct central *c, uint64_t data_at)
{
	char *header = malloc(LOCAL + c->name.len + EXTRA64);
	struct slice h;
	enum unpacked u;
	bool known;

	if (header == NULL) {
		walk_stop(d->w, UNSCANNABLE_BYTES);
		return;
	}
	h = slice_make(header, make_header(c, header));
	/* Only its digest first: what is in it would be walked through once more at each depth. */
	u = unpack_zip_entry(d->w, d->s, h, data_at, c->packed, d->depth, true, &known, d->look);
	if (!known && walk_count(d->w))
		u = unpack_zip_entry(d->w, d->s, h, data_at, c->packed, d->depth, false, &known, d->look);
	d->partly |= u != UNPACKED_ALL;
	free(header);
}

/* The local header P of the entry says another method than the directory: some believe that one. */
static void
read_as_local(struct directory *d, const struct central *c, const char *p, uint64_t data_at)
{
	struct central local = *c;

	local.method = (uint16_t)bytes_get(p + 8, 2);
	if ((bytes_get(p + 6, 2) & FLAG_SIZES_BEHIND) == 0) {
		local.crc = (uint32_t)bytes_get(p + 14, 4);
		local.size = bytes_get(p + 22, 4);
	}
	read_again(d, &local, data_at);
}

static void
read_one(struct directory *d, const struct central *c)
{
	char p[LOCAL];
	uint64_t data_at;

	if ((c->flags & FLAG_ENCRYPTED) != 0)
		walk_unscannable(d->w, UNSCANNABLE_ENCRYPTED);
	else if (!read_at(d->s, c->at, p, sizeof(p)) || memcmp(p, "PK\x03\x04", 4) != 0)
		d->partly = true;
	else if (!was_read(d->look, c, p) && (c->size > 0 || c->packed > 0)) {
		data_at = c->at + LOCAL + bytes_get(p + 26, 2) + bytes_get(p + 28, 2);
		if (data_at <= d->limit && c->packed <= d->limit - data_at) {
			read_again(d, c, data_at);
			if (bytes_get(p + 8, 2) != c->method)
				read_as_local(d, c, p, data_at);
		} else
			d->partly = true;
	}
}

/* A directory may be at AT, before END_AT: its end record says OFFSET. */
static void
add_place(struct directory *d, uint64_t end_at, uint64_t at, uint64_t offset)
{
	if (at >= end_at || d->n_places == PLACES_MAX || !has_magic(d->s, at, "PK\x01\x02"))
		return;
	for (size_t i = 0; i < d->n_places; i++)
		if (d->places[i].at == at && d->places[i].base == at - offset)
			return;
	d->places[d->n_places++] = (struct place){ at, at - offset };
}

/* Where the directory may be, whose end is at END_AT, as SIZE and OFFSET in its end record say. */
static void
add_places(struct directory *d, uint64_t end_at, uint64_t size, uint64_t offset)
{
	/* Right before its end, whatever stands in front of the zip; or where it says, from the file's start or the zip's. */
	add_place(d, end_at, end_at - size, offset);
	add_place(d, end_at, offset, offset);
	add_place(d, end_at, d->look->from + offset, offset);
}

/* The last one before END_AT of which the first entry is where it says. */
static void
search_place(struct directory *d, uint64_t end_at, uint64_t offset)
{
	enum { WITHIN = 32 * 1024 };
	uint64_t from = end_at > WITHIN ? end_at - WITHIN : 0;
	size_t len;
	char *p;

	if (from < d->look->from)
		from = d->look->from;
	if (d->searches == 0 || from >= end_at)
		return;
	d->searches--;
	len = (size_t)(end_at - from);
	p = malloc(len);
	if (p != NULL && read_at(d->s, from, p, len))
		for (size_t i = len < CENTRAL ? 0 : len - CENTRAL + 1; i-- > 0 && d->n_places == 0; )
			if (memcmp(p + i, "PK\x01\x02", 4) == 0 &&
			    has_magic(d->s, from + i - offset + bytes_get(p + i + 42, 4), "PK\x03\x04"))
				add_place(d, end_at, from + i, offset);
	free(p);
}

/* What the end record P at AT says, and that of zip64 if it has one: not all believe the same.  False: there is no directory. */
static bool
read_end(struct directory *d, uint64_t at, const char *p)
{
	uint64_t size = bytes_get(p + 12, 4), offset = bytes_get(p + 16, 4), end64;
	char locator[LOCATOR], wide[END64];

	d->n_places = 0;
	if (at >= LOCATOR && read_at(d->s, at - LOCATOR, locator, LOCATOR) && memcmp(locator, "PK\x06\x07", 4) == 0) {
		end64 = bytes_get(locator + 8, 8);
		if (!has_magic(d->s, end64, "PK\x06\x06"))
			end64 = at - LOCATOR - END64;
		if (read_at(d->s, end64, wide, sizeof(wide)) && memcmp(wide, "PK\x06\x06", 4) == 0)
			add_places(d, end64, bytes_get(wide + 40, 8), bytes_get(wide + 48, 8));
	}
	add_places(d, at, size, offset);
	if (d->n_places == 0)
		search_place(d, at, offset);
	return d->n_places > 0;
}

static void
read_directory(struct directory *d, uint64_t at)
{
	struct central c;

	while (!d->w->stopped && read_central(d, &at, &c)) {
		if (walk_too_deep(d->w, d->depth)) {
			walk_unscannable(d->w, UNSCANNABLE_DEPTH);
			return;
		}
		if (++d->n > d->w->wish->limits.members) {
			walk_stop(d->w, UNSCANNABLE_MEMBERS);
			return;
		}
		read_one(d, &c);
	}
}

static void
sort_entries(struct look *look)
{
	if (look->n_entries > 0)
		qsort(look->entries, look->n_entries, sizeof(*look->entries), compare_offsets);
}

/* Read the directory at each of the places that were found for the end record at END_AT. */
static void
read_whole(struct directory *d, uint64_t end_at)
{
	bool partly = d->partly, in_entry = end_at >= d->look->zip_from && end_at < d->look->zip_to;

	d->partly = false;
	d->w->in_pieces += in_entry || !d->look->zip_alone;
	for (size_t i = 0; i < d->n_places; i++) {
		d->base = d->places[i].base;
		read_directory(d, d->places[i].at);
	}
	d->w->in_pieces -= in_entry || !d->look->zip_alone;
	if (!d->partly && end_at > d->look->zip_end) {
		d->look->zip_end = end_at;
		d->look->zip_from = d->places[0].base;
		d->look->zip_to = d->places[0].at;
	} else if (in_entry)
		d->partly = false;	/* It is in an entry, which may have been cut into blocks that could not be made smaller. */
	d->partly |= partly;
}

/* Not what is further ahead than S has come: who waits for that does not see what comes before. */
void
zip_end_passed(struct walk *w, struct source *s, uint64_t at, unsigned depth, struct look *look)
{
	struct directory *d;
	char p[END];

	if (look->zip_ends == ENDS_MAX || !read_at(s, at, p, sizeof(p)) || (d = malloc(sizeof(*d))) == NULL)
		return;
	*d = (struct directory){ .w = w, .s = s, .look = look, .depth = depth, .limit = at };
	sort_entries(look);
	if (read_end(d, at, p)) {
		look->zip_ends++;
		read_whole(d, at);
	}
	free(d);
}

/* N end records were read, and another is at P, LEN bytes before the end.  Those whose comment ends there are meant, and many are
 * a sign that something is hidden. */
static bool
is_one_too_many(struct directory *d, size_t n, size_t len, const char *p)
{
	bool exact = END + bytes_get(p + 20, 2) == len;

	if (n >= 2 * ENDS_MAX && exact)
		d->partly = true;
	return n >= 2 * ENDS_MAX || (n >= ENDS_MAX && !exact);
}

enum unpacked
zip_directory(struct walk *w, struct source *s, unsigned depth, struct look *look)
{
	uint64_t from = s->pulled > END + END_COMMENT_MAX ? s->pulled - END - END_COMMENT_MAX : 0;
	struct directory *d = malloc(sizeof(*d));
	char *tail = malloc(END + END_COMMENT_MAX);
	enum unpacked result;
	size_t len, found = 0;

	if (from < look->from)
		from = look->from;
	len = s->pulled > from ? (size_t)(s->pulled - from) : 0;
	if (d == NULL || tail == NULL || !read_at(s, from, tail, len)) {
		free(d);
		free(tail);
		return UNPACKED_NOTHING;
	}
	*d = (struct directory){ .w = w, .s = s, .look = look, .depth = depth, .limit = UINT64_MAX,
		.searches = SEARCHES_MAX };
	sort_entries(look);
	for (size_t i = len < END ? 0 : len - END + 1; i-- > 0 && !w->stopped; )
		if (memcmp(tail + i, "PK\x05\x06", 4) == 0 && is_one_too_many(d, found, len - i, tail + i))
			continue;
		else if (from + i == look->zip_end && look->zip_end > 0)
			found++;
		else if (memcmp(tail + i, "PK\x05\x06", 4) == 0 && read_end(d, from + i, tail + i)) {
			found++;
			read_whole(d, from + i);
		}
	result = found == 0 ? UNPACKED_NOTHING : d->partly ? UNPACKED_PART : UNPACKED_ALL;
	free(tail);
	free(d);
	return result;
}
