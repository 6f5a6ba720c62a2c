/* SPDX-License-Identifier: Apache-2.0 */
/* The distributor's enable, and interrupts that wake a CPU from WFI: IHI 0069H 12.9, DDI 0487 D1.6; IHI 0048B 4.3.1. */
#include "gictest.h"
#include "its.h"
#include "timer.h"

#define SPI TEST_SPI(6)

static void distributor(bool on)
{
	uint32_t bit = gic_version() == 2 ? 1 : 2, v = rd32(gic_dist(), GICD_CTLR);

	wr32(gic_dist(), GICD_CTLR, on ? v | bit : v & ~bit);
}

/*
 * What pends comes when the distributor goes on. KVM (6.1 to 7.2) looks at it again only when
 * something else of the interrupt changes: a fact, not a verdict. What must hold: it is not lost.
 */
static void comes_when_on(unsigned intid)
{
	unsigned got;

	distributor(true);
	got = take();
	FACT("gic.distributor_enable_resignals", "%d", got == intid);
	if (got != intid) {
		EXPECT_EQ(got, GIC_SPURIOUS);
		EXPECT_EQ(gic_is_pending(intid), true);
		gic_enable(intid);
		EXPECT_EQ(take_soon(), intid);
	}
	EXPECT_QUIET();
}

TEST(gic, disabled_distributor_holds_back, RULE("GIC-DIST-9"), ON_V2_AND_V3)
{
	const unsigned intids[] = {8, PPI_UNWIRED, SPI};

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		gic_enable(intids[i]);
		distributor(false);
		gic_set_pending(intids[i], true);
		EXPECT_EQ(signalled_now(), 0);
		EXPECT_QUIET();
		EXPECT_EQ(gic_is_pending(intids[i]), true);
		comes_when_on(intids[i]);
	}
}

/* pending when the distributor goes off: gone from the CPU interface, and kept */
TEST(gic, distributor_switched_off_takes_back, RULE("GIC-DIST-9"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_set_pending(SPI, true);
	EXPECT_EQ(signalled_now(), SIGNAL_IRQ);
	distributor(false);
	EXPECT_EVENTUALLY(signalled_now() == 0);
	EXPECT_QUIET();
	EXPECT_EQ(gic_is_pending(SPI), true);
	comes_when_on(SPI);
}

/* an active interrupt ends while the distributor is off, and comes again when it is on */
TEST(gic, interrupt_ends_while_the_distributor_is_off, RULE("GIC-DIST-9"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_set_pending(SPI, true);
	iar = ack_soon();
	ASSERT_EQ(gic_intid(iar), SPI);
	distributor(false);
	EXPECT_EQ(gic_is_active(SPI), true);
	gic_eoi(iar);
	EXPECT_EQ(gic_is_active(SPI), false);
	EXPECT_EQ(gic_running_priority(), 0xff);
	distributor(true);
	gic_set_pending(SPI, true);
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_QUIET();
}

static struct {
	volatile bool ready;
	uint8_t pmr;
} sleeper;

/* waits for interrupts with WFI alone: nothing but an interrupt that it may take ends that */
static void sleep_for_one(void *arg)
{
	const unsigned *intid = arg;
	struct irq_watch w;

	if (*intid < 32)
		gic_enable(*intid);
	w = (struct irq_watch){.intid = *intid, .cpu = cpu_index()};
	w.before = irq_count_on(w.cpu, *intid);
	gic_set_pmr(sleeper.pmr);
	sleeper.ready = true;
	while (!irq_seen(&w) && !smp_stopping()) {
		wfi();
		irq_unmask();
		irq_mask();
	}
	gic_set_pmr(0xff);
}

static void put_to_sleep(unsigned *intid, uint8_t pmr)
{
	sleeper.ready = false;
	sleeper.pmr = pmr;
	smp_run(1, sleep_for_one, intid);
	EXPECT_EVENTUALLY(sleeper.ready);
	/* it stands in WFI by now, or comes to it with the interrupt pending: both must end */
	delay_ms(2);
}

/* DDI 0487 D1.6: WFI ends when an interrupt pends, whatever its kind; by line, software, another CPU */
TEST(gic, interrupts_wake_a_sleeper, RULE("GIC-WAKE-1"), ON_V2_AND_V3_SMP(2))
{
	unsigned sgi = 3, spi = TEST_SPI(0);

	gic_begin();
	smp_need(2);
	spi_setup(spi, true, GIC_PRIORITY);
	gic_route(spi, 1);
	for (unsigned i = 0; i < 3; i++) {
		put_to_sleep(&sgi, 0xff);
		gic_sgi(sgi, 1);
		EXPECT_EVENTUALLY(smp_done(1));
		if (port_present()) {
			put_to_sleep(&spi, 0xff);
			spi_pulse(0);
			EXPECT_EVENTUALLY(smp_done(1));
		}
		put_to_sleep(&spi, 0xff);
		gic_set_pending(spi, true);
		EXPECT_EVENTUALLY(smp_done(1));
		/* pending while disabled, or routed elsewhere: the enable, the route make it come */
		gic_disable(spi);
		gic_set_pending(spi, true);
		put_to_sleep(&spi, 0xff);
		gic_enable(spi);
		EXPECT_EVENTUALLY(smp_done(1));
		gic_route(spi, 0);
		gic_set_pending(spi, true);
		put_to_sleep(&spi, 0xff);
		gic_route(spi, 1);
		(void)signalled_now();
		EXPECT_EVENTUALLY(smp_done(1));
	}
}

/* one that the mask holds back pends already; a more urgent one ends the sleep */
TEST(gic, masked_interrupt_does_not_hide_an_urgent_one, RULE("GIC-WAKE-1"), ON_V2_AND_V3_SMP(2))
{
	unsigned sgi = 3;

	gic_begin();
	smp_need(2);
	spi_setup(SPI, true, 0xc0);
	gic_route(SPI, 1);
	gic_set_pending(SPI, true);
	for (unsigned i = 0; i < 3; i++) {
		put_to_sleep(&sgi, 0xb0);
		gic_sgi(sgi, 1);
		EXPECT_EVENTUALLY(smp_done(1));
	}
}

TEST(gic, lpi_wakes_a_sleeper, RULE("GIC-WAKE-1"), .vmm = "--machine gic-version=3,its=on --smp 2")
{
	unsigned lpi;

	gic_need(3);
	gic_begin();
	smp_need(2);
	its_need();
	its_use_cpu(1);
	lpi = its_new_lpi();
	its_mapd(0x51, 5);
	its_mapti(0x51, 1, lpi, 1);
	its_inv(0x51, 1);
	for (unsigned i = 0; i < 3; i++) {
		put_to_sleep(&lpi, 0xff);
		its_int(0x51, 1);
		EXPECT_EVENTUALLY(smp_done(1));
		/* disabled while it pends: the configuration's change makes it come */
		lpi_configure(lpi, GIC_PRIORITY, false);
		its_inv(0x51, 1);
		its_int(0x51, 1);
		put_to_sleep(&lpi, 0xff);
		lpi_configure(lpi, GIC_PRIORITY, true);
		its_inv(0x51, 1);
		EXPECT_EVENTUALLY(smp_done(1));
	}
}
