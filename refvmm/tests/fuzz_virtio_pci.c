/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest on virtio over PCI: configuration space, with its window, and the BARs, of a source of random numbers
 * behind a port and another on the root bus. The doorbell must be where the BAR is, or nowhere.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/pcie_bench.h"
#include "tests/virtio_bench.h"
#include "virtio/pci.h"

struct step {
	uint8_t op, len;
	uint16_t where;
	uint32_t val;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BAR 0x8000000000ULL

static struct pcie_bench *bench(struct virtio_conf *conf)
{
	struct pcie_bench *b = calloc(1, sizeof(*b));
	struct dev_place place = {
		.range = {{ASSAY_PCIE_ECAM_HIGH_BASE, ASSAY_PCIE_ECAM_HIGH_SIZE},
			  {ASSAY_PCIE_MMIO_BASE, ASSAY_PCIE_MMIO_SIZE},
			  {ASSAY_PCIE_PIO_BASE, ASSAY_PCIE_PIO_SIZE},
			  {ASSAY_PCIE_MMIO_HIGH_BASE, ASSAY_PCIE_MMIO_HIGH_SIZE}},
		.spi = ASSAY_SPI_PCIE_INTX,
		.nr_spi = ASSAY_SPI_PCIE_INTX_COUNT,
	};

	if (!b)
		abort();
	b->highmem = true;
	b->fe = fake_env_new();
	b->conf.root_ports = 1;
	for (unsigned i = 0; i < 2; i++) {
		struct pcie_endpoint_conf *e = pcie_conf_add(&b->conf);

		conf->dev[i] = (struct virtio_conf_dev){.kind = VIRTIO_RNG, .fd = -1};
		e->ops = &virtio_pci_ops;
		e->conf = &conf->dev[i];
		e->option = "--rng";
		e->msix = VPCI_MSIX_SIZE;
		e->bar64 = VPCI_BAR_SIZE;
	}
	place.conf = &b->conf;
	b->dev = fake_dev_at(b->fe, &pcie_host_ops, &place, &b->err);
	if (!b->dev)
		abort();
	return b;
}

/* Bus and slot of function n: behind the port, on the root bus. */
static unsigned bus(unsigned n)
{
	return n ? 1 : 0;
}

static unsigned slot(unsigned n)
{
	return n ? 0 : 2;
}

static void open_path(struct pcie_bench *b, unsigned n, uint32_t val)
{
	uint64_t at = BAR + (n ? 0x100000 : 0) + (val & 0x3f) * 0x4000ULL;

	bench_open_port(b, 1, 1, 0x10000000, 0x101fffff, BAR + 0x100000, BAR + 0x1fffff);
	cfg_write(b, bus(n), slot(n), 0x14, 4, 0x10000000 + (n ? 0 : 0x4000));
	cfg_write(b, bus(n), slot(n), 0x20, 4, (uint32_t)at);
	cfg_write(b, bus(n), slot(n), 0x24, 4, (uint32_t)(at >> 32));
	cfg_write(b, bus(n), slot(n), 4, 2, 6);
}

static uint64_t bar(struct pcie_bench *b, unsigned n)
{
	return (cfg_read(b, bus(n), slot(n), 0x20, 4) & ~0xfU) |
	       (uint64_t)cfg_read(b, bus(n), slot(n), 0x24, 4) << 32;
}

/* By the registers, as a driver comes up; the rings are those of the bench at the start of RAM. */
static void bring_up(struct pcie_bench *b, unsigned n)
{
	uint64_t c = bar(b, n);

	fake_write(b->fe, c + 20, 1, 0);
	fake_write(b->fe, c + 20, 1, 3);
	fake_write(b->fe, c + 8, 4, 1);
	fake_write(b->fe, c + 12, 4, 1);
	fake_write(b->fe, c + 20, 1, 11);
	fake_write(b->fe, c + 22, 2, 0);
	fake_write(b->fe, c + 24, 2, VB_SIZE);
	fake_write(b->fe, c + 32, 4, (uint32_t)VB_RINGS);
	fake_write(b->fe, c + 40, 4, (uint32_t)(VB_RINGS + VB_AVAIL));
	fake_write(b->fe, c + 48, 4, (uint32_t)(VB_RINGS + VB_USED));
	fake_write(b->fe, c + 28, 2, 1);
	fake_write(b->fe, c + 20, 1, 15);
}

static void take(struct pcie_bench *b, const struct step *s)
{
	unsigned n = s->op >> 3 & 1, len = 1U << (s->len & 3);
	uint64_t off = s->where & ~(uint64_t)(len - 1);

	switch (s->op & 7) {
	case 0:
		cfg_write(b, bus(n), slot(n), (unsigned)off & 0xff, len & 7, s->val);
		break;
	case 1:
		cfg_read(b, bus(n), slot(n), (unsigned)off & 0xff, len & 7);
		break;
	case 2:
		fake_write(b->fe, bar(b, n) + off % VPCI_BAR_SIZE, len, s->val);
		break;
	case 3:
		fake_read(b->fe, bar(b, n) + off % VPCI_BAR_SIZE, len);
		break;
	case 4:
		open_path(b, n, s->val);
		break;
	case 5:
		bring_up(b, n);
		break;
	case 6:
		memcpy(b->fe->ram + (off & 0x3ff8), &s->val, 4);
		fake_write(b->fe, bar(b, n) + VPCI_NOTIFY, 2, s->len >> 4 & 1);
		break;
	default:
		cfg_write(b, 0, 1, (unsigned)off & 0xff, len & 7, s->val); /* the port */
	}
}

/* Every doorbell is the notification address of a function that is there. */
static void check_bells(struct pcie_bench *b)
{
	cfg_write(b, 0, 1, 0x18, 4,
		  0x00010100); /* where its BAR can be read, whatever the bus was */
	for (unsigned i = 0; i < b->fe->nr_bell; i++) {
		struct pcie_target t = {0};

		for (unsigned n = 0; n < 2; n++) {
			if (b->fe->bell[i].gpa == bar(b, n) + VPCI_NOTIFY)
				t.off = 1;
		}
		if (!t.off || b->fe->bell[i].len != 2)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct virtio_conf conf;
	struct pcie_bench *b = bench(&conf);

	for (; size >= sizeof(struct step);
	     data += sizeof(struct step), size -= sizeof(struct step)) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		take(b, &s);
	}
	check_bells(b);
	pcie_bench_free(b);
	return 0;
}
