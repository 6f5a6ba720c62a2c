/* SPDX-License-Identifier: Apache-2.0 */
#include "pauth.h"
#include "vm.h"

GUEST(read_key)
{
	guest_result(0, GUEST_TRAP("mrs x0, S3_0_C2_C1_0" ::: "x0")); /* APIAKeyLo_EL1 */
}

const char *pauth_cpu(void)
{
	struct vm *vm;
	uint64_t trap;

	if (!kvm_protected_mode() || kvm_cap(KVM_CAP_ARM_PTRAUTH_ADDRESS) <= 0 ||
	    kvm_cap(KVM_CAP_ARM_PTRAUTH_GENERIC) <= 0)
		return "host";
	vm = vm_new(.vcpus = 1, .entry = read_key,
		    .features = 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
				1U << KVM_ARM_VCPU_PTRAUTH_GENERIC);
	RUN_TO_END(vm, 0);
	trap = vm->vcpu[0]->result[0];
	vm_free(vm);
	if (!trap)
		return "host";
	NOTE("this host's KVM offers pointer authentication, and its keys are UNDEFINED: the guest "
	     "gets "
	     "none (--cpu host,pauth=off)");
	return "host,pauth=off";
}
