/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: the parsers of files that anybody may have written.
 * The first byte chooses: the rest is the file itself, or a list of changes to a
 * good one, so that the checks behind the magic numbers are reached too.
 */
#include <stdlib.h>

#include "boot.h"
#include "tests/boot_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_elf(const uint8_t *file, size_t len)
{
	struct elf_image elf;

	if (!elf_detect(file, len) || elf_parse(file, len, &elf))
		return;
	for (unsigned i = 0; i < elf.nr; i++) { /* what the loader then trusts */
		const struct elf_segment *s = &elf.segment[i];

		if (s->file_size > s->mem_size || s->offset > len ||
		    s->file_size > len - s->offset || s->gpa + s->mem_size < s->gpa)
			abort();
	}
}

static void check_image(const uint8_t *file, size_t len)
{
	struct linux_image image;

	if (linux_image_detect(file, len) && !linux_image_parse(file, len, &image) &&
	    (image.size < len || image.text_offset % 4))
		abort();
}

static void check_uimage(const uint8_t *file, size_t len)
{
	struct uimage u;

	if (uimage_detect(file, len) && !uimage_parse(file, len, &u) &&
	    u.size > len - UIMAGE_HEADER)
		abort();
}

/* Each change: an offset, and 8 bytes to put there. */
static void change(uint8_t *file, size_t size, const uint8_t *data, size_t len)
{
	for (; len >= 9; data += 9, len -= 9) {
		size_t at = data[0] % size;

		memcpy(file + at, data + 1, size - at < 8 ? size - at : 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sample_elf elf = sample_elf();
	struct sample_image image = sample_image();

	if (!len)
		return 0;
	switch (data[0] % 3) {
	case 0:
		check_elf(data + 1, len - 1);
		check_image(data + 1, len - 1);
		check_uimage(data + 1, len - 1);
		break;
	case 1:
		change((uint8_t *)&elf, sizeof(elf.h) + sizeof(elf.p), data + 1, len - 1);
		check_elf((const uint8_t *)&elf, sizeof(elf));
		break;
	default:
		change((uint8_t *)&image, 64, data + 1, len - 1);
		check_image((const uint8_t *)&image, sizeof(image));
		break;
	}
	return 0;
}
