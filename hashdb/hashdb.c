#include "hashdb/hashdb.h"

#include <stdlib.h>

#include "hashdb/hashdb_format.h"
#include "hashdb/size_set.h"

enum { STEPS = 12 };	/* from the guess */

struct table {
	const uint8_t	*lines, *records;
	uint64_t	 n, n_lines;
	size_t		 len, stride;	/* bytes of a digest, and of a record */
	unsigned	 drop;
};

struct hashdb {
	struct table	 tables[DIGEST_ALGS];
	struct slice	 sizes;
	struct hashdb_info info;
	unsigned	 algs;
};

static const char *
table_fault(const struct segment *segment, enum digest_alg alg, struct table *t)
{
	struct slice records = segment_section(segment, HASHDB_RECORDS + (uint32_t)alg);
	struct slice lines = segment_section(segment, HASHDB_LINES + (uint32_t)alg);

	if (records.len == 0)
		return NULL;
	if (lines.len % HASHDB_LINE != 0 || lines.len < 2 * HASHDB_LINE || lines.len / HASHDB_LINE > UINT32_MAX)
		return "damaged: number of buckets";
	t->n_lines = lines.len / HASHDB_LINE - 1;
	t->drop = hashdb_drop(t->n_lines);
	t->len = digest_len(alg);
	t->stride = hashdb_stride(alg, t->drop);
	if (records.len % t->stride != 0)
		return "damaged: length of the digests";
	t->n = records.len / t->stride;
	t->lines = (const uint8_t *)lines.p;
	t->records = (const uint8_t *)records.p;
	return NULL;
}

static const char *
sections_fault(const struct segment *segment, struct hashdb *db)
{
	struct slice info = segment_section(segment, HASHDB_INFO);
	const char *fault;

	if (info.len != sizeof(db->info))
		return "damaged: size of the digests' head";
	memcpy(&db->info, info.p, sizeof(db->info));
	db->sizes = segment_section(segment, HASHDB_SIZES);
	if ((fault = size_set_fault(db->sizes)) != NULL)
		return fault;
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		struct table *t = &db->tables[alg];

		if ((fault = table_fault(segment, (enum digest_alg)alg, t)) != NULL)
			return fault;
		if (t->n > 0)
			db->algs |= DIGEST_BIT(alg);
	}
	return NULL;
}

struct hashdb *
hashdb_open(const struct segment *segment, struct diag *diag)
{
	struct hashdb *db = calloc(1, sizeof(*db));
	const char *fault = db == NULL ? "out of memory" : sections_fault(segment, db);

	if (fault == NULL)
		return db;
	diag_error(diag, "file rules: %s", fault);
	free(db);
	return NULL;
}

void
hashdb_close(struct hashdb *db)
{
	free(db);
}

unsigned
hashdb_algs(const struct hashdb *db)
{
	return db->algs;
}

unsigned
hashdb_sizeless_algs(const struct hashdb *db)
{
	return db->info.sizeless & db->algs;
}

bool
hashdb_has_size(const struct hashdb *db, uint64_t size)
{
	return size_set_has(db->sizes, size);
}

uint64_t
hashdb_max_size(const struct hashdb *db)
{
	return db->info.max_size;
}

uint64_t
hashdb_min_size(const struct hashdb *db)
{
	return db->info.min_size;
}

uint64_t
hashdb_count(const struct hashdb *db, enum digest_alg alg)
{
	return db->tables[alg].n;
}

/* ---- asking ---- */

/* A question to a table: the digest's first bits, the bucket that they choose, and where it begins and ends. */
struct place {
	uint32_t	first, start;	/* START: the lowest first bits in it */
	uint64_t	line, begin, end;
};

static const uint8_t *
line_at(const struct table *t, uint64_t line)
{
	return t->lines + line * HASHDB_LINE;
}

/* Where PLACE's records begin and end; false when that cannot be. */
static bool
find_bounds(const struct table *t, struct place *p)
{
	const uint8_t *line = line_at(t, p->line);

	p->begin = bytes_u32(line);
	p->end = line[HASHDB_LINE_N] < HASHDB_MANY ? p->begin + line[HASHDB_LINE_N] : bytes_u32(line + HASHDB_LINE);
	return p->begin <= p->end && p->end <= t->n;
}

/* Where the digest would stand in its bucket if digests were spread evenly, as they nearly are. */
static uint64_t
guess(const struct table *t, const struct place *p)
{
	return p->begin + ((p->first * t->n_lines & UINT32_MAX) * (p->end - p->begin) >> 32);
}

/* How far the first bits of RECORD, which is of a bucket that starts at START, are from there. */
static uint32_t
record_offset(const struct table *t, const uint8_t *record, uint32_t start)
{
	return (hashdb_first(record) - (start << 8 * t->drop)) >> 8 * t->drop;
}

/* The digest of record I stands before DIGEST, which is of place P: less than 0; is equal: 0; stands behind: more. */
static int
compare_record(const struct table *t, uint64_t i, const struct place *p, const uint8_t *digest)
{
	const uint8_t *record = t->records + i * t->stride;
	uint32_t offset = record_offset(t, record, p->start), wanted = p->first - p->start;

	if (offset != wanted)
		return offset < wanted ? -1 : 1;
	return memcmp(record + sizeof(uint32_t) - t->drop, digest + sizeof(uint32_t), t->len - sizeof(uint32_t));
}

/* The first record of P whose digest is not before DIGEST: mostly a few steps from the guess, along lines of memory that follow
 * each other; in a bucket that somebody made long, by halves. */
static uint64_t
lower_bound(const struct table *t, const struct place *p, const uint8_t *digest)
{
	uint64_t low = p->begin, high = p->end, at = guess(t, p);

	for (int steps = 0; low < high; steps++) {
		if (steps >= STEPS)
			at = low + (high - low) / 2;
		if (at < high && compare_record(t, at, p, digest) < 0)
			low = ++at;
		else if (at > low && compare_record(t, at - 1, p, digest) >= 0)
			high = --at;
		else
			return at;
	}
	return low;
}

void
hashdb_ahead(const struct hashdb *db, const struct digest *digest)
{
	const struct table *t = &db->tables[digest->alg];

	if (t->n > 0)
		__builtin_prefetch(line_at(t, hashdb_line(hashdb_first(digest->b), t->n_lines)));
}

/* Ask memory for the records about the guess. */
static void
records_ahead(const struct table *t, struct place *p)
{
	const uint8_t *at;

	if (!find_bounds(t, p))
		return;
	at = t->records + guess(t, p) * t->stride;
	for (int i = -2; i <= 2; i++)
		__builtin_prefetch(at + i * HASHDB_LINE);
}

bool
hashdb_may_have(const struct hashdb *db, const struct digest *digest)
{
	const struct table *t = &db->tables[digest->alg];
	struct place p = { .first = hashdb_first(digest->b) };
	unsigned probes[HASHDB_FILTER_PROBES];
	const uint8_t *filter;

	if (t->n == 0)
		return false;
	p.line = hashdb_line(p.first, t->n_lines);
	filter = line_at(t, p.line) + HASHDB_LINE_FILTER;
	hashdb_probes(digest->b, probes);
	for (int i = 0; i < HASHDB_FILTER_PROBES; i++)
		if ((filter[probes[i] / 8] >> probes[i] % 8 & 1) == 0)
			return false;
	records_ahead(t, &p);
	return true;
}

/* RECORD, whose digest is DIGEST, is what was written. */
static bool
record_holds(const struct table *t, const uint8_t *record, const uint8_t *digest)
{
	const uint8_t *tail = record + t->len - t->drop;

	return bytes_get(tail + HASHDB_TAIL, HASHDB_SUM_LEN) == hashdb_sum(digest, t->len, tail);
}

static uint64_t
record_size(const struct table *t, const uint8_t *record)
{
	return bytes_get(record + t->len - t->drop, HASHDB_SIZE_LEN);
}

static uint32_t
record_ref(const struct table *t, const uint8_t *record)
{
	return (uint32_t)bytes_get(record + t->len - t->drop + HASHDB_SIZE_LEN, HASHDB_REF_LEN);
}

/* Add the records of DIGEST that are of SIZE. */
static size_t
take_records(const struct table *t, const struct place *p, const uint8_t *digest, uint64_t size, struct hashdb_match *out,
    size_t max, bool *damaged)
{
	size_t n = 0;

	for (uint64_t i = lower_bound(t, p, digest); i < p->end && compare_record(t, i, p, digest) == 0; i++) {
		const uint8_t *record = t->records + i * t->stride;
		uint64_t listed = record_size(t, record);

		if (!record_holds(t, record, digest)) {
			*damaged = true;
			continue;
		}
		if (listed != HASHDB_SIZE_ANY && listed != size)
			continue;
		if (n < max)
			out[n] = (struct hashdb_match){ .size = listed, .ref = record_ref(t, record), .place = i };
		n++;
	}
	return n;
}

size_t
hashdb_find(const struct hashdb *db, const struct digest *digest, uint64_t size, struct hashdb_match *out, size_t max,
    bool *damaged)
{
	const struct table *t = &db->tables[digest->alg];
	struct place p = { .first = hashdb_first(digest->b) };
	bool nobody;

	damaged = damaged == NULL ? &nobody : damaged;
	if (t->n == 0)
		return 0;
	p.line = hashdb_line(p.first, t->n_lines);
	p.start = hashdb_line_start(p.line, t->n_lines);
	if (!find_bounds(t, &p)) {
		*damaged = true;
		return 0;
	}
	return take_records(t, &p, digest->b, size, out, max, damaged);
}

/* ---- all of it ---- */

/* What the lines of T say of LINE fits the next one. */
static bool
line_holds(const struct table *t, const struct place *p)
{
	uint64_t next = bytes_u32(line_at(t, p->line + 1)), n = next - p->begin;

	return next >= p->begin && next <= t->n && line_at(t, p->line)[HASHDB_LINE_N] == (n < HASHDB_MANY ? n : HASHDB_MANY) &&
	    (p->line > 0 || p->begin == 0) && (p->line + 1 < t->n_lines || next == t->n);
}

/* The digest of RECORD in the bucket of P into OUT; false when no such digest is in that bucket. */
static bool
whole_digest(const struct table *t, const uint8_t *record, const struct place *p, struct digest *out)
{
	uint32_t first = p->start + record_offset(t, record, p->start);

	bytes_put_big(out->b, first, sizeof(first));
	memcpy(out->b + sizeof(first), record + sizeof(first) - t->drop, t->len - sizeof(first));
	return hashdb_line(first, t->n_lines) == p->line;
}

static int
visit_line(const struct table *t, struct digest *digest, const struct place *p, hashdb_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	for (uint64_t i = p->begin; result == 0 && i < p->end; i++) {
		const uint8_t *record = t->records + i * t->stride;

		struct hashdb_match match = { .size = record_size(t, record), .ref = record_ref(t, record), .place = i };

		if (whole_digest(t, record, p, digest) && record_holds(t, record, digest->b))
			result = visit(arg, digest, &match);
		else
			*damaged = true;
	}
	return result;
}

static int
visit_table(const struct table *t, enum digest_alg alg, hashdb_visit *visit, void *arg, bool *damaged)
{
	struct digest digest = { .alg = alg };
	struct place p = { 0 };
	int result = 0;

	for (; result == 0 && p.line < t->n_lines; p.line++) {
		p.begin = bytes_u32(line_at(t, p.line));
		p.end = bytes_u32(line_at(t, p.line + 1));
		p.start = hashdb_line_start(p.line, t->n_lines);
		if (!line_holds(t, &p))
			*damaged = true;
		if (p.begin <= p.end && p.end <= t->n)
			result = visit_line(t, &digest, &p, visit, arg, damaged);
	}
	return result;
}

int
hashdb_each(const struct hashdb *db, hashdb_visit *visit, void *arg, bool *damaged)
{
	int result = 0;

	for (int alg = 0; result == 0 && alg < DIGEST_ALGS; alg++)
		if (db->tables[alg].n > 0)
			result = visit_table(&db->tables[alg], (enum digest_alg)alg, visit, arg, damaged);
	return result;
}
