#include "inspect/inspector.h"

#include <stdlib.h>

#include "inspect/digester.h"
#include "inspect/file_type.h"
#include "inspect/parts.h"
#include "inspect/watch.h"

struct inspector {
	struct inspect_wish	 wish;
	struct inspect_means	 means;
	finding_fn		*found;
	void			*arg;

	uint64_t		 seen;		/* bytes as sent */
	uint64_t		 judged;
	struct digester		*sent;		/* NULL once not wanted */
	struct digest		 sent_digests[DIGEST_ALGS];
	size_t			 n_sent;

	struct decoder		*decoder;
	uint64_t		 out;		/* bytes decoded */
	uint64_t		 before_out;	/* bytes as sent before the push that had the last of them */
	struct digester		*decoded;
	bool			 suspects, suspects_sent;

	char			*start;		/* of what members may be in, while it is not clear whether it is an archive */
	size_t			 start_len;
	bool			 typed, started;	/* it was looked at for its type; it is not kept any more */
	struct watch		 watch;
	enum member_mode	 members;	/* as wished */
	struct archive		*archive;
	bool			 may_end;	/* a coded stream ended behind what came out last */
	uint64_t		 looked_at;	/* bytes_out() when what there was of an archive was looked at as if it had ended */
	uint64_t		 unfed;		/* bytes as sent since the helper last caught up */
	struct parts		*parts;		/* when there is a boundary */
	uint64_t		 mark_seen, mark_out;	/* see found_in_parts() */

	bool			 stopped;
	uint64_t		 hashed;
	int64_t			 waited_ns;	/* for the helper of an archive that was begun anew */
	enum unscannable	 unscannable;
};

static void
note_unscannable(struct inspector *i, enum unscannable u)
{
	if (i->unscannable == UNSCANNABLE_NO)
		i->unscannable = u;
}

/* ---- decoded bytes ---- */

/* The SIZE bytes that D has hashed so far, as a finding, when their size may be listed.  One that is to be stopped for stops, or
 * when it is tentative is suspected. */
static void
find_so_far(struct inspector *i, enum finding_kind kind, const struct digester *d, uint64_t size, bool tentative, bool *suspects)
{
	struct finding f = { .kind = kind, .tentative = tentative, .size = size };

	if (d == NULL || i->stopped || !i->wish.may_be_listed(i->arg, size))
		return;
	f.n = digester_peek(d, f.digests);
	if (i->found(i->arg, &f))
		return;
	if (tentative)
		*suspects = true;
	else
		i->stopped = true;
}

static void
find_decoded(struct inspector *i, bool tentative)
{
	find_so_far(i, FINDING_DECODED, i->decoded, i->out, tentative, &i->suspects);
}

static void
find_sent_so_far(struct inspector *i, bool tentative)
{
	find_so_far(i, FINDING_SENT, i->sent, i->seen, tentative, &i->suspects_sent);
}

static bool
find_member(void *arg, const struct finding *f)
{
	struct inspector *i = arg;
	bool go_on;

	if (i->stopped)
		return false;
	go_on = i->found(i->arg, f);
	/* One of a part may be tentative. */
	i->stopped = !go_on && !f->tentative;
	return go_on;
}

static bool
member_may_be_listed(void *arg, uint64_t size)
{
	const struct inspector *i = arg;

	return i->wish.may_be_listed(i->arg, size);
}

static int
begin_parts(struct inspector *i)
{
	struct inspect_wish wish = i->wish;

	if (wish.boundary.len == 0)
		return 0;
	wish.may_be_listed = member_may_be_listed;
	wish.sent_is_decoded = wish.sent_is_decoded || wish.codings.n > 0;
	i->parts = parts_new(&wish, &i->means, find_member, i);
	return i->parts == NULL ? -1 : 0;
}

static void
begin_archive(struct inspector *i)
{
	const struct archive_wish wish = { .helper = i->means.helper, .spool_dir = i->means.spool_dir,
		.algs = i->wish.member_algs, .until = i->wish.member_until, .limits = i->wish.limits };

	if ((i->archive = archive_new(&wish, find_member, i, NULL)) == NULL)
		note_unscannable(i, UNSCANNABLE_HELPER);
	i->wish.members = i->archive == NULL ? MEMBERS_NO : MEMBERS_ALL;
}

/* ---- is it an archive? ---- */

/* An ISO 9660 image shows there (ECMA-119 8.1); what is before it may be anything, such as a boot loader. */
enum { ISO_AT = 32769, ISO_LEN = 5, START_MAX = ISO_AT + ISO_LEN };

static void
drop_start(struct inspector *i)
{
	free(i->start);
	i->start = NULL;
	i->started = true;
}

/* How many of BYTES were kept behind the start. */
static size_t
keep_start(struct inspector *i, struct slice bytes)
{
	struct slice kept = slice_head(bytes, i->started ? 0 : START_MAX - i->start_len);

	if (kept.len == 0)
		return 0;
	if (i->start == NULL && (i->start = malloc(START_MAX)) == NULL) {
		note_unscannable(i, UNSCANNABLE_HELPER);
		i->wish.members = MEMBERS_NO;
		i->started = true;
		return 0;
	}
	memcpy(i->start + i->start_len, kept.p, kept.len);
	i->start_len += kept.len;
	return kept.len;
}

/* It is, from its very beginning: the start, and REST behind it. */
static void
open_start(struct inspector *i, struct slice rest)
{
	begin_archive(i);
	if (i->archive != NULL) {
		archive_put(i->archive, slice_make(i->start, i->start_len));
		archive_put(i->archive, rest);
	}
	drop_start(i);
}

/* NEXT is the end of what has come, or all of it, and REST the end of that which the start does not have. */
static void
watch(struct inspector *i, struct slice next, struct slice rest)
{
	struct slice kept, from;

	if (watch_push(&i->watch, next, &kept, &from)) {
		if (!i->started) {
			open_start(i, rest);
			return;
		}
		begin_archive(i);
		if (i->archive != NULL) {
			/* A byte in front, so that it is found there as something within the body, not as what the body is. */
			archive_put(i->archive, SLICE("\0"));
			archive_put(i->archive, kept);
			archive_put(i->archive, from);
		}
	} else if (!i->started && i->start_len == START_MAX) {
		if (memcmp(i->start + ISO_AT, "CD001", ISO_LEN) == 0)
			open_start(i, rest);
		else
			drop_start(i);
	}
}

/* The type shows in the first bytes, or in all there are: whoever asked may have seen none of them. */
static void
type_start(struct inspector *i, bool whole, struct slice rest)
{
	struct slice start = slice_make(i->start, i->start_len);

	i->typed = true;
	if (file_type_of(start, whole) == TYPE_ARCHIVE)
		open_start(i, rest);
	else
		watch(i, start, rest);
}

/* The next bytes that a member may be in. */
static void
show_members(struct inspector *i, struct slice bytes)
{
	struct slice rest;

	if (i->archive == NULL && i->wish.members == MEMBERS_ALL)
		begin_archive(i);
	if (i->archive != NULL) {
		archive_put(i->archive, bytes);
		return;
	}
	rest = slice_skip(bytes, keep_start(i, bytes));
	if (i->typed)
		watch(i, bytes, rest);
	else if (i->start_len >= TYPE_BYTES)
		type_start(i, false, rest);
}

/* There may be no more. */
static void
end_start(struct inspector *i)
{
	if (!i->typed && i->start_len > 0)
		type_start(i, true, (struct slice){ 0 });
}

static bool
awaits_parts(const struct inspector *i)
{
	return i->parts != NULL && !parts_done(i->parts);
}

static void
show_parts(struct inspector *i, struct slice bytes)
{
	if (i->parts == NULL)
		return;
	parts_put(i->parts, bytes);
	note_unscannable(i, parts_unscannable(i->parts));
}

/* The bytes that a member may be in: of the body, or decoded. */
static void
look_for_members(struct inspector *i, struct slice bytes)
{
	show_parts(i, bytes);
	if (i->wish.members != MEMBERS_NO && !i->stopped)
		show_members(i, bytes);
}

/* What came out so far was wrong: as if nothing had. */
static bool
restart(struct inspector *i)
{
	if (i->archive != NULL)
		i->waited_ns += archive_waited_ns(i->archive);
	archive_close(i->archive);
	i->archive = NULL;
	i->wish.members = i->members;
	i->watch = (struct watch){ 0 };
	drop_start(i);
	i->start_len = 0;
	i->started = i->typed = i->suspects = i->may_end = false;
	i->looked_at = 0;
	i->out = 0;
	i->unscannable = i->wish.boundary.fault;
	parts_free(i->parts);
	i->parts = NULL;
	i->mark_seen = i->judged;
	i->mark_out = 0;
	digester_free(i->decoded);
	i->decoded = NULL;
	if (begin_parts(i) == 0 && (i->wish.decoded_algs == 0 || (i->decoded = digester_new(i->wish.decoded_algs)) != NULL))
		return true;
	note_unscannable(i, UNSCANNABLE_HELPER);	/* without memory */
	return false;
}

/* Bytes that members may be in, so far. */
static uint64_t
bytes_out(const struct inspector *i)
{
	return i->decoder == NULL ? i->seen : i->out;
}

/* The part that is open as if the body had ended here.  What may be of it or of a boundary is not known: servers that take this for
 * all read it differently from those that go on. */
static void
look_now_at_part(struct inspector *i)
{
	parts_give_in(i->parts);
	note_unscannable(i, parts_unscannable(i->parts));
	if (i->decoder != NULL && !i->stopped && parts_open(i->parts) > 0)
		note_unscannable(i, UNSCANNABLE_DAMAGED);
}

/* Behind codings an archive, or a part, may be whole for a client although something follows: look at it as if it had ended
 * here. */
static void
look_now(struct inspector *i)
{
	if (i->parts != NULL && !i->stopped)
		look_now_at_part(i);
	if (!i->stopped)
		end_start(i);
	if (i->archive != NULL && !i->stopped)
		archive_look_now(i->archive);
	if (i->archive != NULL)
		note_unscannable(i, archive_unscannable(i->archive));
	i->looked_at = bytes_out(i);
}

static void
take_bytes(struct inspector *i, struct slice bytes)
{
	if (i->may_end && i->looked_at < i->out)
		look_now(i);
	i->may_end = false;
	if (i->stopped)
		return;
	i->out += bytes.len;
	i->suspects = false;
	if (i->decoded != NULL && i->out > i->wish.decoded_until) {
		digester_free(i->decoded);
		i->decoded = NULL;
	}
	if (i->decoded != NULL) {
		digester_update(i->decoded, bytes);
		i->hashed += bytes.len;
	}
	look_for_members(i, bytes);
}

static bool
take_decoded(void *arg, struct slice bytes, enum decoded what)
{
	struct inspector *i = arg;

	if (what == DECODED_RESTART)
		return !i->stopped && restart(i);
	if (bytes.len > 0)
		take_bytes(i, bytes);
	i->may_end = i->may_end || what == DECODED_FIRST;
	if (what != DECODED_MORE)
		find_decoded(i, false);
	return !i->stopped && (i->decoded != NULL || i->wish.members != MEMBERS_NO || awaits_parts(i));
}

/* ---- in and out ---- */

static bool
wants_decoding(const struct inspect_wish *wish)
{
	return wish->codings.n > 0 && wish->codings.fault == UNSCANNABLE_NO &&
	    (wish->decoded_algs != 0 || wish->members != MEMBERS_NO || wish->boundary.len > 0);
}

static int
begin(struct inspector *i)
{
	if (i->wish.sent_algs != 0 && (i->sent = digester_new(i->wish.sent_algs)) == NULL)
		return -1;
	if (begin_parts(i) == -1)
		return -1;
	note_unscannable(i, i->wish.codings.fault);
	note_unscannable(i, i->wish.boundary.fault);
	if (!wants_decoding(&i->wish))
		return 0;
	if (i->wish.decoded_algs != 0 && (i->decoded = digester_new(i->wish.decoded_algs)) == NULL)
		return -1;
	i->decoder = decoder_new(&i->wish.codings, &i->wish.limits, take_decoded, i);
	return i->decoder == NULL ? -1 : 0;
}

struct inspector *
inspector_new(const struct inspect_wish *wish, const struct inspect_means *means, finding_fn *found, void *arg)
{
	struct inspector *i = malloc(sizeof(*i));

	if (i == NULL)
		return NULL;
	*i = (struct inspector){ .wish = *wish, .means = *means, .found = found, .arg = arg, .members = wish->members };
	if (begin(i) == 0)
		return i;
	inspector_free(i);
	return NULL;
}

void
inspector_free(struct inspector *i)
{
	if (i == NULL)
		return;
	digester_free(i->sent);
	digester_free(i->decoded);
	decoder_free(i->decoder);
	archive_close(i->archive);
	parts_free(i->parts);
	free(i->start);
	free(i);
}

static void
hash_sent(struct inspector *i, struct slice bytes)
{
	if (i->sent == NULL)
		return;
	if (i->seen > i->wish.sent_until) {
		digester_free(i->sent);
		i->sent = NULL;
		return;
	}
	digester_update(i->sent, bytes);
	i->hashed += bytes.len;
}

/* Behind codings, its own or those of the body that it is a part of, an archive may be whole, and only padding follows: it is not
 * known yet. */
static bool
awaits_output(const struct inspector *i)
{
	bool open = i->archive != NULL ? !archive_done(i->archive) : !i->typed && i->start_len > 0;

	return (i->decoder != NULL || i->wish.sent_is_decoded) && open && i->looked_at < bytes_out(i);
}

/* The same of the part that is open: behind codings nobody knows which bytes as sent are its. */
static bool
part_awaits_output(const struct inspector *i)
{
	if (i->parts == NULL)
		return false;
	return i->decoder == NULL ? parts_hesitate(i->parts) : parts_open(i->parts) > 0 && parts_waiting(i->parts) == 0;
}

static void
let_helper_see(struct inspector *i)
{
	if (i->unfed > 0 && !i->stopped) {
		archive_step(i->archive);
		note_unscannable(i, archive_unscannable(i->archive));
		i->unfed = 0;
	}
	if (i->parts != NULL && !i->stopped) {
		parts_catch_up(i->parts);
		note_unscannable(i, parts_unscannable(i->parts));
	}
}

/* What follows the end of a coding, or what only said that it is coded: some clients keep the body as it was sent, and an archive
 * is found by its end.  So it is looked at as if it had come out, too. */
static void
take_rest(struct inspector *i, struct slice rest)
{
	if (i->may_end && i->looked_at < i->out)
		look_now(i);
	i->may_end = false;
	if (!i->stopped)
		look_for_members(i, rest);
}

static void
decode(struct inspector *i, struct slice bytes)
{
	struct slice rest;
	uint64_t out = i->out;

	if (i->judged >= i->mark_seen || i->mark_out == out) {
		i->mark_seen = i->seen - bytes.len;
		i->mark_out = out;
	}
	rest = decoder_push(i->decoder, bytes);
	note_unscannable(i, decoder_fault(i->decoder));
	if (rest.len > 0)
		take_rest(i, rest);
	if (i->out == out && rest.len == 0)
		return;
	i->before_out = i->seen - bytes.len;
	if (i->out > out)
		find_decoded(i, true);
}

/* How far, in bytes as sent, all was found that may be in parts.  Behind codings nobody knows which bytes are those of an open
 * part: a mark is set in front of a push, and reached once all that had come out by then was found. */
static uint64_t
found_in_parts(const struct inspector *i)
{
	uint64_t open = i->parts == NULL ? 0 : parts_open(i->parts);

	if (open == 0)
		return i->seen;
	if (i->decoder == NULL)
		return i->seen - open;
	return i->out - open >= i->mark_out ? i->mark_seen : i->judged;
}

/* Everything was looked up, as far as it can be. */
static void
move_judged(struct inspector *i)
{
	uint64_t to = awaits_output(i) ? i->before_out : i->seen, in_parts = found_in_parts(i);

	if (in_parts < to)
		to = in_parts;
	if (i->unfed == 0 && !i->suspects && !i->suspects_sent && !i->stopped && to > i->judged)
		i->judged = to;
}

void
inspector_catch_up(struct inspector *i)
{
	let_helper_see(i);
	move_judged(i);
}

void
inspector_update(struct inspector *i, struct slice bytes, bool let_helper)
{
	if (i->stopped || bytes.len == 0)
		return;
	i->seen += bytes.len;
	hash_sent(i, bytes);
	if (i->wish.sent_is_decoded) {
		i->suspects_sent = false;
		find_sent_so_far(i, true);
	}
	if (i->decoder != NULL)
		decode(i, bytes);
	else {
		i->before_out = i->seen - bytes.len;
		look_for_members(i, bytes);
	}
	i->unfed = i->archive == NULL || archive_done(i->archive) ? 0 : i->unfed + bytes.len;
	if (let_helper)
		let_helper_see(i);
	move_judged(i);
}

static void
find_sent(struct inspector *i)
{
	struct finding f = { .kind = FINDING_SENT, .size = i->seen };

	if (i->sent == NULL || i->stopped)
		return;
	f.n = digester_final(i->sent, f.digests);
	memcpy(i->sent_digests, f.digests, sizeof(f.digests));
	i->n_sent = f.n;
	i->stopped = !i->found(i->arg, &f);
}

static void
end_archive(struct inspector *i)
{
	if (!i->stopped)
		end_start(i);
	if (i->archive == NULL || i->stopped)
		return;
	archive_end(i->archive);
	note_unscannable(i, archive_unscannable(i->archive));
	i->unfed = 0;
}

void
inspector_end(struct inspector *i)
{
	find_sent(i);
	if (i->decoder != NULL && !i->stopped)
		find_decoded(i, false);
	end_archive(i);
	if (i->parts != NULL && !i->stopped) {
		parts_end(i->parts);
		note_unscannable(i, parts_unscannable(i->parts));
	}
	if (!i->stopped)
		i->judged = i->seen;
}

bool
inspector_hesitates(const struct inspector *i)
{
	return i->suspects || i->suspects_sent ||
	    ((awaits_output(i) || part_awaits_output(i)) && i->unfed == 0 && i->judged < i->seen);
}

void
inspector_give_in(struct inspector *i)
{
	if (i->suspects_sent)
		find_sent_so_far(i, false);
	if (i->suspects)
		find_decoded(i, false);
	if (!i->stopped && part_awaits_output(i)) {
		i->mark_seen = i->seen;
		i->mark_out = 0;
		look_now(i);
	} else if (!i->stopped && awaits_output(i))
		look_now(i);
	move_judged(i);
}

uint64_t
inspector_judged(const struct inspector *i)
{
	return i->judged;
}

bool
inspector_has_archive(const struct inspector *i)
{
	return i->archive != NULL || (i->parts != NULL && parts_have_archive(i->parts));
}

uint64_t
inspector_waiting(const struct inspector *i)
{
	return i->unfed + (i->parts == NULL ? 0 : parts_waiting(i->parts));
}

bool
inspector_stopped(const struct inspector *i)
{
	return i->stopped;
}

/* Something may still come out of the codings, or there are none. */
static bool
flows(const struct inspector *i)
{
	return i->decoder == NULL ? i->wish.codings.n == 0 : !decoder_done(i->decoder);
}

static bool
awaits_members(const struct inspector *i)
{
	if (i->archive != NULL)
		return !archive_done(i->archive);
	return i->wish.members != MEMBERS_NO;
}

bool
inspector_done(const struct inspector *i)
{
	return i->sent == NULL && !((i->decoded != NULL || awaits_parts(i)) && flows(i)) && !awaits_members(i);
}

enum unscannable
inspector_unscannable(const struct inspector *i)
{
	return i->unscannable;
}

size_t
inspector_sent_digests(const struct inspector *i, const struct digest **digests)
{
	*digests = i->sent_digests;
	return i->n_sent;
}

uint64_t
inspector_hashed(const struct inspector *i)
{
	return i->hashed + (i->parts == NULL ? 0 : parts_hashed(i->parts));
}

uint64_t
inspector_decoded(const struct inspector *i)
{
	return i->out + (i->parts == NULL ? 0 : parts_decoded(i->parts));
}

int64_t
inspector_waited_ns(const struct inspector *i)
{
	return i->waited_ns + (i->archive == NULL ? 0 : archive_waited_ns(i->archive)) +
	    (i->parts == NULL ? 0 : parts_waited_ns(i->parts));
}
