/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest that means harm, against the test port (abi/assay/port.h): addresses outside RAM, lengths
 * that wrap, blocks that straddle the end of RAM, wrong widths, unknown actions. Nothing may happen,
 * and the machine must go on: each test ends with lines of its own through the same port.
 */
#include "dt.h"
#include "mem.h"
#include "mmio.h"
#include "test.h"

#include <assay/port.h>

SUITE(hostile, .tags = "hostile");

#define UNTOUCHED 0x5a5a5a5aU

static struct mmio port_begin(void)
{
	NEED("test-port", port_present(), "this VMM has no assay,test-port to attack");
	return dt_mmio("assay,test-port");
}

static uint64_t ram_end(void)
{
	uint64_t base, size;

	ASSERT_TRUE(dt_memory(0, &base, &size));
	return base + size;
}

static const uint64_t *outside(unsigned *n)
{
	static uint64_t found[8];
	struct mmio port = dt_mmio("assay,test-port");

	*n = 0;
	found[(*n)++] = 0;
	found[(*n)++] = port.base;
	found[(*n)++] = ram_end();
	found[(*n)++] = ram_end() - 8;
	found[(*n)++] = 1ULL << 52;
	found[(*n)++] = 1ULL << 63;
	found[(*n)++] = ~0ULL - 7;
	found[(*n)++] = ~0ULL;
	return found;
}

/* A line of 1024 bytes cannot lie at any of these; what is emitted would follow as a broken line of KTAP. */
TEST(hostile, port_emits_no_line_from_outside_ram, RULE("BOARD-PORT-1"))
{
	struct mmio port = port_begin();
	unsigned n;
	const uint64_t *where = outside(&n);

	for (unsigned i = 0; i < n; i++) {
		wr64(port, ASSAY_PORT_LINE_ADDR, where[i]);
		wr32(port, ASSAY_PORT_LINE_LEN, ASSAY_PORT_LINE_MAX);
		wr32(port, ASSAY_PORT_LINE_LEN, ASSAY_PORT_LINE_MAX + 1);
		wr32(port, ASSAY_PORT_LINE_LEN, ~0U);
		EXPECT_EQ(port_ping((uint32_t)i), i);
	}
	/* and none that is too long, from where there is RAM enough */
	wr64(port, ASSAY_PORT_LINE_ADDR, ram_end() - (1U << 20));
	wr32(port, ASSAY_PORT_LINE_LEN, 1U << 20);
	EXPECT_EQ(port_ping(UNTOUCHED), UNTOUCHED);
}

/* A block of which the last bytes are not RAM is not done, and the part that is RAM not written to. */
TEST(hostile, port_does_no_action_from_outside_ram, RULE("BOARD-PORT-1"))
{
	struct mmio port = port_begin();
	unsigned n;
	const uint64_t *where = outside(&n);

	for (unsigned i = 0; i < n; i++) {
		wr64(port, ASSAY_PORT_ACTION, where[i]);
		EXPECT_EQ(port_ping((uint32_t)i), i);
	}
	for (uint64_t off = 8; off < sizeof(struct assay_action); off += 8) {
		uint64_t at = ram_end() - off;

		mmio_wr32(at, ASSAY_ACT_NOP);
		mmio_wr32(at + 4, UNTOUCHED);
		cache_flush((const void *)at, off);
		wr64(port, ASSAY_PORT_ACTION, at);
		EXPECT_EQ(mmio_rd32(at + 4), UNTOUCHED);
	}
}

/* The last block of RAM that is whole is done: the check is not off by one. */
TEST(hostile, port_does_an_action_at_the_end_of_ram, RULE("BOARD-PORT-1"))
{
	struct assay_action *a;

	port_begin();
	a = (struct assay_action *)(ram_end() - sizeof(*a));
	*a = (struct assay_action){.op = ASSAY_ACT_NOP, .status = (int32_t)UNTOUCHED};
	wr64(dt_mmio("assay,test-port"), ASSAY_PORT_ACTION, (uint64_t)a);
	EXPECT_EQ(mmio_rd32((uint64_t)&a->status), 0);
}

/* "other widths and offsets read 0, are ignored on write" */
TEST(hostile, port_ignores_wrong_widths, RULE("BOARD-PORT-1"))
{
	struct mmio port = port_begin();

	EXPECT_EQ(port_ping(UNTOUCHED), UNTOUCHED);
	for (uint64_t off = 0; off < 0x40; off++) {
		EXPECT_EQ(rd8(port, off), 0);
		wr8(port, off, 0xff);
		if (!(off & 1)) {
			EXPECT_EQ(rd16(port, off), 0);
			wr16(port, off, 0xffff);
		}
		if (!(off & 7) && off != ASSAY_PORT_LINE_ADDR && off != ASSAY_PORT_ACTION) {
			EXPECT_EQ(rd64(port, off), 0);
			wr64(port, off, ~0ULL);
		}
	}
	EXPECT_EQ(rd32(port, ASSAY_PORT_PING), UNTOUCHED);
	EXPECT_EQ(rd32(port, ASSAY_PORT_ID), ASSAY_PORT_MAGIC);
}

/* Unknown actions say so; known ones with wild arguments leave the machine able to do the next. */
TEST(hostile, port_survives_wild_actions, RULE("BOARD-PORT-1"))
{
	struct assay_action a;

	port_begin();
	for (unsigned op = 1U << 8; op; op <<= 1) { /* far above the last one there is */
		a = (struct assay_action){.op = op, .arg = {rnd(), rnd(), rnd(), rnd()}};
		EXPECT_EQ(port_action(&a), -38); /* -ENOSYS */
	}
	for (unsigned i = 0; i < 64; i++) {
		/* not SPI_*: which lines may be raised is no question of addresses; not a long PAUSE */
		static const uint32_t ops[] = {ASSAY_ACT_MSI, ASSAY_ACT_STAT, ASSAY_ACT_PIN};
		uint64_t high = rnd() | 1ULL << 63;

		a = (struct assay_action){.op = ops[i % 3], .arg = {high, high, high, high}};
		(void)port_action(&a);
	}
	a = (struct assay_action){.op = ASSAY_ACT_STAT, .arg = {ram_end() - 4, 16}};
	EXPECT_NE(port_action(&a), 0);
	a = (struct assay_action){.op = ASSAY_ACT_PAUSE, .arg = {~0ULL}};
	EXPECT_EQ(port_action(&a), -22); /* -EINVAL */
	a = (struct assay_action){.op = ASSAY_ACT_SPI_LEVEL, .arg = {~0ULL, 1}};
	EXPECT_EQ(port_action(&a), -22);
	a = (struct assay_action){.op = ASSAY_ACT_NOP};
	EXPECT_EQ(port_action(&a), 0);
}
