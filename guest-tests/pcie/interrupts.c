/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MSI-X (PCI Express Base Specification, 6.1.4, 7.7.2) and INTx (2.2.8.1) of the
 * device behind the last port. That something does not arrive is shown by what
 * is fired after it and does: messages of one function keep their order.
 */
#include "gic.h"
#include "irq.h"
#include "msi.h"

/* each way a message can go, and each number of ports */
#define WAYS                                                                 \
	.variants = "ports1: --root-ports 1 | ports8: --root-ports 8 | "     \
		    "ports15: --root-ports 15 | "                            \
		    "its: --root-ports 15 --machine gic-version=3,its=on | " \
		    "v2m: --root-ports 15 --machine gic-version=2 | "        \
		    "low: --root-ports 15 --machine highmem=off"

TEST(pcie, msix_arrives_from_behind_the_last_port, RULE("PCIE-MSIX-1"),
     .variants = "ports1: --root-ports 1 | ports8: --root-ports 8 | "
		 "ports15: --root-ports 15 | ports16: --root-ports 16 | "
		 "ports28: --root-ports 28 | ports31: --root-ports 31 | "
		 "its: --root-ports 15 --machine gic-version=3,its=on | "
		 "its31: --root-ports 31 --machine gic-version=3,its=on | "
		 "v2m: --root-ports 15 --machine gic-version=2 | "
		 "v2m31: --root-ports 31 --machine gic-version=2 | "
		 "low: --root-ports 15 --machine highmem=off | "
		 "low-v2m: --root-ports 15 --machine highmem=off,gic-version=2")
{
	struct msix m = msix_begin();
	struct irq_watch w[ASSAY_PCITEST_VECTORS];
	uint32_t lost = msix_lost(&m);

	EXPECT_EQ(MSIX_CONTROL_SIZE(pci_rd16(m.host, m.function->bdf, m.cap + MSIX_CONTROL)),
		  ASSAY_PCITEST_VECTORS);
	for (unsigned int v = 0; v < ASSAY_PCITEST_VECTORS; v++)
		w[v] = irq_watch(msix_route(&m, v));
	for (unsigned int round = 1; round <= 3; round++) {
		for (unsigned int v = 0; v < ASSAY_PCITEST_VECTORS; v++) {
			msix_fire(&m, v);
			ASSERT_EVENTUALLY(irq_seen(&w[v]) == round);
		}
	}
	/* no vector was heard on behalf of another */
	for (unsigned int v = 0; v < ASSAY_PCITEST_VECTORS; v++)
		EXPECT_EQ(irq_seen(&w[v]), 3);
	EXPECT_EQ(msix_lost(&m), lost);
}

TEST(pcie, a_masked_msix_vector_waits, RULE("PCIE-MSIX-2"), WAYS)
{
	struct msix m = msix_begin();
	struct irq_watch held = irq_watch(msix_route(&m, 2)), free = irq_watch(msix_route(&m, 5));

	msix_mask(&m, 2, true);
	msix_fire(&m, 2);
	msix_fire(&m, 5);
	ASSERT_EVENTUALLY(irq_seen(&free) == 1);
	EXPECT_EQ(irq_seen(&held), 0);
	EXPECT_TRUE(msix_pending(&m, 2));
	EXPECT_TRUE(!msix_pending(&m, 5));
	msix_mask(&m, 2, false);
	ASSERT_EVENTUALLY(irq_seen(&held) == 1);
	EXPECT_TRUE(!msix_pending(&m, 2));
}

TEST(pcie, the_msix_function_mask_holds_every_vector, RULE("PCIE-MSIX-3"), WAYS)
{
	struct msix m = msix_begin();
	struct irq_watch one = irq_watch(msix_route(&m, 0)), other = irq_watch(msix_route(&m, 7));

	msix_control(&m, MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASK);
	msix_fire(&m, 0);
	msix_fire(&m, 7);
	EXPECT_TRUE(msix_pending(&m, 0) && msix_pending(&m, 7));
	EXPECT_EQ(irq_seen(&one) + irq_seen(&other), 0);
	msix_control(&m, MSIX_CONTROL_ENABLE);
	ASSERT_EVENTUALLY(irq_seen(&one) == 1 && irq_seen(&other) == 1);
	EXPECT_TRUE(!msix_pending(&m, 0) && !msix_pending(&m, 7));
}

/* A message is a memory write of the function: Bus Master Enable lets it out (7.5.1.1.3). */
TEST(pcie, msix_needs_bus_master_enable, RULE("PCIE-MSIX-4"), WAYS)
{
	struct msix m = msix_begin();
	struct irq_watch w = irq_watch(msix_route(&m, 3)), after = irq_watch(msix_route(&m, 4));
	uint16_t command = pci_rd16(m.host, m.function->bdf, PCI_COMMAND);
	uint32_t lost = msix_lost(&m);

	pci_wr16(m.host, m.function->bdf, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MASTER));
	msix_fire(&m, 3);
	EXPECT_EQ(msix_lost(&m), lost + 1);
	pci_wr16(m.host, m.function->bdf, PCI_COMMAND, command);
	msix_fire(&m, 4);
	ASSERT_EVENTUALLY(irq_seen(&after) == 1);
	EXPECT_EQ(irq_seen(&w), 0);
}

/* The port, too, passes requests upstream only with Bus Master Enable (7.5.1.1.3). */
TEST(pcie, msix_passes_the_port_only_with_bus_master_enable, RULE("PCIE-MSIX-5"), WAYS)
{
	struct msix m = msix_begin();
	struct irq_watch w = irq_watch(msix_route(&m, 3)), after = irq_watch(msix_route(&m, 4));
	uint16_t port = last_port(m.host)->bdf;
	uint16_t command = pci_rd16(m.host, port, PCI_COMMAND);

	pci_wr16(m.host, port, PCI_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MASTER));
	msix_fire(&m, 3);
	pci_wr16(m.host, port, PCI_COMMAND, command);
	msix_fire(&m, 4);
	ASSERT_EVENTUALLY(irq_seen(&after) == 1);
	EXPECT_EQ(irq_seen(&w), 0);
}

TEST(pcie, msix_that_is_off_sends_nothing, RULE("PCIE-MSIX-6"), WAYS)
{
	struct msix m = msix_begin();
	struct irq_watch w = irq_watch(msix_route(&m, 1)), after = irq_watch(msix_route(&m, 6));
	uint32_t lost = msix_lost(&m);

	msix_control(&m, 0);
	msix_fire(&m, 1);
	EXPECT_EQ(msix_lost(&m), lost + 1);
	msix_control(&m, MSIX_CONTROL_ENABLE);
	msix_fire(&m, 6);
	ASSERT_EVENTUALLY(irq_seen(&after) == 1);
	EXPECT_EQ(irq_seen(&w), 0);
}

static int node_by_phandle(uint32_t phandle)
{
	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node))
		if (dt_u32(node, "phandle", 0) == phandle)
			return node;
	return DT_NONE;
}

/*
 * INTID of a pin (1..4) of a device of the root bus: `interrupt-map`, rows of 3
 * cells of address, the pin, the controller, its address cells, 3 cells of its
 * interrupt (Devicetree Specification 2.4.3). 0: not in the map.
 */
static unsigned int intx_intid(const struct pci_host *h, unsigned int slot, unsigned int pin)
{
	uint32_t len = 0, mask = dt_cell(h->node, "interrupt-map-mask", 0);

	if (!dt_prop(h->node, "interrupt-map", &len))
		return 0;
	for (unsigned int at = 0; at < len / 4;) {
		int gic = node_by_phandle(dt_cell(h->node, "interrupt-map", at + 4));
		unsigned int irq = at + 5 + dt_u32(gic, "#address-cells", 0);

		if (dt_cell(h->node, "interrupt-map", at) == ((slot << 11) & mask) &&
		    dt_cell(h->node, "interrupt-map", at + 3) == pin)
			return dt_cell(h->node, "interrupt-map", irq + 1) +
			       (dt_cell(h->node, "interrupt-map", irq) == 0 ? 32 : 16);
		at = irq + 3;
	}
	return 0;
}

static uint64_t intx_register;

static void lower(unsigned int intid)
{
	(void)intid;
	mmio_wr32(intx_register, 0);
	(void)mmio_rd32(intx_register);
}

/* A device 0 behind a port: its pin is the port's same pin (2.2.8.1, table of the mapping). */
TEST(pcie, intx_of_the_last_port_reaches_its_line, RULE("PCIE-INTX-1"), WAYS)
{
	struct pci_host *h = placed();
	struct pci_function *f = last_endpoint(h);
	unsigned int slot = last_port(h)->bdf >> 3 & 31;
	unsigned int pin = pci_rd8(h, f->bdf, PCI_INTERRUPT_PIN);
	unsigned int msix = pci_cap(h, f->bdf, PCI_CAP_MSIX);
	unsigned int intid;
	struct irq_watch w;

	ASSERT_EQ(pin, 1);
	pci_wr16(h, f->bdf, msix + MSIX_CONTROL, 0); /* on, it would keep the pin still (7.7.2.2) */
	pci_wr16(h, f->bdf, PCI_COMMAND, (uint16_t)(pci_rd16(h, f->bdf, PCI_COMMAND) & ~BIT(10)));
	intid = intx_intid(h, slot, pin);
	ASSERT_GE(intid, 32);
	intx_register = bar_address(f, 0) + ASSAY_PCITEST_INTX;
	irq_handler(intid, lower);
	w = irq_watch(intid);
	gic_set_edge(intid, false);
	for (uint32_t round = 1; round <= 3; round++) {
		mmio_wr32(intx_register, 1);
		ASSERT_EVENTUALLY(irq_seen(&w) >= round);
		EXPECT_EQ(irq_seen(&w), round);
	}
	irq_handler(intid, NULL);
	gic_disable(intid); /* nobody would lower the line now */
	/* Interrupt Disable, bit 10 of Command, keeps the line down */
	pci_wr16(h, f->bdf, PCI_COMMAND, (uint16_t)(pci_rd16(h, f->bdf, PCI_COMMAND) | BIT(10)));
	mmio_wr32(intx_register, 1);
	EXPECT_TRUE(!gic_is_pending(intid));
	EXPECT_EQ(irq_seen(&w), 3);
	mmio_wr32(intx_register, 0);
}
