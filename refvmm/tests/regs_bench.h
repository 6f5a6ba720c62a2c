/* SPDX-License-Identifier: Apache-2.0 */
/* For fuzz targets of a device that is one page of registers: any access, time, reset, and what always holds. */
#ifndef REFVMM_TESTS_REGS_BENCH_H
#define REFVMM_TESTS_REGS_BENCH_H

#include "tests/fake_env.h"

struct regs_step {
	uint8_t op, len;
	uint16_t where;
	uint32_t val;
};

struct regs_target {
	const struct dev_ops *ops;
	uint64_t mis; /* offset of its masked interrupt status; the line is high when it is not 0 */
	uint64_t hot; /* where its registers begin: most accesses go to the 20 from there on */
	/* What else can happen to it: ops from 4 on. */
	void (*happens)(struct fake_env *fe, struct dev *d, const struct regs_step *s);
};

/*
 * Each step is an access, a time that passes, a reset or something of the device's own. After each the line follows the
 * status; after all of them a reset makes the device like a new one. abort() when not.
 */
void regs_fuzz(const struct regs_target *t, const uint8_t *data, size_t size);

#endif
