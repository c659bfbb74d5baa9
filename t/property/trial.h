/* trial.h - one case of the property test: a file, what an origin made of it, the rules about it, and who asks for it how.
 *
 * Trials are made in worlds of TRIALS_A_WORLD, which share one site.conf, one c-icap.conf and one set of rules.  All of it depends
 * on the seed, the dimensions and the number only.  One thread; without memory the program ends. */
#ifndef T_PROPERTY_TRIAL_H
#define T_PROPERTY_TRIAL_H

#include "base/digest.h"
#include "t/property/model.h"
#include "t/property/pack.h"

enum { TRIALS_A_WORLD = 25, TRIAL_LAYERS = 8, TRIAL_CODINGS = 6, TRIAL_TARGETS = 2, TRIAL_REQUESTS = 5, TRIAL_NAME = 64,
	TRIAL_TEXT = 600, TRIAL_RULES = 16384 };

/* What may vary; FIREBREAK_PROPERTY names them. */
enum dimension { DIMENSION_CODINGS = 1, DIMENSION_ARCHIVES = 2, DIMENSION_RANGES = 4 };

struct world {
	uint64_t	 number;
	unsigned	 dimensions;
	size_t		 hold_small, hold_tail;
	bool		 sizeless;		/* there are rules without a size */
	bool		 block_unscannable;
	char		 conf[TRIAL_TEXT];	/* lines of c-icap.conf */
	char		 site[TRIAL_TEXT];	/* site.conf */
};

enum expect {
	EXPECT_STOP,		/* no target comes out whole */
	EXPECT_PASS,		/* every byte arrives, and nothing is said */
	EXPECT_LOW,		/* ... but that it would have been blocked */
	EXPECT_UNSCANNABLE,	/* nobody can look into it */
	EXPECTS
};
const char *expect_name(enum expect e);

enum ask { ASK_GET, ASK_RESUME, ASK_RESUME_IF, ASK_TAIL, ASK_MULTI, ASK_HALF, ASK_REST, ASKS };
const char *ask_name(enum ask a);

enum reads { READS_WHOLE, READS_ONE, READS_RANDOM };

/* How it is asked for: all that can be made simpler without changing what it is. */
struct way {
	enum framing	framing;
	int		preview;	/* bytes, or NO_PREVIEW */
	bool		allow204;
	enum reads	reads;
	size_t		n_asks;
	enum ask	asks[TRIAL_REQUESTS];
};

struct trial {
	uint64_t	 number;
	char		 file[TRIAL_NAME];	/* what the file is called, in the URL and in archives */
	bool		 named[TRIAL_LAYERS];	/* layer I is called so where it comes out */
	char		 host[TRIAL_NAME], etag[TRIAL_NAME], encoding[TRIAL_NAME];
	const char	*type;
	struct buf	 layers[TRIAL_LAYERS];	/* the file, what was made of it ...; the last is the representation */
	size_t		 n_layers;
	enum coding	 codings[TRIAL_CODINGS];	/* those that are undone by who gets it */
	size_t		 n_codings;
	struct slice	 targets[TRIAL_TARGETS];	/* what must not come out whole; of LAYERS, or of OTHER */
	size_t		 n_targets;
	struct buf	 other;			/* a second listed file */
	enum expect	 expect;
	bool		 clean;			/* well made: whoever cannot look into it is at fault */
	bool		 exempt;		/* an allow rule speaks for it */
	struct buf	 rules, twins;		/* rules, and rules that would stop what must pass: for a test of the test */
	struct way	 way;
	char		 text[TRIAL_TEXT];	/* what it is */
};

/* World NUMBER of SEED. */
void world_make(struct world *w, uint64_t seed, uint64_t number, unsigned dimensions);

/* Trial NUMBER, which is of W. */
void trial_make(struct trial *t, const struct world *w, uint64_t seed, uint64_t number);
void trial_fini(struct trial *t);

/* What the origin serves. */
struct slice trial_body(const struct trial *t);

#endif
