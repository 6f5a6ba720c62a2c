/* SPDX-License-Identifier: Apache-2.0 */
/* What runs out first: each limit one below, at, and one above; and the options that ask for it. */
#include <stdio.h>

#include <assay/exit.h>

#include "core/err.h"
#include "tests/pcie_bench.h"
#include "tests/unit.h"

/* Ports and endpoints as options say them; "" when all fits, else the limit's name. */
static const char *exhausted(bool highmem, unsigned ports, unsigned endpoints, const char *device)
{
	struct pcie_bench *b = BENCH(highmem);
	struct pcie_budget budget;
	struct pcie_conf conf = {.root_ports = ports};

	for (unsigned i = 0; i < endpoints; i++)
		if (pcie_options[1].parse(&conf, device))
			return "options";
	pcie_budget(&conf, b->dev->range, &budget);
	pcie_bench_free(b);
	return budget.exhausted ? budget.exhausted : "";
}

TEST(pcie_budget, bus_numbers_of_the_low_ecam)
{
	EXPECT_STR(exhausted(false, 14, 0, ""), "");
	EXPECT_STR(exhausted(false, 15, 0, ""), "");
	EXPECT_STR(exhausted(false, 16, 0, ""), "pcie-buses");
	EXPECT_STR(exhausted(false, 28, 0, ""), "pcie-buses");
	EXPECT_STR(exhausted(true, 16, 0, ""), "");
	EXPECT_STR(exhausted(true, 28, 0, ""), "");
}

TEST(pcie_budget, slots_of_the_root_bus)
{
	EXPECT_STR(exhausted(true, 30, 0, ""), "");
	EXPECT_STR(exhausted(true, 31, 0, ""), "");
	EXPECT_STR(exhausted(true, 32, 0, ""), "pcie-slots");
	EXPECT_STR(exhausted(true, 30, 1, "port=none"), "");
	EXPECT_STR(exhausted(true, 30, 2, "port=none"), "pcie-slots");
	EXPECT_STR(exhausted(false, 15, 16, "port=none,bar64=4K"), "");
	EXPECT_STR(exhausted(false, 15, 17, "port=none,bar64=4K"), "pcie-slots");
	EXPECT_STR(exhausted(true, 31, 31, ""), "");
	EXPECT_STR(exhausted(true, 31, 32, ""), "pcie-slots");
}

TEST(pcie_budget, a_port_has_one_slot)
{
	EXPECT_STR(exhausted(true, 1, 1, "port=0"), "");
	EXPECT_STR(exhausted(true, 1, 2, "port=0"), "pcie-port");
}

/*
 * The window is [0x10000000, 0x3eff0000). 256 MiB BARs fit at 0x10000000 and 0x20000000; a third
 * would end at 0x40000000. 512 MiB has one aligned place, and it ends there too.
 */
TEST(pcie_budget, 32_bit_window)
{
	EXPECT_STR(exhausted(true, 0, 1, "bar32=256M"), "");
	EXPECT_STR(exhausted(true, 0, 2, "bar32=256M"), "");
	EXPECT_STR(exhausted(true, 0, 3, "bar32=256M"), "pcie-mmio32");
	EXPECT_STR(exhausted(true, 0, 1, "bar32=512M"), "pcie-mmio32");
	/* behind a port, the other BAR makes the window 257 MiB, and the next one starts at 512 */
	EXPECT_STR(exhausted(true, 1, 1, "bar32=256M"), "");
	EXPECT_STR(exhausted(true, 2, 2, "bar32=256M"), "pcie-mmio32");
	/* 0x2eff0000 holds 751 steps of 1 MiB; 31 ports use 62 of them */
	EXPECT_STR(exhausted(true, 31, 31, "bar32=16M"), "pcie-mmio32");
	EXPECT_STR(exhausted(true, 31, 31, "bar32=8M"), "");
}

TEST(pcie_budget, 64_bit_window)
{
	EXPECT_STR(exhausted(true, 0, 1, "bar64=256G"), "");
	EXPECT_STR(exhausted(true, 0, 2, "bar64=256G"), "");
	EXPECT_STR(exhausted(true, 0, 3, "bar64=256G"), "pcie-mmio64");
	EXPECT_STR(exhausted(true, 0, 1, "bar64=512G"), "");
	EXPECT_STR(exhausted(true, 0, 2, "bar64=512G"), "pcie-mmio64");
	EXPECT_STR(exhausted(true, 0, 1, "bar64=1T"), "pcie-mmio64");
	EXPECT_STR(exhausted(true, 31, 31, "bar64=16G"), "");
	EXPECT_STR(exhausted(true, 31, 31, "bar64=32G"), "pcie-mmio64");
}

TEST(pcie_budget, without_highmem_64_bit_bars_share_the_32_bit_window)
{
	EXPECT_STR(exhausted(false, 0, 1, "bar64=256M"), "");
	EXPECT_STR(exhausted(false, 0, 2, "bar64=256M"), "");
	EXPECT_STR(exhausted(false, 0, 3, "bar64=256M"), "pcie-mmio64-lowmem");
	EXPECT_STR(exhausted(false, 0, 1, "bar64=1G"), "pcie-mmio64-lowmem");
	EXPECT_STR(exhausted(false, 0, 1, "bar32=512M,bar64=1G"), "pcie-mmio32");
}

TEST(pcie_budget, figures_name_use_and_limit)
{
	struct pcie_bench *b = BENCH(false);
	struct pcie_conf conf = {.root_ports = 3};
	struct pcie_budget g;

	for (unsigned i = 0; i < 4; i++)
		ASSERT_EQ(pcie_options[1].parse(&conf, ""), 0);
	pcie_budget(&conf, b->dev->range, &g);
	EXPECT_EQ(conf.endpoint[3].port, 2); /* the last endpoint behind the last port */
	EXPECT_EQ(conf.endpoint[1].port, 0);
	EXPECT_EQ(conf.endpoint[0].port, PCIE_PORT_NONE);
	EXPECT_EQ(g.buses, 4);
	EXPECT_EQ(g.buses_max, 16);
	EXPECT_EQ(g.slots, 4);
	EXPECT_EQ(g.slots_max, 31);
	EXPECT_EQ(g.mmio32, 0x702000); /* 3 x (1 + 1) MiB, 1 MiB, 2 x 4 KiB */
	EXPECT_EQ(g.mmio32_max, ASSAY_PCIE_MMIO_SIZE);
	EXPECT_EQ(g.mmio64, 0);
	pcie_bench_free(b);
}

/*
 * Two windows of 129 MiB leave holes of 64 MiB behind them: the first 64 MiB BAR goes into the
 * one at 0x1c000000, the second past the other window, to 0x2c000000.
 */
TEST(pcie_budget, holes_are_filled_and_nothing_overlaps)
{
	struct pcie_bench *b = BENCH(true);
	struct pcie_conf conf = {.root_ports = 2};
	struct pcie_budget g;

	ASSERT_EQ(pcie_options[1].parse(&conf, "bar32=128M"), 0);
	ASSERT_EQ(pcie_options[1].parse(&conf, "bar32=128M"), 0);
	ASSERT_EQ(pcie_options[1].parse(&conf, "bar32=64M,port=none"), 0);
	pcie_budget(&conf, b->dev->range, &g);
	EXPECT_EQ(g.mmio32, 0x18100000);
	ASSERT_EQ(pcie_options[1].parse(&conf, "bar32=64M,port=none"), 0);
	pcie_budget(&conf, b->dev->range, &g);
	EXPECT_EQ(g.mmio32, 0x20000000);
	EXPECT(!g.exhausted);
	pcie_bench_free(b);
}

static int status(bool highmem, const char *name, const char *arg)
{
	struct pcie_bench *b = BENCH(highmem, name, arg);
	int err = err_exit_status(b->err);

	pcie_bench_free(b);
	return err;
}

TEST(pcie_options, wrong_words_are_usage_errors)
{
	static const char *const words[] = {
		"port=-1",    "port=x",	   "port=0x",	"port=31",     "port",	  "bar32",
		"bar32=4095", "bar32=12K", "bar32=4K4", "bar32=",      "bar64=k", "bar64=99999999T",
		"prot=1",     ",",	   "port=0,",	"bar32=4K,,x", "port=0",
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		EXPECT_EQ(status(true, "--device pci-test", words[i]), ASSAY_EXIT_USAGE);
	EXPECT_EQ(status(true, "--root-ports", "many"), ASSAY_EXIT_USAGE);
	EXPECT_EQ(status(true, "--root-ports", ""), ASSAY_EXIT_USAGE);
	EXPECT_EQ(status(true, "--root-ports", "-1"), ASSAY_EXIT_USAGE);
}

TEST(pcie_options, what_does_not_fit_is_refused)
{
	EXPECT_EQ(status(true, "--root-ports", "32"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--root-ports", "4294967297"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(false, "--root-ports", "16"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--device pci-test", "bar32=1G"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--device pci-test", "bar32=4G"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--device pci-test", "bar64=1T"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--device pci-test", "bar64=8388608T"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(false, "--device pci-test", "bar64=1G"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--device pci-test", "romfile=ipxe.rom"), ASSAY_EXIT_REFUSED);
	EXPECT_EQ(status(true, "--root-ports", "31"), ASSAY_EXIT_OK);
	EXPECT_EQ(status(true, "--device pci-test", "bar32=0x10000,bar64=64k,port=none"),
		  ASSAY_EXIT_OK);
}
