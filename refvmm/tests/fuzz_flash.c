/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest on the flash: any sequence of commands and data, steered to few places so that sequences
 * meet. Whatever was done, chips that are told to show their array do, and the mapping shows what reads do.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/flash_bench.h"

struct step {
	uint8_t what, where;
	uint8_t val[6];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The commands there are; anything else is chosen by the value. */
static const uint8_t commands[] = {0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90,
				   0x98, 0xd0, 0xe8, 0xff, 0x01, 0x2f, 0x00};

static uint64_t place(const struct step *s, unsigned len)
{
	static const uint64_t at[] = {0, 0x3f000, 0x40000, 0x3ffff00};
	uint64_t off = at[s->where >> 1 & 3] + (uint64_t)(s->where >> 3) * 0x28;

	return ((s->where & 1 ? ASSAY_FLASH1_BASE : 0) + off) & ~(uint64_t)(len - 1);
}

static void take(struct flash_bench *b, const struct step *s)
{
	unsigned len = 1U << (s->what & 3);
	uint64_t gpa = place(s, len), val = 0;

	memcpy(&val, s->val, sizeof(s->val));
	switch (s->what >> 2 & 3) {
	case 0:
		val = (uint64_t)commands[s->val[0] % sizeof(commands)] * 0x10001;
		fake_write(b->fe, gpa, len, val);
		break;
	case 1:
		fake_write(b->fe, gpa, len, val);
		break;
	case 2:
		fake_read(b->fe, gpa, len);
		break;
	default:
		if (s->what == 0xff)
			b->dev->ops->reset(b->dev);
		else /* the count of a buffer that is filled to the end */
			fake_write(b->fe, gpa, 4, (uint64_t)(s->val[0] & 3) * 0x10001);
	}
}

static void check(struct flash_bench *b, unsigned bank)
{
	uint64_t base = bank ? ASSAY_FLASH1_BASE : 0;
	uint8_t byte;

	b->dev->ops->reset(b->dev);
	byte = (uint8_t)fake_read(b->fe, base + 0x3f028, 1);
	if (!b->fe->rom[bank] || b->fe->rom[bank][0x3f028] != byte)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct flash_conf none;
	struct flash_bench b = flash_bench_new(&none);

	for (; size >= sizeof(struct step);
	     data += sizeof(struct step), size -= sizeof(struct step)) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		take(&b, &s);
	}
	check(&b, 0);
	check(&b, 1);
	flash_bench_free(&b);
	return 0;
}
