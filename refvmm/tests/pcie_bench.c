/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/pcie_bench.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

static int parse(struct pcie_conf *conf, const char *name, const char *arg)
{
	for (const struct dev_option *o = pcie_options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o->parse(conf, arg);
	abort();
}

struct pcie_bench *pcie_bench(bool highmem, const char *const *words)
{
	struct pcie_bench *b = calloc(1, sizeof(*b));
	struct dev_place place = {
		.range = {{ASSAY_PCIE_ECAM_BASE, ASSAY_PCIE_ECAM_SIZE},
			  {ASSAY_PCIE_MMIO_BASE, ASSAY_PCIE_MMIO_SIZE},
			  {ASSAY_PCIE_PIO_BASE, ASSAY_PCIE_PIO_SIZE}},
		.spi = ASSAY_SPI_PCIE_INTX,
		.nr_spi = ASSAY_SPI_PCIE_INTX_COUNT,
	};

	if (!b)
		abort();
	if (highmem) {
		place.range[0] =
			(struct dev_range){ASSAY_PCIE_ECAM_HIGH_BASE, ASSAY_PCIE_ECAM_HIGH_SIZE};
		place.range[3] =
			(struct dev_range){ASSAY_PCIE_MMIO_HIGH_BASE, ASSAY_PCIE_MMIO_HIGH_SIZE};
	}
	b->highmem = highmem;
	b->fe = fake_env_new();
	for (; *words && !b->err; words += 2)
		b->err = parse(&b->conf, words[0], words[1]);
	place.conf = &b->conf;
	if (!b->err)
		b->dev = fake_dev_at(b->fe, &pcie_host_ops, &place, &b->err);
	return b;
}

void pcie_bench_free(struct pcie_bench *b)
{
	fake_env_free(b->fe);
	free(b);
}

static uint64_t ecam(const struct pcie_bench *b, unsigned bus, unsigned slot, unsigned off)
{
	uint64_t base = b->highmem ? ASSAY_PCIE_ECAM_HIGH_BASE : ASSAY_PCIE_ECAM_BASE;

	return base + ((uint64_t)bus << 20 | (uint64_t)slot << 15 | off);
}

uint32_t cfg_read(struct pcie_bench *b, unsigned bus, unsigned slot, unsigned off, unsigned len)
{
	return (uint32_t)fake_read(b->fe, ecam(b, bus, slot, off), len);
}

void cfg_write(struct pcie_bench *b, unsigned bus, unsigned slot, unsigned off, unsigned len,
	       uint32_t val)
{
	fake_write(b->fe, ecam(b, bus, slot, off), len, val);
}

unsigned cfg_cap(struct pcie_bench *b, unsigned bus, unsigned slot, uint8_t id)
{
	unsigned at = cfg_read(b, bus, slot, PCI_CAPABILITY_LIST, 1);

	for (unsigned hops = 0; at && hops < 48; hops++) {
		if (cfg_read(b, bus, slot, at, 1) == id)
			return at;
		at = cfg_read(b, bus, slot, at + 1, 1);
	}
	return 0;
}

void bench_open_port(struct pcie_bench *b, unsigned port_slot, unsigned bus, uint64_t mem,
		     uint64_t mem_last, uint64_t pref, uint64_t pref_last)
{
	cfg_write(b, 0, port_slot, PCI_PRIMARY_BUS, 4, bus << 16 | bus << 8);
	cfg_write(b, 0, port_slot, PCI_MEMORY_BASE, 2, (uint32_t)(mem >> 16));
	cfg_write(b, 0, port_slot, PCI_MEMORY_LIMIT, 2, (uint32_t)(mem_last >> 16));
	cfg_write(b, 0, port_slot, PCI_PREF_MEMORY_BASE, 2, (uint32_t)(pref >> 16) & 0xffff);
	cfg_write(b, 0, port_slot, PCI_PREF_MEMORY_LIMIT, 2, (uint32_t)(pref_last >> 16) & 0xffff);
	cfg_write(b, 0, port_slot, PCI_PREF_BASE_UPPER32, 4, (uint32_t)(pref >> 32));
	cfg_write(b, 0, port_slot, PCI_PREF_LIMIT_UPPER32, 4, (uint32_t)(pref_last >> 32));
	cfg_write(b, 0, port_slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void bench_place(struct pcie_bench *b, unsigned bus, unsigned slot, uint32_t bar0, uint64_t bar2,
		 uint32_t bar4)
{
	cfg_write(b, bus, slot, PCI_BASE_ADDRESS_0, 4, bar0);
	cfg_write(b, bus, slot, PCI_BASE_ADDRESS_2, 4, (uint32_t)bar2);
	cfg_write(b, bus, slot, PCI_BASE_ADDRESS_3, 4, (uint32_t)(bar2 >> 32));
	cfg_write(b, bus, slot, PCI_BASE_ADDRESS_4, 4, bar4);
	cfg_write(b, bus, slot, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}
