/* proof.h - requests through the real proxy that must be blocked, and one that must not.
 *
 * Their rules are of a source of their own; names end in .invalid, which nobody has; bodies are noise from an origin of our own on
 * the loopback address.  For setup names and bodies are such as nobody has seen before: the caller publishes their rules before
 * and takes them away after.  Those of a selftest are the same everywhere and always, so that their rules can stay. */
#ifndef SETUP_PROOF_H
#define SETUP_PROOF_H

#include "base/buf.h"

#define PROOF_SOURCE	"firebreak-setup"	/* where the caller puts the rules of a setup; those of a selftest: RULE_CANARIES */

/* How the rules of a selftest begin, whatever the version. */
#define PROOF_CANARIES_HEAD	"# Of \"firebreak selftest\", which asks for what is listed here; the source's blocks are no events.\n"

struct proof;

enum proof_of { PROOF_OF_SETUP, PROOF_OF_SELFTEST };

struct proof_row {
	const char	*word;		/* "held" */
	const char	*name;		/* "file, held" */
	bool		 blocks;	/* it is to be blocked; else it is to pass, plainly */
	bool		 good;
	char		 said[320];	/* "blocked, as it should be", or what came instead */
	const char	*advice;	/* what to do when it was not good; NULL */
	double		 seconds;	/* how long it took */
};

typedef void proof_visit(void *arg, const struct proof_row *row);

/* Make up names and bodies, and start the origin.  PROXY is "127.0.0.1:3128".  NULL with errno.  The caller's: proof_free(). */
struct proof *proof_new(const char *proxy, enum proof_of of);
void proof_free(struct proof *p);

/* The source's text. */
struct slice proof_rules(const struct proof *p);

/* Leave out what WORD names.  -1 when nothing that is blocked is called so. */
int proof_leave_out(struct proof *p, struct slice word);

/* The words of all that is blocked, by I from 0; NULL behind the last. */
const char *proof_word(size_t i);

/* Wait at most TIMEOUT_MS until the rules count in Squid, which may have WORKERS, and then try each kind of rule; VISIT is told
 * of each. How many were not as they should be. */
unsigned proof_run(struct proof *p, unsigned workers, int64_t timeout_ms, proof_visit *visit, void *arg);

/* Ask once more for what is to pass. */
void proof_ask_plain(const struct proof *p, struct proof_row *row);

#endif
