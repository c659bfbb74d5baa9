#include "delivery/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "delivery/transfer.h"

enum { STATUS_OK = 200 };

struct fetch {
	struct fetch_options	 options;
	char			*base;		/* ends in a slash */
	char			*folder;	/* of file:; NULL */
	struct transfer		*transfer;	/* NULL for file: */
	uint64_t		 bytes;
};

static int
say(const struct fetch *f, const char *name, struct diag *diag, const char *what)
{
	char url[TRANSFER_URL];

	snprintf(url, sizeof(url), "%s%s", f->base, name);
	diag_add(diag, DIAG_ERROR, url, 0, 0, "%s", what);
	return -1;
}

static const char *
refuse_redirect(void *arg, const char *from, const char *to)
{
	(void)arg;
	return transfer_same_origin(from, to) ? NULL :
	    "the origin sends us elsewhere; only its own scheme, host and port are followed";
}

int
fetch_get(struct fetch *f, const char *name, uint64_t max, fetch_sink *sink, void *arg, struct diag *diag)
{
	char where[TRANSFER_URL], what[64];
	struct transfer_answer answer;
	struct transfer_request rq = { .url = where, .max = max, .timeout_s = f->options.timeout_s + (int64_t)(max / FETCH_RATE),
		.refuse = refuse_redirect, .sink = sink, .arg = arg };
	int r;

	if (snprintf(where, sizeof(where), "%s%s", f->folder != NULL ? f->folder : f->base, name) >= (int)sizeof(where))
		return say(f, name, diag, strerror(ENAMETOOLONG));
	r = f->folder != NULL ? transfer_file(where, max, sink, arg, &answer) : transfer_get(f->transfer, &rq, &answer);
	f->bytes += answer.bytes;
	if (r == -1)
		return answer.refused ? -1 : say(f, name, diag, answer.why);
	if (answer.status == STATUS_OK)
		return 0;
	snprintf(what, sizeof(what), "the origin answered with status %ld", answer.status);
	return say(f, name, diag, what);
}

uint64_t
fetch_bytes(const struct fetch *f)
{
	return f->bytes;
}

/* The folder as text that ends in a slash, and as a path when it is of this machine. */
static int
read_url(struct fetch *f)
{
	const char *slash = slice_ends(slice_str(f->options.url), SLICE("/")) ? "" : "/";
	char *scheme = transfer_scheme_of(f->options.url), *path = NULL;
	int r = scheme == NULL ? -1 : asprintf(&f->base, "%s%s", f->options.url, slash);

	if (r == -1) {
		f->base = NULL;
	} else if (strcmp(scheme, "file") == 0) {
		path = transfer_path_of(f->options.url);
		r = path == NULL ? -1 : asprintf(&f->folder, "%s%s", path, slash);
		f->folder = r == -1 ? NULL : f->folder;
	}
	free(scheme);
	free(path);
	return r == -1 ? -1 : 0;
}

struct fetch *
fetch_open(const struct fetch_options *options, struct diag *diag)
{
	struct transfer_options how = { .ca = options->ca, .env_proxy = options->env_proxy };
	struct fetch *f = calloc(1, sizeof(*f));
	const char *why;

	if (f == NULL) {
		diag_error(diag, "out of memory");
		return NULL;
	}
	f->options = *options;
	if ((why = transfer_asked_trouble(options->url)) == NULL && options->url[strcspn(options->url, "?#")] != '\0')
		why = "has a query or a fragment: it must be a folder";
	if (why == NULL && (read_url(f) == -1 || (f->folder == NULL && (f->transfer = transfer_open(&how)) == NULL)))
		why = strerror(ENOMEM);
	if (why == NULL)
		return f;
	diag_add(diag, DIAG_ERROR, options->url, 0, 0, "%s", why);
	fetch_close(f);
	return NULL;
}

void
fetch_close(struct fetch *f)
{
	if (f == NULL)
		return;
	transfer_close(f->transfer);
	free(f->base);
	free(f->folder);
	free(f);
}
