/* SPDX-License-Identifier: Apache-2.0 */
/* --dtb FILE: somebody else's device tree, with /chosen adapted to what was loaded. */
#include <libfdt.h>
#include <string.h>

#include "boot.h"
#include "core/dt.h"
#include "core/file.h"

/* What the command line and the loader know better than any file. */
static int adapt_chosen(struct fdt *f, const struct machine_conf *c, const struct boot *b)
{
	int node = fdt_path_offset(f->blob, "/chosen");
	int err = 0;

	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(f->blob, 0, "chosen");
	if (node < 0)
		return node;
	if (c->append)
		err = fdt_setprop(f->blob, node, "bootargs", c->append, (int)strlen(c->append) + 1);
	if (!err && b->initrd_size)
		err = fdt_setprop_u64(f->blob, node, "linux,initrd-start", b->initrd);
	if (!err && b->initrd_size)
		err = fdt_setprop_u64(f->blob, node, "linux,initrd-end",
				      b->initrd + b->initrd_size);
	return err ? err : fdt_pack(f->blob);
}

const char *boot_dtb_parse(struct fdt *f, const void *file, size_t len,
			   const struct machine_conf *c, const struct boot *b)
{
	int err;

	if (len > DT_BYTES_MAX)
		return "a device tree of more than 512 KiB";
	err = fdt_check_full(file, len); /* it may be anything */
	if (!err)
		err = dt_open(f, file);
	if (!err)
		err = adapt_chosen(f, c, b);
	return err ? fdt_strerror(err) : NULL;
}

int boot_dtb(struct fdt *f, const struct boot_files *files, const struct machine_conf *c,
	     const struct boot *b)
{
	const char *why = boot_dtb_parse(f, files->dtb.data, files->dtb.len, c, b);

	return why ? err_usage("--dtb %s: no device tree of use here: %s", c->dtb, why) : 0;
}
