/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration space and enumeration; see pci.h. */
#include "pci.h"
#include "dt.h"
#include "mmio.h"
#include "types.h"

/* ECAM: 4 KiB a function, 1 MiB a bus (PCI Express Base Specification, 7.2.2). */
#define ECAM_BUS_SHIFT	    20
#define ECAM_FUNCTION_SHIFT 12

#define HEADER_MULTI  0x80U
#define HEADER_LAYOUT 0x7fU
#define HEADER_BRIDGE 1U

/*
 * `ranges` of the binding: 3 cells of PCI address, 2 of CPU address, 2 of size;
 * the space is in bits 25:24 of the first cell (1 I/O, 2 32-bit, 3 64-bit).
 */
static void read_ranges(struct pci_host *h)
{
	uint32_t len = 0;

	if (!dt_prop(h->node, "ranges", &len))
		return;
	for (unsigned int at = 0; at + 7 <= len / 4; at += 7) {
		struct pci_window w = {
			.pci = (uint64_t)dt_cell(h->node, "ranges", at + 1) << 32 |
			       dt_cell(h->node, "ranges", at + 2),
			.cpu = (uint64_t)dt_cell(h->node, "ranges", at + 3) << 32 |
			       dt_cell(h->node, "ranges", at + 4),
			.size = (uint64_t)dt_cell(h->node, "ranges", at + 5) << 32 |
				dt_cell(h->node, "ranges", at + 6),
		};

		w.next = w.pci;
		switch (BITS(dt_cell(h->node, "ranges", at), 25, 24)) {
		case 1:
			h->io = w;
			break;
		case 2:
			h->low = w;
			break;
		case 3:
			h->high = w;
			break;
		default:
			break;
		}
	}
}

bool pci_host_find(struct pci_host *h, unsigned int nth)
{
	*h = (struct pci_host){.node = dt_find("pci-host-ecam-generic", nth)};
	if (h->node == DT_NONE || !dt_reg(h->node, 0, &h->ecam, &h->ecam_size))
		return false;
	h->bus_first = dt_cell(h->node, "bus-range", 0);
	h->bus_last = dt_prop(h->node, "bus-range", NULL) ? dt_cell(h->node, "bus-range", 1) : 255;
	h->buses = 1;
	read_ranges(h);
	return true;
}

uint64_t pci_config_address(const struct pci_host *h, uint16_t bdf, unsigned int reg)
{
	uint64_t bus = (uint64_t)(bdf >> 8) - h->bus_first;

	return h->ecam + (bus << ECAM_BUS_SHIFT) + ((bdf & 0xffULL) << ECAM_FUNCTION_SHIFT) + reg;
}

uint8_t pci_rd8(const struct pci_host *h, uint16_t bdf, unsigned int reg)
{
	return mmio_rd8(pci_config_address(h, bdf, reg));
}

uint16_t pci_rd16(const struct pci_host *h, uint16_t bdf, unsigned int reg)
{
	return mmio_rd16(pci_config_address(h, bdf, reg));
}

uint32_t pci_rd32(const struct pci_host *h, uint16_t bdf, unsigned int reg)
{
	return mmio_rd32(pci_config_address(h, bdf, reg));
}

void pci_wr8(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint8_t v)
{
	mmio_wr8(pci_config_address(h, bdf, reg), v);
}

void pci_wr16(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint16_t v)
{
	mmio_wr16(pci_config_address(h, bdf, reg), v);
}

void pci_wr32(const struct pci_host *h, uint16_t bdf, unsigned int reg, uint32_t v)
{
	mmio_wr32(pci_config_address(h, bdf, reg), v);
}

bool pci_present(const struct pci_host *h, uint16_t bdf)
{
	return pci_rd16(h, bdf, PCI_VENDOR) != 0xffff;
}

/* At most 48 capabilities fit: a list that loops ends there. */
unsigned int pci_cap(const struct pci_host *h, uint16_t bdf, uint8_t id)
{
	unsigned int at;

	if (!(pci_rd16(h, bdf, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
		return 0;
	at = pci_rd8(h, bdf, PCI_CAPABILITIES) & 0xfcU;
	for (unsigned int n = 0; at >= 0x40 && n < 48; n++) {
		if (pci_rd8(h, bdf, at) == id)
			return at;
		at = pci_rd8(h, bdf, at + 1) & 0xfcU;
	}
	return 0;
}

static bool is_bridge(const struct pci_host *h, uint16_t bdf)
{
	return (pci_rd8(h, bdf, PCI_HEADER_TYPE) & HEADER_LAYOUT) == HEADER_BRIDGE;
}

static void enumerate_bus(struct pci_host *h, unsigned int bus, int parent);

static void enumerate_function(struct pci_host *h, uint16_t bdf, int parent)
{
	unsigned int index = h->count;
	struct pci_function *f = &h->function[index];
	unsigned int bus;

	if (index == PCI_FUNCTIONS_MAX)
		return;
	h->count++;
	*f = (struct pci_function){
		.bdf = bdf,
		.vendor = pci_rd16(h, bdf, PCI_VENDOR),
		.device = pci_rd16(h, bdf, PCI_DEVICE),
		.bridge = is_bridge(h, bdf),
		.parent = parent,
	};
	if (!f->bridge)
		return;
	bus = h->bus_first + h->buses;
	if (bus > h->bus_last) {
		h->out_of_buses = true;
		return;
	}
	h->buses++;
	f->secondary = (uint8_t)bus;
	/* subordinate all the way up while what is behind has no numbers yet */
	pci_wr8(h, bdf, PCI_PRIMARY_BUS, (uint8_t)(bdf >> 8));
	pci_wr8(h, bdf, PCI_SECONDARY_BUS, (uint8_t)bus);
	pci_wr8(h, bdf, PCI_SUBORDINATE_BUS, (uint8_t)h->bus_last);
	enumerate_bus(h, bus, (int)index);
	pci_wr8(h, bdf, PCI_SUBORDINATE_BUS, (uint8_t)(h->bus_first + h->buses - 1));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the bridges are nested */
static void enumerate_bus(struct pci_host *h, unsigned int bus, int parent)
{
	/* a link below a port has one device: number 0 (7.3.1) */
	unsigned int devices = parent < 0 ? 32 : 1;

	for (unsigned int device = 0; device < devices; device++) {
		uint16_t first = PCI_BDF(bus, device, 0);
		unsigned int functions;

		if (!pci_present(h, first))
			continue;
		functions = pci_rd8(h, first, PCI_HEADER_TYPE) & HEADER_MULTI ? 8 : 1;
		for (unsigned int n = 0; n < functions; n++)
			if (pci_present(h, PCI_BDF(bus, device, n)))
				enumerate_function(h, PCI_BDF(bus, device, n), parent);
	}
}

void pci_enumerate(struct pci_host *h)
{
	h->buses = 1;
	h->count = 0;
	h->out_of_buses = false;
	enumerate_bus(h, h->bus_first, -1);
}

struct pci_function *pci_function_find(struct pci_host *h, uint16_t vendor, uint16_t device,
				       unsigned int from)
{
	for (unsigned int i = from; i < h->count; i++)
		if (h->function[i].vendor == vendor && h->function[i].device == device)
			return &h->function[i];
	return NULL;
}
