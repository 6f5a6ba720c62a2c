/* SPDX-License-Identifier: Apache-2.0 */
/* LPIs through the ITS: IHI 0069H chapters 5 (ITS) and 6 (LPIs). */
#include "gictest.h"
#include "its.h"

#define WITH_ITS     .vmm = "--machine gic-version=3,its=on"
#define WITH_ITS_SMP .vmm = "--machine gic-version=3,its=on --smp 2"

/* any requester id will do that no other test used */
#define DEVICE 0x42U
#define EVENT  3U

static unsigned map_one(void)
{
	unsigned lpi;

	gic_begin();
	its_need();
	lpi = its_new_lpi();
	its_mapd(DEVICE, 5);
	its_mapti(DEVICE, EVENT, lpi, 0);
	its_inv(DEVICE, EVENT);
	return lpi;
}

/* the device's write: by the test port, which asks KVM (KVM_SIGNAL_MSI) */
static void signal_msi(uint32_t device, uint32_t event)
{
	struct assay_action a = {.op = ASSAY_ACT_MSI, .arg = {its_doorbell(), event, device}};

	if (!port_present())
		SKIP("needs the test port of refvmm to send an MSI");
	ASSERT_EQ(port_action(&a), 0);
}

/* GITS_TYPER (12.19): bit 0 physical LPIs; GICD_TYPER.LPIS; GICR_TYPER.PLPIS */
TEST(gic, its_identifies_itself, RULE("GIC-ITS-1"), WITH_ITS)
{
	uint64_t typer;

	gic_begin();
	its_need();
	typer = rd64(its_frame(), GITS_TYPER);
	FACT("its.typer", "0x%lx", typer);
	FACT("its.iidr", "0x%x", rd32(its_frame(), GITS_IIDR));
	EXPECT_EQ(typer & 1, 1);
	EXPECT_GE(BITS(typer, 17, 13) + 1, 8);
	EXPECT_GE(BITS(typer, 12, 8) + 1, 5);
	EXPECT_GE(BITS(rd32(its_frame(), GITS_PIDR2), 7, 4), 3);
	EXPECT_NE(rd32(gic_dist(), GICD_TYPER) & BIT(17), 0);
	EXPECT_NE(rd64(gic_redist(0), GICR_TYPER) & 1, 0);
	wr64(its_frame(), GITS_TYPER, ~typer);
	EXPECT_EQ(rd64(its_frame(), GITS_TYPER), typer);
}

TEST(gic, lpi_by_int_command_arrives_once, RULE("GIC-ITS-2"), WITH_ITS)
{
	unsigned lpi = map_one();

	EXPECT_QUIET();
	for (unsigned i = 0; i < 5; i++) {
		its_int(DEVICE, EVENT);
		EXPECT_EQ(take_soon(), lpi);
		EXPECT_QUIET();
	}
}

TEST(gic, lpi_by_msi_arrives_once, RULE("GIC-ITS-3"), WITH_ITS)
{
	unsigned lpi = map_one();

	for (unsigned i = 0; i < 5; i++) {
		signal_msi(DEVICE, EVENT);
		EXPECT_EQ(take_soon(), lpi);
		EXPECT_QUIET();
	}
}

TEST(gic, lpi_is_taken_as_an_exception, RULE("GIC-ITS-2"), WITH_ITS)
{
	unsigned lpi = map_one();
	struct irq_watch w = irq_watch(lpi);

	for (uint32_t i = 1; i <= 5; i++) {
		its_int(DEVICE, EVENT);
		ASSERT_EVENTUALLY(irq_seen(&w) == i);
	}
}

/* 5.2: an event that no table translates is dropped, and the ITS goes on */
TEST(gic, its_drops_what_is_not_mapped, RULE("GIC-ITS-4"), WITH_ITS)
{
	unsigned lpi = map_one();

	its_int(DEVICE, EVENT + 1);
	its_int(DEVICE + 1, EVENT);
	EXPECT_QUIET();
	its_int(DEVICE, EVENT);
	EXPECT_EQ(take_soon(), lpi);
	its_unmapd(DEVICE);
	its_int(DEVICE, EVENT);
	EXPECT_QUIET();
}

TEST(gic, its_discard_ends_the_mapping, RULE("GIC-ITS-5"), WITH_ITS)
{
	unsigned lpi = map_one();

	its_int(DEVICE, EVENT);
	EXPECT_EQ(take_soon(), lpi);
	its_discard(DEVICE, EVENT);
	its_int(DEVICE, EVENT);
	EXPECT_QUIET();
	its_mapti(DEVICE, EVENT, lpi, 0);
	its_inv(DEVICE, EVENT);
	its_int(DEVICE, EVENT);
	EXPECT_EQ(take_soon(), lpi);
}

/*
 * 5.3 DISCARD also takes the pending state away. KVM says in its own source
 * that it does not bother (vgic_its_cmd_handle_discard), as of 6.1 to 7.2: a
 * fact, not a verdict. What must hold: one interrupt at most, and none later.
 */
TEST(gic, its_discard_leaves_one_interrupt_at_most, RULE("GIC-ITS-6"), WITH_ITS)
{
	unsigned lpi = map_one(), got;

	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	its_int(DEVICE, EVENT);
	its_discard(DEVICE, EVENT);
	gic_set_pmr(0xff);
	got = take_unwanted();
	FACT("its.discard_drops_pending", "%d", got == GIC_SPURIOUS);
	if (got != GIC_SPURIOUS)
		EXPECT_EQ(got, lpi);
	EXPECT_QUIET();
	its_int(DEVICE, EVENT);
	EXPECT_QUIET();
}

/* 5.3 CLEAR */
TEST(gic, its_clear_drops_the_pending_lpi, RULE("GIC-ITS-7"), WITH_ITS)
{
	unsigned lpi = map_one();

	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	its_clear(DEVICE, EVENT);
	gic_set_pmr(0xff);
	EXPECT_QUIET();
	its_int(DEVICE, EVENT);
	EXPECT_EQ(take_soon(), lpi);
}

/* 6.1.1: the configuration table counts from INV on; a disabled LPI stays pending */
TEST(gic, its_inv_applies_the_configuration, RULE("GIC-ITS-8"), WITH_ITS)
{
	unsigned lpi = map_one();

	lpi_configure(lpi, GIC_PRIORITY, false);
	its_inv(DEVICE, EVENT);
	its_int(DEVICE, EVENT);
	EXPECT_QUIET();
	lpi_configure(lpi, GIC_PRIORITY, true);
	its_inv(DEVICE, EVENT);
	EXPECT_EQ(take_soon(), lpi);
	EXPECT_QUIET();
	/* its priority too */
	lpi_configure(lpi, 0xc0, true);
	its_inv(DEVICE, EVENT);
	gic_set_pmr(0xb0);
	its_int(DEVICE, EVENT);
	EXPECT_QUIET();
	gic_set_pmr(0xf0);
	EXPECT_EQ(take_soon(), lpi);
}

TEST(gic, its_invall_applies_the_configuration, RULE("GIC-ITS-9"), WITH_ITS)
{
	unsigned lpi = map_one(), second = its_new_lpi();

	its_mapti(DEVICE, EVENT + 1, second, 0);
	lpi_configure(lpi, GIC_PRIORITY, false);
	lpi_configure(second, GIC_PRIORITY, false);
	its_invall(0);
	its_int(DEVICE, EVENT);
	its_int(DEVICE, EVENT + 1);
	EXPECT_QUIET();
	lpi_configure(second, GIC_PRIORITY, true);
	its_invall(0);
	EXPECT_EQ(take_soon(), second);
	EXPECT_QUIET();
}

/* 5.3 MAPI: the event number is the INTID */
TEST(gic, its_mapi_maps_the_event_to_its_own_number, RULE("GIC-ITS-10"), WITH_ITS)
{
	unsigned lpi;

	gic_begin();
	its_need();
	lpi = its_new_lpi();
	its_mapd(DEVICE + 2, 14);
	its_mapi(DEVICE + 2, lpi, 0);
	its_inv(DEVICE + 2, lpi);
	its_int(DEVICE + 2, lpi);
	EXPECT_EQ(take_soon(), lpi);
	EXPECT_QUIET();
}

/* 5.3 MOVI: later events, and a pending one, go to the new collection's CPU */
TEST(gic, its_movi_moves_the_lpi, RULE("GIC-ITS-11"), WITH_ITS_SMP)
{
	unsigned lpi;

	gic_begin();
	smp_need(2);
	lpi = map_one();
	its_use_cpu(1);
	collect_start(2);
	its_int(DEVICE, EVENT);
	EXPECT_COLLECTED(0, lpi, 1);
	its_movi(DEVICE, EVENT, 1);
	its_int(DEVICE, EVENT);
	EXPECT_COLLECTED(1, lpi, 1);
	/* pending on CPU 0, which masks it */
	its_movi(DEVICE, EVENT, 0);
	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	collect_settle();
	EXPECT_EQ(collected(1, lpi), 1);
	its_movi(DEVICE, EVENT, 1);
	EXPECT_COLLECTED(1, lpi, 2);
	gic_set_pmr(0xff);
	collect_settle();
	EXPECT_EQ(collected(0, lpi), 1);
	EXPECT_EQ(collected(1, lpi), 2);
	collect_stop();
}

/* 5.3 MOVALL: what pends for one CPU pends for the other */
TEST(gic, its_movall_moves_all_pending, RULE("GIC-ITS-12"), WITH_ITS_SMP)
{
	unsigned lpi, second;

	gic_begin();
	smp_need(2);
	lpi = map_one();
	second = its_new_lpi();
	its_mapti(DEVICE, EVENT + 1, second, 0);
	its_inv(DEVICE, EVENT + 1);
	its_use_cpu(1);
	collect_start(2);
	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	its_int(DEVICE, EVENT + 1);
	collect_settle();
	EXPECT_EQ(collected(1, lpi) + collected(1, second), 0);
	its_movall(0, 1);
	EXPECT_COLLECTED(1, lpi, 1);
	EXPECT_COLLECTED(1, second, 1);
	gic_set_pmr(0xff);
	collect_settle();
	EXPECT_EQ(collected(0, lpi) + collected(0, second), 0);
	collect_stop();
}
