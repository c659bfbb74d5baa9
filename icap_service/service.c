/* service.c - the c-icap module: callbacks that translate, ask and act.
 *
 * One transaction: init_request_data -> preview -> (io ...) -> end_of_data -> (io ...) -> release.
 * c-icap calls the callbacks of one request on one thread, of different requests in parallel; the
 * tick runs on a child's main thread beside them. */
#include <c_icap/c-icap.h>
#include <c_icap/cfg_param.h>
#include <c_icap/commands.h>
#include <c_icap/service.h>
#include <c_icap/simple_api.h>

#include "base/clock.h"
#include "icap_service/answer.h"
#include "icap_service/flow.h"
#include "icap_service/svc_log.h"

enum { TICK_S = 1, OPTIONS_TTL_S = 3600 };

#define ACTION_START	"firebreak-child-start"
#define ACTION_STOP	"firebreak-child-stop"
#define ACTION_TICK	"firebreak-tick"

/* This process: set once before any thread exists, cleared when the module is closed. */
static struct {
	struct process		*process;
	ci_service_xdata_t	*xdata;
	uint64_t		 tagged;	/* the generation that the ISTag names */
} self;

static void
set_istag(void)
{
	char tag[CI_SERVICE_ISTAG_SIZE + 1];

	self.tagged = process_generation(self.process);
	snprintf(tag, sizeof(tag), "-%llu", (unsigned long long)self.tagged);
	ci_service_set_istag(self.xdata, tag);
}

static void
tick(const char *name, int type, void *data)
{
	(void)name, (void)type, (void)data;
	if (self.process == NULL)
		return;
	process_tick(self.process);
	/* Where there is traffic a request, not the tick, was the first to take it up. */
	if (process_generation(self.process) != self.tagged)
		set_istag();
	ci_command_schedule(ACTION_TICK, NULL, TICK_S);
}

static void
child_start(const char *name, int type, void *data)
{
	(void)name, (void)type, (void)data;
	if (self.process == NULL)
		return;
	process_join(self.process);
	set_istag();
	ci_command_schedule(ACTION_TICK, NULL, TICK_S);
}

static void
child_stop(const char *name, int type, void *data)
{
	(void)name, (void)type, (void)data;
	if (self.process != NULL)
		process_leave(self.process);
}

static int
init_service(ci_service_xdata_t *xdata, struct ci_server_conf *conf)
{
	(void)conf;
	self.xdata = xdata;
	ci_service_enable_204(xdata);
	ci_service_set_transfer_preview(xdata, "*");
	ci_service_set_xopts(xdata, CI_XCLIENTIP | CI_XAUTHENTICATEDUSER);
	ci_service_set_options_ttl(xdata, OPTIONS_TTL_S);
	ci_command_register_action(ACTION_START, CI_CMD_CHILD_START, NULL, child_start);
	ci_command_register_action(ACTION_STOP, CI_CMD_CHILD_STOP, NULL, child_stop);
	ci_command_register_action(ACTION_TICK, CI_CMD_ONDEMAND, NULL, tick);
	return service_options_init() == -1 ? CI_ERROR : CI_OK;
}

/* A connection holds a thread as long as it is open, and Squid counts those of REQMOD and those of RESPMOD apart: with more of both
 * together than there are threads, each side's idle ones keep the other from going on. */
static int
max_connections(const struct ci_server_conf *conf)
{
	int64_t given = service_options()->max_connections, threads = (int64_t)conf->MAX_SERVERS * conf->THREADS_PER_CHILD;

	return (int)(given > 0 ? given : threads >= 2 ? threads / 2 : 1);
}

/* Option values are known only now. */
static int
post_init_service(ci_service_xdata_t *xdata, struct ci_server_conf *conf)
{
	self.xdata = xdata;
	ci_service_set_preview(xdata, (int)service_options()->preview_size);
	ci_service_set_max_connections(xdata, max_connections(conf));
	if ((self.process = process_start(service_options())) == NULL) {
		svc_log(SVC_ERROR, "out of memory at start");
		return CI_ERROR;
	}
	set_istag();
	return CI_OK;
}

/* Runs in the parent at reconfigure and in every child at its end: nothing shared is removed. */
static void
close_service(void)
{
	process_stop(self.process);
	self.process = NULL;
	service_options_fini();
}

static void *
init_request_data(ci_request_t *req)
{
	if (self.process == NULL || ci_req_type(req) == ICAP_OPTIONS)
		return NULL;
	return txn_new(self.process, req);
}

static void
release_request_data(void *data)
{
	txn_free(data);
}

/* How long that takes is how long a browser waits for us, but for bodies. */
static int
decide(struct txn *t, ci_request_t *req, struct slice preview)
{
	int64_t began = clock_ns();
	int result;

	answer_identify(t, req);
	if (txn_read(t, req) == -1)
		result = flow_out_of_memory(t, req);
	else
		result = t->respmod ? flow_response(t, req, preview) : flow_request(t, req, preview);
	process_time(t->process, t->respmod ? LATENCY_respmod : LATENCY_reqmod, clock_ns() - began);
	return result;
}

static int
check_preview(char *data, int len, ci_request_t *req)
{
	struct txn *t = ci_service_data(req);
	struct slice preview = slice_make(data, data == NULL || len < 0 ? 0 : (size_t)len);

	if (t == NULL) {
		svc_log(SVC_ERROR, "out of memory: a request %s unjudged",
		    service_options()->no_rules == FAIL_CLOSED ? "is refused" : "passes");
		return service_options()->no_rules == FAIL_CLOSED ? CI_MOD_ERROR : CI_MOD_ALLOW204;
	}
	return decide(t, req, preview);
}

static int
end_of_data(ci_request_t *req)
{
	struct txn *t = ci_service_data(req);

	return t == NULL ? CI_MOD_DONE : flow_end(t, req);
}

/* An abort needs both: 0.5.10 looks only at *WLEN after the end of data, 0.6 only at the result. */
static int
io_abort(int *wlen)
{
	if (wlen != NULL)
		*wlen = CI_ERROR;
	return CI_ERROR;
}

/* A body that outgrew what is held whole goes on as a stream: the headers first. */
static void
unlock_when_due(struct txn *t, ci_request_t *req)
{
	if (t->flow == FLOW_INSPECT && !t->judged && txn_heads_due(t))
		ci_req_unlock_data(req);
}

static int
service_io(char *wbuf, int *wlen, char *rbuf, int *rlen, int iseof, ci_request_t *req)
{
	struct txn *t = ci_service_data(req);
	int n;

	(void)iseof;
	if (t == NULL)
		return io_abort(wlen);
	if (rbuf != NULL && rlen != NULL && *rlen > 0) {
		*rlen = (int)txn_take(t, slice_make(rbuf, (size_t)*rlen));
		if (flow_taken(t, req) == CI_MOD_ERROR)
			return io_abort(wlen);
		unlock_when_due(t, req);
	}
	if (wbuf == NULL || wlen == NULL || *wlen <= 0)
		return CI_OK;
	n = txn_give(t, wbuf, (size_t)*wlen);
	if (n == TXN_BREAK)
		return io_abort(wlen);
	*wlen = n == TXN_EOF ? CI_EOF : n;
	return CI_OK;
}

CI_DECLARE_MOD_DATA ci_service_module_t service = {
	.mod_name = "firebreak",
	.mod_short_descr = "Firebreak",
	.mod_type = ICAP_REQMOD | ICAP_RESPMOD,
	.mod_init_service = init_service,
	.mod_post_init_service = post_init_service,
	.mod_close_service = close_service,
	.mod_init_request_data = init_request_data,
	.mod_release_request_data = release_request_data,
	.mod_check_preview_handler = check_preview,
	.mod_end_of_data_handler = end_of_data,
	.mod_service_io = service_io,
	.mod_conf_table = service_conf_table,
	.mod_data = NULL,
};
#ifdef _CI_DECLARE_SERVICE
_CI_DECLARE_SERVICE(service)
#endif
