/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a command line. Nothing here prints: the caller knows which option it was. */
#ifndef REFVMM_CORE_PARSE_H
#define REFVMM_CORE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal or 0x…, the whole string; 0 or -EINVAL, -ERANGE. */
int parse_u64(const char *s, uint64_t *out);
/* The same with K, M, G or T behind it. */
int parse_size(const char *s, uint64_t *out);
/* "on" or "off". */
int parse_onoff(const char *s, bool *out);

/*
 * Steps through "a,b=c,…": copies the next word into key, what stands behind its '=' is *value
 * (NULL without one). Returns 1, 0 at the end, -EINVAL for an empty or too long word.
 */
int parse_word(const char **list, char *key, size_t size, const char **value);

/* "2M", "512M", "64K": the shortest exact form. */
const char *format_size(char *buf, size_t len, uint64_t size);

#endif
