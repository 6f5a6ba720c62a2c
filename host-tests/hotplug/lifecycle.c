/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs from first to last: how many there can be, whose descriptors they are, what is left when one is closed
 * (Documentation/virt/kvm/api.rst 2, 4.5, 4.7, 4.10; virt/kvm/kvm_main.c).
 */
#include "state.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* 4.7: as many as KVM_CAP_MAX_VCPUS, in any order of ids, and not one more */
TEST(hotplug, as_many_vcpus_as_promised_and_no_more, RULE("KVM-VCPU-7"), .limit_ms = 30000)
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	unsigned long max = (unsigned long)vm_cap(vm, KVM_CAP_MAX_VCPUS), made = 0;

	for (unsigned long id = max; id-- > 0;)
		made += vm_try_create_vcpu(vm, id) >= 0;
	EXPECT_EQ(made, max);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, max), EINVAL);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 0), EEXIST, EINVAL);
}

/* devices/arm-vgic.rst: a GICv2 for a VM that has more vCPUs than 8: E2BIG; for 8: made */
TEST(hotplug, gicv2_for_too_many_vcpus_is_refused, RULE("KVM-VCPU-5"))
{
	struct vm *many = vm_new_bare(VM_IPA_BITS), *few = vm_new_bare(VM_IPA_BITS);

	if (vm_try_create_device(many, KVM_DEV_TYPE_ARM_VGIC_V2, KVM_CREATE_DEVICE_TEST))
		SKIP_NEEDS("gicv2", "KVM_CREATE_DEVICE(VGIC_V2): ENODEV");
	for (unsigned long id = 0; id < 8; id++)
		ASSERT_GE(vm_try_create_vcpu(few, id), 0);
	EXPECT_GE(vm_try_create_device(few, KVM_DEV_TYPE_ARM_VGIC_V2, 0), 0);
	if (vm_cap(many, KVM_CAP_MAX_VCPUS) <= 8) {
		/* the host's own GIC is one: no VM has more than 8 */
		EXPECT_REFUSED(vm_try_create_vcpu(many, 8), EINVAL);
		return;
	}
	for (unsigned long id = 0; id < 9; id++)
		ASSERT_GE(vm_try_create_vcpu(many, id), 0);
	EXPECT_REFUSED(vm_try_create_device(many, KVM_DEV_TYPE_ARM_VGIC_V2, 0), E2BIG);
}

/* The descriptor goes while its vCPU is in the guest: that thread gets EBADF at its next call, the others go on. */
TEST(hotplug, closing_a_running_vcpu_stops_it_alone, RULE("KVM-VCPU-6"),
     VARIANTS("v2: gic=2 | v3: gic=3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = (unsigned int)test_param_u64("gic", 3),
			       .entry = guest_count);
	struct vcpu *gone = vm->vcpu[1];

	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_OK(close(gone->fd) ? -errno : 0);
	EXPECT_EVENTUALLY(atomic_load(&gone->parked) == 2);
	EXPECT_EQ(gone->end, -EBADF);
	pthread_join(gone->thread, NULL);
	gone->has_thread = false;
	EXPECT_STILL_RUNNING(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY);
	EXPECT_STILL_RUNNING(vm);
	vm_join(vm);
	gone->fd = -1;
}

/* 2: "a VM lives as long as one of its descriptors": a vCPU runs on without the VM's */
TEST(hotplug, vcpu_outlives_the_vm_descriptor, RULE("KVM-VCPU-8"))
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = guest_count);

	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_OK(close(vm->fd) ? -errno : 0);
	EXPECT_OK(close(vm->gic_fd) ? -errno : 0);
	EXPECT_STILL_RUNNING(vm);
	vm_join(vm);
	vm->fd = -1;
	vm->gic_fd = -1;
}

/* 2: "only run VM ioctls from the same process (address space) that was used to create the VM": EIO */
TEST(hotplug, another_process_gets_nothing, RULE("KVM-VCPU-9"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;
	int status = 0;
	pid_t child;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	child = fork();
	if (child == 0) {
		struct kvm_one_reg reg = {.id = KVM_REG_ARM64};
		bool good =
			sys_ioctl(vm->fd, KVM_CREATE_VCPU, 1) == -EIO &&
			sys_ioctl(vm->fd, KVM_CHECK_EXTENSION, 0) == -EIO &&
			sys_ioctl(vm->vcpu[0]->fd, KVM_RUN, 0) == -EIO &&
			sys_ioctl(vm->vcpu[0]->fd, KVM_GET_ONE_REG, (unsigned long)&reg) == -EIO &&
			sys_ioctl(vm->gic_fd, KVM_HAS_DEVICE_ATTR, (unsigned long)&reg) == -EIO;

		_exit(good ? 0 : 1);
	}
	if (child < 0)
		test_error("fork: %s", strerrorname_np(errno));
	if (waitpid(child, &status, 0) != child)
		test_error("waitpid: %s", strerrorname_np(errno));
	EXPECT_EQ(status, 0);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.5: the shared page, and one for coalesced MMIO; arguments that must be 0; 4.10 KVM_RUN takes none; 4.20 */
TEST(hotplug, vcpu_calls_with_bad_arguments_are_refused, RULE("KVM-VCPU-10"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct {
		struct kvm_signal_mask m;
		uint64_t set;
	} mask = {.m.len = 16};
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_EQ(sys_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), 2 * sysconf(_SC_PAGESIZE));
	EXPECT_REFUSED(sys_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_RUN, 1), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_SIGNAL_MASK, &mask), EINVAL);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_SIGNAL_MASK, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
