#include "exports/export_part.h"

#include <errno.h>
#include <inttypes.h>

#include "hashdb/hashdb.h"

#define CLAMAV_SIZE_END	UINT64_C(0xffffffff)	/* sizes are below */

enum { NAME_SHOWN = 100 };

/* A mask of the algorithms that FORMAT is for. */
static unsigned
algs_of(enum export_format format)
{
	switch (format) {
	case EXPORT_HDB:
	case EXPORT_FP:
	case EXPORT_FILEMD5:
		return DIGEST_BIT(DIGEST_MD5);
	case EXPORT_FILESHA1:
		return DIGEST_BIT(DIGEST_SHA1);
	case EXPORT_FILESHA256:
		return DIGEST_BIT(DIGEST_SHA256);
	default:
		return DIGEST_BIT(DIGEST_SHA1) | DIGEST_BIT(DIGEST_SHA256);
	}
}

static bool
allows(enum export_format format)
{
	return format == EXPORT_FP || format == EXPORT_SFP;
}

static bool
has_sizes(enum export_format format)
{
	return format == EXPORT_HDB || format == EXPORT_HSB || allows(format);
}

/* The signature's name: the source, and what else tells the rule there.  A colon would end it. */
static void
add_name(struct export *e, const struct rule *rule)
{
	buf_add_str(&e->row, "Firebreak.");
	export_add_plain(&e->row, slice_head(rule->source, NAME_SHOWN));
	if (rule->label.len > 0 || rule->line == 0) {
		struct slice more = rule->label.len > 0 ? rule->label : rule->name;

		if (more.len > 0)
			buf_add_char(&e->row, '.');
		export_add_plain(&e->row, slice_head(more, NAME_SHOWN));
	} else
		buf_addf(&e->row, ".%" PRIu32, rule->line);
}

/* | digest, and size where the format has it | NUL | the rest of the line | */
static void
add(struct export *e, const struct rule *rule)
{
	char hex[DIGEST_MAX_HEX + 1];
	bool any = rule->key.size == HASHDB_SIZE_ANY;

	digest_format(rule->key.digest, hex);
	buf_reset(&e->row);
	buf_add_str(&e->row, hex);
	if (has_sizes(e->o->format)) {
		if (any)
			buf_add_str(&e->row, ":*");
		else
			buf_addf(&e->row, ":%" PRIu64, rule->key.size);
	}
	buf_add_char(&e->row, '\0');
	if (has_sizes(e->o->format)) {
		buf_add_char(&e->row, ':');
		add_name(e, rule);
		/* The first engine that knows "*". */
		if (any)
			buf_add_str(&e->row, ":73");
	}
	export_add_row(e);
}

static enum export_left
take(struct export *e, const struct rule *rule)
{
	enum export_format format = e->o->format;

	if (!e->wanted)
		return EXPORT_UNWANTED;
	if (rule->kind != RULE_FILE || rule->key.digest == NULL || (algs_of(format) & DIGEST_BIT(rule->key.digest->alg)) == 0)
		return EXPORT_KIND;
	if ((rule->action == RULE_ALLOW) != allows(format))
		return EXPORT_ACTION;
	if (has_sizes(format) && rule->key.size >= CLAMAV_SIZE_END)
		return EXPORT_SIZE;
	if (!export_file_decides(e, rule))
		return EXPORT_OVERRULED;
	add(e, rule);
	return EXPORT_TAKEN;
}

static int
write_files(struct export *e)
{
	struct slice record, key, rest;
	struct buf before;
	int r;

	buf_init(&before, DIGEST_MAX_HEX * 2);
	export_head(e, "#");
	while ((r = sorter_next(e->sorter, &record)) == 1) {
		slice_cut(record, '\0', &key, &rest);
		if (before.len > 0 && slice_eq(key, buf_slice(&before))) {
			e->counts->left[EXPORT_AGAIN]++;
			continue;
		}
		buf_reset(&before);
		buf_add_slice(&before, key);
		buf_add_slice(&e->text, key);
		buf_add_slice(&e->text, rest);
		buf_add_char(&e->text, '\n');
		e->counts->rows++;
		if (before.failed)
			errno = ENOMEM;
		if (before.failed || export_flush(&e->text, e->put, e->arg, false) == -1) {
			r = -1;
			break;
		}
	}
	buf_fini(&before);
	return r;
}

const struct export_form export_form_files = { take, write_files };
