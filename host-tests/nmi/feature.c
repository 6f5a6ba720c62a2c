/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FEAT_NMI is not shown to guests: ID_AA64PFR1_EL1.NMI (bits 39:36, DDI 0487 D24.2.85), GICD_TYPER.NMI (bit 9,
 * IHI 0069 H 12.9.38).
 */
#include "regs.h"
#include "state.h"
#include <assay/board.h>
#include <errno.h>

#define PFR1_NMI_SHIFT 36
#define GICD_TYPER     0x4
#define TYPER_NMI      (1U << 9)

GUEST(read_nmi_features)
{
	guest_result(0, guest_sysreg(id_aa64pfr1_el1));
	guest_result(1, guest_read32(ASSAY_GIC_DIST_BASE + GICD_TYPER));
	guest_count();
}

TEST(nmi, id_register_hides_nmi, RULE("NMI-ID-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = read_nmi_features);

	EXPECT_EQ(vcpu_get(vm, 0, REG_ID_AA64PFR1_EL1) >> PFR1_NMI_SHIFT & 0xf, 0);
	vcpu_run_to_tick(vm, 0, 1);
	EXPECT_EQ(vm->vcpu[0]->result[0] >> PFR1_NMI_SHIFT & 0xf, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], vcpu_get(vm, 0, REG_ID_AA64PFR1_EL1));
}

TEST(nmi, distributor_hides_nmi, RULE("NMI-ID-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = read_nmi_features);
	uint32_t typer = 0;

	EXPECT_OK(dev_try_get(vm->gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GICD_TYPER, &typer));
	EXPECT_EQ(typer & TYPER_NMI, 0);
	vcpu_run_to_tick(vm, 0, 1);
	EXPECT_EQ(vm->vcpu[0]->result[1] & TYPER_NMI, 0);
	EXPECT_NE(vm->vcpu[0]->result[1], 0); /* it was read at all: ITLinesNumber is not 0 */
}

/* Set before the first run, when ID registers are writable at all (from 6.6 on; before, no value but their own). */
TEST(nmi, id_register_does_not_take_nmi, RULE("NMI-ID-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before = vm_capture(vm);
	uint64_t value = vcpu_get(vm, 0, REG_ID_AA64PFR1_EL1) | 1ULL << PFR1_NMI_SHIFT;

	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_ID_AA64PFR1_EL1, &value), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
}

GUEST(mask_all_interrupts)
{
	guest_result(0, GUEST_TRAP("msr S3_0_C4_C3_0, xzr")); /* ALLINT, DDI 0487 C5.2.2 */
}

/*
 * Without FEAT_NMI ALLINT is UNDEFINED. KVM hides it on CPUs that have it only since it sets HCRX_EL2.TALLINT, so
 * this is a fact of host and kernel, not a claim.
 */
TEST(nmi, allint_register_is_measured)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = mask_all_interrupts);

	RUN_TO_END(vm, 0);
	FACT("kvm.guest_allint", "%s", vm->vcpu[0]->result[0] ? "undefined" : "reachable");
}
