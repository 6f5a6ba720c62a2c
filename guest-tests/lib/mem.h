/* SPDX-License-Identifier: Apache-2.0 */
/* Guest RAM behind the image. Memory is zeroed, and given back when the test ends. */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include "types.h"

void mem_init(void);
/* never fails: the test is an error when RAM is exhausted; align is a power of two */
void *mem_alloc(uint64_t size, uint64_t align);
/* for what outlives a test: stacks, LPI tables */
void *mem_alloc_forever(uint64_t size, uint64_t align);
/* RAM that no allocation has used (from, size): for probes of large blocks */
void mem_unused(uint64_t *base, uint64_t *size);
void mem_reset(void);

/* clean and invalidate to the point of coherency */
void cache_flush(const void *p, uint64_t size);

#endif
