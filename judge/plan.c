#include "judge/judge.h"

static struct inspect_plan
pass(const char *because)
{
	return (struct inspect_plan){ .action = PLAN_PASS, .because = because };
}

/* What judge_part() says of a 206; PART_AS_BODY for all else. */
static enum part_answer
part_of(const struct generation *g, const struct body_head *head, const char **because)
{
	return head->status != STATUS_PARTIAL ? PART_AS_BODY :
	    judge_part(g, &head->part, head->content_length, head->complete_length, because);
}

/* The same into PLAN; true when that is all there is to say. */
static bool
plan_part(const struct generation *g, const struct body_head *head, struct inspect_plan *plan)
{
	enum part_answer answer = part_of(g, head, &plan->because);

	plan->action = answer == PART_PASS ? PLAN_PASS : answer == PART_REFUSE ? PLAN_REFUSE : PLAN_INSPECT;
	return answer != PART_AS_BODY;
}

static bool
has_listed_length(const struct generation *g, const struct body_head *head)
{
	return head->content_length != LENGTH_UNKNOWN && generation_has_size(g, (uint64_t)head->content_length);
}

bool
judge_may_be_listed(const struct generation *g, uint64_t size)
{
	return generation_sizeless_algs(g) != 0 || generation_has_size(g, size) || generation_has_named_size(g, size);
}

bool
judge_has_file_rules(const struct generation *g)
{
	return generation_algs(g) != 0 || generation_has_names(g);
}

/* What goes by its name alone is hashed all the same: events name digests, and an allow may go by one. */
static unsigned
algs_or_md5(const struct generation *g)
{
	return generation_algs(g) != 0 ? generation_algs(g) : DIGEST_BIT(DIGEST_MD5);
}

bool
judge_remembers_enough(const struct generation *g, const struct body_facts *facts)
{
	unsigned needed = generation_has_size(g, facts->size) || generation_has_named_size(g, facts->size) ? generation_algs(g) :
	    generation_sizeless_algs(g);

	for (size_t i = 0; i < facts->n; i++)
		needed &= ~DIGEST_BIT(facts->digests[i].alg);
	return needed == 0;
}

bool
judge_wants_type(const struct generation *g, const struct body_head *head)
{
	const char *because;

	return head->has_body && g != NULL && judge_has_file_rules(g) && part_of(g, head, &because) == PART_AS_BODY;
}

/* TYPE is in the site's SET of types.  What claims to be a file is unknown at least, whatever it begins with: a claim only adds. */
static bool
counts(int64_t set, const struct body_head *head, enum file_type type)
{
	return (set >> type & 1) != 0 || (head->claims_file && (set >> TYPE_UNKNOWN & 1) != 0);
}

/* A rule that goes by a name is for this body, if it has that rule's size. */
static bool
is_named(const struct generation *g, const struct body_head *head)
{
	if (head->names == NULL || head->names->n == 0)
		return false;
	if (head->codings.n > 0 || head->codings.fault != UNSCANNABLE_NO || head->content_length == LENGTH_UNKNOWN)
		return generation_knows_name(g, head->names);
	return generation_match_names(g, head->names, (uint64_t)head->content_length, NULL, 0) > 0;
}

/* Digests to make of the bytes as sent. */
static unsigned
sent_algs(const struct generation *g, const struct body_head *head, bool counts_type, bool named)
{
	if (named)
		return algs_or_md5(g);
	if (has_listed_length(g, head))
		return generation_algs(g);
	if (!counts_type)
		return 0;
	return head->content_length == LENGTH_UNKNOWN ? generation_algs(g) : generation_sizeless_algs(g);
}

static enum member_mode
member_mode(const struct generation *g, const struct body_head *head, enum file_type type)
{
	if (!counts(generation_site(g)->unpack_types, head, type) || generation_site(g)->inspect_depth == 0)
		return MEMBERS_NO;
	return type == TYPE_ARCHIVE ? MEMBERS_ALL : MEMBERS_WATCH;
}

/* The largest file that a rule may be for. */
static uint64_t
largest(const struct generation *g)
{
	uint64_t named = generation_max_named_size(g), listed = generation_max_size(g);

	return generation_sizeless_algs(g) != 0 ? UINT64_MAX : named > listed ? named : listed;
}

/* NAMED: a rule goes by a name of this body.  Any name may be that of a member. */
static struct inspect_wish
wish_for(const struct generation *g, const struct body_head *head, enum file_type type, bool named)
{
	const struct site *site = generation_site(g);
	bool counts_type = counts(site->hash_types, head, type);
	uint64_t until = largest(g);

	return (struct inspect_wish){
		.sent_algs = sent_algs(g, head, counts_type, named), .sent_until = until,
		.codings = head->codings,
		.decoded_algs = head->codings.n == 0 ? 0 : named ? algs_or_md5(g) : counts_type ? generation_algs(g) : 0,
		.decoded_until = until,
		.members = member_mode(g, head, type), .member_algs = algs_or_md5(g), .member_until = until,
		.boundary = head->boundary, .part_types = site->unpack_types,
		.limits = { .depth = (uint64_t)site->inspect_depth, .members = (uint64_t)site->inspect_members,
		    .ratio = (uint64_t)site->inspect_ratio, .bytes = (uint64_t)site->inspect_bytes,
		    .time_ms = (uint64_t)site->inspect_time * 1000, .spool = (uint64_t)site->spool_limit },
	};
}

static const char *
reason_to_inspect(const struct generation *g, const struct body_head *head, const struct inspect_wish *wish, bool named)
{
	if (named)
		return "a listed name";
	if (has_listed_length(g, head))
		return "a listed length";
	if (wish->decoded_algs != 0)
		return "its decoded length is unknown";
	if (wish->members == MEMBERS_ALL)
		return "an archive";
	if (wish->boundary.len > 0)
		return "its parts may be listed";
	if (wish->boundary.fault != UNSCANNABLE_NO)
		return "nobody knows its parts";
	if (wish->codings.fault != UNSCANNABLE_NO)
		return "nobody can decode it";
	if (head->content_length == LENGTH_UNKNOWN)
		return "unknown length";
	return wish->sent_algs != 0 ? "rules without a size" : "there may be an archive in it";
}

struct inspect_plan
judge_plan(const struct generation *g, const struct body_head *head, enum file_type type)
{
	struct inspect_plan plan = { .action = PLAN_INSPECT };

	if (!head->has_body)
		return pass("no body");
	if (g == NULL || !judge_has_file_rules(g))
		return pass("no file rules");
	if (plan_part(g, head, &plan))
		return plan;
	plan.named = is_named(g, head);
	plan.wish = wish_for(g, head, type, plan.named);
	if (plan.wish.sent_algs == 0 && plan.wish.decoded_algs == 0 && plan.wish.members == MEMBERS_NO &&
	    head->boundary.len == 0 && head->boundary.fault == UNSCANNABLE_NO && head->codings.fault == UNSCANNABLE_NO) {
		bool left_out = !counts(generation_site(g)->hash_types, head, type);

		plan = pass(left_out ? "not a listed length, and of a type that HashTypes leaves out" : "not a listed length");
		plan.left_out = left_out;
		return plan;
	}
	plan.because = reason_to_inspect(g, head, &plan.wish, plan.named);
	return plan;
}
