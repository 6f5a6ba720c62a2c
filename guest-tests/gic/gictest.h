/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the GIC share: which machine, polling an interrupt, watching several CPUs. */
#ifndef GICTEST_H
#define GICTEST_H

#include "gic.h"
#include "irq.h"
#include "smp.h"
#include "test.h"

#include <assay/board.h>

#define ON_V2_AND_V3 .variants = "v2: --machine gic-version=2 | v3: --machine gic-version=3"
#define ON_V2_AND_V3_SMP(n)                                                            \
	.vmm = "--smp " #n, .variants = "v2: --machine gic-version=2 | v3: --machine " \
					"gic-version=3"

/* a PPI that is wired to nothing on the board */
#define PPI_UNWIRED 21U

/* interrupts that the test port can raise; without a port they are software's */
#define TEST_SPI(n) ASSAY_SPI_TO_INTID(ASSAY_SPI_TEST_PORT + (n))

/* Every test begins here: the GIC's version, checked against the variant that was asked for. */
unsigned gic_begin(void);

/* an SPI for this CPU, enabled */
void spi_setup(unsigned intid, bool edge, uint8_t priority);
/* the test port's wire n; the test is skipped without a port */
void spi_level(unsigned n, bool high);
void spi_pulse(unsigned n);

/* Acknowledge and end one interrupt, if one is signalled: its INTID, else GIC_SPURIOUS. */
unsigned take(void);
/* the same, polled until one comes or the limit of EXPECT_EVENTUALLY passes */
unsigned take_soon(void);
/* acknowledge only, polled: the IAR, whose INTID is GIC_SPURIOUS when none came */
uint32_t ack_soon(void);

/*
 * The signals as this CPU sees them, whether masked or not: ISR_EL1 (DDI 0487, D24.2), bits I and F.
 */
#define SIGNAL_IRQ BIT(7)
#define SIGNAL_FIQ BIT(6)
uint64_t signalled(void);
/* the same, after a look from outside: what the GIC holds back is given at the latest then */
uint64_t signalled_now(void);

/* how an exit to user space, and a sleep there, goes: what the hypervisor keeps is put away and loaded again */
void pause_here(unsigned ms);

/* Nothing is signalled to this CPU: looked at many times. The INTID that came, or GIC_SPURIOUS. */
unsigned take_unwanted(void);
#define EXPECT_QUIET() EXPECT_EQ(take_unwanted(), GIC_SPURIOUS)

/*
 * CPUs 1 … n - 1 poll and count what they take; CPU 0 does in collect_poll().
 * collect_settle() returns when each CPU has looked many times since.
 */
void collect_start(unsigned cpus);
void collect_poll(void);
void collect_settle(void);
void collect_stop(void);
uint32_t collected(unsigned cpu, unsigned intid);
/* so often on all CPUs together */
uint32_t collected_everywhere(unsigned intid);
/* GICv2: the source CPU field of the last SGI taken */
uint32_t collected_source(unsigned cpu);
#define EXPECT_COLLECTED(cpu, intid, n) \
	EXPECT_EVENTUALLY((collect_poll(), collected(cpu, intid) == (n)))

#endif
