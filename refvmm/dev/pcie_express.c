/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI Express capability (PCIe 6.0, 7.5.3): one lane at 2.5 GT/s, payloads of 128 bytes. */
#include <linux/pci_regs.h>

#include "dev/pcie.h"

#define EXPRESS_SIZE	     0x3c /* version 2: always this long (7.5.3) */
#define LINK_SPEED_WIDTH     0x011U
#define DEVCTL_RELAXED_ORDER 0x0010U
#define DEVCTL_NO_SNOOP	     0x0800U
#define DEVCTL_READ_512	     0x2000U /* the reset value of Max_Read_Request_Size */
#define DEVCTL_FLR	     0x8000U

static void add_device(struct pcie_config *c, unsigned cap, unsigned type)
{
	bool endpoint = type == PCI_EXP_TYPE_ENDPOINT || type == PCI_EXP_TYPE_RC_END;
	uint16_t control = PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE |
			   PCI_EXP_DEVCTL_URRE | DEVCTL_RELAXED_ORDER | DEVCTL_NO_SNOOP |
			   PCI_EXP_DEVCTL_READRQ;

	pcie_reg32(c, cap + PCI_EXP_DEVCAP,
		   PCI_EXP_DEVCAP_RBER | (endpoint ? PCI_EXP_DEVCAP_FLR : 0), 0);
	pcie_reg16(c, cap + PCI_EXP_DEVCTL,
		   DEVCTL_RELAXED_ORDER | DEVCTL_NO_SNOOP | DEVCTL_READ_512,
		   (uint16_t)(control | (endpoint ? DEVCTL_FLR : 0)));
	pcie_w1c16(c, cap + PCI_EXP_DEVSTA,
		   PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED |
			   PCI_EXP_DEVSTA_URD);
	pcie_reg32(c, cap + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS, 0);
	pcie_reg16(c, cap + PCI_EXP_DEVCTL2, 0, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);
}

static void add_link(struct pcie_config *c, unsigned cap, const struct pcie_fn *f, bool port)
{
	bool up = !port || f->behind;
	uint16_t status = up ? LINK_SPEED_WIDTH : 0;

	if (port && up)
		status |= PCI_EXP_LNKSTA_DLLLA;
	pcie_reg32(c, cap + PCI_EXP_LNKCAP,
		   LINK_SPEED_WIDTH | 1U << 22 /* ASPM optionality: always 1 */ |
			   (port ? PCI_EXP_LNKCAP_DLLLARC | (uint32_t)f->slot << 24 : 0),
		   0);
	pcie_reg16(c, cap + PCI_EXP_LNKCTL, 0,
		   (uint16_t)(PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES |
			      (port ? PCI_EXP_LNKCTL_LD : 0)));
	pcie_reg16(c, cap + PCI_EXP_LNKSTA, status, 0);
	pcie_reg32(c, cap + PCI_EXP_LNKCAP2, PCI_EXP_LNKCAP2_SLS_2_5GB, 0);
	pcie_reg16(c, cap + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS_2_5GT, PCI_EXP_LNKCTL2_TLS);
}

/*
 * A slot that can be hot-plugged by its form, with neither button, lamps, latch nor power
 * switch, and therefore without commands to complete.
 */
static void add_slot(struct pcie_config *c, unsigned cap, const struct pcie_fn *f)
{
	pcie_reg32(c, cap + PCI_EXP_SLTCAP,
		   PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_HPS | PCI_EXP_SLTCAP_NCCS |
			   (uint32_t)f->slot << 19,
		   0);
	pcie_reg16(c, cap + PCI_EXP_SLTCTL, 0,
		   PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE);
	pcie_reg16(c, cap + PCI_EXP_SLTSTA, f->behind ? PCI_EXP_SLTSTA_PDS : 0, 0);
	pcie_w1c16(c, cap + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
	pcie_reg16(c, cap + PCI_EXP_RTCTL, 0,
		   PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE |
			   PCI_EXP_RTCTL_PMEIE);
	pcie_w1c16(c, cap + PCI_EXP_RTSTA + 2, PCI_EXP_RTSTA_PME >> 16);
}

unsigned pcie_add_express(struct pcie_fn *f, unsigned type)
{
	struct pcie_config *c = &f->cfg;
	unsigned cap = pcie_add_capability(c, PCI_CAP_ID_EXP, EXPRESS_SIZE);
	bool port = type == PCI_EXP_TYPE_ROOT_PORT;

	pcie_reg16(c, cap + PCI_EXP_FLAGS,
		   (uint16_t)(2 | type << 4 | (port ? PCI_EXP_FLAGS_SLOT : 0)), 0);
	add_device(c, cap, type);
	if (type != PCI_EXP_TYPE_RC_END) /* integrated in the root complex: no link (7.5.3.6) */
		add_link(c, cap, f, port);
	if (port)
		add_slot(c, cap, f);
	return cap;
}
