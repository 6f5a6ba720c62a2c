/* SPDX-License-Identifier: Apache-2.0 */
/* Flash against JESD68.01 and the Intel command set, typed in from there. */
#include "core/err.h"
#include "tests/flash_bench.h"
#include "tests/unit.h"

#define SECTOR 0x40000ULL

static const struct flash_conf nothing;

TEST(flash, is_erased_and_takes_no_memory_until_looked_at)
{
	struct flash_bench b = flash_bench_new(&nothing);

	EXPECT_EQ(b.fe->rom_changes, 0);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x1234), 0xffffffff);
	EXPECT(b.fe->rom[1] && !b.fe->rom[0]);
	EXPECT_EQ(fake_read(b.fe, FLASH_BANK_SIZE - 8, 8), UINT64_MAX);
	EXPECT(b.fe->rom[0]);
	flash_bench_free(&b);
}

TEST(flash, answers_the_cfi_query_on_both_chips)
{
	static const struct {
		unsigned at;
		uint8_t val;
	} want[] = {{0x10, 'Q'},  {0x11, 'R'}, {0x12, 'Y'},  {0x13, 1},	  {0x14, 0},
		    {0x15, 0x31}, {0x27, 25},  {0x2a, 11},   {0x2c, 1},	  {0x2d, 255},
		    {0x2e, 0},	  {0x2f, 0},   {0x30, 2},    {0x31, 'P'}, {0x32, 'R'},
		    {0x33, 'I'},  {0x34, '1'}, {0x36, 0x20}, {0x100, 0}};
	struct flash_bench b = flash_bench_new(&nothing);

	flash_wr(&b, BANK1 + 0x55 * 4, 0x00980098);
	EXPECT(!b.fe->rom[1]);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		EXPECT_EQ(flash_rd(&b, BANK1 + want[i].at * 4), want[i].val * 0x10001U);
	EXPECT_EQ(fake_read(b.fe, BANK1 + 0x40, 1), 'Q');
	EXPECT_EQ(fake_read(b.fe, BANK1 + 0x41, 1), 0);
	EXPECT_EQ(fake_read(b.fe, BANK1 + 0x42, 2), 'Q');
	EXPECT_EQ(fake_read(b.fe, BANK1 + 0x40, 8), 0x0052005200510051);
	flash_wr(&b, BANK1, 0x00ff00ff);
	EXPECT(b.fe->rom[1]);
	flash_bench_free(&b);
}

TEST(flash, identifies_itself_and_each_sectors_lock)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_wr(&b, BANK1 + SECTOR, 0x00600060);
	flash_wr(&b, BANK1 + SECTOR, 0x00010001);
	flash_wr(&b, BANK1, 0x00900090);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00890089);
	EXPECT_EQ(flash_rd(&b, BANK1 + 4), 0x00180018);
	EXPECT_EQ(flash_rd(&b, BANK1 + 8), 0);
	EXPECT_EQ(flash_rd(&b, BANK1 + SECTOR + 8), 0x00010001);
	flash_bench_free(&b);
}

TEST(flash, programming_clears_bits_and_erasing_sets_them)
{
	struct flash_bench b = flash_bench_new(&nothing);

	EXPECT_EQ(flash_program(&b, BANK1 + 8, 0x12345678), 0x00800080);
	EXPECT_EQ(flash_rd(&b, BANK1 + 8), 0x12345678);
	EXPECT_EQ(flash_program(&b, BANK1 + 8, 0xff00ffff), 0x00800080);
	EXPECT_EQ(flash_rd(&b, BANK1 + 8), 0x12005678);
	EXPECT_EQ(flash_program(&b, BANK1 + SECTOR, 0), 0x00800080);
	EXPECT_EQ(flash_erase(&b, BANK1 + 0x1000), 0x00800080);
	EXPECT_EQ(flash_rd(&b, BANK1 + 8), 0xffffffff);
	EXPECT_EQ(flash_rd(&b, BANK1 + SECTOR), 0);
	EXPECT_EQ(flash_rd(&b, BANK1 - 4), 0xffffffff);
	flash_bench_free(&b);
}

TEST(flash, the_mapping_shows_what_was_programmed)
{
	struct flash_bench b = flash_bench_new(&nothing);
	uint32_t word;

	flash_program(&b, BANK1 + 4, 0xcafe0000);
	ASSERT(b.fe->rom[1]);
	memcpy(&word, b.fe->rom[1] + 4, 4);
	EXPECT_EQ(word, 0xcafe0000);
	flash_wr(&b, BANK1, 0x00700070);
	EXPECT(!b.fe->rom[1]);
	EXPECT_EQ(flash_rd(&b, BANK1 + 4), 0x00800080);
	flash_bench_free(&b);
}

TEST(flash, buffered_programming_writes_its_words_at_once)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_wr(&b, BANK1 + 0x2000, 0x00e800e8);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x2000), 0x00800080);
	flash_wr(&b, BANK1 + 0x2000, 0x00010001); /* two words */
	flash_wr(&b, BANK1 + 0x2ff8, 0x11111111);
	flash_wr(&b, BANK1 + 0x2ffc, 0x22222222);
	flash_wr(&b, BANK1 + 0x2000, 0x00d000d0);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x2000), 0x00800080);
	flash_wr(&b, BANK1, 0x00ff00ff);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x2ff8), 0x11111111);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x2ffc), 0x22222222);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x2ff4), 0xffffffff);
	flash_bench_free(&b);
}

/* The command names the sector, the first word where in it: as U-Boot does, 16 bits at a time. */
TEST(flash, a_buffer_goes_where_its_first_word_says)
{
	struct flash_bench b = flash_bench_new(&nothing);

	fake_write(b.fe, BANK1, 2, 0xe8);
	fake_write(b.fe, BANK1, 2, 3);
	for (unsigned i = 0; i < 4; i++)
		fake_write(b.fe, BANK1 + 0x21800 + i * 2, 2, 0x1111UL * (i + 1));
	fake_write(b.fe, BANK1, 2, 0xd0);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00800080);
	flash_wr(&b, BANK1, 0x00ff00ff);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x21800), 0x22221111);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x21804), 0x44443333);
	EXPECT_EQ(flash_rd(&b, BANK1), 0xffffffff);
	EXPECT_EQ(b.fe->guest_errors, 0);
	flash_bench_free(&b);
}

TEST(flash, wrong_sequences_are_errors_and_change_nothing)
{
	static const uint32_t sequence[][5] = {
		{0x20, 0x70},		     /* erase, not confirmed */
		{0x60, 0x55},		     /* neither lock nor unlock */
		{0xe8, 0x400},		     /* more words than the buffer has */
		{0xe8, 0, 0x11223344, 0x70}, /* a buffer that is not confirmed */
	};
	struct flash_bench b = flash_bench_new(&nothing);

	for (size_t i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++) {
		for (size_t k = 0; k < 5 && (!k || sequence[i][k] || k == 1); k++)
			flash_wr(&b, BANK1 + 0x100, sequence[i][k]);
		EXPECT_EQ(flash_rd(&b, BANK1 + 0x100), 0x00b000b0); /* ready, SR.5 and SR.4 */
		flash_wr(&b, BANK1, 0x00500050);
		EXPECT_EQ(flash_rd(&b, BANK1 + 0x100), 0xffffffff);
	}
	EXPECT(b.fe->guest_errors);
	flash_wr(&b, BANK1, 0xe8);
	flash_wr(&b, BANK1, 1);
	flash_wr(&b, BANK1 + SECTOR, 0); /* outside the buffer's block */
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00b000b0);
	flash_wr(&b, BANK1, 0x00500050);
	flash_wr(&b, BANK1, 0xe8);
	flash_wr(&b, BANK1, 1);
	flash_wr(&b, BANK1 + 0x1ffc, 0);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00800080);
	flash_wr(&b, BANK1 + 0x2000, 0); /* behind its end, in the same sector */
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00b000b0);
	flash_bench_free(&b);
}

TEST(flash, errors_stay_until_the_status_is_cleared)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_wr(&b, BANK1, 0x20);
	flash_wr(&b, BANK1, 0);
	flash_wr(&b, BANK1, 0xff);
	flash_wr(&b, BANK1, 0x70);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00b000b0);
	flash_wr(&b, BANK1, 0x50);
	flash_wr(&b, BANK1, 0x70);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x00800080);
	flash_bench_free(&b);
}

TEST(flash, locked_sectors_keep_their_contents)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_program(&b, BANK1, 0x5a5a5a5a);
	flash_wr(&b, BANK1, 0x60);
	flash_wr(&b, BANK1, 0x01);
	EXPECT_EQ(flash_program(&b, BANK1, 0), 0x00920092);
	EXPECT_EQ(flash_erase(&b, BANK1), 0x00a200a2);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x5a5a5a5a);
	EXPECT_EQ(flash_program(&b, BANK1 + SECTOR, 0), 0x00800080);
	flash_wr(&b, BANK1, 0x60);
	flash_wr(&b, BANK1, 0xd0);
	EXPECT_EQ(flash_erase(&b, BANK1), 0x00800080);
	EXPECT_EQ(flash_rd(&b, BANK1), 0xffffffff);
	flash_bench_free(&b);
}

TEST(flash, wide_writes_are_two_words_of_the_chips)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_wr(&b, BANK1 + 0x40, 0x40);
	fake_write(b.fe, BANK1 + 0x40, 2, 0x1234);
	flash_wr(&b, BANK1, 0xff);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x40), 0xffff1234);
	fake_write(b.fe, BANK1 + 0x48, 8, 0xabcd567800400040); /* a command, and its data */
	flash_wr(&b, BANK1, 0xff);
	EXPECT_EQ(flash_rd(&b, BANK1 + 0x4c), 0xabcd5678);
	flash_bench_free(&b);
}

TEST(flash, reset_shows_the_array_and_keeps_it)
{
	struct flash_bench b = flash_bench_new(&nothing);

	flash_program(&b, BANK1, 0x77777777);
	flash_wr(&b, BANK1, 0x60);
	flash_wr(&b, BANK1, 0x01);
	flash_wr(&b, BANK1, 0xe8);
	b.dev->ops->reset(b.dev);
	EXPECT(b.fe->rom[1]);
	EXPECT_EQ(flash_rd(&b, BANK1), 0x77777777);
	EXPECT_EQ(flash_program(&b, BANK1, 0), 0x00800080); /* unlocked */
	flash_bench_free(&b);
}
