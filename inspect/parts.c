#include "inspect/parts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "inspect/file_type.h"

enum { MS_NS = 1000000 };

struct parts {
	struct inspect_wish	 wish;		/* of the whole body; its limits are what is left */
	struct inspect_means	 means;
	finding_fn		*found;
	void			*arg;
	struct multipart	*multipart;
	bool			 done;
	enum unscannable	 unscannable;
	uint64_t		 hashed, decoded;	/* of the parts that have ended */
	int64_t			 waited_ns;		/* the same */
	bool			 had_archive;

	/* the part that is open */
	bool			 is_open, claims_file;
	struct codings		 codings;
	struct multipart_boundary boundary;
	struct inspector	*inspector;	/* NULL: not enough has come to know its type */
	uint64_t		 n_put;		/* bytes that it was shown */
	char			 start[TYPE_BYTES];
	size_t			 n_start;
	char			 name[FINDING_NAME_MAX], path[FINDING_NAME_MAX];
	size_t			 n_name;
	char			 disposition[PART_HEAD_MAX];
	size_t			 n_disposition;
};

static void
note_unscannable(struct parts *p, enum unscannable u)
{
	if (p->unscannable == UNSCANNABLE_NO)
		p->unscannable = u;
}

/* Of the file MEMBER in the part: with the part's name in front, of a long one what there is room for; MEMBER has at most
 * FINDING_NAME_MAX bytes. */
static struct slice
path_of(struct parts *p, struct slice member)
{
	size_t n = p->n_name, slash = n > 0 && member.len > 0, room;

	if (member.len > sizeof(p->path) - slash)
		member = slice_skip(member, slash);
	room = sizeof(p->path) - slash - member.len;
	if (n > room)
		n = room;
	memcpy(p->path, p->name, n);
	if (slash > 0)
		p->path[n++] = '/';
	if (member.len > 0)
		memcpy(p->path + n, member.p, member.len);
	return slice_make(p->path, n + member.len);
}

static bool
find_in_part(void *arg, const struct finding *f)
{
	struct parts *p = arg;
	struct finding member = *f;
	bool go_on;

	if (f->kind == FINDING_MEMBER && p->wish.limits.members > 0)
		p->wish.limits.members--;
	member.name = path_of(p, f->kind == FINDING_MEMBER ? f->name : (struct slice){ 0 });
	member.depth = f->kind == FINDING_MEMBER ? f->depth + 1 : 1;
	if (f->kind != FINDING_MEMBER)
		member.disposition = slice_make(p->disposition, p->n_disposition);
	member.kind = FINDING_MEMBER;
	go_on = p->found(p->arg, &member);
	p->done = p->done || (!go_on && !f->tentative);
	return go_on;
}

static bool
may_be_listed(void *arg, uint64_t size)
{
	struct parts *p = arg;

	return p->wish.may_be_listed(p->arg, size);
}

/* ---- the part that is open ---- */

static enum member_mode
member_mode(const struct parts *p, enum file_type type)
{
	if (p->wish.limits.depth == 0 || ((p->wish.part_types >> type & 1) == 0 &&
	    !(p->claims_file && (p->wish.part_types >> TYPE_UNKNOWN & 1) != 0)))
		return MEMBERS_NO;
	return type == TYPE_ARCHIVE ? MEMBERS_ALL : MEMBERS_WATCH;
}

static struct inspect_wish
wish_for(struct parts *p, enum file_type type)
{
	struct inspect_wish wish = p->wish;

	wish.sent_algs = p->wish.member_algs;
	wish.decoded_algs = p->codings.n > 0 ? p->wish.member_algs : 0;
	wish.sent_until = wish.decoded_until = p->wish.member_until;
	wish.codings = p->codings;
	wish.boundary = p->boundary;
	wish.members = member_mode(p, type);
	wish.may_be_listed = may_be_listed;
	/* Parts of parts have a limit as archives of archives have. */
	if (wish.boundary.len > 0 && wish.limits.depth == 0) {
		note_unscannable(p, UNSCANNABLE_DEPTH);
		wish.boundary.len = 0;
	} else if (wish.boundary.len > 0)
		wish.limits.depth--;
	return wish;
}

static int64_t
now_ms(void)
{
	return clock_ns() / MS_NS;
}

/* What the helper took since BEGAN is taken from what it may for the whole body. */
static void
charge(struct parts *p, int64_t began)
{
	uint64_t took = (uint64_t)(now_ms() - began), left = p->wish.limits.time_ms;

	p->had_archive = true;
	p->wish.limits.time_ms = took < left ? left - took : 0;
}

static void
show(struct parts *p, struct slice bytes)
{
	int64_t began = p->wish.part_types != 0 ? now_ms() : 0;

	inspector_update(p->inspector, bytes, false);
	p->n_put += bytes.len;
	if (inspector_has_archive(p->inspector))
		charge(p, began);
}

/* Enough has come to know what it is; WHOLE: all. */
static void
begin_inspector(struct parts *p, bool whole)
{
	char out[TYPE_BYTES];
	struct slice start = slice_make(p->start, p->n_start), decoded = decode_start(&p->codings, start, out, sizeof(out));
	bool is_start = decoded.p == start.p, unknown = is_start && p->codings.n > 0;	/* nothing came out yet */
	struct inspect_wish wish = wish_for(p, unknown ? TYPE_UNKNOWN : file_type_of(decoded, whole && is_start));

	if (wish.limits.time_ms == 0 && wish.members != MEMBERS_NO) {
		note_unscannable(p, UNSCANNABLE_TIME);
		wish.members = MEMBERS_NO;
	}
	if ((p->inspector = inspector_new(&wish, &p->means, find_in_part, p)) == NULL) {
		note_unscannable(p, UNSCANNABLE_HELPER);
		p->done = true;
		return;
	}
	show(p, start);
	p->n_start = 0;
}

static bool
begin_part(void *arg, const struct part_head *head)
{
	struct parts *p = arg;

	if (p->wish.limits.members == 0) {
		note_unscannable(p, UNSCANNABLE_MEMBERS);
		p->done = true;
		return false;
	}
	p->wish.limits.members--;
	p->is_open = true;
	p->claims_file = head->claims_file;
	p->codings = head->codings;
	p->boundary = head->boundary;
	p->n_put = p->n_start = 0;
	p->n_name = slice_head(head->name, sizeof(p->name)).len;
	if (p->n_name > 0)
		memcpy(p->name, head->name.p, p->n_name);
	p->n_disposition = slice_head(head->disposition, sizeof(p->disposition)).len;
	if (p->n_disposition > 0)
		memcpy(p->disposition, head->disposition.p, p->n_disposition);
	return true;
}

static bool
take_bytes(void *arg, struct slice bytes)
{
	struct parts *p = arg;

	if (p->inspector == NULL) {
		struct slice begin = slice_head(bytes, sizeof(p->start) - p->n_start);

		memcpy(p->start + p->n_start, begin.p, begin.len);
		p->n_start += begin.len;
		bytes = slice_skip(bytes, begin.len);
		if (p->n_start == sizeof(p->start))
			begin_inspector(p, false);
	}
	if (p->inspector != NULL && bytes.len > 0)
		show(p, bytes);
	return !p->done;
}

/* Its last word was said: keep what counts for the whole. */
static void
close_part(struct parts *p)
{
	uint64_t decoded = p->inspector == NULL ? 0 : inspector_decoded(p->inspector);

	p->is_open = false;
	if (p->inspector == NULL)
		return;
	note_unscannable(p, inspector_unscannable(p->inspector));
	p->hashed += inspector_hashed(p->inspector);
	p->waited_ns += inspector_waited_ns(p->inspector);
	p->decoded += decoded;
	p->wish.limits.bytes -= decoded < p->wish.limits.bytes ? decoded : p->wish.limits.bytes;
	inspector_free(p->inspector);
	p->inspector = NULL;
}

static bool
end_part(void *arg)
{
	struct parts *p = arg;
	int64_t began = now_ms();

	if (p->inspector == NULL && p->n_start > 0)
		begin_inspector(p, true);
	if (p->inspector != NULL) {
		inspector_end(p->inspector);
		if (inspector_has_archive(p->inspector))
			charge(p, began);
	}
	close_part(p);
	return !p->done;
}

/* ---- the body ---- */

static const struct multipart_sink sink = { .begin = begin_part, .bytes = take_bytes, .end = end_part };

struct parts *
parts_new(const struct inspect_wish *wish, const struct inspect_means *means, finding_fn *found, void *arg)
{
	struct parts *p = malloc(sizeof(*p));

	if (p == NULL)
		return NULL;
	*p = (struct parts){ .wish = *wish, .means = *means, .found = found, .arg = arg };
	if ((p->multipart = multipart_new(&wish->boundary, &sink, p)) != NULL)
		return p;
	free(p);
	return NULL;
}

void
parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	inspector_free(p->inspector);
	multipart_free(p->multipart);
	free(p);
}

void
parts_put(struct parts *p, struct slice bytes)
{
	if (p->done)
		return;
	multipart_push(p->multipart, bytes);
	note_unscannable(p, multipart_fault(p->multipart));
	if (p->inspector != NULL)
		note_unscannable(p, inspector_unscannable(p->inspector));
}

/* What the inspector of the open part does, WHAT, in the time that is left. */
static void
let_inspector(struct parts *p, void (*what)(struct inspector *i))
{
	int64_t began = now_ms();

	what(p->inspector);
	if (inspector_has_archive(p->inspector))
		charge(p, began);
	note_unscannable(p, inspector_unscannable(p->inspector));
}

void
parts_catch_up(struct parts *p)
{
	if (!p->done && p->inspector != NULL && inspector_waiting(p->inspector) > 0)
		let_inspector(p, inspector_catch_up);
}

void
parts_end(struct parts *p)
{
	if (!p->done)
		multipart_end(p->multipart);
	note_unscannable(p, multipart_fault(p->multipart));
}

uint64_t
parts_open(const struct parts *p)
{
	if (p->done || !p->is_open)
		return 0;
	return multipart_pending(p->multipart) + p->n_start + (p->inspector == NULL ? 0 : p->n_put - inspector_judged(p->inspector));
}

uint64_t
parts_waiting(const struct parts *p)
{
	return p->inspector == NULL ? 0 : inspector_waiting(p->inspector);
}

bool
parts_hesitate(const struct parts *p)
{
	return !p->done && p->inspector != NULL && inspector_hesitates(p->inspector);
}

void
parts_give_in(struct parts *p)
{
	if (p->done)
		return;
	if (p->inspector == NULL && p->n_start > 0)
		begin_inspector(p, false);
	if (p->inspector != NULL)
		let_inspector(p, inspector_give_in);
}

bool
parts_done(const struct parts *p)
{
	return p->done;
}

enum unscannable
parts_unscannable(const struct parts *p)
{
	return p->unscannable;
}

uint64_t
parts_hashed(const struct parts *p)
{
	return p->hashed + (p->inspector == NULL ? 0 : inspector_hashed(p->inspector));
}

uint64_t
parts_decoded(const struct parts *p)
{
	return p->decoded + (p->inspector == NULL ? 0 : inspector_decoded(p->inspector));
}

int64_t
parts_waited_ns(const struct parts *p)
{
	return p->waited_ns + (p->inspector == NULL ? 0 : inspector_waited_ns(p->inspector));
}

bool
parts_have_archive(const struct parts *p)
{
	return p->had_archive;
}
