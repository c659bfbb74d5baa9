#include "t/replay/fake_loop.h"

#include <c_icap/header.h>
#include <c_icap/simple_api.h>

#include <stdlib.h>

enum {
	STATUS_OK = 200, STATUS_NO_CONTENT = 204, STATUS_ERROR = 500,
	ECHO_RING = 32768, CANARY = 16, CANARY_BYTE = 0xa5, SNAPSHOT_MAX = 16 * 1024 * 1024, RUNAWAY = 1024 * 1024,
};

struct loop {
	const ci_service_module_t	*module;
	ci_request_t			*req;
	const struct icap_call		*call;
	const struct message		*subject;
	struct icap_reply		*reply;
	struct buf			*violations;
	struct buf			 sent_heads;	/* as they were packed */
	size_t				 at;		/* of the subject's body: what was read */
	char				*pending;	/* a read, or what the service left of it */
	size_t				 pending_at, pending_len;
	bool				 eof;		/* the end of the body was read */
	bool				 service_eof;	/* the service has given its last byte */
	bool				 echo;		/* c-icap itself sends back what comes (FakeAllow204) */
	struct buf			 ring;		/* ... through this */
	char				*room;		/* where the service writes; a canary follows */
	size_t				 filled;	/* bytes in it */
	bool				 formatted;	/* they are a chunk on its way */
};

/* Each rule is named once, however often it is broken. */
static void
violate(struct loop *l, const char *text)
{
	struct slice said = buf_slice(l->violations);

	if (slice_search(said, slice_str(text)) == said.len)
		buf_addf(l->violations, "%s\n", text);
}

/* ---- heads ---- */

static ci_headers_list_t *
entity_headers(ci_encaps_entity_t *e)
{
	return e->type == ICAP_REQ_HDR || e->type == ICAP_RES_HDR ? e->entity : NULL;
}

/* All heads of REQ, line by line.  Once packed for the wire, lines have no NUL to end them. */
static void
snapshot(ci_request_t *req, struct buf *out)
{
	for (int i = 0; req->entities[i] != NULL; i++) {
		ci_headers_list_t *h = entity_headers(req->entities[i]);

		buf_addf(out, "entity %d\n", req->entities[i]->type);
		if (h != NULL && h->packed)
			buf_add(out, h->buf, (size_t)h->bufused);
		for (int j = 0; h != NULL && !h->packed && j < h->used; j++) {
			buf_add_str(out, h->headers[j]);
			buf_add_char(out, '\n');
		}
	}
}

/* The heads as bytes for the wire. */
static void
collect_packed(ci_request_t *req, struct buf *out)
{
	for (int i = 0; req->entities[i] != NULL; i++) {
		ci_headers_list_t *h = entity_headers(req->entities[i]);

		if (h != NULL)
			buf_add(out, h->buf, (size_t)h->bufused);
	}
}

/* A response goes back without its request; c-icap adds a line of its own; all is made ready for the wire. */
static void
pack(struct loop *l)
{
	ci_request_t *req = l->req;
	ci_headers_list_t *head = req->response_header;

	ci_headers_reset(head);
	ci_headers_add(head, "ICAP/1.0 200 OK");
	ci_headers_addheaders(head, req->xheaders);
	if (req->type == ICAP_RESPMOD && req->entities[0]->type == ICAP_REQ_HDR) {
		ci_request_release_entity(req, 0);
		req->entities[0] = req->entities[1];
		req->entities[1] = req->entities[2];
		req->entities[2] = NULL;
	}
	if (req->type == ICAP_RESPMOD || ci_http_response_headers(req) != NULL)
		ci_http_response_add_header(req, "Via: ICAP/1.0 fake (C-ICAP/0.5.10 Firebreak )");
	else
		ci_http_request_add_header(req, "Via: ICAP/1.0 fake (C-ICAP/0.5.10 Firebreak )");
	ci_response_pack(req);
	collect_packed(req, &l->sent_heads);
	buf_add(&l->reply->icap, head->buf, (size_t)head->bufused);
	l->reply->status = STATUS_OK;
	l->reply->early = !l->eof;
	req->responce_hasbody = 1;
	for (int i = 0; req->entities[i] != NULL; i++)
		if (req->entities[i]->type == ICAP_NULL_BODY)
			req->responce_hasbody = 0;
	l->reply->has_body = req->responce_hasbody;
}

/* One step of what c-icap sends, each in a write of its own: ICAP head, HTTP heads, body. */
static void
advance(struct loop *l)
{
	ci_request_t *req = l->req;
	ci_encaps_entity_t *e;

	if (req->status == SEND_NOTHING) {
		pack(l);
		req->status = SEND_RESPHEAD;
		return;
	}
	if (req->status >= SEND_BODY)
		return;
	e = req->status < SEND_HEAD3 ? req->entities[req->status - SEND_RESPHEAD] : NULL;
	if (e != NULL && entity_headers(e) != NULL) {
		ci_headers_list_t *h = entity_headers(e);

		buf_add(&l->reply->head, h->buf, (size_t)h->bufused);
		req->status++;
		return;
	}
	req->status = req->responce_hasbody ? SEND_BODY : SEND_EOF;
	l->reply->complete = !req->responce_hasbody;
}

/* An answer without HTTP heads: 204 or an error. */
static void
answer_plain(struct loop *l, int status)
{
	ci_headers_list_t *head = l->req->response_header;
	char line[64];

	snprintf(line, sizeof(line), "ICAP/1.0 %d", status);
	ci_headers_reset(head);
	ci_headers_add(head, line);
	ci_headers_addheaders(head, l->req->xheaders);
	ci_headers_pack(head);
	buf_add(&l->reply->icap, head->buf, (size_t)head->bufused);
	l->reply->status = status;
	l->reply->complete = true;
}

/* ---- the module's callback for bytes ---- */

/* c-icap's own echo, when 204 was returned and not offered: a ring of 32 KiB, which a longer body overruns as long as
 * data are locked. */
static int
echo_io(struct loop *l, char *wbuf, int *wlen, const char *rbuf, int *rlen)
{
	size_t n;

	if (rlen != NULL) {
		n = ECHO_RING - l->ring.len < (size_t)*rlen ? ECHO_RING - l->ring.len : (size_t)*rlen;
		buf_add(&l->ring, rbuf, n);
		*rlen = (int)n;
	}
	n = l->ring.len < (size_t)*wlen ? l->ring.len : (size_t)*wlen;
	if (n > 0) {
		memcpy(wbuf, l->ring.p, n);
		memmove(l->ring.p, l->ring.p + n, l->ring.len - n);
		l->ring.len -= n;
	}
	*wlen = n == 0 && l->eof && *wlen > 0 ? CI_EOF : (int)n;
	return CI_OK;
}

static void
check_lengths(struct loop *l, int given, int offered, int wlen, int rlen)
{
	if (wlen > given)
		violate(l, "more bytes were given than there was room for");
	if (wlen < 0 && wlen != CI_EOF && wlen != CI_ERROR)
		violate(l, "*wlen is neither a number of bytes nor CI_EOF nor CI_ERROR");
	if (rlen > offered || rlen < 0)
		violate(l, "more bytes were taken than were offered, or fewer than none");
	for (int i = 0; i < CANARY; i++)
		if ((unsigned char)l->room[MAX_CHUNK_SIZE + i] != CANARY_BYTE) {
			violate(l, "bytes were written behind the buffer");
			memset(l->room + MAX_CHUNK_SIZE, CANARY_BYTE, CANARY);
		}
}

/* Ask the service for at most WLEN bytes and offer it RLEN.  CI_ERROR when it aborts, as 0.5.10 sees it. */
static int
ask(struct loop *l, int *wlen, char *rbuf, int *rlen)
{
	char *wbuf = l->room + l->filled;
	int given = *wlen, offered = rlen == NULL ? 0 : *rlen, result;

	if (l->echo)
		return echo_io(l, wbuf, wlen, rbuf, rlen);
	result = l->module->mod_service_io(wbuf, wlen, rbuf, rlen, l->eof, l->req);
	if ((result == CI_ERROR) != (*wlen == CI_ERROR))
		violate(l, "an abort by one value only");
	if (result == CI_ERROR || *wlen == CI_ERROR)
		return CI_ERROR;
	check_lengths(l, given, offered, *wlen, rlen == NULL ? 0 : *rlen);
	return CI_OK;
}

/* ---- while the body comes ---- */

/* The next read of the body; false when the client has gone. */
static bool
read_body(struct loop *l)
{
	size_t n;

	free(l->pending);
	l->pending = NULL;
	l->pending_at = l->pending_len = 0;
	if (l->at == l->subject->body.len) {
		if (l->subject->cut)
			return false;
		l->eof = true;
		l->req->eof_received = 1;
		return true;
	}
	n = message_read(l->subject, l->at, l->call->read_size, BUFSIZE);
	/* Of exactly that size, so that a sanitizer sees the first byte read too far. */
	if ((l->pending = malloc(n)) == NULL)
		abort();
	memcpy(l->pending, l->subject->body.p + l->at, n);
	l->pending_len = n;
	l->at += n;
	return true;
}

/* What was formatted goes out. */
static void
flush(struct loop *l)
{
	buf_add(&l->reply->body, l->room, l->filled);
	l->filled = 0;
	l->formatted = false;
}

/* What the service has written becomes a chunk. */
static void
format(struct loop *l)
{
	if (l->req->status != SEND_BODY || l->formatted)
		return;
	if (l->filled > 0)
		l->formatted = true;
	else if (l->service_eof) {
		l->req->status = SEND_EOF;
		l->reply->complete = true;
	}
}

/* Offer the pending bytes until they are taken, the buffer is full or nothing moves.  CI_ERROR on an abort. */
static int
pass_to_service(struct loop *l)
{
	for (;;) {
		int rlen = (int)(l->pending_len - l->pending_at), wlen = 0;
		bool room = l->req->status == SEND_BODY && !l->service_eof && !l->formatted;

		if (room)
			wlen = (int)(MAX_CHUNK_SIZE - l->filled);
		if (ask(l, &wlen, rlen > 0 ? l->pending + l->pending_at : NULL, &rlen) == CI_ERROR)
			return CI_ERROR;
		l->pending_at += rlen > 0 ? (size_t)rlen : 0;
		l->filled += wlen > 0 ? (size_t)wlen : 0;
		if (wlen == CI_EOF)
			l->service_eof = true;
		if ((wlen == 0 && rlen == 0) || l->pending_at == l->pending_len || l->filled == MAX_CHUNK_SIZE)
			return CI_OK;
	}
}

static int
receive_body(struct loop *l)
{
	bool stuck, locked;

	l->req->status = SEND_NOTHING;
	do {
		flush(l);
		if (!l->req->data_locked)
			advance(l);
		if (l->pending_at == l->pending_len && !read_body(l))
			return CI_ERROR;
		locked = l->req->data_locked;
		if (pass_to_service(l) == CI_ERROR)
			return CI_ERROR;
		format(l);
		stuck = l->pending_at < l->pending_len && l->filled == 0 && locked == l->req->data_locked &&
		    (l->req->data_locked || l->req->status >= SEND_BODY);
		if (stuck) {
			violate(l, "bytes are neither taken nor given: c-icap would give up here");
			return CI_ERROR;
		}
	} while (!l->eof || l->pending_at < l->pending_len);
	return CI_OK;
}

/* The body is not wanted, but the client sends it. */
static void
drain(struct loop *l)
{
	while (!l->eof && read_body(l))
		l->pending_at = l->pending_len;
}

/* ---- preview and end ---- */

static void
fill_preview(struct loop *l)
{
	size_t n = icap_call_preview(l->call);

	ci_buf_write(&l->req->preview_data, l->subject->body.p, (int)n);
	l->at = n;
	if (n == l->subject->body.len && !l->subject->cut) {
		l->eof = true;
		l->req->eof_received = 1;
	}
}

/* Ask the preview handler, and check that its answer fits what it has done. */
static int
ask_preview(struct loop *l, char *data, int len)
{
	struct buf before, after;
	int result;
	bool changed;

	buf_init(&before, SNAPSHOT_MAX);
	buf_init(&after, SNAPSHOT_MAX);
	snapshot(l->req, &before);
	result = l->module->mod_check_preview_handler(data, len, l->req);
	snapshot(l->req, &after);
	changed = !slice_eq(buf_slice(&before), buf_slice(&after));
	if (changed && result == CI_MOD_ALLOW204)
		violate(l, "204 at the preview, although the heads were changed: the change is lost");
	/* A changed request whose body is held back stays locked. */
	if (changed && result == CI_MOD_CONTINUE && l->req->data_locked &&
	    (ci_http_response_headers(l->req) != NULL || !ci_req_hasbody(l->req)))
		violate(l, "an answer was made at the preview, but data stay locked");
	if (result != CI_MOD_ALLOW204 && result != CI_MOD_CONTINUE)
		violate(l, "the preview handler failed: the client gets a 500");
	buf_fini(&before);
	buf_fini(&after);
	return result;
}

/* Where to go on after the preview. */
enum next { NEXT_STOP, NEXT_BODY, NEXT_END };

static enum next
preview(struct loop *l)
{
	int result;

	if (l->subject->has_body)
		fill_preview(l);
	result = ask_preview(l, l->req->preview_data.buf, l->req->preview_data.used);
	if (result == CI_MOD_ALLOW204) {
		answer_plain(l, STATUS_NO_CONTENT);
		return NEXT_STOP;
	}
	if (result != CI_MOD_CONTINUE) {
		answer_plain(l, STATUS_ERROR);
		return NEXT_STOP;
	}
	return l->subject->has_body && !l->eof ? NEXT_BODY : NEXT_END;
}

/* The client has offered no preview. */
static enum next
fake_preview(struct loop *l)
{
	int result = ask_preview(l, NULL, 0);

	if (result == CI_MOD_ALLOW204 && l->req->allow204) {
		answer_plain(l, STATUS_NO_CONTENT);
		drain(l);
		return NEXT_STOP;
	}
	if (result != CI_MOD_ALLOW204 && result != CI_MOD_CONTINUE) {
		answer_plain(l, STATUS_ERROR);
		return NEXT_STOP;
	}
	l->echo = result == CI_MOD_ALLOW204 && l->subject->has_body;
	return l->subject->has_body ? NEXT_BODY : NEXT_END;
}

/* Ask the end-of-data handler.  True when the answer is still to be sent. */
static bool
end_of_data(struct loop *l)
{
	struct buf before, after;
	bool changed, sent = ci_req_sent_data(l->req) != 0;
	int result;

	buf_init(&before, SNAPSHOT_MAX);
	buf_init(&after, SNAPSHOT_MAX);
	snapshot(l->req, &before);
	result = l->module->mod_end_of_data_handler(l->req);
	snapshot(l->req, &after);
	changed = !slice_eq(buf_slice(&before), buf_slice(&after));
	buf_fini(&before);
	buf_fini(&after);
	if (changed && sent)
		violate(l, "the heads were changed after they had been sent");
	if (result == CI_MOD_DONE)
		return true;
	if (result != CI_MOD_ALLOW204)
		violate(l, "the end-of-data handler failed: the client gets a 500 or a broken transfer");
	else if (!l->req->allow204 || sent)
		violate(l, "204 at the end of data, not offered or after data were sent");
	else if (changed)
		violate(l, "204 at the end of data, although the heads were changed: the change is lost");
	if (!sent)
		answer_plain(l, result == CI_MOD_ALLOW204 && l->req->allow204 ? STATUS_NO_CONTENT : STATUS_ERROR);
	return false;
}

/* All that the service still has. */
static void
send_rest(struct loop *l)
{
	while (l->req->status < SEND_EOF || l->filled > 0) {
		int wlen = MAX_CHUNK_SIZE;

		flush(l);
		if (l->req->status < SEND_BODY) {
			advance(l);
			continue;
		}
		if (l->req->status == SEND_EOF)
			break;
		if (l->service_eof) {
			format(l);
			continue;
		}
		if (ask(l, &wlen, NULL, NULL) == CI_ERROR)
			return;
		if (wlen == 0) {
			violate(l, "neither bytes nor an end after the body has ended: the client would wait");
			return;
		}
		if (wlen == CI_EOF)
			l->service_eof = true;
		else
			l->filled = (size_t)wlen;
		if (l->reply->body.len > l->subject->body.len + RUNAWAY) {
			violate(l, "bytes without end after the body has ended");
			return;
		}
	}
}

/* A head that was sent may not change behind c-icap's back. */
static void
check_sent_heads(struct loop *l)
{
	struct buf now;

	if (l->sent_heads.len == 0)
		return;
	buf_init(&now, SNAPSHOT_MAX);
	collect_packed(l->req, &now);
	if (!slice_eq(buf_slice(&now), buf_slice(&l->sent_heads)))
		violate(l, "the heads were changed after they had been sent");
	buf_fini(&now);
}

static void
serve(struct loop *l)
{
	enum next next = l->req->preview >= 0 ? preview(l) : fake_preview(l);

	if (next == NEXT_STOP)
		return;
	if (next == NEXT_BODY && receive_body(l) == CI_ERROR)
		return;
	/* What c-icap could not read before there was an end is asked once more: see its loop's last round. */
	l->eof = true;
	if (!end_of_data(l))
		return;
	ci_req_unlock_data(l->req);
	send_rest(l);
	check_sent_heads(l);
}

void
fake_loop(const ci_service_module_t *module, ci_request_t *req, const struct icap_call *call,
    struct icap_reply *reply, struct buf *violations)
{
	struct loop l = { .module = module, .req = req, .call = call, .reply = reply,
		.subject = icap_call_subject(call), .violations = violations };

	if ((l.room = malloc(MAX_CHUNK_SIZE + CANARY)) == NULL)
		abort();
	memset(l.room + MAX_CHUNK_SIZE, CANARY_BYTE, CANARY);
	buf_init(&l.sent_heads, SNAPSHOT_MAX);
	buf_init(&l.ring, ECHO_RING);
	req->data_locked = 1;
	serve(&l);
	free(l.room);
	free(l.pending);
	buf_fini(&l.sent_heads);
	buf_fini(&l.ring);
}
