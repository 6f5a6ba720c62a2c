/* SPDX-License-Identifier: Apache-2.0 */
/* KVM_SET_GUEST_DEBUG: Documentation/virt/kvm/api.rst 4.87; KVM_EXIT_DEBUG in section 5. */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>

#define EC_BRK	      0x3c
#define EC_BREAKPOINT 0x30 /* from a lower exception level: the guest, as KVM sees it */
#define EC_STEP	      0x32
#define EC_WATCHPOINT 0x34

static int set_debug(struct vm *vm, uint32_t control, const struct kvm_guest_debug_arch *arch)
{
	struct kvm_guest_debug d = {.control = control};

	if (arch)
		d.arch = *arch;
	return (int)vcpu_ioctl(vm, 0, KVM_SET_GUEST_DEBUG, &d);
}

static void expect_debug_exit(struct vm *vm, unsigned int class)
{
	const struct kvm_run *run = vm->vcpu[0]->run;

	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_DEBUG);
	EXPECT_EQ(run->debug.arch.hsr >> 26, class);
}

void brk_here(void);
void brk_itself(void);
void steps_here(void);
void step_itself(void);
__asm__(".pushsection assay_guest, \"ax\", %progbits\n"
	".global brk_here\n"
	"brk_here:\n"
	"	mov	x1, #1\n"
	".global brk_itself\n"
	"brk_itself:\n"
	"	brk	#0x1234\n"
	"	mov	x1, #2\n"
	"	ret\n"
	".global steps_here\n"
	"steps_here:\n"
	"	mov	x1, #1\n"
	".global step_itself\n"
	"step_itself:\n"
	"	mov	x2, #2\n"
	"	cbz	xzr, 1f\n"
	"	mov	x3, #3\n"
	"1:	mov	x4, #4\n"
	"	ret\n"
	".popsection\n");

static void enter(struct vm *vm, void (*snippet)(void))
{
	vcpu_set(vm, 0, REG_SP_EL1, VM_STACK_BASE + VM_STACK_SIZE);
	vcpu_set(vm, 0, REG_X(30), vm_snippet(vm, guest_finish));
	vcpu_start_at(vm, 0, snippet);
}

/* USE_SW_BP: BRK leaves with its address and comment; without, it is the guest's own exception. */
TEST(api, software_breakpoint_exits, RULE("KVM-DEBUG-1"))
{
	struct vm *vm = vm_new(.vcpus = 1);

	ASSERT_OK(set_debug(vm, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, NULL));
	enter(vm, brk_here);
	expect_debug_exit(vm, EC_BRK);
	EXPECT_EQ(vm->vcpu[0]->run->debug.arch.hsr & 0xffff, 0x1234U);
	EXPECT_EQ(vcpu_get(vm, 0, REG_PC), vm_snippet(vm, brk_itself));
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 1);
	expect_debug_exit(vm, EC_BRK); /* again, until user space does something about it */
	vcpu_set(vm, 0, REG_PC, vm_snippet(vm, brk_itself) + 4);
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 2);
	/* off again: VBAR_EL1 takes it */
	ASSERT_OK(set_debug(vm, 0, NULL));
	vcpu_set(vm, 0, REG_VBAR_EL1, vm_snippet(vm, guest_vectors));
	vcpu_set(vm, 0, REG_TPIDR_EL1, 0);
	enter(vm, brk_here);
	ASSERT_EQ(vcpu_run(vm, 0), GUEST_EXCEPTION);
	EXPECT_EQ(ESR_EC(vm->vcpu[0]->esr), EC_BRK);
	EXPECT_EQ(vm->vcpu[0]->elr, vm_snippet(vm, brk_itself));
}

/* SINGLESTEP: an exit after each instruction, branches included; PSTATE.SS and MDSCR_EL1 stay the guest's */
TEST(api, single_step_stops_behind_each_instruction, RULE("KVM-DEBUG-2"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t at = vm_snippet(vm, steps_here);
	static const unsigned int pcs[] = {4, 8, 16, 20};
	const uint64_t mdscr = REG_SYS(2, 0, 0, 2, 2);

	ASSERT_OK(set_debug(vm, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL));
	enter(vm, steps_here);
	for (size_t i = 0; i < ARRAY_SIZE(pcs); i++) {
		expect_debug_exit(vm, EC_STEP);
		EXPECT_EQ(vcpu_get(vm, 0, REG_PC), at + pcs[i]);
		EXPECT_EQ(vcpu_get(vm, 0, mdscr), 0);
	}
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(3)), 0);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(4)), 4);
	ASSERT_OK(set_debug(vm, 0, NULL));
	RUN_TO_END(vm, 0);
	vcpu_complete_one(vm, 0);
	EXPECT_EQ(vcpu_get(vm, 0, REG_PSTATE) >> 21 & 1, 0);
}

/* A step over an access that user space emulates ends behind it (kvm_handle_mmio_return). */
GUEST(one_store)
{
	guest_tick(7);
	guest_tick(8);
}

TEST(api, single_step_over_mmio_stops_behind_it, RULE("KVM-DEBUG-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = one_store);
	unsigned int steps = 0, seen = 0;
	uint64_t last = 0, ticks = 0, now, pc;
	int end;

	ASSERT_OK(set_debug(vm, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, NULL));
	while ((end = vcpu_run(vm, 0)) == KVM_EXIT_DEBUG && steps++ < 400) {
		now = atomic_load(&vm->vcpu[0]->ticks);
		pc = vcpu_get(vm, 0, REG_PC);
		if (now != ticks) /* that step was the store */
			EXPECT_EQ(pc, last + 4);
		last = pc;
		ticks = now;
		seen |= 1U << (now % 16);
	}
	EXPECT_EQ(end, GUEST_DONE);
	EXPECT_GT(steps, 10U);
	EXPECT_EQ(seen, 1U << 0 | 1U << 7 | 1U << 8);
}

/* USE_HW: breakpoints and watchpoints in user space's registers, not in the guest's; as many as the capability says */
TEST(api, hardware_breakpoint_exits, RULE("KVM-DEBUG-3"), VARIANTS("first: n=0 | last: n=99"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	unsigned int n = (unsigned int)test_param_u64("n", 0);
	int count = vm_cap(vm, KVM_CAP_GUEST_DEBUG_HW_BPS);
	uint64_t at = vm_snippet(vm, step_itself);
	struct kvm_guest_debug_arch arch = {};

	/* ID_AA64DFR0_EL1.BRPs (15:12) + 1 (DDI 0487 D24.2) */
	EXPECT_EQ((uint64_t)count, (vcpu_get(vm, 0, REG_SYS(3, 0, 0, 5, 0)) >> 12 & 0xf) + 1);
	ASSERT_GE(count, 2);
	if (n >= (unsigned int)count)
		n = (unsigned int)count - 1;
	/* DBGBCR_EL1: enabled, EL1 and EL0, any security state's match, all bytes */
	arch.dbg_bcr[n] = 0x1e7;
	arch.dbg_bvr[n] = at;
	ASSERT_OK(set_debug(vm, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW, &arch));
	enter(vm, steps_here);
	expect_debug_exit(vm, EC_BREAKPOINT);
	EXPECT_EQ(vcpu_get(vm, 0, REG_PC), at);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(1)), 1);
	EXPECT_EQ(vcpu_get(vm, 0, REG_X(2)), 0);
	EXPECT_EQ(vcpu_get(vm, 0, REG_SYS(2, 0, 0, 0, 4)), 0); /* DBGBVR0_EL1 of the guest */
	ASSERT_OK(set_debug(vm, 0, NULL));
	RUN_TO_END(vm, 0);
}

GUEST(touch)
{
	guest_read64(guest_arg(0) + 16);
	guest_read64(guest_arg(0));
	guest_tick(1);
	guest_write64(guest_arg(0), 1);
}

/* DBGWCR_EL1.LSC: loads, stores, both; FAR says where */
TEST(api, watchpoint_exits_for_the_accesses_it_watches, RULE("KVM-DEBUG-3"),
     VARIANTS("load: lsc=1 | store: lsc=2 | both: lsc=3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = touch);
	uint64_t lsc = test_param_u64("lsc", 1), at = VM_FREE_BASE + 64;
	struct kvm_guest_debug_arch arch = {};
	unsigned int hits = 0;
	int end;

	EXPECT_EQ((uint64_t)vm_cap(vm, KVM_CAP_GUEST_DEBUG_HW_WPS),
		  (vcpu_get(vm, 0, REG_SYS(3, 0, 0, 5, 0)) >> 20 & 0xf) + 1);
	arch.dbg_wcr[0] = 0xff << 5 | lsc << 3 | 7;
	arch.dbg_wvr[0] = at;
	vm->vcpu[0]->arg[0] = at;
	ASSERT_OK(set_debug(vm, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW, &arch));
	while ((end = vcpu_run(vm, 0)) == KVM_EXIT_DEBUG && hits < 4) {
		const struct kvm_run *run = vm->vcpu[0]->run;

		EXPECT_EQ(run->debug.arch.hsr >> 26, (unsigned int)EC_WATCHPOINT);
		EXPECT_EQ(run->debug.arch.far, at);
		EXPECT_EQ(atomic_load(&vm->vcpu[0]->ticks),
			  lsc == 1 || (lsc == 3 && !hits) ? 0U : 1U);
		hits++;
		/* the access has not happened: step over it by hand */
		vcpu_set(vm, 0, REG_PC, vcpu_get(vm, 0, REG_PC) + 4);
	}
	EXPECT_EQ(end, GUEST_DONE);
	EXPECT_EQ(hits, lsc == 3 ? 2U : 1U);
}

/* Unknown control bits are EINVAL (KVM_CAP_SET_GUEST_DEBUG2 names the known ones), and nothing is changed. */
TEST(api, bad_debug_controls_are_refused, RULE("KVM-DEBUG-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	uint32_t known = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |
			 KVM_GUESTDBG_USE_HW;
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	EXPECT_EQ((uint32_t)vm_cap(vm, KVM_CAP_SET_GUEST_DEBUG2), known);
	for (unsigned int bit = 0; bit < 32; bit++)
		if (!(known >> bit & 1) &&
		    !EXPECT_REFUSED(set_debug(vm, KVM_GUESTDBG_ENABLE | 1U << bit, NULL), EINVAL))
			NOTE("bit was %u", bit);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_GUEST_DEBUG, 0xffff000000000000UL), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}
