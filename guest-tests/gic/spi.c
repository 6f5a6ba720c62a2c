/* SPDX-License-Identifier: Apache-2.0 */
/* Shared peripheral interrupts, level and edge: IHI 0069H 4.1.2 "interrupt states", IHI 0048B 3.2.4. */
#include "gictest.h"
#include "timer.h"

#define SPI TEST_SPI(0)

TEST(gic, level_spi_stays_until_lowered, RULE("GIC-SPI-1"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, false, GIC_PRIORITY);
	spi_level(0, true);
	for (unsigned i = 0; i < 5; i++)
		EXPECT_EQ(take_soon(), SPI);
	EXPECT_EVENTUALLY(gic_is_pending(SPI));
	spi_level(0, false);
	EXPECT_EVENTUALLY(!gic_is_pending(SPI));
	EXPECT_QUIET();
}

TEST(gic, level_spi_lowered_before_acknowledge_is_gone, RULE("GIC-SPI-2"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, false, GIC_PRIORITY);
	for (unsigned i = 0; i < 5; i++) {
		spi_level(0, true);
		spi_level(0, false);
		EXPECT_EVENTUALLY(!gic_is_pending(SPI));
		EXPECT_QUIET();
	}
}

static volatile unsigned level_taken;

/* the third time it is serviced */
static void lower_at_last(unsigned intid)
{
	(void)intid;
	if (++level_taken == 3)
		spi_level(0, false);
}

TEST(gic, level_spi_is_taken_as_an_exception, RULE("GIC-SPI-1"), ON_V2_AND_V3)
{
	struct irq_watch w;

	gic_begin();
	level_taken = 0;
	spi_setup(SPI, false, GIC_PRIORITY);
	irq_handler(SPI, lower_at_last);
	w = irq_watch(SPI);
	EXPECT_EQ(irq_seen(&w), 0);
	spi_level(0, true);
	EXPECT_EVENTUALLY(irq_seen(&w) == 3);
	delay_ms(5);
	EXPECT_EQ(irq_seen(&w), 3);
}

TEST(gic, edge_pulse_gives_exactly_one, RULE("GIC-SPI-3"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	for (unsigned i = 0; i < 10; i++) {
		spi_pulse(0);
		EXPECT_EQ(take_soon(), SPI);
		EXPECT_QUIET();
	}
}

TEST(gic, edge_held_high_gives_exactly_one, RULE("GIC-SPI-4"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	spi_level(0, true);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
	spi_level(0, false);
	EXPECT_QUIET();
	spi_level(0, true);
	EXPECT_EQ(take_soon(), SPI);
	spi_level(0, false);
	EXPECT_QUIET();
}

TEST(gic, edge_while_disabled_is_kept, RULE("GIC-SPI-5"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_disable(SPI);
	spi_pulse(0);
	spi_pulse(0);
	EXPECT_EVENTUALLY(gic_is_pending(SPI));
	EXPECT_QUIET();
	gic_enable(SPI);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
}

/* active and pending: an edge during the handler is one more interrupt, two edges are no more */
TEST(gic, edge_while_active_gives_one_more, RULE("GIC-SPI-6"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	spi_pulse(0);
	iar = ack_soon();
	ASSERT_EQ(gic_intid(iar), SPI);
	spi_pulse(0);
	spi_pulse(0);
	EXPECT_EVENTUALLY(gic_is_pending(SPI));
	EXPECT_EQ(gic_is_active(SPI), true);
	gic_eoi(iar);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
}

TEST(gic, spi_pended_by_software_is_taken_once, RULE("GIC-SPI-7"), ON_V2_AND_V3)
{
	gic_begin();
	for (unsigned edge = 0; edge < 2; edge++) {
		spi_setup(SPI, edge, GIC_PRIORITY);
		gic_set_pending(SPI, true);
		EXPECT_EQ(take_soon(), SPI);
		EXPECT_QUIET();
		/* taken back before it is acknowledged */
		gic_disable(SPI);
		gic_set_pending(SPI, true);
		EXPECT_EQ(gic_is_pending(SPI), true);
		gic_set_pending(SPI, false);
		EXPECT_EQ(gic_is_pending(SPI), false);
		gic_enable(SPI);
		EXPECT_QUIET();
	}
}

/* A clear of the pending bit does not lower the wire of a level interrupt (IHI 0048B 4.3.8) */
TEST(gic, clearing_pending_does_not_lower_a_level, RULE("GIC-SPI-8"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, false, GIC_PRIORITY);
	spi_level(0, true);
	gic_set_pending(SPI, false);
	EXPECT_EQ(gic_is_pending(SPI), true);
	EXPECT_EQ(take_soon(), SPI);
	spi_level(0, false);
	EXPECT_QUIET();
}
