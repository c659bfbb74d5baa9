#include "exports/export_part.h"

#include <errno.h>
#include <inttypes.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum { ID_SHOWN = 200 };
enum { END_TURNED = 0xff, LABEL_END = 0x01 };

/* What a row means of its host; the letters are their order. */
enum { BELOW = 'B', DOMAIN = 'D', EXACT = 'E' };
/* A mark says that a part of what it is for is decided otherwise, and comes before the rows of its host. */
enum { MARK = '0', ROW = '1' };

/* ---- what a format can say ---- */

static bool
says(enum export_format format, enum rule_action action, bool allow)
{
	return format == EXPORT_RPZ || action == (allow ? RULE_ALLOW : RULE_BLOCK);
}

static bool
is_ipv4(struct slice host)
{
	enum host_kind kind;
	char canonical[HOST_MAX + 1];
	size_t len;

	return host_canonical(host, canonical, &len, &kind) == URL_OK && kind == HOST_IPV4;
}

/* Names that a machine has of its own, and what a zone would take for another trigger than a name. */
static bool
is_reserved(enum export_format format, struct slice host)
{
	static const char *const own[] = { "localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost",
		"ip6-loopback", "ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts" };
	static const char *const triggers[] = { "rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname" };

	for (size_t i = 0; format == EXPORT_HOSTS && i < COUNT(own); i++)
		if (slice_eq(host, slice_str(own[i])))
			return true;
	for (size_t i = 0; format == EXPORT_RPZ && i < COUNT(triggers); i++)
		if (host_under(host, slice_str(triggers[i])))
			return true;
	return false;
}

static bool
can_stand(enum export_format format, enum host_scope scope, struct slice host)
{
	if (!export_host_is_plain(host) || is_reserved(format, host))
		return false;
	/* STIX: "_" stands for any character there, and nothing escapes it. */
	if (format == EXPORT_STIX && scope != SCOPE_EXACT && slice_find(host, '_') < host.len)
		return false;
	return (format == EXPORT_DSTDOMAIN && scope == SCOPE_EXACT) || !is_ipv4(host);
}

/* ---- rows ---- */

/* HOST's labels from the right. */
static void
add_reversed(struct buf *out, struct slice host)
{
	size_t end = host.len, at;

	while (end > 0) {
		for (at = end; at > 0 && host.p[at - 1] != '.'; at--)
			;
		buf_add(out, host.p + at, end - at);
		buf_add_char(out, LABEL_END);
		end = at > 0 ? at - 1 : 0;
	}
}

/* And back. */
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

/* What a row says beside its host. */
static void
add_rest(struct export *e, const struct rule *rule)
{
	char uuid[EXPORT_UUID];

	buf_reset(&e->id);
	if (e->o->format == EXPORT_STIX) {
		if (export_stix_indicator(rule, generation_created(e->g), &e->row, uuid) == -1)
			e->row.failed = true;
		return;
	}
	rule_id_format(rule, &e->id);
	buf_addf(&e->row, "%u ", rule->rev);
	export_add_plain(&e->row, slice_head(buf_slice(&e->id), ID_SHOWN));
}

static void
add(struct export *e, char order, const struct rule *rule, int scope)
{
	buf_reset(&e->row);
	add_reversed(&e->row, rule->key.host);
	for (size_t i = 0; i < e->row.len; i++)
		e->row.p[i] = (char)~(unsigned char)e->row.p[i];
	buf_add_char(&e->row, (char)END_TURNED);
	buf_add_char(&e->row, order);
	buf_add_char(&e->row, (char)scope);
	buf_add_char(&e->row, rule->action == RULE_ALLOW ? 'a' : 'b');
	if (order == ROW)
		add_rest(e, rule);
	export_add_row(e);
}

/* A file of a bundle: its UUID stands where a host would. */
static enum export_left
take_file(struct export *e, const struct rule *rule)
{
	char uuid[EXPORT_UUID];

	if (!e->wanted)
		return EXPORT_UNWANTED;
	if (rule->key.digest == NULL)
		return EXPORT_KIND;
	if (rule->action != RULE_BLOCK)
		return EXPORT_ACTION;
	if (!export_file_decides(e, rule))
		return EXPORT_OVERRULED;
	buf_reset(&e->id);
	if (export_stix_indicator(rule, generation_created(e->g), &e->id, uuid) == -1)
		e->error = ENOMEM;
	buf_reset(&e->row);
	for (const char *p = uuid; *p != '\0'; p++)
		buf_add_char(&e->row, (char)~(unsigned char)*p);
	buf_add_char(&e->row, (char)END_TURNED);
	buf_add_str(&e->row, (char[]){ ROW, EXACT, 'b', '\0' });
	buf_add_slice(&e->row, buf_slice(&e->id));
	export_add_row(e);
	return EXPORT_TAKEN;
}

static int
letter(enum host_scope scope)
{
	return scope == SCOPE_EXACT ? EXACT : scope == SCOPE_DOMAIN ? DOMAIN : BELOW;
}

/* RULE says itself, as a row of SCOPE, when it decides all of that. */
static enum export_left
take_row(struct export *e, const struct rule *rule, int scope)
{
	if ((scope != BELOW && !export_decides(e, rule, rule->key.host, SLICE("/"), false)) ||
	    (scope != EXACT && !export_decides(e, rule, rule->key.host, SLICE("/"), true)))
		return EXPORT_OVERRULED;
	add(e, ROW, rule, scope);
	return EXPORT_TAKEN;
}

/* A zone has the host and what is below apart. */
static enum export_left
take_both(struct export *e, const struct rule *rule)
{
	enum export_left host = take_row(e, rule, EXACT), below = take_row(e, rule, BELOW);

	if (host != EXPORT_TAKEN && below != EXPORT_TAKEN)
		return host;
	e->counts->left[host] += host != EXPORT_TAKEN;
	e->counts->left[below] += below != EXPORT_TAKEN;
	return EXPORT_TAKEN;
}

/* What RULE, which the format has no word for, takes away of what others say. */
static enum export_left
take_mark(struct export *e, const struct rule *rule, struct slice path)
{
	enum host_scope scope = rule->key.scope;

	if ((scope != SCOPE_BELOW && export_decides(e, rule, rule->key.host, path, false)) ||
	    (scope != SCOPE_EXACT && export_decides(e, rule, rule->key.host, path, true)))
		add(e, MARK, rule, letter(scope));
	return EXPORT_ACTION;
}

static bool
is_for_everybody(const struct exception *x)
{
	return x->host.len > 0 && x->user.len == 0 && !x->has_client && x->client_token.len == 0;
}

/* An exception for everybody who goes to one host is an allow of that host.  What others may is nothing that a list can say. */
static enum export_left
take_exception(struct export *e, const struct rule *rule)
{
	char host[HOST_MAX + 1], why[RULE_WHY];
	struct source_line line;
	struct exception parsed;
	struct rule mark = { .action = RULE_ALLOW };

	source_line_init(&line);
	if (!e->o->allow && exception_parse(rule->key.path, &line, host, &parsed, why) == 0 && is_for_everybody(&parsed)) {
		mark.key.host = parsed.host;
		add(e, MARK, &mark, EXACT);
	}
	source_line_fini(&line);
	return EXPORT_ACTION;
}

static enum export_left
take(struct export *e, const struct rule *rule)
{
	enum export_format format = e->o->format;
	enum host_scope scope = rule->key.scope;

	if (rule->action == RULE_EXCEPT)
		return take_exception(e, rule);
	if (format == EXPORT_STIX && rule->kind == RULE_FILE)
		return take_file(e, rule);
	if (rule->kind != RULE_HOST && rule->kind != RULE_URL)
		return EXPORT_KIND;
	if (rule->kind == RULE_URL && !slice_eq(rule->key.path, SLICE("/"))) {
		if (rule->action != (e->o->allow ? RULE_BLOCK : RULE_ALLOW))
			return EXPORT_KIND;
		return take_mark(e, rule, rule->key.path);
	}
	if (!says(format, rule->action, e->o->allow))
		return take_mark(e, rule, SLICE("/"));
	if (!e->wanted)
		return EXPORT_UNWANTED;
	if (!can_stand(format, scope, rule->key.host))
		return EXPORT_TEXT;
	if (format == EXPORT_RPZ && scope == SCOPE_DOMAIN)
		return take_both(e, rule);
	if (format == EXPORT_HOSTS && scope == SCOPE_DOMAIN && e->o->apex)
		return take_row(e, rule, EXACT);
	if ((format == EXPORT_HOSTS && scope != SCOPE_EXACT) || (format == EXPORT_DSTDOMAIN && scope == SCOPE_BELOW))
		return EXPORT_SCOPE;
	return take_row(e, rule, letter(scope));
}

/* ---- the first time: what lies below comes first ---- */

/* The last hosts with a mark, and the one before. */
struct marks {
	struct buf	last, before;	/* turned keys */
	bool		any, any_before;
	bool		exact;		/* what is marked of LAST is the host alone */
};

static void
note_mark(struct marks *m, struct slice key, int scope)
{
	if (m->any && slice_eq(buf_slice(&m->last), key)) {
		m->exact = m->exact && scope == EXACT;
		return;
	}
	buf_reset(&m->before);
	buf_add_slice(&m->before, buf_slice(&m->last));
	m->any_before = m->any;
	buf_reset(&m->last);
	buf_add_slice(&m->last, key);
	m->any = true;
	m->exact = scope == EXACT;
}

/* A part of what a row of KEY and SCOPE says is marked. */
static bool
is_marked(const struct marks *m, struct slice key, int scope)
{
	struct slice last = buf_slice(&m->last), before = buf_slice(&m->before);
	bool here = m->any && slice_eq(last, key);

	if (scope == EXACT)
		return here;
	if (here && (scope == DOMAIN || !m->exact))
		return true;
	return here ? m->any_before && slice_starts(before, key) : m->any && slice_starts(last, key);
}

/* Take a sorted RECORD apart. */
static struct slice
key_of(struct slice record, char end, struct slice *rest)
{
	struct slice key;

	slice_cut(record, end, &key, rest);
	return key;
}

static int
keep(struct export *e, struct sorter *kept, struct marks *m, struct slice record)
{
	struct slice rest, key = key_of(record, (char)END_TURNED, &rest);

	if (rest.len < 3)
		return 0;
	if (rest.p[0] == MARK) {
		note_mark(m, key, rest.p[1]);
		return m->last.failed || m->before.failed ? (errno = ENOMEM, -1) : 0;
	}
	/* An allow within an allow, or a block within a block, takes nothing away. */
	if (rest.p[2] != (e->o->allow ? 'b' : 'a') && is_marked(m, key, rest.p[1])) {
		e->counts->left[EXPORT_WIDER]++;
		return 0;
	}
	buf_reset(&e->row);
	buf_add_slice(&e->row, key);
	for (size_t i = 0; i < e->row.len; i++)
		e->row.p[i] = (char)~(unsigned char)e->row.p[i];
	buf_add_char(&e->row, '\0');
	buf_add_slice(&e->row, slice_skip(rest, 1));
	return e->row.failed ? (errno = ENOMEM, -1) : sorter_add(kept, buf_slice(&e->row));
}

/* What survives, in KEPT, sorted. */
static int
keep_all(struct export *e, struct sorter *kept)
{
	struct marks m = { .any = false };
	struct slice record;
	int r;

	buf_init(&m.last, HOST_MAX * 2);
	buf_init(&m.before, HOST_MAX * 2);
	while ((r = sorter_next(e->sorter, &record)) == 1)
		if ((r = keep(e, kept, &m, record)) != 0)
			break;
	buf_fini(&m.last);
	buf_fini(&m.before);
	return r != 0 ? -1 : sorter_sort(kept);
}

/* ---- the second time: what is written ---- */

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
	struct slice rest, key = key_of(record, '\0', &rest);
	struct row row = { .scope = rest.len < 2 ? EXACT : rest.p[0], .allows = rest.len >= 2 && rest.p[1] == 'a' };

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
	return b->key.failed || b->domain.failed || e->id.failed ? (errno = ENOMEM, -1) : export_flush(e, false);
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

static int
write_hosts(struct export *e)
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
	r = keep_all(e, kept) == -1 ? -1 : write_all(e, kept);
	if (e->o->format == EXPORT_STIX)
		buf_add_str(&e->text, "\n]}\n");
	sorter_free(kept);
	return r;
}

const struct export_form export_form_hosts = { take, write_hosts };
