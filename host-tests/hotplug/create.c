/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs cannot be added to a running VM. KVM_CREATE_VCPU: Documentation/virt/kvm/api.rst 4.7; that the vGIC is
 * initialized after all vCPUs exist: devices/arm-vgic.rst and arm-vgic-v3.rst (KVM_DEV_ARM_VGIC_CTRL_INIT).
 */
#include "file.h"
#include "state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SUITE(hotplug, .tags = "refusal hotplug");

#define EACH_GIC VARIANTS("v2: gic=2 | v3: gic=3")

static unsigned int gic(void)
{
	return (unsigned int)test_param_u64("gic", 3);
}

TEST(hotplug, vcpu_after_vgic_init_is_refused, RULE("KVM-VCPU-1"), EACH_GIC)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic(), .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* The first KVM_RUN initializes a GICv2 that nobody initialized (arm-vgic.rst); from then on the door is shut. */
TEST(hotplug, vcpu_after_first_run_is_refused, RULE("KVM-VCPU-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 2, .no_gic_init = true, .entry = guest_count);
	struct vm_state *before;

	vcpu_run_to_tick(vm, 0, 5);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* Not parked: the other vCPU is in the guest while the call is refused, again and again. */
TEST(hotplug, vcpu_while_another_runs_is_refused, RULE("KVM-VCPU-1"), EACH_GIC)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = gic(), .entry = guest_count);

	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	for (int i = 0; i < 50; i++)
		if (!EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY))
			break;
	EXPECT_STILL_RUNNING(vm);
}

/* What a VM without vGIC does is nowhere promised: a fact, not a claim. */
TEST(hotplug, late_vcpu_without_vgic_is_measured)
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	int r;

	vcpu_run_to_tick(vm, 0, 3);
	r = vm_try_create_vcpu(vm, 1);
	FACT("kvm.late_vcpu_without_vgic", "%s", r >= 0 ? "works" : strerrorname_np(-r));
	if (r >= 0)
		close(r);
}

TEST(hotplug, duplicate_id_is_refused, RULE("KVM-VCPU-3"))
{
	struct vm *vm = vm_new(.vcpus = 2, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 2);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 0), EEXIST);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EEXIST);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* 4.7: the id must be below KVM_CAP_MAX_VCPU_ID. */
TEST(hotplug, id_beyond_maximum_is_refused, RULE("KVM-VCPU-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	unsigned long max = (unsigned long)vm_cap(vm, KVM_CAP_MAX_VCPU_ID);
	struct vm_state *before;

	ASSERT_GT(max, 0);
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, max), EINVAL);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, max + 1), EINVAL);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 0x80000000UL), EINVAL);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 0xffffffffUL), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(hotplug, highest_id_works, RULE("KVM-VCPU-4"))
{
	struct vm *vm = vm_new_bare(VM_IPA_BITS);
	int max = vm_cap(vm, KVM_CAP_MAX_VCPU_ID), fd;

	fd = vm_try_create_vcpu(vm, (unsigned long)max - 1);
	EXPECT_GE(fd, 0);
}

/* The GICv2 architecture ends at 8 CPUs (IHI 0048 B, 1.3.1); arm-vgic.rst. */
TEST(hotplug, ninth_vcpu_on_gicv2_is_refused, RULE("KVM-VCPU-5"))
{
	struct vm *vm = vm_new(.vcpus = 8, .gic = 2, .no_gic_init = true, .entry = guest_count);
	struct vm_state *before = vm_capture_parts(vm, STATE_REGS | STATE_MEMORY | STATE_PROCESS);

	EXPECT_REFUSED(vm_try_create_vcpu(vm, 8), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_OK(vm_try_init_gic(vm));
	vm_start(vm, 0, 8);
	EXPECT_STILL_RUNNING(vm);
}

/* Not only is the ninth one too many: with a GICv2 no vCPU has an id beyond 7, however many there are. */
TEST(hotplug, ids_beyond_what_a_gicv2_serves_are_refused, RULE("KVM-VCPU-5"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 2, .no_gic_init = true, .entry = guest_count);
	struct vm_state *before = vm_capture_parts(vm, STATE_REGS | STATE_MEMORY | STATE_PROCESS);

	EXPECT_REFUSED(vm_try_create_vcpu(vm, 8), EINVAL);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 100), EINVAL);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_OK(vm_try_init_gic(vm));
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}

static long resident_kb(void)
{
	char buf[256];
	long pages = 0;
	char *second;

	if (file_read("/proc/self/statm", buf, sizeof(buf)) < 0)
		test_error("/proc/self/statm cannot be read");
	second = strchr(buf, ' ');
	if (second)
		pages = strtol(second, NULL, 10);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST(hotplug, refused_creation_leaks_nothing, RULE("KVM-VCPU-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;
	unsigned int refused = 0;
	long kb;

	vm_start(vm, 0, 1);
	for (int i = 0; i < 10; i++)
		vm_try_create_vcpu(vm, 1);
	before = vm_capture(vm);
	kb = resident_kb();
	for (int i = 0; i < 1000; i++)
		refused += vm_try_create_vcpu(vm, 1) == -EBUSY;
	EXPECT_EQ(refused, 1000U);
	EXPECT_LE(resident_kb() - kb, 256);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* The descriptor is only a handle: the vCPU lives as long as the VM. */
TEST(hotplug, closing_a_vcpu_does_no_harm, RULE("KVM-VCPU-6"), EACH_GIC)
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = gic(), .entry = guest_count);
	struct vcpu *gone = vm->vcpu[1];

	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_OK(close(gone->fd) ? -errno : 0);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_OK(munmap(gone->run, (size_t)sys_ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) ? -errno
											   : 0);
	EXPECT_STILL_RUNNING(vm);
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 1), EBUSY); /* neither free again ... */
	EXPECT_REFUSED(vm_try_create_vcpu(vm, 2), EBUSY); /* ... nor is there room */
	EXPECT_STILL_RUNNING(vm);
	vm_join(vm);
	vm->vcpu[1] = NULL;
}
