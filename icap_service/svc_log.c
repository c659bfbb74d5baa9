#include "icap_service/svc_log.h"

#include <c_icap/c-icap.h>
#include <c_icap/debug.h>

#include <stdarg.h>

enum { LINE = 8192 };

void
svc_log(enum svc_level level, const char *word, const char *fmt, ...)
{
	char line[LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ci_debug_printf((int)level, "firebreak: %s: %s\n", word, line);
}

void
svc_log_diag(const struct diag *d)
{
	char line[LINE];

	for (size_t i = 0; i < d->n; i++) {
		diag_format(&d->v[i], line, sizeof(line));
		ci_debug_printf(1, "firebreak: %s\n", line);
	}
}
