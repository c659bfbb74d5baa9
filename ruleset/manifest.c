#include "ruleset/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"

static const struct { enum segment_kind kind; const char *name; } kinds[] = {
	{ SEGMENT_RULES, "rules" }, { SEGMENT_HOSTS, "hosts" }, { SEGMENT_DIGESTS, "digests" }, { SEGMENT_SITE, "site" },
	{ SEGMENT_ADDRESSES, "addresses" }, { SEGMENT_PATTERNS, "patterns" }, { SEGMENT_NAMES, "names" },
	{ SEGMENT_EXCEPTIONS, "exceptions" }, { SEGMENT_LOOKALIKE, "lookalike" },
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds), VERSION = 3, VERSION_BEFORE = 2 };

const char *
segment_kind_name(enum segment_kind kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

void
manifest_fini(struct manifest *m)
{
	free(m->sources);
	*m = (struct manifest){ 0 };
}

int
manifest_copy(const struct manifest *from, struct manifest *to)
{
	*to = *from;
	if ((to->sources = calloc(from->n_sources + 1, sizeof(*to->sources))) == NULL)
		return -1;
	if (from->n_sources > 0)
		memcpy(to->sources, from->sources, from->n_sources * sizeof(*to->sources));
	return 0;
}

const struct manifest_segment *
manifest_find(const struct manifest_layer *layer, enum segment_kind kind)
{
	for (size_t i = 0; i < layer->n; i++)
		if (layer->segments[i].kind == kind)
			return &layer->segments[i];
	return NULL;
}

const struct manifest_layer *
manifest_layer(const struct manifest *m, uint64_t number)
{
	for (size_t i = 0; i < m->n_layers; i++)
		if (m->layers[i].number == number)
			return &m->layers[i];
	return NULL;
}

static int
compare_sources(const void *a, const void *b)
{
	const struct manifest_source *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct manifest_source *
manifest_source(const struct manifest *m, struct slice name)
{
	struct manifest_source key = { .rules = 0 };

	if (name.len > MANIFEST_NAME || m->n_sources == 0)
		return NULL;
	memcpy(key.name, name.p, name.len);
	return bsearch(&key, m->sources, m->n_sources, sizeof(key), compare_sources);
}

size_t
manifest_source_layers(const struct manifest_source *s)
{
	return s->n_older + 1;
}

uint64_t
manifest_source_layer(const struct manifest_source *s, size_t i)
{
	return i < s->n_older ? s->older[i] : s->layer;
}

bool
manifest_source_is_in(const struct manifest_source *s, uint64_t layer)
{
	for (size_t i = 0; i < s->n_older; i++)
		if (s->older[i] == layer)
			return true;
	return s->layer == layer;
}

void
manifest_source_set(struct manifest_source *s, const uint64_t *layers, size_t n)
{
	memcpy(s->older, layers, (n - 1) * sizeof(*layers));
	s->n_older = n - 1;
	s->layer = layers[n - 1];
}

int
manifest_add_source(struct manifest *m, const struct manifest_source *source)
{
	struct manifest_source *grown;

	if (m->n_sources == MANIFEST_SOURCES)
		return errno = E2BIG, -1;
	if ((grown = realloc(m->sources, (m->n_sources + 1) * sizeof(*grown))) == NULL)
		return -1;
	m->sources = grown;
	m->sources[m->n_sources++] = *source;
	return 0;
}

static int
kind_parse(struct slice word, enum segment_kind *out)
{
	for (size_t i = 0; i < KINDS; i++)
		if (slice_eq(word, slice_str(kinds[i].name))) {
			*out = kinds[i].kind;
			return 0;
		}
	return -1;
}

/* ---- reading ---- */

/* A manifest while it is read. */
struct reader {
	const char	*file;
	unsigned	 line, version;
	struct manifest	*out;
	struct diag	*diag;
};

static int
refuse(struct reader *r, const char *what)
{
	diag_add(r->diag, DIAG_ERROR, r->file, r->line, 0, "%s", what);
	return -1;
}

/* The name becomes a path: nothing that could leave the folder. */
static bool
is_plain_name(struct slice s, size_t max)
{
	if (s.len == 0 || s.len > max || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && memchr("-_.", s.p[i], 3) == NULL)
			return false;
	return true;
}

bool
manifest_is_name(struct slice name)
{
	return is_plain_name(name, MANIFEST_NAME - 1);
}

static int
read_sum(struct slice hex, uint8_t out[static SEGMENT_SHA256])
{
	struct digest d;

	if (digest_parse(DIGEST_SHA256, hex, &d) == -1)
		return -1;
	memcpy(out, d.b, SEGMENT_SHA256);
	return 0;
}

/* Where a segment of KIND goes: its own place, or the layer that was begun last. */
static struct manifest_segment *
segment_place(struct reader *r, enum segment_kind kind)
{
	struct manifest_layer *layer = r->out->n_layers == 0 ? NULL : &r->out->layers[r->out->n_layers - 1];

	if (kind == SEGMENT_SITE)
		return r->out->site.len != 0 ? NULL : &r->out->site;
	if (kind == SEGMENT_LOOKALIKE)
		return r->out->lookalike.len != 0 ? NULL : &r->out->lookalike;
	if (layer == NULL || manifest_find(layer, kind) != NULL || layer->n == MANIFEST_SEGMENTS)
		return NULL;
	return &layer->segments[layer->n++];
}

static int
read_segment(struct reader *r, struct slice rest)
{
	struct manifest_segment s, *place;
	struct slice kind, name, len, sum;

	if (!slice_cut(rest, ' ', &kind, &rest) || !slice_cut(rest, ' ', &name, &rest) ||
	    !slice_cut(rest, ' ', &len, &sum))
		return refuse(r, "expected \"segment KIND NAME LENGTH SHA256\"");
	if (kind_parse(kind, &s.kind) == -1)
		return refuse(r, "unknown kind of segment: written by a newer firebreak?");
	if (!manifest_is_name(name))
		return refuse(r, "the segment's name is no plain file name");
	if (slice_u64(len, &s.len) == -1 || s.len == 0)
		return refuse(r, "the segment's length is no number from 1");
	if (read_sum(sum, s.sha256) == -1)
		return refuse(r, "the segment's SHA-256 is not one");
	if ((place = segment_place(r, s.kind)) == NULL)
		return refuse(r, "the second segment of its kind, or one outside a layer");
	memcpy(s.name, name.p, name.len);
	s.name[name.len] = '\0';
	*place = s;
	return 0;
}

static int
read_layer(struct reader *r, struct slice rest)
{
	uint64_t number;

	if (slice_u64(rest, &number) == -1 || number == 0)
		return refuse(r, "the layer is no number from 1");
	if (manifest_layer(r->out, number) != NULL)
		return refuse(r, "the layer stands twice");
	if (r->out->n_layers == MANIFEST_LAYERS)
		return refuse(r, "too many layers");
	r->out->layers[r->out->n_layers++].number = number;
	return 0;
}

static int
read_hex(struct slice hex, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < hex.len; i++) {
		int digit = ascii_hex(hex.p[i]);

		if (digit == -1)
			return -1;
		*out = *out << 4 | (unsigned)digit;
	}
	return hex.len == 2 * sizeof(*out) ? 0 : -1;
}

/* The layers of a source, "12,17": each is above, and stands there behind the one before. */
static int
read_layers(struct reader *r, struct slice list, struct manifest_source *s)
{
	const struct manifest_layer *last = NULL, *layer;
	uint64_t numbers[MANIFEST_LAYERS];
	struct slice number;
	size_t n = 0;
	bool more;

	do {
		more = slice_cut(list, ',', &number, &list);
		if (n == MANIFEST_LAYERS)
			return refuse(r, "the source has too many layers");
		if (slice_u64(number, &numbers[n]) == -1 || (layer = manifest_layer(r->out, numbers[n])) == NULL)
			return refuse(r, "the source's layer is none of those above");
		if (last != NULL && layer <= last)
			return refuse(r, "the source's layers are out of order, or one stands twice");
		last = layer;
		n++;
	} while (more);
	if (n > 1 && r->version == VERSION_BEFORE)
		return refuse(r, "the source has more than the one layer of version 2");
	manifest_source_set(s, numbers, n);
	return 0;
}

static int
read_end_of_rules(struct slice word, int64_t *out)
{
	*out = 0;
	if (slice_eq(word, SLICE("never")))
		return 0;
	return clock_parse(word, out) == 0 && *out > 0 && *out <= CLOCK_LAST_S ? 0 : -1;
}

/* What a feed has beside: "HOSTS FILES DECIDED". */
static int
read_ends(struct reader *r, struct slice rest, struct manifest_source *s)
{
	struct slice hosts, files;

	s->has_ends = true;
	if (!slice_cut(rest, ' ', &hosts, &rest) || !slice_cut(rest, ' ', &files, &rest))
		return refuse(r, "expected \"HOSTS-END FILES-END DECIDED\" behind the source's stamp");
	if (read_end_of_rules(hosts, &s->host_end) == -1 || read_end_of_rules(files, &s->file_end) == -1)
		return refuse(r, "the end of the source's rules is neither a date nor \"never\"");
	return read_hex(rest, &s->decided) == 0 ? 0 : refuse(r, "what was decided is not 16 hexadecimal digits");
}

static int
read_source(struct reader *r, struct slice rest)
{
	struct manifest_source s = { .layer = 0 };
	struct slice name, layers, rules, stamp, ends;
	bool has_ends;

	if (!slice_cut(rest, ' ', &name, &rest) || !slice_cut(rest, ' ', &layers, &rest) || !slice_cut(rest, ' ', &rules, &rest))
		return refuse(r, "expected \"source NAME LAYERS RULES STAMP\"");
	if (!is_plain_name(name, MANIFEST_NAME))
		return refuse(r, "the source's name is none");
	memcpy(s.name, name.p, name.len);
	if (read_layers(r, layers, &s) == -1)
		return -1;
	if (slice_u64(rules, &s.rules) == -1)
		return refuse(r, "the source's number of rules is none");
	has_ends = slice_cut(rest, ' ', &stamp, &ends);
	if (read_hex(stamp, &s.stamp) == -1 || (has_ends && r->version == VERSION_BEFORE))
		return refuse(r, "the source's stamp is not 16 hexadecimal digits");
	if (has_ends && read_ends(r, ends, &s) == -1)
		return -1;
	if (r->out->n_sources > 0 && strcmp(r->out->sources[r->out->n_sources - 1].name, s.name) >= 0)
		return refuse(r, "the source is out of order, or stands twice");
	if (manifest_add_source(r->out, &s) == -1)
		return refuse(r, errno == E2BIG ? "too many sources" : "out of memory");
	return 0;
}

static int
read_generation(struct reader *r, struct slice rest)
{
	if (r->out->generation != 0)
		return refuse(r, "the second generation");
	if (slice_u64(rest, &r->out->generation) == -1 || r->out->generation == 0)
		return refuse(r, "the generation is no number from 1");
	return 0;
}

static int
read_created(struct reader *r, struct slice rest)
{
	if (r->out->created != 0)
		return refuse(r, "the second date of creation");
	if (clock_parse(rest, &r->out->created) == -1 || r->out->created <= 0 || r->out->created > CLOCK_LAST_S)
		return refuse(r, "the date of creation is not one");
	return 0;
}

static int
read_context(struct reader *r, struct slice rest)
{
	return read_hex(rest, &r->out->context) == 0 ? 0 : refuse(r, "the context is not 16 hexadecimal digits");
}

static int
read_rolled_back(struct reader *r, struct slice rest)
{
	return slice_u64(rest, &r->out->rolled_back) == 0 ? 0 : refuse(r, "the generation that was rolled back to is no number");
}

static int
read_line(struct reader *r, struct slice line)
{
	static const struct { const char *word; int (*read)(struct reader *r, struct slice rest); } words[] = {
		{ "segment", read_segment }, { "source", read_source }, { "layer", read_layer }, { "generation", read_generation },
		{ "created", read_created }, { "context", read_context }, { "rolled-back", read_rolled_back },
	};
	struct slice word, rest;

	slice_cut(line, ' ', &word, &rest);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_eq(word, slice_str(words[i].word)))
			return words[i].read(r, rest);
	return refuse(r, "an unknown line: written by a newer firebreak?");
}

static int
sum_of(struct slice text, uint8_t out[static SEGMENT_SHA256])
{
	return EVP_Digest(text.p, text.len, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

/* LINE is the last; ABOVE is all text before it. */
static int
read_end(struct reader *r, struct slice line, struct slice above)
{
	uint8_t stated[SEGMENT_SHA256], real[SEGMENT_SHA256];

	if (read_sum(slice_skip(line, strlen("end ")), stated) == -1)
		return refuse(r, "the sum is no SHA-256");
	if (sum_of(above, real) == -1 || memcmp(stated, real, sizeof(real)) != 0)
		return refuse(r, "damaged: the sum of the lines above is another");
	if (r->out->generation == 0 || r->out->created == 0 || r->out->site.len == 0)
		return refuse(r, "the generation, its date of creation or the site's segment is missing");
	return 0;
}

int
manifest_parse(const char *file, struct slice text, struct manifest *out, struct diag *diag)
{
	struct reader r = { .file = file, .line = 1, .version = VERSION, .out = out, .diag = diag };
	struct slice rest = text, line;

	*out = (struct manifest){ 0 };
	if (text.len > MANIFEST_MAX)
		return refuse(&r, "is longer than a MANIFEST can be");
	if (!slice_cut(rest, '\n', &line, &rest) || !slice_starts(line, SLICE("firebreak-manifest ")))
		return refuse(&r, "is no MANIFEST");
	if (slice_eq(line, SLICE("firebreak-manifest 2")))
		r.version = VERSION_BEFORE;
	else if (!slice_eq(line, SLICE("firebreak-manifest 3")))
		return refuse(&r, "is of another version; this firebreak reads versions 2 and 3");
	for (r.line = 2; rest.len > 0; r.line++) {
		const char *start = rest.p;

		if (!slice_cut(rest, '\n', &line, &rest))
			break;
		if (slice_starts(line, SLICE("end "))) {
			if (rest.len > 0)
				return refuse(&r, "there is more after the end");
			return read_end(&r, line, slice_make(text.p, (size_t)(start - text.p)));
		}
		if (read_line(&r, line) == -1)
			return -1;
	}
	return refuse(&r, "is cut short: the line \"end\" is missing");
}

/* ---- writing ---- */

static void
add_sum(struct buf *out, const uint8_t sum[static SEGMENT_SHA256])
{
	struct digest d = { .alg = DIGEST_SHA256 };
	char hex[DIGEST_MAX_HEX + 1];

	memcpy(d.b, sum, SEGMENT_SHA256);
	digest_format(&d, hex);
	buf_add_str(out, hex);
}

int
manifest_load(const char *path, struct manifest *out, struct diag *diag)
{
	struct buf text;
	int r = -1, error;

	*out = (struct manifest){ 0 };
	buf_init(&text, MANIFEST_MAX);
	if (file_read(path, &text) == -1) {
		error = errno;
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", error == ENOENT ? "nothing was published yet" : strerror(error));
	} else {
		r = manifest_parse(path, buf_slice(&text), out, diag);
		error = EBADMSG;
	}
	buf_fini(&text);
	errno = error;
	return r;
}

static void
add_segment(struct buf *out, const struct manifest_segment *s)
{
	buf_addf(out, "segment %s %s %" PRIu64 " ", segment_kind_name(s->kind), s->name, s->len);
	add_sum(out, s->sha256);
	buf_add_char(out, '\n');
}

static void
add_end_of_rules(struct buf *out, int64_t end)
{
	char date[CLOCK_TEXT] = "never";

	if (end != 0)
		clock_format_s(end, date);
	buf_add_strs(out, " ", date, NULL);
}

static void
add_source(struct buf *out, const struct manifest_source *s)
{
	buf_addf(out, "source %s ", s->name);
	for (size_t i = 0; i < s->n_older; i++)
		buf_addf(out, "%" PRIu64 ",", s->older[i]);
	buf_addf(out, "%" PRIu64 " %" PRIu64 " %016" PRIx64, s->layer, s->rules, s->stamp);
	if (s->has_ends) {
		add_end_of_rules(out, s->host_end);
		add_end_of_rules(out, s->file_end);
		buf_addf(out, " %016" PRIx64, s->decided);
	}
	buf_add_char(out, '\n');
}

int
manifest_format(const struct manifest *m, struct buf *out)
{
	uint8_t sum[SEGMENT_SHA256];
	char date[CLOCK_TEXT];
	size_t start = out->len;

	clock_format_s(m->created, date);
	buf_addf(out, "firebreak-manifest 3\ngeneration %" PRIu64 "\ncreated %s\n", m->generation, date);
	buf_addf(out, "context %016" PRIx64 "\n", m->context);
	if (m->rolled_back != 0)
		buf_addf(out, "rolled-back %" PRIu64 "\n", m->rolled_back);
	add_segment(out, &m->site);
	if (m->lookalike.len != 0)
		add_segment(out, &m->lookalike);
	for (size_t i = 0; i < m->n_layers; i++) {
		buf_addf(out, "layer %" PRIu64 "\n", m->layers[i].number);
		for (size_t j = 0; j < m->layers[i].n; j++)
			add_segment(out, &m->layers[i].segments[j]);
	}
	for (size_t i = 0; i < m->n_sources; i++)
		add_source(out, &m->sources[i]);
	if (out->failed || sum_of(slice_make(out->p + start, out->len - start), sum) == -1)
		return -1;
	buf_add_str(out, "end ");
	add_sum(out, sum);
	return buf_add_char(out, '\n');
}
