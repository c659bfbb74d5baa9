#include "ruleset/generation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/siphash.h"
#include "ruleset/rule_format.h"
#include "ruleset/site_format.h"

/* A publisher may have removed what an older MANIFEST named: the newer one is then read. */
enum { MANIFEST_TRIES = 8 };

struct generation {
	struct manifest		 manifest;
	struct segment		*rules, *host_segment, *digest_segment, *site_segment;
	struct host_table	*hosts;
	struct hashdb		*digests;
	struct site		 site;
	struct slice		 records, texts;
	uint32_t		 n_rules;
};

/* ---- rules ---- */

struct slice *
rule_text(struct rule *rule, enum rule_text t)
{
	struct slice *const texts[RULE_TEXTS] = {
		[TEXT_ID] = &rule->id, [TEXT_SOURCE] = &rule->source, [TEXT_ALERT] = &rule->alert,
		[TEXT_VALUE] = &rule->value, [TEXT_NAME] = &rule->name, [TEXT_CONTAINER] = &rule->container,
		[TEXT_NOTE] = &rule->note,
	};

	return texts[t];
}

uint32_t
rule_record_sum(const struct rule_record *r, const struct rule *rule)
{
	static const uint8_t key[SIPHASH_KEY];	/* against accidents, not against people: who writes segments is trusted */
	struct rule_record fields = *r;
	struct rule texts = *rule;
	uint64_t sum;

	fields.sum = 0;
	sum = siphash(key, slice_make((const char *)&fields, sizeof(fields)));
	/* Their lengths are in the fields. */
	for (int t = 0; t < RULE_TEXTS; t++) {
		const struct slice *s = rule_text(&texts, (enum rule_text)t);

		if (s->len > 0)
			sum = (sum << 7 | sum >> 57) ^ siphash(key, *s);
	}
	return (uint32_t)(sum ^ sum >> 32);
}

/* The text of G that REF names; false when it lies outside. */
static bool
text_at(const struct generation *g, struct text_ref ref, struct slice *out)
{
	*out = slice_make("", 0);
	if (ref.len == 0)
		return true;
	if (ref.at > g->texts.len || ref.len > g->texts.len - ref.at)
		return false;
	*out = slice_make(g->texts.p + ref.at, ref.len);
	return true;
}

int
generation_rule(const struct generation *g, uint32_t ref, struct rule *out)
{
	struct rule_record r;

	if (ref >= g->n_rules)
		return -1;
	memcpy(&r, g->records.p + (size_t)ref * sizeof(r), sizeof(r));
	if (r.action > RULE_PROTECT || r.kind > RULE_FILE || r.level > RULE_LEVEL_MAX)
		return -1;
	*out = (struct rule){
		.action = (enum rule_action)r.action, .kind = (enum rule_kind)r.kind, .level = r.level, .rev = r.rev,
		.local = (r.flags & RULE_FLAG_LOCAL) != 0, .files = (r.flags & RULE_FLAG_FILES) != 0,
		.published = r.published, .expires = r.expires,
	};
	for (int t = 0; t < RULE_TEXTS; t++)
		if (!text_at(g, r.texts[t], rule_text(out, (enum rule_text)t)))
			return -1;
	return rule_record_sum(&r, out) == r.sum ? 0 : -1;
}

/* ---- opening ---- */

/* The segment of KIND that the MANIFEST names. */
static struct segment *
open_segment(const struct generation *g, const char *dir, enum segment_kind kind, bool verify, struct diag *diag)
{
	const struct manifest_segment *m = manifest_find(&g->manifest, kind);
	struct segment *s;
	char *path;

	if (m == NULL) {
		diag_add(diag, DIAG_ERROR, dir, 0, 0, "the MANIFEST names no segment \"%s\"", segment_kind_name(kind));
		return NULL;
	}
	if ((path = file_join(dir, m->name)) == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	s = segment_open(path, kind, verify || m->len <= GENERATION_VERIFY ? m->sha256 : NULL, diag);
	if (s != NULL && segment_size(s) != m->len) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "damaged: its length is not the one in the MANIFEST");
		segment_close(s);
		s = NULL;
	}
	free(path);
	return s;
}

/* The segment of KIND holds together and its content does not: DIAG gets FAULT, which is freed, under the file's name. */
static int
refuse_content(const struct generation *g, const char *dir, enum segment_kind kind, struct diag *fault, struct diag *diag)
{
	char *path = file_join(dir, manifest_find(&g->manifest, kind)->name);

	diag_add(diag, DIAG_ERROR, path != NULL ? path : dir, 0, 0, "%s", diag_first_error(fault));
	diag_fini(fault);
	free(path);
	return -1;
}

static int
open_rules(struct generation *g, struct diag *diag)
{
	g->records = segment_section(g->rules, RULES_RECORDS);
	g->texts = segment_section(g->rules, RULES_TEXTS);
	if (g->records.len % sizeof(struct rule_record) != 0 ||
	    g->records.len / sizeof(struct rule_record) > UINT32_MAX) {
		diag_error(diag, "damaged: length of the rules");
		return -1;
	}
	g->n_rules = (uint32_t)(g->records.len / sizeof(struct rule_record));
	return 0;
}

static int
open_segments(struct generation *g, const char *dir, bool verify, struct diag *diag)
{
	struct diag fault = { 0 };

	if ((g->rules = open_segment(g, dir, SEGMENT_RULES, verify, diag)) == NULL ||
	    (g->host_segment = open_segment(g, dir, SEGMENT_HOSTS, verify, diag)) == NULL ||
	    (g->digest_segment = open_segment(g, dir, SEGMENT_DIGESTS, verify, diag)) == NULL ||
	    (g->site_segment = open_segment(g, dir, SEGMENT_SITE, verify, diag)) == NULL)
		return -1;
	if ((g->hosts = host_table_open(g->host_segment, &fault)) == NULL)
		return refuse_content(g, dir, SEGMENT_HOSTS, &fault, diag);
	if ((g->digests = hashdb_open(g->digest_segment, &fault)) == NULL)
		return refuse_content(g, dir, SEGMENT_DIGESTS, &fault, diag);
	if (open_rules(g, &fault) == -1)
		return refuse_content(g, dir, SEGMENT_RULES, &fault, diag);
	if (site_read(g->site_segment, &g->site, NULL, &fault) == -1)
		return refuse_content(g, dir, SEGMENT_SITE, &fault, diag);
	return 0;
}

/* -1 with errno ENOENT when there is no MANIFEST. */
static int
read_manifest(const char *dir, struct manifest *out, struct diag *diag)
{
	char *path = file_join(dir, "MANIFEST");
	int r, error;

	if (path == NULL) {
		diag_error(diag, "out of memory");
		return errno = ENOMEM, -1;
	}
	r = manifest_load(path, out, diag);
	error = errno;
	free(path);
	errno = error;
	return r;
}

/* What the manifest of G names; NULL, and G is gone, when something of it does not hold together. */
static struct generation *
open_named(const struct manifest *m, const char *dir, bool verify, struct diag *diag)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	g->manifest = *m;
	if (open_segments(g, dir, verify, diag) == 0)
		return g;
	generation_close(g);
	return NULL;
}

/* The MANIFEST in DIR names another generation than M. */
static bool
is_outdated(const struct manifest *m, const char *dir)
{
	struct manifest now;

	return read_manifest(dir, &now, NULL) == 0 && now.generation != m->generation;
}

struct generation *
generation_open(const char *dir, bool verify, struct diag *diag)
{
	struct generation *g = NULL;
	struct diag findings;
	struct manifest m;

	for (int i = 0; i < MANIFEST_TRIES; i++) {
		if (read_manifest(dir, &m, diag) == -1)
			return NULL;
		diag_init(&findings);
		g = open_named(&m, dir, verify, &findings);
		if (g != NULL || !is_outdated(&m, dir))
			break;
		if (i + 1 < MANIFEST_TRIES)
			diag_fini(&findings);
	}
	for (size_t i = 0; i < findings.n; i++)
		diag_add(diag, findings.v[i].level, findings.v[i].file, 0, 0, "%s", findings.v[i].text);
	diag_fini(&findings);
	errno = EINVAL;
	return g;
}

void
generation_close(struct generation *g)
{
	if (g == NULL)
		return;
	host_table_close(g->hosts);
	hashdb_close(g->digests);
	segment_close(g->rules);
	segment_close(g->host_segment);
	segment_close(g->digest_segment);
	segment_close(g->site_segment);
	option_fini(site_options, site_options_n, &g->site);
	free(g);
}

/* ---- asking ---- */

uint64_t
generation_number(const struct generation *g)
{
	return g->manifest.generation;
}

int64_t
generation_created(const struct generation *g)
{
	return g->manifest.created;
}

const struct site *
generation_site(const struct generation *g)
{
	return &g->site;
}

const struct host_table *
generation_hosts(const struct generation *g)
{
	return g->hosts;
}

const struct hashdb *
generation_digests(const struct generation *g)
{
	return g->digests;
}

const struct manifest *
generation_manifest(const struct generation *g)
{
	return &g->manifest;
}

uint32_t
generation_rules(const struct generation *g)
{
	return g->n_rules;
}
