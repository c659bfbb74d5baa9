#include "ruleset/exception.h"

#include <stdio.h>

enum { USER_MAX = 256, ID_MAX = 4096 };

static const char *const key_names[EXCEPTION_KEYS] = { "client", "user", "host" };

const char *
exception_key_name(enum exception_key key)
{
	return key_names[key];
}

static int
refuse(char *why, const char *text)
{
	snprintf(why, RULE_WHY, "%s", text);
	return -1;
}

/* ID is "SOURCE:LINE": another rule has that name as soon as a line is added above.  A row of a feed, "SOURCE/VALUE", may have any
 * colon in it. */
static bool
is_named_by_line(struct slice id)
{
	struct slice source, line;
	uint64_t n;

	return slice_cut(id, ':', &source, &line) && slice_find(source, '/') == source.len && slice_u64(line, &n) == 0;
}

static int
take_rule(struct slice value, struct exception *out, char *why)
{
	struct slice rev, id;
	uint64_t n = 0;

	*out = (struct exception){ .rev = 0 };
	if (!slice_cut(value, ':', &rev, &id) || (!slice_eq(rev, SLICE("*")) && (slice_u64(rev, &n) == -1 || n == 0 || n > INT32_MAX)))
		return refuse(why, "expected REVISION:RULE, such as 2:alert-19190:file-1; * is any revision");
	if (id.len == 0 || id.len > ID_MAX || (slice_find(id, ':') == id.len && slice_find(id, '/') == id.len))
		return refuse(why, "expected the rule as events name it, such as alert-19190:file-1");
	out->rev = (uint32_t)n;
	out->id = id;
	return 0;
}

int
exception_take_rule(struct slice value, struct exception *out, char why[static RULE_WHY])
{
	if (take_rule(value, out, why) == -1)
		return -1;
	return is_named_by_line(out->id) ? refuse(why, "the rule is named by its line, which moves: give it an id= first") : 0;
}

static int
take_host(struct slice value, char host[static HOST_MAX + 1], struct exception *out, char *why)
{
	size_t len;

	if (host_canonical(value, host, &len, NULL) != URL_OK)
		return refuse(why, "no host");
	out->host = slice_make(host, len);
	return 0;
}

int
exception_take_key(enum exception_key key, struct slice value, char host[static HOST_MAX + 1], struct exception *out,
    char why[static RULE_WHY])
{
	enum pseudonym_kind kind;
	bool token = pseudonym_is_token(value, &kind);

	if (token && (slice_ieq(value, slice_str(pseudonym_unavailable(kind))) ||
	    kind != (key == EXCEPTION_USER ? PSEUDONYM_USER : PSEUDONYM_CLIENT)) && key != EXCEPTION_HOST)
		return refuse(why, "that pseudonym stands for nobody, or for somebody of another kind");
	switch (key) {
	case EXCEPTION_CLIENT:
		if (token)
			out->client_token = value;
		else if (network_parse(value, &out->client) != NETWORK_OK)
			return refuse(why, "no address, such as 192.0.2.7, and no network, such as 192.0.2.0/24");
		out->has_client = true;
		return 0;
	case EXCEPTION_USER:
		if (value.len == 0 || (value.len > USER_MAX && !token))
			return refuse(why, "expected a user's name of at most 256 bytes");
		out->user = value;
		out->user_is_token = token;
		return 0;
	case EXCEPTION_HOST:
		return take_host(value, host, out, why);
	case EXCEPTION_KEYS:
		break;
	}
	return refuse(why, "no key of an exception");
}

/* The key that W has; EXCEPTION_KEYS when it is none. */
static enum exception_key
key_of(const struct word *w)
{
	enum exception_key key = 0;

	while (key < EXCEPTION_KEYS && !slice_eq(w->key, slice_str(key_names[key])))
		key++;
	return key;
}

int
exception_parse(struct slice text, struct source_line *line, char host[static HOST_MAX + 1], struct exception *out,
    char why[static RULE_WHY])
{
	unsigned seen = 0;

	if (source_line_split(line, NULL, 0, text, NULL) == -1 || line->n == 0 || line->words[0].key.len > 0)
		return refuse(why, "expected REVISION:RULE and client=, user= or host=");
	/* What is published already was read by those of before. */
	if (take_rule(line->words[0].value, out, why) == -1)
		return -1;
	for (size_t i = 1; i < line->n; i++) {
		enum exception_key key = key_of(&line->words[i]);

		if (key == EXCEPTION_KEYS || seen & 1u << key)
			return refuse(why, "expected client=, user= and host=, each once");
		if (exception_take_key(key, line->words[i].value, host, out, why) == -1)
			return -1;
		seen |= 1u << key;
	}
	return 0;
}

static void
add_key(struct buf *out, enum exception_key key, struct slice value)
{
	if (value.len == 0)
		return;
	buf_add_strs(out, " ", key_names[key], "=", NULL);
	source_line_quote(value, out);
}

int
exception_format(const struct exception *e, struct buf *out)
{
	char client[NETWORK_TEXT] = "";
	struct buf rule;

	buf_init(&rule, ID_MAX + 32);
	if (e->rev == 0)
		buf_add_char(&rule, '*');
	else
		buf_add_number(&rule, e->rev);
	buf_add_char(&rule, ':');
	buf_add_slice(&rule, e->id);
	out->failed |= rule.failed;
	source_line_quote(buf_slice(&rule), out);
	buf_fini(&rule);
	if (e->has_client && e->client_token.len == 0)
		network_format(&e->client, client);
	add_key(out, EXCEPTION_CLIENT, e->client_token.len > 0 ? e->client_token : slice_str(client));
	add_key(out, EXCEPTION_USER, e->user);
	add_key(out, EXCEPTION_HOST, e->host);
	return out->failed ? -1 : 0;
}

static bool
is_user(const struct exception *e, const struct asker *asker)
{
	if (e->user_is_token)
		return pseudonym_is(asker->pseudonyms, e->user, PSEUDONYM_USER, asker->user);
	return e->user.len == 0 || slice_eq(e->user, asker->user);
}

static bool
is_client(const struct exception *e, const struct asker *asker)
{
	struct network client;

	if (e->client_token.len > 0)
		return pseudonym_is(asker->pseudonyms, e->client_token, PSEUDONYM_CLIENT, asker->client);
	return !e->has_client || (network_parse(asker->client, &client) == NETWORK_OK && network_contains(&e->client, &client));
}

bool
exception_holds(const struct exception *e, uint32_t rev, const struct asker *asker)
{
	if (e->rev != 0 && e->rev != rev)
		return false;
	if (!e->has_client && e->user.len == 0 && e->host.len == 0)
		return true;
	return asker != NULL && (e->host.len == 0 || slice_eq(e->host, asker->host)) && is_user(e, asker) && is_client(e, asker);
}
