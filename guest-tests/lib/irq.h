/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts taken as exceptions, counted by CPU and INTID. */
#ifndef LIB_IRQ_H
#define LIB_IRQ_H

#include "types.h"

struct irq_watch {
	unsigned intid;
	unsigned cpu;
	uint32_t before;
};

/*
 * Enable an interrupt (an SPI is routed to this CPU), unmask IRQs on this CPU
 * and count from here. The source must be quieted by the test or by a handler.
 */
struct irq_watch irq_watch(unsigned intid);
/* how often it was taken on that CPU since */
uint32_t irq_seen(const struct irq_watch *w);
/* how often CPU n has taken it since the test began */
uint32_t irq_count_on(unsigned cpu, unsigned intid);
/* called between acknowledge and end of interrupt, on the CPU that takes it; NULL removes */
void irq_handler(unsigned intid, void (*fn)(unsigned intid));

/* FIQs go to fn, which acknowledges and ends them itself; NULL: a FIQ ends the test, as without */
void fiq_handler(void (*fn)(void));

/* library */
struct frame;
bool fiq_entry(void);
void irq_entry(const struct frame *f);
void irq_reset(void);

#endif
