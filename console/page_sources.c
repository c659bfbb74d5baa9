#include "base/clock.h"
#include "console/html.h"
#include "console/part.h"
#include "console/rows.h"
#include "feeds/feed_list.h"
#include "ruleset/exception_list.h"
#include "ruleset/overview.h"
#include "ruleset/sources.h"
#include "runtime/state.h"

enum { MS_PER_S = 1000, EXCEPTIONS_SHOWN = 500, VALUE_MAX = 1 << 20 };

struct view {
	struct console		*c;
	const struct request	*rq;
	struct buf		*out;
	struct source_list	 files;		/* as they are on the disk */
	struct feed_list	 fetched;	/* those that have an origin */
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
add_tag(const struct view *v, const char *class, enum word_id id)
{
	buf_add_strs(v->out, "<span class=\"tag ", class, "\">", v->rq->words->text[id], "</span>", NULL);
}

/* When the origin of F last said something good, and what it said since. */
static void
write_fetched(const struct view *v, const struct feed_item *f)
{
	char age[WORDS_SPAN];

	if (f->state.good != 0) {
		html_span(v->out, v->rq, W_FETCHED_AGO, words_span(v->rq->words, v->now - f->state.good, age));
		html_add_time(v->out, f->state.good);
	}
	if (feed_state_is_stale(&f->state, v->now, f->read.origin.every))
		add_tag(v, "bad", W_STALE);
	if (f->state.why[0] == '\0')
		return;
	add_tag(v, "mid", W_FETCH_FAILED);
	buf_add_str(v->out, "<span>");
	html_text(v->out, slice_str(f->state.why), HTML_SHORT);
	buf_add_str(v->out, "</span>");
}

static void
write_source(const struct view *v, const struct manifest_source *s)
{
	const struct feed_item *fetched = feed_list_find(&v->fetched, slice_str(s->name));
	const struct source_file *file = file_of(v, s->name);
	char age[WORDS_SPAN], n[WORDS_NUMBER];

	buf_add_str(v->out, "<li><div><strong>");
	html_text(v->out, slice_str(s->name), HTML_SHORT);
	buf_add_str(v->out, "</strong></div><div class=\"meta\">");
	html_span(v->out, v->rq, W_RULES, words_number(v->rq->words, s->rules, n));
	if (file != NULL) {
		html_span(v->out, v->rq, W_CHANGED_AGO, words_span(v->rq->words, v->now - file->written, age));
		html_add_time(v->out, file->written);
		if (file->stamp != s->stamp)
			add_tag(v, "mid", W_CHANGED_SINCE);
	} else
		add_tag(v, "mid", W_NO_FILE);
	if (fetched != NULL)
		write_fetched(v, fetched);
	buf_add_str(v->out, "</div></li>\n");
}

static void
read_files(struct view *v)
{
	char dir[STATE_PATH], conf[STATE_PATH];
	struct diag diag = { 0 };

	if (state_path(v->c->o->state, STATE_SOURCES, dir) == 0 && state_path(v->c->o->state, STATE_SETTINGS, conf) == 0)
		source_list_read(dir, conf, v->c->o->formats, slice_make(NULL, 0), v->now, &v->files, &diag);
	feed_list_read(v->c->o->state, &v->fetched, &diag);
	diag_fini(&diag);
}

static void
write_sources(struct view *v, const struct generation *g)
{
	const struct manifest *m = generation_manifest(g);

	generation_write(v->rq, g, v->out);
	buf_add_str(v->out, "<ul class=\"list\">\n");
	read_files(v);
	for (size_t i = 0; i < m->n_sources; i++)
		write_source(v, &m->sources[i]);
	source_list_free(&v->files);
	feed_list_free(&v->fetched);
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
	char time[HTML_TIME];

	if (v->n++ >= EXCEPTIONS_SHOWN)
		return;
	buf_add_str(v->out, "<li><div>");
	add_tag(v, state == EXCEPTION_HOLDS ? "good" : "mid", exception_word(state));
	buf_add_str(v->out, " <code>");
	add_formatted(v->out, rule_value_format, rule);
	buf_add_str(v->out, "</code></div><div>");
	html_text(v->out, rule->note, HTML_LONG);
	buf_add_str(v->out, "</div><div class=\"meta\">");
	html_span(v->out, v->rq, W_UNTIL, html_time(rule->expires, time));
	if (rule->published != 0)
		html_span(v->out, v->rq, W_MADE, html_time(rule->published, time));
	buf_add_str(v->out, "<code>");
	add_formatted(v->out, rule_id_format, rule);
	buf_add_str(v->out, "</code></div></li>\n");
}

static void
write_exceptions(struct view *v, const struct generation *g)
{
	int r;

	html_heading(v->out, v->rq, W_EXCEPTIONS);
	buf_add_str(v->out, "<ul class=\"list\">\n");
	r = exception_list(g, v->now, write_exception, v, &v->damaged);
	buf_add_str(v->out, "</ul>\n");
	if (r == -1 || v->damaged)
		html_note(v->out, v->rq, "say mid", W_RULES_PARTIAL);
	if (v->n == 0)
		html_note(v->out, v->rq, NULL, W_NONE);
	if (v->n > EXCEPTIONS_SHOWN)
		html_note_number(v->out, v->rq, NULL, W_MORE_EXCEPTIONS, v->n);
}

void
page_sources(struct console *c, const struct request *rq, struct answer *a)
{
	struct view v = { .c = c, .rq = rq, .out = &a->body, .now = rq->now_ms / MS_PER_S };
	struct diag diag = { 0 };
	struct generation *g = overview_generation(c->o->state, false, &diag);

	if (g == NULL)
		answer_trouble(rq, a, W_RULES_UNREADABLE, &diag);
	else {
		html_begin(&a->body, rq, rq->words->text[W_NAV_SOURCES], "/sources");
		write_sources(&v, g);
		write_exceptions(&v, g);
		html_end(&a->body, rq, "/sources");
	}
	generation_close(g);
	diag_fini(&diag);
}
