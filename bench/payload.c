/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark's guests do: as little as a guest can, so that what is measured is the VMM. There is no
 * stack, no MMU and no C library: functions that call nothing and need few registers.
 *
 * CPUS=n	CPU 0 starts n - 1 others by PSCI, waits for their sign of life and powers the machine off.
 * READS=n	CPU 0 reads a register of the RTC n times before.
 */
#include <assay/board.h>
#include <stdint.h>

#define PSCI_SYSTEM_OFF 0x84000008ULL /* DEN 0022, 5.1.9 */
#define PSCI_CPU_ON	0xc4000003ULL /* DEN 0022, 5.1.4, 64-bit calling convention */
#define RTC_MR		0x004 /* DDI 0224, 3.3.2: the match register, which reading does not change */

/* A word for each, so that no exclusive access is needed: with the MMU off all memory is Device memory. */
static volatile uint32_t alive[CPUS];

static inline uint64_t psci(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return x0;
}

static void second(uint64_t cpu)
{
	alive[cpu] = 1;
	for (;;)
		__asm__ volatile("wfi");
}

void _start(void);

void _start(void)
{
	volatile uint32_t *rtc = (volatile uint32_t *)(ASSAY_RTC_BASE + RTC_MR); /* NOLINT */

	for (uint64_t cpu = 1; cpu < CPUS; cpu++)
		psci(PSCI_CPU_ON, cpu, (uint64_t)(uintptr_t)second, cpu);
	for (uint64_t cpu = 1; cpu < CPUS; cpu++) {
		while (!alive[cpu])
			;
	}
	for (uint64_t left = READS; left; left--)
		(void)*rtc;
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}
