/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state in which the guest enters an exception that KVM makes (arch/arm64/kvm/hyp/exception.c) instead of the CPU.
 * The first instruction of each vector exits, so that user space sees the registers as the entry left them.
 */
#include "regs.h"
#include "tables.h"
#include <string.h>

#define VECTORS	  VM_FREE_BASE
#define CODE	  (VM_FREE_BASE + 0x1000)
#define STORE_X20 0xf900029fU /* str xzr, [x20] */
#define READ_PMCR 0xd53b9c00U /* mrs x0, pmcr_el0: UNDEFINED without a PMU */

#define REG_SPSR_EL1  REG_CORE(spsr[KVM_SPSR_EL1], KVM_REG_SIZE_U64)
#define REG_ELR_EL1   REG_CORE(elr_el1, KVM_REG_SIZE_U64)
#define REG_SCTLR_EL1 REG_SYS(3, 0, 1, 0, 0)

#define NZCV	   0xf0000000ULL
#define PSTATE_PAN (1ULL << 22)
#define PSTATE_SS  (1ULL << 21)
#define PSTATE_IL  (1ULL << 20)
#define DAIF	   0x3c0ULL
#define EL1H	   5U
#define SPAN	   (1ULL << 23)

/*
 * DDI 0487 D1.3: vector by where it came from, ELR and SPSR what was, then EL1h with everything masked; the flags stay,
 * SS and IL are clear, and PAN is set unless SCTLR_EL1.SPAN is.
 */
TEST(aborts, exception_of_kvms_is_entered_as_the_cpus_are, RULE("KVM-ABORT-14"),
     VARIANTS("el1h: pstate=0xa0000005 vector=0x200 | el1t: pstate=0x50000084 vector=0 | "
	      "el0: pstate=0x90000000 vector=0x400 | flags: pstate=0xf0000345 vector=0x200 | "
	      "no_flags: pstate=0x3c5 vector=0x200 | undef: pstate=0x60000005 vector=0x200 undef=1 "
	      "| "
	      "undef_el0: pstate=0xa0000000 vector=0x400 undef=1 | "
	      "span: pstate=0x30000005 vector=0x200 span=1"))
{
	uint64_t before = test_param_u64("pstate", EL1H), vector = test_param_u64("vector", 0x200),
		 after;
	bool undef = test_param_u64("undef", 0), span = test_param_u64("span", 0);
	struct vm *vm = vm_new(.vcpus = 1);
	uint32_t *code = vm_host(vm, VECTORS);
	uint64_t pc = undef ? CODE : IPA_NOBODY + 0x40, sctlr = vcpu_get(vm, 0, REG_SCTLR_EL1);
	bool pan = vcpu_get(vm, 0, REG_SYS(3, 0, 0, 7, 1)) >> 20 & 0xf;

	for (unsigned int n = 0; n < 16; n++)
		code[n * 0x80 / 4] = STORE_X20;
	code[(CODE - VECTORS) / 4] = READ_PMCR;
	vm_sync_ram(vm, VECTORS, 0x2000);
	vcpu_set(vm, 0, REG_VBAR_EL1, VECTORS);
	vcpu_set(vm, 0, REG_SCTLR_EL1, span ? sctlr | SPAN : sctlr & ~SPAN);
	vcpu_set(vm, 0, REG_X(20), IPA_NOBODY);
	vcpu_set(vm, 0, REG_PSTATE, before);
	vcpu_set(vm, 0, REG_PC, pc);
	ASSERT_EQ(vcpu_run(vm, 0), KVM_EXIT_MMIO);
	EXPECT_EQ(vm->vcpu[0]->run->mmio.phys_addr, IPA_NOBODY);
	EXPECT_EQ(vcpu_get(vm, 0, REG_PC), VECTORS + vector);
	EXPECT_EQ(vcpu_get(vm, 0, REG_ELR_EL1), pc);
	EXPECT_EQ(vcpu_get(vm, 0, REG_SPSR_EL1), before);
	after = vcpu_get(vm, 0, REG_PSTATE);
	EXPECT_EQ(after & 0x1f, EL1H);
	EXPECT_EQ(after & NZCV, before & NZCV);
	EXPECT_EQ(after & DAIF, DAIF);
	EXPECT_EQ(after & (PSTATE_SS | PSTATE_IL), 0);
	EXPECT_EQ(after & PSTATE_PAN, pan && !span ? PSTATE_PAN : 0);
}
