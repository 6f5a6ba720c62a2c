/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which fields of the ID registers user space may change: KVM_ARM_GET_REG_WRITABLE_MASKS (Documentation/virt/kvm/api.rst
 * 4.139, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES). Inside the masks a field may be lowered, outside nothing changes.
 */
#include "regs.h"
#include "state.h"
#include <errno.h>

/* struct reg_mask_range (arch/arm64/include/uapi/asm/kvm.h, since 6.7) */
struct mask_range {
	uint64_t addr;
	uint32_t range, reserved[13];
};
#define GET_MASKS _IOR(KVMIO, 0xb6, struct mask_range)
#define MASKS	  (3 * 8 * 8)

static uint64_t masks[MASKS];

/* Index of a register of op1 0 (KVM_ARM_FEATURE_ID_RANGE_IDX). */
#define AT(crm, op2) ((crm)*8 + (op2))

static void get_masks(struct vm *vm)
{
	struct mask_range r = {.addr = (uintptr_t)masks};

	if (vm_cap(vm, KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES) <= 0)
		SKIP("KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES is 0 (before Linux 6.7): no field is "
		     "writable");
	for (unsigned int i = 0; i < MASKS; i++)
		masks[i] = 0xaaaaaaaaaaaaaaaa;
	ASSERT_OK(vm_ioctl(vm, GET_MASKS, &r));
}

TEST(idregs, writable_masks_are_asked_for_properly, RULE("KVM-SHADOW-7"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = guest_count);
	struct mask_range r = {.addr = (uintptr_t)masks};
	struct vm_state *before;

	get_masks(vm);
	EXPECT_NE(masks[AT(6, 0)], 0U); /* ISAR0 has */
	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	r.range = 1;
	EXPECT_REFUSED(vm_ioctl(vm, GET_MASKS, &r), EINVAL);
	r.range = 0;
	for (unsigned int i = 0; i < 13; i++) {
		r.reserved[i] = 1;
		EXPECT_REFUSED(vm_ioctl(vm, GET_MASKS, &r), EINVAL);
		r.reserved[i] = 0;
	}
	r.addr = 0xffff000000000000;
	EXPECT_REFUSED(vm_ioctl(vm, GET_MASKS, &r), EFAULT);
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

/*
 * Left out: fields of which KVM takes the host's value and drops it, for guests of older kernels (MPAM, MTE_frac, NV; see
 * set_id_aa64pfr0_el1).
 */
static bool is_dropped(unsigned int crm, unsigned int op2, unsigned int shift)
{
	if (crm == 7)
		return op2 == 2 && shift == 24; /* MMFR2.NV */
	return crm == 4 &&
	       ((op2 == 0 && shift == 40) || (op2 == 1 && (shift == 16 || shift == 40)));
}

/* Every bit outside the masks, register by register: EINVAL, and the register is what it was. */
TEST(idregs, fields_outside_the_masks_do_not_change, RULE("KVM-SHADOW-7"),
     VARIANTS("pfr: crm=4 | dfr: crm=5 | isar: crm=6 | mmfr: crm=7"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	unsigned int crm = (unsigned int)test_param_u64("crm", 4), tried = 0;
	char name[64];

	get_masks(vm);
	for (unsigned int op2 = 0; op2 < 8; op2++) {
		uint64_t id = REG_SYS(3, 0, 0, crm, op2), was = vcpu_get(vm, 0, id);

		for (unsigned int shift = 0; shift < 64; shift++) {
			uint64_t bad = was ^ 1ULL << shift;

			if (masks[AT(crm, op2)] >> shift & 1 || is_dropped(crm, op2, shift & ~3U))
				continue;
			tried++;
			if (!EXPECT_REFUSED(vcpu_try_set(vm, 0, id, &bad), EINVAL))
				NOTE("bit %u of %s", shift, reg_name(id, name, sizeof(name)));
		}
		EXPECT_EQ(vcpu_get(vm, 0, id), was);
	}
	EXPECT_GT(tried, 60U);
}

GUEST(read_isar)
{
	guest_result(0, guest_sysreg(S3_0_C0_C6_0));
	guest_result(1, guest_sysreg(S3_0_C0_C6_1));
	guest_result(2, guest_sysreg(S3_0_C0_C6_2));
}

/* Each field of the ISAR registers (all of them unsigned): raised EINVAL, hidden taken; then the guest sees none. */
TEST(idregs, instruction_fields_are_hidden_one_by_one, RULE("KVM-SHADOW-7"),
     VARIANTS("isar0: op2=0 | isar1: op2=1 | isar2: op2=2"))
{
	struct vm *vm = vm_new(.vcpus = 1, .entry = read_isar);
	unsigned int op2 = (unsigned int)test_param_u64("op2", 0);
	uint64_t id = REG_SYS(3, 0, 0, 6, op2), is = vcpu_get(vm, 0, id), mask;

	get_masks(vm);
	mask = masks[AT(6, op2)];
	for (unsigned int shift = 0; shift < 64; shift += 4) {
		uint64_t field = is >> shift & 0xf, more = is + (1ULL << shift),
			 less = is & ~(0xfULL << shift);

		if ((mask >> shift & 0xf) != 0xf || !field)
			continue;
		if (field < 15 && !EXPECT_REFUSED(vcpu_try_set(vm, 0, id, &more), EINVAL))
			NOTE("field at %u", shift);
		if (!EXPECT_OK(vcpu_try_set(vm, 0, id, &less)))
			NOTE("field at %u", shift);
		EXPECT_EQ(vcpu_get(vm, 0, id), less);
		is = less;
	}
	RUN_TO_END(vm, 0);
	EXPECT_EQ(vm->vcpu[0]->result[op2], is);
	/* for ever: what has run keeps its features, and takes them back once more (api.rst 4.68) */
	mask = is ^ 1;
	EXPECT_REFUSED(vcpu_try_set(vm, 0, id, &mask), EBUSY);
	EXPECT_OK(vcpu_try_set(vm, 0, id, &is));
}

/* DDI 0487, ID_AA64DFR0_EL1.DebugVer: 6 is Armv8, the lowest that a CPU can have; KVM: down to it, never above the host's */
TEST(idregs, debug_version_is_armv8_at_least, RULE("KVM-SHADOW-7"))
{
	struct vm *vm = vm_new(.vcpus = 1);
	uint64_t id = REG_SYS(3, 0, 0, 5, 0), is = vcpu_get(vm, 0, id), host = is & 0xf;

	get_masks(vm);
	if ((masks[AT(5, 0)] & 0xf) != 0xf)
		SKIP("this KVM lets no VMM change ID_AA64DFR0_EL1.DebugVer (before Linux 6.7)");
	for (uint64_t version = 0; version < 16; version++) {
		uint64_t value = (is & ~0xfULL) | version;
		int r = vcpu_try_set(vm, 0, id, &value);

		if (version < 6 || version > host)
			EXPECT_REFUSED(r, EINVAL);
		else if (EXPECT_OK(r))
			EXPECT_EQ(vcpu_get(vm, 0, id), value);
	}
	EXPECT_EQ(vcpu_get(vm, 0, id), is);
}
