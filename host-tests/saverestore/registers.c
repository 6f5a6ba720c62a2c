/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What saving and restoring a VM needs of KVM's register interface (Documentation/virt/kvm/api.rst 4.68 to 4.70).
 * That a VMM or a vendor supports save/restore is another matter; these are the facts beside it.
 */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

SUITE(saverestore, .tags = "refusal saverestore");

static struct reg_list list;

/* Views that clear the bits written as one, for user space too since 6.12 (set_pmreg): their SET twins carry the state. */
static bool clears_on_write(uint64_t id)
{
	return id == REG_SYS(3, 0, 9, 14, 2) /* PMINTENCLR_EL1 */ ||
	       id == REG_SYS(3, 3, 9, 12, 2) /* PMCNTENCLR_EL0 */ ||
	       id == REG_SYS(3, 3, 9, 12, 3) /* PMOVSCLR_EL0 */;
}

/*
 * Before the first run: writing an ID register, or a firmware register, back with its own value must succeed for
 * ever after, that is what restoring does.
 */
TEST(saverestore, every_register_round_trips, RULE("KVM-REG-1"),
     VARIANTS("plain: | sve: sve=1 | pmu: pmu=1 | pauth: pauth=1"))
{
	bool sve = test_param_u64("sve", 0), pmu = test_param_u64("pmu", 0),
	     pauth = test_param_u64("pauth", 0);
	uint32_t features = 0;
	struct vm *vm;
	uint8_t was[256], is[256];
	char name[64];

	if (pmu && kvm_cap(KVM_CAP_ARM_PMU_V3) <= 0)
		SKIP_NEEDS("pmu", "KVM_CAP_ARM_PMU_V3 is 0 on this host");
	if (pauth && (kvm_cap(KVM_CAP_ARM_PTRAUTH_ADDRESS) <= 0 ||
		      kvm_cap(KVM_CAP_ARM_PTRAUTH_GENERIC) <= 0))
		SKIP_NEEDS("pauth", "KVM_CAP_ARM_PTRAUTH_ADDRESS or _GENERIC is 0 on this host");
	if (pmu)
		features |= 1U << KVM_ARM_VCPU_PMU_V3;
	if (pauth)
		features |= 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1U << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	vm = vm_new(.vcpus = 1, .sve = sve, .features = features);
	vcpu_reg_list(vm, 0, &list);
	ASSERT_GT(list.n, 60U);
	for (uint64_t i = 0; i < list.n; i++) {
		uint64_t id = list.id[i];
		bool good;

		reg_name(id, name, sizeof(name));
		memset(was, 0, sizeof(was));
		memset(is, 0, sizeof(is));
		good = EXPECT_OK(vcpu_try_get(vm, 0, id, was));
		if (id == KVM_REG_ARM64_SVE_VLS) {
			/* 4.68: may be written only before KVM_ARM_VCPU_FINALIZE */
			good &= EXPECT_REFUSED(vcpu_try_set(vm, 0, id, was), EPERM);
		} else {
			good &= EXPECT_OK(vcpu_try_set(vm, 0, id, was));
		}
		good &= EXPECT_OK(vcpu_try_get(vm, 0, id, is));
		if (!reg_ticks(id) && !clears_on_write(id) && memcmp(was, is, reg_size(id)) != 0)
			good = test_differs(__FILE__, __LINE__, name,
					    "another value after writing it back", "the same");
		if (!good)
			NOTE("register was %s (%#llx)", name, (unsigned long long)id);
	}
	NOTE("%llu registers", (unsigned long long)list.n);
}

/* 4.70: E2BIG, "the reg index list is too big to fit in the array ... the number required will be written into n" */
TEST(saverestore, short_register_list_is_refused, RULE("KVM-REG-2"))
{
	struct vm *vm = vm_new(.vcpus = 1);

	vcpu_reg_list(vm, 0, &list);
	for (uint64_t n = 0; n < list.n; n += list.n / 3) {
		static struct reg_list small;

		small.n = n;
		EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_REG_LIST, &small), E2BIG);
		EXPECT_EQ(small.n, list.n);
	}
}

static int by_id(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

TEST(saverestore, register_list_names_each_register_once, RULE("KVM-REG-2"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	char name[64];

	vcpu_reg_list(vm, 0, &list);
	qsort(list.id, list.n, sizeof(list.id[0]), by_id);
	for (uint64_t i = 1; i < list.n; i++)
		if (!EXPECT_NE(list.id[i], list.id[i - 1]))
			NOTE("register was %s", reg_name(list.id[i], name, sizeof(name)));
}

/* 4.68: ENOEXEC before KVM_ARM_VCPU_INIT (arch/arm64/kvm/arm.c, kvm_arch_vcpu_ioctl) */
TEST(saverestore, uninitialized_vcpu_has_no_registers, RULE("KVM-REG-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true);
	uint64_t value = 0;

	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_PC, &value), ENOEXEC);
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_PC, &value), ENOEXEC);
	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_MPIDR_EL1, &value), ENOEXEC);
	list.n = REG_LIST_MAX;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_REG_LIST, &list), ENOEXEC);
	vcpu_init(vm, 0);
	EXPECT_OK(vcpu_try_get(vm, 0, REG_PC, &value));
}

/* 4.68: ENOENT "no such register", EINVAL "invalid register ID" */
TEST(saverestore, unknown_registers_are_refused, RULE("KVM-REG-4"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct vm_state *before;
	uint64_t value[32] = {};

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	/* another architecture's register */
	EXPECT_REFUSED(vcpu_try_get(vm, 0, KVM_REG_X86 | KVM_REG_SIZE_U64 | 1, value), EINVAL,
		       ENOENT);
	EXPECT_REFUSED(vcpu_try_get(vm, 0, (REG_PC & ~KVM_REG_ARCH_MASK) | KVM_REG_X86, value),
		       EINVAL, ENOENT);
	/* no core register at this index */
	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_X(0) | 0xff00, value), ENOENT, EINVAL);
	/* a core register in the wrong size */
	EXPECT_REFUSED(vcpu_try_get(vm, 0, (REG_PC & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U32, value),
		       EINVAL);
	/* misaligned: the upper half of x0 */
	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_X(0) | 1, value), EINVAL);
	/* an encoding no architecture version has given out */
	EXPECT_REFUSED(vcpu_try_get(vm, 0, REG_SYS(3, 0, 9, 7, 5), value), ENOENT);
	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_SYS(3, 0, 9, 7, 5), value), ENOENT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* A read-only register takes its own value and no other (invariant registers: EINVAL). */
TEST(saverestore, invariant_register_takes_no_other_value, RULE("KVM-REG-5"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	uint64_t ctr = vcpu_get(vm, 0, REG_CTR_EL0), bad = ctr ^ 1ULL << 63;
	struct vm_state *before = vm_capture(vm);

	EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_CTR_EL0, &bad), EINVAL);
	EXPECT_OK(vcpu_try_set(vm, 0, REG_CTR_EL0, &ctr));
	EXPECT_SAME_STATE(vm, before);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
}
