#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "inspect/helper/walk_part.h"
#include "inspect/tar_sum.h"

enum {
	WARNINGS_MAX = 64,	/* of one entry, before it is given up */
	EMPTY_MAX = 4096,	/* blocks without bytes, one after another */
	RETRIES_MAX = 8,
};

/* Records of a pax header: "LENGTH KEY=VALUE\n". */
struct pax {
	bool		 global;
	uint64_t	 left;		/* bytes of the header that are to come */
	uint64_t	 rest;		/* of a record; 0: its length is not known yet */
	uint64_t	 len, digits;	/* as far as it has come */
	size_t		 n;
	char		 start[32];	/* behind the length */
	bool		 sized;		/* one said the size of the entry that follows */
	uint64_t	 size;
};

/* Where libarchive is in a tar. */
struct tar_view {
	bool		 doubtful;	/* others read it in another way */
	bool		 header;	/* it wants an entry's header, before which others may stand that say more of it */
	uint64_t	 skip;		/* blocks of one of those */
	struct pax	 pax;
	uint64_t	 size, data_at;	/* of the entry, as its header says */
	uint64_t	 data_end;	/* up to here libarchive wants nothing but data */
};

/* What libarchive reads: HEAD, then LEN bytes of S from BASE on, then TAIL. */
struct view {
	struct source	*s;
	uint64_t	 base, len, at;
	struct slice	 head, tail;
	bool		 forget;	/* nothing is read twice */
	struct tar_view	 tar;
	size_t		 pos, have;	/* of BUF, when it is a tar */
	char		 buf[SOURCE_BLOCK];
};

static la_ssize_t
view_read(struct archive *a, void *arg, const void **out)
{
	struct view *v = arg;
	uint64_t at = v->at - v->head.len;
	struct slice rest = slice_skip(v->head, (size_t)v->at);
	ssize_t n = 0;

	(void)a;
	if (v->at >= v->head.len && at < v->len) {
		if (v->forget)
			source_pass(v->s, v->base + at);
		n = source_read(v->s, v->base + at, v->buf, v->len - at < sizeof(v->buf) ? (size_t)(v->len - at) : sizeof(v->buf));
		if (n < 0)
			return ARCHIVE_FATAL;
		if (n == 0)
			v->len = at;
		rest = n == 0 ? v->tail : slice_make(v->buf, (size_t)n);
	} else if (v->at >= v->head.len)
		rest = slice_skip(v->tail, (size_t)(at - v->len));
	v->at += rest.len;
	*out = rest.p;
	return (la_ssize_t)rest.len;
}

/* A number of a tar's header, as libarchive has it: octal, or base 256. */
static uint64_t
tar_number(const char *p, size_t len)
{
	uint64_t v = 0;
	size_t i = 0;

	if (((uint8_t)p[0] & 0x80) != 0) {
		for (i = len - sizeof(v); i < len; i++)
			v = v << 8 | (uint8_t)p[i];
		return v;
	}
	while (i < len && (p[i] == ' ' || p[i] == '\t'))
		i++;
	for (; i < len && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	return v;
}

/* A record has come, of which P are the first bytes behind its length.  False: not all read it in one way. */
static bool
pax_record(struct pax *x, struct slice p)
{
	uint64_t size = 0;

	if (p.len == 0 || p.p[0] == ' ' || p.p[0] == '\t' || slice_starts(p, SLICE("size\0")))
		return false;
	if (!slice_starts(p, SLICE("size=")))
		return true;
	p = slice_skip(p, 5);
	if (x->global || p.len < 2 || p.len > 20)
		return false;
	for (; p.len > 1; p = slice_skip(p, 1)) {
		if (p.p[0] < '0' || p.p[0] > '9')
			return false;
		size = 10 * size + (uint64_t)(p.p[0] - '0');
	}
	if (x->sized && x->size != size)
		return false;
	x->sized = true;
	x->size = size;
	return true;
}

/* The next byte of a header's records.  False: they make no sense. */
static bool
pax_byte(struct pax *x, char c)
{
	enum { DIGITS_MAX = 9 };

	if (x->rest == 0) {
		if (c >= '0' && c <= '9' && x->digits < DIGITS_MAX) {
			x->len = 10 * x->len + (uint64_t)(c - '0');
			x->digits++;
			return true;
		}
		if (c != ' ' || x->len <= x->digits + 1)
			return false;
		x->rest = x->len - x->digits - 1;
		x->len = x->digits = x->n = 0;
		return true;
	}
	if (x->n < sizeof(x->start))
		x->start[x->n++] = c;
	return --x->rest > 0 || (c == '\n' && pax_record(x, slice_make(x->start, x->n)));
}

/* More of a header's records.  False: not all read them in one way. */
static bool
pax_block(struct pax *x, struct slice block)
{
	for (size_t i = 0; i < block.len && x->left > 0; i++) {
		x->left--;
		if (!pax_byte(x, block.p[i])) {
			x->left = 0;
			return false;
		}
	}
	return x->left > 0 || (x->rest == 0 && x->digits == 0);
}

static bool
is_among(char c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

/* The header P is about to be read.  libarchive takes its sum in few forms only. */
static void
tar_header(struct view *v, char *p)
{
	enum { SIZE_AT = 124, SIZE_LEN = 12, TYPE_AT = 156 };
	struct tar_view *t = &v->tar;
	bool weak, more;

	if (!tar_sum_holds(p, &weak))
		return;
	/* Where the holes are is said in GNU's way, but some believe that whatever the magic number is. */
	t->doubtful |= p[TYPE_AT] == 'S' && memcmp(p + TAR_MAGIC_AT, "ustar  ", 7) != 0;
	tar_sum_write(p);
	t->data_at = v->at + TAR_BLOCK;
	t->size = tar_number(p + SIZE_AT, SIZE_LEN);
	t->header = more = is_among(p[TYPE_AT], "AKLVXgx");
	t->skip = more ? t->size / TAR_BLOCK + (t->size % TAR_BLOCK != 0) : 0;
	if (is_among(p[TYPE_AT], "Xgx")) {
		t->pax.left = t->size;
		t->pax.global = p[TYPE_AT] == 'g';
		t->pax.rest = t->pax.len = t->pax.digits = 0;
	} else if (!more) {
		t->doubtful |= t->pax.sized && t->pax.size != t->size;
		t->pax.sized = false;
	}
}

/* Have a whole block when it is a header, any bytes when not.  False when they cannot be read. */
static bool
tar_fill(struct view *v, bool header)
{
	while (v->have - v->pos < (header ? TAR_BLOCK : 1)) {
		ssize_t n;

		memmove(v->buf, v->buf + v->pos, v->have - v->pos);
		v->have -= v->pos;
		v->pos = 0;
		if (v->forget)
			source_pass(v->s, v->base + v->at);
		n = source_read(v->s, v->base + v->at + v->have, v->buf + v->have, sizeof(v->buf) - v->have);
		if (n < 0)
			return false;
		if (n == 0)
			break;
		v->have += (size_t)n;
	}
	return true;
}

/* Headers one by one, so that it is known which these are: they may be in data, too. */
static la_ssize_t
view_read_tar(struct archive *a, void *arg, const void **out)
{
	struct view *v = arg;
	struct tar_view *t = &v->tar;
	size_t in_block = (size_t)(v->at % TAR_BLOCK), n = TAR_BLOCK - in_block;
	bool header = t->header && in_block == 0 && v->at >= t->data_end;

	(void)a;
	if (!tar_fill(v, header))
		return ARCHIVE_FATAL;
	if (v->at < t->data_end)
		n = v->have - v->pos < t->data_end - v->at ? v->have - v->pos : (size_t)(t->data_end - v->at);
	else if (n > v->have - v->pos)
		n = v->have - v->pos;
	*out = v->buf + v->pos;
	if (header && t->skip > 0) {
		t->skip--;
		t->doubtful |= !pax_block(&t->pax, slice_make(v->buf + v->pos, n));
	} else if (header && n == TAR_BLOCK)
		tar_header(v, v->buf + v->pos);
	v->pos += n;
	v->at += n;
	return (la_ssize_t)n;
}

/* libarchive has come to the data of an entry of SIZE bytes.  What is sparse has less. */
static void
tar_data(struct view *v, int64_t size)
{
	v->tar.header = false;
	if (size > 0 && (uint64_t)size == v->tar.size)
		v->tar.data_end = v->tar.data_at + v->tar.size;
}

/* Only when all of it has been pulled, and there is neither HEAD nor TAIL. */
static la_int64_t
view_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct view *v = arg;
	uint64_t pulled = v->s->pulled - v->base;
	int64_t size = (int64_t)(pulled < v->len ? pulled : v->len);
	int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)v->at : size;

	(void)a;
	if (__builtin_add_overflow(from, offset, &offset) || offset < 0 || offset > size)
		return ARCHIVE_FATAL;
	v->at = (uint64_t)offset;
	return offset;
}

/* An empty directory of a zip, so that its reader sees an end, and what it wants to see of a descriptor. */
static const char zip_end[44] = "PK\x05\x06";

/* Where libarchive has no library for a filter it would run a program: it says so with a warning, and is not taken then. */
static bool
set_filter(struct archive *a, int (*filter)(struct archive *))
{
	return archive_read_support_format_raw(a) == ARCHIVE_OK && filter(a) == ARCHIVE_OK;
}

static bool
set_format(struct archive *a, enum kind kind)
{
	switch (kind) {
	case KIND_ZIP:
		return archive_read_support_format_zip_streamable(a) == ARCHIVE_OK;
	case KIND_RAR:
		return archive_read_support_format_rar(a) == ARCHIVE_OK;
	case KIND_RAR5:
		return archive_read_support_format_rar5(a) == ARCHIVE_OK;
	case KIND_CAB:
		return archive_read_support_format_cab(a) == ARCHIVE_OK;
	case KIND_TAR:
		/* Up to its end; what is behind that is nobody's, or another tar (walk.c). */
		return archive_read_support_format_tar(a) == ARCHIVE_OK;
	case KIND_CPIO:
		return archive_read_support_format_cpio(a) == ARCHIVE_OK;
	case KIND_AR:
		return archive_read_support_format_ar(a) == ARCHIVE_OK;
	case KIND_LHA:
		return archive_read_support_format_lha(a) == ARCHIVE_OK;
	case KIND_XAR:
		return archive_read_support_format_xar(a) == ARCHIVE_OK;
	case KIND_ISO:
		return archive_read_support_format_iso9660(a) == ARCHIVE_OK;
	case KIND_7Z:
		return archive_read_support_format_7zip(a) == ARCHIVE_OK;
	case KIND_LZ4:
		return set_filter(a, archive_read_support_filter_lz4);
	case KIND_LZIP:
		return set_filter(a, archive_read_support_filter_lzip);
	case KIND_COMPRESS:
		return set_filter(a, archive_read_support_filter_compress);
	case KIND_RPM:
		return set_filter(a, archive_read_support_filter_rpm);
	default:
		return false;
	}
}

/* A single file, and where it ends cannot be told. */
static bool
is_filter(enum kind kind)
{
	return kind == KIND_LZ4 || kind == KIND_LZIP || kind == KIND_COMPRESS || kind == KIND_RPM;
}

static struct archive *
open_view(struct view *v, enum kind kind, bool random)
{
	struct archive *a = archive_read_new();

	v->tar = (struct tar_view){ .header = true };
	v->pos = v->have = 0;
	if (a == NULL)
		return NULL;
	if (set_format(a, kind) && (!random || archive_read_set_seek_callback(a, view_seek) == ARCHIVE_OK) &&
	    archive_read_open(a, v, NULL, kind == KIND_TAR ? view_read_tar : view_read, NULL) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

/* ---- an entry as a source ---- */

struct entry {
	struct walk	*w;
	struct archive	*a;
	struct source	 s;
	const char	*p;		/* bytes that libarchive has given and nobody has pulled */
	size_t		 left;
	uint64_t	 at;		/* of P */
	bool		 only_hash;
	int		 status;	/* the worst of libarchive's answers */
	int		 warnings, empty;
};

/* The next block.  1; 0 at the end; -1. */
static int
next_block(struct entry *e)
{
	for (;;) {
		const void *p = NULL;
		size_t n = 0;
		la_int64_t at = (la_int64_t)e->s.pulled;
		int r = archive_read_data_block(e->a, &p, &n, &at);

		/* A tar's entry may end with a hole, of which there is no block. */
		if (r == ARCHIVE_EOF) {
			if ((archive_format(e->a) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR || at <= (la_int64_t)e->s.pulled)
				return 0;
			e->at = (uint64_t)at;
			return 1;
		}
		if (r < e->status)
			e->status = r;
		/* What comes with a warning counts: a wrong sum does not undo what came out. */
		if (r < ARCHIVE_WARN || (r < ARCHIVE_OK && ++e->warnings > WARNINGS_MAX) || (n == 0 && ++e->empty > EMPTY_MAX))
			return -1;
		if (n == 0 && at <= (la_int64_t)e->s.pulled)
			continue;
		e->empty = 0;
		e->p = p;
		e->left = n;
		e->at = at > (la_int64_t)e->s.pulled ? (uint64_t)at : e->s.pulled;
		return 1;
	}
}

static bool
charge(struct entry *e, size_t n)
{
	if (!e->only_hash)
		return walk_grow(e->w, n);
	e->w->rehashed += n;
	if (e->w->rehashed > e->w->wish->limits.bytes)
		walk_stop(e->w, UNSCANNABLE_BYTES);
	return !e->w->stopped;
}

static ssize_t
entry_pull(struct source *s, char *buf, size_t size)
{
	struct entry *e = s->arg;
	uint64_t hole;

	if (e->w->stopped)
		return -1;
	if (e->left == 0 && e->at <= s->pulled) {
		int r = next_block(e);

		if (r <= 0)
			return r;
	}
	if ((hole = e->at - s->pulled) > 0) {
		size = hole < size ? (size_t)hole : size;
		memset(buf, 0, size);
	} else {
		size = e->left < size ? e->left : size;
		memcpy(buf, e->p, size);
		e->p += size;
		e->left -= size;
		e->at += size;
	}
	return charge(e, size) ? (ssize_t)size : -1;
}

static void
entry_init(struct entry *e, struct walk *w, struct archive *a, uint64_t until)
{
	*e = (struct entry){ .w = w, .a = a, .status = ARCHIVE_OK };
	walk_source_init(w, &e->s, until);
	e->s.pull = entry_pull;
	e->s.arg = e;
}

/* Its path, as far as libarchive can say it here; of a long one the end. */
static struct slice
entry_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	struct slice s = slice_str(name != NULL ? name : archive_entry_pathname_utf8(entry));

	return s.len > FINDING_NAME_MAX ? slice_skip(s, s.len - FINDING_NAME_MAX) : s;
}

/* ---- an archive ---- */

struct reading {
	struct walk	*w;
	struct view	*v;
	struct archive	*a;
	unsigned	 depth;
	bool		 named;		/* what libarchive calls "data" has no name */
	uint64_t	 base;
	struct look	*look;		/* of a zip; else NULL */
	size_t		 n;		/* entries that were begun */
	bool		 partly;
};

/* The entry whose local header is at AT was read as its header says. */
static void
note_entry(struct look *look, uint64_t at)
{
	enum { FIRST = 64 };

	if (look->n_entries == look->cap_entries) {
		size_t cap = look->cap_entries == 0 ? FIRST : 2 * look->cap_entries;
		uint64_t *p = reallocarray(look->entries, cap, sizeof(*p));

		if (p == NULL)
			return;
		look->entries = p;
		look->cap_entries = cap;
	}
	look->entries[look->n_entries++] = at;
}

/* Of a zip it is said when it is known to be one. */
static void
note_encrypted(struct walk *w, struct look *look)
{
	if (look != NULL)
		look->encrypted = true;
	else
		walk_unscannable(w, UNSCANNABLE_ENCRYPTED);
}

/* Read one entry.  False: there will be no other. */
static bool
read_entry(struct reading *r, struct archive_entry *entry)
{
	struct entry e;
	struct endless endless = { .s = &e.s, .depth = r->depth, .next = r->w->endless };
	bool whole;

	if (!walk_count(r->w))
		return false;
	r->n++;
	if (archive_entry_is_encrypted(entry)) {
		note_encrypted(r->w, r->look);
		return true;
	}
	entry_init(&e, r->w, r->a, r->look != NULL ? UINT64_MAX : r->w->wish->until);
	if (!r->named)
		r->w->endless = &endless;
	whole = walk_member(r->w, &e.s, r->depth, r->named ? entry_name(entry) : SLICE(""), r->look != NULL ? &r->look->seen : NULL);
	r->w->endless = endless.next;
	source_fini(&e.s);
	if (!whole || e.status < ARCHIVE_OK)
		r->partly = true;
	else if (r->look != NULL)
		note_entry(r->look, r->base + (uint64_t)archive_read_header_position(r->a));
	return e.status != ARCHIVE_FATAL && !r->w->stopped;
}

/* All entries.  True when the archive ended as it should. */
static bool
read_entries(struct reading *r)
{
	int retries = 0;

	for (;;) {
		struct archive_entry *entry;
		int status;

		r->v->tar.header = true;
		status = archive_read_next_header(r->a, &entry);
		if (status == ARCHIVE_EOF)
			return true;
		if (status == ARCHIVE_RETRY && retries++ < RETRIES_MAX)
			continue;
		tar_data(r->v, status < ARCHIVE_WARN ? 0 : archive_entry_size(entry));
		/* A warning is of the name's character set, most often. */
		if (status < ARCHIVE_WARN || !read_entry(r, entry))
			return false;
	}
}

enum unpacked
unpack(struct walk *w, struct source *s, uint64_t at, enum kind kind, unsigned depth, enum how how, uint64_t *end,
    struct look *look)
{
	struct view *v = malloc(sizeof(*v));
	struct reading r = { .w = w, .v = v, .depth = depth,
		.named = !is_filter(kind), .base = at, .look = kind == KIND_ZIP ? look : NULL };
	bool ended;
	int64_t used;

	if (v == NULL) {
		*end = at + 1;
		walk_stop(w, UNSCANNABLE_BYTES);
		return UNPACKED_NOTHING;
	}
	v->s = s;
	v->base = at;
	v->len = (how == HOW_PART ? *end : UINT64_MAX) - at;
	*end = at + 1;
	v->at = 0;
	v->head = SLICE("");
	v->tail = how == HOW_ENDED ? slice_make(zip_end, sizeof(zip_end)) : SLICE("");
	v->forget = how == HOW_STREAM && (is_filter(kind) || kind == KIND_TAR || kind == KIND_CPIO || kind == KIND_AR);
	if ((r.a = open_view(v, kind, how == HOW_RANDOM || how == HOW_PART)) == NULL) {
		free(v);
		return UNPACKED_NOTHING;
	}
	ended = read_entries(&r);
	used = ended ? archive_filter_bytes(r.a, 0) - 1 : archive_read_header_position(r.a);
	if (is_filter(kind))
		*end = ended && !r.partly ? s->pulled : at + 1;
	else if (used > 0)
		*end = at + (uint64_t)used + 1;
	if (archive_read_has_encrypted_entries(r.a) > 0) {
		note_encrypted(w, r.look);
		r.n++;
	}
	if (v->tar.doubtful)
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
	archive_read_free(r.a);
	free(v);
	return ended && !r.partly ? UNPACKED_ALL : r.n > 0 ? UNPACKED_PART : UNPACKED_NOTHING;
}

enum unpacked
unpack_zip_entry(struct walk *w, struct source *s, struct slice header, uint64_t at, uint64_t len, unsigned depth, bool only_hash,
    bool *known, struct look *look)
{
	struct view *v = malloc(sizeof(*v));
	struct archive *a = NULL;
	struct archive_entry *entry;
	struct entry e = { .status = ARCHIVE_FATAL };

	*known = false;
	if (v == NULL)
		return UNPACKED_NOTHING;
	v->s = s;
	v->base = at;
	v->len = len;
	v->at = 0;
	v->head = header;
	v->tail = slice_make(zip_end, sizeof(zip_end));
	v->forget = false;
	if ((a = open_view(v, KIND_ZIP, false)) != NULL && archive_read_next_header(a, &entry) >= ARCHIVE_WARN) {
		entry_init(&e, w, a, UINT64_MAX);
		e.only_hash = only_hash;
		if (only_hash) {
			struct digest d[DIGEST_ALGS];
			size_t n;

			source_drain(&e.s);
			n = e.s.digester == NULL ? 0 : digester_peek(e.s.digester, d);
			*known = n > 0 && seen_has(&look->seen, e.s.pulled, &d[n - 1]);
		} else
			walk_member(w, &e.s, depth, entry_name(entry), &look->seen);
		if (e.s.broken && e.status == ARCHIVE_OK)
			e.status = ARCHIVE_WARN;
		source_fini(&e.s);
	}
	archive_read_free(a);
	free(v);
	return e.status == ARCHIVE_OK ? UNPACKED_ALL : e.status == ARCHIVE_FATAL && e.s.pulled == 0 ? UNPACKED_NOTHING : UNPACKED_PART;
}
