#include "command/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alerts/alert.h"
#include "alerts/alert_mail.h"
#include "alerts/alert_version.h"
#include "alerts/alert_withdrawal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scratch.h"
#include "command/candidate.h"
#include "command/show.h"
#include "command/verb.h"
#include "ruleset/source.h"

enum { FLAG_DRY_RUN, FLAG_JSON, FLAG_LEVEL, FLAG_SUFFIXES, FLAGS };
enum { ID_MAX = 64, RECORD_MAX = 8 * ALERT_TEXT_MAX, RULES_MAX = 64 << 20 };
enum { FILE_MODE = 0644 };
#define STANDARD_INPUT	"(standard input)"

struct import {
	const struct call	*call;
	const char		*file;		/* as it is named in findings */
	int			 level;
	bool			 dry_run, json;
	bool			 tried;		/* a publish with its rules is tried before they are written */
	bool			 trouble;	/* it failed for a reason that is not in the alert */
	int64_t			 now;		/* seconds */
	struct diag		 diag;
	struct public_suffixes	*list;		/* NULL: could not be read, and that was said */
	struct alert		*alert;
	char			 record_path[STATE_PATH], rules_path[STATE_PATH], versions_path[STATE_PATH];
	struct buf		 text, mail, record, rules, previous;
	unsigned		 stored_version;	/* 0: no record is stored */
	size_t			 n_rules;
};

static void
import_init(struct import *im, const struct call *c)
{
	*im = (struct import){ .call = c, .now = clock_ms() / 1000, .level = RULE_LEVEL_DEFAULT };
	buf_init(&im->text, RECORD_MAX);
	buf_init(&im->mail, RECORD_MAX);
	buf_init(&im->record, RECORD_MAX);
	buf_init(&im->rules, RULES_MAX);
	buf_init(&im->previous, 2 * RULES_MAX);	/* withdrawn, its lines are longer */
}

static void
import_fini(struct import *im)
{
	buf_fini(&im->text);
	buf_fini(&im->mail);
	buf_fini(&im->record);
	buf_fini(&im->rules);
	buf_fini(&im->previous);
	alert_free(im->alert);
	public_suffixes_free(im->list);
	diag_fini(&im->diag);
}

/* Without the list an alert is still worth importing: its rules are only narrower. */
static void
load_suffixes(struct import *im, const char *path)
{
	struct diag diag = { 0 };

	im->list = public_suffixes_load(path != NULL ? path : PUBLIC_SUFFIX_FILE, &diag);
	if (im->list == NULL)
		diag_add(&im->diag, DIAG_WARNING, NULL, 0, 0, "the public suffix list cannot be used: %s",
		    diag_first_error(&diag));
	diag_fini(&diag);
}

/* The text as published, also in a mail, or a record. */
static int
read_alert(struct import *im)
{
	struct slice text = buf_slice(&im->text);
	const char *wrong = NULL;
	char name[STATE_PATH];

	snprintf(name, sizeof(name), "%s", im->file);
	if (alert_is_mail(text)) {
		wrong = alert_mail_text(text, &im->mail);
		text = buf_slice(&im->mail);
		/* Lines are counted in the text, not in the mail. */
		snprintf(name, sizeof(name), "%.*s(text)", (int)(sizeof(name) - sizeof("(text)")), im->file);
	}
	if (wrong != NULL)
		diag_add(&im->diag, DIAG_ERROR, im->file, 0, 0, "%s", wrong);
	else
		im->alert = alert_read(name, text, im->list, &im->diag);
	return im->alert == NULL ? -1 : 0;
}

/* The id becomes the name of two files: whatever the reader let through, nothing here may leave its
 * folder. */
static bool
id_is_file_name(struct slice id)
{
	if (id.len == 0 || id.len > ID_MAX || id.p[0] == '.')
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (id.p[i] == '/' || (unsigned char)(id.p[i] - '!') > '~' - '!')
			return false;
	return true;
}

static int
make_paths(struct import *im)
{
	char record[STATE_PATH], rules[STATE_PATH], versions[STATE_PATH];
	const char *id = im->alert->id;

	if (!id_is_file_name(slice_str(id))) {
		diag_error(&im->diag, "the alert's id \"%s\" cannot be the name of a file", id);
		return -1;
	}
	snprintf(record, sizeof(record), STATE_ALERTS "/%s.json", id);
	snprintf(rules, sizeof(rules), STATE_SOURCES "/alert-%s.rules", id);
	snprintf(versions, sizeof(versions), STATE_ALERTS "/%s.versions", id);
	if (state_path(im->call->state, record, im->record_path) == -1 ||
	    state_path(im->call->state, rules, im->rules_path) == -1 ||
	    state_path(im->call->state, versions, im->versions_path) == -1) {
		diag_error(&im->diag, "%s: %s", im->call->state, strerror(errno));
		return -1;
	}
	return 0;
}

/* The state folder with its lock: a descriptor, or -1. */
static int
lock_sources(struct import *im)
{
	int fd = state_make(im->call->state) == -1 ? -1 : state_lock(im->call->state);

	if (fd == -1)
		diag_error(&im->diag, "%s: %s", im->call->state, strerror(errno));
	im->trouble = fd == -1;
	return fd;
}

/* Append PATH to OUT; fine when it is not there. */
static int
read_if_there(struct import *im, const char *path, struct buf *out)
{
	if (file_read(path, out) == 0 || errno == ENOENT)
		return 0;
	im->trouble = true;
	diag_add(&im->diag, DIAG_ERROR, path, 0, 0, "%s", strerror(errno));
	return -1;
}

/* An older version never replaces a newer one; the same one again changes nothing. */
static int
compare_versions(struct import *im)
{
	struct alert *stored;
	struct buf text;
	unsigned version;

	buf_init(&text, RECORD_MAX);
	if (read_if_there(im, im->record_path, &text) == -1 || text.len == 0) {
		buf_fini(&text);
		return im->diag.n_errors > 0 ? -1 : 0;
	}
	stored = alert_from_json(im->record_path, buf_slice(&text), &im->diag);
	buf_fini(&text);
	if (stored == NULL)
		return -1;
	version = im->stored_version = stored->version;
	alert_free(stored);
	if (version <= im->alert->version)
		return 0;
	diag_error(&im->diag, "version %u of alert %s is older than the stored version %u: refused",
	    im->alert->version, im->alert->id, version);
	return -1;
}

/* Somebody took the alert back: whoever brings it back without a new version should know. */
static void
say_withdrawn(struct import *im)
{
	bool later = im->alert->version > im->stored_version;
	struct alert_withdrawal w;
	char date[CLOCK_TEXT];

	if (!alert_withdrawal_read(buf_slice(&im->previous), &w))
		return;
	clock_format_s(w.date, date);
	diag_add(&im->diag, later ? DIAG_NOTE : DIAG_WARNING, NULL, 0, 0, "alert %s was withdrawn %s by uid=%" PRIu64 " (%.*s); %s "
	    "version brings it back", im->alert->id, date, w.uid, SLICE_ARGS(w.reason), later ? "this later" : "the same");
}

static int
make_rules(struct import *im)
{
	struct alert_rule_options options = { .level = im->level, .rev = im->alert->version,
		.now = im->now, .list = im->list };

	if (read_if_there(im, im->rules_path, &im->previous) == -1)
		return -1;
	say_withdrawn(im);
	options.previous = buf_slice(&im->previous);
	im->n_rules = alert_rules(im->alert, &options, &im->rules, &im->diag);
	if (im->n_rules == 0 && im->diag.n_errors == 0)
		diag_add(&im->diag, DIAG_ERROR, im->file, 0, 0, "nothing in it can become a rule: no host, no URL,"
		    " no digest of a file that may be listed");
	if (im->diag.n_errors == 0 && alert_to_json(im->alert, &im->record) == -1)
		diag_error(&im->diag, "the record of alert %s cannot be written as JSON",
		    im->alert->id);
	return im->diag.n_errors > 0 ? -1 : 0;
}

static void
count_gone(void *arg, const struct alerts_rule *from, const struct alerts_rule *to)
{
	size_t *n = arg;

	(void)from;
	*n += to == NULL;
}

/* What comes unasked can be anybody's, and any number is a later version: it adds rules, and takes none away that is there.  Nor
 * does it bring back what somebody withdrew. */
static int
check_unasked(struct import *im)
{
	struct source_defaults defaults = { .now = im->now };
	struct alerts_rules from = { 0 }, to = { 0 };
	struct alert_withdrawal w;
	struct diag unwanted = { 0 };
	size_t gone = 0;

	if (alert_withdrawal_read(buf_slice(&im->previous), &w)) {
		diag_add(&im->diag, DIAG_ERROR, im->file, 0, 0, "alert %s was withdrawn: \"firebreak import\" brings it back",
		    im->alert->id);
		return -1;
	}
	alerts_rules_read(&from, im->rules_path, im->alert->id, buf_slice(&im->previous), &defaults, 0, &unwanted);
	alerts_rules_read(&to, im->rules_path, im->alert->id, buf_slice(&im->rules), &defaults, 0, &unwanted);
	alerts_rules_sort(&from);
	alerts_rules_sort(&to);
	alerts_rules_compare(&from, &to, count_gone, &gone);
	alerts_rules_fini(&from);
	alerts_rules_fini(&to);
	diag_fini(&unwanted);
	if (gone == 0)
		return 0;
	diag_add(&im->diag, DIAG_ERROR, im->file, 0, 0, "takes away %zu rule%s that alert %s has: if that is meant, \"firebreak import\" "
	    "does it", gone, show_s(gone), im->alert->id);
	return -1;
}

/* DIAG, of a publish that was tried, has an error in a line of the alert's own rules. */
static bool
is_refused(const struct diag *diag, const char *source)
{
	for (size_t i = 0; i < diag->n; i++)
		if (diag->v[i].level == DIAG_ERROR && diag->v[i].file != NULL && diag->v[i].line > 0 && strstr(diag->v[i].file, source) != NULL)
			return true;
	return false;
}

/* A publish with the rules in IM, of which nobody hears, so that an alert that lint refuses does not hold others back. */
static int
try_rules(struct import *im)
{
	struct publish_options options = { .only = NULL };
	struct candidate candidate = { .dir = NULL };
	const char *tmp = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir;
	char *path = NULL, source[ID_MAX + sizeof("alert-")];
	struct scratch scratch = { .path = NULL };
	struct diag diag = { 0 };
	int r = -1;

	snprintf(source, sizeof(source), "alert-%s", im->alert->id);
	if (scratch_make(&scratch, tmp, "import") == -1 || asprintf(&path, "%s/%s.rules", scratch.path, source) == -1 ||
	    file_write(path, buf_slice(&im->rules), FILE_MODE) == -1) {
		diag_add(&im->diag, DIAG_ERROR, scratch.path != NULL ? scratch.path : tmp, 0, 0, "%s", strerror(errno));
		im->trouble = true;
	} else {
		options.only = source;
		options.lists = im->call->lists;
		r = candidate_make(im->call, &options, path, &candidate, &diag);
		if (r == -1)
			diag_add(&im->diag, DIAG_ERROR, im->file, 0, 0, "cannot be published: %s", diag_first_error(&diag));
		im->trouble = r == -1 && !is_refused(&diag, source);
		candidate_fini(&candidate);
	}
	free(path);
	scratch_remove(&scratch);
	diag_fini(&diag);
	return r;
}

/* The record first: whatever is interrupted, an older version can then no longer take the rules'
 * place. */
static int
write_files(struct import *im)
{
	if (file_write(im->record_path, buf_slice(&im->record), FILE_MODE) == -1)
		diag_add(&im->diag, DIAG_ERROR, im->record_path, 0, 0, "%s", strerror(errno));
	else if (file_write(im->rules_path, buf_slice(&im->rules), FILE_MODE) == -1)
		diag_add(&im->diag, DIAG_ERROR, im->rules_path, 0, 0, "%s", strerror(errno));
	else
		return 0;
	im->trouble = true;
	return -1;
}

static int
append_rule(void *list, const struct rule *rule, const struct rule_match *match, unsigned line)
{
	(void)match;
	(void)line;
	return json_array_append_new(list, show_json_rule(rule)) == -1;
}

/* The record with its rules under "proposed". */
static int
print_json(struct import *im)
{
	struct source_defaults defaults = { .now = im->now };
	json_t *record = json_loadb(im->record.p, im->record.len, 0, NULL);
	json_t *proposed = json_array();
	char source[ID_MAX + sizeof("alert-")];

	snprintf(source, sizeof(source), "alert-%s", im->alert->id);
	if (json_object_set_new(record, "proposed", proposed) == -1 ||
	    source_parse(im->rules_path, slice_str(source), buf_slice(&im->rules), &defaults,
	    append_rule, proposed, &im->diag) != 0 ||
	    json_object_set_new(record, "findings", show_json_findings(&im->diag)) == -1) {
		json_decref(record);
		return -1;
	}
	return show_json(record, true);
}

static int
print_result(struct import *im)
{
	if (im->json)
		return print_json(im);
	show_lines(stdout, buf_slice(&im->rules));
	fflush(stdout);
	fprintf(stderr, "alert %s, version %u: %zu rule%s", im->alert->id, im->alert->version, im->n_rules,
	    show_s(im->n_rules));
	if (im->dry_run)
		fputs(" could be made; nothing was written\n", stderr);
	else
		fprintf(stderr, " in %s; \"firebreak publish\" makes them live\n", im->rules_path);
	return 0;
}

/* For whoever looks at the alert later; without it everything works. */
static void
note_version(struct import *im)
{
	char name[ID_MAX + sizeof("alert-")];
	struct alert_version v = { .alert = im->alert, .name = name, .before = buf_slice(&im->previous), .after = buf_slice(&im->rules),
		.now = im->now, .uid = (uint64_t)getuid(), .again = im->stored_version == im->alert->version };

	snprintf(name, sizeof(name), "alert-%s", im->alert->id);
	alert_version_add(im->versions_path, &v, &im->diag);
}

static int
import_alert(struct import *im)
{
	int lock = -1, r;

	if (read_alert(im) == -1 || make_paths(im) == -1)
		return -1;
	if (!im->dry_run && (lock = lock_sources(im)) == -1)
		return -1;
	r = compare_versions(im) == -1 || make_rules(im) == -1 || (im->tried && (check_unasked(im) == -1 || try_rules(im) == -1)) ?
	    -1 : 0;
	if (r == 0 && !im->dry_run && (r = write_files(im)) == 0)
		note_version(im);
	if (lock != -1)
		close(lock);
	return r;
}

int
import_text(const struct call *c, const char *file, struct slice text, bool dry_run, struct diag *diag)
{
	struct import im;
	int r = -1;

	import_init(&im, c);
	im.file = file;
	im.dry_run = dry_run;
	im.tried = true;
	load_suffixes(&im, NULL);
	if (buf_add_slice(&im.text, text) == -1)
		diag_add(&im.diag, DIAG_ERROR, file, 0, 0, "out of memory");
	else
		r = import_alert(&im);
	diag_append(diag, &im.diag);
	r = r == -1 && !im.trouble ? 1 : r;
	import_fini(&im);
	return r;
}

/* NULL, or what is wrong with the flags. */
static const char *
read_flags(struct import *im, const char *const *values)
{
	uint64_t level = RULE_LEVEL_DEFAULT;

	im->dry_run = values[FLAG_DRY_RUN] != NULL;
	im->json = values[FLAG_JSON] != NULL;
	if (values[FLAG_LEVEL] != NULL &&
	    (slice_u64(slice_str(values[FLAG_LEVEL]), &level) == -1 || level > RULE_LEVEL_MAX))
		return "--level takes a number from 0 to 5";
	im->level = (int)level;
	return NULL;
}

/* There may be no state folder yet. */
static int
become_owner(const struct call *c)
{
	return access(c->state, F_OK) == -1 && errno == ENOENT ? 0 : call_become_owner(c);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "dry-run", "json", "level=", "suffixes=" };
	const char *values[FLAGS], *wrong;
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct import im;
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc != 1)
		return call_misused(c, "one FILE, or - for standard input");
	import_init(&im, c);
	if ((wrong = read_flags(&im, values)) != NULL)
		return call_misused(c, wrong);
	im.file = strcmp(c->argv[0], "-") == 0 ? STANDARD_INPUT : c->argv[0];
	load_suffixes(&im, values[FLAG_SUFFIXES]);
	/* The file is who calls's, and the folder its owner's. */
	if (file_read(c->argv[0], &im.text) == -1)
		diag_add(&im.diag, DIAG_ERROR, im.file, 0, 0, "%s", strerror(errno));
	else if (become_owner(c) == 0 && import_alert(&im) == 0 && print_result(&im) == 0)
		status = im.diag.n_warnings > 0 ? EXIT_FOUND : EXIT_FINE;
	diag_print(&im.diag, stderr);
	import_fini(&im);
	return status;
}

const struct verb verb_import = {
	.name = "import",
	.run = run,
	.operands = "[--dry-run] [--json] [--level N] [--suffixes FILE] FILE|-",
	.summary = "Make rules of an outbreak alert: its text as published, a mail with it, or a JSON record.",
	.help =
	    "  --dry-run       print the rules, write nothing\n"
	    "  --json          print the record, its rules under \"proposed\"\n"
	    "  --level N       the rules' level, 0 to 5; else 4\n"
	    "  --suffixes FILE the public suffix list; else " PUBLIC_SUFFIX_FILE "\n",
};
