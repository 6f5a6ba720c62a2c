/* SPDX-License-Identifier: Apache-2.0 */
/* The system-wide part of the API: Documentation/virt/kvm/api.rst 4.1 to 4.5; ioctls that arm64 does not have. */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <unistd.h>

SUITE(api, .tags = "api");

TEST(api, version_is_12, RULE("KVM-API-1"))
{
	int kvm = kvm_open();

	/* 4.1: "the API version ... applications should refuse to run if it returns a value other than 12" */
	EXPECT_EQ(sys_ioctl(kvm, KVM_GET_API_VERSION, 0), 12);
	/* kvm_dev_ioctl: the argument must be 0 */
	EXPECT_REFUSED(sys_ioctl(kvm, KVM_GET_API_VERSION, 1), EINVAL);
	close(kvm);
}

TEST(api, unknown_extension_is_absent, RULE("KVM-API-2"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	static const unsigned int unknown[] = {5000, 0x7fffffff, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(kvm_cap(unknown[i]), 0);
		EXPECT_EQ(vm_cap(vm, unknown[i]), 0);
	}
}

TEST(api, unknown_ioctls_are_refused, RULE("KVM-API-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(sys_ioctl(vm->kvm, _IO(KVMIO, 0xff), 0), EINVAL, ENOTTY);
	EXPECT_REFUSED(vm_ioctl(vm, _IO(KVMIO, 0xff), 0), EINVAL, ENOTTY);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, _IO(KVMIO, 0xff), 0), EINVAL, ENOTTY);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* There is no kvm-clock on arm64: 4.29 KVM_GET_CLOCK (KVM_CAP_ADJUST_CLOCK, x86). */
TEST(api, kvm_clock_is_absent, RULE("KVM-CLOCK-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct kvm_clock_data clock = {};
	struct vm_state *before;

	EXPECT_EQ(vm_cap(vm, KVM_CAP_ADJUST_CLOCK), 0);
	EXPECT_EQ(vm_cap(vm, KVM_CAP_KVMCLOCK_CTRL), 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_GET_CLOCK, &clock), EINVAL, ENOTTY);
	EXPECT_REFUSED(vm_ioctl(vm, KVM_SET_CLOCK, &clock), EINVAL, ENOTTY);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_KVMCLOCK_CTRL, 0), EINVAL, ENOTTY);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* arch/arm64/kvm/guest.c: state goes by ONE_REG alone */
TEST(api, whole_register_ioctls_are_refused, RULE("KVM-API-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	static uint8_t buf[4096];
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_REGS, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_REGS, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_SREGS, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_SREGS, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_FPU, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_FPU, buf), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_TRANSLATE, buf), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

GUEST(report_and_return)
{
	guest_result(0, guest_arg(0) + 1);
}

TEST(api, guest_runs_and_answers, RULE("KVM-RUN-1"),
     VARIANTS("none: gic=0 | v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = (unsigned int)test_param_u64("gic", 0),
			       .entry = report_and_return);

	vm->vcpu[0]->arg[0] = 41;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 42);
}
