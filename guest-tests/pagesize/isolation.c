/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is neither RAM nor a device is nobody's: stage 2 maps nothing there, the
 * access goes to the VMM (Documentation/virt/kvm/api.rst, KVM_EXIT_MMIO), which
 * answers 0 and never what it had in its hands before. That reads give 0 is
 * refvmm's contract, so that the walk needs its test port.
 */
#include "common.h"
#include "pci.h"

struct claimed {
	uint64_t from, to;
};

static struct claimed claimed[128];
static unsigned int claimed_count;

static void claim(uint64_t from, uint64_t size)
{
	if (size && claimed_count < ARRAY_SIZE(claimed))
		claimed[claimed_count++] = (struct claimed){from, from + size};
}

/* Every `reg` of a child of the root or of a bus that maps one to one, and the windows of PCIe. */
static void note_claims(void)
{
	static struct pci_host host;
	uint64_t base, size;

	claimed_count = 0;
	claim(0, SZ_64K); /* our own null guard */
	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node))
		for (unsigned int i = 0; dt_reg(node, i, &base, &size); i++)
			claim(base, ALIGN_UP(size, SZ_64K));
	if (pci_host_find(&host, 0)) {
		claim(host.io.cpu, host.io.size);
		claim(host.low.cpu, host.low.size);
		claim(host.high.cpu, host.high.size);
	}
}

static bool is_claimed(uint64_t at)
{
	for (unsigned int i = 0; i < claimed_count; i++)
		if (at + 8 > claimed[i].from && at < claimed[i].to)
			return true;
	return false;
}

static void expect_nothing_at(uint64_t at)
{
	char where[40];
	uint64_t got[4];

	/* leave bytes in the VMM's hands that would show */
	port_ping(0x5aa5a55a);
	got[0] = mmio_rd8(at);
	port_ping(0x5aa5a55a);
	got[1] = mmio_rd16(at);
	port_ping(0x5aa5a55a);
	got[2] = mmio_rd32(at);
	port_ping(0x5aa5a55a);
	got[3] = mmio_rd64(at);
	for (unsigned int i = 0; i < 4; i++) {
		snprintf(where, sizeof(where), "%u bytes read at 0x%lx", 1U << i, at);
		if (got[i])
			test_fail(__FILE__, __LINE__, where, "got 0x%lx, want 0x0", got[i]);
	}
}

static void need_port(void)
{
	NEED("test-port", port_present(),
	     "this VMM has no assay,test-port: what it answers for nobody's address is its own "
	     "affair");
}

TEST(pagesize, an_address_of_nobody_reads_zero, RULE("PAGE-ISO-1"))
{
	unsigned int tried = 0;
	uint64_t ram = 0, size = 0;

	need_port();
	ASSERT_TRUE(dt_memory(0, &ram, &size));
	note_claims();
	for (uint64_t at = 0; at < ram; at += 4 * SZ_1M) {
		uint64_t here = at + rnd_below(4 * SZ_1M / 8) * 8;

		if (is_claimed(here))
			continue;
		expect_nothing_at(here);
		tried++;
	}
	/* above RAM, to the end of what the map covers of a 40-bit space */
	for (uint64_t at = ram + size; at < (UINT64_C(1) << 38); at += SZ_1G * 8) {
		uint64_t here = at + rnd_below(SZ_1G * 8 / 8) * 8;

		if (is_claimed(here) || here >= (UINT64_C(1) << 38))
			continue;
		expect_nothing_at(here);
		tried++;
	}
	NOTE("%u addresses tried", tried);
	EXPECT_GT(tried, 20);
}

TEST(pagesize, a_store_to_nobody_is_lost, RULE("PAGE-ISO-2"))
{
	uint64_t ram = 0, size = 0;

	need_port();
	ASSERT_TRUE(dt_memory(0, &ram, &size));
	note_claims();
	for (uint64_t at = 0; at < ram; at += 16 * SZ_1M) {
		uint64_t here = at + rnd_below(16 * SZ_1M / 8) * 8;

		if (is_claimed(here))
			continue;
		mmio_wr64(here, 0xaaaaaaaaaaaaaaaa);
		mmio_wr8(here + 1, 0xbb);
		EXPECT_EQ(mmio_rd64(here), 0);
	}
}

/* The last word of RAM is RAM, and the next is not. */
TEST(pagesize, ram_ends_where_the_device_tree_says, RULE("PAGE-ISO-3"),
     .variants = "64m: --memory 64M | 1g: --memory 1G")
{
	uint64_t ram = 0, size = 0, value = rnd();

	need_port();
	ASSERT_TRUE(dt_memory(0, &ram, &size));
	mmio_wr64(ram + size - 8, value);
	EXPECT_EQ(mmio_rd64(ram + size - 8), value);
	mmio_wr64(ram + size, value);
	EXPECT_EQ(mmio_rd64(ram + size), 0);
	EXPECT_EQ(mmio_rd64(ram + size - 8), value);
}
