/* The MANIFEST: what is written is read, every kind of damage is refused by line and reason, and no part of one passes for
 * the whole. */
#include <errno.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/clock.h"
#include "ruleset/manifest.h"
#include "t/tap.h"

enum { CREATED = 1795530600, SHA_HEX = 64 };	/* 2026-11-24T14:30:00Z */

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#define SHA_A	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define SHA_B	"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define HEAD	"firebreak-manifest 3\n"
#define BEFORE	"firebreak-manifest 2\n"
#define NUMBER	"generation 17\n"
#define DATE	"created 2026-11-24T14:30:00Z\n"
#define CONTEXT	"context 60303ae22b998861\n"
#define LAYER	"layer 12\n"
#define RULES	"segment rules rules-17.seg 4096 " SHA_A "\n"
#define HOSTS	"segment hosts hosts-17.seg 8192 " SHA_B "\n"
#define DIGESTS	"segment digests digests-17.seg 18446744073709551615 " SHA_A "\n"
#define SITE	"segment site site-17.seg 1 " SHA_B "\n"
#define SECOND	"layer 17\nsegment rules rules-17b.seg 512 " SHA_B "\n"
#define SOURCES	"source feed-a 12 937166 6e340b9cffb37a98\nsource local 17 0 00000000000000ff\n"
#define LEAST	HEAD NUMBER DATE SITE
#define GOOD	HEAD NUMBER DATE CONTEXT SITE LAYER RULES HOSTS DIGESTS SECOND SOURCES
#define GOOD_END	"line 14: "

#define N21	"x234567890123456789-1"
#define N63	N21 N21 N21

/* ABOVE and the line "end" that belongs below it; lies right before an unreadable page. */
static struct slice
sealed(struct slice above)
{
	uint8_t sum[SEGMENT_SHA256];
	struct slice copy;
	struct buf text;

	buf_init(&text, 4 * MANIFEST_MAX);
	if (EVP_Digest(above.p, above.len, sum, NULL, EVP_sha256(), NULL) != 1)
		abort();
	buf_add_slice(&text, above);
	buf_add_str(&text, "end ");
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_addf(&text, "%02x", sum[i]);
	buf_add_char(&text, '\n');
	copy = guard_copy(buf_slice(&text));
	buf_fini(&text);
	return copy;
}

/* "line N: TEXT" of the one error that TEXT has as "MANIFEST"; "" when it is accepted or when there is more to say. */
static const char *
fault_of(struct slice text)
{
	static char fault[300];
	struct diag diag = { 0 };
	struct manifest m;
	int r = manifest_parse("a/MANIFEST", text, &m, &diag);

	manifest_fini(&m);
	fault[0] = '\0';
	if (r == -1 && diag.n == 1 && diag.n_errors == 1 && diag.v[0].file != NULL && strcmp(diag.v[0].file, "a/MANIFEST") == 0)
		snprintf(fault, sizeof(fault), "line %u: %s", diag.v[0].line, diag.v[0].text);
	else if (r == -1 || diag.n > 0)
		snprintf(fault, sizeof(fault), "result %d with %zu findings, %zu of them errors", r, diag.n, diag.n_errors);
	diag_fini(&diag);
	return fault;
}

static bool
is_segment(const struct manifest_segment *s, enum segment_kind kind, const char *name, uint64_t len, uint8_t first)
{
	return s != NULL && s->kind == kind && strcmp(s->name, name) == 0 && s->len == len && s->sha256[0] == first;
}

static void
is_good(const struct manifest *m)
{
	const struct manifest_layer *l = &m->layers[0];

	is_int((long long)m->generation, 17, "its generation");
	is_int(m->created, CREATED, "its date");
	ok(m->context == UINT64_C(0x60303ae22b998861), "its context");
	is_int((long long)m->rolled_back, 0, "no rollback");
	ok(is_segment(&m->site, SEGMENT_SITE, "site-17.seg", 1, 0x60), "the site");
	ok(m->n_layers == 2 && l->number == 12 && l->n == 3 && m->layers[1].number == 17 && m->layers[1].n == 1, "its layers");
	ok(is_segment(&l->segments[0], SEGMENT_RULES, "rules-17.seg", 4096, 0x9f), "segments in their order");
	ok(l->segments[0].sha256[SEGMENT_SHA256 - 1] == 0x08, "a sum to its last byte");
	ok(is_segment(manifest_find(l, SEGMENT_RULES), SEGMENT_RULES, "rules-17.seg", 4096, 0x9f), "found: rules");
	ok(is_segment(manifest_find(l, SEGMENT_HOSTS), SEGMENT_HOSTS, "hosts-17.seg", 8192, 0x60), "found: hosts");
	ok(is_segment(manifest_find(l, SEGMENT_DIGESTS), SEGMENT_DIGESTS, "digests-17.seg", UINT64_MAX, 0x9f), "found: digests");
	ok(is_segment(manifest_find(&m->layers[1], SEGMENT_RULES), SEGMENT_RULES, "rules-17b.seg", 512, 0x60), "of the other layer");
	ok(manifest_find(&m->layers[1], SEGMENT_HOSTS) == NULL && manifest_find(l, SEGMENT_SITE) == NULL, "what it does not name");
	ok(manifest_layer(m, 12) == l && manifest_layer(m, 17) == &m->layers[1] && manifest_layer(m, 13) == NULL, "layers by number");
}

static bool
is_source(const struct manifest *m, const char *name, uint64_t layer, uint64_t n, uint64_t stamp)
{
	const struct manifest_source *s = manifest_source(m, slice_str(name));

	return s != NULL && strcmp(s->name, name) == 0 && s->layer == layer && s->rules == n && s->stamp == stamp;
}

static void
test_good(void)
{
	struct diag diag = { 0 };
	struct manifest m, copy;

	ok(manifest_parse("x", sealed(SLICE(GOOD)), &m, &diag) == 0, "a good one: %s", diag_first_error(&diag));
	is_int((long long)diag.n, 0, "no findings");
	is_good(&m);
	ok(m.n_sources == 2 && is_source(&m, "feed-a", 12, 937166, UINT64_C(0x6e340b9cffb37a98)) && is_source(&m, "local", 17, 0, 255),
	    "its sources");
	ok(manifest_source(&m, SLICE("feed-")) == NULL && manifest_source(&m, SLICE("")) == NULL && manifest_source(&m,
	    SLICE(N63 "xx")) == NULL, "and no others");
	ok(manifest_copy(&m, &copy) == 0, "copied");
	manifest_fini(&m);
	is_good(&copy);
	ok(is_source(&copy, "local", 17, 0, 255), "a copy has sources of its own");
	manifest_fini(&copy);
	ok(manifest_parse("x", sealed(SLICE(HEAD NUMBER "rolled-back 15\n" DATE SITE LAYER)), &m, &diag) == 0 && m.n_layers == 1 &&
	    m.layers[0].n == 0 && m.rolled_back == 15, "a smaller one");
	ok(manifest_find(&m.layers[0], SEGMENT_RULES) == NULL, "nothing is found in an empty layer");
	manifest_fini(&m);
	ok(manifest_parse("x", sealed(SLICE(LEAST)), &m, NULL) == 0 && m.n_layers == 0 && m.context == 0, "the least one");
	ok(manifest_source(&m, SLICE("local")) == NULL && manifest_layer(&m, 12) == NULL, "nothing is found in it");
	manifest_fini(&m);
	manifest_fini(&m);
}

/* What the version before wrote is read, and has no more than that had. */
static void
test_version_before(void)
{
	struct diag diag = { 0 };
	struct manifest m;

	ok(manifest_parse("x", sealed(SLICE(BEFORE NUMBER DATE CONTEXT SITE LAYER RULES HOSTS DIGESTS SECOND SOURCES)), &m, &diag) == 0,
	    "version 2: %s", diag_first_error(&diag));
	is_good(&m);
	ok(m.n_sources == 2 && is_source(&m, "feed-a", 12, 937166, UINT64_C(0x6e340b9cffb37a98)) && m.sources[0].n_older == 0 &&
	    !m.sources[0].has_ends, "its sources are in one layer each");
	manifest_fini(&m);
	is_str(fault_of(sealed(SLICE(BEFORE NUMBER DATE SITE LAYER SECOND "source a 12,17 1 00000000000000ff\n"))),
	    "line 8: the source has more than the one layer of version 2", "version 2 has no source in two layers");
	is_str(fault_of(sealed(SLICE(BEFORE NUMBER DATE SITE LAYER "source a 12 1 00000000000000ff never never 0000000000000000\n"))),
	    "line 6: the source's stamp is not 16 hexadecimal digits", "and no ends");
	diag_fini(&diag);
}

/* A source in several layers, with ends. */
static void
test_spread(void)
{
	struct diag diag = { 0 };
	const struct manifest_source *s;
	struct manifest_source one = { .layer = 7 };
	struct manifest m;

	ok(manifest_parse("x", sealed(SLICE(LEAST LAYER "layer 17\nlayer 5\n"
	    "source a 12,17,5 9 00000000000000ff 2026-12-24T14:30:00Z never 00000000000000aa\n"
	    "source b 17,5 9 00000000000000ff\n")), &m, &diag) == 0, "in several layers: %s", diag_first_error(&diag));
	s = manifest_source(&m, SLICE("a"));
	ok(s != NULL && manifest_source_layers(s) == 3 && manifest_source_layer(s, 0) == 12 && manifest_source_layer(s, 1) == 17 &&
	    manifest_source_layer(s, 2) == 5 && s->layer == 5, "from the oldest to the newest, as they stand");
	ok(s != NULL && s->has_ends && s->host_end == CREATED + 30 * INT64_C(86400) && s->file_end == 0 && s->decided == 0xaa, "its ends");
	ok(s != NULL && manifest_source_is_in(s, 12) && manifest_source_is_in(s, 5) && !manifest_source_is_in(s, 13), "it is in these");
	s = manifest_source(&m, SLICE("b"));
	ok(s != NULL && manifest_source_layers(s) == 2 && !s->has_ends && !manifest_source_is_in(s, 12), "another in two of them");
	ok(manifest_source_layers(&one) == 1 && manifest_source_layer(&one, 0) == 7 && !manifest_source_is_in(&one, 0), "one in one");
	manifest_source_set(&one, (const uint64_t[]){ 1, 2 }, 2);
	ok(manifest_source_layers(&one) == 2 && manifest_source_layer(&one, 0) == 1 && one.layer == 2, "and then in two");
	manifest_fini(&m);
	diag_fini(&diag);
}

static void
test_kinds(void)
{
	is_str(segment_kind_name(SEGMENT_RULES), "rules", "rules");
	is_str(segment_kind_name(SEGMENT_HOSTS), "hosts", "hosts");
	is_str(segment_kind_name(SEGMENT_DIGESTS), "digests", "digests");
	is_str(segment_kind_name(SEGMENT_SITE), "site", "site");
	is_str(segment_kind_name(SEGMENT_ADDRESSES), "addresses", "addresses");
	is_str(segment_kind_name(SEGMENT_PATTERNS), "patterns", "patterns");
	is_str(segment_kind_name(SEGMENT_NAMES), "names", "names");
	is_str(segment_kind_name((enum segment_kind)99), "unknown", "no kind at all");
}

/* ---- damage ---- */

struct fault_row {
	const char	*idea;
	struct slice	 above;		/* what stands above the line "end", whose sum is right */
	const char	*fault;
};

static const struct fault_row faults[] = {
	{ "a newer version", SLICE("firebreak-manifest 4\n" NUMBER DATE), "line 1: is of another version; this firebreak reads" },
	{ "the version before", SLICE("firebreak-manifest 1\n" NUMBER DATE), "line 1: is of another version; this firebreak reads" },
	{ "a longer version", SLICE("firebreak-manifest 10\n" NUMBER DATE), "line 1: is of another version" },
	{ "no version", SLICE("firebreak-manifest \n" NUMBER DATE), "line 1: is of another version" },
	{ "no version and no blank", SLICE("firebreak-manifest\n" NUMBER DATE), "line 1: is no MANIFEST" },
	{ "another file", SLICE("block host a.example\n"), "line 1: is no MANIFEST" },
	{ "a blank in front", SLICE(" " GOOD), "line 1: is no MANIFEST" },
	{ "an empty line in front", SLICE("\n" GOOD), "line 1: is no MANIFEST" },
	{ "the first line twice", SLICE(HEAD HEAD NUMBER DATE), "line 2: an unknown line: written by a newer firebreak?" },
	{ "no generation", SLICE(HEAD DATE SITE), "line 4: the generation, its date of creation or the site's segment is missing" },
	{ "no date", SLICE(HEAD NUMBER SITE), "line 4: the generation, its date of creation or the site's segment is missing" },
	{ "no site", SLICE(HEAD NUMBER DATE LAYER RULES),
	    "line 6: the generation, its date of creation or the site's segment is missing" },
	{ "nothing but the version", SLICE(HEAD), "line 2: the generation, its date of creation or the site's segment is missing" },
	{ "generation 0", SLICE(HEAD "generation 0\n" DATE), "line 2: the generation is no number from 1" },
	{ "generation below 0", SLICE(HEAD "generation -1\n" DATE), "line 2: the generation is no number from 1" },
	{ "a word for a generation", SLICE(HEAD "generation next\n" DATE), "line 2: the generation is no number from 1" },
	{ "two numbers", SLICE(HEAD "generation 1 2\n" DATE), "line 2: the generation is no number from 1" },
	{ "no number", SLICE(HEAD "generation\n" DATE), "line 2: the generation is no number from 1" },
	{ "two blanks", SLICE(HEAD "generation  17\n" DATE), "line 2: the generation is no number from 1" },
	{ "beyond 64 bits", SLICE(HEAD "generation 18446744073709551616\n" DATE), "line 2: the generation is no number from 1" },
	{ "the generation twice", SLICE(HEAD NUMBER DATE NUMBER), "line 4: the second generation" },
	{ "another generation", SLICE(HEAD NUMBER "generation 18\n" DATE), "line 3: the second generation" },
	{ "no date after its word", SLICE(HEAD NUMBER "created \n"), "line 3: the date of creation is not one" },
	{ "no such day", SLICE(HEAD NUMBER "created 2026-02-29T00:00:00Z\n"), "line 3: the date of creation is not one" },
	{ "the dawn of time", SLICE(HEAD NUMBER "created 1970-01-01T00:00:00Z\n"), "line 3: the date of creation is not one" },
	{ "a leap second after the last date", SLICE(HEAD NUMBER "created 9999-12-31T23:59:60Z\n"),
	    "line 3: the date of creation is not one" },
	{ "the last date, further west", SLICE(HEAD NUMBER "created 9999-12-31T23:59:59-00:01\n"),
	    "line 3: the date of creation is not one" },
	{ "the date twice", SLICE(HEAD NUMBER DATE DATE), "line 4: the second date of creation" },
	{ "an unknown line", SLICE(HEAD NUMBER DATE "author x\n"), "line 4: an unknown line: written by a newer firebreak?" },
	{ "an empty line", SLICE(HEAD NUMBER "\n" DATE), "line 3: an unknown line" },
	{ "a word in capitals", SLICE(HEAD NUMBER DATE "Segment rules r 1 " SHA_A "\n"), "line 4: an unknown line" },
	{ "a blank before a word", SLICE(HEAD " " NUMBER DATE), "line 2: an unknown line" },
	{ "a tab for the blank", SLICE(HEAD "generation\t17\n" DATE), "line 2: an unknown line" },
	{ "end without a sum", SLICE(HEAD NUMBER DATE "end\n"), "line 4: an unknown line" },
	{ "CR LF everywhere", SLICE("firebreak-manifest 2\r\n" "generation 17\r\n"), "line 1: is of another version" },
	{ "CR LF after a number", SLICE(HEAD "generation 17\r\n" DATE), "line 2: the generation is no number from 1" },
	{ "CR LF after a date", SLICE(HEAD NUMBER "created 2026-11-24T14:30:00Z\r\n"), "line 3: the date of creation is not one" },
	{ "CR LF after a sum", SLICE(HEAD NUMBER DATE LAYER "segment rules r.seg 1 " SHA_A "\r\n"),
	    "line 5: the segment's SHA-256 is not" },
	{ "NUL after the version", SLICE("firebreak-manifest 2\0\n" NUMBER DATE), "line 1: is of another version" },
	{ "NUL after a number", SLICE(HEAD "generation 17\0\n" DATE), "line 2: the generation is no number from 1" },
	{ "NUL within a date", SLICE(HEAD NUMBER "created 2026-11-24\0T14:30Z\n"), "line 3: the date of creation is not one" },
	{ "NUL for a line", SLICE(HEAD NUMBER "\0\n" DATE), "line 3: an unknown line" },
	{ "NUL in a name", SLICE(HEAD NUMBER DATE LAYER "segment rules r\0.seg 1 " SHA_A "\n"), "line 5: the segment's name is no plain" },
	{ "a segment before any layer", SLICE(LEAST RULES), "line 5: the second segment of its kind, or one outside a layer" },
	{ "the site twice", SLICE(LEAST SITE), "line 5: the second segment of its kind" },
	{ "the site within a layer, again", SLICE(LEAST LAYER SITE), "line 6: the second segment of its kind" },
	{ "layer 0", SLICE(LEAST "layer 0\n"), "line 5: the layer is no number from 1" },
	{ "a layer in words", SLICE(LEAST "layer one\n"), "line 5: the layer is no number from 1" },
	{ "a layer without number", SLICE(LEAST "layer\n"), "line 5: the layer is no number from 1" },
	{ "a layer twice", SLICE(LEAST LAYER RULES LAYER), "line 7: the layer stands twice" },
	{ "a context too short", SLICE(HEAD "context 60303ae22b99886\n"), "line 2: the context is not 16 hexadecimal digits" },
	{ "a context too long", SLICE(HEAD "context 60303ae22b9988611\n"), "line 2: the context is not 16 hexadecimal digits" },
	{ "a context of other letters", SLICE(HEAD "context 60303ae22b99886g\n"), "line 2: the context is not 16 hexadecimal digits" },
	{ "no context", SLICE(HEAD "context\n"), "line 2: the context is not 16 hexadecimal digits" },
	{ "rolled back to a word", SLICE(HEAD "rolled-back one\n"), "line 2: the generation that was rolled back to is no number" },
	{ "UTF-16", SLICE("\xff\xfe" "f\0i\0r\0e\0\n\0"), "line 1: is no MANIFEST" },
};

/* What stands behind "segment ". */
static const struct fault_row segment_faults[] = {
	{ "unknown kind", SLICE("urls u.seg 1 " SHA_A), "unknown kind of segment: written by a newer firebreak?" },
	{ "kind in capitals", SLICE("Rules r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "no kind", SLICE(" r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "a kind's beginning", SLICE("rule r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "the word that unknown kinds have", SLICE("unknown r.seg 1 " SHA_A), "unknown kind of segment" },
	{ "nothing", SLICE(""), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "the kind alone", SLICE("rules"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "no length, no sum", SLICE("rules r.seg"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "no sum", SLICE("rules r.seg 1"), "expected \"segment KIND NAME LENGTH SHA256\"" },
	{ "an empty name", SLICE("rules  1 " SHA_A), "the segment's name is no plain file name" },
	{ "a folder above", SLICE("rules ../r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "an absolute name", SLICE("rules /etc/passwd 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a folder below", SLICE("rules a/r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "the folder itself", SLICE("rules . 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a hidden file", SLICE("rules .r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a backslash", SLICE("rules a\\r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a colon", SLICE("rules c:r.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a high byte", SLICE("rules r\xc3\xa9.seg 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a name of 64", SLICE("rules " N63 "x 1 " SHA_A), "the segment's name is no plain file name" },
	{ "a length of 0", SLICE("rules r.seg 0 " SHA_A), "the segment's length is no number from 1" },
	{ "a length in letters", SLICE("rules r.seg many " SHA_A), "the segment's length is no number" },
	{ "a length below 0", SLICE("rules r.seg -1 " SHA_A), "the segment's length is no number" },
	{ "a length in hexadecimal", SLICE("rules r.seg 0x10 " SHA_A), "the segment's length is no number" },
	{ "no length", SLICE("rules r.seg  " SHA_A), "the segment's length is no number" },
	{ "a length beyond 64 bits", SLICE("rules r.seg 18446744073709551616 " SHA_A), "the segment's length is no number" },
	{ "an empty sum", SLICE("rules r.seg 1 "), "the segment's SHA-256 is not one" },
	{ "the sum of an MD5", SLICE("rules r.seg 1 d41d8cd98f00b204e9800998ecf8427e"), "the segment's SHA-256 is not one" },
	{ "a digit too many", SLICE("rules r.seg 1 " SHA_A "0"), "the segment's SHA-256 is not one" },
	{ "a word too many", SLICE("rules r.seg 1 " SHA_A " x"), "the segment's SHA-256 is not one" },
	{ "a blank behind", SLICE("rules r.seg 1 " SHA_A " "), "the segment's SHA-256 is not one" },
	{ "no digit", SLICE("rules r.seg 1 g" "f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
	    "the segment's SHA-256 is not one" },
	{ "a kind again", SLICE("hosts other.seg 1 " SHA_A), "the second segment of its kind" },
};

/* What stands behind "source ", after the source "m" and the layers 12 and 17. */
static const struct fault_row source_faults[] = {
	{ "a source of nothing", SLICE(""), "expected \"source NAME LAYERS RULES STAMP\"" },
	{ "a source's name alone", SLICE("n"), "expected \"source NAME LAYERS RULES STAMP\"" },
	{ "a source without stamp", SLICE("n 12 1"), "expected \"source NAME LAYERS RULES STAMP\"" },
	{ "a source without name", SLICE(" 12 1 00000000000000ff"), "the source's name is none" },
	{ "a source above the folder", SLICE("../n 12 1 00000000000000ff"), "the source's name is none" },
	{ "a hidden source", SLICE(".n 12 1 00000000000000ff"), "the source's name is none" },
	{ "a source with a slash", SLICE("n/n 12 1 00000000000000ff"), "the source's name is none" },
	{ "a source with a name of 65", SLICE("n" N63 "x 12 1 00000000000000ff"), "the source's name is none" },
	{ "a source in no layer", SLICE("n 13 1 00000000000000ff"), "the source's layer is none of those above" },
	{ "a source in layer 0", SLICE("n 0 1 00000000000000ff"), "the source's layer is none of those above" },
	{ "a source in a word", SLICE("n base 1 00000000000000ff"), "the source's layer is none of those above" },
	{ "a source with a word of rules", SLICE("n 12 many 00000000000000ff"), "the source's number of rules is none" },
	{ "a source with -1 rules", SLICE("n 12 -1 00000000000000ff"), "the source's number of rules is none" },
	{ "a short stamp", SLICE("n 12 1 ff"), "the source's stamp is not 16 hexadecimal digits" },
	{ "a source in a layer before the one before", SLICE("n 17,12 1 00000000000000ff"), "the source's layers are out of order" },
	{ "a source twice in a layer", SLICE("n 12,12 1 00000000000000ff"), "the source's layers are out of order, or one stands twice" },
	{ "a source twice in the last of two", SLICE("n 12,17,17 1 00000000000000ff"), "the source's layers are out of order" },
	{ "a source in two layers, of which one is none", SLICE("n 12,13 1 00000000000000ff"), "the source's layer is none of those" },
	{ "a comma behind a layer", SLICE("n 12, 1 00000000000000ff"), "the source's layer is none of those above" },
	{ "a comma before a layer", SLICE("n ,12 1 00000000000000ff"), "the source's layer is none of those above" },
	{ "a stamp with a word behind", SLICE("n 12 1 00000000000000ff x"), "expected \"HOSTS-END FILES-END DECIDED\"" },
	{ "one end", SLICE("n 12 1 00000000000000ff never"), "expected \"HOSTS-END FILES-END DECIDED\"" },
	{ "two ends", SLICE("n 12 1 00000000000000ff never never"), "expected \"HOSTS-END FILES-END DECIDED\"" },
	{ "an end that is no date", SLICE("n 12 1 00000000000000ff soon never 0000000000000001"),
	    "the end of the source's rules is neither" },
	{ "a second end that is no date", SLICE("n 12 1 00000000000000ff never 2026-13-01 0000000000000001"),
	    "the end of the source's rules is neither" },
	{ "an end in 1970", SLICE("n 12 1 00000000000000ff 1970-01-01T00:00:00Z never 0000000000000001"),
	    "the end of the source's rules is neither" },
	{ "what was decided in a word", SLICE("n 12 1 00000000000000ff never never none"),
	    "what was decided is not 16 hexadecimal digits" },
	{ "a word behind all", SLICE("n 12 1 00000000000000ff never never 0000000000000001 x"), "what was decided is not 16" },
	{ "a source twice", SLICE("m 12 1 00000000000000ff"), "the source is out of order, or stands twice" },
	{ "a source out of order", SLICE("local 12 1 00000000000000ff"), "the source is out of order, or stands twice" },
	{ "capitals come before", SLICE("N 12 1 00000000000000ff"), "the source is out of order, or stands twice" },
};

static void
is_fault(struct slice text, const char *fault, const char *idea)
{
	const char *got = fault_of(text);

	if (!ok(strncmp(got, fault, strlen(fault)) == 0, "refused: %s", idea))
		printf("#      got: %s\n# expected: %s\n", got, fault);
}

static void
test_faults(void)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		is_fault(sealed(faults[i].above), faults[i].fault, faults[i].idea);
}

static void
test_segment_faults(void)
{
	char above[2000], fault[200];

	for (size_t i = 0; i < COUNT(segment_faults); i++) {
		const struct fault_row *row = &segment_faults[i];
		int n = snprintf(above, sizeof(above), HEAD NUMBER LAYER HOSTS DATE "segment %.*s\n", SLICE_ARGS(row->above));

		snprintf(fault, sizeof(fault), "line 6: %s", row->fault);
		is_fault(sealed(slice_make(above, (size_t)n)), fault, row->idea);
	}
}

static void
test_source_faults(void)
{
	char above[2000], fault[200];

	for (size_t i = 0; i < COUNT(source_faults); i++) {
		const struct fault_row *row = &source_faults[i];
		int n = snprintf(above, sizeof(above), LEAST LAYER "layer 17\nsource m 12 1 00000000000000ff\nsource %.*s\n",
		    SLICE_ARGS(row->above));

		snprintf(fault, sizeof(fault), "line 8: %s", row->fault);
		is_fault(sealed(slice_make(above, (size_t)n)), fault, row->idea);
	}
}

/* As many segments, layers and sources as there may be, and one more. */
static void
test_many(void)
{
	static const char *const kinds[] = { "rules", "hosts", "digests", "addresses", "patterns", "names", "exceptions" };
	struct manifest m;
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	buf_add_str(&text, LEAST LAYER);
	for (unsigned i = 0; i < MANIFEST_SEGMENTS; i++)
		buf_addf(&text, "segment %s %u.seg 1 " SHA_A "\n", kinds[i % COUNT(kinds)], i);
	is_str(fault_of(sealed(buf_slice(&text))), "", "as many segments as a layer has");
	buf_add_str(&text, "segment rules r.seg 1 " SHA_A "\n");
	is_fault(sealed(buf_slice(&text)), "line 13: the second segment of its kind", "too many segments");
	buf_reset(&text);
	buf_add_str(&text, LEAST);
	for (unsigned i = 1; i <= MANIFEST_LAYERS; i++)
		buf_addf(&text, "layer %u\n", i);
	is_str(fault_of(sealed(buf_slice(&text))), "", "as many layers as there may be");
	buf_add_str(&text, "source a 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 1 00000000000000ff\n");
	is_str(fault_of(sealed(buf_slice(&text))), "", "a source in all of them");
	buf_add_str(&text, "source b 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,16 1 00000000000000ff\n");
	is_fault(sealed(buf_slice(&text)), "line 22: the source has too many layers", "and in one more");
	buf_reset(&text);
	buf_add_str(&text, LEAST);
	for (unsigned i = 1; i <= MANIFEST_LAYERS; i++)
		buf_addf(&text, "layer %u\n", i);
	buf_add_str(&text, "layer 99\n");
	is_fault(sealed(buf_slice(&text)), "line 21: too many layers", "too many layers");
	buf_reset(&text);
	buf_add_str(&text, LEAST LAYER);
	for (unsigned i = 0; i < MANIFEST_SOURCES; i++)
		buf_addf(&text, "source s%04u 12 1 00000000000000ff\n", i);
	ok(manifest_parse("x", sealed(buf_slice(&text)), &m, NULL) == 0 && m.n_sources == MANIFEST_SOURCES &&
	    is_source(&m, "s0000", 12, 1, 255) && is_source(&m, "s4095", 12, 1, 255) && is_source(&m, "s2047", 12, 1, 255),
	    "as many sources as there may be");
	manifest_fini(&m);
	buf_add_str(&text, "source t 12 1 00000000000000ff\n");
	is_fault(sealed(buf_slice(&text)), "line 4102: too many sources", "too many sources");
	buf_fini(&text);
}

/* Around the end, where SEALED() would hide what is wrong. */
static void
test_end(void)
{
	struct slice good = sealed(SLICE(GOOD));
	struct buf text;

	buf_init(&text, 4 * MANIFEST_MAX);
	is_fault(SLICE(""), "line 1: is no MANIFEST", "empty");
	is_fault((struct slice){ 0 }, "line 1: is no MANIFEST", "nothing at all");
	is_fault(SLICE("\n"), "line 1: is no MANIFEST", "an empty line");
	is_fault(guard_copy(SLICE(GOOD)), GOOD_END "is cut short: the line \"end\" is missing", "no end");
	is_fault(guard_copy(SLICE(HEAD "end " SHA_A "\n")), "line 2: damaged: the sum of the lines above is another",
	    "the sum of something else");
	is_fault(guard_copy(SLICE(GOOD "end " SHA_A "0\n")), GOOD_END "the sum is no SHA-256", "a sum that is too long");
	is_fault(guard_copy(SLICE(GOOD "end \n")), GOOD_END "the sum is no SHA-256", "no sum");
	is_fault(guard_copy(SLICE(GOOD "end " SHA_A "\r\n")), GOOD_END "the sum is no SHA-256", "CR LF at the end alone");
	buf_add_slice(&text, good);
	buf_add_char(&text, '\n');
	is_fault(guard_copy(buf_slice(&text)), GOOD_END "there is more after the end", "an empty line behind the end");
	text.p[text.len - 1] = '\0';
	is_fault(guard_copy(buf_slice(&text)), GOOD_END "there is more after the end", "NUL behind the end");
	buf_add_slice(&text, good);
	is_fault(guard_copy(buf_slice(&text)), GOOD_END "there is more after the end", "two of them");
	buf_reset(&text);
	buf_add_str(&text, GOOD LAYER);
	buf_add_slice(&text, slice_skip(good, strlen(GOOD)));
	is_fault(guard_copy(buf_slice(&text)), GOOD_END "the layer stands twice", "a line put before the end");
	buf_fini(&text);
}

static void
test_length(void)
{
	struct manifest m;
	struct buf text;

	buf_init(&text, 2 * MANIFEST_MAX);
	buf_add_str(&text, HEAD);
	while (text.len <= MANIFEST_MAX)
		buf_add_char(&text, 'x');
	is_fault(buf_slice(&text), "line 1: is longer than a MANIFEST can be", "a byte too long");
	is_fault(slice_head(buf_slice(&text), MANIFEST_MAX), "line 2: is cut short", "as long as it may be, but none");
	ok(manifest_parse("x", buf_slice(&text), &m, NULL) == -1, "without a diag it is refused too");
	manifest_fini(&m);
	buf_fini(&text);
}

/* ---- no part, and no bit ---- */

static unsigned
newlines(struct slice text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == '\n';
	return n;
}

/* Cut behind every byte: one error each, in the line that the cut is in. */
static void
test_cuts(void)
{
	struct slice good = sealed(SLICE(GOOD));
	unsigned wrong = 0;

	for (size_t len = 0; len < good.len; len++) {
		struct slice part = guard_copy(slice_head(good, len));
		const char *reason = newlines(part) == 0 ? "is no MANIFEST" : "is cut short: the line \"end\" is missing";
		char fault[100];

		snprintf(fault, sizeof(fault), "line %u: %s", newlines(part) + 1, reason);
		if (strcmp(fault_of(part), fault) != 0 && wrong++ == 0)
			printf("# cut to %zu bytes: %s\n", len, fault_of(part));
	}
	is_int(wrong, 0, "cut to any length it is refused, with one error in the right line");
	is_str(fault_of(good), "", "the whole is accepted");
}

/* Every bit turned.  The digits of the last sum may be of either case: that says the same. */
static void
test_bits(void)
{
	struct slice good = sealed(SLICE(GOOD));
	size_t sum_at = good.len - 1 - SHA_HEX, accepted = 0, letters = 0;
	char *copy = (char *)(uintptr_t)guard_copy(good).p;

	for (size_t i = sum_at; i < good.len; i++)
		letters += ascii_is_alpha(good.p[i]);
	for (size_t bit = 0; bit < 8 * good.len; bit++) {
		const char *fault;

		copy[bit / 8] ^= (char)(1 << bit % 8);
		fault = fault_of(slice_make(copy, good.len));
		if (strncmp(fault, "line ", strlen("line ")) != 0) {
			accepted++;
			ok(fault[0] == '\0' && bit / 8 >= sum_at && 1 << bit % 8 == 0x20, "bit %zu: the case of a digit", bit);
		}
		copy[bit / 8] ^= (char)(1 << bit % 8);
	}
	is_int((long long)accepted, (long long)letters, "any other bit turned is refused, with one error");
}

/* ---- writing ---- */

static struct manifest_source written_sources[] = {
	{ .name = "-", .layer = 1 }, { .name = "A." N21 N21, .layer = UINT64_MAX, .rules = UINT64_MAX, .stamp = UINT64_MAX },
	{ .name = "a", .layer = 1, .rules = 5, .stamp = 1, .has_ends = true, .host_end = 1, .file_end = CLOCK_LAST_S, .decided = 3 },
	{ .name = "a-b", .layer = 1, .rules = 5, .stamp = 2, .has_ends = true },
	{ .name = "a.b", .layer = 5, .rules = 5, .stamp = 3, .n_older = 2, .older = { 1, UINT64_MAX } },
	{ .name = "x" N63, .layer = UINT64_MAX, .rules = 1, .stamp = 4, .n_older = 1, .older = { 1 }, .has_ends = true, .file_end = 7,
	    .decided = UINT64_MAX },
};

static const struct manifest written[] = {
	{ .generation = 1, .created = 1, .site = { SEGMENT_SITE, "a", 1, { 0 } } },
	{ .generation = UINT64_MAX, .created = INT64_C(253402300799), .context = UINT64_MAX, .rolled_back = UINT64_MAX,
	    .site = { SEGMENT_SITE, N63, UINT64_MAX, { 0xff, [SEGMENT_SHA256 - 1] = 0x0f } },
	    .lookalike = { SEGMENT_LOOKALIKE, "l", 1, { [7] = 1 } } },
	{ .generation = 17, .created = CREATED, .context = 1, .rolled_back = 3, .site = { SEGMENT_SITE, "s", 7, { 9 } }, .n_layers = 3,
	    .layers = {
		{ 1, 1, { { SEGMENT_RULES, "A-z_0.9", 1, { [5] = 1 } } } },
		{ UINT64_MAX, 5, { { SEGMENT_PATTERNS, "p", 1, { 0 } }, { SEGMENT_RULES, "-", 1, { [5] = 2 } },
		    { SEGMENT_HOSTS, "h", 2, { 0 } }, { SEGMENT_DIGESTS, "_", UINT64_MAX, { 0 } }, { SEGMENT_ADDRESSES, "a", 3, { 0 } } } },
		{ .number = 5 },
	    }, .n_sources = COUNT(written_sources), .sources = written_sources },
};

static bool
is_same_segment(const struct manifest_segment *a, const struct manifest_segment *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0 && a->len == b->len &&
	    memcmp(a->sha256, b->sha256, SEGMENT_SHA256) == 0;
}

static bool
is_same_layer(const struct manifest_layer *a, const struct manifest_layer *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (!is_same_segment(&a->segments[i], &b->segments[i]))
			return false;
	return a->number == b->number && a->n == b->n;
}

/* A and B are in the same layers, and end at the same time. */
static bool
is_as_far(const struct manifest_source *a, const struct manifest_source *b)
{
	return a->n_older == b->n_older && memcmp(a->older, b->older, a->n_older * sizeof(*a->older)) == 0 && a->has_ends == b->has_ends &&
	    a->host_end == b->host_end && a->file_end == b->file_end && a->decided == b->decided;
}

static bool
is_same(const struct manifest *a, const struct manifest *b)
{
	if (a->generation != b->generation || a->created != b->created || a->context != b->context ||
	    a->rolled_back != b->rolled_back || a->n_layers != b->n_layers || a->n_sources != b->n_sources ||
	    !is_same_segment(&a->site, &b->site) || !is_same_segment(&a->lookalike, &b->lookalike))
		return false;
	for (size_t i = 0; i < a->n_layers; i++)
		if (!is_same_layer(&a->layers[i], &b->layers[i]))
			return false;
	for (size_t i = 0; i < a->n_sources; i++) {
		const struct manifest_source *s = &a->sources[i];

		if (!is_source(b, s->name, s->layer, s->rules, s->stamp) || !is_as_far(s, manifest_source(b, slice_str(s->name))))
			return false;
	}
	return true;
}

static void
test_round_trips(void)
{
	struct diag diag = { 0 };
	struct manifest again;
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	for (size_t i = 0; i < COUNT(written); i++) {
		buf_reset(&text);
		ok(manifest_format(&written[i], &text) == 0, "manifest %zu: written", i);
		ok(manifest_parse("x", guard_copy(buf_slice(&text)), &again, &diag) == 0 && diag.n == 0, "manifest %zu: read: %s", i,
		    diag_first_error(&diag));
		ok(is_same(&written[i], &again), "manifest %zu: the same", i);
		manifest_fini(&again);
	}
	buf_fini(&text);
	diag_fini(&diag);
}

/* Put together in any order, and sorted. */
static void
test_adding(void)
{
	struct manifest m = { .generation = 1, .created = 1, .site = { SEGMENT_SITE, "a", 1, { 0 } }, .n_layers = 3,
		.layers = { { .number = 1 }, { .number = UINT64_MAX }, { .number = 5 } } };
	struct buf text;
	int bad = 0;

	buf_init(&text, MANIFEST_MAX);
	for (size_t i = 0; i < COUNT(written_sources); i++)
		bad += manifest_add_source(&m, &written_sources[i]);
	ok(bad == 0 && m.n_sources == COUNT(written_sources), "sources added");
	for (size_t i = 0; i < m.n_sources; i++)
		bad += strcmp(m.sources[i].name, written_sources[i].name) != 0;
	ok(bad == 0 && manifest_format(&m, &text) == 0, "in order, and written");
	is_str(fault_of(guard_copy(buf_slice(&text))), "", "and read");
	while (m.n_sources < MANIFEST_SOURCES)
		bad += manifest_add_source(&m, &written_sources[0]);
	errno = 0;
	ok(bad == 0 && manifest_add_source(&m, &written_sources[0]) == -1 && errno == E2BIG, "one too many");
	manifest_fini(&m);
	buf_fini(&text);
}

/* What a file is, and what no file is. */
static void
test_loading(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "MANIFEST");
	struct diag diag = { 0 };
	struct manifest m;

	ok(manifest_load(path, &m, &diag) == -1 && errno == ENOENT && diag.n_errors == 1, "no file");
	manifest_fini(&m);
	ok(manifest_load(dir, &m, &diag) == -1 && errno == EISDIR && diag.n_errors == 2, "a folder");
	manifest_fini(&m);
	file_write(path, SLICE(GOOD), 0600);
	ok(manifest_load(path, &m, NULL) == -1 && errno == EBADMSG, "half a file");
	manifest_fini(&m);
	file_write(path, sealed(SLICE(GOOD)), 0600);
	ok(manifest_load(path, &m, &diag) == 0 && m.n_sources == 2, "a good one");
	manifest_fini(&m);
	diag_fini(&diag);
	free(path);
	free(dir);
}

/* To the byte what the contract shows, so that another version of us reads it. */
static void
test_format(void)
{
	struct slice good = sealed(SLICE(GOOD));
	struct manifest m;
	struct buf text;

	buf_init(&text, good.len + 1);
	if (manifest_parse("x", good, &m, NULL) == -1)
		abort();
	buf_add_char(&text, 'x');
	ok(manifest_format(&m, &text) == 0, "appended to what is there");
	is_slice(slice_skip(buf_slice(&text), 1), good, "and the sum is of the MANIFEST alone");
	buf_fini(&text);
	for (size_t max = 0; max < good.len; max += 31) {
		buf_init(&text, max);
		ok(manifest_format(&m, &text) == -1, "no room in %zu bytes", max);
		buf_fini(&text);
	}
	manifest_fini(&m);
}

int
main(void)
{
	test_good();
	test_version_before();
	test_spread();
	test_kinds();
	test_faults();
	test_segment_faults();
	test_source_faults();
	test_many();
	test_end();
	test_length();
	test_cuts();
	test_bits();
	test_round_trips();
	test_adding();
	test_loading();
	test_format();
	return tap_done();
}
