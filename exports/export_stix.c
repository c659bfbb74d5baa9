/* STIX 2.1 (OASIS Standard, 10 June 2021): a bundle of an identity and an indicator a rule.  Part 4.7 has the indicator, part 9 the
 * patterns.
 *
 * An indicator is known by its rule's source, match, revision and date.  These do not change, so that "created" does not either;
 * the rest may, such as the end of a feed's rows: each generation is another version ("modified") of the same indicators. */
#include "exports/export_part.h"

#include <jansson.h>

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "hashdb/hashdb.h"

enum { TEXT_MAX = 1 << 18 };

static const char *const algs[DIGEST_ALGS] = { [DIGEST_MD5] = "MD5", [DIGEST_SHA1] = "'SHA-1'", [DIGEST_SHA256] = "'SHA-256'" };

/* ---- JSON ---- */

/* KEY of J is TEXT, whatever its bytes. */
static void
set_text(json_t *j, const char *key, struct slice text)
{
	struct buf clean;

	buf_init(&clean, TEXT_MAX);
	buf_add_utf8(&clean, text);
	if (!clean.failed && clean.len > 0)
		json_object_set_new(j, key, json_stringn(clean.p, clean.len));
	buf_fini(&clean);
}

static void
set_date(json_t *j, const char *key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	clock_format_s(seconds, date);
	json_object_set_new(j, key, json_string(date));
}

/* "indicator--UUID" as KEY of J. */
static void
set_id(json_t *j, const char *key, const char *type, const char *uuid)
{
	json_object_set_new(j, key, json_sprintf("%s--%s", type, uuid));
}

static int
dump_piece(const char *text, size_t len, void *arg)
{
	return buf_add(arg, text, len);
}

/* Append J on one line, and release it. */
static int
dump(json_t *j, struct buf *out)
{
	int r = j == NULL ? -1 : json_dump_callback(j, dump_piece, out, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(j);
	return r;
}

/* ---- patterns ---- */

/* Hosts and digests have none of the bytes that a string of a pattern would escape; "_" and "%" stand for others in a LIKE. */
static void
add_pattern(struct buf *out, const struct rule *rule)
{
	const struct rule_key *k = &rule->key;
	char hex[DIGEST_MAX_HEX + 1];

	if (rule->kind == RULE_FILE) {
		digest_format(k->digest, hex);
		buf_addf(out, "[file:hashes.%s = '%s'", algs[k->digest->alg], hex);
		if (k->size != HASHDB_SIZE_ANY)
			buf_addf(out, " AND file:size = %" PRIu64, k->size);
		buf_add_char(out, ']');
	} else if (k->scope == SCOPE_EXACT)
		buf_addf(out, "[domain-name:value = '%.*s']", SLICE_ARGS(k->host));
	else if (k->scope == SCOPE_DOMAIN)
		buf_addf(out, "[domain-name:value = '%.*s' OR domain-name:value LIKE '%%.%.*s']",
		    SLICE_ARGS(k->host), SLICE_ARGS(k->host));
	else
		buf_addf(out, "[domain-name:value LIKE '%%.%.*s']", SLICE_ARGS(k->host));
}

/* ---- objects ---- */

/* Who says it: one identity for all. */
static int
identity(char out[static EXPORT_UUID])
{
	return export_uuid(SLICE("identity"), out);
}

static int
name_rule(const struct rule *rule, char out[static EXPORT_UUID])
{
	struct buf text;
	int r;

	buf_init(&text, TEXT_MAX);
	buf_addf(&text, "%.*s %s %" PRIu32 " %" PRId64 " ", SLICE_ARGS(rule->source), rule_kind_name(rule->kind), rule->rev,
	    rule->published);
	r = rule_value_format(rule, &text) == -1 || text.failed ? -1 : export_uuid(buf_slice(&text), out);
	buf_fini(&text);
	return r;
}

static void
set_words(json_t *j, const struct rule *rule)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	rule_id_format(rule, &text);
	set_text(j, "name", buf_slice(&text));
	set_text(j, "description", rule->note);
	json_object_set_new(j, "indicator_types", json_pack("[s]", "malicious-activity"));
	json_object_set_new(j, "labels", json_pack("[o]", json_sprintf("firebreak-level:%u", (unsigned)rule->level)));
	if (rule->alert.len > 0) {
		json_t *reference = json_pack("{s:s}", "source_name", "alert");

		set_text(reference, "external_id", rule->alert);
		json_object_set_new(j, "external_references", json_pack("[o]", reference));
	}
	buf_reset(&text);
	add_pattern(&text, rule);
	json_object_set_new(j, "pattern", json_stringn(text.p, text.len));
	json_object_set_new(j, "pattern_type", json_string("stix"));
	buf_fini(&text);
}

int
export_stix_indicator(const struct rule *rule, int64_t created, struct buf *json, char out[static EXPORT_UUID])
{
	char by[EXPORT_UUID];
	json_t *j = json_object();

	if (j == NULL || identity(by) == -1 || name_rule(rule, out) == -1) {
		json_decref(j);
		return -1;
	}
	json_object_set_new(j, "type", json_string("indicator"));
	json_object_set_new(j, "spec_version", json_string("2.1"));
	set_id(j, "id", "indicator", out);
	set_id(j, "created_by_ref", "identity", by);
	/* A rule that does not say when it was published is as old as can be: tomorrow it is the same. */
	set_date(j, "created", rule->published);
	set_date(j, "modified", rule->published > created ? rule->published : created);
	set_words(j, rule);
	set_date(j, "valid_from", rule->published);
	if (rule->expires > rule->published)
		set_date(j, "valid_until", rule->expires);
	return dump(j, json);
}

/* The bundle is named after generation and options. */
static int
name_bundle(const struct export *e, char out[static EXPORT_UUID])
{
	struct buf text;
	int r;

	buf_init(&text, TEXT_MAX);
	buf_addf(&text, "bundle %" PRIu64 " %" PRId64 " %d", generation_number(e->g), generation_created(e->g), e->o->level);
	for (size_t i = 0; i < e->o->n_sources; i++)
		buf_add_strs(&text, " ", e->o->sources[i], NULL);
	r = text.failed ? -1 : export_uuid(buf_slice(&text), out);
	buf_fini(&text);
	return r;
}

int
export_stix_head(struct export *e)
{
	char uuid[EXPORT_UUID], by[EXPORT_UUID];
	json_t *j = json_object();

	if (j == NULL || name_bundle(e, uuid) == -1 || identity(by) == -1) {
		json_decref(j);
		e->text.failed = true;
		return -1;
	}
	buf_addf(&e->text, "{\"type\":\"bundle\",\"id\":\"bundle--%s\",\"objects\":[\n", uuid);
	json_object_set_new(j, "type", json_string("identity"));
	json_object_set_new(j, "spec_version", json_string("2.1"));
	set_id(j, "id", "identity", by);
	set_date(j, "created", 0);
	set_date(j, "modified", 0);
	json_object_set_new(j, "name", json_string("Firebreak"));
	json_object_set_new(j, "identity_class", json_string("system"));
	return dump(j, &e->text);
}
