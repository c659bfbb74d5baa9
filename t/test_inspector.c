/* One body looked at in every way at once: what is found when, and how far it may go meanwhile. */
#include "inspect/digester.h"
#include "inspect/inspector.h"
#include "t/encode.h"
#include "t/tap.h"

enum { SIZE = 90112, OUT_MAX = 16 << 20, PIECE = 4096 };

/* One listed file, and what was found of it. */
struct list {
	uint64_t	 size;
	struct digest	 digest;
	bool		 sizeless;
	unsigned	 tentative, final, sent;	/* findings that matched */
	unsigned	 others;
};

static bool
may_be_listed(void *arg, uint64_t size)
{
	const struct list *l = arg;

	return l->sizeless || size == l->size;
}

static bool
found(void *arg, const struct finding *f)
{
	struct list *l = arg;
	bool matches = f->n == 1 && digest_eq(&f->digests[0], &l->digest) && (l->sizeless || f->size == l->size);

	if (!matches)
		l->others++;
	else if (f->kind == FINDING_SENT)
		l->sent++;
	else if (f->tentative)
		l->tentative++;
	else
		l->final++;
	return !matches;
}

/* Bytes that do not compress. */
static struct slice
noise(size_t len)
{
	static char bytes[SIZE + 1000];
	uint32_t x = 7;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
	return slice_make(bytes, len);
}

static struct inspector *
begin(struct list *l, const char *codings, bool sizeless)
{
	struct inspect_wish wish = { .sent_algs = DIGEST_BIT(DIGEST_MD5), .sent_until = UINT64_MAX,
		.decoded_algs = DIGEST_BIT(DIGEST_MD5), .decoded_until = UINT64_MAX, .may_be_listed = may_be_listed,
		.limits = { .bytes = UINT64_MAX, .ratio = 1000 } };
	struct inspect_means means = { .helper = "/nonexistent", .spool_dir = "/nonexistent" };
	struct digest digests[DIGEST_ALGS];
	struct inspector *i;

	*l = (struct list){ .size = SIZE, .sizeless = sizeless };
	digests_of(noise(SIZE), DIGEST_BIT(DIGEST_MD5), digests);
	l->digest = digests[0];
	codings_add(&wish.codings, slice_str(codings));
	if ((i = inspector_new(&wish, &means, found, l)) == NULL)
		abort();
	return i;
}

/* Push all of BODY until it is stopped for; how far it was judged then. */
static uint64_t
push(struct inspector *i, struct slice body)
{
	while (body.len > 0 && !inspector_stopped(i)) {
		inspector_update(i, slice_head(body, PIECE), true);
		body = slice_skip(body, PIECE);
	}
	return inspector_judged(i);
}

static void
test_plain(void)
{
	struct list l;
	struct inspector *i = begin(&l, "", false);

	ok(push(i, noise(SIZE)) == SIZE && !inspector_stopped(i) && !inspector_done(i), "as sent: nothing before the end");
	inspector_end(i);
	ok(inspector_stopped(i) && l.sent == 1 && l.others == 0, "as sent: found at the end");
	inspector_free(i);
	i = begin(&l, "", false);
	push(i, noise(SIZE + 1));
	inspector_end(i);
	ok(!inspector_stopped(i) && l.sent == 0 && l.others == 1, "as sent: a byte more is something else");
	inspector_free(i);
}

/* The file is out, and its stream goes on with nothing in it. */
static void
test_padded(bool sizeless)
{
	struct list l;
	struct inspector *i = begin(&l, "gzip", sizeless);
	struct buf b;
	uint64_t judged;

	buf_init(&b, OUT_MAX);
	encode_gzip_padded(noise(SIZE), 40000, &b);
	judged = push(i, slice_head(buf_slice(&b), b.len - 1000));
	ok(inspector_hesitates(i) && !inspector_stopped(i) && l.tentative > 0, "padding: it is suspected");
	ok(judged < SIZE + 1000 && judged % PIECE == 0, "padding: nothing behind %llu may leave", (unsigned long long)judged);
	inspector_end(i);
	ok(inspector_stopped(i) && l.final == 1, "padding: broken off, it is found at the end");
	inspector_free(i);
	i = begin(&l, "gzip", sizeless);
	push(i, slice_head(buf_slice(&b), b.len - 1000));
	inspector_give_in(i);
	ok(inspector_stopped(i) && l.final == 1, "padding: whoever cannot hold more back stops it");
	inspector_free(i);
	buf_fini(&b);
}

/* The file is the beginning of something longer. */
static void
test_prefix(void)
{
	struct list l;
	struct inspector *i = begin(&l, "zstd", false);
	struct buf b;

	buf_init(&b, OUT_MAX);
	encode(CODING_ZSTD, noise(SIZE + 1000), &b);
	ok(push(i, buf_slice(&b)) == b.len && !inspector_hesitates(i), "a prefix: passes on");
	inspector_end(i);
	ok(!inspector_stopped(i) && l.final == 0, "a prefix: is not the file");
	inspector_free(i);
	buf_fini(&b);
}

static void
test_first_member(void)
{
	struct list l;
	struct inspector *i = begin(&l, "gzip", true);
	struct buf b;
	uint64_t judged;

	buf_init(&b, OUT_MAX);
	encode(CODING_GZIP, noise(SIZE), &b);
	judged = b.len;
	encode(CODING_GZIP, noise(SIZE), &b);
	ok(push(i, buf_slice(&b)) < judged && inspector_stopped(i) && l.final == 1, "a first member: stopped for at its end");
	inspector_free(i);
	buf_fini(&b);
}

static void
test_faults(void)
{
	struct list l;
	struct inspector *i = begin(&l, "gzip, dcb", false);

	push(i, noise(100));
	ok(inspector_unscannable(i) == UNSCANNABLE_CODING && inspector_judged(i) == 100, "an unknown coding");
	inspector_end(i);
	ok(!inspector_stopped(i), "an unknown coding: as sent it is looked at");
	inspector_free(i);
	i = begin(&l, "gzip", false);
	push(i, noise(SIZE));
	ok(inspector_unscannable(i) == UNSCANNABLE_DAMAGED, "noise is no gzip");
	inspector_end(i);
	ok(inspector_stopped(i) && l.sent == 1, "a false label: the file is found as sent");
	inspector_free(i);
}

int
main(void)
{
	test_plain();
	test_padded(false);
	test_padded(true);
	test_prefix();
	test_first_member();
	test_faults();
	return tap_done();
}
