/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration space from all CPUs at once (PCI Express Base Specification, 7.2.2: each access is one,
 * whole and its own): a CPU writes only what is its own, and reads what nobody changes.
 */
#include "stress.h"
#include "common.h"
#include "smp.h"

#define CPUS 4U

static struct {
	struct pci_host *h;
	struct pci_function *port[CPUS], *endpoint[CPUS];
	uint32_t id[PCI_FUNCTIONS_MAX];
	uint64_t accesses[CPUS];
} s;

/* the window registers of my own port, by halves and words */
static void windows(struct rng *r, uint16_t bdf)
{
	uint32_t was = pci_rd32(s.h, bdf, PCI_MEMORY_BASE);
	uint16_t base = (uint16_t)(rng_next(r) & 0xfff0), limit = (uint16_t)(rng_next(r) & 0xfff0);

	pci_wr16(s.h, bdf, PCI_MEMORY_BASE, base);
	pci_wr16(s.h, bdf, PCI_MEMORY_LIMIT, limit);
	EXPECT_EQ(pci_rd32(s.h, bdf, PCI_MEMORY_BASE), (uint32_t)limit << 16 | base);
	pci_wr32(s.h, bdf, PCI_MEMORY_BASE, was);
	EXPECT_EQ(pci_rd16(s.h, bdf, PCI_MEMORY_LIMIT), (uint16_t)(was >> 16));
}

/* my own endpoint vanishes when my port has no bus number, and is back with it */
static void number(struct pci_function *port, uint16_t endpoint)
{
	uint32_t was = pci_rd32(s.h, port->bdf, PCI_PRIMARY_BUS);

	pci_wr32(s.h, port->bdf, PCI_PRIMARY_BUS, 0);
	EXPECT_EQ(pci_present(s.h, endpoint), false);
	pci_wr32(s.h, port->bdf, PCI_PRIMARY_BUS, was);
	EXPECT_EQ(pci_rd16(s.h, endpoint, PCI_DEVICE), ASSAY_PCI_DEVICE_TEST);
}

/* a BAR of my own endpoint takes what I write, whatever others write to theirs */
static void bar(struct rng *r, uint16_t bdf)
{
	uint32_t was = pci_rd32(s.h, bdf, PCI_BAR0), v = (uint32_t)rng_next(r) & ~0xfffU;

	pci_wr32(s.h, bdf, PCI_BAR0, v);
	EXPECT_EQ(pci_rd32(s.h, bdf, PCI_BAR0), v);
	pci_wr32(s.h, bdf, PCI_BAR0, was);
}

static void config_cpu(void *arg)
{
	unsigned int me = cpu_index();
	struct rng r = rng_of(me);
	uint64_t rounds = 0;

	for (; stress_more(rounds); rounds++) {
		unsigned int any = (unsigned int)rng_below(&r, s.h->count);
		uint16_t bdf = s.h->function[any].bdf;

		switch (rng_below(&r, 4)) {
		case 0:
			windows(&r, s.port[me]->bdf);
			break;
		case 1:
			number(s.port[me], s.endpoint[me]->bdf);
			break;
		case 2:
			bar(&r, s.endpoint[me]->bdf);
			break;
		default:
			/* what is on the root bus or behind my own port is always there */
			if (bdf >> 8 != s.h->bus_first)
				bdf = s.endpoint[me]->bdf;
			EXPECT_EQ(pci_rd16(s.h, bdf, PCI_VENDOR), ASSAY_PCI_VENDOR);
			EXPECT_EQ(pci_present(s.h, PCI_BDF(s.h->bus_last, 31, 7)), false);
			break;
		}
	}
	s.accesses[me] = rounds;
	(void)arg;
}

TEST(pcie, configuration_space_is_shared_by_all_cpus, RULE("PCIE-CFG-6"), .tags = "stress",
     .vmm = "--smp 4 --root-ports 4 --device pci-test --device pci-test --device pci-test")
{
	uint64_t rounds = 0;
	unsigned int n = 0;

	smp_need(CPUS);
	s.h = placed();
	for (unsigned int i = 0; i < s.h->count && n < CPUS; i++) {
		struct pci_function *f = &s.h->function[i];

		if (f->parent < 0 || f->device != ASSAY_PCI_DEVICE_TEST)
			continue;
		/* with decoding off no value of a BAR or window does harm */
		pci_wr16(s.h, f->bdf, PCI_COMMAND, 0);
		s.endpoint[n] = f;
		s.port[n++] = &s.h->function[f->parent];
	}
	NEED("root-ports", n == CPUS, "needs a test endpoint behind each of %u root ports", CPUS);
	stress_begin(2000);
	smp_call_all(CPUS, config_cpu, NULL);
	for (n = 0; n < CPUS; n++)
		rounds += s.accesses[n];
	FACT("stress.pcie_rounds", "%lu", rounds);
	EXPECT_GE(rounds, CPUS);
}
