/* whole - looks at a state from outside, for t/crash.sh: is what is live one whole generation, and which one?
 *
 *	whole STATE			"CONTENT NUMBER", of the live generation, verified; "none"; or "broken: WHY".  Then a line
 *					"left NAME" for every file that nothing names or that was only on its way, and "kept NUMBER: WHY"
 *					for a kept generation that cannot be gone back to
 *	whole watch STATE CONTENT...	opens it again and again until standard input ends: "opened N" and how often it was other
 *					than CONTENT
 *	whole compile DIR RULES		one layer of so many host and file rules, with so little memory that sorts are spilled
 *
 * CONTENT stands for all rules, whatever their order; dates and ids are left out of it, for "firebreak block" makes new ones. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/siphash.h"
#include "ruleset/compile.h"
#include "ruleset/generation.h"
#include "ruleset/keep.h"
#include "runtime/state.h"

enum { ROOM = 1 << 20, USAGE = 2, RANDOM_NAME = 6, FILE_SIZE = 1000 };

/* ---- what it says ---- */

struct content {
	uint64_t sum, n;
};

static int
add_rule(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak whole";
	struct content *c = arg;
	char space[ROOM / 64];
	struct buf text;

	(void)layer, (void)ref;
	buf_init_in(&text, space, sizeof(space), ROOM);
	buf_addf(&text, "%s %s ", rule_action_name(rule->action), rule_kind_name(rule->kind));
	rule_value_format(rule, &text);
	buf_addf(&text, " %d %d %d", rule->level, rule->local, rule->files);
	buf_addf(&text, " \"%.*s\" \"%.*s\" \"%.*s\" \"%.*s\" \"%.*s\"", SLICE_ARGS(rule->source), SLICE_ARGS(rule->alert),
	    SLICE_ARGS(rule->name), SLICE_ARGS(rule->container), SLICE_ARGS(rule->note));
	if (text.failed)
		abort();
	c->sum += siphash(key, buf_slice(&text));
	c->n++;
	buf_fini(&text);
	return 0;
}

/* What G says into TEXT; false, and why, when it does not hold together. */
static bool
describe(const struct generation *g, char text[static 64])
{
	struct content c = { 0 };
	bool damaged = false;

	generation_each(g, add_rule, &c, &damaged);
	if (!damaged && c.n == generation_rules(g)) {
		snprintf(text, 64, "%016" PRIx64, c.sum);
		return true;
	}
	snprintf(text, 64, "broken: %" PRIu64 " rules of %" PRIu64, c.n, generation_rules(g));
	return false;
}

static const char *
rules_of(const char *state)
{
	static char path[STATE_PATH];

	if (state_path(state, STATE_RULES, path) == -1)
		abort();
	return path;
}

/* ---- what lies there ---- */

static void
print_left(const char *folder, const char *name)
{
	printf("left %s/%s\n", folder, name);
}

/* "MANIFEST.new-x7Kq2b": on its way to a name. */
static bool
is_temporary(const char *name)
{
	const char *end = strrchr(name, '.');

	if (end == NULL)
		return false;
	end += strncmp(end, ".new-", 5) == 0 ? 4 : 0;
	if (strlen(end + 1) != RANDOM_NAME)
		return false;
	for (const char *p = end + 1; *p != '\0'; p++)
		if (!ascii_is_alpha(*p) && !ascii_is_digit(*p))
			return false;
	return true;
}

static bool
names(const struct manifest *m, const char *name)
{
	if (strcmp(m->site.name, name) == 0 || (m->lookalike.len > 0 && strcmp(m->lookalike.name, name) == 0))
		return true;
	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < m->layers[i].n; k++)
			if (strcmp(m->layers[i].segments[k].name, name) == 0)
				return true;
	return false;
}

/* The manifest FILE of DIR names the segment NAME. */
static bool
is_named_by(const char *dir, const char *file, const char *name)
{
	char *path = file_join(dir, file);
	struct manifest m;
	bool named = manifest_load(path, &m, NULL) == 0 && names(&m, name);

	manifest_fini(&m);
	free(path);
	return named;
}

static bool
is_wanted(const char *dir, const uint64_t *kept, int n, const char *name)
{
	char file[64], signed_text[64];

	if (strcmp(name, "MANIFEST") == 0 || strcmp(name, "SIGNED.minisig") == 0 || strcmp(name, "lock") == 0 || strcmp(name, "compact.lock") == 0 ||
	    is_named_by(dir, "MANIFEST", name))
		return true;
	for (int i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "MANIFEST.%" PRIu64, kept[i]);
		snprintf(signed_text, sizeof(signed_text), "SIGNED.%" PRIu64, kept[i]);
		if (strcmp(file, name) == 0 || strcmp(signed_text, name) == 0 || is_named_by(dir, file, name))
			return true;
	}
	return false;
}

static void
look_into(const char *state, const char *folder, const uint64_t *kept, int n)
{
	char path[STATE_PATH];
	DIR *dir = state_path(state, folder, path) == -1 ? NULL : opendir(path);
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (e->d_type == DT_REG && (is_temporary(e->d_name) ||
		    (strcmp(folder, STATE_RULES) == 0 && !is_wanted(path, kept, n, e->d_name))))
			print_left(folder, e->d_name);
	if (dir != NULL)
		closedir(dir);
}

static void
check_kept(const char *dir, uint64_t number)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open_kept(dir, number, true, &diag);
	char text[64];

	if (g == NULL)
		printf("kept %" PRIu64 ": %s\n", number, diag_first_error(&diag));
	else if (!describe(g, text))
		printf("kept %" PRIu64 ": %s\n", number, text);
	generation_close(g);
	diag_fini(&diag);
}

static void
print_lying(const char *state)
{
	uint64_t *kept = NULL;
	int n = keep_list(rules_of(state), &kept);

	for (int i = 0; i < n; i++)
		check_kept(rules_of(state), kept[i]);
	look_into(state, STATE_RULES, kept, n);
	look_into(state, STATE_SOURCES, kept, n);
	look_into(state, ".", kept, n);
	free(kept);
}

static int
look(const char *state)
{
	struct diag diag = { 0 };
	struct generation *g;
	char text[64];

	errno = 0;
	g = generation_open(rules_of(state), true, NULL, &diag);
	if (g != NULL) {
		describe(g, text);
		printf("%s %" PRIu64 "\n", text, generation_number(g));
	} else if (errno == ENOENT) {
		puts("none");
	} else {
		printf("broken: %s: %s\n", diag.n > 0 && diag.v[0].file != NULL ? diag.v[0].file : "", diag_first_error(&diag));
	}
	generation_close(g);
	diag_fini(&diag);
	print_lying(state);
	return 0;
}

/* ---- watching ---- */

/* Open the live generation, now and then with every file verified and from scratch; the new one goes to *HELD.  Whether it is one
 * of CONTENTS. */
static bool
watch_once(const char *state, char *const *contents, bool verify, struct generation **held)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(rules_of(state), verify, *held, &diag);
	char text[64] = "";
	bool good = false;

	if (g != NULL && describe(g, text))
		for (char *const *c = contents; *c != NULL; c++)
			good = good || strcmp(*c, text) == 0;
	if (!good)
		printf("wrong: %s\n", g == NULL ? diag_first_error(&diag) : text);
	/* What a worker still uses stays as it was, whatever was removed since. */
	if (*held != NULL && !describe(*held, text)) {
		printf("wrong: what is in use became %s\n", text);
		good = false;
	}
	if (g != NULL) {
		generation_close(*held);
		*held = g;
	}
	diag_fini(&diag);
	return good;
}

static int
watch(const char *state, char *const *contents)
{
	enum { VERIFY_EVERY = 8, PAUSE_MS = 1 };
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct generation *held = NULL;
	uint64_t n = 0, wrong = 0;

	for (; poll(&in, 1, PAUSE_MS) == 0; n++)
		if (!watch_once(state, contents, n % VERIFY_EVERY == 0, &held))
			wrong++;
	generation_close(held);
	printf("opened %" PRIu64 " wrong %" PRIu64 "\n", n, wrong);
	return wrong > 0;
}

/* ---- spilled sorts ---- */

static int
add_to_compiler(struct compiler *c, uint64_t i)
{
	struct rule rule = { .action = RULE_BLOCK, .level = 3, .rev = 1, .line = (uint32_t)i + 1, .source = SLICE("big") };
	struct rule_match match = { .scope = SCOPE_EXACT, .size = FILE_SIZE + i % 100 };
	uint64_t mixed = i * UINT64_C(0x9e3779b97f4a7c15);

	rule.kind = i % 2 == 0 ? RULE_HOST : RULE_FILE;
	match.host_len = (size_t)snprintf(match.host, sizeof(match.host), "h%016" PRIx64 ".example", mixed);
	memcpy(match.digest.b, &mixed, sizeof(mixed));
	match.digest.alg = DIGEST_MD5;
	return compiler_add(c, &rule, &match);
}

static int
compile(const char *dir, uint64_t rules)
{
	struct diag diag = { 0 };
	struct compiler *c = compiler_new(dir, 1, 0, &diag);
	struct manifest_layer made;
	int r = c == NULL ? -1 : compiler_source(c, SLICE("big"));

	for (uint64_t i = 0; r == 0 && i < rules; i++)
		if ((r = add_to_compiler(c, i)) == -1)
			diag_add(&diag, DIAG_ERROR, dir, 0, 0, "%s", strerror(errno));
	if (r == 0)
		r = compiler_write(c, &made);
	compiler_free(c);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return r == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	uint64_t n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2)
		return look(argv[1]);
	if (argc > 3 && strcmp(argv[1], "watch") == 0)
		return watch(argv[2], argv + 3);
	if (argc == 4 && strcmp(argv[1], "compile") == 0 && slice_u64(slice_str(argv[3]), &n) == 0)
		return compile(argv[2], n);
	return USAGE;
}
