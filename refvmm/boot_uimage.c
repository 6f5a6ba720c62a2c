/* SPDX-License-Identifier: Apache-2.0 */
/* U-Boot's legacy image (U-Boot, include/image.h: all words big-endian): one kernel that says where it wants to be. */
#include <string.h>

#include "boot.h"

#define OS_LINUX    5U
#define ARCH_ARM64  22U
#define TYPE_KERNEL 2U
#define TYPE_NOLOAD 14U		/* goes anywhere, and is entered relative to that */
#define NOLOAD_AT   0x42000000U /* where QEMU's board puts one */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

const char *uimage_parse(const void *file, size_t len, struct uimage *out)
{
	const uint8_t *h = file;
	uint64_t base = 0;

	*out = (struct uimage){.size = be32(h + 12), .linux_os = h[28] == OS_LINUX};
	if (h[29] != ARCH_ARM64)
		return "uImage for another machine than AArch64 (mkimage -A arm64)";
	if (h[30] != TYPE_KERNEL && h[30] != TYPE_NOLOAD)
		return "uImage that is no kernel (mkimage -T kernel)";
	if (h[31] > 1)
		return "uImage packed with something else than gzip";
	out->packed = h[31];
	if (!out->size || out->size > len - UIMAGE_HEADER)
		return "truncated uImage";
	if (h[30] == TYPE_NOLOAD)
		base = out->load = NOLOAD_AT + UIMAGE_HEADER;
	else
		out->load = be32(h + 16);
	out->entry = base + be32(h + 20);
	if (out->entry & 3)
		return "uImage whose entry point is not aligned";
	return NULL;
}

void uimage_unpacked(uint8_t *h, uint32_t size)
{
	for (unsigned i = 0; i < 4; i++)
		h[12 + i] = (uint8_t)(size >> (24 - 8 * i));
	h[31] = 0;
}
