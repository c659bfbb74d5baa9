#include "alerts/alert_part.h"

#include <search.h>
#include <stdlib.h>

struct alert *
alert_new(void)
{
	struct alert *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->version = 1;
	return a;
}

static void
file_fini(struct alert_file *f)
{
	free(f->name);
	free(f->container);
}

static void
url_fini_item(struct alert_url *u)
{
	free(u->url);
	free(u->host);
	free(u->victim);
	free(u->mail);
}

static void
lure_fini(struct alert_lure *l)
{
	free(l->subject);
	free(l->body);
}

void
alert_free(struct alert *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n_rule_ids; i++)
		free(a->rule_ids[i]);
	for (size_t i = 0; i < a->n_files; i++)
		file_fini(&a->files[i]);
	for (size_t i = 0; i < a->n_urls; i++)
		url_fini_item(&a->urls[i]);
	for (size_t i = 0; i < a->n_lures; i++)
		lure_fini(&a->lures[i]);
	free(a->rule_ids);
	free(a->files);
	free(a->urls);
	free(a->lures);
	free(a->id);
	free(a->title);
	free(a->threat_type);
	free(a->urgency);
	free(a->credibility);
	free(a->severity);
	free(a);
}

void *
alert_grow(void *v, size_t n, size_t size)
{
	enum { FIRST = 8 };

	/* Room doubles, so it is only ever used up at FIRST, 2 FIRST, 4 FIRST ... elements. */
	if (n == 0)
		return reallocarray(v, FIRST, size);
	if (n < FIRST || (n & (n - 1)) != 0)
		return v;
	return reallocarray(v, 2 * n, size);
}

int
alert_add_file(struct alert *a, struct alert_file *item)
{
	struct alert_file *v = alert_grow(a->files, a->n_files, sizeof(*v));

	if (v == NULL) {
		file_fini(item);
		return -1;
	}
	a->files = v;
	v[a->n_files++] = *item;
	return 0;
}

int
alert_add_url(struct alert *a, struct alert_url *item)
{
	struct alert_url *v = alert_grow(a->urls, a->n_urls, sizeof(*v));

	if (v == NULL) {
		url_fini_item(item);
		return -1;
	}
	a->urls = v;
	v[a->n_urls++] = *item;
	return 0;
}

int
alert_add_lure(struct alert *a, struct alert_lure *item)
{
	struct alert_lure *v = alert_grow(a->lures, a->n_lures, sizeof(*v));

	if (v == NULL) {
		lure_fini(item);
		return -1;
	}
	a->lures = v;
	v[a->n_lures++] = *item;
	return 0;
}

int
alert_add_rule_id(struct alert *a, char *rule_id)
{
	char **v = alert_grow(a->rule_ids, a->n_rule_ids, sizeof(*v));

	if (v == NULL) {
		free(rule_id);
		return -1;
	}
	a->rule_ids = v;
	v[a->n_rule_ids++] = rule_id;
	return 0;
}

bool
alert_id_ok(struct slice text)
{
	if (text.len == 0 || text.len > ALERT_ID_MAX || text.p[0] == '-' || text.p[0] == '_')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (!ascii_is_digit(c) && !ascii_is_alpha(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

enum alert_seen
alert_set_add(struct alert_set *s, const char *key)
{
	char *copy;

	if (tfind(key, &s->root, by_text) != NULL)
		return ALERT_SEEN_BEFORE;
	if ((copy = slice_dup(slice_str(key))) == NULL)
		return ALERT_SEEN_NO_MEMORY;
	if (tsearch(copy, &s->root, by_text) == NULL) {
		free(copy);
		return ALERT_SEEN_NO_MEMORY;
	}
	return ALERT_SEEN_NEW;
}

void
alert_set_fini(struct alert_set *s)
{
	tdestroy(s->root, free);
	s->root = NULL;
}
