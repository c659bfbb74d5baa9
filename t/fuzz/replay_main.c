/* Every seed of a fuzz target as a test point: "replay DIR".  With sanitizers a bad one ends the program, which fails the plan. */
#include <dirent.h>

#include "base/file.h"
#include "t/tap.h"

enum { SEED_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
replay(const char *path, const char *name)
{
	struct buf seed;

	buf_init(&seed, SEED_MAX);
	if (file_read(path, &seed) == 0) {
		struct slice copy = guard_copy(buf_slice(&seed));

		LLVMFuzzerTestOneInput((const uint8_t *)copy.p, copy.len);
		ok(true, "%s", name);
	} else
		ok(false, "%s cannot be read", name);
	buf_fini(&seed);
}

int
main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	char *dir = NULL, *path;
	struct dirent *entry;
	DIR *d;

	if (argc > 1)
		dir = strdup(argv[1]);
	else if (asprintf(&dir, "%s/t/fuzz/%s.in", top != NULL ? top : ".", FUZZ_NAME) == -1)
		abort();
	if ((d = opendir(dir)) == NULL) {
		ok(false, "no seeds in %s", dir);
		return tap_done();
	}
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && (path = file_join(dir, entry->d_name)) != NULL) {
			replay(path, entry->d_name);
			free(path);
		}
	closedir(d);
	free(dir);
	ok(tap_n > 0, "there are seeds");
	return tap_done();
}
