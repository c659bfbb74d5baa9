#include "url_rules/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "command/operand.h"
#include "command/show.h"
#include "command/verb.h"

enum { FLAG_TSV, FLAG_JSON, FLAGS };

enum form { FORM_TEXT, FORM_TSV, FORM_JSON };

/* Host and path expressions, longest first, one callback for each. */
typedef void visit_expression(void *arg, struct slice expression);

static void
visit_hosts(const struct url *u, visit_expression *visit, void *arg)
{
	struct slice host = u->host;

	do
		visit(arg, host);
	while (host_parent(&host, u->kind));
}

static void
visit_paths(const struct url *u, visit_expression *visit, void *arg)
{
	struct slice prefix = u->path_query;

	do
		visit(arg, prefix);
	while (path_prefix(&prefix));
}

static void
print_row(void *label, struct slice expression)
{
	printf("  %-6s", (const char *)label);
	show_text(stdout, expression);
	putchar('\n');
}

static void
append_text(void *array, struct slice expression)
{
	json_array_append_new(array, show_json_text(expression));
}

static void
print_text(const struct url *u, enum url_error error, struct slice raw)
{
	static char host[] = "host", path[] = "path";

	show_text(stdout, error == URL_OK ? u->text : raw);
	if (error != URL_OK) {
		printf("\n  %-6s%s\n", "error", url_strerror(error));
		return;
	}
	putchar('\n');
	visit_hosts(u, print_row, host);
	visit_paths(u, print_row, path);
}

/* Two columns whatever happened: nobody who pairs lines with lines is led astray.  -1 when it could not
 * be written. */
static int
print_tsv(const struct url *u, enum url_error error, struct slice raw)
{
	struct buf line;
	int r;

	buf_init(&line, 4 * (raw.len + (error == URL_OK ? u->text.len : 0)) + 2);
	buf_add_escaped(&line, raw);
	buf_add_char(&line, '\t');
	if (error == URL_OK)
		buf_add_escaped(&line, u->text);
	r = line.failed ? -1 : puts(line.p);
	buf_fini(&line);
	return r < 0 ? -1 : 0;
}

static int
print_json(const struct url *u, enum url_error error, struct slice raw)
{
	json_t *j = json_object(), *hosts, *paths;

	json_object_set_new(j, "input", show_json_text(raw));
	if (error != URL_OK) {
		json_object_set_new(j, "error", json_string(url_strerror(error)));
		return show_json(j, false);
	}
	json_object_set_new(j, "canonical", show_json_text(u->text));
	json_object_set_new(j, "scheme", show_json_text(u->scheme));
	json_object_set_new(j, "host", show_json_text(u->host));
	json_object_set_new(j, "port", json_integer(u->port));
	json_object_set_new(j, "path", show_json_text(u->path));
	json_object_set_new(j, "query", show_json_text(u->query));
	json_object_set_new(j, "hosts", hosts = json_array());
	json_object_set_new(j, "paths", paths = json_array());
	visit_hosts(u, append_text, hosts);
	visit_paths(u, append_text, paths);
	return show_json(j, false);
}

/* EXIT_FOUND when RAW is no URL. */
static int
show_url(struct slice raw, enum form form)
{
	struct url u;
	enum url_error error = url_parse(&u, raw);
	int r = 0;

	if (form == FORM_TSV)
		r = print_tsv(&u, error, raw);
	else if (form == FORM_JSON)
		r = print_json(&u, error, raw);
	else
		print_text(&u, error, raw);
	if (error == URL_OK)
		url_fini(&u);
	return r == -1 ? EXIT_TROUBLE : error == URL_OK ? EXIT_FINE : EXIT_FOUND;
}

/* A line of a --tsv input is escaped as the output is; one that is escaped wrongly is no URL, and keeps
 * its line. */
static int
show_tsv_line(struct slice line)
{
	static const struct url nothing;
	struct buf raw;
	int status;

	buf_init(&raw, line.len);
	if (buf_add(&raw, "", 0) == -1)
		status = EXIT_TROUBLE;
	else if (buf_add_unescaped(&raw, line) == 0)
		status = show_url(buf_slice(&raw), FORM_TSV);
	else
		status = print_tsv(&nothing, URL_NO_HOST, line) == -1 ? EXIT_TROUBLE : EXIT_FOUND;
	buf_fini(&raw);
	return status;
}

/* ARG is the form. */
static int
show_one(void *arg, struct slice raw)
{
	return show_url(raw, *(enum form *)arg);
}

/* A line of standard input may be escaped, an operand is not. */
static int
show_one_line(void *arg, struct slice line)
{
	return *(enum form *)arg == FORM_TSV ? show_tsv_line(line) : show_url(line, *(enum form *)arg);
}

static int
run(struct call *c)
{
	static const char *const flags[FLAGS] = { "tsv", "json" };
	const char *values[FLAGS];
	enum call_result result = call_flags(c, flags, FLAGS, values);
	enum form form;
	int status = EXIT_FINE;

	if (result != CALL_GO)
		return call_end(c, result);
	if (c->argc == 0)
		return call_misused(c, "which URL?");
	if (values[FLAG_TSV] != NULL && values[FLAG_JSON] != NULL)
		return call_misused(c, "--tsv or --json, not both");
	form = values[FLAG_TSV] != NULL ? FORM_TSV :
	    values[FLAG_JSON] != NULL ? FORM_JSON : FORM_TEXT;
	for (int i = 0; i < c->argc; i++) {
		bool input = strcmp(c->argv[i], "-") == 0;
		int one = operand_do(c->argv[i], input ? show_one_line : show_one, &form);

		status = one > status ? one : status;
	}
	return status;
}

const struct verb verb_url = {
	.name = "url",
	.run = run,
	.operands = "[--tsv | --json] URL...|-",
	.summary = "Show a URL's canonical form and what is looked up for it.",
	.help =
	    "  -             read URLs from standard input, one a line\n"
	    "  --tsv         input, tab, canonical form; what is not printable ASCII is written\n"
	    "                \\t \\r \\n \\\\ \\xHH, and read so from standard input\n"
	    "  --json        one object a line\n",
};
