/* SPDX-License-Identifier: Apache-2.0 */
/* Other CPUs: started by PSCI when a test first needs them, switched off when it ends. */
#ifndef LIB_SMP_H
#define LIB_SMP_H

#include "cpu.h"
#include "types.h"

/* CPUs in the device tree */
unsigned smp_count(void);
/* skip the test where the machine has fewer CPUs */
void smp_need(unsigned cpus);
/* affinity (MPIDR_EL1 fields) of CPU n, from the device tree */
uint64_t smp_mpidr(unsigned n);

/* Run fn(arg) on CPU n > 0 (switched on first if need be) and go on at once; one job a CPU at a time. */
void smp_run(unsigned n, void (*fn)(void *arg), void *arg);
/* has CPU n finished its job? */
bool smp_done(unsigned n);
/* until CPU n (all CPUs) finished; an error after a generous limit */
void smp_wait(unsigned n);
void smp_wait_all(void);
/* run and wait; n may be this CPU */
void smp_call(unsigned n, void (*fn)(void *arg), void *arg);
/* all CPUs below `cpus` at once, this one included, and wait for all */
void smp_call_all(unsigned cpus, void (*fn)(void *arg), void *arg);

/* Switch CPU n off again once its job is done, as the end of the test does; false: it did not come back. */
bool smp_off(unsigned n);

/* The test is over: a loop on another CPU ends. EXPECT_EVENTUALLY and barriers do by themselves. */
bool smp_stopping(void);

/* All of `cpus` CPUs meet here, as often as they like. */
struct barrier {
	uint32_t arrived, round;
};

void barrier_wait(struct barrier *b, unsigned cpus);

/* what the library keeps of CPU n; NULL before it first ran */
struct cpu *smp_cpu(unsigned n);

/* library: after each test; false: a CPU did not come back */
bool smp_release(void);
/* library: whether every CPU but the first is off, as PSCI tells */
bool smp_all_off(void);
void smp_init(void);

#endif
