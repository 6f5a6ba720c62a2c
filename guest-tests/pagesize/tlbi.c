/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every broadcast TLB invalidation, by address, ASID, range and all, in the inner and the outer shareable domain
 * (DDI 0487 D8.16): once it is complete, no CPU uses what was there before. Pages are turned over by
 * break-before-make, with nothing but the one instruction between.
 */
#include "common.h"
#include "smp.h"

#define CPUS   2U
#define ROUNDS 4U
#define PAGES  8U
#define ASID   0x5aU
#define OTHER  0xa5U

enum { BY_NOTHING, BY_VA, BY_VA_ASID, BY_ASID, BY_RANGE, BY_RANGE_ASID };

struct op {
	const char *name;
	int by;
	void (*run)(uint64_t argument);
};

#define OP(id, op1, crm, op2)                                                 \
	static void id(uint64_t argument)                                     \
	{                                                                     \
		__asm__ volatile("sys #" #op1 ", c8, " #crm ", #" #op2 ", %0" \
				 :                                            \
				 : "r"(argument)                              \
				 : "memory");                                 \
	}

OP(vmalle1is, 0, c3, 0)
OP(vae1is, 0, c3, 1)
OP(aside1is, 0, c3, 2)
OP(vaae1is, 0, c3, 3)
OP(vale1is, 0, c3, 5)
OP(vaale1is, 0, c3, 7)
OP(vmalle1os, 0, c1, 0)
OP(vae1os, 0, c1, 1)
OP(aside1os, 0, c1, 2)
OP(vaae1os, 0, c1, 3)
OP(vale1os, 0, c1, 5)
OP(vaale1os, 0, c1, 7)
OP(rvae1is, 0, c2, 1)
OP(rvaae1is, 0, c2, 3)
OP(rvale1is, 0, c2, 5)
OP(rvaale1is, 0, c2, 7)
OP(rvae1os, 0, c5, 1)
OP(rvaae1os, 0, c5, 3)
OP(rvale1os, 0, c5, 5)
OP(rvaale1os, 0, c5, 7)

#define NAMED(by, id)       \
	{                   \
#id, by, id \
	}
static const struct op inner[] = {
	NAMED(BY_NOTHING, vmalle1is), NAMED(BY_VA_ASID, vae1is),  NAMED(BY_ASID, aside1is),
	NAMED(BY_VA, vaae1is),	      NAMED(BY_VA_ASID, vale1is), NAMED(BY_VA, vaale1is),
};
static const struct op outer[] = {
	NAMED(BY_NOTHING, vmalle1os), NAMED(BY_VA_ASID, vae1os),  NAMED(BY_ASID, aside1os),
	NAMED(BY_VA, vaae1os),	      NAMED(BY_VA_ASID, vale1os), NAMED(BY_VA, vaale1os),
};
static const struct op range[] = {
	NAMED(BY_RANGE_ASID, rvae1is),	NAMED(BY_RANGE, rvaae1is),
	NAMED(BY_RANGE_ASID, rvale1is), NAMED(BY_RANGE, rvaale1is),
	NAMED(BY_RANGE_ASID, rvae1os),	NAMED(BY_RANGE, rvaae1os),
	NAMED(BY_RANGE_ASID, rvale1os), NAMED(BY_RANGE, rvaale1os),
};

static struct {
	const struct op *op;
	struct pgtable *table;
	enum granule granule;
	uint64_t pa, page;
	bool global;
	uint32_t arrived;
	unsigned int wrong[CPUS];
} shared;

/* Page n of the region shows frame n or PAGES + n, by the round. */
static uint64_t frame(unsigned int n, unsigned int round)
{
	return shared.pa + (n + (round & 1) * PAGES) * shared.page;
}

static uint64_t value_of(unsigned int n, unsigned int round)
{
	return 0x7000 + n + (round & 1) * PAGES;
}

/*
 * Arguments (C5.5): VA[55:12] in bits 43:0 and the ASID in 63:48; of a range
 * (C5.5.*, FEAT_TLBIRANGE) the base in units of the granule in 36:0, NUM in 43:39,
 * SCALE in 45:44, the granule in 47:46. A range is (NUM + 1) * 2^(5 * SCALE + 1)
 * pages: with SCALE 0 and NUM 3 the eight of the region.
 */
static void invalidate(const struct op *op, unsigned int asid)
{
	uint64_t base = mmu_high_va(shared.table, 0), tag = (uint64_t)asid << 48;
	uint64_t tg = shared.granule == GRANULE_4K ? 1 : shared.granule == GRANULE_16K ? 2 : 3;
	uint64_t pages = BITS(base, 55, 0) >> shared.granule;
	uint64_t whole = (pages & (BIT(37) - 1)) | (uint64_t)(PAGES / 2 - 1) << 39 | tg << 46;

	dsb(ishst);
	if (op->by == BY_NOTHING)
		op->run(0);
	else if (op->by == BY_ASID)
		op->run(tag);
	else if (op->by == BY_RANGE || op->by == BY_RANGE_ASID)
		op->run(whole | (op->by == BY_RANGE_ASID ? tag : 0));
	else
		for (unsigned int n = 0; n < PAGES; n++)
			op->run(BITS(base + n * shared.page, 55, 12) |
				(op->by == BY_VA_ASID ? tag : 0));
	dsb(ish);
	isb();
}

static void turn_over(unsigned int round)
{
	uint64_t attrs = PT_DATA | PT_VALID | PT_TABLE | (shared.global ? 0 : PT_NOT_GLOBAL);

	for (unsigned int n = 0; n < PAGES; n++)
		*(volatile uint64_t *)pt_walk(shared.table, n * shared.page, NULL) = 0;
	/* what is global is dropped by an address with any ASID */
	invalidate(shared.op, shared.global ? OTHER : ASID);
	for (unsigned int n = 0; n < PAGES; n++)
		*(volatile uint64_t *)pt_walk(shared.table, n * shared.page, NULL) =
			frame(n, round) | attrs;
	mmu_sync();
}

/*
 * A barrier that does not wait for events: what makes the host run (WFE may trap)
 * can empty the TLB of this CPU, and hide what is looked for.
 */
static void meet(uint32_t *times)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);
	uint32_t target = ++*times * CPUS;

	__atomic_fetch_add(&shared.arrived, 1, __ATOMIC_ACQ_REL);
	for (unsigned int n = 0; __atomic_load_n(&shared.arrived, __ATOMIC_ACQUIRE) < target; n++) {
		cpu_relax();
		if (n > 2000 && !wait_more(&w))
			test_error("the other CPU does not come");
	}
}

static void watch(void *arg)
{
	uint64_t va = mmu_high_va(shared.table, 0);
	unsigned int me = cpu_index();
	uint32_t times = 0;

	mmu_high(shared.table);
	mmu_high_space(shared.table, ASID);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		meet(&times);
		for (unsigned int n = 0; n < PAGES; n++)
			shared.wrong[me] += mmio_rd64(va + n * shared.page) != value_of(n, round);
		meet(&times);
		if (me == round % CPUS)
			turn_over(round + 1);
	}
	meet(&times);
	mmu_high(NULL);
	(void)arg;
}

static void seen_by_all(enum granule g, const struct op *op, bool global)
{
	uint64_t attrs = PT_DATA | (global ? 0 : PT_NOT_GLOBAL);
	unsigned int wrong = 0;

	for (unsigned int n = 0; n < PAGES; n++)
		*(volatile uint64_t *)pt_walk(shared.table, n * shared.page, NULL) =
			frame(n, 0) | attrs | PT_VALID | PT_TABLE;
	mmu_invalidate_all();
	shared.op = op;
	shared.global = global;
	shared.arrived = 0;
	memset(shared.wrong, 0, sizeof(shared.wrong));
	smp_call_all(CPUS, watch, NULL);
	for (unsigned int n = 0; n < CPUS; n++)
		wrong += shared.wrong[n];
	if (!EXPECT_EQ(wrong, 0))
		NOTE("TLBI %s, %s granule, %s pages", op->name, pt_granule_name(g),
		     global ? "global" : "private");
}

static void prepare(enum granule g)
{
	memset(&shared, 0, sizeof(shared));
	shared.granule = g;
	shared.page = UINT64_C(1) << g;
	shared.pa = (uint64_t)mem_alloc(2ULL * PAGES * shared.page, shared.page);
	for (unsigned int n = 0; n < 2 * PAGES; n++)
		mmio_wr64(shared.pa + n * shared.page, 0x7000 + n);
	shared.table = high_tables(g, 48, 6);
	map_or_end(shared.table, 0, shared.pa, PAGES * shared.page, PT_DATA, 3);
}

static void each_op(enum granule g, const struct op *ops, size_t count)
{
	smp_need(CPUS);
	prepare(g);
	for (size_t i = 0; i < count; i++) {
		seen_by_all(g, &ops[i], false);
		if (ops[i].by == BY_VA || ops[i].by == BY_VA_ASID)
			seen_by_all(g, &ops[i], true);
	}
}

static void each_inner(enum granule g)
{
	each_op(g, inner, ARRAY_SIZE(inner));
}

TEST(pagesize, each_inner_shareable_invalidation_reaches_every_cpu, RULE("PAGE-TLB-2"),
     .vmm = "--smp 2", GRANULES)
{
	each_granule(each_inner);
}

static void run_op(void *arg)
{
	const struct op *op = arg;

	op->run(0);
}

/* What ID_AA64ISAR0_EL1.TLB does not offer is UNDEFINED, each one of them. */
static void expect_none(const struct op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct exception e = catch_exception(run_op, (void *)&ops[i]);

		if (!EXPECT_TRUE(e.taken) || !EXPECT_EQ(e.ec, EC_UNKNOWN))
			NOTE("TLBI %s, which ID_AA64ISAR0_EL1 does not offer", ops[i].name);
	}
}

static void each_outer(enum granule g)
{
	each_op(g, outer, ARRAY_SIZE(outer));
}

TEST(pagesize, each_outer_shareable_invalidation_reaches_every_cpu, RULE("PAGE-TLB-3"),
     .vmm = "--smp 2")
{
	if (ID_FIELD(id_aa64isar0_el1, 56) >= 1)
		each_granule(each_outer);
	else
		expect_none(outer, ARRAY_SIZE(outer));
}

static void each_range(enum granule g)
{
	each_op(g, range, ARRAY_SIZE(range));
}

TEST(pagesize, each_range_invalidation_reaches_every_cpu, RULE("PAGE-TLB-4"), .vmm = "--smp 2")
{
	if (ID_FIELD(id_aa64isar0_el1, 56) >= 2)
		each_granule(each_range);
	else
		expect_none(range, ARRAY_SIZE(range));
}

/*
 * A range of scale 1: 64 pages a unit. All its pages are turned over at once, and
 * the first and the last page beyond are left as they were.
 */
static void long_range(enum granule g)
{
	enum { COUNT = 64 };
	uint64_t page = UINT64_C(1) << g, base, argument;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	unsigned int wrong = 0;
	uint64_t tg = g == GRANULE_4K ? 1 : g == GRANULE_16K ? 2 : 3;

	mmio_wr64(pa, 0x1234);
	mmio_wr64(pa + page, 0x5678);
	for (unsigned int n = 0; n < COUNT; n++)
		map_or_end(t, n * page, pa, page, PT_DATA, 3);
	mmu_high(t);
	base = mmu_high_va(t, 0);
	for (unsigned int n = 0; n < COUNT; n++)
		wrong += mmio_rd64(base + n * page) != 0x1234;
	for (unsigned int n = 0; n < COUNT; n++)
		*(volatile uint64_t *)pt_walk(t, n * page, NULL) = 0;
	/* SCALE 1, NUM 0: one unit of 64 pages */
	argument = ((BITS(base, 55, 0) >> g) & (BIT(37) - 1)) | BIT(44) | tg << 46;
	dsb(ishst);
	rvaae1is(argument);
	dsb(ish);
	isb();
	for (unsigned int n = 0; n < COUNT; n++) {
		uint64_t v;
		struct exception e = try_read(base + n * page, &v);

		wrong += !e.taken;
	}
	for (unsigned int n = 0; n < COUNT; n++)
		*(volatile uint64_t *)pt_walk(t, n * page, NULL) =
			(pa + page) | PT_DATA | PT_VALID | PT_TABLE;
	mmu_sync();
	for (unsigned int n = 0; n < COUNT; n++)
		wrong += mmio_rd64(base + n * page) != 0x5678;
	EXPECT_EQ(wrong, 0);
	mmu_high(NULL);
}

TEST(pagesize, a_range_invalidation_covers_its_whole_range, RULE("PAGE-TLB-4"))
{
	if (ID_FIELD(id_aa64isar0_el1, 56) >= 2)
		each_granule(long_range);
	else
		expect_none(range, ARRAY_SIZE(range));
}

/* A block becomes a table of pages and a block again, by break-before-make (D8.16.1). */
static void block_to_pages(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, span = pt_span(g, 2), low = 2 * span, ram, size, v;
	struct pgtable *t = high_tables(g, 48, 8);
	uint64_t pa = (uint64_t)mem_alloc(page, page), base = pa & ~(span - 1);
	uint64_t other = (uint64_t)mem_alloc(page, page);
	volatile uint64_t *entry;
	uint64_t *pages = pt_new_table(t);
	uint64_t va, block;

	ASSERT_TRUE(dt_memory(0, &ram, &size) && pages);
	mmio_wr64(pa, 0xb10c);
	mmio_wr64(other, 0x9a9e);
	map_or_end(t, low, base, span, PT_DATA, 2);
	entry = pt_walk(t, low, NULL);
	block = *entry;
	va = mmu_high_va(t, low) + (pa - base);
	mmu_high(t);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct exception e = try_read(va, &v);

		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, 0xb10c);
		*entry = 0;
		mmu_invalidate(va);
		e = try_read(va, &v);
		expect_abort(&e, DFSC_TRANSLATION(2), va, false, "read while the block is broken");
		pages[(pa - base) >> g] = other | PT_DATA | PT_VALID | PT_TABLE;
		*entry = (uint64_t)pages | PT_VALID | PT_TABLE;
		mmu_sync();
		e = try_read(va, &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, 0x9a9e);
		*entry = 0;
		mmu_invalidate(va);
		*entry = block;
		mmu_sync();
	}
	mmu_high(NULL);
}

TEST(pagesize, a_block_becomes_pages_and_a_block_again, RULE("PAGE-TLB-5"), GRANULES)
{
	each_granule(block_to_pages);
}
