/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing vCPU registers, and naming them for people. */
#include "regs.h"
#include "vm.h"
#include <stdio.h>
#include <string.h>

int vcpu_try_get(struct vm *vm, unsigned int i, uint64_t id, void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return (int)vcpu_ioctl(vm, i, KVM_GET_ONE_REG, &reg);
}

int vcpu_try_set(struct vm *vm, unsigned int i, uint64_t id, const void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return (int)vcpu_ioctl(vm, i, KVM_SET_ONE_REG, &reg);
}

uint64_t vcpu_get(struct vm *vm, unsigned int i, uint64_t id)
{
	uint64_t value = 0;
	char name[64];
	int r = vcpu_try_get(vm, i, id, &value);

	if (r)
		test_error("KVM_GET_ONE_REG(vCPU %u, %s): %s", i, reg_name(id, name, sizeof(name)),
			   strerrorname_np(-r));
	return value;
}

void vcpu_set(struct vm *vm, unsigned int i, uint64_t id, uint64_t value)
{
	char name[64];
	int r = vcpu_try_set(vm, i, id, &value);

	if (r)
		test_error("KVM_SET_ONE_REG(vCPU %u, %s, %#llx): %s", i,
			   reg_name(id, name, sizeof(name)), (unsigned long long)value,
			   strerrorname_np(-r));
}

void vcpu_start_at(struct vm *vm, unsigned int i, void (*snippet)(void))
{
	vcpu_set(vm, i, REG_PC, vm_snippet(vm, snippet));
}

void vcpu_reg_list(struct vm *vm, unsigned int i, struct reg_list *list)
{
	long r;

	list->n = REG_LIST_MAX;
	r = vcpu_ioctl(vm, i, KVM_GET_REG_LIST, list);
	if (r)
		test_error("KVM_GET_REG_LIST(vCPU %u): %s, n %llu", i, strerrorname_np((int)-r),
			   (unsigned long long)list->n);
}

size_t reg_size(uint64_t id)
{
	return (size_t)1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

static const uint64_t ticking[] = {
	KVM_REG_ARM_TIMER_CNT,	 KVM_REG_ARM_PTIMER_CNT, REG_SYS(3, 3, 14, 0, 1), /* CNTPCT_EL0 */
	REG_SYS(3, 3, 14, 0, 2),						  /* CNTVCT_EL0 */
	REG_SYS(3, 3, 9, 13, 0),						  /* PMCCNTR_EL0 */
};

bool reg_ticks(uint64_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(ticking); i++)
		if (ticking[i] == id)
			return true;
	return false;
}

/* Names for the registers a reader of a failure meets most; the rest print as encodings. */
static const struct {
	uint64_t id;
	const char *name;
} known[] = {
	{REG_PC, "pc"},
	{REG_SP, "sp"},
	{REG_PSTATE, "pstate"},
	{REG_SP_EL1, "sp_el1"},
	{REG_MPIDR_EL1, "mpidr_el1"},
	{REG_MIDR_EL1, "midr_el1"},
	{REG_ID_AA64PFR0_EL1, "id_aa64pfr0_el1"},
	{REG_ID_AA64PFR1_EL1, "id_aa64pfr1_el1"},
	{REG_ID_AA64MMFR0_EL1, "id_aa64mmfr0_el1"},
	{REG_ID_AA64MMFR4_EL1, "id_aa64mmfr4_el1"},
	{REG_CLIDR_EL1, "clidr_el1"},
	{REG_CTR_EL0, "ctr_el0"},
	{REG_VBAR_EL1, "vbar_el1"},
	{REG_TPIDR_EL1, "tpidr_el1"},
	{REG_SYS(3, 0, 1, 0, 0), "sctlr_el1"},
	{REG_SYS(3, 0, 2, 0, 0), "ttbr0_el1"},
	{REG_SYS(3, 0, 2, 0, 1), "ttbr1_el1"},
	{REG_SYS(3, 0, 2, 0, 2), "tcr_el1"},
	{REG_SYS(3, 0, 5, 2, 0), "esr_el1"},
	{REG_SYS(3, 0, 6, 0, 0), "far_el1"},
	{REG_SYS(3, 0, 10, 2, 0), "mair_el1"},
	{REG_SYS(3, 4, 12, 0, 0), "vbar_el2"},
	{REG_SYS(3, 4, 1, 1, 0), "hcr_el2"},
	{REG_SYS(3, 4, 1, 0, 0), "sctlr_el2"},
	{REG_SYS(3, 4, 2, 1, 0), "vttbr_el2"},
	{REG_SYS(3, 4, 2, 1, 2), "vtcr_el2"},
	{KVM_REG_ARM64_SVE_VLS, "sve_vls"},
	{KVM_REG_ARM_TIMER_CTL, "timer_ctl"},
	{KVM_REG_ARM_TIMER_CVAL, "timer_cval"},
	{KVM_REG_ARM_TIMER_CNT, "timer_cnt"},
};

const char *reg_name(uint64_t id, char *buf, size_t size)
{
	uint64_t low = id & 0xffff;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].id == id) {
			snprintf(buf, size, "%s", known[i].name);
			return buf;
		}
	switch (id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		if (low < 62)
			snprintf(buf, size, "x%u", (unsigned int)low / 2);
		else
			snprintf(buf, size, "core[%#x]", (unsigned int)low);
		break;
	case KVM_REG_ARM64_SYSREG:
		snprintf(buf, size, "sys(%u,%u,%u,%u,%u)", (unsigned int)(low >> 14 & 3),
			 (unsigned int)(low >> 11 & 7), (unsigned int)(low >> 7 & 15),
			 (unsigned int)(low >> 3 & 15), (unsigned int)(low & 7));
		break;
	case KVM_REG_ARM64_SVE:
		snprintf(buf, size, "sve[%#x]", (unsigned int)low);
		break;
	case KVM_REG_ARM_DEMUX:
		snprintf(buf, size, "ccsidr[%u]", (unsigned int)(low & 0xff));
		break;
	case KVM_REG_ARM_FW:
		snprintf(buf, size, "firmware[%u]", (unsigned int)low);
		break;
	default:
		snprintf(buf, size, "%#llx", (unsigned long long)id);
	}
	return buf;
}
