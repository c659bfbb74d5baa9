#include "eventstore/store_part.h"

#include <errno.h>
#include <stdlib.h>

enum { COMMIT_LINES = 200000, PROGRESS_LINES = 10000, NS_PER_S = 1000000000 };

/* ---- words ---- */

/* The number of WORD into *N, 0 for an empty one.  Words are numbered once; those that come often are remembered by a sum that
 * nobody outside can make two words have. */
static int
number_of(struct eventstore *s, struct slice word, bool is_name, int64_t *n)
{
	uint64_t hash = siphash(s->word_key, word) ^ is_name;
	struct word_slot *slot = &s->words[hash % STORE_WORD_CACHE];
	sqlite3_stmt *q;
	int step;

	*n = slot->n;
	if (word.len == 0)
		return *n = 0, 0;
	if (slot->n != 0 && slot->hash == hash)
		return 0;
	q = store_bind(s, is_name ? STORE_SQL_NAME : STORE_SQL_WORD, "t", word);
	step = sqlite3_step(q);
	*n = step == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	sqlite3_reset(q);
	if (step == SQLITE_DONE) {
		if (store_run(s, is_name ? STORE_SQL_NAME_ADD : STORE_SQL_WORD_ADD, "t", word) == -1)
			return -1;
		*n = sqlite3_last_insert_rowid(s->db);
	} else if (step != SQLITE_ROW)
		return -1;
	*slot = (struct word_slot){ .hash = hash, .n = *n };
	return 0;
}

/* ---- events ---- */

static int64_t
key_of(const struct event_facts *f, int64_t sum)
{
	const int64_t last = (INT64_C(1) << STORE_MS_BITS) - 1;
	int64_t ms = f->ms < last ? f->ms : last;

	return ms << STORE_KEY_BITS | (sum & ((INT64_C(1) << STORE_KEY_BITS) - 1));
}

static int
add_row(struct eventstore *s, const struct store_record *r, int64_t key, int64_t sum, int64_t at, struct slice line,
    const struct event_facts *f)
{
	sqlite3_stmt *q = store_bind(s, STORE_SQL_EVENT_ADD, "iiiiit", key, sum, r->n, at, (int64_t)line.len, slice_str(f->id));
	enum { FIRST_WORD = 7, URL = FIRST_WORD + EVENT_WORDS, FIRST_DIGEST };
	int64_t n;
	int step;

	for (int w = 0; w < EVENT_WORDS; w++) {
		if (number_of(s, f->words[w], store_is_name(w), &n) == -1)
			return -1;
		if (n == 0)
			sqlite3_bind_null(q, FIRST_WORD + w);
		else
			sqlite3_bind_int64(q, FIRST_WORD + w, n);
	}
	if (f->url.len > 0)
		sqlite3_bind_text64(q, URL, f->url.p, f->url.len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(q, URL);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if (f->has_digest[alg])
			sqlite3_bind_blob64(q, FIRST_DIGEST + alg, f->digests[alg].b, digest_len((enum digest_alg)alg), SQLITE_STATIC);
		else
			sqlite3_bind_null(q, FIRST_DIGEST + alg);
	}
	step = sqlite3_step(q);
	sqlite3_reset(q);
	return step == SQLITE_DONE ? sqlite3_changes(s->db) : -1;
}

/* What stands at KEY is: 0 another line, 1 this one, 2 this one of another place. */
static int
compare(struct eventstore *s, const struct store_record *r, int64_t key, int64_t sum, int64_t at)
{
	sqlite3_stmt *q = store_bind(s, STORE_SQL_EVENT_AT, "i", key);
	int result = -1;

	if (sqlite3_step(q) == SQLITE_ROW) {
		if (sqlite3_column_int64(q, 0) != sum)
			result = 0;
		else
			result = sqlite3_column_int64(q, 1) == r->n && sqlite3_column_int64(q, 2) == at ? 1 : 2;
	}
	sqlite3_reset(q);
	return result;
}

static int
add_event(struct eventstore *s, struct store_record *r, struct slice line, int64_t at, const struct event_facts *f)
{
	int64_t sum = store_sum(line);
	int there = 0, added;

	for (int64_t key = key_of(f, sum); there == 0; key++) {
		if ((added = add_row(s, r, key, sum, at, line, f)) == -1)
			return -1;
		if (added == 0 && (there = compare(s, r, key, sum, at)) == -1)
			return -1;
		if (added > 0)
			there = 1;
		if (there == 1) {
			r->low = key < r->low ? key : r->low;
			r->high = key > r->high ? key : r->high;
		}
	}
	r->doubled += there == 2;
	return 0;
}

static int
add_line(struct eventstore *s, struct store_record *r, struct slice line, int64_t at)
{
	struct event_facts f;
	int result;

	if (line.len == 0)
		return 0;
	if (event_facts_read(line, &f) == -1) {
		r->damaged++;
		return 0;
	}
	r->lines++;
	result = add_event(s, r, line, at, &f);
	event_facts_fini(&f);
	return result;
}

/* ---- files ---- */

/* LINE, which ends before END, has been read. */
static void
note_tail(struct store_record *r, struct slice line, int64_t end)
{
	size_t len = line.len < STORE_TAIL_MAX ? line.len : STORE_TAIL_MAX;

	r->offset = end;
	r->tail_len = (int64_t)len;
	r->tail = store_sum(slice_skip(line, line.len - len));
}

/* LINE ends where R has been read to: the same text stands there. */
static bool
is_tail(const struct store_record *r, struct slice line)
{
	size_t len = line.len < STORE_TAIL_MAX ? line.len : STORE_TAIL_MAX;

	return (int64_t)len == r->tail_len && store_sum(slice_skip(line, line.len - len)) == r->tail;
}

struct reading {
	struct eventstore	*s;
	struct store_record	*r;
	struct log_bytes	 bytes;
	struct log_lines	 lines;
	bool			 failed;	/* a point could not be stored */
};

static void
add_point(void *arg, const struct log_point *point)
{
	struct reading *g = arg;
	Bytef packed[LOG_POINT_WINDOW + LOG_POINT_WINDOW / 8];
	uLongf len = sizeof(packed);

	if (compress2(packed, &len, (const Bytef *)point->window.p, point->window.len, Z_BEST_SPEED) != Z_OK)
		return;
	if (store_run(g->s, STORE_SQL_POINT_ADD, "iiiiib", g->r->n, point->out, point->in, (int64_t)point->bits,
	    (int64_t)point->window.len, slice_make((const char *)packed, len)) == -1)
		g->failed = true;
}

static void
tell(struct reading *g, int64_t before, uint64_t n)
{
	struct eventstore *s = g->s;

	if (s->progress != NULL && n % PROGRESS_LINES == 0)
		s->progress(s->progress_arg, before + (g->bytes.gz ? g->bytes.in : g->bytes.out), s->total);
}

/* The lines that have been read before, of a compressed file.  1: the place is reached; 0: it is another text; -1: it ends. */
static int
pass_read(struct reading *g)
{
	enum log_line got = LOG_LINE;
	struct slice line;
	int64_t at;

	if (g->r->offset == 0)
		return 1;
	for (uint64_t n = 1; got <= LOG_LINE_TOO_LONG && g->lines.at < g->r->offset; n++) {
		got = log_lines_next(&g->lines, &line, &at);
		tell(g, g->s->done, n);
	}
	if (got > LOG_LINE_TOO_LONG)
		return -1;
	return g->lines.at == g->r->offset && is_tail(g->r, line);
}

/* All lines from here on.  0, or -1 of SQLite. */
static int
read_lines(struct reading *g)
{
	struct store_record *r = g->r;
	enum log_line got;
	struct slice line;
	int64_t at;

	for (uint64_t n = 1; (got = log_lines_next(&g->lines, &line, &at)) <= LOG_LINE_TOO_LONG; n++) {
		if (got == LOG_LINE && add_line(g->s, r, line, at) == -1)
			return -1;
		r->too_long += got == LOG_LINE_TOO_LONG;
		note_tail(r, line, g->lines.at);
		tell(g, g->s->done, n);
		g->s->left -= g->lines.at - at;
		if (g->s->step > 0 && g->s->left <= 0)
			return r->torn = r->whole = r->broken = 0, g->failed ? -1 : 0;	/* the rest next time */
		if (n % COMMIT_LINES == 0 && (store_record_save(g->s, r) == -1 || store_commit(g->s) == -1))
			return -1;
	}
	r->broken = got == LOG_LINE_FAILED ? errno : 0;
	r->whole = 1;
	r->torn = log_lines_torn(&g->lines);
	return g->failed ? -1 : 0;
}

static int
begin(struct reading *g)
{
	if (log_bytes_open(&g->bytes, g->r->file->fd, add_point, g) == -1)
		return -1;
	if (!g->bytes.gz)
		log_bytes_seek(&g->bytes, g->r->offset);
	log_lines_init(&g->lines, &g->bytes);
	return 0;
}

static void
end(struct reading *g)
{
	log_lines_fini(&g->lines);
	log_bytes_close(&g->bytes);
}

static int
read_file(struct reading *g)
{
	struct store_record *r = g->r;
	int result;

	if (begin(g) == -1)
		return r->broken = errno, 0;
	if (g->bytes.gz && pass_read(g) != 1) {
		/* It only began like what had been read. */
		end(g);
		g->s->dropped |= r->lines > 0;
		if (store_drop(g->s, r) == -1)
			return -1;
		if (begin(g) == -1)
			return r->broken = errno, 0;
	}
	result = read_lines(g);
	end(g);
	return result;
}

int
store_read(struct eventstore *s, struct store_record *r)
{
	const struct stat *st = &r->file->st;
	int64_t mtime = (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
	bool same = r->dev == (int64_t)st->st_dev && r->ino == (int64_t)st->st_ino && r->size == (int64_t)st->st_size &&
	    r->mtime == mtime;
	struct reading *g;
	int result;

	if (s->step > 0 && s->left <= 0)
		return 0;
	if (r->gz ? same && r->whole : r->offset + r->torn == (int64_t)st->st_size && same)
		return 0;
	if ((g = calloc(1, sizeof(*g))) == NULL)
		return -1;
	*g = (struct reading){ .s = s, .r = r };
	result = read_file(g);
	free(g);
	s->done += st->st_size;
	r->dev = (int64_t)st->st_dev;
	r->ino = (int64_t)st->st_ino;
	r->size = (int64_t)st->st_size;
	r->mtime = mtime;
	return result == -1 ? -1 : store_record_save(s, r);
}
