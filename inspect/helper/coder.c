#include "inspect/helper/coder.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum step { STEP_ON, STEP_END, STEP_BAD };

/* Input that is left and room for output, moved on by a step. */
struct window {
	const char	*in;
	size_t		 in_len;
	char		*out;
	size_t		 out_len;
};

struct coder;

struct method {
	bool		(*begin)(struct coder *c);
	enum step	(*step)(struct coder *c, struct window *w);
	void		(*end)(struct coder *c);
	struct slice	 next;		/* what another member begins with; empty: none may follow */
	bool		 zeros;		/* zeros may stand between */
	bool		 frames;	/* frames that are skipped may stand between */
	uint32_t	 idle;		/* more bytes than this of which nothing comes out are padding; 0: there is none */
};

struct coder {
	const struct method	*method;
	struct source		*from;
	uint64_t		 at;		/* of what is behind IN */
	char			 in[SOURCE_BLOCK];
	size_t			 in_at, in_len;
	bool			 running;	/* within a member */
	bool			 header;	/* within its header, of a gzip */
	uint64_t		 idle;		/* bytes since the last of which something came out, about */
	bool			 within;	/* a block of which something may still come out */
	bool			 told;		/* that there were too many */
	bool			 keep;
	union {
		z_stream	 gzip;
		bz_stream	 bzip2;
		lzma_stream	 lzma;
		ZSTD_DCtx	*zstd;
	} state;
};

/* Dictionaries are memory that a stranger asks for. */
#define MEMORY_MAX	(UINT64_C(160) << 20)
enum { GZIP_ONLY = 16, WINDOW_LOG_MAX = 27, ZSTD_BLOCK_HEAD = 3 };	/* RFC 8878 3.1.1.2 */

static bool
gzip_begin(struct coder *c)
{
	memset(&c->state.gzip, 0, sizeof(c->state.gzip));
	c->header = true;
	return inflateInit2(&c->state.gzip, MAX_WBITS + GZIP_ONLY) == Z_OK && inflateValidate(&c->state.gzip, 0) == Z_OK;
}

/* Nobody but zlib looks at the header's sum (RFC 1952 2.3) and the flags that are reserved. */
static int
gzip_header(struct coder *c)
{
	enum { FLAGS_AT = 3, FLAGS_KNOWN = 0x1f, HEADER_ENDED = 128 };
	z_stream *z = &c->state.gzip;
	int r;

	if (z->total_in <= FLAGS_AT && z->avail_in > FLAGS_AT - z->total_in)
		c->in[c->in_at + FLAGS_AT - z->total_in] &= FLAGS_KNOWN;
	r = inflate(z, Z_BLOCK);
	if ((r == Z_OK || r == Z_BUF_ERROR) && (z->data_type & HEADER_ENDED) != 0) {
		c->header = false;
		inflateValidate(z, 1);
	}
	return r;
}

static enum step
gzip_step(struct coder *c, struct window *w)
{
	z_stream *z = &c->state.gzip;
	int r;

	z->next_in = (Bytef *)(uintptr_t)w->in;
	z->avail_in = (uInt)w->in_len;
	z->next_out = (Bytef *)w->out;
	z->avail_out = (uInt)w->out_len;
	r = c->header ? gzip_header(c) : inflate(z, Z_NO_FLUSH);
	*w = (struct window){ (const char *)z->next_in, z->avail_in, (char *)z->next_out, z->avail_out };
	return r == Z_STREAM_END ? STEP_END : r == Z_OK || r == Z_BUF_ERROR ? STEP_ON : STEP_BAD;
}

static void
gzip_end(struct coder *c)
{
	inflateEnd(&c->state.gzip);
}

static bool
bzip2_begin(struct coder *c)
{
	memset(&c->state.bzip2, 0, sizeof(c->state.bzip2));
	return BZ2_bzDecompressInit(&c->state.bzip2, 0, 0) == BZ_OK;
}

static enum step
bzip2_step(struct coder *c, struct window *w)
{
	bz_stream *z = &c->state.bzip2;
	int r;

	z->next_in = (char *)(uintptr_t)w->in;
	z->avail_in = (unsigned)w->in_len;
	z->next_out = w->out;
	z->avail_out = (unsigned)w->out_len;
	r = BZ2_bzDecompress(z);
	*w = (struct window){ z->next_in, z->avail_in, z->next_out, z->avail_out };
	return r == BZ_STREAM_END ? STEP_END : r == BZ_OK ? STEP_ON : STEP_BAD;
}

static void
bzip2_end(struct coder *c)
{
	BZ2_bzDecompressEnd(&c->state.bzip2);
}

static bool
xz_begin(struct coder *c)
{
	c->state.lzma = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&c->state.lzma, MEMORY_MAX, 0) == LZMA_OK;
}

static bool
lzma_begin(struct coder *c)
{
	c->state.lzma = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_alone_decoder(&c->state.lzma, MEMORY_MAX) == LZMA_OK;
}

/* The .lz of lzip; liblzma reads it since 5.4, and libarchive's filter is the other way (unpack.c). */
#if LZMA_VERSION >= 50040002
static bool
lzip_begin(struct coder *c)
{
	c->state.lzma = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_lzip_decoder(&c->state.lzma, MEMORY_MAX, 0) == LZMA_OK;
}
#else
#define lzip_begin	NULL
#endif

static enum step
lzma_step(struct coder *c, struct window *w)
{
	lzma_stream *z = &c->state.lzma;
	lzma_ret r;

	z->next_in = (const uint8_t *)w->in;
	z->avail_in = w->in_len;
	z->next_out = (uint8_t *)w->out;
	z->avail_out = w->out_len;
	r = lzma_code(z, LZMA_RUN);
	*w = (struct window){ (const char *)z->next_in, z->avail_in, (char *)z->next_out, z->avail_out };
	return r == LZMA_STREAM_END ? STEP_END : r == LZMA_OK || r == LZMA_BUF_ERROR ? STEP_ON : STEP_BAD;
}

static void
lzma_stop(struct coder *c)
{
	lzma_end(&c->state.lzma);
}

static bool
zstd_begin(struct coder *c)
{
	c->state.zstd = ZSTD_createDCtx();
	if (c->state.zstd == NULL)
		return false;
	ZSTD_DCtx_setParameter(c->state.zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	ZSTD_DCtx_setParameter(c->state.zstd, ZSTD_d_experimentalParam3, 1);	/* ZSTD_d_forceIgnoreChecksum: no sums */
	return true;
}

static enum step
zstd_step(struct coder *c, struct window *w)
{
	ZSTD_inBuffer in = { w->in, w->in_len, 0 };
	ZSTD_outBuffer out = { w->out, w->out_len, 0 };
	size_t r = ZSTD_decompressStream(c->state.zstd, &out, &in);

	/* It wants the rest of a block, which comes out at its end, or the next one's head. */
	c->within = !ZSTD_isError(r) && r > ZSTD_BLOCK_HEAD;
	w->in += in.pos;
	w->in_len -= in.pos;
	w->out += out.pos;
	w->out_len -= out.pos;
	return ZSTD_isError(r) ? STEP_BAD : r == 0 ? STEP_END : STEP_ON;
}

static void
zstd_end(struct coder *c)
{
	ZSTD_freeDCtx(c->state.zstd);
}

enum { IDLE = 8 * 1024 };	/* what a deflate block's codes take is much less */

static const struct method methods[] = {
	[KIND_GZIP] = { gzip_begin, gzip_step, gzip_end, SLICE("\x1f\x8b\x08"), true, false, IDLE },
	[KIND_BZIP2] = { bzip2_begin, bzip2_step, bzip2_end, SLICE("BZh"), false, false, 0 },
	[KIND_XZ] = { xz_begin, lzma_step, lzma_stop, SLICE("\xfd""7zXZ\0"), true, false, IDLE },
	[KIND_LZMA] = { lzma_begin, lzma_step, lzma_stop, SLICE(""), false, false, 0 },
	[KIND_LZIP] = { lzip_begin, lzma_step, lzma_stop, SLICE("LZIP"), false, false, 0 },
	[KIND_ZSTD] = { zstd_begin, zstd_step, zstd_end, SLICE("\x28\xb5\x2f\xfd"), false, true, IDLE },
};

bool
coder_knows(enum kind kind)
{
	return kind < sizeof(methods) / sizeof(*methods) && methods[kind].begin != NULL;
}

struct coder *
coder_new(enum kind kind, struct source *from, uint64_t at, bool keep)
{
	struct coder *c = malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->method = &methods[kind];
	c->from = from;
	c->at = at;
	c->in_at = c->in_len = 0;
	c->idle = 0;
	c->within = c->told = false;
	c->keep = keep;
	if ((c->running = c->method->begin(c)))
		return c;
	free(c);
	return NULL;
}

void
coder_free(struct coder *c)
{
	if (c == NULL)
		return;
	if (c->running)
		c->method->end(c);
	free(c);
}

uint64_t
coder_offset(const struct coder *c)
{
	return c->at - (c->in_len - c->in_at);
}

/* Have at least WANT bytes of input, if there are so many.  How many there are. */
static size_t
fill(struct coder *c, size_t want)
{
	while (c->in_len - c->in_at < want) {
		ssize_t n;

		memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
		c->in_len -= c->in_at;
		c->in_at = 0;
		if ((n = source_read(c->from, c->at, c->in + c->in_len, sizeof(c->in) - c->in_len)) <= 0)
			break;
		c->at += (uint64_t)n;
		c->in_len += (size_t)n;
		if (!c->keep)
			source_pass(c->from, coder_offset(c));
	}
	return c->in_len - c->in_at;
}

/* Between two members: true when another begins. */
static bool
next_member(struct coder *c)
{
	const struct method *m = c->method;

	if (m->next.len == 0)
		return false;
	while (m->zeros && fill(c, 1) > 0 && c->in[c->in_at] == '\0')
		c->in_at++;
	if (fill(c, m->next.len) < m->next.len)
		return false;
	if (memcmp(c->in + c->in_at, m->next.p, m->next.len) == 0)
		return true;
	return m->frames && ((uint8_t)c->in[c->in_at] & 0xf0) == 0x50 && memcmp(c->in + c->in_at + 1, "\x2a\x4d\x18", 3) == 0;
}

/* N bytes were used and OUT came out.  True when there was nothing for too long: once. */
static bool
count_idle(struct coder *c, size_t n, size_t out)
{
	c->idle = out > 0 ? 0 : c->idle + n;
	if (out > 0)
		c->told = false;
	if (c->method->idle == 0 || c->idle <= c->method->idle || c->within || c->told)
		return false;
	c->told = true;
	return true;
}

ssize_t
coder_read(struct coder *c, char *buf, size_t size, bool *pause)
{
	enum { STEP_MAX = 8192 };	/* so that it can be told of which bytes nothing came out */

	*pause = false;
	if (!c->running) {
		if (!next_member(c))
			return 0;
		if (!(c->running = c->method->begin(c)))
			return -1;
	}
	for (;;) {
		size_t len = c->in_len - c->in_at < STEP_MAX ? c->in_len - c->in_at : STEP_MAX;
		struct window w = { c->in + c->in_at, len, buf, size };
		enum step step = c->method->step(c, &w);
		size_t out = size - w.out_len, used = len - w.in_len;

		c->in_at += used;
		*pause = count_idle(c, used, out);
		if (step == STEP_END) {
			c->method->end(c);
			c->running = false;
			*pause = true;
		}
		if (out > 0 || *pause)
			return (ssize_t)out;
		if (step == STEP_BAD || (c->in_at == c->in_len && fill(c, 1) == 0))
			return -1;
	}
}
