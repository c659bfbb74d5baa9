#include "setup/proof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "setup/ask_proxy.h"
#include "setup/canary.h"
#include "setup/origin.h"

/* The long one is held by its tail alone (HoldSmall is 48 KiB at most). */
enum { SHORT = 20 * 1024, LONG = 300 * 1024, BODY_MAX = 4 * LONG, RULES_MAX = 4096, POLL_MS = 100, URL_MAX = 512, IN_A_ROW = 3 };
enum { FORBIDDEN = 403, OK = 200, LOGIN = 407, FAILED = 500, UNREACHABLE = 503 };

enum body { BODY_PLAIN, BODY_SHORT, BODY_LONG, BODY_GZIP, BODY_ZIP, BODY_RANGE, BODIES };

struct proof {
	char			 proxy[300];
	char			 token[CANARY_TOKEN];
	struct buf		 noise[3];	/* what nobody listed, and what is listed: short, long */
	struct buf		 gzip, zip, rules;
	char			 paths[BODIES][64];
	struct origin_body	 bodies[BODIES];
	struct origin		*origin;
};

enum expect { EXPECT_PASS, EXPECT_PAGE, EXPECT_CUT, EXPECT_REFUSED };

static const struct kind {
	const char	*name;
	enum expect	 expect;
	const char	*host;		/* below the canary's name; NULL: BODY is asked of the origin */
	const char	*path;
	enum body	 body;
	const char	*range;
	const char	*advice;
} kinds[] = {
	{ "unlisted", EXPECT_PASS, NULL, NULL, BODY_PLAIN, NULL, NULL },
	{ "host", EXPECT_PAGE, "host", "/", 0, NULL, NULL },
	{ "URL", EXPECT_PAGE, "url", "/listed/x", 0, NULL, NULL },
	{ "file, held", EXPECT_PAGE, NULL, NULL, BODY_SHORT, NULL, "is there an adaptation_access line that keeps answers from "
	    "Firebreak?" },
	{ "file, cut", EXPECT_CUT, NULL, NULL, BODY_LONG, NULL, "is there an adaptation_access line that keeps answers from Firebreak?" },
	{ "file, in gzip", EXPECT_PAGE, NULL, NULL, BODY_GZIP, NULL, "HashTypes in site.conf may leave it out" },
	{ "file, in a zip", EXPECT_PAGE, NULL, NULL, BODY_ZIP, NULL,
	    "UnpackTypes or InspectDepth in site.conf may leave it out, or the helper that unpacks does not start (ServerLog of c-icap)" },
	{ "file, a range", EXPECT_PAGE, NULL, NULL, BODY_RANGE, "100-199", "RangePolicy in site.conf may let parts through" },
	{ "CONNECT", EXPECT_REFUSED, "host", NULL, 0, NULL, "BlockConnect mark needs its lines in squid.conf (srv_firebreak(8))" },
};

/* ---- what is asked for ---- */

static int
make_bodies(struct proof *p)
{
	static const size_t sizes[] = { SHORT, SHORT, LONG };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_init(&p->noise[i], BODY_MAX);
		if (canary_noise(&p->noise[i], sizes[i]) == -1)
			return -1;
	}
	buf_init(&p->gzip, BODY_MAX);
	buf_init(&p->zip, BODY_MAX);
	if (canary_gzip(buf_slice(&p->noise[1]), &p->gzip) == -1 || canary_zip(buf_slice(&p->noise[1]), &p->zip) == -1)
		return errno = ENOMEM, -1;
	return 0;
}

static void
name_bodies(struct proof *p)
{
	static const char *const types[BODIES] = { [BODY_ZIP] = "application/zip" };
	const struct buf *const bytes[BODIES] = { &p->noise[0], &p->noise[1], &p->noise[2], &p->gzip, &p->zip, &p->noise[1] };

	for (enum body i = 0; i < BODIES; i++) {
		snprintf(p->paths[i], sizeof(p->paths[i]), "/firebreak-setup/%s/%d", p->token, (int)i);
		p->bodies[i] = (struct origin_body){ .path = p->paths[i], .bytes = buf_slice(bytes[i]),
			.type = types[i] != NULL ? types[i] : "application/octet-stream", .coding = i == BODY_GZIP ? "gzip" : NULL };
	}
}

static int
write_rules(struct proof *p)
{
	buf_init(&p->rules, RULES_MAX);
	buf_addf(&p->rules, "# Of \"firebreak setup\" while it proves that blocking works; it takes this file away again.\n"
	    "block host host.%s.invalid id=host expires=1d\nblock url url.%s.invalid/listed/ id=url expires=1d\nblock file ", p->token,
	    p->token);
	canary_digest(buf_slice(&p->noise[1]), &p->rules);
	buf_add_str(&p->rules, " id=short expires=1d\nblock file ");
	canary_digest(buf_slice(&p->noise[2]), &p->rules);
	return buf_add_str(&p->rules, " id=long expires=1d\n");
}

struct proof *
proof_new(const char *proxy)
{
	struct proof *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	snprintf(p->proxy, sizeof(p->proxy), "http://%s", proxy);
	if (canary_token(p->token) == 0 && make_bodies(p) == 0 && write_rules(p) == 0) {
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
	for (size_t i = 0; i < sizeof(p->noise) / sizeof(p->noise[0]); i++)
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
	*row = (struct proof_row){ .name = k->name, .good = is_good(k, &a) };
	describe(k, &a, row);
	row->advice = row->good ? NULL : advice_for(k, &a);
}

/* Squid may still answer by its old configuration, each worker of its own. */
static void
wait_until_live(const struct proof *p, unsigned workers, int64_t timeout_ms)
{
	int64_t end = clock_boot_ms() + timeout_ms;
	struct proof_row row;
	unsigned good = 0;

	while (good < IN_A_ROW * workers && clock_boot_ms() < end) {
		try_kind(p, &kinds[1], &row);
		good = row.good ? good + 1 : 0;
		if (!row.good)
			clock_pause(POLL_MS);
	}
}

unsigned
proof_run(struct proof *p, unsigned workers, int64_t timeout_ms, proof_visit *visit, void *arg)
{
	unsigned bad = 0;

	wait_until_live(p, workers, timeout_ms);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct proof_row row;

		try_kind(p, &kinds[i], &row);
		bad += !row.good;
		visit(arg, &row);
	}
	return bad;
}
