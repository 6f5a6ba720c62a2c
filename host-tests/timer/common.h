/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share: counters of both sides, and enough GIC for a snippet to wait for a timer. */
#ifndef TIMER_COMMON_H
#define TIMER_COMMON_H

#include "regs.h"
#include "state.h"
#include <assay/board.h>

/* what KVM gives a timer unless told otherwise: devices/vcpu.rst, KVM_ARM_VCPU_TIMER_CTRL */
#define PPI_VIRT 27U
#define PPI_PHYS 30U

#define TIMER_ENABLE  1ULL
#define TIMER_IMASK   2ULL
#define TIMER_ISTATUS 4ULL

/* the host's view of the system counter: no offset applies to a process */
static inline uint64_t host_count(void)
{
	uint64_t v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v)::"memory");
	return v;
}

static inline uint64_t host_ticks_of_ms(uint64_t ms)
{
	uint64_t f;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(f));
	return f / 1000 * ms;
}

/* Is guest = host - offset for a host reading in [first, last]? In arithmetic modulo 2^64. */
static inline bool within(uint64_t guest, uint64_t offset, uint64_t first, uint64_t last)
{
	return guest + offset - first <= last - first;
}

/* ---- in snippets */

GUEST_INLINE uint64_t guest_virt(void)
{
	__asm__ volatile("isb" ::: "memory");
	return guest_sysreg(cntvct_el0);
}

GUEST_INLINE uint64_t guest_phys(void)
{
	__asm__ volatile("isb" ::: "memory");
	return guest_sysreg(cntpct_el0);
}

/* This CPU takes PPIs (with PSTATE.I set: they only end WFI). IHI 0048 4.3, IHI 0069 12.9, 12.11. */
GUEST_INLINE void guest_gic_on(uint64_t version, uint64_t cpu, uint32_t ppis)
{
	uint64_t rd = ASSAY_GIC_REDIST_BASE + cpu * 0x20000;

	if (version == 2) {
		guest_write32(ASSAY_GIC_DIST_BASE, 1);
		guest_write32(ASSAY_GIC_DIST_BASE + 0x100, ppis);
		guest_write32(ASSAY_GIC_CPU_BASE + 4, 0xff);
		guest_write32(ASSAY_GIC_CPU_BASE, 1);
	} else {
		guest_write32(ASSAY_GIC_DIST_BASE, 0x12); /* ARE_NS, EnableGrp1A */
		guest_write32(rd + 0x14, 0);		  /* GICR_WAKER */
		guest_write32(rd + 0x10080, ~0U);	  /* GICR_IGROUPR0 */
		guest_write32(rd + 0x10100, ppis);	  /* GICR_ISENABLER0 */
		guest_set_sysreg(S3_0_C12_C12_5, 7);	  /* ICC_SRE_EL1 */
		guest_set_sysreg(S3_0_C4_C6_0, 0xff);	  /* ICC_PMR_EL1 */
		guest_set_sysreg(S3_0_C12_C12_7, 1);	  /* ICC_IGRPEN1_EL1 */
	}
}

GUEST_INLINE bool guest_ppi_pending(uint64_t version, uint64_t cpu, uint64_t ppi)
{
	uint64_t at = version == 2 ? ASSAY_GIC_DIST_BASE + 0x200
				   : ASSAY_GIC_REDIST_BASE + cpu * 0x20000 + 0x10200;

	return guest_read32(at) >> ppi & 1;
}

/* KVM_ARM_SET_COUNTER_OFFSET; skips where the host's KVM does not offer it. */
int try_set_offset(struct vm *vm, uint64_t offset, uint64_t reserved);
void need_offset(const struct vm *vm);
/* Skips on a CPU that has CNTPOFF_EL2 and ignores it: see common.c. */
void need_physical_offset(void);

#endif
