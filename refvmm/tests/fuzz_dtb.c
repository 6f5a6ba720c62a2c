/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: a device tree of the user's. The first byte chooses: the rest is the file, or a list of changes to a
 * good one. What is taken is whole afterwards, and says what the command line says.
 */
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "core/dt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_it(const uint8_t *file, size_t len, bool more)
{
	const struct machine_conf c = {.append = more ? "ours" : NULL};
	const struct boot b = {.initrd = 0x48000000, .initrd_size = more ? 4096 : 0};
	struct fdt out = {0};
	int node, n;

	if (!boot_dtb_parse(&out, file, len, &c, &b)) {
		const char *said;

		if (fdt_check_full(out.blob, dt_size(&out)) ||
		    (node = fdt_path_offset(out.blob, "/chosen")) < 0)
			abort();
		said = fdt_getprop(out.blob, node, "bootargs", &n);
		if (more && (!said || strcmp(said, "ours") != 0))
			abort();
		if (more && !fdt_getprop(out.blob, node, "linux,initrd-end", &n))
			abort();
	}
	dt_free(&out);
}

static void good_tree(struct fdt *f)
{
	if (dt_new(f))
		abort();
	dt_str(f, "model", "mine");
	dt_begin(f, "chosen");
	dt_str(f, "bootargs", "theirs, which is longer than ours");
	dt_str(f, "stdout-path", "/serial");
	dt_end(f);
	dt_begin_at(f, "serial", 0x9000000);
	dt_reg(f, 0x9000000, 0x1000);
	dt_end(f);
	if (dt_finish(f))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fdt good;
	uint8_t *copy; /* of just its size, so that ASan sees what is read behind it */
	size_t size;

	if (!len)
		return 0;
	good_tree(&good);
	size = data[0] & 1 ? len - 1 : dt_size(&good);
	copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data[0] & 1 ? data + 1 : good.blob, size);
	/* Each change: an offset, which is below 512, and 4 bytes to put there. */
	for (size_t at = 1; !(data[0] & 1) && size && at + 6 <= len; at += 6) {
		size_t to = (size_t)(data[at] | (data[at + 1] & 1) << 8) % size;

		memcpy(copy + to, data + at + 2, size - to < 4 ? size - to : 4);
	}
	try_it(copy, size, data[0] & 2);
	free(copy);
	dt_free(&good);
	return 0;
}
