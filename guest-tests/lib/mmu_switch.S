/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the translation registers. All of it runs from identity-mapped text
 * and touches no memory while the MMU is off.
 */
	/* x12 MAIR, x13 TCR, x14 TTBR0, x15 SCTLR; uses x9 */
	.macro	load_translation
	dsb	sy
	mrs	x9, sctlr_el1
	bic	x9, x9, #1
	msr	sctlr_el1, x9
	isb
	msr	mair_el1, x12
	msr	tcr_el1, x13
	msr	ttbr0_el1, x14
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	sctlr_el1, x15
	isb
	.endm

	.section .text.mmu, "ax", %progbits

	.globl	mmu_switch
	.type	mmu_switch, %function
mmu_switch:
	ldp	x12, x13, [x0]
	ldp	x14, x15, [x0, #16]
	mrs	x10, daif
	msr	daifset, #0xf
	load_translation
	msr	daif, x10
	ret
	.size	mmu_switch, . - mmu_switch

	.globl	mmu_init_cpu
	.type	mmu_init_cpu, %function
mmu_init_cpu:
	adrp	x11, mmu_default_regs
	add	x11, x11, :lo12:mmu_default_regs
	ldp	x12, x13, [x11]
	ldp	x14, x15, [x11, #16]
	cbz	x15, 1f
	load_translation
1:	ret
	.size	mmu_init_cpu, . - mmu_init_cpu
