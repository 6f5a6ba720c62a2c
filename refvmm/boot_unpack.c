/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed kernels: gzip, as Documentation/arch/arm64/booting.rst leaves to the boot loader, and the EFI zboot container
 * (drivers/firmware/efi/libstub/zboot-header.S) around it.
 */
#include <string.h>

#include "boot.h"
#include "core/err.h"
#include "core/gzip.h"

#define UNPACKED_MAX (256UL << 20) /* as QEMU's */

struct zboot {		 /* little-endian */
	uint8_t mark[8]; /* "MZ", 0, 0, "zimg" */
	uint32_t offset, size;
	uint32_t reserved[2];
	char type[8];
};

bool zboot_detect(const void *file, size_t len)
{
	return len >= sizeof(struct zboot) && !memcmp(file, "MZ\0\0zimg", 8);
}

const char *zboot_parse(const void *file, size_t len, const void **in, size_t *in_len)
{
	struct zboot z;

	memcpy(&z, file, sizeof(z));
	if (z.offset > len || z.size > len - z.offset)
		return "damaged EFI zboot image";
	*in = (const uint8_t *)file + z.offset;
	*in_len = z.size;
	return NULL;
}

static bool packed_uimage(const void *file, size_t len)
{
	struct uimage u;

	return uimage_detect(file, len) && !uimage_parse(file, len, &u) && u.packed;
}

bool boot_packed(const void *file, size_t len)
{
	return gzip_detect(file, len) || packed_uimage(file, len) ||
	       (zboot_detect(file, len) && !memcmp(((const struct zboot *)file)->type, "gzip", 5));
}

int boot_unpack(struct file *f, const char *path)
{
	const void *in = f->data;
	size_t in_len = f->len, len, header = 0;
	const char *why = NULL;
	struct file whole;
	struct uimage u;
	uint8_t *out;
	void *to;
	int ret;

	if (zboot_detect(f->data, f->len)) {
		why = zboot_parse(f->data, f->len, &in, &in_len);
	} else if (uimage_detect(f->data, f->len)) {
		why = uimage_parse(f->data, f->len, &u);
		header = UIMAGE_HEADER; /* stays in front, for it says where the kernel goes */
		in = f->data + header;
		in_len = u.size;
	}
	if (why)
		return err_usage("--kernel %s: %s", path, why);
	len = gzip_size(in, in_len);
	if (!len || len > UNPACKED_MAX)
		return err_usage("--kernel %s: damaged gzip file, or more than %lu MiB in it", path,
				 UNPACKED_MAX >> 20);
	ret = file_scratch(&whole, header + len, &to);
	if (ret)
		return err_host(-ret, "--kernel %s: %zu bytes of memory to unpack it", path, len);
	out = to;
	if (header) {
		memcpy(out, f->data, header);
		uimage_unpacked(out, (uint32_t)len);
	}
	why = gzip_unpack(in, in_len, out + header, len);
	if (why)
		ret = err_usage("--kernel %s: %s", path, why);
	else
		ret = file_scratch_done(&whole);
	if (ret) {
		file_close(&whole);
		return ret;
	}
	file_close(f);
	*f = whole;
	return 0;
}
