/* file_name.h - the names that a file would get which comes in a response: what Content-Disposition says (RFC 6266, RFC 8187),
 * and the last segment of the URL.
 *
 *	attachment; filename="a.exe"; filename*=UTF-8''patch%20121.exe	"patch 121.exe", "a.exe"
 *	/mail/Setup%20(2).EXE						"setup (2).exe"
 *
 * Clients differ in which of them they take: all are kept.  A name here has no folder, no blanks before it and no blanks and dots
 * behind it (Windows drops them), and its ASCII letters are lower-case.  Pure; no allocation; hostile input is the usual one. */
#ifndef URL_RULES_FILE_NAME_H
#define URL_RULES_FILE_NAME_H

#include "base/slice.h"

enum { FILE_NAME_MAX = 255, FILE_NAMES_MAX = 8 };	/* bytes; of a longer name the last ones */

struct file_names {
	size_t		n;
	uint64_t	rule;	/* name_rule_key() of a rule that fits besides, or 0: what was remembered of another answer */
	struct {
		uint8_t	len;
		char	text[FILE_NAME_MAX];
	} v[FILE_NAMES_MAX];
};

/* Name I, which is less than N; borrowed. */
static inline struct slice
file_name_at(const struct file_names *names, size_t i)
{
	return slice_make(names->v[i].text, names->v[i].len);
}

/* Add NAME, which may have folders before it, unless it is there, empty, or there are FILE_NAMES_MAX. */
void file_names_add(struct file_names *names, struct slice name);

/* Add the last segment of PATH, percent-decoded. */
void file_names_add_path(struct file_names *names, struct slice path);

/* Add what the Content-Disposition VALUE names: filename*, and filename as it is and percent-decoded, as some clients read it; then
 * what those find that read no quoted-strings, such as curl.  The cost is linear. */
void file_names_add_disposition(struct file_names *names, struct slice value);

#endif
