/* SPDX-License-Identifier: Apache-2.0 */
/* Pending and active together, by line and by software: IHI 0069H 4.1.2, IHI 0048B 3.2.4. */
#include "gictest.h"

#define SPI TEST_SPI(7)

static uint32_t ack(unsigned intid)
{
	uint32_t iar = ack_soon();

	ASSERT_EQ(gic_intid(iar), intid);
	return iar;
}

/* a level that falls during the handler gives no second interrupt; one that falls and rises again does */
TEST(gic, level_during_the_handler_decides_after_it, RULE("GIC-SPI-1"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	for (unsigned split = 0; split < 2; split++) {
		gic_set_eoimode(split);
		for (unsigned again = 0; again < 2; again++) {
			spi_setup(SPI, false, GIC_PRIORITY);
			spi_level(7, true);
			iar = ack(SPI);
			EXPECT_EQ(gic_is_pending(SPI), true);
			EXPECT_EQ(gic_is_active(SPI), true);
			spi_level(7, false);
			EXPECT_EVENTUALLY(!gic_is_pending(SPI));
			if (again)
				spi_level(7, true);
			gic_eoi(iar);
			if (split) {
				EXPECT_QUIET();
				EXPECT_EQ(gic_is_active(SPI), true);
				gic_deactivate(iar);
			}
			if (again) {
				iar = ack(SPI);
				spi_level(7, false);
				gic_eoi(iar);
				if (split)
					gic_deactivate(iar);
			}
			EXPECT_QUIET();
			EXPECT_EQ(gic_is_active(SPI), false);
		}
	}
}
/* a level pended by software stays until it is taken, whatever the line did meanwhile, and is taken once */
TEST(gic, software_pends_a_level_beside_its_line, RULE("GIC-SPI-7"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, false, GIC_PRIORITY);
	gic_set_pmr(0);
	gic_set_pending(SPI, true);
	spi_level(7, true);
	spi_level(7, false);
	EXPECT_EQ(gic_is_pending(SPI), true);
	gic_set_pmr(0xff);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
	EXPECT_EQ(gic_is_pending(SPI), false);
	/* the latch is taken back, the line stays */
	gic_disable(SPI);
	spi_level(7, true);
	gic_set_pending(SPI, true);
	gic_set_pending(SPI, false);
	EXPECT_EQ(gic_is_pending(SPI), true);
	spi_level(7, false);
	EXPECT_EVENTUALLY(!gic_is_pending(SPI));
	gic_enable(SPI);
	EXPECT_QUIET();
}

/* a level that is masked by its enable is seen when it is enabled, and only if it is still high */
TEST(gic, level_while_disabled_counts_at_the_enable, RULE("GIC-SPI-1"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, false, GIC_PRIORITY);
	gic_disable(SPI);
	spi_level(7, true);
	EXPECT_QUIET();
	gic_enable(SPI);
	EXPECT_EQ(take_soon(), SPI);
	gic_disable(SPI);
	spi_level(7, false);
	gic_enable(SPI);
	EXPECT_QUIET();
}

/* active and pending: an SGI sent, an edge pended while it is handled comes once more; taken back it does not */
TEST(gic, pended_while_active_comes_once_more, RULE("GIC-STATE-7"), ON_V2_AND_V3)
{
	const unsigned intids[] = {10, SPI};
	uint32_t iar;

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	for (unsigned i = 0; i < ARRAY_SIZE(intids); i++) {
		unsigned intid = intids[i];

		gic_enable(intid);
		for (unsigned back = 0; back < 2; back++) {
			gic_set_pending(intid, true);
			iar = ack(intid);
			EXPECT_EQ(gic_is_pending(intid), false);
			gic_set_pending(intid, true);
			gic_set_pending(intid, true);
			EXPECT_EQ(gic_is_pending(intid), true);
			EXPECT_EQ(gic_is_active(intid), true);
			EXPECT_EQ(take(), GIC_SPURIOUS);
			if (back) {
				gic_set_pending(intid, false);
				EXPECT_EQ(gic_is_pending(intid), false);
				EXPECT_EQ(gic_is_active(intid), true);
			}
			gic_eoi(iar);
			if (!back)
				EXPECT_EQ(take_soon(), intid);
			EXPECT_QUIET();
			EXPECT_EQ(gic_is_active(intid), false);
		}
	}
}

/*
 * ICACTIVER ends what the CPU has dropped but not deactivated; the bits of others stay. Not with a PPI
 * that is level-sensitive and pended by software: KVM keeps its latch until it is deactivated.
 */
TEST(gic, active_cleared_by_software_may_come_again, RULE("GIC-STATE-4"), ON_V2_AND_V3)
{
	const unsigned intids[] = {10, TEST_SPI(9), SPI};
	uint32_t iar[3];

	gic_begin();
	gic_set_eoimode(true);
	spi_setup(SPI, true, GIC_PRIORITY);
	spi_setup(TEST_SPI(9), true, GIC_PRIORITY);
	for (unsigned i = 0; i < 3; i++) {
		gic_enable(intids[i]);
		gic_set_pending(intids[i], true);
		iar[i] = ack(intids[i]);
		gic_eoi(iar[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		gic_set_active(intids[i], false);
		for (unsigned j = 0; j < 3; j++)
			EXPECT_EQ(gic_is_active(intids[j]), j > i);
		EXPECT_QUIET();
	}
	for (unsigned i = 0; i < 3; i++) {
		gic_set_pending(intids[i], true);
		iar[i] = ack(intids[i]);
		gic_eoi(iar[i]);
		gic_deactivate(iar[i]);
	}
	EXPECT_QUIET();
}

/* a handler that is preempted loses nothing: enable bits, priorities and groups written meanwhile count */
TEST(gic, disabled_while_pending_and_active, RULE("GIC-SPI-5"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_set_pending(SPI, true);
	iar = ack(SPI);
	gic_set_pending(SPI, true);
	gic_disable(SPI);
	EXPECT_EQ(gic_is_active(SPI), true);
	gic_eoi(iar);
	EXPECT_EQ(gic_is_active(SPI), false);
	EXPECT_QUIET();
	EXPECT_EQ(gic_is_pending(SPI), true);
	gic_enable(SPI);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
}

/* the configuration decides what a wire that is high means from then on */
TEST(gic, edge_and_level_are_taken_as_configured, RULE("GIC-SPI-9"), ON_V2_AND_V3)
{
	gic_begin();
	for (unsigned round = 0; round < 3; round++) {
		spi_setup(SPI, true, GIC_PRIORITY);
		spi_level(7, true);
		EXPECT_EQ(take_soon(), SPI);
		EXPECT_QUIET();
		spi_level(7, false);
		EXPECT_QUIET();
		spi_setup(SPI, false, GIC_PRIORITY);
		spi_level(7, true);
		EXPECT_EQ(take_soon(), SPI);
		EXPECT_EQ(take_soon(), SPI);
		spi_level(7, false);
		EXPECT_QUIET();
	}
}

struct hold {
	volatile unsigned stage;
	unsigned intid;
	bool split;
	volatile unsigned turns; /* of the loop in which it holds the interrupt */
};

/* takes one interrupt and keeps it active, without leaving the guest, until told */
static void take_and_hold(void *arg)
{
	struct hold *h = arg;
	uint32_t iar;

	gic_set_eoimode(h->split);
	iar = ack_soon();
	if (gic_intid(iar) != h->intid) {
		h->stage = 99;
		return;
	}
	if (h->split)
		gic_eoi(iar);
	h->stage = 1;
	while (h->stage != 2 && !smp_stopping())
		h->turns++;
	if (!h->split)
		gic_eoi(iar);
	h->stage = 3;
	while (h->stage != 4 && !smp_stopping())
		;
	gic_set_eoimode(false);
}

/*
 * Clears the active state of what another CPU holds. KVM does not wait for a vCPU that has its list registers filled
 * and is about to enter the guest (kvm_arch_vcpu_ioctl_run() of Linux 6.12: the flush comes before IN_GUEST_MODE), and
 * the old state comes back from there: so it is looked at once that CPU has gone on, and done again if need be.
 */
static bool clear_held(struct hold *h)
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned turns;

		gic_set_active(h->intid, false);
		turns = h->turns;
		ASSERT_EVENTUALLY(h->turns != turns);
		if (!gic_is_active(h->intid))
			return true;
	}
	return false;
}

/* another CPU's active interrupt is seen, and cleared, while that CPU runs the guest */
TEST(gic, active_elsewhere_is_seen_and_cleared, RULE("GIC-STATE-8"), ON_V2_AND_V3_SMP(2))
{
	struct hold h = {.intid = SPI, .split = true};

	gic_begin();
	smp_need(2);
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_route(SPI, 1);
	smp_run(1, take_and_hold, &h);
	gic_set_pending(SPI, true);
	ASSERT_EVENTUALLY(h.stage == 1);
	EXPECT_EQ(gic_is_active(SPI), true);
	EXPECT_EQ(gic_is_pending(SPI), false);
	EXPECT_TRUE(clear_held(&h));
	gic_route(SPI, 0);
	gic_set_pending(SPI, true);
	EXPECT_EQ(take_soon(), SPI);
	h.stage = 2;
	EXPECT_EVENTUALLY(h.stage == 3);
	EXPECT_EQ(gic_is_active(SPI), false);
	h.stage = 4;
	smp_wait(1);
}

/*
 * Pended again while active elsewhere, and routed here: it comes here when that CPU has ended it, not before. Its
 * pending state is not read in between: KVM moves an edge's latch into the list register of the CPU that runs, and
 * GICD_ISPENDR reads as 0 then (vgic_v3_populate_lr() of Linux 6.12).
 */
TEST(gic, active_spi_stays_until_it_ends, RULE("GIC-ROUTE-5"), ON_V2_AND_V3_SMP(2))
{
	struct hold h = {.intid = SPI, .split = false};

	gic_begin();
	smp_need(2);
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_route(SPI, 1);
	smp_run(1, take_and_hold, &h);
	gic_set_pending(SPI, true);
	ASSERT_EVENTUALLY(h.stage == 1);
	gic_route(SPI, 0);
	gic_set_pending(SPI, true);
	EXPECT_EQ(gic_is_active(SPI), true);
	EXPECT_QUIET();
	h.stage = 2;
	EXPECT_EVENTUALLY(h.stage == 3);
	EXPECT_EVENTUALLY(!gic_is_active(SPI));
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
	h.stage = 4;
	smp_wait(1);
}
