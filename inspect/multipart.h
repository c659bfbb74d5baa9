/* multipart.h - taking a multipart body apart (RFC 2046 5.1.1, RFC 7578 for forms) as a stream, in bounded memory.
 *
 *	preamble, CRLF "--" boundary CRLF, head, CRLF, bytes of the part, CRLF "--" boundary CRLF, ..., CRLF "--" boundary "--"
 *
 * As tolerant as the servers that read forms: a bare LF is the end of a line, the preamble may be missing, and so may be the head
 * of a part, its bytes, and the last boundary.  What servers are known to read differently is damage: line ends of two kinds in
 * front of boundaries, something behind a boundary, a head beyond PART_HEAD_MAX, no end.  It is taken apart all the same, as RFC
 * 2046 says.  A parser belongs to one thread. */
#ifndef INSPECT_MULTIPART_H
#define INSPECT_MULTIPART_H

#include "inspect/coding.h"

enum { BOUNDARY_MAX = 70, PART_HEAD_MAX = 8192 };

/* What Content-Type said. */
struct multipart_boundary {
	size_t			len;		/* 0: this is no multipart body, or FAULT */
	enum unscannable	fault;		/* it is one, and without a boundary that is of any use */
	char			text[BOUNDARY_MAX];
};

/* The boundary in the Content-Type value TYPE, as a token or quoted.  Pure. */
struct multipart_boundary multipart_boundary(struct slice type);

/* The head of a part.  All is borrowed until the callback returns. */
struct part_head {
	struct slice			name;		/* of the file, or else of the field; at most FINDING_NAME_MAX raw bytes */
	struct slice			disposition;	/* all of Content-Disposition; less than PART_HEAD_MAX raw bytes */
	struct codings			codings;	/* its Content-Transfer-Encoding */
	struct multipart_boundary	boundary;	/* it is a multipart body itself */
	bool				claims_file;	/* claims.h */
};

/* What comes out; any of them answers false to stop for good.  BYTES come between BEGIN and END, in pieces of any size but 0. */
struct multipart_sink {
	bool	(*begin)(void *arg, const struct part_head *head);
	bool	(*bytes)(void *arg, struct slice bytes);
	bool	(*end)(void *arg);
};

struct multipart;

/* A parser for bodies with BOUNDARY, which has a length.  SINK is called with ARG and must outlive it.  NULL without memory.  The
 * caller's: multipart_free(). */
struct multipart *multipart_new(const struct multipart_boundary *boundary, const struct multipart_sink *sink, void *arg);
void multipart_free(struct multipart *m);

/* The next bytes of the body. */
void multipart_push(struct multipart *m, struct slice bytes);

/* The body has ended: so has a part that was open. */
void multipart_end(struct multipart *m);

/* Bytes at the end of what was pushed that are of the open part unless a boundary comes of them: SINK has not seen them. */
size_t multipart_pending(const struct multipart *m);

/* UNSCANNABLE_DAMAGED when servers may read it differently, else UNSCANNABLE_NO. */
enum unscannable multipart_fault(const struct multipart *m);

#endif
