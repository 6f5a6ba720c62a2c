/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One more than fits: refvmm refuses it before the guest starts, by the name of what runs out first. The machines
 * with one less are those of the guest test pcie.a_machine_at_its_limit_is_whole.
 */
#include "proc.h"
#include "test.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS 40

static struct proc run;

static void expect_exhausted(const char *options, const char *name)
{
	static char path[512], words[512], want[128];
	char *argv[WORDS] = {path}, *save = NULL;
	int argc = 1, r;

	bundle_path("refvmm", path, sizeof(path));
	if (access(path, X_OK))
		SKIP("no refvmm beside this program (%s): build the bundle", path);
	snprintf(words, sizeof(words), "%s", options);
	for (char *w = strtok_r(words, " ", &save); w && argc < WORDS - 3;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc++] = (char *)"--kernel";
	argv[argc++] = (char *)"/nonexistent"; /* it is refused before anybody looks */
	r = proc_run(&run, argv, 15000);
	if (r < 0)
		test_error("%s: %s", path, strerrorname_np(-r));
	EXPECT_EQ(run.status, ASSAY_EXIT_REFUSED);
	EXPECT_STREQ(run.out, "");
	snprintf(want, sizeof(want), "%s", name);
	if (!EXPECT_TRUE(strstr(run.err, want) != NULL))
		NOTE("refvmm %s said: %.200s", options, run.err);
}

#define BIG32 " --device pci-test,bar32=128M"
#define LOW64 " --device pci-test,bar64=128M"
#define BIG64 " --device pci-test,bar64=128G"

TEST(refvmm, one_more_root_port_than_buses_is_refused, RULE("PCIE-LIMIT-4"))
{
	expect_exhausted("--machine highmem=off --root-ports 16", "bus numbers run out");
	expect_exhausted("--machine highmem=off --root-ports 28", "bus numbers run out");
	expect_exhausted("--machine highmem=off --root-ports 31", "bus numbers run out");
}

TEST(refvmm, one_more_root_port_than_slots_is_refused, RULE("PCIE-LIMIT-4"))
{
	expect_exhausted("--root-ports 32", "slots of bus 0 run out");
	expect_exhausted("--root-ports 31 --device pci-test,port=none", "slots of bus 0 run out");
}

TEST(refvmm, one_more_bar_than_the_32_bit_window_holds_is_refused, RULE("PCIE-LIMIT-4"))
{
	expect_exhausted("--root-ports 5" BIG32 BIG32 BIG32 BIG32, "32-bit window runs out");
}

TEST(refvmm, one_more_bar_than_the_64_bit_window_holds_is_refused, RULE("PCIE-LIMIT-4"))
{
	expect_exhausted("--root-ports 5" BIG64 BIG64 BIG64 BIG64 " --device pci-test",
			 "64-bit window runs out");
	expect_exhausted("--machine highmem=off --root-ports 6" LOW64 LOW64 LOW64 LOW64 LOW64 LOW64,
			 "no 64-bit window");
}
