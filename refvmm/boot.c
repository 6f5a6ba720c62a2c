/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <assay/board.h>
#include <inttypes.h>
#include <string.h>

#include "board.h"
#include "core/dt.h"
#include "core/err.h"
#include "core/file.h"
#include "refuse.h"

#define ALIGN_2M   0x200000ULL
#define PAGE	   0x1000ULL
/* What QEMU's board wants free at the start of RAM to put a tree there */
#define ELF_DTB	   0x100000ULL
#define INITRD_MAX 0x8000000ULL
/* QEMU's own first instructions are at the start of RAM, so no Image is */
#define STUB	   0x1000U

static uint64_t align(uint64_t gpa, uint64_t to)
{
	return (gpa + to - 1) & ~(to - 1);
}

/* Linkers put the headers of the file in front of the program: what is below RAM is left out, as on QEMU's board. */
static struct elf_segment in_ram(struct elf_segment s)
{
	uint64_t below = s.gpa < ASSAY_RAM_BASE ? ASSAY_RAM_BASE - s.gpa : 0;

	if (below >= s.mem_size)
		return s;
	s.gpa += below;
	s.offset += below;
	s.mem_size -= below;
	s.file_size -= below < s.file_size ? below : s.file_size;
	return s;
}

static int load_elf(struct boot *b, const char *path, const struct file *f, const struct gmem *m)
{
	struct elf_image img;
	const char *why = elf_parse(f->data, f->len, &img);

	if (why)
		return err_usage("--kernel %s: %s", path, why);
	b->dtb = ASSAY_RAM_BASE;
	for (unsigned i = 0; i < img.nr; i++) {
		const struct elf_segment s = in_ram(img.segment[i]);

		if (!gpa_ptr(m, s.gpa, s.mem_size))
			return err_usage("--kernel %s: segment of 0x%" PRIx64 " bytes at 0x%" PRIx64
					 " lies outside RAM; see --memory",
					 path, s.mem_size, s.gpa);
		if (s.gpa < ASSAY_RAM_BASE + ELF_DTB)
			b->dtb = BOOT_NO_DTB;
		if (s.file_size)
			gmem_write(m, s.gpa, f->data + s.offset, s.file_size);
		gmem_zero(m, s.gpa + s.file_size, s.mem_size - s.file_size);
	}
	b->entry = img.entry;
	return 0;
}

/*
 * The initial RAM disk and, behind it, the device tree: far behind the kernel, as on QEMU's board, for code without a header
 * does not say how much memory it uses; in small memory right behind it.
 */
static void place(struct boot *b, const struct machine_conf *c, uint64_t end, uint64_t initrd_size)
{
	uint64_t half = c->ram.size / 2, top = ASSAY_RAM_BASE + c->ram.size;

	end = align(end, PAGE);
	b->initrd = ASSAY_RAM_BASE + (half < INITRD_MAX ? half & ~(PAGE - 1) : INITRD_MAX);
	if (b->initrd < end || align(b->initrd + initrd_size, ALIGN_2M) + DT_BYTES_MAX > top)
		b->initrd = end;
	b->initrd_size = initrd_size;
	b->dtb = b->x0 = align(b->initrd + initrd_size, ALIGN_2M); /* must not cross 2 MiB */
}

/* The initial RAM disk and the tree of a kernel that ends at `end`. */
static int load_rest(struct boot *b, uint64_t end, const struct boot_files *f,
		     const struct machine_conf *c, const struct gmem *m)
{
	place(b, c, end, f->initrd.data ? f->initrd.len : 0);
	/* booting.rst wants it in the same 32 GiB as the kernel. */
	if (b->initrd_size && (!gpa_ptr(m, b->dtb, DT_BYTES_MAX) ||
			       gmem_write(m, b->initrd, f->initrd.data, f->initrd.len)))
		return err_usage("--initrd %s: %zu bytes do not fit into RAM behind the kernel; "
				 "see --memory",
				 c->initrd, f->initrd.len);
	return 0;
}

/* A kernel for Linux's boot protocol, or any other program, which is then treated as an ELF file is. */
static int load_uimage(struct boot *b, const struct boot_files *f, const struct machine_conf *c,
		       const struct gmem *m)
{
	struct uimage u;
	const char *why = uimage_parse(f->kernel.data, f->kernel.len, &u);

	if (why)
		return err_usage("--kernel %s: %s", c->kernel, why);
	if (c->initrd && !u.linux_os)
		return err_usage("--initrd: only a Linux kernel takes one, and %s is another "
				 "uImage (mkimage -O linux)",
				 c->kernel);
	if (!gpa_ptr(m, u.load, u.size) ||
	    (u.linux_os && !gpa_ptr(m, u.load, u.size + ALIGN_2M + DT_BYTES_MAX)))
		return err_usage("--kernel %s: 0x%zx bytes at 0x%" PRIx64 " do not fit into RAM; "
				 "see --memory",
				 c->kernel, u.size, u.load);
	gmem_write(m, u.load, f->kernel.data + UIMAGE_HEADER, u.size);
	b->entry = u.entry;
	if (u.linux_os)
		return load_rest(b, u.load + u.size, f, c, m);
	b->dtb = u.load < ASSAY_RAM_BASE + ELF_DTB ? BOOT_NO_DTB : ASSAY_RAM_BASE;
	return 0;
}

static int load_image(struct boot *b, const struct linux_image *img, const struct boot_files *f,
		      const struct machine_conf *c, const struct gmem *m)
{
	uint64_t end;

	b->entry = ASSAY_RAM_BASE + img->text_offset + (img->text_offset < STUB ? ALIGN_2M : 0);
	if (__builtin_add_overflow(b->entry, img->size, &end) ||
	    !gpa_ptr(m, b->entry, end - b->entry + ALIGN_2M + DT_BYTES_MAX))
		return err_usage("--kernel %s: needs 0x%" PRIx64 " bytes of RAM from 0x%" PRIx64
				 " on; see --memory",
				 c->kernel, img->size, b->entry);
	gmem_write(m, b->entry, f->kernel.data, f->kernel.len);
	return load_rest(b, end, f, c, m);
}

/* What refvmm refuses by name has a better message than "not a kernel". */
static int check_refused(const struct machine_conf *c, const struct file *f)
{
	size_t part = f->len < 1024 ? f->len : 1024;
	const struct refusal *r = refuse_image(f->data, part, f->data + f->len - part, part);

	if (r && board_has_firmware(c) && !strcmp(r->name, "zboot-image"))
		return 0; /* it unpacks itself, with the firmware's help */
	return r ? refuse(r, c->kernel) : 0;
}

int boot_open(struct boot_files *files, const struct machine_conf *c)
{
	int ret = c->kernel ? file_open(&files->kernel, "--kernel", c->kernel) : 0;

	if (!ret && c->kernel && boot_packed(files->kernel.data, files->kernel.len) &&
	    !(board_has_firmware(c) && zboot_detect(files->kernel.data, files->kernel.len)))
		ret = boot_unpack(&files->kernel, c->kernel);
	if (!ret && c->kernel)
		ret = check_refused(c, &files->kernel);
	if (!ret && c->initrd)
		ret = file_open(&files->initrd, "--initrd", c->initrd);
	if (!ret && c->dtb)
		ret = file_open(&files->dtb, "--dtb", c->dtb);
	return ret;
}

void boot_close(struct boot_files *files)
{
	file_close(&files->kernel);
	file_close(&files->initrd);
	file_close(&files->dtb);
}

static int load_kernel(struct boot *b, const struct boot_files *files, const struct machine_conf *c,
		       const struct gmem *m)
{
	const struct file *f = &files->kernel;
	struct linux_image img;
	const char *why;

	if (elf_detect(f->data, f->len) && c->initrd)
		return err_usage("--initrd: only a Linux Image takes one, and %s is an ELF file",
				 c->kernel);
	if (elf_detect(f->data, f->len))
		return load_elf(b, c->kernel, f, m);
	if (uimage_detect(f->data, f->len))
		return load_uimage(b, files, c, m);
	if (linux_image_detect(f->data, f->len))
		why = linux_image_parse(f->data, f->len, &img);
	else
		why = raw_image_parse(f->data, f->len, &img);
	if (why)
		return err_usage("--kernel %s: %s", c->kernel, why);
	return load_image(b, &img, files, c, m);
}

int boot_load(struct boot *b, const struct boot_files *files, const struct machine_conf *c,
	      const struct gmem *m)
{
	int ret;

	*b = (struct boot){0};
	if (board_has_firmware(c)) { /* which loads the rest through fw_cfg */
		*b = (struct boot){.entry = ASSAY_FLASH0_BASE, .dtb = ASSAY_RAM_BASE};
		return 0;
	}
	ret = load_kernel(b, files, c, m);
	file_forget(&files->kernel);
	file_forget(&files->initrd);
	return ret;
}
