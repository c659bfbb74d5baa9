#include "t/replay/icap.h"

#include <stdlib.h>

enum { FIRST_READS = 16, STATUS_DIGITS = 3, HEAD_MAX = 4 * 1024 * 1024 };

void
message_init(struct message *m)
{
	*m = (struct message){ 0 };
	buf_init(&m->head, HEAD_MAX);
	buf_init(&m->body, MESSAGE_MAX);
}

void
message_fini(struct message *m)
{
	buf_fini(&m->head);
	buf_fini(&m->body);
	free(m->ends);
	m->ends = NULL;
}

int
message_add_read(struct message *m)
{
	if (m->n_reads == m->cap_reads) {
		size_t cap = m->cap_reads == 0 ? FIRST_READS : 2 * m->cap_reads;
		size_t *ends = realloc(m->ends, cap * sizeof(*ends));

		if (ends == NULL)
			return -1;
		m->ends = ends;
		m->cap_reads = cap;
	}
	m->ends[m->n_reads++] = m->body.len;
	m->has_body = true;
	return 0;
}

size_t
message_read(const struct message *m, size_t at, size_t read_size, size_t max)
{
	size_t n = m->body.len - at;

	for (size_t i = 0; read_size == 0 && i < m->n_reads; i++)
		if (m->ends[i] > at) {
			n = m->ends[i] - at;
			break;
		}
	if (read_size != 0 && n > read_size)
		n = read_size;
	return n < max ? n : max;
}

const struct message *
icap_call_subject(const struct icap_call *call)
{
	return call->respmod ? call->response : call->request;
}

size_t
icap_call_preview(const struct icap_call *call)
{
	const struct message *m = icap_call_subject(call);

	if (call->preview == NO_PREVIEW || !m->has_body)
		return 0;
	return m->body.len < (size_t)call->preview ? m->body.len : (size_t)call->preview;
}

int
icap_call_head(const struct icap_call *call, const char *host, const char *service, struct buf *out)
{
	const struct message *m = icap_call_subject(call);
	const char *kind = call->respmod ? "res" : "req";
	size_t start = 0;

	buf_addf(out, "%s icap://%s/%s ICAP/1.0\r\nHost: %s\r\n", call->respmod ? "RESPMOD" : "REQMOD",
	    host, service, host);
	buf_add_str(out, "Connection: keep-alive\r\n");
	if (call->allow204)
		buf_add_str(out, "Allow: 204\r\n");
	if (call->preview != NO_PREVIEW)
		buf_addf(out, "Preview: %zu\r\n", icap_call_preview(call));
	buf_add_slice(out, call->headers);
	buf_add_str(out, "Encapsulated: ");
	if (call->respmod && call->request != NULL) {
		buf_add_str(out, "req-hdr=0, ");
		start = call->request->head.len;
	}
	buf_addf(out, "%s-hdr=%zu, ", kind, start);
	buf_addf(out, "%s-body=%zu\r\n\r\n", m->has_body ? kind : "null",
	    start + m->head.len);
	return out->failed ? -1 : 0;
}

void
icap_reply_init(struct icap_reply *r)
{
	*r = (struct icap_reply){ 0 };
	buf_init(&r->icap, HEAD_MAX);
	buf_init(&r->head, HEAD_MAX);
	buf_init(&r->body, 2 * MESSAGE_MAX);
}

void
icap_reply_fini(struct icap_reply *r)
{
	buf_fini(&r->icap);
	buf_fini(&r->head);
	buf_fini(&r->body);
}

bool
head_line(struct slice *head, struct slice *line)
{
	if (head->len == 0)
		return false;
	slice_cut(*head, '\n', line, head);
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

int
head_status(struct slice head)
{
	struct slice line, rest;
	uint64_t status;

	if (!head_line(&head, &line) || !slice_cut(line, ' ', NULL, &rest) ||
	    slice_u64(slice_head(rest, STATUS_DIGITS), &status) == -1)
		return 0;
	return (int)status;
}

bool
head_value(struct slice head, struct slice name, struct slice *value)
{
	struct slice line, word;

	while (head_line(&head, &line))
		if (slice_cut(line, ':', &word, value) && slice_ieq(word, name)) {
			*value = slice_trim(*value);
			return true;
		}
	return false;
}
