#include "judge/judge.h"

static struct inspect_plan
pass(const char *because)
{
	return (struct inspect_plan){ .action = PLAN_PASS, .because = because };
}

/* What judge_part() says of a 206, into PLAN; true when that is all there is to say. */
static bool
plan_part(const struct generation *g, const struct body_head *head, struct inspect_plan *plan)
{
	enum part_answer answer = head->status != STATUS_PARTIAL ? PART_AS_BODY :
	    judge_part(g, &head->part, head->content_length, head->complete_length, &plan->because);

	plan->action = answer == PART_PASS ? PLAN_PASS : answer == PART_REFUSE ? PLAN_REFUSE : PLAN_INSPECT;
	return answer != PART_AS_BODY;
}

struct inspect_plan
judge_plan(const struct generation *g, const struct body_head *head)
{
	struct inspect_plan plan = { .action = PLAN_INSPECT };
	bool known = head->content_length != LENGTH_UNKNOWN;
	unsigned sizeless;

	if (!head->has_body)
		return pass("no body");
	if (g == NULL || generation_algs(g) == 0)
		return pass("no file rules");
	if (plan_part(g, head, &plan))
		return plan;
	sizeless = generation_sizeless_algs(g);
	plan.until = sizeless != 0 ? UINT64_MAX : generation_max_size(g);
	plan.algs = generation_algs(g);
	if (known && generation_has_size(g, (uint64_t)head->content_length)) {
		plan.because = "a listed length";
		return plan;
	}
	if (known && sizeless == 0)
		return pass("not a listed length");
	if (known)
		plan.algs = sizeless;
	plan.because = known ? "rules without a size" : "unknown length";
	return plan;
}
