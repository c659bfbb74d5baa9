#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/audit.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/overview.h"

enum { FLAG_JSON, FLAG_CLEAR, FLAG_ALL, FLAGS };
enum { AUDIT_MAX = 512 };

/* What a call is about. */
struct wish {
	bool		 json, clear, all;
	struct digest	 digest;	/* when it clears, but not all */
};

/* ---- the list ---- */

static int
newest_first(const void *a, const void *b)
{
	const struct kill *x = a, *y = b;

	if (x->time_ms != y->time_ms)
		return x->time_ms < y->time_ms ? 1 : -1;
	return (x->by > y->by) - (x->by < y->by);
}

static json_t *
json_kill(const struct kill *k)
{
	char date[CLOCK_TEXT], hex[DIGEST_MAX_HEX + 1];
	json_t *j = json_object();

	clock_format_ms(k->time_ms, date);
	json_object_set_new(j, "time", json_string(date));
	json_object_set_new(j, "by", json_string(kill_by_name(k->by)));
	show_json_number(j, "size", k->size);
	if (k->length != KILL_LENGTH_UNKNOWN)
		show_json_number(j, "length", k->length);
	for (size_t i = 0; i <= k->n_more; i++) {
		const struct digest *d = i == 0 ? &k->digest : &k->more[i - 1];

		digest_format(d, hex);
		json_object_set_new(j, digest_alg_name(d->alg), json_string(hex));
	}
	return j;
}

static void
print_kill(const struct kill *k)
{
	char date[CLOCK_TEXT], hex[DIGEST_MAX_HEX + 1], length[DIGITS_MAX + 1] = "unknown";

	clock_format_s(k->time_ms / 1000, date);
	digest_format(&k->digest, hex);
	if (k->length != KILL_LENGTH_UNKNOWN)
		length[decimal(k->length, length)] = '\0';
	printf("%s  %-4s  sent %-12s file %" PRIu64 ":%s:%s\n", date, kill_by_name(k->by), length, k->size,
	    digest_alg_name(k->digest.alg), hex);
}

static int
print_list(const struct kill *kills, size_t n, bool json)
{
	json_t *array = json ? json_array() : NULL;

	for (size_t i = 0; i < n; i++)
		if (json)
			json_array_append_new(array, json_kill(&kills[i]));
		else
			print_kill(&kills[i]);
	if (json)
		return show_json(array, true) == -1 ? EXIT_TROUBLE : EXIT_FINE;
	if (n == 0)
		puts("No kill is remembered.");
	return EXIT_FINE;
}

static int
list(const struct call *c, const struct runtime *r, bool json)
{
	struct kill *kills = calloc(KILL_SLOTS, sizeof(*kills));
	size_t n;
	int status;

	if (kills == NULL)
		return call_fail(c, "out of memory");
	n = r == NULL ? 0 : runtime_kills(r, clock_ms(), kills, KILL_SLOTS);
	qsort(kills, n, sizeof(*kills), newest_first);
	status = print_list(kills, n, json);
	free(kills);
	return status;
}

/* ---- forgetting ---- */

static void
format_audit(const struct wish *w, size_t n, struct buf *out)
{
	char hex[DIGEST_MAX_HEX + 1];

	audit_begin(out, clock_ms());
	buf_addf(out, " forgotten=%zu digest=", n);
	if (w->all) {
		buf_add_str(out, "all");
		return;
	}
	digest_format(&w->digest, hex);
	buf_add_strs(out, digest_alg_name(w->digest.alg), ":", hex, NULL);
}

static int
clear(const struct call *c, struct runtime *r, const struct wish *w)
{
	size_t n = r == NULL ? 0 : runtime_forget_kills(r, w->all ? NULL : &w->digest);
	struct buf line;
	int written;

	printf("%zu kill%s forgotten\n", n, show_s(n));
	if (n == 0)
		return w->all ? EXIT_FINE : EXIT_FOUND;
	if (state_make(c->state) == -1)
		return call_fail(c, "%s: the folder for the audit line could not be made", c->state);
	buf_init(&line, AUDIT_MAX);
	format_audit(w, n, &line);
	written = audit_write(c, "kills.log", &line, "the kills are forgotten");
	buf_fini(&line);
	return written == 0 ? EXIT_FINE : EXIT_FOUND;
}

/* "md5:HEX", or HEX alone: its length says which. */
static int
parse_digest(struct slice text, struct digest *out)
{
	struct slice name, hex;
	enum digest_alg alg;

	if (slice_cut(text, ':', &name, &hex))
		return digest_alg_parse(name, &alg) == -1 ? -1 : digest_parse(alg, hex, out);
	for (alg = 0; alg < DIGEST_ALGS; alg++)
		if (text.len == 2 * digest_len(alg))
			return digest_parse(alg, text, out);
	return -1;
}

/* What the command line asks for into W; NULL, or what is wrong with it. */
static const char *
read_wish(const struct call *c, const char *const *values, struct wish *w)
{
	*w = (struct wish){ .json = values[FLAG_JSON] != NULL, .clear = values[FLAG_CLEAR] != NULL,
		.all = values[FLAG_ALL] != NULL };
	if (!w->clear)
		return w->all || c->argc > 0 ? "--all and DIGEST go with --clear" : NULL;
	if (w->json)
		return "--json is for the list, not for --clear";
	if (w->all)
		return c->argc > 0 ? "either --all or DIGEST" : NULL;
	if (c->argc != 1)
		return "--clear needs --all or one DIGEST";
	return parse_digest(slice_str(c->argv[0]), &w->digest) == -1 ? "DIGEST is md5:HEX, sha1:HEX, sha256:HEX or HEX" : NULL;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "json", "clear", "all" };
	const char *values[FLAGS], *wrong;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct diag diag = { 0 };
	struct runtime *r;
	struct wish w;
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((wrong = read_wish(c, values, &w)) != NULL)
		return call_misused(c, wrong);
	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	r = overview_runtime(c->state, &diag);
	status = diag.n_errors > 0 ? EXIT_TROUBLE : w.clear ? clear(c, r, &w) : list(c, r, w.json);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	runtime_close(r);
	return status;
}

const struct verb verb_kills = {
	.name = "kills",
	.run = run,
	.operands = "[--json | --clear (--all | DIGEST)]",
	.summary = "Show or forget the kills whose retries get the page.",
	.help =
	    "  --json        print an array\n"
	    "  --clear       forget the kills of DIGEST, as md5:HEX, sha1:HEX, sha256:HEX or HEX\n"
	    "  --all         forget all of them, and of which files the whole is wanted\n",
};
