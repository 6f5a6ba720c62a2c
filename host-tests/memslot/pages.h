/* SPDX-License-Identifier: Apache-2.0 */
/* Many pages at once: host memory of each kind, a guest that goes over it, and KVM's count of exits meanwhile. */
#ifndef MEMSLOT_PAGES_H
#define MEMSLOT_PAGES_H

#include "common.h"

/* What the guest does with each page, at its first word. */
enum touch {
	TOUCH_READ, /* result 0: how many words are not `value` + page number, result 1: the first such page */
	TOUCH_WRITE, /* stores `value` + page number */
	TOUCH_EXECUTE, /* calls it; result 0: how many calls did not return `value` + page number (16 bits) */
	TOUCH_WRITE_SET, /* as WRITE, those pages alone whose bit is set in arguments 5 to 9 */
	TOUCH_READ_0,	 /* as READ, but every word should be `value` itself */
};

/* The snippet of these VMs. It ends after each sweep and can be run again. */
void sweep(void);
/* Goes over n pages of `step` bytes from gpa on; result 0 of the vCPU. An exit on the way fails the test. */
#define SWEEP(vm, gpa, step, n, touch, value) \
	vm_sweep(__FILE__, __LINE__, vm, gpa, step, n, touch, value)
uint64_t vm_sweep(const char *file, int line, struct vm *vm, uint64_t gpa, uint64_t step,
		  uint64_t n, enum touch touch, uint64_t value);

/* "exits" of vCPU i so far (api.rst, KVM_GET_STATS_FD); a skip where the host does not count. */
uint64_t vcpu_exits(struct vm *vm, unsigned int i);
/* Exits that the sweep costs besides those of its own port accesses. */
uint64_t sweep_exits(struct vm *vm, uint64_t gpa, uint64_t step, uint64_t n, enum touch touch,
		     uint64_t value);

/* Sizes: the host's page, the block of the next level, the transparent huge page (0: none). */
uint64_t page_size(void);
uint64_t block_size(void);
uint64_t thp_size(void);
/* The largest block of stage 2 that a huge page of `size` can be mapped with; the page size where there is none. */
uint64_t stage2_size(uint64_t size);

/* Memory aligned to `align`, never touched. NULL: there is none (huge pages are used up). */
char *pages_normal(uint64_t size, uint64_t align);
char *pages_thp(uint64_t size); /* really huge, as far as the kernel says; NULL if not */
char *pages_hugetlb(uint64_t size, uint64_t huge);
/* A huge page size this host has in its pool, the smallest that stage 2 has a block for; 0: none. */
uint64_t hugetlb_block(void);

/* Set or get the first word of page n as guests with their MMU off see it. */
void page_put(char *host, uint64_t n, uint64_t value);
uint64_t page_get(char *host, uint64_t n);

/* Memory of 2 blocks at a gpa congruent to it; the slot is number SLOT. */
void slot_map(struct vm *vm, unsigned int slot, uint64_t gpa, uint64_t size, void *host,
	      uint32_t flags);

#endif
