/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access flag and dirty state kept by hardware (DDI 0487 D8.5, FEAT_HAFDBS): what ID_AA64MMFR1_EL1 offers works, and
 * what it does not offer has no effect. A guest's tables are its own: stage 2 lets the hardware write them.
 */
#include "common.h"

#define TCR_HA BIT(39)
#define TCR_HD BIT(40)

/* 0: none; 1: access flag; 2: and dirty state; 3 and more: further flags of tables */
static unsigned int offered(void)
{
	return (unsigned int)ID_FIELD(id_aa64mmfr1_el1, 0);
}

static void access_flag_at(enum granule g, int level)
{
	uint64_t page = UINT64_C(1) << g, span = pt_span(g, level), v = 0, va, low = 2 * span;
	uint64_t pa = (uint64_t)mem_alloc(page, page), base = pa & ~(span - 1);
	struct pgtable *t = high_tables(g, 48, 6);
	volatile uint64_t *entry;
	struct exception e;

	mmio_wr64(pa + 0x20, 0x8888);
	map_or_end(t, low, base, span, PT_DATA & ~PT_AF, level);
	entry = pt_walk(t, low, NULL);
	va = mmu_high_va(t, low) + (pa - base) + 0x20;
	mmu_high(t);
	tcr_change(0, TCR_HA);
	e = try_read(va, &v);
	if (offered() >= 1) {
		if (!EXPECT_TRUE(!e.taken))
			NOTE("%s granule, level %d: ESR 0x%lx", pt_granule_name(g), level, e.esr);
		EXPECT_EQ(v, 0x8888);
		EXPECT_EQ(*entry & PT_AF, PT_AF);
	} else {
		expect_abort(&e, DFSC_ACCESS_FLAG((unsigned int)level), va, false,
			     "read with AF 0 and TCR_EL1.HA without FEAT_HAFDBS");
		EXPECT_EQ(*entry & PT_AF, 0);
	}
	/* off again: software sets the flag */
	tcr_change(TCR_HA, 0);
	*entry &= ~PT_AF;
	mmu_invalidate_all();
	e = try_read(va, &v);
	expect_abort(&e, DFSC_ACCESS_FLAG((unsigned int)level), va, false, "read with AF 0");
	EXPECT_EQ(*entry & PT_AF, 0);
	mmu_high(NULL);
}

static void access_flag(enum granule g)
{
	for (int level = 1; level <= 3; level++)
		if (pt_leaf_level(g, level))
			access_flag_at(g, level);
}

TEST(pagesize, the_access_flag_is_set_by_hardware_that_offers_it, RULE("PAGE-AF-2"), GRANULES)
{
	NOTE("ID_AA64MMFR1_EL1.HAFDBS %u", offered());
	each_granule(access_flag);
}

/* DBM with AP[2] set: writable and clean. A write makes it dirty: AP[2] goes. */
static void dirty_state(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	volatile uint64_t *clean, *plain;
	uint64_t va, plain_va;
	struct exception e;

	map_or_end(t, 0, pa, page, PT_DATA | PT_READ_ONLY | PT_DBM, 3);
	map_or_end(t, page, pa + page, page, PT_DATA | PT_READ_ONLY, 3);
	clean = pt_walk(t, 0, NULL);
	plain = pt_walk(t, page, NULL);
	mmu_high(t);
	va = mmu_high_va(t, 0x40);
	plain_va = mmu_high_va(t, page + 0x40);
	/* without TCR_EL1.HD the bit means nothing */
	tcr_change(0, TCR_HA);
	e = try_write(va, 1);
	expect_abort(&e, DFSC_PERMISSION(3), va, true, "write to a clean page, TCR_EL1.HD 0");
	tcr_change(0, TCR_HA | TCR_HD);
	/* reading makes nothing dirty */
	e = try_read(va, &v);
	EXPECT_TRUE(!e.taken);
	EXPECT_EQ(*clean & PT_READ_ONLY, PT_READ_ONLY);
	e = try_write(va, 0x4242);
	if (offered() >= 2) {
		if (!EXPECT_TRUE(!e.taken))
			NOTE("%s granule: ESR 0x%lx", pt_granule_name(g), e.esr);
		EXPECT_EQ(*clean & PT_READ_ONLY, 0);
		EXPECT_EQ(mmio_rd64(pa + 0x40), 0x4242);
	} else {
		expect_abort(&e, DFSC_PERMISSION(3), va, true,
			     "write to a clean page without FEAT_HAFDBS");
		EXPECT_EQ(*clean & PT_READ_ONLY, PT_READ_ONLY);
	}
	/* a page without DBM is read-only all the same */
	e = try_write(plain_va, 1);
	expect_abort(&e, DFSC_PERMISSION(3), plain_va, true, "write to a page without DBM");
	EXPECT_EQ(*plain & PT_READ_ONLY, PT_READ_ONLY);
	tcr_change(TCR_HA | TCR_HD, 0);
	mmu_high(NULL);
}

TEST(pagesize, a_written_page_is_made_dirty_by_hardware_that_offers_it, RULE("PAGE-DIRTY-1"),
     GRANULES)
{
	each_granule(dirty_state);
}
