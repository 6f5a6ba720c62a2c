/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of all CPUs at once, while threads are moved and paused: each deadline gives one interrupt, on its own
 * CPU, not early; and a CPU that was off has none left (arch/arm64/kvm/arch_timer.c).
 */
#include "stress.h"
#include "gic.h"
#include "irq.h"
#include "smp.h"
#include "test.h"
#include "timer.h"

#define CPUS 4U

static struct per_cpu {
	uint64_t fired[TIMERS], armed[TIMERS], early, slept, moves;
	uint64_t last;
	struct irq_watch w[TIMERS];
} per[CPUS];

static uint64_t host_cpus;

static void fired(unsigned intid)
{
	enum timer t = intid == timer_intid(TIMER_VIRT) ? TIMER_VIRT : TIMER_PHYS;
	struct per_cpu *p = &per[cpu_index()];

	if (timer_count(t) < timer_cval(t))
		p->early++;
	p->fired[t]++;
	timer_set_ctl(t, 0); /* the level goes before the end of interrupt */
}

static void listen(struct per_cpu *p)
{
	for (enum timer t = TIMER_VIRT; t < TIMERS; t++) {
		timer_set_ctl(t, 0);
		p->w[t] = irq_watch(timer_intid(t));
	}
}

/* a deadline past, near or of both timers at once; then wait for what was armed */
static void round_of(struct per_cpu *p, struct rng *r)
{
	unsigned int which = 1 + (unsigned int)rng_below(r, 3); /* bit 0 virtual, bit 1 physical */
	bool sleep = rng_below(r, 2);

	for (enum timer t = TIMER_VIRT; t < TIMERS; t++) {
		uint64_t ahead = rng_below(r, 4) ? rng_below(r, ticks_of_ms(2)) : 0;

		if (!(which >> t & 1))
			continue;
		p->armed[t]++;
		if (rng_below(r, 2))
			timer_set_tval(t, (uint32_t)ahead);
		else
			timer_set_cval(t, timer_count(t) + ahead);
		timer_set_ctl(t, TIMER_ENABLE);
	}
	if (host_cpus && rng_below(r, 4) == 0) {
		struct assay_action a = {.op = ASSAY_ACT_PIN, .arg = {rng_below(r, host_cpus)}};

		port_action(&a);
		p->moves++;
	}
	/* masked between the look and the sleep: a pending interrupt ends WFI all the same */
	irq_mask();
	while (sleep && (p->fired[TIMER_VIRT] < p->armed[TIMER_VIRT] ||
			 p->fired[TIMER_PHYS] < p->armed[TIMER_PHYS])) {
		wfi();
		p->slept++;
		irq_unmask();
		isb();
		irq_mask();
	}
	irq_unmask();
	EXPECT_EVENTUALLY(p->fired[TIMER_VIRT] == p->armed[TIMER_VIRT] &&
			  p->fired[TIMER_PHYS] == p->armed[TIMER_PHYS]);
	EXPECT_EQ(p->early, 0);
	for (enum timer t = TIMER_VIRT; t < TIMERS; t++)
		EXPECT_EQ(irq_seen(&p->w[t]), (uint32_t)p->fired[t]);
}

static void storm_cpu(void *arg)
{
	struct per_cpu *p = &per[cpu_index()];
	struct rng r = rng_of(cpu_index());
	uint64_t rounds = 0, before;

	listen(p);
	for (; stress_more(rounds); rounds++) {
		before = counter_virt();
		EXPECT_GE(before, p->last);
		round_of(p, &r);
		p->last = counter_virt();
		EXPECT_GE(p->last, before);
	}
	(void)arg;
}

static void storm(const char *kind)
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};
	uint64_t all = 0, slept = 0, moves = 0;

	memset(per, 0, sizeof(per));
	host_cpus = port_present() && port_action(&pin) == 0 ? MAX(pin.ret[0], 1UL) : 0;
	irq_handler(timer_intid(TIMER_VIRT), fired);
	irq_handler(timer_intid(TIMER_PHYS), fired);
	smp_call_all(CPUS, storm_cpu, NULL);
	for (unsigned int n = 0; n < CPUS; n++) {
		EXPECT_GT(per[n].armed[TIMER_VIRT] + per[n].armed[TIMER_PHYS], 0);
		all += per[n].fired[TIMER_VIRT] + per[n].fired[TIMER_PHYS];
		slept += per[n].slept;
		moves += per[n].moves;
	}
	FACT("stress.timer_interrupts", "%lu", all);
	FACT("stress.timer_sleeps", "%lu", slept);
	NOTE("%s: %lu moves between host CPUs", kind, moves);
}

TEST(timer, storms_on_all_cpus_lose_and_invent_nothing, RULE("TIMER-STORM-1"), .vmm = "--smp 4",
     .tags = "stress")
{
	smp_need(CPUS);
	gic_need_any();
	stress_begin(2000);
	storm("storm");
}

/* ---- a deadline armed on one host CPU fires on another */

static void moved(enum timer t)
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};
	struct per_cpu *p = &per[0];

	NEED("test-port", port_present(), "this VMM has no assay,test-port to move threads with");
	ASSERT_EQ(port_action(&pin), 0);
	NEED("host-cpus", pin.ret[0] >= 2, "the host has one CPU online: nowhere to move to");
	memset(per, 0, sizeof(per));
	irq_handler(timer_intid(t), fired);
	listen(p);
	for (uint64_t i = 1; i <= 10; i++) {
		uint64_t before = timer_count(t), cval = before + ticks_of_ms(3);

		timer_set_cval(t, cval);
		timer_set_ctl(t, TIMER_ENABLE);
		pin.arg[0] = i % 2;
		ASSERT_EQ(port_action(&pin), 0);
		EXPECT_EQ(timer_cval(t), cval);
		EXPECT_GE(timer_count(t), before);
		ASSERT_EVENTUALLY(p->fired[t] == i);
		pin.arg[0] = (i + 1) % 2;
		ASSERT_EQ(port_action(&pin), 0);
	}
	EXPECT_EQ(p->early, 0);
	EXPECT_EQ(irq_seen(&p->w[t]), 10);
}

TEST(timer, virtual_deadlines_hold_over_moves_between_host_cpus, RULE("TIMER-MOVE-1"),
     .tags = "host-cpus")
{
	moved(TIMER_VIRT);
}

TEST(timer, physical_deadlines_hold_over_moves_between_host_cpus, RULE("TIMER-MOVE-1"),
     .tags = "host-cpus")
{
	moved(TIMER_PHYS);
}

/* the counters of a CPU that moves go on, and stay those of the one that does not */
TEST(timer, counters_agree_while_a_cpu_moves, RULE("TIMER-MONO-2"), .vmm = "--smp 2")
{
	struct assay_action pin = {.op = ASSAY_ACT_PIN};
	uint64_t last[TIMERS] = {counter_virt(), counter_phys()};

	NEED("test-port", port_present(), "this VMM has no assay,test-port to move threads with");
	ASSERT_EQ(port_action(&pin), 0);
	NEED("host-cpus", pin.ret[0] >= 2, "the host has one CPU online: nowhere to move to");
	for (unsigned int i = 0; i < 40; i++) {
		pin.arg[0] = i % 2;
		ASSERT_EQ(port_action(&pin), 0);
		for (enum timer t = TIMER_VIRT; t < TIMERS; t++) {
			uint64_t now = timer_count(t);

			EXPECT_GE(now, last[t]);
			EXPECT_LT(now - last[t], ticks_of_ms(60000));
			last[t] = now;
		}
	}
}

/* ---- what a CPU leaves behind when it goes off */

static void leave_asserted(void *arg)
{
	gic_enable(timer_intid(TIMER_VIRT));
	gic_enable(timer_intid(TIMER_PHYS));
	for (enum timer t = TIMER_VIRT; t < TIMERS; t++) {
		timer_set_cval(t, 0);
		timer_set_ctl(t, TIMER_ENABLE);
		EXPECT_EVENTUALLY(gic_is_pending(timer_intid(t)));
	}
	(void)arg;
}

static void find_quiet(void *arg)
{
	for (enum timer t = TIMER_VIRT; t < TIMERS; t++) {
		EXPECT_EQ(timer_ctl(t) & (TIMER_ENABLE | TIMER_IMASK), 0);
		EXPECT_EQ(gic_is_pending(timer_intid(t)), false);
	}
	(void)arg;
}

/* kvm_timer_vcpu_reset: CPU_ON starts with both timers off and their lines low */
TEST(timer, a_cpu_that_was_off_starts_with_quiet_timers, RULE("TIMER-RESET-1"), .vmm = "--smp 2")
{
	smp_need(2);
	gic_need_any();
	NEED("test-port", port_present(), "only KVM promises the reset; PSCI leaves CTL unknown");
	for (unsigned int round = 0; round < 3; round++) {
		smp_call(1, leave_asserted, NULL);
		ASSERT_TRUE(smp_off(1));
		smp_call(1, find_quiet, NULL);
		ASSERT_TRUE(smp_off(1));
	}
}
