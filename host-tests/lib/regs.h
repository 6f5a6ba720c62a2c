/* SPDX-License-Identifier: Apache-2.0 */
/* Register ids of KVM_GET/SET_ONE_REG (Documentation/virt/kvm/api.rst, 4.68) and their names. */
#ifndef HOST_REGS_H
#define HOST_REGS_H

#include "uapi.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REG_CORE(member, size) \
	(KVM_REG_ARM64 | (size) | KVM_REG_ARM_CORE | (offsetof(struct kvm_regs, member) / 4))
#define REG_X(n)   (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (2 * (uint64_t)(n)))
#define REG_PC	   REG_CORE(regs.pc, KVM_REG_SIZE_U64)
#define REG_SP	   REG_CORE(regs.sp, KVM_REG_SIZE_U64)
#define REG_PSTATE REG_CORE(regs.pstate, KVM_REG_SIZE_U64)
#define REG_SP_EL1 REG_CORE(sp_el1, KVM_REG_SIZE_U64)

#define REG_SYS(op0, op1, crn, crm, op2) ARM64_SYS_REG(op0, op1, crn, crm, op2)
#define REG_MPIDR_EL1			 REG_SYS(3, 0, 0, 0, 5)
#define REG_ID_AA64PFR0_EL1		 REG_SYS(3, 0, 0, 4, 0)
#define REG_ID_AA64PFR1_EL1		 REG_SYS(3, 0, 0, 4, 1)
#define REG_ID_AA64MMFR0_EL1		 REG_SYS(3, 0, 0, 7, 0)
#define REG_ID_AA64MMFR4_EL1		 REG_SYS(3, 0, 0, 7, 4)
#define REG_MIDR_EL1			 REG_SYS(3, 0, 0, 0, 0)
#define REG_CLIDR_EL1			 REG_SYS(3, 1, 0, 0, 1)
#define REG_CTR_EL0			 REG_SYS(3, 3, 0, 0, 1)
#define REG_VBAR_EL1			 REG_SYS(3, 0, 12, 0, 0)
#define REG_TPIDR_EL1			 REG_SYS(3, 0, 13, 0, 4)

#define REG_SVE_VLS KVM_REG_ARM64_SVE_VLS

#define REG_LIST_MAX 2048

struct reg_list {
	uint64_t n;
	uint64_t id[REG_LIST_MAX];
};

struct vm;
/* KVM_GET_REG_LIST of a vCPU. */
void vcpu_reg_list(struct vm *vm, unsigned int i, struct reg_list *list);
size_t reg_size(uint64_t id); /* bytes */
/* Counts by itself, even with no vCPU running. */
bool reg_ticks(uint64_t id);
/* "x5", "pc", "vbar_el1" or "sys(3,0,12,0,0)", "sve_z0.0", "0x6030..." */
const char *reg_name(uint64_t id, char *buf, size_t size);

#endif
