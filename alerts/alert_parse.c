#include "alerts/alert_part.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_HASH_BYTES = 4 };

/* What a parse holds apart from its result. */
struct parse {
	struct alert			*a;
	struct alert_text		 t;
	const struct public_suffixes	*list;
	uint8_t				*regions;
	struct alert_urls		*urls;
	struct alert_facts		*facts;
};

/* How many bytes of S are no part of a word: blanks, quotes, angle brackets, and the general punctuation of Unicode
 * (U+2000 to U+203F: typographic quotes, dashes, spaces of all widths). */
static size_t
gap_length(struct slice s)
{
	if (s.p[0] == ' ' || s.p[0] == '\t' || (s.p[0] != '\0' && strchr("<>\"`", s.p[0]) != NULL))
		return 1;
	return slice_starts(s, SLICE("\xe2\x80")) && utf8_sequence(s) == 3 ? 3 : 0;
}

/* The next word of *LINE, which is moved behind it. */
static bool
next_token(struct slice *line, struct slice *token)
{
	size_t n;

	while (line->len > 0 && (n = gap_length(*line)) > 0)
		*line = slice_skip(*line, n);
	for (n = 0; n < line->len && gap_length(slice_skip(*line, n)) == 0; )
		n++;
	*token = slice_head(*line, n);
	*line = slice_skip(*line, n);
	return n > 0;
}

static int
parse_line(struct parse *p, size_t i)
{
	struct slice line = alert_line(&p->t, i), token;
	enum alert_region region = (enum alert_region)p->regions[i];
	bool blank = slice_trim(line).len == 0 || region != REGION_PROSE, taken;

	if (alert_facts_line(p->facts, (uint32_t)i, blank) == -1)
		return -1;
	while (next_token(&line, &token)) {
		size_t at = (size_t)(token.p - p->t.clean.p);

		if (alert_urls_take(p->urls, p->list, token, at, region, &taken) == -1)
			return -1;
		if (!taken && region == REGION_PROSE && alert_facts_take(p->facts, p->a, token, at) == -1)
			return -1;
	}
	return 0;
}

/* An alert without an id is known by its text. */
static char *
id_of_text(struct slice text)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char *id = NULL;

	if (EVP_Digest(text.p != NULL ? text.p : "", text.len, hash, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	if (asprintf(&id, "text-%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[ID_HASH_BYTES - 1]) == -1)
		return NULL;
	return id;
}

static int
parse_all(struct parse *p, struct slice text)
{
	const struct fact *facts;
	size_t n;

	p->urls = alert_urls_new(&p->t);
	p->facts = alert_facts_new(&p->t);
	p->regions = calloc(p->t.n_lines, 1);
	if (p->urls == NULL || p->facts == NULL || p->regions == NULL || alert_lures(p->a, &p->t, p->regions) == -1 ||
	    alert_fields(p->a, &p->t, p->regions) == -1)
		return -1;
	for (size_t i = 0; i < p->t.n_lines; i++)
		if (parse_line(p, i) == -1)
			return -1;
	if (alert_facts_line(p->facts, (uint32_t)p->t.n_lines, true) == -1)
		return -1;
	facts = alert_facts_list(p->facts, &n);
	if (alert_files(p->a, &p->t, facts, n) == -1 || alert_urls_finish(p->urls, p->list, p->a) == -1)
		return -1;
	if (p->a->id == NULL && (p->a->id = id_of_text(text)) == NULL)
		return -1;
	return 0;
}

struct alert *
alert_parse(const char *file, struct slice text, const struct public_suffixes *list, struct diag *diag)
{
	struct parse p = { .list = list };

	if (text.len > ALERT_TEXT_MAX) {
		diag_add(diag, DIAG_ERROR, file, 0, 0, "an alert's text may have %d bytes, this has %zu",
		    ALERT_TEXT_MAX, text.len);
		return NULL;
	}
	if ((p.a = alert_new()) == NULL || alert_text_init(&p.t, file, text, diag) == -1 || parse_all(&p, text) == -1) {
		diag_add(diag, DIAG_ERROR, file, 0, 0, "there is no memory to read the alert");
		alert_free(p.a);
		p.a = NULL;
	}
	alert_urls_free(p.urls);
	alert_facts_free(p.facts);
	free(p.regions);
	alert_text_fini(&p.t);
	return p.a;
}

struct alert *
alert_read(const char *file, struct slice text, const struct public_suffixes *list, struct diag *diag)
{
	struct slice bom = SLICE("\xef\xbb\xbf"), words;

	if (slice_starts(text, bom))
		text = slice_skip(text, bom.len);
	words = slice_trim(text);
	if (words.len > 0 && words.p[0] == '{')
		return alert_from_json(file, text, diag);
	return alert_parse(file, text, list, diag);
}
