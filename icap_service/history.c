#include "icap_service/history.h"

#include "runtime/runtime.h"

/* The key of REGISTRABLE, which no URL and nothing else that is remembered begins like; 0 when there is none. */
static uint64_t
key_of(const struct runtime *runtime, struct slice registrable)
{
	char text[HOST_MAX + 2] = "\2";

	if (registrable.len == 0 || registrable.len > HOST_MAX)
		return 0;
	memcpy(text + 1, registrable.p, registrable.len);
	return runtime_key(runtime, slice_make(text, registrable.len + 1));
}

bool
history_is_known(void *arg, struct slice registrable)
{
	const struct txn *t = arg;
	const struct runtime *runtime = process_runtime(t->process);
	uint64_t key = runtime == NULL ? 0 : key_of(runtime, registrable);

	return key != 0 && runtime_is_known(runtime, key, t->now_ms);
}

void
history_note(struct txn *t)
{
	const struct lookalike *l = t->generation == NULL ? NULL : generation_lookalike(t->generation);
	struct runtime *runtime = process_runtime(t->process);
	struct slice client;
	uint64_t key;

	if (t->now_ms % HISTORY_SAMPLE != 0 || l == NULL || runtime == NULL || !t->x.has_url || t->x.url.kind != HOST_NAME ||
	    !txn_site(t)->lookalike_history)
		return;
	client = exchange_client(t->req);
	if (client.len > 0 && (key = key_of(runtime, lookalike_registrable(l, t->x.url.host))) != 0)
		runtime_visit(runtime, key, runtime_key(runtime, client), t->now_ms);
}
