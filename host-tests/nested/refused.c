/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested virtualization not offered: KVM_ARM_VCPU_INIT with HAS_EL2 (api.rst 4.77). The errno changed: ENOENT while
 * the feature bits were unknown to KVM (up to 6.15), EINVAL since they are known but unsupported (6.16, when
 * KVM_CAP_ARM_EL2 came); vendors backport, so either is taken and which one it was is a fact.
 */
#include "regs.h"
#include "state.h"
#include <errno.h>
#include <string.h>

SUITE(nested, .tags = "refusal nested");

#define BIT_OF(feature) (1U << KVM_ARM_VCPU_##feature)

static void skip_if_offered(void)
{
	if (kvm_cap(KVM_CAP_ARM_EL2) > 0)
		SKIP("this host offers nested virtualization (KVM_CAP_ARM_EL2 is 1): nothing to "
		     "refuse");
}

static void refuse_init(uint32_t features)
{
	struct vm *vm = vm_new(.vcpus = 2, .gic = GIC_ANY, .no_gic_init = true,
			       .no_vcpu_init = true, .entry = guest_count);
	struct vm_state *before;
	int r;

	vcpu_init(vm, 0);
	before = vm_capture_parts(vm, STATE_ALL & ~(unsigned int)STATE_GIC);
	r = vcpu_try_init(vm, 1, BIT_OF(PSCI_0_2) | features);
	EXPECT_REFUSED(r, ENOENT, EINVAL);
	FACT("kvm.errno.has_el2", "%s", r ? strerrorname_np(-r) : "0");
	EXPECT_SAME_STATE(vm, before);
	/* and the vCPU is as good as new */
	vcpu_init(vm, 1);
	EXPECT_OK(vm_try_init_gic(vm));
	vm_start(vm, 0, 2);
	EXPECT_STILL_RUNNING(vm);
}

TEST(nested, has_el2_is_refused, RULE("KVM-EL2-1"))
{
	skip_if_offered();
	refuse_init(BIT_OF(HAS_EL2));
}

TEST(nested, has_el2_e2h0_is_refused, RULE("KVM-EL2-1"))
{
	skip_if_offered();
	if (kvm_cap(KVM_CAP_ARM_EL2_E2H0) > 0)
		SKIP("this host offers KVM_CAP_ARM_EL2_E2H0: nothing to refuse");
	refuse_init(BIT_OF(HAS_EL2) | BIT_OF(HAS_EL2_E2H0));
}

TEST(nested, e2h0_alone_is_refused, RULE("KVM-EL2-2"))
{
	if (kvm_cap(KVM_CAP_ARM_EL2_E2H0) > 0)
		SKIP("this host offers KVM_CAP_ARM_EL2_E2H0: nothing to refuse");
	refuse_init(BIT_OF(HAS_EL2_E2H0));
}

TEST(nested, refused_while_another_vcpu_runs, RULE("KVM-EL2-1"))
{
	struct vm *vm = vm_new(.vcpus = 2, .no_vcpu_init = true, .entry = guest_count);

	skip_if_offered();
	vcpu_init(vm, 0);
	vm_start(vm, 0, 1);
	EXPECT_STILL_RUNNING(vm);
	for (int i = 0; i < 50; i++)
		if (!EXPECT_REFUSED(vcpu_try_init(vm, 1, BIT_OF(PSCI_0_2) | BIT_OF(HAS_EL2)),
				    ENOENT, EINVAL))
			break;
	EXPECT_STILL_RUNNING(vm);
}

/* EL2's registers have op1 4 or 5 (DDI 0487 D22.3). AArch32's views that live there are AArch32 state. */
static bool is_el2_register(uint64_t id)
{
	unsigned int op1 = (unsigned int)(id >> 11 & 7);

	if ((id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM64_SYSREG || (op1 != 4 && op1 != 5))
		return false;
	return id != REG_SYS(2, 4, 0, 7, 0) /* DBGVCR32_EL2 */ &&
	       id != REG_SYS(3, 4, 3, 0, 0) /* DACR32_EL2 */ &&
	       id != REG_SYS(3, 4, 5, 0, 1) /* IFSR32_EL2 */ &&
	       id != REG_SYS(3, 4, 5, 3, 0) /* FPEXC32_EL2 */;
}

TEST(nested, register_list_has_no_el2_registers, RULE("KVM-EL2-3"))
{
	static struct reg_list list;
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY);
	char name[64];

	vcpu_reg_list(vm, 0, &list);
	EXPECT_GT(list.n, 40U);
	for (uint64_t i = 0; i < list.n; i++)
		if (is_el2_register(list.id[i]))
			test_differs(__FILE__, __LINE__, "register list of a vCPU without EL2",
				     reg_name(list.id[i], name, sizeof(name)), "no EL2 register");
}

static const uint64_t el2_registers[] = {
	REG_SYS(3, 4, 0, 0, 0),	 /* VPIDR_EL2 */
	REG_SYS(3, 4, 0, 0, 5),	 /* VMPIDR_EL2 */
	REG_SYS(3, 4, 1, 0, 0),	 /* SCTLR_EL2 */
	REG_SYS(3, 4, 1, 1, 0),	 /* HCR_EL2 */
	REG_SYS(3, 4, 1, 1, 1),	 /* MDCR_EL2 */
	REG_SYS(3, 4, 1, 1, 2),	 /* CPTR_EL2 */
	REG_SYS(3, 4, 2, 1, 0),	 /* VTTBR_EL2 */
	REG_SYS(3, 4, 2, 1, 2),	 /* VTCR_EL2 */
	REG_SYS(3, 4, 5, 2, 0),	 /* ESR_EL2 */
	REG_SYS(3, 4, 12, 0, 0), /* VBAR_EL2 */
	REG_SYS(3, 4, 14, 0, 3), /* CNTVOFF_EL2 */
};

/* 4.68, 4.69: ENOENT, "no such register" */
TEST(nested, one_reg_knows_no_el2_registers, RULE("KVM-EL2-3"))
{
	struct vm *vm = vm_new(.vcpus = 1, .gic = GIC_ANY, .entry = guest_count);
	struct vm_state *before;
	uint64_t value = 0;
	char name[64];

	vm_start(vm, 0, 1);
	before = vm_capture(vm);
	for (size_t i = 0; i < ARRAY_SIZE(el2_registers); i++) {
		bool good = EXPECT_REFUSED(vcpu_try_get(vm, 0, el2_registers[i], &value), ENOENT);

		good &= EXPECT_REFUSED(vcpu_try_set(vm, 0, el2_registers[i], &value), ENOENT);
		if (!good)
			NOTE("register was %s", reg_name(el2_registers[i], name, sizeof(name)));
	}
	EXPECT_SAME_STATE(vm, before);
	EXPECT_STILL_RUNNING(vm);
}

TEST(nested, capability_and_init_agree, RULE("KVM-EL2-4"), .limit_ms = 60000)
{
	struct vm *vm = vm_new(.vcpus = 1, .no_vcpu_init = true);
	int cap = vm_cap(vm, KVM_CAP_ARM_EL2);
	int r = vcpu_try_init(vm, 0, BIT_OF(PSCI_0_2) | BIT_OF(HAS_EL2));

	FACT("kvm.el2", "%d", cap);
	EXPECT_EQ(r == 0, cap > 0);
}
