#include "alerts/alert_version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { TEXT_MAX = 1 << 20, LINE_BYTES = 4 << 20, FILE_BYTES = 16 << 20, FILE_MODE = 0644 };

struct listed {
	json_t	*gone, *added, *changed;
	size_t	 n_gone, n_added, n_changed;
};

static json_t *
text(const char *s)
{
	struct buf b;
	json_t *j;

	buf_init(&b, TEXT_MAX);
	buf_add_utf8(&b, slice_str(s));
	j = json_stringn(b.failed || b.len == 0 ? "" : b.p, b.failed ? 0 : b.len);
	buf_fini(&b);
	return j;
}

static void
list(json_t *to, size_t *n, const struct alerts_rule *rule)
{
	if ((*n)++ < ALERT_VERSION_LISTED)
		json_array_append_new(to, text(rule->what));
}

static void
note(void *arg, const struct alerts_rule *from, const struct alerts_rule *to)
{
	struct listed *l = arg;

	if (to == NULL)
		list(l->gone, &l->n_gone, from);
	else if (from == NULL)
		list(l->added, &l->n_added, to);
	else
		list(l->changed, &l->n_changed, to);
}

/* The object that is written; takes what L has.  NULL without memory. */
static json_t *
describe(const struct alert_version *v, size_t rules, const struct listed *l)
{
	const struct alert *a = v->alert;
	int64_t day = a->last_published != 0 ? a->last_published : a->first_published;
	char date[CLOCK_TEXT], published[CLOCK_TEXT];

	clock_format_s(v->now, date);
	clock_format_s(day, published);
	return json_pack("{s:s, s:I, s:I, s:s*, s:o*, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "date", date, "uid", (json_int_t)v->uid,
	    "version", (json_int_t)a->version, "published", day != 0 ? published : NULL, "title",
	    a->title != NULL ? text(a->title) : NULL, "rules", (json_int_t)rules, "n_added", (json_int_t)l->n_added, "n_gone",
	    (json_int_t)l->n_gone, "n_changed", (json_int_t)l->n_changed, "added", l->added, "gone", l->gone, "changed", l->changed);
}

static int
append(const char *path, json_t *j)
{
	char *line = json_dumps(j, JSON_ENSURE_ASCII | JSON_COMPACT);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE), r = -1;
	struct buf whole;

	buf_init(&whole, LINE_BYTES);
	if (line == NULL)
		errno = ENOMEM;
	else if (fd != -1 && buf_add_strs(&whole, line, "\n", NULL) == 0)
		r = write(fd, whole.p, whole.len) == (ssize_t)whole.len ? 0 : -1;
	if (fd != -1)
		close(fd);
	buf_fini(&whole);
	free(line);
	return r;
}

int
alert_version_add(const char *path, const struct alert_version *v, struct diag *diag)
{
	struct listed l = { .gone = json_array(), .added = json_array(), .changed = json_array() };
	struct source_defaults defaults = { .now = v->now };
	struct alerts_rules from = { 0 }, to = { 0 };
	struct diag unwanted = { 0 };
	json_t *j;
	int r = 0;

	alerts_rules_read(&from, path, v->name, v->before, &defaults, 0, &unwanted);
	alerts_rules_read(&to, path, v->name, v->after, &defaults, 0, &unwanted);
	alerts_rules_sort(&from);
	alerts_rules_sort(&to);
	alerts_rules_compare(&from, &to, note, &l);
	j = describe(v, to.n, &l);
	if ((!v->again || l.n_gone + l.n_added + l.n_changed > 0) && (r = append(path, j)) == -1)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "%s", strerror(errno));
	json_decref(j);
	alerts_rules_fini(&from);
	alerts_rules_fini(&to);
	diag_fini(&unwanted);
	return r;
}

json_t *
alert_versions_load(const char *path, struct diag *diag)
{
	json_t *all = json_array(), *one;
	struct slice rest, line;
	struct buf lines;

	buf_init(&lines, FILE_BYTES);
	if (file_read(path, &lines) == -1 && errno != ENOENT)
		diag_add(diag, DIAG_WARNING, path, 0, 0, "%s", strerror(errno));
	rest = buf_slice(&lines);
	for (unsigned number = 1; rest.len > 0; number++) {
		slice_cut(rest, '\n', &line, &rest);
		if ((one = json_loadb(line.p, line.len, JSON_REJECT_DUPLICATES, NULL)) != NULL && json_is_object(one))
			json_array_append(all, one);
		else
			diag_add(diag, DIAG_WARNING, path, number, 0, "is no JSON object and is passed over");
		json_decref(one);
	}
	buf_fini(&lines);
	return all;
}
