#include "hashdb/hashdb.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/segment_writer.h"
#include "base/sorter.h"
#include "hashdb/hashdb_format.h"
#include "hashdb/size_set.h"

/* Of a sort key: | algorithm: 1 | record, its reference big-endian |.  The sizes' keys: | size: 5, big-endian |. */
enum { KEY_MAX = 1 + DIGEST_MAX_LEN + HASHDB_SIZE_LEN + HASHDB_REF_LEN, SIZES_SHARE = 8 };

struct hashdb_builder {
	struct sorter	*records, *sizes;
	uint64_t	 n[DIGEST_ALGS];
	struct hashdb_info info;
};

struct hashdb_builder *
hashdb_builder_new(size_t memory, const char *dir)
{
	struct hashdb_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->records = sorter_new(memory - memory / SIZES_SHARE, dir);
	b->sizes = sorter_new(memory / SIZES_SHARE, dir);
	if (b->records != NULL && b->sizes != NULL)
		return b;
	hashdb_builder_free(b);
	return NULL;
}

void
hashdb_builder_free(struct hashdb_builder *b)
{
	if (b == NULL)
		return;
	sorter_free(b->records);
	sorter_free(b->sizes);
	free(b);
}

uint64_t
hashdb_builder_count(const struct hashdb_builder *b)
{
	return sorter_count(b->records);
}

static int
add_size(struct hashdb_builder *b, uint64_t size)
{
	char key[HASHDB_SIZE_LEN];

	if (b->info.min_size == 0 || size < b->info.min_size)
		b->info.min_size = size;
	if (size > b->info.max_size)
		b->info.max_size = size;
	bytes_put_big(key, size, sizeof(key));
	return sorter_add(b->sizes, slice_make(key, sizeof(key)));
}

int
hashdb_builder_add(
    struct hashdb_builder *b, const struct digest *digest, uint64_t size, uint32_t ref)
{
	size_t len = digest_len(digest->alg);
	char key[KEY_MAX];

	if (size > HASHDB_SIZE_MAX)
		return errno = ERANGE, -1;
	key[0] = (char)digest->alg;
	memcpy(key + 1, digest->b, len);
	bytes_put(key + 1 + len, size, HASHDB_SIZE_LEN);
	bytes_put_big(key + 1 + len + HASHDB_SIZE_LEN, ref, HASHDB_REF_LEN);	/* so that the lowest comes first */
	if (sorter_add(b->records, slice_make(key, 1 + len + HASHDB_TAIL)) == -1)
		return -1;
	b->n[digest->alg]++;
	if (size != HASHDB_SIZE_ANY)
		return add_size(b, size);
	b->info.sizeless |= DIGEST_BIT(digest->alg);
	return 0;
}

/* ---- writing ---- */

/* The table of one algorithm while it is written. */
struct image {
	struct segment_writer	*writer;
	size_t			 len;		/* of a digest */
	unsigned		 drop;
	uint64_t		 n, n_lines, line;	/* LINE: the one that is being filled */
	char			 last[KEY_MAX];	/* algorithm, digest and size of the last record, and how many have them */
	unsigned		 same, crowded;
	struct buf		 lines;
	uint64_t		 begin;		/* of the open line */
	uint8_t			 filter[HASHDB_LINE - HASHDB_LINE_FILTER];
};

/* Lines before NEXT are complete. */
static void
end_lines(struct image *m, uint64_t next)
{
	for (; m->line < next; m->line++) {
		uint32_t begin = (uint32_t)m->begin;
		uint64_t n = m->n - m->begin;
		uint8_t few = (uint8_t)(n < HASHDB_MANY ? n : HASHDB_MANY);

		buf_add(&m->lines, &begin, sizeof(begin));
		buf_add(&m->lines, &few, sizeof(few));
		buf_add(&m->lines, m->filter, sizeof(m->filter));
		m->begin = m->n;
		memset(m->filter, 0, sizeof(m->filter));
	}
}

/* Too many records have the digest and size of KEY. */
static bool
too_many(struct image *m, struct slice key)
{
	size_t len = key.len - HASHDB_REF_LEN;

	if (memcmp(m->last, key.p, len) != 0) {
		memcpy(m->last, key.p, len);
		m->same = 0;
	}
	m->crowded += m->same == HASHDB_RULES_PER_KEY;
	return ++m->same > HASHDB_RULES_PER_KEY;
}

/* Write the record that KEY is into the open line. */
static void
add_record(struct image *m, struct slice key)
{
	const uint8_t *digest = (const uint8_t *)key.p + 1;
	uint8_t record[KEY_MAX + HASHDB_SUM_LEN], *tail = record + m->len - m->drop;
	unsigned probes[HASHDB_FILTER_PROBES];

	memcpy(record, digest + m->drop, m->len - m->drop + HASHDB_SIZE_LEN);
	bytes_put(tail + HASHDB_SIZE_LEN, bytes_get_big(digest + m->len + HASHDB_SIZE_LEN, HASHDB_REF_LEN), HASHDB_REF_LEN);
	bytes_put(tail + HASHDB_TAIL, hashdb_sum(digest, m->len, tail), HASHDB_SUM_LEN);
	segment_writer_add(m->writer, record, m->len - m->drop + HASHDB_TAIL + HASHDB_SUM_LEN);
	hashdb_probes(digest, probes);
	for (int i = 0; i < HASHDB_FILTER_PROBES; i++)
		m->filter[probes[i] / 8] |= (uint8_t)(1 << probes[i] % 8);
	m->n++;
}

/* Write the table of ALG, whose first record is *KEY if *MORE is 1; the same for what follows.  -1 with errno. */
static int
write_table(struct hashdb_builder *b, enum digest_alg alg, struct image *m, struct slice *key, int *more)
{
	m->len = digest_len(alg);
	m->n = m->line = m->begin = 0;
	m->n_lines = hashdb_lines_for(b->n[alg]);
	m->drop = hashdb_drop(m->n_lines);
	buf_reset(&m->lines);
	segment_writer_begin(m->writer, HASHDB_RECORDS + (uint32_t)alg);
	for (; *more == 1 && (enum digest_alg)key->p[0] == alg; *more = sorter_next(b->records, key)) {
		end_lines(m, hashdb_line(hashdb_first((const uint8_t *)key->p + 1), m->n_lines));
		if (!too_many(m, *key))
			add_record(m, *key);
	}
	if (*more == -1)
		return -1;
	end_lines(m, m->n_lines + 1);
	if (m->lines.failed)
		return errno = ENOMEM, -1;
	if (m->n > UINT32_MAX)
		return errno = EFBIG, -1;
	segment_writer_begin(m->writer, HASHDB_LINES + (uint32_t)alg);
	segment_writer_add(m->writer, m->lines.p, m->lines.len);
	return 0;
}

static int
write_tables(struct hashdb_builder *b, struct segment_writer *writer, unsigned *crowded)
{
	struct image m = { .writer = writer };
	struct slice key = { 0 };
	int more, r = 0;

	buf_init(&m.lines, SIZE_MAX / 2);
	if (sorter_sort(b->records) == -1 || (more = sorter_next(b->records, &key)) == -1)
		r = -1;
	for (int alg = 0; r == 0 && alg < DIGEST_ALGS; alg++)
		if (b->n[alg] > 0)
			r = write_table(b, (enum digest_alg)alg, &m, &key, &more);
	*crowded = m.crowded;
	buf_fini(&m.lines);
	return r;
}

static int
write_sizes(struct hashdb_builder *b, struct segment_writer *writer)
{
	struct size_set_builder *set = size_set_new();
	struct slice key;
	struct buf bytes;
	int r = -1;

	buf_init(&bytes, SIZE_MAX / 2);
	if (set != NULL && sorter_sort(b->sizes) == 0) {
		while ((r = sorter_next(b->sizes, &key)) == 1)
			size_set_add(set, bytes_get_big(key.p, HASHDB_SIZE_LEN));
		if (r == 0 && (r = size_set_write(set, &bytes)) == -1)
			errno = ENOMEM;
		segment_writer_begin(writer, HASHDB_SIZES);
		segment_writer_add(writer, bytes.p, bytes.len);
	}
	size_set_free(set);
	buf_fini(&bytes);
	return r;
}

int
hashdb_builder_write(struct hashdb_builder *b, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct segment_writer *writer = segment_writer_new(path, SEGMENT_DIGESTS, 2 + 2 * DIGEST_ALGS, diag);
	unsigned crowded = 0;

	if (writer == NULL)
		return -1;
	if (write_tables(b, writer, &crowded) == -1 || write_sizes(b, writer) == -1) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", errno == EFBIG ? "more than 4,294,967,295 digests" : strerror(errno));
		segment_writer_abort(writer);
		return -1;
	}
	if (crowded > 0)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "%u digest%s more than %d rules each: the others are left out", crowded,
		    crowded == 1 ? " has" : "s have", HASHDB_RULES_PER_KEY);
	segment_writer_begin(writer, HASHDB_INFO);
	segment_writer_add(writer, &b->info, sizeof(b->info));
	return segment_writer_finish(writer, len, sha256);
}
