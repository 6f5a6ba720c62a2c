/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest on the PCIe host: any sequence of accesses to ECAM and to the memory windows.
 * Built with -fsanitize=fuzzer,address,undefined together with the device and the fake board.
 *
 * Each step is 8 bytes: what to do, where, and a value. Addresses are steered to where something
 * is, as random ones hit nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/pcie_bench.h"

struct step {
	uint8_t op, len, where, reg;
	uint32_t val;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The BAR the guest programmed last, found as a guest would: by reading it back. */
static uint64_t bar_of(struct pcie_bench *b, unsigned bus, unsigned slot, unsigned n)
{
	uint64_t low = cfg_read(b, bus, slot, 0x10 + 4 * n, 4);

	if (low & 4)
		low |= (uint64_t)cfg_read(b, bus, slot, 0x14 + 4 * n, 4) << 32;
	return low & ~0xfULL;
}

static uint64_t address(struct pcie_bench *b, const struct step *s, unsigned len)
{
	uint64_t addr;

	switch (s->op >> 4 & 3) {
	case 0:
		addr = bar_of(b, s->where & 3, s->where >> 2 & 7, (s->where >> 5) % 5);
		break;
	case 1:
		addr = ASSAY_PCIE_MMIO_BASE + ((uint64_t)s->val << 12) % ASSAY_PCIE_MMIO_SIZE;
		break;
	case 2:
		addr = ASSAY_PCIE_MMIO_HIGH_BASE + ((uint64_t)s->val << 16);
		break;
	default:
		addr = (uint64_t)s->val << (s->where & 31);
	}
	if (s->op & 0x40) /* from the end: the last registers, table entries, bytes of memory */
		addr += (s->where >> 5) % 5 == 2 ? PCI_TEST_BAR64_DEFAULT - 0x800 : 0x800;
	addr += (uint64_t)s->reg * 8 + (s->val & 7);
	return addr & ~(uint64_t)(len - 1);
}

static void take(struct pcie_bench *b, const struct step *s)
{
	unsigned len = 1U << (s->len & 3);
	unsigned bus = s->where & 3, slot = s->where >> 2 & 7, off = s->reg & ~(len - 1);
	uint64_t addr;

	switch (s->op & 7) {
	case 0:
	case 1:
		cfg_write(b, bus, slot, off, len & 7, s->val);
		break;
	case 2:
		cfg_read(b, bus, slot, off + (s->val & 0xf00), len & 7);
		break;
	case 3:
	case 4:
		addr = address(b, s, len);
		fake_write(b->fe, addr, len, s->val * 0x100000001ULL);
		break;
	case 5:
		addr = address(b, s, len);
		fake_read(b->fe, addr, len);
		break;
	case 6: /* open the path, or little would ever be reached */
		bench_open_port(b, 1 + (slot & 1), 1 + (bus & 1), 0x10000000, 0x2fffffff,
				ASSAY_PCIE_MMIO_HIGH_BASE, ASSAY_PCIE_MMIO_HIGH_BASE + 0x3fffffff);
		bench_place(b, 1 + (bus & 1), 0, 0x10000000 + (s->val & 0xff) * 0x100000,
			    ASSAY_PCIE_MMIO_HIGH_BASE + (s->val >> 8 & 0xff) * 0x100000ULL,
			    0x20000000 + (s->val >> 16) * 0x1000);
		break;
	default:
		if (s->val % 64 == 0)
			b->dev->ops->reset(b->dev);
	}
}

/* The lines follow the functions, whatever was done to them. */
static void check_lines(struct pcie_bench *b)
{
	for (unsigned slot = 0; slot < PCIE_SLOTS; slot++) {
		if (cfg_read(b, 0, slot, 0, 4) != UINT32_MAX)
			cfg_write(b, 0, slot, 4, 2, 0x400);
		cfg_write(b, 0, slot, 0x18, 4, 0x00010100);
		cfg_write(b, 0, slot, 0x3c, 4, 0);
		cfg_write(b, 0, slot, 0x50, 4, 0);
		cfg_write(b, 1, 0, 4, 2, 0x400);
		cfg_write(b, 0, slot, 0x18, 4, 0);
	}
	for (unsigned i = 0; i < PCIE_PINS; i++)
		if (b->fe->level[ASSAY_SPI_PCIE_INTX + i])
			abort(); /* every function is told not to assert */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcie_bench *b = BENCH(true, "--root-ports", "2", "--device pci-test", "",
				     "--device pci-test", "", "--device pci-test", "port=none");

	for (; size >= sizeof(struct step);
	     data += sizeof(struct step), size -= sizeof(struct step)) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		take(b, &s);
	}
	check_lines(b);
	pcie_bench_free(b);
	return 0;
}
