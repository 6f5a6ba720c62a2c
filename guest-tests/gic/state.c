/* SPDX-License-Identifier: Apache-2.0 */
/* From pending over active to inactive: IHI 0069H 4.1.2, IHI 0048B 3.2.4. */
#include "gictest.h"

#define SPI TEST_SPI(2)

/* IHI 0069H 2.2.1, IHI 0048B 3.2.5: 1023 when no interrupt is signalled */
TEST(gic, spurious_id_when_nothing_pends, RULE("GIC-STATE-1"), ON_V2_AND_V3)
{
	gic_begin();
	EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
	EXPECT_EQ(gic_highest_pending(), GIC_SPURIOUS);
	/* pending but disabled is not signalled */
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_disable(SPI);
	gic_set_pending(SPI, true);
	EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
	gic_set_pending(SPI, false);
	EXPECT_QUIET();
}

TEST(gic, acknowledge_activates_and_end_deactivates, RULE("GIC-STATE-2"), ON_V2_AND_V3)
{
	const unsigned intids[] = {6, 21, SPI};

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		unsigned intid = intids[i];
		uint32_t iar;

		gic_enable(intid);
		gic_set_pending(intid, true);
		EXPECT_EQ(gic_is_active(intid), false);
		iar = ack_soon();
		ASSERT_EQ(gic_intid(iar), intid);
		EXPECT_EQ(gic_is_active(intid), true);
		/*
		 * INTID 21 is level-sensitive, and pended by software: whether its
		 * latch reads as set until it is deactivated is not judged (it does
		 * under KVM up to 7.2).
		 */
		if (intid != 21)
			EXPECT_EQ(gic_is_pending(intid), false);
		gic_eoi(iar);
		EXPECT_EVENTUALLY(!gic_is_active(intid));
		EXPECT_EQ(gic_is_pending(intid), false);
		EXPECT_QUIET();
	}
}

/* IHI 0069H 4.4.4 "priority drop and deactivation", IHI 0048B 3.2.1: with EOImode 1 they are two steps */
TEST(gic, split_eoi_drops_then_deactivates, RULE("GIC-STATE-3"), ON_V2_AND_V3)
{
	uint32_t iar;

	gic_begin();
	gic_set_eoimode(true);
	EXPECT_EQ(gic_get_eoimode(), true);
	spi_setup(SPI, true, GIC_PRIORITY);
	spi_setup(TEST_SPI(3), true, GIC_PRIORITY);
	gic_set_pending(SPI, true);
	iar = ack_soon();
	ASSERT_EQ(gic_intid(iar), SPI);
	gic_eoi(iar);
	EXPECT_EQ(gic_running_priority(), 0xff);
	EXPECT_EQ(gic_is_active(SPI), true);
	/* of the same priority, and taken: the priority has dropped; the active one itself is not */
	gic_set_pending(SPI, true);
	gic_set_pending(TEST_SPI(3), true);
	{
		uint32_t other = ack_soon();

		EXPECT_EQ(gic_intid(other), TEST_SPI(3));
		gic_eoi(other);
		gic_deactivate(other);
	}
	EXPECT_EQ(gic_intid(gic_ack()), GIC_SPURIOUS);
	EXPECT_EQ(gic_is_active(SPI), true);
	gic_deactivate(iar);
	EXPECT_EVENTUALLY(!gic_is_active(SPI));
	iar = ack_soon();
	EXPECT_EQ(gic_intid(iar), SPI);
	gic_eoi(iar);
	gic_deactivate(iar);
	EXPECT_QUIET();
}

/* ISACTIVER, ICACTIVER: software can make one active; then it is not signalled */
TEST(gic, active_bit_set_by_software_holds_back, RULE("GIC-STATE-4"), ON_V2_AND_V3)
{
	const unsigned intids[] = {4, 21, SPI};

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		unsigned intid = intids[i];

		gic_enable(intid);
		gic_set_active(intid, true);
		EXPECT_EQ(gic_is_active(intid), true);
		gic_set_pending(intid, true);
		EXPECT_QUIET();
		gic_set_active(intid, false);
		EXPECT_EQ(gic_is_active(intid), false);
		EXPECT_EQ(take_soon(), intid);
		EXPECT_QUIET();
	}
}

/* 4.5.1 of IHI 0048, 4.4.3 of IHI 0069: what is active, however it became so, is ended by a write to DIR */
TEST(gic, active_bit_set_by_software_is_ended_by_deactivation, RULE("GIC-STATE-4"), ON_V2_AND_V3)
{
	const unsigned intids[] = {21, SPI};

	gic_begin();
	spi_setup(SPI, true, GIC_PRIORITY);
	gic_set_eoimode(true);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		unsigned intid = intids[i];
		uint32_t iar;

		gic_enable(intid);
		gic_set_active(intid, true);
		gic_deactivate(intid);
		EXPECT_EVENTUALLY(!gic_is_active(intid));
		gic_set_pending(intid, true);
		iar = ack_soon();
		EXPECT_EQ(gic_intid(iar), intid);
		gic_eoi(iar);
		gic_deactivate(iar);
		EXPECT_EVENTUALLY(!gic_is_active(intid));
	}
	EXPECT_QUIET();
}

/* The highest pending interrupt is shown without being acknowledged */
TEST(gic, highest_pending_is_shown_unacknowledged, RULE("GIC-STATE-5"), ON_V2_AND_V3)
{
	gic_begin();
	spi_setup(SPI, true, 0x80);
	spi_setup(TEST_SPI(3), true, 0x40);
	gic_set_pending(SPI, true);
	EXPECT_EVENTUALLY(gic_highest_pending() == SPI);
	gic_set_pending(TEST_SPI(3), true);
	EXPECT_EVENTUALLY(gic_highest_pending() == TEST_SPI(3));
	EXPECT_EQ(gic_is_active(TEST_SPI(3)), false);
	EXPECT_EQ(take_soon(), TEST_SPI(3));
	EXPECT_EQ(take_soon(), SPI);
	EXPECT_EQ(gic_highest_pending(), GIC_SPURIOUS);
}

/* More pending interrupts than a hypervisor has list registers: each is taken once */
TEST(gic, many_pending_interrupts_all_arrive, RULE("GIC-STATE-6"), ON_V2_AND_V3)
{
	uint32_t taken[32] = {0}, sgis[16] = {0};

	gic_begin();
	gic_set_pmr(0);
	for (unsigned i = 0; i < 16; i++) {
		gic_enable(i);
		gic_set_pending(i, true);
	}
	for (unsigned i = 0; i < 32; i++) {
		spi_setup(TEST_SPI(0) - 16 + i, true, (uint8_t)(0x20 + 0x10 * (i % 8)));
		gic_set_pending(TEST_SPI(0) - 16 + i, true);
	}
	gic_set_pmr(0xff);
	for (unsigned i = 0; i < 48; i++) {
		unsigned intid = take_soon();

		if (intid < 16)
			sgis[intid]++;
		else if (EXPECT_LT(intid - (TEST_SPI(0) - 16), 32))
			taken[intid - (TEST_SPI(0) - 16)]++;
	}
	EXPECT_QUIET();
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(sgis[i], 1);
	for (unsigned i = 0; i < 32; i++)
		EXPECT_EQ(taken[i], 1);
}

/*
 * The next ones come as soon as the list registers run empty, not with whatever brings the hypervisor next: counted in looks,
 * which do not leave the guest. A host is as late as it likes, but then the guest does not look.
 */
TEST(gic, pending_interrupts_follow_each_other_at_once, RULE("GIC-STATE-6"), ON_V2_AND_V3)
{
	unsigned most = 0;

	gic_begin();
	for (unsigned round = 0; round < 20; round++) {
		gic_set_pmr(0);
		for (unsigned i = 0; i < 24; i++) {
			spi_setup(TEST_SPI(0) - 16 + i, true, GIC_PRIORITY);
			gic_set_pending(TEST_SPI(0) - 16 + i, true);
		}
		gic_set_pmr(0xff);
		EXPECT_NE(take_soon(), GIC_SPURIOUS);
		for (unsigned i = 1; i < 24; i++) {
			unsigned looks = 0;

			while (take() == GIC_SPURIOUS && looks < 1000000)
				looks++;
			most = looks > most ? looks : most;
		}
	}
	FACT("gic.looks_between_interrupts", "%u", most);
	EXPECT_LT(most, 2000);
}
