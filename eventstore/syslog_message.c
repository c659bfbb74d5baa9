#include "eventstore/syslog_message.h"

#include "base/clock.h"
#include "events/event.h"

enum { FACILITIES = 24, SEVERITIES = 8, NOTICE = 5, WARNING = 4, MSGID_MAX = 32, VALUE_MAX = 256, MS_PER_S = 1000 };

#define BOM	"\xef\xbb\xbf"

static const char *const facilities[FACILITIES] = { "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp",
	"cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
	"local7" };
static const char *const severities[SEVERITIES] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };

static int
find(const char *const *words, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

int
syslog_facility(const char *word)
{
	return find(facilities, FACILITIES, word);
}

int
syslog_severity(const char *word)
{
	return find(severities, SEVERITIES, word);
}

/* PRINTUSASCII, of at most MAX bytes and at least one, and none of REFUSED. */
static bool
is_word(struct slice s, size_t max, const char *refused)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr(refused, s.p[i]) != NULL)
			return false;
	return s.len > 0 && s.len <= max;
}

bool
syslog_is_host(const char *text)
{
	return is_word(slice_str(text), SYSLOG_HOST_MAX, "");
}

bool
syslog_is_sd_id(const char *text)
{
	struct slice name, number;
	uint64_t n;

	return is_word(slice_str(text), SYSLOG_SD_ID_MAX, "=]\"") && slice_cut(slice_str(text), '@', &name, &number) &&
	    name.len > 0 && slice_u64(number, &n) == 0;
}

static int
severity_of(const struct syslog_style *style, struct slice action)
{
	static const enum event_action refused[] = { EVENT_BLOCKED, EVENT_KILLED, EVENT_MARKED, EVENT_PASSED_UNCHECKED };

	if (style->severity != SYSLOG_SEVERITY_BY_ACTION)
		return style->severity;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (slice_eq(action, slice_str(event_action_name(refused[i]))))
			return WARNING;
	return NOTICE;
}

/* PARAM-VALUE (RFC 5424 6.3.3): UTF-8 without controls, three characters escaped.  A long one only the JSON has. */
static void
add_param(struct buf *out, const char *name, struct slice value)
{
	char space[VALUE_MAX];
	struct buf text;

	buf_init_in(&text, space, sizeof(space), sizeof(space));
	if (value.len > 0 && buf_add_utf8(&text, value) == 0) {
		buf_addf(out, " %s=\"", name);
		for (size_t i = 0; i < text.len; i++) {
			if (strchr("\"\\]", text.p[i]) != NULL)
				buf_add_char(out, '\\');
			buf_add_char(out, text.p[i]);
		}
		buf_add_char(out, '"');
	}
	buf_fini(&text);
}

/* All up to the end of the structured data, with the first WORDS of ROW's. */
static void
add_head(struct buf *out, const struct syslog_style *style, const struct event_row *row, int words)
{
	struct slice action = row->words[EVENT_WORD_ACTION];
	char date[CLOCK_TEXT] = "-";

	if (row->ms >= 0 && row->ms / MS_PER_S <= CLOCK_LAST_S)
		clock_format_ms(row->ms, date);
	buf_addf(out, "<%d>1 %s %s firebreak - ", style->facility * SEVERITIES + severity_of(style, action), date, style->host);
	buf_add_slice(out, is_word(action, MSGID_MAX, "") ? action : SLICE("-"));
	buf_addf(out, " [%s id=\"%s\"", style->sd_id, row->id);
	for (int w = 0; w < words; w++)
		add_param(out, event_word_name((enum event_word)w), row->words[w]);
}

int
syslog_message(const struct syslog_style *style, const struct event_row *row, struct slice json, struct buf *out)
{
	static const struct slice end = SLICE("] ");
	size_t begin = out->len, extra = end.len + (style->bom ? strlen(BOM) : 0);

	add_head(out, style, row, EVENT_WORDS);
	if (out->len - begin + extra + json.len > style->max) {
		/* With action and reason alone it is shorter than any receiver's limit (SYSLOG_SIZE_MIN). */
		out->len = begin;
		add_head(out, style, row, EVENT_WORD_REASON + 1);
		buf_addf(out, " omitted=\"%zu\"]", json.len);
		return out->failed ? -1 : 1;
	}
	buf_add_slice(out, end);
	if (style->bom)
		buf_add_str(out, BOM);
	buf_add_slice(out, json);
	return out->failed ? -1 : 0;
}
