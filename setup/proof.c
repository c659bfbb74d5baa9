#include "setup/proof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ruleset/rule.h"
#include "setup/ask_proxy.h"
#include "setup/canary.h"
#include "setup/origin.h"

/* The long one is held by its tail alone (HoldSmall is 48 KiB at most). */
enum { SHORT = RULE_CANARY_SHORT, LONG = RULE_CANARY_LONG, BODY_MAX = 4 * LONG, RULES_MAX = 4096, POLL_MS = 100,
	URL_MAX = 512, IN_A_ROW = 3 };
enum { FORBIDDEN = 403, OK = 200, LOGIN = 407, FAILED = 500, UNREACHABLE = 503 };

enum body { BODY_PLAIN, BODY_SHORT, BODY_LONG, BODY_MD5, BODY_NAME, BODY_GZIP, BODY_ZIP, BODY_RANGE, BODIES };

/* What nobody listed, and what is: by SHA-256 a short one and a long one, by MD5, and by name and size. */
enum noise { NOISE_PLAIN, NOISE_SHORT, NOISE_LONG, NOISE_MD5, NOISE_NAME, NOISES };

struct proof {
	char			 proxy[300];
	enum proof_of		 of;
	char			 token[CANARY_TOKEN];	/* in names of hosts */
	char			 once[CANARY_TOKEN];	/* in paths, which no cache and no memory of kills is to know */
	unsigned		 left_out;		/* bits by kind */
	struct buf		 noise[NOISES];
	struct buf		 gzip, zip, rules;
	char			 paths[BODIES][64];
	struct origin_body	 bodies[BODIES];
	struct origin		*origin;
};

enum expect { EXPECT_PASS, EXPECT_PAGE, EXPECT_CUT, EXPECT_REFUSED };

/* What came to the kinds later than the rest. */
#define OLD_CANARIES	"a state folder that follows an origin has the origin's canaries, which may be older: \"firebreak " \
	"selftest --rules\" prints those of now"

static const struct kind {
	const char	*word, *name;
	enum expect	 expect;
	const char	*host;		/* below the canary's name; NULL: BODY is asked of the origin */
	const char	*path;
	enum body	 body;
	const char	*range;
	const char	*advice;
} kinds[] = {
	{ "plain", "unlisted", EXPECT_PASS, NULL, NULL, BODY_PLAIN, NULL, NULL },
	{ "host", "host", EXPECT_PAGE, "host", "/", 0, NULL, NULL },
	{ "url", "URL", EXPECT_PAGE, "url", "/listed/x", 0, NULL, NULL },
	{ "path", "URL, by its path", EXPECT_PAGE, "path", "/any/canary.bin?x", 0, NULL, OLD_CANARIES },
	{ "held", "file, held", EXPECT_PAGE, NULL, NULL, BODY_SHORT, NULL,
	    "is there an adaptation_access line that keeps answers from Firebreak?" },
	{ "cut", "file, cut", EXPECT_CUT, NULL, NULL, BODY_LONG, NULL,
	    "is there an adaptation_access line that keeps answers from Firebreak?" },
	{ "md5", "file, by its MD5", EXPECT_PAGE, NULL, NULL, BODY_MD5, NULL, OLD_CANARIES },
	{ "name", "file, by its name", EXPECT_PAGE, NULL, NULL, BODY_NAME, NULL, OLD_CANARIES },
	{ "gzip", "file, in gzip", EXPECT_PAGE, NULL, NULL, BODY_GZIP, NULL, "HashTypes in site.conf may leave it out" },
	{ "zip", "file, in a zip", EXPECT_PAGE, NULL, NULL, BODY_ZIP, NULL,
	    "UnpackTypes or InspectDepth in site.conf may leave it out, or the helper that unpacks does not start (ServerLog of c-icap)" },
	{ "range", "file, a range", EXPECT_PAGE, NULL, NULL, BODY_RANGE, "100-199", "RangePolicy in site.conf may let parts through" },
	{ "connect", "CONNECT", EXPECT_REFUSED, "host", NULL, 0, NULL,
	    "BlockConnect mark needs its lines in squid.conf (srv_firebreak(8))" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), PLAIN = 0, FIRST_BLOCKED = 1 };

/* ---- what is asked for ---- */

/* What is not listed by what is in it is new each time: no cache may answer for the origin. */
static int
make_noise(struct proof *p, enum noise i)
{
	size_t size = i == NOISE_LONG ? LONG : SHORT;
	bool fixed = p->of == PROOF_OF_SELFTEST && i != NOISE_PLAIN && i != NOISE_NAME;

	return fixed ? canary_noise_of(&p->noise[i], size, (uint8_t)i) : canary_noise(&p->noise[i], size);
}

static int
make_bodies(struct proof *p)
{
	for (enum noise i = 0; i < NOISES; i++) {
		buf_init(&p->noise[i], BODY_MAX);
		if (make_noise(p, i) == -1)
			return -1;
	}
	buf_init(&p->gzip, BODY_MAX);
	buf_init(&p->zip, BODY_MAX);
	if (canary_gzip(buf_slice(&p->noise[NOISE_SHORT]), &p->gzip) == -1 ||
	    canary_zip(buf_slice(&p->noise[NOISE_SHORT]), &p->zip) == -1)
		return errno = ENOMEM, -1;
	return 0;
}

static void
name_bodies(struct proof *p)
{
	static const char *const types[BODIES] = { [BODY_ZIP] = "application/zip" };
	const struct buf *const bytes[BODIES] = { [BODY_PLAIN] = &p->noise[NOISE_PLAIN], [BODY_SHORT] = &p->noise[NOISE_SHORT],
		[BODY_LONG] = &p->noise[NOISE_LONG], [BODY_MD5] = &p->noise[NOISE_MD5], [BODY_NAME] = &p->noise[NOISE_NAME],
		[BODY_GZIP] = &p->gzip, [BODY_ZIP] = &p->zip, [BODY_RANGE] = &p->noise[NOISE_SHORT] };

	for (enum body i = 0; i < BODIES; i++) {
		snprintf(p->paths[i], sizeof(p->paths[i]), "/firebreak/%s/%d%s%s%s", p->once, (int)i, i == BODY_NAME ? "/" : "",
		    i == BODY_NAME ? p->token : "", i == BODY_NAME ? ".bin" : "");
		p->bodies[i] = (struct origin_body){ .path = p->paths[i], .bytes = buf_slice(bytes[i]),
			.type = types[i] != NULL ? types[i] : "application/octet-stream", .coding = i == BODY_GZIP ? "gzip" : NULL };
	}
}

static int
add_file_rule(struct proof *p, enum noise i, enum digest_alg alg, const char *id, const char *ends)
{
	buf_add_str(&p->rules, "block file ");
	if (canary_digest(buf_slice(&p->noise[i]), alg, &p->rules) == -1)
		return -1;
	return buf_addf(&p->rules, " id=%s%s\n", id, ends);
}

/* Those of setup end by themselves, should it not live to take them away. */
static int
write_rules(struct proof *p)
{
	const char *ends = p->of == PROOF_OF_SETUP ? " expires=1d" : "";

	buf_init(&p->rules, RULES_MAX);
	buf_add_str(&p->rules, p->of == PROOF_OF_SETUP ?
	    "# Of \"firebreak setup\" while it proves that blocking works; it takes this file away again.\n" : PROOF_CANARIES_HEAD);
	buf_addf(&p->rules, "block host host.%s.invalid id=host%s\nblock url url.%s.invalid/listed/ id=url%s\n"
	    "block path path.%s.invalid/*/canary.bin* id=path%s\n", p->token, ends, p->token, ends, p->token, ends);
	if (add_file_rule(p, NOISE_SHORT, DIGEST_SHA256, "short", ends) == -1 || add_file_rule(p, NOISE_LONG, DIGEST_SHA256, "long", ends)
	    == -1 || add_file_rule(p, NOISE_MD5, DIGEST_MD5, "md5", ends) == -1)
		return -1;
	return buf_addf(&p->rules, "block file %d:name:%s.bin id=name%s\n", (int)SHORT, p->token, ends);
}

static int
make_names(struct proof *p)
{
	if (canary_token(p->once) == -1)
		return -1;
	snprintf(p->token, sizeof(p->token), "%s", p->of == PROOF_OF_SELFTEST ? "firebreak-canary" : p->once);
	return 0;
}

struct proof *
proof_new(const char *proxy, enum proof_of of)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->of = of;
	snprintf(p->proxy, sizeof(p->proxy), "http://%s", proxy);
	if (make_names(p) == 0 && make_bodies(p) == 0 && write_rules(p) == 0) {
		name_bodies(p);
		if ((p->origin = origin_start(p->bodies, BODIES)) != NULL)
			return p;
	}
	proof_free(p);
	return NULL;
}

void
proof_free(struct proof *p)
{
	if (p == NULL)
		return;
	origin_stop(p->origin);
	for (enum noise i = 0; i < NOISES; i++)
		buf_fini(&p->noise[i]);
	buf_fini(&p->gzip);
	buf_fini(&p->zip);
	buf_fini(&p->rules);
	free(p);
}

struct slice
proof_rules(const struct proof *p)
{
	return buf_slice(&p->rules);
}

int
proof_leave_out(struct proof *p, struct slice word)
{
	for (size_t i = FIRST_BLOCKED; i < KINDS; i++)
		if (slice_eq(word, slice_str(kinds[i].word))) {
			p->left_out |= 1U << i;
			return 0;
		}
	return -1;
}

const char *
proof_word(size_t i)
{
	return i < KINDS - FIRST_BLOCKED ? kinds[i + FIRST_BLOCKED].word : NULL;
}

/* ---- asking ---- */

static void
ask(const struct proof *p, const struct kind *k, struct proxy_answer *a)
{
	char url[URL_MAX];

	if (k->expect == EXPECT_REFUSED)
		snprintf(url, sizeof(url), "http://%s.%s.invalid:443/", k->host, p->token);
	else if (k->host != NULL)
		snprintf(url, sizeof(url), "http://%s.%s.invalid%s", k->host, p->token, k->path);
	else
		snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", origin_port(p->origin), p->paths[k->body]);
	proxy_ask(p->proxy, url, k->range, k->expect == EXPECT_REFUSED, a);
}

/* It is our page: Squid names its own, but for the one that it has from us (BlockConnect mark). */
static bool
is_page(const struct proxy_answer *a)
{
	return a->status == FORBIDDEN && (*a->squid == '\0' || strstr(a->squid, "FIREBREAK") != NULL);
}

static bool
is_good(const struct kind *k, const struct proxy_answer *a)
{
	switch (k->expect) {
	case EXPECT_PASS:
		return a->status == OK && a->bytes == SHORT && !a->cut;
	case EXPECT_PAGE:
	case EXPECT_REFUSED:
		return is_page(a);
	case EXPECT_CUT:
		/* HoldMode whole has a page for it. */
		return is_page(a) || (a->status == OK && a->cut && a->bytes < LONG);
	}
	return false;
}

/* What Squid itself may have against it. */
static const char *
advice_for(const struct kind *k, const struct proxy_answer *a)
{
	if (a->status == LOGIN)
		return "Squid asks for a password: let the machine itself through, by \"http_access allow localhost\" above the line that asks";
	if (a->status == FORBIDDEN && strcmp(a->squid, "ERR_ACCESS_DENIED") == 0)
		return "Squid's http_access lines refuse it before Firebreak is asked: let the machine itself reach itself, by "
		    "\"http_access allow localhost\" above what refuses";
	if (strcmp(a->squid, "ERR_ICAP_FAILURE") == 0)
		return "Squid gets no answer of the service: c-icap's ServerLog and Squid's cache.log say why";
	if (strcmp(a->squid, "ERR_CANNOT_FORWARD") == 0)
		return "Squid must not fetch by itself (never_direct): the file's origin is on 127.0.0.1; \"always_direct allow to_localhost\"";
	if (a->nobody)
		return "nobody answered there: is it the port of this Squid?  --proxy HOST:PORT names another";
	return k->advice;
}

static void
describe(const struct kind *k, const struct proxy_answer *a, struct proof_row *row)
{
	size_t size = sizeof(row->said);

	if (row->good && k->expect == EXPECT_PASS)
		snprintf(row->said, size, "passed, as it should be");
	else if (row->good && a->cut && a->status == OK)
		snprintf(row->said, size, "blocked, as it should be: cut after %zu of %d bytes", a->bytes, LONG);
	else if (row->good)
		snprintf(row->said, size, "blocked, as it should be");
	else if (k->expect != EXPECT_PASS && a->status == OK)
		snprintf(row->said, size, "NOT blocked: %zu bytes came through", a->bytes);
	else if (a->status != 0)
		snprintf(row->said, size, "%s: Squid answered %ld%s%s", k->expect == EXPECT_PASS ? "did not come through" :
		    "NOT blocked by Firebreak",
		    a->status, *a->squid == '\0' ? "" : ", ", a->squid);
	else
		snprintf(row->said, size, "no answer: %s", a->trouble);
}

static void
try_kind(const struct proof *p, const struct kind *k, struct proof_row *row)
{
	struct proxy_answer a;

	ask(p, k, &a);
	*row = (struct proof_row){ .word = k->word, .name = k->name, .blocks = k->expect != EXPECT_PASS, .good = is_good(k, &a),
		.seconds = a.seconds };
	describe(k, &a, row);
	row->advice = row->good ? NULL : advice_for(k, &a);
}

/* Squid may still answer by its old configuration, each worker of its own; while it is set up it may also answer nobody. */
static void
wait_until_live(const struct proof *p, unsigned workers, int64_t timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms;
	const struct kind *k = &kinds[FIRST_BLOCKED];
	struct proxy_answer a;
	unsigned good = 0;

	while (good < IN_A_ROW * workers && clock_boot_ms() < end) {
		ask(p, k, &a);
		if (a.nobody && p->of == PROOF_OF_SELFTEST)
			return;
		good = is_good(k, &a) ? good + 1 : 0;
		if (good == 0)
			clock_pause(POLL_MS);
	}
}

unsigned
proof_run(struct proof *p, unsigned workers, int64_t timeout_ms, proof_visit *visit, void *arg)
{
	unsigned bad = 0;

	wait_until_live(p, workers, timeout_ms);
	for (size_t i = 0; i < KINDS; i++) {
		struct proof_row row;

		if ((p->left_out & 1U << i) != 0)
			continue;
		try_kind(p, &kinds[i], &row);
		bad += !row.good;
		visit(arg, &row);
	}
	return bad;
}

void
proof_ask_plain(const struct proof *p, struct proof_row *row)
{
	try_kind(p, &kinds[PLAIN], row);
}
