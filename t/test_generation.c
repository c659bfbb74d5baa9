/* Opening: what is damaged is not opened, and says which file and why; a flipped bit may lose a rule, and never makes another one;
 * whoever opens while publishes go on gets one generation, never parts of two. */
#include <pthread.h>

#include "ruleset/rows_format.h"
#include "ruleset/site_format.h"
#include "t/state.h"

static const enum segment_kind kinds[] = { SEGMENT_HOSTS, SEGMENT_DIGESTS, SEGMENT_RULES, SEGMENT_SITE };

/* ---- damage ---- */

enum damage { FLIP, SWAP, CUT, GROW, REMOVE };

/* AT counts from the end when it is negative; of CUT it is the new length. */
struct damage_row {
	const char	*idea;
	enum damage	 how;
	long		 at;
	const char	*reason;
};

static const struct damage_row damages[] = {
	{ "another file", FLIP, 0, "not a Firebreak segment" },
	{ "a future version", FLIP, 7, "written by another version of Firebreak" },
	{ "the other byte order", SWAP, 8, "written on a machine of the other byte order" },
	{ "no byte order", FLIP, 8, "damaged: byte-order word" },
	{ "another kind", FLIP, 12, "a segment of another kind" },
	{ "a section's length", FLIP, 56, "damaged: checksum of the header" },
	{ "the checksum", FLIP, 32, "damaged: checksum of the header" },
	{ "the last byte", FLIP, -1, "damaged: its SHA-256 is not the one in the MANIFEST" },
	{ "one byte less", CUT, -1, "truncated" },
	{ "half a header", CUT, 20, "truncated" },
	{ "nothing left", CUT, 0, "truncated: empty" },
	{ "one byte more", GROW, 0, "longer than its header says" },
	{ "not there", REMOVE, 0, "No such file or directory" },
};

static void
do_damage(const char *path, const struct damage_row *row)
{
	struct buf b = content(path);
	size_t at = row->at < 0 ? b.len - (size_t)-row->at : (size_t)row->at;
	char swapped[4];

	switch (row->how) {
	case FLIP:
		b.p[at] ^= 0x04;
		break;
	case SWAP:
		for (size_t i = 0; i < sizeof(swapped); i++)
			swapped[i] = b.p[at + sizeof(swapped) - 1 - i];
		memcpy(b.p + at, swapped, sizeof(swapped));
		break;
	case CUT:
		b.len = at;
		break;
	case GROW:
		buf_add_char(&b, '\0');
		break;
	case REMOVE:
		break;
	}
	unlink(path);
	if (row->how != REMOVE)
		write_plain(path, buf_slice(&b));
	buf_fini(&b);
}

/* The generation of STATE does not open: one error about PATH, of which REASON is a part. */
static bool
is_closed(const char *state, bool verify, const char *path, const char *reason)
{
	struct diag diag = { 0 };
	struct generation *g;
	bool good;

	errno = 0;
	g = generation_open(path_in(state, STATE_RULES), verify, NULL, &diag);
	good = g == NULL && errno != ENOENT && diag.n == 1 && diag.v[0].level == DIAG_ERROR && diag.v[0].file != NULL &&
	    strcmp(diag.v[0].file, path) == 0 && strstr(diag.v[0].text, reason) != NULL;
	if (!good)
		show(&diag);
	generation_close(g);
	diag_fini(&diag);
	return good;
}

static void
test_damage_to(const char *state, enum segment_kind kind)
{
	const char *name = segment_kind_name(kind);
	char *path = strdup(segment_path(state, kind, 1));
	struct buf good = content(path);

	for (size_t i = 0; i < COUNT(damages); i++) {
		do_damage(path, &damages[i]);
		ok(is_closed(state, false, path, damages[i].reason), "%s: %s", name, damages[i].idea);
		ok(is_closed(state, true, path, damages[i].reason), "%s: %s, and verified", name, damages[i].idea);
		write_plain(path, buf_slice(&good));
	}
	buf_fini(&good);
	free(path);
}

/* Any byte of any segment, changed and found. */
static void
test_every_byte(const char *state, enum segment_kind kind)
{
	char *path = strdup(segment_path(state, kind, 1));
	struct buf image = content(path);
	unsigned missed = 0;

	for (size_t i = 0; i < image.len; i++) {
		char bit = (char)(1 << i % 8);

		image.p[i] ^= bit;
		write_plain(path, buf_slice(&image));
		missed += !is_closed(state, true, path, "");
		image.p[i] ^= bit;
	}
	write_plain(path, buf_slice(&image));
	ok(missed == 0 && image.len > 0, "%s: a bit turned in any of %zu bytes, verified", segment_kind_name(kind), image.len);
	buf_fini(&image);
	free(path);
}

static void
test_damages(void)
{
	char *state = new_state();
	struct generation *g;

	put_rules(state);
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(kinds); i++)
		test_damage_to(state, kinds[i]);
	for (size_t i = 0; i < COUNT(kinds); i++)
		test_every_byte(state, kinds[i]);
	g = open_good(state, true);
	ok(g != NULL, "and put right again");
	generation_close(g);
	free(state);
}

/* ---- the MANIFEST ---- */

/* Length and sum of the segment at PATH again, after it was changed on purpose. */
static void
reseal_segment(const char *path, struct manifest_segment *s)
{
	struct stat st;

	if (stat(path, &st) == -1 || segment_sha256(path, s->sha256) == -1)
		abort();
	s->len = (uint64_t)st.st_size;
}

/* The same for all that the MANIFEST of the first generation of STATE names. */
static void
reseal(const char *state)
{
	struct manifest m = read_manifest(state);

	reseal_segment(segment_path(state, SEGMENT_SITE, 1), &m.site);
	for (size_t i = 0; i < m.layers[0].n; i++)
		reseal_segment(segment_path(state, m.layers[0].segments[i].kind, 1), &m.layers[0].segments[i]);
	write_manifest(state, &m);
	manifest_fini(&m);
}

/* The MANIFEST's own line for KIND. */
static struct manifest_segment *
line_of(struct manifest *m, enum segment_kind kind)
{
	size_t i = 0;

	if (kind == SEGMENT_SITE)
		return &m->site;
	while (i < m->layers[0].n && m->layers[0].segments[i].kind != kind)
		i++;
	if (i == m->layers[0].n)
		abort();
	return &m->layers[0].segments[i];
}

/* A layer may have no hosts or no digests; one without rows is none. */
static void
test_unnamed(const char *state, const struct manifest *good)
{
	char *dir = strdup(path_in(state, STATE_RULES));
	struct manifest m = *good;

	*line_of(&m, SEGMENT_RULES) = m.layers[0].segments[m.layers[0].n - 1];
	m.layers[0].n--;
	write_manifest(state, &m);
	ok(is_closed(state, false, dir, "the MANIFEST names no segment \"rules\" for layer 1"), "no line for rules");
	m = *good;
	m.layers[0].segments[0].kind = SEGMENT_PATTERNS;
	write_manifest(state, &m);
	ok(is_closed(state, false, segment_path(state, SEGMENT_RULES, 1), "a segment of another kind"), "a kind that no layer has");
	free(dir);
}

/* A MANIFEST that is whole, and wrong about its sources. */
static void
test_missourced(const char *state, const struct manifest *good)
{
	char *dir = strdup(path_in(state, STATE_RULES));
	struct manifest m;

	if (manifest_copy(good, &m) == -1)
		abort();
	m.sources[0].rules++;
	write_manifest(state, &m);
	ok(is_closed(state, false, dir, "names 10 rules and its segments have 7"), "a source has a rule too many");
	m.sources[0].rules--;
	m.sources[1].name[0]++;
	write_manifest(state, &m);
	ok(is_closed(state, false, dir, "names 9 rules and its segments have 7"), "a source that no layer has");
	m.sources[1] = m.sources[2];
	m.n_sources--;
	write_manifest(state, &m);
	generation_close(open_good(state, true));
	manifest_fini(&m);
	free(dir);
}

/* A MANIFEST that is whole, and wrong about the segment of KIND. */
static void
test_misnamed(const char *state, const struct manifest *good, enum segment_kind kind)
{
	char *path = strdup(segment_path(state, kind, 1)), *absent = file_join(state, STATE_RULES "/absent");
	const char *name = segment_kind_name(kind);
	struct manifest m = *good;

	line_of(&m, kind)->len++;
	write_manifest(state, &m);
	ok(is_closed(state, true, path, "its length is not the one in the MANIFEST"), "another length of %s", name);
	m = *good;
	line_of(&m, kind)->sha256[SEGMENT_SHA256 - 1] ^= 1;
	write_manifest(state, &m);
	ok(is_closed(state, false, path, "its SHA-256 is not the one in the MANIFEST"), "another sum of %s", name);
	m = *good;
	snprintf(line_of(&m, kind)->name, MANIFEST_NAME, "absent");
	write_manifest(state, &m);
	ok(is_closed(state, true, absent, "No such file or directory"), "another name of %s", name);
	free(absent);
	free(path);
}

static void
test_manifest_faults(const char *state)
{
	struct manifest good = read_manifest(state);

	test_unnamed(state, &good);
	test_missourced(state, &good);
	for (size_t i = 0; i < COUNT(kinds); i++)
		test_misnamed(state, &good, kinds[i]);
	write_manifest(state, &good);
	manifest_fini(&good);
	generation_close(open_good(state, true));
}

static void
is_absent(const char *dir, const char *idea)
{
	struct diag diag = { 0 };

	errno = 0;
	ok(generation_open(dir, false, NULL, &diag) == NULL && errno == ENOENT, "%s: nothing there", idea);
	ok(diag.n == 1 && diag.n_errors == 1 && strstr(diag.v[0].text, "nothing was published yet") != NULL &&
	    strstr(diag.v[0].file, "MANIFEST") != NULL, "%s: and that is said", idea);
	diag_fini(&diag);
	errno = 0;
	ok(generation_open(dir, true, NULL, NULL) == NULL && errno == ENOENT, "%s: also without a diag", idea);
}

static void
test_manifests(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_MANIFEST);

	is_absent(path_in(state, STATE_RULES), "no MANIFEST");
	is_absent(path_in(state, "no-such-folder"), "no folder");
	put_rules(state);
	publish_good(state, NULL);
	test_manifest_faults(state);
	put_manifest(state, SLICE("firebreak-manifest 2\ngeneration 1\n"));
	ok(is_closed(state, false, manifest, "is cut short"), "half a MANIFEST");
	put_manifest(state, SLICE(""));
	ok(is_closed(state, true, manifest, "is no MANIFEST"), "an empty MANIFEST");
	unlink(manifest);
	is_absent(path_in(state, STATE_RULES), "a MANIFEST that was removed");
	if (mkdir(manifest, 0755) == -1)
		abort();
	ok(is_closed(state, false, manifest, "Is a directory"), "a folder for a MANIFEST");
	free(manifest);
	free(state);
}

/* ---- whole files with nonsense in them ---- */

struct nonsense_row {
	const char		*idea;
	enum segment_kind	 kind;
	struct segment_part	 part;
	const char		*reason;
};

static const struct nonsense_row nonsense[] = {
	{ "hosts without a head", SEGMENT_HOSTS, { 99, SLICE("x") }, "damaged: size of the host table's head" },
	{ "digests without a head", SEGMENT_DIGESTS, { 99, SLICE("x") }, "damaged: size of the digests' head" },
	{ "rows without a source", SEGMENT_RULES, { 99, SLICE("x") }, "the MANIFEST names 9 rules and its segments have 0" },
	{ "half a rule", SEGMENT_RULES, { ROWS_SOURCES, SLICE("x") }, "damaged: length of the rules" },
	{ "half an option", SEGMENT_SITE, { 1, SLICE("threshold\0" "3") }, "damaged: it ends within an option" },
	{ "an option without value", SEGMENT_SITE, { 1, SLICE("threshold\0") }, "damaged: it ends within an option" },
	{ "an option of a newer version", SEGMENT_SITE, { 1, SLICE("colour\0red\0") }, "has the unknown option colour" },
	{ "an option out of bounds", SEGMENT_SITE, { 1, SLICE("threshold\0" "9\0") }, "threshold: must be from 0 to 5" },
};

static void
test_nonsense(void)
{
	char *state = new_state();

	put_rules(state);
	publish_good(state, NULL);
	for (size_t i = 0; i < COUNT(nonsense); i++) {
		const struct nonsense_row *row = &nonsense[i];
		char *path = strdup(segment_path(state, row->kind, 1));
		struct buf good = content(path);
		uint8_t sum[SEGMENT_SHA256];
		uint64_t len;

		if (segment_write(path, row->kind, &row->part, 1, &len, sum, NULL) == -1)
			abort();
		reseal(state);
		ok(is_closed(state, true, strstr(row->reason, "MANIFEST") != NULL ? path_in(state, STATE_RULES) : path, row->reason),
		    "well sealed: %s", row->idea);
		write_plain(path, buf_slice(&good));
		buf_fini(&good);
		free(path);
	}
	reseal(state);
	generation_close(open_good(state, true));
	free(state);
}

/* How many of PUBLISHED G does not say.  What it says beside them counts into *WRONG. */
static size_t
unreadable(const struct generation *g, const struct lines *published, size_t *wrong)
{
	struct lines got;
	bool damaged = false;
	size_t n;

	got = lines_of(g, &damaged);
	*wrong += lines_missing(&got, published);
	n = published->n + lines_missing(&got, published) - got.n;
	if (n > 0 && !damaged)
		++*wrong;
	lines_fini(&got);
	return n;
}

/* A bit of a table turned, and the sums put right by whoever did it: a rule may be lost, and that is said; none
 * says something else. */
static void
test_records(enum segment_kind kind, size_t lost_least)
{
	char *state = new_state(), *path = strdup(segment_path(state, kind, 1));
	const char *name = segment_kind_name(kind);
	struct lines published = lines_of_rules();
	size_t opened = 0, lost = 0, wrong = 0;
	struct buf image;

	put_rules(state);
	publish_good(state, NULL);
	image = content(path);
	for (size_t i = 0; i < image.len; i++) {
		char bit = (char)(1 << i % 8);
		struct generation *g;

		image.p[i] ^= bit;
		write_plain(path, buf_slice(&image));
		reseal(state);
		g = generation_open(path_in(state, STATE_RULES), true, NULL, NULL);
		opened += g != NULL;
		lost += g != NULL && unreadable(g, &published, &wrong) > 0;
		generation_close(g);
		image.p[i] ^= bit;
	}
	is_int((long long)wrong, 0, "no bit makes another rule, and none is lost unsaid");
	ok(opened > 0 && opened < image.len, "%s: %zu of %zu damaged ones open, those whose header is whole", name, opened, image.len);
	ok(lost > lost_least, "%s: and %zu of them miss a rule", name, lost);
	buf_fini(&image);
	lines_fini(&published);
	free(path);
	free(state);
}

/* ---- large segments ---- */

/* A rules segment longer than GENERATION_VERIFY: the two rules of a source, the first with a note that long. */
static void
write_large(const char *path)
{
	struct rows_builder *b = rows_builder_new(path, NULL);
	struct rule large = { .action = RULE_BLOCK, .rev = 1, .line = 1 }, small = { .action = RULE_BLOCK, .rev = 2, .line = 2 };
	uint8_t sum[SEGMENT_SHA256];
	uint32_t first, second;
	uint64_t len;

	large.note = slice_make(calloc(GENERATION_VERIFY, 1), GENERATION_VERIFY);
	if (b == NULL || rows_builder_source(b, SLICE("a")) == -1)
		abort();
	rows_builder_count(b, COUNT_HOSTS, 2);
	if (rows_builder_add(b, &large, &first) == -1 ||
	    rows_builder_add(b, &small, &second) == -1 || first != 0 || second != 1 || rows_builder_write(b, &len, sum) == -1)
		abort();
	free((char *)(uintptr_t)large.note.p);
	rows_builder_free(b);
}

/* One byte of PATH is changed. */
static void
flip_at(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	if (fd == -1 || pread(fd, &c, 1, at) != 1)
		abort();
	c ^= 1;
	if (pwrite(fd, &c, 1, at) != 1 || close(fd) == -1)
		abort();
}

static void
test_large(void)
{
	char *state = new_state(), *path = strdup(segment_path(state, SEGMENT_RULES, 1));
	struct generation *g;
	struct rule rule;

	put(state, "sources/a.rules", "block host a.example\nblock host b.example\n");
	publish_good(state, NULL);
	write_large(path);
	reseal(state);
	g = open_good(state, true);
	ok(g != NULL && generation_rule(g, 0, 0, NULL, &rule) == 0 && rule.note.len == GENERATION_VERIFY, "large: a rule of 4 MiB");
	generation_close(g);
	flip_at(path, GENERATION_VERIFY / 2);
	ok(is_closed(state, true, path, "its SHA-256 is not the one in the MANIFEST"), "large: a bit is found when it is verified");
	g = open_good(state, false);
	ok(g != NULL && generation_rule(g, 0, 0, NULL, &rule) == -1, "large: unverified it opens, and the rule with that bit is lost");
	ok(g != NULL && generation_rule(g, 0, 1, NULL, &rule) == 0 && rule.rev == 2, "large: the other one is not");
	generation_close(g);
	flip_at(path, 50);
	ok(is_closed(state, false, path, "checksum of the header"), "large: its header is looked at in any case");
	flip_at(path, 50);
	if (truncate(path, GENERATION_VERIFY) == -1)
		abort();
	ok(is_closed(state, false, path, "truncated"), "large: and its length");
	free(path);
	free(state);
}

/* ---- more than one at a time ---- */

enum { PUBLISHES = 50, READERS = 2 };

/* Everything in generation N of test_readers() says N. */
static void
put_numbered(const char *state, uint64_t n)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "block host h%" PRIu64 ".example note=%" PRIu64 "\nblock file %" PRIu64 ":md5:" MD5 "\n", n, n, n);
	put(state, "sources/a.rules", text);
	snprintf(text, sizeof(text), "Contact %" PRIu64 "\nKeepGenerations 1\n", n);
	put(state, STATE_SITE, text);
}

static bool
is_whole(const struct generation *g)
{
	uint64_t n = generation_number(g);
	char number[32], url[64];
	struct rule rule;

	snprintf(number, sizeof(number), "%" PRIu64, n);
	snprintf(url, sizeof(url), "http://h%" PRIu64 ".example/", n);
	return generation_rules(g) == 2 && rule_by_id(g, "a:1", &rule) == 0 && slice_eq(rule.note, slice_str(number)) &&
	    strcmp(generation_site(g)->contact, number) == 0 && generation_has_size(g, n) && generation_max_size(g) == n &&
	    strcmp(url_rules(g, url), "a:1") == 0;
}

struct reading {
	unsigned	opened, failed, parts, back;
	unsigned	generations;	/* different ones */
	uint64_t	newest;
};

/* Open again and again until generation LAST is there. */
static struct reading
read_until(const char *rules_dir, uint64_t last, int ready)
{
	struct reading r = { 0 };
	struct generation *before = NULL;

	while (r.newest < last && r.failed == 0) {
		struct diag diag = { 0 };
		struct generation *g = generation_open(rules_dir, r.opened % 3 == 0, before, &diag);
		uint64_t number = g != NULL ? generation_number(g) : 0;

		r.failed += g == NULL || diag.n > 0;
		r.parts += g != NULL && !is_whole(g);
		r.back += number < r.newest;
		r.generations += number > r.newest;
		r.newest = number > r.newest ? number : r.newest;
		if (r.opened++ == 0 && write(ready, "", 1) != 1)
			abort();
		generation_close(before);
		before = g;
		diag_fini(&diag);
	}
	generation_close(before);
	return r;
}

/* A child that reads until generation PUBLISHES is there, and writes down what it saw. */
static pid_t
start_reader(const char *state, int out)
{
	pid_t pid = fork_quietly();
	struct reading r;

	if (pid != 0)
		return pid;
	alarm(LIMIT_S);
	r = read_until(path_in(state, STATE_RULES), PUBLISHES, out);
	_exit(write(out, &r, sizeof(r)) != sizeof(r));
}

static void
is_reading(const struct reading *r, int i)
{
	ok(r->opened > 1 && r->generations > 1, "reader %d opened %u times, %u generations", i, r->opened, r->generations);
	is_int(r->failed, 0, "and never failed");
	is_int(r->parts, 0, "and never got parts of two");
	is_int(r->back, 0, "and never one older than before");
	is_int((long long)r->newest, PUBLISHES, "and the last in the end");
}

static void
test_readers(void)
{
	char *state = new_state(), c;
	int pipes[READERS][2];
	pid_t pids[READERS];
	struct reading r;
	unsigned good = 0;

	put_numbered(state, 1);
	publish_good(state, NULL);
	for (int i = 0; i < READERS; i++) {
		if (pipe(pipes[i]) == -1)
			abort();
		pids[i] = start_reader(state, pipes[i][1]);
		close(pipes[i][1]);
		ok(read(pipes[i][0], &c, 1) == 1, "reader %d is there", i);
	}
	for (uint64_t n = 2; n <= PUBLISHES; n++) {
		put_numbered(state, n);
		good += publish_good(state, NULL) == n;
	}
	is_int(good, PUBLISHES - 1, "published under the readers' eyes");
	for (int i = 0; i < READERS; i++) {
		if (ok(read(pipes[i][0], &r, sizeof(r)) == sizeof(r), "reader %d came to its end", i))
			is_reading(&r, i);
		close(pipes[i][0]);
		is_int(status_of(pids[i]), 0, "and is gone");
	}
	free(state);
}

/* A reader that was stopped between MANIFEST and segments: in between two more were published, and the segments are gone.
 * The MANIFEST that it reads is a pipe; before its end is told, the newest one stands in its place. */
static void
test_late_reader(void)
{
	char *state = new_state(), *manifest = file_join(state, STATE_RULES "/MANIFEST"), *newest = file_join(state, "newest");
	struct generation *g;
	struct buf old;
	pid_t pid;
	int fd;

	put(state, STATE_SITE, "KeepGenerations 1\n");
	publish_good(state, NULL);
	old = content(manifest);
	publish_good(state, NULL);
	publish_good(state, NULL);
	if (rename(manifest, newest) == -1 || mkfifo(manifest, 0600) == -1)
		abort();
	if ((pid = fork_quietly()) == 0) {
		alarm(LIMIT_S);
		fd = open(manifest, O_WRONLY | O_CLOEXEC);
		_exit(fd == -1 || file_write_all(fd, buf_slice(&old)) == -1 || rename(newest, manifest) == -1);
	}
	g = open_good(state, true);
	ok(g != NULL && generation_number(g) == 3, "a late reader gets the newest");
	generation_close(g);
	is_int(status_of(pid), 0, "and was late");
	buf_fini(&old);
	free(newest);
	free(manifest);
	free(state);
}

/* ---- kept ones, and shared layers ---- */

static void
test_kept(void)
{
	char *state = new_state(), *dir = strdup(path_in(state, STATE_RULES));
	struct diag diag = { 0 };
	struct generation *g;

	put(state, "sources/a.rules", "block host a.example\n");
	publish_good(state, NULL);
	put(state, "sources/a.rules", "block host b.example\n");
	publish_good(state, NULL);
	g = generation_open_kept(dir, 1, true, &diag);
	ok(g != NULL && generation_number(g) == 1 && strcmp(url_rules(g, "http://a.example/"), "a:1") == 0, "a kept one opens");
	generation_close(g);
	g = generation_open_kept(dir, 2, false, &diag);
	ok(g != NULL && generation_number(g) == 2 && diag.n == 0, "the live one is kept too");
	generation_close(g);
	errno = 0;
	ok(generation_open_kept(dir, 3, false, &diag) == NULL && errno == ENOENT && diag.n_errors == 1, "one that is not kept");
	diag_fini(&diag);
	unlink(segment_path(state, SEGMENT_HOSTS, 1));
	ok(generation_open_kept(dir, 1, false, &diag) == NULL && diag.n_errors == 1 && strstr(diag.v[0].file, "hosts-1.seg") != NULL,
	    "one that is not whole");
	diag_fini(&diag);
	put(state, "rules/MANIFEST.7", "firebreak-manifest 2\n");
	ok(generation_open_kept(dir, 7, false, &diag) == NULL && diag.n_errors == 1, "one whose MANIFEST is damaged");
	diag_fini(&diag);
	generation_close(open_good(state, true));
	free(dir);
	free(state);
}

/* A layer that is mapped already is not opened again, unless its bytes are to be looked at. */
static void
test_shared(void)
{
	char *state = new_state(), *dir = strdup(path_in(state, STATE_RULES)), *path = strdup(segment_path(state, SEGMENT_HOSTS, 1));
	struct generation *before, *g;

	put(state, "sources/a.rules", "block host a.example\n");
	publish_good(state, NULL);
	before = open_good(state, true);
	put(state, STATE_SITE, "Contact x\n");
	put(state, "sources/b.rules", "");
	is_int((long long)publish_good(state, NULL), 2, "shared layers: another generation");
	generation_close(before);
	before = open_good(state, true);
	unlink(path_in(state, "sources/b.rules"));
	is_int((long long)publish_good(state, NULL), 3, "shared layers: the same layer in another generation");
	free(path);
	path = strdup(segment_path(state, SEGMENT_HOSTS, 2));
	unlink(path);
	g = generation_open(dir, false, before, NULL);
	ok(g != NULL && generation_number(g) == 3, "what is mapped is shared");
	ok(is_closed(state, false, path, "No such file"), "and not found by who has not mapped it");
	ok(generation_open(dir, true, before, NULL) == NULL, "nor by who verifies");
	generation_close(before);
	ok(g != NULL && strcmp(url_rules(g, "http://a.example/"), "a:1") == 0, "shared until its last user is gone");
	generation_close(g);
	free(path);
	free(dir);
	free(state);
}

static void
test_opening(void)
{
	test_damages();
	test_manifests();
	test_nonsense();
	test_records(SEGMENT_RULES, 300);
	test_records(SEGMENT_HOSTS, 120);
	test_records(SEGMENT_DIGESTS, 100);
	test_large();
	test_kept();
	test_shared();
}

/* ---- many threads ---- */

enum { THREADS = 4 };

struct thread {
	pthread_t		 id;
	const char		*dir;
	const struct generation	*base;	/* shared by all threads */
	struct reading		 r;
	unsigned		 base_wrong;
};

static bool
is_base(const struct generation *g)
{
	struct host_match match[2];
	bool damaged = false;
	struct rule rule;
	struct url url;
	size_t n;

	if (url_parse(&url, SLICE("http://base.example/")) != URL_OK)
		return false;
	n = generation_match(g, &url, match, COUNT(match), &damaged);
	url_fini(&url);
	return n == 1 && !damaged && generation_rule(g, match[0].layer, match[0].ref, NULL, &rule) == 0 &&
	    slice_eq(rule.label, SLICE("base"));
}

/* Until PUBLISHES are there: open with the layers of the generation before, or with those that all threads share. */
static void *
run_thread(void *arg)
{
	struct thread *t = arg;
	struct generation *before = NULL;

	while (t->r.newest < PUBLISHES && t->r.failed == 0) {
		struct generation *g = generation_open(t->dir, false, t->r.opened % 2 == 0 ? t->base : before, NULL);
		uint64_t number = g != NULL ? generation_number(g) : 0;

		t->r.failed += g == NULL;
		t->r.parts += g != NULL && !is_base(g);
		t->r.back += number < t->r.newest;
		t->r.newest = number > t->r.newest ? number : t->r.newest;
		t->r.opened++;
		t->base_wrong += !is_base(t->base);
		generation_close(before);
		before = g;
	}
	generation_close(before);
	return NULL;
}

static void
test_threads(void)
{
	char *state = new_state();
	struct thread threads[THREADS] = { 0 };
	struct generation *base;
	unsigned good = 0;
	struct buf text;

	buf_init(&text, 8 * ROOM);
	buf_add_str(&text, "block host base.example id=base\n");
	for (int i = 0; i < 300; i++)	/* a layer that stays */
		buf_addf(&text, "block host h%d.example note=%04000d\n", i, i);
	put(state, STATE_SITE, "KeepGenerations 1\n");
	put(state, "sources/base.rules", text.p);
	publish_good(state, NULL);
	base = open_good(state, true);
	for (int i = 0; i < THREADS; i++) {
		threads[i].dir = file_join(state, STATE_RULES);
		threads[i].base = base;
		if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0)
			abort();
	}
	for (unsigned n = 2; n <= PUBLISHES; n++) {
		char line[100];

		snprintf(line, sizeof(line), "block host n%u.example\n", n);
		put(state, "sources/small.rules", line);
		good += publish_good(state, NULL) == n;
	}
	is_int(good, PUBLISHES - 1, "threads: published under their eyes");
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		ok(threads[i].r.opened > 1 && threads[i].r.failed + threads[i].r.parts + threads[i].r.back + threads[i].base_wrong == 0 &&
		    threads[i].r.newest == PUBLISHES, "thread %d opened %u times, and always one whole generation", i,
		    threads[i].r.opened);
		free((char *)(uintptr_t)threads[i].dir);
	}
	generation_close(base);
	buf_fini(&text);
	free(state);
}

int
main(void)
{
	state_begin();
	test_opening();
	test_readers();
	test_late_reader();
	test_threads();
	return state_end();
}
