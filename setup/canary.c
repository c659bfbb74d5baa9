#include "setup/canary.h"

#include <sys/random.h>

#include <errno.h>
#include <zlib.h>

#include "base/siphash.h"
#include "inspect/digester.h"

enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, RANDOM_ONCE = 256, ROUND = 64 };

int
canary_token(char out[static CANARY_TOKEN])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char bytes[CANARY_TOKEN - 1];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -1;
	for (size_t i = 0; i < sizeof(bytes); i++)
		out[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	out[sizeof(bytes)] = '\0';
	return 0;
}

/* The first bytes say that it is a kind of file that nobody knows, whatever comes. */
#define BEGINNING	"firebreak canary: harmless noise\n"

int
canary_noise(struct buf *out, size_t len)
{
	char piece[RANDOM_ONCE];

	if (buf_add_str(out, BEGINNING) == -1)
		return errno = ENOMEM, -1;
	while (out->len < len) {
		size_t n = len - out->len < sizeof(piece) ? len - out->len : sizeof(piece);

		if (getrandom(piece, n, 0) != (ssize_t)n)
			return -1;
		if (buf_add(out, piece, n) == -1)
			return errno = ENOMEM, -1;
	}
	return 0;
}

int
canary_noise_of(struct buf *out, size_t len, uint8_t seed)
{
	const uint8_t key[SIPHASH_KEY] = { seed };
	char piece[sizeof(uint64_t)];

	buf_add_str(out, BEGINNING);
	for (uint64_t i = 0; out->len < len && !out->failed; i++) {
		size_t n = len - out->len < sizeof(piece) ? len - out->len : sizeof(piece);
		uint64_t word;

		for (size_t k = 0; k < sizeof(piece); k++)
			piece[k] = (char)(i >> (8 * k) & 0xff);
		word = siphash(key, slice_make(piece, sizeof(piece)));
		for (size_t k = 0; k < sizeof(piece); k++)
			piece[k] = (char)(word >> (8 * k) & 0xff);
		buf_add(out, piece, n);
	}
	return out->failed ? -1 : 0;
}

int
canary_digest(struct slice bytes, enum digest_alg alg, struct buf *out)
{
	char hex[DIGEST_MAX_HEX + 1];
	struct digest all[DIGEST_ALGS];

	if (digests_of(bytes, DIGEST_BIT(alg), all) != 1)
		return errno = ENOTSUP, -1;
	digest_format(&all[0], hex);
	return buf_addf(out, "%zu:%s:%s", bytes.len, digest_alg_name(alg), hex);
}

int
canary_gzip(struct slice bytes, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)bytes.p, .avail_in = (uInt)bytes.len };
	int r;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	if (buf_reserve(out, deflateBound(&z, bytes.len) + ROUND) == -1) {
		deflateEnd(&z);
		return -1;
	}
	z.next_out = (Bytef *)out->p + out->len;
	z.avail_out = (uInt)(out->cap - out->len - 1);
	r = deflate(&z, Z_FINISH);
	out->len += z.total_out;
	deflateEnd(&z);
	return r == Z_STREAM_END ? 0 : -1;
}

/* VALUE in N bytes, the lowest first (APPNOTE.TXT 4.4). */
static void
add_le(struct buf *out, uint64_t value, int n)
{
	for (; n > 0; n--, value >>= 8)
		buf_add_char(out, (char)(value & 0xff));
}

/* What a local header and a central one have in common: version, flags, method 0 (stored), time, date, sum, sizes, length of the
 * name. */
static void
add_common(struct buf *out, struct slice bytes, struct slice name)
{
	enum { VERSION = 20, DATE_1980 = 0x21 };

	add_le(out, VERSION, 2);
	add_le(out, 0, 2);
	add_le(out, 0, 2);
	add_le(out, 0, 2);
	add_le(out, DATE_1980, 2);
	add_le(out, crc32(0, (const Bytef *)bytes.p, (uInt)bytes.len), 4);
	add_le(out, bytes.len, 4);
	add_le(out, bytes.len, 4);
	add_le(out, name.len, 2);
	add_le(out, 0, 2);	/* no extra field */
}

int
canary_zip(struct slice bytes, struct buf *out)
{
	const struct slice name = SLICE("canary.bin");
	size_t begin = out->len, central;

	buf_add(out, "PK\3\4", 4);
	add_common(out, bytes, name);
	buf_add_slice(out, name);
	buf_add_slice(out, bytes);
	central = out->len - begin;
	buf_add(out, "PK\1\2", 4);
	add_le(out, 20, 2);		/* made by version 2.0 */
	add_common(out, bytes, name);
	add_le(out, 0, 2 + 2 + 2);	/* comment, disk, internal attributes */
	add_le(out, 0, 4 + 4);		/* external attributes, offset of the local header */
	buf_add_slice(out, name);
	buf_add(out, "PK\5\6", 4);
	add_le(out, 0, 2 + 2);
	add_le(out, 1, 2);
	add_le(out, 1, 2);
	add_le(out, out->len - begin - central - 12, 4);
	add_le(out, central, 4);
	add_le(out, 0, 2);
	return out->failed ? -1 : 0;
}
