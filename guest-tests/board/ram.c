/* SPDX-License-Identifier: Apache-2.0 */
/* All of RAM is there: the first page that is free, the last one, and some between, each its own. */
#include "test.h"

#define PAGES 64U
#define PAGE  0x10000ULL /* the largest a host has */

TEST(board, ram_is_reached_to_its_end, RULE("BOARD-RAM-1"),
     .variants = "256M: --memory 256M | 255G: --memory 255G", .limit_ms = 30000)
{
	uint64_t base, size, at[PAGES], key = rnd(), top_base, top_size;

	ASSERT_TRUE(dt_memory(0, &top_base, &top_size));
	FACT("board.ram_mib", "%lu", top_size >> 20);
	mem_unused(&base, &size);
	ASSERT_GE(size, 2 * PAGE);
	EXPECT_EQ(base + size, top_base + top_size);
	at[0] = base + PAGE - 8;
	at[1] = base + size - 8;
	for (unsigned i = 2; i < PAGES; i++)
		at[i] = (base + rnd_below(size - 8)) & ~7ULL;
	for (unsigned i = 0; i < PAGES; i++)
		*(volatile uint64_t *)at[i] = key ^ at[i];
	for (unsigned i = 0; i < PAGES; i++)
		EXPECT_EQ(*(volatile uint64_t *)at[i], key ^ at[i]);
}
