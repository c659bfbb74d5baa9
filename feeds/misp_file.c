#include "feeds/misp_file.h"

#include <stdio.h>

static enum json_way
ask(void *arg, const struct json_pieces *p, char first)
{
	struct misp_file *f = arg;

	if (p->n == 0)
		return first == '{' ? JSON_ENTER : JSON_SKIP;
	if (p->n == 1 && first == '{' && json_pieces_at(p, 0, "Event")) {
		f->n_events++;
		return JSON_ENTER;
	}
	return p->n == 2 && json_pieces_at(p, 1, "uuid") ? JSON_TAKE : JSON_SKIP;
}

static int
take(void *arg, const struct json_pieces *p, json_t *piece, unsigned line, unsigned col)
{
	struct misp_file *f = arg;
	struct slice uuid = slice_make(json_string_value(piece), json_string_length(piece));

	(void)p, (void)line, (void)col;
	f->n_uuids++;
	if (json_is_string(piece) && misp_is_uuid(uuid))
		memcpy(f->uuid, uuid.p, uuid.len);
	return 0;
}

static void
bad(void *arg, unsigned line, unsigned col, const char *what)
{
	struct misp_file *f = arg;

	if (f->why[0] == '\0')
		snprintf(f->why, sizeof(f->why), "is damaged, in line %u, column %u: %s", line, col, what);
}

void
misp_file_init(struct misp_file *f)
{
	static const struct json_reader reader = { ask, take, bad };

	*f = (struct misp_file){ .n_events = 0 };
	json_pieces_init(&f->json, &reader, f);
}

void
misp_file_fini(struct misp_file *f)
{
	json_pieces_fini(&f->json);
}

int
misp_file_put(struct misp_file *f, struct slice bytes)
{
	return json_pieces_put(&f->json, bytes);
}

const char *
misp_file_end(struct misp_file *f, const char *uuid)
{
	json_pieces_end(&f->json);
	if (f->why[0] != '\0')
		return f->why;
	if (f->n_events != 1 || f->n_uuids != 1 || f->uuid[0] == '\0')
		return "is not one event with a uuid";
	if (slice_ieq(slice_str(f->uuid), slice_str(uuid)))
		return NULL;
	snprintf(f->why, sizeof(f->why), "is another event, %s", f->uuid);
	return f->why;
}
