/* SPDX-License-Identifier: Apache-2.0 */
/* Compare and control registers from outside: what the host sets the guest has, and the other way round. */
#include "common.h"
#include <errno.h>

GUEST(swap_registers)
{
	guest_result(0, guest_sysreg(cntv_cval_el0));
	guest_result(1, guest_sysreg(cntv_ctl_el0));
	guest_result(2, guest_sysreg(cntp_cval_el0));
	guest_result(3, guest_sysreg(cntp_ctl_el0));
	guest_result(4, guest_sysreg(cntkctl_el1));
	guest_set_sysreg(cntv_cval_el0, guest_arg(0));
	guest_set_sysreg(cntv_ctl_el0, guest_arg(1));
	guest_set_sysreg(cntp_cval_el0, guest_arg(2));
	guest_set_sysreg(cntp_ctl_el0, guest_arg(3));
	guest_set_sysreg(cntkctl_el1, guest_arg(4));
}

#define REG_CNTKCTL_EL1 REG_SYS(3, 0, 14, 1, 0)
#define FAR_AWAY	(1ULL << 60)

/* The physical timer's registers are in the list since Linux 6.4; 6.1 has the virtual one's alone. */
static bool has_physical(struct vm *vm)
{
	uint64_t value;

	return vcpu_try_get(vm, 0, KVM_REG_ARM_PTIMER_CTL, &value) == 0;
}

static void set_all(struct vm *vm, uint64_t v_cval, uint64_t v_ctl, uint64_t p_cval, uint64_t p_ctl)
{
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CVAL, v_cval);
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CTL, v_ctl);
	if (!has_physical(vm))
		return;
	vcpu_set(vm, 0, KVM_REG_ARM_PTIMER_CVAL, p_cval);
	vcpu_set(vm, 0, KVM_REG_ARM_PTIMER_CTL, p_ctl);
}

/* api.rst 4.68 (the ids of TIMER_CVAL and TIMER_CNT are swapped: that is the ABI) */
TEST(timer, registers_pass_between_host_and_guest, RULE("KVM-TIMER-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = swap_registers);
	struct vcpu *c = vm->vcpu[0];
	uint64_t v = FAR_AWAY + (test_random() & 0xffffffffff), p = FAR_AWAY + 77;

	set_all(vm, v, TIMER_ENABLE, p, TIMER_IMASK);
	vcpu_set(vm, 0, REG_CNTKCTL_EL1, 0x2);
	c->arg[0] = v + 5;
	c->arg[1] = TIMER_ENABLE | TIMER_IMASK;
	c->arg[2] = 3; /* long past */
	c->arg[3] = TIMER_ENABLE | TIMER_IMASK;
	c->arg[4] = 0x301;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[0], v);
	EXPECT_EQ(c->result[1], TIMER_ENABLE);
	EXPECT_EQ(c->result[4], 0x2U);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CVAL), v + 5);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL), TIMER_ENABLE | TIMER_IMASK);
	EXPECT_EQ(vcpu_get(vm, 0, REG_CNTKCTL_EL1), 0x301U);
	if (!has_physical(vm))
		return;
	EXPECT_EQ(c->result[2], p);
	EXPECT_EQ(c->result[3] & 3, TIMER_IMASK); /* ISTATUS is UNKNOWN while it is off */
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PTIMER_CVAL), 3U);
	/* the guest has seen its status, and so does the host */
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PTIMER_CTL),
		  TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
}

/*
 * ISTATUS cannot be written. KVM computes it for user space (read_timer_ctl) up to 6.18 at least; where
 * it does, it is of the counter as the guest sees it.
 */
TEST(timer, status_follows_the_condition_from_outside, RULE("KVM-TIMER-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = swap_registers);
	uint64_t all = TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS;
	bool computed;

	set_all(vm, FAR_AWAY, all, FAR_AWAY, all);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL), TIMER_ENABLE | TIMER_IMASK);
	if (has_physical(vm))
		EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PTIMER_CTL), TIMER_ENABLE | TIMER_IMASK);
	set_all(vm, 0, TIMER_ENABLE | TIMER_IMASK, 0, TIMER_ENABLE | TIMER_IMASK);
	computed = vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL) == all;
	FACT("kvm.timer_status_computed", "%d", computed);
	if (has_physical(vm))
		EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PTIMER_CTL) == all, computed);
	if (!computed)
		return;
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CVAL, 1ULL << 50);
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CNT, (1ULL << 50) - (1ULL << 45));
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL), TIMER_ENABLE | TIMER_IMASK);
	vcpu_set(vm, 0, KVM_REG_ARM_TIMER_CNT, 1ULL << 50);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL), all);
}

/* KVM_ARM_VCPU_INIT again: the timers are off, as after CPU_ON */
TEST(timer, initializing_again_switches_the_timers_off, RULE("KVM-TIMER-2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = swap_registers);
	struct vcpu *c = vm->vcpu[0];

	c->arg[1] = c->arg[3] = TIMER_ENABLE | TIMER_IMASK;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL) & 3, 3U);
	vcpu_init(vm, 0);
	EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_TIMER_CTL) & 3, 0U);
	if (has_physical(vm))
		EXPECT_EQ(vcpu_get(vm, 0, KVM_REG_ARM_PTIMER_CTL) & 3, 0U);
	EXPECT_EQ(vcpu_get(vm, 0, REG_CNTKCTL_EL1), 0U);
}

/* ---- which PPI */

static int irq_attr(struct vm *vm, unsigned long request, unsigned int attr, int *irq)
{
	return dev_try_attr(vm->vcpu[0]->fd, request, KVM_ARM_VCPU_TIMER_CTRL, attr, irq);
}

static int get_irq(struct vm *vm, unsigned int attr)
{
	int irq = -1, r = irq_attr(vm, KVM_GET_DEVICE_ATTR, attr, &irq);

	return r ? r : irq;
}

static int set_irq(struct vm *vm, unsigned int attr, int irq)
{
	return irq_attr(vm, KVM_SET_DEVICE_ATTR, attr, &irq);
}

GUEST(fire_both)
{
	uint64_t version = guest_arg(0), virt = guest_arg(1), phys = guest_arg(2);

	guest_gic_on(version, 0, 0xffff0000);
	guest_result(0, guest_ppi_pending(version, 0, virt));
	guest_set_sysreg(cntv_cval_el0, 0);
	guest_set_sysreg(cntv_ctl_el0, TIMER_ENABLE);
	while (!guest_ppi_pending(version, 0, virt))
		;
	guest_result(1, guest_ppi_pending(version, 0, phys));
	guest_set_sysreg(cntv_ctl_el0, 0);
	guest_set_sysreg(cntp_cval_el0, 0);
	guest_set_sysreg(cntp_ctl_el0, TIMER_ENABLE);
	while (!guest_ppi_pending(version, 0, phys))
		;
	while (guest_ppi_pending(version, 0, virt))
		;
	guest_set_sysreg(cntp_ctl_el0, 0);
	while (guest_ppi_pending(version, 0, phys))
		;
	guest_result(2, 1);
}

static void expect_ppis(struct vm *vm, unsigned int virt, unsigned int phys)
{
	struct vcpu *c = vm->vcpu[0];

	c->arg[0] = vm->opt.gic;
	c->arg[1] = virt;
	c->arg[2] = phys;
	RUN_TO_END(vm, 0);
	EXPECT_EQ(c->result[0], 0U);
	EXPECT_EQ(c->result[1], 0U);
	EXPECT_EQ(c->result[2], 1U);
}

/* devices/vcpu.rst, 2: KVM_ARM_VCPU_TIMER_CTRL */
TEST(timer, interrupt_numbers_are_27_and_30_by_default, RULE("KVM-TIMER-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = fire_both);

	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER), (int)PPI_VIRT);
	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER), (int)PPI_PHYS);
	expect_ppis(vm, PPI_VIRT, PPI_PHYS);
}

TEST(timer, interrupt_numbers_can_be_chosen_before_the_first_run, RULE("KVM-TIMER-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = fire_both);

	ASSERT_OK(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, 20));
	ASSERT_OK(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER, 31));
	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER), 20);
	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER), 31);
	expect_ppis(vm, 20, 31);
	/* and not behind its back: "-EBUSY The VCPU has already run" */
	EXPECT_REFUSED(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, 27), EBUSY);
	EXPECT_REFUSED(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER, 30), EBUSY);
	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER), 20);
}

TEST(timer, interrupt_numbers_that_are_no_ppi_are_refused, RULE("KVM-TIMER-4"))
{
	static const int bad[] = {-1, 0, 15, 32, 1023, 0x7fffffff};
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = fire_both);

	for (unsigned int n = 0; n < ARRAY_SIZE(bad); n++)
		if (!EXPECT_REFUSED(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, bad[n]), EINVAL) ||
		    !EXPECT_REFUSED(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER, bad[n]), EINVAL))
			NOTE("INTID %d", bad[n]);
	EXPECT_REFUSED(set_irq(vm, 99, 20), ENXIO);
	EXPECT_REFUSED(get_irq(vm, 99), ENXIO);
	EXPECT_EQ(get_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER), (int)PPI_VIRT);
	expect_ppis(vm, PPI_VIRT, PPI_PHYS);
}

TEST(timer, timers_that_share_an_interrupt_do_not_run, RULE("KVM-TIMER-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = fire_both);

	ASSERT_OK(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, 21));
	ASSERT_OK(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_PTIMER, 21));
	EXPECT_REFUSED(vcpu_run(vm, 0), EINVAL);
}

TEST(timer, interrupt_numbers_need_an_irqchip, RULE("KVM-TIMER-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_nothing);

	EXPECT_REFUSED(set_irq(vm, KVM_ARM_VCPU_TIMER_IRQ_VTIMER, 20), EINVAL);
}

/* ---- without an irqchip: kvm_run.s.regs.device_irq_level (api.rst, KVM_CAP_ARM_USER_IRQ) */

GUEST(raise_and_lower)
{
	guest_set_sysreg(cntv_cval_el0, 0);
	guest_set_sysreg(cntp_cval_el0, 0);
	for (uint64_t n = 1;; n++) {
		uint64_t want = guest_arg(0);

		guest_set_sysreg(cntv_ctl_el0,
				 want & 1 ? TIMER_ENABLE : TIMER_ENABLE | TIMER_IMASK);
		guest_set_sysreg(cntp_ctl_el0,
				 want & 2 ? TIMER_ENABLE : TIMER_ENABLE | TIMER_IMASK);
		guest_tick(n);
		guest_answer();
	}
}

TEST(timer, levels_reach_user_space_without_an_irqchip, RULE("KVM-TIMER-5"))
{
	static const uint64_t levels[] = {0, 1, 3, 2, 0, 3, 0};
	struct vm *vm = vm_new(.vcpus = 1, .entry = raise_and_lower);
	volatile __u64 *level = &vm->vcpu[0]->run->s.regs.device_irq_level;

	if (vm_cap(vm, KVM_CAP_ARM_USER_IRQ) <= 0)
		SKIP_NEEDS("user-irq", "KVM_CAP_ARM_USER_IRQ is 0");
	EXPECT_EQ(KVM_ARM_DEV_EL1_VTIMER, 1);
	EXPECT_EQ(KVM_ARM_DEV_EL1_PTIMER, 2);
	vm_start(vm, 0, 1);
	for (unsigned int n = 0; n < ARRAY_SIZE(levels); n++) {
		*(volatile uint64_t *)&vm->vcpu[0]->arg[0] = levels[n];
		if (!EXPECT_EVENTUALLY((*level & 3) == levels[n]))
			NOTE("want level %llu, got %llu", (unsigned long long)levels[n],
			     (unsigned long long)*level);
	}
	EXPECT_STILL_RUNNING(vm);
}
