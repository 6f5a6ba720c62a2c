/* SPDX-License-Identifier: Apache-2.0 */
#include "timer.h"
#include "dt.h"
#include "smp.h"
#include "test.h"

uint64_t timer_count(enum timer t)
{
	return t == TIMER_VIRT ? counter_virt() : counter_phys();
}

uint64_t timer_ctl(enum timer t)
{
	isb();
	return t == TIMER_VIRT ? read_sysreg(cntv_ctl_el0) : read_sysreg(cntp_ctl_el0);
}

void timer_set_ctl(enum timer t, uint64_t ctl)
{
	if (t == TIMER_VIRT)
		write_sysreg(cntv_ctl_el0, ctl);
	else
		write_sysreg(cntp_ctl_el0, ctl);
	isb();
}

uint64_t timer_cval(enum timer t)
{
	return t == TIMER_VIRT ? read_sysreg(cntv_cval_el0) : read_sysreg(cntp_cval_el0);
}

void timer_set_cval(enum timer t, uint64_t cval)
{
	if (t == TIMER_VIRT)
		write_sysreg(cntv_cval_el0, cval);
	else
		write_sysreg(cntp_cval_el0, cval);
	isb();
}

uint32_t timer_tval(enum timer t)
{
	isb();
	return (uint32_t)(t == TIMER_VIRT ? read_sysreg(cntv_tval_el0)
					  : read_sysreg(cntp_tval_el0));
}

void timer_set_tval(enum timer t, uint32_t tval)
{
	if (t == TIMER_VIRT)
		write_sysreg(cntv_tval_el0, tval);
	else
		write_sysreg(cntp_tval_el0, tval);
	isb();
}

/* interrupts of arm,armv8-timer: secure physical, physical, virtual, hypervisor */
unsigned timer_intid(enum timer t)
{
	return dt_irq_of(dt_find("arm,armv8-timer", 0), t == TIMER_VIRT ? 2 : 1);
}

const char *timer_name(enum timer t)
{
	return t == TIMER_VIRT ? "virtual" : "physical";
}

uint64_t ticks_of_ms(uint64_t ms)
{
	return counter_freq() / 1000 * ms;
}

uint64_t ms_of_ticks(uint64_t ticks)
{
	return ticks / MAX(counter_freq() / 1000, 1ULL);
}

void delay_ms(uint64_t ms)
{
	uint64_t until = counter_virt() + ticks_of_ms(ms);

	while (counter_virt() < until)
		cpu_relax();
}

void timer_reset(void)
{
	timer_set_ctl(TIMER_VIRT, 0);
	timer_set_ctl(TIMER_PHYS, 0);
}

/*
 * CNTKCTL_EL1 (DDI 0487): EVNTEN, EVNTDIR, EVNTI = the counter bit whose change is an event: the
 * slowest that comes about 20,000 times a second.
 */
void event_stream_init(void)
{
	uint64_t bit = 0;

	while (bit < 15 && counter_freq() >> (bit + 1) > 20000)
		bit++;
	write_sysreg(cntkctl_el1, bit << 4 | BIT(2));
	isb();
}

struct wait wait_begin(uint64_t ms)
{
	return (struct wait){.until = counter_virt() + ticks_of_ms(ms)};
}

/* a CPU that was not run meanwhile has not looked: the limit also asks for many looks */
bool wait_more(struct wait *w)
{
	/* gives way to the CPU that is waited for, where a hypervisor has fewer than the guest */
	wfe();
	if (cpu_index() != 0 && smp_stopping())
		return false;
	return ++w->polls < 1000 || counter_virt() < w->until;
}
