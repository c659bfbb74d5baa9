#include "icap_service/process.h"

#include <sys/stat.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "icap_service/process_keys.h"
#include "icap_service/process_log.h"
#include "icap_service/svc_log.h"
#include "runtime/state.h"

enum { NODE_NAME = 256, RETRY_MS = 30 * 1000 };

struct policy {
	struct generation	*generation;
	_Atomic unsigned	 users;
};

struct process {
	const struct service_options	*options;
	struct site			 site;		/* the defaults of policy.def */
	struct runtime			*runtime;
	struct process_log		*log, *targets;		/* TARGETS: whom lures were aimed at; NULL without memory */
	struct inspect_means		 means;
	char				 spool_dir[STATE_PATH];
	unsigned			 node;
	_Atomic pid_t			 pid;		/* as the table has it: asking the kernel each time would show */
	_Atomic int			 slot;		/* in the worker table; -1 = none */
	_Atomic unsigned		 spare_incident; /* counts when there is no runtime */
	_Atomic bool			 said[SAID_N];

	pthread_mutex_t			 reload;	/* one thread opens a generation, the others wait for it */
	_Atomic uint64_t		 seen_word;	/* the generation word at the last look */
	int64_t				 refused_ms;	/* guarded by reload: when a rule set was refused; 0 = it was not */
	struct timespec			 manifest_time;	/* guarded by reload */
	ino_t				 manifest_inode;

	struct process_keys		*keys;
	pthread_mutex_t			 lock;		/* guards current; never held while working */
	struct policy			*current;
};

struct runtime *
process_runtime(const struct process *self)
{
	return self->runtime;
}

const struct service_options *
process_options(const struct process *self)
{
	return self->options;
}

const struct inspect_means *
process_means(const struct process *self)
{
	return &self->means;
}

const struct site *
process_site(const struct process *self)
{
	return &self->site;
}

const struct generation *
policy_generation(const struct policy *p)
{
	return p == NULL ? NULL : p->generation;
}

void
policy_put(struct policy *p)
{
	if (p == NULL || atomic_fetch_sub(&p->users, 1) > 1)
		return;
	generation_close(p->generation);
	free(p);
}

static struct policy *
take_current(struct process *self)
{
	struct policy *p;

	pthread_mutex_lock(&self->lock);
	if ((p = self->current) != NULL)
		atomic_fetch_add(&p->users, 1);
	pthread_mutex_unlock(&self->lock);
	return p;
}

static void
swap_current(struct process *self, struct policy *next)
{
	struct policy *old;

	pthread_mutex_lock(&self->lock);
	old = self->current;
	self->current = next;
	pthread_mutex_unlock(&self->lock);
	policy_put(old);
}

uint64_t
process_generation(struct process *self)
{
	struct policy *p = take_current(self);
	uint64_t n = p == NULL ? 0 : generation_number(p->generation);

	policy_put(p);
	return n;
}

/* The MANIFEST is another file than at the last look.  Called with RELOAD held. */
static bool
manifest_changed(struct process *self)
{
	char path[STATE_PATH];
	struct stat st;

	if (state_path(self->options->state_dir, STATE_MANIFEST, path) == -1 || stat(path, &st) == -1)
		return false;
	if (st.st_ino == self->manifest_inode && st.st_mtim.tv_sec == self->manifest_time.tv_sec &&
	    st.st_mtim.tv_nsec == self->manifest_time.tv_nsec)
		return false;
	self->manifest_inode = st.st_ino;
	self->manifest_time = st.st_mtim;
	return true;
}

/* A policy with one user; G is taken over, and gone when there is no memory. */
static struct policy *
policy_new(struct generation *g)
{
	struct policy *p = malloc(sizeof(*p));

	if (p == NULL) {
		generation_close(g);
		return NULL;
	}
	p->generation = g;
	atomic_init(&p->users, 1);
	return p;
}

/* Nothing was ever published here, which is how every state folder begins, and no refusal.  NUMBER: what is in force. */
static bool
is_unpublished(const struct process *self, uint64_t number)
{
	char path[STATE_PATH];

	return number == 0 && (self->runtime == NULL || runtime_generation(self->runtime) == 0) &&
	    state_path(self->options->state_dir, STATE_MANIFEST, path) == 0 && access(path, F_OK) == -1 && errno == ENOENT;
}

/* What the MANIFEST names cannot be had; DIAG says why.  A refusal keeps what was, the generation NUMBER. */
static void
refuse(struct process *self, uint64_t number, const struct diag *diag)
{
	bool unpublished = is_unpublished(self, number);

	svc_log_diag(diag);
	svc_log(SVC_ERROR, "%s; %s", unpublished ? "nothing was published yet" : "the published rule set is refused",
	    number > 0 ? "the one before it stays in force" : "there are NO RULES in force: run \"firebreak publish\"");
	if (unpublished)
		return;
	process_count(self, COUNTER_reloads_refused, 1);
	self->refused_ms = clock_ms();
}

/* Open what the MANIFEST names and make it current, unless it is that already.  Called with RELOAD held. */
static bool
take_up(struct process *self)
{
	struct diag diag = { 0 };
	char dir[STATE_PATH];
	struct generation *g = NULL;
	struct policy *next, *now = take_current(self);
	uint64_t number = now == NULL ? 0 : generation_number(now->generation);

	if (state_path(self->options->state_dir, STATE_RULES, dir) == 0)
		g = generation_open(dir, false, policy_generation(now), &diag);
	policy_put(now);
	if (g == NULL) {
		refuse(self, number, &diag);
		diag_fini(&diag);
		return false;
	}
	self->refused_ms = 0;
	diag_fini(&diag);
	if (generation_number(g) == number) {
		generation_close(g);
		return false;
	}
	number = generation_number(g);
	if ((next = policy_new(g)) == NULL) {
		svc_log(SVC_ERROR, "out of memory: generation %llu is not taken up", (unsigned long long)number);
		return false;
	}
	swap_current(self, next);
	if (self->runtime != NULL && runtime_generation(self->runtime) < number)
		runtime_set_generation(self->runtime, number);
	process_count(self, COUNTER_reloads, 1);
	svc_log(SVC_INFO, "generation %llu is in force", (unsigned long long)number);
	return true;
}

/* What was refused may have been a passing want of memory or descriptors. */
static bool
retry_is_due(const struct process *self)
{
	return self->refused_ms != 0 && clock_ms() - self->refused_ms >= RETRY_MS;
}

/* Look whether something was published; BY_FILE also looks at the MANIFEST itself, in case the word
 * was lost. */
static void
refresh(struct process *self, bool by_file)
{
	uint64_t word = self->runtime == NULL ? 0 : runtime_generation(self->runtime);
	bool changed = false;

	if (word == atomic_load(&self->seen_word) && !by_file)
		return;
	pthread_mutex_lock(&self->reload);
	if (word != atomic_load(&self->seen_word)) {
		manifest_changed(self);
		changed = take_up(self);
		atomic_store(&self->seen_word, word);
	} else if (by_file && (manifest_changed(self) || retry_is_due(self)))
		changed = take_up(self);
	pthread_mutex_unlock(&self->reload);
	if (changed && self->runtime != NULL)
		runtime_worker_report(self->runtime, atomic_load(&self->slot), process_generation(self), clock_ms());
}

struct policy *
process_policy(struct process *self)
{
	refresh(self, self->runtime == NULL);
	return take_current(self);
}

void
process_tick(struct process *self)
{
	refresh(self, true);
	process_keys_refresh(self->keys);
	process_log_tick(self->log);
	process_log_tick(self->targets);
	if (self->runtime != NULL)
		runtime_worker_report(self->runtime, atomic_load(&self->slot), process_generation(self), clock_ms());
}

void
process_join(struct process *self)
{
	atomic_store(&self->pid, getpid());
	if (self->runtime == NULL)
		return;
	atomic_store(&self->slot, runtime_worker_join(self->runtime, getpid(), clock_ms()));
	if (atomic_load(&self->slot) == -1)
		svc_log(SVC_WARNING, "the worker table is full: status and publish will not see process %d",
		    (int)getpid());
	process_tick(self);
}

void
process_leave(struct process *self)
{
	int slot = atomic_exchange(&self->slot, -1);

	if (self->runtime != NULL && slot != -1)
		runtime_worker_leave(self->runtime, slot, getpid());
}

static unsigned
node_number(const struct service_options *options)
{
	char name[NODE_NAME] = "";

	if (options->node != 0)
		return (unsigned)options->node;
	gethostname(name, sizeof(name) - 1);
	return incident_node(slice_str(name));
}

static struct process_log *
open_log(const struct service_options *options)
{
	char path[STATE_PATH];

	if (*options->event_log != '\0')
		return process_log_new("event log", options->event_log, EVENT_LOG_MODE);
	return state_path(options->state_dir, STATE_EVENTS, path) == -1 ? NULL : process_log_new("event log", path, EVENT_LOG_MODE);
}

static struct process_log *
open_targets(const struct service_options *options)
{
	char path[STATE_PATH];

	return state_path(options->state_dir, STATE_TARGETS, path) == -1 ? NULL :
	    process_log_new("log of targets", path, TARGETS_LOG_MODE);
}

static void
find_means(struct process *self)
{
	const struct service_options *o = self->options;

	self->means.helper = *o->helper != '\0' ? o->helper : INSPECT_HELPER;
	self->means.spool_dir = o->spool_dir;
	if (*o->spool_dir == '\0' && state_path(o->state_dir, STATE_RUNTIME, self->spool_dir) == 0)
		self->means.spool_dir = self->spool_dir;
}

/* Options that ask for something of Squid, which does not say its version. */
static void
warn_of_options(const struct service_options *o)
{
	if (o->hold_mode == HOLD_WHOLE)
		svc_log(SVC_WARNING, "HoldMode whole needs Squid 6.14 or 7.0.2 and later: with others downloads of more than 64 KiB stop "
		    "(Squid bug 5352)");
}

struct process *
process_start(const struct service_options *options)
{
	struct process *self = calloc(1, sizeof(*self));
	struct diag diag = { 0 };

	if (self == NULL || (self->log = open_log(options)) == NULL ||
	    option_defaults(site_options, site_options_n, &self->site) == -1) {
		if (self != NULL) {
			process_log_free(self->log);
			option_fini(site_options, site_options_n, &self->site);
		}
		free(self);
		return NULL;
	}
	self->options = options;
	self->node = node_number(options);
	self->targets = open_targets(options);
	self->keys = process_keys_new(options->state_dir);
	find_means(self);
	warn_of_options(options);
	atomic_init(&self->slot, -1);
	atomic_init(&self->pid, getpid());
	pthread_mutex_init(&self->reload, NULL);
	pthread_mutex_init(&self->lock, NULL);
	if ((self->runtime = runtime_open(options->state_dir, &diag)) == NULL) {
		svc_log_diag(&diag);
		svc_log(SVC_ERROR, "what workers share is missing: rules are re-read from the MANIFEST, kills "
		    "and cached objects are not remembered");
	}
	diag_fini(&diag);
	if (self->runtime != NULL)
		process_log_share_end(self->log, runtime_log_end(self->runtime));
	atomic_init(&self->seen_word, self->runtime == NULL ? 0 : runtime_generation(self->runtime));
	manifest_changed(self);
	take_up(self);
	return self;
}

void
process_stop(struct process *self)
{
	if (self == NULL)
		return;
	process_leave(self);
	swap_current(self, NULL);
	process_count(self, COUNTER_events_lost, process_log_free(self->log) + process_log_free(self->targets));
	runtime_close(self->runtime);
	process_keys_free(self->keys);
	option_fini(site_options, site_options_n, &self->site);
	pthread_mutex_destroy(&self->reload);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

pid_t
process_pid(const struct process *self)
{
	return atomic_load(&self->pid);
}

void
process_incident(struct process *self, int64_t now_ms, char out[static INCIDENT_LEN + 1])
{
	unsigned counter = self->runtime != NULL ? runtime_next_incident(self->runtime) :
	    atomic_fetch_add(&self->spare_incident, 1) + (unsigned)getpid();

	incident_make(now_ms, self->node, counter, out);
}

void
process_count(struct process *self, enum counter c, uint64_t n)
{
	if (self->runtime != NULL)
		runtime_count(self->runtime, c, n);
}

const struct pseudonyms *
process_pseudonyms(struct process *self, bool needed, int64_t now_ms)
{
	return process_keys_get(self->keys, needed, now_ms);
}

bool
process_has_pseudonyms(struct process *self)
{
	return process_keys_are_there(self->keys);
}

void
process_time(struct process *self, enum latency_of of, int64_t ns)
{
	if (self->runtime != NULL)
		latency_add(runtime_latency(self->runtime, of), ns);
}

enum mode
process_mode(struct process *self, int64_t now_ms)
{
	return self->runtime == NULL ? MODE_ENFORCE : runtime_mode(self->runtime, now_ms, NULL);
}

static void
write_line(struct process *self, struct process_log *log, struct slice line)
{
	enum late late = log == NULL ? LATE_LOST : process_log_write(log, line);

	process_count(self, COUNTER_events_late, late == LATE_KEPT);
	process_count(self, COUNTER_events_lost, late == LATE_LOST);
}

void
process_event(struct process *self, struct slice line)
{
	write_line(self, self->log, line);
}

void
process_target(struct process *self, struct slice line)
{
	write_line(self, self->targets, line);
}

bool
process_says_first(struct process *self, enum process_said what)
{
	return !atomic_exchange(&self->said[what], true);
}
