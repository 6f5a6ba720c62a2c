/* SPDX-License-Identifier: Apache-2.0 */
/* What a CPU loads to run on a set of tables; mmu_switch.S knows the offsets. */
#ifndef LIB_MMU_REGS_H
#define LIB_MMU_REGS_H

#include "types.h"

struct mmu_regs {
	uint64_t mair;
	uint64_t tcr;
	uint64_t ttbr0;
	uint64_t sctlr; /* 0: the MMU stays off */
};

_Static_assert(offsetof(struct mmu_regs, mair) == 0 && offsetof(struct mmu_regs, tcr) == 8 &&
		       offsetof(struct mmu_regs, ttbr0) == 16 &&
		       offsetof(struct mmu_regs, sctlr) == 24,
	       "mmu_switch.S");

/* The default map; read by secondaries whose caches are still off. */
extern struct mmu_regs mmu_default_regs;

/* Through "MMU off", so that granule and VA size may change. */
void mmu_switch(const struct mmu_regs *regs);

#endif
