/* SPDX-License-Identifier: Apache-2.0 */
/* A root port: a PCI-to-PCI bridge header (PCIe 6.0, 7.5.1.3) in front of one slot. */
#include <linux/pci_regs.h>

#include <assay/board.h>

#include "dev/pcie.h"

#define BRIDGE_CONTROL (PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET)
#define WINDOW_BITS    0xfff0U /* of a base or limit register: address bits 31:20 */
#define MSI_SIZE       14U     /* 64-bit address, one vector, no mask bits */

struct root_port {
	struct pcie_fn fn;
	unsigned express;
	bool link_down; /* as of the last write */
};

static void setup(struct pcie_fn *f, const void *conf)
{
	static const struct pcie_ids ids = {.vendor = ASSAY_PCI_VENDOR,
					    .device = ASSAY_PCI_DEVICE_ROOT_PORT,
					    .class_code = 0x060400,
					    .header_type = PCI_HEADER_TYPE_BRIDGE};
	struct pcie_config *c = &f->cfg;
	unsigned msi;

	(void)conf;
	pcie_config_init(c, &ids);
	pcie_reg8(c, PCI_PRIMARY_BUS, 0, 0xff);
	pcie_reg8(c, PCI_SECONDARY_BUS, 0, 0xff);
	pcie_reg8(c, PCI_SUBORDINATE_BUS, 0, 0xff);
	pcie_reg16(c, PCI_MEMORY_BASE, 0, WINDOW_BITS);
	pcie_reg16(c, PCI_MEMORY_LIMIT, 0, WINDOW_BITS);
	pcie_reg16(c, PCI_PREF_MEMORY_BASE, PCI_PREF_RANGE_TYPE_64, WINDOW_BITS);
	pcie_reg16(c, PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64, WINDOW_BITS);
	pcie_reg32(c, PCI_PREF_BASE_UPPER32, 0, UINT32_MAX);
	pcie_reg32(c, PCI_PREF_LIMIT_UPPER32, 0, UINT32_MAX);
	pcie_reg8(c, PCI_INTERRUPT_PIN, 1, 0);
	pcie_reg16(c, PCI_BRIDGE_CONTROL, 0, BRIDGE_CONTROL);

	((struct root_port *)f)->express = pcie_add_express(f, PCI_EXP_TYPE_ROOT_PORT);

	msi = pcie_add_capability(c, PCI_CAP_ID_MSI, MSI_SIZE);
	pcie_reg16(c, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT,
		   PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	pcie_reg32(c, msi + PCI_MSI_ADDRESS_LO, 0, ~3U);
	pcie_reg32(c, msi + PCI_MSI_ADDRESS_HI, 0, UINT32_MAX);
	pcie_reg16(c, msi + PCI_MSI_DATA_64, 0, 0xffff);
}

bool pcie_port_has_bus(const struct pcie_fn *port, unsigned bus)
{
	unsigned secondary = port->cfg.val[PCI_SECONDARY_BUS];

	return secondary && bus >= secondary && bus <= port->cfg.val[PCI_SUBORDINATE_BUS];
}

static uint64_t window(const struct pcie_config *c, unsigned off, unsigned upper)
{
	uint64_t address = (uint64_t)(pcie_get16(c, off) & WINDOW_BITS) << 16;

	return upper ? address | (uint64_t)pcie_get32(c, upper) << 32 : address;
}

bool pcie_port_passes(const struct pcie_fn *port, uint64_t addr, unsigned len)
{
	const struct pcie_config *c = &port->cfg;
	uint64_t last = addr + len - 1;

	if (addr >= window(c, PCI_MEMORY_BASE, 0) &&
	    last <= (window(c, PCI_MEMORY_LIMIT, 0) | 0xfffff))
		return true;
	return addr >= window(c, PCI_PREF_MEMORY_BASE, PCI_PREF_BASE_UPPER32) &&
	       last <= (window(c, PCI_PREF_MEMORY_LIMIT, PCI_PREF_LIMIT_UPPER32) | 0xfffff);
}

static bool link_down(const struct pcie_fn *port)
{
	unsigned cap = ((const struct root_port *)port)->express;

	return pcie_get16(&port->cfg, cap + PCI_EXP_LNKCTL) & PCI_EXP_LNKCTL_LD;
}

bool pcie_port_in_reset(const struct pcie_fn *port)
{
	return link_down(port) ||
	       pcie_get16(&port->cfg, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET;
}

void pcie_port_unsupported(struct pcie_fn *port)
{
	pcie_set16(&port->cfg, PCI_SEC_STATUS,
		   pcie_get16(&port->cfg, PCI_SEC_STATUS) | PCI_STATUS_REC_MASTER_ABORT);
}

/* Both a Secondary Bus Reset and a link that goes down reset what is behind (6.6.1). */
static void configured(struct pcie_fn *f, unsigned off, unsigned len)
{
	struct root_port *p = (struct root_port *)f;
	bool down = pcie_port_in_reset(f);
	uint16_t status;

	(void)off;
	(void)len;
	if (down == p->link_down || !f->behind)
		return;
	p->link_down = down;
	pcie_fn_reset(f->behind);
	status = pcie_get16(&f->cfg, p->express + PCI_EXP_LNKSTA) & (uint16_t)~PCI_EXP_LNKSTA_DLLLA;
	pcie_set16(&f->cfg, p->express + PCI_EXP_LNKSTA,
		   (uint16_t)(down ? status : status | PCI_EXP_LNKSTA_DLLLA));
}

const struct pcie_fn_ops pcie_root_port_ops = {
	.name = "root-port",
	.size = sizeof(struct root_port),
	.setup = setup,
	.configured = configured,
};
