/* SPDX-License-Identifier: Apache-2.0 */
/* PrimeCell Real Time Clock (PL031), DDI 0224, chapter 3. */
#include "irq.h"
#include "test.h"

SUITE(pl031, .device = "arm,pl031");

enum rtc_register {
	RTCDR = 0x00,
	RTCMR = 0x04,
	RTCLR = 0x08,
	RTCCR = 0x0c,
	RTCIMSC = 0x10,
	RTCRIS = 0x14,
	RTCMIS = 0x18,
	RTCICR = 0x1c,
	RTCPERIPHID0 = 0xfe0,
	RTCPCELLID0 = 0xff0,
};

static struct mmio rtc_begin(void)
{
	struct mmio rtc = dt_mmio("arm,pl031");

	wr32(rtc, RTCIMSC, 0);
	wr32(rtc, RTCMR, rd32(rtc, RTCDR) - 1); /* far from matching */
	wr32(rtc, RTCICR, 1);
	wr32(rtc, RTCCR, 1);
	return rtc;
}

/* An alarm so many seconds ahead; set again if this CPU was away until it had passed. */
static uint32_t alarm_in(struct mmio rtc, uint32_t seconds)
{
	for (;;) {
		uint32_t when = rd32(rtc, RTCDR) + seconds;

		wr32(rtc, RTCMR, when);
		if (when - rd32(rtc, RTCDR) - 1 < seconds)
			return when;
		wr32(rtc, RTCICR, 1);
	}
}

/* 3.3.9 and 3.3.10 */
TEST(pl031, peripheral_id_names_the_part, RULE("PL031-ID-1"))
{
	struct mmio rtc = dt_mmio("arm,pl031");
	uint32_t id = 0, cell = 0;

	for (unsigned i = 0; i < 4; i++) {
		id |= (rd32(rtc, RTCPERIPHID0 + 4 * i) & 0xff) << 8 * i;
		cell |= (rd32(rtc, RTCPCELLID0 + 4 * i) & 0xff) << 8 * i;
	}
	EXPECT_EQ(id & 0xfff, 0x031);
	EXPECT_EQ(id >> 12 & 0xff, 0x41);
	EXPECT_EQ(cell, 0xb105f00d);
}

/* 3.3.1 */
TEST(pl031, counter_runs_and_never_goes_back, RULE("PL031-DR-1"))
{
	struct mmio rtc = rtc_begin();
	uint32_t first = rd32(rtc, RTCDR), last = first, back = 0;
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);

	while (last - first < 2 && wait_more(&w)) {
		uint32_t now = rd32(rtc, RTCDR);

		back += now - last > 1U << 30; /* modulo 2^32: that is backwards */
		last = now;
	}
	EXPECT_GE(last - first, 2);
	EXPECT_EQ(back, 0);
}

/* 3.3.3: a write to RTCLR sets the counter */
TEST(pl031, load_sets_the_counter, RULE("PL031-LR-1"))
{
	struct mmio rtc = rtc_begin();
	uint32_t before = rd32(rtc, RTCDR), loaded, moved;

	wr32(rtc, RTCLR, 0x12345600);
	loaded = rd32(rtc, RTCLR);
	EXPECT_EVENTUALLY((moved = rd32(rtc, RTCDR) - 0x12345600) < 60);
	wr32(rtc, RTCLR, before);
	EXPECT_EQ(loaded, 0x12345600);
}

static void acknowledge(unsigned intid)
{
	(void)intid;
	wr32(dt_mmio("arm,pl031"), RTCICR, 1);
}

/* 3.3.2, 3.3.5 to 3.3.8 */
TEST(pl031, match_raises_and_clears, RULE("PL031-IRQ-1"))
{
	struct mmio rtc = rtc_begin();
	struct irq_watch w;

	irq_handler(dt_irq("arm,pl031"), acknowledge);
	w = irq_watch(dt_irq("arm,pl031"));
	EXPECT_EQ(rd32(rtc, RTCRIS), 0);
	alarm_in(rtc, 1);
	wr32(rtc, RTCIMSC, 1);
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
	EXPECT_EQ(rd32(rtc, RTCRIS), 0);
	EXPECT_EQ(rd32(rtc, RTCMIS), 0);
	wr32(rtc, RTCIMSC, 0);
}

TEST(pl031, masked_match_shows_raw_only, RULE("PL031-IRQ-2"))
{
	struct mmio rtc = rtc_begin();
	struct irq_watch w = irq_watch(dt_irq("arm,pl031"));

	alarm_in(rtc, 1);
	EXPECT_EVENTUALLY(rd32(rtc, RTCRIS) == 1);
	EXPECT_EQ(rd32(rtc, RTCMIS), 0);
	EXPECT_EQ(irq_seen(&w), 0);
	wr32(rtc, RTCICR, 1);
	EXPECT_EQ(rd32(rtc, RTCRIS), 0);
}

/* The alarm must not come before the second it was set to. */
TEST(pl031, match_is_never_early, RULE("PL031-IRQ-3"))
{
	struct mmio rtc = rtc_begin();
	uint32_t when = alarm_in(rtc, 2);

	ASSERT_EVENTUALLY(rd32(rtc, RTCRIS) == 1);
	EXPECT_LT(rd32(rtc, RTCDR) - when, 1U << 30);
	wr32(rtc, RTCICR, 1);
}

/* 3.3.1, 3.3.6, 3.3.7: read only; 3.3.5: one bit; 3.3.4: once started it cannot be stopped */
TEST(pl031, registers_hold_exactly_their_bits, RULE("PL031-REG-1"))
{
	struct mmio rtc = rtc_begin();
	static const uint64_t ro[] = {RTCRIS, RTCMIS, RTCPERIPHID0, RTCPCELLID0};
	uint32_t now;

	wr32(rtc, RTCIMSC, 0xffffffff);
	EXPECT_EQ(rd32(rtc, RTCIMSC), 1);
	wr32(rtc, RTCIMSC, 0);
	EXPECT_EQ(rd32(rtc, RTCIMSC), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(ro); i++) {
		uint32_t before = rd32(rtc, ro[i]);

		wr32(rtc, ro[i], ~before);
		EXPECT_EQ(rd32(rtc, ro[i]), before);
	}
	now = rd32(rtc, RTCDR);
	wr32(rtc, RTCDR, now + 0x10000000);
	EXPECT_LT(rd32(rtc, RTCDR) - now, 0x08000000);
	EXPECT_EQ(rd32(rtc, RTCCR), 1);
	wr32(rtc, RTCCR, 0);
	EXPECT_EQ(rd32(rtc, RTCCR), 1);
	wr32(rtc, RTCMR, 0xa5a5a5a5);
	EXPECT_EQ(rd32(rtc, RTCMR), 0xa5a5a5a5);
}
