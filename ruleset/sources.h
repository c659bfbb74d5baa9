/* sources.h - the source files of a state folder: which there are, and whether one changed since it was published.
 *
 *	sources/local.rules        a person's or an alert's rules (rules(5))
 *	sources/malware.hdb        a feed: the file's name tells its format (feeds(5))
 *	sources/ut1-phishing/      a feed in several files: domains, urls, domains.diff
 *	sources.conf               what is to be known of a feed beside: "NAME key=value ..."
 *
 * Feeds are read by whoever is given as struct source_formats: this room knows only rules. */
#ifndef RULESET_SOURCES_H
#define RULESET_SOURCES_H

#include "base/diag.h"
#include "ruleset/source.h"

struct source_file {
	char		*path;		/* of the file or folder */
	struct slice	 name;		/* within PATH */
	bool		 is_rules;	/* rules(5); else a feed */
	int64_t		 written;	/* seconds: its last change, which a relative expiry counts from */
	uint64_t	 size;		/* bytes */
	uint64_t	 stamp;		/* of what it and its settings were when it was listed; never 0 */
	struct slice	 settings;	/* what sources.conf says behind the name; borrowed from the list */
	unsigned	 settings_line, settings_col;
};

/* Who reads feeds. */
struct source_formats {
	/* The file or folder FILE, by its name alone, is of a known format. */
	bool	(*knows)(const char *file, bool is_folder);
	/* Give every entry of SOURCE as a rule to VISIT, until it answers other than 0, which is then the result.  Bad lines are
	 * warnings in DIAG; -1 with an error when it cannot be read at all.  CONF names the file of the settings. */
	int	(*read)(const struct source_file *source, const char *conf, const struct source_defaults *defaults,
		    source_visit *visit, void *arg, struct diag *diag);
};

struct source_list {
	struct source_file	*files;		/* by name */
	size_t			 n;
	char			*conf_path;
	struct buf		 conf;		/* the text of sources.conf */
};

/* Every source in the folder DIR, in the order of the names; a folder that is not there has none.  With ONLY not empty just the
 * source of that name: no other is looked at, and nothing said about it.  CONF is the path of sources.conf, which may be missing.
 * FORMATS may be NULL: feeds are then passed over.  NOW bounds the dates.  -1 with errors in DIAG: for each that cannot be read,
 * two files of one name, and what is wrong in CONF.  OUT is to be freed in either case. */
int source_list_read(const char *dir, const char *conf, const struct source_formats *formats, struct slice only, int64_t now,
    struct source_list *out, struct diag *diag);
void source_list_free(struct source_list *list);

/* Read FILE, of LIST: rules as source_parse() does, whatever their length, a feed through FORMATS; with WORD not empty only
 * the lines of rules that begin with it, unnumbered.  Also an error when it was changed since it was listed. */
int source_file_read(const struct source_list *list, const struct source_file *file, const struct source_formats *formats,
    struct slice word, const struct source_defaults *defaults, source_visit *visit, void *arg, struct diag *diag);

#endif
