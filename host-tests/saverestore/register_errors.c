/* SPDX-License-Identifier: Apache-2.0 */
/* What the register interface refuses, class by class: Documentation/virt/kvm/api.rst 4.68, 4.69. */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>

#define BAD_POINTER	((void *)0xffff000000000000UL)
#define SIZED(id, size) (((id) & ~KVM_REG_SIZE_MASK) | (size))
#define FW(n)		KVM_REG_ARM_FW_REG(n)
#define V0                                                      \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE | \
	 (offsetof(struct kvm_regs, fp_regs.vregs) / 4))

/* EFAULT: no class reads or writes through a pointer that is none */
TEST(saverestore, registers_at_bad_addresses_are_refused, RULE("KVM-REG-7"))
{
	static const uint64_t ids[] = {
		REG_PC,
		REG_X(3),
		V0,
		REG_VBAR_EL1,
		REG_TPIDR_EL1,
		KVM_REG_ARM_TIMER_CVAL,
		FW(0),
		FW(1),
		REG_ID_AA64PFR0_EL1,
		KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX /* CCSIDR 0 */,
	};
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct vm_state *before;
	char name[64];

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		bool good = EXPECT_REFUSED(vcpu_try_get(vm, 0, ids[i], BAD_POINTER), EFAULT);

		good &= EXPECT_REFUSED(vcpu_try_set(vm, 0, ids[i], BAD_POINTER), EFAULT);
		if (!good)
			NOTE("register was %s", reg_name(ids[i], name, sizeof(name)));
	}
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_ONE_REG, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_ONE_REG, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_REG_LIST, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_VCPU_EVENTS, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_VCPU_EVENTS, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_MP_STATE, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_SET_MP_STATE, BAD_POINTER), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* "the size of the register does not match": ENOENT or EINVAL by class */
TEST(saverestore, registers_of_a_wrong_size_are_refused, RULE("KVM-REG-4"))
{
	static const struct {
		uint64_t id;
		int want;
	} bad[] = {
		{SIZED(REG_X(1), KVM_REG_SIZE_U128), EINVAL},
		{SIZED(REG_PSTATE, KVM_REG_SIZE_U32), EINVAL},
		{SIZED(V0, KVM_REG_SIZE_U64), EINVAL},
		{SIZED(REG_VBAR_EL1, KVM_REG_SIZE_U32), ENOENT},
		{SIZED(REG_VBAR_EL1, KVM_REG_SIZE_U128), ENOENT},
		{SIZED(FW(0), KVM_REG_SIZE_U32), ENOENT},
		{REG_CORE(regs.pc, KVM_REG_SIZE_U64) + 2000, ENOENT},
		{FW(99), ENOENT},
		{KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 255, ENOENT},
		{KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_DEMUX, ENOENT},
		{KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | 0x100, ENOENT},
	};
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct vm_state *before;
	uint64_t value[8] = {};

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bool good = EXPECT_REFUSED(vcpu_try_get(vm, 0, bad[i].id, value), bad[i].want);

		good &= EXPECT_REFUSED(vcpu_try_set(vm, 0, bad[i].id, value), bad[i].want);
		if (!good)
			NOTE("register id was %#llx", (unsigned long long)bad[i].id);
	}
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/* Modes a 64-bit vCPU without EL2 cannot be in (guest.c, set_core_reg): EINVAL. EL0t, EL1t, EL1h: taken. */
TEST(saverestore, impossible_processor_modes_are_refused, RULE("KVM-REG-8"))
{
	static const uint64_t bad[] = {0x8,  0x9,  0xc,	 0xd,  0x1,  0x2,  0x6,	 0x11,
				       0x12, 0x13, 0x16, 0x17, 0x1a, 0x1b, 0x1f, 0x14};
	static const uint64_t good[] = {0x3c0, 0x3c4, 0x3c5};
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct vm_state *before;

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t v = 0x3c0 | bad[i];

		if (!EXPECT_REFUSED(vcpu_try_set(vm, 0, REG_PSTATE, &v), EINVAL))
			NOTE("PSTATE was %#llx", (unsigned long long)v);
	}
	EXPECT_SAME_STATE(vm, before);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_OK(vcpu_try_set(vm, 0, REG_PSTATE, &good[i]));
		EXPECT_EQ(vcpu_get(vm, 0, REG_PSTATE), good[i]);
	}
	EXPECT_STILL_RUNNING(vm);
}

/* 4.68: with SVE the V registers are no core registers any more (EINVAL), without it there are no Z registers */
TEST(saverestore, vector_registers_have_one_name, RULE("KVM-SVE-7"))
{
	struct vm *plain = vm_new(.vcpus = 1), *sve;
	static const uint64_t none[] = {KVM_REG_ARM64_SVE_ZREG(0, 0), KVM_REG_ARM64_SVE_ZREG(31, 0),
					KVM_REG_ARM64_SVE_PREG(15, 0), KVM_REG_ARM64_SVE_FFR(0),
					KVM_REG_ARM64_SVE_VLS};
	uint8_t value[256] = {};

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_REFUSED(vcpu_try_get(plain, 0, none[i], value), ENOENT);
		EXPECT_REFUSED(vcpu_try_set(plain, 0, none[i], value), ENOENT);
	}
	EXPECT_OK(vcpu_try_get(plain, 0, V0, value));
	vm_free(plain);
	sve = vm_new(.vcpus = 1, .sve = true);
	EXPECT_REFUSED(vcpu_try_get(sve, 0, V0, value), EINVAL);
	EXPECT_REFUSED(vcpu_try_set(sve, 0, V0, value), EINVAL);
	EXPECT_REFUSED(vcpu_try_get(sve, 0, V0 + 4ULL * 31, value), EINVAL);
	/* one slice so far; ids beyond FFR are none */
	EXPECT_REFUSED(vcpu_try_get(sve, 0, KVM_REG_ARM64_SVE_ZREG(3, 1), value), ENOENT);
	EXPECT_REFUSED(vcpu_try_set(sve, 0, KVM_REG_ARM64_SVE_PREG(3, 31), value), ENOENT);
	EXPECT_REFUSED(vcpu_try_get(sve, 0, KVM_REG_ARM64_SVE_FFR(0) + 64, value), EINVAL);
	EXPECT_REFUSED(vcpu_try_get(sve, 0, KVM_REG_ARM64_SVE_ZREG(0, 0), BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_try_set(sve, 0, KVM_REG_ARM64_SVE_ZREG(0, 0), BAD_POINTER), EFAULT);
	EXPECT_OK(vcpu_try_get(sve, 0, KVM_REG_ARM64_SVE_ZREG(31, 0), value));
	EXPECT_OK(vcpu_try_get(sve, 0, KVM_REG_ARM64_SVE_FFR(0), value));
}

/* 4.119: the register list of a vCPU that is not finalized is EPERM, finalize before KVM_ARM_VCPU_INIT ENOEXEC */
TEST(saverestore, unfinished_vcpu_has_no_register_list, RULE("KVM-SVE-1"))
{
	struct vm *vm = vm_new(.vcpus = 1, .sve = true, .no_vcpu_init = true);
	static struct reg_list list;

	EXPECT_REFUSED(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE), ENOEXEC);
	EXPECT_OK(vcpu_try_init(vm, 0, vm_features(vm, 0)));
	list.n = REG_LIST_MAX;
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_GET_REG_LIST, &list), EPERM);
	EXPECT_REFUSED(vcpu_ioctl(vm, 0, KVM_ARM_VCPU_FINALIZE, BAD_POINTER), EFAULT);
	EXPECT_REFUSED(vcpu_try_finalize(vm, 0, 99), EINVAL);
	EXPECT_OK(vcpu_try_finalize(vm, 0, KVM_ARM_VCPU_SVE));
	EXPECT_OK(vcpu_ioctl(vm, 0, KVM_GET_REG_LIST, &list));
	EXPECT_GT(list.n, 100U);
}

/* The list's SVE part: 32 Z, 16 P, FFR and VLS, and no V; without SVE 32 V (4.68) */
TEST(saverestore, register_list_has_each_vector_register, RULE("KVM-REG-2"),
     VARIANTS("plain: | sve: sve=1"))
{
	bool sve = test_param_u64("sve", 0);
	static struct reg_list list;
	struct vm *vm = vm_new(.vcpus = 1, .sve = sve);
	unsigned int v = 0, s = 0, core = 0, timer = 0, twice = 0, zcr = 0;

	vcpu_reg_list(vm, 0, &list);
	for (uint64_t i = 0; i < list.n; i++) {
		uint64_t id = list.id[i];

		v += (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_CORE && reg_size(id) == 16;
		core += (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_CORE && reg_size(id) != 16;
		s += (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM64_SVE;
		timer += id == KVM_REG_ARM_TIMER_CTL || id == KVM_REG_ARM_TIMER_CNT ||
			 id == KVM_REG_ARM_TIMER_CVAL;
		zcr += id == REG_SYS(3, 0, 1, 2, 0);
		for (uint64_t k = 0; k < i; k++)
			twice += list.id[k] == id;
	}
	EXPECT_EQ(twice, 0U);
	EXPECT_EQ(zcr, sve);
	EXPECT_EQ(v, sve ? 0U : 32U);
	EXPECT_EQ(s, sve ? 50U : 0U);
	EXPECT_EQ(core,
		  31U + 3 + 2 + 5 + 2); /* x, sp pc pstate, sp_el1 elr_el1, spsr[5], fpsr fpcr */
	EXPECT_EQ(timer, 3U);
}
