/* SPDX-License-Identifier: Apache-2.0 */
/* MSI-X with its masks and pending bits, and INTx with its swizzle. */
#include <linux/pci_regs.h>

#include <assay/pcitest.h>

#include "tests/pcie_bench.h"
#include "tests/unit.h"

#define BAR0	 0x10100000U
#define BAR4	 0x10101000U
#define BAR2	 (ASSAY_PCIE_MMIO_HIGH_BASE + 0x100000)
#define MSIX_CAP 0x7cU
#define DOORBELL 0x08090040ULL

static struct pcie_bench *msix_bench(void)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "3", "--device pci-test", "port=2");

	bench_open_port(b, 3, 7, BAR0, BAR0 + 0xfffff, BAR2, BAR2 + 0xfffff);
	bench_place(b, 7, 0, BAR0, BAR2, BAR4);
	for (unsigned i = 0; i < ASSAY_PCITEST_VECTORS; i++) {
		fake_write(b->fe, BAR4 + 16 * i, 8, DOORBELL);
		fake_write(b->fe, BAR4 + 16 * i + 8, 4, 0x100 + i);
	}
	return b;
}

static void enable(struct pcie_bench *b, uint32_t flags)
{
	cfg_write(b, 7, 0, MSIX_CAP + PCI_MSIX_FLAGS, 2, flags);
}

static void mask(struct pcie_bench *b, unsigned vector, uint32_t on)
{
	fake_write(b->fe, BAR4 + 16 * vector + 12, 4, on);
}

static void fire(struct pcie_bench *b, uint32_t vector)
{
	fake_write(b->fe, BAR0 + ASSAY_PCITEST_MSIX, 4, vector);
}

static uint64_t pending(struct pcie_bench *b)
{
	return fake_read(b->fe, BAR4 + ASSAY_PCITEST_MSIX_PBA, 8);
}

static uint32_t lost(struct pcie_bench *b)
{
	return (uint32_t)fake_read(b->fe, BAR0 + ASSAY_PCITEST_LOST, 4);
}

TEST(pcie_msix, message_carries_address_data_and_requester)
{
	struct pcie_bench *b = msix_bench();

	enable(b, PCI_MSIX_FLAGS_ENABLE);
	mask(b, 5, 0);
	fire(b, 5);
	ASSERT_EQ(b->fe->nr_msi, 1);
	EXPECT_EQ(b->fe->msi[0].addr, DOORBELL);
	EXPECT_EQ(b->fe->msi[0].data, 0x105);
	EXPECT_EQ(b->fe->msi[0].devid, 0x0700);
	EXPECT_EQ(pending(b), 0);
	EXPECT_EQ(lost(b), 0);
	pcie_bench_free(b);
}

TEST(pcie_msix, masked_vector_pends_until_unmasked)
{
	struct pcie_bench *b = msix_bench();

	enable(b, PCI_MSIX_FLAGS_ENABLE);
	fire(b, 3);
	fire(b, 3);
	fire(b, 0);
	EXPECT_EQ(b->fe->nr_msi, 0);
	EXPECT_EQ(pending(b), 0x9);
	EXPECT_EQ(fake_read(b->fe, BAR4 + ASSAY_PCITEST_MSIX_PBA, 1), 0x9);
	mask(b, 3, 0);
	ASSERT_EQ(b->fe->nr_msi, 1);
	EXPECT_EQ(b->fe->msi[0].data, 0x103);
	EXPECT_EQ(pending(b), 0x1);
	pcie_bench_free(b);
}

TEST(pcie_msix, function_mask_holds_all_vectors)
{
	struct pcie_bench *b = msix_bench();

	enable(b, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	mask(b, 1, 0);
	mask(b, 2, 0);
	fire(b, 1);
	fire(b, 2);
	fire(b, 3);
	EXPECT_EQ(b->fe->nr_msi, 0);
	EXPECT_EQ(pending(b), 0xe);
	enable(b, PCI_MSIX_FLAGS_ENABLE);
	EXPECT_EQ(b->fe->nr_msi, 2);
	EXPECT_EQ(pending(b), 0x8);
	pcie_bench_free(b);
}

TEST(pcie_msix, pending_bits_are_read_only)
{
	struct pcie_bench *b = msix_bench();

	enable(b, PCI_MSIX_FLAGS_ENABLE);
	fire(b, 3);
	fake_write(b->fe, BAR4 + ASSAY_PCITEST_MSIX_PBA, 8, 0);
	EXPECT_EQ(pending(b), 0x8);
	fake_write(b->fe, BAR4 + ASSAY_PCITEST_MSIX_PBA, 4, 0xff);
	EXPECT_EQ(pending(b), 0x8);
	pcie_bench_free(b);
}

TEST(pcie_msix, what_cannot_be_sent_is_lost)
{
	struct pcie_bench *b = msix_bench();

	mask(b, 0, 0);
	fire(b, 0); /* MSI-X is off */
	EXPECT_EQ(lost(b), 1);
	enable(b, PCI_MSIX_FLAGS_ENABLE);
	fire(b, ASSAY_PCITEST_VECTORS); /* no such vector */
	fire(b, UINT32_MAX);
	EXPECT_EQ(lost(b), 3);
	cfg_write(b, 7, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	fire(b, 0); /* not a bus master */
	EXPECT_EQ(lost(b), 4);
	cfg_write(b, 7, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	cfg_write(b, 0, 3, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	fire(b, 0); /* its port does not forward */
	EXPECT_EQ(lost(b), 5);
	EXPECT_EQ(b->fe->nr_msi, 0);
	cfg_write(b, 0, 3, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	fire(b, 0);
	EXPECT_EQ(b->fe->nr_msi, 1);
	EXPECT_EQ(lost(b), 5);
	b->fe->msi_result = -19; /* as KVM_SIGNAL_MSI says for an address that is no doorbell */
	fire(b, 0);
	EXPECT_EQ(lost(b), 6);
	pcie_bench_free(b);
}

TEST(pcie_msix, table_takes_words_and_double_words_only)
{
	struct pcie_bench *b = msix_bench();
	unsigned errors = b->fe->guest_errors;

	fake_write(b->fe, BAR4, 8, UINT64_MAX);
	EXPECT_EQ(fake_read(b->fe, BAR4, 8), 0xfffffffffffffffc); /* a message is aligned */
	EXPECT_EQ(fake_read(b->fe, BAR4, 4), 0xfffffffc);
	fake_write(b->fe, BAR4 + 8, 8, UINT64_MAX);
	EXPECT_EQ(fake_read(b->fe, BAR4 + 8, 8), 0x00000001ffffffff);
	fake_write(b->fe, BAR4, 2, 0);
	fake_write(b->fe, BAR4 + 1, 1, 0);
	fake_write(b->fe, BAR4 + 16 * ASSAY_PCITEST_VECTORS, 4, 0);
	EXPECT_EQ(b->fe->guest_errors, errors + 3);
	EXPECT_EQ(fake_read(b->fe, BAR4, 2), 0);
	EXPECT_EQ(fake_read(b->fe, BAR4, 8), 0xfffffffffffffffc);
	EXPECT_EQ(fake_read(b->fe, BAR4 + 16 * ASSAY_PCITEST_VECTORS, 8), 0);
	pcie_bench_free(b);
}

/* ---- INTx: SPI 3 + (slot on the root bus + pin) mod 4, with INTA */

static void place_on_root(struct pcie_bench *b, unsigned slot)
{
	uint32_t at = BAR0 + slot * 0x100000;

	bench_place(b, 0, slot, at, BAR2 + slot * 0x100000ULL, at + 0x1000);
}

static void intx(struct pcie_bench *b, unsigned slot, uint32_t level)
{
	fake_write(b->fe, BAR0 + slot * 0x100000 + ASSAY_PCITEST_INTX, 4, level);
}

static unsigned lines(const struct pcie_bench *b)
{
	unsigned set = 0;

	for (unsigned i = 0; i < 4; i++)
		set |= (unsigned)b->fe->level[ASSAY_SPI_PCIE_INTX + i] << i;
	return set;
}

TEST(pcie_intx, lines_go_round_by_slot)
{
	struct pcie_bench *b =
		BENCH(true, "--device pci-test", "", "--device pci-test", "", "--device pci-test",
		      "", "--device pci-test", "", "--device pci-test", "");

	ASSERT_EQ(b->err, 0);
	for (unsigned slot = 1; slot <= 5; slot++) {
		place_on_root(b, slot);
		EXPECT_EQ(fake_read(b->fe, BAR0 + slot * 0x100000 + ASSAY_PCITEST_INDEX, 4),
			  slot - 1);
		intx(b, slot, 1);
		EXPECT_EQ(lines(b), 1U << slot % 4);
		EXPECT_EQ(cfg_read(b, 0, slot, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
			  PCI_STATUS_INTERRUPT);
		intx(b, slot, 0);
		EXPECT_EQ(lines(b), 0);
	}
	pcie_bench_free(b);
}

TEST(pcie_intx, shared_line_falls_with_the_last_function)
{
	struct pcie_bench *b =
		BENCH(true, "--device pci-test", "", "--device pci-test", "", "--device pci-test",
		      "", "--device pci-test", "", "--device pci-test", "");

	place_on_root(b, 1);
	place_on_root(b, 5);
	intx(b, 1, 1);
	intx(b, 5, 1);
	EXPECT_EQ(b->fe->rises[ASSAY_SPI_PCIE_INTX + 1], 1);
	intx(b, 1, 0);
	EXPECT_EQ(lines(b), 2);
	intx(b, 5, 0);
	EXPECT_EQ(lines(b), 0);
	pcie_bench_free(b);
}

TEST(pcie_intx, behind_a_port_the_slot_of_the_port_counts)
{
	struct pcie_bench *b = msix_bench(); /* the port is in slot 3 */

	fake_write(b->fe, BAR0 + ASSAY_PCITEST_INTX, 4, 1);
	EXPECT_EQ(lines(b), 8);
	pcie_bench_free(b);
}

TEST(pcie_intx, disable_bit_and_msix_and_reset_let_the_line_fall)
{
	struct pcie_bench *b = msix_bench();
	uint32_t on = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	fake_write(b->fe, BAR0 + ASSAY_PCITEST_INTX, 4, 1);
	cfg_write(b, 7, 0, PCI_COMMAND, 2, on | PCI_COMMAND_INTX_DISABLE);
	EXPECT_EQ(lines(b), 0);
	EXPECT_EQ(cfg_read(b, 7, 0, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
	cfg_write(b, 7, 0, PCI_COMMAND, 2, on);
	EXPECT_EQ(lines(b), 8);
	enable(b, PCI_MSIX_FLAGS_ENABLE);
	EXPECT_EQ(lines(b), 0);
	enable(b, 0);
	EXPECT_EQ(lines(b), 8);
	cfg_write(b, 0, 3, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	EXPECT_EQ(lines(b), 0);
	pcie_bench_free(b);
}
