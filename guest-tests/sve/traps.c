/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's own controls: CPACR_EL1.ZEN and FPEN trap SVE to EL1 (DDI 0487
 * D24, CPACR_EL1; the order of the two in AArch64.CheckSVEEnabled), for the
 * hypervisor must neither swallow such a trap nor add one.
 */
#include "common.h"

static void (*const attempts[])(void) = {
	sve_try_rdvl, sve_try_ptrue, sve_try_dup, sve_try_rdffr, sve_try_ldr,
};

/* ZEN 0b00 and 0b10 trap at EL1; 0b10 is as 0b00 */
TEST(sve, zen_traps_every_instruction_at_el1, RULE("SVE-TRAP-1"))
{
	static const uint64_t zen[] = {0, 2};

	sve_need();
	for (size_t i = 0; i < ARRAY_SIZE(zen); i++) {
		for (size_t n = 0; n < ARRAY_SIZE(attempts); n++) {
			struct exception e;

			cpacr(CPACR_ZEN(zen[i]) | CPACR_FPEN(3));
			e = try_function(attempts[n]);
			cpacr(CPACR_OPEN);
			EXPECT_TRUE(e.taken);
			EXPECT_EQ(e.ec, EC_SVE);
		}
	}
}

/* ZCR_EL1 is trapped by ZEN as well (DDI 0487 D24, ZCR_EL1, accessibility) */
TEST(sve, zen_traps_zcr_at_el1, RULE("SVE-TRAP-2"))
{
	struct exception rd, wr;

	sve_need();
	cpacr(CPACR_FPEN(3));
	rd = try_function(sve_try_read_zcr);
	wr = try_function(sve_try_write_zcr);
	cpacr(CPACR_OPEN);
	EXPECT_EQ(rd.ec, EC_SVE);
	EXPECT_EQ(wr.ec, EC_SVE);
}

/* ZEN open and FPEN closed: the FP trap, EC 0x07; both closed: ZEN is looked at first */
TEST(sve, zen_is_looked_at_before_fpen, RULE("SVE-TRAP-3"))
{
	struct exception both, fp;

	sve_need();
	cpacr(0);
	both = try_function(sve_try_rdvl);
	cpacr(CPACR_ZEN(3));
	fp = try_function(sve_try_rdvl);
	cpacr(CPACR_OPEN);
	EXPECT_EQ(both.ec, EC_SVE);
	EXPECT_EQ(fp.ec, EC_FP);
}

/* FP and SIMD go on while SVE is trapped */
TEST(sve, zen_does_not_trap_simd, RULE("SVE-TRAP-4"))
{
	struct exception e;

	sve_need();
	cpacr(CPACR_FPEN(3));
	e = try_function(sve_write_v);
	cpacr(CPACR_OPEN);
	EXPECT_TRUE(!e.taken);
}

static uint64_t el0_rdvl(uint64_t arg)
{
	(void)arg;
	return sve_bytes();
}

/* ZEN 0b01 traps at EL0 and not at EL1; 0b00 and 0b10 at both */
TEST(sve, zen_traps_at_el0, RULE("SVE-TRAP-5"))
{
	static const uint64_t zen[] = {0, 1, 2};
	struct exception at_el0, at_el1;

	sve_need();
	for (size_t i = 0; i < ARRAY_SIZE(zen); i++) {
		cpacr(CPACR_ZEN(zen[i]) | CPACR_FPEN(3));
		el0_call(el0_rdvl, 0, 0x3c0, &at_el0);
		at_el1 = try_function(sve_try_rdvl);
		cpacr(CPACR_OPEN);
		EXPECT_TRUE(at_el0.taken);
		EXPECT_EQ(at_el0.ec, EC_SVE);
		EXPECT_EQ(at_el1.taken, zen[i] != 1);
	}
}

/* Without a trap EL0 has the length that EL1 chose: there is no ZCR_EL0 */
TEST(sve, el0_has_the_length_that_el1_chose, RULE("SVE-EL0-1"))
{
	struct exception e;
	uint64_t set;

	sve_need();
	set = sve_lengths();
	for (unsigned int vq = 1; vq <= SVE_VQ_MAX; vq++) {
		uint64_t bytes;

		if (!(set & BIT(vq - 1)))
			continue;
		sve_ask(vq);
		bytes = el0_call(el0_rdvl, 0, 0x3c0, &e);
		EXPECT_TRUE(!e.taken);
		EXPECT_EQ(bytes, vq * 16);
	}
}

static uint64_t el0_zcr(uint64_t arg)
{
	(void)arg;
	return read_sysreg(ZCR_EL1);
}

/* an EL1 register is UNDEFINED at EL0, whatever ZEN says */
TEST(sve, zcr_is_undefined_at_el0, RULE("SVE-EL0-2"))
{
	struct exception e;

	sve_need();
	el0_call(el0_zcr, 0, 0x3c0, &e);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.ec, EC_UNKNOWN);
}
