#include "base/segment_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/segment_format.h"

enum { WRITE_MODE = 0640, WRITE_AT_ONCE = 1 << 20 };

struct segment_writer {
	char			*path, *temporary;
	struct diag		*diag;
	int			 fd, error;		/* errno of the first failure; 0 while there is none */
	uint32_t		 max;
	struct segment_header	 header;
	struct segment_entry	 entries[SEGMENT_SECTIONS_MAX];
	uint64_t		 at;			/* where the next byte goes */
	struct buf		 pending;		/* not written yet: the bytes before AT */
};

static void
writer_free(struct segment_writer *w)
{
	if (w->fd != -1)
		close(w->fd);
	buf_fini(&w->pending);
	free(w->temporary);
	free(w->path);
	free(w);
}

static void
fail(struct segment_writer *w, int error)
{
	if (w->error == 0)
		w->error = error;
}

static void
flush(struct segment_writer *w)
{
	if (w->error == 0 && file_write_all(w->fd, buf_slice(&w->pending)) == -1)
		fail(w, errno);
	buf_reset(&w->pending);
}

/* Append LEN bytes at AT: to what is pending, or past it when they are many. */
static void
append(struct segment_writer *w, const void *p, size_t len)
{
	if (w->error != 0)
		return;
	w->at += len;
	if (w->pending.len + len > WRITE_AT_ONCE)
		flush(w);
	if (len > WRITE_AT_ONCE) {
		if (file_write_all(w->fd, slice_make(p, len)) == -1)
			fail(w, errno);
	} else if (buf_add(&w->pending, p, len) == -1) {
		fail(w, ENOMEM);
	}
}

static void
append_zeros(struct segment_writer *w, uint64_t n)
{
	static const char zeros[64];

	for (; n > 0; n -= n < sizeof(zeros) ? n : sizeof(zeros))
		append(w, zeros, n < sizeof(zeros) ? (size_t)n : sizeof(zeros));
}

struct segment_writer *
segment_writer_new(const char *path, enum segment_kind kind, uint32_t max_sections, struct diag *diag)
{
	struct segment_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		goto no_memory;
	w->fd = -1;
	w->diag = diag;
	w->max = max_sections < SEGMENT_SECTIONS_MAX ? max_sections : SEGMENT_SECTIONS_MAX;
	w->header = (struct segment_header){ .order = SEGMENT_ORDER, .kind = (uint32_t)kind };
	memcpy(w->header.magic, SEGMENT_MAGIC, sizeof(w->header.magic) - 1);
	w->header.magic[sizeof(w->header.magic) - 1] = SEGMENT_VERSION;
	buf_init(&w->pending, 2 * WRITE_AT_ONCE);
	if ((w->path = strdup(path)) == NULL || asprintf(&w->temporary, "%s.XXXXXX", path) == -1) {
		w->temporary = NULL;
		goto no_memory;
	}
	if ((w->fd = mkostemp(w->temporary, O_CLOEXEC)) == -1) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
		writer_free(w);
		return NULL;
	}
	append_zeros(w, sizeof(w->header) + w->max * sizeof(*w->entries));
	return w;
no_memory:
	diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	if (w != NULL)
		writer_free(w);
	return NULL;
}

/* Give the section that is being written its length. */
static void
end_section(struct segment_writer *w)
{
	struct segment_entry *e;

	if (w->header.n == 0)
		return;
	e = &w->entries[w->header.n - 1];
	e->length = w->at - e->offset;
}

void
segment_writer_begin(struct segment_writer *w, uint32_t id)
{
	if (w->header.n == w->max) {
		fail(w, E2BIG);
		return;
	}
	end_section(w);
	append_zeros(w, (SEGMENT_ALIGN - w->at % SEGMENT_ALIGN) % SEGMENT_ALIGN);
	w->entries[w->header.n++] = (struct segment_entry){ .id = id, .offset = w->at };
}

void
segment_writer_add(struct segment_writer *w, const void *p, size_t len)
{
	append(w, p, len);
}

uint64_t
segment_writer_section_len(const struct segment_writer *w)
{
	return w->header.n == 0 ? 0 : w->at - w->entries[w->header.n - 1].offset;
}

static int
pwrite_all(int fd, const void *p, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p = (const char *)p + n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* The parent's rename is flushed by whoever names the segment: a MANIFEST is written after all of them. */
static int
complete(struct segment_writer *w, uint8_t sha256[static SEGMENT_SHA256])
{
	end_section(w);
	flush(w);
	w->header.length = w->at;
	w->header.crc = segment_header_crc(&w->header, w->entries);
	if (w->error != 0)
		return errno = w->error, -1;
	if (pwrite_all(w->fd, &w->header, sizeof(w->header), 0) == -1 ||
	    pwrite_all(w->fd, w->entries, w->header.n * sizeof(*w->entries), sizeof(w->header)) == -1 ||
	    fchmod(w->fd, WRITE_MODE) == -1 || fsync(w->fd) == -1 || segment_sha256(w->temporary, sha256) == -1 ||
	    rename(w->temporary, w->path) == -1)
		return -1;
	return 0;
}

int
segment_writer_finish(struct segment_writer *w, uint64_t *len, uint8_t sha256[static SEGMENT_SHA256])
{
	if (complete(w, sha256) == -1) {
		diag_add(w->diag, DIAG_ERROR, w->path, 0, 0, "%s", strerror(errno));
		segment_writer_abort(w);
		return -1;
	}
	*len = w->at;
	writer_free(w);
	return 0;
}

void
segment_writer_abort(struct segment_writer *w)
{
	if (w == NULL)
		return;
	unlink(w->temporary);
	writer_free(w);
}

int
segment_write(const char *path, enum segment_kind kind, const struct segment_part *parts, size_t n,
    uint64_t *len, uint8_t sum[static SEGMENT_SHA256], struct diag *diag)
{
	struct segment_writer *w = segment_writer_new(path, kind, (uint32_t)n, diag);

	if (w == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		segment_writer_begin(w, parts[i].id);
		segment_writer_add(w, parts[i].bytes.p, parts[i].bytes.len);
	}
	return segment_writer_finish(w, len, sum);
}
