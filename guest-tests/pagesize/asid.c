/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces told apart by ASIDs of 8 and 16 bits (DDI 0487 D8.16.3, TCR_EL1.AS). */
#include "common.h"

#define TCR_AS BIT(36)
#define SPACES 12U

/* The same address in every space, each with a page of its own; visited at random, nothing is invalidated between. */
static void spaces_by(enum granule g, const uint16_t asids[static SPACES])
{
	uint64_t page = UINT64_C(1) << g, va = 0;
	uint64_t pa = (uint64_t)mem_alloc(SPACES * page, page);
	/* few levels, so that many spaces fit */
	unsigned int bits = g == GRANULE_4K ? 30 : g == GRANULE_16K ? 25 : 29;
	struct pgtable *space[SPACES];
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < SPACES; i++) {
		space[i] = high_tables(g, bits, 3);
		map_or_end(space[i], 0, pa + i * page, page, PT_DATA | PT_NOT_GLOBAL, 3);
		mmio_wr64(pa + i * page, 0x2000 + i);
		va = mmu_high_va(space[i], 0);
	}
	mmu_high(space[0]);
	for (unsigned int round = 0; round < 400; round++) {
		uint64_t i = round < 2 * SPACES ? round % SPACES : rnd_below(SPACES);

		mmu_high_space(space[i], asids[i]);
		if (mmio_rd64(va) == 0x2000 + i)
			continue;
		if (!wrong++)
			NOTE("%s granule, ASID 0x%x shows page 0x%lx", pt_granule_name(g), asids[i],
			     mmio_rd64(va));
	}
	EXPECT_EQ(wrong, 0);
	mmu_high(NULL);
}

static void eight_bits(enum granule g)
{
	static const uint16_t asids[SPACES] = {1,    2,	   3,	 4,    0x10, 0x20,
					       0x40, 0x7f, 0x80, 0x81, 0xfe, 0xff};

	spaces_by(g, asids);
}

TEST(pagesize, asids_of_eight_bits_are_all_different, RULE("PAGE-ASID-2"))
{
	each_granule(eight_bits);
}

static void sixteen_bits(enum granule g)
{
	static const uint16_t asids[SPACES] = {0x0001, 0x0101, 0x0201, 0x8001, 0xff01, 0x00ff,
					       0xffff, 0x7fff, 0xfffe, 0x5aa5, 0xa55a, 0x0002};

	tcr_change(0, TCR_AS);
	spaces_by(g, asids);
	tcr_change(TCR_AS, 0);
}

/* ID_AA64MMFR0_EL1.ASIDBits: 0 is 8 bits, 2 is 16 */
TEST(pagesize, asids_of_sixteen_bits_differ_in_all_of_them, RULE("PAGE-ASID-2"))
{
	uint64_t bits = ID_FIELD(id_aa64mmfr0_el1, 4);

	FACT("pagesize.asid_bits", "%u", bits == 2 ? 16 : 8);
	EXPECT_TRUE(bits == 0 || bits == 2);
	if (bits == 2) {
		each_granule(sixteen_bits);
		return;
	}
	/* TCR_EL1.AS is RES0 then; eight bits go on working whatever stands there */
	tcr_change(0, TCR_AS);
	each_granule(eight_bits);
	tcr_change(TCR_AS, 0);
}

/* A space that is given up: its ASID is invalidated, and then names another. */
static void asid_again(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, va;
	uint64_t pa = (uint64_t)mem_alloc(4 * page, page);
	struct pgtable *space[4];
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 4; i++) {
		space[i] = high_tables(g, 48, 6);
		map_or_end(space[i], 0, pa + i * page, page, PT_DATA | PT_NOT_GLOBAL, 3);
		mmio_wr64(pa + i * page, 0x3000 + i);
	}
	va = mmu_high_va(space[0], 0);
	mmu_high(space[0]);
	mmu_high_space(space[3], 9); /* a neighbour that must stay what it is */
	EXPECT_EQ(mmio_rd64(va), 0x3003);
	for (unsigned int round = 0; round < 60; round++) {
		mmu_high_space(space[round % 3], 8);
		wrong += mmio_rd64(va) != 0x3000 + round % 3;
		mmu_high_space(space[3], 9);
		wrong += mmio_rd64(va) != 0x3003;
		/* TLBI ASIDE1IS */
		__asm__ volatile("dsb ishst\n\ttlbi aside1is, %0\n\tdsb ish\n\tisb"
				 :
				 : "r"(UINT64_C(8) << 48)
				 : "memory");
	}
	EXPECT_EQ(wrong, 0);
	mmu_high(NULL);
}

TEST(pagesize, an_invalidated_asid_names_another_space, RULE("PAGE-ASID-3"), GRANULES)
{
	each_granule(asid_again);
}

/* Global pages are the same for every ASID; private ones beside them are not. */
static void global_and_private(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, va;
	uint64_t pa = (uint64_t)mem_alloc(3 * page, page);
	struct pgtable *space[2];
	unsigned int wrong = 0;

	mmio_wr64(pa + 2 * page, 0x4002);
	for (unsigned int i = 0; i < 2; i++) {
		space[i] = high_tables(g, 48, 6);
		map_or_end(space[i], 0, pa + i * page, page, PT_DATA | PT_NOT_GLOBAL, 3);
		map_or_end(space[i], page, pa + 2 * page, page, PT_DATA, 3);
		mmio_wr64(pa + i * page, 0x4000 + i);
	}
	va = mmu_high_va(space[0], 0);
	mmu_high(space[0]);
	for (unsigned int round = 0; round < 100; round++) {
		mmu_high_space(space[round & 1], (uint16_t)(0x21 + (round & 1)));
		wrong += mmio_rd64(va + page) != 0x4002;
		wrong += mmio_rd64(va) != 0x4000 + (round & 1);
	}
	EXPECT_EQ(wrong, 0);
	mmu_high(NULL);
}

TEST(pagesize, global_pages_are_in_every_space, RULE("PAGE-ASID-4"), GRANULES)
{
	each_granule(global_and_private);
}
