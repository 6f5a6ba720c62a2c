/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking of gzip files (RFC 1952), whole and into memory, by zlib. */
#ifndef REFVMM_CORE_GZIP_H
#define REFVMM_CORE_GZIP_H

#include <stddef.h>
#include <stdint.h>

int gzip_detect(const void *file, size_t len);
/* How much its content is said to be, by the last 4 bytes (modulo 4 GiB); 0: it is too short to be one. */
size_t gzip_size(const void *file, size_t len);
/*
 * Unpacks the one member of the file into `out`, which must be filled exactly. NULL, or what is wrong with a file that
 * anybody may have written; "no memory" when the host has none.
 */
const char *gzip_unpack(const void *file, size_t len, void *out, size_t out_len);

#endif
