#include "t/replay/case.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "t/replay/strings.h"

enum { CASE_MAX = 1024 * 1024, TEXT_MAX = 4 * 1024 * 1024, MARK_LEN = 2 };

/* Where the reading of one file stands. */
struct reader {
	const char		*path;
	unsigned		 line;
	struct diag		*diag;
	struct case_file	*c;
	struct buf		*block;			/* takes indented lines; NULL: none may come */
	bool			 begun;			/* the sentence is over */
	struct message		*request, *response;	/* the latest */
	struct buf		 headers;		/* ICAP header lines in force */
	int			 preview, allow204;
	struct case_exchange	*exchange;		/* whose events may follow */
};

#define complain(r, ...) \
	diag_add((r)->diag, DIAG_ERROR, (r)->path, (r)->line, 0, __VA_ARGS__)

/* Zeroed memory; a test that has none may end here. */
static void *
new_zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		abort();
	return p;
}

static struct case_step *
add_step(struct reader *r, enum case_step_kind kind)
{
	struct case_step *step = new_zeroed(sizeof(*step)), **at = &r->c->steps;

	step->kind = kind;
	step->line = r->line;
	buf_init(&step->text, TEXT_MAX);
	while (*at != NULL)
		at = &(*at)->next;
	return *at = step;
}

/* The first word of *TEXT, which is moved behind it and the blanks that follow. */
static struct slice
take_word(struct slice *text)
{
	struct slice word;
	size_t n;

	*text = slice_trim(*text);
	for (n = 0; n < text->len && !ascii_is_space(text->p[n]); n++)
		;
	word = slice_head(*text, n);
	*text = slice_trim(slice_skip(*text, n));
	return word;
}

static void
add_line(struct case_line **list, bool absent, const char *text)
{
	struct case_line *line = new_zeroed(sizeof(*line));

	line->absent = absent;
	line->text = slice_dup(slice_str(text));
	line->next = *list;
	*list = line;
}

/* ---- messages ---- */

static struct message *
new_message(struct reader *r)
{
	struct case_message *m = new_zeroed(sizeof(*m));

	message_init(&m->m);
	m->next = r->c->messages;
	r->c->messages = m;
	return &m->m;
}

/* A head line as written, or a list of strings. */
static void
add_text(struct reader *r, struct slice text, struct buf *out)
{
	const char *why;

	if (text.len == 0 || text.p[0] != '"')
		buf_add_slice(out, text);
	else if (strings_add(text, out, &why) == -1)
		complain(r, "%s", why);
	buf_add_str(out, "\r\n");
}

static void
read_head_line(struct reader *r, bool respmod, struct slice text)
{
	struct message **at = respmod ? &r->response : &r->request, *m = *at;

	if (m == NULL || m->ended) {
		if (text.len == 0) {
			complain(r, "a head that has no line");
			return;
		}
		m = *at = new_message(r);
		if (!respmod)
			r->response = NULL;
	}
	m->ended = text.len == 0;
	add_text(r, text, &m->head);
}

static void
read_body_line(struct reader *r, bool respmod, struct slice text)
{
	struct message *m = respmod ? r->response : r->request;
	const char *why;

	if (m == NULL || !m->ended)
		complain(r, "a body without a complete head");
	else if (strings_add(text, &m->body, &why) == -1)
		complain(r, "%s", why);
	else if (message_add_read(m) == -1)
		abort();
}

static void
read_cut(struct reader *r, bool respmod)
{
	struct message *m = respmod ? r->response : r->request;

	if (m == NULL || !m->ended) {
		complain(r, "nothing that could end here");
		return;
	}
	m->cut = m->has_body = true;
}

/* ">", ">+", ">." and the same with "<". */
static void
read_wire(struct reader *r, struct slice line)
{
	bool respmod = line.p[0] == '<';
	char mark = line.len > 1 ? line.p[1] : ' ';

	if (mark == '+')
		read_body_line(r, respmod, slice_skip(line, MARK_LEN));
	else if (mark == '.')
		read_cut(r, respmod);
	else if (mark == ' ')
		read_head_line(r, respmod, slice_skip(line, MARK_LEN));
	else
		complain(r, "unknown mark \"%.*s\"", SLICE_ARGS(slice_head(line, MARK_LEN)));
}

/* ---- verdicts ---- */

/* The rest of a "=" line: lines of the head that came back. */
static void
read_expected_lines(struct reader *r, struct case_exchange *x, struct slice rest)
{
	for (; rest.len > 0; rest = slice_trim(rest)) {
		bool absent = rest.p[0] == '-';
		struct buf text;

		buf_init(&text, TEXT_MAX);
		rest = slice_skip(rest, absent);
		if (string_take(&rest, &text) == -1) {
			complain(r, "a quoted string was expected");
			rest.len = 0;
		} else
			add_line(&x->lines, absent, text.len == 0 ? "" : text.p);
		buf_fini(&text);
	}
}

/* The words of a kill: "delivered < N". */
static int
read_limit(struct slice *rest, uint64_t *limit)
{
	if (!slice_eq(take_word(rest), SLICE("delivered")) || !slice_eq(take_word(rest), SLICE("<")))
		return -1;
	return slice_u64(take_word(rest), limit);
}

static int
read_pass_words(struct slice *rest, struct case_exchange *x)
{
	while (rest->len > 0 && rest->p[0] != '"' && rest->p[0] != '-') {
		struct slice word = take_word(rest);

		if (slice_eq(word, SLICE("204")))
			x->only_204 = true;
		else if (slice_eq(word, SLICE("early")))
			x->early = true;
		else
			return -1;
	}
	return 0;
}

static int
read_verdict(struct slice *rest, struct case_exchange *x)
{
	static const char *const words[] = { "pass", "modify", "block", "kill", "error", "gone" };
	struct slice word = take_word(rest);
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq(word, slice_str(words[i])))
			break;
	x->verdict = (enum case_verdict)i;
	switch (x->verdict) {
	case CASE_PASS:
		return read_pass_words(rest, x);
	case CASE_BLOCK:
	case CASE_ERROR:
		return slice_u64(take_word(rest), &x->number);
	case CASE_KILL:
		return read_limit(rest, &x->number);
	case CASE_MODIFY:
	case CASE_GONE:
		return 0;
	}
	return -1;
}

static void
read_equals(struct reader *r, struct slice rest)
{
	struct slice word = take_word(&rest);
	bool respmod = slice_eq(word, SLICE("respmod"));
	struct case_exchange *x = &add_step(r, CASE_EXCHANGE)->exchange;

	*x = (struct case_exchange){ .respmod = respmod, .request = r->request, .preview = r->preview,
		.response = respmod ? r->response : NULL, .allow204 = r->allow204,
		.headers = slice_dup(buf_slice(&r->headers)) };
	r->exchange = x;
	if (!respmod && !slice_eq(word, SLICE("reqmod")))
		complain(r, "\"reqmod\" or \"respmod\" was expected");
	else if ((respmod ? r->response : r->request) == NULL)
		complain(r, "there is nothing to send");
	else if ((r->request != NULL && !r->request->ended) || (r->response != NULL && !r->response->ended))
		complain(r, "the head is not complete: a bare mark ends it");
	else if (read_verdict(&rest, x) == -1)
		complain(r, "not a verdict");
	else
		read_expected_lines(r, x, rest);
}

/* ---- events ---- */

/* "block" and "blocked" are the same action. */
static int
action_parse(struct slice word, enum event_action *action)
{
	static const struct { const char *word; enum event_action action; } verbs[] = {
		{ "block", EVENT_BLOCKED }, { "kill", EVENT_KILLED }, { "mark", EVENT_MARKED },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (slice_eq(word, slice_str(verbs[i].word))) {
			*action = verbs[i].action;
			return 0;
		}
	for (int i = 0; i < EVENT_ACTIONS; i++)
		if (slice_eq(word, slice_str(event_action_name((enum event_action)i)))) {
			*action = (enum event_action)i;
			return 0;
		}
	return -1;
}

static const struct event_field *
field_find(struct slice word)
{
	for (size_t i = 0; i < event_fields_n; i++)
		if (slice_eq(slice_str(event_fields[i].word), word))
			return &event_fields[i];
	return NULL;
}

/* One "word=value" at the start of *REST. */
static int
read_field(struct reader *r, struct slice *rest, struct case_event *e)
{
	struct slice word, value;
	struct case_field *f;
	struct buf text;

	if (!slice_cut(*rest, '=', &word, rest) || field_find(word) == NULL) {
		complain(r, "\"%.*s\" is not a field of events.def", SLICE_ARGS(word));
		return -1;
	}
	buf_init(&text, TEXT_MAX);
	if (rest->len > 0 && rest->p[0] == '"') {
		if (string_take(rest, &text) == -1)
			complain(r, "a quoted string does not end");
	} else if (rest->len > 0 && !ascii_is_space(rest->p[0])) {
		value = take_word(rest);
		buf_add_slice(&text, value);
	}
	f = new_zeroed(sizeof(*f));
	f->field = field_find(word);
	f->value = slice_dup(buf_slice(&text));
	f->next = e->fields;
	e->fields = f;
	buf_fini(&text);
	*rest = slice_trim(*rest);
	return 0;
}

static void
read_event(struct reader *r, struct slice rest)
{
	struct case_event *e = new_zeroed(sizeof(*e)), **at;
	struct slice word = take_word(&rest);

	if (r->exchange == NULL) {
		complain(r, "an event before any exchange");
		free(e);
		return;
	}
	for (at = &r->exchange->events; *at != NULL; at = &(*at)->next)
		;
	*at = e;
	if (action_parse(word, &e->action) == -1)
		complain(r, "\"%.*s\" is not an action", SLICE_ARGS(word));
	while (rest.len > 0 && read_field(r, &rest, e) == 0)
		;
}

/* ---- directives ---- */

static void
read_icap(struct reader *r, struct slice rest)
{
	if (rest.len == 0)
		buf_reset(&r->headers);
	else
		add_text(r, rest, &r->headers);
}

static int
read_offer(struct slice value, bool preview, int *out)
{
	uint64_t n;

	if (slice_eq(value, SLICE("no")))
		*out = preview ? NO_PREVIEW : 0;
	else if (slice_eq(value, SLICE("squid")) || (preview && slice_eq(value, SLICE("yes"))))
		*out = CLIENT_DEFAULT;
	else if (slice_eq(value, SLICE("yes")))
		*out = 1;
	else if (preview && slice_u64(value, &n) == 0 && n <= MESSAGE_MAX)
		*out = (int)n;
	else
		return -1;
	return 0;
}

static void
read_client(struct reader *r, struct slice rest)
{
	while (rest.len > 0) {
		struct slice word = take_word(&rest), value;
		bool preview;

		slice_cut(word, '=', &word, &value);
		preview = slice_eq(word, SLICE("preview"));
		if ((!preview && !slice_eq(word, SLICE("204"))) ||
		    read_offer(value, preview, preview ? &r->preview : &r->allow204) == -1)
			complain(r, "preview=BYTES|no|yes or 204=yes|no|squid was expected");
	}
}

static void
read_mode(struct reader *r, struct slice rest)
{
	struct case_step *step = add_step(r, CASE_MODE);

	if (mode_parse(rest, &step->mode) == -1)
		complain(r, "enforce, observe or off was expected");
}

static void
read_now(struct reader *r, struct slice rest)
{
	struct case_step *step = add_step(r, CASE_NOW);

	if (rest.len > 0 && clock_parse(rest, &step->now) == -1)
		complain(r, "a date was expected");
}

static void
read_text(struct reader *r, struct slice rest, struct case_line **list)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (string_take(&rest, &text) == -1 || text.len == 0)
		complain(r, "a quoted string was expected");
	else
		add_line(list, false, text.p);
	buf_fini(&text);
}

static void
read_log(struct reader *r, struct slice rest)
{
	read_text(r, rest, &r->c->log);
}

static void
read_never(struct reader *r, struct slice rest)
{
	read_text(r, rest, &r->c->never);
}

static void
read_unshown(struct reader *r, struct slice rest)
{
	read_text(r, rest, &r->c->unshown);
}

static void
read_shown(struct reader *r, struct slice rest)
{
	read_text(r, rest, &r->c->shown);
}

/* "rules:", "rules alert-1:", "page block.html:", "site:", "conf:": where the indented lines go. */
static int
read_block(struct reader *r, struct slice line)
{
	struct slice word = take_word(&line), name = slice_head(line, line.len - (line.len > 0));
	struct case_step *step;

	if (slice_eq(word, SLICE("conf:")))
		r->block = &r->c->conf;
	else if (slice_eq(word, SLICE("site:")))
		r->block = &add_step(r, CASE_SITE)->text;
	else if (slice_eq(word, SLICE("rules:")) || (slice_eq(word, SLICE("rules")) && name.len > 0)) {
		step = add_step(r, CASE_SOURCE);
		step->name = slice_dup(name.len > 0 ? name : SLICE("rules"));
		r->block = &step->text;
	} else if (slice_eq(word, SLICE("page")) && name.len > 0) {
		step = add_step(r, CASE_PAGE);
		step->name = slice_dup(name);
		r->block = &step->text;
	} else
		return -1;
	return 0;
}

static void
read_directive(struct reader *r, struct slice line)
{
	static const struct {
		const char *word;
		void (*read)(struct reader *r, struct slice rest);
	} directives[] = {
		{ "icap", read_icap }, { "client", read_client }, { "mode", read_mode },
		{ "now", read_now }, { "log", read_log }, { "never", read_never }, { "unshown", read_unshown }, { "shown", read_shown },
		{ "=", read_equals }, { "!", read_event },
	};
	struct slice rest = line, word = take_word(&rest);

	if (slice_ends(line, SLICE(":")) && read_block(r, line) == 0)
		return;
	if (slice_eq(word, SLICE("unpublished"))) {
		r->c->unpublished = true;
		return;
	}
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (slice_eq(word, slice_str(directives[i].word))) {
			directives[i].read(r, rest);
			return;
		}
	complain(r, "unknown word \"%.*s\"", SLICE_ARGS(word));
}

static void
read_comment(struct reader *r, struct slice line)
{
	if (r->begun)
		return;
	if (r->c->sentence.len > 0)
		buf_add_char(&r->c->sentence, ' ');
	buf_add_slice(&r->c->sentence, slice_trim(slice_skip(line, 1)));
}

static void
read_line(struct reader *r, struct slice line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (slice_trim(line).len == 0) {
		r->block = NULL;
	} else if (ascii_is_space(line.p[0])) {
		if (r->block == NULL) {
			complain(r, "an indented line outside a block");
			return;
		}
		buf_add_slice(r->block, slice_trim(line));
		buf_add_char(r->block, '\n');
	} else if (line.p[0] == '#') {
		read_comment(r, line);
	} else {
		r->begun = true;
		r->block = NULL;
		if (line.p[0] == '>' || line.p[0] == '<')
			read_wire(r, line);
		else
			read_directive(r, line);
	}
}

/* "t/cases/host-below.case" -> "host-below". */
static char *
case_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice name = slice_str(slash == NULL ? path : slash + 1);

	return slice_dup(slice_ends(name, SLICE(".case")) ? slice_head(name, name.len - strlen(".case")) : name);
}

static void
read_all(struct reader *r, struct slice text)
{
	while (text.len > 0) {
		struct slice line;

		slice_cut(text, '\n', &line, &text);
		r->line++;
		read_line(r, line);
	}
	if (r->c->sentence.len == 0)
		complain(r, "the case does not say in a sentence what it is about");
	if (r->exchange == NULL)
		complain(r, "nothing is sent in this case");
}

struct case_file *
case_load(const char *path, struct diag *diag)
{
	struct reader r = { .path = path, .diag = diag, .preview = CLIENT_DEFAULT, .allow204 = CLIENT_DEFAULT };
	struct buf text;
	size_t errors = diag->n_errors;

	buf_init(&text, CASE_MAX);
	if (file_read(path, &text) == -1) {
		diag_error(diag, "%s cannot be read", path);
		buf_fini(&text);
		return NULL;
	}
	r.c = new_zeroed(sizeof(*r.c));
	r.c->name = case_name(path);
	buf_init(&r.c->sentence, CASE_MAX);
	buf_init(&r.c->conf, CASE_MAX);
	buf_init(&r.headers, TEXT_MAX);
	read_all(&r, buf_slice(&text));
	buf_fini(&r.headers);
	buf_fini(&text);
	if (diag->n_errors > errors) {
		case_free(r.c);
		return NULL;
	}
	return r.c;
}

/* ---- the end ---- */

static void
free_lines(struct case_line *line)
{
	while (line != NULL) {
		struct case_line *next = line->next;

		free(line->text);
		free(line);
		line = next;
	}
}

static void
free_events(struct case_event *e)
{
	while (e != NULL) {
		struct case_event *next = e->next;

		while (e->fields != NULL) {
			struct case_field *f = e->fields;

			e->fields = f->next;
			free(f->value);
			free(f);
		}
		free(e);
		e = next;
	}
}

static void
free_step(struct case_step *step)
{
	free(step->name);
	buf_fini(&step->text);
	free(step->exchange.headers);
	free_lines(step->exchange.lines);
	free_events(step->exchange.events);
	free(step);
}

void
case_free(struct case_file *c)
{
	if (c == NULL)
		return;
	while (c->steps != NULL) {
		struct case_step *step = c->steps;

		c->steps = step->next;
		free_step(step);
	}
	while (c->messages != NULL) {
		struct case_message *m = c->messages;

		c->messages = m->next;
		message_fini(&m->m);
		free(m);
	}
	free_lines(c->log);
	free_lines(c->never);
	free_lines(c->unshown);
	free_lines(c->shown);
	buf_fini(&c->sentence);
	buf_fini(&c->conf);
	free(c->name);
	free(c);
}
