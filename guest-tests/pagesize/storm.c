/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm of invalidations: every CPU turns its own pages over by break-before-make, with every kind of broadcast,
 * while it reads the pages of all others. Each page counts its generations. What a CPU reads is never older than the
 * generation that was published before it looked: an older one is a TLB entry that outlived its invalidation.
 */
#include "common.h"
#include "smp.h"
#include "timer.h"

#define CPUS  4U
#define PAGES 4U /* of each CPU */
#define SPAN  (1ULL * CPUS * PAGES)

static struct {
	struct pgtable *table;
	uint64_t frames, page; /* two frames a page */
	uint64_t published[SPAN];
	struct barrier barrier;
	bool stop;
	uint64_t turns[CPUS], reads[CPUS], broken[CPUS], stale[CPUS], early[CPUS];
} storm;

static uint64_t published(unsigned int n)
{
	return __atomic_load_n(&storm.published[n], __ATOMIC_ACQUIRE);
}

static void broadcast(uint64_t va, uint64_t how)
{
	dsb(ishst);
	if (how == 0)
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	else if (how == 1)
		__asm__ volatile("tlbi vale1is, %0" : : "r"(BITS(va, 55, 12)) : "memory");
	else if (how == 2)
		__asm__ volatile("tlbi aside1is, xzr" : : : "memory");
	else
		__asm__ volatile("tlbi vaae1is, %0" : : "r"(BITS(va, 55, 12)) : "memory");
	dsb(ish);
	isb();
}

/* ASID 0 is what TTBR1_EL1 has here, and pages are private: each of the four kinds must do. */
static void turn(unsigned int n, uint64_t how)
{
	volatile uint64_t *entry = pt_walk(storm.table, n * storm.page, NULL);
	uint64_t next = published(n) + 1;
	uint64_t frame = storm.frames + (2ULL * n + (next & 1)) * storm.page;

	*entry = 0;
	broadcast(mmu_high_va(storm.table, n * storm.page), how);
	/* nobody reaches either frame now */
	mmio_wr64(frame, next);
	dsb(ish);
	*entry = frame | PT_DATA | PT_NOT_GLOBAL | PT_VALID | PT_TABLE;
	mmu_sync();
	__atomic_store_n(&storm.published[n], next, __ATOMIC_RELEASE);
}

static void look(unsigned int me, unsigned int n)
{
	uint64_t before = published(n), v = 0;
	struct exception e = try_read(mmu_high_va(storm.table, n * storm.page), &v);

	storm.reads[me]++;
	if (e.taken) {
		storm.broken[me]++;
		return;
	}
	storm.stale[me] += v < before;
	storm.early[me] += v > published(n) + 1;
}

/* A generator for each CPU: rnd() is of CPU 0 alone. */
static uint64_t random_of(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* a CPU that its host gave no time yet is waited for; the test's limit ends that */
static bool all_had_a_turn(void)
{
	for (unsigned int n = 0; n < CPUS; n++)
		if (!__atomic_load_n(&storm.turns[n], __ATOMIC_RELAXED))
			return false;
	return true;
}

static void blow(void *arg)
{
	const uint64_t *seeds = arg;
	unsigned int me = cpu_index();
	uint64_t state = seeds[me] | 1, until;

	mmu_high(storm.table);
	barrier_wait(&storm.barrier, CPUS);
	until = counter_virt() + ticks_of_ms(stress_ms(2000));
	while (!__atomic_load_n(&storm.stop, __ATOMIC_RELAXED)) {
		uint64_t r = random_of(&state);

		turn(me * PAGES + (unsigned int)(r % PAGES), r >> 8 & 3);
		storm.turns[me]++;
		for (unsigned int i = 0; i < 8; i++)
			look(me, (unsigned int)(random_of(&state) >> 5) % SPAN);
		if (me == 0 && counter_virt() > until && all_had_a_turn())
			__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	}
	mmu_high(NULL);
}

TEST(pagesize, no_entry_outlives_a_storm_of_invalidations, RULE("PAGE-TLB-6"), .vmm = "--smp 4",
     .limit_ms = 20000, .tags = "stress")
{
	uint64_t seeds[CPUS], turns = 0, reads = 0, broken = 0;
	enum granule g = mmu_default_granule();

	smp_need(CPUS);
	memset(&storm, 0, sizeof(storm));
	storm.page = UINT64_C(1) << g;
	storm.frames = (uint64_t)mem_alloc(2 * storm.page * SPAN, storm.page);
	storm.table = high_tables(g, 48, 6);
	map_or_end(storm.table, 0, storm.frames, storm.page, PT_DATA | PT_NOT_GLOBAL, 3);
	*pt_walk(storm.table, 0, NULL) = 0;
	for (unsigned int n = 0; n < CPUS; n++)
		seeds[n] = rnd();
	for (unsigned int n = 0; n < SPAN; n++)
		turn(n, 0);
	smp_call_all(CPUS, blow, seeds);
	for (unsigned int n = 0; n < CPUS; n++) {
		turns += storm.turns[n];
		reads += storm.reads[n];
		broken += storm.broken[n];
		if (!EXPECT_EQ(storm.stale[n], 0) || !EXPECT_EQ(storm.early[n], 0))
			NOTE("CPU %u, %lu reads", n, storm.reads[n]);
		EXPECT_GT(storm.turns[n], 0);
	}
	FACT("pagesize.storm_invalidations", "%lu", turns);
	FACT("pagesize.storm_reads", "%lu", reads);
	NOTE("%lu reads met a broken page", broken);
}
