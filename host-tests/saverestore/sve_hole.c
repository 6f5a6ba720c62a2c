/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only the maximum vector length can be lowered: below it the set is the hardware's (Documentation/virt/kvm/api.rst
 * 4.68, KVM_REG_ARM64_SVE_VLS; arch/arm64/kvm/guest.c, set_sve_vls).
 */
#include "regs.h"
#include "vm.h"
#include <errno.h>
#include <string.h>

TEST(saverestore, vector_length_below_the_maximum_is_not_hidden, RULE("KVM-SVE-6"))
{
	struct vm *vm = vm_new(.vcpus = 1, .sve = true, .no_finalize = true);
	uint64_t good[KVM_ARM64_SVE_VLS_WORDS] = {}, bad[KVM_ARM64_SVE_VLS_WORDS],
		 is[KVM_ARM64_SVE_VLS_WORDS] = {};
	unsigned int top, tried = 0;

	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, good));
	ASSERT_NE(good[0], 0);
	top = 63U - (unsigned int)__builtin_clzll(good[0]); /* bit 0 is 128 bits */
	for (unsigned int vq = 1; vq < top; vq++) {
		/* a length that is there left out, one that is not asked for */
		memcpy(bad, good, sizeof(bad));
		bad[0] ^= 1ULL << vq;
		if (!EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SVE_VLS, bad), EINVAL))
			NOTE("length was %u bits", (vq + 1) * 128);
		tried++;
	}
	if (!tried)
		SKIP("this host has no SVE length between 128 bits and its maximum: nothing could "
		     "be "
		     "hidden");
	ASSERT_OK(vcpu_try_get(vm, 0, REG_SVE_VLS, is));
	EXPECT_EQ(memcmp(is, good, sizeof(good)), 0);
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	RUN_TO_END(vm, 0);
}
