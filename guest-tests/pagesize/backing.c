/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large the pages of stage 2 really are: RAM that nobody touched is written
 * once in each host page, and KVM's own count of exits says how many faults
 * that took (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD: "exits"). A
 * stage-2 page of N bytes costs one fault for N bytes.
 */
#include "common.h"

#define REGION	(8 * SZ_1M)
#define REGIONS 3U
/* Exits that are no faults of ours: the asking itself, and the host's interrupts meanwhile. */
#define NOISE	64U

static void memory_facts(uint64_t facts[4])
{
	struct assay_action a = {.op = ASSAY_ACT_MEMORY_FACTS};

	NEED("test-port", port_action(&a) == 0, "this VMM has no assay,test-port to ask");
	memcpy(facts, a.ret, sizeof(a.ret));
}

/* Faults that one write to each host page of an untouched REGION takes: the fewest of some. */
static uint64_t faults_of_region(uint64_t host_page)
{
	uint64_t fewest = ~0ULL, unused, size, at;

	mem_unused(&unused, &size);
	at = ALIGN_UP(unused, REGION);
	for (unsigned int n = 0; n < REGIONS; n++, at += REGION) {
		uint64_t before, after;

		if (at + REGION > unused + size)
			break;
		before = exits();
		for (uint64_t page = 0; page < REGION; page += host_page)
			mmio_wr64(at + page, page);
		after = exits();
		fewest = MIN(fewest, after - before);
		for (uint64_t page = 0; page < REGION; page += host_page)
			EXPECT_EQ(mmio_rd64(at + page), page);
	}
	if (fewest == ~0ULL)
		test_error("no untouched RAM of %llu MiB: give the VM more --memory", REGION >> 20);
	return fewest;
}

/* Could pages of this size have taken so few faults, and so many? */
static bool fits(uint64_t faults, uint64_t block)
{
	return faults <= REGION / block + NOISE;
}

TEST(pagesize, normal_memory_is_mapped_by_host_pages, RULE("PAGE-S2-1"),
     .vmm = "--memory 64M,backing=normal")
{
	uint64_t facts[4], faults;

	memory_facts(facts);
	faults = faults_of_region(facts[0]);
	NOTE("%lu exits for %llu MiB", faults, REGION >> 20);
	if (EXPECT_GE(faults, REGION / facts[0]) && EXPECT_TRUE(fits(faults, facts[0])))
		FACT("pagesize.stage2_block_normal", "%lu", facts[0]);
}

/* A block of the level above pages: a table has host_page / 8 entries. */
static uint64_t block_size(uint64_t host_page)
{
	return host_page * (host_page / 8);
}

/*
 * A huge page made of contiguous pages (2 MiB where the host's pages are of 16
 * or 64 KiB) has no block in stage 2: KVM maps its pages one by one
 * (arch/arm64/kvm/mmu.c, user_mem_abort, CONT_PTE_SHIFT).
 */
TEST(pagesize, hugetlb_memory_is_mapped_by_huge_pages, RULE("PAGE-S2-2"),
     .vmm = "--memory 64M,backing=hugetlb:2M")
{
	uint64_t facts[4], faults, want;

	memory_facts(facts);
	EXPECT_EQ(facts[1], SZ_2M);
	want = block_size(facts[0]) <= facts[1] ? facts[1] : facts[0];
	faults = faults_of_region(facts[0]);
	NOTE("%lu exits for %llu MiB", faults, REGION >> 20);
	if (!EXPECT_TRUE(fits(faults, want)))
		return;
	FACT("pagesize.stage2_block_hugetlb", "%lu", want);
	NEED("hugetlb-block", want != facts[0],
	     "stage 2 has no block of 2 MiB where the host's pages are of %lu KiB; they are mapped "
	     "one by one, as they must be",
	     facts[0] >> 10);
}

/* The huge page that is a block of stage 2: 32 MiB where pages are of 16 KiB, 512 MiB where they are of 64 KiB. */
static void huge_page_is_a_block(uint64_t size)
{
	uint64_t facts[4], faults;

	memory_facts(facts);
	EXPECT_EQ(facts[1], size);
	NEED("stage2-block", block_size(facts[0]) == size,
	     "%lu MiB is no block of stage 2 where the host's pages are of %lu KiB", size >> 20,
	     facts[0] >> 10);
	faults = faults_of_region(facts[0]);
	NOTE("%lu exits for %llu MiB", faults, REGION >> 20);
	if (EXPECT_TRUE(fits(faults, size)))
		FACT("pagesize.stage2_block_hugetlb_largest", "%lu", size);
}

TEST(pagesize, hugetlb_memory_of_32m_is_one_block, RULE("PAGE-S2-2"),
     .vmm = "--memory 64M,backing=hugetlb:32M")
{
	huge_page_is_a_block(32 * SZ_1M);
}

TEST(pagesize, hugetlb_memory_of_512m_is_one_block, RULE("PAGE-S2-2"),
     .vmm = "--memory 512M,backing=hugetlb:512M")
{
	huge_page_is_a_block(512 * SZ_1M);
}

/*
 * 1 GiB is a block of level 1, which stage 2 has with pages of 4 KiB alone. One write to each 2 MiB tells it from blocks of
 * level 2: those would take a fault each. (The one fault of the huge page is that of the payload's first instruction.)
 */
TEST(pagesize, hugetlb_memory_of_1g_is_one_block, RULE("PAGE-S2-2"),
     .vmm = "--memory 1G,backing=hugetlb:1G", .limit_ms = 20000)
{
	uint64_t facts[4], unused, size, before, faults, n = 0;

	memory_facts(facts);
	EXPECT_EQ(facts[1], SZ_1G);
	NEED("stage2-block", facts[0] == SZ_4K,
	     "1 GiB is no block of stage 2 where the host's pages are of %lu KiB", facts[0] >> 10);
	mem_unused(&unused, &size);
	before = exits();
	for (uint64_t at = ALIGN_UP(unused, SZ_2M); at < unused + size; at += SZ_2M, n++)
		mmio_wr64(at, at);
	faults = exits() - before;
	NOTE("%lu exits for %lu blocks of 2 MiB", faults, n);
	ASSERT_GE(n, 4 * NOISE);
	if (EXPECT_LE(faults, NOISE))
		FACT("pagesize.stage2_block_hugetlb_largest", "%llu", SZ_1G);
	for (uint64_t at = ALIGN_UP(unused, SZ_2M); at < unused + size; at += SZ_2M)
		EXPECT_EQ(mmio_rd64(at), at);
}

/*
 * RAM of 1 GiB, so that a huge page of each size the host may have fits; only
 * what is touched costs memory. Whether there is one to be had is the host's
 * affair at that moment: it says so itself.
 */
TEST(pagesize, transparent_huge_memory_is_mapped_by_huge_pages, RULE("PAGE-S2-3"),
     .vmm = "--memory 1G,backing=thp", .limit_ms = 20000)
{
	struct assay_action a = {.op = ASSAY_ACT_MEMORY_THP};
	uint64_t facts[4], faults;

	memory_facts(facts);
	NEED("thp", facts[2] != 0, "the host has no transparent huge pages");
	faults = faults_of_region(facts[0]);
	NOTE("%lu exits for %llu MiB", faults, REGION >> 20);
	if (port_action(&a) == 0) {
		NOTE("%lu MiB of RAM are in transparent huge pages", a.ret[0] >> 20);
		NEED("thp-free", a.ret[0] >= facts[2],
		     "the host had no free huge page of %lu MiB for this VM", facts[2] >> 20);
	}
	if (fits(faults, facts[2]))
		FACT("pagesize.stage2_block_thp", "%lu", facts[2]);
	else
		EXPECT_LE(faults, REGION / facts[0] / 2);
}
