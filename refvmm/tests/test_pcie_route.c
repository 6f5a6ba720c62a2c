/* SPDX-License-Identifier: Apache-2.0 */
/* A function answers only when every number, window and Command bit on the path lets it. */
#include <linux/pci_regs.h>

#include <assay/pcitest.h>

#include "tests/pcie_bench.h"
#include "tests/unit.h"

#define MEM    0x10000000ULL
#define BAR0   0x10100000U
#define BAR4   0x10101000U
#define HIGH   ASSAY_PCIE_MMIO_HIGH_BASE
#define BAR2   (HIGH + 0x100000)
#define ABSENT UINT32_MAX
#define LAST   0x11e00000U /* what the 15th port gets */

/* One port (slot 1) with an endpoint behind it, all open: bus 1, BAR0, BAR2 above 4 GiB, BAR4. */
static struct pcie_bench *open_bench(void)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "1", "--device pci-test", "");

	bench_open_port(b, 1, 1, BAR0, BAR0 + 0xfffff, BAR2, BAR2 + 0xfffff);
	bench_place(b, 1, 0, BAR0, BAR2, BAR4);
	return b;
}

static uint32_t id_at(struct pcie_bench *b, uint64_t addr)
{
	return (uint32_t)fake_read(b->fe, addr, 4);
}

TEST(pcie_route, absent_functions_read_as_ones_of_any_width)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "1");

	EXPECT_EQ(cfg_read(b, 0, 2, 0, 4), 0xffffffff);
	EXPECT_EQ(cfg_read(b, 0, 2, 0, 2), 0xffff);
	EXPECT_EQ(cfg_read(b, 0, 2, 3, 1), 0xff);
	EXPECT_EQ(cfg_read(b, 1, 0, 0, 4), 0xffffffff);
	EXPECT_EQ(cfg_read(b, 255, 31, 0, 4), 0xffffffff);
	cfg_write(b, 0, 2, 4, 4, 0xffffffff);
	/* function 1 of the port */
	EXPECT_EQ(fake_read(b->fe, ASSAY_PCIE_ECAM_HIGH_BASE + 0x9000, 4), 0xffffffff);
	pcie_bench_free(b);
}

TEST(pcie_route, bus_numbers_are_those_the_guest_programs)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "2", "--device pci-test", "port=0",
				     "--device pci-test", "port=1");

	EXPECT_EQ(cfg_read(b, 1, 0, 0, 4), ABSENT); /* nothing is programmed yet */
	cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00070500);
	cfg_write(b, 0, 2, PCI_PRIMARY_BUS, 4, 0x00090900);
	EXPECT_EQ(cfg_read(b, 4, 0, 0, 4), ABSENT);
	EXPECT_EQ(cfg_read(b, 5, 0, 0, 4), 0xa55a1234);
	EXPECT_EQ(cfg_read(b, 5, 1, 0, 4), ABSENT); /* a port's link has device 0 only */
	EXPECT_EQ(cfg_read(b, 6, 0, 0, 4), ABSENT); /* in its range, but nothing is there */
	EXPECT_EQ(cfg_read(b, 7, 0, 0, 4), ABSENT);
	EXPECT_EQ(cfg_read(b, 8, 0, 0, 4), ABSENT);
	EXPECT_EQ(cfg_read(b, 9, 0, 0, 4), 0xa55a1234);
	cfg_write(b, 0, 1, PCI_SECONDARY_BUS, 1, 0xff);
	EXPECT_EQ(cfg_read(b, 5, 0, 0, 4), ABSENT); /* secondary above subordinate */
	pcie_bench_free(b);
}

TEST(pcie_route, port_without_a_number_hides_no_other)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "2", "--device pci-test", "port=1");

	cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00ff0000);
	cfg_write(b, 0, 2, PCI_PRIMARY_BUS, 4, 0x00050500);
	EXPECT_EQ(cfg_read(b, 5, 0, 0, 4), 0xa55a1234);
	pcie_bench_free(b);
}

TEST(pcie_route, windows_reach_to_their_last_byte)
{
	struct pcie_bench *b = open_bench();

	bench_place(b, 1, 0, BAR0 + 0xff000, BAR2, BAR0 + 0xfe000);
	EXPECT_EQ(fake_read(b->fe, BAR0 + 0xffff8, 8), 0xff8);
	bench_open_port(b, 1, 1, BAR0 + 0x100000, BAR0 + 0x1fffff, BAR2, BAR2 + 0xfffff);
	EXPECT_EQ(fake_read(b->fe, BAR0 + 0xffff8, 8), UINT64_MAX);
	pcie_bench_free(b);
}

TEST(pcie_route, requester_id_follows_the_bus_number)
{
	struct pcie_bench *b = open_bench();

	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_RID), 0x0100);
	cfg_write(b, 0, 1, PCI_PRIMARY_BUS, 4, 0x00424200);
	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_RID), 0x4200);
	pcie_bench_free(b);
}

TEST(pcie_route, endpoint_answers_behind_open_windows)
{
	struct pcie_bench *b = open_bench();

	EXPECT_EQ(id_at(b, BAR0), ASSAY_PCITEST_MAGIC);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0x1000, 8), 0x1000);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0xff000 - 8, 8), 0xfeff8);
	EXPECT_EQ(id_at(b, BAR4 + 12), 1); /* vector 0 comes up masked */
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), 0);
	pcie_bench_free(b);
}

/* Each closes one gate of an open path, and expects silence from BAR0 and from BAR2. */
TEST(pcie_route, any_closed_gate_silences_the_endpoint)
{
	static const struct {
		unsigned bus, slot, off, len;
		uint32_t val;
		bool bar0, bar2; /* which still answer */
	} gates[] = {
		{0, 1, PCI_COMMAND, 2, PCI_COMMAND_MASTER, false, false},
		{1, 0, PCI_COMMAND, 2, PCI_COMMAND_MASTER, false, false},
		{0, 1, PCI_MEMORY_BASE, 2, 0x1020, false, true},
		{0, 1, PCI_MEMORY_LIMIT, 2, 0x1000, false, true},
		{0, 1, PCI_PREF_MEMORY_BASE, 2, 0x0020, true, false},
		{0, 1, PCI_PREF_MEMORY_LIMIT, 2, 0x0000, true, false},
		{0, 1, PCI_PREF_BASE_UPPER32, 4, 0x81, true, false},
		{0, 1, PCI_PREF_LIMIT_UPPER32, 4, 0x7f, true, false},
		{0, 1, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET, false, false},
		{0, 1, 0x50, 2, PCI_EXP_LNKCTL_LD, false, false},
		{1, 0, PCI_BASE_ADDRESS_0, 4, BAR0 + 0x10000, false, true},
		{1, 0, PCI_BASE_ADDRESS_3, 4, 0x81, true, false},
	};

	for (unsigned i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		struct pcie_bench *b = open_bench();
		unsigned answer, want = gates[i].bar0 + 2U * gates[i].bar2;

		cfg_write(b, gates[i].bus, gates[i].slot, gates[i].off, gates[i].len, gates[i].val);
		answer = id_at(b, BAR0) != ABSENT;
		answer += 2U * (id_at(b, BAR2 + 0x1000) != ABSENT);
		if (answer != want)
			unit_fail(__FILE__, (int)i, "gate (line is its index): answering BARs",
				  answer, want);
		pcie_bench_free(b);
	}
}

TEST(pcie_route, unclaimed_memory_reads_as_ones)
{
	struct pcie_bench *b = open_bench();

	EXPECT_EQ(fake_read(b->fe, MEM, 8), UINT64_MAX);
	EXPECT_EQ(fake_read(b->fe, MEM, 1), 0xff);
	EXPECT_EQ(fake_read(b->fe, BAR0 + 0x2000, 4), ABSENT); /* in the port's window, no BAR */
	EXPECT_EQ(cfg_read(b, 0, 1, PCI_SEC_STATUS, 2), PCI_STATUS_REC_MASTER_ABORT);
	EXPECT_EQ(fake_read(b->fe, HIGH + 0x7ffffffff8, 8), UINT64_MAX);
	EXPECT_EQ(fake_read(b->fe, ASSAY_PCIE_PIO_BASE, 4), ABSENT);
	fake_write(b->fe, ASSAY_PCIE_PIO_BASE, 4, 0);
	EXPECT_EQ(b->fe->guest_errors, 0);
	pcie_bench_free(b);
}

TEST(pcie_route, wide_window_at_the_top_of_the_address_space)
{
	struct pcie_bench *b = open_bench();
	uint64_t top = HIGH + ASSAY_PCIE_MMIO_HIGH_SIZE - 0x100000;

	bench_open_port(b, 1, 1, BAR0, BAR0 + 0xfffff, top, top + 0xfffff);
	bench_place(b, 1, 0, BAR0, top, BAR4);
	fake_write(b->fe, top + 0xffff8, 8, 0x1122334455667788);
	EXPECT_EQ(fake_read(b->fe, top + 0xffff8, 8), 0x1122334455667788);
	EXPECT_EQ(fake_read(b->fe, top + 0xffffc, 4), 0x11223344);
	EXPECT_EQ(fake_read(b->fe, BAR2, 8), UINT64_MAX);
	pcie_bench_free(b);
}

TEST(pcie_route, prefetchable_bar_may_lie_in_the_plain_window)
{
	struct pcie_bench *b = BENCH(false, "--root-ports", "1", "--device pci-test", "");

	ASSERT_EQ(b->err, 0);
	bench_open_port(b, 1, 1, MEM, MEM + 0x1fffff, 0x30000000, 0x2ff00000);
	bench_place(b, 1, 0, MEM, MEM + 0x100000, MEM + 0x1000);
	EXPECT_EQ(id_at(b, MEM), ASSAY_PCITEST_MAGIC);
	EXPECT_EQ(fake_read(b->fe, MEM + 0x101000, 8), 0x1000);
	pcie_bench_free(b);
}

TEST(pcie_route, fifteen_ports_in_the_low_ecam)
{
	struct pcie_bench *b = BENCH(false, "--root-ports", "15", "--device pci-test", "");

	ASSERT_EQ(b->err, 0);
	for (unsigned slot = 1; slot <= 15; slot++) {
		uint64_t mem = MEM + slot * 0x200000ULL;

		EXPECT_EQ(cfg_read(b, 0, slot, 0, 4), 0xa5501234);
		bench_open_port(b, slot, slot, mem, mem + 0xfffff, mem + 0x100000, mem + 0x1fffff);
		EXPECT_EQ(cfg_read(b, slot, 0, 0, 4), slot == 15 ? 0xa55a1234 : ABSENT);
	}
	EXPECT_EQ(cfg_read(b, 0, 16, 0, 4), ABSENT);
	bench_place(b, 15, 0, LAST, LAST + 0x100000, LAST + 0x1000);
	EXPECT_EQ(id_at(b, LAST + ASSAY_PCITEST_RID), 0x0f00);
	pcie_bench_free(b);
}

TEST(pcie_route, resets_behind_the_port_forget_the_configuration)
{
	static const struct {
		unsigned bus, slot, off;
		uint32_t on, off_again;
	} resets[] = {
		{0, 1, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 0},
		{0, 1, 0x50, PCI_EXP_LNKCTL_LD, 0},
		{1, 0, 0x48, PCI_EXP_DEVCTL_BCR_FLR, 0},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct pcie_bench *b = open_bench();

		fake_write(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH, 8, 0x1234);
		cfg_write(b, resets[i].bus, resets[i].slot, resets[i].off, 2, resets[i].on);
		cfg_write(b, resets[i].bus, resets[i].slot, resets[i].off, 2, resets[i].off_again);
		EXPECT_EQ(cfg_read(b, 1, 0, 0, 4), 0xa55a1234);
		EXPECT_EQ(cfg_read(b, 1, 0, PCI_COMMAND, 2), 0);
		EXPECT_EQ(cfg_read(b, 1, 0, PCI_BASE_ADDRESS_0, 4), 0);
		bench_place(b, 1, 0, BAR0, BAR2, BAR4);
		EXPECT_EQ(fake_read(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH, 8), 0);
		EXPECT_EQ(cfg_read(b, 0, 1, 0x52, 2), 0x2011);
		pcie_bench_free(b);
	}
}

TEST(pcie_route, registers_of_the_endpoint)
{
	struct pcie_bench *b = open_bench();

	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_VERSION), ASSAY_PCITEST_ABI);
	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_INDEX), 0);
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH, 8, 0x8877665544332211);
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH + 1, 1, 0xaa);
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH + 2, 2, 0xbbbb);
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH + 4, 4, 0xcccccccc);
	EXPECT_EQ(fake_read(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH, 8), 0xccccccccbbbbaa11);
	EXPECT_EQ(fake_read(b->fe, BAR0 + ASSAY_PCITEST_SCRATCH + 6, 2), 0xcccc);
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_COUNT, 4, 0);
	id_at(b, BAR0);
	fake_write(b->fe, BAR2, 1, 1);
	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_COUNT), 2);
	EXPECT_EQ(id_at(b, BAR0 + ASSAY_PCITEST_COUNT), 2);
	EXPECT_EQ(fake_read(b->fe, BAR0 + 0x30, 8), 0x30);
	EXPECT_EQ(fake_read(b->fe, BAR0 + 0xff9, 1), 0x0f);
	fake_write(b->fe, BAR2 + 0x1000, 8, 0);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0x1000, 8), 0x1000);
	fake_write(b->fe, BAR2 + 0xff8, 8, 42);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0xff8, 8), 42);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0xffff8, 8), 0);
	fake_write(b->fe, BAR2 + 0xffff8, 8, 43);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0xff8, 8), 42);
	EXPECT_EQ(fake_read(b->fe, BAR2 + 0xffff8, 8), 43);
	pcie_bench_free(b);
}
