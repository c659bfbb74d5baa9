/* Generations that follow each other: only what changed is read, small layers are folded, there are never many, and whatever
 * happens in between, a generation says what its sources say: no more, no less.  An oracle keeps what each source says. */
#include "ruleset/compile.h"
#include "t/state.h"

enum { SOURCES = 12, HOSTS = 60, DIGESTS = 20, PUBLISHES = 200, LAYERS_WANTED = 8, KEPT = 3, WORDS_MAX = 400, NOTE = 4000 };
enum { LARGE = 300, HUGE = 1300 };	/* rules with a note each: above FOLD_ALWAYS, and above GENERATION_VERIFY */

static uint64_t seed = 88172645463325252;

static uint64_t
chance(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* ---- the oracle ---- */

/* A rule as it is written, what it says, and what it matches. */
struct said {
	char			*line, *text, *id;
	enum rule_kind		 kind;
	enum host_scope		 scope;
	unsigned		 host, path, digest;	/* numbers; PATH 0 is none */
	uint64_t		 size;
};

struct source_said {
	char		 name[32];
	bool		 there, published;	/* it has a file; it is in the generation */
	struct said	*said;
	size_t		 n;
};

struct oracle {
	char			*state;
	struct source_said	 sources[SOURCES];
};

static void
forget(struct source_said *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->said[i].line);
		free(s->said[i].text);
		free(s->said[i].id);
	}
	free(s->said);
	s->said = NULL;
	s->n = 0;
}

static void
oracle_init(struct oracle *o)
{
	static const char *const kind[] = { "feed-", "", "alert-", "a-", "a" };

	*o = (struct oracle){ .state = new_state() };
	for (size_t i = 0; i < SOURCES; i++)
		snprintf(o->sources[i].name, sizeof(o->sources[i].name), "%ss%zu", kind[i % COUNT(kind)], i / 2);
	put(o->state, STATE_SITE, "KeepGenerations 3\nLintShrank ignore\nLintGrew ignore\n");
}

static void
oracle_fini(struct oracle *o)
{
	for (size_t i = 0; i < SOURCES; i++)
		forget(&o->sources[i]);
	free(o->state);
}

static void
digest_text(unsigned n, char hex[static 65])
{
	snprintf(hex, 65, "%0*u", n % 3 == 0 ? 32 : n % 3 == 1 ? 40 : 64, 7000 + n);
}

static enum digest_alg
digest_alg_of(unsigned n)
{
	return n % 3 == 0 ? DIGEST_MD5 : n % 3 == 1 ? DIGEST_SHA1 : DIGEST_SHA256;
}

/* What S matches, as a source writes it. */
static void
add_value(const struct said *s, struct buf *out)
{
	static const char *const marks[] = { [SCOPE_EXACT] = "", [SCOPE_DOMAIN] = ".", [SCOPE_BELOW] = "*." };
	char hex[65];

	if (s->kind == RULE_FILE) {
		digest_text(s->digest, hex);
		if (s->size == HASHDB_SIZE_ANY)
			buf_add_char(out, '*');
		else
			buf_addf(out, "%" PRIu64, s->size);
		buf_addf(out, ":%s:%s", digest_alg_name(digest_alg_of(s->digest)), hex);
		return;
	}
	buf_addf(out, "%sh%u.example", marks[s->scope], s->host);
	if (s->kind == RULE_URL)
		buf_addf(out, "/p%u/", s->path);
}

static struct said
choose_match(void)
{
	struct said s = { .kind = (enum rule_kind)chance(3) };

	if (s.kind == RULE_FILE) {
		s.digest = (unsigned)chance(DIGESTS);
		s.size = chance(3) == 0 ? HASHDB_SIZE_ANY : 1000 + chance(3);
		return s;
	}
	s.scope = (enum host_scope)chance(3);
	s.host = (unsigned)chance(HOSTS);
	s.path = s.kind == RULE_URL ? 1 + (unsigned)chance(3) : 0;
	return s;
}

/* Line N of SOURCE, with a note of NOTE_LEN bytes. */
static struct said
make_said(const char *source, unsigned n, size_t note_len)
{
	struct said s = choose_match();
	bool labelled = chance(3) == 0, is_feed = slice_starts(slice_str(source), SLICE("feed-"));
	struct rule r = { .action = (enum rule_action)chance(2), .kind = s.kind, .level = (uint8_t)chance(6),
		.rev = 1 + (uint32_t)chance(3), .source = slice_str(source), .local = source[0] == 'a' ? source[1] != 'l' : !is_feed };
	char label[32], date[CLOCK_TEXT], note[NOTE + 1], name[32];
	struct buf value, line, text, id;

	buf_init(&value, ROOM);
	buf_init(&line, ROOM);
	buf_init(&text, ROOM);
	buf_init(&id, ROOM);
	snprintf(label, sizeof(label), "x%u", n);
	snprintf(name, sizeof(name), "setup-%u.exe", (unsigned)chance(1000));
	for (size_t i = 0; i < note_len; i++)
		note[i] = (char)('a' + chance(26));
	add_value(&s, &value);
	r.value = buf_slice(&value);
	r.note = slice_make(note, note_len);
	r.name = chance(2) == 0 ? (struct slice){ 0 } : slice_str(name);
	r.files = r.action == RULE_ALLOW && r.kind != RULE_FILE && chance(2) == 0;
	r.expires = chance(2) == 0 ? 0 : NOW + DAY * (1 + (int64_t)chance(9));
	r.label = labelled ? slice_str(label) : (struct slice){ 0 };
	r.line = is_feed ? 0 : n;
	clock_format_s(r.expires, date);
	buf_addf(&line, "%s %s %s level=%d rev=%" PRIu32 " expires=%s", rule_action_name(r.action), rule_kind_name(r.kind), value.p,
	    r.level, r.rev, r.expires == 0 ? "never" : date);
	if (labelled)
		buf_addf(&line, " id=%s", label);
	if (r.name.len > 0)
		buf_addf(&line, " name=%s", name);
	if (note_len > 0)
		buf_addf(&line, " note=%.*s", (int)note_len, note);
	if (r.files)
		buf_add_str(&line, " files=yes");
	add_rule_text(&r, &text);
	rule_id_format(&r, &id);
	s.line = line.p;
	s.text = text.p;
	s.id = id.p;
	buf_fini(&value);
	return s;
}

/* Let source I say N other things, in its file. */
static void
say(struct oracle *o, size_t i, size_t n, size_t note_len)
{
	struct source_said *s = &o->sources[i];
	char file[64];
	struct buf text;

	forget(s);
	if ((s->said = calloc(n + 1, sizeof(*s->said))) == NULL)
		abort();
	buf_init(&text, 64 * ROOM);
	for (; s->n < n; s->n++) {
		s->said[s->n] = make_said(s->name, (unsigned)s->n + 2, note_len);
		buf_addf(&text, "%s%s\n", s->n == 0 ? "# this changes it in any case\n" : "", s->said[s->n].line);
	}
	buf_addf(&text, "# %" PRIu64 "\n", seed);
	snprintf(file, sizeof(file), "sources/%s.rules", s->name);
	put(o->state, file, text.p);
	s->there = true;
	buf_fini(&text);
}

static void
drop(struct oracle *o, size_t i)
{
	char file[64];

	snprintf(file, sizeof(file), "sources/%s.rules", o->sources[i].name);
	unlink(path_in(o->state, file));
	forget(&o->sources[i]);
	o->sources[i].there = false;
}

static struct lines
lines_of_oracle(const struct oracle *o)
{
	struct lines l = { 0 };

	for (size_t i = 0; i < SOURCES; i++)
		for (size_t k = 0; k < o->sources[i].n; k++)
			lines_add(&l, strdup(o->sources[i].said[k].text));
	lines_sort(&l);
	return l;
}

/* ---- generation and oracle ---- */

static bool
applies(const struct said *s, unsigned host, bool below, unsigned path)
{
	if (s->kind == RULE_FILE || s->host != host || (s->kind == RULE_URL && s->path != path))
		return false;
	return s->scope == SCOPE_DOMAIN || (s->scope == SCOPE_BELOW) == below;
}

static int
compare_words(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* GOT, words with a blank between, are the N WORDS in any order. */
static bool
is_words(const char *got, const char **words, size_t n)
{
	char *copy = strdup(got), *rest = copy, *word;
	const char *have[WORDS_MAX];
	size_t m = 0;
	bool same;

	while ((word = strsep(&rest, " ")) != NULL && m < WORDS_MAX)
		if (word[0] != '\0')
			have[m++] = word;
	if (n > 0)
		qsort(words, n, sizeof(*words), compare_words);
	if (m > 0)
		qsort(have, m, sizeof(*have), compare_words);
	same = m == n;
	for (size_t i = 0; same && i < n; i++)
		same = strcmp(have[i], words[i]) == 0;
	free(copy);
	return same;
}

static bool
is_url_answer(const struct oracle *o, const struct generation *g, unsigned host, bool below, unsigned path)
{
	const char *ids[WORDS_MAX];
	size_t n = 0;
	char url[100];

	for (size_t i = 0; i < SOURCES; i++)
		for (size_t k = 0; k < o->sources[i].n && n < WORDS_MAX; k++)
			if (applies(&o->sources[i].said[k], host, below, path))
				ids[n++] = o->sources[i].said[k].id;
	snprintf(url, sizeof(url), "http://%sh%u.example/p%u/x?y", below ? "w." : "", host, path);
	return is_words(url_rules(g, url), ids, n);
}

static bool
is_file_answer(const struct oracle *o, const struct generation *g, unsigned digest, uint64_t size)
{
	const char *ids[WORDS_MAX];
	size_t n = 0;
	char hex[65];

	for (size_t i = 0; i < SOURCES; i++)
		for (size_t k = 0; k < o->sources[i].n && n < WORDS_MAX; k++) {
			const struct said *s = &o->sources[i].said[k];

			if (s->kind == RULE_FILE && s->digest == digest && (s->size == HASHDB_SIZE_ANY || s->size == size))
				ids[n++] = s->id;
		}
	digest_text(digest, hex);
	return is_words(file_rules(g, digest_alg_of(digest), hex, size), ids, n);
}

/* How many questions G answers otherwise than O. */
static unsigned
wrong_answers(const struct oracle *o, const struct generation *g)
{
	unsigned wrong = 0;

	for (unsigned host = 0; host < HOSTS; host++)
		for (unsigned path = 1; path <= 3; path++)
			wrong += !is_url_answer(o, g, host, chance(2), path);
	for (unsigned digest = 0; digest < DIGESTS; digest++)
		for (uint64_t size = 999; size < 1003; size++)
			wrong += !is_file_answer(o, g, digest, size);
	return wrong;
}

/* What is wrong with G: 0 when it says and answers what O does. */
static size_t
differences(const struct oracle *o, const struct generation *g)
{
	struct lines expected = lines_of_oracle(o), got;
	bool damaged = false;
	size_t n;

	got = lines_of(g, &damaged);
	n = lines_missing(&expected, &got) + lines_missing(&got, &expected) + damaged + (generation_rules(g) != expected.n);
	n += wrong_answers(o, g);
	lines_fini(&expected);
	lines_fini(&got);
	return n;
}

/* The live generation of O is what the oracle says; one test point. */
static void
is_oracle(const struct oracle *o, const char *idea)
{
	struct diag diag = { 0 };
	struct generation *g = generation_open(path_in(o->state, STATE_RULES), true, NULL, &diag);

	ok(g != NULL && differences(o, g) == 0, "%s: the generation is what the oracle says", idea);
	show(&diag);
	generation_close(g);
	diag_fini(&diag);
}

/* ---- files that stay ---- */

static bool
names_segment(const struct manifest *m, const char *name)
{
	bool named = strcmp(m->site.name, name) == 0 || (m->lookalike.len > 0 && strcmp(m->lookalike.name, name) == 0);

	for (size_t i = 0; i < m->n_layers; i++)
		for (size_t k = 0; k < m->layers[i].n; k++)
			named = named || strcmp(m->layers[i].segments[k].name, name) == 0;
	return named;
}

/* Some MANIFEST of STATE, live or kept, names the segment NAME. */
static bool
is_needed(const char *state, const char *name)
{
	struct dirent **entries;
	int n = scandir(path_in(state, STATE_RULES), &entries, is_entry, alphasort);
	bool needed = false;

	for (int i = 0; i < n; i++) {
		char file[300];
		struct manifest m;

		snprintf(file, sizeof(file), STATE_RULES "/%.255s", entries[i]->d_name);
		if (strncmp(entries[i]->d_name, "MANIFEST", strlen("MANIFEST")) == 0) {
			needed = (manifest_load(path_in(state, file), &m, NULL) == 0 && names_segment(&m, name)) || needed;
			manifest_fini(&m);
		}
		free(entries[i]);
	}
	free(entries);
	return needed;
}

/* Files in STATE/rules: kept MANIFESTs into *KEPT; segments that nobody names, and other things, are the result. */
static unsigned
needless(const char *state, unsigned *kept)
{
	struct dirent **entries;
	int n = scandir(path_in(state, STATE_RULES), &entries, is_entry, alphasort);
	unsigned wrong = 0;

	*kept = 0;
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (strncmp(name, "MANIFEST.", strlen("MANIFEST.")) == 0)
			++*kept;
		else if (slice_ends(slice_str(name), SLICE(".seg")))
			wrong += !is_needed(state, name);
		else
			wrong += strcmp(name, "MANIFEST") != 0 && strcmp(name, "lock") != 0 && strcmp(name, "compact.lock") != 0;
		free(entries[i]);
	}
	free(entries);
	return wrong;
}

static void
is_clean(const char *state, const char *idea)
{
	unsigned kept, wrong = needless(state, &kept);

	ok(wrong == 0 && kept <= KEPT, "%s: no file is left that nothing needs (%u), %u generations", idea, wrong, kept);
}

/* ---- add, change, drop ---- */

/* Publish O: READ sources are read, it has LAYERS, and it is as the oracle says. */
static void
is_published(struct oracle *o, size_t read, size_t layers, const char *idea)
{
	struct publish_report r = { 0 };
	uint64_t number = publish_good(o->state, &r);

	ok(number != 0 && r.changed == read && r.layers == layers, "%s: %zu read, %zu layers", idea, r.changed,
	    r.layers);
	is_oracle(o, idea);
}

static void
test_steps(void)
{
	struct oracle o;

	oracle_init(&o);
	for (size_t i = 0; i < 5; i++)
		say(&o, i, 20, 0);
	is_published(&o, 5, 1, "five sources");
	is_published(&o, 0, 1, "the same again");
	say(&o, 7, 10, 0);
	is_published(&o, 1, 1, "one more");
	say(&o, 2, 30, 0);
	is_published(&o, 1, 1, "one has changed");
	say(&o, 0, 0, 0);
	is_published(&o, 1, 1, "one says nothing more");
	drop(&o, 1);
	is_published(&o, 0, 1, "one is gone");
	drop(&o, 4);
	say(&o, 3, 1, 0);
	say(&o, 8, 1, 0);
	is_published(&o, 2, 1, "all of it at once");
	say(&o, 1, 5, 0);
	is_published(&o, 1, 1, "one comes back");
	for (size_t i = 0; i < SOURCES; i++)
		drop(&o, i);
	is_published(&o, 0, 0, "all are gone");
	say(&o, 1, 5, 0);
	is_published(&o, 1, 1, "and one is there again");
	is_clean(o.state, "steps");
	oracle_fini(&o);
}

/* The layer that holds source NAME of STATE. */
static uint64_t
layer_of_source(const char *state, const char *name)
{
	struct manifest m = read_manifest(state);
	const struct manifest_source *s = manifest_source(&m, slice_str(name));
	uint64_t layer = s == NULL ? 0 : s->layer;

	manifest_fini(&m);
	return layer;
}

static void
test_large(void)
{
	struct oracle o;

	oracle_init(&o);
	say(&o, 0, 3 * LARGE, NOTE);
	is_published(&o, 1, 1, "a large source");
	say(&o, 1, 10, 0);
	is_published(&o, 1, 2, "a small one beside it");
	ok(layer_of_source(o.state, o.sources[0].name) == 1, "the large one stays where it is");
	say(&o, 2, 10, 0);
	is_published(&o, 1, 2, "another small one: they are one layer");
	ok(layer_of_source(o.state, o.sources[1].name) == 3 && layer_of_source(o.state, o.sources[0].name) == 1, "the large one stays");
	say(&o, 3, LARGE, NOTE);
	is_published(&o, 1, 2, "one that is a third of the large one takes the small ones");
	ok(layer_of_source(o.state, o.sources[0].name) == 1 && layer_of_source(o.state, o.sources[1].name) == 4,
	    "and leaves the large one");
	drop(&o, 3);
	is_published(&o, 0, 2, "it is gone; what it had does not count");
	say(&o, 2, 11, 0);
	is_published(&o, 1, 3, "a small one: what is left beside the dropped one is large still");
	say(&o, 4, 2 * LARGE, NOTE);
	is_published(&o, 1, 1, "one that is not much smaller than the large one takes all");
	ok(layer_of_source(o.state, o.sources[0].name) == 7, "the large one too");
	drop(&o, 0);
	drop(&o, 4);
	is_published(&o, 0, 1, "both are gone");
	oracle_fini(&o);
}

static void
test_random(void)
{
	struct oracle o;
	struct generation *before = NULL, *g;
	unsigned wrong = 0, most = 0, needless_files = 0, unread = 0, kept_max = 0;
	size_t opened = 0;

	oracle_init(&o);
	for (unsigned n = 1; n <= PUBLISHES; n++) {
		struct publish_report r = { 0 };
		size_t changed = 0, there = 0;
		bool done[SOURCES] = { false };
		unsigned kept;

		for (uint64_t k = chance(4); k > 0; k--) {
			size_t i = chance(SOURCES);
			bool large = chance(40) == 0;

			if (done[i])
				continue;
			done[i] = true;
			if (chance(5) == 0)
				drop(&o, i);
			else
				say(&o, i, large ? LARGE * (1 + chance(3)) : chance(40), large ? NOTE : chance(3));
			changed += o.sources[i].there;
		}
		for (size_t i = 0; i < SOURCES; i++)
			there += o.sources[i].there;
		if (publish_good(o.state, &r) != n) {
			wrong++;
			break;
		}
		unread += r.changed != changed || r.sources != there;
		most = r.layers > most ? (unsigned)r.layers : most;
		g = generation_open(path_in(o.state, STATE_RULES), n % 5 == 0, before, NULL);
		opened += g != NULL;
		if (g != NULL && differences(&o, g) != 0 && wrong++ == 0)
			printf("# publish %u is wrong\n", n);
		generation_close(before);
		before = g;
		needless_files += needless(o.state, &kept);
		kept_max = kept > kept_max ? kept : kept_max;
	}
	generation_close(before);
	is_int((long long)opened, PUBLISHES, "random publishes: each is opened");
	is_int(wrong, 0, "random publishes: each is what the oracle says");
	is_int(unread, 0, "random publishes: what changed is read, and nothing else");
	ok(most > 1 && most <= LAYERS_WANTED, "random publishes: at most %u layers", most);
	ok(needless_files == 0 && kept_max == KEPT, "random publishes: no file is left that nothing needs");
	oracle_fini(&o);
}

/* ---- many layers ---- */

/* Write source NAME, with some large notes, as layer NUMBER of STATE. */
static void
write_layer(const char *state, const char *name, uint64_t number, struct manifest_layer *out)
{
	struct compiler *c = compiler_new(path_in(state, STATE_RULES), number, ROOM, NULL);
	char note[NOTE], why[RULE_WHY];
	struct rule_match match;
	size_t at;

	if (c == NULL || compiler_source(c, slice_str(name)) == -1)
		abort();
	for (unsigned i = 1; i <= LARGE; i++) {
		struct rule r = { .action = RULE_BLOCK, .kind = RULE_HOST, .level = 4, .rev = 1, .line = i, .note = { note, NOTE } };
		char value[100];

		for (size_t k = 0; k < NOTE; k++)
			note[k] = (char)('a' + chance(26));
		snprintf(value, sizeof(value), "h%u.%s.example", i, name);
		if (rule_match_parse(RULE_HOST, slice_str(value), &match, why, &at) == -1 || compiler_add(c, &r, &match) == -1)
			abort();
		rule_match_fini(&match);
	}
	if (compiler_write(c, out) == -1)
		abort();
	compiler_free(c);
}

/* As many layers as there may be, as after a compaction with many publishes meanwhile: the next publish makes them few. */
static void
test_most_layers(void)
{
	char *state = new_state(), name[32], url[100];
	struct publish_options options = options_of(state);
	struct publish_report r = { 0 };
	struct manifest m;
	struct generation *g;

	publish_good(state, NULL);
	m = read_manifest(state);
	for (unsigned i = 0; i < MANIFEST_LAYERS; i++) {
		struct manifest_source s = { .layer = i + 2, .rules = LARGE, .stamp = 1 };

		snprintf(s.name, sizeof(s.name), "s%02u", i);
		write_layer(state, s.name, i + 2, &m.layers[m.n_layers++]);
		manifest_add_source(&m, &s);
	}
	write_manifest(state, &m);
	manifest_fini(&m);
	g = open_good(state, true);
	ok(g != NULL && generation_rules(g) == LARGE * MANIFEST_LAYERS, "as many layers as there may be");
	generation_close(g);
	options.only = "x";
	put(state, "sources/x.rules", "block host x.example\n");
	ok(publish_as(&options, &r) != 0, "one more");
	ok(r.layers >= 1 && r.layers <= LAYERS_WANTED && r.changed == 1, "%zu layers, %zu sources read", r.layers, r.changed);
	g = open_good(state, true);
	ok(g != NULL && generation_rules(g) == LARGE * MANIFEST_LAYERS + 1, "no rule is lost");
	for (unsigned i = 0; g != NULL && i < MANIFEST_LAYERS; i++) {
		snprintf(url, sizeof(url), "http://h%u.s%02u.example/", 1 + i, i);
		snprintf(name, sizeof(name), "s%02u:%u", i, 1 + i);
		is_str(url_rules(g, url), name, "a rule of each source");
	}
	generation_close(g);
	free(state);
}

/* More rules for one host than one table holds, in two layers: nobody else's publish may fail for that later. */
static void
test_crowded_host(void)
{
	char *state = new_state();
	struct buf text;
	struct publish_report report;
	struct diag diag = { 0 };
	uint64_t first;

	buf_init(&text, 8 * ROOM);
	for (int i = 0; i < HOST_RULES_PER_KEY * 2 / 3; i++)
		buf_add_str(&text, "block host crowd.example\n");
	for (int i = 0; i < LARGE; i++)
		buf_addf(&text, "block host h%d.example note=%0*d\n", i, NOTE, i);
	put(state, "sources/a.rules", text.p);
	publish_good(state, NULL);
	buf_reset(&text);
	for (int i = 0; i < HOST_RULES_PER_KEY * 2 / 3; i++)
		buf_add_str(&text, "block host crowd.example\n");
	put(state, "sources/b.rules", text.p);
	first = publish_good(state, NULL);
	buf_reset(&text);
	for (int i = 0; i < LARGE; i++)
		buf_addf(&text, "block host g%d.example note=%0*d\n", i, NOTE, i);
	put(state, "sources/c.rules", text.p);
	ok(first != 0 && publish_at(state, NOW, false, &report, &diag) == 0, "a crowded host: what does not fit is left out, and nobody is refused for it");
	diag_fini(&diag);
	buf_fini(&text);
	free(state);
}

/* ---- full ---- */

/* Segment KIND of the newest layer of A, and of the only one of B, are the same. */
static bool
is_same_layer(const char *a, const char *b, enum segment_kind kind)
{
	struct manifest x = read_manifest(a), y = read_manifest(b);
	const struct manifest_segment *s = manifest_find(&x.layers[x.n_layers - 1], kind), *t = manifest_find(&y.layers[0], kind);
	bool same = s != NULL && t != NULL && x.n_layers == 1 && y.n_layers == 1 && s->len == t->len &&
	    memcmp(s->sha256, t->sha256, sizeof(s->sha256)) == 0;

	manifest_fini(&x);
	manifest_fini(&y);
	return same;
}

/* However it came to it: all of it read again, and all layers made one, are what a new state has. */
static void
test_full(void)
{
	static const enum segment_kind kinds[] = { SEGMENT_RULES, SEGMENT_HOSTS, SEGMENT_DIGESTS };
	struct oracle o;
	struct publish_options options;
	struct publish_report r = { 0 };
	char *fresh = new_state(), *command;

	oracle_init(&o);
	options = options_of(o.state);
	for (unsigned n = 0; n < 12; n++) {
		size_t i = chance(SOURCES);

		say(&o, i, n % 4 == 0 ? LARGE : 10 + chance(30), n % 4 == 0 ? NOTE : 0);
		publish_good(o.state, NULL);
	}
	if (asprintf(&command, "cp -p %s/sources/* %s/sources/ && cp -p %s/site.conf %s/", o.state, fresh, o.state, fresh) == -1 ||
	    system(command) != 0)
		abort();
	publish_good(fresh, NULL);
	ok(publish_compact(&options, &r, NULL) == 0 && r.layers == 1, "all layers made one");
	is_oracle(&o, "compacted");
	for (size_t i = 0; i < COUNT(kinds); i++)
		ok(is_same_layer(o.state, fresh, kinds[i]), "compacted: the same %s as in a new state", segment_kind_name(kinds[i]));
	say(&o, 0, 5, 0);
	say(&o, 1, 500, 0);
	publish_good(o.state, NULL);
	options.full = true;
	ok(publish_as(&options, &r) != 0 && r.layers == 1 && r.changed == r.sources, "all sources are read again");
	is_oracle(&o, "read again");
	if (system(command) != 0)
		abort();
	options = options_of(fresh);
	options.full = true;
	publish_as(&options, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++)
		ok(is_same_layer(o.state, fresh, kinds[i]), "read again: the same %s as in a new state", segment_kind_name(kinds[i]));
	free(command);
	free(fresh);
	oracle_fini(&o);
}

/* ---- what else rules depend on ---- */

static void
is_read(const char *state, size_t changed, const char *idea)
{
	struct publish_report r = { 0 };
	uint64_t number = publish_good(state, &r);

	ok(number != 0 && r.changed == changed, "%s: %zu sources are read", idea, r.changed);
}

/* Refused, with one error of which TEXT is a part, and what is live stays. */
static void
is_refused(const struct publish_options *options, const char *text, const char *idea)
{
	struct buf before = snapshot(options->state);
	struct publish_report report;
	struct diag diag = { 0 };
	int r = publish(options, &report, &diag);

	if (!ok(r == -1 && diag.n_errors == 1 && strstr(diag_first_error(&diag), text) != NULL, "%s: refused", idea))
		show(&diag);
	is_unchanged(options->state, &before, idea);
	diag_fini(&diag);
}

static void
test_context(void)
{
	char *state = new_state();
	struct publish_options options = options_of(state);

	put(state, "sources/a.rules", "block host www.a.example\n");
	put(state, "sources/b.rules", "block host b.example\n");
	put(state, "sources/c.rules", "protect host c.example\n");
	is_read(state, 3, "context: the first time");
	is_read(state, 0, "context: the same");
	put(state, STATE_SITE, "OwnDomains d.example\n");
	is_read(state, 3, "own domains");
	put(state, STATE_SITE, "OwnDomains b.example\n");
	is_refused(&options, "b.example", "own domains that an unchanged source blocks");
	put(state, STATE_SITE, "OwnDomains d.example\nHostLife 5d\n");
	is_read(state, 3, "the life of hosts");
	put(state, "sources/c.rules", "protect host c.example\nprotect host e.example\n");
	is_read(state, 3, "a protect line");
	put(state, "sources/c.rules", "protect host c.example\nprotect host b.example\n");
	is_refused(&options, "b.example", "a protect line about what an unchanged source blocks");
	put(state, "sources/c.rules", "protect host c.example\nprotect host e.example # as before\n");
	is_read(state, 1, "the same protect lines in another file");
	put(state, "sources/b.rules", "block host b.example\nblock host e.example\n");
	is_refused(&options, "e.example", "a changed source that blocks what an unchanged one protects");
	put(state, "sources/b.rules", "block host b.example\n# f\n");
	is_read(state, 1, "a comment");
	put_at(state, "sources/b.rules", "block host b.example\n# f\n", NOW - DAY);
	is_read(state, 1, "another date: expires= counts from it");
	unlink(path_in(state, "sources/c.rules"));
	is_read(state, 2, "what protects is gone");
	write_plain(suffix_file, SLICE("com\nnet\nuk\nco.uk\norg\n"));
	is_read(state, 2, "another list of suffixes");
	free(state);
}

/* ---- one alone ---- */

static void
test_only(void)
{
	struct oracle o;
	struct publish_options options;
	struct publish_report r = { 0 };
	struct generation *g;

	oracle_init(&o);
	options = options_of(o.state);
	say(&o, 1, 20, 0);
	say(&o, 2, 20, 0);
	say(&o, 3, 20, 0);
	is_published(&o, 3, 1, "only: before");
	put(o.state, "sources/other.rules", "block host other.example\n");
	say(&o, 2, 10, 0);
	options.only = o.sources[2].name;
	ok(publish_as(&options, &r) != 0 && r.changed == 1 && r.sources == 3, "only the one that was meant");
	is_oracle(&o, "only");
	options.only = o.sources[1].name;
	ok(publish_as(&options, &r) != 0 && r.changed == 0 && r.sources == 3, "only one that did not change");
	drop(&o, 3);
	ok(publish_as(&options, &r) != 0 && r.sources == 3, "only: who is gone stays while another one is meant");
	options.only = o.sources[3].name;
	ok(publish_as(&options, &r) != 0 && r.changed == 0 && r.sources == 2, "only the one that is gone");
	is_oracle(&o, "only the one that is gone");
	options.only = "other";
	ok(publish_as(&options, &r) != 0 && r.changed == 1 && r.sources == 3, "only the one that is new");
	put(o.state, "sources/other.rules", "protect host h1.example\n");
	put(o.state, STATE_SITE, "OwnDomains other.example\n");
	ok(publish_as(&options, &r) != 0 && r.changed == 1, "only: what it protects is not asked of the others");
	g = open_good(o.state, true);
	ok(g != NULL && strcmp(generation_site(g)->own_domains, "other.example") == 0, "but the site is as it says now");
	generation_close(g);
	put(o.state, "sources/other.rules", "protect host nowhere.example\n");
	ok(publish_good(o.state, &r) != 0 && r.changed == 3, "and the next publish asks all: %zu", r.changed);
	put(o.state, "sources/other.rules", "deny host x.example\n");
	is_refused(&options, "expected block", "only: a bad line");
	options.only = o.sources[1].name;
	ok(publish_as(&options, &r) != 0, "only: a bad line elsewhere is not read");
	if (mkdir(path_in(o.state, "sources/folder.rules"), 0755) == -1)
		abort();
	put(o.state, "sources/other.hosts", "twice.example\n");
	ok(publish_as(&options, &r) != 0, "only: others that cannot be read are not looked at");
	oracle_fini(&o);
}

/* ---- going back ---- */

static void
test_rollback(void)
{
	struct oracle o;
	struct publish_options options;
	struct publish_report r = { 0 };
	struct diag diag = { 0 };
	struct manifest m;

	oracle_init(&o);
	options = options_of(o.state);
	ok(publish_rollback(&options, 0, &r, &diag) == -1 && diag.n_errors == 1, "rollback: nothing was published");
	diag_fini(&diag);
	say(&o, 1, 20, 0);
	publish_good(o.state, NULL);
	ok(publish_rollback(&options, 0, &r, &diag) == -1 && diag.n_errors == 1, "rollback: there is none before");
	diag_fini(&diag);
	put(o.state, "sources/bad.rules", "block host all.example\n");
	publish_good(o.state, NULL);
	ok(publish_rollback(&options, 0, &r, &diag) == 0 && diag.n == 0 && r.generation == 3 && r.rules == 20 && r.sources == 1 &&
	    r.layers == 1, "rollback to the one before");
	is_oracle(&o, "rollback");
	m = read_manifest(o.state);
	ok(m.rolled_back == 1 && m.generation == 3, "the MANIFEST says so");
	manifest_fini(&m);
	is_refused(&options, "is a rollback to 1", "publish after a rollback");
	options.dry_run = true;
	ok(publish(&options, &r, &diag) == 0 && r.sources == 2, "a dry run after a rollback");
	options.dry_run = false;
	say(&o, 1, 10, 0);
	options.only = o.sources[1].name;
	ok(publish_as(&options, &r) == 4 && r.changed == 1 && r.sources == 1, "one alone after a rollback");
	is_oracle(&o, "one alone after a rollback");
	options.only = NULL;
	is_refused(&options, "is a rollback to 1", "all of it is still refused");
	ok(publish_rollback(&options, 7, &r, &diag) == -1 && diag.n_errors > 0, "rollback to one that never was");
	diag_fini(&diag);
	ok(publish_rollback(&options, 1, &r, &diag) == -1 && diag.n_errors > 0, "rollback to one that is kept no more");
	diag_fini(&diag);
	is_oracle(&o, "a rollback that was refused");
	drop(&o, 2);
	unlink(path_in(o.state, "sources/bad.rules"));
	options.forward = true;
	ok(publish_as(&options, &r) == 5 && r.changed == 0 && r.sources == 1, "forward");
	m = read_manifest(o.state);
	ok(m.rolled_back == 0, "no rollback any more");
	manifest_fini(&m);
	is_published(&o, 0, 1, "after forward");
	say(&o, 1, 3, 0);
	is_published(&o, 1, 1, "and what changes is read");
	is_clean(o.state, "rollback");
	diag_fini(&diag);
	oracle_fini(&o);
}

/* Back to one whose source says the same again now: it needs not be read. */
static void
test_rollback_far(void)
{
	char *state = new_state();
	struct publish_options options = options_of(state);
	struct publish_report r = { 0 };
	struct generation *g;

	put(state, "sources/a.rules", "block host a.example\n");
	put(state, STATE_SITE, "Threshold 4\n");
	publish_good(state, NULL);
	for (int i = 0; i < 5; i++) {
		char text[100];

		snprintf(text, sizeof(text), "block host h%d.example\n", i);
		put(state, "sources/a.rules", text);
		put(state, STATE_SITE, "Threshold 5\n");
		publish_good(state, NULL);
	}
	ok(publish_rollback(&options, 1, &r, NULL) == 0 && r.generation == 7, "rollback over five");
	g = open_good(state, true);
	ok(g != NULL && strcmp(url_rules(g, "http://a.example/"), "a:1") == 0 && generation_site(g)->threshold == 4,
	    "rules and site are back");
	generation_close(g);
	ok(publish_rollback(&options, 6, &r, NULL) == 0 && r.generation == 8, "and back again");
	put(state, "sources/a.rules", "block host h4.example\n");
	options.forward = true;
	ok(publish_as(&options, &r) == 9 && r.changed == 0, "what the generation has is not read again");
	unlink(segment_path(state, SEGMENT_HOSTS, 1));
	ok(publish_rollback(&options, 1, &r, NULL) == -1, "rollback to one that is not whole");
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 9, "and what is live stays");
	generation_close(g);
	free(state);
}

/* ---- many made one, while others publish ---- */

enum { COMPACTIONS = 12 };

static int
compact_often(const char *state, int started)
{
	struct publish_options options = options_of(state);
	struct publish_report r = { 0 };
	unsigned failed = 0;

	for (int i = 0; i < COMPACTIONS; i++) {
		struct diag diag = { 0 };

		failed += publish_compact(&options, &r, &diag) == -1;
		show(&diag);
		diag_fini(&diag);
		if (i == 0 && write(started, "", 1) != 1)
			return 99;
	}
	return (int)failed;
}

static void
test_compact_meanwhile(void)
{
	struct oracle o;
	struct publish_report r = { 0 };
	unsigned published = 0, wrong = 0, n = 0, kept;
	int started[2], status;
	char c;
	pid_t pid;

	oracle_init(&o);
	say(&o, 0, 2 * LARGE, NOTE);
	publish_good(o.state, NULL);
	for (size_t i = 1; i < SOURCES; i++)
		say(&o, i, 200, 0);
	publish_good(o.state, NULL);
	if (pipe(started) == -1)
		abort();
	if ((pid = fork_quietly()) == 0) {
		alarm(LIMIT_S);
		_exit(compact_often(o.state, started[1]));
	}
	close(started[1]);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct generation *g;
		size_t i = chance(SOURCES);

		if (chance(4) == 0)
			drop(&o, i);
		else
			say(&o, i, chance(60) == 0 ? LARGE : chance(100), 0);
		published += publish_good(o.state, &r) != 0;
		n++;
		g = generation_open(path_in(o.state, STATE_RULES), false, NULL, NULL);
		if ((g == NULL || differences(&o, g) != 0) && wrong++ == 0)
			printf("# publish %u meanwhile is wrong\n", n);
		generation_close(g);
	}
	ok(read(started[0], &c, 1) == 1 && WIFEXITED(status) && WEXITSTATUS(status) == 0, "compacted %d times", COMPACTIONS);
	ok(published == n && n > 0, "published %u times meanwhile", n);
	is_int(wrong, 0, "each time as the oracle says");
	is_oracle(&o, "in the end");
	is_published(&o, 0, r.layers, "after it");
	ok(needless(o.state, &kept) == 0, "and no file is left that nothing needs");
	close(started[0]);
	oracle_fini(&o);
}

static void
test_compact(void)
{
	char *state = new_state(), *lock = file_join(state, STATE_RULES "/compact.lock");
	struct publish_options options = options_of(state);
	struct publish_report r = { 0 };
	struct diag diag = { 0 };
	struct oracle o;

	ok(publish_compact(&options, &r, &diag) == -1 && strstr(diag_first_error(&diag), "nothing was published") != NULL,
	    "compact: nothing was published");
	diag_fini(&diag);
	publish_good(state, NULL);
	ok(publish_compact(&options, &r, &diag) == 0 && diag.n == 0, "compact: no layer");
	generation_close(open_good(state, true));
	oracle_init(&o);
	options = options_of(o.state);
	say(&o, 0, LARGE * 2, NOTE);
	publish_good(o.state, NULL);
	say(&o, 1, 30, 0);
	is_published(&o, 1, 2, "compact: before");
	ok(publish_compact(&options, &r, &diag) == 0 && diag.n == 0 && r.layers == 1 && r.sources == 2 && r.rules == LARGE * 2 + 30,
	    "compact: one layer");
	is_oracle(&o, "compact");
	is_published(&o, 0, 1, "compact: nothing is read again");
	is_clean(o.state, "compact");
	diag_fini(&diag);
	oracle_fini(&o);
	free(lock);
	free(state);
}

/* ---- damage ---- */

static void
flip_in(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	if (fd == -1 || pread(fd, &c, 1, at) != 1)
		abort();
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1 || close(fd) == -1)
		abort();
}

/* A layer that does not open: its sources are read again, the others are not. */
static void
test_damaged_layer(void)
{
	static const enum segment_kind kinds[] = { SEGMENT_RULES, SEGMENT_HOSTS, SEGMENT_DIGESTS };
	struct publish_options options;
	struct publish_report r = { 0 };
	struct oracle o;

	oracle_init(&o);
	options = options_of(o.state);
	say(&o, 0, LARGE, NOTE);
	publish_good(o.state, NULL);
	say(&o, 1, 30, 0);
	say(&o, 2, 30, 0);
	is_published(&o, 2, 2, "damage: before");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct diag diag = { 0 };

		flip_in(segment_path(o.state, kinds[i], layer_of_source(o.state, o.sources[1].name)), 200);
		options.only = o.sources[0].name;
		ok(publish(&options, &r, &diag) == -1 && strstr(diag_first_error(&diag), "damaged or missing") != NULL,
		    "damaged %s: another one alone is refused", segment_kind_name(kinds[i]));
		options.only = NULL;
		diag_fini(&diag);
		ok(publish(&options, &r, &diag) == 0 && r.changed == 2 && diag.n_warnings == 1 && diag.n_errors == 0,
		    "damaged %s: its sources are read again, with a warning", segment_kind_name(kinds[i]));
		show(&diag);
		is_oracle(&o, "damaged and read again");
		diag_fini(&diag);
	}
	oracle_fini(&o);
}

/* One that is too large to be looked at as a whole: who copies it finds the damage, and what is live stays. */
static void
test_damaged_large(void)
{
	struct publish_options options;
	struct publish_report r = { 0 };
	struct diag diag = { 0 };
	struct oracle o;
	struct buf before;

	oracle_init(&o);
	options = options_of(o.state);
	say(&o, 0, HUGE, NOTE);
	publish_good(o.state, NULL);
	say(&o, 1, 30, 0);
	is_published(&o, 1, 2, "a large layer: before");
	flip_in(segment_path(o.state, SEGMENT_RULES, 1), GENERATION_VERIFY / 2);
	before = snapshot(o.state);
	ok(publish_compact(&options, &r, &diag) == -1 && strstr(diag_first_error(&diag), "is damaged") != NULL, "a large layer: found");
	is_unchanged(o.state, &before, "a large layer that is damaged");
	diag_fini(&diag);
	say(&o, 1, 20, 0);
	ok(publish_good(o.state, &r) != 0 && r.changed == 1, "others are published beside it");
	options.full = true;
	ok(publish_as(&options, &r) != 0 && r.changed == 2 && r.layers == 1, "read again");
	is_oracle(&o, "a large layer, read again");
	oracle_fini(&o);
}

/* ---- keeping ---- */

static void
test_keep(void)
{
	char *state = new_state(), name[100], text[100];
	struct publish_options options = options_of(state);
	struct publish_report r = { 0 };
	unsigned kept;

	for (int i = 1; i <= 20; i++) {
		snprintf(text, sizeof(text), "block host h%d.example\n", i);
		put(state, "sources/a.rules", text);
		publish_good(state, NULL);
	}
	ok(needless(state, &kept) == 0 && kept == 16, "16 generations are kept by default");
	snprintf(name, sizeof(name), "%s/MANIFEST.%d", STATE_RULES, 5);
	ok(access(path_in(state, name), F_OK) == 0 && access(segment_path(state, SEGMENT_HOSTS, 5), F_OK) == 0 &&
	    access(segment_path(state, SEGMENT_HOSTS, 4), F_OK) == -1, "the newest ones");
	ok(publish_rollback(&options, 5, &r, NULL) == 0, "the oldest one can be gone back to");
	ok(publish_rollback(&options, 4, &r, NULL) == -1, "the one before it cannot");
	options.forward = true;
	put(state, STATE_SITE, "KeepGenerations 1\n");
	publish_as(&options, NULL);
	ok(needless(state, &kept) == 0 && kept == 1, "one is kept: the live one");
	ok(publish_rollback(&options, 0, &r, NULL) == -1, "and there is none to go back to");
	generation_close(open_good(state, true));
	free(state);
}

int
main(void)
{
	state_begin();
	test_steps();
	test_large();
	test_full();
	test_context();
	test_only();
	test_rollback();
	test_rollback_far();
	test_keep();
	test_compact();
	test_damaged_layer();
	test_damaged_large();
	test_most_layers();
	test_crowded_host();
	test_random();
	test_compact_meanwhile();
	return state_end();
}
