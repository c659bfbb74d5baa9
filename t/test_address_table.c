/* Networks as text, and the table of address rules: against a plain search through all rules, and in files that were
 * damaged. */
#include <errno.h>

#include "base/file.h"
#include "t/tap.h"
#include "url_rules/address_format.h"
#include "url_rules/address_table.h"

enum { MATCHES_MAX = 600 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char *folder;

/* ---- networks ---- */

static const struct { const char *idea, *text; enum network_error error; const char *canonical; } networks[] = {
	{ "an IPv4 network", "192.0.2.0/24", NETWORK_OK, "192.0.2.0/24" },
	{ "an IPv4 address", "192.0.2.7", NETWORK_OK, "192.0.2.7" },
	{ "the same with its length", "192.0.2.7/32", NETWORK_OK, "192.0.2.7" },
	{ "all of IPv4", "0.0.0.0/0", NETWORK_OK, "0.0.0.0/0" },
	{ "a prefix within a byte", "192.0.2.96/27", NETWORK_OK, "192.0.2.96/27" },
	{ "an IPv6 network", "2001:db8::/32", NETWORK_OK, "2001:db8::/32" },
	{ "in capitals and zeros", "2001:0DB8:0:0:0::/32", NETWORK_OK, "2001:db8::/32" },
	{ "an IPv6 address", "2001:db8::7", NETWORK_OK, "2001:db8::7" },
	{ "in brackets", "[2001:db8::7]", NETWORK_OK, "2001:db8::7" },
	{ "a network with brackets", "[2001:db8::]/32", NETWORK_OK, "2001:db8::/32" },
	{ "all of IPv6", "::/0", NETWORK_OK, "::/0" },
	{ "an odd length", "2001:db8:8000::/33", NETWORK_OK, "2001:db8:8000::/33" },
	{ "IPv4, mapped", "::ffff:192.0.2.0/120", NETWORK_OK, "192.0.2.0/24" },
	{ "an address, mapped", "[::ffff:c000:207]", NETWORK_OK, "192.0.2.7" },
	{ "all of IPv4, mapped", "::ffff:0:0/96", NETWORK_OK, "0.0.0.0/0" },
	{ "IPv4, translated", "64:ff9b::192.0.2.0/120", NETWORK_OK, "192.0.2.0/24" },
	{ "what holds the translated, and more", "64:ff9b::/64", NETWORK_OK, "64:ff9b::/64" },
	{ "what holds the mapped, and more", "::ff80:0:0/89", NETWORK_OK, "::ff80:0:0/89" },
	{ "host bits", "192.0.2.7/24", NETWORK_HOST_BITS, "192.0.2.0/24" },
	{ "one host bit", "192.0.2.1/31", NETWORK_HOST_BITS, "192.0.2.0/31" },
	{ "host bits of IPv6", "2001:db8::7/32", NETWORK_HOST_BITS, "2001:db8::/32" },
	{ "host bits, mapped", "::ffff:192.0.2.7/120", NETWORK_HOST_BITS, "192.0.2.0/24" },
	{ "host bits of everything", "192.0.2.7/0", NETWORK_HOST_BITS, "0.0.0.0/0" },
	{ "a length too high", "192.0.2.0/33", NETWORK_BAD_LENGTH, NULL },
	{ "a length too high, IPv6", "2001:db8::/129", NETWORK_BAD_LENGTH, NULL },
	{ "a length without end", "192.0.2.0/99999999999999999999", NETWORK_BAD_LENGTH, NULL },
	{ "no length", "192.0.2.0/", NETWORK_BAD_LENGTH, NULL },
	{ "a mask", "192.0.2.0/255.255.255.0", NETWORK_BAD_LENGTH, NULL },
	{ "a length with a zero", "192.0.2.0/024", NETWORK_BAD_LENGTH, NULL },
	{ "a signed length", "192.0.2.0/+24", NETWORK_BAD_LENGTH, NULL },
	{ "two lengths", "192.0.2.0/24/24", NETWORK_BAD_LENGTH, NULL },
	{ "nothing", "", NETWORK_BAD_ADDRESS, NULL },
	{ "only a length", "/24", NETWORK_BAD_ADDRESS, NULL },
	{ "three bytes", "192.0.2/24", NETWORK_BAD_ADDRESS, NULL },
	{ "one number", "3221225991", NETWORK_BAD_ADDRESS, NULL },
	{ "octal", "0300.0.2.0/24", NETWORK_BAD_ADDRESS, NULL },
	{ "a byte too high", "192.0.2.256", NETWORK_BAD_ADDRESS, NULL },
	{ "a name", "example.com", NETWORK_BAD_ADDRESS, NULL },
	{ "a zone", "fe80::1%eth0", NETWORK_BAD_ADDRESS, NULL },
	{ "half a bracket", "[2001:db8::7", NETWORK_BAD_ADDRESS, NULL },
	{ "blanks", " 192.0.2.7", NETWORK_BAD_ADDRESS, NULL },
	{ "a port", "192.0.2.7:80", NETWORK_BAD_ADDRESS, NULL },
	{ "too long", "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0007", NETWORK_BAD_ADDRESS, NULL },
};

static void
test_networks(void)
{
	for (size_t i = 0; i < COUNT(networks); i++) {
		char text[NETWORK_TEXT] = "";
		struct network n, again;
		enum network_error e = network_parse(guard_copy(slice_str(networks[i].text)), &n);

		ok(e == networks[i].error, "%s: %s", networks[i].idea, e == NETWORK_OK ? "taken" : "refused");
		if (networks[i].canonical == NULL || e != networks[i].error)
			continue;
		network_format(&n, text);
		is_str(text, networks[i].canonical, networks[i].idea);
		ok(network_parse(slice_str(text), &again) == NETWORK_OK && network_cmp(&n, &again) == 0, "%s: reads back",
		    networks[i].idea);
	}
}

static struct network
network(const char *text)
{
	struct network n;

	if (network_parse(slice_str(text), &n) != NETWORK_OK)
		abort();
	return n;
}

static const struct { const char *outer, *inner; bool contains; } containing[] = {
	{ "192.0.2.0/24", "192.0.2.7", true }, { "192.0.2.0/24", "192.0.2.0/24", true },
	{ "192.0.2.0/24", "192.0.2.128/25", true }, { "192.0.2.0/24", "192.0.0.0/16", false },
	{ "192.0.2.0/24", "192.0.3.7", false }, { "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "2001:db8::7", false }, { "::/0", "192.0.2.7", false }, { "::/0", "2001:db8::7", true },
	{ "2001:db8:8000::/33", "2001:db8::7", false }, { "2001:db8:8000::/33", "2001:db8:ffff::7", true },
};

static void
test_containing(void)
{
	for (size_t i = 0; i < COUNT(containing); i++) {
		struct network outer = network(containing[i].outer), inner = network(containing[i].inner);

		ok(network_contains(&outer, &inner) == containing[i].contains, "%s %s %s", containing[i].outer,
		    containing[i].contains ? "contains" : "does not contain", containing[i].inner);
	}
}

/* ---- tables ---- */

struct rule {
	const char	*network;
	uint32_t	 ref;
};

static const struct rule rules[] = {
	{ "192.0.2.0/24", 1 }, { "192.0.2.7", 2 }, { "192.0.0.0/16", 3 }, { "0.0.0.0/0", 4 }, { "192.0.2.7", 5 },
	{ "192.0.2.0/25", 6 }, { "198.51.100.0/24", 7 }, { "2001:db8::/32", 10 }, { "2001:db8::7", 11 }, { "::/0", 12 },
	{ "2001:db8::/33", 13 }, { "::ffff:203.0.113.0/120", 14 }, { "192.0.2.7", 2 }, { "192.0.2.0/24", 1 },
};
enum { RULES = COUNT(rules), REPEATED = 2 };

static const struct row { const char *idea, *host; enum host_kind kind; const char *refs; } rows[] = {
	{ "an address, longest first", "192.0.2.7", HOST_IPV4, "2 5 6 1 3 4" },
	{ "its neighbour", "192.0.2.8", HOST_IPV4, "6 1 3 4" },
	{ "the other half", "192.0.2.200", HOST_IPV4, "1 3 4" },
	{ "the first address", "192.0.2.0", HOST_IPV4, "6 1 3 4" },
	{ "the last address", "192.0.2.255", HOST_IPV4, "1 3 4" },
	{ "behind it", "192.0.3.0", HOST_IPV4, "3 4" },
	{ "before all", "0.0.0.0", HOST_IPV4, "4" },
	{ "behind all", "255.255.255.255", HOST_IPV4, "4" },
	{ "written inside IPv6", "203.0.113.9", HOST_IPV4, "14 4" },
	{ "an IPv6 address", "[2001:db8::7]", HOST_IPV6, "11 13 10 12" },
	{ "its neighbour", "[2001:db8::8]", HOST_IPV6, "13 10 12" },
	{ "the other half of that network", "[2001:db8:8000::]", HOST_IPV6, "10 12" },
	{ "another network", "[2001:db9::]", HOST_IPV6, "12" },
	{ "a name", "192.0.2.7.example", HOST_NAME, "" },
	{ "a name that looks like one", "192.0.2.7", HOST_NAME, "" },
};

static char *
new_path(void)
{
	static unsigned n;
	char *path = NULL;

	if (asprintf(&path, "%s/%u.seg", folder, n++) == -1)
		abort();
	return path;
}

/* The bytes of the segment that B writes; the caller frees them. */
static struct slice
image_of(struct address_builder *b)
{
	uint8_t sum[SEGMENT_SHA256];
	char *path = new_path();
	struct buf image;
	uint64_t len;

	buf_init(&image, SIZE_MAX / 2);
	if (b == NULL || address_builder_write(b, path, &len, sum, NULL) == -1 || file_read(path, &image) == -1 || image.len != len)
		abort();
	unlink(path);
	free(path);
	address_builder_free(b);
	return buf_slice(&image);
}

static struct slice
rules_image(bool backwards)
{
	struct address_builder *b = address_builder_new();

	for (size_t i = 0; i < RULES; i++) {
		const struct rule *rule = &rules[backwards ? RULES - 1 - i : i];
		struct network n = network(rule->network);

		if (address_builder_add(b, &n, rule->ref) == -1)
			abort();
	}
	return image_of(b);
}

/* A table over IMAGE; NULL when it is refused. */
static struct address_table *
table_of(struct slice image, struct segment **segment)
{
	struct address_table *t;

	*segment = segment_open_bytes("test", image.p, image.len, SEGMENT_ADDRESSES, NULL);
	t = *segment == NULL ? NULL : address_table_open(*segment, NULL);
	if (t == NULL) {
		segment_close(*segment);
		*segment = NULL;
	}
	return t;
}

static void
close_table(struct address_table *t, struct segment *segment)
{
	address_table_close(t);
	segment_close(segment);
}

static size_t
ask(const struct address_table *t, const char *host, enum host_kind kind, struct address_match *out, bool *damaged)
{
	struct url url = { .host = slice_str(host), .kind = kind };

	return address_table_match(t, &url, out, MATCHES_MAX, damaged);
}

static bool
is_rule(const struct address_match *m)
{
	for (size_t i = 0; i < RULES; i++) {
		struct network n = network(rules[i].network);

		if (rules[i].ref == m->ref)
			return network_cmp(&n, &m->network) == 0;
	}
	return false;
}

static void
test_rows(const struct address_table *t)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address_match m[MATCHES_MAX];
		bool damaged = false, right = true;
		struct buf refs;
		size_t n;

		buf_init(&refs, 4096);
		buf_add_str(&refs, "");
		n = ask(t, rows[i].host, rows[i].kind, m, &damaged);
		for (size_t j = 0; j < n; j++) {
			buf_addf(&refs, "%s%u", j > 0 ? " " : "", m[j].ref);
			right = right && is_rule(&m[j]);
		}
		is_slice(buf_slice(&refs), slice_str(rows[i].refs), rows[i].idea);
		ok(!damaged && right, "%s: the network of each is told", rows[i].idea);
		buf_fini(&refs);
	}
}

static void
test_bounds(const struct address_table *t)
{
	struct url url = { .host = SLICE("192.0.2.7"), .kind = HOST_IPV4 };
	struct address_match m[3] = { { .ref = 0 }, { .ref = 0 }, { .ref = 99 } };
	bool damaged = false;

	ok(address_table_match(t, &url, m, 2, &damaged) == 6 && m[1].ref == 5 && m[2].ref == 99, "counts past what is stored");
	ok(address_table_match(t, &url, NULL, 0, &damaged) == 6, "asked only how many");
}

static void
test_iterating(const struct address_table *t)
{
	struct address_match last, m;
	bool ordered = true, known = true;
	size_t n = address_table_rules(t);

	is_int((long long)n, RULES - REPEATED, "rules stored");
	for (size_t i = 0; i < n; i++) {
		known = known && address_table_at(t, i, &m) == 0 && is_rule(&m);
		ordered = ordered && (i == 0 || network_cmp(&last.network, &m.network) < 0 ||
		    (network_cmp(&last.network, &m.network) == 0 && last.ref < m.ref));
		last = m;
	}
	ok(known && ordered, "all of them, in order");
	ok(address_table_at(t, n, &m) == -1, "and no more");
}

/* ---- the compiler ---- */

static void
test_compiler(struct slice image)
{
	struct address_builder *b = address_builder_new();
	struct network n = network("192.0.2.0/24"), wrong = n;
	struct slice other = rules_image(true);
	uint8_t sum[SEGMENT_SHA256];
	struct diag diag = { 0 };
	char *path = new_path();
	uint64_t len;

	ok(slice_eq(image, other), "the file does not depend on the order of adding");
	free((char *)(uintptr_t)other.p);
	wrong.address[3] = 1;
	ok(address_builder_add(b, &wrong, 1) == -1 && errno == EINVAL, "bits beyond the prefix");
	wrong = (struct network){ .kind = HOST_NAME };
	ok(address_builder_add(b, &wrong, 1) == -1 && errno == EINVAL, "no address");
	wrong = (struct network){ .kind = HOST_IPV4, .bits = 33 };
	ok(address_builder_add(b, &wrong, 1) == -1 && errno == EINVAL, "a prefix too long");
	for (uint32_t i = 0; i < ADDRESS_RULES_PER_KEY; i++)
		address_builder_add(b, &n, i);
	ok(address_builder_write(b, path, &len, sum, &diag) == 0, "as many rules of one network as there may be");
	address_builder_add(b, &n, ADDRESS_RULES_PER_KEY);
	ok(address_builder_write(b, path, &len, sum, &diag) == 0 && diag.n_errors == 0 && diag.n_warnings == 1 &&
	    strstr(diag.v[0].text, "192.0.2.0/24") != NULL, "one more, and a warning names it");
	diag_fini(&diag);
	address_builder_free(b);
	b = address_builder_new();
	ok(address_builder_write(b, "/nonexistent/x.seg", &len, sum, &diag) == -1 && diag.n_errors == 1, "a folder that is not there");
	diag_fini(&diag);
	address_builder_free(b);
	address_builder_free(NULL);
	address_table_close(NULL);
	unlink(path);
	free(path);
}

static void
test_empty(void)
{
	struct slice image = image_of(address_builder_new());
	struct address_match m[MATCHES_MAX];
	struct segment *segment;
	struct address_table *t = table_of(image, &segment);
	bool damaged = false;

	ok(t != NULL && ask(t, "192.0.2.7", HOST_IPV4, m, &damaged) == 0 && !damaged && address_table_rules(t) == 0 &&
	    address_table_at(t, 0, m) == -1, "a table without a rule");
	close_table(t, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- against a plain search through all rules ---- */

enum { RANDOM_RULES = 4000, RANDOM_QUESTIONS = 4000 };

static uint64_t
next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* An address of few bits, so that many lie in the same networks. */
static struct network
random_network(uint64_t *state, bool whole)
{
	struct network n = { .kind = next_number(state) % 2 == 0 ? HOST_IPV4 : HOST_IPV6 };
	unsigned width = n.kind == HOST_IPV4 ? NETWORK_BITS4 : NETWORK_BITS6;

	n.bits = (uint8_t)width;
	for (unsigned i = 0; i < width / 8; i++)
		n.address[i] = (uint8_t)(next_number(state) % 4 * 0x55);
	if (n.kind == HOST_IPV6)
		n.address[0] = 0x20;
	return whole ? n : network_prefix(&n, (unsigned)(next_number(state) % (width + 1)));
}

static bool
answer_holds(const struct address_table *t, const struct network *all, const struct network *asked)
{
	static struct address_match m[RANDOM_RULES];
	static bool expected[RANDOM_RULES];
	char host[NETWORK_TEXT + 2] = "[";
	struct url url = { .kind = asked->kind };
	size_t n, n_expected = 0;
	bool damaged = false;

	network_format(asked, host + 1);
	url.host = slice_str(host + 1);
	if (asked->kind == HOST_IPV6) {
		host[url.host.len + 1] = ']';
		url.host = slice_make(host, url.host.len + 2);
	}
	n = address_table_match(t, &url, m, RANDOM_RULES, &damaged);
	for (size_t i = 0; i < RANDOM_RULES; i++) {
		expected[i] = network_contains(&all[i], asked);
		n_expected += expected[i];
	}
	if (n != n_expected || damaged)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!expected[m[i].ref] || (i > 0 && m[i - 1].network.bits < m[i].network.bits) ||
		    network_cmp(&m[i].network, &all[m[i].ref]) != 0)
			return false;
		expected[m[i].ref] = false;	/* each once */
	}
	return true;
}

static void
test_random(void)
{
	static struct network all[RANDOM_RULES];
	struct address_builder *b = address_builder_new();
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	size_t wrong = 0, crowd = 0;
	struct segment *segment;
	struct address_table *t;
	struct slice image;

	for (uint32_t i = 0; i < RANDOM_RULES; i++) {
		do
			all[i] = random_network(&state, false);
		while (all[i].bits < 8 && ++crowd > 100);	/* not more than the few networks so short may have */
		if (address_builder_add(b, &all[i], i) == -1)
			abort();
	}
	image = image_of(b);
	t = table_of(image, &segment);
	for (size_t i = 0; i < RANDOM_QUESTIONS; i++) {
		struct network asked = random_network(&state, true);

		wrong += !answer_holds(t, all, &asked);
	}
	ok(wrong == 0, "%d questions to %d rules: %zu answers differ from a plain search", RANDOM_QUESTIONS, RANDOM_RULES, wrong);
	close_table(t, segment);
	free((char *)(uintptr_t)image.p);
}

/* ---- damage ---- */

/* Ask every row; false when an answer is not one of the rules.  *FOUND counts rules, *NOTICED damage. */
static bool
only_rules(const struct address_table *t, size_t *found, size_t *noticed)
{
	struct address_match m[MATCHES_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool damaged = false;
		size_t n = ask(t, rows[i].host, rows[i].kind, m, &damaged);

		if (n > MATCHES_MAX)
			return false;
		for (size_t j = 0; j < n; j++)
			if (!is_rule(&m[j]))
				return false;
		*found += n;
		*noticed += damaged;
	}
	for (size_t i = 0; i < address_table_rules(t); i++)
		if (address_table_at(t, i, m) == 0 && !is_rule(m))
			return false;
	return true;
}

static void
test_bits(struct slice image)
{
	size_t whole = 0, none = 0, invented = 0, refused = 0, lost = 0, noticed = 0;
	char *p = (char *)(uintptr_t)image.p;
	struct segment *segment;
	struct address_table *t = table_of(image, &segment);

	ok(only_rules(t, &whole, &none) && none == 0 && whole > 30, "the undamaged file knows its rules");
	close_table(t, segment);
	for (size_t bit = 0; bit < 8 * image.len; bit++) {
		size_t found = 0;

		p[bit / 8] ^= (char)(1 << bit % 8);
		if ((t = table_of(image, &segment)) == NULL)
			refused++;
		else if (!only_rules(t, &found, &noticed) || found > whole)
			invented++;
		else
			lost += found < whole;
		close_table(t, segment);
		p[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(invented == 0, "no flipped bit makes a rule: %zu do", invented);
	ok(refused > 0 && lost > 0 && noticed > 0, "some are refused, lose a rule, or are noticed: %zu, %zu, %zu", refused, lost,
	    noticed);
}

static void
test_words(struct slice image)
{
	char *p = (char *)(uintptr_t)image.p;
	size_t whole = 0, none = 0, invented = 0;
	struct segment *segment;
	struct address_table *t;

	for (size_t at = 0; at + 4 <= image.len; at += 4) {
		char saved[4];

		memcpy(saved, p + at, sizeof(saved));
		memset(p + at, 0xff, sizeof(saved));
		if ((t = table_of(image, &segment)) != NULL)
			invented += !only_rules(t, &whole, &none);
		close_table(t, segment);
		memcpy(p + at, saved, sizeof(saved));
	}
	ok(invented == 0, "no word of ones makes a rule: %zu do", invented);
}

int
main(void)
{
	struct segment *segment;
	struct address_table *t;
	struct slice image;

	folder = temp_dir();
	test_networks();
	test_containing();
	image = rules_image(false);
	t = table_of(image, &segment);
	test_rows(t);
	test_bounds(t);
	test_iterating(t);
	close_table(t, segment);
	test_compiler(image);
	test_empty();
	test_random();
	test_bits(image);
	test_words(image);
	free((char *)(uintptr_t)image.p);
	free(folder);
	return tap_done();
}
