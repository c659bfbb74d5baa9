#include "inspect/inspector.h"

#include <stdlib.h>

#include "inspect/digester.h"
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
	struct digester		*decoded;
	bool			 suspects, suspects_sent;

	struct watch		 watch;
	struct archive		*archive;
	struct parts		*parts;		/* when there is a boundary */
	bool			 let_helper;	/* in this update */
	uint64_t		 mark_seen, mark_out;	/* see settle() */
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
	bool go_on = i->found(i->arg, f);

	/* One of a part may be tentative. */
	i->stopped = i->stopped || (!go_on && !f->tentative);
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

static bool
awaits_parts(const struct inspector *i)
{
	return i->parts != NULL && !parts_done(i->parts);
}

/* The bytes that a member may be in: of the body, or decoded. */
static void
look_for_members(struct inspector *i, struct slice bytes)
{
	struct slice kept;

	if (i->parts != NULL) {
		parts_put(i->parts, bytes, i->let_helper);
		note_unscannable(i, parts_unscannable(i->parts));
	}
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

static bool
take_decoded(void *arg, struct slice bytes, bool ends)
{
	struct inspector *i = arg;

	if (bytes.len > 0) {
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
	if (ends)
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
	if (i->wish.boundary.len > 0 && begin_parts(i) == -1)
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
	*i = (struct inspector){ .wish = *wish, .means = *means, .found = found, .arg = arg };
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
	archive_free(i->archive);
	parts_free(i->parts);
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

static void
catch_up(struct inspector *i)
{
	if (i->archive == NULL || i->stopped)
		return;
	archive_step(i->archive);
	note_unscannable(i, archive_unscannable(i->archive));
	i->unfed = 0;
}

/* How far everything was found.  Behind codings nobody knows which bytes as sent are those of an open part: a mark is set behind an
 * update, and reached once all that had come out by then was found. */
static void
settle(struct inspector *i)
{
	uint64_t open = i->parts == NULL ? 0 : parts_open(i->parts);
	bool is_coded = i->wish.codings.n > 0;

	if (i->unfed > 0 || i->suspects || i->suspects_sent || i->stopped || (is_coded && open > 0 && i->out - open < i->mark_out))
		return;
	i->judged = !is_coded ? i->seen - open : open == 0 ? i->seen : i->mark_seen;
	i->mark_seen = i->seen;
	i->mark_out = i->out;
}

void
inspector_update(struct inspector *i, struct slice bytes, bool let_helper)
{
	uint64_t out = i->out;

	if (i->stopped)
		return;
	i->seen += bytes.len;
	i->let_helper = let_helper;
	hash_sent(i, bytes);
	if (i->wish.sent_is_decoded && bytes.len > 0) {
		i->suspects_sent = false;
		find_sent_so_far(i, true);
	}
	if (i->decoder != NULL) {
		decoder_push(i->decoder, bytes);
		note_unscannable(i, decoder_fault(i->decoder));
		if (i->out > out)
			find_decoded(i, true);
	} else if (i->wish.codings.n == 0)
		look_for_members(i, bytes);
	i->unfed = i->archive == NULL || archive_done(i->archive) ? 0 : i->unfed + bytes.len;
	if (i->unfed > 0 && let_helper)
		catch_up(i);
	settle(i);
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

void
inspector_end(struct inspector *i)
{
	find_sent(i);
	if (i->decoder != NULL && !i->stopped)
		find_decoded(i, false);
	if (i->archive != NULL && !i->stopped) {
		archive_end(i->archive);
		note_unscannable(i, archive_unscannable(i->archive));
	}
	if (i->parts != NULL && !i->stopped) {
		parts_end(i->parts);
		note_unscannable(i, parts_unscannable(i->parts));
	}
	if (!i->stopped)
		i->judged = i->seen;
}

void
inspector_give_in(struct inspector *i)
{
	if (i->suspects_sent)
		find_sent_so_far(i, false);
	find_decoded(i, false);
	if (i->parts != NULL && !i->stopped)
		parts_give_in(i->parts);
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
inspector_suspects(const struct inspector *i)
{
	return i->suspects || i->suspects_sent || (i->parts != NULL && parts_suspect(i->parts));
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
