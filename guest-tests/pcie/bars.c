/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BARs: sizing, placing, and who answers where (PCI Express Base Specification,
 * 7.5.1.2.1, 7.5.1.3; abi/assay/pcitest.h says what the test endpoint holds).
 */
#include "common.h"

static bool power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

TEST(pcie, bars_are_sized_by_writing_ones, RULE("PCIE-BAR-1"),
     .variants = "ports1: --root-ports 1 | "
		 "large: --root-ports 1 --device pci-test,port=0,bar32=64K,bar64=16M | "
		 "ports15: --root-ports 15")
{
	struct pci_host *h = enumerated();
	struct pci_function *f = last_endpoint(h);

	pci_size_bars(h, f);
	EXPECT_TRUE(f->bar[0].memory && !f->bar[0].wide && !f->bar[0].prefetchable);
	EXPECT_TRUE(f->bar[2].memory && f->bar[2].wide && f->bar[2].prefetchable);
	EXPECT_TRUE(f->bar[ASSAY_PCITEST_MSIX_BAR].memory && !f->bar[ASSAY_PCITEST_MSIX_BAR].wide);
	/* what the VMM was asked for */
	EXPECT_EQ(f->bar[0].size, variant_is("large") ? SZ_64K : SZ_4K);
	EXPECT_EQ(f->bar[2].size, variant_is("large") ? 16 * SZ_1M : SZ_1M);
	for (unsigned int i = 0; i < PCI_BARS; i++) {
		bool there = i == 0 || i == 2 || i == ASSAY_PCITEST_MSIX_BAR;

		EXPECT_EQ(f->bar[i].size != 0, there);
		EXPECT_TRUE(!there || (power_of_two(f->bar[i].size) && f->bar[i].size >= 16));
		NOTE("BAR %u: 0x%lx bytes", i, f->bar[i].size);
	}
}

/* The type bits are read-only; address bits below the size read zero. */
TEST(pcie, bars_keep_their_type_and_alignment, RULE("PCIE-BAR-2"),
     .variants = "ports1: --root-ports 1 | ports15: --root-ports 15")
{
	struct pci_host *h = enumerated();
	struct pci_function *f = last_endpoint(h);
	uint32_t low;

	pci_size_bars(h, f);
	for (unsigned int i = 0; i < 3; i += 2) {
		uint32_t type = i == 0 ? 0x0 : 0xc;

		low = pci_rd32(h, f->bdf, PCI_BAR0 + 4 * i);
		EXPECT_EQ(low & 0xf, type);
		for (unsigned int n = 0; n < 4; n++) {
			uint32_t value = (uint32_t)rnd();

			pci_wr32(h, f->bdf, PCI_BAR0 + 4 * i, value);
			EXPECT_EQ(pci_rd32(h, f->bdf, PCI_BAR0 + 4 * i),
				  (value & ~(uint32_t)(f->bar[i].size - 1)) | type);
		}
	}
}

static void expect_scratch_at(uint64_t at)
{
	uint64_t v = rnd();

	mmio_wr64(at, v);
	EXPECT_EQ(mmio_rd64(at), v);
	for (unsigned int i = 0; i < 8; i++)
		EXPECT_EQ(mmio_rd8(at + i), (uint8_t)(v >> (8 * i)));
	for (unsigned int i = 0; i < 8; i += 2)
		EXPECT_EQ(mmio_rd16(at + i), (uint16_t)(v >> (8 * i)));
	for (unsigned int i = 0; i < 8; i += 4)
		EXPECT_EQ(mmio_rd32(at + i), (uint32_t)(v >> (8 * i)));
	mmio_wr8(at + 3, 0xa5);
	mmio_wr16(at + 4, 0x5a5a);
	v = (v & ~0x0000ffffff000000ULL) | 0x00005a5aa5000000ULL;
	EXPECT_EQ(mmio_rd64(at), v);
	mmio_wr32(at, 0x12345678);
	EXPECT_EQ(mmio_rd64(at), (v & ~0xffffffffULL) | 0x12345678);
}

TEST(pcie, a_bar_in_the_32_bit_window_answers_at_every_width, RULE("PCIE-MEM-1"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint64_t bar = bar_address(f, 0);

	EXPECT_GE(bar, h->low.cpu);
	EXPECT_LE(bar + f->bar[0].size, h->low.cpu + h->low.size);
	EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
	expect_scratch_at(bar + ASSAY_PCITEST_SCRATCH);
}

TEST(pcie, a_bar_in_the_64_bit_window_answers_at_every_width, RULE("PCIE-MEM-2"),
     .variants = "ports1: --root-ports 1 | ports8: --root-ports 8 | ports15: --root-ports 15 | "
		 "large: --root-ports 1 --device pci-test,port=0,bar64=64M | "
		 "low: --root-ports 1 --machine highmem=off")
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint64_t bar = bar_address(f, 2);
	struct pci_window *w = h->high.size ? &h->high : &h->low;

	EXPECT_GE(bar, w->cpu);
	EXPECT_LE(bar + f->bar[2].size, w->cpu + w->size);
	EXPECT_EQ(f->bar[2].size, variant_is("large") ? 64 * SZ_1M : SZ_1M);
	expect_scratch_at(bar);
	expect_scratch_at(bar + f->bar[2].size - 8);
	/* what is neither register nor memory reads as its own offset */
	for (unsigned int i = 0; i < 32; i++) {
		uint64_t off = SZ_4K + rnd_below((f->bar[2].size - 2 * SZ_4K) / 8) * 8;

		EXPECT_EQ(mmio_rd64(bar + off), off);
	}
}

/* What nobody decodes is an Unsupported Request: reads are all ones, writes are lost (2.3.2). */
static void expect_silence(uint64_t at)
{
	mmio_wr64(at, 0);
	EXPECT_EQ(mmio_rd64(at), ~0ULL);
	EXPECT_EQ(mmio_rd32(at), 0xffffffff);
	EXPECT_EQ(mmio_rd16(at), 0xffff);
	EXPECT_EQ(mmio_rd8(at), 0xff);
}

TEST(pcie, nothing_answers_with_decoding_off, RULE("PCIE-MEM-3"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint64_t low = bar_address(f, 0), high = bar_address(f, 2), value = rnd();
	uint16_t command = pci_rd16(h, f->bdf, PCI_COMMAND);

	mmio_wr64(low + ASSAY_PCITEST_SCRATCH, value);
	mmio_wr64(high, value);
	pci_wr16(h, f->bdf, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MEMORY));
	expect_silence(low + ASSAY_PCITEST_SCRATCH);
	expect_silence(high);
	pci_wr16(h, f->bdf, PCI_COMMAND, command);
	EXPECT_EQ(mmio_rd64(low + ASSAY_PCITEST_SCRATCH), value);
	EXPECT_EQ(mmio_rd64(high), value);
}

/* Memory Space Enable of the port itself closes the way as well (7.5.1.1.3). */
TEST(pcie, nothing_passes_a_port_with_decoding_off, RULE("PCIE-MEM-4"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint16_t port = last_port(h)->bdf, command = pci_rd16(h, port, PCI_COMMAND);
	uint64_t low = bar_address(f, 0), high = bar_address(f, 2);

	pci_wr16(h, port, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MEMORY));
	expect_silence(low + ASSAY_PCITEST_SCRATCH);
	expect_silence(high);
	pci_wr16(h, port, PCI_COMMAND, command);
	EXPECT_EQ(mmio_rd32(low + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
}

/* Base above Limit: the window passes nothing (7.5.1.3.8, 7.5.1.3.9). Each window for itself. */
TEST(pcie, nothing_passes_a_closed_window, RULE("PCIE-MEM-5"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint16_t port = last_port(h)->bdf;
	uint64_t low = bar_address(f, 0), high = bar_address(f, 2), value = rnd();
	uint32_t window = pci_rd32(h, port, PCI_MEMORY_BASE);
	uint32_t prefetchable = pci_rd32(h, port, PCI_PREF_BASE);
	uint32_t upper = pci_rd32(h, port, PCI_PREF_BASE_UPPER);

	NEED("pcie-mmio64", h->high.size, "no 64-bit window: both BARs are behind one window");
	mmio_wr64(high, value);
	pci_wr32(h, port, PCI_MEMORY_BASE, 0x0000fff0);
	expect_silence(low + ASSAY_PCITEST_SCRATCH);
	EXPECT_EQ(mmio_rd64(high), value);
	pci_wr32(h, port, PCI_MEMORY_BASE, window);
	pci_wr32(h, port, PCI_PREF_BASE_UPPER, 0xffffffff);
	expect_silence(high);
	EXPECT_EQ(mmio_rd32(low + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
	pci_wr32(h, port, PCI_PREF_BASE_UPPER, upper);
	EXPECT_EQ(pci_rd32(h, port, PCI_PREF_BASE), prefetchable);
	EXPECT_EQ(mmio_rd64(high), value);
}

/* Inside the port's window (1 MiB at least) and outside every BAR is nobody. */
TEST(pcie, nothing_answers_between_the_bars, RULE("PCIE-MEM-6"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint64_t end = f->bar[0].cpu + f->bar[0].size;

	for (unsigned int i = 0; i < PCI_BARS; i++)
		if (f->bar[i].memory && !f->bar[i].prefetchable)
			end = MAX(end, f->bar[i].cpu + f->bar[i].size);
	expect_silence(end);
	expect_silence(end + 8);
	expect_silence(ALIGN_UP(end, SZ_1M) - 8);
	for (unsigned int i = 0; i < 16; i++)
		expect_silence(end + rnd_below((ALIGN_UP(end, SZ_1M) - end) / 8) * 8);
	/* behind the last window */
	expect_silence(h->low.cpu + h->low.size - 8);
	if (h->high.size)
		expect_silence(h->high.cpu + h->high.size - 8);
}

TEST(pcie, a_bar_can_be_moved, RULE("PCIE-BAR-3"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	uint64_t was = bar_address(f, 0), offset = 0x80000, value = rnd();
	uint16_t command = pci_rd16(h, f->bdf, PCI_COMMAND);

	mmio_wr64(was + ASSAY_PCITEST_SCRATCH, value);
	pci_wr16(h, f->bdf, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MEMORY));
	pci_wr32(h, f->bdf, PCI_BAR0, (uint32_t)(f->bar[0].pci + offset));
	pci_wr16(h, f->bdf, PCI_COMMAND, command);
	EXPECT_EQ(mmio_rd64(was + offset + ASSAY_PCITEST_SCRATCH), value);
	expect_silence(was + ASSAY_PCITEST_SCRATCH);
}
