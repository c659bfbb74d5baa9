/* clamav.h - what the ClamAV databases of this machine know of some files, and since when.
 *
 * What a database says feeds/feed_file.h reads, as it reads a source: *.hdb, *.hsb, *.hdu, *.hsu, and those in *.cvd, *.cld, *.cud.
 * Only signatures of whole files are looked at: what patterns or programs of ClamAV would find in a file, only a scan of it tells.
 * No signature of a database is verified: freshclam did that.
 *
 * A database does not say when a signature came.  So STATE/log/clamav.known remembers, for each digest that was asked for, a line:
 *
 *	md5:9abc553703f4e4fedb3ed975502a2c7a size=90112 checked=DATE unknown=DATE known=DATE gone=DATE name=Win.Trojan.X
 *
 * first asked, last not yet known, first known, no longer known; so that "since" is true when it is asked again and again. */
#ifndef COMMAND_CLAMAV_H
#define COMMAND_CLAMAV_H

#include "base/diag.h"
#include "base/digest.h"
#include "command/call.h"

#define CLAMAV_FOLDER	"/var/lib/clamav"
#define CLAMAV_KNOWN	"clamav.known"	/* in STATE/log */

enum { CLAMAV_NAME = 128 };

struct clamav_file {
	struct digest	digest;
	uint64_t	size;			/* bytes, or 0: not known */
	bool		listed;			/* by a database of now */
	char		name[CLAMAV_NAME];	/* of the signature, printable */
	int64_t		checked, unknown, known, gone;	/* seconds; 0: never */
};

/* Order V, of N, by digest, each once; how many remain. */
size_t clamav_sort(struct clamav_file *v, size_t n);

/* Look V, which is sorted, up in the databases of DIR: LISTED and NAME.  How many databases were read; -1 with an error in DIAG
 * when there is no such folder.  One that cannot be read, or not wholly, is a warning. */
int clamav_look_up(const char *dir, struct clamav_file *v, size_t n, struct diag *diag);

/* Take what C's state folder remembers into V, which is sorted.  -1 after saying that it could not be read. */
int clamav_recall(const struct call *c, struct clamav_file *v, size_t n);

/* The same with what was just looked up, at NOW (seconds), which is remembered from now on, beside what is remembered of others;
 * lines of the file that are none are dropped.  Waits for the lock of whoever edits (state_lock()), so that two at once lose
 * nothing of each other's.  -1 after saying that it could not be read or written; V is then all the same what is known. */
int clamav_remember(const struct call *c, struct clamav_file *v, size_t n, int64_t now);

#endif
