#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/siphash.h"
#include "ruleset/lookalike_source.h"
#include "ruleset/publish_part.h"

/* Raised when the same files would be compiled into something else. */
#define LOOKALIKE_COMPILED	"1"

static const char *
lists_folder(const struct publisher *p)
{
	return p->options->lists != NULL ? p->options->lists : LINT_FOLDER;
}

/* What tells one state of the file DIR/NAME from another. */
static void
add_file(struct buf *text, const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	struct stat st;

	if (path != NULL && stat(path, &st) == 0)
		buf_addf(text, "%s %lld %lld %lld %ld", path, (long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
	buf_add_char(text, '\n');
	free(path);
}

/* All that the segment depends on, as a number. */
static uint64_t
make_stamp(const struct publisher *p)
{
	static const uint8_t key[SIPHASH_KEY] = "firebreak looks";
	static const char *const names[] = { LOOKALIKE_CLASSES_FILE, LOOKALIKE_BRANDS_FILE, LOOKALIKE_WORDS_FILE, LOOKALIKE_GLYPHS_FILE,
		LINT_TOP_SITES, LINT_SHARED_HOSTS };
	struct buf text;
	uint64_t stamp;

	buf_init(&text, SIZE_MAX / 2);
	buf_add_strs(&text, LOOKALIKE_COMPILED "\n", p->site.own_domains, "\n", NULL);
	buf_add_slice(&text, buf_slice(&p->protected));
	add_file(&text, "", p->options->suffix_file != NULL ? p->options->suffix_file : PUBLIC_SUFFIX_FILE);
	add_file(&text, p->options->state, STATE_LOOKALIKE);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		add_file(&text, lists_folder(p), names[i]);
	stamp = text.failed ? 0 : siphash(key, buf_slice(&text));
	buf_fini(&text);
	return stamp;
}

/* What BEFORE has is of STAMP. */
static bool
is_same(const struct publisher *p, uint64_t stamp)
{
	struct lookalike_layer *l = p->before.lookalike.len == 0 ? NULL : lookalike_layer_open(p->rules_dir, &p->before.lookalike, NULL);
	bool same = l != NULL && lookalike_stamp(l->table) == stamp;

	lookalike_layer_put(l);
	return same;
}

/* The site's own file; there may be none. */
static int
read_own(struct publisher *p, struct lookalike_builder *b)
{
	char path[STATE_PATH];
	struct stat st;

	if (state_path(p->options->state, STATE_LOOKALIKE, path) == -1)
		return -1;
	if (stat(path, &st) == -1 && errno == ENOENT)
		return 0;
	return lookalike_source_read(b, p->suffixes, NULL, path, p->diag);
}

/* Read all that there is into B. */
static int
read_all(struct publisher *p, struct lookalike_builder *b)
{
	struct diag findings = { 0 };
	int r = lookalike_builder_suffixes(b, p->suffixes);

	if (r == -1 || lookalike_source_own(b, p->suffixes, slice_str(p->site.own_domains)) == -1)
		return publish_no_memory(p);
	for (size_t i = 0; i < p->n_domains; i++)
		if (lookalike_source_own(b, p->suffixes, p->domains[i]) == -1)
			return publish_no_memory(p);
	if (lookalike_source_shipped(b, p->suffixes, lists_folder(p), true, &findings) == -1 || read_own(p, b) == -1)
		r = -1;
	/* That a list is missing is nothing to tell to somebody who has no use for it. */
	for (size_t i = 0; i < findings.n; i++)
		if (findings.v[i].level != DIAG_NOTE || lookalike_builder_useful(b))
			diag_add(p->diag, findings.v[i].level, findings.v[i].file, findings.v[i].line, findings.v[i].col, "%s",
			    findings.v[i].text);
	diag_fini(&findings);
	return r;
}

static int
write_segment(struct publisher *p, struct lookalike_builder *b, uint64_t stamp, struct manifest *m)
{
	char path[STATE_PATH + MANIFEST_NAME];

	if (m == NULL || !lookalike_builder_useful(b))
		return 0;
	m->lookalike.kind = SEGMENT_LOOKALIKE;
	snprintf(m->lookalike.name, sizeof(m->lookalike.name), "lookalike-%" PRIu64 ".seg", m->generation);
	snprintf(path, sizeof(path), "%s/%s", p->rules_dir, m->lookalike.name);
	p->made_lookalike = true;
	return lookalike_builder_write(b, stamp, path, &m->lookalike.len, m->lookalike.sha256, p->diag);
}

int
publish_lookalikes(struct publisher *p, struct manifest *m)
{
	uint64_t stamp = make_stamp(p);
	struct lookalike_builder *b;
	int r;

	if (!p->site.lookalikes)
		return 0;
	/* One source alone changes nothing else. */
	if ((p->options->only != NULL && p->before.generation != 0) || is_same(p, stamp)) {
		if (m != NULL)
			m->lookalike = p->before.lookalike;
		return 0;
	}
	/* That was said when the list was read. */
	if (p->suffixes == NULL)
		return 0;
	if ((b = lookalike_builder_new()) == NULL)
		return publish_no_memory(p);
	r = read_all(p, b);
	if (r == 0)
		r = write_segment(p, b, stamp, m);
	lookalike_builder_free(b);
	return r;
}
