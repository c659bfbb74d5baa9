#include "command/lookalike_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "command/lookalike_log.h"
#include "command/show.h"

enum { SENTENCE_MAX = 4096 };

#define SECOND_MS	1000

static void
add_sentence(const struct lookalike_summary *s, struct buf *out)
{
	if (s->worst.level == LOOKALIKE_OFF)
		buf_add_str(out, "no longer found");
	else
		lookalike_format(&s->worst, out);
}

static int
print_json(const struct lookalike_summary *s, const char *first, const char *last, struct slice sentence)
{
	json_t *j = json_object();

	json_object_set_new(j, "registrable", show_json_text(s->registrable));
	show_json_number(j, "refused", s->refused);
	show_json_number(j, "would_refuse", s->would);
	show_json_number(j, "hosts", s->hosts);
	show_json_number(j, "clients", s->clients);
	json_object_set_new(j, "first", json_string(first));
	json_object_set_new(j, "last", json_string(last));
	json_object_set_new(j, "class", json_string(lookalike_class_name(s->worst.class)));
	json_object_set_new(j, "target", show_json_text(s->worst.target));
	json_object_set_new(j, "host", show_json_text(s->host));
	json_object_set_new(j, "message", show_json_text(sentence));
	if (s->wave.found)
		json_object_set_new(j, "wave", show_json_text(s->wave.domain));
	return show_json(j, false);
}

static int
print_summary(const struct scan *scan, const struct lookalike_summary *s)
{
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	struct buf sentence;
	int result = 0;

	buf_init(&sentence, SENTENCE_MAX);
	add_sentence(s, &sentence);
	clock_format_s(s->first_ms / SECOND_MS, first);
	clock_format_s(s->last_ms / SECOND_MS, last);
	if (scan->form == SCAN_JSON) {
		result = print_json(s, first, last, buf_slice(&sentence));
	} else if (scan->form == SCAN_TSV) {
		show_text(stdout, s->registrable);
		printf("\t%zu\t%zu\t%zu\t%zu\t%s\t%s\t%s\t", s->refused, s->would, s->hosts, s->clients, first, last,
		    lookalike_class_name(s->worst.class));
		show_text(stdout, s->worst.target.len > 0 ? s->worst.target : SLICE("-"));
		putchar('\t');
		show_text(stdout, s->host);
		putchar('\t');
		show_text(stdout, buf_slice(&sentence));
		putchar('\t');
		show_text(stdout, s->wave.found ? s->wave.domain : SLICE("-"));
		putchar('\n');
	} else {
		show_text(stdout, s->registrable);
		printf(": %zu refused, %zu would have been; %zu host%s, %zu client%s, %s to %s\n  ", s->refused, s->would, s->hosts,
		    show_s(s->hosts), s->clients, show_s(s->clients), first, last);
		show_text(stdout, s->host);
		putchar(' ');
		show_text(stdout, buf_slice(&sentence));
		putchar('\n');
		if (s->wave.found) {
			printf("  a wave; all of it: firebreak block .");
			show_text(stdout, s->wave.domain);
			putchar('\n');
		}
	}
	buf_fini(&sentence);
	return result;
}

int
lookalike_report(const struct scan *scan, const char *path, int64_t since_ms, struct diag *diag)
{
	struct lookalike_log log = { .lookalike = scan->lookalike, .levels = scan->levels, .since_ms = since_ms };
	struct lookalike_summary *all = NULL;
	size_t n = 0;
	int result = lookalike_log_read(&log, path, diag);

	if (result == 0 && (result = lookalike_log_sum(&log, &all, &n)) == -1)
		diag_error(diag, "out of memory");
	for (size_t i = 0; result == 0 && i < n; i++)
		result = print_summary(scan, &all[i]);
	if (log.lost > 0)
		diag_add(diag, DIAG_NOTE, NULL, 0, 0, "%zu events more than fit are left out", log.lost);
	if (result == 0 && log.unread > 0)
		result = 1;
	free(all);
	lookalike_log_fini(&log);
	return result;
}
