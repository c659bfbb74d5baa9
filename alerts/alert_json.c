#include "alerts/alert_part.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { JSON_TEXT_MAX = 8 * ALERT_TEXT_MAX, WHERE_MAX = 64 };

/* ---- writing ---- */

/* KEY of O becomes VALUE, which is taken over.  NULL (no memory, or text that is not UTF-8) fails the whole. */
static void
put(bool *ok, json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, value) == -1)
		*ok = false;
}

/* NULL is JSON's null. */
static json_t *
text_or_null(const char *s)
{
	return s == NULL ? json_null() : json_string(s);
}

static json_t *
date_or_null(int64_t seconds)
{
	char text[CLOCK_TEXT];

	if (seconds == 0)
		return json_null();
	clock_format_s(seconds, text);
	return json_string(text);
}

static json_t *
file_json(bool *ok, const struct alert_file *f)
{
	json_t *o = json_object();
	char hex[DIGEST_MAX_HEX + 1];

	put(ok, o, "name", text_or_null(f->name));
	put(ok, o, "container", text_or_null(f->container));
	put(ok, o, "size", f->size == 0 ? json_null() : json_integer((json_int_t)f->size));
	if (f->has_digest) {
		digest_format(&f->digest, hex);
		put(ok, o, digest_alg_name(f->digest.alg), json_string(hex));
	}
	return o;
}

/* URLs stay defanged in the record, which people open, mail and paste. */
static json_t *
defanged(const char *url)
{
	struct slice s = slice_str(url);
	char *text = NULL;
	json_t *j;
	int n = 0;

	if (slice_starts(s, SLICE("http://")) || slice_starts(s, SLICE("https://")))
		n = asprintf(&text, "hxxp%s", url + sizeof("http") - 1);
	else if (slice_starts(s, SLICE("ftp://")))
		n = asprintf(&text, "fxp%s", url + sizeof("ftp") - 1);
	if (n == -1)
		return NULL;
	j = json_string(text != NULL ? text : url);
	free(text);
	return j;
}

static json_t *
url_json(bool *ok, const struct alert_url *u)
{
	json_t *o = json_object();

	put(ok, o, "url", defanged(u->url));
	put(ok, o, "host", text_or_null(u->host));
	put(ok, o, "victim", text_or_null(u->victim));
	put(ok, o, "mail", text_or_null(u->mail));
	return o;
}

static json_t *
lure_json(bool *ok, const struct alert_lure *l)
{
	json_t *o = json_object();

	put(ok, o, "subject", text_or_null(l->subject));
	put(ok, o, "body", text_or_null(l->body));
	return o;
}

static void
put_lists(bool *ok, const struct alert *a, json_t *o)
{
	json_t *rule_ids = json_array(), *files = json_array(), *urls = json_array(), *lures = json_array();

	for (size_t i = 0; i < a->n_rule_ids; i++)
		*ok &= json_array_append_new(rule_ids, text_or_null(a->rule_ids[i])) == 0;
	for (size_t i = 0; i < a->n_files; i++)
		*ok &= json_array_append_new(files, file_json(ok, &a->files[i])) == 0;
	for (size_t i = 0; i < a->n_urls; i++)
		*ok &= json_array_append_new(urls, url_json(ok, &a->urls[i])) == 0;
	for (size_t i = 0; i < a->n_lures; i++)
		*ok &= json_array_append_new(lures, lure_json(ok, &a->lures[i])) == 0;
	put(ok, o, "rule_ids", rule_ids);
	put(ok, o, "files", files);
	put(ok, o, "urls", urls);
	put(ok, o, "lures", lures);
}

static int
add_chunk(const char *p, size_t len, void *arg)
{
	return buf_add(arg, p, len);
}

int
alert_to_json(const struct alert *a, struct buf *out)
{
	json_t *o = json_object();
	bool ok = true;

	put(&ok, o, "id", text_or_null(a->id));
	put(&ok, o, "version", json_integer(a->version));
	put(&ok, o, "title", text_or_null(a->title));
	put(&ok, o, "threat_type", text_or_null(a->threat_type));
	put(&ok, o, "urgency", text_or_null(a->urgency));
	put(&ok, o, "credibility", text_or_null(a->credibility));
	put(&ok, o, "severity", text_or_null(a->severity));
	put(&ok, o, "first_published", date_or_null(a->first_published));
	put(&ok, o, "last_published", date_or_null(a->last_published));
	put_lists(&ok, a, o);
	if (ok && json_dump_callback(o, add_chunk, out, JSON_INDENT(2)) == -1)
		ok = false;
	json_decref(o);
	return ok ? buf_add_char(out, '\n') : -1;
}

/* ---- reading ---- */

struct reader {
	const char	*file;
	struct diag	*diag;
	bool		 failed;
};

/* An error about KEY of the object at WHERE ("files[2]", or "" for the whole). */
static void
complain(struct reader *r, const char *where, const char *key, const char *what)
{
	const char *dot = where[0] != '\0' && key[0] != '\0' ? "." : "";

	r->failed = true;
	diag_add(r->diag, DIAG_ERROR, r->file, 0, 0, "%s%s%s %s", where, dot, key, what);
}

/* A string, or NULL for null and a missing key.  LINES: line ends and tabs may stand in it. */
static char *
read_text(struct reader *r, json_t *o, const char *where, const char *key, bool lines)
{
	json_t *j = json_object_get(o, key);
	const char *s;
	char *copy;

	if (j == NULL || json_is_null(j))
		return NULL;
	if ((s = json_string_value(j)) == NULL) {
		complain(r, where, key, "must be a string or null");
		return NULL;
	}
	for (const char *p = s; *p != '\0'; p++)
		if (((unsigned char)*p < ' ' && !(lines && (*p == '\n' || *p == '\t'))) || *p == 0x7f) {
			complain(r, where, key, "holds a control character");
			return NULL;
		}
	if ((copy = slice_dup(slice_str(s))) == NULL)
		complain(r, where, key, "cannot be kept: no memory");
	return copy;
}

static int64_t
read_date(struct reader *r, json_t *o, const char *key)
{
	char *text = read_text(r, o, "", key, false);
	int64_t seconds = 0;

	if (text != NULL && (clock_parse(slice_str(text), &seconds) == -1 || !alert_date_ok(seconds))) {
		complain(r, "", key, "must be a date like 2009-10-28T18:39:00Z");
		seconds = 0;
	}
	free(text);
	return seconds;
}

static uint64_t
read_number(struct reader *r, json_t *o, const char *where, const char *key, uint64_t max, uint64_t dflt)
{
	json_t *j = json_object_get(o, key);

	if (j == NULL || json_is_null(j))
		return dflt;
	if (!json_is_integer(j) || json_integer_value(j) < 1 || (uint64_t)json_integer_value(j) > max) {
		complain(r, where, key, "must be a number from 1 up");
		return dflt;
	}
	return (uint64_t)json_integer_value(j);
}

static int
read_rule_id(struct reader *r, struct alert *a, json_t *j, const char *where)
{
	const char *s = json_string_value(j);
	char *copy;

	if (s == NULL || !alert_id_ok(slice_str(s))) {
		complain(r, where, "", "must be a string of letters and digits");
		return 0;
	}
	return (copy = slice_dup(slice_str(s))) == NULL ? -1 : alert_add_rule_id(a, copy);
}

static int
read_file(struct reader *r, struct alert *a, json_t *j, const char *where)
{
	struct alert_file item = { .size = 0 };
	char *hex;

	item.name = read_text(r, j, where, "name", false);
	item.container = read_text(r, j, where, "container", false);
	item.size = read_number(r, j, where, "size", INT64_MAX, 0);
	for (int alg = DIGEST_MD5; alg < DIGEST_ALGS; alg++) {
		const char *key = digest_alg_name((enum digest_alg)alg);

		if ((hex = read_text(r, j, where, key, false)) == NULL)
			continue;
		if (item.has_digest)
			complain(r, where, key, "is a second digest: write a file for each");
		else if (digest_parse((enum digest_alg)alg, slice_str(hex), &item.digest) == -1)
			complain(r, where, key, "is no digest of that kind");
		item.has_digest = true;
		free(hex);
	}
	return alert_add_file(a, &item);
}

/* The canonical form of TEXT, a host, instead of it. */
static char *
canonical_host(struct reader *r, const char *where, const char *key, char *text)
{
	char host[HOST_MAX + 1];
	size_t len;

	if (text == NULL)
		return NULL;
	if (host_canonical(slice_str(text), host, &len, NULL) != URL_OK) {
		complain(r, where, key, "is no host");
		return text;
	}
	free(text);
	return slice_dup(slice_make(host, len));
}

static int
read_url(struct reader *r, struct alert *a, json_t *j, const char *where)
{
	char *written = read_text(r, j, where, "url", false), *host, *victim;
	struct alert_url item = { NULL, NULL, NULL, NULL };
	const char *why = "is missing";
	bool was_defanged = false;
	struct buf url;

	buf_init(&url, URL_RAW_MAX);
	if (written == NULL || alert_refang(slice_str(written), &url, &was_defanged) == -1 || url.len == 0 ||
	    alert_url_fill(&item, NULL, url.p, &why) == -1) {
		complain(r, where, "url", why);
		item.url = url.p;
	}
	free(written);
	host = canonical_host(r, where, "host", read_text(r, j, where, "host", false));
	if (host != NULL && item.host != NULL && strcmp(host, item.host) != 0)
		complain(r, where, "host", "is not the host of the URL");
	free(host);
	victim = canonical_host(r, where, "victim", read_text(r, j, where, "victim", false));
	if (victim != NULL && item.host != NULL && alert_right_of(slice_str(item.host), slice_str(victim)).len == 0)
		complain(r, where, "victim", "does not stand inside the host");
	free(item.victim);
	free(item.mail);
	item.victim = victim;
	item.mail = read_text(r, j, where, "mail", false);
	return alert_add_url(a, &item);
}

static int
read_lure(struct reader *r, struct alert *a, json_t *j, const char *where)
{
	struct alert_lure item;

	item.subject = read_text(r, j, where, "subject", false);
	item.body = read_text(r, j, where, "body", true);
	return alert_add_lure(a, &item);
}

static const struct list {
	const char	*key;
	bool		 objects;
	int		(*read)(struct reader *, struct alert *, json_t *, const char *);
} lists[] = {
	{ "rule_ids", false, read_rule_id },
	{ "files", true, read_file },
	{ "urls", true, read_url },
	{ "lures", true, read_lure },
};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static int
read_list(struct reader *r, struct alert *a, json_t *o, const struct list *list)
{
	json_t *array = json_object_get(o, list->key);
	char where[WHERE_MAX];

	if (array == NULL || json_is_null(array))
		return 0;
	if (!json_is_array(array) || json_array_size(array) > ALERT_ITEMS_MAX) {
		complain(r, "", list->key, "must be a list, and not over 10000 long");
		return 0;
	}
	for (size_t i = 0; i < json_array_size(array); i++) {
		json_t *item = json_array_get(array, i);

		snprintf(where, sizeof(where), "%s[%zu]", list->key, i);
		if (list->objects && !json_is_object(item))
			complain(r, where, "", "must be an object");
		else if (list->read(r, a, item, where) == -1)
			return -1;
	}
	return 0;
}

/* Keys that nobody knows are probably misspelt ones. */
static void
warn_unknown(struct reader *r, json_t *o)
{
	static const char *const known[] = { "id", "version", "title", "threat_type", "urgency", "credibility",
		"severity", "first_published", "last_published", "rule_ids", "files", "urls", "lures",
		"proposed", "findings" };
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) && strcmp(key, known[i]) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			diag_add(r->diag, DIAG_WARNING, r->file, 0, 0, "the key \"%s\" is not known and not used", key);
	}
}

static int
read_alert(struct reader *r, struct alert *a, json_t *o)
{
	a->id = read_text(r, o, "", "id", false);
	if (a->id == NULL || !alert_id_ok(slice_str(a->id)))
		complain(r, "", "id", "must be 1 to 58 letters, digits and -");
	a->version = (unsigned)read_number(r, o, "", "version", INT32_MAX, 1);
	a->title = read_text(r, o, "", "title", false);
	a->threat_type = read_text(r, o, "", "threat_type", false);
	a->urgency = read_text(r, o, "", "urgency", false);
	a->credibility = read_text(r, o, "", "credibility", false);
	a->severity = read_text(r, o, "", "severity", false);
	a->first_published = read_date(r, o, "first_published");
	a->last_published = read_date(r, o, "last_published");
	for (size_t i = 0; i < LISTS; i++)
		if (read_list(r, a, o, &lists[i]) == -1)
			return -1;
	warn_unknown(r, o);
	return 0;
}

struct alert *
alert_from_json(const char *file, struct slice text, struct diag *diag)
{
	struct reader r = { .file = file, .diag = diag };
	struct alert *a;
	json_error_t error;
	json_t *o;

	if (text.len > JSON_TEXT_MAX) {
		diag_add(diag, DIAG_ERROR, file, 0, 0, "a record may have %d bytes, this has %zu", JSON_TEXT_MAX,
		    text.len);
		return NULL;
	}
	if ((o = json_loadb(text.p != NULL ? text.p : "", text.len, JSON_REJECT_DUPLICATES, &error)) == NULL) {
		diag_add(diag, DIAG_ERROR, file, (unsigned)error.line, (unsigned)error.column, "%s", error.text);
		return NULL;
	}
	a = alert_new();
	if (!json_is_object(o))
		complain(&r, "", "the record", "must be an object");
	else if (a == NULL || read_alert(&r, a, o) == -1)
		complain(&r, "", "the record", "cannot be kept: no memory");
	json_decref(o);
	if (r.failed) {
		alert_free(a);
		a = NULL;
	}
	return a;
}
