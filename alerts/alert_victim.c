#include "alerts/alert_part.h"

enum {
	NAME_MAX_LEN = 253,
	MAIL_TRIES = 8,
	SUFFIX_LABELS = 10,	/* no public suffix has as many */
};

/* Top-level domains of before 2012, besides those of countries.  Many of the later ones are brands ("microsoft") or
 * words ("secure"), which also stand for themselves inside a host. */
static const struct slice classic[] = {
	SLICE("com"), SLICE("net"), SLICE("org"), SLICE("edu"), SLICE("gov"), SLICE("mil"), SLICE("int"), SLICE("info"),
	SLICE("biz"), SLICE("aero"), SLICE("asia"), SLICE("coop"), SLICE("mobi"),
};

/* The last SUFFIX_LABELS of HOST, which are all that its public suffix depends on: a host of a hundred labels is
 * asked about at each of them. */
static struct slice
last_labels(struct slice host)
{
	size_t i = host.len, labels = 0;

	while (i > 0 && (host.p[i - 1] != '.' || ++labels < SUFFIX_LABELS))
		i--;
	return slice_skip(host, i);
}

struct slice
alert_right_of(struct slice host, struct slice victim)
{
	for (size_t i = 0; victim.len > 0 && i + victim.len + 1 < host.len; i++)
		if ((i == 0 || host.p[i - 1] == '.') && host.p[i + victim.len] == '.' &&
		    slice_ieq(slice_make(host.p + i, victim.len), victim))
			return slice_skip(host, i + victim.len + 1);
	return slice_make(NULL, 0);
}

static bool
is_mail_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '_' || c == '+';
}

static struct slice
last_label(struct slice host)
{
	size_t i = host.len;

	while (i > 0 && host.p[i - 1] != '.')
		i--;
	return slice_skip(host, i);
}

/* The longest part of HOST, at label boundaries and with something right of it, that TAIL begins with: TAIL is what
 * follows the @ of "user@betterbricks.com-patch121.exe", where only the host tells where the domain ends. */
static struct slice
embedded_in(struct slice host, struct slice tail)
{
	struct slice best = slice_make(NULL, 0);

	for (size_t i = 0; i < host.len; i++) {
		size_t n = 0, dots = 0;

		if (i > 0 && host.p[i - 1] != '.')
			continue;
		for (; n < tail.len && i + n < host.len && ascii_lower(tail.p[n]) == host.p[i + n]; n++) {
			bool ends = n + 1 == tail.len || tail.p[n + 1] == '.' || tail.p[n + 1] == '-';

			dots += host.p[i + n] == '.';
			if (ends && dots > 0 && n + 1 > best.len && i + n + 2 < host.len && host.p[i + n + 1] == '.' &&
			    host.p[i + n] != '.')
				best = slice_make(host.p + i, n + 1);
		}
	}
	return best;
}

/* The longest head of TAIL that looks like a mail domain. */
static struct slice
mail_domain(const struct public_suffixes *list, struct slice tail)
{
	for (size_t n = tail.len; n > 0; n--) {
		struct slice domain = slice_head(tail, n), label;

		if (n < tail.len && tail.p[n] != '.' && tail.p[n] != '-')
			continue;
		label = last_label(domain);
		if (label.len < 2 || label.len == n || alert_is_extension(domain) ||
		    slice_find(label, '-') < label.len || !ascii_is_alpha(label.p[0]))
			continue;
		if (list == NULL || public_suffix(list, last_labels(domain)).listed)
			return domain;
	}
	return slice_make(NULL, 0);
}

/* DOMAIN, a head of TAIL, can be a mail's: no public suffix, and when TAIL goes on by a dot ("bank.com.patch.exe")
 * it ends in a written suffix. */
static bool
is_mail_domain(const struct public_suffixes *list, struct slice tail, struct slice domain)
{
	struct slice end = last_labels(domain);

	if (registrable_domain(list, end).len == 0)
		return false;
	return tail.len == domain.len || tail.p[domain.len] != '.' || public_suffix(list, end).listed;
}

/* S is a name by itself, as it is in a host: "1.2" would be an address. */
static bool
is_name(struct slice s)
{
	char host[HOST_MAX + 1];
	enum host_kind kind;
	size_t len;

	return host_canonical(s, host, &len, &kind) == URL_OK && kind == HOST_NAME && slice_eq(slice_make(host, len), s);
}

/* The mail address around the @ at offset AT of PATH; its domain, if HOST embeds it, to *VICTIM. */
static struct slice
mail_at(const struct public_suffixes *list, struct slice host, struct slice path, size_t at, struct slice *victim)
{
	size_t from = at, n = 0;
	struct slice tail = slice_head(slice_skip(path, at + 1), NAME_MAX_LEN), domain;

	while (from > 0 && at - from < NAME_MAX_LEN && is_mail_char(path.p[from - 1]))
		from--;
	while (n < tail.len && is_mail_char(tail.p[n]) && tail.p[n] != '_' && tail.p[n] != '+')
		n++;
	tail.len = n;
	*victim = embedded_in(host, tail);
	if (victim->len > 0 && (!is_name(*victim) || (list != NULL && !is_mail_domain(list, tail, *victim))))
		*victim = slice_make(NULL, 0);
	domain = victim->len > 0 ? slice_head(tail, victim->len) : mail_domain(list, tail);
	if (from == at || domain.len == 0)
		return slice_make(NULL, 0);
	return slice_make(path.p + from, at - from + 1 + domain.len);
}

/* Ends in a classic top-level domain or that of a country. */
static bool
is_classic(struct slice domain)
{
	struct slice label = last_label(domain);

	if (label.len == 2 || slice_starts(label, SLICE("xn--")))
		return true;
	for (size_t i = 0; i < sizeof(classic) / sizeof(classic[0]); i++)
		if (slice_eq(label, classic[i]))
			return true;
	return false;
}

/* The registrable domain that ends where PREFIX, a head of a host, ends: by a written rule, and none that is only
 * "www.it". */
static struct slice
domain_at_end(const struct public_suffixes *list, struct slice prefix)
{
	struct slice end = last_labels(prefix), domain;

	if (!is_classic(end) || !public_suffix(list, end).listed)
		return slice_make(NULL, 0);
	domain = registrable_domain(list, end);
	return slice_starts(domain, SLICE("www.")) ? slice_make(NULL, 0) : domain;
}

/* The left-most of the registrable domains that end left of HOST's own, and of these the longest ("co.uk" after
 * "co").  Only classic ones: "eu.news.example.com" and "update.microsoft.com.example.net" embed neither eu.news nor
 * update.microsoft, though .news and .microsoft are top-level domains, and a wrong victim would make a rule for all
 * of its host's owner. */
static struct slice
embedded_domain(const struct public_suffixes *list, struct slice host)
{
	struct slice own = registrable_domain(list, host), best = slice_make(NULL, 0), domain;

	if (own.len == 0 || own.len + 1 >= host.len)
		return best;
	host.len -= own.len + 1;
	for (size_t i = 1; i <= host.len; i++) {
		if (i < host.len && host.p[i] != '.')
			continue;
		domain = domain_at_end(list, slice_head(host, i));
		if (domain.len > 0 && (best.len == 0 || domain.p < best.p ||
		    (domain.p == best.p && domain.len > best.len)))
			best = domain;
	}
	return best;
}

void
alert_victim(const struct public_suffixes *list, const struct url *url, struct slice *mail, struct slice *victim)
{
	struct slice host = url->host, path = url->path_query, found, embedded;
	size_t tries = 0;

	*mail = *victim = slice_make(NULL, 0);
	if (url->kind != HOST_NAME || host.len > NAME_MAX_LEN)
		return;
	for (size_t i = 0; i < path.len && tries < MAIL_TRIES && victim->len == 0; i++) {
		if (path.p[i] != '@')
			continue;
		tries++;
		found = mail_at(list, host, path, i, &embedded);
		if (found.len > 0 && (mail->len == 0 || embedded.len > 0)) {
			*mail = found;
			*victim = embedded;
		}
	}
	if (victim->len == 0 && list != NULL)
		*victim = embedded_domain(list, host);
}
