/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs out first: the VMM says so before the start, by name, and refuses one more (host test
 * refvmm.one_more_than_fits_*). Here the guest finds the machine of that size whole, and counts what is
 * left for one more.
 */
#include "gic.h"
#include "irq.h"
#include "msi.h"

#define LOW64(port) "--device pci-test,bar64=128M,port=" #port " "

/* machines at a limit, and one below it: the variant names the resource, and whether one more would fit */
#define LIMITS                                                                                     \
	.variants =                                                                                \
		"buses-below: --root-ports 14 --machine highmem=off | "                            \
		"buses: --root-ports 15 --machine highmem=off | "                                  \
		"slots-below: --root-ports 30 | slots: --root-ports 31 | "                         \
		"mmio32-below: --root-ports 3 --device pci-test,port=0,bar32=128M "                \
		"--device pci-test,port=1,bar32=128M | "                                           \
		"mmio32: --root-ports 4 --device pci-test,port=0,bar32=128M "                      \
		"--device pci-test,port=1,bar32=128M --device pci-test,port=2,bar32=128M | "       \
		"mmio64-below: --root-ports 3 --device pci-test,port=0,bar64=128G "                \
		"--device pci-test,port=1,bar64=128G | "                                           \
		"mmio64: --root-ports 4 --device pci-test,port=0,bar64=128G "                      \
		"--device pci-test,port=1,bar64=128G --device pci-test,port=2,bar64=128G | "       \
		"mmio64-lowmem-below: --machine highmem=off --root-ports 5 " LOW64(0) LOW64(1)     \
			LOW64(2) LOW64(                                                            \
				3) "| "                                                            \
				   "mmio64-lowmem: --machine highmem=off --root-ports 6 " LOW64(0) \
					   LOW64(1) LOW64(2) LOW64(3) LOW64(4)

static bool starts_with(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *resource(void)
{
	const char *at = test_now.id;

	while (*at && *at != '@')
		at++;
	return *at ? at + 1 : "";
}

static bool below(void)
{
	const char *name = resource();
	size_t n = strlen(name);

	return n > 6 && strcmp(name + n - 6, "-below") == 0;
}

/* Would a further BAR of `size`, with its natural alignment, still go into the window? */
static bool has_room(const struct pci_window *w, uint64_t size)
{
	uint64_t at = ALIGN_UP(w->next, size);

	return at - w->pci <= w->size && size <= w->size - (at - w->pci);
}

/* The same for one more prefetchable BAR in the 32-bit window, where all of that size come first. */
static bool has_room_first(const struct pci_host *h, uint64_t size)
{
	uint64_t big = size, rest = 0;

	for (unsigned int i = 0; i < h->count; i++)
		for (unsigned int n = 0; n < PCI_BARS; n++)
			if (h->function[i].bar[n].size == size)
				big += size;
			else if (h->function[i].bar[n].size && n == 0)
				rest += 2 * SZ_1M; /* its windows of both kinds at least */
	return ALIGN_UP(h->low.pci, size) - h->low.pci + big + rest <= h->low.size;
}

static unsigned int free_slots(const struct pci_host *h)
{
	unsigned int n = 0;

	for (unsigned int device = 0; device < 32; device++)
		n += !pci_present(h, PCI_BDF(h->bus_first, device, 0));
	return n;
}

TEST(pcie, what_was_predicted_to_run_out_first_does, RULE("PCIE-LIMIT-1"), LIMITS)
{
	struct pci_host *h = placed();
	unsigned int buses = h->bus_last - h->bus_first + 1 - h->buses, slots = free_slots(h);
	bool more = below();

	EXPECT_TRUE(!h->out_of_buses);
	NOTE("left: %u buses, %u slots, 32-bit window 0x%lx, 64-bit window 0x%lx", buses, slots,
	     h->low.size - (h->low.next - h->low.pci), h->high.size - (h->high.next - h->high.pci));
	if (starts_with(resource(), "buses")) {
		EXPECT_EQ(buses, more ? 1 : 0);
		EXPECT_GT(slots, 0); /* so it is not they that run out */
	} else if (starts_with(resource(), "slots")) {
		EXPECT_EQ(slots, more ? 1 : 0);
		EXPECT_GT(buses, 1);
	} else if (starts_with(resource(), "mmio32")) {
		EXPECT_EQ(has_room(&h->low, 128 * SZ_1M), more);
		EXPECT_TRUE(has_room(&h->high, SZ_1G));
		EXPECT_TRUE(buses > 1 && slots > 1);
	} else if (starts_with(resource(), "mmio64-lowmem")) {
		EXPECT_EQ(h->high.size, 0);
		EXPECT_EQ(has_room_first(h, 128 * SZ_1M), more);
		EXPECT_TRUE(buses > 1 && slots > 1);
	} else {
		EXPECT_EQ(has_room(&h->high, 128 * SZ_1G), more);
		EXPECT_TRUE(has_room(&h->low, 128 * SZ_1M));
		EXPECT_TRUE(buses > 1 && slots > 1);
	}
}

/* ... and nothing that fits is out of reach: every endpoint answers at every width, at both ends of its BARs. */
TEST(pcie, a_machine_at_its_limit_is_whole, RULE("PCIE-LIMIT-2"), LIMITS)
{
	struct pci_host *h = placed();
	unsigned int endpoints = 0;

	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];
		uint64_t low, high, v = rnd();

		if (f->vendor != ASSAY_PCI_VENDOR || f->device != ASSAY_PCI_DEVICE_TEST)
			continue;
		endpoints++;
		low = bar_address(f, 0);
		high = bar_address(f, 2);
		EXPECT_EQ(mmio_rd32(low + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
		EXPECT_EQ(mmio_rd32(low + ASSAY_PCITEST_RID), f->bdf);
		mmio_wr64(low + ASSAY_PCITEST_SCRATCH, v);
		EXPECT_EQ(mmio_rd16(low + ASSAY_PCITEST_SCRATCH + 2), (uint16_t)(v >> 16));
		EXPECT_EQ(mmio_rd8(low + ASSAY_PCITEST_SCRATCH + 7), (uint8_t)(v >> 56));
		mmio_wr32(high, (uint32_t)v);
		EXPECT_EQ(mmio_rd32(high), (uint32_t)v);
		mmio_wr64(high + f->bar[2].size - 8, v);
		EXPECT_EQ(mmio_rd64(high + f->bar[2].size - 8), v);
		EXPECT_EQ(mmio_rd32(low + ASSAY_PCITEST_ID), ASSAY_PCITEST_MAGIC);
	}
	EXPECT_GT(endpoints, 0);
}

/* Ports without devices, all of them with one: the whole grid of the claims. */
#define FILL_8                                                                     \
	"--device pci-test --device pci-test --device pci-test --device pci-test " \
	"--device pci-test --device pci-test --device pci-test "

TEST(pcie, every_port_can_hold_a_device, RULE("PCIE-LIMIT-3"),
     .variants = "ports8: --root-ports 8 " FILL_8 "| ports15: --root-ports 15 " FILL_8 FILL_8
		 "| low15: --root-ports 15 --machine highmem=off " FILL_8 FILL_8
		 "| ports28: --root-ports 28 " FILL_8 FILL_8 FILL_8 FILL_8)
{
	struct pci_host *h = placed();
	unsigned int ports = count_ports(h), held = 0;

	for (unsigned int i = 0; i < h->count; i++) {
		struct pci_function *f = &h->function[i];

		if (f->parent < 0 || f->vendor != ASSAY_PCI_VENDOR ||
		    f->device != ASSAY_PCI_DEVICE_TEST)
			continue;
		EXPECT_EQ(f->bdf >> 8, h->function[f->parent].secondary);
		EXPECT_EQ(mmio_rd32(bar_address(f, 0) + ASSAY_PCITEST_RID), f->bdf);
		held++;
	}
	/* refvmm was asked for one device a port, and for one more where that is an odd number */
	EXPECT_EQ(held, ports);
}
