#include "alerts/alert_part.h"

#include <search.h>
#include <stdlib.h>

enum { SHOWN_MAX = 100 };

/* Endings by which a word with a dot is a file and not a host.  ".zip" is a top-level domain too; alerts mean the
 * file. */
static const char *const extensions[] = {
	"exe", "scr", "pif", "bat", "cmd", "cpl", "dll", "vbs", "vbe", "js", "jse", "jar", "hta", "lnk", "msi",
	"ps1", "wsf",
	"doc", "docm", "docx", "xls", "xlsm", "xlsx", "ppt", "pptx", "rtf", "pdf", "swf", "apk", "dmg", "htm", "html",
	"zip", "rar", "7z", "gz", "tgz", "tar", "cab", "arj", "ace", "iso", "img", "z", "lzh",
};
static const char *const archives[] = {
	"zip", "rar", "7z", "gz", "tgz", "tar", "cab", "arj", "ace", "iso", "img", "z", "lzh",
};

/* How a dot, a colon, a slash or an "at" is written so that nobody can click on it.  Longer forms first. */
static const struct fang { struct slice from, to; bool dot; } fangs[] = {
	{ SLICE("[://]"), SLICE("://"), false }, { SLICE("[dot]"), SLICE("."), true },
	{ SLICE("(dot)"), SLICE("."), true }, { SLICE("{dot}"), SLICE("."), true }, { SLICE("[.]"), SLICE("."), true },
	{ SLICE("(.)"), SLICE("."), true }, { SLICE("{.}"), SLICE("."), true }, { SLICE("[:]"), SLICE(":"), false },
	{ SLICE("(:)"), SLICE(":"), false }, { SLICE("[/]"), SLICE("/"), false }, { SLICE("[@]"), SLICE("@"), false },
	{ SLICE("[at]"), SLICE("@"), false }, { SLICE("(at)"), SLICE("@"), false }, { SLICE("\\."), SLICE("."), false },
	{ SLICE("[."), SLICE("."), true },
};

static const struct slice separators[] = {
	SLICE("://"), SLICE("[://]"), SLICE("[:]//"), SLICE("(:)//"), SLICE(":[//]"), SLICE("[:][/][/]"),
};

/* A URL or host met in the text. */
struct met {
	char	*url;		/* refanged, as written otherwise */
	size_t	 at;
	bool	 defanged, lure, reference;
	bool	 bare;		/* no scheme was written */
};

struct alert_urls {
	const struct alert_text	*t;
	void			*tree;		/* of struct met, by URL */
	struct met		**v;		/* in the order of the text */
	size_t			 n, lost;
	bool			 any_defanged;
};

static struct slice
last_label(struct slice name)
{
	size_t i = name.len;

	while (i > 0 && name.p[i - 1] != '.')
		i--;
	return i > 0 ? slice_skip(name, i) : slice_make(NULL, 0);
}

static bool
in_words(struct slice word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq(word, slice_str(words[i])))
			return true;
	return false;
}

bool
alert_is_extension(struct slice name)
{
	return in_words(last_label(name), extensions, sizeof(extensions) / sizeof(extensions[0]));
}

bool
alert_is_archive(struct slice name)
{
	return in_words(last_label(name), archives, sizeof(archives) / sizeof(archives[0]));
}

static const struct fang *
fang_at(struct slice s)
{
	if (s.p[0] != '[' && s.p[0] != '(' && s.p[0] != '{' && s.p[0] != '\\')
		return NULL;
	for (size_t i = 0; i < sizeof(fangs) / sizeof(fangs[0]); i++)
		if (slice_istarts(s, fangs[i].from))
			return &fangs[i];
	return NULL;
}

static bool
has_fanged_dot(struct slice s)
{
	const struct fang *f;

	for (size_t i = 0; i < s.len; i++)
		if ((f = fang_at(slice_skip(s, i))) != NULL && f->dot)
			return true;
	return false;
}

/* The length of the scheme that S begins with, its separator included; 0 when there is none.  NAME gets what it
 * stands for. */
static size_t
scheme_at(struct slice s, const char **name, bool *defanged)
{
	bool ftp = slice_istarts(s, SLICE("ftp")) || slice_istarts(s, SLICE("fxp")), secure;
	size_t n = ftp ? 3 : 4;

	if (s.len <= n || (!ftp && ascii_lower(s.p[0]) != 'h'))
		return 0;
	for (size_t i = 1; !ftp && i < 3; i++)
		if (strchr("tTxX*", s.p[i]) == NULL || s.p[i] == '\0')
			return 0;
	if (ascii_lower(s.p[n - 1]) != 'p')
		return 0;
	secure = ascii_lower(s.p[n]) == 's';
	*defanged = ascii_lower(s.p[1]) != 't' || (!ftp && ascii_lower(s.p[2]) != 't');
	*name = ftp ? "ftp" : secure ? "https" : "http";
	n += secure;
	for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++)
		if (slice_starts(slice_skip(s, n), separators[i])) {
			*defanged |= i > 0;
			return n + separators[i].len;
		}
	return 0;
}

/* Where the first scheme of S stands; S.len when nowhere. */
static size_t
find_scheme(struct slice s)
{
	const char *name;
	bool defanged;

	for (size_t i = 0; i < s.len; i++)
		if ((ascii_lower(s.p[i]) == 'h' || ascii_lower(s.p[i]) == 'f') &&
		    scheme_at(slice_skip(s, i), &name, &defanged) > 0)
			return i;
	return s.len;
}

/* How long the URL at the start of S is, when others follow it in a list without blanks. */
static size_t
url_length(struct slice s)
{
	const char *name;
	bool defanged;

	for (size_t i = 1; i + 1 < s.len; i++)
		if ((s.p[i] == ',' || s.p[i] == ';' || s.p[i] == '|') &&
		    scheme_at(slice_skip(s, i + 1), &name, &defanged) > 0)
			return i;
	return s.len;
}

struct slice
alert_trim_punctuation(struct slice s)
{
	static const char open[] = "([{", close[] = ")]}";
	size_t n_open[sizeof(open)] = { 0 }, n_close[sizeof(close)] = { 0 };
	const char *first, *last;

	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\0' && (first = strchr(open, s.p[i])) != NULL)
			n_open[first - open]++;
		else if (s.p[i] != '\0' && (last = strchr(close, s.p[i])) != NULL)
			n_close[last - close]++;
	while (s.len > 0 && s.p[0] != '\0' && s.p[s.len - 1] != '\0') {
		first = strchr(open, s.p[0]);
		last = strchr(close, s.p[s.len - 1]);
		if (strchr(".,;:!?'*", s.p[s.len - 1]) != NULL) {
			s.len--;
		} else if (last != NULL && n_close[last - close] > n_open[last - close]) {
			n_close[last - close]--;
			s.len--;
		} else if (first != NULL && fang_at(s) == NULL && (n_close[first - open] == 0 ||
		    (last != NULL && last - close == first - open))) {
			/* The bracket that closes it goes too, as one too many, in the next round. */
			n_open[first - open]--;
			s = slice_skip(s, 1);
		} else if (s.p[0] == '\'' || s.p[0] == '*') {
			s = slice_skip(s, 1);
		} else {
			break;
		}
	}
	return s;
}

/* What S ends with; NEXT is the byte behind it, which may complete a longer form. */
static const struct fang *
fang_at_end(struct slice s, char next)
{
	if (s.len < 2 || memchr(".])}", s.p[s.len - 1], sizeof(".])}") - 1) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(fangs) / sizeof(fangs[0]); i++) {
		struct slice from = fangs[i].from;

		if (s.len >= from.len && slice_ieq(slice_skip(s, s.len - from.len), from) &&
		    !(slice_eq(from, SLICE("[.")) && next == ']'))
			return &fangs[i];
	}
	return NULL;
}

/* The scheme that OUT has at FROM, as it is written plainly, which is never longer. */
static void
refang_scheme(struct buf *out, size_t from, bool *defanged)
{
	struct slice text = slice_make(out->p + from, out->len - from);
	const char *name;
	bool scheme_defanged;
	size_t n = scheme_at(text, &name, &scheme_defanged), len;

	if (n == 0)
		return;
	*defanged |= scheme_defanged;
	len = strlen(name);
	memcpy(out->p + from, name, len);
	memcpy(out->p + from + len, "://", sizeof("://") - 1);
	len += sizeof("://") - 1;
	memmove(out->p + from + len, text.p + n, text.len - n + 1);
	out->len -= n - len;
}

/* What is undone may make another with what stands around it ("a[[.]b"), so that OUT is looked at, not TEXT: the result
 * is undone in full, and stays as it is when a record is read. */
int
alert_refang(struct slice text, struct buf *out, bool *defanged)
{
	const struct fang *f;
	size_t from = out->len;

	for (size_t i = 0; i < text.len && buf_add_char(out, text.p[i]) == 0; i++) {
		char next = i + 1 < text.len ? text.p[i + 1] : '\0';

		while ((f = fang_at_end(slice_make(out->p + from, out->len - from), next)) != NULL) {
			*defanged = true;
			out->len -= f->from.len;
			buf_add_slice(out, f->to);
		}
	}
	if (!out->failed && out->len > from)
		refang_scheme(out, from, defanged);
	return out->failed ? -1 : 0;
}

struct alert_urls *
alert_urls_new(const struct alert_text *t)
{
	struct alert_urls *u = calloc(1, sizeof(*u));

	if (u != NULL)
		u->t = t;
	return u;
}

static void
keep(void *item)
{
	(void)item;	/* owned by the array */
}

void
alert_urls_free(struct alert_urls *u)
{
	if (u == NULL)
		return;
	tdestroy(u->tree, keep);
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i]->url);
		free(u->v[i]);
	}
	free(u->v);
	free(u);
}

static int
by_url(const void *a, const void *b)
{
	return strcmp(((const struct met *)a)->url, ((const struct met *)b)->url);
}

/* Remember what SAMPLE describes; its URL is copied when it is new. */
static int
remember(struct alert_urls *u, const struct met *sample)
{
	struct met **known = tfind(sample, &u->tree, by_url), **v, *m;

	if (known != NULL) {
		(*known)->defanged |= sample->defanged;
		(*known)->lure |= sample->lure;
		(*known)->reference &= sample->reference;
		return 0;
	}
	if (u->n == ALERT_ITEMS_MAX) {
		u->lost++;
		return 0;
	}
	if ((v = alert_grow(u->v, u->n, sizeof(struct met *))) == NULL)
		return -1;
	u->v = v;
	if ((m = calloc(1, sizeof(*m))) == NULL)
		return -1;
	*m = *sample;
	if ((m->url = slice_dup(slice_str(sample->url))) == NULL || tsearch(m, &u->tree, by_url) == NULL) {
		free(m->url);
		free(m);
		return -1;
	}
	v[u->n++] = m;
	return 0;
}

/* TEXT is a URL, or a host with or without path when BARE. */
static int
take_one(struct alert_urls *u, struct slice text, size_t at, enum alert_region region, bool bare)
{
	struct met m = { .at = at, .lure = region == REGION_LURE, .reference = region == REGION_REFERENCE,
		.bare = bare };
	struct buf out;
	int result = -1;

	text = alert_trim_punctuation(text);
	if (text.len > URL_RAW_MAX) {
		alert_finding(u->t, DIAG_WARNING, at, "a URL of %zu bytes is longer than %d and not used: %.*s...",
		    text.len, URL_RAW_MAX, SLICE_ARGS(slice_head(text, SHOWN_MAX)));
		return 0;
	}
	buf_init(&out, 4 * URL_RAW_MAX);
	if (bare)
		buf_add_str(&out, "http://");
	if (alert_refang(text, &out, &m.defanged) == 0 && (m.url = alert_dup(buf_slice(&out))) != NULL) {
		u->any_defanged |= m.defanged;
		result = remember(u, &m);
	}
	free(m.url);
	buf_fini(&out);
	return result;
}

/* S begins with a host that could be one without any mark: "aol.com/news/x.zip", "www.example.com". */
static bool
is_plain_host(const struct public_suffixes *list, struct slice s)
{
	size_t slash = slice_find(s, '/');
	struct slice host = slice_head(s, slash);
	char canonical[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;
	bool www = slice_istarts(host, SLICE("www."));

	if (host.len > HOST_MAX || slice_find(host, '.') == host.len || (slash == s.len && !www))
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!ascii_is_alpha(host.p[i]) && !ascii_is_digit(host.p[i]) && host.p[i] != '.' && host.p[i] != '-')
			return false;
	if (alert_is_extension(host) || host_canonical(host, canonical, &len, &kind) != URL_OK || kind != HOST_NAME)
		return false;
	if (list == NULL)
		return www;
	host = slice_make(canonical, len);
	return public_suffix(list, host).listed && registrable_domain(list, host).len > 0;
}

int
alert_urls_take(struct alert_urls *u, const struct public_suffixes *list, struct slice token, size_t at,
    enum alert_region region, bool *taken)
{
	size_t n = find_scheme(token);
	struct slice bare;

	*taken = n < token.len;
	while (n < token.len) {
		token = slice_skip(token, n);
		at += n;
		n = url_length(token);
		if (take_one(u, slice_head(token, n), at, region, false) == -1)
			return -1;
		token = slice_skip(token, n);
		at += n;
		n = find_scheme(token);
	}
	if (*taken)
		return 0;
	bare = alert_trim_punctuation(token);
	/* A mail address is nobody's download. */
	if (slice_find(slice_head(bare, slice_find(bare, '/')), '@') < bare.len)
		return 0;
	*taken = has_fanged_dot(bare) || is_plain_host(list, bare);
	return *taken ? take_one(u, bare, at + (size_t)(bare.p - token.p), region, true) : 0;
}

static char *
dup_or_null(struct slice s, bool *failed)
{
	char *copy = s.len > 0 ? alert_dup(s) : NULL;

	*failed |= s.len > 0 && copy == NULL;
	return copy;
}

int
alert_url_fill(struct alert_url *item, const struct public_suffixes *list, char *text, const char **why)
{
	struct slice mail, victim;
	enum url_error error;
	bool failed = false;
	struct url url;

	*item = (struct alert_url){ .url = text };
	if ((error = url_parse(&url, slice_str(text))) != URL_OK) {
		*why = url_strerror(error);
		return -1;
	}
	alert_victim(list, &url, &mail, &victim);
	item->host = dup_or_null(url.host, &failed);
	item->mail = dup_or_null(mail, &failed);
	item->victim = dup_or_null(victim, &failed);
	url_fini(&url);
	*why = failed ? "there is no memory" : NULL;
	return failed ? -1 : 0;
}

/* A word with bracketed dots that was meant as a host, and not as a file or a number. */
static bool
is_bare_host(const struct alert_url *item, const char *written)
{
	struct slice host = slice_str(item->host), label = last_label(host);

	if (label.len == 0 || alert_is_extension(host))
		return false;
	if (ascii_is_digit(label.p[0]))	/* an address, in its usual spelling only */
		return slice_istarts(slice_skip(slice_str(written), sizeof("http://") - 1), host);
	return true;
}

/* M counts: into A. */
static int
add_indicator(const struct alert_urls *u, const struct met *m, const struct public_suffixes *list, struct alert *a)
{
	char *copy = slice_dup(slice_str(m->url));
	const char *why = NULL;
	struct alert_url item;

	if (copy == NULL)
		return -1;
	if (alert_url_fill(&item, list, copy, &why) == 0 && m->bare && !is_bare_host(&item, copy))
		why = "it is no host name";
	if (why == NULL)
		return alert_add_url(a, &item);
	alert_finding(u->t, DIAG_WARNING, m->at, "\"%.*s\" is not used: %s",
	    SLICE_ARGS(slice_head(slice_str(m->url), SHOWN_MAX)), why);
	free(item.url);
	free(item.host);
	free(item.victim);
	free(item.mail);
	return 0;
}

int
alert_urls_finish(struct alert_urls *u, const struct public_suffixes *list, struct alert *a)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct met *m = u->v[i];

		if (!m->defanged && !m->lure && (u->any_defanged || m->reference))
			alert_finding(u->t, DIAG_NOTE, m->at,
			    "\"%.*s\" is not taken as an indicator: it is a plain link%s",
			    SLICE_ARGS(slice_head(slice_str(m->url), SHOWN_MAX)),
			    m->reference ? " among references" : " beside defanged ones");
		else if (add_indicator(u, m, list, a) == -1)
			return -1;
	}
	if (u->lost > 0)
		alert_finding(u->t, DIAG_WARNING, u->t->clean.len, "%zu URLs over %d are left out", u->lost,
		    ALERT_ITEMS_MAX);
	return 0;
}
