/* An event as a message of RFC 5424: what strangers chose ends no value, and the JSON is there byte for byte or not at all. */
#include <stdlib.h>

#include "eventstore/syslog_message.h"
#include "t/tap.h"

#define HEAD	"1 2026-11-23T07:20:24.332Z proxy1 firebreak - "
#define ID	"[firebreak@32473 id=\"1M83ME10C4HM007J\""

enum { ROOM = 1 << 20 };

static const struct syslog_style usual = { .facility = 16, .severity = SYSLOG_SEVERITY_BY_ACTION, .max = 8192,
	.sd_id = "firebreak@32473", .host = "proxy1" };

static struct event_row
row_of(const char *action)
{
	struct event_row row = { .id = "1M83ME10C4HM007J" };

	row.ms = incident_ms(row.id);
	row.words[EVENT_WORD_ACTION] = slice_str(action);
	return row;
}

static void
is_message(const struct syslog_style *style, const struct event_row *row, struct slice json, struct slice expected,
    const char *name)
{
	struct buf b;

	buf_init(&b, ROOM);
	is_int(syslog_message(style, row, json, &b), 0, name);
	is_slice(buf_slice(&b), expected, name);
	buf_fini(&b);
}

static void
test_header(void)
{
	static const struct { const char *action, *expected; } rows[] = {
		{ "blocked", "<132>" HEAD "blocked " ID " action=\"blocked\"] {}" },
		{ "would_block", "<133>" HEAD "would_block " ID " action=\"would_block\"] {}" },
		{ "passed_unchecked", "<132>" HEAD "passed_unchecked " ID " action=\"passed_unchecked\"] {}" },
		{ "", "<133>" HEAD "- " ID "] {}" },
		{ "a b", "<133>" HEAD "- " ID " action=\"a b\"] {}" },
		{ "an_action_of_more_than_32_letters_", "<133>" HEAD "- " ID " action=\"an_action_of_more_than_32_letters_\"] {}" },
		{ "x\n<0>1 - -", "<133>" HEAD "- " ID " action=\"x\\\\x0a<0>1 - -\"] {}" },
	};
	struct syslog_style style = usual;
	struct event_row row;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		row = row_of(rows[i].action);
		is_message(&usual, &row, SLICE("{}"), slice_str(rows[i].expected), rows[i].action);
	}
	row = row_of("blocked");
	style.severity = 0;
	style.facility = 0;
	style.bom = true;
	is_message(&style, &row, SLICE("{}"),
	    SLICE("<0>" HEAD "blocked " ID " action=\"blocked\"] \xef\xbb\xbf{}"), "with a byte order mark");
	row.ms = -1;
	is_message(&usual, &row, SLICE("{}"),
	    SLICE("<132>1 - proxy1 firebreak - blocked " ID " action=\"blocked\"] {}"), "no moment of ours");
}

static void
test_values(void)
{
	static const struct { struct slice value, expected; const char *name; } rows[] = {
		{ SLICE("alert-19190:2"), SLICE("alert-19190:2"), "a rule" },
		{ SLICE("a\"b]c\\d"), SLICE("a\\\"b\\]c\\\\d"), "what is escaped" },
		{ SLICE("\r\n\0\x1b["), SLICE("\\\\x0d\\\\x0a\\\\x00\\\\x1b["), "controls" },
		{ SLICE("\xff\xfe"), SLICE("\\\\xff\\\\xfe"), "no UTF-8" },
		{ SLICE("b\xc3\xbc" "cher"), SLICE("b\xc3\xbc" "cher"), "UTF-8" },
		{ SLICE("] <0>1 x"), SLICE("\\] <0>1 x"), "a message of its own" },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct event_row row = row_of("blocked");

		row.words[EVENT_WORD_RULE] = guard_copy(rows[i].value);
		snprintf(text, sizeof(text), "<132>" HEAD "blocked " ID " action=\"blocked\" rule=\"%.*s\"] {\"x\":1}",
		    SLICE_ARGS(rows[i].expected));
		is_message(&usual, &row, SLICE("{\"x\":1}"), slice_str(text), rows[i].name);
	}
}

/* To the byte at which the JSON does not fit any more; and whatever the words are, the short form fits. */
static void
test_sizes(void)
{
	static char long_word[70000], json[70000];
	struct event_row row = row_of("blocked");
	struct syslog_style style = usual;
	char expected[256];
	struct buf b;
	size_t room;

	memset(long_word, ']', sizeof(long_word));
	memset(json, 'j', sizeof(json));
	room = usual.max - strlen("<132>" HEAD "blocked " ID " action=\"blocked\"] ");
	buf_init(&b, ROOM);
	syslog_message(&usual, &row, slice_make(json, room), &b);
	is_int((long long)b.len, (long long)usual.max, "a message of the longest");
	buf_reset(&b);
	is_int(syslog_message(&usual, &row, slice_make(json, room + 1), &b), 1, "left out");
	snprintf(expected, sizeof(expected), "<132>" HEAD "blocked " ID " action=\"blocked\" omitted=\"%zu\"]", room + 1);
	is_slice(buf_slice(&b), slice_str(expected), "a byte more");
	for (int w = 0; w < EVENT_WORDS; w++)
		row.words[w] = slice_make(long_word, 120);
	style.max = SYSLOG_SIZE_MIN;
	buf_reset(&b);
	syslog_message(&style, &row, slice_make(json, sizeof(json)), &b);
	ok(b.len <= SYSLOG_SIZE_MIN && slice_ends(buf_slice(&b), SLICE(" omitted=\"70000\"]")), "with long words, too");
	buf_reset(&b);
	row.words[EVENT_WORD_USER] = slice_make(long_word, sizeof(long_word));
	is_int(syslog_message(&usual, &row, SLICE("{}"), &b), 0, "a word that is too long for a value");
	ok(slice_search(buf_slice(&b), SLICE(" user=")) == b.len && slice_ends(buf_slice(&b), SLICE("] {}")),
	    "only the JSON has it");
	buf_fini(&b);
	buf_init(&b, 100);
	is_int(syslog_message(&usual, &row, SLICE("{}"), &b), -1, "no room");
	buf_fini(&b);
}

static void
test_words(void)
{
	is_int(syslog_facility("kern"), 0, "kern");
	is_int(syslog_facility("local7"), 23, "local7");
	is_int(syslog_facility("LOCAL7"), -1, "no such facility");
	is_int(syslog_severity("debug"), 7, "debug");
	is_int(syslog_severity("warn"), -1, "no such severity");
	ok(syslog_is_sd_id("a@1") && syslog_is_sd_id("firebreak@32473"), "an SD-ID");
	for (const char *const *bad = (const char *const[]){ "", "a", "@1", "a@", "a@x", "a b@1", "a=@1", "a]@1", "a\"@1",
	    "a@12345678901234567890123456789012", NULL }; *bad != NULL; bad++)
		ok(!syslog_is_sd_id(*bad), "no SD-ID: %s", *bad);
	ok(syslog_is_host("proxy-1.example") && !syslog_is_host("") &&
	    !syslog_is_host("a b") && !syslog_is_host("b\xc3\xbc"), "a host");
}

int
main(void)
{
	test_header();
	test_values();
	test_sizes();
	test_words();
	return tap_done();
}
