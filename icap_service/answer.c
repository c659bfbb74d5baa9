#include "icap_service/answer.h"

#include <c_icap/header.h>
#include <c_icap/simple_api.h>

#include <stdlib.h>

#include "icap_service/fields.h"
#include "icap_service/headers.h"
#include "icap_service/page_form.h"

enum { REDIRECT_USUAL = 2048, HEADER_LINE = 512, WORD_MAX = 200, ID_USUAL = 256, ID_TEXT_MAX = 1 << 20 };

#define SECURITY_POLICY	\
	"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"

static const struct slice own_headers = { "X-Firebreak-", sizeof("X-Firebreak-") - 1 };

/* Every answer has this line: it is put together without printf, whose cost would show. */
void
answer_identify(struct txn *t, ci_request_t *req)
{
	char line[HEADER_LINE], *p = line;

	p = stpcpy(p, "X-Firebreak: worker=");
	p += decimal((uint64_t)process_pid(t->process), p);
	p = stpcpy(p, " generation=");
	p += decimal(t->generation == NULL ? 0 : generation_number(t->generation), p);
	*p = '\0';
	ci_icap_add_xheader(req, line);
}

/* TEXT as a header may have it: printable ASCII, cut. */
static void
header_word(struct slice text, char out[static WORD_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && n + 1 < WORD_MAX; i++) {
		char c = text.p[i];

		out[n++] = c > 0x20 && c < 0x7f && c != ';' ? c : '_';
	}
	if (n == 0)
		out[n++] = '-';
	out[n] = '\0';
}

/* VALUE is a word of at most WORD_MAX bytes; the others are ours. */
static void
add_xheader(ci_request_t *req, const char *before, const char *value, const char *after)
{
	char line[HEADER_LINE];

	stpcpy(stpcpy(stpcpy(line, before), value), after);
	ci_icap_add_xheader(req, line);
}

/* What other ICAP clients understand as "infected". */
static void
add_refusal_headers(ci_request_t *req, const struct why *why, const char *incident)
{
	char threat[WORD_MAX], space[ID_USUAL];
	struct buf id;

	buf_init_in(&id, space, sizeof(space), ID_TEXT_MAX);
	if (why->has_rule)
		rule_id_format(&why->rule, &id);
	header_word(why->has_rule ? buf_slice(&id) : slice_str(reason_name(why->reason)), threat);
	buf_fini(&id);
	add_xheader(req, "X-Infection-Found: Type=0; Resolution=2; Threat=", threat, ";");
	add_xheader(req, "X-Violations-Found: 1\r\n\t-\r\n\t", threat, "\r\n\t0\r\n\t2");
	add_xheader(req, "X-Virus-ID: ", threat, "");
	add_xheader(req, "X-Response-Info: blocked; reason=", reason_name(why->reason), "");
	add_xheader(req, "X-Incident-Id: ", incident, "");
}

/* The value of the last field NAME of the request; empty. */
static struct slice
request_field(ci_request_t *req, struct slice name, size_t *n)
{
	struct slice value;

	*n = header_find(ci_http_request_headers(req), name, &value);
	return *n > 0 ? value : (struct slice){ 0 };
}

static enum page_form
form_for(ci_request_t *req)
{
	struct page_ask ask;
	size_t n;

	ask.dest = request_field(req, SLICE("sec-fetch-dest"), &ask.n_dest);
	ask.accept = request_field(req, SLICE("accept"), &n);
	ask.requested_with = request_field(req, SLICE("x-requested-with"), &n);
	return page_form_for(&ask);
}

/* The page for FACTS, of which why, action and incident are set; what kind it has goes to FACTS. */
static int
write_page(struct txn *t, ci_request_t *req, struct page_facts *facts)
{
	const struct slice *tags;
	size_t n, n_tags;

	facts->now_ms = t->now_ms;
	facts->is_upload = !t->respmod;
	facts->contact = txn_site(t)->contact;
	facts->organisation = txn_site(t)->organisation;
	facts->mistake_link = txn_site(t)->mistake_link;
	/* No browser shows what a CONNECT is answered with. */
	facts->set = t->generation == NULL || t->x.is_connect ? NULL : generation_pages(t->generation);
	if (t->x.has_url)
		facts->host = t->x.url.host;
	facts->form = facts->action.len > 0 ? FORM_HTML : form_for(req);
	tags = page_set_tags(facts->set, &n_tags);
	facts->language = accept_language_pick(request_field(req, SLICE("accept-language"), &n), tags, n_tags);
	buf_reset(&t->page);
	t->page_sent = 0;
	return page_write(facts, &t->page);
}

static void
add_page_headers(ci_request_t *req, const struct page_facts *facts, size_t length)
{
	static const char *const fixed[] = {
		"Cache-Control: no-store",
		"X-Content-Type-Options: nosniff",
		"Referrer-Policy: no-referrer",
	};
	char line[HEADER_LINE], *p = stpcpy(line, "Content-Length: ");

	p[decimal(length, p)] = '\0';
	ci_http_response_add_header(req, "HTTP/1.1 403 Forbidden");
	ci_http_response_add_header(req, "Server: Firebreak");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		ci_http_response_add_header(req, fixed[i]);
	ci_http_response_add_header(req, page_has_image(facts) ? SECURITY_POLICY "; img-src data:" : SECURITY_POLICY);
	ci_http_response_add_header(req, line);
	stpcpy(stpcpy(line, "Content-Type: "), page_form_type(facts->form));
	ci_http_response_add_header(req, line);
	stpcpy(stpcpy(line, "Content-Language: "), page_set_words(facts->set, facts->language)->tag.p);
	ci_http_response_add_header(req, line);
}

int
answer_page(struct txn *t, ci_request_t *req, const struct why *why, const char *incident)
{
	return answer_warning(t, req, why, incident, (struct slice){ 0 });
}

int
answer_redirect(struct txn *t, ci_request_t *req, struct slice target)
{
	char space[REDIRECT_USUAL];
	struct buf line;

	if (!ci_http_response_create(req, 1, 0))
		return -1;
	buf_init_in(&line, space, sizeof(space), URL_RAW_MAX);
	buf_add_str(&line, "Location: ");
	buf_add_slice(&line, target);
	buf_add_char(&line, '\0');
	if (!line.failed) {
		ci_http_response_add_header(req, "HTTP/1.1 303 See Other");
		ci_http_response_add_header(req, "Server: Firebreak");
		ci_http_response_add_header(req, line.p);
		ci_http_response_add_header(req, "Cache-Control: no-store");
		ci_http_response_add_header(req, "Content-Length: 0");
	}
	buf_reset(&t->page);
	t->page_sent = 0;
	t->flow = FLOW_PAGE;
	ci_req_unlock_data(req);
	buf_fini(&line);
	return line.failed ? -1 : 0;
}

int
answer_warning(struct txn *t, ci_request_t *req, const struct why *why, const char *incident, struct slice action)
{
	struct page_facts facts = { .why = why, .incident = incident, .action = action };

	if (write_page(t, req, &facts) == -1)
		return -1;
	if (t->x.is_head)
		buf_reset(&t->page);
	if (!ci_http_response_create(req, 1, t->x.is_head ? 0 : 1))
		return -1;
	add_page_headers(req, &facts, t->page.len);
	add_refusal_headers(req, why, incident);
	if (t->body != NULL)
		body_drop(t->body);
	t->flow = FLOW_PAGE;
	ci_req_unlock_data(req);
	return 0;
}

int
answer_mark(struct txn *t, ci_request_t *req, const struct why *why, const char *incident)
{
	char line[HEADER_LINE];

	snprintf(line, sizeof(line), "X-Firebreak-Deny: %s", incident);
	if (ci_http_request_add_header(req, line) == NULL)
		return -1;
	add_refusal_headers(req, why, incident);
	t->flow = FLOW_ECHO;
	return 0;
}

/* The name of the first header of ours in HEADERS, however long, the caller's; NULL when there is none. */
static char *
find_own(ci_headers_list_t *headers)
{
	for (int i = 1; i < headers->used; i++) {
		struct slice head, line;

		if (ascii_lower(*headers->headers[i]) != 'x')
			continue;
		line = slice_str(headers->headers[i]);
		if (!slice_istarts(line, own_headers) || !slice_cut(line, ':', &head, NULL))
			continue;
		return slice_dup(head);
	}
	return NULL;
}

size_t
answer_strip(ci_request_t *req)
{
	ci_headers_list_t *headers = ci_http_request_headers(req);
	size_t n = 0;
	int removed = 1;
	char *name;

	while (removed && headers != NULL && (name = find_own(headers)) != NULL) {
		removed = ci_http_request_remove_header(req, name);
		n += removed != 0;
		free(name);
	}
	return n;
}

int
answer_unchanged(ci_request_t *req)
{
	if (!ci_req_allow204(req))
		ci_req_unlock_data(req);
	return CI_MOD_ALLOW204;
}

int
answer_refetch(ci_request_t *req)
{
	/* Squid reads all of them as one list: a quote that the client left open would swallow ours. */
	while (ci_http_request_remove_header(req, "Cache-Control"))
		;
	return ci_http_request_add_header(req, "Cache-Control: no-cache") == NULL ? -1 : 0;
}
