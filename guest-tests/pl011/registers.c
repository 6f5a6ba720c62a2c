/* SPDX-License-Identifier: Apache-2.0 */
#include "pl011.h"

SUITE(pl011, .device = "arm,pl011");

/* DDI 0183, 3.3.15 and 3.3.16 */
TEST(pl011, peripheral_id_names_the_part, RULE("PL011-ID-1"))
{
	struct mmio uart = dt_mmio("arm,pl011");
	uint32_t id = 0, cell = 0;

	for (unsigned i = 0; i < 4; i++) {
		id |= (rd32(uart, UARTPERIPHID0 + 4 * i) & 0xff) << 8 * i;
		cell |= (rd32(uart, UARTPCELLID0 + 4 * i) & 0xff) << 8 * i;
	}
	EXPECT_EQ(id & 0xfff, 0x011);	  /* part */
	EXPECT_EQ(id >> 12 & 0xff, 0x41); /* designer: Arm */
	EXPECT_EQ(cell, 0xb105f00d);
	FACT("pl011.revision", "%u", id >> 20 & 0xf);
}

/* 3.3.5 to 3.3.9: bits that are not there read as zero */
TEST(pl011, registers_hold_exactly_their_bits, RULE("PL011-REG-1"))
{
	static const struct {
		uint64_t off;
		uint32_t bits;
	} reg[] = {{UARTIBRD, 0xffff}, {UARTFBRD, 0x3f}, {UARTIFLS, 0x3f}, {UARTIMSC, 0x7ff}};
	uint32_t ones[ARRAY_SIZE(reg)], zeros[ARRAY_SIZE(reg)];
	struct uart u = uart_begin(true);
	uint32_t ibrd = rd32(u.m, UARTIBRD), fbrd = rd32(u.m, UARTFBRD);

	for (unsigned i = 0; i < ARRAY_SIZE(reg); i++) {
		wr32(u.m, reg[i].off, 0xffffffff);
		ones[i] = rd32(u.m, reg[i].off);
		wr32(u.m, reg[i].off, 0);
		zeros[i] = rd32(u.m, reg[i].off);
	}
	wr32(u.m, UARTIBRD, ibrd);
	wr32(u.m, UARTFBRD, fbrd);
	uart_end(&u);
	for (unsigned i = 0; i < ARRAY_SIZE(reg); i++) {
		EXPECT_EQ(ones[i], reg[i].bits);
		EXPECT_EQ(zeros[i], 0);
	}
}
