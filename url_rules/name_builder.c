#include "url_rules/name_table.h"

int
name_table_add(struct text_rows_builder *b, const struct name_match *rule)
{
	return text_rows_builder_add(b, &(struct text_row){ .number = rule->size, .text = rule->pattern, .ref = rule->ref });
}

static int
check_row(struct slice pattern, const char *path, struct diag *diag)
{
	char canonical[NAME_PATTERN_MAX], why[NAME_PATTERN_WHY] = "is not canonical";
	struct name_pattern p;
	size_t len, at;

	if (name_pattern_parse(pattern, &p, why, &at) == 0 && name_pattern_format(&p, canonical, &len) == 0 &&
	    slice_eq(pattern, slice_make(canonical, len)))
		return 0;
	diag_add(diag, DIAG_ERROR, path, 0, 0, "file name \"%.*s\": %s", SLICE_ARGS(pattern), why);
	return -1;
}

int
name_table_check(struct text_rows_builder *b, const char *path, struct diag *diag)
{
	size_t n;
	const struct text_row *rows = text_rows_builder_sorted(b, &n);
	int r = 0;

	if (n > NAMES_MAX) {
		diag_add(diag, DIAG_ERROR, path, 0, 0, "%zu file rules go by a name; at most %d are possible", n, NAMES_MAX);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (check_row(rows[i].text, path, diag) == -1)
			r = -1;
	return r;
}
