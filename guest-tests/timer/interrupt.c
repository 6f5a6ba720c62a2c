/* SPDX-License-Identifier: Apache-2.0 */
/* Timer interrupts taken as exceptions, and WFI. */
#include "gic.h"
#include "irq.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

#define BOTH_TIMERS(claim, body, rule)            \
	TEST(timer, virtual_##claim, RULE(rule))  \
	{                                         \
		body(TIMER_VIRT);                 \
	}                                         \
	TEST(timer, physical_##claim, RULE(rule)) \
	{                                         \
		body(TIMER_PHYS);                 \
	}

/* what the handlers saw, by timer */
static volatile struct {
	uint64_t early; /* interrupts that came although count < CVAL */
	uint64_t taken;
} seen[TIMERS];

static enum timer timer_of(unsigned intid)
{
	return intid == timer_intid(TIMER_VIRT) ? TIMER_VIRT : TIMER_PHYS;
}

/* note it and stop: the level goes before the end of interrupt */
static void one_shot(unsigned intid)
{
	enum timer t = timer_of(intid);

	if (timer_count(t) < timer_cval(t))
		seen[t].early++;
	seen[t].taken++;
	timer_set_ctl(t, TIMER_ENABLE | TIMER_IMASK);
}

static struct irq_watch watch(enum timer t)
{
	seen[t].early = 0;
	seen[t].taken = 0;
	timer_set_ctl(t, 0);
	irq_handler(timer_intid(t), one_shot);
	return irq_watch(timer_intid(t));
}

static void past(enum timer t)
{
	struct irq_watch w = watch(t);

	timer_set_cval(t, timer_count(t) - 1);
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
	delay_ms(5);
	EXPECT_EQ(irq_seen(&w), 1);
}
BOTH_TIMERS(past_deadline_interrupts_at_once, past, "TIMER-IRQ-1")

static void masked(enum timer t)
{
	struct irq_watch w = watch(t);

	timer_set_cval(t, 0);
	timer_set_ctl(t, TIMER_ENABLE | TIMER_IMASK);
	delay_ms(5);
	EXPECT_EQ(irq_seen(&w), 0);
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
}
BOTH_TIMERS(mask_holds_the_interrupt_back, masked, "TIMER-IMASK-2")

/* DDI 0487 D11.2.4.1: never before count reaches CVAL, and once a deadline */
static void never_early(enum timer t)
{
	struct irq_watch w = watch(t);

	for (uint32_t i = 1; i <= 30; i++) {
		timer_set_ctl(t, 0);
		timer_set_cval(t, timer_count(t) + rnd_below(ticks_of_ms(5)));
		timer_set_ctl(t, TIMER_ENABLE);
		ASSERT_EVENTUALLY(irq_seen(&w) == i);
	}
	EXPECT_EQ(seen[t].early, 0);
	EXPECT_EQ(seen[t].taken, 30);
}
BOTH_TIMERS(interrupt_never_comes_early, never_early, "TIMER-IRQ-2")

static void far_future(enum timer t)
{
	struct irq_watch w = watch(t);

	timer_set_cval(t, ~0ULL);
	timer_set_ctl(t, TIMER_ENABLE);
	delay_ms(20);
	timer_set_cval(t, timer_count(t) + ticks_of_ms(3600000));
	delay_ms(20);
	EXPECT_EQ(irq_seen(&w), 0);
	/* and it is not lost either: brought near, it fires */
	timer_set_cval(t, timer_count(t) + ticks_of_ms(1));
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
}
BOTH_TIMERS(far_deadline_does_not_fire, far_future, "TIMER-IRQ-3")

/* DDI 0487 D1.6.2: WFI ends for a pending interrupt, PSTATE.I masks or not */
static void wfi_wakes(enum timer t)
{
	gic_need_any();
	gic_enable(timer_intid(t));
	for (unsigned i = 0; i < 5; i++) {
		timer_set_ctl(t, 0);
		timer_set_cval(t, timer_count(t) + ticks_of_ms(5));
		timer_set_ctl(t, TIMER_ENABLE);
		/* a lost wake-up hangs here, and the test ends as an error at its time limit */
		while (!(timer_ctl(t) & TIMER_ISTATUS))
			wfi();
		EXPECT_GE(timer_count(t), timer_cval(t));
		EXPECT_EVENTUALLY(gic_is_pending(timer_intid(t)));
	}
}
BOTH_TIMERS(wakes_wfi_with_interrupts_masked, wfi_wakes, "TIMER-WFI-1")

static void wfi_takes(enum timer t)
{
	struct irq_watch w = watch(t);

	for (uint32_t i = 1; i <= 5; i++) {
		timer_set_ctl(t, 0);
		timer_set_cval(t, timer_count(t) + ticks_of_ms(5));
		timer_set_ctl(t, TIMER_ENABLE);
		while (irq_seen(&w) < i)
			wfi();
	}
	EXPECT_EQ(irq_seen(&w), 5);
	EXPECT_EQ(seen[t].early, 0);
}
BOTH_TIMERS(wakes_wfi_and_interrupts, wfi_takes, "TIMER-WFI-2")

/* Two timers, two PPIs: each deadline gives its own interrupt (BSA 1.0, table of PPIs) */
TEST(timer, both_timers_run_at_once, RULE("TIMER-BOTH-1"))
{
	struct irq_watch v = watch(TIMER_VIRT), p = watch(TIMER_PHYS);

	EXPECT_NE(timer_intid(TIMER_VIRT), timer_intid(TIMER_PHYS));
	for (uint32_t i = 1; i <= 10; i++) {
		timer_set_ctl(TIMER_VIRT, 0);
		timer_set_ctl(TIMER_PHYS, 0);
		timer_set_cval(TIMER_VIRT, counter_virt() + rnd_below(ticks_of_ms(5)));
		timer_set_cval(TIMER_PHYS, counter_phys() + rnd_below(ticks_of_ms(5)));
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		timer_set_ctl(TIMER_PHYS, TIMER_ENABLE);
		ASSERT_EVENTUALLY(irq_seen(&v) == i && irq_seen(&p) == i);
	}
	EXPECT_EQ(seen[TIMER_VIRT].early, 0);
	EXPECT_EQ(seen[TIMER_PHYS].early, 0);
}

static void fire_here(void *arg)
{
	enum timer t = *(enum timer *)arg;
	struct irq_watch w = irq_watch(timer_intid(t));

	timer_set_cval(t, timer_count(t) + ticks_of_ms(2));
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
	timer_set_ctl(t, 0);
}

/* PPIs and timers are banked (IHI 0069H 2.2.1): CPU 1's deadline interrupts CPU 1 alone */
TEST(timer, interrupt_stays_on_its_cpu, RULE("TIMER-BANKED-1"), .vmm = "--smp 2")
{
	enum timer both[] = {TIMER_VIRT, TIMER_PHYS};

	smp_need(2);
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct irq_watch here = watch(both[i]);

		smp_call(1, fire_here, &both[i]);
		EXPECT_EQ(irq_seen(&here), 0);
		EXPECT_EQ(irq_count_on(1, timer_intid(both[i])), 1);
	}
}

static volatile unsigned rearmed;

static void rearm(unsigned intid)
{
	enum timer t = timer_of(intid);

	if (timer_count(t) < timer_cval(t))
		seen[t].early++;
	if (++rearmed == 50)
		timer_set_ctl(t, 0);
	else
		timer_set_cval(t, timer_count(t) + ticks_of_ms(1) / 4);
}

static void reprogrammed(enum timer t)
{
	struct irq_watch w = watch(t);

	rearmed = 0;
	irq_handler(timer_intid(t), rearm);
	timer_set_cval(t, timer_count(t));
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(rearmed == 50);
	EXPECT_EQ(irq_seen(&w), 50);
	EXPECT_EQ(seen[t].early, 0);
}
BOTH_TIMERS(reprogrammed_in_its_handler_fires_again, reprogrammed, "TIMER-IRQ-4")

/* WFIT, by encoding: 0xd5031020 | Rt (DDI 0487 C6.2) */
static void wfit(uint64_t until)
{
	register uint64_t x0 __asm__("x0") = until;

	__asm__ volatile("dsb sy\n\t.inst 0xd5031020" : : "r"(x0) : "memory");
}

/*
 * DDI 0487 D1.6.3, FEAT_WFxT: WFIT ends when the virtual count reaches its operand, with no interrupt to come
 * (KVM counts it among the deadlines of a CPU that sleeps). A timer far behind it ends the test where it does
 * not. QEMU's CPUs report a trapped WFIT without its register (ESR_EL2.ISS.RV 0), so that KVM can only take it
 * for WFI: a CPU of a software model (MIDR_EL1.Implementer 0) is excused.
 */
TEST(timer, a_wait_with_a_limit_ends_by_itself, RULE("TIMER-WFXT-1"))
{
	uint64_t isar2 = read_sysreg(S3_0_C0_C6_2);
	bool ended = false;

	NEED("wfxt", BITS(isar2, 3, 0) == 2, "ID_AA64ISAR2_EL1.WFxT is %lu", BITS(isar2, 3, 0));
	gic_need_any();
	gic_enable(timer_intid(TIMER_VIRT));
	wfit(counter_virt()); /* over before it begins */
	wfit(0);
	NEED("wfxt-trap", BITS(read_sysreg(midr_el1), 31, 24) != 0,
	     "this emulated CPU does not tell a hypervisor the operand of WFIT");
	for (unsigned i = 0; i < 2 && !ended; i++) {
		uint64_t until = counter_virt() + ticks_of_ms(3);

		timer_set_cval(TIMER_VIRT, until + ticks_of_ms(400));
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		/* it may end before, as WFI may; that it ends at all is the claim */
		while (counter_virt() < until)
			wfit(until);
		ended = !(timer_ctl(TIMER_VIRT) & TIMER_ISTATUS);
		timer_set_ctl(TIMER_VIRT, 0);
	}
	EXPECT_TRUE(ended);
}
