/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest sees: EL1 and nothing above it; where the host offers EL2, a guest that starts there. */
#include "regs.h"
#include "vm.h"
#include <errno.h>

GUEST(read_current_el)
{
	guest_result(0, guest_sysreg(CurrentEL) >> 2);
	guest_result(1, guest_sysreg(id_aa64pfr0_el1) >> 8 & 0xf);
}

TEST(nested, guest_runs_at_el1, RULE("KVM-EL2-5"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_current_el);

	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 1);
	/* whether ID_AA64PFR0_EL1.EL2 is hidden differs between kernels: a fact */
	FACT("kvm.guest_id_el2", "%llu", (unsigned long long)vm->vcpu[0]->result[1]);
}

/* Reads of EL2 registers at EL1 are UNDEFINED (DDI 0487 D24, "Accessing" of each). */
GUEST(read_el2_registers)
{
	guest_result(0, GUEST_TRAP("mrs x0, vbar_el2" ::: "x0"));
	guest_result(1, GUEST_TRAP("mrs x0, hcr_el2" ::: "x0"));
	guest_result(2, GUEST_TRAP("mrs x0, sctlr_el2" ::: "x0"));
	guest_result(3, GUEST_TRAP("mrs x0, vttbr_el2" ::: "x0"));
	guest_result(4, GUEST_TRAP("mrs x0, esr_el2" ::: "x0"));
	guest_result(5, GUEST_TRAP("mrs x0, cptr_el2" ::: "x0"));
	guest_result(6, GUEST_TRAP("mrs x0, elr_el2" ::: "x0"));
	guest_result(7, GUEST_TRAP("mrs x0, cnthctl_el2" ::: "x0"));
	guest_result(8, GUEST_TRAP("msr hcr_el2, xzr"));
	guest_result(9, GUEST_TRAP("msr vbar_el2, xzr"));
	guest_result(10, GUEST_TRAP("tlbi alle1"));
	guest_result(11, GUEST_TRAP("at s12e1r, xzr"));
}

TEST(nested, el2_registers_are_undefined_at_el1, RULE("KVM-EL2-6"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_el2_registers);

	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < 12; i++) {
		uint64_t esr = vm->vcpu[0]->result[i];

		/* an exception was taken, and it was "unknown reason" */
		if (!EXPECT_NE(esr, 0) || !EXPECT_EQ(ESR_EC(esr), ESR_EC_UNKNOWN))
			NOTE("instruction %u of the snippet", i);
	}
}

/* SMCCC (DEN 0028 F, 5.2): an unknown function id answers -1 in x0. */
GUEST(unknown_calls)
{
	guest_result(0, guest_hvc(0xc600ffff, 1, 2, 3)); /* vendor hypervisor range */
	guest_result(1, guest_hvc(0x8400ff00, 1, 2, 3)); /* standard range */
	guest_result(2, guest_hvc(0x12345678, 0, 0, 0)); /* yielding */
	guest_result(3, guest_hvc(0xffffffff, 0, 0, 0));
}

TEST(nested, unknown_hypercalls_are_not_supported, RULE("SMCCC-5.2-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = unknown_calls);

	RUN_TO_END(vm, 0);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_EQ((int32_t)vm->vcpu[0]->result[i], -1);
}

/* Offered: KVM_CAP_ARM_EL2 (6.16 on, kvm-arm.mode=nested, a CPU with FEAT_NV2). */
/* Closing a VM with EL2 steps through shadow tables of the whole IPA space: seconds, emulated. */
TEST(nested, el2_guest_runs, RULE("KVM-EL2-7"), .limit_ms = 60000)
{
	struct vm *vm;

	if (kvm_cap(KVM_CAP_ARM_EL2) <= 0)
		SKIP_NEEDS("nested",
			   "KVM_CAP_ARM_EL2 is %d; Linux 6.16 or newer with kvm-arm.mode=nested on "
			   "a CPU with "
			   "FEAT_NV2 offers it",
			   kvm_cap(KVM_CAP_ARM_EL2));
	vm = vm_new(.vcpus = 1, .gic = 3, .features = 1U << KVM_ARM_VCPU_HAS_EL2,
		    .entry = read_current_el);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 2);
}

GUEST(use_el2_registers)
{
	guest_set_sysreg(vttbr_el2, 0x123400000000);
	guest_result(0, guest_sysreg(vttbr_el2));
	guest_result(1, guest_sysreg(hcr_el2) >> 34 & 1);
	guest_result(2, GUEST_TRAP("mrs x0, vbar_el2" ::: "x0"));
}

TEST(nested, el2_guest_reaches_el2_registers, RULE("KVM-EL2-7"), .limit_ms = 60000)
{
	struct vm *vm;

	if (kvm_cap(KVM_CAP_ARM_EL2) <= 0)
		SKIP_NEEDS("nested", "KVM_CAP_ARM_EL2 is %d", kvm_cap(KVM_CAP_ARM_EL2));
	vm = vm_new(.vcpus = 1, .gic = 3, .features = 1U << KVM_ARM_VCPU_HAS_EL2,
		    .entry = use_el2_registers);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0] & 0xff00000000, 0x3400000000);
	EXPECT_EQ(vm->vcpu[0]->result[1], 1); /* HCR_EL2.E2H: KVM offers VHE guests */
	EXPECT_EQ(vm->vcpu[0]->result[2], 0);
}
