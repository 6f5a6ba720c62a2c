/* SPDX-License-Identifier: Apache-2.0 */
/* Software generated interrupts: IHI 0069H 2.2.1 and 12.2 (ICC_SGI1R_EL1), IHI 0048B 4.3.15 (GICD_SGIR). */
#include "gictest.h"

static void enable_sgis(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i);
}

TEST(gic, sgi_to_self_arrives_once, RULE("GIC-SGI-1"), ON_V2_AND_V3)
{
	gic_begin();
	enable_sgis(NULL);
	for (unsigned i = 0; i < 16; i++) {
		gic_sgi(i, 0);
		EXPECT_EQ(take_soon(), i);
		EXPECT_QUIET();
	}
}

TEST(gic, sgi_is_taken_as_an_exception, RULE("GIC-SGI-1"), ON_V2_AND_V3)
{
	struct irq_watch w = (gic_begin(), irq_watch(5));

	for (uint32_t i = 1; i <= 20; i++) {
		gic_sgi(5, 0);
		ASSERT_EVENTUALLY(irq_seen(&w) == i);
	}
}

TEST(gic, sgi_to_one_cpu_reaches_it_alone, RULE("GIC-SGI-2"), ON_V2_AND_V3_SMP(2))
{
	unsigned version = gic_begin();

	smp_need(2);
	smp_call_all(2, enable_sgis, NULL);
	collect_start(2);
	for (unsigned i = 0; i < 16; i++) {
		gic_sgi(i, 1);
		EXPECT_COLLECTED(1, i, 1);
		if (version == 2) /* GICC_IAR.CPUID: who asked */
			EXPECT_EQ(collected_source(1), 0);
	}
	collect_settle();
	for (unsigned i = 0; i < 16; i++) {
		EXPECT_EQ(collected(0, i), 0);
		EXPECT_EQ(collected(1, i), 1);
	}
	collect_stop();
}

TEST(gic, sgi_to_a_list_reaches_the_listed, RULE("GIC-SGI-3"), ON_V2_AND_V3_SMP(4))
{
	gic_begin();
	smp_need(4);
	smp_call_all(4, enable_sgis, NULL);
	collect_start(4);
	/* SGI n goes to the list n */
	for (unsigned list = 1; list < 16; list++)
		gic_sgi_list(list, list);
	for (unsigned n = 0; n < 4; n++)
		for (unsigned list = 1; list < 16; list++)
			if (list & BIT(n))
				EXPECT_COLLECTED(n, list, 1);
	collect_settle();
	for (unsigned n = 0; n < 4; n++)
		for (unsigned list = 0; list < 16; list++)
			EXPECT_EQ(collected(n, list), list >> n & 1);
	collect_stop();
}

TEST(gic, sgi_to_all_others_spares_the_sender, RULE("GIC-SGI-4"), ON_V2_AND_V3_SMP(4))
{
	gic_begin();
	smp_need(4);
	smp_call_all(4, enable_sgis, NULL);
	collect_start(4);
	gic_sgi_others(9);
	for (unsigned n = 1; n < 4; n++)
		EXPECT_COLLECTED(n, 9, 1);
	collect_settle();
	for (unsigned n = 0; n < 4; n++)
		EXPECT_EQ(collected(n, 9), n > 0);
	collect_stop();
}

/* GICD_ISENABLER0 is banked; IHI 0048B 4.3.5: whether SGIs can be disabled is the implementation's choice */
TEST(gic, disabled_sgi_waits, RULE("GIC-SGI-5"), ON_V2_AND_V3)
{
	gic_begin();
	gic_disable(3);
	if (gic_is_enabled(3))
		SKIP("the SGIs of this GIC are always enabled");
	gic_sgi(3, 0);
	EXPECT_EVENTUALLY(gic_is_pending(3));
	EXPECT_QUIET();
	gic_enable(3);
	EXPECT_EQ(take_soon(), 3);
	EXPECT_EQ(gic_is_pending(3), false);
	EXPECT_QUIET();
}

/* GICR_ISPENDR0 / GICD_SPENDSGIR make one pending, GICR_ICPENDR0 / GICD_CPENDSGIR take it back */
TEST(gic, sgi_pended_by_software_is_taken, RULE("GIC-SGI-6"), ON_V2_AND_V3)
{
	gic_begin();
	gic_enable(7);
	gic_set_pending(7, true);
	EXPECT_EQ(take_soon(), 7);
	EXPECT_QUIET();
	gic_disable(7);
	if (!gic_is_enabled(7)) {
		gic_set_pending(7, true);
		EXPECT_EQ(gic_is_pending(7), true);
		gic_set_pending(7, false);
		EXPECT_EQ(gic_is_pending(7), false);
		gic_enable(7);
		EXPECT_QUIET();
	}
}

/* A pending SGI is one interrupt, however often it was sent by the same CPU */
TEST(gic, repeated_sgi_merges_while_pending, RULE("GIC-SGI-7"), ON_V2_AND_V3)
{
	gic_begin();
	gic_set_pmr(0); /* nothing is signalled */
	gic_enable(2);
	for (unsigned i = 0; i < 5; i++)
		gic_sgi(2, 0);
	EXPECT_EVENTUALLY(gic_is_pending(2));
	gic_set_pmr(0xff);
	EXPECT_EQ(take_soon(), 2);
	EXPECT_QUIET();
}
