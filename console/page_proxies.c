#include <stdio.h>

#include "base/digest.h"
#include "console/html.h"
#include "console/part.h"
#include "ruleset/overview.h"

enum { MS_PER_S = 1000, ALGS_TEXT = 128 };

struct view {
	const struct request	*rq;
	struct buf		*out;
	struct overview		 o;
	struct diag		 diag;
};

static const char *
word(const struct view *v, enum word_id id)
{
	return v->rq->words->text[id];
}

/* ---- is everything as it should be ---- */

static void
write_mode(const struct view *v)
{
	static const enum word_id words[] = { [MODE_ENFORCE] = W_MODE_ENFORCE, [MODE_OBSERVE] = W_MODE_OBSERVE, [MODE_OFF] = W_MODE_OFF };
	char time[HTML_TIME];

	buf_add_strs(v->out, "<p class=\"say ", v->o.mode == MODE_ENFORCE ? "good" : "bad", "\">", word(v, W_MODE), word(v, W_COLON), " ",
	    word(v, words[v->o.mode]), NULL);
	if (v->o.mode != MODE_ENFORCE && v->o.until_ms != 0) {
		buf_add_str(v->out, ", ");
		words_say(v->out, v->rq->words, W_UNTIL, html_time(v->o.until_ms / MS_PER_S, time), NULL);
	}
	buf_add_str(v->out, "</p>\n");
}

static void
write_diag(const struct view *v)
{
	for (size_t i = 0; i < v->diag.n; i++)
		if (v->diag.v[i].level == DIAG_ERROR) {
			buf_add_str(v->out, "<p class=\"say bad\">");
			html_english(v->out, v->rq, slice_str(v->diag.v[i].text), HTML_LONG);
			buf_add_str(v->out, "</p>\n");
		}
}

/* ---- the workers ---- */

static void
write_worker(const struct view *v, const struct worker *w)
{
	char number[WORDS_NUMBER], seen[WORDS_SPAN], started[HTML_TIME];

	buf_addf(v->out, "<li><div><strong>%s %ld</strong></div><div class=\"meta\"><span>%s %s</span>", word(v, W_PROCESS), (long)w->pid,
	    word(v, W_GENERATION), words_number(v->rq->words, w->generation, number));
	if (overview_is_behind(&v->o, w))
		buf_add_strs(v->out, "<span class=\"tag mid\">", word(v, W_BEHIND), "</span>", NULL);
	buf_add_strs(v->out, "<span>", word(v, W_SEEN), word(v, W_COLON), " ", NULL);
	words_say(v->out, v->rq->words, W_AGO, words_span(v->rq->words, overview_silence_ms(&v->o, w) / MS_PER_S, seen), NULL);
	buf_add_strs(v->out, "</span><span>", word(v, W_STARTED), word(v, W_COLON), " ", html_time(w->started_ms / MS_PER_S, started),
	    "</span></div></li>\n", NULL);
}

static void
write_workers(const struct view *v)
{
	char n[WORDS_NUMBER], behind[WORDS_NUMBER];

	html_heading(v->out, v->rq, W_WORKERS);
	if (v->o.n_workers == 0) {
		html_note(v->out, v->rq, "say mid", W_NO_WORKERS);
		return;
	}
	buf_add_strs(v->out, "<p", v->o.n_behind > 0 ? " class=\"say mid\">" : ">", NULL);
	words_say(v->out, v->rq->words, W_WORKERS_ARE, words_number(v->rq->words, v->o.n_workers, n),
	    words_number(v->rq->words, v->o.n_behind, behind), NULL);
	buf_add_str(v->out, "</p>\n<ul class=\"list\">\n");
	for (size_t i = 0; i < v->o.n_workers; i++)
		write_worker(v, &v->o.workers[i]);
	buf_add_str(v->out, "</ul>\n");
}

/* ---- the rule set, and what it covers ---- */

void
generation_write(const struct request *rq, const struct generation *g, struct buf *out)
{
	const struct manifest *m = generation_manifest(g);
	const struct words *w = rq->words;
	char age[WORDS_SPAN], number[WORDS_NUMBER], rules[WORDS_NUMBER], since[HTML_TIME];

	buf_add_str(out, "<p>");
	words_say(out, w, W_LIVE_IS, words_number(w, m->generation, number), words_number(w, generation_rules(g), rules),
	    html_time(m->created, since), words_span(w, rq->now_ms / MS_PER_S - m->created, age), NULL);
	buf_add_str(out, "</p>\n");
	if (m->rolled_back != 0)
		html_note_number(out, rq, "say mid", W_ROLLED_BACK, m->rolled_back);
}

static void
write_hashing(const struct view *v)
{
	unsigned sizeless = generation_sizeless_algs(v->o.g);
	char algs[ALGS_TEXT];
	struct buf text;

	if (sizeless == 0) {
		html_note(v->out, v->rq, NULL, W_HASHING_LISTED);
		return;
	}
	buf_init_in(&text, algs, sizeof(algs), sizeof(algs) - 1);
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++)
		if ((sizeless & DIGEST_BIT(alg)) != 0)
			buf_add_strs(&text, text.len > 0 ? ", " : "", digest_alg_name(alg), NULL);
	buf_add_str(v->out, "<p class=\"say mid\">");
	words_say(v->out, v->rq->words, W_HASHING_ALL, algs, NULL);
	buf_add_str(v->out, "</p>\n");
}

/* Kinds of rules have the names that rules(5) gives them. */
static void
write_coverage(const struct view *v)
{
	static const struct { const char *name; enum row_count count; } rows[] = {
		{ "host", COUNT_HOSTS }, { "url", COUNT_URLS }, { "path", COUNT_PATTERNS }, { "address", COUNT_ADDRESSES },
		{ "file name", COUNT_NAMES }, { "protect", COUNT_PROTECTS }, { "except", COUNT_EXCEPTIONS },
	};
	uint64_t n[ROW_COUNTS];

	generation_counts(v->o.g, n);
	html_heading(v->out, v->rq, W_COVERAGE);
	buf_add_strs(v->out, "<div class=\"wide\"><table><tr><th scope=\"col\">", word(v, W_KIND), "</th><th scope=\"col\" class=\"n\">",
	    word(v, W_NUMBER), "</th></tr>\n", NULL);
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++) {
		buf_add_strs(v->out, "<tr><th scope=\"row\"><code lang=\"en\">file ", digest_alg_name(alg), "</code></th><td class=\"n\">", NULL);
		html_number(v->out, v->rq, n[COUNT_FILES + alg]);
		buf_add_str(v->out, "</td></tr>\n");
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_add_strs(v->out, "<tr><th scope=\"row\"><code lang=\"en\">", rows[i].name, "</code></th><td class=\"n\">", NULL);
		html_number(v->out, v->rq, n[rows[i].count]);
		buf_add_str(v->out, "</td></tr>\n");
	}
	buf_add_str(v->out, "</table></div>\n");
	write_hashing(v);
}

/* ---- what they counted ---- */

static void
write_counters(const struct view *v)
{
	html_heading(v->out, v->rq, W_COUNTERS);
	if (v->o.runtime == NULL) {
		html_note(v->out, v->rq, NULL, W_NO_RUNTIME);
		return;
	}
	buf_add_strs(v->out, "<details><summary>", word(v, W_COUNTERS_SHOW), "</summary>\n"
	    "<div class=\"wide\"><table><tr><th scope=\"col\">", word(v, W_MEANING),
	    "</th><th scope=\"col\" class=\"n\">", word(v, W_NUMBER), "</th></tr>\n", NULL);
	for (enum counter i = 0; i < COUNTERS; i++) {
		buf_add_str(v->out, "<tr><th scope=\"row\" class=\"text\">");
		html_english(v->out, v->rq, slice_str(counter_help(i)), HTML_LONG);
		buf_add_str(v->out, "</th><td class=\"n\">");
		html_number(v->out, v->rq, runtime_counter(v->o.runtime, i));
		buf_add_str(v->out, "</td></tr>\n");
	}
	buf_add_str(v->out, "</table></div></details>\n");
}

void
page_proxies(struct console *c, const struct request *rq, struct answer *a)
{
	struct view v = { .rq = rq, .out = &a->body };

	overview_init(&v.o, c->o->state, false, rq->now_ms, &v.diag);
	html_begin(v.out, rq, word(&v, W_NAV_PROXIES), "/proxies");
	write_mode(&v);
	write_diag(&v);
	write_workers(&v);
	html_heading(v.out, rq, W_RULE_SET);
	if (v.o.g == NULL)
		html_note(v.out, rq, "say bad", W_NO_RULE_SET);
	else {
		generation_write(rq, v.o.g, v.out);
		write_coverage(&v);
	}
	write_counters(&v);
	html_end(v.out, rq, "/proxies");
	overview_fini(&v.o);
	diag_fini(&v.diag);
}
