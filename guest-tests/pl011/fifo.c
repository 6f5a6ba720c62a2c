/* SPDX-License-Identifier: Apache-2.0 */
#include "pl011.h"

#define FIFO_MAX 32U /* 16 entries before r1p5, 32 from there on: DDI 0183, 3.3.15 */

/* Fills the FIFO by loopback until it says that it is full; how many characters that took. */
static unsigned fill(const struct uart *u)
{
	unsigned n = 0;

	while (n < FIFO_MAX && !(rd32(u->m, UARTFR) & FR_RXFF)) {
		wr32(u->m, UARTDR, '\n');
		if (!uart_soon(u, UARTFR, FR_TXFE, FR_TXFE) || !uart_soon(u, UARTFR, FR_RXFE, 0))
			break;
		n++;
	}
	return n;
}

/* 3.3.1, 3.3.2 and 2.8.5: what comes when the FIFO is full is lost, and that is told. */
TEST(pl011, overrun_is_told_until_it_is_cleared, RULE("PL011-FIFO-1"))
{
	struct uart u = uart_begin(true);
	uint32_t before, raw, rsr, cleared, first, ris;
	unsigned n = fill(&u), read = 0;
	bool overrun;

	before = rd32(u.m, UARTRSR) & OE;
	wr32(u.m, UARTDR, '\n');
	overrun = uart_soon(&u, UARTRIS, INT_OE, INT_OE);
	raw = rd32(u.m, UARTRIS);
	rsr = rd32(u.m, UARTRSR);
	wr32(u.m, UARTRSR, 0);
	cleared = rd32(u.m, UARTRSR);
	wr32(u.m, UARTICR, INT_OE);
	ris = rd32(u.m, UARTRIS);
	first = rd32(u.m, UARTDR);
	for (read = 1; read < 2 * FIFO_MAX && !(rd32(u.m, UARTFR) & FR_RXFE); read++)
		rd32(u.m, UARTDR);
	uart_end(&u);
	EXPECT_TRUE(n == 16 || n == 32);
	EXPECT_EQ(before, 0);
	EXPECT_TRUE(overrun);
	EXPECT_EQ(raw & INT_RX, INT_RX);
	EXPECT_EQ(rsr & OE, OE);
	EXPECT_EQ(cleared & OE, 0);
	EXPECT_EQ(ris & INT_OE, 0);
	EXPECT_EQ(first & 0xff, '\n'); /* the FIFO's content is valid: 3.3.2, OE */
	EXPECT_EQ(read, n);
}

/* 3.3.9, RXIFLSEL: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO */
TEST(pl011, receive_level_interrupts_where_it_is_set, RULE("PL011-FIFO-2"))
{
	static const unsigned eighths[] = {1, 2, 4, 6, 7};
	unsigned level[ARRAY_SIZE(eighths)], depth;
	struct uart u = uart_begin(true);

	depth = fill(&u);
	uart_end(&u);
	for (unsigned i = 0; i < ARRAY_SIZE(eighths); i++) {
		u = uart_begin(true);
		wr32(u.m, UARTIFLS, i << 3);
		level[i] = 0;
		while (level[i] < FIFO_MAX && !(rd32(u.m, UARTRIS) & INT_RX)) {
			wr32(u.m, UARTDR, '\n');
			if (!uart_soon(&u, UARTFR, FR_TXFE, FR_TXFE))
				break;
			level[i]++;
		}
		uart_end(&u);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(eighths); i++)
		EXPECT_EQ(level[i], depth * eighths[i] / 8);
}

/* 3.3.3, 3.3.11, 3.3.12: read only; 3.3.13: write only, and what has no bit there stays */
TEST(pl011, status_registers_ignore_writes, RULE("PL011-REG-2"))
{
	static const uint64_t ro[] = {UARTFR, UARTRIS, UARTMIS, UARTPERIPHID0, UARTPCELLID0};
	uint32_t before[ARRAY_SIZE(ro)], after[ARRAY_SIZE(ro)], left, right;
	struct uart u = uart_begin(true);

	for (unsigned i = 0; i < ARRAY_SIZE(ro); i++) {
		before[i] = rd32(u.m, ro[i]);
		wr32(u.m, ro[i], ~before[i]);
		after[i] = rd32(u.m, ro[i]);
	}
	wr32(u.m, UARTDR, '\n');
	uart_soon(&u, UARTRIS, INT_RT | INT_TX, INT_RT | INT_TX);
	wr32(u.m, UARTICR, INT_TX);
	left = rd32(u.m, UARTRIS);
	wr32(u.m, UARTICR, INT_RT);
	right = rd32(u.m, UARTRIS);
	uart_end(&u);
	for (unsigned i = 0; i < ARRAY_SIZE(ro); i++)
		EXPECT_EQ(after[i], before[i]);
	EXPECT_EQ(left & (INT_RT | INT_TX), INT_RT);
	EXPECT_EQ(right & (INT_RT | INT_TX), 0);
}
