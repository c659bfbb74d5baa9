#include "delivery/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "delivery/signed.h"
#include "runtime/state.h"

enum { MODE_FILE = 0640, FOLLOW_MAX = 8192 };

/* ---- reading ---- */

static int
read_url(struct follow *f, struct slice value)
{
	if (value.len == 0 || value.len >= FOLLOW_URL || f->url[0] != '\0' || memchr(value.p, '\0', value.len) != NULL)
		return -1;
	memcpy(f->url, value.p, value.len);
	f->url[value.len] = '\0';
	return 0;
}

static int
read_key(struct follow *f, struct slice value)
{
	return f->n_keys < FOLLOW_KEYS ? minisign_public_parse(value, &f->keys[f->n_keys++]) : -1;
}

static int read_epoch(struct follow *f, struct slice value) { return slice_u64(value, &f->epoch); }
static int read_generation(struct follow *f, struct slice value) { return slice_u64(value, &f->generation); }
static int read_local(struct follow *f, struct slice value) { return slice_u64(value, &f->local); }
static int read_created(struct follow *f, struct slice value) { return clock_parse(value, &f->created); }
static int read_expires(struct follow *f, struct slice value) { return clock_parse(value, &f->expires); }
static int read_checked(struct follow *f, struct slice value) { return clock_parse(value, &f->checked); }

static int
read_signed(struct follow *f, struct slice value)
{
	struct digest d;

	if (digest_parse(DIGEST_SHA256, value, &d) == -1)
		return -1;
	memcpy(f->sha256, d.b, sizeof(f->sha256));
	return 0;
}

static int
read_failed(struct follow *f, struct slice value)
{
	struct slice date, why;

	slice_cut(value, ' ', &date, &why);
	if (clock_parse(date, &f->failed) == -1)
		return -1;
	follow_set_failed(f, f->failed, why);
	return 0;
}

static int
read_line(struct follow *f, struct slice line)
{
	static const struct { const char *word; int (*read)(struct follow *f, struct slice value); } words[] = {
		{ "url", read_url }, { "key", read_key }, { "epoch", read_epoch }, { "generation", read_generation },
		{ "local", read_local }, { "created", read_created }, { "expires", read_expires }, { "checked", read_checked },
		{ "signed", read_signed }, { "failed", read_failed },
	};
	struct slice word, value;

	slice_cut(line, ' ', &word, &value);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_eq(word, slice_str(words[i].word)))
			return words[i].read(f, value);
	return -1;
}

static int
parse(const char *path, struct slice rest, struct follow *f, struct diag *diag)
{
	struct slice line;
	bool good = slice_cut(rest, '\n', &line, &rest) && slice_eq(line, SLICE("firebreak-follow 1"));
	unsigned n = 1;

	while (good && rest.len > 0) {
		n++;
		good = slice_cut(rest, '\n', &line, &rest) && read_line(f, line) == 0;
	}
	if (good && f->url[0] != '\0' && f->n_keys > 0 && f->epoch > 0 && f->generation > 0 && f->local > 0 &&
	    f->generation <= SIGNED_NUMBER_MAX && f->epoch <= SIGNED_NUMBER_MAX)
		return 0;
	diag_add(diag, DIAG_ERROR, path, n, 0, "is damaged: remove it, and \"firebreak pull --replace --key KEY URL\" begins anew");
	return errno = EBADMSG, -1;
}

int
follow_load(const char *state, struct follow *out, struct diag *diag)
{
	char path[STATE_PATH], space[FOLLOW_MAX + 1];
	struct buf text;
	int r = -1, error;

	*out = (struct follow){ .url = "" };
	if (state_path(state, STATE_FOLLOW, path) == -1)
		return -1;
	buf_init_in(&text, space, sizeof(space), FOLLOW_MAX);
	if (file_read(path, &text) == 0)
		r = parse(path, buf_slice(&text), out, diag);
	else if (errno != ENOENT)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	error = errno;
	buf_fini(&text);
	errno = error;
	return r;
}

/* ---- writing ---- */

static void
add_date(struct buf *out, const char *word, int64_t seconds)
{
	char date[CLOCK_TEXT];

	clock_format_s(seconds, date);
	buf_addf(out, "%s %s", word, date);
}

static void
format(const struct follow *f, struct buf *out)
{
	struct digest d = { .alg = DIGEST_SHA256 };
	char key[MINISIGN_KEY_TEXT], hex[DIGEST_MAX_HEX + 1];

	buf_addf(out, "firebreak-follow 1\nurl %s\n", f->url);
	for (size_t i = 0; i < f->n_keys; i++) {
		minisign_public_format(&f->keys[i], key);
		buf_addf(out, "key %s\n", key);
	}
	buf_addf(out, "epoch %" PRIu64 "\ngeneration %" PRIu64 "\n", f->epoch, f->generation);
	add_date(out, "created", f->created);
	add_date(out, "\nexpires", f->expires);
	memcpy(d.b, f->sha256, sizeof(f->sha256));
	digest_format(&d, hex);
	buf_addf(out, "\nlocal %" PRIu64 "\nsigned %s\n", f->local, hex);
	add_date(out, "checked", f->checked);
	buf_add_char(out, '\n');
	if (f->failed == 0)
		return;
	add_date(out, "failed", f->failed);
	buf_addf(out, " %s\n", f->why);
}

int
follow_write(const char *state, const struct follow *f)
{
	char path[STATE_PATH], space[FOLLOW_MAX + 1];
	struct buf text;
	int r = -1;

	if (state_path(state, STATE_FOLLOW, path) == -1)
		return -1;
	buf_init_in(&text, space, sizeof(space), FOLLOW_MAX);
	format(f, &text);
	if (text.failed)
		errno = EFBIG;
	else
		r = file_write(path, buf_slice(&text), MODE_FILE);
	buf_fini(&text);
	return r;
}

int
follow_remove(const char *state)
{
	char path[STATE_PATH];

	return state_path(state, STATE_FOLLOW, path) == -1 || unlink(path) == -1 ? -1 : file_sync_dir(state);
}

void
follow_set_failed(struct follow *f, int64_t now, struct slice why)
{
	size_t n = 0;

	f->failed = now;
	for (size_t i = 0; i < why.len && n < sizeof(f->why) - 1; i++)
		f->why[n++] = (unsigned char)why.p[i] < ' ' || why.p[i] == '\x7f' ? ' ' : why.p[i];
	f->why[n] = '\0';
}

bool
follow_is_expired(const struct follow *f, int64_t now)
{
	return now >= f->expires;
}

bool
follow_is_stale(const struct follow *f, int64_t now)
{
	return now - f->checked > FOLLOW_STALE_S;
}
