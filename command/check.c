#include "judge/judge.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/lines.h"
#include "command/show.h"
#include "command/verb.h"
#include "inspect/digester.h"
#include "runtime/runtime.h"

enum { FLAG_FILE, FLAG_NAME, FLAG_JSON, FLAG_STEPS, FLAGS };
enum { TEXT_MAX = 1 << 20, READ_SIZE = 64 * 1024, PROGRESS_EVERY = 64 << 20, STATUS_OK = 200 };

struct check {
	const struct call	*call;
	struct generation	*g;
	int64_t			 now;
	bool			 json, steps;
};

/* What was asked about and what came out. */
struct answer {
	struct slice		 asked;		/* as typed */
	struct slice		 host;		/* for the sentence; empty for files */
	struct slice		 canonical;	/* of a URL; empty otherwise */
	const struct body_facts	*facts;		/* of a file; NULL otherwise */
	const char		*plan;		/* of a file: why it is inspected or not */
	const struct why	*why;
};

static const char *
verdict_word(const struct why *why)
{
	if (why->verdict == VERDICT_BLOCK)
		return "block";
	if (why->would_block)
		return "would block";
	return reason_unchecked(why->reason) ? "pass unchecked" : "pass";
}

static const struct rule *
rule_of(const struct why *why)
{
	return why->has_rule ? &why->rule : why->would_block ? &why->would : NULL;
}

static void
print_rule(const struct rule *rule)
{
	printf("  rule      ");
	show_rule_text(stdout, rule_id_format, rule);
	printf(", revision %" PRIu32 ", level %u, source ", rule->rev, rule->level);
	show_text(stdout, rule->source);
	if (rule->alert.len > 0)
		printf(", alert ");
	show_text(stdout, rule->alert);
	printf("\n  matches   %s %s ", rule_action_name(rule->action), rule_kind_name(rule->kind));
	show_rule_text(stdout, rule_value_format, rule);
	putchar('\n');
}

static void
print_facts(const struct answer *a)
{
	char hex[DIGEST_MAX_HEX + 1];

	if (a->facts == NULL)
		return;
	printf("  size      %" PRIu64 " bytes: %s\n", a->facts->size, a->plan);
	for (size_t i = 0; i < a->facts->n; i++) {
		digest_format(&a->facts->digests[i], hex);
		printf("  %-9s %s\n", digest_alg_name(a->facts->digests[i].alg), hex);
	}
}

static void
print_steps(struct slice steps)
{
	struct slice line;

	for (int i = 1; steps.len > 0; i++) {
		slice_cut(steps, '\n', &line, &steps);
		printf("  step %-4d ", i);
		show_text(stdout, line);
		putchar('\n');
	}
}

static void
print_text(const struct check *ch, const struct answer *a, struct slice sentence,
    struct slice steps)
{
	printf("%s: ", verdict_word(a->why));
	show_text(stdout, a->asked);
	printf("\n  because   ");
	show_text(stdout, sentence);
	putchar('\n');
	if (a->canonical.len > 0 && !slice_eq(a->canonical, a->asked)) {
		printf("  canonical ");
		show_text(stdout, a->canonical);
		putchar('\n');
	}
	if (rule_of(a->why) != NULL)
		print_rule(rule_of(a->why));
	print_facts(a);
	if (ch->steps)
		print_steps(steps);
}

static void
add_facts(json_t *j, const struct answer *a)
{
	char hex[DIGEST_MAX_HEX + 1];

	if (a->facts == NULL)
		return;
	show_json_number(j, "size", a->facts->size);
	json_object_set_new(j, "plan", json_string(a->plan));
	for (size_t i = 0; i < a->facts->n; i++) {
		digest_format(&a->facts->digests[i], hex);
		json_object_set_new(j, digest_alg_name(a->facts->digests[i].alg), json_string(hex));
	}
}

static json_t *
json_lines(struct slice text)
{
	json_t *list = json_array();
	struct slice line;

	while (text.len > 0) {
		slice_cut(text, '\n', &line, &text);
		json_array_append_new(list, show_json_text(line));
	}
	return list;
}

static int
print_json(const struct check *ch, const struct answer *a, struct slice sentence,
    struct slice steps)
{
	const struct why *why = a->why;
	enum reason reason = why->would_block ? why->would_reason : why->reason;
	json_t *j = json_object();

	json_object_set_new(j, a->facts != NULL ? "file" : "url", show_json_text(a->asked));
	if (a->canonical.len > 0)
		json_object_set_new(j, "canonical", show_json_text(a->canonical));
	json_object_set_new(j, "verdict",
	    json_string(why->verdict == VERDICT_BLOCK ? "block" : "pass"));
	json_object_set_new(j, "would_block", json_boolean(why->would_block));
	json_object_set_new(j, "unchecked", json_boolean(reason_unchecked(why->reason)));
	json_object_set_new(j, "reason", json_string(reason_name(reason)));
	json_object_set_new(j, "message", show_json_text(sentence));
	if (rule_of(why) != NULL)
		json_object_set_new(j, "rule", show_json_rule(rule_of(why)));
	add_facts(j, a);
	if (ch->steps)
		json_object_set_new(j, "steps", json_lines(steps));
	show_json_number(j, "generation", generation_number(ch->g));
	return show_json(j, false);
}

static int
print_answer(const struct check *ch, const struct answer *a)
{
	struct buf sentence, steps;
	int r = 0;

	buf_init(&sentence, TEXT_MAX);
	buf_init(&steps, TEXT_MAX);
	if (a->why->reason == REASON_NONE && a->why->has_rule && !a->why->would_block)
		buf_add_str(&sentence, "an allow rule says so");
	else
		why_format_sentence(a->why, a->host, &sentence);
	why_format_steps(ch->g, a->why, &steps);
	if (ch->json)
		r = print_json(ch, a, buf_slice(&sentence), buf_slice(&steps));
	else
		print_text(ch, a, buf_slice(&sentence), buf_slice(&steps));
	buf_fini(&sentence);
	buf_fini(&steps);
	return r == -1 ? EXIT_TROUBLE : a->why->verdict == VERDICT_BLOCK ? EXIT_FOUND : EXIT_FINE;
}

static int
check_url(void *arg, struct slice text)
{
	const struct check *ch = arg;
	struct answer a = { .asked = text };
	struct question q = { .now = ch->now };
	struct url u;
	struct why why;
	int status;

	q.url_error = url_parse(&u, a.asked);
	if (q.url_error == URL_OK) {
		q.url = &u;
		a.host = u.host;
		a.canonical = u.text;
	}
	judge_request(ch->g, (int)generation_site(ch->g)->fail_mode, &q, &why);
	a.why = &why;
	status = print_answer(ch, &a);
	if (q.url != NULL)
		url_fini(&u);
	return status;
}

/* Hash FD to its end with the algorithms of ALGS.  -1 with errno. */
static int
read_facts(int fd, unsigned algs, struct body_facts *facts)
{
	static char block[READ_SIZE];
	struct digester *d = digester_new(algs);
	uint64_t shown = PROGRESS_EVERY;
	ssize_t n;

	*facts = (struct body_facts){ 0 };
	if (d == NULL) {
		errno = ENOMEM;
		return -1;
	}
	while ((n = read(fd, block, sizeof(block))) > 0 || (n == -1 && errno == EINTR)) {
		if (n == -1)
			continue;
		digester_update(d, slice_make(block, (size_t)n));
		facts->size += (size_t)n;
		if (facts->size >= shown) {
			show_progress("%" PRIu64 " MiB", facts->size >> 20);
			shown += PROGRESS_EVERY;
		}
	}
	show_progress_end();
	if (n == 0)
		facts->n = digester_final(d, facts->digests);
	digester_free(d);
	return n == 0 ? 0 : -1;
}

/* Judge what FD holds as the service would judge it as a body: the plan first, by its length where
 * that is known. */
static int
check_fd(const struct check *ch, int fd, const char *name)
{
	struct answer a = { .asked = slice_str(name) };
	struct body_head head = { .has_body = true, .status = STATUS_OK,
		.content_length = LENGTH_UNKNOWN, .complete_length = LENGTH_UNKNOWN };
	struct inspect_plan plan;
	struct body_facts facts = { 0 };
	struct why why;
	struct stat st;

	why_init(&why);
	if (fstat(fd, &st) == -1)
		return call_fail(ch->call, "%s: %s", name, strerror(errno));
	if (S_ISREG(st.st_mode)) {
		head.content_length = st.st_size;
		facts.size = (uint64_t)st.st_size;
	}
	plan = judge_plan(ch->g, &head);
	if (plan.action == PLAN_INSPECT) {
		if (read_facts(fd, plan.algs, &facts) == -1)
			return call_fail(ch->call, "%s: %s", name, strerror(errno));
		judge_body(ch->g, &facts, ch->now, &why);
	}
	a.facts = &facts;
	a.plan = plan.because;
	a.why = &why;
	return print_answer(ch, &a);
}

static int
check_file(const struct check *ch, const char *path, const char *name)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), status;

	if (fd == -1)
		return call_fail(ch->call, "%s: %s", path, strerror(errno));
	status = check_fd(ch, fd, name != NULL ? name : path);
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}

/* The answer is what the rules say; that the service does not act on them now must not be
 * overlooked. */
static void
note_mode(const struct call *c)
{
	struct diag diag = { 0 };
	struct runtime *r = call_runtime(c, &diag);
	enum mode mode = r == NULL ? MODE_ENFORCE : runtime_mode(r, clock_ms(), NULL);

	if (mode != MODE_ENFORCE)
		fprintf(stderr, "firebreak check: note: the mode is %s: the service does not act on its"
		    " rules now\n", mode_name(mode));
	runtime_close(r);
	diag_fini(&diag);
}

static int
check_all(struct check *ch, const char *file, const char *name)
{
	int status = EXIT_FINE;

	note_mode(ch->call);
	if (file != NULL)
		return check_file(ch, file, name);
	for (int i = 0; i < ch->call->argc; i++) {
		int one = lines_do(ch->call->argv[i], check_url, ch);

		status = one > status ? one : status;
	}
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "file=", "name=", "json", "steps" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct check ch = { .call = c };
	struct diag diag = { 0 };
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((values[FLAG_FILE] != NULL) == (c->argc > 0))
		return call_misused(c, "either URLs, or --file FILE");
	if (values[FLAG_NAME] != NULL && values[FLAG_FILE] == NULL)
		return call_misused(c, "--name goes with --file");
	ch.json = values[FLAG_JSON] != NULL;
	ch.steps = values[FLAG_STEPS] != NULL;
	ch.g = call_generation(c, false, &diag);
	ch.now = judge_now(ch.g, clock_ms() / 1000);
	if (ch.g != NULL)
		status = check_all(&ch, values[FLAG_FILE], values[FLAG_NAME]);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	generation_close(ch.g);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.run = run,
	.operands = "[--json] [--steps] URL...|- | --file FILE [--name NAME]",
	.summary = "Ask the same judge offline: is this URL or file blocked, and by which rule?",
	.help =
	    "  -             read URLs from standard input, one a line\n"
	    "  --file FILE   judge a file as a download (- is standard input)\n"
	    "  --name NAME   what to call that file\n"
	    "  --steps       show each step of the decision\n"
	    "  --json        one object a line\n",
};
