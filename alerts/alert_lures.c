#include "alerts/alert_part.h"

#include <stdlib.h>

/* How a line begins that is about the mails again, after a sample of one.  Alerts do not mark where a sample ends. */
static const struct slice body_ends[] = {
	SLICE("Malicious software"), SLICE("The malicious "), SLICE("Cisco Security Intelligence"),
	SLICE("Cisco IronPort"),
	SLICE("Cisco Threat"), SLICE("Cisco content security"), SLICE("E-mail messages that"),
	SLICE("Email messages that"),
	SLICE("E-mail messages related"), SLICE("Email messages related"), SLICE("The following text"),
	SLICE("The following is a sample"), SLICE("The following are samples"), SLICE("Another version of"),
	SLICE("Another variant of"), SLICE("A variant of"), SLICE("A second "), SLICE("A third "),
	SLICE("The text in the e"),
	SLICE("IntelliShield ID"), SLICE("Alert ID"), SLICE("Threat Type"), SLICE("RuleID"),
};

/* What a line says, as a whole, where the text turns to something else. */
static const struct { struct slice name; enum alert_region region; } headings[] = {
	{ SLICE("Related Links"), REGION_REFERENCE }, { SLICE("Related Information"), REGION_REFERENCE },
	{ SLICE("References"), REGION_REFERENCE }, { SLICE("Additional Information"), REGION_REFERENCE },
	{ SLICE("Alert History"), REGION_REFERENCE }, { SLICE("Revision History"), REGION_REFERENCE },
	{ SLICE("Product Sets"), REGION_REFERENCE }, { SLICE("Legal Disclaimer"), REGION_REFERENCE },
	{ SLICE("Description"), REGION_PROSE }, { SLICE("Version Summary"), REGION_PROSE },
	{ SLICE("Technical Information"), REGION_PROSE }, { SLICE("Impact"), REGION_PROSE },
	{ SLICE("Safeguards"), REGION_PROSE }, { SLICE("Indicators"), REGION_PROSE },
};

struct lures {
	struct alert		*a;
	const struct alert_text	*t;
	enum alert_region	 region;
	bool			 open;		/* a subject or a body was seen and is not yet in A */
	bool			 wants_subject;	/* "Subject:" stood alone on its line */
	struct slice		 subject;
	size_t			 body_from;	/* offset; 0 when the lure has no body */
	size_t			 body_to;
	size_t			 lost;
};

static bool
heading(struct slice line, enum alert_region *region)
{
	if (line.len > 0 && line.p[line.len - 1] == ':')
		line = slice_trim(slice_head(line, line.len - 1));
	for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++)
		if (slice_ieq(line, headings[i].name)) {
			*region = headings[i].region;
			return true;
		}
	return false;
}

/* A sample mail's body is over before LINE. */
static bool
ends_body(struct slice line)
{
	struct slice word = line;

	while (word.len > 0 && strchr(".,:", word.p[word.len - 1]) != NULL)
		word.len--;
	if (slice_ieq(word, SLICE("And")) || slice_ieq(word, SLICE("Or")))
		return true;
	for (size_t i = 0; i < sizeof(body_ends) / sizeof(body_ends[0]); i++)
		if (slice_istarts(line, body_ends[i]))
			return true;
	return slice_isearch(line, SLICE("RuleID")) < line.len || slice_isearch(line, SLICE("MD5")) < line.len ||
	    slice_isearch(line, SLICE("a file size of")) < line.len;
}

/* The lure that is being read is complete: into the record. */
static int
lure_close(struct lures *l)
{
	struct alert_lure item = { NULL, NULL };
	bool open = l->open;

	l->open = l->wants_subject = false;
	l->region = REGION_PROSE;
	if (!open)
		return 0;
	if (l->a->n_lures == ALERT_ITEMS_MAX) {
		l->lost++;
		return 0;
	}
	if (l->subject.len > 0)
		item.subject = alert_dup_line(l->subject);
	if (l->body_from > 0)
		item.body = alert_dup(slice_make(l->t->clean.p + l->body_from, l->body_to - l->body_from));
	if ((l->subject.len > 0 && item.subject == NULL) || (l->body_from > 0 && item.body == NULL)) {
		free(item.subject);
		free(item.body);
		return -1;
	}
	if (item.body != NULL && item.body[0] == '\0') {
		free(item.body);
		item.body = NULL;
	}
	return item.subject == NULL && item.body == NULL ? 0 : alert_add_lure(l->a, &item);
}

static int
lure_subject(struct lures *l, struct slice subject)
{
	if (lure_close(l) == -1)
		return -1;
	l->open = true;
	l->subject = subject;
	l->wants_subject = subject.len == 0;
	l->body_from = 0;
	return 0;
}

static int
lure_body(struct lures *l, struct slice rest, size_t line_end)
{
	if (!l->open || l->body_from > 0)
		if (lure_subject(l, slice_make(NULL, 0)) == -1)
			return -1;
	l->wants_subject = false;
	l->region = REGION_LURE;
	/* The body begins behind the label, on this line or the next. */
	l->body_from = rest.len > 0 ? (size_t)(rest.p - l->t->clean.p) : line_end;
	l->body_to = line_end;
	return 0;
}

/* Take LINE (trimmed), which ends at offset END; what it is goes to *REGION. */
static int
lure_line(struct lures *l, struct slice line, size_t end, uint8_t *region)
{
	enum alert_region next;
	struct slice rest;

	if (alert_label(line, SLICE("Subject"), &rest) || alert_label(line, SLICE("Subject line"), &rest)) {
		*region = REGION_REFERENCE;
		return lure_subject(l, rest);
	}
	if (alert_label(line, SLICE("Message Body"), &rest) || alert_label(line, SLICE("Message Text"), &rest)) {
		*region = REGION_LURE;
		return lure_body(l, rest, end);
	}
	if (heading(line, &next)) {
		if (lure_close(l) == -1)
			return -1;
		l->region = next;
	} else if (l->region == REGION_LURE && ends_body(line)) {
		if (lure_close(l) == -1)
			return -1;
	} else if (l->wants_subject && line.len > 0) {
		l->subject = line;
		l->wants_subject = false;
	}
	if (l->region == REGION_LURE && line.len > 0)
		l->body_to = end;
	*region = l->region;
	return 0;
}

int
alert_lures(struct alert *a, const struct alert_text *t, uint8_t *regions)
{
	struct lures l = { .a = a, .t = t, .region = REGION_PROSE };

	for (size_t i = 0; i < t->n_lines; i++) {
		struct slice line = alert_line(t, i);
		size_t end = (size_t)(line.p - t->clean.p) + line.len;

		if (lure_line(&l, slice_trim(line), end, &regions[i]) == -1)
			return -1;
	}
	if (lure_close(&l) == -1)
		return -1;
	if (l.lost > 0)
		alert_finding(t, DIAG_WARNING, t->clean.len, "%zu sample mails over %d are left out", l.lost,
		    ALERT_ITEMS_MAX);
	return 0;
}
