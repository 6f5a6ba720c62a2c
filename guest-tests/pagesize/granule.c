/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each stage-1 granule: what ID_AA64MMFR0_EL1 advertises is really walked with
 * (DDI 0487 D8.2, D8.3). The tables are those of the upper half, so that the
 * payload goes on running on its own granule.
 */
#include "common.h"

/* DDI 0487 D24, ID_AA64MMFR0_EL1: a PE has one granule at least; the values that exist */
TEST(pagesize, one_granule_at_least_is_advertised, RULE("PAGE-GRAN-1"))
{
	uint64_t mmfr0 = read_sysreg(id_aa64mmfr0_el1);
	uint64_t g4 = BITS(mmfr0, 31, 28), g64 = BITS(mmfr0, 27, 24), g16 = BITS(mmfr0, 23, 20);
	bool have4 = mmu_granule_offered(GRANULE_4K), have16 = mmu_granule_offered(GRANULE_16K);
	bool have64 = mmu_granule_offered(GRANULE_64K);

	FACT("pagesize.granules", "%s%s%s%s%s", have4 ? "4K" : "", have4 && have16 ? "," : "",
	     have16 ? "16K" : "", (have4 || have16) && have64 ? "," : "", have64 ? "64K" : "");
	FACT("pagesize.pa_bits", "%u", mmu_pa_bits());
	EXPECT_TRUE(have4 || have16 || have64);
	EXPECT_TRUE(g4 == 0 || g4 == 1 || g4 == 15);
	EXPECT_TRUE(g64 == 0 || g64 == 15);
	EXPECT_TRUE(g16 <= 2);
}

/* Pages in reverse order: any other page size than the granule shows. */
static void reversed_pages(enum granule g)
{
	enum { PAGES = 8 };
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(PAGES * page, page);
	struct pgtable *t = high_tables(g, 48, 8);
	uint64_t va = mmu_high_va(t, 0);

	for (unsigned int i = 0; i < PAGES; i++)
		map_or_end(t, i * page, pa + (PAGES - 1 - i) * page, page, PT_DATA, 3);
	mmu_high(t);
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t at = va + i * page;
		uint64_t there = pa + (PAGES - 1 - i) * page;

		mmio_wr64(at, 0x1111 + i);
		mmio_wr64(at + page - 8, 0x2222 + i);
		EXPECT_EQ(mmio_rd64(there), 0x1111 + i);
		EXPECT_EQ(mmio_rd64(there + page - 8), 0x2222 + i);
		mmio_wr64(there + page / 2, 0x3333 + i);
		EXPECT_EQ(mmio_rd64(at + page / 2), 0x3333 + i);
	}
	mmu_high(NULL);
}

TEST(pagesize, pages_translate_by_the_granule, RULE("PAGE-GRAN-2"), GRANULES)
{
	each_granule(reversed_pages);
}

static void two_names(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(page, page);
	struct pgtable *t = high_tables(g, 48, 8);
	uint64_t one = mmu_high_va(t, 0), other = mmu_high_va(t, UINT64_C(1) << 40);

	map_or_end(t, 0, pa, page, PT_DATA, 3);
	map_or_end(t, UINT64_C(1) << 40, pa, page, PT_DATA, 3);
	mmu_high(t);
	for (unsigned int round = 0; round < 16; round++) {
		uint64_t offset = rnd_below(page / 8) * 8;
		uint64_t value = rnd();

		mmio_wr64(one + offset, value);
		EXPECT_EQ(mmio_rd64(other + offset), value);
		EXPECT_EQ(mmio_rd64(pa + offset), value);
	}
	mmu_high(NULL);
}

TEST(pagesize, two_addresses_of_one_page_show_the_same, RULE("PAGE-GRAN-3"), GRANULES)
{
	each_granule(two_names);
}

/* Every VA size: the walk starts at another level or with another size of first table. */
static void every_va_size(enum granule g)
{
	uint64_t page = UINT64_C(1) << g;
	uint64_t pa = (uint64_t)mem_alloc(2 * page, page);
	uint64_t pool = (uint64_t)mem_alloc(8 * page, page);

	for (unsigned int bits = 25; bits <= 48; bits++) {
		struct pt_pool again = {.next = pool, .end = pool + 8 * page};
		uint64_t top = (UINT64_C(1) << bits) - page;
		struct pgtable t;
		uint64_t v;
		struct exception e;

		ASSERT_EQ(pt_init(&t, g, bits, &again), 0);
		map_or_end(&t, 0, pa, page, PT_DATA, 3);
		map_or_end(&t, top, pa + page, page, PT_DATA, 3);
		mmu_high(&t);
		mmio_wr64(mmu_high_va(&t, 0), bits);
		mmio_wr64(mmu_high_va(&t, top) + page - 8, bits + 100);
		EXPECT_EQ(mmio_rd64(pa), bits);
		EXPECT_EQ(mmio_rd64(pa + 2 * page - 8), bits + 100);
		/* below the upper half: a fault of the walk's very begin, reported as level 0 */
		if (bits < 48) {
			e = try_read(mmu_high_va(&t, 0) - page, &v);
			expect_abort(&e, DFSC_TRANSLATION(0), mmu_high_va(&t, 0) - page, false,
				     "read below the VA size");
		}
		mmu_high(NULL);
	}
}

TEST(pagesize, every_va_size_translates, RULE("PAGE-VA-1"), GRANULES)
{
	each_granule(every_va_size);
}

/* Blocks: 1 GiB and 2 MiB, 32 MiB, 512 MiB. RAM may end within one; what is RAM is tried. */
static void block_of(enum granule g, int level)
{
	struct pgtable *t = high_tables(g, 48, 4);
	uint64_t span = pt_span(g, level), ram = 0, size = 0, low = span * 2, v;
	uint64_t unused, unused_size, first, last;
	struct exception e;

	ASSERT_TRUE(dt_memory(0, &ram, &size));
	mem_unused(&unused, &unused_size);
	/* a block that is RAM all through, or else the one where the unused RAM begins */
	first = ALIGN_UP(unused, span);
	if (first + span > unused + unused_size)
		first = unused;
	last = MIN((first & ~(span - 1)) + span, unused + unused_size) - 8;
	map_or_end(t, low, last & ~(span - 1), span, PT_DATA, level);
	mmu_high(t);
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t at = i == 0   ? first
			      : i == 1 ? last
				       : first + rnd_below((last - first) / 8) * 8;
		uint64_t va = mmu_high_va(t, low) + (at & (span - 1));
		uint64_t value = rnd();

		mmio_wr64(va, value);
		EXPECT_EQ(mmio_rd64(at), value);
	}
	e = try_read(mmu_high_va(t, low + span), &v);
	EXPECT_TRUE(e.taken);
	e = try_read(mmu_high_va(t, low) - 8, &v);
	EXPECT_TRUE(e.taken);
	mmu_high(NULL);
	NOTE("%s granule, level %d: block of %lu MiB, %lu MiB of it RAM", pt_granule_name(g), level,
	     span >> 20, (last + 8 - first) >> 20);
}

static void every_block(enum granule g)
{
	for (int level = 1; level < 3; level++)
		if (pt_leaf_level(g, level))
			block_of(g, level);
}

/* 600 MiB, so that most of a 512 MiB block is RAM; it is sparse */
TEST(pagesize, blocks_map_their_whole_size, RULE("PAGE-BLOCK-1"), GRANULES, .vmm = "--memory 600M")
{
	each_granule(every_block);
}

/* DDI 0487 D8.7.1: the bit is a hint that must not change what is translated */
static void contiguous_run(enum granule g)
{
	unsigned int count = pt_contiguous(g, 3);
	uint64_t page = UINT64_C(1) << g, run = count * page;
	uint64_t pa = (uint64_t)mem_alloc(run, run);
	struct pgtable *t = high_tables(g, 48, 6);
	uint64_t v;
	struct exception e;

	map_or_end(t, 0, pa, run, PT_DATA | PT_CONTIGUOUS, 3);
	mmu_high(t);
	for (uint64_t i = 0; i < count; i++)
		mmio_wr64(mmu_high_va(t, i * page) + i * 8, 0x4444 + i);
	for (uint64_t i = 0; i < count; i++)
		EXPECT_EQ(mmio_rd64(pa + i * page + i * 8), 0x4444 + i);
	e = try_read(mmu_high_va(t, run), &v);
	expect_abort(&e, DFSC_TRANSLATION(3), mmu_high_va(t, run), false, "read behind the run");
	mmu_high(NULL);
}

TEST(pagesize, the_contiguous_bit_changes_no_translation, RULE("PAGE-CONT-1"), GRANULES)
{
	each_granule(contiguous_run);
}

static void run_on(enum granule g)
{
	struct pt_pool *pool = mem_alloc(sizeof(*pool), 16);
	struct pgtable *t = mem_alloc(sizeof(*t), 16);
	volatile uint64_t *word = mem_alloc(64, 64);
	uint64_t v;
	struct exception e;

	pool->next = (uint64_t)mem_alloc(mmu_identity_size(g), SZ_64K);
	pool->end = pool->next + mmu_identity_size(g);
	ASSERT_EQ(mmu_identity(t, g, MIN(48U, mmu_pa_bits()), pool), 0);
	mmu_use(t);
	*word = 0x5555;
	e = try_read(0x100, &v); /* null page: unmapped here too */
	NOTE("running with a %s granule", pt_granule_name(g));
	mmu_use(NULL);
	EXPECT_EQ(*word, 0x5555);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.far, 0x100);
}

/* code, data, stack, devices and exceptions, all by tables of the granule in TTBR0 */
TEST(pagesize, the_payload_runs_on_the_granule, RULE("PAGE-GRAN-4"), GRANULES)
{
	each_granule(run_on);
}
