/* SPDX-License-Identifier: Apache-2.0 */
/* "Guest-side DMA Interface" */
#include "fwcfg.h"
#include "sysreg.h"

uint32_t fwcfg_dma(struct mmio f, uint32_t control, uint64_t address, uint32_t len)
{
	volatile struct fwcfg_dma *d = mem_alloc(sizeof(*d), 16);

	d->control = __builtin_bswap32(control);
	d->length = __builtin_bswap32(len);
	d->address = __builtin_bswap64(address);
	__asm__ volatile("dsb sy" ::: "memory");
	wr64(f, FWCFG_DMA, __builtin_bswap64((uint64_t)d));
	EXPECT_EVENTUALLY(!(__builtin_bswap32(d->control) & ~(uint32_t)DMA_ERROR));
	return __builtin_bswap32(d->control);
}

static uint32_t select(enum fwcfg_key key)
{
	return (uint32_t)key << 16 | DMA_SELECT;
}

TEST(fwcfg, dma_register_reads_as_its_signature, RULE("FWCFG-DMA-1"))
{
	struct mmio f = fwcfg_begin();

	EXPECT_EQ(__builtin_bswap64(rd64(f, FWCFG_DMA)), 0x51454d5520434647); /* "QEMU CFG" */
	EXPECT_EQ(__builtin_bswap32(rd32(f, FWCFG_DMA)), 0x51454d55);
	EXPECT_EQ(__builtin_bswap32(rd32(f, FWCFG_DMA + 4)), 0x20434647);
}

TEST(fwcfg, dma_reads_what_the_data_register_does, RULE("FWCFG-DMA-2"))
{
	struct mmio f = fwcfg_begin();
	uint8_t *by_dma = mem_alloc(256, 16), by_hand[256];
	unsigned differ = 0;

	fwcfg_select(f, KEY_FILE_DIR);
	fwcfg_read(f, by_hand, sizeof(by_hand));
	EXPECT_EQ(fwcfg_dma(f, select(KEY_FILE_DIR) | DMA_READ, (uint64_t)by_dma, 256), 0);
	for (unsigned i = 0; i < 256; i++)
		differ += by_dma[i] != by_hand[i];
	EXPECT_EQ(differ, 0);
}

TEST(fwcfg, dma_goes_on_where_the_last_ended, RULE("FWCFG-DMA-2"))
{
	struct mmio f = fwcfg_begin();
	uint8_t *p = mem_alloc(16, 16);

	EXPECT_EQ(fwcfg_dma(f, select(KEY_SIGNATURE), 0, 0), 0);
	EXPECT_EQ(fwcfg_dma(f, DMA_SKIP, 0, 1), 0);
	p[1] = 0xaa;
	EXPECT_EQ(fwcfg_dma(f, DMA_READ, (uint64_t)p, 1), 0);
	EXPECT_EQ(p[0], 'E');
	EXPECT_EQ(p[1], 0xaa);
	EXPECT_EQ(rd8(f, FWCFG_DATA), 'M');
	EXPECT_EQ(fwcfg_dma(f, DMA_READ, (uint64_t)p, 8), 0); /* one byte is left */
	EXPECT_EQ(*(volatile uint64_t *)p, 'U');
}

TEST(fwcfg, dma_address_may_come_in_halves, RULE("FWCFG-DMA-3"))
{
	struct mmio f = fwcfg_begin();
	volatile struct fwcfg_dma *d = mem_alloc(sizeof(*d), 16);
	uint8_t *p = mem_alloc(16, 16);

	d->control = __builtin_bswap32(select(KEY_SIGNATURE) | DMA_READ);
	d->length = __builtin_bswap32(4);
	d->address = __builtin_bswap64((uint64_t)p);
	__asm__ volatile("dsb sy" ::: "memory");
	/* the high half counts: 16 TiB further on nothing is */
	fwcfg_select(f, KEY_SIGNATURE);
	wr32(f, FWCFG_DMA, __builtin_bswap32((uint32_t)((uint64_t)d >> 32) | 0x1000));
	wr32(f, FWCFG_DMA + 4, __builtin_bswap32((uint32_t)(uint64_t)d));
	EXPECT_EQ(rd8(f, FWCFG_DATA), 'Q'); /* an access that the device answers behind it */
	EXPECT_EQ(p[0], 0);
	wr32(f, FWCFG_DMA, __builtin_bswap32((uint32_t)((uint64_t)d >> 32)));
	EXPECT_EQ(p[0], 0); /* the low half begins it */
	wr32(f, FWCFG_DMA + 4, __builtin_bswap32((uint32_t)(uint64_t)d));
	EXPECT_EVENTUALLY(!d->control);
	EXPECT_EQ(p[0], 'Q');
}

TEST(fwcfg, dma_writes_to_read_only_items_fail, RULE("FWCFG-DMA-4"))
{
	struct mmio f = fwcfg_begin();
	uint8_t *p = mem_alloc(16, 16);

	EXPECT_EQ(fwcfg_dma(f, select(KEY_SIGNATURE) | DMA_WRITE, (uint64_t)p, 4), DMA_ERROR);
	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd32(f, FWCFG_DATA), 0x554d4551);
}

/* What is no memory gets no data, and the device goes on. */
TEST(fwcfg, dma_to_no_memory_fails, RULE("FWCFG-DMA-5"))
{
	struct mmio f = fwcfg_begin();
	uint64_t base = 0, size = 0;

	dt_memory(0, &base, &size);
	EXPECT_EQ(fwcfg_dma(f, select(KEY_SIGNATURE) | DMA_READ, UINT64_MAX - 3, 16), DMA_ERROR);
	EXPECT_EQ(fwcfg_dma(f, select(KEY_SIGNATURE) | DMA_READ, base + size, 4), DMA_ERROR);
	EXPECT_EQ(fwcfg_dma(f, select(KEY_SIGNATURE) | DMA_READ, base + size - 2, 4), DMA_ERROR);
	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd8(f, FWCFG_DATA), 'Q');
}

/* Wild descriptors, lengths and targets: the machine is still there, and answers. */
TEST(fwcfg, wild_dma_leaves_a_device_that_answers, RULE("FWCFG-DMA-5"))
{
	static const uint64_t where[] = {
		0, 8, 0x09000000, 0x09020010, UINT64_MAX - 7, 1ULL << 63, 0x3ffffff8};
	struct mmio f = fwcfg_begin();
	volatile struct fwcfg_dma *d = mem_alloc(sizeof(*d), 16);
	uint64_t base = 0, size = 0;

	dt_memory(0, &base, &size);
	for (unsigned i = 0; i < sizeof(where) / sizeof(where[0]); i++)
		wr64(f, FWCFG_DMA, __builtin_bswap64(where[i]));
	wr64(f, FWCFG_DMA, __builtin_bswap64(base + size - 8)); /* half of it is memory */
	for (unsigned i = 0; i < 64; i++) {
		uint64_t to = i % 2 ? rnd() : where[i % 7] + (rnd() & 0xff);

		if (to - base < size)
			continue; /* that would be ours */
		d->control = __builtin_bswap32((uint32_t)rnd() & (0xffff0000 | DMA_SELECT |
								  DMA_SKIP | DMA_READ | DMA_WRITE));
		d->length = (uint32_t)rnd();
		d->address = __builtin_bswap64(to);
		__asm__ volatile("dsb sy" ::: "memory");
		wr64(f, FWCFG_DMA, __builtin_bswap64((uint64_t)d));
	}
	for (uint64_t off = 0; off < 24; off++) {
		(void)rd8(f, off);
		wr8(f, off, (uint8_t)rnd());
	}
	/* A descriptor that is its own target */
	EXPECT_EVENTUALLY(!(__builtin_bswap32(d->control) & ~(uint32_t)DMA_ERROR));
	d->control = __builtin_bswap32(select(KEY_SIGNATURE) | DMA_READ);
	d->length = __builtin_bswap32(sizeof(*d));
	d->address = __builtin_bswap64((uint64_t)d);
	__asm__ volatile("dsb sy" ::: "memory");
	wr64(f, FWCFG_DMA, __builtin_bswap64((uint64_t)d));
	EXPECT_EVENTUALLY(!d->control);
	fwcfg_select(f, KEY_SIGNATURE);
	EXPECT_EQ(rd32(f, FWCFG_DATA), 0x554d4551);
}
