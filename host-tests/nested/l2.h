/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor in a snippet: at EL2 of the VM (E2H is 1) it makes stage 2 tables of its own and runs a guest of its
 * own, "L2", at EL1. DDI 0487 D8.6 (stage 2), D24.2 (HCR_EL2, VTCR_EL2, ESR_EL2).
 */
#ifndef NESTED_L2_H
#define NESTED_L2_H

#include "vm.h"

#define L2_TABLE VM_FREE_BASE		 /* level 1, four entries of 1 GiB */
#define L2_STACK (VM_FREE_BASE + 0x4000) /* top */
#define L2_DATA	 (VM_FREE_BASE + 0x8000)

/* VM with EL2, or a skip; the tables map the port and RAM, both as they are. */
struct vm *l2_vm(void (*entry)(void));

/* Stage 2 block (D8.3.1): valid, AF, inner shareable, read and write, and memory type. */
#define S2_BLOCK(pa)  ((pa) | 1ULL << 10 | 3ULL << 8 | 3ULL << 6 | 0xfULL << 2 | 1)
#define S2_DEVICE(pa) ((pa) | 1ULL << 10 | 3ULL << 6 | 1)

#define HCR_VM	 (1ULL << 0)
#define HCR_FMO	 (1ULL << 3)
#define HCR_IMO	 (1ULL << 4)
#define HCR_TWI	 (1ULL << 13)
#define HCR_TID3 (1ULL << 18)
#define HCR_TSC	 (1ULL << 19)
#define HCR_TVM	 (1ULL << 26)
#define HCR_RW	 (1ULL << 31)
#define HCR_E2H	 (1ULL << 34)

#define EC_WFX	  0x01
#define EC_HVC	  0x16
#define EC_SMC	  0x17
#define EC_SYSREG 0x18
#define EC_DABT	  0x24 /* from a lower exception level */

void guest_l2_vectors(void);
void guest_l2_run(void);

/* Stage 2 on; `hcr` are further bits. Once, before l2_enter(). */
GUEST_INLINE void l2_on(uint64_t hcr)
{
	guest_set_sysreg(vbar_el2, (uint64_t)&guest_l2_vectors);
	/* 32 bits of IPA from level 1, 4 KiB granule, non-cacheable walks; bit 31 is RES1 */
	guest_set_sysreg(vtcr_el2, 1ULL << 31 | 1ULL << 6 | 32);
	guest_set_sysreg(vttbr_el2, 5ULL << 48 | L2_TABLE);
	guest_set_sysreg(hcr_el2, HCR_E2H | HCR_RW | HCR_VM | hcr);
}

/* Runs L2 at `pc` with `arg` in x0 until it traps; its x0 then to *result. Returns ESR_EL2. */
GUEST_INLINE uint64_t l2_enter(uint64_t pc, uint64_t arg, uint64_t *result)
{
	register uint64_t x0 __asm__("x0") = pc;
	register uint64_t x1 __asm__("x1") = L2_STACK;
	register uint64_t x2 __asm__("x2") = arg;

	__asm__ volatile("bl guest_l2_run"
			 : "+r"(x0), "+r"(x1), "+r"(x2)::"x3", "x4", "x5", "x6", "x7", "x8", "x9",
			   "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30",
			   "cc", "memory");
	*result = x1;
	return x0;
}

/* L2 calls its hypervisor with a number and a value. Of its registers the switch keeps x0 alone: the rest are spilled. */
#define L2_CALL(n, value)                                                                         \
	({                                                                                        \
		uint64_t given_ = (value);                                                        \
		register uint64_t call_ __asm__("x0") = given_;                                   \
		__asm__ volatile("hvc #" #n                                                       \
				 : "+r"(call_)::"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8",   \
				   "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",  \
				   "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", \
				   "x27", "x28", "x30", "cc", "memory");                          \
		call_;                                                                            \
	})

/* A changed entry for this IPA: the rest of the shadow stays (all of it takes KVM its time, emulated). */
GUEST_INLINE void l2_forget(uint64_t ipa)
{
	__asm__ volatile(
		"dsb sy\n\ttlbi ipas2e1, %0\n\tdsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::"r"(ipa >>
											      12)
		: "memory");
}

#endif
