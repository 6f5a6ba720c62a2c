/* SPDX-License-Identifier: Apache-2.0 */
/* CVAL, TVAL, CTL and ISTATUS, without an interrupt taken; each for both timers. */
#include "gic.h"
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

static const uint64_t hour_ms = 3600000;

static void arm(enum timer t, uint64_t cval, uint64_t ctl)
{
	timer_set_ctl(t, 0);
	timer_set_cval(t, cval);
	timer_set_ctl(t, ctl);
}

/* DDI 0487 D11.2.4.1: the condition is met when count >= CVAL; ISTATUS shows it, IMASK or not */
static void past(enum timer t)
{
	const uint64_t cvals[] = {0, 1, timer_count(t) - 1, timer_count(t)};

	for (size_t i = 0; i < ARRAY_SIZE(cvals); i++) {
		arm(t, cvals[i], TIMER_ENABLE | TIMER_IMASK);
		EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
	}
}
BOTH_TIMERS(condition_is_met_by_a_past_deadline, past, "TIMER-COND-1")

/* D11.2.4.1: the comparison is unsigned, so that ~0 lies in the future */
static void future(enum timer t)
{
	const uint64_t cvals[] = {timer_count(t) + ticks_of_ms(hour_ms), ~0ULL, BIT(63),
				  ~0ULL >> 1};

	for (size_t i = 0; i < ARRAY_SIZE(cvals); i++) {
		arm(t, cvals[i], TIMER_ENABLE | TIMER_IMASK);
		EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK);
	}
}
BOTH_TIMERS(condition_is_not_met_by_a_future_deadline, future, "TIMER-COND-2")

static void becomes_met(enum timer t)
{
	uint64_t cval = timer_count(t) + ticks_of_ms(20);

	arm(t, cval, TIMER_ENABLE | TIMER_IMASK);
	EXPECT_EVENTUALLY(timer_ctl(t) & TIMER_ISTATUS);
	EXPECT_GE(timer_count(t), cval);
	/* moved away again it is no longer met */
	timer_set_cval(t, timer_count(t) + ticks_of_ms(hour_ms));
	EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK);
}
BOTH_TIMERS(condition_follows_the_deadline, becomes_met, "TIMER-COND-3")

/* CNTV_CTL_EL0, CNTP_CTL_EL0: ISTATUS is read-only */
static void istatus_read_only(enum timer t)
{
	arm(t, timer_count(t) + ticks_of_ms(hour_ms), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
	EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK);
	arm(t, 0, TIMER_ENABLE | TIMER_IMASK);
	timer_set_ctl(t, TIMER_ENABLE | TIMER_IMASK);
	EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
}
BOTH_TIMERS(status_is_read_only, istatus_read_only, "TIMER-CTL-1")

/* CVAL holds 64 bits */
static void cval_holds(enum timer t)
{
	const uint64_t cvals[] = {0,	   ~0ULL, 0xa5a5a5a55a5a5a5aULL, 0x5a5a5a5aa5a5a5a5ULL,
				  BIT(63), 1};

	timer_set_ctl(t, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cvals); i++) {
		timer_set_cval(t, cvals[i]);
		EXPECT_EQ(timer_cval(t), cvals[i]);
	}
}
BOTH_TIMERS(compare_value_holds_64_bits, cval_holds, "TIMER-CVAL-1")

/* D11.2.4.2: a write of TVAL sets CVAL = count + SignExtend(TVAL) */
static void tval_write(enum timer t)
{
	const uint32_t tvals[] = {0, 1, 1000000, 0x7fffffff, 0xffffffff, 0x80000000};

	timer_set_ctl(t, 0);
	for (size_t i = 0; i < ARRAY_SIZE(tvals); i++) {
		uint64_t extended = (uint64_t)(int64_t)(int32_t)tvals[i];
		uint64_t before = timer_count(t), after, cval;

		timer_set_tval(t, tvals[i]);
		after = timer_count(t);
		cval = timer_cval(t);
		/* as distances: a negative TVAL may put CVAL below zero */
		EXPECT_LE(cval - extended - before, after - before);
	}
}
BOTH_TIMERS(timer_value_write_sets_the_compare_value, tval_write, "TIMER-TVAL-1")

/* D11.2.4.2: TVAL reads the low 32 bits of CVAL - count */
static void tval_read(enum timer t)
{
	const uint64_t ahead[] = {ticks_of_ms(hour_ms), 1, 0, (uint64_t)-1, 0 - ticks_of_ms(1000)};

	timer_set_ctl(t, TIMER_ENABLE | TIMER_IMASK);
	for (size_t i = 0; i < ARRAY_SIZE(ahead); i++) {
		uint64_t cval = timer_count(t) + ahead[i], before, after;
		uint32_t tval;

		timer_set_cval(t, cval);
		before = timer_count(t);
		tval = timer_tval(t);
		after = timer_count(t);
		EXPECT_LE((uint32_t)(cval - before) - tval, after - before);
	}
}
BOTH_TIMERS(timer_value_reads_the_distance, tval_read, "TIMER-TVAL-2")

static bool pending(enum timer t)
{
	return gic_is_pending(timer_intid(t));
}

/* D11.2.4: the output is asserted when ENABLE, condition met and not IMASK */
static void imask(enum timer t)
{
	arm(t, 0, TIMER_ENABLE | TIMER_IMASK);
	EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
	EXPECT_EQ(pending(t), false);
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(pending(t));
	timer_set_ctl(t, TIMER_ENABLE | TIMER_IMASK);
	EXPECT_EVENTUALLY(!pending(t));
	EXPECT_EQ(timer_ctl(t), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
}
BOTH_TIMERS(mask_hides_the_interrupt_not_the_status, imask, "TIMER-IMASK-1")

static void disabled(enum timer t)
{
	arm(t, 0, 0);
	EXPECT_EQ(timer_ctl(t) & (TIMER_ENABLE | TIMER_IMASK), 0);
	EXPECT_EQ(pending(t), false);
	timer_set_ctl(t, TIMER_ENABLE);
	EXPECT_EVENTUALLY(pending(t));
	timer_set_ctl(t, 0);
	EXPECT_EVENTUALLY(!pending(t));
}
BOTH_TIMERS(disabled_asserts_no_interrupt, disabled, "TIMER-CTL-2")

/* The interrupt is level-sensitive (BSA 1.0, B_PPI): not latched when its condition goes */
static void level(enum timer t)
{
	unsigned intid = timer_intid(t);

	gic_enable(intid);
	arm(t, 0, TIMER_ENABLE);
	EXPECT_EVENTUALLY(pending(t));
	timer_set_cval(t, timer_count(t) + ticks_of_ms(hour_ms));
	EXPECT_EVENTUALLY(!pending(t));
	EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
	timer_set_cval(t, 0);
	EXPECT_EVENTUALLY(pending(t));
}
BOTH_TIMERS(interrupt_level_follows_the_condition, level, "TIMER-LEVEL-1")
