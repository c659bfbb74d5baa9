/* candidate.h - the generation that a publish would make now, without making it.
 *
 * A folder of its own, in $TMPDIR (base/scratch.h), gets links to all that a state folder has, and publish() runs there: what
 * comes out is what a publish would have made of it, held rules and findings too, and the state folder is not touched.  Layers are
 * linked, not copied; what is new is written, and costs that much room. */
#ifndef COMMAND_CANDIDATE_H
#define COMMAND_CANDIDATE_H

#include "base/scratch.h"
#include "command/call.h"
#include "ruleset/generation.h"
#include "ruleset/publish.h"

struct candidate {
	const char		*dir;		/* a state folder, within SCRATCH; or NULL */
	struct scratch		 scratch;
	struct generation	*g;
	struct publish_report	 report;
};

/* Make OUT of C's state folder, as OPTIONS say (only, lists, suffix_file; all else is set here).  FILE, which may be NULL, is a
 * list that is not among the sources yet, and is put there by its name, in place of one that has it.  What publish finds goes to
 * DIAG, with the names of files as they really are.  -1 with errors in DIAG.  OUT is to be given to candidate_fini() in either
 * case. */
int candidate_make(const struct call *c, const struct publish_options *options, const char *file, struct candidate *out,
    struct diag *diag);

/* The name of the source that FILE would be, which is written into NAME: NAME. */
const char *candidate_source(const char *file, char name[static MANIFEST_NAME + 1]);

/* Close the generation and remove the folder. */
void candidate_fini(struct candidate *candidate);

#endif
