/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine starts with, where QEMU's board has it: a bare-metal ELF (device tree at the start of RAM if there are
 * 1 MiB for it, x0 = 0), a Linux Image (Documentation/arch/arm64/booting.rst) or bare-metal code without any header (tree
 * in x0), or U-Boot's image of any of these but the first; they may be compressed.
 */
#ifndef REFVMM_BOOT_H
#define REFVMM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf.h"
#include "core/file.h"
#include "core/gpa.h"

#define ELF_SEGMENTS_MAX 16U

struct elf_segment {
	uint64_t gpa, file_size, mem_size;
	uint64_t offset;
};

struct elf_image {
	uint64_t entry; /* physical */
	struct elf_segment segment[ELF_SEGMENTS_MAX];
	unsigned nr;
};

struct linux_image {
	uint64_t text_offset, size; /* size: with its .bss */
};

/* Both parse what anybody may have written. NULL, or what is wrong with it. */
const char *elf_parse(const void *file, size_t len, struct elf_image *out);
const char *linux_image_parse(const void *file, size_t len, struct linux_image *out);
/* What kind of file is it? By its magic number alone. */
int elf_detect(const void *file, size_t len);
int linux_image_detect(const void *file, size_t len);
/* Code without a header has no mark: NULL, or why this cannot be some. */
const char *raw_image_parse(const void *file, size_t len, struct linux_image *out);

/* boot_uimage.c: U-Boot's legacy image. The parser: NULL, or what is wrong with what anybody may have written. */
#define UIMAGE_HEADER 64U
struct uimage {
	uint64_t load, entry; /* physical */
	size_t size;	      /* of what is behind the header */
	bool linux_os, packed;
};
/* Here, for each start asks, and what it runs stands together: link.ld. */
static inline bool uimage_detect(const void *file, size_t len)
{
	return len >= UIMAGE_HEADER && !memcmp(file, "\x27\x05\x19\x56", 4);
}
const char *uimage_parse(const void *file, size_t len, struct uimage *out);
/* Makes this header that of the same kernel, no longer packed. */
void uimage_unpacked(uint8_t *header, uint32_t size);

/* boot_unpack.c: is it compressed in a way that is unpacked here? Then `f` becomes what is in it, or an error is logged. */
bool boot_packed(const void *file, size_t len);
int boot_unpack(struct file *f, const char *path);
/* The container of an EFI zboot image; what is in it, or what is wrong. */
bool zboot_detect(const void *file, size_t len);
const char *zboot_parse(const void *file, size_t len, const void **in, size_t *in_len);

#define BOOT_NO_DTB 0ULL /* flash is there */

/* Where things stand once loaded. */
struct boot {
	uint64_t entry;
	uint64_t x0;		      /* of the first CPU */
	uint64_t dtb;		      /* room for DT_BYTES_MAX; BOOT_NO_DTB: nowhere */
	uint64_t initrd, initrd_size; /* size 0: none */
};

/* The files of --kernel, --initrd and --dtb. They stay open, for a reset loads them again. */
struct boot_files {
	struct file kernel, initrd, dtb;
};

/*
 * Opens what the options name, and refuses, by name and before anything is created, a kernel that
 * is none for this machine. With firmware it is the firmware's to judge. boot_close() in any case.
 */
int boot_open(struct boot_files *files, const struct machine_conf *c);
void boot_close(struct boot_files *files);
/* Copies kernel and initrd into guest memory and decides where the device tree goes. */
int boot_load(struct boot *b, const struct boot_files *files, const struct machine_conf *c,
	      const struct gmem *m);

/*
 * boot_dtb.c: the tree of --dtb, with /chosen adapted; to be freed by dt_free(). The parser says
 * what is wrong with a file that anybody may have written, or NULL.
 */
struct fdt;
int boot_dtb(struct fdt *f, const struct boot_files *files, const struct machine_conf *c,
	     const struct boot *b);
const char *boot_dtb_parse(struct fdt *f, const void *file, size_t len,
			   const struct machine_conf *c, const struct boot *b);

#endif
