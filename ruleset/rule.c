#include "ruleset/rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hashdb/hashdb.h"
#include "ruleset/exception.h"
#include "url_rules/name_table.h"
#include "url_rules/path_pattern.h"

static const char *const action_names[] = { "block", "allow", "protect", "except" };
static const char *const kind_names[] = { "host", "url", "file", "path", "address", "rule" };
static const char *const scope_marks[] = { [SCOPE_EXACT] = "", [SCOPE_DOMAIN] = ".", [SCOPE_BELOW] = "*." };

bool
rule_is_canary(const struct rule *rule)
{
	return rule->action == RULE_BLOCK && slice_eq(rule->source, SLICE(RULE_CANARIES));
}

const char *
rule_action_name(enum rule_action a)
{
	return action_names[a];
}

const char *
rule_kind_name(enum rule_kind k)
{
	return kind_names[k];
}

/* A refusal: the reason, and the byte of the value where it shows. */
static int
refuse(char *why, size_t *at, size_t where, const char *text)
{
	snprintf(why, RULE_WHY, "%s", text);
	*at = where;
	return -1;
}

/* Take ".", "*." off VALUE. */
static enum host_scope
take_scope(struct slice *value)
{
	enum host_scope scope = slice_starts(*value, SLICE("*.")) ? SCOPE_BELOW :
	    slice_starts(*value, SLICE(".")) ? SCOPE_DOMAIN : SCOPE_EXACT;

	*value = slice_skip(*value, strlen(scope_marks[scope]));
	return scope;
}

/* What is no host even where a canonical form can be made of it: a rule is written by a person, who may have
 * mistyped. */
static int
check_host(const struct rule_match *m, char *why, size_t *at, size_t where)
{
	struct slice host = slice_make(m->host, m->host_len);

	if (slice_find(host, '%') < host.len)
		return refuse(why, at, where, "has a byte that no host has");
	if (slice_find(host, '*') < host.len)
		return refuse(why, at, where, "* stands only at the start, as \"*.\"");
	if (m->scope != SCOPE_EXACT && m->host_kind != HOST_NAME)
		return refuse(why, at, where, "nothing lies below an address");
	return 0;
}

static int
parse_host(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	size_t mark, bad = 0;
	enum url_error e;

	out->scope = take_scope(&value);
	mark = strlen(scope_marks[out->scope]);
	while (bad < value.len && strchr("/\\?#@ ", value.p[bad]) == NULL)
		bad++;
	if (bad < value.len)
		return refuse(why, at, mark + bad, "a host has no path, user or blank; "
		    "a rule for a path is \"url\"");
	if (value.len > 0 && value.p[0] == '.')
		return refuse(why, at, mark, "begins with two dots");
	if ((e = host_canonical(value, out->host, &out->host_len, &out->host_kind)) != URL_OK)
		return refuse(why, at, mark, e == URL_NO_HOST ? "no host" : "no name and no address");
	if (out->host_kind == HOST_NAME && slice_find(value, ':') < value.len)
		return refuse(why, at, mark + slice_find(value, ':'), "a host rule has no port");
	return check_host(out, why, at, mark);
}

/* Bytes of "scheme://" that VALUE begins with. */
static size_t
scheme_len(struct slice value)
{
	size_t at = slice_search(value, SLICE("://"));

	for (size_t i = 0; i < at && at < value.len; i++)
		if (!ascii_is_alpha(value.p[i]))
			return 0;
	return at < value.len ? at + 3 : 0;
}

static int
parse_url(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	size_t skip = scheme_len(value);
	struct slice rest = slice_skip(value, skip), path;
	enum url_error e;
	struct url u;

	out->scope = take_scope(&rest);
	skip = value.len - rest.len;
	if (slice_find(rest, '/') == rest.len && slice_find(rest, '?') == rest.len)
		return refuse(why, at, value.len, "has no path; a rule for a whole host is \"host\"");
	if (rest.len > 0 && rest.p[0] == '/')
		return refuse(why, at, skip, "no host");
	if ((e = url_parse(&u, rest)) != URL_OK)
		return refuse(why, at, skip, url_strerror(e));
	memcpy(out->host, u.host.p, u.host.len);
	out->host[u.host.len] = '\0';
	out->host_len = u.host.len;
	out->host_kind = u.kind;
	/* A prefix of a query ends at a border already, so that these add nothing and would match nothing. */
	for (path = u.path_query; slice_find(path, '?') < path.len && strchr("?&", path.p[path.len - 1]) != NULL;)
		path.len--;
	out->path = slice_dup(path);
	url_fini(&u);
	if (out->path == NULL)
		return refuse(why, at, 0, "out of memory");
	return check_host(out, why, at, skip);
}

/* "name:PATTERN" of VALUE, which begins at AT there. */
static int
parse_name(struct slice value, struct slice pattern, struct rule_match *out, char *why, size_t *at)
{
	char canonical[NAME_PATTERN_MAX], reason[NAME_PATTERN_WHY];
	size_t begin = (size_t)(pattern.p - value.p), len;
	struct name_pattern p;

	if (name_pattern_parse(pattern, &p, reason, at) == -1)
		return refuse(why, at, begin + *at, reason);
	if (out->size == NAME_SIZE_ANY && name_pattern_literal(&p) < NAME_LITERAL_MIN)
		return refuse(why, at, begin, "for files of any size the name needs 4 bytes of its own before its ending");
	if (name_pattern_format(&p, canonical, &len) == -1)
		return refuse(why, at, begin, "is longer than 512 bytes");
	out->path = slice_dup(slice_make(canonical, len));
	return out->path == NULL ? refuse(why, at, 0, "out of memory") : 0;
}

static int
parse_file(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	struct slice size, alg, hex, rest;

	if (!slice_cut(value, ':', &size, &rest) || !slice_cut(rest, ':', &alg, &hex))
		return refuse(why, at, 0, "expected SIZE:ALGORITHM:DIGEST, such as 90112:md5:9abc..., or SIZE:name:PATTERN; * is any size");
	out->size = HASHDB_SIZE_ANY;
	if (!slice_eq(size, SLICE("*")) && (slice_u64(size, &out->size) == -1 || out->size == 0 ||
	    out->size > HASHDB_SIZE_MAX))
		return refuse(why, at, 0, "the size is no number of bytes from 1 to 1099511627775, and not *");
	if (slice_eq(alg, SLICE("name")))
		return parse_name(value, hex, out, why, at);
	if (digest_alg_parse(alg, &out->digest.alg) == -1)
		return refuse(why, at, (size_t)(alg.p - value.p), "the algorithm is not md5, sha1 or sha256, and not name");
	if (digest_parse(out->digest.alg, hex, &out->digest) == -1) {
		snprintf(why, RULE_WHY, "the digest has %zu characters and must be %zu hexadecimal digits", hex.len,
		    2 * digest_len(out->digest.alg));
		*at = (size_t)(hex.p - value.p);
		return -1;
	}
	return 0;
}

/* A pattern begins with the first / or ~; what stands before it is a host. */
static int
parse_path(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	size_t skip = scheme_len(value), end, len;
	struct slice rest = slice_skip(value, skip), pattern;
	char canonical[PATTERN_MAX], reason[PATTERN_WHY];

	end = slice_find(rest, '~') < slice_find(rest, '/') ? slice_find(rest, '~') : slice_find(rest, '/');
	if (end == rest.len)
		return refuse(why, at, value.len, "has no pattern; one begins with / or, as a regular expression, with ~");
	if ((end > 0 || skip > 0) && parse_host(slice_head(rest, end), out, why, at) == -1) {
		*at += skip;
		return -1;
	}
	if (slice_find(slice_make(out->host, out->host_len), '~') < out->host_len)
		return refuse(why, at, skip, "a host with ~ would begin a regular expression");
	pattern = slice_skip(rest, end);
	if (pattern_canonical(pattern, out->host_len == 0, canonical, &len, reason, at) == -1)
		return refuse(why, at, skip + end + *at, reason);
	out->path = slice_dup(slice_make(canonical, len));
	return out->path == NULL ? refuse(why, at, 0, "out of memory") : 0;
}

static int
parse_network(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	size_t slash = slice_find(value, '/');
	char network[NETWORK_TEXT];

	switch (network_parse(value, &out->network)) {
	case NETWORK_OK:
		network_format(&out->network, out->host);
		out->host_len = strlen(out->host);
		out->host_kind = out->network.kind;
		return 0;
	case NETWORK_BAD_ADDRESS:
		return refuse(why, at, 0, "no address, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32");
	case NETWORK_BAD_LENGTH:
		return refuse(why, at, slash + 1, "the prefix length is no number from 0 to 32, or 128 for IPv6");
	case NETWORK_HOST_BITS:
		break;
	}
	network_format(&out->network, network);
	snprintf(why, RULE_WHY, "has bits set beyond its prefix; the network is %s, the address alone %.*s", network,
	    SLICE_ARGS(slice_head(value, slash)));
	*at = 0;
	return -1;
}

static int
parse_exception(struct slice value, struct rule_match *out, char *why, size_t *at)
{
	char host[HOST_MAX + 1];
	struct source_line line;
	struct exception e;
	struct buf text;
	int r;

	*at = 0;
	source_line_init(&line);
	buf_init(&text, SOURCE_LINE_MAX);
	if ((r = exception_parse(value, &line, host, &e, why)) == 0 &&
	    (exception_format(&e, &text) == -1 || (out->path = slice_dup(buf_slice(&text))) == NULL))
		r = refuse(why, at, 0, "out of memory");
	buf_fini(&text);
	source_line_fini(&line);
	return r;
}

int
rule_match_parse(enum rule_kind kind, struct slice value, struct rule_match *out, char why[static RULE_WHY],
    size_t *at)
{
	int r = -1;

	out->path = NULL;
	out->host_len = 0;
	out->size = 0;
	out->scope = SCOPE_EXACT;
	out->host_kind = HOST_NAME;
	switch (kind) {
	case RULE_HOST:
		r = parse_host(value, out, why, at);
		break;
	case RULE_URL:
		r = parse_url(value, out, why, at);
		break;
	case RULE_FILE:
		r = parse_file(value, out, why, at);
		break;
	case RULE_PATH:
		r = parse_path(value, out, why, at);
		break;
	case RULE_ADDRESS:
		r = parse_network(value, out, why, at);
		break;
	case RULE_RULE:
		r = parse_exception(value, out, why, at);
		break;
	}
	if (r == -1)
		rule_match_fini(out);
	return r;
}

void
rule_match_fini(struct rule_match *m)
{
	free(m->path);
	m->path = NULL;
}

struct rule_key
rule_match_key(const struct rule_match *m)
{
	return (struct rule_key){ .scope = m->scope, .host = slice_make(m->host, m->host_len), .path = slice_str(m->path),
		.network = m->network, .digest = m->path == NULL ? &m->digest : NULL, .size = m->size };
}

static int
format_file(const struct rule_key *key, struct buf *out)
{
	char hex[DIGEST_MAX_HEX + 1];

	if (key->size == HASHDB_SIZE_ANY)
		buf_add_char(out, '*');
	else
		buf_addf(out, "%" PRIu64, key->size);
	if (key->digest == NULL)
		return buf_add_strs(out, ":name:", NULL) == -1 ? -1 : buf_add_slice(out, key->path);
	digest_format(key->digest, hex);
	return buf_addf(out, ":%s:%s", digest_alg_name(key->digest->alg), hex);
}

static int
format_key(enum rule_kind kind, const struct rule_key *key, struct buf *out)
{
	char network[NETWORK_TEXT];

	if (kind == RULE_FILE)
		return format_file(key, out);
	if (kind == RULE_ADDRESS) {
		network_format(&key->network, network);
		return buf_add_str(out, network);
	}
	buf_add_str(out, scope_marks[key->scope]);
	buf_add_slice(out, key->host);
	return kind == RULE_URL || kind == RULE_PATH || kind == RULE_RULE ? buf_add_slice(out, key->path) : out->failed ? -1 : 0;
}

int
rule_match_format(enum rule_kind kind, const struct rule_match *m, struct buf *out)
{
	struct rule_key key = rule_match_key(m);

	return format_key(kind, &key, out);
}

int
rule_value_format(const struct rule *rule, struct buf *out)
{
	return rule->value.len > 0 ? buf_add_slice(out, rule->value) : format_key(rule->kind, &rule->key, out);
}

int
rule_id_format(const struct rule *rule, struct buf *out)
{
	if (rule->id.len > 0)
		return buf_add_slice(out, rule->id);
	buf_add_slice(out, rule->source);
	if (rule->label.len == 0 && rule->line == 0) {
		buf_add_char(out, '/');
		return rule_value_format(rule, out);
	}
	buf_add_char(out, ':');
	return rule->label.len > 0 ? buf_add_slice(out, rule->label) : buf_add_number(out, rule->line);
}
