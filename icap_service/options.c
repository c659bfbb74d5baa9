#include "icap_service/options.h"

#include <c_icap/debug.h>

#define OPTION(...)	OPTION_ROW(struct service_options, __VA_ARGS__)
static const struct option rows[] = {
#include "icap_service/service.def"
};
#undef OPTION

enum {
#define OPTION(name, ...)	ROW_##name,
#include "icap_service/service.def"
#undef OPTION
	N_ROWS, VALUE_MAX = 4096,
};

/* The staging struct of the file comment; nothing else here changes. */
static struct {
	struct service_options	 options;
	bool			 ready;
	char			 names[N_ROWS][OPTION_NAME];
} staged;

int
service_options_init(void)
{
	if (staged.ready)
		return 0;
	staged.ready = true;
	for (size_t i = 0; i < N_ROWS; i++)
		option_camel(rows[i].name, staged.names[i]);
	return option_defaults(rows, N_ROWS, &staged.options);
}

void
service_options_fini(void)
{
	if (staged.ready)
		option_fini(rows, N_ROWS, &staged.options);
	staged.ready = false;
}

const struct service_options *
service_options(void)
{
	return &staged.options;
}

/* c-icap's setter: 0 refuses the line, which ends c-icap; so say what was wrong first. */
static int
set_one(const char *name, const char **argv, void *setdata)
{
	const struct option *row = setdata;
	char why[OPTION_WHY];

	if (service_options_init() == -1)
		return 0;
	if (argv == NULL || argv[0] == NULL || argv[1] != NULL) {
		ci_debug_printf(1, "firebreak: c-icap.conf: %s takes one value\n", name);
		return 0;
	}
	if (option_set(row, &staged.options, slice_str(argv[0]), why) == -1) {
		ci_debug_printf(1, "firebreak: c-icap.conf: %s \"%.*s\": %s\n", name, VALUE_MAX, argv[0], why);
		return 0;
	}
	return 1;
}

struct ci_conf_entry service_conf_table[] = {
#define OPTION(name, type, unit, min, max, dflt, words, help)	\
	{ staged.names[ROW_##name], (void *)(uintptr_t)&rows[ROW_##name], set_one, help },
#include "icap_service/service.def"
#undef OPTION
	{ NULL, NULL, NULL, NULL },
};
