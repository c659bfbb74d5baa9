/* Fuzz: the first byte chooses what the rest is.  '=': text of lookalike(5), which is read; each finding has a place.  '#': places
 * in the segment, 4 bytes each, and a byte for each that is put there: whatever the table says then, asking it reads and writes
 * nothing else.  Else lines of hosts, which are judged by one table: what a finding names lies in the host or the table, its level
 * is one that its class may have, and it is the same for the same host. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "ruleset/lookalike_source.h"
#include "url_rules/lookalike_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char site[] = "own betterbricks.com mail.betterbricks.net xn--mller-bank-9db.de a.co\npartner x-y-z.co.uk\n"
    "brand paypal.com paypal.me\nbrand microsoft.com\nbrand target.com\nwhole illinois.gov\ninfra edge.test\nproxy oclc.org\n"
    "shared pages.test\nbucket bucket.test\npopular everybody.com\nhosting our.pages.test\nembed .errors.test betterbricks.com\n"
    "embed .audits.test *\nacademic edu gov\nproxy-name ezproxy\nproxy-word vpn\ndefacto com co\nlead com gov\nlead-weak net\n"
    "service www\nprogram exe\nkey login secure\nkey-weak card\ncommon target\nglyph a U+0430\nglyph e U+0435\nglyph u U+00FC\n";

static void
require(bool good)
{
	if (!good)
		abort();
}

static struct buf image;	/* the segment's bytes */

static struct lookalike *made;
static struct segment *made_of;

static void
forget(void)
{
	lookalike_close(made);
	segment_close(made_of);
	buf_fini(&image);
}

/* The table, made once. */
static const struct lookalike *
table(void)
{
	char dir[] = "/tmp/firebreak-fuzz-XXXXXX";
	struct lookalike_builder *b = lookalike_builder_new();
	uint8_t sha256[SEGMENT_SHA256];
	uint64_t len;
	char *path = NULL;

	if (made != NULL) {
		lookalike_builder_free(b);
		return made;
	}
	if (b == NULL || mkdtemp(dir) == NULL || (path = file_join(dir, "a.seg")) == NULL)
		abort();
	require(lookalike_source_text(b, NULL, NULL, "site", SLICE(site), NULL) == 0 &&
	    lookalike_builder_write(b, 1, path, &len, sha256, NULL) == 0);
	require((made_of = segment_open(path, SEGMENT_LOOKALIKE, sha256, NULL)) != NULL && (made = lookalike_open(made_of, NULL)) != NULL);
	buf_init(&image, 1 << 24);
	require(file_read(path, &image) == 0);
	atexit(forget);
	unlink(path);
	rmdir(dir);
	free(path);
	lookalike_builder_free(b);
	return made;
}

static bool
is_within(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void
judge(struct slice host)
{
	struct lookalike_finding f, again;
	struct lookalike_levels levels;
	struct buf said;
	bool found;

	memset(&levels, LOOKALIKE_WARN, sizeof(levels));
	found = lookalike_find(table(), host, &levels, &f);
	require(found == (f.level > LOOKALIKE_OFF) && f.level <= LOOKALIKE_WARN && f.class < LOOKALIKE_CLASSES);
	require(is_within(f.registrable, host) && is_within(f.spelled, host) && is_within(f.word, host));
	for (size_t i = 0; i < f.excused_by.len; i++)
		require(f.excused_by.p[i] > ' ');
	require((f.fault != NULL) == (f.class == LOOKALIKE_UNJUDGED));
	require(f.class == LOOKALIKE_NONE || f.class == LOOKALIKE_G || f.class == LOOKALIKE_UNJUDGED || f.target.len > 0);
	buf_init(&said, 1 << 16);
	require(lookalike_format(&f, &said) == 0);
	buf_fini(&said);
	if (lookalike_trace(table(), host, &f))
		require(f.path_kind == PATH_PROGRAM || f.path_target.len > 0);
	lookalike_find(table(), host, &levels, &again);
	require(again.class == f.class && again.level == f.level && slice_eq(again.target, f.target));
}

static void
read_text(struct slice text)
{
	struct lookalike_builder *b = lookalike_builder_new();
	struct diag diag = { 0 };

	require(b != NULL);
	if (lookalike_source_text(b, NULL, "own", "input", text, &diag) == -1)
		require(diag.n_errors > 0);
	for (size_t i = 0; i < diag.n; i++)
		require(diag.v[i].line > 0 && diag.v[i].col > 0);
	diag_fini(&diag);
	lookalike_builder_free(b);
}

/* Ask a table whose bytes EDITS changed. */
static void
ask_damaged(struct slice edits)
{
	static const struct slice hosts[] = { { "www.betterbricks.com.upd01.net", 30 }, { "betterbricks-com.a.pages.test", 29 },
		{ "xn--btterbricks-okj.com.errors.test", 35 }, { "paypal-login.edu", 16 }, { "rnicrosoft.com", 14 }, { "a.gov-x.co", 10 } };
	struct lookalike_levels levels;
	struct lookalike_finding f;
	struct segment *segment;
	struct lookalike *l;
	struct buf said;
	char *copy;

	memset(&levels, LOOKALIKE_BLOCK, sizeof(levels));
	table();
	require((copy = malloc(image.len)) != NULL);
	memcpy(copy, image.p, image.len);
	for (; edits.len >= 5; edits = slice_skip(edits, 5)) {
		uint32_t at;

		memcpy(&at, edits.p, sizeof(at));
		copy[at % image.len] = edits.p[4];
	}
	segment = segment_open_bytes("input", copy, image.len, SEGMENT_LOOKALIKE, NULL);
	l = segment == NULL ? NULL : lookalike_open(segment, NULL);
	for (size_t i = 0; l != NULL && i < sizeof(hosts) / sizeof(*hosts); i++) {
		struct lookalike_suffix s = lookalike_suffix(l, hosts[i]);

		require(s.icann <= s.any && s.any <= hosts[i].len);
		lookalike_find(l, hosts[i], &levels, &f);
		buf_init(&said, 1 << 16);
		require(lookalike_format(&f, &said) == 0);
		buf_fini(&said);
	}
	lookalike_close(l);
	segment_close(segment);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size), host;

	if (slice_starts(rest, SLICE("="))) {
		read_text(slice_skip(rest, 1));
		return 0;
	}
	if (slice_starts(rest, SLICE("#"))) {
		ask_damaged(slice_skip(rest, 1));
		return 0;
	}
	while (rest.len > 0) {
		slice_cut(rest, '\n', &host, &rest);
		judge(host);
	}
	return 0;
}
