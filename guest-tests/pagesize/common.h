/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the suite share: granules by variant, faults, pages of scratch RAM. */
#ifndef PAGESIZE_COMMON_H
#define PAGESIZE_COMMON_H

#include "mmu.h"
#include "pgtable.h"
#include "test.h"

/* for tests with one run a granule: the variants, and what calls the body for the one asked for */
#define GRANULES .variants = "4k: | 16k: | 64k:"

/*
 * Run fn for the granule of the variant that runs; without a variant (the
 * payload was started by hand) for every granule the CPU says it has. Skips
 * where the CPU has not the one asked for.
 */
void each_granule(void (*fn)(enum granule g));

/* Tables for the upper half with a pool of `tables` tables; VA size 48 unless a test is about that. */
struct pgtable *high_tables(enum granule g, unsigned int va_bits, unsigned int tables);
/* map or end the test */
void map_or_end(struct pgtable *t, uint64_t low, uint64_t pa, uint64_t size, uint64_t attrs,
		int leaf);

/* ESR_EL1 of a data abort (DDI 0487 D24, ISS encoding for a Data Abort) */
#define DFSC_ADDRESS_SIZE(level) (0x00U + (level))
#define DFSC_TRANSLATION(level)	 (0x04U + (level))
#define DFSC_ACCESS_FLAG(level)	 (0x08U + (level))
#define DFSC_PERMISSION(level)	 (0x0cU + (level))
#define ISS_WRITE		 BIT(6)

/* A field of four bits of an ID register. */
#define ID_FIELD(reg, shift) BITS(read_sysreg(reg), (shift) + 3, shift)

/* One page (or more) of RAM that starts with `ret`, ready to be executed at any address. */
uint64_t code_page(uint64_t size, uint64_t align);
/* Sets (or clears) bits of TCR_EL1 on this CPU, and drops what its TLB holds. */
void tcr_change(uint64_t clear, uint64_t set);
/* Call what lies at va, at EL1. */
struct exception try_execute(uint64_t va);
/* At EL0. */
struct exception try_user_read(uint64_t va, uint64_t *value);
struct exception try_user_write(uint64_t va);
struct exception try_user_execute(uint64_t va);

struct exception try_read(uint64_t va, uint64_t *value);
struct exception try_write(uint64_t va, uint64_t value);
/* EXPECT a data abort at EL1 with this status code, address and direction */
void expect_abort(const struct exception *e, uint32_t dfsc, uint64_t va, bool write,
		  const char *what);

/*
 * KVM's count of exits of all vCPUs so far (Documentation/virt/kvm/api.rst,
 * KVM_GET_STATS_FD); asking costs some itself. Skips where there is no asking.
 */
uint64_t exits(void);

#endif
