/* proof.h - requests through the real proxy that must be blocked, and one that must not.
 *
 * Their rules are of a source of their own, which the caller publishes before and takes away after; names end in .invalid, which
 * nobody has; bodies are noise that nobody has seen, from an origin of our own on the loopback address. */
#ifndef SETUP_PROOF_H
#define SETUP_PROOF_H

#include "base/buf.h"

#define PROOF_SOURCE	"firebreak-setup"

struct proof;

struct proof_row {
	const char	*name;		/* "file, short" */
	bool		 good;
	char		 said[320];	/* "blocked, as it should be", or what came instead */
	const char	*advice;	/* what to do when it was not good; NULL */
};

typedef void proof_visit(void *arg, const struct proof_row *row);

/* Make up names and bodies, and start the origin.  PROXY is "127.0.0.1:3128".  NULL with errno.  The caller's: proof_free(). */
struct proof *proof_new(const char *proxy);
void proof_free(struct proof *p);

/* The source's text. */
struct slice proof_rules(const struct proof *p);

/* Wait at most TIMEOUT_MS until the rules count in Squid, which may have WORKERS, and then try each kind of rule; VISIT is told
 * of each. How many were not as they should be. */
unsigned proof_run(struct proof *p, unsigned workers, int64_t timeout_ms, proof_visit *visit, void *arg);

#endif
