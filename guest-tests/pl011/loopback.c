/* SPDX-License-Identifier: Apache-2.0 */
#include "pl011.h"

#define CHARACTERS 8U /* half of the smaller FIFO */

/* DDI 0183, 2.4.5 and 3.3.1 */
TEST(pl011, loopback_returns_what_was_sent, RULE("PL011-LOOP-1"))
{
	static const char text[CHARACTERS] = "# a55aU\n"; /* may be seen on the line, too */
	uint32_t got[CHARACTERS] = {0};
	struct uart u = uart_begin(true);
	unsigned n = 0;

	for (unsigned i = 0; i < CHARACTERS; i++)
		wr32(u.m, UARTDR, text[i]);
	while (n < CHARACTERS && uart_soon(&u, UARTFR, FR_RXFE, 0))
		got[n++] = rd32(u.m, UARTDR);
	uart_end(&u);
	EXPECT_EQ(n, CHARACTERS);
	for (unsigned i = 0; i < n; i++)
		EXPECT_EQ(got[i], text[i]); /* data, and no error bits above it */
}

/* 3.3.3: RXFE is set while there is nothing to read */
TEST(pl011, receive_flag_follows_the_fifo, RULE("PL011-FR-1"))
{
	struct uart u = uart_begin(true);
	bool before = uart_soon(&u, UARTFR, FR_RXFE | FR_TXFE, FR_RXFE | FR_TXFE);
	bool filled, after;

	wr32(u.m, UARTDR, '\n');
	filled = uart_soon(&u, UARTFR, FR_RXFE, 0);
	rd32(u.m, UARTDR);
	after = uart_soon(&u, UARTFR, FR_RXFE, FR_RXFE);
	uart_end(&u);
	EXPECT_TRUE(before);
	EXPECT_TRUE(filled);
	EXPECT_TRUE(after);
}

/* 3.3.3: RTS and DTR come back as CTS and DSR, Out1 and Out2 as DCD and RI */
TEST(pl011, loopback_connects_the_modem_lines, RULE("PL011-LOOP-2"))
{
	struct uart u = uart_begin(true);
	uint32_t low = rd32(u.m, UARTFR), high;

	wr32(u.m, UARTCR, CR_LOOP | 0x3c00);
	high = rd32(u.m, UARTFR);
	uart_end(&u);
	EXPECT_EQ(low & 0x107, 0);
	EXPECT_EQ(high & 0x107, 0x107);
}
