/* MISP's core format (draft-dulaunoy-misp-core-format): an event with an attribute for each thing that was met, and a sighting
 * of it for each event of the log.  Who met it is nowhere in it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/sorter.h"
#include "command/export.h"
#include "command/show.h"
#include "command/verb.h"
#include "eventstore/eventstore.h"
#include "exports/export.h"
#include "setup/proof.h"
#include "url_rules/url.h"

enum { MS = 1000, MS_BYTES = 8, TEXT_MAX = 4 << 20, TEXT_FLUSH = 1 << 16, DATE_LEN = sizeof("2026-11-27") - 1 };

/* Rows while they are sorted: | type | NUL | value | NUL | moment in ms, big-endian: 8 | incident |. */
struct sightings {
	struct sorter	*sorter;
	struct buf	 row, text;
	struct output	*out;
	char		*value;		/* type, NUL, value of the attribute that is being written; empty: none is */
	size_t		 value_len;
	int64_t		 first_ms, last_ms;
	uint64_t	 attributes, n, left;
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

static const char *
type_of_digest(struct slice hex)
{
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if (hex.len == 2 * digest_len(alg))
			return digest_alg_name(alg);
	return NULL;
}

/* What MISP calls HOST, and how it writes it. */
static const char *
type_of_host(struct slice *host)
{
	char canonical[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;

	if (host_canonical(*host, canonical, &len, &kind) != URL_OK)
		return NULL;
	if (kind == HOST_IPV6)
		*host = slice_make(host->p + 1, host->len - 2);
	return kind == HOST_NAME ? "hostname" : "ip-dst";
}

/* The type of what ROW is about, its value in *VALUE; NULL when it is nothing that a list would have: what only looks like a
 * protected domain, what could not be checked, or a page of a host whose other pages nobody listed. */
static const char *
what_was_met(const struct event_row *row, struct slice *value)
{
	static const char *const files[] = { "file", "file-again", "file-name" }, *const hosts[] = { "host", "address" };
	struct slice reason = row->words[EVENT_WORD_REASON];

	if (row->words[EVENT_WORD_RULE].len == 0)
		return NULL;
	if (is_one_of(reason, files, sizeof(files) / sizeof(*files))) {
		*value = row->digest;
		return type_of_digest(*value);
	}
	*value = row->words[EVENT_WORD_HOST];
	return is_one_of(reason, hosts, sizeof(hosts) / sizeof(*hosts)) ? type_of_host(value) : NULL;
}

static int
collect(void *arg, const struct event_row *row)
{
	struct sightings *s = arg;
	struct slice value;
	const char *type = what_was_met(row, &value);
	uint8_t ms[MS_BYTES];

	/* What setup asked for itself was met by nobody. */
	if (slice_starts(row->words[EVENT_WORD_RULE], SLICE(PROOF_SOURCE ":")))
		return 0;
	if (type == NULL) {
		s->left++;
		return 0;
	}
	s->first_ms = s->n == 0 || row->ms < s->first_ms ? row->ms : s->first_ms;
	s->last_ms = row->ms > s->last_ms ? row->ms : s->last_ms;
	s->n++;
	bytes_put_big(ms, (uint64_t)row->ms, sizeof(ms));
	buf_reset(&s->row);
	buf_add_str(&s->row, type);
	buf_add_char(&s->row, '\0');
	buf_add_slice(&s->row, value);
	buf_add_char(&s->row, '\0');
	buf_add(&s->row, ms, sizeof(ms));
	buf_add_str(&s->row, row->id);
	return s->row.failed || sorter_add(s->sorter, buf_slice(&s->row)) == -1 ? -1 : 0;
}

/* ---- what is written ---- */

static int
put_text(struct sightings *s, bool all)
{
	int r;

	if (s->text.failed)
		return errno = ENOMEM, -1;
	if (!all && s->text.len < TEXT_FLUSH)
		return 0;
	r = output_put(s->out, buf_slice(&s->text));
	buf_reset(&s->text);
	return r;
}

static void
add_json(struct buf *out, struct slice text)
{
	json_t *j = show_json_text(text);
	char *dumped = j == NULL ? NULL : json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (dumped == NULL)
		out->failed = true;
	else
		buf_add_str(out, dumped);
	free(dumped);
	json_decref(j);
}

static int
add_uuid(struct buf *out, struct slice name)
{
	char uuid[EXPORT_UUID];

	if (export_uuid(name, uuid) == -1) {
		out->failed = true;
		return -1;
	}
	return buf_addf(out, "\"uuid\":\"%s\",", uuid);
}

static void
end_attribute(struct sightings *s)
{
	if (s->value != NULL)
		buf_add_str(&s->text, "]}");
	free(s->value);
	s->value = NULL;
}

/* ATTRIBUTE is type, NUL, value. */
static void
begin_attribute(struct sightings *s, struct slice attribute)
{
	struct slice type, value;
	bool file;

	end_attribute(s);
	slice_cut(attribute, '\0', &type, &value);
	file = type_of_digest(value) != NULL && !slice_eq(type, SLICE("hostname")) && !slice_eq(type, SLICE("ip-dst"));
	buf_add_str(&s->text, s->attributes++ > 0 ? ",\n{" : "\n{");
	add_uuid(&s->text, attribute);
	buf_addf(&s->text, "\"type\":\"%.*s\",\"category\":\"%s\",\"to_ids\":false,\"distribution\":\"5\",\"deleted\":false,\"value\":",
	    SLICE_ARGS(type), file ? "Payload delivery" : "Network activity");
	add_json(&s->text, value);
	buf_add_str(&s->text, ",\"Sighting\":[");
	s->value = malloc(attribute.len + 1);
	s->value_len = attribute.len;
	if (s->value == NULL)
		s->text.failed = true;
	else
		memcpy(s->value, attribute.p, attribute.len);
}

static int
write_row(struct sightings *s, struct slice row)
{
	size_t tail = MS_BYTES + INCIDENT_LEN + 1;	/* with the NUL before it */
	struct slice attribute = slice_head(row, row.len - tail), rest = slice_skip(row, row.len - tail + 1);
	int64_t ms = (int64_t)bytes_get_big(rest.p, MS_BYTES);
	bool same = s->value != NULL && slice_eq(attribute, slice_make(s->value, s->value_len));

	if (!same)
		begin_attribute(s, attribute);
	buf_add_str(&s->text, same ? ",{" : "{");
	add_uuid(&s->text, slice_skip(rest, MS_BYTES));
	buf_addf(&s->text, "\"type\":\"0\",\"source\":\"firebreak\",\"date_sighting\":\"%" PRId64 "\"}", ms / MS);
	return put_text(s, false);
}

static int
write_all(struct sightings *s)
{
	char date[CLOCK_TEXT];
	struct slice row;
	int r;

	clock_format_s(s->first_ms / MS, date);
	buf_add_str(&s->text, "{\"Event\":{");
	add_uuid(&s->text, SLICE("sightings"));
	buf_addf(&s->text, "\"info\":\"Firebreak: sightings\",\"date\":\"%.*s\",\"timestamp\":\"%" PRId64 "\",\"analysis\":\"2\","
	    "\"threat_level_id\":\"4\",\"distribution\":\"0\",\"published\":false,\"Attribute\":[", DATE_LEN, date, s->last_ms / MS);
	while ((r = sorter_next(s->sorter, &row)) == 1)
		if (write_row(s, row) == -1)
			return -1;
	end_attribute(s);
	buf_add_str(&s->text, "]}}\n");
	return r == -1 ? -1 : put_text(s, true);
}

/* ---- all of it ---- */

static int
gather(const struct call *c, int64_t since_ms, struct sightings *s, struct diag *diag)
{
	struct event_query q = { .from_ms = since_ms };
	struct eventstore *store;
	char path[STATE_PATH];
	int r = -1, partly = 0;

	if (call_path(c, STATE_EVENTS, path) == -1)
		return -1;
	if ((store = eventstore_open(path, diag)) != NULL && (partly = eventstore_update(store, diag)) != -1)
		r = eventstore_search(store, &q, collect, s, diag);
	eventstore_close(store);
	if (r == -1 && diag->n_errors == 0)
		diag_error(diag, "%s", strerror(errno));
	return r == 0 ? partly : -1;
}

int
export_sightings(const struct call *c, int64_t since_ms, struct output *out)
{
	const char *tmp = getenv("TMPDIR");
	struct sightings s = { .out = out, .sorter = sorter_new(SORTER_MEMORY_MIN * 4, tmp != NULL ? tmp : "/tmp") };
	struct diag diag = { 0 };
	int r = -1, status = EXIT_TROUBLE;

	buf_init(&s.row, SORTER_RECORD_MAX);
	buf_init(&s.text, TEXT_MAX);
	if (s.sorter == NULL)
		call_fail(c, "out of memory");
	else if ((r = gather(c, since_ms, &s, &diag)) != -1) {
		if (sorter_sort(s.sorter) == -1 || write_all(&s) == -1)
			call_fail(c, "%s", strerror(errno));
		else
			status = r == 1 ? EXIT_FOUND : EXIT_FINE;
	}
	diag_print(&diag, stderr);
	if (status != EXIT_TROUBLE)
		fprintf(stderr, "firebreak %s: %" PRIu64 " sighting%s of %" PRIu64 " thing%s\n", c->verb->name, s.n, show_s(s.n), s.attributes,
		    show_s(s.attributes));
	if (status != EXIT_TROUBLE && s.left > 0)
		fprintf(stderr, "left out: %" PRIu64 " event%s about no host and no digest that a rule lists\n", s.left, show_s(s.left));
	diag_fini(&diag);
	free(s.value);
	buf_fini(&s.row);
	buf_fini(&s.text);
	sorter_free(s.sorter);
	return status;
}
