/* SPDX-License-Identifier: Apache-2.0 */
#include "pl011.h"

static struct mmio handled;

static void drain(unsigned intid)
{
	(void)intid;
	while (!(rd32(handled, UARTFR) & FR_RXFE))
		rd32(handled, UARTDR);
	wr32(handled, UARTICR, INT_ALL);
}

/* DDI 0183, 2.8.2: the line is raised for what is received, by level or by time-out */
TEST(pl011, received_character_interrupts, RULE("PL011-IRQ-1"))
{
	unsigned intid = dt_irq("arm,pl011");
	struct uart u = uart_begin(true);
	struct irq_watch w;
	struct wait wait;
	uint32_t quiet;

	handled = u.m;
	irq_handler(intid, drain);
	w = irq_watch(intid);
	wr32(u.m, UARTIMSC, INT_RX | INT_RT);
	quiet = irq_seen(&w);
	wr32(u.m, UARTDR, '\n');
	for (wait = wait_begin(EVENTUALLY_LIMIT_MS); !irq_seen(&w) && wait_more(&wait);)
		;
	uart_end(&u);
	EXPECT_EQ(quiet, 0);
	EXPECT_GE(irq_seen(&w), 1);
}

/* 3.3.10 to 3.3.13: UARTRIS is raw, UARTMIS is masked, UARTICR clears */
TEST(pl011, masked_interrupt_shows_raw_only, RULE("PL011-IRQ-2"))
{
	unsigned intid = dt_irq("arm,pl011");
	struct uart u = uart_begin(true);
	struct irq_watch w = irq_watch(intid);
	uint32_t mis, cleared;
	bool raw;

	wr32(u.m, UARTDR, '\n');
	raw = uart_soon(&u, UARTRIS, INT_TX, INT_TX);
	mis = rd32(u.m, UARTMIS);
	wr32(u.m, UARTICR, INT_ALL);
	cleared = rd32(u.m, UARTRIS) & INT_TX;
	uart_end(&u);
	EXPECT_TRUE(raw);
	EXPECT_EQ(mis, 0);
	EXPECT_EQ(cleared, 0);
	EXPECT_EQ(irq_seen(&w), 0);
}

static void clear_transmit(unsigned intid)
{
	(void)intid;
	wr32(handled, UARTICR, INT_TX);
}

/* 2.8.3: what was sent lets the transmit FIFO fall to its trigger level */
TEST(pl011, sent_character_interrupts_once, RULE("PL011-IRQ-3"))
{
	unsigned intid = dt_irq("arm,pl011");
	struct uart u = uart_begin(true);
	struct irq_watch w;
	struct wait wait;

	handled = u.m;
	irq_handler(intid, clear_transmit);
	wr32(u.m, UARTIMSC, INT_TX);
	w = irq_watch(intid);
	wr32(u.m, UARTDR, '\n');
	for (wait = wait_begin(EVENTUALLY_LIMIT_MS); !irq_seen(&w) && wait_more(&wait);)
		;
	uart_end(&u);
	EXPECT_EQ(irq_seen(&w), 1);
}
