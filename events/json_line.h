/* json_line.h - one JSON object a line (RFC 8259), written as it comes, out of dotted paths.
 *
 *	json_line_text(&j, "rule.id", ...);  json_line_number(&j, "rule.version", 4);  json_line_text(&j, "client.ip", ...);
 *	{"rule":{"id":"...","version":4},"client":{"ip":"..."}}
 *
 * No tree and no allocation but the buffer's: a worker writes one for every decision.  Paths below one object stand side by
 * side, or its key would come twice; whoever lists the paths sees to that.  What does not fit makes the buffer fail.  One
 * thread. */
#ifndef EVENTS_JSON_LINE_H
#define EVENTS_JSON_LINE_H

#include "base/buf.h"

struct json_line {
	struct buf	*out;
	struct slice	 open;		/* the objects that are open: "http.request.", borrowed from a path */
	bool		 comma;		/* something stands before, at this depth */
};

/* Where a member stands: in the objects "http.request.", which is empty for none, with the key "method". */
struct json_path {
	struct slice	 object, key;
};

/* PATH, "http.request.method", taken apart; borrowed from it. */
struct json_path json_path(const char *path);

/* Begin an object at the end of OUT. */
void json_line_begin(struct json_line *j, struct buf *out);

/* A member at PATH, which must live until json_line_end().  TEXT may be any bytes: as in buf_add_utf8() those that are not UTF-8,
 * and controls, are shown as \xHH, so that a parser gets back what is safe to print.  LINES become a list, without empty ones.
 * JSON is a value as it is. */
void json_line_text_at(struct json_line *j, struct json_path path, struct slice text);
void json_line_number_at(struct json_line *j, struct json_path path, int64_t number);
void json_line_list_at(struct json_line *j, struct json_path path, struct slice lines);
void json_line_json_at(struct json_line *j, struct json_path path, struct slice json);

/* The same at a PATH in one piece. */
static inline void
json_line_text(struct json_line *j, const char *path, struct slice text)
{
	json_line_text_at(j, json_path(path), text);
}
static inline void
json_line_number(struct json_line *j, const char *path, int64_t number)
{
	json_line_number_at(j, json_path(path), number);
}

/* End the object and the line.  -1 when it did not fit. */
int json_line_end(struct json_line *j);

#endif
