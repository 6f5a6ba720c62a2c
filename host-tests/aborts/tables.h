/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest with a small stage 1 of its own, made by the host: 4 KiB granule, 39 bits, start at level 1 (DDI 0487 D8.2).
 * The first GiB (the port) and RAM are mapped one to one, VA_PAGES to where each test likes.
 */
#ifndef ABORTS_TABLES_H
#define ABORTS_TABLES_H

#include "vm.h"

#define VA_PAGES   0x80000000ULL  /* three tables deep; page n is VA_PAGES + n * 0x1000 */
#define VA_HOLE_1  0x140000000ULL /* no entry at level 1 */
#define VA_HOLE_2  (VA_PAGES + 0x200000ULL)
#define VA_WALK	   (VA_PAGES + 0x400000ULL) /* its last table lies where there is no memory */
#define IPA_NOBODY 0x61234000ULL
#define IPA_TABLE  0x71230000ULL
#define IPA_DATA   VM_FREE_BASE

/* Descriptors: page, AF, inner shareable, attribute 0 (Normal, non-cacheable) */
#define PAGE	   (0x3ULL | 1ULL << 10 | 3ULL << 8)
#define PAGE_RO	   (PAGE | 1ULL << 7)
#define PAGE_NO_AF (PAGE & ~(1ULL << 10))
#define PAGE_XN	   (PAGE | 1ULL << 53)

struct vm *paged_vm(void (*entry)(void));
#define TABLES_AT (VM_FREE_BASE + 0x20000)	       /* three tables, the last that of VA_PAGES */
uint64_t *tables_entry(struct vm *vm, unsigned int n); /* of page n */
/* before the run */
void page_set(struct vm *vm, unsigned int n, uint64_t descriptor);

/* For the start of a snippet. */
GUEST_INLINE void stage1_on(void)
{
	uint64_t sctlr;

	__asm__ volatile("msr mair_el1, %0\n\tmsr tcr_el1, %1\n\tmsr ttbr0_el1, %2\n\tisb\n\ttlbi "
			 "vmalle1\n\tdsb nsh\n\tisb"
			 :
			 : "r"(0x44ULL),
			   /* T0SZ 25, non-cacheable walks, EPD1, IPS 40 bits */
			   "r"(25ULL | 1ULL << 23 | 2ULL << 32), "r"(guest_arg(15))
			 : "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	/* M on; no alignment checks, no WXN, caches off as before */
	sctlr = (sctlr | 1) & ~(1ULL << 1 | 1ULL << 19);
	__asm__ volatile("msr sctlr_el1, %0\n\tisb" ::"r"(sctlr) : "memory");
}

#endif
