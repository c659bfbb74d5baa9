#include "delivery/pull.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "delivery/pull_part.h"
#include "ruleset/generation.h"
#include "ruleset/keep.h"

enum { MODE_FILE = 0640, TEXT_MAX = 1024 };

void
pull_url(const struct puller *p, const char *name, char out[static PULL_URL])
{
	snprintf(out, PULL_URL, "%s%s%s", p->follow.url, slice_ends(slice_str(p->follow.url), SLICE("/")) ? "" : "/", name);
}

int
pull_refuse(struct puller *p, const char *name, const char *fmt, ...)
{
	char text[TEXT_MAX], file[PULL_URL];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pull_url(p, name, file);
	diag_add(p->diag, DIAG_ERROR, file, 0, 0, "%s", text);
	return -1;
}

int
pull_fail(struct puller *p, const char *path, const char *what)
{
	diag_add(p->diag, DIAG_ERROR, path, 0, 0, "%s", what);
	return -1;
}

/* ---- what is known before ---- */

static void
know(struct puller *p, const char *name)
{
	char path[PULL_PATH];

	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, name);
	if (manifest_load(path, &p->known[p->n_known], NULL) == 0)
		p->n_known++;
	else
		manifest_fini(&p->known[p->n_known]);
}

/* The live MANIFEST, the first when it can be read, and those that are kept. */
static void
know_all(struct puller *p)
{
	char name[MANIFEST_NAME];
	uint64_t *list;
	int n = keep_list(p->rules_dir, &list);

	know(p, "MANIFEST");
	for (int i = 0; i < n && p->n_known < PULL_KNOWN; i++) {
		signed_manifest_name(list[i], name);
		know(p, name);
	}
	free(list);
}

static uint64_t
live_generation(const struct puller *p)
{
	char path[PULL_PATH];
	struct manifest m;
	uint64_t n;

	snprintf(path, sizeof(path), "%s/MANIFEST", p->rules_dir);
	n = manifest_load(path, &m, NULL) == 0 ? m.generation : 0;
	manifest_fini(&m);
	return n;
}

/* How many of the keys that are given are trusted here. */
static size_t
count_pinned(const struct puller *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->options->n_keys; i++)
		for (size_t k = 0; k < p->follow.n_keys; k++)
			n += minisign_public_eq(&p->options->keys[i], &p->follow.keys[k]);
	return n;
}

/* The keys of this pull.  A timer that always names the key of the first day must not undo a rotation: what is trusted is only
 * replaced when that is asked for.  One key that stays makes it the same origin, whose floor stays; else all begins anew. */
static int
settle_keys(struct puller *p)
{
	const struct pull_options *o = p->options;
	size_t pinned = count_pinned(p);

	if (o->n_keys == 0 || (p->follows && pinned == o->n_keys))
		return 0;
	if (p->follows && !o->replace)
		return pull_fail(p, o->state, "other keys are trusted here than the one that is named: with --replace it takes their place");
	if (pinned == 0) {
		struct follow fresh = { .local = p->follow.local };

		memcpy(fresh.url, p->follow.url, sizeof(fresh.url));
		p->follow = fresh;
	}
	memcpy(p->follow.keys, o->keys, sizeof(o->keys));
	p->follow.n_keys = o->n_keys;
	return 0;
}

/* What is asked for now, and else what was the last time. */
static int
settle(struct puller *p)
{
	const struct pull_options *o = p->options;

	if (!p->follows && (o->fetch.url == NULL || o->n_keys == 0))
		return pull_fail(p, o->state, "follows nobody yet: the first pull needs a URL and --key");
	if (!p->follows && !o->replace && p->live != 0)
		return pull_fail(p, o->state, "has rules of its own: with --replace those of the origin take their place");
	if (settle_keys(p) == -1)
		return -1;
	if (o->fetch.url != NULL && snprintf(p->follow.url, sizeof(p->follow.url), "%s", o->fetch.url) >= (int)sizeof(p->follow.url))
		return pull_fail(p, o->state, "the URL is too long");
	for (const char *c = p->follow.url; *c != '\0'; c++)
		if (*c <= ' ' || *c == '\x7f')
			return pull_fail(p, o->state, "the URL has blanks or controls in it");
	return 0;
}

static int
begin(struct puller *p)
{
	const char *state = p->options->state;
	struct fetch_options o = p->options->fetch;

	*p->report = (struct pull_report){ .local = 0 };
	if (state_path(state, STATE_RULES, p->rules_dir) == -1)
		return pull_fail(p, state, strerror(errno));
	if (!p->options->dry_run && (p->lock = state_lock(state)) == -1)
		return pull_fail(p, p->rules_dir, strerror(errno));
	p->live = live_generation(p);
	p->follows = follow_load(state, &p->follow, p->diag) == 0;
	if (!p->follows && errno != ENOENT)
		return -1;
	if (settle(p) == -1)
		return -1;
	o.url = p->follow.url;
	p->fetch = fetch_open(&o, p->diag);
	return p->fetch == NULL ? -1 : 0;
}

static void
end(struct puller *p)
{
	fetch_close(p->fetch);
	for (size_t i = 0; i < p->n_known; i++)
		manifest_fini(&p->known[i]);
	buf_fini(&p->entry);
	buf_fini(&p->manifest);
	if (p->lock != -1)
		close(p->lock);
}

/* ---- taking up ---- */

/* The kept MANIFEST.NUMBER is the one that is offered: who was killed before it was live left it. */
static bool
is_offered(const struct puller *p, const char *name)
{
	char path[PULL_PATH];
	struct buf text;
	bool same;

	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, name);
	buf_init(&text, MANIFEST_MAX);
	same = file_read(path, &text) == 0 && slice_eq(buf_slice(&text), buf_slice(&p->manifest));
	buf_fini(&text);
	return same;
}

/* Its number here: the origin's, when nothing here had one as high. */
static uint64_t
local_number(const struct puller *p)
{
	uint64_t highest = p->live, *list;
	char name[MANIFEST_NAME];
	int n = keep_list(p->rules_dir, &list);

	for (int i = 0; i < n; i++) {
		signed_manifest_name(list[i], name);
		if (list[i] > highest && (list[i] != p->offer.head.generation || !is_offered(p, name)))
			highest = list[i];
	}
	free(list);
	return p->offer.head.generation > highest ? p->offer.head.generation : highest + 1;
}

/* The follower after this: the key that signed is the one that counts, and the one that it names comes next. */
static void
advance(struct puller *p)
{
	struct follow *f = &p->follow;

	if (p->key != &f->keys[0]) {
		f->keys[0] = f->keys[1];
		f->n_keys = 1;
		p->key = &f->keys[0];
		p->report->key_changed = true;
	}
	if (p->offer.has_next && !minisign_public_eq(&p->offer.next, &f->keys[0]) &&
	    (f->n_keys < FOLLOW_KEYS || !minisign_public_eq(&p->offer.next, &f->keys[1]))) {
		f->keys[1] = p->offer.next;
		f->n_keys = FOLLOW_KEYS;
		p->report->key_changed = true;
	}
	f->epoch = p->offer.head.epoch;
	f->generation = p->offer.head.generation;
	f->created = p->offer.created;
	f->expires = p->offer.head.expires;
	f->checked = p->options->now;
	f->failed = 0;
	memcpy(f->sha256, p->sha256, sizeof(f->sha256));
}

static int
remember(struct puller *p)
{
	if (p->options->dry_run || follow_write(p->options->state, &p->follow) == 0)
		return 0;
	return pull_fail(p, p->options->state, strerror(errno));
}

/* M is written as a kept one first, and must open as a whole. */
static struct generation *
write_kept(struct puller *p, const struct manifest *m)
{
	char path[PULL_PATH], name[MANIFEST_NAME];
	struct generation *g = NULL;
	struct buf text;

	signed_manifest_name(m->generation, name);
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, name);
	buf_init(&text, MANIFEST_MAX);
	if (manifest_format(m, &text) == -1 || file_write(path, buf_slice(&text), MODE_FILE) == -1)
		pull_fail(p, path, strerror(errno));
	else if ((g = generation_open_kept(p->rules_dir, m->generation, false, p->diag)) == NULL)
		unlink(path);
	buf_fini(&text);
	return g;
}

/* Make the kept M the live one. */
static int
switch_to(struct puller *p, const struct manifest *m)
{
	char path[PULL_PATH];
	struct buf text;
	int r = 0;

	buf_init(&text, MANIFEST_MAX);
	snprintf(path, sizeof(path), "%s/MANIFEST", p->rules_dir);
	if (manifest_format(m, &text) == -1 || file_write(path, buf_slice(&text), MODE_FILE) == -1) {
		const char *why = strerror(errno);

		/* It is in place when only the flush of its folder failed. */
		r = live_generation(p) == m->generation ? 0 : -1;
		diag_add(p->diag, r == 0 ? DIAG_WARNING : DIAG_ERROR, path, 0, 0, "%s", why);
	}
	buf_fini(&text);
	return r;
}

/* Nobody else writes here while we have the lock: what is half there was left by somebody who was killed. */
static void
clean(struct puller *p, const struct generation *g)
{
	keep_clean(p->rules_dir, (size_t)generation_site(g)->keep_generations);
	file_clean(p->rules_dir);
	file_clean(p->options->state);
}

static int
take_up(struct puller *p)
{
	struct generation *g = NULL;
	struct manifest m;
	int r = -1;

	if (p->n_known == 0)
		know_all(p);
	if (pull_read_manifest(p, &m) == 0) {
		m.generation = p->report->local = local_number(p);
		p->report->fresh = true;
		r = pull_segments(p, &m);
	}
	if (r == 0 && !p->options->dry_run) {
		if (p->live != 0)
			keep_manifest(p->rules_dir, p->live);
		r = -1;
		if ((g = write_kept(p, &m)) != NULL) {
			p->report->rules = generation_rules(g);
			advance(p);
			p->follow.local = m.generation;
			if (remember(p) == 0 && (r = switch_to(p, &m)) == 0)
				clean(p, g);
		}
	}
	generation_close(g);
	manifest_fini(&m);
	return r;
}

/* What is offered is what is live; it is so again that the origin was heard. */
static int
confirm(struct puller *p)
{
	p->report->local = p->follow.local;
	advance(p);
	return remember(p);
}

static int
act(struct puller *p)
{
	if (pull_read_offer(p) == -1)
		return -1;
	p->report->created = p->offer.created;
	if (p->follows && p->follow.local != 0 && p->live > p->follow.local && !p->options->forward)
		return pull_fail(p, p->rules_dir, "was rolled back here: \"firebreak pull --forward\" takes up the origin's again");
	if (p->follow.epoch == p->offer.head.epoch && p->follow.generation == p->offer.head.generation &&
	    p->live == p->follow.local && !p->options->full)
		return confirm(p);
	return take_up(p);
}

/* ---- trying ---- */

/* The origin has published meanwhile: what we met was of two generations, or gone. */
static bool
has_changed(struct puller *p)
{
	struct buf before = p->entry;
	struct diag aside = { 0 }, *diag = p->diag;
	bool changed;

	buf_init(&p->entry, MINISIGN_MAX);
	p->diag = &aside;
	changed = pull_read_entry(p) == 0 && !slice_eq(buf_slice(&before), buf_slice(&p->entry));
	p->diag = diag;
	diag_fini(&aside);
	buf_fini(&before);
	return changed;
}

static int
try(struct puller *p)
{
	struct diag *diag = p->diag, found;
	int r;

	if (pull_read_entry(p) == -1)
		return -1;
	for (int i = 1;; i++) {
		diag_init(&found);
		p->diag = &found;
		r = act(p);
		p->diag = diag;
		if (r == 0 || i == PULL_TRIES || !has_changed(p))
			break;
		diag_fini(&found);
	}
	diag_append(diag, &found);
	return r;
}

/* For "firebreak status"; whoever cannot be told is not held up by it. */
static void
remember_failure(struct puller *p)
{
	struct follow f;
	char text[FOLLOW_WHY];

	if (!p->follows || p->options->dry_run || follow_load(p->options->state, &f, NULL) == -1)
		return;
	for (size_t i = 0; i < p->diag->n; i++)
		if (p->diag->v[i].level == DIAG_ERROR) {
			diag_format(&p->diag->v[i], text, sizeof(text));
			follow_set_failed(&f, p->options->now, slice_str(text));
			follow_write(p->options->state, &f);
			return;
		}
}

int
pull(const struct pull_options *options, struct pull_report *report, struct diag *diag)
{
	struct puller *p = calloc(1, sizeof(*p));
	int r = -1;

	if (p == NULL) {
		diag_error(diag, "out of memory");
		return -1;
	}
	*p = (struct puller){ .options = options, .report = report, .diag = diag, .lock = -1 };
	buf_init(&p->entry, MINISIGN_MAX);
	buf_init(&p->manifest, MANIFEST_MAX);
	if (begin(p) == 0) {
		r = try(p);
		report->bytes_fetched = fetch_bytes(p->fetch);
		if (r == -1)
			remember_failure(p);
	}
	end(p);
	free(p);
	return r;
}

int
pull_leave(const char *state, struct diag *diag)
{
	int lock = state_lock(state), r = -1;

	if (lock == -1)
		diag_add(diag, DIAG_ERROR, state, 0, 0, "%s", strerror(errno));
	else if ((r = follow_remove(state)) == -1)
		diag_add(diag, DIAG_ERROR, state, 0, 0, "%s", errno == ENOENT ? "follows nobody" : strerror(errno));
	if (lock != -1)
		close(lock);
	return r;
}
