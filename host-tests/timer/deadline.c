/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines kept by KVM: under an offset, over a pause of the VM, and while the CPU sleeps. */
#include "common.h"
#include <errno.h>

/* arguments: 0 GIC version, 1 physical?, 2 ticks ahead, 3 rounds */
#define TIMER_READ(reg_v, reg_p, phys) ((phys) ? guest_sysreg(reg_p) : guest_sysreg(reg_v))
#define TIMER_WRITE(reg_v, reg_p, phys, val)          \
	do {                                          \
		if (phys)                             \
			guest_set_sysreg(reg_p, val); \
		else                                  \
			guest_set_sysreg(reg_v, val); \
	} while (0)

GUEST_INLINE bool timer_met(uint64_t phys)
{
	return TIMER_READ(cntv_ctl_el0, cntp_ctl_el0, phys) & TIMER_ISTATUS;
}

GUEST(keep_deadlines)
{
	uint64_t version = guest_arg(0), phys = guest_arg(1), ahead = guest_arg(2);
	uint64_t rounds = guest_arg(3), early = 0, changed = 0, tval_off = 0;
	uint64_t ppi = phys ? PPI_PHYS : PPI_VIRT;

	guest_gic_on(version, 0, 1U << PPI_VIRT | 1U << PPI_PHYS);
	for (uint64_t n = 0; n < rounds; n++) {
		uint64_t now = phys ? guest_phys() : guest_virt(), cval = now + ahead, tval;

		TIMER_WRITE(cntv_ctl_el0, cntp_ctl_el0, phys, 0);
		TIMER_WRITE(cntv_cval_el0, cntp_cval_el0, phys, cval);
		TIMER_WRITE(cntv_ctl_el0, cntp_ctl_el0, phys, TIMER_ENABLE);
		guest_tick(n); /* exits save and restore it */
		tval = TIMER_READ(cntv_tval_el0, cntp_tval_el0, phys);
		changed += TIMER_READ(cntv_cval_el0, cntp_cval_el0, phys) != cval;
		/* TVAL is what is left, or negative once over */
		tval_off += (uint32_t)tval > (uint32_t)ahead && !((uint32_t)tval >> 31);
		while (!timer_met(phys))
			__asm__ volatile("wfi" ::: "memory");
		early += (phys ? guest_phys() : guest_virt()) < cval;
		while (!guest_ppi_pending(version, 0, ppi))
			guest_tick(n);
		/* far away: it goes, and does not come */
		TIMER_WRITE(cntv_cval_el0, cntp_cval_el0, phys, cval + (1ULL << 40));
		while (guest_ppi_pending(version, 0, ppi))
			guest_tick(n);
		changed += (TIMER_READ(cntv_ctl_el0, cntp_ctl_el0, phys) & TIMER_ISTATUS) != 0;
		/* TVAL written counts from the counter as the guest sees it */
		now = phys ? guest_phys() : guest_virt();
		TIMER_WRITE(cntv_tval_el0, cntp_tval_el0, phys, 1000);
		cval = TIMER_READ(cntv_cval_el0, cntp_cval_el0, phys);
		tval_off += cval - now - 1000 > (phys ? guest_phys() : guest_virt()) - now;
	}
	guest_result(0, early);
	guest_result(1, changed);
	guest_result(2, tval_off);
	guest_result(3, 1);
}

static void keeps_deadlines(struct vm *vm, unsigned int phys)
{
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = vm->opt.gic;
	c->arg[1] = phys;
	c->arg[2] = host_ticks_of_ms(3);
	c->arg[3] = 6;
	c->result[3] = 0;
	vcpu_set(vm, 0, REG_PC, vm_snippet(vm, guest_entry));
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[0], 0U); /* never early */
	EXPECT_EQ(c->result[1], 0U); /* CVAL reads as written, over exits */
	EXPECT_EQ(c->result[2], 0U); /* TVAL is a view of CVAL - count */
	EXPECT_EQ(c->result[3], 1U);
}

/* The offset is part of every comparison KVM makes: loaded timer, emulated timer, sleeping vCPU. */
TEST(timer, deadlines_hold_under_a_counter_offset, RULE("KVM-OFFSET-4"),
     VARIANTS("virt: phys=0 | phys: phys=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = keep_deadlines);
	const uint64_t offsets[] = {0, 1ULL << 41, host_count() - 5, 0 - (1ULL << 44)};

	need_offset(vm);
	if (test_param_u64("phys", 0))
		need_physical_offset();
	for (unsigned int n = 0; n < ARRAY_SIZE(offsets); n++) {
		ASSERT_OK(try_set_offset(vm, offsets[n], 0));
		keeps_deadlines(vm, (unsigned int)test_param_u64("phys", 0));
	}
}

TEST(timer, deadlines_hold_from_a_counter_value_set, RULE("KVM-CNT-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = keep_deadlines);

	keeps_deadlines(vm, 0);
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CNT, 0);
	keeps_deadlines(vm, 0);
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CNT, 0 - (1ULL << 44));
	keeps_deadlines(vm, 0);
	keeps_deadlines(vm, 1);
}

/* ---- two timers, one sleep */

GUEST(sleep_for_the_nearer)
{
	uint64_t version = guest_arg(0), near_phys = guest_arg(1), ahead = guest_arg(2);

	guest_gic_on(version, 0, 1U << PPI_VIRT | 1U << PPI_PHYS);
	for (uint64_t n = 0; n < 4; n++) {
		guest_set_sysreg(cntv_cval_el0, guest_virt() + (near_phys ? 1ULL << 42 : ahead));
		guest_set_sysreg(cntp_cval_el0, guest_phys() + (near_phys ? ahead : 1ULL << 42));
		guest_set_sysreg(cntv_ctl_el0, TIMER_ENABLE);
		guest_set_sysreg(cntp_ctl_el0, TIMER_ENABLE);
		while (!timer_met(near_phys))
			__asm__ volatile("wfi" ::: "memory");
		guest_result(0, TIMER_READ(cntp_ctl_el0, cntv_ctl_el0, near_phys) & TIMER_ISTATUS);
		guest_set_sysreg(cntv_ctl_el0, 0);
		guest_set_sysreg(cntp_ctl_el0, 0);
		guest_tick(n + 1);
	}
}

/* A CPU that sleeps is woken for whichever timer is first (a lost wake-up ends the test at its limit). */
TEST(timer, a_sleeping_cpu_wakes_for_the_nearer_timer, RULE("KVM-TIMER-6"),
     VARIANTS("virt: phys=0 | phys: phys=1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = sleep_for_the_nearer);
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = vm->opt.gic;
	c->arg[1] = test_param_u64("phys", 0);
	c->arg[2] = host_ticks_of_ms(5);
	c->result[0] = 1;
	vm_start(vm, 0, 1);
	if (!EXPECT_EVENTUALLY(atomic_load(&c->ticks) == 4))
		NOTE("it slept on after %llu wake-ups", (unsigned long long)c->ticks);
	EXPECT_EQ(c->result[0], 0U); /* the other is far away */
}

/* ---- pauses */

GUEST(note_over_pause)
{
	uint64_t version = guest_arg(0);

	guest_gic_on(version, 0, 1U << PPI_VIRT);
	guest_set_sysreg(cntv_cval_el0, guest_virt() + guest_arg(1));
	guest_set_sysreg(cntv_ctl_el0, TIMER_ENABLE);
	guest_result(0, guest_virt());
	guest_result(1, guest_phys());
	guest_result(2, guest_ppi_pending(version, 0, PPI_VIRT));
	guest_tick(1);
	while (!guest_arg(2))
		;
	guest_result(3, guest_virt());
	guest_result(4, guest_phys());
	while (!guest_ppi_pending(version, 0, PPI_VIRT))
		guest_tick(2);
	guest_result(5, guest_virt());
	guest_result(6, guest_sysreg(cntv_cval_el0));
	guest_tick(100);
	for (;;)
		guest_answer();
}

static struct vm *pausing(void)
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = note_over_pause);

	vm->vcpu[0]->arg[0] = vm->opt.gic;
	return vm;
}

#define PAUSE_MS 30U

/* KVM does not stop a counter: user space decides (api.rst has no pause). The deadline passed meanwhile. */
TEST(timer, counters_run_on_while_the_vm_is_paused, RULE("KVM-PAUSE-1"))
{
	struct vm *vm = pausing();
	struct vcpu *c = vm->vcpu[0];
	uint64_t slept;

	c->arg[1] = host_ticks_of_ms(PAUSE_MS / 2);
	vm_start(vm, 0, 1);
	ASSERT_TRUE(EXPECT_EVENTUALLY(atomic_load(&c->ticks) >= 1));
	vm_park(vm);
	slept = host_count();
	test_pause_us(PAUSE_MS * 1000);
	slept = host_count() - slept;
	*(volatile uint64_t *)&c->arg[2] = 1;
	vm_resume(vm);
	ASSERT_TRUE(EXPECT_EVENTUALLY(atomic_load(&c->ticks) == 100));
	vm_park(vm);
	EXPECT_GE(c->result[3] - c->result[0], slept);
	EXPECT_GE(c->result[4] - c->result[1], slept);
	EXPECT_GE(c->result[5], c->result[6]);
	/* one constant offset: both moved alike but for the time between the two readings */
	EXPECT_GE(c->result[3] - c->result[0], c->result[4] - c->result[1] - slept);
}

/* User space saves the virtual counter and sets it again: the guest sees no pause, nor its deadline pass. */
TEST(timer, a_pause_is_hidden_by_setting_the_counter_again, RULE("KVM-PAUSE-2"))
{
	struct vm *vm = pausing();
	struct vcpu *c = vm->vcpu[0];
	uint64_t saved, set_at, ctl;

	c->arg[1] = 1ULL << 42; /* not while the test looks */
	vm_start(vm, 0, 1);
	ASSERT_TRUE(EXPECT_EVENTUALLY(atomic_load(&c->ticks) >= 1));
	vm_park(vm);
	saved = vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CNT);
	test_pause_us(PAUSE_MS * 1000);
	/* a deadline in the middle of the pause */
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CVAL, saved + host_ticks_of_ms(PAUSE_MS / 2));
	set_at = host_count();
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CNT, saved);
	ctl = vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL);
	if (host_count() - set_at < host_ticks_of_ms(PAUSE_MS / 2))
		EXPECT_EQ(ctl & TIMER_ISTATUS, 0U);
	*(volatile uint64_t *)&c->arg[2] = 1;
	vm_resume(vm);
	ASSERT_TRUE(EXPECT_EVENTUALLY(atomic_load(&c->ticks) == 100));
	vm_park(vm);
	EXPECT_GE(c->result[3], c->result[0]);
	EXPECT_LE(c->result[3] - saved, host_count() - set_at);
	EXPECT_LE(c->result[0], saved);
	EXPECT_GE(c->result[5], c->result[6]); /* it fired, not early */
	EXPECT_EQ(c->result[6], saved + host_ticks_of_ms(PAUSE_MS / 2));
}
