/* SPDX-License-Identifier: Apache-2.0 */
/* The board's table: nothing overlaps, and two machines in one process do not meet. */
#include <stdlib.h>

#include "board.h"
#include "dev/test_port.h"
#include "options.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

static struct machine_conf new_conf(enum gic_version gic, bool highmem)
{
	struct machine_conf c = {.smp = 1, .gic = gic, .highmem = highmem, .its = OFF};

	c.ram.size = FAKE_RAM_SIZE;
	if (board_conf_init(&c))
		abort();
	return c;
}

TEST(board, regions_and_spis_do_not_overlap)
{
	EXPECT_EQ(board_check(), 0);
}

TEST(board, is_the_virt_map)
{
	/* hw/arm/virt.c of QEMU; typed in, not shared. */
	static const struct {
		enum board_region r;
		uint64_t base;
	} want[] = {
		{BOARD_FLASH0, 0},
		{BOARD_GIC_DIST, 0x08000000},
		{BOARD_GIC_CPU, 0x08010000},
		{BOARD_GIC_V2M, 0x08020000},
		{BOARD_GIC_ITS, 0x08080000},
		{BOARD_GIC_REDIST, 0x080a0000},
		{BOARD_UART, 0x09000000},
		{BOARD_RTC, 0x09010000},
		{BOARD_FW_CFG, 0x09020000},
		{BOARD_GPIO, 0x09030000},
		{BOARD_VIRTIO_MMIO, 0x0a000000},
		{BOARD_PCIE_MMIO, 0x10000000},
		{BOARD_PCIE_PIO, 0x3eff0000},
		{BOARD_PCIE_ECAM, 0x3f000000},
		{BOARD_RAM, 0x40000000},
		{BOARD_GIC_REDIST_HIGH, 0x4000000000},
		{BOARD_PCIE_ECAM_HIGH, 0x4010000000},
		{BOARD_PCIE_MMIO_HIGH, 0x8000000000},
	};

	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		EXPECT_EQ(board_region_range(want[i].r).base, want[i].base);
	EXPECT_EQ(board_redists_low(512), 123);
}

TEST(board, builds_every_machine_and_frees_it)
{
	for (unsigned i = 0; i < 4; i++) {
		struct machine_conf c = new_conf(i & 1 ? GIC_V2 : GIC_V3, i & 2);
		struct fake_env *fe = fake_env_new();
		struct board b;

		ASSERT_EQ(board_build(&b, &c, &fe->env), 0);
		EXPECT_EQ(b.nr, board_rows - (c.gic == GIC_V3));
		board_free(&b);
		board_conf_free(&c);
		fake_env_free(fe);
	}
}

TEST(board, needs_the_smallest_address_space)
{
	struct machine_conf c = new_conf(GIC_V3, false);

	c.ram.size = 0x80000000;
	EXPECT_EQ(board_top(&c), 0xc0000000);
	c.ram.size = 0xc0000000;
	EXPECT_EQ(board_top(&c), 0x100000000);
	c.highmem = true;
	EXPECT_EQ(board_top(&c), 0x10000000000);
	c.highmem = false; /* which then has no room for so many vCPUs: options_check() */
	c.smp = 124;
	EXPECT_EQ(board_top(&c), 0x4004000000);
	board_conf_free(&c);
}

static void ignore_line(struct env *e, const char *text, size_t len)
{
	((struct fake_env *)e)->user = NULL;
	(void)text;
	(void)len;
}

TEST(board, two_machines_do_not_meet)
{
	static const struct test_port_host host = {.line = ignore_line};
	struct machine_conf ca = new_conf(GIC_V3, true), cb = new_conf(GIC_V2, false);
	struct fake_env *a = fake_env_new(), *b = fake_env_new();
	struct board ba, bb;

	a->env.port = b->env.port = &host;
	ASSERT_EQ(board_build(&ba, &ca, &a->env), 0);
	ASSERT_EQ(board_build(&bb, &cb, &b->env), 0);
	bus_write(&ba.bus, 0x0c000020, 4, 0x1111); /* PING */
	bus_write(&bb.bus, 0x0c000020, 4, 0x2222);
	bus_write(&ba.bus, 0x09000038, 4, 0x20); /* UART: transmit interrupt */
	bus_write(&ba.bus, 0x09000000, 1, 'a');
	EXPECT_EQ(bus_read(&ba.bus, 0x0c000020, 4), 0x1111);
	EXPECT_EQ(bus_read(&bb.bus, 0x0c000020, 4), 0x2222);
	EXPECT_EQ(bus_read(&bb.bus, 0x09000038, 4), 0);
	EXPECT(a->level[1] && !b->level[1]);
	EXPECT_STR(a->console, "a");
	EXPECT_STR(b->console, "");
	EXPECT_EQ(b->guest_errors, 0);
	board_free(&ba);
	board_free(&bb);
	board_conf_free(&ca);
	board_conf_free(&cb);
	fake_env_free(a);
	fake_env_free(b);
}
