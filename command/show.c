#include "command/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ruleset/rule.h"

enum { TEXT_MAX = 16 << 20, PROGRESS_MAX = 200 };

static void
show(FILE *f, struct slice text, const char *kept)
{
	while (text.len > 0) {
		size_t n = utf8_sequence(text);

		if (n == 1 && *text.p != '\0' && strchr(kept, *text.p) != NULL)
			fputc(*text.p, f);
		else if (n > 0 && !utf8_misleads(text, n))
			fwrite(text.p, 1, n, f);
		else
			for (size_t i = 0; i < (n > 0 ? n : 1); i++)
				fprintf(f, "\\x%02x", (unsigned char)text.p[i]);
		text = slice_skip(text, n > 0 ? n : 1);
	}
}

void
show_text(FILE *f, struct slice text)
{
	show(f, text, "");
}

void
show_lines(FILE *f, struct slice text)
{
	show(f, text, "\n\t");
}

void
show_row(const char *label, struct slice text)
{
	if (text.len == 0)
		return;
	printf("%-12s", label);
	show_text(stdout, text);
	putchar('\n');
}

const char *
show_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

json_t *
show_json_text(struct slice text)
{
	struct buf b;
	json_t *j;

	buf_init(&b, TEXT_MAX);
	buf_add_utf8(&b, text);
	j = json_stringn(b.failed || b.len == 0 ? "" : b.p, b.failed ? 0 : b.len);
	buf_fini(&b);
	return j;
}

static void
set_text(json_t *j, const char *key, struct slice text)
{
	if (text.len > 0)
		json_object_set_new(j, key, show_json_text(text));
}

void
show_json_number(json_t *j, const char *key, uint64_t n)
{
	json_object_set_new(j, key, json_integer((json_int_t)n));
}

void
show_json_date(json_t *j, const char *key, int64_t seconds)
{
	char date[CLOCK_TEXT];

	if (seconds == 0)
		return;
	clock_format_s(seconds, date);
	json_object_set_new(j, key, json_string(date));
}

/* What FORMAT says of RULE. */
static void
set_formatted(json_t *j, const char *key, int format(const struct rule *rule, struct buf *out), const struct rule *rule)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (format(rule, &text) == 0)
		set_text(j, key, buf_slice(&text));
	buf_fini(&text);
}

void
show_rule_text(FILE *f, int format(const struct rule *rule, struct buf *out), const struct rule *rule)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (format(rule, &text) == 0)
		show_text(f, buf_slice(&text));
	buf_fini(&text);
}

json_t *
show_json_rule(const struct rule *rule)
{
	json_t *j = json_object();

	set_formatted(j, "id", rule_id_format, rule);
	show_json_number(j, "rev", rule->rev);
	json_object_set_new(j, "action", json_string(rule_action_name(rule->action)));
	json_object_set_new(j, "kind", json_string(rule_kind_name(rule->kind)));
	set_formatted(j, "value", rule_value_format, rule);
	show_json_number(j, "level", rule->level);
	show_json_date(j, "published", rule->published);
	show_json_date(j, "expires", rule->expires);
	set_text(j, "source", rule->source);
	set_text(j, "alert", rule->alert);
	set_text(j, "name", rule->name);
	set_text(j, "container", rule->container);
	set_text(j, "note", rule->note);
	return j;
}

static json_t *
json_finding(const struct diag_entry *e)
{
	json_t *j = json_object();

	json_object_set_new(j, "level", json_string(diag_level_name(e->level)));
	if (e->file != NULL)
		set_text(j, "file", slice_str(e->file));
	if (e->line > 0)
		show_json_number(j, "line", e->line);
	if (e->col > 0)
		show_json_number(j, "column", e->col);
	json_object_set_new(j, "text", show_json_text(slice_str(e->text)));
	return j;
}

json_t *
show_json_findings(const struct diag *diag)
{
	json_t *j = json_array();

	for (size_t i = 0; i < diag->n; i++)
		json_array_append_new(j, json_finding(&diag->v[i]));
	return j;
}

int
show_json(json_t *j, bool indented)
{
	/* In ASCII, since it may go to a terminal: what would mislead there is an escape then. */
	size_t style = JSON_ENSURE_ASCII | (indented ? JSON_INDENT(2) : JSON_COMPACT);
	int r = j == NULL ? -1 : json_dumpf(j, stdout, style);

	json_decref(j);
	if (r == -1)
		fputs("firebreak: the JSON could not be written\n", stderr);
	else
		putchar('\n');
	return r;
}

void
show_progress(const char *fmt, ...)
{
	char text[PROGRESS_MAX];
	va_list ap;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
}

void
show_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
