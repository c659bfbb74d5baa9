/* claims.h - what a response says of its own body, where it says that it is a file to keep, unpack or run.
 *
 * Such a claim only adds inspection: what is no claim proves nothing.  Pure. */
#ifndef INSPECT_CLAIMS_H
#define INSPECT_CLAIMS_H

#include "base/slice.h"

/* The values of Content-Type (RFC 9110 8.3) and Content-Disposition (RFC 6266); empty when there is none. */
bool claims_file(struct slice type, struct slice disposition);

/* NAME ends like a program, an archive, a disk image or an office document. */
bool is_file_name(struct slice name);

#endif
