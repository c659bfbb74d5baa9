#include "ruleset/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"


static const struct { enum segment_kind kind; const char *name; } kinds[] = {
	{ SEGMENT_RULES, "rules" }, { SEGMENT_HOSTS, "hosts" }, { SEGMENT_DIGESTS, "digests" }, { SEGMENT_SITE, "site" },
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

const char *
segment_kind_name(enum segment_kind kind)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

const struct manifest_segment *
manifest_find(const struct manifest *m, enum segment_kind kind)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->segments[i].kind == kind)
			return &m->segments[i];
	return NULL;
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
	unsigned	 line;
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
is_plain_name(struct slice s)
{
	if (s.len == 0 || s.len >= MANIFEST_NAME || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && memchr("-_.", s.p[i], 3) == NULL)
			return false;
	return true;
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

static int
read_segment(struct reader *r, struct slice rest)
{
	struct manifest_segment s;
	struct slice kind, name, len, sum;

	if (!slice_cut(rest, ' ', &kind, &rest) || !slice_cut(rest, ' ', &name, &rest) ||
	    !slice_cut(rest, ' ', &len, &sum))
		return refuse(r, "expected \"segment KIND NAME LENGTH SHA256\"");
	if (kind_parse(kind, &s.kind) == -1)
		return refuse(r, "unknown kind of segment: written by a newer firebreak?");
	if (manifest_find(r->out, s.kind) != NULL)
		return refuse(r, "the second segment of its kind");
	if (r->out->n == MANIFEST_SEGMENTS)
		return refuse(r, "too many segments");
	if (!is_plain_name(name))
		return refuse(r, "the segment's name is no plain file name");
	if (slice_u64(len, &s.len) == -1)
		return refuse(r, "the segment's length is no number");
	if (read_sum(sum, s.sha256) == -1)
		return refuse(r, "the segment's SHA-256 is not one");
	memcpy(s.name, name.p, name.len);
	s.name[name.len] = '\0';
	r->out->segments[r->out->n++] = s;
	return 0;
}

static int
read_line(struct reader *r, struct slice line)
{
	struct slice word, rest;

	slice_cut(line, ' ', &word, &rest);
	if (slice_eq(word, SLICE("segment")))
		return read_segment(r, rest);
	if (slice_eq(word, SLICE("generation"))) {
		if (r->out->generation != 0)
			return refuse(r, "the second generation");
		if (slice_u64(rest, &r->out->generation) == -1 || r->out->generation == 0)
			return refuse(r, "the generation is no number from 1");
		return 0;
	}
	if (slice_eq(word, SLICE("created"))) {
		if (r->out->created != 0)
			return refuse(r, "the second date of creation");
		if (clock_parse(rest, &r->out->created) == -1 || r->out->created <= 0 ||
		    r->out->created > CLOCK_LAST_S)
			return refuse(r, "the date of creation is not one");
		return 0;
	}
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
	if (r->out->generation == 0 || r->out->created == 0)
		return refuse(r, "the generation or the date of creation is missing");
	return 0;
}

int
manifest_parse(const char *file, struct slice text, struct manifest *out, struct diag *diag)
{
	struct reader r = { .file = file, .line = 1, .out = out, .diag = diag };
	struct slice rest = text, line;

	*out = (struct manifest){ 0 };
	if (text.len > MANIFEST_MAX)
		return refuse(&r, "is longer than a MANIFEST can be");
	if (!slice_cut(rest, '\n', &line, &rest) || !slice_starts(line, SLICE("firebreak-manifest ")))
		return refuse(&r, "is no MANIFEST");
	if (!slice_eq(line, SLICE("firebreak-manifest 1")))
		return refuse(&r, "is of another version; this firebreak reads version 1");
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

int
manifest_format(const struct manifest *m, struct buf *out)
{
	uint8_t sum[SEGMENT_SHA256];
	char date[CLOCK_TEXT];
	size_t start = out->len;

	clock_format_s(m->created, date);
	buf_addf(out, "firebreak-manifest 1\ngeneration %" PRIu64 "\ncreated %s\n", m->generation, date);
	for (size_t i = 0; i < m->n; i++) {
		const struct manifest_segment *s = &m->segments[i];

		buf_addf(out, "segment %s %s %" PRIu64 " ", segment_kind_name(s->kind), s->name, s->len);
		add_sum(out, s->sha256);
		buf_add_char(out, '\n');
	}
	if (out->failed || sum_of(slice_make(out->p + start, out->len - start), sum) == -1)
		return -1;
	buf_add_str(out, "end ");
	add_sum(out, sum);
	return buf_add_char(out, '\n');
}
