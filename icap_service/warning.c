#include "icap_service/warning.h"

#include <c_icap/simple_api.h>

#include "icap_service/continue_token.h"
#include "icap_service/fields.h"
#include "icap_service/headers.h"
#include "icap_service/page_form.h"
#include "runtime/runtime.h"

enum { MS = 1000, TOKEN_LIFE_S = 600, TARGET_MAX = 2048, KEY_USUAL = 512 };

#define CONTINUE_PATH	"/.well-known/firebreak-continue"

/* ---- who, and what ---- */

/* The key under which T's client and user may go on to its host; 0 without memory. */
static uint64_t
grant_key(struct txn *t)
{
	const struct asker *who = txn_who(t);
	const struct slice parts[] = { who->client, who->user, who->host };
	char space[KEY_USUAL];
	struct buf text;
	uint64_t key;

	/* No URL begins so, and no part has a NUL: what is remembered of others cannot be taken for it. */
	buf_init_in(&text, space, sizeof(space), 4 * SHOWN_MAX);
	buf_add_char(&text, '\1');
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		buf_add_char(&text, '\0');
		buf_add_slice(&text, parts[i]);
	}
	key = text.failed ? 0 : runtime_key(process_runtime(t->process), buf_slice(&text));
	buf_fini(&text);
	return key;
}

/* Somebody waits before a window or a frame, or what shows a page as one does (Fetch Metadata, Sec-Fetch-Dest; browsers send it to
 * trustworthy origins only, and else Accept tells, as it does when there are two). */
static bool
is_navigation(const ci_headers_list_t *request)
{
	enum page_form form;
	struct slice value;
	size_t n = header_find(request, SLICE("sec-fetch-dest"), &value);

	if (n == 1)
		return page_form_by_dest(value, &form) && form == FORM_HTML;
	return header_find(request, SLICE("accept"), &value) == 1 && accept_prefers_html(value);
}

/* ---- the form ---- */

/* The target's path and query as it was sent, without scheme and authority. */
static struct slice
sent_path(const struct txn *t)
{
	struct slice target = t->x.target;
	size_t scheme = slice_search(target, SLICE("://")), at;

	if (target.len > 0 && target.p[0] == '/')
		return target;
	if (scheme == target.len)
		return (struct slice){ 0 };
	for (at = scheme + strlen("://"); at < target.len && target.p[at] != '/' && target.p[at] != '?'; at++)
		;
	return slice_skip(target, at);
}

/* The value of parameter NAME in the query of T's target. */
static struct slice
parameter(const struct txn *t, struct slice name)
{
	struct slice query, one, key, value;

	for (slice_cut(sent_path(t), '?', NULL, &query); query.len > 0;) {
		slice_cut(query, '&', &one, &query);
		if (slice_cut(one, '=', &key, &value) && slice_eq(key, name))
			return value;
	}
	return (struct slice){ 0 };
}

static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || memchr("-._~", c, 4) != NULL;
}

static int
add_encoded(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_unreserved(text.p[i]))
			buf_add_char(out, text.p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)text.p[i]);
	return out->failed ? -1 : 0;
}

int
warning_action(struct txn *t, struct buf *out)
{
	uint8_t secret[RUNTIME_SECRET];
	char token[CONTINUE_TOKEN + 1];
	bool again = slice_eq(t->x.url.path, SLICE(CONTINUE_PATH));
	struct slice to = again ? parameter(t, SLICE("to")) : sent_path(t);

	runtime_secret(process_runtime(t->process), secret);
	if (continue_token_make(secret, txn_who(t), t->now_ms / MS + TOKEN_LIFE_S, token) == -1)
		return -1;
	buf_add_strs(out, CONTINUE_PATH "?t=", token, "&to=", NULL);
	/* What was encoded by an earlier page still is. */
	if (again)
		return buf_add_slice(out, slice_head(to, 3 * TARGET_MAX));
	return add_encoded(out, to.len > TARGET_MAX ? SLICE("/") : to);
}

/* Nothing in PATH leads to another host, or ends a header's line. */
static bool
is_own_path(struct slice path)
{
	if (path.len == 0 || path.p[0] != '/' || (path.len > 1 && (path.p[1] == '/' || path.p[1] == '\\')))
		return false;
	for (size_t i = 0; i < path.len; i++)
		if (path.p[i] <= ' ' || path.p[i] >= 0x7f)
			return false;
	return true;
}

int
warning_target(const struct txn *t, struct buf *out)
{
	struct slice to = parameter(t, SLICE("to"));
	size_t begin = out->len;

	for (size_t i = 0; i < to.len; i++) {
		int high = i + 2 < to.len && to.p[i] == '%' ? ascii_hex(to.p[i + 1]) : -1, low = high < 0 ? -1 : ascii_hex(to.p[i + 2]);

		buf_add_char(out, low < 0 ? to.p[i] : (char)(high << 4 | low));
		i += low < 0 ? 0 : 2;
	}
	if (out->failed || !is_own_path(slice_make(out->p + begin, out->len - begin))) {
		out->len = begin;
		out->failed = false;
		return buf_add_char(out, '/');
	}
	return 0;
}

/* ---- the answer ---- */

/* T's client has pressed "continue" on a page that was made for him. */
static bool
goes_on(struct txn *t)
{
	uint8_t secret[RUNTIME_SECRET];

	if (!slice_eq(t->x.url.path, SLICE(CONTINUE_PATH)) || !slice_eq(t->x.method, SLICE("POST")))
		return false;
	runtime_secret(process_runtime(t->process), secret);
	return continue_token_good(secret, txn_who(t), t->now_ms / MS, parameter(t, SLICE("t")));
}

enum warning_answer
warning_due(struct txn *t, ci_request_t *req)
{
	struct runtime *runtime = process_runtime(t->process);
	const struct asker *who = txn_who(t);
	uint64_t key;
	bool granted;

	if (runtime == NULL || t->x.is_connect || (who->client.len == 0 && who->user.len == 0) || (key = grant_key(t)) == 0)
		return WARNING_LOG;
	granted = runtime_is_granted(runtime, key, t->now_ms);
	/* A button that is pressed twice: what the form says is ours, and the site is not to see it.  It gives no more time. */
	if (goes_on(t)) {
		if (!granted)
			runtime_grant(runtime, key, t->now_ms, t->now_ms + txn_site(t)->warn_for * MS);
		return WARNING_CONTINUE;
	}
	if (granted)
		return WARNING_PASS;
	return is_navigation(ci_http_request_headers(req)) ? WARNING_PAGE : WARNING_LOG;
}
