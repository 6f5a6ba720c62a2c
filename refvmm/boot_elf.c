/* SPDX-License-Identifier: Apache-2.0 */
/* ELF for the Arm 64-bit Architecture (IHI 0056): only what a bare-metal payload is. */
#include <elf.h>
#include <string.h>

#include "boot.h"

int elf_detect(const void *file, size_t len)
{
	return len >= SELFMAG && !memcmp(file, ELFMAG, SELFMAG);
}

static const char *check_header(const Elf64_Ehdr *h, size_t len)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64)
		return "not a 64-bit ELF file";
	if (h->e_ident[EI_DATA] != ELFDATA2LSB)
		return "not a little-endian ELF file";
	if (h->e_machine != EM_AARCH64)
		return "ELF file for another machine than AArch64";
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN) /* which starts where it was linked */
		return "no program (ET_EXEC or ET_DYN)";
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phnum)
		return "ELF file without program headers";
	if (h->e_phoff > len || h->e_phnum > (len - h->e_phoff) / sizeof(Elf64_Phdr))
		return "truncated ELF file: its program headers lie outside";
	return NULL;
}

static const char *add_segment(struct elf_image *out, const Elf64_Phdr *p, size_t len)
{
	uint64_t end;

	if (p->p_filesz > p->p_memsz)
		return "ELF segment with more in the file than in memory";
	if (p->p_offset > len || p->p_filesz > len - p->p_offset)
		return "truncated ELF file: a segment lies outside";
	if (__builtin_add_overflow(p->p_paddr, p->p_memsz, &end))
		return "ELF segment that wraps around the address space";
	if (out->nr == ELF_SEGMENTS_MAX)
		return "ELF file with too many segments";
	for (unsigned i = 0; i < out->nr; i++) {
		const struct elf_segment *s = &out->segment[i];

		if (p->p_paddr < s->gpa + s->mem_size && s->gpa < end)
			return "ELF file with overlapping segments";
	}
	out->segment[out->nr++] = (struct elf_segment){.gpa = p->p_paddr,
						       .file_size = p->p_filesz,
						       .mem_size = p->p_memsz,
						       .offset = p->p_offset};
	return NULL;
}

/* The entry of a kernel linked high may be the physical address itself, for the MMU is off when it starts. */
static int physical_entry(const struct elf_image *img, uint64_t entry)
{
	for (unsigned i = 0; i < img->nr; i++) {
		if (entry >= img->segment[i].gpa &&
		    entry - img->segment[i].gpa < img->segment[i].file_size)
			return 1;
	}
	return 0;
}

const char *elf_parse(const void *file, size_t len, struct elf_image *out)
{
	int entered = 0;
	const char *why;
	Elf64_Ehdr h;

	*out = (struct elf_image){0};
	if (len < sizeof(h))
		return "truncated ELF file: no header";
	memcpy(&h, file, sizeof(h));
	why = check_header(&h, len);
	for (unsigned i = 0; !why && i < h.e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, (const uint8_t *)file + h.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		why = add_segment(out, &p, len);
		if (h.e_entry >= p.p_vaddr && h.e_entry - p.p_vaddr < p.p_filesz) {
			out->entry = p.p_paddr + (h.e_entry - p.p_vaddr);
			entered = 1;
		}
	}
	if (!why && !entered && physical_entry(out, h.e_entry)) {
		out->entry = h.e_entry;
		entered = 1;
	}
	if (!why && !entered)
		why = "ELF file whose entry point lies in no segment";
	if (!why && (out->entry & 3))
		why = "ELF file whose entry point is not aligned";
	return why;
}
