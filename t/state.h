/* state.h - states, sources and generations for the tests of ruleset/: files put into a state, publishes of it, and what a
 * generation says, as lines of text that can be compared. */
#ifndef T_STATE_H
#define T_STATE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/generation.h"
#include "ruleset/lint.h"
#include "ruleset/lookalike_source.h"
#include "ruleset/publish.h"
#include "runtime/state.h"
#include "t/tap.h"

enum { NOW = 1795000000, DAY = CLOCK_DAY_S, ROOM = 1 << 20, TEXT_MAX = 8000, MAX_MATCHES = 128, LIMIT_S = 300 };

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static char *top;		/* our folder: states 1, 2, 3 ... and what publish is told to read */
static char *suffix_file, *list_folder;	/* no site in its lists is known to everybody, or shared */

/* ---- states and files ---- */

/* A new empty state folder; the caller's to free. */
__attribute__((unused)) static char *
new_state(void)
{
	static int n;
	char *state;

	if (asprintf(&state, "%s/%d", top, ++n) == -1 || state_make(state) == -1)
		abort();
	return state;
}

/* "STATE/NAME"; good until the fourth call from here. */
__attribute__((unused)) static const char *
path_in(const char *state, const char *name)
{
	static char paths[4][STATE_PATH];
	static unsigned next;
	char *path = paths[next++ % COUNT(paths)];

	if (state_path(state, name, path) == -1)
		abort();
	return path;
}

/* "STATE/rules/KIND-NUMBER.seg", like path_in(). */
__attribute__((unused)) static const char *
segment_path(const char *state, enum segment_kind kind, uint64_t number)
{
	char name[100];

	snprintf(name, sizeof(name), STATE_RULES "/%s-%" PRIu64 ".seg", segment_kind_name(kind), number);
	return path_in(state, name);
}

/* As somebody writes who takes no care: in place, and without waiting for the disk. */
__attribute__((unused)) static void
write_plain(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || file_write_all(fd, bytes) == -1 || close(fd) == -1)
		abort();
}

/* The file NAME of STATE, last changed at WHEN. */
__attribute__((unused)) static void
put_at(const char *state, const char *name, const char *text, int64_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	write_plain(path_in(state, name), slice_str(text));
	if (utimensat(AT_FDCWD, path_in(state, name), times, 0) == -1)
		abort();
}

__attribute__((unused)) static void
put(const char *state, const char *name, const char *text)
{
	put_at(state, name, text, NOW);
}

/* The content of PATH; the caller frees the buffer. */
__attribute__((unused)) static struct buf
content(const char *path)
{
	struct buf b;

	buf_init(&b, 256 * ROOM);
	if (file_read(path, &b) == -1)
		abort();
	return b;
}

__attribute__((unused)) static bool
is_same_file(const char *a, const char *b)
{
	struct buf x = content(a), y = content(b);
	bool same = slice_eq(buf_slice(&x), buf_slice(&y));

	buf_fini(&x);
	buf_fini(&y);
	return same;
}

static int
is_entry(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* Append what lies in DIR and below: names, modes, and of files the time and every byte.  A folder's time is none of it: a
 * file that came and went leaves it changed.  Nor is the lock of keep.h. */
static void
add_folder(const char *dir, struct buf *out)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_entry, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = file_join(dir, entries[i]->d_name);
		bool is_lock = strcmp(entries[i]->d_name, "compact.lock") == 0;
		struct stat st;

		if (lstat(path, &st) == -1)
			abort();
		if (!is_lock)
			buf_addf(out, "%s %o\n", path, st.st_mode);
		if (S_ISDIR(st.st_mode))
			add_folder(path, out);
		else if (!is_lock && (buf_addf(out, "%lld\n", (long long)st.st_mtim.tv_sec) == -1 || file_read(path, out) == -1))
			abort();
		free(path);
		free(entries[i]);
	}
	free(entries);
}

/* All of STATE as it is, to be compared. */
__attribute__((unused)) static struct buf
snapshot(const char *state)
{
	struct buf b;

	buf_init(&b, 256 * ROOM);
	add_folder(state, &b);
	return b;
}

/* STATE is as it was at BEFORE, which is freed. */
__attribute__((unused)) static void
is_unchanged(const char *state, struct buf *before, const char *idea)
{
	struct buf now = snapshot(state);

	ok(slice_eq(buf_slice(before), buf_slice(&now)), "%s: nothing changed", idea);
	buf_fini(&now);
	buf_fini(before);
}

/* The names in STATE/rules, with a blank between. */
__attribute__((unused)) static const char *
listing(const char *state)
{
	static char names[TEXT_MAX];
	struct dirent **entries;
	int n = scandir(path_in(state, STATE_RULES), &entries, is_entry, alphasort);
	size_t len = 0;

	names[0] = '\0';
	for (int i = 0; i < n; i++) {
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return names;
}

__attribute__((unused)) static void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_n, name, reason);
}

/* The exit status of PID; -1 when it did not exit by itself. */
__attribute__((unused)) static int
status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

__attribute__((unused)) static pid_t
fork_quietly(void)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == -1)
		abort();
	return pid;
}

/* ---- publishing ---- */

static struct publish_options
options_of(const char *state)
{
	return (struct publish_options){ .state = state, .suffix_file = suffix_file, .lists = list_folder, .now = NOW };
}

__attribute__((unused)) static int
publish_at(const char *state, int64_t now, bool dry_run, struct publish_report *report, struct diag *diag)
{
	struct publish_options options = options_of(state);

	options.now = now;
	options.dry_run = dry_run;
	return publish(&options, report, diag);
}

static void
show(const struct diag *diag)
{
	char line[TEXT_MAX];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		printf("# %s\n", line);
	}
}

/* Publish what OPTIONS say, which has nothing wrong: the number; 0 when it failed or something was found. */
static uint64_t
publish_as(const struct publish_options *options, struct publish_report *report)
{
	struct publish_report own;
	struct diag diag = { 0 };
	uint64_t number = 0;

	report = report == NULL ? &own : report;
	if (publish(options, report, &diag) == 0 && diag.n_errors == 0 && diag.n_warnings == 0)
		number = report->generation;
	show(&diag);
	diag_fini(&diag);
	return number;
}

__attribute__((unused)) static uint64_t
publish_good(const char *state, struct publish_report *report)
{
	struct publish_options options = options_of(state);

	return publish_as(&options, report);
}

/* ---- MANIFESTs ---- */

/* The MANIFEST of STATE; the caller frees it. */
__attribute__((unused)) static struct manifest
read_manifest(const char *state)
{
	struct manifest m;

	if (manifest_load(path_in(state, STATE_MANIFEST), &m, NULL) == -1)
		abort();
	return m;
}

/* TEXT for the MANIFEST of STATE; the kept one that it was the same file as stays. */
__attribute__((unused)) static void
put_manifest(const char *state, struct slice text)
{
	unlink(path_in(state, STATE_MANIFEST));
	write_plain(path_in(state, STATE_MANIFEST), text);
}

__attribute__((unused)) static void
write_manifest(const char *state, const struct manifest *m)
{
	struct buf text;

	buf_init(&text, MANIFEST_MAX);
	if (manifest_format(m, &text) == -1)
		abort();
	put_manifest(state, buf_slice(&text));
	buf_fini(&text);
}

/* ---- what a generation says ---- */

__attribute__((unused)) static struct generation *
open_good(const char *state, bool verify)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(path_in(state, STATE_RULES), verify, NULL, &diag);

	ok(g != NULL && diag.n == 0, "it opens");
	show(&diag);
	diag_fini(&diag);
	return g;
}

/* All that RULE says, as one line without its end. */
static void
add_rule_text(const struct rule *rule, struct buf *out)
{
	rule_id_format(rule, out);
	buf_addf(out, " %s %s ", rule_action_name(rule->action), rule_kind_name(rule->kind));
	rule_value_format(rule, out);
	buf_addf(out, " level %d local %d files %d rev %" PRIu32 " published %" PRId64 " expires %" PRId64, rule->level,
	    rule->local, rule->files, rule->rev, rule->published, rule->expires);
	buf_addf(out, " source \"%.*s\" alert \"%.*s\" name \"%.*s\" container \"%.*s\" note \"%.*s\"", SLICE_ARGS(rule->source),
	    SLICE_ARGS(rule->alert), SLICE_ARGS(rule->name), SLICE_ARGS(rule->container), SLICE_ARGS(rule->note));
}

/* Lines in any order. */
struct lines {
	char	**v;
	size_t	  n, cap;
};

/* TEXT, which was allocated, is taken. */
static void
lines_add(struct lines *l, char *text)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 1024 : 2 * l->cap;
		if ((l->v = realloc(l->v, l->cap * sizeof(*l->v))) == NULL)
			abort();
	}
	l->v[l->n++] = text;
}

__attribute__((unused)) static void
lines_fini(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct lines){ 0 };
}

static int
compare_lines(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
lines_sort(struct lines *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare_lines);
}

static int
add_line(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct buf text;

	(void)layer, (void)ref;
	buf_init(&text, 4 * ROOM);
	add_rule_text(rule, &text);
	if (text.failed)
		abort();
	lines_add(arg, text.p);
	return 0;
}

/* What G says, sorted; the caller frees it. */
__attribute__((unused)) static struct lines
lines_of(const struct generation *g, bool *damaged)
{
	struct lines l = { 0 };

	if (generation_each(g, add_line, &l, damaged) != 0)
		abort();
	lines_sort(&l);
	return l;
}

/* How many of A are not in B; both sorted. */
__attribute__((unused)) static size_t
lines_missing(const struct lines *a, const struct lines *b)
{
	size_t n = 0;

	for (size_t i = 0, k = 0; i < a->n; i++) {
		while (k < b->n && strcmp(b->v[k], a->v[i]) < 0)
			k++;
		if (k < b->n && strcmp(b->v[k], a->v[i]) == 0)
			k++;
		else if (n++ == 0)
			printf("# missing: %.300s\n", a->v[i]);
	}
	return n;
}

/* A rule that is looked for by its id. */
struct wanted {
	const char	*id;
	struct rule	*out;
	unsigned	 found;
	struct buf	 text;		/* all that it says */
};

static int
look_at(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct wanted *w = arg;
	struct buf id;

	(void)layer, (void)ref;
	buf_init(&id, ROOM);
	if (rule_id_format(rule, &id) == 0 && slice_eq(buf_slice(&id), slice_str(w->id)) && w->found++ == 0) {
		add_rule_text(rule, &w->text);
		*w->out = *rule;
		w->out->key = (struct rule_key){ 0 };
		w->out->name = (struct slice){ 0 };
	}
	buf_fini(&id);
	return 0;
}

/* The one rule of G with ID, but for its key and name, into OUT. */
__attribute__((unused)) static int
rule_by_id(const struct generation *g, const char *id, struct rule *out)
{
	struct wanted w = { .id = id, .out = out };
	bool damaged = false;

	buf_init(&w.text, ROOM);
	generation_each(g, look_at, &w, &damaged);
	buf_fini(&w.text);
	return w.found == 1 && !damaged ? 0 : -1;
}

/* The id of row REF in LAYER, which KEY of KIND led to, behind what IDS holds.  -1 when it cannot be read, or there is no room. */
static int
add_id(const struct generation *g, unsigned layer, uint32_t ref, enum rule_kind kind, struct rule_key key,
    char ids[static TEXT_MAX])
{
	size_t len = strlen(ids);
	struct rule rule;
	struct buf id;
	int r = -1;

	buf_init(&id, ROOM);
	if (generation_rule(g, layer, ref, NULL, &rule) == 0) {
		rule.kind = kind;
		rule.key = key;
		if (rule_id_format(&rule, &id) == 0)
			r = snprintf(ids + len, TEXT_MAX - len, "%s%s", len > 0 ? " " : "", id.p) < (int)(TEXT_MAX - len) ? 0 : -1;
	}
	buf_fini(&id);
	return r;
}

/* The ids of the rules that apply to URL, most specific first, with a blank between. */
__attribute__((unused)) static const char *
url_rules(const struct generation *g, const char *raw)
{
	static char ids[TEXT_MAX];
	struct host_match matches[MAX_MATCHES];
	bool damaged = false;
	struct url url;
	size_t n;

	if (url_parse(&url, slice_str(raw)) != URL_OK)
		abort();
	n = generation_match(g, &url, matches, COUNT(matches), &damaged);
	ids[0] = '\0';
	for (size_t i = 0; i < n && n <= COUNT(matches); i++) {
		const struct host_match *m = &matches[i];
		struct rule_key key = { .scope = m->scope, .host = m->host, .path = m->path };

		damaged = add_id(g, m->layer, m->ref, m->path.len > 0 ? RULE_URL : RULE_HOST, key, ids) == -1 || damaged;
	}
	url_fini(&url);
	return damaged || n > COUNT(matches) ? "damaged" : ids;
}

/* The ids of the rules for a file. */
__attribute__((unused)) static const char *
file_rules(const struct generation *g, enum digest_alg alg, const char *hex, uint64_t size)
{
	static char ids[TEXT_MAX];
	struct hashdb_match matches[MAX_MATCHES];
	struct digest digest;
	size_t n;

	if (digest_parse(alg, slice_str(hex), &digest) == -1)
		abort();
	n = generation_find(g, &digest, size, matches, COUNT(matches), NULL);
	ids[0] = '\0';
	for (size_t i = 0; i < n && n <= COUNT(matches); i++) {
		struct rule_key key = { .digest = &digest, .size = matches[i].size };

		if (add_id(g, matches[i].layer, matches[i].ref, RULE_FILE, key, ids) == -1)
			return "a rule that cannot be read";
	}
	return n > COUNT(matches) ? "too many" : ids;
}

/* ---- rules of each kind ---- */

#define MD5	"9abc553703f4e4fedb3ed975502a2c7a"
#define SHA1	"0123456789abcdef0123456789abcdef01234567"
#define SHA256	SHA1 "0123456789abcdef01234567"

/* A rule as it is written, and as it reads back. */
struct rule_row {
	const char	*file, *line;
	struct rule	 rule;
};

#define HOST_END	(NOW + 30 * DAY)
#define FILE_END	(NOW + 3650LL * DAY)

/* In the order of the sources' names. */
static const struct rule_row rules[] = {
	{ "sources/alert-7.rules", "block file 90112:md5:" MD5 " name=setup.exe container=zip alert=7 rev=3 level=5",
	    { .action = RULE_BLOCK, .kind = RULE_FILE, .level = 5, .rev = 3, .expires = FILE_END, .id = SLICE("alert-7:1"),
	    .source = SLICE("alert-7"), .alert = SLICE("7"), .value = SLICE("90112:md5:" MD5), .name = SLICE("setup.exe"),
	    .container = SLICE("zip") } },
	{ "sources/alert-7.rules", "block file *:sha256:" SHA256,
	    { .action = RULE_BLOCK, .kind = RULE_FILE, .level = 4, .rev = 1, .expires = FILE_END, .id = SLICE("alert-7:2"),
	    .source = SLICE("alert-7"), .value = SLICE("*:sha256:" SHA256) } },
	{ "sources/feed-x.rules", "block host *.c.example level=0 expires=2026-12-01",
	    { .action = RULE_BLOCK, .kind = RULE_HOST, .level = 0, .rev = 1, .expires = 1796083200, .id = SLICE("feed-x/*.c.example"),
	    .source = SLICE("feed-x"), .value = SLICE("*.c.example") } },
	{ "sources/feed-x.rules", "allow file 5:sha1:" SHA1,
	    { .action = RULE_ALLOW, .kind = RULE_FILE, .level = 4, .rev = 1, .expires = FILE_END, .id = SLICE("feed-x/5:sha1:" SHA1),
	    .source = SLICE("feed-x"), .value = SLICE("5:sha1:" SHA1) } },
	{ "sources/local.rules", "block host .A.example note=\"say \\\"hi\\\"\" published=2026-11-01 expires=never",
	    { .action = RULE_BLOCK, .kind = RULE_HOST, .level = 4, .local = true, .rev = 1, .published = 1793491200,
	    .id = SLICE("local:1"), .source = SLICE("local"), .value = SLICE(".a.example"), .note = SLICE("say \"hi\"") } },
	{ "sources/local.rules", "allow host www.a.example files=yes rev=2147483647",
	    { .action = RULE_ALLOW, .kind = RULE_HOST, .level = 4, .local = true, .files = true, .rev = 2147483647,
	    .expires = HOST_END, .id = SLICE("local:2"), .source = SLICE("local"), .value = SLICE("www.a.example") } },
	{ "sources/local.rules", "protect host .bank.example",
	    { .action = RULE_PROTECT, .kind = RULE_HOST, .level = 4, .local = true, .rev = 1, .expires = HOST_END,
	    .id = SLICE("local:3"), .source = SLICE("local"), .value = SLICE(".bank.example") } },
	{ "sources/local.rules", "block url b.example/bad/?q=1 id=page",
	    { .action = RULE_BLOCK, .kind = RULE_URL, .level = 4, .local = true, .rev = 1, .expires = HOST_END,
	    .id = SLICE("local:page"), .source = SLICE("local"), .value = SLICE("b.example/bad/?q=1") } },
	{ "sources/local.rules", "allow url .b.example/bad/ files=no",
	    { .action = RULE_ALLOW, .kind = RULE_URL, .level = 4, .local = true, .rev = 1, .expires = HOST_END,
	    .id = SLICE("local:5"), .source = SLICE("local"), .value = SLICE(".b.example/bad/") } },
};

/* The sources of RULES, into STATE. */
__attribute__((unused)) static void
put_rules(const char *state)
{
	struct buf text;

	buf_init(&text, ROOM);
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (i > 0 && strcmp(rules[i].file, rules[i - 1].file) != 0)
			buf_reset(&text);
		buf_addf(&text, "%s\n", rules[i].line);
		put(state, rules[i].file, text.p);
	}
	buf_fini(&text);
}

/* What RULES say, sorted; the caller frees it. */
__attribute__((unused)) static struct lines
lines_of_rules(void)
{
	struct lines l = { 0 };

	for (size_t i = 0; i < COUNT(rules); i++)
		add_line(&l, &rules[i].rule, 0, 0);
	lines_sort(&l);
	return l;
}

/* ---- begin and end ---- */

/* Make our folder and the lists. */
__attribute__((unused)) static void
state_begin(void)
{
	static const char *const lookalikes[] = { LOOKALIKE_BRANDS_FILE, LOOKALIKE_CLASSES_FILE, LOOKALIKE_WORDS_FILE,
		LOOKALIKE_GLYPHS_FILE };

	alarm(LIMIT_S);
	umask(022);
	top = temp_dir();
	suffix_file = file_join(top, "suffixes.dat");
	list_folder = file_join(top, "lists");
	write_plain(suffix_file, SLICE("com\nnet\nuk\nco.uk\n"));
	if (mkdir(list_folder, 0755) == -1)
		abort();
	write_plain(path_in(list_folder, LINT_TOP_SITES), SLICE(""));
	write_plain(path_in(list_folder, LINT_SHARED_HOSTS), SLICE(""));
	for (size_t i = 0; i < COUNT(lookalikes); i++)
		write_plain(path_in(list_folder, lookalikes[i]), SLICE(""));
}

/* Remove it; the program's exit status. */
__attribute__((unused)) static int
state_end(void)
{
	remove_tree(top);
	ok(access(top, F_OK) == -1, "cleaned up");
	free(suffix_file);
	free(list_folder);
	free(top);
	return tap_done();
}

#endif
