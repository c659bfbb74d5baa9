#include "judge/findings.h"

void
findings_init(struct findings *f, const struct generation *g, int64_t now, bool stops, const struct file_names *names,
    const struct asker *asker)
{
	f->g = g;
	f->names = names;
	f->asker = asker;
	f->member_names.rule = 0;
	f->members_named = g != NULL && generation_has_names(g);
	f->now = now;
	f->stops = stops;
	f->kept = 0;
	f->any = false;
	f->n = 0;
	f->excepted = false;
	f->ends = 0;
}

static int
rank(const struct why *why)
{
	if (why->verdict == VERDICT_BLOCK)
		return 5;
	if (why->would_block)
		return 4;
	if (reason_unchecked(why->reason))
		return 3;
	if (why->excepted)
		return 2;
	return why->has_rule ? 1 : 0;
}

/* The names that FINDING would get; NULL when no rule can go by them. */
static const struct file_names *
names_of(struct findings *f, const struct finding *finding)
{
	if (finding->kind != FINDING_MEMBER)
		return f->names;
	if (!f->members_named)
		return NULL;
	f->member_names.n = 0;
	/* A form's part has the names that its Content-Disposition says, and not that of the field. */
	if (finding->disposition.len > 0)
		file_names_add_disposition(&f->member_names, finding->disposition);
	else
		file_names_add(&f->member_names, finding->name);
	return &f->member_names;
}

static void
judge_one(struct findings *f, struct judged *j, const struct finding *finding)
{
	j->facts = (struct body_facts){ .kind = finding->kind, .depth = finding->depth, .size = finding->size, .n = finding->n,
		.names = names_of(f, finding), .asker = f->asker };
	memcpy(j->facts.digests, finding->digests, sizeof(finding->digests));
	j->facts.member = slice_make(j->member, slice_head(finding->name, sizeof(j->member)).len);
	if (j->facts.member.len > 0)
		memcpy(j->member, finding->name.p, j->facts.member.len);
	judge_body(f->g, &j->facts, f->now, &j->why);
}

/* What holds of all that was found, whichever of it is kept. */
static void
note(struct findings *f, const struct why *why)
{
	f->excepted |= why->excepted;
	if (why->has_rule && why->rule.expires != 0 && (f->ends == 0 || why->rule.expires < f->ends))
		f->ends = why->rule.expires;
}

bool
findings_found(void *arg, const struct finding *finding)
{
	struct findings *f = arg;
	struct judged *next = &f->judged[f->any ? 1 - f->kept : f->kept];
	bool blocks;

	judge_one(f, next, finding);
	blocks = next->why.verdict == VERDICT_BLOCK;
	if (finding->tentative)
		return !(blocks && f->stops);
	f->n++;
	note(f, &next->why);
	if (!f->any || rank(&next->why) > rank(&f->judged[f->kept].why)) {
		f->kept = (int)(next - f->judged);
		f->any = true;
	}
	return !(blocks && f->stops);
}

bool
findings_may_be_listed(void *arg, uint64_t size)
{
	const struct findings *f = arg;

	return judge_may_be_listed(f->g, size);
}

const struct judged *
findings_kept(const struct findings *f)
{
	return f->any ? &f->judged[f->kept] : NULL;
}
