#include "t/property/trial.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/digester.h"
#include "ruleset/site.h"

enum { FILE_MAX = 150000, NEAR = 2, KIB = 1024, HOLD_SMALL_MAX = 48 * KIB, HOLD_TAIL = 64 * KIB, FOUNDING = 90112,
	ONE_BYTE_READS_MAX = 6000, PREVIEW_MAX = 65536, JUNK_MAX = 5000, LONG_MEMBER = 120000, MEMBERS_MAX = 5, MANY_CODINGS = 6,
	HIGH_BIT = 0x80,
	FILE_MIN = 8 };		/* shorter ones are the same now and then */

const char *
expect_name(enum expect e)
{
	static const char *const names[EXPECTS] = { "stop", "pass", "low", "unscannable" };

	return names[e];
}

const char *
ask_name(enum ask a)
{
	static const char *const names[ASKS] = { "get", "resume", "resume-if", "tail", "multi", "half", "rest" };

	return names[a];
}

struct slice
trial_body(const struct trial *t)
{
	return buf_slice(&t->layers[t->n_layers - 1]);
}

/* ---- the world ---- */

static size_t
pick_hold_small(struct rng *r)
{
	static const size_t sizes[] = { 0, 1, 4096, 16384, HOLD_SMALL_MAX, HOLD_SMALL_MAX };

	return rng_chance(r, 20) ? rng_below(r, HOLD_SMALL_MAX + 1) : sizes[rng_below(r, sizeof(sizes) / sizeof(sizes[0]))];
}

static size_t
pick_hold_tail(struct rng *r)
{
	static const size_t sizes[] = { 1, 2, 512, 4096, HOLD_TAIL, HOLD_TAIL, HOLD_TAIL, 4 * HOLD_TAIL };

	return rng_chance(r, 20) ? rng_between(r, 1, 2 * HOLD_TAIL) : sizes[rng_below(r, sizeof(sizes) / sizeof(sizes[0]))];
}

void
world_make(struct world *w, uint64_t seed, uint64_t number, unsigned dimensions)
{
	struct rng r = rng_of(seed ^ UINT64_C(0x77f1), number);
	bool all_types = rng_chance(&r, 30), strip = rng_chance(&r, 40);
	const char *ranges = "";

	*w = (struct world){ .number = number, .dimensions = dimensions, .hold_small = pick_hold_small(&r),
		.hold_tail = pick_hold_tail(&r), .sizeless = rng_chance(&r, 40), .block_unscannable = rng_chance(&r, 25) };
	if (option_find(site_options, site_options_n, SLICE("range_policy")) != NULL)
		ranges = strip ? "RangePolicy strip\n" : "RangePolicy auto\n";
	snprintf(w->conf, sizeof(w->conf), "HoldSmall %zu\nHoldTail %zu\n", w->hold_small, w->hold_tail);
	snprintf(w->site, sizeof(w->site), "%sInspectDepth 8\nUnscannable %s\n%s", ranges, w->block_unscannable ? "block" : "pass",
	    all_types ? "HashTypes text image media document script executable archive unknown\n" : "");
}

/* ---- what it is, in words ---- */

__attribute__((format(printf, 2, 3))) static void
say(struct trial *t, const char *format, ...)
{
	size_t len = strlen(t->text);
	va_list ap;

	va_start(ap, format);
	vsnprintf(t->text + len, sizeof(t->text) - len, format, ap);
	va_end(ap);
}

/* ---- layers ---- */

static struct buf *
new_layer(struct trial *t)
{
	if (t->n_layers == TRIAL_LAYERS)
		abort();
	buf_init(&t->layers[t->n_layers], MESSAGE_MAX);
	return &t->layers[t->n_layers++];
}

static size_t
pick_size(const struct world *w, struct rng *r)
{
	size_t edge;

	switch (rng_below(r, 8)) {
	case 0:
		return rng_between(r, FILE_MIN, 64);
	case 1:
		return rng_between(r, FILE_MIN, 8 * KIB);
	case 2:
		edge = w->hold_small;
		break;
	case 3:
		edge = w->hold_tail;
		break;
	case 4:
		edge = w->hold_small + w->hold_tail;
		break;
	case 5:
		edge = HOLD_TAIL;
		break;
	case 6:
		return FOUNDING;
	default:
		return rng_between(r, FILE_MIN, FILE_MAX);
	}
	edge = edge + rng_below(r, 2 * NEAR + 1);
	return edge > FILE_MIN + NEAR ? edge - NEAR : FILE_MIN;
}

/* A file that begins like a program, or like nothing that is known, and is partly compressible. */
static void
make_file(struct buf *out, size_t size, struct rng *r)
{
	bool mixed = rng_chance(r, 50);

	/* At once: some of it is copied from itself. */
	if (buf_reserve(out, size) == -1)
		abort();
	if (rng_chance(r, 50) && size > 2)
		buf_add(out, "MZ", 2);
	while (out->len < size) {
		size_t left = size - out->len, n = left > KIB ? KIB : left, from = out->len;

		/* Room first: what is added is its own. */
		buf_reserve(out, n);
		if (mixed && from >= KIB && rng_chance(r, 50))
			buf_add(out, out->p + from - KIB, n);
		else
			rng_fill(r, out, n);
	}
	if (out->p[0] != 'M')
		out->p[0] = (char)(HIGH_BIT | (out->p[0] & 0x0f));
}

/* The members of an archive: INNER at a place of its own among others that nobody listed. */
static size_t
pick_members(struct trial *t, struct rng *r, enum archive_kind k, struct slice inner, struct member *members, struct buf *others)
{
	static const char *const names[MEMBERS_MAX] = { "a.bin", "docs/b.bin", "c.bin", "d.bin", "e.bin" };
	size_t n = archive_kind_is_single(k) ? 1 : rng_between(r, 1, MEMBERS_MAX), at = rng_below(r, n);

	for (size_t i = 0; i < n; i++) {
		buf_init(&others[i], LONG_MEMBER + 1);
		if (i != at)
			make_file(&others[i], rng_between(r, FILE_MIN, rng_chance(r, 30) ? LONG_MEMBER : 2 * KIB), r);
		members[i] = (struct member){ i == at ? t->file : names[i], i == at ? inner : buf_slice(&others[i]) };
	}
	if (n > 1)
		say(t, " %zu/%zu", at + 1, n);
	if (t->n_targets == 2 && n > 1) {	/* the second listed file is beside the first */
		members[(at + 1) % n].data = buf_slice(&t->other);
		say(t, " two listed");
	} else
		t->n_targets = 1;
	return n;
}

/* gz and zst files are made by our own encoders, which know more tricks. */
static void
pack_single(struct trial *t, struct rng *r, enum archive_kind k, struct slice inner, struct buf *out)
{
	enum coding c = k == KIND_GZ ? CODING_GZIP : CODING_ZSTD;
	enum trick trick = (enum trick)rng_below(r, TRICKS);

	if (!trick_fits(trick, c))
		trick = TRICK_NONE;
	t->clean = t->clean && !trick_is_flaw(trick) && !(trick == TRICK_SECOND && t->n_layers > 1);
	say(t, " > %s file, %s", archive_kind_name(k), trick_name(trick));
	pack_coding(out, c, trick, inner, r);
}

static void
add_archive(struct trial *t, struct rng *r, const char *password)
{
	enum archive_kind k = password != NULL ? KIND_ZIP : (enum archive_kind)rng_below(r, KINDS);
	struct slice inner = trial_body(t);
	struct buf *out = new_layer(t), others[MEMBERS_MAX];
	struct member members[MEMBERS_MAX];
	size_t n;

	if (k == KIND_GZ || k == KIND_ZST) {
		t->n_targets = 1;
		pack_single(t, r, k, inner, out);
		return;
	}
	say(t, " > %s", archive_kind_name(k));
	if (archive_kind_is_zip(k) && password == NULL && rng_chance(r, 15)) {
		say(t, ", junk before it");
		rng_fill(r, out, rng_between(r, 1, JUNK_MAX));
	}
	n = pick_members(t, r, k, inner, members, others);
	t->named[t->n_layers - 2] = !archive_kind_is_single(k);
	if (pack_archive(out, k, members, n, password) == -1) {
		printf("Bail out! %s cannot be made\n", archive_kind_name(k));
		exit(EXIT_FAILURE);
	}
	if (rng_chance(r, 10)) {
		say(t, ", junk after it");
		rng_fill(r, out, rng_between(r, 1, JUNK_MAX));
		t->clean = false;
	}
	for (size_t i = 0; i < n; i++)
		buf_fini(&others[i]);
}

static void
add_coding(struct trial *t, struct rng *r, bool plain)
{
	enum coding c = (enum coding)rng_below(r, CODINGS);
	enum trick trick = plain ? TRICK_NONE : (enum trick)rng_below(r, TRICKS);
	struct slice inner = trial_body(t);
	size_t len = strlen(t->encoding);

	if (!trick_fits(trick, c))
		trick = TRICK_NONE;
	/* Behind an archive a second member is junk. */
	t->clean = t->clean && !trick_is_flaw(trick) && !(trick == TRICK_SECOND && t->n_layers > 1);
	t->codings[t->n_codings++] = c;
	snprintf(t->encoding + len, sizeof(t->encoding) - len, "%s%s", len > 0 ? ", " : "", coding_name(c));
	say(t, " > CE %s, %s", coding_name(c), trick_name(trick));
	pack_coding(new_layer(t), c, trick, inner, r);
}

static void
add_layers(struct trial *t, const struct world *w, struct rng *r)
{
	if (w->dimensions & DIMENSION_ARCHIVES && rng_chance(r, 60))
		for (size_t n = rng_chance(r, 70) ? 1 : rng_between(r, 2, 3); n > 0; n--)
			add_archive(t, r, NULL);
	else
		t->n_targets = 1;
	if (w->dimensions & DIMENSION_CODINGS && rng_chance(r, 60))
		for (size_t n = rng_chance(r, 80) ? 1 : 2; n > 0; n--)
			add_coding(t, r, t->n_codings > 0);
}

/* ---- what nobody can look into ---- */

static void
cut_layer(struct trial *t, struct rng *r)
{
	struct buf *last = &t->layers[t->n_layers - 1];

	last->len = rng_between(r, last->len / 2, last->len - 1);
	say(t, ", cut to %zu bytes", last->len);
}

static void
add_riddle(struct trial *t, const struct world *w, struct rng *r)
{
	bool coded = w->dimensions & DIMENSION_CODINGS && (!(w->dimensions & DIMENSION_ARCHIVES) || rng_chance(r, 60));

	t->clean = false;
	if (!coded) {
		say(t, " encrypted");
		add_archive(t, r, "firebreak");
		return;
	}
	switch (rng_below(r, 3)) {
	case 0:
		say(t, " > CE of no known kind");
		snprintf(t->encoding, sizeof(t->encoding), "x-unheard-of");
		break;
	case 1:
		add_coding(t, r, true);
		cut_layer(t, r);
		break;
	default:
		for (int i = 0; i < MANY_CODINGS; i++)
			add_coding(t, r, true);
		break;
	}
}

/* ---- rules ---- */

static void
digest_of(struct slice s, enum digest_alg alg, char hex[static DIGEST_MAX_HEX + 1])
{
	struct digester *d = digester_new(DIGEST_BIT(alg));
	struct digest all[DIGEST_ALGS];

	if (d == NULL)
		abort();
	digester_update(d, s);
	digester_final(d, all);
	digester_free(d);
	digest_format(&all[0], hex);
}

/* A rule for S. */
static void
add_rule(struct buf *rules, const struct world *w, struct rng *r, const char *action, struct slice s, const char *more)
{
	enum digest_alg alg = (enum digest_alg)rng_below(r, DIGEST_ALGS);
	char hex[DIGEST_MAX_HEX + 1];
	bool sized = !w->sizeless || rng_chance(r, 60);

	digest_of(s, alg, hex);
	buf_addf(rules, "%s file ", action);
	if (sized)
		buf_addf(rules, "%zu", s.len);
	else
		buf_add_char(rules, '*');
	buf_addf(rules, ":%s:%s%s\n", digest_alg_name(alg), hex, more);
}

/* A rule for layer AT, which is called as the trial's file is. */
static void
add_named_rule(struct trial *t, const struct world *w, struct rng *r, size_t at)
{
	static const char *const heads[] = { "setup", "SETUP", "{ALPHA[5]}", "s?{ANY[3]}" }, *const ends[] = { ".exe", ".*", ".{ALNUM[2-4]}" };

	buf_addf(&t->rules, "block file ");
	if (w->sizeless && rng_chance(r, 40))
		buf_addf(&t->rules, "*:name:setup-%" PRIu64 ".*\n", t->number);
	else
		buf_addf(&t->rules, "%zu:name:%s-%" PRIu64 "%s\n", t->layers[at].len, heads[rng_below(r, sizeof(heads) / sizeof(heads[0]))],
		    t->number, ends[rng_below(r, sizeof(ends) / sizeof(ends[0]))]);
	say(t, ", by name");
}

/* A rule for what is almost S: a byte differs, is missing, or is one too many. */
static void
add_near_rule(struct trial *t, const struct world *w, struct rng *r, struct slice s)
{
	struct buf near;

	buf_init(&near, MESSAGE_MAX);
	buf_add_slice(&near, s);
	switch (s.len > 1 ? rng_below(r, 3) : 0) {
	case 0:
		near.p[rng_below(r, near.len)] ^= 1;
		say(t, ", a byte differs");
		break;
	case 1:
		near.len--;
		say(t, ", a byte more");
		break;
	default:
		buf_add_char(&near, 'x');
		say(t, ", a byte less");
		break;
	}
	add_rule(&t->rules, w, r, "block", buf_slice(&near), "");
	buf_fini(&near);
}

/* A rule for something else that is as long as S. */
static void
add_decoy(struct trial *t, const struct world *w, struct rng *r, struct slice s)
{
	struct buf other;

	buf_init(&other, MESSAGE_MAX);
	rng_fill(r, &other, s.len);
	if (other.len > 0)
		add_rule(&t->rules, w, r, "block", buf_slice(&other), "");
	buf_fini(&other);
}

static void
add_rules(struct trial *t, const struct world *w, struct rng *r)
{
	size_t plain = t->n_layers - t->n_codings, at = rng_chance(r, 75) ? 0 : rng_below(r, plain + 1);
	/* One coding over another: nobody ever sees what is between them. */
	const struct buf *target = at == plain ? &t->layers[t->n_layers - 1] : &t->layers[at];

	if (target != &t->layers[0])
		t->n_targets = 1;
	t->targets[0] = buf_slice(target);
	t->targets[1] = buf_slice(&t->other);
	add_rule(&t->twins, w, r, "block", trial_body(t), "");
	say(t, "; layer %zu", (size_t)(target - t->layers));
	t->named[plain - 1] = t->named[t->n_layers - 1] = true;	/* by the URL */
	for (size_t i = 0; i < t->n_targets; i++)
		switch (t->expect) {
		case EXPECT_STOP:
			if (i == 0 && t->named[target - t->layers] && rng_chance(r, 25))
				add_named_rule(t, w, r, (size_t)(target - t->layers));
			else
				add_rule(&t->rules, w, r, "block", t->targets[i], "");
			break;
		case EXPECT_LOW:
			add_rule(&t->rules, w, r, "block", t->targets[i], " level=1");
			break;
		case EXPECT_PASS:
			if (t->exempt) {
				add_rule(&t->rules, w, r, "block", t->targets[i], "");
				add_rule(&t->rules, w, r, "allow", t->targets[i], "");
			} else
				add_near_rule(t, w, r, t->targets[i]);
			break;
		default:
			break;
		}
	for (size_t n = rng_below(r, 3); n > 0; n--)
		add_decoy(t, w, r, rng_chance(r, 50) ? trial_body(t) : buf_slice(&t->layers[rng_below(r, t->n_layers)]));
}

/* ---- the way ---- */

static void
pick_way(struct trial *t, const struct world *w, struct rng *r)
{
	static const int previews[] = { NO_PREVIEW, 0, 1, 30, 1024, 4096, 4096, PREVIEW_MAX };
	struct way *way = &t->way;

	way->framing = (enum framing)rng_below(r, FRAMINGS);
	way->preview = previews[rng_below(r, sizeof(previews) / sizeof(previews[0]))];
	way->allow204 = rng_chance(r, 50);
	way->reads = (enum reads)rng_below(r, 3);
	if (way->reads == READS_ONE && trial_body(t).len > ONE_BYTE_READS_MAX)
		way->reads = READS_RANDOM;
	way->n_asks = rng_between(r, 1, w->dimensions & DIMENSION_RANGES ? TRIAL_REQUESTS : 3);
	for (size_t i = 0; i < way->n_asks; i++)
		way->asks[i] = !(w->dimensions & DIMENSION_RANGES) || rng_chance(r, i == 0 ? 60 : 20) ? ASK_GET :
		    (enum ask)rng_below(r, ASKS);
}

static enum expect
pick_expect(const struct world *w, struct rng *r)
{
	size_t n = rng_below(r, 100);

	if (n < 8 && w->dimensions & (DIMENSION_CODINGS | DIMENSION_ARCHIVES))
		return EXPECT_UNSCANNABLE;
	return n < 14 ? EXPECT_LOW : n < 60 ? EXPECT_STOP : EXPECT_PASS;
}

void
trial_make(struct trial *t, const struct world *w, uint64_t seed, uint64_t number)
{
	static const char *const types[] = { "application/octet-stream", "text/plain", "image/png", "application/x-gzip", NULL };
	struct rng r = rng_of(seed, number);

	*t = (struct trial){ .number = number, .clean = true, .n_targets = 1 + rng_chance(&r, 25) };
	buf_init(&t->rules, TRIAL_RULES);
	buf_init(&t->twins, TRIAL_RULES);
	buf_init(&t->other, MESSAGE_MAX);
	snprintf(t->file, sizeof(t->file), "setup-%" PRIu64 ".exe", number);
	snprintf(t->host, sizeof(t->host), "h%" PRIu64 ".example", number);
	snprintf(t->etag, sizeof(t->etag), rng_chance(&r, 70) ? "\"e%" PRIu64 "\"" : "W/\"e%" PRIu64 "\"", number);
	if (rng_chance(&r, 25))
		t->etag[0] = '\0';
	t->type = types[rng_below(&r, sizeof(types) / sizeof(types[0]))];
	t->expect = pick_expect(w, &r);
	t->exempt = t->expect == EXPECT_PASS && rng_chance(&r, 20);
	make_file(new_layer(t), pick_size(w, &r), &r);
	make_file(&t->other, pick_size(w, &r), &r);
	say(t, "%s%s: %zu bytes", expect_name(t->expect), t->exempt ? " (allowed)" : "", t->layers[0].len);
	if (t->expect == EXPECT_UNSCANNABLE) {
		t->n_targets = 1;
		add_riddle(t, w, &r);
	} else
		add_layers(t, w, &r);
	add_rules(t, w, &r);
	pick_way(t, w, &r);
}

void
trial_fini(struct trial *t)
{
	for (size_t i = 0; i < t->n_layers; i++)
		buf_fini(&t->layers[i]);
	buf_fini(&t->other);
	buf_fini(&t->rules);
	buf_fini(&t->twins);
}
