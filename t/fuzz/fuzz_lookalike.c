/* Fuzz: the first byte chooses what the rest is.  '=': text of lookalike(5), which is read; each finding has a place.  Else lines
 * of hosts, which are judged by one table: what a finding names lies in the host or the table, its level is one that its class may
 * have, and it is the same for the same host. */
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
    "service www\nkey login secure\nkey-weak card\ncommon target\nglyph a U+0430\nglyph e U+0435\nglyph u U+00FC\n";

static void
require(bool good)
{
	if (!good)
		abort();
}

/* The table, made once. */
static const struct lookalike *
table(void)
{
	static struct lookalike *made;
	char dir[] = "/tmp/firebreak-fuzz-XXXXXX";
	struct lookalike_builder *b;
	uint8_t sha256[SEGMENT_SHA256];
	struct segment *segment;
	uint64_t len;
	char *path;

	if (made != NULL)
		return made;
	require(mkdtemp(dir) != NULL && (path = file_join(dir, "a.seg")) != NULL && (b = lookalike_builder_new()) != NULL);
	require(lookalike_source_text(b, NULL, NULL, "site", SLICE(site), NULL) == 0 &&
	    lookalike_builder_write(b, 1, path, &len, sha256, NULL) == 0);
	require((segment = segment_open(path, SEGMENT_LOOKALIKE, sha256, NULL)) != NULL && (made = lookalike_open(segment, NULL)) != NULL);
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size), host;

	if (slice_starts(rest, SLICE("="))) {
		read_text(slice_skip(rest, 1));
		return 0;
	}
	while (rest.len > 0) {
		slice_cut(rest, '\n', &host, &rest);
		judge(host);
	}
	return 0;
}
