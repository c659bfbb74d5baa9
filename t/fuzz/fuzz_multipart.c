/* Fuzz: a multipart body.  The input is a Content-Type value, a line end, a number (how many bytes a push has), a line end, and the
 * body.  Whatever the pieces, the same parts come out; and in the inspector nothing is judged twice or taken back. */
#include <stdlib.h>

#include "base/buf.h"
#include "inspect/inspector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 64 << 20, STEP_MAX = 5000 };

/* What came out, so that it can be compared. */
struct out {
	struct buf	text;
	bool		open;
};

static void
add_text(struct out *o, struct slice s)
{
	buf_add_number(&o->text, (int64_t)s.len);
	buf_add_char(&o->text, ' ');
	buf_add_slice(&o->text, s);
}

static bool
begin_part(void *arg, const struct part_head *head)
{
	struct out *o = arg;

	if (o->open || head->name.len > FINDING_NAME_MAX || head->boundary.len > BOUNDARY_MAX)
		abort();
	o->open = true;
	buf_add_str(&o->text, "begin");
	add_text(o, head->name);
	buf_add_number(&o->text, (int64_t)head->codings.n);
	return true;
}

static bool
take_bytes(void *arg, struct slice bytes)
{
	struct out *o = arg;

	if (!o->open || bytes.len == 0)
		abort();
	buf_add_slice(&o->text, bytes);
	return true;
}

static bool
end_part(void *arg)
{
	struct out *o = arg;

	if (!o->open)
		abort();
	o->open = false;
	buf_add_str(&o->text, "end");
	return true;
}

static const struct multipart_sink sink = { begin_part, take_bytes, end_part };

static enum unscannable
take_apart(const struct multipart_boundary *b, struct slice body, size_t step, struct out *o)
{
	struct multipart *m = multipart_new(b, &sink, o);
	enum unscannable fault;

	while (body.len > 0) {
		multipart_push(m, slice_head(body, step));
		if (multipart_pending(m) > BOUNDARY_MAX + 4)
			abort();
		body = slice_skip(body, step);
	}
	multipart_end(m);
	fault = multipart_fault(m);
	if (o->open)
		abort();
	multipart_free(m);
	return fault;
}

static void
compare(const struct multipart_boundary *b, struct slice body, size_t step)
{
	struct out whole = { .open = false }, pieces = { .open = false };

	buf_init(&whole.text, TEXT_MAX);
	buf_init(&pieces.text, TEXT_MAX);
	if (take_apart(b, body, body.len, &whole) != take_apart(b, body, step, &pieces) ||
	    !slice_eq(buf_slice(&whole.text), buf_slice(&pieces.text)))
		abort();
	buf_fini(&whole.text);
	buf_fini(&pieces.text);
}

static bool
found(void *arg, const struct finding *f)
{
	unsigned *n = arg;

	if (f->kind == FINDING_MEMBER && (f->depth == 0 || f->name.len > FINDING_NAME_MAX))
		abort();
	return ++*n < 1000;
}

static bool
may_be_listed(void *arg, uint64_t size)
{
	(void)arg;
	return size % 2 == 0;
}

static void
inspect(const struct multipart_boundary *b, struct slice body, size_t step)
{
	struct inspect_wish wish = { .member_algs = DIGEST_BIT(DIGEST_MD5), .member_until = UINT64_MAX,
		.boundary = *b, .may_be_listed = may_be_listed, .part_types = -1,
		.limits = { .bytes = 1 << 20, .ratio = 1000, .members = 100, .depth = 3, .time_ms = 1000 } };
	struct inspect_means means = { .helper = "/nonexistent", .spool_dir = "/nonexistent" };
	unsigned n = 0;
	struct inspector *i = inspector_new(&wish, &means, found, &n);
	uint64_t judged = 0, seen = 0;

	while (body.len > 0 && !inspector_stopped(i)) {
		struct slice piece = slice_head(body, step);

		inspector_update(i, piece, true);
		seen += piece.len;
		if (inspector_judged(i) < judged || inspector_judged(i) > seen)
			abort();
		judged = inspector_judged(i);
		body = slice_skip(body, step);
	}
	inspector_end(i);
	inspector_free(i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size), type, number;
	struct multipart_boundary b;
	uint64_t step;

	slice_cut(text, '\n', &type, &text);
	slice_cut(text, '\n', &number, &text);
	b = multipart_boundary(type);
	if (b.len > BOUNDARY_MAX || (b.len > 0 && b.fault != UNSCANNABLE_NO))
		abort();
	if (b.len == 0 || slice_u64(number, &step) == -1 || step == 0 || step > STEP_MAX)
		return 0;
	compare(&b, text, (size_t)step);
	inspect(&b, text, (size_t)step);
	return 0;
}
