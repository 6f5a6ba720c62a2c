/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: what was taken, how to provoke one on purpose, and EL0. */
#ifndef LIB_EXCEPTION_H
#define LIB_EXCEPTION_H

#include "types.h"

/* as vectors.S saves it */
struct frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
};

_Static_assert(sizeof(struct frame) == 288, "vectors.S knows the size");

struct exception {
	bool taken;
	uint64_t esr, elr, far, spsr;
	uint32_t ec;  /* ESR_EL1.EC */
	uint32_t iss; /* ESR_EL1.ISS, 25 bits */
};

/* Exception classes (DDI 0487, ESR_EL1) */
#define EC_UNKNOWN  0x00U /* an UNDEFINED instruction */
#define EC_WFX	    0x01U
#define EC_FP	    0x07U
#define EC_SVC64    0x15U
#define EC_SYSREG   0x18U
#define EC_SVE	    0x19U
#define EC_IABT_EL0 0x20U
#define EC_IABT	    0x21U
#define EC_PC_ALIGN 0x22U
#define EC_DABT_EL0 0x24U
#define EC_DABT	    0x25U
#define EC_SP_ALIGN 0x26U
#define EC_BRK64    0x3cU

const char *ec_name(uint32_t ec);

/* Call fn(arg); the first synchronous exception ends the call. */
struct exception catch_exception(void (*fn)(void *arg), void *arg);

/* One instruction; if it faults it is skipped. Operands as in extended asm, after the text. */
#define PROBE(...)                             \
	({                                     \
		probe_arm();                   \
		__asm__ volatile(__VA_ARGS__); \
		probe_result();                \
	})

void probe_arm(void);
struct exception probe_result(void);

/*
 * Run fn(arg) at EL0 on a stack of its own and come back with its value. An
 * exception other than its return ends the call and is given in *e (e->taken).
 * fn may use its stack and registers only, or data marked EL0_DATA. daif: bits
 * of PSTATE to set (0x80 masks IRQs; they are taken at EL1 otherwise).
 */
uint64_t el0_call(uint64_t (*fn)(uint64_t arg), uint64_t arg, uint64_t daif, struct exception *e);

#define EL0_DATA __attribute__((section(".el0_data")))

#endif
