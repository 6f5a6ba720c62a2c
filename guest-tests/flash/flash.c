/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#define WORD(n) ((uint64_t)(n)*4) /* where a number in the chips' own words is */

SUITE(flash, .device = "cfi-flash");

void flash_command(struct mmio bank, uint64_t off, uint32_t command)
{
	wr32(bank, off, BOTH(command));
}

struct mmio flash_bank(unsigned n)
{
	int node = dt_find("cfi-flash", 0);
	struct mmio bank = dt_mmio_reg(node, n);

	if (!bank.size)
		SKIP("the device tree has no flash bank %u", n);
	if (dt_u32(node, "bank-width", 0) != 4)
		SKIP("the banks are %u bytes wide, and these tests know 4",
		     dt_u32(node, "bank-width", 0));
	/* not at the first page of the first bank, which payloads keep unmapped */
	flash_command(bank, 0x10000, CMD_CLEAR_STATUS);
	flash_command(bank, 0x10000, CMD_ARRAY);
	return bank;
}

uint32_t flash_query(struct mmio bank, unsigned word)
{
	flash_command(bank, WORD(0x55), CMD_QUERY);
	return rd32(bank, WORD(word)) & 0xffff;
}

uint64_t flash_sector_size(struct mmio bank)
{
	uint64_t size = (flash_query(bank, 0x2f) | flash_query(bank, 0x30) << 8) * 256ULL * 2;

	flash_command(bank, 0, CMD_ARRAY);
	return size;
}

static uint32_t finish(struct mmio bank, uint64_t off)
{
	uint32_t status = 0;

	EXPECT_EVENTUALLY((status = rd32(bank, off)) & SR_READY);
	return status;
}

uint32_t flash_erase(struct mmio bank, uint64_t off)
{
	flash_command(bank, off, CMD_ERASE);
	flash_command(bank, off, CMD_CONFIRM);
	return finish(bank, off);
}

uint32_t flash_program(struct mmio bank, uint64_t off, uint32_t val)
{
	flash_command(bank, off, CMD_PROGRAM);
	wr32(bank, off, val);
	return finish(bank, off);
}

/* JESD68.01, table 1: both chips answer, in their own halves */
TEST(flash, query_answers_on_both_chips, RULE("FLASH-CFI-1"))
{
	struct mmio bank = flash_bank(1);

	EXPECT_EQ(flash_query(bank, 0x10), 'Q');
	EXPECT_EQ(rd32(bank, WORD(0x10)), BOTH('Q'));
	EXPECT_EQ(rd32(bank, WORD(0x11)), BOTH('R'));
	EXPECT_EQ(rd32(bank, WORD(0x12)), BOTH('Y'));
	EXPECT_EQ(rd16(bank, WORD(0x10) + 2), 'Q');
	EXPECT_EQ(rd8(bank, WORD(0x11)), 'R');
	EXPECT_EQ(flash_query(bank, 0x13) | flash_query(bank, 0x14) << 8, 1); /* Intel/Sharp */
	flash_command(bank, 0, CMD_ARRAY);
}

/* JESD68.01, table 3: what the chips say of their size is the device tree's window */
TEST(flash, geometry_is_that_of_the_device_tree, RULE("FLASH-CFI-2"))
{
	struct mmio bank = flash_bank(1);
	uint64_t sector = flash_sector_size(bank);
	uint64_t sectors = (flash_query(bank, 0x2d) | flash_query(bank, 0x2e) << 8) + 1ULL;

	EXPECT_EQ(flash_query(bank, 0x2c), 1); /* region of equal sectors */
	EXPECT_EQ(2ULL << flash_query(bank, 0x27), bank.size);
	EXPECT_EQ(sectors * sector, bank.size);
	flash_command(bank, 0, CMD_ARRAY);
	FACT("flash.sector_kib", "%lu", sector >> 10);
}

/* JEP137, 0001: the extended table is where the query says, and of a version drivers know */
TEST(flash, extended_table_is_there, RULE("FLASH-CFI-3"))
{
	struct mmio bank = flash_bank(1);
	unsigned at = flash_query(bank, 0x15) | flash_query(bank, 0x16) << 8;

	ASSERT_LT(at, 0x100);
	EXPECT_EQ(flash_query(bank, at), 'P');
	EXPECT_EQ(flash_query(bank, at + 1), 'R');
	EXPECT_EQ(flash_query(bank, at + 2), 'I');
	EXPECT_EQ(flash_query(bank, at + 3), '1');
	flash_command(bank, 0, CMD_ARRAY);
}

/* P30, 12.1: manufacturer Intel */
TEST(flash, identifier_names_the_maker, RULE("FLASH-ID-1"))
{
	struct mmio bank = flash_bank(1);

	flash_command(bank, 0, CMD_ID);
	EXPECT_EQ(rd32(bank, 0), BOTH(0x89));
	EXPECT_EQ(rd32(bank, 4) >> 16, rd32(bank, 4) & 0xffff);
	flash_command(bank, 0, CMD_ARRAY);
}

/* P30, 11.2 and 11.4: an erased sector is ones; programming changes its word alone */
TEST(flash, programmed_words_read_back, RULE("FLASH-PROGRAM-1"))
{
	struct mmio bank = flash_bank(1);
	uint64_t sector = flash_sector_size(bank);

	EXPECT_EQ(flash_erase(bank, sector), BOTH(SR_READY));
	EXPECT_EQ(flash_program(bank, sector + 0x104, 0x1337c0de), BOTH(SR_READY));
	flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(rd32(bank, sector + 0x104), 0x1337c0de);
	EXPECT_EQ(rd16(bank, sector + 0x106), 0x1337);
	EXPECT_EQ(rd8(bank, sector + 0x104), 0xde);
	EXPECT_EQ(rd32(bank, sector + 0x100), 0xffffffff);
	EXPECT_EQ(rd64(bank, sector + 0x108), UINT64_MAX);
}

TEST(flash, erasing_sets_one_sector_to_ones, RULE("FLASH-ERASE-1"))
{
	struct mmio bank = flash_bank(1);
	uint64_t sector = flash_sector_size(bank);

	flash_erase(bank, sector);
	flash_erase(bank, 2 * sector);
	flash_program(bank, 2 * sector - 4, 0);
	flash_program(bank, 2 * sector, 0);
	EXPECT_EQ(flash_erase(bank, sector + 0x1000), BOTH(SR_READY));
	flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(rd32(bank, sector), 0xffffffff);
	EXPECT_EQ(rd32(bank, 2 * sector - 4), 0xffffffff);
	EXPECT_EQ(rd32(bank, 2 * sector), 0);
}

/* P30, 11.3: count less one, data, confirm */
TEST(flash, buffered_words_are_programmed_together, RULE("FLASH-PROGRAM-2"))
{
	struct mmio bank = flash_bank(1);
	uint64_t at = flash_sector_size(bank) + 0x40;

	flash_erase(bank, at);
	flash_command(bank, at, CMD_BUFFER);
	EXPECT_EVENTUALLY(rd32(bank, at) & SR_READY);
	flash_command(bank, at, 3); /* four words of each chip */
	for (unsigned i = 0; i < 4; i++)
		wr32(bank, at + WORD(i), 0x11111111U * (i + 1));
	flash_command(bank, at, CMD_CONFIRM);
	EXPECT_EVENTUALLY(rd32(bank, at) & SR_READY);
	EXPECT_EQ(rd32(bank, at), BOTH(SR_READY));
	flash_command(bank, 0, CMD_ARRAY);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(rd32(bank, at + WORD(i)), 0x11111111U * (i + 1));
	EXPECT_EQ(rd32(bank, at + 16), 0xffffffff);
}

/* P30, 11.3: commands come with any address of the sector, data with its own */
TEST(flash, buffered_words_go_where_the_first_of_them_does, RULE("FLASH-PROGRAM-2"))
{
	struct mmio bank = flash_bank(1);
	uint64_t sector = flash_sector_size(bank), at = sector + sector / 2 + 0x1840;

	flash_erase(bank, sector);
	flash_command(bank, sector, CMD_BUFFER);
	EXPECT_EVENTUALLY(rd32(bank, sector) & SR_READY);
	flash_command(bank, sector, 1);
	wr32(bank, at, 0x12345678);
	wr32(bank, at + 4, 0x9abcdef0);
	flash_command(bank, sector, CMD_CONFIRM);
	EXPECT_EVENTUALLY(rd32(bank, sector) & SR_READY);
	EXPECT_EQ(rd32(bank, sector), BOTH(SR_READY));
	flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(rd32(bank, at), 0x12345678);
	EXPECT_EQ(rd32(bank, at + 4), 0x9abcdef0);
	EXPECT_EQ(rd32(bank, sector), 0xffffffff);
}

/* P30, 10.2: what a read shows is what the last command said, until Read Array */
TEST(flash, commands_choose_what_reads_show, RULE("FLASH-MODE-1"))
{
	struct mmio bank = flash_bank(1);

	flash_erase(bank, 0);
	flash_program(bank, 0x40, 0x600df00d);
	flash_command(bank, 0, CMD_STATUS);
	EXPECT_EQ(rd32(bank, 0x40), BOTH(SR_READY));
	flash_command(bank, WORD(0x55), CMD_QUERY);
	EXPECT_EQ(rd32(bank, 0x40), BOTH('Q'));
	flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(rd32(bank, 0x40), 0x600df00d);
}

TEST(flash, banks_are_independent, RULE("FLASH-MODE-2"))
{
	struct mmio first = flash_bank(0), second = flash_bank(1);
	uint64_t off = flash_sector_size(second);

	flash_erase(second, off);
	flash_command(second, off, CMD_ARRAY);
	flash_command(first, off, CMD_QUERY);
	EXPECT_EQ(rd32(second, off), 0xffffffff);
	EXPECT_EQ(rd32(first, 0x10000 + WORD(0x10)), BOTH(0)); /* no table there, and no ones */
	flash_command(first, off, CMD_ARRAY);
}

/* P30, 13.1; only where the extended table offers it (bit 5 of the feature word) */
TEST(flash, locked_sectors_refuse_with_their_status, RULE("FLASH-LOCK-1"))
{
	struct mmio bank = flash_bank(1);
	uint64_t sector = flash_sector_size(bank);
	unsigned at = flash_query(bank, 0x15) | flash_query(bank, 0x16) << 8;
	bool offered = flash_query(bank, at + 5) & 0x20;

	flash_command(bank, 0, CMD_ARRAY);
	if (!offered)
		SKIP("the chips offer no individual sector locking");
	flash_erase(bank, sector);
	flash_program(bank, sector, 0x5a5a5a5a);
	flash_command(bank, sector, CMD_LOCK_SETUP);
	flash_command(bank, sector, CMD_LOCK);
	EXPECT_EQ(flash_program(bank, sector, 0), BOTH(SR_READY | SR_PROGRAM | SR_LOCKED));
	flash_command(bank, sector, CMD_CLEAR_STATUS);
	EXPECT_EQ(flash_erase(bank, sector), BOTH(SR_READY | SR_ERASE | SR_LOCKED));
	flash_command(bank, sector, CMD_CLEAR_STATUS);
	flash_command(bank, sector, CMD_ID);
	EXPECT_EQ(rd32(bank, sector + 8), BOTH(1));
	flash_command(bank, sector, CMD_LOCK_SETUP);
	flash_command(bank, sector, CMD_CONFIRM);
	flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(rd32(bank, sector), 0x5a5a5a5a);
	EXPECT_EQ(flash_erase(bank, sector), BOTH(SR_READY));
	flash_command(bank, 0, CMD_ARRAY);
}

/* Any command with any data in any width, and the chips still answer. */
TEST(flash, garbage_leaves_a_flash_that_answers, RULE("FLASH-MODE-1"))
{
	struct mmio bank = flash_bank(1);

	for (unsigned i = 0; i < 48; i++) {
		uint64_t off = rnd() % bank.size & ~7ULL;

		switch (i % 4) {
		case 0:
			wr8(bank, off, (uint8_t)rnd());
			break;
		case 1:
			wr16(bank, off, (uint16_t)rnd());
			break;
		case 2:
			wr32(bank, off, BOTH((uint32_t)rnd() & 0xff));
			break;
		default:
			wr64(bank, off, rnd());
			break;
		}
		(void)rd32(bank, off);
	}
	/* At most one command was begun, which wants a count, one word and a confirmation at the most. */
	for (unsigned i = 0; i < 3; i++)
		flash_command(bank, 0, CMD_ARRAY);
	EXPECT_EQ(flash_query(bank, 0x10), 'Q');
	flash_command(bank, 0, CMD_ARRAY);
}
