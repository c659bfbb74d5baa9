#include "base/segment.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/file.h"

enum {
	VERSION = '1',
	BYTE_ORDER_WORD = 0x01020304,
	FOREIGN_ORDER_WORD = 0x04030201,
	MAX_SECTIONS = 64,
	SEGMENT_MODE = 0640,
};

static const char magic[7] = { 'F', 'B', 'R', 'K', 'S', 'E', 'G' };	/* the eighth byte is the version */

struct header {
	char		magic[8];
	uint32_t	order;
	uint32_t	kind;
	uint64_t	length;
	uint32_t	n;
	uint32_t	zero;
	uint32_t	crc;		/* of header (this word as 0) and entries */
	uint32_t	zero2;
};

struct entry {
	uint32_t	id;
	uint32_t	zero;
	uint64_t	offset;
	uint64_t	length;
};

struct segment {
	const char		*base;
	size_t			 len;
	bool			 mapped;
	const struct entry	*entries;
	uint32_t		 n;
};

/* Four bits at a time: headers are short, and the table stays in two cache lines. */
uint32_t
segment_crc(const void *p, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *u = p;
	uint32_t crc = 0xffffffff;

	while (len-- > 0) {
		crc ^= *u++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static uint32_t
header_crc(const struct header *h, const struct entry *entries)
{
	uint8_t bytes[sizeof(*h) + MAX_SECTIONS * sizeof(*entries)];
	struct header copy = *h;

	copy.crc = 0;
	memcpy(bytes, &copy, sizeof(copy));
	memcpy(bytes + sizeof(copy), entries, h->n * sizeof(*entries));
	return segment_crc(bytes, sizeof(copy) + h->n * sizeof(*entries));
}

/* What is wrong with the fixed part, or NULL. */
static const char *
header_fault(const struct header *h, size_t len, enum segment_kind kind)
{
	if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		return "not a Firebreak segment";
	if (h->order == FOREIGN_ORDER_WORD)
		return "written on a machine of the other byte order; publish on this one";
	if (h->order != BYTE_ORDER_WORD)
		return "damaged: byte-order word";
	if (h->magic[7] != VERSION)
		return "written by another version of Firebreak; upgrade, or publish again";
	if (h->kind != (uint32_t)kind)
		return "a segment of another kind";
	if (h->length != len)
		return h->length > len ? "truncated" : "longer than its header says";
	if (h->n > MAX_SECTIONS || sizeof(*h) + h->n * sizeof(struct entry) > len)
		return "damaged: number of sections";
	return NULL;
}

static const char *
entries_fault(const struct header *h, const struct entry *entries)
{
	uint64_t end = sizeof(*h) + h->n * sizeof(*entries);

	if (header_crc(h, entries) != h->crc)
		return "damaged: checksum of the header";
	for (uint32_t i = 0; i < h->n; i++) {
		if (entries[i].offset % 8 != 0 || entries[i].offset < end ||
		    entries[i].offset > h->length || entries[i].length > h->length - entries[i].offset)
			return "damaged: bounds of a section";
		end = entries[i].offset + entries[i].length;
	}
	return NULL;
}

struct segment *
segment_open_bytes(const char *name, const void *p, size_t len, enum segment_kind kind, struct diag *diag)
{
	const struct header *h = p;
	const char *fault = len < sizeof(*h) ? "truncated" : header_fault(h, len, kind);
	struct segment *s;

	if (fault == NULL)
		fault = entries_fault(h, (const struct entry *)(h + 1));
	if (fault != NULL) {
		diag_add(diag, DIAG_ERROR, name, 0, 0, "%s", fault);
		return NULL;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		diag_add(diag, DIAG_ERROR, name, 0, 0, "out of memory");
		return NULL;
	}
	*s = (struct segment){ .base = p, .len = len, .entries = (const struct entry *)(h + 1), .n = h->n };
	return s;
}

static int
sha256(const void *p, size_t len, uint8_t out[static SEGMENT_SHA256])
{
	return EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

/* Map the file; NULL with errno.  An empty file is EINVAL. */
static void *
map_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	struct stat st;
	void *p = MAP_FAILED;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0) {
		*len = (size_t)st.st_size;
		p = mmap(NULL, *len, PROT_READ, MAP_SHARED, fd, 0);
	}
	saved = errno;
	close(fd);
	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

struct segment *
segment_open(const char *path, enum segment_kind kind, const uint8_t *expected, struct diag *diag)
{
	uint8_t actual[SEGMENT_SHA256];
	struct segment *s;
	size_t len = 0;
	void *p = map_file(path, &len);

	if (p == NULL) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", errno == EINVAL ? "truncated: empty" :
		    strerror(errno));
		return NULL;
	}
	/* The header first: "of another version" says more than "damaged". */
	s = segment_open_bytes(path, p, len, kind, diag);
	if (s != NULL && expected != NULL &&
	    (sha256(p, len, actual) == -1 || memcmp(actual, expected, sizeof(actual)) != 0)) {
		diag_add(diag, DIAG_ERROR, path, 0, 0,
		    "damaged: its SHA-256 is not the one in the MANIFEST");
		segment_close(s);
		s = NULL;
	}
	if (s == NULL)
		munmap(p, len);
	else
		s->mapped = true;
	return s;
}

void
segment_close(struct segment *s)
{
	if (s == NULL)
		return;
	if (s->mapped)
		munmap((void *)(uintptr_t)s->base, s->len);
	free(s);
}

struct slice
segment_section(const struct segment *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->entries[i].id == id)
			return slice_make(s->base + s->entries[i].offset, s->entries[i].length);
	return (struct slice){ 0 };
}

uint64_t
segment_size(const struct segment *s)
{
	return s->len;
}

static size_t
aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static int
build(enum segment_kind kind, const struct segment_part *parts, size_t n, struct buf *out)
{
	struct header h = { .order = BYTE_ORDER_WORD, .kind = (uint32_t)kind, .n = (uint32_t)n };
	struct entry entries[MAX_SECTIONS] = { 0 };
	size_t at = sizeof(h) + n * sizeof(*entries);
	static const char zeros[8];

	memcpy(h.magic, magic, sizeof(magic));
	h.magic[7] = VERSION;
	for (size_t i = 0; i < n; i++) {
		at = aligned(at);
		entries[i] = (struct entry){ .id = parts[i].id, .offset = at, .length = parts[i].bytes.len };
		at += parts[i].bytes.len;
	}
	h.length = at;
	h.crc = header_crc(&h, entries);
	buf_add(out, &h, sizeof(h));
	buf_add(out, entries, n * sizeof(*entries));
	for (size_t i = 0; i < n; i++) {
		buf_add(out, zeros, aligned(out->len) - out->len);
		buf_add_slice(out, parts[i].bytes);
	}
	return out->failed ? -1 : 0;
}

int
segment_write(const char *path, enum segment_kind kind, const struct segment_part *parts, size_t n,
    uint64_t *len, uint8_t sum[static SEGMENT_SHA256], struct diag *diag)
{
	struct buf image;
	int r = -1;

	buf_init(&image, SIZE_MAX / 2);
	if (n > MAX_SECTIONS || build(kind, parts, n, &image) == -1 ||
	    sha256(image.p, image.len, sum) == -1)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "out of memory");
	else if (file_write(path, buf_slice(&image), SEGMENT_MODE) == -1)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	else
		r = 0;
	*len = image.len;
	buf_fini(&image);
	return r;
}

int
segment_sha256(const char *path, uint8_t out[static SEGMENT_SHA256])
{
	size_t len = 0;
	void *p = map_file(path, &len);
	int r;

	if (p == NULL)
		return -1;
	r = sha256(p, len, out);
	munmap(p, len);
	return r;
}
