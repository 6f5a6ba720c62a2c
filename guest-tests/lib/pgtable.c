/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-1 translation tables; see pgtable.h. */
#include <errno.h>

#include "pgtable.h"

#define VA_BITS_MAX	 48U
#define VA_BITS_MAX_WIDE 52U
#define ADDRESS_MASK	 ((UINT64_C(1) << VA_BITS_MAX) - 1)

/* A table is one granule of 8-byte entries. */
static unsigned int bits_per_level(enum granule g)
{
	return (unsigned int)g - 3;
}

static unsigned int level_shift(enum granule g, int level)
{
	return (unsigned int)g + (unsigned int)(3 - level) * bits_per_level(g);
}

uint64_t pt_span(enum granule g, int level)
{
	return UINT64_C(1) << level_shift(g, level);
}

bool pt_leaf_level(enum granule g, int level)
{
	/* DDI 0487 D8.3.1: level 1 blocks exist with 4 KiB only, while addresses have 48 bits. */
	return level == 3 || level == 2 || (level == 1 && g == GRANULE_4K);
}

/* With 52 bits of PA there is one more: 512 GiB, 64 GiB and 4 TiB (D8.3.1). */
bool pt_leaf_level_wide(enum granule g, int level)
{
	return pt_leaf_level(g, level) || level == (g == GRANULE_4K ? 0 : 1);
}

unsigned int pt_contiguous(enum granule g, int level)
{
	if (!pt_leaf_level_wide(g, level))
		return 0;
	if (g == GRANULE_4K)
		return 16;
	return g == GRANULE_16K && level == 3 ? 128 : 32;
}

/* Attr0 Device-nGnRE, Attr1 Normal WB RW-allocate, Attr2 Normal NC (DDI 0487 D24, MAIR_EL1). */
uint64_t pt_mair(void)
{
	return UINT64_C(0x04) << (8 * PT_MEM_DEVICE) | UINT64_C(0xff) << (8 * PT_MEM_NORMAL) |
	       UINT64_C(0x44) << (8 * PT_MEM_UNCACHED);
}

/* TCR_EL1.TG0, bits 15:14, and TG1, bits 31:30: the two fields number the granules differently. */
uint64_t pt_tg0(enum granule g)
{
	return (g == GRANULE_4K ? UINT64_C(0) : g == GRANULE_16K ? UINT64_C(2) : UINT64_C(1)) << 14;
}

uint64_t pt_tg1(enum granule g)
{
	return (g == GRANULE_4K ? UINT64_C(2) : g == GRANULE_16K ? UINT64_C(1) : UINT64_C(3)) << 30;
}

const char *pt_granule_name(enum granule g)
{
	return g == GRANULE_4K ? "4K" : g == GRANULE_16K ? "16K" : "64K";
}

/* The pool's memory need not be zero: a pool may be used again. */
uint64_t *pt_new_table(struct pgtable *t)
{
	uint64_t size = UINT64_C(1) << t->granule;
	uint64_t at = (t->pool->next + size - 1) & ~(size - 1);
	volatile uint64_t *table = (volatile uint64_t *)at;

	if (at + size > t->pool->end)
		return 0;
	t->pool->next = at + size;
	for (uint64_t i = 0; i < size / sizeof(*table); i++)
		table[i] = 0;
	return (uint64_t *)at;
}

static int init(struct pgtable *t, enum granule g, unsigned int va_bits, bool wide,
		struct pt_pool *pool)
{
	unsigned int levels;

	/* T0SZ of at most 39 (DDI 0487 D8.2.4): 25 bits of VA. */
	if (va_bits < 25 || va_bits > (wide ? VA_BITS_MAX_WIDE : VA_BITS_MAX))
		return -EINVAL;
	levels = (va_bits - (unsigned int)g + bits_per_level(g) - 1) / bits_per_level(g);
	t->granule = g;
	t->va_bits = va_bits;
	t->start_level = 4 - (int)levels;
	t->wide = wide;
	t->pool = pool;
	t->root = pt_new_table(t);
	return t->root ? 0 : -ENOMEM;
}

int pt_init(struct pgtable *t, enum granule g, unsigned int va_bits, struct pt_pool *pool)
{
	return init(t, g, va_bits, false, pool);
}

int pt_init_wide(struct pgtable *t, enum granule g, unsigned int va_bits, struct pt_pool *pool)
{
	return init(t, g, va_bits, true, pool);
}

/*
 * Address and attributes of a leaf. In the wide formats (D8.3.1) the top bits of
 * the address lie elsewhere: with 64 KiB 51:48 in 15:12; with 4 and 16 KiB 51:50
 * in 9:8, where the shareability was, which TCR_EL1 then gives.
 */
static uint64_t leaf_bits(const struct pgtable *t, uint64_t pa, uint64_t attrs)
{
	if (!t->wide)
		return pa | attrs;
	if (t->granule == GRANULE_64K)
		return (pa & ADDRESS_MASK) | (pa >> 48 & 0xf) << 12 | attrs;
	return (pa & ((UINT64_C(1) << 50) - 1)) | (pa >> 50 & 3) << 8 | (attrs & ~PT_INNER);
}

static bool may_be_leaf(const struct pgtable *t, int level)
{
	return t->wide ? pt_leaf_level_wide(t->granule, level) : pt_leaf_level(t->granule, level);
}

static uint64_t *entry_in(const struct pgtable *t, uint64_t *table, int level, uint64_t va)
{
	uint64_t index = (va & ((UINT64_C(1) << t->va_bits) - 1)) >> level_shift(t->granule, level);

	return &table[index & ((UINT64_C(1) << bits_per_level(t->granule)) - 1)];
}

static bool is_table(uint64_t entry, int level)
{
	return level < 3 && (entry & (PT_VALID | PT_TABLE)) == (PT_VALID | PT_TABLE);
}

static uint64_t *table_of(const struct pgtable *t, uint64_t entry)
{
	uint64_t page_mask = ~((UINT64_C(1) << t->granule) - 1);

	return (uint64_t *)(entry & ADDRESS_MASK & page_mask);
}

uint64_t *pt_walk(const struct pgtable *t, uint64_t va, int *level)
{
	uint64_t *table = t->root;
	int l = t->start_level;
	uint64_t *entry = entry_in(t, table, l, va);

	while (is_table(*entry, l)) {
		table = table_of(t, *entry);
		l++;
		entry = entry_in(t, table, l, va);
	}
	if (level)
		*level = l;
	return entry;
}

uint64_t *pt_entry(const struct pgtable *t, uint64_t va, int level)
{
	uint64_t *table = t->root;

	for (int l = t->start_level; l <= level; l++) {
		uint64_t *entry = entry_in(t, table, l, va);

		if (l == level)
			return entry;
		if (!is_table(*entry, l))
			break;
		table = table_of(t, *entry);
	}
	return NULL;
}

/* One leaf at `level`; tables on the way are made. */
static int map_leaf(struct pgtable *t, uint64_t va, uint64_t pa, uint64_t attrs, int leaf)
{
	uint64_t *table = t->root;
	uint64_t *entry;

	for (int l = t->start_level;; l++) {
		entry = entry_in(t, table, l, va);
		if (l == leaf)
			break;
		if (!(*entry & PT_VALID)) {
			uint64_t *next = pt_new_table(t);

			if (!next)
				return -ENOMEM;
			*(volatile uint64_t *)entry = (uint64_t)next | PT_VALID | PT_TABLE;
		}
		if (!is_table(*entry, l))
			return -EINVAL;
		table = table_of(t, *entry);
	}
	if (*entry & PT_VALID)
		return -EINVAL;
	*(volatile uint64_t *)entry =
		leaf_bits(t, pa, attrs) | PT_VALID | (leaf == 3 ? PT_TABLE : 0);
	return 0;
}

/* The largest leaf that stands at va and pa and is no longer than size; 4 for none. */
static int best_leaf(const struct pgtable *t, uint64_t va, uint64_t pa, uint64_t size)
{
	int level = t->start_level;

	for (; level <= 3; level++) {
		uint64_t span = pt_span(t->granule, level);

		if (may_be_leaf(t, level) && size >= span && !((va | pa) & (span - 1)))
			break;
	}
	return level;
}

int pt_map(struct pgtable *t, uint64_t va, uint64_t pa, uint64_t size, uint64_t attrs, int leaf)
{
	while (size) {
		int level = leaf != PT_LEAF_ANY ? leaf : best_leaf(t, va, pa, size);
		uint64_t span;
		int err;

		if (level < t->start_level || level > 3 || !may_be_leaf(t, level))
			return -EINVAL;
		span = pt_span(t->granule, level);
		if (((va | pa) & (span - 1)) || size < span)
			return -EINVAL;
		err = map_leaf(t, va, pa, attrs, level);
		if (err)
			return err;
		va += span;
		pa += span;
		size -= span;
	}
	return 0;
}
