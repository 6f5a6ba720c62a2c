/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a Linux Image: Documentation/arch/arm64/booting.rst, "Call the kernel image". */
#include <string.h>

#include "boot.h"
#include "core/gzip.h"

#define TEXT_OFFSET_OLD 0x80000U   /* where image_size is 0 (before Linux 3.17) */
#define OLD_BSS		0x1000000U /* such an image does not say how much memory it needs */
#define RAW_OFFSET	0x80000U   /* where code without a header goes on QEMU's board, too */
#define FLAG_BIG_ENDIAN 1U

struct header {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint8_t magic[4];
	uint32_t pe_offset;
};

static int header(const void *file, size_t len, struct header *h)
{
	if (len < sizeof(*h))
		return 0;
	memcpy(h, file, sizeof(*h));
	return !memcmp(h->magic, "ARM\x64", 4);
}

int linux_image_detect(const void *file, size_t len)
{
	struct header h;

	return header(file, len, &h);
}

const char *linux_image_parse(const void *file, size_t len, struct linux_image *out)
{
	struct header h;

	if (!header(file, len, &h))
		return "not a Linux Image";
	if (h.flags & FLAG_BIG_ENDIAN)
		return "big-endian Linux Image";
	if (!h.image_size)
		*out = (struct linux_image){TEXT_OFFSET_OLD, len + OLD_BSS};
	else
		*out = (struct linux_image){h.text_offset, h.image_size};
	if (out->text_offset & 3)
		return "Linux Image with a text_offset that is no multiple of 4";
	if (out->size < len) /* what is appended belongs to it */
		out->size = len;
	return NULL;
}

/* DDI 0487, C6.2, UDF: no instruction has an upper half of 0. */
const char *raw_image_parse(const void *file, size_t len, struct linux_image *out)
{
	static const uint8_t no_text[] = {'\t', '\n', '\f', '\r', 0x1b};
	const uint8_t *byte = file;
	size_t text = 0;
	uint32_t first;

	if (len < sizeof(first))
		return "neither an ELF file nor a Linux Image, and too short to be code";
	memcpy(&first, file, sizeof(first));
	while (text < len && text < 4096 &&
	       (byte[text] >= ' ' || memchr(no_text, byte[text], sizeof(no_text))))
		text++;
	if (gzip_detect(file, len))
		return "a gzip file in a gzip file; unpack it once";
	if (text == len || text == 4096)
		return "neither an ELF file nor a Linux Image, but text";
	if (!(first >> 16))
		return "neither an ELF file nor a Linux Image, and not code, for it begins with no "
		       "instruction";
	*out = (struct linux_image){RAW_OFFSET, len};
	return NULL;
}
