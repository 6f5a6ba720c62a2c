/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <assay/board.h>
#include <inttypes.h>
#include <string.h>

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

static int load_initrd(struct boot *b, const char *path, const struct gmem *m)
{
	struct file f;
	int ret = file_open(&f, "--initrd", path);

	if (ret)
		return ret;
	/* booting.rst wants it in the same 32 GiB as the kernel: right behind the device tree. */
	b->initrd = b->dtb + ALIGN_2M;
	b->initrd_size = f.len;
	if (gmem_write(m, b->initrd, f.data, f.len))
		ret = err_usage("--initrd %s: %zu bytes do not fit into RAM behind the kernel; see "
				"--memory",
				path, f.len);
	file_close(&f);
	return ret;
}

/* What refvmm refuses by name has a better message than "not a kernel". */
static int check_refused(const char *path, const struct file *f)
{
	size_t part = f->len < 1024 ? f->len : 1024;
	const struct refusal *r = refuse_image(f->data, part, f->data + f->len - part, part);

	return r ? refuse(r, path) : 0;
}

int boot_check(const struct machine_conf *c)
{
	struct file f;
	int ret = file_open(&f, "--kernel", c->kernel);

	if (!ret)
		ret = check_refused(c->kernel, &f);
	file_close(&f);
	return ret;
}

int boot_load(struct boot *b, const struct machine_conf *c, const struct gmem *m)
{
	bool elf, image;
	struct file f;
	int ret;

	*b = (struct boot){0};
	ret = file_open(&f, "--kernel", c->kernel);
	if (ret)
		return ret;
	elf = elf_detect(f.data, f.len);
	image = linux_image_detect(f.data, f.len);
	ret = check_refused(c->kernel, &f);
	if (ret)
		;
	else if (elf && c->initrd)
		ret = err_usage("--initrd: only a Linux Image takes one, and %s is an ELF file",
				c->kernel);
	else if (elf)
		ret = load_elf(b, c->kernel, &f, m);
	else if (image)
		ret = load_image(b, c->kernel, &f, m);
	else
		ret = err_usage("--kernel %s: neither an ELF file nor a Linux Image", c->kernel);
	file_close(&f);
	return ret || !c->initrd ? ret : load_initrd(b, c->initrd, m);
}
