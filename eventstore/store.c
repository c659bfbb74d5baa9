#include "eventstore/store_part.h"

#include <sys/file.h>
#include <sys/random.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	NOTES_MODE = 0600,
	INDEX_MODE = 0660,		/* group: whoever may search may bring it up to date */
	APPLICATION = 0x46424556,	/* "FBEV" */
	VERSION = 2,			/* another one is made anew */
	BUSY_MS = 60 * 1000,		/* a commit of somebody else */
	LOCK_MS = 60 * 1000, LOCK_POLL_MS = 20,
	COPY_PAGES = 4096,
	UPDATE_TRIES = 3,
};

static const char *const sql_text[STORE_SQLS] = {
#define STORE_SQL(name, text)	text,
#include "eventstore/store_sql.def"
#undef STORE_SQL
};

/* A line that is met twice in one millisecond is one row: the key is made of both. */
static const char schema[] =
    "CREATE TABLE file (n INTEGER PRIMARY KEY, name TEXT, dev, ino, size, mtime, gz, head, \"offset\", tail, tail_len, torn, "
    "lines, damaged, too_long, doubled, broken, whole, low, high);"
    "CREATE TABLE point (file, text_at, file_at, bits, window_len, window BLOB, PRIMARY KEY (file, text_at)) WITHOUT ROWID;"
    "CREATE TABLE word (n INTEGER PRIMARY KEY, text TEXT UNIQUE); CREATE TABLE name (n INTEGER PRIMARY KEY, text TEXT UNIQUE);"
    "CREATE TABLE event (key INTEGER PRIMARY KEY, sum, file, at, len, id TEXT, action, reason, client, user, host, rule, source, "
    "alert, md5, sha1, sha256, url TEXT);"
    "CREATE INDEX event_client ON event (client); CREATE INDEX event_user ON event (user);"
    "CREATE INDEX event_host ON event (host); CREATE INDEX event_rule ON event (rule);"
    "CREATE INDEX event_alert ON event (alert) WHERE alert IS NOT NULL;"
    "CREATE INDEX event_md5 ON event (md5) WHERE md5 IS NOT NULL;"
    "CREATE INDEX event_sha1 ON event (sha1) WHERE sha1 IS NOT NULL;"
    "CREATE INDEX event_sha256 ON event (sha256) WHERE sha256 IS NOT NULL;";

int64_t
store_sum(struct slice text)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak event";	/* no secret: ids keep lines apart */

	return (int64_t)siphash(key, text);
}

int
store_error(const struct eventstore *s, struct diag *diag)
{
	diag_add(diag, DIAG_ERROR, s->log, 0, 0, "its index: %s", s->db == NULL ? "it cannot be opened" :
	    sqlite3_errmsg(s->db));
	return -1;
}

/* ---- statements ---- */

static void
bind_all(sqlite3_stmt *q, const char *types, va_list ap)
{
	for (int i = 1; *types != '\0'; types++, i++) {
		struct slice text;

		if (*types == 'i') {
			sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
			continue;
		}
		text = va_arg(ap, struct slice);
		if (text.len == 0)
			sqlite3_bind_null(q, i);
		else if (*types == 't')
			sqlite3_bind_text64(q, i, text.p, text.len, SQLITE_STATIC, SQLITE_UTF8);
		else
			sqlite3_bind_blob64(q, i, text.p, text.len, SQLITE_STATIC);
	}
}

sqlite3_stmt *
store_bind(struct eventstore *s, enum store_sql q, const char *types, ...)
{
	va_list ap;

	sqlite3_reset(s->sql[q]);
	va_start(ap, types);
	bind_all(s->sql[q], types, ap);
	va_end(ap);
	return s->sql[q];
}

int
store_run(struct eventstore *s, enum store_sql q, const char *types, ...)
{
	va_list ap;
	int r;

	sqlite3_reset(s->sql[q]);
	va_start(ap, types);
	bind_all(s->sql[q], types, ap);
	va_end(ap);
	while ((r = sqlite3_step(s->sql[q])) == SQLITE_ROW)
		;
	sqlite3_reset(s->sql[q]);
	return r == SQLITE_DONE ? 0 : -1;
}

int
store_commit(struct eventstore *s)
{
	return store_run(s, STORE_SQL_COMMIT, "") == 0 && store_run(s, STORE_SQL_BEGIN, "") == 0 ? 0 : -1;
}

/* ---- the database ---- */

static void
close_db(struct eventstore *s)
{
	for (int i = 0; i < STORE_SQLS; i++) {
		sqlite3_finalize(s->sql[i]);
		s->sql[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
	if (s->words != NULL)
		memset(s->words, 0, STORE_WORD_CACHE * sizeof(*s->words));
}

static int
run_text(struct eventstore *s, const char *text)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* The value of the pragma that TEXT asks for, -1 when it cannot be asked. */
static int64_t
pragma(struct eventstore *s, const char *text)
{
	sqlite3_stmt *q = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(s->db, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		value = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return value;
}

/* The tables are there and ours, or the file is empty and gets them. */
static int
check_schema(struct eventstore *s)
{
	if (pragma(s, "PRAGMA application_id") == APPLICATION && pragma(s, "PRAGMA user_version") == VERSION)
		return 0;
	if (pragma(s, "PRAGMA schema_version") != 0 || run_text(s, "BEGIN IMMEDIATE") == -1)
		return -1;
	if (run_text(s, schema) == 0 && run_text(s, "PRAGMA application_id = 1178748246; PRAGMA user_version = 2; COMMIT") == 0)
		return 0;
	run_text(s, "ROLLBACK");
	return -1;
}

_Static_assert(APPLICATION == 1178748246 && VERSION == 2, "as in check_schema()");

static int
prepare(struct eventstore *s)
{
	for (int i = 0; i < STORE_SQLS; i++)
		if (sqlite3_prepare_v3(s->db, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT, &s->sql[i], NULL) != SQLITE_OK)
			return -1;
	return 0;
}

/* Open the database NAME.  secure_delete: an event whose file is gone is not to be read out of free pages. */
static int
open_db(struct eventstore *s, const char *name)
{
	if (sqlite3_open_v2(name, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return -1;
	sqlite3_busy_timeout(s->db, s->kept ? 0 : BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return run_text(s, "PRAGMA cache_size = -262144; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; "
	    "PRAGMA mmap_size = 0; PRAGMA temp_store = FILE");
}

/* ---- the lock ---- */

static int
lock(struct eventstore *s)
{
	if (s->copy)
		return 0;
	for (int waited = 0; flock(s->folder_fd, LOCK_EX | LOCK_NB) == -1; waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK || waited >= LOCK_MS)
			return -1;
		if (s->progress != NULL)
			s->progress(s->progress_arg, 0, 0);
		clock_pause(LOCK_POLL_MS);
	}
	return 0;
}

static void
unlock(struct eventstore *s)
{
	if (!s->copy)
		flock(s->folder_fd, LOCK_UN);
}

/* ---- the index beside the log ---- */

/* Its name ends at random: SQLite finds a journal by its name, and a process that still has an index that was removed must not take
 * another one's for its own. */
static const struct slice index_head = SLICE(".index.");
static const struct slice journal_tail = SLICE("-journal");

/* The random end of NAME, a file beside the log, when it is an index (or its journal); else empty. */
static struct slice
end_of(const struct eventstore *s, struct slice name)
{
	const char *slash = strrchr(s->log, '/');
	struct slice base = slice_str(slash == NULL ? s->log : slash + 1), rest = slice_skip(name, base.len);

	if (!slice_starts(name, base) || !slice_starts(rest, index_head))
		return slice_make(NULL, 0);
	rest = slice_skip(rest, index_head.len);
	return slice_ends(rest, journal_tail) ? slice_head(rest, rest.len - journal_tail.len) : rest;
}

static int
set_index(struct eventstore *s, struct slice end)
{
	free(s->index);
	if (asprintf(&s->index, "%s.index.%.*s", s->log, SLICE_ARGS(end)) == -1)
		s->index = NULL;
	return s->index == NULL ? -1 : 0;
}

/* A link is no index: whoever may write the folder would have what it leads to written by whoever looks into the log. */
static bool
is_plain(DIR *dir, const char *name)
{
	struct stat st;

	return fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Find the index: S->index is NULL when there is none.  With CLEAN all that is of another one goes. */
static int
find_index(struct eventstore *s, bool clean)
{
	DIR *dir = opendir(s->folder);
	struct dirent *entry;
	int r = dir == NULL ? -1 : 0;

	free(s->index);
	s->index = NULL;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		struct slice name = slice_str(entry->d_name), end = end_of(s, name);

		if (end.len > 0 && !slice_ends(name, journal_tail) && s->index == NULL && is_plain(dir, entry->d_name))
			r = set_index(s, end);
	}
	if (r == 0 && clean) {
		rewinddir(dir);
		while ((entry = readdir(dir)) != NULL) {
			struct slice end = end_of(s, slice_str(entry->d_name));

			if (end.len > 0 && (s->index == NULL || !slice_ends(slice_str(s->index), end)))
				unlinkat(dirfd(dir), entry->d_name, 0);
		}
	}
	if (dir != NULL)
		closedir(dir);
	return r;
}

static bool
may_write(struct eventstore *s)
{
	if (faccessat(AT_FDCWD, s->folder, W_OK | X_OK, AT_EACCESS) == -1 || find_index(s, false) == -1)
		return false;
	return s->index == NULL || faccessat(AT_FDCWD, s->index, R_OK | W_OK, AT_EACCESS) == 0;
}

/* An empty file for a new index; of root's making it belongs to whom the folder does. */
static int
make_file(struct eventstore *s)
{
	enum { RANDOM_BYTES = 8 };
	char end[2 * RANDOM_BYTES + 1];
	struct stat st;
	uint64_t x;
	int fd, r = 0;

	if (getrandom(&x, sizeof(x), 0) != (ssize_t)sizeof(x))
		return -1;
	snprintf(end, sizeof(end), "%016" PRIx64, x);
	if (set_index(s, slice_str(end)) == -1 || (fd = open(s->index, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, INDEX_MODE)) == -1)
		return -1;
	if (fchmod(fd, INDEX_MODE) == -1 || (geteuid() == 0 && stat(s->folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == -1))
		r = -1;
	close(fd);
	return r;
}

static int
remember_file(struct eventstore *s)
{
	struct stat st;

	if (stat(s->index, &st) == -1)
		return -1;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

/* The index at its path is the one that is open. */
static bool
is_open(const struct eventstore *s)
{
	struct stat st;

	return s->db != NULL && s->index != NULL && stat(s->index, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino;
}

/* Its journal goes when the next one is made. */
static void
remove_index(struct eventstore *s)
{
	close_db(s);
	unlink(s->index);
}

/* Open the index, with the lock held; one that is damaged or of another version is made anew.  *ANEW says so. */
static int
open_index(struct eventstore *s, bool *anew)
{
	for (int i = 0; i < 2; i++) {
		close_db(s);
		if (find_index(s, true) == 0 && (s->index != NULL || make_file(s) == 0) && open_db(s, s->index) == 0 &&
		    check_schema(s) == 0 && prepare(s) == 0)
			return remember_file(s);
		if (i == 0 && s->index != NULL && access(s->index, W_OK) == 0) {
			*anew = true;
			remove_index(s);
		}
	}
	return -1;
}

/* ---- a copy of its own ---- */

/* Copy the index, as far as it can be read, so that the log need not be read from its beginning. */
static void
copy_index(struct eventstore *s)
{
	sqlite3 *from = NULL;
	sqlite3_backup *copy = NULL;

	if (find_index(s, false) == 0 && s->index != NULL &&
	    sqlite3_open_v2(s->index, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(from, BUSY_MS);
		copy = sqlite3_backup_init(s->db, "main", from, "main");
	}
	while (copy != NULL && sqlite3_backup_step(copy, COPY_PAGES) == SQLITE_OK)
		;
	sqlite3_backup_finish(copy);
	sqlite3_close(from);
}

/* A database that is gone when it is closed: in a file without a name, or NAME ":memory:". */
static int
open_copy(struct eventstore *s, const char *name, bool fill)
{
	for (int i = 0; i < 2; i++) {
		close_db(s);
		s->copy = true;
		if (open_db(s, name) == 0) {
			if (fill && i == 0)
				copy_index(s);
			if (run_text(s, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF") == 0 && check_schema(s) == 0 &&
			    prepare(s) == 0)
				return 0;
		}
	}
	return -1;
}

static int
use_copy(struct eventstore *s, const char *why, struct diag *diag)
{
	diag_add(diag, DIAG_NOTE, s->log, 0, 0, "its index cannot be kept up to date (%s): what it does not have yet is read anew for "
	    "this answer", why);
	return open_copy(s, "", true) == 0 ? 0 : store_error(s, diag);
}

/* ---- opening ---- */

static struct eventstore *
new_store(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct eventstore *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->folder_fd = -1;
	s->log = strdup(path);
	s->words = calloc(STORE_WORD_CACHE, sizeof(*s->words));
	s->folder = slash == NULL ? strdup(".") : slice_dup(slice_make(path, (size_t)(slash - path) + 1));
	if (s->log != NULL && s->words != NULL && s->folder != NULL &&
	    getrandom(s->word_key, sizeof(s->word_key), 0) == (ssize_t)sizeof(s->word_key))
		return s;
	eventstore_close(s);
	return NULL;
}

struct eventstore *
eventstore_open(const char *path, struct diag *diag)
{
	struct eventstore *s = new_store(path);

	if (s == NULL) {
		diag_error(diag, "%s", strerror(ENOMEM));
		return NULL;
	}
	if ((s->folder_fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		diag_add(diag, DIAG_ERROR, s->folder, 0, 0, "%s", strerror(errno));
		eventstore_close(s);
		return NULL;
	}
	if (!may_write(s) && use_copy(s, strerror(errno), diag) == -1) {
		eventstore_close(s);
		return NULL;
	}
	return s;
}

void
eventstore_close(struct eventstore *s)
{
	if (s == NULL)
		return;
	store_reader_close(s);
	close_db(s);
	if (s->folder_fd != -1)
		close(s->folder_fd);
	free(s->words);
	free(s->log);
	free(s->index);
	free(s->folder);
	free(s);
}

void
eventstore_set_progress(struct eventstore *s, eventstore_progress *progress, void *arg)
{
	s->progress = progress;
	s->progress_arg = arg;
}

struct eventstore *
eventstore_follow(struct eventstore *s, struct diag *diag)
{
	struct eventstore *f = new_store(s->log);
	struct store_records r = { 0 };
	int saved = -1;

	if (f == NULL || open_copy(f, ":memory:", false) == -1 || store_records_load(s, &r) == -1) {
		diag_error(diag, "what has been read so far cannot be noted");
		eventstore_close(f);
		return NULL;
	}
	f->follows = true;
	saved = store_run(f, STORE_SQL_BEGIN, "");
	for (size_t i = 0; i < r.n && saved == 0; i++)
		saved = store_record_save(f, &r.v[i]);
	store_records_free(&r);
	if (saved == 0 && store_run(f, STORE_SQL_COMMIT, "") == 0)
		return f;
	store_error(f, diag);
	eventstore_close(f);
	return NULL;
}

/* Words go with the events: who follows for a year meets many. */
int
eventstore_forget(struct eventstore *s, struct diag *diag)
{
	memset(s->words, 0, STORE_WORD_CACHE * sizeof(*s->words));
	return store_run(s, STORE_SQL_EVENTS_DROP_ALL, "") == 0 && store_run(s, STORE_SQL_WORDS_DROP_ALL, "") == 0 ? 0 :
	    store_error(s, diag);
}

int
eventstore_forget_to(struct eventstore *s, int64_t key, struct diag *diag)
{
	return store_run(s, STORE_SQL_EVENTS_DROP_TO, "i", key) == 0 ? 0 : store_error(s, diag);
}

/* The file NOTES, made or ours, and nobody else's while it is open. */
static int
open_notes(struct eventstore *s, const char *notes, bool *anew)
{
	int fd = open(notes, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, NOTES_MODE);

	if (fd == -1)
		return -1;
	close(fd);
	s->copy = s->follows = s->kept = true;
	s->step = EVENTSTORE_STEP;
	if (open_db(s, notes) == -1 || run_text(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -8192; "
	    "PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT") == -1)
		return -1;
	*anew = pragma(s, "PRAGMA schema_version") == 0;
	return check_schema(s) == -1 || prepare(s) == -1 ? -1 : 0;
}

struct eventstore *
eventstore_follow_in(const char *path, const char *notes, bool *anew, struct diag *diag)
{
	struct eventstore *s = new_store(path);
	int sql;

	errno = 0;
	if (s != NULL && open_notes(s, notes, anew) == 0)
		return s;
	sql = s == NULL || s->db == NULL ? SQLITE_OK : sqlite3_errcode(s->db);
	diag_add(diag, DIAG_ERROR, notes, 0, 0, "%s", sql == SQLITE_BUSY ? "another process has it" :
	    sql == SQLITE_OK && errno == 0 ? "it is of another version, or something else; remove it to begin anew" :
	    sql == SQLITE_OK || sql == SQLITE_CANTOPEN ? strerror(errno) : sqlite3_errmsg(s->db));
	eventstore_close(s);
	return NULL;
}

int
eventstore_hold(struct eventstore *s, struct diag *diag)
{
	return store_run(s, STORE_SQL_READ, "") == 0 ? 0 : store_error(s, diag);
}

void
eventstore_release(struct eventstore *s)
{
	store_run(s, STORE_SQL_COMMIT, "");
}

/* ---- bringing it up to date ---- */

static void
warn_of(const struct store_record *r, struct diag *diag)
{
	const struct log_file *f = r->file;

	if (r->broken != 0)
		diag_add(diag, DIAG_WARNING, r->name, 0, 0, "it is damaged or cut short: what comes after %jd bytes of its text could not be "
		    "read", (intmax_t)(r->offset + r->torn));
	if (r->damaged + r->too_long > 0)
		diag_add(diag, DIAG_WARNING, r->name, 0, 0, "%jd line%s no event%s%s", (intmax_t)(r->damaged + r->too_long),
		    r->damaged + r->too_long == 1 ? " is" : "s are", r->damaged + r->too_long == 1 ? "" : "s",
		    r->too_long > 0 ? " or too long" : "");
	if (r->torn > 0 && f != NULL && !f->current)
		diag_add(diag, DIAG_WARNING, r->name, 0, 0, "its last line has no end: it could not be read");
}

/* Say what could not be read.  1 when a file is among it. */
static int
warn(const struct log_folder *folder, const struct store_records *r, struct diag *diag)
{
	int result = 0;

	for (size_t i = 0; i < folder->n; i++)
		if (folder->v[i].error != 0) {
			diag_add(diag, DIAG_WARNING, folder->v[i].name, 0, 0, "it could not be read: %s", folder->v[i].error == ENOTSUP ?
			    "only gzip is understood here" : strerror(folder->v[i].error));
			result = 1;
		}
	for (size_t i = 0; i < r->n; i++) {
		warn_of(&r->v[i], diag);
		result |= r->v[i].broken != 0;
	}
	return result;
}

/* Read every file on.  When one turned out to be another than it seemed, those that were compared with it are read again. */
static int
read_all(struct eventstore *s, struct store_records *r)
{
	s->dropped = false;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].file != NULL && r->v[i].file->fd != -1 && store_read(s, &r->v[i]) == -1)
			return -1;
	if (!s->dropped)
		return 0;
	if (store_drop_doubled(s, r) == -1)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].file != NULL && r->v[i].file->fd != -1 && store_read(s, &r->v[i]) == -1)
			return -1;
	return 0;
}

static int
update(struct eventstore *s, struct log_folder *folder, struct store_records *r)
{
	if (store_run(s, STORE_SQL_BEGIN, "") == -1)
		return -1;
	s->done = s->total = 0;
	if (store_records_load(s, r) == -1 || store_match(s, folder, r) == -1)
		goto fail;
	for (size_t i = 0; i < r->n; i++)
		s->total += r->v[i].file != NULL && r->v[i].file->st.st_size != r->v[i].size ? r->v[i].file->st.st_size : 0;
	if (read_all(s, r) == 0 && store_run(s, STORE_SQL_COMMIT, "") == 0)
		return 0;
fail:
	s->error = sqlite3_errcode(s->db) == SQLITE_OK || sqlite3_errcode(s->db) >= SQLITE_ROW ? SQLITE_NOMEM : sqlite3_errcode(s->db);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* One try.  -1 with *SQL saying what SQLite had to say. */
static int
update_once(struct eventstore *s, struct diag *diag, int *sql)
{
	struct log_folder folder = { 0 };
	struct store_records r = { 0 };
	bool anew = false;
	int result = -1;

	*sql = SQLITE_OK;
	if (lock(s) == -1)
		return *sql = SQLITE_BUSY, -1;
	if (!s->copy && !is_open(s) && open_index(s, &anew) == -1)
		*sql = s->db == NULL || sqlite3_errcode(s->db) == SQLITE_OK ? SQLITE_CANTOPEN : sqlite3_errcode(s->db);
	else if (log_folder_open(&folder, s->log) == -1)
		diag_add(diag, DIAG_ERROR, s->log, 0, 0, "%s", strerror(errno));
	else if (update(s, &folder, &r) == -1)
		*sql = s->error;
	else {
		result = warn(&folder, &r, diag);
		store_reader_open(s, &folder, &r);
	}
	if (anew)
		diag_add(diag, DIAG_NOTE, s->log, 0, 0, "its index was damaged or of another version, and was made anew");
	store_records_free(&r);
	log_folder_close(&folder);
	unlock(s);
	return result;
}

/* A damaged index is removed, unless somebody else was quicker. */
static void
give_up(struct eventstore *s, struct diag *diag)
{
	if (s->copy) {
		open_copy(s, "", false);
		return;
	}
	diag_add(diag, DIAG_NOTE, s->log, 0, 0, "its index is damaged: it is made anew");
	if (lock(s) == -1)
		return;
	if (is_open(s))
		remove_index(s);
	close_db(s);
	unlock(s);
}

int
eventstore_update(struct eventstore *s, struct diag *diag)
{
	int sql, r;

	s->left = s->step;
	store_reader_close(s);
	/* An index that is removed meanwhile is no reason to give up: the next one is new. */
	for (int i = 0; (r = update_once(s, diag, &sql)) == -1 && sql != SQLITE_OK && sql != SQLITE_BUSY && !s->copy &&
	    !is_open(s) && i < UPDATE_TRIES; i++)
		close_db(s);
	if (r != -1 || sql == SQLITE_OK)
		return r;
	if (s->kept)
		return store_error(s, diag);
	if (sql == SQLITE_CORRUPT || sql == SQLITE_NOTADB)
		give_up(s, diag);
	else if (s->copy || use_copy(s, sql == SQLITE_BUSY ? "somebody else has been writing it for a minute" : sqlite3_errstr(sql),
	    diag) == -1)
		return store_error(s, diag);
	r = update_once(s, diag, &sql);
	if (r == -1 && sql != SQLITE_OK)
		diag_add(diag, DIAG_ERROR, s->log, 0, 0, "its index: %s", sqlite3_errstr(sql));
	return r;
}
