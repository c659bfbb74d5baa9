#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/line_file.h"
#include "command/show.h"
#include "command/verb.h"

enum { FLAG_DAYS, FLAG_JSON, FLAGS };
enum { LINE_MAX_BYTES = 1 << 16, TARGETS_MAX = 1000000, DAY_S = 24 * 3600 };

/* An address that stood in a URL which was judged, and how often. */
struct target {
	char		*mail;		/* or its pseudonym */
	char		*host;		/* of the last one */
	uint64_t	 n;
	int64_t		 first, last;	/* seconds */
};

struct targets {
	const struct call	*call;
	int64_t			 since;
	struct target		*v;
	size_t			 n, cap, bad;
	bool			 failed;
};

static struct slice
text_of(const json_t *line, const char *outer, const char *inner)
{
	const json_t *j = json_object_get(json_object_get(line, outer), inner);

	return json_is_string(j) ? slice_make(json_string_value(j), json_string_length(j)) : (struct slice){ 0 };
}

static int
add(struct targets *t, struct slice mail, struct slice host, int64_t when)
{
	if (t->n == TARGETS_MAX)
		return -1;
	if (t->n == t->cap) {
		size_t cap = t->cap > 0 ? 2 * t->cap : 256;
		struct target *v = realloc(t->v, cap * sizeof(*v));

		if (v == NULL)
			return -1;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n] = (struct target){ slice_dup(mail), slice_dup(host), 1, when, when };
	t->n += t->v[t->n].mail != NULL;
	return t->v[t->n - (t->n > 0)].mail == NULL ? -1 : 0;
}

static int
take_line(void *arg, struct slice line)
{
	struct targets *t = arg;
	json_t *j = line.len > LINE_MAX_BYTES ? NULL : json_loadb(line.p, line.len, 0, NULL);
	struct slice clear = text_of(j, "user", "email"), mail = clear.len > 0 ? clear : text_of(j, "user", "hash");
	const json_t *at = json_object_get(j, "@timestamp");
	int64_t when = 0;

	if (mail.len == 0 || !json_is_string(at) || clock_parse(slice_str(json_string_value(at)), &when) == -1)
		t->bad += line.len > 0;
	else if (when >= t->since && add(t, mail, text_of(j, "url", "domain"), when) == -1)
		t->failed = true;
	json_decref(j);
	return 0;
}

static int
by_mail(const void *a, const void *b)
{
	const struct target *x = a, *y = b;
	int c = strcmp(x->mail, y->mail);

	return c != 0 ? c : x->last < y->last ? -1 : x->last > y->last;
}

static int
by_number(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->n != y->n ? (x->n > y->n ? -1 : 1) : strcmp(x->mail, y->mail);
}

/* One row an address: the most often aimed at first. */
static void
sum_up(struct targets *t)
{
	size_t n = 0;

	if (t->n > 0)
		qsort(t->v, t->n, sizeof(*t->v), by_mail);
	for (size_t i = 0; i < t->n; i++) {
		struct target *last = n > 0 ? &t->v[n - 1] : NULL;

		if (last == NULL || strcmp(last->mail, t->v[i].mail) != 0) {
			t->v[n++] = t->v[i];
			continue;
		}
		free(last->host);
		last->host = t->v[i].host;
		last->last = t->v[i].last;
		last->n++;
		free(t->v[i].mail);
	}
	t->n = n;
	if (n > 0)
		qsort(t->v, n, sizeof(*t->v), by_number);
}

static int
print_all(const struct targets *t, bool json)
{
	json_t *all = json ? json_array() : NULL;
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	for (size_t i = 0; i < t->n; i++) {
		const struct target *one = &t->v[i];

		clock_format_s(one->first, first);
		clock_format_s(one->last, last);
		if (json) {
			json_t *j = json_object();

			json_object_set_new(j, "mail", show_json_text(slice_str(one->mail)));
			show_json_number(j, "events", one->n);
			json_object_set_new(j, "first", json_string(first));
			json_object_set_new(j, "last", json_string(last));
			json_object_set_new(j, "host", show_json_text(slice_str(one->host)));
			json_array_append_new(all, j);
			continue;
		}
		printf("%6" PRIu64 "  %s  ", one->n, last);
		show_text(stdout, slice_str(one->mail));
		fputs("  ", stdout);
		show_text(stdout, slice_str(one->host));
		putchar('\n');
	}
	return json ? show_json(all, true) : 0;
}

static int
read_all(struct targets *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = fd == -1 ? -1 : line_file_read(fd, LINE_MAX_BYTES, take_line, t), saved = errno;

	if (fd != -1)
		close(fd);
	errno = saved;
	if (r == 0)
		return t->failed ? call_fail(t->call, "there is no memory for all of them") : EXIT_FINE;
	if (errno == EACCES)
		return call_fail(t->call, "%s: only the service's user and root may see whom lures were aimed at", path);
	if (errno == ENOENT)
		return call_fail(t->call, "%s: nobody was aimed at yet, or LogTargets is no in site.conf", path);
	return call_fail(t->call, "%s: %s", path, strerror(errno));
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "days=", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct targets t = { .call = c };
	char path[STATE_PATH];
	uint64_t days = 0;
	int status;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc > 0)
		return call_misused(c, "no operands");
	if (values[FLAG_DAYS] != NULL && (slice_u64(slice_str(values[FLAG_DAYS]), &days) == -1 || days == 0 || days > 36500))
		return call_misused(c, "--days takes a number of days");
	t.since = days == 0 ? 0 : clock_ms() / 1000 - (int64_t)days * DAY_S;
	if (call_need_state(c) == -1 || call_path(c, STATE_TARGETS, path) == -1)
		return EXIT_TROUBLE;
	if ((status = read_all(&t, path)) == EXIT_FINE) {
		sum_up(&t);
		if (print_all(&t, values[FLAG_JSON] != NULL) == -1)
			status = EXIT_TROUBLE;
		if (t.bad > 0)
			fprintf(stderr, "firebreak targets: %zu line%s of %s could not be read\n", t.bad, show_s(t.bad), path);
	}
	for (size_t i = 0; i < t.n; i++) {
		free(t.v[i].mail);
		free(t.v[i].host);
	}
	free(t.v);
	return status;
}

const struct verb verb_targets = {
	.name = "targets",
	.run = run,
	.operands = "[--days N] [--json]",
	.summary = "Show whom lures were aimed at: mail addresses in URLs that were judged.",
	.help =
	    "  --days N      of the last N days; else all that are kept\n"
	    "  --json        print an array\n",
};
