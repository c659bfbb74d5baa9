#include "inspect/finding.h"

static const struct { const char *name, *text; } unscannables[] = {
	[UNSCANNABLE_NO] = { "no", "all of it was looked at" },
	[UNSCANNABLE_CODING] = { "coding", "its content coding is unknown" },
	[UNSCANNABLE_CODINGS] = { "codings", "too many content codings, one over the other" },
	[UNSCANNABLE_DAMAGED] = { "damaged", "its content coding or an archive in it is damaged" },
	[UNSCANNABLE_ENCRYPTED] = { "encrypted", "an archive in it is encrypted" },
	[UNSCANNABLE_DEPTH] = { "depth", "too many archives within archives" },
	[UNSCANNABLE_MEMBERS] = { "members", "too many files in an archive" },
	[UNSCANNABLE_RATIO] = { "ratio", "it grows too much when it is unpacked" },
	[UNSCANNABLE_BYTES] = { "bytes", "it is too large when it is unpacked" },
	[UNSCANNABLE_TIME] = { "time", "unpacking it took too long" },
	[UNSCANNABLE_SPOOL] = { "spool", "it is longer than what is kept for a second look" },
	[UNSCANNABLE_HELPER] = { "helper", "the program that unpacks archives failed" },
};

_Static_assert(sizeof(unscannables) / sizeof(*unscannables) == UNSCANNABLES, "every reason has a row");

const char *
unscannable_name(enum unscannable u)
{
	return unscannables[u].name;
}

const char *
unscannable_text(enum unscannable u)
{
	return unscannables[u].text;
}
