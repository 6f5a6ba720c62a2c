/* SPDX-License-Identifier: Apache-2.0 */
/* What commands change for later events, also for those that the ITS translated before: IHI 0069H 5.3. */
#include "itstest.h"

/* each mapping is used by a message first, so that a translation kept from then would show */
static void used(uint32_t event, unsigned lpi)
{
	event_gives(DEVICE, event, lpi);
	event_gives(DEVICE, event, lpi);
}

/* DISCARD, then MAPTI of the same event to another LPI */
TEST(gic, its_event_can_be_mapped_anew, RULE("GIC-ITS-5"), WITH_ITS)
{
	unsigned lpi = its_begin(), other = its_one_more(EVENT + 1, 0), next;

	used(EVENT, lpi);
	used(EVENT + 1, other);
	its_discard(DEVICE, EVENT);
	event_gives_nothing(DEVICE, EVENT);
	event_gives(DEVICE, EVENT + 1, other);
	next = its_one_more(EVENT, 0);
	EXPECT_NE(next, lpi);
	event_gives(DEVICE, EVENT, next);
}

/* MAPD of a device that is mapped: its events are forgotten; V = 0: all of them, of this device alone */
TEST(gic, its_mapd_forgets_the_events, RULE("GIC-ITS-19"), WITH_ITS)
{
	unsigned lpi = its_begin(), second = its_new_lpi();

	its_mapd(DEVICE + 1, 5);
	its_mapti(DEVICE + 1, EVENT, second, 0);
	its_inv(DEVICE + 1, EVENT);
	used(EVENT, lpi);
	event_gives(DEVICE + 1, EVENT, second);
	its_mapd(DEVICE, 4);
	event_gives_nothing(DEVICE, EVENT);
	event_gives(DEVICE + 1, EVENT, second);
	lpi = its_one_more(EVENT, 0);
	event_gives(DEVICE, EVENT, lpi);
	its_unmapd(DEVICE);
	event_gives_nothing(DEVICE, EVENT);
	its_mapti(DEVICE, EVENT, lpi, 0);
	event_gives_nothing(DEVICE, EVENT);
	event_gives(DEVICE + 1, EVENT, second);
}

/* MAPC to another CPU takes all events of the collection along, those of others stay */
TEST(gic, its_mapc_moves_its_collection, RULE("GIC-ITS-20"), WITH_ITS_SMP(2))
{
	unsigned lpi, other, stays;

	gic_begin();
	smp_need(2);
	lpi = its_begin();
	its_use_cpu(1);
	its_mapc(7, 0);
	other = its_one_more(EVENT + 1, 7);
	stays = its_one_more(EVENT + 2, 0);
	used(EVENT + 1, other);
	used(EVENT + 2, stays);
	used(EVENT, lpi);
	collect_start(2);
	its_mapc(7, 1);
	(void)msi_from(DEVICE, EVENT + 1);
	EXPECT_COLLECTED(1, other, 1);
	its_int(DEVICE, EVENT + 1);
	EXPECT_COLLECTED(1, other, 2);
	(void)msi_from(DEVICE, EVENT + 2);
	EXPECT_COLLECTED(0, stays, 1);
	its_mapc(7, 0);
	(void)msi_from(DEVICE, EVENT + 1);
	EXPECT_COLLECTED(0, other, 1);
	collect_settle();
	EXPECT_EQ(collected(1, other), 2);
	EXPECT_EQ(collected(1, stays) + collected(1, lpi), 0);
	collect_stop();
}

/* MAPC with V = 0: events of the collection are dropped; MAPTI before MAPC waits for it */
TEST(gic, its_unmapped_collection_drops_events, RULE("GIC-ITS-20"), WITH_ITS)
{
	unsigned lpi = its_begin(), early = its_new_lpi(), other;

	its_mapc(7, 0);
	other = its_one_more(EVENT + 1, 7);
	used(EVENT + 1, other);
	its_unmapc(7);
	event_gives_nothing(DEVICE, EVENT + 1);
	event_gives(DEVICE, EVENT, lpi);
	its_mapti(DEVICE, EVENT + 2, early, 8);
	event_gives_nothing(DEVICE, EVENT + 2);
	its_mapc(8, 0);
	its_inv(DEVICE, EVENT + 2);
	event_gives(DEVICE, EVENT + 2, early);
	/* whether events of a collection that was unmapped work again with it: a fact, for KVM forgets them */
	its_mapc(7, 0);
	its_int(DEVICE, EVENT + 1);
	FACT("its.collection_mapped_again", "%d", take() == other);
	EXPECT_QUIET();
}

/* MOVI: later messages go to the other CPU too; to a collection that is not mapped it is refused */
TEST(gic, its_movi_moves_later_messages, RULE("GIC-ITS-11"), WITH_ITS_SMP(2))
{
	unsigned lpi;

	gic_begin();
	smp_need(2);
	lpi = its_begin();
	its_use_cpu(1);
	used(EVENT, lpi);
	collect_start(2);
	for (uint32_t i = 1; i <= 4; i++) {
		unsigned to = i & 1;

		its_movi(DEVICE, EVENT, to);
		(void)msi_from(DEVICE, EVENT);
		EXPECT_COLLECTED(to, lpi, (i + 1) / 2);
		its_movi(DEVICE, EVENT, 9);
	}
	collect_settle();
	EXPECT_EQ(collected(0, lpi), 2);
	EXPECT_EQ(collected(1, lpi), 2);
	collect_stop();
}

/* CLEAR of one leaves the other; INV of one reads the table for it alone, where KVM is concerned */
TEST(gic, its_clear_clears_one_event, RULE("GIC-ITS-7"), WITH_ITS)
{
	unsigned lpi = its_begin(), other = its_one_more(EVENT + 1, 0);

	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	its_int(DEVICE, EVENT + 1);
	its_clear(DEVICE, EVENT);
	gic_set_pmr(0xff);
	EXPECT_EQ(take_soon(), other);
	EXPECT_QUIET();
	event_gives(DEVICE, EVENT, lpi);
}

/* 12.19 GITS_CTLR.Enabled 0: no translation, and what was translated before is not used */
TEST(gic, its_switched_off_translates_nothing, RULE("GIC-ITS-21"), WITH_ITS)
{
	unsigned lpi = its_begin();

	used(EVENT, lpi);
	its_switch(false);
	EXPECT_NE(msi_from(DEVICE, EVENT), 1);
	EXPECT_EQ(signalled_now(), 0);
	EXPECT_EQ(take(), GIC_SPURIOUS);
	its_switch(true);
	EXPECT_EQ(signalled_now(), 0);
	event_gives(DEVICE, EVENT, lpi);
}

/* KVM_SIGNAL_MSI (Documentation/virt/kvm/api.rst 4.71): > 0 delivered, 0 blocked by the guest */
TEST(gic, its_message_says_whether_it_arrived, RULE("GIC-ITS-3"), WITH_ITS)
{
	unsigned lpi = its_begin();

	EXPECT_EQ(msi_from(DEVICE, EVENT), 1);
	EXPECT_EQ(take_soon(), lpi);
	EXPECT_EQ(msi_from(DEVICE, EVENT), 1);
	EXPECT_EQ(take_soon(), lpi);
	EXPECT_EQ(msi_from(DEVICE, EVENT + 9), 0);
	EXPECT_EQ(msi_from(DEVICE + 9, EVENT), 0);
	EXPECT_EQ(msi_from(0x20000 | DEVICE, EVENT), 0);
	EXPECT_EQ(msi_from(DEVICE, 0x10000 | EVENT), 0);
	EXPECT_QUIET();
}

/* 6.1, 4.4.4: LPIs have no active state: with EOImode 1 too the end alone ends them; pended meanwhile they come again */
TEST(gic, lpi_has_no_active_state, RULE("GIC-LPI-1"), WITH_ITS)
{
	unsigned lpi = its_begin();

	for (unsigned split = 0; split < 2; split++) {
		uint32_t iar;

		gic_set_eoimode(split);
		its_int(DEVICE, EVENT);
		iar = ack_soon();
		EXPECT_EQ(gic_intid(iar), lpi);
		EXPECT_EQ(gic_running_priority(), GIC_PRIORITY);
		its_int(DEVICE, EVENT);
		its_int(DEVICE, EVENT);
		EXPECT_EQ(take(), GIC_SPURIOUS);
		gic_eoi(iar);
		EXPECT_EQ(gic_running_priority(), 0xff);
		EXPECT_EQ(take_soon(), lpi);
		EXPECT_QUIET();
	}
}

/* 4.8, 6.1.1: LPIs and others by one order; the table's bits 7:2 are the priority */
TEST(gic, lpi_priorities_are_the_tables, RULE("GIC-LPI-2"), WITH_ITS)
{
	unsigned lpi[6], lowest = its_begin();

	lpi_configure(lowest, 0xe0, true);
	its_inv(DEVICE, EVENT);
	for (unsigned i = 0; i < 6; i++) {
		lpi[i] = its_one_more(10 + i, 0);
		lpi_configure(lpi[i], (uint8_t)(0xc0 - 0x20 * i), true);
		its_inv(DEVICE, 10 + i);
	}
	spi_setup(TEST_SPI(0), true, 0x70);
	gic_set_pmr(0);
	its_int(DEVICE, EVENT);
	for (unsigned i = 0; i < 6; i++)
		its_int(DEVICE, 10 + i);
	gic_set_pending(TEST_SPI(0), true);
	gic_set_pmr(0xff);
	for (unsigned i = 6; i-- > 0;) {
		if (i == 2) /* 0x80; the SPI's 0x70 comes before it */
			EXPECT_EQ(take_soon(), TEST_SPI(0));
		EXPECT_EQ(take_soon(), lpi[i]);
	}
	EXPECT_EQ(take_soon(), lowest);
	EXPECT_QUIET();
}

/* more LPIs pending than list registers, of several devices: each once, and again */
TEST(gic, many_lpis_all_arrive, RULE("GIC-LPI-3"), WITH_ITS)
{
	unsigned first = 0, seen[48];

	(void)its_begin();
	for (unsigned i = 0; i < 48; i++) {
		unsigned lpi = its_new_lpi();

		first = i ? first : lpi;
		if (i % 16 == 0)
			its_mapd(DEVICE + 1 + i / 16, 4);
		its_mapti(DEVICE + 1 + i / 16, i % 16, lpi, 0);
	}
	its_invall(0);
	for (unsigned round = 0; round < 2; round++) {
		memset(seen, 0, sizeof(seen));
		gic_set_pmr(0);
		for (unsigned i = 0; i < 48; i++)
			its_put(CMD_DEVICE(3, DEVICE + 1 + i / 16), i % 16, 0, 0);
		its_go();
		gic_set_pmr(0xff);
		for (unsigned i = 0; i < 48; i++) {
			unsigned got = take_soon();

			if (EXPECT_LT(got - first, 48))
				seen[got - first]++;
		}
		for (unsigned i = 0; i < 48; i++)
			EXPECT_EQ(seen[i], 1);
		EXPECT_QUIET();
	}
}

/* Devices and events whose numbers differ in one bit each: none gets another's interrupt, kept from before or not */
TEST(gic, its_translations_do_not_mix, RULE("GIC-ITS-3"), WITH_ITS)
{
	uint32_t device[5], event[6];
	unsigned lpi[5][6];

	(void)its_begin();
	for (unsigned d = 0; d < 5; d++) {
		device[d] = (DEVICE + 0x100) ^ (d ? 1U << (d - 1) : 0);
		its_mapd(device[d], 5);
		for (unsigned e = 0; e < 6; e++) {
			event[e] = e ? 1U << (e - 1) : 0;
			lpi[d][e] = its_new_lpi();
			its_mapti(device[d], event[e], lpi[d][e], 0);
			its_inv(device[d], event[e]);
		}
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned d = 0; d < 5; d++) {
			for (unsigned e = 0; e < 6; e++) {
				EXPECT_EQ(msi_from(device[d], event[e]), 1);
				if (!EXPECT_EQ(take_soon(), lpi[d][e]))
					NOTE("device 0x%x, event %u", device[d], event[e]);
			}
		}
	}
	EXPECT_QUIET();
}
