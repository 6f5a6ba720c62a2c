/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SVE for payloads: the registers as memory, the vector length, and single
 * instructions to try. Layout of a stored state depends on the length in force
 * when it was stored: Z registers and predicates stand one behind the other,
 * each as long as it was (DDI 0487 C8.2, LDR (vector), LDR (predicate)).
 */
#ifndef LIB_SVE_H
#define LIB_SVE_H

#include "sve_layout.h"
#include "types.h"

#define SVE_VQ_MAX    16U /* quadwords: 2048 bits */
#define SVE_BYTES_MAX 256U
#define SVE_Z_COUNT   32U
#define SVE_P_COUNT   16U

struct sve_state {
	_Alignas(16) uint8_t z[SVE_Z_COUNT * SVE_BYTES_MAX];
	uint8_t p[SVE_P_COUNT * SVE_BYTES_MAX / 8];
	uint8_t ffr[SVE_BYTES_MAX];
};

struct fp_state {
	_Alignas(16) uint8_t q[32][16];
	uint32_t fpsr;
	uint32_t fpcr;
	uint64_t unused;
};

_Static_assert(offsetof(struct sve_state, p) == SVE_STATE_P, "sve.S");
_Static_assert(offsetof(struct sve_state, ffr) == SVE_STATE_FFR, "sve.S");
_Static_assert(sizeof(struct sve_state) == SVE_STATE_SIZE, "sve.S");
_Static_assert(offsetof(struct fp_state, fpsr) == FP_STATE_FPSR, "sve.S");

/* Bytes of a Z register (RDVL) and of a predicate (ADDPL). */
uint64_t sve_bytes(void);
uint64_t sve_predicate_bytes(void);
/* How many byte elements WHILELO 0, n makes active. */
uint64_t sve_whilelo(uint64_t n);

/* All of Z, P and FFR at the length in force. sve_store() changes no register. */
void sve_load(const struct sve_state *state);
void sve_store(struct sve_state *state);
/* Load, then `times` stores and loads of the 32-bit register `reg`, then store. */
void sve_load_poke_store(const struct sve_state *in, struct sve_state *out, void *reg,
			 uint64_t times);

void fp_load(const struct fp_state *state);
void fp_store(struct fp_state *state);
void fp_load_poke_store(const struct fp_state *in, struct fp_state *out, void *reg, uint64_t times);

/* AdvSIMD writes 0x5a to every byte of V0..V31. */
void sve_write_v(void);

/* One instruction each, and RET. */
void sve_try_rdvl(void);
void sve_try_ptrue(void);
void sve_try_dup(void);
void sve_try_rdffr(void);
void sve_try_ldr(void);
void sve_try_read_zcr(void);
void sve_try_write_zcr(void);
void sme_try_smstart_sm(void);
void sme_try_smstart_za(void);
void sme_try_read_svcr(void);
void sme_try_read_smcr(void);
void sme_try_read_tpidr2(void);

#endif
