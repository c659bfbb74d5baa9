/* ClamAV's container: .cvd, .cld and .cud.
 *
 *	ClamAV-VDB:BUILT:VERSION:SIGNATURES:LEVEL:MD5:SIGNATURE:BUILDER:SECONDS	512 bytes, padded with blanks
 *	a tar, in gzip or as it is						daily.hdb, daily.hsb, daily.fp, daily.ign2 ...
 *
 * The MD5 is of what follows the head; a .cld has an X there.  Whoever fetched it (freshclam) has checked the signature. */
#include "feeds/feed_part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#include "feeds/tar_members.h"
#include "inspect/digester.h"

enum {
	HEAD_LEN = 512, MD5_FIELD = 5,
	MAGIC_0 = 0x1f, MAGIC_1 = 0x8b,		/* RFC 1952 2.3.1 */
	GZIP_ONLY = 16,				/* added to the window's bits: a gzip head, nothing else */
	MEMBER_MAX = 64, UNPACKED_AT_ONCE = 1 << 16,
	FIRST_BYTES = 2,
};

#define UNPACKED_MAX	(UINT64_C(8) << 30)	/* bytes; main.cvd has less than half a gigabyte */

struct cvd_state {
	char			 head[HEAD_LEN + FIRST_BYTES];
	size_t			 have;
	bool			 is_gzip, is_plain;
	struct digester		*md5;		/* of a preview */
	bool			 wrong_sum;	/* a preview says so */
	bool			 broken;	/* it was said, and nothing more is read */
	z_stream		 z;
	bool			 z_open, z_done;
	uint64_t		 unpacked;
	struct tar_members	 tar;
	char			 member[MEMBER_MAX + 1];
	feed_reader		*read;		/* of the member */
	enum rule_action	 action;
	uint64_t		 line;		/* of it */
	struct buf		 text;		/* the line so far */
	struct buf		 file;		/* "daily.cvd(daily.hdb)", for messages */
	const char		*path;		/* of the container */
};

/* It is of no use from here on: one message, that counts as a bad line. */
static int
break_off(struct feed *f, const char *why)
{
	struct cvd_state *s = f->state;
	uint64_t lines = f->counts.lines;

	if (s->broken)
		return 0;
	s->broken = f->loud = true;
	f->file = s->path;
	f->at.line = 0;
	f->counts.lines = 0;		/* it is no line that is wrong */
	feed_bad(f, 0, "%s: nothing behind this is read, the %" PRIu64 " entries before it count", why, f->counts.entries);
	f->counts.lines = lines;
	f->counts.cut = true;
	f->loud = false;
	return 0;
}

/* ---- members: lines in one of ClamAV's other formats ---- */

/* What is read of a container. */
static const struct { const char *extension; feed_reader *read; enum rule_action action; } members[] = {
	{ ".hdb", feed_read_clamav, RULE_BLOCK }, { ".hdu", feed_read_clamav, RULE_BLOCK },
	{ ".hsb", feed_read_clamav, RULE_BLOCK }, { ".hsu", feed_read_clamav, RULE_BLOCK },
	{ ".fp", feed_read_clamav, RULE_ALLOW }, { ".sfp", feed_read_clamav, RULE_ALLOW },
	{ ".ign2", feed_read_ign2, RULE_ALLOW },
};

/* NAME is shown, so it has to be one that can be. */
static bool
is_plain_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && strchr("._-", name.p[i]) == NULL)
			return false;
	return name.len > 0 && name.len <= MEMBER_MAX;
}

static bool
begin_member(void *feed, struct slice name)
{
	struct feed *f = feed;
	struct cvd_state *s = f->state;

	s->read = NULL;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && is_plain_name(name); i++)
		if (slice_ends(name, slice_str(members[i].extension))) {
			s->read = members[i].read;
			s->action = members[i].action == RULE_ALLOW ? RULE_ALLOW : f->options.action;
		}
	if (s->read == NULL || (f->options.names_only && s->read != feed_read_ign2)) {
		feed_skip(f);
		return false;
	}
	buf_reset(&s->text);
	buf_reset(&s->file);
	buf_addf(&s->file, "%s(%.*s)", s->path != NULL ? s->path : "", SLICE_ARGS(name));
	s->line = 0;
	return true;
}

/* The line in s->text ended. */
static int
end_line(struct feed *f)
{
	struct cvd_state *s = f->state;
	struct slice line = buf_slice(&s->text);
	int r = 0;

	s->line++;
	f->counts.lines++;
	f->at.line = s->line > UINT32_MAX ? UINT32_MAX : (unsigned)s->line;
	f->at.col = 0;
	f->file = s->file.failed ? s->path : s->file.p;
	f->action = s->action;
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	f->line = line;
	if (line.len > f->options.line_max)
		feed_bad(f, 1, "the line has more than %zu bytes", f->options.line_max);
	else if (line.len > 0)
		r = s->read(f, line);
	f->file = s->path;
	buf_reset(&s->text);
	return r;
}

static int
member_bytes(void *feed, struct slice bytes)
{
	struct feed *f = feed;
	struct cvd_state *s = f->state;
	int r = 0;

	while (r == 0 && bytes.len > 0) {
		size_t n = slice_find(bytes, '\n'), room = f->options.line_max + 1 - s->text.len;

		if (buf_add_slice(&s->text, slice_head(bytes, n < room ? n : room)) == -1)
			return -1;
		if (n < bytes.len)
			r = end_line(f);
		bytes = slice_skip(bytes, n + 1);
	}
	return r;
}

static int
end_member(void *feed)
{
	struct feed *f = feed;
	struct cvd_state *s = f->state;

	return s->text.len > 0 ? end_line(f) : 0;
}

/* ---- the tar ---- */

static int
put_tar(struct feed *f, struct slice bytes)
{
	struct cvd_state *s = f->state;
	int r;

	s->unpacked += bytes.len;
	if (s->unpacked > UNPACKED_MAX)
		return break_off(f, "the container has more than 8 GiB");
	r = tar_members_put(&s->tar, bytes);
	return s->tar.why != NULL ? break_off(f, s->tar.why) : r;
}

static int
inflate_some(struct feed *f, struct slice bytes)
{
	struct cvd_state *s = f->state;
	char out[UNPACKED_AT_ONCE];
	int r = 0, z = Z_OK;

	/* zlib does not write to what it reads. */
	s->z.next_in = (Bytef *)(uintptr_t)bytes.p;
	s->z.avail_in = (uInt)bytes.len;
	do {
		s->z.next_out = (Bytef *)out;
		s->z.avail_out = sizeof(out);
		z = inflate(&s->z, Z_NO_FLUSH);
		r = put_tar(f, slice_make(out, sizeof(out) - s->z.avail_out));
		if (r == 0 && z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return break_off(f, "the container's gzip is damaged");
	} while (r == 0 && !s->broken && z == Z_OK && (s->z.avail_in > 0 || s->z.avail_out == 0));
	s->z_done = z == Z_STREAM_END;
	return r;
}

/* BYTES of what follows the head. */
static int
put_tail(struct feed *f, struct slice bytes)
{
	struct cvd_state *s = f->state;
	int r = 0;

	if (s->is_plain)
		return put_tar(f, bytes);
	while (r == 0 && bytes.len > 0 && !s->broken && !s->z_done)
		r = inflate_some(f, slice_take(&bytes, UNPACKED_AT_ONCE));
	return r;
}

/* ---- the head ---- */

/* The MD5 in the head, when it has one. */
static bool
md5_of(const struct cvd_state *s, struct digest *out)
{
	struct slice rest = slice_make(s->head, HEAD_LEN), field = rest;

	for (int i = 0; i <= MD5_FIELD; i++)
		slice_cut(rest, ':', &field, &rest);
	return digest_parse(DIGEST_MD5, field, out) == 0;
}

/* The head and the first bytes behind it are there: what follows, and whether it is to be read. */
static int
read_head(struct feed *f)
{
	struct cvd_state *s = f->state;
	const unsigned char *first = (const unsigned char *)s->head + HEAD_LEN;

	if (!slice_starts(slice_make(s->head, HEAD_LEN), SLICE("ClamAV-VDB:")))
		return break_off(f, "the file is no container of ClamAV");
	if (s->wrong_sum)
		return break_off(f, "the container is damaged: its MD5 is not what its head says");
	s->is_gzip = first[0] == MAGIC_0 && first[1] == MAGIC_1;
	s->is_plain = !s->is_gzip;
	if (s->is_gzip && !s->z_open) {
		if (inflateInit2(&s->z, MAX_WBITS + GZIP_ONLY) != Z_OK)
			return -1;
		s->z_open = true;
	}
	return put_tail(f, slice_make(s->head + HEAD_LEN, FIRST_BYTES));
}

static int
put(struct feed *f, struct slice text)
{
	struct cvd_state *s = f->state;
	int r = 0;

	if (s->have < sizeof(s->head)) {
		struct slice part = slice_take(&text, sizeof(s->head) - s->have);

		if (part.len > 0)
			memcpy(s->head + s->have, part.p, part.len);
		s->have += part.len;
		if (s->have < sizeof(s->head))
			return 0;
		if (f->previewing)
			digester_update(s->md5, slice_make(s->head + HEAD_LEN, FIRST_BYTES));
		else
			r = read_head(f);
	}
	if (f->previewing)
		digester_update(s->md5, text);
	return r == 0 && !f->previewing && !s->broken ? put_tail(f, text) : r;
}

/* ---- the whole ---- */

static void
end_preview(struct cvd_state *s)
{
	struct digest expected, found[DIGEST_ALGS];

	s->wrong_sum = md5_of(s, &expected) && (digester_final(s->md5, found) != 1 || !digest_eq(&expected, &found[0]));
	digester_free(s->md5);
	s->md5 = NULL;
}

static int
end(struct feed *f)
{
	struct cvd_state *s = f->state;

	if (f->previewing) {
		end_preview(s);
		return 0;
	}
	if (s->broken)
		return 0;
	if (s->have < sizeof(s->head))
		return break_off(f, "the container ends in its head");
	if (s->is_gzip && !s->z_done)
		return break_off(f, "the container's gzip ends before its end");
	return tar_members_end(&s->tar) == -1 ? break_off(f, s->tar.why) : 0;
}

static struct cvd_state *
state_new(struct feed *f)
{
	struct cvd_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	f->state = s;
	s->path = f->file;
	buf_init(&s->text, f->options.line_max + 1);
	buf_init(&s->file, SIZE_MAX / 2);
	return s;
}

static int
begin(struct feed *f)
{
	static const struct tar_visitor visitor = { begin_member, member_bytes, end_member };
	struct cvd_state *s = f->state;

	if (s == NULL && (s = state_new(f)) == NULL)
		return -1;
	s->have = 0;
	tar_members_init(&s->tar, &visitor, f);
	if (f->previewing && (s->md5 = digester_new(DIGEST_BIT(DIGEST_MD5))) == NULL)
		return -1;
	return 0;
}

static void
fini(struct feed *f)
{
	struct cvd_state *s = f->state;

	if (s == NULL)
		return;
	if (s->z_open)
		inflateEnd(&s->z);
	digester_free(s->md5);
	buf_fini(&s->text);
	buf_fini(&s->file);
	free(s);
}

const struct feed_stream feed_cvd = { begin, put, end, fini, true };
