#include "base/segment.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/segment_format.h"

enum { READ_AT_ONCE = 1 << 20 };

struct segment {
	const char		*base;
	size_t			 len;
	bool			 mapped;
	const struct segment_entry *entries;
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

uint32_t
segment_header_crc(const struct segment_header *h, const struct segment_entry *entries)
{
	uint8_t bytes[sizeof(*h) + SEGMENT_SECTIONS_MAX * sizeof(*entries)];
	struct segment_header copy = *h;

	copy.crc = 0;
	memcpy(bytes, &copy, sizeof(copy));
	memcpy(bytes + sizeof(copy), entries, h->n * sizeof(*entries));
	return segment_crc(bytes, sizeof(copy) + h->n * sizeof(*entries));
}

/* What is wrong with the fixed part, or NULL. */
static const char *
header_fault(const struct segment_header *h, size_t len, enum segment_kind kind)
{
	if (memcmp(h->magic, SEGMENT_MAGIC, sizeof(SEGMENT_MAGIC) - 1) != 0)
		return "not a Firebreak segment";
	if (h->order == SEGMENT_FOREIGN_ORDER)
		return "written on a machine of the other byte order; publish on this one";
	if (h->order != SEGMENT_ORDER)
		return "damaged: byte-order word";
	if (h->magic[7] != SEGMENT_VERSION)
		return "written by another version of Firebreak; upgrade, or publish again";
	if (h->kind != (uint32_t)kind)
		return "a segment of another kind";
	if (h->length != len)
		return h->length > len ? "truncated" : "longer than its header says";
	if (h->n > SEGMENT_SECTIONS_MAX || sizeof(*h) + h->n * sizeof(struct segment_entry) > len)
		return "damaged: number of sections";
	return NULL;
}

static const char *
entries_fault(const struct segment_header *h, const struct segment_entry *entries)
{
	uint64_t end = sizeof(*h) + h->n * sizeof(*entries);

	if (segment_header_crc(h, entries) != h->crc)
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
	const struct segment_header *h = p;
	const char *fault = len < sizeof(*h) ? "truncated" : header_fault(h, len, kind);
	struct segment *s;

	if (fault == NULL)
		fault = entries_fault(h, (const struct segment_entry *)(h + 1));
	if (fault != NULL) {
		diag_add(diag, DIAG_ERROR, name, 0, 0, "%s", fault);
		return NULL;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		diag_add(diag, DIAG_ERROR, name, 0, 0, "out of memory");
		return NULL;
	}
	*s = (struct segment){ .base = p, .len = len, .entries = (const struct segment_entry *)(h + 1), .n = h->n };
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

void
segment_forget(const struct segment *s)
{
	if (s->mapped)
		madvise((void *)(uintptr_t)s->base, s->len, MADV_DONTNEED);
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

/* By reading: what is mapped would count as memory of who asks. */
int
segment_sha256(const char *path, uint8_t out[static SEGMENT_SHA256])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved = errno;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *bytes = malloc(READ_AT_ONCE);
	ssize_t n = -1;

	errno = ENOMEM;
	if (ctx != NULL && bytes != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1) {
		errno = saved;
		while (fd != -1 && ((n = read(fd, bytes, READ_AT_ONCE)) > 0 || (n == -1 && errno == EINTR)))
			if (n > 0)
				EVP_DigestUpdate(ctx, bytes, (size_t)n);
	}
	saved = errno;
	if (n == 0 && EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		n = -1;
	EVP_MD_CTX_free(ctx);
	free(bytes);
	if (fd != -1)
		close(fd);
	errno = saved;
	return n == 0 ? 0 : -1;
}
