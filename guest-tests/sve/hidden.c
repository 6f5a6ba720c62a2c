/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the VM was not given: ID registers say 0 and every access is UNDEFINED,
 * on hosts without the feature by nature, on hosts that have it because KVM
 * turns its traps into that (arch/arm64/kvm/handle_exit.c, sys_regs.c).
 */
#include "common.h"
#include "timer.h"

struct attempt {
	const char *what;
	void (*run)(void);
};

/* CPACR_EL1 is open meanwhile, so that no trap is the guest's own. */
static void expect_undefined(const struct attempt *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct exception e;

		cpacr(CPACR_OPEN | CPACR_SMEN(3));
		e = try_function(list[i].run);
		cpacr(CPACR_OPEN);
		if (!e.taken)
			test_fail(__FILE__, __LINE__, list[i].what,
				  "got no exception, want EC 0x0 (UNDEFINED)");
		else if (e.ec != EC_UNKNOWN)
			test_fail(__FILE__, __LINE__, list[i].what,
				  "got EC 0x%x (%s), want EC 0x0 (UNDEFINED)", e.ec, ec_name(e.ec));
	}
}

TEST(sve, without_it_every_access_is_undefined, RULE("SVE-HIDE-1"), .vmm = "--sve off")
{
	static const struct attempt list[] = {
		{"RDVL", sve_try_rdvl},
		{"PTRUE", sve_try_ptrue},
		{"DUP (Z)", sve_try_dup},
		{"RDFFR", sve_try_rdffr},
		{"LDR (Z)", sve_try_ldr},
		{"MRS ZCR_EL1", sve_try_read_zcr},
		{"MSR ZCR_EL1", sve_try_write_zcr},
	};

	/* without a test port nobody promised that --sve off was obeyed */
	if (!port_present())
		NEED("sve-off", !sve_in_ids(), "this VM has SVE and no way to ask it not to");
	EXPECT_EQ(BITS(read_sysreg(id_aa64pfr0_el1), 35, 32), 0);
	expect_undefined(list, ARRAY_SIZE(list));
}

/*
 * KVM hands the FP registers over at their first use and lifts their trap; the one of SVE must stay,
 * also when the VM is entered again with the registers still there (hyp, __activate_cptr_traps).
 */
TEST(sve, without_it_fp_does_not_open_it, RULE("SVE-HIDE-1"), .vmm = "--sve off")
{
	static const struct attempt list[] = {
		{"RDVL", sve_try_rdvl},	  {"PTRUE", sve_try_ptrue},
		{"DUP (Z)", sve_try_dup}, {"RDFFR", sve_try_rdffr},
		{"LDR (Z)", sve_try_ldr}, {"MRS ZCR_EL1", sve_try_read_zcr},
	};
	uint32_t *reg = sve_exit_register();

	EXPECT_EQ(sve_in_ids(), false);
	for (unsigned int round = 0; round < 4; round++) {
		cpacr(CPACR_OPEN);
		sve_write_v();
		if (round & 1)
			mmio_wr32((uint64_t)reg, round); /* out and in again */
		if (round & 2)
			delay_ms(5); /* and over a tick of the host */
		expect_undefined(list, ARRAY_SIZE(list));
	}
}

/* DDI 0487 D24: ID_AA64ZFR0_EL1 is RES0 where SVE is not implemented */
TEST(sve, without_it_the_id_registers_are_zero, RULE("SVE-HIDE-2"), .vmm = "--sve off")
{
	if (!port_present())
		NEED("sve-off", !sve_in_ids(), "this VM has SVE and no way to ask it not to");
	EXPECT_EQ(BITS(read_sysreg(id_aa64pfr0_el1), 35, 32), 0);
	EXPECT_EQ(read_sysreg(ID_AA64ZFR0_EL1), 0);
}

static uint64_t el0_rdvl(uint64_t arg)
{
	(void)arg;
	return sve_bytes();
}

TEST(sve, without_it_el0_cannot_use_it_either, RULE("SVE-HIDE-3"), .vmm = "--sve off")
{
	struct exception e;

	if (!port_present())
		NEED("sve-off", !sve_in_ids(), "this VM has SVE and no way to ask it not to");
	cpacr(CPACR_OPEN);
	el0_call(el0_rdvl, 0, 0x3c0, &e);
	EXPECT_TRUE(e.taken);
	EXPECT_EQ(e.ec, EC_UNKNOWN);
}

/*
 * SME is given to no VM that did not ask for it, and refvmm does not ask:
 * ID_AA64PFR1_EL1.SME (bits 27:24) and ID_AA64SMFR0_EL1 are 0, SMSTART, SVCR
 * and SMCR_EL1 UNDEFINED. TPIDR2_EL0 should be as well, but is only measured: a
 * 6.1 kernel built without SME leaves it open on a CPU that has it, for KVM set
 * that fine-grained trap only with SME then (arch/arm64/kvm/hyp, switch.h).
 */
TEST(sve, sme_is_hidden_and_undefined, RULE("SVE-SME-1"), .variants = "sve: | sve_off: --sve off")
{
	static const struct attempt list[] = {
		{"SMSTART SM", sme_try_smstart_sm},
		{"SMSTART ZA", sme_try_smstart_za},
		{"MRS SVCR", sme_try_read_svcr},
		{"MRS SMCR_EL1", sme_try_read_smcr},
	};
	uint64_t sme = BITS(read_sysreg(ID_AA64PFR1_EL1), 27, 24);

	if (!port_present())
		NEED("no-sme", sme == 0, "this VM offers SME and no way to ask it not to");
	EXPECT_EQ(sme, 0);
	EXPECT_EQ(read_sysreg(ID_AA64SMFR0_EL1), 0);
	expect_undefined(list, ARRAY_SIZE(list));
	FACT("sve.tpidr2_el0", "%s",
	     try_function(sme_try_read_tpidr2).taken ? "undefined" : "accessible");
}
