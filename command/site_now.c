#include "command/site_now.h"

#include <errno.h>

#include "base/file.h"

enum { SITE_MAX = 1 << 20 };

bool
site_now(const struct call *c, struct site *out)
{
	struct diag unwanted = { 0 };
	char path[STATE_PATH];
	struct buf text;
	bool good = false;

	if (option_defaults(site_options, site_options_n, out) == -1)
		return false;
	buf_init(&text, SITE_MAX);
	if (state_path(c->state, STATE_SITE, path) == 0 && (file_read(path, &text) == 0 || errno == ENOENT))
		good = option_parse(site_options, site_options_n, out, path, buf_slice(&text), &unwanted) == 0;
	buf_fini(&text);
	diag_fini(&unwanted);
	return good;
}
