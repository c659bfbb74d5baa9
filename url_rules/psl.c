#include "url_rules/psl.h"

#include <errno.h>
#include <stdlib.h>

#include <idn2.h>

#include "base/file.h"
#include "url_rules/url.h"

enum { LIST_MAX = 16 << 20, NAMES_MAX = 2 * LIST_MAX };	/* bytes; A-labels are longer than UTF-8 */

enum { PART_ICANN, PART_PRIVATE, PARTS };

/* What is written about a name, three bits for each part of the list. */
enum { RULE_NAME = 1, RULE_WILDCARD = 2, RULE_EXCEPTION = 4, RULE_BITS = 3, RULE_MASK = 7 };

struct suffix_rule {
	uint32_t	at;		/* of the name in NAMES, without "*." and "!" */
	uint16_t	len;
	uint8_t		flags;
};

struct public_suffixes {
	struct buf		 names;
	struct suffix_rule	*rules;	/* sorted by name, each name once */
	size_t			 n, cap;
	size_t			 n_read;
};

/* Where the reader of the list is. */
struct list_reader {
	struct public_suffixes	*list;
	struct diag		*diag;
	const char		*path;
	unsigned		 line;
	int			 part;
};

static struct slice
rule_name(const struct public_suffixes *list, const struct suffix_rule *r)
{
	return slice_make(list->names.p + r->at, r->len);
}

static int
compare_rules(const void *a, const void *b, void *list)
{
	return slice_cmp(rule_name(list, a), rule_name(list, b));
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* Labels of letters, digits, hyphens and underscores, none of them empty. */
static bool
is_name(struct slice s)
{
	if (s.len == 0 || s.len > HOST_MAX || s.p[s.len - 1] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '.' ? i == 0 || s.p[i - 1] == '.' :
		    !ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* NAME in the form that hosts have, in memory of its own; NULL when it has none. */
static char *
canonical_name(struct slice name)
{
	char *copy = slice_dup(name), *ascii = NULL;
	int r;

	if (copy == NULL || is_ascii(name) || memchr(copy, '\0', name.len) != NULL)
		goto done;
	r = idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL);
	free(copy);
	copy = NULL;
	if (r == IDN2_OK)
		copy = slice_dup(slice_str(ascii));
	idn2_free(ascii);
done:
	for (size_t i = 0; copy != NULL && copy[i] != '\0'; i++)
		copy[i] = ascii_lower(copy[i]);
	return copy;
}

static int
add_rule(struct public_suffixes *list, struct slice name, int flags)
{
	struct suffix_rule r = { .at = (uint32_t)list->names.len, .len = (uint16_t)name.len,
		.flags = (uint8_t)flags };

	if (list->n == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 1024;
		struct suffix_rule *rules = realloc(list->rules, cap * sizeof(*rules));

		if (rules == NULL)
			return -1;
		list->rules = rules;
		list->cap = cap;
	}
	if (buf_add_slice(&list->names, name) == -1)
		return -1;
	list->rules[list->n++] = r;
	return 0;
}

/* One rule as it is written.  -1 without memory. */
static int
read_rule(struct list_reader *in, struct slice rule)
{
	struct slice name = rule;
	int flags = RULE_NAME, r = 0;
	char *canonical;

	if (slice_starts(rule, SLICE("*."))) {
		name = slice_skip(rule, 2);
		flags = RULE_WILDCARD;
	} else if (slice_starts(rule, SLICE("!"))) {
		name = slice_skip(rule, 1);
		flags = RULE_EXCEPTION;
	}
	canonical = canonical_name(name);
	/* A name that lost its end at a NUL is shorter than what was written, and no name. */
	if (canonical == NULL || !is_name(slice_str(canonical)) ||
	    (is_ascii(name) && strlen(canonical) != name.len))
		diag_add(in->diag, DIAG_WARNING, in->path, in->line, 0, "not a rule: \"%.*s\"",
		    SLICE_ARGS(rule));
	else if ((r = add_rule(in->list, slice_str(canonical), flags << (RULE_BITS * in->part))) ==
	    0)
		in->list->n_read++;
	free(canonical);
	return r;
}

/* A rule ends at the first blank.  What stands outside the marked parts counts as ICANN's, which is
 * the careful reading of a list without marks. */
static int
read_line(struct list_reader *in, struct slice line)
{
	size_t end = 0;

	in->line++;
	line = slice_trim(line);
	if (slice_starts(line, SLICE("//"))) {
		if (slice_search(line, SLICE("===BEGIN PRIVATE DOMAINS===")) < line.len)
			in->part = PART_PRIVATE;
		else if (slice_search(line, SLICE("===END PRIVATE DOMAINS===")) < line.len)
			in->part = PART_ICANN;
		return 0;
	}
	while (end < line.len && !ascii_is_space(line.p[end]))
		end++;
	return end == 0 ? 0 : read_rule(in, slice_head(line, end));
}

/* Sort, and let each name stand once with all that is written about it. */
static void
sort_rules(struct public_suffixes *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort_r(list->rules, list->n, sizeof(*list->rules), compare_rules, list);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && compare_rules(&list->rules[n - 1], &list->rules[i], list) == 0)
			list->rules[n - 1].flags |= list->rules[i].flags;
		else
			list->rules[n++] = list->rules[i];
	}
	list->n = n;
}

static const char *
read_list(struct list_reader *in, struct slice text)
{
	struct slice line;

	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		if (read_line(in, line) == -1)
			return "out of memory";
	}
	sort_rules(in->list);
	return in->list->n == 0 ? "no rules in the public suffix list" : NULL;
}

struct public_suffixes *
public_suffixes_load(const char *path, struct diag *diag)
{
	struct public_suffixes *list = calloc(1, sizeof(*list));
	struct list_reader in = { .list = list, .diag = diag, .path = path, .part = PART_ICANN };
	const char *fault = "out of memory";
	struct buf text;

	buf_init(&text, LIST_MAX);
	if (list != NULL) {
		buf_init(&list->names, NAMES_MAX);
		fault = file_read(path, &text) == -1 ? strerror(errno)
						     : read_list(&in, buf_slice(&text));
	}
	buf_fini(&text);
	if (fault == NULL)
		return list;
	diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", fault);
	public_suffixes_free(list);
	return NULL;
}

void
public_suffixes_free(struct public_suffixes *list)
{
	if (list == NULL)
		return;
	buf_fini(&list->names);
	free(list->rules);
	free(list);
}

/* What is written about NAME; 0 when nothing. */
static unsigned
flags_of(const struct public_suffixes *list, struct slice name)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = slice_cmp(rule_name(list, &list->rules[mid]), name);

		if (c == 0)
			return list->rules[mid].flags;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

static struct slice
last_label(struct slice host)
{
	size_t at = host.len;

	while (at > 0 && host.p[at - 1] != '.')
		at--;
	return slice_skip(host, at);
}

/* Canonical hosts that end in a number are IPv4 addresses: no top-level domain is one. */
static bool
is_address(struct slice host)
{
	struct slice last = last_label(host);
	uint64_t number;

	return slice_starts(host, SLICE("[")) || slice_u64(last, &number) == 0;
}

/* The public suffix that FLAGS, written about NAME, give; empty when none.  LONGER is NAME with one
 * more label of the host, or empty.  "*.NAME" makes NAME a suffix too: nobody but the registry can
 * own it. */
static struct slice
suffix_by(unsigned flags, struct slice name, struct slice longer)
{
	if (flags & RULE_EXCEPTION) {
		slice_cut(name, '.', NULL, &name);
		return name;
	}
	if ((flags & RULE_WILDCARD) && longer.len > 0)
		return longer;
	return flags != 0 ? name : (struct slice){ 0 };
}

struct suffix_answer
public_suffix(const struct public_suffixes *list, struct slice host)
{
	struct slice found[PARTS] = { 0 }, name = host, longer = { 0 };
	struct suffix_answer answer = { .icann = host, .any = host };

	if (host.len == 0 || is_address(host))
		return answer;
	/* The longest name that is written about decides, each part for itself. */
	do {
		unsigned flags = flags_of(list, name);

		for (int part = 0; part < PARTS; part++)
			if (found[part].len == 0)
				found[part] = suffix_by(
				    flags >> (RULE_BITS * part) & RULE_MASK, name, longer);
		longer = name;
	} while (host_parent(&name, HOST_NAME));
	answer.icann = found[PART_ICANN].len > 0 ? found[PART_ICANN] : last_label(host);
	answer.listed = found[PART_ICANN].len > 0 || found[PART_PRIVATE].len > 0;
	answer.private_rule = found[PART_PRIVATE].len > found[PART_ICANN].len &&
	    found[PART_PRIVATE].len >= answer.icann.len;
	answer.any = answer.private_rule ? found[PART_PRIVATE] : answer.icann;
	return answer;
}

struct slice
registrable_domain(const struct public_suffixes *list, struct slice host)
{
	size_t at = host.len - public_suffix(list, host).any.len;

	if (at < 2)	/* a label and its dot */
		return slice_make(host.p, 0);
	for (at--; at > 0 && host.p[at - 1] != '.'; at--)
		;
	return slice_skip(host, at);
}

/* Something written about HOST, or a wildcard right above it: without either no rule makes HOST itself a suffix. */
static bool
may_be_suffix(const struct public_suffixes *list, struct slice host)
{
	unsigned wildcards = RULE_WILDCARD << (RULE_BITS * PART_ICANN) | RULE_WILDCARD << (RULE_BITS * PART_PRIVATE);
	struct slice parent = host;

	return flags_of(list, host) != 0 || (host_parent(&parent, HOST_NAME) && (flags_of(list, parent) & wildcards) != 0);
}

bool
is_public_suffix(const struct public_suffixes *list, struct slice host)
{
	struct suffix_answer answer;

	if (!may_be_suffix(list, host))
		return false;
	answer = public_suffix(list, host);
	return answer.listed && answer.any.len == host.len;
}

size_t
public_suffixes_count(const struct public_suffixes *list)
{
	return list->n_read;
}

int
public_suffixes_each(const struct public_suffixes *list, public_suffix_visit *visit, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = visit(arg, rule_name(list, &list->rules[i]), list->rules[i].flags);
	return r;
}
