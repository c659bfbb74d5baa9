#include "feeds/misp_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define BEGIN	"[\n"
#define HEAD	"{\"fetched\":\""
#define HEAD_END "\"},\n"

enum { HEAD_MAX = 512, COPY_AT_ONCE = 1 << 16, NUMBERS = 5 };

/* ---- reading ---- */

/* Up to SIZE bytes of FD at AT: how many, less only at its end; -1 with errno. */
static ssize_t
read_at(int fd, off_t at, char *out, size_t size)
{
	size_t n = 0;
	ssize_t r = 1;

	while (n < size && r != 0) {
		r = pread(fd, out + n, size - n, at + (off_t)n);
		if (r == -1 && errno != EINTR)
			return -1;
		n += r > 0 ? (size_t)r : 0;
	}
	return (ssize_t)n;
}

/* What stands between the quotes.  -1 when it is none. */
static int
parse_head(struct slice text, struct misp_kept *out)
{
	uint64_t *const numbers[NUMBERS] = { &out->len, &out->counts.lines, &out->counts.entries, &out->counts.skipped, &out->counts.bad };
	size_t blanks = 0, end = 0;
	struct slice word;

	*out = (struct misp_kept){ .len = 0 };
	for (; end < text.len; end++)
		if (text.p[end] == ' ' && ++blanks == 3)
			break;
	if (misp_event_parse(slice_head(text, end), &out->event) == -1)
		return -1;
	text = slice_skip(text, end + 1);
	for (size_t i = 0; i < NUMBERS; i++) {
		slice_cut(text, ' ', &word, &text);
		if (slice_u64(word, numbers[i]) == -1)
			return -1;
	}
	return text.len == 0 && out->len <= INT64_MAX / 2 ? 0 : -1;
}

/* The event whose line begins at *AT, which is then behind it: 1; 0 when there is none; -1 with errno. */
static int
read_one(int fd, off_t *at, struct misp_kept *out)
{
	static const size_t begin = sizeof(HEAD) - 1;
	char bytes[HEAD_MAX];
	ssize_t n = read_at(fd, *at, bytes, sizeof(bytes));
	struct slice text = slice_make(bytes, n > 0 ? (size_t)n : 0);
	size_t end = slice_search(text, SLICE(HEAD_END));

	if (n == -1)
		return -1;
	if (!slice_starts(text, SLICE(HEAD)) || end == text.len || parse_head(slice_skip(slice_head(text, end), begin), out) == -1)
		return 0;
	out->at = *at + (off_t)(end + sizeof(HEAD_END) - 1);
	*at = out->at + (off_t)out->len;
	if ((n = read_at(fd, *at, bytes, 2)) <= 0)
		return (int)n;
	/* A comma when another one follows. */
	*at += bytes[0] == ',' ? 2 : 1;
	return 1;
}

int
misp_list_read(int fd, struct misp_list *out)
{
	char begin[sizeof(BEGIN) - 1];
	struct misp_kept kept;
	size_t cap = 0;
	off_t at = sizeof(begin);
	ssize_t got = read_at(fd, 0, begin, sizeof(begin));
	int r = 1;

	*out = (struct misp_list){ .n = 0 };
	if (got != (ssize_t)sizeof(begin) || memcmp(begin, BEGIN, sizeof(begin)) != 0)
		return got == -1 ? -1 : 0;
	while (out->n < MISP_EVENTS_MAX && (r = read_one(fd, &at, &kept)) == 1) {
		if (out->n == cap) {
			size_t more = cap == 0 ? 64 : 2 * cap;
			struct misp_kept *v = realloc(out->v, more * sizeof(*v));

			if (v == NULL)
				return -1;
			out->v = v;
			cap = more;
		}
		/* In their order, or somebody else wrote it. */
		if (out->n > 0 && misp_event_compare(&out->v[out->n - 1].event, &kept.event) >= 0)
			break;
		out->v[out->n++] = kept;
	}
	return r == -1 ? -1 : 0;
}

void
misp_list_free(struct misp_list *list)
{
	free(list->v);
	*list = (struct misp_list){ .n = 0 };
}

static int
compare_name(const void *uuid, const void *kept)
{
	return strcmp(uuid, ((const struct misp_kept *)kept)->event.uuid);
}

const struct misp_kept *
misp_list_find(const struct misp_list *list, const char *uuid)
{
	return list->n == 0 ? NULL : bsearch(uuid, list->v, list->n, sizeof(*list->v), compare_name);
}

/* ---- writing ---- */

static int
put(struct misp_list_out *out, struct slice text)
{
	out->bytes += text.len;
	return file_write_all(out->fd, text);
}

static int
copy(struct misp_list_out *out, int from, off_t at, uint64_t len)
{
	char bytes[COPY_AT_ONCE];

	while (len > 0) {
		ssize_t n = read_at(from, at, bytes, len < sizeof(bytes) ? (size_t)len : sizeof(bytes));

		if (n <= 0)
			return n == 0 ? errno = EIO, -1 : -1;
		if (put(out, slice_make(bytes, (size_t)n)) == -1)
			return -1;
		at += n;
		len -= (uint64_t)n;
	}
	return 0;
}

int
misp_list_add(struct misp_list_out *out, const struct misp_kept *kept, int from)
{
	char event[MISP_EVENT_TEXT], head[HEAD_MAX];
	const struct feed_counts *n = &kept->counts;

	misp_event_format(&kept->event, event);
	snprintf(head, sizeof(head), "%s" HEAD "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 HEAD_END,
	    out->n == 0 ? BEGIN : ",\n", event, kept->len, n->lines, n->entries, n->skipped, n->bad);
	out->n++;
	return put(out, slice_str(head)) == -1 ? -1 : copy(out, from, kept->at, kept->len);
}

int
misp_list_end(struct misp_list_out *out)
{
	return put(out, out->n == 0 ? SLICE(BEGIN "]\n") : SLICE("\n]\n"));
}
