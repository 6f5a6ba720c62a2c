/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest snippets: functions that stand beside the test, are compiled into the
 * host program's section `assay_guest`, copied into guest RAM, and run there
 * at EL1 with the MMU off.
 *
 *	GUEST(poke)
 *	{
 *		guest_result(0, guest_sysreg(CurrentEL));
 *	}
 *
 * A snippet reaches nothing outside its section: no strings, no tables, no
 * library calls (the build refuses such a relocation). It talks to the test
 * through an MMIO port, that is by registers: with the MMU off guest stores are
 * not coherent with the host's caches on a CPU without FEAT_S2FWB.
 * Returning from the snippet ends the vCPU's run (GUEST_DONE).
 */
#ifndef HOST_GUEST_H
#define HOST_GUEST_H

/* The port: guest physical address and register offsets, also used by guest.S. */
#define GUEST_PORT	  0x0c000000
#define GUEST_PORT_DONE	  0x000 /* W: the run ends */
#define GUEST_PORT_TICK	  0x008 /* W: progress */
#define GUEST_PORT_PING	  0x010 /* R: a question, 0: none */
#define GUEST_PORT_PONG	  0x018 /* W: its answer */
#define GUEST_PORT_ENTRY  0x020 /* R: GPA of this vCPU's snippet */
#define GUEST_PORT_STACK  0x028 /* R: top of this vCPU's stack */
#define GUEST_PORT_ESR	  0x040 /* W: an exception nobody asked for ... */
#define GUEST_PORT_ELR	  0x048
#define GUEST_PORT_FAR	  0x050 /* W: ... the run ends with GUEST_EXCEPTION */
#define GUEST_PORT_ARG	  0x100 /* R: 16 arguments */
#define GUEST_PORT_RESULT 0x200 /* W: 32 results */
#define GUEST_PORT_SIZE	  0x1000
#define GUEST_ARGS	  16
#define GUEST_RESULTS	  32

#ifndef __ASSEMBLER__
#include <stdint.h>

#define GUEST_SECTION __attribute__((section("assay_guest"), noinline, used))
#define GUEST(name)                    \
	GUEST_SECTION void name(void); \
	GUEST_SECTION void name(void)
#define GUEST_INLINE static inline __attribute__((always_inline, unused))

/* Fixed addressing mode: KVM decodes only accesses whose syndrome is valid (ISV, DDI 0487 D24.2.40). */
GUEST_INLINE void guest_write64(uint64_t gpa, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" ::"r"(value), "r"(gpa) : "memory");
}

/* A store of 1, 2, 4 or 8 bytes. */
GUEST_INLINE void guest_store(uint64_t gpa, uint64_t value, uint64_t width)
{
	if (width == 1)
		__asm__ volatile("strb %w0, [%1]" ::"r"(value), "r"(gpa) : "memory");
	else if (width == 2)
		__asm__ volatile("strh %w0, [%1]" ::"r"(value), "r"(gpa) : "memory");
	else if (width == 4)
		__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(gpa) : "memory");
	else
		guest_write64(gpa, value);
}

GUEST_INLINE uint64_t guest_read64(uint64_t gpa)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(gpa) : "memory");
	return value;
}

GUEST_INLINE void guest_write32(uint64_t gpa, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"r"(value), "r"(gpa) : "memory");
}

GUEST_INLINE uint32_t guest_read32(uint64_t gpa)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(gpa) : "memory");
	return value;
}

GUEST_INLINE uint64_t guest_arg(unsigned int n)
{
	return guest_read64(GUEST_PORT + GUEST_PORT_ARG + 8ULL * n);
}

GUEST_INLINE void guest_result(unsigned int n, uint64_t value)
{
	guest_write64(GUEST_PORT + GUEST_PORT_RESULT + 8ULL * n, value);
}

GUEST_INLINE void guest_tick(uint64_t n)
{
	guest_write64(GUEST_PORT + GUEST_PORT_TICK, n);
}

GUEST_INLINE void guest_done(void)
{
	guest_write64(GUEST_PORT + GUEST_PORT_DONE, 0);
}

/* What a guest that is alive answers to a question. */
#define GUEST_ANSWER(question) ((question)*3 + 1)

GUEST_INLINE void guest_answer(void)
{
	uint64_t q = guest_read64(GUEST_PORT + GUEST_PORT_PING);

	if (q)
		guest_write64(GUEST_PORT + GUEST_PORT_PONG, GUEST_ANSWER(q));
}

#define guest_sysreg(reg)                                               \
	({                                                              \
		uint64_t v_;                                            \
		__asm__ volatile("mrs %0, " #reg : "=r"(v_)::"memory"); \
		v_;                                                     \
	})
#define guest_set_sysreg(reg, value) \
	__asm__ volatile("msr " #reg ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

/* SMCCC (DEN 0028): arguments and result in x0-x3; x4-x17 may change. */
GUEST_INLINE uint64_t guest_hvc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = fn;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5", "x6", "x7", "x8",
			   "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	return x0;
}

/*
 * GUEST_TRAP("mrs x0, vbar_el2" ::: "x0"): ESR_EL1 of the exception the one
 * instruction took, or 0. The vectors skip it when TPIDR_EL1 is armed (1) and
 * leave the syndrome there.
 */
#define GUEST_TRAP(...)                         \
	({                                      \
		uint64_t esr_;                  \
		guest_set_sysreg(tpidr_el1, 1); \
		__asm__ volatile(__VA_ARGS__);  \
		esr_ = guest_sysreg(tpidr_el1); \
		guest_set_sysreg(tpidr_el1, 0); \
		esr_ == 1 ? 0 : esr_;           \
	})
#define ESR_EC(esr)    ((unsigned int)((esr) >> 26 & 0x3f))
#define ESR_EC_UNKNOWN 0x00 /* UNDEFINED instruction (DDI 0487 D24.2.40) */

/* PSCI (DEN 0022): function ids; return codes are PSCI_RET_* of linux/psci.h. */
#define PSCI_FN_VERSION	      0x84000000
#define PSCI_FN_CPU_OFF	      0x84000002
#define PSCI_FN_CPU_ON	      0xc4000003
#define PSCI_FN_AFFINITY_INFO 0xc4000004

/* Snippets and entry points of the library (guest.S, guest.c). */
void guest_entry(void);	 /* sets stack and vectors, then runs the vCPU's snippet; also for CPU_ON */
void guest_finish(void); /* what a snippet returns to: the end of the run */
void guest_vectors(void);
void guest_count(void);	  /* counts for ever, reports each step, answers questions */
void guest_nothing(void); /* returns at once */

#endif /* __ASSEMBLER__ */
#endif
