#include "url_rules/lookalike.h"

static const char *const class_names[LOOKALIKE_CLASSES] = { "none", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10",
	"E11", "TAIL", "TAILX", "G", "IDN", "UNJUDGED" };

const char *
lookalike_class_name(enum lookalike_class class)
{
	return class_names[class];
}

const char *
lookalike_level_name(enum lookalike_level level)
{
	static const char *const names[] = { "off", "log", "warn", "block" };

	return names[level];
}

static void
add_registered(const struct lookalike_finding *f, const char *before, struct buf *out)
{
	buf_add_str(out, before);
	buf_add_slice(out, f->registrable);
}

static void
add_quoted(struct slice s, struct buf *out)
{
	buf_add_char(out, '"');
	buf_add_utf8(out, s);
	buf_add_char(out, '"');
}

/* "betterbricks-com" of "betterbricks-com.net" belongs to it; what stands further left is only in front. */
static void
add_spelled(const struct lookalike_finding *f, struct buf *out)
{
	buf_add_str(out, "spells ");
	buf_add_slice(out, f->target);
	buf_add_str(out, " as ");
	add_quoted(f->spelled, out);
	add_registered(f, ", but is registered under ", out);
}

static void
add_combined(const struct lookalike_finding *f, struct buf *out)
{
	buf_add_str(out, "combines ");
	add_quoted(f->name, out);
	buf_add_str(out, " with ");
	add_quoted(f->word, out);
	add_registered(f, "; registered as ", out);
	buf_add_str(out, ", not ");
	buf_add_slice(out, f->target);
}

static void
add_other_script(const struct lookalike_finding *f, struct buf *out)
{
	/* An A-label may be one of ASCII alone. */
	if (f->code == 0)
		buf_add_str(out, "is encoded, and reads like ");
	else
		buf_addf(out, "contains U+%04X, which looks like \"%c\", and reads like ", (unsigned)f->code, f->looks_like);
	buf_add_slice(out, f->target);
	add_registered(f, ", but is registered under ", out);
}

/* What the class of F says. */
static void
add_class(const struct lookalike_finding *f, struct buf *out)
{
	switch (f->class) {
	case LOOKALIKE_E1:
	case LOOKALIKE_E2:
	case LOOKALIKE_E3:
	case LOOKALIKE_TAILX:
		buf_add_strs(out, "embeds ", NULL);
		buf_add_slice(out, f->target);
		add_registered(f, ", but is registered under ", out);
		break;
	case LOOKALIKE_TAIL:
		buf_add_str(out, "ends in ");
		buf_add_slice(out, f->target);
		add_registered(f, ", but is registered as ", out);
		break;
	case LOOKALIKE_E4:
	case LOOKALIKE_E5:
		add_spelled(f, out);
		break;
	case LOOKALIKE_E6:
		buf_add_str(out, "uses the name ");
		add_quoted(f->name, out);
		add_registered(f, " in front of ", out);
		buf_add_str(out, "; it is not under ");
		buf_add_slice(out, f->target);
		break;
	case LOOKALIKE_E7:
	case LOOKALIKE_E8:
		add_combined(f, out);
		break;
	case LOOKALIKE_E9:
		buf_add_str(out, "has the name of ");
		buf_add_slice(out, f->target);
		add_registered(f, " under another suffix: ", out);
		break;
	case LOOKALIKE_E10:
	case LOOKALIKE_E11:
		buf_add_str(out, f->class == LOOKALIKE_E10 ? "is named one letter away from " : "has a name that looks like that of ");
		buf_add_slice(out, f->target);
		add_registered(f, ", but is registered as ", out);
		break;
	case LOOKALIKE_G:
		buf_add_str(out, "begins like ");
		add_quoted(f->spelled, out);
		add_registered(f, ", but the registered name is ", out);
		break;
	case LOOKALIKE_IDN:
		add_other_script(f, out);
		break;
	case LOOKALIKE_UNJUDGED:
		buf_add_strs(out, "cannot be judged: ", f->fault, NULL);
		break;
	case LOOKALIKE_NONE:
	case LOOKALIKE_CLASSES:
		buf_add_str(out, "looks like no name that is protected");
		break;
	}
}

static void
add_path(const struct lookalike_finding *f, struct buf *out)
{
	static const char *const carried[] = { [PATH_ADDRESS] = "an address at ", [PATH_DOMAIN] = "the name ",
		[PATH_PROGRAM] = "a program" };

	if (f->path_kind == PATH_NOTHING)
		return;
	buf_add_strs(out, ", and the URL carries ", carried[f->path_kind], NULL);
	buf_add_slice(out, f->path_target);
}

int
lookalike_format(const struct lookalike_finding *f, struct buf *out)
{
	static const struct { const char *before, *after; } excuses[] = {
		[EXCUSE_NONE] = { NULL, NULL },
		[EXCUSE_OWN] = { "it is under ", ", which is the site's own" },
		[EXCUSE_PARTNER] = { "it is under ", ", a partner's" },
		[EXCUSE_FAMILY] = { "it is under ", ", which is the brand's own" },
		[EXCUSE_INFRA] = { "it is under ", ", where machines make names of others' domains" },
		[EXCUSE_EMBEDS] = { "the site allows it under ", "" },
		[EXCUSE_HOSTING] = { "it is under ", ", hosting that the site uses" },
		[EXCUSE_PROXY] = { "it is a library's proxy by ", "" },
		[EXCUSE_SAME_NAME] = { "the registered name is the same", "" },
		[EXCUSE_BUCKET] = { "it is under ", ", where buckets are named after domains" },
		[EXCUSE_SHARED] = { "it is under ", ", where anybody has hosts, the owner too" },
		[EXCUSE_KNOWN] = { "people here have used ", " for days" },
		[EXCUSE_POPULAR] = { "it is under ", ", which many use" },
		[EXCUSE_WORD] = { "the name is a common word or a short one", "" },
		[EXCUSE_MIDDLE] = { "it stands amid other words of its label", "" },
		[EXCUSE_MACHINE] = { "what it embeds is a name that machines make", "" },
		[EXCUSE_ACADEMIC] = { "only some may register under its suffix", "" },
		[EXCUSE_PLAIN] = { "no word that lures use stands beside it", "" },
		[EXCUSE_WEAK] = { "of the site's own only the whole domain is evidence", "" },
	};

	if (f->class != LOOKALIKE_NONE || f->excuse == EXCUSE_NONE)
		add_class(f, out);
	add_path(f, out);
	if (f->excuse == EXCUSE_NONE)
		return out->failed ? -1 : 0;
	if (f->class != LOOKALIKE_NONE)
		buf_add_str(out, f->level == LOOKALIKE_OFF ? " (allowed: " : " (");
	buf_add_str(out, excuses[f->excuse].before);
	buf_add_utf8(out, f->excused_by);
	buf_add_str(out, excuses[f->excuse].after);
	if (f->class != LOOKALIKE_NONE)
		buf_add_char(out, ')');
	return out->failed ? -1 : 0;
}
