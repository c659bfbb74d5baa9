/* Any bytes as a URL: what is accepted is canonical, so that reading it again changes nothing. */
#include <stdlib.h>

#include "url_rules/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_invariants(const struct url *u)
{
	struct slice prefix = u->path_query, host = u->host;
	size_t steps = 0;

	if (u->host.len == 0 || u->host.len > HOST_MAX || u->path.len == 0 || u->path.p[0] != '/')
		abort();
	for (size_t i = 0; i < u->text.len; i++)
		if ((unsigned char)u->text.p[i] <= 0x20 || (unsigned char)u->text.p[i] >= 0x7f)
			abort();
	while (path_prefix(&prefix))
		if (++steps > u->path_query.len)
			abort();
	while (host_parent(&host, u->kind))
		if (!host_under(u->host, host))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice raw = slice_make((const char *)data, size);
	struct url u, again;

	if (url_parse_authority(&u, raw) == URL_OK) {
		check_invariants(&u);
		url_fini(&u);
	}
	if (url_parse(&u, raw) != URL_OK)
		return 0;
	check_invariants(&u);
	if (u.text.len <= URL_RAW_MAX) {
		if (url_parse(&again, u.text) != URL_OK || !slice_eq(again.text, u.text) || again.kind != u.kind)
			abort();
		url_fini(&again);
	}
	url_fini(&u);
	return 0;
}
