/* SPDX-License-Identifier: Apache-2.0 */
#include "core/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number(const char *s, uint64_t *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*out = strtoull(s, &stop, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10);
	*end = stop;
	return errno ? -ERANGE : 0;
}

int parse_u64(const char *s, uint64_t *out)
{
	const char *end;
	int ret = number(s, out, &end);

	return ret ? ret : *end ? -EINVAL : 0;
}

int parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	unsigned shift = 0;
	int ret = number(s, out, &end);

	if (ret)
		return ret;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return -EINVAL;
		shift = 10U * (unsigned)(unit - units + 1);
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
