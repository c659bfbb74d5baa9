#include "feeds/feed_part.h"

#include "base/count.h"
#include "hashdb/hashdb.h"

/* ---- one digest ---- */

static const struct slice empty_digests[DIGEST_ALGS] = {
	[DIGEST_MD5] = { "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04", 8 },
	[DIGEST_SHA1] = { "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d", 8 },
	[DIGEST_SHA256] = { "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14", 8 },
};

/* The digest of no bytes at all, which many lists have by mistake; its first 64 bits are enough to know it. */
static bool
is_empty_file(const struct digest *d)
{
	return memcmp(d->b, empty_digests[d->alg].p, empty_digests[d->alg].len) == 0;
}

/* f->match.digest is the digest that begins in column COL. */
static int
emit_digest(struct feed *f, unsigned col, uint64_t size, struct slice name)
{
	struct rule_match *m = &f->match;

	if (is_empty_file(&m->digest))
		return feed_skip(f);
	/* As rule_match_parse() leaves them. */
	m->scope = SCOPE_EXACT;
	m->host_kind = HOST_NAME;
	m->host_len = 0;
	m->size = size;
	return feed_emit(f, RULE_FILE, col, name);
}

int
feed_digest(struct feed *f, struct cell hex, uint64_t size, struct slice name)
{
	enum digest_alg alg;

	if (digest_alg_of_hex(hex.text.len, &alg) == -1 || digest_parse(alg, hex.text, &f->match.digest) == -1)
		return feed_bad(f, hex.col, "expected 32, 40 or 64 hexadecimal digits");
	return emit_digest(f, hex.col, size, name);
}

int
feed_digest_as(struct feed *f, enum digest_alg alg, struct cell hex, uint64_t size, struct slice name)
{
	if (hex.text.len != 2 * digest_len(alg))
		return feed_bad(f, hex.col, "not as many digits as %s has", digest_alg_name(alg));
	return feed_digest(f, hex, size, name);
}

/* ---- ClamAV: MD5:SIZE:NAME[:MINFL[:MAXFL]] ---- */

enum {
	CLAMAV_SIZE_END = 0xffffffff,	/* sizes are below */
	CLAMAV_ANY_LEVEL = 73,		/* the first functionality level that knows "*" */
};

/* SIZE as ClamAV has it; *WHY when it has none. */
static uint64_t
clamav_size(struct slice text, uint64_t level, const char **why)
{
	uint64_t size = 0;

	if (slice_eq(text, SLICE("*"))) {
		if (level < CLAMAV_ANY_LEVEL)
			*why = "a size of * needs a level of 73 or more behind the name";
		return HASHDB_SIZE_ANY;
	}
	if (slice_u64(text, &size) == -1 || size == 0 || size >= CLAMAV_SIZE_END)
		*why = "the size is no number from 1 to 4294967294";
	return size;
}

/* "NAME:MINFL:MAXFL": the name, and MINFL, 0 without one.  The levels are those of ClamAV's engines; they only have to be
 * numbers. */
static struct slice
clamav_name(struct slice rest, uint64_t *level, const char **why)
{
	struct slice name, least, most;
	uint64_t ignored;
	bool more;

	more = slice_cut(rest, ':', &name, &rest);
	if (name.len == 0)
		*why = "the signature has no name";
	if (!more)
		return name;
	more = slice_cut(rest, ':', &least, &most);
	if (slice_u64(least, level) == -1 || (more && slice_u64(most, &ignored) == -1))
		*why = "expected HASH:SIZE:NAME[:LEVEL[:LEVEL]]";
	return name;
}

int
feed_read_clamav(struct feed *f, struct slice line)
{
	struct slice hex, size, rest, name;
	const char *why = NULL;
	uint64_t n, level = 0;

	if (line.p[0] == '#' || (line = slice_trim(line)).len == 0)
		return 0;
	if (!slice_cut(line, ':', &hex, &rest) || !slice_cut(rest, ':', &size, &rest))
		return feed_bad(f, feed_col(f, line.p), "expected HASH:SIZE:NAME");
	name = clamav_name(rest, &level, &why);
	if (why != NULL)
		return feed_bad(f, feed_col(f, rest.p), "%s", why);
	n = clamav_size(size, level, &why);
	if (why != NULL)
		return feed_bad(f, feed_col(f, size.p), "%s", why);
	return feed_digest(f, feed_cell(f, hex), n, name);
}

/* ---- ClamAV: NAME[:MD5 of the signature's line] ---- */

int
feed_read_ign2(struct feed *f, struct slice line)
{
	struct slice name, md5;
	struct digest ignored;

	if (line.p[0] == '#' || (line = slice_trim(line)).len == 0)
		return 0;
	if (slice_cut(line, ':', &name, &md5) && digest_parse(DIGEST_MD5, md5, &ignored) == -1)
		return feed_bad(f, feed_col(f, md5.p), "expected NAME[:MD5]");
	if (name.len == 0 || slice_find(name, ' ') < name.len)
		return feed_bad(f, feed_col(f, line.p), "expected the name of a signature");
	return feed_give(f, NULL, RULE_FILE, feed_cell(f, name), md5);
}

/* ---- plain digests, md5sum(1) and the BSD form ---- */

static const struct { const char *name; enum digest_alg alg; } labels[] = {
	{ "md5", DIGEST_MD5 }, { "sha1", DIGEST_SHA1 }, { "sha-1", DIGEST_SHA1 }, { "sha256", DIGEST_SHA256 },
	{ "sha-256", DIGEST_SHA256 }, { "sha2-256", DIGEST_SHA256 },
};

/* Some of them have as many digits as an MD5 or a SHA-1, and none is a digest that we take of a file. */
static const char *const other_labels[] = { "sha224", "sha384", "sha512", "sha-224", "sha-384", "sha-512", "sha512t256",
	"sha512-224", "sha512-256", "sha512/224", "sha512/256", "sha2-224", "sha2-384", "sha2-512", "sha3-224", "sha3-256",
	"sha3-384", "sha3-512", "blake2b", "blake2s", "blake2b512", "blake2s256", "blake3", "md2", "md4", "rmd160", "ripemd160",
	"skein256", "skein512", "skein1024", "tiger", "whirlpool", "sm3", "crc32", "imphash", "pehash", "authentihash", "vhash",
	"ssdeep", "sdhash", "tlsh", "permhash", "gimphash", "telfhash" };

/* HEX, labelled as the digest of LABEL. */
static int
read_labelled(struct feed *f, struct slice label, struct slice hex, struct slice name)
{
	if (feed_is_one_of(label, other_labels, COUNT(other_labels)))
		return feed_skip(f);
	for (size_t i = 0; i < COUNT(labels); i++)
		if (slice_ieq(label, slice_str(labels[i].name)))
			return feed_digest_as(f, labels[i].alg, feed_cell(f, hex), HASHDB_SIZE_ANY, name);
	return feed_bad(f, feed_col(f, label.p), "expected a digest in hexadecimal digits");
}

/* "MD5 (name) = hex"; openssl(1) leaves blanks out.  The name may have parentheses of its own. */
static int
read_bsd(struct feed *f, struct slice line, size_t open)
{
	struct slice name = { line.p + open + 1, 0 }, hex = { line.p + line.len, 0 };

	while (hex.p > name.p && hex.p[-1] != '=')
		hex = slice_make(hex.p - 1, hex.len + 1);
	if (hex.p == name.p)
		return feed_bad(f, feed_col(f, line.p), "expected a digest in hexadecimal digits");
	name = slice_trim(slice_make(name.p, (size_t)(hex.p - name.p) - 1));
	if (name.len == 0 || name.p[name.len - 1] != ')')
		return feed_bad(f, feed_col(f, line.p), "expected ALGORITHM (NAME) = DIGEST");
	name.len--;
	return read_labelled(f, slice_trim(slice_head(line, open)), slice_trim(hex), name);
}

/* What stands behind the N digits: a name of md5sum(1), or a comment. */
static struct slice
name_behind(struct slice line, size_t n)
{
	struct slice rest = slice_skip(line, n);

	if (rest.len > 1 && rest.p[0] == ' ' && (rest.p[1] == '*' || rest.p[1] == ' '))
		return slice_skip(rest, 2);
	rest = slice_trim(slice_skip(rest, 1));
	return rest.len > 0 && rest.p[0] == '#' ? slice_trim(slice_skip(rest, 1)) : rest;
}

/* Digests that openssl(1) and others make, and that we take of no file: SHA-224, SHA-384, SHA-512. */
static bool
is_other_digest(struct slice word)
{
	if (word.len != 56 && word.len != 96 && word.len != 128)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (ascii_hex(word.p[i]) < 0)
			return false;
	return true;
}

static bool
ends_digest(char c)
{
	return c == ' ' || c == '\t' || c == ';' || c == ',' || c == '#';
}

/* The length of the first word of LINE. */
static size_t
first_word(struct slice line)
{
	size_t n = 0;

	while (n < line.len && !ends_digest(line.p[n]))
		n++;
	return n;
}

/* Read the digest that LINE begins with into *OUT: its number of digits, or 0.  Only the places are looked at where one may end. */
static size_t
digest_at_start(struct slice line, struct digest *out)
{
	for (int i = 0; i < DIGEST_ALGS; i++) {
		size_t n = 2 * digest_len((enum digest_alg)i);

		if (line.len >= n && (line.len == n || ends_digest(line.p[n])) &&
		    digest_parse((enum digest_alg)i, slice_head(line, n), out) == 0)
			return n;
	}
	return 0;
}

/* A line that begins with no digest that we take. */
static int
read_other_line(struct feed *f, struct slice line)
{
	size_t mark = 0;

	if (is_other_digest(slice_head(line, first_word(line))))
		return feed_skip(f);
	while (mark < line.len && line.p[mark] != '(' && line.p[mark] != ':')
		mark++;
	if (mark == line.len)
		return feed_bad(f, feed_col(f, line.p), "expected a digest in hexadecimal digits");
	if (line.p[mark] == '(')
		return read_bsd(f, line, mark);
	return read_labelled(f, slice_head(line, mark), slice_trim(slice_skip(line, mark + 1)), SLICE(""));
}

int
feed_read_digests(struct feed *f, struct slice line)
{
	size_t n;

	line = slice_trim(line);
	if (line.len == 0 || line.p[0] == '#')
		return 0;
	if (line.p[0] == '\\')
		line = slice_skip(line, 1);	/* md5sum(1): the name has escapes */
	if ((n = digest_at_start(line, &f->match.digest)) == 0)
		return read_other_line(f, line);
	return emit_digest(f, feed_col(f, line.p), HASHDB_SIZE_ANY, name_behind(line, n));
}
