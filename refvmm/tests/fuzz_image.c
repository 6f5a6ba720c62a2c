/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: whatever is handed over as kernel or firmware, at its beginning and its end. The first byte chooses
 * one of the formats that are told apart, whose mark is put in place.
 */
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "refuse.h"

static const struct {
	uint16_t at;
	uint8_t len;
	char mark[9];
} marks[] = {
	{0, 0, ""},
	{0, 4,
	 "\x7f"
	 "ELF"},
	{0x38, 4, "ARM\x64"},
	{0x24, 4, "\x18\x28\x6f\x01"},
	{0x202, 4, "HdrS"},
	{0, 2, "\x1f\x8b"},
	{0, 8, "MZ\0\0zimg"},
	{0x28, 4, "_FVH"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct elf_image elf;
	struct linux_image image;
	const struct refusal *r;
	uint8_t *file, which;
	size_t head, tail;

	if (!len)
		return 0;
	which = data[0] % (sizeof(marks) / sizeof(marks[0]));
	head = len > 1 ? data[1] * 8 : 0;
	len--;
	file = malloc(len ? len : 1);
	if (!file)
		abort();
	memcpy(file, data + 1, len);
	if (len >= marks[which].at + (size_t)marks[which].len)
		memcpy(file + marks[which].at, marks[which].mark, marks[which].len);
	head = head < len ? head : len;
	tail = len - head < 1024 ? len - head : 1024;
	r = refuse_image(file, head, file + len - tail, tail);
	if (r && (r->kind != REFUSE_IMAGE || (head < 2 && tail < 16)))
		abort();
	if (elf_detect(file, len))
		elf_parse(file, len, &elf);
	if (linux_image_detect(file, len))
		linux_image_parse(file, len, &image);
	free(file);
	return 0;
}
