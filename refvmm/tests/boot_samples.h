/* SPDX-License-Identifier: Apache-2.0 */
/* Small files to boot, made in memory, for the unit tests and as seeds of the fuzz target. */
#ifndef REFVMM_TESTS_BOOT_SAMPLES_H
#define REFVMM_TESTS_BOOT_SAMPLES_H

#include <elf.h>
#include <stdint.h>
#include <string.h>

struct sample_elf {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	uint8_t text[64];
};

/* A valid payload: code at 0x40080000, data of 16 bytes (64 in memory) behind it, a stack. */
static inline struct sample_elf sample_elf(void)
{
	struct sample_elf e = {
		.h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				  EV_CURRENT},
		      .e_type = ET_EXEC,
		      .e_machine = EM_AARCH64,
		      .e_version = EV_CURRENT,
		      .e_entry = 0x40080004,
		      .e_phoff = sizeof(Elf64_Ehdr),
		      .e_ehsize = sizeof(Elf64_Ehdr),
		      .e_phentsize = sizeof(Elf64_Phdr),
		      .e_phnum = 3},
		.p = {{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_align = 0x1000},
		      {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_align = 0x1000},
		      {.p_type = PT_GNU_STACK}},
	};

	e.p[0].p_offset = e.p[1].p_offset = offsetof(struct sample_elf, text);
	e.p[0].p_vaddr = e.p[0].p_paddr = 0x40080000;
	e.p[0].p_filesz = e.p[0].p_memsz = sizeof(e.text);
	e.p[1].p_offset += 32;
	e.p[1].p_vaddr = e.p[1].p_paddr = 0x40081000;
	e.p[1].p_filesz = 16;
	e.p[1].p_memsz = 64;
	for (unsigned i = 0; i < sizeof(e.text); i++)
		e.text[i] = (uint8_t)(i + 1);
	return e;
}

struct sample_image {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint8_t magic[4];
	uint32_t pe;
	uint8_t text[192];
};

static inline struct sample_image sample_image(void)
{
	struct sample_image i = {
		.image_size = 0x10000, .flags = 0xa, .magic = {'A', 'R', 'M', 0x64}};

	memset(i.text, 0x5a, sizeof(i.text));
	return i;
}

#endif
