#include "exports/sightings.h"

#include <jansson.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "exports/export_part.h"

enum { MS = 1000, MS_BYTES = 8, TEXT_MAX = 4 << 20, VALUE_MAX = 1 << 18, DATE_LEN = sizeof("2026-11-27") - 1 };

static const struct kind { const char *type, *category; } kinds[SIGHTING_KINDS] = {
	[SIGHTING_HOST] = { "hostname", "Network activity" },
	[SIGHTING_ADDRESS] = { "ip-dst", "Network activity" },
	[SIGHTING_MD5] = { "md5", "Payload delivery" },
	[SIGHTING_SHA1] = { "sha1", "Payload delivery" },
	[SIGHTING_SHA256] = { "sha256", "Payload delivery" },
};

/* Rows while they are sorted: | kind: 1 | value | NUL | moment in ms, big-endian: 8 | incident |. */
struct sightings {
	struct sorter	*sorter;
	struct buf	 row, text;
	struct buf	 open;		/* kind and value of the attribute that is being written; empty: none is */
	int64_t		 first_ms, last_ms;
	uint64_t	 n, things;
};

struct sightings *
sightings_new(const char *tmp)
{
	struct sightings *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	buf_init(&s->row, SORTER_RECORD_MAX);
	buf_init(&s->open, SORTER_RECORD_MAX);
	buf_init(&s->text, TEXT_MAX);
	if ((s->sorter = sorter_new(SORTER_MEMORY_MIN * 4, tmp)) != NULL)
		return s;
	sightings_free(s);
	return NULL;
}

void
sightings_free(struct sightings *s)
{
	if (s == NULL)
		return;
	sorter_free(s->sorter);
	buf_fini(&s->row);
	buf_fini(&s->open);
	buf_fini(&s->text);
	free(s);
}

uint64_t
sightings_count(const struct sightings *s)
{
	return s->n;
}

uint64_t
sightings_things(const struct sightings *s)
{
	return s->things;
}

int
sightings_add(struct sightings *s, enum sighting_kind kind, struct slice value, int64_t ms,
    const char id[static INCIDENT_LEN + 1])
{
	uint8_t moment[MS_BYTES];

	s->first_ms = s->n == 0 || ms < s->first_ms ? ms : s->first_ms;
	s->last_ms = ms > s->last_ms ? ms : s->last_ms;
	s->n++;
	bytes_put_big(moment, (uint64_t)ms, sizeof(moment));
	buf_reset(&s->row);
	buf_add_char(&s->row, (char)kind);
	buf_add_slice(&s->row, value);
	buf_add_char(&s->row, '\0');
	buf_add(&s->row, moment, sizeof(moment));
	buf_add(&s->row, id, INCIDENT_LEN);
	return s->row.failed ? (errno = ENOMEM, -1) : sorter_add(s->sorter, buf_slice(&s->row));
}

/* ---- what is written ---- */

/* TEXT as a string of JSON. */
static void
add_json(struct buf *out, struct slice text)
{
	struct buf clean;
	json_t *j;
	char *dumped;

	buf_init(&clean, VALUE_MAX);
	buf_add_utf8(&clean, text);
	j = json_stringn(clean.len > 0 ? clean.p : "", clean.len);
	dumped = j == NULL || clean.failed ? NULL : json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (dumped == NULL)
		out->failed = true;
	else
		buf_add_str(out, dumped);
	free(dumped);
	json_decref(j);
	buf_fini(&clean);
}

static void
add_uuid(struct buf *out, struct slice name)
{
	char uuid[EXPORT_UUID];

	if (export_uuid(name, uuid) == -1)
		out->failed = true;
	else
		buf_addf(out, "\"uuid\":\"%s\",", uuid);
}

static void
end_attribute(struct sightings *s)
{
	if (s->open.len > 0)
		buf_add_str(&s->text, "]}");
	buf_reset(&s->open);
}

/* THING is kind and value. */
static void
begin_attribute(struct sightings *s, struct slice thing)
{
	const struct kind *kind = &kinds[(unsigned char)thing.p[0]];
	struct slice value = slice_skip(thing, 1);

	end_attribute(s);
	buf_add_slice(&s->open, thing);
	buf_reset(&s->row);
	buf_add_str(&s->row, kind->type);
	buf_add_char(&s->row, '\0');
	buf_add_slice(&s->row, value);
	buf_add_str(&s->text, s->things++ > 0 ? ",\n{" : "\n{");
	add_uuid(&s->text, buf_slice(&s->row));
	buf_addf(&s->text, "\"type\":\"%s\",\"category\":\"%s\",\"to_ids\":false,\"distribution\":\"5\",\"deleted\":false,\"value\":",
	    kind->type, kind->category);
	add_json(&s->text, value);
	buf_add_str(&s->text, ",\"Sighting\":[");
	s->text.failed = s->text.failed || s->open.failed || s->row.failed;
}

static void
write_row(struct sightings *s, struct slice row)
{
	size_t tail = 1 + MS_BYTES + INCIDENT_LEN;	/* with the NUL before it */
	struct slice thing = slice_head(row, row.len - tail), rest = slice_skip(row, row.len - tail + 1);
	int64_t ms = (int64_t)bytes_get_big(rest.p, MS_BYTES);
	bool same = slice_eq(thing, buf_slice(&s->open));

	if (!same)
		begin_attribute(s, thing);
	buf_add_str(&s->text, same ? ",{" : "{");
	add_uuid(&s->text, slice_skip(rest, MS_BYTES));
	buf_addf(&s->text, "\"type\":\"0\",\"source\":\"firebreak\",\"date_sighting\":\"%" PRId64 "\"}", ms / MS);
}

int
sightings_write(struct sightings *s, export_put *put, void *arg)
{
	char date[CLOCK_TEXT];
	struct slice row;
	int r;

	if (sorter_sort(s->sorter) == -1)
		return -1;
	clock_format_s(s->first_ms / MS, date);
	buf_add_str(&s->text, "{\"Event\":{");
	add_uuid(&s->text, SLICE("sightings"));
	buf_addf(&s->text, "\"info\":\"Firebreak: sightings\",\"date\":\"%.*s\",\"timestamp\":\"%" PRId64 "\",\"analysis\":\"2\","
	    "\"threat_level_id\":\"4\",\"distribution\":\"0\",\"published\":false,\"Attribute\":[", DATE_LEN, date, s->last_ms / MS);
	while ((r = sorter_next(s->sorter, &row)) == 1) {
		write_row(s, row);
		if (export_flush(&s->text, put, arg, false) == -1)
			return -1;
	}
	end_attribute(s);
	buf_add_str(&s->text, "]}}\n");
	return r == -1 ? -1 : export_flush(&s->text, put, arg, true);
}
