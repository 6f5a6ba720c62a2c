/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where CPU_ON lets a CPU loose: with the MMU off and no stack it notes every
 * register before it uses one, so that only TPIDR_EL0 and TPIDR_EL1 are lost.
 */
#include "record_layout.h"

	.macro	note reg, at
	mrs	x2, \reg
	str	x2, [x1, #\at]
	.endm

	.section .text.psci, "ax", %progbits
	.globl	record_entry
	.type	record_entry, %function
record_entry:
	msr	tpidr_el1, x0
	mrs	x0, sctlr_el1
	msr	tpidr_el0, x0
	bic	x0, x0, #(1 << 25)		/* EE: what is noted is little-endian */
	msr	sctlr_el1, x0
	isb
	adrp	x0, the_record
	add	x0, x0, :lo12:the_record
	str	x1, [x0, #8]
	.irp	n, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
	str	x\n, [x0, #(8 * \n)]
	.endr
	.irp	n, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29
	str	x\n, [x0, #(8 * \n)]
	.endr
	str	x30, [x0, #240]
	mov	x1, x0
	note	tpidr_el1, RECORD_X
	note	CurrentEL, RECORD_CURRENTEL
	note	daif, (RECORD_CURRENTEL + 8)
	note	spsel, (RECORD_CURRENTEL + 16)
	note	tpidr_el0, (RECORD_CURRENTEL + 24)	/* SCTLR_EL1 as it was */
	note	cpacr_el1, (RECORD_CURRENTEL + 32)
	note	cntkctl_el1, (RECORD_CURRENTEL + 40)
	note	cntv_ctl_el0, (RECORD_CURRENTEL + 48)
	note	cntp_ctl_el0, (RECORD_CURRENTEL + 56)
	note	mdscr_el1, (RECORD_CURRENTEL + 64)
	note	contextidr_el1, (RECORD_CURRENTEL + 72)
	note	vbar_el1, (RECORD_CURRENTEL + 80)
	note	mpidr_el1, (RECORD_CURRENTEL + 88)
	mov	x2, #(3 << 20)			/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x2
	isb
	note	fpcr, (RECORD_CURRENTEL + 96)
	note	fpsr, (RECORD_CURRENTEL + 104)
	add	x3, x1, #RECORD_Q
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	q\n, [x3, #(16 * \n)]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x3, #(16 * \n)]
	.endr
	dsb	sy
	mov	x2, #1
	str	x2, [x1, #RECORD_DONE]
	ldr	x4, [x1, #RECORD_MODE]
	tbz	x4, #0, 2f			/* MODE_STAY */
1:	yield
	ldr	x2, [x1, #RECORD_GO]
	cbz	x2, 1b
2:	ldr	x5, [x1, #RECORD_SMC]
	tbz	x4, #1, 3f			/* MODE_DIRTY */
	mov	x2, #3				/* timers on and masked, with a condition that is met */
	msr	cntv_cval_el0, xzr
	msr	cntp_cval_el0, xzr
	msr	cntv_ctl_el0, x2
	msr	cntp_ctl_el0, x2
	mov	x2, #0x303
	msr	cntkctl_el1, x2
	mov	x2, #0x1000
	msr	mdscr_el1, x2
	msr	contextidr_el1, x2
	msr	vbar_el1, x2
	mov	x2, #(3 << 22)
	msr	fpcr, x2
	mov	x2, #0x9f
	msr	fpsr, x2
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().16b, #0x5a
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().16b, #0xa5
	.endr
	.irp	n, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
	mov	x\n, #-1
	.endr
	.irp	n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #-1
	.endr
	msr	daifclr, #4			/* SError unmasked: there is none */
3:	movz	w0, #0x8400, lsl #16		/* CPU_OFF */
	movk	w0, #0x0002
	cbnz	x5, 4f
	hvc	#0
	b	5f
4:	smc	#0
5:	str	x0, [x1, #RECORD_OFF]		/* it came back: that is an error of CPU_OFF */
	dsb	sy
6:	wfi
	b	6b
	.size	record_entry, . - record_entry

	/*
	 * void call_noting(const uint64_t in[4], uint64_t out[31], uint64_t smc): the call with x0 … x3 of
	 * `in` and a pattern of its own in every other register; `out`: x0 … x30 behind it.
	 */
	.globl	call_noting
	.type	call_noting, %function
call_noting:
	stp	x19, x20, [sp, #-112]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	str	x1, [sp, #96]
	cmp	x2, #0
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
	mov	x\n, #(0x1000 + \n)
	.endr
	.irp	n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #(0x1000 + \n)
	.endr
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	b.ne	1f
	hvc	#0
	b	2f
1:	smc	#0
2:	str	x30, [sp, #104]
	ldr	x30, [sp, #96]
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
	str	x\n, [x30, #(8 * \n)]
	.endr
	.irp	n, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	str	x\n, [x30, #(8 * \n)]
	.endr
	ldr	x0, [sp, #104]
	str	x0, [x30, #240]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #112
	ret
	.size	call_noting, . - call_noting

	/*
	 * uint64_t call_big_endian(uint64_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t smc): with
	 * SCTLR_EL1.EE set meanwhile, and the MMU off, for it would walk big-endian tables. Touches no memory;
	 * interrupts are masked.
	 */
	.globl	call_big_endian
	.type	call_big_endian, %function
call_big_endian:
	mrs	x9, sctlr_el1
	bic	x10, x9, #1			/* M */
	bic	x10, x10, #4			/* C */
	orr	x10, x10, #(1 << 25)		/* EE */
	msr	sctlr_el1, x10
	isb
	cbnz	x4, 1f
	hvc	#0
	b	2f
1:	smc	#0
2:	msr	sctlr_el1, x9
	isb
	ret
	.size	call_big_endian, . - call_big_endian
