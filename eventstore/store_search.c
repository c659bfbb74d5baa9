#include "eventstore/store_part.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/pseudonym.h"

enum {
	SQL_MAX = 8192, PATTERN_MAX = 1 << 20, VALUES_MAX = 128,
	LIKE_MAX = 8192,		/* SQLite takes patterns of 50,000 bytes, of which some may be escapes */
	MS_PER_HOUR = 3600 * 1000,
};

/* ---- conditions ---- */

/* A statement that grows, and what is bound to it: nothing that is searched for ever stands in the text. */
struct sql {
	struct buf	text;
	struct buf	values[VALUES_MAX];	/* of text or bytes */
	int64_t		numbers[VALUES_MAX];
	char		types[VALUES_MAX];	/* 't', 'b', 'i' */
	size_t		n;
	const struct pseudonyms *pseudonyms;	/* NULL: none are known */
};

static void
sql_init(struct sql *q, const struct eventstore *s)
{
	memset(q, 0, sizeof(*q));
	q->pseudonyms = s->pseudonyms;
	buf_init(&q->text, SQL_MAX);
}

static void
sql_fini(struct sql *q)
{
	buf_fini(&q->text);
	for (size_t i = 0; i < q->n; i++)
		buf_fini(&q->values[i]);
}

/* A new value, to which the caller adds.  There are always enough: the conditions are as many as a query has members. */
static struct buf *
value(struct sql *q, char type)
{
	q->types[q->n] = type;
	buf_init(&q->values[q->n], PATTERN_MAX);
	return &q->values[q->n++];
}

static void
number(struct sql *q, int64_t n)
{
	value(q, 'i');
	q->numbers[q->n - 1] = n;
}

/* TEXT as a pattern of LIKE, which compares ASCII without case: '*' is any text, all else itself. */
static void
add_pattern(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, text.p[i] == '*' ? '%' : text.p[i]);
	}
}

static bool
has_star(struct slice text)
{
	return slice_find(text, '*') < text.len;
}

/* The kind of pseudonym that word W may be; PSEUDONYM_KINDS: none. */
static enum pseudonym_kind
kind_of(int w)
{
	return w == EVENT_WORD_USER ? PSEUDONYM_USER : w == EVENT_WORD_CLIENT ? PSEUDONYM_CLIENT : PSEUDONYM_KINDS;
}

/* The numbers of words that are TEXT, or its pseudonym by any key. */
static void
add_tokens(struct sql *q, enum pseudonym_kind kind, struct slice text)
{
	char token[PSEUDONYM_TEXT];
	struct buf name;
	enum pseudonym_kind of;

	buf_init(&name, PSEUDONYM_NAME_MAX + 1);
	buf_add_str(&q->text, " IN (SELECT n FROM word WHERE text IN (?");
	buf_add_slice(value(q, 't'), text);
	/* A pseudonym means who it is, by whatever key. */
	if (pseudonym_open(q->pseudonyms, text, &of, &name) == PSEUDONYM_OPENED && of == kind)
		text = buf_slice(&name);
	for (size_t i = 0; i < pseudonyms_n(q->pseudonyms); i++) {
		int len = pseudonym_make_by(q->pseudonyms, i, kind, text, token);

		buf_add_str(&q->text, ", ?");
		buf_add_slice(value(q, 't'), slice_make(token, len > 0 ? (size_t)len : 0));
	}
	buf_add_str(&q->text, "))");
	buf_fini(&name);
}

/* The same for a pattern, or in any case: each pseudonym is turned back. */
static void
add_opened(struct sql *q, enum pseudonym_kind kind, struct slice text)
{
	struct buf name;
	enum pseudonym_kind of;

	buf_init(&name, PSEUDONYM_NAME_MAX + 1);
	buf_addf(&q->text, " IN (SELECT n FROM word WHERE text LIKE ? ESCAPE '\\' OR pseudonym_name(text, %d) LIKE ? ESCAPE '\\')",
	    (int)kind);
	add_pattern(value(q, 't'), text);
	if (pseudonym_open(q->pseudonyms, text, &of, &name) == PSEUDONYM_OPENED && of == kind)
		text = buf_slice(&name);
	add_pattern(value(q, 't'), text);
	buf_fini(&name);
}

/* The name of a pseudonym in SQL: NULL for any other text. */
static void
sql_pseudonym_name(sqlite3_context *c, int n, sqlite3_value **v)
{
	const struct pseudonyms *p = sqlite3_user_data(c);
	const char *text = (const char *)sqlite3_value_text(v[0]);
	enum pseudonym_kind kind;
	struct buf name;

	(void)n;
	buf_init(&name, PSEUDONYM_NAME_MAX + 1);
	if (text != NULL && pseudonym_open(p, slice_make(text, (size_t)sqlite3_value_bytes(v[0])), &kind, &name) == PSEUDONYM_OPENED &&
	    (int)kind == sqlite3_value_int(v[1]))
		sqlite3_result_text64(c, name.p, name.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	buf_fini(&name);
}

void
eventstore_set_pseudonyms(struct eventstore *s, const struct pseudonyms *p)
{
	s->pseudonyms = p;
}

/* The numbers of the words of TABLE that TEXT means, in brackets: "= (one)" can go by the index in order of time. */
static void
add_words(struct sql *q, const char *table, struct slice text, bool exact, bool any_case)
{
	if (exact || (!has_star(text) && !any_case)) {
		buf_addf(&q->text, " = (SELECT n FROM %s WHERE text = ?)", table);
		buf_add_slice(value(q, 't'), text);
		return;
	}
	buf_addf(&q->text, " IN (SELECT n FROM %s WHERE text LIKE ? ESCAPE '\\')", table);
	add_pattern(value(q, 't'), text);
}

static const char *
table_of(int word)
{
	return store_is_name(word) ? "name" : "word";
}

/* TEXT as a person's word W, when pseudonyms are known. */
static bool
add_person(struct sql *q, enum event_word w, struct slice text)
{
	if (q->pseudonyms == NULL || kind_of(w) == PSEUDONYM_KINDS)
		return false;
	if (w == EVENT_WORD_USER || has_star(text))
		add_opened(q, kind_of(w), text);
	else
		add_tokens(q, kind_of(w), text);
	return true;
}

static void
add_word(struct sql *q, enum event_word w, struct slice text, bool exact)
{
	if (text.len == 0)
		return;
	buf_addf(&q->text, " AND e.%s", event_word_name(w));
	if (!exact && add_person(q, w, text))
		return;
	if (exact || w != EVENT_WORD_HOST || *text.p != '.' || text.len == 1) {
		add_words(q, table_of(w), text, exact, w == EVENT_WORD_USER);
		return;
	}
	buf_add_str(&q->text, " IN (SELECT n FROM word WHERE text = ? OR text LIKE ? ESCAPE '\\')");
	buf_add_slice(value(q, 't'), slice_skip(text, 1));
	buf_add_char(value(q, 't'), '%');
	add_pattern(&q->values[q->n - 1], text);
}

/* Any of the words, so that one need not say what it is. */
static void
add_any(struct sql *q, struct slice text)
{
	static const enum event_word words[] = { EVENT_WORD_CLIENT, EVENT_WORD_USER, EVENT_WORD_HOST, EVENT_WORD_RULE,
		EVENT_WORD_ALERT, EVENT_WORD_SOURCE };

	for (size_t i = 0; text.len > 0 && i < sizeof(words) / sizeof(*words); i++) {
		buf_addf(&q->text, " %s e.%s", i == 0 ? "AND (" : "OR", event_word_name(words[i]));
		if (!add_person(q, words[i], text))
			add_words(q, table_of(words[i]), text, false, words[i] == EVENT_WORD_USER);
	}
	if (text.len > 0)
		buf_add_char(&q->text, ')');
}

static void
add_url(struct sql *q, struct slice text)
{
	struct buf *b;

	if (text.len == 0)
		return;
	b = value(q, 't');
	if (text.len > LIKE_MAX) {
		buf_add_str(&q->text, " AND instr(lower(e.url), lower(?)) > 0");
		buf_add_slice(b, text);
		return;
	}
	buf_add_str(&q->text, " AND e.url LIKE ? ESCAPE '\\'");
	buf_add_char(b, '%');
	add_pattern(b, text);
	buf_add_char(b, '%');
}

static void
add_digest(struct sql *q, struct slice hex)
{
	struct digest d;

	if (hex.len == 0)
		return;
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (digest_parse((enum digest_alg)alg, hex, &d) == 0) {
			buf_addf(&q->text, " AND e.%s = ?", digest_alg_name((enum digest_alg)alg));
			buf_add(value(q, 'b'), d.b, digest_len((enum digest_alg)alg));
			return;
		}
	buf_add_str(&q->text, " AND 0");
}

static int64_t
key_at(int64_t ms)
{
	const int64_t last = (INT64_C(1) << STORE_MS_BITS) - 1;

	return (ms < 0 ? 0 : ms < last ? ms : last) << STORE_KEY_BITS;
}

static void
add_bound(struct sql *q, const char *how, int64_t ms)
{
	buf_addf(&q->text, " AND e.key %s ?", how);
	number(q, key_at(ms));
}

static void
add_conditions(struct sql *q, const struct event_query *what)
{
	char id[INCIDENT_LEN + 1];

	if (what->id.len > 0 && incident_parse(what->id, id) == INCIDENT_OK) {
		add_bound(q, ">=", incident_ms(id));
		/* A number that is later than any key has the last ones. */
		if (incident_ms(id) + 1 < INT64_C(1) << STORE_MS_BITS)
			add_bound(q, "<", incident_ms(id) + 1);
		buf_add_str(&q->text, " AND e.id = ?");
		buf_add_str(value(q, 't'), id);
	} else if (what->id.len > 0)
		buf_add_str(&q->text, " AND 0");
	if (what->from_ms != 0)
		add_bound(q, ">=", what->from_ms);
	if (what->to_ms != 0)
		add_bound(q, "<", what->to_ms);
	for (int w = 0; w < EVENT_WORDS; w++)
		add_word(q, (enum event_word)w, what->words[w], what->exact);
	add_any(q, what->any);
	add_digest(q, what->digest);
	add_url(q, what->url);
}

/* ---- running one ---- */

static sqlite3_stmt *
compile(struct eventstore *s, struct sql *q)
{
	sqlite3_stmt *stmt = NULL;
	bool failed = q->text.failed;

	for (size_t i = 0; i < q->n; i++)
		failed |= q->values[i].failed;
	if (q->pseudonyms != NULL)
		failed |= sqlite3_create_function(s->db, "pseudonym_name", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY | SQLITE_DETERMINISTIC,
		    (void *)(uintptr_t)q->pseudonyms, sql_pseudonym_name, NULL, NULL) != SQLITE_OK;
	if (failed || sqlite3_prepare_v2(s->db, q->text.p, (int)q->text.len, &stmt, NULL) != SQLITE_OK)
		return NULL;
	for (size_t i = 0; i < q->n; i++) {
		const struct buf *b = &q->values[i];

		if (q->types[i] == 'i')
			sqlite3_bind_int64(stmt, (int)i + 1, q->numbers[i]);
		else if (q->types[i] == 'b')
			sqlite3_bind_blob64(stmt, (int)i + 1, b->p, b->len, SQLITE_STATIC);
		else
			sqlite3_bind_text64(stmt, (int)i + 1, b->len == 0 ? "" : b->p, b->len, SQLITE_STATIC, SQLITE_UTF8);
	}
	return stmt;
}

static struct slice
column(sqlite3_stmt *q, int i)
{
	const char *p = (const char *)sqlite3_column_text(q, i);

	return slice_make(p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(q, i));
}

typedef int step_visit(sqlite3_stmt *stmt, void *visit, void *arg);

/* Visit every row of Q. */
static int
run(struct eventstore *s, struct sql *q, step_visit *step, void *visit, void *arg, struct diag *diag)
{
	sqlite3_stmt *stmt = s->db == NULL ? NULL : compile(s, q);
	int result = 0, r = SQLITE_ERROR;

	if (stmt == NULL)
		return store_error(s, diag);
	while (result == 0 && (r = sqlite3_step(stmt)) == SQLITE_ROW)
		result = step(stmt, visit, arg);
	if (result == 0 && r != SQLITE_DONE)
		result = store_error(s, diag);
	sqlite3_finalize(stmt);
	return result;
}

/* ---- events ---- */

enum { ROW_KEY, ROW_SUM, ROW_FILE, ROW_AT, ROW_LEN, ROW_ID, ROW_URL, ROW_DIGEST, ROW_WORDS };

struct visitor {
	event_visit	*event;
};

static int
step_event(sqlite3_stmt *stmt, void *visit, void *arg)
{
	struct event_row row = { .key = sqlite3_column_int64(stmt, ROW_KEY), .sum = sqlite3_column_int64(stmt, ROW_SUM),
		.file = sqlite3_column_int64(stmt, ROW_FILE),
		.at = sqlite3_column_int64(stmt, ROW_AT), .len = sqlite3_column_int64(stmt, ROW_LEN),
		.url = column(stmt, ROW_URL), .digest = column(stmt, ROW_DIGEST) };

	/* An index that was made by somebody else: what is no number is no event. */
	if (incident_parse(column(stmt, ROW_ID), row.id) != INCIDENT_OK)
		return 0;
	row.ms = incident_ms(row.id);
	for (int w = 0; w < EVENT_WORDS; w++)
		row.words[w] = column(stmt, ROW_WORDS + w);
	return ((struct visitor *)visit)->event(arg, &row);
}

static void
add_columns(struct buf *b)
{
	buf_add_str(b, "SELECT e.key, e.sum, e.file, e.at, e.len, e.id, e.url, "
	    "lower(hex(coalesce(e.sha256, e.sha1, e.md5)))");
	for (int w = 0; w < EVENT_WORDS; w++)
		buf_addf(b, ", (SELECT text FROM %s WHERE n = e.%s)", table_of(w), event_word_name((enum event_word)w));
}

int
eventstore_search(struct eventstore *s, const struct event_query *what, event_visit *visit, void *arg, struct diag *diag)
{
	struct visitor v = { .event = visit };
	struct sql q;
	int r;

	sql_init(&q, s);
	add_columns(&q.text);
	buf_add_str(&q.text, " FROM event e WHERE ");
	/* The newest are found from the end, and told from the oldest of them on. */
	if (what->newest > 0)
		buf_add_str(&q.text, "e.key IN (SELECT e.key FROM event e WHERE 1");
	else
		buf_add_str(&q.text, "1");
	add_conditions(&q, what);
	if (what->newest > 0) {
		buf_add_str(&q.text, " ORDER BY e.key DESC LIMIT ?)");
		number(&q, what->newest > INT64_MAX ? INT64_MAX : (int64_t)what->newest);
	}
	buf_add_str(&q.text, " ORDER BY e.key");
	r = run(s, &q, step_event, &v, arg, diag);
	sql_fini(&q);
	return r;
}

/* ---- counts ---- */

/* Counted here and not by GROUP BY: SQLite would take an index for the groups' order and then fetch ten million rows one by one. */
struct group {
	int64_t	 w;		/* number of a word, or of an hour */
	struct event_count count;
};

/* The groups, and which clients each has: tables with open addressing, half full at most.  Both grow with what was found. */
struct tally {
	struct group	*groups;
	size_t		 n, cap;
	struct pair { int64_t w, client; } *pairs;	/* CLIENT 0: free */
	size_t		 n_pairs, cap_pairs;
	int		 by;
	uint8_t		 key[SIPHASH_KEY];
};

static size_t
place(const struct tally *t, int64_t w, int64_t client, size_t cap)
{
	const int64_t both[] = { w, client };

	return siphash(t->key, slice_make((const char *)both, sizeof(both))) & (cap - 1);
}

static struct group *
group_of(const struct tally *t, struct group *v, size_t cap, int64_t w)
{
	size_t i = place(t, w, 0, cap);

	while (v[i].count.n != 0 && v[i].w != w)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static struct pair *
pair_of(const struct tally *t, struct pair *v, size_t cap, int64_t w, int64_t client)
{
	size_t i = place(t, w, client, cap);

	while (v[i].client != 0 && (v[i].w != w || v[i].client != client))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

/* Room for one more of each.  -1 without memory. */
static int
grow(struct tally *t)
{
	enum { CAP_MIN = 1024 };
	size_t cap = t->cap == 0 ? CAP_MIN : 2 * t->cap, cap_pairs = t->cap_pairs == 0 ? CAP_MIN : 2 * t->cap_pairs;

	if (2 * t->n >= t->cap) {
		struct group *v = calloc(cap, sizeof(*v));

		if (v == NULL)
			return -1;
		for (size_t i = 0; i < t->cap; i++)
			if (t->groups[i].count.n != 0)
				*group_of(t, v, cap, t->groups[i].w) = t->groups[i];
		free(t->groups);
		t->groups = v;
		t->cap = cap;
	}
	if (2 * t->n_pairs >= t->cap_pairs) {
		struct pair *v = calloc(cap_pairs, sizeof(*v));

		if (v == NULL)
			return -1;
		for (size_t i = 0; i < t->cap_pairs; i++)
			if (t->pairs[i].client != 0)
				*pair_of(t, v, cap_pairs, t->pairs[i].w, t->pairs[i].client) = t->pairs[i];
		free(t->pairs);
		t->pairs = v;
		t->cap_pairs = cap_pairs;
	}
	return 0;
}

/* A row of key, word, client. */
static int
step_tally(sqlite3_stmt *stmt, void *visit, void *arg)
{
	struct tally *t = arg;
	int64_t key = sqlite3_column_int64(stmt, 0), client = sqlite3_column_int64(stmt, 2);
	int64_t ms = key >> STORE_KEY_BITS, w = t->by == EVENT_BY_HOUR ? ms / MS_PER_HOUR : sqlite3_column_int64(stmt, 1);
	struct group *g;
	struct pair *p;

	(void)visit;
	if (grow(t) == -1)
		return -1;
	g = group_of(t, t->groups, t->cap, w);
	p = pair_of(t, t->pairs, t->cap_pairs, w, client);
	if (g->count.n++ == 0) {
		*g = (struct group){ .w = w, .count = { .n = 1, .first_ms = ms, .last_ms = ms } };
		t->n++;
	}
	g->count.first_ms = ms < g->count.first_ms ? ms : g->count.first_ms;
	g->count.last_ms = ms > g->count.last_ms ? ms : g->count.last_ms;
	if (client != 0 && p->client == 0) {
		*p = (struct pair){ .w = w, .client = client };
		t->n_pairs++;
		g->count.clients++;
	}
	return 0;
}

static int
most_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count.n != y->count.n)
		return x->count.n < y->count.n ? 1 : -1;
	return (x->count.first_ms > y->count.first_ms) - (x->count.first_ms < y->count.first_ms);
}

static int
in_order(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->w > y->w) - (x->w < y->w);
}

/* Visit the groups of T, which are taken together and sorted first. */
static int
visit_groups(struct eventstore *s, struct tally *t, event_count_visit *visit, void *arg)
{
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < t->cap; i++)
		if (t->groups[i].count.n != 0)
			t->groups[n++] = t->groups[i];
	if (n > 1)
		qsort(t->groups, n, sizeof(*t->groups), t->by == EVENT_BY_HOUR ? in_order : most_first);
	for (size_t i = 0; i < n && result == 0; i++) {
		struct event_count count = t->groups[i].count;
		sqlite3_stmt *q = NULL;

		if (t->by != EVENT_BY_HOUR) {
			q = store_bind(s, store_is_name(t->by) ? STORE_SQL_NAME_TEXT : STORE_SQL_WORD_TEXT, "i", t->groups[i].w);
			if (sqlite3_step(q) == SQLITE_ROW)
				count.word = column(q, 0);
		}
		result = visit(arg, &count);
		sqlite3_reset(q);
	}
	return result;
}

int
eventstore_count(struct eventstore *s, const struct event_query *what, int by, event_count_visit *visit, void *arg,
    struct diag *diag)
{
	struct tally t = { .by = by };
	struct sql q;
	int r;

	memcpy(t.key, s->word_key, sizeof(t.key));
	sql_init(&q, s);
	buf_addf(&q.text, "SELECT e.key, e.%s, e.client FROM event e WHERE 1", by == EVENT_BY_HOUR ? "key" :
	    event_word_name((enum event_word)by));
	add_conditions(&q, what);
	r = run(s, &q, step_tally, NULL, &t, diag);
	if (r == 0)
		r = visit_groups(s, &t, visit, arg);
	sql_fini(&q);
	free(t.groups);
	free(t.pairs);
	return r;
}

/* ---- the line of one ---- */

/* Begin in the compressed file of BYTES, FILE of the index, at the last point before AT. */
static int
begin_at(struct eventstore *s, struct log_bytes *bytes, int64_t file, int64_t at)
{
	sqlite3_stmt *q = store_bind(s, STORE_SQL_POINT, "ii", file, at);
	unsigned char window[LOG_POINT_WINDOW];
	uLongf len = sizeof(window);
	int r = 0;

	if (sqlite3_step(q) == SQLITE_ROW) {
		struct log_point point = { .out = sqlite3_column_int64(q, 0), .in = sqlite3_column_int64(q, 1),
			.bits = sqlite3_column_int(q, 2) & 7 };
		const void *packed = sqlite3_column_blob(q, 4);

		r = -1;
		if (packed != NULL && uncompress(window, &len, packed, (uLong)sqlite3_column_bytes(q, 4)) == Z_OK) {
			point.window = slice_make((const char *)window, len);
			r = log_bytes_at_point(bytes, &point);
		}
	}
	sqlite3_reset(q);
	return r;
}

void
store_reader_close(struct eventstore *s)
{
	struct store_reader *r = &s->reader;

	if (r->bytes != NULL)
		log_bytes_close(r->bytes);
	free(r->bytes);
	store_records_free(&r->records);
	log_folder_close(&r->folder);
	*r = (struct store_reader){ 0 };
}

void
store_reader_open(struct eventstore *s, struct log_folder *folder, struct store_records *r)
{
	store_reader_close(s);
	s->reader = (struct store_reader){ .folder = *folder, .records = *r, .open = true };
	*folder = (struct log_folder){ 0 };
	*r = (struct store_records){ 0 };
}

/* Know the log's files by the index's numbers.  0, or -1 with an error in DIAG. */
static int
open_reader(struct eventstore *s, struct diag *diag)
{
	struct store_reader *r = &s->reader;

	if (r->open)
		return 0;
	if (log_folder_open(&r->folder, s->log) == -1) {
		diag_add(diag, DIAG_ERROR, s->log, 0, 0, "%s", strerror(errno));
		return -1;
	}
	r->open = true;
	return store_records_load(s, &r->records) == 0 ? 0 : store_error(s, diag);
}

/* The descriptor of file N of the index; -1 when it is not there any more. */
static int
fd_of(const struct store_reader *r, int64_t n)
{
	for (size_t i = 0; i < r->records.n; i++)
		for (size_t k = 0; k < r->folder.n && r->records.v[i].n == n; k++)
			if (r->records.v[i].dev == (int64_t)r->folder.v[k].st.st_dev &&
			    r->records.v[i].ino == (int64_t)r->folder.v[k].st.st_ino)
				return r->folder.v[k].fd;
	return -1;
}

/* Stand at the text AT of file N, or some way before it. */
static int
go_to(struct eventstore *s, int64_t n, int64_t at)
{
	struct store_reader *r = &s->reader;
	int fd;

	if (r->file == n && r->bytes->gz && r->bytes->out <= at && at - r->bytes->out < LOG_POINT_SPAN)
		return 0;
	if (r->file != n) {
		if (r->bytes != NULL)
			log_bytes_close(r->bytes);
		r->file = 0;
		if (r->bytes == NULL && (r->bytes = calloc(1, sizeof(*r->bytes))) == NULL)
			return -1;
		if ((fd = fd_of(r, n)) == -1 || log_bytes_open(r->bytes, fd, NULL, NULL) == -1)
			return -1;
		r->file = n;
	}
	if (!r->bytes->gz) {
		log_bytes_seek(r->bytes, at);
		return 0;
	}
	if (r->bytes->out > 0) {
		log_bytes_close(r->bytes);
		if (log_bytes_open(r->bytes, r->bytes->fd, NULL, NULL) == -1)
			return -1;
	}
	return begin_at(s, r->bytes, n, at);
}

/* Append the text of ROW to OUT.  0, or -1. */
static int
read_text(struct eventstore *s, const struct event_row *row, struct buf *out)
{
	char skipped[LOG_BYTES_INPUT];
	size_t len = (size_t)row->len;
	struct log_bytes *bytes;
	ssize_t n = 1;

	if (go_to(s, row->file, row->at) == -1)
		return -1;
	bytes = s->reader.bytes;
	while (n > 0 && bytes->out < row->at) {
		int64_t left = row->at - bytes->out;

		n = log_bytes_read(bytes, skipped, left < (int64_t)sizeof(skipped) ? (size_t)left : sizeof(skipped));
	}
	while (n > 0 && len > 0 && buf_reserve(out, len) == 0 && (n = log_bytes_read(bytes, out->p + out->len, len)) > 0) {
		out->len += (size_t)n;
		len -= (size_t)n;
	}
	return n > 0 && len == 0 ? 0 : -1;
}

int
eventstore_line(struct eventstore *s, const struct event_row *row, struct buf *out, struct diag *diag)
{
	size_t before = out->len;

	if (row->len < 0 || row->len > LOG_LINE_MAX || row->at < 0)
		return 1;
	if (open_reader(s, diag) == -1)
		return -1;
	/* Once more when somebody else has read a file by now that was not there before. */
	for (int i = 0; i < 2; i++) {
		if (read_text(s, row, out) == 0 && store_sum(slice_skip(buf_slice(out), before)) == row->sum)
			return 0;
		out->len = before;
		store_reader_close(s);
		if (i == 0 && open_reader(s, diag) == -1)
			return -1;
	}
	return 1;
}

struct wanted {
	struct eventstore	*s;
	struct buf		*out;
	struct diag		*diag;
	int			 result;
};

static int
take_line(void *arg, const struct event_row *row)
{
	struct wanted *w = arg;

	w->result = eventstore_line(w->s, row, w->out, w->diag);
	return w->result == 0;
}

int
eventstore_find(struct eventstore *s, const char id[static INCIDENT_LEN + 1], struct buf *out, struct diag *diag)
{
	struct event_query q = { .id = slice_str(id) };
	struct wanted w = { .s = s, .out = out, .diag = diag, .result = 1 };

	return eventstore_search(s, &q, take_line, &w, diag) == -1 ? -1 : w.result;
}
