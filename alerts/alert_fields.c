#include "alerts/alert_part.h"

#include <stdlib.h>

enum { VALUE_MAX = 1000, NEXT_LINES = 3 };

enum field { FIELD_ID, FIELD_VERSION, FIELD_FIRST, FIELD_LAST, FIELD_TEXT, FIELD_NONE };

/* Labels as the layouts of different years have them.  FIELD_NONE is read only so as to end the value before it. */
static const struct label {
	struct slice	 name;
	enum field	 field;
	size_t		 offset;	/* of FIELD_TEXT's member */
} labels[] = {
	{ SLICE("IntelliShield ID"), FIELD_ID, 0 }, { SLICE("Alert ID"), FIELD_ID, 0 }, { SLICE("ID"), FIELD_ID, 0 },
	{ SLICE("Version"), FIELD_VERSION, 0 },
	{ SLICE("First Published"), FIELD_FIRST, 0 }, { SLICE("Last Published"), FIELD_LAST, 0 },
	{ SLICE("Last Updated"), FIELD_LAST, 0 },
	{ SLICE("Threat Type"), FIELD_TEXT, offsetof(struct alert, threat_type) },
	{ SLICE("Urgency"), FIELD_TEXT, offsetof(struct alert, urgency) },
	{ SLICE("Credibility"), FIELD_TEXT, offsetof(struct alert, credibility) },
	{ SLICE("Severity"), FIELD_TEXT, offsetof(struct alert, severity) },
	{ SLICE("Title"), FIELD_TEXT, offsetof(struct alert, title) },
	{ SLICE("Port"), FIELD_NONE, 0 }, { SLICE("Version Summary"), FIELD_NONE, 0 },
	{ SLICE("Description"), FIELD_NONE, 0 }, { SLICE("Subject"), FIELD_NONE, 0 },
};

enum { LABELS = sizeof(labels) / sizeof(labels[0]) };

struct fields {
	struct alert		*a;
	const struct alert_text	*t;
	bool			 has_version, has_first, has_last;
};

static const struct label *
label_at(struct slice s, struct slice *rest)
{
	for (size_t i = 0; i < LABELS; i++)
		if (alert_label(s, labels[i].name, rest))
			return &labels[i];
	return NULL;
}

/* Cut *VALUE before the next label on its line: copied tables have several there, two blanks or a tab apart. */
static void
cut_at_label(struct slice *value, struct slice *next)
{
	struct slice rest;

	*next = slice_make(NULL, 0);
	for (size_t i = 2; i < value->len && i < VALUE_MAX; i++) {
		bool gap = value->p[i - 1] == '\t' || (value->p[i - 1] == ' ' && value->p[i - 2] == ' ');

		if (gap && ascii_is_alpha(value->p[i]) &&
		    label_at(slice_head(slice_skip(*value, i), VALUE_MAX), &rest)) {
			*next = slice_skip(*value, i);
			*value = slice_trim(slice_head(*value, i));
			return;
		}
	}
}

static int
set_id(struct fields *f, struct slice value, size_t at)
{
	if (f->a->id != NULL)
		return 0;
	if (!alert_id_ok(value)) {
		alert_finding(f->t, DIAG_WARNING, at,
		    "the alert's id \"%.*s\" cannot be used: 1 to 58 letters, digits and -",
		    SLICE_ARGS(slice_head(value, VALUE_MAX)));
		return 0;
	}
	return (f->a->id = alert_dup(value)) == NULL ? -1 : 0;
}

static void
set_version(struct fields *f, struct slice value, size_t at)
{
	uint64_t v;

	if (f->has_version)
		return;
	if (slice_ends(value, SLICE(".0")))
		value.len -= 2;
	if (slice_u64(value, &v) == -1 || v == 0 || v > INT32_MAX) {
		alert_finding(f->t, DIAG_WARNING, at, "the version \"%.*s\" is no number; 1 is assumed",
		    SLICE_ARGS(slice_head(value, VALUE_MAX)));
		return;
	}
	f->has_version = true;
	f->a->version = (unsigned)v;
}

static void
set_date(const struct alert_text *t, int64_t *out, bool *has, struct slice value, size_t at)
{
	struct slice shown = slice_head(value, VALUE_MAX);

	if (*has)
		return;
	switch (alert_date(value, out)) {
	case ALERT_DATE_OK:
		break;
	case ALERT_DATE_NO_ZONE:
		alert_finding(t, DIAG_NOTE, at, "the date \"%.*s\" has no time zone; UTC is assumed",
		    SLICE_ARGS(shown));
		break;
	case ALERT_DATE_BAD_ZONE:
		alert_finding(t, DIAG_WARNING, at, "the time zone of \"%.*s\" is not known; UTC is assumed",
		    SLICE_ARGS(shown));
		break;
	case ALERT_DATE_BAD:
		*out = 0;
		alert_finding(t, DIAG_WARNING, at, "the date \"%.*s\" cannot be read", SLICE_ARGS(shown));
		return;
	}
	*has = true;
}

static int
set_text(struct fields *f, const struct label *label, struct slice value, size_t at)
{
	char **out = (char **)((char *)f->a + label->offset);

	if (*out != NULL)
		return 0;
	if (value.len > VALUE_MAX) {
		alert_finding(f->t, DIAG_WARNING, at, "%.*s is longer than %d bytes and left out",
		    SLICE_ARGS(label->name), VALUE_MAX);
		return 0;
	}
	return (*out = alert_dup_line(value)) == NULL ? -1 : 0;
}

static int
set_field(struct fields *f, const struct label *label, struct slice value)
{
	size_t at = (size_t)(value.p - f->t->clean.p);

	switch (label->field) {
	case FIELD_ID:
		return set_id(f, value, at);
	case FIELD_VERSION:
		set_version(f, value, at);
		return 0;
	case FIELD_FIRST:
		set_date(f->t, &f->a->first_published, &f->has_first, value, at);
		return 0;
	case FIELD_LAST:
		set_date(f->t, &f->a->last_published, &f->has_last, value, at);
		return 0;
	case FIELD_TEXT:
		return set_text(f, label, value, at);
	case FIELD_NONE:
		break;
	}
	return 0;
}

/* The value of a label that stands alone on line I: the next line that is not blank, unless it is a label itself. */
static struct slice
value_below(const struct fields *f, size_t i)
{
	struct slice line, rest;

	for (size_t n = 0; n < NEXT_LINES && ++i < f->t->n_lines; n++) {
		line = slice_trim(alert_line(f->t, i));
		if (line.len > 0)
			return label_at(line, &rest) == NULL ? line : slice_make(NULL, 0);
	}
	return slice_make(NULL, 0);
}

static int
field_line(struct fields *f, size_t i)
{
	struct slice line = slice_trim(alert_line(f->t, i)), value, next;
	const struct label *label;
	size_t at;

	while ((label = label_at(line, &value)) != NULL) {
		cut_at_label(&value, &next);
		if (value.len == 0)
			value = value_below(f, i);
		if (value.len > 0 && set_field(f, label, value) == -1)
			return -1;
		line = next;
	}
	at = slice_isearch(line, SLICE("Threat Outbreak Alert:"));
	if (at == line.len || f->a->title != NULL)
		return 0;
	line = slice_skip(line, at);
	if (line.len > VALUE_MAX || slice_trim(slice_skip(line, sizeof("Threat Outbreak Alert:") - 1)).len == 0)
		return 0;
	return (f->a->title = alert_dup_line(line)) == NULL ? -1 : 0;
}

int
alert_fields(struct alert *a, const struct alert_text *t, const uint8_t *regions)
{
	struct fields f = { .a = a, .t = t };

	for (size_t i = 0; i < t->n_lines; i++)
		if (regions[i] == REGION_PROSE && field_line(&f, i) == -1)
			return -1;
	return 0;
}
