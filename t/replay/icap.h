/* icap.h - one ICAP exchange as a client means it: what is sent, and what came back.
 *
 * The fake server and the real client are given the same struct icap_call and fill the same struct
 * icap_reply, so that a case is checked alike whoever ran it.  One thread. */
#ifndef T_REPLAY_ICAP_H
#define T_REPLAY_ICAP_H

#include "base/buf.h"

enum { MESSAGE_MAX = 16 * 1024 * 1024 };

/* One HTTP message, the body in the pieces that its reader gets. */
struct message {
	struct buf	 head;		/* with the empty line that ends it; empty: there is no message */
	struct buf	 body;
	size_t		*ends;		/* where each read ends in BODY */
	size_t		 n_reads, cap_reads;
	bool		 ended;		/* the head is complete */
	bool		 has_body;	/* a body of 0 bytes is one */
	bool		 cut;		/* the client goes away here: no end of the body follows */
};

void message_init(struct message *m);
void message_fini(struct message *m);

/* The next read is the bytes of BODY that no read has yet.  -1 without memory. */
int message_add_read(struct message *m);

/* How many bytes the read at AT brings: up to the next end, or READ_SIZE of them (0: as written); at most MAX. */
size_t message_read(const struct message *m, size_t at, size_t read_size, size_t max);

enum { NO_PREVIEW = -1 };

/* What the client sends. */
struct icap_call {
	bool			 respmod;
	const struct message	*request;	/* NULL: a response without its request */
	const struct message	*response;	/* RESPMOD only */
	struct slice		 headers;	/* more ICAP header lines, each with its CRLF */
	int			 preview;	/* bytes, or NO_PREVIEW */
	bool			 allow204;
	size_t			 read_size;	/* 0: reads as written */
};

/* The message that is to be adapted. */
const struct message *icap_call_subject(const struct icap_call *call);

/* Bytes of the body that go into the preview; 0 without one. */
size_t icap_call_preview(const struct icap_call *call);

/* Append the ICAP head of CALL for SERVICE at HOST, with the empty line. */
int icap_call_head(const struct icap_call *call, const char *host, const char *service, struct buf *out);

/* What came back. */
struct icap_reply {
	int		 status;	/* 204, 200, 500 ...; 0: the connection ended before */
	struct buf	 icap;		/* the ICAP head */
	struct buf	 head;		/* the HTTP head; empty when none came */
	struct buf	 body;
	bool		 has_body;
	bool		 complete;	/* the end was seen, not just the connection's */
	bool		 early;		/* the HTTP head was on its way before the body had ended */
};

void icap_reply_init(struct icap_reply *r);
void icap_reply_fini(struct icap_reply *r);

/* The three-digit status in the first line of HEAD; 0 when it is none. */
int head_status(struct slice head);

/* The value of the first header NAME in HEAD, trimmed; false when there is none. */
bool head_value(struct slice head, struct slice name, struct slice *value);

/* The next line of *HEAD without its end, *HEAD moved behind it; false when none is left. */
bool head_line(struct slice *head, struct slice *line);

#endif
