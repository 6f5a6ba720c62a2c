/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_image.h"
#include "file.h"
#include "test.h"
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CODE_AT 0x1000 /* in the file */

int elf_image(const uint32_t *code, size_t size)
{
	Elf64_Ehdr eh = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = ELF_IMAGE_AT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	Elf64_Phdr ph = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = CODE_AT,
		.p_vaddr = ELF_IMAGE_AT,
		.p_paddr = ELF_IMAGE_AT,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = CODE_AT,
	};
	int fd = file_in_memory();

	if (pwrite(fd, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    pwrite(fd, &ph, sizeof(ph), sizeof(eh)) != sizeof(ph) ||
	    pwrite(fd, code, size, CODE_AT) != (ssize_t)size)
		test_error("pwrite of a test program: %s", strerrorname_np(errno));
	return fd;
}
