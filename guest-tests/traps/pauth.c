/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointer authentication that a VM was given (DDI 0487 D8.10, "Pointer authentication"; api.rst, KVM_ARM_VCPU_PTRAUTH_ADDRESS
 * and _GENERIC): keys are this vCPU's own, and instructions use them. HCR_EL2.API and APK decide.
 */
#include "psci.h"
#include "report.h"
#include "smp.h"
#include "test.h"

#define ENIA BIT(31) /* SCTLR_EL1.EnIA: instructions with key IA sign */

/* APIA, APIB, APDA, APDB, APGA: low half, high half (D24.2) */
#define EACH_KEY(x)                                                                         \
	x(0, S3_0_C2_C1_0) x(1, S3_0_C2_C1_1) x(2, S3_0_C2_C1_2) x(3, S3_0_C2_C1_3)         \
		x(4, S3_0_C2_C2_0) x(5, S3_0_C2_C2_1) x(6, S3_0_C2_C2_2) x(7, S3_0_C2_C2_3) \
			x(8, S3_0_C2_C3_0) x(9, S3_0_C2_C3_1)

/* What the ID registers say: APA or API of ID_AA64ISAR1_EL1, or APA3 of ID_AA64ISAR2_EL1. */
static void need_pauth(void)
{
	uint64_t isar1 = read_sysreg(id_aa64isar1_el1), isar2 = read_sysreg(S3_0_C0_C6_2);

	NEED("pauth", BITS(isar1, 11, 4) || BITS(isar2, 15, 12),
	     "the ID registers say that this VM has no pointer authentication");
}

static bool keys_are_reachable(void)
{
	return EXPECT_NO_EXCEPTION("mrs x0, S3_0_C2_C1_0" : : : "x0");
}

static void set_keys(uint64_t salt)
{
#define SET(n, reg) write_sysreg(reg, (0x0123456789abcdefULL + (n)) * salt);
	EACH_KEY(SET)
	isb();
}

static void expect_keys(uint64_t salt)
{
#define IS(n, reg) EXPECT_EQ(read_sysreg(reg), (0x0123456789abcdefULL + (n)) * salt);
	EACH_KEY(IS)
}

static void other_sets(void *arg)
{
	set_keys(5);
	(void)arg;
}

static void other_expects(void *arg)
{
	expect_keys(5);
	(void)arg;
}

static uint64_t sign(uint64_t pointer, uint64_t modifier)
{
	__asm__ volatile(".arch_extension pauth\n\tpacia %0, %1" : "+r"(pointer) : "r"(modifier));
	return pointer;
}

static uint64_t strip(uint64_t pointer)
{
	__asm__ volatile(".arch_extension pauth\n\txpaci %0" : "+r"(pointer));
	return pointer;
}

/* FEAT_FPAC makes a failure an exception; without it the pointer that comes out is no good one. */
static bool authenticates(uint64_t signed_pointer, uint64_t modifier, uint64_t pointer)
{
	uint64_t p = signed_pointer;
	struct exception e = PROBE(".arch_extension pauth\n\tautia %0, %1"
				   : "+r"(p)
				   : "r"(modifier));

	return !e.taken && p == pointer;
}

TEST(traps, pauth_keys_are_this_vcpus_own, RULE("TRAP-PAUTH-1"),
     .vmm = "--smp 2 --cpu host,pmu=off,pauth=on")
{
	smp_need(2);
	need_pauth();
	if (!keys_are_reachable())
		return;
	set_keys(3);
	smp_call(1, other_sets, NULL);
	expect_keys(3);
	for (unsigned int n = 0; n < 20; n++) { /* out of the guest and back */
		psci_call(PSCI_VERSION, 0, 0, 0);
		if (port_present())
			port_ping(n);
	}
	expect_keys(3);
	smp_call(1, other_expects, NULL);
}

TEST(traps, pauth_signs_and_authenticates, RULE("TRAP-PAUTH-2"),
     .vmm = "--cpu host,pmu=off,pauth=on")
{
	uint64_t sctlr = read_sysreg(sctlr_el1), pointer = (uintptr_t)set_keys;
	unsigned int signs = 0, fooled = 0;

	need_pauth();
	if (!keys_are_reachable())
		return;
	set_keys(7);
	write_sysreg(sctlr_el1, sctlr | ENIA);
	isb();
	for (uint64_t modifier = 0; modifier < 16; modifier++) {
		uint64_t p = sign(pointer, modifier);

		signs += p != pointer;
		psci_call(PSCI_VERSION, 0, 0, 0);
		EXPECT_EQ(sign(pointer, modifier), p);
		EXPECT_EQ(strip(p), pointer);
		EXPECT_TRUE(authenticates(p, modifier, pointer));
		fooled += authenticates(p, modifier + 16, pointer);
	}
	write_sysreg(sctlr_el1, sctlr);
	isb();
	/* a code is at least 3 bits: that of a wrong modifier may be the same once or twice, never always */
	EXPECT_GE(signs, 8);
	EXPECT_LE(fooled, 8);
}
