#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"
#include "ruleset/exception_list.h"
#include "ruleset/overview.h"
#include "ruleset/sources.h"
#include "runtime/state.h"

enum { MS_PER_S = 1000, EXCEPTIONS_SHOWN = 500, VALUE_MAX = 1 << 20 };

struct view {
	struct console		*c;
	struct buf		*out;
	struct source_list	 files;		/* as they are on the disk */
	int64_t			 now;
	size_t			 n;		/* exceptions */
	bool			 damaged;
};

/* ---- sources ---- */

static const struct source_file *
file_of(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->files.n; i++)
		if (slice_eq(v->files.files[i].name, slice_str(name)))
			return &v->files.files[i];
	return NULL;
}

static void
write_source(const struct view *v, const struct manifest_source *s)
{
	const struct source_file *file = file_of(v, s->name);
	char age[CLOCK_SPAN];

	buf_add_str(v->out, "<li><div><strong>");
	html_text(v->out, slice_str(s->name), HTML_SHORT);
	buf_addf(v->out, "</strong></div><div class=\"meta\"><span>%llu rule%s</span>", (unsigned long long)s->rules,
	    s->rules == 1 ? "" : "s");
	if (file != NULL) {
		clock_format_span(file->written < v->now ? v->now - file->written : 0, age);
		buf_add_strs(v->out, "<span>changed ", age, " ago</span>", NULL);
		html_time(v->out, file->written);
		if (file->stamp != s->stamp)
			buf_add_str(v->out, "<span class=\"tag mid\">changed since it was published</span>");
	} else
		buf_add_str(v->out, "<span class=\"tag mid\">its file is not there</span>");
	buf_addf(v->out, "<span>since generation %llu</span></div></li>\n", (unsigned long long)s->layer);
}

static void
read_files(struct view *v)
{
	char dir[STATE_PATH], conf[STATE_PATH];
	struct diag diag = { 0 };

	if (state_path(v->c->o->state, STATE_SOURCES, dir) == 0 && state_path(v->c->o->state, STATE_SETTINGS, conf) == 0)
		source_list_read(dir, conf, v->c->o->formats, slice_make(NULL, 0), v->now, &v->files, &diag);
	diag_fini(&diag);
}

static void
write_sources(struct view *v, const struct generation *g)
{
	const struct manifest *m = generation_manifest(g);
	char age[CLOCK_SPAN];

	clock_format_span(v->now > m->created ? v->now - m->created : 0, age);
	buf_addf(v->out, "<p>Generation %llu with %llu rules is live, since ", (unsigned long long)m->generation,
	    (unsigned long long)generation_rules(g));
	html_time(v->out, m->created);
	buf_add_strs(v->out, " (", age, ").</p>\n", NULL);
	if (m->rolled_back != 0)
		buf_addf(v->out, "<p class=\"say mid\">It is a rollback to generation %llu: the sources are not looked at.</p>\n",
		    (unsigned long long)m->rolled_back);
	buf_add_str(v->out, "<ul class=\"list\">\n");
	read_files(v);
	for (size_t i = 0; i < m->n_sources; i++)
		write_source(v, &m->sources[i]);
	source_list_free(&v->files);
	buf_add_str(v->out, "</ul>\n");
}

/* ---- exceptions ---- */

static void
add_formatted(struct buf *out, int format(const struct rule *rule, struct buf *text), const struct rule *rule)
{
	struct buf text;

	buf_init(&text, VALUE_MAX);
	format(rule, &text);
	html_text(out, buf_slice(&text), HTML_LONG);
	buf_fini(&text);
}

static void
write_exception(void *arg, const struct rule *rule, enum exception_state state)
{
	struct view *v = arg;

	if (v->n++ >= EXCEPTIONS_SHOWN)
		return;
	buf_add_strs(v->out, "<li><div><span class=\"tag ", state == EXCEPTION_HOLDS ? "good" : "mid", "\">", exception_state_text(state),
	    "</span> <code>", NULL);
	add_formatted(v->out, rule_value_format, rule);
	buf_add_str(v->out, "</code></div><div>");
	html_text(v->out, rule->note, HTML_LONG);
	buf_add_str(v->out, "</div><div class=\"meta\"><span>until ");
	html_time(v->out, rule->expires);
	buf_add_str(v->out, "</span>");
	if (rule->published != 0) {
		buf_add_str(v->out, "<span>made ");
		html_time(v->out, rule->published);
		buf_add_str(v->out, "</span>");
	}
	buf_add_str(v->out, "<code>");
	add_formatted(v->out, rule_id_format, rule);
	buf_add_str(v->out, "</code></div></li>\n");
}

static void
write_exceptions(struct view *v, const struct generation *g)
{
	int r;

	buf_add_str(v->out, "<h2>Exceptions</h2>\n<ul class=\"list\">\n");
	r = exception_list(g, v->now, write_exception, v, &v->damaged);
	buf_add_str(v->out, "</ul>\n");
	if (r == -1 || v->damaged)
		buf_add_str(v->out, "<p class=\"say mid\">A part of the rules cannot be read: something may be missing here.</p>\n");
	if (v->n == 0)
		buf_add_str(v->out, "<p>There are none.</p>\n");
	if (v->n > EXCEPTIONS_SHOWN)
		buf_addf(v->out, "<p>There are %zu; \"firebreak exception list\" shows all of them.</p>\n", v->n);
}

void
page_sources(struct console *c, const struct request *rq, struct answer *a)
{
	struct view v = { .c = c, .out = &a->body, .now = rq->now_ms / MS_PER_S };
	struct diag diag = { 0 };
	struct generation *g = overview_generation(c->o->state, false, &diag);

	if (g == NULL)
		answer_message(rq, a, STATUS_TROUBLE, "There are no rules that can be read", slice_str(diag_first_error(&diag)));
	else {
		html_begin(&a->body, "Sources", "/sources", rq->session);
		write_sources(&v, g);
		write_exceptions(&v, g);
		html_end(&a->body);
	}
	generation_close(g);
	diag_fini(&diag);
}
