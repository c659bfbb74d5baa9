/* What is read of an access log, for t/e2e/access_log.sh: "access_dump FORMAT < LOG".  A line each: kind, client, user, method,
 * URL, status, milliseconds, bytes of the reply and of its head; "?" for a line that is none of that format. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "eventstore/access_format.h"

enum { SCRATCH_MAX = 1 << 20 };

static void
print(struct slice s)
{
	printf("%.*s\t", SLICE_ARGS(s.len > 0 ? s : SLICE("-")));
}

int
main(int argc, char **argv)
{
	struct diag diag = { 0 };
	struct access_format *f = access_format_new(slice_str(argc > 1 ? argv[1] : ""), &diag);
	struct access_entry e;
	struct buf scratch;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	diag_print(&diag, stderr);
	diag_fini(&diag);
	buf_init(&scratch, SCRATCH_MAX);
	while (f != NULL && (n = getline(&line, &cap, stdin)) > 0) {
		n -= line[n - 1] == '\n';
		if (!access_format_read(f, slice_make(line, (size_t)n), &scratch, &e)) {
			puts("?");
			continue;
		}
		printf("%d\t", (int)e.kind);
		print(e.client);
		print(e.user);
		print(e.method);
		print(e.url);
		print(e.status);
		printf("%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", e.time_ms, e.size, e.head_size);
	}
	free(line);
	buf_fini(&scratch);
	access_format_free(f);
	return f == NULL;
}
