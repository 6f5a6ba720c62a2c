/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SVE instructions the suites need, as functions: the C code is compiled
 * -mgeneral-regs-only, so that no register of interest is ever touched by a
 * compiler. Layouts depend on the vector length in force; see sve.h.
 */
#include "sve_layout.h"

	.arch	armv8-a+sve

	.macro	function name
	.globl	\name
	.type	\name, %function
\name:
	.endm

	.macro	end_function name
	.size	\name, . - \name
	.endm

	/* ldr or str of all predicates at \at, of all Z registers at \at */
	.macro	predicates op, at
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	p\n, [\at, #\n, mul vl]
	.endr
	.endm

	.macro	vectors op, at
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	z\n, [\at, #\n, mul vl]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	z\n, [\at, #\n, mul vl]
	.endr
	.endm

	.macro	quads op, at
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op	q\n, [\at, #16 * \n]
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op	q\n, [\at, #16 * \n]
	.endr
	.endm

	.section .text.sve, "ax", %progbits

	/* uint64_t sve_bytes(void) */
	function sve_bytes
	rdvl	x0, #1
	ret
	end_function sve_bytes

	/* uint64_t sve_predicate_bytes(void) */
	function sve_predicate_bytes
	mov	x1, sp
	addpl	x0, sp, #1
	sub	x0, x0, x1
	ret
	end_function sve_predicate_bytes

	/* uint64_t sve_whilelo(uint64_t n): active bytes of WHILELO 0, n */
	function sve_whilelo
	whilelo	p0.b, xzr, x0
	ptrue	p1.b
	cntp	x0, p1, p0.b
	ret
	end_function sve_whilelo

	/* void sve_load(const struct sve_state *): FFR first, for it goes through p0 */
	function sve_load
	mov	x1, #SVE_STATE_FFR
	add	x1, x0, x1
	ldr	p0, [x1]
	wrffr	p0.b
	add	x1, x0, #SVE_STATE_P
	predicates ldr, x1
	vectors	ldr, x0
	ret
	end_function sve_load

	/* void sve_store(struct sve_state *): leaves every register as it was */
	function sve_store
	add	x1, x0, #SVE_STATE_P
	predicates str, x1
	mov	x2, #SVE_STATE_FFR
	add	x2, x0, x2
	rdffr	p0.b
	str	p0, [x2]
	ldr	p0, [x1]
	vectors	str, x0
	ret
	end_function sve_store

	/*
	 * void sve_load_poke_store(const struct sve_state *in, struct sve_state *out, void *reg,
	 *			    uint64_t times)
	 * Nothing but stores and loads of the 32-bit register `reg` between load
	 * and store: on a register of the VMM each is an exit to the host.
	 */
	function sve_load_poke_store
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	x4, x1
	mov	x5, x2
	bl	sve_load
1:	str	w3, [x5]
	ldr	w6, [x5]
	subs	x3, x3, #1
	b.ne	1b
	mov	x0, x4
	bl	sve_store
	ldp	x29, x30, [sp], #16
	ret
	end_function sve_load_poke_store

	/* void fp_load(const struct fp_state *); void fp_store(struct fp_state *) */
	function fp_load
	quads	ldr, x0
	add	x0, x0, #FP_STATE_FPSR
	ldp	w1, w2, [x0]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
	end_function fp_load

	function fp_store
	quads	str, x0
	mrs	x1, fpsr
	mrs	x2, fpcr
	add	x0, x0, #FP_STATE_FPSR
	stp	w1, w2, [x0]
	ret
	end_function fp_store

	/* void fp_load_poke_store(const struct fp_state *, struct fp_state *, void *reg, uint64_t times) */
	function fp_load_poke_store
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	x4, x1
	mov	x5, x2
	bl	fp_load
1:	str	w3, [x5]
	ldr	w6, [x5]
	subs	x3, x3, #1
	b.ne	1b
	mov	x0, x4
	bl	fp_store
	ldp	x29, x30, [sp], #16
	ret
	end_function fp_load_poke_store

	/* void sve_write_v(void): MOVI, an AdvSIMD write of all 128 bits, to each V */
	function sve_write_v
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movi	v\n\().16b, #0x5a
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().16b, #0x5a
	.endr
	ret
	end_function sve_write_v

	/* Single instructions, to be tried where they may be UNDEFINED or trapped. */
	function sve_try_rdvl
	rdvl	x0, #1
	ret
	end_function sve_try_rdvl

	function sve_try_ptrue
	ptrue	p0.b
	ret
	end_function sve_try_ptrue

	function sve_try_dup
	dup	z0.b, #1
	ret
	end_function sve_try_dup

	function sve_try_rdffr
	rdffr	p0.b
	ret
	end_function sve_try_rdffr

	function sve_try_ldr
	ldr	z0, [sp]
	ret
	end_function sve_try_ldr

	/* ZCR_EL1 is S3_0_C1_C2_0 */
	function sve_try_read_zcr
	mrs	x0, s3_0_c1_c2_0
	ret
	end_function sve_try_read_zcr

	function sve_try_write_zcr
	msr	s3_0_c1_c2_0, xzr
	ret
	end_function sve_try_write_zcr

	/* SMSTART SM, SMSTART ZA, SVCR, SMCR_EL1 (DDI 0487 C5.2, C6.2), by encoding: no assembler support needed */
	function sme_try_smstart_sm
	.inst	0xd503437f
	ret
	end_function sme_try_smstart_sm

	function sme_try_smstart_za
	.inst	0xd503457f
	ret
	end_function sme_try_smstart_za

	function sme_try_read_svcr
	mrs	x0, s3_3_c4_c2_2
	ret
	end_function sme_try_read_svcr

	function sme_try_read_smcr
	mrs	x0, s3_0_c1_c2_6
	ret
	end_function sme_try_read_smcr

	function sme_try_read_tpidr2
	mrs	x0, s3_3_c13_c0_5
	ret
	end_function sme_try_read_tpidr2
