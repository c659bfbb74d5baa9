/* replay - run .case files against the service: "replay [--fake] FILE.case...", or once through a real c-icap:
 * "replay --real HOST:PORT --state DIR [--conf LINE] FILE.case...", where the daemon's StateDir is DIR and its configuration
 * has the lines given; cases that need other lines are skipped.  TAP.
 *
 * Every case is run as written, in reads of 4,096 bytes and in reads of one byte, each time on a state folder of its own.  On the
 * real daemon it is run once, as written; its state folder is shared, which is why every case uses hosts of its own. */
#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "ruleset/publish.h"
#include "runtime/state.h"
#include "t/replay/case.h"
#include "t/replay/check.h"
#include "t/replay/fake_server.h"
#include "t/replay/icap_client.h"
#include "t/tap.h"

enum { MS = 1000, WHY_MAX = 1024 * 1024, LOG_MAX = 16 * 1024 * 1024, FILE_MODE = 0644, FOLDER_MODE = 0755,
	SQUID_204_MAX = 65535, ADDRESS = 300, PAGE_4K = 4096, EXPLAIN_LINES = 40 };

/* What the command line says. */
struct options {
	const char	*state;		/* of the real daemon */
	char		 host[ADDRESS], port[ADDRESS];
	bool		 real;
	struct buf	 conf;		/* of the real daemon, as a conf: block has it */
};

/* One case, once. */
struct run {
	const struct case_file	*c;
	size_t			 read_size;
	const char		*state;
	struct runtime		*runtime;
	struct fake_server	*fake;		/* either this */
	struct icap_client	*client;	/* or this */
	int			 preview;	/* the service's */
	int64_t			 now;		/* seconds; 0 = today */
	bool			 changed;	/* sources or site.conf, since the last publishing */
	uint64_t		 generation;
	size_t			 log_at;	/* of the event log: what was seen */
	struct buf		 why;		/* a line for each difference */
};

/* ---- the state folder ---- */

static void
write_state(struct run *r, const char *folder, const char *name, struct slice text)
{
	char what[STATE_PATH], path[STATE_PATH];

	snprintf(what, sizeof(what), "%s%s", folder, name);
	if (state_path(r->state, what, path) == -1 || file_write(path, text, FILE_MODE) == -1)
		buf_addf(&r->why, "%s cannot be written\n", what);
	r->changed = true;
}

static void
remove_all(struct run *r, const char *what)
{
	char pattern[STATE_PATH];
	glob_t found;

	if (state_path(r->state, what, pattern) == -1 || glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

/* No rules, pages and site.conf of an earlier case. */
static void
clear_sources(struct run *r)
{
	remove_all(r, STATE_SOURCES "/*.rules");
	remove_all(r, STATE_PAGES "/*");
	write_state(r, "", STATE_SITE, SLICE(""));
}

static void
add_diag(struct run *r, const struct diag *diag)
{
	char line[STATE_PATH];

	for (size_t i = 0; i < diag->n; i++) {
		diag_format(&diag->v[i], line, sizeof(line));
		buf_addf(&r->why, "%s\n", line);
	}
}

/* Publish as "firebreak publish" does: the segments, then the word. */
static void
publish_now(struct run *r)
{
	struct publish_options o = { .state = r->state, .now = r->now != 0 ? r->now : clock_ms() / MS };
	struct publish_report report;
	struct diag diag = { 0 };

	if (publish(&o, &report, &diag) == -1)
		add_diag(r, &diag);
	else {
		r->generation = report.generation;
		runtime_set_generation(r->runtime, report.generation);
	}
	diag_fini(&diag);
	r->changed = false;
}

/* What the event log has got since it was last looked at. */
static void
new_events(struct run *r, struct buf *out)
{
	char path[STATE_PATH];
	struct slice all;

	if (state_path(r->state, STATE_EVENTS, path) == -1 || file_read(path, out) == -1)
		return;
	all = slice_skip(buf_slice(out), r->log_at);
	r->log_at = out->len;
	memmove(out->p, all.p, all.len);
	out->len = all.len;
}

/* ---- one exchange ---- */

/* Squid offers 204 outside the preview when it can keep the whole body: known and shorter than 64 KiB. */
static bool
squid_allows_204(const struct message *m)
{
	struct slice value;
	uint64_t length;

	if (!m->has_body)
		return true;
	return head_value(buf_slice(&m->head), SLICE("Content-Length"), &value) &&
	    slice_u64(value, &length) == 0 && length <= SQUID_204_MAX;
}

static struct icap_call
make_call(const struct run *r, const struct case_exchange *x)
{
	struct icap_call call = { .respmod = x->respmod, .request = x->request, .response = x->response,
		.headers = slice_str(x->headers), .read_size = r->read_size, .preview = x->preview,
		.allow204 = x->allow204 == 1 };

	if (x->preview == CLIENT_DEFAULT)
		call.preview = r->preview;
	if (x->allow204 == CLIENT_DEFAULT)
		call.allow204 = squid_allows_204(icap_call_subject(&call));
	return call;
}

/* After a publishing every answer, and the tag, must be that generation's. */
static void
check_generation(struct run *r, const struct icap_reply *reply)
{
	char expected[ADDRESS];
	struct slice value;

	snprintf(expected, sizeof(expected), "generation=%llu", (unsigned long long)r->generation);
	if (reply->icap.len > 0 && (reply->status == 200 || reply->status == 204) &&
	    (!head_value(buf_slice(&reply->icap), SLICE("X-Firebreak"), &value) ||
	    !slice_ends(value, slice_str(expected))))
		buf_addf(&r->why, "the ICAP answer does not name %s\n", expected);
	if (r->fake == NULL)
		return;
	snprintf(expected, sizeof(expected), "-%llu\"", (unsigned long long)r->generation);
	if (!slice_ends(fake_server_istag(r->fake), slice_str(expected)))
		buf_addf(&r->why, "the ISTag is not that of generation %llu\n", (unsigned long long)r->generation);
}

static void
run_exchange(struct run *r, const struct case_step *step)
{
	struct icap_call call = make_call(r, &step->exchange);
	struct check_run check = { .fake = r->fake != NULL, .generation = r->generation,
		.never = r->c->never, .unshown = r->c->unshown, .shown = r->c->shown };
	struct icap_reply reply;
	struct diag diag = { 0 };
	struct buf events;
	size_t before = r->why.len;

	icap_reply_init(&reply);
	buf_init(&events, LOG_MAX);
	if (r->fake != NULL) {
		/* In one of the variants it is the request that meets the new rules first. */
		if (r->read_size != 1)
			fake_server_tick(r->fake);
		fake_server_call(r->fake, &call, &reply);
		if (r->read_size == 1)
			fake_server_tick(r->fake);
	} else if (icap_client_call(r->client, &call, &reply, &diag) == -1)
		add_diag(r, &diag);
	new_events(r, &events);
	check_generation(r, &reply);
	check_exchange(&check, &step->exchange, &reply, buf_slice(&events), &r->why);
	if (r->why.len > before)
		buf_addf(&r->why, "... at line %u\n", step->line);
	diag_fini(&diag);
	buf_fini(&events);
	icap_reply_fini(&reply);
}

static void
run_step(struct run *r, const struct case_step *step)
{
	char name[STATE_PATH];

	switch (step->kind) {
	case CASE_SOURCE:
		snprintf(name, sizeof(name), "%s.rules", step->name);
		write_state(r, STATE_SOURCES "/", name, buf_slice(&step->text));
		break;
	case CASE_PAGE:
		if (state_path(r->state, STATE_PAGES, name) == 0)
			file_mkdirs(name, FOLDER_MODE);
		write_state(r, STATE_PAGES "/", step->name, buf_slice(&step->text));
		break;
	case CASE_SITE:
		write_state(r, "", STATE_SITE, buf_slice(&step->text));
		break;
	case CASE_NOW:
		r->now = step->now;
		r->changed = true;
		break;
	case CASE_MODE:
		runtime_set_mode(r->runtime, step->mode, 0);
		break;
	case CASE_EXCHANGE:
		if (r->changed && !r->c->unpublished)
			publish_now(r);
		run_exchange(r, step);
		break;
	}
}

/* ---- one case ---- */

static int
open_state(struct run *r)
{
	struct diag diag = { 0 };

	if (state_make(r->state) == -1)
		buf_addf(&r->why, "%s cannot be made\n", r->state);
	else if ((r->runtime = runtime_open(r->state, &diag)) == NULL)
		add_diag(r, &diag);
	diag_fini(&diag);
	return r->runtime == NULL ? -1 : 0;
}

static void
run_steps(struct run *r)
{
	for (const struct case_step *step = r->c->steps; step != NULL; step = step->next)
		run_step(r, step);
	runtime_set_mode(r->runtime, MODE_ENFORCE, 0);
}

/* The sentence and what differed, as comments under the failed point. */
static void
explain(const struct run *r)
{
	struct slice text = buf_slice(&r->why), line;

	printf("# %.*s\n", SLICE_ARGS(buf_slice(&r->c->sentence)));
	for (int n = 0; n < EXPLAIN_LINES && head_line(&text, &line); n++)
		printf("# %.*s\n", SLICE_ARGS(line));
	if (r->why.failed || text.len > 0)
		printf("# and more\n");
}

static void
run_fake(const struct case_file *c, const char *variant, size_t read_size)
{
	char *state = temp_dir();
	struct run r = { .c = c, .read_size = read_size, .state = state };
	struct diag diag = { 0 };

	buf_init(&r.why, WHY_MAX);
	if (open_state(&r) == 0) {
		clear_sources(&r);
		if (!c->unpublished)
			publish_now(&r);
		if ((r.fake = fake_server_start(state, buf_slice(&c->conf), &diag)) == NULL)
			add_diag(&r, &diag);
		else {
			r.preview = fake_server_preview(r.fake);
			run_steps(&r);
			buf_add_slice(&r.why, fake_server_violations(r.fake));
			check_server_log(c->log, fake_server_log(r.fake), &r.why);
		}
	}
	if (!ok(r.why.len == 0, "%s: %s", c->name, variant))
		explain(&r);
	fake_server_stop(r.fake);
	runtime_close(r.runtime);
	remove_tree(state);
	diag_fini(&diag);
	buf_fini(&r.why);
	free(state);
}

static void
skip(const struct case_file *c, const char *reason)
{
	printf("ok %d - %s: real # SKIP %s\n", ++tap_n, c->name, reason);
}

/* What the daemon advertises. */
static int
ask_preview_size(struct run *r)
{
	struct icap_reply reply;
	struct diag diag = { 0 };
	struct slice value;
	uint64_t n = 0;
	int result = -1;

	icap_reply_init(&reply);
	if (icap_client_options(r->client, &reply, &diag) == -1)
		add_diag(r, &diag);
	else if (!head_value(buf_slice(&reply.icap), SLICE("Preview"), &value) || slice_u64(value, &n) == -1)
		buf_add_str(&r->why, "OPTIONS names no preview size\n");
	else
		result = 0;
	r->preview = (int)n;
	diag_fini(&diag);
	icap_reply_fini(&reply);
	return result;
}

static void
run_real(const struct options *o, const struct case_file *c)
{
	struct run r = { .c = c, .state = o->state };
	struct buf seen;

	if (c->unpublished) {
		skip(c, "a real daemon has rules by now");
		return;
	}
	if (!slice_eq(buf_slice(&c->conf), buf_slice(&o->conf))) {
		skip(c, "it needs another c-icap.conf");
		return;
	}
	buf_init(&r.why, WHY_MAX);
	buf_init(&seen, LOG_MAX);
	r.client = icap_client_new(o->host, o->port, "firebreak");
	if (r.client != NULL && open_state(&r) == 0 && ask_preview_size(&r) == 0) {
		new_events(&r, &seen);
		clear_sources(&r);
		run_steps(&r);
	}
	if (!ok(r.why.len == 0, "%s: real", c->name))
		explain(&r);
	icap_client_free(r.client);
	runtime_close(r.runtime);
	buf_fini(&seen);
	buf_fini(&r.why);
}

static void
run_case(const struct options *o, const char *path)
{
	static const struct { const char *name; size_t read_size; } variants[] = {
		{ "as written", 0 }, { "4096-byte reads", PAGE_4K }, { "1-byte reads", 1 },
	};
	struct diag diag = { 0 };
	struct case_file *c = case_load(path, &diag);

	if (c == NULL) {
		ok(false, "%s can be read", path);
		diag_print(&diag, stdout);
	} else if (o->real)
		run_real(o, c);
	else
		for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
			run_fake(c, variants[i].name, variants[i].read_size);
	diag_fini(&diag);
	case_free(c);
}

/* ---- the command line ---- */

static int
parse_address(struct options *o, const char *text)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || (size_t)(colon - text) >= sizeof(o->host))
		return -1;
	snprintf(o->host, sizeof(o->host), "%.*s", (int)(colon - text), text);
	snprintf(o->port, sizeof(o->port), "%s", colon + 1);
	o->real = true;
	return 0;
}

/* The index of the first file; -1 when the line makes no sense. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--fake") == 0)
			continue;
		if (i + 1 == argc)
			return -1;
		if (strcmp(argv[i], "--real") == 0 && parse_address(o, argv[i + 1]) == -1)
			return -1;
		if (strcmp(argv[i], "--state") == 0)
			o->state = argv[i + 1];
		if (strcmp(argv[i], "--conf") == 0)
			buf_addf(&o->conf, "%s\n", argv[i + 1]);
		i++;
	}
	return i == argc || (o->real && o->state == NULL) ? -1 : i;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	int first;

	buf_init(&o.conf, WHY_MAX);
	if ((first = parse_options(&o, argc, argv)) == -1) {
		fprintf(stderr, "usage: replay [--fake | --real HOST:PORT --state DIR [--conf LINE]...] FILE.case...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = first; i < argc; i++)
		run_case(&o, argv[i]);
	buf_fini(&o.conf);
	return tap_done();
}
