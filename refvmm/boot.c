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

#define ALIGN_2M 0x200000ULL

static int load_elf(struct boot *b, const char *path, const struct file *f, const struct gmem *m)
{
	struct elf_image img;
	const char *why = elf_parse(f->data, f->len, &img);

	if (why)
		return err_usage("--kernel %s: %s", path, why);
	b->dtb = ASSAY_RAM_BASE;
	for (unsigned i = 0; i < img.nr; i++) {
		const struct elf_segment *s = &img.segment[i];

		if (!gpa_ptr(m, s->gpa, s->mem_size))
			return err_usage("--kernel %s: segment of 0x%" PRIx64 " bytes at 0x%" PRIx64
					 " lies outside RAM; see --memory",
					 path, s->mem_size, s->gpa);
		if (s->gpa < ASSAY_RAM_BASE + DT_BYTES_MAX)
			return err_usage("--kernel %s: segment at 0x%" PRIx64 " lies in the first "
					 "%lu KiB of RAM, which hold the device tree",
					 path, s->gpa, DT_BYTES_MAX / 1024);
		gmem_write(m, s->gpa, f->data + s->offset, s->file_size);
		gmem_zero(m, s->gpa + s->file_size, s->mem_size - s->file_size);
	}
	b->entry = img.entry;
	return 0;
}

static int load_image(struct boot *b, const char *path, const struct file *f, const struct gmem *m)
{
	struct linux_image img;
	const char *why = linux_image_parse(f->data, f->len, &img);
	uint64_t end;

	if (why)
		return err_usage("--kernel %s: %s", path, why);
	b->entry = ASSAY_RAM_BASE + img.text_offset;
	if (__builtin_add_overflow(b->entry, img.size, &end) ||
	    !gpa_ptr(m, b->entry, end - b->entry + ALIGN_2M + DT_BYTES_MAX))
		return err_usage("--kernel %s: needs 0x%" PRIx64 " bytes of RAM; see --memory",
				 path, img.size);
	gmem_write(m, b->entry, f->data, f->len);
	b->dtb = (end + ALIGN_2M - 1) & ~(ALIGN_2M - 1); /* must not cross a 2 MiB boundary */
	return 0;
}

static int load_initrd(struct boot *b, const char *path, const struct file *f, const struct gmem *m)
{
	/* booting.rst wants it in the same 32 GiB as the kernel: right behind the device tree. */
	b->initrd = b->dtb + ALIGN_2M;
	b->initrd_size = f->len;
	if (gmem_write(m, b->initrd, f->data, f->len))
		return err_usage("--initrd %s: %zu bytes do not fit into RAM behind the kernel; "
				 "see --memory",
				 path, f->len);
	return 0;
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

static int load_kernel(struct boot *b, const struct file *f, const struct machine_conf *c,
		       const struct gmem *m)
{
	if (elf_detect(f->data, f->len) && c->initrd)
		return err_usage("--initrd: only a Linux Image takes one, and %s is an ELF file",
				 c->kernel);
	if (elf_detect(f->data, f->len))
		return load_elf(b, c->kernel, f, m);
	if (linux_image_detect(f->data, f->len))
		return load_image(b, c->kernel, f, m);
	return err_usage("--kernel %s: neither an ELF file nor a Linux Image", c->kernel);
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
	ret = load_kernel(b, &files->kernel, c, m);
	if (!ret && files->initrd.data)
		ret = load_initrd(b, c->initrd, &files->initrd, m);
	file_forget(&files->kernel);
	file_forget(&files->initrd);
	return ret;
}
