/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested virtualization at work, where KVM offers it (KVM_CAP_ARM_EL2): a guest hypervisor, its stage 2, its traps, its
 * timers and its virtual interrupts. DDI 0487 D1.10, D8, D11, D24.2; IHI 0069 H 6, 12.4 (ICH_*_EL2).
 */
#include "l2.h"

#define NESTED(name) TEST(nested, name, RULE("KVM-EL2-8"), .limit_ms = 60000)

/* ---- L2 runs at EL1, calls, and goes on where it was */

GUEST(l2_calls)
{
	uint64_t given = L2_CALL(7, guest_sysreg(CurrentEL) >> 2);

	L2_CALL(8, given * 3);
	L2_CALL(9, guest_sysreg(mpidr_el1));
}

GUEST(l1_runs_l2)
{
	uint64_t x0;

	l2_on(0);
	guest_set_sysreg(vmpidr_el2, 0x80000042);
	guest_result(0, l2_enter((uint64_t)&l2_calls, 0, &x0));
	guest_result(1, x0);
	guest_result(2, guest_sysreg(spsr_el2) & 0xf);
	guest_result(3, l2_enter(guest_sysreg(elr_el2), 0x111, &x0));
	guest_result(4, x0);
	guest_result(5, l2_enter(guest_sysreg(elr_el2), 0, &x0));
	guest_result(6, x0);
	guest_result(7, guest_sysreg(CurrentEL) >> 2);
}

NESTED(guest_of_a_guest_runs_and_calls)
{
	struct vm *vm = l2_vm(l1_runs_l2);
	const uint64_t *r = vm->vcpu[0]->result;

	RUN_TO_END(vm, 0);
	EXPECT_EQ(r[0], (uint64_t)EC_HVC << 26 | 1U << 25 | 7);
	EXPECT_EQ(r[1], 1);
	EXPECT_EQ(r[2], 5); /* EL1h */
	EXPECT_EQ(r[3], (uint64_t)EC_HVC << 26 | 1U << 25 | 8);
	EXPECT_EQ(r[4], 0x333);
	EXPECT_EQ(r[5], (uint64_t)EC_HVC << 26 | 1U << 25 | 9);
	EXPECT_EQ(r[6], 0x80000042); /* what the hypervisor says its guest's MPIDR is */
	EXPECT_EQ(r[7], 2);
}

/* ---- its stage 2: a fault with its syndrome and address, and the mapping that ends it */

#define ALIAS 0x80000000ULL

GUEST(l2_reads_alias)
{
	uint64_t at = ALIAS + L2_DATA - VM_RAM_BASE;

	L2_CALL(1, guest_read64(at));
	guest_write64(at + 8, 0x77);
	L2_CALL(2, guest_read64(at + 8));
}

GUEST(l1_maps_alias)
{
	uint64_t x0;

	l2_on(0);
	guest_write64(L2_DATA, 0x123456789abc);
	guest_result(0, l2_enter((uint64_t)&l2_reads_alias, 0, &x0));
	guest_result(1, guest_sysreg(hpfar_el2));
	guest_result(2, guest_sysreg(far_el2));
	guest_write64(L2_TABLE + 16, S2_BLOCK(0x40000000ULL) & ~(1ULL << 7)); /* read-only */
	l2_forget(ALIAS + L2_DATA - VM_RAM_BASE);
	guest_result(3, l2_enter((uint64_t)&l2_reads_alias, 0, &x0));
	guest_result(4, x0);
	guest_result(5, l2_enter(guest_sysreg(elr_el2), 0, &x0));
	guest_write64(L2_TABLE + 16, S2_BLOCK(0x40000000ULL));
	l2_forget(ALIAS + L2_DATA - VM_RAM_BASE);
	guest_result(6, l2_enter((uint64_t)&l2_reads_alias, 0, &x0));
	guest_result(7, l2_enter(guest_sysreg(elr_el2), 0, &x0));
	guest_result(8, x0);
	guest_result(9, guest_read64(L2_DATA + 8));
	/* and away again */
	guest_write64(L2_TABLE + 16, 0);
	l2_forget(ALIAS + L2_DATA - VM_RAM_BASE);
	guest_result(10, l2_enter((uint64_t)&l2_reads_alias, 0, &x0));
}

NESTED(guest_hypervisor_has_its_own_stage_2)
{
	struct vm *vm = l2_vm(l1_maps_alias);
	const uint64_t *r = vm->vcpu[0]->result;

	RUN_TO_END(vm, 0);
	EXPECT_EQ(r[0] >> 26, EC_DABT);
	EXPECT_EQ(r[0] & 0x3f, 0x05);	   /* translation fault, level 1 */
	EXPECT_EQ(r[0] >> 6 & 1, 0);	   /* WnR: a load */
	EXPECT_EQ(r[1] & 0xffffffffff0ULL, /* FIPA, 43:4 */
		  (ALIAS + L2_DATA - VM_RAM_BASE) >> 12 << 4);
	EXPECT_EQ(r[2], ALIAS + L2_DATA - VM_RAM_BASE);
	EXPECT_EQ(r[3] >> 26, EC_HVC);
	EXPECT_EQ(r[4], 0x123456789abc);
	EXPECT_EQ(r[5] >> 26, EC_DABT);
	EXPECT_EQ(r[5] & 0x3f, 0x0d); /* permission fault, level 1 */
	EXPECT_EQ(r[5] >> 6 & 1, 1);
	EXPECT_EQ(r[6] >> 26, EC_HVC);
	EXPECT_EQ(r[7] >> 26, EC_HVC);
	EXPECT_EQ(r[8], 0x77);
	EXPECT_EQ(r[9], 0x77);
	EXPECT_EQ(r[10] >> 26, EC_DABT);
	EXPECT_EQ(r[10] & 0x3f, 0x05);
}

/* ---- HCR_EL2's traps: each taken to the guest hypervisor when it asks, and not when it does not */

GUEST(l2_does_trapped)
{
	guest_set_sysreg(ttbr0_el1, 0x1000);
	L2_CALL(1, guest_sysreg(ttbr0_el1));
}

GUEST(l2_reads_id)
{
	L2_CALL(1, guest_sysreg(id_aa64isar0_el1));
}

GUEST(l2_smc)
{
	__asm__ volatile("smc #3" ::: "x0", "x1", "x2", "x3", "memory");
	L2_CALL(1, 0);
}

GUEST(l2_wfi)
{
	__asm__ volatile("wfi");
	L2_CALL(1, 0);
}

GUEST(l1_traps)
{
	uint64_t x0;

	l2_on(HCR_TVM);
	guest_result(0, l2_enter((uint64_t)&l2_does_trapped, 0, &x0));
	l2_on(0);
	guest_result(1, l2_enter((uint64_t)&l2_does_trapped, 0, &x0));
	guest_result(2, x0);
	l2_on(HCR_TID3);
	guest_result(3, l2_enter((uint64_t)&l2_reads_id, 0, &x0));
	l2_on(0);
	guest_result(4, l2_enter((uint64_t)&l2_reads_id, 0, &x0));
	guest_result(5, x0);
	guest_result(6, guest_sysreg(id_aa64isar0_el1));
	l2_on(HCR_TSC);
	guest_result(7, l2_enter((uint64_t)&l2_smc, 0, &x0));
	l2_on(HCR_TWI);
	guest_result(8, l2_enter((uint64_t)&l2_wfi, 0, &x0));
}

/* ISS of a trapped MSR or MRS (D24.2.40): op0 21:20, op2 19:17, op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, read 0 */
#define SYSREG_ISS(op0, op1, crn, crm, op2, rd) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1 | (rd))
#define NO_RT(esr) ((esr)&0x1ffffff & ~0x3e0ULL)

NESTED(guest_hypervisor_gets_the_traps_it_asks_for)
{
	struct vm *vm = l2_vm(l1_traps);
	const uint64_t *r = vm->vcpu[0]->result;

	RUN_TO_END(vm, 0);
	EXPECT_EQ(r[0] >> 26, EC_SYSREG);
	EXPECT_EQ(NO_RT(r[0]), (uint64_t)SYSREG_ISS(3, 0, 2, 0, 0, 0)); /* a write of TTBR0_EL1 */
	EXPECT_EQ(r[1] >> 26, EC_HVC);
	EXPECT_EQ(r[2], 0x1000);
	EXPECT_EQ(r[3] >> 26, EC_SYSREG);
	EXPECT_EQ(NO_RT(r[3]), (uint64_t)SYSREG_ISS(3, 0, 0, 6, 0, 1));
	EXPECT_EQ(r[4] >> 26, EC_HVC);
	EXPECT_EQ(r[5], r[6]);
	EXPECT_EQ(r[7] >> 26, EC_SMC);
	EXPECT_EQ(r[7] & 0xffff, 3);
	EXPECT_EQ(r[8] >> 26, EC_WFX);
}

/* ---- timers of EL2, and the offset that the hypervisor gives its guest */

GUEST(l2_reads_counter)
{
	L2_CALL(1, guest_sysreg(cntvct_el0));
}

GUEST(l1_timers)
{
	uint64_t x0, before, after;

	guest_set_sysreg(cnthp_cval_el2, 0x1000);
	guest_set_sysreg(cnthp_ctl_el2, 1);
	guest_result(0, guest_sysreg(cnthp_cval_el2));
	guest_result(1, guest_sysreg(cnthp_ctl_el2));
	guest_set_sysreg(cnthp_ctl_el2, 0);
	guest_set_sysreg(S3_4_C14_C3_2, ~0ULL >> 2); /* CNTHV_CVAL_EL2 */
	guest_set_sysreg(S3_4_C14_C3_1, 1);	     /* CNTHV_CTL_EL2 */
	guest_result(2, guest_sysreg(S3_4_C14_C3_2));
	guest_result(3, guest_sysreg(S3_4_C14_C3_1));
	guest_set_sysreg(S3_4_C14_C3_1, 0);
	l2_on(0);
	before = guest_sysreg(cntpct_el0);
	guest_set_sysreg(cntvoff_el2, before);
	guest_result(4, l2_enter((uint64_t)&l2_reads_counter, 0, &x0));
	after = guest_sysreg(cntpct_el0);
	guest_result(5, x0);
	guest_result(6, after - before);
	guest_result(7, guest_sysreg(cntvoff_el2) == before);
}

NESTED(guest_hypervisor_has_timers_and_an_offset)
{
	struct vm *vm = l2_vm(l1_timers);
	const uint64_t *r = vm->vcpu[0]->result;

	RUN_TO_END(vm, 0);
	EXPECT_EQ(r[0], 0x1000);
	EXPECT_EQ(r[1], 5); /* long past: ENABLE and ISTATUS */
	EXPECT_EQ(r[2], ~0ULL >> 2);
	EXPECT_EQ(r[3], 1); /* not yet */
	EXPECT_EQ(r[4] >> 26, EC_HVC);
	EXPECT_LE(r[5], r[6]); /* counted from the offset on, between the two readings */
	EXPECT_EQ(r[7], 1);
}

/* ---- virtual interrupts of the guest hypervisor's guest: a list register, taken and ended by L2 */

#define VINTID 40ULL

GUEST(l2_takes_virtual)
{
	uint64_t irq = guest_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */

	guest_set_sysreg(S3_0_C12_C12_1, irq); /* ICC_EOIR1_EL1 */
	L2_CALL(1, irq << 32 | guest_sysreg(S3_0_C12_C12_0));
}

GUEST(l2_only_takes_virtual)
{
	L2_CALL(1, guest_sysreg(S3_0_C12_C12_0));
}

GUEST(l1_injects)
{
	uint64_t x0;

	l2_on(HCR_IMO | HCR_FMO);				     /* both: KVM has no other */
	guest_result(0, guest_sysreg(S3_4_C12_C11_1) & 0x1f);	     /* ICH_VTR_EL2.ListRegs */
	guest_set_sysreg(S3_4_C12_C11_7, 0xf8ULL << 24 | 1ULL << 1); /* ICH_VMCR_EL2: VPMR, VENG1 */
	guest_set_sysreg(S3_4_C12_C12_0,
			 1ULL << 62 | 1ULL << 60 | 0x50ULL << 48 | VINTID); /* LR0 */
	guest_set_sysreg(S3_4_C12_C11_0, 1);				    /* ICH_HCR_EL2.En */
	guest_result(1, l2_enter((uint64_t)&l2_takes_virtual, 0, &x0));
	guest_result(2, x0);
	guest_result(3, guest_sysreg(S3_4_C12_C12_0) >> 62);
	guest_result(4, guest_sysreg(S3_4_C12_C11_5) & 1); /* ICH_ELRSR_EL2: LR0 is free */
	guest_set_sysreg(S3_4_C12_C12_0, 1ULL << 62 | 1ULL << 60 | 0x50ULL << 48 | VINTID);
	guest_result(5, l2_enter((uint64_t)&l2_only_takes_virtual, 0, &x0));
	guest_result(6, x0);
	guest_result(7, guest_sysreg(S3_4_C12_C12_0) >> 62);
}

NESTED(guest_hypervisor_injects_interrupts)
{
	struct vm *vm = l2_vm(l1_injects);
	const uint64_t *r = vm->vcpu[0]->result;

	RUN_TO_END(vm, 0);
	EXPECT_GE(r[0], 1U);
	EXPECT_EQ(r[1] >> 26, EC_HVC);
	EXPECT_EQ(r[2], VINTID << 32 | 1023);
	EXPECT_EQ(r[3], 0); /* taken and ended */
	EXPECT_EQ(r[4], 1);
	EXPECT_EQ(r[5] >> 26, EC_HVC);
	EXPECT_EQ(r[6], VINTID);
	EXPECT_EQ(r[7], 2); /* taken: active */
}
