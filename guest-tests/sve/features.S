/* SPDX-License-Identifier: Apache-2.0 */
/* One instruction of each feature that ID_AA64ZFR0_EL1 has a field for; see ids.c. */
	.macro	try name, extension:req, insn:vararg
	.arch	armv8.6-a\extension
	.globl	sve_try_\name
	.type	sve_try_\name, %function
sve_try_\name:
	\insn
	ret
	.size	sve_try_\name, . - sve_try_\name
	.endm

	.section .text.sve_features, "ax", %progbits
	try	sve2, "+sve2", addp z0.b, p0/m, z0.b, z1.b
	try	aes, "+sve2-aes", aese z0.b, z0.b, z1.b
	try	pmull128, "+sve2-aes", pmullb z0.q, z1.d, z2.d
	try	bitperm, "+sve2-bitperm", bext z0.b, z1.b, z2.b
	try	sha3, "+sve2-sha3", rax1 z0.d, z1.d, z2.d
	try	sm4, "+sve2-sm4", sm4e z0.s, z0.s, z1.s
	try	i8mm, "+sve+i8mm", smmla z0.s, z1.b, z2.b
	try	bf16, "+sve+bf16", bfdot z0.s, z1.h, z2.h
	try	f32mm, "+f32mm", fmmla z0.s, z1.s, z2.s
	try	f64mm, "+f64mm", fmmla z0.d, z1.d, z2.d
