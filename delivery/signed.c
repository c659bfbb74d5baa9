#include "delivery/signed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/digest.h"

void
signed_name(uint64_t generation, char out[static MANIFEST_NAME])
{
	snprintf(out, MANIFEST_NAME, "SIGNED.%" PRIu64, generation);
}

void
signed_manifest_name(uint64_t generation, char out[static MANIFEST_NAME])
{
	snprintf(out, MANIFEST_NAME, "MANIFEST.%" PRIu64, generation);
}

/* ---- from a MANIFEST ---- */

static void
add_segment(struct signed_text *t, const struct manifest_segment *s)
{
	struct signed_file *f = &t->files[t->n++];

	memset(f, 0, sizeof(*f));
	memcpy(f->name, s->name, strlen(s->name) + 1);
	f->len = s->len;
	memcpy(f->sha256, s->sha256, SEGMENT_SHA256);
}

void
signed_list(const struct manifest *m, struct slice manifest, struct signed_text *out)
{
	struct signed_file *first = &out->files[0];

	memset(first, 0, sizeof(*first));
	signed_manifest_name(m->generation, first->name);
	first->len = manifest.len;
	EVP_Digest(manifest.p, manifest.len, first->sha256, NULL, EVP_sha256(), NULL);
	out->n = 1;
	add_segment(out, &m->site);
	if (m->lookalike.len > 0)
		add_segment(out, &m->lookalike);
	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < m->layers[i].n; k++)
			add_segment(out, &m->layers[i].segments[k]);
}

bool
signed_covers(const struct signed_text *t, const struct manifest *m, struct slice manifest)
{
	struct signed_text other;

	signed_list(m, manifest, &other);
	if (other.n != t->n || m->generation != t->head.generation)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->files[i].name, other.files[i].name) != 0 || t->files[i].len != other.files[i].len ||
		    memcmp(t->files[i].sha256, other.files[i].sha256, SEGMENT_SHA256) != 0)
			return false;
	return true;
}

/* ---- writing ---- */

int
signed_comment_format(const struct signed_head *head, struct buf *out)
{
	char date[CLOCK_TEXT], name[MANIFEST_NAME];

	clock_format_s(head->expires, date);
	signed_name(head->generation, name);
	return buf_addf(out, SIGNED_PRODUCT " epoch=%" PRIu64 " generation=%" PRIu64 " expires=%s file=%s", head->epoch,
	    head->generation, date, name);
}

int
signed_format(const struct signed_text *t, struct buf *out)
{
	char created[CLOCK_TEXT], expires[CLOCK_TEXT], key[MINISIGN_KEY_TEXT], hex[DIGEST_MAX_HEX + 1];

	clock_format_s(t->created, created);
	clock_format_s(t->head.expires, expires);
	buf_addf(out, "firebreak-signed 1\nproduct " SIGNED_PRODUCT "\ngeneration %" PRIu64 "\nepoch %" PRIu64 "\n",
	    t->head.generation, t->head.epoch);
	buf_addf(out, "created %s\nexpires %s\n", created, expires);
	if (t->has_next) {
		minisign_public_format(&t->next, key);
		buf_addf(out, "next-key %s\n", key);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct digest d = { .alg = DIGEST_SHA256 };

		memcpy(d.b, t->files[i].sha256, SEGMENT_SHA256);
		digest_format(&d, hex);
		buf_addf(out, "file %s %" PRIu64 " %s\n", t->files[i].name, t->files[i].len, hex);
	}
	return out->failed ? -1 : 0;
}

/* ---- reading ---- */

static bool
is_number(struct slice s, uint64_t *out)
{
	return slice_u64(s, out) == 0 && *out > 0 && *out <= SIGNED_NUMBER_MAX;
}

/* The value of KEY, which the next word of *REST must be. */
static bool
word_of(struct slice *rest, struct slice key, struct slice *value)
{
	struct slice word;

	slice_cut(*rest, ' ', &word, rest);
	*value = slice_skip(word, key.len);
	return slice_starts(word, key);
}

int
signed_comment_parse(struct slice comment, struct signed_head *out)
{
	struct slice rest, word, value;
	char space[MINISIGN_COMMENT];
	struct buf again;
	bool same;

	slice_cut(comment, ' ', &word, &rest);
	if (!slice_eq(word, SLICE(SIGNED_PRODUCT)) || !word_of(&rest, SLICE("epoch="), &value) || !is_number(value, &out->epoch) ||
	    !word_of(&rest, SLICE("generation="), &value) || !is_number(value, &out->generation) ||
	    !word_of(&rest, SLICE("expires="), &value) || clock_parse(value, &out->expires) == -1)
		return errno = EBADMSG, -1;
	/* One way to say it: nothing is read here that the text would not say in the same way. */
	buf_init_in(&again, space, sizeof(space), sizeof(space) - 1);
	signed_comment_format(out, &again);
	same = !again.failed && slice_eq(buf_slice(&again), comment);
	buf_fini(&again);
	return same ? 0 : (errno = EBADMSG, -1);
}

struct reader {
	const char		*file;
	unsigned		 line;
	struct signed_text	*out;
	struct diag		*diag;
};

static int
refuse(const struct reader *r, const char *what)
{
	diag_add(r->diag, DIAG_ERROR, r->file, r->line, 0, "%s", what);
	return -1;
}

static int
read_file(struct reader *r, struct slice rest)
{
	struct signed_text *t = r->out;
	struct slice name, len, sum;
	struct signed_file *f;
	struct digest d;

	if (t->n == SIGNED_FILES)
		return refuse(r, "more files than a generation has");
	f = &t->files[t->n];
	memset(f, 0, sizeof(*f));
	if (!slice_cut(rest, ' ', &name, &rest) || !slice_cut(rest, ' ', &len, &sum) || !manifest_is_name(name))
		return refuse(r, "expected \"file NAME SIZE SHA-256\" with a plain name");
	if (slice_u64(len, &f->len) == -1 || f->len == 0 || f->len > INT64_MAX || digest_parse(DIGEST_SHA256, sum, &d) == -1)
		return refuse(r, "the size or the SHA-256 of a file is none");
	memcpy(f->name, name.p, name.len);
	memcpy(f->sha256, d.b, SEGMENT_SHA256);
	t->n++;
	return 0;
}

/* The next line of *REST must be KEY and a value. */
static int
read_value(struct reader *r, struct slice *rest, struct slice key, struct slice *value)
{
	struct slice line;

	r->line++;
	if (!slice_cut(*rest, '\n', &line, rest) || !slice_starts(line, key)) {
		diag_add(r->diag, DIAG_ERROR, r->file, r->line, 0, "expected \"%.*s\"", SLICE_ARGS(slice_trim(key)));
		return -1;
	}
	*value = slice_skip(line, key.len);
	return 0;
}

static int
read_head(struct reader *r, struct slice *rest)
{
	struct signed_text *t = r->out;
	struct slice value;

	if (read_value(r, rest, SLICE("firebreak-signed "), &value) == -1)
		return -1;
	if (!slice_eq(value, SLICE("1")))
		return refuse(r, "is of another version; this firebreak reads version 1");
	if (read_value(r, rest, SLICE("product "), &value) == -1)
		return -1;
	if (!slice_eq(value, SLICE(SIGNED_PRODUCT)))
		return refuse(r, "is of another product");
	if (read_value(r, rest, SLICE("generation "), &value) == -1)
		return -1;
	if (!is_number(value, &t->head.generation))
		return refuse(r, "the generation is no number, or too large");
	if (read_value(r, rest, SLICE("epoch "), &value) == -1)
		return -1;
	if (!is_number(value, &t->head.epoch))
		return refuse(r, "the epoch is no number, or too large");
	if (read_value(r, rest, SLICE("created "), &value) == -1)
		return -1;
	if (clock_parse(value, &t->created) == -1)
		return refuse(r, "the date of creation is none");
	if (read_value(r, rest, SLICE("expires "), &value) == -1)
		return -1;
	return clock_parse(value, &t->head.expires) == 0 ? 0 : refuse(r, "the date it expires is none");
}

static int
read_files(struct reader *r, struct slice rest)
{
	struct slice line;

	while (rest.len > 0) {
		r->line++;
		if (!slice_cut(rest, '\n', &line, &rest))
			return refuse(r, "is cut short");
		if (!slice_starts(line, SLICE("file ")))
			return refuse(r, "an unknown line: written by a newer firebreak?");
		if (read_file(r, slice_skip(line, strlen("file "))) == -1)
			return -1;
	}
	return 0;
}

int
signed_parse(const char *file, struct slice text, const struct signed_head *head, struct signed_text *out, struct diag *diag)
{
	struct reader r = { .file = file, .out = out, .diag = diag };
	char manifest[MANIFEST_NAME];
	struct slice value;

	out->has_next = false;
	out->n = 0;
	if (text.len > SIGNED_MAX)
		return refuse(&r, "is longer than such a text can be");
	if (read_head(&r, &text) == -1)
		return -1;
	if (slice_starts(text, SLICE("next-key "))) {
		if (read_value(&r, &text, SLICE("next-key "), &value) == -1)
			return -1;
		if (minisign_public_parse(value, &out->next) == -1)
			return refuse(&r, "the next key is none");
		out->has_next = true;
	}
	if (read_files(&r, text) == -1)
		return -1;
	signed_manifest_name(out->head.generation, manifest);
	if (out->n < 2 || strcmp(out->files[0].name, manifest) != 0)
		return refuse(&r, "the MANIFEST of its generation is not the first file, or is the only one");
	if (out->head.generation != head->generation || out->head.epoch != head->epoch || out->head.expires != head->expires)
		return refuse(&r, "the trusted comment of the signature says another generation, epoch or end");
	return 0;
}
