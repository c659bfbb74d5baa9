/* report.h - from a decision to its event: the only place that fills a struct event from a
 * transaction.
 *
 * A full disk or an unwritable log never stops a decision: the loss is counted, said once, and
 * writing goes on. */
#ifndef ICAP_SERVICE_REPORT_H
#define ICAP_SERVICE_REPORT_H

#include "icap_service/txn.h"

/* What was done, besides WHY. */
struct outcome {
	enum event_action	 action;
	const struct why	*why;
	const char		*incident;
	const struct body_facts	*facts;		/* NULL: no body was looked at */
	int64_t			 delivered;	/* -1: not meant */
};

/* Write the event and count it; a canary that was stopped is counted only. */
void report(struct txn *t, const struct outcome *outcome);

#endif
