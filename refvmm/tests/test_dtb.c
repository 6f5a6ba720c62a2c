/* SPDX-License-Identifier: Apache-2.0 */
/* A device tree of the user's: what is changed in it, and that bad ones are refused. */
#include <libfdt.h>
#include <stdlib.h>

#include "boot.h"
#include "core/dt.h"
#include "tests/unit.h"

static void small_tree(struct fdt *f, bool chosen)
{
	ASSERT_EQ(dt_new(f), 0);
	dt_str(f, "model", "mine");
	if (chosen) {
		dt_begin(f, "chosen");
		dt_str(f, "bootargs", "theirs");
		dt_str(f, "stdout-path", "/serial");
		dt_end(f);
	}
	ASSERT_EQ(dt_finish(f), 0);
}

static void chosen_is_adapted(bool there)
{
	const struct machine_conf c = {.append = "ours and more of it"};
	const struct boot b = {.initrd = 0x48000000, .initrd_size = 0x1000};
	struct fdt in, out;
	const fdt64_t *end;
	int node, len;

	small_tree(&in, there);
	EXPECT(!boot_dtb_parse(&out, in.blob, dt_size(&in), &c, &b));
	node = fdt_path_offset(out.blob, "/chosen");
	ASSERT(node > 0);
	EXPECT_STR(fdt_getprop(out.blob, node, "bootargs", &len), "ours and more of it");
	end = fdt_getprop(out.blob, node, "linux,initrd-end", &len);
	ASSERT(end && len == 8);
	EXPECT_EQ(fdt64_ld(end), 0x48001000);
	EXPECT(!fdt_getprop(out.blob, node, "stdout-path", &len) == !there);
	EXPECT_STR(fdt_getprop(out.blob, 0, "model", &len), "mine");
	dt_free(&in);
	dt_free(&out);
}

TEST(dtb, chosen_is_adapted)
{
	chosen_is_adapted(true);
	chosen_is_adapted(false);
}

TEST(dtb, without_append_and_initrd_nothing_is_changed)
{
	const struct machine_conf c = {0};
	const struct boot b = {0};
	struct fdt in, out;
	int node, len;

	small_tree(&in, true);
	EXPECT(!boot_dtb_parse(&out, in.blob, dt_size(&in), &c, &b));
	node = fdt_path_offset(out.blob, "/chosen");
	EXPECT_STR(fdt_getprop(out.blob, node, "bootargs", &len), "theirs");
	EXPECT(!fdt_getprop(out.blob, node, "linux,initrd-start", &len));
	dt_free(&in);
	dt_free(&out);
}

TEST(dtb, what_is_none_is_refused)
{
	const struct machine_conf c = {.append = "x"};
	const struct boot b = {0};
	struct fdt in, out = {0};
	size_t len;

	small_tree(&in, true);
	len = dt_size(&in);
	for (size_t cut = 0; cut < len; cut++) { /* in memory of that size, so that ASan sees */
		uint8_t *part = malloc(cut ? cut : 1);

		memcpy(part, in.blob, cut);
		EXPECT(boot_dtb_parse(&out, part, cut, &c, &b));
		dt_free(&out);
		free(part);
	}
	for (size_t at = 0; at < len; at++) { /* may be refused or not, never more */
		uint8_t *bad = malloc(len);

		memcpy(bad, in.blob, len);
		bad[at] ^= 0xff;
		boot_dtb_parse(&out, bad, len, &c, &b);
		dt_free(&out);
		free(bad);
	}
	EXPECT(boot_dtb_parse(&out, in.blob, DT_BYTES_MAX + 1, &c, &b));
	dt_free(&out);
	dt_free(&in);
}
