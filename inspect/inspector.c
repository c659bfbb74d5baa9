#include "inspect/inspector.h"

#include <stdlib.h>

#include "inspect/digester.h"
#include "inspect/file_type.h"
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
	bool			 suspects;

	char			 start[TYPE_BYTES];	/* of what members may be in, while its type is not clear */
	size_t			 start_len;
	bool			 typed;
	struct watch		 watch;
	enum member_mode	 members;	/* as wished */
	struct archive		*archive;
	bool			 may_end;	/* a coded stream ended behind what came out last */
	uint64_t		 looked_at;	/* OUT when what there was of an archive was looked at as if it had ended */
	uint64_t		 unfed;		/* bytes as sent since the helper last caught up */

	bool			 stopped;
	uint64_t		 hashed;
	enum unscannable	 unscannable;
};

static void
note_unscannable(struct inspector *i, enum unscannable u)
{
	if (i->unscannable == UNSCANNABLE_NO)
		i->unscannable = u;
}

/* ---- decoded bytes ---- */

/* What came out so far, as a finding; one that is tentative only when its size may be listed. */
static void
find_decoded(struct inspector *i, bool tentative)
{
	struct finding f = { .kind = FINDING_DECODED, .tentative = tentative, .size = i->out };

	if (i->decoded == NULL || i->stopped || !i->wish.may_be_listed(i->arg, i->out))
		return;
	f.n = digester_peek(i->decoded, f.digests);
	if (i->found(i->arg, &f))
		return;
	if (tentative)
		i->suspects = true;
	else
		i->stopped = true;
}

static bool
find_member(void *arg, const struct finding *f)
{
	struct inspector *i = arg;

	i->stopped = i->stopped || !i->found(i->arg, f);
	return !i->stopped;
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

/* The next bytes that a member may be in. */
static void
show_members(struct inspector *i, struct slice bytes)
{
	struct slice kept;

	if (i->wish.members == MEMBERS_WATCH) {
		if (!watch_push(&i->watch, bytes, &kept, &bytes))
			return;
		begin_archive(i);
		if (i->archive != NULL)
			archive_put(i->archive, kept);
	} else if (i->wish.members == MEMBERS_ALL && i->archive == NULL)
		begin_archive(i);
	if (i->archive != NULL)
		archive_put(i->archive, bytes);
}

/* As many bytes have come as the type needs, or as there are: whoever asked may have seen none of them. */
static void
end_start(struct inspector *i, bool whole)
{
	struct slice start = slice_make(i->start, i->start_len);

	i->typed = true;
	if (i->wish.members == MEMBERS_WATCH && file_type_of(start, whole) == TYPE_ARCHIVE)
		i->wish.members = MEMBERS_ALL;
	show_members(i, start);
}

/* The bytes that a member may be in: of the body, or decoded. */
static void
look_for_members(struct inspector *i, struct slice bytes)
{
	struct slice first = slice_head(bytes, sizeof(i->start) - i->start_len);

	if (i->wish.members == MEMBERS_NO)
		return;
	if (!i->typed) {
		memcpy(i->start + i->start_len, first.p, first.len);
		i->start_len += first.len;
		bytes = slice_skip(bytes, first.len);
		if (i->start_len < sizeof(i->start))
			return;
		end_start(i, false);
	}
	if (bytes.len > 0)
		show_members(i, bytes);
}

/* What came out so far was wrong: as if nothing had. */
static bool
restart(struct inspector *i)
{
	archive_close(i->archive);
	i->archive = NULL;
	i->wish.members = i->members;
	i->watch = (struct watch){ 0 };
	i->start_len = 0;
	i->typed = i->suspects = i->may_end = false;
	i->looked_at = 0;
	i->out = 0;
	i->unscannable = UNSCANNABLE_NO;
	digester_free(i->decoded);
	i->decoded = NULL;
	return i->wish.decoded_algs == 0 || (i->decoded = digester_new(i->wish.decoded_algs)) != NULL;
}

/* Behind codings an archive may be whole for a client although something follows: look at it as if it had ended here. */
static void
look_now(struct inspector *i)
{
	if (!i->typed && i->start_len > 0)
		end_start(i, true);
	if (i->archive != NULL && !i->stopped)
		archive_look_now(i->archive);
	if (i->archive != NULL)
		note_unscannable(i, archive_unscannable(i->archive));
	i->looked_at = i->out;
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
	return !i->stopped && (i->decoded != NULL || i->wish.members != MEMBERS_NO);
}

/* ---- in and out ---- */

static bool
wants_decoding(const struct inspect_wish *wish)
{
	return wish->codings.n > 0 && wish->codings.fault == UNSCANNABLE_NO &&
	    (wish->decoded_algs != 0 || wish->members != MEMBERS_NO);
}

static int
begin(struct inspector *i)
{
	if (i->wish.sent_algs != 0 && (i->sent = digester_new(i->wish.sent_algs)) == NULL)
		return -1;
	if (i->wish.codings.fault != UNSCANNABLE_NO)
		note_unscannable(i, i->wish.codings.fault);
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

/* Behind codings an archive may be whole, and only padding follows: it is not known yet. */
static bool
awaits_output(const struct inspector *i)
{
	bool open = i->archive != NULL ? !archive_done(i->archive) : !i->typed && i->start_len > 0;

	return i->decoder != NULL && open && i->looked_at < i->out;
}

static void
catch_up(struct inspector *i)
{
	if (i->archive == NULL || i->stopped)
		return;
	archive_step(i->archive);
	note_unscannable(i, archive_unscannable(i->archive));
	i->unfed = 0;
}

static void
decode(struct inspector *i, struct slice bytes)
{
	uint64_t out = i->out;

	decoder_push(i->decoder, bytes);
	note_unscannable(i, decoder_fault(i->decoder));
	if (i->out == out)
		return;
	i->before_out = i->seen - bytes.len;
	find_decoded(i, true);
}

/* Everything was looked up, as far as it can be. */
static void
move_judged(struct inspector *i)
{
	uint64_t to = awaits_output(i) ? i->before_out : i->seen;

	if (i->unfed == 0 && !i->suspects && !i->stopped && to > i->judged)
		i->judged = to;
}

void
inspector_update(struct inspector *i, struct slice bytes, bool let_helper)
{
	if (i->stopped || bytes.len == 0)
		return;
	i->seen += bytes.len;
	hash_sent(i, bytes);
	if (i->decoder != NULL)
		decode(i, bytes);
	else if (i->wish.codings.n == 0)
		look_for_members(i, bytes);
	i->unfed = i->archive == NULL || archive_done(i->archive) ? 0 : i->unfed + bytes.len;
	if (i->unfed > 0 && let_helper)
		catch_up(i);
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
	if (!i->typed && i->start_len > 0)
		end_start(i, true);
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
	if (!i->stopped)
		i->judged = i->seen;
}

bool
inspector_hesitates(const struct inspector *i)
{
	return i->suspects || (awaits_output(i) && i->unfed == 0 && i->judged < i->seen);
}

void
inspector_give_in(struct inspector *i)
{
	if (i->suspects)
		find_decoded(i, false);
	if (!i->stopped && awaits_output(i))
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
	return i->archive != NULL;
}

uint64_t
inspector_waiting(const struct inspector *i)
{
	return i->unfed;
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
	return i->wish.members != MEMBERS_NO && flows(i);
}

bool
inspector_done(const struct inspector *i)
{
	return i->sent == NULL && !(i->decoded != NULL && flows(i)) && !awaits_members(i);
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
	return i->hashed;
}

uint64_t
inspector_decoded(const struct inspector *i)
{
	return i->out;
}
