/* SPDX-License-Identifier: Apache-2.0 */
/* Entry and exception vectors of guest snippets. */
#include "guest.h"

	.section assay_guest, "ax", %progbits

	/*
	 * Every vCPU starts here, the first by its PC, others by PSCI CPU_ON
	 * too. What to run, on which stack, is read from the port.
	 */
	.balign	4
	.global	guest_entry
guest_entry:
	adr	x0, guest_vectors
	msr	vbar_el1, x0
	msr	tpidr_el1, xzr
	isb
	mov	x19, #GUEST_PORT
	ldr	x0, [x19, #GUEST_PORT_STACK]
	mov	sp, x0
	ldr	x0, [x19, #GUEST_PORT_ENTRY]
	mov	x29, xzr
	blr	x0
	.global	guest_finish
guest_finish:
	mov	x19, #GUEST_PORT
1:	str	xzr, [x19, #GUEST_PORT_DONE]
	b	1b

	.balign	2048
	.global	guest_vectors
guest_vectors:
	.rept	16
	.balign	128
	b	exception
	.endr
	.balign	128

exception:
	msr	tpidr_el0, x0
	mrs	x0, tpidr_el1
	cbz	x0, 1f
	mrs	x0, esr_el1
	msr	tpidr_el1, x0
	mrs	x0, elr_el1
	add	x0, x0, #4
	msr	elr_el1, x0
	mrs	x0, tpidr_el0
	eret

	/* nobody asked for it: report and stop */
1:	mov	x0, #GUEST_PORT
	mrs	x1, esr_el1
	str	x1, [x0, #GUEST_PORT_ESR]
	mrs	x1, elr_el1
	str	x1, [x0, #GUEST_PORT_ELR]
	mrs	x1, far_el1
	str	x1, [x0, #GUEST_PORT_FAR]
	b	1b

	.section .note.GNU-stack, "", %progbits
