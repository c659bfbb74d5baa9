#include "inspect/helper/walk.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "inspect/archive_wire.h"
#include "inspect/helper/coder.h"
#include "inspect/helper/walk_part.h"
#include "inspect/tar_sum.h"

enum {
	DEPTH_MAX = 32,		/* whatever the wish says: each level takes stack */
	TRIES_MAX = 256,	/* signatures in one stream behind which there was nothing */
};

void
walk_unscannable(struct walk *w, enum unscannable reason)
{
	if (w->reason != UNSCANNABLE_NO || (reason == UNSCANNABLE_DAMAGED && w->in_pieces > 0))
		return;
	w->reason = reason;
	w->io->unscannable(w->io->arg, reason);
}

void
walk_stop(struct walk *w, enum unscannable reason)
{
	walk_unscannable(w, reason);
	w->stopped = true;
}

bool
walk_too_deep(const struct walk *w, unsigned depth)
{
	return depth > w->wish->limits.depth || depth > DEPTH_MAX;
}

bool
walk_count(struct walk *w)
{
	if (!w->stopped && ++w->members > w->wish->limits.members)
		walk_stop(w, UNSCANNABLE_MEMBERS);
	return !w->stopped;
}

bool
walk_grow(struct walk *w, size_t n)
{
	const struct inspect_limits *limits = &w->wish->limits;

	if (w->stopped)
		return false;
	w->unpacked += n;
	if (w->unpacked > limits->bytes)
		walk_stop(w, UNSCANNABLE_BYTES);
	else if (w->unpacked > RATIO_FREE && w->unpacked / (limits->ratio > 0 ? limits->ratio : 1) > w->root.pulled)
		walk_stop(w, UNSCANNABLE_RATIO);
	return !w->stopped;
}

void
walk_source_init(struct walk *w, struct source *s, uint64_t until)
{
	*s = (struct source){ .until = until, .budget = &w->budget };
	/* What a zip had in it is told by digests, whether somebody wants them or not. */
	if ((s->digester = digester_new(w->wish->algs != 0 ? w->wish->algs : DIGEST_BIT(DIGEST_MD5))) == NULL)
		walk_stop(w, UNSCANNABLE_BYTES);
}

void
walk_report(struct walk *w, struct source *s, unsigned depth, struct slice name, struct seen *seen)
{
	struct finding f = { .kind = FINDING_MEMBER, .size = s->pulled, .depth = depth, .name = name };

	if (w->stopped || s->pulled == s->reported || s->pulled > s->until)
		return;
	s->reported = s->pulled;
	if ((f.n = digester_peek(s->digester, f.digests)) == 0) {
		walk_stop(w, UNSCANNABLE_BYTES);
		return;
	}
	if (seen != NULL)
		seen_add(seen, f.size, &f.digests[f.n - 1]);
	if (w->wish->algs == 0 || f.size > w->wish->until)
		return;
	/* One member may be reported more than once, as it grows. */
	if (++w->findings > w->wish->limits.members)
		walk_stop(w, UNSCANNABLE_MEMBERS);
	else if (!w->io->finding(w->io->arg, &f))
		w->stopped = true;
}

/* ---- what is noted for later ---- */

/* What was needed once more is gone. */
static void
walk_gone(struct walk *w, const struct source *s)
{
	walk_unscannable(w, s->again != NULL ? UNSCANNABLE_SPOOL : UNSCANNABLE_BYTES);
}

static void
look_from(struct look *look, uint64_t at)
{
	if (!look->zip && look->n_late == 0)
		look->from = at;
}

static uint64_t
note_late(struct walk *w, struct source *s, struct look *look, uint64_t at, enum kind kind)
{
	char head[SNIFF_SIGNATURE];
	uint64_t len = UINT64_MAX;

	look_from(look, at);
	if (kind == KIND_7Z && source_read_all(s, at, head, sizeof(head)) == sizeof(head))
		len = sniff_7z_len(slice_make(head, sizeof(head)));
	if (look->n_late == LATE_MAX)
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
	else
		look->late[look->n_late++] = (struct late){ at, len < UINT64_MAX - at ? at + len : UINT64_MAX, kind };
	return at + SNIFF_SIGNATURE;
}

/* FROM to TO is within a 7z, where members lie about in pieces, as blocks that could not be made smaller.  What is damaged there is
 * none of them when the 7z is good, and when it is not, that is said anyway. */
static bool
is_within(const struct look *look, uint64_t from, uint64_t to)
{
	if (from > look->whole_from && to <= look->whole_to)
		return true;
	for (size_t i = 0; i < look->n_late; i++)
		if (from > look->late[i].at && to <= look->late[i].end && look->late[i].end != UINT64_MAX)
			return true;
	return false;
}

static void
note_zip(struct look *look, uint64_t at, bool weak)
{
	bool within = is_within(look, at, at + 1);

	look_from(look, at);
	look->zip = true;
	look->zip_first |= at == 0;
	look->zip_strong |= !weak && !within;
	look->zip_alone |= !within;
}

/* ---- a single file's coding ---- */

struct coded {
	struct walk	*w;
	struct coder	*coder;
	struct source	 out;
	unsigned	 depth;
	bool		 pause;		/* right behind what was pulled last */
	size_t		 pauses;
};

/* A coded member has ended, or seems to: what came out so far may be taken for whole. */
static void
coded_pause(struct source *s)
{
	struct coded *c = s->arg;

	if (!c->pause)
		return;
	c->pause = false;
	if (s->pulled != s->reported && c->pauses++ > 0 && !walk_count(c->w))
		return;
	walk_report(c->w, s, c->depth, SLICE(""), NULL);
}

static ssize_t
coded_pull(struct source *s, char *buf, size_t size)
{
	struct coded *c = s->arg;

	for (;;) {
		ssize_t n = c->w->stopped ? -1 : coder_read(c->coder, buf, size, &c->pause);

		if (n > 0)
			return walk_grow(c->w, (size_t)n) ? n : -1;
		if (n < 0 || !c->pause)
			return n;
		coded_pause(s);
	}
}

/* Where the NUL is that ends the text at AT, or where it has become too long for one. */
static uint64_t
text_end(struct source *s, uint64_t at)
{
	enum { TEXT_MAX = 1 << 16 };
	char buf[256];

	for (uint64_t from = at; at - from < TEXT_MAX; ) {
		ssize_t n = source_read(s, at, buf, sizeof(buf));
		const char *nul = n > 0 ? memchr(buf, '\0', (size_t)n) : NULL;

		if (nul != NULL)
			return at + (uint64_t)(nul - buf) + 1;
		if (n <= 0)
			break;
		at += (uint64_t)n;
	}
	return at;
}

/* Note what begins in S between AT and END. */
static void
note_between(struct walk *w, struct source *s, uint64_t at, uint64_t end, struct look *look)
{
	char buf[1024];

	while (at < end) {
		ssize_t n = source_read_all(s, at, buf, sizeof(buf));
		size_t pos = n > 0 ? sniff_next(slice_make(buf, (size_t)n)) : 0;
		bool weak;
		enum kind kind;

		if (n <= 0)
			return;
		/* The last ones are looked at once more with what follows them. */
		if (n == sizeof(buf) && pos > sizeof(buf) - SNIFF_SIGNATURE) {
			at += sizeof(buf) - SNIFF_SIGNATURE;
			continue;
		}
		at += pos;
		kind = at < end ? sniff_signature(slice_make(buf + pos, (size_t)n - pos), &weak) : KIND_NONE;
		if (kind == KIND_ZIP)
			note_zip(look, at, weak);
		else if (kind != KIND_NONE && !weak)
			note_late(w, s, look, at, kind);
		at++;
	}
}

/* A gzip header (RFC 1952 2.3) has room for 64 KiB of anything, and texts: also for an archive, which programs find that begin at
 * the end of a file. */
static void
note_in_header(struct walk *w, struct source *s, uint64_t at, struct look *look)
{
	enum { FLAGS_AT = 3, HEADER = 10, EXTRA = 4, NAME = 8, COMMENT = 16 };
	char p[HEADER + 2];
	uint64_t end = at + HEADER;

	if (source_read_all(s, at, p, sizeof(p)) != sizeof(p))
		return;
	if ((p[FLAGS_AT] & EXTRA) != 0)
		end += 2 + bytes_get(p + HEADER, 2);
	if ((p[FLAGS_AT] & NAME) != 0)
		end = text_end(s, end);
	if ((p[FLAGS_AT] & COMMENT) != 0)
		end = text_end(s, end);
	note_between(w, s, at + HEADER, end, look);
}

/* Undo the coding KIND at AT of S; what comes out is a member at DEPTH.  Where to go on. */
static uint64_t
walk_coded(struct walk *w, struct source *s, uint64_t at, enum kind kind, unsigned depth, struct look *look)
{
	struct coded c = { .w = w, .depth = depth };
	uint64_t end = at + 1;
	bool whole;

	if (!walk_count(w))
		return end;
	if (kind == KIND_GZIP)
		note_in_header(w, s, at, look);
	if ((c.coder = coder_new(kind, s, at, look->zip || look->n_late > 0)) == NULL) {
		walk_unscannable(w, UNSCANNABLE_BYTES);
		return end;
	}
	walk_source_init(w, &c.out, w->wish->until);
	c.out.pull = coded_pull;
	c.out.after = coded_pause;
	c.out.arg = &c;
	whole = walk_member(w, &c.out, depth, SLICE(""), NULL);
	/* Nothing may come out of what only looked like .lzma. */
	if (!whole && (c.out.pulled > 0 || kind != KIND_LZMA))
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
	/* Of what makes no sense every byte may be the beginning of something else. */
	if (whole && coder_offset(c.coder) > end)
		end = coder_offset(c.coder);
	coder_free(c.coder);
	source_fini(&c.out);
	return end;
}

/* ---- a stream ---- */

/* Read what was noted as LATE, which has been pulled. */
static void
look_at_late(struct walk *w, struct source *s, unsigned depth, const struct late *late, struct look *look)
{
	uint64_t end = late->end;
	enum how how = end <= s->pulled ? HOW_PART : HOW_RANDOM;
	bool within = is_within(look, late->at, late->at + 1);	/* It may seem longer than what it is in, which is packed. */
	uint64_t members = w->members;
	enum unpacked u;

	if (!source_has(s, late->at)) {
		walk_gone(w, s);
		return;
	}
	w->in_pieces += within;
	u = unpack(w, s, late->at, late->kind, depth, how, &end, NULL);
	/* One whose start makes no sense is not empty. */
	if (u != UNPACKED_ALL || (late->kind == KIND_7Z && late->end == UINT64_MAX && w->members == members))
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
	w->in_pieces -= within;
	if (u == UNPACKED_ALL && how == HOW_PART && late->end > look->whole_to) {
		look->whole_from = late->at;
		look->whole_to = late->end;
	}
}

/* Read what was noted and has become whole: whatever follows, a client has it. */
static void
look_at_whole(struct walk *w, struct source *s, unsigned depth, struct look *look)
{
	for (size_t i = 0; i < look->n_late && !w->stopped; )
		if (look->late[i].end <= s->pulled) {
			struct late late = look->late[i];

			memmove(&look->late[i], &look->late[i + 1], (--look->n_late - i) * sizeof(late));
			look_at_late(w, s, depth, &late, look);
		} else
			i++;
}

/* What is at AT of S may have only a few bytes in common with one of these. */
static bool
is_vague(struct source *s, uint64_t at, enum kind kind)
{
	char head[SNIFF_LEN];
	bool weak;

	if (kind == KIND_TAR)
		return source_read_all(s, at, head, sizeof(head)) != sizeof(head) ||
		    !sniff_tar(slice_make(head, sizeof(head)), &weak) || weak;
	return kind == KIND_CPIO || kind == KIND_LHA || kind == KIND_COMPRESS || kind == KIND_LZIP;
}

/* Open what begins at AT in S.  Where to go on. */
static uint64_t
walk_at(struct walk *w, struct source *s, uint64_t at, enum kind kind, unsigned depth, struct look *look)
{
	enum unpacked u;
	uint64_t end;
	bool within;

	if (walk_too_deep(w, depth)) {
		if (!is_vague(s, at, kind) && kind != KIND_LZMA)
			walk_unscannable(w, UNSCANNABLE_DEPTH);
		return at + 1;
	}
	/* libarchive's xar takes a block of which nothing comes out for the end: it gets whole ones, when all is there. */
	if (kind == KIND_7Z || kind == KIND_XAR)
		return note_late(w, s, look, at, kind);
	if (coder_knows(kind))
		return walk_coded(w, s, at, kind, depth, look);
	if (kind == KIND_ZIP)
		note_zip(look, at, false);
	within = is_within(look, at, at + 1);
	w->in_pieces += within;
	u = unpack(w, s, at, kind, depth, HOW_STREAM, &end, look);
	w->in_pieces -= within;
	switch (u) {
	case UNPACKED_ALL:
		if (within && !is_within(look, at, end))
			walk_unscannable(w, UNSCANNABLE_DAMAGED);
		return end;
	case UNPACKED_NOTHING:
		look->tries += !is_within(look, at, end);
		if ((at > 0 && kind != KIND_TAR) || is_vague(s, at, kind))
			return end;
		break;
	case UNPACKED_PART:
		look->tries += !is_within(look, at, end);
	}
	/* Of a last entry without a directory behind it, libarchive does not give what it has when it misses a descriptor. */
	if (kind == KIND_ZIP && s->ended && !w->stopped && source_has(s, end - 1))
		unpack(w, s, end - 1, KIND_ZIP, depth, HOW_ENDED, &end, look);
	if (kind == KIND_ISO)
		look->iso = true;
	if (is_within(look, at, end))
		return end;
	if (kind == KIND_ZIP || kind == KIND_ISO)
		look->damaged = true;
	else
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
	return end;
}

/* A few bytes tell these from a tar, whose first bytes are a name that anybody chooses. */
static bool
is_sure(enum kind kind)
{
	switch (kind) {
	case KIND_GZIP:
	case KIND_XZ:
	case KIND_ZSTD:
	case KIND_ZIP:
	case KIND_7Z:
	case KIND_RAR:
	case KIND_RAR5:
		return true;
	default:
		return false;
	}
}

static enum kind
kind_at_start(struct source *s)
{
	char head[SNIFF_LEN];
	ssize_t n = source_read_all(s, 0, head, SNIFF_SIGNATURE);
	enum kind kind = n <= 0 ? KIND_NONE : sniff_start(slice_make(head, (size_t)n));

	if (is_sure(kind) || n < SNIFF_SIGNATURE)
		return kind;
	n = source_read_all(s, 0, head, sizeof(head));
	return n <= 0 ? KIND_NONE : sniff_start(slice_make(head, (size_t)n));
}

/* S begins with the header of a tar whose sum is wrong: some go on to the next one. */
static bool
is_bad_tar(struct source *s)
{
	char magic[5];

	return source_read_all(s, TAR_MAGIC_AT, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "ustar", sizeof(magic)) == 0;
}

struct scan {
	struct walk	*w;
	struct source	*s;
	struct look	*look;
	unsigned	 depth;
	bool		 iso_checked;
	bool		 tar;		/* there was one: others may follow, a number of blocks behind where it began */
	uint64_t	 tar_at;
	uint64_t	 at;		/* of BUF */
	size_t		 pos, have;
	char		 buf[SOURCE_BLOCK];
};

/* An ISO image shows only when 32 KiB of it are there; until then its beginning is kept. */
static bool
scan_iso(struct scan *sc)
{
	char id[SNIFF_ISO_END - SNIFF_ISO_AT];

	if (sc->iso_checked || sc->s->pulled < SNIFF_ISO_END)
		return false;
	sc->iso_checked = true;
	return source_read_all(sc->s, SNIFF_ISO_AT, id, sizeof(id)) == sizeof(id) && memcmp(id, "CD001", sizeof(id)) == 0;
}

static void
scan_open(struct scan *sc, uint64_t at, enum kind kind)
{
	if (kind == KIND_TAR) {
		sc->tar = true;
		sc->tar_at = at;
	}
	sc->at = walk_at(sc->w, sc->s, at, kind, sc->depth, sc->look);
	sc->pos = sc->have = 0;
}

/* Have more bytes behind those that are left.  False at the end. */
static bool
scan_fill(struct scan *sc)
{
	uint64_t before;
	ssize_t n;

	memmove(sc->buf, sc->buf + sc->pos, sc->have - sc->pos);
	sc->at += sc->pos;
	sc->have -= sc->pos;
	sc->pos = 0;
	before = sc->look->zip || sc->look->n_late > 0 ? sc->look->from : sc->at;
	source_forget(sc->s, sc->iso_checked ? before : 0);
	n = source_read(sc->s, sc->at + sc->have, sc->buf + sc->have, sizeof(sc->buf) - sc->have);
	if (n < 0) {
		/* Where something could not be read to its end, and what is behind its beginning cannot be searched. */
		walk_gone(sc->w, sc->s);
		sc->at = sc->s->pulled;
		sc->have = 0;
		return true;
	}
	sc->have += (size_t)n;
	return n > 0;
}

/* A block of a tar begins at POS, which others may read as a header: behind an end in the middle, or one that is damaged. */
static bool
scan_at_block(const struct scan *sc)
{
	return sc->tar && (sc->at + sc->pos - sc->tar_at) % SNIFF_LEN == 0;
}

/* Move POS to where something may begin. */
static void
scan_skip(struct scan *sc)
{
	size_t n = sniff_next(slice_make(sc->buf + sc->pos, sc->have - sc->pos));

	if (sc->tar) {
		size_t in_block = (size_t)((sc->at + sc->pos - sc->tar_at) % SNIFF_LEN), to_next = in_block == 0 ? 0 : SNIFF_LEN - in_block;

		n = to_next < n ? to_next : n;
	}
	sc->pos += n;
}

/* Look at what may be a signature at POS. */
static void
scan_signature(struct scan *sc)
{
	bool weak;
	struct slice head = slice_make(sc->buf + sc->pos, sc->have - sc->pos);
	enum kind kind = sniff_signature(head, &weak);

	if (kind == KIND_NONE && scan_at_block(sc) && sniff_tar(head, &weak))
		kind = KIND_TAR;
	/* Local headers may make no sense: who reads the directory believes that. */
	if (sc->look->zip_alone && sniff_central(head))
		sc->look->zip_strong = true;
	if (sc->look->zip && slice_starts(head, SLICE("PK\x05\x06")))
		zip_end_passed(sc->w, sc->s, sc->at + sc->pos, sc->depth, sc->look);

	if (kind == KIND_NONE || (weak && kind != KIND_TAR)) {
		if (kind == KIND_ZIP)
			note_zip(sc->look, sc->at + sc->pos, true);
		sc->pos++;
	} else
		scan_open(sc, sc->at + sc->pos, kind);
}

/* Go through the rest of the stream, to its end, and open what begins in it. */
static void
scan(struct scan *sc)
{
	bool more = true;

	while (!sc->w->stopped && (more || sc->pos < sc->have)) {
		if (sc->look->tries > TRIES_MAX) {
			walk_unscannable(sc->w, UNSCANNABLE_DAMAGED);
			break;
		}
		if (scan_iso(sc)) {
			scan_open(sc, 0, KIND_ISO);
			more = true;
			continue;
		}
		look_at_whole(sc->w, sc->s, sc->depth, sc->look);
		scan_skip(sc);
		if (more && sc->have - sc->pos < (size_t)(scan_at_block(sc) ? SNIFF_LEN : SNIFF_SIGNATURE))
			more = scan_fill(sc);
		else if (sc->pos < sc->have) {
			scan_signature(sc);
			more = true;
		}
	}
}

/* Programs that read zips have the signature in them as a constant, and what follows it is whatever it is: a header that came to
 * nothing is no zip, unless the stream begins with it, another was read, or there is a directory. */
static void
second_look_at_zip(struct walk *w, struct source *s, unsigned depth, struct look *look)
{
	enum unpacked u;

	if (!source_has(s, look->from)) {
		if (look->zip_strong)
			walk_gone(w, s);
		return;
	}
	u = zip_directory(w, s, depth, look);
	if (u != UNPACKED_NOTHING)
		look->damaged = u == UNPACKED_PART && look->zip_alone;
	else if (!look->zip_first && look->n_entries == 0)
		look->damaged = look->encrypted = false;
	if (look->encrypted)
		walk_unscannable(w, UNSCANNABLE_ENCRYPTED);
}

/* What can only be read when all of S is there. */
static void
second_look(struct walk *w, struct source *s, unsigned depth, struct look *look)
{
	uint64_t end;

	for (size_t i = 0; i < look->n_late && !w->stopped; i++)
		look_at_late(w, s, depth, &look->late[i], look);
	if (look->iso && !w->stopped) {
		if (!source_has(s, 0))
			walk_gone(w, s);
		else if (unpack(w, s, 0, KIND_ISO, depth, HOW_RANDOM, &end, NULL) == UNPACKED_ALL)
			look->damaged = false;
	}
	if (look->zip && !w->stopped)
		second_look_at_zip(w, s, depth, look);
	if (look->damaged)
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
}

/* Walk through S, whose members are at DEPTH. */
static void
walk_source(struct walk *w, struct source *s, unsigned depth)
{
	struct look look = { 0 };
	struct scan *sc = malloc(sizeof(*sc));
	enum kind kind;

	if (sc == NULL) {
		walk_stop(w, UNSCANNABLE_BYTES);
		return;
	}
	sc->w = w;
	sc->s = s;
	sc->look = &look;
	sc->depth = depth;
	sc->tar = false;
	sc->tar_at = sc->at = sc->pos = sc->have = 0;
	kind = kind_at_start(s);
	sc->iso_checked = kind != KIND_NONE;
	if (kind == KIND_NONE && is_bad_tar(s)) {
		walk_unscannable(w, UNSCANNABLE_DAMAGED);
		sc->tar = true;
	}
	if (kind != KIND_NONE && !w->stopped)
		scan_open(sc, 0, kind);
	scan(sc);
	free(sc);
	second_look(w, s, depth, &look);
	free(look.entries);
	seen_fini(&look.seen);
}

bool
walk_member(struct walk *w, struct source *s, unsigned depth, struct slice name, struct seen *seen)
{
	if (w->stopped)
		return false;
	walk_source(w, s, depth + 1);
	source_drain(s);
	walk_report(w, s, depth, name, seen);
	return !s->broken;
}

/* ---- the body ---- */

/* The walk is about to wait.  Where coded members end is not known of these: it may have been here, and what follows padding.  Not
 * each time, for that would be a report a read: as long as they are few, and when nothing has come out since. */
static void
report_endless(struct walk *w)
{
	enum { FEW = 16 };

	for (struct endless *e = w->endless; e != NULL; e = e->next) {
		if (e->s->pulled != e->s->reported && (e->n < FEW || e->s->pulled == e->mark)) {
			e->n++;
			walk_report(w, e->s, e->depth, SLICE(""), NULL);
		}
		e->mark = e->s->pulled;
	}
}

static ssize_t
root_pull(struct source *s, char *buf, size_t size)
{
	struct walk *w = s->arg;
	ssize_t n;

	while (s->pulled >= w->available) {
		if (w->root_ended || w->stopped)
			return 0;
		report_endless(w);
		if (w->stopped)
			return 0;
		w->needed = s->pulled;
		w->available = w->io->more(w->io->arg, s->pulled, &w->root_ended);
	}
	if (size > w->available - s->pulled)
		size = (size_t)(w->available - s->pulled);
	if ((n = w->io->read(w->io->arg, s->pulled, buf, size)) <= 0) {
		walk_stop(w, UNSCANNABLE_SPOOL);
		return -1;
	}
	return n;
}

/* What has been needed is given back to the disk when the spool is too long. */
static ssize_t
root_again(struct source *s, uint64_t at, char *buf, size_t size)
{
	struct walk *w = s->arg;

	if (w->available > w->wish->limits.spool && at + WIRE_KEPT < w->needed)
		return -1;
	if (size > s->pulled - at)
		size = (size_t)(s->pulled - at);
	return w->io->read(w->io->arg, at, buf, size);
}

enum unscannable
walk_body(const struct walk_wish *wish, const struct walk_io *io)
{
	struct walk w = { .wish = wish, .io = io, .budget = SOURCE_BUDGET };

	w.root = (struct source){ .pull = root_pull, .again = root_again, .arg = &w };
	walk_source(&w, &w.root, 1);
	source_fini(&w.root);
	return w.reason;
}
