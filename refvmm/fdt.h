/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's device tree; the same configuration always gives the same bytes. */
#ifndef REFVMM_FDT_H
#define REFVMM_FDT_H

#include "board.h"
#include "boot.h"
#include "core/dt.h"

/*
 * 0 or a negative error; the caller frees with dt_free(). `boot` NULL: nothing is loaded. `place` is where the tree
 * goes, DT_BYTES_MAX bytes; NULL: it is allocated.
 */
int fdt_build(struct fdt *f, const struct machine_conf *c, const struct board *b,
	      const struct boot *boot, void *place);

/* The affinity KVM gives vCPU `id` in MPIDR_EL1 (arch/arm64/kvm/sys_regs.c, reset_mpidr). */
uint64_t fdt_mpidr(unsigned id);

#endif
