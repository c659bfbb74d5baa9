#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "command/alerts.h"
#include "command/caller.h"
#include "command/show.h"
#include "command/verb.h"

enum { INPUT_MAX = 8 * ALERT_TEXT_MAX, OUTPUT_MAX = 64 << 20, WHAT_SHOWN = 4000 };

/* What differs. */
struct difference {
	size_t	added, gone, changed;
};

static void
print_rule(char mark, const struct alerts_rule *rule)
{
	printf("%c ", mark);
	show_text(stdout, slice_head(slice_str(rule->what), WHAT_SHOWN));
	fputs(" (", stdout);
	show_text(stdout, slice_str(rule->id));
}

static void
print_one(char mark, const struct alerts_rule *rule)
{
	char date[CLOCK_TEXT];

	print_rule(mark, rule);
	printf(", revision %u, level %u, ends %s)\n", rule->rev, rule->level, alerts_date(rule->expires, date));
}

/* Which of revision, level and end differ; when none of them, it is what only people read. */
static void
print_changed(const struct alerts_rule *from, const struct alerts_rule *to)
{
	char before[CLOCK_TEXT], after[CLOCK_TEXT];
	const char *mark = "):";

	print_rule('~', to);
	if (from->rev != to->rev) {
		printf("%s revision %u -> %u", mark, from->rev, to->rev);
		mark = ",";
	}
	if (from->level != to->level) {
		printf("%s level %u -> %u", mark, from->level, to->level);
		mark = ",";
	}
	if (from->expires != to->expires) {
		printf("%s ends %s -> %s", mark, alerts_date(from->expires, before), alerts_date(to->expires, after));
		mark = ",";
	}
	puts(*mark == ',' ? "" : "): name, note or date");
}

static void
print_difference(void *arg, const struct alerts_rule *from, const struct alerts_rule *to)
{
	struct difference *d = arg;

	if (to == NULL) {
		print_one('-', from);
		d->gone++;
	} else if (from == NULL) {
		print_one('+', to);
		d->added++;
	} else {
		print_changed(from, to);
		d->changed++;
	}
}

static struct difference
compare(const struct alerts_rules *from, const struct alerts_rules *to)
{
	struct difference d = { 0 };

	alerts_rules_compare(from, to, print_difference, &d);
	return d;
}

static int
conclude(const struct difference *d, const char *hint)
{
	if (d->added + d->gone + d->changed == 0)
		return EXIT_FINE;
	fflush(stdout);
	fprintf(stderr, "%zu more, %zu less, %zu changed; %s\n", d->added, d->gone, d->changed, hint);
	return EXIT_FOUND;
}

/* ---- the source against what is live ---- */

static int
diff_live(struct alerts *a, const struct alerts_item *item)
{
	struct alerts_rules live = { 0 };
	struct difference d;
	int status = EXIT_TROUBLE;

	if (item->unreadable)
		diag_error(&a->diag, "what cannot be read cannot be compared");
	else if (alerts_live_rules(a, item, &live) == 0) {
		d = compare(&live, &item->rules);
		status = conclude(&d, item->withdrawn ? "it was withdrawn: withdraw it again, to have nothing of it live" :
		    item->n_held > 0 ? "some are held: \"firebreak held\" lists them" : "\"firebreak publish\" makes the source live");
	}
	alerts_rules_fini(&live);
	return status;
}

/* ---- the source against another version ---- */

/* A later version while it is compared. */
struct version {
	struct alerts		*a;
	const char		*name;		/* of the input, for findings */
	struct public_suffixes	*list;
	struct alert		*alert;
	struct buf		 text, source;
};

/* As import has it: without the list the rules are only narrower. */
static void
load_suffixes(struct version *v, const char *path)
{
	struct diag findings = { 0 };
	struct caller was;

	caller_begin(&was);
	v->list = public_suffixes_load(path != NULL ? path : PUBLIC_SUFFIX_FILE, &findings);
	caller_end(&was);
	if (v->list == NULL)
		diag_add(&v->a->diag, DIAG_WARNING, NULL, 0, 0, "the public suffix list cannot be used: %s", diag_first_error(&findings));
	diag_fini(&findings);
}

static int
read_version(struct version *v, const char *file, const struct alerts_item *item)
{
	struct diag *diag = &v->a->diag;
	struct caller was;
	int got;

	caller_begin(&was);
	got = file_read(file, &v->text);
	caller_end(&was);
	if (got == -1) {
		diag_add(diag, DIAG_ERROR, v->name, 0, 0, "%s", strerror(errno));
		return -1;
	}
	if ((v->alert = alert_read(v->name, buf_slice(&v->text), v->list, diag)) == NULL)
		return -1;
	if (strcmp(v->alert->id, item->id) != 0)
		diag_add(diag, DIAG_ERROR, v->name, 0, 0, "is alert %s, not %s", v->alert->id, item->id);
	else if (item->alert != NULL && v->alert->version < item->alert->version)
		diag_add(diag, DIAG_ERROR, v->name, 0, 0, "version %u is older than the stored version %u: \"firebreak import\" would refuse it",
		    v->alert->version, item->alert->version);
	return diag->n_errors > 0 ? -1 : 0;
}

/* The source that import would write. */
static int
make_source(struct version *v, const struct alerts_item *item, int level)
{
	struct alert_rule_options options = { .level = level, .rev = v->alert->version, .now = v->a->now,
		.previous = buf_slice(&item->text), .list = v->list };
	struct diag *diag = &v->a->diag;

	if (alert_rules(v->alert, &options, &v->source, diag) == 0 && diag->n_errors == 0)
		diag_add(diag, DIAG_ERROR, v->name, 0, 0, "nothing in it can become a rule: \"firebreak import\" would refuse it");
	return diag->n_errors > 0 ? -1 : 0;
}

static int
diff_version(struct version *v, const struct alerts_item *item, const struct alerts_flags *flags, const char *file)
{
	struct alerts_rules from = { 0 }, to = { 0 };
	struct source_defaults defaults = v->a->defaults;
	struct difference d;
	int status = EXIT_TROUBLE;

	load_suffixes(v, flags->suffixes);
	if (read_version(v, file, item) == 0 && make_source(v, item, flags->level) == 0 &&
	    alerts_rules_read(&from, item->source_path, item->name, buf_slice(&item->text), &defaults, 0, &v->a->diag) == 0 &&
	    alerts_rules_read(&to, v->name, item->name, buf_slice(&v->source), &defaults, 0, &v->a->diag) == 0) {
		alerts_rules_sort(&from);
		alerts_rules_sort(&to);
		d = compare(&from, &to);
		status = conclude(&d, item->withdrawn ? "the alert was withdrawn: importing this brings it back" :
		    "\"firebreak import\" writes it, then \"firebreak publish\" makes it live");
	}
	alerts_rules_fini(&from);
	alerts_rules_fini(&to);
	return status;
}

static int
diff_file(struct alerts *a, const struct alerts_item *item, const struct alerts_flags *flags, const char *file)
{
	struct version v = { .a = a, .name = strcmp(file, "-") == 0 ? "(standard input)" : file };
	int status;

	buf_init(&v.text, INPUT_MAX);
	buf_init(&v.source, OUTPUT_MAX);
	status = diff_version(&v, item, flags, file);
	alert_free(v.alert);
	public_suffixes_free(v.list);
	buf_fini(&v.text);
	buf_fini(&v.source);
	return status;
}

int
alerts_diff(const struct call *c, const struct alerts_flags *flags, const char *id, const char *file)
{
	struct alerts_item item = { .n_live = 0 };
	struct alerts a;
	int status = EXIT_TROUBLE;

	if (call_need_state(c) == -1)
		return EXIT_TROUBLE;
	if (alerts_init(&a, c->state) == 0 && alerts_load(&a, id, &item) == 0)
		status = file == NULL ? diff_live(&a, &item) : diff_file(&a, &item, flags, file);
	diag_print(&a.diag, stderr);
	alerts_item_fini(&item);
	alerts_fini(&a);
	return status;
}
