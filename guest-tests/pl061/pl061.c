/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PrimeCell General Purpose Input/Output (PL061), DDI 0190, chapter 3. On the
 * virt board nothing drives the lines but the power key, and they rest low.
 */
#include "irq.h"
#include "test.h"

SUITE(pl061, .device = "arm,pl061");

enum gpio_register {
	GPIODATA_ALL = 0x3fc,
	GPIODIR = 0x400,
	GPIOIS = 0x404,
	GPIOIBE = 0x408,
	GPIOIEV = 0x40c,
	GPIOIE = 0x410,
	GPIORIS = 0x414,
	GPIOMIS = 0x418,
	GPIOIC = 0x41c,
	GPIOPERIPHID0 = 0xfe0,
	GPIOPCELLID0 = 0xff0,
};

#define LINE BIT(6)

static struct mmio gpio_begin(void)
{
	struct mmio gpio = dt_mmio("arm,pl061");

	for (uint64_t off = GPIODIR; off <= GPIOIE; off += 4)
		wr32(gpio, off, 0);
	wr32(gpio, GPIOIC, 0xff);
	return gpio;
}

/* 3.3.11 and 3.3.12 */
TEST(pl061, peripheral_id_names_the_part, RULE("PL061-ID-1"))
{
	struct mmio gpio = dt_mmio("arm,pl061");
	uint32_t id = 0, cell = 0;

	for (unsigned i = 0; i < 4; i++) {
		id |= (rd32(gpio, GPIOPERIPHID0 + 4 * i) & 0xff) << 8 * i;
		cell |= (rd32(gpio, GPIOPCELLID0 + 4 * i) & 0xff) << 8 * i;
	}
	EXPECT_EQ(id & 0xfff, 0x061);
	EXPECT_EQ(id >> 12 & 0xff, 0x41);
	EXPECT_EQ(cell, 0xb105f00d);
}

/* 3.3.2 to 3.3.6 */
TEST(pl061, registers_hold_eight_bits, RULE("PL061-REG-1"))
{
	struct mmio gpio = gpio_begin();

	for (uint64_t off = GPIODIR; off <= GPIOIEV; off += 4) {
		wr32(gpio, off, 0xffffffff);
		EXPECT_EQ(rd32(gpio, off), 0xff);
		wr32(gpio, off, 0);
		EXPECT_EQ(rd32(gpio, off), 0);
	}
}

/* 3.3.1: address bits 9:2 say which lines a write changes and a read shows */
TEST(pl061, address_masks_the_data, RULE("PL061-DATA-1"))
{
	struct mmio gpio = gpio_begin();

	wr32(gpio, GPIODIR, 0xff);
	wr32(gpio, GPIODATA_ALL, 0xa5);
	EXPECT_EQ(rd32(gpio, GPIODATA_ALL), 0xa5);
	wr32(gpio, 0x0f << 2, 0xff);
	EXPECT_EQ(rd32(gpio, GPIODATA_ALL), 0xaf);
	EXPECT_EQ(rd32(gpio, 0x30 << 2), 0x20);
	wr32(gpio, 0x000, 0x00);
	EXPECT_EQ(rd32(gpio, GPIODATA_ALL), 0xaf);
	wr32(gpio, GPIODATA_ALL, 0);
	gpio_begin();
}

/* 3.3.2: a line that is an input shows what drives it, not what was written */
TEST(pl061, inputs_ignore_written_data, RULE("PL061-DATA-2"))
{
	struct mmio gpio = gpio_begin();

	wr32(gpio, GPIODATA_ALL, 0xff);
	EXPECT_EQ(rd32(gpio, GPIODATA_ALL) & LINE, 0);
}

/* 3.3.3, 3.3.5, 3.3.7, 3.3.9: a low level on a line that rests low stays, whatever GPIOIC does */
TEST(pl061, low_level_stays_raw_until_the_event_changes, RULE("PL061-IRQ-1"))
{
	struct mmio gpio = gpio_begin();

	wr32(gpio, GPIOIS, LINE);
	EXPECT_EQ(rd32(gpio, GPIORIS) & LINE, LINE);
	EXPECT_EQ(rd32(gpio, GPIOMIS), 0);
	wr32(gpio, GPIOIC, LINE);
	EXPECT_EQ(rd32(gpio, GPIORIS) & LINE, LINE);
	wr32(gpio, GPIOIEV, LINE);
	wr32(gpio, GPIOIC, LINE);
	EXPECT_EQ(rd32(gpio, GPIORIS) & LINE, 0);
	gpio_begin();
}

static void mask(unsigned intid)
{
	(void)intid;
	wr32(dt_mmio("arm,pl061"), GPIOIE, 0);
}

/* 3.3.6 and 3.3.8 */
TEST(pl061, enabled_level_interrupts, RULE("PL061-IRQ-2"))
{
	struct mmio gpio = gpio_begin();
	struct irq_watch w;

	irq_handler(dt_irq("arm,pl061"), mask);
	w = irq_watch(dt_irq("arm,pl061"));
	wr32(gpio, GPIOIS, LINE);
	EXPECT_EQ(irq_seen(&w), 0);
	wr32(gpio, GPIOIE, LINE);
	EXPECT_EVENTUALLY(irq_seen(&w) == 1);
	EXPECT_EQ(rd32(gpio, GPIOMIS), 0);
	gpio_begin();
}

/* 3.3.7, 3.3.8: read only; 3.3.9: write only, reads as zero. A level that is asked for is raw whatever is cleared. */
TEST(pl061, status_registers_ignore_writes, RULE("PL061-REG-2"))
{
	struct mmio gpio = gpio_begin();
	static const uint64_t ro[] = {GPIORIS, GPIOMIS, GPIOPERIPHID0, GPIOPCELLID0};

	wr32(gpio, GPIOIS, LINE); /* low level: GPIOIEV is 0 */
	for (unsigned i = 0; i < ARRAY_SIZE(ro); i++) {
		uint32_t before = rd32(gpio, ro[i]);

		wr32(gpio, ro[i], ~before);
		EXPECT_EQ(rd32(gpio, ro[i]), before);
	}
	EXPECT_EQ(rd32(gpio, GPIORIS) & LINE, LINE);
	EXPECT_EQ(rd32(gpio, GPIOMIS), 0);
	EXPECT_EQ(rd32(gpio, GPIOIC), 0);
	gpio_begin();
}
