/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PE/COFF header of an EFI application (Microsoft PE and COFF Specification, chapters 2 to 4;
 * UEFI 2.10, 2.1.1): one section, no relocations, for the code is position-independent.
 */
#define SECTION_AT 0x1000

	.section .head, "ax"
	.globl head
head:
	.ascii	"MZ"
	.skip	58
	.long	pe - head

	.balign	8
pe:
	.ascii	"PE\0\0"
	.short	0xaa64			/* AArch64 */
	.short	1			/* section */
	.long	0, 0, 0
	.short	section - optional
	.short	0x0206			/* executable, no line numbers, no debug information */

optional:
	.short	0x020b			/* PE32+ */
	.byte	2, 0
	.long	_end - head - SECTION_AT
	.long	0, 0
	.long	efi_entry - head
	.long	SECTION_AT
	.quad	0
	.long	SECTION_AT		/* alignment in memory */
	.long	0x200			/* in the file */
	.short	0, 0, 0, 0, 0, 0
	.long	0
	.long	_end - head
	.long	SECTION_AT
	.long	0
	.short	10			/* EFI application */
	.short	0
	.quad	0, 0, 0, 0
	.long	0
	.long	6			/* data directories, all empty */
	.quad	0, 0, 0, 0, 0, 0

section:
	.ascii	".text\0\0\0"
	.long	_end - head - SECTION_AT
	.long	SECTION_AT
	.long	_end - head - SECTION_AT
	.long	SECTION_AT
	.long	0, 0
	.short	0, 0
	.long	0xe0000020		/* code, may be executed, read and written */
