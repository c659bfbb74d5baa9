#include "ruleset/lint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "ruleset/lint_address.h"
#include "ruleset/lint_names.h"
#include "ruleset/lint_trivial.h"
#include "url_rules/name_table.h"

enum { LIST_MAX = 64 << 20, SENTENCE_MAX = 4096, SHOWN_MAX = 300 };
enum { NETWORK4_WIDE = 8, NETWORK6_WIDE = 19 };	/* shorter prefixes are more than any one holder has */

struct lint {
	enum lint_action		 actions[LINT_CLASSES];
	const struct public_suffixes	*suffixes;
	struct lint_names		*names;
	struct lint_network		*networks;	/* addresses among the own and the protected domains */
	size_t				 n_networks;
};

struct lint_network {
	enum lint_list	 list;
	struct network	 network;
};

/* Which class a touched list is. */
static const enum lint_class list_classes[LINT_LISTS] = {
	[LIST_OWN] = LINT_OWN_DOMAIN, [LIST_PROTECTED] = LINT_PROTECTED, [LIST_LOCAL] = LINT_ADDRESS,
	[LIST_TOP] = LINT_TOP_SITE, [LIST_SHARED] = LINT_SHARED_HOST,
};

/* RFC 6761, 6762 and 8375, the top level that ICANN keeps free, and what the hosts files of systems have. */
static const char *const local_names[] = {
	"localhost", "local", "internal", "home.arpa", "localdomain", "broadcasthost", "ip6-localhost", "ip6-loopback",
	"ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts",
};

const char *
lint_class_name(enum lint_class class)
{
	static const char *const names[LINT_CLASSES] = {
		"public_suffix", "own_domain", "protected", "address", "top_site", "trivial_digest", "common_name", "shared_host",
		"shrank", "grew", "wave", "budget",
	};

	return names[class];
}

/* ---- building ---- */

static int
out_of_memory(struct diag *diag)
{
	diag_error(diag, "out of memory");
	return -1;
}

static void
set_actions(struct lint *lint, const struct site *site)
{
	const int64_t words[LINT_CLASSES] = {
		[LINT_PUBLIC_SUFFIX] = site->lint_public_suffix, [LINT_OWN_DOMAIN] = site->lint_own_domain,
		[LINT_PROTECTED] = site->lint_protected, [LINT_ADDRESS] = site->lint_address,
		[LINT_TOP_SITE] = site->lint_top_site, [LINT_TRIVIAL_DIGEST] = site->lint_trivial_digest,
		[LINT_COMMON_NAME] = site->lint_common_name,
		[LINT_SHARED_HOST] = site->lint_shared_host, [LINT_SHRANK] = site->lint_shrank, [LINT_GREW] = site->lint_grew,
		[LINT_WAVE] = LINT_HOLD, [LINT_BUDGET] = LINT_HOLD,
	};

	for (size_t i = 0; i < LINT_CLASSES; i++)
		lint->actions[i] = (enum lint_action)words[i];
}

/* Remember HOST when it is an address, for networks that it lies in. */
static int
add_address(struct lint *lint, enum lint_list list, struct slice host)
{
	struct lint_network one = { .list = list }, *grown;

	if (network_parse(host, &one.network) != NETWORK_OK)
		return 0;
	if ((grown = realloc(lint->networks, (lint->n_networks + 1) * sizeof(*grown))) == NULL)
		return -1;
	lint->networks = grown;
	grown[lint->n_networks++] = one;
	return 0;
}

/* Words that are no host were refused when site.conf was read. */
static int
add_own_domains(struct lint *lint, const char *domains)
{
	struct slice rest = slice_str(domains), word;
	char host[HOST_MAX + 1];
	size_t len;

	while (rest.len > 0) {
		slice_cut(rest, ' ', &word, &rest);
		if (host_canonical(word, host, &len, NULL) == URL_OK &&
		    (lint_names_add(lint->names, LIST_OWN, SCOPE_DOMAIN, slice_make(host, len)) == -1 ||
		    add_address(lint, LIST_OWN, slice_make(host, len)) == -1))
			return -1;
	}
	return 0;
}

static int
add_names(struct lint *lint, const struct lint_options *options)
{
	for (size_t i = 0; i < options->n_protected; i++)
		if (lint_names_add(lint->names, LIST_PROTECTED, SCOPE_DOMAIN, options->protected[i]) == -1 ||
		    add_address(lint, LIST_PROTECTED, options->protected[i]) == -1)
			return -1;
	for (size_t i = 0; i < sizeof(local_names) / sizeof(*local_names); i++)
		if (lint_names_add(lint->names, LIST_LOCAL, SCOPE_DOMAIN, slice_str(local_names[i])) == -1)
			return -1;
	return 0;
}

/* One line of a list: a host as in rules(5), a comment, or nothing. */
static int
add_line(struct lint *lint, enum lint_list list, const char *path, unsigned number, struct slice line, struct diag *diag)
{
	struct rule_match match;
	char why[RULE_WHY];
	size_t at;

	slice_cut(line, '#', &line, NULL);
	line = slice_trim(line);
	if (line.len == 0)
		return 0;
	if (rule_match_parse(RULE_HOST, line, &match, why, &at) == -1) {
		diag_add(diag, DIAG_WARNING, path, number, 0, "\"%.*s\" is left out: %s", SLICE_ARGS(slice_head(line, SHOWN_MAX)), why);
		return 0;
	}
	return lint_names_add(lint->names, list, match.scope, slice_make(match.host, match.host_len));
}

static int
add_lines(struct lint *lint, enum lint_list list, const char *path, struct slice text, struct diag *diag)
{
	struct slice line;

	for (unsigned number = 1; text.len > 0; number++) {
		slice_cut(text, '\n', &line, &text);
		if (add_line(lint, list, path, number, line, diag) == -1)
			return -1;
	}
	return 0;
}

/* What is missing, and what follows from it, for the list behind OPTION. */
static const struct list_file {
	enum lint_list	 list;
	const char	*name, *option, *question;
} list_files[] = {
	{ LIST_TOP, LINT_TOP_SITES, "TopSites", "whether a rule covers a site that everybody uses" },
	{ LIST_SHARED, LINT_SHARED_HOSTS, "SharedHosts", "whether a rule for a host should be one for a path" },
};

static int
read_list(struct lint *lint, const struct list_file *file, const char *path, struct diag *diag)
{
	struct buf text;
	int result = 0;

	buf_init(&text, LIST_MAX);
	if (file_read(path, &text) == -1)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "%s; %s is NOT checked: install the file, or name another in site.conf "
		    "with %s", strerror(errno), file->question, file->option);
	else
		result = add_lines(lint, file->list, path, buf_slice(&text), diag);
	buf_fini(&text);
	return result;
}

/* Read the list of FILE, which the site has at NAMED, or else in the folder of OPTIONS. */
static int
add_list(struct lint *lint, const struct list_file *file, const char *named, const struct lint_options *options,
    struct diag *diag)
{
	char *path;
	int result;

	if (lint->actions[list_classes[file->list]] == LINT_IGNORE || (*named == '\0' && options->lists == NULL))
		return 0;
	if (*named != '\0' && *named != '/') {
		diag_error(diag, "%s: \"%s\" must begin with a /", file->option, named);
		return -1;
	}
	path = *named != '\0' ? slice_dup(slice_str(named)) : file_join(options->lists, file->name);
	if (path == NULL || (result = read_list(lint, file, path, diag)) == -1)
		result = out_of_memory(diag);
	free(path);
	return result;
}

static int
fill(struct lint *lint, const struct site *site, const struct lint_options *options, struct diag *diag)
{
	int top, shared;

	set_actions(lint, site);
	if (add_own_domains(lint, site->own_domains) == -1 || add_names(lint, options) == -1)
		return out_of_memory(diag);
	top = add_list(lint, &list_files[0], site->top_sites, options, diag);
	shared = add_list(lint, &list_files[1], site->shared_hosts, options, diag);
	return top == -1 ? -1 : shared;
}

struct lint *
lint_new(const struct lint_options *options, struct diag *diag)
{
	struct lint *lint = calloc(1, sizeof(*lint));
	struct site standard;
	int result;

	if (option_defaults(site_options, site_options_n, &standard) == -1 || lint == NULL ||
	    (lint->names = lint_names_new()) == NULL) {
		result = out_of_memory(diag);
	} else {
		lint->suffixes = options->suffixes;
		result = fill(lint, options->site != NULL ? options->site : &standard, options, diag);
	}
	option_fini(site_options, site_options_n, &standard);
	if (result == 0)
		return lint;
	lint_free(lint);
	return NULL;
}

void
lint_free(struct lint *lint)
{
	if (lint == NULL)
		return;
	lint_names_free(lint->names);
	free(lint->networks);
	free(lint);
}

/* ---- judging ---- */

/* Where findings go. */
struct findings {
	const struct lint	*lint;
	struct lint_finding	*v;
	size_t			 n;
	enum lint_action	 heaviest;
	bool			 is_proposal;
};

static void
find(struct findings *f, enum lint_class class, struct slice name, const char *what)
{
	enum lint_action action = f->lint->actions[class];

	if (action == LINT_IGNORE)
		return;
	if (f->is_proposal && class != LINT_WAVE)
		action = LINT_REFUSE;
	f->v[f->n++] = (struct lint_finding){ .class = class, .action = action, .name = name, .what = what };
	f->heaviest = action > f->heaviest ? action : f->heaviest;
}

static void
judge_file(struct findings *f, const struct rule_match *match)
{
	const struct trivial_file *file = match->path == NULL ? trivial_find(&match->digest) : NULL;
	struct slice name = { 0 };

	if (match->path != NULL && match->size == NAME_SIZE_ANY)
		name = common_name_find(slice_str(match->path));

	if (file != NULL)
		find(f, LINT_TRIVIAL_DIGEST, (struct slice){ 0 }, file->what);
	if (name.len > 0)
		find(f, LINT_COMMON_NAME, name, NULL);
}

/* Of an address any page: the same address is another server elsewhere. */
static void
judge_address(struct findings *f, const struct rule_match *match, unsigned touched, const struct slice *names)
{
	struct slice host = slice_make(match->host, match->host_len);
	const char *what = match->host_kind == HOST_NAME ? NULL : lint_address(host, match->host_kind);

	if (what != NULL)
		find(f, LINT_ADDRESS, host, what);
	else if (touched >> LIST_LOCAL & 1)
		find(f, LINT_ADDRESS, names[LIST_LOCAL], "a name within a machine or network (RFC 6761)");
}

/* A network is judged by the address that it begins with, and one that no list of attackers has by its size. */
static void
judge_network(struct findings *f, const struct rule_match *match)
{
	struct slice text = slice_make(match->host, match->host_len), address;
	unsigned least = match->network.kind == HOST_IPV4 ? NETWORK4_WIDE : NETWORK6_WIDE;
	const char *what;

	slice_cut(text, '/', &address, NULL);
	what = lint_address(address, match->network.kind);
	if (match->network.bits < least)
		find(f, LINT_PUBLIC_SUFFIX, text, "a part of the Internet that no one has for himself");
	else if (what != NULL)
		find(f, LINT_ADDRESS, text, what);
	for (size_t i = 0; i < f->lint->n_networks; i++)
		if (network_contains(&match->network, &f->lint->networks[i].network)) {
			find(f, list_classes[f->lint->networks[i].list], text, NULL);
			return;
		}
}

/* What a path rule leaves of a host: all of it is as a host rule, anything less is meant. */
static bool
is_whole_host(const struct rule *rule, const struct rule_match *match)
{
	return rule->kind == RULE_HOST || (rule->kind == RULE_URL && strcmp(match->path, "/") == 0) ||
	    (rule->kind == RULE_PATH && strcmp(match->path, "/*") == 0);
}

/* A URL rule for a page on an own domain, or on a host that many share, is meant; one for all pages is not. */
static void
judge_host(struct findings *f, const struct rule *rule, const struct rule_match *match)
{
	static const enum lint_list whole[] = { LIST_OWN, LIST_PROTECTED, LIST_TOP, LIST_SHARED };
	struct slice host = slice_make(match->host, match->host_len), names[LINT_LISTS];
	bool is_whole = is_whole_host(rule, match);
	unsigned touched = lint_names_touched(f->lint->names, match->scope, host, names);

	if (match->scope != SCOPE_EXACT && f->lint->suffixes != NULL && is_public_suffix(f->lint->suffixes, host))
		find(f, LINT_PUBLIC_SUFFIX, host, NULL);
	for (size_t i = 0; is_whole && i < sizeof(whole) / sizeof(*whole); i++)
		if (touched >> whole[i] & 1)
			find(f, list_classes[whole[i]], names[whole[i]], NULL);
	judge_address(f, match, touched, names);
}

enum lint_action
lint_rule(const struct lint *lint, const struct rule *rule, const struct rule_match *match,
    struct lint_finding out[static LINT_CLASSES], size_t *n)
{
	struct findings f = { .lint = lint, .v = out, .heaviest = LINT_IGNORE };

	f.is_proposal = rule->action == RULE_BLOCK && slice_eq(rule->source, SLICE(LINT_WAVES));
	if (f.is_proposal)
		find(&f, LINT_WAVE, rule->note, NULL);
	if (rule->action == RULE_BLOCK && rule->kind == RULE_FILE)
		judge_file(&f, match);
	else if (rule->action == RULE_BLOCK && rule->kind == RULE_ADDRESS)
		judge_network(&f, match);
	else if (rule->action == RULE_BLOCK && match->host_len > 0)
		judge_host(&f, rule, match);
	*n = f.n;
	return f.heaviest;
}

enum lint_action
lint_growth(const struct lint *lint, size_t before, size_t now, struct lint_finding *out)
{
	struct findings f = { .lint = lint, .v = out, .heaviest = LINT_IGNORE };

	if (before >= LINT_LIST_MIN && now <= before / LINT_SHRANK_BY)
		find(&f, LINT_SHRANK, (struct slice){ 0 }, NULL);
	else if (before > 0 && now >= LINT_LIST_MIN && now / LINT_GREW_BY >= before)
		find(&f, LINT_GREW, (struct slice){ 0 }, NULL);
	if (f.n > 0) {
		out->before = before;
		out->now = now;
	}
	return f.heaviest;
}

/* ---- telling ---- */

int
lint_finding_format(const struct lint_finding *f, struct buf *out)
{
	switch (f->class) {
	case LINT_PUBLIC_SUFFIX:
		if (f->what != NULL)
			return buf_addf(out, "%.*s is %s; name the network that is meant", SLICE_ARGS(f->name), f->what);
		return buf_addf(out, "the rule covers the public suffix %.*s, under which strangers have their domains; name the "
		    "domain that is meant", SLICE_ARGS(f->name));
	case LINT_OWN_DOMAIN:
		return buf_addf(out, "the rule covers the site's own domain %.*s; remove the rule, or the domain from OwnDomains",
		    SLICE_ARGS(f->name));
	case LINT_PROTECTED:
		return buf_addf(out, "the rule covers the protected domain %.*s; remove this rule or the protect rule",
		    SLICE_ARGS(f->name));
	case LINT_ADDRESS:
		return buf_addf(out, "%.*s is %s, not that of a server on the Internet; remove the rule, or set LintAddress to "
		    "ignore when a host of this network is meant", SLICE_ARGS(f->name), f->what);
	case LINT_TOP_SITE:
		return buf_addf(out, "the rule covers %.*s, which everybody uses; write a url rule for the page that is meant",
		    SLICE_ARGS(f->name));
	case LINT_TRIVIAL_DIGEST:
		return buf_addf(out, "the digest is that of %s, which is everywhere and harmless; remove the rule", f->what);
	case LINT_COMMON_NAME:
		return buf_addf(out, "ordinary files are called %.*s, too; give the size of the file that is meant", SLICE_ARGS(f->name));
	case LINT_SHARED_HOST:
		return buf_addf(out, "the rule covers %.*s, where strangers have their pages side by side; write a url rule for the "
		    "page that is meant", SLICE_ARGS(f->name));
	case LINT_SHRANK:
		return buf_addf(out, "the list has %zu rules and had %zu; see whether what was fetched is all of it", f->now, f->before);
	case LINT_GREW:
		return buf_addf(out, "the list has %zu rules and had %zu; see whether what was fetched is that list", f->now, f->before);
	case LINT_WAVE:
		return buf_addf(out, "a wave of lookalikes%s%.*s; nobody wrote this rule", f->name.len > 0 ? ": " : "", SLICE_ARGS(f->name));
	case LINT_BUDGET:
		return buf_add_slice(out, f->name);
	case LINT_CLASSES:
		break;
	}
	return -1;
}

void
lint_finding_report(const struct lint_finding *finding, enum diag_level level, const char *file, unsigned line,
    struct diag *diag)
{
	char space[SENTENCE_MAX];
	struct buf text;

	buf_init_in(&text, space, sizeof(space), sizeof(space));
	lint_finding_format(finding, &text);
	diag_add(diag, level, file, line, 0, "%.*s", SLICE_ARGS(buf_slice(&text)));
	buf_fini(&text);
}
