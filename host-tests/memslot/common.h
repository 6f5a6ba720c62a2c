/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share: a slot that is changed, and vCPUs that reach for it. */
#ifndef MEMSLOT_COMMON_H
#define MEMSLOT_COMMON_H

#include "vm.h"

#define SLOT	    7U /* its number, free of those vm_add_slot() gives out */
#define SLOT_AT	    0x60000000ULL
#define SLOT_ELSE   0x70000000ULL
#define WORD_BEFORE 0x1111222233334444ULL
#define WORD_AFTER  0xdeaddeaddeaddeadULL

/* Reads arg 0 for ever and ticks; a word other than arg 1 ends it, in result 0. */
void load_for_ever(void);
/* Stores 1, 2, 3 ... at arg 0 for ever and ticks. */
void store_for_ever(void);

/* Fresh page(s) for the slot, all of WORD_BEFORE, seen by guests. */
uint64_t *slot_memory(uint64_t size);
void slot_fill(uint64_t *host, uint64_t size, uint64_t word);
uint64_t slot_size(void);
void slot_set(struct vm *vm, uint64_t gpa, void *host, uint32_t flags);
void slot_remove(struct vm *vm);

/* Every vCPU from `first` on has done `n` rounds more. */
void expect_progress(struct vm *vm, unsigned int first, uint64_t n);
/* Every vCPU from `first` on leaves KVM_RUN with this access, and none saw other data before. */
void expect_mmio_end(const char *file, int line, struct vm *vm, unsigned int first, uint64_t gpa,
		     bool write);
#define EXPECT_MMIO_END(...) expect_mmio_end(__FILE__, __LINE__, __VA_ARGS__)

#endif
