/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling images that refvmm refuses from those it boots. Only what is certain is named; anything
 * else is left to the boot code, which knows what it accepts.
 */
#include "refuse.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

static bool has(const void *buf, size_t len, size_t at, const void *want, size_t n)
{
	return at <= len && n <= len - at && memcmp((const uint8_t *)buf + at, want, n) == 0;
}

static const char *elf_kind(const uint8_t *head, size_t len)
{
	uint16_t machine;

	if (len < 20)
		return NULL;
	if (head[EI_DATA] == ELFDATA2MSB)
		return "big-endian-elf";
	machine = (uint16_t)(head[18] | head[19] << 8);
	if (machine == EM_ARM)
		return "aarch32-elf";
	if (machine == EM_386 || machine == EM_X86_64)
		return "x86-elf";
	return NULL;
}

/*
 * An x86 firmware volume ends at 4 GiB: its reset vector is 16 bytes from the end of the file, and
 * OVMF puts the GUID of its table of entries 48 bytes from the end (OvmfPkg, ResetVector).
 */
static bool x86_firmware(const void *tail, size_t len)
{
	static const uint8_t table_footer[16] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
						 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
	static const uint8_t reset_vector[3] = {0x90, 0x90, 0xe9}; /* nop; nop; jmp near */

	if (len < 48)
		return false;
	return has(tail, len, len - 48, table_footer, sizeof(table_footer)) ||
	       has(tail, len, len - 16, reset_vector, sizeof(reset_vector));
}

const struct refusal *refuse_image(const void *head, size_t head_len, const void *tail,
				   size_t tail_len)
{
	static const uint8_t zimage[4] = {0x18, 0x28, 0x6f, 0x01}; /* Documentation/arch/arm */
	const uint8_t *bytes = head;
	const char *name = NULL;

	if (has(head, head_len, 0, ELFMAG, SELFMAG))
		name = elf_kind(bytes, head_len);
	else if (has(head, head_len, 0x38, "ARM\x64", 4)) /* Documentation/arch/arm64/booting.rst */
		name = head_len > 24 && bytes[24] & 1 ? "big-endian-image" : NULL;
	else if (has(head, head_len, 0x24, zimage, sizeof(zimage)))
		name = "aarch32-zimage";
	else if (has(head, head_len, 0x202, "HdrS", 4)) /* Documentation/arch/x86/boot.rst */
		name = "x86-bzimage";
	else if (has(head, head_len, 0, "MZ\0\0zimg", 8)) /* drivers/firmware/efi/libstub/zboot */
		name = "zboot-image";
	else if (has(head, head_len, 0x28, "_FVH", 4)) /* UEFI PI, volume 3: firmware volume */
		name = x86_firmware(tail, tail_len) ? "x86-firmware" : "arm64-firmware";
	return name ? refuse_find(REFUSE_IMAGE, name) : NULL;
}
