/* A response policy zone as a file (draft-vixie-dnsop-dns-rpz; RFC 1035 5.1 for its form).
 *
 *	$ORIGIN rpz.example.
 *	@			SOA ...			the zone: what owners are relative to
 *	bad.example		CNAME .			block bad.example itself
 *	*.bad.example		CNAME .			block what is below
 *	good.example		CNAME rpz-passthru.	allow
 *	32.1.2.0.192.rpz-ip	CNAME .			an address */
#include "feeds/feed_part.h"

#include "base/count.h"

enum {
	WORDS_MAX = 8,
	OPEN_MAX = 32,		/* lines that a parenthesis may span: a broken one must not swallow the zone */
};

/* A DNS name without its last dot. */
struct dns_name {
	size_t	len;
	char	p[HOST_MAX + 1];
};

enum trigger_kind { TRIGGER_NONE, TRIGGER_NAME, TRIGGER_APEX, TRIGGER_OUTSIDE };

struct rpz_state {
	bool			has_origin, has_zone;
	bool			lost;			/* relative to what is not known */
	unsigned		open;			/* lines since a parenthesis was opened; 0 = none is */
	struct dns_name		origin, zone;
	enum trigger_kind	kind;			/* of the owner, which counts until the next one */
	struct dns_name		trigger;		/* the owner, without the zone */
};

/* ---- names ---- */

static struct slice
name_slice(const struct dns_name *n)
{
	return slice_make(n->p, n->len);
}

/* N = HEAD "." TAIL, or the one that is not empty; -1 when it is too long. */
static int
set_name(struct dns_name *n, struct slice head, struct slice tail)
{
	size_t dot = head.len > 0 && tail.len > 0;

	if (head.len + dot + tail.len > HOST_MAX)
		return -1;
	/* TAIL may be a part of N. */
	if (tail.len > 0)
		memmove(n->p + head.len + dot, tail.p, tail.len);
	if (head.len > 0)
		memcpy(n->p, head.p, head.len);
	if (dot > 0)
		n->p[head.len] = '.';
	n->len = head.len + dot + tail.len;
	return 0;
}

static bool
is_absolute(struct slice name)
{
	return slice_ends(name, SLICE("."));
}

/* NAME as it stands, made absolute, without its last dot; -1 when what it is relative to is not known, or it is too long. */
static int
make_absolute(const struct rpz_state *z, struct slice name, struct dns_name *out)
{
	if (is_absolute(name))
		return set_name(out, slice_head(name, name.len - 1), SLICE(""));
	if (!z->has_origin || z->lost)
		return -1;
	return set_name(out, slice_eq(name, SLICE("@")) ? SLICE("") : name, name_slice(&z->origin));
}

/* The part of ABSOLUTE that stands left of the zone. */
static enum trigger_kind
trigger_of(const struct rpz_state *z, struct slice absolute, struct slice *trigger)
{
	struct slice zone = name_slice(&z->zone), tail;

	if (!z->has_zone || absolute.len < zone.len)
		return TRIGGER_OUTSIDE;
	tail = slice_skip(absolute, absolute.len - zone.len);
	if (!slice_ieq(tail, zone))
		return TRIGGER_OUTSIDE;
	if (absolute.len == zone.len)
		return TRIGGER_APEX;
	*trigger = slice_head(absolute, absolute.len - zone.len);
	if (zone.len > 0 && !is_absolute(*trigger))
		return TRIGGER_OUTSIDE;		/* "evilrpz.example" under "rpz.example" */
	trigger->len -= zone.len > 0;
	return trigger->len > 0 ? TRIGGER_NAME : TRIGGER_OUTSIDE;
}

/* The origin is the zone itself, as far as we know. */
static bool
is_at_zone(const struct rpz_state *z)
{
	return !z->has_origin || (z->has_zone && slice_ieq(name_slice(&z->origin), name_slice(&z->zone)));
}

/* OWNER is the owner from here on. */
static void
set_owner(struct rpz_state *z, struct slice owner)
{
	struct slice trigger = owner;
	struct dns_name absolute;

	z->kind = TRIGGER_OUTSIDE;
	if (!is_absolute(owner) && !z->lost && is_at_zone(z))
		z->kind = slice_eq(owner, SLICE("@")) ? TRIGGER_APEX : TRIGGER_NAME;
	else if (make_absolute(z, owner, &absolute) == 0)
		z->kind = trigger_of(z, name_slice(&absolute), &trigger);
	if (z->kind == TRIGGER_NAME && set_name(&z->trigger, trigger, SLICE("")) == -1)
		z->kind = TRIGGER_OUTSIDE;
}

/* OWNER, who has the SOA, is the zone; and the origin where none was said. */
static void
set_zone(struct rpz_state *z, struct slice owner)
{
	if (make_absolute(z, owner, &z->zone) == -1)
		return;
	z->has_zone = true;
	if (!z->has_origin)
		z->origin = z->zone;
	z->has_origin = true;
}

/* "$ORIGIN name": the first one is the zone, until an SOA says otherwise. */
static int
read_origin(struct feed *f, struct slice name)
{
	struct rpz_state *z = f->state;
	struct dns_name absolute;

	if (name.len == 0 || make_absolute(z, name, &absolute) == -1) {
		z->lost = true;
		return feed_bad(f, 1, "the names below are relative to a name that is not known");
	}
	z->lost = false;
	z->has_origin = true;
	z->origin = absolute;
	if (!z->has_zone && absolute.len > 0) {
		z->has_zone = true;
		z->zone = absolute;
	}
	return 0;
}

/* ---- words ---- */

/* The length of the word that S begins with: quotes keep together what is between them. */
static size_t
word_len(struct slice s)
{
	bool quoted = false;
	size_t n = 0;

	for (; n < s.len; n++) {
		if (s.p[n] == '"')
			quoted = !quoted;
		else if (!quoted && (ascii_is_space(s.p[n]) || strchr(";()", s.p[n]) != NULL) && s.p[n] != '\0')
			break;
	}
	return n;
}

/* Cut LINE into words up to its comment; how many, of which WORDS_MAX are kept.  Parentheses are blanks that keep the next lines
 * with this one. */
static size_t
split_words(struct rpz_state *z, struct slice line, struct slice words[static WORDS_MAX])
{
	size_t n = 0, len;

	while (line.len > 0 && line.p[0] != ';') {
		if ((len = word_len(line)) > 0) {
			if (n < WORDS_MAX)
				words[n] = slice_head(line, len);
			n++;
		} else {
			if (line.p[0] == '(')
				z->open = 1;
			if (line.p[0] == ')')
				z->open = 0;
			len = 1;
		}
		line = slice_skip(line, len);
	}
	return n;
}

static bool
is_ttl(struct slice word)
{
	if (!ascii_is_digit(word.p[0]))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (!ascii_is_digit(word.p[i]) && strchr("smhdwSMHDW", word.p[i]) == NULL)
			return false;
	return true;
}

static bool
is_class(struct slice word)
{
	return slice_ieq(word, SLICE("IN")) || slice_ieq(word, SLICE("CH")) || slice_ieq(word, SLICE("HS"));
}

/* ---- records ---- */

/* Triggers that are no name that is asked for. */
static bool
is_other_trigger(struct slice name)
{
	static const char *const others[] = { ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname" };

	for (size_t i = 0; i < COUNT(others); i++) {
		struct slice tail = slice_str(others[i]);

		if (name.len >= tail.len && slice_ieq(slice_skip(name, name.len - tail.len), tail))
			return true;
	}
	return false;
}

static bool
is_address_trigger(struct slice name)
{
	struct slice tail = SLICE(".rpz-ip");

	return name.len > tail.len && slice_ieq(slice_skip(name, name.len - tail.len), tail);
}

/* What a CNAME to TARGET means; false when it is an answer of some other kind. */
static bool
action_of(struct slice target, enum rule_action block, enum rule_action *action)
{
	static const char *const blocks[] = { ".", "*.", "rpz-drop." };

	*action = slice_ieq(target, SLICE("rpz-passthru.")) ? RULE_ALLOW : block;
	return *action == RULE_ALLOW || feed_is_one_of(target, blocks, COUNT(blocks));
}

/* A rule for TRIGGER, a name that is asked for.  An address among them is a name that nobody asks for. */
static int
read_name(struct feed *f, struct cell trigger)
{
	struct slice below = slice_skip(trigger.text, slice_starts(trigger.text, SLICE("*.")) ? 2 : 0);

	if (slice_find(below, '*') < below.len)
		return feed_skip(f);
	if (slice_starts(trigger.text, SLICE(".")))
		return feed_bad(f, trigger.col, "the owner begins with a dot");
	if (feed_parse(f, RULE_HOST, trigger) == -1)
		return 0;
	if (f->match.host_kind != HOST_NAME)
		return feed_skip(f);
	return feed_emit(f, RULE_HOST, trigger.col, SLICE(""));
}

/* The owner's CNAME to TARGET. */
static int
read_cname(struct feed *f, struct slice target, unsigned col)
{
	const struct rpz_state *z = f->state;
	struct cell trigger = { name_slice(&z->trigger), col };

	if (z->kind == TRIGGER_OUTSIDE || z->kind == TRIGGER_NONE)
		return feed_bad(f, col, "the owner is not in the zone, or the zone's name is not known");
	if (z->kind == TRIGGER_APEX || is_other_trigger(trigger.text) || !action_of(target, f->options.action, &f->action))
		return feed_skip(f);
	return is_address_trigger(trigger.text) ? feed_address(f, trigger) : read_name(f, trigger);
}

/* A record of TYPE, of which DATA are the N words behind. */
static int
read_record(struct feed *f, struct slice owner, struct slice type, const struct slice *data, size_t n)
{
	if (slice_ieq(type, SLICE("SOA"))) {
		if (owner.len > 0)
			set_zone(f->state, owner);
		return 0;
	}
	if (slice_ieq(type, SLICE("NS")))
		return 0;
	if (!slice_ieq(type, SLICE("CNAME")))
		return feed_skip(f);
	if (n != 1)
		return feed_bad(f, feed_col(f, type.p), "expected CNAME and one name");
	return read_cname(f, data[0], owner.len > 0 ? feed_col(f, owner.p) : 1);
}

/* The rest of a record of N words, of which WORDS_MAX were kept, from the one at I. */
static int
read_words(struct feed *f, struct slice owner, const struct slice *words, size_t n, size_t i)
{
	size_t kept = n < WORDS_MAX ? n : WORDS_MAX;

	while (i < kept && (is_ttl(words[i]) || is_class(words[i])))
		i++;
	if (i == kept)
		return feed_bad(f, 1, "expected OWNER [TTL] [CLASS] TYPE DATA");
	return read_record(f, owner, words[i], &words[i + 1], n > kept ? WORDS_MAX : n - i - 1);
}

static int
read_directive(struct feed *f, const struct slice *words, size_t n)
{
	if (slice_ieq(words[0], SLICE("$ORIGIN")))
		return read_origin(f, n == 2 ? words[1] : SLICE(""));
	return slice_ieq(words[0], SLICE("$TTL")) ? 0 : feed_skip(f);
}

/* A line within a parenthesis; what is in there is no record that counts. */
static int
read_continued(struct feed *f, struct slice line)
{
	struct rpz_state *z = f->state;
	struct slice ignored[WORDS_MAX];
	unsigned open = z->open;

	split_words(z, line, ignored);
	if (z->open == 0)
		return 0;
	z->open = open + 1;
	if (open < OPEN_MAX)
		return 0;
	z->open = 0;
	return feed_bad(f, 1, "a parenthesis is not closed within %d lines", OPEN_MAX);
}

int
feed_read_rpz(struct feed *f, struct slice line)
{
	struct rpz_state *z = f->state;
	struct slice words[WORDS_MAX];
	size_t n;

	if (z->open > 0)
		return read_continued(f, line);
	if ((n = split_words(z, line, words)) == 0)
		return 0;
	if (words[0].p[0] == '$')
		return read_directive(f, words, n);
	if (ascii_is_space(line.p[0]))
		return read_words(f, SLICE(""), words, n, 0);
	set_owner(z, words[0]);
	return read_words(f, words[0], words, n, 1);
}

static void
end(struct feed *f)
{
	struct rpz_state *z = f->state;

	if (z->open > 0)
		feed_bad(f, 0, "the file ends within a parenthesis");
	z->open = 0;
}

const struct feed_kept feed_kept_rpz = { sizeof(struct rpz_state), end };
