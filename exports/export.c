#include "exports/export_part.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/count.h"
#include "judge/judge.h"

#define SORT_MEMORY	((size_t)64 << 20)

enum { TEXT_FLUSH = 1 << 16, TEXT_MAX = 8 << 20, ID_MAX = 1 << 20, LABEL_MAX = 63, PLAIN_MAX = 240 };

/* ---- names ---- */

static const struct { const char *name; const struct export_form *form; } formats[EXPORT_FORMATS] = {
	[EXPORT_HDB] = { "hdb", &export_form_files }, [EXPORT_HSB] = { "hsb", &export_form_files },
	[EXPORT_FP] = { "fp", &export_form_files }, [EXPORT_SFP] = { "sfp", &export_form_files },
	[EXPORT_RPZ] = { "rpz", &export_form_names }, [EXPORT_HOSTS] = { "hosts", &export_form_names },
	[EXPORT_DSTDOMAIN] = { "dstdomain", &export_form_names }, [EXPORT_SURICATA] = { "suricata", &export_form_names },
	[EXPORT_FILEMD5] = { "filemd5", &export_form_files }, [EXPORT_FILESHA1] = { "filesha1", &export_form_files },
	[EXPORT_FILESHA256] = { "filesha256", &export_form_files }, [EXPORT_STIX] = { "stix", &export_form_names },
};

const char *
export_format_name(enum export_format format)
{
	return formats[format].name;
}

int
export_format_parse(struct slice name, enum export_format *out)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (slice_eq(name, slice_str(formats[i].name))) {
			*out = (enum export_format)i;
			return 0;
		}
	return -1;
}

const char *
export_left_words(enum export_left why)
{
	static const char *const words[EXPORT_LEFTS] = {
		[EXPORT_TAKEN] = "taken",
		[EXPORT_UNWANTED] = "of other sources",
		[EXPORT_ACTION] = "allow, block, protect or except, which it does not have",
		[EXPORT_KIND] = "of a kind that it does not have",
		[EXPORT_SCOPE] = "for more or less than it can say: a host and all below it, or what is below alone",
		[EXPORT_TEXT] = "for addresses or names that cannot stand there",
		[EXPORT_SIZE] = "for sizes that it does not have",
		[EXPORT_LOW] = "below the level",
		[EXPORT_ENDED] = "expired",
		[EXPORT_OVERRULED] = "overruled here",
		[EXPORT_WIDER] = "with an allow for a part of them, which it cannot say",
		[EXPORT_AGAIN] = "said by another row",
	};

	return words[why];
}

/* ---- what decides ---- */

/* WHY is what RULE says. */
static bool
agrees(const struct rule *rule, const struct why *why)
{
	if (rule->action == RULE_ALLOW)
		return why->has_rule && why->rule.action == RULE_ALLOW;
	if (why->has_rule)
		return why->rule.action == RULE_BLOCK && why->verdict == VERDICT_BLOCK;
	return why->would_block;	/* what is below the threshold, when that was asked for */
}

bool
export_decides(const struct export *e, const struct rule *rule, struct slice host, struct slice path, bool below)
{
	/* A name that nobody has a rule for by itself. */
	static const struct slice scheme = SLICE("http://"), probe = SLICE("firebreak-export-probe.");
	char space[HOST_MAX + sizeof("http://firebreak-export-probe./")];
	struct asker anybody = { .client = SLICE("") };
	struct question q = { .now = e->o->now, .asker = &anybody };
	struct why why;
	struct url url;
	struct buf text;
	bool agreed;

	buf_init_in(&text, space, sizeof(space), URL_RAW_MAX);
	buf_add_slice(&text, scheme);
	if (below)
		buf_add_slice(&text, probe);
	buf_add_slice(&text, host);
	buf_add_slice(&text, path);
	if (text.failed || url_parse(&url, buf_slice(&text)) != URL_OK) {
		buf_fini(&text);
		return false;
	}
	q.url = &url;
	anybody.host = url.host;
	judge_request(e->g, FAIL_OPEN, &q, &why);
	agreed = agrees(rule, &why);
	url_fini(&url);
	buf_fini(&text);
	return agreed;
}

bool
export_file_decides(const struct export *e, const struct rule *rule)
{
	/* Of a rule for any size, a size that no file has. */
	struct body_facts facts = { .size = rule->key.size == HASHDB_SIZE_ANY ? UINT64_MAX - 1 : rule->key.size, .n = 1,
		.digests = { *rule->key.digest } };
	struct why why;

	judge_body(e->g, &facts, e->o->now, &why);
	return agrees(rule, &why);
}

/* ---- text ---- */

static bool
is_plain(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

bool
export_host_is_plain(struct slice host)
{
	struct slice label, rest = host;

	if (host.len == 0 || host.len > PLAIN_MAX || host.p[host.len - 1] == '.')
		return false;
	while (rest.len > 0) {
		slice_cut(rest, '.', &label, &rest);
		if (label.len == 0 || label.len > LABEL_MAX)
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_plain(label.p[i]))
				return false;
	}
	return true;
}

void
export_add_plain(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(out, is_plain(text.p[i]) || text.p[i] == '.' || text.p[i] == '/' ? text.p[i] : '_');
}

int
export_head(struct export *e, const char *mark)
{
	char date[CLOCK_TEXT];

	clock_format_s(generation_created(e->g), date);
	return buf_addf(&e->text, "%s Firebreak: %s of generation %" PRIu64 ", %s%s\n", mark, export_format_name(e->o->format),
	    generation_number(e->g), date, e->o->allow ? ": what is allowed" : "");
}

/* What is not in it, behind MARK, for whoever reads the file alone. */
static void
add_tail(struct export *e, const char *mark)
{
	buf_addf(&e->text, "%s rows: %" PRIu64 "\n", mark, e->counts->rows);
	for (enum export_left why = EXPORT_ACTION; why < EXPORT_LEFTS; why++)
		if (e->counts->left[why] > 0)
			buf_addf(&e->text, "%s left out: %" PRIu64 " %s\n", mark, e->counts->left[why], export_left_words(why));
}

int
export_flush(struct buf *text, export_put *put, void *arg, bool all)
{
	int r;

	if (text->failed)
		return errno = ENOMEM, -1;
	if (!all && text->len < TEXT_FLUSH)
		return 0;
	r = put(arg, buf_slice(text));
	buf_reset(text);
	return r;
}

/* ---- all rules ---- */

void
export_add_row(struct export *e)
{
	if (e->row.failed)
		e->error = ENOMEM;
	else if (sorter_add(e->sorter, buf_slice(&e->row)) == -1)
		e->error = errno;
}

static bool
is_wanted(const struct export_options *o, struct slice source)
{
	for (size_t i = 0; i < o->n_sources; i++)
		if (slice_eq(source, slice_str(o->sources[i])))
			return true;
	/* Canaries are for this machine alone. */
	return o->n_sources == 0 && !slice_eq(source, SLICE(RULE_CANARIES));
}

/* What every format leaves out. */
static enum export_left
take(struct export *e, const struct rule *rule)
{
	int level = e->o->level >= 0 ? e->o->level : (int)generation_site(e->g)->threshold;

	if (rule->action == RULE_PROTECT)
		return EXPORT_ACTION;
	if (rule->expires != 0 && rule->expires <= judge_now(e->g, e->o->now))
		return EXPORT_ENDED;
	if (rule->action == RULE_BLOCK && rule->level < level)
		return EXPORT_LOW;
	return formats[e->o->format].form->take(e, rule);
}

static int
visit(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct export *e = arg;
	enum export_left why;

	(void)layer;
	(void)ref;
	e->wanted = is_wanted(e->o, rule->source);
	why = take(e, rule);
	if (e->wanted && why != EXPORT_TAKEN)
		e->counts->left[why]++;
	return e->error != 0 ? (errno = e->error, -1) : 0;
}

static int
collect_and_write(struct export *e)
{
	const char *mark = e->o->format == EXPORT_RPZ ? ";" : "#";

	if (generation_each(e->g, visit, e, &e->counts->damaged) == -1 || sorter_sort(e->sorter) == -1 ||
	    formats[e->o->format].form->write(e) == -1)
		return -1;
	if (e->o->format != EXPORT_STIX)
		add_tail(e, mark);
	return export_flush(&e->text, e->put, e->arg, true);
}

int
export_rules(const struct generation *g, const struct export_options *o, export_put *put, void *arg,
    struct export_counts *counts)
{
	struct export e = { .g = g, .o = o, .counts = counts, .put = put, .arg = arg, .sid = o->sid };
	int r, saved;

	*counts = (struct export_counts){ .rows = 0 };
	buf_init(&e.row, SORTER_RECORD_MAX);
	buf_init(&e.id, ID_MAX);
	buf_init(&e.text, TEXT_MAX);
	e.sorter = sorter_new(SORT_MEMORY, o->tmp);
	r = e.sorter == NULL ? (errno = ENOMEM, -1) : collect_and_write(&e);
	saved = errno;
	sorter_free(e.sorter);
	buf_fini(&e.row);
	buf_fini(&e.id);
	buf_fini(&e.text);
	errno = saved;
	return r;
}
