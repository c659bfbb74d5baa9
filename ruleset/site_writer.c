#include "ruleset/site.h"

#include "base/segment_writer.h"
#include "ruleset/site_format.h"

int
site_write(const struct site *site, struct slice protected, struct slice pages, const char *path, uint64_t *len,
    uint8_t sha256[static SEGMENT_SHA256], struct diag *diag)
{
	struct segment_part parts[] = { { .id = SITE_VALUES }, { SITE_PROTECTED, protected }, { SITE_PAGES, pages } };
	struct buf text;
	int r;

	buf_init(&text, SIZE_MAX / 2);
	for (size_t i = 0; i < site_options_n; i++) {
		buf_add_str(&text, site_options[i].name);
		buf_add_char(&text, '\0');
		option_format(&site_options[i], site, &text);
		buf_add_char(&text, '\0');
	}
	parts[0].bytes = buf_slice(&text);
	if (text.failed)
		diag_error(diag, "out of memory");
	r = text.failed ? -1 : segment_write(path, SEGMENT_SITE, parts, pages.len > 0 ? 3 : 2, len, sha256, diag);
	buf_fini(&text);
	return r;
}
