/* The second time that rows of names are gone through: what is written, a domain right before what lies below it. */
#include "exports/export_part.h"

#include <errno.h>
#include <inttypes.h>

/* A row as it is written. */
struct row {
	struct slice	host, rev, id;
	int		scope;
	bool		allows;
};

static void
write_rpz(struct export *e, const struct row *row)
{
	buf_addf(&e->text, "%s%.*s CNAME %s ; %.*s\n", row->scope == BELOW ? "*." : "", SLICE_ARGS(row->host),
	    row->allows ? "rpz-passthru." : ".", SLICE_ARGS(row->id));
}

static void
write_suricata_rule(struct export *e, const struct row *row, const char *protocol, const char *buffer, const char *nocase)
{
	bool exact = row->scope == EXACT;

	buf_addf(&e->text, "alert %s any any -> any any (msg:\"Firebreak %.*s\"; flow:established,to_server; %s; ", protocol,
	    SLICE_ARGS(row->id), buffer);
	if (!exact)
		buf_add_str(&e->text, "dotprefix; ");
	buf_addf(&e->text, "content:\"%s%.*s\"; %s", exact ? "" : ".", SLICE_ARGS(row->host), nocase);
	if (exact)
		buf_addf(&e->text, "bsize:%zu; ", row->host.len);
	else
		buf_add_str(&e->text, "endswith; ");
	if (row->scope == BELOW)
		buf_addf(&e->text, "bsize:>%zu; ", row->host.len + 1);
	buf_addf(&e->text, "sid:%" PRIu64 "; rev:%.*s;)\n", e->sid++, SLICE_ARGS(row->rev));
}

/* Suricata has the host of HTTP in lower case, and refuses a rule that asks for that. */
static void
write_suricata(struct export *e, const struct row *row)
{
	write_suricata_rule(e, row, "tls", "tls.sni", "nocase; ");
	write_suricata_rule(e, row, "http", "http.host", "");
}

/* The host whose labels stand in KEY from the right. */
static void
add_host(struct buf *out, struct slice key)
{
	size_t end = key.len, at;

	while (end > 0) {
		for (at = --end; at > 0 && key.p[at - 1] != LABEL_END; at--)
			;
		buf_add(out, key.p + at, end - at);
		if (at > 0)
			buf_add_char(out, '.');
		end = at;
	}
}

static void
write_row(struct export *e, struct row *row, struct slice key, struct slice rest)
{
	slice_cut(rest, ' ', &row->rev, &row->id);
	buf_reset(&e->id);
	add_host(&e->id, key);
	row->host = buf_slice(&e->id);
	switch (e->o->format) {
	case EXPORT_STIX:
		buf_add_str(&e->text, ",\n");
		buf_add_slice(&e->text, rest);
		break;
	case EXPORT_RPZ:
		write_rpz(e, row);
		break;
	case EXPORT_SURICATA:
		write_suricata(e, row);
		break;
	case EXPORT_HOSTS:
		buf_addf(&e->text, "0.0.0.0 %.*s\n", SLICE_ARGS(row->host));
		break;
	default:
		buf_addf(&e->text, "%s%.*s\n", row->scope == DOMAIN ? "." : "", SLICE_ARGS(row->host));
		break;
	}
	e->counts->rows++;
}

/* What the row before said. */
struct before {
	struct buf	key, domain;	/* the last one, and the last of a whole domain */
	bool		any, any_domain;
	int		scope;
};

/* The row of KEY and SCOPE is said already.  Squid ignores what lies below a domain in the same list, with an error. */
static bool
is_again(const struct export *e, const struct before *b, struct slice key, int scope)
{
	if (b->any && b->scope == scope && slice_eq(key, buf_slice(&b->key)))
		return true;
	return e->o->format == EXPORT_DSTDOMAIN && b->any_domain && slice_starts(key, buf_slice(&b->domain));
}

static int
write_record(struct export *e, struct before *b, struct slice record)
{
	struct row row = { .scope = EXACT };
	struct slice key, rest;

	slice_cut(record, '\0', &key, &rest);
	if (rest.len >= 2) {
		row.scope = rest.p[0];
		row.allows = rest.p[1] == 'a';
	}
	if (is_again(e, b, key, row.scope)) {
		e->counts->left[EXPORT_AGAIN]++;
		return 0;
	}
	write_row(e, &row, key, slice_skip(rest, 2));
	b->any = true;
	b->scope = row.scope;
	buf_reset(&b->key);
	buf_add_slice(&b->key, key);
	if (row.scope == DOMAIN) {
		b->any_domain = true;
		buf_reset(&b->domain);
		buf_add_slice(&b->domain, key);
	}
	if (b->key.failed || b->domain.failed || e->id.failed)
		return errno = ENOMEM, -1;
	return export_flush(&e->text, e->put, e->arg, false);
}

static int
write_all(struct export *e, struct sorter *kept)
{
	struct before b = { .any = false };
	struct slice record;
	int r;

	buf_init(&b.key, HOST_MAX * 2);
	buf_init(&b.domain, HOST_MAX * 2);
	while ((r = sorter_next(kept, &record)) == 1)
		if ((r = write_record(e, &b, record)) != 0)
			break;
	buf_fini(&b.key);
	buf_fini(&b.domain);
	return r;
}

/* A zone begins with what it is.  Its serial number is the generation's: it rises as long as generations do. */
static void
write_zone_head(struct export *e)
{
	buf_addf(&e->text, "$TTL 300\n@ SOA localhost. hostmaster.localhost. %" PRIu32 " 3600 600 604800 300\n@ NS localhost.\n",
	    (uint32_t)generation_number(e->g));
}

int
export_write_names(struct export *e)
{
	struct sorter *kept = sorter_new(SORTER_MEMORY_MIN * 16, e->o->tmp);
	int r;

	if (kept == NULL)
		return errno = ENOMEM, -1;
	if (e->o->format == EXPORT_STIX)
		export_stix_head(e);
	else
		export_head(e, e->o->format == EXPORT_RPZ ? ";" : "#");
	if (e->o->format == EXPORT_RPZ)
		write_zone_head(e);
	r = export_keep_names(e, kept) == -1 ? -1 : write_all(e, kept);
	if (e->o->format == EXPORT_STIX)
		buf_add_str(&e->text, "\n]}\n");
	sorter_free(kept);
	return r;
}
