#include "icap_service/exchange.h"

#include <c_icap/header.h>
#include <c_icap/simple_api.h>

#include <strings.h>

#include "inspect/claims.h"

enum { STORE_MAX = 4 * URL_RAW_MAX, STORE_SLACK = 64, STATUS_DIGITS = 3 };

int64_t
content_length_parse(struct slice value)
{
	uint64_t n;

	value = slice_trim(value);
	return slice_u64(value, &n) == -1 || n > INT64_MAX ? LENGTH_UNKNOWN : (int64_t)n;
}

static struct slice
header_value(ci_headers_list_t *headers, const char *name)
{
	size_t len = 0;
	const char *p = headers == NULL ? NULL : ci_headers_value2(headers, name, &len);

	return slice_trim(slice_make(p, p == NULL ? 0 : len));
}

/* The value of LINE when its name is NAME; NULL when it is another. */
static const char *
value_of(const char *line, struct slice name)
{
	if (strncasecmp(line, name.p, name.len) != 0)
		return NULL;
	for (line += name.len; *line == ' ' || *line == '\t'; line++)
		;
	return *line == ':' ? line + 1 : NULL;
}

/* What a message says of its body, and how often. */
struct framing {
	size_t		n_lengths, n_transfer_codings, n_types;
	struct slice	length, type;
	bool		claims_file;	/* as any of them says */
	struct codings	codings;
};

static void
read_content_header(struct framing *f, const char *line)
{
	const struct slice all = SLICE("Content-");
	const char *value;

	if (strncasecmp(line, all.p, all.len) != 0)
		return;
	/* The letter behind that tells which of them it can be. */
	switch (ascii_lower(line[all.len])) {
	case 'l':
		if ((value = value_of(line, SLICE("Content-Length"))) != NULL) {
			f->n_lengths++;
			f->length = slice_str(value);
		}
		break;
	case 'e':
		if ((value = value_of(line, SLICE("Content-Encoding"))) != NULL)
			codings_add(&f->codings, slice_str(value));
		break;
	case 't':
		if ((value = value_of(line, SLICE("Content-Type"))) != NULL) {
			f->n_types++;
			f->type = slice_trim(slice_str(value));
			f->claims_file |= claims_file(f->type, (struct slice){ 0 });
		}
		break;
	case 'd':
		if ((value = value_of(line, SLICE("Content-Disposition"))) != NULL)
			f->claims_file |= claims_file((struct slice){ 0 }, slice_trim(slice_str(value)));
		break;
	}
}

static struct framing
find_framing(const ci_headers_list_t *headers)
{
	struct framing f = { 0 };

	for (int i = 1; i < headers->used; i++) {
		const char *line = headers->headers[i];

		while (*line == ' ' || *line == '\t')
			line++;
		switch (ascii_lower(*line)) {
		case 'c':
			read_content_header(&f, line);
			break;
		case 't':
			f.n_transfer_codings += value_of(line, SLICE("Transfer-Encoding")) != NULL;
			break;
		}
	}
	return f;
}

/* Copy S into the store; the result stays where it is, since the store was reserved whole. */
static struct slice
keep(struct exchange *x, struct slice s)
{
	size_t at = x->store.len;

	if (buf_add_slice(&x->store, s) == -1)
		return (struct slice){ 0 };
	return slice_make(x->store.p + at, s.len);
}

/* "METHOD target HTTP/1.1"; the target is what lies between the first and the last space. */
static void
split_request_line(struct slice line, struct slice *method, struct slice *target)
{
	struct slice rest;
	size_t end;

	slice_cut(line, ' ', method, &rest);
	rest = slice_trim(rest);
	for (end = rest.len; end > 0 && rest.p[end - 1] != ' '; end--)
		;
	if (end > 0 && slice_istarts(slice_skip(rest, end), SLICE("HTTP/")))
		rest = slice_trim(slice_head(rest, end));
	*target = rest;
}

static bool
is_origin_form(struct slice target)
{
	return target.len > 0 && (target.p[0] == '/' || slice_eq(target, SLICE("*")));
}

static bool
ends_authority(char c)
{
	return c == '/' || c == '?' || c == '#' || c == '\\';
}

/* TARGET without "user:password@". */
static void
keep_without_userinfo(struct exchange *x, struct slice target)
{
	size_t scheme = slice_search(target, SLICE("://")), start, end, at;

	start = scheme < target.len ? scheme + 3 : 0;
	for (end = start; end < target.len && !ends_authority(target.p[end]); end++)
		;
	for (at = end; at > start && target.p[at - 1] != '@'; at--)
		;
	buf_add_slice(&x->store, slice_head(target, start));
	buf_add_slice(&x->store, slice_skip(target, at > start ? at : start));
}

static void
make_shown(struct exchange *x, struct slice host)
{
	size_t at = x->store.len, behind = host.len;

	if (is_origin_form(x->target)) {
		while (behind > 0 && host.p[behind - 1] != '@')
			behind--;
		buf_add_str(&x->store, "http://");
		buf_add_slice(&x->store, slice_skip(host, behind));
		if (x->target.p[0] == '/')
			buf_add_slice(&x->store, x->target);
	} else if (slice_find(x->target, '@') < x->target.len)
		keep_without_userinfo(x, x->target);
	else {
		x->shown = slice_head(x->target, SHOWN_MAX);
		return;
	}
	x->shown = slice_head(slice_make(x->store.p + at, x->store.len - at), SHOWN_MAX);
}

static void
parse_url(struct exchange *x, struct slice host)
{
	if (x->is_connect)
		x->url_error = url_parse_authority(&x->url, x->target);
	else if (is_origin_form(x->target))
		x->url_error = url_parse_origin(&x->url, SLICE("http"), host,
		    x->target.p[0] == '/' ? x->target : SLICE("/"));
	else
		x->url_error = url_parse_request(&x->url, x->target);
	x->has_url = x->url_error == URL_OK;
}

/* Only a target in origin-form needs it. */
static struct slice
host_header(ci_headers_list_t *headers, struct slice target)
{
	return is_origin_form(target) ? header_value(headers, "Host") : (struct slice){ 0 };
}

/* What the slices of an exchange can need at most: the target twice, and a few words. */
static int
reserve_store(struct exchange *x, struct slice line, struct slice host)
{
	size_t size = 2 * line.len + host.len + STORE_SLACK;

	return buf_reserve(&x->store, size < STORE_MAX ? size : STORE_MAX);
}

static int
read_request(struct exchange *x, ci_headers_list_t *headers)
{
	struct slice line = slice_str(headers->headers[0]), method, target, host;

	split_request_line(line, &method, &target);
	host = host_header(headers, target);
	x->has_request = true;
	if (line.len > STORE_MAX / 4 || host.len > URL_RAW_MAX) {
		x->url_error = URL_TOO_LONG;
		return 0;
	}
	if (reserve_store(x, line, host) == -1)
		return -1;
	x->method = keep(x, method);
	x->target = keep(x, target);
	x->is_connect = slice_eq(method, SLICE("CONNECT"));
	x->is_head = slice_eq(method, SLICE("HEAD"));
	x->is_get = slice_eq(method, SLICE("GET"));
	make_shown(x, host);
	parse_url(x, host);
	return x->url_error == URL_NO_MEMORY ? -1 : 0;
}

/* "HTTP/1.1 200 OK"; 0 when it is none. */
static int
status_code(struct slice line)
{
	struct slice rest;
	uint64_t code;

	if (!slice_cut(line, ' ', NULL, &rest) ||
	    slice_u64(slice_head(slice_trim(rest), STATUS_DIGITS), &code) == -1)
		return 0;
	return (int)code;
}

/* What HEADERS say of the body behind them. */
static struct framing
read_body_head(struct exchange *x, ci_request_t *req, const ci_headers_list_t *headers)
{
	struct framing f = { 0 };

	x->head = (struct body_head){ .has_body = ci_req_hasbody(req) != 0,
		.content_length = LENGTH_UNKNOWN, .complete_length = LENGTH_UNKNOWN };
	if (headers == NULL || headers->used == 0)
		return f;
	/* Two lengths, or chunks besides, are an argument between others about where the body ends:
	 * count it ourselves. */
	f = find_framing(headers);
	if (f.n_lengths == 1 && f.n_transfer_codings == 0)
		x->head.content_length = content_length_parse(f.length);
	x->head.codings = f.codings;
	x->head.claims_file = f.claims_file;
	return f;
}

static void
read_response(struct exchange *x, ci_request_t *req)
{
	ci_headers_list_t *headers = ci_http_response_headers(req);

	read_body_head(x, req, headers);
	if (headers != NULL && headers->used > 0)
		x->head.status = status_code(slice_str(headers->headers[0]));
}

void
exchange_read_upload(struct exchange *x, ci_request_t *req)
{
	struct framing f = read_body_head(x, req, ci_http_request_headers(req));

	x->head.claims_file = x->head.claims_file || is_file_name(exchange_file_name(x));
	x->head.boundary = multipart_boundary(f.type);
	/* Of two types, nobody knows which one counts. */
	if (f.n_types > 1)
		x->head.boundary = (struct multipart_boundary){ .fault = UNSCANNABLE_DAMAGED };
}

int
exchange_read(struct exchange *x, ci_request_t *req)
{
	ci_headers_list_t *headers = ci_http_request_headers(req);

	x->url_error = URL_NO_HOST;
	buf_init(&x->store, STORE_MAX);
	if (ci_req_type(req) == ICAP_RESPMOD)
		read_response(x, req);
	if (headers == NULL || headers->used == 0)
		return 0;
	if (read_request(x, headers) == -1)
		return -1;
	if (ci_req_type(req) == ICAP_RESPMOD)
		x->head.claims_file = x->head.claims_file || is_file_name(exchange_file_name(x));
	return 0;
}

void
exchange_read_names(const struct exchange *x, ci_request_t *req, struct file_names *out)
{
	const ci_headers_list_t *headers =
	    ci_req_type(req) == ICAP_RESPMOD ? ci_http_response_headers(req) : ci_http_request_headers(req);

	if (x->has_url)
		file_names_add_path(out, x->url.path);
	for (int i = 1; headers != NULL && i < headers->used; i++) {
		const char *value = value_of(headers->headers[i], SLICE("Content-Disposition"));

		if (value != NULL)
			file_names_add_disposition(out, slice_str(value));
	}
}

void
exchange_fini(struct exchange *x)
{
	url_fini(&x->url);
	buf_fini(&x->store);
}

struct slice
exchange_file_name(const struct exchange *x)
{
	struct slice path = x->url.path;
	size_t at;

	if (!x->has_url)
		return (struct slice){ 0 };
	for (at = path.len; at > 0 && path.p[at - 1] != '/'; at--)
		;
	return slice_head(slice_skip(path, at), FILE_NAME_MAX);
}

struct slice
exchange_client(ci_request_t *req)
{
	return slice_head(header_value(req->request_header, "X-Client-IP"), SHOWN_MAX);
}

struct slice
exchange_user(ci_request_t *req)
{
	return slice_head(header_value(req->request_header, "X-Client-Username"), SHOWN_MAX);
}
