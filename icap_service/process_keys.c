#include "icap_service/process_keys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "icap_service/svc_log.h"
#include "runtime/pseudonym_keys.h"
#include "runtime/state.h"

enum { RETRY_MS = 1000, SAY_MS = 60 * 1000, MS = 1000 };

struct process_keys {
	const char		*state;
	_Atomic(struct pseudonyms *) now;
	_Atomic int64_t		 tried_ms[2];	/* by whether they were needed; 0: never; stored after NOW */
	pthread_mutex_t		 lock;		/* guards all below */
	struct stat		 st;		/* of the file that was read last, good or not */
	int64_t			 said_ms;
	bool			 gone;
	struct pseudonyms	**old;		/* replaced; somebody may still use them */
	size_t			 n_old;
};

struct process_keys *
process_keys_new(const char *state)
{
	struct process_keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->state = state;
	pthread_mutex_init(&k->lock, NULL);
	return k;
}

void
process_keys_free(struct process_keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n_old; i++)
		pseudonyms_free(k->old[i]);
	free(k->old);
	pseudonyms_free(atomic_load(&k->now));
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* Read the file; called with the lock held. */
static struct pseudonyms *
load(struct process_keys *k, bool needed, int64_t now_ms)
{
	struct diag diag = { 0 };
	bool made = false;
	struct pseudonyms *p = needed ? pseudonym_keys_need(k->state, now_ms / MS, &made, &diag) :
	    pseudonym_keys_load(k->state, &made, &diag);

	if (p != NULL && needed && made)
		svc_log(SVC_WARNING, "a first key for pseudonyms was made, %s/" STATE_KEYS ": keep a copy, without it none can be turned back",
		    k->state);
	if (p == NULL && needed && (k->said_ms == 0 || now_ms - k->said_ms >= SAY_MS)) {
		svc_log_diag(&diag);
		svc_log(SVC_ERROR, "Pseudonyms is yes and there is no key that can be used: users and addresses are left out of the logs");
		k->said_ms = now_ms;
	}
	if (p != NULL && k->said_ms != 0) {
		svc_log(SVC_WARNING, "the keys of pseudonyms can be used again");
		k->said_ms = 0;
	}
	diag_fini(&diag);
	return p;
}

/* It is time to look for the file. */
static bool
is_due(struct process_keys *k, bool needed, int64_t now_ms)
{
	int64_t tried = atomic_load(&k->tried_ms[needed]);

	return tried == 0 || now_ms - tried >= RETRY_MS || now_ms < tried;
}

const struct pseudonyms *
process_keys_get(struct process_keys *k, bool needed, int64_t now_ms)
{
	struct pseudonyms *p = k == NULL ? NULL : atomic_load(&k->now);

	if (k == NULL || p != NULL)
		return p;
	/* Where there is no key, and exceptions are asked for one with every request, nobody waits for others. */
	if (!is_due(k, needed, now_ms))
		return atomic_load(&k->now);
	pthread_mutex_lock(&k->lock);
	p = atomic_load(&k->now);
	if (p == NULL && is_due(k, needed, now_ms)) {
		p = load(k, needed, now_ms);
		pseudonym_keys_stat(k->state, &k->st);
		atomic_store(&k->now, p);
		atomic_store(&k->tried_ms[needed], now_ms);
	}
	pthread_mutex_unlock(&k->lock);
	return p;
}

bool
process_keys_are_there(struct process_keys *k)
{
	struct stat st;

	return k != NULL && (atomic_load(&k->now) != NULL || pseudonym_keys_stat(k->state, &st) || errno != ENOENT);
}

/* The file of K is another one, ST; called with the lock held. */
static void
take_up(struct process_keys *k, const struct stat *st)
{
	struct diag diag = { 0 };
	bool absent;
	struct pseudonyms *next, **old;

	k->st = *st;
	k->gone = false;
	next = pseudonym_keys_load(k->state, &absent, &diag);
	old = next == NULL ? NULL : realloc(k->old, (k->n_old + 1) * sizeof(*old));
	if (old != NULL) {
		k->old = old;
		k->old[k->n_old++] = atomic_exchange(&k->now, next);
		svc_log(SVC_INFO, "pseudonyms are made with key %s", pseudonyms_id(next, pseudonyms_n(next) - 1));
	} else {
		svc_log_diag(&diag);
		svc_log(SVC_ERROR, "the new keys of pseudonyms are not taken up; those from before stay in use");
		pseudonyms_free(next);
	}
	diag_fini(&diag);
}

void
process_keys_refresh(struct process_keys *k)
{
	struct stat st;

	if (k == NULL || atomic_load(&k->now) == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	if (!pseudonym_keys_stat(k->state, &st)) {
		if (!k->gone)
			svc_log(SVC_ERROR, "%s/" STATE_KEYS " is gone: its keys stay in use until this process ends, and then no pseudonym of theirs "
			    "can be turned back: bring the file back", k->state);
		k->gone = true;
	} else if (st.st_ino != k->st.st_ino || st.st_dev != k->st.st_dev || st.st_mtim.tv_sec != k->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != k->st.st_mtim.tv_nsec || st.st_ctim.tv_nsec != k->st.st_ctim.tv_nsec)
		take_up(k, &st);
	pthread_mutex_unlock(&k->lock);
}
