/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels of all ages and page sizes as guests, with 1 and with 8 CPUs; the cell decides the GIC and the page size of the
 * host (lab/cells.toml: guests-gicv2, guests-gicv3, guests-64k). Each has a disk and a source of random numbers over both
 * transports, a card and a console.
 */
#include "linux.h"
#include <assay/exit.h>
#include <stdio.h>
#include <string.h>

#define KERNELS                                               \
	VARIANTS("k6.1-cpu1: kernel=debian-6.1 cpus=1 | "     \
		 "k6.1-cpu8: kernel=debian-6.1 cpus=8 | "     \
		 "k6.12-cpu1: kernel=debian-6.12 cpus=1 | "   \
		 "k6.12-cpu8: kernel=debian-6.12 cpus=8 | "   \
		 "sid-cpu1: kernel=debian-sid cpus=1 | "      \
		 "sid-cpu8: kernel=debian-sid cpus=8 | "      \
		 "pages16k: kernel=debian-6.12-16k cpus=2 | " \
		 "pages64k: kernel=built-6.12-64k cpus=2")

TEST(linux, every_kernel_finds_its_devices, RULE("VMM-LINUX-2"), KERNELS, .limit_ms = 240000)
{
	struct machine m = {.kernel = test_param("kernel"), .machine = "virt-1"};
	char disk[2][64], net[64], con[64], word[4][200], cpus[8], text[128], want[128];
	volatile struct peer_said *card, *console;
	const char *const devices[] = {"--drive", word[0],	 "--drive",	 word[1], "--net",
				       word[2],	  "--console",	 word[3],	 "--rng", "virtio",
				       "--rng",	  "virtio-mmio", "--root-ports", "2"};

	snprintf(cpus, sizeof(cpus), "%s", test_param("cpus"));
	m.cpus = cpus;
	for (unsigned i = 0; i < 2; i++)
		disk_make(disk[i], i);
	card = peer_net(net);
	console = peer_console(con, "host says hello\n");
	snprintf(word[0], 200, "file=%s,serial=over-pci", disk[0]);
	snprintf(word[1], 200, "file=%s,if=virtio-mmio,serial=over-mmio", disk[1]);
	snprintf(word[2], 200, "stream,path=%s", net);
	snprintf(word[3], 200, "virtio-mmio,socket=%s", con);
	memcpy(m.devices, devices, sizeof(devices));
	boot(&m);
	expect_came_up(cpus);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(want, sizeof(want), "%s sectors=%u ro=0 sum=%08x wrote=ok",
			 i ? "mmio" : "pci", DISK_SIZE / 512, disk_sum(i));
		EXPECT_STREQ(said(i ? "disk-over-mmio" : "disk-over-pci", text, sizeof(text)),
			     want);
		disk_check(disk[i], i, true);
	}
	EXPECT_STREQ(said("eth0", text, sizeof(text)), "pci 52:54:00:12:34:56 up guest gets");
	EXPECT_GT(card->echoes, 0U);
	EXPECT_STREQ(said("hvc0", text, sizeof(text)), "host says hello");
	EXPECT_STREQ((const char *)(uintptr_t)console->line, "guest says hello");
	said("rngs", text, sizeof(text));
	EXPECT_TRUE(strstr(text, "virtio_rng.0") && strstr(text, "virtio_rng.1"));
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}

/* PSCI SYSTEM_RESET of a guest (DEN 0022, 5.1.10) starts the machine anew: devices are found and work a second time. */
TEST(linux, devices_work_after_a_reboot, RULE("VMM-LINUX-3"), .tags = "slow")
{
	struct machine m = {.machine = "virt-1", .cpus = "2", .append = "assay.end=reboot-once"};
	char disk[64], word[200], text[128], want[128];
	const char *p;

	disk_make(disk, 0);
	snprintf(word, sizeof(word), "file=%s,serial=over-pci", disk);
	m.devices[0] = "--drive";
	m.devices[1] = word;
	m.devices[2] = "--rng";
	m.devices[3] = "virtio-mmio";
	boot(&m);
	expect_came_up("2");
	p = strstr(run.out, "linux-guest end=reboot");
	EXPECT_TRUE(p && strstr(p, "linux-guest state=user-space"));
	EXPECT_TRUE(p && strstr(p, "linux-guest rng=virtio_rng.0 32"));
	snprintf(want, sizeof(want), "pci sectors=%u ro=0 sum=%08x wrote=ok", DISK_SIZE / 512,
		 disk_sum(0));
	EXPECT_STREQ(said("disk-over-pci", text, sizeof(text)), want);
	EXPECT_TRUE(p && strstr(p, want));
	disk_check(disk, 0, true);
	EXPECT_EQ(run.status, ASSAY_EXIT_OK);
	if (test_has_failed())
		note_end();
}
