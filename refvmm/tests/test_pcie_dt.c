/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host bridge's node, cell by cell, against the bindings (Linux,
 * Documentation/devicetree/bindings/pci/host-generic-pci.yaml, pci-msi.txt) and the virt board.
 */
#include <libfdt.h>

#include "core/dt.h"
#include "tests/pcie_bench.h"
#include "tests/unit.h"

#define NODE "/pcie@10000000"

static uint32_t cell(const struct fdt *f, const char *name, unsigned n)
{
	int len, node = fdt_path_offset(f->blob, NODE);
	const fdt32_t *p = node < 0 ? NULL : fdt_getprop(f->blob, node, name, &len);

	return p && (int)(4 * n) < len ? fdt32_to_cpu(p[n]) : 0xdeadbeef;
}

static unsigned cells(const struct fdt *f, const char *name)
{
	int len = -1, node = fdt_path_offset(f->blob, NODE);

	return node >= 0 && fdt_getprop(f->blob, node, name, &len) ? (unsigned)len / 4 : 0;
}

static uint64_t wide(const struct fdt *f, const char *name, unsigned n)
{
	return (uint64_t)cell(f, name, n) << 32 | cell(f, name, n + 1);
}

static bool described(struct pcie_bench *b, struct fdt *f)
{
	return !dt_new(f) && !b->dev->ops->describe(b->dev, f) && !dt_finish(f);
}

TEST(pcie_dt, high_machine)
{
	struct pcie_bench *b = BENCH(true);
	struct fdt f;

	ASSERT(described(b, &f));
	EXPECT_EQ(cells(&f, "reg"), 4);
	EXPECT_EQ(wide(&f, "reg", 0), 0x4010000000);
	EXPECT_EQ(wide(&f, "reg", 2), 0x10000000);
	EXPECT_EQ(cell(&f, "bus-range", 0), 0);
	EXPECT_EQ(cell(&f, "bus-range", 1), 255);
	ASSERT_EQ(cells(&f, "ranges"), 21);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQ(cell(&f, "ranges", 7 * i), 0x01000000 * (i + 1));
	EXPECT_EQ(wide(&f, "ranges", 1), 0); /* I/O ports start at 0 */
	EXPECT_EQ(wide(&f, "ranges", 3), 0x3eff0000);
	EXPECT_EQ(wide(&f, "ranges", 5), 0x10000);
	EXPECT_EQ(wide(&f, "ranges", 8), 0x10000000);
	EXPECT_EQ(wide(&f, "ranges", 10), 0x10000000);
	EXPECT_EQ(wide(&f, "ranges", 12), 0x2eff0000);
	EXPECT_EQ(wide(&f, "ranges", 15), 0x8000000000);
	EXPECT_EQ(wide(&f, "ranges", 17), 0x8000000000);
	EXPECT_EQ(wide(&f, "ranges", 19), 0x8000000000);
	EXPECT_EQ(cells(&f, "msi-map"), 4);
	EXPECT_EQ(cell(&f, "msi-map", 0), 0);
	EXPECT_EQ(cell(&f, "msi-map", 1), DT_PHANDLE_MSI);
	EXPECT_EQ(cell(&f, "msi-map", 2), 0);
	EXPECT_EQ(cell(&f, "msi-map", 3), 0x10000);
	EXPECT(fdt_getprop(f.blob, fdt_path_offset(f.blob, NODE), "dma-coherent", NULL));
	dt_free(&f);
	pcie_bench_free(b);
}

TEST(pcie_dt, low_machine_without_messages)
{
	struct pcie_bench *b = BENCH(false);
	struct fdt f;

	b->fe->env.msi = ENV_MSI_NONE;
	ASSERT(described(b, &f));
	EXPECT_EQ(wide(&f, "reg", 0), 0x3f000000);
	EXPECT_EQ(wide(&f, "reg", 2), 0x1000000);
	EXPECT_EQ(cell(&f, "bus-range", 1), 15);
	EXPECT_EQ(cells(&f, "ranges"), 14);
	EXPECT_EQ(cells(&f, "msi-map"), 0);
	dt_free(&f);
	pcie_bench_free(b);
}

TEST(pcie_dt, interrupt_map_agrees_with_the_lines)
{
	struct pcie_bench *b = BENCH(true);
	struct fdt f;

	ASSERT(described(b, &f));
	EXPECT_EQ(cell(&f, "#interrupt-cells", 0), 1);
	EXPECT_EQ(cell(&f, "interrupt-map-mask", 0), 0x1800);
	EXPECT_EQ(cell(&f, "interrupt-map-mask", 3), 7);
	ASSERT_EQ(cells(&f, "interrupt-map"), 160);
	for (unsigned i = 0; i < 16; i++) {
		unsigned slot = i / 4, pin = i % 4 + 1;

		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i), slot << 11);
		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i + 3), pin);
		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i + 4), DT_PHANDLE_GIC);
		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i + 7), 0); /* SPI */
		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i + 8), 3 + (slot + pin - 1) % 4);
		EXPECT_EQ(cell(&f, "interrupt-map", 10 * i + 9), 4); /* level, high */
	}
	dt_free(&f);
	pcie_bench_free(b);
}
