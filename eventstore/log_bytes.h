/* log_bytes.h - the text of one log file from any offset on, whether it is plain or was compressed by gzip.
 *
 * Offsets are of the text, so that a log that is compressed by rotation keeps the place of every line.  To begin within a
 * compressed file without reading all before it, points are noted while it is read once from its start: the state that the
 * decompressor has there is the 32 KiB of text before it and how many bits of a byte are used up (RFC 1951).
 *
 *	text          0 ........ point ........ point ........ size
 *	compressed    |====members==|=====bits|7|==============|
 *
 * Several gzip members after each other are one text, as for gunzip.  One thread. */
#ifndef EVENTSTORE_LOG_BYTES_H
#define EVENTSTORE_LOG_BYTES_H

#include <sys/types.h>

#include <zlib.h>

#include "base/slice.h"

enum { LOG_BYTES_INPUT = 64 * 1024, LOG_POINT_WINDOW = 32 * 1024, LOG_POINT_SPAN = 1 << 20 };

struct log_point {
	int64_t		out;		/* offset in the text */
	int64_t		in;		/* offset in the file of the first byte not wholly used up */
	int		bits;		/* of the byte before IN, not used yet */
	struct slice	window;		/* the text before, up to 32 KiB */
};

/* A point was passed; WINDOW is borrowed until it returns. */
typedef void log_point_found(void *arg, const struct log_point *point);

struct log_bytes {
	int		 fd;		/* the caller's */
	bool		 gz;
	int64_t		 out;		/* offset in the text of the next byte that is read */
	int64_t		 in;		/* offset in the file of what comes after INPUT */
	int64_t		 last_point;
	z_stream	 z;
	bool		 z_open;
	bool		 raw;		/* begun at a point: the rest of that member has no head */
	bool		 between;	/* members: the file may end here */
	log_point_found	*found;		/* NULL: not asked for */
	void		*arg;
	unsigned char	 input[LOG_BYTES_INPUT];
};

/* Begin at the start of FD, a regular file; its first bytes tell whether it is compressed.  0, or -1 with errno.  With FOUND
 * (may be NULL) every LOG_POINT_SPAN bytes of text a point of a compressed file is told. */
int log_bytes_open(struct log_bytes *b, int fd, log_point_found *found, void *arg);
void log_bytes_close(struct log_bytes *b);

/* Go on at POINT of a compressed file.  -1 with errno. */
int log_bytes_at_point(struct log_bytes *b, const struct log_point *point);

/* Go on at OFFSET of a plain file. */
void log_bytes_seek(struct log_bytes *b, int64_t offset);

/* Up to LEN bytes into OUT; 0 at the end; -1 with errno, EBADMSG when the compressed data are damaged or cut short. */
ssize_t log_bytes_read(struct log_bytes *b, void *out, size_t len);

#endif
