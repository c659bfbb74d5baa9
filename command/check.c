#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/caller.h"
#include "command/operand.h"
#include "command/show.h"
#include "command/verb.h"
#include "inspect/claims.h"
#include "judge/findings.h"
#include "ruleset/overview.h"

enum { FLAG_FILE, FLAG_NAME, FLAG_CODING, FLAG_HELPER, FLAG_CLIENT, FLAG_USER, FLAG_JSON, FLAG_STEPS, FLAGS };
enum { TEXT_MAX = 1 << 20, READ_SIZE = 64 * 1024, PROGRESS_EVERY = 64 << 20, STATUS_OK = 200, START_SIZE = 4096 };

struct check {
	const struct call	*call;
	struct generation	*g;
	int64_t			 now;
	bool			 json, steps;
	const char		*file, *name, *coding;	/* of --file; NULL */
	struct inspect_means	 means;
	struct file_names	 names;		/* that the file would get */
	struct asker		 asker;		/* for exceptions */
};

/* What was asked about and what came out. */
struct answer {
	struct slice		 asked;		/* as typed */
	struct slice		 host;		/* for the sentence; empty for files */
	struct slice		 canonical;	/* of a URL; empty otherwise */
	const struct body_facts	*facts;		/* of a file; NULL otherwise */
	const char		*plan;		/* of a file: why it is inspected or not */
	enum file_type		 type;
	unsigned		 findings;	/* of a file: how many things in it were judged */
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
	printf("  plan      %s: %s\n", file_type_name(a->type), a->plan);
	if (a->facts->kind == FINDING_MEMBER) {
		printf("  member    ");
		show_text(stdout, a->facts->member.len > 0 ? a->facts->member : slice_str("(without a name)"));
		printf(", %u deep\n", a->facts->depth);
	}
	printf("  size      %" PRIu64 " bytes%s\n", a->facts->size, a->facts->kind == FINDING_DECODED ? ", decoded" : "");
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
	if (why_rule(a->why) != NULL)
		print_rule(why_rule(a->why));
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
	json_object_set_new(j, "type", json_string(file_type_name(a->type)));
	show_json_number(j, "findings", a->findings);
	if (a->facts->kind != FINDING_SENT)
		json_object_set_new(j, "found", json_string(a->facts->kind == FINDING_MEMBER ? "member" : "decoded"));
	if (a->facts->kind == FINDING_MEMBER)
		json_object_set_new(j, "member", show_json_text(a->facts->member));
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
	if (why_rule(why) != NULL)
		json_object_set_new(j, "rule", show_json_rule(why_rule(why)));
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
	struct asker asker = ch->asker;
	struct answer a = { .asked = text };
	struct question q = { .now = ch->now, .asker = &asker };
	struct url u;
	struct why why;
	int status;

	q.url_error = url_parse(&u, a.asked);
	if (q.url_error == URL_OK) {
		q.url = &u;
		a.host = asker.host = u.host;
		a.canonical = u.text;
	}
	judge_request(ch->g, (int)generation_site(ch->g)->fail_mode, &q, &why);
	a.why = &why;
	status = print_answer(ch, &a);
	if (q.url != NULL)
		url_fini(&u);
	return status;
}

/* The next bytes of FD into BLOCK, as many as there is room for unless it ends; -1 with errno. */
static ssize_t
read_block(int fd, char *block, size_t size)
{
	size_t got = 0;
	ssize_t n = 1;

	while (got < size && n != 0) {
		n = read(fd, block + got, size - got);
		if (n == -1 && errno != EINTR)
			return -1;
		got += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)got;
}

/* Put all of FD through I, of which BLOCK holds the first N bytes.  -1 with errno. */
static int
inspect_fd(struct inspector *i, int fd, char *block, ssize_t n)
{
	uint64_t seen = 0, shown = PROGRESS_EVERY;

	for (; n > 0 && !inspector_stopped(i); n = read_block(fd, block, READ_SIZE)) {
		inspector_update(i, slice_make(block, (size_t)n), true);
		if ((seen += (size_t)n) >= shown) {
			show_progress("%" PRIu64 " MiB", seen >> 20);
			shown += PROGRESS_EVERY;
		}
	}
	show_progress_end();
	if (n == -1)
		return -1;
	if (!inspector_stopped(i))
		inspector_end(i);
	return 0;
}

/* Answer A for what I found in a body of SIZE, as the service would. */
static int
answer_findings(const struct check *ch, struct answer *a, const struct inspector *i, const struct findings *f, uint64_t size)
{
	const struct judged *kept = findings_kept(f);
	struct body_facts facts = { .size = size };
	struct why why;

	a->findings = f->n;
	if (kept != NULL) {
		a->facts = &kept->facts;
		a->why = &kept->why;
	}
	if (inspector_unscannable(i) != UNSCANNABLE_NO && !inspector_stopped(i) && (kept == NULL || !kept->why.would_block)) {
		if (inspector_unscannable(i) == UNSCANNABLE_HELPER && access(ch->means.helper, X_OK) == -1)
			return call_fail(ch->call, "%s: %s: without it nothing is seen of archives; --helper says where it is",
			    ch->means.helper, strerror(errno));
		judge_unscannable(ch->g, inspector_unscannable(i), &why);
		a->facts = &facts;
		a->why = &why;
	}
	return print_answer(ch, a);
}

/* Judge what FD holds, N bytes of it in BLOCK, by PLAN. */
static int
check_inspected(const struct check *ch, struct answer *a, struct inspect_plan *plan, int fd, char *block, ssize_t n)
{
	struct findings *f = malloc(sizeof(*f));
	struct inspector *i = NULL;
	int status;

	if (f != NULL) {
		findings_init(f, ch->g, ch->now, true, plan->named ? &ch->names : NULL, &ch->asker);
		plan->wish.may_be_listed = findings_may_be_listed;
		i = inspector_new(&plan->wish, &ch->means, findings_found, f);
	}
	if (i == NULL)
		status = call_fail(ch->call, "out of memory");
	else if (inspect_fd(i, fd, block, n) == -1)
		status = call_fail(ch->call, "%s: %s", ch->file, strerror(errno));
	else
		status = answer_findings(ch, a, i, f, a->facts->size);
	inspector_free(i);
	free(f);
	return status;
}

/* Judge what FD holds as the service would judge it as a body: the plan first, by its length where that is known. */
static int
check_fd(const struct check *ch, int fd)
{
	static char block[READ_SIZE];
	char start[START_SIZE];
	struct answer a = { .asked = slice_str(ch->name) };
	struct body_head head = { .has_body = true, .status = STATUS_OK, .content_length = LENGTH_UNKNOWN,
		.complete_length = LENGTH_UNKNOWN, .claims_file = is_file_name(slice_str(ch->name)),
		.names = &ch->names };
	struct body_facts facts = { 0 };
	struct inspect_plan plan;
	struct why why;
	struct stat st;
	ssize_t n;

	why_init(&why);
	if (fstat(fd, &st) == -1 || (n = read_block(fd, block, sizeof(block))) == -1)
		return call_fail(ch->call, "%s: %s", ch->file, strerror(errno));
	if (S_ISREG(st.st_mode)) {
		head.content_length = st.st_size;
		facts.size = (uint64_t)st.st_size;
	}
	codings_add(&head.codings, slice_str(ch->coding));
	a.type = file_type_of(decode_start(&head.codings, slice_head(slice_make(block, (size_t)n), START_SIZE), start, sizeof(start)),
	    head.codings.n == 0 && n < START_SIZE);
	plan = judge_plan(ch->g, &head, a.type);
	a.facts = &facts;
	a.plan = plan.because;
	a.why = &why;
	return plan.action == PLAN_INSPECT ? check_inspected(ch, &a, &plan, fd, block, n) : print_answer(ch, &a);
}

static int
check_file(struct check *ch)
{
	int fd = strcmp(ch->file, "-") == 0 ? STDIN_FILENO : caller_open(ch->file, O_RDONLY | O_CLOEXEC), status;

	if (fd == -1)
		return call_fail(ch->call, "%s: %s", ch->file, strerror(errno));
	if (ch->name == NULL)
		ch->name = ch->file;
	file_names_add(&ch->names, slice_str(ch->name));
	status = check_fd(ch, fd);
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
	struct runtime *r = overview_runtime(c->state, &diag);
	enum mode mode = r == NULL ? MODE_ENFORCE : runtime_mode(r, clock_ms(), NULL);

	if (mode != MODE_ENFORCE)
		fprintf(stderr, "firebreak check: note: the mode is %s: the service does not act on its"
		    " rules now\n", mode_name(mode));
	runtime_close(r);
	diag_fini(&diag);
}

static int
check_all(struct check *ch)
{
	int status = EXIT_FINE;

	note_mode(ch->call);
	if (ch->file != NULL)
		return check_file(ch);
	for (int i = 0; i < ch->call->argc; i++) {
		int one = operand_do(ch->call->argv[i], check_url, ch);

		status = one > status ? one : status;
	}
	return status;
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "file=", "name=", "content-encoding=", "helper=", "client=", "user=", "json", "steps" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	struct check ch = { .call = c, .names = { 0 } };
	struct diag diag = { 0 };
	struct pseudonyms *keys = NULL;
	int status = EXIT_TROUBLE;

	if (result != CALL_GO)
		return call_end(c, result);
	if ((values[FLAG_FILE] != NULL) == (c->argc > 0))
		return call_misused(c, "either URLs, or --file FILE");
	if (values[FLAG_FILE] == NULL && (values[FLAG_NAME] != NULL || values[FLAG_CODING] != NULL || values[FLAG_HELPER] != NULL))
		return call_misused(c, "--name, --content-encoding and --helper go with --file");
	ch.file = values[FLAG_FILE];
	ch.name = values[FLAG_NAME];
	ch.coding = values[FLAG_CODING];
	ch.means.helper = values[FLAG_HELPER] != NULL ? values[FLAG_HELPER] : INSPECT_HELPER;
	ch.means.spool_dir = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : P_tmpdir;
	ch.asker.client = slice_str(values[FLAG_CLIENT]);
	ch.asker.user = slice_str(values[FLAG_USER]);
	ch.asker.pseudonyms = keys = call_pseudonyms(c);
	ch.json = values[FLAG_JSON] != NULL;
	ch.steps = values[FLAG_STEPS] != NULL;
	ch.g = overview_generation(c->state, false, &diag);
	ch.now = judge_now(ch.g, clock_ms() / 1000);
	if (ch.g != NULL)
		status = check_all(&ch);
	diag_print(&diag, stderr);
	diag_fini(&diag);
	generation_close(ch.g);
	pseudonyms_free(keys);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.run = run,
	.operands = "[--json] [--steps] [--client ADDRESS] [--user NAME] URL...|- | --file FILE [--name NAME] [--content-encoding CODING]",
	.summary = "Ask the same judge offline: is this URL or file blocked, and by which rule?",
	.help =
	    "  -             read URLs from standard input, one a line\n"
	    "  --file FILE   judge a file as a download (- is standard input)\n"
	    "  --name NAME   what to call that file\n"
	    "  --content-encoding CODING   it was sent with this coding: gzip, deflate, br, zstd\n"
	    "  --helper PATH the program that looks into archives, when not the installed one\n"
	    "  --client ADDRESS, --user NAME   who asks: there may be exceptions\n"
	    "  --steps       show each step of the decision\n"
	    "  --json        one object a line\n",
};
