/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share: is there SVE, which lengths, patterns. */
#ifndef SVE_COMMON_H
#define SVE_COMMON_H

#include "sve.h"
#include "test.h"

/* CPACR_EL1 (DDI 0487 D24): ZEN 17:16, FPEN 21:20, SMEN 25:24; 0b11 in each traps nothing */
#define CPACR_ZEN(v)  ((uint64_t)(v) << 16)
#define CPACR_FPEN(v) ((uint64_t)(v) << 20)
#define CPACR_SMEN(v) ((uint64_t)(v) << 24)
#define CPACR_OPEN    (CPACR_ZEN(3) | CPACR_FPEN(3))

/* by encoding: the names need an assembler that knows the extension */
#define ZCR_EL1		 S3_0_C1_C2_0
#define ID_AA64ZFR0_EL1	 S3_0_C0_C4_4
#define ID_AA64SMFR0_EL1 S3_0_C0_C4_5
#define ID_AA64PFR1_EL1	 S3_0_C0_C4_1

/* a set of lengths: bit VQ - 1 for VQ quadwords, as in KVM_REG_ARM64_SVE_VLS */
#define VQ_BIT(bits) BIT((bits) / 128 - 1)

static inline void cpacr(uint64_t v)
{
	write_sysreg(cpacr_el1, v);
	isb();
}

/* call it; the exception that ended the call, if one did */
struct exception try_function(void (*fn)(void));

bool sve_in_ids(void);
/* skip without SVE; with it, nothing is trapped from here on this CPU */
void sve_need(void);
/* ask for vq quadwords (1..16); what was got */
unsigned int sve_ask(unsigned int vq);
/* all lengths of this CPU: by asking for each */
uint64_t sve_lengths(void);
/* "128,256" into text */
const char *sve_lengths_text(uint64_t set, char *text, size_t size);

/* Random registers; FFR is a run of ones, which is all it may hold (DDI 0487, WRFFR). */
void sve_fill(struct sve_state *s, unsigned int vq);
/* EXPECT that every register of `got` is as in `want`; says which first differs. */
void sve_expect_same(const struct sve_state *got, const struct sve_state *want, unsigned int vq,
		     const char *when);

/* the register of the test port that does nothing but cost an exit; skips without a port */
void *sve_exit_register(void);

#endif
