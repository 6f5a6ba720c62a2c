/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID_AA64ZFR0_EL1 against use: what it claims must execute (DDI 0487 D24). The
 * other way round is only noted, for KVM may show less than the CPU has.
 */
#include "common.h"

void sve_try_sve2(void);
void sve_try_aes(void);
void sve_try_pmull128(void);
void sve_try_bitperm(void);
void sve_try_sha3(void);
void sve_try_sm4(void);
void sve_try_i8mm(void);
void sve_try_bf16(void);
void sve_try_f32mm(void);
void sve_try_f64mm(void);

static const struct {
	const char *name;
	unsigned int shift; /* of the field of 4 bits */
	unsigned int least; /* the value from which on the instruction is there */
	void (*run)(void);
	unsigned int least_bits; /* vector length it needs */
} features[] = {
	{"SVEver >= 1 (SVE2)", 0, 1, sve_try_sve2, 128},
	{"AES >= 1", 4, 1, sve_try_aes, 128},
	{"AES >= 2 (PMULL128)", 4, 2, sve_try_pmull128, 128},
	{"BitPerm", 16, 1, sve_try_bitperm, 128},
	{"BF16", 20, 1, sve_try_bf16, 128},
	{"SHA3", 32, 1, sve_try_sha3, 128},
	{"SM4", 40, 1, sve_try_sm4, 128},
	{"I8MM", 44, 1, sve_try_i8mm, 128},
	{"F32MM", 52, 1, sve_try_f32mm, 128},
	/* F64MM: of doubles in 256-bit segments (DDI 0487 C8.2, FMMLA) */
	{"F64MM", 56, 1, sve_try_f64mm, 256},
};

TEST(sve, what_the_id_register_claims_executes, RULE("SVE-ID-1"))
{
	uint64_t zfr0;
	unsigned int bits;

	sve_need();
	bits = sve_ask(SVE_VQ_MAX) * 128;
	zfr0 = read_sysreg(ID_AA64ZFR0_EL1);
	FACT("sve.zfr0", "0x%lx", zfr0);
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		bool claimed =
			BITS(zfr0, features[i].shift + 3, features[i].shift) >= features[i].least;
		struct exception e;

		if (bits < features[i].least_bits)
			continue;
		e = try_function(features[i].run);
		if (claimed && e.taken)
			test_fail(__FILE__, __LINE__, features[i].name,
				  "claimed by ID_AA64ZFR0_EL1, got EC 0x%x (%s), want no exception",
				  e.ec, ec_name(e.ec));
		if (!claimed && !e.taken)
			NOTE("ID_AA64ZFR0_EL1 does not claim %s, but it executes",
			     features[i].name);
	}
}

/* SVE needs half-precision FP and the v8.2 AdvSIMD; ID_AA64PFR0_EL1.FP and AdvSIMD are then 1 (DDI 0487, FEAT_SVE) */
TEST(sve, fp_and_simd_are_there_with_it, RULE("SVE-ID-2"))
{
	uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1);

	sve_need();
	EXPECT_EQ(BITS(pfr0, 35, 32), 1);
	EXPECT_EQ(BITS(pfr0, 19, 16), 1);
	EXPECT_EQ(BITS(pfr0, 23, 20), 1);
}
