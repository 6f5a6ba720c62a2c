/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is pending beside registers and the vGIC: KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS (api.rst 4.31, 4.32) and
 * KVM_GET_MP_STATE, KVM_SET_MP_STATE (4.38, 4.39).
 */
#include "gicreg.h"
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>

#define ESR_EC_SERROR 0x2f
#define ESR_EC_DABT   0x25 /* from the same exception level */

static void events(struct vm *vm, unsigned int i, struct kvm_vcpu_events *e)
{
	memset(e, 0xff, sizeof(*e));
	ASSERT_OK(vcpu_ioctl(vm, i, KVM_GET_VCPU_EVENTS, e));
}

/* SError interrupts are masked from reset on; PSTATE.A is opened for a few instructions. */
GUEST(open_serror)
{
	guest_tick(1);
	guest_result(0, guest_sysreg(isr_el1) >> 8 & 1); /* ISR_EL1.A: pending */
	guest_result(
		1,
		GUEST_TRAP(
			"msr daifclr, #4\n\tisb\n\tnop\n\tnop\n\tnop\n\tnop\n\tmsr daifset, #4"));
	guest_result(2, guest_sysreg(isr_el1) >> 8 & 1);
	guest_tick(2);
	guest_result(
		3,
		GUEST_TRAP(
			"msr daifclr, #4\n\tisb\n\tnop\n\tnop\n\tnop\n\tnop\n\tmsr daifset, #4"));
}

/* Pending in the first VM, taken in the second, once. */
TEST(saverestore, pending_serror_goes_on_in_a_second_vm, RULE("KVM-EVENTS-2"),
     VARIANTS("moved: move=1 | unmoved: move=0"))
{
	struct vm *a = vm_new(.vcpus = 2, .entry = open_serror), *vm = a;
	bool ras = vm_cap(a, KVM_CAP_ARM_INJECT_SERROR_ESR) > 0;
	struct kvm_vcpu_events e, none;
	uint64_t iss = 0xaa1234, esr;

	events(a, 0, &e);
	EXPECT_EQ(e.exception.serror_pending, 0);
	EXPECT_EQ(e.exception.serror_has_esr, ras);
	vcpu_run_to_tick(a, 0, 1);
	vcpu_complete_one(a, 0);
	memset(&e, 0, sizeof(e));
	e.exception.serror_pending = 1;
	e.exception.serror_has_esr = ras;
	e.exception.serror_esr = ras ? iss : 0;
	ASSERT_OK(vcpu_ioctl(a, 0, KVM_SET_VCPU_EVENTS, &e));
	if (test_param_u64("move", 0)) {
		vm = vm_new(.vcpus = 2, .entry = open_serror);
		vm_move(vm, a);
		vm_free(a);
	}
	events(vm, 0, &e);
	EXPECT_EQ(e.exception.serror_pending, 1);
	EXPECT_EQ(e.exception.serror_has_esr, ras);
	if (ras)
		EXPECT_EQ(e.exception.serror_esr, iss);
	EXPECT_EQ(e.exception.ext_dabt_pending, 0);
	for (unsigned int b = 0; b < sizeof(e.exception.pad); b++)
		EXPECT_EQ(e.exception.pad[b], 0);
	for (unsigned int b = 0; b < ARRAY_SIZE(e.reserved); b++)
		EXPECT_EQ(e.reserved[b], 0U);
	events(vm, 1, &none);
	EXPECT_EQ(none.exception.serror_pending, 0);
	vcpu_run_to_tick(vm, 0, 2);
	vcpu_complete_one(vm, 0);
	events(vm, 0, &e);
	EXPECT_EQ(e.exception.serror_pending, 0);
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[0], 1);
	esr = vm->vcpu[0]->result[1];
	EXPECT_EQ(ESR_EC(esr), ESR_EC_SERROR);
	if (ras)
		EXPECT_EQ(esr & 0x1ffffff, iss);
	EXPECT_EQ(vm->vcpu[0]->result[2], 0);
	EXPECT_EQ(vm->vcpu[0]->result[3], 0); /* once */
}

/* 4.32: a data abort that user space injects for an access nobody answers: at once, synchronous external (FSC 0x10) */
GUEST(read_nobodys)
{
	guest_result(0, GUEST_TRAP("ldr x1, [%0]" ::"r"(0x70000008UL) : "x1"));
	guest_result(1, guest_sysreg(far_el1));
	guest_result(2, guest_sysreg(elr_el1));
}

TEST(saverestore, external_abort_is_taken_at_the_access, RULE("KVM-EVENTS-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_nobodys);
	struct kvm_vcpu_events e = {.exception.ext_dabt_pending = 1};
	uint64_t pc, esr;

	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.phys_addr, 0x70000008);
	pc = vcpu_get(vm, 0, REG_PC);
	ASSERT_OK(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, &e));
	events(vm, 0, &e);
	EXPECT_EQ(e.exception.ext_dabt_pending, 0); /* delivered, nothing pends */
	RUN_TO_END(vm, 0);
	esr = vm->vcpu[0]->result[0];
	EXPECT_EQ(ESR_EC(esr), ESR_EC_DABT);
	EXPECT_EQ(esr & 0x3f, 0x10);
	EXPECT_EQ(esr >> 25 & 1, 1); /* IL: a 32-bit instruction */
	EXPECT_EQ(vm->vcpu[0]->result[1], 0x70000008);
	EXPECT_EQ(vm->vcpu[0]->result[2], pc + 4); /* the vectors skipped the load */
}

/* ---- run states */

static uint32_t mp_state(struct vm *vm, unsigned int i)
{
	struct kvm_mp_state mp = {.mp_state = 0xffff};

	ASSERT_OK(vcpu_ioctl(vm, i, KVM_GET_MP_STATE, &mp));
	return mp.mp_state;
}

static int set_mp_state(struct vm *vm, unsigned int i, uint32_t state)
{
	struct kvm_mp_state mp = {.mp_state = state};

	return (int)vcpu_ioctl(vm, i, KVM_SET_MP_STATE, &mp);
}

/* 4.38: RUNNABLE and STOPPED; POWER_OFF starts a vCPU stopped and holds for that one KVM_ARM_VCPU_INIT */
TEST(saverestore, run_state_is_saved_and_restored, RULE("KVM-MP-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .secondaries_off = true, .entry = guest_count);
	uint32_t features = vm_features(vm, 0);
	int r;

	EXPECT_EQ(mp_state(vm, 0), KVM_MP_STATE_RUNNABLE);
	EXPECT_EQ(mp_state(vm, 1), KVM_MP_STATE_STOPPED);
	/* up to 6.4 POWER_OFF is one of the features that must stay the same */
	r = vcpu_try_init(vm, 1, features);
	EXPECT_REFUSED(r, 0, EINVAL);
	EXPECT_EQ(mp_state(vm, 1), r ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE);
	EXPECT_OK(vcpu_try_init(vm, 1, features | 1U << KVM_ARM_VCPU_POWER_OFF));
	EXPECT_EQ(mp_state(vm, 1), KVM_MP_STATE_STOPPED);
	EXPECT_OK(set_mp_state(vm, 1, KVM_MP_STATE_RUNNABLE));
	EXPECT_EQ(mp_state(vm, 1), KVM_MP_STATE_RUNNABLE);
	vcpu_start_at(vm, 1, guest_entry);
	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	EXPECT_OK(set_mp_state(vm, 0, KVM_MP_STATE_STOPPED));
	EXPECT_EQ(mp_state(vm, 0), KVM_MP_STATE_STOPPED);
	EXPECT_EQ(mp_state(vm, 1), KVM_MP_STATE_RUNNABLE);
	EXPECT_OK(set_mp_state(vm, 0, KVM_MP_STATE_RUNNABLE));
	EXPECT_STILL_RUNNING(vm);
}

/* A stopped vCPU executes nothing; it waits in KVM_RUN until a signal, and goes on when it is made runnable. */
TEST(saverestore, stopped_vcpu_executes_nothing, RULE("KVM-MP-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .entry = guest_count);
	uint64_t ticks;

	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
	vm_park(vm);
	ticks = atomic_load(&vm->vcpu[1]->ticks);
	EXPECT_OK(set_mp_state(vm, 1, KVM_MP_STATE_STOPPED));
	vm_resume(vm);
	for (uint64_t n = atomic_load(&vm->vcpu[0]->ticks) + 50;
	     atomic_load(&vm->vcpu[0]->ticks) < n;)
		test_pause_us(500);
	EXPECT_EQ(atomic_load(&vm->vcpu[1]->ticks), ticks);
	vm_park(vm);
	EXPECT_EQ(mp_state(vm, 1), KVM_MP_STATE_STOPPED);
	EXPECT_OK(set_mp_state(vm, 1, KVM_MP_STATE_RUNNABLE));
	EXPECT_STILL_RUNNING(vm);
}

/* 4.39: states of other architectures are EINVAL */
TEST(saverestore, foreign_run_states_are_refused, RULE("KVM-MP-2"))
{
	static const uint32_t bad[] = {KVM_MP_STATE_UNINITIALIZED,
				       KVM_MP_STATE_INIT_RECEIVED,
				       KVM_MP_STATE_HALTED,
				       KVM_MP_STATE_SIPI_RECEIVED,
				       KVM_MP_STATE_CHECK_STOP,
				       KVM_MP_STATE_OPERATING,
				       KVM_MP_STATE_LOAD,
				       KVM_MP_STATE_AP_RESET_HOLD,
				       11,
				       0xffffffff};
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!EXPECT_REFUSED(set_mp_state(vm, 0, bad[i]), EINVAL))
			NOTE("state was %u", bad[i]);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/*
 * 4.39, KVM_MP_STATE_SUSPENDED: KVM_RUN ends with KVM_SYSTEM_EVENT_WAKEUP when an interrupt pends, again and again,
 * until user space makes the vCPU runnable.
 */
GUEST(enable_edge_spi)
{
	guest_tick(1);
	guest_tick(2);
}

TEST(saverestore, suspended_vcpu_reports_its_wakeup, RULE("KVM-MP-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = 3, .entry = enable_edge_spi);
	struct kvm_run *run = vm->vcpu[0]->run;

	if (vm_cap(vm, KVM_CAP_ARM_SYSTEM_SUSPEND) <= 0)
		SKIP("KVM_CAP_ARM_SYSTEM_SUSPEND is 0 (before Linux 5.20): no suspended state");
	gicd_set(vm, 0, GICD_CTLR, 2);
	gicd_set(vm, 0, GICD_IPRIORITYR(10), 0x20);
	gicd_set(vm, 0, GICD_ISENABLER(1), 1U << 8);
	icc_set(vm, 0, ICC_PMR, 0xf0);
	icc_set(vm, 0, ICC_IGRPEN1, 1);
	vcpu_run_to_tick(vm, 0, 1);
	vcpu_complete_one(vm, 0);
	EXPECT_OK(set_mp_state(vm, 0, KVM_MP_STATE_SUSPENDED));
	EXPECT_EQ(mp_state(vm, 0), KVM_MP_STATE_SUSPENDED);
	EXPECT_OK(vm_try_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, 40, 1));
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_SYSTEM_EVENT);
		EXPECT_EQ(run->system_event.type, (unsigned int)KVM_SYSTEM_EVENT_WAKEUP);
		EXPECT_EQ(mp_state(vm, 0), KVM_MP_STATE_SUSPENDED);
		EXPECT_EQ(atomic_load(&vm->vcpu[0]->ticks), 1);
	}
	EXPECT_OK(set_mp_state(vm, 0, KVM_MP_STATE_RUNNABLE));
	RUN_TO_END(vm, 0);
	EXPECT_EQ(atomic_load(&vm->vcpu[0]->ticks), 2);
}
