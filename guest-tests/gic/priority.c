/* SPDX-License-Identifier: Apache-2.0 */
/* Priorities: IHI 0069H 4.8, IHI 0048B 3.3. A lower value is more urgent. */
#include "gictest.h"

/* Multiples of 0x10: 16 levels are the least that a GIC may have (IHI 0048B 3.3) */
TEST(gic, pending_interrupts_come_by_priority, RULE("GIC-PRIO-1"), ON_V2_AND_V3)
{
	uint8_t priority[8];

	gic_begin();
	for (unsigned i = 0; i < ARRAY_SIZE(priority); i++)
		priority[i] = (uint8_t)(0x10 + 0x10 * i);
	/* shuffled by the seed */
	for (unsigned i = ARRAY_SIZE(priority) - 1; i > 0; i--) {
		unsigned j = (unsigned)rnd_below(i + 1);
		uint8_t p = priority[i];

		priority[i] = priority[j];
		priority[j] = p;
	}
	gic_set_pmr(0);
	for (unsigned i = 0; i < ARRAY_SIZE(priority); i++) {
		spi_setup(TEST_SPI(i), true, priority[i]);
		gic_set_pending(TEST_SPI(i), true);
	}
	gic_set_pmr(0xff);
	for (unsigned n = 0; n < ARRAY_SIZE(priority); n++) {
		unsigned got = take_soon(), index = got - TEST_SPI(0);

		if (!EXPECT_LT(index, ARRAY_SIZE(priority)))
			break;
		EXPECT_EQ(priority[index], 0x10 + 0x10 * n);
	}
	EXPECT_QUIET();
}

/* IHI 0069H 12.2, IHI 0048B 4.4.2: only what is more urgent than the mask is signalled */
TEST(gic, priority_mask_holds_back, RULE("GIC-PRIO-2"), ON_V2_AND_V3)
{
	unsigned spi = TEST_SPI(1);

	gic_begin();
	spi_setup(spi, true, 0x80);
	for (unsigned mask = 0; mask <= 0xf0; mask += 0x10) {
		gic_set_pmr((uint8_t)mask);
		EXPECT_EQ(gic_get_pmr(), mask);
		gic_set_pending(spi, true);
		if (mask > 0x80) {
			EXPECT_EQ(take_soon(), spi);
		} else {
			EXPECT_QUIET();
			EXPECT_EQ(gic_is_pending(spi), true);
			gic_set_pending(spi, false);
		}
		EXPECT_QUIET();
	}
}

TEST(gic, running_priority_is_the_active_one, RULE("GIC-PRIO-3"), ON_V2_AND_V3)
{
	uint32_t outer, inner;

	gic_begin();
	EXPECT_EQ(gic_running_priority(), 0xff);
	spi_setup(TEST_SPI(0), true, 0x80);
	spi_setup(TEST_SPI(1), true, 0x40);
	gic_set_pending(TEST_SPI(0), true);
	outer = ack_soon();
	ASSERT_EQ(gic_intid(outer), TEST_SPI(0));
	EXPECT_EQ(gic_running_priority(), 0x80);
	gic_set_pending(TEST_SPI(1), true);
	inner = ack_soon();
	ASSERT_EQ(gic_intid(inner), TEST_SPI(1));
	EXPECT_EQ(gic_running_priority(), 0x40);
	gic_eoi(inner);
	EXPECT_EQ(gic_running_priority(), 0x80);
	gic_eoi(outer);
	EXPECT_EQ(gic_running_priority(), 0xff);
}

/* IHI 0069H 4.8.4, IHI 0048B 3.3.1: while one is active only a more urgent one is signalled */
TEST(gic, only_the_more_urgent_preempts, RULE("GIC-PRIO-4"), ON_V2_AND_V3)
{
	static const struct {
		uint8_t priority;
		bool preempts;
	} second[] = {{0x70, true}, {0x10, true}, {0x80, false}, {0x90, false}, {0xf0, false}};
	uint32_t outer;

	gic_begin();
	for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
		spi_setup(TEST_SPI(0), true, 0x80);
		spi_setup(TEST_SPI(1), true, second[i].priority);
		gic_set_pending(TEST_SPI(0), true);
		outer = ack_soon();
		ASSERT_EQ(gic_intid(outer), TEST_SPI(0));
		gic_set_pending(TEST_SPI(1), true);
		if (second[i].preempts)
			EXPECT_EQ(take_soon(), TEST_SPI(1));
		else
			EXPECT_QUIET();
		gic_eoi(outer);
		if (!second[i].preempts)
			EXPECT_EQ(take_soon(), TEST_SPI(1));
		EXPECT_QUIET();
	}
}

/*
 * The binary point makes 0x80 and 0x90 one group: bits 7:5 decide preemption
 * (IHI 0069H table 4-8: Group 1 BPR 5; IHI 0048B table 3-2: BPR 4), all bits order.
 */
TEST(gic, binary_point_groups_priorities, RULE("GIC-PRIO-5"), ON_V2_AND_V3)
{
	bool v2 = gic_begin() == 2;
	uint32_t outer;

	if (v2)
		wr32(gic_cpu_frame(), GICC_BPR, 4);
	else
		write_sysreg(ICC_BPR1_EL1, 5);
	isb();
	spi_setup(TEST_SPI(0), true, 0x90);
	spi_setup(TEST_SPI(1), true, 0x80);
	spi_setup(TEST_SPI(2), true, 0x70);
	gic_set_pending(TEST_SPI(0), true);
	outer = ack_soon();
	ASSERT_EQ(gic_intid(outer), TEST_SPI(0));
	gic_set_pending(TEST_SPI(1), true);
	EXPECT_QUIET();
	gic_set_pending(TEST_SPI(2), true);
	EXPECT_EQ(take_soon(), TEST_SPI(2));
	EXPECT_QUIET();
	gic_eoi(outer);
	EXPECT_EQ(take_soon(), TEST_SPI(1));
	EXPECT_QUIET();
}

/* IPRIORITYR is byte-accessible: a byte changes no neighbour (IHI 0069H 12.9, IHI 0048B 4.3.11) */
TEST(gic, priority_bytes_are_independent, RULE("GIC-PRIO-6"), ON_V2_AND_V3)
{
	unsigned base = TEST_SPI(0) & ~3U;
	uint32_t implemented, word;

	gic_begin();
	gic_set_priority(base, 0xff);
	implemented = gic_get_priority(base);
	FACT("gic.priority_mask", "0x%x", implemented);
	EXPECT_EQ(implemented & 0xf0, 0xf0);
	for (unsigned i = 0; i < 4; i++)
		gic_set_priority(base + i, (uint8_t)(0x10 * (i + 1)));
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(gic_get_priority(base + i), 0x10 * (i + 1));
	word = rd32(gic_dist(), GICD_IPRIORITYR + base);
	EXPECT_EQ(word, 0x40302010);
	wr32(gic_dist(), GICD_IPRIORITYR + base, 0x80706050);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(gic_get_priority(base + i), 0x50 + 0x10 * i);
}
