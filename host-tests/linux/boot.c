/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stock 64-bit Linux under refvmm, to user space. The initramfs of the bundle says on its console what it found
 * (linux-guest/); the kernel is the bundle's linux/Image or, on a distribution, the host's own.
 */
#include "linux.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>

SUITE(linux, .tags = "refvmm linux", .limit_ms = 60000);

TEST(linux, boots_to_user_space, RULE("VMM-LINUX-1"),
     VARIANTS("v2: machine=gic-version=2 | v3: machine=gic-version=3"))
{
	struct machine m = {.machine = test_param("machine"), .cpus = "2"};

	boot(&m);
	expect_came_up("2");
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
}
