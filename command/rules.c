#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/sorter.h"
#include "command/caller.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"
#include "ruleset/keep.h"
#include "ruleset/source.h"

enum { FLAG_GENERATION, FLAG_JSON, FLAG_SOURCE, FLAG_TO, FLAGS };
enum { KEY_REF = 4, NAME_TEXT = 128, FILE_MODE = 0666 };
#define SORT_MEMORY	((size_t)64 << 20)

struct rules {
	const struct call	*call;
	char			 dir[STATE_PATH];
	struct slice		 source;	/* empty: all */
	const char		*to;		/* a folder, or NULL */
	bool			 json;
	bool			 damaged;	/* something could not be read */
	struct diag		 diag;
};

/* The live generation, or NUMBER as it is kept; NULL after saying why. */
static struct generation *
open_generation(struct rules *r, uint64_t number)
{
	struct generation *g = number == 0 ? overview_generation(r->call->state, false, &r->diag) :
	    generation_open_kept(r->dir, number, false, &r->diag);

	diag_print(&r->diag, stderr);
	diag_fini(&r->diag);
	if (g == NULL && number != 0)
		call_fail(r->call, "generation %" PRIu64 " is not kept, or not whole: \"firebreak rules list\" shows those that are", number);
	return g;
}

/* ---- list ---- */

static json_t *
list_layers(const struct manifest_source *s)
{
	json_t *layers = json_array();

	for (size_t i = 0; i < manifest_source_layers(s); i++)
		json_array_append_new(layers, json_integer((json_int_t)manifest_source_layer(s, i)));
	return layers;
}

static json_t *
json_generation(const struct generation *g, bool live)
{
	const struct manifest *m = generation_manifest(g);
	json_t *j = json_object(), *sources = json_array();

	show_json_number(j, "generation", m->generation);
	json_object_set_new(j, "live", json_boolean(live));
	show_json_date(j, "created", m->created);
	show_json_number(j, "rules", generation_rules(g));
	show_json_number(j, "layers", m->n_layers);
	if (m->rolled_back != 0)
		show_json_number(j, "rolled_back_to", m->rolled_back);
	for (size_t i = 0; i < m->n_sources; i++) {
		json_t *s = json_object();

		json_object_set_new(s, "name", json_string(m->sources[i].name));
		show_json_number(s, "rules", m->sources[i].rules);
		show_json_number(s, "layer", m->sources[i].layer);
		json_object_set_new(s, "layers", list_layers(&m->sources[i]));
		json_array_append_new(sources, s);
	}
	json_object_set_new(j, "sources", sources);
	return j;
}

static void
print_generation(const struct generation *g, bool live)
{
	const struct manifest *m = generation_manifest(g);
	char date[CLOCK_TEXT];

	clock_format_s(m->created, date);
	printf("%-10" PRIu64 " %s  %12" PRIu64 " rules  %2zu layer%s%s", m->generation, date, generation_rules(g), m->n_layers,
	    show_s(m->n_layers), live ? "  live" : "");
	if (m->rolled_back != 0)
		printf("  a rollback to %" PRIu64, m->rolled_back);
	putchar('\n');
}

static void
print_source(const struct manifest_source *s)
{
	size_t n = manifest_source_layers(s);

	printf("%-32s %12" PRIu64 " rules  in layer%s", s->name, s->rules, show_s(n));
	for (size_t i = 0; i < n; i++)
		printf("%s %" PRIu64, i > 0 ? "," : "", manifest_source_layer(s, i));
	putchar('\n');
}

static void
print_sources(const struct generation *g)
{
	const struct manifest *m = generation_manifest(g);

	if (m->n_sources > 0)
		printf("\nsources of the live one\n");
	for (size_t i = 0; i < m->n_sources; i++)
		print_source(&m->sources[i]);
}

static int
list(struct rules *r)
{
	struct generation *live = open_generation(r, 0), *g;
	json_t *all = json_array();
	uint64_t *kept;
	int n = keep_list(r->dir, &kept), status = live == NULL ? EXIT_TROUBLE : EXIT_FINE;

	for (int i = 0; i < n; i++) {
		bool is_live = live != NULL && kept[i] == generation_number(live);

		if ((g = generation_open_kept(r->dir, kept[i], false, &r->diag)) == NULL)
			continue;
		if (r->json)
			json_array_append_new(all, json_generation(g, is_live));
		else
			print_generation(g, is_live);
		generation_close(g);
	}
	if (r->json)
		show_json(json_incref(all), true);
	else if (live != NULL)
		print_sources(live);
	json_decref(all);
	diag_print(&r->diag, stderr);
	free(kept);
	generation_close(live);
	return status;
}

/* ---- all rules in order ---- */

/* Sort keys: | source | NUL | reference, big-endian: 4 | line |; for comparing, without the reference. */
struct collection {
	struct sorter	*sorter;
	struct slice	 source;	/* empty: all */
	bool		 by_text;
	struct buf	 key;
	bool		 damaged;
};

static int
collect(void *arg, const struct rule *rule, unsigned layer, uint32_t ref)
{
	struct collection *c = arg;
	struct rule shown = *rule;
	uint8_t big[KEY_REF];

	(void)layer;
	if (c->source.len > 0 && !slice_eq(c->source, rule->source))
		return 0;
	bytes_put_big(big, ref, sizeof(big));
	buf_reset(&c->key);
	buf_add_slice(&c->key, rule->source);
	buf_add_char(&c->key, '\0');
	if (!c->by_text) {
		buf_add(&c->key, big, sizeof(big));
		bytes_put_big(big, rule->line, sizeof(big));
		buf_add(&c->key, big, sizeof(big));
	}
	if (source_format_exact(&shown, &c->key) == -1)
		return errno = ENOMEM, -1;
	return sorter_add(c->sorter, buf_slice(&c->key));
}

/* All rules of G, sorted; NULL after saying why. */
static struct sorter *
collect_all(struct rules *r, const struct generation *g, bool by_text)
{
	const char *tmp = getenv("TMPDIR");
	struct collection c = { .sorter = sorter_new(SORT_MEMORY, tmp != NULL ? tmp : "/tmp"), .source = r->source, .by_text = by_text };

	buf_init(&c.key, SORTER_RECORD_MAX);
	if (c.sorter == NULL || generation_each(g, collect, &c, &c.damaged) == -1 || sorter_sort(c.sorter) == -1) {
		call_fail(r->call, "%s", strerror(errno));
		sorter_free(c.sorter);
		c.sorter = NULL;
	}
	r->damaged = r->damaged || c.damaged;
	if (c.damaged)
		call_fail(r->call, "generation %" PRIu64 " is damaged: what could not be read is left out; \"firebreak publish --full\" makes "
		    "it anew", generation_number(g));
	buf_fini(&c.key);
	return c.sorter;
}

/* ---- dump ---- */

/* Where a source's lines go. */
struct dump {
	const struct rules	*r;
	char			 name[NAME_TEXT];
	FILE			*f;
	uint32_t		 line;		/* the next line's number */
};

static int
end_source(struct dump *d)
{
	int r = 0;

	if (d->f != NULL && d->r->to != NULL)
		r = fclose(d->f) == 0 ? 0 : -1;
	d->f = NULL;
	return r;
}

/* A new file, or an old one written anew; nothing else that may lie there. */
static FILE *
open_new(const char *path)
{
	struct caller was;
	int fd;

	caller_begin_beside(&was, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	caller_end(&was);
	return fd == -1 ? NULL : fdopen(fd, "w");
}

/* Begin the file of source NAME, or its part of the output. */
static int
begin_source(struct dump *d, struct slice name)
{
	char *path;

	if (end_source(d) == -1)
		return -1;
	snprintf(d->name, sizeof(d->name), "%.*s", SLICE_ARGS(name));
	d->line = 1;
	d->f = stdout;
	if (d->r->to == NULL) {
		if (d->r->source.len == 0)
			printf("# source %s\n", d->name);
		return 0;
	}
	if (asprintf(&path, "%s/%s.rules", d->r->to, d->name) == -1)
		return -1;
	d->f = open_new(path);
	free(path);
	return d->f == NULL ? -1 : 0;
}

/* The rule of line LINE: in a source of its own it stands there again, since rules without id= are named after their lines. */
static void
put_line(struct dump *d, uint32_t line, struct slice text)
{
	if (d->r->to != NULL || d->r->source.len > 0)
		for (; d->line < line; d->line++)
			putc('\n', d->f);
	fwrite(text.p, 1, text.len, d->f);
	d->line++;
}

static int
print_sorted(struct dump *d, struct sorter *sorter)
{
	struct slice key, name, rest;
	int r;

	while ((r = sorter_next(sorter, &key)) == 1) {
		slice_cut(key, '\0', &name, &rest);
		if ((d->f == NULL || !slice_eq(name, slice_str(d->name))) && begin_source(d, name) == -1)
			return -1;
		put_line(d, (uint32_t)bytes_get_big(rest.p + KEY_REF, sizeof(uint32_t)), slice_skip(rest, 2 * KEY_REF));
	}
	return end_source(d) == -1 ? -1 : r;
}

static int
make_folder(const char *path)
{
	struct caller was;
	int r;

	caller_begin_beside(&was, path);
	r = file_mkdirs(path, 0777);
	caller_end(&was);
	return r;
}

static int
dump(struct rules *r, uint64_t number)
{
	struct generation *g = open_generation(r, number);
	struct dump d = { .r = r };
	struct sorter *sorter;
	int status = EXIT_TROUBLE;

	if (g == NULL)
		return EXIT_TROUBLE;
	if (r->to != NULL && make_folder(r->to) == -1)
		call_fail(r->call, "%s: %s", r->to, strerror(errno));
	else if ((sorter = collect_all(r, g, false)) != NULL) {
		if (print_sorted(&d, sorter) == -1 || fflush(stdout) != 0)
			call_fail(r->call, "%s", strerror(errno));
		else
			status = r->damaged ? EXIT_FOUND : EXIT_FINE;
		sorter_free(sorter);
	}
	generation_close(g);
	return status;
}

/* ---- diff ---- */

static void
print_difference(char mark, struct slice key)
{
	struct slice name, text;

	slice_cut(key, '\0', &name, &text);
	printf("%c %.*s: %.*s", mark, SLICE_ARGS(name), SLICE_ARGS(text));
}

/* Walk both sorted lists side by side; how many lines differ into *N. */
static int
compare(struct sorter *a, struct sorter *b, uint64_t *n)
{
	struct slice x = { 0 }, y = { 0 };
	int more_a = sorter_next(a, &x), more_b = sorter_next(b, &y);

	while (more_a == 1 || more_b == 1) {
		int order = more_a != 1 ? 1 : more_b != 1 ? -1 : slice_cmp(x, y);

		if (order < 0)
			print_difference('-', x);
		if (order > 0)
			print_difference('+', y);
		*n += order != 0;
		if (order <= 0)
			more_a = sorter_next(a, &x);
		if (order >= 0)
			more_b = sorter_next(b, &y);
		if (more_a == -1 || more_b == -1)
			return -1;
	}
	return 0;
}

static int
diff(struct rules *r, uint64_t from, uint64_t to)
{
	struct generation *g = open_generation(r, from), *h = g == NULL ? NULL : open_generation(r, to);
	struct sorter *a = h == NULL ? NULL : collect_all(r, g, true), *b = a == NULL ? NULL : collect_all(r, h, true);
	uint64_t n = 0;
	int status = EXIT_TROUBLE;

	if (b != NULL) {
		if (compare(a, b, &n) == -1 || fflush(stdout) != 0)
			call_fail(r->call, "%s", strerror(errno));
		else
			status = r->damaged ? EXIT_TROUBLE : n == 0 ? EXIT_FINE : EXIT_FOUND;
	}
	sorter_free(a);
	sorter_free(b);
	generation_close(g);
	generation_close(h);
	return status;
}

/* ---- the command line ---- */

static bool
read_number(const char *text, uint64_t *out)
{
	*out = 0;
	return text == NULL || (slice_u64(slice_str(text), out) == 0 && *out > 0);
}

static int
perform(struct rules *r, const char *const *values)
{
	const struct call *c = r->call;
	const char *what = c->argv[0];
	uint64_t number, from, to = 0;

	if (!read_number(values[FLAG_GENERATION], &number))
		return call_misused(c, "--generation takes a number");
	if (r->json && strcmp(what, "list") != 0)
		return call_misused(c, "only list has --json");
	if ((number != 0 || r->to != NULL) && strcmp(what, "dump") != 0)
		return call_misused(c, "only dump has --generation and --to");
	if (strcmp(what, "list") == 0 && c->argc == 1)
		return list(r);
	if (strcmp(what, "dump") == 0 && c->argc == 1)
		return dump(r, number);
	if (strcmp(what, "diff") == 0 && (c->argc == 2 || c->argc == 3) && read_number(c->argv[1], &from) &&
	    (c->argc == 2 || read_number(c->argv[2], &to)))
		return diff(r, from, to);
	return call_misused(c, "list, dump, or diff GENERATION [GENERATION]");
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "generation=", "json", "source=", "to=" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct rules r = { .call = c };
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc == 0)
		return call_misused(c, "list, dump, or diff GENERATION [GENERATION]");
	if (call_need_state(c) == -1 || call_path(c, STATE_RULES, r.dir) == -1)
		return EXIT_TROUBLE;
	r.source = slice_str(values[FLAG_SOURCE]);
	r.to = values[FLAG_TO];
	r.json = values[FLAG_JSON] != NULL;
	status = perform(&r, values);
	diag_fini(&r.diag);
	return status;
}

const struct verb verb_rules = {
	.name = "rules",
	.run = run,
	.operands = "list [--json] | dump [--generation N] [--source NAME] [--to DIR] | diff GENERATION [GENERATION]",
	.summary = "Show the generations that are kept, their rules, and what changed.",
	.help =
	    "  list             the kept generations, and the sources of the live one\n"
	    "  dump             the rules as lines of their sources, which publish reads back\n"
	    "  diff N [M]       what generation M, or the live one, has more (+) and less (-) than N\n"
	    "  --generation N   of that kept generation; else of the live one\n"
	    "  --source NAME    of that source alone\n"
	    "  --to DIR         a file for every source, DIR/NAME.rules; else one after the other\n"
	    "  --json           print an array\n",
};
