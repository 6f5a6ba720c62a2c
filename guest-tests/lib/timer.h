/* SPDX-License-Identifier: Apache-2.0 */
/* The generic timer (DDI 0487, D11 "The Generic Timer in AArch64 state"). */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include "sysreg.h"
#include "types.h"

#define TIMER_ENABLE  BIT(0)
#define TIMER_IMASK   BIT(1)
#define TIMER_ISTATUS BIT(2)

enum timer { TIMER_VIRT, TIMER_PHYS, TIMERS };

static inline uint64_t counter_freq(void)
{
	return read_sysreg(cntfrq_el0);
}

/* ISB: the counter may otherwise be read ahead of what stands before it (D11.2.1) */
static inline uint64_t counter_virt(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

static inline uint64_t counter_phys(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

uint64_t timer_count(enum timer t);
uint64_t timer_ctl(enum timer t);
void timer_set_ctl(enum timer t, uint64_t ctl);
uint64_t timer_cval(enum timer t);
void timer_set_cval(enum timer t, uint64_t cval);
/* TVAL is a signed 32-bit view of CVAL - count */
uint32_t timer_tval(enum timer t);
void timer_set_tval(enum timer t, uint32_t tval);
/* its PPI, from the device tree; 0 without one */
unsigned timer_intid(enum timer t);
const char *timer_name(enum timer t);

uint64_t ticks_of_ms(uint64_t ms);
uint64_t ms_of_ticks(uint64_t ticks);
/* busy for that long */
void delay_ms(uint64_t ms);

/* library: WFE never waits long, so that polling loops may use it; for each CPU */
void event_stream_init(void);
/* library: both off */
void timer_reset(void);

#endif
