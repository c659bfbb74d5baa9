/* Bits that flip on the disk: every byte of every file of a small state with four layers, two of them of one feed, a bit of each
 * (with CRASH_LONG=yes every bit), in a generation that is opened as a worker opens one whose files are too large to be read whole.
 * It is refused; or no answer has a rule that the same question does not have unharmed, and whoever reads every file finds it.  Nor
 * is what was harmed made anew as if it were whole. */
#include "ruleset/generation.h"
#undef GENERATION_VERIFY
#define GENERATION_VERIFY	(UINT64_C(0))	/* no file is small enough to be checked when it is opened */
#include "ruleset/layer.c"

#include "ruleset/compile.h"
#include "t/state.h"

enum { FILES_MAX = 24, BITS = 8, ANSWER_MAX = 32, STATUS_EVERY = 101, COMPACT_EVERY = 97 };

static const char layer_1[] =
	"block host .a.test note=\"one note\"\n"
	"block host www.b.test level=5\n"
	"block host *.c.test level=1 note=\"another note\"\n"
	"allow host ok.a.test files=yes\n"
	"block url .d.test/bad/ id=page\n"
	"block url d.test/bad/worse/?q=1\n"
	"allow url d.test/bad/worse/ files=no\n"
	"block path e.test/*/setup-*.exe*\n"
	"block path \"/*/payload-[x]*\"\n"
	"block path \"~[0-9]+/evil[0-9]\"\n"
	"block address 192.0.2.0/24\n"
	"allow address 192.0.2.77\n"
	"block address 2001:db8:1::/48\n"
	"block file 90112:md5:" MD5 " name=setup.exe container=zip\n"
	"block file *:sha1:" SHA1 " name=setup-2.exe\n"
	"allow file 4096:sha256:" SHA256 "\n"
	"block file 5:name:patch{DIGIT[3]}*.exe\n"
	"allow file *:name:caf%C3%A9-{ANY[2-9]}.exe\n"
	"except rule 1:one:x client=192.0.2.0/24 user=ann host=www.a.test\n"
	"protect host .bank.test\n";
/* What layer 2 has anew: none of it counts any more. */
static const char gone[] =
	"block host .gone.test\n"
	"block url d.test/gone/\n"
	"block path gone.test/*gone*\n"
	"block address 198.51.100.0/24\n"
	"block file 777:name:gone.exe\n"
	"block file 777:md5:ffffffffffffffffffffffffffffffff\n";
static const char layer_2[] =
	"block host .f.test note=\"one note\"\n"
	"block host .a.test level=2 note=second\n"
	"block url f.test/x/\n"
	"block path f.test/*.scr\n"
	"block address 203.0.113.128/25\n"
	"block file 5:name:second-*.exe\n"
	"block file 91000:md5:00112233445566778899aabbccddeeff\n";

static const char *const urls[] = {
	"http://a.test/", "http://www.a.test/x", "http://ok.a.test/", "http://b.test/", "http://www.b.test/", "http://c.test/",
	"http://x.c.test/", "http://d.test/", "http://d.test/bad/", "http://d.test/bad/worse/?q=1", "http://www.d.test/bad/x",
	"http://d.test/good", "http://e.test/1/setup-9.exe", "http://e.test/1/setup-9.exf", "http://x.test/q/payload-[x]9",
	"http://x.test/q/payload-[y]9", "http://x.test/12/evil7", "http://x.test/12/evilx", "http://192.0.2.1/", "http://192.0.2.77/",
	"http://192.0.3.1/", "http://[2001:db8:1::5]/", "http://[2001:db8:2::5]/", "http://bank.test/", "http://gone.test/",
	"http://x.gone.test/gone", "http://d.test/gone/", "http://gone.test/1gone2", "http://198.51.100.9/", "http://f.test/",
	"http://f.test/x/", "http://f.test/a.scr", "http://203.0.113.200/", "http://203.0.113.1/", "http://a.tesu/", "http://e.tesu/",
	"http://zz.test/", "http://test/", "http://q.test/bad/", "http://127.0.0.1/bad/", "http://s1.test/", "http://s2.test/",
	"http://s3.test/", "http://s4.test/", "http://x.s2.test/", "http://s3.test/s", "http://100.64.0.9/", "http://100.64.1.9/",
};
static const struct { enum digest_alg alg; const char *hex; uint64_t size; } digests[] = {
	{ DIGEST_MD5, MD5, 90112 }, { DIGEST_MD5, MD5, 90113 }, { DIGEST_SHA1, SHA1, 5 }, { DIGEST_SHA256, SHA256, 4096 },
	{ DIGEST_SHA256, SHA256, 4097 }, { DIGEST_MD5, "ffffffffffffffffffffffffffffffff", 777 },
	{ DIGEST_MD5, "00112233445566778899aabbccddeeff", 91000 }, { DIGEST_MD5, "00112233445566778899aabbccddeefe", 91000 },
	{ DIGEST_MD5, "11112233445566778899aabbccddeeff", 5 }, { DIGEST_MD5, "22222233445566778899aabbccddeeff", 5 },
	{ DIGEST_SHA1, "0123456789abcdef0123456789abcdef01234566", 5 }, { DIGEST_MD5, "9abc553703f4e4fedb3ed975502a2c7b", 90112 },
};

static const struct { const char *name; uint64_t size; } names[] = {
	{ "patch121.exe", 5 }, { "patch121.exe", 6 }, { "patch12.exe", 5 }, { "caf\xc3\xa9-12.exe", 5 }, { "gone.exe", 777 },
	{ "second-.exe", 5 }, { "recond-.exe", 5 },
};

static const struct { const char *rule; uint32_t rev; struct asker asker; } excepted[] = {
	{ "one:1", 1, { { "192.0.2.9", 9 }, { "ann", 3 }, { "www.a.test", 10 }, NULL } }, { "one:1", 2, { { "192.0.2.9", 9 }, { "ann", 3 },
	    { "www.a.test", 10 }, NULL } }, { "one:1", 1, { { "192.0.3.9", 9 }, { "ann", 3 }, { "www.a.test", 10 }, NULL } },
	{ "one:1", 1, { { "192.0.2.9", 9 }, { "bob", 3 }, { "www.a.test", 10 }, NULL } }, { "one:2", 1, { { "192.0.2.9", 9 }, { "ann", 3 },
	    { "www.a.test", 10 }, NULL } },
};

enum { NAMES_FROM = COUNT(urls) + COUNT(digests), EXCEPTED_FROM = NAMES_FROM + COUNT(names),
	QUESTIONS = EXCEPTED_FROM + COUNT(excepted) };

/* What there is to be asked, read once. */
static struct url asked[COUNT(urls)];
static struct digest asked_digests[COUNT(digests)];

/* ---- asking ---- */

/* The rules that were found for one question; the texts are to be freed. */
struct answer {
	char	*v[ANSWER_MAX];
	size_t	 n;
};

/* Add the rule that row REF of LAYER is.  One that cannot be read is none. */
static void
add_answer(const struct generation *g, struct answer *a, enum rule_kind kind, const struct rule_key *key, unsigned layer,
    uint32_t ref)
{
	char name[RULE_NAME_MAX];
	struct rule rule;
	struct buf text;

	if (a->n == ANSWER_MAX || generation_rule(g, layer, ref, name, &rule) == -1)
		return;
	rule.kind = kind;
	rule.key = *key;
	buf_init(&text, ROOM);
	add_rule_text(&rule, &text);
	if (text.failed)
		abort();
	a->v[a->n++] = text.p;
}

static void
ask_hosts(const struct generation *g, const struct url *url, struct answer *out)
{
	struct host_match m[ANSWER_MAX];
	bool damaged = false;
	size_t n = generation_match(g, url, m, COUNT(m), &damaged);

	for (size_t i = 0; n <= COUNT(m) && i < n; i++)
		add_answer(g, out, m[i].path.len > 0 ? RULE_URL : RULE_HOST,
		    &(struct rule_key){ .scope = m[i].scope, .host = m[i].host, .path = m[i].path }, m[i].layer, m[i].ref);
}

static void
ask_patterns(const struct generation *g, const struct url *url, struct answer *out)
{
	struct pattern_match m[ANSWER_MAX];
	bool unchecked = false;
	size_t n = generation_match_patterns(g, url, m, COUNT(m), &unchecked);

	for (size_t i = 0; n <= COUNT(m) && i < n; i++)
		add_answer(g, out, RULE_PATH, &(struct rule_key){ .scope = m[i].scope, .host = m[i].host, .path = m[i].pattern },
		    m[i].layer, m[i].ref);
}

static void
ask_addresses(const struct generation *g, const struct url *url, struct answer *out)
{
	struct address_match m[ANSWER_MAX];
	bool damaged = false;
	size_t n = generation_match_addresses(g, url, m, COUNT(m), &damaged);

	for (size_t i = 0; n <= COUNT(m) && i < n; i++)
		add_answer(g, out, RULE_ADDRESS, &(struct rule_key){ .network = m[i].network }, m[i].layer, m[i].ref);
}

static void
ask_files(const struct generation *g, size_t which, struct answer *out)
{
	struct hashdb_match m[ANSWER_MAX];
	size_t n = generation_find(g, &asked_digests[which], digests[which].size, m, COUNT(m), NULL);

	generation_has_size(g, digests[which].size);
	for (size_t i = 0; n <= COUNT(m) && i < n; i++)
		add_answer(g, out, RULE_FILE, &(struct rule_key){ .digest = &asked_digests[which], .size = m[i].size }, m[i].layer, m[i].ref);
}

static void
ask_names(const struct generation *g, size_t which, struct answer *out)
{
	struct file_names one = { 0 };
	struct name_match m[ANSWER_MAX];
	size_t n;

	file_names_add(&one, slice_str(names[which].name));
	n = generation_match_names(g, &one, names[which].size, m, COUNT(m));
	generation_has_named_size(g, names[which].size);
	for (size_t i = 0; n <= COUNT(m) && i < n; i++)
		add_answer(g, out, RULE_FILE, &(struct rule_key){ .path = m[i].pattern, .size = m[i].size }, m[i].layer, m[i].ref);
}

static void
ask_exceptions(const struct generation *g, size_t which, struct answer *out)
{
	struct exception_match m[ANSWER_MAX];
	size_t n = generation_match_exceptions(g, slice_str(excepted[which].rule), excepted[which].rev, &excepted[which].asker,
	    INT64_MIN, m, COUNT(m));

	for (size_t i = 0; i < n; i++)
		add_answer(g, out, RULE_RULE, &(struct rule_key){ .path = SLICE("an exception") }, m[i].layer, m[i].ref);
}

static void
ask(const struct generation *g, size_t question, struct answer *out)
{
	out->n = 0;
	if (question >= EXCEPTED_FROM) {
		ask_exceptions(g, question - EXCEPTED_FROM, out);
		return;
	}
	if (question >= NAMES_FROM) {
		ask_names(g, question - NAMES_FROM, out);
		return;
	}
	if (question >= COUNT(urls)) {
		ask_files(g, question - COUNT(urls), out);
		return;
	}
	ask_hosts(g, &asked[question], out);
	ask_patterns(g, &asked[question], out);
	ask_addresses(g, &asked[question], out);
}

static void
answer_fini(struct answer *a)
{
	while (a->n > 0)
		free(a->v[--a->n]);
}

/* ---- the state ---- */

static struct answer unharmed[QUESTIONS];
static struct lines unharmed_lines;

/* The files of STATE/rules that the MANIFEST names, and itself. */
static struct {
	char		*path;
	struct buf	 bytes;
} files[FILES_MAX];
static size_t n_files;

static void
add_file(const char *state, const char *name)
{
	if (asprintf(&files[n_files].path, "%s/" STATE_RULES "/%s", state, name) == -1)
		abort();
	files[n_files].bytes = content(files[n_files].path);
	n_files++;
}

/* Two layers: those that one publish of each made.  What "moved" has in the first does not count. */
static struct manifest
merge(const char *state, const char *other)
{
	struct manifest m = read_manifest(state), second = read_manifest(other);
	struct manifest_layer *layer = &m.layers[m.n_layers++];

	*layer = second.layers[0];
	layer->number = 2;
	m.generation = 2;
	for (size_t i = 0; i < layer->n; i++) {
		struct buf bytes = content(segment_path(other, layer->segments[i].kind, 1));

		write_plain(segment_path(state, layer->segments[i].kind, 2), buf_slice(&bytes));
		snprintf(layer->segments[i].name, MANIFEST_NAME, "%s-2.seg", segment_kind_name(layer->segments[i].kind));
		buf_fini(&bytes);
	}
	*manifest_source(&m, SLICE("moved")) = *manifest_source(&second, SLICE("moved"));
	manifest_source(&m, SLICE("moved"))->layer = 2;
	manifest_fini(&second);
	return m;
}

/* What layer 3 has of a feed, and layer 4 says anew of it: "-" that it is gone. */
static const struct {
	bool		 delta;
	const char	*action;
	enum rule_kind	 kind;
	const char	*value;
} spread[] = {
	{ false, "block", RULE_HOST, ".s1.test" }, { false, "block", RULE_HOST, ".s2.test" }, { false, "block", RULE_HOST, "s3.test" },
	{ false, "block", RULE_URL, "s3.test/s" }, { false, "block", RULE_ADDRESS, "100.64.0.0/24" },
	{ false, "block", RULE_ADDRESS, "100.64.1.0/24" }, { false, "block", RULE_FILE, "5:md5:11112233445566778899aabbccddeeff" },
	{ false, "block", RULE_FILE, "5:md5:22222233445566778899aabbccddeeff" },
	{ true, "-", RULE_HOST, ".s1.test" }, { true, "allow", RULE_HOST, ".s2.test" }, { true, "block", RULE_HOST, "s4.test" },
	{ true, "-", RULE_URL, "s3.test/s" }, { true, "-", RULE_ADDRESS, "100.64.0.0/24" },
	{ true, "-", RULE_FILE, "5:md5:11112233445566778899aabbccddeeff" },
};

enum { SPREAD_RULES = 8 - 4 + 1 };	/* that count */

static void
write_spread_layer(const char *state, bool delta, uint64_t number, struct manifest_layer *out)
{
	struct compiler *c = compiler_new(path_in(state, STATE_RULES), number, ROOM, NULL);
	uint64_t counts[ROW_COUNTS] = { [COUNT_HOSTS] = 3, [COUNT_ADDRESSES] = 1, [COUNT_FILES + DIGEST_MD5] = 1 };
	char why[RULE_WHY];
	size_t at;

	if (c == NULL || compiler_feed(c, SLICE("spread"), delta) == -1)
		abort();
	compiler_set_counts(c, counts);
	for (size_t i = 0; i < COUNT(spread); i++) {
		struct rule rule = { .kind = spread[i].kind, .level = 4, .rev = 1,
			.expires = spread[i].kind == RULE_FILE ? RULE_ENDS_FILES : RULE_ENDS_HOSTS };
		struct rule_match match;

		if (spread[i].delta != delta)
			continue;
		rule.action = strcmp(spread[i].action, "allow") == 0 ? RULE_ALLOW : RULE_BLOCK;
		if (rule_match_parse(rule.kind, slice_str(spread[i].value), &match, why, &at) == -1)
			abort();
		rule.key = rule_match_key(&match);
		if ((spread[i].action[0] == '-' ? compiler_remove(c, rule.kind, &rule.key) : compiler_put(c, &rule)) == -1)
			abort();
		rule_match_fini(&match);
	}
	if (compiler_write(c, out) == -1)
		abort();
	compiler_free(c);
}

/* A feed in two layers more. */
static void
add_spread(const char *state, struct manifest *m)
{
	struct manifest_source s = { .name = "spread", .rules = SPREAD_RULES, .stamp = 1, .has_ends = true, .host_end = NOW + DAY,
		.file_end = NOW + 2 * DAY };

	write_spread_layer(state, false, 3, &m->layers[m->n_layers++]);
	write_spread_layer(state, true, 4, &m->layers[m->n_layers++]);
	manifest_source_set(&s, (const uint64_t[]){ 3, 4 }, 2);
	if (manifest_add_source(m, &s) == -1)
		abort();
}

static char *
make_state(void)
{
	char *state = new_state(), *other = new_state();
	struct manifest m;

	put(state, "sources/first.rules", layer_1);
	put(state, "sources/moved.rules", gone);
	put(other, "sources/moved.rules", layer_2);
	/* Some addresses are of documentation, which is only said. */
	put(state, "site.conf", "LintAddress ignore\n");
	put(other, "site.conf", "LintAddress ignore\n");
	ok(publish_good(state, NULL) == 1 && publish_good(other, NULL) == 1, "two layers are made");
	m = merge(state, other);
	add_spread(state, &m);
	unlink(path_in(state, STATE_RULES "/MANIFEST.1"));
	write_manifest(state, &m);
	add_file(state, "MANIFEST");
	add_file(state, m.site.name);
	for (size_t i = 0; i < m.n_layers; i++)
		for (size_t k = 0; k < m.layers[i].n; k++)
			add_file(state, m.layers[i].segments[k].name);
	is_int((long long)n_files, 2 + 7 + 6 + 4 + 4, "files, of every kind");
	manifest_fini(&m);
	free(other);
	return state;
}

static void
remember(const char *state)
{
	struct generation *g = open_good(state, true);
	size_t rules_found = 0, without = 0;
	bool damaged = false;

	for (size_t i = 0; i < COUNT(urls); i++)
		if (url_parse(&asked[i], slice_str(urls[i])) != URL_OK)
			abort();
	for (size_t i = 0; i < COUNT(digests); i++)
		if (digest_parse(digests[i].alg, slice_str(digests[i].hex), &asked_digests[i]) == -1)
			abort();
	for (size_t i = 0; i < QUESTIONS; i++) {
		ask(g, i, &unharmed[i]);
		rules_found += unharmed[i].n;
		without += unharmed[i].n == 0;
	}
	unharmed_lines = lines_of(g, &damaged);
	is_int((long long)unharmed_lines.n, 20 + 7 + SPREAD_RULES, "rules that count");
	ok(rules_found > 20 && without > 8, "%zu questions have %zu rules, %zu none", (size_t)QUESTIONS, rules_found, without);
	generation_close(g);
}

/* ---- flipping ---- */

struct tally {
	unsigned long flips, refused, harmless, lost, invented, unverified, status, compacted, compact_refused, laundered;
};

static void
flip(size_t file, size_t at, int bit)
{
	char byte = (char)(files[file].bytes.p[at] ^ (bit < 0 ? 0 : 1 << bit));
	int fd = open(files[file].path, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || pwrite(fd, &byte, 1, (off_t)at) != 1)
		abort();
	close(fd);
}

static bool
has_line(char *const *v, size_t n, const char *line)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], line) == 0)
			return true;
	return false;
}

/* Ask G everything: true when all is as it was, and what was invented is counted and shown. */
static bool
ask_all(const struct generation *g, const char *where, struct tally *t)
{
	bool same = true;

	for (size_t i = 0; i < QUESTIONS; i++) {
		struct answer a;

		ask(g, i, &a);
		same = same && a.n == unharmed[i].n;
		for (size_t k = 0; k < a.n; k++)
			if (!has_line(unharmed[i].v, unharmed[i].n, a.v[k])) {
				t->invented++;
				printf("# %s: question %zu (%s) has %s\n", where, i, i < COUNT(urls) ? urls[i] : "a file", a.v[k]);
			}
		answer_fini(&a);
	}
	return same;
}

/* The same of the walk through all rules. */
static bool
walk(const struct generation *g, const char *where, struct tally *t)
{
	bool damaged = false, same;
	struct lines l = lines_of(g, &damaged);

	for (size_t i = 0; i < l.n; i++)
		if (!has_line(unharmed_lines.v, unharmed_lines.n, l.v[i])) {
			t->invented++;
			printf("# %s: the walk has %s\n", where, l.v[i]);
		}
	same = l.n == unharmed_lines.n;
	if (!same && !damaged)
		printf("# %s: the walk lost %zu rules and does not know it\n", where, unharmed_lines.n - l.n);
	lines_fini(&l);
	return same;
}

static void
try_open(const char *dir, const char *where, bool is_manifest, struct tally *t)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(dir, false, NULL, &diag);
	bool as_it_was = false;

	if (g == NULL) {
		t->refused++;
		if (diag.n_errors == 0)
			ok(false, "%s: refused without a word", where);
	} else {
		bool same = ask_all(g, where, t);

		same = walk(g, where, t) && same;
		t->harmless += same;
		t->lost += !same;
		as_it_was = same && is_manifest;
	}
	generation_close(g);
	diag_fini(&diag);
	/* A digit of a sum may be a capital letter. */
	if ((g = generation_open(dir, true, NULL, NULL)) != NULL && !as_it_was) {
		t->unverified++;
		printf("# %s: verification does not see it\n", where);
	}
	generation_close(g);
}

/* What "firebreak status --verify" ends with. */
static int
status_verify(const char *state)
{
	const char *build = getenv("top_builddir");
	char *program = file_join(build != NULL ? build : ".", "firebreak");
	pid_t pid = fork_quietly();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(program, program, "status", "--verify", "--state", state, (char *)NULL);
		_exit(127);
	}
	free(program);
	return status_of(pid);
}

/* Put every file of DIR in its place again, and nothing else. */
static void
restore(const char *state)
{
	remove_tree(path_in(state, STATE_RULES));
	if (state_make(state) == -1)
		abort();
	for (size_t i = 0; i < n_files; i++)
		write_plain(files[i].path, buf_slice(&files[i].bytes));
}

/* Make one layer of what is harmed: refused; or all of it is there; or verification still finds the harm. */
static void
try_compact(const char *state, const char *where, struct tally *t)
{
	struct publish_options options = options_of(state);
	struct publish_report report;
	struct diag diag = { 0 };
	struct generation *g;
	struct lines l = { 0 };
	bool damaged = false;

	t->compacted++;
	if (publish_compact(&options, &report, &diag) == -1) {
		t->compact_refused++;
		if (diag.n_errors == 0)
			ok(false, "%s: not compacted, without a word", where);
	} else {
		if ((g = generation_open(path_in(state, STATE_RULES), true, NULL, NULL)) != NULL)
			l = lines_of(g, &damaged);
		if (g != NULL && (damaged || l.n != unharmed_lines.n || lines_missing(&unharmed_lines, &l) > 0)) {
			t->laundered++;
			printf("# %s: compacted, %zu rules\n", where, l.n);
		}
		generation_close(g);
		lines_fini(&l);
	}
	diag_fini(&diag);
	restore(state);
}

static void
flip_one(const char *state, size_t file, size_t at, int bit, struct tally *t)
{
	char where[TEXT_MAX];

	snprintf(where, sizeof(where), "%s, byte %zu, bit %d", strrchr(files[file].path, '/') + 1, at, bit);
	t->flips++;
	flip(file, at, bit);
	try_open(path_in(state, STATE_RULES), where, file == 0, t);
	if (t->flips % STATUS_EVERY == 0) {
		t->status++;
		if (status_verify(state) != 1)
			ok(false, "%s: status --verify ends with 1", where);
	}
	if (t->flips % COMPACT_EVERY == 0)
		try_compact(state, where, t);
	else
		flip(file, at, -1);
}

static void
flip_file(const char *state, size_t file, bool every_bit)
{
	const char *name = strrchr(files[file].path, '/') + 1;
	struct tally t = { 0 };

	for (size_t at = 0; at < files[file].bytes.len; at++)
		for (int bit = 0; bit < BITS; bit++)
			if (every_bit || bit == (int)((at + at / BITS) % BITS))
				flip_one(state, file, at, bit, &t);
	ok(t.invented == 0, "%s: %lu flips: %lu refused, %lu harmless, %lu lost a rule; none made one", name, t.flips, t.refused,
	    t.harmless, t.lost);
	ok(t.unverified == 0, "%s: verification finds each, the command %lu of them", name, t.status);
	ok(t.laundered == 0, "%s: of %lu that were compacted %lu were refused, and of the others nothing is lost unseen", name,
	    t.compacted, t.compact_refused);
}

/* A file that ends early or is longer, and one that has a page of zeros. */
static void
cut_file(const char *state, size_t file)
{
	const char *name = strrchr(files[file].path, '/') + 1;
	struct buf *b = &files[file].bytes;
	size_t opened = 0;
	struct generation *g;

	for (size_t len = 0; len <= b->len + 1; len++) {
		struct buf text;

		if (len == b->len)
			continue;
		buf_init(&text, ROOM);
		buf_add_slice(&text, slice_head(buf_slice(b), len));
		if (len > b->len)
			buf_add_char(&text, '\0');
		write_plain(files[file].path, buf_slice(&text));
		buf_fini(&text);
		if ((g = generation_open(path_in(state, STATE_RULES), false, NULL, NULL)) != NULL)
			opened++;
		generation_close(g);
	}
	ok(opened == 0, "%s: of no other length", name);
	write_plain(files[file].path, buf_slice(b));
}

int
main(void)
{
	bool every_bit = getenv("CRASH_LONG") != NULL && strcmp(getenv("CRASH_LONG"), "yes") == 0;
	char *state;

	/* Nothing here needs a disk, and compacting waits for one. */
	if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 1);
	state_begin();
	alarm(every_bit ? 0 : LIMIT_S);
	state = make_state();
	remember(state);
	is_int(status_verify(state), 0, "unharmed, status --verify is fine");
	for (size_t i = 0; i < n_files; i++) {
		flip_file(state, i, every_bit);
		cut_file(state, i);
	}
	for (size_t i = 0; i < QUESTIONS; i++)
		answer_fini(&unharmed[i]);
	for (size_t i = 0; i < COUNT(urls); i++)
		url_fini(&asked[i]);
	for (size_t i = 0; i < n_files; i++) {
		free(files[i].path);
		buf_fini(&files[i].bytes);
	}
	lines_fini(&unharmed_lines);
	free(state);
	return state_end();
}
