/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU an SPI goes to: GICD_IROUTER (IHI 0069H 12.9), GICD_ITARGETSR (IHI 0048B 4.3.12). */
#include "gictest.h"

#define SPI TEST_SPI(4)

TEST(gic, spi_goes_where_it_is_routed, RULE("GIC-ROUTE-1"), ON_V2_AND_V3_SMP(4))
{
	gic_begin();
	collect_start(4);
	spi_setup(SPI, true, GIC_PRIORITY);
	for (uint32_t round = 1; round <= 2; round++) {
		for (unsigned n = 0; n < 4; n++) {
			gic_route(SPI, n);
			gic_set_pending(SPI, true);
			EXPECT_COLLECTED(n, SPI, round);
		}
	}
	collect_settle();
	for (unsigned n = 0; n < 4; n++)
		EXPECT_EQ(collected(n, SPI), 2);
	collect_stop();
}

/* IHI 0069H 4.3.1: a change of the route takes a pending interrupt along */
TEST(gic, pending_spi_follows_its_new_route, RULE("GIC-ROUTE-2"), ON_V2_AND_V3_SMP(2))
{
	gic_begin();
	collect_start(2);
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_disable(SPI);
	gic_route(SPI, 0);
	gic_set_pending(SPI, true);
	gic_route(SPI, 1);
	gic_enable(SPI);
	EXPECT_COLLECTED(1, SPI, 1);
	collect_settle();
	EXPECT_EQ(collected(0, SPI), 0);
	EXPECT_EQ(collected(1, SPI), 1);
	collect_stop();
}

/* pending and enabled on a CPU that masks it: the new route still takes it along */
TEST(gic, masked_spi_follows_its_new_route, RULE("GIC-ROUTE-3"), ON_V2_AND_V3_SMP(2))
{
	gic_begin();
	collect_start(2);
	gic_set_pmr(0);
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_set_pending(SPI, true);
	collect_settle();
	EXPECT_EQ(collected(1, SPI), 0);
	gic_route(SPI, 1);
	EXPECT_COLLECTED(1, SPI, 1);
	gic_set_pmr(0xff);
	collect_settle();
	EXPECT_EQ(collected(0, SPI), 0);
	EXPECT_EQ(collected(1, SPI), 1);
	collect_stop();
}

TEST(gic, route_reads_back, RULE("GIC-ROUTE-4"), ON_V2_AND_V3_SMP(4))
{
	bool v2 = gic_begin() == 2;

	smp_need(4);
	for (unsigned n = 0; n < 4; n++) {
		gic_route(SPI, n);
		if (v2) {
			EXPECT_EQ(rd8(gic_dist(), GICD_ITARGETSR + SPI), BIT(n));
		} else {
			EXPECT_EQ(rd64(gic_dist(), GICD_IROUTER + 8UL * SPI), smp_mpidr(n));
			EXPECT_EQ(rd32(gic_dist(), GICD_IROUTER + 8UL * SPI),
				  (uint32_t)smp_mpidr(n));
		}
	}
}
