#include "command/har.h"

#include <openssl/evp.h>

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/caller.h"

enum { MS = 1000 };

bool
har_is_one(const char *path)
{
	return slice_ends(slice_str(path), SLICE(".har"));
}

static struct slice
text_at(const json_t *j, const char *key)
{
	const json_t *text = json_object_get(j, key);

	return json_is_string(text) ? slice_make(json_string_value(text), json_string_length(text)) : (struct slice){ 0 };
}

/* The value of the header NAME. */
static struct slice
header_at(const json_t *message, struct slice name)
{
	const json_t *headers = json_object_get(message, "headers");

	for (size_t i = 0; i < json_array_size(headers); i++)
		if (slice_ieq(text_at(json_array_get(headers, i), "name"), name))
			return text_at(json_array_get(headers, i), "value");
	return (struct slice){ 0 };
}

/* The bytes of base64 TEXT; NULL when it is none.  The caller frees. */
static char *
decode(struct slice text, size_t *len)
{
	char *out = text.len % 4 != 0 || text.len > INT_MAX ? NULL : malloc(text.len / 4 * 3 + 1);
	int n = out == NULL ? -1 : EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text.p, (int)text.len);

	if (n == -1) {
		free(out);
		return NULL;
	}
	*len = (size_t)n;
	for (size_t i = 1; i <= 2 && i <= text.len && text.p[text.len - i] == '='; i++)
		--*len;
	return out;
}

static bool
is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] > 0x7f)
			return false;
	return true;
}

/* What CONTENT has into X; *DECODED is to be freed. */
static void
take_body(const json_t *content, struct har_exchange *x, char **decoded)
{
	json_int_t size = json_integer_value(json_object_get(content, "size"));
	struct slice text = text_at(content, "text"), encoding = text_at(content, "encoding");

	x->answered = size > 0 || text.len > 0;
	if (slice_ieq(encoding, SLICE("base64"))) {
		*decoded = decode(text, &x->body.len);
		x->body.p = *decoded;
		x->has_body = *decoded != NULL && x->body.len > 0;
	} else if (text.len > 0 && encoding.len == 0 && (json_int_t)text.len == size && is_ascii(text)) {
		x->body = text;
		x->has_body = true;
	}
}

static int
show(const json_t *entry, har_visit *visit, void *arg)
{
	const json_t *request = json_object_get(entry, "request"), *response = json_object_get(entry, "response");
	struct har_exchange x = { .method = text_at(request, "method"), .url = text_at(request, "url"), .time_ms = ACCESS_UNKNOWN };
	char *decoded = NULL;
	int64_t seconds;

	if (x.url.len == 0)
		return -1;
	if (clock_parse(text_at(entry, "startedDateTime"), &seconds) == 0)
		x.time_ms = seconds * MS;
	x.disposition = header_at(response, SLICE("content-disposition"));
	take_body(json_object_get(response, "content"), &x, &decoded);
	visit(arg, &x);
	free(decoded);
	return 0;
}

int
har_read(const char *path, har_visit *visit, void *arg, uint64_t *bad, struct diag *diag)
{
	const json_t *entries;
	json_error_t error;
	json_t *root = NULL;
	struct caller was;
	struct buf text;
	int r = -1, got;

	*bad = 0;
	buf_init(&text, HAR_MAX);
	caller_begin(&was);
	got = file_read(path, &text);
	caller_end(&was);
	if (got == -1)
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%s", errno == EFBIG ? "longer than 256 MiB" : strerror(errno));
	else if ((root = json_loadb(text.p, text.len, JSON_ALLOW_NUL, &error)) == NULL)
		diag_add(diag, DIAG_ERROR, path, (unsigned)error.line, (unsigned)error.column, "%s", error.text);
	else if (!json_is_array(entries = json_object_get(json_object_get(root, "log"), "entries")))
		diag_add(diag, DIAG_ERROR, path, 0, 0, "no HAR: there is no list log.entries");
	else
		r = 0;
	buf_fini(&text);
	for (size_t i = 0; r == 0 && i < json_array_size(entries); i++)
		*bad += show(json_array_get(entries, i), visit, arg) == -1;
	json_decref(root);
	return r;
}
