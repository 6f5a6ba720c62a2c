/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's interrupt controller, in KVM: GICv2, or GICv3 with an optional ITS. */
#ifndef REFVMM_KVM_GIC_H
#define REFVMM_KVM_GIC_H

#include "kvm/vm.h"

#define KVM_SPIS 256U /* behind 32 private INTIDs */

struct gic {
	int fd, its_fd;
	unsigned version;
};

/* Can this VM have a GIC of that version (2 or 3), an ITS? Creates nothing. */
bool gic_offered(const struct vm *vm, unsigned version);
bool gic_its_offered(const struct vm *vm);

/* Before the vCPUs; and after all of them exist. */
int gic_create(struct gic *g, const struct vm *vm, unsigned version, bool its, unsigned cpus);
int gic_init(struct gic *g);
void gic_destroy(struct gic *g);

#endif
