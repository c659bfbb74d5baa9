#include "exports/export_part.h"

#include <errno.h>

#include "base/count.h"

enum { ID_SHOWN = 200 };

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

/* HOST's labels from the right; export_name_text.c turns them back. */
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

const struct export_form export_form_names = { take, export_write_names };
