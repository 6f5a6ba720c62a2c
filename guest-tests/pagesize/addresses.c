/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses beyond the ordinary: 52 bits, top bytes, sizes of output, long contiguous runs (DDI 0487 D8.1 to D8.3). */
#include "common.h"

#define TCR_TBI1  BIT(38)
#define TCR_IPS	  (UINT64_C(7) << 32)
#define TCR_T1SZ  (UINT64_C(0x3f) << 16)
#define TOP_BYTE  (UINT64_C(0xff) << 56)
#define LEVEL_0_1 0x2bU /* translation fault, level -1 (D24.2, ESR_EL1) */

/* ---- contiguous runs of blocks and pages, at each level that has them */

static void contiguous_at(enum granule g, int level)
{
	uint64_t span = pt_span(g, level), run = span * pt_contiguous(g, level), low = 2 * run;
	uint64_t page = UINT64_C(1) << g, pa = 0, base, unused, size, from, to;
	struct pgtable *t = high_tables(g, 48, 8);

	/* the run that holds the RAM nobody uses; beyond its ends is nothing of ours to touch */
	if (level == 3)
		(void)mem_alloc(run, run);
	mem_unused(&unused, &size);
	base = level == 3 ? ALIGN_UP(unused, run) : unused & ~(run - 1);
	from = MAX(unused, base);
	to = MIN(unused + size, base + run);
	map_or_end(t, low, base, run, PT_DATA | PT_CONTIGUOUS, level);
	mmu_high(t);
	for (unsigned int i = 0; i < 32; i++) {
		uint64_t value = rnd(), v = 0;
		struct exception e;

		pa = i == 0 ? from : i == 1 ? to - 8 : from + rnd_below((to - from) / 8) * 8;
		e = try_write(mmu_high_va(t, low) + (pa - base), value);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(mmio_rd64(pa), value);
		e = try_read(mmu_high_va(t, low) + (pa - base), &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, value);
	}
	/* the bit is a hint: what lies before and behind the run is not mapped */
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t v, va = mmu_high_va(t, low) + (i ? run : -page);
		struct exception e = try_read(va, &v);

		EXPECT_TRUE(e.taken);
		EXPECT_EQ(e.far, va);
	}
	NOTE("%s granule, level %d: run of %lu MiB", pt_granule_name(g), level, run >> 20);
	mmu_high(NULL);
}

static void contiguous(enum granule g)
{
	for (int level = 1; level <= 3; level++)
		if (pt_contiguous(g, level) && pt_leaf_level(g, level))
			contiguous_at(g, level);
}

TEST(pagesize, contiguous_runs_of_each_level_map_their_whole_size, RULE("PAGE-CONT-2"), GRANULES)
{
	each_granule(contiguous);
}

/* ---- TCR_EL1.TBI1: the top byte of an address of the upper half */

static void top_byte(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, va, tagged, v = 0;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	struct exception e;

	mmio_wr64(pa, 0x7b1);
	map_or_end(t, 0, pa, page, PT_DATA, 3);
	mmu_high(t);
	va = mmu_high_va(t, 0);
	tagged = (va & ~TOP_BYTE) | UINT64_C(0xa5) << 56; /* bit 55 is 1 still: the upper half */
	e = try_read(tagged, &v);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.iss & 0x3f, DFSC_TRANSLATION(0));
	EXPECT_EQ(e.far, tagged);
	tcr_change(0, TCR_TBI1);
	e = try_read(tagged, &v);
	EXPECT_TRUE(!e.taken);
	EXPECT_EQ(v, 0x7b1);
	tcr_change(TCR_TBI1, 0);
	e = try_read(va, &v);
	EXPECT_TRUE(!e.taken);
	mmu_high(NULL);
}

TEST(pagesize, the_top_byte_counts_unless_it_is_ignored, RULE("PAGE-TBI-1"))
{
	each_granule(top_byte);
}

/* ---- TCR_EL1.IPS: an output address beyond it is an address size fault of the level that gave it */

static void output_size(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0, ips = read_sysreg(tcr_el1) & TCR_IPS;
	uint64_t pa = (uint64_t)mem_alloc(page, page), beyond = UINT64_C(1) << 32, va;
	struct pgtable *t = high_tables(g, 48, 8);
	volatile uint64_t *entry;
	struct exception e;

	mmio_wr64(pa, 0x0512e);
	map_or_end(t, 0, pa, page, PT_DATA, 3);
	map_or_end(t, page, beyond, page, PT_DATA, 3);
	map_or_end(t, pt_span(g, 2), 8 * beyond, pt_span(g, 2), PT_DATA, 2);
	mmu_high(t);
	tcr_change(TCR_IPS, 0); /* 32 bits: the payload itself needs no more */
	e = try_read(mmu_high_va(t, 0), &v);
	EXPECT_TRUE(!e.taken);
	EXPECT_EQ(v, 0x0512e);
	va = mmu_high_va(t, page) + 8;
	e = try_read(va, &v);
	expect_abort(&e, DFSC_ADDRESS_SIZE(3), va, false, "read of a page beyond TCR_EL1.IPS");
	va = mmu_high_va(t, pt_span(g, 2)) + 16;
	e = try_write(va, 1);
	expect_abort(&e, DFSC_ADDRESS_SIZE(2), va, true, "write to a block beyond TCR_EL1.IPS");
	/* and a table that lies beyond */
	entry = pt_entry(t, 0, 2);
	*entry = beyond | PT_VALID | PT_TABLE;
	mmu_invalidate_all();
	va = mmu_high_va(t, 0) + 24;
	e = try_read(va, &v);
	expect_abort(&e, DFSC_ADDRESS_SIZE(2), va, false, "walk through a table beyond IPS");
	tcr_change(TCR_IPS, ips);
	mmu_high(NULL);
}

TEST(pagesize, an_output_beyond_its_size_is_an_address_size_fault, RULE("PAGE-PA-1"), GRANULES)
{
	each_granule(output_size);
}

/* ---- 52 bits */

static struct pgtable *wide_tables(enum granule g, unsigned int va_bits)
{
	struct pt_pool *pool = mem_alloc(sizeof(*pool), 16);
	struct pgtable *t = mem_alloc(sizeof(*t), 16);
	uint64_t size = UINT64_C(10) << g;

	pool->next = (uint64_t)mem_alloc(size, UINT64_C(1) << g);
	pool->end = pool->next + size;
	ASSERT_EQ(pt_init_wide(t, g, va_bits, pool), 0);
	return t;
}

/* TCR_EL1.DS is of both halves: the payload runs on wide tables too meanwhile. */
static void run_wide(enum granule g)
{
	struct pt_pool *pool = mem_alloc(sizeof(*pool), 16);
	struct pgtable *t = mem_alloc(sizeof(*t), 16);
	uint64_t size = mmu_identity_size(g);

	pool->next = (uint64_t)mem_alloc(size, SZ_64K);
	pool->end = pool->next + size;
	ASSERT_EQ(mmu_identity_wide(t, g, 48, pool), 0);
	mmu_use(t);
}

/* The first and the last page of the space; below it, with 51 bits, a fault. */
static void wide_va(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0, va;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page), top;
	struct exception e;

	run_wide(g);
	for (unsigned int bits = 49; bits <= 52; bits++) {
		struct pgtable *t = wide_tables(g, bits);

		top = (UINT64_C(1) << bits) - page;
		map_or_end(t, 0, pa, page, PT_DATA, 3);
		map_or_end(t, top, pa + page, page, PT_DATA, 3);
		mmio_wr64(pa, bits);
		mmio_wr64(pa + 2 * page - 8, bits + 100);
		mmu_high(t);
		e = try_read(mmu_high_va(t, 0), &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, bits);
		e = try_read(mmu_high_va(t, top) + page - 8, &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, bits + 100);
		if (bits < 52) {
			va = mmu_high_va(t, 0) - page;
			e = try_read(va, &v);
			/* what is outside the space faults at the level the walk starts with */
			EXPECT_TRUE(e.taken);
			EXPECT_EQ(e.ec, EC_DABT);
			EXPECT_EQ(e.far, va);
		}
		if (t->start_level < 0 &&
		    bits > 49) { /* entry 1 of the first table, not its last */
			va = mmu_high_va(t, UINT64_C(1) << 48);
			e = try_read(va, &v);
			expect_abort(&e, LEVEL_0_1, va, false, "read of a hole of level -1");
		}
		mmu_high(NULL);
	}
	mmu_use(NULL);
}

/* Not offered: T1SZ of 12 is read as 16 or faults (D8.1.9); what needs more than 48 bits faults either way. */
static void no_wide_va(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0, va = UINT64_C(0xfff0000000000000);
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);
	struct exception e;

	map_or_end(t, 0, pa, page, PT_DATA, 3);
	mmu_high(t);
	tcr_change(TCR_T1SZ, UINT64_C(12) << 16);
	e = try_read(va, &v);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.ec, EC_DABT);
	EXPECT_EQ(e.iss & 0x3c, DFSC_TRANSLATION(0));
	tcr_change(TCR_T1SZ, UINT64_C(16) << 16);
	e = try_read(mmu_high_va(t, 0), &v);
	EXPECT_TRUE(!e.taken);
	mmu_high(NULL);
}

static void va_of_52(enum granule g)
{
	bool offered = mmu_wide_va(g);

	NOTE("%s granule: %s", pt_granule_name(g), offered ? "52-bit VA offered" : "not offered");
	/* VA and PA of the wide format are two features with 64 KiB: the descriptors are those of mmu_wide_pa() */
	if (offered)
		wide_va(g);
	else
		no_wide_va(g);
}

TEST(pagesize, addresses_of_52_bits_translate_where_they_are_offered, RULE("PAGE-VA-2"))
{
	FACT("pagesize.va_52", "%s%s%s", mmu_wide_va(GRANULE_4K) ? "4K," : "",
	     mmu_wide_va(GRANULE_16K) ? "16K," : "", mmu_wide_va(GRANULE_64K) ? "64K" : "");
	each_granule(va_of_52);
}

/*
 * Descriptors with 52-bit outputs. Bits 49 and 48 really are address: they are
 * beyond a TCR_EL1.IPS of 48 bits, and that is an address size fault; without them
 * the page is where it says. Blocks of the level that only these formats have.
 * (51 and 50, from bits 9:8, QEMU's CPUs drop while IPS is 48; a fault is not asked.)
 */
static void wide_pa(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, v = 0, va, ips;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t;
	struct exception e;
	int level = g == GRANULE_4K ? 0 : 1;
	uint64_t span = pt_span(g, level);

	mmio_wr64(pa, 0x52525252);
	run_wide(g);
	t = wide_tables(g, 48);
	map_or_end(t, 0, pa, page, PT_DATA, 3);
	map_or_end(t, page, pa | UINT64_C(1) << 49, page, PT_DATA, 3);
	map_or_end(t, 2 * page, pa | UINT64_C(1) << 48, page, PT_DATA, 3);
	map_or_end(t, 2 * span, pa & ~(span - 1), span, PT_DATA, level);
	mmu_high(t);
	ips = read_sysreg(tcr_el1) & TCR_IPS;
	for (unsigned int i = 0; i < 2; i++) {
		e = try_read(mmu_high_va(t, 0), &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, 0x52525252);
		e = try_read(mmu_high_va(t, 2 * span) + (pa & (span - 1)), &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, 0x52525252);
		tcr_change(TCR_IPS, UINT64_C(5) << 32);
	}
	if (g != GRANULE_64K) /* with 64 KiB the bits are RES0 while IPS has not 52 */
		for (unsigned int n = 1; n <= 2; n++) {
			va = mmu_high_va(t, n * page);
			e = try_read(va, &v);
			expect_abort(&e, DFSC_ADDRESS_SIZE(3), va, false,
				     "read of an output of 49 and more bits");
		}
	tcr_change(TCR_IPS, ips);
	mmu_high(NULL);
	mmu_use(NULL);
}

static void pa_of_52(enum granule g)
{
	bool offered = mmu_wide_pa(g);

	NOTE("%s granule: %s", pt_granule_name(g), offered ? "52-bit PA offered" : "not offered");
	if (offered)
		wide_pa(g);
	else if (g != GRANULE_64K) {
		/* TCR_EL1.DS is RES0 then: the descriptors keep their format, shareability included */
		uint64_t page = UINT64_C(1) << g, v = 0;
		uint64_t pa = (uint64_t)mem_alloc(page, page);
		struct pgtable *t = high_tables(g, 48, 6);
		struct exception e;

		mmio_wr64(pa, 0x48);
		map_or_end(t, 0, pa, page, PT_DATA, 3);
		mmu_high(t);
		tcr_change(0, BIT(59));
		e = try_read(mmu_high_va(t, 0), &v);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(v, 0x48);
		tcr_change(BIT(59), 0);
		mmu_high(NULL);
	}
}

TEST(pagesize, outputs_of_52_bits_translate_where_they_are_offered, RULE("PAGE-PA-2"))
{
	FACT("pagesize.pa_52", "%s%s%s", mmu_wide_pa(GRANULE_4K) ? "4K," : "",
	     mmu_wide_pa(GRANULE_16K) ? "16K," : "", mmu_wide_pa(GRANULE_64K) ? "64K" : "");
	each_granule(pa_of_52);
}

/* ---- address translation instructions (C5.4): PAR_EL1 says what an access would meet */

#define AT(op, va)                                                                           \
	({                                                                                   \
		__asm__ volatile("at " op ", %0\n\tisb" : : "r"((uint64_t)(va)) : "memory"); \
		read_sysreg(par_el1);                                                        \
	})

static void translations(enum granule g)
{
	uint64_t page = UINT64_C(1) << g, va, par;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 6);

	map_or_end(t, 0, pa, page, PT_DATA | PT_READ_ONLY, 3);
	map_or_end(t, page, pa, page, PT_DATA | PT_USER, 3);
	mmio_wr64(pa, 1); /* memory of stage 2 as well */
	mmu_high(t);
	va = mmu_high_va(t, 0) + 0x128;
	par = AT("s1e1r", va);
	EXPECT_EQ(par & 1, 0);
	EXPECT_EQ(BITS(par, 47, 12), (pa + 0x128) >> 12);
	par = AT("s1e1w", va);
	EXPECT_EQ(par & 1, 1);
	EXPECT_EQ(BITS(par, 6, 1), DFSC_PERMISSION(3));
	par = AT("s1e0r", va);
	EXPECT_EQ(BITS(par, 6, 1), DFSC_PERMISSION(3));
	par = AT("s1e0w", va + page);
	EXPECT_EQ(par & 1, 0);
	par = AT("s1e1r", va + 2 * page);
	EXPECT_EQ(par & 1, 1);
	EXPECT_EQ(BITS(par, 6, 1), DFSC_TRANSLATION(3));
	mmu_high(NULL);
}

TEST(pagesize, address_translation_instructions_tell_the_truth, RULE("PAGE-AT-1"), GRANULES)
{
	each_granule(translations);
}
