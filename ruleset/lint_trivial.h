/* lint_trivial.h - files that are everywhere and mean nothing: no bytes, a newline, the usual blanks; and what ordinary files are
 * called.  A rule for one of them would refuse what strangers serve a thousand times a day.  For lint.c and its test. */
#ifndef RULESET_LINT_TRIVIAL_H
#define RULESET_LINT_TRIVIAL_H

#include "base/digest.h"

struct trivial_file {
	const char	*what;			/* "the empty file" */
	uint64_t	 size;			/* bytes */
	const char	*digests[DIGEST_ALGS];	/* digest_len() bytes each */
};

/* All of them; t/test_lint.c has their bytes and hashes them. */
extern const struct trivial_file trivial_files[];
extern const size_t trivial_files_n;

/* The one that has DIGEST; NULL when none has. */
const struct trivial_file *trivial_find(const struct digest *digest);

/* A name that ordinary files have and that PATTERN, canonical, fits; empty when there is none. */
struct slice common_name_find(struct slice pattern);

#endif
