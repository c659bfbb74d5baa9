#include "icap_service/svc_log.h"

#include <c_icap/c-icap.h>
#include <c_icap/debug.h>

#include <stdarg.h>

/* c-icap's DebugLevels: what is of level 1 is always shown. */
enum { LINE = 8192, ALWAYS = 1, MORE = 2 };

static const struct { int debug_level; const char *word; } levels[] = {
	[SVC_ERROR] = { ALWAYS, "error" }, [SVC_WARNING] = { ALWAYS, "warning" }, [SVC_INFO] = { MORE, "info" },
};

void
svc_log(enum svc_level level, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ci_debug_printf(levels[level].debug_level, "firebreak: %s: %s\n", levels[level].word, line);
}

void
svc_log_diag(const struct diag *d)
{
	char line[LINE];

	for (size_t i = 0; i < d->n; i++) {
		diag_format(&d->v[i], line, sizeof(line));
		ci_debug_printf(ALWAYS, "firebreak: %s\n", line);
	}
}
