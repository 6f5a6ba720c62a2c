/* SPDX-License-Identifier: Apache-2.0 */
/*
 * U-Boot's build for QEMU's virt board (Debian's u-boot-qemu), unmodified, in flash: a program for the board that this
 * project did not write. What it says is compared with what it says on QEMU.
 */
#include "file.h"
#include "pauth.h"
#include "refvmm.h"
#include "test.h"
#include <assay/exit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 280000 /* a backstop: the test's own limit, scaled by the cell, comes first */
#define PROMPT	 "=> "

static struct proc run;

static const char *u_boot(void)
{
	static const char installed[] = "/usr/lib/u-boot/qemu_arm64/u-boot.bin";
	static char path[640];

	if (file_exists(bundle_path("firmware/u-boot.bin", path, sizeof(path))))
		return path;
	if (file_exists(installed))
		return installed;
	SKIP("no U-Boot for guests: install u-boot-qemu (Debian), which has %s", installed);
}

/* A disk in memory, of some MiB, that begins with this, as a value of --drive. */
static void make_disk(char drive[80], const char *begin, unsigned int mib, const char *more)
{
	char name[32];
	int fd = file_in_memory();

	if (write(fd, begin, strlen(begin)) != (ssize_t)strlen(begin) ||
	    ftruncate(fd, (off_t)mib << 20))
		test_error("no disk in memory: %s", strerrorname_np(errno));
	snprintf(drive, 80, "file=%s,readonly=on%s", file_name_of(fd, name), more);
}

/* What stands on the console between this command and the next prompt; "" if it was never typed. */
static const char *answer(const char *command)
{
	static char buf[2048];
	char typed[128];
	const char *at, *end;

	snprintf(typed, sizeof(typed), PROMPT "%s\r\n", command);
	at = strstr(run.out, typed);
	at = at ? at + strlen(typed) : "";
	end = strstr(at, PROMPT);
	snprintf(buf, sizeof(buf), "%.*s", end ? (int)(end - at) : (int)strlen(at), at);
	return buf;
}

static void expect_answer(const char *command, const char *part)
{
	if (!EXPECT_TRUE(strstr(answer(command), part)))
		NOTE("%s: `%s` is not in the answer `%.200s`", command, part, answer(command));
}

TEST(firmware, u_boot_comes_to_its_prompt_and_finds_the_board, RULE("BARE-UBOOT-1"), .tags = "slow")
{
	static const struct proc_talk talk[] = {
		{"stop autoboot", "\r", NULL},
		{PROMPT, "bdinfo\r", NULL},
		{PROMPT, "virtio scan\r", NULL},
		{PROMPT, "virtio info\r", NULL},
		{PROMPT, "virtio read 50000000 0 1\r", NULL},
		{PROMPT, "md.b 50000000 10\r", NULL},
		{PROMPT, "virtio dev 1\r", NULL},
		{PROMPT, "virtio read 50000000 0 1\r", NULL},
		{PROMPT, "md.b 50000000 11\r", NULL},
		{PROMPT, "pci\r", NULL},
		{PROMPT, "qfw cpus\r", NULL},
		{PROMPT, "setenv assay kept\r", NULL},
		{PROMPT, "saveenv\r", NULL},
		{PROMPT, "reset\r", NULL},
		{"stop autoboot", "\r", NULL},
		{PROMPT, "printenv assay\r", NULL},
		{PROMPT, "poweroff\r", NULL},
		{NULL, NULL, NULL},
	};
	char drive[2][80];
	struct refvmm vmm = {};

	make_disk(drive[0], "a disk on PCIe..", 1, "");
	make_disk(drive[1], "a disk on MMIO..", 3, ",if=virtio-mmio");
	REFVMM_ADD(&vmm, "--firmware", u_boot(), "--memory", "512M,backing=thp", "--smp", "2");
	REFVMM_ADD(&vmm, "--console", "stdio", "--cpu", pauth_cpu());
	REFVMM_ADD(&vmm, "--drive", drive[0], "--drive", drive[1]);
	refvmm_run(&run, &vmm, talk, LIMIT_MS);
	EXPECT_TRUE(strstr(run.out, "\r\nDRAM:  512 MiB\r\n"));
	EXPECT_TRUE(strstr(run.out, "\r\nFlash: 64 MiB\r\n"));
	EXPECT_TRUE(strstr(run.out, "bad CRC, using default environment"));
	expect_answer("bdinfo", "-> start    = 0x0000000040000000");
	expect_answer("bdinfo", "-> size     = 0x0000000020000000");
	expect_answer("virtio info", "(2048 x 512)");
	expect_answer("virtio info", "(6144 x 512)");
	expect_answer("virtio read 50000000 0 1", "1 blocks read: OK");
	expect_answer("md.b 50000000 10", "a disk on ");
	expect_answer("md.b 50000000 11", "a disk on ");
	EXPECT_TRUE(strstr(run.out, "a disk on PCIe..") && strstr(run.out, "a disk on MMIO.."));
	expect_answer("pci", "00.00.00");
	expect_answer("pci", "0x1af4     0x1042     Mass storage controller");
	expect_answer("qfw cpus", "2 cpu(s) online");
	expect_answer("saveenv", "Writing to Flash... done");
	EXPECT_TRUE(strstr(run.out, "Loading Environment from Flash... OK"));
	expect_answer("printenv assay", "assay=kept");
	expect_answer("poweroff", "poweroff ...");
	if (!EXPECT_EQ(run.status, ASSAY_EXIT_OK))
		NOTE("refvmm: exit status %d, %.*s", run.status, (int)strcspn(run.err, "\n"),
		     run.err);
}
