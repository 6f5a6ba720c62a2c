/* SPDX-License-Identifier: Apache-2.0 */
/* Private peripheral interrupts: IHI 0069H 2.2.1, IHI 0048B 2.2.1. INTID 21 is wired to nothing on the board. */
#include "gictest.h"

#define PPI 21U

TEST(gic, ppi_pended_by_software_is_taken, RULE("GIC-PPI-1"), ON_V2_AND_V3)
{
	gic_begin();
	gic_enable(PPI);
	EXPECT_QUIET();
	gic_set_pending(PPI, true);
	EXPECT_EQ(take_soon(), PPI);
	EXPECT_EQ(gic_is_pending(PPI), false);
	EXPECT_QUIET();
}

TEST(gic, disabled_ppi_stays_pending, RULE("GIC-PPI-2"), ON_V2_AND_V3)
{
	gic_begin();
	gic_disable(PPI);
	gic_set_pending(PPI, true);
	EXPECT_EQ(gic_is_pending(PPI), true);
	EXPECT_QUIET();
	EXPECT_EQ(gic_is_pending(PPI), true);
	gic_enable(PPI);
	EXPECT_EQ(take_soon(), PPI);
	EXPECT_QUIET();
}

/* GICD/GICR_ISENABLER0 sets, ICENABLER0 clears; a bit written as 0 changes nothing */
TEST(gic, ppi_enable_bits_set_and_clear_alone, RULE("GIC-PPI-3"), ON_V2_AND_V3)
{
	struct mmio f = gic_begin() == 2 ? gic_dist()
					 : (struct mmio){gic_redist(0).base + GICR_SGI, 0x10000};

	for (unsigned i = 16; i < 32; i++)
		gic_disable(i);
	for (unsigned i = 16; i < 32; i++) {
		gic_enable(i);
		EXPECT_EQ(BITS(rd32(f, GICD_ISENABLER), 31, 16), BIT(i - 16));
		EXPECT_EQ(BITS(rd32(f, GICD_ICENABLER), 31, 16), BIT(i - 16));
		wr32(f, GICD_ISENABLER, 0);
		wr32(f, GICD_ICENABLER, 0);
		EXPECT_EQ(BITS(rd32(f, GICD_ISENABLER), 31, 16), BIT(i - 16));
		gic_disable(i);
		EXPECT_EQ(BITS(rd32(f, GICD_ISENABLER), 31, 16), 0);
	}
}

static void pend_here(void *arg)
{
	(void)arg;
	gic_enable(PPI);
	gic_set_pending(PPI, true);
	EXPECT_EQ(take_soon(), PPI);
}

/* PPIs are banked: CPU 1's is not CPU 0's */
TEST(gic, ppi_belongs_to_its_cpu, RULE("GIC-PPI-4"), ON_V2_AND_V3_SMP(2))
{
	gic_begin();
	smp_need(2);
	gic_enable(PPI);
	smp_call(1, pend_here, NULL);
	EXPECT_EQ(gic_is_pending(PPI), false);
	EXPECT_QUIET();
}
