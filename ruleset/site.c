#include "ruleset/site.h"

#include "ruleset/site_format.h"

const struct option site_options[] = {
#define OPTION(...)	OPTION_ROW(struct site, __VA_ARGS__)
#include "ruleset/policy.def"
#undef OPTION
};
const size_t site_options_n = sizeof(site_options) / sizeof(*site_options);

void
site_lookalike_levels(const struct site *site, struct lookalike_levels *out)
{
	*out = (struct lookalike_levels){ .level = {
		[LOOKALIKE_E1] = (uint8_t)site->lookalike_e1,
		[LOOKALIKE_E2] = (uint8_t)site->lookalike_e2,
		[LOOKALIKE_E3] = (uint8_t)site->lookalike_e3,
		[LOOKALIKE_E4] = (uint8_t)site->lookalike_e4,
		[LOOKALIKE_E5] = (uint8_t)site->lookalike_e5,
		[LOOKALIKE_E6] = (uint8_t)site->lookalike_e6,
		[LOOKALIKE_E7] = (uint8_t)site->lookalike_e7,
		[LOOKALIKE_E8] = (uint8_t)site->lookalike_e8,
		[LOOKALIKE_E9] = (uint8_t)site->lookalike_e9,
		[LOOKALIKE_E10] = (uint8_t)site->lookalike_e10,
		[LOOKALIKE_E11] = (uint8_t)site->lookalike_e11,
		[LOOKALIKE_TAIL] = (uint8_t)site->lookalike_tail,
		[LOOKALIKE_TAILX] = (uint8_t)site->lookalike_tailx,
		[LOOKALIKE_G] = (uint8_t)site->lookalike_g,
		[LOOKALIKE_IDN] = (uint8_t)site->lookalike_idn,
		[LOOKALIKE_UNJUDGED] = (uint8_t)site->lookalike_unjudged,
	}, .own_names = (uint8_t)site->lookalike_own_names };
}

int
site_read(const struct segment *segment, struct site *site, const char *file, struct diag *diag)
{
	struct slice rest = segment_section(segment, SITE_VALUES), name, value;
	const struct option *row;
	char why[OPTION_WHY];

	if (option_defaults(site_options, site_options_n, site) == -1) {
		diag_add(diag, DIAG_ERROR, file, 0, 0, "out of memory");
		return -1;
	}
	while (rest.len > 0) {
		if (!slice_cut(rest, '\0', &name, &rest) || !slice_cut(rest, '\0', &value, &rest)) {
			diag_add(diag, DIAG_ERROR, file, 0, 0, "damaged: it ends within an option");
			return -1;
		}
		if ((row = option_find(site_options, site_options_n, name)) == NULL) {
			diag_add(diag, DIAG_ERROR, file, 0, 0, "has the unknown option %.*s: written by a newer firebreak?",
			    SLICE_ARGS(name));
			return -1;
		}
		/* What was written is all of a list: it is not added to the default. */
		if ((row->type == OPTION_LIST && option_set(row, site, SLICE(""), why) == -1) ||
		    option_set(row, site, value, why) == -1) {
			diag_add(diag, DIAG_ERROR, file, 0, 0, "%s: %s", row->name, why);
			return -1;
		}
	}
	return 0;
}
