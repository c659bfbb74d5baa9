#include "eventstore/log_crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eventstore/log_bytes.h"

enum { PIECE_SIZE = 1 << 20, MAGIC_MAX = 6 };

_Static_assert((int)LOG_CREW_LINE < (int)PIECE_SIZE, "a line fits into a piece");

/* A piece of the log, whole lines of it, while a member looks at them. */
struct job {
	const struct log_crew_work *work;
	void			*member;
	pthread_t		 thread;
	bool			 started;
	char			*in;
	size_t			 len;
};

/* The log while it is cut into pieces: what follows the last whole line is kept for the next. */
struct input {
	int		 fd;
	struct log_bytes *bytes;	/* NULL: no regular file */
	char		*rest;
	size_t		 rest_len;
	bool		 skipping;	/* the rest of a line that is too long */
	bool		 ended;
	int		 error;		/* errno, when it ended for that */
};

size_t
log_crew_size(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 2 : n >= LOG_CREW_MEMBERS ? LOG_CREW_MEMBERS : (size_t)n + 1;
}

/* ---- pieces ---- */

static ssize_t
read_some(struct input *in, char *out, size_t len)
{
	ssize_t n;

	if (in->bytes != NULL)
		return log_bytes_read(in->bytes, out, len);
	do
		n = read(in->fd, out, len);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Drop what is left of a line that was too long from the start of JOB. */
static void
skip_rest(struct input *in, struct job *job)
{
	const char *end = memchr(job->in, '\n', job->len);
	size_t n = end == NULL ? job->len : (size_t)(end - job->in) + 1;

	memmove(job->in, job->in + n, job->len - n);
	job->len -= n;
	in->skipping = end == NULL;
}

/* Keep what follows the last newline of JOB for the next piece. */
static void
keep_rest(struct input *in, struct job *job)
{
	const char *end = memrchr(job->in, '\n', job->len);
	size_t n = end == NULL ? job->len : job->len - (size_t)(end - job->in) - 1;

	if (in->error != 0)
		job->len -= n;
	if (in->ended)
		return;
	if (n >= LOG_CREW_LINE) {
		job->len -= n - LOG_CREW_LINE;
		in->skipping = true;
		return;
	}
	job->len -= n;
	memcpy(in->rest, job->in + job->len, n);
	in->rest_len = n;
}

/* Fill JOB with whole lines.  False at the end. */
static bool
fill_job(struct input *in, struct job *job)
{
	job->len = in->rest_len;
	memcpy(job->in, in->rest, in->rest_len);
	in->rest_len = 0;
	while (!in->ended && job->len < PIECE_SIZE) {
		ssize_t n = read_some(in, job->in + job->len, PIECE_SIZE - job->len);

		if (n == -1)
			in->error = errno;
		in->ended = n <= 0;
		job->len += n > 0 ? (size_t)n : 0;
		if (in->skipping)
			skip_rest(in, job);
	}
	keep_rest(in, job);
	return job->len > 0;
}

static void *
look(void *arg)
{
	struct job *job = arg;
	const char *p = job->in, *end = job->in + job->len;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop == NULL ? end : stop) - p);

		job->work->line(job->member, slice_make(p, len > LOG_CREW_LINE ? LOG_CREW_LINE : len));
		p += len + 1;
	}
	return NULL;
}

/* JOB's piece has been looked at, if it has one: what PIECE answers. */
static int
finish_job(struct job *job, void *arg)
{
	if (job->len == 0)
		return 0;
	if (job->started)
		pthread_join(job->thread, NULL);
	else
		look(job);
	job->started = false;
	return job->work->piece(arg, job->member, job->len);
}

/* All pieces, the N jobs in turns: while the others look at theirs, the next one is read.  What PIECE answered. */
static int
do_all(struct input *in, struct job *jobs, size_t n, void *arg)
{
	size_t at = 0;
	int stop = 0;

	for (; !in->ended && stop == 0; at = (at + 1) % n) {
		struct job *job = &jobs[at];

		stop = finish_job(job, arg);
		job->len = 0;
		if (stop == 0 && fill_job(in, job))
			job->started = pthread_create(&job->thread, NULL, look, job) == 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct job *job = &jobs[(at + i) % n];

		if (stop == 0)
			stop = finish_job(job, arg);
		else if (job->started)
			pthread_join(job->thread, NULL);
	}
	return stop;
}

/* ---- all of them ---- */

/* What would be taken for text and is none. */
static bool
is_compressed_otherwise(int fd)
{
	static const struct slice magics[] = { { "\xfd""7zXZ", 5 }, { "\x28\xb5\x2f\xfd", 4 }, { "BZh", 3 }, { "\x04\x22\x4d\x18", 4 } };
	char start[MAGIC_MAX];
	ssize_t n = pread(fd, start, sizeof(start), 0);

	for (size_t i = 0; n > 0 && i < sizeof(magics) / sizeof(*magics); i++)
		if (slice_starts(slice_make(start, (size_t)n), magics[i]))
			return true;
	return false;
}

static int
open_input(struct input *in)
{
	struct stat st;

	if (fstat(in->fd, &st) == -1)
		return -1;
	if (S_ISDIR(st.st_mode))
		return errno = EISDIR, -1;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (is_compressed_otherwise(in->fd))
		return errno = ENOTSUP, -1;
	if ((in->bytes = malloc(sizeof(*in->bytes))) == NULL)
		return -1;
	if (log_bytes_open(in->bytes, in->fd, NULL, NULL) == 0)
		return 0;
	free(in->bytes);
	in->bytes = NULL;
	return -1;
}

int
log_crew_read(int fd, const struct log_crew_work *work, void *const *members, size_t n, void *arg)
{
	struct input in = { .fd = fd, .rest = malloc(LOG_CREW_LINE) };
	struct job *jobs = calloc(n, sizeof(*jobs));
	bool good = in.rest != NULL && jobs != NULL;
	int stop = 0;

	for (size_t i = 0; good && i < n; i++) {
		jobs[i] = (struct job){ .work = work, .member = members[i], .in = malloc(PIECE_SIZE) };
		good = jobs[i].in != NULL;
	}
	if (!good || open_input(&in) == -1)
		in.error = errno;
	if (in.error == 0)
		stop = do_all(&in, jobs, n, arg);
	if (in.bytes != NULL)
		log_bytes_close(in.bytes);
	free(in.bytes);
	for (size_t i = 0; jobs != NULL && i < n; i++)
		free(jobs[i].in);
	free(jobs);
	free(in.rest);
	errno = in.error;
	return stop != 0 || in.error == 0 ? stop : -1;
}
