/* SPDX-License-Identifier: Apache-2.0 */
/* Two flash banks on a fake board, and a folder for their files. */
#ifndef REFVMM_TESTS_FLASH_BENCH_H
#define REFVMM_TESTS_FLASH_BENCH_H

#include <assay/board.h>

#include "dev/flash.h"
#include "tests/fake_env.h"

#define BANK1 ASSAY_FLASH1_BASE

struct flash_bench {
	struct fake_env *fe;
	struct dev *dev; /* NULL: refused; see err */
	int err;
};

/* start() included. */
struct flash_bench flash_bench_new(const struct flash_conf *c);
void flash_bench_free(struct flash_bench *b);

static inline uint32_t flash_rd(struct flash_bench *b, uint64_t at)
{
	return (uint32_t)fake_read(b->fe, at, 4);
}

static inline void flash_wr(struct flash_bench *b, uint64_t at, uint32_t val)
{
	fake_write(b->fe, at, 4, val);
}

/* The whole sequences of a driver; what the status register says then. Back to the array. */
uint32_t flash_program(struct flash_bench *b, uint64_t at, uint32_t val);
uint32_t flash_erase(struct flash_bench *b, uint64_t at);

#endif
