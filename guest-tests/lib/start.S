/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First instructions of every CPU. The primary is entered by the VMM with the
 * MMU off (x0 is not used: the device tree lies at the start of RAM); a
 * secondary by PSCI CPU_ON with x0 = its struct cpu (PSCI DEN 0022, 5.4.2).
 */
	.section .text.start, "ax"
	.globl _start
	.globl cpu_entry

	.macro cpu_setup
	msr	daifset, #0xf
	msr	spsel, #1
	mov	x9, #(3 << 20)		/* CPACR_EL1.FPEN: no trap of FP and SIMD */
	msr	cpacr_el1, x9
	adr	x9, vectors
	msr	vbar_el1, x9
	isb
	.endm

_start:
	cpu_setup
	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, __bss_end
	add	x2, x2, :lo12:__bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	adrp	x1, boot_stack_top
	add	x1, x1, :lo12:boot_stack_top
	mov	sp, x1
	mov	x29, xzr
	bl	lib_main
3:	wfi
	b	3b

cpu_entry:
	cpu_setup
	bl	mmu_init_cpu		/* first: no memory is written with the caches off */
	ldr	x1, [x0]		/* struct cpu: stack_top is its first member */
	mov	sp, x1
	mov	x29, xzr
	bl	cpu_main
	b	3b

/*
 * int ctx_save(struct ctx *): 0, or what ctx_restore() was given.
 * noreturn ctx_restore(struct ctx *, int value)
 */
	.text
	.globl ctx_save
ctx_save:
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x1, sp
	mrs	x2, daif
	stp	x1, x2, [x0, #96]
	mov	w0, #0
	ret

	.globl ctx_restore
ctx_restore:
	ldp	x19, x20, [x0, #0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldp	x2, x3, [x0, #96]
	mov	sp, x2
	msr	daif, x3
	mov	w0, w1
	ret

/* noreturn el0_enter(entry, x0, sp_el0, spsr): LR is a stub that returns by SVC #0 */
	.globl el0_enter
el0_enter:
	msr	elr_el1, x0
	msr	sp_el0, x2
	msr	spsr_el1, x3
	mov	x0, x1
	adr	x30, el0_return
	eret
	.globl el0_return
el0_return:
	svc	#0
	b	.

/* SMCCC DEN 0028: arguments x0-x7, results x0-x3; struct smccc_result * in x8's place on the stack */
	.macro conduit name, insn
	.globl \name
\name:
	str	x1, [sp, #-16]!
	mov	x9, x0
	ldp	x0, x1, [x9, #0]
	ldp	x2, x3, [x9, #16]
	ldp	x4, x5, [x9, #32]
	ldp	x6, x7, [x9, #48]
	\insn	#0
	ldr	x9, [sp], #16
	stp	x0, x1, [x9, #0]
	stp	x2, x3, [x9, #16]
	ret
	.endm
	conduit	smccc_call_hvc, hvc
	conduit	smccc_call_smc, smc

	.section .bss
	.balign 16
	.skip	32768
	.globl boot_stack_top
boot_stack_top:
