/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark's guests do: as little as a guest can, so that what is measured is the VMM. There is no
 * stack, no MMU and no C library: functions that call nothing and need few registers.
 *
 * CPUS=n	Each CPU starts the next by PSCI and goes off; the last powers the machine off. So all have run, and none
 *		waits in a loop, whose cost would be the scheduler's mood. (KVM puts 16 CPUs into each Aff1.)
 * READS=n	CPU 0 reads a register of the RTC n times before.
 */
#include <assay/board.h>
#include <stdint.h>

#define PSCI_SYSTEM_OFF 0x84000008ULL /* DEN 0022, 5.1.9 */
#define PSCI_CPU_OFF	0x84000002ULL /* 5.1.3 */
#define PSCI_CPU_ON	0xc4000003ULL /* DEN 0022, 5.1.4, 64-bit calling convention */
#define RTC_MR		0x004 /* DDI 0224, 3.3.2: the match register, which reading does not change */

static inline uint64_t psci(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return x0;
}

static void run(uint64_t cpu)
{
	if (cpu + 1 < CPUS) {
		uint64_t next = cpu + 1;

		psci(PSCI_CPU_ON, (next & 15) | (next >> 4) << 8, (uint64_t)(uintptr_t)run, next);
		psci(PSCI_CPU_OFF, 0, 0, 0);
	}
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void _start(void);

void _start(void)
{
	volatile uint32_t *rtc = (volatile uint32_t *)(ASSAY_RTC_BASE + RTC_MR); /* NOLINT */

	for (uint64_t left = READS; left; left--)
		(void)*rtc;
	run(0);
}
