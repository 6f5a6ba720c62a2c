/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every bit of configuration space, by what software can do to it. The expectations are typed
 * from the PCI Express Base Specification 6.0, section 7.5, not taken from the code.
 */
#include <linux/pci_regs.h>

#include "tests/pcie_bench.h"
#include "tests/unit.h"

struct golden {
	uint16_t off;
	uint32_t reset; /* after reset */
	uint32_t ones;	/* after writing all ones */
};

/* Each register not listed is read-only zero. Written as ones, read back, written as zeros. */
static void check_space(struct pcie_bench *b, unsigned bus, unsigned slot, const struct golden *g,
			unsigned n)
{
	for (unsigned off = 0; off < PCIE_CONFIG_SIZE; off += 4) {
		struct golden want = {.off = (uint16_t)off};
		uint32_t got;

		for (unsigned i = 0; i < n; i++)
			if (g[i].off == off)
				want = g[i];
		got = cfg_read(b, bus, slot, off, 4);
		if (got != want.reset)
			unit_fail(__FILE__, (int)off, "reset value (line is the offset)", got,
				  want.reset);
		cfg_write(b, bus, slot, off, 4, UINT32_MAX);
		got = cfg_read(b, bus, slot, off, 4);
		if (got != want.ones)
			unit_fail(__FILE__, (int)off, "after ones (line is the offset)", got,
				  want.ones);
		cfg_write(b, bus, slot, off, 4, 0);
		cfg_write(b, bus, slot, off, 4, want.reset & want.ones);
	}
}

TEST(pcie_config, host_bridge_space)
{
	static const struct golden g[] = {
		{0x00, 0xa5401234, 0xa5401234}, {0x04, 0x00100000, 0x00100546},
		{0x08, 0x06000001, 0x06000001}, {0x0c, 0x00000000, 0x000000ff},
		{0x2c, 0xa5401234, 0xa5401234}, {0x34, 0x00000040, 0x00000040},
		{0x3c, 0x00000000, 0x000000ff}, {0x40, 0x00920010, 0x00920010},
		{0x44, 0x10008000, 0x10008000}, {0x64, 0x00000010, 0x00000010},
		{0x68, 0x00000000, 0x00000010},
		/* Device Control with FLR set resets the function: tried elsewhere */
	};
	struct pcie_bench *b = BENCH(true);

	ASSERT_EQ(b->err, 0);
	EXPECT_EQ(cfg_read(b, 0, 0, 0x48, 4), 0x00002810);
	cfg_write(b, 0, 0, 0x48, 4, 0x00007fff);
	EXPECT_EQ(cfg_read(b, 0, 0, 0x48, 4), 0x0000781f);
	cfg_write(b, 0, 0, 0x48, 4, 0);
	for (unsigned off = 0; off < 0x100; off += 4)
		if (off != 0x48)
			for (unsigned i = 0; i < sizeof(g) / sizeof(g[0]); i++)
				if (g[i].off == off)
					EXPECT_EQ(cfg_read(b, 0, 0, off, 4), g[i].reset);
	pcie_bench_free(b);
}

TEST(pcie_config, root_port_space)
{
	/* Its slot is empty: no link, nobody present. */
	static const struct golden g[] = {
		{0x00, 0xa5501234, 0xa5501234}, {0x04, 0x00100000, 0x00100546},
		{0x08, 0x06040001, 0x06040001}, {0x0c, 0x00010000, 0x000100ff},
		{0x18, 0x00000000, 0x00ffffff}, {0x20, 0x00000000, 0xfff0fff0},
		{0x24, 0x00010001, 0xfff1fff1}, {0x28, 0x00000000, 0xffffffff},
		{0x2c, 0x00000000, 0xffffffff}, {0x34, 0x00000040, 0x00000040},
		{0x3c, 0x00000100, 0x004301ff}, /* bridge control: parity, SERR, bus reset */
		{0x40, 0x01427c10, 0x01427c10}, /* version 2, root port, slot; next at 0x7c */
		{0x44, 0x00008000, 0x00008000}, /* role-based error reporting */
		{0x48, 0x00002810, 0x0000781f}, /* no function-level reset */
		{0x4c, 0x01500011, 0x01500011}, /* port 1, link-active reporting */
		{0x50, 0x00000000, 0x000000d0}, /* link disable, common clock, extended sync */
		{0x54, 0x000c0060, 0x000c0060}, /* slot 1: hot-plug capable, no command completed */
		{0x58, 0x00000000, 0x00001028}, /* presence, interrupt, link state enables */
		{0x5c, 0x00000000, 0x0000000f}, {0x64, 0x00000010, 0x00000010},
		{0x68, 0x00000000, 0x00000010}, {0x6c, 0x00000002, 0x00000002},
		{0x70, 0x00000001, 0x0000000f}, {0x7c, 0x00800005, 0x00f10005}, /* MSI, 64-bit */
		{0x80, 0x00000000, 0xfffffffc}, {0x84, 0x00000000, 0xffffffff},
		{0x88, 0x00000000, 0x0000ffff},
	};
	struct pcie_bench *b = BENCH(true, "--root-ports", "1");

	ASSERT_EQ(b->err, 0);
	check_space(b, 0, 1, g, sizeof(g) / sizeof(g[0]));
	pcie_bench_free(b);
}

TEST(pcie_config, port_shows_an_occupied_slot)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "2", "--device pci-test", "port=1");

	EXPECT_EQ(cfg_read(b, 0, 1, 0x52, 2), 0x0000);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x5a, 2), 0x0000);
	EXPECT_EQ(cfg_read(b, 0, 2, 0x52, 2), 0x2011);	/* 2.5 GT/s, one lane, link active */
	EXPECT_EQ(cfg_read(b, 0, 2, 0x5a, 2), 0x0040);	/* presence detect state */
	EXPECT_EQ(cfg_read(b, 0, 2, 0x54, 4) >> 19, 2); /* physical slot number */
	pcie_bench_free(b);
}

TEST(pcie_config, endpoint_space)
{
	static const struct golden g[] = {
		{0x00, 0xa55a1234, 0xa55a1234}, {0x04, 0x00100000, 0x00100546},
		{0x08, 0xff000001, 0xff000001}, {0x0c, 0x00000000, 0x000000ff},
		{0x10, 0x00000000, 0xfffff000}, /* 4 KiB */
		{0x18, 0x0000000c, 0xfff0000c}, /* 1 MiB, 64-bit, prefetchable */
		{0x1c, 0x00000000, 0xffffffff}, {0x20, 0x00000000, 0xfffff000},
		{0x2c, 0xa55a1234, 0xa55a1234}, {0x34, 0x00000040, 0x00000040},
		{0x3c, 0x00000100, 0x000001ff}, {0x40, 0x00927c10, 0x00927c10},
		{0x44, 0x10008000, 0x10008000}, {0x48, 0x00002810, 0x00002810}, /* FLR */
		{0x64, 0x00000010, 0x00000010}, {0x68, 0x00000000, 0x00000010},
		{0x7c, 0x00070011, 0xc0070011}, {0x80, 0x00000004, 0x00000004},
		{0x84, 0x00000804, 0x00000804},
	};
	struct pcie_bench *b = BENCH(true, "--device pci-test", "");

	ASSERT_EQ(b->err, 0);
	check_space(b, 0, 1, g, sizeof(g) / sizeof(g[0]));
	pcie_bench_free(b);
}

TEST(pcie_config, endpoint_behind_a_port_has_a_link)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "1", "--device pci-test", "");

	cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00010100);
	EXPECT_EQ(cfg_read(b, 1, 0, 0x42, 2), 0x0002); /* endpoint, not integrated */
	EXPECT_EQ(cfg_read(b, 1, 0, 0x4c, 4), 0x00400011);
	EXPECT_EQ(cfg_read(b, 1, 0, 0x52, 2), 0x0011);
	pcie_bench_free(b);
}

TEST(pcie_config, bytes_and_halves_of_a_register)
{
	struct pcie_bench *b = BENCH(true, "--device pci-test", "");

	EXPECT_EQ(cfg_read(b, 0, 1, 0x00, 2), 0x1234);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x02, 2), 0xa55a);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x03, 1), 0xa5);
	cfg_write(b, 0, 1, 0x12, 1, 0xab);
	cfg_write(b, 0, 1, 0x13, 1, 0xcd);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x10, 4), 0xcdab0000);
	cfg_write(b, 0, 1, 0x10, 2, 0x5fff);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x10, 4), 0xcdab5000);
	pcie_bench_free(b);
}

TEST(pcie_config, bar_sizes_follow_the_options)
{
	struct pcie_bench *b = BENCH(true, "--device pci-test", "bar32=2M,bar64=8G");

	ASSERT_EQ(b->err, 0);
	for (unsigned off = 0x10; off < 0x28; off += 4)
		cfg_write(b, 0, 1, off, 4, UINT32_MAX);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x10, 4), 0xffe00000);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x14, 4), 0);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x18, 4), 0x0000000c);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x1c, 4), 0xfffffffe);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x20, 4), 0xfffff000);
	EXPECT_EQ(cfg_read(b, 0, 1, 0x24, 4), 0);
	pcie_bench_free(b);
}

TEST(pcie_config, received_master_abort_is_cleared_by_writing_one)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "1");

	cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00010100);
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), 0);
	EXPECT_EQ(cfg_read(b, 1, 0, 0, 4), UINT32_MAX);
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), PCI_STATUS_REC_MASTER_ABORT);
	cfg_write(b, 0, 1, PCI_SEC_STATUS, 2, 0);
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), PCI_STATUS_REC_MASTER_ABORT);
	cfg_write(b, 0, 1, PCI_SEC_STATUS, 2, PCI_STATUS_REC_MASTER_ABORT);
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), 0);
	pcie_bench_free(b);
}

TEST(pcie_config, reset_equals_a_fresh_machine)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "1", "--device pci-test", "port=0",
				     "--device pci-test", "port=none");
	struct pcie_bench *fresh = BENCH(true, "--root-ports", "1", "--device pci-test", "port=0",
					 "--device pci-test", "port=none");

	for (unsigned slot = 0; slot < 3; slot++)
		for (unsigned off = 0; off < 0x100; off += 4)
			if (off != 0x48)
				cfg_write(b, 0, slot, off, 4, UINT32_MAX);
	b->dev->ops->reset(b->dev);
	for (unsigned bus = 0; bus < 2; bus++) {
		for (unsigned slot = 0; slot < 3; slot++)
			for (unsigned off = 0; off < 0x100; off += 4)
				EXPECT_EQ(cfg_read(b, bus, slot, off, 4),
					  cfg_read(fresh, bus, slot, off, 4));
		cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00010100);
		cfg_write(fresh, 0, 1, PCI_PRIMARY_BUS, 4, 0x00010100);
	}
	pcie_bench_free(fresh);
	pcie_bench_free(b);
}
