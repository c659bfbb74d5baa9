#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/siphash.h"
#include "ruleset/held.h"
#include "ruleset/publish_part.h"
#include "ruleset/site_file.h"
#include "ruleset/site_format.h"

enum { PROTECTED_MAX = 64 << 20 };

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
check_own_domains(struct publisher *p)
{
	struct slice rest = slice_str(p->site.own_domains), word;
	char path[STATE_PATH];
	int result = 0;

	if (rest.len == 0 || state_path(p->options->state, STATE_SITE, path) == -1)
		return 0;

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
	int result = site_load(p->options->state, &p->site, p->diag);

	return check_own_domains(p) == -1 ? -1 : result;
}

static const char *
suffix_path(const struct publisher *p)
{
	return p->options->suffix_file != NULL ? p->options->suffix_file : PUBLIC_SUFFIX_FILE;
}

static void
read_suffixes(struct publisher *p)
{
	struct diag findings = { 0 };

	p->suffixes = public_suffixes_load(suffix_path(p), &findings);
	if (p->suffixes == NULL)
		diag_add(p->diag, DIAG_WARNING, suffix_path(p), 0, 0, "%s; whether a rule covers a public suffix is NOT checked, "
		    "and no host is found to look like another: install the package publicsuffix", diag_first_error(&findings));
	diag_fini(&findings);
}

/* ---- which sources ---- */

/* Whether sources may stay as BEFORE has them.  What it left out as expired may not be when it was made in what is the future now;
 * and what they protect is in its segment of the site. */
static void
trust_before(struct publisher *p)
{
	struct segment *site = p->before.generation == 0 ? NULL : layer_open_segment(p->rules_dir, &p->before.site, true, NULL);

	p->distrust = p->distrust || site == NULL || p->before.created > p->options->now;
	if (site == NULL && p->before.generation != 0)
		diag_add(p->diag, DIAG_WARNING, p->rules_dir, 0, 0, "%s is damaged or missing: every source is read", p->before.site.name);
	segment_close(site);
}

/* The next of the two sorted lists, files and sources of before; the same name of both together. */
static struct publish_source
next_source(const struct publisher *p, size_t *file, size_t *before)
{
	const struct source_file *f = *file < p->list.n ? &p->list.files[*file] : NULL;
	const struct manifest_source *b = *before < p->before.n_sources ? &p->before.sources[*before] : NULL;
	int order = f == NULL ? 1 : b == NULL ? -1 : slice_cmp(f->name, slice_str(b->name));
	struct publish_source s = { .file = order <= 0 ? f : NULL, .before = order >= 0 ? b : NULL };

	s.name = s.file != NULL ? f->name : slice_str(b->name);
	s.owner = slice_starts(s.name, SLICE("alert-")) ? OWNER_ALERT :
	    slice_starts(s.name, SLICE("feed-")) || (s.file != NULL && !f->is_rules) ? OWNER_FEED : OWNER_SITE;
	*file += s.file != NULL;
	*before += s.before != NULL;
	return s;
}

static bool
is_all(const struct publisher *p)
{
	return p->options->only == NULL || p->distrust;
}

/* With ONLY, every other source is as it was, if it is known how that was. */
static bool
is_meant(const struct publisher *p, struct slice name)
{
	return is_all(p) || slice_eq(name, slice_str(p->options->only));
}

/* STAMP with what people decided about the rules of FILE. */
static uint64_t
add_decided(uint64_t stamp, const struct source_file *file, const struct held_list *decisions)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak held";

	for (size_t i = 0; i < decisions->n; i++) {
		const struct held *h = &decisions->v[i];

		if (slice_eq(h->source, file->name))
			stamp = (stamp << 1 | stamp >> 63) ^ siphash(key, h->class) ^ siphash(key, h->rule) ^ (uint64_t)h->verdict;
	}
	return stamp;
}

/* Files and the sources of before as one list, and which of them changed. */
static void
join_sources(struct publisher *p, const struct held_list *decisions)
{
	size_t file = 0, before = 0;

	while (file < p->list.n || before < p->before.n_sources) {
		struct publish_source s = next_source(p, &file, &before);

		if (!is_meant(p, s.name)) {
			if (s.before == NULL)
				continue;
			s.file = NULL;
		} else if (s.file == NULL) {
			s.dropped = true;
		} else {
			s.stamp = add_decided(s.file->stamp, s.file, decisions);
			s.stamp += s.stamp == 0;
			s.decided = add_decided(0, s.file, decisions);
			s.changed = s.before == NULL || s.before->stamp != s.stamp || p->options->full || p->distrust;
		}
		p->sources[p->n_sources++] = s;
	}
}

static int
list_sources(struct publisher *p)
{
	struct slice only = is_all(p) ? (struct slice){ 0 } : slice_str(p->options->only);
	char dir[STATE_PATH], conf[STATE_PATH];
	struct held_list decisions = { 0 };
	size_t errors = p->diag->n_errors;

	if (state_path(p->options->state, STATE_SOURCES, dir) == -1 || state_path(p->options->state, STATE_SETTINGS, conf) == -1)
		return -1;
	if (source_list_read(dir, conf, p->options->formats, only, p->options->now, &p->list, p->diag) == -1)
		return -1;
	if ((p->sources = calloc(p->list.n + p->before.n_sources + 1, sizeof(*p->sources))) == NULL)
		return publish_no_memory(p);
	if (held_load(HELD_DECISIONS, p->options->state, &decisions, p->diag) == 0)
		join_sources(p, &decisions);
	held_fini(&decisions);
	return p->diag->n_errors > errors ? -1 : 0;
}

/* ---- what is protected ---- */

static int
add_protected(struct publisher *p, struct slice source, struct slice host)
{
	buf_add_slice(&p->protected, source);
	buf_add_char(&p->protected, ' ');
	buf_add_slice(&p->protected, host);
	return buf_add_char(&p->protected, '\n') == 0 ? 0 : publish_no_memory(p);
}

static int
visit_protect(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct publisher *p = arg;

	(void)line;
	if (rule->action != RULE_PROTECT || (rule->expires != 0 && rule->expires <= p->options->now))
		return 0;
	return add_protected(p, p->current->name, slice_make(match->host, match->host_len));
}

/* What source NAME protected, as the segment of the site of before says. */
static int
copy_protected(struct publisher *p, const struct segment *site, struct slice name)
{
	struct slice rest = site == NULL ? (struct slice){ 0 } : segment_section(site, SITE_PROTECTED), line, source, host;

	while (rest.len > 0) {
		slice_cut(rest, '\n', &line, &rest);
		if (slice_cut(line, ' ', &source, &host) && slice_eq(source, name) && add_protected(p, name, host) == -1)
			return -1;
	}
	return 0;
}

static struct source_defaults
defaults_of(const struct publisher *p, const struct source_file *file)
{
	return (struct source_defaults){ .now = file->written, .host_life = p->site.host_life, .file_life = p->site.file_life };
}

/* What the changed sources protect, read for that alone: no rule can be linted before it is known.  What is wrong with a line is
 * found when all of them are read. */
static int
collect_protected(struct publisher *p)
{
	struct segment *site = p->before.site.len == 0 ? NULL : layer_open_segment(p->rules_dir, &p->before.site, true, NULL);
	int result = 0;

	for (size_t i = 0; i < p->n_sources; i++) {
		const struct publish_source *s = p->current = &p->sources[i];

		if (s->changed) {
			struct source_defaults defaults = defaults_of(p, s->file);

			source_file_read(&p->list, s->file, p->options->formats, SLICE("protect"), &defaults, visit_protect, p, NULL);
		} else if (!s->dropped && copy_protected(p, site, s->name) == -1) {
			result = -1;
		}
	}
	segment_close(site);
	return p->protected.failed ? -1 : result;
}

/* The hosts in what is protected. */
static int
list_domains(struct publisher *p)
{
	struct slice rest = buf_slice(&p->protected), line;

	free(p->domains);
	p->n_domains = 0;
	for (size_t i = 0; i < rest.len; i++)
		p->n_domains += rest.p[i] == '\n';
	if ((p->domains = calloc(p->n_domains + 1, sizeof(*p->domains))) == NULL)
		return publish_no_memory(p);
	for (size_t i = 0; i < p->n_domains; i++) {
		slice_cut(rest, '\n', &line, &rest);
		slice_cut(line, ' ', NULL, &p->domains[i]);
	}
	return 0;
}

/* ---- the context ---- */

/* What tells one state of the file at PATH from another. */
static void
add_file(struct buf *text, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		buf_addf(text, "%lld %lld %ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	buf_add_char(text, '\n');
}

/* The same for the list that is NAMED in site.conf, or else FILE. */
static void
add_list(struct buf *text, const struct publisher *p, const char *named, const char *file)
{
	char *path = *named != '\0' ? strdup(named) : file_join(p->options->lists != NULL ? p->options->lists : LINT_FOLDER, file);

	if (path != NULL)
		add_file(text, path);
	free(path);
}

/* What lint and compiling depend on beside a source itself: when it is another, every source is read again. */
static uint64_t
make_context(const struct publisher *p)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak rules";
	struct buf text;
	uint64_t context;

	buf_init(&text, SIZE_MAX / 2);
	for (size_t i = 0; i < site_options_n; i++) {
		buf_add_strs(&text, site_options[i].name, "=", NULL);
		option_format(&site_options[i], &p->site, &text);
		buf_add_char(&text, '\n');
	}
	add_file(&text, suffix_path(p));
	add_list(&text, p, p->site.top_sites, LINT_TOP_SITES);
	add_list(&text, p, p->site.shared_hosts, LINT_SHARED_HOSTS);
	buf_add_slice(&text, buf_slice(&p->protected));
	context = text.failed ? 0 : siphash(key, buf_slice(&text));
	buf_fini(&text);
	return context;
}

/* Another context: what was not read yet is, and may protect more.  ONLY leaves that to the next publish of all. */
static int
meet_context(struct publisher *p)
{
	p->context = make_context(p);
	if (p->before.generation == 0 || p->context == p->before.context)
		return 0;
	p->lints_all = true;
	if (p->options->only != NULL) {
		p->context = p->before.context;
		return 0;
	}
	for (size_t i = 0; i < p->n_sources; i++)
		p->sources[i].changed = p->sources[i].file != NULL;
	buf_reset(&p->protected);
	if (collect_protected(p) == -1)
		return -1;
	p->context = make_context(p);
	return 0;
}

/* What lint asks of every rule, once the protected domains are known. */
static int
open_gate(struct publisher *p)
{
	struct gate_options options = { .state = p->options->state, .now = p->options->now, .budget = p->options->budget,
		.sources = &p->list };

	options.lint = (struct lint_options){ .site = &p->site, .suffixes = p->suffixes, .protected = p->domains,
		.n_protected = p->n_domains, .lists = p->options->lists != NULL ? p->options->lists : LINT_FOLDER };
	return (p->gate = gate_open(&options, p->diag)) == NULL ? -1 : 0;
}

int
publish_read_all(struct publisher *p)
{
	int site, sources;

	trust_before(p);
	site = read_site(p);
	sources = list_sources(p);
	read_suffixes(p);
	buf_init(&p->protected, PROTECTED_MAX);
	if (site == -1 || sources == -1)
		return -1;
	if (collect_protected(p) == -1 || meet_context(p) == -1)
		return -1;
	return list_domains(p) == -1 ? -1 : open_gate(p);
}

/* ---- compiling ---- */

/* A person's line is named; feeds and alerts end by themselves. */
static void
note_expired(struct publisher *p, const struct rule *rule, unsigned line)
{
	char date[CLOCK_TEXT];

	if (!rule->local)
		return;
	clock_format_s(rule->expires, date);
	diag_add(p->diag, DIAG_NOTE, p->current->file->path, line, 0, "the rule expired %s and is left out", date);
}

static int
take(struct publisher *p, const struct rule *rule, const struct rule_match *match)
{
	struct rule row = publish_row(p, rule);

	if (p->compiler != NULL)
		return compiler_add(p->compiler, &row, match);
	compiler_count(p->counts, rule, match);
	return 0;
}

/* Lint and compile what has not expired. */
static int
visit_rule(void *arg, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	struct publisher *p = arg;
	int r;

	if (rule->expires != 0 && rule->expires <= p->options->now) {
		p->report->expired++;
		note_expired(p, rule, line);
		return 0;
	}
	if (p->change != NULL)
		r = publish_visit_change(p, rule, match, line);
	else
		r = gate_admit(p->gate, rule, match, p->current->file->path, line, p->diag) ? take(p, rule, match) : 0;
	if (r == 0)
		return 0;
	diag_add(p->diag, DIAG_ERROR, p->current->file->path, line, 0, "%s", strerror(errno));
	return -1;
}

int
publish_compile_source(struct publisher *p, struct publish_source *s)
{
	struct source_defaults defaults = defaults_of(p, s->file);
	size_t before = p->diag->n_errors;

	p->current = s;
	p->ends = (struct feed_ends){ .hosts.known = false };
	source_file_read(&p->list, s->file, p->options->formats, (struct slice){ 0 }, &defaults, visit_rule, p, p->diag);
	s->ends = p->ends;
	return p->diag->n_errors > before ? -1 : 0;
}
