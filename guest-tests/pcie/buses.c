/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bus numbers: a port passes a configuration request on by its Secondary and
 * Subordinate Bus Number (PCI Express Base Specification, 7.3.3, 7.5.1.3), so
 * that the device behind it is reached when it has numbers, and not before.
 */
#include "common.h"

/* the grid of the claims: 1, 8, 15, 16, 28 and 31 ports, with 256 buses and, where they suffice, with 16 */
#define PORTS_LOW                                                            \
	.variants = "ports1: --root-ports 1 | ports8: --root-ports 8 | "     \
		    "ports15: --root-ports 15 | ports16: --root-ports 16 | " \
		    "ports28: --root-ports 28 | ports31: --root-ports 31 | " \
		    "low1: --root-ports 1 --machine highmem=off | "          \
		    "low8: --root-ports 8 --machine highmem=off | "          \
		    "low15: --root-ports 15 --machine highmem=off"

TEST(pcie, as_many_ports_as_asked_for_are_there, RULE("PCIE-PORTS-1"), PORTS_LOW)
{
	struct pci_host *h = enumerated();
	unsigned int asked = ports_asked(), found = count_ports(h);

	NEED("root-ports", found > 0 || port_present(), "this machine has no PCIe root port");
	if (asked)
		EXPECT_EQ(found, asked);
	EXPECT_GT(found, 0);
}

TEST(pcie, nothing_is_behind_a_port_without_numbers, RULE("PCIE-BUS-1"), PORTS)
{
	struct pci_host *h = enumerated();
	struct pci_function *port = last_port(h), *endpoint = last_endpoint(h);

	EXPECT_TRUE(pci_present(h, endpoint->bdf));
	pci_wr32(h, port->bdf, PCI_PRIMARY_BUS, 0);
	EXPECT_TRUE(!pci_present(h, endpoint->bdf));
	for (unsigned int bus = h->bus_first + 1; bus < h->bus_first + h->buses; bus++)
		if (bus != port->secondary)
			EXPECT_EQ(pci_present(h, PCI_BDF(bus, 0, 0)), false);
}

/* The limit itself: each port has a bus, and the device behind the last answers. */
TEST(pcie, the_device_behind_the_last_port_is_reached, RULE("PCIE-BUS-2"), PORTS_LOW)
{
	struct pci_host *h = placed();
	unsigned int ports = count_ports(h);
	struct pci_function *port = last_port(h), *endpoint = last_endpoint(h);
	uint64_t bar = bar_address(endpoint, 0);

	EXPECT_TRUE(!h->out_of_buses);
	EXPECT_EQ(h->buses, ports + 1);
	EXPECT_EQ(endpoint->bdf >> 8, port->secondary);
	EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
	NOTE("%u ports, %u buses", ports, h->buses);
	if (EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_RID), endpoint->bdf)) {
		/* the most of each kind of ECAM is the fact; the other variants are steps towards it */
		if (variant_is("low15")) {
			FACT("pcie.ports_reached_low_ecam", "%u", ports);
			FACT("pcie.buses_low_ecam", "%u", h->buses);
		} else if (variant_is("ports31") || variant_is("")) {
			FACT("pcie.ports_reached", "%u", ports);
			FACT("pcie.buses", "%u", h->buses);
		}
	}
}

TEST(pcie, a_bus_number_can_be_changed, RULE("PCIE-BUS-3"), PORTS)
{
	struct pci_host *h = placed();
	struct pci_function *port = last_port(h), *endpoint = last_endpoint(h);
	uint64_t bar = bar_address(endpoint, 0);
	unsigned int last = h->bus_last;
	uint16_t there = PCI_BDF(last, 0, 0);

	NEED("buses", last > port->secondary, "the last port has the last bus number already");
	pci_wr32(h, port->bdf, PCI_PRIMARY_BUS, last << 16 | last << 8);
	EXPECT_TRUE(pci_present(h, there));
	EXPECT_EQ(pci_rd16(h, there, PCI_DEVICE), ASSAY_PCI_DEVICE_TEST);
	EXPECT_TRUE(!pci_present(h, endpoint->bdf));
	/* a function takes its bus number from the configuration writes it gets (2.2.6.2) */
	pci_wr16(h, there, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_RID), there);
}

/* Secondary is the bus itself; what is above it up to Subordinate would be behind a further bridge. */
TEST(pcie, a_port_has_its_secondary_bus_alone, RULE("PCIE-BUS-4"), PORTS)
{
	struct pci_host *h = enumerated();
	struct pci_function *port = last_port(h), *endpoint = last_endpoint(h);
	unsigned int first = port->secondary, last = MIN(first + 3, h->bus_last);

	pci_wr32(h, port->bdf, PCI_PRIMARY_BUS, last << 16 | first << 8);
	EXPECT_TRUE(pci_present(h, endpoint->bdf));
	for (unsigned int bus = first + 1; bus <= last; bus++)
		EXPECT_TRUE(!pci_present(h, PCI_BDF(bus, 0, 0)));
	/* a link has device 0 only (7.3.1) */
	for (unsigned int device = 1; device < 32; device++)
		EXPECT_TRUE(!pci_present(h, PCI_BDF(first, device, 0)));
}

/* Every port alone: swapping the numbers of first and last swaps what is seen. */
TEST(pcie, ports_keep_their_devices_when_numbers_are_swapped, RULE("PCIE-BUS-5"),
     .variants = "ports8: --root-ports 8 --device pci-test | "
		 "ports15: --root-ports 15 --device pci-test")
{
	struct pci_host *h = placed();
	struct pci_function *last = last_port(h), *other;
	struct pci_function *endpoint = last_endpoint(h);
	uint64_t bar = bar_address(endpoint, 0);
	uint32_t index = mmio_rd32(bar + ASSAY_PCITEST_INDEX);

	other = last - 1;
	while (other > h->function && !(other->bridge && other->parent < 0))
		other--;
	ASSERT_TRUE(other->bridge);
	pci_wr32(h, last->bdf, PCI_PRIMARY_BUS, 0);
	pci_wr32(h, other->bdf, PCI_PRIMARY_BUS,
		 (uint32_t)last->secondary << 16 | (uint32_t)last->secondary << 8);
	pci_wr32(h, last->bdf, PCI_PRIMARY_BUS,
		 (uint32_t)other->secondary << 16 | (uint32_t)other->secondary << 8);
	EXPECT_TRUE(pci_present(h, PCI_BDF(other->secondary, 0, 0)));
	pci_wr16(h, PCI_BDF(other->secondary, 0, 0), PCI_COMMAND,
		 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_INDEX), index);
	EXPECT_EQ(mmio_rd32(bar + ASSAY_PCITEST_RID), PCI_BDF(other->secondary, 0, 0));
}
