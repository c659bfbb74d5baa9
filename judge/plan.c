#include "judge/judge.h"

static struct inspect_plan
pass(const char *because)
{
	return (struct inspect_plan){ .action = PLAN_PASS, .because = because };
}

/* A part has no digest to compare: only the whole's length speaks.  When that is not listed the part is judged
 * like any body, since an origin may call a part what is all of it. */
static bool
is_part_of_listed(const struct generation *g, const struct body_head *head)
{
	return head->status == STATUS_PARTIAL && (head->complete_length == LENGTH_UNKNOWN ||
	    generation_has_size(g, (uint64_t)head->complete_length));
}

static struct inspect_plan
refuse(const struct body_head *head)
{
	return (struct inspect_plan){ .action = PLAN_REFUSE, .because = head->complete_length == LENGTH_UNKNOWN ?
		"a part of a body of unknown length" : "a part of a body that has a listed length" };
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
	if (is_part_of_listed(g, head))
		return refuse(head);
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
