/* The harness itself: strings, the reader of cases, and a service that breaks each of c-icap's rules, which the fake server must
 * notice.  A fake that notices nothing would make every case pass. */
#include <c_icap/c-icap.h>
#include <c_icap/cfg_param.h>
#include <c_icap/request.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include "base/file.h"
#include "t/replay/case.h"
#include "t/replay/fake_server.h"
#include "t/replay/strings.h"
#include "t/tap.h"

enum { BODY = 100000, CASE_TEXT = 65536, FILE_MODE = 0600 };

/* ---- a service that does what it is told to ---- */

enum fault {
	FINE_ECHO, FINE_204, FINE_204_UNLOCKED, FINE_KILL,
	FAULT_204_PAGE, FAULT_LOCKED_PAGE, FAULT_PREVIEW_DONE, FAULT_END_204, FAULT_END_204_SENT, FAULT_END_204_PAGE,
	FAULT_END_ERROR, FAULT_LATE_PAGE, FAULT_ZERO, FAULT_ABORT_RESULT, FAULT_ABORT_WLEN, FAULT_TOO_MUCH,
	FAULT_BEHIND, FAULT_STUCK, FAULT_LOCKED_204,
};

struct hoard {
	char	*p;
	size_t	 len, at;
};

static enum fault fault;

static int
no_option(const char *name, const char **argv, void *data)
{
	(void)name, (void)argv, (void)data;
	return 1;
}

static struct ci_conf_entry options[] = {
	{ "StateDir", NULL, no_option, NULL }, { NULL, NULL, NULL, NULL },
};

static int
init(ci_service_xdata_t *xdata, struct ci_server_conf *conf)
{
	(void)conf;
	ci_service_enable_204(xdata);
	ci_service_set_preview(xdata, 1024);
	return CI_OK;
}

static void
close_service(void)
{
}

static void *
new_hoard(ci_request_t *req)
{
	(void)req;
	return calloc(1, sizeof(struct hoard));
}

static void
free_hoard(void *data)
{
	struct hoard *h = data;

	free(h->p);
	free(h);
}

static void
keep(struct hoard *h, const char *p, int len)
{
	if (len <= 0 || (h->p = realloc(h->p, h->len + (size_t)len)) == NULL)
		return;
	memcpy(h->p + h->len, p, (size_t)len);
	h->len += (size_t)len;
}

static void
make_page(ci_request_t *req)
{
	ci_http_response_create(req, 1, 1);
	ci_http_response_add_header(req, "HTTP/1.1 403 Forbidden");
}

static int
check_preview(char *data, int len, ci_request_t *req)
{
	switch (fault) {
	case FINE_204:
	case FAULT_LOCKED_204:
		return CI_MOD_ALLOW204;
	case FINE_204_UNLOCKED:
		ci_req_unlock_data(req);
		return CI_MOD_ALLOW204;
	case FAULT_204_PAGE:
		make_page(req);
		return CI_MOD_ALLOW204;
	case FAULT_LOCKED_PAGE:
		make_page(req);
		break;
	case FAULT_PREVIEW_DONE:
		return CI_MOD_DONE;
	case FAULT_END_204:
	case FAULT_END_204_PAGE:
	case FAULT_STUCK:
		break;
	default:
		ci_req_unlock_data(req);
	}
	keep(ci_service_data(req), data, len);
	return CI_MOD_CONTINUE;
}

static int
end_of_data(ci_request_t *req)
{
	if (fault == FAULT_END_204_PAGE || fault == FAULT_LATE_PAGE)
		make_page(req);
	if (fault == FAULT_END_204 || fault == FAULT_END_204_SENT || fault == FAULT_END_204_PAGE)
		return CI_MOD_ALLOW204;
	return fault == FAULT_END_ERROR ? CI_MOD_ERROR : CI_MOD_DONE;
}

static int
give(struct hoard *h, char *wbuf, int *wlen, int iseof)
{
	size_t left = h->len - h->at, n = (size_t)*wlen < left ? (size_t)*wlen : left;

	if (iseof && (fault == FAULT_ZERO || fault == FAULT_ABORT_RESULT)) {
		*wlen = fault == FAULT_ZERO ? 0 : (int)n;
		return fault == FAULT_ZERO ? CI_OK : CI_ERROR;
	}
	if (iseof && (fault == FAULT_ABORT_WLEN || fault == FINE_KILL)) {
		*wlen = CI_ERROR;
		return fault == FINE_KILL ? CI_ERROR : CI_OK;
	}
	if (n > 0)
		memcpy(wbuf, h->p + h->at, n);
	h->at += n;
	if (n == (size_t)*wlen && fault == FAULT_BEHIND)
		wbuf[n] = '\0';
	*wlen = n == 0 && iseof ? CI_EOF : (int)n;
	if (n > 0 && fault == FAULT_TOO_MUCH)
		*wlen = MAX_CHUNK_SIZE + 1;
	return CI_OK;
}

static int
service_io(char *wbuf, int *wlen, char *rbuf, int *rlen, int iseof, ci_request_t *req)
{
	if (fault == FAULT_STUCK && rlen != NULL)
		*rlen = 0;
	else if (rbuf != NULL)
		keep(ci_service_data(req), rbuf, *rlen);
	return *wlen > 0 ? give(ci_service_data(req), wbuf, wlen, iseof) : CI_OK;
}

ci_service_module_t service = {
	.mod_name = "bad", .mod_short_descr = "bad", .mod_type = ICAP_REQMOD | ICAP_RESPMOD,
	.mod_init_service = init, .mod_post_init_service = init, .mod_close_service = close_service,
	.mod_init_request_data = new_hoard, .mod_release_request_data = free_hoard,
	.mod_check_preview_handler = check_preview, .mod_end_of_data_handler = end_of_data,
	.mod_service_io = service_io, .mod_conf_table = options,
};

static const struct {
	const char	*name;
	enum fault	 fault;
	bool		 preview, allow204;
	bool		 complete;	/* the client gets a proper end */
	const char	*said;		/* a part of what is held against it; NULL: nothing */
} faults[] = {
	{ "an echo", FINE_ECHO, true, false, true, NULL },
	{ "an echo without a preview", FINE_ECHO, false, false, true, NULL },
	{ "204 at the preview", FINE_204, true, false, true, NULL },
	{ "204 that was offered", FINE_204, false, true, true, NULL },
	{ "204 that was not offered, unlocked", FINE_204_UNLOCKED, false, false, true, NULL },
	{ "a kill", FINE_KILL, true, false, false, NULL },
	{ "204 after a page", FAULT_204_PAGE, true, false, true, "204 at the preview, although" },
	{ "a page that stays locked", FAULT_LOCKED_PAGE, true, false, true, "stay locked" },
	{ "DONE at the preview", FAULT_PREVIEW_DONE, true, false, true, "preview handler failed" },
	{ "204 at the end, not offered", FAULT_END_204, true, false, true, "204 at the end of data, not" },
	{ "204 at the end, after data", FAULT_END_204_SENT, true, true, false, "204 at the end of data, not" },
	{ "204 at the end, after a page", FAULT_END_204_PAGE, true, true, true, "although the heads" },
	{ "an error at the end", FAULT_END_ERROR, true, false, false, "end-of-data handler failed" },
	{ "a page after data", FAULT_LATE_PAGE, true, false, true, "after they had been sent" },
	{ "no bytes and no end", FAULT_ZERO, true, false, false, "the client would wait" },
	{ "an abort by the result", FAULT_ABORT_RESULT, true, false, false, "by one value only" },
	{ "an abort by *wlen", FAULT_ABORT_WLEN, true, false, false, "by one value only" },
	{ "more than there was room for", FAULT_TOO_MUCH, true, false, false, "more bytes were given" },
	{ "a byte behind the buffer", FAULT_BEHIND, true, false, true, "behind the buffer" },
	{ "bytes refused for ever", FAULT_STUCK, true, false, false, "c-icap would give up" },
	{ "a long body under a locked 204", FAULT_LOCKED_204, false, false, false, "c-icap would give up" },
};

static void
test_faults(void)
{
	struct message request, response;
	struct diag diag = { 0 };

	message_init(&request);
	message_init(&response);
	buf_add_str(&request.head, "GET http://a.example/ HTTP/1.1\r\n\r\n");
	buf_add_str(&response.head, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < BODY; i++)
		buf_add_char(&response.body, (char)('a' + i % 26));
	message_add_read(&response);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct icap_call call = { .respmod = true, .request = &request, .response = &response,
			.preview = faults[i].preview ? 1024 : NO_PREVIEW, .allow204 = faults[i].allow204 };
		struct fake_server *s = fake_server_start("state", SLICE(""), &diag);
		struct icap_reply reply;
		struct slice said;

		icap_reply_init(&reply);
		fault = faults[i].fault;
		fake_server_call(s, &call, &reply);
		said = fake_server_violations(s);
		ok(faults[i].said == NULL ? said.len == 0 : slice_search(said, slice_str(faults[i].said)) < said.len,
		    "%s is held against the service, or not", faults[i].name);
		if (fault != FAULT_TOO_MUCH)
			ok(reply.complete == faults[i].complete, "%s ends or breaks off", faults[i].name);
		icap_reply_fini(&reply);
		fake_server_stop(s);
	}
	message_fini(&request);
	message_fini(&response);
	diag_fini(&diag);
}

/* ---- strings ---- */

static const struct {
	const char	*text, *expected;	/* NULL: refused */
} strings[] = {
	{ "", "" },
	{ "\"abc\"", "abc" },
	{ "\"a\" \"b\"", "ab" },
	{ "3 * \"ab\"", "ababab" },
	{ "\"x\" 2*\"y\" 0 * \"z\" \"!\"", "xyy!" },
	{ "\"\\r\\n\\t\\\\\\\"\\x41\"", "\r\n\t\\\"A" },
	{ "abc", NULL },
	{ "\"abc", NULL },
	{ "\"\\q\"", NULL },
	{ "\"\\x4\"", NULL },
	{ "3 \"ab\"", NULL },
	{ "-1 * \"ab\"", NULL },
	{ "99999999999 * \"ab\"", NULL },
};

static void
test_strings(void)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		const char *why = NULL;
		struct buf out;
		int result;

		buf_init(&out, CASE_TEXT);
		result = strings_add(guard_copy(slice_str(strings[i].text)), &out, &why);
		if (strings[i].expected == NULL)
			ok(result == -1 && why != NULL, "refused: %s", strings[i].text);
		else
			is_slice(buf_slice(&out), slice_str(strings[i].expected), strings[i].text);
		buf_fini(&out);
	}
}

/* ---- cases ---- */

#define GOOD	"# A case.\n> GET http://a/ HTTP/1.1\n>\n= reqmod pass\n"

static const struct {
	const char	*name, *text;
	unsigned	 line;		/* of the first error; 0: none */
} cases[] = {
	{ "a good one", GOOD, 0 },
	{ "no sentence", "> GET http://a/ HTTP/1.1\n>\n= reqmod pass\n", 3 },
	{ "nothing sent", "# A case.\nrules:\n    block host x\n", 3 },
	{ "a head without an end", "# A case.\n> GET http://a/ HTTP/1.1\n= reqmod pass\n", 3 },
	{ "a body without a head", "# A case.\n>+ \"x\"\n", 2 },
	{ "an unknown word", GOOD "hello\n", 5 },
	{ "an unknown mark", GOOD ">! x\n", 5 },
	{ "an unknown verdict", GOOD "= reqmod maybe\n", 5 },
	{ "no response to send", GOOD "= respmod pass\n", 5 },
	{ "an unknown field", GOOD "! block colour=red\n", 5 },
	{ "an unknown action", GOOD "! explode\n", 5 },
	{ "an indented line on its own", "# A case.\n    x\n", 2 },
	{ "a kill without a limit", GOOD "= reqmod kill\n", 5 },
	{ "a bad string", GOOD ">+ abc\n", 5 },
	{ "a bad date", GOOD "now yesterday\n", 5 },
	{ "a bad mode", GOOD "mode maybe\n", 5 },
	{ "a bad offer", GOOD "client preview=x\n", 5 },
};

static void
test_cases(void)
{
	char *dir = temp_dir(), *path = file_join(dir, "x.case");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diag diag = { 0 };
		struct case_file *c;

		file_write(path, slice_str(cases[i].text), FILE_MODE);
		c = case_load(path, &diag);
		ok(cases[i].line == 0 ? c != NULL : c == NULL && diag.n > 0 && diag.v[0].line == cases[i].line,
		    "case: %s", cases[i].name);
		case_free(c);
		diag_fini(&diag);
	}
	unlink(path);
	rmdir(dir);
	free(path);
	free(dir);
}

int
main(void)
{
	test_strings();
	test_cases();
	test_faults();
	return tap_done();
}
