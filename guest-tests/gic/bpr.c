/* SPDX-License-Identifier: Apache-2.0 */
/* Binary point and priority mask at every value: IHI 0069H 4.8, 12.2; IHI 0048B 3.3, 4.4. */
#include "gictest.h"

#define OUTER TEST_SPI(0)
#define INNER TEST_SPI(1)

/* the binary point that counts for the library's group, as it reads back */
static unsigned set_bpr(bool v2, unsigned value)
{
	if (v2) {
		wr32(gic_cpu_frame(), GICC_BPR, value);
		return rd32(gic_cpu_frame(), GICC_BPR) & 7;
	}
	write_sysreg(ICC_BPR1_EL1, value);
	isb();
	return (unsigned)read_sysreg(ICC_BPR1_EL1) & 7;
}

/* IHI 0069H table 4-8 (Group 1): bits 7:BPR; IHI 0048B table 3-2: bits 7:BPR+1 */
static unsigned group_mask(bool v2, unsigned bpr)
{
	return 0xffU << (v2 ? bpr + 1 : bpr) & 0xff;
}

static void edge(unsigned intid, unsigned priority)
{
	spi_setup(intid, true, (uint8_t)priority);
	gic_set_pending(intid, true);
}

/*
 * For each binary point: a more urgent one of the same group does not preempt, the least urgent of
 * the next group does; the running priority is the group's (IHI 0069H 12.2 ICC_RPR_EL1).
 */
TEST(gic, every_binary_point_bounds_preemption, RULE("GIC-PRIO-5"), ON_V2_AND_V3)
{
	bool v2 = gic_begin() == 2;

	for (unsigned bpr = set_bpr(v2, 0); bpr < 8; bpr++) {
		unsigned mask = group_mask(v2, bpr), outer = 0xf0, group = outer & mask;
		uint32_t iar;

		ASSERT_EQ(set_bpr(v2, bpr), bpr);
		edge(OUTER, outer);
		iar = ack_soon();
		ASSERT_EQ(gic_intid(iar), OUTER);
		/* GICv2 with no group bits at all: the value is not defined */
		if (mask)
			EXPECT_EQ(gic_running_priority() & mask, group);
		edge(INNER, group ? group : 8);
		EXPECT_QUIET();
		EXPECT_EQ(signalled_now(), 0);
		gic_set_pending(INNER, false);
		if (group) {
			edge(INNER, group - 8);
			EXPECT_EQ(take_soon(), INNER);
		}
		gic_eoi(iar);
		EXPECT_EQ(gic_running_priority(), 0xff);
		EXPECT_QUIET();
	}
}

/* IHI 0069H 12.2 ICC_BPR0_EL1, ICC_BPR1_EL1: a minimum, below which a write gives it; that of Group 1 is one more */
TEST(gic, binary_points_have_a_minimum, RULE("GIC-BPR-1"), .vmm = "--machine gic-version=3")
{
	uint64_t min0, min1;

	gic_need(3);
	gic_begin();
	write_sysreg(ICC_BPR0_EL1, 0);
	write_sysreg(ICC_BPR1_EL1, 0);
	isb();
	min0 = read_sysreg(ICC_BPR0_EL1);
	min1 = read_sysreg(ICC_BPR1_EL1);
	FACT("gic.bpr0_min", "%lu", min0);
	FACT("gic.bpr1_min", "%lu", min1);
	EXPECT_EQ(min1, min0 + 1);
	EXPECT_LE(min1, 4);
	for (uint64_t v = 0; v < 8; v++) {
		write_sysreg(ICC_BPR0_EL1, v);
		write_sysreg(ICC_BPR1_EL1, 7 - v);
		isb();
		EXPECT_EQ(read_sysreg(ICC_BPR0_EL1), MAX(v, min0));
		EXPECT_EQ(read_sysreg(ICC_BPR1_EL1), MAX(7 - v, min1));
	}
}

/* 12.2 ICC_CTLR_EL1.CBPR: BPR1 reads BPR0 plus one, at most 7; writes are ignored; BPR0 decides for Group 1 */
TEST(gic, common_binary_point_is_that_of_group_0, RULE("GIC-BPR-2"),
     .vmm = "--machine gic-version=3")
{
	uint64_t own;

	gic_need(3);
	gic_begin();
	write_sysreg(ICC_BPR1_EL1, 6);
	write_sysreg(ICC_BPR0_EL1, 0);
	write_sysreg(ICC_CTLR_EL1, ICC_CTLR_CBPR);
	isb();
	EXPECT_EQ(read_sysreg(ICC_CTLR_EL1) & (ICC_CTLR_CBPR | ICC_CTLR_EOIMODE), ICC_CTLR_CBPR);
	for (uint64_t v = read_sysreg(ICC_BPR0_EL1); v < 8; v++) {
		uint32_t iar;
		unsigned mask = 0xffU << (v + 1) & 0xff, group = 0xf0 & mask;

		write_sysreg(ICC_BPR0_EL1, v);
		isb();
		EXPECT_EQ(read_sysreg(ICC_BPR1_EL1), MIN(v + 1, 7UL));
		write_sysreg(ICC_BPR1_EL1, 4);
		isb();
		EXPECT_EQ(read_sysreg(ICC_BPR0_EL1), v);
		EXPECT_EQ(read_sysreg(ICC_BPR1_EL1), MIN(v + 1, 7UL));
		if (v ==
		    7) /* all bits are subpriority, or bit 7 is the group's: the table and the text differ */
			break;
		edge(OUTER, 0xf0);
		iar = ack_soon();
		ASSERT_EQ(gic_intid(iar), OUTER);
		EXPECT_EQ(gic_running_priority(), group);
		edge(INNER, group);
		EXPECT_QUIET();
		gic_set_pending(INNER, false);
		edge(INNER, group - 8);
		EXPECT_EQ(take_soon(), INNER);
		gic_eoi(iar);
	}
	write_sysreg(ICC_CTLR_EL1, 0);
	isb();
	own = read_sysreg(ICC_BPR1_EL1);
	EXPECT_EQ(own, 6);
}

/* IHI 0069H 12.2 ICC_PMR_EL1, IHI 0048B 4.4.2: equal is masked, the next level is not; at every level */
TEST(gic, priority_mask_decides_at_every_level, RULE("GIC-PRIO-2"), ON_V2_AND_V3)
{
	unsigned step, implemented;

	gic_begin();
	gic_set_pmr(0xff);
	implemented = gic_get_pmr();
	gic_set_priority(OUTER, 0xff);
	step = implemented & gic_get_priority(OUTER);
	step &= ~step + 1;
	FACT("gic.priority_levels", "%u", 256 / step);
	gic_set_pmr(0);
	for (unsigned p = 0; p < 0x100; p += step) {
		edge(OUTER, p);
		gic_set_pmr((uint8_t)p);
		EXPECT_EQ(gic_get_pmr(), p);
		EXPECT_EQ(signalled_now(), 0);
		EXPECT_EQ(take(), GIC_SPURIOUS);
		if (p + step <= 0xff) {
			gic_set_pmr((uint8_t)(p + step));
			EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
			EXPECT_EQ(take_soon(), OUTER);
		}
		gic_set_pmr(0);
		gic_set_pending(OUTER, false);
	}
}

/* The same value is read after the vCPU was put away and loaded again, with an interrupt active */
TEST(gic, cpu_interface_survives_a_pause, RULE("GIC-CPUIF-1"), ON_V2_AND_V3)
{
	bool v2 = gic_begin() == 2;
	uint32_t outer, inner;

	for (unsigned round = 0; round < 4; round++) {
		uint8_t pmr = (uint8_t)(0xf0 - 8 * rnd_below(6));
		unsigned bpr = set_bpr(v2, 3 + (unsigned)rnd_below(2));
		bool split = round & 1;

		gic_set_eoimode(split);
		edge(OUTER, 0xa0);
		outer = ack_soon();
		ASSERT_EQ(gic_intid(outer), OUTER);
		edge(INNER, 0x40);
		inner = ack_soon();
		ASSERT_EQ(gic_intid(inner), INNER);
		gic_set_pmr(pmr);
		if (!v2) {
			write_sysreg(ICC_BPR0_EL1, 5 + (round & 1));
			if (round == 2)
				write_sysreg(ICC_IGRPEN0_EL1, 1);
			isb();
		}
		pause_here(2);
		EXPECT_EQ(gic_get_pmr(), pmr);
		EXPECT_EQ(gic_get_eoimode(), split);
		EXPECT_EQ(gic_running_priority(), 0x40);
		if (v2) {
			EXPECT_EQ(rd32(gic_cpu_frame(), GICC_BPR), bpr);
		} else {
			EXPECT_EQ(read_sysreg(ICC_BPR1_EL1), bpr);
			EXPECT_EQ(read_sysreg(ICC_BPR0_EL1), 5 + (round & 1));
			EXPECT_EQ(read_sysreg(ICC_IGRPEN0_EL1), round >> 1);
			EXPECT_EQ(read_sysreg(ICC_IGRPEN1_EL1), 1);
		}
		EXPECT_EQ(gic_is_active(INNER), true);
		gic_eoi(inner);
		pause_here(1);
		EXPECT_EQ(gic_running_priority(), 0xa0);
		gic_eoi(outer);
		if (split) {
			gic_deactivate(inner);
			gic_deactivate(outer);
		}
		EXPECT_EQ(gic_running_priority(), 0xff);
		EXPECT_EQ(gic_is_active(INNER), false);
		EXPECT_EQ(gic_is_active(OUTER), false);
		gic_set_pmr(0xff);
		EXPECT_QUIET();
	}
}

/* IHI 0069H 12.2 ICC_CTLR_EL1: EOImode and CBPR are the guest's, all else is read-only */
TEST(gic, control_register_has_two_writable_bits, RULE("GIC-CPUIF-2"),
     .vmm = "--machine gic-version=3")
{
	uint64_t ctlr, fixed;

	gic_need(3);
	gic_begin();
	ctlr = read_sysreg(ICC_CTLR_EL1);
	fixed = ctlr & ~(ICC_CTLR_CBPR | ICC_CTLR_EOIMODE);
	FACT("gic.icc_ctlr", "0x%lx", ctlr);
	/* PRIbits: levels are at least 16 (4.8); IDbits: 16 or 24 */
	EXPECT_GE(BITS(ctlr, 10, 8) + 1, 4);
	EXPECT_LE(BITS(ctlr, 13, 11), 1);
	for (uint64_t v = 0; v < 4; v++) {
		write_sysreg(ICC_CTLR_EL1, v | 0xff00);
		isb();
		EXPECT_EQ(read_sysreg(ICC_CTLR_EL1), fixed | v);
	}
	write_sysreg(ICC_CTLR_EL1, 0);
	EXPECT_EQ(read_sysreg(ICC_IGRPEN1_EL1), 1);
	write_sysreg(ICC_IGRPEN0_EL1, 1);
	isb();
	EXPECT_EQ(read_sysreg(ICC_IGRPEN0_EL1), 1);
	EXPECT_EQ(read_sysreg(ICC_IGRPEN1_EL1), 1);
	/* 12.2 ICC_SRE_EL1: SRE cannot be given up; DIB and DFB say that nothing bypasses the GIC */
	write_sysreg(ICC_SRE_EL1, 0);
	isb();
	EXPECT_EQ(read_sysreg(ICC_SRE_EL1) & 1, 1);
	if (gic_is_kvm())
		EXPECT_EQ(read_sysreg(ICC_SRE_EL1), 7);
}
