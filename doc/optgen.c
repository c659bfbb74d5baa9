/* optgen - print what the option tables say, for man pages and samples: "optgen WHAT TABLE".
 *
 *	optgen names|list|sample site|service|sign	the options' names; an mdoc list; a commented sample
 *	optgen names|list|sample events		the log's keys; an mdoc list; an event with every key
 *	optgen names reasons			the words of event.reason
 *	optgen names|list counters		what the workers count
 *
 * Built for the tests: t/test_docs.sh compares pages and samples with what is printed here. */
#include <stdio.h>
#include <string.h>

#include "base/option.h"
#include "events/event.h"
#include "judge/judge.h"
#include "runtime/runtime.h"

enum { OUT_MAX = 1 << 20, USAGE = 2 };
enum { SAMPLE_SIZE = 90112, SAMPLE_COUNTER = 7, SAMPLE_NODE = 0x1234 };

static const int64_t sample_ms = INT64_C(1795418424332);	/* 2026-11-23T07:20:24.332Z */

struct service_sample {
#define OPTION	OPTION_MEMBER
#include "icap_service/service.def"
#undef OPTION
};

static const struct option service_table[] = {
#define OPTION(...)	OPTION_ROW(struct service_sample, __VA_ARGS__)
#include "icap_service/service.def"
#undef OPTION
};

struct sign_sample {
#define OPTION	OPTION_MEMBER
#include "delivery/sign.def"
#undef OPTION
};

static const struct option sign_table[] = {
#define OPTION(...)	OPTION_ROW(struct sign_sample, __VA_ARGS__)
#include "delivery/sign.def"
#undef OPTION
};

struct table {
	const char		*name;
	const char		*prefix;	/* before each name in a file */
	const struct option	*rows;
	size_t			 n;
};

static void
option_names(const struct table *t, struct buf *out)
{
	char camel[64];

	for (size_t i = 0; i < t->n; i++) {
		option_camel(t->rows[i].name, camel);
		buf_addf(out, "%s%s\n", t->prefix, camel);
	}
}

/* The table's sample; in c-icap.conf every name has the service's before it. */
static void
sample_of(const struct table *t, struct buf *out)
{
	struct slice line, text;
	struct buf plain;

	buf_init(&plain, OUT_MAX);
	option_sample(t->rows, t->n, &plain);
	for (text = buf_slice(&plain); text.len > 0; ) {
		slice_cut(text, '\n', &line, &text);
		if (line.len > 1 && line.p[0] == '#' && ascii_is_alpha(line.p[1])) {
			buf_addf(out, "#%s", t->prefix);
			line = slice_skip(line, 1);
		}
		buf_add_slice(out, line);
		buf_add_char(out, '\n');
	}
	buf_fini(&plain);
}

/* mdoc wants every sentence on a line of its own. */
static void
add_sentences(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		bool ends = i > 0 && text.p[i - 1] == '.' && text.p[i] == ' ' && i + 1 < text.len &&
		    text.p[i + 1] >= 'A' && text.p[i + 1] <= 'Z';

		buf_add_char(out, ends ? '\n' : text.p[i]);
	}
}

static void
list_of(const struct table *t, struct buf *out)
{
	struct buf plain;

	buf_init(&plain, OUT_MAX);
	option_mdoc(t->rows, t->n, &plain);
	add_sentences(buf_slice(&plain), out);
	buf_fini(&plain);
}

static int
about_options(const struct table *t, const char *what, struct buf *out)
{
	if (strcmp(what, "names") == 0)
		option_names(t, out);
	else if (strcmp(what, "list") == 0)
		list_of(t, out);
	else if (strcmp(what, "sample") == 0)
		sample_of(t, out);
	else
		return -1;
	return 0;
}

/* An event that has every field. */
static int
sample_event(struct buf *out)
{
	static const char *const hex[DIGEST_ALGS] = {
		"9abc553703f4e4fedb3ed975502a2c7a", "0123456789abcdef0123456789abcdef01234567",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};
	struct digest digests[DIGEST_ALGS];
	struct event e;

	event_init(&e);
	incident_make(sample_ms, SAMPLE_NODE, SAMPLE_COUNTER, e.id);
	e.time_ms = sample_ms;
	e.action = EVENT_KILLED;
	e.reason = "file";
	e.provider = "respmod";
	e.message = "this file is listed as harmful: patch.exe";
	e.rule_id = SLICE("alert-19190:file-1");
	e.rule_ruleset = SLICE("alert-19190");
	e.rule_version = 4;
	e.level = 4;
	e.alert = SLICE("19190");
	e.client_ip = SLICE("192.0.2.7");
	e.user = SLICE("user1");
	e.client_token = SLICE("client-k7q2vbhc-...");
	e.user_token = SLICE("user-k7q2vbhc-...");
	e.by = SLICE("uid=1000");
	e.about = SLICE("1M83ME10C4HM007J");
	e.note = SLICE("ticket 4711");
	e.method = SLICE("GET");
	e.url = SLICE("http://files.example.net/patch.exe");
	e.host = SLICE("files.example.net");
	e.status = 200;
	e.file_size = SAMPLE_SIZE;
	e.file_name = SLICE("patch.exe");
	e.file_path = SLICE("update/patch.exe");
	e.found = "member";
	for (enum digest_alg alg = 0; alg < DIGEST_ALGS; alg++) {
		if (digest_parse(alg, slice_str(hex[alg]), &digests[alg]) == -1)
			return -1;
		e.digests[alg] = &digests[alg];
	}
	e.delivered = 24576;
	e.mode = "observe";
	e.generation = 17;
	e.worker = 4711;
	e.steps = SLICE("no rule for this host or URL\n"
	    "block file 90112:md5:9abc553703f4e4fedb3ed975502a2c7a "
	    "(rule alert-19190:file-1, revision 4, level 4): this decides");
	return event_format(&e, out);
}

static void
add_field(const struct event_field *field, struct buf *out)
{
	buf_addf(out, ".It Cm %s Pq Cm %s\n", field->path, field->word);
	add_sentences(slice_str(field->help), out);
	buf_add_char(out, '\n');
}

static int
about_events(const char *what, struct buf *out)
{
	if (strcmp(what, "sample") == 0)
		return sample_event(out);
	if (strcmp(what, "list") == 0)
		buf_add_str(out, ".Bl -tag -width Ds\n");
	else if (strcmp(what, "names") != 0)
		return -1;
	for (size_t i = 0; i < event_fields_n; i++)
		if (strcmp(what, "list") == 0)
			add_field(&event_fields[i], out);
		else
			buf_addf(out, "%s\n", event_fields[i].path);
	if (strcmp(what, "list") == 0)
		buf_add_str(out, ".El\n");
	return 0;
}

static int
about_reasons(const char *what, struct buf *out)
{
	if (strcmp(what, "names") != 0)
		return -1;
	for (enum reason r = REASON_NONE + 1; r < REASONS; r++)
		buf_addf(out, "%s\n", reason_name(r));
	return 0;
}

static int
about_counters(const char *what, struct buf *out)
{
	if (strcmp(what, "names") == 0)
		for (enum counter c = 0; c < COUNTERS; c++)
			buf_addf(out, "%s\n", counter_name(c));
	else if (strcmp(what, "list") == 0) {
		buf_add_str(out, ".Bl -tag -width Ds\n");
		for (enum counter c = 0; c < COUNTERS; c++)
			buf_addf(out, ".It Cm %s\n%s\n", counter_name(c), counter_help(c));
		buf_add_str(out, ".El\n");
	} else
		return -1;
	return 0;
}

static int
about(const char *what, const char *name, struct buf *out)
{
	const struct table tables[] = {
		{ "site", "", site_options, site_options_n },
		{ "service", "firebreak.", service_table,
		    sizeof(service_table) / sizeof(service_table[0]) },
		{ "sign", "", sign_table, sizeof(sign_table) / sizeof(sign_table[0]) },
	};

	if (strcmp(name, "events") == 0)
		return about_events(what, out);
	if (strcmp(name, "reasons") == 0)
		return about_reasons(what, out);
	if (strcmp(name, "counters") == 0)
		return about_counters(what, out);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strcmp(tables[i].name, name) == 0)
			return about_options(&tables[i], what, out);
	return -1;
}

int
main(int argc, char **argv)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	if (argc != 3 || about(argv[1], argv[2], &out) == -1 || out.failed) {
		fputs("usage: optgen names|list|sample site|service|events|reasons|counters\n",
		    stderr);
		return USAGE;
	}
	fwrite(out.p, 1, out.len, stdout);
	buf_fini(&out);
	return fflush(stdout) == EOF;
}
