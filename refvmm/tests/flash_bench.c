/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/flash_bench.h"

struct flash_bench flash_bench_new(const struct flash_conf *c)
{
	struct flash_bench b = {.fe = fake_env_new()};
	struct dev_place place = {.range = {{ASSAY_FLASH0_BASE, FLASH_BANK_SIZE},
					    {ASSAY_FLASH1_BASE, FLASH_BANK_SIZE}},
				  .conf = c};

	b.dev = fake_dev_at(b.fe, &flash_ops, &place, &b.err);
	if (b.dev)
		b.err = b.dev->ops->start(b.dev);
	return b;
}

void flash_bench_free(struct flash_bench *b)
{
	fake_env_free(b->fe);
	b->dev = NULL;
}

static uint32_t finish(struct flash_bench *b, uint64_t at)
{
	uint32_t status = flash_rd(b, at);

	flash_wr(b, at, 0x00500050);
	flash_wr(b, at, 0x00ff00ff);
	return status;
}

uint32_t flash_program(struct flash_bench *b, uint64_t at, uint32_t val)
{
	flash_wr(b, at, 0x00400040);
	flash_wr(b, at, val);
	return finish(b, at);
}

uint32_t flash_erase(struct flash_bench *b, uint64_t at)
{
	flash_wr(b, at, 0x00200020);
	flash_wr(b, at, 0x00d000d0);
	return finish(b, at);
}
