/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler calls memset, memcpy, memmove and memcmp by itself; the rest the library needs. */
#include "types.h"

void *memset(void *d, int c, size_t n)
{
	uint8_t *p = d;

	while (n > 0 && ((uintptr_t)p & 7) != 0) {
		*p++ = (uint8_t)c;
		n--;
	}
	for (uint64_t v = 0x0101010101010101ULL * (uint8_t)c; n >= 8; n -= 8, p += 8)
		*(uint64_t *)(void *)p = v;
	while (n-- > 0)
		*p++ = (uint8_t)c;
	return d;
}

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
	return memmove(d, s, n);
}

void *memmove(void *d, const void *s, size_t n)
{
	uint8_t *p = d;
	const uint8_t *q = s;

	if ((uintptr_t)p <= (uintptr_t)q) {
		bool words = (((uintptr_t)p | (uintptr_t)q) & 7) == 0;

		for (; words && n >= 8; n -= 8, p += 8, q += 8)
			*(uint64_t *)(void *)p = *(const uint64_t *)(const void *)q;
		while (n-- > 0)
			*p++ = *q++;
	} else {
		while (n-- > 0)
			p[n] = q[n];
	}
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (; n > 0; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

uint64_t parse_u64(const char *s)
{
	uint64_t v = 0;
	int base = 10;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	for (; digit(*s) < base; s++)
		v = v * (uint64_t)base + (uint64_t)digit(*s);
	return v;
}
