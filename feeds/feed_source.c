#include "feeds/feed_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/siphash.h"
#include "feeds/feed_file.h"
#include "feeds/feed_settings.h"
#include "feeds/misp_manifest.h"

#define MANIFEST	"manifest.json"

enum { SLOTS_FIRST = 1024, SLOT_FREED = 1, NOTE_MAX = 400 };

/* What does not count: hashes of values that a diff takes out, and of names that .ign2 has. */
struct left_out {
	uint64_t	*slots;		/* open addressing; 0 is empty, SLOT_FREED was put back */
	size_t		 n_slots, n;
};

/* A source while it is read. */
struct feed_source {
	const struct source_file	*file;
	struct feed_settings		 settings;
	source_visit			*visit;
	void				*arg;
	struct diag			*diag;
	int64_t				 host_ends, file_ends;
	struct left_out			 left_out;
	struct misp_manifest		*manifest;	/* of a folder; or NULL */
	bool				 collecting;	/* what is left out; the rules come later */
	struct buf			 value;
	bool				 failed;	/* without memory */
};

/* ---- what is left out ---- */

static uint64_t
hash_of(enum rule_kind kind, struct slice text)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak feeds";
	uint64_t h = siphash(key, text) ^ ((uint64_t)kind + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return h > SLOT_FREED ? h : SLOT_FREED + 1;
}

static uint64_t *
slot_of(uint64_t *slots, size_t n, uint64_t hash)
{
	size_t i = hash & (n - 1);

	while (slots[i] != 0 && slots[i] != hash)
		i = (i + 1) & (n - 1);
	return &slots[i];
}

static int
leave_out(struct left_out *l, uint64_t hash)
{
	if (2 * l->n >= l->n_slots) {
		size_t n = l->n_slots == 0 ? SLOTS_FIRST : 2 * l->n_slots;
		uint64_t *slots = calloc(n, sizeof(*slots));

		if (slots == NULL)
			return -1;
		for (size_t i = 0; i < l->n_slots; i++)
			if (l->slots[i] != 0)
				*slot_of(slots, n, l->slots[i]) = l->slots[i];
		free(l->slots);
		l->slots = slots;
		l->n_slots = n;
	}
	l->n += *slot_of(l->slots, l->n_slots, hash) == 0;
	*slot_of(l->slots, l->n_slots, hash) = hash;
	return 0;
}

/* A diff may list anew what it took out before. */
static void
put_back(struct left_out *l, uint64_t hash)
{
	uint64_t *slot = l->n == 0 ? NULL : slot_of(l->slots, l->n_slots, hash);

	if (slot != NULL && *slot == hash)
		*slot = SLOT_FREED;
}

static bool
is_left_out(const struct left_out *l, uint64_t hash)
{
	return l->n > 0 && *slot_of(l->slots, l->n_slots, hash) != 0;
}

/* Names are told from values by a kind that no rule has. */
static uint64_t
name_hash(struct slice name)
{
	return hash_of((enum rule_kind)UINT8_MAX, name);
}

static bool
value_hash(struct feed_source *s, const struct feed_entry *e, uint64_t *out)
{
	buf_reset(&s->value);
	if (rule_match_format(e->kind, e->match, &s->value) == -1)
		return false;
	*out = hash_of(e->kind, buf_slice(&s->value));
	return true;
}

/* An entry of a .diff or an .ign2. */
static int
collect(struct feed_source *s, const struct feed_entry *e)
{
	uint64_t hash;

	if (e->match == NULL)
		/* One line of all that have the name: that cannot be told from here, and to drop all would be too much. */
		s->failed = s->failed || (e->line_md5.len == 0 && leave_out(&s->left_out, name_hash(e->name)) == -1);
	else if (!value_hash(s, e, &hash))
		s->failed = true;
	else if (!e->removed)
		put_back(&s->left_out, hash);
	else if (leave_out(&s->left_out, hash) == -1)
		s->failed = true;
	return s->failed;
}

static bool
does_not_count(struct feed_source *s, const struct feed_entry *e)
{
	uint64_t hash;

	return e->removed || (s->left_out.n > 0 && ((e->name.len > 0 && is_left_out(&s->left_out, name_hash(e->name))) ||
	    (value_hash(s, e, &hash) && is_left_out(&s->left_out, hash))));
}

/* ---- entries ---- */

/* A name is for people: what is no text is left out, and so is what is beyond MAX bytes. */
static struct slice
plain_name(struct slice name, size_t max)
{
	name = slice_head(name, max);
	for (size_t i = 0; i < name.len;) {
		unsigned char c = (unsigned char)name.p[i];
		size_t n = c < 0x80 ? 1 : utf8_sequence(slice_skip(name, i));

		if (n == 0 || utf8_is_control(slice_skip(name, i), n))
			return slice_head(name, i);
		i += n;
	}
	return name;
}

static int
take(void *arg, const struct feed_entry *e)
{
	struct feed_source *s = arg;
	struct rule rule = { .kind = e->kind, .action = e->action, .level = s->settings.level, .rev = 1, .as_list = true,
		.source = s->file->name };

	if (s->collecting)
		return collect(s, e);
	if (e->match == NULL || does_not_count(s, e))
		return 0;
	rule.name = e->kind == RULE_FILE ? plain_name(e->name, RULE_NAME_MAX) : slice_make("", 0);
	rule.note = plain_name(e->note, NOTE_MAX);
	rule.expires = e->kind == RULE_FILE ? s->file_ends : s->host_ends;
	if (e->expires != 0 && (rule.expires == 0 || e->expires < rule.expires)) {
		rule.expires = e->expires;
		rule.as_list = false;
	}
	return s->visit(s->arg, &rule, e->match, e->line);
}

/* ---- files ---- */

static int
read_file(struct feed_source *s, const char *path, enum feed_format format, bool diff)
{
	struct feed_options options = s->settings.options;
	struct feed *feed;
	int fd, r = -1;

	options.diff = diff;
	options.now = clock_ms() / 1000;
	options.names_only = s->collecting;
	/* What is wrong in a container is said when its entries are read. */
	if ((feed = feed_new(format, &options, path, take, s, s->collecting && format == FEED_CVD ? NULL : s->diag)) == NULL)
		return -1;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 || (r = feed_file_read(feed, fd)) == -1)
		diag_add(s->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	else if (feed_end(feed, NULL) != 0)
		r = -1;
	if (s->failed)
		diag_add(s->diag, DIAG_ERROR, path, 0, 0, "out of memory");
	if (fd != -1)
		close(fd);
	feed_free(feed);
	return s->failed ? -1 : r;
}

/* Only a changed list or one of names says what does not count. */
static bool
is_wanted(const struct feed_source *s, enum feed_format format, bool diff)
{
	return s->collecting ? diff || format == FEED_IGN2 || format == FEED_CVD : format != FEED_IGN2;
}

/* Nothing else has counted when the folder was looked at, and a fifo would be waited for. */
static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The file of the folder, of FORMAT, is to be read: it is wanted, and where there is a manifest, in that. */
static bool
is_to_be_read(struct feed_source *s, const char *path, enum feed_format format, bool diff)
{
	struct slice name = slice_str(strrchr(path, '/') + 1);

	if (!is_wanted(s, format, diff))
		return false;
	if (s->manifest == NULL || format != FEED_MISP || name.len <= strlen(".json") ||
	    !misp_is_uuid(slice_head(name, name.len - strlen(".json"))))
		return true;
	return misp_manifest_vouches(s->manifest, slice_head(name, name.len - strlen(".json")), path, s->diag);
}

/* Read the members of the folder that are wanted now. */
static int
read_members(struct feed_source *s)
{
	struct dirent **members;
	int n = scandir(s->file->path, &members, file_is_visible, alphasort), r = 0;

	if (n == -1) {
		diag_add(s->diag, DIAG_ERROR, s->file->path, 0, 0, "%s", strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *path = file_join(s->file->path, members[i]->d_name);
		enum feed_format format;
		bool diff;

		if (path == NULL)
			r = -1;
		else if (r == 0 && is_file(path) && feed_format_of_file(slice_str(path), &format, &diff) == 0 &&
		    is_to_be_read(s, path, format, diff))
			r = read_file(s, path, format, diff);
		free(path);
		free(members[i]);
	}
	free(members);
	return r;
}

/* A MISP feed says which events belong to it. */
static int
read_folder_with(struct feed_source *s, const char *manifest)
{
	size_t unseen;
	int r;

	if ((s->manifest = misp_manifest_read(manifest, s->diag)) == NULL)
		return -1;
	r = read_members(s);
	unseen = misp_manifest_unseen(s->manifest);
	if (r == 0 && unseen > 0)
		diag_add(s->diag, DIAG_NOTE, manifest, 0, 0, "%zu of the events that it names are not here", unseen);
	misp_manifest_free(s->manifest);
	s->manifest = NULL;
	return r;
}

static int
read_folder(struct feed_source *s)
{
	char *manifest = file_join(s->file->path, MANIFEST);
	int r = -1;

	s->collecting = true;
	if (manifest != NULL)
		r = read_members(s);
	s->collecting = false;
	if (r == 0)
		r = is_file(manifest) ? read_folder_with(s, manifest) : read_members(s);
	free(manifest);
	return r;
}

static int
read_source(struct feed_source *s)
{
	enum feed_format format = s->settings.format;
	bool diff = false;
	struct stat st;
	int r;

	if (stat(s->file->path, &st) == 0 && S_ISDIR(st.st_mode))
		return read_folder(s);
	if (!s->settings.has_format && feed_format_of_file(slice_str(s->file->path), &format, &diff) == -1) {
		diag_add(s->diag, DIAG_ERROR, s->file->path, 0, 0, "its format is not known: say format= in sources.conf");
		return -1;
	}
	/* What a container takes out of itself. */
	s->collecting = format == FEED_CVD;
	r = s->collecting ? read_file(s, s->file->path, format, diff) : 0;
	s->collecting = false;
	return r != 0 ? r : read_file(s, s->file->path, format, diff);
}

static int64_t
end_after(int64_t from, int64_t life)
{
	return life == 0 ? 0 : from + life < CLOCK_LAST_S ? from + life : CLOCK_LAST_S;
}

static int
feed_read(const struct source_file *file, const char *conf, const struct source_defaults *defaults, source_visit *visit, void *arg,
    struct diag *diag)
{
	struct feed_source s = { .file = file, .visit = visit, .arg = arg, .diag = diag };
	int r = feed_settings_read(&s.settings, conf, file->settings_line, file->settings_col, file->settings, diag);

	buf_init(&s.value, SIZE_MAX / 2);
	s.host_ends = end_after(defaults->now, s.settings.has_life ? s.settings.life : defaults->host_life);
	s.file_ends = end_after(defaults->now, s.settings.has_life ? s.settings.life : defaults->file_life);
	if (r == 0)
		r = read_source(&s);
	feed_settings_fini(&s.settings);
	buf_fini(&s.value);
	free(s.left_out.slots);
	return r;
}

/* A folder is a source when a file in it is of a known format. */
static bool
knows_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	enum feed_format format;
	bool known = false, diff;

	while (dir != NULL && !known && (e = readdir(dir)) != NULL) {
		char *member = e->d_name[0] == '.' ? NULL : file_join(path, e->d_name);

		known = member != NULL && feed_format_of_file(slice_str(member), &format, &diff) == 0;
		free(member);
	}
	if (dir != NULL)
		closedir(dir);
	return known;
}

/* Any other file's name tells no format; sources.conf may. */
static bool
feed_knows(const char *path, bool is_folder)
{
	const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	enum feed_format format;
	bool diff;

	if (is_folder)
		return knows_folder(path);
	return feed_format_of_file(slice_str(name), &format, &diff) == 0;
}

const struct source_formats feed_sources = { .knows = feed_knows, .read = feed_read };
