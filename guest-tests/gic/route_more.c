/* SPDX-License-Identifier: Apache-2.0 */
/* Routes to nowhere, to several, and changed all the time: IHI 0069H 4.3.1, 12.9 GICD_IROUTER; IHI 0048B 4.3.12. */
#include "gictest.h"

#define SPI TEST_SPI(8)

/* IHI 0069H 12.9: an affinity that no CPU has: the interrupt stays pending in the distributor */
TEST(gic, spi_routed_to_nobody_waits, RULE("GIC-ROUTE-6"), .vmm = "--machine gic-version=3 --smp 2")
{
	gic_need(3);
	gic_begin();
	collect_start(2);
	spi_setup(SPI, true, GIC_PRIORITY);
	for (unsigned n = 0; n < 2; n++) {
		wr64(gic_dist(), GICD_IROUTER + 8UL * SPI, 0x00030201);
		gic_set_pending(SPI, true);
		collect_settle();
		EXPECT_EQ(collected_everywhere(SPI), n);
		EXPECT_EQ(gic_is_pending(SPI), true);
		gic_route(SPI, n);
		/* KVM up to 7.2 looks again when something else changes: a fact */
		collect_settle();
		FACT("gic.route_resignals", "%d", collected(n, SPI) == 1);
		gic_enable(SPI);
		EXPECT_COLLECTED(n, SPI, 1);
	}
	collect_settle();
	EXPECT_EQ(collected_everywhere(SPI), 2);
	collect_stop();
}

/* IHI 0048B 1.4.3, 3.1.1: of several targets exactly one takes it */
TEST(gic, spi_for_several_is_taken_by_one, RULE("GIC-ROUTE-7"),
     .vmm = "--machine gic-version=2 --smp 4")
{
	gic_need(2);
	gic_begin();
	collect_start(4);
	spi_setup(SPI, true, GIC_PRIORITY);
	for (uint32_t i = 1; i < 16; i++) {
		wr8(gic_dist(), GICD_ITARGETSR + SPI, (uint8_t)i);
		EXPECT_EQ(rd8(gic_dist(), GICD_ITARGETSR + SPI), i);
		gic_set_pending(SPI, true);
		EXPECT_EVENTUALLY((collect_poll(), collected_everywhere(SPI) == i));
	}
	collect_settle();
	EXPECT_EQ(collected_everywhere(SPI), 15);
	/* 1, 3, 5 … 15 have CPU 0, only 8 is CPU 3 alone: no CPU takes what is not its */
	EXPECT_LE(collected(3, SPI), 8);
	EXPECT_LE(collected(0, SPI), 8);
	EXPECT_GE(collected(3, SPI), 1);
	EXPECT_GE(collected(0, SPI), 1);
	collect_stop();
}

/* IHI 0069H 12.9 GICD_IROUTER.Interrupt_Routing_Mode: any one CPU, where it is offered and held */
TEST(gic, one_of_n_is_taken_by_one, RULE("GIC-ROUTE-7"), .vmm = "--machine gic-version=3 --smp 4")
{
	gic_need(3);
	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	wr64(gic_dist(), GICD_IROUTER + 8UL * SPI, BIT(31));
	if (!(rd64(gic_dist(), GICD_IROUTER + 8UL * SPI) & BIT(31)))
		SKIP("GICD_IROUTER does not hold Interrupt_Routing_Mode: no 1-of-N distribution "
		     "here");
	collect_start(4);
	for (uint32_t i = 1; i <= 8; i++) {
		gic_set_pending(SPI, true);
		EXPECT_EVENTUALLY((collect_poll(), collected_everywhere(SPI) == i));
	}
	collect_settle();
	EXPECT_EQ(collected_everywhere(SPI), 8);
	collect_stop();
}

/* each pend is taken exactly once, though the route changes between pend and take, now here now there */
TEST(gic, moving_spi_is_never_lost_nor_doubled, RULE("GIC-ROUTE-2"), ON_V2_AND_V3_SMP(4))
{
	const uint32_t rounds = 60;

	gic_begin();
	collect_start(4);
	spi_setup(SPI, true, GIC_PRIORITY);
	for (uint32_t i = 1; i <= rounds; i++) {
		gic_route(SPI, (unsigned)rnd_below(4));
		gic_set_pending(SPI, true);
		for (uint64_t moves = rnd_below(4); moves > 0; moves--)
			gic_route(SPI, (unsigned)rnd_below(4));
		if (!EXPECT_EVENTUALLY((collect_poll(), collected_everywhere(SPI) >= i)))
			break;
	}
	collect_settle();
	EXPECT_EQ(collected_everywhere(SPI), rounds);
	collect_stop();
}
