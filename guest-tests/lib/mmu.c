/* SPDX-License-Identifier: Apache-2.0 */
/* The payload's own translation; see mmu.h. */
#include <errno.h>

#include "cpu.h"
#include "dt.h"
#include "mem.h"
#include "mmu.h"
#include "mmu_regs.h"
#include "report.h"
#include "sysreg.h"

/* link.ld */
extern char __text_start[], __text_end[], __data_start[], __data_end[];
extern char __el0_data_start[], __el0_data_end[], __image_end[];

#define DEFAULT_VA_BITS 48U
/* Behind it, on the boards this runs on, is nothing. */
#define DEVICE_TOP	UINT64_C(0x10000000000)
#define NULL_GUARD	SZ_64K

/* TCR_EL1 (DDI 0487 D24): both halves walk Normal write-back, inner shareable memory. */
#define TCR_T0SZ(bits)	(UINT64_C(64) - (bits))
#define TCR_WALK0	(UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(3) << 12)
#define TCR_T1SZ(bits)	((UINT64_C(64) - (bits)) << 16)
#define TCR_A1		BIT(22)
#define TCR_EPD1	BIT(23)
#define TCR_WALK1	(UINT64_C(1) << 24 | UINT64_C(1) << 26 | UINT64_C(3) << 28)
#define TCR_IPS_SHIFT	32
#define TCR_HIGH_FIELDS (UINT64_C(0xffff) << 16)
#define TCR_DS		BIT(59)

/* SCTLR_EL1: M, C, I; and those that are RES1 without the features that give them another use. */
#define SCTLR_ON   (BIT(0) | BIT(2) | BIT(12))
#define SCTLR_RES1 (BIT(29) | BIT(28) | BIT(23) | BIT(22) | BIT(20) | BIT(11) | BIT(8) | BIT(7))

struct mmu_regs mmu_default_regs;
static struct pgtable default_map;

bool mmu_granule_offered(enum granule g)
{
	uint64_t mmfr0 = read_sysreg(id_aa64mmfr0_el1);

	switch (g) {
	case GRANULE_4K: /* TGran4, bits 31:28: 0 or 1 (with 52 bits); 0xf none */
		return BITS(mmfr0, 31, 28) < 8;
	case GRANULE_64K: /* TGran64, bits 27:24: 0; 0xf none */
		return BITS(mmfr0, 27, 24) < 8;
	case GRANULE_16K: /* TGran16, bits 23:20: 0 none; 1, 2 */
		return BITS(mmfr0, 23, 20) != 0 && BITS(mmfr0, 23, 20) < 8;
	}
	return false;
}

enum granule mmu_default_granule(void)
{
	if (mmu_granule_offered(GRANULE_4K))
		return GRANULE_4K;
	return mmu_granule_offered(GRANULE_64K) ? GRANULE_64K : GRANULE_16K;
}

/* PARange, bits 3:0; what is 52 and more needs another descriptor format. */
static uint64_t pa_range(void)
{
	uint64_t range = BITS(read_sysreg(id_aa64mmfr0_el1), 3, 0);

	return MIN(range, UINT64_C(5));
}

static uint64_t pa_range_wide(void)
{
	return MIN(BITS(read_sysreg(id_aa64mmfr0_el1), 3, 0), UINT64_C(6));
}

unsigned int mmu_pa_bits(void)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};

	return bits[pa_range()];
}

/* TGran4 1, TGran16 2: FEAT_LPA2, of VA and PA both; VARange, ID_AA64MMFR2_EL1 bits 19:16: FEAT_LVA. */
bool mmu_wide_va(enum granule g)
{
	if (g == GRANULE_64K)
		return BITS(read_sysreg(id_aa64mmfr2_el1), 19, 16) != 0;
	return mmu_wide_pa(g);
}

bool mmu_wide_pa(enum granule g)
{
	uint64_t mmfr0 = read_sysreg(id_aa64mmfr0_el1);

	if (!mmu_granule_offered(g))
		return false;
	if (g == GRANULE_64K)
		return BITS(mmfr0, 3, 0) >= 6;
	return g == GRANULE_4K ? BITS(mmfr0, 31, 28) == 1 : BITS(mmfr0, 23, 20) == 2;
}

/* Text is read-only at EL1 and EL0 and executable at both; the EL0 data is never executable. */
static int map_ram(struct pgtable *t, uint64_t from, uint64_t to)
{
	const struct {
		uint64_t from, to, attrs;
	} part[] = {
		{from, (uint64_t)__text_start, PT_DATA},
		{(uint64_t)__text_start, (uint64_t)__text_end,
		 (PT_CODE & ~PT_UXN) | PT_READ_ONLY | PT_USER},
		{(uint64_t)__data_start, (uint64_t)__data_end, PT_DATA},
		{(uint64_t)__el0_data_start, (uint64_t)__el0_data_end, PT_DATA | PT_USER},
		{(uint64_t)__image_end, to, PT_DATA},
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(part); i++)
		err = pt_map(t, part[i].from, part[i].from, part[i].to - part[i].from,
			     part[i].attrs, PT_LEAF_ANY);
	return err;
}

static int identity(struct pgtable *t, enum granule g, unsigned int va_bits, bool wide,
		    struct pt_pool *pool)
{
	uint64_t top = MIN(DEVICE_TOP, UINT64_C(1) << MIN(mmu_pa_bits(), va_bits));
	uint64_t from, size, to;
	int err;

	if (!dt_memory(0, &from, &size))
		return -ENODEV;
	to = from + size;
	if (to > top)
		return -ERANGE;
	err = wide ? pt_init_wide(t, g, va_bits, pool) : pt_init(t, g, va_bits, pool);
	if (!err)
		err = pt_map(t, NULL_GUARD, NULL_GUARD, from - NULL_GUARD, PT_DEVICE, PT_LEAF_ANY);
	if (!err)
		err = map_ram(t, from, to);
	if (!err)
		err = pt_map(t, to, to, top - to, PT_DEVICE, PT_LEAF_ANY);
	return err;
}

int mmu_identity(struct pgtable *t, enum granule g, unsigned int va_bits, struct pt_pool *pool)
{
	return identity(t, g, va_bits, false, pool);
}

int mmu_identity_wide(struct pgtable *t, enum granule g, unsigned int va_bits, struct pt_pool *pool)
{
	return identity(t, g, va_bits, true, pool);
}

static void regs_for(struct mmu_regs *r, const struct pgtable *t)
{
	r->mair = pt_mair();
	r->tcr = TCR_T0SZ(t->va_bits) | TCR_WALK0 | pt_tg0(t->granule) | TCR_EPD1 |
		 (t->wide ? pa_range_wide() : pa_range()) << TCR_IPS_SHIFT;
	if (t->wide && t->granule != GRANULE_64K)
		r->tcr |= TCR_DS;
	r->ttbr0 = (uint64_t)t->root;
	r->sctlr = read_sysreg(sctlr_el1) | SCTLR_ON | SCTLR_RES1;
}

/*
 * What mmu_identity() takes from its pool, measured and rounded up: in 4 KiB 9
 * tables, in 16 KiB 22 (1 TiB of 32 MiB blocks is 16 of them), in 64 KiB 5.
 */
uint64_t mmu_identity_size(enum granule g)
{
	return g == GRANULE_4K ? SZ_64K : SZ_64K * 8;
}

void mmu_init(void)
{
	enum granule g = mmu_default_granule();
	uint64_t size = mmu_identity_size(g);
	void *memory = mem_alloc_forever(size, SZ_64K);
	static struct pt_pool pool;
	int err;

	pool = (struct pt_pool){.next = (uint64_t)memory, .end = (uint64_t)memory + size};
	err = mmu_identity(&default_map, g, MIN(DEFAULT_VA_BITS, mmu_pa_bits()), &pool);

	if (err)
		report_die("mmu: no identity map with %s granules: error %d", pt_granule_name(g),
			   -err);
	/*
	 * The tables were written past the caches, which may hold what lay there
	 * before; secondaries read the register values past their caches.
	 */
	cache_flush(memory, size);
	regs_for(&mmu_default_regs, &default_map);
	cache_flush(&mmu_default_regs, sizeof(mmu_default_regs));
	mmu_switch(&mmu_default_regs);
}

void mmu_use(const struct pgtable *t)
{
	struct mmu_regs r = mmu_default_regs;

	if (t)
		regs_for(&r, t);
	mmu_switch(&r);
}

void mmu_high(const struct pgtable *t)
{
	uint64_t tcr = (read_sysreg(tcr_el1) & ~(TCR_HIGH_FIELDS)) | TCR_EPD1;

	write_sysreg(tcr_el1, tcr);
	isb();
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh" : : : "memory");
	isb();
	if (!t)
		return;
	dsb(ishst);
	write_sysreg(ttbr1_el1, t->root);
	tcr |= TCR_T1SZ(t->va_bits) | TCR_WALK1 | pt_tg1(t->granule);
	write_sysreg(tcr_el1, tcr & ~TCR_EPD1);
	isb();
}

/* TCR_EL1.A1: the ASID is that of TTBR1_EL1, bits 63:48. */
void mmu_high_space(const struct pgtable *t, uint16_t asid)
{
	uint64_t tcr = read_sysreg(tcr_el1);

	dsb(ishst);
	if (!(tcr & TCR_A1))
		write_sysreg(tcr_el1, tcr | TCR_A1);
	write_sysreg(ttbr1_el1, (uint64_t)t->root | (uint64_t)asid << 48);
	isb();
}

void mmu_sync(void)
{
	dsb(ishst);
	isb();
}

void mmu_invalidate_all(void)
{
	dsb(ishst);
	__asm__ volatile("tlbi vmalle1is" : : : "memory");
	dsb(ish);
	isb();
}

/* TLBI VAAE1IS takes VA[55:12] in bits 43:0 (DDI 0487 C5.5), whatever the granule. */
void mmu_invalidate(uint64_t va)
{
	dsb(ishst);
	__asm__ volatile("tlbi vaae1is, %0" : : "r"(BITS(va, 55, 12)) : "memory");
	dsb(ish);
	isb();
}
