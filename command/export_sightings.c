#include "command/export_verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/show.h"
#include "command/verb.h"
#include "eventstore/eventstore.h"
#include "exports/sightings.h"
#include "setup/proof.h"
#include "url_rules/url.h"

/* What is gathered. */
struct met {
	struct sightings	*sightings;
	uint64_t		 left;
};

/* ---- what was met ---- */

static bool
is_one_of(struct slice word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(word, slice_str(words[i])))
			return true;
	return false;
}

/* HOST as MISP writes it. */
static bool
take_host(struct slice *host, enum sighting_kind *kind)
{
	char canonical[HOST_MAX + 1];
	enum host_kind host_kind;
	size_t len;

	if (host_canonical(*host, canonical, &len, &host_kind) != URL_OK)
		return false;
	if (host_kind == HOST_IPV6)
		*host = slice_make(host->p + 1, host->len - 2);
	*kind = host_kind == HOST_NAME ? SIGHTING_HOST : SIGHTING_ADDRESS;
	return true;
}

/* What ROW is about.  False when it is nothing that a list would have: what only looks like a protected domain, what could not be
 * checked, or a page of a host whose other pages nobody listed. */
static bool
what_was_met(const struct event_row *row, enum sighting_kind *kind, struct slice *value)
{
	static const char *const files[] = { "file", "file-again", "file-name" }, *const hosts[] = { "host", "address" };
	static const enum sighting_kind digests[DIGEST_ALGS] = { SIGHTING_MD5, SIGHTING_SHA1, SIGHTING_SHA256 };
	struct slice reason = row->words[EVENT_WORD_REASON];
	enum digest_alg alg;

	if (row->words[EVENT_WORD_RULE].len == 0)
		return false;
	if (is_one_of(reason, files, sizeof(files) / sizeof(*files))) {
		*value = row->digest;
		if (digest_alg_of_hex(value->len, &alg) == -1)
			return false;
		*kind = digests[alg];
		return true;
	}
	*value = row->words[EVENT_WORD_HOST];
	return is_one_of(reason, hosts, sizeof(hosts) / sizeof(*hosts)) && take_host(value, kind);
}

static int
collect(void *arg, const struct event_row *row)
{
	struct met *met = arg;
	enum sighting_kind kind;
	struct slice value;

	/* What setup asked for itself was met by nobody. */
	if (slice_starts(row->words[EVENT_WORD_RULE], SLICE(PROOF_SOURCE ":")))
		return 0;
	if (what_was_met(row, &kind, &value))
		return sightings_add(met->sightings, kind, value, row->ms, row->id);
	met->left++;
	return 0;
}

/* ---- all of it ---- */

/* 1: a part of the log could not be read; 0; -1. */
static int
gather(const struct call *c, int64_t since_ms, struct met *met, struct diag *diag)
{
	struct event_query q = { .from_ms = since_ms };
	struct eventstore *store;
	char path[STATE_PATH];
	int r = -1, partly = 0;

	if (call_path(c, STATE_EVENTS, path) == -1)
		return -1;
	if ((store = eventstore_open(path, diag)) != NULL && (partly = eventstore_update(store, diag)) != -1)
		r = eventstore_search(store, &q, collect, met, diag);
	eventstore_close(store);
	if (r == -1 && diag->n_errors == 0)
		diag_error(diag, "%s", strerror(errno));
	return r == 0 ? partly : -1;
}

static void
say_counts(const struct call *c, const struct met *met)
{
	uint64_t n = sightings_count(met->sightings), things = sightings_things(met->sightings);

	fprintf(stderr, "firebreak %s: %" PRIu64 " sighting%s of %" PRIu64 " thing%s\n", c->verb->name, n, show_s(n), things,
	    show_s(things));
	if (met->left > 0)
		fprintf(stderr, "left out: %" PRIu64 " event%s about no host and no digest that a rule lists\n", met->left,
		    show_s(met->left));
}

int
export_sightings(const struct call *c, int64_t since_ms, struct output *out)
{
	const char *tmp = getenv("TMPDIR");
	struct met met = { .sightings = sightings_new(tmp != NULL ? tmp : "/tmp") };
	struct diag diag = { 0 };
	int r = -1, status = EXIT_TROUBLE;

	if (met.sightings == NULL)
		return call_fail(c, "out of memory");
	if ((r = gather(c, since_ms, &met, &diag)) != -1) {
		if (sightings_write(met.sightings, output_put, out) == -1)
			call_fail(c, "%s", strerror(errno));
		else
			status = r == 1 ? EXIT_FOUND : EXIT_FINE;
	}
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (status != EXIT_TROUBLE)
		say_counts(c, &met);
	sightings_free(met.sightings);
	return status;
}
