#include "setup/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "setup/array.h"
#include "setup/marks.h"
#include "setup/plan_part.h"

enum { SAID_MAX = 4096 };

void
plan_say(struct diag *to, enum diag_level level, const struct conf *conf, const struct directive *d, const char *fmt, ...)
{
	char text[SAID_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(to, level, conf->files[d->file].path, d->line, 0, "%s", text);
}

const char *
plan_path(const struct planning *p, const char *path)
{
	size_t len = p->options->root == NULL ? 0 : strlen(p->options->root);

	return strncmp(path, p->options->root == NULL ? "" : p->options->root, len) == 0 ? path + len : path;
}

/* ---- where our files go ---- */

/* "FOLDER/firebreak.conf"; NULL without memory. */
static char *
in_folder(struct slice folder)
{
	char *path = NULL;

	return asprintf(&path, "%.*s/" PLAN_DROPIN, SLICE_ARGS(folder)) == -1 ? NULL : path;
}

static char *
beside_main(const struct conf *conf)
{
	const char *main = conf->files[0].path, *slash = strrchr(main, '/');

	return in_folder(slash == NULL ? SLICE(".") : slice_make(main, (size_t)(slash - main)));
}

char *
plan_squid_dropin(const struct squid_facts *facts, const char *root, bool folder_exists(const char *))
{
	struct slice pattern;
	char *folder, *path = NULL;

	if (facts->include == NULL)
		return beside_main(facts->conf);
	pattern = facts->include->words[1];
	if (asprintf(&folder, "%s%.*s", slice_starts(pattern, SLICE("/")) ? root : "",
	    SLICE_ARGS(slice_head(pattern, pattern.len - strlen("/*.conf")))) == -1)
		return NULL;
	path = folder_exists(folder) ? in_folder(slice_str(folder)) : NULL;
	free(folder);
	return path;
}

char *
plan_cicap_dropin(const struct conf *conf)
{
	return beside_main(conf);
}

/* ---- files ---- */

static struct plan_file *
new_file(struct plan *plan, const char *path, struct slice now, struct slice before)
{
	struct plan_file *f = array_add(&plan->files, &plan->n_files, sizeof(*f));

	if (f == NULL || (f->path = strdup(path)) == NULL)
		return NULL;
	buf_init(&f->now, CONF_FILE_MAX);
	buf_init(&f->before, CONF_FILE_MAX);
	buf_init(&f->after, CONF_FILE_MAX);
	f->exists = true;
	buf_add_slice(&f->now, now);
	buf_add_slice(&f->before, before);
	return f->now.failed || f->before.failed ? NULL : f;
}

/* Our own file: a block, and behind it what others may have put there. */
static int
add_dropin(struct plan *plan, const struct plan_dropin *d, const struct conf *conf, const struct buf *text)
{
	struct buf before;
	struct plan_file *f;

	buf_init(&before, CONF_FILE_MAX);
	marks_remove(d->now, &before);
	f = new_file(plan, d->path, d->now, buf_slice(&before));
	if (f != NULL) {
		f->exists = d->exists;
		f->model = conf->files[0].path;
		marks_add(&f->after, (struct slice){ 0 }, buf_slice(text));
		buf_add_slice(&f->after, buf_slice(&before));
	}
	buf_fini(&before);
	return f == NULL || f->after.failed || text->failed ? -1 : 0;
}

static bool
is_dropin(const struct planning *p, const char *path)
{
	return strcmp(path, p->options->squid.path) == 0 || strcmp(path, p->options->cicap.path) == 0;
}

static bool
has_edits(const struct line_edits *e, const struct conf *conf, size_t file)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].conf == conf && e->v[i].file == file)
			return true;
	return false;
}

/* The files of CONF that change, or have lines of ours. */
static int
add_files(struct plan *plan, struct planning *p, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_files; i++) {
		const struct conf_file *file = &conf->files[i];
		struct plan_file *f;

		if (is_dropin(p, file->path) || (!has_edits(&p->edits, conf, i) && !marks_found(buf_slice(&file->now))))
			continue;
		for (size_t k = 0; k < plan->n_files; k++)
			if (strcmp(plan->files[k].path, file->path) == 0) {
				diag_error(p->diag, "%s: is included twice, and its lines would have to change", file->path);
				return -1;
			}
		if ((f = new_file(plan, file->path, buf_slice(&file->now), buf_slice(&file->text))) == NULL ||
		    lines_apply(&p->edits, conf, i, &f->after) == -1)
			return -1;
	}
	return 0;
}

static void
decide_address(struct plan *plan, const struct cicap_facts *cicap, const struct plan_options *options)
{
	bool stays = cicap->host.len > 0 && (cicap->loopback || options->keep_listen);

	snprintf(plan->icap, sizeof(plan->icap), "%.*s:%u", SLICE_ARGS(stays ? cicap->host : SLICE("127.0.0.1")), cicap->port);
}

int
plan_make(struct plan *out, const struct squid_facts *squid, const struct cicap_facts *cicap, const struct plan_options *options,
    struct diag *diag)
{
	struct planning p = { .squid = squid, .cicap = cicap, .options = options, .icap = out->icap, .notes = &out->notes, .diag = diag };
	size_t errors = diag->n_errors;
	int result = -1;

	*out = (struct plan){ .files = NULL };
	decide_address(out, cicap, options);
	buf_init(&p.squid_text, PLAN_TEXT_MAX);
	buf_init(&p.cicap_text, PLAN_TEXT_MAX);
	plan_cicap(&p);
	plan_squid(&p);
	out->moves_port = p.moves_port;
	if (diag->n_errors == errors && add_dropin(out, &options->cicap, cicap->conf, &p.cicap_text) == 0 && add_files(out, &p,
	    cicap->conf) == 0 &&
	    add_dropin(out, &options->squid, squid->conf, &p.squid_text) == 0 && add_files(out, &p, squid->conf) == 0)
		result = 0;
	else if (diag->n_errors == errors)
		diag_error(diag, "no memory");
	buf_fini(&p.squid_text);
	buf_fini(&p.cicap_text);
	lines_fini(&p.edits);
	return result;
}

void
plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_files; i++) {
		free(plan->files[i].path);
		buf_fini(&plan->files[i].now);
		buf_fini(&plan->files[i].before);
		buf_fini(&plan->files[i].after);
	}
	free(plan->files);
	diag_fini(&plan->notes);
	*plan = (struct plan){ .files = NULL };
}

bool
plan_is_done(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_files; i++)
		if (!plan->files[i].exists || !slice_eq(buf_slice(&plan->files[i].now), buf_slice(&plan->files[i].after)))
			return false;
	return true;
}
