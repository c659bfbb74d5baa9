#include "inspect/coding.h"

#include <stdlib.h>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "inspect/transfer_coding.h"

enum { OUT_SIZE = 32 * 1024, WINDOW_LOG_MAX = 23, PREFIX_MAX = 16 * 1024, GZIP_MAGIC = 0x1f, GZIP = 16 };

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
	bool		 is_raw;	/* deflate without zlib's head */
	char		*prefix;	/* deflate: what was read before anything came out, for a second try as bare deflate */
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
		return inflateInit2(&l->z, MAX_WBITS + GZIP) == Z_OK && inflateValidate(&l->z, 0) == Z_OK ? 0 : -1;
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
	l->zstd = ZSTD_createDCtx();
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

/* What was taken for zlib is perhaps bare deflate: once more from the beginning.  REST is what of the input is left. */
static bool
try_raw(struct layer *l, struct slice *rest)
{
	if (l->coding != CODING_DEFLATE || l->is_raw || l->prefix == NULL || l->z.total_out > 0)
		return false;
	l->is_raw = true;
	*rest = slice_make(l->prefix, l->prefix_len);
	return inflateReset2(&l->z, -MAX_WBITS) == Z_OK;
}

/* Keep what a second try would need; once it is too much there is none. */
static void
keep_prefix(struct layer *l, struct slice in)
{
	if (l->prefix == NULL || l->is_raw)
		return;
	if (l->z.total_out > 0 || in.len > PREFIX_MAX - l->prefix_len) {
		free(l->prefix);
		l->prefix = NULL;
		return;
	}
	memcpy(l->prefix + l->prefix_len, in.p, in.len);
	l->prefix_len += in.len;
}

/* ---- the chain ---- */

static void
stop(struct decoder *d, enum unscannable fault)
{
	d->stopped = true;
	if (d->fault == UNSCANNABLE_NO)
		d->fault = fault;
}

static void push_layer(struct decoder *d, size_t at, struct slice in);

/* N bytes have come out of layer AT, and a stream ended behind them if ENDS. */
static void
pass_on(struct decoder *d, size_t at, size_t n, bool ends)
{
	struct slice bytes = slice_make(d->layers[at].out, n);

	d->layers[at].in_stream += n;
	d->out += n;
	if (at + 1 < d->n) {
		if (n > 0)
			push_layer(d, at + 1, bytes);
		/* A client that takes the outer stream for all has what came out of the inner ones so far. */
		if (ends && !d->stopped && !d->sink(d->arg, (struct slice){ 0 }, true))
			stop(d, UNSCANNABLE_NO);
	} else if ((n > 0 || ends) && !d->sink(d->arg, bytes, ends))
		stop(d, UNSCANNABLE_NO);
	if (d->out > d->limits.bytes)
		stop(d, UNSCANNABLE_BYTES);
	else if (d->out > RATIO_FREE && d->out / d->limits.ratio > d->in)
		stop(d, UNSCANNABLE_RATIO);
}

/* Layer AT met something that makes no sense.  Behind a whole stream that is nothing to us; else clients get no further either, but
 * have what came out so far. */
static void
meet_damage(struct decoder *d, size_t at)
{
	struct layer *l = &d->layers[at];

	l->state = LAYER_DONE;
	if (l->in_stream == 0 && l->streams > 0)
		return;
	d->sink(d->arg, (struct slice){ 0 }, true);
	stop(d, UNSCANNABLE_DAMAGED);
}

/* One step of layer AT; false when there is no other to be made. */
static bool
advance(struct decoder *d, size_t at, struct slice *in)
{
	struct layer *l = &d->layers[at];
	size_t n, before = in->len;
	enum step step = layer_step(l, in, &n);

	if (step == STEP_BAD && try_raw(l, in))
		return true;
	if (n > 0 || step == STEP_END)
		pass_on(d, at, n, step == STEP_END);
	if (step == STEP_END)
		end_stream(l);
	if (step == STEP_BAD || (step == STEP_HUNGRY && in->len > 0 && in->len == before && n == 0))
		meet_damage(d, at);
	return in->len > 0 || step == STEP_MORE;
}

static void
push_layer(struct decoder *d, size_t at, struct slice in)
{
	struct layer *l = &d->layers[at];
	bool more = in.len > 0;

	keep_prefix(l, in);
	while (more && !d->stopped && l->state != LAYER_DONE) {
		if (l->state == LAYER_BETWEEN)
			begin_stream(l, in);
		else
			more = advance(d, at, &in);
	}
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

void
decoder_push(struct decoder *d, struct slice bytes)
{
	d->in += bytes.len;
	if (!d->stopped)
		push_layer(d, 0, bytes);
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
take_start(void *arg, struct slice bytes, bool ends)
{
	struct start *s = arg;
	struct slice part = slice_head(bytes, s->max - s->len);

	(void)ends;
	if (part.len > 0)
		memcpy(s->out + s->len, part.p, part.len);
	s->len += part.len;
	return s->len < s->max;
}

struct slice
decode_start(const struct codings *c, struct slice sent, char *out, size_t max)
{
	static const struct inspect_limits none = { .bytes = UINT64_MAX, .ratio = UINT64_MAX };
	struct start start = { .out = out, .max = max };
	struct decoder *d;

	if (c->n == 0 || c->fault != UNSCANNABLE_NO || sent.len == 0 || (d = decoder_new(c, &none, take_start, &start)) == NULL)
		return sent;
	decoder_push(d, sent);
	decoder_free(d);
	return start.len > 0 ? slice_make(out, start.len) : sent;
}
