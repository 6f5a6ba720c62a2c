/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-1 faults come with the right class, status, level and address
 * (DDI 0487 D8.15 and D24, ESR_EL1, FAR_EL1), in each granule.
 */
#include "common.h"

#define RET_INSTRUCTION 0xd65f03c0U

/* A hole in each level of a 48-bit walk. */
static void holes(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	int first = t->start_level;

	map_or_end(t, 0, pa, page, PT_DATA, 3);
	mmu_high(t);
	for (int level = first; level <= 3; level++) {
		/* the second entry of the table of this level: nothing stands there */
		uint64_t va = mmu_high_va(t, pt_span(g, level)) + 0x18;
		uint64_t v;
		struct exception e = try_read(va, &v);

		expect_abort(&e, DFSC_TRANSLATION((unsigned int)level), va, false,
			     "read of a hole");
		e = try_write(va, 1);
		expect_abort(&e, DFSC_TRANSLATION((unsigned int)level), va, true,
			     "write to a hole");
	}
	mmu_high(NULL);
}

TEST(pagesize, a_hole_faults_at_its_level, RULE("PAGE-FAULT-1"), GRANULES)
{
	each_granule(holes);
}

static void read_only(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t va = mmu_high_va(t, 0) + page - 8, v = 0;
	struct exception e;

	map_or_end(t, 0, pa, page, PT_DATA | PT_READ_ONLY, 3);
	mmio_wr64(pa + page - 8, 0x6666);
	mmu_high(t);
	e = try_read(va, &v);
	EXPECT_TRUE(!e.taken);
	EXPECT_EQ(v, 0x6666);
	e = try_write(va, 0x7777);
	expect_abort(&e, DFSC_PERMISSION(3), va, true, "write to a read-only page");
	EXPECT_EQ(mmio_rd64(pa + page - 8), 0x6666);
	mmu_high(NULL);
}

TEST(pagesize, a_read_only_page_refuses_writes, RULE("PAGE-PERM-1"), GRANULES)
{
	each_granule(read_only);
}

/* TCR_EL1.HA is 0: software sets the access flag. No invalidation is needed (D8.4.5). */
static void access_flag(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t va = mmu_high_va(t, 0) + 0x20, v = 0;
	struct exception e;

	map_or_end(t, 0, pa, page, PT_DATA & ~PT_AF, 3);
	mmio_wr64(pa + 0x20, 0x8888);
	mmu_high(t);
	e = try_read(va, &v);
	expect_abort(&e, DFSC_ACCESS_FLAG(3), va, false, "read of a page with AF 0");
	*pt_walk(t, 0, NULL) |= PT_AF;
	mmu_sync();
	e = try_read(va, &v);
	EXPECT_TRUE(!e.taken);
	EXPECT_EQ(v, 0x8888);
	mmu_high(NULL);
}

TEST(pagesize, a_page_without_access_flag_faults, RULE("PAGE-AF-1"), GRANULES)
{
	each_granule(access_flag);
}

static void call(void *va)
{
	((void (*)(void))va)();
}

static void never_executed(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t code = mmu_high_va(t, 0), data = mmu_high_va(t, page);
	struct exception e;

	mmio_wr32(pa, RET_INSTRUCTION);
	cache_flush((void *)pa, 4);
	__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
	map_or_end(t, 0, pa, page, PT_CODE | PT_READ_ONLY, 3);
	map_or_end(t, page, pa, page, PT_DATA, 3);
	mmu_high(t);
	e = catch_exception(call, (void *)code);
	EXPECT_TRUE(!e.taken);
	e = catch_exception(call, (void *)data);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.ec, EC_IABT);
	EXPECT_EQ(e.iss & 0x3f, DFSC_PERMISSION(3));
	EXPECT_EQ(e.far, data);
	mmu_high(NULL);
}

TEST(pagesize, a_page_with_pxn_is_never_executed, RULE("PAGE-PERM-2"), GRANULES)
{
	each_granule(never_executed);
}

static uint64_t el0_read(uint64_t va)
{
	return *(volatile uint64_t *)va;
}

static void el1_only(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t ours = mmu_high_va(t, 0), theirs = mmu_high_va(t, page);
	struct exception e;

	mmio_wr64(pa, 0x9999);
	map_or_end(t, 0, pa, page, PT_DATA, 3);
	map_or_end(t, page, pa, page, PT_DATA | PT_USER, 3);
	mmu_high(t);
	EXPECT_EQ(el0_call(el0_read, theirs, 0x3c0, &e), 0x9999);
	EXPECT_TRUE(!e.taken);
	el0_call(el0_read, ours, 0x3c0, &e);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.ec, EC_DABT_EL0);
	EXPECT_EQ(e.iss & 0x3f, DFSC_PERMISSION(3));
	EXPECT_EQ(e.far, ours);
	mmu_high(NULL);
}

TEST(pagesize, a_page_of_el1_is_closed_to_el0, RULE("PAGE-PERM-3"), GRANULES)
{
	each_granule(el1_only);
}
