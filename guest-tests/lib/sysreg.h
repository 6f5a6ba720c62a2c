/* SPDX-License-Identifier: Apache-2.0 */
/* System registers by name (or S<op0>_<op1>_<Cn>_<Cm>_<op2>), barriers, interrupt masks. */
#ifndef LIB_SYSREG_H
#define LIB_SYSREG_H

#include "types.h"

#define SYSREG_NAME_(reg)  SYSREG_NAME__(reg)
#define SYSREG_NAME__(reg) #reg

#define read_sysreg(reg)                                                                           \
	({                                                                                         \
		uint64_t sysreg_value_;                                                            \
		__asm__ volatile("mrs %0, " SYSREG_NAME_(reg) : "=r"(sysreg_value_) : : "memory"); \
		sysreg_value_;                                                                     \
	})
#define write_sysreg(reg, v) \
	__asm__ volatile("msr " SYSREG_NAME_(reg) ", %x0" : : "rZ"((uint64_t)(v)) : "memory")

#define isb()	    __asm__ volatile("isb" : : : "memory")
#define dsb(domain) __asm__ volatile("dsb " #domain : : : "memory")
#define dmb(domain) __asm__ volatile("dmb " #domain : : : "memory")
#define wfi()	    __asm__ volatile("dsb sy\n\twfi" : : : "memory")
#define wfe()	    __asm__ volatile("wfe" : : : "memory")
#define sev()	    __asm__ volatile("dsb ish\n\tsev" : : : "memory")
#define cpu_relax() __asm__ volatile("yield" : : : "memory")

static inline void irq_unmask(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
	isb();
}

static inline void irq_mask(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
	isb();
}

static inline void fiq_unmask(void)
{
	__asm__ volatile("msr daifclr, #1" : : : "memory");
	isb();
}

static inline void fiq_mask(void)
{
	__asm__ volatile("msr daifset, #1" : : : "memory");
	isb();
}

#endif
