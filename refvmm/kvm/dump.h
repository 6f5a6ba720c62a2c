/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a vCPU and of the vGIC, register by register. All vCPUs must stand still. */
#ifndef REFVMM_KVM_DUMP_H
#define REFVMM_KVM_DUMP_H

#include "kvm/gic.h"
#include "kvm/vcpu.h"

typedef void (*dump_fn)(void *arg, const char *name, uint64_t val);

/* x0 to pstate, and the system registers of EL1 that say where the guest is and how it got there. */
void vcpu_dump(const struct vcpu *v, dump_fn fn, void *arg);

/*
 * Distributor, and what belongs to the vCPU of this MPIDR and index: redistributor and CPU interface. Registers of
 * many words are named GICD_ISENABLER[1]; words that are 0 are left out. 0 or -errno.
 */
int gic_dump(const struct gic *g, unsigned cpu, uint64_t mpidr, dump_fn fn, void *arg);

#endif
