#include "templates/page_ops.h"

#include "templates/page_words.h"

static const char *const fills[PAGE_FILLS] = {
	[FILL_INCIDENT] = "incident", [FILL_REASON] = "reason", [FILL_ADVICE] = "advice", [FILL_CONTACT] = "contact",
	[FILL_CONTINUE_FORM] = "continue_form", [FILL_LANG] = "lang", [FILL_TITLE] = "title", [FILL_HEADING] = "heading",
	[FILL_HOST] = "host", [FILL_FILE] = "file", [FILL_RULE] = "rule", [FILL_REVISION] = "revision", [FILL_ALERT] = "alert",
	[FILL_TIME] = "time", [FILL_ORGANISATION] = "organisation", [FILL_REASON_WORD] = "reason_word",
	[FILL_MISTAKE_LINK] = "mistake_link", [FILL_LOGO] = "logo",
};

static const char *const conditions[PAGE_CONDITIONS] = {
	[IF_HOST] = "host", [IF_FILE] = "file", [IF_RULE] = "rule", [IF_ALERT] = "alert", [IF_ORGANISATION] = "organisation",
	[IF_MISTAKE_LINK] = "mistake_link", [IF_LOGO] = "logo", [IF_IS_SITE] = "is_site", [IF_IS_FILE] = "is_file",
	[IF_IS_UNCHECKED] = "is_unchecked", [IF_IS_LOOKALIKE] = "is_lookalike", [IF_IS_UPLOAD] = "is_upload",
};

const char *
page_fill_name(enum page_fill fill)
{
	return fills[fill];
}

const char *
page_condition_name(enum page_condition condition)
{
	return conditions[condition];
}

int
page_op_add(struct buf *out, enum page_op op, unsigned arg, struct slice text)
{
	struct page_op_head head = { .op = (uint8_t)op, .arg = (uint8_t)arg, .len = (uint32_t)text.len };

	buf_add(out, &head, sizeof(head));
	return buf_add_slice(out, text);
}

size_t
page_op_open(struct buf *out, enum page_op op, unsigned arg)
{
	size_t at = out->len;

	page_op_add(out, op, arg, (struct slice){ 0 });
	return at;
}

void
page_op_close(struct buf *out, size_t at)
{
	struct page_op_head head;

	if (out->failed)
		return;
	memcpy(&head, out->p + at, sizeof(head));
	head.len = (uint32_t)(out->len - at - sizeof(head));
	memcpy(out->p + at, &head, sizeof(head));
}

static bool
arg_ok(const struct page_op_head *head)
{
	switch (head->op) {
	case OP_TEXT:
		return true;
	case OP_FILL:
		return head->arg < PAGE_FILLS && head->len == 0;
	case OP_WORD:	/* sentences have facts in them, and English has none */
		return head->arg < PAGE_WORDS && (head->arg < WORD_SAYS_SITE || head->arg > WORD_SAYS_UNCHECKED) && head->len == 0;
	case OP_IF:
	case OP_UNLESS:
		return head->arg < PAGE_CONDITIONS;
	default:
		return false;
	}
}

/* A section ends where a step begins, and within the one around it. */
bool
page_ops_ok(struct slice ops)
{
	const char *limits[PAGE_SECTIONS_DEEP + 1] = { ops.p + ops.len };
	struct page_op_head head;
	size_t deep = 0;

	while (ops.len > 0) {
		for (; deep > 0 && limits[deep] == ops.p; deep--)
			;
		if ((size_t)(limits[deep] - ops.p) < sizeof(head))
			return false;
		memcpy(&head, ops.p, sizeof(head));
		ops = slice_skip(ops, sizeof(head));
		if (!arg_ok(&head) || head.len > (size_t)(limits[deep] - ops.p))
			return false;
		if (head.op == OP_TEXT)
			ops = slice_skip(ops, head.len);
		if (head.op != OP_IF && head.op != OP_UNLESS)
			continue;
		if (deep == PAGE_SECTIONS_DEEP)
			return false;
		limits[++deep] = ops.p + head.len;
	}
	return true;
}

bool
page_ops_next(struct slice *ops, struct page_op_head *head, struct slice *text)
{
	if (ops->len < sizeof(*head))
		return false;
	memcpy(head, ops->p, sizeof(*head));
	*ops = slice_skip(*ops, sizeof(*head));
	*text = slice_head(*ops, head->len);
	if (head->op == OP_TEXT)
		*ops = slice_skip(*ops, head->len);
	return true;
}
