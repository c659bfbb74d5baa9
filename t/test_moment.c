/* Moments as people say them. */
#include "eventstore/moment.h"
#include "t/tap.h"

/* 2026-11-23T07:20:24.332Z, a Monday. */
static const int64_t now_ms = INT64_C(1795418424332);
#define MIDNIGHT	INT64_C(1795392000)

static const struct {
	const char	*text;
	bool		 end;
	int64_t		 s;		/* 0: it is none */
} rows[] = {
	{ "2h", false, INT64_C(1795418424) - 7200 }, { "45s", true, INT64_C(1795418424) - 45 }, { "30m", false, INT64_C(1795418424) - 1800 },
	{ "7d", false, INT64_C(1795418424) - 7 * 86400 }, { "2w", false, INT64_C(1795418424) - 14 * 86400 },
	{ "now", false, INT64_C(1795418424) }, { " Today ", false, MIDNIGHT }, { "today", true, MIDNIGHT + 86400 },
	{ "yesterday", false, MIDNIGHT - 86400 }, { "yesterday", true, MIDNIGHT },
	{ "2026-11-23", false, MIDNIGHT }, { "2026-11-23", true, MIDNIGHT + 86400 }, { "2026-11-23T01:00Z", true, MIDNIGHT + 3600 },
	{ "2026-11-23T01:00:05+01:00", false, MIDNIGHT + 5 },
	{ "", false, 0 }, { "5", false, 0 }, { "90", false, 0 }, { "2h ago", false, 0 }, { "tomorrow", false, 0 }, { "2026-13-01", false, 0 },
	{ "2026-02-30", false, 0 }, { "-2h", false, 0 }, { "99999999999999999999d", false, 0 }, { "9000w", false, 0 }, { "h", false, 0 },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ms = -1;
		int r = moment_parse(guard_copy(slice_str(rows[i].text)), now_ms, rows[i].end, &ms);

		if (!ok(rows[i].s == 0 ? r == -1 : r == 0 && ms == rows[i].s * 1000, "\"%s\"%s", rows[i].text, rows[i].end ? " (end)" : ""))
			printf("# %d, %jd\n", r, (intmax_t)ms);
	}
	return tap_done();
}
