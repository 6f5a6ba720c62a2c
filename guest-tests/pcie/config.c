/* SPDX-License-Identifier: Apache-2.0 */
/* The host bridge in the device tree, and configuration space through ECAM. */
#include "common.h"

#define CLASS_HOST_BRIDGE 0x0600U

/* Devicetree binding pci/host-generic-pci.yaml; ECAM is 1 MiB a bus (PCIe 7.2.2) */
TEST(pcie, the_host_is_described_completely, RULE("PCIE-HOST-1"),
     .variants = "highmem: | lowmem: --machine highmem=off")
{
	struct pci_host *h = host();

	if (variant_is("lowmem"))
		FACT("pcie.ecam_size_low", "%lu", h->ecam_size);
	else
		FACT("pcie.ecam_size", "%lu", h->ecam_size);
	EXPECT_NE(h->ecam, 0);
	EXPECT_EQ(h->ecam & (SZ_1M - 1), 0);
	EXPECT_EQ(h->ecam_size, (uint64_t)(h->bus_last - h->bus_first + 1) << 20);
	EXPECT_EQ(dt_u32(h->node, "#address-cells", 0), 3);
	EXPECT_EQ(dt_u32(h->node, "#size-cells", 0), 2);
	EXPECT_EQ(strcmp(dt_str(h->node, "device_type"), "pci"), 0);
	EXPECT_NE(h->low.size, 0);
	/* a 32-bit window lies below 4 GiB on the bus */
	EXPECT_LE(h->low.pci + h->low.size, 1ULL << 32);
	NOTE("32-bit window 0x%lx bytes, 64-bit window 0x%lx bytes", h->low.size, h->high.size);
}

static void expect_widths_agree(const struct pci_host *h, uint16_t bdf)
{
	for (unsigned int reg = 0; reg < 0x40; reg += 4) {
		uint32_t word = pci_rd32(h, bdf, reg);
		uint32_t halves = pci_rd16(h, bdf, reg) | (uint32_t)pci_rd16(h, bdf, reg + 2) << 16;
		uint32_t bytes = 0;

		for (unsigned int i = 0; i < 4; i++)
			bytes |= (uint32_t)pci_rd8(h, bdf, reg + i) << (8 * i);
		EXPECT_EQ(halves, word);
		EXPECT_EQ(bytes, word);
	}
}

/* PCIe 7.2.2.1: byte enables choose the bytes */
TEST(pcie, configuration_reads_agree_at_every_width, RULE("PCIE-CFG-1"), PORTS)
{
	struct pci_host *h = enumerated();

	for (unsigned int i = 0; i < h->count; i++)
		expect_widths_agree(h, h->function[i].bdf);
	EXPECT_GT(h->count, 0);
}

/* The three bus numbers and the latency timer share a word, each is a byte (7.5.1.3). */
TEST(pcie, configuration_writes_change_only_their_bytes, RULE("PCIE-CFG-2"), PORTS)
{
	struct pci_host *h = enumerated();
	uint16_t port = last_port(h)->bdf;
	uint32_t was = pci_rd32(h, port, PCI_PRIMARY_BUS);

	pci_wr32(h, port, PCI_PRIMARY_BUS, 0);
	pci_wr8(h, port, PCI_SECONDARY_BUS, 0x0b);
	EXPECT_EQ(pci_rd32(h, port, PCI_PRIMARY_BUS), 0x00000b00);
	pci_wr8(h, port, PCI_SUBORDINATE_BUS, 0x0c);
	EXPECT_EQ(pci_rd32(h, port, PCI_PRIMARY_BUS), 0x000c0b00);
	pci_wr16(h, port, PCI_PRIMARY_BUS, 0x0d00);
	EXPECT_EQ(pci_rd32(h, port, PCI_PRIMARY_BUS), 0x000c0d00);
	pci_wr16(h, port, PCI_SUBORDINATE_BUS, 0x000e);
	EXPECT_EQ(pci_rd32(h, port, PCI_PRIMARY_BUS) & 0xffffff, 0x0e0d00);
	pci_wr32(h, port, PCI_PRIMARY_BUS, was);
	EXPECT_EQ(pci_rd32(h, port, PCI_PRIMARY_BUS), was);
}

static void expect_all_ones(const struct pci_host *h, uint16_t bdf)
{
	for (unsigned int reg = 0; reg < 0x40; reg += 4) {
		pci_wr32(h, bdf, reg, 0);
		if (!EXPECT_EQ(pci_rd32(h, bdf, reg), 0xffffffff))
			NOTE("that was function 0x%x, register 0x%x", bdf, reg);
	}
	EXPECT_EQ(pci_rd16(h, bdf, PCI_VENDOR), 0xffff);
	EXPECT_EQ(pci_rd8(h, bdf, PCI_HEADER_TYPE), 0xff);
}

/* PCIe 2.3.2: a request that nobody completes reads as all ones; writes are lost */
TEST(pcie, an_absent_function_reads_all_ones, RULE("PCIE-CFG-3"), PORTS)
{
	struct pci_host *h = enumerated();
	unsigned int tried = 0;

	for (unsigned int device = 0; device < 32 && tried < 4; device++) {
		uint16_t bdf = PCI_BDF(h->bus_first, device, 0);

		if (pci_present(h, bdf))
			continue;
		expect_all_ones(h, bdf);
		tried++;
	}
	/* buses nobody numbered, the last of ECAM among them */
	for (unsigned int bus = h->bus_first + h->buses; bus <= h->bus_last;
	     bus += MAX(1U, (h->bus_last - bus) / 2)) {
		expect_all_ones(h, PCI_BDF(bus, rnd_below(32), rnd_below(8)));
		tried++;
	}
	EXPECT_GT(tried, 0);
}

/* A single-function device does not answer for its other functions (7.5.1.1.9). */
TEST(pcie, a_single_function_answers_for_itself_alone, RULE("PCIE-CFG-4"), PORTS)
{
	struct pci_host *h = enumerated();

	for (unsigned int i = 0; i < h->count; i++) {
		uint16_t bdf = h->function[i].bdf;

		if (pci_rd8(h, bdf, PCI_HEADER_TYPE) & 0x80)
			continue;
		for (unsigned int n = 1; n < 8; n++)
			EXPECT_TRUE(!pci_present(h, (uint16_t)(bdf + n)));
	}
}

/* Vendor, Device, Revision and Class, Header Type are read-only (7.5.1.1). */
TEST(pcie, identification_is_read_only, RULE("PCIE-CFG-5"), PORTS)
{
	struct pci_host *h = enumerated();

	for (unsigned int i = 0; i < h->count; i++) {
		uint16_t bdf = h->function[i].bdf;
		static const unsigned int regs[] = {PCI_VENDOR, PCI_CLASS_REVISION};

		for (unsigned int n = 0; n < ARRAY_SIZE(regs); n++) {
			uint32_t was = pci_rd32(h, bdf, regs[n]);

			pci_wr32(h, bdf, regs[n], ~was);
			EXPECT_EQ(pci_rd32(h, bdf, regs[n]), was);
		}
		pci_wr8(h, bdf, PCI_HEADER_TYPE, 0x7f);
		EXPECT_EQ((pci_rd8(h, bdf, PCI_HEADER_TYPE) & 0x7f) == 1, h->function[i].bridge);
	}
}

/*
 * Every function has the PCI Express capability, and none is a bridge from or
 * to conventional PCI (7.5.3.2, Device/Port Type).
 */
TEST(pcie, every_function_is_pci_express, RULE("PCIE-EXP-1"), PORTS)
{
	struct pci_host *h = enumerated();

	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];
		unsigned int cap = pci_cap(h, f->bdf, PCI_CAP_EXP);
		uint64_t type;

		/* a host bridge is no device on a link; other VMMs' have none, refvmm's has */
		if (!cap && !port_present() &&
		    pci_rd32(h, f->bdf, PCI_CLASS_REVISION) >> 16 == CLASS_HOST_BRIDGE)
			continue;
		if (!EXPECT_NE(cap, 0)) {
			NOTE("function 0x%x has no PCI Express capability", f->bdf);
			continue;
		}
		type = EXP_TYPE(pci_rd16(h, f->bdf, cap + EXP_CAPABILITIES));
		if (f->bridge)
			EXPECT_EQ(type, EXP_TYPE_ROOT_PORT);
		else
			EXPECT_EQ(type, f->parent < 0 ? EXP_TYPE_INTEGRATED : EXP_TYPE_ENDPOINT);
	}
}

/*
 * A root port implements a slot that is hot-plug capable, with a number of its
 * own; what sits on the root bus itself sits in no slot (7.5.3.2, 7.5.3.9).
 */
TEST(pcie, hotplug_is_for_slots_of_root_ports_alone, RULE("PCIE-SLOT-1"), PORTS)
{
	struct pci_host *h = enumerated();
	static bool taken[1 << 13]; /* Physical Slot Number has 13 bits */
	uint64_t number;

	last_port(h);
	memset(taken, 0, sizeof(taken));
	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];
		unsigned int cap = pci_cap(h, f->bdf, PCI_CAP_EXP);
		uint16_t express = cap ? pci_rd16(h, f->bdf, cap + EXP_CAPABILITIES) : 0;
		uint32_t slot = cap ? pci_rd32(h, f->bdf, cap + EXP_SLOT_CAPABILITIES) : 0;

		if (f->parent >= 0)
			continue;
		EXPECT_EQ((express & EXP_SLOT) != 0, f->bridge);
		if (!f->bridge)
			continue;
		EXPECT_NE(slot & SLOT_HOTPLUG_CAPABLE, 0);
		number = SLOT_NUMBER(slot) % ARRAY_SIZE(taken);
		/* unique within a chassis: refvmm has one, of others nobody here knows */
		if (port_present())
			EXPECT_TRUE(!taken[number]);
		taken[number] = true;
	}
}
