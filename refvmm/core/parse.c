/* SPDX-License-Identifier: Apache-2.0 */
#include "core/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* isdigit() and strtoull() read tables of the locale, memory that a start does not touch otherwise (docs/bench.md). */
static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

static int number(const char *s, uint64_t *out, const char **end)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16;
	unsigned base = hex ? 16 : 10;
	bool too_large = false;

	if (digit(*s) >= 10)
		return -EINVAL;
	*out = 0;
	for (s += hex ? 2 : 0; digit(*s) < base; s++) {
		too_large |= __builtin_mul_overflow(*out, base, out);
		too_large |= __builtin_add_overflow(*out, digit(*s), out);
	}
	*end = s;
	return too_large ? -ERANGE : 0;
}

int parse_u64(const char *s, uint64_t *out)
{
	const char *end;
	int ret = number(s, out, &end);

	return ret ? ret : *end ? -EINVAL : 0;
}

int parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGTkmgt";
	const char *end, *unit;
	unsigned shift = 0;
	int ret = number(s, out, &end);

	if (ret)
		return ret;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return -EINVAL;
		shift = 10U * (unsigned)((unit - units) % 4 + 1);
	}
	if (*out > UINT64_MAX >> shift)
		return -ERANGE;
	*out <<= shift;
	return 0;
}

int parse_onoff(const char *s, bool *out)
{
	if (!s || (strcmp(s, "on") != 0 && strcmp(s, "off") != 0))
		return -EINVAL;
	*out = s[1] == 'n';
	return 0;
}

int parse_word(const char **list, char *key, size_t size, const char **value)
{
	size_t len;

	if (!**list)
		return 0;
	len = strcspn(*list, ",");
	if (!len || len >= size)
		return -EINVAL;
	memcpy(key, *list, len);
	key[len] = '\0';
	*list += len;
	if (**list && !*++*list)
		return -EINVAL; /* a comma at the end */
	*value = strchr(key, '=');
	if (*value) {
		key[*value - key] = '\0';
		(*value)++;
	}
	return 1;
}

const char *format_size(char *buf, size_t len, uint64_t size)
{
	static const char units[] = "BKMGT";
	unsigned u = 0;

	while (size && !(size & 1023U) && u < 4) {
		size >>= 10;
		u++;
	}
	if (u)
		snprintf(buf, len, "%" PRIu64 "%c", size, units[u]);
	else
		snprintf(buf, len, "%" PRIu64, size);
	return buf;
}
