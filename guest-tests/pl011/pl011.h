/* SPDX-License-Identifier: Apache-2.0 */
/* PrimeCell UART (PL011), DDI 0183: registers (3.2), and a UART that talks to itself (2.4.5). */
#ifndef PL011_H
#define PL011_H

#include "irq.h"
#include "test.h"

enum uart_register {
	UARTDR = 0x000,
	UARTRSR = 0x004, /* written: UARTECR */
	UARTFR = 0x018,
	UARTIBRD = 0x024,
	UARTFBRD = 0x028,
	UARTLCR_H = 0x02c,
	UARTCR = 0x030,
	UARTIFLS = 0x034,
	UARTIMSC = 0x038,
	UARTRIS = 0x03c,
	UARTMIS = 0x040,
	UARTICR = 0x044,
	UARTPERIPHID0 = 0xfe0,
	UARTPCELLID0 = 0xff0,
};

#define FR_RXFE	  BIT(4)
#define FR_RXFF	  BIT(6)
#define FR_TXFE	  BIT(7)
#define OE	  BIT(3) /* of UARTRSR; of UARTDR: bit 11 */
#define LCR_H_FEN BIT(4)
#define CR_LOOP	  0x381U /* UARTEN, LBE, TXE, RXE */
#define INT_RX	  BIT(4)
#define INT_TX	  BIT(5)
#define INT_RT	  BIT(6)
#define INT_OE	  BIT(10)
#define INT_ALL	  0x7ffU

struct uart {
	struct mmio m;
	uint32_t lcr_h, cr, ifls, imsc; /* to be given back */
};

/*
 * What is sent ends with a newline, for some VMMs send it in loopback too. The UART may be where this payload's own lines go: what a test measures it
 * keeps, and judges after uart_end().
 */
static inline struct uart uart_begin(bool fifo)
{
	struct uart u = {.m = dt_mmio("arm,pl011")};

	u.lcr_h = rd32(u.m, UARTLCR_H);
	u.cr = rd32(u.m, UARTCR);
	u.ifls = rd32(u.m, UARTIFLS);
	u.imsc = rd32(u.m, UARTIMSC);
	wr32(u.m, UARTIMSC, 0);
	wr32(u.m, UARTCR, 0);
	wr32(u.m, UARTLCR_H, 0x60); /* 8 bits; FIFOs off: they are empty then */
	if (fifo)
		wr32(u.m, UARTLCR_H, 0x60 | LCR_H_FEN);
	wr32(u.m, UARTCR, CR_LOOP);
	wr32(u.m, UARTICR, INT_ALL);
	return u;
}

static inline void uart_end(const struct uart *u)
{
	wr32(u->m, UARTCR, 0);
	wr32(u->m, UARTIMSC, u->imsc);
	wr32(u->m, UARTIFLS, u->ifls);
	wr32(u->m, UARTLCR_H, u->lcr_h);
	wr32(u->m, UARTICR, INT_ALL);
	wr32(u->m, UARTCR, u->cr);
}

/* Polls without a claim about time; the caller judges. */
static inline bool uart_soon(const struct uart *u, uint64_t reg, uint32_t mask, uint32_t want)
{
	struct wait w = wait_begin(EVENTUALLY_LIMIT_MS);
	bool is;

	while (!(is = (rd32(u->m, reg) & mask) == want) && wait_more(&w))
		;
	return is;
}

#endif
