#include "ruleset/stored_rule.h"

#include <errno.h>

/* The first byte has the action and these; the second is the level. */
enum { SAYS_LOCAL = 4, SAYS_FILES = 8, SAYS_MORE = 16, SAYS_ENDS_FILES = 32, SAYS_ACTION = 3 };

/* What few rows of feeds have: SAYS_MORE.  Its texts follow. */
struct more {
	int64_t		published, expires;
	uint32_t	rev, line;
};

static int
add_text(struct buf *out, struct slice text)
{
	uint32_t len = (uint32_t)text.len;

	buf_add(out, &len, sizeof(len));
	return buf_add_slice(out, text);
}

static int
take(struct slice *at, void *out, size_t len)
{
	if (at->len < len)
		return -1;
	memcpy(out, at->p, len);
	*at = slice_skip(*at, len);
	return 0;
}

static int
take_text(struct slice *at, struct slice *out)
{
	uint32_t len;

	if (take(at, &len, sizeof(len)) == -1 || at->len < len)
		return -1;
	*out = slice_head(*at, len);
	*at = slice_skip(*at, len);
	return 0;
}

static bool
has_more(const struct rule *rule)
{
	return rule->published != 0 || (rule->expires != RULE_ENDS_HOSTS && rule->expires != RULE_ENDS_FILES) || rule->rev != 1 ||
	    rule->line != 0 || rule->label.len > 0 || rule->alert.len > 0 || rule->container.len > 0 || rule->note.len > 0;
}

static void
add_more(const struct rule *rule, struct buf *out)
{
	struct more more = { .rev = rule->rev, .line = rule->line, .published = rule->published, .expires = rule->expires };

	buf_add(out, &more, sizeof(more));
	add_text(out, rule->label);
	add_text(out, rule->alert);
	add_text(out, rule->container);
	add_text(out, rule->note);
}

int
stored_rule_add_says(const struct rule *rule, struct buf *out)
{
	bool more = has_more(rule);

	if (slice_find(rule->name, '\0') < rule->name.len)
		return errno = EINVAL, -1;
	buf_add_char(out, (char)((unsigned)rule->action | (rule->local ? SAYS_LOCAL : 0) | (rule->files ? SAYS_FILES : 0) |
	    (more ? SAYS_MORE : 0) | (rule->expires == RULE_ENDS_FILES ? SAYS_ENDS_FILES : 0)));
	buf_add_char(out, (char)rule->level);
	if (more)
		add_more(rule, out);
	buf_add_slice(out, rule->name);
	return buf_add_char(out, '\0') == 0 ? 0 : (errno = ENOMEM, -1);
}

static int
take_more(struct slice *at, struct rule *rule)
{
	struct more more;

	if (take(at, &more, sizeof(more)) == -1 || take_text(at, &rule->label) == -1 || take_text(at, &rule->alert) == -1 ||
	    take_text(at, &rule->container) == -1 || take_text(at, &rule->note) == -1)
		return -1;
	rule->rev = more.rev;
	rule->line = more.line;
	rule->published = more.published;
	rule->expires = more.expires;
	return 0;
}

int
stored_rule_take_says(struct slice *at, struct stored_rule *out)
{
	struct rule *rule = &out->rule;
	uint8_t head[2];

	if (take(at, head, sizeof(head)) == -1)
		return -1;
	rule->action = (enum rule_action)(head[0] & SAYS_ACTION);
	rule->local = (head[0] & SAYS_LOCAL) != 0;
	rule->files = (head[0] & SAYS_FILES) != 0;
	rule->level = head[1];
	rule->rev = 1;
	rule->expires = head[0] & SAYS_ENDS_FILES ? RULE_ENDS_FILES : RULE_ENDS_HOSTS;
	if ((head[0] & SAYS_MORE) != 0 && take_more(at, rule) == -1)
		return -1;
	return slice_cut(*at, '\0', &rule->name, at) ? 0 : -1;
}

int
stored_rule_add_match(enum rule_kind kind, const struct rule_key *key, struct buf *out)
{
	buf_add_char(out, (char)kind);
	switch (kind) {
	case RULE_HOST:
	case RULE_URL:
	case RULE_PATH:
		buf_add_char(out, (char)key->scope);
		add_text(out, key->host);
		add_text(out, key->path);
		break;
	case RULE_ADDRESS:
		buf_add_char(out, (char)key->network.kind);
		buf_add_char(out, (char)key->network.bits);
		buf_add(out, key->network.address, sizeof(key->network.address));
		break;
	case RULE_FILE:
		buf_add_char(out, (char)(key->digest == NULL ? DIGEST_ALGS : key->digest->alg));
		buf_add(out, &key->size, sizeof(key->size));
		if (key->digest == NULL)
			add_text(out, key->path);
		else
			buf_add(out, key->digest->b, digest_len(key->digest->alg));
		break;
	case RULE_RULE:
		add_text(out, key->path);
		break;
	}
	return out->failed ? (errno = ENOMEM, -1) : 0;
}

static int
take_file(struct slice *at, struct stored_rule *out)
{
	struct rule_key *key = &out->rule.key;
	uint8_t alg;

	if (take(at, &alg, 1) == -1 || alg > DIGEST_ALGS || take(at, &key->size, sizeof(key->size)) == -1)
		return -1;
	if (alg == DIGEST_ALGS)
		return take_text(at, &key->path);
	out->digest = (struct digest){ .alg = (enum digest_alg)alg };
	key->digest = &out->digest;
	return take(at, out->digest.b, digest_len(out->digest.alg));
}

static int
take_address(struct slice *at, struct network *out)
{
	uint8_t head[2];

	if (take(at, head, sizeof(head)) == -1 || take(at, out->address, sizeof(out->address)) == -1)
		return -1;
	out->kind = (enum host_kind)head[0];
	out->bits = head[1];
	return 0;
}

int
stored_rule_take_match(struct slice *at, struct stored_rule *out)
{
	struct rule_key *key = &out->rule.key;
	uint8_t kind, scope;

	*key = (struct rule_key){ .size = 0 };
	if (take(at, &kind, 1) == -1 || kind > RULE_RULE)
		return -1;
	out->rule.kind = (enum rule_kind)kind;
	switch (out->rule.kind) {
	case RULE_FILE:
		return take_file(at, out);
	case RULE_ADDRESS:
		return take_address(at, &key->network);
	case RULE_RULE:
		return take_text(at, &key->path);
	case RULE_HOST:
	case RULE_URL:
	case RULE_PATH:
		break;
	}
	if (take(at, &scope, 1) == -1 || take_text(at, &key->host) == -1)
		return -1;
	key->scope = (enum host_scope)scope;
	return take_text(at, &key->path);
}
