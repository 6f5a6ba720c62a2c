/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TLBs may keep: an invalidation reaches every CPU (DDI 0487 D8.16,
 * TLBI VAAE1IS), and pages of one ASID are not used for another (D8.16.3).
 */
#include "common.h"
#include "smp.h"

/* Many rounds: whatever makes the host run may empty the TLBs as well, and hide a fault. */
#define CPUS   2U
#define ROUNDS 60U

static struct {
	struct pgtable *table;
	uint64_t pa, page;
	struct barrier barrier;
	unsigned int wrong[CPUS];
} shared;

static uint64_t value_of(unsigned int round)
{
	return 0x1000 + round % 2;
}

/* CPU 0 turns the page over while the other waits, its TLB warm. */
static void turn_over(unsigned int round)
{
	volatile uint64_t *entry = pt_walk(shared.table, 0, NULL);

	*entry = 0;
	mmu_invalidate(mmu_high_va(shared.table, 0));
	*entry = (shared.pa + round % 2 * shared.page) | PT_DATA | PT_VALID | PT_TABLE;
	mmu_sync();
}

static void watch(void *arg)
{
	uint64_t va = mmu_high_va(shared.table, 0);
	unsigned int me = cpu_index();

	mmu_high(shared.table);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		barrier_wait(&shared.barrier, CPUS);
		shared.wrong[me] += mmio_rd64(va) != value_of(round);
		barrier_wait(&shared.barrier, CPUS);
		if (me == 0)
			turn_over(round + 1);
	}
	barrier_wait(&shared.barrier, CPUS);
	mmu_high(NULL);
	(void)arg;
}

static void seen_by_all(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;

	memset(&shared, 0, sizeof(shared));
	shared.page = page;
	shared.pa = (uint64_t)mem_alloc(2 * page, page);
	mmio_wr64(shared.pa, value_of(0));
	mmio_wr64(shared.pa + page, value_of(1));
	shared.table = high_tables(g, 48, 6);
	map_or_end(shared.table, 0, shared.pa, page, PT_DATA, 3);
	smp_call_all(CPUS, watch, NULL);
	for (unsigned int n = 0; n < CPUS; n++)
		EXPECT_EQ(shared.wrong[n], 0);
}

TEST(pagesize, an_invalidation_reaches_every_cpu, RULE("PAGE-TLB-1"), .vmm = "--smp 2", GRANULES)
{
	smp_need(CPUS);
	each_granule(seen_by_all);
}

/* Two spaces with the same address, not global, used in turn; nothing is invalidated between. */
static void two_spaces(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page);
	struct pgtable *space[2];

	for (unsigned int i = 0; i < 2; i++) {
		space[i] = high_tables(g, 48, 6);
		map_or_end(space[i], 0, pa + i * page, page, PT_DATA | PT_NOT_GLOBAL, 3);
		mmio_wr64(pa + i * page, 0x2000 + i);
	}
	mmu_high(space[0]);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		mmu_high_space(space[round % 2], (uint16_t)(1 + round % 2));
		EXPECT_EQ(mmio_rd64(mmu_high_va(space[0], 0)), 0x2000 + round % 2);
	}
	mmu_high(NULL);
}

TEST(pagesize, address_spaces_do_not_mix, RULE("PAGE-ASID-1"), GRANULES)
{
	each_granule(two_spaces);
}
