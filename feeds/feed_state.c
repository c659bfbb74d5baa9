#include "feeds/feed_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/state.h"

enum { MODE_FILE = 0640, STATE_MAX = 8192, SHIFT_MAX = 16 };

void
feed_state_text(char *out, size_t size, struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n < size - 1; i++)
		out[n++] = (unsigned char)text.p[i] < ' ' || text.p[i] == '\x7f' ? ' ' : text.p[i];
	out[n] = '\0';
}

/* ---- reading ---- */

static int
read_text(char *out, size_t size, struct slice value)
{
	if (value.len >= size || out[0] != '\0' || memchr(value.p, '\0', value.len) != NULL)
		return -1;
	feed_state_text(out, size, value);
	return 0;
}

static int
read_digest(struct digest *out, bool *has, struct slice value)
{
	*has = true;
	return digest_parse(DIGEST_SHA256, value, out);
}

static int
read_line(struct feed_state *s, struct slice line)
{
	const struct { const char *word; char *out; size_t size; } texts[] = {
		{ "etag", s->etag, sizeof(s->etag) }, { "modified", s->modified, sizeof(s->modified) },
		{ "why", s->why, sizeof(s->why) },
	};
	const struct { const char *word; int64_t *out; } dates[] = {
		{ "tried", &s->tried }, { "good", &s->good }, { "next", &s->next },
	};
	struct slice word, value;

	slice_cut(line, ' ', &word, &value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (slice_eq(word, slice_str(texts[i].word)))
			return read_text(texts[i].out, texts[i].size, value);
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
		if (slice_eq(word, slice_str(dates[i].word)))
			return clock_parse(value, dates[i].out);
	if (slice_eq(word, SLICE("failures")))
		return slice_u64(value, &s->failures);
	if (slice_eq(word, SLICE("line")))
		return read_digest(&s->line, &s->has_line, value);
	if (slice_eq(word, SLICE("asked")))
		return read_digest(&s->asked, &s->has_asked, value);
	if (slice_eq(word, SLICE("raw")))
		return read_digest(&s->raw, &s->has_raw, value);
	return slice_eq(word, SLICE("file")) ? read_digest(&s->file, &s->has_file, value) : -1;
}

static bool
parse(struct slice rest, struct feed_state *s)
{
	struct slice line;
	bool good = slice_cut(rest, '\n', &line, &rest) && slice_eq(line, SLICE("firebreak-feed 1"));

	while (good && rest.len > 0)
		good = slice_cut(rest, '\n', &line, &rest) && read_line(s, line) == 0;
	return good;
}

static int
path_of(const char *state, const char *name, char out[static STATE_PATH])
{
	char what[STATE_PATH];

	snprintf(what, sizeof(what), STATE_UPDATE "/%s", name);
	return state_path(state, what, out);
}

void
feed_state_load(const char *state, const char *name, struct feed_state *out)
{
	char path[STATE_PATH], space[STATE_MAX + 1];
	struct buf text;

	*out = (struct feed_state){ .etag = "" };
	buf_init_in(&text, space, sizeof(space), STATE_MAX);
	if (path_of(state, name, path) == 0 && file_read(path, &text) == 0 && !parse(buf_slice(&text), out))
		*out = (struct feed_state){ .etag = "" };
	buf_fini(&text);
}

/* ---- writing ---- */

static void
add_text(struct buf *out, const char *word, const char *text)
{
	if (*text != '\0')
		buf_addf(out, "%s %s\n", word, text);
}

static void
add_date(struct buf *out, const char *word, int64_t seconds)
{
	char date[CLOCK_TEXT];

	if (seconds == 0)
		return;
	clock_format_s(seconds, date);
	add_text(out, word, date);
}

static void
add_digest(struct buf *out, const char *word, bool has, const struct digest *d)
{
	char hex[DIGEST_MAX_HEX + 1];

	if (!has)
		return;
	digest_format(d, hex);
	add_text(out, word, hex);
}

int
feed_state_write(const char *state, const char *name, const struct feed_state *s)
{
	char path[STATE_PATH], space[STATE_MAX + 1];
	struct buf text;
	int r = -1;

	if (path_of(state, name, path) == -1)
		return -1;
	buf_init_in(&text, space, sizeof(space), STATE_MAX);
	buf_add_str(&text, "firebreak-feed 1\n");
	add_digest(&text, "line", s->has_line, &s->line);
	add_digest(&text, "asked", s->has_asked, &s->asked);
	add_text(&text, "etag", s->etag);
	add_text(&text, "modified", s->modified);
	add_digest(&text, "raw", s->has_raw, &s->raw);
	add_digest(&text, "file", s->has_file, &s->file);
	add_date(&text, "tried", s->tried);
	add_date(&text, "good", s->good);
	add_date(&text, "next", s->next);
	if (s->failures > 0)
		buf_addf(&text, "failures %" PRIu64 "\n", s->failures);
	add_text(&text, "why", s->why);
	if (text.failed)
		errno = EFBIG;
	else
		r = file_write(path, buf_slice(&text), MODE_FILE);
	buf_fini(&text);
	return r;
}

/* ---- time ---- */

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
feed_state_good(struct feed_state *s, int64_t now, int64_t every)
{
	s->tried = s->good = now;
	s->next = now + every;
	s->failures = 0;
	s->why[0] = '\0';
}

void
feed_state_failed(struct feed_state *s, int64_t now, int64_t every, int64_t retry_after, struct slice why)
{
	int64_t last = every > FEED_BACKOFF_LAST_S ? every : FEED_BACKOFF_LAST_S, pause = least(every, FEED_BACKOFF_FIRST_S);

	for (uint64_t i = 0; i < s->failures && i < SHIFT_MAX; i++)
		pause = least(2 * pause, last);
	retry_after = least(retry_after, FEED_RETRY_AFTER_S);
	s->failures++;
	s->tried = now;
	s->next = now + (pause > retry_after ? pause : retry_after);
	feed_state_text(s->why, sizeof(s->why), why);
}

bool
feed_state_is_due(const struct feed_state *s, int64_t now)
{
	return now >= s->next || now < s->tried;
}

bool
feed_state_is_stale(const struct feed_state *s, int64_t now, int64_t every)
{
	return s->good == 0 || now - s->good > 2 * every;
}
