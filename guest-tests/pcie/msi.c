/* SPDX-License-Identifier: Apache-2.0 */
#include "msi.h"
#include "gic.h"
#include "its.h"

/* GICv2m (Server Base System Architecture, appendix on GICv2m) */
#define V2M_TYPER     0x008
#define V2M_SETSPI_NS 0x040

static bool by_its(void)
{
	return dt_find("arm,gic-v3-its", 0) != DT_NONE;
}

/* `msi-map`: requester id base, controller, its id base, length (bindings/pci/pci-msi.txt) */
static uint32_t device_id(const struct pci_host *h, uint16_t rid)
{
	for (unsigned int at = 0; dt_cell(h->node, "msi-map", at + 3); at += 4) {
		uint32_t base = dt_cell(h->node, "msi-map", at);

		if (rid >= base && rid - base < dt_cell(h->node, "msi-map", at + 3))
			return rid - base + dt_cell(h->node, "msi-map", at + 2);
	}
	return rid;
}

struct msix msix_begin(void)
{
	struct msix m = {.host = placed()};
	uint32_t table, pba;

	NEED("msi", by_its() || dt_find("arm,gic-v2m-frame", 0) != DT_NONE,
	     "this machine has neither an ITS nor a GICv2m frame");
	m.function = last_endpoint(m.host);
	m.cap = pci_cap(m.host, m.function->bdf, PCI_CAP_MSIX);
	ASSERT_NE(m.cap, 0);
	ASSERT_NE(gic_version(), 0);
	table = pci_rd32(m.host, m.function->bdf, m.cap + MSIX_TABLE);
	pba = pci_rd32(m.host, m.function->bdf, m.cap + MSIX_PBA);
	m.table = bar_address(m.function, table & 7) + (table & ~7U);
	m.pba = bar_address(m.function, pba & 7) + (pba & ~7U);
	m.registers = bar_address(m.function, 0);
	if (by_its()) {
		its_need();
		its_mapd(device_id(m.host, m.function->bdf), 5);
	}
	for (unsigned int v = 0; v < ASSAY_PCITEST_VECTORS; v++)
		msix_mask(&m, v, true);
	msix_control(&m, MSIX_CONTROL_ENABLE);
	return m;
}

unsigned int msix_route(const struct msix *m, unsigned int vector)
{
	uint64_t entry = m->table + (uint64_t)vector * MSIX_ENTRY, address;
	unsigned int intid;
	uint32_t data;

	if (by_its()) {
		uint32_t device = device_id(m->host, m->function->bdf);

		intid = its_new_lpi();
		its_mapti(device, vector, intid, 0);
		its_inv(device, vector);
		address = its_doorbell();
		data = vector;
	} else {
		struct mmio frame = dt_mmio("arm,gic-v2m-frame");
		uint32_t typer = rd32(frame, V2M_TYPER);

		ASSERT_LT(vector, BITS(typer, 9, 0));
		intid = (unsigned int)BITS(typer, 25, 16) + vector;
		gic_set_edge(intid, true);
		address = frame.base + V2M_SETSPI_NS;
		data = intid;
	}
	mmio_wr32(entry, (uint32_t)address);
	mmio_wr32(entry + 4, (uint32_t)(address >> 32));
	mmio_wr32(entry + 8, data);
	msix_mask(m, vector, false);
	return intid;
}

void msix_mask(const struct msix *m, unsigned int vector, bool mask)
{
	mmio_wr32(m->table + (uint64_t)vector * MSIX_ENTRY + MSIX_ENTRY_CONTROL,
		  mask ? MSIX_ENTRY_MASKED : 0);
}

void msix_control(const struct msix *m, uint16_t bits)
{
	pci_wr16(m->host, m->function->bdf, m->cap + MSIX_CONTROL, bits);
}

bool msix_pending(const struct msix *m, unsigned int vector)
{
	return mmio_rd64(m->pba) >> vector & 1;
}

void msix_fire(const struct msix *m, unsigned int vector)
{
	mmio_wr32(m->registers + ASSAY_PCITEST_MSIX, vector);
}

uint32_t msix_lost(const struct msix *m)
{
	return mmio_rd32(m->registers + ASSAY_PCITEST_LOST);
}
