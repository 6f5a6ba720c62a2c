/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt groups: IHI 0069H 4.6, 12.2; IHI 0048B 2.3, 3.5. Group 0 is signalled as FIQ, Group 1 as IRQ. */
#include "gictest.h"

#define ON_V3 .vmm = "--machine gic-version=3"
#define ON_V2 .vmm = "--machine gic-version=2"
#define SPI   TEST_SPI(5)

static const unsigned kinds[] = {7, PPI_UNWIRED, SPI};

static void both_groups_on(void)
{
	gic_need(3);
	gic_begin();
	/* EnableGrp0 too, where the distributor has it (12.9 GICD_CTLR with one security state) */
	wr32(gic_dist(), GICD_CTLR, rd32(gic_dist(), GICD_CTLR) | 1);
	write_sysreg(ICC_IGRPEN0_EL1, 1);
	isb();
}

static void setup(unsigned intid, bool group1, unsigned priority)
{
	if (intid >= GIC_SPI_FIRST)
		spi_setup(intid, true, (uint8_t)priority);
	gic_set_priority(intid, (uint8_t)priority);
	gic_set_group(intid, group1);
	gic_enable(intid);
}

static unsigned ack0(void)
{
	unsigned intid = (unsigned)read_sysreg(ICC_IAR0_EL1) & 0xffffff;

	dsb(sy);
	return intid;
}

static void end0(unsigned intid)
{
	write_sysreg(ICC_EOIR0_EL1, intid);
	isb();
}

/* 4.6: with both groups at EL1 the FIQ is Group 0's; its registers acknowledge it, those of Group 1 do not */
TEST(gic, group_0_is_signalled_as_fiq, RULE("GIC-GROUP-1"), ON_V3)
{
	both_groups_on();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned intid = kinds[k];

		setup(intid, false, 0x80);
		EXPECT_EQ(gic_get_group(intid), false);
		gic_set_pending(intid, true);
		EXPECT_EQ(signalled_now(), SIGNAL_FIQ);
		EXPECT_EQ(gic_highest_pending(), GIC_SPURIOUS);
		EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
		EXPECT_EQ(read_sysreg(ICC_HPPIR0_EL1), intid);
		EXPECT_EQ(ack0(), intid);
		EXPECT_EQ(gic_running_priority(), 0x80);
		EXPECT_EQ(gic_is_active(intid), true);
		EXPECT_EQ(signalled_now(), 0);
		end0(intid);
		EXPECT_EQ(gic_running_priority(), 0xff);
		EXPECT_EQ(gic_is_active(intid), false);
		EXPECT_EQ(ack0(), GIC_SPURIOUS);
	}
}

TEST(gic, group_1_is_signalled_as_irq, RULE("GIC-GROUP-1"), ON_V3)
{
	both_groups_on();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned intid = kinds[k];

		setup(intid, true, 0x80);
		EXPECT_EQ(gic_get_group(intid), true);
		gic_set_pending(intid, true);
		EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
		EXPECT_EQ(read_sysreg(ICC_HPPIR0_EL1), GIC_SPURIOUS);
		EXPECT_EQ(ack0(), GIC_SPURIOUS);
		EXPECT_EQ(gic_highest_pending(), intid);
		EXPECT_EQ(take_soon(), intid);
		EXPECT_EQ(signalled_now(), 0);
	}
}

static volatile unsigned fiq_took, irqs_took;

static void on_fiq(void)
{
	unsigned intid = ack0();

	if (intid < 1020) {
		fiq_took = intid;
		end0(intid);
	}
}

static void on_irq(unsigned intid)
{
	(void)intid;
	irqs_took++;
}

TEST(gic, group_0_is_taken_as_an_fiq_exception, RULE("GIC-GROUP-1"), ON_V3)
{
	both_groups_on();
	fiq_handler(on_fiq);
	irqs_took = 0;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		fiq_took = 0;
		irq_handler(kinds[k], on_irq);
		setup(kinds[k], false, 0x80);
		irq_unmask();
		gic_set_pending(kinds[k], true);
		(void)signalled_now();
		EXPECT_EQ(fiq_took, 0);
		fiq_unmask();
		EXPECT_EVENTUALLY(fiq_took == kinds[k]);
		fiq_mask();
		EXPECT_EQ(irqs_took, 0);
		irq_handler(kinds[k], NULL);
	}
}

/*
 * 12.2 ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1: a group that is off is not signalled, and what pends waits.
 * Group 1 goes on first: with Group 0 first and both pending a 7.2 never gets the vCPU on again.
 */
TEST(gic, group_enable_holds_back_its_group_alone, RULE("GIC-GROUP-2"), .tags = "alone", ON_V3)
{
	unsigned in_group_0 = SPI, in_group_1 = TEST_SPI(6);

	gic_leave_groups_off();
	if (read_sysreg(ICC_IGRPEN0_EL1) || read_sysreg(ICC_IGRPEN1_EL1))
		SKIP("the groups were switched on before this test: run it alone");
	wr32(gic_dist(), GICD_CTLR, rd32(gic_dist(), GICD_CTLR) | 1);
	/* the one that is held back longer is the more urgent */
	setup(in_group_0, false, 0x80);
	setup(in_group_1, true, 0x90);
	gic_set_pending(in_group_0, true);
	gic_set_pending(in_group_1, true);
	EXPECT_EQ(signalled_now(), 0);
	EXPECT_EQ(ack0(), GIC_SPURIOUS);
	EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
	EXPECT_EQ(gic_is_pending(in_group_0), true);
	EXPECT_EQ(gic_is_pending(in_group_1), true);
	write_sysreg(ICC_IGRPEN1_EL1, 1);
	isb();
	EXPECT_EQ(read_sysreg(ICC_IGRPEN0_EL1), 0);
	EXPECT_EQ(read_sysreg(ICC_IGRPEN1_EL1), 1);
	EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
	EXPECT_EQ(ack0(), GIC_SPURIOUS);
	EXPECT_EQ(take_soon(), in_group_1);
	EXPECT_EQ(signalled_now(), 0);
	write_sysreg(ICC_IGRPEN0_EL1, 1);
	isb();
	EXPECT_EQ(signalled_now(), SIGNAL_FIQ);
	EXPECT_EQ(ack0(), in_group_0);
	end0(in_group_0);
	EXPECT_EQ(signalled_now(), 0);
}

/* 12.9 GICD_IGROUPR, 12.11 GICR_IGROUPR0: the group counts when it is signalled */
TEST(gic, group_changes_while_pending, RULE("GIC-GROUP-3"), ON_V3)
{
	both_groups_on();
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		setup(kinds[k], true, 0x80);
		gic_set_pending(kinds[k], true);
		EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
		gic_set_group(kinds[k], false);
		EXPECT_EQ(signalled_now(), SIGNAL_FIQ);
		EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
		gic_set_group(kinds[k], true);
		EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
		gic_set_group(kinds[k], false);
		EXPECT_EQ(ack0(), kinds[k]);
		end0(kinds[k]);
		EXPECT_EQ(signalled_now(), 0);
	}
}

/* 4.8: all groups share one order and one running priority */
TEST(gic, groups_share_one_order, RULE("GIC-GROUP-4"), ON_V3)
{
	uint32_t outer;

	both_groups_on();
	for (unsigned first = 0; first < 2; first++) {
		setup(SPI, first, 0x40);
		setup(TEST_SPI(6), !first, 0x80);
		gic_set_pmr(0);
		gic_set_pending(SPI, true);
		gic_set_pending(TEST_SPI(6), true);
		gic_set_pmr(0xff);
		EXPECT_EQ(signalled_now(), first ? SIGNAL_IRQ : SIGNAL_FIQ);
		EXPECT_EQ(gic_highest_pending(), first ? SPI : GIC_SPURIOUS);
		EXPECT_EQ(read_sysreg(ICC_HPPIR0_EL1), first ? GIC_SPURIOUS : SPI);
		if (first) {
			EXPECT_EQ(ack0(), GIC_SPURIOUS);
			outer = gic_ack();
		} else {
			EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
			outer = ack0();
		}
		EXPECT_EQ(gic_intid(outer), SPI);
		EXPECT_EQ(gic_running_priority(), 0x40);
		EXPECT_EQ(signalled_now(), 0);
		EXPECT_EQ(ack0(), GIC_SPURIOUS);
		EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
		if (first)
			gic_eoi(outer);
		else
			end0(SPI);
		EXPECT_EQ(signalled_now(), first ? SIGNAL_FIQ : SIGNAL_IRQ);
		if (first) {
			EXPECT_EQ(ack0(), TEST_SPI(6));
			end0(TEST_SPI(6));
		} else {
			EXPECT_EQ(take_soon(), TEST_SPI(6));
		}
		EXPECT_EQ(gic_running_priority(), 0xff);
	}
}

/* Group 0 in EOImode 1: its own end drops, the common deactivation ends */
TEST(gic, group_0_ends_in_two_steps, RULE("GIC-GROUP-4"), ON_V3)
{
	both_groups_on();
	gic_set_eoimode(true);
	setup(SPI, false, 0x80);
	gic_set_pending(SPI, true);
	(void)signalled_now();
	EXPECT_EQ(ack0(), SPI);
	end0(SPI);
	EXPECT_EQ(gic_running_priority(), 0xff);
	EXPECT_EQ(gic_is_active(SPI), true);
	gic_deactivate(SPI);
	EXPECT_EQ(gic_is_active(SPI), false);
}

/* 12.2 ICC_AP0R0_EL1, ICC_AP1R0_EL1: the priority of an active interrupt shows in its group's register alone */
TEST(gic, active_priorities_show_by_group, RULE("GIC-GROUP-5"), ON_V3)
{
	both_groups_on();
	for (unsigned p = 0x08; p < 0xf0; p += 0x38) {
		uint64_t ap0, ap1;

		setup(SPI, false, p);
		gic_set_pending(SPI, true);
		(void)signalled_now();
		EXPECT_EQ(ack0(), SPI);
		ap0 = read_sysreg(ICC_AP0R0_EL1);
		EXPECT_EQ(read_sysreg(ICC_AP1R0_EL1), 0);
		end0(SPI);
		EXPECT_EQ(read_sysreg(ICC_AP0R0_EL1), 0);
		setup(SPI, true, p);
		gic_set_pending(SPI, true);
		(void)signalled_now();
		EXPECT_EQ(gic_intid(gic_ack()), SPI);
		ap1 = read_sysreg(ICC_AP1R0_EL1);
		EXPECT_EQ(read_sysreg(ICC_AP0R0_EL1), 0);
		gic_eoi(SPI);
		EXPECT_EQ(read_sysreg(ICC_AP1R0_EL1), 0);
		/* one bit, the same in both; with 32 levels or fewer it stands in the first register */
		if (read_sysreg(ICC_BPR1_EL1) >= 3) {
			EXPECT_EQ(ap0, ap1);
			EXPECT_EQ(ap0, BIT(p >> read_sysreg(ICC_BPR1_EL1)));
		}
	}
}

/*
 * 12.2 ICC_SGI0R_EL1, ICC_ASGI1R_EL1: with one security state they reach SGIs of Group 0 alone, and
 * ICC_SGI1R_EL1, as KVM has it, those of either group (Linux 6.1 to 7.2, vgic_v3_dispatch_sgi()).
 */
TEST(gic, sgi_registers_mind_the_group, RULE("GIC-SGI-8"), ON_V3)
{
	uint64_t self = (cpu_mpidr() & 0xff00) << 8 | BIT(cpu_mpidr() & 0xf);

	both_groups_on();
	for (unsigned i = 0; i < 16; i++) {
		setup(i, i & 1, 0x80);
		write_sysreg(ICC_SGI0R_EL1, self | (uint64_t)i << 24);
		isb();
		if (i & 1) {
			EXPECT_EQ(signalled_now(), 0);
			EXPECT_EQ(gic_is_pending(i), false);
		} else {
			EXPECT_EQ(signalled_now(), SIGNAL_FIQ);
			EXPECT_EQ(ack0(), i);
			end0(i);
		}
	}
	if (!gic_is_kvm())
		return;
	for (unsigned i = 0; i < 16; i++) {
		write_sysreg(ICC_ASGI1R_EL1, self | (uint64_t)i << 24);
		isb();
		EXPECT_EQ(signalled_now(), i & 1 ? 0 : SIGNAL_FIQ);
		EXPECT_EQ(ack0(), i & 1 ? GIC_SPURIOUS : i);
		if (!(i & 1))
			end0(i);
		write_sysreg(ICC_SGI1R_EL1, self | (uint64_t)i << 24);
		isb();
		EXPECT_EQ(signalled_now(), i & 1 ? SIGNAL_IRQ : SIGNAL_FIQ);
		if (i & 1) {
			EXPECT_EQ(take_soon(), i);
		} else {
			EXPECT_EQ(ack0(), i);
			end0(i);
		}
	}
}

/* IHI 0048B 4.4.1 GICC_CTLR: FIQEn makes Group 0 FIQs; EnableGrp0 and EnableGrp1 hold back; AckCtl lets IAR give both */
TEST(gic, legacy_groups_are_signalled_apart, RULE("GIC-GROUP-6"), ON_V2)
{
	struct mmio c;

	gic_need(2);
	gic_begin();
	c = gic_cpu_frame();
	wr32(gic_dist(), GICD_CTLR, 3);
	gic_set_group(SPI, true);
	if (!gic_get_group(SPI))
		SKIP("this GICv2 has no interrupt groups");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned intid = kinds[k];

		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_FIQEN);
		setup(intid, false, 0x80);
		gic_set_pending(intid, true);
		EXPECT_EQ(signalled_now(), SIGNAL_FIQ);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1);
		EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP1);
		EXPECT_EQ(signalled_now(), 0);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_FIQEN);
		EXPECT_EQ(take_soon(), intid);
		EXPECT_EQ(signalled_now(), 0);

		setup(intid, true, 0x80);
		gic_set_pending(intid, true);
		EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
		/* 3.2.5, 4.4.4: 1022 in GICC_IAR for one of Group 1 without AckCtl */
		EXPECT_EQ(rd32(c, GICC_IAR) & 0x3ff, 1022);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_FIQEN);
		EXPECT_EQ(signalled_now(), 0);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_FIQEN);
		wr32(c, GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_ACKCTL);
		EXPECT_EQ(rd32(c, GICC_IAR) & 0x3ff, intid);
		wr32(c, GICC_EOIR, intid);
		EXPECT_EQ(gic_is_active(intid), false);
	}
}
