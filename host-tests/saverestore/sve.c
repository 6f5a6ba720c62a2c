/* SPDX-License-Identifier: Apache-2.0 */
/* The order SVE state has to be set up in: Documentation/virt/kvm/api.rst 4.68, 4.77, 4.119 (KVM_ARM_VCPU_FINALIZE). */
#include "regs.h"
#include "vm.h"
#include <errno.h>
#include <string.h>

#define SVE_BIT (1U << KVM_ARM_VCPU_SVE)
#define Z0	KVM_REG_ARM64_SVE_ZREG(0, 0)
#define P0	KVM_REG_ARM64_SVE_PREG(0, 0)

static struct vm *unfinalized(void)
{
	return vm_new(.vcpus = 1, .sve = true, .no_finalize = true);
}

TEST(saverestore, sve_registers_wait_for_finalize, RULE("KVM-SVE-1"))
{
	struct vm *vm = unfinalized();
	uint8_t z[256] = {};

	EXPECT_REFUSED(vcpu_try_get(vm, 0, Z0, z), EPERM);
	EXPECT_REFUSED(vcpu_try_set(vm, 0, Z0, z), EPERM);
	EXPECT_REFUSED(vcpu_try_get(vm, 0, P0, z), EPERM);
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	EXPECT_OK(vcpu_try_get(vm, 0, Z0, z));
	EXPECT_OK(vcpu_try_set(vm, 0, Z0, z));
}

TEST(saverestore, run_waits_for_finalize, RULE("KVM-SVE-1"))
{
	struct vm *vm = unfinalized();

	EXPECT_REFUSED(vcpu_run(vm, 0), EPERM);
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	RUN_TO_END(vm, 0);
}

TEST(saverestore, vector_lengths_are_fixed_by_finalize, RULE("KVM-SVE-2"))
{
	struct vm *vm = unfinalized();
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};

	EXPECT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, vls));
	EXPECT_NE(vls[0], 0);
	EXPECT_OK(vcpu_try_set(vm, 0, REG_SVE_VLS, vls));
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SVE_VLS, vls), EPERM);
}

/* 4.119: EPERM "the feature is already finalized"; EINVAL "feature not enabled or unknown" */
TEST(saverestore, second_finalize_is_refused, RULE("KVM-SVE-3"))
{
	struct vm *vm = unfinalized();

	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	EXPECT_REFUSED(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE), EPERM);
	EXPECT_REFUSED(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_PMU_V3), EINVAL);
}

TEST(saverestore, finalize_without_sve_is_refused, RULE("KVM-SVE-3"))
{
	struct vm *vm = vm_new(.vcpus = 1);

	EXPECT_REFUSED(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE), EINVAL);
	RUN_TO_END(vm, 0);
}

/* On hosts without SVE the feature itself is refused, and the registers do not exist. */
TEST(saverestore, sve_absent_is_refused, RULE("KVM-SVE-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true);
	uint64_t vls[KVM_ARM64_SVE_VLS_WORDS] = {};

	if (vm_cap(vm, KVM_CAP_ARM_SVE) > 0)
		SKIP("this host offers SVE (KVM_CAP_ARM_SVE is 1): nothing to refuse");
	EXPECT_REFUSED(vcpu_try_init(vm, 0, 1U << KVM_ARM_VCPU_PSCI_0_2 | SVE_BIT), EINVAL);
	vcpu_init(vm, 0);
	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_SVE_VLS, vls), ENOENT);
	RUN_TO_END(vm, 0);
}

/* A set without 128 bits is no set (DDI 0487, SVE: every implementation has VQ 1). */
TEST(saverestore, impossible_vector_lengths_are_refused, RULE("KVM-SVE-2"))
{
	struct vm *vm = unfinalized();
	uint64_t good[KVM_ARM64_SVE_VLS_WORDS] = {}, bad[KVM_ARM64_SVE_VLS_WORDS],
		 is[KVM_ARM64_SVE_VLS_WORDS];
	unsigned int top;

	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, good));
	memset(bad, 0, sizeof(bad));
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SVE_VLS, bad), EINVAL);
	/* longer than the host has */
	top = 63U - (unsigned int)__builtin_clzll(good[0]);
	memcpy(bad, good, sizeof(bad));
	bad[top < 63 ? 0 : 1] |= 1ULL << (top + 1) % 64;
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SVE_VLS, bad), EINVAL);
	/* 128 bits left out */
	if (good[0] & ~1ULL) {
		memcpy(bad, good, sizeof(bad));
		bad[0] &= ~1ULL;
		EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SVE_VLS, bad), EINVAL);
	}
	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, is));
	EXPECT_EQ(is[0], good[0]);
	/* 128 bits alone always works */
	memset(bad, 0, sizeof(bad));
	bad[0] = 1;
	EXPECT_OK(vcpu_try_set(vm, 0, REG_SVE_VLS, bad));
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	RUN_TO_END(vm, 0);
}

/* 4.68: the Z and P registers as arrays of bytes, of which those beyond the vCPU's longest vector read as zero */
TEST(saverestore, sve_registers_take_every_byte, RULE("KVM-REG-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .sve = true);
	uint64_t vls[8] = {0};
	uint8_t want[256], got[256];
	size_t vl = 0;

	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, vls));
	for (size_t vq = 1; vq <= 16; vq++)
		if (vls[0] >> (vq - 1) & 1)
			vl = 16 * vq;
	ASSERT_GE(vl, 16U);
	for (unsigned int n = 0; n < 48; n++) {
		bool z = n < 32;
		uint64_t id = z ? KVM_REG_ARM64_SVE_ZREG(n, 0) : KVM_REG_ARM64_SVE_PREG(n - 32, 0);
		size_t size = z ? 256 : 32, used = z ? vl : vl / 8;

		memset(want, 0, sizeof(want));
		memset(got, 0xa5, sizeof(got)); /* what the register lacks reads zero */
		for (size_t i = 0; i < used; i++)
			want[i] = (uint8_t)(1 + (7UL * n + i) % 255);
		EXPECT_OK(vcpu_try_set(vm, 0, id, want));
		EXPECT_OK(vcpu_try_get(vm, 0, id, got));
		if (!EXPECT_TRUE(memcmp(got, want, size) == 0))
			NOTE("%c%u of %zu bytes", z ? 'z' : 'p', z ? n : n - 32, used);
	}
}
