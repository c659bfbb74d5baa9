#include "inspect/tar_sum.h"

#include <stdint.h>
#include <string.h>

enum { SUM_AT = 148, SUM_LEN = 8, DIGITS_SURE = 3 };

/* A number as it may be written in the field. */
struct number {
	int64_t		value;
	unsigned	digits;
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Octal digits, behind a NUL and blanks (GNU tar), a sign or "0o", with "_" between them (Python's tarfile). */
static struct number
read_octal(const char *p)
{
	struct number n = { 0 };
	size_t i = p[0] == '\0';

	while (i < SUM_LEN && is_blank(p[i]))
		i++;
	if (i < SUM_LEN && p[i] == '+')
		i++;
	if (i + 1 < SUM_LEN && p[i] == '0' && (p[i + 1] == 'o' || p[i + 1] == 'O'))
		i += 2;
	for (; i < SUM_LEN && ((p[i] >= '0' && p[i] <= '7') || p[i] == '_'); i++)
		if (p[i] != '_') {
			n.value = n.value << 3 | (p[i] - '0');
			n.digits++;
		}
	return n;
}

/* Base 256, as large sizes are written. */
static struct number
read_binary(const char *p)
{
	struct number n = { .digits = SUM_LEN };
	uint64_t v = 0;

	if (p[0] != '\x80' && p[0] != '\xff')
		return (struct number){ 0 };
	for (size_t i = 1; i < SUM_LEN; i++)
		v = v << 8 | (uint8_t)p[i];
	n.value = (int64_t)v - (p[0] == '\xff' ? INT64_C(1) << 56 : 0);
	return n;
}

/* Base 64 behind a sign: GNU tar's for a while, and it still reads it. */
static struct number
read_base64(const char *p)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct number n = { 0 };
	size_t i = p[0] == '\0';
	const char *sign, *at;

	while (i < SUM_LEN && is_blank(p[i]))
		i++;
	sign = p + i++;
	if (i >= SUM_LEN || (*sign != '+' && *sign != '-'))
		return n;
	for (; i < SUM_LEN && p[i] != '\0' && (at = strchr(digits, p[i])) != NULL; i++, n.digits++)
		n.value = n.value << 6 | (at - digits);
	if (*sign == '-')
		n.value = -n.value;
	return n;
}

/* Of its bytes, the field itself as blanks; some took them for signed: that sum is often a small one where the bytes are random. */
static int64_t
sum_of(const char *p, bool as_signed)
{
	int64_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++) {
		char c = i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : p[i];

		sum += as_signed ? (signed char)c : (uint8_t)c;
	}
	return sum;
}

bool
tar_sum_holds(const char p[static TAR_BLOCK], bool *weak)
{
	const struct number numbers[] = { read_octal(p + SUM_AT), read_binary(p + SUM_AT), read_base64(p + SUM_AT) };
	int64_t sum = 0, as_signed = 0;

	*weak = false;
	if (numbers[0].digits + numbers[1].digits + numbers[2].digits == 0)
		return false;
	sum = sum_of(p, false);
	as_signed = sum_of(p, true);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (numbers[i].digits > 0 && (numbers[i].value == sum || numbers[i].value == as_signed)) {
			*weak = numbers[i].digits < DIGITS_SURE;
			return true;
		}
	return false;
}

void
tar_sum_write(char p[static TAR_BLOCK])
{
	int64_t sum = sum_of(p, false);

	for (size_t i = SUM_LEN - 2; i-- > 0; sum >>= 3)
		p[SUM_AT + i] = (char)('0' + (sum & 7));
	p[SUM_AT + SUM_LEN - 2] = '\0';
	p[SUM_AT + SUM_LEN - 1] = ' ';
}
