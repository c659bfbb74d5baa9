/* txn.h - one ICAP transaction: it owns everything of its request and dies in one place,
 * txn_free(). */
#ifndef ICAP_SERVICE_TXN_H
#define ICAP_SERVICE_TXN_H

#include "icap_service/body.h"
#include "icap_service/exchange.h"
#include "icap_service/process.h"
#include "judge/findings.h"

/* What mod_service_io does with bytes. */
enum txn_flow {
	FLOW_PASS,	/* the answer is 204, or headers alone: bytes are read and forgotten */
	FLOW_ECHO,	/* bytes go through BODY as they come */
	FLOW_INSPECT,	/* bytes go through BODY and INSPECTOR, held back */
	FLOW_PAGE,	/* bytes are read and forgotten, PAGE goes out */
	FLOW_KILLED,	/* the transfer is to be broken */
};

struct txn {
	struct process		*process;
	ci_request_t		*req;		/* outlives the transaction */
	struct policy		*policy;	/* may be NULL: no generation */
	const struct generation	*generation;	/* of POLICY */
	int64_t			 now_ms;
	enum mode		 mode;
	bool			 respmod;
	bool			 changed;	/* headers were: a 204 would undo that */
	struct exchange		 x;
	struct asker		 asker;		/* borrowed from REQ; for txn_who() */
	bool			 asker_known;
	uint64_t		 key;		/* runtime_key() of the URL; 0 without runtime */
	uint64_t		 etag_key;	/* and of authority and ETag; 0 when there is none that counts */
	enum txn_flow		 flow;
	bool			 judged;	/* end of data was seen: what is left may go */
	struct inspect_plan	 plan;
	struct inspector	*inspector;	/* for FLOW_INSPECT, with FINDINGS */
	struct findings		*findings;
	int64_t			 work_ns;	/* on BODY, so far */
	bool			 outgrown;	/* nothing more can be found in it */
	struct body		*body;
	int64_t			 hold;		/* a longer BODY is not held whole */
	bool			 may_stall;	/* BODY is held longer than an old Squid bears */
	struct buf		 page;
	size_t			 page_sent;
	struct file_names	 names[];	/* what X's head has: one when any rule of GENERATION goes by a name */
};

/* A transaction for REQ, judged by the generation of now.  NULL without memory.  Nothing of REQ is
 * read yet. */
struct txn *txn_new(struct process *process, ci_request_t *req);
void txn_free(struct txn *t);

/* Read the names of the file that T's head is of, if any rule goes by a name; before any header of REQ is changed. */
void txn_read_names(struct txn *t, ci_request_t *req);

/* Who asks for what: looked up at the first call, after txn_read(). */
const struct asker *txn_who(struct txn *t);

/* The same for exceptions: NULL when there are none. */
const struct asker *txn_asker(struct txn *t);

/* Read REQ's heads into T.  -1 without memory. */
int txn_read(struct txn *t, ci_request_t *req);

/* How much of T's body, which is new, may be held whole, as HoldMode says; it is made ready for that.  A length that is known to be
 * more, or the trickle, gives it up: see txn_heads_due(). */
int64_t txn_hold(struct txn *t);

/* The headers of a body that is inspected may go: it is not held whole any more, or trickles.  To be asked after each
 * txn_take(); it is what ends the holding. */
bool txn_heads_due(struct txn *t);

/* Take BYTES from the client's side: how many were taken. */
size_t txn_take(struct txn *t, struct slice bytes);

/* Give at most LEN bytes for the other side into OUT: how many; TXN_EOF when all is out, TXN_BREAK
 * when the transfer is to be broken. */
enum { TXN_EOF = -2, TXN_BREAK = -1 };
int txn_give(struct txn *t, char *out, size_t len);

/* The site's options in force, or the defaults of policy.def when there is no generation.  Borrowed from T. */
const struct site *txn_site(const struct txn *t);

/* The fail mode in force: the site's, or without a generation that of the process (NoRules). */
int txn_fail_mode(const struct txn *t);

#endif
