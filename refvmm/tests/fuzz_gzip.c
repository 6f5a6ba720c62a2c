/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: gzip files, unpacked into as many bytes as the file says, or as the first byte does. The first byte also
 * puts a good header in place, so that the blocks behind it are reached.
 */
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "core/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t header[10] = {0x1f, 0x8b, 8};
	const void *in;
	uint8_t *file, *out, how;
	size_t size, in_len;

	if (!len)
		return 0;
	how = data[0];
	len--;
	file = malloc(len ? len : 1);
	if (!file)
		abort();
	memcpy(file, data + 1, len);
	if (how & 0x80 && len >= sizeof(header))
		memcpy(file, header, sizeof(header));
	size = how & 0x40 ? (size_t)(how & 0x3f) * 64 : gzip_size(file, len);
	if (size < 1U << 20) {
		out = malloc(size ? size : 1);
		if (!out)
			abort();
		(void)gzip_unpack(file, len, out, size);
		free(out);
	}
	if (zboot_detect(file, len) && !zboot_parse(file, len, &in, &in_len) &&
	    ((const uint8_t *)in < file || (const uint8_t *)in + in_len > file + len))
		abort();
	free(file);
	return 0;
}
