#include "command/site_now.h"

#include "ruleset/site_file.h"

bool
site_now(const struct call *c, struct site *out)
{
	struct diag unwanted = { 0 };
	bool good = site_load(c->state, out, &unwanted) == 0;

	diag_fini(&unwanted);
	return good;
}
