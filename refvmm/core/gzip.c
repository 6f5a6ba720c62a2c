/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST /* what is read is const */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "core/gzip.h"

/* zlib.h, inflateInit2(): a gzip header and trailer, the largest window */
#define GZIP_ONLY (16 + MAX_WBITS)
/* RFC 1952: header, an empty block and the trailer have as many bytes */
#define WHOLE_MIN 18U

static size_t le32(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

int gzip_detect(const void *file, size_t len)
{
	return len >= 2 && !memcmp(file, "\x1f\x8b", 2);
}

size_t gzip_size(const void *file, size_t len)
{
	return len < WHOLE_MIN ? 0 : le32((const uint8_t *)file + len - 4);
}

const char *gzip_unpack(const void *file, size_t len, void *out, size_t out_len)
{
	z_stream s = {.next_in = file, .next_out = out};
	int ret;

	if (len > UINT_MAX || out_len > UINT_MAX)
		return "a gzip file of more than 4 GiB";
	s.avail_in = (uInt)len;
	s.avail_out = (uInt)out_len;
	if (inflateInit2(&s, GZIP_ONLY) != Z_OK)
		return "no memory";
	ret = inflate(&s, Z_FINISH);
	(void)inflateEnd(&s);
	if (ret == Z_MEM_ERROR)
		return "no memory";
	if (ret != Z_STREAM_END || s.avail_in || s.avail_out)
		return "damaged gzip file";
	return NULL;
}
