#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "delivery/pull_part.h"

enum { WARN_PART = 4 };		/* of a lifetime: that much is left when one should have been renewed */

static int
add_to_buf(void *arg, const void *bytes, size_t len)
{
	return buf_add(arg, bytes, len);
}

/* The small file NAME into OUT, which holds at most MAX bytes. */
static int
get_text(struct puller *p, const char *name, uint64_t max, struct buf *out)
{
	buf_reset(out);
	if (fetch_get(p->fetch, name, max, add_to_buf, out, p->diag) == -1)
		return out->failed ? pull_refuse(p, name, "%s", strerror(ENOMEM)) : -1;
	return buf_add(out, "", 0);
}

/* ---- the entry ---- */

static int
refuse_key(struct puller *p)
{
	char id[MINISIGN_ID_TEXT], pinned[FOLLOW_KEYS][MINISIGN_ID_TEXT] = { "", "" };

	minisign_id_format(p->signature.id, id);
	for (size_t i = 0; i < p->follow.n_keys; i++)
		minisign_id_format(p->follow.keys[i].id, pinned[i]);
	return pull_refuse(p, SIGNED_ENTRY, "is not signed by a key that is trusted here: it names key %s, and pinned are %s %s", id,
	    pinned[0], pinned[1]);
}

int
pull_read_entry(struct puller *p)
{
	if (get_text(p, SIGNED_ENTRY, MINISIGN_MAX, &p->entry) == -1)
		return -1;
	if (minisign_signature_parse(buf_slice(&p->entry), &p->signature) == -1)
		return pull_refuse(p, SIGNED_ENTRY, "is no signature of minisign");
	p->key = NULL;
	for (size_t i = 0; i < p->follow.n_keys && p->key == NULL; i++)
		if (minisign_verify_comment(&p->follow.keys[i], &p->signature))
			p->key = &p->follow.keys[i];
	if (p->key == NULL)
		return refuse_key(p);
	if (signed_comment_parse(p->signature.trusted, &p->report->head) == -1)
		return pull_refuse(p, SIGNED_ENTRY, "is a good signature, but not of a generation of ours");
	return 0;
}

/* ---- whether it may be taken up ---- */

static int
check_end(struct puller *p)
{
	char end[CLOCK_TEXT], now[CLOCK_TEXT];

	clock_format_s(p->offer.head.expires, end);
	clock_format_s(p->options->now, now);
	if (p->offer.head.expires <= p->options->now)
		return pull_refuse(p, SIGNED_ENTRY, "generation %" PRIu64 " expired at %s (it is %s here): the origin is not renewed, or "
		    "somebody keeps us on an old one", p->offer.head.generation, end, now);
	if (p->offer.created > p->options->now + PULL_AHEAD_S || p->offer.head.expires <= p->offer.created) {
		clock_format_s(p->offer.created, end);
		return pull_refuse(p, SIGNED_ENTRY, "generation %" PRIu64 " is of %s, and it is %s here: one of the clocks is wrong",
		    p->offer.head.generation, end, now);
	}
	if ((p->offer.head.expires - p->options->now) < (p->offer.head.expires - p->offer.created) / WARN_PART)
		diag_add(p->diag, DIAG_WARNING, p->follow.url, 0, 0, "generation %" PRIu64 " expires at %s, and has not been renewed",
		    p->offer.head.generation, end);
	return 0;
}

static int
check_epoch(struct puller *p)
{
	const struct signed_head *head = &p->offer.head;

	if (head->epoch < p->follow.epoch)
		return pull_refuse(p, SIGNED_ENTRY, "a rollback: epoch %" PRIu64 " is offered, and we are in %" PRIu64, head->epoch,
		    p->follow.epoch);
	if (head->epoch - p->follow.epoch > PULL_EPOCH_JUMP)
		return pull_refuse(p, SIGNED_ENTRY, "epoch %" PRIu64 " is too far ahead of %" PRIu64 ": at most %d at once", head->epoch,
		    p->follow.epoch, PULL_EPOCH_JUMP);
	return 0;
}

/* Against the floor; the first offer of all is taken as it is. */
static int
check_number(struct puller *p)
{
	const struct signed_head *head = &p->offer.head;
	uint64_t floor = p->follow.generation;

	if (p->follow.epoch == 0 || head->generation == p->options->allow_rollback)
		return 0;
	if (check_epoch(p) == -1)
		return -1;
	if (head->epoch > p->follow.epoch)
		return 0;
	if (head->generation < floor)
		return pull_refuse(p, SIGNED_ENTRY, "a rollback: generation %" PRIu64 " is offered, and %" PRIu64 " was here; "
		    "\"--allow-rollback %" PRIu64 "\" if that is meant", head->generation, floor, head->generation);
	if (head->generation - floor > PULL_GENERATION_JUMP)
		return pull_refuse(p, SIGNED_ENTRY, "generation %" PRIu64 " is too far ahead of %" PRIu64 ": at most %d at once; an origin "
		    "that lost count goes on in another epoch", head->generation, floor, PULL_GENERATION_JUMP);
	if (head->generation == floor && memcmp(p->sha256, p->follow.sha256, sizeof(p->sha256)) != 0)
		return pull_refuse(p, SIGNED_ENTRY, "another generation %" PRIu64 " than the one that was here is signed: two origins "
		    "have one key", head->generation);
	return 0;
}

int
pull_read_offer(struct puller *p)
{
	char name[MANIFEST_NAME], url[PULL_URL];
	struct buf text;
	int r = -1;

	buf_init(&text, SIGNED_MAX);
	signed_name(p->report->head.generation, name);
	pull_url(p, name, url);
	if (get_text(p, name, SIGNED_MAX, &text) == 0) {
		if (!minisign_verify(p->key, &p->signature, buf_slice(&text)))
			pull_refuse(p, name, "is not what was signed");
		else if (EVP_Digest(text.p, text.len, p->sha256, NULL, EVP_sha256(), NULL) == 1)
			r = signed_parse(url, buf_slice(&text), &p->report->head, &p->offer, p->diag);
	}
	buf_fini(&text);
	return r == 0 && check_number(p) == 0 && check_end(p) == 0 ? 0 : -1;
}

/* ---- its MANIFEST ---- */

/* Segments that the keeper of the folder (ruleset/keep.c) knows as such, and may remove. */
static bool
are_segments(const struct signed_text *t)
{
	for (size_t i = 1; i < t->n; i++)
		if (!slice_ends(slice_str(t->files[i].name), SLICE(".seg")) || strchr(t->files[i].name, '-') == NULL)
			return false;
	return true;
}

int
pull_read_manifest(struct puller *p, struct manifest *out)
{
	const struct signed_file *f = &p->offer.files[0];
	uint8_t sum[SEGMENT_SHA256];
	char url[PULL_URL];

	*out = (struct manifest){ 0 };
	if (f->len > MANIFEST_MAX)
		return pull_refuse(p, f->name, "is longer than a MANIFEST can be");
	if (get_text(p, f->name, f->len, &p->manifest) == -1)
		return -1;
	if (p->manifest.len != f->len)
		return pull_refuse(p, f->name, "is cut short: %zu of %" PRIu64 " bytes", p->manifest.len, f->len);
	if (EVP_Digest(p->manifest.p, p->manifest.len, sum, NULL, EVP_sha256(), NULL) != 1 || memcmp(sum, f->sha256, sizeof(sum)) != 0)
		return pull_refuse(p, f->name, "is not what was signed: its SHA-256 is another");
	pull_url(p, f->name, url);
	if (manifest_parse(url, buf_slice(&p->manifest), out, p->diag) == -1)
		return -1;
	if (!signed_covers(&p->offer, out, buf_slice(&p->manifest)) || !are_segments(&p->offer))
		return pull_refuse(p, f->name, "names other files than those that were signed");
	return 0;
}
