#include "ruleset/held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "runtime/state.h"

enum { FILE_ROOM = 1 << 30, LINE_ROOM = 1 << 20, SHOWN_MAX = 100 };

static const char *const verdict_names[] = { "waiting", "approved", "denied" };
static const char *const file_names[] = { [HELD_RULES] = STATE_HELD, [HELD_DECISIONS] = STATE_APPROVED };

const char *
held_verdict_name(enum held_verdict verdict)
{
	return verdict_names[verdict];
}

void
held_id(struct slice class, struct slice source, struct slice rule, char out[static HELD_ID])
{
	static const char digits[] = "0123456789abcdef";
	const struct slice parts[] = { class, source, rule };
	uint8_t sum[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1) {
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
			EVP_DigestUpdate(ctx, parts[i].p, parts[i].len);
			EVP_DigestUpdate(ctx, "", 1);	/* the NUL between them */
		}
		EVP_DigestFinal_ex(ctx, sum, NULL);
	}
	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; i < HELD_ID - 1; i++)
		out[i] = digits[sum[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
	out[HELD_ID - 1] = '\0';
}

/* ---- lines ---- */

/* Take the next word off REST; false when there is none. */
static bool
take(struct slice *rest, struct slice *word)
{
	slice_cut(*rest, ' ', word, rest);
	return word->len > 0;
}

/* Three words as one slice. */
static bool
take_rule(struct slice *rest, struct slice *rule)
{
	struct slice action, kind, value;

	if (!take(rest, &action) || !take(rest, &kind) || !take(rest, &value))
		return false;
	*rule = slice_make(action.p, (size_t)(value.p + value.len - action.p));
	return true;
}

static bool
take_verdict(struct slice *rest, enum held_verdict *verdict)
{
	struct slice word;

	if (!take(rest, &word))
		return false;
	for (*verdict = HELD_APPROVED; *verdict <= HELD_DENIED; (*verdict)++)
		if (slice_eq(word, slice_str(verdict_names[*verdict])))
			return true;
	return false;
}

/* LINE's words into H. */
static bool
split(enum held_file which, struct slice line, struct held *h)
{
	struct slice rest = line;

	if (!take(&rest, &h->id) || h->id.len != HELD_ID - 1)
		return false;
	if (which == HELD_DECISIONS && !take_verdict(&rest, &h->verdict))
		return false;
	if (!take(&rest, &h->date) || (which == HELD_DECISIONS && !take(&rest, &h->who)) || !take(&rest, &h->class) ||
	    !take(&rest, &h->source) || !take_rule(&rest, &h->rule))
		return false;
	h->text = rest;
	return true;
}

static int
grow(struct held_list *list)
{
	size_t cap = list->cap == 0 ? 64 : 2 * list->cap;
	struct held *v;

	if (list->n < list->cap)
		return 0;
	if ((v = realloc(list->v, cap * sizeof(*v))) == NULL)
		return -1;
	list->v = v;
	list->cap = cap;
	return 0;
}

/* 1 when LINE was added, 0 when it is none, -1 without memory. */
static int
add_line(enum held_file which, struct slice line, struct held_list *list)
{
	struct held h = { .order = list->n };

	if ((h.line = slice_dup(line)) == NULL || grow(list) == -1) {
		free(h.line);
		return -1;
	}
	if (!split(which, slice_make(h.line, line.len), &h)) {
		free(h.line);
		return 0;
	}
	list->v[list->n++] = h;
	return 1;
}

static void
report_line(enum held_file which, const char *file, unsigned number, struct slice line, struct diag *diag)
{
	if (which == HELD_RULES)
		diag_add(diag, DIAG_WARNING, file, number, 0, "left out: expected ID DATE CLASS SOURCE ACTION KIND VALUE SENTENCE: "
		    "\"%.*s\"", SLICE_ARGS(slice_head(line, SHOWN_MAX)));
	else
		diag_add(diag, DIAG_ERROR, file, number, 0, "expected ID approved|denied DATE WHO CLASS SOURCE ACTION KIND VALUE: "
		    "\"%.*s\"", SLICE_ARGS(slice_head(line, SHOWN_MAX)));
}

int
held_parse(enum held_file which, const char *file, struct slice text, struct held_list *list, struct diag *diag)
{
	struct slice line;
	int result = 0;

	for (unsigned number = 1; text.len > 0; number++) {
		int added;

		slice_cut(text, '\n', &line, &text);
		line = slice_trim(line);
		if (line.len == 0 || line.p[0] == '#' || (added = add_line(which, line, list)) == 1)
			continue;
		if (added == -1) {
			diag_add(diag, DIAG_ERROR, file, number, 0, "out of memory");
			return -1;
		}
		report_line(which, file, number, line, diag);
		result = which == HELD_RULES ? result : -1;
	}
	return result;
}

int
held_load(enum held_file which, const char *state, struct held_list *list, struct diag *diag)
{
	char path[STATE_PATH];
	struct buf text;
	int result = 0;

	if (state_path(state, file_names[which], path) == -1) {
		diag_error(diag, "%s: %s", state, strerror(errno));
		return -1;
	}
	buf_init(&text, FILE_ROOM);
	if (file_read(path, &text) == 0) {
		result = held_parse(which, path, buf_slice(&text), list, diag);
	} else if (errno != ENOENT) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
		result = -1;
	}
	buf_fini(&text);
	return result;
}

void
held_fini(struct held_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].line);
	free(list->v);
	*list = (struct held_list){ 0 };
}

/* Append WORDS, N of them, each behind a blank but the first. */
static void
add_words(struct buf *out, const struct slice *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_add_char(out, ' ');
		buf_add_slice(out, words[i]);
	}
}

int
held_add(struct held_list *list, struct slice date, struct slice class, struct slice source, struct slice rule,
    struct slice text)
{
	char id[HELD_ID];
	struct slice words[] = { slice_make(id, HELD_ID - 1), date, class, source, rule, text };
	struct buf line;
	int result = -1;

	held_id(class, source, rule, id);
	buf_init(&line, LINE_ROOM);
	add_words(&line, words, sizeof(words) / sizeof(*words));
	if (!line.failed)
		result = add_line(HELD_RULES, buf_slice(&line), list) == 1 ? 0 : -1;
	buf_fini(&line);
	return result;
}

/* ---- order ---- */

static int
compare_words(const struct held *a, const struct held *b)
{
	int c = slice_cmp(a->source, b->source);

	if (c == 0)
		c = slice_cmp(a->class, b->class);
	return c != 0 ? c : slice_cmp(a->rule, b->rule);
}

static int
by_words(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int c = compare_words(x, y);

	return c != 0 ? c : x->order < y->order ? -1 : x->order > y->order;
}

static int
by_id(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int c = slice_cmp(x->id, y->id);

	return c != 0 ? c : x->order < y->order ? -1 : x->order > y->order;
}

void
held_index(struct held_list *list)
{
	if (list->n > 0)
		qsort(list->v, list->n, sizeof(*list->v), by_id);
}

/* How many lines have an id of at most ID. */
static size_t
count_to(const struct held_list *list, struct slice id)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slice_cmp(list->v[middle].id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct held *
held_find(const struct held_list *list, struct slice id)
{
	size_t n = count_to(list, id);

	return n > 0 && slice_eq(list->v[n - 1].id, id) ? &list->v[n - 1] : NULL;
}

const struct held *
held_match(const struct held_list *list, struct slice class, struct slice source, struct slice rule)
{
	struct held words = { .class = class, .source = source, .rule = rule };
	char text[HELD_ID];
	struct slice id = { text, HELD_ID - 1 };

	held_id(class, source, rule, text);
	for (size_t n = count_to(list, id); n > 0 && slice_eq(list->v[n - 1].id, id); n--)
		if (compare_words(&list->v[n - 1], &words) == 0)
			return &list->v[n - 1];
	return NULL;
}

void
held_arrange(struct held_list *list)
{
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(list->v, list->n, sizeof(*list->v), by_words);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && compare_words(&list->v[n - 1], &list->v[i]) == 0)
			free(list->v[i].line);
		else
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

/* ---- writing ---- */

int
held_format(const struct held_list *list, struct buf *out)
{
	buf_add_str(out, "# Rules that wait for a person: ID DATE CLASS SOURCE ACTION KIND VALUE SENTENCE.\n"
	    "# \"firebreak publish\" writes this file anew; decide with \"firebreak approve ID\" or \"firebreak deny ID\".\n");
	for (size_t i = 0; i < list->n; i++) {
		const struct held *h = &list->v[i];
		struct slice words[] = { h->id, h->date, h->class, h->source, h->rule, h->text };

		add_words(out, words, sizeof(words) / sizeof(*words));
		buf_add_char(out, '\n');
	}
	return out->failed ? -1 : 0;
}

int
held_decide(const struct held *h, enum held_verdict verdict, struct slice date, struct slice who, struct slice note,
    struct buf *out)
{
	struct slice words[] = { h->id, slice_str(verdict_names[verdict]), date, who, h->class, h->source, h->rule };
	size_t from;

	add_words(out, words, sizeof(words) / sizeof(*words));
	buf_add_char(out, ' ');
	from = out->len;
	buf_add_slice(out, note);
	for (size_t i = from; !out->failed && i < out->len; i++)
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == '\x7f')
			out->p[i] = ' ';
	while (!out->failed && out->p[out->len - 1] == ' ')
		out->len--;
	return buf_add_char(out, '\n');
}

void
held_continue(struct buf *text)
{
	if (text->len == 0)
		buf_add_str(text, "# What people decided about held rules: ID approved|denied DATE WHO CLASS SOURCE ACTION KIND VALUE "
		    "NOTE.\n# Of two lines about one rule the later counts; a line that is removed makes its rule wait again.\n");
	else if (text->p[text->len - 1] != '\n')
		buf_add_char(text, '\n');
}
