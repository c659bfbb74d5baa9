/* file_type.h - what kind of file the first bytes speak of.
 *
 * Only the bytes count: what a server or a name says can be anything.  The magic numbers are those of the formats' own
 * specifications, as file(1) and the WHATWG's MIME Sniffing Standard list them.  Pure. */
#ifndef INSPECT_FILE_TYPE_H
#define INSPECT_FILE_TYPE_H

#include "base/slice.h"

/* In the order of the words of the option HashTypes. */
enum file_type {
	TYPE_TEXT,		/* also HTML, CSS, JSON and programs without a mark of their own */
	TYPE_IMAGE,
	TYPE_MEDIA,		/* sound, video, fonts */
	TYPE_DOCUMENT,		/* PDF, RTF, OLE: the newer office formats are archives */
	TYPE_SCRIPT,		/* text that names what runs it */
	TYPE_EXECUTABLE,
	TYPE_ARCHIVE,		/* whatever has files inside, disk images too, and single compressed files */
	TYPE_UNKNOWN,
	FILE_TYPES
};
const char *file_type_name(enum file_type t);	/* "text", "image", ... */

enum { TYPE_BYTES = 512 };	/* so many tell nearly all; more are looked at where they are there */

/* The type of a file that begins with START; WHOLE: and ends there.  A start of zeros is TYPE_ARCHIVE: a disk image has its magic
 * number at 32,769.  Few bytes that could be text are TYPE_UNKNOWN, unless they are the whole. */
enum file_type file_type_of(struct slice start, bool whole);

#endif
