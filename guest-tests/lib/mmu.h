/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-1 translation of the payload itself. The lower half (TTBR0) is an
 * identity map with caches on: RAM as the device tree says is Normal write-back
 * (the image with the permissions of link.ld), all else below 1 TiB is
 * Device-nGnRE, the first 64 KiB are left out so that a null pointer faults.
 * The upper half (TTBR1) is free for tests, with any granule and VA size: the
 * payload goes on running on its own map meanwhile.
 */
#ifndef LIB_MMU_H
#define LIB_MMU_H

#include "pgtable.h"
#include "types.h"

/* Does ID_AA64MMFR0_EL1 say that stage 1 has this granule? (DDI 0487 D24, TGran4, TGran16, TGran64) */
bool mmu_granule_offered(enum granule granule);
/* The granule of the default map: 4 KiB, else 64 KiB, else 16 KiB. */
enum granule mmu_default_granule(void);
/* Bits of physical address the tables may use: PARange, at most 48. */
unsigned int mmu_pa_bits(void);
/* Does the granule have 52-bit VAs and PAs? FEAT_LVA and FEAT_LPA with 64 KiB, FEAT_LPA2 with 4 and 16 KiB. */
bool mmu_wide_va(enum granule granule);
bool mmu_wide_pa(enum granule granule);

/* Primary CPU: build the default map and turn MMU and caches on. Not twice. */
void mmu_init(void);
/*
 * A secondary CPU takes over what the primary has in force. May be called from
 * assembly before there is a stack: uses x9 to x15 and x30 alone, and does
 * nothing while the primary's MMU is off.
 */
void mmu_init_cpu(void);

/* Bytes of pool that mmu_identity() needs at most. */
uint64_t mmu_identity_size(enum granule granule);
/* The payload's identity map in another granule, for mmu_use(). 0 or -errno. */
int mmu_identity(struct pgtable *t, enum granule granule, unsigned int va_bits,
		 struct pt_pool *pool);
/* The same in the format with 52-bit addresses; while it is in use mmu_high() takes wide tables, and only those. */
int mmu_identity_wide(struct pgtable *t, enum granule granule, unsigned int va_bits,
		      struct pt_pool *pool);
/* This CPU runs on `t` from now on; NULL: on the default map again. */
void mmu_use(const struct pgtable *t);

/* This CPU translates upper-half addresses by `t`; NULL: they all fault. */
void mmu_high(const struct pgtable *t);
/*
 * The same, when mmu_high() set granule and VA size for `t` before: another
 * address space of that shape, by its ASID (8 bits) and without invalidation.
 */
void mmu_high_space(const struct pgtable *t, uint16_t asid);
/* The upper-half address with these low bits. */
static inline uint64_t mmu_high_va(const struct pgtable *t, uint64_t low)
{
	return (~UINT64_C(0) << t->va_bits) | low;
}

/* After a descriptor changed: make it seen, drop what the TLBs of all CPUs hold. */
void mmu_sync(void);
void mmu_invalidate_all(void);
void mmu_invalidate(uint64_t va);

#endif
