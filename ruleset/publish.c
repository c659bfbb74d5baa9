#include "ruleset/publish.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/generation.h"
#include "ruleset/lint.h"
#include "ruleset/source.h"
#include "runtime/state.h"

enum { SITE_MAX = 1 << 20, MODE_FILE = 0640 };
#define SOURCE_MAX	((size_t)4 << 30)
#define SOURCE_END	".rules"
#define SEGMENT_END	".seg"

/* A source file, read whole and kept while its rules' texts are borrowed. */
struct source_file {
	char		*path;
	struct slice	 name;		/* within PATH */
	struct buf	 text;
	int64_t		 written;	/* seconds: its last change, which a relative expiry counts from */
};

struct publisher {
	const struct publish_options	*options;
	struct publish_report		*report;
	struct diag			*diag;
	char				 rules_dir[STATE_PATH];
	struct manifest			 before;	/* its generation is 0 when there is none */
	struct site			 site;
	struct public_suffixes		*suffixes;
	struct source_file		*sources;
	size_t				 n_sources;
	const struct source_file	*current;	/* while it is read */
	struct slice			*protected;	/* canonical domains, each to be freed */
	size_t				 n_protected;
	struct rule_table_builder	*rules;
	struct host_builder		*hosts;
	struct hashdb_builder		*digests;
};

static int
out_of_memory(struct publisher *p)
{
	diag_error(p->diag, "out of memory");
	return -1;
}

/* ---- what was there ---- */

/* The number in "rules-17.seg"; 0 when NAME is none of ours. */
static uint64_t
segment_number(struct slice name)
{
	struct slice kind, rest;
	uint64_t n;

	if (!slice_ends(name, SLICE(SEGMENT_END)) || !slice_cut(name, '-', &kind, &rest) ||
	    slice_u64(slice_head(rest, rest.len - strlen(SEGMENT_END)), &n) == -1)
		return 0;
	for (enum segment_kind k = SEGMENT_HOSTS; k <= SEGMENT_SITE; k++)
		if (slice_eq(kind, slice_str(segment_kind_name(k))))
			return n;
	return 0;
}

/* The highest number in use, so that a lost MANIFEST does not make an old number new. */
static uint64_t
highest_number(const struct publisher *p)
{
	uint64_t highest = p->before.generation;
	DIR *dir = opendir(p->rules_dir);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		uint64_t n = segment_number(slice_str(e->d_name));

		highest = n > highest && n < UINT64_MAX ? n : highest;
	}
	if (dir != NULL)
		closedir(dir);
	return highest;
}

/* Number and date of a generation must be such that its MANIFEST can be read: else what is live would be lost. */
static int
take_number(struct publisher *p)
{
	p->report->generation = highest_number(p) + 1;
	if (p->report->generation == 0) {
		diag_add(p->diag, DIAG_ERROR, p->rules_dir, 0, 0, "no number is left for a generation");
		return -1;
	}
	if (p->options->now <= 0 || p->options->now > CLOCK_LAST_S) {
		diag_error(p->diag, "the clock is not set: it says %" PRId64 " seconds since 1970", p->options->now);
		return -1;
	}
	return 0;
}

static int
read_before(struct publisher *p)
{
	char path[STATE_PATH];

	if (state_path(p->options->state, STATE_MANIFEST, path) == -1) {
		diag_error(p->diag, "%s: the path is too long", p->options->state);
		return -1;
	}
	if (manifest_load(path, &p->before, NULL) == 0)
		return 0;
	p->before = (struct manifest){ 0 };
	if (errno == EBADMSG)
		diag_add(p->diag, DIAG_WARNING, path, 0, 0, "is damaged and will be replaced");
	else if (errno != ENOENT)
		diag_add(p->diag, DIAG_WARNING, path, 0, 0, "%s; it will be replaced", strerror(errno));
	return 0;
}

/* ---- the site ---- */

/* An address, or a name that a person means: host_canonical() makes a host of any bytes, for proxies have to judge them. */
static bool
is_domain(struct slice word)
{
	char host[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;

	if (host_canonical(word, host, &len, &kind) != URL_OK)
		return false;
	for (size_t i = 0; kind == HOST_NAME && i < len; i++)
		if (!ascii_is_alpha(host[i]) && !ascii_is_digit(host[i]) && memchr("-_.", host[i], 3) == NULL)
			return false;
	return true;
}

/* Own domains that are none protect nothing: better an error. */
static int
check_own_domains(struct publisher *p, const char *path)
{
	struct slice rest = slice_str(p->site.own_domains), word;
	int result = 0;

	while (rest.len > 0) {
		slice_cut(rest, ' ', &word, &rest);
		if (word.len == 0 || is_domain(word))
			continue;
		diag_add(p->diag, DIAG_ERROR, path, 0, 0, "OwnDomains: \"%.*s\" is no domain", SLICE_ARGS(word));
		result = -1;
	}
	return result;
}

static int
read_site(struct publisher *p)
{
	char path[STATE_PATH];
	struct buf text;
	int result = 0;

	if (option_defaults(site_options, site_options_n, &p->site) == -1)
		return out_of_memory(p);
	if (state_path(p->options->state, STATE_SITE, path) == -1)
		return -1;
	buf_init(&text, SITE_MAX);
	if (file_read(path, &text) == 0) {
		result = option_parse(site_options, site_options_n, &p->site, path, buf_slice(&text), p->diag);
	} else if (errno != ENOENT) {
		diag_add(p->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
		result = -1;
	}
	buf_fini(&text);
	return check_own_domains(p, path) == -1 ? -1 : result;
}

static void
read_suffixes(struct publisher *p)
{
	const char *path = p->options->suffix_file != NULL ? p->options->suffix_file : PUBLIC_SUFFIX_FILE;
	struct diag findings = { 0 };

	p->suffixes = public_suffixes_load(path, &findings);
	if (p->suffixes == NULL)
		diag_add(p->diag, DIAG_WARNING, path, 0, 0, "%s; whether a rule covers a public suffix is NOT checked: "
		    "install the package publicsuffix", diag_first_error(&findings));
	diag_fini(&findings);
}

/* ---- sources ---- */

static int
is_source(const struct dirent *e)
{
	struct slice name = slice_str(e->d_name);

	return name.len > strlen(SOURCE_END) && name.p[0] != '.' && slice_ends(name, SLICE(SOURCE_END));
}

static int
load_source(struct publisher *p, const char *dir, const char *file)
{
	struct source_file *s = &p->sources[p->n_sources];
	struct stat st;

	*s = (struct source_file){ .path = file_join(dir, file) };
	buf_init(&s->text, SOURCE_MAX);
	if (s->path == NULL)
		return out_of_memory(p);
	p->n_sources++;
	s->name = slice_make(s->path + strlen(dir) + 1, strlen(file) - strlen(SOURCE_END));
	/* A fifo would be waited for, with the lock held; a device may have no end. */
	if (stat(s->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		diag_add(p->diag, DIAG_ERROR, s->path, 0, 0, "not a file");
		return -1;
	}
	if (stat(s->path, &st) == -1 || file_read(s->path, &s->text) == -1) {
		diag_add(p->diag, DIAG_ERROR, s->path, 0, 0, "%s", strerror(errno));
		return -1;
	}
	s->written = st.st_mtim.tv_sec < p->options->now ? st.st_mtim.tv_sec : p->options->now;
	return 0;
}

/* Load every source, in the order of their names. */
static int
load_sources(struct publisher *p)
{
	struct dirent **files;
	char dir[STATE_PATH];
	int n, result = 0;

	if (state_path(p->options->state, STATE_SOURCES, dir) == -1)
		return -1;
	if ((n = scandir(dir, &files, is_source, alphasort)) == -1) {
		if (errno == ENOENT)
			return 0;
		diag_add(p->diag, DIAG_ERROR, dir, 0, 0, "%s", strerror(errno));
		return -1;
	}
	if ((p->sources = calloc((size_t)n + 1, sizeof(*p->sources))) == NULL)
		result = out_of_memory(p);
	for (int i = 0; i < n; i++) {
		if (p->sources != NULL && load_source(p, dir, files[i]->d_name) == -1)
			result = -1;
		free(files[i]);
	}
	free(files);
	return result;
}

static int
parse_sources(struct publisher *p, source_visit *visit, struct diag *diag)
{
	struct source_defaults defaults = { .host_life = p->site.host_life, .file_life = p->site.file_life };
	int result = 0;

	for (size_t i = 0; i < p->n_sources; i++) {
		p->current = &p->sources[i];
		defaults.now = p->current->written;
		if (source_parse(p->current->path, p->current->name, buf_slice(&p->current->text), &defaults, visit, p, diag) != 0)
			result = -1;
	}
	return result;
}

/* First visit: which domains are protected. */
static int
visit_protect(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct publisher *p = arg;
	struct slice *grown;
	char *domain;

	(void)line;
	if (rule->action != RULE_PROTECT || (rule->expires != 0 && rule->expires <= p->options->now))
		return 0;
	grown = realloc(p->protected, (p->n_protected + 1) * sizeof(*grown));
	domain = slice_dup(slice_make(match->host, match->host_len));
	if (grown != NULL)
		p->protected = grown;
	if (grown == NULL || domain == NULL) {
		free(domain);
		return out_of_memory(p);
	}
	p->protected[p->n_protected++] = slice_str(domain);
	return 0;
}

static void
count_rule(struct publish_report *report, const struct rule *rule, const struct rule_match *match)
{
	report->rules++;
	if (rule->action == RULE_PROTECT)
		report->protects++;
	else if (rule->kind == RULE_HOST)
		report->hosts++;
	else if (rule->kind == RULE_URL)
		report->urls++;
	else
		report->files++;
	if (rule->kind == RULE_FILE && match->size == HASHDB_SIZE_ANY)
		report->sizeless++;
}

static int
compile(struct publisher *p, const struct rule *rule, const struct rule_match *match)
{
	struct slice host = slice_make(match->host, match->host_len);
	uint32_t ref;

	if (rule_table_add(p->rules, rule, &ref) == -1) {
		errno = ENOMEM;
		return -1;
	}
	if (rule->kind == RULE_FILE)
		return hashdb_builder_add(p->digests, &match->digest, match->size, ref);
	return host_builder_add(p->hosts, match->scope, host, slice_str(match->path), ref);
}

/* A person's line is named; feeds and alerts end by themselves. */
static void
note_expired(struct publisher *p, const struct rule *rule, unsigned line)
{
	char date[CLOCK_TEXT];

	if (!rule->local)
		return;
	clock_format_s(rule->expires, date);
	diag_add(p->diag, DIAG_NOTE, p->current->path, line, 0, "the rule expired %s and is left out", date);
}

/* Second visit: lint and compile what has not expired. */
static int
visit_rule(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct publisher *p = arg;
	struct lint lint = { .suffixes = p->suffixes, .own_domains = slice_str(p->site.own_domains),
		.protected = p->protected, .n_protected = p->n_protected };

	if (rule->expires != 0 && rule->expires <= p->options->now) {
		p->report->expired++;
		note_expired(p, rule, line);
		return 0;
	}
	if (lint_rule(&lint, rule, match, p->current->path, line, p->diag) == -1)
		return 0;
	count_rule(p->report, rule, match);
	if (compile(p, rule, match) == 0)
		return 0;
	diag_add(p->diag, DIAG_ERROR, p->current->path, line, 0, "%s", strerror(errno));
	return -1;
}

static int
read_rules(struct publisher *p)
{
	size_t before = p->diag->n_errors;

	if ((p->rules = rule_table_new()) == NULL || (p->hosts = host_builder_new()) == NULL ||
	    (p->digests = hashdb_builder_new()) == NULL)
		return out_of_memory(p);
	if (parse_sources(p, visit_protect, p->diag) == -1 || parse_sources(p, visit_rule, NULL) == -1)
		return -1;
	return p->diag->n_errors > before ? -1 : 0;
}

/* ---- writing ---- */

static int
write_segment(struct publisher *p, struct manifest *m, enum segment_kind kind)
{
	struct manifest_segment *s = &m->segments[m->n++];
	char path[STATE_PATH + MANIFEST_NAME];

	s->kind = kind;
	snprintf(s->name, sizeof(s->name), "%s-%" PRIu64 SEGMENT_END, segment_kind_name(kind), m->generation);
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, s->name);
	switch (kind) {
	case SEGMENT_RULES:
		return rule_table_write(p->rules, path, &s->len, s->sha256, p->diag);
	case SEGMENT_HOSTS:
		return host_builder_write(p->hosts, path, &s->len, s->sha256, p->diag);
	case SEGMENT_DIGESTS:
		return hashdb_builder_write(p->digests, path, &s->len, s->sha256, p->diag);
	case SEGMENT_SITE:
		return site_write(&p->site, path, &s->len, s->sha256, p->diag);
	}
	return -1;
}

/* PATH is M already: only the flush of its folder failed. */
static bool
is_in_place(const char *path, const struct manifest *m)
{
	struct manifest there;

	return manifest_load(path, &there, NULL) == 0 && there.generation == m->generation;
}

static int
write_manifest(struct publisher *p, const struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];
	struct buf text;
	int result = 0;

	buf_init(&text, MANIFEST_MAX);
	snprintf(path, sizeof(path), "%s/MANIFEST", p->rules_dir);
	if (manifest_format(m, &text) == -1) {
		result = out_of_memory(p);
	} else if (file_write(path, buf_slice(&text), MODE_FILE) == -1) {
		const char *why = strerror(errno);

		result = is_in_place(path, m) ? 0 : -1;
		diag_add(p->diag, result == 0 ? DIAG_WARNING : DIAG_ERROR, path, 0, 0, "%s%s", why,
		    result == 0 ? "; it is in place, but may not survive a power cut: publish again" : "");
	}
	buf_fini(&text);
	return result;
}

static bool
is_named(const struct manifest *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->segments[i].name, name) == 0)
			return true;
	return false;
}

/* Remove segments that neither NEW nor the manifest before it names. */
static void
remove_unnamed(const struct publisher *p, const struct manifest *new)
{
	DIR *dir = opendir(p->rules_dir);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (segment_number(slice_str(e->d_name)) != 0 && !is_named(new, e->d_name) &&
		    !is_named(&p->before, e->d_name))
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

/* Remove what a failed publish wrote, and nothing else: the MANIFEST that names the others may only be mislaid. */
static void
remove_own(const struct publisher *p, const struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];

	for (size_t i = 0; i < m->n; i++) {
		snprintf(path, sizeof(path), "%s/%s", p->rules_dir, m->segments[i].name);
		unlink(path);
	}
}

static int
write_generation(struct publisher *p)
{
	struct manifest m = { .generation = p->report->generation, .created = p->options->now };

	for (enum segment_kind k = SEGMENT_HOSTS; k <= SEGMENT_SITE; k++)
		if (write_segment(p, &m, k) == -1)
			goto fail;
	if (write_manifest(p, &m) == -1)
		goto fail;
	remove_unnamed(p, &m);
	return 0;
fail:
	remove_own(p, &m);
	return -1;
}

/* ---- all of it ---- */

/* Publishers wait for each other.  -1 with an error; else a descriptor whose closing ends the lock. */
static int
take_lock(struct publisher *p)
{
	int fd = state_lock(p->options->state), error = errno;
	char path[STATE_PATH];

	if (fd == -1)
		diag_add(p->diag, DIAG_ERROR, state_path(p->options->state, STATE_LOCK, path) == 0 ? path :
		    p->options->state, 0, 0, "%s", strerror(error));
	return fd;
}

static void
fini(struct publisher *p)
{
	option_fini(site_options, site_options_n, &p->site);
	public_suffixes_free(p->suffixes);
	for (size_t i = 0; i < p->n_sources; i++) {
		free(p->sources[i].path);
		buf_fini(&p->sources[i].text);
	}
	free(p->sources);
	for (size_t i = 0; i < p->n_protected; i++)
		free((char *)(uintptr_t)p->protected[i].p);
	free(p->protected);
	rule_table_free(p->rules);
	host_builder_free(p->hosts);
	hashdb_builder_free(p->digests);
}

int
publish(const struct publish_options *options, struct publish_report *report, struct diag *diag)
{
	struct publisher p = { .options = options, .report = report, .diag = diag };
	int lock = -1, result = -1;
	int site, sources;

	*report = (struct publish_report){ .created = options->now };
	if (state_path(options->state, STATE_RULES, p.rules_dir) == -1) {
		diag_error(diag, "%s: the path is too long", options->state);
		return -1;
	}
	if (!options->dry_run && (lock = take_lock(&p)) == -1)
		return -1;
	if (read_before(&p) == 0 && take_number(&p) == 0) {
		site = read_site(&p);
		sources = load_sources(&p);
		report->sources = p.n_sources;
		read_suffixes(&p);
		if (site == 0 && sources == 0 && read_rules(&p) == 0)
			result = options->dry_run ? 0 : write_generation(&p);
	}
	if (lock != -1)
		close(lock);
	fini(&p);
	return result;
}
