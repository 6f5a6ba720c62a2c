/* SPDX-License-Identifier: Apache-2.0 */
/* SGIs by affinity, by source, by filter: IHI 0069H 12.2 ICC_SGI1R_EL1; IHI 0048B 4.3.15 to 4.3.17, 3.2.4. */
#include "gictest.h"

static void enable_sgis(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 16; i++)
		gic_enable(i);
}

static struct {
	volatile uint32_t seen[32];
	volatile bool stop;
} far;

static void count_sgi4(void *arg)
{
	(void)arg;
	gic_enable(4);
	while (!far.stop && !smp_stopping()) {
		if (take() == 4)
			far.seen[cpu_index()]++;
		wfe();
	}
}

/* 12.2: the list is of Aff0 below the Aff1 that is named; CPUs with the same Aff0 elsewhere are not meant */
TEST(gic, sgi_list_is_of_one_affinity, RULE("GIC-SGI-9"), .vmm = "--machine gic-version=3 --smp 18")
{
	gic_need(3);
	gic_begin();
	smp_need(18);
	if (smp_mpidr(17) == 17)
		SKIP("CPU 17 of this machine has Aff1 0");
	memset(&far, 0, sizeof(far));
	for (unsigned n = 1; n < 18; n += n == 1 ? 15 : 1)
		smp_run(n, count_sgi4, NULL); /* 1, 16, 17 */
	gic_sgi(4, 17);
	EXPECT_EVENTUALLY(far.seen[17] == 1);
	gic_sgi(4, 1);
	EXPECT_EVENTUALLY(far.seen[1] == 1);
	gic_sgi(4, 16);
	EXPECT_EVENTUALLY(far.seen[16] == 1);
	/* affinities that nobody has: Aff1 2; Aff2 1; Aff3 1; range 1 */
	write_sysreg(ICC_SGI1R_EL1, UINT64_C(2) << 16 | 4U << 24 | 0xffff);
	write_sysreg(ICC_SGI1R_EL1, UINT64_C(1) << 32 | 4U << 24 | 0xffff);
	write_sysreg(ICC_SGI1R_EL1, UINT64_C(1) << 48 | 4U << 24 | 0xffff);
	isb();
	EXPECT_EQ(far.seen[1] + far.seen[16] + far.seen[17], 3);
	gic_sgi_others(4);
	EXPECT_EVENTUALLY(far.seen[1] == 2 && far.seen[16] == 2 && far.seen[17] == 2);
	far.stop = true;
	smp_wait_all();
	EXPECT_EQ(gic_is_pending(4), false);
	EXPECT_QUIET();
}

/* 4.3.15: the filter 2 sends to the sender alone; a list may hold the sender; filter 1 spares it */
TEST(gic, legacy_sgi_filter_2_is_self, RULE("GIC-SGI-1"), .vmm = "--machine gic-version=2 --smp 4")
{
	gic_need(2);
	gic_begin();
	smp_need(4);
	smp_call_all(4, enable_sgis, NULL);
	collect_start(4);
	for (unsigned i = 0; i < 16; i++) {
		/* the list is ignored */
		wr32(gic_dist(), GICD_SGIR, 2U << 24 | 0xff0000 | i);
		EXPECT_COLLECTED(0, i, 1);
	}
	collect_settle();
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(collected_everywhere(i), 1);
	collect_stop();
}

static void send_sgi6_to_0(void *arg)
{
	(void)arg;
	gic_sgi(6, 0);
}

/* 3.2.4, 4.4.4: the same SGI from several CPUs is as many interrupts, each with its source */
TEST(gic, legacy_sgi_from_each_source_arrives, RULE("GIC-SGI-10"),
     .vmm = "--machine gic-version=2 --smp 4")
{
	unsigned sources = 0;

	gic_need(2);
	gic_begin();
	smp_need(4);
	gic_enable(6);
	gic_set_pmr(0);
	for (unsigned n = 1; n < 4; n++)
		smp_call(n, send_sgi6_to_0, NULL);
	gic_sgi(6, 0);
	EXPECT_EVENTUALLY(rd8(gic_dist(), GICD_SPENDSGIR + 6) == 0xf);
	/* 4.3.17: one of them is taken back */
	wr8(gic_dist(), GICD_CPENDSGIR + 6, 0x4);
	EXPECT_EQ(rd8(gic_dist(), GICD_SPENDSGIR + 6), 0xb);
	gic_set_pmr(0xff);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t iar = ack_soon();

		EXPECT_EQ(gic_intid(iar), 6);
		EXPECT_EQ(sources & BIT(BITS(iar, 26, 24)), 0);
		sources |= (unsigned)BIT(BITS(iar, 26, 24));
		gic_eoi(iar);
	}
	EXPECT_EQ(sources, 0xb);
	EXPECT_QUIET();
	EXPECT_EQ(rd8(gic_dist(), GICD_SPENDSGIR + 6), 0);
}

/* and with others between them in priority: all of the SGI come before what is less urgent */
TEST(gic, legacy_sgi_sources_keep_their_priority, RULE("GIC-SGI-10"),
     .vmm = "--machine gic-version=2")
{
	gic_need(2);
	gic_begin();
	gic_set_pmr(0);
	gic_enable(6);
	gic_set_priority(6, 0x60);
	wr8(gic_dist(), GICD_SPENDSGIR + 6, 0xff);
	for (unsigned i = 0; i < 6; i++) {
		spi_setup(TEST_SPI(i), true, i < 2 ? 0x40 : 0x80);
		gic_set_pending(TEST_SPI(i), true);
	}
	gic_set_pmr(0xff);
	for (unsigned i = 0; i < 14; i++) {
		unsigned got = take_soon();

		if (i < 2)
			EXPECT_LT(got - TEST_SPI(0), 2);
		else if (i < 10)
			EXPECT_EQ(got, 6);
		else
			EXPECT_LT(got - TEST_SPI(2), 4);
	}
	EXPECT_QUIET();
}

/* while one source's is handled another's pends: active and pending at once, then taken */
TEST(gic, legacy_sgi_of_another_source_waits_its_turn, RULE("GIC-SGI-10"),
     .vmm = "--machine gic-version=2")
{
	uint32_t iar;

	gic_need(2);
	gic_begin();
	gic_enable(6);
	wr8(gic_dist(), GICD_SPENDSGIR + 6, 0x2);
	iar = ack_soon();
	EXPECT_EQ(gic_intid(iar), 6);
	EXPECT_EQ(BITS(iar, 26, 24), 1);
	wr8(gic_dist(), GICD_SPENDSGIR + 6, 0x88);
	EXPECT_EQ(gic_is_active(6), true);
	EXPECT_EQ(gic_is_pending(6), true);
	EXPECT_EQ(take(), GIC_SPURIOUS);
	gic_eoi(iar);
	for (unsigned i = 0, from = 0; i < 2; i++) {
		iar = ack_soon();
		EXPECT_EQ(gic_intid(iar), 6);
		EXPECT_NE(BITS(iar, 26, 24), from);
		from = (unsigned)BITS(iar, 26, 24);
		EXPECT_TRUE(from == 3 || from == 7);
		gic_eoi(iar);
	}
	EXPECT_QUIET();
}

/* all sixteen at once, sixteen priorities: in their order, whatever the order of sending */
TEST(gic, sgis_come_by_priority, RULE("GIC-PRIO-1"), ON_V2_AND_V3)
{
	unsigned start = (gic_begin(), (unsigned)rnd_below(16));

	enable_sgis(NULL);
	gic_set_pmr(0);
	for (unsigned i = 0; i < 16; i++)
		gic_set_priority((i * 7 + start) % 16, (uint8_t)(8 * i));
	for (unsigned i = 0; i < 16; i++)
		gic_sgi(i, 0);
	EXPECT_EVENTUALLY((rd32(gic_frame(0), GICD_ISPENDR) & 0xffff) == 0xffff);
	gic_set_pmr(0xff);
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(take_soon(), (i * 7 + start) % 16);
	EXPECT_QUIET();
}
