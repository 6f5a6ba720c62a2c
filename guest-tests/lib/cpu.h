/* SPDX-License-Identifier: Apache-2.0 */
/* What the library keeps for each CPU; TPIDR_EL1 points to it. */
#ifndef LIB_CPU_H
#define LIB_CPU_H

#include "exception.h"
#include "sysreg.h"
#include "types.h"

#define CPUS_MAX	 512U
#define CPU_STACK_SIZE	 0x8000U
#define IRQ_LPI_FIRST	 8192U
#define IRQ_LPIS_COUNTED 64U
#define IRQS_COUNTED	 (1024U + IRQ_LPIS_COUNTED)
#define IRQ_LOG_SIZE	 32U

/* offsets are known to start.S: ctx_save, ctx_restore */
struct ctx {
	uint64_t x19_x30[12];
	uint64_t sp;
	uint64_t daif;
};

int ctx_save(struct ctx *c) __attribute__((returns_twice));
NORETURN void ctx_restore(struct ctx *c, int value);

struct cpu {
	uint64_t stack_top; /* start.S reads it: keep it first */
	uint64_t mpidr;	    /* affinity fields only */
	unsigned index;

	/* what to do with a synchronous exception, strongest first */
	bool skip_armed;       /* note it and go on behind the instruction: PROBE() */
	struct ctx *catch_ctx; /* note it and go back there: catch_exception(), el0_call() */
	struct ctx *leave_ctx; /* where ASSERT_*, SKIP and an unexpected exception go */
	struct exception caught;
	unsigned depth; /* exceptions being handled */

	/* interrupts taken: counts by INTID (LPIs behind the rest), and the last ones in order */
	volatile uint32_t irq_count[IRQS_COUNTED];
	volatile uint32_t irq_taken;
	uint32_t irq_log[IRQ_LOG_SIZE];
	uint64_t irq_pc; /* what was interrupted last, and how often in a row */
	unsigned irq_same;

	/* smp.c */
	int state;
	void (*job)(void *arg);
	void *job_arg;
};

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)read_sysreg(tpidr_el1);
}

/* 0 is the CPU that started; others are numbered as the device tree lists them */
static inline unsigned cpu_index(void)
{
	return this_cpu()->index;
}

static inline uint64_t cpu_mpidr(void)
{
	return read_sysreg(mpidr_el1) & 0xff00ffffffULL;
}

void cpu_main(struct cpu *c);

#endif
