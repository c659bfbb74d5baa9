#include "inspect/coding.h"

#include <stdlib.h>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "inspect/transfer_coding.h"

/* ZSTD_d_forceIgnoreChecksum, which zstd.h shows only to who links it statically: without it the last block is lost when a sum
 * is wrong.  A library that does not know it says so and is as strict as before. */
#define ZSTD_IGNORE_SUM	ZSTD_d_experimentalParam3

enum { OUT_SIZE = 32 * 1024, WINDOW_LOG_MAX = 23, PIECE_MAX = OUT_SIZE, PREFIX_MAX = 64 * 1024, DEFLATE_HEAD = 5,
	GZIP_MAGIC = 0x1f, GZIP_OR_ZLIB = 32 };

enum layer_state {
	LAYER_OPEN,		/* within a stream */
	LAYER_BETWEEN,		/* a stream has ended: another may follow */
	LAYER_DONE,		/* what follows is of no use */
};

/* One coding. */
struct layer {
	enum coding	 coding;
	enum layer_state state;
	uint64_t	 in_stream;	/* bytes that came out of this stream */
	uint64_t	 streams;	/* that have ended before it */
	z_stream	 z;
	bool		 is_told;	/* deflate: it is known with or without zlib's head */
	char		*prefix;	/* deflate: the beginning, until it is told, or for a second try; NULL: it is too much */
	size_t		 prefix_len;
	BrotliDecoderState *br;
	ZSTD_DCtx	*zstd;
	struct transfer	 transfer;
	char		*out;		/* OUT_SIZE */
};

struct decoder {
	struct layer		 layers[CODINGS_MAX];	/* in the order undone */
	size_t			 n;
	struct inspect_limits	 limits;
	uint64_t		 in, out;		/* bytes: as sent, and of all layers together */
	bool			 stopped;
	struct slice		 rest;		/* of the push in which the outermost layer came to its end */
	enum unscannable	 fault;
	decoder_sink		*sink;
	void			*arg;
};

static const struct { const char *name; enum coding coding; } names[] = {
	{ "gzip", CODING_GZIP }, { "x-gzip", CODING_GZIP }, { "deflate", CODING_DEFLATE }, { "br", CODING_BR },
	{ "zstd", CODING_ZSTD },
};

static void
append(struct codings *c, enum coding coding)
{
	if (c->n == CODINGS_MAX)
		c->fault = UNSCANNABLE_CODINGS;
	else
		c->list[c->n++] = coding;
}

static void
add_one(struct codings *c, struct slice name)
{
	if (name.len == 0 || slice_ieq(name, SLICE("identity")))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!slice_ieq(name, slice_str(names[i].name)))
			continue;
		append(c, names[i].coding);
		return;
	}
	c->fault = UNSCANNABLE_CODING;
}

void
codings_add(struct codings *c, struct slice value)
{
	struct slice item;

	while (value.len > 0) {
		slice_cut(value, ',', &item, &value);
		add_one(c, slice_trim(item));
	}
}

void
codings_add_transfer(struct codings *c, struct slice value)
{
	slice_cut(value, ';', &value, NULL);
	value = slice_trim(value);
	if (slice_ieq(value, SLICE("base64")))
		append(c, CODING_BASE64);
	else if (slice_ieq(value, SLICE("quoted-printable")))
		append(c, CODING_QUOTED);
	else if (value.len > 0 && !slice_ieq(value, SLICE("7bit")) && !slice_ieq(value, SLICE("8bit")) &&
	    !slice_ieq(value, SLICE("binary")))
		c->fault = UNSCANNABLE_CODING;
}

/* ---- layers ---- */

static int
open_layer(struct layer *l, enum coding coding)
{
	*l = (struct layer){ .coding = coding };
	if ((l->out = malloc(OUT_SIZE)) == NULL)
		return -1;
	switch (coding) {
	case CODING_GZIP:
		/* Without the sums: clients do not look at them either. */
		return inflateInit2(&l->z, MAX_WBITS + GZIP_OR_ZLIB) == Z_OK && inflateValidate(&l->z, 0) == Z_OK ? 0 : -1;
	case CODING_DEFLATE:
		l->prefix = malloc(PREFIX_MAX);
		return inflateInit2(&l->z, MAX_WBITS) == Z_OK && inflateValidate(&l->z, 0) == Z_OK && l->prefix != NULL ? 0 : -1;
	case CODING_BR:
		return (l->br = BrotliDecoderCreateInstance(NULL, NULL, NULL)) == NULL ? -1 : 0;
	case CODING_BASE64:
	case CODING_QUOTED:
		return 0;
	case CODING_ZSTD:
		break;
	}
	if ((l->zstd = ZSTD_createDCtx()) != NULL)
		ZSTD_DCtx_setParameter(l->zstd, ZSTD_IGNORE_SUM, 1);
	return l->zstd == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(l->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)) ? -1 : 0;
}

static void
close_layer(struct layer *l)
{
	if (l->z.state != NULL)
		inflateEnd(&l->z);
	if (l->br != NULL)
		BrotliDecoderDestroyInstance(l->br);
	ZSTD_freeDCtx(l->zstd);
	free(l->prefix);
	free(l->out);
}

/* One step of a codec: takes from *IN, has put N bytes into l->out. */
enum step { STEP_MORE, STEP_HUNGRY, STEP_END, STEP_BAD };

static enum step
inflate_step(struct layer *l, struct slice *in, size_t *n)
{
	int r;

	l->z.next_in = (Bytef *)(uintptr_t)in->p;
	l->z.avail_in = (uInt)in->len;
	l->z.next_out = (Bytef *)l->out;
	l->z.avail_out = OUT_SIZE;
	r = inflate(&l->z, Z_NO_FLUSH);
	*n = OUT_SIZE - l->z.avail_out;
	*in = slice_skip(*in, in->len - l->z.avail_in);
	if (r == Z_STREAM_END)
		return STEP_END;
	if (r != Z_OK && r != Z_BUF_ERROR)
		return STEP_BAD;
	return l->z.avail_out == 0 ? STEP_MORE : STEP_HUNGRY;
}

static enum step
brotli_step(struct layer *l, struct slice *in, size_t *n)
{
	const uint8_t *next_in = (const uint8_t *)in->p;
	uint8_t *next_out = (uint8_t *)l->out;
	size_t avail_in = in->len, avail_out = OUT_SIZE;
	BrotliDecoderResult r = BrotliDecoderDecompressStream(l->br, &avail_in, &next_in, &avail_out, &next_out, NULL);

	*n = OUT_SIZE - avail_out;
	*in = slice_skip(*in, in->len - avail_in);
	switch (r) {
	case BROTLI_DECODER_RESULT_SUCCESS: return STEP_END;
	case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return STEP_MORE;
	case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return STEP_HUNGRY;
	default: return STEP_BAD;
	}
}

static enum step
zstd_step(struct layer *l, struct slice *in, size_t *n)
{
	ZSTD_inBuffer input = { in->p, in->len, 0 };
	ZSTD_outBuffer output = { l->out, OUT_SIZE, 0 };
	size_t r = ZSTD_decompressStream(l->zstd, &output, &input);

	*n = output.pos;
	*in = slice_skip(*in, input.pos);
	if (ZSTD_isError(r))
		return STEP_BAD;
	if (r == 0)
		return STEP_END;
	return output.pos == OUT_SIZE ? STEP_MORE : STEP_HUNGRY;
}

static enum step
transfer_layer_step(struct layer *l, struct slice *in, size_t *n)
{
	switch ((l->coding == CODING_BASE64 ? base64_step : quoted_step)(&l->transfer, in, l->out, OUT_SIZE, n)) {
	case TRANSFER_BAD: return STEP_BAD;
	case TRANSFER_END: return STEP_END;
	case TRANSFER_MORE: break;
	}
	return in->len > 0 ? STEP_MORE : STEP_HUNGRY;
}

static enum step
layer_step(struct layer *l, struct slice *in, size_t *n)
{
	switch (l->coding) {
	case CODING_BASE64:
	case CODING_QUOTED: return transfer_layer_step(l, in, n);
	case CODING_BR: return brotli_step(l, in, n);
	case CODING_ZSTD: return zstd_step(l, in, n);
	default: return inflate_step(l, in, n);
	}
}

/* A stream has ended.  Only gzip (RFC 1952 2.2) and zstd (RFC 8878 3) have streams behind streams; behind the padding of base64
 * some go on. */
static void
end_stream(struct layer *l)
{
	l->in_stream = 0;
	l->streams++;
	l->state = l->coding == CODING_BR || l->coding == CODING_DEFLATE ? LAYER_DONE : LAYER_BETWEEN;
}

/* Another stream begins, or what follows is none. */
static void
begin_stream(struct layer *l, struct slice in)
{
	l->state = LAYER_OPEN;
	if (l->coding != CODING_GZIP)
		return;
	if ((uint8_t)in.p[0] != GZIP_MAGIC || inflateReset(&l->z) != Z_OK || inflateValidate(&l->z, 0) != Z_OK)
		l->state = LAYER_DONE;
}

/* Is "deflate" zlib (RFC 1950), or bare (RFC 1951)?  Clients try zlib, and when that fails the other.  The low four bits of zlib's
 * head are 8; for a bare stream that is a stored block, whose length is then said twice.  So five bytes tell, unless somebody has
 * made them for both. */
enum flavour { FLAVOUR_OPEN, FLAVOUR_ZLIB, FLAVOUR_BARE, FLAVOUR_BOTH };

static enum flavour
flavour(struct slice head)
{
	const uint8_t *p = (const uint8_t *)head.p;

	if (head.len > 0 && (p[0] & 0x0f) != Z_DEFLATED)
		return FLAVOUR_BARE;
	if (head.len > 1 && ((unsigned)p[0] << 8 | p[1]) % 31 != 0)
		return FLAVOUR_BARE;
	if (head.len < DEFLATE_HEAD)
		return FLAVOUR_OPEN;
	return (p[1] ^ p[3]) == UINT8_MAX && (p[2] ^ p[4]) == UINT8_MAX ? FLAVOUR_BOTH : FLAVOUR_ZLIB;
}

/* Once more from the beginning, as bare deflate; all of it is in the prefix, and becomes the input. */
static bool
try_bare(struct layer *l, struct slice *in)
{
	if (l->coding != CODING_DEFLATE || l->prefix == NULL)
		return false;
	*in = slice_make(l->prefix, l->prefix_len);
	l->is_told = true;
	return inflateReset2(&l->z, -MAX_WBITS) == Z_OK;
}

/* Keep the beginning of deflate for as long as it may be needed.  False: more must come before anything can be done; else what to
 * decode is in *IN. */
static bool
tell_flavour(struct layer *l, struct slice *in)
{
	bool first = l->prefix != NULL && l->prefix_len < DEFLATE_HEAD;

	if (l->coding != CODING_DEFLATE || l->is_told || l->prefix == NULL)
		return true;
	if (in->len > PREFIX_MAX - l->prefix_len) {	/* never the first: pieces are smaller */
		free(l->prefix);
		l->prefix = NULL;
		return true;
	}
	memcpy(l->prefix + l->prefix_len, in->p, in->len);
	l->prefix_len += in->len;
	if (!first)
		return true;
	switch (flavour(slice_make(l->prefix, l->prefix_len))) {
	case FLAVOUR_OPEN:
		return false;
	case FLAVOUR_BARE:
		return try_bare(l, in);
	case FLAVOUR_ZLIB:
		l->is_told = true;
		break;
	case FLAVOUR_BOTH:
		break;
	}
	*in = slice_make(l->prefix, l->prefix_len);
	return true;
}

/* ---- the chain ---- */

static void
stop(struct decoder *d, enum unscannable fault)
{
	d->stopped = true;
	if (d->fault == UNSCANNABLE_NO)
		d->fault = fault;
}

static void
tell(struct decoder *d, struct slice bytes, enum decoded what)
{
	if (!d->sink(d->arg, bytes, what))
		stop(d, UNSCANNABLE_NO);
}

static void push_layer(struct decoder *d, size_t at, struct slice in);

/* N bytes have come out of layer AT, and a stream ended behind them if ENDS. */
static void
pass_on(struct decoder *d, size_t at, size_t n, bool ends)
{
	struct slice bytes = slice_make(d->layers[at].out, n);
	enum decoded what = !ends ? DECODED_MORE : d->layers[at].streams > 0 ? DECODED_END : DECODED_FIRST;

	d->layers[at].in_stream += n;
	d->out += n;
	if (d->out > d->limits.bytes)
		stop(d, UNSCANNABLE_BYTES);
	else if (d->out > RATIO_FREE && d->out / (d->limits.ratio > 0 ? d->limits.ratio : 1) > d->in)
		stop(d, UNSCANNABLE_RATIO);
	if (d->stopped)
		return;
	if (at + 1 < d->n) {
		if (n > 0)
			push_layer(d, at + 1, bytes);
		/* A client that takes the outer stream for all has what came out of the inner ones so far. */
		if (ends && !d->stopped)
			tell(d, (struct slice){ 0 }, what);
	} else if (n > 0 || ends)
		tell(d, bytes, what);
}

/* Layer AT met something that makes no sense.  Behind a whole stream that is nothing to us; else clients get no further either, but
 * have what came out so far. */
static void
meet_damage(struct decoder *d, size_t at)
{
	struct layer *l = &d->layers[at];

	l->state = LAYER_DONE;
	/* Receivers of mail differ in what they make of base64 behind its end. */
	if (l->in_stream == 0 && l->streams > 0 && l->coding != CODING_BASE64)
		return;
	tell(d, (struct slice){ 0 }, DECODED_END);
	stop(d, UNSCANNABLE_DAMAGED);
}

/* What came out of layer AT was wrong: whatever is behind it begins anew.  Some client may still have taken it for true. */
static void
restart_behind(struct decoder *d, size_t at)
{
	if (d->layers[at].in_stream == 0)
		return;
	d->layers[at].in_stream = 0;
	tell(d, (struct slice){ 0 }, DECODED_END);
	for (size_t i = at + 1; i < d->n; i++) {
		enum coding coding = d->layers[i].coding;

		close_layer(&d->layers[i]);
		if (open_layer(&d->layers[i], coding) == -1)
			stop(d, UNSCANNABLE_DAMAGED);
	}
	if (!d->stopped)
		tell(d, (struct slice){ 0 }, DECODED_RESTART);
}

/* One step of layer AT; false when there is no other to be made. */
static bool
advance(struct decoder *d, size_t at, struct slice *in)
{
	struct layer *l = &d->layers[at];
	struct slice before = *in;
	size_t n;
	enum step step = layer_step(l, in, &n);

	if (n > 0 || step == STEP_END)
		pass_on(d, at, n, step == STEP_END);
	if (step == STEP_END)
		end_stream(l);
	if (step == STEP_BAD && !l->is_told && try_bare(l, in))
		restart_behind(d, at);
	else if (step == STEP_BAD || (step == STEP_HUNGRY && in->len > 0 && in->len == before.len && n == 0)) {
		meet_damage(d, at);
		*in = before;	/* whatever it is, it is not this coding */
		return false;
	}
	return in->len > 0 || step == STEP_MORE;
}

static void
push_layer(struct decoder *d, size_t at, struct slice in)
{
	struct layer *l = &d->layers[at];
	bool more = in.len > 0 && tell_flavour(l, &in);

	while (more && !d->stopped && l->state != LAYER_DONE) {
		if (l->state == LAYER_BETWEEN)
			begin_stream(l, in);
		else
			more = advance(d, at, &in);
	}
	if (at == 0 && l->state == LAYER_DONE)
		d->rest = in;
}

struct decoder *
decoder_new(const struct codings *c, const struct inspect_limits *limits, decoder_sink *sink, void *arg)
{
	struct decoder *d = malloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	*d = (struct decoder){ .limits = *limits, .sink = sink, .arg = arg };
	while (d->n < c->n) {
		enum coding coding = c->list[c->n - 1 - d->n];

		if (open_layer(&d->layers[d->n++], coding) == 0)
			continue;
		decoder_free(d);
		return NULL;
	}
	return d;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		close_layer(&d->layers[i]);
	free(d);
}

struct slice
decoder_push(struct decoder *d, struct slice bytes)
{
	d->in += bytes.len;
	d->rest = (struct slice){ 0 };
	if (decoder_done(d))
		return bytes;
	while (bytes.len > 0 && !decoder_done(d)) {
		push_layer(d, 0, slice_head(bytes, PIECE_MAX));
		bytes = slice_skip(bytes, PIECE_MAX);
	}
	if (bytes.len > 0 && d->rest.p != NULL && d->rest.p + d->rest.len == bytes.p)
		d->rest.len += bytes.len;
	return d->rest;
}

bool
decoder_done(const struct decoder *d)
{
	if (d->stopped)
		return true;
	for (size_t i = 0; i < d->n; i++)
		if (d->layers[i].state == LAYER_DONE)
			return true;
	return false;
}

enum unscannable
decoder_fault(const struct decoder *d)
{
	return d->fault;
}

struct start {
	char	*out;
	size_t	 len, max;
};

static bool
take_start(void *arg, struct slice bytes, enum decoded what)
{
	struct start *s = arg;
	struct slice part = slice_head(bytes, s->max - s->len);

	if (what == DECODED_RESTART)
		s->len = 0;
	if (part.len > 0)
		memcpy(s->out + s->len, part.p, part.len);
	s->len += part.len;
	return s->len < s->max;
}

struct slice
decode_start(const struct codings *c, struct slice sent, char *out, size_t max)
{
	/* Enough for any start; stacked codings can multiply. */
	static const struct inspect_limits few = { .bytes = 1 << 20, .ratio = UINT64_MAX };
	struct start start = { .out = out, .max = max };
	struct decoder *d;

	if (c->n == 0 || c->fault != UNSCANNABLE_NO || sent.len == 0 || (d = decoder_new(c, &few, take_start, &start)) == NULL)
		return sent;
	decoder_push(d, sent);
	decoder_free(d);
	return start.len > 0 ? slice_make(out, start.len) : sent;
}
