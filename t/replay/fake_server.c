#include "t/replay/fake_server.h"

#include <c_icap/c-icap.h>
#include <c_icap/body.h>
#include <c_icap/cfg_param.h>
#include <c_icap/commands.h>
#include <c_icap/debug.h>
#include <c_icap/request.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/replay/fake_loop.h"

enum { LOG_MAX = 1024 * 1024, LOG_LINE = 16384, ACTIONS_MAX = 16, PREVIEW_SLACK = 64, STATUS_BAD = 400 };

extern ci_service_module_t service;

/* Exported by libicapapi, declared in none of its headers; the first has the one name in 0.5, and the other in 0.6. */
int mem_init(void) __attribute__((weak));
int ci_mem_init(void) __attribute__((weak));
int init_body_system(void);

/* What the service registered with ci_command_register_action(). */
struct action {
	char		 name[CMD_NM_SIZE];
	int		 type;
	void		*data;
	bool		 scheduled;
	void		(*run)(const char *name, int type, void *data);
};

struct fake_server {
	ci_service_xdata_t	 xdata;
	struct buf		 log, violations;
	struct action		 actions[ACTIONS_MAX];
	size_t			 n_actions;
};

/* c-icap's own functions know no server to belong to: the one that is running. */
static struct fake_server *running;

/* ---- what the c-icap executable exports ---- */

void
ci_command_register_action(const char *name, int type, void *data,
    void (*command_action)(const char *name, int type, void *data))
{
	struct action *a;

	if (running->n_actions == ACTIONS_MAX)
		abort();
	a = &running->actions[running->n_actions++];
	*a = (struct action){ .type = type, .data = data, .run = command_action };
	snprintf(a->name, sizeof(a->name), "%s", name);
}

void
ci_command_schedule(const char *name, void *data, time_t after)
{
	(void)after;
	for (size_t i = 0; i < running->n_actions; i++)
		if (strcmp(running->actions[i].name, name) == 0) {
			running->actions[i].scheduled = true;
			running->actions[i].data = data;
		}
}

void
ci_command_schedule_on(const char *name, void *data, time_t when)
{
	ci_command_schedule(name, data, when);
}

void
ci_command_register_ctl_cmd(const char *name, int type,
    void (*command_action)(const char *name, int type, const char **argv))
{
	(void)name, (void)type, (void)command_action;
}

void
ci_command_register_child_cleanup(const char *name, void *data,
    void (*handler)(const char *name, process_pid_t pid, int reason, void *data))
{
	(void)name, (void)data, (void)handler;
}

static void
log_line(void *req, const char *format, ...)
{
	char line[LOG_LINE];
	va_list ap;

	(void)req;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (running != NULL)
		buf_add_str(&running->log, line);
}

/* ---- start and end ---- */

/* Once a process, before anything of the library is used. */
static void
library_init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	if (ci_mem_init != NULL)
		ci_mem_init();
	else
		mem_init();
	init_body_system();
	__log_error = log_line;
}

static int
set_option(const char *name, const char *value, struct diag *diag)
{
	const char *argv[] = { value, NULL };

	for (struct ci_conf_entry *e = service.mod_conf_table; e->name != NULL; e++)
		if (strcasecmp(e->name, name) == 0) {
			if (e->action(e->name, argv, e->data))
				return 0;
			diag_error(diag, "%s %s was refused: %.*s", name, value, SLICE_ARGS(buf_slice(&running->log)));
			return -1;
		}
	diag_error(diag, "the service has no option %s", name);
	return -1;
}

static int
set_options(struct slice conf, struct diag *diag)
{
	while (conf.len > 0) {
		struct slice line, word, rest;
		char *name, *value;
		int result;

		slice_cut(conf, '\n', &line, &conf);
		if ((line = slice_trim(line)).len == 0)
			continue;
		slice_cut(line, ' ', &word, &rest);
		name = slice_dup(word);
		value = slice_dup(slice_trim(rest));
		result = set_option(name, value, diag);
		free(name);
		free(value);
		if (result == -1)
			return -1;
	}
	return 0;
}

static void
run_actions(struct fake_server *s, int type)
{
	for (size_t i = 0; i < s->n_actions; i++)
		if (s->actions[i].type == type)
			s->actions[i].run(s->actions[i].name, type, s->actions[i].data);
}

void
fake_server_tick(struct fake_server *s)
{
	for (size_t i = 0; i < s->n_actions; i++)
		if (s->actions[i].type == CI_CMD_ONDEMAND && s->actions[i].scheduled) {
			s->actions[i].scheduled = false;
			s->actions[i].run(s->actions[i].name, CI_CMD_ONDEMAND, s->actions[i].data);
		}
}

static struct fake_server *
new_server(void)
{
	struct fake_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	ci_thread_rwlock_init(&s->xdata.lock);
	s->xdata.max_connections = -1;
	buf_init(&s->log, LOG_MAX);
	buf_init(&s->violations, LOG_MAX);
	return s;
}

static void
free_server(struct fake_server *s)
{
	ci_thread_rwlock_destroy(&s->xdata.lock);
	buf_fini(&s->log);
	buf_fini(&s->violations);
	free(s);
	running = NULL;
}

/* The helper that is not installed yet; a service that the tests of the fake server bring knows of none. */
static int
set_helper(struct diag *diag)
{
	const char *helper = getenv("FIREBREAK_HELPER");

	for (struct ci_conf_entry *e = service.mod_conf_table; helper != NULL && e->name != NULL; e++)
		if (strcasecmp(e->name, "Helper") == 0)
			return set_option("Helper", helper, diag);
	return 0;
}

struct fake_server *
fake_server_start(const char *state, struct slice conf, struct diag *diag)
{
	struct ci_server_conf server = { .MAX_SERVERS = 1, .THREADS_PER_CHILD = 2 };
	struct fake_server *s = new_server();

	library_init();
	running = s;
	if (service.mod_init_service(&s->xdata, &server) != CI_OK)
		diag_error(diag, "mod_init_service failed");
	else if (set_option("StateDir", state, diag) == 0 && set_helper(diag) == 0 && set_options(conf, diag) == 0) {
		if (service.mod_post_init_service(&s->xdata, &server) == CI_OK) {
			run_actions(s, CI_CMD_CHILD_START);
			return s;
		}
		diag_error(diag, "mod_post_init_service failed");
	}
	service.mod_close_service();
	free_server(s);
	return NULL;
}

void
fake_server_stop(struct fake_server *s)
{
	if (s == NULL)
		return;
	run_actions(s, CI_CMD_CHILD_STOP);
	service.mod_close_service();
	free_server(s);
}

int
fake_server_preview(const struct fake_server *s)
{
	return s->xdata.preview_size;
}

struct slice
fake_server_istag(const struct fake_server *s)
{
	return slice_str(s->xdata.ISTag);
}

struct slice
fake_server_violations(const struct fake_server *s)
{
	return buf_slice(&s->violations);
}

struct slice
fake_server_log(const struct fake_server *s)
{
	return buf_slice(&s->log);
}

/* ---- one exchange ---- */

/* Put TEXT, whose last empty line is counted out as c-icap does it, into H and take it apart. */
static int
read_headers(ci_headers_list_t *h, struct slice text)
{
	if (text.len < 4 || !ci_headers_setsize(h, (int)text.len + 2))
		return -1;
	memcpy(h->buf, text.p, text.len);
	h->bufused = (int)text.len;
	if (slice_ends(text, SLICE("\r\n\r\n")))
		h->bufused -= 2;
	return ci_headers_unpack(h) == EC_100 ? 0 : -1;
}

/* The headers that c-icap itself looks at. */
static void
understand(ci_request_t *req)
{
	for (int i = 1; i < req->request_header->used; i++) {
		const char *line = req->request_header->headers[i];
		struct slice name, value;
		uint64_t n;

		slice_cut(slice_str(line), ':', &name, &value);
		if (slice_eq(name, SLICE("Preview")) && slice_u64(slice_trim(value), &n) == 0) {
			req->preview = (int)n;
			ci_buf_reset_size(&req->preview_data, (int)n + PREVIEW_SLACK);
		} else if (slice_eq(name, SLICE("Allow")))
			req->allow204 = slice_search(value, SLICE("204")) < value.len;
		else if (slice_eq(name, SLICE("Encapsulated")))
			process_encapsulated(req, line);
	}
}

/* Fill REQ from CALL as c-icap's reader would.  -1 for what c-icap answers with 400. */
static int
read_call(const struct icap_call *call, ci_request_t *req)
{
	struct buf text;
	size_t i = 0;
	int result;

	buf_init(&text, LOG_MAX);
	icap_call_head(call, "fake", service.mod_name, &text);
	req->type = call->respmod ? ICAP_RESPMOD : ICAP_REQMOD;
	req->current_service_mod = &service;
	req->preview = NO_PREVIEW;
	req->keepalive = 1;
	result = read_headers(req->request_header, buf_slice(&text));
	buf_fini(&text);
	if (result == -1)
		return -1;
	understand(req);
	if (call->respmod && call->request != NULL &&
	    read_headers(req->entities[i++]->entity, buf_slice(&call->request->head)) == -1)
		return -1;
	return read_headers(req->entities[i]->entity, buf_slice(&icap_call_subject(call)->head));
}

void
fake_server_call(struct fake_server *s, const struct icap_call *call, struct icap_reply *reply)
{
	ci_request_t *req = ci_request_alloc(NULL);

	if (req == NULL)
		abort();
	if (read_call(call, req) == -1)
		reply->status = STATUS_BAD;
	else {
		void *data = service.mod_init_request_data(req);

		req->service_data = data;
		fake_loop(&service, req, call, reply, &s->violations);
		if (req->service_data != data)
			buf_add_str(&s->violations, "the request's data were replaced\n");
		if (data != NULL)
			service.mod_release_request_data(data);
	}
	ci_request_destroy(req);
}
