/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VMM gets when a guest ends or restarts the machine by PSCI: KVM_EXIT_SYSTEM_EVENT, and no CPU runs on
 * (Documentation/virt/kvm/api.rst, KVM_EXIT_SYSTEM_EVENT; DEN 0022, 5.1.9 to 5.1.11).
 */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <linux/psci.h>

SUITE(psci, .tags = "psci");

#define FN_SYSTEM_OFF	     0x84000008U
#define FN_SYSTEM_RESET	     0x84000009U
#define FN_SYSTEM_RESET2_32  0x84000012U
#define FN_SYSTEM_RESET2_64  0xc4000012U
#define FN_SYSTEM_SUSPEND_64 0xc400000eU
#define FN_FEATURES	     0x8400000aU

GUEST(call_once)
{
	guest_tick(1);
	guest_result(0, guest_hvc(guest_arg(0), guest_arg(1), guest_arg(2), 0));
	guest_count();
}

/* Its counter does not move for a while in which it would by hundreds. */
static bool stands_still(struct vcpu *c)
{
	uint64_t ticks = atomic_load(&c->ticks);

	test_pause_us(20000);
	return atomic_load(&c->ticks) == ticks;
}

static void expect_event(uint32_t fn, uint64_t type, uint32_t event, uint64_t flags)
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = call_once);
	struct kvm_run *run = vm->vcpu[0]->run;
	struct kvm_mp_state mp;

	vm->vcpu[1]->entry = vm_snippet(vm, guest_count);
	vm_start(vm, 1, 1);
	EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[1]->ticks) > 0);
	vm->vcpu[0]->arg[0] = fn;
	vm->vcpu[0]->arg[1] = type;
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(run->system_event.type, event);
	if (vm_cap(vm, KVM_CAP_SYSTEM_EVENT_DATA) > 0) {
		EXPECT_EQ(run->system_event.ndata, 1U);
		EXPECT_EQ(run->system_event.data[0], flags);
	}
	/* a CPU that is inside KVM_RUN stops there: it counts no further */
	EXPECT_EVENTUALLY(stands_still(vm->vcpu[1]));
	/* no other CPU runs on: "vCPUs are not run after this call is handled" (psci.c) */
	vm_park(vm);
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_OK(vcpu_ioctl(vm, i, KVM_GET_MP_STATE, &mp));
		EXPECT_EQ(mp.mp_state, (unsigned int)KVM_MP_STATE_STOPPED);
	}
	/* one that is run all the same finds that the call failed */
	vm_join(vm);
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	ASSERT_OK(vcpu_ioctl(vm, 0, KVM_SET_MP_STATE, &mp));
	vcpu_run_to_tick(vm, 0, 2);
	EXPECT_EQ((int32_t)vm->vcpu[0]->result[0], PSCI_RET_INTERNAL_FAILURE);
}

TEST(psci, system_off_ends_every_cpu, RULE("PSCI-SYSTEM-1"))
{
	expect_event(FN_SYSTEM_OFF, 0, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
}

TEST(psci, system_reset_ends_every_cpu, RULE("PSCI-SYSTEM-1"))
{
	expect_event(FN_SYSTEM_RESET, 0, KVM_SYSTEM_EVENT_RESET, 0);
}

static void need_version(uint64_t version)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY);

	if (vcpu_get(vm, 0, KVM_REG_ARM_PSCI_VERSION) < version)
		SKIP_NEEDS("psci-1.1", "KVM's PSCI is older than 1.1");
}

/* 5.1.11: reset type 0 is the architecture's warm reset, those with bit 31 the vendor's */
TEST(psci, system_reset2_is_told_apart, RULE("PSCI-SYSTEM-2"),
     VARIANTS(
	     "fn32: fn=0x84000012 | fn64: fn=0xc4000012 | "
	     "vendor: fn=0xc4000012 type=0x80000001 | first_vendor: fn=0xc4000012 type=0x80000000"))
{
	need_version(0x10001);
	expect_event((uint32_t)test_param_u64("fn", 0), test_param_u64("type", 0),
		     KVM_SYSTEM_EVENT_RESET, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
}

static int32_t features_of_suspend(bool enabled)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = call_once);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};

	if (enabled)
		ASSERT_OK(vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
	vm->vcpu[0]->arg[0] = FN_FEATURES;
	vm->vcpu[0]->arg[1] = FN_SYSTEM_SUSPEND_64;
	vcpu_run_to_tick(vm, 0, 2);
	return (int32_t)vm->vcpu[0]->result[0];
}

/* KVM_CAP_ARM_SYSTEM_SUSPEND: NOT_SUPPORTED until user space enables it, then an exit for it to handle */
TEST(psci, system_suspend_is_user_spaces, RULE("PSCI-SYSTEM-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = call_once);
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	struct kvm_mp_state mp = {.mp_state = KVM_MP_STATE_SUSPENDED};

	vm->vcpu[0]->arg[0] = FN_SYSTEM_SUSPEND_64;
	vm->vcpu[0]->arg[1] = vm_snippet(vm, guest_entry);
	vcpu_run_to_tick(vm, 0, 2);
	EXPECT_EQ((int32_t)vm->vcpu[0]->result[0], PSCI_RET_NOT_SUPPORTED);
	EXPECT_EQ(features_of_suspend(false), PSCI_RET_NOT_SUPPORTED);
	if (vm_cap(vm, KVM_CAP_ARM_SYSTEM_SUSPEND) <= 0) {
		EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_MP_STATE, &mp), EINVAL);
		return;
	}
	EXPECT_EQ(features_of_suspend(true), PSCI_RET_SUCCESS);
	vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = call_once);
	ASSERT_OK(vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
	vm->vcpu[0]->arg[0] = FN_SYSTEM_SUSPEND_64;
	vm->vcpu[0]->arg[1] = 0x1234000;
	vm->vcpu[0]->arg[2] = 0x5678;
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_SYSTEM_EVENT);
	EXPECT_EQ(vm->vcpu[0]->run->system_event.type, (unsigned int)KVM_SYSTEM_EVENT_SUSPEND);
	/* "the vCPU's registers are not changed": the call's arguments are there to be read */
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 0x1234000U);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(2)), 0x5678U);
}

GUEST(start_other)
{
	guest_result(0, guest_hvc(PSCI_FN_CPU_ON, guest_arg(0), guest_arg(1), guest_arg(2)));
}

#define FAR_CODE 0x8040000000ULL
#define FAR_GAP	 0x9000000040ULL /* no memory */

TEST(psci, cpu_on_enters_above_4_gib, RULE("PSCI-CPU_ON-7"))
{
	int limit = kvm_cap(KVM_CAP_ARM_VM_IPA_SIZE);
	struct vm *vm;
	uint32_t *code;

	if (limit > 0 && limit < 40)
		SKIP_NEEDS("ipa-40", "the host's IPA limit is %d bits", limit);
	vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = start_other, .secondaries_off = true,
		    .ipa_bits = 40);
	code = vm_add_slot(vm, FAR_CODE, 0x10000, 0);
	code[0x40 / 4] = 0xf9000000; /* str x0, [x0] */
	vm_sync_ram(vm, FAR_CODE, 0x1000);
	vm->vcpu[0]->arg[0] = vcpu_get(vm, 1, REG_MPIDR_EL1) & 0xff00ffffff;
	vm->vcpu[0]->arg[1] = FAR_CODE + 0x40;
	vm->vcpu[0]->arg[2] = FAR_GAP;
	RUN_TO_END(vm, 0);
	EXPECT_EQ((int32_t)vm->vcpu[0]->result[0], PSCI_RET_SUCCESS);
	ASSERT_EQ(vcpu_run(vm, 1), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[1]->run->mmio.phys_addr, FAR_GAP);
	EXPECT_EQ(vcpu_get(vm, 1, REG_PC), FAR_CODE + 0x40);
}

/* KVM_ARM_VCPU_POWER_OFF, KVM_SET_MP_STATE: a stopped CPU runs only after it was made runnable */
TEST(psci, user_space_stops_and_starts_a_cpu, RULE("PSCI-SYSTEM-4"))
{
	struct vm *vm =
		vm_new(.vcpus = 2, .gic = GIC_ANY, .entry = guest_count, .secondaries_off = true);
	struct kvm_mp_state mp;
	uint64_t ticks;

	ASSERT_OK(vcpu_ioctl(vm, 0, KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(mp.mp_state, (unsigned int)KVM_MP_STATE_RUNNABLE);
	ASSERT_OK(vcpu_ioctl(vm, 1, KVM_GET_MP_STATE, &mp));
	EXPECT_EQ(mp.mp_state, (unsigned int)KVM_MP_STATE_STOPPED);
	mp.mp_state = KVM_MP_STATE_HALTED;
	EXPECT_REFUSED(vcpu_ioctl(vm, 1, KVM_SET_MP_STATE, &mp), EINVAL);
	vm_start(vm, 0, 2);
	EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[0]->ticks) > 50);
	EXPECT_EQ(atomic_load(&vm->vcpu[1]->ticks), 0);
	vm_park(vm);
	mp.mp_state = KVM_MP_STATE_STOPPED;
	ASSERT_OK(vcpu_ioctl(vm, 0, KVM_SET_MP_STATE, &mp));
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	ASSERT_OK(vcpu_ioctl(vm, 1, KVM_SET_MP_STATE, &mp));
	ticks = atomic_load(&vm->vcpu[0]->ticks);
	vm_resume(vm);
	EXPECT_EVENTUALLY(atomic_load(&vm->vcpu[1]->ticks) > 50);
	EXPECT_EQ(atomic_load(&vm->vcpu[0]->ticks), ticks);
}
