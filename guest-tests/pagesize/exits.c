/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 is the guest's own: descriptors, invalidations and, once the caches
 * are on, translation registers cost no exit. KVM counts its exits
 * (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD); the host's own interrupts
 * are among them, so the bound is a tenth of the changes made, and the best of
 * three rounds counts.
 */
#include "common.h"

#define CHANGES 2000U
#define ROUNDS	3U

static void change_maps(struct pgtable *t, uint64_t pa, uint64_t page)
{
	volatile uint64_t *entry = pt_walk(t, 0, NULL);
	uint64_t attrs = *entry & ~(pa | (pa + page)), va = mmu_high_va(t, 0);
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < CHANGES; i++) {
		*entry = 0;
		mmu_invalidate(va);
		*entry = attrs | (pa + (i & 1) * page);
		mmu_sync();
		wrong += mmio_rd64(va) != (i & 1);
	}
	EXPECT_EQ(wrong, 0);
}

TEST(pagesize, tables_change_without_exits, RULE("PAGE-OWN-1"))
{
	enum granule g = mmu_default_granule();
	uint64_t page = UINT64_C(1) << g, least = ~0ULL;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, 2 * page);
	struct pgtable *t = high_tables(g, 48, 6);

	mmio_wr64(pa, 0);
	mmio_wr64(pa + page, 1);
	map_or_end(t, 0, pa, page, PT_DATA, 3);
	mmu_high(t);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t before = exits();

		change_maps(t, pa, page);
		least = MIN(least, exits() - before);
	}
	mmu_high(NULL);
	NOTE("%lu exits for %u changes", least, CHANGES);
	EXPECT_LT(least, CHANGES / 10);
}

TEST(pagesize, address_spaces_switch_without_exits, RULE("PAGE-OWN-2"))
{
	uint64_t page = UINT64_C(1) << mmu_default_granule(), least = ~0ULL;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page);
	struct pgtable *space[2];
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 2; i++) {
		space[i] = high_tables(mmu_default_granule(), 48, 6);
		map_or_end(space[i], 0, pa + i * page, page, PT_DATA, 3);
		mmio_wr64(pa + i * page, i);
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t before = exits();

		for (unsigned int i = 0; i < CHANGES / 10; i++) {
			/* TTBR1_EL1, TCR_EL1 three times, TLBI VMALLE1 */
			mmu_high(space[i & 1]);
			wrong += mmio_rd64(mmu_high_va(space[0], 0)) != (i & 1);
		}
		least = MIN(least, exits() - before);
	}
	mmu_high(NULL);
	NOTE("%lu exits for %u switches", least, CHANGES / 10);
	EXPECT_EQ(wrong, 0);
	EXPECT_LT(least, CHANGES / 20);
}
