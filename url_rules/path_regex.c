#include "url_rules/path_pattern.h"

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	STEPS_MAX = 4000000,	/* of one question, for all starts together */
	DEPTH_MAX = 20000,
	HEAP_KIB = 4096,
	NEST_MAX = 50,		/* parentheses within each other */
};

/* Where a match can begin. */
enum start { START_ANYWHERE, START_ONCE, START_BYTE };

struct regex {
	pcre2_code	*code;
	enum start	 start;
	char		 byte;		/* of START_BYTE, folded */
};

/* One form for both cases of a letter; other bytes may share one too, which only counts too many starts. */
static char
folded(char c)
{
	return (char)(c | 0x20);
}

static void
find_start(struct regex *r)
{
	uint32_t options = 0, type = 0, unit = 0;

	pcre2_pattern_info(r->code, PCRE2_INFO_ALLOPTIONS, &options);
	pcre2_pattern_info(r->code, PCRE2_INFO_FIRSTCODETYPE, &type);
	pcre2_pattern_info(r->code, PCRE2_INFO_FIRSTCODEUNIT, &unit);
	r->start = options & PCRE2_ANCHORED ? START_ONCE : type == 1 ? START_BYTE : START_ANYWHERE;
	r->byte = folded((char)unit);
}

static pcre2_code *
compile(struct slice text, char *why, size_t *at)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code = NULL;
	PCRE2_SIZE offset = 0;
	int error = PCRE2_ERROR_NOMEMORY;

	if (context != NULL) {
		pcre2_set_parens_nest_limit(context, NEST_MAX);
		code = pcre2_compile((PCRE2_SPTR)text.p, text.len, PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
		    PCRE2_NEVER_BACKSLASH_C, &error, &offset, context);
		pcre2_compile_context_free(context);
	}
	if (code == NULL) {
		if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, PATTERN_WHY) < 0)
			snprintf(why, PATTERN_WHY, "is no regular expression");
		*at = 1 + (offset < text.len ? offset : text.len);
	}
	return code;
}

struct regex *
regex_compile(struct slice text, char why[static PATTERN_WHY], size_t *at)
{
	struct regex *r;

	*at = 0;
	snprintf(why, PATTERN_WHY, text.len > PATTERN_MAX ? "is longer than 1024 bytes" : "there is nothing behind the ~");
	if (text.len > PATTERN_MAX || text.len < 2)
		return NULL;
	snprintf(why, PATTERN_WHY, "out of memory");
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	if ((r->code = compile(slice_skip(text, 1), why, at)) == NULL) {
		free(r);
		return NULL;
	}
	find_start(r);
	/* Where it cannot be had, or memory must not be executable, the interpreter does the same. */
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
	return r;
}

void
regex_free(struct regex *r)
{
	if (r == NULL)
		return;
	pcre2_code_free(r->code);
	free(r);
}

/* PCRE2 limits the steps from each start; this many starts share them. */
static size_t
count_starts(const struct regex *r, struct slice s)
{
	size_t n = 0;

	if (r->start != START_BYTE)
		return r->start == START_ONCE ? 1 : s.len + 1;
	for (size_t i = 0; i < s.len; i++)
		n += folded(s.p[i]) == r->byte;
	return n;
}

static int
ask(const struct regex *r, struct slice s, size_t starts, pcre2_match_data *data, pcre2_match_context *context)
{
	int found;

	pcre2_set_match_limit(context, (uint32_t)(STEPS_MAX / starts));
	pcre2_set_depth_limit(context, DEPTH_MAX);
	pcre2_set_heap_limit(context, HEAP_KIB);
	found = pcre2_match(r->code, (PCRE2_SPTR)s.p, s.len, 0, 0, data, context);
	if (found == PCRE2_ERROR_JIT_STACKLIMIT)
		found = pcre2_match(r->code, (PCRE2_SPTR)s.p, s.len, 0, PCRE2_NO_JIT, data, context);
	return found;
}

enum regex_result
regex_match(const struct regex *r, struct slice path_query)
{
	size_t starts = count_starts(r, path_query);
	pcre2_match_context *context;
	pcre2_match_data *data;
	int found = PCRE2_ERROR_NOMEMORY;

	if (starts == 0)
		return REGEX_NO;
	context = pcre2_match_context_create(NULL);
	data = pcre2_match_data_create(1, NULL);
	if (context != NULL && data != NULL)
		found = ask(r, path_query, starts, data, context);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return found >= 0 ? REGEX_YES : found == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_UNCHECKED;
}
