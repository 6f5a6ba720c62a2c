/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts within interrupts, as exceptions and by hand: IHI 0069H 4.8.4, 4.4.4; IHI 0048B 3.2.1, 3.3.1. */
#include "gictest.h"

#define LOG_MAX 32U

static struct {
	unsigned n;
	uint32_t what[LOG_MAX]; /* INTID, ENTER or LEAVE, running priority */
} seen;

#define ENTER	       0x10000U
#define LEAVE	       0x20000U
#define EVENT(i, w, p) ((i) | (w) | (uint32_t)(p) << 24)

static void note(unsigned intid, uint32_t what)
{
	if (seen.n < LOG_MAX)
		seen.what[seen.n] = EVENT(intid, what, gic_running_priority());
	seen.n++;
}

static void pend(unsigned intid)
{
	gic_set_pending(intid, true);
}

static void inner_most(unsigned intid)
{
	note(intid, ENTER);
	note(intid, LEAVE);
}

/* 0x80: pends one more urgent, one as urgent, one less urgent, and lets them come */
static void middle(unsigned intid)
{
	note(intid, ENTER);
	pend(TEST_SPI(3));
	pend(TEST_SPI(4));
	pend(TEST_SPI(2));
	irq_unmask();
	(void)signalled_now();
	irq_mask();
	note(intid, LEAVE);
}

static void outer_most(unsigned intid)
{
	note(intid, ENTER);
	pend(TEST_SPI(1));
	irq_unmask();
	(void)signalled_now();
	irq_mask();
	note(intid, LEAVE);
}

TEST(gic, handlers_nest_by_priority, RULE("GIC-PRIO-4"), ON_V2_AND_V3)
{
	static const uint8_t priority[] = {0xc0, 0x80, 0x40, 0x80, 0xa0};
	static const uint32_t want[] = {
		EVENT(TEST_SPI(0), ENTER, 0xc0),
		EVENT(TEST_SPI(1), ENTER, 0x80),
		EVENT(TEST_SPI(2), ENTER, 0x40),
		EVENT(TEST_SPI(2), LEAVE, 0x40),
		EVENT(TEST_SPI(1), LEAVE, 0x80),
		/* less urgent than 0x80, more than 0xc0: while the outermost still runs */
		EVENT(TEST_SPI(3), ENTER, 0x80),
		EVENT(TEST_SPI(3), LEAVE, 0x80),
		EVENT(TEST_SPI(4), ENTER, 0xa0),
		EVENT(TEST_SPI(4), LEAVE, 0xa0),
		EVENT(TEST_SPI(0), LEAVE, 0xc0),
	};

	gic_begin();
	for (unsigned split = 0; split < 2; split++) {
		seen.n = 0;
		gic_set_eoimode(split);
		for (unsigned i = 0; i < ARRAY_SIZE(priority); i++) {
			spi_setup(TEST_SPI(i), true, priority[i]);
			irq_handler(TEST_SPI(i), i == 0	  ? outer_most
						 : i == 1 ? middle
							  : inner_most);
		}
		irq_unmask();
		pend(TEST_SPI(0));
		EXPECT_EVENTUALLY(seen.n >= ARRAY_SIZE(want));
		irq_mask();
		EXPECT_EQ(seen.n, ARRAY_SIZE(want));
		for (unsigned i = 0; i < MIN(seen.n, (unsigned)ARRAY_SIZE(want)); i++)
			EXPECT_EQ(seen.what[i], want[i]);
		EXPECT_EQ(gic_running_priority(), 0xff);
		for (unsigned i = 0; i < ARRAY_SIZE(priority); i++)
			EXPECT_EQ(gic_is_active(TEST_SPI(i)), false);
	}
}

/* Of three active ones the running priority is the most urgent's, down to idle, whatever the kind */
TEST(gic, running_priority_falls_level_by_level, RULE("GIC-PRIO-3"), ON_V2_AND_V3)
{
	const unsigned intid[] = {TEST_SPI(0), 9, PPI_UNWIRED};
	const uint8_t priority[] = {0xd8, 0x98, 0x18};
	uint32_t iar[3];

	gic_begin();
	for (unsigned i = 0; i < 3; i++) {
		if (intid[i] >= GIC_SPI_FIRST)
			spi_setup(intid[i], true, priority[i]);
		gic_set_priority(intid[i], priority[i]);
		gic_enable(intid[i]);
		pend(intid[i]);
		iar[i] = ack_soon();
		ASSERT_EQ(gic_intid(iar[i]), intid[i]);
		EXPECT_EQ(gic_running_priority(), priority[i]);
	}
	/* pending beside them, less urgent than all but the outermost */
	spi_setup(TEST_SPI(1), true, 0xa0);
	pend(TEST_SPI(1));
	for (unsigned i = 3; i-- > 0;) {
		EXPECT_EQ(gic_running_priority(), priority[i]);
		EXPECT_EQ(gic_is_active(intid[i]), true);
		EXPECT_EQ(take(), i == 0 ? TEST_SPI(1) : GIC_SPURIOUS);
		gic_eoi(iar[i]);
		EXPECT_EQ(gic_is_active(intid[i]), false);
	}
	EXPECT_EQ(gic_running_priority(), 0xff);
	EXPECT_QUIET();
}

/* EOImode 1: one whose priority was dropped is still active while others come and go; deactivation in any order */
TEST(gic, dropped_interrupts_stay_active_beside_others, RULE("GIC-STATE-3"), ON_V2_AND_V3)
{
	static const uint8_t order[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
	uint32_t iar[3];

	gic_begin();
	gic_set_eoimode(true);
	for (size_t o = 0; o < ARRAY_SIZE(order); o++) {
		for (unsigned i = 0; i < 3; i++) {
			/* all of one priority: each comes only because the one before dropped */
			spi_setup(TEST_SPI(i), true, GIC_PRIORITY);
			pend(TEST_SPI(i));
			iar[i] = ack_soon();
			ASSERT_EQ(gic_intid(iar[i]), TEST_SPI(i));
			EXPECT_EQ(gic_running_priority(), GIC_PRIORITY);
			gic_eoi(iar[i]);
			EXPECT_EQ(gic_running_priority(), 0xff);
		}
		for (unsigned i = 0; i < 3; i++) {
			unsigned gone = order[o][i];

			EXPECT_EQ(gic_is_active(TEST_SPI(gone)), true);
			pend(TEST_SPI(gone));
			EXPECT_QUIET();
			gic_deactivate(iar[gone]);
			EXPECT_EQ(gic_intid(ack_soon()), TEST_SPI(gone));
			gic_eoi(iar[gone]);
			gic_deactivate(iar[gone]);
			EXPECT_EQ(gic_is_active(TEST_SPI(gone)), false);
		}
		EXPECT_QUIET();
	}
}

/* EOImode 0: an end with no separate deactivation; EOImode 1 changed to in between deactivates nothing */
TEST(gic, end_of_interrupt_mode_counts_at_the_end, RULE("GIC-STATE-3"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	spi_setup(TEST_SPI(0), true, GIC_PRIORITY);
	for (unsigned split = 0; split < 2; split++) {
		gic_set_eoimode(!split);
		pend(TEST_SPI(0));
		iar = ack_soon();
		ASSERT_EQ(gic_intid(iar), TEST_SPI(0));
		gic_set_eoimode(split);
		EXPECT_EQ(gic_is_active(TEST_SPI(0)), true);
		gic_eoi(iar);
		EXPECT_EQ(gic_running_priority(), 0xff);
		EXPECT_EQ(gic_is_active(TEST_SPI(0)), split);
		if (split)
			gic_deactivate(iar);
		EXPECT_EQ(gic_is_active(TEST_SPI(0)), false);
	}
}

/* A priority written while the interrupt pends decides which is next */
TEST(gic, changed_priority_reorders_pending_interrupts, RULE("GIC-PRIO-1"), ON_V2_AND_V3)
{
	gic_begin();
	gic_set_pmr(0);
	for (unsigned i = 0; i < 6; i++) {
		spi_setup(TEST_SPI(i), true, (uint8_t)(0x20 + 0x10 * i));
		pend(TEST_SPI(i));
	}
	for (unsigned i = 0; i < 6; i++)
		gic_set_priority(TEST_SPI(i), (uint8_t)(0xe0 - 0x10 * i));
	gic_set_pmr(0xff);
	for (unsigned i = 6; i-- > 0;)
		EXPECT_EQ(take_soon(), TEST_SPI(i));
	EXPECT_QUIET();
}

/* More urgent than those that fill the hypervisor's list registers: still the next */
TEST(gic, late_urgent_interrupt_is_the_next, RULE("GIC-PRIO-1"), ON_V2_AND_V3)
{
	gic_begin();
	gic_set_pmr(0);
	for (unsigned i = 0; i < 15; i++) {
		spi_setup(TEST_SPI(i), true, 0xc0);
		pend(TEST_SPI(i));
	}
	gic_set_pmr(0xff);
	spi_setup(TEST_SPI(15), true, 0x40);
	pend(TEST_SPI(15));
	EXPECT_EVENTUALLY(gic_highest_pending() == TEST_SPI(15));
	EXPECT_EQ(take_soon(), TEST_SPI(15));
	gic_enable(5);
	gic_set_priority(5, 0x08);
	gic_sgi(5, 0);
	EXPECT_EQ(take_soon(), 5);
	for (unsigned i = 0; i < 15; i++) {
		unsigned got = take_soon();

		EXPECT_LT(got - TEST_SPI(0), 15);
	}
	EXPECT_QUIET();
}
