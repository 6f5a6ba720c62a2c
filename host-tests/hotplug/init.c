/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_ARM_VCPU_INIT: Documentation/virt/kvm/api.rst 4.77. */
#include "state.h"
#include <errno.h>

#define PSCI_BIT (1U << KVM_ARM_VCPU_PSCI_0_2)

/* 4.77: "all calls to this function after the initial call must use the same target and same set of feature flags,
   otherwise EINVAL will be returned" */
TEST(hotplug, reinit_with_other_features_is_refused, RULE("KVM-INIT-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vcpu_try_init(vm, 0, 0), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(hotplug, reinit_with_same_features_works, RULE("KVM-INIT-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);

	vcpu_run_to_tick(vm, 0, 5);
	EXPECT_OK(vcpu_try_init(vm, 0, PSCI_BIT));
	vcpu_start_at(vm, 0, guest_entry);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.77: EINVAL, "the target is unknown" */
TEST(hotplug, unknown_target_is_refused, RULE("KVM-INIT-2"))
{
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_count);
	struct kvm_vcpu_init init = {.target = 0xffff, .features = {PSCI_BIT}};
	struct vm_state *before;

	vcpu_init(vm, 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vcpu_ioctl(vm, 1, KVM_ARM_VCPU_INIT, &init), EINVAL);
	init.target = 0xffffffff;
	EXPECT_REFUSED(vcpu_ioctl(vm, 1, KVM_ARM_VCPU_INIT, &init), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.77: ENOENT, "a features bit specified is unknown" */
TEST(hotplug, unknown_feature_is_refused, RULE("KVM-INIT-3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_count);
	struct vm_state *before;

	vcpu_init(vm, 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vcpu_try_init(vm, 1, PSCI_BIT | 1U << 31), ENOENT);
	EXPECT_REFUSED(vcpu_try_init(vm, 1, PSCI_BIT | 1U << 20), ENOENT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_OK(vcpu_try_init(vm, 1, PSCI_BIT));
	vcpu_start_at(vm, 1, guest_entry);
	vm_start(vm, 1, 1);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.77: EINVAL for a feature that KVM knows and this host does not have; each has a capability that says so. */
TEST(hotplug, features_the_host_lacks_are_refused, RULE("KVM-INIT-9"))
{
	static const struct {
		unsigned int feature;
		unsigned int cap;
		const char *name;
	} features[] = {
		{1U << KVM_ARM_VCPU_EL1_32BIT, KVM_CAP_ARM_EL1_32BIT, "AArch32 at EL1"},
		{1U << KVM_ARM_VCPU_PMU_V3, KVM_CAP_ARM_PMU_V3, "PMU"},
		{1U << KVM_ARM_VCPU_SVE, KVM_CAP_ARM_SVE, "SVE"},
		{1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC,
		 KVM_CAP_ARM_PTRAUTH_ADDRESS, "pointer authentication"},
	};
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_count);
	unsigned int lacking = 0;
	struct vm_state *before;

	vcpu_init(vm, 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (kvm_cap(features[i].cap) > 0)
			continue;
		NOTE("this host lacks %s", features[i].name);
		EXPECT_REFUSED(vcpu_try_init(vm, 1, PSCI_BIT | features[i].feature), EINVAL);
		lacking++;
	}
	if (!lacking)
		SKIP("this host has every feature that a vCPU may be asked to have: nothing to "
		     "refuse");
	EXPECT_SAME_STATE(vm, before);
	EXPECT_OK(vcpu_try_init(vm, 1, PSCI_BIT));
	vcpu_start_at(vm, 1, guest_entry);
	vm_start(vm, 1, 1);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.10: ENOEXEC, "the vcpu hasn't been initialized" */
TEST(hotplug, uninitialized_vcpu_does_not_run, RULE("KVM-RUN-2"))
{
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_count);
	struct vm_state *before;

	vcpu_init(vm, 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vcpu_run(vm, 1), ENOEXEC);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
