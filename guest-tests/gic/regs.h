/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register files as tables: what of a register can be written, what reads zero, what never changes.
 * Expectations are named by the register, since one line of code judges a whole table.
 */
#ifndef GIC_REGS_H
#define GIC_REGS_H

#include "gictest.h"

struct reg {
	const char *name;
	unsigned offset;
	uint32_t writable; /* reads back as written, ones and zeros */
	uint32_t zero;	   /* reads as zero always; all other bits keep their value */
};

/* `got` of register `name` (and its offset) is as wanted; `when` says after what */
bool reg_is(const char *name, unsigned offset, const char *when, uint64_t got, uint64_t want);

/* Write ones, then zeros to each register, look, and put the old value back. */
void regs_check(struct mmio m, const struct reg *regs, size_t n);

/* Reads zero and ignores writes, in 32 bits. */
void reg_raz_wi(struct mmio m, const char *name, unsigned offset);

/*
 * The registers with a bit an interrupt that come as a pair, one to set and one to clear: bits go
 * in alone and out alone, both registers show them, and no word shows in another. SPIs only.
 */
void bit_pair_check(const char *name, unsigned set, unsigned clear, unsigned bits_a_word);

/* Accesses of 8, 16 or 64 bits to a register that has 32 only read zero and write nothing. */
void reg_has_only_32_bits(struct mmio m, const char *name, unsigned offset);

#endif
